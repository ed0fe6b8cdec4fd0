// The streams of the simulated consumers: who puts what into them, and how their shards change.
#include <algorithm>

#include "consumer_world.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::sim {

namespace {

constexpr std::uint64_t keys_max = 8;
constexpr std::size_t shards_max = 6;

HashKey hash_of(const std::string& key) {
  Random of_key(std::hash<std::string>{}(key));
  return {of_key.next(), of_key.next()};
}

}  // namespace

void ConsumerWorld::create_streams() {
  const bool two_sources = random_.one_in(4);
  for (const char* name : {"source", "other", "target"}) {
    if (name == std::string_view("other") && !two_sources) continue;
    Stream& stream = streams_.emplace_back();
    stream.name = StreamName{"000000000000", "us-east-1", name};
    stream.is_target = name == std::string_view("target");
    CreateStream command;
    command.stream = stream.name;
    command.shard_count = static_cast<std::int32_t>(1 + random_.below(random_.one_in(2) ? 4 : 8));
    issue(std::move(command), {});
  }
  pump();
  // Longer than clocks are set back: they are there for good.
  time_passed(limits_.stream_transition + Millis{100'000});
  pump();
}

void ConsumerWorld::put_some() {
  Stream& stream = streams_[random_.below(streams_.size() - 1)];
  PutRecords command;
  command.stream = stream.name;
  std::vector<LedgerRecord> records;
  for (std::uint64_t left = 1 + random_.below(5); left > 0; --left) {
    const std::string key = "k" + std::to_string(random_.below(keys_max));
    const std::uint64_t order = ++stream.next_order[key];
    std::string data = key + "/" + std::to_string(order) + std::string(random_.below(20), '.');
    command.entries.push_back({key, data, hash_of(key)});
    records.push_back({std::move(data), key, order, {}, false});
  }
  OpenCall call;
  call.decide = [this, &stream, records](const Result& result) {
    const auto* put = answer<RecordsPut>(result);
    if (put == nullptr || put->entries.size() != records.size()) return broken("a put failed");
    for (std::size_t i = 0; i < records.size(); ++i) {
      hold(stream.ledger.put(records[i], std::get<RecordPut>(put->entries[i]), clock_));
    }
  };
  call.check = [this, &stream](const Result& result) {
    const auto* put = answer<RecordsPut>(result);
    if (put == nullptr) return;
    for (const auto& each : put->entries) stream.ledger.acknowledged(std::get<RecordPut>(each));
    count("records", put->entries.size());
  };
  issue(std::move(command), std::move(call));
  observe();
}

// What comes of it is seen by the next list of shards.
void ConsumerWorld::reshard() {
  ready();
  Stream& stream = streams_[random_.below(streams_.size() - 1)];
  std::vector<ShardIndex> open;
  for (const auto& [index, shard] : stream.ledger.shards()) {
    if (!shard.closed) open.push_back(index);
  }
  if (open.empty()) return;
  OpenCall call;
  call.check = [this](const Result& result) {
    if (answer<Error>(result) == nullptr) count("reshards");
  };
  const std::string shard = format_shard_id(open[random_.below(open.size())]);
  const std::uint64_t choice = random_.below(4);
  if (choice == 0) {
    const std::size_t target = std::min(shards_max, (open.size() + 1) / 2 + random_.below(open.size() * 3 / 2 + 1));
    issue(UpdateShardCount{stream.name, static_cast<std::int32_t>(target)}, std::move(call));
  } else if (choice == 1 && open.size() < shards_max) {
    // Where that is none of its hash keys, it is refused.
    issue(SplitShard{stream.name, shard, format_hash_key({random_.next(), random_.next()})}, std::move(call));
  } else {
    const std::string other = format_shard_id(open[random_.below(open.size())]);
    issue(MergeShards{stream.name, shard, other}, std::move(call));
  }
  observe();
}

}  // namespace penstock::sim
