#include "storage/committer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/memory_store.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

/// A store whose commits wait at a gate, and that remembers what it was asked.
class GatedStore final : public Store {
 public:
  struct Call {
    std::size_t changes = 0;  ///< 0 for a sync alone
    bool sync = false;
    bool operator==(const Call&) const = default;
  };

  StoreError commit(const WriteBatch& batch, bool sync) override {
    if (StoreError error = pass({batch.count(), sync})) return error;
    return rows_.commit(batch, sync);
  }
  StoreError sync() override { return pass({0, true}); }
  StoreError get(Table table, std::string_view key, std::string& value) const override {
    return rows_.get(table, key, value);
  }
  StoreError scan(Table table, std::string_view from, std::string_view until,
                  const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return rows_.scan(table, from, until, visit);
  }

  void close() {
    const std::lock_guard lock{mutex_};
    open_ = false;
  }
  void open() {
    {
      const std::lock_guard lock{mutex_};
      open_ = true;
    }
    changed_.notify_all();
  }
  /// Waits until that many calls have come to the gate.
  void await_calls(std::size_t n) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return calls_.size() >= n; });
  }
  void fail_from_call(std::size_t n, StoreStatus status) {
    const std::lock_guard lock{mutex_};
    fail_from_ = n;
    status_ = status;
  }
  std::vector<Call> calls() const {
    const std::lock_guard lock{mutex_};
    return calls_;
  }

 private:
  StoreError pass(Call call) {
    std::unique_lock lock{mutex_};
    calls_.push_back(call);
    const bool fails = fail_from_ != 0 && calls_.size() >= fail_from_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    return fails ? StoreError{status_, "by the test"} : StoreError{};
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  std::size_t fail_from_ = 0;
  StoreStatus status_ = StoreStatus::io_error;
  std::vector<Call> calls_;
  MemoryStore rows_;
};

/// Collects what the callbacks say, and lets a test wait for it.
class Observer {
 public:
  Committer::Callbacks callbacks() {
    return {[this] { note([this] { ++progress_; }); },
            [this](const StoreError& error) { note([&] { failures_.push_back(error); }); }};
  }
  void await_progress(int n) {
    await([&] { return progress_ >= n; });
  }
  void await_failure() {
    await([&] { return !failures_.empty(); });
  }
  int progress() const {
    const std::lock_guard lock{mutex_};
    return progress_;
  }
  std::vector<StoreError> failures() const {
    const std::lock_guard lock{mutex_};
    return failures_;
  }

 private:
  template <class Change>
  void note(Change&& change) {
    {
      const std::lock_guard lock{mutex_};
      change();
    }
    changed_.notify_all();
  }
  template <class Condition>
  void await(Condition&& condition) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, condition);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int progress_ = 0;
  std::vector<StoreError> failures_;
};

WriteBatch batch_of(int i) { return put_of(Table::catalog, std::to_string(i), "value"); }

using Calls = std::vector<GatedStore::Call>;

class CommitterTest : public testing::Test {
 protected:
  void start(Durability durability = Durability::fsync,
             std::chrono::milliseconds unsynced_max = std::chrono::hours{1}) {
    committer_ = std::make_unique<Committer>(store_, durability, observer_.callbacks(), unsynced_max);
  }
  std::uint64_t submit(int i, bool sync) { return committer_->submit(batch_of(i), sync); }

  /// Lets one batch into the store and holds it there, so that what follows has to wait.
  void occupy(bool sync = false) {
    store_.close();
    submit(0, sync);
    store_.await_calls(1);
  }

  GatedStore store_;
  Observer observer_;
  std::unique_ptr<Committer> committer_;
};

TEST_F(CommitterTest, PositionsCountFromOne) {
  start();
  EXPECT_EQ(committer_->progress().written, 0U);
  EXPECT_EQ(submit(1, true), 1U);
  EXPECT_EQ(submit(2, true), 2U);
  EXPECT_TRUE(committer_->flush());
  EXPECT_EQ(committer_->progress().written, 2U);
  EXPECT_EQ(committer_->progress().synced, 2U);
  EXPECT_EQ(rows_of(store_, Table::catalog).size(), 2U);
}

TEST_F(CommitterTest, WhatWaitsBecomesOneGroupWithOneSync) {
  start();
  occupy();
  for (int i = 1; i <= 100; ++i) submit(i, i == 50);
  EXPECT_EQ(committer_->progress().written, 0U);
  store_.open();
  observer_.await_progress(2);
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {100, true}}));
  EXPECT_EQ(committer_->progress().written, 101U);
  EXPECT_EQ(committer_->progress().synced, 101U);
}

TEST_F(CommitterTest, GroupsAreCountedByTheirSizeAndByWhetherTheyWereSynced) {
  start();
  occupy();
  for (int i = 1; i <= 100; ++i) submit(i, i == 50);
  store_.open();
  observer_.await_progress(2);
  WriteBatch alone = batch_of(101);
  while (!committer_->commit_if_idle(alone, true)) std::this_thread::yield();
  const CommitTally tally = committer_->tally();
  EXPECT_EQ(tally.changes.count(), 3U);
  EXPECT_EQ(tally.changes.sum(), 102.0);
  EXPECT_EQ(tally.changes.counts()[0], 2U) << "of one change";
  EXPECT_EQ(tally.synced_seconds.count(), 2U);
  EXPECT_EQ(tally.unsynced_seconds.count(), 1U);
  EXPECT_GT(tally.bytes.sum(), 102.0 * static_cast<double>(std::string("value").size()));
}

TEST_F(CommitterTest, AGroupInWhichNothingAsksIsNotSynced) {
  start();
  occupy();
  submit(1, false);
  submit(2, false);
  store_.open();
  observer_.await_progress(2);
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {2, false}}));
  EXPECT_EQ(committer_->progress().synced, 3U) << "nothing that asked for a sync is without one";
}

TEST_F(CommitterTest, WhatNobodyAskedToBeSyncedIsSyncedWithItsTime) {
  start(Durability::fsync, std::chrono::milliseconds{1});
  submit(1, false);
  store_.await_calls(2);
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {0, true}}));
  WriteBatch batch = batch_of(2);
  ASSERT_TRUE(committer_->commit_if_idle(batch, false).has_value() || committer_->submit(std::move(batch), false) > 0);
  store_.await_calls(4);
  EXPECT_EQ(store_.calls().back(), (GatedStore::Call{0, true}));
}

TEST_F(CommitterTest, ItIsSyncedAlsoWhereGroupsFollowEachOtherWithoutAPause) {
  start(Durability::fsync, std::chrono::milliseconds{0});
  occupy();
  submit(1, false);
  store_.open();
  observer_.await_progress(2);
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {1, true}}));
}

TEST_F(CommitterTest, ASyncThatSomebodyAskedForIsNotRepeated) {
  start(Durability::fsync, std::chrono::milliseconds{1});
  store_.close();
  submit(1, false);
  store_.await_calls(1);
  submit(2, true);
  store_.open();
  store_.await_calls(2);
  committer_.reset();
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {1, true}}));
}

TEST_F(CommitterTest, NothingIsAnsweredForBeforeTheStoreHasIt) {
  start();
  occupy(true);
  EXPECT_EQ(observer_.progress(), 0);
  EXPECT_EQ(committer_->progress().written, 0U);
  EXPECT_EQ(committer_->progress().synced, 0U);
  store_.open();
  observer_.await_progress(1);
  EXPECT_EQ(committer_->progress().synced, 1U);
}

TEST_F(CommitterTest, KeepsTheOrderInWhichBatchesCame) {
  start();
  occupy();
  for (int i = 1; i <= 50; ++i) {
    committer_->submit(put_of(Table::catalog, "last", std::to_string(i)), false);
  }
  store_.open();
  ASSERT_TRUE(committer_->flush());
  EXPECT_EQ(rows_of(store_, Table::catalog, "last", "lasu"), (Rows{{"last", "50"}}));
}

TEST_F(CommitterTest, LargeGroupsAreSplit) {
  start();
  occupy();
  const std::string value(group_bytes_max / 2, 'x');
  for (int i = 1; i <= 5; ++i) committer_->submit(put_of(Table::catalog, std::to_string(i), value), i == 5);
  store_.open();
  observer_.await_progress(4);
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {2, false}, {2, false}, {1, true}}));
  EXPECT_EQ(committer_->progress().synced, 6U);
}

TEST_F(CommitterTest, WithoutSyncsNoneIsAskedFor) {
  start(Durability::os);
  occupy(true);
  submit(1, true);
  store_.open();
  EXPECT_TRUE(committer_->flush());
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {1, false}}));
  EXPECT_EQ(committer_->progress().synced, 2U);
}

// ---- commit_if_idle.

TEST_F(CommitterTest, AnIdleCommitterCommitsInTheCallersThread) {
  start();
  WriteBatch batch = batch_of(1);
  EXPECT_EQ(committer_->commit_if_idle(batch, true), 1U);
  EXPECT_EQ(committer_->progress().written, 1U);
  EXPECT_EQ(committer_->progress().synced, 1U);
  EXPECT_EQ(store_.calls(), (Calls{{1, true}}));
  EXPECT_EQ(observer_.progress(), 0) << "whoever calls knows";
  EXPECT_EQ(submit(2, false), 2U);
  observer_.await_progress(1);
}

TEST_F(CommitterTest, ABusyCommitterLeavesTheBatchAlone) {
  start();
  occupy();
  WriteBatch batch = batch_of(1);
  EXPECT_EQ(committer_->commit_if_idle(batch, true), std::nullopt);
  EXPECT_EQ(batch.count(), 1U);
  EXPECT_EQ(committer_->submit(std::move(batch), true), 2U);
  store_.open();
  observer_.await_progress(2);
}

TEST_F(CommitterTest, WhatComesDuringACallersCommitIsCommittedAfterIt) {
  start();
  store_.close();
  std::thread caller{[&] {
    WriteBatch batch = batch_of(1);
    EXPECT_EQ(committer_->commit_if_idle(batch, true), 1U);
  }};
  store_.await_calls(1);
  EXPECT_EQ(submit(2, false), 2U);
  EXPECT_EQ(submit(3, true), 3U);
  WriteBatch another = batch_of(4);
  EXPECT_EQ(committer_->commit_if_idle(another, true), std::nullopt);
  EXPECT_EQ(store_.calls().size(), 1U) << "one commit at a time";
  store_.open();
  caller.join();
  observer_.await_progress(1);
  EXPECT_EQ(store_.calls(), (Calls{{1, true}, {2, true}}));
}

TEST_F(CommitterTest, AFailureInTheCallersThreadIsReportedByTheCommittingThread) {
  start();
  store_.fail_from_call(1, StoreStatus::no_space);
  WriteBatch batch = batch_of(1);
  EXPECT_EQ(committer_->commit_if_idle(batch, true), 1U);
  observer_.await_failure();
  EXPECT_EQ(observer_.failures().front().status, StoreStatus::no_space);
  EXPECT_EQ(committer_->progress().written, 0U);
  EXPECT_EQ(committer_->commit_if_idle(batch, true), std::nullopt);
}

// ---- Failure.

TEST_F(CommitterTest, AfterAFailureNothingIsCommittedOrAnswered) {
  start();
  submit(1, true);
  ASSERT_TRUE(committer_->flush());
  store_.fail_from_call(2, StoreStatus::io_error);
  store_.close();
  submit(2, true);
  store_.await_calls(2);
  submit(3, true);
  store_.open();
  observer_.await_failure();
  EXPECT_EQ(submit(4, true), 4U);
  EXPECT_FALSE(committer_->flush());
  committer_.reset();
  EXPECT_EQ(store_.calls().size(), 2U) << "never tried again";
  EXPECT_EQ(observer_.failures().size(), 1U);
  EXPECT_EQ(observer_.progress(), 1);
  EXPECT_EQ(rows_of(store_, Table::catalog).size(), 1U);
}

TEST_F(CommitterTest, AFailureReleasesThoseWhoFlush) {
  start();
  store_.fail_from_call(1, StoreStatus::io_error);
  occupy();
  std::future<bool> flushed = std::async(std::launch::async, [&] { return committer_->flush(); });
  store_.open();
  EXPECT_FALSE(flushed.get());
}

TEST_F(CommitterTest, AFailedSyncIsAFailure) {
  start();
  submit(1, false);
  observer_.await_progress(1);
  store_.fail_from_call(2, StoreStatus::io_error);
  EXPECT_FALSE(committer_->flush());
  observer_.await_failure();
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {0, true}}));
}

// ---- flush and the end.

TEST_F(CommitterTest, AFlushSyncsWhatDidNotAskForIt) {
  start();
  submit(1, false);
  observer_.await_progress(1);
  EXPECT_TRUE(committer_->flush());
  EXPECT_EQ(store_.calls(), (Calls{{1, false}, {0, true}}));
  EXPECT_TRUE(committer_->flush());
  EXPECT_EQ(store_.calls().size(), 2U) << "all is on the medium";
  submit(2, true);
  EXPECT_TRUE(committer_->flush());
  EXPECT_EQ(committer_->progress().written, 2U);
}

TEST_F(CommitterTest, AFlushOfNothingReturns) {
  start();
  EXPECT_TRUE(committer_->flush());
  EXPECT_TRUE(store_.calls().empty());
}

TEST_F(CommitterTest, AFlushJoinsTheGroupThatWaits) {
  start();
  occupy();
  submit(1, false);
  std::future<bool> flushed = std::async(std::launch::async, [&] { return committer_->flush(); });
  store_.open();
  EXPECT_TRUE(flushed.get());
  EXPECT_EQ(committer_->progress().written, 2U);
  EXPECT_TRUE(store_.calls().back().sync);
}

TEST_F(CommitterTest, TheEndCommitsWhatWasSubmitted) {
  start();
  occupy();
  for (int i = 1; i <= 10; ++i) submit(i, i == 10);
  std::future<void> ended = std::async(std::launch::async, [&] { committer_.reset(); });
  store_.open();
  ended.get();
  EXPECT_EQ(rows_of(store_, Table::catalog).size(), 11U);
  EXPECT_TRUE(store_.calls().back().sync);
}

TEST_F(CommitterTest, CallbacksMayUseTheCommitter) {
  std::atomic<std::uint64_t> seen{0};
  Committer* self = nullptr;
  std::promise<void> done;
  Committer committer{store_,
                      Durability::fsync,
                      {[&] {
                         seen = self->progress().written;
                         if (seen == 1) self->submit(batch_of(2), true);
                         if (seen == 2) done.set_value();
                       },
                       {}}};
  self = &committer;
  committer.submit(batch_of(1), true);
  done.get_future().wait();
  EXPECT_EQ(seen, 2U);
}

TEST_F(CommitterTest, LosesNoWakeUpAmongManyThreads) {
  start();
  constexpr int threads = 4;
  constexpr int rounds = 2'000;
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = 0; i < rounds; ++i) {
      WriteBatch batch = batch_of(next++);
      const bool sync = i % 3 == 0;
      if (i % 2 == 0 || !committer_->commit_if_idle(batch, sync)) committer_->submit(std::move(batch), sync);
      if (i % 100 == 0) {
        EXPECT_TRUE(committer_->flush());
      }
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  ASSERT_TRUE(committer_->flush());
  EXPECT_EQ(committer_->progress().written, static_cast<std::uint64_t>(threads * rounds));
  EXPECT_EQ(committer_->progress().synced, committer_->progress().written);
  EXPECT_EQ(rows_of(store_, Table::catalog).size(), static_cast<std::size_t>(threads * rounds));
}

}  // namespace
}  // namespace penstock::storage
