#include "protocol/native/position_operations.hpp"

#include <algorithm>
#include <utility>

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/kinesis/record_operations.hpp"
#include "protocol/kinesis/shapes.hpp"

namespace penstock::protocol::native {
namespace {

std::variant<Error, std::vector<PutEntry>> to_entries(std::vector<NewRecord>&& records) {
  std::vector<PutEntry> entries;
  entries.reserve(records.size());
  std::size_t bytes = 0;
  for (NewRecord& record : records) {
    bytes += record.data->bytes.size() + record.partition_key->size();
    auto place = kinesis::place_of(*record.partition_key, record.explicit_hash_key);
    if (Error* error = std::get_if<Error>(&place)) return std::move(*error);
    entries.push_back({std::move(*record.partition_key), std::move(record.data->bytes), std::get<HashKey>(place)});
  }
  if (bytes > kinesis_limits::put_bytes_max) return invalid_request("Records are more than 10 MiB together.");
  return entries;
}

/// A member that stands beside some types and has to, and is out of place beside the others.
std::optional<Error> objection_to(bool present, bool wanted, std::string_view member, std::string_view type) {
  if (present == wanted) return std::nullopt;
  std::string message(member);
  message.append(wanted ? " is missing, which " : " can not stand beside ").append(type);
  return invalid_request(message.append(wanted ? " needs." : "."));
}

std::optional<Error> objection_to(const ResetInput& input, IteratorType type) {
  const bool of_number = type == IteratorType::at_sequence_number || type == IteratorType::after_sequence_number;
  const bool of_time = type == IteratorType::at_timestamp;
  if (auto error = objection_to(input.timestamp.has_value(), of_time, "Timestamp", *input.type)) return error;
  if (auto error = objection_to(input.sequence_number.has_value(), of_number, "SequenceNumber", *input.type)) {
    return error;
  }
  if (of_number && !input.shard_id) return objection_to(false, true, "ShardId", *input.type);
  return std::nullopt;
}

/// The first record that is read from where a page begins.
RecordIndex first_of(const RecordsPage& page, RecordIndex otherwise) {
  if (!page.records.empty()) return page.records.front().index;
  return page.next.value != 0 ? page.next : otherwise;
}

std::int64_t distance(RecordIndex from, RecordIndex to) { return to > from ? to_integer(to.value - from.value) : 0; }

ShardResetState to_reset(ShardReset&& given) {
  const GroupShard& shard = given.shard;
  const GroupPosition& before = shard.lease.position;
  // Records that are passed over on account of their time are done with as well.
  const RecordIndex first = first_of(given.page, given.to.next);
  const GroupPosition after = first == given.to.next ? given.to : GroupPosition{first, {}, 0, {}};
  ShardResetState state;
  state.shard_id = format_shard_id(shard.shard);
  auto& was = state.before.emplace();
  was.sequence_number = sequence_number_of(shard.shard, shard.created_s, before);
  if (before.sub) was.sub_sequence_number = to_integer(*before.sub);
  state.after.emplace().sequence_number = sequence_number_of(shard.shard, shard.created_s, after);
  state.records_repeated = distance(first, before.next);
  state.records_skipped = distance(before.next, first);
  return state;
}

ShardLagState to_lag(ShardLag&& given) {
  const RecordsPage& page = given.page;
  ShardLagState state;
  // What retention took since the consumer last read counts before it reads again.
  given.shard.lease.lost_records += lost_records(given.shard.lease, page);
  state.records_behind = distance(first_of(page, page.from), page.until);
  state.millis_behind = 0;
  if (!page.records.empty()) {
    state.millis_behind = std::max(Millis{0}, page.now - page.records.front().record.arrived).count();
  }
  describe_shard(std::move(given.shard), state);
  return state;
}

}  // namespace

Asked CommitOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<CommitGroup>(input, caller);
  auto positions = to_positions("Positions", std::move(*input.positions));
  if (Error* error = std::get_if<Error>(&positions)) return std::move(*error);
  command.positions = std::get<std::vector<GivenPosition>>(std::move(positions));
  command.force = input.force.value_or(false);
  command.key = std::move(input.idempotency_key).value_or(std::string());
  return ask(std::move(command));
}

Told<CommitOutput> CommitOperation::to_output(Result&& result, Kept&) {
  auto* committed = std::get_if<GroupCommitted>(&result);
  if (committed == nullptr) return unexpected_result();
  Output output;
  auto& positions = output.positions.emplace();
  positions.reserve(committed->shards.size());
  for (GroupShard& shard : committed->shards) positions.push_back(to_committed(std::move(shard)));
  output.repeated = committed->repeated;
  return output;
}

Asked TransactOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<TransactGroup>(input, caller);
  auto positions = to_positions("Positions", std::move(*input.positions));
  if (Error* error = std::get_if<Error>(&positions)) return std::move(*error);
  command.positions = std::get<std::vector<GivenPosition>>(std::move(positions));
  auto entries = to_entries(std::move(*input.records));
  if (Error* error = std::get_if<Error>(&entries)) return std::move(*error);
  command.entries = std::get<std::vector<PutEntry>>(std::move(entries));
  command.target = stream_beside(input, caller, std::move(*input.stream_name));
  command.key = std::move(input.idempotency_key).value_or(std::string());
  return ask(std::move(command));
}

Told<TransactOutput> TransactOperation::to_output(Result&& result, Kept&) {
  const auto* transacted = std::get_if<GroupTransacted>(&result);
  if (transacted == nullptr) return unexpected_result();
  Output output;
  auto& records = output.records.emplace();
  records.reserve(transacted->put.size());
  for (const RecordPut& put : transacted->put) {
    records.push_back({format_shard_id(put.shard), format_sequence_number(put.number)});
  }
  output.repeated = transacted->repeated;
  return output;
}

Asked ResetOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<ResetGroup>(input, caller);
  command.to.type = kinesis::iterator_type_of(*input.type);
  if (auto error = objection_to(input, command.to.type)) return std::move(*error);
  command.to.sequence_number = std::move(input.sequence_number);
  command.to.timestamp = kinesis::to_instant(input.timestamp);
  command.shard_id = std::move(input.shard_id).value_or(std::string());
  command.dry_run = input.dry_run.value_or(false);
  return ask(std::move(command));
}

Told<ResetOutput> ResetOperation::to_output(Result&& result, Kept&) {
  auto* reset = std::get_if<GroupReset>(&result);
  if (reset == nullptr) return unexpected_result();
  Output output;
  output.dry_run = reset->dry_run;
  auto& shards = output.shards.emplace();
  shards.reserve(reset->shards.size());
  for (ShardReset& shard : reset->shards) shards.push_back(to_reset(std::move(shard)));
  return output;
}

Asked DescribeLagOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<DescribeLag>(input, caller);
  command.after_shard_id = std::move(input.exclusive_start_shard_id).value_or(std::string());
  command.limit = page_of(input.limit);
  return ask(std::move(command));
}

Told<DescribeLagOutput> DescribeLagOperation::to_output(Result&& result, Kept&) {
  auto* lag = std::get_if<GroupLag>(&result);
  if (lag == nullptr) return unexpected_result();
  Output output;
  output.consumer_name = std::move(lag->info.name);
  output.records_behind = 0;
  output.millis_behind = 0;
  output.lost_records = to_integer(lag->info.lost_records);
  auto& shards = output.shards.emplace();
  shards.reserve(lag->shards.size());
  for (ShardLag& shard : lag->shards) {
    *output.lost_records += to_integer(lost_records(shard.shard.lease, shard.page));
    const ShardLagState& state = shards.emplace_back(to_lag(std::move(shard)));
    *output.records_behind += *state.records_behind;
    *output.millis_behind = std::max(*output.millis_behind, *state.millis_behind);
  }
  output.has_more_shards = lag->more;
  return output;
}

}  // namespace penstock::protocol::native
