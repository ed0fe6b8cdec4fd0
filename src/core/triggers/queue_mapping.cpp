#include "core/triggers/queue_mapping.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

namespace limits = queue_mapping_limits;

std::unique_ptr<Mapping> make_queue_mapping(TriggerContext& context, MappingOwner& owner, MappingRecord record) {
  return std::make_unique<QueueMapping>(context, owner, std::move(record));
}

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
  empty_at_once_ = 0;
  ask_attributes();
}

void QueueMapping::stop() {
  phase_ = Phase::stopping;
  for (auto open = open_.begin(); open != open_.end();) {
    const auto [id, asked] = *open;
    if (asked.question == Question::settlement) {
      ++open;
      continue;
    }
    context_.cancel(id);
    open = open_.erase(open);
  }
  receives_ = 0;
  watching_ = false;
  attributes_asked_ = false;
  for (std::uint64_t timer = 0; timer < timer_count; ++timer) disarm(static_cast<Timer>(timer));
  give_back_all();
  stop_if_over();
}

void QueueMapping::stop_if_over() {
  if (phase_ != Phase::stopping || !running_.empty() || settlements_ > 0) return;
  phase_ = Phase::stopped;
  owner_.mapping_stopped(*this);
}

void QueueMapping::function_changed() {
  function_missing_ = false;
  pump();
}

void QueueMapping::arm(Timer timer, Instant at) {
  disarm(timer);
  timers_[timer] = context_.set_timer(*this, at, timer);
}

void QueueMapping::disarm(Timer timer) {
  if (timers_[timer]) context_.drop_timer(*std::exchange(timers_[timer], std::nullopt));
}

void QueueMapping::due(std::uint64_t tag) {
  timers_[tag].reset();
  if (tag == hold_over) give_back_held();
  pump();
}

void QueueMapping::answered(Answered answer) {
  const auto found = open_.extract(answer.id);
  if (found.empty()) return;
  const Open& asked = found.mapped();
  switch (asked.question) {
    case Question::attributes:
      attributes_asked_ = false;
      attributes_known(answer.result);
      break;
    case Question::watch:
      watching_ = false;
      [[fallthrough]];
    case Question::probe:
      --receives_;
      received(asked, answer);
      break;
    case Question::settlement:
      // What could not be deleted comes again, which at-least-once allows.
      --settlements_;
      return stop_if_over();
  }
  pump();
}

// ---- Asking

void QueueMapping::ask_attributes() {
  attributes_asked_ = true;
  const AskId id = context_.ask(*this, GetQueueAttributes{queue(), {"VisibilityTimeout"}});
  open_.emplace(id, Open{Question::attributes, 0, context_.now});
}

void QueueMapping::attributes_known(const std::optional<Result>& result) {
  const auto* attributes = result ? std::get_if<QueueAttributes>(&*result) : nullptr;
  if (attributes != nullptr) {
    attributes_known_ = context_.now;
    if (const auto found = attributes->attributes.find("VisibilityTimeout"); found != attributes->attributes.end()) {
      const std::string& text = found->second;
      std::from_chars(text.data(), text.data() + text.size(), queue_visibility_seconds_);
    }
  }
  if (phase_ != Phase::starting) return;
  // A queue that is not there now may be created again, and is asked for messages all the same.
  phase_ = Phase::running;
  owner_.mapping_started(*this);
}

// What gathers for a window must not become visible before it was worked on.
int QueueMapping::visibility_asked_for() const {
  const auto function = context_.find_function(record().function);
  const int timeout = function == nullptr ? 0 : function->timeout_seconds;
  const int needed = config().window_seconds + timeout + limits::window_margin_seconds;
  return std::min(std::max(queue_visibility_seconds_, needed), sqs_limits::visibility_seconds_max);
}

// Until when a batch may wait for a slot: half of what its visibility leaves it beyond its window, so that what is
// given back was not visible before, and what is begun with stays invisible for a while.
Instant QueueMapping::hold_end(Instant received) const {
  if (config().window_seconds == 0) return received + Millis{std::chrono::seconds{queue_visibility_seconds_}} / 2;
  const Millis visibility = std::chrono::seconds{visibility_asked_for()};
  return received + window() + (visibility - std::min(window(), visibility)) / 2;
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
  wanted = std::min(wanted, std::max(limits::receive_unknown_max, room / message_bytes_));
  return std::min(wanted, limits::receive_max);
}

void QueueMapping::ask_for_more() {
  if (phase_ != Phase::running || is_armed(source_retry) || is_armed(throttle_over) || !waiting_.empty()) return;
  const FunctionName& function = record().function;
  if (function_missing_ || context_.find_function(function) == nullptr) {
    // It is told when the function is there.
    if (receives_ == 0) function_missing();
    return;
  }
  const int slots = context_.free_slots(function);
  if (slots <= 0) {
    if (receives_ == 0) context_.await_slot(*this, function);
    return;
  }
  const std::size_t room = std::min(parallel_ - std::min(parallel_, running_.size()), static_cast<std::size_t>(slots));
  if (room <= receives_) return;
  const bool stale = context_.now - attributes_known_ >= limits::attributes_life;
  if (stale && !attributes_asked_ && !watching_) ask_attributes();
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
  if (config().window_seconds > 0) command.visibility_seconds = visibility_asked_for();
  const Open asked{question, static_cast<std::size_t>(command.max_messages), context_.now};
  open_.emplace(context_.ask(*this, std::move(command), shared_record()), asked);
  ++receives_;
  if (question == Question::watch) watching_ = true;
}

void QueueMapping::received(const Open& asked, Answered& answer) {
  if (!answer.result) return arm(source_retry, context_.now + context_.limits.source_retry_delay);
  if (const auto* error = std::get_if<Error>(&*answer.result)) {
    // As many messages in flight as there may be: the long poll waits for one less.
    if (asked.question == Question::probe && error->code == ErrorCode::OverLimit) return found_nothing(asked);
    return source_failed(*error);
  }
  if (answer.items.empty()) return found_nothing(asked);
  empty_at_once_ = 0;
  // One receive more at a time with each that comes back full, until one does not.
  eagerness_ = answer.items.size() < asked.messages_max ? 1 : std::min(eagerness_ + 1, parallel_);
  std::vector<std::string> unmatched;
  std::vector<SourceItem> matched;
  for (SourceItem& item : answer.items) {
    if (item.matches()) {
      matched.push_back(std::move(item));
    } else {
      unmatched.push_back(std::move(item.receipt_handle));
    }
  }
  remove(std::move(unmatched));
  gather(std::move(matched));
}

void QueueMapping::source_failed(const Error& error) {
  attributes_known_ = Instant{};
  eagerness_ = 1;
  if (error.code == ErrorCode::QueueDoesNotExist) {
    set_last_result("PROBLEM: The queue does not exist");
  } else if (!error.message.empty()) {
    set_last_result(("PROBLEM: " + error.message).substr(0, limits::result_chars_max));
  }
  arm(source_retry, context_.now + context_.limits.source_retry_delay);
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

void QueueMapping::gather(std::vector<SourceItem> items) {
  for (SourceItem& item : items) {
    const std::size_t bytes = item.bytes();
    // Of the latest few, so that one message of another size does not count for long.
    message_bytes_ = message_bytes_ == 0 ? std::max<std::size_t>(bytes, 1) : (message_bytes_ * 7 + bytes + 7) / 8;
    gathered_bytes_ += bytes;
    held_bytes_ += bytes;
    gathered_.push_back(Gathered{std::move(item), context_.now});
  }
  if (!is_of_fifo() || gathered_.empty()) return;
  // Of what one receive brought, what does not fit into one event must not run beside it: it may be of the same groups.
  cut_batch();
  std::vector<SourceItem> rest;
  for (Gathered& left : gathered_) rest.push_back(std::move(left.item));
  held_bytes_ -= gathered_bytes_;
  gathered_bytes_ = 0;
  gathered_.clear();
  give_back(rest);
}

bool QueueMapping::is_batch_ready() const {
  if (gathered_.empty()) return false;
  if (gathered_.size() >= static_cast<std::size_t>(config().batch_size)) return true;
  if (gathered_bytes_ >= context_.limits.batch_bytes_max) return true;
  return gathered_.front().received + window() <= context_.now;
}

void QueueMapping::cut_batch() {
  Batch batch;
  batch.received = gathered_.front().received;
  while (!gathered_.empty() && batch.items.size() < static_cast<std::size_t>(config().batch_size)) {
    const std::size_t bytes = gathered_.front().item.bytes();
    // What is too large for any event goes alone.
    if (!batch.items.empty() && batch.bytes + bytes > context_.limits.batch_bytes_max) break;
    batch.bytes += bytes;
    gathered_bytes_ -= bytes;
    batch.items.push_back(std::move(gathered_.front().item));
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
  waiting_.front().waited = true;
  const Instant until = hold_end(waiting_.front().received);
  if (!is_armed(hold_over) || timers_[hold_over]->first != until) arm(hold_over, until);
}

bool QueueMapping::begin(Batch& batch) {
  BatchEvent event{shared_record(), {}, std::nullopt};
  event.records.reserve(batch.items.size());
  for (const SourceItem& item : batch.items) event.records.push_back(item.event);
  const auto begun = context_.begin(*this, InvocationStart{record().function, record().function_arn, std::move(event)});
  if (const auto* none = std::get_if<NoInvocation>(&begun)) {
    if (*none == NoInvocation::no_function) function_missing();
    return false;
  }
  if (batch.waited) extend_visibility(batch);
  running_.emplace(std::get<InvocationId>(begun), std::move(batch));
  return true;
}

// Nothing is invoked, and so nothing is counted as received either: the messages stay in their queue until there is a
// function of that name again.
void QueueMapping::function_missing() {
  function_missing_ = true;
  set_last_result("PROBLEM: Function not found");
  give_back_all();
}

void QueueMapping::give_back_held() {
  while (!waiting_.empty() && hold_end(waiting_.front().received) <= context_.now) {
    held_bytes_ -= waiting_.front().bytes;
    give_back(waiting_.front().items);
    waiting_.pop_front();
  }
}

void QueueMapping::give_back(const std::vector<SourceItem>& items) {
  for (std::size_t at = 0; at < items.size(); at += limits::handles_max) {
    ReturnUndelivered command{queue(), {}};
    for (std::size_t i = at; i < std::min(items.size(), at + limits::handles_max); ++i) {
      command.receipt_handles.push_back(items[i].receipt_handle);
    }
    context_.send(std::move(command));
  }
}

void QueueMapping::give_back_all() {
  std::vector<SourceItem> all;
  for (Batch& batch : waiting_) {
    held_bytes_ -= batch.bytes;
    std::ranges::move(batch.items, std::back_inserter(all));
  }
  for (Gathered& gathered : gathered_) all.push_back(std::move(gathered.item));
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
  if (over.outcome.status == RunOutcome::Status::throttled) {
    batch.waited = true;
    if (phase_ == Phase::stopping) {
      held_bytes_ -= batch.bytes;
      give_back(batch.items);
      return stop_if_over();
    }
    waiting_.push_front(std::move(batch));
    parallel_ = std::max<std::size_t>(1, running_.size());
    arm(throttle_over, context_.now + limits::throttle_delay);
  } else {
    held_bytes_ -= batch.bytes;
    settle(batch, over);
    if (phase_ == Phase::stopping) return stop_if_over();
  }
  pump();
}

void QueueMapping::settle(const Batch& batch, const InvocationOver& over) {
  std::vector<std::string> done = succeeded(batch, over);
  if (over.outcome.status == RunOutcome::Status::failed) {
    set_last_result(("PROBLEM: " + over.outcome.message).substr(0, limits::result_chars_max));
  } else {
    // That some have failed is the function's business; that all have is a failed call.
    set_last_result(done.empty() ? call_failed : processed_ok);
  }
  if (!done.empty()) grow();
  remove(std::move(done));
}

// With every batch that succeeds while there is more to do: their number doubles in the time that one takes.
void QueueMapping::grow() {
  if (parallel_ >= parallel_max()) return;
  // A receive that is on its way is a batch to be: with short invocations most of them are receives at any moment.
  const bool has_backlog = eagerness_ > 1 && running_.size() + receives_ + 1 >= parallel_;
  if (has_backlog || parallel_ < parallel_start()) ++parallel_;
}

// The receipt handles of those that are not to come again.
std::vector<std::string> QueueMapping::succeeded(const Batch& batch, const InvocationOver& over) const {
  std::vector<std::string> handles;
  if (!over.outcome.succeeded() || !over.batch) return handles;
  std::unordered_set<std::string_view> failed;
  if (config().report_batch_item_failures) {
    if (!over.batch->well_formed) return handles;
    std::unordered_set<std::string_view> ids;
    for (const SourceItem& item : batch.items) ids.insert(item.id);
    for (const std::string& id : over.batch->failed) {
      if (!ids.contains(id)) return handles;
      failed.insert(id);
    }
  }
  for (const SourceItem& item : batch.items) {
    if (!failed.contains(item.id)) handles.push_back(item.receipt_handle);
  }
  return handles;
}

void QueueMapping::remove(std::vector<std::string> handles) {
  for (std::size_t at = 0; at < handles.size(); at += limits::handles_max) {
    DeleteMessages command{queue(), {}, false};
    for (std::size_t i = at; i < std::min(handles.size(), at + limits::handles_max); ++i) {
      command.receipt_handles.push_back(std::move(handles[i]));
    }
    open_.emplace(context_.ask(*this, std::move(command)), Open{Question::settlement, 0, context_.now});
    ++settlements_;
  }
}

// What has waited for a slot has its whole visibility before it again, as if it were received now.
void QueueMapping::extend_visibility(const Batch& batch) {
  const int seconds = config().window_seconds > 0 ? visibility_asked_for() : queue_visibility_seconds_;
  ChangeVisibility command{queue(), {}};
  for (const SourceItem& item : batch.items) command.changes.push_back({item.receipt_handle, seconds});
  open_.emplace(context_.ask(*this, std::move(command)), Open{Question::settlement, 0, context_.now});
  ++settlements_;
}

}  // namespace penstock::core
