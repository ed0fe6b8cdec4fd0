// What is asked of the server as a whole, rather than of a queue, a stream or a function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "penstock/busy.hpp"
#include "penstock/errors.hpp"
#include "penstock/time.hpp"

namespace penstock {

namespace server_limits {
inline constexpr Millis settle_time_max{600'000};     ///< of real time, that a client may have an advance or idle wait
inline constexpr Millis settle_time_default{30'000};  ///< the same where it does not say
inline constexpr std::int64_t clock_speed_max = 1'000'000;
inline constexpr std::uint64_t clock_steps_max = 1'000'000;  ///< moments that one advance stops at
inline constexpr std::size_t clock_changes_waiting_max = 64;
inline constexpr std::size_t idle_waits_max = 256;  ///< clients that wait for the server to be idle, at a time
}  // namespace server_limits

// ---- Time. Answer: ClockState. Errors: NotEnabled (of a change, where the clock is the real one), ServerBusy.

struct ReadClock {};

/// Each kind of change of the virtual clock; it never goes back.
struct AdvanceClock {
  Millis by{0};
};
/// To the next moment at which something is due, if there is one.
struct AdvanceClockToNext {};
struct SetClock {
  Instant to{};
};
struct FreezeClock {
  bool frozen = false;
};
/// So many seconds in each that passes.
struct SpeedClock {
  std::int64_t factor = 1;
};
struct ChangeClock {
  std::variant<AdvanceClock, AdvanceClockToNext, SetClock, FreezeClock, SpeedClock> change;
  Millis wait_max = server_limits::settle_time_default;  ///< for what became due to happen, of real time
};

struct ClockState {
  bool is_virtual = false;
  Instant now{};
  bool frozen = false;
  std::int64_t speed = 1;
  std::optional<Instant> next;  ///< when something is due next
  bool settled = true;          ///< of a change: what became due has happened, and nothing of it is under way
  std::uint64_t steps = 0;      ///< of a change: moments at which something was due
};

// ---- Rest. Answer: Idleness. Errors: ServerBusy.

/// Whether all is done that there is to do: no message is visible to a mapping, no batch is in flight, no asynchronous
/// invoke waits and no consumer lags. Waits for it as long as is said, in real time.
struct AwaitIdle {
  Millis wait{0};
};

struct Idleness {
  bool idle = false;
  BusyList busy;  ///< at most busy_named_max; empty where the server is only in the middle of something
};

/// A struct rather than an alias, so that it can be named without all of the above.
struct ServerCommand {
  std::variant<ReadClock, ChangeClock, AwaitIdle> what;
};

struct ServerResult : std::variant<Error, ClockState, Idleness> {
  using variant::variant;
};

}  // namespace penstock
