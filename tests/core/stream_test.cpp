// Streams as their clients see them: shards, records, iterators, retention, limits, settings and statuses.
#include <gmock/gmock.h>

#include <chrono>
#include <set>

#include "stream_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StreamTest : public StreamFixture {};

TEST(StreamNames, SequenceNumbersHave56DigitsAndCompareAsTheirParts) {
  const SequenceNumber start{1'700'000'000, RecordIndex{0}, 1'700'000'000, ShardIndex{3}};
  SequenceNumber record = start;
  record.index = RecordIndex{7};
  record.at_s += 5;
  SequenceNumber behind = record;
  behind.behind = true;
  behind.at_s -= 3;
  SequenceNumber next = record;
  ++next.index.value;
  SequenceNumber end = start;
  end.index = sequence_index_end;
  SequenceNumber child = start;
  child.created_s += 1;
  std::vector<std::string> texts;
  for (const SequenceNumber& number : {start, record, behind, next, end, child}) {
    texts.push_back(format_sequence_number(number));
    EXPECT_EQ(texts.back().size(), 56U);
    EXPECT_EQ(parse_sequence_number(texts.back()), number);
  }
  EXPECT_TRUE(std::is_sorted(texts.begin(), texts.end()));
}

TEST(StreamNames, WhatIsNoSequenceNumberIsNone) {
  for (const char* text : {"", "0", "1", "12345678901234567890", "abc", "-1",
                           "99999999999999999999999999999999999999999999999999999999999999999999"}) {
    EXPECT_FALSE(parse_sequence_number(text)) << text;
  }
  std::string text = format_sequence_number({1'700'000'000, RecordIndex{1}, 1'700'000'000, ShardIndex{0}});
  text.back() = text.back() == '9' ? '8' : static_cast<char>(text.back() + 1);  // another version
  EXPECT_FALSE(parse_sequence_number(text));
}

TEST(StreamNames, ShardIdsHaveAliases) {
  EXPECT_EQ(parse_shard_id("shardId-000000000012"), ShardIndex{12});
  EXPECT_EQ(parse_shard_id("shard-0"), ShardIndex{0});
  EXPECT_EQ(parse_shard_id("anything-0"), ShardIndex{0});
  EXPECT_FALSE(parse_shard_id("shardId"));
  EXPECT_FALSE(parse_shard_id("shardId-x"));
  EXPECT_FALSE(parse_shard_id("shardId-4294967296"));
}

TEST(StreamNames, ArnsNameStreamsAndConsumers) {
  const StreamName stream{"000000000000", "eu-west-1", "a.b_c"};
  EXPECT_EQ(split_stream_arn(arn_of(stream))->stream, stream);
  EXPECT_FALSE(split_stream_arn(arn_of(stream))->consumer);
  StreamConsumer consumer;
  consumer.name = "c";
  consumer.created = from_epoch_ms(1'700'000'000'999);
  const auto split = split_stream_arn(arn_of(stream, consumer));
  EXPECT_EQ(split->stream, stream);
  EXPECT_EQ(split->consumer, (ConsumerRef{"c", 1'700'000'000}));
  for (const char* text : {"", "arn:aws:sqs:us-east-1:000000000000:stream/x", "arn:aws:kinesis:us-east-1:0:stream/",
                           "arn:aws:kinesis:us-east-1:0:stream/x/consumer/", "arn:aws:kinesis:us-east-1:0:x/y"}) {
    EXPECT_FALSE(split_stream_arn(text)) << text;
  }
}

TEST(StreamNames, StreamIdsComeBack) {
  for (const std::uint64_t value : {std::uint64_t{1}, std::uint64_t{0x0123'4567'89ab'cdef}, UINT64_MAX}) {
    const std::string text = format_stream_id(StreamId{value});
    EXPECT_EQ(text.size(), 24U);
    EXPECT_EQ(parse_stream_id(text), StreamId{value});
  }
  EXPECT_FALSE(parse_stream_id("00000000000000000001-aaa"));
}

// ---- Shards.

TEST_F(StreamTest, ShardsDivideTheRingAsTheServiceDoes) {
  create(3);
  const auto shards = describe().shards;
  ASSERT_EQ(shards.size(), 3U);
  EXPECT_EQ(format_hash_key(shards[0].first_hash), "0");
  EXPECT_EQ(format_hash_key(shards[0].last_hash), "113427455640312821154458202477256070484");
  EXPECT_EQ(format_hash_key(shards[1].first_hash), "113427455640312821154458202477256070485");
  EXPECT_EQ(format_hash_key(shards[2].last_hash), "340282366920938463463374607431768211455");
}

TEST_F(StreamTest, RecordsGoWhereTheirHashIsAndNumbersGrow) {
  create(2);
  const auto low = put({"a", "b"}, HashKey{});
  const auto high = put({"c"}, hash_key_max);
  EXPECT_EQ(low[0].shard, ShardIndex{0});
  EXPECT_EQ(high[0].shard, ShardIndex{1});
  EXPECT_LT(low[0].number, low[1].number);
  EXPECT_GT(low[0].number, starting_number(describe().shards[0]));
  EXPECT_THAT(read_all("shard-0"), ElementsAre("a", "b"));
  EXPECT_THAT(read_all("shard-1"), ElementsAre("c"));
}

TEST_F(StreamTest, ASplitClosesTheParentAndItsChildrenComeAfter) {
  create();
  const auto before = put({"old"});
  split("shard-0", middle_);
  const auto after = put({"new"});
  const auto shards = describe().shards;
  ASSERT_EQ(shards.size(), 3U);
  ASSERT_TRUE(shards[0].closed);
  EXPECT_EQ(shards[1].parent, ShardIndex{0});
  EXPECT_FALSE(shards[1].adjacent_parent);
  EXPECT_EQ(shards[1].first_hash, HashKey{});
  EXPECT_EQ(shards[2].first_hash, middle_);
  EXPECT_EQ(shards[2].last_hash, hash_key_max);
  EXPECT_LT(before[0].number, ending_number(shards[0]));
  EXPECT_EQ(shards[1].created_s, shards[0].closed_s + 1);
  EXPECT_LT(ending_number(shards[0]), starting_number(shards[1]));
  EXPECT_LT(ending_number(shards[0]), after[0].number);
  EXPECT_EQ(after[0].shard, ShardIndex{1});
}

TEST_F(StreamTest, AClosedShardDrainsAndThenNamesItsChildren) {
  create();
  put({"a", "b"});
  split("shard-0", middle_);
  ShardPosition at = iterator(IteratorType::trim_horizon);
  RecordsPage page = get(at, 1);
  EXPECT_THAT(data_of(page), ElementsAre("a"));
  EXPECT_FALSE(page.ends_shard());
  at.from = page.next;
  page = get(at);
  EXPECT_THAT(data_of(page), ElementsAre("b"));
  EXPECT_TRUE(page.ends_shard());
  ASSERT_EQ(page.children.size(), 2U);
  EXPECT_EQ(page.children[0].index, ShardIndex{1});
}

TEST_F(StreamTest, AMergeHasBothParentsInEitherOrder) {
  create(2);
  call<Done>(MergeShards{stream_, "shard-1", "shard-0"});
  const auto shards = describe().shards;
  EXPECT_EQ(shards[2].parent, ShardIndex{1});
  EXPECT_EQ(shards[2].adjacent_parent, ShardIndex{0});
  EXPECT_EQ(shards[2].first_hash, HashKey{});
  EXPECT_EQ(shards[2].last_hash, hash_key_max);
}

TEST_F(StreamTest, SplitsAndMergesThatCannotBe) {
  create(3);
  EXPECT_EQ(call_error(MergeShards{stream_, "shard-0", "shard-2"}).message,
            "Shards shardId-000000000000 and shardId-000000000002 in stream clicks under account 000000000000 are not "
            "an adjacent pair of shards eligible for merging");
  EXPECT_EQ(call_error(MergeShards{stream_, "shard-0", "shard-0"}).code, ErrorCode::KinesisInvalidArgument);
  EXPECT_EQ(call_error(SplitShard{stream_, "shard-9", "5"}).message,
            "Could not find shard shardId-000000000009 in stream clicks under account 000000000000.");
  EXPECT_THAT(
      call_error(SplitShard{stream_, "shard-0", "1"}).message,
      HasSubstr("NewStartingHashKey 1 used in SplitShard() on shard shardId-000000000000 in stream clicks under "
                "account 000000000000 is not both greater than one plus the shard's StartingHashKey 0 and "
                "less than the shard's EndingHashKey 113427455640312821154458202477256070484."));
  call<Done>(SplitShard{stream_, "shard-0", "2"});
  EXPECT_THAT(call_error(SplitShard{stream_, "shard-0", "3"}).message,
              EndsWith("has already been merged or split, and thus is not eligible for merging or splitting."));
}

TEST_F(StreamTest, UpdateShardCountReshapesBySplitsAndMerges) {
  create(4);
  for (const int target : {5, 7, 4, 2, 4}) {
    const auto answer = call<ShardCountChanged>(UpdateShardCount{stream_, target});
    EXPECT_EQ(answer.target, target);
    ListShards command;
    command.stream = stream_;
    std::map<std::uint32_t, ShardRecord> all;
    for (const ShardRecord& shard : call<ShardList>(command).shards) all.emplace(shard.index.value, shard);
    std::map<HashKey, HashKey> open;
    for (const auto& [index, shard] : all) {
      if (!shard.closed) open.emplace(shard.first_hash, shard.last_hash);
      for (const auto& parent : {shard.parent, shard.adjacent_parent}) {
        if (!parent) continue;
        EXPECT_TRUE(all.at(parent->value).closed);
        EXPECT_GT(starting_number(shard), ending_number(all.at(parent->value)));
      }
    }
    ASSERT_EQ(open.size(), static_cast<std::size_t>(target));
    EXPECT_EQ(open.begin()->first, HashKey{});
    EXPECT_EQ(open.rbegin()->second, hash_key_max);
  }
  EXPECT_EQ(call_error(UpdateShardCount{stream_, 9}).code, ErrorCode::KinesisLimitExceeded);
  EXPECT_EQ(call_error(UpdateShardCount{stream_, 1}).code, ErrorCode::KinesisLimitExceeded);
}

TEST_F(StreamTest, ListShardsFilters) {
  create();
  put({"a"});
  pass(hours{1});
  const Instant split_at = now_;
  split("shard-0", middle_);
  pass(hours{1});
  using Type = ShardFilter::Type;
  EXPECT_THAT(listed(), ElementsAre(0, 1, 2));
  EXPECT_THAT(listed(ShardFilter{Type::at_latest, {}, {}}), ElementsAre(1, 2));
  EXPECT_THAT(listed(ShardFilter{Type::at_trim_horizon, {}, {}}), ElementsAre(0));
  EXPECT_THAT(listed(ShardFilter{Type::from_trim_horizon, {}, {}}), ElementsAre(0, 1, 2));
  EXPECT_THAT(listed(ShardFilter{Type::at_timestamp, {}, split_at - Millis{1}}), ElementsAre(0));
  EXPECT_THAT(listed(ShardFilter{Type::at_timestamp, {}, split_at}), ElementsAre(1, 2));
  EXPECT_THAT(listed(ShardFilter{Type::from_timestamp, {}, split_at - Millis{1}}), ElementsAre(0, 1, 2));
  EXPECT_THAT(listed(ShardFilter{Type::from_timestamp, {}, split_at}), ElementsAre(1, 2));
  EXPECT_THAT(listed(ShardFilter{Type::after_shard_id, "shard-1", {}}), ElementsAre(2));
}

TEST_F(StreamTest, ListShardsGoesOnAfterAPage) {
  create(5);
  ListShards command;
  command.stream = stream_;
  command.limit = 2;
  const auto first = call<ShardList>(command);
  EXPECT_TRUE(first.more);
  ASSERT_EQ(first.shards.size(), 2U);
  command.after_shard_id = format_shard_id(first.shards.back().index);
  command.limit = 3;
  const auto rest = call<ShardList>(command);
  EXPECT_FALSE(rest.more);
  EXPECT_EQ(rest.shards.front().index, ShardIndex{2});
}

// ---- Iterators.

TEST_F(StreamTest, IteratorsOfAllTypes) {
  create();
  const auto first = put({"a"});
  pass(seconds{10});
  const Instant between = now_;
  const auto second = put({"b"});
  EXPECT_THAT(read(iterator(IteratorType::trim_horizon)), ElementsAre("a", "b"));
  EXPECT_THAT(read(iterator(IteratorType::at_sequence_number, second[0].number)), ElementsAre("b"));
  EXPECT_THAT(read(iterator(IteratorType::after_sequence_number, first[0].number)), ElementsAre("b"));
  EXPECT_THAT(read(iterator(IteratorType::after_sequence_number, second[0].number)), IsEmpty());
  EXPECT_THAT(read(iterator_at(between)), ElementsAre("b"));
  EXPECT_THAT(read(iterator_at(between - seconds{1})), ElementsAre("b"));
  EXPECT_THAT(read(iterator_at(between - hours{1})), ElementsAre("a", "b"));
  const auto start = starting_number(describe().shards[0]);
  EXPECT_THAT(read(iterator(IteratorType::at_sequence_number, start)), ElementsAre("a", "b"));
  EXPECT_THAT(read(iterator(IteratorType::after_sequence_number, start)), ElementsAre("a", "b"));
}

TEST_F(StreamTest, ANumberBehindARecordStartsAtTheNext) {
  create();
  const auto records = put({"a", "b"});
  SequenceNumber behind = records[0].number;
  behind.behind = true;
  EXPECT_THAT(read(iterator(IteratorType::at_sequence_number, behind)), ElementsAre("b"));
  EXPECT_THAT(read(iterator(IteratorType::after_sequence_number, behind)), ElementsAre("b"));
}

TEST_F(StreamTest, LatestIsFixedWhenTheIteratorIsIssued) {
  create();
  put({"before"});
  const ShardPosition latest = iterator(IteratorType::latest);
  EXPECT_THAT(read(latest), IsEmpty());
  put({"after"});
  EXPECT_THAT(read(latest), ElementsAre("after"));
}

TEST_F(StreamTest, IteratorsThatCannotBe) {
  create(2);
  const auto record = put({"a"});
  GetShardIterator command = iterator_command(IteratorType::latest);
  command.start.sequence_number = format_sequence_number(record[0].number);
  EXPECT_EQ(call_error(command).message,
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
            "TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified LATEST and also a "
            "StartingSequenceNumber.");
  command.start.type = IteratorType::at_sequence_number;
  command.shard_id = "shard-1";
  EXPECT_EQ(call_error(command).message,
            "Invalid StartingSequenceNumber. It encodes shardId-000000000000, while it was used in a call to a shard "
            "with shardId-000000000001");
  command.shard_id = "shard-0";
  command.start.sequence_number = "12";
  EXPECT_EQ(call_error(command).message,
            "StartingSequenceNumber 12 used in GetShardIterator on shard shardId-000000000000 in stream clicks under "
            "account 000000000000 is invalid.");
  command.start.sequence_number.reset();
  EXPECT_THAT(call_error(command).message, EndsWith("Request specified AT_SEQUENCE_NUMBER and no "
                                                    "StartingSequenceNumber."));
  command.start.type = IteratorType::at_timestamp;
  command.start.timestamp = now_ + Millis{1};
  EXPECT_THAT(call_error(command).message,
              HasSubstr("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "));
  EXPECT_EQ(call_error(iterator_command(IteratorType::latest, "shard-7")).message,
            "Shard shardId-000000000007 in stream clicks under account 000000000000 does not exist");
}

TEST_F(StreamTest, APageSaysHowFarBehindItIs) {
  create();
  put({"a"});
  pass(seconds{3});
  put({"b"});
  pass(seconds{4});
  const RecordsPage first = get(iterator(IteratorType::trim_horizon), 1);
  EXPECT_EQ(first.behind, Millis{4'000});
  EXPECT_EQ(get(iterator(IteratorType::trim_horizon)).behind, Millis{0});
}

// ---- Putting.

TEST_F(StreamTest, RecordsUpToTheStreamsLimit) {
  create();
  PutRecords command = put_command({std::string(1'048'576, 'x')});
  call<RecordsPut>(command);
  command = put_command({"ok", std::string(1'048'577, 'x')});
  EXPECT_EQ(call_error(command).message,
            "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=1048577 cap=1048577]' at "
            "'records.2.member.data' failed to satisfy constraint: Member must have length less than or equal to "
            "1048576");
  EXPECT_EQ(read_all().size(), 1U) << "nothing of a refused request is kept";
  call<Done>(UpdateMaxRecordSize{stream_, 2'048});
  call<RecordsPut>(command);
}

TEST_F(StreamTest, OrderingHasToBeANumberOfTheStream) {
  create();
  const auto record = put({"a"});
  PutRecords command = put_command({"b"});
  command.single = true;
  command.ordering = format_sequence_number(record[0].number);
  const auto next = call<RecordsPut>(command);
  EXPECT_GT(std::get<RecordPut>(next.entries[0]).number, record[0].number);
  SequenceNumber ahead = record[0].number;
  ahead.index.value += 100;
  command.ordering = format_sequence_number(ahead);
  EXPECT_EQ(call_error(command).message, "ExclusiveMinimumSequenceNumber " + command.ordering +
                                             " used in PutRecord on stream clicks under account 000000000000 is "
                                             "invalid.");
  command.ordering = "17";
  EXPECT_EQ(call_error(command).code, ErrorCode::KinesisInvalidArgument);
}

TEST_F(StreamTest, ArrivalsNeverGoBack) {
  create();
  put({"a"});
  now_ -= seconds{60};
  put({"b"});
  const RecordsPage page = get(iterator(IteratorType::trim_horizon));
  EXPECT_EQ(page.records[0].record.arrived, page.records[1].record.arrived);
}

// ---- Retention.

TEST_F(StreamTest, WhatHasExpiredIsNotReadAndThenDropped) {
  limits_.segment_records_max = 2;
  limits_.segment_time_max = hours{48};
  restart();
  create();
  put({"a", "b", "c"});
  pass(hours{23});
  put({"d", "e"});
  EXPECT_EQ(store_.segment_count(), 2U);
  pass(hours{1} + Millis{1});
  EXPECT_THAT(read_all(), ElementsAre("d", "e")) << "c lies with d, but has expired";
  EXPECT_EQ(store_.record_count(), 3U);
  pass(hours{24});
  EXPECT_THAT(read_all(), IsEmpty());
  EXPECT_EQ(store_.record_count(), 0U);
  EXPECT_EQ(store_.segment_count(), 0U);
  const auto next = put({"f"});
  EXPECT_EQ(next[0].number.index, RecordIndex{6}) << "numbers are never used again";
}

TEST_F(StreamTest, LongerRetentionDoesNotBringBackWhatHasExpired) {
  create();
  put({"a"});
  pass(hours{12});
  put({"b"});
  pass(hours{12} + Millis{1});
  EXPECT_THAT(read_all(), ElementsAre("b"));
  call<Done>(UpdateRetention{stream_, 48, true});
  EXPECT_THAT(read_all(), ElementsAre("b"));
  pass(hours{20});
  EXPECT_THAT(read_all(), ElementsAre("b"));
}

TEST_F(StreamTest, ShorterRetentionDropsAtOnce) {
  create();
  call<Done>(UpdateRetention{stream_, 72, true});
  put({"a"});
  pass(hours{48});
  EXPECT_THAT(read_all(), ElementsAre("a"));
  call<Done>(UpdateRetention{stream_, 24, false});
  pass(Millis{0});
  EXPECT_THAT(read_all(), IsEmpty());
  EXPECT_EQ(store_.record_count(), 0U);
}

TEST_F(StreamTest, RetentionHasItsBoundsAndDirections) {
  create();
  EXPECT_EQ(call_error(UpdateRetention{stream_, 23, false}).code, ErrorCode::KinesisInvalidArgument);
  EXPECT_EQ(call_error(UpdateRetention{stream_, 8'761, true}).code, ErrorCode::KinesisInvalidArgument);
  call<Done>(UpdateRetention{stream_, 48, true});
  call<Done>(UpdateRetention{stream_, 48, true});
  EXPECT_EQ(call_error(UpdateRetention{stream_, 24, true}).message,
            "Requested retention period (24 hours) for stream clicks can not be shorter than existing retention period "
            "(48 hours). Use DecreaseRetentionPeriod API.");
  EXPECT_EQ(call_error(UpdateRetention{stream_, 72, false}).code, ErrorCode::KinesisInvalidArgument);
}

TEST_F(StreamTest, AClosedShardIsForgottenWhenItsRecordsHaveExpired) {
  create();
  put({"a"});
  split("shard-0", middle_);
  pass(hours{23});
  EXPECT_THAT(listed(), ElementsAre(0, 1, 2));
  pass(hours{1});
  pass(Millis{0});
  EXPECT_THAT(listed(), ElementsAre(1, 2));
  EXPECT_EQ(store_.shard_count(), 2U);
  EXPECT_EQ(store_.record_count(), 0U);
  restart();
  EXPECT_THAT(listed(), ElementsAre(1, 2));
  put({"b"});
}

TEST_F(StreamTest, AChildIsForgottenAfterItsParents) {
  create(2);
  put(std::vector<std::string>(3, "x"));
  // Shards in between are closed as soon as they are opened, in the same millisecond as their parents.
  call<ShardCountChanged>(UpdateShardCount{stream_, 3});
  now_ += hours{24};
  for (int step = 0; step < 100 && engine_->next_deadline() && *engine_->next_deadline() <= now_ + Millis{10}; ++step) {
    now_ = std::max(now_, *engine_->next_deadline());
    engine_->advance(now_);
    settle();
    for (const RecoveredStream& stream : store_.recover()) {
      std::set<ShardIndex> children_of;
      for (const RecoveredShard& shard : stream.shards) {
        for (const auto& parent : {shard.record.parent, shard.record.adjacent_parent}) {
          if (parent) children_of.insert(*parent);
        }
      }
      for (const RecoveredShard& shard : stream.shards) {
        EXPECT_TRUE(!shard.record.closed || children_of.contains(shard.record.index));
      }
    }
  }
  EXPECT_EQ(store_.shard_count(), 3U);
}

TEST_F(StreamTest, TrimmingIsBounded) {
  limits_.segment_records_max = 1;
  limits_.trim_batch_max = 3;
  restart();
  create();
  for (int i = 0; i < 10; ++i) put({"x"});
  now_ += hours{25};
  engine_->advance(now_);
  Effects effects = engine_->take_effects();
  EXPECT_LE(effects.mutations.size(), 3U * 1'000U);
  store_.apply(effects.mutations);
  pass(Millis{0});
  EXPECT_EQ(store_.record_count(), 0U);
}

// ---- Strict limits.

class StrictStreamTest : public StreamTest {
 protected:
  StrictStreamTest() {
    limits_.strict = true;
    restart();
  }
};

TEST_F(StrictStreamTest, AShardTakesAThousandRecordsASecond) {
  create();
  for (int i = 0; i < 2; ++i) put(std::vector<std::string>(500, "x"));
  const auto refused = call<RecordsPut>(put_command({"one more"}));
  EXPECT_EQ(std::get<Error>(refused.entries[0]).message,
            "Rate exceeded for shard shardId-000000000000 in stream clicks under account 000000000000.");
  PutRecords single = put_command({"one more"});
  single.single = true;
  EXPECT_EQ(call_error(single).code, ErrorCode::KinesisThroughputExceeded);
  pass(seconds{1});
  put({"one more"});
}

TEST_F(StrictStreamTest, AShardTakesAMebibyteASecond) {
  create();
  put({std::string(600'000, 'x')});
  const auto refused = call<RecordsPut>(put_command({std::string(600'000, 'x')}));
  EXPECT_EQ(std::get<Error>(refused.entries[0]).code, ErrorCode::KinesisThroughputExceeded);
  pass(seconds{1});
  put({std::string(600'000, 'x')});
}

TEST_F(StrictStreamTest, AShardGivesFiveReadsASecond) {
  create();
  const ShardPosition at = iterator(IteratorType::trim_horizon);
  for (int i = 0; i < 5; ++i) get(at);
  EXPECT_EQ(call_error(GetRecords{stream_, at.id, at.shard, at.from, {}, 1}).code,
            ErrorCode::KinesisThroughputExceeded);
  pass(seconds{1});
  get(at);
}

TEST_F(StrictStreamTest, AfterTenMebibytesAShardGivesNothingForFiveSeconds) {
  create();
  const ShardPosition at = iterator(IteratorType::trim_horizon);
  get(at);
  ask(RecordsRead{stream_, at.id, at.shard, 10U << 20U});
  pass(Millis{4'900});
  EXPECT_EQ(call_error(GetRecords{stream_, at.id, at.shard, at.from, {}, 1}).code,
            ErrorCode::KinesisThroughputExceeded);
  pass(Millis{100});
  get(at);
}

// ---- The catalog.

TEST_F(StreamTest, AStreamExistsOnce) {
  create();
  CreateStream again;
  again.stream = stream_;
  again.shard_count = 1;
  EXPECT_EQ(call_error(again).message, "Stream clicks under account 000000000000 already exists.");
  DescribeStream other;
  other.stream = stream_;
  other.stream.name = "other";
  EXPECT_EQ(call_error(other).message, "Stream other under account 000000000000 not found.");
  other.stream = stream_;
  other.stream.region = "eu-west-1";
  EXPECT_EQ(call_error(other).code, ErrorCode::KinesisResourceNotFound);
}

TEST_F(StreamTest, StatusesPassByTheClock) {
  limits_.stream_transition = Millis{500};
  restart();
  create();
  EXPECT_EQ(describe().info.status, StreamStatus::creating);
  EXPECT_THAT(describe().shards, IsEmpty());
  EXPECT_EQ(call_error(put_command({"a"})).message, "Stream clicks under account 000000000000 not found.");
  EXPECT_EQ(call_error(SplitShard{stream_, "shard-0", "5"}).message,
            "Stream clicks under account 000000000000 not ACTIVE, instead in state CREATING");
  pass(Millis{500});
  EXPECT_EQ(describe().info.status, StreamStatus::active);
  split("shard-0", middle_);
  EXPECT_EQ(describe().info.status, StreamStatus::updating);
  put({"a"});
  EXPECT_EQ(call_error(SplitShard{stream_, "shard-1", "5"}).code, ErrorCode::KinesisResourceInUse);
  restart();
  EXPECT_EQ(describe().info.status, StreamStatus::updating);
  pass(Millis{500});
  EXPECT_EQ(describe().info.status, StreamStatus::active);
  call<Done>(DeleteStream{stream_, false});
  EXPECT_EQ(describe().info.status, StreamStatus::deleting);
  EXPECT_EQ(store_.record_count(), 0U);
  restart();
  pass(Millis{500});
  DescribeStreamSummary summary{stream_};
  EXPECT_EQ(call_error(summary).code, ErrorCode::KinesisResourceNotFound);
  EXPECT_EQ(store_.stream_count() + store_.shard_count() + store_.cursor_count(), 0U);
}

TEST_F(StreamTest, AStreamThatIsDeletedAtOnceIsGoneWithTheAnswer) {
  limits_.stream_transition = Millis{500};
  restart();
  create();
  pass(Millis{500});
  put({"a", "b"});
  call<Done>(DeleteStream{stream_, false, true});
  EXPECT_EQ(call_error(DescribeStreamSummary{stream_}).code, ErrorCode::KinesisResourceNotFound);
  EXPECT_EQ(store_.stream_count() + store_.shard_count() + store_.cursor_count() + store_.record_count(), 0U);
  create();
  call<Done>(DeleteStream{stream_, false});
  EXPECT_EQ(describe().info.status, StreamStatus::deleting);
  call<Done>(DeleteStream{stream_, false, true});
  EXPECT_EQ(store_.stream_count(), 0U) << "also one that is being deleted";
  pass(Millis{1'000});
}

TEST_F(StreamTest, AStreamOfTheSameNameIsAnother) {
  create();
  put({"a"});
  const ShardPosition old = iterator(IteratorType::trim_horizon);
  call<Done>(DeleteStream{stream_, false});
  create();
  EXPECT_EQ(call_error(GetRecords{stream_, old.id, old.shard, old.from, {}, 1}).code,
            ErrorCode::KinesisResourceNotFound);
  EXPECT_THAT(read_all(), IsEmpty());
}

TEST_F(StreamTest, StreamsAreListedInPagesAndFoundByTheirIds) {
  for (const char* name : {"b", "a", "c"}) {
    stream_.name = name;
    create();
  }
  ListStreams command;
  command.stream = stream_;
  command.stream.name.clear();
  command.limit = 2;
  const auto first = call<StreamList>(command);
  EXPECT_TRUE(first.more);
  ASSERT_EQ(first.streams.size(), 2U);
  EXPECT_EQ(first.streams[1].name.name, "b");
  command.after = "b";
  const auto rest = call<StreamList>(command);
  EXPECT_FALSE(rest.more);
  EXPECT_EQ(rest.streams[0].name.name, "c");
  EXPECT_EQ(call<StreamFound>(FindStream{stream_, describe().info.id}).name, stream_);
  EXPECT_EQ(call<StreamFound>(FindStream{stream_, StreamId{1}}).name, std::nullopt);
  EXPECT_EQ(call<StreamCounts>(DescribeLimits{stream_}).open_shards, 3U);
}

TEST_F(StreamTest, OnDemandStreamsHaveFourShardsAndNoCount) {
  CreateStream command;
  command.stream = stream_;
  command.on_demand = true;
  command.shard_count = 2;
  EXPECT_EQ(call_error(command).code, ErrorCode::KinesisValidation);
  command.shard_count.reset();
  call<Done>(command);
  EXPECT_EQ(call<StreamSummary>(DescribeStreamSummary{stream_}).open_shards, 4U);
  EXPECT_EQ(call_error(UpdateShardCount{stream_, 8}).code, ErrorCode::KinesisValidation);
  call<WarmThroughput>(UpdateWarmThroughput{stream_, 100});
  call<Done>(UpdateStreamMode{stream_, false, {}});
  call<ShardCountChanged>(UpdateShardCount{stream_, 8});
}

// ---- Settings.

TEST_F(StreamTest, TagsOfStreamsAndConsumers) {
  create();
  call<Done>(TagStream{stream_, {}, {{"a", "1"}, {"b", "2"}}});
  call<Done>(TagStream{stream_, {}, {{"b", "3"}}});
  call<Done>(UntagStream{stream_, {}, {"a", "missing"}});
  EXPECT_EQ(call<StreamTags>(ListStreamTags{stream_, {}, {}, 10}).tags,
            (std::map<std::string, std::string>{{"b", "3"}}));
  std::map<std::string, std::string> many;
  for (int i = 0; i < 50; ++i) many["t" + std::to_string(i)] = "";
  EXPECT_EQ(call_error(TagStream{stream_, {}, many}).code, ErrorCode::KinesisInvalidArgument);
  const auto consumer = call<ConsumerDescription>(RegisterConsumer{stream_, "c", {{"x", "y"}}}).consumer;
  const ConsumerRef ref{"c", std::chrono::floor<seconds>(consumer.created).time_since_epoch().count()};
  EXPECT_EQ(call<StreamTags>(ListStreamTags{stream_, ref, {}, 10}).tags.at("x"), "y");
}

TEST_F(StreamTest, PoliciesAreKeptAndDeletedOnce) {
  create();
  EXPECT_EQ(call<StreamPolicy>(GetStreamPolicy{stream_, {}}).policy, "");
  call<Done>(PutStreamPolicy{stream_, {}, "{\"a\":1}"});
  EXPECT_EQ(call<StreamPolicy>(GetStreamPolicy{stream_, {}}).policy, "{\"a\":1}");
  call<Done>(DeleteStreamPolicy{stream_, {}});
  EXPECT_EQ(call_error(DeleteStreamPolicy{stream_, {}}).code, ErrorCode::KinesisResourceNotFound);
}

TEST_F(StreamTest, EncryptionMarksTheRecordsThatCome) {
  create();
  put({"a"});
  call<Done>(UpdateEncryption{stream_, true, "alias/key"});
  put({"b"});
  const RecordsPage page = get(iterator(IteratorType::trim_horizon));
  EXPECT_FALSE(page.records[0].record.encrypted);
  EXPECT_TRUE(page.records[1].record.encrypted);
  call<Done>(UpdateEncryption{stream_, false, "alias/key"});
  EXPECT_FALSE(describe().info.encrypted);
}

TEST_F(StreamTest, MonitoringTellsWhatWasAndWhatIs) {
  create();
  const auto on = call<MonitoringChanged>(UpdateMonitoring{stream_, {"ALL"}, true});
  EXPECT_THAT(on.before, IsEmpty());
  EXPECT_EQ(on.after.size(), 7U);
  const auto off = call<MonitoringChanged>(UpdateMonitoring{stream_, {"IncomingBytes"}, false});
  EXPECT_EQ(off.after.size(), 6U);
}

TEST_F(StreamTest, ACommitmentLastsADay) {
  auto answer = call<AccountDescription>(UpdateAccount{stream_, true});
  EXPECT_TRUE(answer.account.commitment_enabled);
  EXPECT_EQ(answer.account.earliest_end, now_ + hours{24});
  answer = call<AccountDescription>(UpdateAccount{stream_, false});
  EXPECT_EQ(answer.account.ended, now_ + hours{24});
  restart();
  EXPECT_EQ(call<AccountDescription>(DescribeAccount{stream_}).account, answer.account);
}

// ---- Restarts.

TEST_F(StreamTest, EverythingComesBackAfterARestart) {
  limits_.segment_records_max = 2;
  restart();
  create(2);
  call<Done>(TagStream{stream_, {}, {{"a", "1"}}});
  call<ConsumerDescription>(RegisterConsumer{stream_, "c", {}});
  const auto records = put({"a", "b", "c"});
  const ShardPosition latest = iterator(IteratorType::latest);
  split("shard-0", HashKey{1, 0});
  const StreamDescription before = describe();
  restart();
  const StreamDescription after = describe();
  EXPECT_EQ(before.info, after.info);
  EXPECT_EQ(before.shards, after.shards);
  EXPECT_THAT(read_all(), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(get(latest).ends_shard());
  EXPECT_EQ(get(latest).children.size(), 2U);
  const auto next = put({"d"});
  EXPECT_EQ(next[0].shard, ShardIndex{2});
  restart();
  const auto later = put({"e"});
  EXPECT_EQ(later[0].number.index, RecordIndex{2});
}

}  // namespace
}  // namespace penstock::core
