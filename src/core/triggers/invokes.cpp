#include "core/triggers/invokes.hpp"

#include <utility>

#include "core/triggers/trigger_errors.hpp"

namespace penstock::core {

void Invokes::handle(CallId call, InvokeFunction& command) {
  if (context_.find_function(command.function, command.invoked_arn) == nullptr) {
    return context_.reply(call, function_not_found(command.function, command.invoked_arn));
  }
  if (command.type == InvocationType::dry_run) return context_.reply(call, Done{});
  if (context_.draining) return context_.reply(call, shutting_down());
  // A caller is refused at once rather than queued: it is told so, and may try again.
  if (!context_.can_begin(command.function)) {
    context_.effects.refused.push_back(command.function);
    return context_.reply(call, rate_exceeded(context_.is_reservation_used_up(command.function)
                                                  ? ErrorCode::LambdaReservedConcurrencyExceeded
                                                  : ErrorCode::LambdaConcurrencyExceeded));
  }
  InvocationStart start{command.function, std::move(command.invoked_arn), std::move(command.payload)};
  start.client_context = std::move(command.client_context);
  start.trace_id = std::move(command.trace_id);
  start.request_id = std::move(command.request_id);
  const auto begun = context_.begin(*this, std::move(start));
  callers_.emplace(std::get<InvocationId>(begun), call);
}

void Invokes::invocation_over(InvocationOver over) {
  const auto caller = callers_.extract(over.id);
  if (caller.empty()) return;
  switch (over.outcome.status) {
    case RunOutcome::Status::answered:
      return context_.reply(caller.mapped(), Invoked{std::move(over.outcome)});
    case RunOutcome::Status::throttled:
      return context_.reply(caller.mapped(), rate_exceeded(ErrorCode::LambdaConcurrencyExceeded));
    case RunOutcome::Status::failed:
    case RunOutcome::Status::unreached:
      return context_.reply(caller.mapped(), Error{ErrorCode::LambdaServiceException, std::move(over.outcome.message)});
  }
}

}  // namespace penstock::core
