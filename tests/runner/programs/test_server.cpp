// A process that has a pool, and is killed by the tests. Its arguments are the keeper's and a runtime's executable. It
// prints the pids of two function processes, one idle and one busy, and of an orphan of the former; then it waits.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "runner/pool.hpp"

namespace {

using namespace penstock;

void invoke(boost::asio::io_context& io, runner::Pool& pool, const std::shared_ptr<const FunctionRecord>& function,
            const std::string& event, bool wait) {
  bool ended = false;
  pool.run({.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            .function = function,
            .invoked_arn = arn_of(function->name),
            .payload = std::make_shared<const std::string>(event)},
           [&](const RunOutcome& outcome) {
             std::printf("%s\n", outcome.payload.c_str());
             ended = true;
           });
  while (wait && !ended) io.run_one();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  boost::asio::io_context io(1);
  runner::PoolOptions options;
  options.directory = "/nowhere";
  options.keeper_executable = argv[1];
  runner::Pool pool(io, options, [](const FunctionRecord&) { return runner::CodePlace{"/"}; });
  auto function = std::make_shared<FunctionRecord>();
  function->name = {"000000000000", "us-east-1", "f"};
  function->command = {argv[2]};
  function->timeout_seconds = 900;
  invoke(io, pool, function, "\"pid\"", true);
  invoke(io, pool, function, "\"orphan\"", true);
  auto other = std::make_shared<FunctionRecord>(*function);
  other->name.name = "g";
  invoke(io, pool, other, "\"pid\"", true);
  invoke(io, pool, other, "\"sleep 600000\"", false);
  std::printf("ready\n");
  std::fflush(stdout);
  io.run();
}
