#include "core/triggers/context.hpp"

#include <algorithm>
#include <vector>

#include "core/uuid.hpp"

namespace penstock::core {

std::string_view qualifier_of(const FunctionName& function, std::string_view arn) {
  const std::string plain = arn_of(function) + ":";
  if (!arn.starts_with(plain)) return {};
  const std::string_view qualifier = arn.substr(plain.size());
  return qualifier == "$LATEST" ? std::string_view() : qualifier;
}

AskId TriggerContext::ask(Participant& asker, Command command, std::shared_ptr<const MappingRecord> mapping) {
  const AskId id{++asks_};
  askers_.emplace(id.value, &asker);
  if (const auto* receive = std::get_if<ReceiveMessages>(&command)) receives_.emplace(id.value, receive->queue);
  effects.asks.push_back(Ask{id, std::move(command), std::move(mapping)});
  return id;
}

AskId TriggerContext::report(Participant& asker, QueueName queue, std::variant<BatchFailure, AsyncEnd> content) {
  const AskId id{++asks_};
  askers_.emplace(id.value, &asker);
  effects.reports.push_back(Report{id, std::move(queue), std::move(content)});
  return id;
}

void TriggerContext::cancel(AskId ask) {
  askers_.erase(ask.value);
  effects.cancels.push_back(ask);
}

TimerId TriggerContext::set_timer(Participant& owner, Instant at, std::uint64_t tag, Sight sight) {
  const TimerId id{at, ++timers_set_};
  timers_.emplace(id, Ring{&owner, tag, sight});
  return id;
}

std::shared_ptr<const FunctionRecord> TriggerContext::find_function(const FunctionName& name,
                                                                    std::string_view arn) const {
  const std::string_view qualifier = qualifier_of(name, arn);
  if (const auto found = functions_.find(name); found != functions_.end()) {
    return qualifier.empty() ? found->second : nullptr;
  }
  if (limits.lambda_endpoint.empty()) return nullptr;
  FunctionRecord elsewhere;
  elsewhere.name = name;
  elsewhere.kind = FunctionKind::url;
  elsewhere.url = limits.lambda_endpoint;
  if (elsewhere.url.ends_with('/')) elsewhere.url.pop_back();
  elsewhere.url.append("/2015-03-31/functions/").append(name.name).append("/invocations");
  if (!qualifier.empty()) elsewhere.url.append("?Qualifier=").append(qualifier);
  // The emulator has a limit of its own, and only the connection is guarded by this one.
  elsewhere.timeout_seconds = 900;
  return std::make_shared<const FunctionRecord>(std::move(elsewhere));
}

void TriggerContext::put_function(FunctionRecord function) {
  if (const auto before = reservation_of(function.name)) reserved_ -= *before;
  if (function.reserved_concurrency) reserved_ += *function.reserved_concurrency;
  FunctionName name = function.name;
  functions_.insert_or_assign(std::move(name), std::make_shared<const FunctionRecord>(std::move(function)));
}

void TriggerContext::drop_function(const FunctionName& name) {
  if (const auto before = reservation_of(name)) reserved_ -= *before;
  functions_.erase(name);
}

std::optional<int> TriggerContext::reservation_of(const FunctionName& function) const {
  const auto found = functions_.find(function);
  return found == functions_.end() ? std::nullopt : found->second->reserved_concurrency;
}

int TriggerContext::running_of(const FunctionName& function) const {
  const auto found = rooms_.find(function);
  return found == rooms_.end() ? 0 : found->second.running;
}

bool TriggerContext::is_reservation_used_up(const FunctionName& function) const {
  const auto reservation = reservation_of(function);
  return reservation && running_of(function) >= *reservation;
}

int TriggerContext::free_slots(const FunctionName& function) const {
  if (draining) return 0;
  const int of_all = limits.concurrency_max - running_;
  if (const auto reservation = reservation_of(function)) return std::min(of_all, *reservation - running_of(function));
  return std::min(of_all, unreserved() - running_unreserved_);
}

bool TriggerContext::is_awaited(const FunctionName& function) const {
  if (reservation_of(function)) {
    const auto room = rooms_.find(function);
    return room != rooms_.end() && !room->second.waiting.empty();
  }
  return std::ranges::any_of(
      rooms_, [this](const auto& entry) { return !entry.second.waiting.empty() && !reservation_of(entry.first); });
}

void TriggerContext::await_slot(Participant& participant, const FunctionName& function) {
  Room& room = rooms_[function];
  if (std::ranges::find(room.waiting, &participant) == room.waiting.end()) room.waiting.push_back(&participant);
}

std::variant<InvocationId, NoInvocation> TriggerContext::begin(Participant& participant, InvocationStart start) {
  auto function = find_function(start.function, start.invoked_arn);
  if (function == nullptr) return NoInvocation::no_function;
  if (!can_begin(start.function)) {
    await_slot(participant, start.function);
    return NoInvocation::no_slot;
  }
  const InvocationId id{++invocations_};
  const bool reserved = function->reserved_concurrency.has_value();
  ++rooms_[start.function].running;
  ++running_;
  if (!reserved) ++running_unreserved_;
  open_.emplace(id.value, Running{&participant, start.function, reserved});
  if (start.request_id.empty()) start.request_id = make_uuid(entropy);
  effects.invocations.push_back(Invocation{id, std::move(start.request_id), std::move(function),
                                           std::move(start.invoked_arn), std::move(start.event),
                                           std::move(start.client_context), std::move(start.trace_id)});
  return id;
}

void TriggerContext::forget(Participant& participant) {
  std::vector<std::uint64_t> asked;
  for (const auto& [id, asker] : askers_) {
    if (asker == &participant) asked.push_back(id);
  }
  // In the order in which they were asked, so that a replay gives the same.
  std::ranges::sort(asked);
  for (const std::uint64_t id : asked) cancel(AskId{id});
  for (auto& [id, running] : open_) {
    if (running.participant == &participant) running.participant = nullptr;
  }
  std::erase_if(timers_, [&participant](const auto& timer) { return timer.second.owner == &participant; });
  for (auto& [name, room] : rooms_) std::erase(room.waiting, &participant);
}

bool TriggerContext::tell(Answered& answer) {
  const auto found = askers_.find(answer.id.value);
  if (found == askers_.end()) return false;
  Participant* asker = found->second;
  askers_.erase(found);
  receives_.erase(answer.id.value);
  asker->answered(std::move(answer));
  return true;
}

std::optional<QueueName> TriggerContext::queue_of_orphan(AskId ask) {
  const auto found = receives_.find(ask.value);
  if (found == receives_.end()) return std::nullopt;
  std::optional<QueueName> queue = std::move(found->second);
  receives_.erase(found);
  return queue;
}

void TriggerContext::tell(InvocationOver over) {
  const auto found = open_.find(over.id.value);
  if (found == open_.end()) return;
  const Running running = std::move(found->second);
  open_.erase(found);
  --running_;
  if (!running.reserved) --running_unreserved_;
  Room& room = rooms_.at(running.function);
  if (--room.running == 0 && room.waiting.empty()) rooms_.erase(running.function);
  if (running.participant != nullptr) running.participant->invocation_over(std::move(over));
}

void TriggerContext::ring(std::size_t count_max) {
  for (std::size_t rung = 0; rung < count_max && !timers_.empty() && timers_.begin()->first.first <= now; ++rung) {
    const Ring ring = timers_.begin()->second;
    timers_.erase(timers_.begin());
    ring.owner->due(ring.tag);
  }
}

// Round the functions from the one behind that which was offered a slot last, so that one with much to do does not keep
// the others from theirs.
void TriggerContext::offer_slots() {
  offering_ = true;
  std::vector<FunctionName> waiting;
  for (const auto& [name, room] : rooms_) {
    if (!room.waiting.empty()) waiting.push_back(name);
  }
  const auto behind = std::ranges::upper_bound(waiting, offered_last_);
  std::rotate(waiting.begin(), behind, waiting.end());
  for (const FunctionName& name : waiting) {
    // Each of those who wait now is offered once: whoever is refused again stands at the end.
    for (std::size_t left = rooms_.at(name).waiting.size(); left > 0 && has_slot(name); --left) {
      Room& room = rooms_.at(name);
      if (room.waiting.empty()) break;
      Participant* participant = room.waiting.front();
      room.waiting.pop_front();
      // A reservation's slots are nobody else's, and move nobody's turn.
      if (!reservation_of(name)) offered_last_ = name;
      participant->slot_freed();
    }
    const auto room = rooms_.find(name);
    if (room != rooms_.end() && room->second.running == 0 && room->second.waiting.empty()) rooms_.erase(room);
  }
  offering_ = false;
}

}  // namespace penstock::core
