#include "protocol/sqs/tag_operations.hpp"

#include <algorithm>
#include <utility>

#include "penstock/limits.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

constexpr std::string_view reserved_prefix = "aws:";

Error invalid_tag(std::string message) { return {ErrorCode::InvalidParameterValue, std::move(message)}; }

/// Characters, not bytes. REQUIRES: is_utf8(text).
std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Of ASCII, letters, digits, white space and some signs; beyond it letters are not told from what else there is.
bool has_only_tag_characters(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || is_alphanumeric(c) ||
           std::string_view(" \t\r\n_.:/=+-@").find(c) != std::string_view::npos;
  });
}

Refusal check_characters(std::string_view what, std::string_view text) {
  if (has_only_tag_characters(text)) return std::nullopt;
  std::string message("Tag ");
  message.append(what).append("s can only include letters, digits, whitespace and the characters _ . : / = + - @");
  return invalid_tag(std::move(message));
}

Refusal check_key(std::string_view key) {
  if (key.empty() || count_characters(key) > sqs_limits::tag_key_chars_max) {
    return invalid_tag("Tag keys must be between 1 and " + std::to_string(sqs_limits::tag_key_chars_max) +
                       " characters in length.");
  }
  if (starts_with_ignoring_case(key, reserved_prefix)) {
    return invalid_tag("Tag keys must not start with the reserved prefix aws:");
  }
  return check_characters("key", key);
}

Refusal check_value(std::string_view value) {
  if (count_characters(value) > sqs_limits::tag_value_chars_max) {
    return invalid_tag("Tag values must be between 0 and " + std::to_string(sqs_limits::tag_value_chars_max) +
                       " characters in length.");
  }
  return check_characters("value", value);
}

}  // namespace

Refusal take_tags(Map<std::string>& given, StringMap& out) {
  for (auto& [key, value] : given.entries) {
    if (Refusal refusal = check_key(key)) return refusal;
    if (Refusal refusal = check_value(value)) return refusal;
    out.insert_or_assign(std::move(key), std::move(value));
  }
  return std::nullopt;
}

Asked TagQueueOperation::to_command(Input& input, const Caller& caller, Kept&) {
  if (input.tags->entries.empty()) return missing_parameter("Tags");
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) -> Asked {
    TagQueue command{std::move(queue), {}};
    if (Refusal refusal = take_tags(*input.tags, command.tags)) return std::move(*refusal);
    return command;
  });
}

Told<Nothing> TagQueueOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked UntagQueueOperation::to_command(Input& input, const Caller& caller, Kept&) {
  if (input.tag_keys->empty()) return missing_parameter("TagKeys");
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) {
    return UntagQueue{std::move(queue), std::move(*input.tag_keys)};
  });
}

Told<Nothing> UntagQueueOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked ListQueueTagsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [](QueueName queue) { return ListQueueTags{std::move(queue)}; });
}

Told<ListQueueTagsResult> ListQueueTagsOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<QueueTags>(&result);
  if (found == nullptr) return unexpected_result();
  ListQueueTagsResult output;
  if (found->tags.empty()) return output;
  auto& entries = output.tags.emplace().entries;
  entries.reserve(found->tags.size());
  for (auto& [key, value] : found->tags) entries.emplace_back(key, std::move(value));
  return output;
}

}  // namespace penstock::protocol::sqs
