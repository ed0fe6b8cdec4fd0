// ReceiveMessage.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/limits.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/call.hpp"
#include "protocol/sqs/message_content.hpp"

namespace penstock::protocol::sqs {

/// The attributes that the queue keeps of a message, in the order in which an answer has them.
enum class SystemAttribute : std::uint8_t {
  SenderId,
  SentTimestamp,
  ApproximateReceiveCount,
  ApproximateFirstReceiveTimestamp,
  SequenceNumber,
  MessageDeduplicationId,
  MessageGroupId,
  AWSTraceHeader,
  DeadLetterQueueSourceArn,
};

inline constexpr std::array<std::string_view, 9> system_attribute_names{"SenderId",
                                                                        "SentTimestamp",
                                                                        "ApproximateReceiveCount",
                                                                        "ApproximateFirstReceiveTimestamp",
                                                                        "SequenceNumber",
                                                                        "MessageDeduplicationId",
                                                                        "MessageGroupId",
                                                                        "AWSTraceHeader",
                                                                        "DeadLetterQueueSourceArn"};

/// What may be asked for: those, all of them, and one that the documentation lists although no message has it.
inline constexpr std::array<std::string_view, 11> receivable_attribute_names{"All",
                                                                             "SenderId",
                                                                             "SentTimestamp",
                                                                             "ApproximateReceiveCount",
                                                                             "ApproximateFirstReceiveTimestamp",
                                                                             "SequenceNumber",
                                                                             "MessageDeduplicationId",
                                                                             "MessageGroupId",
                                                                             "AWSTraceHeader",
                                                                             "DeadLetterQueueSourceArn",
                                                                             "SqsManagedSseEnabled"};

struct ReceiveMessageRequest {
  std::optional<std::string> queue_url;
  std::optional<std::vector<std::string>> attribute_names;
  std::optional<std::vector<std::string>> message_system_attribute_names;
  std::optional<std::vector<std::string>> message_attribute_names;
  std::optional<std::int32_t> max_number_of_messages;
  std::optional<std::int32_t> visibility_timeout;
  std::optional<std::int32_t> wait_time_seconds;
  std::optional<std::string> receive_request_attempt_id;

  static constexpr auto shape() {
    using Self = ReceiveMessageRequest;
    constexpr Range messages{1, sqs_limits::receive_messages_max, Range::Wording::between};
    constexpr Range visibility{0, sqs_limits::visibility_seconds_max};
    constexpr Range wait{0, sqs_limits::wait_seconds_max};
    constexpr Constraints attributes{.allowed = receivable_attribute_names};
    return Shape(
        "ReceiveMessageRequest", required("QueueUrl", &Self::queue_url),
        optional("AttributeNames", &Self::attribute_names, {.query = "AttributeName", .constraints = attributes}),
        optional("MessageSystemAttributeNames", &Self::message_system_attribute_names,
                 {.query = "MessageSystemAttributeName", .constraints = attributes}),
        optional("MessageAttributeNames", &Self::message_attribute_names, {.query = "MessageAttributeName"}),
        optional("MaxNumberOfMessages", &Self::max_number_of_messages, {.constraints = {.range = messages}}),
        optional("VisibilityTimeout", &Self::visibility_timeout, {.constraints = {.range = visibility}}),
        optional("WaitTimeSeconds", &Self::wait_time_seconds, {.constraints = {.range = wait}}),
        optional("ReceiveRequestAttemptId", &Self::receive_request_attempt_id));
  }
};

/// Views into the deliveries that it tells.
struct ReceivedMessage {
  using Attributes = BasicMap<std::string_view, std::string>;
  using MessageAttributes = BasicMap<std::string_view, BasicAttributeValue<std::string_view>>;

  std::optional<std::string_view> message_id;
  std::optional<std::string_view> receipt_handle;
  std::optional<std::string> md5_of_body;
  std::optional<std::string_view> body;
  std::optional<Attributes> attributes;
  std::optional<std::string> md5_of_message_attributes;
  std::optional<MessageAttributes> message_attributes;

  static constexpr auto shape() {
    using Self = ReceivedMessage;
    return Shape("Message", optional("MessageId", &Self::message_id), optional("ReceiptHandle", &Self::receipt_handle),
                 optional("MD5OfBody", &Self::md5_of_body), optional("Body", &Self::body),
                 optional("Attributes", &Self::attributes, {.query = "Attribute"}),
                 optional("MD5OfMessageAttributes", &Self::md5_of_message_attributes),
                 optional("MessageAttributes", &Self::message_attributes, {.query = "MessageAttribute"}));
  }
};

struct ReceiveMessageResult {
  std::optional<std::vector<ReceivedMessage>> messages;

  static constexpr auto shape() {
    return Shape("ReceiveMessageResult", optional("Messages", &ReceiveMessageResult::messages, {.query = "Message"}));
  }
};

struct ReceiveMessageOperation {
  static constexpr std::string_view name = "ReceiveMessage";
  static constexpr auto errors = errors_of(ErrorCode::OverLimit, ErrorCode::QueueDoesNotExist);
  using Input = ReceiveMessageRequest;
  using Output = ReceiveMessageResult;
  /// Which attributes the client wants to see.
  struct Kept {
    std::array<bool, system_attribute_names.size()> system_attributes{};
    bool fifo = false;
    std::vector<std::string> exact;     ///< names of message attributes
    std::vector<std::string> prefixes;  ///< of message attributes; an empty one is that of all
  };
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  /// The output refers to `result`, which is left as it is.
  static Told<Output> to_output(Result&& result, Kept& kept);
};

/// What a client is shown of messages. Refers to them; those without their message are left out.
ReceiveMessageResult tell_messages(const std::vector<Delivery>& messages, const ReceiveMessageOperation::Kept& kept);

}  // namespace penstock::protocol::sqs
