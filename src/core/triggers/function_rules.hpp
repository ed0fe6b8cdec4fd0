// What goes together in a function's record, whatever others there are.
#pragma once

#include <optional>

#include "penstock/errors.hpp"
#include "penstock/functions.hpp"

namespace penstock::core {

/// Why this machine cannot run it. Error: LambdaInvalidParameterValue, of a bootstrap in a zip that was made for
/// another architecture.
std::optional<Error> objection_to(const FunctionRecord& function);

}  // namespace penstock::core
