#include "core/standard_queue.hpp"

#include <algorithm>
#include <utility>

#include "core/uuid.hpp"

namespace penstock::core {

StandardQueue::StandardQueue(ShardContext& shard, QueueRecord record) : Queue(shard, std::move(record)) {
  lanes_.set_retention(settings_.retention);
}

StandardQueue::~StandardQueue() = default;

void StandardQueue::recover_contents(RecoveredQueue& recovered, Instant now) {
  lanes_.recover(recovered.lanes, cursor_.tail, now);
  unread_ = cursor_.head;
  // Set before the first insertion, which looks at how many residents there are.
  if (recovered.states_next) sweep_ = *recovered.states_next;
  // Who is noisy shows only when all that is in flight is known.
  recovering_ = true;
  for (const StateEntry& entry : recovered.states) insert_resident(entry.sequence, entry.state, now);
  recovering_ = false;
  lanes_.judge_all(in_flight_.residents.size(), now);
  load_fresh_if_low();
  ready_on_disk_ = spilled_count() > 0;
  trim_idle(now);
  sweep_if_low();
}

QueueCounts StandardQueue::counts(Instant /*now*/) const {
  // What was left on disk is counted as visible: it is delayed at most for a while, and these counts are approximate.
  return {cursor_.fresh_count + cursor_.lane_count + returned_count_ + spilled_count(),
          in_flight_.residents.size() + departing_residents_.residents.size(), delayed_.residents.size()};
}

std::optional<Instant> StandardQueue::oldest() const {
  std::optional<Instant> oldest = ages_.oldest();
  const auto consider = [&oldest](Instant sent) { oldest = std::min(oldest.value_or(sent), sent); };
  if (!window_.empty()) consider(window_.front().sent);
  if (const auto head = lanes_.oldest()) consider(head->entry.sent);
  return oldest;
}

void StandardQueue::own_due(const Due& due, Instant now) {
  if (due.kind == Due::Kind::fresh_expiry) return fresh_expiry_due(now);
  if (due.kind == Due::Kind::sweep) return sweep_due();
  if (due.kind == Due::Kind::lease_write) return lease_write_due(now);
  if (due.kind == Due::Kind::lane) {
    lanes_.expiry_due(LaneId{due.id});
    drop_expired_lane(LaneId{due.id}, now);
    serve_soon();
  }
}

std::optional<Instant> StandardQueue::first_expiry(const Due& due) const {
  if (due.kind == Due::Kind::lane) return lanes_.first_expiry(LaneId{due.id});
  if (window_.empty()) return std::nullopt;
  return window_.front().sent + settings_.retention;
}

// ---- Configuration

void StandardQueue::settings_changed(const QueueSettings& before, Instant /*now*/) {
  if (settings_.retention == before.retention) return;
  for (const auto& [sequence, resident] : residents_) {
    if (resident->place != &departing_residents_) schedule(resident);
  }
  arm_fresh_expiry();
  lanes_.set_retention(settings_.retention);
}

void StandardQueue::drop_contents(Instant /*now*/) {
  for (const auto& [sequence, resident] : residents_) {
    if (resident->deadline != DeadlineHeap::none) shard_.deadlines.remove(resident->deadline);
  }
  for (Place* place : {&in_flight_, &delayed_, &ready_, &back_, &departing_residents_}) place->residents.clear();
  held_.clear();
  emptied_.clear();
  unwritten_.clear();
  unwritten_count_ = 0;
  arm_lease_write();
  returned_count_ = 0;
  residents_.clear();
  ages_.clear();
  lanes_.clear();
  window_.clear();
  cursor_.head = unread_ = cursor_.tail;
  cursor_.fresh_count = 0;
  cursor_.state_count = 0;
  cursor_.lane_count = 0;
  fresh_loading_ = false;
  states_loading_ = false;
  asked_.clear();
  changed_while_loading_.clear();
  sweep_ = Sequence{1};
  ready_on_disk_ = false;
  delayed_on_disk_until_.reset();
  if (sweep_due_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(sweep_due_, DeadlineHeap::none));
  arm_fresh_expiry();
}

void StandardQueue::answer_deferred(Instant now) { run_deferred(now); }

void StandardQueue::refuse_deferred() {
  for (const Deferred& deferred : deferred_) {
    if (!std::holds_alternative<ReturnUndelivered>(deferred.command)) {
      shard_.reply(deferred.call, Error{ErrorCode::QueueDoesNotExist, {}});
    }
  }
  deferred_.clear();
}

// ---- Sending

std::optional<Error> StandardQueue::check_send(const OutgoingMessage& message, bool batch) const {
  if (auto error = check_size(message, batch)) return error;
  return check_content(message.content);
}

std::optional<Error> StandardQueue::check_content(const MessageContent& content) const {
  if (content.deduplication_id.empty()) return std::nullopt;
  return invalid_value(content.deduplication_id, "MessageDeduplicationId",
                       "The request include parameter that is not valid for this queue type.");
}

// Puts a message at the tail: where it has a state from the start among the residents, otherwise into its group's lane
// or, without a group, the fresh lane.
Sequence StandardQueue::put_message(std::shared_ptr<StoredMessage> message, const std::optional<MessageState>& state,
                                    Instant now) {
  const Sequence sequence = cursor_.tail;
  const Instant sent = message->sent;
  const std::optional<LaneId> lane = lane_for(message->content.group_id);
  message->delayed = state.has_value() || lane.has_value();
  shard_.promise(PutMessage{id(), sequence, std::move(message)});
  touch();
  if (!state && !lane) {
    append_fresh(sequence, sent);
    return sequence;
  }
  if (unread_ == cursor_.tail) unread_ = Sequence{cursor_.tail.value + 1};
  ++cursor_.tail.value;
  if (!state) {
    shard_.promise(PutLaneEntry{id(), *lane, {sequence, sent}});
    ++cursor_.lane_count;
    lanes_.push(*lane, {sequence, sent});
    lanes_.judge(*lane, in_flight_.residents.size(), now);
    return sequence;
  }
  MessageState first = *state;
  if (lane) first.group_id = Lanes::text_of(*lane);
  shard_.promise(PutState{id(), sequence, first});
  ++cursor_.state_count;
  insert_resident(sequence, first, now);
  trim_idle(now);
  return sequence;
}

Sent StandardQueue::take_in(OutgoingMessage& message, Instant now) {
  const Millis delay = message.delay_seconds ? Millis{std::chrono::seconds{*message.delay_seconds}} : settings_.delay;
  auto stored = std::make_shared<StoredMessage>();
  stored->message_id = make_uuid(shard_.entropy);
  stored->sent = now;
  stored->content = std::move(message.content);
  Sent sent{stored->message_id, std::nullopt};
  std::optional<MessageState> state;
  if (delay > Millis{0}) state = MessageState{.sent = now, .visible_at = now + delay, .revision = 1};
  put_message(std::move(stored), state, now);
  return sent;
}

void StandardQueue::arrive(std::shared_ptr<StoredMessage> message, const AcceptTransfer& command, Instant now) {
  std::optional<MessageState> state;
  if (command.kind == TransferKind::dead_letter) {
    // It keeps its age and its count.
    state = MessageState{.sent = message->sent,
                         .visible_at = now,
                         .first_received_at = command.first_received,
                         .receive_count = command.receive_count,
                         .revision = 1,
                         .arrival_count = command.receive_count};
  }
  put_message(std::move(message), state, now);
}

void StandardQueue::take_over(ImportedMessage& imported, Instant now) {
  std::optional<MessageState> state;
  if (imported.receive_count > 0 || imported.visible_at > now) {
    state = MessageState{.sent = imported.message->sent,
                         .visible_at = imported.visible_at,
                         .first_received_at = imported.first_received,
                         .receive_count = imported.receive_count,
                         .revision = 1,
                         .arrival_count = imported.arrival_count};
  }
  put_message(std::move(imported.message), state, now);
}

// ---- Receiving

// What `look` finds, once what is over its time has been dropped; nothing while there is more of that than one step
// drops.
template <class Look>
auto StandardQueue::first_alive(const Look& look, Instant now) {
  for (std::size_t dropped = 0; dropped < shard_.limits.expire_batch_max;) {
    const auto head = look();
    if (!head || head->entry.sent + settings_.retention > now) return head;
    dropped += drop_expired_lane(head->lane, now);
  }
  return decltype(look()){};
}

// The first message of a place that can be delivered. Those before it that are over their time are dropped, those that
// were received too often leave for the dead-letter queue, and those whose tenant has become noisy are held; while too
// many are on their way, the next one waits.
std::optional<StandardQueue::Place::iterator> StandardQueue::first_deliverable(Place& place, Instant now) {
  while (!place.residents.empty()) {
    const auto first = place.residents.begin();
    if (expires(first->state) <= now) {
      drop_message(first, false);
    } else if (&place == &ready_ && is_noisy(*first)) {
      hold(first);
    } else if (!is_dead_letter(first->state) || first->kept) {
      return first;
    } else if (may_depart()) {
      depart_as_dead_letter(set_aside(first));
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<StandardQueue::Place::iterator> StandardQueue::take_next(Instant now) {
  drop_emptied();
  for (const LaneId lane : lanes_.turned_quiet(now)) release_held(lane);
  if (const auto resident = first_deliverable(ready_, now)) return resident;
  const auto last_resort = first_deliverable(back_, now);
  drop_expired_fresh(now, shard_.limits.expire_batch_max);
  const bool fresh = !window_.empty() && window_.front().sent + settings_.retention > now;
  const auto quiet = first_alive([this] { return lanes_.first_quiet(); }, now);
  const bool lane_first = quiet && !(fresh && window_.front().sequence < quiet->entry.sequence);
  if (last_resort && (lane_first || fresh)) {
    // What was put to the back has its turn when all that was there before it is gone.
    const Sequence front = lane_first ? quiet->entry.sequence : window_.front().sequence;
    if ((*last_resort)->turn <= front) return last_resort;
  }
  if (lane_first) return lease_lane(*quiet);
  if (fresh) return lease_fresh();
  if (cursor_.fresh_count > 0) return std::nullopt;
  if (last_resort && !is_noisy(**last_resort)) return last_resort;
  if (const auto noisy = take_noisy(now)) return noisy;
  return last_resort;
}

// What comes next of noisy tenants' messages: of one's own, those that were received before come first.
std::optional<StandardQueue::Place::iterator> StandardQueue::take_noisy(Instant now) {
  const auto held_by = [&](LaneId lane) -> Place* {
    const auto held = held_.find(lane);
    return held == held_.end() || held->second.residents.empty() ? nullptr : &held->second;
  };
  const auto has_its_turn = [&](const Place& place) {
    const Resident& first = place.residents.front();
    return may_depart() || !is_dead_letter(first.state) || first.kept || expires(first.state) <= now;
  };
  const auto takes = [&](const Lanes::Noisy& noisy) {
    const Place* place = held_by(noisy.lane);
    return noisy.entry || (place != nullptr && has_its_turn(*place));
  };
  for (std::size_t dropped = 0; dropped < shard_.limits.expire_batch_max;) {
    const auto noisy = lanes_.first_noisy(takes);
    if (!noisy) return std::nullopt;
    if (Place* place = held_by(noisy->lane); place != nullptr && has_its_turn(*place)) {
      if (const auto resident = first_deliverable(*place, now)) return resident;
      continue;
    }
    if (noisy->entry->sent + settings_.retention > now) return lease_lane({noisy->lane, *noisy->entry});
    dropped += drop_expired_lane(noisy->lane, now);
  }
  return std::nullopt;
}

// The front of the fresh lane becomes a resident; its state is written by the caller.
StandardQueue::Place::iterator StandardQueue::lease_fresh() {
  const FreshEntry entry = window_.front();
  window_.pop_front();
  cursor_.head = Sequence{entry.sequence.value + 1};
  --cursor_.fresh_count;
  ++cursor_.state_count;
  load_fresh_if_low();
  return add_resident(leased_, entry.sequence, MessageState{.sent = entry.sent});
}

Deliveries StandardQueue::deliver(const Wanted& wanted, Instant now) {
  Deliveries deliveries;
  std::vector<Place::iterator> taken;
  taken.reserve(wanted.max_messages);
  const std::size_t in_flight = in_flight_.residents.size();
  while (taken.size() < wanted.max_messages && in_flight + taken.size() < shard_.limits.in_flight_max) {
    const auto next = take_next(now);
    if (!next) break;
    // Out of the way, so that a timeout of 0 does not hand it out twice at once.
    move_to(leased_, *next);
    taken.push_back(*next);
  }
  deliveries.messages.reserve(taken.size());
  for (const Place::iterator resident : taken) {
    MessageState& state = resident->state;
    resident->kept = false;
    ++state.receive_count;
    if (state.receive_count == 1) state.first_received_at = now;
    state.received_at = now;
    state.visible_at = now + wanted.visibility;
    state.receipt_nonce = draw_nonce();
    const bool is_fresh = state.revision == 0 && !resident->unwritten && !resident->lane;
    if (wanted.lease_ends_with_server && is_fresh) {
      leave_unwritten(resident);
    } else {
      write_state(resident);
    }
    settle(resident, now);
    deliveries.messages.push_back(Delivery{id(), resident->sequence,
                                           format_handle(resident->sequence, state.receipt_nonce), state.receive_count,
                                           state.first_received_at, nullptr});
    deliveries.messages.back().visible_at = state.visible_at;
  }
  trim_idle(now);
  sweep_if_low();
  return deliveries;
}

PeekedMessages StandardQueue::peek(const PeekMessages& command, Instant now) const {
  using Presence = Delivery::Presence;
  PeekedMessages peeked;
  const auto add = [&](Sequence sequence, const MessageState& state, Presence presence) {
    if (peeked.messages.size() == shard_.limits.peek_messages_max) return;
    peeked.messages.push_back(
        Delivery{id(), sequence, {}, state.receive_count, state.first_received_at, nullptr, false, presence});
  };
  const auto add_all = [&](const Place& place, Presence presence) {
    for (const Resident& resident : place.residents) {
      if (expires(resident.state) > now) add(resident.sequence, resident.state, presence);
    }
  };
  const auto add_fresh = [&](const FreshEntry& entry) {
    if (entry.sent + settings_.retention > now) add(entry.sequence, MessageState{}, Presence::visible);
  };
  if (command.invisible) add_all(in_flight_, Presence::invisible);
  add_all(ready_, Presence::visible);
  for (const FreshEntry& entry : window_) add_fresh(entry);
  for (const auto& [lane, place] : held_) add_all(place, Presence::visible);
  for (const FreshEntry& entry : lanes_.known(shard_.limits.peek_messages_max)) add_fresh(entry);
  add_all(back_, Presence::visible);
  if (command.delayed) add_all(delayed_, Presence::delayed);
  return peeked;
}

// ---- Moves between queues

// Takes a resident out of everybody's way until its move is settled. A message on its way has a state on disk, by which
// a start that finds it moved can drop it; that stays as it is.
Departure StandardQueue::set_aside(Place::iterator resident) {
  write_if_unwritten(resident);
  if (resident->deadline != DeadlineHeap::none) {
    shard_.deadlines.remove(std::exchange(resident->deadline, DeadlineHeap::none));
  }
  move_to(departing_residents_, resident);
  return {resident->sequence, resident->state.receive_count, resident->state.first_received_at};
}

// The first of a place that came before `until`, past those that came later; those before it that are over their time
// are dropped.
std::optional<StandardQueue::Place::iterator> StandardQueue::first_before(Place& place, Sequence until, Instant now) {
  for (auto next = place.residents.begin(); next != place.residents.end();) {
    const auto resident = next++;
    if (expires(resident->state) <= now) {
      drop_message(resident, false);
    } else if (resident->sequence < until) {
      return resident;
    }
  }
  return std::nullopt;
}

std::optional<Departure> StandardQueue::take_departure(Sequence until, Instant now) {
  if (const auto resident = first_before(ready_, until, now)) return set_aside(*resident);
  for (auto& [lane, place] : held_) {
    if (const auto resident = first_before(place, until, now)) return set_aside(*resident);
  }
  if (const auto resident = first_before(back_, until, now)) return set_aside(*resident);
  drop_expired_fresh(now, shard_.limits.expire_batch_max);
  const auto lane = first_alive([this] { return lanes_.oldest(); }, now);
  const bool from_lane = lane && lane->entry.sequence < until;
  const bool from_fresh = !window_.empty() && window_.front().sequence < until;
  if (!from_lane && !from_fresh) return std::nullopt;
  const bool lane_first = from_lane && !(from_fresh && window_.front().sequence < lane->entry.sequence);
  const Place::iterator resident = lane_first ? lease_lane(*lane) : lease_fresh();
  write_state(resident);
  return set_aside(resident);
}

void StandardQueue::departed(Sequence sequence, Instant /*now*/) {
  const auto found = residents_.find(sequence);
  if (found == residents_.end()) return;
  shard_.tell(MessageEvent::Kind::moved, id(), sequence);
  drop_message(found->second, true);
  sweep_if_low();
}

bool StandardQueue::stays(Sequence sequence, Instant now) {
  const auto found = residents_.find(sequence);
  if (found == residents_.end()) return false;
  found->second->kept = true;
  settle(found->second, now);
  put_first(found->second);
  trim_idle(now);
  return true;
}

// ---- Receipt handles

StandardQueue::Found StandardQueue::find(const std::string& handle) {
  const auto parsed = parse_receipt_handle(handle);
  if (!parsed || parsed->queue != id()) return {};
  const auto found = residents_.find(parsed->sequence);
  if (found == residents_.end() || found->second->state.receipt_nonce != parsed->nonce) return {std::nullopt, true};
  // What is on its way to another queue is not this one's to delete or to hide any more.
  if (found->second->place == &departing_residents_) return {std::nullopt, true};
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
  handles.reserve(command.receipt_handles.size());
  for (const std::string& handle : command.receipt_handles) handles.push_back(&handle);
  if (defer_if_unknown(call, command, handles)) return;
  delete_now(call, command);
  sweep_if_low();
  // A message less in flight may be what a long poll at the limit waits for.
  if (has_parked()) serve_parked(now);
}

void StandardQueue::delete_now(CallId call, const DeleteMessages& command) {
  EntryResults results;
  results.entries.reserve(command.receipt_handles.size());
  for (const std::string& handle : command.receipt_handles) {
    const Found found = find(handle);
    if (!found.valid_handle) {
      results.entries.emplace_back(invalid_handle(handle));
      continue;
    }
    if (found.resident) {
      shard_.tell(MessageEvent::Kind::deleted, id(), (*found.resident)->sequence);
      drop_message(*found.resident, command.promised);
      count(&QueueTally::deletes);
    }
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
  shard_.tell(MessageEvent::Kind::hidden, id(), resident->sequence, visible_at);
  write_state(resident);
  settle(resident, now);
  return std::nullopt;
}

void StandardQueue::return_undelivered(const ReturnUndelivered& command, Instant now) {
  std::vector<const std::string*> handles;
  handles.reserve(command.receipt_handles.size());
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
    shard_.tell(MessageEvent::Kind::returned, id(), resident->sequence);
    write_state(resident);
    settle(resident, now);
    put_first(resident);
  }
  trim_idle(now);
}

}  // namespace penstock::core
