#include "core/triggers/mapping_rules.hpp"

#include "core/triggers/destinations.hpp"
#include "core/triggers/stream_batch.hpp"
#include "core/triggers/trigger_errors.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

namespace {

constexpr int fifo_batch_max = 10;
constexpr int batch_without_window_max = 10;

template <class Value>
void take(Value& into, const std::optional<Value>& from) {
  if (from) into = *from;
}

std::optional<Error> check_of_queue(const QueueName& queue, const MappingConfig& config) {
  if (is_fifo(queue.name)) {
    if (config.window_seconds > 0) return invalid_mapping("Batching window is not supported for FIFO queues.");
    if (config.batch_size > fifo_batch_max) return invalid_mapping("Maximum batch size for FIFO queues is 10.");
  }
  if (config.batch_size > batch_without_window_max && config.window_seconds == 0) {
    return invalid_mapping(
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10");
  }
  const bool has_stream_member = config.parallelization != 1 || config.bisect || config.retries_max != -1 ||
                                 config.record_age_seconds_max != -1 || !config.on_failure.empty() ||
                                 config.tumbling_seconds != 0;
  if (has_stream_member) {
    return invalid_mapping(
        "ParallelizationFactor, BisectBatchOnFunctionError, MaximumRetryAttempts, MaximumRecordAgeInSeconds, "
        "DestinationConfig and TumblingWindowInSeconds are not supported for SQS event sources.");
  }
  return std::nullopt;
}

std::optional<Error> check_of_stream(const MappingConfig& config) {
  if (config.concurrency_max) return invalid_mapping("ScalingConfig is not supported for Kinesis event sources.");
  if (auto error = objection_to_stream_config(config)) return error;
  if (config.on_failure.empty()) return std::nullopt;
  const auto destination = parse_destination(config.on_failure);
  if (destination && std::holds_alternative<QueueName>(*destination)) return std::nullopt;
  return invalid_mapping("The on-failure destination " + config.on_failure + " is not an SQS queue.");
}

}  // namespace

std::optional<Error> check_mapping(const MappingRecord& mapping) {
  if (const auto* queue = std::get_if<QueueName>(&mapping.source)) return check_of_queue(*queue, mapping.config);
  return check_of_stream(mapping.config);
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
