#include "core/queue_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

namespace {

enum class Kind : std::uint8_t {
  integer,    // from min to max
  boolean,    // "true" or "false"
  text,       // anything; empty clears it
  read_only,  // reported, cannot be set
  choice,     // one of two words
};

struct Attribute {
  std::string_view name;
  Kind kind{};
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::string_view fallback = {};  // reported where it was not set; empty: not reported
  bool fifo_only = false;
  std::string_view other = {};  // of a choice, beside the fallback
};

constexpr std::string_view kms_key = "KmsMasterKeyId";
constexpr std::string_view kms_reuse = "KmsDataKeyReusePeriodSeconds";
constexpr std::string_view managed_sse = "SqsManagedSseEnabled";
constexpr std::string_view fifo_queue = "FifoQueue";
constexpr std::string_view dedup_scope = "DeduplicationScope";
constexpr std::string_view throughput_limit = "FifoThroughputLimit";
constexpr std::string_view redrive_policy = "RedrivePolicy";
constexpr std::string_view redrive_allow_policy = "RedriveAllowPolicy";

constexpr std::array attribute_table{
    Attribute{"VisibilityTimeout", Kind::integer, 0, sqs_limits::visibility_seconds_max, "30"},
    Attribute{"DelaySeconds", Kind::integer, 0, sqs_limits::delay_seconds_max, "0"},
    Attribute{"ReceiveMessageWaitTimeSeconds", Kind::integer, 0, sqs_limits::wait_seconds_max, "0"},
    Attribute{"MessageRetentionPeriod", Kind::integer, sqs_limits::retention_seconds_min,
              sqs_limits::retention_seconds_max, "345600"},
    Attribute{"MaximumMessageSize", Kind::integer, sqs_limits::message_bytes_min, sqs_limits::message_bytes_max,
              "1048576"},
    Attribute{"Policy", Kind::text},
    Attribute{kms_key, Kind::text},
    Attribute{kms_reuse, Kind::integer, sqs_limits::kms_reuse_seconds_min, sqs_limits::kms_reuse_seconds_max},
    Attribute{managed_sse, Kind::boolean, 0, 0, "true"},
    Attribute{"ApproximateNumberOfMessages", Kind::read_only},
    Attribute{"ApproximateNumberOfMessagesNotVisible", Kind::read_only},
    Attribute{"ApproximateNumberOfMessagesDelayed", Kind::read_only},
    Attribute{"CreatedTimestamp", Kind::read_only},
    Attribute{"LastModifiedTimestamp", Kind::read_only},
    Attribute{"QueueArn", Kind::read_only},
    Attribute{fifo_queue, Kind::boolean, 0, 0, "true", true},
    Attribute{"ContentBasedDeduplication", Kind::boolean, 0, 0, "false", true},
    Attribute{dedup_scope, Kind::choice, 0, 0, "queue", true, "messageGroup"},
    Attribute{throughput_limit, Kind::choice, 0, 0, "perQueue", true, "perMessageGroupId"},
    // Checked and brought into one form where their JSON is read.
    Attribute{redrive_policy, Kind::text},
    Attribute{redrive_allow_policy, Kind::text},
};

const Attribute* find(std::string_view name) {
  const auto* it =
      std::find_if(attribute_table.begin(), attribute_table.end(), [&](const Attribute& a) { return a.name == name; });
  return it == attribute_table.end() ? nullptr : it;
}

Error unknown_attribute(std::string_view name) {
  return {ErrorCode::InvalidAttributeName, "Unknown Attribute " + std::string(name) + "."};
}

Error bad_value(std::string_view name) {
  return {ErrorCode::InvalidAttributeValue, "Invalid value for the parameter " + std::string(name) + "."};
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Attributes of FIFO queues do not exist on others; of two of them the service says why.
Error not_fifo(const Attribute& attribute) {
  if (attribute.kind != Kind::choice) return unknown_attribute(attribute.name);
  return {ErrorCode::InvalidAttributeName,
          "You can specify the " + std::string(attribute.name) + " only when FifoQueue is set to true."};
}

// The canonical form of a value, by which two spellings of one number compare equal.
std::variant<std::string, Error> canonical(const Attribute& attribute, const std::string& value, bool fifo) {
  if (attribute.fifo_only && !fifo) return not_fifo(attribute);
  if (attribute.name == fifo_queue && value == "false") {
    return Error{ErrorCode::InvalidAttributeValue,
                 "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."};
  }
  switch (attribute.kind) {
    case Kind::integer: {
      const auto number = parse_integer(value);
      if (!number || *number < attribute.min || *number > attribute.max) return bad_value(attribute.name);
      return std::to_string(*number);
    }
    case Kind::boolean:
      if (value != "true" && value != "false") return bad_value(attribute.name);
      return value;
    case Kind::text:
      return value;
    case Kind::choice:
      if (value != attribute.fallback && value != attribute.other) return bad_value(attribute.name);
      return value;
    case Kind::read_only:
      break;
  }
  return unknown_attribute(attribute.name);
}

std::string value_or_fallback(const StringMap& attributes, const Attribute& attribute) {
  const auto it = attributes.find(std::string(attribute.name));
  return it == attributes.end() ? std::string(attribute.fallback) : it->second;
}

// What GetQueueAttributes tells. Beside a key the period has a default.
std::string reported_value(const StringMap& attributes, const Attribute& attribute) {
  std::string value = value_or_fallback(attributes, attribute);
  if (value.empty() && attribute.name == kms_reuse && attributes.contains(std::string(kms_key))) return "300";
  return value;
}

std::int64_t integer_of(const StringMap& attributes, std::string_view name) {
  return parse_integer(value_or_fallback(attributes, *find(name))).value_or(0);
}

// A queue is encrypted by its own keys or by KMS; naming one switches the other off, naming both is an error.
std::optional<Error> settle_encryption(const StringMap& given, StringMap& merged) {
  const auto key = given.find(std::string(kms_key));
  const auto managed = given.find(std::string(managed_sse));
  const bool wants_kms = key != given.end() && !key->second.empty();
  const bool wants_managed = managed != given.end() && managed->second == "true";
  if (wants_kms && wants_managed) {
    return Error{ErrorCode::InvalidAttributeName,
                 "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or "
                 "SQS SSE."};
  }
  if (wants_kms) merged[std::string(managed_sse)] = "false";
  if (wants_managed) merged.erase(std::string(kms_key));
  if (key != given.end() && key->second.empty() && managed == given.end()) merged.erase(std::string(managed_sse));
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> settable_attributes() {
  std::vector<std::string_view> names;
  for (const Attribute& attribute : attribute_table) {
    if (attribute.kind != Kind::read_only) names.push_back(attribute.name);
  }
  return names;
}

std::vector<AttributeValues> settable_values() {
  std::vector<AttributeValues> all;
  for (const Attribute& attribute : attribute_table) {
    if (attribute.kind == Kind::read_only) continue;
    AttributeValues values{attribute.name, attribute.kind == Kind::integer, attribute.min, attribute.max};
    if (attribute.kind == Kind::boolean) values.words = {"true", "false"};
    if (attribute.kind == Kind::choice) values.words = {attribute.fallback, attribute.other};
    all.push_back(std::move(values));
  }
  return all;
}

QueueSettings QueueSettings::from(const StringMap& attributes) {
  QueueSettings settings;
  settings.visibility_timeout = std::chrono::seconds{integer_of(attributes, "VisibilityTimeout")};
  settings.delay = std::chrono::seconds{integer_of(attributes, "DelaySeconds")};
  settings.retention = std::chrono::seconds{integer_of(attributes, "MessageRetentionPeriod")};
  settings.wait_seconds = static_cast<int>(integer_of(attributes, "ReceiveMessageWaitTimeSeconds"));
  settings.message_bytes_max = static_cast<std::size_t>(integer_of(attributes, "MaximumMessageSize"));
  const auto content_based = attributes.find("ContentBasedDeduplication");
  const auto limit = attributes.find(std::string(throughput_limit));
  settings.rate_by_group = limit != attributes.end() && limit->second == find(throughput_limit)->other;
  settings.content_based_dedup = content_based != attributes.end() && content_based->second == "true";
  return settings;
}

std::optional<Error> merge_attributes(const StringMap& given, QueueRecord& record) {
  const bool fifo = is_fifo(record.name.name);
  StringMap merged = record.attributes;
  for (const auto& [name, value] : given) {
    const Attribute* attribute = find(name);
    if (attribute == nullptr) return unknown_attribute(name);
    auto checked = canonical(*attribute, value, fifo);
    if (auto* error = std::get_if<Error>(&checked)) return std::move(*error);
    auto& text = std::get<std::string>(checked);
    if (text.empty()) {
      merged.erase(name);
    } else {
      merged[name] = std::move(text);
    }
  }
  if (auto error = settle_encryption(given, merged)) return error;
  if ((given.contains(std::string(throughput_limit)) || given.contains(std::string(dedup_scope))) &&
      value_or_fallback(merged, *find(throughput_limit)) == find(throughput_limit)->other &&
      value_or_fallback(merged, *find(dedup_scope)) != find(dedup_scope)->other) {
    return Error{ErrorCode::InvalidAttributeValue,
                 "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup."};
  }
  record.attributes = std::move(merged);
  return std::nullopt;
}

void merge_policies(const StringMap& given, const std::optional<RedrivePolicy>& redrive,
                    const std::optional<RedriveAllowPolicy>& redrive_allow, QueueRecord& record) {
  if (given.contains(std::string(redrive_policy))) record.redrive = redrive;
  if (given.contains(std::string(redrive_allow_policy))) record.redrive_allow = redrive_allow;
}

std::optional<Error> compare_attributes(const StringMap& given, const QueueRecord& existing) {
  for (const auto& [name, value] : given) {
    const Attribute* attribute = find(name);
    if (attribute == nullptr) return unknown_attribute(name);
    auto checked = canonical(*attribute, value, is_fifo(existing.name.name));
    if (auto* error = std::get_if<Error>(&checked)) return std::move(*error);
    if (std::get<std::string>(checked) != reported_value(existing.attributes, *attribute)) {
      return Error{ErrorCode::QueueNameExists,
                   "A queue already exists with the same name and a different value for attribute " + name};
    }
  }
  return std::nullopt;
}

std::optional<Error> check_redrive_target(const QueueRecord* target, const QueueName& source,
                                          const std::string& policy) {
  const auto refused = [&](std::string_view reason) {
    std::string text = "Value ";
    text.append(policy).append(" for parameter RedrivePolicy is invalid. Reason: ").append(reason);
    return Error{ErrorCode::InvalidParameterValue, std::move(text)};
  };
  if (target == nullptr) return refused("Dead letter target does not exist.");
  if (is_fifo(target->name.name) != is_fifo(source.name)) {
    return refused("Dead-letter queue must be same type of queue as the source.");
  }
  if (!target->redrive_allow) return std::nullopt;
  const RedriveAllowPolicy& allow = *target->redrive_allow;
  const auto named = [&] {
    return std::find(allow.source_arns.begin(), allow.source_arns.end(), arn_of(source)) != allow.source_arns.end();
  };
  const bool allowed = allow.permission == RedriveAllowPolicy::Permission::allow_all ||
                       (allow.permission == RedriveAllowPolicy::Permission::by_queue && named());
  if (allowed) return std::nullopt;
  return refused("The dead-letter queue's RedriveAllowPolicy does not allow this source queue.");
}

Error too_many_tags() {
  return {ErrorCode::InvalidParameterValue,
          "Too many tags added for queue. A queue can have at most " + std::to_string(sqs_limits::tags_max) + " tags."};
}

std::variant<QueueAttributes, Error> describe(const QueueRecord& record, const QueueCounts& counts,
                                              const std::vector<std::string>& names) {
  StringMap all;
  for (const Attribute& attribute : attribute_table) {
    if (attribute.fifo_only && !is_fifo(record.name.name)) continue;
    std::string value = reported_value(record.attributes, attribute);
    if (!value.empty()) all.emplace(attribute.name, std::move(value));
  }
  const auto seconds = [](Instant at) { return std::to_string(to_epoch_ms(at) / 1000); };
  all["ApproximateNumberOfMessages"] = std::to_string(counts.visible);
  all["ApproximateNumberOfMessagesNotVisible"] = std::to_string(counts.not_visible);
  all["ApproximateNumberOfMessagesDelayed"] = std::to_string(counts.delayed);
  all["CreatedTimestamp"] = seconds(record.created);
  all["LastModifiedTimestamp"] = seconds(record.modified);
  all["QueueArn"] = arn_of(record.name);

  QueueAttributes answer;
  bool everything = false;
  for (const std::string& name : names) {
    if (name == "All") {
      everything = true;
      continue;
    }
    if (find(name) == nullptr) return unknown_attribute(name);
    if (const auto it = all.find(name); it != all.end()) answer.attributes.insert(*it);
  }
  if (everything) answer.attributes = std::move(all);
  return answer;
}

}  // namespace penstock::core
