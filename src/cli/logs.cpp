#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/function_shapes.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "client/api.hpp"
#include "protocol/times.hpp"

namespace penstock::cli {

namespace {

// How long the server is asked to wait for lines, and how many it is asked for at a time.
constexpr int wait_seconds = 20;
constexpr int page_lines = 1'000;

// While so many wait that the server takes no more.
constexpr int too_many_status = 429;
constexpr std::chrono::seconds busy_time{1};

client::Request page_after(const std::string& name, std::int64_t after, bool waits) {
  std::string target = "/_penstock/functions/" + client::percent_encode(name) + "/logs?After=" + std::to_string(after);
  target.append("&Limit=").append(std::to_string(page_lines));
  if (waits) target.append("&WaitSeconds=").append(std::to_string(wait_seconds));
  return {"GET", std::move(target), {}};
}

wire::Log read_page(Server& server, const std::string& name, std::int64_t after, bool waits) {
  for (;;) {
    try {
      return client::from_json<wire::Log>(server.lambda(page_after(name, after, waits)));
    } catch (const client::Error& error) {
      if (error.status() != too_many_status) throw;
      wait_for(busy_time);
    }
  }
}

void print_line(Output& output, const wire::LogLine& line, bool json) {
  output.line(json ? client::to_json(line) : line.text.value_or(""));
}

}  // namespace

void describe_logs(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("f,follow", "go on with what is written from now on", cxxopts::value<bool>())
      ("since", "only what was written at this time or later, in seconds since 1970 or like 2030-01-31T12:00:00Z", text(),
       "TIME")
      ("limit", "end after so many lines", text(), "N");
  // clang-format on
}

int run_logs(const Arguments& arguments) {
  std::optional<client::Moment> since;
  if (arguments.has("since")) {
    since = protocol::parse_time(arguments.text("since"));
    if (!since) throw UsageError("--since is a time, not '" + arguments.text("since") + "'");
  }
  const auto limit = read_count(arguments, "limit");
  const bool follows = arguments.has("follow");
  Server server(arguments);
  Output output;
  std::int64_t after = 0;
  std::size_t printed = 0;
  while (true) {
    const wire::Log log = read_page(server, arguments.word(0), after, follows);
    if (log.dropped.value_or(0) > 0) {
      remark(std::to_string(*log.dropped) + " lines are no longer kept");
    }
    const bool none = !log.lines || log.lines->empty();
    if (none && !follows) return printed == 0 ? empty_status : success_status;
    if (none) continue;
    for (const wire::LogLine& line : *log.lines) {
      after = line.number.value_or(after);
      if (since && line.at && line.at->ms < since->time_since_epoch().count()) continue;
      print_line(output, line, arguments.json);
      ++printed;
      if (limit && printed == *limit) {
        output.flush();
        return success_status;
      }
    }
    output.flush();
  }
}

}  // namespace penstock::cli
