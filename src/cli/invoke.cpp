#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/function_shapes.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "client/api.hpp"
#include "protocol/base64.hpp"

namespace penstock::cli {

namespace {

// Longer than any function may run.
constexpr std::chrono::seconds invoke_time_max{930};

// What the service takes.
constexpr std::size_t payload_bytes_max = 6U << 20U;

/// Throws std::runtime_error.
std::string read_file(const std::string& name) {
  const int fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("cannot read " + name);
  try {
    std::string text = read_all(fd, payload_bytes_max, name);
    ::close(fd);
    return text;
  } catch (...) {
    ::close(fd);
    throw;
  }
}

/// As it stands, or what a file (@FILE) or standard input (-) has.
std::string payload_of(const Arguments& arguments) {
  if (!arguments.has("payload")) return "{}";
  std::string given = arguments.text("payload");
  if (given == "-") return read_all(STDIN_FILENO, payload_bytes_max, "standard input");
  return given.starts_with('@') ? read_file(given.substr(1)) : given;
}

std::string header_of(const client::Answer& answer, std::string_view name) {
  const auto found = std::find_if(answer.headers.begin(), answer.headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == answer.headers.end() ? std::string() : found->second;
}

}  // namespace

void describe_invoke(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("payload", "the event, in JSON: as it stands, @FILE or - for standard input (default: {})", text(), "JSON")
      ("event", "do not wait: the server sees to it, tries again if it fails, and tells its destinations",
       cxxopts::value<bool>())
      ("log", "print the end of the invocation's log, on standard error", cxxopts::value<bool>());
  // clang-format on
}

int run_invoke(const Arguments& arguments) {
  client::Request request{"POST", "/2015-03-31/functions/" + client::percent_encode(arguments.word(0)) + "/invocations",
                          payload_of(arguments)};
  request.headers.emplace_back("X-Amz-Invocation-Type", arguments.has("event") ? "Event" : "RequestResponse");
  const bool wants_log = arguments.has("log") && !arguments.has("event");
  if (wants_log) request.headers.emplace_back("X-Amz-Log-Type", "Tail");
  const client::Answer answer = Server(arguments).lambda(std::move(request), {.answer_max = invoke_time_max});
  const std::string error = header_of(answer, "x-amz-function-error");
  const std::string log = protocol::base64_decode(header_of(answer, "x-amz-log-result")).value_or("");
  if (arguments.json) {
    wire::Invoked invoked;
    invoked.status = answer.status;
    if (!error.empty()) invoked.error = error;
    invoked.payload = answer.body;
    if (wants_log) invoked.log = log;
    print_json(invoked);
  } else {
    if (!log.empty()) std::fprintf(stderr, "%s%s", log.c_str(), log.ends_with('\n') ? "" : "\n");
    Output output;
    if (!answer.body.empty()) output.line(answer.body);
    output.flush();
  }
  if (error.empty()) return success_status;
  complain("the function failed: " + error);
  return failure_status;
}

}  // namespace penstock::cli
