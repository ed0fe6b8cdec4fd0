// The records of what the engine answers, read from a store.
#include "server/pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "storage/memory_store.hpp"
#include "storage/records.hpp"

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr StreamId stream_id{7};
constexpr std::size_t bytes_each = 10;

class PagesTest : public testing::Test {
 protected:
  /// Puts so many records into each of the shards.
  void put(const std::vector<std::uint64_t>& counts, std::size_t bytes = bytes_each) {
    std::vector<Mutation> mutations;
    for (std::uint32_t shard = 0; shard < counts.size(); ++shard) {
      PutStreamRecords records{stream_id, ShardIndex{shard}, RecordIndex{1}, {}};
      records.records.resize(counts[shard], StreamRecord{"k", std::string(bytes - 1, 'x'), from_epoch_ms(5)});
      mutations.emplace_back(std::move(records));
    }
    WriteBatch batch;
    storage::encode(mutations, batch);
    ASSERT_FALSE(store_.commit(batch, true));
    counts_ = counts;
  }
  RecordsPage page(std::uint32_t shard, std::size_t count_max, std::size_t bytes_max) const {
    RecordsPage page;
    page.id = stream_id;
    page.shard = ShardIndex{shard};
    page.from = RecordIndex{1};
    page.until = RecordIndex{counts_.at(shard) + 1};
    page.count_max = count_max;
    page.bytes_max = bytes_max;
    page.now = from_epoch_ms(9);
    return page;
  }
  /// How many records of each batch come.
  std::vector<std::size_t> poll(std::size_t count_max, std::size_t bytes_max) {
    GroupPolled polled;
    polled.count_max = count_max;
    polled.bytes_max = bytes_max;
    for (std::uint32_t shard = 0; shard < counts_.size(); ++shard) {
      polled.batches.push_back({1, {}, page(shard, count_max, bytes_max)});
    }
    Result result = std::move(polled);
    read_records(store_, result);
    std::vector<std::size_t> sizes;
    for (const GroupBatch& batch : std::get<GroupPolled>(result).batches) sizes.push_back(batch.page.records.size());
    return sizes;
  }

  storage::MemoryStore store_;
  std::vector<std::uint64_t> counts_;
};

TEST_F(PagesTest, BatchesTogetherHaveAsManyRecordsAsWereAskedFor) {
  put({3, 5, 4});
  EXPECT_THAT(poll(100, 10'000), ElementsAre(3, 5, 4));
  EXPECT_THAT(poll(6, 10'000), ElementsAre(3, 3));
  EXPECT_THAT(poll(3, 10'000), ElementsAre(3)) << "those behind are left out, and come the next time";
}

TEST_F(PagesTest, BatchesTogetherHaveAsManyBytesAsWereAskedFor) {
  put({3, 5});
  EXPECT_THAT(poll(100, 5 * bytes_each), ElementsAre(3, 2));
  EXPECT_THAT(poll(100, 1), ElementsAre(1)) << "the first record comes whatever its size";
}

TEST_F(PagesTest, OnlyTheFirstRecordOfAnAnswerComesWhateverItsSize) {
  put({3, 5});
  EXPECT_THAT(poll(100, 4 * bytes_each - 1), ElementsAre(3)) << "that of another shard waits until it is first";
  EXPECT_THAT(poll(100, 4 * bytes_each), ElementsAre(3, 1));
  put({0, 0, 2}, 10 * bytes_each);
  EXPECT_THAT(poll(100, bytes_each), ElementsAre(0, 0, 1)) << "pages without records do not count";
}

TEST_F(PagesTest, AnAnswerWithoutBatchesStaysAsItIs) {
  GroupPolled polled;
  polled.member = "one";
  polled.leases.resize(2);
  Result result = std::move(polled);
  read_records(store_, result);
  EXPECT_THAT(std::get<GroupPolled>(result).batches, IsEmpty());
  EXPECT_THAT(std::get<GroupPolled>(result).leases, SizeIs(2));
}

TEST_F(PagesTest, LagAndResetsSeeOneRecordOfEachShard) {
  put({3, 5});
  GroupLag lag;
  GroupReset reset;
  for (std::uint32_t shard = 0; shard < 2; ++shard) {
    lag.shards.push_back({{}, page(shard, 1, 1)});
    reset.shards.push_back({{}, {}, page(shard, 1, 1)});
  }
  Result lag_result = std::move(lag);
  Result reset_result = std::move(reset);
  read_records(store_, lag_result);
  read_records(store_, reset_result);
  for (const ShardLag& shard : std::get<GroupLag>(lag_result).shards) EXPECT_THAT(shard.page.records, SizeIs(1));
  for (const ShardReset& shard : std::get<GroupReset>(reset_result).shards) EXPECT_THAT(shard.page.records, SizeIs(1));
}

TEST_F(PagesTest, WhatCannotBeReadIsAnError) {
  put({1});
  WriteBatch damage;
  store_.scan(Table::records, std::string(1, '\0'), std::string(20, '\xff'),
              [&](std::string_view key, std::string_view) {
                damage.put(Table::records, key, "no record");
                return true;
              });
  ASSERT_FALSE(store_.commit(damage, true));
  GroupPolled polled;
  polled.count_max = polled.bytes_max = 100;
  polled.batches.push_back({1, {}, page(0, 100, 100)});
  Result result = std::move(polled);
  read_records(store_, result);
  EXPECT_EQ(std::get<Error>(result).code, ErrorCode::KinesisInternalFailure);
}

}  // namespace
}  // namespace penstock::server
