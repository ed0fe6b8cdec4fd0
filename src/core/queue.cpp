#include "core/queue.hpp"

#include <algorithm>

#include "core/uuid.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason) {
  std::string text = "Value ";
  text.append(value).append(" for parameter ").append(parameter).append(" is invalid. Reason: ").append(reason);
  return {ErrorCode::InvalidParameterValue, std::move(text)};
}

Error invalid_handle(const std::string& handle) {
  return {ErrorCode::ReceiptHandleIsInvalid,
          "The input receipt handle \"" + handle + "\" is not a valid receipt handle."};
}

Queue::Queue(ShardContext& shard, QueueRecord record)
    : shard_(shard), record_(std::move(record)), settings_(QueueSettings::from(record_.attributes)) {}

Queue::~Queue() = default;

void Queue::recover(RecoveredQueue recovered, Instant now) {
  cursor_ = recovered.cursor;
  move_tasks_.recover(std::move(recovered.move_tasks), now);
  recover_contents(recovered, now);
  pump_move_task(now);
}

void Queue::touch() {
  if (std::exchange(touched_, true)) return;
  shard_.touched.push_back(this);
}

std::string Queue::format_handle(Sequence sequence, std::uint64_t nonce) const {
  return format(ReceiptHandle{id(), sequence, nonce});
}

std::uint64_t Queue::draw_nonce() {
  for (;;) {
    if (const std::uint64_t nonce = shard_.entropy.next(); nonce != 0) return nonce;
  }
}

void Queue::due(const Due& due, Instant now) {
  switch (due.kind) {
    case Due::Kind::message:
      return message_due(Sequence{due.id}, now);
    case Due::Kind::receive:
      return receive_due(CallId{due.id});
    case Due::Kind::move_task:
      move_due_ = DeadlineHeap::none;
      return serve_soon();
    default:
      return own_due(due, now);
  }
}

std::optional<Instant> Queue::observable_from(const Due& due, Instant when) const {
  switch (due.kind) {
    case Due::Kind::message:
    case Due::Kind::group:
    case Due::Kind::sweep:
      return when;
    case Due::Kind::move_task:
      // The rate outlives what it was of: the last message may have ended the task.
      return move_tasks_.takes_messages() ? std::optional(when) : std::nullopt;
    case Due::Kind::fresh_expiry:
    case Due::Kind::lane: {
      const std::optional<Instant> expiry = first_expiry(due);
      return expiry ? std::optional(std::max(*expiry, when)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

void Queue::serve_soon() {
  if (!std::exchange(awaits_service_, true)) shard_.to_serve.push_back(this);
}

void Queue::serve(Instant now) {
  awaits_service_ = false;
  serve_parked(now);
  pump_move_task(now);
}

// ---- Configuration

void Queue::set_attributes(CallId call, const SetQueueAttributes& command, Instant now) {
  if (auto error = merge_attributes(command.attributes, record_)) return shard_.reply(call, std::move(*error));
  merge_policies(command.attributes, command.redrive, command.redrive_allow, record_);
  const QueueSettings before = std::exchange(settings_, QueueSettings::from(record_.attributes));
  record_.modified = now;
  settings_changed(before, now);
  shard_.promise(PutQueue{record_});
  shard_.reply(call, Done{});
}

void Queue::tag(CallId call, const StringMap& tags) {
  StringMap merged = record_.tags;
  for (const auto& [key, value] : tags) merged.insert_or_assign(key, value);
  if (merged.size() > sqs_limits::tags_max) return shard_.reply(call, too_many_tags());
  record_.tags = std::move(merged);
  shard_.promise(PutQueue{record_});
  shard_.reply(call, Done{});
}

void Queue::untag(CallId call, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) record_.tags.erase(key);
  shard_.promise(PutQueue{record_});
  shard_.reply(call, Done{});
}

void Queue::edit_policy(CallId call, const EditPolicy& command, Instant now) {
  std::string& policy = record_.attributes["Policy"];
  auto edited = command.edit(policy, arn_of(record_.name));
  if (auto* text = std::get_if<std::string>(&edited)) policy = std::move(*text);
  if (policy.empty()) record_.attributes.erase("Policy");
  if (auto* error = std::get_if<Error>(&edited)) return shard_.reply(call, std::move(*error));
  record_.modified = now;
  shard_.promise(PutQueue{record_});
  shard_.reply(call, Done{});
}

void Queue::purge(CallId call, Instant now) {
  if (shard_.limits.strict && cursor_.purged != Instant{} && now < cursor_.purged + sqs_limits::purge_interval) {
    return shard_.reply(
        call, Error{ErrorCode::PurgeQueueInProgress,
                    "Only one PurgeQueue operation on " + record_.name.name + " is allowed every 60 seconds."});
  }
  drop_contents(now);
  ++epoch_;
  cursor_.purged = now;
  shard_.promise(DropQueueContents{id()});
  touch();
  shard_.reply(call, Done{});
  answer_deferred(now);
  serve_parked(now);
  pump_move_task(now);
}

void Queue::erase(Instant now) {
  for (const Parked& parked : parked_) {
    if (parked.deadline != DeadlineHeap::none) shard_.deadlines.remove(parked.deadline);
    shard_.reply(parked.call, Error{ErrorCode::QueueDoesNotExist, {}});
  }
  parked_.clear();
  parked_by_call_.clear();
  refuse_deferred();
  drop_contents(now);
  if (move_due_ != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(move_due_, DeadlineHeap::none));
  record_.deleted = now;
  ++epoch_;
  std::erase(shard_.touched, this);
  std::erase(shard_.to_serve, this);
  shard_.promise(DropQueueContents{id(), true});
}

// ---- Sending

std::optional<Error> Queue::check_size(const OutgoingMessage& message, bool batch) const {
  if (message.bytes <= settings_.message_bytes_max) return std::nullopt;
  return Error{
      ErrorCode::InvalidParameterValue,
      std::string(batch ? "One or more parameters cannot be validated." : "One or more parameters are invalid.") +
          " Reason: Message must be shorter than " + std::to_string(settings_.message_bytes_max) + " bytes."};
}

void Queue::send(CallId call, SendMessages& command, Instant now) {
  if (auto error = check_request(command)) return shard_.reply(call, std::move(*error));
  if (!within_rate(Action::send, &command, now)) return shard_.reply(call, Error{ErrorCode::RequestThrottled, {}});
  SendResults results;
  results.entries.reserve(command.messages.size());
  for (OutgoingMessage& message : command.messages) {
    if (auto error = check_send(message, command.batch)) {
      results.entries.emplace_back(std::move(*error));
    } else {
      const Sequence tail = cursor_.tail;
      results.entries.emplace_back(take_in(message, now));
      if (cursor_.tail != tail) count(&QueueTally::sends);
    }
  }
  shard_.reply(call, std::move(results));
  serve_parked(now);
}

// ---- Receiving

void Queue::receive(CallId call, const ReceiveMessages& command, Instant now) {
  const Wanted wanted{static_cast<std::size_t>(command.max_messages),
                      command.visibility_seconds ? Millis{std::chrono::seconds{*command.visibility_seconds}}
                                                 : settings_.visibility_timeout,
                      command.attempt_id, command.lease_ends_with_server};
  if (!within_rate(Action::receive, nullptr, now)) {
    return shard_.reply(call, Error{ErrorCode::RequestThrottled, {}});
  }
  if (!wanted.attempt_id.empty()) {
    if (auto again = repeat(wanted, now)) return hand_out(call, std::move(*again));
  }
  if (parked_.empty()) {
    Deliveries deliveries = deliver(wanted, now);
    if (!deliveries.messages.empty()) return hand_out(call, std::move(deliveries));
  }
  const int wait_seconds = command.wait_seconds.value_or(settings_.wait_seconds);
  if (wait_seconds == 0 && refuses_short_poll()) return shard_.reply(call, Error{ErrorCode::OverLimit, {}});
  if (wait_seconds == 0 && !awaits_load() && dead_letters_departing_ == 0) return hand_out_nothing(call);
  if (parked_.size() >= shard_.limits.parked_receives_max) {
    return shard_.reply(call, Error{ErrorCode::RequestThrottled, {}});
  }
  parked_.push_back(Parked{call, wanted, DeadlineHeap::none, dead_letters_settled_ + dead_letters_departing_});
  const auto parked = std::prev(parked_.end());
  parked_by_call_.emplace(call, parked);
  if (wait_seconds > 0) {
    parked->deadline =
        shard_.deadlines.add(now + std::chrono::seconds{wait_seconds}, Due{Due::Kind::receive, this, call.value});
  }
}

void Queue::hand_out(CallId call, Deliveries deliveries) {
  count(&QueueTally::receives, deliveries.messages.size());
  shard_.reply(call, std::move(deliveries));
}

void Queue::hand_out_nothing(CallId call) {
  count(&QueueTally::empty_receives);
  shard_.reply(call, Deliveries{});
}

void Queue::serve_parked(Instant now) {
  while (!parked_.empty()) {
    const auto first = parked_.begin();
    Deliveries deliveries = deliver(first->wanted, now);
    if (deliveries.messages.empty()) break;
    const CallId call = first->call;
    unpark(first);
    hand_out(call, std::move(deliveries));
  }
  if (awaits_load()) return;
  // What was loaded or moved did not help the short polls that waited for it.
  for (auto parked = parked_.begin(); parked != parked_.end();) {
    const auto next = std::next(parked);
    if (parked->deadline == DeadlineHeap::none && parked->moves_settled <= dead_letters_settled_) {
      hand_out_nothing(parked->call);
      unpark(parked);
    }
    parked = next;
  }
}

void Queue::unpark(std::list<Parked>::iterator parked) {
  if (parked->deadline != DeadlineHeap::none) shard_.deadlines.remove(parked->deadline);
  parked_by_call_.erase(parked->call);
  parked_.erase(parked);
}

void Queue::receive_due(CallId call) {
  auto found = parked_by_call_.find(call);
  if (found == parked_by_call_.end()) return;
  found->second->deadline = DeadlineHeap::none;
  if (awaits_service_) {
    // What has become visible in its last moment is still for it.
    serve_parked(shard_.now);
    found = parked_by_call_.find(call);
    if (found == parked_by_call_.end()) return;
  }
  unpark(found->second);
  hand_out_nothing(call);
}

void Queue::cancel_receive(CallId call) {
  if (const auto found = parked_by_call_.find(call); found != parked_by_call_.end()) unpark(found->second);
}

void Queue::release_parked() {
  while (!parked_.empty()) {
    hand_out_nothing(parked_.front().call);
    unpark(parked_.begin());
  }
}

QueueView Queue::view(Instant now) const {
  QueueView view{record_.name, tally_};
  const QueueCounts there = counts(now);
  view.visible = there.visible;
  view.in_flight = there.not_visible;
  view.delayed = there.delayed;
  view.oldest = oldest();
  view.parked = parked_.size();
  return view;
}

// ---- Moves between queues

void Queue::depart_as_dead_letter(const Departure& departure) {
  departing_.emplace(departure.sequence, TransferKind::dead_letter);
  ++dead_letters_departing_;
  shard_.effects.transfers.push_back(Transfer{TransferKind::dead_letter, id(), departure.sequence, record_.name,
                                              split_arn(record_.redrive->target_arn), departure.receive_count,
                                              departure.first_received});
}

void Queue::accept(CallId call, AcceptTransfer& command, Instant now) {
  auto message = std::make_shared<StoredMessage>(*command.message);
  if (command.kind == TransferKind::dead_letter) {
    message->dead_letter_source = command.origin_arn;
  } else {
    message->dead_letter_source.clear();
    message->message_id = make_uuid(shard_.entropy);
    message->sent = now;
  }
  arrive(std::move(message), command, now);
  shard_.promise(PutArrival{id(), {command.origin_queue, command.origin_sequence}, command.kind});
  shard_.reply(call, Accepted{id()});
  touch();
  serve_parked(now);
}

void Queue::transfer_settled(CallId call, const TransferSettled& command, Instant now) {
  const auto departing = departing_.find(command.sequence);
  if (departing != departing_.end()) {
    const bool redriven = departing->second == TransferKind::redrive;
    departing_.erase(departing);
    if (!redriven) {
      --dead_letters_departing_;
      ++dead_letters_settled_;
    }
    bool gone = false;
    if (command.failure) {
      gone = !stays(command.sequence, now);
    } else {
      departed(command.sequence, now);
      if (!redriven) count(&QueueTally::dead_letters);
    }
    if (redriven && gone) move_tasks_.message_gone();
    if (redriven && !gone) move_tasks_.message_settled(command.failure);
    if (redriven && !move_tasks_.all().empty()) shard_.note(PutMoveTask{id(), move_tasks_.all().front()});
  }
  shard_.reply(call, Done{});
  serve_parked(now);
  pump_move_task(now);
}

void Queue::forget_arrival(const ForgetArrival& command) {
  shard_.note(DropArrival{id(), {command.origin_queue, command.origin_sequence}});
}

void Queue::import(CallId call, ImportMessages& command, Instant now) {
  for (const ImportedMessage& imported : command.messages) {
    if (auto error = check_content(imported.message->content)) return shard_.reply(call, std::move(*error));
  }
  for (ImportedMessage& imported : command.messages) {
    // A clock elsewhere may be ahead of this one.
    imported.message->sent = std::min(imported.message->sent, now);
    imported.first_received = std::min(imported.first_received, now);
    imported.visible_at = std::min(imported.visible_at, now + std::chrono::seconds{sqs_limits::delay_seconds_max});
    take_over(imported, now);
  }
  shard_.reply(call, Done{});
  serve_parked(now);
  pump_move_task(now);
}

void Queue::start_move_task(CallId call, const StartMessageMoveTask& command, Instant now) {
  if (move_tasks_.active() != nullptr) {
    return shard_.reply(call, Error{ErrorCode::InvalidParameterValue,
                                    "There is already a task running. Only one active task is allowed for a source "
                                    "queue arn at a given time."});
  }
  MoveTask task;
  task.id = make_uuid(shard_.entropy);
  task.destination = command.destination;
  task.per_second = command.per_second;
  // No two begin at the same instant, so that a start can tell which is the newest.
  task.started = move_tasks_.all().empty() ? now : std::max(now, move_tasks_.all().front().started + Millis{1});
  task.until = cursor_.tail;
  task.to_move = counts(now).visible;
  shard_.reply(call, MoveTaskStarted{task.id});
  for (std::string& forgotten : move_tasks_.start(std::move(task), shard_.limits.move_tasks_kept_max, now)) {
    shard_.note(DropMoveTask{id(), std::move(forgotten)});
  }
  shard_.promise(PutMoveTask{id(), *move_tasks_.active()});
  pump_move_task(now);
}

void Queue::list_move_tasks(CallId call, const ListMessageMoveTasks& command) const {
  MoveTasks answer;
  for (const MoveTask& task : move_tasks_.all()) {
    if (answer.tasks.size() == command.limit) break;
    answer.tasks.push_back(MoveTaskReport{task.id, task.status, task.destination, task.per_second, task.moved,
                                          task.to_move, task.failure_reason, task.started});
  }
  shard_.reply(call, std::move(answer));
}

void Queue::cancel_move_task(CallId call, const CancelMessageMoveTask& command) {
  const MoveTask* task = move_tasks_.active();
  if (task == nullptr || task->id != command.task_id || task->status != MoveTaskStatus::running) {
    return shard_.reply(call, Error{ErrorCode::ResourceNotFound, "Task does not exist."});
  }
  move_tasks_.cancel();
  move_tasks_.finish_if_done();
  shard_.promise(PutMoveTask{id(), move_tasks_.all().front()});
  shard_.reply(call, MoveTaskCancelled{move_tasks_.all().front().moved});
}

void Queue::pump_move_task(Instant now) {
  if (move_tasks_.active() == nullptr) return;
  while (may_depart() && move_tasks_.allowance(now) > 0) {
    const MoveTask& task = *move_tasks_.active();
    const std::optional<Departure> next = take_departure(task.until, now);
    if (!next) {
      if (awaits_load() || has_locked(task.until)) {
        move_tasks_.not_exhausted();
      } else {
        move_tasks_.exhausted();
      }
      break;
    }
    move_tasks_.not_exhausted();
    move_tasks_.message_left();
    departing_.emplace(next->sequence, TransferKind::redrive);
    shard_.effects.transfers.push_back(Transfer{TransferKind::redrive, id(), next->sequence, record_.name,
                                                task.destination, next->receive_count, next->first_received});
  }
  if (move_tasks_.finish_if_done()) {
    shard_.note(PutMoveTask{id(), move_tasks_.all().front()});
  } else {
    arm_move_task(now);
  }
}

// Only a rate makes a task wait for time; otherwise what settles or is loaded drives it.
void Queue::arm_move_task(Instant now) {
  if (!move_tasks_.takes_messages() || move_tasks_.active()->per_second == 0 || move_tasks_.allowance(now) > 0) return;
  const Instant when = std::max(move_tasks_.next_allowed(), now + Millis{1});
  if (move_due_ == DeadlineHeap::none) {
    move_due_ = shard_.deadlines.add(when, Due{Due::Kind::move_task, this, 0});
  } else {
    shard_.deadlines.move(move_due_, when);
  }
}

}  // namespace penstock::core
