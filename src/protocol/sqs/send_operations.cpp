#include "protocol/sqs/send_operations.hpp"

#include <utility>

#include "protocol/digests.hpp"
#include "protocol/sqs/arn.hpp"

namespace penstock::protocol::sqs {
namespace {

std::optional<std::string> hex_of(const std::optional<Md5>& sum) {
  return sum ? std::optional(to_hex(*sum)) : std::nullopt;
}

Error message_too_long() {
  return {ErrorCode::InvalidParameterValue,
          "One or more parameters are invalid. Reason: Message must be shorter than " +
              std::to_string(sqs_limits::message_bytes_max) + " bytes."};
}

Error batch_too_long(std::size_t bytes) {
  return {ErrorCode::BatchRequestTooLong, "Batch requests cannot be longer than " +
                                              std::to_string(sqs_limits::message_bytes_max) + " bytes. You have sent " +
                                              std::to_string(bytes) + " bytes."};
}

/// Writes what a single send and a batch's entry have in common.
template <class Output>
void tell_sent(Output& output, Sent&& sent, const MessageSums& sums) {
  output.message_id = std::move(sent.message_id);
  output.sequence_number = std::move(sent.sequence_number);
  output.md5_of_message_body = to_hex(sums.body);
  output.md5_of_message_attributes = hex_of(sums.attributes);
  output.md5_of_message_system_attributes = hex_of(sums.system_attributes);
}

}  // namespace

Asked SendMessageOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  auto queue = queue_of(*input.queue_url, caller);
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  SendMessages command{std::get<QueueName>(std::move(queue)), {}, false};
  OutgoingMessage& message = command.messages.emplace_back();
  if (Refusal refusal = take_message(input, caller, is_fifo(command.queue.name), message, kept))
    return std::move(*refusal);
  if (message.bytes > sqs_limits::message_bytes_max) return message_too_long();
  return command;
}

Told<SendMessageResult> SendMessageOperation::to_output(Result&& result, Kept& kept) {
  auto* results = std::get_if<SendResults>(&result);
  if (results == nullptr || results->entries.size() != 1) return unexpected_result();
  auto& entry = results->entries.front();
  if (Error* error = std::get_if<Error>(&entry)) return std::move(*error);
  SendMessageResult output;
  tell_sent(output, std::get<Sent>(std::move(entry)), kept);
  return output;
}

Asked SendMessageBatchOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  auto queue = queue_of(*input.queue_url, caller);
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  if (Refusal refusal = check_batch(*input.entries)) return std::move(*refusal);
  std::size_t bytes = 0;
  for (const MessageFields& entry : *input.entries) bytes += message_bytes(entry);
  if (bytes > sqs_limits::message_bytes_max) return batch_too_long(bytes);

  SendMessages command{std::get<QueueName>(std::move(queue)), {}, true};
  const bool fifo = is_fifo(command.queue.name);
  for (SendMessageBatchRequestEntry& entry : *input.entries) {
    KeptEntry& told = kept.entries.emplace_back();
    told.id = std::move(*entry.id);
    OutgoingMessage message;
    told.refused = check_constraints(entry);
    command.lacks_group = command.lacks_group || (fifo && !entry.message_group_id);
    if (!told.refused) told.refused = take_message(entry, caller, fifo, message, told.sums);
    if (!told.refused) command.messages.push_back(std::move(message));
  }
  if (command.messages.empty() && !command.lacks_group) return LookupQueue{std::move(command.queue)};
  return command;
}

Told<SendMessageBatchResult> SendMessageBatchOperation::to_output(Result&& result, Kept& kept) {
  std::vector<std::variant<Sent, Error>> answered;
  if (auto* results = std::get_if<SendResults>(&result)) answered = std::move(results->entries);
  if (answered.size() != count_asked(kept.entries)) return unexpected_result();
  SendMessageBatchResult output;
  merge_batch(kept.entries, answered, output, [&](KeptEntry& entry, std::variant<Sent, Error>& told) -> Refusal {
    if (Error* error = std::get_if<Error>(&told)) return std::move(*error);
    SendMessageBatchResultEntry& sent = output.successful->emplace_back();
    sent.id = std::move(entry.id);
    tell_sent(sent, std::get<Sent>(std::move(told)), entry.sums);
    return std::nullopt;
  });
  return output;
}

}  // namespace penstock::protocol::sqs
