// What is wrong with a request, in the service's words and codes, in both protocols.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "penstock/limits.hpp"
#include "protocol/faults.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

struct ErrorCase {
  std::string name;
  std::string operation;
  std::string json;  ///< members after the QueueUrl, or the whole body if it begins with a brace
  std::string form;  ///< parameters after Action and QueueUrl; not sent if it is "-"
  ErrorCode code{};
  std::string message;

  friend void PrintTo(const ErrorCase& error, std::ostream* out) { *out << error.name; }
};

std::string attributes_json(std::string_view attributes) {
  return R"("MessageBody":"b","MessageAttributes":{)" + std::string(attributes) + "}";
}

std::string attribute_form(std::string_view name, std::string_view rest) {
  return "MessageBody=b&MessageAttribute.1.Name=" + std::string(name) + "&MessageAttribute.1.Value." +
         std::string(rest);
}

std::string eleven_attributes(bool json) {
  std::string text;
  for (int i = 1; i <= 11; ++i) {
    const std::string n = std::to_string(i);
    text += json ? (i > 1 ? ",\"a" : "\"a") + n + R"(":{"DataType":"String","StringValue":"v"})"
                 : "&MessageAttribute." + n + ".Name=a" + n + "&MessageAttribute." + n + ".Value.DataType=String";
  }
  return text;
}

std::vector<ErrorCase> required_cases() {
  using enum ErrorCode;
  const std::string must = "The request must contain the parameter ";
  return {
      {"NoQueueUrl", "SendMessage", R"({"MessageBody":"b"})", "-", MissingParameter, must + "QueueUrl."},
      {"NullCountsAsAbsent", "SendMessage", R"("MessageBody":null)", "", MissingParameter, must + "MessageBody."},
      {"EmptyBody", "SendMessage", R"("MessageBody":"")", "MessageBody=", MissingParameter, must + "MessageBody."},
      {"NoQueueName", "CreateQueue", "{}", "", MissingParameter, must + "QueueName."},
      {"NoHandle", "DeleteMessage", "", "", MissingParameter, must + "ReceiptHandle."},
      {"NoTimeout", "ChangeMessageVisibility", R"("ReceiptHandle":"h")", "ReceiptHandle=h", MissingParameter,
       must + "VisibilityTimeout."},
      {"NoAttributes", "SetQueueAttributes", "", "", MissingParameter, must + "Attributes."},
      {"NoEntryId", "DeleteMessageBatch", R"("Entries":[{"ReceiptHandle":"h"}])",
       "DeleteMessageBatchRequestEntry.1.ReceiptHandle=h", MissingParameter,
       must + "DeleteMessageBatchRequestEntry.1.Id."},
      {"NoEntryTimeout", "ChangeMessageVisibilityBatch", R"("Entries":[{"Id":"a","ReceiptHandle":"h"}])",
       "ChangeMessageVisibilityBatchRequestEntry.1.Id=a&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=h",
       MissingParameter, must + "ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout."},
  };
}

std::vector<ErrorCase> value_cases() {
  using enum ErrorCode;
  const auto value = [](std::string_view text) { return "Value " + std::string(text); };
  const std::string names = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
  const std::string identifiers = " can only include alphanumeric and punctuation characters. 1 to 128 in length.";
  const std::string long_name(81, 'q');
  const std::string long_id(129, 'g');
  return {
      {"TooManyMessages", "ReceiveMessage", R"("MaxNumberOfMessages":11)", "MaxNumberOfMessages=11",
       InvalidParameterValue,
       "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."},
      {"NoMessages", "ReceiveMessage", R"("MaxNumberOfMessages":0)", "MaxNumberOfMessages=0", InvalidParameterValue,
       "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."},
      {"LongWait", "ReceiveMessage", R"("WaitTimeSeconds":21)", "WaitTimeSeconds=21", InvalidParameterValue,
       "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."},
      {"LongVisibility", "ReceiveMessage", R"("VisibilityTimeout":43201)", "VisibilityTimeout=43201",
       InvalidParameterValue,
       "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided."},
      {"NegativeVisibility", "ChangeMessageVisibility", R"("ReceiptHandle":"h","VisibilityTimeout":-1)",
       "ReceiptHandle=h&VisibilityTimeout=-1", InvalidParameterValue,
       "Value -1 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided."},
      {"LongDelay", "SendMessage", R"("MessageBody":"b","DelaySeconds":901)", "MessageBody=b&DelaySeconds=901",
       InvalidParameterValue,
       "Value 901 for parameter DelaySeconds is invalid. Reason: Must be >= 0 and <= 900, if provided."},
      {"ManyResults", "ListQueues", R"({"MaxResults":1001})", "MaxResults=1001", InvalidParameterValue,
       "Value 1001 for parameter MaxResults is invalid. Reason: Must be between 1 and 1000, if provided."},
      {"ForeignToken", "ListQueues", R"({"NextToken":"AAAA"})", "NextToken=AAAA", InvalidParameterValue,
       "Value AAAA for parameter NextToken is invalid. Reason: Must be a token of an earlier answer."},
      {"NameCharacters", "CreateQueue", R"({"QueueName":"a b"})", "QueueName=a+b", InvalidParameterValue, names},
      {"NameTooLong", "CreateQueue", R"({"QueueName":")" + long_name + "\"}", "QueueName=" + long_name,
       InvalidParameterValue, names},
      {"NameOnlySuffix", "GetQueueUrl", R"({"QueueName":".fifo"})", "QueueName=.fifo", InvalidParameterValue, names},
      {"Owner", "GetQueueUrl", R"({"QueueName":"q","QueueOwnerAWSAccountId":"1"})",
       "QueueName=q&QueueOwnerAWSAccountId=1", InvalidParameterValue,
       "Value 1 for parameter QueueOwnerAWSAccountId is invalid. Reason: Must be an account number of 12 digits."},
      {"EmptyGroup", "SendMessage", R"("MessageBody":"b","MessageGroupId":"")", "MessageBody=b&MessageGroupId=",
       InvalidParameterValue, "Value  for parameter MessageGroupId is invalid. Reason: MessageGroupId" + identifiers},
      {"LongGroup", "SendMessage", R"("MessageBody":"b","MessageGroupId":")" + long_id + "\"",
       "MessageBody=b&MessageGroupId=" + long_id, InvalidParameterValue,
       value(long_id) + " for parameter MessageGroupId is invalid. Reason: MessageGroupId" + identifiers},
      {"DedupCharacters", "SendMessage", R"("MessageBody":"b","MessageDeduplicationId":"a b")",
       "MessageBody=b&MessageDeduplicationId=a%20b", InvalidParameterValue,
       "Value a b for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId" + identifiers},
      {"AttemptId", "ReceiveMessage", R"("ReceiveRequestAttemptId":"é")", "ReceiveRequestAttemptId=%C3%A9",
       InvalidParameterValue,
       "Value é for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId" + identifiers},
      {"UnknownAttribute", "ReceiveMessage", R"("AttributeNames":["All","Policy"])",
       "AttributeName.1=All&AttributeName.2=Policy", InvalidAttributeName, "Unknown Attribute Policy."},
      {"UnknownSystemAttribute", "ReceiveMessage", R"("MessageSystemAttributeNames":["Bogus"])",
       "MessageSystemAttributeName.1=Bogus", InvalidAttributeName, "Unknown Attribute Bogus."},
      {"NotAnInteger", "ReceiveMessage", "-", "WaitTimeSeconds=abc", InvalidParameterValue,
       "Value abc for parameter WaitTimeSeconds is invalid. Reason: Must be an integer."},
      {"Address", "DeleteQueue", R"({"QueueUrl":"http://localhost:4566/nowhere"})", "-", InvalidAddress,
       "The address http://localhost:4566/nowhere is not valid for this endpoint."},
      {"AddressNotAUrl", "DeleteQueue", R"({"QueueUrl":"http://["})", "-", InvalidAddress,
       "The address http://[ is not valid for this endpoint."},
  };
}

std::vector<ErrorCase> attribute_cases() {
  using enum ErrorCode;
  const auto named = [](std::string_view rule) { return "The name of message (user) attribute '" + std::string(rule); };
  const std::string string_value = R"(":{"DataType":"String","StringValue":"v"})";
  const std::string typed = "DataType=String&MessageAttribute.1.Value.StringValue=v";
  const std::string long_name(257, 'n');
  const std::string periods =
      "is invalid. It must not start or end with a period, and it should not have periods in "
      "succession.";
  const std::string reserved = "is invalid. It must not start with AWS-reserved prefixes such as AWS. or Amazon.";
  return {
      {"Eleven", "SendMessage", attributes_json(eleven_attributes(true)), "MessageBody=b" + eleven_attributes(false),
       InvalidParameterValue, "Number of message attributes [11] exceeds the allowed maximum [10]."},
      {"NoName", "SendMessage", attributes_json("\"" + string_value), attribute_form("", typed), InvalidParameterValue,
       "The request must contain non-empty message attribute name."},
      {"NameCharacter", "SendMessage", attributes_json("\"a b" + string_value), attribute_form("a+b", typed),
       InvalidParameterValue,
       named("a b' is invalid. It can contain only alphanumeric characters, underscores, hyphens and periods.")},
      {"LongAttributeName", "SendMessage", attributes_json("\"" + long_name + string_value),
       attribute_form(long_name, typed), InvalidParameterValue,
       named(long_name + "' is invalid. It can be up to 256 characters long.")},
      {"LeadingPeriod", "SendMessage", attributes_json("\".a" + string_value), attribute_form(".a", typed),
       InvalidParameterValue, named(".a' " + periods)},
      {"TrailingPeriod", "SendMessage", attributes_json("\"a." + string_value), attribute_form("a.", typed),
       InvalidParameterValue, named("a.' " + periods)},
      {"TwoPeriods", "SendMessage", attributes_json("\"a..b" + string_value), attribute_form("a..b", typed),
       InvalidParameterValue, named("a..b' " + periods)},
      {"ReservedAws", "SendMessage", attributes_json("\"aWs.x" + string_value), attribute_form("aWs.x", typed),
       InvalidParameterValue, named("aWs.x' " + reserved)},
      {"ReservedAmazon", "SendMessage", attributes_json("\"AMAZON.x" + string_value), attribute_form("AMAZON.x", typed),
       InvalidParameterValue, named("AMAZON.x' " + reserved)},
      {"NoType", "SendMessage", attributes_json(R"("a":{"StringValue":"v"})"), attribute_form("a", "StringValue=v"),
       InvalidParameterValue, "Message (user) attribute 'a' must contain a non-empty attribute type."},
      {"WrongType", "SendMessage", attributes_json(R"("a":{"DataType":"string","StringValue":"v"})"),
       attribute_form("a", "DataType=string"), InvalidParameterValue,
       "The type of message (user) attribute 'a' is invalid. You must use only the following supported type prefixes: "
       "Binary, Number, String."},
      {"LongType", "SendMessage", attributes_json(R"("a":{"DataType":"String.)" + long_name + "\"}"),
       attribute_form("a", "DataType=String." + long_name), InvalidParameterValue,
       "The type of message (user) attribute 'a' is invalid. It can be up to 256 characters long."},
      {"EmptyValue", "SendMessage", attributes_json(R"("a":{"DataType":"String","StringValue":""})"),
       attribute_form("a", "DataType=String&MessageAttribute.1.Value.StringValue="), InvalidParameterValue,
       "Message (user) attribute 'a' must contain a non-empty value of type 'String'."},
      {"EmptyBinary", "SendMessage", attributes_json(R"("a":{"DataType":"Binary.x","StringValue":"v"})"),
       attribute_form("a", "DataType=Binary.x"), InvalidParameterValue,
       "Message (user) attribute 'a' must contain a non-empty value of type 'Binary'."},
      {"TwoValues", "SendMessage",
       attributes_json(R"("a":{"DataType":"String","StringValue":"v","BinaryValue":"AAAA"})"),
       attribute_form("a", typed + "&MessageAttribute.1.Value.BinaryValue=AAAA"), InvalidParameterValue,
       "Message (user) attribute 'a' must contain exactly one value, of type 'String'."},
      {"List", "SendMessage", attributes_json(R"("a":{"DataType":"String","StringListValues":["v"]})"),
       attribute_form("a", "DataType=String&MessageAttribute.1.Value.StringListValue.1=v"), InvalidParameterValue,
       "Message (user) attribute 'a' has a list of values. Lists are reserved for future use."},
      {"NoNumber", "SendMessage", attributes_json(R"("a":{"DataType":"Number.int","StringValue":"1x"})"),
       attribute_form("a", "DataType=Number.int&MessageAttribute.1.Value.StringValue=1x"), InvalidParameterValue,
       "The value of message (user) attribute 'a' is invalid. It must be a number with up to 38 digits of precision."},
      {"Twice", "SendMessage", attributes_json("\"a" + string_value + ",\"a" + string_value),
       attribute_form("a", typed) +
           "&MessageAttribute.2.Name=a&MessageAttribute.2.Value.DataType=String&MessageAttribute.2.Value.StringValue=w",
       InvalidParameterValue, "Message (user) attribute 'a' must be contained only once."},
      {"SystemName", "SendMessage", R"("MessageBody":"b","MessageSystemAttributes":{"a":{"DataType":"String"}})",
       "MessageBody=b&MessageSystemAttribute.1.Name=a", InvalidParameterValue,
       "Message (system) attribute 'a' is invalid. You must use only the following supported attribute: "
       "AWSTraceHeader."},
      {"SystemType", "SendMessage",
       R"("MessageBody":"b","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"Number","StringValue":"1"}})",
       "MessageBody=b&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=Number",
       InvalidParameterValue, "Message (system) attribute 'AWSTraceHeader' must be of type 'String'."},
  };
}

std::vector<ErrorCase> content_cases() {
  using enum ErrorCode;
  const std::string invalid =
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
      "#x10000 to #x10FFFF";
  const std::string large(sqs_limits::message_bytes_max + 1, 'x');
  const std::string long_body =
      "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.";
  const std::string almost(sqs_limits::message_bytes_max - 7, 'x');
  return {
      {"ControlCharacter", "SendMessage", R"("MessageBody":"a\u0001")", "MessageBody=a%01", InvalidMessageContents,
       invalid},
      {"Nul", "SendMessage", R"("MessageBody":"a\u0000b")", "MessageBody=a%00b", InvalidMessageContents, invalid},
      {"Noncharacter", "SendMessage", R"("MessageBody":"a\uffff")", "MessageBody=a%EF%BF%BF", InvalidMessageContents,
       invalid},
      {"AttributeValueCharacter", "SendMessage", attributes_json(R"("a":{"DataType":"String","StringValue":"\ufffe"})"),
       attribute_form("a", "DataType=String&MessageAttribute.1.Value.StringValue=%EF%BF%BE"), InvalidMessageContents,
       invalid},
      {"TooLong", "SendMessage", R"("MessageBody":")" + large + "\"", "MessageBody=" + large, InvalidParameterValue,
       long_body},
      {"TooLongWithAttribute", "SendMessage",
       R"("MessageBody":")" + almost + R"(","MessageAttributes":{"a":{"DataType":"String","StringValue":"v"}})",
       "MessageBody=" + almost +
           "&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v",
       InvalidParameterValue, long_body},
  };
}

std::vector<ErrorCase> batch_cases() {
  using enum ErrorCode;
  const auto entries_json = [](const std::vector<std::string>& ids) {
    std::string text = R"("Entries":[)";
    for (const std::string& id : ids) {
      text += (text.ends_with('[') ? R"({"Id":")" : R"(,{"Id":")") + id + R"(","MessageBody":"b","ReceiptHandle":"h"})";
    }
    return text + "]";
  };
  const auto entries_form = [](std::string_view operation, const std::vector<std::string>& ids) {
    std::string text;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string entry = "&" + std::string(operation) + "RequestEntry." + std::to_string(i + 1);
      text += entry + ".Id=" + ids[i] + entry + ".MessageBody=b" + entry + ".ReceiptHandle=h";
    }
    return text;
  };
  std::vector<std::string> twenty;
  for (int i = 0; i < 20; ++i) twenty.push_back("id" + std::to_string(i));
  const std::string long_id(81, 'i');
  const std::string bad_id =
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 "
      "letters "
      "long.";
  const std::string half(sqs_limits::message_bytes_max / 2, 'x');
  std::vector<ErrorCase> cases;
  for (const std::string operation : {"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}) {
    cases.push_back({"Empty" + operation, operation, R"("Entries":[])", "", EmptyBatchRequest,
                     "There should be at least one " + operation + "RequestEntry in the request."});
    cases.push_back({"Twenty" + operation, operation, entries_json(twenty), entries_form(operation, twenty),
                     TooManyEntriesInBatchRequest, "Maximum number of entries per request are 10. You have sent 20."});
    cases.push_back({"Repeated" + operation, operation, entries_json({"a", "b", "a"}),
                     entries_form(operation, {"a", "b", "a"}), BatchEntryIdsNotDistinct, "Id a repeated."});
    cases.push_back({"BadId" + operation, operation, entries_json({"a", "b.c"}), entries_form(operation, {"a", "b.c"}),
                     InvalidBatchEntryId, bad_id});
    cases.push_back({"LongId" + operation, operation, entries_json({long_id}), entries_form(operation, {long_id}),
                     InvalidBatchEntryId, bad_id});
  }
  cases.push_back(
      {"BatchTooLong", "SendMessageBatch",
       R"("Entries":[{"Id":"a","MessageBody":")" + half + R"("},{"Id":"b","MessageBody":"x)" + half + R"("}])",
       "SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=" + half +
           "&SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=x" + half,
       BatchRequestTooLong, "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."});
  return cases;
}

class Errors : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(Errors, AreAnsweredInJson) {
  const ErrorCase& error = GetParam();
  if (error.json == "-") return;
  std::string body = error.json;
  if (!body.starts_with('{')) {
    body = R"({"QueueUrl":")" + std::string(queue_url) + "\"" + (body.empty() ? "" : ",") + body + "}";
  }
  const WireResponse answer = refusal_of(json_request(error.operation, body));
  const Fault& fault = fault_of(error.code);
  EXPECT_EQ(status_and_body(answer), json_error(fault.status, fault.json_type, error.message));
  EXPECT_EQ(answer.content_type, "application/x-amz-json-1.0");
  EXPECT_EQ(header_of(answer, "x-amzn-RequestId"), request_id);
  EXPECT_EQ(header_of(answer, "x-amzn-query-error"), std::string(fault.query_code) + ";Sender");
}

TEST_P(Errors, AreAnsweredInXml) {
  const ErrorCase& error = GetParam();
  if (error.form == "-") return;
  std::string body = "Action=" + error.operation;
  if (!error.json.starts_with('{')) body += "&QueueUrl=" + std::string(queue_url);
  const WireResponse answer = refusal_of(query_request(body + "&" + error.form));
  const Fault& fault = fault_of(error.code);
  EXPECT_EQ(status_and_body(answer), query_error(fault.status, fault.query_code, [&] {
              std::string text = error.message;
              for (std::size_t at = 0; (at = text.find('>', at)) != std::string::npos; ++at)
                text.replace(at, 1, "&gt;");
              for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos; ++at)
                text.replace(at, 1, "&lt;");
              return text;
            }()));
  EXPECT_EQ(answer.content_type, "text/xml");
  EXPECT_EQ(header_of(answer, "x-amzn-RequestId"), request_id);
}

const auto name_of = [](const auto& error) { return error.param.name; };
INSTANTIATE_TEST_SUITE_P(Required, Errors, ::testing::ValuesIn(required_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Value, Errors, ::testing::ValuesIn(value_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Attribute, Errors, ::testing::ValuesIn(attribute_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Content, Errors, ::testing::ValuesIn(content_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Batch, Errors, ::testing::ValuesIn(batch_cases()), name_of);

// ---- The table itself, against the reference.

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
