#include "storage/keys.hpp"

#include <cassert>
#include <limits>

namespace penstock::storage {
namespace {

constexpr char format_prefix = 'v';
constexpr char queue_prefix = 'q';
constexpr char cursor_prefix = 'c';

constexpr std::size_t u32_bytes = 4;
constexpr std::size_t u64_bytes = 8;
constexpr std::size_t message_key_bytes = 2 * u64_bytes;
constexpr std::size_t state_key_bytes = 2 * u64_bytes + u32_bytes;
static_assert(state_key_bytes < Key::bytes_max);

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8U) | static_cast<unsigned char>(byte);
  return value;
}

/// Greater than every key of the messages and state tables, which are shorter.
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

Key queue_key(QueueId queue) { return Key{}.append_byte(queue_prefix).append_u64(queue.value); }

Key cursor_key(QueueId queue) { return Key{}.append_byte(cursor_prefix).append_u64(queue.value); }

Key message_key(QueueId queue, Sequence sequence) { return Key{}.append_u64(queue.value).append_u64(sequence.value); }

Key state_key(QueueId queue, Sequence sequence, std::uint32_t revision) {
  return message_key(queue, sequence).append_u32(revision);
}

KeyRange all_queues() {
  return {Key{}.append_byte(queue_prefix), Key{}.append_byte(static_cast<char>(queue_prefix + 1))};
}

KeyRange queue_contents(QueueId queue) { return {Key{}.append_u64(queue.value), after_queue(queue)}; }

KeyRange contents_from(QueueId queue, Sequence from) { return {message_key(queue, from), after_queue(queue)}; }

KeyRange messages_between(QueueId queue, Sequence from, Sequence until) {
  return {message_key(queue, from), message_key(queue, until)};
}

KeyRange states_of(QueueId queue, Sequence sequence) {
  return {message_key(queue, sequence), after_sequence(queue, sequence)};
}

std::optional<QueueId> parse_queue_key(std::string_view key) {
  if (key.size() != 1 + u64_bytes || key.front() != queue_prefix) return std::nullopt;
  return QueueId{read_big_endian(key.substr(1))};
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

}  // namespace penstock::storage
