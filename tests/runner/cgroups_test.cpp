// Memory limits by cgroup v2. What needs real groups is skipped where this process may not make any: it may as root of
// a machine with cgroup v2 alone, or by `systemd-run -p Delegate=yes`.
#include "runner/cgroups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "workbench.hpp"

namespace penstock::runner {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint64_t mebibyte = 1U << 20U;
const std::string mount = "/sys/fs/cgroup";

std::string text_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string group_of(const std::string& process) {
  const std::string list = text_of("/proc/" + process + "/cgroup");
  const std::size_t at = list.find("0::/");
  return at == std::string::npos ? std::string() : list.substr(at + 3, list.find('\n', at) - at - 3);
}

std::size_t directories_in(const fs::path& path) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(path)) count += entry.is_directory() ? 1 : 0;
  return count;
}

// ---- What the kernel's files say.

class CgroupFiles : public testing::Test {
 protected:
  Cgroup cgroup() const { return {directory_.path(), std::make_shared<std::vector<std::string>>()}; }

  const TemporaryDirectory directory_;
};

TEST_F(CgroupFiles, TellThePeakWithoutTheCacheOfFiles) {
  directory_.write("memory.events", "low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n");
  directory_.write("memory.stat",
                   "anon 30\nfile 700\ninactive_anon 20\nactive_anon 10\ninactive_file 400\nactive_file 50\n");
  directory_.write("memory.peak", "1000\n");
  EXPECT_EQ(cgroup().peak_bytes(), 550U);
  EXPECT_FALSE(cgroup().ran_out());
}

TEST_F(CgroupFiles, TellThePeakOfOneThatRanOutWhole) {
  directory_.write("memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 1\n");
  directory_.write("memory.stat", "anon 30\ninactive_file 400\nactive_file 50\n");
  directory_.write("memory.peak", "1000\n");
  EXPECT_EQ(cgroup().peak_bytes(), 1000U);
  EXPECT_TRUE(cgroup().ran_out());
}

TEST_F(CgroupFiles, TellWhatTheyCanWhereTheKernelKnowsNoPeak) {
  directory_.write("memory.events", "low 0\noom_kill 0\n");
  directory_.write("memory.stat", "anon 30\ninactive_file 400\nactive_file 50\n");
  directory_.write("memory.current", "900\n");
  directory_.write("memory.max", "2000\n");
  EXPECT_EQ(cgroup().peak_bytes(), 450U);
  directory_.write("memory.events", "low 0\noom_kill 1\n");
  EXPECT_EQ(cgroup().peak_bytes(), 2000U);
}

// ---- Where groups may be made.

class CgroupPlaces : public testing::Test {
 protected:
  // Like a group in which others may be made.
  void make(const std::string& group) const {
    directory_.write(group + "/cgroup.controllers", "cpu memory pids\n");
    directory_.write(group + "/cgroup.subtree_control", "memory\n");
    directory_.write(control_of_functions_in(group), "");
  }
  static std::string control_of_functions_in(const std::string& group) {
    return group + "/penstock-functions-" + std::to_string(::getpid()) + "/cgroup.subtree_control";
  }
  bool available_in(const std::string& group) const {
    const std::string own = directory_.write("own", "4:memory:/other\n0::/" + group + "\n");
    return Cgroups(directory_.path(), own, {}).available();
  }

  const TemporaryDirectory directory_;
};

TEST_F(CgroupPlaces, AreNotThoseOfAUnitThatSystemdHasNotDelegated) {
  make("a/own");
  EXPECT_TRUE(available_in("a/own"));
  make("a/own.service");
  EXPECT_FALSE(available_in("a/own.service"));
  make("a/own.scope");
  EXPECT_FALSE(available_in("a/own.scope"));
}

TEST_F(CgroupPlaces, AreBesideTheChildThatAServerHasMovedInto) {
  make("a");
  directory_.write("a/penstock-server/cgroup.controllers", "memory\n");
  EXPECT_TRUE(available_in("a/penstock-server"));
  EXPECT_EQ(text_of(directory_.path() + "/" + control_of_functions_in("a")), "+memory");
}

TEST_F(CgroupPlaces, NeedAMemoryController) {
  make("a");
  directory_.write("a/cgroup.controllers", "cpu pids\n");
  EXPECT_FALSE(available_in("a"));
  EXPECT_FALSE(available_in("nowhere"));
}

// ---- Real ones.

class RealCgroups : public Workbench {
 protected:
  void SetUp() override {
    if (!Cgroups(mount, "/proc/self/cgroup", {}).available()) {
      GTEST_SKIP() << "this process may not make cgroups with memory limits here";
    }
  }

  pid_t pid_of(const FunctionRecord& record) {
    return static_cast<pid_t>(std::stol(invoke(record, "\"pid\"").payload));
  }
  std::string directory_of(pid_t function) { return mount + group_of(std::to_string(function)); }
  /// Of all functions' groups; there have to be some.
  std::string parent() { return fs::path(directory_of(pid_of(native("any")))).parent_path(); }
  FunctionRecord shell(const std::string& command) const {
    FunctionRecord record = function(FunctionKind::exec, "shell");
    record.command = {"/bin/sh", "-c", command};
    return record;
  }
};

TEST_F(RealCgroups, EndOneThatUsesTooMuchAndNobodyElse) {
  const FunctionRecord record = native();
  const auto bystander = start(native("bystander"), "\"sleep 2000\"");
  const std::string group = directory_of(pid_of(record));
  EXPECT_THAT(group, HasSubstr("/penstock-functions-" + std::to_string(::getpid()) + "/"));
  EXPECT_EQ(text_of(group + "/memory.max"), std::to_string(128 * mebibyte) + "\n");
  const RunOutcome outcome = invoke(record, "\"fill 200\"");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " + last_id_ +
                                 " Error: Runtime exited with error: signal: killed\"}");
  EXPECT_GT(outcome.peak_bytes, 120 * mebibyte);
  EXPECT_LE(outcome.peak_bytes, 128 * mebibyte);
  EXPECT_FALSE(fs::exists(group));
  EXPECT_TRUE(wait(bystander).succeeded());
  EXPECT_TRUE(invoke(record, "\"x\"").succeeded()) << "the next one begins afresh";
}

TEST_F(RealCgroups, CountAllThatAFunctionStarts) {
  for (const char* event : {"\"fork-and-fill 200\"", "\"orphan-that-fills 200\""}) {
    const std::string group = directory_of(pid_of(native()));
    const RunOutcome outcome = invoke(native(), event);
    EXPECT_THAT(outcome.payload, HasSubstr("signal: killed")) << event;
    EXPECT_GT(outcome.peak_bytes, 120 * mebibyte) << event;
    EXPECT_FALSE(fs::exists(group)) << event;
  }
}

TEST_F(RealCgroups, DoNotCountFilesThatAreReadAndWritten) {
  struct statfs where = {};
  ASSERT_EQ(::statfs(directory_.path().c_str(), &where), 0);
  if (where.f_type == TMPFS_MAGIC) GTEST_SKIP() << "files are memory here";
  FunctionRecord record = shell("dd if=/dev/zero of=file bs=64k count=1024 2>&1");
  record.memory_mib = 32;
  const RunOutcome outcome = invoke(record, "{}");
  EXPECT_TRUE(outcome.succeeded()) << outcome.payload;
  EXPECT_EQ(fs::file_size(directory_.path() + "/file"), 64 * mebibyte);
  EXPECT_LT(outcome.peak_bytes, 20 * mebibyte);
}

TEST_F(RealCgroups, AreGoneAtTheEndOfWhatWasInThem) {
  const std::string groups = parent();
  FunctionRecord broken = function(FunctionKind::runtime, "broken");
  directory_.write("bootstrap", "no program", true);
  for (int i = 0; i < 20; ++i) EXPECT_THAT(invoke(broken, "{}").payload, HasSubstr("exec format error"));
  EXPECT_TRUE(
      invoke(shell("mkdir -p /sys/fs/cgroup$(sed -n s/0:://p /proc/self/cgroup)/inner/most"), "{}").succeeded());
  EXPECT_EQ(directories_in(groups), 1U) << "that of the function which is idle";
  stop();
  EXPECT_EQ(directories_in(groups), 0U);
  pool_.reset();
  EXPECT_FALSE(fs::exists(groups));
}

TEST_F(RealCgroups, AreGoneInTheEndAlsoWhereAGuardWasKilled) {
  const std::string groups = parent();
  const pid_t function = pid_of(native());
  const std::string guard = text_of("/proc/" + std::to_string(function) + "/stat");
  ::kill(static_cast<pid_t>(std::stol(guard.substr(guard.rfind(')') + 4))), SIGKILL);
  run_until([&] { return !lives(function); });
  run_until([&] {
    invoke(native("other"), "\"exit 0\"");
    return directories_in(groups) == 1;
  });
}

TEST_F(RealCgroups, AreDoneWithoutWhereTheyCannotBeEntered) {
  const std::string groups = parent();
  std::atomic<bool> over = false;
  std::thread remover([&] {
    while (!over && ::rmdir((groups + "/2").c_str()) != 0) {
    }
  });
  const RunOutcome outcome = invoke(native(), "\"fill 200\"");
  over = true;
  remover.join();
  EXPECT_THAT(outcome.payload, HasSubstr("signal: killed"));
}

TEST_F(RealCgroups, LeaveThisProcessWhereItWas) {
  const std::string before = group_of("self");
  pid_of(native());
  stop();
  pool_.reset();
  EXPECT_EQ(group_of("self"), before);
}

TEST_F(RealCgroups, OfAServerThatWasKilledAreRemovedByTheNext) {
  pid_of(native());
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
  std::fclose(output);
  ASSERT_EQ(processes.size(), 3U);
  const std::string groups = fs::path(directory_of(processes[0])).parent_path();
  EXPECT_THAT(groups, HasSubstr("/penstock-functions-" + std::to_string(server))) << "it has a place of its own";
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  for (const pid_t process : processes) run_until([&] { return !lives(process); });
  EXPECT_TRUE(fs::exists(groups));
  stop();
  pool_.reset();
  pid_of(native());
  EXPECT_FALSE(fs::exists(groups));
}

}  // namespace
}  // namespace penstock::runner
