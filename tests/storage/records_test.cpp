#include "storage/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <variant>

#include "damage.hpp"
#include "records_support.hpp"
#include "storage/faulty_store.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

constexpr QueueId queue_id{0x0102030405060708ULL};
constexpr Sequence sequence_42{42};

QueueRecord fixed_queue() {
  QueueRecord record;
  record.id = queue_id;
  record.name = {"000000000000", "eu-central-1", "orders.fifo"};
  record.attributes = {{"FifoQueue", "true"}, {"VisibilityTimeout", "45"}};
  record.tags = {{"empty", ""}, {"team", "billing"}};
  record.created = from_epoch_ms(1'700'000'000'001);
  record.modified = from_epoch_ms(1'700'000'000'002);
  record.deleted = from_epoch_ms(1'700'000'000'003);
  return record;
}

QueueCursor fixed_cursor() { return {Sequence{1'000}, Sequence{5'000}, 3'900, 77, from_epoch_ms(1'700'000'000'004)}; }

/// Of a queue with lanes.
QueueCursor fixed_lanes_cursor() {
  QueueCursor cursor = fixed_cursor();
  cursor.lane_count = 1'234;
  return cursor;
}

/// A queue that is not FIFO, with this id.
QueueRecord standard_queue(QueueId id) {
  QueueRecord record;
  record.id = id;
  record.name = {"000000000000", "eu-central-1", "standard-" + std::to_string(id.value)};
  return record;
}

StoredMessage fixed_message() {
  StoredMessage message;
  message.message_id = "01234567-89ab-cdef-0123-456789abcdef";
  message.sent = from_epoch_ms(1'700'000'000'005);
  message.delayed = true;
  message.content.body = "gr\xc3\xbc\xc3\x9f dich";
  for (std::size_t i = 0; i < message.content.body_md5.size(); ++i) {
    message.content.body_md5[i] = static_cast<std::uint8_t>(i * 17);
  }
  message.content.attributes = {{"blob", "Binary.png", std::string("\x00\xff\x01", 3)}, {"count", "Number", "42"}};
  message.content.trace_header = "Root=1-5759e988-bd862e3fe1be46a994272793";
  message.content.sender_id = "AIDAIENQZJOLO23YVJ4VO";
  message.content.group_id = "group";
  message.content.deduplication_id = "once";
  return message;
}

MessageState fixed_state() {
  return {from_epoch_ms(1'700'000'000'006),
          from_epoch_ms(1'700'000'000'007),
          from_epoch_ms(1'700'000'000'008),
          from_epoch_ms(1'700'000'000'009),
          3,
          0xfedcba9876543210ULL,
          5};
}

constexpr QueueId other_queue_id{0x1112131415161718ULL};
constexpr LaneId lane_id{0xa1a2a3a4a5a6a7a8ULL};

QueueRecord fixed_redrive_queue() {
  QueueRecord record;
  record.id = other_queue_id;
  record.name = {"000000000000", "eu-central-1", "jobs"};
  record.created = from_epoch_ms(1'700'000'000'001);
  record.modified = from_epoch_ms(1'700'000'000'002);
  record.redrive = RedrivePolicy{"arn:aws:sqs:eu-central-1:000000000000:dead", 7};
  record.redrive_allow =
      RedriveAllowPolicy{RedriveAllowPolicy::Permission::by_queue,
                         {"arn:aws:sqs:eu-central-1:000000000000:one", "arn:aws:sqs:eu-central-1:000000000000:two"}};
  record.dedup_by_group = true;
  return record;
}

StoredMessage fixed_dead_letter() {
  StoredMessage message = fixed_message();
  message.dead_letter_source = "arn:aws:sqs:eu-central-1:000000000000:jobs";
  return message;
}

MessageState fixed_group_state() {
  MessageState state = fixed_state();
  state.group_id = "group";
  state.arrival_count = 2;
  return state;
}

DedupEntry fixed_dedup() {
  return {sequence_42, from_epoch_ms(1'700'000'000'010), {0x0011223344556677ULL, 0x8899aabbccddeeffULL}};
}

ReceiveAttempt fixed_attempt() {
  return {"attempt-1", from_epoch_ms(1'700'000'000'011), {{sequence_42, 0xfedcba9876543210ULL}, {Sequence{43}, 7}}};
}

LaneEntry fixed_lane_entry() { return {sequence_42, from_epoch_ms(1'700'000'000'012)}; }

MoveTask fixed_move_task() {
  MoveTask task;
  task.id = "89abcdef-0123-4567-89ab-cdef01234567";
  task.destination = QueueName{"000000000000", "eu-central-1", "jobs"};
  task.per_second = 250;
  task.status = MoveTaskStatus::failed;
  task.started = from_epoch_ms(1'700'000'000'013);
  task.until = Sequence{5'000};
  task.to_move = 4'000;
  task.moved = 1'234;
  task.failure_reason = "AWS.SimpleQueueService.NonExistentQueue";
  return task;
}

Mutation put_message(Sequence sequence, StoredMessage message) {
  return PutMessage{queue_id, sequence, std::make_shared<const StoredMessage>(std::move(message))};
}

std::vector<RecoveredQueue> recovered(Store& store, const Limits& limits = {}) {
  std::vector<RecoveredQueue> queues;
  const StoreError error = recover(store, limits, queues);
  EXPECT_FALSE(error) << error.message;
  return queues;
}

template <class Answer>
Answer loaded(const Store& store, const Load& load) {
  Command answer;
  const StoreError error = run_load(store, load, answer);
  EXPECT_FALSE(error) << error.message;
  const Answer* typed = std::get_if<Answer>(&answer);
  EXPECT_NE(typed, nullptr);
  return typed == nullptr ? Answer{} : *typed;
}

// ---- Round trips.

TEST(Records, QueueComesBackAsItWas) {
  QueueRecord plain;
  plain.id = QueueId{9};
  plain.name = {"1", "r", "plain"};
  MemoryStore store;
  commit(store, {PutQueue{fixed_queue()}, PutCursor{queue_id, fixed_cursor()}, PutQueue{plain}});
  const std::vector<RecoveredQueue> queues = recovered(store);
  ASSERT_EQ(queues.size(), 2U);
  EXPECT_EQ(queues[0].record, plain);
  EXPECT_EQ(queues[0].cursor, QueueCursor{}) << "no cursor yet";
  EXPECT_EQ(queues[1].record, fixed_queue()) << "deleted queues are recovered too";
  EXPECT_EQ(queues[1].cursor, fixed_cursor());
}

TEST(Records, MessageComesBackAsItWas) {
  StoredMessage plain;
  plain.message_id = "id";
  MemoryStore store;
  commit(store, {put_message(Sequence{1}, plain), put_message(sequence_42, fixed_message())});
  std::shared_ptr<const StoredMessage> message;
  ASSERT_FALSE(read_message(store, queue_id, sequence_42, message));
  EXPECT_EQ(*message, fixed_message());
  ASSERT_FALSE(read_message(store, queue_id, Sequence{1}, message));
  EXPECT_EQ(*message, plain);
  EXPECT_EQ(read_message(store, queue_id, Sequence{2}, message).status, StoreStatus::not_found);
}

TEST(Records, LargeMessageComesBackAsItWas) {
  StoredMessage large = fixed_message();
  large.content.body.assign(sqs_limits::message_bytes_max, 'x');
  MemoryStore store;
  commit(store, {put_message(Sequence{1}, large), put_message(Sequence{2}, fixed_message())});
  std::shared_ptr<const StoredMessage> message;
  ASSERT_FALSE(read_message(store, queue_id, Sequence{1}, message));
  EXPECT_EQ(*message, large);
  ASSERT_FALSE(read_message(store, queue_id, Sequence{2}, message));
  EXPECT_EQ(*message, fixed_message());
}

TEST(Records, StateComesBackAsItWas) {
  MemoryStore store;
  commit(store, {PutState{queue_id, sequence_42, fixed_state()}, PutState{queue_id, Sequence{43}, MessageState{}}});
  const auto states = loaded<StatesLoaded>(store, LoadStates{queue_id, 8, Sequence{1}, 10});
  ASSERT_EQ(states.entries.size(), 2U);
  EXPECT_EQ(states.entries[0].sequence, sequence_42);
  EXPECT_EQ(states.entries[0].state, fixed_state());
  EXPECT_EQ(states.entries[1].state, MessageState{});
  EXPECT_EQ(states.epoch, 8U);
  EXPECT_EQ(states.next, std::nullopt);
}

// ---- Drops.

TEST(Records, DropsWhatIsNamed) {
  MemoryStore store;
  commit(store, {PutQueue{fixed_queue()}, PutCursor{queue_id, fixed_cursor()}, put_message(sequence_42, {}),
                 PutState{queue_id, sequence_42, fixed_state()}});
  commit(store, {DropMessage{queue_id, sequence_42}, DropState{queue_id, sequence_42, fixed_state().revision},
                 DropQueue{queue_id}});
  for (const Table table : {Table::catalog, Table::state, Table::messages}) EXPECT_TRUE(rows_of(store, table).empty());
}

TEST(Records, DropsTheContentsOfOneQueueOnly) {
  MemoryStore store;
  constexpr QueueId last{std::numeric_limits<std::uint64_t>::max()};
  for (const QueueId queue : {QueueId{queue_id.value - 1}, queue_id, QueueId{queue_id.value + 1}, last}) {
    commit(store, {PutMessage{queue, Sequence{std::numeric_limits<std::uint64_t>::max()},
                              std::make_shared<const StoredMessage>(fixed_message())},
                   PutState{queue, Sequence{1}, fixed_state()}});
  }
  commit(store, {DropQueueContents{queue_id}});
  EXPECT_EQ(rows_of(store, Table::messages, "", std::string(32, '\xff')).size(), 3U);
  EXPECT_EQ(rows_of(store, Table::state, "", std::string(32, '\xff')).size(), 3U);
  commit(store, {DropQueueContents{last}});
  EXPECT_EQ(rows_of(store, Table::messages, "", std::string(32, '\xff')).size(), 2U);
  EXPECT_EQ(rows_of(store, Table::state, "", std::string(32, '\xff')).size(), 2U);
}

// ---- Loads.

class Loads : public testing::Test {
 protected:
  void SetUp() override {
    // Sequences 1 to 20 of which every fifth is delayed, and neighbours that must not be seen.
    std::vector<Mutation> mutations;
    for (std::uint64_t i = 1; i <= 20; ++i) {
      StoredMessage message = fixed_message();
      message.sent = from_epoch_ms(static_cast<std::int64_t>(i));
      message.delayed = i % 5 == 0;
      mutations.push_back(put_message(Sequence{i}, message));
      MessageState state = fixed_state();
      state.receive_count = static_cast<std::uint32_t>(i);
      mutations.push_back(PutState{queue_id, Sequence{i}, state});
    }
    const auto other = std::make_shared<const StoredMessage>(fixed_message());
    for (const QueueId neighbour : {QueueId{queue_id.value - 1}, QueueId{queue_id.value + 1}}) {
      mutations.push_back(PutMessage{neighbour, Sequence{1}, other});
      mutations.push_back(PutState{neighbour, Sequence{1}, fixed_state()});
    }
    commit(store_, mutations);
    record_bytes_ = encoded(put_message(Sequence{1}, fixed_message())).size();
  }

  FreshLoaded fresh(std::uint64_t from, std::uint64_t until, std::size_t count_max, std::size_t bytes_max = 1U << 20U) {
    return loaded<FreshLoaded>(store_, LoadFresh{queue_id, 3, Sequence{from}, Sequence{until}, count_max, bytes_max});
  }

  MemoryStore store_;
  std::size_t record_bytes_ = 0;
};

TEST_F(Loads, FreshSkipsDelayedAndKeepsToItsRange) {
  const FreshLoaded answer = fresh(4, 8, 100);
  ASSERT_EQ(answer.entries.size(), 3U);
  EXPECT_EQ(answer.entries[0].sequence, Sequence{4});
  EXPECT_EQ(answer.entries[0].sent, from_epoch_ms(4));
  EXPECT_EQ(answer.entries[1].sequence, Sequence{6});
  EXPECT_EQ(answer.entries[2].sequence, Sequence{7});
  EXPECT_EQ(answer.next, Sequence{8});
  EXPECT_EQ(answer.epoch, 3U);
}

TEST_F(Loads, FreshStopsAtItsCount) {
  const FreshLoaded answer = fresh(1, 21, 6);
  EXPECT_EQ(answer.entries.size(), 6U);
  EXPECT_EQ(answer.entries.back().sequence, Sequence{7});
  EXPECT_EQ(answer.next, Sequence{8});
}

TEST_F(Loads, FreshStopsAtItsBytes) {
  const FreshLoaded answer = fresh(1, 21, 100, 2 * record_bytes_ + 1);
  EXPECT_EQ(answer.entries.size(), 3U);
  EXPECT_EQ(answer.next, Sequence{4});
}

TEST_F(Loads, FreshCountsWhatItSkipsAsBytes) {
  const FreshLoaded answer = fresh(5, 21, 100, 1);
  EXPECT_TRUE(answer.entries.empty());
  EXPECT_EQ(answer.next, Sequence{6});
}

TEST_F(Loads, FreshIsExhaustedWhereNothingIsLeft) {
  EXPECT_EQ(fresh(15, 500, 100).next, Sequence{500});
  EXPECT_EQ(fresh(100, 500, 100).next, Sequence{500});
  EXPECT_EQ(fresh(500, 500, 100).next, Sequence{500});
}

TEST_F(Loads, StatesGoOnWhereTheyStopped) {
  const auto first = loaded<StatesLoaded>(store_, LoadStates{queue_id, 0, Sequence{3}, 10});
  ASSERT_EQ(first.entries.size(), 10U);
  EXPECT_EQ(first.entries.front().sequence, Sequence{3});
  ASSERT_EQ(first.next, Sequence{13});
  const auto second = loaded<StatesLoaded>(store_, LoadStates{queue_id, 0, *first.next, 8});
  EXPECT_EQ(second.entries.size(), 8U);
  EXPECT_EQ(second.next, std::nullopt) << "exactly as many as there were";
}

TEST_F(Loads, StatesOfGivesThoseThatAre) {
  const auto answer =
      loaded<StatesOfLoaded>(store_, LoadStatesOf{queue_id, 4, {Sequence{2}, Sequence{99}, Sequence{20}}});
  ASSERT_EQ(answer.entries.size(), 2U);
  EXPECT_EQ(answer.entries[0].state.receive_count, 2U);
  EXPECT_EQ(answer.entries[1].sequence, Sequence{20});
}

TEST_F(Loads, TheHighestRevisionWins) {
  MessageState newer = fixed_state();
  newer.revision = 6;
  newer.receive_count = 1'000;
  commit(store_, {PutState{queue_id, Sequence{3}, newer}});
  const auto states = loaded<StatesLoaded>(store_, LoadStates{queue_id, 0, Sequence{2}, 2});
  ASSERT_EQ(states.entries.size(), 2U);
  EXPECT_EQ(states.entries[1].state, newer);
  EXPECT_EQ(states.next, Sequence{4});
  const auto one = loaded<StatesOfLoaded>(store_, LoadStatesOf{queue_id, 0, {Sequence{3}}});
  ASSERT_EQ(one.entries.size(), 1U);
  EXPECT_EQ(one.entries[0].state, newer);
}

TEST_F(Loads, RecoverReadsAsManyStatesAsTheLimitsSay) {
  commit(store_, {PutQueue{standard_queue(queue_id)}, PutCursor{queue_id, fixed_cursor()}});
  Limits limits;
  limits.in_flight_max = 5;
  limits.resident_idle_max = 7;
  const std::vector<RecoveredQueue> some = recovered(store_, limits);
  ASSERT_EQ(some.size(), 1U);
  EXPECT_EQ(some[0].states.size(), 12U);
  EXPECT_EQ(some[0].states_next, Sequence{13});
  limits.in_flight_max = 13;
  const std::vector<RecoveredQueue> all = recovered(store_, limits);
  EXPECT_EQ(all[0].states.size(), 20U);
  EXPECT_EQ(all[0].states_next, std::nullopt);
}

TEST_F(Loads, RecoverReadsAFifoQueueFromItsHeadOn) {
  QueueCursor cursor;
  cursor.head = Sequence{4};
  cursor.tail = Sequence{21};
  commit(store_, {PutQueue{fixed_queue()}, PutCursor{queue_id, cursor}});
  Limits limits;
  limits.in_flight_max = 1;
  limits.fifo_window_max = 10;
  const std::vector<RecoveredQueue> some = recovered(store_, limits);
  ASSERT_EQ(some[0].states.size(), 10U);
  EXPECT_EQ(some[0].states.front().sequence, Sequence{4});
  EXPECT_EQ(some[0].states_next, Sequence{14});
  limits.fifo_window_max = 17;
  const std::vector<RecoveredQueue> all = recovered(store_, limits);
  EXPECT_EQ(all[0].states.size(), 17U);
  EXPECT_EQ(all[0].states_next, std::nullopt);
}

/// What a queue may have in the state table besides its states, for a queue and both of its neighbours.
class BesideStates : public testing::Test {
 protected:
  static constexpr QueueId last{std::numeric_limits<std::uint64_t>::max()};

  void SetUp() override {
    for (const QueueId queue : {QueueId{queue_id.value - 1}, queue_id, QueueId{queue_id.value + 1}, last}) {
      QueueRecord record = queue == queue_id ? fixed_queue() : standard_queue(queue);
      commit(store_, {PutQueue{record}, PutMessage{queue, Sequence{5}, std::make_shared<const StoredMessage>()},
                      PutState{queue, Sequence{5}, fixed_state()}, PutMoveTask{queue, fixed_move_task()}});
      for (std::uint64_t i = 1; i <= 4; ++i) {
        ReceiveAttempt attempt = fixed_attempt();
        attempt.id = "attempt-" + std::to_string(i);
        DedupEntry dedup = fixed_dedup();
        dedup.sequence = Sequence{i};
        commit(store_,
               {PutAttempt{queue, attempt}, PutDedup{queue, dedup}, PutArrival{queue, {QueueId{77}, Sequence{i}}}});
        for (const LaneId lane : {LaneId{0}, lane_id, LaneId{std::numeric_limits<std::uint64_t>::max()}}) {
          commit(store_, {PutLaneEntry{queue, lane, {Sequence{10 * i}, from_epoch_ms(static_cast<std::int64_t>(i))}}});
        }
      }
    }
  }

  std::size_t count(Table table, const KeyRange& range) {
    return rows_of(store_, table, range.from.view(), range.until.view()).size();
  }
  std::size_t count_all(Table table) { return rows_of(store_, table, "", std::string(64, '\xff')).size(); }

  MemoryStore store_;
};

constexpr std::size_t beside_rows = 4 + 4 + 4 + 12;

TEST_F(BesideStates, ScansOfStatesEndBefore) {
  for (const QueueId queue : {queue_id, last}) {
    const auto states = loaded<StatesLoaded>(store_, LoadStates{queue, 0, Sequence{1}, 100});
    EXPECT_EQ(states.entries.size(), 1U);
    EXPECT_EQ(states.next, std::nullopt);
  }
}

TEST_F(BesideStates, AreRecoveredByKind) {
  // The arrivals name messages that are not there.
  const std::vector<RecoveredQueue> queues = recovered(store_);
  ASSERT_EQ(queues.size(), 4U);
  const RecoveredQueue& fifo = queues[1];
  ASSERT_EQ(fifo.dedups.size(), 4U);
  EXPECT_EQ(fifo.dedups[0].sequence, Sequence{1});
  EXPECT_EQ(fifo.dedups[3].sequence, Sequence{4});
  EXPECT_EQ(fifo.attempts.size(), 4U);
  EXPECT_TRUE(fifo.lanes.empty());
  EXPECT_EQ(fifo.move_tasks.size(), 1U);
  for (const std::size_t standard : {0U, 2U, 3U}) {
    const std::vector<RecoveredLane>& lanes = queues[standard].lanes;
    ASSERT_EQ(lanes.size(), 3U);
    EXPECT_EQ(lanes[0].lane, LaneId{0});
    EXPECT_EQ(lanes[1].lane, lane_id);
    ASSERT_FALSE(lanes[1].first.empty());
    EXPECT_EQ(lanes[1].first.front(), (LaneEntry{Sequence{10}, from_epoch_ms(1)}));
    EXPECT_EQ(lanes[2].lane, LaneId{std::numeric_limits<std::uint64_t>::max()});
    EXPECT_EQ(lanes[2].first.front().sequence, Sequence{10});
    EXPECT_TRUE(queues[standard].dedups.empty());
    EXPECT_EQ(queues[standard].move_tasks.size(), 1U);
  }
}

TEST_F(BesideStates, LanesAreRecoveredUpToTheirLimit) {
  Limits limits;
  limits.lanes_max = 2;
  EXPECT_EQ(recovered(store_, limits)[0].lanes.size(), 2U);
}

TEST_F(BesideStates, LanesGoOnWhereTheyStopped) {
  for (const LaneId lane : {lane_id, LaneId{std::numeric_limits<std::uint64_t>::max()}}) {
    const auto first = loaded<LaneLoaded>(store_, LoadLane{queue_id, 6, lane, Sequence{11}, 2});
    ASSERT_EQ(first.entries.size(), 2U);
    EXPECT_EQ(first.entries[0].sequence, Sequence{20});
    EXPECT_EQ(first.entries[0].sent, from_epoch_ms(2));
    EXPECT_EQ(first.epoch, 6U);
    EXPECT_EQ(first.lane, lane);
    ASSERT_EQ(first.next, Sequence{40});
    const auto second = loaded<LaneLoaded>(store_, LoadLane{queue_id, 6, lane, *first.next, 1});
    EXPECT_EQ(second.entries.size(), 1U);
    EXPECT_EQ(second.next, std::nullopt) << "exactly as many as there were";
  }
  EXPECT_TRUE(loaded<LaneLoaded>(store_, LoadLane{queue_id, 6, LaneId{3}, Sequence{}, 9}).entries.empty());
}

TEST_F(BesideStates, AreDroppedByName) {
  commit(store_, {DropAttempt{queue_id, "attempt-2"}, DropDedups{queue_id, Sequence{3}},
                  DropLaneEntry{queue_id, lane_id, Sequence{10}}, DropArrival{queue_id, {QueueId{77}, Sequence{4}}},
                  DropMoveTask{queue_id, fixed_move_task().id}});
  EXPECT_EQ(count(Table::state, attempts_of(queue_id)), 3U);
  EXPECT_EQ(count(Table::state, dedups_of(queue_id)), 2U);
  EXPECT_EQ(count(Table::state, lanes_of(queue_id)), 11U);
  EXPECT_EQ(count(Table::state, arrivals_of(queue_id)), 3U);
  EXPECT_EQ(count(Table::catalog, move_tasks_of(queue_id)), 0U);
  EXPECT_EQ(count_all(Table::state), 4 * (beside_rows + 1) - 5);
  EXPECT_EQ(count_all(Table::catalog), 7U);
}

TEST_F(BesideStates, APurgeLeavesDeduplicationArrivalsAndTasks) {
  for (const QueueId queue : {queue_id, last}) {
    commit(store_, {DropQueueContents{queue}});
    EXPECT_EQ(count(Table::messages, queue_contents(queue)), 0U);
    EXPECT_EQ(count(Table::state, states_from(queue, Sequence{})), 0U);
    EXPECT_EQ(count(Table::state, attempts_of(queue)), 0U);
    EXPECT_EQ(count(Table::state, lanes_of(queue)), 0U);
    EXPECT_EQ(count(Table::state, dedups_of(queue)), 4U);
    EXPECT_EQ(count(Table::state, arrivals_of(queue)), 4U);
    EXPECT_EQ(count(Table::catalog, move_tasks_of(queue)), 1U);
  }
  EXPECT_EQ(count_all(Table::state), 2 * (beside_rows + 1) + 2 * 8) << "the neighbours keep theirs";
}

TEST_F(BesideStates, ADeletionLeavesNothing) {
  for (const QueueId queue : {queue_id, last}) {
    commit(store_, {DropQueueContents{queue, true}});
    EXPECT_EQ(count(Table::state, queue_contents(queue)), 0U);
    EXPECT_EQ(count(Table::messages, queue_contents(queue)), 0U);
    EXPECT_EQ(count(Table::catalog, move_tasks_of(queue)), 0U);
  }
  EXPECT_EQ(count_all(Table::state), 2 * (beside_rows + 1)) << "the neighbours keep theirs";
  EXPECT_EQ(count_all(Table::catalog), 6U) << "the queues' records are another mutation's";
}

TEST_F(BesideStates, AnAttemptIsReplacedUnderItsId) {
  ReceiveAttempt attempt = fixed_attempt();
  attempt.entries.clear();
  commit(store_, {PutAttempt{queue_id, attempt}});
  const std::vector<RecoveredQueue> queues = recovered(store_);
  EXPECT_EQ(queues[1].attempts.size(), 4U);
  EXPECT_NE(std::find(queues[1].attempts.begin(), queues[1].attempts.end(), attempt), queues[1].attempts.end());
}

// ---- Format.

TEST(Format, IsWrittenOnceAndAccepted) {
  MemoryStore store;
  EXPECT_FALSE(open_format(store));
  EXPECT_FALSE(open_format(store));
  EXPECT_EQ(rows_of(store, Table::catalog).size(), 1U);
  EXPECT_TRUE(recovered(store).empty());
}

TEST(Format, OfANewerVersionIsRefused) {
  MemoryStore store;
  const Key newer = Key{}.append_u32(format_version + 1);
  ASSERT_FALSE(store.commit(put_of(Table::catalog, format_key().view(), newer.view()), true));
  const StoreError error = open_format(store);
  EXPECT_EQ(error.status, StoreStatus::unsupported);
  EXPECT_NE(error.message.find(std::to_string(format_version + 1)), std::string::npos);
}

TEST(Format, OfTheFirstVersionIsReadAndUpgraded) {
  MemoryStore store;
  ASSERT_FALSE(store.commit(put_of(Table::catalog, format_key().view(), Key{}.append_u32(1).view()), true));
  commit(store, {PutQueue{fixed_queue()}, PutCursor{queue_id, fixed_cursor()}});
  const Rows before = rows_of(store, Table::catalog);
  ASSERT_FALSE(open_format(store));
  Rows after = rows_of(store, Table::catalog);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    const bool is_version = after[i].first == format_key().view();
    EXPECT_EQ(after[i].second, is_version ? Key{}.append_u32(format_version).view() : before[i].second);
  }
  EXPECT_FALSE(open_format(store));
  EXPECT_EQ(recovered(store).size(), 1U);
}

TEST(Format, ThatCannotBeUpgradedIsAnError) {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  ASSERT_FALSE(store.commit(put_of(Table::catalog, format_key().view(), Key{}.append_u32(1).view()), true));
  store.fail_at(2, StoreStatus::no_space);
  EXPECT_EQ(open_format(store).status, StoreStatus::no_space);
}

TEST(Format, ThatIsNoneIsCorrupt) {
  for (const std::string& bytes : {std::string{}, std::string(4, '\0'), std::string("12345")}) {
    MemoryStore store;
    ASSERT_FALSE(store.commit(put_of(Table::catalog, format_key().view(), bytes), true));
    EXPECT_EQ(open_format(store).status, StoreStatus::corrupt);
  }
  MemoryStore without;
  commit(without, {PutQueue{fixed_queue()}});
  EXPECT_EQ(open_format(without).status, StoreStatus::corrupt);
}

// ---- Golden bytes: a release must read what the one before has written.

struct GoldenRecord {
  std::string name;
  std::string kind;
  Table table{};
  Mutation mutation;
};

constexpr TransferOrigin fixed_origin{QueueId{0x2122232425262728ULL}, Sequence{9}};

/// The first four are as format 1 had them, and stay: what was added since is empty in them.
std::vector<GoldenRecord> golden_records() {
  return {
      {"queue", "queue", Table::catalog, PutQueue{fixed_queue()}},
      {"cursor", "cursor", Table::catalog, PutCursor{queue_id, fixed_cursor()}},
      {"message", "message", Table::messages, put_message(sequence_42, fixed_message())},
      {"state", "state", Table::state, PutState{queue_id, sequence_42, fixed_state()}},
      {"queue_redrive", "queue", Table::catalog, PutQueue{fixed_redrive_queue()}},
      {"cursor_lanes", "cursor", Table::catalog, PutCursor{other_queue_id, fixed_lanes_cursor()}},
      {"message_dead_letter", "message", Table::messages,
       PutMessage{other_queue_id, sequence_42, std::make_shared<const StoredMessage>(fixed_dead_letter())}},
      {"state_group", "state", Table::state, PutState{other_queue_id, sequence_42, fixed_group_state()}},
      {"dedup", "dedup", Table::state, PutDedup{queue_id, fixed_dedup()}},
      {"attempt", "attempt", Table::state, PutAttempt{queue_id, fixed_attempt()}},
      {"lane", "lane", Table::state, PutLaneEntry{other_queue_id, lane_id, fixed_lane_entry()}},
      {"move_task", "move_task", Table::catalog, PutMoveTask{other_queue_id, fixed_move_task()}},
      {"arrival", "arrival", Table::state, PutArrival{queue_id, fixed_origin}},
      {"arrival_redrive", "arrival", Table::state, PutArrival{other_queue_id, fixed_origin, TransferKind::redrive}}};
}

std::string key_for(const GoldenRecord& record) {
  WriteBatch batch;
  encode({record.mutation}, batch);
  std::string key;
  batch.for_each([&](WriteBatch::Op, Table, std::string_view first, std::string_view) { key.assign(first); });
  return key;
}

TEST(Golden, EncodesToTheReleasedBytes) {
  for (const GoldenRecord& record : golden_records()) {
    EXPECT_EQ(to_hex(encoded(record.mutation)), to_hex(read_golden(record.name))) << record.name;
  }
}

TEST(Golden, DecodesTheReleasedBytes) {
  MemoryStore store;
  for (const GoldenRecord& record : golden_records()) {
    ASSERT_FALSE(store.commit(put_of(record.table, key_for(record), read_golden(record.name)), true));
  }
  const KeyRange arrivals = arrivals_of(queue_id);
  EXPECT_EQ(rows_of(store, Table::state, arrivals.from.view(), arrivals.until.view()).size(), 1U);
  const std::vector<RecoveredQueue> queues = recovered(store);
  ASSERT_EQ(queues.size(), 2U);
  EXPECT_EQ(queues[0].record, fixed_queue());
  EXPECT_EQ(queues[0].cursor, fixed_cursor());
  EXPECT_THAT(queues[0].dedups, testing::ElementsAre(fixed_dedup()));
  EXPECT_THAT(queues[0].attempts, testing::ElementsAre(fixed_attempt()));
  EXPECT_EQ(queues[1].record, fixed_redrive_queue());
  EXPECT_EQ(queues[1].cursor, fixed_lanes_cursor());
  ASSERT_EQ(queues[1].lanes.size(), 1U);
  EXPECT_EQ(queues[1].lanes[0].lane, lane_id);
  EXPECT_EQ(queues[1].lanes[0].first, std::vector{fixed_lane_entry()});
  EXPECT_THAT(queues[1].move_tasks, testing::ElementsAre(fixed_move_task()));
  for (const bool added : {false, true}) {
    const QueueId queue = added ? other_queue_id : queue_id;
    const auto states = loaded<StatesLoaded>(store, LoadStates{queue, 0, Sequence{1}, 10});
    ASSERT_EQ(states.entries.size(), 1U);
    EXPECT_EQ(states.entries[0].sequence, sequence_42);
    EXPECT_EQ(states.entries[0].state, added ? fixed_group_state() : fixed_state());
    std::shared_ptr<const StoredMessage> message;
    ASSERT_FALSE(read_message(store, queue, sequence_42, message));
    EXPECT_EQ(*message, added ? fixed_dead_letter() : fixed_message());
  }
}

TEST(Golden, KeysAreBigEndian) {
  EXPECT_EQ(to_hex(queue_key(queue_id).view()), "71 01 02 03 04 05 06 07 08 ");
  EXPECT_EQ(to_hex(cursor_key(queue_id).view()), "63 01 02 03 04 05 06 07 08 ");
  EXPECT_EQ(to_hex(format_key().view()), "76 ");
  EXPECT_EQ(to_hex(message_key(queue_id, sequence_42).view()), "01 02 03 04 05 06 07 08 00 00 00 00 00 00 00 2a ");
  EXPECT_EQ(to_hex(state_key(queue_id, sequence_42, 258).view()),
            "01 02 03 04 05 06 07 08 00 00 00 00 00 00 00 2a 00 00 01 02 ");
  const std::string beside = "01 02 03 04 05 06 07 08 ff ff ff ff ff ff ff ff ";
  EXPECT_EQ(to_hex(attempt_key(queue_id, "attempt-1").view()), beside + "61 16 cf fc 9f 6a 10 4d bb ");
  EXPECT_EQ(to_hex(dedup_key(queue_id, sequence_42).view()), beside + "64 00 00 00 00 00 00 00 2a ");
  EXPECT_EQ(to_hex(lane_key(queue_id, lane_id, sequence_42).view()),
            beside + "67 a1 a2 a3 a4 a5 a6 a7 a8 00 00 00 00 00 00 00\n2a ");
  EXPECT_EQ(to_hex(arrival_key(queue_id, fixed_origin).view()),
            beside + "72 21 22 23 24 25 26 27 28 00 00 00 00 00 00 00\n09 ");
  EXPECT_EQ(to_hex(move_task_key(queue_id, "task").view()), "74 01 02 03 04 05 06 07 08 fe 69 b6 8f 4d c2 c7 f8 ");
}

TEST(Schema, ConformsToTheReleasedOne) {
  const std::string directory = std::string{PENSTOCK_SOURCE_DIR} + "/schemas/";
  for (const std::string name : {"records.fbs", "streams.fbs", "groups.fbs", "triggers.fbs"}) {
    const std::string command = "flatc --conform " + directory + "released/" + name + " " + directory + name;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
}

// ---- Damage: every status but ok and corrupt, and every crash, is a defect.

/// Reads the record as a start and a consumer would.
StoreStatus read_back(const GoldenRecord& record, std::string_view bytes) {
  MemoryStore store;
  commit(store, {PutQueue{fixed_queue()}, PutQueue{fixed_redrive_queue()}});
  EXPECT_FALSE(store.commit(put_of(record.table, key_for(record), bytes), true));
  std::vector<RecoveredQueue> queues;
  const StoreError start = recover(store, Limits{}, queues);
  Command answer;
  if (record.kind == "lane") {
    EXPECT_EQ(run_load(store, LoadLane{other_queue_id, 0, lane_id, Sequence{}, 1}, answer).status, start.status);
  }
  if (record.table != Table::messages) return start.status;
  const QueueId queue = std::get<PutMessage>(record.mutation).queue;
  std::shared_ptr<const StoredMessage> message;
  const StoreError read = read_message(store, queue, sequence_42, message);
  const StoreError load = run_load(store, LoadFresh{queue, 0, Sequence{1}, Sequence{100}, 10, 1'000}, answer);
  EXPECT_EQ(read.status, load.status);
  return read.status;
}

TEST(Damage, TruncatedRecordsAreCorrupt) {
  for (const GoldenRecord& record : golden_records()) {
    const std::string bytes = encoded(record.mutation);
    ASSERT_EQ(read_back(record, bytes), StoreStatus::ok) << record.name;
    // Whatever ends a record is text of it or its padding: the verifier needs it all but for the last few bytes.
    constexpr std::size_t padding_bytes_max = 8;
    for (std::size_t size = 0; size + padding_bytes_max < bytes.size(); ++size) {
      ASSERT_EQ(read_back(record, std::string_view{bytes}.substr(0, size)), StoreStatus::corrupt)
          << record.name << " cut to " << size;
    }
  }
}

TEST(Damage, ARecordOfAnotherKindIsCorrupt) {
  const std::vector<GoldenRecord> records = golden_records();
  for (const GoldenRecord& place : records) {
    for (const GoldenRecord& other : records) {
      if (place.kind == other.kind) continue;
      EXPECT_EQ(read_back(place, encoded(other.mutation)), StoreStatus::corrupt) << other.name << " as " << place.name;
    }
  }
}

std::string bytes_of(const GoldenRecord& record) { return encoded(record.mutation); }

TEST(Damage, FlippedBitsAreCorruptOrAnotherValue) { flip_every_bit(golden_records(), bytes_of, read_back); }

TEST(Damage, RandomBytesAreCorruptOrAnotherValue) { scribble(golden_records(), bytes_of, read_back); }

TEST(Damage, UnknownKeysAreCorrupt) {
  MemoryStore store;
  const std::string stray = std::string{message_key(queue_id, sequence_42).view()} + "x";
  ASSERT_FALSE(store.commit(put_of(Table::messages, stray, encoded(put_message(sequence_42, {}))), true));
  ASSERT_FALSE(store.commit(put_of(Table::state, stray, ""), true));
  Command answer;
  EXPECT_EQ(run_load(store, LoadFresh{queue_id, 0, Sequence{1}, Sequence{100}, 10, 1'000}, answer).status,
            StoreStatus::corrupt);
  EXPECT_EQ(run_load(store, LoadStates{queue_id, 0, Sequence{1}, 10}, answer).status, StoreStatus::corrupt);
}

TEST(Cursor, KeepsTheCountOfItsLanes) {
  MemoryStore store;
  QueueCursor cursor = fixed_cursor();
  cursor.lane_count = 12;
  WriteBatch batch;
  encode({PutCursor{queue_id, cursor}}, batch);
  ASSERT_FALSE(store.commit(batch, true));
  QueueCursor read;
  ASSERT_FALSE(read_cursor(store, queue_id, read));
  EXPECT_EQ(read, cursor);
}

TEST(Damage, ACursorThatContradictsItselfIsCorrupt) {
  for (const QueueCursor& cursor :
       {QueueCursor{Sequence{5}, Sequence{4}, 0, 0, {}}, QueueCursor{Sequence{5}, Sequence{6}, 2, 0, {}}}) {
    MemoryStore store;
    commit(store, {PutQueue{fixed_queue()}, PutCursor{queue_id, cursor}});
    std::vector<RecoveredQueue> queues;
    EXPECT_EQ(recover(store, Limits{}, queues).status, StoreStatus::corrupt);
  }
}

/// A store that hands its values out at odd addresses, as blocks of a database do.
class OddlyAlignedStore final : public Store {
 public:
  StoreError commit(const WriteBatch& batch, bool sync) override { return inner_.commit(batch, sync); }
  StoreError sync() override { return {}; }
  StoreError get(Table table, std::string_view key, std::string& value) const override {
    return inner_.get(table, key, value);
  }
  StoreError scan(Table table, std::string_view from, std::string_view until,
                  const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return inner_.scan(table, from, until, [&](std::string_view key, std::string_view value) {
      const std::string moved = "x" + std::string{value};
      return visit(key, std::string_view{moved}.substr(1));
    });
  }

 private:
  MemoryStore inner_;
};

TEST(Records, AreReadAtAnyAddress) {
  OddlyAlignedStore store;
  commit(store, {PutQueue{fixed_queue()}, put_message(sequence_42, fixed_message()),
                 PutState{queue_id, sequence_42, fixed_state()}});
  const std::vector<RecoveredQueue> queues = recovered(store);
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(queues[0].record, fixed_queue());
  EXPECT_EQ(queues[0].states.at(0).state, fixed_state());
  const auto fresh = loaded<FreshLoaded>(store, LoadFresh{queue_id, 0, Sequence{1}, Sequence{100}, 10, 1'000});
  EXPECT_TRUE(fresh.entries.empty()) << "it was delayed";
}

}  // namespace
}  // namespace penstock::storage
