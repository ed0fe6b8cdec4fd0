// Input for Kinesis that nobody means, in both codecs: requests with something changed, and random bytes. Nothing may
// crash, and every answer is one.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

#include "protocol/cbor.hpp"
#include "protocol/json.hpp"
#include "protocol/kinesis/operations.hpp"
#include "protocol/kinesis/tokens.hpp"
#include "protocol/kinesis_support.hpp"
#include "support/random.hpp"

namespace penstock::protocol::testing {
namespace {

constexpr int rounds = 20'000;

std::vector<std::string> seeds() {
  const std::string iterator =
      kinesis::to_string(kinesis::ShardIterator{stream_name(), {stream_id, {}, RecordIndex{1}, {}}, kinesis_now});
  const std::string token = kinesis::to_string(
      kinesis::NextToken{kinesis::NextToken::List::shards, stream_name(), stream_id, "a-1", {}, kinesis_now});
  std::vector<std::string> all = {
      R"({"StreamName":"s","Data":"b25l","PartitionKey":"k","ExplicitHashKey":"7","SequenceNumberForOrdering":"17"})",
      R"({"StreamARN":"$ARN","Records":[{"Data":"b25l","PartitionKey":"k\u00e9"},
          {"Data":"AP8=","PartitionKey":"k","ExplicitHashKey":"0"}]})",
      R"({"StreamId":"$ID","ShardId":"shardId-000000000000","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1.5,
          "StartingSequenceNumber":"0"})",
      R"({"ShardIterator":")" + iterator + R"(","Limit":5})",
      R"({"NextToken":")" + token + R"(","MaxResults":5})",
      R"({"StreamName":"s","ShardFilter":{"Type":"AT_TIMESTAMP","Timestamp":5,"ShardId":"a-1"},"Limit":3,
          "StreamCreationTimestamp":1421889600,"ExclusiveStartShardId":"a-1"})",
      R"({"ConsumerARN":"$CONSUMER","StreamARN":"$ARN","ConsumerName":"c","ShardId":"a-1",
          "StartingPosition":{"Type":"LATEST","SequenceNumber":"1","Timestamp":9},"Tags":{"a":"b"}})",
      R"({"StreamName":"s","ShardCount":2,"TargetShardCount":2,"ScalingType":"UNIFORM_SCALING",
          "StreamModeDetails":{"StreamMode":"ON_DEMAND"},"RetentionPeriodHours":48,"ResourceARN":"$ARN","Policy":"{}",
          "ShardLevelMetrics":["ALL"],"TagKeys":["a"],"KeyId":"k","EncryptionType":"KMS"})"};
  for (std::string& each : all) each = with_names(std::move(each));
  return all;
}

class KinesisRandom : public ::testing::Test {
 protected:
  KinesisRandom() : seed_(given_seed()), random_(seed_) { std::cout << "PENSTOCK_TEST_SEED=" << seed_ << "\n"; }
  void TearDown() override {
    if (HasFailure()) ADD_FAILURE() << "PENSTOCK_TEST_SEED=" << seed_ << " replays this";
  }

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_.below(end)); }

  std::string random_bytes(std::size_t limit) {
    std::string bytes(below(limit), '\0');
    for (char& c : bytes) c = static_cast<char>(random_.next());
    return bytes;
  }

  void mutate(std::string& text, const std::vector<std::string>& pieces) {
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      const std::size_t at = below(text.size() + 1);
      switch (below(4)) {
        case 0:
          text.insert(at, pieces.at(below(pieces.size())));
          break;
        case 1:
          text.erase(at, below(9));
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(random_.next());
          break;
        default: {
          const std::string piece = text.substr(at, below(40));
          text.insert(below(text.size() + 1), piece);
          break;
        }
      }
    }
  }

  /// A request whose operation most often fits nothing of its body.
  Request request_of(std::string body, Codec codec) {
    const auto operations = kinesis::operations();
    Request request = kinesis_request(operations[below(operations.size())].name, "{}", codec);
    request.body = std::move(body);
    return request;
  }

  Result random_result() {
    switch (below(8)) {
      case 0:
        return Error{static_cast<ErrorCode>(below(static_cast<std::size_t>(ErrorCode::InternalFailure) + 1)),
                     random_bytes(20)};
      case 1:
        return StreamDescription{stream_info(), shard_records(), false};
      case 2:
        return RecordsPut{{RecordPut{ShardIndex{1}, {1, RecordIndex{2}, 3, ShardIndex{1}}},
                           Error{ErrorCode::KinesisLimitExceeded, ""}},
                          true};
      case 3:
        return ShardList{stream_id, shard_records(), true};
      case 4:
        return ShardPosition{stream_id, ShardIndex{}, RecordIndex{1}, {}};
      case 5:
        return records_page();
      case 6:
        return ConsumerDescription{stream_name(), stream_consumer()};
      default:
        return Done{};
    }
  }

  static void expect_answer(const WireResponse& response) {
    EXPECT_GE(response.status, 200);
    EXPECT_LT(response.status, 600);
    EXPECT_FALSE(response.headers.empty());
    if (response.content_type == "application/x-amz-json-1.1") {
      EXPECT_TRUE(std::holds_alternative<JsonSource>(parse_json(response.body))) << response.body;
    } else if (response.content_type == "application/x-amz-cbor-1.1") {
      EXPECT_TRUE(std::holds_alternative<CborSource>(parse_cbor(response.body))) << response.body;
    }
  }

  void try_request(const Request& request) {
    Prepared prepared = prepare_at(request);
    if (const auto* response = std::get_if<WireResponse>(&prepared)) return expect_answer(*response);
    auto& call = std::get<PreparedCall>(prepared);
    expect_answer(call.respond(random_result()));
    if (call.feed) EXPECT_FALSE(call.feed->event(records_page()).empty());
  }

 private:
  static std::uint64_t given_seed() {
    const char* given = std::getenv("PENSTOCK_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  std::uint64_t seed_;
  test::Random random_;
};

TEST_F(KinesisRandom, ChangedJson) {
  const std::vector<std::string> bodies = seeds();
  const std::vector<std::string> pieces = {"{",        "}",  "[",     "]",       "\"",      ":",    ",",
                                           "null",     "-1", "1e999", "\\u0000", "\\ud800", "\xff", "9",
                                           "99999999", "é",  "Data",  "1.5e3",   "true"};
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    std::string body = bodies.at(below(bodies.size()));
    mutate(body, pieces);
    try_request(request_of(std::move(body), Codec::json));
  }
}

TEST_F(KinesisRandom, ChangedCbor) {
  std::vector<std::string> bodies;
  for (const std::string& json : seeds()) bodies.push_back(cbor_of(json));
  const std::vector<std::string> pieces = {"\xa0",     "\xbf", "\x9f", "\xff", "\x5f",
                                           "\x7f",     "\xf6", "\xc1", "\x60", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
                                           "\x5b\x7f", "\xfb", "\x3b", "Data"};
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    std::string body = bodies.at(below(bodies.size()));
    mutate(body, pieces);
    try_request(request_of(std::move(body), Codec::cbor));
  }
}

// Unchanged bodies with every operation: what is a member of several inputs comes far.
TEST_F(KinesisRandom, BodiesOfOtherOperations) {
  for (const std::string& json : seeds()) {
    for (const kinesis::Operation& operation : kinesis::operations()) {
      for (const Codec codec : {Codec::json, Codec::cbor}) {
        for (int i = 0; i < 8; ++i) try_request(kinesis_request(operation.name, json, codec));
      }
    }
  }
}

TEST_F(KinesisRandom, Bytes) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    try_request(request_of(random_bytes(200), Codec::json));
    try_request(request_of(random_bytes(200), Codec::cbor));
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
