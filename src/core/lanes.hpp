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
#include <string>
#include <string_view>
#include <tuple>
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
  /// What a state record keeps of the group: a number is enough to tell tenants apart.
  static std::string text_of(LaneId lane);
  static std::optional<LaneId> parse(const std::string& text);

  void recover(const std::vector<RecoveredLane>& lanes, Sequence tail, Instant now);
  void set_retention(Millis retention);
  /// False where there are too many tenants to tell this one from the others.
  bool takes(LaneId lane) const;
  /// Puts a new message at the end of its lane. REQUIRES: takes(lane).
  void push(LaneId lane, FreshEntry entry);
  void loaded(const LaneLoaded& loaded);
  /// Forgets all lanes.
  void clear();

  /// The message that comes next of those that quiet tenants sent and nobody received.
  std::optional<Head> first_quiet() const;
  /// The noisy tenants that have a backlog, in the order in which their turn comes, and what comes next of theirs that
  /// nobody received.
  struct Noisy {
    LaneId lane;
    std::optional<FreshEntry> entry;
  };
  template <class Takes>
  std::optional<Noisy> first_noisy(const Takes& takes) const {
    for (const auto& [order, lane] : noisy_) {
      Noisy noisy{lane->id, {}};
      if (!lane->window.empty()) noisy.entry = lane->window.front();
      if (takes(noisy)) return noisy;
    }
    return std::nullopt;
  }
  /// The oldest of all that nobody received, as far as it is known in memory.
  std::optional<Head> oldest() const;
  /// The tenants that were noisy and have become quiet by sending nothing, since this was last called.
  std::vector<LaneId> turned_quiet(Instant now);
  /// Takes the first message of a lane.
  void pop(LaneId lane);

  /// A message of the lane was received (its `received` is when), or is no longer in flight.
  void entered_flight(LaneId lane, Instant sent);
  void left_flight(LaneId lane, Instant received, Instant now);
  /// A message of the lane that was received before waits again, or does so no longer. It counts as backlog.
  void waits_again(LaneId lane, Instant sent);
  void waits_no_longer(LaneId lane);
  /// Decides whether a tenant has become noisy; `in_flight` are the queue's.
  void judge(LaneId lane, std::size_t in_flight, Instant now);
  void judge_all(std::size_t in_flight, Instant now);
  bool is_noisy(LaneId lane) const;

  /// True while entries are on their way from the store.
  bool is_loading() const { return loading_count_ > 0; }
  /// What is known in memory, lane by lane.
  std::vector<FreshEntry> known(std::size_t count_max) const;
  /// When the first message of a lane expires, if it is known to have one.
  std::optional<Instant> first_expiry(LaneId lane) const;
  /// The lane's deadline has come, and was taken off the heap.
  void expiry_due(LaneId lane);
  /// The first messages of a lane that are past their retention, at most `count_max`. They are taken out.
  std::vector<FreshEntry> take_expired(LaneId lane, std::size_t count_max, Instant now);

 private:
  // By messages in flight, then by the first message of the window, if there is one.
  using NoisyOrder = std::tuple<std::size_t, Sequence, LaneId>;
  struct Lane {
    LaneId id;
    std::deque<FreshEntry> window;
    Sequence unread{1};  // what is not in the window begins here
    Sequence last{0};    // nothing of the lane comes after this
    Sequence load_until{1};
    bool loading = false;
    bool counted = false;  // in backlog_count_
    bool noisy = false;
    bool resting = false;  // in resting_
    std::size_t in_flight = 0;
    std::size_t returned = 0;  // received before, and waiting again
    Instant last_sent{};
    double processing_ms = 0;  // decayed to `processed`
    Instant processed{};
    DeadlineHeap::Handle expiry = DeadlineHeap::none;
    std::optional<Sequence> quiet_as;
    std::optional<NoisyOrder> noisy_as;

    bool has_more() const { return unread <= last; }
    bool has_unreceived() const { return !window.empty() || has_more(); }
    bool has_backlog() const { return has_unreceived() || returned > 0; }
  };

  void place(Lane& lane);
  void unplace(Lane& lane);
  void load_if_low(Lane& lane);
  void arm_expiry(Lane& lane);
  void judge(Lane& lane, std::size_t in_flight, Instant now);
  void backlog_shrank(Lane& lane);
  void count_backlog(Lane& lane);
  void forget_if_idle(Lane& lane);
  void forget_rested();
  Lane& lane_of_received(LaneId id, Instant sent);

  ShardContext& shard_;
  Queue& owner_;
  const std::uint64_t& epoch_;
  Millis retention_{0};
  Sequence tail_{1};  // of the queue, as far as the lanes know
  std::unordered_map<LaneId, Lane> lanes_;
  std::map<Sequence, Lane*> quiet_;                      // those with a window, by its first message
  std::map<NoisyOrder, Lane*> noisy_;                    // those with a backlog
  std::map<std::pair<Instant, LaneId>, Lane*> resting_;  // idle ones, until their processing time is nothing any more
  Instant silent_from_{};                                // no noisy lane has been silent for long enough before this
  std::size_t window_total_ = 0;
  std::size_t backlog_count_ = 0;  // lanes with something that nobody received: as many as a start has to find
  std::size_t loading_count_ = 0;
  double processing_ms_ = 0;  // of all messages, in lanes or not
  Instant processed_{};
};

}  // namespace penstock::core
