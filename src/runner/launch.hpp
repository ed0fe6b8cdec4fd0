// What is started for a function: the executable, its arguments, and its environment.
#pragma once

#include <optional>
#include <string>

#include "penstock/functions.hpp"
#include "penstock/runner.hpp"
#include "runner/spawn_request.hpp"

namespace penstock::runner {

/// Why a function's handler cannot be run here, for a person; nothing if it can, or if it needs no interpreter.
std::optional<std::string> missing_interpreter(const FunctionRecord& function);

/// What runs a function's handler in place of what its runtime asks for, for a person; nothing if it is that, or if
/// only the interpreter itself knows its version, which then writes it to the function's log.
std::optional<std::string> substitute_interpreter(const FunctionRecord& function);

/// What a function finds around it.
struct Surroundings {
  std::string code_directory;       ///< empty if it has no code of its own
  std::string bootstrap_directory;  ///< where the built-in bootstraps lie
  std::string runtime_api;          ///< host:port; empty if it speaks no Runtime API
  std::string endpoint_url;         ///< of this server
  std::string secret_access_key;    ///< with which the function signs what it asks of that
  std::string log_stream;
};

/// Or how an invocation ends because there is nothing to start.
struct Launch {
  SpawnRequest request;
  std::optional<RunOutcome> refused;
};

Launch launch_of(const FunctionRecord& function, const Surroundings& surroundings, const std::string& request_id);

/// Writes the built-in bootstraps into the directory, which is made. Throws std::system_error.
void write_bootstraps(const std::string& directory);

}  // namespace penstock::runner
