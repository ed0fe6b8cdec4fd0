#include "trigger_queue_ledger.hpp"

#include <algorithm>

namespace penstock::sim {

namespace {

constexpr Millis event_age_max{21'600'000};

}  // namespace

void QueueLedger::asked_to_send(const std::string& body, const std::string& queue, const std::string& group) {
  Message& message = messages_[body];
  message.queue = queue;
  message.group = group;
  message.order = ++orders_;
}

void QueueLedger::received(const std::string& body, const std::string& handle, Instant invisible_until) {
  bodies_[handle] = body;
  Message& message = messages_.at(body);
  message.handle = handle;
  message.invisible_until = invisible_until;
  // Whatever became of its acknowledgement, it was sent.
  message.sent = true;
}

QueueLedger::Message* QueueLedger::by_handle(const std::string& handle) {
  const auto body = bodies_.find(handle);
  if (body == bodies_.end()) return nullptr;
  Message& message = messages_.at(body->second);
  return message.handle == handle ? &message : nullptr;
}

// One that is over cannot be made longer: what asks for that has been on its way for too long.
void QueueLedger::visibility_changed(const std::string& handle, Instant now, Instant until) {
  Message* message = by_handle(handle);
  if (message != nullptr && now < message->invisible_until) message->invisible_until = until;
}

void QueueLedger::given_back(const std::string& handle) {
  if (Message* message = by_handle(handle)) message->invisible_until = Instant{};
}

// Leases are written but not synced, and the power takes them; whoever had one is gone too.
void QueueLedger::crashed() {
  running_.clear();
  for (auto& [body, message] : messages_) {
    message.invisible_until = Instant{};
    message.saw_crash = true;
  }
}

void QueueLedger::deleted(const std::string& queue) {
  for (auto& [body, message] : messages_) {
    if (message.queue == queue) message.gone = true;
  }
}

std::string QueueLedger::begun(const QueueRun& run, const QueuePromise& promise, Instant now) {
  if (run.items.empty()) return "an invocation has no messages";
  if (run.items.size() > promise.batch_size) return "a batch of " + std::to_string(run.items.size()) + " messages";
  // As JSON: what is around the records, and a comma between each two.
  std::size_t bytes = std::string(R"({"Records":[]})").size() + run.items.size() - 1;
  for (const QueueRun::Item& item : run.items) bytes += item.body.size();
  if (run.items.size() > 1 && bytes > promise.bytes_max) return "an event of " + std::to_string(bytes) + " bytes";
  for (std::size_t i = 0; i < run.items.size(); ++i) {
    if (std::string problem = objection_to(run, i, now); !problem.empty()) return problem;
    if (!promise.prompt) continue;
    if (std::string problem = objection_to_again(run.items[i]); !problem.empty()) return problem;
  }
  running_.emplace(run.id, run);
  const auto of_mapping =
      std::ranges::count_if(running_, [&](const auto& each) { return each.second.mapping == run.mapping; });
  if (static_cast<std::size_t>(of_mapping) > promise.concurrency_max) return "too many batches of a mapping at a time";
  return {};
}

std::string QueueLedger::objection_to(const QueueRun& run, std::size_t index, Instant now) const {
  const QueueRun::Item& item = run.items[index];
  const auto found = messages_.find(item.body);
  if (found == messages_.end()) return "invoked with '" + item.body + "', which nobody sent";
  if (!matches(item.body)) return "invoked with '" + item.body + "', which does not match";
  for (const auto& [id, other] : running_) {
    for (const QueueRun::Item& running : other.items) {
      if (std::string problem = objection_to_beside(item, running, now); !problem.empty()) return problem;
    }
  }
  const Message& message = found->second;
  if (message.group.empty()) return {};
  for (const auto& [body, other] : messages_) {
    if (other.group != message.group || other.order >= message.order) continue;
    if (!other.sent || other.done || other.gone || !matches(body)) continue;
    const auto before = run.items.begin() + static_cast<std::ptrdiff_t>(index);
    if (std::ranges::any_of(run.items.begin(), before, [&](const auto& each) { return each.body == body; })) continue;
    return "invoked with '" + item.body + "' of group " + message.group + " before '" + body + "'";
  }
  return {};
}

std::string QueueLedger::objection_to_again(const QueueRun::Item& item) const {
  const Message& own = messages_.at(item.body);
  if (own.done && !own.saw_crash) return "'" + item.body + "' has succeeded, and is run again";
  for (const auto& [id, other] : running_) {
    for (const QueueRun::Item& running : other.items) {
      if (running.body == item.body) return "'" + item.body + "' of " + own.queue + " is run again while it runs";
      if (!own.group.empty() && messages_.at(running.body).group == own.group) {
        return "'" + item.body + "' runs beside '" + running.body + "' of its group, however long that takes";
      }
    }
  }
  return {};
}

// What was received again since is the business of the queue, and that it runs twice then is what at-least-once allows.
std::string QueueLedger::objection_to_beside(const QueueRun::Item& item, const QueueRun::Item& running,
                                             Instant now) const {
  if (running.handle == item.handle) return "'" + item.body + "' is in two invocations by one receive";
  const Message& other = messages_.at(running.body);
  const Message& own = messages_.at(item.body);
  const std::string& group = own.group;
  // Its own lease may have ended while it was on its way here.
  if (own.handle != item.handle || now >= own.invisible_until) return {};
  if (group.empty() || other.group != group || running.body == item.body) return {};
  if (other.handle != running.handle || now >= other.invisible_until) return {};
  return "'" + item.body + "' runs beside '" + running.body + "' of its group";
}

void QueueLedger::over(const QueueRun& run, const std::set<std::string>& done, bool was_run) {
  running_.erase(run.id);
  for (const std::string& body : done) messages_.at(body).done = true;
  if (!was_run) return;
  for (const QueueRun::Item& item : run.items) {
    if (!done.contains(item.body)) ++messages_.at(item.body).failures;
  }
}

std::string QueueLedger::objection_to_dead(int receives_max, bool prompt) const {
  for (const auto& [body, message] : messages_) {
    if (message.dead > 1) return "'" + body + "' is a dead letter " + std::to_string(message.dead) + " times";
    // A receive that nobody heard of counts, too.
    if (!prompt || message.saw_crash || message.dead == 0) continue;
    if (message.done) return "'" + body + "' has succeeded, and is a dead letter";
    if (message.failures < receives_max) {
      return "'" + body + "' is a dead letter after " + std::to_string(message.failures) + " failures";
    }
  }
  return {};
}

std::string QueueLedger::deleting(const std::string& handle) const {
  const auto body = bodies_.find(handle);
  if (body == bodies_.end()) return "a message is deleted that was never received";
  if (!matches(body->second) || messages_.at(body->second).done) return {};
  return "'" + body->second + "' is deleted, and was never part of a success";
}

std::string QueueLedger::owes() const {
  for (const auto& [body, message] : messages_) {
    if (message.gone || message.dead > 0) continue;
    if (message.sent && matches(body) && !message.done) return "'" + body + "' was lost";
  }
  for (const auto& [payload, event] : events_) {
    if (event.accepted && !event.succeeded && !event.told) return "event '" + payload + "' was lost";
  }
  return {};
}

void QueueLedger::event_over(const std::string& payload, bool success) {
  Event& event = events_[payload];
  if (success) {
    event.succeeded = true;
  } else {
    ++event.failures;
  }
}

std::string QueueLedger::event_reported(const AsyncEnd& end, int retries_max, bool taken, Instant now) {
  Event& event = events_[end.request_payload];
  const bool old = end.invocation.condition == "EventAgeExceeded" && end.at >= event.asked + event_age_max;
  if (event.failures <= retries_max && !old) {
    return "event '" + end.request_payload + "' is given up with retries left: " + end.invocation.condition;
  }
  // What can not be told while the event is young enough is told no more.
  event.told = event.told || taken || now >= event.asked + event_age_max;
  return {};
}

std::size_t QueueLedger::done() const {
  return static_cast<std::size_t>(std::ranges::count_if(messages_, [](const auto& each) { return each.second.done; }));
}

}  // namespace penstock::sim
