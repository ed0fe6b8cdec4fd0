// What is left when those die who look after function processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "workbench.hpp"

namespace penstock::runner {
namespace {

using testing::HasSubstr;

pid_t parent_of(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return static_cast<pid_t>(std::stol(text.substr(text.rfind(')') + 4)));
}

class Orphans : public Workbench {
 protected:
  pid_t pid_by(const std::string& event) {
    return static_cast<pid_t>(std::stol(invoke(native(), "\"" + event + "\"").payload));
  }
  void expect_dead(pid_t pid) {
    run_until([&] { return !lives(pid); });
  }
};

TEST_F(Orphans, AreNotLeftByAServerThatIsKilled) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t server = ::fork();
  if (server == 0) {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::execl(PENSTOCK_TEST_SERVER, PENSTOCK_TEST_SERVER, PENSTOCK_TEST_KEEPER, PENSTOCK_TEST_RUNTIME, nullptr);
    ::_exit(127);
  }
  ::close(pipe[1]);
  std::FILE* output = ::fdopen(pipe[0], "r");
  std::vector<pid_t> processes;
  char line[64];
  while (std::fgets(line, sizeof line, output) != nullptr && std::string(line) != "ready\n") {
    processes.push_back(static_cast<pid_t>(std::atol(line)));
  }
  ASSERT_EQ(processes.size(), 3U);
  const pid_t guard = parent_of(processes[0]);
  processes.push_back(guard);
  processes.push_back(parent_of(guard));
  for (const pid_t process : processes) EXPECT_TRUE(lives(process));

  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  for (const pid_t process : processes) expect_dead(process);
  std::fclose(output);
}

TEST_F(Orphans, AreNotLeftByAKeeperThatIsKilled) {
  const pid_t function = pid_by("pid");
  const pid_t orphan = pid_by("orphan");
  const pid_t guard = parent_of(function);
  const auto running = start(native(), "\"sleep 60000\"");
  io_.restart();
  io_.run_for(std::chrono::milliseconds(20));
  const pid_t keeper = parent_of(guard);
  ::kill(keeper, SIGKILL);
  const RunOutcome outcome = wait(running);
  EXPECT_EQ(outcome.status, RunOutcome::Status::unreached) << "it is no error of the function";
  EXPECT_THAT(outcome.message, HasSubstr("the one that looks after it has gone"));
  run_until([&] { return ::kill(keeper, 0) != 0; });
  expect_dead(function);
  expect_dead(orphan);
  expect_dead(guard);
  EXPECT_TRUE(invoke(native(), "\"x\"").succeeded()) << "there is another keeper";
}

TEST_F(Orphans, AreNotLeftByAGuardThatIsKilled) {
  const pid_t function = pid_by("pid");
  const pid_t orphan = pid_by("orphan");
  ::kill(parent_of(function), SIGKILL);
  expect_dead(function);
  expect_dead(orphan);
  EXPECT_TRUE(invoke(native(), "\"x\"").succeeded());
}

TEST_F(Orphans, AreNotTheKeeperOnSignalsForTheServersGroup) {
  const pid_t function = pid_by("pid");
  const pid_t keeper = parent_of(parent_of(function));
  EXPECT_NE(::getsid(keeper), ::getsid(0));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::kill(keeper, signal);
  EXPECT_EQ(pid_by("pid"), function);
}

}  // namespace
}  // namespace penstock::runner
