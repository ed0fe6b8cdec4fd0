// Function processes: the Runner of a server.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "penstock/runner.hpp"
#include "penstock/trigger_commands.hpp"
#include "runner/cgroups.hpp"
#include "runner/code_store.hpp"
#include "runner/environment_group.hpp"
#include "runner/exec_run.hpp"
#include "runner/invoke.hpp"
#include "runner/keeper_link.hpp"
#include "runner/launch.hpp"
#include "runner/log_book.hpp"
#include "runner/url_call.hpp"

namespace penstock::runner {

struct PoolOptions {
  std::string endpoint_url;  ///< of this server, for the functions' AWS_ENDPOINT_URL
  /// Of the functions' AWS_SECRET_ACCESS_KEY. REQUIRES: any thread may call it.
  SecretOfAccount secret_of = [](const std::string&) { return std::string("test"); };
  std::string directory;  ///< the pool's own: the bootstraps of handlers are written there at their first use
  std::string keeper_executable = "/proc/self/exe";  ///< calls run_keeper when it is started as `<it> keeper <fd>`
  Millis idle_time{300'000};                         ///< after which an environment that waits is ended
  Millis init_time_max{10'000};        ///< of a start; the one that follows it may take the function's timeout
  Millis grace_time{2'000};            ///< between SIGTERM and SIGKILL
  Millis memory_interval{50};          ///< between two looks at what processes use, where cgroups are not to be had
  Millis idle_memory_interval{1'000};  ///< the same of processes that wait for an event
  std::uint64_t descriptors_max = 0;   ///< soft limit of what a process may have open; 0: this process's own
  bool use_cgroups = true;
  std::size_t environments_max = 1'000;  ///< of all functions: one more ends one that is idle, or waits
  LogLimits logs{};
};

/// Nothing runs, and nothing is started, until the first invocation. Lives in the thread of its io_context.
/// REQUIRES: the process ignores SIGPIPE.
class Pool final : public Runner {
 public:
  /// Where a function's code lies, if it has any: held until nothing runs that was started from there.
  using CodeDirectory = std::function<CodePlace(const FunctionRecord&)>;

  Pool(boost::asio::io_context& io, PoolOptions options, CodeDirectory code_directory);
  /// What still runs is killed, and nobody hears of it: stop before.
  ~Pool() override;

  void run(RunRequest request, Ended ended) override;
  void retire(const FunctionName& function, std::uint64_t generation) override;

  /// Nothing if it would have to wait and too many wait already.
  using LogRead = std::function<void(std::optional<FunctionLog>)>;
  /// Lines of the function's log after the one with the number `after`; if there are none, when there are some, or none
  /// when `wait` is over. `read` is called once, and never before this returns.
  void read_log(const FunctionName& function, std::uint64_t after, std::size_t lines_max, Millis wait, LogRead read);

  /// Ends what runs functions of which `doomed` says so, as stop does; their invocations end as failures.
  void end_runs(const std::function<bool(const FunctionName&)>& doomed);

  /// Begins nothing any more; ends all processes, with SIGTERM and, when the time of grace is over, SIGKILL. `stopped`
  /// is called once, when nothing is left, and never before this returns.
  void stop(std::function<void()> stopped);

  /// Environments there are, for tests and measures.
  std::size_t environments() const;

 private:
  /// By generation.
  using Groups = std::map<std::uint64_t, std::unique_ptr<EnvironmentGroup>>;
  struct Waiter;

  EnvironmentGroup& group_of(const std::shared_ptr<const FunctionRecord>& function);
  EnvironmentGroup::Hooks hooks_of();
  bool prepare_bootstraps(std::string& why);
  bool make_room();
  void on_idle();
  void post_sweep();
  void watch_idle();
  void watch_memory() { watch_memory(options_.memory_interval); }
  void watch_memory(Millis interval);
  std::optional<Millis> check_memory();
  void sweep();
  void see_whether_stopped();
  void answer_reader(const std::shared_ptr<Waiter>& waiter);
  template <typename Do>
  void for_each_group(const Do& action) {
    for (auto& [name, groups] : functions_) {
      for (auto& [generation, group] : groups) action(*group);
    }
  }

  boost::asio::io_context& io_;
  const PoolOptions options_;
  const CodeDirectory code_directory_;
  LogBook logs_;
  ReadBuffer buffer_;
  Cgroups cgroups_;
  KeeperLink keeper_;
  Workshop workshop_;
  std::unordered_map<FunctionName, Groups> functions_;
  std::unordered_set<std::shared_ptr<ExecRun>> execs_;
  std::unordered_set<std::shared_ptr<UrlCall>> calls_;
  boost::asio::steady_timer idle_timer_;
  boost::asio::steady_timer memory_timer_;
  bool idle_armed_ = false;
  std::optional<Millis> memory_armed_;     ///< the interval that its timer is set for
  Clock::time_point idle_memory_checked_;  ///< that of environments that wait
  bool sweep_posted_ = false;
  bool short_of_room_ = false;  ///< somebody waits because there are as many environments as there may be
  bool bootstraps_written_ = false;
  bool stopping_ = false;
  std::function<void()> stopped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace penstock::runner
