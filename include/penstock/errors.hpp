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
  // Of consumers with positions.
  ConsumerNotFound,
  ConsumerExists,         ///< with other settings
  ConsumerLimitExceeded,  ///< of consumers, members, or polls that wait
  ConsumerBusy,           ///< a transaction of it is under way
  LeaseLost,              ///< a position came with an epoch that is over
  MemberReplaced,         ///< another with its name has joined
  MemberUnknown,          ///< its lease time was over
  PositionConflict,       ///< it would go backwards, or not forward where it has to
  InvalidPosition,        ///< it is none of its shard's
  InvalidRequest,         ///< a member is missing, or not as it has to be
  // Of the server as a whole.
  NotEnabled,      ///< the server was not started with what it takes
  NotFound,        ///< what is asked for is not kept, or not any more
  ServerConflict,  ///< not in the state that the server is in
  ServerBusy,      ///< as many such requests are being served as may be
  Unauthorized,    ///< it takes a token
  // Lambda, modelled.
  LambdaResourceNotFound,
  LambdaResourceConflict,
  LambdaResourceInUse,
  LambdaInvalidParameterValue,
  LambdaTooManyRequests,              ///< by the caller: what the server keeps for requests is full
  LambdaConcurrencyExceeded,          ///< the same on the wire, but for its Reason: no slot of those for all is free
  LambdaReservedConcurrencyExceeded,  ///< nor this: the function's reservation is used up
  LambdaRequestTooLarge,
  LambdaInvalidRequestContent,
  LambdaUnsupportedMediaType,
  LambdaCodeStorageExceeded,
  LambdaPreconditionFailed,
  LambdaInvalidRuntime,
  LambdaInvalidZipFile,
  LambdaResourceNotReady,
  LambdaServiceException,
  // And of Lambda, unmodelled.
  LambdaValidation,
  LambdaAccessDenied,
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
