#include "storage/keys.hpp"

#include <cassert>
#include <limits>

namespace penstock::storage {
namespace {

constexpr char format_prefix = 'v';
constexpr char clock_prefix = 'n';
constexpr char queue_prefix = 'q';
constexpr char cursor_prefix = 'c';
constexpr char move_task_prefix = 't';
constexpr char stream_prefix = 's';
constexpr char shard_prefix = 'h';
constexpr char shard_cursor_prefix = 'p';
constexpr char segment_prefix = 'g';
constexpr char stream_account_prefix = 'a';
constexpr char group_prefix = 'u';
constexpr char group_lease_prefix = 'l';
constexpr char commit_key_prefix = 'k';
constexpr char function_prefix = 'f';
constexpr char mapping_prefix = 'm';
constexpr char checkpoint_prefix = 'i';
constexpr char async_event_prefix = 'e';

// What the state table has of a queue besides its states, behind the marker.
constexpr std::uint64_t marker = std::numeric_limits<std::uint64_t>::max();
constexpr char attempt_kind = 'a';
constexpr char dedup_kind = 'd';
constexpr char lane_kind = 'g';
constexpr char arrival_kind = 'r';

constexpr std::string_view uuid_digits = "0123456789abcdef";

constexpr std::size_t u32_bytes = 4;
constexpr std::size_t u64_bytes = 8;
static_assert(queue_prefix_bytes == u64_bytes && message_key_bytes == 2 * u64_bytes &&
              state_key_bytes == 2 * u64_bytes + u32_bytes);
constexpr std::size_t kind_at = 2 * u64_bytes;
constexpr std::size_t dedup_key_bytes = kind_at + 1 + u64_bytes;
constexpr std::size_t lane_key_bytes = kind_at + 1 + 2 * u64_bytes;
constexpr std::size_t arrival_key_bytes = lane_key_bytes;
constexpr std::size_t record_key_bytes = shard_prefix_bytes + u64_bytes;
constexpr std::size_t group_key_bytes = 1 + 2 * u64_bytes;
constexpr std::size_t uuid_key_bytes = 1 + 2 * u64_bytes;
constexpr std::size_t checkpoint_key_bytes = uuid_key_bytes + u64_bytes + u32_bytes;
static_assert(shard_prefix_bytes == u64_bytes + u32_bytes);
static_assert(lane_key_bytes < Key::bytes_max && state_key_bytes < Key::bytes_max);

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8U) | static_cast<unsigned char>(byte);
  return value;
}

std::uint64_t u64_at(std::string_view key, std::size_t at) { return read_big_endian(key.substr(at, u64_bytes)); }

/// Of an id that somebody chose. FNV-1a, whose last steps hardly reach the upper bits, and so a mixing at the end: keys
/// on disk are made of it, so that it stays as it is.
std::uint64_t hash_of(std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char byte : id) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33U);
}

/// The beginning of what a queue has of one kind.
Key kind_key(QueueId queue, char kind) { return Key{}.append_u64(queue.value).append_u64(marker).append_byte(kind); }

KeyRange all_of_kind(QueueId queue, char kind) {
  return {kind_key(queue, kind), kind_key(queue, static_cast<char>(kind + 1))};
}

/// Whether it is a key of this kind and length.
bool is_kind(std::string_view key, char kind, std::size_t bytes) {
  return key.size() == bytes && u64_at(key, u64_bytes) == marker && key[kind_at] == kind;
}

/// Greater than every key of the tables but for the catalog, all of which are shorter.
Key after_everything() {
  Key key;
  for (std::size_t i = 0; i < Key::bytes_max; ++i) key.append_byte(static_cast<char>(0xff));
  return key;
}

/// The least key after all that begin with this queue.
Key after_queue(QueueId queue) {
  if (queue.value == std::numeric_limits<std::uint64_t>::max()) return after_everything();
  return Key{}.append_u64(queue.value + 1);
}

/// The least key after all that begin with this queue and sequence.
Key after_sequence(QueueId queue, Sequence sequence) {
  if (sequence.value == std::numeric_limits<std::uint64_t>::max()) return after_queue(queue);
  return message_key(queue, Sequence{sequence.value + 1});
}

/// All of the catalog that has this prefix.
KeyRange all_of_prefix(char prefix) {
  return {Key{}.append_byte(prefix), Key{}.append_byte(static_cast<char>(prefix + 1))};
}

/// All of the catalog that has this prefix and then this number.
KeyRange all_under(char prefix, std::uint64_t id) {
  const Key from = Key{}.append_byte(prefix).append_u64(id);
  if (id == std::numeric_limits<std::uint64_t>::max()) return {from, all_of_prefix(prefix).until};
  return {from, Key{}.append_byte(prefix).append_u64(id + 1)};
}

Key group_key_of(char prefix, StreamId stream, GroupId group) {
  return Key{}.append_byte(prefix).append_u64(stream.value).append_u64(group.value);
}

/// All of the catalog that has this prefix and then this group.
KeyRange all_under(char prefix, StreamId stream, GroupId group) {
  const Key from = group_key_of(prefix, stream, group);
  if (group.value == std::numeric_limits<std::uint64_t>::max()) return {from, all_under(prefix, stream.value).until};
  return {from, group_key_of(prefix, stream, GroupId{group.value + 1})};
}

/// The group of a key that has so many bytes behind it.
std::optional<GroupKeyParts> parse_group_parts(std::string_view key, char prefix, std::size_t rest_bytes) {
  if (key.size() != group_key_bytes + rest_bytes || key.front() != prefix) return std::nullopt;
  return GroupKeyParts{StreamId{u64_at(key, 1)}, GroupId{u64_at(key, 1 + u64_bytes)}};
}

/// The number of 128 bits that a UUID's digits are, in two halves; nothing if it has not 32 of them.
std::optional<std::array<std::uint64_t, 2>> uuid_halves(std::string_view uuid) {
  constexpr std::size_t half_digits = 16;
  std::array<std::uint64_t, 2> halves{};
  std::size_t digits = 0;
  for (const char c : uuid) {
    if (c == '-') continue;
    const std::size_t digit = uuid_digits.find(c);
    if (digit == std::string_view::npos || digits == 2 * half_digits) return std::nullopt;
    std::uint64_t& half = halves.at(digits++ / half_digits);
    half = (half << 4U) | digit;
  }
  if (digits != 2 * half_digits) return std::nullopt;
  return halves;
}

/// REQUIRES: it is a UUID in lower case.
Key uuid_key_of(char prefix, std::string_view uuid) {
  const auto halves = uuid_halves(uuid);
  assert(halves);
  return Key{}.append_byte(prefix).append_u64(halves->at(0)).append_u64(halves->at(1));
}

/// The text of the UUID in a key that has so many bytes behind it.
std::optional<std::string> parse_uuid_part(std::string_view key, char prefix, std::size_t rest_bytes) {
  if (key.size() != uuid_key_bytes + rest_bytes || key.front() != prefix) return std::nullopt;
  std::string uuid;
  for (std::size_t i = 0; i < 2 * u64_bytes; ++i) {
    const auto byte = static_cast<unsigned char>(key[1 + i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid.append({uuid_digits[byte >> 4U], uuid_digits[byte & 0xfU]});
  }
  return uuid;
}

Key shard_key_of(char prefix, StreamId stream, ShardIndex shard) {
  return Key{}.append_byte(prefix).append_u64(stream.value).append_u32(shard.value);
}

std::optional<ShardKeyParts> parse_shard_parts(std::string_view key, char prefix) {
  if (key.size() != 1 + shard_prefix_bytes || key.front() != prefix) return std::nullopt;
  return ShardKeyParts{StreamId{u64_at(key, 1)},
                       ShardIndex{static_cast<std::uint32_t>(read_big_endian(key.substr(1 + u64_bytes)))}};
}

}  // namespace

Key& Key::append_byte(char byte) {
  assert(size_ < bytes_max);
  bytes_[size_++] = byte;
  return *this;
}

Key& Key::append_u32(std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) append_byte(static_cast<char>((value >> shift) & 0xffU));
  return *this;
}

Key& Key::append_u64(std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) append_byte(static_cast<char>((value >> shift) & 0xffU));
  return *this;
}

Key format_key() { return Key{}.append_byte(format_prefix); }
Key clock_key() { return Key{}.append_byte(clock_prefix); }

Key queue_key(QueueId queue) { return Key{}.append_byte(queue_prefix).append_u64(queue.value); }

Key cursor_key(QueueId queue) { return Key{}.append_byte(cursor_prefix).append_u64(queue.value); }

Key message_key(QueueId queue, Sequence sequence) { return Key{}.append_u64(queue.value).append_u64(sequence.value); }

Key state_key(QueueId queue, Sequence sequence, std::uint32_t revision) {
  return message_key(queue, sequence).append_u32(revision);
}

Key move_task_key(QueueId queue, std::string_view task_id) {
  return Key{}.append_byte(move_task_prefix).append_u64(queue.value).append_u64(hash_of(task_id));
}

Key attempt_key(QueueId queue, std::string_view attempt_id) {
  return kind_key(queue, attempt_kind).append_u64(hash_of(attempt_id));
}

Key dedup_key(QueueId queue, Sequence sequence) { return kind_key(queue, dedup_kind).append_u64(sequence.value); }

Key lane_key(QueueId queue, LaneId lane, Sequence sequence) {
  return kind_key(queue, lane_kind).append_u64(lane.value).append_u64(sequence.value);
}

Key arrival_key(QueueId queue, const TransferOrigin& origin) {
  return kind_key(queue, arrival_kind).append_u64(origin.queue.value).append_u64(origin.sequence.value);
}

Key stream_key(StreamId stream) { return Key{}.append_byte(stream_prefix).append_u64(stream.value); }

Key shard_key(StreamId stream, ShardIndex shard) { return shard_key_of(shard_prefix, stream, shard); }

Key shard_cursor_key(StreamId stream, ShardIndex shard) { return shard_key_of(shard_cursor_prefix, stream, shard); }

Key segment_key(StreamId stream, ShardIndex shard, RecordIndex first) {
  return shard_key_of(segment_prefix, stream, shard).append_u64(first.value);
}

Key stream_account_key(const StreamName& account) {
  return Key{}.append_byte(stream_account_prefix).append_u64(hash_of(account.account + '/' + account.region));
}

Key group_key(StreamId stream, GroupId group) { return group_key_of(group_prefix, stream, group); }

Key group_lease_key(StreamId stream, GroupId group, ShardIndex shard) {
  return group_key_of(group_lease_prefix, stream, group).append_u32(shard.value);
}

Key commit_key(StreamId stream, GroupId group, std::string_view idempotency_key) {
  return group_key_of(commit_key_prefix, stream, group).append_u64(hash_of(idempotency_key));
}

Key function_key(const FunctionName& function) {
  return Key{}
      .append_byte(function_prefix)
      .append_u64(hash_of(function.account + '/' + function.region + '/' + function.name));
}

Key mapping_key(std::string_view mapping) { return uuid_key_of(mapping_prefix, mapping); }

Key checkpoint_key(std::string_view mapping, StreamId stream, ShardIndex shard) {
  return uuid_key_of(checkpoint_prefix, mapping).append_u64(stream.value).append_u32(shard.value);
}

Key async_event_key(std::string_view event) { return uuid_key_of(async_event_prefix, event); }

Key record_key(StreamId stream, ShardIndex shard, RecordIndex index) {
  return Key{}.append_u64(stream.value).append_u32(shard.value).append_u64(index.value);
}

KeyRange all_queues() { return all_of_prefix(queue_prefix); }

KeyRange all_cursors() { return all_of_prefix(cursor_prefix); }

KeyRange all_move_tasks() { return all_of_prefix(move_task_prefix); }

KeyRange queue_contents(QueueId queue) { return {Key{}.append_u64(queue.value), after_queue(queue)}; }

KeyRange states_from(QueueId queue, Sequence from) {
  return {message_key(queue, from), message_key(queue, Sequence{marker})};
}

KeyRange messages_between(QueueId queue, Sequence from, Sequence until) {
  return {message_key(queue, from), message_key(queue, until)};
}

KeyRange states_of(QueueId queue, Sequence sequence) {
  return {message_key(queue, sequence), after_sequence(queue, sequence)};
}

KeyRange move_tasks_of(QueueId queue) { return all_under(move_task_prefix, queue.value); }

KeyRange attempts_of(QueueId queue) { return all_of_kind(queue, attempt_kind); }

KeyRange dedups_of(QueueId queue) { return all_of_kind(queue, dedup_kind); }

KeyRange dedups_before(QueueId queue, Sequence until) { return {kind_key(queue, dedup_kind), dedup_key(queue, until)}; }

KeyRange lanes_of(QueueId queue) { return all_of_kind(queue, lane_kind); }

KeyRange lane_from(QueueId queue, LaneId lane, Sequence from) {
  const Key first = lane_key(queue, lane, from);
  if (lane.value == std::numeric_limits<std::uint64_t>::max()) return {first, lanes_of(queue).until};
  return {first, kind_key(queue, lane_kind).append_u64(lane.value + 1)};
}

KeyRange arrivals_of(QueueId queue) { return all_of_kind(queue, arrival_kind); }

KeyRange all_streams() { return all_of_prefix(stream_prefix); }

KeyRange all_shards() { return all_of_prefix(shard_prefix); }

KeyRange all_shard_cursors() { return all_of_prefix(shard_cursor_prefix); }

KeyRange all_segments() { return all_of_prefix(segment_prefix); }

KeyRange all_stream_accounts() { return all_of_prefix(stream_account_prefix); }

KeyRange all_groups() { return all_of_prefix(group_prefix); }

KeyRange all_group_leases() { return all_of_prefix(group_lease_prefix); }

KeyRange all_commit_keys() { return all_of_prefix(commit_key_prefix); }

KeyRange all_functions() { return all_of_prefix(function_prefix); }

KeyRange all_mappings() { return all_of_prefix(mapping_prefix); }

KeyRange all_checkpoints() { return all_of_prefix(checkpoint_prefix); }

KeyRange all_async_events() { return all_of_prefix(async_event_prefix); }

KeyRange checkpoints_of(std::string_view mapping) {
  // No key is longer than one of a checkpoint, and all of its bytes are numbers.
  Key until = uuid_key_of(checkpoint_prefix, mapping);
  for (std::size_t i = uuid_key_bytes; i <= checkpoint_key_bytes; ++i) until.append_byte(static_cast<char>(0xff));
  return {uuid_key_of(checkpoint_prefix, mapping), until};
}

KeyRange shards_of(StreamId stream) { return all_under(shard_prefix, stream.value); }

KeyRange shard_cursors_of(StreamId stream) { return all_under(shard_cursor_prefix, stream.value); }

KeyRange segments_of(StreamId stream) { return all_under(segment_prefix, stream.value); }

KeyRange groups_of(StreamId stream) { return all_under(group_prefix, stream.value); }

KeyRange group_leases_of(StreamId stream) { return all_under(group_lease_prefix, stream.value); }

KeyRange commit_keys_of(StreamId stream) { return all_under(commit_key_prefix, stream.value); }

KeyRange group_leases_of(StreamId stream, GroupId group) { return all_under(group_lease_prefix, stream, group); }

KeyRange commit_keys_of(StreamId stream, GroupId group) { return all_under(commit_key_prefix, stream, group); }

KeyRange records_of(StreamId stream) {
  const Key from = Key{}.append_u64(stream.value);
  if (stream.value == std::numeric_limits<std::uint64_t>::max()) return {from, after_everything()};
  return {from, Key{}.append_u64(stream.value + 1)};
}

KeyRange records_between(StreamId stream, ShardIndex shard, RecordIndex from, RecordIndex until) {
  return {record_key(stream, shard, from), record_key(stream, shard, until)};
}

bool is_rewritten(Table table, std::string_view key) {
  if (table == Table::catalog) return true;
  if (table != Table::state || key.size() <= kind_at || u64_at(key, u64_bytes) != marker) return false;
  return key[kind_at] == attempt_kind || key[kind_at] == arrival_kind;
}

std::optional<QueueId> parse_queue_key(std::string_view key) {
  if (key.size() != 1 + u64_bytes || key.front() != queue_prefix) return std::nullopt;
  return QueueId{read_big_endian(key.substr(1))};
}

std::optional<QueueId> parse_cursor_key(std::string_view key) {
  if (key.size() != 1 + u64_bytes || key.front() != cursor_prefix) return std::nullopt;
  return QueueId{u64_at(key, 1)};
}

std::optional<QueueId> parse_move_task_key(std::string_view key) {
  if (key.size() != 1 + 2 * u64_bytes || key.front() != move_task_prefix) return std::nullopt;
  return QueueId{u64_at(key, 1)};
}

std::optional<MessageKeyParts> parse_message_key(std::string_view key) {
  if (key.size() != message_key_bytes) return std::nullopt;
  return MessageKeyParts{QueueId{read_big_endian(key.substr(0, u64_bytes))},
                         Sequence{read_big_endian(key.substr(u64_bytes))}};
}

std::optional<StateKeyParts> parse_state_key(std::string_view key) {
  if (key.size() != state_key_bytes) return std::nullopt;
  return StateKeyParts{QueueId{read_big_endian(key.substr(0, u64_bytes))},
                       Sequence{read_big_endian(key.substr(u64_bytes, u64_bytes))},
                       static_cast<std::uint32_t>(read_big_endian(key.substr(2 * u64_bytes)))};
}

std::optional<DedupKeyParts> parse_dedup_key(std::string_view key) {
  if (!is_kind(key, dedup_kind, dedup_key_bytes)) return std::nullopt;
  return DedupKeyParts{QueueId{u64_at(key, 0)}, Sequence{u64_at(key, kind_at + 1)}};
}

std::optional<LaneKeyParts> parse_lane_key(std::string_view key) {
  if (!is_kind(key, lane_kind, lane_key_bytes)) return std::nullopt;
  return LaneKeyParts{QueueId{u64_at(key, 0)}, LaneId{u64_at(key, kind_at + 1)},
                      Sequence{u64_at(key, kind_at + 1 + u64_bytes)}};
}

std::optional<ArrivalKeyParts> parse_arrival_key(std::string_view key) {
  if (!is_kind(key, arrival_kind, arrival_key_bytes)) return std::nullopt;
  return ArrivalKeyParts{QueueId{u64_at(key, 0)},
                         {QueueId{u64_at(key, kind_at + 1)}, Sequence{u64_at(key, kind_at + 1 + u64_bytes)}}};
}

std::optional<StreamId> parse_stream_key(std::string_view key) {
  if (key.size() != 1 + u64_bytes || key.front() != stream_prefix) return std::nullopt;
  return StreamId{u64_at(key, 1)};
}

std::optional<ShardKeyParts> parse_shard_key(std::string_view key) { return parse_shard_parts(key, shard_prefix); }

std::optional<ShardKeyParts> parse_shard_cursor_key(std::string_view key) {
  return parse_shard_parts(key, shard_cursor_prefix);
}

std::optional<RecordKeyParts> parse_segment_key(std::string_view key) {
  if (key.size() != 1 + record_key_bytes || key.front() != segment_prefix) return std::nullopt;
  return parse_record_key(key.substr(1));
}

std::optional<GroupKeyParts> parse_group_key(std::string_view key) { return parse_group_parts(key, group_prefix, 0); }

std::optional<GroupLeaseKeyParts> parse_group_lease_key(std::string_view key) {
  const std::optional<GroupKeyParts> group = parse_group_parts(key, group_lease_prefix, u32_bytes);
  if (!group) return std::nullopt;
  return GroupLeaseKeyParts{*group,
                            ShardIndex{static_cast<std::uint32_t>(read_big_endian(key.substr(group_key_bytes)))}};
}

std::optional<GroupKeyParts> parse_commit_key(std::string_view key) {
  return parse_group_parts(key, commit_key_prefix, u64_bytes);
}

std::optional<std::string> parse_mapping_key(std::string_view key) { return parse_uuid_part(key, mapping_prefix, 0); }

std::optional<CheckpointKeyParts> parse_checkpoint_key(std::string_view key) {
  auto mapping = parse_uuid_part(key, checkpoint_prefix, u64_bytes + u32_bytes);
  if (!mapping) return std::nullopt;
  return CheckpointKeyParts{
      *std::move(mapping), StreamId{u64_at(key, uuid_key_bytes)},
      ShardIndex{static_cast<std::uint32_t>(read_big_endian(key.substr(uuid_key_bytes + u64_bytes)))}};
}

std::optional<std::string> parse_async_event_key(std::string_view key) {
  return parse_uuid_part(key, async_event_prefix, 0);
}

std::optional<RecordKeyParts> parse_record_key(std::string_view key) {
  if (key.size() != record_key_bytes) return std::nullopt;
  return RecordKeyParts{{StreamId{u64_at(key, 0)},
                         ShardIndex{static_cast<std::uint32_t>(read_big_endian(key.substr(u64_bytes, u32_bytes)))}},
                        RecordIndex{u64_at(key, shard_prefix_bytes)}};
}

bool is_catalog_key(std::string_view key) {
  if (key.empty()) return false;
  switch (key.front()) {
    case queue_prefix:
    case cursor_prefix:
    case stream_prefix:
    case stream_account_prefix:
    case function_prefix:
      return key.size() == 1 + u64_bytes;
    case move_task_prefix:
    case mapping_prefix:
    case async_event_prefix:
    case group_prefix:
      return key.size() == 1 + 2 * u64_bytes;
    case shard_prefix:
    case shard_cursor_prefix:
      return key.size() == 1 + shard_prefix_bytes;
    case segment_prefix:
      return key.size() == 1 + record_key_bytes;
    case group_lease_prefix:
      return key.size() == group_key_bytes + u32_bytes;
    case commit_key_prefix:
      return key.size() == group_key_bytes + u64_bytes;
    case checkpoint_prefix:
      return key.size() == checkpoint_key_bytes;
    default:
      return false;
  }
}

bool is_queue_extra_key(std::string_view key) {
  if (key.size() <= kind_at || u64_at(key, u64_bytes) != marker) return false;
  switch (key[kind_at]) {
    case attempt_kind:
    case dedup_kind:
      return key.size() == dedup_key_bytes;
    case lane_kind:
    case arrival_kind:
      return key.size() == lane_key_bytes;
    default:
      return false;
  }
}

}  // namespace penstock::storage
