// The operations about the server as a whole: its clock, and whether it is idle. Their members are in lower case, since
// they are written by hand more than by programs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "penstock/server_commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/native/call.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

/// The modelled errors of an operation about the server: its own and those of every operation.
template <class... Codes>
constexpr auto server_errors_of(Codes... codes) {
  return std::array{codes..., ErrorCode::InvalidRequest, ErrorCode::RequestTooLarge, ErrorCode::ServiceUnavailable,
                    ErrorCode::InternalFailure};
}

/// Of real time, that an answer may wait; `usual` where nothing is given.
std::variant<Millis, Error> wait_of(const std::optional<std::string>& given, Millis usual);

inline constexpr MemberOptions duration_text = detail::sized(1, 32);
inline constexpr MemberOptions clock_speed = detail::from_to(std::int64_t{1}, server_limits::clock_speed_max);

struct ClockDescription {
  std::optional<std::string> now;
  std::optional<std::int64_t> now_ms;
  std::optional<std::string> mode;
  std::optional<bool> frozen;
  std::optional<std::int64_t> speed;
  std::optional<std::string> next;
  std::optional<bool> settled;
  std::optional<std::string> target;
  std::optional<std::int64_t> steps;

  static constexpr auto shape() {
    using Self = ClockDescription;
    return Shape(
        "ClockDescription", required("now", &Self::now, about("What the clock shows, as ISO 8601 has it.")),
        required("now_ms", &Self::now_ms, about("The same in milliseconds since 1970.")),
        required("mode", &Self::mode, about("real or virtual.")),
        required("frozen", &Self::frozen, about("Whether it stands still.")),
        required("speed", &Self::speed, about("Seconds that it goes on in each that passes, unless it is frozen.")),
        optional("next", &Self::next, about("When something happens next that a client could see, if anything does.")),
        optional("settled", &Self::settled,
                 about("Of a change: whether all that became due has happened and come to rest. Otherwise it "
                       "took longer than it was waited for, and the clock has gone no further than now says.")),
        optional("target", &Self::target,
                 about("Of a change that has not settled: where the clock was to go, if that was known.")),
        optional("steps", &Self::steps, about("Of a change: the moments at which something was due, be it unseen.")));
  }
};

// ---- ReadClock

struct ReadClockInput {
  static constexpr auto shape() { return Shape("ReadClockInput"); }
};

struct ReadClockOperation {
  static constexpr std::string_view name = "ReadClock";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/clock";
  static constexpr std::string_view summary = "Tells what the server's clock shows.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of();
  using Input = ReadClockInput;
  using Output = ClockDescription;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

// ---- ChangeClock

struct ChangeClockInput {
  std::optional<std::string> advance;
  std::optional<std::string> set;
  std::optional<bool> freeze;
  std::optional<std::int64_t> speed;
  std::optional<std::string> wait;

  static constexpr auto shape() {
    using Self = ChangeClockInput;
    return Shape(
        "ChangeClockInput",
        optional("advance", &Self::advance,
                 about("How far the clock goes forward, such as 12h30m, 90s or 500ms; or next: to the moment "
                       "at which something happens next that a client could see.",
                       duration_text)),
        optional("set", &Self::set,
                 about("What it is to show, which is no earlier than what it shows.", detail::sized(1, 64))),
        optional("freeze", &Self::freeze, about("Whether it is to stand still.")),
        optional("speed", &Self::speed, about("Seconds that it is to go on in each that passes.", clock_speed)),
        optional("wait", &Self::wait,
                 about("How long, really, the answer waits for what became due to come to rest: 30s where "
                       "nothing is said, at most 10m.",
                       duration_text)));
  }
};

struct ChangeClockOperation {
  static constexpr std::string_view name = "ChangeClock";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/clock";
  static constexpr std::string_view summary =
      "Changes the virtual clock in one way, and answers when all that became due has happened and come to rest.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::NotEnabled, ErrorCode::ServerBusy);
  using Input = ChangeClockInput;
  using Output = ClockDescription;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

// ---- AwaitIdle

struct AwaitIdleInput {
  std::optional<std::string> wait;

  static constexpr auto shape() {
    return Shape("AwaitIdleInput",
                 optional("wait", &AwaitIdleInput::wait,
                          in_query("How long, really, to wait for it, such as 30s: not at all where nothing is said, "
                                   "at most 10m.",
                                   duration_text)));
  }
};
struct BusyPart {
  std::optional<std::string> kind;
  std::optional<std::string> name;
  std::optional<std::string> what;

  static constexpr auto shape() {
    using Self = BusyPart;
    return Shape("BusyPart", required("kind", &Self::kind, about("mapping, consumer or function.")),
                 required("name", &Self::name, about("Which.")),
                 required("what", &Self::what, about("What keeps it from being idle.")));
  }
};
struct AwaitIdleOutput {
  std::optional<bool> idle;
  std::optional<std::vector<BusyPart>> busy;

  static constexpr auto shape() {
    using Self = AwaitIdleOutput;
    return Shape("AwaitIdleOutput", required("idle", &Self::idle, about("Whether all is done that there is to do.")),
                 required("busy", &Self::busy, about("What is not, the first hundred.")));
  }
};

struct AwaitIdleOperation {
  static constexpr std::string_view name = "AwaitIdle";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/idle";
  static constexpr std::string_view summary =
      "Waits until no message is visible to a mapping, no batch and no asynchronous invoke is in flight and no "
      "consumer "
      "lags.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::ServerBusy);
  using Input = AwaitIdleInput;
  using Output = AwaitIdleOutput;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

// ---- TraceMessage

struct TraceMessageInput {
  std::optional<std::string> message_id;

  static constexpr auto shape() {
    return Shape("TraceMessageInput", required("MessageId", &TraceMessageInput::message_id,
                                               in_path("What its sender was told.", detail::sized(1, 100))));
  }
};
struct TraceStep {
  std::optional<std::string> at;
  std::optional<std::string> where;
  std::optional<std::string> what;
  std::optional<std::string> detail;
  std::optional<std::string> until;

  static constexpr auto shape() {
    using Self = TraceStep;
    return Shape("TraceStep", required("at", &Self::at, about("When, as ISO 8601 has it.")),
                 required("where", &Self::where, about("The queue, or the mapping.")),
                 required("what", &Self::what,
                          about("sent, duplicate, received, hidden, visible, returned, deleted, expired, moved, "
                                "dead-lettered, redriven, purged or not processed.")),
                 optional("detail", &Self::detail, about("More of it, for a person.")),
                 optional("until", &Self::until, about("It is not visible before that.")));
  }
};
struct TraceMessageOutput {
  std::optional<std::string> message_id;
  std::optional<std::vector<TraceStep>> steps;

  static constexpr auto shape() {
    using Self = TraceMessageOutput;
    return Shape("TraceMessageOutput", required("message_id", &Self::message_id, about("The message's.")),
                 required("steps", &Self::steps, about("What became of it, as far as that is kept, oldest first.")));
  }
};

struct TraceMessageOperation {
  static constexpr std::string_view name = "TraceMessage";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/messages/{MessageId}";
  static constexpr std::string_view summary = "Tells what became of a message of a queue lately.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::NotFound);
  using Input = TraceMessageInput;
  using Output = TraceMessageOutput;
  using Kept = std::string;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::native
