// How far a consumer has come: starts, commits, transactions, resets, lag, and what retention takes.
#include <gmock/gmock.h>

#include <chrono>

#include "group_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GroupPositionsTest : public GroupFixture {
 protected:
  GroupPositionsTest() { create(); }

  std::vector<std::string> read_from_start(CreateGroup command) {
    call<GroupDescription>(std::move(command));
    TestMember member{"m", {}, {}};
    poll(member);
    return member.got;
  }
  TransactGroup transact_command(const RecordPut& put, std::uint64_t epoch, std::vector<std::string> out) const {
    TransactGroup command{stream_, group_, {given(put, epoch)}, target_, {}, {}};
    for (std::string& each : out) command.entries.push_back({"key", std::move(each), {}});
    return command;
  }
  void create_target() {
    CreateStream command;
    command.stream = target_;
    command.shard_count = 1;
    call<Done>(std::move(command));
  }
  std::vector<std::string> read_target() {
    const auto at = call<ShardPosition>(
        GetShardIterator{target_, "shardId-000000000000", StartingPosition{IteratorType::trim_horizon, {}, {}}});
    RecordsPage page = call<RecordsPage>(GetRecords{target_, at.id, at.shard, at.from, at.not_before, 10'000});
    store_.read(page);
    return data_of(page);
  }

  StreamName target_{"000000000000", "us-east-1", "bills"};
};

// ---- Where it begins.

TEST_F(GroupPositionsTest, StartsAtTheHorizonOrAtTheTail) {
  put({"a", "b"});
  EXPECT_THAT(read_from_start(create_command()), ElementsAre("a", "b"));
  CreateGroup latest = create_command();
  latest.group = group_ = "latest";
  latest.start.from.type = IteratorType::latest;
  EXPECT_THAT(read_from_start(latest), IsEmpty());
}

TEST_F(GroupPositionsTest, LatestIsWhereTheTailWasWhenItWasCreated) {
  put({"a"});
  CreateGroup latest = create_command();
  latest.start.from.type = IteratorType::latest;
  call<GroupDescription>(latest);
  put({"b"});
  restart();
  TestMember member{"m", {}, {}};
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("b"));
}

TEST_F(GroupPositionsTest, StartsAtATime) {
  put({"a"});
  pass(Millis{1'000});
  CreateGroup command = create_command();
  command.start.from.type = IteratorType::at_timestamp;
  command.start.from.timestamp = now_;
  put({"b"});
  EXPECT_THAT(read_from_start(command), ElementsAre("b"));
  EXPECT_EQ(lag_of().shard.lease.lost_records, 0U) << "what was not wanted was not lost";
}

TEST_F(GroupPositionsTest, StartsAtPositionsWhoseAncestorsAreDone) {
  put({"a", "b"});
  split("shardId-000000000000", middle_);
  const auto c = put({"c"}).front();
  put({"d"});
  CreateGroup command = create_command();
  command.start.positions = {given(c, 0)};
  call<GroupDescription>(command);
  TestMember member{"m", {}, {}};
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("d"));
  EXPECT_THAT(member.shards(), ElementsAre(1, 2)) << "the other child has no position and is at its start";
}

TEST_F(GroupPositionsTest, CreatingItAgainIsNothingUnlessItDiffers) {
  EXPECT_TRUE(create_group().created);
  EXPECT_FALSE(create_group().created);
  CreateGroup other = create_command(CommitMode::on_commit);
  EXPECT_EQ(call_error(other).code, ErrorCode::ConsumerExists);
}

TEST_F(GroupPositionsTest, ConsumersAreListedByName) {
  for (const char* name : {"c", "a", "b"}) {
    CreateGroup command = create_command();
    command.group = name;
    call<GroupDescription>(command);
  }
  const auto first = call<GroupList>(ListGroups{stream_, {}, 2});
  ASSERT_THAT(first.groups, SizeIs(2));
  EXPECT_EQ(first.groups[1].name, "b");
  EXPECT_TRUE(first.more);
  const auto rest = call<GroupList>(ListGroups{stream_, "b", 2});
  ASSERT_THAT(rest.groups, SizeIs(1));
  EXPECT_FALSE(rest.more);
}

// ---- Commits.

TEST_F(GroupPositionsTest, CommitsAreExplicitWhereItIsAskedFor) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a", "b", "c"});
  TestMember member{"m", {}, {}};
  poll(member);
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("a", "b", "c")) << "reading goes on without commits";
  const auto answer = call<GroupCommitted>(commit_command(puts[1], member.epoch()));
  ASSERT_THAT(answer.shards, SizeIs(1));
  EXPECT_EQ(answer.shards[0].lease.position.next, RecordIndex{3});
  TestMember again{"m", {}, {}};
  restart();
  poll(again);
  EXPECT_THAT(again.got, ElementsAre("c"));
}

TEST_F(GroupPositionsTest, AnOlderEpochIsRefusedAndTheOwnerNamed) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a"});
  TestMember a{"a", {}, {}};
  poll(a);
  pass(lease_);
  TestMember b{"b", {}, {}};
  poll(b);
  const Error error = call_error(commit_command(puts[0], a.epoch()));
  EXPECT_EQ(error.code, ErrorCode::LeaseLost);
  EXPECT_THAT(error.message, HasSubstr("\"b\""));
  EXPECT_EQ(call_error(commit_command(puts[0], 0)).code, ErrorCode::LeaseLost);
  call<GroupCommitted>(commit_command(puts[0], b.epoch()));
}

TEST_F(GroupPositionsTest, WhatWasHandedOutByADeletedConsumerIsGoodForNothingInTheNextOfItsName) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a"});
  TestMember zombie{"a", {}, {}};
  poll(zombie);
  call<Done>(DeleteGroup{stream_, group_});
  pass(Millis{1});
  create_group(CommitMode::on_commit);
  TestMember b{"b", {}, {}};
  poll(b);
  EXPECT_EQ(call_error(commit_command(puts[0], zombie.epoch())).code, ErrorCode::LeaseLost);
}

TEST_F(GroupPositionsTest, ACommitGoesBackOnlyByForce) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  call<GroupCommitted>(commit_command(puts[1], member.epoch()));
  EXPECT_EQ(call_error(commit_command(puts[0], member.epoch())).code, ErrorCode::PositionConflict);
  CommitGroup forced = commit_command(puts[0], member.epoch());
  forced.force = true;
  call<GroupCommitted>(forced);
  member.got.clear();
  member.token->handed.clear();
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("b"));
}

TEST_F(GroupPositionsTest, ACommitBackwardsWakesAPollThatWaits) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  call<GroupCommitted>(commit_command(puts[1], member.epoch()));
  const CallId waiting = begin_poll(member);
  EXPECT_FALSE(answered(waiting));
  CommitGroup forced = commit_command(puts[0], member.epoch());
  forced.force = true;
  call<GroupCommitted>(forced);
  ASSERT_TRUE(answered(waiting));
  member.got.clear();
  take(member, waiting);
  EXPECT_THAT(member.got, ElementsAre("b"));
}

TEST_F(GroupPositionsTest, ATokenOfBeforeACommitBackwardsDoesNotGoForwardAgain) {
  for (const CommitMode mode : {CommitMode::on_poll, CommitMode::on_commit}) {
    group_ = mode == CommitMode::on_poll ? "on-poll" : "on-commit";
    create_group(mode);
    const auto puts = put({"a", "b"});
    TestMember member{"m", {}, {}};
    poll(member);
    call<GroupCommitted>(commit_command(puts[1], member.epoch()));
    CommitGroup forced = commit_command(puts[0], member.epoch());
    forced.force = true;
    EXPECT_GT(call<GroupCommitted>(forced).shards.at(0).lease.epoch, member.epoch());
    member.got.clear();
    poll(member);
    EXPECT_THAT(member.last.lost, SizeIs(1));
    EXPECT_THAT(member.got, ElementsAre("b"));
  }
}

TEST_F(GroupPositionsTest, ASubPositionLiesInsideOfARecordWhichComesAgain) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"aggregate", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  CommitGroup command = commit_command(puts[0], member.epoch());
  command.positions[0].sub_sequence_number = 4;
  call<GroupCommitted>(command);
  command.positions[0].sub_sequence_number = 3;
  EXPECT_EQ(call_error(command).code, ErrorCode::PositionConflict);
  TestMember again{"m", {}, {}};
  restart();
  poll(again);
  EXPECT_THAT(again.got, ElementsAre("aggregate", "b"));
  ASSERT_THAT(again.last.batches, SizeIs(1));
  EXPECT_EQ(again.last.batches[0].position.sub, 4U);
  call<GroupCommitted>(commit_command(puts[0], again.epoch()));
}

TEST_F(GroupPositionsTest, ManyPositionsAreCommittedTogetherOrNotAtAll) {
  split("shardId-000000000000", middle_);
  create_group(CommitMode::on_commit);
  const auto low = put({"low"}, HashKey{}).front();
  const auto high = put({"high"}, middle_).front();
  TestMember member{"m", {}, {}};
  poll(member);
  CommitGroup command{stream_, group_, {given(low, member.epoch(1)), given(high, member.epoch(2) + 1)}, false, {}};
  EXPECT_EQ(call_error(command).code, ErrorCode::LeaseLost);
  EXPECT_EQ(shard_of_group(1).lease.position.next, RecordIndex{1});
  command.positions[1].epoch = member.epoch(2);
  call<GroupCommitted>(command);
  EXPECT_EQ(shard_of_group(1).lease.position.next, RecordIndex{2});
}

TEST_F(GroupPositionsTest, AnIdempotencyKeyMakesARepeatHarmless) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  CommitGroup first = commit_command(puts[0], member.epoch());
  first.key = "first";
  EXPECT_FALSE(call<GroupCommitted>(first).repeated);
  call<GroupCommitted>(commit_command(puts[1], member.epoch()));
  restart();
  const auto repeated = call<GroupCommitted>(first);
  EXPECT_TRUE(repeated.repeated) << "and not refused as going backwards";
  EXPECT_EQ(repeated.shards[0].lease.position.next, RecordIndex{3});
  pass(group_limits::key_life);
  EXPECT_EQ(store_.key_count(), 0U);
  EXPECT_EQ(call_error(first).code, ErrorCode::PositionConflict);
}

TEST_F(GroupPositionsTest, APositionHasToBeOneOfItsShards) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a"});
  TestMember member{"m", {}, {}};
  poll(member);
  CommitGroup command = commit_command(puts[0], member.epoch());
  for (const std::string& wrong : {std::string("x"), std::string(), std::string("SHARD_END")}) {
    command.positions[0].sequence_number = wrong;
    EXPECT_EQ(call_error(command).code, ErrorCode::InvalidPosition) << wrong;
  }
  SequenceNumber number = puts[0].number;
  ++number.index.value;
  command.positions[0].sequence_number = format_sequence_number(number);
  EXPECT_THAT(call_error(command).message, HasSubstr("beyond"));
  command = commit_command(puts[0], member.epoch());
  command.positions.push_back(command.positions[0]);
  EXPECT_THAT(call_error(command).message, HasSubstr("twice"));
  command.positions.resize(1);
  command.positions[0].shard_id = "shardId-000000000007";
  EXPECT_EQ(call_error(command).code, ErrorCode::InvalidPosition);
}

TEST_F(GroupPositionsTest, TheEndOfAClosedShardHasAName) {
  put({"a"});
  split("shardId-000000000000", middle_);
  create_group(CommitMode::on_commit);
  TestMember member{"m", {}, {}};
  poll(member);
  CommitGroup command{stream_, group_, {{"shardId-000000000000", member.epoch(), "SHARD_END", {}, {}}}, false, {}};
  call<GroupCommitted>(command);
  poll(member);
  EXPECT_THAT(member.shards(), ElementsAre(1, 2));
}

TEST_F(GroupPositionsTest, MetadataIsGivenToWhoeverComesNext) {
  create_group(CommitMode::on_commit);
  const auto puts = put({"a"});
  TestMember a{"a", {}, {}};
  poll(a);
  CommitGroup command = commit_command(puts[0], a.epoch());
  command.positions[0].metadata = "row 17";
  call<GroupCommitted>(command);
  pass(lease_);
  TestMember b{"b", {}, {}};
  poll(b);
  EXPECT_EQ(b.last.leases.at(0).metadata, "row 17");
}

// ---- Transactions.

TEST_F(GroupPositionsTest, ATransactionCommitsAndPuts) {
  create_target();
  create_group();
  const auto puts = put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  const auto answer = call<GroupTransacted>(transact_command(puts[1], member.epoch(), {"A", "B"}));
  EXPECT_THAT(answer.put, SizeIs(2));
  EXPECT_THAT(read_target(), ElementsAre("A", "B"));
  restart();
  EXPECT_EQ(shard_of_group().lease.position.next, RecordIndex{3});
  EXPECT_EQ(call_error(transact_command(puts[1], member.epoch(), {"A", "B"})).code, ErrorCode::PositionConflict)
      << "it does not take effect twice";
  EXPECT_THAT(read_target(), SizeIs(2));
}

TEST_F(GroupPositionsTest, ATransactionWithAKeyIsAnsweredAsItWasTheFirstTime) {
  create_target();
  create_group();
  const auto puts = put({"a"});
  TestMember member{"m", {}, {}};
  poll(member);
  TransactGroup command = transact_command(puts[0], member.epoch(), {"A"});
  command.key = "once";
  const auto first = call<GroupTransacted>(command);
  restart();
  const auto again = call<GroupTransacted>(command);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.put, first.put);
  EXPECT_THAT(read_target(), SizeIs(1));
}

TEST_F(GroupPositionsTest, AKeyIsACommitsOrATransactions) {
  create_target();
  create_group();
  const auto puts = put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  CommitGroup commit = commit_command(puts[0], member.epoch());
  commit.key = "commit";
  call<GroupCommitted>(commit);
  TransactGroup transact = transact_command(puts[1], member.epoch(), {"B"});
  transact.key = "commit";
  EXPECT_EQ(call_error(transact).code, ErrorCode::PositionConflict) << "and not answered as done";
  transact.key = "transact";
  call<GroupTransacted>(transact);
  commit.key = "transact";
  EXPECT_EQ(call_error(commit).code, ErrorCode::PositionConflict);
}

TEST_F(GroupPositionsTest, ATransactionThatTheTargetRefusesCommitsNothing) {
  create_target();
  create_group();
  const auto puts = put({"a"});
  TestMember member{"m", {}, {}};
  poll(member);
  const std::string too_large((1U << 20U) + 1, 'x');
  EXPECT_EQ(call_error(transact_command(puts[0], member.epoch(), {"A", too_large})).code, ErrorCode::KinesisValidation);
  TransactGroup nowhere = transact_command(puts[0], member.epoch(), {"A"});
  nowhere.target.name = "nowhere";
  EXPECT_EQ(call_error(nowhere).code, ErrorCode::KinesisResourceNotFound);
  EXPECT_EQ(shard_of_group().lease.position.next, RecordIndex{1});
  EXPECT_THAT(read_target(), IsEmpty());
  call<GroupTransacted>(transact_command(puts[0], member.epoch(), {"A"}));
}

TEST_F(GroupPositionsTest, NothingTouchesAShardWhileATransactionOfItIsUnderWay) {
  create_target();
  create_group();
  const auto puts = put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  hands_over_ = false;
  const CallId call_id = ask(transact_command(puts[0], member.epoch(), {"A"}));
  EXPECT_EQ(call_error(commit_command(puts[1], member.epoch())).code, ErrorCode::ConsumerBusy);
  EXPECT_EQ(poll_error(member).code, ErrorCode::ConsumerBusy);
  EXPECT_EQ(poll_error(TestMember{"m", {}, {}}).code, ErrorCode::ConsumerBusy);
  EXPECT_EQ(call_error(DeleteGroup{stream_, group_}).code, ErrorCode::ConsumerBusy);
  EXPECT_EQ(call_error(ResetGroup{stream_, group_, {}, {IteratorType::latest, {}, {}}, false}).code,
            ErrorCode::ConsumerBusy);
  TestMember other{"b", {}, {}};
  const CallId waiting = begin_poll(other);
  pass(lease_ - Millis{1});
  poll(other);
  pass(Millis{1});
  EXPECT_THAT(other.got, IsEmpty()) << "m is gone, but its transaction is not settled";
  hand_over();
  hands_over_ = true;
  call<GroupTransacted>(transact_command(puts[1], shard_of_group().lease.epoch, {"B"}));
  EXPECT_TRUE(answered(waiting));
  EXPECT_TRUE(answered(call_id));
}

TEST_F(GroupPositionsTest, WhatATransactionDidCountsForTheSuccessorOfWhoeverDiedInIt) {
  create_target();
  create_group();
  const auto puts = put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  hands_over_ = false;
  ask(transact_command(puts[0], member.epoch(), {"A"}));
  TestMember other{"b", {}, {}};
  poll(other);
  pass(lease_ - Millis{1});
  poll(other);
  pass(Millis{1});
  hand_over();
  poll(other);
  EXPECT_THAT(other.got, ElementsAre("b"));
}

TEST_F(GroupPositionsTest, ATransactionOfADeletedStreamIsAnsweredAsItWentOut) {
  create_target();
  create_group();
  const auto puts = put({"a"});
  TestMember member{"m", {}, {}};
  poll(member);
  hands_over_ = false;
  const CallId asked = ask(transact_command(puts[0], member.epoch(), {"A"}));
  DeleteStream command;
  command.stream = stream_;
  call<Done>(command);
  transactions_[0].accept.leases.clear();  // of a group that the fixture's store has no more
  hand_over();
  EXPECT_THAT(answer_of<GroupTransacted>(asked).put, SizeIs(1));
}

// ---- Resets.

TEST_F(GroupPositionsTest, AResetTellsBeforehandWhatItWouldDo) {
  create_group();
  put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  poll(member);
  ResetGroup command{stream_, group_, {}, {IteratorType::trim_horizon, {}, {}}, true};
  const auto dry = call<GroupReset>(command);
  ASSERT_THAT(dry.shards, SizeIs(1));
  EXPECT_EQ(dry.shards[0].shard.lease.position.next, RecordIndex{3});
  EXPECT_EQ(dry.shards[0].to.next, RecordIndex{1});
  poll(member);
  EXPECT_THAT(member.got, SizeIs(2));
  command.dry_run = false;
  call<GroupReset>(command);
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("a", "b", "a", "b"));
}

TEST_F(GroupPositionsTest, AResetFencesWhatWasHandedOutBefore) {
  create_group();
  put({"a", "b"});
  TestMember member{"m", {}, {}};
  poll(member);
  call<GroupReset>(ResetGroup{stream_, group_, {}, {IteratorType::trim_horizon, {}, {}}, false});
  poll(member);
  EXPECT_THAT(member.last.lost, SizeIs(1));
  EXPECT_THAT(member.got, ElementsAre("a", "b", "a", "b"));
}

TEST_F(GroupPositionsTest, AResetGoesToATimeOrASequenceNumber) {
  create_group();
  const auto puts = put({"a"});
  pass(Millis{5'000});
  const Instant between = now_;
  put({"b"});
  TestMember member{"m", {}, {}};
  poll(member);
  poll(member);
  member.got.clear();
  call<GroupReset>(ResetGroup{stream_, group_, {}, {IteratorType::at_timestamp, {}, between}, false});
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("b"));
  ResetGroup exact{stream_,
                   group_,
                   "shardId-000000000000",
                   {IteratorType::after_sequence_number, format_sequence_number(puts[0].number), {}},
                   false};
  call<GroupReset>(exact);
  member.got.clear();
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("b"));
  exact.shard_id.clear();
  EXPECT_EQ(call_error(exact).code, ErrorCode::InvalidPosition) << "it is one shard's";
}

TEST_F(GroupPositionsTest, AfterAResetChildrenComeAfterTheirParentsAgain) {
  create_group();
  put({"p"});
  split("shardId-000000000000", middle_);
  put({"c"});
  TestMember member{"m", {}, {}};
  for (int i = 0; i < 3; ++i) poll(member);
  EXPECT_THAT(member.got, ElementsAre("p", "c"));
  call<GroupReset>(ResetGroup{stream_, group_, {}, {IteratorType::trim_horizon, {}, {}}, false});
  poll(member);
  EXPECT_THAT(member.shards(), ElementsAre(0));
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("p", "c", "p", "c"));
}

// ---- Lag, and what retention takes.

TEST_F(GroupPositionsTest, LagIsInRecordsAndInTime) {
  create_group();
  put({"a"});
  pass(Millis{3'000});
  put({"b"});
  pass(Millis{1'000});
  ShardLag lag = lag_of();
  EXPECT_EQ(lag.page.until.value - lag.page.records.at(0).index.value, 2U);
  EXPECT_EQ(lag.page.now - lag.page.records.at(0).record.arrived, Millis{4'000});
  count_max_ = 1;
  TestMember member{"m", {}, {}};
  poll(member);
  poll(member);
  lag = lag_of();
  EXPECT_EQ(lag.page.until.value - lag.page.records.at(0).index.value, 1U);
  EXPECT_EQ(lag.shard.lease.owner, "m");
  poll(member);
  EXPECT_THAT(lag_of().page.records, IsEmpty());
}

TEST_F(GroupPositionsTest, WhatRetentionTookBeforeItWasReadIsReported) {
  create_group();
  put({"a", "b", "c"});
  TestMember member{"m", {}, {}};
  count_max_ = 1;
  poll(member);
  poll(member);  // "a" is done, "b" is with the member
  pass(hours{20});
  put({"d"});
  pass(hours{5});
  EXPECT_EQ(lost_records(lag_of().shard.lease, lag_of().page), 2U);
  TestMember again{"m", {}, {}};
  poll(again);
  EXPECT_THAT(again.got, ElementsAre("d"));
  EXPECT_EQ(lost_records(again.last.batches.at(0).position, again.last.batches.at(0).page), 2U);
  poll(again);
  restart();
  EXPECT_EQ(shard_of_group().lease.lost_records, 2U);
  EXPECT_EQ(lost_records(lag_of().shard.lease, lag_of().page), 0U) << "and not once more";
}

TEST_F(GroupPositionsTest, WhatGoesWithAWholeShardIsReportedToo) {
  create_group();
  put({"a", "b"});
  split("shardId-000000000000", middle_);
  pass(hours{25});
  const GroupDescription described = describe_group();
  EXPECT_EQ(described.info.lost_records, 2U);
  restart();
  EXPECT_EQ(describe_group().info.lost_records, 2U);
  put({"c"});
  TestMember member{"m", {}, {}};
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("c")) << "children do not wait for parents that are gone";
}

// ---- Readers by Kinesis's own calls.

class GroupReaderTest : public GroupPositionsTest {
 protected:
  GetShardIterator reader_command(IteratorType type, const std::string& member = {}) const {
    GetShardIterator command = iterator_command(type);
    command.reader = GroupReader{group_, member};
    return command;
  }
  ShardPosition reader(IteratorType type, const std::string& member = {}) {
    return call<ShardPosition>(reader_command(type, member));
  }
  GetRecords get_command(const ShardPosition& at, std::size_t count_max) const {
    return {stream_, at.id, at.shard, at.from, at.not_before, count_max, at.hold};
  }
  /// Reads on, and is left where the next iterator is.
  std::vector<std::string> read_on(ShardPosition& at, std::size_t count_max = 1) {
    RecordsPage page = call<RecordsPage>(get_command(at, count_max));
    store_.read(page);
    at.from = page.next;
    at.hold = page.hold;
    at.hold->commits = true;
    return data_of(page);
  }
};

TEST_F(GroupReaderTest, ItResumesWhereItsNextIteratorsHaveCome) {
  put({"a", "b", "c"});
  ShardPosition at = reader(IteratorType::trim_horizon);
  EXPECT_THAT(read_on(at), ElementsAre("a"));
  EXPECT_THAT(read_on(at), ElementsAre("b"));
  restart();
  ShardPosition again = reader(IteratorType::trim_horizon);
  EXPECT_THAT(read_on(again, 10), ElementsAre("b", "c")) << "only \"a\" was shown as done";
  const Error fenced = call_error(get_command(at, 1));
  EXPECT_EQ(fenced.code, ErrorCode::KinesisExpiredIterator);
}

TEST_F(GroupReaderTest, LatestResumesToo) {
  put({"a"});
  ShardPosition at = reader(IteratorType::latest);
  put({"b", "c"});
  EXPECT_THAT(read_on(at), ElementsAre("b"));
  EXPECT_THAT(read_on(at), ElementsAre("c"));
  put({"d"});
  ShardPosition again = reader(IteratorType::latest);
  EXPECT_THAT(read_on(again, 10), ElementsAre("c", "d"));
}

TEST_F(GroupReaderTest, WhereItWasMadeToBeginIsNotForTheReaderToSay) {
  CreateGroup command = create_command();
  put({"a", "b"});
  command.start.positions = {given(put({"c"}).front(), 0)};
  put({"d"});
  call<GroupDescription>(command);
  ShardPosition at = reader(IteratorType::trim_horizon);
  EXPECT_THAT(read_on(at), ElementsAre("d"));
  split("shardId-000000000000", middle_);
  put({"child"});
  GetShardIterator child = reader_command(IteratorType::latest);
  child.shard_id = "shardId-000000000001";
  at = call<ShardPosition>(child);
  EXPECT_THAT(read_on(at), ElementsAre("child")) << "what came into a new shard is not passed over";
}

TEST_F(GroupReaderTest, AnotherMemberWaitsForTheLeaseTime) {
  put({"a"});
  ShardPosition at = reader(IteratorType::trim_horizon, "m1");
  EXPECT_EQ(call_error(reader_command(IteratorType::trim_horizon, "m2")).code, ErrorCode::KinesisThroughputExceeded);
  pass(group_limits::lease_default / 2);
  read_on(at);
  pass(group_limits::lease_default - Millis{1});
  EXPECT_EQ(call_error(reader_command(IteratorType::trim_horizon, "m2")).code, ErrorCode::KinesisThroughputExceeded)
      << "reading renews";
  pass(Millis{1});
  reader(IteratorType::trim_horizon, "m2");
  EXPECT_EQ(call_error(get_command(at, 1)).code, ErrorCode::KinesisExpiredIterator);
}

TEST_F(GroupReaderTest, AReaderThatIsSlowAndAloneGoesOn) {
  put({"a", "b"});
  ShardPosition at = reader(IteratorType::trim_horizon);
  read_on(at);
  pass(group_limits::lease_default * 5);
  EXPECT_THAT(read_on(at), ElementsAre("b"));
}

TEST_F(GroupReaderTest, MembersThatPollLeaveItsShardsAlone) {
  split("shardId-000000000000", middle_);
  GetShardIterator command = reader_command(IteratorType::trim_horizon, "sdk");
  command.shard_id = "shardId-000000000001";
  call<ShardPosition>(command);
  TestMember member{"m", {}, {}};
  poll(member);
  EXPECT_THAT(member.shards(), ElementsAre(2));
  pass(group_limits::lease_default - Millis{1});
  poll(member);
  pass(Millis{1});
  poll(member);
  EXPECT_THAT(member.shards(), ElementsAre(1, 2)) << "until it is not heard of";
}

}  // namespace
}  // namespace penstock::core
