// SendMessage and SendMessageBatch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/batch.hpp"
#include "protocol/sqs/call.hpp"
#include "protocol/sqs/message_content.hpp"

namespace penstock::protocol::sqs {

// ---- SendMessage

struct SendMessageRequest : MessageFields {
  std::optional<std::string> queue_url;

  static constexpr auto shape() {
    return shape_after("SendMessageRequest", required("QueueUrl", &SendMessageRequest::queue_url));
  }
};

struct SendMessageResult {
  std::optional<std::string> md5_of_message_body;
  std::optional<std::string> md5_of_message_attributes;
  std::optional<std::string> md5_of_message_system_attributes;
  std::optional<std::string> message_id;
  std::optional<std::string> sequence_number;

  static constexpr auto shape() {
    using Self = SendMessageResult;
    return Shape("SendMessageResult", optional("MD5OfMessageBody", &Self::md5_of_message_body),
                 optional("MD5OfMessageAttributes", &Self::md5_of_message_attributes),
                 optional("MD5OfMessageSystemAttributes", &Self::md5_of_message_system_attributes),
                 optional("MessageId", &Self::message_id), optional("SequenceNumber", &Self::sequence_number));
  }
};

struct SendMessageOperation {
  static constexpr std::string_view name = "SendMessage";
  static constexpr auto errors = errors_of(ErrorCode::InvalidMessageContents, ErrorCode::QueueDoesNotExist);
  using Input = SendMessageRequest;
  using Output = SendMessageResult;
  using Kept = MessageSums;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- SendMessageBatch

struct SendMessageBatchRequestEntry : MessageFields {
  std::optional<std::string> id;

  static constexpr auto shape() {
    return shape_after("SendMessageBatchRequestEntry", required("Id", &SendMessageBatchRequestEntry::id));
  }
};

struct SendMessageBatchRequest {
  std::optional<std::string> queue_url;
  std::optional<std::vector<SendMessageBatchRequestEntry>> entries;

  static constexpr auto shape() {
    using Self = SendMessageBatchRequest;
    return Shape("SendMessageBatchRequest", required("QueueUrl", &Self::queue_url),
                 required("Entries", &Self::entries, {.query = "SendMessageBatchRequestEntry"}));
  }
};

struct SendMessageBatchResultEntry {
  std::optional<std::string> id;
  std::optional<std::string> message_id;
  std::optional<std::string> md5_of_message_body;
  std::optional<std::string> md5_of_message_attributes;
  std::optional<std::string> md5_of_message_system_attributes;
  std::optional<std::string> sequence_number;

  static constexpr auto shape() {
    using Self = SendMessageBatchResultEntry;
    return Shape("SendMessageBatchResultEntry", required("Id", &Self::id), required("MessageId", &Self::message_id),
                 required("MD5OfMessageBody", &Self::md5_of_message_body),
                 optional("MD5OfMessageAttributes", &Self::md5_of_message_attributes),
                 optional("MD5OfMessageSystemAttributes", &Self::md5_of_message_system_attributes),
                 optional("SequenceNumber", &Self::sequence_number));
  }
};

struct SendMessageBatchResult : BatchResult<SendMessageBatchResultEntry> {
  static constexpr auto shape() { return shape_named("SendMessageBatchResult"); }
};

struct SendMessageBatchOperation {
  static constexpr std::string_view name = "SendMessageBatch";
  static constexpr auto errors = errors_of(ErrorCode::TooManyEntriesInBatchRequest, ErrorCode::EmptyBatchRequest,
                                           ErrorCode::BatchEntryIdsNotDistinct, ErrorCode::BatchRequestTooLong,
                                           ErrorCode::InvalidBatchEntryId, ErrorCode::QueueDoesNotExist);
  using Input = SendMessageBatchRequest;
  using Output = SendMessageBatchResult;
  struct KeptEntry : BatchEntry {
    MessageSums sums;
  };
  struct Kept {
    std::vector<KeptEntry> entries;
  };
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::sqs
