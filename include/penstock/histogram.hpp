// How often a quantity came out at what, in ranges that are fixed beforehand.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock {

/// Plain numbers, of whoever owns it: to be copied where another thread is to look at it. `bounds` is an array of
/// ascending doubles, of which each is the last value of its range; what is above them all is in one more.
template <const auto& bounds>
class Histogram {
 public:
  static constexpr std::size_t range_count = bounds.size() + 1;

  void observe(double value) {
    const auto range = std::lower_bound(bounds.begin(), bounds.end(), value);
    ++counts_[static_cast<std::size_t>(range - bounds.begin())];
    sum_ += value;
  }

  void add(const Histogram& other) {
    for (std::size_t i = 0; i < range_count; ++i) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
  }

  /// How many values were in each range, not those of the ranges before it.
  const std::array<std::uint64_t, range_count>& counts() const { return counts_; }
  double sum() const { return sum_; }
  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t each : counts_) all += each;
    return all;
  }

 private:
  std::array<std::uint64_t, range_count> counts_{};
  double sum_ = 0;
};

}  // namespace penstock
