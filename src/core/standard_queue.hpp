// One standard queue: best-effort order, at-least-once, visibility timeouts, delays, retention, long polls.
//
// A message is in one of two places. The fresh lane holds what was never received, in order of sequence: [head, tail)
// on disk, its front in memory as a window. Everything else (in flight, returned, delayed) has a state record, and a
// resident in memory. Of those that only wait, Limits::resident_idle_max returned and as many delayed ones are
// resident; what is beyond stays on disk, and is swept in when there is room and something of it is, or may be, ready.
// So neither memory nor the cost of an operation grows with a backlog.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/queue_settings.hpp"
#include "core/receipt_handle.hpp"
#include "core/shard_context.hpp"
#include "penstock/commands.hpp"
#include "penstock/records.hpp"

namespace penstock::core {

class StandardQueue {
 public:
  StandardQueue(ShardContext& shard, QueueRecord record);
  StandardQueue(const StandardQueue&) = delete;
  StandardQueue& operator=(const StandardQueue&) = delete;
  ~StandardQueue();

  /// REQUIRES: called before anything else, if at all.
  void recover(RecoveredQueue recovered, Instant now);

  const QueueRecord& record() const { return record_; }
  QueueId id() const { return record_.id; }
  QueueCounts counts() const;
  QueueCursor cursor() const { return cursor_; }
  /// True once after each change of the cursor.
  bool take_touched() { return std::exchange(touched_, false); }

  void set_attributes(CallId call, const StringMap& attributes, Instant now);
  void purge(CallId call, Instant now);
  void send(CallId call, SendMessages& command, Instant now);
  void receive(CallId call, const ReceiveMessages& command, Instant now);
  void remove(CallId call, const DeleteMessages& command, Instant now);
  void change_visibility(CallId call, const ChangeVisibility& command, Instant now);
  void return_undelivered(const ReturnUndelivered& command, Instant now);
  void cancel_receive(CallId call);

  void fresh_loaded(const FreshLoaded& loaded, Instant now);
  void states_loaded(const StatesLoaded& loaded, Instant now);
  void states_of_loaded(const StatesOfLoaded& loaded, Instant now);

  void message_due(Sequence sequence, Instant now);
  void receive_due(CallId call);
  void fresh_expiry_due(Instant now);
  void sweep_due();

  /// Answers every parked receive with nothing.
  void release_parked();
  /// Leaves the queue's name behind and drops all else; parked receives learn that the queue is gone.
  void erase(Instant now);

 private:
  struct Resident {
    Sequence sequence;
    MessageState state;
    DeadlineHeap::Handle deadline = DeadlineHeap::none;
    Sequence turn;  // in back_: the message comes again when the head of the fresh lane gets here
    std::list<Resident>* place = nullptr;
  };
  using Place = std::list<Resident>;
  struct Parked {
    CallId call;
    int max_messages = 1;
    Millis visibility{0};
    DeadlineHeap::Handle deadline = DeadlineHeap::none;  // none: a short poll that awaits a load
  };
  struct Deferred {
    CallId call;
    std::variant<DeleteMessages, ChangeVisibility, ReturnUndelivered> command;
  };
  struct Found {
    std::optional<Place::iterator> resident;
    bool valid_handle = false;
  };

  // The fresh lane.
  void append_fresh(Sequence sequence, Instant now);
  void load_fresh_if_low();
  void arm_fresh_expiry();
  void drop_expired_fresh(Instant now, std::size_t count_max);

  // Residents.
  Instant expires(const MessageState& state) const { return state.sent + settings_.retention; }
  Place::iterator insert_resident(Sequence sequence, const MessageState& state, Instant now);
  void settle(Place::iterator resident, Instant now);
  void move_to(Place& place, Place::iterator resident);
  void schedule(Place::iterator resident);
  void evict(Place::iterator resident);
  void drop_message(Place::iterator resident, bool promised);
  void write_state(Place::iterator resident);
  std::size_t returned_count() const { return ready_.size() + back_.size(); }
  std::uint64_t spilled_count() const { return cursor_.state_count - residents_.size(); }
  void trim_idle(Instant now);
  bool stays_on_disk(const MessageState& state, Instant now) const;
  void left_on_disk(const MessageState& state, Instant now);
  void arm_sweep();
  void sweep_if_low();

  // Handles.
  Found find(const std::string& handle);
  template <class Handles>
  bool defer_if_unknown(CallId call, const Handles& command, const std::vector<const std::string*>& handles);
  void run_deferred(Instant now);
  void delete_now(CallId call, const DeleteMessages& command);
  void change_now(CallId call, const ChangeVisibility& command, Instant now);
  std::optional<Error> change_one(const VisibilityChange& change, Instant now);
  void return_now(const ReturnUndelivered& command, Instant now);

  // Delivery.
  std::optional<Error> check_send(const OutgoingMessage& message, bool batch) const;
  Sent accept(OutgoingMessage& message, Instant now);
  std::optional<Place::iterator> take_next(Instant now);
  Place::iterator lease_fresh(Instant now);
  Deliveries deliver(int max_messages, Millis visibility, Instant now);
  bool at_in_flight_limit() const { return in_flight_.size() >= shard_.limits.in_flight_max; }
  void serve_parked(Instant now);
  void unpark(std::list<Parked>::iterator parked);
  void touch();

  ShardContext& shard_;
  QueueRecord record_;
  QueueSettings settings_;
  QueueCursor cursor_;
  bool touched_ = false;

  std::deque<FreshEntry> window_;  // the front of the fresh lane
  Sequence unread_{1};             // what is not in the window begins here
  bool fresh_loading_ = false;
  DeadlineHeap::Handle fresh_expiry_ = DeadlineHeap::none;

  Place in_flight_;
  Place delayed_;
  Place ready_;  // returned, or its delay over: comes before the fresh lane
  Place back_;   // received three times or more: comes when the head has reached its turn
  std::unordered_map<Sequence, Place::iterator> residents_;

  std::uint64_t epoch_ = 1;  // changes when the contents are dropped: loads from before mean nothing then
  bool states_loading_ = false;
  Sequence sweep_{1};
  bool round_is_whole_ = false;  // the sweep began at the front, and nothing was left to disk since
  bool round_found_ = false;     // and it has come upon a message that is not resident
  bool ready_on_disk_ = false;   // a message that is, or may be, ready was left to disk since the sweep began
  std::optional<Instant> delayed_on_disk_until_;  // the first end of a delay of those left to disk since
  DeadlineHeap::Handle sweep_due_ = DeadlineHeap::none;
  std::unordered_set<Sequence> changed_while_loading_;
  std::vector<Sequence> asked_;  // the sequences of the load of states that is on its way
  std::unordered_set<Sequence> known_absent_;
  std::vector<Deferred> deferred_;

  std::list<Parked> parked_;
  std::unordered_map<CallId, std::list<Parked>::iterator> parked_by_call_;
};

}  // namespace penstock::core
