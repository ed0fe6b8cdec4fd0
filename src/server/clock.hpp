// The server's one clock, and its source of randomness. Everything below is handed what they answer.
#pragma once

#include <sys/random.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "penstock/entropy.hpp"
#include "penstock/time.hpp"

namespace penstock::server {

/// The wall clock as it was at the start, and from then on the time that passed, a suspended machine's included. So it
/// never goes back when somebody sets the date.
class SystemClock {
 public:
  SystemClock() : start_(std::chrono::floor<Millis>(std::chrono::system_clock::now())), since_(boot_time()) {}

  Instant now() const { return start_ + std::chrono::floor<Millis>(boot_time() - since_); }

 private:
  static std::chrono::nanoseconds boot_time() {
    timespec at{};
    ::clock_gettime(CLOCK_BOOTTIME, &at);
    return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
  }

  Instant start_;
  std::chrono::nanoseconds since_;
};

/// The kernel's random bits, fetched a few hundred bytes at a time.
class SystemEntropy final : public Entropy {
 public:
  std::uint64_t next() override {
    if (used_ == bits_.size()) refill();
    return bits_[used_++];
  }

 private:
  void refill() {
    // Up to 256 bytes are never cut short, and it can fail only where the kernel lacks the call.
    if (::getrandom(bits_.data(), sizeof bits_, 0) != static_cast<ssize_t>(sizeof bits_)) std::abort();
    used_ = 0;
  }

  std::array<std::uint64_t, 32> bits_{};
  std::size_t used_ = bits_.size();
};

}  // namespace penstock::server
