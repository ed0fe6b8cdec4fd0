// The environments of one function in one generation, and the invocations that wait for one of them.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runner/code_store.hpp"
#include "runner/environment.hpp"
#include "runner/invoke.hpp"

namespace penstock::runner {

class EnvironmentGroup final : public EnvironmentOwner {
 public:
  /// What it needs of the pool.
  struct Hooks {
    /// Whether there may be one environment more, for which the pool makes room where it can.
    std::function<bool()> may_start;
    /// An environment has become idle.
    std::function<void()> became_idle;
    /// An environment works: its memory is to be watched.
    std::function<void()> became_busy;
    /// Nothing of an environment is left.
    std::function<void()> environment_over;
  };

  EnvironmentGroup(const Workshop& workshop, std::shared_ptr<const FunctionRecord> function, CodePlace code,
                   Hooks hooks);

  void run(Invoke invoke);
  /// Starts environments for those that wait, where there may be more now.
  void dispatch();
  /// Those that are idle end, and the others when they are.
  void retire();
  /// Ends those that have been idle since then or before. The moment since when the first of the others is.
  std::optional<Clock::time_point> reap(Clock::time_point idle_since);
  /// Ends the one that has been idle for longest. False if there is none.
  bool end_idle();
  std::optional<Clock::time_point> oldest_idle() const;
  void check_memory(bool of_idle_too);
  bool has_busy() const;

  /// Ends all; what waits or runs gets the outcome of a shutdown or of its process's end.
  void stop();
  void abandon();

  /// Neither an environment nor an invocation.
  bool empty() const { return environments_.empty() && waiting_.empty(); }
  std::size_t size() const { return environments_.size(); }
  bool waits() const { return !waiting_.empty(); }
  /// Environments that would be started now if there were room for them.
  std::size_t wanted() const;
  /// Environments that will be gone soon.
  std::size_t ending() const;

  void on_idle(Environment& environment) override;
  void on_answered(Environment& environment) override;
  void on_lost(Environment& environment, std::optional<RunOutcome> outcome) override;
  void on_over(Environment& environment) override;

 private:
  void serve_waiting();
  std::size_t expected(Clock::time_point now) const;
  std::size_t alive() const;
  bool may_start_another() const;
  void end_surplus();
  bool start_one();
  void fail_one(RunOutcome outcome);
  void be_patient(Clock::time_point until);

  const Workshop& workshop_;
  std::shared_ptr<const FunctionRecord> function_;  ///< as the latest request has it: its reservation may change
  const CodePlace code_;
  const Hooks hooks_;
  std::vector<std::shared_ptr<Environment>> environments_;
  std::vector<Environment*> idle_;      ///< the one that was used last at the end
  std::vector<Environment*> answered_;  ///< that will be idle soon
  std::size_t starting_ = 0;
  std::deque<Invoke> waiting_;
  boost::asio::steady_timer patience_;
  Millis patience_time_;
  bool patience_armed_ = false;
  bool retired_ = false;
  bool stopping_ = false;
  /// Timers' handlers that come after it is gone see that.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace penstock::runner
