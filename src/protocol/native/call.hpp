// What the declarations of Penstock's own operations have in common. Such an operation has, besides what operation.hpp
// asks for:
//
//     static constexpr std::string_view method;   of HTTP
//     static constexpr std::string_view path;     with members of the input in braces
//     static constexpr std::string_view summary;  one sentence, for the API's document
//     static constexpr std::array statuses;       that its answer may have
//
// Its input's members say by their Place whether they stand in the path, in the query or in the body, which is JSON.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/commands.hpp"
#include "penstock/errors.hpp"
#include "penstock/limits.hpp"
#include "protocol/caller.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/operation.hpp"
#include "protocol/path.hpp"
#include "protocol/query.hpp"
#include "protocol/reply.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

/// An operation's request before its input was read. Views into the request.
struct Call {
  using Wires = PenstockWires;
  std::span<const PathValue> path;
  const Form& query;
  std::string_view body;
  Caller caller;
  Reply reply;
};

/// The modelled errors of an operation: its own and those of every operation.
template <class... Codes>
constexpr auto errors_of(Codes... codes) {
  return std::array{codes...,
                    ErrorCode::KinesisResourceNotFound,
                    ErrorCode::InvalidRequest,
                    ErrorCode::RequestTooLarge,
                    ErrorCode::ServiceUnavailable,
                    ErrorCode::InternalFailure};
}

inline constexpr int status_ok = 200;
inline constexpr int status_created = 201;
inline constexpr int status_no_content = 204;

// ---- What the inputs share.

/// The input of an operation about a stream's consumers.
struct OfStream {
  std::optional<std::string> stream;
  std::optional<std::string> region;
  std::optional<std::string> account;
};
/// About one of them.
struct OfConsumer : OfStream {
  std::optional<std::string> consumer;
};

template <class... Members>
constexpr auto stream_shape(std::string_view name, Members... members) {
  return Shape(name, required("Stream", &OfStream::stream, in_path("The stream's name.", rules::name)), members...,
               optional("Region", &OfStream::region,
                        in_query("The stream's region, if it is not that of the credentials.", rules::region)),
               optional("Account", &OfStream::account,
                        in_query("The stream's account, if it is not that of the credentials.", rules::account)));
}
template <class... Members>
constexpr auto consumer_shape(std::string_view name, Members... members) {
  return stream_shape(name, required("Consumer", &OfConsumer::consumer, in_path("The consumer's name.", rules::name)),
                      members...);
}

/// A stream of that name where the request is about one: in the caller's account and region, unless its query says
/// others.
inline StreamName stream_beside(const OfStream& input, const Caller& caller, std::string name) {
  return {input.account.value_or(std::string(caller.account)), input.region.value_or(std::string(caller.region)),
          std::move(name)};
}

/// A command with the stream and, if it has one, the consumer of its request.
template <class C, class Input>
C command_about(const Input& input, const Caller& caller) {
  C command;
  command.stream = stream_beside(input, caller, *input.stream);
  if constexpr (requires { input.consumer; }) command.group = *input.consumer;
  return command;
}

template <class C>
Asked ask(C command) {
  return Command(StreamCommand(std::move(command)));
}

inline std::size_t page_of(const std::optional<std::int32_t>& limit) {
  return limit ? static_cast<std::size_t>(*limit) : group_limits::list_max;
}

inline Error invalid_request(std::string message) { return {ErrorCode::InvalidRequest, std::move(message)}; }

}  // namespace penstock::protocol::native
