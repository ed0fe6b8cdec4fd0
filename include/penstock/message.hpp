// A message: what its sender gave (immutable) and what the queue knows of it (the rest).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "penstock/time.hpp"

namespace penstock {

/// One user attribute of a message. `value` holds UTF-8 for String and Number, raw bytes for Binary.
struct MessageAttribute {
  std::string name;
  std::string data_type;  ///< "String", "Number" or "Binary", with an optional ".label"
  std::string value;
  friend bool operator==(const MessageAttribute&, const MessageAttribute&) = default;

  bool is_binary() const { return data_type.starts_with("Binary"); }
};

using Md5 = std::array<std::uint8_t, 16>;

/// What a sender gave, kept byte for byte.
struct MessageContent {
  std::string body;                          ///< UTF-8
  Md5 body_md5{};                            ///< MD5 of `body`, computed once when it arrived
  std::vector<MessageAttribute> attributes;  ///< sorted by name, names distinct
  std::string trace_header;                  ///< AWSTraceHeader; empty if there is none
  std::string sender_id;                     ///< the principal that sent it
  std::string group_id;                      ///< MessageGroupId; empty if there is none
  std::string deduplication_id;              ///< MessageDeduplicationId; empty if there is none
  friend bool operator==(const MessageContent&, const MessageContent&) = default;
};

/// A message as it lies in the store under <queue, sequence>: written once, never changed.
struct StoredMessage {
  std::string message_id;  ///< UUID in its 36-character form
  Instant sent{};
  bool delayed = false;  ///< true if it never was in the fresh lane: it has a state or lane record from the start
  MessageContent content;
  std::string dead_letter_source;  ///< ARN of the queue it was moved from as a dead letter; empty if it was not
  friend bool operator==(const StoredMessage&, const StoredMessage&) = default;
};

/// The part of a message's state that changes: written when it is delayed, received or has its visibility changed; in
/// a FIFO queue from the start.
struct MessageState {
  Instant sent{};
  Instant visible_at{};             ///< in flight or delayed before this; ready from then on
  Instant received_at{};            ///< of the latest receive, from which the 12 h cap counts; epoch if never received
  Instant first_received_at{};      ///< ApproximateFirstReceiveTimestamp; epoch if never received
  std::uint32_t receive_count = 0;  ///< ApproximateReceiveCount
  std::uint64_t receipt_nonce = 0;  ///< the latest handle carries it; 0 if never received
  std::uint32_t revision = 0;       ///< part of the record's key: each key is written exactly once
  std::string group_id;  ///< MessageGroupId in a FIFO queue; in a standard one the number of its lane, if any
  std::uint32_t arrival_count = 0;  ///< of those, what it came with from another queue: not counted for a dead letter
  friend bool operator==(const MessageState&, const MessageState&) = default;
};

}  // namespace penstock
