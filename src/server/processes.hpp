// What a host of triggers runs functions with. The server's is a pool of processes; a test's is scripted.
#pragma once

#include <functional>
#include <memory>

#include "penstock/runner.hpp"
#include "penstock/trigger_commands.hpp"

namespace penstock::server {

/// Lives in the host's thread, in which it also calls back.
class Processes {
 public:
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;
  virtual ~Processes() = default;

  virtual Runner& runner() = 0;
  /// Why a function cannot be run on this machine, for a person; empty if nothing is known against it.
  virtual std::string objection_to(const FunctionRecord& function) const = 0;
  /// What a person should know of how a function is run on this machine; mostly empty.
  virtual std::string remark_on(const FunctionRecord& function) const = 0;
  /// `read` is called once, at once or when there are lines or the wait is over: with FunctionLog, or with an Error.
  virtual void read_log(const ReadFunctionLog& question, std::function<void(TriggerResult)> read) = 0;
  /// Whoever waits for lines of a log gets what there is.
  virtual void release_log_readers() = 0;
  /// Ends what runs functions of which `doomed` says so.
  virtual void end_runs(const std::function<bool(const FunctionName&)>& /*doomed*/) {}
  /// Ends all of them; what they were running ends as failures. `stopped` is called once, when none is left.
  virtual void stop(std::function<void()> stopped) = 0;
};

}  // namespace penstock::server
