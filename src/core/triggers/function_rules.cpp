#include "core/triggers/function_rules.hpp"

#include <algorithm>
#include <string>

namespace penstock::core {

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
