#include <string>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "protocol/native/server_operations.hpp"
#include "protocol/percent.hpp"

namespace penstock::cli {

int run_why(const Arguments& arguments) {
  namespace native = protocol::native;
  Server server(arguments);
  const std::string target = "/_penstock/messages/" + protocol::percent_encode(arguments.word(0));
  const auto trace = client::from_json<native::TraceMessageOutput>(server.lambda({"GET", target, {}}));
  if (arguments.json) {
    print_json(trace);
    return success_status;
  }
  Table table({"TIME", "WHERE", "WHAT", "HIDDEN UNTIL", "DETAIL"});
  for (const native::TraceStep& step : *trace.steps) {
    table.add({step.at.value_or(""), step.where.value_or(""), step.what.value_or(""), or_dash(step.until),
               or_dash(step.detail)});
  }
  table.print();
  return success_status;
}

}  // namespace penstock::cli
