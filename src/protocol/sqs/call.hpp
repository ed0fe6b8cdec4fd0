// What the declarations of SQS operations have in common.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/errors.hpp"
#include "protocol/caller.hpp"
#include "protocol/shape.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::sqs {

/// A command that is asked only after something else was seen to hold.
struct Question {
  Question(std::vector<Precondition> preconditions, Command asked)
      : before(std::move(preconditions)), command(std::move(asked)) {}
  std::vector<Precondition> before;  ///< in the order in which they are asked
  Command command;
};

/// What to ask the engine, or what is wrong.
using Asked = std::variant<Command, Question, Error>;

/// What to tell the client.
template <class Output>
using Told = std::variant<Output, Error>;

/// The default of what an operation keeps between the question and the answer.
struct KeepsNothing {};

/// Answers an error whose result is not one that the command can have.
inline Error unexpected_result() { return {ErrorCode::InternalFailure, {}}; }

/// The answer of an operation without output.
inline Told<Nothing> nothing_if_done(const Result& result) {
  if (!std::holds_alternative<Done>(result)) return unexpected_result();
  return Nothing{};
}

/// Wraps a command about the queue that `queue_url` names: make(QueueName) builds it, or an Asked.
template <class Make>
Asked ask_about_queue(const std::string& queue_url, const Caller& caller, Make&& make) {
  auto queue = queue_of(queue_url, caller);
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  return make(std::get<QueueName>(std::move(queue)));
}

/// The modelled errors of an operation: its own and those of every operation of the service.
template <class... Codes>
constexpr auto errors_of(Codes... codes) {
  return std::array{codes..., ErrorCode::RequestThrottled, ErrorCode::InvalidAddress, ErrorCode::InvalidSecurity,
                    ErrorCode::UnsupportedOperation};
}

}  // namespace penstock::protocol::sqs
