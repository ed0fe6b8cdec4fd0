#include "core/triggers/timeout_checks.hpp"

#include <utility>

#include "core/triggers/mapping_rules.hpp"
#include "core/triggers/trigger_errors.hpp"

namespace penstock::core {

void TimeoutChecks::check(CallId call, FunctionChange change, int timeout_seconds,
                          const std::vector<QueueName>& queues) {
  if (queues.empty()) return accepted_(call, change);
  const auto check = std::make_shared<Check>(Check{call, std::move(change), timeout_seconds, queues.size()});
  for (const QueueName& queue : queues) asked_.emplace(context_.ask(*this, ask_visibility(queue)), check);
}

void TimeoutChecks::answered(Answered answer) {
  const auto found = asked_.extract(answer.id);
  if (found.empty()) return;
  Check& check = *found.mapped();
  --check.open;
  // It is answered once.
  if (check.refused) return;
  std::optional<Error> error = answer.result ? std::nullopt : std::optional(shutting_down());
  if (!error) error = objection_to_timeout(answer.result, check.timeout_seconds);
  if (error) {
    check.refused = true;
    return context_.reply(check.call, std::move(*error));
  }
  if (check.open == 0) accepted_(check.call, check.change);
}

}  // namespace penstock::core
