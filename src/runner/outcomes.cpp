#include "runner/outcomes.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "runner/text.hpp"

namespace penstock::runner {

namespace {

std::string of_request(const std::string& request_id, std::string_view message) {
  return std::string("RequestId: ").append(request_id).append(" Error: ").append(message);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

RunOutcome unhandled(std::string_view type, std::string_view message) {
  RunOutcome outcome;
  outcome.function_error = "Unhandled";
  outcome.payload.append("{\"errorType\":").append(json_string(type));
  outcome.payload.append(",\"errorMessage\":").append(json_string(message)).append("}");
  outcome.message.append(message).append("\n").append(type);
  return outcome;
}

RunOutcome timed_out(const std::string& request_id, double seconds) {
  return unhandled("Sandbox.Timedout",
                   of_request(request_id, "Task timed out after " + two_decimals(seconds) + " seconds"));
}

RunOutcome response_too_large() {
  return unhandled("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (" +
                                                        std::to_string(answer_bytes_max) + " bytes).");
}

RunOutcome exited(const std::string& request_id, std::string_view how) {
  return unhandled("Runtime.ExitError", of_request(request_id, how));
}

RunOutcome no_bootstrap(const std::string& request_id, const std::string& path) {
  return unhandled("Runtime.InvalidEntrypoint",
                   of_request(request_id, "Couldn't find valid bootstrap(s): [" + path + "]"));
}

RunOutcome not_executable(const std::string& request_id, const std::string& path, int error) {
  const char* description = ::strerrordesc_np(error);
  const std::string why = lower_case(description == nullptr ? "unknown error" : description);
  return unhandled("Runtime.InvalidEntrypoint", of_request(request_id, "fork/exec " + path + ": " + why));
}

RunOutcome failed(std::string message) {
  RunOutcome outcome;
  outcome.status = RunOutcome::Status::failed;
  outcome.message = std::move(message);
  return outcome;
}

RunOutcome unreached(std::string message) {
  RunOutcome outcome;
  outcome.status = RunOutcome::Status::unreached;
  outcome.message = std::move(message);
  return outcome;
}

RunOutcome shutting_down() {
  return unreached("The function was deleted by a reset, or the server is being shut down.");
}

RunOutcome process_lost() {
  return unreached("The function's process was ended, since the one that looks after it has gone.");
}

std::string exit_text(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "Runtime exited without providing a reason";
  std::string text = "Runtime exited with error: ";
  if (WIFEXITED(status)) return text + "exit status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const char* description = ::sigdescr_np(signal);
  text += "signal: ";
  text += description == nullptr ? std::to_string(signal) : lower_case(description);
  if (WCOREDUMP(status)) text += " (core dumped)";
  return text;
}

}  // namespace penstock::runner
