#include "protocol/sqs/receive_operation.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "protocol/digests.hpp"
#include "protocol/sqs/arn.hpp"

namespace penstock::protocol::sqs {
namespace {

using Kept = ReceiveMessageOperation::Kept;

void keep_system_attributes(const std::optional<std::vector<std::string>>& names, Kept& kept) {
  if (!names) return;
  for (const std::string& name : *names) {
    if (name == "All") kept.system_attributes.fill(true);
    const auto found = std::ranges::find(system_attribute_names, name);
    if (found == system_attribute_names.end()) continue;
    kept.system_attributes.at(static_cast<std::size_t>(found - system_attribute_names.begin())) = true;
  }
}

/// `All`, `.*`, `prefix.*` or a whole name.
void keep_message_attributes(std::vector<std::string>& names, Kept& kept) {
  constexpr std::string_view wildcard = ".*";
  for (std::string& name : names) {
    if (name == "All") {
      kept.prefixes.emplace_back();
    } else if (name.ends_with(wildcard)) {
      name.resize(name.size() - wildcard.size());
      kept.prefixes.push_back(std::move(name));
    } else {
      kept.exact.push_back(std::move(name));
    }
  }
}

bool is_wanted(const Kept& kept, std::string_view name) {
  return std::ranges::any_of(kept.prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); }) ||
         std::ranges::find(kept.exact, name) != kept.exact.end();
}

/// Empty where the message has no such attribute.
std::string value_of(SystemAttribute attribute, const Delivery& delivery, bool fifo) {
  const MessageContent& content = delivery.message->content;
  switch (attribute) {
    case SystemAttribute::SenderId:
      return content.sender_id;
    case SystemAttribute::SentTimestamp:
      return std::to_string(to_epoch_ms(delivery.message->sent));
    case SystemAttribute::ApproximateReceiveCount:
      return std::to_string(delivery.receive_count);
    case SystemAttribute::ApproximateFirstReceiveTimestamp:
      return delivery.receive_count > 0 ? std::to_string(to_epoch_ms(delivery.first_received)) : std::string();
    case SystemAttribute::SequenceNumber:
      return fifo ? format_sequence_number(delivery.sequence) : std::string();
    case SystemAttribute::MessageDeduplicationId:
      return content.deduplication_id;
    case SystemAttribute::MessageGroupId:
      return content.group_id;
    case SystemAttribute::AWSTraceHeader:
      return content.trace_header;
    case SystemAttribute::DeadLetterQueueSourceArn:
      return delivery.message->dead_letter_source;
  }
  return {};
}

void tell_system_attributes(const Delivery& delivery, const Kept& kept, ReceivedMessage& out) {
  ReceivedMessage::Attributes told;
  for (std::size_t i = 0; i < system_attribute_names.size(); ++i) {
    if (!kept.system_attributes.at(i)) continue;
    std::string value = value_of(static_cast<SystemAttribute>(i), delivery, kept.fifo);
    if (!value.empty()) told.entries.emplace_back(system_attribute_names.at(i), std::move(value));
  }
  if (!told.entries.empty()) out.attributes = std::move(told);
}

void tell_message_attributes(const Delivery& delivery, const Kept& kept, ReceivedMessage& out) {
  std::vector<const MessageAttribute*> wanted;
  for (const MessageAttribute& attribute : delivery.message->content.attributes) {
    if (is_wanted(kept, attribute.name)) wanted.push_back(&attribute);
  }
  if (wanted.empty()) return;
  out.md5_of_message_attributes = to_hex(md5_of_attributes(std::span<const MessageAttribute* const>(wanted)));
  auto& entries = out.message_attributes.emplace().entries;
  entries.reserve(wanted.size());
  for (const MessageAttribute* attribute : wanted) {
    using Value = BasicAttributeValue<std::string_view>;
    Value& told = entries.emplace_back(attribute->name, Value()).second;
    if (attribute->is_binary()) {
      told.binary_value = BlobView{attribute->value};
    } else {
      told.string_value = attribute->value;
    }
    told.data_type = attribute->data_type;
  }
}

}  // namespace

Asked ReceiveMessageOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  if (input.receive_request_attempt_id) {
    Refusal refusal = check_identifier("ReceiveRequestAttemptId", *input.receive_request_attempt_id);
    if (refusal) return std::move(*refusal);
  }
  auto queue = queue_of(*input.queue_url, caller);
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  ReceiveMessages command;
  command.queue = std::get<QueueName>(std::move(queue));
  command.max_messages = input.max_number_of_messages.value_or(command.max_messages);
  command.visibility_seconds = input.visibility_timeout;
  command.wait_seconds = input.wait_time_seconds;
  command.attempt_id = std::move(input.receive_request_attempt_id).value_or(std::string());
  kept.fifo = is_fifo(command.queue.name);
  keep_system_attributes(input.attribute_names, kept);
  keep_system_attributes(input.message_system_attribute_names, kept);
  if (input.message_attribute_names) keep_message_attributes(*input.message_attribute_names, kept);
  return command;
}

Told<ReceiveMessageResult> ReceiveMessageOperation::to_output(Result&& result, Kept& kept) {
  const auto* deliveries = std::get_if<Deliveries>(&result);
  if (deliveries == nullptr) return unexpected_result();
  return tell_messages(deliveries->messages, kept);
}

ReceiveMessageResult tell_messages(const std::vector<Delivery>& messages, const ReceiveMessageOperation::Kept& kept) {
  ReceiveMessageResult output;
  for (const Delivery& delivery : messages) {
    if (!delivery.message) continue;
    if (!output.messages) output.messages.emplace().reserve(messages.size());
    ReceivedMessage& told = output.messages->emplace_back();
    told.message_id = delivery.message->message_id;
    told.receipt_handle = delivery.receipt_handle;
    told.md5_of_body = to_hex(delivery.message->content.body_md5);
    told.body = delivery.message->content.body;
    tell_system_attributes(delivery, kept, told);
    tell_message_attributes(delivery, kept, told);
  }
  return output;
}

}  // namespace penstock::protocol::sqs
