// One execution environment: a function process with its Runtime API, which serves one invocation after the other.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runner/invoke.hpp"
#include "runner/log_book.hpp"
#include "runner/runtime_api.hpp"
#include "runner/sandbox.hpp"

namespace penstock::runner {

class Environment;

/// What an environment tells its pool. None of them is called from within begin() or start().
class EnvironmentOwner {
 public:
  EnvironmentOwner() = default;
  EnvironmentOwner(const EnvironmentOwner&) = delete;
  EnvironmentOwner& operator=(const EnvironmentOwner&) = delete;
  virtual ~EnvironmentOwner() = default;

  /// It waits for an event: after its start, and after each invocation, which is over by that.
  virtual void on_idle(Environment& environment) = 0;
  /// It has answered, and is expected to be idle soon.
  virtual void on_answered(Environment& environment) = 0;
  /// It is of no use any more, whatever the reason. If it has not got as far as to serve an invocation, `outcome` is
  /// how one ends that it was started for.
  virtual void on_lost(Environment& environment, std::optional<RunOutcome> outcome) = 0;
  /// Nothing of it is left.
  virtual void on_over(Environment& environment) = 0;
};

class Environment final : public RuntimeApiOwner, public SandboxOwner {
 public:
  enum class State {
    starting,  ///< its process has been started, and has not asked for an event
    idle,      ///< the process waits
    invoking,  ///< it has an event
    answered,  ///< it has answered, and has not asked for the next event: until then its invocation is not over
    ending,    ///< it is told or made to end
    over,
  };

  /// `yields`: its process does not interrupt others when an event arrives.
  Environment(const Workshop& workshop, EnvironmentOwner& owner, std::shared_ptr<const FunctionRecord> function,
              bool yields);

  /// Starts the process for somebody's request, whose id stands in what is said of a start that fails. Nothing, or why
  /// it cannot be started; then it is over.
  std::optional<RunOutcome> start(const std::shared_ptr<Environment>& self, const std::string& code_directory,
                                  const std::string& request_id);

  /// REQUIRES: idle.
  void begin(Invoke invoke);

  /// SIGTERM and, after the time of grace, SIGKILL. An invocation under way may be answered until then.
  void end();
  /// Ends it without a word, with what the kernel needs for that: for a pool that is itself taken down.
  void abandon();

  void check_memory() { sandbox_.check_memory(); }
  State state() const { return state_; }
  /// How long it took to start, until an invocation has reported it.
  Millis init_time() const { return Millis(static_cast<Millis::rep>(init_ms_)); }
  /// Since when it is idle, or when it answered.
  Clock::time_point since() const { return since_; }

  bool on_next(ApiReply& refusal) override;
  void on_waiting() override;
  void on_next_gone() override;
  void on_replied() override;
  ApiReply on_response(ApiReport report) override;
  ApiReply on_error(ApiReport report) override;
  ApiReply on_init_error(ApiReport report) override;
  void on_line(std::string_view line) override;
  void on_started() override;
  void on_start_failed(int error) override;
  void on_exit(int status) override;

 private:
  /// Why a process is killed that has not ended by itself.
  enum class Verdict { none, timeout, init_timeout, told };

  std::optional<RunOutcome> launch(const std::string& request_id);
  ApiReply take_answer(ApiReport report, bool is_error);
  ApiReply refuse_transition(const char* to) const;
  RunOutcome outcome_of(ApiReport& report, bool is_error) const;
  void finish_answered();
  void finish_invoke(RunOutcome outcome);
  ApiEvent event_of(const Invoke& invoke) const;
  void set_deadline(Clock::time_point deadline);
  void arm();
  void on_timer();
  void on_deadline();
  void release_after_kill();
  void lose(std::optional<RunOutcome> outcome);
  RunOutcome outcome_of_end(int status, const std::string& request_id) const;
  void note_end(const RunOutcome& outcome, int status, const std::string& request_id);
  void note_refusal(RunOutcome& outcome);
  double timeout_seconds() const { return static_cast<double>(function_->timeout_seconds); }

  const Workshop& workshop_;
  EnvironmentOwner& owner_;
  const std::shared_ptr<const FunctionRecord> function_;
  const bool yields_;
  std::weak_ptr<Environment> self_;
  std::string code_directory_;
  std::string executable_;
  std::string request_id_;  ///< of who it was started for, and then of the invocation that it serves or served last
  State state_ = State::starting;
  Clock::time_point since_;
  RuntimeApi api_;
  Sandbox sandbox_;
  InvocationLog log_;

  std::optional<Invoke> invoke_;
  std::optional<RunOutcome> answer_;  ///< of the invocation that is not over
  Clock::time_point event_at_;        ///< when the event was handed over
  Clock::duration waited_{};          ///< for that event
  double init_ms_ = 0;                ///< of the start, until an invocation has reported it
  Clock::time_point started_at_;
  std::uint64_t peak_bytes_ = 0;
  Clock::time_point peak_asked_at_;        ///< when the kernel was asked for it
  bool waits_for_start_ = false;           ///< it has asked for an event before its start was reported
  bool second_start_ = false;              ///< the first took too long, and this one has the function's own time
  std::optional<RunOutcome> failed_init_;  ///< as the runtime accounts for it

  boost::asio::steady_timer timer_;
  std::optional<Clock::time_point> deadline_;
  std::optional<Clock::time_point> armed_for_;  ///< never later than the deadline; it may be earlier
  Verdict verdict_ = Verdict::none;
};

}  // namespace penstock::runner
