#include "core/triggers/async_invokes.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/triggers/async_line.hpp"
#include "core/triggers/trigger_errors.hpp"
#include "core/uuid.hpp"

namespace penstock::core {

AsyncInvokes::AsyncInvokes(TriggerContext& context, RenderAsyncEnd render)
    : context_(context), render_(std::move(render)) {}

AsyncInvokes::~AsyncInvokes() = default;

void AsyncInvokes::recover(std::vector<AsyncEvent> found) {
  // In the order in which they were accepted, whatever their ids are.
  std::ranges::sort(found, [](const AsyncEvent& a, const AsyncEvent& b) {
    return std::tie(a.accepted, a.id) < std::tie(b.accepted, b.id);
  });
  for (AsyncEvent& event : found) take_in(std::move(event));
}

void AsyncInvokes::handle(CallId call, InvokeFunction& command) {
  // What is kept of an event has no place for a version or an alias.
  const bool qualified = !qualifier_of(command.function, command.invoked_arn).empty();
  if (qualified || context_.find_function(command.function) == nullptr) {
    return context_.reply(call, function_not_found(command.function, command.invoked_arn));
  }
  const std::size_t bytes = command.payload == nullptr ? 0 : command.payload->size();
  if (events_ >= context_.limits.async_events_max || bytes_ + bytes > context_.limits.async_bytes_max) {
    return context_.reply(call, rate_exceeded(ErrorCode::LambdaTooManyRequests));
  }
  AsyncEvent event;
  event.id = command.request_id.empty() ? make_uuid(context_.entropy) : std::move(command.request_id);
  event.function = std::move(command.function);
  if (command.payload != nullptr) event.payload = *command.payload;
  event.client_context = std::move(command.client_context);
  event.accepted = event.due = context_.now;
  // It runs when the acceptance is durable, as all that comes of one step.
  context_.reply(call, EventAccepted{});
  add(std::move(event));
}

void AsyncInvokes::add(AsyncEvent event) {
  context_.promise(PutAsyncEvent{event});
  take_in(std::move(event));
}

void AsyncInvokes::take_in(AsyncEvent event) {
  ++events_;
  bytes_ += event.payload.size();
  std::unique_ptr<AsyncLine>& line = lines_[event.function];
  if (line == nullptr) line = std::make_unique<AsyncLine>(context_, *this, event.function);
  line->add(std::move(event));
}

void AsyncInvokes::give_up(const FunctionName& function) {
  if (const auto line = lines_.find(function); line != lines_.end()) line->second->give_up();
}

void AsyncInvokes::dropped(const AsyncEvent& event) {
  --events_;
  bytes_ -= event.payload.size();
}

void AsyncInvokes::name_busy(BusyList& busy) const {
  for (const auto& [function, line] : lines_) {
    if (busy.size() >= busy_named_max) return;
    if (!line->is_empty()) busy.push_back({"function", function.name, "asynchronous invokes are not over"});
  }
}

void AsyncInvokes::sweep() {
  for (const FunctionName& function : std::exchange(emptied_, {})) {
    const auto line = lines_.find(function);
    if (line == lines_.end() || !line->second->is_empty()) continue;
    context_.forget(*line->second);
    lines_.erase(line);
  }
}

}  // namespace penstock::core
