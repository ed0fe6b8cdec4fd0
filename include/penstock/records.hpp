// What the engine asks to be stored and what it is given back at a start: typed values; their bytes are the business of
// src/storage/records.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/groups.hpp"
#include "penstock/ids.hpp"
#include "penstock/message.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// A queue as the catalog keeps it. `deleted` is set on what DeleteQueue leaves until the name may be used again.
struct QueueRecord {
  QueueId id;
  QueueName name;
  StringMap attributes;  ///< only those that were set; defaults are not stored
  StringMap tags;
  Instant created{};
  Instant modified{};
  std::optional<Instant> deleted;
  std::optional<RedrivePolicy> redrive;             ///< as the attribute RedrivePolicy says
  std::optional<RedriveAllowPolicy> redrive_allow;  ///< as the attribute RedriveAllowPolicy says
  bool dedup_by_group = false;  ///< DeduplicationScope when it was created, which later changes do not affect
  friend bool operator==(const QueueRecord&, const QueueRecord&) = default;
};

/// Where a queue's lanes begin and end, rewritten with every commit that touches the queue, so that a start need not
/// look for them among dead keys.
struct QueueCursor {
  Sequence head{1};               ///< first message of the fresh lane: never received, not delayed
  Sequence tail{1};               ///< the next message gets this sequence
  std::uint64_t fresh_count = 0;  ///< messages of the fresh lane in [head, tail)
  std::uint64_t state_count = 0;  ///< state records: in flight, returned and delayed
  Instant purged{};               ///< of the latest PurgeQueue; epoch if never
  std::uint64_t lane_count = 0;   ///< lane entries: never received, with a MessageGroupId
  friend bool operator==(const QueueCursor&, const QueueCursor&) = default;
};

/// That a FIFO queue has accepted a send under a deduplication id, which counts for five minutes after `sent`.
struct DedupEntry {
  Sequence sequence;
  Instant sent{};
  std::array<std::uint64_t, 2> id{};  ///< of scope and MessageDeduplicationId
  friend bool operator==(const DedupEntry&, const DedupEntry&) = default;
};

/// What a ReceiveRequestAttemptId was answered with.
struct ReceiveAttempt {
  struct Entry {
    Sequence sequence;
    std::uint64_t receipt_nonce = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::string id;
  Instant decided{};
  std::vector<Entry> entries;
  friend bool operator==(const ReceiveAttempt&, const ReceiveAttempt&) = default;
};

/// A message of a standard queue that has a MessageGroupId and was never received.
struct LaneEntry {
  Sequence sequence;
  Instant sent{};
  friend bool operator==(const LaneEntry&, const LaneEntry&) = default;
};

/// Where a message came from that another queue handed over.
struct TransferOrigin {
  QueueId queue;
  Sequence sequence;
  friend auto operator<=>(const TransferOrigin&, const TransferOrigin&) = default;
};

/// A message move task as its source queue keeps it.
struct MoveTask {
  std::string id;                        ///< UUID
  std::optional<QueueName> destination;  ///< nothing: each message goes back where it came from
  int per_second = 0;                    ///< MaxNumberOfMessagesPerSecond; 0: as fast as possible
  MoveTaskStatus status = MoveTaskStatus::running;
  Instant started{};
  Sequence until;             ///< messages before this one are moved
  std::uint64_t to_move = 0;  ///< messages waiting when it started
  std::uint64_t moved = 0;
  std::string failure_reason;  ///< a code, of a task that failed
  friend bool operator==(const MoveTask&, const MoveTask&) = default;
};

// ---- Mutations. A commit applies all of an Effects' mutations or none.

struct PutQueue {
  QueueRecord record;
};
/// Forgets the catalog entry and the cursor.
struct DropQueue {
  QueueId queue;
};
/// Removes every message of a queue with its state and lane records, and the receive attempts. `everything` is meant
/// for a queue that is deleted: deduplication, arrivals and move tasks go too.
struct DropQueueContents {
  QueueId queue;
  bool everything = false;
};
struct PutCursor {
  QueueId queue;
  QueueCursor cursor;
};
/// The key <queue, sequence> was never written before, and never is again.
struct PutMessage {
  QueueId queue;
  Sequence sequence;
  std::shared_ptr<const StoredMessage> message;
};
/// The message exists: dropped exactly once, except that DropQueueContents may come instead.
struct DropMessage {
  QueueId queue;
  Sequence sequence;
};
/// The key <queue, sequence, state.revision> was never written before.
struct PutState {
  QueueId queue;
  Sequence sequence;
  MessageState state;
};
/// The record <queue, sequence, revision> exists.
struct DropState {
  QueueId queue;
  Sequence sequence;
  std::uint32_t revision = 0;
};

/// The key <queue, entry.sequence> was never written before.
struct PutDedup {
  QueueId queue;
  DedupEntry entry;
};
/// Forgets the deduplication entries of all sequences before `until`.
struct DropDedups {
  QueueId queue;
  Sequence until;
};
/// Replaces what is kept under the attempt's id.
struct PutAttempt {
  QueueId queue;
  ReceiveAttempt attempt;
};
struct DropAttempt {
  QueueId queue;
  std::string id;
};
/// The key <queue, lane, entry.sequence> was never written before, and never is again.
struct PutLaneEntry {
  QueueId queue;
  LaneId lane;
  LaneEntry entry;
};
/// The record exists: dropped exactly once, except that DropQueueContents may come instead.
struct DropLaneEntry {
  QueueId queue;
  LaneId lane;
  Sequence sequence;
};
/// Remembers that a message was accepted from another queue, until that queue has durably dropped its own.
struct PutArrival {
  QueueId queue;
  TransferOrigin origin;
  TransferKind kind{};  ///< a redrive counts for its move task
};
struct DropArrival {
  QueueId queue;
  TransferOrigin origin;
};
/// Replaces the task of that id.
struct PutMoveTask {
  QueueId queue;
  MoveTask task;
};
struct DropMoveTask {
  QueueId queue;
  std::string id;
};

// ---- Of streams.

struct PutStream {
  StreamInfo info;
};
/// Forgets everything in the catalog about a stream: its record, shards, cursors, segments and groups.
struct DropStream {
  StreamId stream;
};
struct PutShard {
  StreamId stream;
  ShardRecord shard;
};
/// Forgets a shard, with its cursor; its segments and records were dropped before.
struct DropShard {
  StreamId stream;
  ShardIndex shard;
};
struct PutShardCursor {
  StreamId stream;
  ShardIndex shard;
  ShardCursor cursor;
};
/// A segment that grows no more. Written once.
struct PutSegment {
  StreamId stream;
  ShardIndex shard;
  Segment segment;
  std::uint64_t bytes = 0;  ///< of its records' data and partition keys
};
/// Drops a segment's entry in the catalog, if it has one, and all records before `end`: one range, whatever it holds.
struct DropSegment {
  StreamId stream;
  ShardIndex shard;
  RecordIndex first;
  RecordIndex end;
};
/// Consecutive records from `first` on, whose keys were never written before, and never are again.
struct PutStreamRecords {
  StreamId stream;
  ShardIndex shard;
  RecordIndex first;
  std::vector<StreamRecord> records;
};
/// Drops every record of a stream: one range.
struct DropStreamRecords {
  StreamId stream;
};
struct PutStreamAccount {
  StreamAccount account;
};

using Mutation =
    std::variant<PutQueue, DropQueue, DropQueueContents, PutCursor, PutMessage, DropMessage, PutState, DropState,
                 PutDedup, DropDedups, PutAttempt, DropAttempt, PutLaneEntry, DropLaneEntry, PutArrival, DropArrival,
                 PutMoveTask, DropMoveTask, PutStream, DropStream, PutShard, DropShard, PutShardCursor, PutSegment,
                 DropSegment, PutStreamRecords, DropStreamRecords, PutStreamAccount, PutGroup, DropGroup, PutGroupLease,
                 DropGroupLease, PutCommitKey, DropCommitKey>;

/// The first message of a lane, as a start finds it.
struct RecoveredLane {
  LaneId lane;
  std::vector<LaneEntry> first;  ///< in order: all of it, or Limits::lane_recovered_max entries
};

/// A queue as a start finds it. `states` are the first records in order of sequence, as many as the engine may hold.
/// Moves that were cut off between the two queues have been completed in the store before.
struct RecoveredQueue {
  QueueRecord record;
  QueueCursor cursor;
  std::vector<StateEntry> states;
  std::optional<Sequence> states_next;  ///< where the records that were not read begin; nothing if all were
  std::vector<DedupEntry> dedups;       ///< in order of sequence
  std::vector<ReceiveAttempt> attempts;
  std::vector<RecoveredLane> lanes;
  std::vector<MoveTask> move_tasks;
};

/// A shard as a start finds it. `segments` are those that grow no more, in order.
struct RecoveredShard {
  ShardRecord record;
  ShardCursor cursor;
  std::vector<Segment> segments;
  std::vector<std::uint64_t> segment_bytes{};  ///< of each of them; 0, or missing, where that is not known
};

/// A group as a start finds it. Leases may be of shards that are gone.
struct RecoveredGroup {
  GroupInfo info;
  std::vector<std::pair<ShardIndex, GroupLease>> leases;  ///< in order of the shards
  std::vector<CommitKey> keys;                            ///< in no order
};

/// A stream as a start finds it, its shards in order of their indexes.
struct RecoveredStream {
  StreamInfo info;
  std::vector<RecoveredShard> shards;
  std::vector<RecoveredGroup> groups;  ///< in order of their ids
};

}  // namespace penstock
