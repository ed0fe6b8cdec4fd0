// The server's one clock, and its source of randomness. Everything below is handed what they answer.
#pragma once

#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "penstock/entropy.hpp"
#include "penstock/server_commands.hpp"
#include "penstock/time.hpp"

namespace penstock::server {

/// Any thread may ask it.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Never goes back.
  virtual Instant now() const = 0;
  /// How long it really takes until the clock shows `at`: 0 if it has, nothing while it stands still.
  virtual std::optional<std::chrono::nanoseconds> time_until(Instant at) const = 0;
};

/// The time that passed since the machine was started, its suspensions included.
inline std::chrono::nanoseconds boot_time() {
  timespec at{};
  ::clock_gettime(CLOCK_BOOTTIME, &at);
  return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
}

/// The wall clock as it was at the start, and from then on the time that passed, a suspended machine's included. So it
/// never goes back when somebody sets the date.
class SystemClock final : public Clock {
 public:
  SystemClock() : start_(std::chrono::floor<Millis>(std::chrono::system_clock::now())), since_(boot_time()) {}

  Instant now() const override { return start_ + std::chrono::floor<Millis>(boot_time() - since_); }
  std::optional<std::chrono::nanoseconds> time_until(Instant at) const override {
    return std::max<std::chrono::nanoseconds>(at - now(), std::chrono::nanoseconds{0});
  }

 private:
  Instant start_;
  std::chrono::nanoseconds since_;
};

/// A clock that a client is in charge of: it runs as fast as it is told, stands still, and goes forward at a stroke, up
/// to server_limits::clock_max.
class VirtualClock final : public Clock {
 public:
  using TimePassed = std::function<std::chrono::nanoseconds()>;

  /// Runs from `start` on as time really passes.
  explicit VirtualClock(Instant start, TimePassed passed = boot_time)
      : passed_(std::move(passed)), shown_(start), since_(passed_()) {}

  Instant now() const override {
    const std::lock_guard lock{mutex_};
    return shown_at(passed_());
  }
  std::optional<std::chrono::nanoseconds> time_until(Instant at) const override {
    const std::lock_guard lock{mutex_};
    const Instant shown = shown_at(passed_());
    if (at <= shown) return std::chrono::nanoseconds{0};
    if (frozen_ || at > server_limits::clock_max) return std::nullopt;
    // Rounded up, so that the moment is there when the time is over.
    return std::chrono::nanoseconds{std::chrono::nanoseconds{std::min(at - shown, wait_max)}.count() / speed_ + 1};
  }

  /// An earlier moment than it shows changes nothing.
  void set(Instant to) {
    const std::lock_guard lock{mutex_};
    rebase();
    shown_ = std::max(shown_, std::min(to, server_limits::clock_max));
  }
  void freeze(bool frozen) {
    const std::lock_guard lock{mutex_};
    rebase();
    frozen_ = frozen;
  }
  /// REQUIRES: from 1 on.
  void set_speed(std::int64_t factor) {
    const std::lock_guard lock{mutex_};
    rebase();
    speed_ = factor;
  }
  bool is_frozen() const {
    const std::lock_guard lock{mutex_};
    return frozen_;
  }
  std::int64_t speed() const {
    const std::lock_guard lock{mutex_};
    return speed_;
  }

 private:
  /// What is farther away is looked at again by then; its nanoseconds would not fit.
  static constexpr Millis wait_max = std::chrono::days{36'500};

  Instant shown_at(std::chrono::nanoseconds passed) const {
    if (frozen_) return shown_;
    // Milliseconds and what is left of them one by one, since all of the nanoseconds times a speed would not fit.
    const Millis whole = std::chrono::floor<Millis>(passed - since_);
    const std::chrono::nanoseconds rest = passed - since_ - whole;
    return std::min(shown_ + whole * speed_ + std::chrono::floor<Millis>(rest * speed_), server_limits::clock_max);
  }
  void rebase() {
    const std::chrono::nanoseconds passed = passed_();
    shown_ = shown_at(passed);
    since_ = passed;
  }

  const TimePassed passed_;
  mutable std::mutex mutex_;
  Instant shown_;                   ///< at the latest change
  std::chrono::nanoseconds since_;  ///< when that was
  bool frozen_ = false;
  std::int64_t speed_ = 1;
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
