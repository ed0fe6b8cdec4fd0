// Pages of records: what a reader gets, and what it costs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "counting_store.hpp"
#include "storage/memory_store.hpp"
#include "stream_support.hpp"

namespace penstock::storage {
namespace {

class Pages : public testing::Test {
 protected:
  void SetUp() override {
    // Indexes 1 to 20, which arrive 10 ms apart, and neighbours that must not be seen.
    commit(store_, {put_records(stream_id, shard_3, 1, small_records(20)),
                    put_records(stream_id, ShardIndex{2}, 1, small_records(30)),
                    put_records(stream_id, ShardIndex{4}, 1, small_records(30))});
  }

  /// The indexes that come of those which arrived no earlier than the given moment.
  std::vector<std::uint64_t> not_before(std::int64_t ms, std::uint64_t from = 1, std::uint64_t until = 21) {
    RecordsPage page = page_of(from, until);
    page.not_before = at_ms(ms);
    page = read(store_, page);
    EXPECT_EQ(page.next, RecordIndex{until});
    return indexes_of(page);
  }

  MemoryStore store_;
};

TEST_F(Pages, KeepToTheirRange) {
  const RecordsPage page = read(store_, page_of(4, 8));
  EXPECT_EQ(indexes_of(page), from_to(4, 7));
  EXPECT_EQ(page.next, RecordIndex{8});
  EXPECT_EQ(page.bytes, 8U);
  EXPECT_EQ(page.behind, Millis{0});
  EXPECT_EQ(page.records[0].record.arrived, at_ms(30));
}

TEST_F(Pages, OfAnEmptyRangeAreEmpty) {
  for (const std::uint64_t from : {8U, 9U}) {
    const RecordsPage page = read(store_, page_of(from, 8));
    EXPECT_TRUE(page.records.empty());
    EXPECT_EQ(page.next, RecordIndex{8});
    EXPECT_EQ(page.behind, Millis{0});
  }
}

TEST_F(Pages, StopAtTheirCount) {
  RecordsPage asked = page_of(4, 21);
  asked.count_max = 5;
  const RecordsPage page = read(store_, asked);
  EXPECT_EQ(indexes_of(page), from_to(4, 8));
  EXPECT_EQ(page.next, RecordIndex{9});
  EXPECT_EQ(page.behind, Millis{10'000 - 80});
  asked.count_max = 17;
  const RecordsPage all = read(store_, asked);
  EXPECT_EQ(all.next, RecordIndex{21}) << "exactly as many as there are";
  EXPECT_EQ(all.behind, Millis{0});
}

TEST_F(Pages, StopAtTheirBytes) {
  RecordsPage asked = page_of(1, 21);
  asked.bytes_max = 7;
  const RecordsPage page = read(store_, asked);
  EXPECT_EQ(indexes_of(page), from_to(1, 3));
  EXPECT_EQ(page.bytes, 6U);
  EXPECT_EQ(page.next, RecordIndex{4});
  asked.bytes_max = 8;
  EXPECT_EQ(indexes_of(read(store_, asked)), from_to(1, 4));
}

TEST_F(Pages, BeginWithARecordWhateverItsSize) {
  const StreamRecord huge{"k", std::string(1U << 20U, 'x'), at_ms(300), false};
  commit(store_, {put_records(stream_id, shard_3, 21, {huge, huge})});
  RecordsPage asked = page_of(21, 23);
  asked.bytes_max = 100;
  const RecordsPage page = read(store_, asked);
  EXPECT_EQ(indexes_of(page), from_to(21, 21));
  EXPECT_EQ(page.records[0].record, huge);
  EXPECT_EQ(page.next, RecordIndex{22});
  asked.from = RecordIndex{20};
  EXPECT_EQ(indexes_of(read(store_, asked)), from_to(20, 20));
}

// As lag is found: how long ago the first record at a position arrived, if there is one.
TEST_F(Pages, OfOneRecordHaveTheFirstThatThereIs) {
  const StreamRecord huge{"k", std::string(1U << 20U, 'x'), at_ms(300), false};
  commit(store_, {put_records(stream_id, shard_3, 21, {huge}),
                  DropSegment{stream_id, shard_3, RecordIndex{1}, RecordIndex{4}}});
  RecordsPage asked = page_of(1, 22);
  asked.count_max = 1;
  asked.bytes_max = 1;
  for (std::uint64_t from = 1; from <= 21; ++from) {
    for (std::uint64_t wanted = 1; wanted <= 20; ++wanted) {
      asked.from = RecordIndex{from};
      asked.not_before = at_ms(static_cast<std::int64_t>(wanted - 1) * 10);
      const RecordsPage page = read(store_, asked);
      const std::uint64_t first = std::max({from, wanted, std::uint64_t{4}});
      ASSERT_EQ(indexes_of(page), from_to(first, first)) << "from " << from << ", not before that of " << wanted;
      EXPECT_EQ(page.next, RecordIndex{first + 1});
      const std::int64_t next_arrived = first == 20 ? 300 : static_cast<std::int64_t>(first) * 10;
      EXPECT_EQ(page.behind, first == 21 ? Millis{0} : Millis{10'000 - next_arrived});
    }
  }
  asked.not_before = at_ms(301);
  const RecordsPage expired = read(store_, asked);
  EXPECT_TRUE(expired.records.empty());
  EXPECT_EQ(expired.next, RecordIndex{22});
  EXPECT_EQ(expired.behind, Millis{0});
}

TEST_F(Pages, AreBehindAsLongAsThereIsMoreWhateverTheClockSays) {
  RecordsPage asked = page_of(1, 21);
  asked.count_max = 1;
  asked.now = at_ms(-5);
  EXPECT_EQ(read(store_, asked).behind, Millis{1});
}

TEST_F(Pages, ForgetWhatTheyHeldBefore) {
  RecordsPage page = read(store_, page_of(1, 5));
  page.from = RecordIndex{7};
  page.until = RecordIndex{9};
  EXPECT_EQ(indexes_of(read(store_, page)), from_to(7, 8));
}

TEST_F(Pages, PassOverWhatArrivedTooEarly) {
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const std::int64_t arrived = static_cast<std::int64_t>(i - 1) * 10;
    EXPECT_EQ(not_before(arrived), from_to(i, 20));
    EXPECT_EQ(not_before(arrived + 1), from_to(i + 1, 20));
    EXPECT_EQ(not_before(arrived, 7), from_to(std::max<std::uint64_t>(i, 7), 20));
    EXPECT_EQ(not_before(arrived, 1, 12), from_to(i, 11));
  }
  EXPECT_TRUE(not_before(1'000).empty());
  EXPECT_EQ(not_before(-1'000), from_to(1, 20));
}

TEST_F(Pages, PassOverManyThatArrivedTogether) {
  std::vector<StreamRecord> same = small_records(100, 0);
  for (StreamRecord& record : same) record.arrived = at_ms(500);
  commit(store_, {put_records(stream_id, shard_3, 21, same)});
  EXPECT_EQ(not_before(500, 1, 121), from_to(21, 120));
  EXPECT_EQ(not_before(500, 50, 121), from_to(50, 120));
  EXPECT_TRUE(not_before(501, 1, 121).empty());
}

TEST_F(Pages, LimitsCountFromTheFirstThatQualifies) {
  RecordsPage asked = page_of(1, 21);
  asked.not_before = at_ms(95);
  asked.count_max = 3;
  const RecordsPage page = read(store_, asked);
  EXPECT_EQ(indexes_of(page), from_to(11, 13));
  EXPECT_EQ(page.next, RecordIndex{14});
  EXPECT_EQ(page.behind, Millis{10'000 - 130});
}

TEST_F(Pages, PassOverWhatWasTrimmedMeanwhile) {
  commit(store_, {DropSegment{stream_id, shard_3, RecordIndex{1}, RecordIndex{9}}});
  const RecordsPage page = read(store_, page_of(1, 15));
  EXPECT_EQ(indexes_of(page), from_to(9, 14));
  EXPECT_EQ(page.next, RecordIndex{15});
  EXPECT_EQ(not_before(130), from_to(14, 20));
  EXPECT_EQ(not_before(20), from_to(9, 20));
  const RecordsPage gone = read(store_, page_of(2, 7));
  EXPECT_TRUE(gone.records.empty());
  EXPECT_EQ(gone.next, RecordIndex{7});
  RecordsPage one = page_of(1, 21);
  one.count_max = 1;
  one = read(store_, one);
  EXPECT_EQ(indexes_of(one), from_to(9, 9));
  EXPECT_EQ(one.next, RecordIndex{10});
}

TEST(PageWork, IsBoundedWhateverIsPassedOver) {
  CountingStore store;
  constexpr std::size_t count = 1U << 14U;
  commit(store, {put_records(stream_id, shard_3, 1, small_records(count))});
  RecordsPage asked = page_of(1, count + 1);
  asked.count_max = 5;
  EXPECT_EQ(read(store, asked).records.size(), 5U);
  EXPECT_EQ(store.entries[Table::records], 6U);
  store.entries.clear();
  asked.not_before = at_ms(10 * (count - 10));
  const RecordsPage page = read(store, asked);
  EXPECT_EQ(page.records.at(0).index, RecordIndex{count - 9});
  EXPECT_LE(store.entries[Table::records], 1U + 15U + 6U);
}

TEST(PageWork, AStartReadsNoRecords) {
  CountingStore store;
  commit(store, {PutStream{fixed_stream()}, PutShard{stream_id, fixed_shard()},
                 put_records(stream_id, shard_3, 1, small_records(1'000))});
  EXPECT_EQ(started(store).streams.size(), 1U);
  EXPECT_EQ(store.entries[Table::records], 0U);
}

}  // namespace
}  // namespace penstock::storage
