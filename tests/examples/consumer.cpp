// A complete consumer of a stream: it prints every record, at least once, and goes on where it stopped, whatever ended,
// the server or itself.
//
//   consumer STREAM CONSUMER [MEMBER]
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "penstock/client.hpp"

namespace client = penstock::client;

static client::Consumer* running = nullptr;

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "Usage: consumer STREAM CONSUMER [MEMBER]\n";
    return 2;
  }
  client::Options options;
  options.stream = argv[1];
  options.consumer = argv[2];
  // A process that is killed and comes back with its name goes on at once.
  if (argc > 3) options.member = argv[3];
  if (const char* endpoint = std::getenv("PENSTOCK_ENDPOINT")) options.endpoint = endpoint;
  options.max_records = 100;
  options.on_retry = [](const std::string& why, auto) { std::cerr << why << "; trying again\n"; };
  options.on_lost = [](const client::LostLease& lost) { std::cerr << lost.shard_id << " is another's now\n"; };

  try {
    client::Consumer consumer(options);
    running = &consumer;
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { running->stop(); });
    consumer.run([](const client::Batch& batch) {
      for (const client::Record& record : batch.records) std::cout << record.data << '\n';
      // It counts as done when this has returned.
      std::cout.flush();
    });
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
