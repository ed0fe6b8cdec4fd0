// What goes together in a function's record, whatever others there are, and what all functions together may reserve.
#pragma once

#include <optional>

#include "penstock/errors.hpp"
#include "penstock/functions.hpp"

namespace penstock::core {

/// Why this machine cannot run it. Error: LambdaInvalidParameterValue, of a bootstrap in a zip that was made for
/// another architecture.
std::optional<Error> objection_to(const FunctionRecord& function);

/// Of the invocations at a time of all functions.
struct Reservable {
  int all = 0;
  int unreserved = 0;  ///< which no function has for itself
};

/// Whether a function may have `wanted` of them for itself, which has `before` now. Error: LambdaInvalidParameterValue.
std::optional<Error> objection_to_reservation(int wanted, int before, const Reservable& reservable);

}  // namespace penstock::core
