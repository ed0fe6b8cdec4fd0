// What a queue is whatever its kind: its record and settings, its parked receives, the messages that it hands over to
// other queues. How messages are kept and chosen is the business of StandardQueue and FifoQueue.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/deadline_heap.hpp"
#include "core/move_tasks.hpp"
#include "core/queue_settings.hpp"
#include "core/receipt_handle.hpp"
#include "core/shard_context.hpp"
#include "penstock/commands.hpp"
#include "penstock/records.hpp"

namespace penstock::core {

/// What a receive asks for, with the queue's defaults filled in.
struct Wanted {
  std::size_t max_messages = 1;
  Millis visibility{0};
  std::string attempt_id;
  bool lease_ends_with_server = false;
};

/// A message about to be handed to another queue.
struct Departure {
  Sequence sequence;
  std::uint32_t receive_count = 0;
  Instant first_received{};
};

class Queue {
 public:
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  virtual ~Queue();

  /// REQUIRES: called before anything else, if at all.
  void recover(RecoveredQueue recovered, Instant now);

  const QueueRecord& record() const { return record_; }
  QueueId id() const { return record_.id; }
  /// The cursor as it is to be stored with what was noted so far.
  virtual QueueCursor stored_cursor() const { return cursor_; }
  virtual QueueCounts counts(Instant now) const = 0;
  /// As an operator sees it.
  QueueView view(Instant now) const;
  /// True once after each change of the cursor.
  bool take_touched() { return std::exchange(touched_, false); }

  // Configuration.
  void set_attributes(CallId call, const SetQueueAttributes& command, Instant now);
  void tag(CallId call, const StringMap& tags);
  void untag(CallId call, const std::vector<std::string>& keys);
  void edit_policy(CallId call, const EditPolicy& command, Instant now);
  void purge(CallId call, Instant now);
  /// Leaves the queue's name behind and drops all else; parked receives learn that the queue is gone.
  void erase(Instant now);

  // Messages.
  void send(CallId call, SendMessages& command, Instant now);
  void receive(CallId call, const ReceiveMessages& command, Instant now);
  virtual void remove(CallId call, const DeleteMessages& command, Instant now) = 0;
  virtual void change_visibility(CallId call, const ChangeVisibility& command, Instant now) = 0;
  virtual void return_undelivered(const ReturnUndelivered& command, Instant now) = 0;
  virtual PeekedMessages peek(const PeekMessages& command, Instant now) const = 0;
  void cancel_receive(CallId call);
  /// Answers every parked receive with nothing.
  void release_parked();
  /// Has everything stored that so far is in memory only.
  virtual void store_leases() {}

  // Moves between queues.
  void accept(CallId call, AcceptTransfer& command, Instant now);
  void transfer_settled(CallId call, const TransferSettled& command, Instant now);
  void forget_arrival(const ForgetArrival& command);
  void import(CallId call, ImportMessages& command, Instant now);
  void start_move_task(CallId call, const StartMessageMoveTask& command, Instant now);
  void list_move_tasks(CallId call, const ListMessageMoveTasks& command) const;
  void cancel_move_task(CallId call, const CancelMessageMoveTask& command);

  // What comes back from the store.
  virtual void fresh_loaded(const FreshLoaded& /*loaded*/, Instant /*now*/) {}
  virtual void states_loaded(const StatesLoaded& /*loaded*/, Instant /*now*/) {}
  virtual void states_of_loaded(const StatesOfLoaded& /*loaded*/, Instant /*now*/) {}
  virtual void lane_loaded(const LaneLoaded& /*loaded*/, Instant /*now*/) {}

  /// A deadline of this queue has come, and was taken off the heap.
  void due(const Due& due, Instant now);
  /// The moment, no earlier than `when`, at which a client could see what comes of a deadline of then; or nothing.
  std::optional<Instant> observable_from(const Due& due, Instant when) const;
  /// Serves what waits, once all deadlines that have come are worked off: what becomes visible at once is delivered at
  /// once.
  void serve(Instant now);

 protected:
  Queue(ShardContext& shard, QueueRecord record);

  // What a kind of queue does in its own way.
  virtual void recover_contents(RecoveredQueue& recovered, Instant now) = 0;
  virtual void settings_changed(const QueueSettings& before, Instant now) = 0;
  /// Forgets all messages; the mutation is the caller's.
  virtual void drop_contents(Instant now) = 0;
  /// What waits for a load and will not get it now.
  virtual void answer_deferred(Instant /*now*/) {}
  /// The same, where the queue is gone.
  virtual void refuse_deferred() {}
  /// The actions whose rate a queue may limit.
  enum class Action : std::uint8_t { send, receive, remove };
  /// Counts a call; false if it is one too many in this second. `command` is a send's.
  virtual bool within_rate(Action /*action*/, const SendMessages* /*command*/, Instant /*now*/) { return true; }
  /// An error that refuses the whole request.
  virtual std::optional<Error> check_request(const SendMessages& /*command*/) const { return std::nullopt; }
  virtual std::optional<Error> check_send(const OutgoingMessage& message, bool batch) const = 0;
  /// What a kind of queue asks of a message wherever it comes from.
  virtual std::optional<Error> check_content(const MessageContent& content) const = 0;
  virtual Sent take_in(OutgoingMessage& message, Instant now) = 0;
  /// An earlier receive that this one repeats.
  virtual std::optional<Deliveries> repeat(const Wanted& /*wanted*/, Instant /*now*/) { return std::nullopt; }
  virtual Deliveries deliver(const Wanted& wanted, Instant now) = 0;
  /// Whether there may be something to deliver when a load or a move comes to its end.
  virtual bool awaits_load() const = 0;
  /// A short poll at the limit of messages in flight is refused.
  virtual bool refuses_short_poll() const { return false; }
  virtual void message_due(Sequence sequence, Instant now) = 0;
  virtual void own_due(const Due& due, Instant now) = 0;
  /// When the message expires that stands first where a deadline of `fresh_expiry` or `lane` is about. Such a deadline
  /// is left as it was when others take its place.
  virtual std::optional<Instant> first_expiry(const Due& due) const = 0;
  /// Takes the next message out for a move task, if one is there that came before `until`.
  virtual std::optional<Departure> take_departure(Sequence until, Instant now) = 0;
  /// Whether one that came before `until` waits for another of its group, and cannot be taken before that.
  virtual bool has_locked(Sequence /*until*/) const { return false; }
  /// The message was accepted elsewhere: drops it, promised.
  virtual void departed(Sequence sequence, Instant now) = 0;
  /// It was not: puts it back. It is not a dead letter again before its next receive. False if it is gone meanwhile,
  /// by a purge say.
  virtual bool stays(Sequence sequence, Instant now) = 0;
  /// Puts in what another queue hands over.
  virtual void arrive(std::shared_ptr<StoredMessage> message, const AcceptTransfer& command, Instant now) = 0;
  /// Puts in what was exported elsewhere.
  virtual void take_over(ImportedMessage& imported, Instant now) = 0;

  /// When the oldest message was sent, of those that memory has.
  virtual std::optional<Instant> oldest() const = 0;

  using Count = std::uint64_t QueueTally::*;
  void count(Count what, std::uint64_t more = 1) {
    tally_.*what += more;
    shard_.tally.queues.*what += more;
  }
  std::optional<Error> check_size(const OutgoingMessage& message, bool batch) const;
  void touch();
  void serve_parked(Instant now);
  /// Has serve() called when the deadlines that have come are worked off.
  void serve_soon();
  bool has_parked() const { return !parked_.empty(); }
  bool is_dead_letter(const MessageState& state) const {
    return record_.redrive &&
           state.receive_count - state.arrival_count >= static_cast<std::uint32_t>(record_.redrive->max_receive_count);
  }
  bool may_depart() const { return departing_.size() < shard_.limits.transfers_max; }
  /// REQUIRES: may_depart().
  void depart_as_dead_letter(const Departure& departure);
  void pump_move_task(Instant now);
  std::string format_handle(Sequence sequence, std::uint64_t nonce) const;
  std::uint64_t draw_nonce();
  Sequence next_sequence() { return Sequence{cursor_.tail.value++}; }

  ShardContext& shard_;
  QueueRecord record_;
  QueueSettings settings_;
  QueueCursor cursor_;
  std::uint64_t epoch_ = 1;  ///< changes when the contents are dropped: loads from before mean nothing then

 private:
  struct Parked {
    CallId call;
    Wanted wanted;
    DeadlineHeap::Handle deadline = DeadlineHeap::none;  // none: a short poll that awaits a load or dead letters
    std::uint64_t moves_settled = 0;  // so many when those are on their way no more that were when it came
  };

  void hand_out(CallId call, Deliveries deliveries);
  void hand_out_nothing(CallId call);
  void receive_due(CallId call);
  void unpark(std::list<Parked>::iterator parked);
  void arm_move_task(Instant now);

  QueueTally tally_;
  bool touched_ = false;
  bool awaits_service_ = false;
  std::list<Parked> parked_;
  std::unordered_map<CallId, std::list<Parked>::iterator> parked_by_call_;
  std::unordered_map<Sequence, TransferKind> departing_;
  std::size_t dead_letters_departing_ = 0;
  std::uint64_t dead_letters_settled_ = 0;
  MoveTaskList move_tasks_;
  DeadlineHeap::Handle move_due_ = DeadlineHeap::none;
};

Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason);
Error invalid_handle(const std::string& handle);

}  // namespace penstock::core
