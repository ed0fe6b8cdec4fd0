#include "runner/environment.hpp"

#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "runner/launch.hpp"
#include "runner/outcomes.hpp"
#include "runner/text.hpp"

namespace penstock::runner {

using boost::system::error_code;

namespace {

/// How long after SIGKILL an invocation is answered even though the kernel has not buried the process yet.
constexpr std::chrono::milliseconds burial_time_max{1'000};

/// An invocation that takes longer, or comes after such a pause, always reports what was used at most; of others in
/// quick succession the kernel is asked this often.
constexpr std::chrono::milliseconds peak_duration_min{10};
constexpr std::chrono::milliseconds peak_pause_min{20};
constexpr std::chrono::milliseconds peak_interval{100};

const char* name_of(Environment::State state) {
  switch (state) {
    case Environment::State::starting:
      return "Started";
    case Environment::State::idle:
      return "Ready";
    case Environment::State::invoking:
      return "Running";
    case Environment::State::answered:
      return "InvocationResponse";
    case Environment::State::ending:
    case Environment::State::over:
      return "Exited";
  }
  return "Exited";
}

std::int64_t epoch_ms_after(std::chrono::nanoseconds left) {
  const auto at = std::chrono::system_clock::now() + left;
  return std::chrono::duration_cast<Millis>(at.time_since_epoch()).count();
}

// What goes into a header must not end it.
std::string header_text(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return text;
}

// X-Ray wants one, and runtimes hand it on; it is made of the request's id where nobody brought one.
std::string trace_of(const RunRequest& request) {
  if (!request.trace_id.empty()) return header_text(request.trace_id);
  std::string hex = request.request_id;
  std::erase(hex, '-');
  hex.resize(32, '0');
  return "Root=1-" + hex.substr(0, 8) + "-" + hex.substr(8) + ";Parent=" + hex.substr(0, 16) + ";Sampled=0";
}

}  // namespace

Environment::Environment(const Workshop& workshop, EnvironmentOwner& owner,
                         std::shared_ptr<const FunctionRecord> function, bool yields)
    : workshop_(workshop),
      owner_(owner),
      function_(std::move(function)),
      yields_(yields),
      api_(workshop.io, *this),
      sandbox_(workshop.sandbox, *this),
      log_(workshop.logs, function_->name),
      timer_(workshop.io) {}

std::optional<RunOutcome> Environment::start(const std::shared_ptr<Environment>& self,
                                             const std::string& code_directory, const std::string& request_id) {
  self_ = self;
  code_directory_ = code_directory;
  api_.start(self);
  auto refused = launch(request_id);
  if (refused) {
    note_refusal(*refused);
    state_ = State::over;
    api_.close();
  }
  return refused;
}

// As if it had been run for who it was to be started for, whose caller is told the same.
void Environment::note_refusal(RunOutcome& outcome) {
  log_.start(request_id_);
  log_.failure(request_id_, outcome);
  log_.end(request_id_, function_->memory_mib, milliseconds_since(started_at_), 0, outcome);
}

std::optional<RunOutcome> Environment::launch(const std::string& request_id) {
  request_id_ = request_id;
  started_at_ = Clock::now();
  Launch launch = launch_of(*function_,
                            {.code_directory = code_directory_,
                             .bootstrap_directory = workshop_.bootstrap_directory,
                             .runtime_api = api_.address(),
                             .endpoint_url = workshop_.endpoint_url,
                             .secret_access_key = workshop_.secret_of(function_->name.account),
                             .log_stream = new_log_stream()},
                            request_id);
  if (launch.refused) return std::move(launch.refused);
  executable_ = launch.request.path;
  launch.request.yields = yields_;
  const auto memory_bytes_max = static_cast<std::uint64_t>(function_->memory_mib) << 20U;
  try {
    sandbox_.start(self_.lock(), launch.request, memory_bytes_max, Sandbox::Input::none, Sandbox::Output::lines);
  } catch (const std::exception& error) {
    return failed(std::string("The function's process cannot be started: ") + error.what());
  }
  const auto limit = second_start_ ? Millis(std::chrono::seconds(function_->timeout_seconds)) : workshop_.init_time_max;
  set_deadline(started_at_ + limit);
  return std::nullopt;
}

// ---- Invocations.

void Environment::begin(Invoke invoke) {
  const auto timeout = std::chrono::seconds(function_->timeout_seconds);
  request_id_ = invoke.request.request_id;
  state_ = State::invoking;
  event_at_ = Clock::now();
  waited_ = event_at_ - since_;
  // One whose first start took too long has begun to use up the function's time with its second.
  if (!second_start_ || !deadline_) set_deadline(event_at_ + timeout);
  second_start_ = false;
  log_.start(request_id_);
  invoke_ = std::move(invoke);
  api_.deliver(event_of(*invoke_));
}

ApiEvent Environment::event_of(const Invoke& invoke) const {
  const RunRequest& request = invoke.request;
  std::string headers = "Content-Type: application/json\r\n";
  headers.reserve(512);
  const auto add = [&](const char* name, const std::string& value) {
    headers.append("Lambda-Runtime-").append(name).append(": ").append(value).append("\r\n");
  };
  add("Aws-Request-Id", request.request_id);
  add("Deadline-Ms", std::to_string(epoch_ms_after(*deadline_ - event_at_)));
  add("Invoked-Function-Arn", header_text(request.invoked_arn));
  add("Trace-Id", trace_of(request));
  // Runtimes read JSON in it, of which the client sent the base64.
  if (const auto context = decode_base64(request.client_context); context && !context->empty()) {
    add("Client-Context", header_text(*context));
  }
  return {std::move(headers), request.payload};
}

ApiReply Environment::refuse_transition(const char* to) const {
  return api_error(403, "InvalidStateTransition",
                   std::string("State transition from ") + name_of(state_) + " to " + to +
                       " failed for runtime. Error: State transition is not allowed");
}

bool Environment::on_next(ApiReply& refusal) {
  if (state_ == State::starting && !failed_init_) {
    init_ms_ = milliseconds_since(started_at_);
  } else if (state_ != State::answered) {
    refusal = refuse_transition("Ready");
    return false;
  }
  return true;
}

// An invocation is over at the `next` that follows it, and not at its response: what its process does in between is
// done in its time, and is in its log. A buffered answer goes to the caller no earlier either.
void Environment::on_waiting() {
  // What it uses can be told only once it is known which process it is, and on a busy machine it may be faster than the
  // report of its start.
  waits_for_start_ = state_ == State::starting && !sandbox_.has_started();
  if (waits_for_start_) return;
  finish_answered();
  const bool after_slow_start = state_ == State::starting && second_start_;
  if (!after_slow_start) deadline_.reset();
  state_ = State::idle;
  since_ = Clock::now();
  owner_.on_idle(*this);
}

// Its process lives, and may ask again; until then it cannot serve anybody.
void Environment::on_next_gone() {
  waits_for_start_ = false;
  if (state_ == State::idle) end();
}

ApiReply Environment::on_response(ApiReport report) { return take_answer(std::move(report), false); }
ApiReply Environment::on_error(ApiReport report) { return take_answer(std::move(report), true); }

ApiReply Environment::take_answer(ApiReport report, bool is_error) {
  if (report.request_id != request_id_) return api_error(400, "InvalidRequestID", "Invalid request ID");
  // One that is told to end may finish what it does.
  const bool last = state_ == State::ending && verdict_ == Verdict::told && invoke_ && !answer_;
  if (state_ != State::invoking && !last) {
    return refuse_transition(is_error ? "InvocationErrorResponse" : "InvocationResponse");
  }
  since_ = Clock::now();
  answer_ = outcome_of(report, is_error);
  if (!last) {
    state_ = State::answered;
    owner_.on_answered(*this);
  } else if (!answer_->succeeded()) {
    // What fails because it is told to end is to be tried again, like what does not answer any more.
    answer_ = shutting_down();
  }
  if (!report.too_large) return api_accepted();
  return api_error(413, "RequestEntityTooLarge",
                   "Exceeded maximum allowed payload size (" + std::to_string(answer_bytes_max) + " bytes).");
}

RunOutcome Environment::outcome_of(ApiReport& report, bool is_error) const {
  if (report.too_large) return response_too_large();
  RunOutcome outcome;
  outcome.payload = std::move(report.body);
  const bool streamed_error = !is_error && !report.error_type.empty();
  if (is_error || streamed_error) outcome.function_error = "Unhandled";
  if (!streamed_error) return outcome;
  // What was streamed before its error is of no use to who waits for all of it.
  const auto body = decode_base64(report.error_body);
  outcome.payload = body && !body->empty() ? *body : unhandled(report.error_type, "").payload;
  return outcome;
}

// One that is told to end is given no other event, and so need not ask for it.
void Environment::on_replied() {
  if (verdict_ == Verdict::told) finish_answered();
}

void Environment::finish_answered() {
  if (answer_) finish_invoke(std::move(*std::exchange(answer_, std::nullopt)));
}

void Environment::finish_invoke(RunOutcome outcome) {
  const double duration_ms = milliseconds_since(event_at_);
  sandbox_.drain();
  // To ask costs as much as all else that an invocation costs here, and what a short one has used beyond what was known
  // a moment before is little; the next one that is asked about shows it.
  const auto now = Clock::now();
  const bool in_succession = now - event_at_ <= peak_duration_min && waited_ <= peak_pause_min;
  if (state_ != State::answered || !in_succession || now - peak_asked_at_ > peak_interval) {
    peak_bytes_ = sandbox_.peak_bytes();
    peak_asked_at_ = now;
  }
  outcome.peak_bytes = peak_bytes_;
  log_.end(request_id_, function_->memory_mib, duration_ms, std::exchange(init_ms_, 0), outcome);
  Invoke invoke = std::move(*invoke_);
  invoke_.reset();
  answer_.reset();
  end_invoke(workshop_.io, std::move(invoke), std::move(outcome));
}

ApiReply Environment::on_init_error(ApiReport report) {
  if (state_ != State::starting || failed_init_) return refuse_transition("InitError");
  RunOutcome outcome;
  outcome.function_error = "Unhandled";
  outcome.payload = report.body.empty() ? unhandled(report.error_type, "").payload : std::move(report.body);
  failed_init_ = std::move(outcome);
  // It ends by itself, as runtimes do, or by force.
  set_deadline(Clock::now() + workshop_.grace_time);
  return api_accepted();
}

// ---- Time.

void Environment::set_deadline(Clock::time_point deadline) {
  deadline_ = deadline;
  if (!armed_for_ || *armed_for_ > deadline) arm();
}

// A timer that is set for an earlier deadline is left as it is: most invocations end long before theirs, and the timer
// then need not be touched for any of them.
void Environment::arm() {
  armed_for_ = deadline_;
  timer_.expires_at(*deadline_);
  timer_.async_wait([this, self = self_.lock()](const error_code& error) {
    if (!error) on_timer();
  });
}

void Environment::on_timer() {
  armed_for_.reset();
  if (!deadline_ || state_ == State::over) return;
  if (*deadline_ > Clock::now()) return arm();
  deadline_.reset();
  on_deadline();
}

void Environment::on_deadline() {
  if (state_ == State::ending) {
    if (verdict_ == Verdict::timeout) return release_after_kill();
    return sandbox_.kill();
  }
  if (state_ == State::idle) return;
  if (failed_init_) return sandbox_.kill();
  if (state_ == State::starting) {
    const bool first = !second_start_;
    verdict_ = first ? Verdict::init_timeout : Verdict::timeout;
    if (!first) state_ = State::ending;
    return sandbox_.kill();
  }
  // It has an event, or has answered and does something else instead of asking for the next one. That is a timeout of
  // the invocation as well, and so its answer counts for nothing.
  state_ = State::ending;
  verdict_ = Verdict::timeout;
  sandbox_.kill();
  set_deadline(Clock::now() + burial_time_max);
}

void Environment::release_after_kill() {
  if (!invoke_) return;
  RunOutcome outcome = timed_out(request_id_, timeout_seconds());
  note_end(outcome, SIGKILL, request_id_);
  finish_invoke(std::move(outcome));
  lose(std::nullopt);
}

// ---- The process.

void Environment::on_line(std::string_view line) { log_.line(line); }

void Environment::on_started() {
  if (std::exchange(waits_for_start_, false)) on_waiting();
}

void Environment::on_start_failed(int error) {
  api_.close();
  deadline_.reset();
  timer_.cancel();
  const auto self = self_.lock();
  state_ = State::over;
  RunOutcome outcome = not_executable(request_id_, executable_, error);
  note_refusal(outcome);
  lose(std::move(outcome));
  owner_.on_over(*this);
}

RunOutcome Environment::outcome_of_end(int status, const std::string& request_id) const {
  if (sandbox_.killed_for_memory()) return exited(request_id, killed_text);
  if (verdict_ == Verdict::timeout) return timed_out(request_id, timeout_seconds());
  if (failed_init_) return *failed_init_;
  // Of those that have something to do only a shutdown ends any, which is no failure of theirs.
  if (verdict_ == Verdict::told) return shutting_down();
  if (sandbox_.lost()) return process_lost();
  // What it has told of an error says more than that it exits then, as Node's runtime does. A good answer counts for
  // nothing without the `next` behind it: the service calls that an exit like any other.
  if (answer_ && !answer_->succeeded()) return *answer_;
  return exited(request_id, exit_text(status));
}

// What the service writes into the log of a process that has ended by itself or by force.
void Environment::note_end(const RunOutcome& outcome, int status, const std::string& request_id) {
  if (failed_init_ && !sandbox_.killed_for_memory()) return;
  if (verdict_ == Verdict::timeout && !sandbox_.killed_for_memory()) {
    log_.line(timestamp() + " " + request_id + " Task timed out after " + two_decimals(timeout_seconds()) + " seconds");
    return;
  }
  std::string how = sandbox_.killed_for_memory() ? std::string(killed_text) : exit_text(status);
  if (outcome.status != RunOutcome::Status::answered) how = outcome.message;
  log_.line("RequestId: " + request_id + " Error: " + how);
  if (!outcome.function_error.empty()) log_.line("Runtime.ExitError");
}

void Environment::on_exit(int status) {
  const auto self = self_.lock();
  if (state_ == State::starting && verdict_ == Verdict::init_timeout && !sandbox_.killed_for_memory()) {
    log_.line("INIT_REPORT Init Duration: " + two_decimals(milliseconds_since(started_at_)) +
              " ms\tPhase: init\tStatus: timeout");
    verdict_ = Verdict::none;
    second_start_ = true;
    auto refused = launch(request_id_);
    if (!refused) return;
    note_refusal(*refused);
    lose(std::move(refused));
  } else if (invoke_) {
    RunOutcome outcome = outcome_of_end(status, request_id_);
    note_end(outcome, status, request_id_);
    state_ = State::ending;
    finish_invoke(std::move(outcome));
    lose(std::nullopt);
  } else if (state_ == State::starting || (state_ == State::ending && second_start_)) {
    RunOutcome outcome = outcome_of_end(status, request_id_);
    log_.start(request_id_);
    note_end(outcome, status, request_id_);
    outcome.peak_bytes = sandbox_.peak_bytes();
    log_.end(request_id_, function_->memory_mib, milliseconds_since(started_at_), 0, outcome);
    lose(std::move(outcome));
  } else {
    // Nobody is told of it but who reads the log.
    if (sandbox_.killed_for_memory()) note_end(exited(request_id_, killed_text), status, request_id_);
    lose(std::nullopt);
  }
  state_ = State::over;
  deadline_.reset();
  timer_.cancel();
  api_.close();
  owner_.on_over(*this);
}

// ---- The end.

void Environment::lose(std::optional<RunOutcome> outcome) { owner_.on_lost(*this, std::move(outcome)); }

void Environment::end() {
  if (state_ == State::ending || state_ == State::over) return;
  // It has answered, and is not waited for until it asks for more.
  finish_answered();
  state_ = State::ending;
  verdict_ = Verdict::told;
  second_start_ = false;
  lose(std::nullopt);
  sandbox_.signal(SIGTERM);
  set_deadline(Clock::now() + workshop_.grace_time);
}

void Environment::abandon() {
  state_ = State::over;
  deadline_.reset();
  timer_.cancel();
  api_.close();
  sandbox_.abandon();
}

}  // namespace penstock::runner
