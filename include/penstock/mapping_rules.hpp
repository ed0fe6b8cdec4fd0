// What the members of a mapping's configuration have to do with each other and with its source. A change is held
// against these with all that it leaves as it is, which only the engine knows.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/mappings.hpp"
#include "penstock/queue_names.hpp"

namespace penstock {

/// More than this and a batch needs a window to be gathered in; and the most that FIFO queues give.
inline constexpr int batch_size_without_window_max = 10;

/// Why a configuration cannot be, if each of its members alone can.
inline std::optional<Error> objection_to(const MappingConfig& config,
                                         const std::variant<QueueName, StreamName>& source) {
  const auto invalid = [](std::string message) {
    return Error{ErrorCode::LambdaInvalidParameterValue, std::move(message)};
  };
  if (const auto* queue = std::get_if<QueueName>(&source)) {
    if (is_fifo(queue->name) && config.window_seconds > 0) {
      return invalid("MaximumBatchingWindowInSeconds is not supported for FIFO queues.");
    }
    if (is_fifo(queue->name) && config.batch_size > batch_size_without_window_max) {
      return invalid("BatchSize must be at most " + std::to_string(batch_size_without_window_max) +
                     " for FIFO queues.");
    }
    if (config.batch_size > batch_size_without_window_max && config.window_seconds == 0) {
      return invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than " +
                     std::to_string(batch_size_without_window_max));
    }
    return std::nullopt;
  }
  // A window's state is one value that goes from each invocation to the next, in the order of the shard's records: of
  // several batches at a time there would be several.
  if (config.tumbling_seconds > 0 && config.parallelization > 1) {
    return invalid("TumblingWindowInSeconds is not supported with a ParallelizationFactor greater than 1.");
  }
  return std::nullopt;
}

/// Why a change cannot be of a mapping with that source: it has members of the other kind of source. What says no more
/// than that there is nothing of them does no harm.
inline std::optional<Error> objection_to(const MappingPatch& patch, const std::variant<QueueName, StreamName>& source) {
  const auto invalid = [](std::string_view member, std::string_view sources) {
    return Error{ErrorCode::LambdaInvalidParameterValue,
                 std::string(member).append(" is not supported for ").append(sources).append(" event sources.")};
  };
  if (std::holds_alternative<StreamName>(source)) {
    if (patch.concurrency_max && *patch.concurrency_max) return invalid("ScalingConfig", "Kinesis");
    return std::nullopt;
  }
  constexpr std::string_view sqs = "SQS";
  const MappingConfig none;
  if (patch.parallelization.value_or(none.parallelization) != none.parallelization) {
    return invalid("ParallelizationFactor", sqs);
  }
  if (patch.bisect.value_or(false)) return invalid("BisectBatchOnFunctionError", sqs);
  if (patch.retries_max.value_or(none.retries_max) != none.retries_max) return invalid("MaximumRetryAttempts", sqs);
  if (patch.record_age_seconds_max.value_or(none.record_age_seconds_max) != none.record_age_seconds_max) {
    return invalid("MaximumRecordAgeInSeconds", sqs);
  }
  if (patch.on_failure && !patch.on_failure->empty()) return invalid("DestinationConfig", sqs);
  if (patch.tumbling_seconds.value_or(0) != 0) return invalid("TumblingWindowInSeconds", sqs);
  return std::nullopt;
}

}  // namespace penstock
