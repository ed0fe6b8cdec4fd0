#include "core/triggers/mapping_rules.hpp"

#include <charconv>

#include "core/triggers/destinations.hpp"
#include "core/triggers/trigger_errors.hpp"
#include "penstock/mapping_rules.hpp"

namespace penstock::core {

namespace {

template <class Value>
void take(Value& into, const std::optional<Value>& from) {
  if (from) into = *from;
}

}  // namespace

std::optional<Error> check_mapping(const MappingRecord& mapping) {
  if (auto error = objection_to(mapping.config, mapping.source)) return error;
  const std::string& on_failure = mapping.config.on_failure;
  if (on_failure.empty()) return std::nullopt;
  const auto destination = parse_destination(on_failure);
  if (destination && std::holds_alternative<QueueName>(*destination)) return std::nullopt;
  return invalid_mapping("The on-failure destination " + on_failure + " is not an SQS queue.");
}

bool needs_no_stop(const MappingRecord& before, const MappingRecord& after) {
  if (before.function != after.function || before.function_arn != after.function_arn) return false;
  MappingConfig config = after.config;
  config.bisect = before.config.bisect;
  config.retries_max = before.config.retries_max;
  config.record_age_seconds_max = before.config.record_age_seconds_max;
  config.on_failure = before.config.on_failure;
  config.kms_key_arn = before.config.kms_key_arn;
  config.metrics = before.config.metrics;
  return config == before.config;
}

Command ask_visibility(const QueueName& queue) { return GetQueueAttributes{queue, {"VisibilityTimeout"}}; }

std::optional<int> visibility_in(const std::optional<Result>& result) {
  const auto* attributes = result ? std::get_if<QueueAttributes>(&*result) : nullptr;
  if (attributes == nullptr) return std::nullopt;
  const auto found = attributes->attributes.find("VisibilityTimeout");
  if (found == attributes->attributes.end()) return std::nullopt;
  const std::string& text = found->second;
  int seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return parsed.ec == std::errc{} ? std::optional(seconds) : std::nullopt;
}

std::optional<Error> objection_to_timeout(const std::optional<Result>& attributes, int timeout_seconds) {
  const std::optional<int> visibility = visibility_in(attributes);
  if (!visibility || *visibility >= timeout_seconds) return std::nullopt;
  return visibility_too_short(*visibility, timeout_seconds);
}

void merge(MappingRecord& mapping, const MappingPatch& patch) {
  MappingConfig& config = mapping.config;
  take(mapping.function, patch.function);
  take(mapping.function_arn, patch.function_arn);
  take(config.batch_size, patch.batch_size);
  take(config.window_seconds, patch.window_seconds);
  take(config.filters, patch.filters);
  take(config.report_batch_item_failures, patch.report_batch_item_failures);
  take(config.concurrency_max, patch.concurrency_max);
  take(config.parallelization, patch.parallelization);
  take(config.bisect, patch.bisect);
  take(config.retries_max, patch.retries_max);
  take(config.record_age_seconds_max, patch.record_age_seconds_max);
  take(config.on_failure, patch.on_failure);
  take(config.tumbling_seconds, patch.tumbling_seconds);
  take(config.enabled, patch.enabled);
  take(config.kms_key_arn, patch.kms_key_arn);
  take(config.metrics, patch.metrics);
}

}  // namespace penstock::core
