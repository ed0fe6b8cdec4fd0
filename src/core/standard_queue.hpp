// One standard queue: best-effort order, at-least-once, visibility timeouts, delays, retention, long polls.
//
// A message is in one of three places. The fresh lane holds what was never received, in order of sequence: [head, tail)
// on disk, its front in memory as a window. Everything else (in flight, returned, delayed) has a state record, and a
// resident in memory. Of those that only wait, Limits::resident_idle_max returned and as many delayed ones are
// resident; what is beyond stays on disk, and is swept in when there is room and something of it is, or may be, ready.
// A third place are the lanes, where messages with a MessageGroupId wait that were never received (see Lanes).
//
// A lease that ends with the server is in memory only at first, since most of them are over, by a delete, before it
// would matter: to the store such a message is still in the fresh lane, whose stored head stays in front of it. So
// neither memory nor the cost of an operation grows with a backlog.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/age_index.hpp"
#include "core/lanes.hpp"
#include "core/queue.hpp"

namespace penstock::core {

class StandardQueue final : public Queue {
 public:
  StandardQueue(ShardContext& shard, QueueRecord record);
  ~StandardQueue() override;

  QueueCursor stored_cursor() const override;
  void store_leases() override;
  QueueCounts counts(Instant now) const override;
  void remove(CallId call, const DeleteMessages& command, Instant now) override;
  void change_visibility(CallId call, const ChangeVisibility& command, Instant now) override;
  void return_undelivered(const ReturnUndelivered& command, Instant now) override;
  PeekedMessages peek(const PeekMessages& command, Instant now) const override;
  void fresh_loaded(const FreshLoaded& loaded, Instant now) override;
  void states_loaded(const StatesLoaded& loaded, Instant now) override;
  void states_of_loaded(const StatesOfLoaded& loaded, Instant now) override;
  void lane_loaded(const LaneLoaded& loaded, Instant now) override;

 private:
  void recover_contents(RecoveredQueue& recovered, Instant now) override;
  void settings_changed(const QueueSettings& before, Instant now) override;
  void drop_contents(Instant now) override;
  void answer_deferred(Instant now) override;
  void refuse_deferred() override;
  std::optional<Error> check_send(const OutgoingMessage& message, bool batch) const override;
  std::optional<Error> check_content(const MessageContent& content) const override;
  Sent take_in(OutgoingMessage& message, Instant now) override;
  Deliveries deliver(const Wanted& wanted, Instant now) override;
  std::optional<Instant> oldest() const override;
  bool awaits_load() const override { return fresh_loading_ || states_loading_ || lanes_.is_loading(); }
  bool refuses_short_poll() const override { return at_in_flight_limit(); }
  void message_due(Sequence sequence, Instant now) override;
  void own_due(const Due& due, Instant now) override;
  std::optional<Instant> first_expiry(const Due& due) const override;
  std::optional<Departure> take_departure(Sequence until, Instant now) override;
  void departed(Sequence sequence, Instant now) override;
  bool stays(Sequence sequence, Instant now) override;
  void arrive(std::shared_ptr<StoredMessage> message, const AcceptTransfer& command, Instant now) override;
  void take_over(ImportedMessage& imported, Instant now) override;

  struct Place;
  struct Resident {
    Sequence sequence;
    MessageState state;
    DeadlineHeap::Handle deadline = DeadlineHeap::none;
    Sequence turn;  // in back_: the message comes again when what was sent before this has been received
    Place* place = nullptr;
    std::optional<LaneId> lane{};
    bool kept = false;       // it could not be moved as a dead letter, and is delivered once more
    bool unwritten = false;  // its lease is in memory only
  };
  struct Place {
    using iterator = std::list<Resident>::iterator;
    std::list<Resident> residents{};
    bool waits = false;            // its residents were received before, or delayed, and can be received
    std::optional<LaneId> held{};  // whose they all are, in held_
  };
  struct Deferred {
    CallId call;
    std::variant<DeleteMessages, ChangeVisibility, ReturnUndelivered> command;
  };
  struct Found {
    std::optional<Place::iterator> resident;
    bool valid_handle = false;
  };

  void sweep_due();
  void fresh_expiry_due(Instant now);

  // The fresh lane.
  void append_fresh(Sequence sequence, Instant sent);
  void load_fresh_if_low();
  void arm_fresh_expiry();
  void drop_expired_fresh(Instant now, std::size_t count_max);

  // The lanes.
  std::optional<LaneId> lane_for(const std::string& group_id) const;
  std::size_t drop_expired_lane(LaneId lane, Instant now);
  Place::iterator lease_lane(const Lanes::Head& head);
  template <class Look>
  auto first_alive(const Look& look, Instant now);
  std::optional<Place::iterator> take_noisy(Instant now);

  // Residents.
  Instant expires(const MessageState& state) const { return state.sent + settings_.retention; }
  Place::iterator insert_resident(Sequence sequence, const MessageState& state, Instant now);
  void settle(Place::iterator resident, Instant now);
  Place::iterator add_resident(Place& place, Sequence sequence, const MessageState& state);
  void move_to(Place& place, Place::iterator resident);
  void left_place(const Resident& resident, Place& place);
  void hold(Place::iterator resident);
  void release_held(LaneId lane);
  void drop_emptied();
  void put_first(Place::iterator resident);
  bool is_noisy(const Resident& resident) const { return resident.lane && lanes_.is_noisy(*resident.lane); }
  void schedule(Place::iterator resident);
  void evict(Place::iterator resident);
  void drop_message(Place::iterator resident, bool promised);
  void write_state(Place::iterator resident);
  void leave_unwritten(Place::iterator resident);
  void write_leases_before(Sequence until);
  void write_if_unwritten(Place::iterator resident);
  void forget_written();
  void lease_write_due(Instant now);
  void arm_lease_write();
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
  Sequence put_message(std::shared_ptr<StoredMessage> message, const std::optional<MessageState>& state, Instant now);
  std::optional<Place::iterator> first_deliverable(Place& place, Instant now);
  std::optional<Place::iterator> first_before(Place& place, Sequence until, Instant now);
  std::optional<Place::iterator> take_next(Instant now);
  Departure set_aside(Place::iterator resident);
  Place::iterator lease_fresh();
  bool at_in_flight_limit() const { return in_flight_.residents.size() >= shard_.limits.in_flight_max; }

  std::deque<FreshEntry> window_;  // the front of the fresh lane
  Sequence unread_{1};             // what is not in the window begins here
  bool fresh_loading_ = false;
  DeadlineHeap::Handle fresh_expiry_ = DeadlineHeap::none;

  Place in_flight_;
  Place delayed_;
  Place ready_{{}, true};  // returned, or its delay over: comes before the fresh lane
  Place back_{{}, true};   // received three times or more: comes when what is fresh has reached its turn
  std::unordered_map<LaneId, Place> held_;  // as ready_, but of noisy tenants: comes after what quiet ones have
  std::vector<LaneId> emptied_;             // of held_, to be dropped when nobody looks at them
  Place leased_;                            // out of the way while a receive is put together
  Place departing_residents_;               // on their way to another queue
  std::size_t returned_count_ = 0;          // residents of places that wait
  bool recovering_ = false;
  std::deque<Sequence> unwritten_;   // ascending; the first of them is, of the others some may be dropped or written
  std::size_t unwritten_count_ = 0;  // those that are
  DeadlineHeap::Handle lease_write_ = DeadlineHeap::none;
  std::unordered_map<Sequence, Place::iterator> residents_;
  AgeIndex ages_;  // of residents
  Lanes lanes_{shard_, *this, epoch_};

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
};

}  // namespace penstock::core
