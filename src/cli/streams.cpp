#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/names.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/stream_shapes.hpp"
#include "protocol/kinesis/describe_operations.hpp"

namespace penstock::cli {

namespace kinesis = protocol::kinesis;

namespace {

wire::Stream look_at(Server& server, const std::string& name) {
  kinesis::DescribeStreamSummaryInput input;
  input.stream_name = name;
  auto found = server.kinesis<kinesis::DescribeStreamSummaryOperation, wire::StreamDescription>(input);
  wire::Stream stream = std::move(found.stream).value_or(wire::Stream{});
  stream.positioned_consumers = static_cast<std::int64_t>(server.consumers_of(name).size());
  return stream;
}

std::vector<kinesis::Shard> shards_of(Server& server, const std::string& name) {
  std::vector<kinesis::Shard> shards;
  kinesis::ListShardsInput input;
  input.stream_name = name;
  do {
    auto page = server.kinesis<kinesis::ListShardsOperation>(input);
    if (page.shards) std::move(page.shards->begin(), page.shards->end(), std::back_inserter(shards));
    // A token says of which stream it is.
    input.stream_name.reset();
    input.next_token = page.next_token;
  } while (input.next_token);
  return shards;
}

Table table_of(const std::vector<wire::Stream>& streams) {
  Table table({"STREAM", "STATUS", "MODE", "SHARDS", "RETENTION", "CONSUMERS", "FAN-OUT"});
  for (const wire::Stream& stream : streams) {
    constexpr std::int64_t hour = 3'600'000;
    table.add({or_dash(stream.name), or_dash(stream.status), stream.mode ? or_dash(stream.mode->stream_mode) : "-",
               std::to_string(stream.open_shards.value_or(0)), duration_text(stream.retention_hours.value_or(0) * hour),
               number_text(stream.positioned_consumers), std::to_string(stream.registered_consumers.value_or(0))});
  }
  return table;
}

Table table_of(const std::vector<kinesis::Shard>& shards) {
  Table table({"SHARD", "STATE", "PARENTS", "FIRST HASH KEY", "LAST HASH KEY", "FIRST SEQUENCE NUMBER"});
  for (const kinesis::Shard& shard : shards) {
    const kinesis::HashKeyRange keys = shard.hash_key_range.value_or(kinesis::HashKeyRange{});
    const auto numbers = shard.sequence_number_range.value_or(kinesis::SequenceNumberRange{});
    std::string parents = or_dash(shard.parent_shard_id);
    if (shard.adjacent_parent_shard_id) parents.append(",").append(*shard.adjacent_parent_shard_id);
    table.add({or_dash(shard.shard_id), numbers.ending_sequence_number ? "CLOSED" : "OPEN", parents,
               or_dash(keys.starting_hash_key), or_dash(keys.ending_hash_key),
               or_dash(numbers.starting_sequence_number)});
  }
  return table;
}

int list(Server& server, const Arguments& arguments) {
  wire::Streams all;
  all.streams.emplace();
  for (const std::string& name : stream_names(server)) {
    try {
      all.streams->push_back(look_at(server, name));
    } catch (const client::Error& error) {
      // It was deleted meanwhile.
      if (error.code() != "ResourceNotFoundException" && error.code() != "StreamNotFound") throw;
    }
  }
  if (arguments.json) {
    print_json(all);
  } else {
    table_of(*all.streams).print();
  }
  return success_status;
}

int show(Server& server, const Arguments& arguments) {
  std::vector<kinesis::Shard> shards = shards_of(server, arguments.stream());
  if (!arguments.json) {
    table_of(shards).print();
    return success_status;
  }
  wire::Stream stream = look_at(server, arguments.stream());
  stream.shards = std::move(shards);
  print_json(stream);
  return success_status;
}

}  // namespace

int run_streams(const Arguments& arguments) {
  Server server(arguments);
  return arguments.words.empty() ? list(server, arguments) : show(server, arguments);
}

}  // namespace penstock::cli
