// What can go wrong, as a closed set. The wire form of each (type, Query code, status) is the table in
// src/protocol/faults; the wording that depends on the values stands where the values are known.
#pragma once

#include <cstdint>
#include <string>

namespace penstock {

enum class ErrorCode : std::uint8_t {
  // SQS, modelled.
  QueueDoesNotExist,
  QueueNameExists,
  QueueDeletedRecently,
  PurgeQueueInProgress,
  OverLimit,
  ReceiptHandleIsInvalid,
  MessageNotInflight,
  InvalidAttributeName,
  InvalidAttributeValue,
  InvalidMessageContents,
  UnsupportedOperation,
  InvalidAddress,
  InvalidSecurity,
  TooManyEntriesInBatchRequest,
  EmptyBatchRequest,
  BatchEntryIdsNotDistinct,
  InvalidBatchEntryId,
  BatchRequestTooLong,
  ResourceNotFound,
  RequestThrottled,
  // Kinesis, modelled.
  KinesisResourceNotFound,
  KinesisResourceInUse,
  KinesisLimitExceeded,
  KinesisInvalidArgument,
  KinesisValidation,
  KinesisThroughputExceeded,
  KinesisExpiredIterator,
  KinesisExpiredNextToken,
  KinesisAccessDenied,
  KinesisInternalFailure,
  KinesisKmsDisabled,
  KinesisKmsInvalidState,
  KinesisKmsAccessDenied,
  KinesisKmsNotFound,
  KinesisKmsOptInRequired,
  KinesisKmsThrottling,
  // Common to the services, unmodelled.
  InvalidParameterValue,
  MissingParameter,
  UnknownOperation,
  InvalidAction,
  Serialization,
  RequestTooLarge,
  AccessDenied,
  ServiceUnavailable,
  InternalFailure,
};

struct Error {
  ErrorCode code{};
  std::string message;  ///< the service's own wording; empty where the fault table's default text is meant
  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace penstock
