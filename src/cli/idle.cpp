#include <chrono>
#include <string>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "penstock/server_commands.hpp"
#include "protocol/native/server_operations.hpp"
#include "protocol/percent.hpp"

namespace penstock::cli {

void describe_idle(cxxopts::Options& flags) {
  flags.add_options()("wait", "how long to wait for it, such as 30s (default: not at all)",
                      cxxopts::value<std::string>(), "DURATION");
}

int run_idle(const Arguments& arguments) {
  namespace native = protocol::native;
  using Operation = native::AwaitIdleOperation;
  const auto wait = read_duration(arguments, "wait", server_limits::settle_time_max);
  Server server(arguments);
  std::string target(Operation::path);
  if (wait) target += "?wait=" + protocol::percent_encode(*wait);
  const Patience patience{.answer_max = server_limits::settle_time_max + std::chrono::seconds{30}};
  const auto idleness =
      client::from_json<Operation::Output>(server.lambda({std::string(Operation::method), target, {}}, patience));
  const bool idle = idleness.idle.value_or(false);
  if (arguments.json) {
    print_json(idleness);
  } else if (!idle) {
    Table table({"KIND", "NAME", "WHAT"});
    for (const native::BusyPart& part : *idleness.busy) {
      table.add({part.kind.value_or(""), part.name.value_or(""), part.what.value_or("")});
    }
    table.print();
  }
  return idle ? success_status : empty_status;
}

}  // namespace penstock::cli
