// What functions are invoked with, byte for byte, what their answers mean, and what destinations are told.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/stream_names.hpp"
#include "protocol/digests.hpp"
#include "protocol/lambda/events.hpp"
#include "protocol/lambda/json_text.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

using lambda::event_of;
using lambda::Filters;
using lambda::items_of;
using lambda::read_answer;
using lambda::report_of;

const FunctionName function{"000000000000", "us-east-1", "f"};

MappingRecord queue_mapping(std::string queue = "q") {
  MappingRecord mapping;
  mapping.uuid = "14e0db71-5d35-4eb5-b481-8945cf9d10c2";
  mapping.source_arn = "arn:aws:sqs:us-east-1:000000000000:" + queue;
  mapping.source = QueueName{"000000000000", "us-east-1", std::move(queue)};
  mapping.function = function;
  mapping.function_arn = arn_of(function);
  return mapping;
}

MappingRecord stream_mapping() {
  MappingRecord mapping = queue_mapping();
  mapping.source_arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
  mapping.source = StreamName{"000000000000", "us-east-1", "s"};
  return mapping;
}

Deliveries deliver(StoredMessage message) {
  Deliveries deliveries;
  deliveries.messages.push_back(delivery_of(std::move(message), "handle"));
  return deliveries;
}

std::string only_event(const Deliveries& deliveries, const MappingRecord& mapping) {
  const std::vector<SourceItem> items = items_of(deliveries, mapping, Filters());
  EXPECT_EQ(items.size(), 1U);
  return items.empty() || !items.front().matches() ? std::string() : std::string(*items.front().event);
}

RecordsPage page_of(std::string key, std::string data, std::int64_t arrived_ms = 1'545'084'650'987) {
  RecordsPage page;
  page.stream = {"000000000000", "us-east-1", "s"};
  page.shard = ShardIndex{6};
  page.created_s = 1'545'000'000;
  page.records.push_back({RecordIndex{41}, {std::move(key), std::move(data), from_epoch_ms(arrived_ms), false}});
  return page;
}

std::string number_of(const RecordsPage& page, std::size_t at = 0) {
  const ReadRecord& read = page.records.at(at);
  return format_sequence_number(record_number(page.shard, page.created_s, read.index, read.record.arrived));
}

BatchEvent batch_of(const MappingRecord& mapping, const std::vector<std::string>& records) {
  BatchEvent event;
  event.mapping = std::make_shared<const MappingRecord>(mapping);
  for (const std::string& record : records) event.records.push_back(std::make_shared<const std::string>(record));
  return event;
}

// ---- Messages.

TEST(LambdaEvent, OfAStandardQueue) {
  EXPECT_EQ(only_event(deliver(stored_message("hello")), queue_mapping()),
            R"({"messageId":"0b8b3f1e-5a0a-4b7e-9b39-0d1a3c1f2e4d","receiptHandle":"handle","body":"hello",)"
            R"("attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1700000000123","SenderId":"AKID",)"
            R"("ApproximateFirstReceiveTimestamp":"1700000001000"},"messageAttributes":{},)"
            R"("md5OfBody":"5d41402abc4b2a76b9719d911017c592","eventSource":"aws:sqs",)"
            R"("eventSourceARN":"arn:aws:sqs:us-east-1:000000000000:q","awsRegion":"us-east-1"})");
}

TEST(LambdaEvent, OfAFifoQueue) {
  StoredMessage message = stored_message("hello");
  message.content.group_id = "g";
  message.content.deduplication_id = "d";
  EXPECT_EQ(
      only_event(deliver(message), queue_mapping("q.fifo")),
      R"({"messageId":"0b8b3f1e-5a0a-4b7e-9b39-0d1a3c1f2e4d","receiptHandle":"handle","body":"hello",)"
      R"("attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1700000000123",)"
      R"("SequenceNumber":"00000000000000000007","MessageGroupId":"g","SenderId":"AKID",)"
      R"("MessageDeduplicationId":"d","ApproximateFirstReceiveTimestamp":"1700000001000"},"messageAttributes":{},)"
      R"("md5OfBody":"5d41402abc4b2a76b9719d911017c592","eventSource":"aws:sqs",)"
      R"("eventSourceARN":"arn:aws:sqs:us-east-1:000000000000:q.fifo","awsRegion":"us-east-1"})");
}

TEST(LambdaEvent, HasAMessagesAttributesAndTheirSum) {
  StoredMessage message = stored_message("b");
  message.content.attributes = {{"Bytes", "Binary", std::string("\0\xff", 2)},
                                {"Count", "Number.int", "6"},
                                {"Text", "String", "a \"quoted\" é"}};
  const std::string sum = to_hex(md5_of_attributes(message.content.attributes));
  const std::string event = only_event(deliver(message), queue_mapping());
  EXPECT_NE(
      event.find(
          R"("messageAttributes":{)"
          R"("Bytes":{"binaryValue":"AP8=","stringListValues":[],"binaryListValues":[],"dataType":"Binary"},)"
          R"("Count":{"stringValue":"6","stringListValues":[],"binaryListValues":[],"dataType":"Number.int"},)"
          R"("Text":{"stringValue":"a \"quoted\" é","stringListValues":[],"binaryListValues":[],"dataType":"String"}},)"
          R"("md5OfMessageAttributes":")" +
          sum + R"(","md5OfBody":)"),
      std::string::npos)
      << event;
}

TEST(LambdaEvent, OfAWindowSaysThatThereIsNoSumOfAttributes) {
  MappingRecord mapping = queue_mapping();
  mapping.config.window_seconds = 1;
  const std::string event = only_event(deliver(stored_message("b")), mapping);
  EXPECT_NE(event.find(R"("messageAttributes":{},"md5OfMessageAttributes":null,"md5OfBody":)"), std::string::npos)
      << event;
}

TEST(LambdaEvent, NamesTheTraceAndTheQueueThatAMessageWasDeadIn) {
  StoredMessage message = stored_message("b");
  message.content.trace_header = "Root=1-5e8b-1";
  message.dead_letter_source = "arn:aws:sqs:us-east-1:000000000000:source";
  EXPECT_NE(only_event(deliver(message), queue_mapping())
                .find(R"("attributes":{"ApproximateReceiveCount":"2","AWSTraceHeader":"Root=1-5e8b-1",)"
                      R"("SentTimestamp":"1700000000123","SenderId":"AKID",)"
                      R"("ApproximateFirstReceiveTimestamp":"1700000001000",)"
                      R"("DeadLetterQueueSourceArn":"arn:aws:sqs:us-east-1:000000000000:source"})"),
            std::string::npos);
}

TEST(LambdaEvent, EscapesOnlyWhatJsonHasNoOtherFormFor) {
  const std::string event = only_event(deliver(stored_message("/<é😀\x7f>\"\\\b\f\n\r\t\x01")), queue_mapping());
  EXPECT_NE(event.find("\"body\":\"/<é😀\x7f>\\\"\\\\\\b\\f\\n\\r\\t\\u0001\","), std::string::npos) << event;
}

TEST(LambdaEvent, AnItemIsNamedAsAnAnswerNamesIt) {
  StoredMessage message = stored_message("b");
  message.content.group_id = "g";
  const std::vector<SourceItem> items = items_of(deliver(message), queue_mapping("q.fifo"), Filters());
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].id, message.message_id);
  EXPECT_EQ(items[0].receipt_handle, "handle");
  EXPECT_EQ(items[0].key, "g");
  EXPECT_EQ(items[0].arrived, message.sent);
  EXPECT_EQ(items[0].bytes(), items[0].event->size());
}

TEST(LambdaEvent, AMessageThatDoesNotMatchHasNone) {
  const std::vector<std::string> patterns{R"({"body":["wanted"]})"};
  const auto filters = std::get<Filters>(Filters::compile(patterns));
  Deliveries deliveries = deliver(stored_message("wanted"));
  deliveries.messages.push_back(delivery_of(stored_message("other"), "second"));
  deliveries.messages.push_back({});  // which could not be read
  const std::vector<SourceItem> items = items_of(deliveries, queue_mapping(), filters);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_TRUE(items[0].matches());
  EXPECT_FALSE(items[1].matches());
  EXPECT_EQ(items[1].receipt_handle, "second");
  EXPECT_EQ(items[1].bytes(), 0U);
}

// ---- Records.

TEST(LambdaEvent, OfAStream) {
  const RecordsPage page = page_of("k\"1", "hello");
  const std::vector<SourceItem> items = items_of(page, stream_mapping(), Filters(), "arn:aws:iam::000000000000:role/r");
  ASSERT_EQ(items.size(), 1U);
  const std::string number = number_of(page);
  EXPECT_EQ(*items[0].event,
            R"({"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"k\"1","sequenceNumber":")" + number +
                R"(","data":"aGVsbG8=","approximateArrivalTimestamp":1545084650.987},"eventSource":"aws:kinesis",)"
                R"("eventVersion":"1.0","eventID":"shardId-000000000006:)" +
                number +
                R"(","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::000000000000:role/r",)"
                R"("awsRegion":"us-east-1","eventSourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"})");
  EXPECT_EQ(items[0].id, number);
  EXPECT_EQ(items[0].key, "k\"1");
  EXPECT_EQ(items[0].index, RecordIndex{41});
  EXPECT_EQ(items[0].arrived, from_epoch_ms(1'545'084'650'987));
}

TEST(LambdaEvent, ArrivalsHaveMillisecondsHoweverFew) {
  const auto event_at = [](std::int64_t ms) {
    return std::string(*items_of(page_of("k", "", ms), stream_mapping(), Filters()).at(0).event);
  };
  EXPECT_NE(event_at(1'545'084'650'000).find(":1545084650.000}"), std::string::npos);
  EXPECT_NE(event_at(1'545'084'650'020).find(":1545084650.020}"), std::string::npos);
  EXPECT_NE(event_at(7).find(":0.007}"), std::string::npos);
}

TEST(LambdaEvent, OfAConsumerNamesTheConsumer) {
  MappingRecord mapping = stream_mapping();
  mapping.source_arn += "/consumer/c:1545084650";
  const std::string event(*items_of(page_of("k", "d"), mapping, Filters()).at(0).event);
  EXPECT_NE(event.find(R"("eventSourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1545084650"})"),
            std::string::npos);
}

TEST(LambdaEvent, ARecordThatDoesNotMatchKeepsItsPlace) {
  const std::vector<std::string> patterns{R"({"data":{"a":[1]}})"};
  const auto filters = std::get<Filters>(Filters::compile(patterns));
  RecordsPage page = page_of("k", R"({"a":2})");
  page.records.push_back({RecordIndex{42}, {"k", R"({"a":1})", from_epoch_ms(1'545'084'651'000), false}});
  const std::vector<SourceItem> items = items_of(page, stream_mapping(), filters);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_FALSE(items[0].matches());
  EXPECT_EQ(items[0].id, number_of(page, 0));
  EXPECT_TRUE(items[1].matches());
}

// ---- Whole events.

TEST(LambdaEvent, IsItsRecords) {
  EXPECT_EQ(event_of(batch_of(queue_mapping(), {R"({"a":1})", R"({"b":2})"})), R"({"Records":[{"a":1},{"b":2}]})");
}

TEST(LambdaEvent, OfATumblingWindow) {
  BatchEvent event = batch_of(stream_mapping(), {R"({"a":1})"});
  event.window = WindowEvent{from_epoch_ms(1'596'128'400'000),
                             from_epoch_ms(1'596'128'700'000),
                             R"({"1":282, "2":7.50})",
                             "shardId-000000000006",
                             false,
                             false};
  EXPECT_EQ(event_of(event),
            R"({"Records":[{"a":1}],"window":{"start":"2020-07-30T17:00:00Z","end":"2020-07-30T17:05:00Z"},)"
            R"("state":{"1":282, "2":7.50},"shardId":"shardId-000000000006",)"
            R"("eventSourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s",)"
            R"("isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false})");
}

TEST(LambdaEvent, OfAWindowsEndNeedsNoRecords) {
  BatchEvent event = batch_of(stream_mapping(), {});
  event.window = WindowEvent{from_epoch_ms(0), from_epoch_ms(60'000), "", "shardId-000000000000", true, true};
  EXPECT_EQ(event_of(event),
            R"({"Records":[],"window":{"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z"},"state":{},)"
            R"("shardId":"shardId-000000000000","eventSourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s",)"
            R"("isFinalInvokeForWindow":true,"isWindowTerminatedEarly":true})");
}

// ---- Answers.

/// What an answer says: "failed" of all, or the failed ones in a line.
std::string said_by(std::string_view payload, const MappingRecord& mapping, bool has_window) {
  const BatchAnswer answer = read_answer(payload, mapping, has_window);
  if (!answer.well_formed) return "all failed";
  std::string text = "failed:";
  for (const std::string& id : answer.failed) text += " " + id;
  if (answer.state) text += " state=" + *answer.state;
  return text;
}

std::string said_by(std::string_view payload, const MappingRecord& mapping) {
  return said_by(payload, mapping, mapping.config.tumbling_seconds != 0);
}

MappingRecord reporting(MappingRecord mapping) {
  mapping.config.report_batch_item_failures = true;
  return mapping;
}

MappingRecord tumbling(MappingRecord mapping) {
  mapping.config.tumbling_seconds = 60;
  return mapping;
}

TEST(LambdaAnswer, WithoutReportsAnyIsSuccess) {
  for (const char* payload : {"", "null", "{", "\"x\"", R"({"batchItemFailures":[{"itemIdentifier":"1"}]})"}) {
    EXPECT_EQ(said_by(payload, queue_mapping()), "failed:") << payload;
    EXPECT_EQ(said_by(payload, stream_mapping()), "failed:") << payload;
  }
}

TEST(LambdaAnswer, NothingFailed) {
  for (const char* payload :
       {"", "  ", "null", " null\n", "{}", R"({"batchItemFailures":[]})", R"({"batchItemFailures":null})",
        R"({"statusCode":200})", R"({"a":12345678901234567890123})"}) {
    EXPECT_EQ(said_by(payload, reporting(queue_mapping())), "failed:") << payload;
    EXPECT_EQ(said_by(payload, reporting(stream_mapping())), "failed:") << payload;
  }
}

TEST(LambdaAnswer, AnEmptyTextIsSuccessOfAStreamOnly) {
  EXPECT_EQ(said_by(R"("")", reporting(stream_mapping())), "failed:");
  EXPECT_EQ(said_by(R"("")", reporting(queue_mapping())), "all failed");
}

TEST(LambdaAnswer, SomeFailed) {
  const std::string payload = R"( {"x":[1,{"itemIdentifier":"no"}],"batchItemFailures": [{"itemIdentifier":"a"},)"
                              R"({"more":1,"itemIdentifier":"b\u00e9"}] } )";
  EXPECT_EQ(said_by(payload, reporting(queue_mapping())), "failed: a bé");
  EXPECT_EQ(said_by(payload, reporting(stream_mapping())), "failed: a bé");
}

TEST(LambdaAnswer, WhatIsNotUnderstoodMeansThatAllFailed) {
  for (const char* payload :
       {"{", "x", "[]", "5", "true", R"("ok")", R"({"batchItemFailures":"a"})", R"({"batchItemFailures":{}})",
        R"({"batchItemFailures":["a"]})", R"({"batchItemFailures":[{"itemIdentifier":""}]})",
        R"({"batchItemFailures":[{"itemIdentifier":null}]})", R"({"batchItemFailures":[{"itemIdentifier":5}]})",
        R"({"batchItemFailures":[{"bad":"a"}]})", R"({"batchItemFailures":[{}]})",
        R"({"batchItemFailures":[{"itemIdentifier":"a"},{"bad":"b"}]})", R"({"batchItemFailures":[]} x)",
        R"({"batchItemFailures":[],"a":01})", R"({"batchItemFailures":[],"a":"\q"})",
        "{\"batchItemFailures\":[{\"itemIdentifier\":\"\xff\"}]}"}) {
    EXPECT_EQ(said_by(payload, reporting(queue_mapping())), "all failed") << payload;
    EXPECT_EQ(said_by(payload, reporting(stream_mapping())), "all failed") << payload;
  }
}

TEST(LambdaAnswer, AStateIsKeptAsItWasGiven) {
  const MappingRecord mapping = tumbling(stream_mapping());
  EXPECT_EQ(said_by(R"({"state":{"a":1.50, "b":[]}})", mapping), R"(failed: state={"a":1.50, "b":[]})");
  EXPECT_EQ(said_by(R"({"x":{"state":1},"state": 12345678901234567890123 })", mapping),
            "failed: state=12345678901234567890123");
  EXPECT_EQ(said_by(R"({"state":"text"})", mapping), R"(failed: state="text")");
}

TEST(LambdaAnswer, WithoutAStateAWindowsInvokeHasFailed) {
  const MappingRecord mapping = tumbling(stream_mapping());
  for (const char* payload :
       {"", "null", R"("")", "{}", R"({"state":null})", R"({"batchItemFailures":[]})", "{", "[]"}) {
    EXPECT_EQ(said_by(payload, mapping), "all failed") << payload;
  }
}

TEST(LambdaAnswer, TheEventSaysWhetherItIsOfAWindow) {
  EXPECT_EQ(said_by(R"({"state":7})", stream_mapping(), true), "failed: state=7");
  EXPECT_EQ(said_by("{}", stream_mapping(), true), "all failed");
  EXPECT_EQ(said_by("{}", tumbling(stream_mapping()), false), "failed:");
}

TEST(LambdaAnswer, AStateThatIsTooLargeForItsWindowIsNoFailure) {
  const std::string state = "\"" + std::string(1U << 20U, 'x') + "\"";
  EXPECT_EQ(said_by(R"({"state":)" + state + "}", tumbling(stream_mapping())), "failed: state=" + state);
}

TEST(LambdaAnswer, AWindowMayReportFailuresToo) {
  EXPECT_EQ(
      said_by(R"({"state":{},"batchItemFailures":[{"itemIdentifier":"7"}]})", reporting(tumbling(stream_mapping()))),
      "failed: 7 state={}");
  EXPECT_EQ(
      said_by(R"({"batchItemFailures":[{"itemIdentifier":"7"}],"state":{}})", reporting(tumbling(stream_mapping()))),
      "failed: 7 state={}");
}

// ---- Reports.

BatchFailure batch_failure() {
  BatchFailure failure;
  failure.invocation = {"id", arn_of(function), "RetryAttemptsExhausted", 2, true, "Unhandled"};
  failure.stream = {"000000000000", "us-east-1", "s"};
  failure.shard_id = "shardId-000000000006";
  failure.first_sequence_number = "11";
  failure.last_sequence_number = "12";
  failure.first_arrived = from_epoch_ms(1'573'691'884'835);
  failure.last_arrived = from_epoch_ms(1'573'691'884'900);
  failure.batch_size = 2;
  failure.at = from_epoch_ms(1'573'691'886'021);
  return failure;
}

TEST(LambdaReport, OfABatchThatWasTriedInVain) {
  EXPECT_EQ(report_of(batch_failure()),
            R"({"requestContext":{"requestId":"id","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f",)"
            R"("condition":"RetryAttemptsExhausted","approximateInvokeCount":2},)"
            R"("responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},)"
            R"("version":"1.0","timestamp":"2019-11-14T00:38:06.021Z","KinesisBatchInfo":{)"
            R"("shardId":"shardId-000000000006","startSequenceNumber":"11","endSequenceNumber":"12",)"
            R"("approximateArrivalOfFirstRecord":"2019-11-14T00:38:04.835Z",)"
            R"("approximateArrivalOfLastRecord":"2019-11-14T00:38:04.900Z","batchSize":2,)"
            R"("streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}})");
}

TEST(LambdaReport, OfItemsThatFailedHasNoFunctionError) {
  BatchFailure failure = batch_failure();
  failure.invocation.function_error.clear();
  EXPECT_NE(report_of(failure).find(R"("executedVersion":"$LATEST","functionError":null},"version")"),
            std::string::npos);
}

TEST(LambdaReport, OfRecordsThatWereTooOldHasNoResponse) {
  BatchFailure failure = batch_failure();
  failure.invocation.condition = "RecordAgeExceeded";
  failure.invocation.responded = false;
  const std::string report = report_of(failure);
  EXPECT_EQ(report.find("responseContext"), std::string::npos);
  EXPECT_NE(report.find(R"("approximateInvokeCount":2},"version":"1.0",)"), std::string::npos) << report;
}

AsyncEnd async_end() {
  AsyncEnd end;
  end.invocation = {"id", arn_of(function) + ":$LATEST", "RetriesExhausted", 3, true, "Unhandled"};
  end.request_payload = R"({"ORDER_IDS": [1.50]})";
  end.response_payload = R"({"errorMessage":"no \"luck\"","errorType":"Error"})";
  end.at = from_epoch_ms(1'573'755'365'568);
  return end;
}

TEST(LambdaReport, OfAnAsynchronousInvokeThatFailed) {
  EXPECT_EQ(
      report_of(async_end()),
      R"({"version":"1.0","timestamp":"2019-11-14T18:16:05.568Z","requestContext":{"requestId":"id",)"
      R"("functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted",)"
      R"("approximateInvokeCount":3},"requestPayload":{"ORDER_IDS": [1.50]},)"
      R"("responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},)"
      R"("responsePayload":{"errorMessage":"no \"luck\"","errorType":"Error"}})");
}

TEST(LambdaReport, OfAnAsynchronousInvokeThatSucceeded) {
  AsyncEnd end = async_end();
  end.invocation.condition = "Success";
  end.invocation.function_error.clear();
  end.response_payload.clear();
  EXPECT_NE(report_of(end).find(
                R"("responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":null})"),
            std::string::npos);
}

TEST(LambdaReport, WhatIsNoJsonIsAText) {
  AsyncEnd end = async_end();
  end.response_payload = "plain \"text\"";
  EXPECT_NE(report_of(end).find(R"("responsePayload":"plain \"text\""})"), std::string::npos);
}

TEST(LambdaEvents, AnyByteAnywhereInATextIsEscapedOnlyIfItHasTo) {
  constexpr std::size_t length_max = 20;
  for (int value = 0; value < 256; ++value) {
    const char byte = static_cast<char>(value);
    const bool is_plain = value >= 0x20 && byte != '"' && byte != '\\';
    for (std::size_t length = 1; length <= length_max; ++length) {
      for (std::size_t at = 0; at < length; ++at) {
        std::string text(length, 'a');
        text[at] = byte;
        std::string out;
        lambda::append_quoted(out, text);
        const std::string as_it_is = "\"" + text + "\"";
        ASSERT_EQ(out == as_it_is, is_plain) << value << " at " << at << " of " << length;
        if (is_plain) continue;
        ASSERT_EQ(out.substr(0, at + 2), as_it_is.substr(0, at + 1) + "\\");
        ASSERT_EQ(out.substr(out.size() - (length - at)), as_it_is.substr(at + 2));
      }
    }
  }
}

TEST(LambdaReport, APlainOneIsTheRequestWithAttributes) {
  AsyncEnd end = async_end();
  end.plain = true;
  EXPECT_EQ(report_of(end), end.request_payload);
  const std::vector<MessageAttribute> wanted{
      {"ErrorCode", "Number", "200"}, {"ErrorMessage", "String", "no \"luck\""}, {"RequestID", "String", "id"}};
  EXPECT_EQ(lambda::attributes_of(end), wanted);
}

TEST(LambdaReport, AnErrorMessageIsCutBetweenCharacters) {
  AsyncEnd end = async_end();
  std::string long_message;
  while (long_message.size() < 2'000) long_message += "é";
  end.response_payload = R"({"errorMessage":"x)" + long_message + "\"}";
  EXPECT_EQ(lambda::attributes_of(end).at(1).value, "x" + long_message.substr(0, 1'022));
}

}  // namespace
}  // namespace penstock::protocol::testing
