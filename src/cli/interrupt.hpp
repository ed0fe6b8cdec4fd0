// Ctrl-C, and SIGTERM: a command that waits ends its wait, one that writes finishes its line, and the process ends with
// 128 and the signal's number. A second signal ends it at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>

namespace penstock::cli {

/// A command is to end. Thrown where it would have waited.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

/// From now on signals interrupt. Throws std::system_error if the process has no descriptor left.
void watch_signals();

/// The signal that came; 0 if none did.
int interrupted() noexcept;

/// Throws Interrupted.
void check_interrupted();

/// Is readable once a signal came; -1 where nobody watches.
int interrupt_fd() noexcept;

/// Throws Interrupted.
void wait_for(std::chrono::milliseconds time);

/// While it lives, a signal calls this, in the signal's handler.
class OnInterrupt {
 public:
  using Call = void (*)(void* what) noexcept;
  /// That exist at a time.
  static constexpr std::size_t calls_max = 8;

  OnInterrupt(Call call, void* what);
  ~OnInterrupt();
  OnInterrupt(const OnInterrupt&) = delete;
  OnInterrupt& operator=(const OnInterrupt&) = delete;

 private:
  std::size_t place_;
};

}  // namespace penstock::cli
