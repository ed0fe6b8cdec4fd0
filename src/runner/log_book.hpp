// The logs of functions: what their processes write, and the lines with which the service frames an invocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "penstock/functions.hpp"
#include "penstock/runner.hpp"
#include "penstock/trigger_commands.hpp"

namespace penstock::runner {

/// What is over these goes, the oldest first.
struct LogLimits {
  std::size_t lines_per_function_max = 10'000;
  std::size_t bytes_per_function_max = 4U << 20U;
  std::size_t bytes_max = 64U << 20U;       ///< of all functions
  std::size_t functions_max = 2'000;        ///< that have a log
  std::size_t readers_max = 1'000;          ///< that wait for lines
  std::size_t line_bytes_max = 16U << 10U;  ///< a longer one is broken
};

/// Not thread-safe.
class LogBook {
 public:
  using Heard = std::function<void()>;
  struct Reader {
    std::uint64_t value = 0;
  };

  /// Lines are numbered from the one behind `numbers_before`.
  explicit LogBook(LogLimits limits = {}, std::uint64_t numbers_before = 0)
      : limits_(limits), numbers_before_(numbers_before) {}

  void append(const FunctionName& function, std::string_view line);

  /// Of the lines after the one of this number, the first ones.
  FunctionLog read(const FunctionName& function, std::uint64_t after, std::size_t lines_max) const;

  /// Calls `heard` once, with the next line of the function or when its log is dropped, unless it is cancelled before;
  /// it must not call back. False if too many wait.
  bool wait(const FunctionName& function, Heard heard, Reader& reader);
  void cancel(const FunctionName& function, Reader reader);

  const LogLimits& limits() const { return limits_; }

 private:
  struct Log {
    std::deque<LogLine> lines;
    std::size_t bytes = 0;
    std::uint64_t first = 1;  ///< that this log has had
    std::uint64_t next = 1;
    std::vector<std::pair<std::uint64_t, Heard>> readers;
    std::list<FunctionName>::iterator recent;
  };

  Log& log_of(const FunctionName& function);
  void drop_first(Log& log);
  void shrink(Log& log);

  const LogLimits limits_;
  std::uint64_t numbers_before_;  ///< behind all that logs which are gone have given
  std::unordered_map<FunctionName, Log> logs_;
  std::list<FunctionName> recent_;  ///< of `logs_`, the one that was written to last in front
  std::size_t bytes_ = 0;
  std::size_t readers_ = 0;
  std::uint64_t next_reader_ = 1;
};

/// The lines of one invocation, in its function's log and as the tail that its answer carries.
class InvocationLog {
 public:
  InvocationLog(LogBook& book, FunctionName function) : book_(book), function_(std::move(function)) {}

  /// Writes START. What came before it, since the last end, belongs to the tail too: what a process writes as it
  /// starts.
  void start(const std::string& request_id);
  void line(std::string_view text);
  /// Writes what is known of a failure that the function has not told itself.
  void failure(const std::string& request_id, const RunOutcome& outcome);
  /// Writes END and REPORT; the tail goes into the outcome, whose measures stand in REPORT.
  void end(const std::string& request_id, int memory_mib, double duration_ms, double init_ms, RunOutcome& outcome);

 private:
  LogBook& book_;
  const FunctionName function_;
  std::string tail_;
};

}  // namespace penstock::runner
