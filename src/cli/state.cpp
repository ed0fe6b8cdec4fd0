#include <string>
#include <utility>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/data.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "protocol/native/state_operations.hpp"

namespace penstock::cli {

namespace native = protocol::native;

namespace {

int reset(const Arguments& arguments) {
  Server server(arguments);
  native::ResetServerInput input;
  if (arguments.has("service")) input.service = arguments.text("service");
  if (arguments.has("setup")) input.setup = true;
  client::Request request{"POST", std::string(native::ResetServerOperation::path), client::to_json(input)};
  // It is answered when all is gone, within its own time.
  request.timeout = server_limits::settle_time_max;
  const auto reset = client::from_json<native::ResetServerOutput>(server.lambda(std::move(request)));
  if (arguments.json) {
    print_json(reset);
    return success_status;
  }
  Table table({"QUEUES", "STREAMS", "FUNCTIONS", "MAPPINGS"});
  table.add({number_text(reset.queues), number_text(reset.streams), number_text(reset.functions),
             number_text(reset.mappings)});
  table.print();
  return success_status;
}

}  // namespace

void describe_state(cxxopts::Options& flags) {
  // clang-format off
  flags.add_options()
      ("service", "reset: only what is of sqs, kinesis or lambda", cxxopts::value<std::string>(), "SERVICE")
      ("setup", "reset: make again what the server's file says", cxxopts::value<bool>());
  // clang-format on
}

int run_state(const Arguments& arguments) {
  const std::string& what = arguments.word(0);
  if (what == "reset") return reset(arguments);
  throw UsageError("reset, not '" + what + "'");
}

}  // namespace penstock::cli
