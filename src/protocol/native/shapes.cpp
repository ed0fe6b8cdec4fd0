#include "protocol/native/shapes.hpp"

#include <utility>

#include "penstock/stream_names.hpp"

namespace penstock::protocol::native {

PositionText text_of(ShardIndex shard, std::int64_t created_s, const GroupPosition& position) {
  PositionText text;
  if (position.sub) {
    text.sequence_number = format_sequence_number({created_s, position.next, position.at_s, shard});
    text.sub_sequence_number = to_signed(*position.sub);
    return text;
  }
  if (position.next <= RecordIndex{1}) return text;
  const RecordIndex last{position.next.value - 1};
  const bool is_known = position.at_s != 0;
  text.sequence_number =
      format_sequence_number({created_s, last, is_known ? position.at_s : created_s, shard, !is_known});
  return text;
}

std::string_view name_of(GroupShardState state) {
  switch (state) {
    case GroupShardState::blocked:
      return "BLOCKED";
    case GroupShardState::free:
      return "FREE";
    case GroupShardState::leased:
      return "LEASED";
    case GroupShardState::revoking:
      return "REVOKING";
    case GroupShardState::finished:
      break;
  }
  return "FINISHED";
}

std::string_view name_of(CommitMode mode) { return mode == CommitMode::on_poll ? "ON_POLL" : "ON_COMMIT"; }

std::string_view name_of_start(IteratorType type) {
  if (type == IteratorType::latest) return "LATEST";
  return type == IteratorType::at_timestamp ? "AT_TIMESTAMP" : "TRIM_HORIZON";
}

ShardState to_shard_state(const GroupShard& shard) {
  const GroupLease& lease = shard.lease;
  PositionText position = text_of(shard.shard, shard.created_s, lease.position);
  ShardState state;
  state.shard_id = format_shard_id(shard.shard);
  state.state = name_of(shard.state);
  if (!lease.owner.empty()) state.owner = lease.owner;
  state.epoch = to_signed(lease.epoch);
  state.sequence_number = std::move(position.sequence_number);
  state.sub_sequence_number = position.sub_sequence_number;
  if (!lease.metadata.empty()) state.metadata = lease.metadata;
  if (lease.committed != Instant{}) state.committed = kinesis::to_timestamp(lease.committed);
  state.lost_records = to_signed(lease.lost_records);
  return state;
}

ConsumerSummary to_summary(const GroupInfo& info) {
  return {info.name,      kinesis::to_timestamp(info.created), info.lease.count(),          name_of(info.mode),
          info.ephemeral, name_of_start(info.start),           to_signed(info.lost_records)};
}

std::vector<LeaseState> to_leases(std::vector<HeldLease>&& leases) {
  std::vector<LeaseState> all;
  all.reserve(leases.size());
  for (HeldLease& lease : leases) {
    LeaseState& state = all.emplace_back();
    state.shard_id = format_shard_id(lease.shard);
    state.epoch = to_signed(lease.epoch);
    state.revoking = lease.revoking;
    if (!lease.metadata.empty()) state.metadata = std::move(lease.metadata);
  }
  return all;
}

std::vector<RevokedLease> to_revoked(std::vector<LostLease>&& lost) {
  std::vector<RevokedLease> all;
  all.reserve(lost.size());
  for (LostLease& lease : lost) {
    RevokedLease& revoked = all.emplace_back();
    revoked.shard_id = format_shard_id(lease.shard);
    revoked.epoch = to_signed(lease.epoch);
    revoked.owner_epoch = to_signed(lease.owner_epoch);
    if (!lease.owner.empty()) revoked.owner = std::move(lease.owner);
  }
  return all;
}

}  // namespace penstock::protocol::native
