// One run of a function of kind exec: the event on stdin, the answer on stdout.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runner/code_store.hpp"
#include "runner/invoke.hpp"
#include "runner/log_book.hpp"
#include "runner/sandbox.hpp"

namespace penstock::runner {

class ExecRun final : public SandboxOwner {
 public:
  using Over = std::function<void(ExecRun&)>;

  /// `over` is called when nothing is left of it, after the invocation has its outcome, and not from within start().
  ExecRun(const Workshop& workshop, Invoke invoke, Over over);

  void start(const std::shared_ptr<ExecRun>& self, CodePlace code);
  void check_memory() { sandbox_.check_memory(); }
  /// SIGTERM and, after the time of grace, SIGKILL.
  void end();
  void abandon();
  const FunctionName& function() const { return function_.name; }

  void on_line(std::string_view line) override;
  void on_data(std::string_view bytes) override;
  void on_start_failed(int error) override;
  void on_exit(int status) override;

 private:
  std::optional<RunOutcome> launch();
  void write_event(std::size_t written);
  void arm(Millis time);
  RunOutcome outcome_of_end(int status) const;
  void finish(RunOutcome outcome);

  const Workshop& workshop_;
  Invoke invoke_;
  Over over_;
  const FunctionRecord& function_;
  CodePlace code_;
  std::weak_ptr<ExecRun> self_;
  Sandbox sandbox_;
  InvocationLog log_;
  boost::asio::posix::stream_descriptor input_;
  boost::asio::steady_timer timer_;
  Clock::time_point started_at_;
  std::string executable_;
  std::string answer_;
  std::string errors_;  ///< the end of what it has written to stderr
  bool too_large_ = false;
  bool late_ = false;
  bool told_ = false;  ///< to end, by a shutdown
};

}  // namespace penstock::runner
