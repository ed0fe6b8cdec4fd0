#include "runner/environment_group.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "runner/outcomes.hpp"

namespace penstock::runner {

using boost::system::error_code;

namespace {

/// How long an environment that has answered may take until it asks for the next event, before another one is started
/// for who waits: as long as that would take, within these bounds.
constexpr Millis patience_min{5};
constexpr Millis patience_max{100};

/// Of so many environments each may have one to itself. Beyond that, to interrupt one another and the server whenever
/// an event arrives would cost all of them more than to take turns: a fifth of what they get done with short events.
std::size_t processors() {
  static const std::size_t count = std::max(1U, std::thread::hardware_concurrency());
  return count;
}

}  // namespace

EnvironmentGroup::EnvironmentGroup(const Workshop& workshop, std::shared_ptr<const FunctionRecord> function,
                                   CodePlace code, Hooks hooks)
    : workshop_(workshop),
      function_(std::move(function)),
      code_(std::move(code)),
      hooks_(std::move(hooks)),
      patience_(workshop.io),
      patience_time_(patience_min) {}

void EnvironmentGroup::run(Invoke invoke) {
  function_ = invoke.request.function;
  waiting_.push_back(std::move(invoke));
  end_surplus();
  dispatch();
}

void EnvironmentGroup::dispatch() {
  serve_waiting();
  while (!stopping_ && waiting_.size() > expected(Clock::now())) {
    if (!may_start_another() || !hooks_.may_start()) return;
    if (!start_one()) serve_waiting();
  }
  if (waiting_.size() > starting_ && !answered_.empty()) be_patient(answered_.front()->since() + patience_time_);
}

void EnvironmentGroup::serve_waiting() {
  while (!waiting_.empty() && !idle_.empty()) {
    Environment* environment = idle_.back();
    idle_.pop_back();
    Invoke invoke = std::move(waiting_.front());
    waiting_.pop_front();
    environment->begin(std::move(invoke));
    hooks_.became_busy();
  }
}

// How many of those that wait will be served by what there is.
std::size_t EnvironmentGroup::expected(Clock::time_point now) const {
  const auto soon = std::count_if(answered_.begin(), answered_.end(), [&](const Environment* environment) {
    return environment->since() + patience_time_ > now;
  });
  return starting_ + static_cast<std::size_t>(soon);
}

// A function of limited concurrency is never in more processes than that, even where one of them takes its time between
// two events.
bool EnvironmentGroup::may_start_another() const {
  return !function_->reserved_concurrency || static_cast<int>(alive()) < *function_->reserved_concurrency;
}

// There may be more than that from the time before the function was limited.
void EnvironmentGroup::end_surplus() {
  if (!function_->reserved_concurrency) return;
  while (static_cast<int>(alive()) > *function_->reserved_concurrency && end_idle()) {
  }
}

std::size_t EnvironmentGroup::ending() const {
  return static_cast<std::size_t>(
      std::count_if(environments_.begin(), environments_.end(),
                    [](const auto& environment) { return environment->state() == Environment::State::ending; }));
}

std::size_t EnvironmentGroup::alive() const { return environments_.size() - ending(); }

std::size_t EnvironmentGroup::wanted() const {
  const std::size_t served = expected(Clock::now());
  if (stopping_ || waiting_.size() <= served) return 0;
  std::size_t more = waiting_.size() - served;
  if (function_->reserved_concurrency) {
    const auto limit = static_cast<std::size_t>(std::max(*function_->reserved_concurrency, 0));
    more = std::min(more, limit - std::min(limit, alive()));
  }
  return more;
}

// False if it could not be started, for which one that waits has to suffer.
bool EnvironmentGroup::start_one() {
  std::optional<RunOutcome> refused;
  try {
    auto environment = std::make_shared<Environment>(workshop_, *this, function_, alive() >= processors());
    refused = environment->start(environment, code_.directory, waiting_.front().request.request_id);
    if (!refused) {
      environments_.push_back(std::move(environment));
      ++starting_;
      hooks_.became_busy();
      return true;
    }
  } catch (const std::exception& error) {
    refused = failed(std::string("The function's environment cannot be made: ") + error.what());
  }
  fail_one(std::move(*refused));
  hooks_.environment_over();
  return false;
}

void EnvironmentGroup::fail_one(RunOutcome outcome) {
  if (waiting_.empty()) return;
  Invoke invoke = std::move(waiting_.front());
  waiting_.pop_front();
  end_invoke(workshop_.io, std::move(invoke), std::move(outcome));
}

void EnvironmentGroup::be_patient(Clock::time_point until) {
  if (patience_armed_) return;
  patience_armed_ = true;
  patience_.expires_at(std::max(until, Clock::now()));
  patience_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const error_code& error) {
    if (error || alive.expired()) return;
    patience_armed_ = false;
    if (!waiting_.empty()) dispatch();
  });
}

// ---- What environments tell.

void EnvironmentGroup::on_idle(Environment& environment) {
  if (std::erase(answered_, &environment) == 0) {
    --starting_;
    patience_time_ = std::clamp(environment.init_time(), patience_min, patience_max);
  }
  if (retired_ || stopping_) {
    if (waiting_.empty() || stopping_) return environment.end();
  }
  idle_.push_back(&environment);
  if (!waiting_.empty()) return dispatch();
  hooks_.became_idle();
}

void EnvironmentGroup::on_answered(Environment& environment) { answered_.push_back(&environment); }

void EnvironmentGroup::on_lost(Environment& environment, std::optional<RunOutcome> outcome) {
  const bool was_idle = std::erase(idle_, &environment) > 0;
  const bool had_answered = std::erase(answered_, &environment) > 0;
  if (outcome) {
    --starting_;
    // Others may have served all that it was started for.
    fail_one(std::move(*outcome));
  }
  if (was_idle || had_answered || outcome) dispatch();
}

void EnvironmentGroup::on_over(Environment& environment) {
  std::erase_if(environments_, [&](const auto& other) { return other.get() == &environment; });
  if (!waiting_.empty()) dispatch();
  hooks_.environment_over();
}

// ---- What the pool asks for.

void EnvironmentGroup::retire() {
  retired_ = true;
  while (waiting_.empty() && end_idle()) {
  }
}

std::optional<Clock::time_point> EnvironmentGroup::oldest_idle() const {
  if (idle_.empty()) return std::nullopt;
  return idle_.front()->since();
}

std::optional<Clock::time_point> EnvironmentGroup::reap(Clock::time_point idle_since) {
  while (!idle_.empty() && idle_.front()->since() <= idle_since) end_idle();
  return oldest_idle();
}

bool EnvironmentGroup::end_idle() {
  if (idle_.empty()) return false;
  Environment* environment = idle_.front();
  idle_.erase(idle_.begin());
  environment->end();
  return true;
}

bool EnvironmentGroup::has_busy() const {
  return std::any_of(environments_.begin(), environments_.end(),
                     [](const auto& environment) { return environment->state() != Environment::State::idle; });
}

void EnvironmentGroup::check_memory(bool of_idle_too) {
  for (const auto& environment : environments_) {
    if (of_idle_too || environment->state() != Environment::State::idle) environment->check_memory();
  }
}

void EnvironmentGroup::stop() {
  stopping_ = true;
  while (!waiting_.empty()) fail_one(shutting_down());
  const auto all = environments_;
  for (const auto& environment : all) environment->end();
}

void EnvironmentGroup::abandon() {
  stopping_ = true;
  waiting_.clear();
  const auto all = std::exchange(environments_, {});
  for (const auto& environment : all) environment->abandon();
}

}  // namespace penstock::runner
