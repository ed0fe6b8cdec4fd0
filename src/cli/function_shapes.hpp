// What the commands about functions send and read: the members that they use of Lambda's operations and of the server's
// own on functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/shape.hpp"

namespace penstock::cli::wire {

using protocol::optional;
using protocol::Shape;

inline constexpr const char* functions_path = "/_penstock/functions";
inline constexpr const char* mappings_path = "/2015-03-31/event-source-mappings/";

/// A function as the server's own operations take and show it.
struct Function {
  std::optional<std::string> name;
  std::optional<std::string> arn;
  std::optional<std::string> kind;
  std::optional<std::vector<std::string>> command;
  std::optional<std::string> directory;
  std::optional<std::string> handler;
  std::optional<std::string> runtime;
  std::optional<std::string> url;
  std::optional<std::int32_t> timeout;
  std::optional<std::int32_t> memory;
  std::optional<protocol::Map<std::string>> environment;
  std::optional<std::int32_t> concurrency;
  std::optional<std::string> remark;  ///< of an answer

  static constexpr auto shape() {
    using Self = Function;
    return Shape("Function", optional("FunctionName", &Self::name), optional("FunctionArn", &Self::arn),
                 optional("Kind", &Self::kind), optional("Command", &Self::command),
                 optional("Directory", &Self::directory), optional("Handler", &Self::handler),
                 optional("Runtime", &Self::runtime), optional("Url", &Self::url), optional("Timeout", &Self::timeout),
                 optional("MemorySize", &Self::memory), optional("Environment", &Self::environment),
                 optional("ReservedConcurrency", &Self::concurrency), optional("Remark", &Self::remark));
  }
};

struct FunctionList {
  std::optional<std::vector<Function>> functions;
  std::optional<bool> more;

  static constexpr auto shape() {
    return Shape("FunctionList", optional("Functions", &FunctionList::functions),
                 optional("HasMoreFunctions", &FunctionList::more));
  }
};

struct LogLine {
  std::optional<std::int64_t> number;
  std::optional<protocol::Timestamp> at;
  std::optional<std::string> text;

  static constexpr auto shape() {
    return Shape("LogLine", optional("Number", &LogLine::number), optional("Timestamp", &LogLine::at),
                 optional("Text", &LogLine::text));
  }
};

struct Log {
  std::optional<std::vector<LogLine>> lines;
  std::optional<std::int64_t> dropped;

  static constexpr auto shape() {
    return Shape("Log", optional("Lines", &Log::lines), optional("DroppedLines", &Log::dropped));
  }
};

/// What an invoke came to.
struct Invoked {
  std::optional<std::int32_t> status;
  std::optional<std::string> error;
  std::optional<std::string> payload;
  std::optional<std::string> log;

  static constexpr auto shape() {
    using Self = Invoked;
    return Shape("Invoked", optional("StatusCode", &Self::status), optional("FunctionError", &Self::error),
                 optional("Payload", &Self::payload), optional("LogTail", &Self::log));
  }
};

// ---- What queues and streams are called.

struct QueueQuestion {
  std::optional<std::string> name;
  std::optional<std::string> url;
  std::optional<std::vector<std::string>> attributes;

  static constexpr auto shape() {
    using Self = QueueQuestion;
    return Shape("QueueQuestion", optional("QueueName", &Self::name), optional("QueueUrl", &Self::url),
                 optional("AttributeNames", &Self::attributes));
  }
};
struct QueueAnswer {
  std::optional<std::string> url;
  std::optional<protocol::Map<std::string>> attributes;

  static constexpr auto shape() {
    using Self = QueueAnswer;
    return Shape("QueueAnswer", optional("QueueUrl", &Self::url), optional("Attributes", &Self::attributes));
  }
};
struct StreamQuestion {
  std::optional<std::string> name;

  static constexpr auto shape() { return Shape("StreamQuestion", optional("StreamName", &StreamQuestion::name)); }
};
struct StreamSummary {
  std::optional<std::string> arn;

  static constexpr auto shape() { return Shape("StreamSummary", optional("StreamARN", &StreamSummary::arn)); }
};
struct StreamAnswer {
  std::optional<StreamSummary> summary;

  static constexpr auto shape() {
    return Shape("StreamAnswer", optional("StreamDescriptionSummary", &StreamAnswer::summary));
  }
};

// ---- Event source mappings, as Lambda has them.

struct Filter {
  std::optional<std::string> pattern;

  static constexpr auto shape() { return Shape("Filter", optional("Pattern", &Filter::pattern)); }
};
struct FilterCriteria {
  std::optional<std::vector<Filter>> filters;

  static constexpr auto shape() { return Shape("FilterCriteria", optional("Filters", &FilterCriteria::filters)); }
};
struct Destination {
  std::optional<std::string> arn;

  static constexpr auto shape() { return Shape("OnFailure", optional("Destination", &Destination::arn)); }
};
struct DestinationConfig {
  std::optional<Destination> on_failure;

  static constexpr auto shape() {
    return Shape("DestinationConfig", optional("OnFailure", &DestinationConfig::on_failure));
  }
};
struct ScalingConfig {
  std::optional<std::int32_t> concurrency;

  static constexpr auto shape() {
    return Shape("ScalingConfig", optional("MaximumConcurrency", &ScalingConfig::concurrency));
  }
};

struct Mapping {
  std::optional<std::string> uuid;
  std::optional<std::string> source_arn;
  std::optional<std::string> function_name;  ///< of a request
  std::optional<std::string> function_arn;   ///< of an answer
  std::optional<bool> enabled;               ///< of a request
  std::optional<std::string> state;          ///< of an answer
  std::optional<std::string> last_result;
  std::optional<std::int32_t> batch_size;
  std::optional<std::int32_t> window;
  std::optional<FilterCriteria> filters;
  std::optional<std::vector<std::string>> response_types;
  std::optional<ScalingConfig> scaling;
  std::optional<std::string> start;
  std::optional<protocol::Timestamp> start_timestamp;
  std::optional<std::int32_t> parallelization;
  std::optional<bool> bisect;
  std::optional<std::int32_t> retries;
  std::optional<std::int32_t> age;
  std::optional<std::int32_t> tumbling;
  std::optional<DestinationConfig> destinations;

  static constexpr auto shape() {
    using Self = Mapping;
    return Shape(
        "Mapping", optional("UUID", &Self::uuid), optional("EventSourceArn", &Self::source_arn),
        optional("FunctionName", &Self::function_name), optional("FunctionArn", &Self::function_arn),
        optional("Enabled", &Self::enabled), optional("State", &Self::state),
        optional("LastProcessingResult", &Self::last_result), optional("BatchSize", &Self::batch_size),
        optional("MaximumBatchingWindowInSeconds", &Self::window), optional("FilterCriteria", &Self::filters),
        optional("FunctionResponseTypes", &Self::response_types), optional("ScalingConfig", &Self::scaling),
        optional("StartingPosition", &Self::start), optional("StartingPositionTimestamp", &Self::start_timestamp),
        optional("ParallelizationFactor", &Self::parallelization),
        optional("BisectBatchOnFunctionError", &Self::bisect), optional("MaximumRetryAttempts", &Self::retries),
        optional("MaximumRecordAgeInSeconds", &Self::age), optional("TumblingWindowInSeconds", &Self::tumbling),
        optional("DestinationConfig", &Self::destinations));
  }
};

struct MappingList {
  std::optional<std::vector<Mapping>> mappings;
  std::optional<std::string> next_marker;

  static constexpr auto shape() {
    return Shape("MappingList", optional("EventSourceMappings", &MappingList::mappings),
                 optional("NextMarker", &MappingList::next_marker));
  }
};

}  // namespace penstock::cli::wire
