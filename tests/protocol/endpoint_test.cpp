// Endpoints that name a consumer: plain requests of the services there, and the iterators that they hand out.
#include "protocol/endpoint.hpp"

#include <gtest/gtest.h>

#include "protocol/kinesis/tokens.hpp"
#include "protocol/kinesis_support.hpp"
#include "protocol/native_support.hpp"

namespace penstock::protocol::testing {
namespace {

const std::string stream_text = "000000000000/us-east-1/s ";

struct Found {
  std::optional<std::string> consumer;
  std::string target;
  friend bool operator==(const Found&, const Found&) = default;
  friend void PrintTo(const Found& found, std::ostream* out) {
    *out << (found.consumer ? *found.consumer : "none") << " at " << found.target;
  }
};

Found found_at(std::string_view target, std::vector<Header> headers = {}) {
  WireRequest request{"POST", target, headers, {}, request_id};
  const WireRequest plain = at_plain_endpoint(request);
  Found found{std::nullopt, std::string(plain.target)};
  if (plain.consumer) found.consumer = *plain.consumer;
  return found;
}

TEST(Endpoints, NameAConsumerAndPerhapsAMember) {
  EXPECT_EQ(found_at("/"), (Found{std::nullopt, "/"}));
  EXPECT_EQ(found_at("/@consumer/c"), (Found{"c", ""}));
  EXPECT_EQ(found_at("/@consumer/c/"), (Found{"c", "/"}));
  EXPECT_EQ(found_at("/@consumer/c/m"), (Found{"c/m", ""}));
  EXPECT_EQ(found_at("/@consumer/c/m/"), (Found{"c/m", "/"}));
  EXPECT_EQ(found_at("/%40consumer/c/m/"), (Found{"c/m", "/"}));
  EXPECT_EQ(found_at("/@consumer/c/?a=b/c"), (Found{"c", "/?a=b/c"}));
  EXPECT_EQ(found_at("/@consumer/c?a=b/c"), (Found{"c", "?a=b/c"}));
  EXPECT_EQ(found_at("/@consumer/c/m?a=b"), (Found{"c/m", "?a=b"}));
  EXPECT_EQ(found_at("/@consumer"), (Found{"", ""}));
  EXPECT_EQ(found_at("/@consumer/"), (Found{"", ""}));
  EXPECT_EQ(found_at("/@consumer//m/"), (Found{"/m", "/"}));
  EXPECT_EQ(found_at("/@consumers/c"), (Found{std::nullopt, "/@consumers/c"}));
}

TEST(Endpoints, WhatTheServerKnowsIsNoMember) {
  EXPECT_EQ(found_at("/@consumer/c/000000000000/q"), (Found{"c", "/000000000000/q"}));
  EXPECT_EQ(found_at("/@consumer/c/m/000000000000/q?Action=X"), (Found{"c/m", "/000000000000/q?Action=X"}));
  EXPECT_EQ(found_at("/@consumer/c/000000000000"), (Found{"c/000000000000", ""})) << "which is no queue's path";
  EXPECT_EQ(found_at("/@consumer/c/_aws/sqs/messages"), (Found{"c", "/_aws/sqs/messages"}));
  EXPECT_EQ(found_at("/@consumer/c/_penstock/openapi.json"), (Found{"c", "/_penstock/openapi.json"}));
  EXPECT_EQ(found_at("/@consumer/c/m/_penstock/openapi.json"), (Found{"c/m", "/_penstock/openapi.json"}));
  EXPECT_EQ(found_at("/@consumer/c/_penstock"), (Found{"c/_penstock", ""}));
}

TEST(Endpoints, AHeaderDoesWhereThePathIsDropped) {
  EXPECT_EQ(found_at("/", {{"x-penstock-consumer", "c/m"}}), (Found{"c/m", "/"}));
  EXPECT_EQ(found_at("/@consumer/d", {{"X-Penstock-Consumer", "c"}}), (Found{"d", ""})) << "the path goes before";
  EXPECT_EQ(found_at("/", {{"X-Penstock-Consumer", ""}}), (Found{std::nullopt, "/"}));
}

// ---- Requests of Kinesis

const std::string get_iterator = R"({"StreamName":"s","ShardId":"shard-0","ShardIteratorType":"TRIM_HORIZON"})";

Request at(std::string target, Request request) {
  request.target = std::move(target);
  return request;
}

TEST(ReaderEndpoints, GetShardIteratorIsTheConsumers) {
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    const Request plain = kinesis_request("GetShardIterator", get_iterator, codec);
    const std::string asked = stream_text + "GetShardIterator shard-0 type=2";
    EXPECT_EQ(kinesis_asked(plain), asked);
    EXPECT_EQ(kinesis_asked(at("/@consumer/c", plain)), asked + " reader=c/");
    EXPECT_EQ(kinesis_asked(at("/@consumer/c/m/", plain)), asked + " reader=c/m");
    EXPECT_EQ(kinesis_asked(at("/@consumer/c%2D1/m%5F2/", plain)), asked + " reader=c-1/m_2");
    EXPECT_EQ(kinesis_asked(Request(plain).with("X-Penstock-Consumer", "c/m")), asked + " reader=c/m");
  }
}

TEST(ReaderEndpoints, NamesThatCannotBeAreRefused) {
  const std::string long_name(129, 'n');
  for (const std::string& consumer :
       std::vector<std::string>{"", "a%20b", "a%2", "c//", "c/a%2Fb", "c/%C3%A9", "/m", long_name, "c/" + long_name}) {
    for (const Codec codec : {Codec::json, Codec::cbor}) {
      const Request request = at("/@consumer/" + consumer, kinesis_request("ListStreams", "{}", codec));
      const std::string refusal = kinesis_refusal(request);
      EXPECT_TRUE(refusal.starts_with(R"(400 {"__type":"InvalidArgumentException","message":"The endpoint does not )"))
          << refusal;
    }
  }
  EXPECT_EQ(
      kinesis_refusal(at("/@consumer/a%20b", kinesis_request("ListStreams", "{}"))),
      invalid_argument_error("The endpoint does not name a consumer: a%20b has to be a name, or a consumer's and a "
                             "member's with a slash between them. Names are 1 to 128 of [a-zA-Z0-9_.-]."));
  EXPECT_EQ(
      kinesis_refusal(kinesis_request("ListStreams", "{}").with("X-Penstock-Consumer", "c/m/n")),
      invalid_argument_error("The endpoint does not name a consumer: c/m/n has to be a name, or a consumer's and a "
                             "member's with a slash between them. Names are 1 to 128 of [a-zA-Z0-9_.-]."));
}

TEST(ReaderEndpoints, OtherRequestsAreAsAtThePlainOne) {
  EXPECT_EQ(kinesis_asked(at("/@consumer/c/m", kinesis_request("DescribeStreamSummary", R"({"StreamName":"s"})"))),
            stream_text + "DescribeStreamSummary");
  const std::string sent = asked_of(json_request("GetQueueUrl", R"({"QueueName":"q"})"));
  EXPECT_EQ(asked_of(at("/@consumer/c", json_request("GetQueueUrl", R"({"QueueName":"q"})"))), sent);
  EXPECT_EQ(asked_of(at("/@consumer/a b", json_request("GetQueueUrl", R"({"QueueName":"q"})"))), sent);
  const std::string purged = asked_of(query_request("Action=PurgeQueue", "/000000000000/q"));
  EXPECT_EQ(asked_of(query_request("Action=PurgeQueue", "/@consumer/c/000000000000/q")), purged);
  EXPECT_EQ(asked_of(query_request("Action=PurgeQueue", "/@consumer/c/m/000000000000/q")), purged);
  EXPECT_EQ(asked_of(query_request("", "/@consumer/c/000000000000/q?Action=PurgeQueue")), purged);
  Request lag = native_request("GET", "/d/lag");
  lag.target.insert(0, "/@consumer/c/m");
  EXPECT_EQ(native_asked(lag), stream_text + "DescribeLag d limit=1000");
}

// ---- Iterators that hold a lease

kinesis::ShardIterator held_iterator(std::uint64_t from, bool commits, std::int64_t at_s) {
  return {
      stream_name(), {stream_id, ShardIndex{0}, RecordIndex{from}, {}, GroupHold{"c", 5, commits, at_s}}, kinesis_now};
}

Request get_records(std::uint64_t from, bool commits, std::int64_t at_s) {
  return kinesis_request("GetRecords", R"({"ShardIterator":")" + to_string(held_iterator(from, commits, at_s)) + "\"}");
}

TEST(HeldIterators, AreHandedOutByGetShardIterator) {
  const Request request = at("/@consumer/c", kinesis_request("GetShardIterator", get_iterator));
  const auto answer = held_iterator(7, false, 0);
  EXPECT_EQ(kinesis_answer(request, answer.position), R"(200 {"ShardIterator":")" + to_string(answer) + "\"}");
}

TEST(HeldIterators, SayWhatTheyMean) {
  for (const kinesis::ShardIterator& was : {held_iterator(7, false, 0), held_iterator(8, true, 1'421'889'611)}) {
    const auto read = kinesis::read_iterator(to_string(was), kinesis_now);
    ASSERT_TRUE(std::holds_alternative<kinesis::ShardIterator>(read));
    const auto& is = std::get<kinesis::ShardIterator>(read);
    EXPECT_EQ(is.position.hold, was.position.hold);
    EXPECT_EQ(is.position.from, was.position.from);
    EXPECT_EQ(is.stream, was.stream);
  }
}

TEST(HeldIterators, AreShortEnoughWhateverTheNames) {
  kinesis::ShardIterator longest = held_iterator(UINT64_MAX, true, INT64_MAX);
  longest.stream = {"123456789012", std::string(32, 'r'), std::string(128, 's')};
  longest.position.hold->group = std::string(128, 'g');
  longest.position.hold->epoch = UINT64_MAX;
  EXPECT_LE(to_string(longest).size(), 512U);
  const auto read = kinesis::read_iterator(to_string(longest), kinesis_now);
  ASSERT_TRUE(std::holds_alternative<kinesis::ShardIterator>(read));
  EXPECT_EQ(std::get<kinesis::ShardIterator>(read).position.hold, longest.position.hold);
}

TEST(HeldIterators, ThoseOfBeforeAreStillRead) {
  // As they were issued before there were consumers with positions.
  kinesis::ShardIterator plain = held_iterator(7, false, 0);
  plain.position.hold.reset();
  EXPECT_EQ(to_string(plain),
            "QQAAAUsPO1fpASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAHAAAAAAAAAAAMMDAwMDAwMDAwMDAwCXVzLWVhc3QtMQFz8Vk2g97EG5w=");
  const auto read = kinesis::read_iterator(to_string(plain), kinesis_now);
  ASSERT_TRUE(std::holds_alternative<kinesis::ShardIterator>(read));
  EXPECT_EQ(std::get<kinesis::ShardIterator>(read).position.hold, std::nullopt);
}

TEST(HeldIterators, GetRecordsCommitsByThem) {
  EXPECT_EQ(kinesis_asked(get_records(7, true, 1'421'889'611)),
            stream_text +
                "GetRecords id=000000000mf9g063v08f-nzb shard=0 from=7 not_before=0 max=10000 "
                "hold=c:5 commits at 1421889611");
  EXPECT_EQ(kinesis_asked(get_records(7, false, 0)),
            stream_text + "GetRecords id=000000000mf9g063v08f-nzb shard=0 from=7 not_before=0 max=10000 hold=c:5 at 0");
}

/// What the next iterator of an answer holds, and where it reads on; nothing if there are child shards instead.
std::optional<kinesis::ShardIterator> next_of(const Request& request, const RecordsPage& page) {
  const std::string answer = kinesis_answer(request, page);
  const std::string_view member = R"("NextShardIterator":")";
  const std::size_t at_member = answer.find(member);
  EXPECT_EQ(at_member == std::string::npos, answer.find("ChildShards") != std::string::npos) << answer;
  if (at_member == std::string::npos) return std::nullopt;
  const std::size_t begin = at_member + member.size();
  const auto read = kinesis::read_iterator(answer.substr(begin, answer.find('"', begin) - begin), kinesis_now);
  return std::get<kinesis::ShardIterator>(read);
}

RecordsPage held_page(bool commits, std::int64_t at_s) {
  RecordsPage page = records_page();
  page.hold = GroupHold{"c", 5, commits, at_s};
  return page;
}

RecordsPage empty_page(bool commits, std::int64_t at_s) {
  RecordsPage page = held_page(commits, at_s);
  page.records.clear();
  return page;
}

void close(RecordsPage& page) {
  page.closed = true;
  page.children = {shard_records().at(1)};
}

TEST(HeldIterators, TheNextOneCommitsWhatWasHandedOut) {
  const auto next = next_of(get_records(1, false, 0), held_page(false, 0));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->position.from, RecordIndex{3});
  EXPECT_EQ(next->position.hold, (GroupHold{"c", 5, true, 1'421'889'611}));
}

TEST(HeldIterators, AnEmptyPageChangesNothing) {
  for (const bool commits : {false, true}) {
    const auto next = next_of(get_records(3, commits, 1'421'889'600), empty_page(commits, 1'421'889'600));
    ASSERT_TRUE(next);
    EXPECT_EQ(next->position.from, RecordIndex{3});
    EXPECT_EQ(next->position.hold, (GroupHold{"c", 5, commits, 1'421'889'600}));
  }
}

TEST(HeldIterators, WhatIsPassedOverIsDone) {
  const auto next = next_of(get_records(1, false, 1'421'889'600), empty_page(false, 1'421'889'600));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->position.from, RecordIndex{3});
  EXPECT_EQ(next->position.hold, (GroupHold{"c", 5, true, 0})) << "and when the last one arrived is not known";
}

TEST(HeldIterators, TheEndOfAShardComesWithThePageBehindTheLastRecord) {
  RecordsPage last = held_page(true, 1'421'889'600);
  close(last);
  const auto next = next_of(get_records(1, true, 1'421'889'600), last);
  ASSERT_TRUE(next) << "which commits the last records";
  EXPECT_EQ(next->position.from, RecordIndex{3});
  EXPECT_EQ(next->position.hold, (GroupHold{"c", 5, true, 1'421'889'611}));

  RecordsPage behind = empty_page(true, 1'421'889'611);
  close(behind);
  EXPECT_EQ(next_of(get_records(3, true, 1'421'889'611), behind), std::nullopt);
}

TEST(HeldIterators, AnEndThatTheFirstRequestFindsIsCommittedToo) {
  RecordsPage behind = empty_page(false, 0);
  close(behind);
  const auto next = next_of(get_records(3, false, 0), behind);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->position.hold, (GroupHold{"c", 5, true, 0}));

  // What expired is passed over, and has to be committed before the shard is finished.
  RecordsPage expired = empty_page(true, 1'421'889'600);
  close(expired);
  const auto passed = next_of(get_records(1, true, 1'421'889'600), expired);
  ASSERT_TRUE(passed);
  EXPECT_EQ(passed->position.from, RecordIndex{3});
}

TEST(HeldIterators, WithoutAConsumerTheEndComesWithTheLastRecords) {
  RecordsPage last = records_page();
  close(last);
  const kinesis::ShardIterator plain{stream_name(), {stream_id, {}, RecordIndex{1}, {}}, kinesis_now};
  EXPECT_EQ(next_of(kinesis_request("GetRecords", R"({"ShardIterator":")" + to_string(plain) + "\"}"), last),
            std::nullopt);
}

}  // namespace
}  // namespace penstock::protocol::testing
