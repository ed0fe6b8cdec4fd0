// Where the outcome of invocations may be sent to.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "penstock/commands.hpp"
#include "penstock/functions.hpp"
#include "penstock/ids.hpp"

namespace penstock::core {

/// The queue or function that an ARN names, a function's with or without a qualifier; nothing for any other ARN.
std::optional<std::variant<QueueName, FunctionName>> parse_destination(std::string_view arn);

/// How a queue took the only message of an account.
enum class Taken : std::uint8_t {
  accepted,
  refused,  ///< that queue will not have that message, now or later
  not_now,  ///< it may later
};

/// Of what the queue answered; nothing if the shell could not ask it.
Taken taken(const std::optional<Result>& result);

/// The error of the message or of all of the question; null if there is none.
const Error* refusal_in(const std::optional<Result>& result);

}  // namespace penstock::core
