#include "protocol/native/consumer_operations.hpp"

#include <algorithm>
#include <utility>

#include "penstock/stream_names.hpp"
#include "protocol/kinesis/record_operations.hpp"

namespace penstock::protocol::native {
namespace {

std::size_t limit_of(const std::optional<std::int64_t>& limit) {
  return static_cast<std::size_t>(limit.value_or(group_limits::list_max));
}

Error missing_timestamp() { return {ErrorCode::InvalidRequest, "AT_TIMESTAMP needs a Timestamp."}; }

GivenPosition to_given(StartPosition&& position) {
  GivenPosition given;
  given.shard_id = std::move(*position.shard_id);
  given.sequence_number = std::move(position.sequence_number).value_or(std::string());
  if (position.sub_sequence_number)
    given.sub_sequence_number = static_cast<std::uint64_t>(*position.sub_sequence_number);
  given.metadata = std::move(position.metadata);
  return given;
}

std::variant<GroupStart, Error> to_start(std::optional<Start>&& given) {
  GroupStart start;
  if (!given) return start;
  if (given->type) start.from.type = kinesis::iterator_type_of(*given->type);
  const bool by_time = start.from.type == IteratorType::at_timestamp;
  if (by_time && !given->timestamp) return missing_timestamp();
  if (!by_time && given->timestamp) {
    return Error{ErrorCode::InvalidRequest, "A Timestamp goes with AT_TIMESTAMP only."};
  }
  start.from.timestamp = kinesis::to_instant(given->timestamp);
  if (!given->positions) return start;
  if (start.from.type != IteratorType::trim_horizon && !given->positions->empty()) {
    return Error{ErrorCode::InvalidRequest, "Positions go with the Type TRIM_HORIZON only."};
  }
  for (StartPosition& position : *given->positions) {
    if (position.sub_sequence_number && !position.sequence_number) {
      return Error{ErrorCode::InvalidRequest, "A SubSequenceNumber needs a SequenceNumber."};
    }
    start.positions.push_back(to_given(std::move(position)));
  }
  return start;
}

DescribeConsumerOutput to_description(GroupDescription&& description, bool tells_created) {
  DescribeConsumerOutput output;
  const GroupInfo& info = description.info;
  output.consumer_name = info.name;
  output.stream_name = description.stream.name;
  output.stream_arn = arn_of(description.stream);
  output.creation_timestamp = kinesis::to_timestamp(info.created);
  output.lease_millis = info.lease.count();
  output.commit_mode = name_of(info.mode);
  output.ephemeral = info.ephemeral;
  output.start_type = name_of_start(info.start);
  output.lost_records = to_signed(info.lost_records);
  if (tells_created) output.created = description.created;
  auto& members = output.members.emplace();
  for (GroupMember& member : description.members) {
    members.push_back({std::move(member.name), static_cast<std::int64_t>(member.shards),
                       kinesis::to_timestamp(member.expires), member.waiting, member.reader});
  }
  auto& shards = output.shards.emplace();
  for (const GroupShard& shard : description.shards) shards.push_back(to_shard_state(shard));
  output.has_more_shards = description.more;
  return output;
}

ShardLagState to_lag_state(const ShardLag& lag) {
  ShardState state = to_shard_state(lag.shard);
  const RecordsPage& page = lag.page;
  const bool has_more = !page.records.empty();
  ShardLagState output;
  output.shard_id = std::move(state.shard_id);
  output.state = state.state;
  output.owner = std::move(state.owner);
  output.epoch = state.epoch;
  output.sequence_number = std::move(state.sequence_number);
  output.sub_sequence_number = state.sub_sequence_number;
  output.records_behind = has_more ? to_signed(page.until.value - page.records.front().index.value) : 0;
  output.millis_behind =
      has_more ? std::max<std::int64_t>(0, (page.now - page.records.front().record.arrived).count()) : 0;
  output.lost_records = *state.lost_records + to_signed(lost_records(lag.shard.lease, page));
  output.metadata = std::move(state.metadata);
  output.committed = state.committed;
  return output;
}

ResetShard to_reset_shard(const ShardReset& reset) {
  const GroupShard& shard = reset.shard;
  const auto to_position = [&shard](const GroupPosition& position) {
    PositionText text = text_of(shard.shard, shard.created_s, position);
    return ResetPosition{std::move(text.sequence_number), text.sub_sequence_number};
  };
  // By time it is the record that is there.
  const RecordsPage& page = reset.page;
  const GroupPosition after{.next = page.records.empty() ? page.next : page.records.front().index};
  const RecordIndex before = shard.lease.position.next;
  ResetShard output;
  output.shard_id = format_shard_id(shard.shard);
  output.before = to_position(shard.lease.position);
  output.after = to_position(after);
  output.records_repeated = before > after.next ? to_signed(before.value - after.next.value) : 0;
  output.records_skipped = after.next > before ? to_signed(after.next.value - before.value) : 0;
  return output;
}

}  // namespace

StreamName stream_named(const std::string& stream, const Caller& caller) {
  return {std::string(caller.account), std::string(caller.region), stream};
}

Asked CreateConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto start = to_start(std::move(input.start));
  if (Error* error = std::get_if<Error>(&start)) return std::move(*error);
  CreateGroup command;
  command.stream = stream_named(*input.stream, caller);
  command.group = std::move(*input.consumer);
  command.start = std::get<GroupStart>(std::move(start));
  command.lease = Millis{input.lease_millis.value_or(group_limits::lease_default.count())};
  command.mode = input.commit_mode == "ON_COMMIT" ? CommitMode::on_commit : CommitMode::on_poll;
  command.ephemeral = input.ephemeral.value_or(false);
  return StreamCommand(std::move(command));
}

Told<DescribeConsumerOutput> CreateConsumerOperation::to_output(Result&& result, Kept&) {
  auto* description = std::get_if<GroupDescription>(&result);
  if (description == nullptr) return unexpected_result();
  return to_description(std::move(*description), true);
}

Asked DescribeConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return StreamCommand(DescribeGroup{stream_named(*input.stream, caller), std::move(*input.consumer),
                                     std::move(input.exclusive_start_shard_id).value_or(std::string()),
                                     limit_of(input.limit)});
}

Told<DescribeConsumerOutput> DescribeConsumerOperation::to_output(Result&& result, Kept&) {
  auto* description = std::get_if<GroupDescription>(&result);
  if (description == nullptr) return unexpected_result();
  return to_description(std::move(*description), false);
}

Asked ListConsumersOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return StreamCommand(ListGroups{stream_named(*input.stream, caller),
                                  std::move(input.exclusive_start_consumer).value_or(std::string()),
                                  limit_of(input.limit)});
}

Told<ListConsumersOutput> ListConsumersOperation::to_output(Result&& result, Kept&) {
  const auto* list = std::get_if<GroupList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  auto& consumers = output.consumers.emplace();
  for (const GroupInfo& info : list->groups) consumers.push_back(to_summary(info));
  output.has_more_consumers = list->more;
  return output;
}

Asked DeleteConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return StreamCommand(DeleteGroup{stream_named(*input.stream, caller), std::move(*input.consumer)});
}

Asked ResetConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  ResetGroup command;
  command.stream = stream_named(*input.stream, caller);
  command.group = std::move(*input.consumer);
  command.shard_id = std::move(input.shard_id).value_or(std::string());
  command.to = {kinesis::iterator_type_of(*input.type), std::move(input.sequence_number),
                kinesis::to_instant(input.timestamp)};
  command.dry_run = input.dry_run.value_or(false);
  if (command.to.type == IteratorType::at_timestamp && !command.to.timestamp) return missing_timestamp();
  return StreamCommand(std::move(command));
}

Told<ResetConsumerOutput> ResetConsumerOperation::to_output(Result&& result, Kept&) {
  const auto* reset = std::get_if<GroupReset>(&result);
  if (reset == nullptr) return unexpected_result();
  Output output;
  output.dry_run = reset->dry_run;
  auto& shards = output.shards.emplace();
  for (const ShardReset& shard : reset->shards) shards.push_back(to_reset_shard(shard));
  return output;
}

Asked DescribeLagOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return StreamCommand(DescribeLag{stream_named(*input.stream, caller), std::move(*input.consumer),
                                   std::move(input.exclusive_start_shard_id).value_or(std::string()),
                                   limit_of(input.limit)});
}

Told<DescribeLagOutput> DescribeLagOperation::to_output(Result&& result, Kept&) {
  const auto* lag = std::get_if<GroupLag>(&result);
  if (lag == nullptr) return unexpected_result();
  Output output;
  output.consumer_name = lag->info.name;
  std::int64_t records = 0;
  std::int64_t millis = 0;
  std::int64_t lost = to_signed(lag->info.lost_records);
  auto& shards = output.shards.emplace();
  for (const ShardLag& each : lag->shards) {
    const ShardLagState& state = shards.emplace_back(to_lag_state(each));
    records += *state.records_behind;
    millis = std::max(millis, *state.millis_behind);
    lost += *state.lost_records;
  }
  output.records_behind = records;
  output.millis_behind = millis;
  output.lost_records = lost;
  output.has_more_shards = lag->more;
  return output;
}

}  // namespace penstock::protocol::native
