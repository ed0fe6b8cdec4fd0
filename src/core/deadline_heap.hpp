// All deadlines of a shard in one heap. A deadline can be moved and removed, so a message whose visibility changes
// often leaves no litter behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "penstock/time.hpp"

namespace penstock::core {

class Queue;
class Stream;

/// What a deadline is about.
struct Due {
  enum class Kind : std::uint8_t {
    message,           ///< `id` is a sequence: its visibility, delay or retention ends
    receive,           ///< `id` is a call: its long poll ends
    fresh_expiry,      ///< the head of the fresh lane may have outlived its retention
    sweep,             ///< the delay of a message that was left to disk ends
    lease_write,       ///< the oldest lease that is in memory only is to be written
    group,             ///< `id` is a sequence: the delay of a FIFO group's first message ends
    lane,              ///< `id` is a lane: its first message may have outlived its retention
    dedup,             ///< the oldest deduplication entries, or receive attempts, are over
    move_task,         ///< the rate of a move task lets the next message go
    forget_queue,      ///< a deleted queue's name may be used again
    stream_status,     ///< CREATING, UPDATING or DELETING passes
    stream_consumers,  ///< the same of a consumer
    stream_trim,       ///< `id` is a shard: its oldest records, or it, may have outlived their retention
    subscription,      ///< `id` is a subscription: its heartbeat or its end
    group_member,      ///< `id` is a session: its poll's wait, or its lease, ends
    group_sweep,       ///< `id` is a group: something else of it is due
  };
  Kind kind{};
  Queue* queue = nullptr;
  std::uint64_t id = 0;
  Stream* stream = nullptr;  ///< of the kinds that are about one
};

class DeadlineHeap {
 public:
  /// Names a deadline from add to remove or pop; used again afterwards.
  using Handle = std::uint32_t;
  static constexpr Handle none = UINT32_MAX;

  Handle add(Instant when, Due due);
  /// REQUIRES: the handle is live, as for remove.
  void move(Handle handle, Instant when);
  void remove(Handle handle);

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  std::optional<Instant> next() const;
  /// The first of the moments that `moment_of(due, when)` gives, which are no earlier than the deadline; or nothing.
  /// Looks at those deadlines alone that come before it.
  template <class MomentOf>
  std::optional<Instant> first_moment(const MomentOf& moment_of) const {
    std::optional<Instant> first;
    look_for_moment(0, moment_of, first);
    return first;
  }

  /// Takes the earliest off; of several at one instant, the one added or moved first. REQUIRES: not empty.
  Due pop();

 private:
  /// Four children a node: fewer cache lines on the way than with two.
  static constexpr std::size_t arity = 4;

  struct Node {
    Instant when;
    std::uint64_t order = 0;  // makes the order of equal instants the same in every replay
    Handle handle = none;
  };
  struct Slot {
    std::size_t position = 0;
    Due due;
  };

  static bool before(const Node& a, const Node& b) { return a.when != b.when ? a.when < b.when : a.order < b.order; }
  template <class MomentOf>
  void look_for_moment(std::size_t position, const MomentOf& moment_of, std::optional<Instant>& first) const {
    if (position >= heap_.size()) return;
    const Node& node = heap_[position];
    if (first && *first <= node.when) return;
    const std::optional<Instant> moment = moment_of(slots_[node.handle].due, node.when);
    if (moment && (!first || *moment < *first)) first = moment;
    for (std::size_t child = position * arity + 1; child <= (position + 1) * arity; ++child) {
      look_for_moment(child, moment_of, first);
    }
  }
  void place(std::size_t position, const Node& node);
  void rise(std::size_t position);
  void sink(std::size_t position);
  void take_out(std::size_t position);

  std::vector<Node> heap_;
  std::vector<Slot> slots_;
  std::vector<Handle> free_;
  std::uint64_t order_ = 0;
};

}  // namespace penstock::core
