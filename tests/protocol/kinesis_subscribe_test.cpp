// SubscribeToShard: what it asks, the head of its answer, and each kind of event.
#include <gtest/gtest.h>

#include "protocol/event_stream.hpp"
#include "protocol/kinesis_support.hpp"

namespace penstock::protocol::testing {
namespace {

const std::string subscribe =
    R"({"ConsumerARN":"$CONSUMER","ShardId":"shardId-000000000000","StartingPosition":{"Type":"LATEST"}})";
const std::string asked_latest = "000000000000/us-east-1/s SubscribeToShard c:1421889700 shardId-000000000000 type=3";
const std::string record_json = R"({"SequenceNumber":"49547204470429093520690608322257641614249078775630266370",)"
                                R"("ApproximateArrivalTimestamp":1421889610.500,"Data":"b25l","PartitionKey":"k1"})";

EventFeed feed_of(Codec codec) {
  Prepared prepared = prepare_at(kinesis_request("SubscribeToShard", subscribe, codec));
  auto& call = std::get<PreparedCall>(prepared);
  EXPECT_TRUE(call.feed.has_value());
  return call.feed.value_or(EventFeed{});
}

std::string event_json(RecordsPage page) {
  const std::string json = feed_of(Codec::json).event(RecordsPage(page));
  EXPECT_EQ(feed_of(Codec::cbor).event(std::move(page)), json) << "the payload is JSON whatever the request was";
  // Between the headers, whose sizes the first bytes say, and the sum.
  const auto headers_size = static_cast<std::size_t>(static_cast<unsigned char>(json.at(7)));
  std::string payload = json.substr(12 + headers_size, json.size() - 16 - headers_size);
  EXPECT_EQ(json, json_event_frame("SubscribeToShardEvent", payload));
  return payload;
}

TEST(KinesisSubscribe, BecomesACommand) {
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    EXPECT_EQ(kinesis_asked(kinesis_request("SubscribeToShard", subscribe, codec)), asked_latest);
    const std::string timed =
        R"({"ConsumerARN":"$CONSUMER","StreamId":"$ID","ShardId":"a-1",
            "StartingPosition":{"Type":"AT_TIMESTAMP","Timestamp":1421889610.25}})";
    EXPECT_EQ(kinesis_asked(kinesis_request("SubscribeToShard", timed, codec)),
              "000000000000/us-east-1/ FindStream 000000000mf9g063v08f-nzb; "
              "000000000000/us-east-1/s SubscribeToShard c:1421889700 a-1 type=4 at=1421889610250");
    const std::string numbered =
        R"({"ConsumerARN":"$CONSUMER","ShardId":"a-1",
            "StartingPosition":{"Type":"AFTER_SEQUENCE_NUMBER","SequenceNumber":"17"}})";
    EXPECT_EQ(kinesis_asked(kinesis_request("SubscribeToShard", numbered, codec)),
              "000000000000/us-east-1/s SubscribeToShard c:1421889700 a-1 type=1 number=17");
  }
}

TEST(KinesisSubscribe, BeginsWithTheInitialResponse) {
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    Prepared prepared = prepare_at(kinesis_request("SubscribeToShard", subscribe, codec));
    auto& call = std::get<PreparedCall>(prepared);
    const WireResponse head = call.respond(Subscribed{stream_id, SubscriptionId{1}, RecordIndex{1}});
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.content_type, "application/vnd.amazon.eventstream");
    EXPECT_EQ(head.body, initial_response_frame());
    EXPECT_EQ(header_of(head, "x-amzn-RequestId"), request_id);
  }
}

TEST(KinesisSubscribe, AnErrorBeforeIsAnOrdinaryAnswer) {
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    const Request request = kinesis_request("SubscribeToShard", subscribe, codec);
    EXPECT_EQ(kinesis_answer(request, Error{ErrorCode::KinesisResourceInUse, "Too soon."}),
              kinesis_error("ResourceInUseException", "Too soon."));
    EXPECT_TRUE(kinesis_answer(request, Done{}).starts_with("500 "));
  }
}

TEST(KinesisSubscribe, EventsHaveRecords) {
  RecordsPage page = records_page();
  page.records.pop_back();
  page.behind = Millis{7};
  EXPECT_EQ(event_json(page), R"({"Records":[)" + record_json +
                                  R"(],"ContinuationSequenceNumber":)"
                                  R"("49547204470429093520690608322258855262435183971031580674",)"
                                  R"("MillisBehindLatest":7})");
}

TEST(KinesisSubscribe, HeartbeatsContinueWhereNothingIs) {
  RecordsPage page = records_page();
  page.records.clear();
  page.next = page.until = RecordIndex{1};
  const auto number_of = [](const std::string& json) {
    const std::string name = R"("ContinuationSequenceNumber":")";
    const std::size_t at = json.find(name) + name.size();
    return json.substr(at, json.find('"', at) - at);
  };
  const std::string first = number_of(event_json(page));
  EXPECT_EQ(first, "49547204470429093520690608322256437410795954712682168322");
  page.now += Millis{5'000};
  const std::string second = number_of(event_json(page));
  EXPECT_GT(second, first) << "of as many digits";
  const auto parsed = parse_sequence_number(second);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->index, RecordIndex{0}) << "the record after it is the one that would have come";
  page.next = page.until = RecordIndex{9};
  EXPECT_EQ(parse_sequence_number(number_of(event_json(page)))->index, RecordIndex{8});
}

TEST(KinesisSubscribe, TheLastEventNamesTheChildren) {
  RecordsPage page = records_page();
  page.records.clear();
  page.closed = true;
  page.children = {shard_records().at(1)};
  page.children.front().adjacent_parent = ShardIndex{12};
  EXPECT_EQ(event_json(page),
            R"({"Records":[],"MillisBehindLatest":0,"ChildShards":[{"ShardId":"shardId-000000000001",)"
            R"("ParentShards":["shardId-000000000000","shardId-000000000012"],"HashKeyRange":{"StartingHashKey":"0",)"
            R"("EndingHashKey":"170141183460469231731687303715884105727"}}]})");
  page.next = RecordIndex{2};
  EXPECT_NE(event_json(page).find("ContinuationSequenceNumber"), std::string::npos) << "more of it is to come";
}

TEST(KinesisSubscribe, ExceptionsAreThoseOfTheStream) {
  const EventFeed feed = feed_of(Codec::json);
  EXPECT_EQ(feed.exception({ErrorCode::KinesisResourceInUse, "Taken over."}),
            exception_frame("ResourceInUseException", "Taken over."));
  EXPECT_EQ(feed.exception({ErrorCode::KinesisResourceNotFound, {}}),
            exception_frame("ResourceNotFoundException", "The requested resource could not be found."));
  for (const ErrorCode other : {ErrorCode::KinesisInternalFailure, ErrorCode::ServiceUnavailable,
                                ErrorCode::KinesisInvalidArgument, ErrorCode::InternalFailure}) {
    EXPECT_EQ(feed.exception({other, {}}), exception_frame("InternalFailureException", "Internal Service Failure"));
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
