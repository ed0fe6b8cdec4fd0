// Event source mappings: from a queue or a stream to a function.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/functions.hpp"
#include "penstock/ids.hpp"
#include "penstock/stream_names.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// As the service spells them: Creating, Enabling, Enabled, Disabling, Disabled, Updating, Deleting.
enum class MappingState : std::uint8_t { creating, enabling, enabled, disabling, disabled, updating, deleting };

/// What a client calls a mapping. It is of its function's account and region, and to those of others it is not there.
struct MappingName {
  std::string account;
  std::string region;
  std::string uuid;
  friend bool operator==(const MappingName&, const MappingName&) = default;
};

/// What an EventSourceMapping is made of, complete: what a request left out has its default.
struct MappingConfig {
  int batch_size = 10;                      ///< 1 to 10,000; the default is 100 of a stream
  int window_seconds = 0;                   ///< MaximumBatchingWindowInSeconds, 0 to 300
  std::vector<std::string> filters;         ///< Pattern of each of FilterCriteria's Filters, as it was given
  bool report_batch_item_failures = false;  ///< of FunctionResponseTypes
  std::optional<int> concurrency_max;       ///< ScalingConfig's MaximumConcurrency, 2 to 1,000; of queues

  // Of streams.
  IteratorType start = IteratorType::latest;  ///< StartingPosition: trim_horizon, latest or at_timestamp
  std::optional<Instant> start_timestamp;
  int parallelization = 1;          ///< ParallelizationFactor, 1 to 10
  bool bisect = false;              ///< BisectBatchOnFunctionError
  int retries_max = -1;             ///< MaximumRetryAttempts, -1: until the record expires
  int record_age_seconds_max = -1;  ///< MaximumRecordAgeInSeconds, -1 or 60 to 604,800
  std::string on_failure;           ///< ARN of a queue; empty if there is none
  int tumbling_seconds = 0;         ///< TumblingWindowInSeconds, 0: none, to 900

  bool enabled = true;
  std::string kms_key_arn;
  std::vector<std::string> metrics;  ///< of MetricsConfig
  friend bool operator==(const MappingConfig&, const MappingConfig&) = default;
};

/// A mapping as the catalog keeps it.
struct MappingRecord {
  std::string uuid;
  std::variant<QueueName, StreamName> source;
  std::optional<ConsumerRef> consumer;  ///< where EventSourceArn is that of a stream's registered consumer
  std::string source_arn;               ///< EventSourceArn
  FunctionName function;                ///< which need not be registered where another emulator runs it
  std::string function_arn;             ///< as events and descriptions name it: with a qualifier, if it was given
  MappingConfig config;
  MappingState state = MappingState::creating;
  std::string state_reason;  ///< StateTransitionReason
  std::string last_result;   ///< LastProcessingResult
  std::map<std::string, std::string> tags;
  Instant modified{};
  friend bool operator==(const MappingRecord&, const MappingRecord&) = default;

  bool of_stream() const { return std::holds_alternative<StreamName>(source); }
  MappingName name() const { return {function.account, function.region, uuid}; }
};

/// What a change leaves out stays as it is.
struct MappingPatch {
  std::optional<FunctionName> function;
  std::optional<std::string> function_arn;  ///< goes with `function`
  std::optional<int> batch_size;
  std::optional<int> window_seconds;
  std::optional<std::vector<std::string>> filters;
  std::optional<bool> report_batch_item_failures;
  std::optional<std::optional<int>> concurrency_max;  ///< an empty ScalingConfig takes it off
  std::optional<int> parallelization;
  std::optional<bool> bisect;
  std::optional<int> retries_max;
  std::optional<int> record_age_seconds_max;
  std::optional<std::string> on_failure;
  std::optional<int> tumbling_seconds;
  std::optional<bool> enabled;
  std::optional<std::string> kms_key_arn;
  std::optional<std::vector<std::string>> metrics;
};

/// The state of a tumbling window of a shard that is not over.
struct TumblingWindow {
  Instant start{};    ///< a multiple of the window's length; the end is behind it by that length
  std::string state;  ///< JSON that the function answered last; `{}` before it did
  Millis length{0};   ///< as the mapping had it when the window was opened; 0 of those that were kept without it
  friend bool operator==(const TumblingWindow&, const TumblingWindow&) = default;
};

/// How far a mapping has got in a shard: everything before `next` has been processed, discarded or reported, and
/// nothing else is durable of it. Rewritten only after success.
struct ShardCheckpoint {
  StreamId stream;  ///< of another incarnation it counts for nothing
  ShardIndex shard;
  RecordIndex next;
  Instant not_before{};   ///< records that arrived earlier are passed over: of a start AT_TIMESTAMP
  bool finished = false;  ///< closed, and all of it processed: its children may begin
  std::optional<TumblingWindow> window;
  friend bool operator==(const ShardCheckpoint&, const ShardCheckpoint&) = default;
};

}  // namespace penstock
