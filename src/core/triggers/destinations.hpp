// Where the outcome of invocations may be sent to.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "penstock/functions.hpp"
#include "penstock/ids.hpp"

namespace penstock::core {

/// The queue or function that an ARN names, a function's with or without a qualifier; nothing for any other ARN.
std::optional<std::variant<QueueName, FunctionName>> parse_destination(std::string_view arn);

}  // namespace penstock::core
