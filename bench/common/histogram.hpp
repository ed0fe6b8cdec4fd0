// Latencies in buckets of about 1.6 % width: recording costs a few instructions, which matters where the load generator
// shares its cores with the server it measures.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace penstock::bench {

class Histogram {
 public:
  void record(std::uint64_t nanoseconds) {
    ++buckets_[index_of(nanoseconds)];
    ++count_;
  }

  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
  }

  std::uint64_t count() const { return count_; }

  /// The latency that `fraction` of the recorded ones do not exceed, within a bucket's width; 0 if there are none.
  std::uint64_t quantile(double fraction) const {
    const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > wanted) return value_of(i);
    }
    return 0;
  }

 private:
  static constexpr unsigned sub_bits = 6;
  static constexpr std::uint64_t sub_count = 1U << sub_bits;

  // Values below 64 have a bucket each; above, each power of two is divided into 64.
  static std::size_t index_of(std::uint64_t value) {
    if (value < sub_count) return static_cast<std::size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - sub_bits - 1;
    return static_cast<std::size_t>((shift + 1U) * sub_count + ((value >> shift) - sub_count));
  }
  static std::uint64_t value_of(std::size_t index) {
    if (index < sub_count) return index;
    const std::uint64_t shift = index / sub_count - 1;
    return (sub_count + index % sub_count) << shift;
  }

  std::array<std::uint64_t, (64 - sub_bits + 1) * sub_count> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace penstock::bench
