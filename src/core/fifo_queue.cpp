#include "core/fifo_queue.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/uuid.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

namespace {

// What is over may lie on disk a little longer, so that forgetting it is one range of many entries.
constexpr Millis dedup_lag{10'000};

class DigestEntropy final : public Entropy {
 public:
  explicit DigestEntropy(const Digest& digest) : digest_(digest) {}
  std::uint64_t next() override { return digest_[at_++ % digest_.size()]; }

 private:
  Digest digest_;
  std::size_t at_ = 0;
};

Error handle_expired(const std::string& handle) {
  return invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.");
}

}  // namespace

FifoQueue::FifoQueue(ShardContext& shard, QueueRecord record) : Queue(shard, std::move(record)) {}

FifoQueue::~FifoQueue() {
  if (dedup_due_ != DeadlineHeap::none) shard_.deadlines.remove(dedup_due_);
}

void FifoQueue::recover_contents(RecoveredQueue& recovered, Instant now) {
  for (StateEntry& state : recovered.states) {
    Entry& entry = insert(state.sequence, std::move(state.state), now);
    // That was before the start.
    entry.told_of = visible_from(entry) <= now;
  }
  unread_ = recovered.states_next.value_or(cursor_.tail);
  for (auto& [id, group] : groups_) refresh(group, now);
  for (const DedupEntry& entry : recovered.dedups) remember_send(entry);
  for (ReceiveAttempt& attempt : recovered.attempts) recover_attempt(std::move(attempt));
  arm_expiry();
  load_if_low();
}

QueueCounts FifoQueue::counts(Instant now) const {
  std::uint64_t delayed = 0;
  if (settings_.delay > Millis{0}) {
    // The delayed ones came last.
    for (auto entry = window_.rbegin(); entry != window_.rend() && visible_from(entry->second) > now; ++entry) {
      ++delayed;
    }
  }
  const std::uint64_t not_visible = in_flight_ + departing_count_;
  const std::uint64_t rest = cursor_.state_count - std::min(cursor_.state_count, not_visible + delayed);
  return {rest, not_visible, delayed};
}

void FifoQueue::own_due(const Due& due, Instant now) {
  switch (due.kind) {
    case Due::Kind::fresh_expiry:
      expiry_ = DeadlineHeap::none;
      drop_expired(now);
      arm_expiry();
      // Behind one that expired in flight its group goes on.
      return serve_soon();
    case Due::Kind::group: {
      const auto entry = window_.find(Sequence{due.id});
      if (entry == window_.end()) return;
      entry->second.group->delay = DeadlineHeap::none;
      refresh(*entry->second.group, now);
      return serve_soon();
    }
    case Due::Kind::dedup:
      dedup_due_ = DeadlineHeap::none;
      return forget_sends(now);
    default:
      return;
  }
}

void FifoQueue::settings_changed(const QueueSettings& before, Instant now) {
  if (settings_.retention != before.retention) arm_expiry();
  // On a FIFO queue a change of the delay holds for what was sent before, too.
  // So does a redrive policy.
  for (auto& [id, group] : groups_) refresh(group, now);
  serve_parked(now);
}

void FifoQueue::drop_contents(Instant /*now*/) {
  for (auto& [sequence, entry] : window_) {
    if (entry.deadline != DeadlineHeap::none) shard_.deadlines.remove(entry.deadline);
  }
  for (auto& [id, group] : groups_) {
    if (group.delay != DeadlineHeap::none) shard_.deadlines.remove(group.delay);
  }
  window_.clear();
  groups_.clear();
  ready_.clear();
  dead_.clear();
  attempts_.clear();
  in_flight_ = 0;
  departing_count_ = 0;
  loading_ = false;
  cursor_.head = unread_ = cursor_.tail;
  cursor_.state_count = 0;
  if (expiry_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(expiry_, DeadlineHeap::none));
}

// ---- The window

std::optional<Instant> FifoQueue::oldest() const {
  return window_.empty() ? std::nullopt : std::optional(window_.begin()->second.state.sent);
}

FifoQueue::Entry& FifoQueue::insert(Sequence sequence, MessageState state, Instant now) {
  Group& group = group_of(state.group_id);
  state.group_id.clear();
  Entry& entry = window_.emplace_hint(window_.end(), sequence, Entry{std::move(state), &group})->second;
  group.messages.push_back(sequence);
  if (entry.state.receive_count > 0 && entry.state.visible_at > now) set_in_flight(sequence, entry, now);
  return entry;
}

Sequence FifoQueue::append(std::shared_ptr<StoredMessage> message, MessageState state, Instant now) {
  const Sequence sequence = cursor_.tail;
  message->delayed = true;
  state.group_id = message->content.group_id;
  state.revision = 1;
  shard_.promise(PutMessage{id(), sequence, std::move(message)});
  shard_.promise(PutState{id(), sequence, state});
  const bool window_reaches_tail = unread_ == cursor_.tail;
  ++cursor_.tail.value;
  ++cursor_.state_count;
  touch();
  if (!window_reaches_tail || loading_ || window_.size() >= shard_.limits.fifo_window_max) return sequence;
  unread_ = cursor_.tail;
  Group& group = *insert(sequence, std::move(state), now).group;
  // Behind others of its group it changes nothing: a group in flight stays locked.
  if (group.messages.size() == 1) refresh(group, now);
  if (expiry_ == DeadlineHeap::none) arm_expiry();
  return sequence;
}

void FifoQueue::load_if_low() {
  if (loading_ || unread_ == cursor_.tail) return;
  const std::size_t window_max = shard_.limits.fifo_window_max;
  const std::size_t chunk = std::clamp<std::size_t>(window_max / 4, 1, shard_.limits.state_load_count_max);
  if (window_.size() + chunk > window_max) return;
  loading_ = true;
  load_until_ = cursor_.tail;
  shard_.effects.loads.emplace_back(LoadStates{id(), epoch_, unread_, chunk});
}

void FifoQueue::states_loaded(const StatesLoaded& loaded, Instant now) {
  if (loaded.epoch != epoch_ || !loading_) return;
  loading_ = false;
  // What was sent since the load was asked for may be in its answer or not: it is left to the next.
  unread_ = loaded.next && *loaded.next < load_until_ ? *loaded.next : load_until_;
  for (const StateEntry& entry : loaded.entries) {
    if (entry.sequence >= unread_) break;
    Group& group = *insert(entry.sequence, entry.state, now).group;
    if (group.messages.size() == 1) refresh(group, now);
  }
  if (expiry_ == DeadlineHeap::none) arm_expiry();
  load_if_low();
  serve_parked(now);
  pump_move_task(now);
}

void FifoQueue::drop(Entries::iterator entry, bool promised, Instant now) {
  const Sequence sequence = entry->first;
  void_attempt(entry->second);
  if (entry->second.phase == Phase::in_flight) end_flight(entry->second);
  if (entry->second.phase == Phase::departing) --departing_count_;
  Group& group = *entry->second.group;
  const bool was_first = group.messages.front() == sequence;
  // What is dropped is nearly always at the front.
  group.messages.erase(std::find(group.messages.begin(), group.messages.end(), sequence));
  shard_.note(DropState{id(), sequence, entry->second.state.revision});
  if (promised) {
    shard_.promise(DropMessage{id(), sequence});
  } else {
    shard_.note(DropMessage{id(), sequence});
  }
  window_.erase(entry);
  --cursor_.state_count;
  cursor_.head = window_.empty() ? unread_ : window_.begin()->first;
  touch();
  if (was_first) refresh(group, now);
  load_if_low();
}

// In order of their sequence messages expire too, since each was put in when it was sent.
void FifoQueue::drop_expired(Instant now) {
  for (std::size_t dropped = 0; dropped < shard_.limits.expire_batch_max; ++dropped) {
    const auto oldest = window_.begin();
    if (oldest == window_.end() || oldest->second.phase == Phase::departing) return;
    if (!is_expired(oldest->second, now)) return;
    drop(oldest, false, now);
  }
}

std::optional<Instant> FifoQueue::first_expiry(const Due& /*due*/) const {
  if (window_.empty()) return std::nullopt;
  const Entry& oldest = window_.begin()->second;
  if (oldest.phase == Phase::departing) return std::nullopt;
  return oldest.state.sent + settings_.retention;
}

void FifoQueue::arm_expiry() {
  if (window_.empty()) {
    if (expiry_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(expiry_, DeadlineHeap::none));
    return;
  }
  const auto& [sequence, oldest] = *window_.begin();
  // What is on its way to another queue is not dropped here; its move is settled soon.
  const Millis grace{oldest.phase == Phase::departing ? 1'000 : 0};
  const Instant when = oldest.state.sent + settings_.retention + grace;
  if (expiry_ == DeadlineHeap::none) {
    expiry_ = shard_.deadlines.add(when, Due{Due::Kind::fresh_expiry, this, 0});
  } else {
    shard_.deadlines.move(expiry_, when);
  }
}

// Each revision is a key of its own, so that it is written once and dropped once.
void FifoQueue::write_state(Sequence sequence, Entry& entry) {
  shard_.note(DropState{id(), sequence, entry.state.revision});
  ++entry.state.revision;
  MessageState state = entry.state;
  state.group_id = entry.group->id;
  shard_.note(PutState{id(), sequence, std::move(state)});
  touch();
}

// ---- Groups

FifoQueue::Group& FifoQueue::group_of(const std::string& id) {
  const auto [found, is_new] = groups_.try_emplace(id);
  if (is_new) found->second.id = id;
  return found->second;
}

Instant FifoQueue::visible_from(const Entry& entry) const {
  return entry.state.receive_count == 0 ? entry.state.sent + settings_.delay : entry.state.visible_at;
}

void FifoQueue::block(Group& group) {
  if (group.ready_as) (group.is_dead ? dead_ : ready_).erase(*std::exchange(group.ready_as, std::nullopt));
  if (group.delay != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(group.delay, DeadlineHeap::none));
}

// Brings a group to where its first message belongs. A group without messages is gone afterwards.
void FifoQueue::refresh(Group& group, Instant now) {
  block(group);
  if (group.messages.empty()) {
    groups_.erase(std::string(group.id));
    return;
  }
  const Sequence first = group.messages.front();
  Entry& entry = window_.at(first);
  if (entry.phase != Phase::waiting) return;
  const Instant visible = visible_from(entry);
  if (visible > now) {
    group.delay = shard_.deadlines.add(visible, Due{Due::Kind::group, this, first.value});
  } else {
    const bool was_delayed = entry.state.receive_count == 0 && visible > entry.state.sent;
    if (was_delayed && !std::exchange(entry.told_of, true)) {
      shard_.tell(MessageEvent::Kind::visible, id(), first);
    }
    group.ready_as = first;
    group.is_dead = is_dead_letter(entry.state) && !entry.kept;
    (group.is_dead ? dead_ : ready_).emplace(first, &group);
  }
}

// ---- Sending

bool FifoQueue::within_rate(Action action, const SendMessages* command, Instant now) {
  if (!shard_.limits.strict || (command != nullptr && command->messages.empty())) return true;
  const std::int64_t second = to_epoch_ms(now) / 1'000;
  if (std::exchange(calls_second_, second) != second) calls_.clear();
  if (!settings_.rate_by_group) return ++calls_[{action, {}}] <= sqs_limits::fifo_calls_per_second_max;
  // Of the other actions the group is not known when they are called; they are spread over the groups.
  if (action != Action::send) return true;
  std::set<std::string> groups;
  for (const OutgoingMessage& message : command->messages) groups.insert(message.content.group_id);
  bool within = true;
  for (const std::string& group : groups) {
    within = ++calls_[{action, group}] <= sqs_limits::fifo_calls_per_second_max && within;
  }
  return within;
}

std::optional<Error> FifoQueue::check_content(const MessageContent& content) const {
  if (!content.group_id.empty() && !content.deduplication_id.empty()) return std::nullopt;
  const std::string missing = content.group_id.empty() ? "MessageGroupId" : "MessageDeduplicationId";
  return Error{ErrorCode::MissingParameter, "The request must contain the parameter " + missing + "."};
}

std::optional<Error> FifoQueue::check_request(const SendMessages& command) const {
  const auto without_group = [](const OutgoingMessage& message) { return message.content.group_id.empty(); };
  if (!command.lacks_group && std::none_of(command.messages.begin(), command.messages.end(), without_group)) {
    return std::nullopt;
  }
  return Error{command.batch ? ErrorCode::InvalidParameterValue : ErrorCode::MissingParameter,
               "The request must contain the parameter MessageGroupId."};
}

std::optional<Error> FifoQueue::check_send(const OutgoingMessage& message, bool batch) const {
  if (auto error = check_size(message, batch)) return error;
  if (message.delay_seconds.value_or(0) > 0) {
    return invalid_value(std::to_string(*message.delay_seconds), "DelaySeconds",
                         "The request include parameter that is not valid for this queue type.");
  }
  if (message.content.deduplication_id.empty() && !(settings_.content_based_dedup && !message.body_sha256.empty())) {
    return Error{ErrorCode::InvalidParameterValue,
                 "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                 "explicitly"};
  }
  if (dedups_.size() >= shard_.limits.dedup_entries_max) return Error{ErrorCode::RequestThrottled, {}};
  return std::nullopt;
}

Sent FifoQueue::take_in(OutgoingMessage& message, Instant now) {
  MessageContent& content = message.content;
  if (content.deduplication_id.empty()) content.deduplication_id = message.body_sha256;
  const Digest dedup = dedup_id(content);
  if (const Dedup* earlier = find_duplicate(dedup, now)) {
    Sent sent{message_id_of(earlier->sequence), format_sequence_number(earlier->sequence)};
    shard_.tell(DuplicateSend{id(), earlier->sequence, sent.message_id, std::move(content.deduplication_id)});
    return sent;
  }
  auto stored = std::make_shared<StoredMessage>();
  stored->message_id = message_id_of(cursor_.tail);
  stored->sent = now;
  stored->content = std::move(content);
  Sent sent{stored->message_id, {}};
  const Sequence sequence = append(std::move(stored), MessageState{.sent = now, .visible_at = now}, now);
  sent.sequence_number = format_sequence_number(sequence);
  const DedupEntry entry{sequence, now, dedup};
  remember_send(entry);
  shard_.promise(PutDedup{id(), entry});
  return sent;
}

void FifoQueue::arrive(std::shared_ptr<StoredMessage> message, const AcceptTransfer& command, Instant now) {
  // Its retention begins anew, and a deduplication id counts only where it was sent.
  MessageState state{.sent = now, .visible_at = now};
  if (command.kind == TransferKind::dead_letter) {
    state.first_received_at = command.first_received;
    state.receive_count = state.arrival_count = command.receive_count;
  }
  append(std::move(message), std::move(state), now);
}

void FifoQueue::take_over(ImportedMessage& imported, Instant now) {
  MessageState state{.sent = imported.message->sent,
                     .visible_at = imported.visible_at,
                     .first_received_at = imported.first_received,
                     .receive_count = imported.receive_count,
                     .arrival_count = imported.arrival_count};
  append(std::move(imported.message), std::move(state), now);
}

// ---- Deduplication

Digest FifoQueue::dedup_id(const MessageContent& content) const {
  return digest_of(record_.dedup_by_group ? content.group_id : std::string{}, content.deduplication_id);
}

const FifoQueue::Dedup* FifoQueue::find_duplicate(const Digest& id, Instant now) const {
  const auto found = dedups_.find(id);
  if (found == dedups_.end() || found->second.sent + sqs_limits::dedup_interval <= now) return nullptr;
  return &found->second;
}

void FifoQueue::remember_send(const DedupEntry& entry) {
  dedups_.insert_or_assign(entry.id, Dedup{entry.sequence, entry.sent});
  dedup_order_.push_back(entry);
  if (dedup_due_ == DeadlineHeap::none) {
    dedup_due_ =
        shard_.deadlines.add(entry.sent + sqs_limits::dedup_interval + dedup_lag, Due{Due::Kind::dedup, this, 0});
  }
}

void FifoQueue::forget_sends(Instant now) {
  std::optional<Sequence> until;
  while (!dedup_order_.empty() && dedup_order_.front().sent + sqs_limits::dedup_interval <= now) {
    const DedupEntry& over = dedup_order_.front();
    // A later send under the same id has taken its place.
    const auto found = dedups_.find(over.id);
    if (found != dedups_.end() && found->second.sequence == over.sequence) dedups_.erase(found);
    until = Sequence{over.sequence.value + 1};
    dedup_order_.pop_front();
  }
  if (until) shard_.note(DropDedups{id(), *until});
  if (dedup_order_.empty()) return;
  dedup_due_ = shard_.deadlines.add(dedup_order_.front().sent + sqs_limits::dedup_interval + dedup_lag,
                                    Due{Due::Kind::dedup, this, 0});
}

// Derived, so that a duplicate can be answered with the first one's id without keeping it.
std::string FifoQueue::message_id_of(Sequence sequence) const {
  DigestEntropy entropy(digest_of(std::to_string(id().value), std::to_string(sequence.value)));
  return make_uuid(entropy);
}

// ---- Receiving

// First messages that were received too often leave for the dead-letter queue, as many as may be on their way.
void FifoQueue::send_off_dead(Instant now) {
  while (!dead_.empty() && may_depart()) {
    Group& group = *dead_.begin()->second;
    block(group);
    Entry& message = window_.at(group.messages.front());
    // Its queue may have been given another policy meanwhile.
    if (!is_dead_letter(message.state)) {
      refresh(group, now);
      continue;
    }
    message.phase = Phase::departing;
    ++departing_count_;
    depart_as_dead_letter({group.messages.front(), message.state.receive_count, message.state.first_received_at});
  }
}

// The run of messages at a group's front that can be had, up to one that is a dead letter.
void FifoQueue::take_run(Group& group, const Wanted& wanted, std::vector<Entries::iterator>& taken, Instant now) {
  for (const Sequence sequence : group.messages) {
    const auto entry = window_.find(sequence);
    Entry& message = entry->second;
    const std::size_t flying = in_flight_ + taken.size();
    if (taken.size() == wanted.max_messages || flying >= shard_.limits.in_flight_max) return;
    if (message.phase != Phase::waiting || visible_from(message) > now || is_expired(message, now)) return;
    if (is_dead_letter(message.state) && !message.kept) return;
    taken.push_back(entry);
  }
}

Deliveries FifoQueue::deliver(const Wanted& wanted, Instant now) {
  drop_expired(now);
  send_off_dead(now);
  std::vector<Entries::iterator> taken;
  std::vector<Group*> touched;
  for (auto next = ready_.begin(); next != ready_.end() && taken.size() < wanted.max_messages;) {
    Group& group = *next->second;
    const std::size_t before = taken.size();
    take_run(group, wanted, taken, now);
    // At the limit of messages in flight: the groups behind have no better luck.
    if (taken.size() == before) break;
    ++next;
    block(group);
    touched.push_back(&group);
  }
  Deliveries deliveries;
  for (const auto entry : taken) deliveries.messages.push_back(lease(entry, wanted.visibility, now));
  for (Group* group : touched) refresh(*group, now);
  if (!wanted.attempt_id.empty() && !taken.empty()) remember_attempt(wanted.attempt_id, taken, now);
  return deliveries;
}

Delivery FifoQueue::lease(Entries::iterator entry, Millis visibility, Instant now) {
  auto& [sequence, message] = *entry;
  MessageState& state = message.state;
  message.kept = message.repeated = false;
  void_attempt(message);
  ++state.receive_count;
  if (state.receive_count == 1) state.first_received_at = now;
  state.received_at = now;
  state.visible_at = now + visibility;
  state.receipt_nonce = draw_nonce();
  write_state(sequence, message);
  if (visibility > Millis{0}) set_in_flight(sequence, message, now);
  Delivery delivery{
      id(),   sequence, format_handle(sequence, state.receipt_nonce), state.receive_count, state.first_received_at,
      nullptr};
  delivery.visible_at = state.visible_at;
  return delivery;
}

void FifoQueue::set_in_flight(Sequence sequence, Entry& entry, Instant /*now*/) {
  if (entry.phase != Phase::in_flight) ++in_flight_;
  entry.phase = Phase::in_flight;
  if (entry.deadline == DeadlineHeap::none) {
    entry.deadline = shard_.deadlines.add(entry.state.visible_at, Due{Due::Kind::message, this, sequence.value});
  } else {
    shard_.deadlines.move(entry.deadline, entry.state.visible_at);
  }
}

void FifoQueue::end_flight(Entry& entry) {
  --in_flight_;
  entry.phase = Phase::waiting;
  if (entry.deadline != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(entry.deadline, DeadlineHeap::none));
}

void FifoQueue::message_due(Sequence sequence, Instant now) {
  const auto found = window_.find(sequence);
  if (found == window_.end()) return;
  found->second.deadline = DeadlineHeap::none;
  shard_.tell(MessageEvent::Kind::visible, id(), sequence);
  void_attempt(found->second);
  end_flight(found->second);
  refresh(*found->second.group, now);
  serve_soon();
}

// Whoever waits behind one that is in flight cannot be received, and so is not visible either.
Delivery::Presence FifoQueue::presence_of(const Entry& entry, Instant now) const {
  using Presence = Delivery::Presence;
  const bool locked = window_.at(entry.group->messages.front()).phase != Phase::waiting;
  if (locked || entry.phase != Phase::waiting) return Presence::invisible;
  return visible_from(entry) > now ? Presence::delayed : Presence::visible;
}

PeekedMessages FifoQueue::peek(const PeekMessages& command, Instant now) const {
  PeekedMessages peeked;
  for (const auto& [sequence, entry] : window_) {
    if (peeked.messages.size() == shard_.limits.peek_messages_max) break;
    const Delivery::Presence presence = presence_of(entry, now);
    if (presence == Delivery::Presence::invisible && !command.invisible) continue;
    if ((presence == Delivery::Presence::delayed && !command.delayed) || is_expired(entry, now)) continue;
    const MessageState& state = entry.state;
    peeked.messages.push_back(
        Delivery{id(), sequence, {}, state.receive_count, state.first_received_at, nullptr, false, presence});
  }
  return peeked;
}

// ---- Receive attempts

void FifoQueue::remember_attempt(const std::string& attempt_id, const std::vector<Entries::iterator>& taken,
                                 Instant now) {
  // With a timeout of 0 nothing is kept for the one who asked.
  if (taken.front()->second.phase != Phase::in_flight) return;
  if (const auto earlier = attempts_.find(attempt_id); earlier != attempts_.end()) {
    for (const ReceiveAttempt::Entry& entry : earlier->second.entries) {
      if (const auto found = window_.find(entry.sequence); found != window_.end()) found->second.attempt = nullptr;
    }
  }
  ReceiveAttempt& attempt = attempts_[attempt_id];
  attempt = ReceiveAttempt{attempt_id, now, {}};
  for (const auto entry : taken) {
    attempt.entries.push_back({entry->first, entry->second.state.receipt_nonce});
    entry->second.attempt = &attempt;
  }
  shard_.note(PutAttempt{id(), attempt});
}

void FifoQueue::recover_attempt(ReceiveAttempt attempt) {
  const auto holds = [&](const ReceiveAttempt::Entry& entry) {
    const auto found = window_.find(entry.sequence);
    return found != window_.end() && found->second.phase == Phase::in_flight &&
           found->second.state.receipt_nonce == entry.receipt_nonce;
  };
  if (!std::all_of(attempt.entries.begin(), attempt.entries.end(), holds)) {
    shard_.note(DropAttempt{id(), attempt.id});
    return;
  }
  const std::string attempt_id = attempt.id;
  ReceiveAttempt& kept = attempts_.insert_or_assign(attempt_id, std::move(attempt)).first->second;
  for (const ReceiveAttempt::Entry& entry : kept.entries) window_.at(entry.sequence).attempt = &kept;
}

// An attempt is repeatable only while none of its messages has changed.
void FifoQueue::void_attempt(Entry& entry) {
  if (entry.attempt == nullptr) return;
  const std::string attempt_id = entry.attempt->id;
  for (const ReceiveAttempt::Entry& other : entry.attempt->entries) {
    if (const auto found = window_.find(other.sequence); found != window_.end()) found->second.attempt = nullptr;
  }
  attempts_.erase(attempt_id);
  shard_.note(DropAttempt{id(), attempt_id});
}

std::optional<Deliveries> FifoQueue::repeat(const Wanted& wanted, Instant now) {
  const auto found = attempts_.find(wanted.attempt_id);
  if (found == attempts_.end() || found->second.decided + sqs_limits::attempt_interval <= now) return std::nullopt;
  const ReceiveAttempt attempt = found->second;
  Deliveries deliveries;
  for (const ReceiveAttempt::Entry& entry : attempt.entries) {
    auto& message = window_.at(entry.sequence);
    message.repeated = true;
    MessageState& state = message.state;
    // Retrying starts the visibility timeout anew, within what the receive may hold altogether.
    state.visible_at =
        std::min(now + wanted.visibility, state.received_at + std::chrono::seconds{sqs_limits::visibility_seconds_max});
    write_state(entry.sequence, message);
    deliveries.messages.push_back(Delivery{id(), entry.sequence, format_handle(entry.sequence, entry.receipt_nonce),
                                           state.receive_count, state.first_received_at, nullptr, true});
    deliveries.messages.back().visible_at = state.visible_at;
    if (state.visible_at > now) {
      set_in_flight(entry.sequence, message, now);
    } else {
      void_attempt(message);
      end_flight(message);
    }
  }
  for (const ReceiveAttempt::Entry& entry : attempt.entries) refresh(*window_.at(entry.sequence).group, now);
  return deliveries;
}

// ---- Receipt handles

void FifoQueue::remove(CallId call, const DeleteMessages& command, Instant now) {
  if (!within_rate(Action::remove, nullptr, now)) return shard_.reply(call, Error{ErrorCode::RequestThrottled, {}});
  EntryResults results;
  for (const std::string& handle : command.receipt_handles) {
    results.entries.push_back(delete_one(handle, command.promised, now));
  }
  shard_.reply(call, std::move(results));
  // The next message of the group may be what a long poll waits for.
  serve_parked(now);
  pump_move_task(now);
}

std::optional<Error> FifoQueue::delete_one(const std::string& handle, bool promised, Instant now) {
  const auto parsed = parse_receipt_handle(handle);
  if (!parsed || parsed->queue != id()) return invalid_handle(handle);
  const auto entry = window_.find(parsed->sequence);
  if (entry == window_.end()) return std::nullopt;
  if (entry->second.phase != Phase::in_flight || entry->second.state.receipt_nonce != parsed->nonce) {
    return handle_expired(handle);
  }
  shard_.tell(MessageEvent::Kind::deleted, id(), parsed->sequence);
  drop(entry, promised, now);
  count(&QueueTally::deletes);
  return std::nullopt;
}

void FifoQueue::change_visibility(CallId call, const ChangeVisibility& command, Instant now) {
  EntryResults results;
  for (const VisibilityChange& change : command.changes) results.entries.push_back(change_one(change, now));
  shard_.reply(call, std::move(results));
  serve_parked(now);
  pump_move_task(now);
}

std::optional<Error> FifoQueue::change_one(const VisibilityChange& change, Instant now) {
  const auto parsed = parse_receipt_handle(change.receipt_handle);
  if (!parsed || parsed->queue != id()) return invalid_handle(change.receipt_handle);
  const auto found = window_.find(parsed->sequence);
  if (found == window_.end() || found->second.phase != Phase::in_flight ||
      found->second.state.receipt_nonce != parsed->nonce) {
    return invalid_value(change.receipt_handle, "ReceiptHandle",
                         "Message does not exist or is not available for visibility timeout change.");
  }
  Entry& entry = found->second;
  const Instant visible_at = now + std::chrono::seconds{change.timeout_seconds};
  if (visible_at > entry.state.received_at + std::chrono::seconds{sqs_limits::visibility_seconds_max}) {
    return invalid_value(std::to_string(change.timeout_seconds), "VisibilityTimeout",
                         "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]");
  }
  void_attempt(entry);
  entry.state.visible_at = visible_at;
  shard_.tell(MessageEvent::Kind::hidden, id(), parsed->sequence, visible_at);
  write_state(parsed->sequence, entry);
  if (visible_at > now) {
    set_in_flight(parsed->sequence, entry, now);
  } else {
    end_flight(entry);
    refresh(*entry.group, now);
  }
  return std::nullopt;
}

void FifoQueue::return_undelivered(const ReturnUndelivered& command, Instant now) {
  for (const std::string& handle : command.receipt_handles) {
    const auto parsed = parse_receipt_handle(handle);
    if (!parsed || parsed->queue != id()) continue;
    const auto found = window_.find(parsed->sequence);
    if (found == window_.end() || found->second.state.receipt_nonce != parsed->nonce) continue;
    Entry& entry = found->second;
    if (entry.phase == Phase::departing || entry.repeated) continue;
    void_attempt(entry);
    --entry.state.receive_count;
    if (entry.state.receive_count == 0) entry.state.first_received_at = Instant{};
    entry.state.receipt_nonce = 0;
    entry.state.visible_at = now;
    shard_.tell(MessageEvent::Kind::returned, id(), parsed->sequence);
    write_state(parsed->sequence, entry);
    if (entry.phase == Phase::in_flight) end_flight(entry);
    refresh(*entry.group, now);
  }
  serve_parked(now);
  pump_move_task(now);
}

// ---- Moves between queues

std::optional<Departure> FifoQueue::take_departure(Sequence until, Instant now) {
  drop_expired(now);
  const bool dead_first = !dead_.empty() && (ready_.empty() || dead_.begin()->first < ready_.begin()->first);
  const std::map<Sequence, Group*>& groups = dead_first ? dead_ : ready_;
  if (groups.empty() || groups.begin()->first >= until) return std::nullopt;
  const Sequence sequence = groups.begin()->first;
  block(*groups.begin()->second);
  Entry& entry = window_.at(sequence);
  entry.phase = Phase::departing;
  ++departing_count_;
  return Departure{sequence, entry.state.receive_count, entry.state.first_received_at};
}

bool FifoQueue::has_locked(Sequence until) const {
  for (const auto& [sequence, entry] : window_) {
    if (sequence >= until) return false;
    if (entry.phase == Phase::waiting) return true;
  }
  return unread_ < until;
}

void FifoQueue::departed(Sequence sequence, Instant now) {
  const auto found = window_.find(sequence);
  if (found == window_.end()) return;
  shard_.tell(MessageEvent::Kind::moved, id(), sequence);
  drop(found, true, now);
}

bool FifoQueue::stays(Sequence sequence, Instant now) {
  const auto found = window_.find(sequence);
  if (found == window_.end()) return false;
  found->second.kept = true;
  found->second.phase = Phase::waiting;
  --departing_count_;
  refresh(*found->second.group, now);
  return true;
}

}  // namespace penstock::core
