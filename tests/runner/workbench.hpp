// A pool with an event loop, a directory of its own, and functions to run in it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/pool.hpp"

namespace penstock::runner {

/// Nothing here takes as long, unless it hangs.
inline constexpr std::chrono::seconds patience{20};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "penstock-runner-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

  std::string write(const std::string& name, std::string_view text, bool executable = false) const {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    if (executable) std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }

 private:
  std::string path_;
};

/// Whether a process is there, and is more than a zombie.
inline bool lives(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return false;
  const std::size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text.size() > name_end + 2 && text[name_end + 2] != 'Z';
}

class Workbench : public testing::Test {
 protected:
  Workbench() {
    ::signal(SIGPIPE, SIG_IGN);
    options_.endpoint_url = "http://127.0.0.1:4566";
    options_.directory = directory_.path() + "/runner";
    options_.keeper_executable = PENSTOCK_TEST_KEEPER;
    options_.grace_time = Millis(300);
    options_.memory_interval = Millis(20);
    options_.idle_memory_interval = Millis(50);
  }
  ~Workbench() override {
    if (pool_) stop();
  }

  Pool& pool() {
    if (!pool_) {
      pool_ = std::make_unique<Pool>(io_, options_,
                                     [](const FunctionRecord& function) { return CodePlace{function.directory}; });
    }
    return *pool_;
  }

  FunctionRecord function(FunctionKind kind, const std::string& name = "f") const {
    FunctionRecord record;
    record.name = {"000000000000", "us-east-1", name};
    record.kind = kind;
    record.directory = directory_.path();
    record.timeout_seconds = 10;
    return record;
  }
  /// Of the runtime of tests/runner/programs.
  FunctionRecord native(const std::string& name = "f") const {
    FunctionRecord record = function(FunctionKind::runtime, name);
    record.command = {PENSTOCK_TEST_RUNTIME};
    return record;
  }
  FunctionRecord handler(const std::string& runtime, const std::string& name) const {
    FunctionRecord record = function(FunctionKind::handler);
    record.runtime = runtime;
    record.handler = name;
    return record;
  }

  /// Until the condition holds, which it is expected to do.
  void run_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited in vain";
      io_.restart();
      io_.run_for(std::chrono::milliseconds(5));
    }
  }

  struct Running {
    std::optional<RunOutcome> outcome;
  };
  std::shared_ptr<Running> start(const FunctionRecord& record, const std::string& payload,
                                 const std::string& client_context = {}) {
    auto running = std::make_shared<Running>();
    RunRequest request;
    request.request_id = "8476a536-e9f4-11e8-9739-" + std::to_string(100000000000 + ++requests_);
    last_id_ = request.request_id;
    request.function = std::make_shared<FunctionRecord>(record);
    request.invoked_arn = arn_of(record.name);
    request.payload = std::make_shared<std::string>(payload);
    request.client_context = client_context;
    pool().run(std::move(request), [running](RunOutcome outcome) {
      EXPECT_FALSE(running->outcome) << "ended twice";
      running->outcome = std::move(outcome);
    });
    EXPECT_FALSE(running->outcome) << "ended before run returned";
    return running;
  }
  RunOutcome wait(const std::shared_ptr<Running>& running) {
    run_until([&] { return running->outcome.has_value(); });
    return running->outcome.value_or(RunOutcome{});
  }
  RunOutcome invoke(const FunctionRecord& record, const std::string& payload, const std::string& client_context = {}) {
    return wait(start(record, payload, client_context));
  }

  FunctionLog log_of(const FunctionRecord& record, std::uint64_t after = 0, Millis time = Millis(0)) {
    std::optional<FunctionLog> log;
    pool().read_log(record.name, after, 1'000, time,
                    [&](std::optional<FunctionLog> read) { log = std::move(read).value_or(FunctionLog{}); });
    run_until([&] { return log.has_value(); });
    return log.value_or(FunctionLog{});
  }
  std::string log_text(const FunctionRecord& record) {
    std::string text;
    for (const LogLine& line : log_of(record).lines) text += line.text + "\n";
    return text;
  }

  void stop() {
    bool stopped = false;
    pool().stop([&] { stopped = true; });
    run_until([&] { return stopped; });
  }

  const TemporaryDirectory directory_;
  PoolOptions options_;
  boost::asio::io_context io_{1};
  std::unique_ptr<Pool> pool_;
  std::string last_id_;
  std::uint64_t requests_ = 0;
};

}  // namespace penstock::runner
