#include "protocol/native/shapes.hpp"

#include <set>
#include <utility>

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/native/call.hpp"

namespace penstock::protocol::native {
namespace {

std::optional<std::int64_t> to_sub(const std::optional<std::uint64_t>& sub) {
  if (!sub) return std::nullopt;
  return to_integer(*sub);
}

/// Two spellings of one shard are the same; what is no shard at all is the engine's to say.
std::string same_for_shard(const std::string& shard_id) {
  const auto shard = parse_shard_id(shard_id);
  return shard ? format_shard_id(*shard) : shard_id;
}

/// What is wrong with a position that has all members that it has to.
template <class Given>
std::optional<std::string> objection_to(const Given& given) {
  if (given.metadata && given.metadata->size() > group_limits::metadata_bytes_max) {
    return ".Metadata has to have at most " + std::to_string(group_limits::metadata_bytes_max) + " bytes.";
  }
  if (!given.sub_sequence_number) return std::nullopt;
  if (!given.sequence_number) return ".SubSequenceNumber needs a SequenceNumber beside it.";
  if (*given.sequence_number == shard_end) return ".SubSequenceNumber can not stand beside SHARD_END.";
  return std::nullopt;
}

template <class Given>
std::variant<Error, std::vector<GivenPosition>> read_positions(std::string_view member, std::vector<Given>&& given) {
  std::vector<GivenPosition> positions;
  positions.reserve(given.size());
  std::set<std::string> shards;
  for (Given& each : given) {
    const std::string place = std::string(member) + "[" + std::to_string(positions.size()) + "]";
    if (const auto objection = objection_to(each)) return invalid_request(place + *objection);
    if (!shards.insert(same_for_shard(*each.shard_id)).second) {
      return invalid_request(place + ".ShardId is " + *each.shard_id + ", of which there is a position before it.");
    }
    GivenPosition& position = positions.emplace_back();
    position.shard_id = std::move(*each.shard_id);
    if constexpr (requires { each.epoch; }) position.epoch = static_cast<std::uint64_t>(*each.epoch);
    position.sequence_number = std::move(each.sequence_number).value_or(std::string());
    if (each.sub_sequence_number) position.sub_sequence_number = static_cast<std::uint64_t>(*each.sub_sequence_number);
    position.metadata = std::move(each.metadata);
  }
  return positions;
}

}  // namespace

std::optional<std::string> sequence_number_of(ShardIndex shard, std::int64_t created_s, const GroupPosition& position) {
  RecordIndex done = position.next;
  if (!position.sub) {
    if (position.next.value <= 1) return std::nullopt;
    --done.value;
  }
  return format_sequence_number({created_s, done, position.at_s, shard, position.at_s == 0});
}

std::string_view name_of(GroupShardState state) { return values::shard_state.at(static_cast<std::size_t>(state)); }

std::string_view name_of(CommitMode mode) { return values::commit_mode.at(static_cast<std::size_t>(mode)); }

std::string_view name_of(IteratorType type) {
  return kinesis::values::shard_iterator_type.at(static_cast<std::size_t>(type));
}

std::optional<std::string> unless_empty(std::string&& text) {
  if (text.empty()) return std::nullopt;
  return std::move(text);
}

std::variant<Error, std::vector<GivenPosition>> to_positions(std::string_view member,
                                                             std::vector<StartPosition>&& given) {
  return read_positions(member, std::move(given));
}

std::variant<Error, std::vector<GivenPosition>> to_positions(std::string_view member,
                                                             std::vector<NewPosition>&& given) {
  return read_positions(member, std::move(given));
}

CommittedPosition to_committed(GroupShard&& shard) {
  GroupLease& lease = shard.lease;
  return {format_shard_id(shard.shard), to_integer(lease.epoch),
          sequence_number_of(shard.shard, shard.created_s, lease.position), to_sub(lease.position.sub),
          unless_empty(std::move(lease.metadata))};
}

void describe_shard(GroupShard&& shard, ShardState& out) {
  GroupLease& lease = shard.lease;
  out.shard_id = format_shard_id(shard.shard);
  out.state = name_of(shard.state);
  out.owner = unless_empty(std::move(lease.owner));
  out.epoch = to_integer(lease.epoch);
  out.sequence_number = sequence_number_of(shard.shard, shard.created_s, lease.position);
  out.sub_sequence_number = to_sub(lease.position.sub);
  out.metadata = unless_empty(std::move(lease.metadata));
  if (lease.committed != Instant{}) out.committed_timestamp = kinesis::to_timestamp(lease.committed);
  out.lost_records = to_integer(lease.lost_records);
}

}  // namespace penstock::protocol::native
