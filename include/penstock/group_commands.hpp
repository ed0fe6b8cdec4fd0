// What can be asked of the groups of a stream (consumers with positions, groups.hpp), and what is answered. Every
// command may answer KinesisResourceNotFound where there is no such stream, and all but CreateGroup and ListGroups
// ConsumerNotFound.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/groups.hpp"
#include "penstock/ids.hpp"
#include "penstock/stream_commands.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// A position in a shard as a client gives it.
struct GivenPosition {
  std::string shard_id;
  std::uint64_t epoch = 0;      ///< of the lease under which it was reached; of no meaning for a start
  std::string sequence_number;  ///< of the last record that is done, or SHARD_END; empty (a start only): none is
  std::optional<std::uint64_t> sub_sequence_number;  ///< of that record, the last user record that is done
  std::optional<std::string> metadata;               ///< replaces what there is
};

/// Where a group begins. Where positions are given, `from` is TRIM_HORIZON and is for shards that have none and are no
/// ancestors of one that has; ancestors are finished.
struct GroupStart {
  StartingPosition from{IteratorType::trim_horizon, {}, {}};
  std::vector<GivenPosition> positions{};
};

/// Answer: GroupDescription; also if it exists with the same settings. Errors: ConsumerExists, InvalidPosition,
/// KinesisInvalidArgument, ConsumerLimitExceeded.
struct CreateGroup {
  StreamName stream;
  std::string group;
  GroupStart start;
  Millis lease{};
  CommitMode mode{};
  bool ephemeral = false;
};

/// Answer: GroupDescription, with the shards after `after_shard_id`, at most `limit`.
struct DescribeGroup {
  StreamName stream;
  std::string group;
  std::string after_shard_id;
  std::size_t limit = 0;
};

/// Answer: GroupList, sorted by name, of those after `after`; at most `limit`.
struct ListGroups {
  StreamName stream;
  std::string after;
  std::size_t limit = 0;
};

/// Polls that wait are answered with ConsumerNotFound. Answer: Done. Errors: ConsumerBusy.
struct DeleteGroup {
  StreamName stream;
  std::string group;
};

/// What was handed out of one shard, as the member says by its token that it has it.
struct HandedOut {
  ShardIndex shard;
  std::uint64_t epoch = 0;
  RecordIndex next;       ///< the first record that was not in it
  std::int64_t at_s = 0;  ///< when the one before that arrived; 0 if it had none
  RecordIndex first;      ///< what retention took lies before it (first_kept)
  RecordIndex from{};     ///< and not before this, where reading began
  friend bool operator==(const HandedOut&, const HandedOut&) = default;
};

/// What a member brings from the answer before.
struct GroupToken {
  GroupId group;
  std::uint64_t session = 0;
  std::vector<HandedOut> handed;
};

/// Joins, if there is no token; then a member of that name that there was is over, and its shards are this one's with
/// new epochs. Takes what the token says as received and, on_poll, as done; renews the leases; waits for records.
/// Answer: GroupPolled. Errors: MemberReplaced (its session is over, because another with its name has joined),
/// ConsumerBusy, ConsumerLimitExceeded.
struct PollGroup {
  StreamName stream;
  std::string group;
  std::string member;
  std::optional<GroupToken> token;
  Millis wait{};  ///< at most half of the lease is waited
  std::size_t count_max = 0;
  std::size_t bytes_max = 0;
};

/// The client of a poll that waits has gone: it is unparked without an answer.
struct CancelPoll {
  StreamName stream;
  std::string group;
  CallId poll;
};

/// Renews the leases and changes nothing else. Answer: GroupPolled without batches. Errors: MemberReplaced;
/// MemberUnknown if its lease time was over.
struct HeartbeatGroup {
  StreamName stream;
  std::string group;
  std::string member;
  GroupToken token;
};

/// Gives all shards back at once. Answer: GroupPolled without batches or leases. Errors: as of HeartbeatGroup,
/// ConsumerBusy.
struct LeaveGroup {
  StreamName stream;
  std::string group;
  std::string member;
  GroupToken token;
  bool commit = true;  ///< on_poll: what the token says is done
};

/// All of the positions, or none. Renews the leases of their owners. Answer: GroupCommitted. Errors: LeaseLost,
/// PositionConflict (backwards, and not forced), InvalidPosition, ConsumerBusy.
struct CommitGroup {
  StreamName stream;
  std::string group;
  std::vector<GivenPosition> positions;
  bool force = false;
  std::string key;  ///< IdempotencyKey; empty if there is none
};

/// Commits positions and puts records into `target`, both or neither. At least one position has to go forward, so that
/// no transaction takes effect twice. Answer: GroupTransacted. Errors: those of CommitGroup and, of the whole, those of
/// PutRecords.
struct TransactGroup {
  StreamName stream;
  std::string group;
  std::vector<GivenPosition> positions;
  StreamName target;
  std::vector<PutEntry> entries;
  std::string key;
};

/// Asked of the target of a transaction, which writes what the positions are to be in one batch with its records.
/// Answer: RecordsPut, every entry of which was put. Errors: those of PutRecords.
struct AcceptTransaction {
  StreamName stream;
  std::vector<PutEntry> entries;
  std::vector<PutGroupLease> leases;
  std::optional<PutCommitKey> key;  ///< its `put` is filled in
};

/// The outcome of a Transaction, coming back. It is always told; TransactGroup's call is answered by it.
struct TransactionSettled {
  StreamName stream;
  CallId call;  ///< of the TransactGroup
  std::optional<Error> failure{};
  std::vector<RecordPut> put{};
};

/// Sets positions, whatever they were, and takes all shards that it is about from their members, which get them again
/// with new epochs. Answer: GroupReset. Errors: KinesisInvalidArgument, InvalidPosition, ConsumerBusy.
struct ResetGroup {
  StreamName stream;
  std::string group;
  std::string shard_id;  ///< empty: all shards
  StartingPosition to;   ///< of a sequence number only with a shard
  bool dry_run = false;  ///< only tells what it would do
};

/// Answer: GroupLag, of the shards after `after_shard_id`, at most `limit`.
struct DescribeLag {
  StreamName stream;
  std::string group;
  std::string after_shard_id;
  std::size_t limit = 0;
};

// ---- Results.

enum class GroupShardState : std::uint8_t {
  blocked,   ///< its parents are not finished
  free,      ///< waits for a member
  leased,    ///< held
  revoking,  ///< held by one that is to give it up once it has done what it has
  finished   ///< closed, and all of it is done
};

/// One shard as a group sees it.
struct GroupShard {
  ShardIndex shard;
  std::int64_t created_s = 0;  ///< of the shard, for sequence numbers
  bool closed = false;
  GroupShardState state{};
  GroupLease lease;
};

struct GroupMember {
  std::string name;
  std::size_t shards = 0;
  Instant expires{};     ///< when its shards go to others, unless it is heard of
  bool waiting = false;  ///< a poll of it waits
  bool reader = false;   ///< by Kinesis's own calls
};

struct GroupDescription {
  StreamName stream;
  StreamId stream_id;
  GroupInfo info;
  bool created = false;  ///< by this very call
  std::vector<GroupMember> members;
  std::vector<GroupShard> shards;
  bool more = false;
};

struct GroupList {
  std::vector<GroupInfo> groups;
  bool more = false;
};

struct HeldLease {
  ShardIndex shard;
  std::uint64_t epoch = 0;
  bool revoking = false;
  std::string metadata;
};

/// A shard of which the member brought something under an epoch that is over: that was not committed.
struct LostLease {
  ShardIndex shard;
  std::uint64_t epoch = 0;        ///< the one that is over
  std::uint64_t owner_epoch = 0;  ///< the present one
  std::string owner;              ///< empty if nobody has it
};

/// What is handed out of one shard. The engine says which records; the shell reads them.
struct GroupBatch {
  std::uint64_t epoch = 0;
  GroupPosition position;  ///< where reading begins
  RecordsPage page;
};

/// What retention took behind a position lies before this. REQUIRES: the page was read from that position on.
inline RecordIndex first_kept(const GroupPosition& position, const RecordsPage& page) {
  // What is passed over on account of a start by time is not wanted, and so not lost.
  if (position.not_before != Instant{}) return std::max(page.from, position.next);
  return std::max(page.records.empty() ? page.next : page.records.front().index, position.next);
}
inline std::uint64_t lost_records(const GroupPosition& position, const RecordsPage& page) {
  return first_kept(position, page).value - position.next.value;
}
/// What is lost already, and not counted yet in `lease`. REQUIRES: the page was read from the lease's position on.
inline std::uint64_t lost_records(const GroupLease& lease, const RecordsPage& page) {
  const RecordIndex counted = std::max(lease.lost_until, lease.position.next);
  const RecordIndex first = first_kept(lease.position, page);
  return first > counted ? first.value - counted.value : 0;
}

struct GroupPolled {
  StreamName stream;
  StreamId stream_id;
  GroupId group;
  std::string member;
  std::uint64_t session = 0;
  Millis lease{};
  std::vector<HeldLease> leases;  ///< all that the member has, sorted by shard
  std::vector<LostLease> lost;
  std::vector<GroupBatch> batches;  ///< read in this order, until there are as many records or bytes as were asked for
  std::size_t count_max = 0;
  std::size_t bytes_max = 0;
};

struct GroupCommitted {
  std::vector<GroupShard> shards;  ///< those that were committed, as they are now
  bool repeated = false;           ///< its key was used before, and nothing was done
};

struct GroupTransacted {
  std::vector<RecordPut> put;
  bool repeated = false;  ///< its key was used before: where the records were put then
};

struct ShardReset {
  GroupShard shard;    ///< as it was
  GroupPosition to;    ///< what its position becomes
  RecordsPage page{};  ///< one record at the new position, which the shell reads
};
struct GroupReset {
  std::vector<ShardReset> shards;
  bool dry_run = false;
};

struct ShardLag {
  GroupShard shard;
  RecordsPage page{};  ///< one record at the position, which the shell reads
};
struct GroupLag {
  GroupInfo info;
  std::vector<ShardLag> shards;
  bool more = false;
};

}  // namespace penstock
