// Constraints in the framework's words, and the patterns of the API models.
#include "protocol/validate.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "protocol/cbor.hpp"
#include "protocol/json.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/pattern.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::testing {
namespace {

// ---- A request with a constraint of each kind.

struct Entry {
  std::optional<Blob> data;
  std::optional<std::string> explicit_hash_key;
  std::optional<std::string> partition_key;

  static constexpr auto shape() {
    return Shape("PutRecordsRequestEntry", required("Data", &Entry::data, kinesis::data),
                 optional("ExplicitHashKey", &Entry::explicit_hash_key, kinesis::hash_key),
                 required("PartitionKey", &Entry::partition_key, kinesis::partition_key));
  }
};

struct Mode {
  std::optional<std::string> stream_mode;

  static constexpr auto shape() {
    return Shape("StreamModeDetails", required("StreamMode", &Mode::stream_mode, kinesis::stream_mode));
  }
};

struct Everything {
  std::optional<std::string> stream_name;
  std::optional<std::vector<Entry>> records;
  std::optional<Mode> mode;
  std::optional<std::int32_t> limit;
  std::optional<std::int32_t> count;
  std::optional<std::vector<std::string>> tag_keys;
  std::optional<std::vector<std::string>> metrics;
  std::optional<Map<std::string>> tags;
  std::optional<Timestamp> at;

  static constexpr auto shape() {
    using Self = Everything;
    return Shape("Everything", required("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("Records", &Self::records, kinesis::put_records_entries),
                 optional("StreamModeDetails", &Self::mode), optional("Limit", &Self::limit, kinesis::page_limit),
                 optional("ShardCount", &Self::count, kinesis::positive_integer),
                 optional("TagKeys", &Self::tag_keys, kinesis::tag_keys),
                 optional("ShardLevelMetrics", &Self::metrics, kinesis::metrics_names),
                 optional("Tags", &Self::tags, kinesis::tag_map), optional("At", &Self::at));
  }
};

/// What is said of a JSON body.
std::string said_of(const std::string& json) {
  auto parsed = parse_json(json);
  if (const auto* error = std::get_if<Error>(&parsed)) return error->message;
  Everything input;
  if (const Refusal refusal = read_members(std::get<JsonSource>(parsed), input)) {
    EXPECT_EQ(refusal->code, ErrorCode::Serialization);
    return refusal->message;
  }
  const Refusal refusal = validate(input);
  if (refusal) EXPECT_EQ(refusal->code, ErrorCode::KinesisValidation);
  return refusal ? refusal->message : "";
}

/// The same with a stream's name, and without the words that all have in common.
std::string broken_in(const std::string& members) {
  const std::string said = said_of(R"({"StreamName":"s",)" + members + "}");
  constexpr std::string_view one = "1 validation error detected: ";
  return said.starts_with(one) ? said.substr(one.size()) : said;
}

TEST(Validate, WhatIsRightIsTaken) {
  EXPECT_EQ(said_of(R"({"StreamName":"a.b_C-9","Limit":10000,"ShardCount":2147483647,"TagKeys":["a"],
                        "ShardLevelMetrics":["ALL"],"Tags":{"k":""},"At":1.5,"StreamModeDetails":{"StreamMode":"ON_DEMAND"},
                        "Records":[{"Data":"","PartitionKey":"k","ExplicitHashKey":"0"}],"Unknown":[{"a":[]}]})"),
            "");
}

TEST(Validate, OneBrokenConstraint) {
  const std::string at = "' failed to satisfy constraint: ";
  EXPECT_EQ(said_of("{}"), "1 validation error detected: Value null at 'streamName" + at + "Member must not be null");
  EXPECT_EQ(said_of(R"({"StreamName":"a b"})"), "1 validation error detected: Value 'a b' at 'streamName" + at +
                                                    "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  EXPECT_EQ(broken_in(R"("Limit":0)"),
            "Value '0' at 'limit" + at + "Member must have value greater than or equal to 1");
  EXPECT_EQ(broken_in(R"("Limit":10001)"),
            "Value '10001' at 'limit" + at + "Member must have value less than or equal to 10000");
  EXPECT_EQ(broken_in(R"("ShardCount":-1)"),
            "Value '-1' at 'shardCount" + at + "Member must have value greater than or equal to 1");
  EXPECT_EQ(broken_in(R"("StreamModeDetails":{})"),
            "Value null at 'streamModeDetails.streamMode" + at + "Member must not be null");
  EXPECT_EQ(broken_in(R"("StreamModeDetails":{"StreamMode":"x"})"),
            "Value 'x' at 'streamModeDetails.streamMode" + at +
                "Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]");
  EXPECT_EQ(broken_in(R"("Records":[])"),
            "Value '[]' at 'records" + at + "Member must have length greater than or equal to 1");
  EXPECT_EQ(broken_in(R"("Records":[{"Data":"","PartitionKey":"k"},{"Data":""}])"),
            "Value null at 'records.2.member.partitionKey" + at + "Member must not be null");
  EXPECT_EQ(broken_in(R"("Records":[{"PartitionKey":"k"}])"),
            "Value null at 'records.1.member.data" + at + "Member must not be null");
  EXPECT_EQ(broken_in(R"("Records":[{"Data":"","PartitionKey":"k","ExplicitHashKey":"01"}])"),
            "Value '01' at 'records.1.member.explicitHashKey" + at +
                R"(Member must satisfy regular expression pattern: 0|([1-9]\d{0,38}))");
}

TEST(Validate, ElementsKeysAndValues) {
  const std::string at = "' failed to satisfy constraint: ";
  const std::string key_lengths =
      "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]";
  EXPECT_EQ(broken_in(R"("TagKeys":["a","",""])"),
            "Value '[a, , ]' at 'tagKeys" + at + "Member must satisfy constraint: " + key_lengths);
  EXPECT_EQ(
      broken_in(R"("ShardLevelMetrics":["ALL","None"])"),
      "Value '[ALL, None]' at 'shardLevelMetrics" + at +
          "Member must satisfy constraint: [Member must satisfy enum value set: [IncomingBytes, IncomingRecords, "
          "OutgoingBytes, OutgoingRecords, WriteProvisionedThroughputExceeded, ReadProvisionedThroughputExceeded, "
          "IteratorAgeMilliseconds, ALL]]");
  EXPECT_EQ(broken_in(R"("Tags":{})"),
            "Value '{}' at 'tags" + at + "Member must have length greater than or equal to 1");
  EXPECT_EQ(broken_in(R"("Tags":{"":"x","b":"y"})"),
            "Value '{=x, b=y}' at 'tags" + at + "Map keys must satisfy constraint: " + key_lengths);
  EXPECT_EQ(broken_in(R"("Tags":{"k":")" + std::string(257, 'v') + "\"}"),
            "Value '{k=" + std::string(257, 'v') + "}' at 'tags" + at +
                "Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must "
                "have length greater than or equal to 0]");
}

TEST(Validate, SeveralAreJoined) {
  EXPECT_EQ(
      said_of(R"({"StreamName":"","Limit":0})"),
      "3 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: Member must satisfy "
      "regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to satisfy constraint: Member "
      "must have length greater than or equal to 1; Value '0' at 'limit' failed to satisfy constraint: Member "
      "must have value greater than or equal to 1");
}

TEST(Validate, AtMostTenAreListed) {
  std::string records;
  for (int i = 0; i < 501; ++i) records += std::string(i == 0 ? "" : ",") + R"({"Data":"","PartitionKey":""})";
  const std::string said = said_of(R"({"StreamName":"","Records":[)" + records + "]}");
  EXPECT_TRUE(said.starts_with("10 validation errors detected: ")) << said.substr(0, 80);
  EXPECT_NE(said.find("PutRecordsRequestEntry@c965e310, com.amazonaws.kinesis.v20131202."), std::string::npos);
  EXPECT_NE(said.find("Member must have length less than or equal to 500"), std::string::npos);
  EXPECT_NE(said.find("'records.7.member.partitionKey'"), std::string::npos);
  EXPECT_EQ(said.find("'records.8.member.partitionKey'"), std::string::npos);
}

TEST(Validate, BlobsAreShownByTheirSize) {
  Entry entry;
  entry.partition_key = "k";
  entry.data.emplace().bytes.resize(10'485'761);
  EXPECT_EQ(validate(entry)->message,
            "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=10485761 cap=10485761]' at 'data' "
            "failed to satisfy constraint: Member must have length less than or equal to 10485760");
}

TEST(Validate, LengthsAreCountedInUtf16) {
  const auto refused = [](const std::string& key) {
    Entry entry;
    entry.data.emplace();
    entry.partition_key = key;
    return validate(entry).has_value();
  };
  std::string umlauts;
  std::string emoji;
  for (int i = 0; i < 128; ++i) emoji += "\xF0\x9F\x98\x80";
  for (int i = 0; i < 256; ++i) umlauts += "\xC3\xBC";
  EXPECT_FALSE(refused("k"));
  EXPECT_FALSE(refused(std::string(256, 'k')));
  EXPECT_TRUE(refused(std::string(257, 'k')));
  EXPECT_FALSE(refused(umlauts));
  EXPECT_TRUE(refused(umlauts + "k"));
  EXPECT_FALSE(refused(emoji));
  EXPECT_TRUE(refused(emoji + "k"));
}

// ---- Wrong types, which are told before any constraint.

TEST(Validate, WrongTypesComeFirst) {
  EXPECT_EQ(said_of(R"({"StreamName":5,"Limit":0})"), "NUMBER_VALUE can not be converted to a String");
  EXPECT_EQ(said_of(R"({"Limit":"5"})"), "STRING_VALUE can not be converted to an Integer");
  EXPECT_EQ(said_of(R"({"Limit":2147483648})"), "NUMBER_VALUE can not be converted to an Integer");
  EXPECT_EQ(said_of(R"({"At":"2015-01-22"})"), "STRING_VALUE can not be converted to a Timestamp");
  EXPECT_EQ(said_of(R"({"At":1e300})"), "NUMBER_VALUE can not be converted to a Timestamp");
  EXPECT_EQ(said_of(R"({"Records":{}})"), "Expected list or null");
  EXPECT_EQ(said_of(R"({"Records":[[]]})"), "Start of list found where not expected");
  EXPECT_EQ(said_of(R"({"Records":[{"Data":"A","PartitionKey":"k"}]})"), "Blobs must be base64 encoded");
}

TEST(Validate, ListsAreBoundedWhileTheyAreRead) {
  std::string records;
  for (std::size_t i = 0; i <= elements_max; ++i) records += i == 0 ? "{}" : ",{}";
  EXPECT_EQ(said_of(R"({"StreamName":"s","Records":[)" + records + "]}"),
            "A list or a map has more than 10000 elements.");
}

// ---- Patterns

/// As Python's re.fullmatch says of the model's text.
TEST(Pattern, AsTheModelMeansIt) {
  const std::string d12 = "012345678901";
  const std::vector<std::tuple<const Pattern*, std::string, bool>> samples{
      {&kinesis::patterns::name, "a", true},
      {&kinesis::patterns::name, "aZ09_.-", true},
      {&kinesis::patterns::name, "", false},
      {&kinesis::patterns::name, "a b", false},
      {&kinesis::patterns::name, "a\n", false},
      {&kinesis::patterns::name, "\xC3\xBC", false},
      {&kinesis::patterns::name, std::string("a\0", 2), false},
      {&kinesis::patterns::hash_key, "0", true},
      {&kinesis::patterns::hash_key, "00", false},
      {&kinesis::patterns::hash_key, "01", false},
      {&kinesis::patterns::hash_key, "", false},
      {&kinesis::patterns::hash_key, "1" + std::string(38, '0'), true},
      {&kinesis::patterns::hash_key, "1" + std::string(39, '0'), false},
      {&kinesis::patterns::hash_key, "-1", false},
      {&kinesis::patterns::hash_key, "0|", false},
      {&kinesis::patterns::sequence_number, "0", true},
      {&kinesis::patterns::sequence_number, "9" + std::string(128, '9'), true},
      {&kinesis::patterns::sequence_number, "9" + std::string(129, '9'), false},
      {&kinesis::patterns::sequence_number, "12a", false},
      {&kinesis::patterns::stream_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/s", true},
      {&kinesis::patterns::stream_arn, "arn:aws-cn:kinesis:cn-north-1:" + d12 + ":stream/s/consumer/c:1", true},
      {&kinesis::patterns::stream_arn, "arn:aws:kinesis::" + d12 + ":stream/\xC3\xBC", true},
      {&kinesis::patterns::stream_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/", false},
      {&kinesis::patterns::stream_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/a b", false},
      {&kinesis::patterns::stream_arn, "arn:aws:kinesis:us-east-1:" + d12 + "0:stream/s", false},
      {&kinesis::patterns::stream_arn, "arn:aws:kinesis:x:1:" + d12 + ":stream/s", true},
      {&kinesis::patterns::stream_arn, "arn:aws\n:kinesis:x:" + d12 + ":stream/s", false},
      {&kinesis::patterns::stream_arn, "arn:aws:sqs:us-east-1:" + d12 + ":stream/s", false},
      {&kinesis::patterns::stream_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":xstream/s", false},
      {&kinesis::patterns::resource_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":xstream/s", true},
      {&kinesis::patterns::resource_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/s/consumer/c:1", true},
      {&kinesis::patterns::consumer_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/s/consumer/c:17", true},
      {&kinesis::patterns::consumer_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/s/consumer/c:", false},
      {&kinesis::patterns::consumer_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/s/consumer/c", false},
      {&kinesis::patterns::consumer_arn, "arn:aws:kinesis:us-east-1:" + d12 + ":stream/s s/consumer/c:1", false},
      {&kinesis::patterns::stream_id, "abcdefghij0123456789-x9z", true},
      {&kinesis::patterns::stream_id, "abcdefghij0123456789-x9", false},
      {&kinesis::patterns::stream_id, "Abcdefghij0123456789-x9z", false},
  };
  for (const auto& [pattern, text, expected] : samples) {
    EXPECT_EQ(pattern->matches(text), expected) << pattern->text() << " " << text;
  }
}

TEST(Pattern, Syntax) {
  constexpr Pattern optional{"ab?c*"};
  EXPECT_TRUE(optional.matches("a"));
  EXPECT_TRUE(optional.matches("abccc"));
  EXPECT_FALSE(optional.matches("abb"));
  constexpr Pattern alternatives{"a|b{2,3}|"};
  for (const std::string_view text : {"a", "bb", "bbb", ""}) EXPECT_TRUE(alternatives.matches(text)) << text;
  for (const std::string_view text : {"b", "bbbb", "ab", "|"}) EXPECT_FALSE(alternatives.matches(text)) << text;
  constexpr Pattern escaped{R"(\.\S\d)"};
  EXPECT_TRUE(escaped.matches(".x5"));
  EXPECT_FALSE(escaped.matches("xx5"));
  EXPECT_FALSE(escaped.matches(". 5"));
}

TEST(Pattern, TakesNoLongerThanTheTextIsLong) {
  std::string hostile = "arn:aws";
  while (hostile.size() < (1U << 20U)) hostile += ":kinesis:012345678901:stream/";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(kinesis::patterns::resource_arn.matches(hostile + " "));
  EXPECT_FALSE(kinesis::patterns::consumer_arn.matches(hostile));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace penstock::protocol::testing
