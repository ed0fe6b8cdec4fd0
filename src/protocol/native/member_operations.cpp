#include "protocol/native/member_operations.hpp"

#include <utility>

#include "penstock/stream_names.hpp"
#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/token.hpp"

namespace penstock::protocol::native {
namespace {

Error no_token() { return {ErrorCode::InvalidRequest, "The Token is none that a poll was answered with."}; }

/// Nothing of an empty one.
std::variant<std::optional<GroupToken>, Error> to_token(const std::optional<std::string>& text) {
  if (!text || text->empty()) return std::optional<GroupToken>{};
  auto token = read_token(*text);
  if (!token) return no_token();
  return token;
}

std::vector<GivenPosition> to_given(std::vector<Position>&& positions) {
  std::vector<GivenPosition> all;
  all.reserve(positions.size());
  for (Position& position : positions) {
    GivenPosition& given = all.emplace_back();
    given.shard_id = std::move(*position.shard_id);
    given.epoch = static_cast<std::uint64_t>(*position.epoch);
    given.sequence_number = std::move(*position.sequence_number);
    if (position.sub_sequence_number) {
      given.sub_sequence_number = static_cast<std::uint64_t>(*position.sub_sequence_number);
    }
    given.metadata = std::move(position.metadata);
  }
  return all;
}

Batch to_batch(const GroupBatch& given) {
  Batch batch;
  batch.shard_id = format_shard_id(given.page.shard);
  batch.epoch = to_signed(given.epoch);
  batch.records = kinesis::to_records(given.page);
  if (given.position.sub) batch.sub_sequence_number = to_signed(*given.position.sub);
  batch.millis_behind_latest = given.page.behind.count();
  batch.lost_records = to_signed(lost_records(given.position, given.page));
  batch.shard_end = given.page.ends_shard();
  return batch;
}

}  // namespace

std::size_t PollOutput::bytes_expected() const {
  constexpr std::size_t each = 256;
  std::size_t bytes = token->size() + each * (1 + leases->size() + batches->size());
  for (const Batch& batch : *batches) bytes += kinesis::bytes_expected(*batch.records);
  return bytes;
}

Asked PollOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto token = to_token(input.token);
  if (Error* error = std::get_if<Error>(&token)) return std::move(*error);
  PollGroup command;
  command.stream = stream_named(*input.stream, caller);
  command.group = std::move(*input.consumer);
  command.member = std::move(*input.member);
  command.token = std::get<std::optional<GroupToken>>(std::move(token));
  command.wait = Millis{input.wait_millis.value_or(0)};
  command.count_max = static_cast<std::size_t>(
      input.max_records.value_or(static_cast<std::int64_t>(group_limits::poll_records_default)));
  command.bytes_max =
      static_cast<std::size_t>(input.max_bytes.value_or(static_cast<std::int64_t>(group_limits::poll_bytes_max)));
  return StreamCommand(std::move(command));
}

Told<PollOutput> PollOperation::to_output(Result&& result, Kept& kept) {
  auto* polled = std::get_if<GroupPolled>(&result);
  if (polled == nullptr) return unexpected_result();
  kept.polled = std::move(*polled);
  Output output;
  output.member = kept.polled.member;
  output.token = token_of(kept.polled);
  output.lease_millis = kept.polled.lease.count();
  output.leases = to_leases(std::move(kept.polled.leases));
  output.revoked = to_revoked(std::move(kept.polled.lost));
  auto& batches = output.batches.emplace();
  batches.reserve(kept.polled.batches.size());
  for (const GroupBatch& batch : kept.polled.batches) batches.push_back(to_batch(batch));
  return output;
}

Asked HeartbeatOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto token = read_token(*input.token);
  if (!token) return no_token();
  return StreamCommand(HeartbeatGroup{stream_named(*input.stream, caller), std::move(*input.consumer),
                                      std::move(*input.member), std::move(*token)});
}

Told<HeartbeatOutput> HeartbeatOperation::to_output(Result&& result, Kept&) {
  auto* polled = std::get_if<GroupPolled>(&result);
  if (polled == nullptr) return unexpected_result();
  return Output{std::move(polled->member), polled->lease.count(), to_leases(std::move(polled->leases)),
                to_revoked(std::move(polled->lost))};
}

Asked LeaveOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto token = read_token(*input.token);
  if (!token) return no_token();
  return StreamCommand(LeaveGroup{stream_named(*input.stream, caller), std::move(*input.consumer),
                                  std::move(*input.member), std::move(*token), input.commit.value_or(true)});
}

Told<LeaveOutput> LeaveOperation::to_output(Result&& result, Kept&) {
  auto* polled = std::get_if<GroupPolled>(&result);
  if (polled == nullptr) return unexpected_result();
  return Output{std::move(polled->member), to_revoked(std::move(polled->lost))};
}

Asked CommitOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return StreamCommand(CommitGroup{stream_named(*input.stream, caller), std::move(*input.consumer),
                                   to_given(std::move(*input.positions)), input.force.value_or(false),
                                   std::move(input.idempotency_key).value_or(std::string())});
}

Told<CommitOutput> CommitOperation::to_output(Result&& result, Kept&) {
  const auto* committed = std::get_if<GroupCommitted>(&result);
  if (committed == nullptr) return unexpected_result();
  Output output;
  auto& positions = output.positions.emplace();
  for (const GroupShard& shard : committed->shards) {
    ShardState state = to_shard_state(shard);
    positions.push_back({std::move(state.shard_id), state.epoch, std::move(state.sequence_number),
                         state.sub_sequence_number, std::move(state.metadata)});
  }
  output.repeated = committed->repeated;
  return output;
}

Asked TransactOperation::to_command(Input& input, const Caller& caller, Kept&) {
  TransactGroup command;
  command.stream = stream_named(*input.stream, caller);
  command.group = std::move(*input.consumer);
  command.positions = to_given(std::move(*input.positions));
  command.target = stream_named(*input.stream_name, caller);
  command.key = std::move(input.idempotency_key).value_or(std::string());
  std::size_t bytes = 0;
  for (NewRecord& record : *input.records) {
    bytes += record.data->bytes.size() + record.partition_key->size();
    if (auto error = kinesis::take_record(record, command.entries)) return std::move(*error);
  }
  if (bytes > kinesis_limits::put_bytes_max) {
    return Error{ErrorCode::InvalidRequest, "The Records have more than 10 MiB together."};
  }
  return StreamCommand(std::move(command));
}

Told<TransactOutput> TransactOperation::to_output(Result&& result, Kept&) {
  const auto* transacted = std::get_if<GroupTransacted>(&result);
  if (transacted == nullptr) return unexpected_result();
  Output output;
  auto& records = output.records.emplace();
  for (const RecordPut& put : transacted->put) {
    records.push_back({format_shard_id(put.shard), format_sequence_number(put.number)});
  }
  output.repeated = transacted->repeated;
  return output;
}

}  // namespace penstock::protocol::native
