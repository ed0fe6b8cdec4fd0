// What the queues of one shard share, handed to each of them by the engine that owns it.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "core/deadline_heap.hpp"
#include "penstock/engine.hpp"
#include "penstock/entropy.hpp"
#include "penstock/limits.hpp"

namespace penstock::core {

class Queue;

/// Of a turn that has any, of a busy shard.
inline constexpr std::size_t mutations_expected = 32;

struct ShardContext {
  const Limits& limits;
  Entropy& entropy;
  DeadlineHeap deadlines{};
  Effects effects{};
  Instant now{};                   ///< of the command or deadline that is being worked on
  std::vector<Queue*> touched{};   ///< queues whose cursor has to be written with the effects
  EngineTally tally{};             ///< of all queues and streams, those that are gone too
  std::vector<Queue*> to_serve{};  ///< queues where a deadline may have brought what a receive or a move task waits for

  /// Mutations that the answer to a command promises to keep: they are synced before it is released.
  template <class Change>
  void promise(Change change) {
    note(std::move(change));
    effects.sync = true;
  }
  /// Mutations whose loss with the power at-least-once delivery allows.
  template <class Change>
  void note(Change change) {
    // They are large, and nearly every turn has some: each is made in its place, and not moved a few times.
    if (effects.mutations.capacity() == 0) effects.mutations.reserve(mutations_expected);
    effects.mutations.emplace_back(std::move(change));
  }
  /// What somebody may ask why it happened.
  void tell(MessageEvent::Kind kind, QueueId queue, Sequence sequence, Instant until = {}) {
    if (limits.tells_events) effects.events.push_back(MessageEvent{kind, queue, sequence, until});
  }
  void tell(DuplicateSend duplicate) {
    if (limits.tells_events) effects.duplicates.push_back(std::move(duplicate));
  }
  void reply(CallId call, Result result) { effects.replies.push_back(Reply{call, std::move(result)}); }
};

}  // namespace penstock::core
