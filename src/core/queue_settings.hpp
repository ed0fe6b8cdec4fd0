// A queue's attributes: which exist, what values they take, what they mean to the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/limits.hpp"
#include "penstock/records.hpp"
#include "penstock/time.hpp"

namespace penstock::core {

/// The attributes that the engine acts on, parsed once.
struct QueueSettings {
  Millis visibility_timeout{sqs_limits::visibility_seconds_default * 1000};
  Millis delay{0};
  Millis retention{static_cast<std::int64_t>(sqs_limits::retention_seconds_default) * 1000};
  int wait_seconds = 0;
  std::size_t message_bytes_max = sqs_limits::message_bytes_max;

  static QueueSettings from(const StringMap& attributes);
};

/// The counts that GetQueueAttributes reports.
struct QueueCounts {
  std::uint64_t visible = 0;
  std::uint64_t not_visible = 0;
  std::uint64_t delayed = 0;
};

/// Checks what CreateQueue or SetQueueAttributes was given and merges it into `current` in canonical form (integers
/// without leading zeros, cleared attributes removed); leaves `current` alone on error.
/// Errors: InvalidAttributeName, InvalidAttributeValue, UnsupportedOperation.
std::optional<Error> merge_attributes(const StringMap& given, StringMap& current);

/// What CreateQueue on an existing queue asks: only the attributes supplied are compared, with defaults filled in.
/// Error: QueueNameExists, naming the first that differs.
std::optional<Error> compare_attributes(const StringMap& given, const StringMap& existing);

/// The answer to GetQueueAttributes. Error: InvalidAttributeName.
std::variant<QueueAttributes, Error> describe(const QueueRecord& record, const QueueCounts& counts,
                                              const std::vector<std::string>& names);

std::string queue_arn(const QueueName& queue);

}  // namespace penstock::core
