// What the engine asks to be stored and what it is given back at a start: typed values; their bytes are the business of
// src/storage/records.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/ids.hpp"
#include "penstock/message.hpp"
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
  friend bool operator==(const QueueCursor&, const QueueCursor&) = default;
};

// ---- Mutations. A commit applies all of an Effects' mutations or none.

struct PutQueue {
  QueueRecord record;
};
/// Forgets the catalog entry and the cursor.
struct DropQueue {
  QueueId queue;
};
/// Removes every message and state record of a queue; what it does not name stays.
struct DropQueueContents {
  QueueId queue;
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

using Mutation =
    std::variant<PutQueue, DropQueue, DropQueueContents, PutCursor, PutMessage, DropMessage, PutState, DropState>;

/// A queue as a start finds it. `states` are the first records in order of sequence, as many as the engine may hold.
struct RecoveredQueue {
  QueueRecord record;
  QueueCursor cursor;
  std::vector<StateEntry> states;
  std::optional<Sequence> states_next;  ///< where the records that were not read begin; nothing if all were
};

}  // namespace penstock
