#include "storage/faulty_store.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/keys.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

std::string key_of(int i) { return {static_cast<char>('a' + i)}; }

class FaultyStoreTest : public testing::Test {
 protected:
  void put(int from, int until, bool sync) {
    for (int i = from; i < until; ++i) ASSERT_FALSE(store_.commit(put_of(Table::messages, key_of(i), "value"), sync));
  }
  std::size_t count() { return rows_of(store_, Table::messages).size(); }

  SeededEntropy entropy_{7};
  FaultyStore store_{entropy_};
};

TEST_F(FaultyStoreTest, KeepsWhatWasWrittenWhenTheProcessEnds) {
  put(0, 5, false);
  store_.crash_process();
  EXPECT_EQ(count(), 5U);
}

TEST_F(FaultyStoreTest, WhatAStartHasFoundIsSynced) {
  put(0, 5, false);
  store_.crash_process();
  EXPECT_EQ(store_.unsynced_commits(), 0U);
  store_.crash_power_loss(entropy_);
  EXPECT_EQ(count(), 5U);
}

TEST_F(FaultyStoreTest, LosesARandomSuffixOfWhatWasNotSynced) {
  std::vector<bool> seen(11, false);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededEntropy entropy{seed};
    FaultyStore store{entropy};
    for (int i = 0; i < 10; ++i) ASSERT_FALSE(store.commit(put_of(Table::messages, key_of(i), "value"), i < 4));
    EXPECT_EQ(store.unsynced_commits(), 6U);
    store.crash_power_loss(entropy);
    const Rows rows = rows_of(store, Table::messages);
    ASSERT_GE(rows.size(), 4U);
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i].first, key_of(static_cast<int>(i)));
    seen.at(rows.size()) = true;
  }
  for (std::size_t kept = 4; kept <= 10; ++kept) EXPECT_TRUE(seen[kept]) << kept;
}

TEST_F(FaultyStoreTest, DropsATornBatchWhole) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededEntropy entropy{seed};
    FaultyStore store{entropy};
    WriteBatch batch;
    for (int i = 0; i < 8; ++i) batch.put(Table::state, key_of(i), "value");
    ASSERT_FALSE(store.commit(batch, false));
    store.crash_power_loss(entropy);
    const std::size_t rows = rows_of(store, Table::state).size();
    ASSERT_TRUE(rows == 0 || rows == 8) << rows;
  }
}

TEST_F(FaultyStoreTest, ASyncCoversAllBefore) {
  put(0, 5, false);
  put(5, 6, true);
  put(6, 7, false);
  ASSERT_FALSE(store_.sync());
  store_.crash_power_loss(entropy_);
  EXPECT_EQ(count(), 7U);
}

TEST_F(FaultyStoreTest, FailsTheOperationItWasToldTo) {
  store_.fail_at(2, StoreStatus::io_error);
  std::string value;
  EXPECT_EQ(store_.get(Table::messages, "a", value).status, StoreStatus::not_found);
  EXPECT_EQ(store_.get(Table::messages, "a", value).status, StoreStatus::io_error);
  EXPECT_EQ(store_.get(Table::messages, "a", value).status, StoreStatus::not_found);
  store_.fail_at(1, StoreStatus::io_error);
  EXPECT_EQ(store_.scan(Table::messages, "a", "b", [](auto, auto) { return true; }).status, StoreStatus::io_error);
  put(0, 1, true);
}

TEST_F(FaultyStoreTest, StopsAfterAFailedCommitUntilItIsReopened) {
  store_.fail_at(1, StoreStatus::no_space);
  EXPECT_EQ(store_.commit(put_of(Table::messages, "a", "1"), true).status, StoreStatus::no_space);
  EXPECT_EQ(store_.commit(put_of(Table::messages, "b", "1"), false).status, StoreStatus::no_space);
  EXPECT_EQ(store_.sync().status, StoreStatus::no_space);
  std::string value;
  EXPECT_EQ(store_.get(Table::messages, "b", value).status, StoreStatus::not_found) << "reads go on";
  store_.crash_process();
  EXPECT_FALSE(store_.commit(put_of(Table::messages, "c", "1"), true));
}

TEST_F(FaultyStoreTest, StopsAfterAFailedSync) {
  put(0, 1, false);
  store_.fail_at(1, StoreStatus::io_error);
  EXPECT_EQ(store_.sync().status, StoreStatus::io_error);
  EXPECT_EQ(store_.commit(put_of(Table::messages, "z", "1"), false).status, StoreStatus::io_error);
  EXPECT_EQ(store_.unsynced_commits(), 1U);
}

TEST_F(FaultyStoreTest, TheOutcomeOfAFailedCommitIsUnknown) {
  std::size_t kept = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SeededEntropy entropy{seed};
    FaultyStore store{entropy};
    store.fail_at(1, StoreStatus::io_error);
    ASSERT_TRUE(store.commit(put_of(Table::messages, "a", "1"), true));
    store.crash_process();
    kept += rows_of(store, Table::messages).size();
    // Neither outcome makes a later put of another key a violation.
    ASSERT_FALSE(store.commit(put_of(Table::messages, "b", "1"), true));
    ASSERT_TRUE(store.violations().empty());
  }
  EXPECT_GT(kept, 20U);
  EXPECT_LT(kept, 80U);
}

TEST_F(FaultyStoreTest, TellsBeforeEachOperation) {
  std::vector<FaultyStore::OperationKind> kinds;
  store_.set_on_operation([&](FaultyStore::OperationKind kind) { kinds.push_back(kind); });
  std::string value;
  ASSERT_FALSE(store_.commit(WriteBatch{}, false));
  ASSERT_FALSE(store_.sync());
  ASSERT_TRUE(store_.get(Table::state, "a", value));
  ASSERT_FALSE(store_.scan(Table::state, "a", "b", [](auto, auto) { return true; }));
  using Kind = FaultyStore::OperationKind;
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::commit, Kind::sync, Kind::get, Kind::scan}));
}

class FaultyStoreViolations : public FaultyStoreTest {
 protected:
  void change(void (WriteBatch::*op)(Table, std::string_view), Table table, std::string_view key) {
    WriteBatch batch;
    (batch.*op)(table, key);
    ASSERT_FALSE(store_.commit(batch, true));
  }
  void expect_violation(const std::string& what) {
    ASSERT_EQ(store_.violations().size(), 1U);
    EXPECT_NE(store_.violations().front().find(what), std::string::npos) << store_.violations().front();
  }
};

TEST_F(FaultyStoreViolations, SecondPut) {
  put(0, 1, true);
  put(0, 1, true);
  expect_violation("put of a key that was written before");
}

TEST_F(FaultyStoreViolations, PutAfterDrop) {
  put(0, 1, true);
  change(&WriteBatch::drop_once, Table::messages, "a");
  put(0, 1, true);
  expect_violation("put of a key that was written before");
}

TEST_F(FaultyStoreViolations, DropOnceOfNothing) {
  change(&WriteBatch::drop_once, Table::state, "a");
  expect_violation("drop_once of a key never put: state 61");
}

TEST_F(FaultyStoreViolations, DropOnceTwice) {
  put(0, 1, true);
  change(&WriteBatch::drop_once, Table::messages, "a");
  change(&WriteBatch::drop_once, Table::messages, "a");
  expect_violation("drop_once of a key that was dropped before");
}

TEST_F(FaultyStoreViolations, DropOnceOfWhatWasOverwritten) {
  ASSERT_FALSE(store_.commit(put_of(Table::catalog, "a", "1"), true));
  ASSERT_FALSE(store_.commit(put_of(Table::catalog, "a", "2"), true));
  change(&WriteBatch::drop_once, Table::catalog, "a");
  expect_violation("drop_once of a key put more than once");
}

TEST_F(FaultyStoreViolations, DropOfAMessage) {
  put(0, 1, true);
  change(&WriteBatch::drop, Table::messages, "a");
  expect_violation("drop where only drop_once is meant");
}

TEST_F(FaultyStoreViolations, SomeKeysOfTheStateTableAreRewritten) {
  const QueueId queue{5};
  for (const Key& key : {attempt_key(queue, "id"), arrival_key(queue, {QueueId{6}, Sequence{7}})}) {
    for (int i = 0; i < 2; ++i) ASSERT_FALSE(store_.commit(put_of(Table::state, key.view(), "value"), true));
    change(&WriteBatch::drop, Table::state, key.view());
  }
  EXPECT_TRUE(store_.violations().empty());
  for (const Key& key : {dedup_key(queue, Sequence{1}), lane_key(queue, LaneId{2}, Sequence{1})}) {
    ASSERT_FALSE(store_.commit(put_of(Table::state, key.view(), "value"), true));
  }
  change(&WriteBatch::drop, Table::state, lane_key(queue, LaneId{2}, Sequence{1}).view());
  expect_violation("drop where only drop_once is meant");
}

TEST_F(FaultyStoreViolations, ARangeAllowsThemAnew) {
  put(0, 2, true);
  change(&WriteBatch::drop_once, Table::messages, "b");
  WriteBatch range;
  range.drop_range(Table::messages, "a", "c");
  ASSERT_FALSE(store_.commit(range, true));
  change(&WriteBatch::drop_once, Table::messages, "a");
  put(1, 2, true);
  change(&WriteBatch::drop_once, Table::messages, "b");
  EXPECT_TRUE(store_.violations().empty());
}

TEST_F(FaultyStoreViolations, WhatACrashTookWasNeverWritten) {
  for (int round = 0; round < 20; ++round) {
    ASSERT_FALSE(store_.commit(put_of(Table::messages, "a", "1"), false));
    store_.crash_power_loss(entropy_);
    if (!rows_of(store_, Table::messages).empty()) break;
  }
  EXPECT_TRUE(store_.violations().empty());
}

}  // namespace
}  // namespace penstock::storage
