// How requests were answered, counted by the thread that answered them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/histogram.hpp"
#include "protocol/operation_names.hpp"

namespace penstock::server {

inline constexpr std::array request_seconds_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                   0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0};

/// Of one thread. There are as many operations as the tables have.
class RequestTally {
 public:
  struct Operation {
    std::vector<std::pair<int, std::uint64_t>> statuses;  ///< answers with each; in no order
    Histogram<request_seconds_bounds> seconds;
  };
  struct Hash {
    std::size_t operator()(const protocol::OperationName& name) const {
      return std::hash<std::string_view>{}(name.operation);
    }
  };
  using Operations = std::unordered_map<protocol::OperationName, Operation, Hash>;

  void observe(const protocol::OperationName& asked, int status, double seconds);
  /// Of what was no request that could be begun with.
  void observe_refused() { ++refused_; }
  void add(const RequestTally& other);

  const Operations& operations() const { return operations_; }
  std::uint64_t refused() const { return refused_; }

 private:
  Operations operations_;
  std::uint64_t refused_ = 0;
};

}  // namespace penstock::server
