#include "core/standard_queue.hpp"

#include <algorithm>
#include <utility>

#include "core/uuid.hpp"

namespace penstock::core {

namespace {

// Messages received so often without a delete go to the back of a standard queue (SQS Developer Guide).
constexpr std::uint32_t receives_until_back = 3;

Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason) {
  std::string text = "Value ";
  text.append(value).append(" for parameter ").append(parameter).append(" is invalid. Reason: ").append(reason);
  return {ErrorCode::InvalidParameterValue, std::move(text)};
}

Error invalid_handle(const std::string& handle) {
  return {ErrorCode::ReceiptHandleIsInvalid,
          "The input receipt handle \"" + handle + "\" is not a valid receipt handle."};
}

}  // namespace

StandardQueue::StandardQueue(ShardContext& shard, QueueRecord record)
    : shard_(shard), record_(std::move(record)), settings_(QueueSettings::from(record_.attributes)) {}

StandardQueue::~StandardQueue() = default;

void StandardQueue::recover(RecoveredQueue recovered, Instant now) {
  cursor_ = recovered.cursor;
  unread_ = cursor_.head;
  // Set before the first insertion, which looks at how many residents there are.
  if (recovered.states_next) sweep_ = *recovered.states_next;
  for (const StateEntry& entry : recovered.states) insert_resident(entry.sequence, entry.state, now);
  load_fresh_if_low();
  ready_on_disk_ = spilled_count() > 0;
  trim_idle(now);
  sweep_if_low();
}

QueueCounts StandardQueue::counts() const {
  // What was left on disk is counted as visible: it is delayed at most for a while, and these counts are approximate.
  return {cursor_.fresh_count + ready_.size() + back_.size() + spilled_count(), in_flight_.size(), delayed_.size()};
}

void StandardQueue::touch() {
  if (std::exchange(touched_, true)) return;
  shard_.touched.push_back(this);
}

// ---- Configuration

void StandardQueue::set_attributes(CallId call, const StringMap& attributes, Instant now) {
  if (auto error = merge_attributes(attributes, record_.attributes)) {
    shard_.reply(call, std::move(*error));
    return;
  }
  const Millis retention_before = settings_.retention;
  settings_ = QueueSettings::from(record_.attributes);
  record_.modified = now;
  if (settings_.retention != retention_before) {
    for (const auto& [sequence, resident] : residents_) schedule(resident);
    arm_fresh_expiry();
  }
  shard_.promise(PutQueue{record_});
  shard_.reply(call, Done{});
}

void StandardQueue::purge(CallId call, Instant now) {
  if (shard_.limits.strict && cursor_.purged != Instant{} && now < cursor_.purged + sqs_limits::purge_interval) {
    shard_.reply(call, Error{ErrorCode::PurgeQueueInProgress, "Only one PurgeQueue operation on " + record_.name.name +
                                                                  " is allowed every 60 seconds."});
    return;
  }
  for (const auto& [sequence, resident] : residents_) {
    if (resident->deadline != DeadlineHeap::none) shard_.deadlines.remove(resident->deadline);
  }
  for (Place* place : {&in_flight_, &delayed_, &ready_, &back_}) place->clear();
  residents_.clear();
  window_.clear();
  cursor_.head = unread_ = cursor_.tail;
  cursor_.fresh_count = 0;
  cursor_.state_count = 0;
  cursor_.purged = now;
  ++epoch_;
  fresh_loading_ = false;
  states_loading_ = false;
  asked_.clear();
  changed_while_loading_.clear();
  sweep_ = Sequence{1};
  ready_on_disk_ = false;
  delayed_on_disk_until_.reset();
  arm_fresh_expiry();
  shard_.promise(DropQueueContents{id()});
  touch();
  shard_.reply(call, Done{});
  run_deferred(now);
  serve_parked(now);
}

void StandardQueue::erase(Instant now) {
  for (const Parked& parked : parked_) {
    if (parked.deadline != DeadlineHeap::none) shard_.deadlines.remove(parked.deadline);
    shard_.reply(parked.call, Error{ErrorCode::QueueDoesNotExist, {}});
  }
  parked_.clear();
  parked_by_call_.clear();
  for (const auto& [sequence, resident] : residents_) {
    if (resident->deadline != DeadlineHeap::none) shard_.deadlines.remove(resident->deadline);
  }
  for (Place* place : {&in_flight_, &delayed_, &ready_, &back_}) place->clear();
  residents_.clear();
  window_.clear();
  if (fresh_expiry_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(fresh_expiry_, DeadlineHeap::none));
  if (sweep_due_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(sweep_due_, DeadlineHeap::none));
  for (const Deferred& deferred : deferred_) {
    if (!std::holds_alternative<ReturnUndelivered>(deferred.command)) {
      shard_.reply(deferred.call, Error{ErrorCode::QueueDoesNotExist, {}});
    }
  }
  deferred_.clear();
  record_.deleted = now;
  ++epoch_;
  std::erase(shard_.touched, this);
  shard_.promise(DropQueueContents{id()});
}

// ---- Sending

std::optional<Error> StandardQueue::check_send(const OutgoingMessage& message, bool batch) const {
  if (message.bytes > settings_.message_bytes_max) {
    return Error{
        ErrorCode::InvalidParameterValue,
        std::string(batch ? "One or more parameters cannot be validated." : "One or more parameters are invalid.") +
            " Reason: Message must be shorter than " + std::to_string(settings_.message_bytes_max) + " bytes."};
  }
  if (!message.content.deduplication_id.empty()) {
    return invalid_value(message.content.deduplication_id, "MessageDeduplicationId",
                         "The request include parameter that is not valid for this queue type.");
  }
  return std::nullopt;
}

Sent StandardQueue::accept(OutgoingMessage& message, Instant now) {
  const Millis delay = message.delay_seconds ? Millis{std::chrono::seconds{*message.delay_seconds}} : settings_.delay;
  const Sequence sequence = cursor_.tail;
  auto stored = std::make_shared<StoredMessage>();
  stored->message_id = make_uuid(shard_.entropy);
  stored->sent = now;
  stored->delayed = delay > Millis{0};
  stored->content = std::move(message.content);
  Sent sent{stored->message_id, std::nullopt};
  shard_.promise(PutMessage{id(), sequence, std::move(stored)});
  if (delay > Millis{0}) {
    const MessageState state{.sent = now, .visible_at = now + delay, .revision = 1};
    shard_.promise(PutState{id(), sequence, state});
    if (unread_ == cursor_.tail) unread_ = Sequence{cursor_.tail.value + 1};
    ++cursor_.tail.value;
    ++cursor_.state_count;
    insert_resident(sequence, state, now);
    trim_idle(now);
  } else {
    append_fresh(sequence, now);
  }
  touch();
  return sent;
}

void StandardQueue::send(CallId call, SendMessages& command, Instant now) {
  SendResults results;
  results.entries.reserve(command.messages.size());
  for (OutgoingMessage& message : command.messages) {
    if (auto error = check_send(message, command.batch)) {
      results.entries.emplace_back(std::move(*error));
    } else {
      results.entries.emplace_back(accept(message, now));
    }
  }
  shard_.reply(call, std::move(results));
  serve_parked(now);
}

// ---- The fresh lane

void StandardQueue::append_fresh(Sequence sequence, Instant now) {
  const bool window_reaches_tail = unread_ == cursor_.tail;
  ++cursor_.tail.value;
  ++cursor_.fresh_count;
  if (!window_reaches_tail || window_.size() >= shard_.limits.fresh_window_max) return;
  window_.push_back(FreshEntry{sequence, now});
  unread_ = cursor_.tail;
  if (fresh_expiry_ == DeadlineHeap::none) arm_fresh_expiry();
}

void StandardQueue::load_fresh_if_low() {
  if (fresh_loading_) return;
  if (cursor_.fresh_count == window_.size()) {
    // Whatever lies between here and the tail was sent with a delay.
    unread_ = cursor_.tail;
    return;
  }
  if (window_.size() > shard_.limits.fresh_window_max / 2) return;
  fresh_loading_ = true;
  shard_.effects.loads.emplace_back(
      LoadFresh{id(), epoch_, unread_, cursor_.tail,
                std::min(shard_.limits.fresh_load_count_max, shard_.limits.fresh_window_max - window_.size()),
                shard_.limits.fresh_load_bytes_max});
}

void StandardQueue::fresh_loaded(const FreshLoaded& loaded, Instant now) {
  if (loaded.epoch != epoch_ || !fresh_loading_) return;
  fresh_loading_ = false;
  window_.insert(window_.end(), loaded.entries.begin(), loaded.entries.end());
  unread_ = loaded.next;
  if (!window_.empty() && fresh_expiry_ == DeadlineHeap::none) arm_fresh_expiry();
  load_fresh_if_low();
  serve_parked(now);
}

void StandardQueue::arm_fresh_expiry() {
  if (window_.empty()) {
    if (fresh_expiry_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(fresh_expiry_, DeadlineHeap::none));
    return;
  }
  const Instant when = window_.front().sent + settings_.retention;
  if (fresh_expiry_ == DeadlineHeap::none) {
    fresh_expiry_ = shard_.deadlines.add(when, Due{Due::Kind::fresh_expiry, this, 0});
  } else {
    shard_.deadlines.move(fresh_expiry_, when);
  }
}

void StandardQueue::drop_expired_fresh(Instant now, std::size_t count_max) {
  std::size_t dropped = 0;
  while (!window_.empty() && dropped < count_max && window_.front().sent + settings_.retention <= now) {
    const Sequence sequence = window_.front().sequence;
    window_.pop_front();
    cursor_.head = Sequence{sequence.value + 1};
    --cursor_.fresh_count;
    shard_.note(DropMessage{id(), sequence});
    ++dropped;
  }
  if (dropped == 0) return;
  touch();
  load_fresh_if_low();
}

void StandardQueue::fresh_expiry_due(Instant now) {
  // The deadline was taken off the heap. It is left as it was while the front of the window is received, so it may come
  // before the present front's.
  fresh_expiry_ = DeadlineHeap::none;
  drop_expired_fresh(now, shard_.limits.expire_batch_max);
  arm_fresh_expiry();
  // What comes behind those that expired may be what a long poll waits for.
  serve_parked(now);
}

// ---- Residents

StandardQueue::Place::iterator StandardQueue::insert_resident(Sequence sequence, const MessageState& state,
                                                              Instant now) {
  ready_.push_back(Resident{sequence, state, DeadlineHeap::none, {}, &ready_});
  const auto resident = std::prev(ready_.end());
  residents_.emplace(sequence, resident);
  settle(resident, now);
  return resident;
}

void StandardQueue::move_to(Place& place, Place::iterator resident) {
  place.splice(place.end(), *resident->place, resident);
  resident->place = &place;
}

// Puts a resident where its state says that it belongs, at the end of those that are there.
void StandardQueue::settle(Place::iterator resident, Instant now) {
  if (resident->state.visible_at > now) {
    move_to(resident->state.receive_count > 0 ? in_flight_ : delayed_, resident);
  } else if (resident->state.receive_count >= receives_until_back) {
    resident->turn = cursor_.tail;
    move_to(back_, resident);
  } else {
    move_to(ready_, resident);
  }
  schedule(resident);
}

void StandardQueue::schedule(Place::iterator resident) {
  const bool waits = resident->place == &in_flight_ || resident->place == &delayed_;
  const Instant expiry = expires(resident->state);
  const Instant when = waits ? std::min(resident->state.visible_at, expiry) : expiry;
  if (resident->deadline == DeadlineHeap::none) {
    resident->deadline = shard_.deadlines.add(when, Due{Due::Kind::message, this, resident->sequence.value});
  } else {
    shard_.deadlines.move(resident->deadline, when);
  }
}

void StandardQueue::evict(Place::iterator resident) {
  if (states_loading_) changed_while_loading_.insert(resident->sequence);
  if (resident->deadline != DeadlineHeap::none) shard_.deadlines.remove(resident->deadline);
  residents_.erase(resident->sequence);
  resident->place->erase(resident);
}

void StandardQueue::drop_message(Place::iterator resident, bool promised) {
  const DropState state{id(), resident->sequence, resident->state.revision};
  const DropMessage message{id(), resident->sequence};
  shard_.note(state);
  if (promised) {
    shard_.promise(message);
  } else {
    shard_.note(message);
  }
  --cursor_.state_count;
  evict(resident);
  touch();
}

// Each revision is a key of its own, so that it is written once and dropped once.
void StandardQueue::write_state(Place::iterator resident) {
  if (states_loading_) changed_while_loading_.insert(resident->sequence);
  if (resident->state.revision > 0) shard_.note(DropState{id(), resident->sequence, resident->state.revision});
  ++resident->state.revision;
  shard_.note(PutState{id(), resident->sequence, resident->state});
  touch();
}

void StandardQueue::message_due(Sequence sequence, Instant now) {
  const auto found = residents_.find(sequence);
  if (found == residents_.end()) return;
  const Place::iterator resident = found->second;
  resident->deadline = DeadlineHeap::none;
  if (expires(resident->state) <= now) {
    drop_message(resident, false);
    sweep_if_low();
  } else {
    settle(resident, now);
  }
  serve_parked(now);
  trim_idle(now);
}

// Leaves to disk what is likely to wait longest.
void StandardQueue::trim_idle(Instant now) {
  while (returned_count() > shard_.limits.resident_idle_max) {
    Place& place = back_.empty() ? ready_ : back_;
    const auto last = std::prev(place.end());
    left_on_disk(last->state, now);
    evict(last);
  }
  while (delayed_.size() > shard_.limits.resident_idle_max) {
    // Of the two that came last, so that a short delay among long ones is not the one that has to go.
    auto last = std::prev(delayed_.end());
    const auto before = std::prev(last);
    if (before->state.visible_at > last->state.visible_at) last = before;
    left_on_disk(last->state, now);
    evict(last);
  }
}

void StandardQueue::left_on_disk(const MessageState& state, Instant now) {
  round_is_whole_ = false;
  if (state.visible_at <= now) {
    ready_on_disk_ = true;
  } else if (!delayed_on_disk_until_ || state.visible_at < *delayed_on_disk_until_) {
    delayed_on_disk_until_ = state.visible_at;
    arm_sweep();
  }
}

void StandardQueue::arm_sweep() {
  if (!delayed_on_disk_until_) return;
  if (sweep_due_ == DeadlineHeap::none) {
    sweep_due_ = shard_.deadlines.add(*delayed_on_disk_until_, Due{Due::Kind::sweep, this, 0});
  } else {
    shard_.deadlines.move(sweep_due_, *delayed_on_disk_until_);
  }
}

void StandardQueue::sweep_due() {
  sweep_due_ = DeadlineHeap::none;
  delayed_on_disk_until_.reset();
  ready_on_disk_ = true;
  sweep_if_low();
}

void StandardQueue::sweep_if_low() {
  const bool in_a_round = sweep_ > Sequence{1};
  if (states_loading_ || spilled_count() == 0 || !(in_a_round || ready_on_disk_)) return;
  if (returned_count() > shard_.limits.resident_idle_max / 2) return;
  if (!in_a_round) {
    // What is left to disk from here on counts for the round after this one.
    ready_on_disk_ = false;
    delayed_on_disk_until_.reset();
    round_is_whole_ = true;
    round_found_ = false;
  }
  states_loading_ = true;
  shard_.effects.loads.emplace_back(LoadStates{id(), epoch_, sweep_, shard_.limits.state_load_count_max});
}

// Whether a delayed message that a sweep comes upon has to wait for another.
bool StandardQueue::stays_on_disk(const MessageState& state, Instant now) const {
  return state.visible_at > now && state.receive_count == 0 && delayed_.size() >= shard_.limits.resident_idle_max;
}

void StandardQueue::states_loaded(const StatesLoaded& loaded, Instant now) {
  if (loaded.epoch != epoch_ || !states_loading_) return;
  states_loading_ = false;
  for (const StateEntry& entry : loaded.entries) {
    if (residents_.contains(entry.sequence) || changed_while_loading_.contains(entry.sequence)) continue;
    round_found_ = true;
    if (stays_on_disk(entry.state, now)) {
      left_on_disk(entry.state, now);
    } else {
      insert_resident(entry.sequence, entry.state, now);
    }
  }
  changed_while_loading_.clear();
  sweep_ = loaded.next.value_or(Sequence{1});
  if (!loaded.next && round_is_whole_ && !round_found_ && deferred_.empty() && spilled_count() > 0) {
    // A whole round found nothing: what was thought to be on disk is not there.
    cursor_.state_count = residents_.size();
    touch();
  }
  run_deferred(now);
  sweep_if_low();
  serve_parked(now);
}

void StandardQueue::states_of_loaded(const StatesOfLoaded& loaded, Instant now) {
  if (loaded.epoch != epoch_ || !states_loading_) return;
  states_loading_ = false;
  for (const StateEntry& entry : loaded.entries) {
    // It may have been received from the fresh lane while the load was under way, if a loss of power had undone what
    // its handle was given for.
    if (residents_.contains(entry.sequence) || changed_while_loading_.contains(entry.sequence)) continue;
    insert_resident(entry.sequence, entry.state, now);
  }
  for (const Sequence sequence : asked_) {
    if (!residents_.contains(sequence) && !changed_while_loading_.contains(sequence)) known_absent_.insert(sequence);
  }
  changed_while_loading_.clear();
  asked_.clear();
  run_deferred(now);
  known_absent_.clear();
  sweep_if_low();
  serve_parked(now);
}

// ---- Receiving

std::optional<StandardQueue::Place::iterator> StandardQueue::take_next(Instant now) {
  const auto first_alive = [&](Place& place) -> std::optional<Place::iterator> {
    while (!place.empty()) {
      if (expires(place.front().state) > now) return place.begin();
      drop_message(place.begin(), false);
    }
    return std::nullopt;
  };
  if (const auto resident = first_alive(ready_)) return resident;
  const auto last_resort = first_alive(back_);
  if (last_resort && (*last_resort)->turn <= cursor_.head) return last_resort;
  drop_expired_fresh(now, shard_.limits.expire_batch_max);
  if (!window_.empty() && window_.front().sent + settings_.retention > now) return lease_fresh(now);
  if (cursor_.fresh_count > 0) return std::nullopt;
  return last_resort;
}

// The front of the fresh lane becomes a resident; its state is written by the caller.
StandardQueue::Place::iterator StandardQueue::lease_fresh(Instant now) {
  const FreshEntry entry = window_.front();
  window_.pop_front();
  cursor_.head = Sequence{entry.sequence.value + 1};
  --cursor_.fresh_count;
  ++cursor_.state_count;
  load_fresh_if_low();
  return insert_resident(entry.sequence, MessageState{.sent = entry.sent}, now);
}

Deliveries StandardQueue::deliver(int max_messages, Millis visibility, Instant now) {
  Deliveries deliveries;
  std::vector<Place::iterator> taken;
  Place leased;  // keeps what was taken out of the way, so that a timeout of 0 does not hand it out twice at once
  const auto wanted = static_cast<std::size_t>(max_messages);
  while (taken.size() < wanted && in_flight_.size() + taken.size() < shard_.limits.in_flight_max) {
    const auto next = take_next(now);
    if (!next) break;
    move_to(leased, *next);
    taken.push_back(*next);
  }
  for (const Place::iterator resident : taken) {
    MessageState& state = resident->state;
    ++state.receive_count;
    if (state.receive_count == 1) state.first_received_at = now;
    state.received_at = now;
    state.visible_at = now + visibility;
    do state.receipt_nonce = shard_.entropy.next();
    while (state.receipt_nonce == 0);
    write_state(resident);
    settle(resident, now);
    deliveries.messages.push_back(Delivery{id(), resident->sequence,
                                           format(ReceiptHandle{id(), resident->sequence, state.receipt_nonce}),
                                           state.receive_count, state.first_received_at, nullptr});
  }
  trim_idle(now);
  sweep_if_low();
  return deliveries;
}

void StandardQueue::receive(CallId call, const ReceiveMessages& command, Instant now) {
  const Millis visibility = command.visibility_seconds ? Millis{std::chrono::seconds{*command.visibility_seconds}}
                                                       : settings_.visibility_timeout;
  const int wait_seconds = command.wait_seconds.value_or(settings_.wait_seconds);
  if (parked_.empty()) {
    Deliveries deliveries = deliver(command.max_messages, visibility, now);
    if (!deliveries.messages.empty()) {
      shard_.reply(call, std::move(deliveries));
      return;
    }
  }
  const bool awaits_load = fresh_loading_ || states_loading_;
  if (wait_seconds == 0 && at_in_flight_limit()) {
    shard_.reply(call, Error{ErrorCode::OverLimit, {}});
    return;
  }
  if (wait_seconds == 0 && !awaits_load) {
    shard_.reply(call, Deliveries{});
    return;
  }
  if (parked_.size() >= shard_.limits.parked_receives_max) {
    shard_.reply(call, Error{ErrorCode::RequestThrottled, {}});
    return;
  }
  parked_.push_back(Parked{call, command.max_messages, visibility, DeadlineHeap::none});
  const auto parked = std::prev(parked_.end());
  parked_by_call_.emplace(call, parked);
  if (wait_seconds > 0) {
    parked->deadline =
        shard_.deadlines.add(now + std::chrono::seconds{wait_seconds}, Due{Due::Kind::receive, this, call.value});
  }
}

void StandardQueue::serve_parked(Instant now) {
  while (!parked_.empty()) {
    const auto first = parked_.begin();
    Deliveries deliveries = deliver(first->max_messages, first->visibility, now);
    if (deliveries.messages.empty()) break;
    const CallId call = first->call;
    unpark(first);
    shard_.reply(call, std::move(deliveries));
  }
  if (fresh_loading_ || states_loading_) return;
  // What was loaded did not help the short polls that waited for it.
  for (auto parked = parked_.begin(); parked != parked_.end();) {
    const auto next = std::next(parked);
    if (parked->deadline == DeadlineHeap::none) {
      shard_.reply(parked->call, Deliveries{});
      unpark(parked);
    }
    parked = next;
  }
}

void StandardQueue::unpark(std::list<Parked>::iterator parked) {
  if (parked->deadline != DeadlineHeap::none) shard_.deadlines.remove(parked->deadline);
  parked_by_call_.erase(parked->call);
  parked_.erase(parked);
}

void StandardQueue::receive_due(CallId call) {
  const auto found = parked_by_call_.find(call);
  if (found == parked_by_call_.end()) return;
  found->second->deadline = DeadlineHeap::none;
  unpark(found->second);
  shard_.reply(call, Deliveries{});
}

void StandardQueue::cancel_receive(CallId call) {
  if (const auto found = parked_by_call_.find(call); found != parked_by_call_.end()) unpark(found->second);
}

void StandardQueue::release_parked() {
  while (!parked_.empty()) {
    shard_.reply(parked_.front().call, Deliveries{});
    unpark(parked_.begin());
  }
}

// ---- Receipt handles

StandardQueue::Found StandardQueue::find(const std::string& handle) {
  const auto parsed = parse_receipt_handle(handle);
  if (!parsed || parsed->queue != id()) return {};
  const auto found = residents_.find(parsed->sequence);
  if (found == residents_.end() || found->second->state.receipt_nonce != parsed->nonce) return {std::nullopt, true};
  return {found->second, true};
}

// A message that is not resident may lie on disk. Then the command waits for its state, and everything after it that
// asks for states too, so that what they do happens in order.
template <class Handles>
bool StandardQueue::defer_if_unknown(CallId call, const Handles& command,
                                     const std::vector<const std::string*>& handles) {
  if (spilled_count() == 0) return false;
  std::vector<Sequence> unknown;
  for (const std::string* handle : handles) {
    const auto parsed = parse_receipt_handle(*handle);
    if (!parsed || parsed->queue != id() || parsed->sequence >= cursor_.tail) continue;
    if (residents_.contains(parsed->sequence) || known_absent_.contains(parsed->sequence)) continue;
    unknown.push_back(parsed->sequence);
  }
  if (unknown.empty()) return false;
  std::sort(unknown.begin(), unknown.end());
  unknown.erase(std::unique(unknown.begin(), unknown.end()), unknown.end());
  if (!states_loading_) {
    states_loading_ = true;
    asked_ = unknown;
    shard_.effects.loads.emplace_back(LoadStatesOf{id(), epoch_, std::move(unknown)});
  }
  deferred_.push_back(Deferred{call, command});
  return true;
}

void StandardQueue::run_deferred(Instant now) {
  for (const Deferred& deferred : std::exchange(deferred_, {})) {
    if (const auto* command = std::get_if<DeleteMessages>(&deferred.command)) {
      remove(deferred.call, *command, now);
    } else if (const auto* change = std::get_if<ChangeVisibility>(&deferred.command)) {
      change_visibility(deferred.call, *change, now);
    } else {
      return_undelivered(std::get<ReturnUndelivered>(deferred.command), now);
    }
  }
}

void StandardQueue::remove(CallId call, const DeleteMessages& command, Instant now) {
  std::vector<const std::string*> handles;
  for (const std::string& handle : command.receipt_handles) handles.push_back(&handle);
  if (defer_if_unknown(call, command, handles)) return;
  delete_now(call, command);
  sweep_if_low();
  // A message less in flight may be what a long poll at the limit waits for.
  if (!parked_.empty()) serve_parked(now);
}

void StandardQueue::delete_now(CallId call, const DeleteMessages& command) {
  EntryResults results;
  for (const std::string& handle : command.receipt_handles) {
    const Found found = find(handle);
    if (!found.valid_handle) {
      results.entries.emplace_back(invalid_handle(handle));
      continue;
    }
    if (found.resident) drop_message(*found.resident, true);
    results.entries.emplace_back(std::nullopt);
  }
  shard_.reply(call, std::move(results));
}

void StandardQueue::change_visibility(CallId call, const ChangeVisibility& command, Instant now) {
  std::vector<const std::string*> handles;
  for (const VisibilityChange& change : command.changes) handles.push_back(&change.receipt_handle);
  if (defer_if_unknown(call, command, handles)) return;
  change_now(call, command, now);
  serve_parked(now);
}

void StandardQueue::change_now(CallId call, const ChangeVisibility& command, Instant now) {
  EntryResults results;
  for (const VisibilityChange& change : command.changes) results.entries.push_back(change_one(change, now));
  trim_idle(now);
  shard_.reply(call, std::move(results));
}

std::optional<Error> StandardQueue::change_one(const VisibilityChange& change, Instant now) {
  const Found found = find(change.receipt_handle);
  if (!found.valid_handle) return invalid_handle(change.receipt_handle);
  if (!found.resident || expires((*found.resident)->state) <= now) {
    return invalid_value(change.receipt_handle, "ReceiptHandle",
                         "Message does not exist or is not available for visibility timeout change.");
  }
  const Place::iterator resident = *found.resident;
  const Instant visible_at = now + std::chrono::seconds{change.timeout_seconds};
  if (visible_at > resident->state.received_at + std::chrono::seconds{sqs_limits::visibility_seconds_max}) {
    return invalid_value(std::to_string(change.timeout_seconds), "VisibilityTimeout",
                         "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]");
  }
  if (visible_at > now && resident->place != &in_flight_ && at_in_flight_limit()) {
    return Error{ErrorCode::OverLimit, {}};
  }
  resident->state.visible_at = visible_at;
  write_state(resident);
  settle(resident, now);
  return std::nullopt;
}

void StandardQueue::return_undelivered(const ReturnUndelivered& command, Instant now) {
  std::vector<const std::string*> handles;
  for (const std::string& handle : command.receipt_handles) handles.push_back(&handle);
  if (defer_if_unknown(CallId{}, command, handles)) return;
  return_now(command, now);
  serve_parked(now);
}

void StandardQueue::return_now(const ReturnUndelivered& command, Instant now) {
  // From the last to the first, each to the front, so that they come again in the order in which they left.
  for (auto handle = command.receipt_handles.rbegin(); handle != command.receipt_handles.rend(); ++handle) {
    const Found found = find(*handle);
    if (!found.resident) continue;
    const Place::iterator resident = *found.resident;
    MessageState& state = resident->state;
    --state.receive_count;
    if (state.receive_count == 0) state.first_received_at = Instant{};
    state.receipt_nonce = 0;
    state.visible_at = now;
    write_state(resident);
    settle(resident, now);
    if (resident->place == &ready_) ready_.splice(ready_.begin(), ready_, resident);
  }
  trim_idle(now);
}

}  // namespace penstock::core
