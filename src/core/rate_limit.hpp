// How much a shard takes in or gives out within a second, where that is limited.
#pragma once

#include <algorithm>
#include <cstdint>

#include "penstock/time.hpp"

namespace penstock::core {

/// A bucket that runs empty at a steady rate and holds what comes in one second.
class RateLimit {
 public:
  explicit RateLimit(std::uint64_t per_second) : per_second_(per_second) {}

  /// Whether so much more fits; an empty bucket takes anything, or what is larger than a second's worth never would.
  bool has_room(std::uint64_t amount, Instant now) {
    drain(now);
    return level_ == 0 || level_ + amount * ms_per_s <= per_second_ * ms_per_s;
  }
  void add(std::uint64_t amount, Instant now) {
    drain(now);
    level_ += amount * ms_per_s;
    if (level_ >= per_second_ * ms_per_s) overdrawn_ = true;
  }
  /// Whether it has overflowed and is not empty again since: what a GetRecords of 10 MiB does for five seconds.
  bool is_overdrawn(Instant now) {
    drain(now);
    return overdrawn_;
  }

 private:
  static constexpr std::uint64_t ms_per_s = 1'000;

  void drain(Instant now) {
    const auto elapsed_ms = static_cast<std::uint64_t>(std::max<std::int64_t>((now - drained_).count(), 0));
    drained_ = std::max(drained_, now);
    level_ -= elapsed_ms > level_ / per_second_ ? level_ : elapsed_ms * per_second_;
    if (level_ == 0) overdrawn_ = false;
  }

  std::uint64_t per_second_;
  std::uint64_t level_ = 0;  // in thousandths, so that a millisecond drains a whole number
  bool overdrawn_ = false;
  Instant drained_{};
};

}  // namespace penstock::core
