#include "protocol/native/member_operations.hpp"

#include <utility>

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/native/poll_token.hpp"

namespace penstock::protocol::native {
namespace {

std::vector<Lease> to_leases(std::vector<HeldLease>&& held) {
  std::vector<Lease> leases;
  leases.reserve(held.size());
  for (HeldLease& each : held) {
    leases.push_back(
        {format_shard_id(each.shard), to_integer(each.epoch), each.revoking, unless_empty(std::move(each.metadata))});
  }
  return leases;
}

std::vector<RevokedLease> to_revoked(std::vector<LostLease>&& lost) {
  std::vector<RevokedLease> revoked;
  revoked.reserve(lost.size());
  for (LostLease& each : lost) {
    revoked.push_back({format_shard_id(each.shard), to_integer(each.epoch), to_integer(each.owner_epoch),
                       unless_empty(std::move(each.owner))});
  }
  return revoked;
}

Batch to_batch(const GroupBatch& given) {
  const RecordsPage& page = given.page;
  Batch batch;
  batch.shard_id = format_shard_id(page.shard);
  batch.epoch = to_integer(given.epoch);
  batch.records = kinesis::to_records(page);
  const bool begins_within = !page.records.empty() && page.records.front().index == given.position.next;
  if (given.position.sub && begins_within) batch.sub_sequence_number = to_integer(*given.position.sub);
  batch.millis_behind_latest = page.behind.count();
  batch.lost_records = to_integer(lost_records(given.position, page));
  batch.shard_end = page.ends_shard();
  return batch;
}

/// A command of a member that has a Token, or what is wrong with that.
template <class C, class Input>
std::variant<Error, C> with_token(Input& input, const Caller& caller) {
  auto token = read_token(*input.token);
  if (Error* error = std::get_if<Error>(&token)) return std::move(*error);
  auto command = command_about<C>(input, caller);
  command.member = std::move(*input.member);
  command.token = std::get<GroupToken>(std::move(token));
  return command;
}

}  // namespace

std::size_t PollOutput::bytes_expected() const {
  // Of what stands beside the batches.
  constexpr std::size_t around_lease = 128;
  std::size_t bytes = token->size() + around_lease * (1 + leases->size() + revoked->size());
  for (const Batch& batch : *batches) bytes += kinesis::bytes_expected(*batch.records);
  return bytes;
}

Asked PollOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = command_about<PollGroup>(input, caller);
  if (input.token && !input.token->empty()) {
    auto token = read_token(*input.token);
    if (Error* error = std::get_if<Error>(&token)) return std::move(*error);
    command.token = std::get<GroupToken>(std::move(token));
  }
  command.member = std::move(*input.member);
  command.wait = Millis{input.wait_millis.value_or(0)};
  command.count_max =
      input.max_records ? static_cast<std::size_t>(*input.max_records) : group_limits::poll_records_default;
  command.bytes_max = input.max_bytes ? static_cast<std::size_t>(*input.max_bytes) : group_limits::poll_bytes_max;
  return ask(std::move(command));
}

Told<PollOutput> PollOperation::to_output(Result&& result, Kept& kept) {
  auto* polled = std::get_if<GroupPolled>(&result);
  if (polled == nullptr) return unexpected_result();
  kept.polled = std::move(*polled);
  Output output;
  output.token = to_string(token_of(kept.polled));
  output.member = std::move(kept.polled.member);
  output.lease_millis = kept.polled.lease.count();
  output.leases = to_leases(std::move(kept.polled.leases));
  output.revoked = to_revoked(std::move(kept.polled.lost));
  auto& batches = output.batches.emplace();
  batches.reserve(kept.polled.batches.size());
  for (const GroupBatch& batch : kept.polled.batches) {
    if (was_read(batch)) batches.push_back(to_batch(batch));
  }
  return output;
}

Asked HeartbeatOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = with_token<HeartbeatGroup>(input, caller);
  if (Error* error = std::get_if<Error>(&command)) return std::move(*error);
  return ask(std::get<HeartbeatGroup>(std::move(command)));
}

Told<HeartbeatOutput> HeartbeatOperation::to_output(Result&& result, Kept&) {
  auto* polled = std::get_if<GroupPolled>(&result);
  if (polled == nullptr) return unexpected_result();
  return Output{std::move(polled->member), polled->lease.count(), to_leases(std::move(polled->leases)),
                to_revoked(std::move(polled->lost))};
}

Asked LeaveOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto command = with_token<LeaveGroup>(input, caller);
  if (Error* error = std::get_if<Error>(&command)) return std::move(*error);
  auto& leave = std::get<LeaveGroup>(command);
  leave.commit = input.commit.value_or(true);
  return ask(std::move(leave));
}

Told<LeaveOutput> LeaveOperation::to_output(Result&& result, Kept&) {
  auto* polled = std::get_if<GroupPolled>(&result);
  if (polled == nullptr) return unexpected_result();
  return Output{std::move(polled->member), to_revoked(std::move(polled->lost))};
}

}  // namespace penstock::protocol::native
