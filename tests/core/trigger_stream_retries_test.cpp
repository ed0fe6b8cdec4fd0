// The rules by which a stream's batches are tried again, split, and given up: one test each.
#include <gmock/gmock.h>

#include "core/triggers/stream_batch.hpp"
#include "trigger_stream_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using Batch = std::vector<std::string>;

// ---- What an end of an invocation means, as a table.

struct JudgeCase {
  std::string name;
  bool bisect = false;
  bool reports_items = false;
  int retries_max = -1;
  int failures = 0;
  std::size_t records = 4;
  RunOutcome::Status status = RunOutcome::Status::answered;
  std::string function_error;
  std::optional<BatchAnswer> answer{BatchAnswer{}};
  Judgement expected;
  bool in_window = false;
};

class JudgeTest : public ::testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeTest, Judges) {
  const JudgeCase& given = GetParam();
  MappingConfig config;
  config.bisect = given.bisect;
  config.report_batch_item_failures = given.reports_items;
  config.retries_max = given.retries_max;
  StreamBatch batch;
  batch.in_window = given.in_window;
  batch.failures = given.failures;
  for (std::size_t i = 0; i < given.records; ++i) {
    SourceItem item;
    item.id = std::to_string(i);
    batch.items.push_back(std::move(item));
  }
  InvocationOver over;
  over.outcome.status = given.status;
  over.outcome.function_error = given.function_error;
  if (over.outcome.succeeded()) over.batch = given.answer;
  const Judgement judgement = judge(config, batch, over);
  EXPECT_EQ(judgement.verdict, given.expected.verdict);
  EXPECT_EQ(judgement.succeeded, given.expected.succeeded);
  EXPECT_EQ(judgement.split_at, given.expected.split_at);
  EXPECT_EQ(judgement.malformed, given.expected.malformed);
}

BatchAnswer failed(std::vector<std::string> ids) { return {true, std::move(ids), {}}; }

INSTANTIATE_TEST_SUITE_P(
    Rules, JudgeTest,
    ::testing::Values(JudgeCase{.name = "success", .expected = {Verdict::done, 4}},
                      JudgeCase{.name = "throttled",
                                .retries_max = 0,
                                .status = RunOutcome::Status::throttled,
                                .expected = {Verdict::unreached}},
                      JudgeCase{.name = "nobody_was_there",
                                .bisect = true,
                                .retries_max = 0,
                                .status = RunOutcome::Status::unreached,
                                .expected = {Verdict::unreached}},
                      JudgeCase{.name = "could_not_be_run",
                                .retries_max = 0,
                                .status = RunOutcome::Status::failed,
                                .expected = {Verdict::given_up}},
                      JudgeCase{.name = "could_not_be_run_with_retries_left",
                                .retries_max = 1,
                                .status = RunOutcome::Status::failed,
                                .expected = {Verdict::again}},
                      JudgeCase{.name = "could_not_be_run_halves",
                                .bisect = true,
                                .retries_max = 0,
                                .status = RunOutcome::Status::failed,
                                .expected = {Verdict::split, 0, 2}},
                      JudgeCase{.name = "error", .function_error = "Unhandled", .expected = {Verdict::again}},
                      JudgeCase{.name = "error_with_retries_left",
                                .retries_max = 2,
                                .failures = 1,
                                .function_error = "Unhandled",
                                .expected = {Verdict::again}},
                      JudgeCase{.name = "error_without_retries_left",
                                .retries_max = 2,
                                .failures = 2,
                                .function_error = "Unhandled",
                                .expected = {Verdict::given_up}},
                      JudgeCase{.name = "error_without_retries",
                                .retries_max = 0,
                                .function_error = "Unhandled",
                                .expected = {Verdict::given_up}},
                      JudgeCase{.name = "error_halves",
                                .bisect = true,
                                .retries_max = 0,
                                .function_error = "Unhandled",
                                .expected = {Verdict::split, 0, 2}},
                      JudgeCase{.name = "error_of_one_record_is_not_split",
                                .bisect = true,
                                .retries_max = 0,
                                .records = 1,
                                .function_error = "Unhandled",
                                .expected = {Verdict::given_up}},
                      JudgeCase{.name = "named_records_mean_nothing_unless_asked_for",
                                .answer = failed({"2"}),
                                .expected = {Verdict::done, 4}},
                      JudgeCase{.name = "no_named_records", .reports_items = true, .expected = {Verdict::done, 4}},
                      JudgeCase{.name = "the_lowest_named_record_counts",
                                .reports_items = true,
                                .answer = failed({"3", "2"}),
                                .expected = {Verdict::again, 2}},
                      JudgeCase{.name = "exhausted_partial_failure",
                                .reports_items = true,
                                .retries_max = 1,
                                .failures = 1,
                                .answer = failed({"2"}),
                                .expected = {Verdict::given_up, 2}},
                      JudgeCase{.name = "a_partial_failure_is_split_where_it_failed",
                                .bisect = true,
                                .reports_items = true,
                                .retries_max = 0,
                                .answer = failed({"1"}),
                                .expected = {Verdict::split, 1}},
                      JudgeCase{.name = "a_partial_failure_of_the_first_record_halves",
                                .bisect = true,
                                .reports_items = true,
                                .retries_max = 0,
                                .answer = failed({"0"}),
                                .expected = {Verdict::split, 0, 2}},
                      JudgeCase{.name = "unknown_id",
                                .reports_items = true,
                                .answer = failed({"2", "9"}),
                                .expected = {Verdict::again, 0, 0, true}},
                      JudgeCase{.name = "empty_id",
                                .reports_items = true,
                                .answer = failed({""}),
                                .expected = {Verdict::again, 0, 0, true}},
                      JudgeCase{.name = "malformed",
                                .reports_items = true,
                                .answer = BatchAnswer{false, {}, {}},
                                .expected = {Verdict::again, 0, 0, true}},
                      JudgeCase{.name = "window_with_state",
                                .answer = BatchAnswer{true, {}, "{}"},
                                .expected = {Verdict::done, 4},
                                .in_window = true},
                      JudgeCase{.name = "window_without_state",
                                .answer = BatchAnswer{},
                                .expected = {Verdict::again, 0, 0, true},
                                .in_window = true},
                      JudgeCase{.name = "end_of_a_window_without_records",
                                .records = 0,
                                .answer = BatchAnswer{true, {}, "{}"},
                                .expected = {Verdict::done},
                                .in_window = true},
                      JudgeCase{.name = "failed_end_of_a_window_without_records",
                                .bisect = true,
                                .retries_max = 0,
                                .records = 0,
                                .function_error = "Unhandled",
                                .expected = {Verdict::given_up},
                                .in_window = true}),
    [](const auto& given) { return given.param.name; });

// ---- And what comes of it.

class StreamRetryTest : public TriggerStreamFixture {
 protected:
  MappingConfig& config() { return record_.config; }
  void begin_with(const std::vector<std::string>& data) {
    create();
    put(data);
    start();
  }
  void send_failures_to_a_queue() { config().on_failure = "arn:aws:sqs:us-east-1:000000000000:failures"; }
};

TEST_F(StreamRetryTest, AFailedBatchIsTriedAgainWhileWhatComesAfterWaits) {
  begin_with({"a", "b"});
  fail();
  put_records({"c"});
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(stored_result_, "PROBLEM: Function call failed");
  pass_all(Millis{1'000});
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
  succeed();
  EXPECT_EQ(batch(), (Batch{"c"}));
}

TEST_F(StreamRetryTest, TheDelayIsDoubledUpToItsMost) {
  trigger_limits_.retry_delay_max = Millis{3'000};
  begin_with({"a"});
  for (const int delay : {1'000, 2'000, 3'000, 3'000}) {
    fail();
    pass_all(Millis{delay - 1});
    EXPECT_TRUE(is_quiet());
    pass_all(Millis{1});
    EXPECT_FALSE(is_quiet());
  }
}

TEST_F(StreamRetryTest, ABatchWithoutRetriesLeftIsPassedOver) {
  config().retries_max = 1;
  config().batch_size = 2;
  begin_with({"a", "b", "c"});
  fail();
  pass_all(Millis{1'000});
  fail();
  EXPECT_EQ(stored_next(), 3U);
  EXPECT_EQ(batch(), (Batch{"c"}));
}

TEST_F(StreamRetryTest, ABatchThatIsGivenUpIsReportedBeforeTheCheckpointMoves) {
  send_failures_to_a_queue();
  config().retries_max = 1;
  takes_reports_ = false;
  begin_with({"a", "b"});
  fail();
  pass_all(Millis{1'000});
  fail();
  ASSERT_EQ(reports_.size(), 1U);
  const BatchFailure& failure = reports_[0].failure;
  EXPECT_EQ(reports_[0].queue.name, "failures");
  EXPECT_EQ(failure.invocation.condition, "RetryAttemptsExhausted");
  EXPECT_EQ(failure.invocation.invoke_count, 2);
  EXPECT_EQ(failure.invocation.function_error, "Unhandled");
  EXPECT_TRUE(failure.invocation.responded);
  EXPECT_EQ(failure.invocation.function_arn, record_.function_arn);
  EXPECT_EQ(failure.batch_size, 2U);
  EXPECT_EQ(failure.shard_id, "shardId-000000000000");
  EXPECT_LT(failure.first_sequence_number, failure.last_sequence_number);
  EXPECT_EQ(stored_next(), 1U);
}

TEST_F(StreamRetryTest, AReportThatIsTakenLetsTheCheckpointMove) {
  send_failures_to_a_queue();
  config().retries_max = 0;
  begin_with({"a"});
  fail();
  EXPECT_EQ(reports_.size(), 1U);
  EXPECT_EQ(stored_next(), 2U);
}

TEST_F(StreamRetryTest, ADestinationThatIsGoneHoldsUpTheShardForAFewTriesOnly) {
  send_failures_to_a_queue();
  config().retries_max = 0;
  refuses_reports_ = ErrorCode::QueueDoesNotExist;
  begin_with({"a"});
  fail();
  EXPECT_EQ(stored_next(), 1U);
  pass_all(Millis{60'000});
  EXPECT_EQ(reports_.size(), 5U);
  EXPECT_EQ(stored_next(), 2U);
  EXPECT_THAT(stored_result_, ::testing::StartsWith("PROBLEM: The on-failure destination"));
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], ::testing::HasSubstr("RetryAttemptsExhausted, 1 records of"));
}

TEST_F(StreamRetryTest, AReportThatHasNoRoomForNowHoldsTheCheckpointUntilItIsTaken) {
  send_failures_to_a_queue();
  config().retries_max = 0;
  refuses_reports_ = ErrorCode::OverLimit;
  begin_with({"a"});
  fail();
  pass_all(Millis{3'600'000});
  EXPECT_GT(reports_.size(), 10U);
  EXPECT_LT(reports_.size(), 100U) << "the delay grows";
  EXPECT_EQ(stored_next(), 1U);
  refuses_reports_.reset();
  pass_all(trigger_limits_.retry_delay_max);
  EXPECT_EQ(stored_next(), 2U);
}

TEST_F(StreamRetryTest, BisectingFindsThePoisonRecordAndReportsItAlone) {
  send_failures_to_a_queue();
  config().retries_max = 1;
  config().bisect = true;
  begin_with({"a", "b", "poison", "d"});
  std::vector<Batch> seen;
  for (int i = 0; i < 20 && reports_.empty(); ++i) {
    if (is_quiet()) pass_all(Millis{1'000});
    seen.push_back(batch());
    std::ranges::find(seen.back(), "poison") == seen.back().end() ? succeed() : fail();
  }
  EXPECT_THAT(seen, ElementsAre(Batch{"a", "b", "poison", "d"}, Batch{"a", "b"}, Batch{"poison", "d"}, Batch{"poison"},
                                Batch{"poison"}));
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_EQ(reports_[0].failure.batch_size, 1U);
  EXPECT_EQ(reports_[0].failure.invocation.invoke_count, 2) << "splits do not consume retries";
  EXPECT_EQ(batch(), (Batch{"d"}));
}

TEST_F(StreamRetryTest, AHalfThatSucceededIsNotDoneAgain) {
  config().bisect = true;
  begin_with({"a", "b"});
  fail();
  EXPECT_EQ(batch(), (Batch{"a"}));
  succeed();
  EXPECT_EQ(stored_next(), 2U);
  fail();
  crash();
  EXPECT_EQ(batch(), (Batch{"b"}));
}

TEST_F(StreamRetryTest, APartialFailureGoesOnAtTheLowestRecordThatFailed) {
  config().report_batch_item_failures = true;
  begin_with({"a", "b", "c", "d"});
  fail_items({"d", "b"});
  EXPECT_EQ(stored_next(), 2U);
  EXPECT_TRUE(is_quiet());
  pass_all(Millis{1'000});
  EXPECT_EQ(batch(), (Batch{"b", "c", "d"}));
  succeed();
  EXPECT_EQ(stored_next(), 5U);
}

TEST_F(StreamRetryTest, AnExhaustedPartialFailureIsReportedWithoutAFunctionError) {
  send_failures_to_a_queue();
  config().report_batch_item_failures = true;
  config().retries_max = 1;
  begin_with({"a", "b", "c"});
  fail_items({"b"});
  pass_all(Millis{1'000});
  fail_items({"b"});
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_EQ(reports_[0].failure.invocation.condition, "RetryAttemptsExhausted");
  EXPECT_EQ(reports_[0].failure.invocation.function_error, "");
  EXPECT_TRUE(reports_[0].failure.invocation.responded);
  EXPECT_EQ(reports_[0].failure.invocation.invoke_count, 2);
  EXPECT_EQ(reports_[0].failure.batch_size, 2U);
  EXPECT_EQ(stored_next(), 4U);
}

TEST_F(StreamRetryTest, APartialFailureWithBisectingIsSplitThereAtOnce) {
  config().report_batch_item_failures = true;
  config().bisect = true;
  config().retries_max = 0;
  begin_with({"a", "b", "c"});
  fail_items({"b"});
  EXPECT_EQ(stored_next(), 2U);
  EXPECT_EQ(batch(), (Batch{"b", "c"}));
}

TEST_F(StreamRetryTest, AMalformedAnswerFailsTheWholeBatch) {
  config().report_batch_item_failures = true;
  begin_with({"a", "b"});
  answer_badly({}, false);
  EXPECT_EQ(stored_next(), 1U);
  EXPECT_EQ(stored_result_, "PROBLEM: Function response is malformed");
  pass_all(Millis{1'000});
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
  answer_badly({"no such record"});
  EXPECT_EQ(stored_next(), 1U);
}

TEST_F(StreamRetryTest, ThrottlesAreNoRetries) {
  config().retries_max = 0;
  begin_with({"a"});
  for (int i = 0; i < 5; ++i) {
    end_with(RunOutcome::Status::throttled);
    pass_all(Millis{60'000});
  }
  EXPECT_EQ(batch(), (Batch{"a"}));
  EXPECT_EQ(stored_next(), 1U);
}

TEST_F(StreamRetryTest, ABatchThatDidNotReachItsFunctionIsNotGivenUp) {
  config().retries_max = 0;
  config().bisect = true;
  begin_with({"a", "b"});
  for (int i = 0; i < 10; ++i) {
    end_with(RunOutcome::Status::unreached);
    EXPECT_EQ(stored_result_, "PROBLEM: Function call failed");
    pass_all(Millis{60'000});
  }
  EXPECT_EQ(batch(), (Batch{"a", "b"}));
}

TEST_F(StreamRetryTest, ABatchThatCouldNotBeRunDoesNotBlockItsShardForEver) {
  send_failures_to_a_queue();
  config().retries_max = 1;
  begin_with({"a"});
  end_with(RunOutcome::Status::failed);
  pass_all(Millis{1'000});
  end_with(RunOutcome::Status::failed);
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_EQ(reports_[0].failure.invocation.condition, "RetryAttemptsExhausted");
  EXPECT_EQ(reports_[0].failure.invocation.function_error, "Unhandled");
  EXPECT_EQ(stored_next(), 2U);
}

TEST_F(StreamRetryTest, RecordsThatAreTooOldAreDiscardedBeforeTheNextTry) {
  send_failures_to_a_queue();
  config().record_age_seconds_max = 60;
  create();
  put({"old"});
  pass_all(Millis{50'000});
  put({"young"});
  start();
  EXPECT_EQ(batch(), (Batch{"old", "young"}));
  pass_all(Millis{11'000});
  fail();
  pass_all(Millis{1'000});
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_EQ(reports_[0].failure.invocation.condition, "RecordAgeExceeded");
  EXPECT_FALSE(reports_[0].failure.invocation.responded);
  EXPECT_EQ(reports_[0].failure.batch_size, 1U);
  EXPECT_EQ(stored_next(), 2U);
  EXPECT_EQ(batch(), (Batch{"young"}));
}

TEST_F(StreamRetryTest, RecordsThatAreTooOldBeforeTheirFirstTryCostNoInvocation) {
  config().record_age_seconds_max = 60;
  create();
  put({"a", "b"});
  pass_all(Millis{61'000});
  start();
  EXPECT_EQ(invocations_, 0U);
  EXPECT_EQ(stored_next(), 3U);
}

TEST_F(StreamRetryTest, WithoutALimitRetriesGoOnUntilTheRecordsExpire) {
  begin_with({"a"});
  pass_all(std::chrono::hours{23});
  fail();
  pass_all(Millis{60'000});
  EXPECT_EQ(batch(), (Batch{"a"}));
  pass_all(std::chrono::hours{1});
  fail();
  pass_all(Millis{60'000});
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(stored_next(), 2U);
}

TEST_F(StreamRetryTest, AFailureInOneShardDoesNotHoldUpTheOthers) {
  create(2);
  start();
  put_records({"poison"});
  fail();
  put_records({"fine"}, middle_);
  EXPECT_EQ(batch(), (Batch{"fine"}));
}

}  // namespace
}  // namespace penstock::core
