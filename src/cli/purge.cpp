#include <string>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/queue_shapes.hpp"
#include "cli/server.hpp"
#include "protocol/sqs/queue_operations.hpp"

namespace penstock::cli {

int run_purge(const Arguments& arguments) {
  Server server(arguments);
  const std::string url = server.queue_url(arguments.word(0));
  server.sqs<protocol::sqs::PurgeQueueOperation>({url}, until_answered);
  if (arguments.json) print_json(wire::Purged{url});
  return success_status;
}

}  // namespace penstock::cli
