// The keys of the tables. Numbers are big-endian, so that the order of bytes is the order of values, and a queue's
// records lie together.
//
//   catalog   'v'                                    the format's version
//             'q' <queue u64>                        a queue's record
//             'c' <queue u64>                        a queue's cursor
//   state     <queue u64> <sequence u64> <revision u32>
//   messages  <queue u64> <sequence u64>
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "penstock/ids.hpp"

namespace penstock::storage {

/// A key in place: building one costs no allocation.
class Key {
 public:
  static constexpr std::size_t bytes_max = 24;

  std::string_view view() const { return {bytes_.data(), size_}; }

  Key& append_byte(char byte);
  Key& append_u32(std::uint32_t value);
  Key& append_u64(std::uint64_t value);

 private:
  std::array<char, bytes_max> bytes_{};
  std::size_t size_ = 0;
};

/// The keys of [from, until).
struct KeyRange {
  Key from;
  Key until;
};

Key format_key();
Key queue_key(QueueId queue);
Key cursor_key(QueueId queue);
Key message_key(QueueId queue, Sequence sequence);
Key state_key(QueueId queue, Sequence sequence, std::uint32_t revision);

/// Every queue's record in the catalog.
KeyRange all_queues();
/// Everything under a queue, in the messages as in the state table.
KeyRange queue_contents(QueueId queue);
/// What a queue has from `from` on, in the messages as in the state table.
KeyRange contents_from(QueueId queue, Sequence from);
/// The messages of [from, until).
KeyRange messages_between(QueueId queue, Sequence from, Sequence until);
/// Every revision of one message's state.
KeyRange states_of(QueueId queue, Sequence sequence);

struct MessageKeyParts {
  QueueId queue;
  Sequence sequence;
};
struct StateKeyParts {
  QueueId queue;
  Sequence sequence;
  std::uint32_t revision = 0;
};

/// Nothing where the bytes are no key of that kind.
std::optional<QueueId> parse_queue_key(std::string_view key);
std::optional<MessageKeyParts> parse_message_key(std::string_view key);
std::optional<StateKeyParts> parse_state_key(std::string_view key);

}  // namespace penstock::storage
