#include "core/queue_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace penstock::core {

namespace {

enum class Kind : std::uint8_t {
  integer,    // from min to max
  boolean,    // "true" or "false"
  text,       // anything; empty clears it
  read_only,  // reported, cannot be set
  fifo,       // belongs to FIFO queues, which are not offered yet
  redrive,    // belongs to dead-letter queues, which are not offered yet
};

struct Attribute {
  std::string_view name;
  Kind kind{};
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::string_view fallback = {};  // reported where it was not set; empty: not reported
};

constexpr std::string_view kms_key = "KmsMasterKeyId";
constexpr std::string_view kms_reuse = "KmsDataKeyReusePeriodSeconds";
constexpr std::string_view managed_sse = "SqsManagedSseEnabled";

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
    Attribute{kms_reuse, Kind::integer, 60, 86'400},
    Attribute{managed_sse, Kind::boolean, 0, 0, "true"},
    Attribute{"ApproximateNumberOfMessages", Kind::read_only},
    Attribute{"ApproximateNumberOfMessagesNotVisible", Kind::read_only},
    Attribute{"ApproximateNumberOfMessagesDelayed", Kind::read_only},
    Attribute{"CreatedTimestamp", Kind::read_only},
    Attribute{"LastModifiedTimestamp", Kind::read_only},
    Attribute{"QueueArn", Kind::read_only},
    Attribute{"FifoQueue", Kind::fifo},
    Attribute{"ContentBasedDeduplication", Kind::fifo},
    Attribute{"DeduplicationScope", Kind::fifo},
    Attribute{"FifoThroughputLimit", Kind::fifo},
    Attribute{"RedrivePolicy", Kind::redrive},
    Attribute{"RedriveAllowPolicy", Kind::redrive},
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

// The canonical form of a value, by which two spellings of one number compare equal.
std::variant<std::string, Error> canonical(const Attribute& attribute, const std::string& value) {
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
    case Kind::fifo:
      if (attribute.name == "DeduplicationScope" || attribute.name == "FifoThroughputLimit") {
        return Error{ErrorCode::InvalidAttributeName,
                     "You can specify the " + std::string(attribute.name) + " only when FifoQueue is set to true."};
      }
      return unknown_attribute(attribute.name);
    case Kind::redrive:
      // An empty policy clears what is not there, which needs no support.
      if (value.empty()) return value;
      return Error{ErrorCode::UnsupportedOperation, "Dead-letter queues are not supported: the attribute " +
                                                        std::string(attribute.name) + " cannot be set."};
    case Kind::read_only:
      break;
  }
  return unknown_attribute(attribute.name);
}

std::string value_or_fallback(const StringMap& attributes, const Attribute& attribute) {
  const auto it = attributes.find(std::string(attribute.name));
  return it == attributes.end() ? std::string(attribute.fallback) : it->second;
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

QueueSettings QueueSettings::from(const StringMap& attributes) {
  QueueSettings settings;
  settings.visibility_timeout = std::chrono::seconds{integer_of(attributes, "VisibilityTimeout")};
  settings.delay = std::chrono::seconds{integer_of(attributes, "DelaySeconds")};
  settings.retention = std::chrono::seconds{integer_of(attributes, "MessageRetentionPeriod")};
  settings.wait_seconds = static_cast<int>(integer_of(attributes, "ReceiveMessageWaitTimeSeconds"));
  settings.message_bytes_max = static_cast<std::size_t>(integer_of(attributes, "MaximumMessageSize"));
  return settings;
}

std::optional<Error> merge_attributes(const StringMap& given, StringMap& current) {
  StringMap merged = current;
  for (const auto& [name, value] : given) {
    const Attribute* attribute = find(name);
    if (attribute == nullptr) return unknown_attribute(name);
    auto checked = canonical(*attribute, value);
    if (auto* error = std::get_if<Error>(&checked)) return std::move(*error);
    auto& text = std::get<std::string>(checked);
    if (text.empty()) {
      merged.erase(name);
    } else {
      merged[name] = std::move(text);
    }
  }
  if (auto error = settle_encryption(given, merged)) return error;
  current = std::move(merged);
  return std::nullopt;
}

std::optional<Error> compare_attributes(const StringMap& given, const StringMap& existing) {
  for (const auto& [name, value] : given) {
    const Attribute* attribute = find(name);
    if (attribute == nullptr) return unknown_attribute(name);
    auto checked = canonical(*attribute, value);
    if (auto* error = std::get_if<Error>(&checked)) return std::move(*error);
    if (std::get<std::string>(checked) != value_or_fallback(existing, *attribute)) {
      return Error{ErrorCode::QueueNameExists,
                   "A queue already exists with the same name and a different value for attribute " + name};
    }
  }
  return std::nullopt;
}

std::string queue_arn(const QueueName& queue) {
  return "arn:aws:sqs:" + queue.region + ":" + queue.account + ":" + queue.name;
}

std::variant<QueueAttributes, Error> describe(const QueueRecord& record, const QueueCounts& counts,
                                              const std::vector<std::string>& names) {
  StringMap all;
  for (const Attribute& attribute : attribute_table) {
    std::string value = value_or_fallback(record.attributes, attribute);
    if (!value.empty()) all.emplace(attribute.name, std::move(value));
  }
  // The period means something only beside a key; it has a default then.
  if (all.contains(std::string(kms_key))) {
    all.try_emplace(std::string(kms_reuse), "300");
  } else {
    all.erase(std::string(kms_reuse));
  }
  const auto seconds = [](Instant at) { return std::to_string(to_epoch_ms(at) / 1000); };
  all["ApproximateNumberOfMessages"] = std::to_string(counts.visible);
  all["ApproximateNumberOfMessagesNotVisible"] = std::to_string(counts.not_visible);
  all["ApproximateNumberOfMessagesDelayed"] = std::to_string(counts.delayed);
  all["CreatedTimestamp"] = seconds(record.created);
  all["LastModifiedTimestamp"] = seconds(record.modified);
  all["QueueArn"] = queue_arn(record.name);

  QueueAttributes answer;
  for (const std::string& name : names) {
    if (name == "All") return QueueAttributes{std::move(all)};
    if (find(name) == nullptr) return unknown_attribute(name);
    if (const auto it = all.find(name); it != all.end()) answer.attributes.insert(*it);
  }
  return answer;
}

}  // namespace penstock::core
