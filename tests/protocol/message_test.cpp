// Sums, filters of attributes, trace headers, and how a batch's entries come together.
#include <gtest/gtest.h>

#include "penstock/queue_names.hpp"
#include "protocol/digests.hpp"
#include "protocol/sqs/receive_operation.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

std::string sum_of(const std::vector<MessageAttribute>& attributes) {
  return to_hex(md5_of_attributes(std::span(attributes)));
}

// The sums were computed with Python's hashlib from the description in the developer guide.
TEST(Md5Sums, OfBodies) {
  EXPECT_EQ(to_hex(md5_of("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(md5_of("hello")), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(to_hex(md5_of("héllo")), "be50e8478cf24ff3595bc7307fb91b50");
}

TEST(Md5Sums, OfAttributes) {
  EXPECT_EQ(sum_of({{"color", "String", "red"}}), "20ca9041878c8c65d5a4bf6eaf446c21");
  EXPECT_EQ(sum_of({{"color", "String.hue", "red"}}), "3224aa7677fed789a99f890c76d68acd");
  EXPECT_EQ(sum_of({{"n", "Number", "-1.5e3"}}), "9e9b63e0e645b8d262dc01507a015274");
  EXPECT_EQ(sum_of({{"b", "Binary.png", std::string("\x00\xff\x10", 3)}}), "e4eba78d628c0906e2ad0720c814fb2e");
  EXPECT_EQ(sum_of({{"A", "Number", "1"}, {"a", "String", "é"}, {"b", "Binary", std::string("\x00\xff", 2)}}),
            "239fe30941a9d9038413df2237d1e60d");
}

TEST(Sha256, IsTakenOfBodiesThatFifoQueuesHaveToKnowAgain) {
  EXPECT_EQ(sha256_hex_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex_of("hello"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  EXPECT_EQ(sha256_base64_of("hello"), "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
  const auto sent = [](const std::string& queue, const std::string& members) {
    const Command command = command_of(json_request("SendMessage", R"({"QueueUrl":")" + queue + "\"," + members + "}"));
    return std::get<SendMessages>(command).messages.at(0).body_sha256;
  };
  EXPECT_EQ(sent("q.fifo", R"("MessageBody":"hello","MessageGroupId":"g")"), sha256_hex_of("hello"));
  EXPECT_EQ(sent("q.fifo", R"("MessageBody":"hello","MessageGroupId":"g","MessageDeduplicationId":"d")"), "");
  EXPECT_EQ(sent("q", R"("MessageBody":"hello","MessageGroupId":"g")"), "");
  // Attributes are no part of it.
  EXPECT_EQ(
      sent("q.fifo", R"("MessageBody":"hello","MessageAttributes":{"a":{"DataType":"Number","StringValue":"1"}})"),
      sha256_hex_of("hello"));
  const Command batch = command_of(
      json_request("SendMessageBatch",
                   R"({"QueueUrl":"q.fifo","Entries":[{"Id":"a","MessageBody":"hello","MessageDeduplicationId":"d"},
                                         {"Id":"b","MessageBody":"hello"}]})"));
  EXPECT_EQ(std::get<SendMessages>(batch).messages.at(0).body_sha256, "");
  EXPECT_EQ(std::get<SendMessages>(batch).messages.at(1).body_sha256, sha256_hex_of("hello"));
}

// ---- Trace headers

std::string trace_of(const Request& request) {
  const Command command = command_of(request);
  return std::get<SendMessages>(command).messages.at(0).content.trace_header;
}

TEST(TraceHeader, IsTakenFromTheRequestIfTheMessageHasNone) {
  const std::string plain = R"({"QueueUrl":"q","MessageBody":"b"})";
  const std::string own =
      R"({"QueueUrl":"q","MessageBody":"b","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"own"}}})";
  EXPECT_EQ(trace_of(json_request("SendMessage", plain)), "");
  EXPECT_EQ(trace_of(json_request("SendMessage", plain).with("x-amzn-trace-id", "Root=1")), "Root=1");
  EXPECT_EQ(trace_of(json_request("SendMessage", own).with("X-Amzn-Trace-Id", "Root=1")), "own");
  EXPECT_EQ(trace_of(json_request("SendMessage", plain).with("X-Amzn-Trace-Id", "\xff")), "");
  // It is not among what the client sent as attributes, and so has no sum.
  const WireResponse answer = answer_of(json_request("SendMessage", plain).with("X-Amzn-Trace-Id", "Root=1"),
                                        SendResults{{Sent{"id-1", std::nullopt}}});
  EXPECT_EQ(answer.body.find("MD5OfMessageSystemAttributes"), std::string::npos);
}

TEST(MessageBytes, SystemAttributesDoNotCount) {
  const Command command = command_of(json_request(
      "SendMessage",
      R"({"QueueUrl":"q","MessageBody":"12345","MessageAttributes":{"abc":{"DataType":"Binary","BinaryValue":"AP8Q"}},
          "MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}})"));
  EXPECT_EQ(std::get<SendMessages>(command).messages.at(0).bytes, 5U + 3U + 6U + 3U);
}

// ---- What a receive shows

Deliveries one_delivery() {
  StoredMessage message = stored_message("body");
  message.content.attributes = {{"foo", "String", "1"}, {"foo.bar", "String", "2"}, {"other", "Number", "3"}};
  message.content.group_id = "g";
  message.content.deduplication_id = "d";
  return {{delivery_of(std::move(message), "handle")}};
}

std::string received(std::string_view queue, const std::string& members) {
  const std::string body = R"({"QueueUrl":")" + std::string(queue) + R"(",)" + members + "}";
  const std::string answer = answer_of(json_request("ReceiveMessage", body), one_delivery()).body;
  const std::string before = R"("Body":"body")";
  const std::size_t at = answer.find(before);
  return at == std::string::npos ? answer : answer.substr(at + before.size());
}

std::string shown(std::vector<MessageAttribute> attributes) {
  std::string text = R"(,"MD5OfMessageAttributes":")" + sum_of(attributes) + R"(","MessageAttributes":{)";
  for (const MessageAttribute& attribute : attributes) {
    if (!text.ends_with('{')) text += ",";
    text += "\"" + attribute.name + R"(":{"StringValue":")" + attribute.value + R"(","DataType":")" +
            attribute.data_type + "\"}";
  }
  return text + "}}]}";
}

TEST(Receive, MessageAttributesThatWereAskedFor) {
  const MessageAttribute foo{"foo", "String", "1"};
  const MessageAttribute bar{"foo.bar", "String", "2"};
  const MessageAttribute other{"other", "Number", "3"};
  EXPECT_EQ(received("q", R"("MessageAttributeNames":[])"), "}]}");
  EXPECT_EQ(received("q", R"("MessageAttributeNames":["nothing"])"), "}]}");
  EXPECT_EQ(received("q", R"("MessageAttributeNames":["All"])"), shown({foo, bar, other}));
  EXPECT_EQ(received("q", R"("MessageAttributeNames":[".*"])"), shown({foo, bar, other}));
  EXPECT_EQ(received("q", R"("MessageAttributeNames":["foo.*"])"), shown({foo, bar}));
  EXPECT_EQ(received("q", R"("MessageAttributeNames":["foo"])"), shown({foo}));
  EXPECT_EQ(received("q", R"("MessageAttributeNames":["other","foo.bar","other"])"), shown({bar, other}));
}

TEST(Receive, SystemAttributesThatWereAskedFor) {
  EXPECT_EQ(received("q", R"("AttributeNames":["SentTimestamp"],"MessageSystemAttributeNames":["MessageGroupId"])"),
            R"(,"Attributes":{"SentTimestamp":"1700000000123","MessageGroupId":"g"}}]})");
  EXPECT_EQ(received("q", R"("AttributeNames":["AWSTraceHeader","SqsManagedSseEnabled","SequenceNumber"])"), "}]}");
  EXPECT_EQ(received("q", R"("AttributeNames":["DeadLetterQueueSourceArn"])"), "}]}");
  EXPECT_EQ(received("q.fifo", R"("AttributeNames":["SequenceNumber","MessageDeduplicationId"])"),
            R"(,"Attributes":{"SequenceNumber":"00000000000000000007","MessageDeduplicationId":"d"}}]})");
}

TEST(Receive, DeliveriesWithoutTheirMessageAreLeftOut) {
  Deliveries deliveries = one_delivery();
  deliveries.messages.front().message = nullptr;
  EXPECT_EQ(answer_of(json_request("ReceiveMessage", R"({"QueueUrl":"q"})"), deliveries).body, "{}");
}

TEST(Receive, WhatXmlCannotHoldIsReplaced) {
  const WireResponse answer = answer_of(query_request("Action=GetQueueAttributes&QueueUrl=q"),
                                        QueueAttributes{{{"Policy", std::string("a\0b\x01\xEF\xBF\xBF", 7)}}});
  EXPECT_NE(answer.body.find("<Value>a\xEF\xBF\xBD"
                             "b\xEF\xBF\xBD\xEF\xBF\xBD</Value>"),
            std::string::npos)
      << answer.body;
}

TEST(Receive, SequenceNumbersHaveTwentyDigits) {
  EXPECT_EQ(format_sequence_number(Sequence{1}), "00000000000000000001");
  EXPECT_EQ(format_sequence_number(Sequence{18446744073709551615U}), "18446744073709551615");
}

// ---- Batches

const std::string mixed_batch =
    R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"\u0001"},{"Id":"b","MessageBody":"one"},
        {"Id":"c","MessageBody":"b","DelaySeconds":901},{"Id":"d","MessageBody":"two"}]})";

TEST(Batch, OnlyGoodEntriesReachTheCommand) {
  const Command command = command_of(json_request("SendMessageBatch", mixed_batch));
  EXPECT_EQ(to_text(command),
            "SendMessages 000000000000/us-east-1/q batch (one md5=f97c5d29 sender=AIDAPENSTOCKLOCALUSER bytes=3) "
            "(two md5=b8a9f715 sender=AIDAPENSTOCKLOCALUSER bytes=3)");
}

TEST(Batch, EntriesAreToldInTheOrderOfTheRequest) {
  const WireResponse answer =
      answer_of(json_request("SendMessageBatch", mixed_batch),
                SendResults{{Error{ErrorCode::InvalidParameterValue, "Too long."}, Sent{"id-2", "5"}}});
  EXPECT_EQ(
      answer.body,
      R"({"Successful":[{"Id":"d","MessageId":"id-2","MD5OfMessageBody":"b8a9f715dbb64fd5c56e7783c6820a61",)"
      R"("SequenceNumber":"5"}],"Failed":[)"
      R"({"Id":"a","SenderFault":true,"Code":"InvalidMessageContents","Message":"Invalid characters found. )"
      R"(Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"},)"
      R"({"Id":"b","SenderFault":true,"Code":"InvalidParameterValue","Message":"Too long."},)"
      R"({"Id":"c","SenderFault":true,"Code":"InvalidParameterValue","Message":"Value 901 for parameter )"
      R"(DelaySeconds is invalid. Reason: Must be >= 0 and <= 900, if provided."}]})");
}

TEST(Batch, IfAllEntriesFailTheQueueIsLookedUpAllTheSame) {
  const Request request =
      json_request("ChangeMessageVisibilityBatch",
                   R"({"QueueUrl":"q","Entries":[{"Id":"a","ReceiptHandle":"h","VisibilityTimeout":43201}]})");
  EXPECT_EQ(to_text(command_of(request)), "LookupQueue 000000000000/us-east-1/q");
  EXPECT_EQ(
      answer_of(request, Done{}).body,
      R"({"Successful":[],"Failed":[{"Id":"a","SenderFault":true,"Code":"InvalidParameterValue","Message":)"
      R"("Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided."}]})");
  EXPECT_EQ(answer_of(request, Error{ErrorCode::QueueDoesNotExist, {}}).status, 400);

  const Request send =
      json_request("SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"\u0001"}]})");
  EXPECT_EQ(to_text(command_of(send)), "LookupQueue 000000000000/us-east-1/q");
  EXPECT_EQ(answer_of(send, Done{}).status, 200);
}

TEST(Batch, CodesOfEntriesHaveNoPrefix) {
  const WireResponse answer =
      answer_of(json_request("ChangeMessageVisibilityBatch",
                             R"({"QueueUrl":"q","Entries":[{"Id":"a","ReceiptHandle":"h","VisibilityTimeout":1}]})"),
                EntryResults{{Error{ErrorCode::MessageNotInflight, {}}}});
  EXPECT_EQ(answer.body, R"({"Successful":[],"Failed":[{"Id":"a","SenderFault":true,"Code":"MessageNotInflight",)"
                         R"("Message":"The specified message isn't in flight."}]})");
}

TEST(Batch, ResultsOfAnotherNumberAreAnInternalFailure) {
  for (const std::size_t count : {0U, 1U, 3U}) {
    SendResults results;
    results.entries.resize(count, Sent{"id", std::nullopt});
    EXPECT_EQ(answer_of(json_request("SendMessageBatch", mixed_batch), results).status, 500) << count;
  }
}

TEST(Batch, ErrorsOfASingleMessageAreTheRequests) {
  const Request request = json_request("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":"x"})");
  const Error error{ErrorCode::ReceiptHandleIsInvalid,
                    R"(The input receipt handle "x" is not a valid receipt handle.)"};
  EXPECT_EQ(status_and_body(answer_of(request, EntryResults{{error}})),
            json_error(404, "com.amazonaws.sqs#ReceiptHandleIsInvalid",
                       R"(The input receipt handle \"x\" is not a valid receipt handle.)"));
}

}  // namespace
}  // namespace penstock::protocol::testing
