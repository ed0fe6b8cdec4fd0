#include "storage/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine_store.hpp"
#include "penstock/queue_names.hpp"
#include "records_support.hpp"
#include "storage/group_records.hpp"
#include "storage/inventory.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/stream_records.hpp"
#include "storage/table_cursor.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::storage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const QueueName jobs{"000000000000", "us-east-1", "jobs"};
const QueueName line{"000000000000", "us-east-1", "line.fifo"};
const StreamName clicks{"000000000000", "us-east-1", "clicks"};

std::string text_of(const FoundLine& found) {
  return (found.problem ? "problem: " : "remark: ") + found.subject + ": " + found.what;
}

std::vector<std::string> texts_of(const Findings& findings) {
  std::vector<std::string> texts;
  for (const FoundLine& found : findings.lines()) texts.push_back(text_of(found));
  return texts;
}

class CheckTest : public testing::Test {
 protected:
  CheckTest() : server_(std::make_unique<EngineStore>(store_)) {}

  OutgoingMessage message(const std::string& body, std::optional<int> delay = {}, const std::string& group = {}) {
    OutgoingMessage outgoing;
    outgoing.content.body = body;
    outgoing.content.group_id = group;
    outgoing.bytes = body.size();
    outgoing.delay_seconds = delay;
    return outgoing;
  }
  void send(const QueueName& queue, OutgoingMessage outgoing) {
    SendMessages command{queue, {}};
    command.messages.push_back(std::move(outgoing));
    const auto sent = server_->ask_for<SendResults>(Command(std::move(command)));
    ASSERT_TRUE(std::holds_alternative<Sent>(sent.entries.at(0)));
  }
  Deliveries receive(const QueueName& queue, int count, bool ends_with_server = false) {
    ReceiveMessages command{queue, count};
    command.lease_ends_with_server = ends_with_server;
    return server_->ask_for<Deliveries>(Command(std::move(command)));
  }
  void remove(const QueueName& queue, const Delivery& delivery) {
    (void)server_->ask_for<EntryResults>(Command(DeleteMessages{queue, {delivery.receipt_handle}}));
  }

  void make_queues() {
    (void)server_->ask_for<Done>(Command(CreateQueue{jobs, {}, {}}));
    CreateQueue fifo{line, {}, {}};
    fifo.attributes = {{"FifoQueue", "true"}};
    (void)server_->ask_for<Done>(Command(std::move(fifo)));
  }
  /// Everything that a queue may have, in every place.
  void use_queues() {
    make_queues();
    for (int i = 0; i < 40; ++i) send(jobs, message("m" + std::to_string(i)));
    send(jobs, message("later", 100));
    for (int i = 0; i < 12; ++i) send(jobs, message("g", {}, i % 3 == 0 ? "a" : "b"));
    const Deliveries some = receive(jobs, 10);
    for (std::size_t i = 0; i < 5; ++i) remove(jobs, some.messages[i]);
    (void)receive(jobs, 10, true);
    for (int i = 0; i < 12; ++i) {
      OutgoingMessage outgoing = message("f", {}, "group" + std::to_string(i % 4));
      outgoing.content.deduplication_id = "id" + std::to_string(i);
      send(line, std::move(outgoing));
    }
    const Deliveries first = receive(line, 3);
    remove(line, first.messages[0]);
  }
  void use_stream() {
    CreateStream create;
    create.stream = clicks;
    create.shard_count = 2;
    (void)server_->ask_for<Done>(Command(StreamCommand(create)));
    server_->advance(Millis{1'000});
    for (std::uint64_t i = 0; i < 20; ++i) {
      PutRecords put{clicks, {}, {}, false};
      put.entries.push_back({"key", "data" + std::to_string(i), HashKey{i % 2 == 0 ? 0 : UINT64_MAX, 1}});
      (void)server_->ask_for<RecordsPut>(Command(StreamCommand(std::move(put))));
      server_->advance(Millis{10});
    }
  }

  std::vector<std::string> findings() {
    report_ = {};
    check(store_, report_, {});
    return texts_of(report_.findings);
  }

  QueueId id_of(const QueueName& name) {
    std::vector<RecoveredQueue> queues;
    EXPECT_FALSE(recover(store_, Limits{}, queues));
    const auto found =
        std::find_if(queues.begin(), queues.end(), [&](const auto& queue) { return queue.record.name == name; });
    return found == queues.end() ? QueueId{} : found->record.id;
  }
  StreamId id_of(const StreamName& name) {
    std::vector<RecoveredStream> streams;
    std::vector<StreamAccount> accounts;
    EXPECT_FALSE(recover_streams(store_, streams, accounts));
    const auto found =
        std::find_if(streams.begin(), streams.end(), [&](const auto& stream) { return stream.info.name == name; });
    return found == streams.end() ? StreamId{} : found->info.id;
  }
  void drop(Table table, std::string_view key) {
    WriteBatch batch;
    batch.drop(table, key);
    ASSERT_FALSE(store_.commit(batch, false));
  }
  void put(Table table, std::string_view key, std::string_view value) {
    ASSERT_FALSE(store_.commit(put_of(table, key, value), false));
  }
  std::string value_of(Table table, std::string_view key) {
    std::string value;
    EXPECT_FALSE(store_.get(table, key, value));
    return value;
  }
  QueueCursor cursor_of(QueueId queue) {
    QueueCursor cursor;
    EXPECT_FALSE(read_cursor(store_, queue, cursor));
    return cursor;
  }

  MemoryStore store_;
  std::unique_ptr<EngineStore> server_;
  CheckReport report_;
};

TEST_F(CheckTest, WhatAServerLeavesIsSound) {
  use_queues();
  use_stream();
  EXPECT_THAT(findings(), IsEmpty());
  EXPECT_EQ(report_.counts.format, format_version);
  EXPECT_EQ(report_.counts.queues, 2U);
  EXPECT_EQ(report_.counts.messages, 40U + 1U + 12U - 5U + 12U - 1U);
  EXPECT_EQ(report_.counts.streams, 1U);
  EXPECT_EQ(report_.counts.shards, 2U);
  EXPECT_EQ(report_.counts.records, 20U);
}

TEST_F(CheckTest, LeasesThatAreInMemoryOnlyAreNoProblem) {
  make_queues();
  for (int i = 0; i < 6; ++i) send(jobs, message("m"));
  const Deliveries held = receive(jobs, 3, true);
  ASSERT_EQ(held.messages.size(), 3U);
  EXPECT_THAT(findings(), IsEmpty());
  remove(jobs, held.messages[1]);
  EXPECT_THAT(findings(), IsEmpty());
  (void)receive(jobs, 1);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(CheckTest, DeletedQueuesAndStreamsAreSound) {
  use_queues();
  use_stream();
  (void)server_->ask_for<Done>(Command(DeleteQueue{jobs}));
  (void)server_->ask_for<Done>(Command(PurgeQueue{line}));
  (void)server_->ask_for<Done>(Command(StreamCommand(DeleteStream{clicks, true})));
  EXPECT_THAT(findings(), IsEmpty());
  server_->advance(Millis{120'000});
  EXPECT_THAT(findings(), IsEmpty());
  EXPECT_EQ(report_.counts.streams, 0U);
}

TEST_F(CheckTest, AnEmptyStoreIsSound) {
  MemoryStore empty;
  CheckReport report;
  check(empty, report, {});
  EXPECT_TRUE(report.findings.is_sound());
  EXPECT_EQ(report.counts.format, 0U);
}

TEST_F(CheckTest, TellsHowFarItIs) {
  make_queues();
  std::vector<std::string> told;
  check(store_, report_, [&](std::string_view what, std::uint64_t) { told.emplace_back(what); });
  EXPECT_THAT(told, testing::Contains("messages"));
  EXPECT_THAT(told, testing::Contains("records"));
}

// ---- Of queues.

TEST_F(CheckTest, AMessageThatIsMissing) {
  use_queues();
  const QueueId id = id_of(jobs);
  // One that was received, one of a lane and one of the fresh lane.
  drop(Table::messages, message_key(id, Sequence{6}).view());
  drop(Table::messages, message_key(id, Sequence{53}).view());
  drop(Table::messages, message_key(id, Sequence{30}).view());
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(
                              HasSubstr("queue jobs (000000000000, us-east-1): a state without a message: sequence 6"),
                              HasSubstr("an entry of a group's lane without a message: sequence 53"),
                              HasSubstr("a wrong count of messages never received: the cursor says")));
  EXPECT_FALSE(report_.findings.is_sound());
}

TEST_F(CheckTest, AStateThatIsMissing) {
  use_queues();
  drop(Table::state, state_key(id_of(line), Sequence{4}, 1).view());
  EXPECT_THAT(findings(),
              testing::UnorderedElementsAre(HasSubstr("line.fifo (000000000000, us-east-1): a message that nothing "
                                                      "leads to: sequence 4"),
                                            HasSubstr("a wrong count of messages with a state: the cursor says 11, "
                                                      "and there are 10")));
}

TEST_F(CheckTest, AStateOfAMessageThatWasNeverReceived) {
  use_queues();
  const QueueId id = id_of(jobs);
  commit(store_, {PutState{id, Sequence{30}, MessageState{.sent = server_->now, .revision = 1}}});
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(HasSubstr("a message that is in two places: sequence 30"),
                                                        HasSubstr("a wrong count of messages with a state")));
}

TEST_F(CheckTest, TwoStatesOfOneMessage) {
  use_queues();
  commit(store_, {PutState{id_of(line), Sequence{5},
                           MessageState{.sent = server_->now, .revision = 9, .group_id = "another"}}});
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(HasSubstr("a message with two states: sequence 5"),
                                                        HasSubstr("whose state names another group: sequence 5")));
}

TEST_F(CheckTest, ALaneEntryThatIsMissing) {
  use_queues();
  const QueueId id = id_of(jobs);
  const auto lanes = rows_of(store_, Table::state, lanes_of(id).from.view(), lanes_of(id).until.view());
  ASSERT_FALSE(lanes.empty());
  drop(Table::state, lanes.back().first);
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(HasSubstr("a message that nothing leads to: sequence"),
                                                        HasSubstr("a wrong count of messages in lanes")));
}

TEST_F(CheckTest, ACursorThatIsMissingOrWrong) {
  use_queues();
  const QueueId id = id_of(jobs);
  QueueCursor cursor = cursor_of(id);
  cursor.fresh_count -= 2;
  cursor.state_count += 3;
  commit(store_, {PutCursor{id, cursor}});
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(HasSubstr("a wrong count of messages never received"),
                                                        HasSubstr("a wrong count of messages with a state")));
  cursor = cursor_of(id);
  cursor.head = Sequence{cursor.head.value + 2};
  commit(store_, {PutCursor{id, cursor}});
  EXPECT_THAT(findings(), testing::Contains(HasSubstr("messages that nothing leads to")));
  drop(Table::catalog, cursor_key(id).view());
  EXPECT_THAT(findings(), testing::Contains(HasSubstr("messages behind the end of their queue, the first: sequence")));
}

TEST_F(CheckTest, AFifoQueueWhoseHeadIsBehindItsMessages) {
  use_queues();
  const QueueId id = id_of(line);
  QueueCursor cursor = cursor_of(id);
  cursor.head = Sequence{6};
  commit(store_, {PutCursor{id, cursor}});
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("messages before the beginning of their queue")));
}

TEST_F(CheckTest, AQueueThatIsMissing) {
  use_queues();
  drop(Table::catalog, queue_key(id_of(jobs)).view());
  const auto found = findings();
  EXPECT_THAT(found, testing::Contains(HasSubstr("queue with the id ")));
  EXPECT_THAT(found, testing::Each(HasSubstr("of a queue that is not there")));
}

TEST_F(CheckTest, WhatADeletedQueueHas) {
  use_queues();
  const QueueId id = id_of(line);
  const std::string message = value_of(Table::messages, message_key(id, Sequence{3}).view());
  (void)server_->ask_for<Done>(Command(DeleteQueue{line}));
  put(Table::messages, message_key(id, Sequence{3}).view(), message);
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("an entry of a queue that was deleted")));
}

TEST_F(CheckTest, RecordsThatAreNotWhole) {
  use_queues();
  const QueueId id = id_of(jobs);
  put(Table::messages, message_key(id, Sequence{31}).view(), "nonsense");
  put(Table::catalog, cursor_key(id_of(line)).view(), "");
  put(Table::catalog, "zzz", "what is this?");
  put(Table::state, std::string(message_key(id, Sequence{1}).view()) + "x", "");
  EXPECT_THAT(findings(), testing::IsSupersetOf({
                              HasSubstr("a record that is not whole: the message of sequence 31"),
                              HasSubstr("a record that is not whole: its cursor"),
                              HasSubstr("an entry under a key of no kind: 7a7a7a"),
                          }));
}

TEST_F(CheckTest, ADeduplicationEntryBehindTheEnd) {
  use_queues();
  commit(store_, {PutDedup{id_of(line), {Sequence{99}, server_->now, {1, 2}}}});
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("of a message that was never sent: sequence 99")));
}

TEST_F(CheckTest, MessagesBetweenQueuesAndTasksWithoutDestinationAreRemarks) {
  use_queues();
  commit(store_, {PutArrival{id_of(line), {id_of(jobs), Sequence{30}}, TransferKind::redrive},
                  PutMoveTask{id_of(jobs), MoveTask{.id = "task", .destination = QueueName{"1", "r", "gone"}}}});
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(
                              HasSubstr("remark: queue line.fifo (000000000000, us-east-1): a message on its way"),
                              HasSubstr("remark: queue jobs (000000000000, us-east-1): a running move task whose")));
  EXPECT_TRUE(report_.findings.is_sound());
}

TEST_F(CheckTest, AMoveTaskOfNoQueue) {
  use_queues();
  commit(store_, {PutMoveTask{QueueId{1}, MoveTask{.id = "task"}}});
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("an entry of a queue that is not there: a move task")));
}

TEST_F(CheckTest, AFormatThatIsNewerOrMissing) {
  use_queues();
  put(Table::catalog, format_key().view(), Key{}.append_u32(format_version + 1).view());
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("a format that this version does not know")));
  drop(Table::catalog, format_key().view());
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("records, but no format version")));
}

// ---- Of streams.

TEST_F(CheckTest, RecordsThatAreMissing) {
  use_stream();
  const StreamId id = id_of(clicks);
  drop(Table::records, record_key(id, ShardIndex{0}, RecordIndex{4}).view());
  drop(Table::records, record_key(id, ShardIndex{1}, RecordIndex{10}).view());
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("stream clicks (000000000000, us-east-1): 2 gaps in the "
                                                         "records of shards, the first: from shard 0, index 4")));
}

TEST_F(CheckTest, AllRecordsOfAShardMissing) {
  use_stream();
  WriteBatch batch;
  const KeyRange range = records_between(id_of(clicks), ShardIndex{1}, RecordIndex{1}, RecordIndex{100});
  batch.drop_range(Table::records, range.from.view(), range.until.view());
  ASSERT_FALSE(store_.commit(batch, false));
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("all of shard 1")));
}

TEST_F(CheckTest, RecordsOutsideOfTheirShards) {
  use_stream();
  const StreamId id = id_of(clicks);
  const std::string record = value_of(Table::records, record_key(id, ShardIndex{0}, RecordIndex{1}).view());
  put(Table::records, record_key(id, ShardIndex{0}, RecordIndex{70}).view(), record);
  put(Table::records, record_key(id, ShardIndex{9}, RecordIndex{1}).view(), record);
  put(Table::records, record_key(StreamId{5}, ShardIndex{0}, RecordIndex{1}).view(), record);
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(
                              HasSubstr("a record before or behind its shard: shard 0, index 70"),
                              HasSubstr("an entry of a shard that is not there: a record of shard 9"),
                              HasSubstr("stream with the id 5: an entry of a stream that is not there: a record")));
}

TEST_F(CheckTest, RecordsThatArrivedInAnotherOrder) {
  use_stream();
  const StreamId id = id_of(clicks);
  const std::string early = value_of(Table::records, record_key(id, ShardIndex{0}, RecordIndex{1}).view());
  put(Table::records, record_key(id, ShardIndex{0}, RecordIndex{5}).view(), early);
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("arrived before the one before it: shard 0, index 5")));
}

TEST_F(CheckTest, SegmentsAndCursorsThatDoNotFit) {
  use_stream();
  const StreamId id = id_of(clicks);
  commit(store_, {PutSegment{id, ShardIndex{0}, {RecordIndex{2}, RecordIndex{3}, {}, {}}},
                  PutShardCursor{id, ShardIndex{7}, {}}});
  EXPECT_THAT(findings(), testing::UnorderedElementsAre(HasSubstr("do not follow each other: shard 0"),
                                                        HasSubstr("a shard that is not there: a cursor of shard 7")));
}

TEST_F(CheckTest, AStreamThatIsMissing) {
  use_stream();
  drop(Table::catalog, stream_key(id_of(clicks)).view());
  EXPECT_THAT(findings(), testing::Each(HasSubstr("of a stream that is not there")));
}

TEST_F(CheckTest, PositionsOfConsumers) {
  use_stream();
  const StreamId id = id_of(clicks);
  GroupInfo info;
  info.id = GroupId{3};
  info.name = "billing";
  info.lease = Millis{1'000};
  const auto lease = [](std::uint64_t next) { return GroupLease{.position = {.next = RecordIndex{next}}}; };
  commit(store_, {PutGroup{id, info}, PutGroupLease{id, GroupId{3}, ShardIndex{0}, lease(11)}});
  EXPECT_THAT(findings(), IsEmpty());
  commit(store_, {PutGroupLease{id, GroupId{3}, ShardIndex{0}, lease(12)},
                  PutGroupLease{id, GroupId{3}, ShardIndex{8}, lease(1)},
                  PutGroupLease{id, GroupId{4}, ShardIndex{0}, lease(1)}});
  EXPECT_THAT(
      findings(),
      testing::UnorderedElementsAre(
          HasSubstr("problem: consumer billing of stream clicks (000000000000, us-east-1): a consumer's position "
                    "behind the end of its shard: the position in shard 0"),
          HasSubstr("remark: consumer billing"), HasSubstr("remark: stream with the id ")));
}

// ---- Of functions and mappings.

TEST_F(CheckTest, FunctionsAndCheckpoints) {
  use_stream();
  const StreamId id = id_of(clicks);
  FunctionRecord function;
  function.name = {"000000000000", "us-east-1", "greet"};
  function.code_sha256 = "abc=";
  const std::string uuid = "01234567-89ab-cdef-0123-456789abcdef";
  const std::string other = "ffffffff-89ab-cdef-0123-456789abcdef";
  MappingRecord mapping;
  mapping.uuid = uuid;
  mapping.source = clicks;
  mapping.function = function.name;
  const auto checkpoint = [&](std::uint64_t next) {
    ShardCheckpoint at;
    at.stream = id;
    at.shard = ShardIndex{0};
    at.next = RecordIndex{next};
    return at;
  };
  WriteBatch batch;
  encode(std::vector<TriggerMutation>{PutFunction{function}, PutMapping{mapping}, PutCheckpoint{uuid, checkpoint(11)}},
         batch);
  ASSERT_FALSE(store_.commit(batch, false));
  EXPECT_THAT(findings(), IsEmpty());
  EXPECT_EQ(report_.code.at("abc="), "function greet (000000000000, us-east-1)");
  batch.clear();
  encode(std::vector<TriggerMutation>{PutCheckpoint{uuid, checkpoint(30)}, PutCheckpoint{other, checkpoint(1)}}, batch);
  ASSERT_FALSE(store_.commit(batch, false));
  EXPECT_THAT(findings(),
              testing::ElementsAre(HasSubstr("problem: mapping " + uuid + ": a mapping's checkpoint behind"),
                                   HasSubstr("remark: mapping " + other)));
}

// ---- What it is made of.

TEST(FindingsTest, AreOneLineForEachKindAndSubject) {
  Findings findings;
  for (int i = 0; i < 1'000; ++i) findings.add(Finding::message_twice, "queue a", "sequence " + std::to_string(i));
  findings.add(Finding::arrivals, "queue a", "");
  findings.add(Finding::message_twice, "queue b", "sequence 5");
  EXPECT_THAT(texts_of(findings),
              testing::ElementsAre("problem: queue a: 1000 messages that are in two places, the first: sequence 0",
                                   "problem: queue b: a message that is in two places: sequence 5",
                                   "remark: queue a: a message on its way from another queue"));
  EXPECT_EQ(findings.problems(), 2U);
}

TEST(FindingsTest, AreBounded) {
  Findings findings;
  for (std::size_t i = 0; i < Findings::lines_max + 5; ++i) {
    findings.add(Finding::message_twice, "queue " + std::to_string(i), "");
  }
  EXPECT_EQ(findings.lines().size(), Findings::lines_max);
  EXPECT_EQ(findings.left_out(), 5U);
}

TEST(TableCursorTest, GoesThroughMoreThanItReadsAhead) {
  MemoryStore store;
  WriteBatch batch;
  constexpr std::uint64_t count = 3 * TableCursor::entries_ahead_max + 7;
  for (std::uint64_t i = 0; i < count; ++i) batch.put(Table::state, Key{}.append_u64(i).view(), std::to_string(i));
  ASSERT_FALSE(store.commit(batch, false));
  std::uint64_t seen = 0;
  for (TableCursor at(store, Table::state, "", "\xff"); at.valid(); at.next()) {
    ASSERT_EQ(at.value(), std::to_string(seen++));
  }
  EXPECT_EQ(seen, count);
}

TEST(InventoryTest, NamesWhatThereIs) {
  MemoryStore store;
  EngineStore server(store);
  for (const QueueName& queue : {jobs, QueueName{"1", "r", "gone"}}) {
    (void)server.ask_for<Done>(Command(CreateQueue{queue, {}, {}}));
  }
  (void)server.ask_for<Done>(Command(DeleteQueue{{"1", "r", "gone"}}));
  CreateStream create;
  create.stream = clicks;
  create.shard_count = 1;
  (void)server.ask_for<Done>(Command(StreamCommand(create)));
  Inventory inventory;
  ASSERT_FALSE(take_inventory(store, inventory));
  EXPECT_THAT(inventory.queues, testing::ElementsAre(jobs));
  EXPECT_THAT(inventory.graves, testing::ElementsAre(QueueName{"1", "r", "gone"}));
  EXPECT_THAT(inventory.streams, testing::ElementsAre(clicks));
  EXPECT_THAT(inventory.functions, IsEmpty());
}

}  // namespace
}  // namespace penstock::storage
