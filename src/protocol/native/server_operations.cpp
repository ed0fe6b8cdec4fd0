#include "protocol/native/server_operations.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "protocol/times.hpp"

namespace penstock::protocol::native {

namespace {

template <class C>
AskedServer ask_server(C command) {
  return std::make_shared<const ServerCommand>(ServerCommand{std::move(command)});
}

Error no_duration(std::string_view member, const std::string& given) {
  return invalid_request(std::string(member) + " is a length of time such as 12h30m, 90s or 500ms, not '" + given +
                         "'.");
}

using Change = decltype(ChangeClock::change);

std::variant<Change, Error> change_of(const ChangeClockInput& input) {
  const int given = static_cast<int>(input.advance.has_value()) + static_cast<int>(input.set.has_value()) +
                    static_cast<int>(input.freeze.has_value()) + static_cast<int>(input.speed.has_value());
  if (given != 1) return invalid_request("One of advance, set, freeze and speed has to be given.");
  if (input.freeze) return Change{FreezeClock{*input.freeze}};
  if (input.speed) return Change{SpeedClock{*input.speed}};
  if (input.set) {
    const auto to = parse_time(*input.set);
    if (to) return Change{SetClock{*to}};
    return invalid_request("set is a time such as 2026-01-01T00:00:00Z, not '" + *input.set + "'.");
  }
  if (*input.advance == "next") return Change{AdvanceClockToNext{}};
  const auto by = parse_duration(*input.advance);
  if (!by) return no_duration("advance", *input.advance);
  return Change{AdvanceClock{*by}};
}

ClockDescription described(const ClockState& state) {
  ClockDescription description;
  description.now = format_time(state.now);
  description.now_ms = to_epoch_ms(state.now);
  description.mode = state.is_virtual ? "virtual" : "real";
  description.frozen = state.frozen;
  description.speed = state.speed;
  if (state.next) description.next = format_time(*state.next);
  return description;
}

}  // namespace

std::variant<Millis, Error> wait_of(const std::optional<std::string>& given, Millis usual) {
  if (!given) return usual;
  const auto wait = parse_duration(*given);
  if (!wait) return no_duration("wait", *given);
  if (*wait > server_limits::settle_time_max) return invalid_request("wait is at most 10m.");
  return *wait;
}

AskedServer ReadClockOperation::to_command(Input& /*input*/, const Caller& /*caller*/, Kept& /*kept*/) {
  return ask_server(ReadClock{});
}

Told<ClockDescription> ReadClockOperation::to_output(ServerResult&& result, Kept& /*kept*/) {
  const auto* state = std::get_if<ClockState>(&result);
  if (state == nullptr) return unexpected_result();
  return described(*state);
}

AskedServer ChangeClockOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  auto change = change_of(input);
  if (auto* error = std::get_if<Error>(&change)) return std::move(*error);
  auto wait = wait_of(input.wait, server_limits::settle_time_default);
  if (auto* error = std::get_if<Error>(&wait)) return std::move(*error);
  return ask_server(ChangeClock{std::get<Change>(change), std::get<Millis>(wait)});
}

Told<ClockDescription> ChangeClockOperation::to_output(ServerResult&& result, Kept& /*kept*/) {
  const auto* state = std::get_if<ClockState>(&result);
  if (state == nullptr) return unexpected_result();
  ClockDescription description = described(*state);
  description.settled = state->settled;
  if (state->target) description.target = format_time(*state->target);
  description.steps = static_cast<std::int64_t>(state->steps);
  return description;
}

AskedServer AwaitIdleOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  auto wait = wait_of(input.wait, Millis{0});
  if (auto* error = std::get_if<Error>(&wait)) return std::move(*error);
  return ask_server(AwaitIdle{std::get<Millis>(wait)});
}

Told<AwaitIdleOutput> AwaitIdleOperation::to_output(ServerResult&& result, Kept& /*kept*/) {
  auto* idleness = std::get_if<Idleness>(&result);
  if (idleness == nullptr) return unexpected_result();
  AwaitIdleOutput output;
  output.idle = idleness->idle;
  auto& busy = output.busy.emplace();
  for (Busy& each : idleness->busy) busy.push_back({std::move(each.kind), std::move(each.name), std::move(each.what)});
  return output;
}

AskedServer TraceMessageOperation::to_command(Input& input, const Caller& /*caller*/, Kept& kept) {
  kept = *input.message_id;
  return ask_server(TraceMessage{std::move(*input.message_id)});
}

Told<TraceMessageOutput> TraceMessageOperation::to_output(ServerResult&& result, Kept& kept) {
  auto* trace = std::get_if<MessageTrace>(&result);
  if (trace == nullptr) return unexpected_result();
  TraceMessageOutput output;
  output.message_id = std::move(kept);
  auto& steps = output.steps.emplace();
  for (MessageStep& step : trace->steps) {
    TraceStep& each = steps.emplace_back();
    each.at = format_time(step.at);
    each.where = std::move(step.queue);
    each.what = std::move(step.what);
    if (!step.detail.empty()) each.detail = std::move(step.detail);
    if (step.until) each.until = format_time(*step.until);
  }
  return output;
}

}  // namespace penstock::protocol::native
