#include "storage/rocksdb_store.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "rocksdb_support.hpp"
#include "storage/keys.hpp"
#include "storage/log_tail.hpp"
#include "storage/records.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

// ---- Opening.

TEST_F(RocksDbStoreTest, KeepsDataWhenItIsReopened) {
  ASSERT_FALSE(open());
  put(1, 11);
  ASSERT_FALSE(store_->commit(put_of(Table::catalog, "key", "value"), true));
  reopen();
  EXPECT_EQ(count(), 10U);
  EXPECT_EQ(rows_of(*store_, Table::catalog), (Rows{{"key", "value"}}));
  reopen();
  EXPECT_EQ(count(), 10U);
}

TEST_F(RocksDbStoreTest, IsInUseForASecondOneInThisProcess) {
  ASSERT_FALSE(open());
  std::unique_ptr<Store> second;
  const StoreError error = open_rocksdb({.directory = data_}, second);
  EXPECT_EQ(error.status, StoreStatus::in_use) << error.message;
  EXPECT_NE(error.message.find(data_.string()), std::string::npos) << error.message;
  EXPECT_EQ(second, nullptr);
  put(1, 2);
}

TEST_F(RocksDbStoreTest, IsInUseForAnotherProcess) {
  // The child is the one that has it open, and ends when the pipe is closed.
  int ready[2];
  int leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    (void)::close(leave[1]);
    const bool opened = !open();
    char byte = opened ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(leave[0], &byte, 1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  const StoreError error = open();
  EXPECT_EQ(error.status, StoreStatus::in_use) << error.message;
  for (const int descriptor : {leave[1], leave[0], ready[0], ready[1]}) (void)::close(descriptor);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(open()) << "free once the other has ended";
}

TEST_F(RocksDbStoreTest, SaysThatADirectoryCannotBeMade) {
  std::ofstream{directory_.path() / "deep"} << "a file";
  const StoreError error = open();
  EXPECT_EQ(error.status, StoreStatus::not_writable) << error.message;
  EXPECT_NE(error.message.find(data_.string()), std::string::npos) << error.message;
}

TEST_F(RocksDbStoreTest, SaysThatADirectoryCannotBeWritten) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  fs::create_directories(data_);
  fs::permissions(data_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(open().status, StoreStatus::not_writable);
  fs::permissions(data_, fs::perms::owner_all);
}

TEST_F(RocksDbStoreTest, RefusesDataWithoutACurrentFile) {
  ASSERT_FALSE(open());
  put(1, 3, true);
  store_.reset();
  fs::remove(data_ / "CURRENT");
  EXPECT_EQ(open().status, StoreStatus::corrupt);
  EXPECT_TRUE(fs::exists(newest_log(data_))) << "nothing was deleted";
}

TEST_F(RocksDbStoreTest, RefusesADamagedManifest) {
  ASSERT_FALSE(open());
  put(1, 3, true);
  store_.reset();
  for (const auto& entry : fs::directory_iterator{data_}) {
    if (entry.path().filename().string().starts_with("MANIFEST")) overwrite(entry.path(), 10, "XXXXXXXX");
  }
  EXPECT_EQ(open().status, StoreStatus::corrupt);
}

// ---- Dropping, through flushes and compactions: enough is written that tables reach the disk.

TEST_F(RocksDbStoreTest, DropsSurviveAReopen) {
  ASSERT_FALSE(open());
  constexpr std::uint64_t messages = 1'000;
  put(1, messages + 1);
  WriteBatch drops;
  for (std::uint64_t i = 1; i <= messages; i += 2) drops.drop_once(Table::messages, key_of(i));
  ASSERT_FALSE(store_->commit(drops, true));
  EXPECT_EQ(count(), messages / 2);
  reopen();
  EXPECT_EQ(count(), messages / 2);
  const KeyRange range = queue_contents(queue_id);
  WriteBatch all;
  all.drop_range(Table::messages, range.from.view(), range.until.view());
  all.drop_once(Table::messages, key_of(2));
  ASSERT_FALSE(store_->commit(all, true));
  EXPECT_EQ(count(), 0U);
  reopen();
  EXPECT_EQ(count(), 0U);
  put(messages + 1, messages + 3);
  reopen();
  EXPECT_EQ(count(), 2U);
}

TEST_F(RocksDbStoreTest, RunsTheRecordsOnIt) {
  ASSERT_FALSE(open());
  ASSERT_FALSE(open_format(*store_));
  QueueRecord record;
  record.id = queue_id;
  record.name = {"1", "r", "q"};
  const auto message = std::make_shared<StoredMessage>();
  message->message_id = "id";
  message->content.body = "body";
  WriteBatch batch;
  encode({PutQueue{record}, PutMessage{queue_id, Sequence{1}, message}, PutState{queue_id, Sequence{1}, {}}}, batch);
  ASSERT_FALSE(store_->commit(batch, true));
  reopen();
  ASSERT_FALSE(open_format(*store_));
  std::vector<RecoveredQueue> queues;
  ASSERT_FALSE(recover(*store_, Limits{}, queues));
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(queues[0].record, record);
  EXPECT_EQ(queues[0].states.size(), 1U);
  Command answer;
  ASSERT_FALSE(run_load(*store_, LoadFresh{queue_id, 0, Sequence{1}, Sequence{2}, 10, 1'000}, answer));
  EXPECT_EQ(std::get<FreshLoaded>(answer).entries.size(), 1U);
}

// ---- Crashes.

TEST_F(RocksDbStoreTest, WhatWasCommittedSurvivesTheProcess) {
  ASSERT_FALSE(open());
  put(1, 21);
  EXPECT_EQ(prefix_of(copy()), 20U);
}

TEST_F(RocksDbStoreTest, ATruncatedTailLeavesAPrefix) {
  ASSERT_FALSE(open());
  constexpr std::uint64_t messages = 20;
  put(1, messages + 1);
  const std::uint64_t whole = fs::file_size(newest_log(data_));
  // Cuts within the header, the first and the last fragment of a record, and at ends of blocks.
  for (const std::uint64_t cut : {1ULL, 7ULL, 100ULL, 32'768ULL, 40'000ULL, 40'007ULL, 100'000ULL, 300'001ULL}) {
    SCOPED_TRACE("cut " + std::to_string(cut));
    const fs::path torn = copy();
    fs::resize_file(newest_log(torn), whole - cut);
    const std::size_t left = prefix_of(torn);
    EXPECT_LT(left, messages);
    EXPECT_GE(left, messages - cut / value_bytes - 2);
    EXPECT_EQ(prefix_of(torn), left) << "and once more, beside the log that was torn";
  }
}

TEST_F(RocksDbStoreTest, ATailOfZerosOrGarbageLeavesAPrefix) {
  ASSERT_FALSE(open());
  put(1, 21);
  for (const std::uint64_t bad : {1ULL, 20ULL, 9'000ULL, 39'000ULL}) {
    for (const char fill : {'\0', 'x'}) {
      SCOPED_TRACE(std::to_string(bad) + " bytes of " + std::to_string(fill));
      const fs::path torn = copy();
      const fs::path log = newest_log(torn);
      overwrite(log, fs::file_size(log) - bad, std::string(bad, fill));
      // A single byte that is another, and no zero, was changed and not cut off.
      if (bad == 1 && fill == 'x') {
        EXPECT_EQ(outcome_of(torn).error.status, StoreStatus::corrupt);
        continue;
      }
      EXPECT_EQ(prefix_of(torn), 19U);
    }
  }
}

// Small commits that are synced one by one have zeros behind them in the log.
TEST_F(RocksDbStoreTest, ALogThatEndsInRoomIsWholeAlsoAfterASecondCrash) {
  constexpr std::size_t small = 100;
  ASSERT_FALSE(open());
  put(1, 31, true, small);
  ASSERT_GT(fs::file_size(newest_log(data_)), 10 * small * 30) << "there is no room, so this tests nothing";
  const fs::path first = copy();
  store_.reset();
  data_ = first;
  ASSERT_FALSE(open());
  EXPECT_EQ(count(), 30U);
  put(31, 61, true, small);
  const fs::path second = copy();
  EXPECT_EQ(prefix_of(second), 60U);
  EXPECT_EQ(prefix_of(second), 60U);
}

TEST_F(RocksDbStoreTest, ATornRecordBeforeTheRoomIsATail) {
  constexpr std::size_t small = 100;
  ASSERT_FALSE(open());
  put(1, 31, true, small);
  const fs::path log = newest_log(data_);
  std::ifstream stream{log, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
  const std::size_t end = bytes.find_last_not_of('\0') + 1;
  for (const std::size_t lost : {std::size_t{1}, small / 2, small + 10}) {
    SCOPED_TRACE(std::to_string(lost) + " bytes lost");
    const fs::path torn = copy();
    overwrite(newest_log(torn), end - lost, std::string(lost, '\0'));
    EXPECT_EQ(prefix_of(torn), 29U);
  }
}

TEST_F(RocksDbStoreTest, WhatIsWrittenAfterATornTailIsKept) {
  ASSERT_FALSE(open());
  put(1, 11);
  const fs::path torn = copy();
  store_.reset();
  const fs::path log = newest_log(torn);
  overwrite(log, fs::file_size(log) - 500, std::string(500, 'x'));
  data_ = torn;
  ASSERT_FALSE(open());
  ASSERT_EQ(count(), 9U);
  put(10, 15, true);
  store_.reset();
  EXPECT_EQ(prefix_of(torn), 14U);
  EXPECT_EQ(prefix_of(torn), 14U);
}

TEST_F(RocksDbStoreTest, DamageInTheMiddleIsNotTakenForATail) {
  ASSERT_FALSE(open());
  put(1, 21);
  const std::uint64_t whole = fs::file_size(newest_log(data_));
  for (const std::uint64_t at : {std::uint64_t{50}, whole / 2, whole - 3 * value_bytes}) {
    SCOPED_TRACE("at " + std::to_string(at));
    const fs::path damaged = copy();
    overwrite(newest_log(damaged), at, "XXXXXXXX");
    std::unique_ptr<Store> store;
    const StoreError error = open_rocksdb({.directory = damaged}, store);
    EXPECT_EQ(error.status, StoreStatus::corrupt) << error.message;
    EXPECT_NE(error.message.find(damaged.string()), std::string::npos);
  }
}

TEST_F(RocksDbStoreTest, AnOlderLogThatWasCutOffIsDamage) {
  ASSERT_FALSE(open());
  put(1, 11);
  reopen();
  put(11, 21, true);
  const fs::path damaged = copy();
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator{damaged}) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  ASSERT_GE(logs.size(), 2U);
  EXPECT_EQ(inspect_logs(damaged, {}).condition, LogCondition::whole) << "nothing is wrong yet";
  overwrite(logs.front(), fs::file_size(logs.front()) - 100, "XXXXXXXX");
  EXPECT_EQ(inspect_logs(damaged, {}).condition, LogCondition::damaged);
  std::unique_ptr<Store> store;
  EXPECT_EQ(open_rocksdb({.directory = damaged}, store).status, StoreStatus::corrupt);
}

TEST_F(RocksDbStoreTest, ALogThatIsMissingOrEmptiedBetweenOthersIsDamage) {
  ASSERT_FALSE(open());
  put(1, 5, true);
  reopen();
  put(5, 9, true);
  const fs::path middle = newest_log(data_).filename();
  reopen();
  put(9, 13, true);
  store_.reset();
  const fs::path missing = copy();
  ASSERT_TRUE(fs::remove(missing / middle));
  EXPECT_EQ(outcome_of(missing).error.status, StoreStatus::corrupt);
  const fs::path emptied = copy();
  fs::resize_file(emptied / middle, 0);
  EXPECT_EQ(outcome_of(emptied).error.status, StoreStatus::corrupt);
  EXPECT_EQ(outcome_of(data_).messages, 12U);
}

// A start that comes upon more than a write buffer writes all of it to tables, and has nothing in its log.
TEST_F(RocksDbStoreTest, ACopyHasALogAlsoWhereNothingIsInIt) {
  ASSERT_FALSE(open());
  put(1, 381);
  put(381, 382, true, 4U << 20U);
  const fs::path killed = copy();
  store_.reset();
  data_ = killed;
  ASSERT_FALSE(open());
  for (const auto& entry : fs::directory_iterator{data_}) {
    if (entry.path().extension() == ".log") ASSERT_EQ(entry.file_size(), 0U) << "so this tests nothing";
  }
  const fs::path copied = directory_.path() / "copied";
  ASSERT_FALSE(copy_rocksdb(*store_, copied));
  std::unique_ptr<InspectedStore> look;
  ASSERT_FALSE(open_rocksdb_for_reading(copied, look));
  EXPECT_TRUE(look->has_log());
  look.reset();
  EXPECT_EQ(prefix_of(copied), 381U);
}

TEST_F(RocksDbStoreTest, LogsThatEndBeforeTheTablesAreDamage) {
  ASSERT_FALSE(open());
  // Kept in the first log, whatever is flushed of the messages.
  ASSERT_FALSE(store_->commit(put_of(Table::catalog, "key", "value"), true));
  put(1, 601);
  store_.reset();
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator{data_}) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  ASSERT_GE(logs.size(), 2U) << "nothing was flushed";
  for (std::size_t i = 1; i < logs.size(); ++i) fs::remove(logs[i]);
  fs::resize_file(logs[0], fs::file_size(logs[0]) / 2);
  EXPECT_EQ(outcome_of(data_).error.status, StoreStatus::corrupt);
}

TEST_F(RocksDbStoreTest, ALogThatIsNotNeededAnyMoreIsNotLookedAt) {
  ASSERT_FALSE(open());
  put(1, 2'001);
  store_.reset();
  ASSERT_FALSE(fs::exists(data_ / "000004.log")) << "nothing was flushed";
  std::ofstream{data_ / "000004.log"} << "what a crash has left of one that was to be deleted";
  EXPECT_EQ(outcome_of(data_).messages, 2'000U);
}

TEST_F(RocksDbStoreTest, ADamagedTableIsCorruptWhenItIsRead) {
  ASSERT_FALSE(open());
  put(1, 1'000);
  // A close may leave all of it in the log; a start writes what is more than a write buffer to tables.
  reopen();
  store_.reset();
  std::size_t damaged = 0;
  for (const auto& entry : fs::directory_iterator{data_}) {
    if (entry.path().extension() != ".sst" || entry.file_size() < value_bytes) continue;
    overwrite(entry.path(), 100, "XXXXXXXX");
    ++damaged;
  }
  ASSERT_GT(damaged, 0U);
  if (const StoreError error = open()) {
    EXPECT_EQ(error.status, StoreStatus::corrupt) << error.message;
    return;
  }
  const StoreError error = store_->scan(Table::messages, "", "\xff", [](auto, auto) { return true; });
  EXPECT_EQ(error.status, StoreStatus::corrupt) << error.message;
}

}  // namespace
}  // namespace penstock::storage
