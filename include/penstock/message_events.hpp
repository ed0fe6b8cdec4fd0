// What becomes of messages, for people who ask why one is where it is.
#pragma once

#include <cstdint>
#include <string>

#include "penstock/ids.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// What a queue's engine tells beside the mutations, which say that a message was put or dropped, and not why.
struct MessageEvent {
  enum class Kind : std::uint8_t {
    deleted,   ///< by a handle; the drop is in the same effects
    moved,     ///< another queue has it; the drop is in the same effects
    hidden,    ///< its visibility was changed: until `until`
    returned,  ///< what was received could not be delivered, and is not counted
    visible,   ///< the time is over for which it was hidden or delayed
  };
  Kind kind{};
  QueueId queue;
  Sequence sequence;
  Instant until{};
};

/// A send to a FIFO queue that stored nothing, because an earlier one had its deduplication id: the sender was answered
/// with that one's message. Apart from the others, which are many, and have no text with them.
struct DuplicateSend {
  QueueId queue;
  Sequence sequence;       ///< of the message that was sent first, whatever became of it
  std::string message_id;  ///< that message's
  std::string deduplication_id;
};

}  // namespace penstock
