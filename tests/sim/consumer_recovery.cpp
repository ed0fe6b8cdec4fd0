// What a start of the simulated world finds of its consumers, and what it may not miss.
#include <algorithm>
#include <map>

#include "consumer_world.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::sim {

namespace {

GroupLease lease_of(const RecoveredGroup& group, ShardIndex shard) {
  const auto found = std::ranges::find_if(group.leases, [&](const auto& each) { return each.first == shard; });
  return found == group.leases.end() ? GroupLease{} : found->second;
}

std::string text_of(const GroupLease& lease) {
  return std::to_string(lease.position.next.value) + " under epoch " + std::to_string(lease.epoch) + " with " +
         std::to_string(lease.lost_records) + " lost";
}

}  // namespace

void ConsumerWorld::settle(const std::vector<RecoveredStream>& streams) {
  for (Stream& stream : streams_) {
    const auto found = std::ranges::find_if(streams, [&](const auto& each) { return each.info.name == stream.name; });
    if (found == streams.end()) return broken("stream " + stream.name.name + " is gone");
    hold(stream.ledger.recovered(*found));
    if (stream.is_target) read_target(*found);
  }
  for (const TransactedPtr& transaction : transactions_) settle_transaction(*transaction);
  for (Consumer& consumer : consumers_) {
    const StreamName& name = stream_of(consumer).name;
    const auto found = std::ranges::find_if(streams, [&](const auto& each) { return each.info.name == name; });
    settle_consumer(consumer, *found);
  }
  // From now on what is described has them in it.
  for (const TransactedPtr& each : transactions_) {
    if (each->took_effect && each->settled_turn == 0) each->settled_turn = last_turn_;
  }
}

/// What the target is said to hold is really there.
void ConsumerWorld::read_target(const RecoveredStream& found) {
  for (const RecoveredShard& shard : found.shards) {
    RecordsPage page;
    page.id = found.info.id;
    page.shard = shard.record.index;
    page.from = page.next = shard.cursor.head;
    page.until = shard.cursor.tail;
    page.count_max = page.bytes_max = SIZE_MAX;
    page.now = now_;
    if (!read_page(page)) return broken("the target could not be read");
    if (page.records.size() != page.until.value - page.from.value) {
      return broken("the target has " + std::to_string(page.records.size()) + " records from " +
                    std::to_string(page.from.value) + " to " + std::to_string(page.until.value));
    }
    for (const ReadRecord& read : page.records) hold(target().ledger.check_read(page.shard, read));
  }
}

/// The target has all of its records or none, and that is whether it took effect.
void ConsumerWorld::settle_transaction(Transacted& transaction) {
  transaction.is_open = false;
  std::size_t there = 0;
  for (std::size_t i = 0; i < transaction.put.size(); ++i) {
    const RecordLedger& ledger = target().ledger;
    const RecordPut& put = transaction.put[i];
    const LedgerRecord* record = ledger.knows(put.shard) ? ledger.shard(put.shard).find(put.number.index) : nullptr;
    if (record != nullptr && record->data == transaction.command.entries[i].data) ++there;
  }
  if (there != 0 && there != transaction.put.size()) return broken("of a transaction's records only some are there");
  const bool took_effect = there != 0;
  if (transaction.was_told && !took_effect) return broken("a transaction that was answered did not last");
  if (!took_effect) transaction.put.clear();
  transaction.took_effect = took_effect;
}

// A creation or deletion that was cut off may have either outcome, and the one that is found holds.
void ConsumerWorld::settle_consumer(Consumer& consumer, const RecoveredStream& stream) {
  const auto found =
      std::ranges::find_if(stream.groups, [&](const RecoveredGroup& each) { return each.info.name == consumer.name; });
  IncarnationPtr present;
  for (const IncarnationPtr& each : consumer.candidates) {
    const bool is_it = found != stream.groups.end() && found->info.id == each->model.info().id;
    if (is_it && each->deleted_told) return broken("consumer " + consumer.name + " is back");
    if (is_it) present = each;
    const bool may_be_missing = !each->created_told || each->deleted || each->model.info().ephemeral;
    if (!is_it && !may_be_missing) return broken("consumer " + consumer.name + " is not stored");
  }
  if (found != stream.groups.end() && !present) return broken("a start finds a consumer that nobody created");
  if (present && present->model.info().ephemeral) return broken("an ephemeral consumer is stored");
  consumer.now = present;
  consumer.candidates.clear();
  if (!present) return;
  consumer.candidates.push_back(present);
  present->created_told = true;
  present->deleted = false;
  hold(check_recovered(present, stream, *found));
  adopt(*present, stream, *found);
}

std::string ConsumerWorld::check_recovered(const IncarnationPtr& incarnation, const RecoveredStream& stream,
                                           const RecoveredGroup& found) const {
  std::string problem;
  for (auto each = incarnation->history.rbegin(); each != incarnation->history.rend(); ++each) {
    const std::string difference = differs(incarnation, *each, stream, found);
    if (difference.empty()) return {};
    problem += "\n  of turn " + std::to_string(each->turn) + ": " + difference;
    // The newest state that somebody was told of: nothing older will do.
    if (each->turn <= floor_turn_) break;
  }
  return problem.empty() ? problem
                         : "a start finds a consumer as it never was, or was before turn " +
                               std::to_string(floor_turn_) + " was answered:" + problem;
}

/// Between what was described at the end of a turn and what is found, if each transaction is done whose records are.
std::string ConsumerWorld::differs(const IncarnationPtr& incarnation, const Snapshot& snapshot,
                                   const RecoveredStream& stream, const RecoveredGroup& found) const {
  std::map<ShardIndex, GroupLease> expected;
  for (const GroupShard& shard : snapshot.view.shards) expected[shard.shard] = shard.lease;
  std::map<std::string, Instant> keys = snapshot.keys;
  for (const TransactedPtr& each : transactions_) {
    const bool is_seen = each->settled_turn != 0 && each->settled_turn <= snapshot.turn;
    if (each->incarnation != incarnation || !each->took_effect || is_seen) continue;
    for (const ModelStep& step : each->steps) {
      expected[step.shard].position = step.position;
      if (step.metadata) expected[step.shard].metadata = *step.metadata;
    }
    if (!each->command.key.empty()) keys[each->command.key] = each->begun;
  }
  for (const RecoveredShard& shard : stream.shards) {
    const ShardIndex index = shard.record.index;
    if (!expected.contains(index)) continue;
    const GroupLease& was = expected.at(index);
    const GroupLease is = lease_of(found, index);
    const bool same_place = was.position.next == is.position.next && was.position.sub == is.position.sub &&
                            was.position.not_before == is.position.not_before;
    const bool same = was.epoch == is.epoch && was.metadata == is.metadata && was.lost_records == is.lost_records;
    if (!same_place || !same) return sim::text_of(index) + " is at " + text_of(is) + ", and was at " + text_of(was);
  }
  for (const auto& [key, used] : keys) {
    if (used + group_limits::key_life <= latest_clock_) continue;
    const bool is_kept = std::ranges::find(found.keys, key, &CommitKey::key) != found.keys.end();
    if (!is_kept) return "IdempotencyKey " + key + " is forgotten";
  }
  for (const CommitKey& key : found.keys) {
    if (!keys.contains(key.key) && incarnation->model.keys.contains(key.key)) return "IdempotencyKey " + key.key;
  }
  return {};
}

void ConsumerWorld::adopt(Incarnation& incarnation, const RecoveredStream& stream, const RecoveredGroup& found) {
  GroupDescription description{stream.info.name, stream.info.id, found.info};
  incarnation.sessions.clear();
  incarnation.heard.clear();
  incarnation.answered.clear();
  incarnation.polls.clear();
  for (const RecoveredShard& shard : stream.shards) {
    const GroupLease lease = lease_of(found, shard.record.index);
    if (lease.session != 0) {
      incarnation.sessions[lease.owner] = lease.session;
      incarnation.heard[lease.owner] = clock_;
    }
    // As it is told, and not as it is stored.
    description.info.lost_records += lease.lost_records;
    description.shards.push_back(
        {shard.record.index, shard.record.created_s, shard.record.closed.has_value(), GroupShardState::free, lease});
  }
  incarnation.model.cut();
  hold(incarnation.model.recovered(description, clock_));
  std::erase_if(incarnation.model.keys, [&](const auto& each) {
    return std::ranges::find(found.keys, each.first, &CommitKey::key) == found.keys.end();
  });
  for (const CommitKey& key : found.keys) incarnation.model.keys[key.key] = key;
  incarnation.history = {Snapshot{last_turn_, incarnation.model.view(), {}}};
  for (const auto& [key, used] : incarnation.model.keys) incarnation.history.front().keys[key] = used.at;
}

}  // namespace penstock::sim
