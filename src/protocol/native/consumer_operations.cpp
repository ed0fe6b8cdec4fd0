#include "protocol/native/consumer_operations.hpp"

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/kinesis/record_operations.hpp"
#include "protocol/kinesis/shapes.hpp"

namespace penstock::protocol::native {
namespace {

/// What is wrong with a start beyond what the constraints of its members say.
std::optional<Error> objection_to(const GivenStart& start, IteratorType type) {
  const bool at_timestamp = type == IteratorType::at_timestamp;
  if (at_timestamp && !start.timestamp) return invalid_request("Start.Timestamp is missing, which AT_TIMESTAMP needs.");
  if (!at_timestamp && start.timestamp) {
    return invalid_request("Start.Timestamp can stand only beside the Type AT_TIMESTAMP.");
  }
  if (start.positions && type != IteratorType::trim_horizon) {
    return invalid_request("Start.Positions can stand only beside the Type TRIM_HORIZON.");
  }
  return std::nullopt;
}

std::variant<Error, GroupStart> to_start(std::optional<GivenStart>&& given) {
  GroupStart start;
  start.from.type = IteratorType::trim_horizon;
  if (!given) return start;
  if (given->type) start.from.type = kinesis::iterator_type_of(*given->type);
  if (auto error = objection_to(*given, start.from.type)) return std::move(*error);
  start.from.timestamp = kinesis::to_instant(given->timestamp);
  if (!given->positions) return start;
  auto positions = to_positions("Start.Positions", std::move(*given->positions));
  if (Error* error = std::get_if<Error>(&positions)) return std::move(*error);
  start.positions = std::get<std::vector<GivenPosition>>(std::move(positions));
  return start;
}

MemberState to_member(GroupMember&& member) {
  return {std::move(member.name), to_integer(member.shards), kinesis::to_timestamp(member.expires), member.waiting,
          member.reader};
}

/// What both a description and a summary say of a consumer.
template <class Described>
void describe_info(GroupInfo&& info, Described& out) {
  out.consumer_name = std::move(info.name);
  out.creation_timestamp = kinesis::to_timestamp(info.created);
  out.lease_millis = info.lease.count();
  out.commit_mode = name_of(info.mode);
  out.ephemeral = info.ephemeral;
  out.start_type = name_of(info.start);
  out.lost_records = to_integer(info.lost_records);
}

void describe(GroupDescription&& description, ConsumerDescriptionOutput& out) {
  out.stream_arn = arn_of(description.stream);
  out.stream_name = std::move(description.stream.name);
  describe_info(std::move(description.info), out);
  auto& members = out.members.emplace();
  members.reserve(description.members.size());
  for (GroupMember& member : description.members) members.push_back(to_member(std::move(member)));
  auto& shards = out.shards.emplace();
  shards.reserve(description.shards.size());
  for (GroupShard& shard : description.shards) describe_shard(std::move(shard), shards.emplace_back());
  out.has_more_shards = description.more;
}

}  // namespace

Asked CreateConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<CreateGroup>(input, caller);
  auto start = to_start(std::move(input.start));
  if (Error* error = std::get_if<Error>(&start)) return std::move(*error);
  command.start = std::get<GroupStart>(std::move(start));
  command.lease = input.lease_millis ? Millis{*input.lease_millis} : group_limits::lease_default;
  command.mode = input.commit_mode == name_of(CommitMode::on_commit) ? CommitMode::on_commit : CommitMode::on_poll;
  command.ephemeral = input.ephemeral.value_or(false);
  return ask(std::move(command));
}

Told<CreateConsumerOutput> CreateConsumerOperation::to_output(Result&& result, Kept&) {
  auto* description = std::get_if<GroupDescription>(&result);
  if (description == nullptr) return unexpected_result();
  Output output;
  output.created = description->created;
  describe(std::move(*description), output);
  return output;
}

Asked DescribeConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<DescribeGroup>(input, caller);
  command.after_shard_id = std::move(input.exclusive_start_shard_id).value_or(std::string());
  command.limit = page_of(input.limit);
  return ask(std::move(command));
}

Told<ConsumerDescriptionOutput> DescribeConsumerOperation::to_output(Result&& result, Kept&) {
  auto* description = std::get_if<GroupDescription>(&result);
  if (description == nullptr) return unexpected_result();
  Output output;
  describe(std::move(*description), output);
  return output;
}

Asked ListConsumersOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<ListGroups>(input, caller);
  command.after = std::move(input.exclusive_start_consumer).value_or(std::string());
  command.limit = page_of(input.limit);
  return ask(std::move(command));
}

Told<ListConsumersOutput> ListConsumersOperation::to_output(Result&& result, Kept&) {
  auto* list = std::get_if<GroupList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  auto& consumers = output.consumers.emplace();
  consumers.reserve(list->groups.size());
  for (GroupInfo& info : list->groups) describe_info(std::move(info), consumers.emplace_back());
  output.has_more_consumers = list->more;
  return output;
}

Asked DeleteConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask(command_about<DeleteGroup>(input, caller));
}

Told<Nothing> DeleteConsumerOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

}  // namespace penstock::protocol::native
