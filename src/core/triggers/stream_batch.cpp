#include "core/triggers/stream_batch.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "core/triggers/context.hpp"

namespace penstock::core {
namespace {

/// The lowest item that an answer names, the number of items if it names none, and nothing if the answer is no use:
/// then all of the batch has failed.
std::optional<std::size_t> succeeded_of(const MappingConfig& config, const StreamBatch& batch,
                                        const std::optional<BatchAnswer>& answer) {
  const std::size_t all = batch.items.size();
  // The state is not optional where there are windows.
  if (batch.in_window && (!answer || !answer->state)) return std::nullopt;
  if (!config.report_batch_item_failures) return all;
  if (!answer || !answer->well_formed) return std::nullopt;
  if (answer->failed.empty()) return all;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < all; ++i) places.emplace(batch.items[i].id, i);
  std::size_t lowest = all;
  for (const std::string& id : answer->failed) {
    const auto found = places.find(id);
    if (found == places.end()) return std::nullopt;
    lowest = std::min(lowest, found->second);
  }
  return lowest;
}

}  // namespace

Judgement judge(const MappingConfig& config, const StreamBatch& batch, const InvocationOver& over) {
  // MaximumRetryAttempts does not apply where there was no room or nobody. What could not be run is like an error of
  // the function: it may be because of the batch, and would hold up its shard for ever.
  const RunOutcome::Status status = over.outcome.status;
  if (status == RunOutcome::Status::throttled || status == RunOutcome::Status::unreached) return {Verdict::unreached};
  const std::size_t all = batch.items.size();
  std::optional<std::size_t> succeeded;
  const bool answered = over.outcome.succeeded();
  if (answered) succeeded = succeeded_of(config, batch, over.batch);
  const bool malformed = answered && !succeeded;
  // The end of a window without records succeeds like any other, with nothing to count.
  if (succeeded == all) return {Verdict::done, all, 0, false};
  const std::size_t front = succeeded.value_or(0);
  const std::size_t rest = all - front;
  if (config.bisect && front > 0) return {Verdict::split, front, 0, false};
  // A split in front of the first record would leave the batch as it is, so that a failure there halves it, too.
  if (config.bisect && rest > 1) return {Verdict::split, 0, rest / 2, malformed};
  const bool exhausted = config.retries_max >= 0 && batch.failures >= config.retries_max;
  return {exhausted ? Verdict::given_up : Verdict::again, front, 0, malformed};
}

Millis retry_delay(const TriggerLimits& limits, int in_vain) {
  return backed_off(limits.retry_delay_min, in_vain, limits.retry_delay_max);
}

}  // namespace penstock::core
