// How invocations end that the function itself has no answer to, in the service's words.
#pragma once

#include <string>
#include <string_view>

#include "penstock/runner.hpp"

namespace penstock::runner {

/// Of a function's answer, and of its account of an error.
inline constexpr std::size_t answer_bytes_max = 6'291'556;

/// `{"errorType":…,"errorMessage":…}`, which an answer with FunctionError Unhandled carries. Both stand in the message,
/// each on a line of its own, as in a log.
RunOutcome unhandled(std::string_view type, std::string_view message);

RunOutcome timed_out(const std::string& request_id, double seconds);
RunOutcome response_too_large();
/// `how` says what became of the process: see exit_text.
RunOutcome exited(const std::string& request_id, std::string_view how);
RunOutcome no_bootstrap(const std::string& request_id, const std::string& path);
RunOutcome not_executable(const std::string& request_id, const std::string& path, int error);
/// It could not be run at all.
RunOutcome failed(std::string message);
/// Nobody was there to run it, which is no fault of the function or of what it was to be run with.
RunOutcome unreached(std::string message);
RunOutcome shutting_down();
/// Nobody looks after the process any more.
RunOutcome process_lost();

/// What the service says of a process that ended with this status of wait().
std::string exit_text(int status);
/// Of one that was killed because of what it used.
inline constexpr std::string_view killed_text = "Runtime exited with error: signal: killed";

}  // namespace penstock::runner
