#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"

namespace penstock::cli {

namespace wire = client::wire;

namespace {

struct Lags {
  std::optional<std::vector<wire::LagOutput>> consumers;

  static constexpr auto shape() { return protocol::Shape("Lags", protocol::optional("Consumers", &Lags::consumers)); }
};

Table table_of(const std::vector<wire::LagOutput>& lags) {
  Table table({"CONSUMER", "SHARD", "STATE", "OWNER", "EPOCH", "BEHIND", "LAG", "LOST", "POSITION"});
  for (const wire::LagOutput& lag : lags) {
    for (const wire::ShardLag& shard : *lag.shards) {
      table.add({lag.consumer_name.value_or(""), shard.shard_id.value_or(""), shard.state.value_or(""),
                 or_dash(shard.owner), number_text(shard.epoch), number_text(shard.records_behind),
                 duration_text(shard.millis_behind.value_or(0)), number_text(shard.lost_records),
                 place_text(shard.sequence_number, shard.sub_sequence_number)});
    }
  }
  return table;
}

std::vector<wire::LagOutput> all_lags(Server& server) {
  std::vector<wire::LagOutput> lags;
  for (const std::string& name : server.consumers()) {
    try {
      lags.push_back(server.lag(name));
    } catch (const client::Error& error) {
      // It was deleted meanwhile.
      if (error.code() != "ConsumerNotFound") throw;
    }
  }
  return lags;
}

}  // namespace

void describe_lag(cxxopts::Options& flags) {
  flags.add_options()("consumer", "only this consumer (default: all of the stream)", cxxopts::value<std::string>(),
                      "CONSUMER");
}

int run_lag(const Arguments& arguments) {
  Server server(arguments);
  const std::string consumer = arguments.text("consumer");
  if (!arguments.has("consumer")) {
    std::vector<wire::LagOutput> lags = all_lags(server);
    if (arguments.json) {
      print_json(Lags{std::move(lags)});
    } else {
      table_of(lags).print();
    }
    return success_status;
  }
  wire::LagOutput lag = server.lag(consumer);
  if (arguments.json) {
    print_json(lag);
  } else {
    table_of({std::move(lag)}).print();
  }
  return success_status;
}

}  // namespace penstock::cli
