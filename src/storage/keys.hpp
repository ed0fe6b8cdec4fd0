// The keys of the tables. Numbers are big-endian, so that the order of bytes is the order of values, and a queue's
// records lie together.
//
//   catalog   'v'                                    the format's version
//             'n'                                    how far a virtual clock has got
//             'q' <queue u64>                        a queue's record
//             'c' <queue u64>                        a queue's cursor
//             't' <queue u64> <hash u64>             a message move task, by its id
//             's' <stream u64>                       a stream's record
//             'h' <stream u64> <shard u32>           a shard
//             'p' <stream u64> <shard u32>           a shard's cursor
//             'g' <stream u64> <shard u32> <index u64>  a segment that grows no more, by its first record
//             'a' <hash u64>                         what an account in a region has set for streams, by both names
//             'u' <stream u64> <group u64>           a group
//             'l' <stream u64> <group u64> <shard u32>  what a group has of a shard
//             'k' <stream u64> <group u64> <hash u64>   an IdempotencyKey that a group remembers, by itself
//             'f' <hash u64>                         a function, by its account, region and name
//             'm' <uuid 16>                          an event source mapping
//             'i' <uuid 16> <stream u64> <shard u32> how far a mapping has got in a shard
//             'e' <uuid 16>                          an asynchronous invoke that is not over
//   messages  <queue u64> <sequence u64>
//   state     <queue u64> <sequence u64> <revision u32>
//             <queue u64> <marker u64> and           the marker is the greatest number there is: no message has it
//                                                    for a sequence, so that all of a queue's states sort before
//               'a' <hash u64>                       a receive attempt, by its id
//               'd' <sequence u64>                   a deduplication entry
//               'g' <lane u64> <sequence u64>        a lane entry
//               'r' <queue u64> <sequence u64>       an arrival, by where it came from
//   records   <stream u64> <shard u32> <index u64>
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/functions.hpp"
#include "penstock/ids.hpp"
#include "penstock/records.hpp"
#include "penstock/store.hpp"

namespace penstock::storage {

/// What messages' and states' keys begin with.
inline constexpr std::size_t queue_prefix_bytes = 8;
inline constexpr std::size_t message_key_bytes = 16;
/// No other key of the table of states is as long.
inline constexpr std::size_t state_key_bytes = 20;

/// A key in place: building one costs no allocation.
class Key {
 public:
  static constexpr std::size_t bytes_max = 40;

  std::string_view view() const { return {bytes_.data(), size_}; }

  Key& append_byte(char byte);
  Key& append_u32(std::uint32_t value);
  Key& append_u64(std::uint64_t value);

 private:
  std::array<char, bytes_max> bytes_{};
  std::size_t size_ = 0;
};

/// What the keys of one shard's records have in common: how long it is.
inline constexpr std::size_t shard_prefix_bytes = 12;

/// The keys of [from, until).
struct KeyRange {
  Key from;
  Key until;
};

Key format_key();
Key clock_key();
Key queue_key(QueueId queue);
Key cursor_key(QueueId queue);
Key message_key(QueueId queue, Sequence sequence);
Key state_key(QueueId queue, Sequence sequence, std::uint32_t revision);
Key move_task_key(QueueId queue, std::string_view task_id);
Key attempt_key(QueueId queue, std::string_view attempt_id);
Key dedup_key(QueueId queue, Sequence sequence);
Key lane_key(QueueId queue, LaneId lane, Sequence sequence);
Key arrival_key(QueueId queue, const TransferOrigin& origin);
Key stream_key(StreamId stream);
Key shard_key(StreamId stream, ShardIndex shard);
Key shard_cursor_key(StreamId stream, ShardIndex shard);
Key segment_key(StreamId stream, ShardIndex shard, RecordIndex first);
Key stream_account_key(const StreamName& account);
Key group_key(StreamId stream, GroupId group);
Key group_lease_key(StreamId stream, GroupId group, ShardIndex shard);
Key commit_key(StreamId stream, GroupId group, std::string_view idempotency_key);
Key function_key(const FunctionName& function);
/// REQUIRES: of this one and the next two, that they are given UUIDs in lower case.
Key mapping_key(std::string_view mapping);
Key checkpoint_key(std::string_view mapping, StreamId stream, ShardIndex shard);
Key async_event_key(std::string_view event);
Key record_key(StreamId stream, ShardIndex shard, RecordIndex index);

/// Every queue's record in the catalog, every one's cursor, and every one's move tasks.
KeyRange all_queues();
KeyRange all_cursors();
KeyRange all_move_tasks();
/// Everything under a queue, in the messages as in the state table.
KeyRange queue_contents(QueueId queue);
/// The states that a queue has from `from` on, and nothing else of what the state table has.
KeyRange states_from(QueueId queue, Sequence from);
/// The messages of [from, until).
KeyRange messages_between(QueueId queue, Sequence from, Sequence until);
/// Every revision of one message's state.
KeyRange states_of(QueueId queue, Sequence sequence);
KeyRange move_tasks_of(QueueId queue);
KeyRange attempts_of(QueueId queue);
KeyRange dedups_of(QueueId queue);
/// The deduplication entries of all sequences before `until`.
KeyRange dedups_before(QueueId queue, Sequence until);
KeyRange lanes_of(QueueId queue);
/// The entries of one lane from `from` on.
KeyRange lane_from(QueueId queue, LaneId lane, Sequence from);
KeyRange arrivals_of(QueueId queue);

// Every stream's entries of one kind in the catalog, stream by stream.
KeyRange all_streams();
KeyRange all_shards();
KeyRange all_shard_cursors();
KeyRange all_segments();
KeyRange all_stream_accounts();
KeyRange all_groups();
KeyRange all_group_leases();
KeyRange all_commit_keys();
// One stream's.
KeyRange shards_of(StreamId stream);
KeyRange shard_cursors_of(StreamId stream);
KeyRange segments_of(StreamId stream);
KeyRange groups_of(StreamId stream);
KeyRange group_leases_of(StreamId stream);
KeyRange commit_keys_of(StreamId stream);
/// One group's.
KeyRange group_leases_of(StreamId stream, GroupId group);
KeyRange commit_keys_of(StreamId stream, GroupId group);
// What triggers have.
KeyRange all_functions();
KeyRange all_mappings();
KeyRange all_checkpoints();
KeyRange all_async_events();
/// One mapping's.
KeyRange checkpoints_of(std::string_view mapping);
/// Every record of a stream.
KeyRange records_of(StreamId stream);
/// The records [from, until) of a shard.
KeyRange records_between(StreamId stream, ShardIndex shard, RecordIndex from, RecordIndex until);

struct MessageKeyParts {
  QueueId queue;
  Sequence sequence;
};
struct StateKeyParts {
  QueueId queue;
  Sequence sequence;
  std::uint32_t revision = 0;
};

struct DedupKeyParts {
  QueueId queue;
  Sequence sequence;
};
struct LaneKeyParts {
  QueueId queue;
  LaneId lane;
  Sequence sequence;
};
struct ArrivalKeyParts {
  QueueId queue;
  TransferOrigin origin;
};

struct ShardKeyParts {
  StreamId stream;
  ShardIndex shard;
  friend auto operator<=>(const ShardKeyParts&, const ShardKeyParts&) = default;
};
/// Of a record's key, and of a segment's, which has its first record's index.
struct RecordKeyParts {
  ShardKeyParts shard;
  RecordIndex index;
};

/// Of a group's key, and of those of what it has.
struct GroupKeyParts {
  StreamId stream;
  GroupId group;
  friend auto operator<=>(const GroupKeyParts&, const GroupKeyParts&) = default;
};
struct GroupLeaseKeyParts {
  GroupKeyParts group;
  ShardIndex shard;
};

struct CheckpointKeyParts {
  std::string mapping;  ///< its UUID
  StreamId stream;
  ShardIndex shard;
};

/// Whether a key may be written and dropped any number of times. All others are written once.
bool is_rewritten(Table table, std::string_view key);

/// Nothing where the bytes are no key of that kind.
std::optional<QueueId> parse_queue_key(std::string_view key);
std::optional<QueueId> parse_cursor_key(std::string_view key);
std::optional<QueueId> parse_move_task_key(std::string_view key);
std::optional<MessageKeyParts> parse_message_key(std::string_view key);
std::optional<StateKeyParts> parse_state_key(std::string_view key);
std::optional<DedupKeyParts> parse_dedup_key(std::string_view key);
std::optional<LaneKeyParts> parse_lane_key(std::string_view key);
std::optional<ArrivalKeyParts> parse_arrival_key(std::string_view key);
std::optional<StreamId> parse_stream_key(std::string_view key);
std::optional<ShardKeyParts> parse_shard_key(std::string_view key);
std::optional<ShardKeyParts> parse_shard_cursor_key(std::string_view key);
std::optional<RecordKeyParts> parse_segment_key(std::string_view key);
std::optional<GroupKeyParts> parse_group_key(std::string_view key);
std::optional<GroupLeaseKeyParts> parse_group_lease_key(std::string_view key);
std::optional<GroupKeyParts> parse_commit_key(std::string_view key);
std::optional<std::string> parse_mapping_key(std::string_view key);
std::optional<CheckpointKeyParts> parse_checkpoint_key(std::string_view key);
std::optional<std::string> parse_async_event_key(std::string_view key);
std::optional<RecordKeyParts> parse_record_key(std::string_view key);

/// Whether it is a key of one of the kinds that the catalog has under an id.
bool is_catalog_key(std::string_view key);
/// Whether it is a key of what the table of states has of a queue besides states.
bool is_queue_extra_key(std::string_view key);

}  // namespace penstock::storage
