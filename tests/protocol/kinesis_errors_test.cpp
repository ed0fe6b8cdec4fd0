// What is wrong with a request of Kinesis that puts, reads or describes, in the service's words and in both codecs.
#include <gtest/gtest.h>

#include "protocol/kinesis/tokens.hpp"
#include "protocol/kinesis_support.hpp"

namespace penstock::protocol::testing {
namespace {

using List = kinesis::NextToken::List;

struct KinesisErrorCase {
  std::string name;
  std::string operation;
  std::string json;
  std::string type;
  std::string message;

  friend void PrintTo(const KinesisErrorCase& error, std::ostream* out) { *out << error.name; }
};

const std::string invalid = "InvalidArgumentException";
const std::string validation = "ValidationException";

std::vector<KinesisErrorCase> addressing_cases() {
  const std::string other = "arn:aws:kinesis:us-east-1:000000000000:stream/other";
  const std::string none = "Either StreamName or StreamARN must be provided.";
  const std::string no_consumer = "Either ConsumerARN or both StreamARN and ConsumerName must be provided.";
  const std::string conflict = "StreamARN, ConsumerName and ConsumerARN do not name the same consumer.";
  const std::string long_region(33, 'r');
  return {
      {"NoStream", "PutRecord", R"({"Data":"","PartitionKey":"k"})", invalid, none},
      {"NoStreamOfMany", "PutRecords", R"({"Records":[{"Data":"","PartitionKey":"k"}]})", invalid, none},
      {"NoStreamToRead", "GetShardIterator", R"({"ShardId":"a-1","ShardIteratorType":"LATEST"})", invalid, none},
      {"NoStreamToDescribe", "DescribeStream", "{}", invalid, none},
      {"NoStreamToSummarize", "DescribeStreamSummary", "{}", invalid, none},
      {"NoStreamToList", "ListShards", "{}", invalid, none},
      {"NameAndArnDisagree", "DescribeStream", R"({"StreamName":"other","StreamARN":"$ARN"})", invalid,
       "StreamARN $ARN and StreamName other do not name the same stream."},
      {"ArnOfConsumer", "DescribeStream", R"({"StreamARN":"$CONSUMER"})", invalid, "StreamARN $CONSUMER is not valid."},
      {"ArnOfNothing", "DescribeStream", R"({"StreamARN":"arn:aws:kinesis::000000000000:stream/s"})", invalid,
       "StreamARN arn:aws:kinesis::000000000000:stream/s is not valid."},
      {"ArnOfNoRegion", "DescribeStream",
       R"({"StreamARN":"arn:aws:kinesis:)" + long_region + R"(:000000000000:stream/s"})", invalid,
       "StreamARN arn:aws:kinesis:" + long_region + ":000000000000:stream/s is not valid."},
      {"IdOfNothing", "DescribeStream", R"({"StreamId":"000000000mf9g063v08f-nza"})", "ResourceNotFoundException",
       "Stream with id 000000000mf9g063v08f-nza under account 000000000000 not found."},
      {"NoConsumer", "DescribeStreamConsumer", "{}", invalid, no_consumer},
      {"OnlyTheName", "DescribeStreamConsumer", R"({"ConsumerName":"c"})", invalid, no_consumer},
      {"OnlyTheStream", "DeregisterStreamConsumer", R"({"StreamARN":"$ARN"})", invalid, no_consumer},
      {"OtherStream", "DescribeStreamConsumer", R"({"StreamARN":")" + other + R"(","ConsumerARN":"$CONSUMER"})",
       invalid, conflict},
      {"OtherName", "DeregisterStreamConsumer", R"({"ConsumerName":"d","ConsumerARN":"$CONSUMER"})", invalid, conflict},
      {"ConsumerOfNoTime", "SubscribeToShard",
       R"({"ConsumerARN":"$ARN/consumer/c:99999999999999999999","ShardId":"a-1",
           "StartingPosition":{"Type":"LATEST"}})",
       invalid, "ConsumerARN $ARN/consumer/c:99999999999999999999 is not valid."},
  };
}

std::vector<KinesisErrorCase> constraint_cases() {
  const auto one = [](std::string_view at, std::string_view constraint) {
    return "1 validation error detected: Value " + std::string(at) + " failed to satisfy constraint: Member must " +
           std::string(constraint);
  };
  const std::string types =
      "satisfy enum value set: [AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, AT_TIMESTAMP]";
  return {
      {"EmptyKeyOfAnEntry", "PutRecords",
       R"({"StreamName":"s","Records":[{"Data":"","PartitionKey":"k"},{"Data":"","PartitionKey":""}]})", validation,
       one("'' at 'records.2.member.partitionKey'", "have length greater than or equal to 1")},
      {"NoRecords", "PutRecords", R"({"StreamName":"s","Records":[]})", validation,
       one("'[]' at 'records'", "have length greater than or equal to 1")},
      {"NothingAtAll", "PutRecord", "{}", validation,
       "2 validation errors detected: Value null at 'data' failed to satisfy constraint: Member must not be null; "
       "Value null at 'partitionKey' failed to satisfy constraint: Member must not be null"},
      {"NoSuchType", "GetShardIterator", R"({"StreamName":"s","ShardId":"a-1","ShardIteratorType":"FIRST"})",
       validation, one("'FIRST' at 'shardIteratorType'", types)},
      {"NoSuchStart", "SubscribeToShard",
       R"({"ConsumerARN":"$CONSUMER","ShardId":"a-1","StartingPosition":{"Type":"FIRST"}})", validation,
       one("'FIRST' at 'startingPosition.type'", types)},
      {"TooMany", "GetRecords", R"({"ShardIterator":"x","Limit":10001})", validation,
       one("'10001' at 'limit'", "have value less than or equal to 10000")},
      {"NoIterator", "GetRecords", R"({"ShardIterator":""})", validation,
       one("'' at 'shardIterator'", "have length greater than or equal to 1")},
      {"NoArn", "RegisterStreamConsumer", R"({"ConsumerName":"c"})", validation,
       one("null at 'streamARN'", "not be null")},
      {"HashKeyOfNoDigits", "PutRecord", R"({"StreamName":"s","Data":"","PartitionKey":"k","ExplicitHashKey":"-1"})",
       validation, one("'-1' at 'explicitHashKey'", R"(satisfy regular expression pattern: 0|([1-9]\\d{0,38}))")},
      {"DataOfNoBase64", "PutRecord", R"({"StreamName":"s","Data":7,"PartitionKey":"k"})", "SerializationException",
       "NUMBER_VALUE can not be converted to a Blob"},
      {"RecordsOfNoList", "PutRecords", R"({"StreamName":"s","Records":{}})", "SerializationException",
       "Expected list or null"},
  };
}

std::vector<KinesisErrorCase> record_cases() {
  const std::string above = "340282366920938463463374607431768211456";
  const std::string hash =
      "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified "
      "value was " +
      above;
  return {
      {"HashKeyAbove", "PutRecord",
       R"({"StreamName":"s","Data":"","PartitionKey":"k","ExplicitHashKey":")" + above + "\"}", invalid, hash},
      {"HashKeyAboveOfAnEntry", "PutRecords",
       R"({"StreamName":"s","Records":[{"Data":"","PartitionKey":"k"},
           {"Data":"","PartitionKey":"k","ExplicitHashKey":")" +
           above + "\"}]}",
       invalid, hash},
      {"Malformed", "GetRecords", R"({"ShardIterator":"AAAA"})", invalid, "Invalid ShardIterator."},
      {"NoBase64", "GetRecords", R"({"ShardIterator":"\"not base64\""})", invalid, "Invalid ShardIterator."},
  };
}

std::vector<KinesisErrorCase> token_cases() {
  const auto token = [](List list) {
    return kinesis::to_string(kinesis::NextToken{list, stream_name(), stream_id, "a-1", {}, kinesis_now});
  };
  const auto with_token = [&](List list, std::string_view rest) {
    return R"({"NextToken":")" + token(list) + "\"," + std::string(rest) + "}";
  };
  const auto together = [](std::string_view member) {
    return "NextToken and " + std::string(member) + " cannot be provided together.";
  };
  const std::string consumers = R"({"StreamARN":"$ARN","NextToken":")";
  const std::string other = "The token was not issued for the stream that the request names.";
  return {
      {"TokenAndName", "ListShards", with_token(List::shards, R"("StreamName":"s")"), invalid, together("StreamName")},
      {"TokenAndStart", "ListShards", with_token(List::shards, R"("ExclusiveStartShardId":"a-1")"), invalid,
       together("ExclusiveStartShardId")},
      {"TokenAndCreation", "ListShards", with_token(List::shards, R"("StreamCreationTimestamp":1)"), invalid,
       together("StreamCreationTimestamp")},
      {"TokenAndFilter", "ListShards", with_token(List::shards, R"("ShardFilter":{"Type":"AT_LATEST"})"), invalid,
       together("ShardFilter")},
      {"TokenOfOtherStream", "ListShards",
       with_token(List::shards, R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/other")"), invalid,
       other},
      {"TokenAndStreamStart", "ListStreams", with_token(List::streams, R"("ExclusiveStartStreamName":"s")"), invalid,
       together("ExclusiveStartStreamName")},
      {"TokenAndConsumersCreation", "ListStreamConsumers",
       consumers + token(List::consumers) + R"(","StreamCreationTimestamp":1})", invalid,
       together("StreamCreationTimestamp")},
      {"TokenOfShards", "ListStreamConsumers", consumers + token(List::shards) + "\"}", invalid, "Invalid NextToken."},
      {"TokenOfConsumers", "ListStreams", with_token(List::consumers, R"("Limit":1)"), invalid, "Invalid NextToken."},
      {"TokenOfStreams", "ListShards", with_token(List::streams, R"("MaxResults":1)"), invalid, "Invalid NextToken."},
      {"TokenOfNothing", "ListStreams", R"({"NextToken":"s"})", invalid, "Invalid NextToken."},
      {"FilterWithoutShard", "ListShards", R"({"StreamName":"s","ShardFilter":{"Type":"AFTER_SHARD_ID"}})", invalid,
       "ShardId must be provided for a ShardFilter of type AFTER_SHARD_ID."},
      {"FilterWithoutTime", "ListShards", R"({"StreamName":"s","ShardFilter":{"Type":"FROM_TIMESTAMP"}})", invalid,
       "Timestamp must be provided for a ShardFilter of type FROM_TIMESTAMP."},
      {"UnknownOperation", "DescribeShard", "{}", "UnknownOperationException",
       "The operation Kinesis_20131202.DescribeShard is not known to this service."},
  };
}

class KinesisErrors : public ::testing::TestWithParam<KinesisErrorCase> {};

TEST_P(KinesisErrors, AreWordedInBothCodecs) {
  const KinesisErrorCase& error = GetParam();
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    EXPECT_EQ(kinesis_refusal(kinesis_request(error.operation, error.json, codec)),
              with_names(kinesis_error(error.type, error.message)));
  }
}

std::string test_name(const ::testing::TestParamInfo<KinesisErrorCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Addressing, KinesisErrors, ::testing::ValuesIn(addressing_cases()), test_name);
INSTANTIATE_TEST_SUITE_P(Constraint, KinesisErrors, ::testing::ValuesIn(constraint_cases()), test_name);
INSTANTIATE_TEST_SUITE_P(Record, KinesisErrors, ::testing::ValuesIn(record_cases()), test_name);
INSTANTIATE_TEST_SUITE_P(Token, KinesisErrors, ::testing::ValuesIn(token_cases()), test_name);

TEST(KinesisPutRecords, TakesTenMebibytesInAll) {
  const std::string record = R"({"PartitionKey":"k","Data":")" + std::string((std::size_t{4} << 20U) / 3 * 4, 'A') +
                             "\"}";  // of 4 MiB, but for a byte
  const std::string two = R"({"StreamName":"s","Records":[)" + record + "," + record;
  EXPECT_EQ(kinesis_refusal(kinesis_request("PutRecords", two + "," + record + "]}")),
            invalid_argument_error("Records size exceeds 10 MB limit"));
  EXPECT_TRUE(std::holds_alternative<PreparedCall>(prepare_at(kinesis_request("PutRecords", two + "]}"))));
}

TEST(KinesisGetRecords, IteratorsExpireAfterFiveMinutes) {
  const std::string iterator =
      kinesis::to_string(kinesis::ShardIterator{stream_name(), {stream_id, {}, RecordIndex{1}, {}}, kinesis_now});
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    const Request request = kinesis_request("GetRecords", R"({"ShardIterator":")" + iterator + "\"}", codec);
    const Instant last = kinesis_now + Millis{300'000};
    EXPECT_TRUE(std::holds_alternative<PreparedCall>(prepare_at(request, last)));
    EXPECT_EQ(kinesis_refusal(request, last + Millis{1}),
              kinesis_error("ExpiredIteratorException",
                            "Iterator expired. The iterator was created at time Thu Jan 22 01:22:02 UTC 2015 while "
                            "right now it is Thu Jan 22 01:27:02 UTC 2015 which is further in the future than the "
                            "tolerated delay of 300000 milliseconds."));
  }
}

TEST(KinesisGetRecords, IteratorsAreOfTheStreamThatIsNamed) {
  const std::string iterator =
      kinesis::to_string(kinesis::ShardIterator{stream_name(), {stream_id, {}, RecordIndex{1}, {}}, kinesis_now});
  const std::string start = R"({"ShardIterator":")" + iterator + "\",";
  const std::string error = invalid_argument_error("The token was not issued for the stream that the request names.");
  const std::string arn = R"("StreamARN":"arn:aws:kinesis:eu-west-1:000000000000:stream/s"})";
  EXPECT_EQ(kinesis_refusal(kinesis_request("GetRecords", start + arn)), error);
  const std::string id = R"("StreamId":")" + format_stream_id(StreamId{1}) + "\"}";
  EXPECT_EQ(kinesis_refusal(kinesis_request("GetRecords", start + id)), error);
}

TEST(KinesisLists, TokensExpireAfterFiveMinutes) {
  const auto expired = kinesis_error(
      "ExpiredNextTokenException",
      "NextToken expired. The token was created at time Thu Jan 22 01:22:02 UTC 2015 while right now it is Thu Jan 22 "
      "01:27:02 UTC 2015 which is further in the future than the tolerated delay of 300000 milliseconds.");
  const std::pair<std::string, List> lists[] = {
      {"ListShards", List::shards}, {"ListStreams", List::streams}, {"ListStreamConsumers", List::consumers}};
  for (const auto& [operation, list] : lists) {
    const std::string token =
        kinesis::to_string(kinesis::NextToken{list, stream_name(), stream_id, "a-1", {}, kinesis_now});
    std::string json = list == List::streams ? "{" : R"({"StreamARN":"$ARN",)";
    json.append(R"("NextToken":")").append(token).append("\"}");
    const Request request = kinesis_request(operation, json);
    const Instant last = kinesis_now + Millis{300'000};
    EXPECT_TRUE(std::holds_alternative<PreparedCall>(prepare_at(request, last))) << operation;
    EXPECT_EQ(kinesis_refusal(request, last + Millis{1}), expired);
  }
}

TEST(KinesisStreamId, HasToBeThatOfTheStreamThatIsNamed) {
  const Request request = kinesis_request("DescribeStream", R"({"StreamName":"s","StreamId":"$ID"})");
  const Prepared prepared = prepare_at(request);
  const auto& call = std::get<PreparedCall>(prepared);
  ASSERT_EQ(call.before.size(), 1U);
  EXPECT_FALSE(call.stream_id);
  const auto objection = [&](const Result& result) { return call.before.front().objection(result); };
  EXPECT_EQ(objection(StreamFound{stream_name()}), std::nullopt);
  const Error other{ErrorCode::KinesisInvalidArgument,
                    with_names("StreamId $ID is not that of stream s under account 000000000000.")};
  EXPECT_EQ(objection(StreamFound{}), other);
  EXPECT_EQ(objection(StreamFound{StreamName{"000000000000", "us-east-1", "t"}}), other);
  EXPECT_EQ(objection(Done{}), other);
  const Error unable{ErrorCode::ServiceUnavailable, "Not now."};
  EXPECT_EQ(objection(unable), unable);
}

TEST(KinesisCaller, SaysOfWhichAccountAndRegionANameIs) {
  const auto asked = [](std::string_view json) {
    Request request = kinesis_request("DescribeStreamSummary", json);
    request.with("Authorization",
                 "AWS4-HMAC-SHA256 Credential=123456789012/20150122/eu-west-1/kinesis/aws4_request, Signature=0");
    return kinesis_asked(request);
  };
  EXPECT_EQ(asked(R"({"StreamName":"s"})"), "123456789012/eu-west-1/s DescribeStreamSummary");
  EXPECT_EQ(asked(R"({"StreamARN":"$ARN"})"), "000000000000/us-east-1/s DescribeStreamSummary");
  EXPECT_EQ(asked(R"({"StreamARN":"arn:aws-cn:kinesis:cn-north-1:000000000001:stream/s"})"),
            "000000000001/cn-north-1/s DescribeStreamSummary");
}

}  // namespace
}  // namespace penstock::protocol::testing
