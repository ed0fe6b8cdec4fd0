// One FIFO queue: order within each group, at most one receive of a group's front at a time, deduplication.
//
// Every message has a state record from its send, in order of sequence, which names its group. The first
// Limits::fifo_window_max of them are in memory as the window; what comes behind stays on disk until there is room, as
// the service too looks only at the first 120,000. A group's messages in the window are in order, and the group can be
// received from while its first one is neither in flight, delayed nor on its way to another queue. Groups that can are
// kept by their first message's sequence, so that a receive touches no more groups than it delivers from.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/digest.hpp"
#include "core/queue.hpp"

namespace penstock::core {

class FifoQueue final : public Queue {
 public:
  FifoQueue(ShardContext& shard, QueueRecord record);
  ~FifoQueue() override;

  QueueCounts counts(Instant now) const override;
  void remove(CallId call, const DeleteMessages& command, Instant now) override;
  void change_visibility(CallId call, const ChangeVisibility& command, Instant now) override;
  void return_undelivered(const ReturnUndelivered& command, Instant now) override;
  PeekedMessages peek(const PeekMessages& command, Instant now) const override;
  void states_loaded(const StatesLoaded& loaded, Instant now) override;

 private:
  struct Group;
  enum class Phase : std::uint8_t { waiting, in_flight, departing };
  struct Entry {
    MessageState state;  // its group_id is empty: the group has it
    Group* group = nullptr;
    Phase phase = Phase::waiting;
    bool kept = false;      // it could not be moved as a dead letter, and is delivered once more
    bool told_of = false;   // that its delay is over
    bool repeated = false;  // its receive was answered twice: if one answer is lost, the other may not be
    DeadlineHeap::Handle deadline = DeadlineHeap::none;
    ReceiveAttempt* attempt = nullptr;
  };
  using Entries = std::map<Sequence, Entry>;
  struct Group {
    std::string id;
    std::deque<Sequence> messages;  // of the window, in order
    std::optional<Sequence> ready_as;
    bool is_dead = false;  // ready, and its first message has been received too often
    DeadlineHeap::Handle delay = DeadlineHeap::none;
  };
  struct Dedup {
    Sequence sequence;
    Instant sent{};
  };

  void recover_contents(RecoveredQueue& recovered, Instant now) override;
  void settings_changed(const QueueSettings& before, Instant now) override;
  void drop_contents(Instant now) override;
  bool within_rate(Action action, const SendMessages* command, Instant now) override;
  std::optional<Error> check_request(const SendMessages& command) const override;
  std::optional<Error> check_send(const OutgoingMessage& message, bool batch) const override;
  std::optional<Error> check_content(const MessageContent& content) const override;
  Sent take_in(OutgoingMessage& message, Instant now) override;
  std::optional<Deliveries> repeat(const Wanted& wanted, Instant now) override;
  Deliveries deliver(const Wanted& wanted, Instant now) override;
  std::optional<Instant> oldest() const override;
  bool awaits_load() const override { return loading_; }
  void message_due(Sequence sequence, Instant now) override;
  void own_due(const Due& due, Instant now) override;
  std::optional<Instant> first_expiry(const Due& due) const override;
  std::optional<Departure> take_departure(Sequence until, Instant now) override;
  bool has_locked(Sequence until) const override;
  void departed(Sequence sequence, Instant now) override;
  bool stays(Sequence sequence, Instant now) override;
  void arrive(std::shared_ptr<StoredMessage> message, const AcceptTransfer& command, Instant now) override;
  void take_over(ImportedMessage& imported, Instant now) override;

  // The window.
  Sequence append(std::shared_ptr<StoredMessage> message, MessageState state, Instant now);
  Entry& insert(Sequence sequence, MessageState state, Instant now);
  void load_if_low();
  void drop(Entries::iterator entry, bool promised, Instant now);
  void drop_expired(Instant now);
  void arm_expiry();
  bool is_expired(const Entry& entry, Instant now) const { return entry.state.sent + settings_.retention <= now; }
  void write_state(Sequence sequence, Entry& entry);

  // Groups.
  Group& group_of(const std::string& id);
  Instant visible_from(const Entry& entry) const;
  Delivery::Presence presence_of(const Entry& entry, Instant now) const;
  void refresh(Group& group, Instant now);
  void block(Group& group);
  void send_off_dead(Instant now);
  void take_run(Group& group, const Wanted& wanted, std::vector<Entries::iterator>& taken, Instant now);

  // Leases.
  Delivery lease(Entries::iterator entry, Millis visibility, Instant now);
  void set_in_flight(Sequence sequence, Entry& entry, Instant now);
  void end_flight(Entry& entry);
  Entries::iterator in_flight(const ReceiptHandle& handle);
  std::optional<Error> delete_one(const std::string& handle, bool promised, Instant now);
  std::optional<Error> change_one(const VisibilityChange& change, Instant now);

  // Attempts.
  void remember_attempt(const std::string& attempt_id, const std::vector<Entries::iterator>& taken, Instant now);
  void recover_attempt(ReceiveAttempt attempt);
  void void_attempt(Entry& entry);

  // Deduplication.
  Digest dedup_id(const MessageContent& content) const;
  const Dedup* find_duplicate(const Digest& id, Instant now) const;
  void remember_send(const DedupEntry& entry);
  void forget_sends(Instant now);
  std::string message_id_of(Sequence sequence) const;

  Entries window_;
  Sequence unread_{1};  // what is not in the window begins here
  Sequence load_until_{1};
  bool loading_ = false;
  DeadlineHeap::Handle expiry_ = DeadlineHeap::none;
  std::unordered_map<std::string, Group> groups_;
  std::map<Sequence, Group*> ready_;
  std::map<Sequence, Group*> dead_;  // ready too, but their first messages leave for the dead-letter queue
  std::size_t in_flight_ = 0;
  std::size_t departing_count_ = 0;

  // Calls of this second, by action and, of sends where the limit is the group's, by group.
  std::map<std::pair<Action, std::string>, std::size_t> calls_;
  std::int64_t calls_second_ = 0;

  std::unordered_map<std::string, ReceiveAttempt> attempts_;
  std::unordered_map<Digest, Dedup, DigestHash> dedups_;
  std::deque<DedupEntry> dedup_order_;
  DeadlineHeap::Handle dedup_due_ = DeadlineHeap::none;
};

}  // namespace penstock::core
