#include "protocol/lambda/mapping_settings.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "penstock/stream_names.hpp"
#include "protocol/lambda/filters.hpp"
#include "protocol/lambda/function_settings.hpp"
#include "protocol/sqs/arn.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::lambda {
namespace {

constexpr int record_age_seconds_min = 60;
constexpr int unbounded = -1;
/// What a mapping's last result is while there is none.
constexpr std::string_view nothing_processed = "No records processed";

std::string_view name_of_start(IteratorType start) {
  switch (start) {
    case IteratorType::trim_horizon:
      return "TRIM_HORIZON";
    case IteratorType::at_timestamp:
      return "AT_TIMESTAMP";
    default:
      return "LATEST";
  }
}

std::string_view name_of(MappingState state) {
  switch (state) {
    case MappingState::creating:
      return "Creating";
    case MappingState::enabling:
      return "Enabling";
    case MappingState::enabled:
      return "Enabled";
    case MappingState::disabling:
      return "Disabling";
    case MappingState::disabled:
      return "Disabled";
    case MappingState::updating:
      return "Updating";
    case MappingState::deleting:
      break;
  }
  return "Deleting";
}

Refusal refuse_what_has_no_effect(const MappingSettings& settings) {
  constexpr std::string_view no_source = "there are only SQS and Kinesis event sources.";
  for (Refusal refusal :
       {refuse(settings.source_access_configurations, "SourceAccessConfigurations", no_source),
        refuse(settings.amazon_managed_kafka_config, "AmazonManagedKafkaEventSourceConfig", no_source),
        refuse(settings.self_managed_kafka_config, "SelfManagedKafkaEventSourceConfig", no_source),
        refuse(settings.document_db_config, "DocumentDBEventSourceConfig", no_source),
        refuse(settings.logging_config, "LoggingConfig", "a mapping writes no log of its own."),
        refuse(settings.provisioned_poller_config, "ProvisionedPollerConfig", "nothing polls.")}) {
    if (refusal) return refusal;
  }
  return std::nullopt;
}

/// Of the metrics that the API model knows, the others are of Kafka.
Refusal take_metrics(std::vector<std::string>&& metrics, MappingPatch& patch) {
  for (const std::string& metric : metrics) {
    if (metric == "EventCount") continue;
    return invalid_parameter("The metric " + metric + " is not supported for SQS and Kinesis event sources.");
  }
  patch.metrics = std::move(metrics);
  return std::nullopt;
}

Refusal take_filters(FilterCriteria& criteria, MappingPatch& patch) {
  auto& patterns = patch.filters.emplace();
  if (!criteria.filters) return std::nullopt;
  if (criteria.filters->size() > filters_max) {
    return invalid_parameter("FilterCriteria can have at most " + std::to_string(filters_max) + " Filters.");
  }
  // One without a pattern is no JSON, and thereby refused.
  for (Filter& filter : *criteria.filters) patterns.push_back(std::move(filter.pattern).value_or(std::string()));
  const auto compiled = Filters::compile(patterns);
  if (const Error* error = std::get_if<Error>(&compiled)) return *error;
  return std::nullopt;
}

Refusal take_destinations(DestinationConfig& given, MappingPatch& patch) {
  if (given.on_success && given.on_success->destination && !given.on_success->destination->empty()) {
    return invalid_parameter("OnSuccess is not supported for event source mappings.");
  }
  if (!given.on_failure) return std::nullopt;
  patch.on_failure = std::move(given.on_failure->destination).value_or(std::string());
  return check_queue_arn(*patch.on_failure, "The OnFailure destination");
}

Error unrecognized_source(const std::string& arn) {
  return invalid_parameter("Unrecognized event source, must be an SQS queue, a Kinesis stream or a consumer of one: " +
                           arn);
}

/// What only streams have.
void describe_stream(const MappingRecord& mapping, EventSourceMappingConfiguration& out) {
  const MappingConfig& config = mapping.config;
  out.starting_position = name_of_start(config.start);
  if (config.start_timestamp) out.starting_position_timestamp = to_timestamp(*config.start_timestamp);
  out.parallelization_factor = config.parallelization;
  out.bisect_batch_on_function_error = config.bisect;
  out.maximum_retry_attempts = config.retries_max;
  out.maximum_record_age_in_seconds = config.record_age_seconds_max;
  out.tumbling_window_in_seconds = config.tumbling_seconds;
  OnFailure& on_failure = out.destination_config.emplace().on_failure.emplace();
  if (!config.on_failure.empty()) on_failure.destination = config.on_failure;
  out.last_processing_result = mapping.last_result.empty() ? std::string(nothing_processed) : mapping.last_result;
}

}  // namespace

std::variant<MappingPatch, Error> take_settings(MappingSettings& settings) {
  if (auto refusal = refuse_what_has_no_effect(settings)) return std::move(*refusal);
  MappingPatch patch;
  patch.enabled = settings.enabled;
  patch.batch_size = settings.batch_size;
  patch.window_seconds = settings.maximum_batching_window_in_seconds;
  patch.parallelization = settings.parallelization_factor;
  patch.bisect = settings.bisect_batch_on_function_error;
  patch.retries_max = settings.maximum_retry_attempts;
  patch.record_age_seconds_max = settings.maximum_record_age_in_seconds;
  patch.tumbling_seconds = settings.tumbling_window_in_seconds;
  patch.kms_key_arn = std::move(settings.kms_key_arn);
  const int age = patch.record_age_seconds_max.value_or(unbounded);
  if (age != unbounded && age < record_age_seconds_min) {
    return invalid_parameter("MaximumRecordAgeInSeconds must be -1 or at least " +
                             std::to_string(record_age_seconds_min) + ", and is " + std::to_string(age) + ".");
  }
  if (settings.function_response_types) patch.report_batch_item_failures = !settings.function_response_types->empty();
  if (settings.scaling_config) patch.concurrency_max.emplace(settings.scaling_config->maximum_concurrency);
  if (settings.metrics_config) {
    auto metrics = std::move(settings.metrics_config->metrics).value_or(std::vector<std::string>());
    if (auto refusal = take_metrics(std::move(metrics), patch)) return std::move(*refusal);
  }
  if (settings.filter_criteria) {
    if (auto refusal = take_filters(*settings.filter_criteria, patch)) return std::move(*refusal);
  }
  if (settings.destination_config) {
    if (auto refusal = take_destinations(*settings.destination_config, patch)) return std::move(*refusal);
  }
  return patch;
}

void apply_patch(MappingPatch&& patch, MappingConfig& config) {
  const auto put = [](auto& field, auto& given) {
    if (given) field = std::move(*given);
  };
  put(config.enabled, patch.enabled);
  put(config.batch_size, patch.batch_size);
  put(config.window_seconds, patch.window_seconds);
  put(config.filters, patch.filters);
  put(config.report_batch_item_failures, patch.report_batch_item_failures);
  put(config.concurrency_max, patch.concurrency_max);
  put(config.parallelization, patch.parallelization);
  put(config.bisect, patch.bisect);
  put(config.retries_max, patch.retries_max);
  put(config.record_age_seconds_max, patch.record_age_seconds_max);
  put(config.on_failure, patch.on_failure);
  put(config.tumbling_seconds, patch.tumbling_seconds);
  put(config.kms_key_arn, patch.kms_key_arn);
  put(config.metrics, patch.metrics);
}

std::optional<Error> set_source(const std::string& arn, MappingRecord& mapping) {
  mapping.source_arn = arn;
  if (auto queue = sqs::queue_of_arn(arn)) {
    mapping.source = std::move(*queue);
    return std::nullopt;
  }
  auto named = split_stream_arn(arn);
  if (!named || !is_account(named->stream.account)) return unrecognized_source(arn);
  mapping.source = std::move(named->stream);
  mapping.consumer = std::move(named->consumer);
  return std::nullopt;
}

EventSourceMappingConfiguration description_of(const MappingRecord& mapping) {
  const MappingConfig& config = mapping.config;
  EventSourceMappingConfiguration out;
  out.uuid = mapping.uuid;
  out.batch_size = config.batch_size;
  out.maximum_batching_window_in_seconds = config.window_seconds;
  out.event_source_arn = mapping.source_arn;
  out.function_arn = mapping.function_arn;
  out.last_modified = to_timestamp(mapping.modified);
  out.state = name_of(mapping.state);
  out.state_transition_reason = mapping.state_reason;
  auto& response_types = out.function_response_types.emplace();
  if (config.report_batch_item_failures) response_types.emplace_back(values::response_type.front());
  if (!config.filters.empty()) {
    auto& filters = out.filter_criteria.emplace().filters.emplace();
    for (const std::string& pattern : config.filters) filters.push_back(Filter{pattern});
  }
  if (config.concurrency_max) out.scaling_config = ScalingConfig{config.concurrency_max};
  if (!config.kms_key_arn.empty()) out.kms_key_arn = config.kms_key_arn;
  if (!config.metrics.empty()) out.metrics_config = MetricsConfig{config.metrics};
  out.event_source_mapping_arn = mapping_arn_of(mapping);
  if (mapping.of_stream()) {
    describe_stream(mapping, out);
  } else if (!mapping.last_result.empty() && mapping.last_result != nothing_processed) {
    out.last_processing_result = mapping.last_result;
  }
  return out;
}

}  // namespace penstock::protocol::lambda
