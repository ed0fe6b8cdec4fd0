// The bounds that the network side keeps, whatever a client sends.
#pragma once

#include <chrono>
#include <cstddef>

namespace penstock::net {

struct NetLimits {
  std::size_t connections_max = 4'096;  ///< per thread; one more is closed at once
  std::uint32_t header_bytes_max = 32U << 10U;
  std::size_t body_bytes_max = 16U << 20U;
  std::size_t bodies_bytes_max = 256U << 20U;  ///< per thread, all bodies being read together
  std::chrono::seconds request_time_max{60};   ///< from a request's first byte to its last
  std::chrono::seconds write_time_max{60};     ///< for the client to take its answer
  std::chrono::seconds idle_time_max{300};     ///< between requests
};

}  // namespace penstock::net
