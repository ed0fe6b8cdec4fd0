// The structures that occur in more than one input or output of Penstock's own API, and how they come from what the
// engine answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "penstock/errors.hpp"
#include "penstock/group_commands.hpp"
#include "penstock/groups.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

/// The SequenceNumber that says how far a position is: that of the last record that is done or, of a position within an
/// aggregate, that of the aggregate. One that lies behind it, and before the next record's, where it is not known when
/// the record arrived. Nothing where nothing is done.
std::optional<std::string> sequence_number_of(ShardIndex shard, std::int64_t created_s, const GroupPosition& position);

std::string_view name_of(GroupShardState state);
std::string_view name_of(CommitMode mode);
std::string_view name_of(IteratorType type);

/// Nothing for an empty text, which an answer leaves out.
std::optional<std::string> unless_empty(std::string&& text);
constexpr std::int64_t to_integer(std::uint64_t number) { return static_cast<std::int64_t>(number); }

// ---- Positions as they are given.

struct StartPosition {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = StartPosition;
    return Shape(
        "StartPosition", required("ShardId", &Self::shard_id, about("Of which shard.", kinesis::shard_id)),
        optional("SequenceNumber", &Self::sequence_number,
                 about("Of the last record that is done, or SHARD_END; without it none is.", rules::position)),
        optional("SubSequenceNumber", &Self::sub_sequence_number,
                 about("The last user record that is done of that record, an aggregate.", rules::natural)),
        optional("Metadata", &Self::metadata, about("A text that is kept with the position.", rules::metadata)));
  }
};

struct NewPosition {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = NewPosition;
    return Shape("NewPosition", required("ShardId", &Self::shard_id, about("Of which shard.", kinesis::shard_id)),
                 required("Epoch", &Self::epoch, about("Of the lease under which it was reached.", rules::natural)),
                 required("SequenceNumber", &Self::sequence_number,
                          about("Of the last record that is done, or SHARD_END.", rules::position)),
                 optional("SubSequenceNumber", &Self::sub_sequence_number,
                          about("The last user record that is done of that record, an aggregate.", rules::natural)),
                 optional("Metadata", &Self::metadata,
                          about("Replaces the text that is kept with the position.", rules::metadata)));
  }
};

/// An error for what no single member's constraint says; `member` is what the list is called in its input.
std::variant<Error, std::vector<GivenPosition>> to_positions(std::string_view member,
                                                             std::vector<StartPosition>&& given);
std::variant<Error, std::vector<GivenPosition>> to_positions(std::string_view member, std::vector<NewPosition>&& given);

// ---- What is answered.

/// A position as it is committed.
struct CommittedPosition {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = CommittedPosition;
    return Shape(
        "CommittedPosition", required("ShardId", &Self::shard_id, about("Of which shard.")),
        required("Epoch", &Self::epoch, about("Of the shard's lease.")),
        optional("SequenceNumber", &Self::sequence_number, about("Of the last record that is done; none if none is.")),
        optional("SubSequenceNumber", &Self::sub_sequence_number,
                 about("The last user record that is done of that record, an aggregate.")),
        optional("Metadata", &Self::metadata, about("The text that is kept with the position.")));
  }
};
CommittedPosition to_committed(GroupShard&& shard);

/// What every description of a shard says.
struct ShardState {
  std::optional<std::string> shard_id;
  std::optional<std::string_view> state;
  std::optional<std::string> owner;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;
  std::optional<Timestamp> committed_timestamp;
  std::optional<std::int64_t> lost_records;

  template <class... Members>
  static constexpr auto shape_with(std::string_view name, Members... members) {
    using Self = ShardState;
    return Shape(
        name, required("ShardId", &Self::shard_id, about("Which shard.")),
        required("State", &Self::state,
                 about("BLOCKED until its parents are finished, FREE, LEASED, REVOKING (to be given up once what was "
                       "handed out is done) or FINISHED.",
                       rules::shard_state)),
        optional("Owner", &Self::owner, about("The member that has it.")),
        required("Epoch", &Self::epoch, about("Of its lease: grows by one with every grant.")),
        optional("SequenceNumber", &Self::sequence_number, about("Of the last record that is done; none if none is.")),
        optional("SubSequenceNumber", &Self::sub_sequence_number,
                 about("The last user record that is done of that record, an aggregate.")),
        members..., optional("Metadata", &Self::metadata, about("The text that is kept with the position.")),
        optional("CommittedTimestamp", &Self::committed_timestamp,
                 about("When the position was last committed or reset.")),
        required("LostRecords", &Self::lost_records, about("That retention took before they were read.")));
  }
  static constexpr auto shape() { return shape_with("ShardState"); }
};
void describe_shard(GroupShard&& shard, ShardState& out);

}  // namespace penstock::protocol::native
