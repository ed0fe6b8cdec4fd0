#include "core/triggers/function_rules.hpp"

#include <algorithm>
#include <string>

#include "core/triggers/trigger_errors.hpp"

namespace penstock::core {

namespace {

// Of all concurrency, this part is never reserved: as the service has it of its default, 100 of 1,000.
constexpr int unreserved_divisor = 10;

}  // namespace

std::optional<Error> objection_to_reservation(int wanted, int before, const Reservable& reservable) {
  if (wanted <= before) return std::nullopt;
  const int least = std::max(1, reservable.all / unreserved_divisor);
  if (reservable.unreserved + before - wanted >= least) return std::nullopt;
  return too_little_unreserved(least);
}

std::optional<Error> objection_to(const FunctionRecord& function) {
  // What a handler is loaded by is this machine's own, and a command or a directory is what lies on it.
  const bool is_bootstrap_of_zip =
      function.kind == FunctionKind::runtime && function.command.empty() && function.directory.empty();
  if (!is_bootstrap_of_zip) return std::nullopt;
  const auto other = std::ranges::find_if(function.architectures,
                                          [](const std::string& each) { return each != machine_architecture; });
  if (other == function.architectures.end()) return std::nullopt;
  return Error{ErrorCode::LambdaInvalidParameterValue,
               "Architectures " + *other + " is not supported here: this machine is " + machine_architecture +
                   ", and a bootstrap is a program for its own architecture."};
}

}  // namespace penstock::core
