// A move between queues that is cut off at any point is completed by the next start, exactly once.
#include "storage/transfers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "penstock/limits.hpp"
#include "storage/faulty_store.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

constexpr QueueId origin_id{100};
constexpr QueueId destination_id{200};

QueueRecord queue_of(QueueId id, const std::string& suffix) {
  QueueRecord record;
  record.id = id;
  record.name = {"000000000000", "us-east-1", "queue-" + std::to_string(id.value) + suffix};
  return record;
}

StoreError commit(Store& store, const std::vector<Mutation>& mutations, bool sync) {
  WriteBatch batch;
  encode(mutations, batch);
  return store.commit(batch, sync);
}

PutMessage message_of(QueueId queue, Sequence sequence) {
  auto message = std::make_shared<StoredMessage>();
  message->message_id = std::to_string(sequence.value);
  message->delayed = true;
  return {queue, sequence, message};
}

MessageState state_of(std::uint32_t revision) {
  MessageState state;
  state.receive_count = revision;
  state.revision = revision;
  return state;
}

bool has_message(const Store& store, QueueId queue, Sequence sequence) {
  std::shared_ptr<const StoredMessage> message;
  const StoreError error = read_message(store, queue, sequence, message);
  EXPECT_TRUE(!error || error.status == StoreStatus::not_found) << error.message;
  return !error;
}

std::size_t count(const Store& store, Table table, const KeyRange& range) {
  return rows_of(store, table, range.from.view(), range.until.view()).size();
}

QueueCursor cursor_of(const Store& store, QueueId queue) {
  QueueCursor cursor;
  EXPECT_FALSE(read_cursor(store, queue, cursor));
  return cursor;
}

/// Two queues; the origin has messages 1 to `messages`, each with a state record that was rewritten `revisions` times.
void set_up(Store& store, std::uint64_t messages, std::uint32_t revisions = 1, const std::string& suffix = "") {
  std::vector<Mutation> mutations{PutQueue{queue_of(origin_id, suffix)}, PutQueue{queue_of(destination_id, suffix)}};
  QueueCursor cursor;
  cursor.tail = Sequence{messages + 1};
  cursor.state_count = messages;
  for (std::uint64_t i = 1; i <= messages; ++i) {
    mutations.emplace_back(message_of(origin_id, Sequence{i}));
    for (std::uint32_t revision = 1; revision <= revisions; ++revision) {
      mutations.emplace_back(PutState{origin_id, Sequence{i}, state_of(revision)});
    }
  }
  mutations.emplace_back(PutCursor{origin_id, cursor});
  ASSERT_FALSE(commit(store, mutations, true));
}

std::vector<Mutation> accepted(Sequence origin, Sequence as) {
  QueueCursor cursor;
  cursor.tail = Sequence{as.value + 1};
  cursor.state_count = as.value;
  return {message_of(destination_id, as), PutState{destination_id, as, state_of(1)},
          PutArrival{destination_id, {origin_id, origin}}, PutCursor{destination_id, cursor}};
}

std::vector<Mutation> settled(Sequence origin, std::uint64_t left) {
  QueueCursor cursor = {};
  cursor.tail = Sequence{left + 2};
  cursor.state_count = left;
  return {DropMessage{origin_id, origin}, DropState{origin_id, origin, 1}, PutCursor{origin_id, cursor}};
}

/// Both queues once nothing of a move of message 1 of 3 is open.
void expect_moved(const Store& store) {
  EXPECT_FALSE(has_message(store, origin_id, Sequence{1}));
  EXPECT_TRUE(has_message(store, origin_id, Sequence{2}));
  EXPECT_TRUE(has_message(store, origin_id, Sequence{3}));
  EXPECT_TRUE(has_message(store, destination_id, Sequence{1}));
  EXPECT_EQ(count(store, Table::messages, queue_contents(destination_id)), 1U);
  EXPECT_EQ(count(store, Table::state, states_of(origin_id, Sequence{1})), 0U);
  EXPECT_EQ(count(store, Table::state, states_from(origin_id, Sequence{})), 2U);
  EXPECT_EQ(cursor_of(store, origin_id).state_count, 2U);
  EXPECT_EQ(cursor_of(store, destination_id).state_count, 1U);
  EXPECT_EQ(count(store, Table::state, arrivals_of(destination_id)), 0U);
}

TEST(Transfers, ThatWereNotAcceptedAreNotThere) {
  MemoryStore store;
  set_up(store, 3);
  ASSERT_FALSE(complete_transfers(store));
  EXPECT_TRUE(has_message(store, origin_id, Sequence{1}));
  EXPECT_EQ(cursor_of(store, origin_id).state_count, 3U);
}

TEST(Transfers, ThatAMoveTaskMadeAreCountedByIt) {
  MemoryStore store;
  set_up(store, 3);
  MoveTask over{.id = "over", .started = from_epoch_ms(1), .moved = 9};
  MoveTask running{.id = "running", .started = from_epoch_ms(2), .to_move = 3, .moved = 1};
  ASSERT_FALSE(commit(store, {PutMoveTask{origin_id, over}, PutMoveTask{origin_id, running}}, true));
  for (const std::uint64_t i : {1U, 2U, 3U}) {
    std::vector<Mutation> mutations = accepted(Sequence{i}, Sequence{i});
    for (Mutation& mutation : mutations) {
      // The second was a dead letter, which no task counts.
      if (auto* arrival = std::get_if<PutArrival>(&mutation); arrival != nullptr && i != 2) {
        arrival->kind = TransferKind::redrive;
      }
    }
    ASSERT_FALSE(commit(store, mutations, true));
  }
  ASSERT_FALSE(complete_transfers(store));
  std::vector<MoveTask> tasks;
  ASSERT_FALSE(read_move_tasks(store, origin_id, tasks));
  ASSERT_EQ(tasks.size(), 2U);
  for (const MoveTask& task : tasks) EXPECT_EQ(task.moved, task.id == "running" ? 3U : 9U);
}

TEST(Transfers, AreCompletedFromWhereTheyWereCutOff) {
  for (int done = 1; done <= 3; ++done) {
    SCOPED_TRACE(done);
    MemoryStore store;
    set_up(store, 3);
    ASSERT_FALSE(commit(store, accepted(Sequence{1}, Sequence{1}), true));
    if (done >= 2) ASSERT_FALSE(commit(store, settled(Sequence{1}, 2), true));
    if (done >= 3) ASSERT_FALSE(commit(store, {DropArrival{destination_id, {origin_id, Sequence{1}}}}, true));
    ASSERT_FALSE(complete_transfers(store));
    expect_moved(store);
    ASSERT_FALSE(complete_transfers(store));
    expect_moved(store);
  }
}

TEST(Transfers, DropEveryRevisionAndCountOnce) {
  MemoryStore store;
  set_up(store, 3, 4);
  ASSERT_FALSE(commit(store, accepted(Sequence{1}, Sequence{1}), true));
  ASSERT_FALSE(complete_transfers(store));
  EXPECT_EQ(count(store, Table::state, states_of(origin_id, Sequence{1})), 0U);
  EXPECT_EQ(count(store, Table::state, states_of(origin_id, Sequence{2})), 4U);
  EXPECT_EQ(cursor_of(store, origin_id).state_count, 2U);
}

TEST(Transfers, NeverCountBelowNothing) {
  MemoryStore store;
  set_up(store, 2);
  ASSERT_FALSE(commit(store, {PutCursor{origin_id, {Sequence{1}, Sequence{3}, 0, 1, {}}}}, true));
  ASSERT_FALSE(commit(store, accepted(Sequence{1}, Sequence{1}), true));
  ASSERT_FALSE(commit(store, accepted(Sequence{2}, Sequence{2}), true));
  ASSERT_FALSE(complete_transfers(store));
  EXPECT_EQ(cursor_of(store, origin_id).state_count, 0U);
}

TEST(Transfers, AnOriginThatIsGoneIsNotBroughtBack) {
  MemoryStore store;
  set_up(store, 3);
  ASSERT_FALSE(commit(store, accepted(Sequence{1}, Sequence{1}), true));
  ASSERT_FALSE(commit(store, {DropQueueContents{origin_id, true}, DropQueue{origin_id}}, true));
  ASSERT_FALSE(complete_transfers(store));
  EXPECT_TRUE(has_message(store, destination_id, Sequence{1}));
  EXPECT_EQ(count(store, Table::state, arrivals_of(destination_id)), 0U);
  QueueCursor cursor;
  EXPECT_EQ(read_cursor(store, origin_id, cursor).status, StoreStatus::not_found);
}

TEST(Transfers, WithinOneQueueAreCompletedToo) {
  MemoryStore store;
  set_up(store, 2);
  ASSERT_FALSE(commit(
      store,
      {message_of(origin_id, Sequence{3}), PutState{origin_id, Sequence{3}, state_of(1)},
       PutArrival{origin_id, {origin_id, Sequence{1}}}, PutCursor{origin_id, {Sequence{1}, Sequence{4}, 0, 3, {}}}},
      true));
  ASSERT_FALSE(complete_transfers(store));
  EXPECT_FALSE(has_message(store, origin_id, Sequence{1}));
  EXPECT_TRUE(has_message(store, origin_id, Sequence{3}));
  EXPECT_EQ(cursor_of(store, origin_id), (QueueCursor{Sequence{1}, Sequence{4}, 0, 2, {}}));
}

TEST(Transfers, ComeInAsManyBatchesAsTheyNeed) {
  for (const std::size_t messages : {transfer_batch_max - 1, transfer_batch_max, 2 * transfer_batch_max + 3}) {
    SeededEntropy entropy{1};
    FaultyStore store{entropy};
    set_up(store, messages + 1);
    for (std::uint64_t i = 1; i <= messages; ++i) {
      ASSERT_FALSE(commit(store, accepted(Sequence{i}, Sequence{i}), false));
    }
    std::size_t commits = 0;
    store.set_on_operation(
        [&](FaultyStore::OperationKind kind) { commits += kind == FaultyStore::OperationKind::commit ? 1U : 0U; });
    ASSERT_FALSE(complete_transfers(store));
    store.set_on_operation({});
    EXPECT_EQ(commits, (messages + transfer_batch_max - 1) / transfer_batch_max);
    EXPECT_EQ(store.unsynced_commits(), 0U);
    EXPECT_EQ(count(store, Table::messages, queue_contents(origin_id)), 1U);
    EXPECT_EQ(count(store, Table::messages, queue_contents(destination_id)), messages);
    EXPECT_EQ(count(store, Table::state, arrivals_of(destination_id)), 0U);
    EXPECT_EQ(cursor_of(store, origin_id).state_count, 1U);
    EXPECT_TRUE(store.violations().empty());
  }
}

TEST(Transfers, AStrayKeyAmongArrivalsIsCorrupt) {
  MemoryStore store;
  set_up(store, 1);
  const std::string stray = std::string{arrivals_of(destination_id).from.view()} + "stray";
  ASSERT_FALSE(store.commit(put_of(Table::state, stray, ""), true));
  EXPECT_EQ(complete_transfers(store).status, StoreStatus::corrupt);
}

TEST(Transfers, RecoverySeesThemCompleted) {
  for (const std::string suffix : {"", ".fifo"}) {
    MemoryStore store;
    set_up(store, 3, 1, suffix);
    ASSERT_FALSE(commit(store, accepted(Sequence{1}, Sequence{1}), true));
    std::vector<RecoveredQueue> queues;
    ASSERT_FALSE(recover(store, Limits{}, queues));
    ASSERT_EQ(queues.size(), 2U);
    EXPECT_EQ(queues[0].states.size(), 2U);
    EXPECT_EQ(queues[0].states.front().sequence, Sequence{2});
    EXPECT_EQ(queues[0].cursor.state_count, 2U);
    EXPECT_EQ(queues[1].states.size(), 1U);
  }
}

/// The commits by which messages 1 to 3 are moved one after the other, and the others of the shards that run beside.
std::vector<std::vector<Mutation>> history() {
  std::vector<std::vector<Mutation>> commits;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    commits.push_back(accepted(Sequence{i}, Sequence{i}));
    QueueCursor left;
    left.tail = Sequence{4};
    left.state_count = 3 - i;
    commits.push_back(
        {DropMessage{origin_id, Sequence{i}}, DropState{origin_id, Sequence{i}, 1}, PutCursor{origin_id, left}});
    commits.push_back({DropArrival{destination_id, {origin_id, Sequence{i}}}});
  }
  return commits;
}

/// Starts, each of which may be cut off too, until one is whole.
void start_until_whole(FaultyStore& store, SeededEntropy& entropy) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    if (entropy.below(2) == 0) store.fail_at(1 + entropy.below(12), StoreStatus::io_error);
    const StoreError error = complete_transfers(store);
    if (entropy.below(2) == 0) {
      store.crash_power_loss(entropy);
    } else {
      store.crash_process();
    }
    if (!error) return;
  }
  ASSERT_FALSE(complete_transfers(store));
}

TEST(Transfers, LoseNothingAndDoubleNothingWhateverCrashes) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededEntropy entropy{seed};
    FaultyStore store{entropy};
    set_up(store, 3);
    const std::vector<std::vector<Mutation>> commits = history();
    const std::uint64_t until = entropy.below(commits.size() + 1);
    for (std::uint64_t i = 0; i < until; ++i) {
      // What is accepted and what is dropped is promised; that an arrival is forgotten is not.
      ASSERT_FALSE(commit(store, commits[i], i % 3 != 2));
    }
    if (entropy.below(2) == 0) {
      store.crash_power_loss(entropy);
    } else {
      store.crash_process();
    }
    start_until_whole(store, entropy);
    std::size_t at_origin = 0;
    for (std::uint64_t i = 1; i <= 3; ++i) {
      const bool here = has_message(store, origin_id, Sequence{i});
      ASSERT_NE(here, has_message(store, destination_id, Sequence{i}));
      ASSERT_EQ(count(store, Table::state, states_of(origin_id, Sequence{i})), here ? 1U : 0U);
      at_origin += here ? 1U : 0U;
    }
    ASSERT_EQ(at_origin, 3 - (until + 2) / 3);
    ASSERT_EQ(cursor_of(store, origin_id).state_count, at_origin);
    ASSERT_EQ(count(store, Table::state, arrivals_of(destination_id)), 0U);
    ASSERT_TRUE(store.violations().empty()) << store.violations().front();
  }
}

}  // namespace
}  // namespace penstock::storage
