// Who has which shard: joining, polling, rebalancing, dying, leaving.
#include <gmock/gmock.h>

#include "group_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class GroupMembersTest : public GroupFixture {
 protected:
  /// Polls all of them in turn until nothing moves.
  void turn(std::vector<TestMember*> members) {
    for (int round = 0; round < 3; ++round) {
      for (TestMember* member : members) poll(*member);
    }
  }
  HashKey quarter(unsigned n) const { return {std::uint64_t{n} << 62U, 0}; }
};

TEST_F(GroupMembersTest, AMemberResumesBehindWhatItsNextPollShowsAsDone) {
  create();
  create_group();
  put({"a", "b", "c"});
  count_max_ = 2;
  TestMember member{"m", {}, {}};
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("a", "b"));
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("a", "b", "c"));
  // It dies here, and "c" was never shown as done.
  TestMember again{"m", {}, {}};
  poll(again);
  EXPECT_THAT(again.got, ElementsAre("c"));
}

TEST_F(GroupMembersTest, AnAnswerThatWasLostComesAgain) {
  create();
  create_group();
  put({"a", "b"});
  count_max_ = 1;
  TestMember member{"m", {}, {}};
  poll(member);
  TestMember before = member;
  poll(member);
  EXPECT_THAT(member.got, ElementsAre("a", "b"));
  poll(before);
  EXPECT_THAT(before.got, ElementsAre("a", "b"));
}

TEST_F(GroupMembersTest, APollThatWaitsIsAnsweredByThePutThatBringsARecord) {
  create();
  create_group();
  TestMember member{"m", {}, {}};
  poll(member);
  const CallId waiting = begin_poll(member);
  EXPECT_FALSE(answered(waiting));
  put({"a"});
  ASSERT_TRUE(answered(waiting));
  take(member, waiting);
  EXPECT_THAT(member.got, ElementsAre("a"));
}

TEST_F(GroupMembersTest, APollWaitsForHalfOfTheLeaseAtMost) {
  create();
  create_group();
  TestMember member{"m", {}, {}};
  const CallId waiting = begin_poll(member, Millis{20'000});
  pass(lease_ / 2 - Millis{1});
  EXPECT_FALSE(answered(waiting));
  pass(Millis{1});
  EXPECT_TRUE(answered(waiting));
}

TEST_F(GroupMembersTest, WhoeverJoinsGetsAShareAndNothingElseMoves) {
  create(4);
  create_group();
  TestMember a{"a", {}, {}};
  TestMember b{"b", {}, {}};
  poll(a);
  EXPECT_THAT(a.shards(), ElementsAre(0, 1, 2, 3));
  const auto epochs = std::pair(a.epoch(0), a.epoch(1));
  turn({&b, &a});
  EXPECT_THAT(a.shards(), ElementsAre(0, 1));
  EXPECT_THAT(b.shards(), ElementsAre(2, 3));
  EXPECT_EQ(std::pair(a.epoch(0), a.epoch(1)), epochs) << "what it kept was not taken and given again";
  TestMember c{"c", {}, {}};
  turn({&c, &a, &b});
  EXPECT_EQ(a.shards().size() + b.shards().size() + c.shards().size(), 4U);
  EXPECT_THAT(c.shards(), SizeIs(1));
}

TEST_F(GroupMembersTest, AShardIsGivenUpOnlyWhenWhatWasHandedOutIsDone) {
  create(2);
  create_group();
  put({"x"}, quarter(3));  // the second shard's
  TestMember a{"a", {}, {}};
  poll(a);
  EXPECT_THAT(a.got, ElementsAre("x"));
  TestMember b{"b", {}, {}};
  const CallId waiting = begin_poll(b, Millis{5'000});
  EXPECT_FALSE(answered(waiting)) << "a works on it";
  put({"y"}, quarter(3));
  EXPECT_FALSE(answered(waiting));
  poll(a);  // which shows "x" as done
  EXPECT_THAT(a.got, ElementsAre("x"));
  ASSERT_TRUE(answered(waiting));
  take(b, waiting);
  EXPECT_THAT(b.got, ElementsAre("y"));
}

TEST_F(GroupMembersTest, AShardThatIsNotGivenUpIsTakenAfterTheLeaseTime) {
  create(2);
  create_group(CommitMode::on_commit);
  put({"x"}, quarter(3));
  TestMember a{"a", {}, {}};
  poll(a);
  TestMember b{"b", {}, {}};
  poll(b);
  poll(a);
  ASSERT_THAT(a.last.leases, SizeIs(2));
  EXPECT_TRUE(a.last.leases[1].revoking) << "it is told to finish";
  for (int i = 0; i < 3; ++i) {
    pass(lease_ / 3 + Millis{1});
    poll(a);  // lives on, and does not commit
    poll(b);
  }
  EXPECT_THAT(b.shards(), ElementsAre(1));
  EXPECT_THAT(b.got, ElementsAre("x"));
}

TEST_F(GroupMembersTest, WhatIsPutIntoAShardThatIsToBeGivenUpWakesNobody) {
  create(2);
  create_group(CommitMode::on_commit);
  put({"x"}, quarter(3));
  TestMember a{"a", {}, {}};
  poll(a);
  TestMember b{"b", {}, {}};
  poll(b);
  poll(a);  // and is told
  const CallId waiting = begin_poll(a);
  put({"y"}, quarter(3));
  EXPECT_FALSE(answered(waiting));
  put({"z"}, quarter(0));
  EXPECT_TRUE(answered(waiting));
}

TEST_F(GroupMembersTest, AMemberThatIsToGiveUpAShardIsToldOnceAndGivesItUpByCommitting) {
  create(2);
  create_group(CommitMode::on_commit);
  const RecordPut x = put({"x"}, quarter(3)).front();
  TestMember a{"a", {}, {}};
  poll(a);
  CallId waiting = begin_poll(a);
  TestMember b{"b", {}, {}};
  poll(b);
  ASSERT_TRUE(answered(waiting)) << "it is told at once";
  take(a, waiting);
  EXPECT_TRUE(a.last.leases[1].revoking);
  waiting = begin_poll(a);
  EXPECT_FALSE(answered(waiting)) << "and not again and again";
  call<GroupCommitted>(commit_command(x, a.epoch(1)));
  pass(lease_ / 2);
  take(a, waiting);
  turn({&a, &b});
  EXPECT_THAT(a.shards(), ElementsAre(0));
  EXPECT_THAT(b.shards(), ElementsAre(1));
  EXPECT_THAT(b.got, IsEmpty());
}

TEST_F(GroupMembersTest, TheShardsOfAMemberThatDiesAreOthersAfterItsLeaseTime) {
  create(2);
  create_group();
  put({"x"}, quarter(3));
  TestMember a{"a", {}, {}};
  TestMember b{"b", {}, {}};
  turn({&a, &b});
  EXPECT_THAT(b.shards(), ElementsAre(1));
  poll(b);
  put({"y"}, quarter(3));
  poll(b);  // "y" is with b, which dies
  pass(lease_ - Millis{1});
  poll(a);
  const CallId waiting = begin_poll(a);
  EXPECT_FALSE(answered(waiting));
  pass(Millis{1});
  ASSERT_TRUE(answered(waiting)) << "the lease time is over";
  take(a, waiting);
  EXPECT_THAT(a.got, ElementsAre("x", "y"));
}

TEST_F(GroupMembersTest, WhoeverWasTakenForDeadIsFencedAndJoinsAnew) {
  create();
  create_group();
  put({"x"});
  TestMember zombie{"a", {}, {}};
  poll(zombie);
  pass(lease_);
  TestMember b{"b", {}, {}};
  poll(b);
  EXPECT_THAT(b.got, ElementsAre("x"));
  poll(zombie);
  ASSERT_THAT(zombie.last.lost, SizeIs(1));
  EXPECT_EQ(zombie.last.lost[0].owner, "b");
  EXPECT_LT(zombie.last.lost[0].epoch, zombie.last.lost[0].owner_epoch);
  EXPECT_EQ(shard_of_group().lease.position.next, RecordIndex{1}) << "b has not shown it as done";
}

TEST_F(GroupMembersTest, WhoeverWasTakenForDeadMayStillCommitIfNobodyElseHadTheShard) {
  create();
  create_group();
  put({"x", "y"});
  count_max_ = 1;
  TestMember slow{"a", {}, {}};
  poll(slow);
  pass(lease_ * 3);
  EXPECT_THAT(describe_group().members, IsEmpty());
  poll(slow);
  EXPECT_THAT(slow.last.lost, IsEmpty());
  EXPECT_THAT(slow.got, ElementsAre("x", "y"));
}

TEST_F(GroupMembersTest, AMemberThatIsStartedAgainHasItsShardsAtOnceAndTheOldOneIsOver) {
  create();
  create_group();
  put({"x"});
  TestMember old{"a", {}, {}};
  poll(old);
  const CallId waiting = begin_poll(old);  // shows "x" as done, and waits
  TestMember started{"a", {}, {}};
  poll(started);
  EXPECT_GT(started.epoch(), old.epoch());
  EXPECT_EQ(answer_of<Error>(waiting).code, ErrorCode::MemberReplaced);
  EXPECT_EQ(poll_error(old).code, ErrorCode::MemberReplaced);
}

TEST_F(GroupMembersTest, WhoeverLeavesMakesRoomAtOnce) {
  create();
  create_group();
  put({"x", "y"});
  count_max_ = 1;
  TestMember a{"a", {}, {}};
  poll(a);
  TestMember b{"b", {}, {}};
  const CallId waiting = begin_poll(b);
  EXPECT_FALSE(answered(waiting));
  call<GroupPolled>(LeaveGroup{stream_, group_, "a", *a.token, true});
  ASSERT_TRUE(answered(waiting));
  take(b, waiting);
  EXPECT_THAT(b.got, ElementsAre("y")) << "what the token says was done is committed by leaving";
  EXPECT_EQ(call_error(HeartbeatGroup{stream_, group_, "a", *a.token}).code, ErrorCode::MemberUnknown);
}

TEST_F(GroupMembersTest, AHeartbeatRenewsWithoutCommitting) {
  create();
  create_group();
  put({"x"});
  TestMember a{"a", {}, {}};
  poll(a);
  for (int i = 0; i < 5; ++i) {
    pass(lease_ - Millis{1});
    EXPECT_THAT(call<GroupPolled>(HeartbeatGroup{stream_, group_, "a", *a.token}).leases, SizeIs(1));
  }
  EXPECT_EQ(shard_of_group().lease.position.next, RecordIndex{1});
  EXPECT_EQ(shard_of_group().lease.epoch, a.epoch());
}

TEST_F(GroupMembersTest, TheClientOfAPollThatWaitsHasGone) {
  create();
  create_group();
  TestMember a{"a", {}, {}};
  poll(a);
  const CallId waiting = begin_poll(a);
  ask(CancelPoll{stream_, group_, waiting});
  put({"x"});
  EXPECT_FALSE(answered(waiting));
  poll(a);
  EXPECT_THAT(a.got, ElementsAre("x"));
}

TEST_F(GroupMembersTest, ChildrenComeWhenAllOfTheirParentsAreDone) {
  create(2);
  create_group();
  TestMember a{"a", {}, {}};
  TestMember b{"b", {}, {}};
  turn({&a, &b});
  put({"p0"}, quarter(0));
  put({"p1"}, quarter(3));
  call<Done>(MergeShards{stream_, "shardId-000000000000", "shardId-000000000001"});
  put({"child"});
  poll(a);
  poll(b);
  EXPECT_EQ(shard_of_group(2).state, GroupShardState::blocked);
  poll(a);
  EXPECT_EQ(shard_of_group(2).state, GroupShardState::blocked) << "b is not done with the other parent";
  turn({&b, &a});
  std::vector<std::string> all = a.got;
  all.insert(all.end(), b.got.begin(), b.got.end());
  EXPECT_THAT(all, UnorderedElementsAre("p0", "p1", "child"));
  EXPECT_EQ(shard_of_group(0).state, GroupShardState::finished);
}

TEST_F(GroupMembersTest, AShardThatWasReadToItsTailIsDoneWhenItIsClosed) {
  create();
  create_group();
  put({"x"});
  TestMember a{"a", {}, {}};
  poll(a);
  poll(a);
  const CallId waiting = begin_poll(a);
  split("shardId-000000000000", middle_);
  put({"y"});
  ASSERT_TRUE(answered(waiting));
  take(a, waiting);
  EXPECT_THAT(a.got, ElementsAre("x", "y"));
  EXPECT_THAT(a.shards(), ElementsAre(1, 2));
}

TEST_F(GroupMembersTest, MembersAndEpochsOutliveAStart) {
  create(2);
  create_group();
  put({"x"}, quarter(3));
  TestMember a{"a", {}, {}};
  TestMember b{"b", {}, {}};
  turn({&a, &b});
  restart();
  poll(a);
  poll(b);
  EXPECT_THAT(a.shards(), ElementsAre(0));
  EXPECT_THAT(b.shards(), ElementsAre(1));
  EXPECT_THAT(b.last.lost, IsEmpty());
  restart();
  pass(lease_ - Millis{1});
  poll(a);
  const CallId waiting = begin_poll(a);
  put({"y"}, quarter(3));
  EXPECT_FALSE(answered(waiting)) << "b may be alive";
  pass(Millis{1});
  EXPECT_TRUE(answered(waiting)) << "b was not heard of";
}

TEST_F(GroupMembersTest, NoMoreMembersThanTheLimit) {
  limits_.group_members_max = 1;
  restart();
  create();
  create_group();
  TestMember a{"a", {}, {}};
  poll(a);
  EXPECT_EQ(poll_error(TestMember{"b", {}, {}}).code, ErrorCode::ConsumerLimitExceeded);
  poll(a);
}

TEST_F(GroupMembersTest, ShardsTakeTurnsInComingFirst) {
  create(2);
  create_group();
  for (int i = 0; i < 4; ++i) {
    put({"low"}, quarter(0));
    put({"high"}, quarter(3));
  }
  count_max_ = 1;
  TestMember a{"a", {}, {}};
  for (int i = 0; i < 4; ++i) poll(a);
  EXPECT_THAT(a.got, UnorderedElementsAre("low", "low", "high", "high"));
}

TEST_F(GroupMembersTest, AnEphemeralConsumerIsGoneWithItsLastMember) {
  create();
  CreateGroup command = create_command();
  command.ephemeral = true;
  call<GroupDescription>(command);
  TestMember a{"a", {}, {}};
  poll(a);
  EXPECT_EQ(store_.group_count() + store_.lease_count(), 0U) << "nothing is written";
  call<GroupPolled>(LeaveGroup{stream_, group_, "a", *a.token, true});
  EXPECT_EQ(poll_error(a).code, ErrorCode::ConsumerNotFound);
  call<GroupDescription>(command);
  pass(lease_);
  EXPECT_EQ(poll_error(a).code, ErrorCode::ConsumerNotFound) << "nobody ever joined";
}

TEST_F(GroupMembersTest, DeletingAnswersWhoeverWaits) {
  create();
  create_group();
  TestMember a{"a", {}, {}};
  const CallId waiting = begin_poll(a);
  call<Done>(DeleteGroup{stream_, group_});
  EXPECT_EQ(answer_of<Error>(waiting).code, ErrorCode::ConsumerNotFound);
  EXPECT_THAT(poll_error(a).message, HasSubstr("\"billing\""));
  EXPECT_EQ(store_.group_count() + store_.lease_count(), 0U);
}

TEST_F(GroupMembersTest, DeletingTheStreamDoesSoToo) {
  create();
  create_group();
  TestMember a{"a", {}, {}};
  const CallId waiting = begin_poll(a);
  DeleteStream command;
  command.stream = stream_;
  call<Done>(command);
  EXPECT_EQ(answer_of<Error>(waiting).code, ErrorCode::KinesisResourceNotFound);
  EXPECT_EQ(store_.group_count() + store_.lease_count(), 0U);
}

TEST_F(GroupMembersTest, AShutdownAnswersPollsEmpty) {
  create();
  create_group();
  TestMember a{"a", {}, {}};
  const CallId waiting = begin_poll(a);
  engine_->release_parked();
  settle();
  EXPECT_THAT(answer_of<GroupPolled>(waiting).batches, IsEmpty());
}

}  // namespace
}  // namespace penstock::core
