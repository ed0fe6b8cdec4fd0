// What is done with receipt handles: DeleteMessage, ChangeMessageVisibility and their batches.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/limits.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/batch.hpp"
#include "protocol/sqs/call.hpp"

namespace penstock::protocol::sqs {

inline constexpr MemberOptions visibility_timeout_range{
    .constraints = {.range = Range{0, sqs_limits::visibility_seconds_max}}};

struct KeepsEntries {
  std::vector<BatchEntry> entries;
};

// ---- DeleteMessage

struct DeleteMessageRequest {
  std::optional<std::string> queue_url;
  std::optional<std::string> receipt_handle;

  static constexpr auto shape() {
    using Self = DeleteMessageRequest;
    return Shape("DeleteMessageRequest", required("QueueUrl", &Self::queue_url),
                 required("ReceiptHandle", &Self::receipt_handle));
  }
};

struct DeleteMessageOperation {
  static constexpr std::string_view name = "DeleteMessage";
  static constexpr auto errors = errors_of(ErrorCode::ReceiptHandleIsInvalid, ErrorCode::QueueDoesNotExist);
  using Input = DeleteMessageRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DeleteMessageBatch

struct DeleteMessageBatchRequestEntry {
  std::optional<std::string> id;
  std::optional<std::string> receipt_handle;

  static constexpr auto shape() {
    using Self = DeleteMessageBatchRequestEntry;
    return Shape("DeleteMessageBatchRequestEntry", required("Id", &Self::id),
                 required("ReceiptHandle", &Self::receipt_handle));
  }
};

struct DeleteMessageBatchRequest {
  std::optional<std::string> queue_url;
  std::optional<std::vector<DeleteMessageBatchRequestEntry>> entries;

  static constexpr auto shape() {
    using Self = DeleteMessageBatchRequest;
    return Shape("DeleteMessageBatchRequest", required("QueueUrl", &Self::queue_url),
                 required("Entries", &Self::entries, {.query = "DeleteMessageBatchRequestEntry"}));
  }
};

struct DeleteMessageBatchResultEntry {
  std::optional<std::string> id;

  static constexpr auto shape() {
    return Shape("DeleteMessageBatchResultEntry", required("Id", &DeleteMessageBatchResultEntry::id));
  }
};

struct DeleteMessageBatchResult : BatchResult<DeleteMessageBatchResultEntry> {
  static constexpr auto shape() { return shape_named("DeleteMessageBatchResult"); }
};

struct DeleteMessageBatchOperation {
  static constexpr std::string_view name = "DeleteMessageBatch";
  static constexpr auto errors =
      errors_of(ErrorCode::TooManyEntriesInBatchRequest, ErrorCode::EmptyBatchRequest,
                ErrorCode::BatchEntryIdsNotDistinct, ErrorCode::InvalidBatchEntryId, ErrorCode::QueueDoesNotExist);
  using Input = DeleteMessageBatchRequest;
  using Output = DeleteMessageBatchResult;
  using Kept = KeepsEntries;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ChangeMessageVisibility

struct ChangeMessageVisibilityRequest {
  std::optional<std::string> queue_url;
  std::optional<std::string> receipt_handle;
  std::optional<std::int32_t> visibility_timeout;

  static constexpr auto shape() {
    using Self = ChangeMessageVisibilityRequest;
    return Shape("ChangeMessageVisibilityRequest", required("QueueUrl", &Self::queue_url),
                 required("ReceiptHandle", &Self::receipt_handle),
                 required("VisibilityTimeout", &Self::visibility_timeout, visibility_timeout_range));
  }
};

struct ChangeMessageVisibilityOperation {
  static constexpr std::string_view name = "ChangeMessageVisibility";
  static constexpr auto errors =
      errors_of(ErrorCode::MessageNotInflight, ErrorCode::ReceiptHandleIsInvalid, ErrorCode::QueueDoesNotExist);
  using Input = ChangeMessageVisibilityRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ChangeMessageVisibilityBatch

struct ChangeMessageVisibilityBatchRequestEntry {
  std::optional<std::string> id;
  std::optional<std::string> receipt_handle;
  std::optional<std::int32_t> visibility_timeout;

  static constexpr auto shape() {
    using Self = ChangeMessageVisibilityBatchRequestEntry;
    return Shape("ChangeMessageVisibilityBatchRequestEntry", required("Id", &Self::id),
                 required("ReceiptHandle", &Self::receipt_handle),
                 optional("VisibilityTimeout", &Self::visibility_timeout, visibility_timeout_range));
  }
};

struct ChangeMessageVisibilityBatchRequest {
  std::optional<std::string> queue_url;
  std::optional<std::vector<ChangeMessageVisibilityBatchRequestEntry>> entries;

  static constexpr auto shape() {
    using Self = ChangeMessageVisibilityBatchRequest;
    return Shape("ChangeMessageVisibilityBatchRequest", required("QueueUrl", &Self::queue_url),
                 required("Entries", &Self::entries, {.query = "ChangeMessageVisibilityBatchRequestEntry"}));
  }
};

struct ChangeMessageVisibilityBatchResultEntry {
  std::optional<std::string> id;

  static constexpr auto shape() {
    return Shape("ChangeMessageVisibilityBatchResultEntry",
                 required("Id", &ChangeMessageVisibilityBatchResultEntry::id));
  }
};

struct ChangeMessageVisibilityBatchResult : BatchResult<ChangeMessageVisibilityBatchResultEntry> {
  static constexpr auto shape() { return shape_named("ChangeMessageVisibilityBatchResult"); }
};

struct ChangeMessageVisibilityBatchOperation {
  static constexpr std::string_view name = "ChangeMessageVisibilityBatch";
  static constexpr auto errors =
      errors_of(ErrorCode::TooManyEntriesInBatchRequest, ErrorCode::EmptyBatchRequest,
                ErrorCode::BatchEntryIdsNotDistinct, ErrorCode::InvalidBatchEntryId, ErrorCode::QueueDoesNotExist);
  using Input = ChangeMessageVisibilityBatchRequest;
  using Output = ChangeMessageVisibilityBatchResult;
  using Kept = KeepsEntries;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::sqs
