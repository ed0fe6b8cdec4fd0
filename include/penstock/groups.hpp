// Consumers whose positions the server keeps: what they are made of, as the engine, the store and the protocols name
// it. In the code such a consumer is a group, the field's other word for it, since Kinesis's own consumers (enhanced
// fan-out, StreamConsumer) keep no positions and have the name already. To a client it is a consumer.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// Identifies one incarnation of a group within its stream: random, never reused.
struct GroupId {
  std::uint64_t value = 0;
  friend auto operator<=>(const GroupId&, const GroupId&) = default;
};

/// When what was handed out counts as done.
enum class CommitMode : std::uint8_t {
  on_poll,   ///< the member's next poll, which shows that it has the batch before, commits that
  on_commit  ///< only a commit or a transaction does
};

/// How far a group has come in a shard: all before `next` is done, and of that record, an aggregate, the user records
/// up to and with `sub`.
struct GroupPosition {
  RecordIndex next{1};
  std::optional<std::uint64_t> sub;
  std::int64_t at_s = 0;  ///< when the record before `next` arrived, for its sequence number; 0 if that is not known
  Instant not_before{};   ///< records that arrived earlier are passed over, until a position behind them is committed
  friend bool operator==(const GroupPosition&, const GroupPosition&) = default;
  /// By how far they are.
  friend bool is_behind(const GroupPosition& a, const GroupPosition& b) {
    return std::tie(a.next, a.sub) < std::tie(b.next, b.sub);
  }
};

/// A group as the catalog keeps it, without what it has of each shard.
struct GroupInfo {
  GroupId id;
  std::string name;  ///< 1 to 128 of [a-zA-Z0-9_.-]
  Instant created{};
  IteratorType start = IteratorType::trim_horizon;  ///< where it began
  Millis lease{};                                   ///< how long a member that is not heard of keeps its shards
  CommitMode mode = CommitMode::on_poll;
  bool ephemeral = false;  ///< not stored: gone with its last member
  std::uint64_t lost_records =
      0;  ///< that retention took before they were handed out; as stored, of shards that are gone
  friend bool operator==(const GroupInfo&, const GroupInfo&) = default;
};

/// What a group has of one shard. Where there is none it is as it was made: the shard came to be after the group, is at
/// its first record, and was never held.
struct GroupLease {
  GroupPosition position;
  std::uint64_t epoch = 0;         ///< grows whenever the shard is granted; what comes with an older one is refused
  std::string owner;               ///< the member that holds it; empty if none does
  std::uint64_t session = 0;       ///< of that member; 0 for a reader by Kinesis's own calls
  std::string metadata;            ///< of the latest commit that had any
  Instant committed{};             ///< when the position was last committed or reset; epoch if it never was
  std::uint64_t lost_records = 0;  ///< that retention took before they were handed out
  RecordIndex lost_until{1};       ///< those before it are counted in that, and none behind it
  friend bool operator==(const GroupLease&, const GroupLease&) = default;
};

/// Where one record was put, by shard and number.
struct RecordPut {
  ShardIndex shard;
  SequenceNumber number;
  friend bool operator==(const RecordPut&, const RecordPut&) = default;
};

/// An IdempotencyKey that was used, and what its transaction was answered; a commit's has no records.
struct CommitKey {
  std::string key;
  Instant at{};
  std::vector<RecordPut> put;
  friend bool operator==(const CommitKey&, const CommitKey&) = default;
};

// ---- As mutations, which stand here because a transaction carries them from one shard of the server to another.

struct PutGroup {
  StreamId stream;
  GroupInfo info;
};
/// Forgets everything about a group: its record, its leases and its keys.
struct DropGroup {
  StreamId stream;
  GroupId group;
};
struct PutGroupLease {
  StreamId stream;
  GroupId group;
  ShardIndex shard;
  GroupLease lease;
};
struct DropGroupLease {
  StreamId stream;
  GroupId group;
  ShardIndex shard;
};
struct PutCommitKey {
  StreamId stream;
  GroupId group;
  CommitKey key;
};
struct DropCommitKey {
  StreamId stream;
  GroupId group;
  std::string key;
};

// ---- Readers by Kinesis's own calls, whose endpoint names a group.

/// Who reads.
struct GroupReader {
  std::string group;
  std::string member;  ///< empty if the endpoint names none
};

/// The lease under which an iterator reads.
struct GroupHold {
  std::string group;
  std::uint64_t epoch = 0;
  bool commits = false;   ///< what is before the iterator's place was handed out under it
  std::int64_t at_s = 0;  ///< as GroupPosition has it
  friend bool operator==(const GroupHold&, const GroupHold&) = default;
};

}  // namespace penstock

template <>
struct std::hash<penstock::GroupId> {
  std::size_t operator()(penstock::GroupId id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
