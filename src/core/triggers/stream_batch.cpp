#include "core/triggers/stream_batch.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace penstock::core {
namespace {

/// The lowest item that an answer names, the number of items if it names none, and nothing if the answer is no use:
/// then all of the batch has failed.
std::optional<std::size_t> succeeded_of(const MappingConfig& config, const StreamBatch& batch,
                                        const std::optional<BatchAnswer>& answer) {
  const std::size_t all = batch.items.size();
  // The state is not optional where there are windows.
  if (config.tumbling_seconds > 0 && (!answer || !answer->state)) return std::nullopt;
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
  // MaximumRetryAttempts is about errors of the function: it does not apply where the batch did not come to it.
  if (over.outcome.status != RunOutcome::Status::answered) return {Verdict::unreached};
  const std::size_t all = batch.items.size();
  std::optional<std::size_t> succeeded;
  if (over.outcome.succeeded()) succeeded = succeeded_of(config, batch, over.batch);
  // The end of a window without records succeeds like any other, with nothing to count.
  if (succeeded == all) return {Verdict::done, all};
  const std::size_t front = succeeded.value_or(0);
  const std::size_t rest = all - front;
  if (config.bisect && front > 0) return {Verdict::split, front};
  // A split in front of the first record would leave the batch as it is, so that a failure there halves it, too.
  if (config.bisect && rest > 1) return {Verdict::split, 0, rest / 2};
  const bool exhausted = config.retries_max >= 0 && batch.failures >= config.retries_max;
  return {exhausted ? Verdict::given_up : Verdict::again, front};
}

Millis retry_delay(const TriggerLimits& limits, int in_vain) {
  Millis delay = limits.retry_delay_min;
  for (int doubled = 0; doubled < in_vain && delay < limits.retry_delay_max; ++doubled) delay *= 2;
  return std::min(delay, limits.retry_delay_max);
}

}  // namespace penstock::core
