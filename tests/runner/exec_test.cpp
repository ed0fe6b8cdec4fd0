// Functions that are one process for each event.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "workbench.hpp"

namespace penstock::runner {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ExecRuns : public Workbench {
 protected:
  FunctionRecord shell(const std::string& script) const {
    FunctionRecord record = function(FunctionKind::exec);
    record.command = {"sh", "-c", script};
    return record;
  }
};

TEST_F(ExecRuns, GetTheEventOnStdinAndAnswerOnStdout) {
  FunctionRecord record = function(FunctionKind::exec);
  record.command = {"cat"};
  const std::string large = "\"" + std::string(3U << 20U, 'x') + "\"";
  const RunOutcome outcome = invoke(record, large);
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.payload, large);
  EXPECT_GT(outcome.peak_bytes, 0U);
}

TEST_F(ExecRuns, NeedNotReadTheirEvent) {
  EXPECT_TRUE(invoke(shell("exit 0"), "\"" + std::string(3U << 20U, 'x') + "\"").succeeded());
}

TEST_F(ExecRuns, FailIfTheyDoNotExitWithZero) {
  const RunOutcome outcome = invoke(shell("echo looking >&2; echo 'no such order' >&2; exit 3"), "{}");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " + last_id_ +
                                 " Error: Runtime exited with error: exit status 3: looking\\nno such order\"}");
  EXPECT_THAT(outcome.log_tail,
              StartsWith("START RequestId: " + last_id_ + " Version: $LATEST\nlooking\nno such order\nRequestId: " +
                         last_id_ + " Error: Runtime exited with error: exit status 3\nRuntime.ExitError\nEND "));
}

TEST_F(ExecRuns, KnowWhatTheyRunFor) {
  const RunOutcome outcome =
      invoke(shell("printf '%s %s %s' $AWS_LAMBDA_REQUEST_ID $AWS_LAMBDA_FUNCTION_NAME $PWD"), "{}");
  EXPECT_EQ(outcome.payload, last_id_ + " f " + directory_.path());
}

TEST_F(ExecRuns, MayBeAFileOfTheCode) {
  directory_.write("bin/handle", "#!/bin/sh\necho -n done $1\n", true);
  FunctionRecord record = function(FunctionKind::exec);
  record.command = {"bin/handle", "so"};
  EXPECT_EQ(invoke(record, "{}").payload, "done so");
  record.command = {"no-such-program"};
  const RunOutcome outcome = invoke(record, "{}");
  EXPECT_THAT(outcome.payload, HasSubstr("fork/exec no-such-program: no such file or directory"));
  EXPECT_THAT(outcome.log_tail, HasSubstr("fork/exec no-such-program: no such file or directory\nRuntime.Invalid"));
}

TEST_F(ExecRuns, AreKilledAtTheirTimeoutWithAllThatTheyStarted) {
  FunctionRecord record = shell("sleep 1000 & echo $! >&2; wait");
  record.timeout_seconds = 1;
  const RunOutcome outcome = invoke(record, "{}");
  EXPECT_THAT(outcome.payload, HasSubstr("Task timed out after 1.00 seconds"));
  const std::string log = log_text(record);
  EXPECT_FALSE(lives(static_cast<pid_t>(std::stol(log.substr(log.find('\n') + 1)))));
}

TEST_F(ExecRuns, AreKilledOverTheirMemoryAndTheirAnswersSize) {
  FunctionRecord record = shell("exec python3 -c 'import time; x = b\"x\" * (200 << 20); time.sleep(100)'");
  EXPECT_THAT(invoke(record, "{}").payload, HasSubstr("signal: killed"));
  EXPECT_THAT(invoke(shell("exec cat /dev/zero"), "{}").payload, HasSubstr("Function.ResponseSizeTooLarge"));
}

TEST_F(ExecRuns, RunInParallel) {
  const auto first = start(shell("sleep 0.3"), "{}");
  const auto second = start(shell("sleep 0.3"), "{}");
  const auto begin = std::chrono::steady_clock::now();
  wait(first);
  wait(second);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(580));
}

TEST_F(ExecRuns, EndWithTheirPool) {
  const auto running = start(shell("sleep 1000"), "{}");
  stop();
  ASSERT_TRUE(running->outcome);
  EXPECT_EQ(running->outcome->status, RunOutcome::Status::unreached) << "it is no failure of the function";
  pool_.reset();
}

TEST_F(ExecRuns, MayComeToTheirEndAfterTheyAreToldTo) {
  const FunctionRecord record = shell("trap 'echo done; exit 0' TERM; echo ready >&2; while :; do sleep 0.01; done");
  const auto running = start(record, "{}");
  run_until([&] { return log_text(record).find("ready\n") != std::string::npos; });
  stop();
  ASSERT_TRUE(running->outcome);
  EXPECT_EQ(running->outcome->payload, "done\n");
  pool_.reset();
}

}  // namespace
}  // namespace penstock::runner
