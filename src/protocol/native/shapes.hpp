// The structures of the API of consumers with positions. Names are Kinesis's where it has them. What a path carries has
// the name that its template has; of a GET or a DELETE all else is in the query, of others in a body in JSON.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/group_commands.hpp"
#include "penstock/limits.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

namespace constraints {

inline constexpr std::size_t token_chars_max = 8'192;
inline constexpr std::size_t number_chars_max = 128;
inline constexpr std::array<std::string_view, 3> start_types{"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"};
inline constexpr std::array<std::string_view, 2> commit_modes{"ON_POLL", "ON_COMMIT"};

inline constexpr Constraints name{.length = Length{1, group_limits::name_chars_max},
                                  .pattern = &kinesis::patterns::name};
inline constexpr Constraints shard_id{.length = Length{1, 128}, .pattern = &kinesis::patterns::name};
inline constexpr Constraints sequence_number{.length = Length{1, number_chars_max}};
inline constexpr Constraints token{.length = Length{0, token_chars_max}};
inline constexpr Constraints metadata{.length = Length{0, group_limits::metadata_bytes_max}};
inline constexpr Constraints key{.length = Length{1, group_limits::name_chars_max}};
inline constexpr Constraints start_type{.allowed = start_types};
inline constexpr Constraints commit_mode{.allowed = commit_modes};
inline constexpr Constraints iterator_type{.allowed = kinesis::values::shard_iterator_type};
inline constexpr Constraints lease{
    .range = Range{.min = group_limits::lease_min.count(), .max = group_limits::lease_max.count()}};
inline constexpr Constraints wait{.range = Range{.min = 0, .max = group_limits::wait_max.count()}};
inline constexpr Constraints poll_records{.range = Range{.min = 1, .max = group_limits::poll_records_max}};
inline constexpr Constraints poll_bytes{.range = Range{.min = 1, .max = group_limits::poll_bytes_max}};
inline constexpr Constraints page{.range = Range{.min = 1, .max = group_limits::list_max}};
inline constexpr Constraints positions{.length = Length{1, group_limits::positions_max}};
inline constexpr Constraints start_positions{.length = Length{0, group_limits::positions_max}};
inline constexpr Constraints records{.length = Length{1, group_limits::transact_records_max}};
inline constexpr Constraints partition_key{.length = Length{1, 256}};
inline constexpr Constraints not_negative{.range = Range{.min = 0}};

}  // namespace constraints

/// A member, and what it is.
template <class Struct, class Field>
constexpr Member<Struct, Field> may(std::string_view name, std::optional<Field> Struct::*field,
                                    std::string_view description, const Constraints& constraints = {}) {
  return optional(name, field, {.constraints = constraints, .description = description});
}
template <class Struct, class Field>
constexpr Member<Struct, Field> must(std::string_view name, std::optional<Field> Struct::*field,
                                     std::string_view description, const Constraints& constraints = {}) {
  return required(name, field, {.constraints = constraints, .description = description});
}

// ---- What is given.

struct StartPosition {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = StartPosition;
    return Shape(
        "StartPosition", must("ShardId", &Self::shard_id, "The shard.", constraints::shard_id),
        may("SequenceNumber", &Self::sequence_number,
            "Of the last record that is done, or SHARD_END; absent where none is.", constraints::sequence_number),
        may("SubSequenceNumber", &Self::sub_sequence_number,
            "Of that record, an aggregate, the last user record that is done.", constraints::not_negative),
        may("Metadata", &Self::metadata, "A text of the consumer's own.", constraints::metadata));
  }
};

struct Start {
  std::optional<std::string> type;
  std::optional<Timestamp> timestamp;
  std::optional<std::vector<StartPosition>> positions;

  static constexpr auto shape() {
    using Self = Start;
    return Shape("Start", may("Type", &Self::type, "Where each shard begins.", constraints::start_type),
                 may("Timestamp", &Self::timestamp, "Of AT_TIMESTAMP, in seconds since the epoch."),
                 may("Positions", &Self::positions,
                     "Where these shards begin instead; their ancestors are finished, unless they are here too.",
                     constraints::start_positions));
  }
};

struct Position {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = Position;
    return Shape(
        "Position", must("ShardId", &Self::shard_id, "The shard.", constraints::shard_id),
        must("Epoch", &Self::epoch, "Of the lease under which the records were handed out.", constraints::not_negative),
        must("SequenceNumber", &Self::sequence_number, "Of the last record that is done, or SHARD_END.",
             constraints::sequence_number),
        may("SubSequenceNumber", &Self::sub_sequence_number,
            "Of that record, an aggregate, the last user record that is done.", constraints::not_negative),
        may("Metadata", &Self::metadata,
            "A text of the consumer's own, at most 1,024 characters; replaces the one before.", constraints::metadata));
  }
};

struct NewRecord {
  std::optional<Blob> data;
  std::optional<std::string> partition_key;
  std::optional<std::string> explicit_hash_key;

  static constexpr auto shape() {
    using Self = NewRecord;
    return Shape(
        "NewRecord", must("Data", &Self::data, "In base64."),
        must("PartitionKey", &Self::partition_key, "Its MD5 decides on the shard.", constraints::partition_key),
        may("ExplicitHashKey", &Self::explicit_hash_key, "Decides on the shard instead.",
            kinesis::hash_key.constraints));
  }
};

// ---- What is answered.

struct ShardState {
  std::optional<std::string> shard_id;
  std::optional<std::string_view> state;
  std::optional<std::string> owner;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;
  std::optional<Timestamp> committed;
  std::optional<std::int64_t> lost_records;

  static constexpr auto shape() {
    using Self = ShardState;
    return Shape(
        "ShardState", must("ShardId", &Self::shard_id, "The shard."),
        must("State", &Self::state, "BLOCKED by its parents, FREE, LEASED, REVOKING or FINISHED."),
        may("Owner", &Self::owner, "The member that holds it."),
        must("Epoch", &Self::epoch, "Of the latest lease; 0 if it never was held."),
        may("SequenceNumber", &Self::sequence_number, "Of the last record that is done; absent where none is."),
        may("SubSequenceNumber", &Self::sub_sequence_number, "Of that record, the last user record that is done."),
        may("Metadata", &Self::metadata, "Of the latest commit that had any."),
        may("CommittedTimestamp", &Self::committed, "When the position was last committed or reset."),
        must("LostRecords", &Self::lost_records, "That retention took before they were handed out."));
  }
};

struct MemberState {
  std::optional<std::string> member;
  std::optional<std::int64_t> shards;
  std::optional<Timestamp> expires;
  std::optional<bool> waiting;
  std::optional<bool> reader;

  static constexpr auto shape() {
    using Self = MemberState;
    return Shape("MemberState", must("Member", &Self::member, "Its name."),
                 must("Shards", &Self::shards, "How many it holds."),
                 must("ExpirationTimestamp", &Self::expires, "When they go to others, unless it is heard of."),
                 must("Waiting", &Self::waiting, "A poll of it waits."),
                 must("Reader", &Self::reader, "It reads by Kinesis's own calls."));
  }
};

struct ConsumerSummary {
  std::optional<std::string> name;
  std::optional<Timestamp> created;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::string_view> commit_mode;
  std::optional<bool> ephemeral;
  std::optional<std::string_view> start_type;
  std::optional<std::int64_t> lost_records;

  static constexpr auto shape() {
    using Self = ConsumerSummary;
    return Shape("ConsumerSummary", must("ConsumerName", &Self::name, "Its name."),
                 must("CreationTimestamp", &Self::created, "In seconds since the epoch."),
                 must("LeaseMillis", &Self::lease_millis, "How long a member that is not heard of keeps its shards."),
                 must("CommitMode", &Self::commit_mode, "ON_POLL or ON_COMMIT."),
                 must("Ephemeral", &Self::ephemeral, "It is not stored, and gone with its last member."),
                 must("StartType", &Self::start_type, "Where it began."),
                 must("LostRecords", &Self::lost_records,
                      "That retention took before they were handed out, of shards that are gone as well."));
  }
};

struct LeaseState {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<bool> revoking;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = LeaseState;
    return Shape("Lease", must("ShardId", &Self::shard_id, "The shard."),
                 must("Epoch", &Self::epoch, "To be given with what is committed."),
                 must("Revoking", &Self::revoking, "It is to be given up: what was handed out is to be committed."),
                 may("Metadata", &Self::metadata, "Of the latest commit that had any."));
  }
};

struct RevokedLease {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::int64_t> owner_epoch;
  std::optional<std::string> owner;

  static constexpr auto shape() {
    using Self = RevokedLease;
    return Shape("RevokedLease", must("ShardId", &Self::shard_id, "The shard."),
                 must("Epoch", &Self::epoch, "Of the lease that is over; what came under it was not committed."),
                 must("OwnerEpoch", &Self::owner_epoch, "Of the present lease."),
                 may("Owner", &Self::owner, "The member that holds it now."));
  }
};

struct Batch {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::vector<kinesis::Record>> records;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::int64_t> millis_behind_latest;
  std::optional<std::int64_t> lost_records;
  std::optional<bool> shard_end;

  static constexpr auto shape() {
    using Self = Batch;
    return Shape("Batch", must("ShardId", &Self::shard_id, "The shard."), must("Epoch", &Self::epoch, "Of its lease."),
                 must("Records", &Self::records, "In order, as GetRecords has them."),
                 may("SubSequenceNumber", &Self::sub_sequence_number,
                     "The first record is an aggregate of which the user records up to this one are done."),
                 must("MillisBehindLatest", &Self::millis_behind_latest,
                      "How old the first record behind the batch is; 0 if there is none."),
                 must("LostRecords", &Self::lost_records, "That retention took before the first of these."),
                 must("ShardEnd", &Self::shard_end, "The shard is closed, and this is the last of it."));
  }
};

// ---- From what the engine says.

/// The SequenceNumber and SubSequenceNumber of a position.
struct PositionText {
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
};
PositionText text_of(ShardIndex shard, std::int64_t created_s, const GroupPosition& position);

ShardState to_shard_state(const GroupShard& shard);
ConsumerSummary to_summary(const GroupInfo& info);
std::vector<LeaseState> to_leases(std::vector<HeldLease>&& leases);
std::vector<RevokedLease> to_revoked(std::vector<LostLease>&& lost);
std::string_view name_of(GroupShardState state);
std::string_view name_of(CommitMode mode);
std::string_view name_of_start(IteratorType type);

constexpr std::int64_t to_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

}  // namespace penstock::protocol::native
