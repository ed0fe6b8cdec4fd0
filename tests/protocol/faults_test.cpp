// The table of what can be wrong, against the reference.
#include "protocol/faults.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

struct FaultRow {
  ErrorCode code;
  std::string_view json_type;
  std::string_view query_code;
  int status;
};

TEST(Faults, AreAsTheReferenceSays) {
  using enum ErrorCode;
  const std::vector<FaultRow> rows = {
      {QueueDoesNotExist, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400},
      {TooManyEntriesInBatchRequest, "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
       "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400},
      {BatchRequestTooLong, "com.amazonaws.sqs#BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400},
      {BatchEntryIdsNotDistinct, "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
       "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400},
      {InvalidBatchEntryId, "com.amazonaws.sqs#InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400},
      {EmptyBatchRequest, "com.amazonaws.sqs#EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400},
      {PurgeQueueInProgress, "com.amazonaws.sqs#PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress",
       403},
      {QueueDeletedRecently, "com.amazonaws.sqs#QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently",
       400},
      {UnsupportedOperation, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation",
       400},
      {MessageNotInflight, "com.amazonaws.sqs#MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400},
      {QueueNameExists, "com.amazonaws.sqs#QueueNameExists", "QueueAlreadyExists", 400},
      {InvalidAttributeName, "com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName", 400},
      {InvalidAttributeValue, "com.amazonaws.sqs#InvalidAttributeValue", "InvalidAttributeValue", 400},
      {ReceiptHandleIsInvalid, "com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404},
      {InvalidMessageContents, "com.amazonaws.sqs#InvalidMessageContents", "InvalidMessageContents", 400},
      {InvalidParameterValue, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue", 400},
      {MissingParameter, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter", 400},
      {UnknownOperation, "com.amazon.coral.service#UnknownOperationException", "InvalidAction", 400},
      {Serialization, "com.amazon.coral.service#SerializationException", "MalformedInput", 400},
      {OverLimit, "com.amazonaws.sqs#OverLimit", "OverLimit", 403},
      {ResourceNotFound, "com.amazonaws.sqs#ResourceNotFoundException", "ResourceNotFoundException", 404},
      {RequestTooLarge, "com.amazon.coral.service#RequestEntityTooLargeException", "RequestEntityTooLarge", 413},
      {AccessDenied, "com.amazon.coral.service#AccessDeniedException", "AccessDenied", 403},
      {ServiceUnavailable, "com.amazon.coral.service#ServiceUnavailableException", "ServiceUnavailable", 503},
      {InternalFailure, "com.amazon.coral.service#InternalFailure", "InternalFailure", 500},
  };
  for (const FaultRow& row : rows) {
    const Fault& fault = fault_of(row.code);
    EXPECT_EQ(fault.json_type, row.json_type);
    EXPECT_EQ(fault.query_code, row.query_code);
    EXPECT_EQ(fault.status, row.status) << row.query_code;
    EXPECT_EQ(fault.sender, row.status < 500) << row.query_code;
    EXPECT_FALSE(fault.message.empty()) << row.query_code;
  }
}

TEST(Faults, OfTheServerAreTheReceivers) {
  const Request json = json_request("SendMessage", "{}");
  const auto answer = [](const Request& request) {
    std::vector<Header> headers;
    for (const auto& [name, value] : request.headers) headers.push_back({name, value});
    return respond_error({request.method, request.target, headers, request.body, request_id},
                         {ErrorCode::ServiceUnavailable, "The disk is full."});
  };
  EXPECT_EQ(status_and_body(answer(json)),
            json_error(503, "com.amazon.coral.service#ServiceUnavailableException", "The disk is full."));
  EXPECT_EQ(header_of(answer(json), "x-amzn-query-error"), "ServiceUnavailable;Receiver");
  EXPECT_EQ(status_and_body(answer(query_request("Action=SendMessage"))),
            query_error(503, "ServiceUnavailable", "The disk is full.", "Receiver"));
  EXPECT_EQ(answer(Request{}).content_type, "text/xml");
}

}  // namespace
}  // namespace penstock::protocol::testing
