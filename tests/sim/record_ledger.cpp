#include "record_ledger.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace penstock::sim {

void RecordLedger::add(const ShardRecord& record) {
  Shard& shard = shards_[record.index];
  shard.closed = record.closed.has_value();
  shard.created_s = record.created_s;
  // As it was first heard of: an engine that forgets its lineage does not change it.
  if (!shard.parents.empty()) return;
  if (record.parent) shard.parents.push_back(*record.parent);
  if (record.adjacent_parent) shard.parents.push_back(*record.adjacent_parent);
}

std::string RecordLedger::listed(const std::vector<ShardRecord>& shards) {
  for (const ShardRecord& shard : shards) add(shard);
  return {};
}

std::string RecordLedger::put(LedgerRecord record, const RecordPut& put, Instant now) {
  Shard& shard = shards_[put.shard];
  if (put.number.index != shard.tail()) {
    return name_of(record.data) + " was put at " + place_of(put.shard, put.number.index) + ", and its end is at " +
           std::to_string(shard.tail().value);
  }
  record.arrived = std::max(now, shard.last_arrival);
  shard.last_arrival = record.arrived;
  shard.records.push_back(std::move(record));
  return {};
}

void RecordLedger::acknowledged(const RecordPut& put) {
  const auto found = shards_.find(put.shard);
  if (found == shards_.end() || found->second.find(put.number.index) == nullptr) return;
  found->second.records[put.number.index.value - 1].acknowledged = true;
}

std::string RecordLedger::recovered(const RecoveredStream& stream) {
  std::erase_if(shards_, [&](const auto& each) { return each.first >= stream.info.next_shard; });
  for (const RecoveredShard& found : stream.shards) {
    add(found.record);
    Shard& shard = shards_[found.record.index];
    const std::uint64_t kept = found.cursor.tail.value - 1;
    if (kept > shard.records.size()) return "a start finds records that nobody put";
    for (std::uint64_t i = kept; i < shard.records.size(); ++i) {
      if (shard.records[i].acknowledged) return name_of(shard.records[i].data) + " was acknowledged, and is gone";
    }
    shard.records.resize(kept);
    shard.last_arrival = found.cursor.last_arrival;
  }
  return {};
}

std::size_t RecordLedger::count(const std::string& data) const {
  std::size_t count = 0;
  for (const auto& [index, shard] : shards_) {
    count += static_cast<std::size_t>(std::ranges::count(shard.records, data, &LedgerRecord::data));
  }
  return count;
}

std::string RecordLedger::check_read(ShardIndex shard, const ReadRecord& read) const {
  const LedgerRecord* known = knows(shard) ? shards_.at(shard).find(read.index) : nullptr;
  const std::string place = place_of(shard, read.index);
  if (known == nullptr) return name_of(read.record.data) + " at " + place + " was never put";
  if (known->data != read.record.data) {
    return name_of(read.record.data) + " was read at " + place + ", where " + name_of(known->data) + " was put";
  }
  if (known->arrived != read.record.arrived) return name_of(known->data) + " arrived at another time";
  return {};
}

}  // namespace penstock::sim
