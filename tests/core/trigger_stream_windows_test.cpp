// Tumbling windows: their bounds, their state, and how they end.
#include <gmock/gmock.h>

#include "penstock/mapping_rules.hpp"
#include "trigger_stream_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Batch = std::vector<std::string>;

class StreamWindowTest : public TriggerStreamFixture {
 protected:
  StreamWindowTest() {
    record_.config.tumbling_seconds = 60;
    create();
    // The clock stands 20 s behind a multiple of a minute.
    EXPECT_EQ(to_epoch_ms(now_) % 60'000, 20'000);
  }
  MappingConfig& config() { return record_.config; }
  WindowEvent window() { return front().window.value_or(WindowEvent{}); }
  Instant minute() const { return now_ - now_.time_since_epoch() % Millis{60'000}; }
  std::string stored_state() const {
    const auto& window = stored_.at(ShardIndex{0}).window;
    return window ? window->state : "none";
  }
};

TEST_F(StreamWindowTest, AWindowIsAlignedAndBeginsWithAnEmptyState) {
  start();
  put_records({"a"});
  EXPECT_EQ(window().start, minute());
  EXPECT_EQ(window().end, minute() + Millis{60'000});
  EXPECT_EQ(window().state, "{}");
  EXPECT_EQ(window().shard_id, "shardId-000000000000");
  EXPECT_FALSE(window().is_final);
  EXPECT_FALSE(window().terminated_early);
}

TEST_F(StreamWindowTest, EachInvocationHasTheStateOfTheOneBefore) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  put_records({"b"});
  EXPECT_EQ(window().state, R"({"n":1})");
}

TEST_F(StreamWindowTest, TheStateIsDurableWithTheCheckpoint) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  EXPECT_EQ(stored_state(), R"({"n":1})");
  put_records({"b"});
  crash();
  EXPECT_EQ(batch(), (Batch{"b"}));
  EXPECT_EQ(window().state, R"({"n":1})");
}

TEST_F(StreamWindowTest, AWindowEndsWithAFinalInvocationWhenItsTimeIsOver) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  pass_all(Millis{39'999});
  EXPECT_TRUE(is_quiet());
  pass_all(Millis{1});
  EXPECT_THAT(batch(), IsEmpty());
  EXPECT_TRUE(window().is_final);
  EXPECT_EQ(window().state, R"({"n":1})");
  succeed(front(), "{}");
  EXPECT_EQ(stored_state(), "none");
  EXPECT_EQ(context_->next_timer(), std::nullopt);
}

TEST_F(StreamWindowTest, ARecordBeyondTheWindowEndsItWithItsLastRecords) {
  put({"a"});
  pass_all(Millis{60'000});
  put({"b"});
  start();
  EXPECT_EQ(batch(), (Batch{"a"}));
  EXPECT_TRUE(window().is_final);
  succeed(front(), R"({"n":1})");
  EXPECT_EQ(batch(), (Batch{"b"}));
  EXPECT_EQ(window().state, "{}");
  EXPECT_EQ(window().start, minute());
}

TEST_F(StreamWindowTest, OnlyTheLastBatchOfAWindowIsFinal) {
  config().batch_size = 1;
  put({"a", "b"});
  pass_all(Millis{60'000});
  put({"c"});
  start();
  EXPECT_FALSE(window().is_final);
  succeed(front(), "{}");
  EXPECT_EQ(batch(), (Batch{"b"}));
  EXPECT_TRUE(window().is_final);
}

TEST_F(StreamWindowTest, AWindowThatWasOpenAtACrashEndsAfterTheStart) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  boot();
  pass_all(Millis{120'000});
  start();
  pass_all(Millis{0});
  EXPECT_TRUE(window().is_final);
  EXPECT_EQ(window().state, R"({"n":1})");
}

TEST_F(StreamWindowTest, AnAnswerWithoutStateIsAFailure) {
  start();
  put_records({"a"});
  succeed(front());
  EXPECT_EQ(stored_next(), 1U);
  pass_all(Millis{1'000});
  EXPECT_EQ(batch(), (Batch{"a"}));
}

TEST_F(StreamWindowTest, ARetryHasTheSameState) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  put_records({"b"});
  fail();
  pass_all(Millis{1'000});
  EXPECT_EQ(window().state, R"({"n":1})");
}

TEST_F(StreamWindowTest, HalvesOfABatchHandTheStateOnAndOnlyTheLastIsFinal) {
  config().bisect = true;
  put({"a", "b"});
  pass_all(Millis{60'000});
  put({"c"});
  start();
  fail();
  EXPECT_EQ(batch(), (Batch{"a"}));
  EXPECT_FALSE(window().is_final);
  succeed(front(), R"({"n":1})");
  EXPECT_EQ(batch(), (Batch{"b"}));
  EXPECT_EQ(window().state, R"({"n":1})");
  EXPECT_TRUE(window().is_final);
}

TEST_F(StreamWindowTest, AStateThatIsTooLargeEndsTheWindowEarly) {
  start();
  put_records({"a"});
  const std::string large = "\"" + std::string(1U << 20U, 'x') + "\"";
  succeed(front(), large);
  EXPECT_THAT(batch(), IsEmpty());
  EXPECT_TRUE(window().is_final);
  EXPECT_TRUE(window().terminated_early);
  EXPECT_EQ(window().state, large);
  succeed(front(), "{}");
  put_records({"b"});
  EXPECT_EQ(window().state, "{}");
  EXPECT_FALSE(window().terminated_early);
}

TEST_F(StreamWindowTest, AStateThatGrowsTooLargeBetweenHalvesEndsTheWindowBeforeTheRest) {
  config().bisect = true;
  start();
  put_records({"a", "b"});
  fail();
  succeed(front(), "\"" + std::string(1U << 20U, 'x') + "\"");
  EXPECT_THAT(batch(), IsEmpty());
  EXPECT_TRUE(window().terminated_early);
  succeed(front(), "{}");
  EXPECT_EQ(batch(), (Batch{"b"}));
  EXPECT_EQ(window().state, "{}");
  EXPECT_FALSE(window().terminated_early);
}

TEST_F(StreamWindowTest, AShardsEndClosesItsWindowAndItsChildrenBeginAfresh) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  split_shard();
  EXPECT_THAT(batch(), IsEmpty());
  EXPECT_TRUE(window().is_final);
  put_records({"b"});
  EXPECT_EQ(running_.size(), 1U);
  succeed(front(), "{}");
  EXPECT_EQ(batch(), (Batch{"b"}));
  EXPECT_EQ(window().state, "{}");
}

TEST_F(StreamWindowTest, AFinalInvocationThatFailsForGoodIsReported) {
  config().retries_max = 0;
  config().on_failure = "arn:aws:sqs:us-east-1:000000000000:failures";
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  pass_all(Millis{40'000});
  fail();
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_EQ(reports_[0].failure.batch_size, 0U);
  EXPECT_EQ(stored_state(), "none");
}

TEST_F(StreamWindowTest, AFinalInvocationIsMadeHoweverOldItsWindowIs) {
  config().record_age_seconds_max = 60;
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  boot();
  pass_all(Millis{300'000});
  start();
  pass_all(Millis{0});
  EXPECT_THAT(batch(), IsEmpty());
  EXPECT_TRUE(window().is_final);
  EXPECT_EQ(window().state, R"({"n":1})");
  fail();
  pass_all(Millis{1'000});
  EXPECT_TRUE(is_quiet()) << "as old as that it is not tried twice";
  EXPECT_EQ(stored_state(), "none");
}

TEST_F(StreamWindowTest, AWindowThatIsOpenWhenThereAreToBeNoMoreComesToItsEnd) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  stop();
  MappingConfig without = config();
  without.tumbling_seconds = 0;
  change(without);
  put_records({"b"});
  EXPECT_EQ(window().state, R"({"n":1})");
  EXPECT_EQ(window().end, minute() + Millis{60'000});
  succeed(front(), R"({"n":2})");
  crash();
  pass_all(Millis{40'000});
  EXPECT_THAT(batch(), IsEmpty());
  EXPECT_TRUE(window().is_final);
  EXPECT_EQ(window().state, R"({"n":2})");
  put_records({"c"});
  EXPECT_EQ(running_.size(), 1U);
  succeed(front(), "{}");
  EXPECT_EQ(batch(), (Batch{"c"}));
  EXPECT_FALSE(front().window);
  succeed();
  EXPECT_EQ(stored_next(), 4U);
}

TEST_F(StreamWindowTest, ParallelBatchesBeginWhenTheLastWindowIsOver) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  stop();
  MappingConfig without = config();
  without.tumbling_seconds = 0;
  without.parallelization = 4;
  without.batch_size = 1;
  change(without);
  put_keyed({{"k1", "b"}, {"k2", "c"}, {"k3", "d"}, {"k4", "e"}, {"k5", "f"}});
  EXPECT_EQ(running_.size(), 1U) << "the state goes from one to the next";
  for (int i = 0; i < 5; ++i) succeed(front(), "{}");
  pass_all(Millis{40'000});
  EXPECT_TRUE(window().is_final);
  put_keyed({{"k1", "g"}, {"k2", "h"}, {"k3", "i"}, {"k4", "j"}, {"k1", "k"}, {"k5", "l"}});
  EXPECT_EQ(running_.size(), 1U);
  succeed(front(), "{}");
  EXPECT_GT(running_.size(), 1U);
  for (const Run& run : running_) EXPECT_FALSE(run.window);
  while (!is_quiet()) succeed();
  EXPECT_EQ(stored_next(), 13U);
}

TEST_F(StreamWindowTest, AWindowKeepsTheLengthThatItWasOpenedWith) {
  start();
  put_records({"a"});
  succeed(front(), R"({"n":1})");
  stop();
  MappingConfig longer = config();
  longer.tumbling_seconds = 300;
  change(longer);
  put_records({"b"});
  EXPECT_EQ(window().end, minute() + Millis{60'000});
  succeed(front(), R"({"n":2})");
  pass_all(Millis{40'000});
  EXPECT_TRUE(window().is_final);
}

TEST_F(StreamWindowTest, WindowsDoNotGoWithParallelBatches) {
  config().parallelization = 2;
  const auto objection = objection_to(config(), std::variant<QueueName, StreamName>(StreamName{}));
  ASSERT_TRUE(objection);
  EXPECT_EQ(objection->message,
            "TumblingWindowInSeconds is not supported with a ParallelizationFactor greater than 1.");
}

}  // namespace
}  // namespace penstock::core
