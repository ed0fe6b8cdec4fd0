// What is asked of the server as a whole, rather than of a queue, a stream or a function.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/busy.hpp"
#include "penstock/errors.hpp"
#include "penstock/time.hpp"

namespace penstock {

namespace server_limits {
inline constexpr Millis settle_time_max{600'000};     ///< of real time, that a client may have an advance or idle wait
inline constexpr Millis settle_time_default{30'000};  ///< the same where it does not say
inline constexpr std::int64_t clock_speed_max = 1'000'000;
inline constexpr std::uint64_t clock_steps_max = 1'000'000;  ///< moments that one advance stops at
inline constexpr Instant clock_max = std::chrono::sys_days{std::chrono::year{9999} / 1 / 1};  ///< what it shows at most
inline constexpr std::size_t clock_changes_waiting_max = 64;
inline constexpr std::size_t idle_waits_max = 256;  ///< clients that wait for the server to be idle, at a time
inline constexpr std::size_t trace_records_default = 65'536;  ///< of what becomes of messages, of each thread
inline constexpr std::size_t trace_notes_max = 16'384;        ///< of what mappings make of them
inline constexpr std::size_t backup_waits_max = 64;           ///< clients that wait for the end of a backup, at a time
inline constexpr std::size_t directory_bytes_max = 4'096;
}  // namespace server_limits

// ---- Time. Answer: ClockState. Errors: NotEnabled (of a change, where the clock is the real one), InvalidRequest (a
// moment that it cannot go to), ServerBusy.

struct ReadClock {};

/// Each kind of change of the virtual clock; it never goes back.
struct AdvanceClock {
  Millis by{0};
};
/// To the next moment at which something happens that a client could see, if there is one.
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
  std::optional<Instant> next;    ///< when something happens next that a client could see
  bool settled = true;            ///< of a change: what became due has happened, and nothing of it is under way
  std::optional<Instant> target;  ///< of a change that has not settled: where the clock was to go, which may be ahead
  std::uint64_t steps = 0;        ///< of a change: moments at which something was due
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

// ---- Faults. Answer: FaultList. Errors: NotEnabled, InvalidRequest, NotFound.

namespace fault_limits {
inline constexpr std::size_t rules_max = 1'000;
inline constexpr Millis latency_max{600'000};
inline constexpr Millis commit_latency_max{10'000};
inline constexpr std::int64_t hits_max = 1'000'000'000;
inline constexpr std::size_t text_chars_max = 256;  ///< of a name, a code or a message
}  // namespace fault_limits

/// What a rule has a request answered with instead of carrying it out.
struct FaultError {
  int status = 400;
  std::string code;
  std::string message;
  bool operator==(const FaultError&) const = default;
};

/// A request that all of `service` to `resource` say yes to has a fault; what is empty says yes to all.
struct FaultRule {
  std::string id;  ///< given by the server where it is empty
  std::string service;
  std::string operation;
  std::string region;
  std::string resource;  ///< a queue's, a stream's or a function's name, or how it begins, with a star behind it
  double probability = 1;
  std::optional<std::uint64_t> seed;  ///< of its chances, so that they come again; of the server's own choice if absent
  std::optional<std::int64_t> count;  ///< requests that it meets at most
  std::optional<FaultError> error;
  bool throttle = false;     ///< as the service does it
  Millis latency{0};         ///< before the request is carried out, or answered with an error
  bool duplicate = false;    ///< of what a receive delivers: it is visible again at once
  bool reorder = false;      ///< of what a receive from a standard queue delivers
  Millis commit_latency{0};  ///< of every commit; goes with nothing that says which requests are meant
  bool operator==(const FaultRule&) const = default;
};
struct FaultState {
  FaultRule rule;
  std::int64_t hits = 0;
};

struct ListFaults {};
struct AddFaults {
  std::vector<FaultRule> rules;
  bool replace = false;  ///< those that there are go
};
/// All, or the one with that id, or those that say the same as one of a list, whose ids are what they like if they have
/// none there; it is no error if there are none of these.
struct RemoveFaults {
  std::optional<std::string> id;
  std::optional<std::vector<FaultRule>> like{};
};
struct FaultList {
  std::vector<FaultState> rules;
};

// ---- Why. Answer: MessageTrace. Errors: NotEnabled, NotFound.

/// What became of a message: with the MessageId that its sender was told.
struct TraceMessage {
  std::string message_id;
};
struct MessageStep {
  Instant at{};
  std::string queue;  ///< its name
  std::string what;   ///< "sent", "received", "hidden", "failed" and so on
  std::string detail;
  std::optional<Instant> until{};  ///< it is not visible before
};
struct MessageTrace {
  std::vector<MessageStep> steps;  ///< oldest first
};

// ---- State: all that the server keeps.

/// Makes a copy of the data, with which a server can be started, while this one goes on. Answer: BackupState, when the
/// copy is made or `wait_max` is over, in real time; one that is still being made goes on. Errors: InvalidRequest (the
/// directory), NotEnabled where nothing is kept on disk, ServerConflict while another is being made.
struct BackUp {
  std::string directory;
  Millis wait_max = server_limits::settle_time_max;
};
/// Of the backup that is being made, or was made last. Waits until it is over, for as long as is said. Answer:
/// BackupState. Errors: ServerBusy.
struct DescribeBackup {
  Millis wait_max{0};
};

struct BackupState {
  enum class Phase : std::uint8_t { none, running, done, failed };
  Phase phase = Phase::none;
  std::string directory;
  std::string what;  ///< is being done, of one that is running
  std::uint64_t files = 0;
  std::uint64_t files_done = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_done = 0;
  std::optional<Error> failure;
  std::vector<std::string> warnings;
};

/// Deletes all that there is, or all of a service, in every account and region, and answers when it is gone. Whoever
/// waits for any of it is answered, and invocations that are under way are ended. Answer: ServerReset. Errors:
/// InvalidRequest (a setup that there is not), ServerConflict while another is under way or if it does not come to an
/// end.
struct ResetServer {
  enum class Scope : std::uint8_t { all, sqs, kinesis, lambda };
  Scope scope = Scope::all;
  bool setup = false;  ///< does again afterwards what the server's file says
};

struct ServerReset {
  std::uint64_t queues = 0;
  std::uint64_t streams = 0;
  std::uint64_t functions = 0;
  std::uint64_t mappings = 0;
};

/// A struct rather than an alias, so that it can be named without all of the above.
struct ServerCommand {
  std::variant<ReadClock, ChangeClock, AwaitIdle, ListFaults, AddFaults, RemoveFaults, TraceMessage, BackUp,
               DescribeBackup, ResetServer>
      what;
};

struct ServerResult : std::variant<Error, ClockState, Idleness, FaultList, MessageTrace, BackupState, ServerReset> {
  using variant::variant;
};

}  // namespace penstock
