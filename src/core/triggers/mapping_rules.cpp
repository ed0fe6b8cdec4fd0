#include "core/triggers/mapping_rules.hpp"

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
