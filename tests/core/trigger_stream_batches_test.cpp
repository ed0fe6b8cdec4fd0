// How a mapping of a stream starts, reads, batches and keeps its checkpoint.
#include <gmock/gmock.h>

#include "trigger_stream_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Batch = std::vector<std::string>;

class StreamMappingTest : public TriggerStreamFixture {
 protected:
  MappingConfig& config() { return record_.config; }
};

TEST_F(StreamMappingTest, TrimHorizonBeginsWithTheOldestRecord) {
  create();
  put({"a", "b"});
  start();
  EXPECT_TRUE(started_);
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
}

TEST_F(StreamMappingTest, LatestBeginsWhereTheStreamEndedWhenTheMappingWasCreated) {
  create(2);
  put({"before"});
  config().start = IteratorType::latest;
  start();
  EXPECT_TRUE(started_);
  EXPECT_EQ(stored_.size(), 2U);
  put_records({"after"});
  EXPECT_EQ(batch(), (Batch{"after"}));
}

TEST_F(StreamMappingTest, LatestIsTheMomentOfCreationAlsoAfterARestart) {
  create();
  put({"before"});
  config().start = IteratorType::latest;
  start();
  boot();
  put({"meanwhile"});
  start();
  EXPECT_EQ(batch(), (Batch{"meanwhile"}));
}

TEST_F(StreamMappingTest, AtTimestampBeginsWithTheFirstRecordThatArrivedThen) {
  create();
  put({"early"});
  pass_all(Millis{5'000});
  config().start = IteratorType::at_timestamp;
  config().start_timestamp = now_;
  put({"late"});
  start();
  EXPECT_EQ(batch(), (Batch{"late"}));
}

TEST_F(StreamMappingTest, NothingIsSaidToBeStartedWhileTheStreamIsNotThere) {
  config().start = IteratorType::latest;
  start();
  EXPECT_FALSE(started_);
  EXPECT_THAT(stored_result_, ::testing::HasSubstr("PROBLEM: Stream clicks under account 000000000000 not found."));
  create();
  put({"before"});
  pass_all(trigger_limits_.source_retry_delay);
  EXPECT_TRUE(started_);
  put_records({"after"});
  EXPECT_EQ(batch(), (Batch{"after"}));
}

TEST_F(StreamMappingTest, AnIdleMappingHasOneReadForEachShardThatWaitsAndNoTimer) {
  create(3);
  start();
  EXPECT_EQ(parked_reads(), 3U);
  EXPECT_EQ(context_->next_timer(), std::nullopt);
  put_records({"a"});
  succeed();
  EXPECT_EQ(parked_reads(), 3U);
  EXPECT_EQ(context_->next_timer(), std::nullopt);
}

TEST_F(StreamMappingTest, RecordsThatArriveDuringABatchMakeTheNextOne) {
  create();
  start();
  put_records({"a"});
  put_records({"b"});
  put_records({"c"});
  EXPECT_THAT(batches(), ElementsAre(Batch{"a"}));
  succeed();
  EXPECT_THAT(batches(), ElementsAre(Batch{"b", "c"}));
}

TEST_F(StreamMappingTest, TheCheckpointMovesOnlyAfterSuccess) {
  create();
  start();
  put_records({"a", "b"});
  EXPECT_EQ(stored_next(), 1U);
  succeed();
  EXPECT_EQ(stored_next(), 3U);
  put_records({"c"});
  crash();
  EXPECT_EQ(batch(), (Batch{"c"}));
}

TEST_F(StreamMappingTest, ABatchHasAtMostBatchSizeRecords) {
  create();
  config().batch_size = 2;
  put({"a", "b", "c"});
  start();
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
  succeed();
  EXPECT_EQ(batch(), (Batch{"c"}));
}

TEST_F(StreamMappingTest, ABatchWaitsForTheWindowFromItsFirstRecord) {
  create();
  config().window_seconds = 10;
  start();
  put_records({"a"});
  pass_all(Millis{6'000});
  put_records({"b"});
  EXPECT_TRUE(is_quiet());
  pass_all(Millis{4'000});
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
}

TEST_F(StreamMappingTest, AFullBatchDoesNotWaitForTheWindow) {
  create();
  config().window_seconds = 10;
  config().batch_size = 2;
  start();
  put_records({"a"});
  put_records({"b"});
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
}

TEST_F(StreamMappingTest, ABacklogThatFillsTheReadAheadDoesNotWaitForTheWindow) {
  trigger_limits_.read_ahead_records_max = 20;
  create();
  config().parallelization = 10;
  config().batch_size = 100;
  config().window_seconds = 300;
  std::vector<std::pair<std::string, std::string>> records;
  for (int i = 0; i < 50; ++i) records.emplace_back("k" + std::to_string(i % 10), "r" + std::to_string(i));
  put_keyed(records);
  start();
  EXPECT_FALSE(is_quiet());
  while (!is_quiet()) succeed();
  EXPECT_GT(stored_next(), 30U) << "no time has passed";
  pass_all(Millis{300'000});
  while (!is_quiet()) succeed();
  EXPECT_EQ(stored_next(), 51U);
}

TEST_F(StreamMappingTest, ABatchEndsBeforeItIsTooLargeAndOneRecordThatIsTooLargeGoesAlone) {
  // With 14 bytes around the records and a comma between each two.
  trigger_limits_.batch_bytes_max = 23;
  config().window_seconds = 10;
  create();
  put({"aaaa", "bbbb", "cccc", std::string(20, 'd'), "eeee"});
  start();
  std::vector<std::size_t> sizes;
  while (stored_next() < 6) {
    if (is_quiet()) pass_all(Millis{10'000});
    sizes.push_back(batch().size());
    succeed();
  }
  EXPECT_THAT(sizes, ElementsAre(2U, 1U, 1U, 1U));
}

TEST_F(StreamMappingTest, RecordsThatNoFilterMatchesMoveTheCheckpointWithoutAnInvocation) {
  create();
  start();
  put_records({"#1", "#2"});
  EXPECT_EQ(invocations_, 0U);
  EXPECT_EQ(stored_next(), 3U);
  put_records({"a", "#3", "b"});
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
  EXPECT_EQ(stored_next(), 3U);
  put_records({"#4"});
  EXPECT_EQ(stored_next(), 3U) << "what is before it is not done";
  succeed();
  EXPECT_EQ(stored_next(), 7U);
}

TEST_F(StreamMappingTest, ParallelBatchesKeepTheOrderOfEachKey) {
  create();
  config().parallelization = 10;
  config().batch_size = 1;
  put_keyed({{"k1", "a1"}, {"k2", "b1"}, {"k1", "a2"}, {"k2", "b2"}});
  start();
  EXPECT_THAT(batches(), UnorderedElementsAre(Batch{"a1"}, Batch{"b1"}));
  succeed(front());
  EXPECT_THAT(batches(), UnorderedElementsAre(Batch{"b1"}, Batch{"a2"}));
}

TEST_F(StreamMappingTest, TheCheckpointOfParallelBatchesIsTheFirstRecordThatIsNotDone) {
  create();
  config().parallelization = 10;
  config().batch_size = 1;
  put_keyed({{"k1", "a1"}, {"k2", "b1"}, {"k2", "b2"}});
  start();
  const Run first = running_[0];
  succeed(running_[1]);
  succeed(running_[1]);
  EXPECT_EQ(stored_next(), 1U);
  succeed(first);
  EXPECT_EQ(stored_next(), 4U);
}

TEST_F(StreamMappingTest, ALaneThatIsStuckDoesNotStopTheOthersBeforeTheReadAheadIsFull) {
  trigger_limits_.read_ahead_records_max = 20;
  create();
  config().parallelization = 2;
  config().batch_size = 1;
  start();
  std::vector<std::pair<std::string, std::string>> records{{"k1", "poison"}};
  for (int i = 0; i < 40; ++i) records.emplace_back("k2", "b" + std::to_string(i));
  put_keyed(records);
  std::size_t done = 0;
  while (!running_.empty()) {
    const auto other = std::ranges::find_if(running_, [](const Run& run) { return run.data[0] != "poison"; });
    if (other == running_.end()) break;
    succeed(Run(*other));
    ++done;
  }
  EXPECT_EQ(done, 19U);
  EXPECT_EQ(stored_next(), 1U);
  succeed();
  while (!is_quiet()) succeed();
  EXPECT_EQ(stored_next(), 42U);
}

TEST_F(StreamMappingTest, WhatWasRefusedASlotGoesOnWhenThereIsOne) {
  trigger_limits_.concurrency_max = 1;
  create(2);
  start();
  put_records({"a"});
  put_records({"b"}, middle_);
  EXPECT_THAT(batches(), ElementsAre(Batch{"a"}));
  succeed();
  EXPECT_THAT(batches(), ElementsAre(Batch{"b"}));
}

TEST_F(StreamMappingTest, ShardsTakeTurnsWithTheOnlySlot) {
  trigger_limits_.concurrency_max = 1;
  config().batch_size = 1;
  create(2);
  put({"a1", "a2", "a3"});
  put({"b1", "b2", "b3"}, middle_);
  start();
  std::vector<std::string> order;
  while (!is_quiet()) {
    order.push_back(batch()[0]);
    succeed();
  }
  EXPECT_THAT(order, ElementsAre("a1", "b1", "a2", "b2", "a3", "b3"));
}

TEST_F(StreamMappingTest, ParallelBatchesOfAShardTakeTurnsWithTheOnlySlot) {
  trigger_limits_.concurrency_max = 1;
  config().batch_size = 1;
  config().parallelization = 10;
  create();
  put_keyed({{"k1", "a1"}, {"k1", "a2"}, {"k1", "a3"}, {"k2", "b1"}, {"k2", "b2"}, {"k2", "b3"}});
  start();
  std::string order;
  while (!is_quiet()) {
    order += batch()[0][0];
    succeed();
  }
  EXPECT_TRUE(order == "ababab" || order == "bababa") << order;
}

TEST_F(StreamMappingTest, OfWhatAnEmulatorHasToSayOnlyTheBeginningIsKept) {
  create();
  put({"a"});
  start();
  RunOutcome outcome;
  outcome.status = RunOutcome::Status::failed;
  outcome.message = "status 500: " + std::string(10'000, 'x');
  end(front(), std::move(outcome), std::nullopt);
  EXPECT_THAT(stored_result_, ::testing::StartsWith("PROBLEM: status 500: x"));
  EXPECT_EQ(stored_result_.size(), 512U);
}

TEST_F(StreamMappingTest, NothingIsLostWhileTheFunctionIsMissing) {
  has_function_ = false;
  boot();
  create();
  start();
  put_records({"a"});
  EXPECT_EQ(stored_result_, "PROBLEM: Function call failed");
  pass_all(Millis{3'600'000});
  EXPECT_TRUE(is_quiet());
  register_function();
  mapping_->function_changed();
  pump();
  EXPECT_EQ(batch(), (Batch{"a"}));
  succeed();
  EXPECT_EQ(stored_result_, "OK");
  EXPECT_EQ(stored_next(), 2U);
}

TEST_F(StreamMappingTest, StoppingLetsWhatRunsEndAndGoesOnFromTheCheckpoint) {
  create();
  config().batch_size = 1;
  put({"a", "b"});
  start();
  stop();
  EXPECT_FALSE(stopped_);
  EXPECT_EQ(parked_reads(), 0U);
  succeed();
  EXPECT_TRUE(stopped_);
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(stored_next(), 2U);
  MappingConfig changed = config();
  changed.batch_size = 10;
  put({"c"});
  change(changed);
  EXPECT_EQ(batch(), (Batch{"b", "c"}));
}

TEST_F(StreamMappingTest, WhatWaitsToBeTriedAgainIsReadAnewAfterAChange) {
  create();
  put({"a"});
  start();
  fail();
  stop();
  EXPECT_TRUE(stopped_);
  EXPECT_EQ(context_->next_timer(), std::nullopt);
  change(config());
  EXPECT_EQ(batch(), (Batch{"a"}));
}

TEST_F(StreamMappingTest, AMappingOfAConsumerReadsOnceTheConsumerIsThere) {
  create();
  record_.consumer = ConsumerRef{"fan", std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count()};
  put({"a"});
  start();
  EXPECT_FALSE(started_);
  EXPECT_THAT(stored_result_, ::testing::StartsWith("PROBLEM: "));
  RegisterConsumer command;
  command.stream = stream_;
  command.name = "fan";
  call<ConsumerDescription>(command);
  pass_all(trigger_limits_.source_retry_delay);
  EXPECT_TRUE(started_);
  EXPECT_EQ(batch(), (Batch{"a"}));
}

TEST_F(StreamMappingTest, AMappingOfAConsumerThatIsDeregisteredReadsNoMoreAndSaysSo) {
  create();
  const auto created = std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count();
  RegisterConsumer command;
  command.stream = stream_;
  command.name = "fan";
  call<ConsumerDescription>(command);
  record_.consumer = ConsumerRef{"fan", created};
  start();
  put_records({"a"});
  succeed();
  EXPECT_EQ(parked_reads(), 1U);
  call<Done>(DeregisterConsumer{stream_, "fan", created});
  pump();
  EXPECT_EQ(parked_reads(), 0U);
  EXPECT_THAT(stored_result_, ::testing::StartsWith("PROBLEM: Consumer"));
  put_records({"b"});
  pass_all(Millis{600'000});
  EXPECT_EQ(invocations_, 1U);
  EXPECT_EQ(stored_next(), 2U);
}

TEST_F(StreamMappingTest, AConsumerThatIsDeregisteredIsNothingToOtherMappings) {
  create();
  RegisterConsumer command;
  command.stream = stream_;
  command.name = "other";
  call<ConsumerDescription>(command);
  start();
  const std::size_t asked = asks_;
  call<Done>(DeregisterConsumer{stream_, "other", {}});
  pump();
  EXPECT_EQ(asks_, asked);
  put_records({"a"});
  EXPECT_EQ(batch(), (Batch{"a"})) << "without a pause";
}

TEST_F(StreamMappingTest, AConsumerThatIsDeregisteredIsMissedAlsoWhileThereIsABacklog) {
  config().batch_size = 1;
  trigger_limits_.read_ahead_records_max = 1;
  create();
  const auto created = std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count();
  RegisterConsumer command;
  command.stream = stream_;
  command.name = "fan";
  call<ConsumerDescription>(command);
  record_.consumer = ConsumerRef{"fan", created};
  put({"a", "b", "c", "d", "e", "f"});
  start();
  call<Done>(DeregisterConsumer{stream_, "fan", created});
  for (int i = 0; i < 6 && !is_quiet(); ++i) {
    pass_all(Millis{1'000});
    succeed();
  }
  pass_all(Millis{5'000});
  EXPECT_LE(invocations_, 3U);
  EXPECT_THAT(stored_result_, ::testing::StartsWith("PROBLEM: Consumer"));
}

TEST_F(StreamMappingTest, OneThatIsEnabledAgainDoesNotWaitForWhatWasInVainBefore) {
  start();
  pass_all(Millis{600'000});
  stop();
  EXPECT_TRUE(stopped_);
  change(config());
  create();
  put({"a"});
  pass_all(trigger_limits_.source_retry_delay);
  EXPECT_EQ(batch(), (Batch{"a"}));
}

TEST_F(StreamMappingTest, AStreamThatIsGoneIsAskedForLessAndLessOften) {
  create();
  start();
  call<Done>(DeleteStream{stream_, true});
  pump();
  const std::size_t asked = asks_;
  pass_all(Millis{600'000});
  EXPECT_GE(asks_ - asked, 10U);
  EXPECT_LE(asks_ - asked, 20U) << "after a second, then twice as long each time, up to a minute";
  EXPECT_THAT(stored_result_, ::testing::StartsWith("PROBLEM: "));
  create();
  put({"a"});
  pass_all(Millis{60'000});
  EXPECT_EQ(batch(), (Batch{"a"}));
}

// ---- Lineage.

TEST_F(StreamMappingTest, ChildrenBeginWhenTheirParentIsFinished) {
  create();
  start();
  put_records({"parent"});
  split_shard();
  put_records({"left"});
  put_records({"right"}, middle_);
  EXPECT_THAT(batches(), ElementsAre(Batch{"parent"}));
  succeed();
  EXPECT_THAT(batches(), UnorderedElementsAre(Batch{"left"}, Batch{"right"}));
  EXPECT_EQ(stored_.size(), 2U) << "the parent's checkpoint goes with the first of its children";
}

TEST_F(StreamMappingTest, AMergedShardBeginsWhenBothParentsAreFinished) {
  create(2);
  start();
  put_records({"one"});
  put_records({"two"}, middle_);
  merge_shards(0, 1);
  put_records({"merged"});
  const Run second = running_[1];
  succeed(running_[0]);
  EXPECT_THAT(batches(), ElementsAre(Batch{"two"}));
  succeed(second);
  EXPECT_THAT(batches(), ElementsAre(Batch{"merged"}));
}

TEST_F(StreamMappingTest, AMergedShardWaitsForAParentThatHasNotBegunItself) {
  create(2);
  start();
  put_records({"left"});
  put_records({"right"}, middle_);
  // Shard 1 becomes 2 and 3; 2 is merged with 0 to 4.
  const HashKey upper{(std::uint64_t{1} << 63U) | (std::uint64_t{1} << 62U), 0};
  call<Done>(SplitShard{stream_, format_shard_id(ShardIndex{1}), format_hash_key(upper)});
  put_records({"middle"}, middle_);
  merge_shards(0, 2);
  put_records({"merged"});
  const Run left = running_[0];
  const Run right = running_[1];
  succeed(left);
  EXPECT_THAT(batches(), ElementsAre(Batch{"right"}));
  succeed(right);
  EXPECT_THAT(batches(), ElementsAre(Batch{"middle"}));
  succeed();
  EXPECT_THAT(batches(), ElementsAre(Batch{"merged"}));
}

TEST_F(StreamMappingTest, ARestartInTheMiddleOfALineageGoesOnThere) {
  create();
  start();
  put_records({"parent"});
  split_shard();
  put({"left"});
  crash();
  EXPECT_THAT(batches(), ElementsAre(Batch{"parent"}));
  succeed();
  crash();
  EXPECT_THAT(batches(), ElementsAre(Batch{"left"}));
  succeed();
  crash();
  EXPECT_TRUE(is_quiet());
}

TEST_F(StreamMappingTest, LatestDoesNotReadShardsThatWereClosedThen) {
  create();
  put({"old"});
  split_shard();
  put({"left"});
  config().start = IteratorType::latest;
  start();
  EXPECT_EQ(stored_.size(), 2U);
  crash();
  EXPECT_TRUE(is_quiet());
  put_records({"new"});
  EXPECT_EQ(batch(), (Batch{"new"}));
}

TEST_F(StreamMappingTest, ChildrenOfAStartAtATimestampPassOverWhatArrivedBefore) {
  create();
  put({"old"});
  split_shard();
  put({"early"});
  pass_all(Millis{5'000});
  config().start = IteratorType::at_timestamp;
  config().start_timestamp = now_;
  put({"late"});
  start();
  EXPECT_THAT(batches(), ElementsAre(Batch{"late"}));
}

TEST_F(StreamMappingTest, AShardThatWasTrimmedAwayMakesWayForItsChildren) {
  create();
  start();
  put_records({"a"});
  succeed();
  stop();
  boot();
  split_shard();
  put({"old"});
  pass_all(std::chrono::hours{30});
  put({"left"});
  start();
  EXPECT_THAT(batches(), ElementsAre(Batch{"left"}));
}

TEST_F(StreamMappingTest, GenerationsThatWereTrimmedAwayMakeWayForWhatIsLeft) {
  create();
  start();
  stop();
  boot();
  split_shard();
  merge_shards(1, 2);
  split_shard(3);
  pass_all(std::chrono::hours{30});
  put({"left"});
  start();
  EXPECT_THAT(batches(), ElementsAre(Batch{"left"}));
  succeed();
  crash();
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(stored_.size(), 2U);
}

TEST_F(StreamMappingTest, AStreamThatIsCreatedAgainIsReadFromItsBeginning) {
  create();
  config().start = IteratorType::latest;
  start();
  put_records({"a"});
  succeed();
  call<Done>(DeleteStream{stream_});
  pump();
  pass_all(Millis{5'000});
  EXPECT_THAT(stored_result_, ::testing::StartsWith("PROBLEM: Stream clicks"));
  create();
  put({"b"});
  // It was asked for after 1 s and after 3 s.
  pass_all(Millis{2'000});
  EXPECT_EQ(batch(), (Batch{"b"}));
  succeed();
  EXPECT_EQ(stored_.size(), 1U);
}

}  // namespace
}  // namespace penstock::core
