// A queue's attributes: which exist, what values they take, what they mean to the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  bool content_based_dedup = false;  ///< FIFO queues only
  bool rate_by_group = false;        ///< FIFO queues only: FifoThroughputLimit is perMessageGroupId

  static QueueSettings from(const StringMap& attributes);
};

/// The names of those that CreateQueue and SetQueueAttributes take.
std::vector<std::string_view> settable_attributes();

/// What one of them may be, as its text.
struct AttributeValues {
  std::string_view name;
  bool is_integer = false;  ///< from min to max
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::vector<std::string_view> words{};  ///< which it may be; anything if there are none
};
std::vector<AttributeValues> settable_values();

/// The counts that GetQueueAttributes reports.
struct QueueCounts {
  std::uint64_t visible = 0;
  std::uint64_t not_visible = 0;
  std::uint64_t delayed = 0;
};

/// Checks what CreateQueue or SetQueueAttributes was given and merges it into the record's attributes in canonical form
/// (integers without leading zeros, cleared attributes removed); leaves the record alone on error.
/// Errors: InvalidAttributeName, InvalidAttributeValue.
std::optional<Error> merge_attributes(const StringMap& given, QueueRecord& record);

/// Takes over the policies that `given` sets or clears, in their parsed form.
void merge_policies(const StringMap& given, const std::optional<RedrivePolicy>& redrive,
                    const std::optional<RedriveAllowPolicy>& redrive_allow, QueueRecord& record);

/// What CreateQueue on an existing queue asks: only the attributes supplied are compared, with defaults filled in.
/// Error: QueueNameExists, naming the first that differs.
std::optional<Error> compare_attributes(const StringMap& given, const QueueRecord& existing);

/// Whether `source` may name `target` as its dead-letter queue; `policy` is the text that asks for it. `target` is
/// nullptr where there is no such queue. Error: InvalidParameterValue.
std::optional<Error> check_redrive_target(const QueueRecord* target, const QueueName& source,
                                          const std::string& policy);

Error too_many_tags();

/// The answer to GetQueueAttributes. Error: InvalidAttributeName.
std::variant<QueueAttributes, Error> describe(const QueueRecord& record, const QueueCounts& counts,
                                              const std::vector<std::string>& names);

}  // namespace penstock::core
