#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runner/outcomes.hpp"
#include "workbench.hpp"

namespace penstock::runner {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

using Environments = Workbench;

TEST_F(Environments, GiveTheEventAndBringTheAnswer) {
  const RunOutcome outcome = invoke(native(), R"({"Records":[1,2]})");
  EXPECT_EQ(outcome.status, RunOutcome::Status::answered);
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.payload, R"({"Records":[1,2]})");
  EXPECT_GT(outcome.init, Millis(0)) << "it was a cold start";
  EXPECT_GT(outcome.peak_bytes, 100U << 10U);
}

TEST_F(Environments, AreKeptForTheNextEvent) {
  const RunOutcome first = invoke(native(), "\"pid\"");
  const RunOutcome second = invoke(native(), "\"pid\"");
  EXPECT_EQ(first.payload, second.payload);
  EXPECT_EQ(second.init, Millis(0));
  EXPECT_EQ(pool().environments(), 1U);
}

TEST_F(Environments, RunInParallelWithOneEventEach) {
  const auto slow = start(native(), "\"sleep 300\"");
  const auto other = start(native(), "\"sleep 300\"");
  wait(slow);
  wait(other);
  EXPECT_EQ(pool().environments(), 2U);
}

TEST_F(Environments, YieldOnceThereIsOneForEachProcessor) {
  const auto policy_of = [](const RunOutcome& outcome) {
    return ::sched_getscheduler(static_cast<pid_t>(std::stol(outcome.payload)));
  };
  EXPECT_EQ(policy_of(invoke(native(), "\"pid\"")), SCHED_OTHER);
  std::vector<std::shared_ptr<Running>> busy;
  while (busy.size() < std::max(1U, std::thread::hardware_concurrency())) {
    busy.push_back(start(native(), "\"sleep 1000\""));
    // Else the next event might come to the one that is started for this one.
    run_until([&] { return log_text(native()).find("START RequestId: " + last_id_) != std::string::npos; });
  }
  EXPECT_EQ(policy_of(invoke(native(), "\"pid\"")), SCHED_BATCH);
  for (const auto& one : busy) wait(one);
}

TEST_F(Environments, AreNotStartedAnewWhileOneIsAboutToBeFree) {
  for (int i = 0; i < 50; ++i) invoke(native(), "\"x\"");
  EXPECT_EQ(pool().environments(), 1U);
}

TEST_F(Environments, AnswerStatusesAndBodiesOfTheRuntimeApi) {
  const RunOutcome outcome = invoke(native(), "\"statuses\"");
  EXPECT_EQ(outcome.payload, "\"400 403 403\"");
  run_until([&] { return log_text(native()).find("403 ") != std::string::npos; });
  const std::string log = log_text(native());
  EXPECT_THAT(log, HasSubstr("202 {\"status\":\"OK\"}\n"));
  EXPECT_THAT(log, HasSubstr("\"errorType\":\"InvalidStateTransition\""));
}

TEST_F(Environments, HandOverWhatARuntimeWantsToKnow) {
  const RunOutcome outcome = invoke(native(), "\"headers\"", "eyJjdXN0b20iOnsiYSI6MX19");
  EXPECT_THAT(outcome.payload, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(outcome.payload, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(outcome.payload, HasSubstr("Lambda-Runtime-Aws-Request-Id: " + last_id_ + "\r\n"));
  EXPECT_THAT(outcome.payload,
              HasSubstr("Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:f\r\n"));
  EXPECT_THAT(outcome.payload, HasSubstr("Lambda-Runtime-Trace-Id: Root=1-"));
  EXPECT_THAT(outcome.payload, HasSubstr("Lambda-Runtime-Client-Context: {\"custom\":{\"a\":1}}\r\n"));
  const std::size_t at = outcome.payload.find("Lambda-Runtime-Deadline-Ms: ") + 28;
  const auto left = from_epoch_ms(std::stoll(outcome.payload.substr(at))) - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::seconds(5));
  EXPECT_LE(left, std::chrono::seconds(10));
}

TEST_F(Environments, HaveACleanEnvironment) {
  ::setenv("PENSTOCK_TEST_SECRET", "do not tell", 1);
  FunctionRecord record = native();
  record.runtime = "provided.al2023";
  record.handler = "some.handler";
  record.environment = {{"MINE", "value"}, {"AWS_LAMBDA_MAX_CONCURRENCY", "9"}};
  const std::string variables = "\n" + invoke(record, "\"environment\"").payload;
  EXPECT_THAT(variables, Not(HasSubstr("PENSTOCK_TEST_SECRET")));
  EXPECT_THAT(variables, Not(HasSubstr("AWS_LAMBDA_MAX_CONCURRENCY")));
  EXPECT_THAT(variables, Not(HasSubstr("AWS_EXECUTION_ENV")));
  for (const std::string expected :
       {"MINE=value", "_HANDLER=some.handler", "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f", "AWS_REGION=us-east-1",
        "AWS_DEFAULT_REGION=us-east-1", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "TZ=:UTC", "LANG=en_US.UTF-8",
        "AWS_ENDPOINT_URL=http://127.0.0.1:4566", "AWS_ACCESS_KEY_ID=000000000000"}) {
    EXPECT_THAT(variables, HasSubstr("\n" + expected + "\n"));
  }
  EXPECT_THAT(variables, HasSubstr("\nLAMBDA_TASK_ROOT=" + directory_.path() + "\n"));
  EXPECT_THAT(variables, HasSubstr("\nAWS_LAMBDA_LOG_STREAM_NAME=20"));
  ::unsetenv("PENSTOCK_TEST_SECRET");
}

TEST_F(Environments, InheritNoFilesAndStandInTheirCode) {
  // The third is the connection to the Runtime API.
  EXPECT_EQ(invoke(native(), "\"files\"").payload, "0 1 2 3 ");
  EXPECT_EQ(invoke(native(), "\"directory\"").payload, directory_.path());
}

TEST_F(Environments, BringTheAccountOfAnErrorAsItIs) {
  const RunOutcome outcome = invoke(native(), "\"fail\"");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, R"({"errorMessage":"as told","errorType":"Told"})");
}

TEST_F(Environments, TakeAnswersThatAreStreamed) {
  const RunOutcome whole = invoke(native(), "\"stream\"");
  EXPECT_TRUE(whole.succeeded());
  EXPECT_EQ(whole.payload, "\"one two\"");
  const RunOutcome broken = invoke(native(), "\"stream-and-fail\"");
  EXPECT_EQ(broken.function_error, "Unhandled");
  EXPECT_EQ(broken.payload, R"({"errorType":"Midway"})");
}

TEST_F(Environments, RefuseAnswersThatAreTooLarge) {
  const RunOutcome fits = invoke(native(), "\"large 6291556\"");
  EXPECT_TRUE(fits.succeeded());
  EXPECT_EQ(fits.payload.size(), answer_bytes_max);
  const RunOutcome outcome = invoke(native(), "\"large 6291557\"");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload,
            R"({"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum )"
            R"(allowed payload size (6291556 bytes)."})");
  EXPECT_THAT(outcome.log_tail, HasSubstr("\n413\n")) << "what its runtime was told";
  EXPECT_TRUE(invoke(native(), "\"x\"").succeeded()) << "the environment goes on";
  EXPECT_EQ(pool().environments(), 1U);
}

TEST_F(Environments, AreKilledAtTheirTimeout) {
  FunctionRecord record = native();
  record.timeout_seconds = 1;
  const auto pid = static_cast<pid_t>(std::stol(invoke(record, "\"pid\"").payload));
  const RunOutcome outcome = invoke(record, "\"sleep 60000\"");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: " + last_id_ +
                                 " Error: Task timed out after 1.00 seconds\"}");
  EXPECT_THAT(outcome.log_tail, HasSubstr(last_id_ + " Task timed out after 1.00 seconds\n"));
  EXPECT_FALSE(lives(pid));
  EXPECT_TRUE(invoke(record, "\"x\"").succeeded()) << "the next one begins afresh";
}

TEST_F(Environments, SayHowTheyHaveExited) {
  const auto error_of = [&](const std::string& event) { return invoke(native(), event).payload; };
  const auto expected = [&](const std::string& how) {
    return "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " + last_id_ + " Error: " + how + "\"}";
  };
  std::string error = error_of("\"exit 0\"");
  EXPECT_EQ(error, expected("Runtime exited without providing a reason"));
  error = error_of("\"exit 127\"");
  EXPECT_EQ(error, expected("Runtime exited with error: exit status 127"));
  error = error_of("\"signal 9\"");
  EXPECT_EQ(error, expected("Runtime exited with error: signal: killed"));
  EXPECT_TRUE(invoke(native(), "\"x\"").succeeded());
}

TEST_F(Environments, AreKilledOverTheirMemoryAndNobodyElseIs) {
  const auto bystander = start(native("bystander"), "\"sleep 1000\"");
  const RunOutcome outcome = invoke(native(), "\"fill 200\"");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " + last_id_ +
                                 " Error: Runtime exited with error: signal: killed\"}");
  EXPECT_GT(outcome.peak_bytes, 120U << 20U);
  EXPECT_TRUE(wait(bystander).succeeded());
}

TEST_F(Environments, CountTheMemoryOfWhatTheyStart) {
  const RunOutcome outcome = invoke(native(), "\"fork-and-fill 200\"");
  EXPECT_THAT(outcome.payload, HasSubstr("signal: killed"));
}

TEST_F(Environments, CountTheMemoryOfWhatHasNoParentAnyMore) {
  const RunOutcome outcome = invoke(native(), "\"orphan-that-fills 200\"");
  EXPECT_THAT(outcome.payload, HasSubstr("signal: killed"));
  EXPECT_GT(outcome.peak_bytes, 120U << 20U);
}

TEST_F(Environments, AreKilledOverTheirMemoryAlsoWhileTheyAreIdle) {
  EXPECT_TRUE(invoke(native(), "\"fill-later 200\"").succeeded());
  run_until([&] { return pool().environments() == 0; });
  EXPECT_THAT(log_text(native()), HasSubstr("RequestId: " + last_id_ +
                                            " Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"));
  EXPECT_TRUE(invoke(native(), "\"x\"").succeeded());
}

TEST_F(Environments, MayHaveAsManyFilesOpenAsTheyAreGiven) {
  rlimit own{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &own), 0);
  EXPECT_EQ(invoke(native(), "\"descriptors\"").payload, std::to_string(own.rlim_cur));
  stop();
  pool_.reset();
  options_.descriptors_max = 200;
  EXPECT_EQ(invoke(native(), "\"descriptors\"").payload, "200");
}

TEST_F(Environments, AreNotSparedWhereTheServerIs) {
  const auto adjustment = [](const std::string& process) {
    std::string text;
    std::getline(std::ifstream("/proc/" + process + "/oom_score_adj"), text);
    return text;
  };
  const std::string own = adjustment("self");
  if (!(std::ofstream("/proc/self/oom_score_adj") << "-500" << std::flush)) GTEST_SKIP() << "it may not be spared";
  const std::string spared = invoke(native(), "\"pid\"").payload;
  std::ofstream("/proc/self/oom_score_adj") << own << std::flush;
  EXPECT_EQ(adjustment(spared), "0");
}

TEST_F(Environments, MayUseWhatTheyHave) {
  FunctionRecord record = native();
  record.memory_mib = 512;
  record.timeout_seconds = 1;
  EXPECT_THAT(invoke(record, "\"fill 200\"").payload, HasSubstr("Sandbox.Timedout"));
}

TEST_F(Environments, SayWhyTheyCannotStart) {
  FunctionRecord record = function(FunctionKind::runtime);
  record.runtime = "provided.al2023";
  const std::string path = directory_.path() + "/bootstrap";
  std::string payload = invoke(record, "{}").payload;
  EXPECT_EQ(payload, "{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":\"RequestId: " + last_id_ +
                         " Error: Couldn't find valid bootstrap(s): [" + path + "]\"}");
  directory_.write("bootstrap", "#!/bin/sh\n");
  payload = invoke(record, "{}").payload;
  EXPECT_EQ(payload, "{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":\"RequestId: " + last_id_ +
                         " Error: fork/exec " + path + ": permission denied\"}");
  EXPECT_THAT(log_text(record), HasSubstr("START RequestId: " + last_id_ + " Version: $LATEST\nRequestId: " + last_id_ +
                                          " Error: fork/exec " + path + ": permission denied\n" +
                                          "Runtime.InvalidEntrypoint\nEND RequestId: " + last_id_ + "\nREPORT "));
  directory_.write("bootstrap", "no program", true);
  EXPECT_THAT(invoke(record, "{}").payload, HasSubstr(": exec format error"));
  record.directory = directory_.path() + "/nowhere";
  const RunOutcome outcome = invoke(record, "{}");
  EXPECT_EQ(outcome.status, RunOutcome::Status::failed);
  EXPECT_THAT(outcome.message, HasSubstr("/nowhere is not there"));
  EXPECT_THAT(outcome.log_tail, HasSubstr("RequestId: " + last_id_ + " Error: " + outcome.message + "\nEND "));
  record.directory.clear();
  record.code_sha256 = "abc";
  EXPECT_EQ(invoke(record, "{}").message, "The function's code, abc, is not there.");
}

TEST_F(Environments, RunABootstrapOfTheCode) {
  directory_.write("bootstrap", "#!/bin/sh\nexec " PENSTOCK_TEST_RUNTIME "\n", true);
  FunctionRecord record = function(FunctionKind::runtime);
  record.runtime = "provided.al2023";
  EXPECT_EQ(invoke(record, "{\"a\":1}").payload, "{\"a\":1}");
}

// How many descriptors this process may have open, until it is gone.
class FilesMax {
 public:
  explicit FilesMax(rlim_t files_max) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = files_max;
    ::setrlimit(RLIMIT_NOFILE, &lower);
  }
  FilesMax(const FilesMax&) = delete;
  FilesMax& operator=(const FilesMax&) = delete;
  ~FilesMax() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files))) - 1;
}

TEST_F(Environments, FailOneInvocationEachWhereThereAreNoDescriptorsLeft) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs a pipe to look at an exception's type";
#endif
  ASSERT_TRUE(invoke(native("warm"), "\"x\"").succeeded());
  FunctionRecord program = function(FunctionKind::exec, "program");
  program.command = {"/bin/cat"};
  const std::size_t before = open_files();
  for (rlim_t more = 0; more < 12; ++more) {
    std::shared_ptr<Running> started;
    std::shared_ptr<Running> executed;
    {
      const FilesMax limit(before + more);
      started = start(native("f" + std::to_string(more)), "\"x\"");
      run_until([&] { return started->outcome || more > 6; });
    }
    const RunOutcome outcome = wait(started);
    if (!outcome.succeeded()) {
      EXPECT_EQ(outcome.status, RunOutcome::Status::failed) << outcome.payload;
      EXPECT_THAT(outcome.message, HasSubstr("Too many open files"));
      EXPECT_EQ(open_files(), before) << "with " << more;
    } else {
      EXPECT_GT(more, 4U);
      break;
    }
    {
      const FilesMax limit(before + more);
      executed = start(program, "{}");
    }
    const RunOutcome run = wait(executed);
    EXPECT_TRUE(run.succeeded() || run.status == RunOutcome::Status::failed) << run.payload;
  }
  EXPECT_TRUE(invoke(native("after"), "\"x\"").succeeded());
}

TEST_F(Environments, PassOnWhatTheirInitHasToSay) {
  FunctionRecord record = native();
  record.environment["INIT"] = "error";
  const RunOutcome outcome = invoke(record, "{}");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, R"({"errorMessage":"no luck","errorType":"Own.Error"})");
  run_until([&] { return pool().environments() == 0; });
}

TEST_F(Environments, ThatExitBeforeTheirFirstEventFailOneInvocationEach) {
  FunctionRecord record = native();
  record.environment["INIT"] = "exit 3";
  const auto first = start(record, "{}");
  const auto second = start(record, "{}");
  EXPECT_THAT(wait(first).payload, HasSubstr("Runtime exited with error: exit status 3"));
  EXPECT_THAT(wait(second).payload, HasSubstr("Runtime exited with error: exit status 3"));
}

TEST_F(Environments, ThatStartTooSlowlyGetTheFunctionsTimeOnce) {
  options_.init_time_max = Millis(150);
  FunctionRecord record = native();
  record.environment["INIT"] = "sleep 400";
  record.timeout_seconds = 5;
  EXPECT_TRUE(invoke(record, "\"x\"").succeeded());
  EXPECT_THAT(log_text(record), HasSubstr("Phase: init\tStatus: timeout"));

  FunctionRecord hopeless = native("hopeless");
  hopeless.environment["INIT"] = "sleep 60000";
  hopeless.timeout_seconds = 1;
  const std::string payload = invoke(hopeless, "\"x\"").payload;
  EXPECT_EQ(payload, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: " + last_id_ +
                         " Error: Task timed out after 1.00 seconds\"}");
}

TEST_F(Environments, FrameTheirLogAsTheServiceDoes) {
  const RunOutcome outcome = invoke(native(), "\"say hello\"");
  EXPECT_THAT(outcome.log_tail,
              StartsWith("START RequestId: " + last_id_ + " Version: $LATEST\nhello\nEND RequestId: " + last_id_ +
                         "\nREPORT RequestId: " + last_id_ + "\tDuration: "));
  EXPECT_THAT(outcome.log_tail.substr(outcome.log_tail.find("\tDuration")),
              MatchesRegex("\tDuration: [0-9]+\\.[0-9][0-9] ms\tBilled Duration: [0-9]+ ms\tMemory Size: 128 MB"
                           "\tMax Memory Used: [0-9]+ MB\tInit Duration: [0-9]+\\.[0-9][0-9] ms\n"));
  EXPECT_EQ(log_text(native()), outcome.log_tail);
  EXPECT_THAT(invoke(native(), "\"write without an end\"").log_tail, HasSubstr("\nwithout an end\nEND "));
}

TEST_F(Environments, LetTheirLogBeFollowed) {
  invoke(native(), "\"say one\"");
  const FunctionLog before = log_of(native());
  ASSERT_FALSE(before.lines.empty());
  const auto later = start(native(), "\"say two\"");
  const FunctionLog next = log_of(native(), before.lines.back().number, Millis(5'000));
  ASSERT_FALSE(next.lines.empty());
  EXPECT_EQ(next.lines.front().number, before.lines.back().number + 1);
  wait(later);
  const FunctionLog nothing = log_of(native(), 1'000, Millis(0));
  EXPECT_FALSE(nothing.lines.empty()) << "a number that was never given is one of before a restart";
}

TEST_F(Environments, RefuseReadersOfLogsThatTheyHaveNoRoomFor) {
  options_.logs.readers_max = 1;
  std::vector<std::optional<FunctionLog>> answers;
  const auto take = [&](std::optional<FunctionLog> read) { answers.push_back(std::move(read)); };
  pool().read_log(native().name, 0, 10, Millis(100), take);
  pool().read_log(native().name, 0, 10, Millis(100), take);
  run_until([&] { return answers.size() == 2; });
  EXPECT_FALSE(answers.front()) << "it does not wait, and is told so";
  EXPECT_TRUE(answers.back());
}

TEST_F(Environments, HoldTheirCodeUntilTheyEnd) {
  const auto hold = std::make_shared<int>(0);
  pool_ = std::make_unique<Pool>(io_, options_, [&](const FunctionRecord& record) {
    return CodePlace{record.directory, hold};
  });
  const auto running = start(native(), "\"sleep 100\"");
  pool().retire(native().name, 1);
  EXPECT_EQ(hold.use_count(), 2);
  wait(running);
  run_until([&] { return hold.use_count() == 1; });

  invoke(native("g"), "\"pid\"");
  EXPECT_EQ(hold.use_count(), 2) << "what is idle may read more of its code";
  pool().retire(native("g").name, 1);
  run_until([&] { return hold.use_count() == 1; });
}

TEST_F(Environments, AreReapedWhenTheyAreIdleForLong) {
  options_.idle_time = Millis(100);
  const auto pid = static_cast<pid_t>(std::stol(invoke(native(), "\"pid\"").payload));
  run_until([&] { return pool().environments() == 0; });
  EXPECT_FALSE(lives(pid));
  EXPECT_TRUE(invoke(native(), "\"x\"").succeeded());
}

TEST_F(Environments, OfOlderGenerationsEnd) {
  FunctionRecord record = native();
  const std::string old_pid = invoke(record, "\"pid\"").payload;
  const auto busy = start(record, "\"sleep 200\"");
  FunctionRecord next = record;
  next.generation = record.generation + 1;
  pool().retire(record.name, next.generation);
  EXPECT_NE(invoke(next, "\"pid\"").payload, old_pid);
  EXPECT_TRUE(wait(busy).succeeded()) << "what was under way is not cut off";
  run_until([&] { return pool().environments() == 1; });
  EXPECT_FALSE(lives(static_cast<pid_t>(std::stol(old_pid))));
}

TEST_F(Environments, AreAtMostAsManyAsThereMayBe) {
  options_.environments_max = 1;
  EXPECT_TRUE(invoke(native("a"), "\"x\"").succeeded());
  EXPECT_TRUE(invoke(native("b"), "\"x\"").succeeded()) << "the idle one of another function makes room";
  const auto first = start(native("b"), "\"sleep 100\"");
  const auto second = start(native("c"), "\"x\"");
  EXPECT_TRUE(wait(first).succeeded());
  EXPECT_TRUE(wait(second).succeeded());
  EXPECT_EQ(pool().environments(), 1U);
}

TEST_F(Environments, OfAFunctionThatIsReservedNoMoreThanItsShare) {
  FunctionRecord record = native();
  record.reserved_concurrency = 1;
  record.timeout_seconds = 1;
  const auto lingers = start(record, "\"answer-and sleep 60000\"");
  const auto next = start(record, "\"x\"");
  EXPECT_THAT(wait(lingers).payload, HasSubstr("Sandbox.Timedout"));
  EXPECT_EQ(pool().environments(), 1U);
  EXPECT_TRUE(wait(next).succeeded()) << "by another, since the one that took too long is ended";
}

// "An invoke is over only at the following `next`, not at `response`."
TEST_F(Environments, AreThroughWithAnEventWhenTheyAskForTheNext) {
  const auto before = std::chrono::steady_clock::now();
  const RunOutcome outcome = invoke(native(), "\"answer-and sleep 200\"");
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.payload, "\"done\"");
  EXPECT_GE(outcome.duration, Millis(200));
  EXPECT_GE(std::chrono::steady_clock::now() - before, Millis(200)) << "the answer is buffered until then";
  EXPECT_THAT(invoke(native(), "\"answer-and say more\"").log_tail, HasSubstr("\nmore\nEND "));
}

TEST_F(Environments, ThatTakeTooLongAfterTheirAnswerHaveTimedOut) {
  FunctionRecord record = native();
  record.timeout_seconds = 1;
  const auto pid = static_cast<pid_t>(std::stol(invoke(record, "\"pid\"").payload));
  const RunOutcome outcome = invoke(record, "\"answer-and sleep 60000\"");
  EXPECT_EQ(outcome.payload, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: " + last_id_ +
                                 " Error: Task timed out after 1.00 seconds\"}");
  EXPECT_THAT(outcome.log_tail, HasSubstr(last_id_ + " Task timed out after 1.00 seconds\n"));
  EXPECT_FALSE(lives(pid));
}

TEST_F(Environments, ThatExitAfterTheirAnswerHaveFailed) {
  const RunOutcome outcome = invoke(native(), "\"answer-and exit 0\"");
  EXPECT_EQ(outcome.payload, "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " + last_id_ +
                                 " Error: Runtime exited without providing a reason\"}");
  EXPECT_TRUE(invoke(native(), "\"x\"").succeeded());
}

TEST_F(Environments, ThatHaveAnsweredNeedNotAskForMoreOnceTheyAreToldToEnd) {
  const auto running = start(native(), "\"answer-and stubborn 60000\"");
  run_until([&] { return log_text(native()).find("stubborn\n") != std::string::npos; });
  EXPECT_FALSE(running->outcome);
  stop();
  pool_.reset();
  ASSERT_TRUE(running->outcome);
  EXPECT_EQ(running->outcome->payload, "\"done\"");
}

TEST_F(Environments, FollowTheReservationOfTheirFunction) {
  FunctionRecord record = native();
  record.reserved_concurrency = 1;
  EXPECT_TRUE(invoke(record, "\"x\"").succeeded());
  record.reserved_concurrency = 3;
  const std::vector<std::shared_ptr<Running>> three{start(record, "\"sleep 300\""), start(record, "\"sleep 300\""),
                                                    start(record, "\"sleep 300\"")};
  EXPECT_EQ(pool().environments(), 3U);
  for (const auto& running : three) EXPECT_TRUE(wait(running).succeeded());
  record.reserved_concurrency = 1;
  EXPECT_TRUE(invoke(record, "\"x\"").succeeded());
  run_until([&] { return pool().environments() == 1; });
}

TEST_F(Environments, MakeRoomByNoMoreThanIsWanted) {
  options_.environments_max = 3;
  std::vector<std::string> pids;
  for (const char* name : {"a", "b", "c"}) {
    FunctionRecord record = native(name);
    record.environment["INIT"] = "stubborn 0";
    pids.push_back(invoke(record, "\"pid\"").payload);
  }
  const auto another = start(native("d"), "\"x\"");
  FunctionRecord warm = native("c");
  warm.environment["INIT"] = "stubborn 0";
  EXPECT_EQ(invoke(warm, "\"pid\"").payload, pids[2]) << "and who waits looks for room again";
  EXPECT_TRUE(wait(another).succeeded());
  EXPECT_EQ(pool().environments(), 3U);
  EXPECT_FALSE(lives(static_cast<pid_t>(std::stol(pids[0]))));
  EXPECT_TRUE(lives(static_cast<pid_t>(std::stol(pids[1]))));
}

TEST_F(Environments, MayAnswerAfterTheyAreToldToEnd) {
  const auto running = start(native(), "\"stubborn 100\"");
  run_until([&] { return log_text(native()).find("stubborn\n") != std::string::npos; });
  stop();
  pool_.reset();
  ASSERT_TRUE(running->outcome);
  EXPECT_TRUE(running->outcome->succeeded()) << running->outcome->payload;
}

TEST_F(Environments, TalkToNobodyButTheirRuntime) {
  EXPECT_EQ(invoke(native(), "\"as-a-page\"").payload, "\"403! 403! 403! 403! \"");
}

TEST_F(Environments, LeaveNothingBehindWhenTheyEnd) {
  const auto orphan = static_cast<pid_t>(std::stol(invoke(native(), "\"orphan\"").payload));
  ASSERT_TRUE(lives(orphan));
  invoke(native(), "\"exit 1\"");
  EXPECT_FALSE(lives(orphan));
}

TEST_F(Environments, AreToldToEndAndThenMadeTo) {
  const auto orphan = static_cast<pid_t>(std::stol(invoke(native(), "\"orphan\"").payload));
  const auto running = start(native(), "\"sleep 60000\"");
  stop();
  pool_.reset();
  ASSERT_TRUE(running->outcome);
  EXPECT_EQ(running->outcome->status, RunOutcome::Status::unreached) << "it is no failure of the function";
  EXPECT_THAT(running->outcome->message, HasSubstr("being shut down"));
  EXPECT_FALSE(lives(orphan));
}

TEST_F(Environments, DoNotFailBecauseTheyAreToldToEnd) {
  const auto running = start(native(), "\"fail-when-told\"");
  run_until([&] { return log_text(native()).find("ready\n") != std::string::npos; });
  stop();
  pool_.reset();
  ASSERT_TRUE(running->outcome);
  EXPECT_EQ(running->outcome->status, RunOutcome::Status::unreached) << running->outcome->payload;
}

}  // namespace
}  // namespace penstock::runner
