#include "protocol/kinesis/record_operations.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/digests.hpp"
#include "protocol/faults.hpp"

namespace penstock::protocol::kinesis {
namespace {

HashKey hash_of(std::string_view partition_key) {
  HashKey key;
  const Md5 sum = md5_of(partition_key);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    std::uint64_t& half = i < sum.size() / 2 ? key.high : key.low;
    half = (half << 8U) | sum.at(i);
  }
  return key;
}

/// Makes the entry of a record, which gives up what it consists of. REQUIRES: what is required is there.
template <class Given>
std::optional<Error> take_record(Given& given, std::vector<PutEntry>& entries) {
  const auto place = place_of(*given.partition_key, given.explicit_hash_key);
  if (const Error* error = std::get_if<Error>(&place)) return *error;
  entries.push_back({std::move(*given.partition_key), std::move(given.data->bytes), std::get<HashKey>(place)});
  return std::nullopt;
}

std::optional<std::string_view> encryption_type_of(const RecordsPut& put) {
  if (!put.encrypted) return std::nullopt;
  return "KMS";
}

/// The service tells the one error that a client can do something about from all others.
PutRecordsResultEntry failed_entry(const Error& error) {
  PutRecordsResultEntry entry;
  if (error.code == ErrorCode::KinesisThroughputExceeded) {
    entry.error_code = fault_of(error.code).short_type();
    entry.error_message = error.message;
  } else {
    entry.error_code = "InternalFailure";
    entry.error_message = "Internal Service Failure";
  }
  return entry;
}

/// The hold under which a page's next iterator reads, with what that commits. Nothing where the page ends its shard for
/// the consumer too, because the request has committed all of it.
std::optional<GroupHold> next_hold(const GroupHold& hold, RecordIndex from, const RecordsPage& page) {
  GroupHold next = hold;
  const bool moves_on = page.next > from;
  if (page.ends_shard() && hold.commits && !moves_on) return std::nullopt;
  // A reader that was shown the end has had all there is, even if this was nothing.
  if (moves_on || page.ends_shard()) next.commits = true;
  if (!page.records.empty()) {
    next.at_s = std::chrono::floor<std::chrono::seconds>(page.records.back().record.arrived).time_since_epoch().count();
  } else if (moves_on) {
    next.at_s = 0;
  }
  return next;
}

}  // namespace

std::variant<Error, HashKey> place_of(std::string_view key, const std::optional<std::string>& explicit_key) {
  if (!explicit_key) return hash_of(key);
  if (const auto place = parse_hash_key(*explicit_key)) return *place;
  return invalid_argument(
      "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was " +
      *explicit_key);
}

Asked PutRecordOperation::to_command(Input& input, const Caller& caller, Kept&) {
  PutRecords command;
  command.single = true;
  command.ordering = std::move(input.sequence_number_for_ordering).value_or(std::string());
  if (auto error = take_record(input, command.entries)) return std::move(*error);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<PutRecordOutput> PutRecordOperation::to_output(Result&& result, Kept&) {
  const auto* put = std::get_if<RecordsPut>(&result);
  if (put == nullptr || put->entries.size() != 1) return unexpected_result();
  if (const Error* error = std::get_if<Error>(&put->entries.front())) return *error;
  const auto& record = std::get<RecordPut>(put->entries.front());
  return Output{format_shard_id(record.shard), format_sequence_number(record.number), encryption_type_of(*put)};
}

Asked PutRecordsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  PutRecords command;
  command.entries.reserve(input.records->size());
  std::size_t bytes = 0;
  for (PutRecordsRequestEntry& record : *input.records) {
    bytes += record.data->bytes.size() + record.partition_key->size();
    if (auto error = take_record(record, command.entries)) return std::move(*error);
  }
  if (bytes > kinesis_limits::put_bytes_max) return invalid_argument("Records size exceeds 10 MB limit");
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<PutRecordsOutput> PutRecordsOperation::to_output(Result&& result, Kept&) {
  const auto* put = std::get_if<RecordsPut>(&result);
  if (put == nullptr) return unexpected_result();
  Output output;
  std::int32_t failed = 0;
  auto& entries = output.records.emplace();
  entries.reserve(put->entries.size());
  for (const auto& entry : put->entries) {
    if (const Error* error = std::get_if<Error>(&entry)) {
      entries.push_back(failed_entry(*error));
      ++failed;
    } else {
      const auto& record = std::get<RecordPut>(entry);
      entries.push_back({format_sequence_number(record.number), format_shard_id(record.shard), {}, {}});
    }
  }
  output.failed_record_count = failed;
  output.encryption_type = encryption_type_of(*put);
  return output;
}

IteratorType iterator_type_of(std::string_view name) {
  if (name == "AT_SEQUENCE_NUMBER") return IteratorType::at_sequence_number;
  if (name == "AFTER_SEQUENCE_NUMBER") return IteratorType::after_sequence_number;
  if (name == "TRIM_HORIZON") return IteratorType::trim_horizon;
  if (name == "LATEST") return IteratorType::latest;
  return IteratorType::at_timestamp;
}

Asked GetShardIteratorOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  GetShardIterator command;
  command.shard_id = std::move(*input.shard_id);
  command.start = {iterator_type_of(*input.shard_iterator_type), std::move(input.starting_sequence_number),
                   to_instant(input.timestamp)};
  command.reader = caller.reader;
  auto found = address_of(input.stream_name, input.stream_arn, input.stream_id, caller);
  if (const auto* address = std::get_if<Address>(&found)) kept = {address->stream, caller.now};
  return ask(std::move(found), std::move(command));
}

Told<GetShardIteratorOutput> GetShardIteratorOperation::to_output(Result&& result, Kept& kept) {
  const auto* position = std::get_if<ShardPosition>(&result);
  if (position == nullptr) return unexpected_result();
  return Output{to_string(ShardIterator{std::move(kept.stream), *position, kept.issued})};
}

Asked GetRecordsOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  auto read = read_iterator(*input.shard_iterator, caller.now);
  if (Error* error = std::get_if<Error>(&read)) return std::move(*error);
  auto& iterator = std::get<ShardIterator>(read);
  if (auto error = check_agrees(iterator.stream, iterator.position.id, input.stream_arn, input.stream_id, caller)) {
    return std::move(*error);
  }
  kept.from = iterator.position.from;
  kept.not_before = iterator.position.not_before;
  GetRecords command;
  command.id = iterator.position.id;
  command.shard = iterator.position.shard;
  command.from = iterator.position.from;
  command.not_before = iterator.position.not_before;
  command.hold = std::move(iterator.position.hold);
  command.count_max = input.limit ? static_cast<std::size_t>(*input.limit) : kinesis_limits::get_records_max;
  return ask_by_id(iterator.stream, iterator.position.id, std::move(command));
}

Told<GetRecordsOutput> GetRecordsOperation::to_output(Result&& result, Kept& kept) {
  auto* page = std::get_if<RecordsPage>(&result);
  if (page == nullptr) return unexpected_result();
  kept.page = std::move(*page);
  Output output;
  output.records = to_records(kept.page);
  output.millis_behind_latest = kept.page.behind.count();
  const auto& held = kept.page.hold;
  std::optional<GroupHold> hold = held ? next_hold(*held, kept.from, kept.page) : std::nullopt;
  if (kept.page.ends_shard() && !hold) {
    output.child_shards = to_child_shards(kept.page.children);
  } else {
    const ShardPosition next{kept.page.id, kept.page.shard, kept.page.next, kept.not_before, std::move(hold)};
    output.next_shard_iterator = to_string(ShardIterator{kept.page.stream, next, kept.page.now});
  }
  return output;
}

}  // namespace penstock::protocol::kinesis
