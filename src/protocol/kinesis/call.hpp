// What the declarations of Kinesis operations have in common.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/errors.hpp"
#include "protocol/caller.hpp"
#include "protocol/kinesis/addressing.hpp"
#include "protocol/operation.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::kinesis {

/// That the stream of that id is called `name`, as a request says that has both.
Precondition is_called(StreamId id, const StreamName& name);

/// Asks a command of the stream that was found to be meant, by what it is called or by its id. An error stands for
/// itself.
template <class C>
Asked ask(std::variant<Error, Address>&& found, C command) {
  if (Error* error = std::get_if<Error>(&found)) return std::move(*error);
  auto& address = std::get<Address>(found);
  command.stream = std::move(address.stream);
  std::vector<Precondition> before;
  if (address.id && !command.stream.name.empty()) before.push_back(is_called(*address.id, command.stream));
  const bool only_id = address.id && command.stream.name.empty();
  Question question(std::move(before), StreamCommand(std::move(command)));
  if (only_id) question.stream_id = address.id;
  return question;
}

/// Asks a command about a stream or one of its consumers, whichever the input's ResourceARN names.
template <class C, class Input>
Asked ask_of_resource(const Input& input, C command) {
  auto found = resource_address_of(*input.resource_arn, input.stream_id);
  if (Error* error = std::get_if<Error>(&found)) return std::move(*error);
  auto& address = std::get<ResourceAddress>(found);
  command.consumer = std::move(address.consumer);
  return ask(std::move(address.stream), std::move(command));
}

/// Asks a command that has the id of its stream, as a token gave it. Where the token was issued to a request that had
/// only an id, the name is empty, and has to be looked up again.
template <class C>
Asked ask_by_id(const StreamName& stream, StreamId id, C command) {
  const bool only_id = stream.name.empty();
  command.stream = stream;
  Question question({}, StreamCommand(std::move(command)));
  if (only_id) question.stream_id = id;
  return question;
}

/// That the stream for which a token was issued is also the one that its request names, if it names one. Where the
/// token was issued to a request that had only an id, the stream is called as the request says; whether that has the id
/// is for the engine to see.
std::optional<Error> check_agrees(StreamName& stream, StreamId id, const std::optional<std::string>& stream_arn,
                                  const std::optional<std::string>& stream_id, const Caller& caller);

/// The caller's account in its region, as a stream without a name.
StreamName account_of(const Caller& caller);

inline Error invalid_argument(std::string message) { return {ErrorCode::KinesisInvalidArgument, std::move(message)}; }

}  // namespace penstock::protocol::kinesis
