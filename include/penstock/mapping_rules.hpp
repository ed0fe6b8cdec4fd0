// What the members of a mapping's configuration have to do with each other and with its source: looked at when a
// mapping is asked for, and again when a change was merged into one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/mappings.hpp"
#include "penstock/queue_names.hpp"

namespace penstock {

/// More than this and a batch needs a window to be gathered in; and the most that a batch of a FIFO queue has.
inline constexpr int batch_size_without_window_max = 10;

namespace detail {

inline Error invalid_mapping(std::string message) {
  return {ErrorCode::LambdaInvalidParameterValue, std::move(message)};
}

inline Error not_of_source(std::string_view member, std::string_view sources) {
  return invalid_mapping(
      std::string(member).append(" is not supported for ").append(sources).append(" event sources."));
}

/// The first member that only streams have, unless it says no more than that there is nothing of it.
inline std::optional<std::string_view> stream_member_in(const MappingConfig& config) {
  const MappingConfig none;
  if (config.parallelization != none.parallelization) return "ParallelizationFactor";
  if (config.bisect) return "BisectBatchOnFunctionError";
  if (config.retries_max != none.retries_max) return "MaximumRetryAttempts";
  if (config.record_age_seconds_max != none.record_age_seconds_max) return "MaximumRecordAgeInSeconds";
  if (!config.on_failure.empty()) return "DestinationConfig";
  if (config.tumbling_seconds != 0) return "TumblingWindowInSeconds";
  return std::nullopt;
}

inline std::optional<Error> objection_to(const MappingConfig& config, const QueueName& queue) {
  const std::string most = std::to_string(batch_size_without_window_max);
  if (const auto member = stream_member_in(config)) return not_of_source(*member, "SQS");
  if (is_fifo(queue.name) && config.window_seconds > 0) {
    return invalid_mapping("MaximumBatchingWindowInSeconds is not supported for FIFO queues.");
  }
  if (config.batch_size <= batch_size_without_window_max) return std::nullopt;
  if (is_fifo(queue.name)) return invalid_mapping("BatchSize must be at most " + most + " for FIFO queues.");
  if (config.window_seconds > 0) return std::nullopt;
  return invalid_mapping(
      "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than " + most);
}

}  // namespace detail

/// Why a configuration cannot be, if each of its members alone can.
inline std::optional<Error> objection_to(const MappingConfig& config,
                                         const std::variant<QueueName, StreamName>& source) {
  if (const auto* queue = std::get_if<QueueName>(&source)) return detail::objection_to(config, *queue);
  if (config.concurrency_max) return detail::not_of_source("ScalingConfig", "Kinesis");
  // A window's state is one value that goes from each invocation to the next, in the order of the shard's records: with
  // several batches at a time there would be several of it, and no final invocation that has it all.
  if (config.tumbling_seconds > 0 && config.parallelization > 1) {
    return detail::invalid_mapping(
        "TumblingWindowInSeconds is not supported with a ParallelizationFactor greater than 1.");
  }
  return std::nullopt;
}

}  // namespace penstock
