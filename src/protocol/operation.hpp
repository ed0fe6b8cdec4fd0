// An operation of any service, declared once: a type Op with
//
//     static constexpr std::string_view name;
//     static constexpr auto errors;                 an array of the modelled ErrorCodes
//     using Input, Output, Kept;                    shapes (or Nothing), and what is kept between question and answer
//     static Asked to_command(Input& input, const Caller& caller, Kept& kept);
//     static Told<Output> to_output(Result&& result, Kept& kept);
//
// and, if its answer is a stream of events, whose head `to_response` words instead of an output's body:
//
//     static WireResponse to_response(const Reply& reply);
//     static EventFeed to_feed();
//
// or, if its answer's status is not 200, one of
//
//     static constexpr int status;
//     static int to_status(const Output& output);
//
// An operation about functions and mappings asks the trigger engine in place of the shards:
//
//     static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
//     static Told<Output> to_output(TriggerResult&& result, Kept& kept);
//
// and one about the server as a whole asks that:
//
//     static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
//     static Told<Output> to_output(ServerResult&& result, Kept& kept);
//
// from which come its row in the service's table and the way from a request to a PreparedCall. What differs between the
// services is how a request becomes an input: which wires there are, and how constraints are checked and worded.
#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/errors.hpp"
#include "protocol/decode.hpp"
#include "protocol/reply.hpp"
#include "protocol/shape.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {

/// A command that is asked only after something else was seen to hold.
struct Question {
  Question(std::vector<Precondition> preconditions, Command asked)
      : before(std::move(preconditions)), command(std::move(asked)) {}
  std::vector<Precondition> before;  ///< in the order in which they are asked
  Command command;
  std::optional<StreamId> stream_id{};  ///< where it is all that is known of the command's stream
};

/// What to ask the engine, or what is wrong.
using Asked = std::variant<Command, Question, Error>;

/// The same of the trigger engine.
using AskedTriggers = std::variant<TriggerCommand, Error>;

/// The same of the server as a whole.
using AskedServer = std::variant<std::shared_ptr<const ServerCommand>, Error>;

/// What to tell the client.
template <class Output>
using Told = std::variant<Output, Error>;

/// The default of what an operation keeps between the question and the answer.
struct KeepsNothing {};

/// Answers an error whose result is not one that the command can have.
inline Error unexpected_result() { return {ErrorCode::InternalFailure, {}}; }

/// The answer of an operation without output.
template <class AnyResult>
Told<Nothing> nothing_if_done(const AnyResult& result) {
  if (!std::holds_alternative<Done>(result)) return unexpected_result();
  return Nothing{};
}

/// What an operation declares, whatever its service.
struct OperationInfo {
  std::string_view name;
  const StructureInfo* input = nullptr;
  const StructureInfo* output = nullptr;  ///< `Nothing`'s where it has no output
  std::span<const ErrorCode> errors;      ///< the modelled ones
};

/// A row of a service's table. `Call` is the service's request before its input was read: its `source`, a variant of
/// the Sources of the service's wires, which `Call::Wires` says, its `caller` and its `reply`.
template <class Call>
struct OperationOf : OperationInfo {
  Prepared (*prepare)(const Call& call) = nullptr;
};

/// An operation whose answer is a stream of events.
template <class Op>
concept StreamsEvents = requires(const Reply& reply) {
  { Op::to_response(reply) } -> std::same_as<WireResponse>;
  { Op::to_feed() } -> std::same_as<EventFeed>;
};

/// Words an engine's result in the request's protocol.
template <class Op, class Wires, class AnyResult>
WireResponse tell(const Reply& reply, typename Op::Kept& kept, AnyResult&& result) {
  if (const Error* error = std::get_if<Error>(&result)) return respond_fault(reply, *error);
  auto told = Op::to_output(std::forward<AnyResult>(result), kept);
  if (const Error* error = std::get_if<Error>(&told)) return respond_fault(reply, *error);
  if constexpr (StreamsEvents<Op>) {
    return Op::to_response(reply);
  } else {
    const auto& output = std::get<typename Op::Output>(told);
    WireResponse response = respond_with<Wires>(reply, Op::name, output);
    if constexpr (requires { Op::status; }) response.status = Op::status;
    if constexpr (requires { Op::to_status(output); }) response.status = Op::to_status(output);
    if constexpr (is_outside_body<typename Op::Output>()) write_outside_body(output, response);
    return response;
  }
}

/// REQUIRES: it is no error.
template <class Op, class Call>
Prepared prepare_call(const Call& call, Asked&& asked, typename Op::Kept&& kept) {
  PreparedCall prepared;
  prepared.operation = Op::name;
  if (auto* question = std::get_if<Question>(&asked)) {
    prepared.before = std::move(question->before);
    prepared.command = std::move(question->command);
    prepared.stream_id = question->stream_id;
  } else {
    prepared.command = std::get<Command>(std::move(asked));
  }
  prepared.respond = [reply = call.reply, kept = std::move(kept)](Result&& result) mutable {
    return tell<Op, typename Call::Wires>(reply, kept, std::move(result));
  };
  if constexpr (StreamsEvents<Op>) prepared.feed = Op::to_feed();
  return prepared;
}

/// `ReadsInput::read(call, input)` reads and checks an input as the service does.
template <class Op, class Call, class ReadsInput>
Prepared prepare_as(const Call& call) {
  typename Op::Input input;
  if (const Refusal refusal = ReadsInput::read(call, input)) return respond_fault(call.reply, *refusal);
  typename Op::Kept kept;
  auto asked = Op::to_command(input, call.caller, kept);
  if (const Error* error = std::get_if<Error>(&asked)) return respond_fault(call.reply, *error);
  if constexpr (std::is_same_v<decltype(asked), AskedTriggers>) {
    PreparedTriggerCall prepared{Op::name, std::get<TriggerCommand>(std::move(asked)), {}};
    prepared.respond = [reply = call.reply, kept = std::move(kept)](TriggerResult&& result) mutable {
      return tell<Op, typename Call::Wires>(reply, kept, std::move(result));
    };
    return prepared;
  } else if constexpr (std::is_same_v<decltype(asked), AskedServer>) {
    PreparedServerCall prepared{Op::name, std::get<std::shared_ptr<const ServerCommand>>(std::move(asked)), {}};
    prepared.respond = [reply = call.reply, kept = std::move(kept)](ServerResult&& result) mutable {
      return tell<Op, typename Call::Wires>(reply, kept, std::move(result));
    };
    return prepared;
  } else {
    return prepare_call<Op>(call, std::move(asked), std::move(kept));
  }
}

template <class Op, class Call, class ReadsInput>
constexpr OperationOf<Call> operation_of() {
  return {{Op::name, &describe<typename Op::Input>(), &describe<typename Op::Output>(), Op::errors},
          &prepare_as<Op, Call, ReadsInput>};
}

/// The row of that name, or nullptr. REQUIRES: sorted by name.
template <class Operation>
const Operation* find_by_name(std::span<const Operation> table, std::string_view name) {
  const auto found = std::ranges::lower_bound(table, name, {}, &Operation::name);
  return found != table.end() && found->name == name ? &*found : nullptr;
}

}  // namespace penstock::protocol
