// How long to wait before trying again.
#pragma once

#include <algorithm>
#include <chrono>

namespace penstock::client {

/// Twice as long each time, up to a longest; a random half is left out, so that those who were turned away together do
/// not come back together.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds min, std::chrono::milliseconds max) : next_(min), max_(max) {}

  /// `random` is from 0 up to and without 1.
  std::chrono::milliseconds next(double random) {
    const std::chrono::milliseconds whole = std::min(next_, max_);
    next_ = std::min(whole * 2, max_);
    const auto left_out = static_cast<double>(whole.count()) / 2 * random;
    return whole - std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(left_out));
  }

 private:
  std::chrono::milliseconds next_;
  std::chrono::milliseconds max_;
};

}  // namespace penstock::client
