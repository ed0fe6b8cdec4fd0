#include "core/triggers/async_line.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/triggers/destinations.hpp"
#include "core/uuid.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

namespace {

// Events that one step takes off the line because they are too old.
constexpr std::size_t ends_per_step_max = 1'000;

// Before an event is tried again that the emulator behind a URL had no room for.
constexpr Millis throttle_delay{1'000};
// The same where nobody was there to run it; doubled each time.
constexpr Millis unreached_delay{1'000};
constexpr Millis unreached_delay_max{60'000};

constexpr std::uint64_t age_tag = 0;

}  // namespace

AsyncConfig AsyncLine::config() const {
  const auto function = context_.find_function(function_);
  return function == nullptr ? AsyncConfig{} : function->async.value_or(AsyncConfig{});
}

Instant AsyncLine::age_end(const AsyncEvent& event) const {
  return event.accepted + std::chrono::seconds{config().age_seconds_max};
}

void AsyncLine::add(AsyncEvent event) {
  if (event.due > context_.now) {
    const Instant until = event.due;
    return delay(Pending{std::move(event)}, until);
  }
  ready_.push_back(Pending{std::move(event)});
  // Those before it wait for a slot, and it behind them.
  if (ready_.size() == 1) run();
}

void AsyncLine::delay(Pending pending, Instant until) {
  const std::uint64_t tag = next_tag();
  delayed_.emplace(tag, std::move(pending));
  context_.set_timer(*this, until, tag);
}

void AsyncLine::run() {
  if (age_timer_) context_.drop_timer(*std::exchange(age_timer_, std::nullopt));
  std::size_t ended = 0;
  while (!ready_.empty()) {
    if (ended == ends_per_step_max) return arm_age(context_.now);
    if (context_.find_function(function_) == nullptr) {
      // It was deleted, and nobody is left to ask where to send what is not run.
      drop(ready_.front().event);
      ready_.pop_front();
      ++ended;
      continue;
    }
    if (age_end(ready_.front().event) <= context_.now) {
      AsyncEvent event = std::move(ready_.front().event);
      ready_.pop_front();
      end(std::move(event), "EventAgeExceeded", nullptr);
      ++ended;
      continue;
    }
    const AsyncEvent& event = ready_.front().event;
    InvocationStart start{function_, arn_of(function_), std::make_shared<const std::string>(event.payload), event.id};
    start.client_context = event.client_context;
    const auto begun = context_.begin(*this, std::move(start));
    if (std::holds_alternative<NoInvocation>(begun)) return arm_age(age_end(event));
    running_.emplace(std::get<InvocationId>(begun), std::move(ready_.front()));
    ready_.pop_front();
  }
  if (is_empty()) owner_.emptied(function_);
}

void AsyncLine::give_up() {
  for (const Pending& pending : std::exchange(ready_, {})) drop(pending.event);
  // Their timers find nothing.
  for (const auto& [tag, pending] : std::exchange(delayed_, {})) drop(pending.event);
  if (is_empty()) owner_.emptied(function_);
}

// While it waits for a slot, only time can end it.
void AsyncLine::arm_age(Instant at) {
  if (age_timer_) context_.drop_timer(*age_timer_);
  age_timer_ = context_.set_timer(*this, at, age_tag);
}

void AsyncLine::due(std::uint64_t tag) {
  if (tag == age_tag) {
    age_timer_.reset();
    return run();
  }
  if (auto letter = to_resend_.extract(tag); !letter.empty()) return send(std::move(letter.mapped()));
  if (auto pending = delayed_.extract(tag); !pending.empty()) {
    ready_.push_back(std::move(pending.mapped()));
    run();
  }
}

void AsyncLine::invocation_over(InvocationOver over) {
  auto found = running_.extract(over.id);
  if (found.empty()) return;
  const RunOutcome::Status status = over.outcome.status;
  if (status == RunOutcome::Status::throttled || status == RunOutcome::Status::unreached) {
    try_later(std::move(found.mapped()), status);
    return run();
  }
  AsyncEvent event = std::move(found.mapped().event);
  if (over.outcome.succeeded()) {
    end(std::move(event), "Success", &over.outcome);
  } else if (++event.attempts > config().retries_max) {
    end(std::move(event), "RetriesExhausted", &over.outcome);
  } else {
    event.due = context_.now + context_.limits.async_retry_delay * event.attempts;
    // If it is lost with the power, there is a try more.
    context_.note(PutAsyncEvent{event});
    const Instant until = event.due;
    delay(Pending{std::move(event)}, until);
  }
  run();
}

// What was not run is no failure of it, and only its age can end it.
void AsyncLine::try_later(Pending pending, RunOutcome::Status status) {
  // A shutdown has cut it off: it stays stored as it is, and a start finds it again.
  if (context_.draining) return;
  Millis pause = throttle_delay;
  if (status == RunOutcome::Status::unreached) {
    pause = backed_off(unreached_delay, pending.unreached++, unreached_delay_max);
  }
  const Instant until = std::min(context_.now + pause, age_end(pending.event));
  delay(std::move(pending), until);
}

void AsyncLine::end(AsyncEvent event, std::string_view condition, const RunOutcome* outcome) {
  const bool success = condition == "Success";
  const AsyncConfig how = config();
  const auto function = context_.find_function(function_);
  AsyncEnd content;
  content.invocation.request_id = event.id;
  content.invocation.function_arn = arn_of(function_) + ":$LATEST";
  content.invocation.condition = condition;
  content.invocation.invoke_count = event.attempts + (success ? 1 : 0);
  content.invocation.responded = outcome != nullptr && outcome->status == RunOutcome::Status::answered;
  content.request_payload = event.payload;
  content.at = context_.now;
  if (content.invocation.responded) {
    content.invocation.function_error = outcome->function_error;
    content.response_payload = outcome->payload;
  }
  ++open_ends_;
  const auto ending = std::make_shared<Ending>(Ending{std::move(event), 1});
  tell_destination(ending, success ? how.on_success : how.on_failure, content);
  if (!success && function != nullptr && !function->dead_letter_arn.empty()) {
    content.plain = true;
    tell_destination(ending, function->dead_letter_arn, content);
  }
  settled(*ending);
}

void AsyncLine::tell_destination(const std::shared_ptr<Ending>& ending, const std::string& arn,
                                 const AsyncEnd& content) {
  const auto destination = parse_destination(arn);
  if (!destination) return;
  if (const auto* queue = std::get_if<QueueName>(&*destination)) {
    ++ending->reports;
    return send(Letter{ending, *queue, content});
  }
  AsyncEvent next;
  next.id = make_uuid(context_.entropy);
  next.function = std::get<FunctionName>(*destination);
  next.payload = owner_.render(content);
  next.accepted = next.due = context_.now;
  owner_.add(std::move(next));
}

void AsyncLine::send(Letter letter) {
  const AskId id = context_.report(*this, letter.queue, letter.content);
  letters_.emplace(id, std::move(letter));
}

void AsyncLine::answered(Answered answer) {
  auto found = letters_.extract(answer.id);
  if (found.empty()) return;
  Letter letter = std::move(found.mapped());
  // What could not be brought there for now is sent again while the event is young enough. A queue that is not there,
  // or will not have the message, is given up, as the service does.
  const Taken how = taken(answer.result);
  const bool again = how == Taken::not_now;
  if (again && !context_.draining && age_end(letter.ending->event) > context_.now) {
    const std::uint64_t tag = next_tag();
    to_resend_.emplace(tag, std::move(letter));
    context_.set_timer(*this, context_.now + context_.limits.source_retry_delay, tag);
    return;
  }
  // A start finds the event again, and what it ends with is told then.
  if (again && context_.draining) return;
  if (how != Taken::accepted) warn_of_lost(letter, refusal_in(answer.result));
  settled(*letter.ending);
  if (is_empty()) owner_.emptied(function_);
}

// Nobody else will ever say what became of the event.
void AsyncLine::warn_of_lost(const Letter& letter, const Error* error) {
  std::string warning = "function " + function_.name + ": the destination " + arn_of(letter.queue) +
                        " does not take the account of event " + letter.ending->event.id + ", which is given up";
  if (error != nullptr && !error->message.empty()) warning += " (" + error->message + ")";
  context_.effects.warnings.push_back(warning + ": " + letter.content.invocation.condition);
}

void AsyncLine::settled(Ending& ending) {
  if (--ending.reports > 0) return;
  --open_ends_;
  drop(ending.event);
}

void AsyncLine::drop(const AsyncEvent& event) {
  context_.note(DropAsyncEvent{event.id});
  owner_.dropped(event);
}

}  // namespace penstock::core
