// The operations that make, change, describe, list and delete event source mappings.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/lambda/call.hpp"
#include "protocol/lambda/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

struct Filter {
  std::optional<std::string> pattern;

  static constexpr auto shape() {
    return Shape("Filter", optional("Pattern", &Filter::pattern, rules::filter_pattern));
  }
};
struct FilterCriteria {
  std::optional<std::vector<Filter>> filters;

  static constexpr auto shape() { return Shape("FilterCriteria", optional("Filters", &FilterCriteria::filters)); }
};

struct ScalingConfig {
  std::optional<std::int32_t> maximum_concurrency;

  static constexpr auto shape() {
    return Shape("ScalingConfig",
                 optional("MaximumConcurrency", &ScalingConfig::maximum_concurrency, rules::maximum_concurrency));
  }
};

struct MetricsConfig {
  std::optional<std::vector<std::string>> metrics;

  static constexpr auto shape() {
    return Shape("EventSourceMappingMetricsConfig", optional("Metrics", &MetricsConfig::metrics, rules::metrics));
  }
};

/// What both a creation and a change may say.
struct MappingSettings {
  std::optional<bool> enabled;
  std::optional<std::int32_t> batch_size;
  std::optional<FilterCriteria> filter_criteria;
  std::optional<std::int32_t> maximum_batching_window_in_seconds;
  std::optional<std::int32_t> parallelization_factor;
  std::optional<DestinationConfig> destination_config;
  std::optional<std::int32_t> maximum_record_age_in_seconds;
  std::optional<bool> bisect_batch_on_function_error;
  std::optional<std::int32_t> maximum_retry_attempts;
  std::optional<std::int32_t> tumbling_window_in_seconds;
  std::optional<std::vector<std::string>> function_response_types;
  std::optional<ScalingConfig> scaling_config;
  std::optional<std::string> kms_key_arn;
  std::optional<MetricsConfig> metrics_config;
  // Of sources that there are not here, or without effect, and refused rather than passed over.
  std::optional<Anything> source_access_configurations;
  std::optional<Anything> amazon_managed_kafka_config;
  std::optional<Anything> self_managed_kafka_config;
  std::optional<Anything> document_db_config;
  std::optional<Anything> logging_config;
  std::optional<Anything> provisioned_poller_config;

 protected:
  /// After the members that stand before them.
  template <class... Before>
  static constexpr auto shape_after(std::string_view name, Before... before) {
    using Self = MappingSettings;
    return Shape(
        name, before..., optional("Enabled", &Self::enabled),
        optional("BatchSize", &Self::batch_size, rules::batch_size), optional("FilterCriteria", &Self::filter_criteria),
        optional("MaximumBatchingWindowInSeconds", &Self::maximum_batching_window_in_seconds, rules::batching_window),
        optional("ParallelizationFactor", &Self::parallelization_factor, rules::parallelization),
        optional("DestinationConfig", &Self::destination_config),
        optional("MaximumRecordAgeInSeconds", &Self::maximum_record_age_in_seconds, rules::record_age),
        optional("BisectBatchOnFunctionError", &Self::bisect_batch_on_function_error),
        optional("MaximumRetryAttempts", &Self::maximum_retry_attempts, rules::mapping_retries),
        optional("TumblingWindowInSeconds", &Self::tumbling_window_in_seconds, rules::tumbling_window),
        optional("FunctionResponseTypes", &Self::function_response_types, rules::response_types),
        optional("ScalingConfig", &Self::scaling_config), optional("KMSKeyArn", &Self::kms_key_arn, rules::key_arn),
        optional("MetricsConfig", &Self::metrics_config),
        optional("SourceAccessConfigurations", &Self::source_access_configurations),
        optional("AmazonManagedKafkaEventSourceConfig", &Self::amazon_managed_kafka_config),
        optional("SelfManagedKafkaEventSourceConfig", &Self::self_managed_kafka_config),
        optional("DocumentDBEventSourceConfig", &Self::document_db_config),
        optional("LoggingConfig", &Self::logging_config),
        optional("ProvisionedPollerConfig", &Self::provisioned_poller_config));
  }
};

struct EventSourceMappingConfiguration {
  std::optional<std::string> uuid;
  std::optional<std::string> starting_position;
  std::optional<Timestamp> starting_position_timestamp;
  std::optional<std::int32_t> batch_size;
  std::optional<std::int32_t> maximum_batching_window_in_seconds;
  std::optional<std::int32_t> parallelization_factor;
  std::optional<std::string> event_source_arn;
  std::optional<FilterCriteria> filter_criteria;
  std::optional<std::string> function_arn;
  std::optional<Timestamp> last_modified;
  std::optional<std::string> last_processing_result;
  std::optional<std::string> state;
  std::optional<std::string> state_transition_reason;
  std::optional<DestinationConfig> destination_config;
  std::optional<std::int32_t> maximum_record_age_in_seconds;
  std::optional<bool> bisect_batch_on_function_error;
  std::optional<std::int32_t> maximum_retry_attempts;
  std::optional<std::int32_t> tumbling_window_in_seconds;
  std::optional<std::vector<std::string>> function_response_types;
  std::optional<ScalingConfig> scaling_config;
  std::optional<std::string> kms_key_arn;
  std::optional<std::string> event_source_mapping_arn;
  std::optional<MetricsConfig> metrics_config;

  static constexpr auto shape() {
    using Self = EventSourceMappingConfiguration;
    return Shape("EventSourceMappingConfiguration", optional("UUID", &Self::uuid),
                 optional("StartingPosition", &Self::starting_position),
                 optional("StartingPositionTimestamp", &Self::starting_position_timestamp),
                 optional("BatchSize", &Self::batch_size),
                 optional("MaximumBatchingWindowInSeconds", &Self::maximum_batching_window_in_seconds),
                 optional("ParallelizationFactor", &Self::parallelization_factor),
                 optional("EventSourceArn", &Self::event_source_arn),
                 optional("FilterCriteria", &Self::filter_criteria), optional("FunctionArn", &Self::function_arn),
                 optional("LastModified", &Self::last_modified),
                 optional("LastProcessingResult", &Self::last_processing_result), optional("State", &Self::state),
                 optional("StateTransitionReason", &Self::state_transition_reason),
                 optional("DestinationConfig", &Self::destination_config),
                 optional("MaximumRecordAgeInSeconds", &Self::maximum_record_age_in_seconds),
                 optional("BisectBatchOnFunctionError", &Self::bisect_batch_on_function_error),
                 optional("MaximumRetryAttempts", &Self::maximum_retry_attempts),
                 optional("TumblingWindowInSeconds", &Self::tumbling_window_in_seconds),
                 optional("FunctionResponseTypes", &Self::function_response_types),
                 optional("ScalingConfig", &Self::scaling_config), optional("KMSKeyArn", &Self::kms_key_arn),
                 optional("EventSourceMappingArn", &Self::event_source_mapping_arn),
                 optional("MetricsConfig", &Self::metrics_config));
  }
};

// ---- CreateEventSourceMapping

struct CreateEventSourceMappingRequest : MappingSettings {
  std::optional<std::string> event_source_arn;
  std::optional<std::string> function_name;
  std::optional<std::string> starting_position;
  std::optional<Timestamp> starting_position_timestamp;
  std::optional<Map<std::string>> tags;
  std::optional<Anything> topics;
  std::optional<Anything> queues;
  std::optional<Anything> self_managed_event_source;

  static constexpr auto shape() {
    using Self = CreateEventSourceMappingRequest;
    return shape_after(
        "CreateEventSourceMappingRequest", optional("EventSourceArn", &Self::event_source_arn, rules::arn),
        required("FunctionName", &Self::function_name, rules::any_function_name),
        optional("StartingPosition", &Self::starting_position, rules::starting_position),
        optional("StartingPositionTimestamp", &Self::starting_position_timestamp), optional("Tags", &Self::tags),
        optional("Topics", &Self::topics), optional("Queues", &Self::queues),
        optional("SelfManagedEventSource", &Self::self_managed_event_source));
  }
};

struct CreateEventSourceMappingOperation {
  static constexpr std::string_view name = "CreateEventSourceMapping";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/2015-03-31/event-source-mappings";
  static constexpr int status = status_accepted;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = CreateEventSourceMappingRequest;
  using Output = EventSourceMappingConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- GetEventSourceMapping

/// About a mapping.
struct OfMapping {
  std::optional<std::string> uuid;

  static constexpr auto shape_called(std::string_view name) {
    return Shape(name, required("UUID", &OfMapping::uuid, in_path()));
  }
};
struct GetEventSourceMappingRequest : OfMapping {
  static constexpr auto shape() { return shape_called("GetEventSourceMappingRequest"); }
};

struct GetEventSourceMappingOperation {
  static constexpr std::string_view name = "GetEventSourceMapping";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2015-03-31/event-source-mappings/{UUID}";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = GetEventSourceMappingRequest;
  using Output = EventSourceMappingConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- ListEventSourceMappings

struct ListEventSourceMappingsRequest {
  std::optional<std::string> event_source_arn;
  std::optional<std::string> function_name;
  std::optional<std::string> marker;
  std::optional<std::int32_t> max_items;

  static constexpr auto shape() {
    using Self = ListEventSourceMappingsRequest;
    return Shape("ListEventSourceMappingsRequest",
                 optional("EventSourceArn", &Self::event_source_arn, in_query(rules::arn)),
                 optional("FunctionName", &Self::function_name, in_query(rules::any_function_name)),
                 optional("Marker", &Self::marker, in_query()),
                 optional("MaxItems", &Self::max_items, in_query(rules::max_list_items)));
  }
};
struct ListEventSourceMappingsResponse {
  std::optional<std::string> next_marker;
  std::optional<std::vector<EventSourceMappingConfiguration>> event_source_mappings;

  static constexpr auto shape() {
    using Self = ListEventSourceMappingsResponse;
    return Shape("ListEventSourceMappingsResponse", optional("NextMarker", &Self::next_marker),
                 optional("EventSourceMappings", &Self::event_source_mappings));
  }
};

struct ListEventSourceMappingsOperation {
  static constexpr std::string_view name = "ListEventSourceMappings";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2015-03-31/event-source-mappings";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = ListEventSourceMappingsRequest;
  using Output = ListEventSourceMappingsResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- UpdateEventSourceMapping

struct UpdateEventSourceMappingRequest : MappingSettings {
  std::optional<std::string> uuid;
  std::optional<std::string> function_name;

  static constexpr auto shape() {
    using Self = UpdateEventSourceMappingRequest;
    return shape_after("UpdateEventSourceMappingRequest", required("UUID", &Self::uuid, in_path()),
                       optional("FunctionName", &Self::function_name, rules::any_function_name));
  }
};

struct UpdateEventSourceMappingOperation {
  static constexpr std::string_view name = "UpdateEventSourceMapping";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = "/2015-03-31/event-source-mappings/{UUID}";
  static constexpr int status = status_accepted;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceInUse, ErrorCode::LambdaResourceNotFound);
  using Input = UpdateEventSourceMappingRequest;
  using Output = EventSourceMappingConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- DeleteEventSourceMapping

struct DeleteEventSourceMappingRequest : OfMapping {
  static constexpr auto shape() { return shape_called("DeleteEventSourceMappingRequest"); }
};

struct DeleteEventSourceMappingOperation {
  static constexpr std::string_view name = "DeleteEventSourceMapping";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/2015-03-31/event-source-mappings/{UUID}";
  static constexpr int status = status_accepted;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceInUse, ErrorCode::LambdaResourceNotFound);
  using Input = DeleteEventSourceMappingRequest;
  using Output = EventSourceMappingConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::lambda
