// The fair part of a standard queue: never-received messages with a MessageGroupId, a lane for each group.
//
// A group (tenant) is noisy while it has more than a tenth, and at least 30, of the messages in flight, or more than a
// tenth of the recent processing time; it stays so until its backlog has drained or it has sent nothing for five
// minutes. Quiet tenants come first, the oldest message of theirs before others; of several noisy ones that with the
// fewest messages in flight. (SQS Developer Guide, "Amazon SQS fair queues".)
//
// A lane lies on disk as entries in order of sequence, its front in memory as a window, so that a flood of one tenant
// costs no memory and does not hide what others sent behind it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/deadline_heap.hpp"
#include "core/shard_context.hpp"
#include "penstock/records.hpp"

namespace penstock::core {

class Lanes {
 public:
  struct Head {
    LaneId lane;
    FreshEntry entry;
  };

  /// `owner` is the queue whose lanes these are, `epoch` that of its loads; all must outlive the lanes.
  Lanes(ShardContext& shard, Queue& owner, const std::uint64_t& epoch) : shard_(shard), owner_(owner), epoch_(epoch) {}
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  ~Lanes();

  static LaneId lane_of(std::string_view group_id);

  void recover(const std::vector<RecoveredLane>& lanes, Sequence tail);
  void set_retention(Millis retention);
  /// False where there are too many tenants to tell this one from the others.
  bool takes(LaneId lane) const;
  /// Puts a new message at the end of its lane; `in_flight` are the queue's. REQUIRES: takes(lane).
  void push(LaneId lane, FreshEntry entry, std::size_t in_flight);
  void loaded(const LaneLoaded& loaded);
  /// Forgets all lanes.
  void clear();

  /// The message that comes next of those that quiet tenants sent, or of those of noisy ones.
  std::optional<Head> first_quiet(Instant now);
  std::optional<Head> first_noisy(Instant now);
  /// Takes the first message of a lane.
  void pop(LaneId lane);

  /// A message of the lane was received (its `received` is when), or is no longer in flight.
  void entered_flight(LaneId lane, std::size_t in_flight);
  void left_flight(LaneId lane, Instant received, Instant now);
  bool is_noisy(LaneId lane) const;

  /// True while entries are on their way from the store.
  bool is_loading() const { return loading_count_ > 0; }
  /// What is known in memory, lane by lane.
  std::vector<FreshEntry> known(std::size_t count_max) const;
  /// The lane's deadline has come, and was taken off the heap.
  void expiry_due(LaneId lane);
  /// The first messages of a lane that are past their retention, at most `count_max`. They are taken out.
  std::vector<FreshEntry> take_expired(LaneId lane, std::size_t count_max, Instant now);

 private:
  struct Lane {
    LaneId id;
    std::deque<FreshEntry> window;
    Sequence unread{1};  // what is not in the window begins here
    Sequence last{0};    // nothing of the lane comes after this
    Sequence load_until{1};
    bool loading = false;
    bool counted = false;  // in backlog_count_
    bool noisy = false;
    std::size_t in_flight = 0;
    Instant last_sent{};
    double processing_ms = 0;  // decayed to `processed`
    Instant processed{};
    DeadlineHeap::Handle expiry = DeadlineHeap::none;
    std::optional<Sequence> quiet_as;
    std::optional<std::pair<std::size_t, Sequence>> noisy_as;

    bool has_more() const { return unread <= last; }
    bool has_backlog() const { return !window.empty() || has_more(); }
  };

  void place(Lane& lane);
  void unplace(Lane& lane);
  void load_if_low(Lane& lane);
  void arm_expiry(Lane& lane);
  void become_noisy(Lane& lane);
  void judge(Lane& lane, std::size_t in_flight);
  void settle_silent(Instant now);
  void count_backlog(Lane& lane);
  void forget_if_idle(Lane& lane);

  ShardContext& shard_;
  Queue& owner_;
  const std::uint64_t& epoch_;
  Millis retention_{0};
  Sequence tail_{1};  // of the queue, as far as the lanes know
  std::unordered_map<LaneId, Lane> lanes_;
  std::map<Sequence, Lane*> quiet_;                          // by the first message of their window
  std::map<std::pair<std::size_t, Sequence>, Lane*> noisy_;  // by messages in flight, then the same
  Instant silent_from_{};  // no noisy lane has been silent for long enough before this
  std::size_t window_total_ = 0;
  std::size_t backlog_count_ = 0;  // lanes with something waiting: as many as a start has to find
  std::size_t loading_count_ = 0;
  double processing_ms_ = 0;  // of all messages, in lanes or not
  Instant processed_{};
};

}  // namespace penstock::core
