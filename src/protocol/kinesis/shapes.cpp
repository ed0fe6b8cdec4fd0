#include "protocol/kinesis/shapes.hpp"

#include <chrono>
#include <utility>

#include "penstock/stream_names.hpp"
#include "protocol/base64.hpp"

namespace penstock::protocol::kinesis {
namespace {

HashKeyRange to_range(const ShardRecord& record) {
  return {format_hash_key(record.first_hash), format_hash_key(record.last_hash)};
}

std::optional<std::string> to_shard_id(const std::optional<ShardIndex>& shard) {
  if (!shard) return std::nullopt;
  return format_shard_id(*shard);
}

}  // namespace

std::optional<Instant> to_instant(const std::optional<Timestamp>& at) {
  if (!at) return std::nullopt;
  return from_epoch_ms(at->ms);
}

Timestamp to_creation_timestamp(Instant at) { return to_timestamp(std::chrono::floor<std::chrono::seconds>(at)); }

std::map<std::string, std::string> to_map(std::optional<Map<std::string>>&& given) {
  std::map<std::string, std::string> map;
  if (!given) return map;
  for (auto& [key, value] : given->entries) map.insert_or_assign(std::move(key), std::move(value));
  return map;
}

StreamModeDetails mode_details_of(bool on_demand) { return {on_demand ? "ON_DEMAND" : "PROVISIONED"}; }

Shard to_shard(const ShardRecord& record) {
  Shard shard;
  shard.shard_id = format_shard_id(record.index);
  shard.parent_shard_id = to_shard_id(record.parent);
  shard.adjacent_parent_shard_id = to_shard_id(record.adjacent_parent);
  shard.hash_key_range = to_range(record);
  auto& numbers = shard.sequence_number_range.emplace();
  numbers.starting_sequence_number = format_sequence_number(starting_number(record));
  if (record.closed) numbers.ending_sequence_number = format_sequence_number(ending_number(record));
  return shard;
}

std::vector<Shard> to_shards(const std::vector<ShardRecord>& records) {
  std::vector<Shard> shards;
  shards.reserve(records.size());
  for (const ShardRecord& record : records) shards.push_back(to_shard(record));
  return shards;
}

std::vector<ChildShard> to_child_shards(const std::vector<ShardRecord>& children) {
  std::vector<ChildShard> shards;
  shards.reserve(children.size());
  for (const ShardRecord& child : children) {
    ChildShard& shard = shards.emplace_back();
    shard.shard_id = format_shard_id(child.index);
    auto& parents = shard.parent_shards.emplace();
    if (child.parent) parents.push_back(format_shard_id(*child.parent));
    if (child.adjacent_parent) parents.push_back(format_shard_id(*child.adjacent_parent));
    shard.hash_key_range = to_range(child);
  }
  return shards;
}

std::vector<Record> to_records(const RecordsPage& page) {
  std::vector<Record> records;
  records.reserve(page.records.size());
  for (const ReadRecord& read : page.records) {
    Record& record = records.emplace_back();
    record.sequence_number =
        format_sequence_number(record_number(page.shard, page.created_s, read.index, read.record.arrived));
    record.approximate_arrival = to_timestamp(read.record.arrived);
    record.data = BlobView{read.record.data};
    record.partition_key = read.record.partition_key;
    if (read.record.encrypted) record.encryption_type = "KMS";
  }
  return records;
}

std::size_t bytes_expected(const std::vector<Record>& records) {
  // Names, numbers and what stands between them; and what an answer has besides records.
  constexpr std::size_t around_record = 192;
  constexpr std::size_t around_records = 1'024;
  std::size_t bytes = around_records;
  for (const Record& record : records) {
    bytes += around_record + base64_size(record.data->view().size()) + record.partition_key->size();
  }
  return bytes;
}

}  // namespace penstock::protocol::kinesis
