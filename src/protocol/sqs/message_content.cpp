#include "protocol/sqs/message_content.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "protocol/digests.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

constexpr std::string_view trace_header_name = "AWSTraceHeader";

Error invalid_value(std::string message) { return {ErrorCode::InvalidParameterValue, std::move(message)}; }

/// `before` 'name' `after`
Error about_attribute(std::string_view before, std::string_view name, std::string_view after) {
  std::string message(before);
  message.append(" '").append(name).append("' ").append(after);
  return invalid_value(std::move(message));
}

Refusal check_name(std::string_view name) {
  if (name.empty()) return invalid_value("The request must contain non-empty message attribute name.");
  const auto invalid = [name](std::string_view rule) {
    return about_attribute("The name of message (user) attribute", name, "is invalid. " + std::string(rule));
  };
  if (name.size() > sqs_limits::attribute_name_chars_max) return invalid("It can be up to 256 characters long.");
  if (!std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; })) {
    return invalid("It can contain only alphanumeric characters, underscores, hyphens and periods.");
  }
  if (name.starts_with('.') || name.ends_with('.') || name.find("..") != std::string_view::npos) {
    return invalid("It must not start or end with a period, and it should not have periods in succession.");
  }
  if (starts_with_ignoring_case(name, "AWS.") || starts_with_ignoring_case(name, "Amazon.")) {
    return invalid("It must not start with AWS-reserved prefixes such as AWS. or Amazon.");
  }
  return std::nullopt;
}

/// The logical type before the label, in `base`.
Refusal check_data_type(std::string_view name, std::string_view data_type, std::string_view& base) {
  if (data_type.empty()) {
    return about_attribute("Message (user) attribute", name, "must contain a non-empty attribute type.");
  }
  constexpr std::string_view subject = "The type of message (user) attribute";
  if (data_type.size() > sqs_limits::data_type_chars_max) {
    return about_attribute(subject, name, "is invalid. It can be up to 256 characters long.");
  }
  base = data_type.substr(0, data_type.find('.'));
  if (base != "String" && base != "Number" && base != "Binary") {
    return about_attribute(
        subject, name, "is invalid. You must use only the following supported type prefixes: Binary, Number, String.");
  }
  if (!has_only_message_characters(data_type)) return Error{ErrorCode::InvalidMessageContents, {}};
  return std::nullopt;
}

std::string_view take_digits(std::string_view& rest) {
  const auto end = std::ranges::find_if_not(rest, is_digit);
  const std::string_view digits(rest.begin(), end);
  rest.remove_prefix(digits.size());
  return digits;
}

/// An optional sign, digits with an optional point, an optional exponent.
bool is_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  if (whole.empty() && fraction.empty()) return false;
  int exponent = 0;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  if (!text.empty()) return false;
  std::string digits(whole);
  digits.append(fraction);
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return true;
  const std::size_t significant = digits.find_last_not_of('0') + 1 - first;
  const auto magnitude = static_cast<std::int64_t>(whole.size()) - static_cast<std::int64_t>(first) - 1 + exponent;
  return significant <= sqs_limits::number_digits_max && magnitude >= sqs_limits::number_exponent_min &&
         magnitude <= sqs_limits::number_exponent_max;
}

/// Takes the one value that the type asks for.
Refusal take_value(std::string_view name, std::string_view base, MessageAttributeValue& given, std::string& out) {
  constexpr std::string_view subject = "Message (user) attribute";
  if (given.string_list_values || given.binary_list_values) {
    return about_attribute(subject, name, "has a list of values. Lists are reserved for future use.");
  }
  const bool binary = base == "Binary";
  const bool has_other = binary ? given.string_value.has_value() : given.binary_value.has_value();
  const bool empty = binary ? !given.binary_value || given.binary_value->bytes.empty()
                            : !given.string_value || given.string_value->empty();
  if (empty) {
    const std::string rule = "must contain a non-empty value of type '" + std::string(base) + "'.";
    return about_attribute(subject, name, rule);
  }
  if (has_other) {
    return about_attribute(subject, name, "must contain exactly one value, of type '" + std::string(base) + "'.");
  }
  if (!binary && !has_only_message_characters(*given.string_value)) {
    return Error{ErrorCode::InvalidMessageContents, {}};
  }
  if (base == "Number" && !is_number(*given.string_value)) {
    return about_attribute("The value of message (user) attribute", name,
                           "is invalid. It must be a number with up to 38 digits of precision.");
  }
  out = binary ? std::move(given.binary_value->bytes) : std::move(*given.string_value);
  return std::nullopt;
}

Refusal take_attributes(Map<MessageAttributeValue>& given, std::vector<MessageAttribute>& out) {
  if (given.entries.size() > sqs_limits::message_attributes_max) {
    return invalid_value("Number of message attributes [" + std::to_string(given.entries.size()) +
                         "] exceeds the allowed maximum [" + std::to_string(sqs_limits::message_attributes_max) + "].");
  }
  out.reserve(given.entries.size());
  for (auto& [name, value] : given.entries) {
    if (Refusal refusal = check_name(name)) return refusal;
    MessageAttribute& attribute = out.emplace_back();
    attribute.data_type = std::move(value.data_type).value_or(std::string());
    std::string_view base;
    if (Refusal refusal = check_data_type(name, attribute.data_type, base)) return refusal;
    if (Refusal refusal = take_value(name, base, value, attribute.value)) return refusal;
    attribute.name = std::move(name);
  }
  std::ranges::sort(out, {}, &MessageAttribute::name);
  const auto twice = std::ranges::adjacent_find(out, {}, &MessageAttribute::name);
  if (twice != out.end()) {
    return about_attribute("Message (user) attribute", twice->name, "must be contained only once.");
  }
  return std::nullopt;
}

/// AWSTraceHeader is the only system attribute there is.
Refusal take_system_attributes(Map<MessageSystemAttributeValue>& given, std::string& trace_header,
                               std::optional<Md5>& sum) {
  for (auto& [name, value] : given.entries) {
    constexpr std::string_view subject = "Message (system) attribute";
    if (name != trace_header_name) {
      return about_attribute(subject, name,
                             "is invalid. You must use only the following supported attribute: AWSTraceHeader.");
    }
    if (value.data_type != "String" || value.binary_value || value.string_list_values || value.binary_list_values) {
      return about_attribute(subject, name, "must be of type 'String'.");
    }
    if (!value.string_value || value.string_value->empty()) {
      return about_attribute(subject, name, "must contain a non-empty value of type 'String'.");
    }
    if (!has_only_message_characters(*value.string_value)) return Error{ErrorCode::InvalidMessageContents, {}};
    const MessageAttribute attribute{name, "String", *value.string_value};
    sum = md5_of_attributes(std::span(&attribute, 1));
    trace_header = std::move(*value.string_value);
  }
  return std::nullopt;
}

}  // namespace

std::size_t message_bytes(const MessageFields& fields) {
  std::size_t bytes = fields.message_body ? fields.message_body->size() : 0;
  if (!fields.message_attributes) return bytes;
  for (const auto& [name, value] : fields.message_attributes->entries) {
    bytes += name.size();
    if (value.data_type) bytes += value.data_type->size();
    if (value.string_value) bytes += value.string_value->size();
    if (value.binary_value) bytes += value.binary_value->bytes.size();
  }
  return bytes;
}

Refusal check_identifier(std::string_view parameter, std::string_view value) {
  const bool valid = !value.empty() && value.size() <= sqs_limits::identifier_chars_max &&
                     std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7F; });
  if (valid) return std::nullopt;
  std::string reason(parameter);
  reason.append(" can only include alphanumeric and punctuation characters. 1 to 128 in length.");
  return invalid_parameter(parameter, value, reason);
}

Refusal take_message(MessageFields& fields, const Caller& caller, bool fifo, OutgoingMessage& out, MessageSums& sums) {
  if (!has_only_message_characters(*fields.message_body)) return Error{ErrorCode::InvalidMessageContents, {}};
  out.bytes = message_bytes(fields);
  out.delay_seconds = fields.delay_seconds;
  MessageContent& content = out.content;
  if (fields.message_attributes) {
    if (Refusal refusal = take_attributes(*fields.message_attributes, content.attributes)) return refusal;
  }
  if (fields.message_system_attributes) {
    Refusal refusal =
        take_system_attributes(*fields.message_system_attributes, content.trace_header, sums.system_attributes);
    if (refusal) return refusal;
  }
  if (content.trace_header.empty() && is_utf8(caller.trace_header) &&
      has_only_message_characters(caller.trace_header)) {
    content.trace_header = caller.trace_header;
  }
  if (fields.message_deduplication_id) {
    if (Refusal refusal = check_identifier("MessageDeduplicationId", *fields.message_deduplication_id)) return refusal;
    content.deduplication_id = std::move(*fields.message_deduplication_id);
  }
  if (fields.message_group_id) {
    if (Refusal refusal = check_identifier("MessageGroupId", *fields.message_group_id)) return refusal;
    content.group_id = std::move(*fields.message_group_id);
  }
  content.sender_id = caller.principal;
  content.body = std::move(*fields.message_body);
  content.body_md5 = md5_of(content.body);
  if (fifo && content.deduplication_id.empty()) out.body_sha256 = sha256_hex_of(content.body);
  sums.body = content.body_md5;
  if (!content.attributes.empty()) sums.attributes = md5_of_attributes(content.attributes);
  return std::nullopt;
}

}  // namespace penstock::protocol::sqs
