// Where a standard queue keeps its messages: the fresh lane, the lanes of its groups, those of which memory holds a
// state, and those whose state is left on disk.
#include <algorithm>
#include <utility>

#include "core/standard_queue.hpp"

namespace penstock::core {

namespace {

// Messages received so often without a delete go to the back of a standard queue (SQS Developer Guide).
constexpr std::uint32_t receives_until_back = 3;

}  // namespace

// ---- The fresh lane

void StandardQueue::append_fresh(Sequence sequence, Instant sent) {
  const bool window_reaches_tail = unread_ == cursor_.tail;
  ++cursor_.tail.value;
  ++cursor_.fresh_count;
  if (!window_reaches_tail || window_.size() >= shard_.limits.fresh_window_max) return;
  window_.push_back(FreshEntry{sequence, sent});
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
  pump_move_task(now);
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
  serve_soon();
}

// ---- The lanes

std::optional<LaneId> StandardQueue::lane_for(const std::string& group_id) const {
  if (group_id.empty()) return std::nullopt;
  const LaneId lane = Lanes::lane_of(group_id);
  return lanes_.takes(lane) ? std::optional(lane) : std::nullopt;
}

void StandardQueue::lane_loaded(const LaneLoaded& loaded, Instant now) {
  lanes_.loaded(loaded);
  serve_parked(now);
  pump_move_task(now);
}

std::size_t StandardQueue::drop_expired_lane(LaneId lane, Instant now) {
  const auto expired = lanes_.take_expired(lane, shard_.limits.expire_batch_max, now);
  for (const FreshEntry& entry : expired) {
    shard_.note(DropLaneEntry{id(), lane, entry.sequence});
    shard_.note(DropMessage{id(), entry.sequence});
    --cursor_.lane_count;
  }
  if (!expired.empty()) touch();
  return expired.size();
}

// The first message of a lane becomes a resident; its state is written by the caller.
StandardQueue::Place::iterator StandardQueue::lease_lane(const Lanes::Head& head) {
  lanes_.pop(head.lane);
  shard_.note(DropLaneEntry{id(), head.lane, head.entry.sequence});
  --cursor_.lane_count;
  ++cursor_.state_count;
  MessageState state{.sent = head.entry.sent};
  state.group_id = Lanes::text_of(head.lane);
  return add_resident(leased_, head.entry.sequence, state);
}

// ---- Residents

StandardQueue::Place::iterator StandardQueue::add_resident(Place& place, Sequence sequence, const MessageState& state) {
  place.residents.push_back(Resident{sequence, state, DeadlineHeap::none, {}, &place, Lanes::parse(state.group_id)});
  const auto resident = std::prev(place.residents.end());
  residents_.emplace(sequence, resident);
  ages_.add(state.sent);
  return resident;
}

StandardQueue::Place::iterator StandardQueue::insert_resident(Sequence sequence, const MessageState& state,
                                                              Instant now) {
  const auto resident = add_resident(leased_, sequence, state);
  settle(resident, now);
  return resident;
}

void StandardQueue::move_to(Place& place, Place::iterator resident) {
  Place& from = *resident->place;
  place.residents.splice(place.residents.end(), from.residents, resident);
  // A change of visibility leaves it in flight: it has not been worked on to the end.
  if (&from == &place) return;
  resident->place = &place;
  // It is counted where it comes before where it leaves, so that a noisy lane is not taken for a drained one meanwhile.
  if (place.waits) ++returned_count_;
  if (place.waits && resident->lane) lanes_.waits_again(*resident->lane, resident->state.sent);
  if (&place == &in_flight_ && resident->lane) lanes_.entered_flight(*resident->lane, resident->state.sent);
  left_place(*resident, from);
  if (resident->lane && !recovering_) lanes_.judge(*resident->lane, in_flight_.residents.size(), shard_.now);
}

// A resident is no longer in `place`.
void StandardQueue::left_place(const Resident& resident, Place& place) {
  if (place.held && place.residents.empty()) emptied_.push_back(*place.held);
  if (&place == &in_flight_) {
    lanes_.left_flight(resident.lane.value_or(LaneId{}), resident.state.received_at, shard_.now);
    if (resident.lane) lanes_.judge(*resident.lane, in_flight_.residents.size(), shard_.now);
  }
  if (!place.waits) return;
  --returned_count_;
  if (resident.lane) lanes_.waits_no_longer(*resident.lane);
}

// Lets a noisy tenant's message wait for its turn.
void StandardQueue::hold(Place::iterator resident) {
  const LaneId lane = *resident->lane;
  move_to(held_.try_emplace(lane, Place{{}, true, lane}).first->second, resident);
}

// The tenant is quiet now: its messages need not wait for others any more.
void StandardQueue::release_held(LaneId lane) {
  const auto held = held_.find(lane);
  if (held == held_.end()) return;
  while (!held->second.residents.empty()) move_to(ready_, held->second.residents.begin());
}

// Of what has its turn where it waits; what was received too often stays at the back.
void StandardQueue::put_first(Place::iterator resident) {
  Place& place = *resident->place;
  if (!place.waits || &place == &back_) return;
  place.residents.splice(place.residents.begin(), place.residents, resident);
}

// Puts a resident where its state says that it belongs, at the end of those that are there.
void StandardQueue::settle(Place::iterator resident, Instant now) {
  if (resident->state.visible_at > now) {
    move_to(resident->state.receive_count > 0 ? in_flight_ : delayed_, resident);
  } else if (resident->state.receive_count >= receives_until_back) {
    resident->turn = cursor_.tail;
    move_to(back_, resident);
  } else if (is_noisy(*resident)) {
    hold(resident);
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
  ages_.remove(resident->state.sent);
  Place& place = *resident->place;
  const Resident gone = std::move(*resident);
  place.residents.erase(resident);
  left_place(gone, place);
}

void StandardQueue::drop_message(Place::iterator resident, bool promised) {
  const DropMessage message{id(), resident->sequence};
  if (resident->unwritten) {
    --unwritten_count_;
  } else {
    shard_.note(DropState{id(), resident->sequence, resident->state.revision});
  }
  if (promised) {
    shard_.promise(message);
  } else {
    shard_.note(message);
  }
  --cursor_.state_count;
  evict(resident);
  forget_written();
  touch();
}

// Each revision is a key of its own, so that it is written once and dropped once.
void StandardQueue::write_state(Place::iterator resident) {
  write_leases_before(resident->sequence);
  if (std::exchange(resident->unwritten, false)) --unwritten_count_;
  forget_written();
  if (states_loading_) changed_while_loading_.insert(resident->sequence);
  if (resident->state.revision > 0) shard_.note(DropState{id(), resident->sequence, resident->state.revision});
  ++resident->state.revision;
  shard_.note(PutState{id(), resident->sequence, resident->state});
  touch();
}

// ---- Leases that are in memory only

QueueCursor StandardQueue::stored_cursor() const {
  QueueCursor stored = cursor_;
  if (unwritten_count_ == 0) return stored;
  stored.head = unwritten_.front();
  stored.fresh_count += unwritten_count_;
  stored.state_count -= unwritten_count_;
  return stored;
}

// REQUIRES: it comes from the fresh lane, so that its sequence is above those of all that did before.
void StandardQueue::leave_unwritten(Place::iterator resident) {
  if (unwritten_.size() >= shard_.limits.leases_unwritten_max) store_leases();
  resident->unwritten = true;
  unwritten_.push_back(resident->sequence);
  ++unwritten_count_;
  if (lease_write_ == DeadlineHeap::none) arm_lease_write();
}

// A message of the fresh lane that has a state must lie in front of the stored head, and so must all before it: else a
// start would find it twice.
void StandardQueue::write_leases_before(Sequence until) {
  while (unwritten_count_ > 0 && unwritten_.front() < until) write_state(residents_.at(unwritten_.front()));
}

void StandardQueue::write_if_unwritten(Place::iterator resident) {
  if (resident->unwritten) write_state(resident);
}

// Keeps the first of the list one that is not written.
void StandardQueue::forget_written() {
  if (unwritten_count_ == 0) return unwritten_.clear();
  const auto is_unwritten = [this](Sequence sequence) {
    const auto found = residents_.find(sequence);
    return found != residents_.end() && found->second->unwritten;
  };
  while (!is_unwritten(unwritten_.front())) unwritten_.pop_front();
}

void StandardQueue::store_leases() { write_leases_before(cursor_.tail); }

void StandardQueue::lease_write_due(Instant now) {
  lease_write_ = DeadlineHeap::none;
  for (std::size_t written = 0; unwritten_count_ > 0 && written < shard_.limits.lease_write_batch_max; ++written) {
    const Place::iterator first = residents_.at(unwritten_.front());
    if (first->state.received_at + shard_.limits.lease_unwritten_max > now) break;
    write_state(first);
  }
  arm_lease_write();
}

// The deadline is left as it was while leases end, so it may come before the present first one's.
void StandardQueue::arm_lease_write() {
  if (unwritten_count_ == 0) {
    if (lease_write_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(lease_write_, DeadlineHeap::none));
    return;
  }
  const Instant when = residents_.at(unwritten_.front())->state.received_at + shard_.limits.lease_unwritten_max;
  lease_write_ = shard_.deadlines.add(when, Due{Due::Kind::lease_write, this, 0});
}

// ----

void StandardQueue::message_due(Sequence sequence, Instant now) {
  const auto found = residents_.find(sequence);
  if (found == residents_.end()) return;
  const Place::iterator resident = found->second;
  resident->deadline = DeadlineHeap::none;
  if (expires(resident->state) <= now) {
    drop_message(resident, false);
    sweep_if_low();
  } else {
    if (resident->state.visible_at <= now) shard_.tell(MessageEvent::Kind::visible, id(), sequence);
    settle(resident, now);
  }
  trim_idle(now);
  serve_soon();
}

// Leaves to disk what is likely to wait longest.
void StandardQueue::trim_idle(Instant now) {
  drop_emptied();
  while (returned_count_ > shard_.limits.resident_idle_max) {
    Place* place = !back_.residents.empty() ? &back_ : &ready_;
    for (auto held = held_.begin(); place->residents.empty() && held != held_.end(); ++held) place = &held->second;
    const auto last = std::prev(place->residents.end());
    write_if_unwritten(last);
    left_on_disk(last->state, now);
    evict(last);
  }
  std::list<Resident>& delayed = delayed_.residents;
  while (delayed.size() > shard_.limits.resident_idle_max) {
    // Of the two that came last, so that a short delay among long ones is not the one that has to go.
    auto last = std::prev(delayed.end());
    const auto before = std::prev(last);
    if (before->state.visible_at > last->state.visible_at) last = before;
    left_on_disk(last->state, now);
    evict(last);
  }
}

void StandardQueue::drop_emptied() {
  for (const LaneId lane : std::exchange(emptied_, {})) {
    if (const auto held = held_.find(lane); held != held_.end() && held->second.residents.empty()) held_.erase(held);
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
  if (returned_count_ > shard_.limits.resident_idle_max / 2) return;
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
  return state.visible_at > now && state.receive_count == 0 &&
         delayed_.residents.size() >= shard_.limits.resident_idle_max;
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
  pump_move_task(now);
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
  pump_move_task(now);
}

}  // namespace penstock::core
