// What the declarations of Lambda's operations have in common. Such an operation has, besides what operation.hpp asks
// for:
//
//     static constexpr std::string_view method;   of HTTP
//     static constexpr std::string_view path;     with members of the input in braces
//     static constexpr int status;                of its answer
//
// Its input's members say by their Place where in the request they stand.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/errors.hpp"
#include "penstock/trigger_commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/lambda/constraints.hpp"
#include "protocol/lambda/names.hpp"
#include "protocol/operation.hpp"
#include "protocol/path.hpp"
#include "protocol/query.hpp"
#include "protocol/reply.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

/// An operation's request before its input was read. Views into the request.
struct Call {
  using Wires = LambdaWires;
  std::span<const PathValue> path;
  const Form& query;
  const WireRequest& request;
  Caller caller;
  Reply reply;
};

/// The modelled errors of an operation: its own and those that nearly all have.
template <class... Codes>
constexpr auto errors_of(Codes... codes) {
  return std::array{codes..., ErrorCode::LambdaServiceException, ErrorCode::LambdaTooManyRequests};
}

inline constexpr int status_ok = 200;
inline constexpr int status_created = 201;
inline constexpr int status_accepted = 202;
inline constexpr int status_no_content = 204;

inline Error invalid_parameter(std::string message) {
  return {ErrorCode::LambdaInvalidParameterValue, std::move(message)};
}

/// Why a member is refused that says something.
inline Refusal refuse(const std::optional<Anything>& member, std::string_view name, std::string_view why) {
  if (!member || !member->given) return std::nullopt;
  return invalid_parameter(std::string(name).append(" is not supported here: ").append(why));
}

/// What is asked about a function, by a request that has a FunctionName and perhaps a Qualifier.
template <class C, class Input>
AskedTriggers ask_about(const Input& input, const Caller& caller, C command = {}) {
  std::optional<std::string> qualifier;
  if constexpr (requires { input.qualifier; }) qualifier = input.qualifier;
  auto named = function_of(*input.function_name, qualifier, caller);
  if (Error* error = std::get_if<Error>(&named)) return std::move(*error);
  command.function = std::get<FunctionReference>(std::move(named)).function;
  return TriggerCommand(std::move(command));
}

/// The name that a Marker goes on behind, and the other way round.
std::variant<std::string, Error> read_marker(const std::optional<std::string>& marker);
std::string marker_after(std::string_view name);

}  // namespace penstock::protocol::lambda
