#include "core/triggers/queue_mapping.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "core/triggers/event_size.hpp"
#include "core/triggers/mapping_rules.hpp"
#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

namespace limits = queue_mapping_limits;

std::unique_ptr<Mapping> make_queue_mapping(TriggerContext& context, MappingOwner& owner, MappingRecord record) {
  return std::make_unique<QueueMapping>(context, owner, std::move(record));
}

QueueMapping::QueueMapping(TriggerContext& context, MappingOwner& owner, MappingRecord record)
    : Mapping(context, owner, std::move(record)),
      settlements_(context, *this, settle_again, [this](InvocationId id) { return running_.contains(id); }) {}

bool QueueMapping::is_of_fifo() const { return is_fifo(queue().name); }

std::size_t QueueMapping::parallel_max() const {
  return static_cast<std::size_t>(std::max(1, config().concurrency_max.value_or(context_.limits.concurrency_max)));
}

std::size_t QueueMapping::parallel_start() const {
  return std::min(parallel_max(), static_cast<std::size_t>(std::max(1, context_.limits.receivers_start)));
}

// ---- Life

void QueueMapping::start() {
  phase_ = Phase::starting;
  parallel_ = parallel_start();
  eagerness_ = 1;
  function_missing_ = false;
  empty_at_once_ = source_failures_ = unreached_ = 0;
  ask_attributes();
}

// What runs stays invisible, and what is to be deleted is.
void QueueMapping::stop() {
  phase_ = Phase::stopping;
  for (const auto& [id, asked] : std::exchange(open_, {})) context_.cancel(id);
  receives_ = 0;
  watching_ = false;
  attributes_asked_ = false;
  for (const Timer timer : {window_over, hold_over, source_retry, throttle_over}) disarm(timer);
  give_back_all();
  stop_if_over();
}

void QueueMapping::stop_if_over() {
  if (phase_ != Phase::stopping || !running_.empty()) return;
  if (settlements_.is_open()) {
    if (!is_armed(stop_over)) arm(stop_over, context_.now + limits::stop_time_max);
    return;
  }
  disarm(stop_over);
  disarm(renewal_due);
  phase_ = Phase::stopped;
  owner_.mapping_stopped(*this);
}

void QueueMapping::function_changed() {
  function_missing_ = false;
  // It may be somewhere else now.
  if (std::exchange(unreached_, 0) > 0) disarm(throttle_over);
  pump();
}

// Only the long poll that finds nothing says that the queue has nothing for it.
std::string QueueMapping::busy() const {
  if (phase_ != Phase::running) return "it is being started or stopped";
  if (!running_.empty()) return "a batch is in flight";
  if (!waiting_.empty() || !gathered_.empty()) return "messages that were received wait for their batch";
  if (settlements_.is_open()) return "what became of a batch is being told to the queue";
  if (function_missing_) return "there is no such function";
  if (is_armed(source_retry)) return source_failures_ > 0 ? "" : "its queue is asked again soon";
  if (is_armed(throttle_over)) return "nobody was there to run a batch";
  return watching_ && receives_ == 1 ? "" : "it receives";
}

void QueueMapping::arm(Timer timer, Instant at) {
  disarm(timer);
  // Messages that are in flight stay it.
  const Sight sight = timer == renewal_due ? Sight::internal : Sight::observable;
  timers_[timer] = context_.set_timer(*this, at, timer, sight);
}

void QueueMapping::disarm(Timer timer) {
  if (timers_[timer]) context_.drop_timer(*std::exchange(timers_[timer], std::nullopt));
}

void QueueMapping::due(std::uint64_t tag) {
  if (tag == settle_again) {
    settlements_.due(queue());
  } else {
    timers_[tag].reset();
  }
  if (tag == hold_over) give_back_held();
  if (tag == renewal_due) return renew_due();
  // What is still not deleted comes again, which at-least-once allows.
  if (tag == stop_over) settlements_.give_up();
  stop_if_over();
  pump();
}

void QueueMapping::answered(Answered answer) {
  const bool was_congested = settlements_.is_congested();
  if (settlements_.answered(answer)) {
    stop_if_over();
    if (was_congested) pump();
    return;
  }
  const auto found = open_.extract(answer.id);
  if (found.empty()) return;
  const Open& asked = found.mapped();
  if (asked.question == Question::attributes) {
    attributes_asked_ = false;
    attributes_known(answer.result);
  } else {
    if (asked.question == Question::watch) watching_ = false;
    --receives_;
    received(asked, answer);
  }
  pump();
}

// ---- Asking

void QueueMapping::ask_attributes() {
  attributes_asked_ = true;
  const AskId id = context_.ask(*this, ask_visibility(queue()));
  open_.emplace(id, Open{Question::attributes, 0, context_.now});
}

void QueueMapping::attributes_known(const std::optional<Result>& result) {
  // Where there is no answer to it, it is asked again when the queue has answered a receive.
  attributes_known_ = Instant{};
  attributes_refused_ = true;
  if (const std::optional<int> visibility = visibility_in(result)) {
    attributes_known_ = context_.now;
    attributes_refused_ = false;
    queue_visibility_seconds_ = *visibility;
  }
  if (phase_ != Phase::starting) return;
  // A queue that is not there now may be created again, and is asked for messages all the same.
  phase_ = Phase::running;
  owner_.mapping_started(*this);
}

// What gathers for a window must not become visible before it was worked on. How long a function runs that an emulator
// has is not known, and need not be: what runs is kept invisible.
int QueueMapping::visibility_asked_for() const {
  const FunctionName& function = record().function;
  const int timeout = context_.is_registered(function) ? context_.find_function(function)->timeout_seconds : 0;
  const int needed = config().window_seconds + timeout + limits::window_margin_seconds;
  return std::min(std::max(queue_visibility_seconds_, needed), sqs_limits::visibility_seconds_max);
}

// Until when a batch may wait for a slot: half of what its visibility leaves it beyond its window, so that what is
// given back was not visible before, and what is begun with stays invisible for a while.
Instant QueueMapping::hold_end(const Batch& batch) const {
  return batch.visible_at - (batch.visibility - std::min(window(), batch.visibility)) / 2;
}

// Those that are under way count as if they came back full, of messages as they were so far.
bool QueueMapping::has_room_for(std::size_t messages) const {
  if (held_bytes_ == 0 && receives_ == 0) return true;
  return held_bytes_ + (receives_ + 1) * messages * message_bytes_ <= limits::held_bytes_max;
}

std::size_t QueueMapping::messages_wanted() const {
  const auto batch = static_cast<std::size_t>(config().batch_size);
  std::size_t wanted = batch - std::min(batch - 1, gathered_.size());
  if (message_bytes_ == 0) return std::min(wanted, limits::receive_unknown_max);
  // No more than what the event has room for, of messages as they were so far.
  const std::size_t room = context_.limits.batch_bytes_max - std::min(context_.limits.batch_bytes_max, gathered_bytes_);
  wanted = std::min(wanted, std::max(limits::receive_unknown_max, room / (message_bytes_ + 1)));
  return std::min(wanted, limits::receive_max);
}

// How many batches may be received that there is no slot for yet. Where invocations are short, the way to the queue and
// back would keep their environments waiting; where they are not, messages are better off with others.
std::size_t QueueMapping::ahead_max() const {
  const bool is_quick = quick_runs_ >= limits::quick_runs_min && eagerness_ > 1;
  return is_quick && !is_of_fifo() && config().window_seconds == 0 ? parallel_ / 2 : 0;
}

void QueueMapping::ask_for_more() {
  if (phase_ != Phase::running || is_armed(source_retry)) return;
  // Also while nothing is received: what is held is to be begun with or given back before it is visible.
  const bool stale = context_.now - attributes_known_ >= limits::attributes_life;
  if (stale && !attributes_asked_ && !attributes_refused_ && !watching_) ask_attributes();
  const std::size_t ahead = ahead_max();
  if (is_armed(throttle_over) || waiting_.size() > ahead) return;
  // Of what can not be deleted there is not to be more and more.
  if (settlements_.is_congested()) return;
  const FunctionName& function = record().function;
  if (function_missing_ || context_.find_function(function, record().function_arn) == nullptr) {
    // It is told when the function is there.
    if (receives_ == 0) function_missing();
    return;
  }
  const int slots = context_.free_slots(function);
  if (slots <= 0 && (running_.empty() || ahead == 0)) {
    if (receives_ == 0) context_.await_slot(*this, function);
    return;
  }
  const std::size_t unused = parallel_ - std::min(parallel_, running_.size());
  const std::size_t free = std::min(unused, static_cast<std::size_t>(std::max(slots, 0))) + ahead;
  const std::size_t room = free - std::min(free, waiting_.size());
  if (room <= receives_) return;
  // Those that do not wait go first: behind one that is parked they would find nothing.
  const std::size_t watch = watching_ ? 0 : 1;
  const std::size_t most = config().window_seconds == 0 ? std::min(room, eagerness_) : 1;
  while (receives_ + watch < most && has_room_for(messages_wanted())) receive(Question::probe);
  if (!watching_ && receives_ < room && has_room_for(messages_wanted())) receive(Question::watch);
}

void QueueMapping::receive(Question question) {
  ReceiveMessages command;
  command.queue = queue();
  command.max_messages = static_cast<int>(messages_wanted());
  command.wait_seconds = question == Question::watch ? limits::wait_seconds : 0;
  command.lease_ends_with_server = true;
  if (config().window_seconds > 0) command.visibility_seconds = visibility_asked_for();
  const Open asked{question, static_cast<std::size_t>(command.max_messages), context_.now};
  open_.emplace(context_.ask(*this, std::move(command), shared_record()), asked);
  ++receives_;
  if (question == Question::watch) watching_ = true;
}

void QueueMapping::received(const Open& asked, Answered& answer) {
  const auto* error = answer.result ? std::get_if<Error>(&*answer.result) : nullptr;
  if (!answer.result || error != nullptr) {
    // As many messages in flight as there may be: the long poll waits for one less.
    const bool is_full = error != nullptr && error->code == ErrorCode::OverLimit;
    if (asked.question == Question::probe && is_full) return found_nothing(asked);
    // What has waited was taken well.
    if (context_.now - asked.asked >= context_.limits.source_retry_delay) source_failures_ = 0;
    return source_failed(error);
  }
  source_failures_ = 0;
  attributes_refused_ = false;
  if (answer.items.empty()) return found_nothing(asked);
  empty_at_once_ = 0;
  // One receive more at a time with each that comes back full, until one does not.
  eagerness_ = answer.items.size() < asked.messages_max ? 1 : std::min(eagerness_ + 1, parallel_);
  std::vector<Settlement> unmatched;
  std::vector<Message> matched;
  matched.reserve(answer.items.size());
  for (SourceItem& item : answer.items) {
    if (item.matches()) {
      matched.push_back(Message{std::move(item), context_.now});
    } else {
      note(item.id, "no filter of the mapping lets it through: it is deleted");
      unmatched.push_back(Settlement{std::move(item.receipt_handle), std::nullopt, item.visible_at});
    }
  }
  settlements_.tell(queue(), std::move(unmatched));
  gather(std::move(matched));
}

void QueueMapping::source_failed(const Error* error) {
  attributes_known_ = Instant{};
  eagerness_ = 1;
  if (error != nullptr && error->code == ErrorCode::QueueDoesNotExist) {
    set_last_result(problem("The queue does not exist"));
  } else if (error != nullptr && !error->message.empty()) {
    set_last_result(problem(error->message));
  }
  if (is_armed(source_retry)) return;
  const TriggerLimits& all = context_.limits;
  arm(source_retry, context_.now + backed_off(all.source_retry_delay, source_failures_++, all.source_retry_delay_max));
}

void QueueMapping::found_nothing(const Open& asked) {
  eagerness_ = 1;
  if (asked.question == Question::probe) {
    if (parallel_ > parallel_start()) --parallel_;
    return;
  }
  // A long poll that comes back without having waited, as where what it brought was purged, is no reason to hurry.
  if (context_.now - asked.asked >= context_.limits.source_retry_delay) {
    empty_at_once_ = 0;
  } else if (++empty_at_once_ >= limits::empty_at_once_max) {
    arm(source_retry, context_.now + context_.limits.source_retry_delay);
  }
}

// ---- Batches

void QueueMapping::pump() {
  if (phase_ != Phase::running) return;
  cut_batches();
  begin_batches();
  ask_for_more();
}

void QueueMapping::gather(std::vector<Message> messages) {
  for (Message& message : messages) {
    const std::size_t bytes = message.item.bytes();
    // Of the latest few, so that one message of another size does not count for long.
    message_bytes_ = message_bytes_ == 0 ? std::max<std::size_t>(bytes, 1) : (message_bytes_ * 7 + bytes + 7) / 8;
    gathered_bytes_ += bytes;
    held_bytes_ += bytes;
    gathered_.push_back(std::move(message));
  }
  if (!is_of_fifo() || gathered_.empty()) return;
  // Of what one receive brought, what does not fit into one event must not run beside it: it may be of the same groups.
  cut_batch();
  std::vector<Message> rest;
  std::ranges::move(gathered_, std::back_inserter(rest));
  held_bytes_ -= gathered_bytes_;
  gathered_bytes_ = 0;
  gathered_.clear();
  give_back(rest);
}

bool QueueMapping::is_batch_ready() const {
  if (gathered_.empty()) return false;
  if (gathered_.size() >= static_cast<std::size_t>(config().batch_size)) return true;
  if (event_bytes(gathered_.size(), gathered_bytes_) >= context_.limits.batch_bytes_max) return true;
  return gathered_.front().received + window() <= context_.now;
}

void QueueMapping::cut_batch() {
  Batch batch;
  batch.visible_at = gathered_.front().item.visible_at;
  batch.visibility = batch.visible_at - gathered_.front().received;
  batch.items.reserve(std::min(gathered_.size(), static_cast<std::size_t>(config().batch_size)));
  while (!gathered_.empty() && batch.items.size() < static_cast<std::size_t>(config().batch_size)) {
    const std::size_t bytes = gathered_.front().item.bytes();
    const std::size_t with_it = event_bytes(batch.items.size() + 1, batch.bytes + bytes);
    // What is too large for any event goes alone.
    if (!batch.items.empty() && with_it > context_.limits.batch_bytes_max) break;
    batch.bytes += bytes;
    gathered_bytes_ -= bytes;
    batch.visible_at = std::min(batch.visible_at, gathered_.front().item.visible_at);
    batch.items.push_back(std::move(gathered_.front()));
    gathered_.pop_front();
  }
  waiting_.push_back(std::move(batch));
}

void QueueMapping::cut_batches() {
  while (is_batch_ready()) cut_batch();
  if (gathered_.empty()) {
    disarm(window_over);
  } else if (!is_armed(window_over) || timers_[window_over]->first != gathered_.front().received + window()) {
    arm(window_over, gathered_.front().received + window());
  }
}

void QueueMapping::begin_batches() {
  while (!waiting_.empty() && !is_armed(throttle_over) && running_.size() < parallel_) {
    if (!begin(waiting_.front())) break;
    waiting_.pop_front();
  }
  if (waiting_.empty()) return disarm(hold_over);
  // Those that came back from where nobody was there stand in front of others that wait for longer.
  Instant until = Instant::max();
  for (const Batch& batch : waiting_) until = std::min(until, hold_end(batch));
  if (!is_armed(hold_over) || timers_[hold_over]->first != until) arm(hold_over, until);
}

bool QueueMapping::begin(Batch& batch) {
  BatchEvent event{shared_record(), {}, std::nullopt};
  event.records.reserve(batch.items.size());
  for (const Message& message : batch.items) event.records.push_back(message.item.event);
  const auto begun = context_.begin(*this, InvocationStart{record().function, record().function_arn, std::move(event)});
  if (const auto* none = std::get_if<NoInvocation>(&begun)) {
    if (*none == NoInvocation::no_function) function_missing();
    return false;
  }
  const InvocationId id = std::get<InvocationId>(begun);
  batch.begun = context_.now;
  plan_renewal(id, running_.emplace(id, std::move(batch)).first->second);
  return true;
}

// Nothing is invoked, and so nothing is counted as received either: the messages stay in their queue until there is a
// function of that name again.
void QueueMapping::function_missing() {
  function_missing_ = true;
  set_last_result(problem("Function not found"));
  give_back_all();
}

void QueueMapping::give_back_held() {
  std::erase_if(waiting_, [this](const Batch& batch) {
    if (hold_end(batch) > context_.now) return false;
    held_bytes_ -= batch.bytes;
    give_back(batch.items);
    return true;
  });
}

void QueueMapping::give_back(const std::vector<Message>& items) {
  for (std::size_t at = 0; at < items.size(); at += limits::handles_max) {
    ReturnUndelivered command{queue(), {}};
    for (std::size_t i = at; i < std::min(items.size(), at + limits::handles_max); ++i) {
      command.receipt_handles.push_back(items[i].item.receipt_handle);
    }
    context_.send(std::move(command));
  }
}

void QueueMapping::give_back_all() {
  std::vector<Message> all;
  for (Batch& batch : waiting_) {
    held_bytes_ -= batch.bytes;
    std::ranges::move(batch.items, std::back_inserter(all));
  }
  std::ranges::move(gathered_, std::back_inserter(all));
  held_bytes_ -= gathered_bytes_;
  gathered_bytes_ = 0;
  waiting_.clear();
  gathered_.clear();
  give_back(all);
}

// ---- Outcomes

void QueueMapping::invocation_over(InvocationOver over) {
  auto found = running_.extract(over.id);
  if (found.empty()) return;
  Batch batch = std::move(found.mapped());
  renewals_.erase({batch.renewal, over.id});
  if (renewals_.empty()) disarm(renewal_due);
  quick_runs_ = context_.now - batch.begun <= limits::quick_run_max ? quick_runs_ + 1 : 0;
  const RunOutcome::Status status = over.outcome.status;
  if (status == RunOutcome::Status::throttled || status == RunOutcome::Status::unreached) {
    try_later(std::move(batch), over.outcome);
  } else {
    unreached_ = 0;
    held_bytes_ -= batch.bytes;
    settle(std::move(batch), over);
  }
  stop_if_over();
  pump();
}

// What was not run is no failure of its messages. Where nobody is there, the next try is made with one batch, and later
// each time: the messages go back to their queue, uncounted, and wait there.
void QueueMapping::try_later(Batch batch, const RunOutcome& outcome) {
  count(&MappingTally::not_run);
  if (phase_ == Phase::stopping) {
    held_bytes_ -= batch.bytes;
    return give_back(batch.items);
  }
  waiting_.push_front(std::move(batch));
  parallel_ = std::max<std::size_t>(1, running_.size());
  if (outcome.status == RunOutcome::Status::throttled) {
    return arm(throttle_over, context_.now + limits::throttle_delay);
  }
  set_last_result(problem(outcome.message));
  if (is_armed(throttle_over)) return;
  const Millis delay = backed_off(limits::unreached_delay, unreached_++, limits::unreached_delay_max);
  arm(throttle_over, context_.now + delay);
}

void QueueMapping::settle(Batch batch, const InvocationOver& over) {
  const std::optional<std::vector<bool>> done = succeeded(batch, over);
  std::vector<Settlement> settlements;
  settlements.reserve(batch.items.size());
  bool any = false;
  bool all = true;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    SourceItem& item = batch.items[i].item;
    if (!done || !(*done)[i]) note(item.id, failure_of(over, done.has_value()));
    all = all && done && (*done)[i];
    if (done && (*done)[i]) {
      settlements.push_back(Settlement{std::move(item.receipt_handle), std::nullopt, batch.visible_at});
      any = true;
    } else if (batch.renewed) {
      // It comes again when it would have without the renewals.
      settlements.push_back(Settlement{std::move(item.receipt_handle), item.visible_at, batch.visible_at});
    }
  }
  if (over.outcome.status == RunOutcome::Status::failed) {
    set_last_result(problem(over.outcome.message));
  } else if (over.outcome.succeeded() && !done) {
    set_last_result(answer_malformed);
  } else {
    // That some have failed is the function's business; that all have is a failed call.
    set_last_result(any ? processed_ok : call_failed);
  }
  count(!any ? &MappingTally::failed : all ? &MappingTally::succeeded : &MappingTally::partial);
  if (any) grow();
  settlements_.tell(queue(), std::move(settlements));
}

void QueueMapping::note(const std::string& message_id, std::string what) {
  context_.effects.notes.push_back(MessageNote{message_id, record().uuid, std::move(what)});
}

std::string QueueMapping::failure_of(const InvocationOver& over, bool is_named) const {
  const std::string of = "in " + record().function.name;
  if (is_named) return of + ": its answer names the message as failed";
  if (over.outcome.status == RunOutcome::Status::failed) return of + ": " + over.outcome.message;
  if (over.outcome.succeeded()) return of + ": its answer is malformed";
  constexpr std::size_t shown_max = 200;
  return of + ": the invocation has failed with " + over.outcome.payload.substr(0, shown_max);
}

// With every batch that succeeds while there is more to do: their number doubles in the time that one takes.
void QueueMapping::grow() {
  if (parallel_ >= parallel_max()) return;
  // A receive that is on its way is a batch to be: with short invocations most of them are receives at any moment.
  const bool has_backlog = eagerness_ > 1 && running_.size() + receives_ + 1 >= parallel_;
  if (has_backlog || parallel_ < parallel_start()) ++parallel_;
}

std::optional<std::vector<bool>> QueueMapping::succeeded(const Batch& batch, const InvocationOver& over) const {
  if (!over.outcome.succeeded() || !over.batch) return std::nullopt;
  std::vector<bool> done(batch.items.size(), true);
  if (!config().report_batch_item_failures) return done;
  if (!over.batch->well_formed) return std::nullopt;
  if (over.batch->failed.empty()) return done;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < batch.items.size(); ++i) places.emplace(batch.items[i].item.id, i);
  for (const std::string& id : over.batch->failed) {
    const auto place = places.find(id);
    if (place == places.end()) return std::nullopt;
    done[place->second] = false;
  }
  return done;
}

// ---- Renewals

// Half way through what is left of their visibility, so that there is time to try again. A queue that hides nothing is
// left as it is.
void QueueMapping::plan_renewal(InvocationId id, Batch& batch) {
  if (batch.visibility < limits::renewed_visibility_min) return;
  batch.renewal = context_.now + std::max(batch.visible_at - context_.now, Millis{0}) / 2;
  renewals_.emplace(batch.renewal, id);
  // One timer for all of them, which may ring for one that is over: that costs less than to set it anew for each.
  if (!is_armed(renewal_due) || timers_[renewal_due]->first > batch.renewal) arm(renewal_due, batch.renewal);
}

void QueueMapping::renew_due() {
  while (!renewals_.empty() && renewals_.begin()->first <= context_.now) {
    const InvocationId id = renewals_.begin()->second;
    renewals_.erase(renewals_.begin());
    renew(id, running_.at(id));
  }
  // Those that were renewed may have been the first to ask for the timer, and be due behind others.
  if (renewals_.empty()) return;
  const Instant next = renewals_.begin()->first;
  if (!is_armed(renewal_due) || timers_[renewal_due]->first > next) arm(renewal_due, next);
}

void QueueMapping::renew(InvocationId id, Batch& batch) {
  // Visible again, it may be somebody else's by now.
  if (batch.visible_at <= context_.now) return;
  const Instant until = context_.now + batch.visibility;
  std::vector<Settlement> settlements;
  settlements.reserve(batch.items.size());
  for (const Message& message : batch.items) {
    settlements.push_back(Settlement{message.item.receipt_handle, until, batch.visible_at, id});
  }
  settlements_.tell(queue(), std::move(settlements));
  batch.visible_at = until;
  batch.renewed = true;
  plan_renewal(id, batch);
}

}  // namespace penstock::core
