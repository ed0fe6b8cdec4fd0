// Requests so large that to understand one takes longer than others should wait: it is done in a thread of its own.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

#include "protocol/wire.hpp"

namespace penstock::server {

/// Thread-safe. The thread begins with the first request.
class LargeRequests {
 public:
  /// Of a body that is worth a change of thread: what is smaller takes 2 ms, and one of 67 MiB 160 ms.
  static constexpr std::size_t body_bytes_min = 1U << 20U;
  /// Of the bodies of those that wait or are being understood.
  static constexpr std::size_t bytes_max = 256U << 20U;

  using Read = std::function<protocol::Prepared(const protocol::WireRequest&)>;
  using Understood = std::function<void(protocol::Prepared, const protocol::WireRequest&)>;

  LargeRequests() = default;
  LargeRequests(const LargeRequests&) = delete;
  LargeRequests& operator=(const LargeRequests&) = delete;
  /// Finishes what is being done.
  ~LargeRequests();

  /// Has `understood` called by `executor` with what `read`, in the thread, makes of the request, which is copied, and
  /// with the copy. This must outlive the executor's work.
  /// False, and nothing is called, if there is no room.
  bool read(const protocol::WireRequest& request, Read read, const boost::asio::any_io_executor& executor,
            Understood understood);

 private:
  std::once_flag begun_;
  std::optional<boost::asio::thread_pool> pool_;
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace penstock::server
