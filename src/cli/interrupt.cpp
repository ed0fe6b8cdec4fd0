#include "cli/interrupt.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <system_error>

namespace penstock::cli {

namespace {

struct Place {
  std::atomic<bool> taken{false};
  std::atomic<OnInterrupt::Call> call{nullptr};
  std::atomic<void*> what{nullptr};
};

// Signal handlers have no other way to their data.
struct State {
  std::atomic<int> signal{0};
  std::atomic<int> bell{-1};
  std::array<Place, OnInterrupt::calls_max> places;
};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<void*>::is_always_lock_free);

State& state() {
  static State state;
  return state;
}

extern "C" void on_signal(int number) {
  const int before = errno;
  State& all = state();
  all.signal = number;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(all.bell, &one, sizeof one);
  for (Place& place : all.places) {
    if (const OnInterrupt::Call call = place.call) call(place.what);
  }
  errno = before;
}

}  // namespace

void watch_signals() {
  State& all = state();
  if (all.bell >= 0) return;
  const int bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (bell < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  all.bell = bell;
  // No SA_RESTART: what waits in the kernel is to come back. The second signal is the system's to handle.
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int interrupted() noexcept { return state().signal; }

void check_interrupted() {
  if (interrupted() != 0) throw Interrupted();
}

int interrupt_fd() noexcept { return state().bell; }

void wait_for(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (true) {
    check_interrupted();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= std::chrono::milliseconds(0)) return;
    pollfd bell{interrupt_fd(), POLLIN, 0};
    ::poll(&bell, 1, static_cast<int>(left.count()));
  }
}

OnInterrupt::OnInterrupt(Call call, void* what) : place_(0) {
  auto& places = state().places;
  while (place_ < places.size() && places.at(place_).taken.exchange(true)) ++place_;
  if (place_ == places.size()) throw std::logic_error("too many are to be called when a signal comes");
  places.at(place_).what = what;
  places.at(place_).call = call;
  if (interrupted() != 0) call(what);
}

OnInterrupt::~OnInterrupt() {
  Place& place = state().places.at(place_);
  place.call = nullptr;
  place.taken = false;
}

}  // namespace penstock::cli
