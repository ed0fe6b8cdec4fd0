#include "runner/exec_run.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <exception>
#include <utility>

#include "runner/adopt.hpp"
#include "runner/launch.hpp"
#include "runner/outcomes.hpp"
#include "runner/text.hpp"

namespace penstock::runner {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Of stderr, in the message of a failure.
constexpr std::size_t error_bytes_max = 2'048;

}  // namespace

ExecRun::ExecRun(const Workshop& workshop, Invoke invoke, Over over)
    : workshop_(workshop),
      invoke_(std::move(invoke)),
      over_(std::move(over)),
      function_(*invoke_.request.function),
      sandbox_(workshop.sandbox, *this),
      log_(workshop.logs, function_.name),
      input_(workshop.io),
      timer_(workshop.io) {}

void ExecRun::start(const std::shared_ptr<ExecRun>& self, CodePlace code) {
  self_ = self;
  code_ = std::move(code);
  started_at_ = Clock::now();
  log_.start(invoke_.request.request_id);
  auto refused = launch();
  if (refused) {
    asio::post(workshop_.io, [this, self, outcome = std::move(*refused)] { finish(outcome); });
    return;
  }
  arm(std::chrono::seconds(function_.timeout_seconds));
  write_event(0);
}

std::optional<RunOutcome> ExecRun::launch() {
  Launch launch = launch_of(function_,
                            {.code_directory = code_.directory,
                             .bootstrap_directory = workshop_.bootstrap_directory,
                             .endpoint_url = workshop_.endpoint_url,
                             .secret_access_key = workshop_.secret_of(function_.name.account),
                             .log_stream = new_log_stream()},
                            invoke_.request.request_id);
  if (launch.refused) return std::move(launch.refused);
  launch.request.environment.push_back("AWS_LAMBDA_REQUEST_ID=" + invoke_.request.request_id);
  executable_ = launch.request.path;
  try {
    sandbox_.start(self_.lock(), launch.request, static_cast<std::uint64_t>(function_.memory_mib) << 20U,
                   Sandbox::Input::piped, Sandbox::Output::data);
    adopt(input_, sandbox_.take_input());
  } catch (const std::exception& error) {
    sandbox_.abandon();
    return failed(std::string("The function's process cannot be started: ") + error.what());
  }
  return std::nullopt;
}

// A process need not read its event, and may end before it has.
void ExecRun::write_event(std::size_t written) {
  const std::string& event = *invoke_.request.payload;
  if (written == event.size()) {
    error_code ignored;
    input_.close(ignored);
    return;
  }
  input_.async_write_some(asio::buffer(event) + written,
                          [this, self = self_.lock(), written](const error_code& error, std::size_t sent) {
                            if (!error) return write_event(written + sent);
                            error_code ignored;
                            if (input_.is_open()) input_.close(ignored);
                          });
}

void ExecRun::arm(Millis time) {
  timer_.expires_after(time);
  timer_.async_wait([this, self = self_.lock()](const error_code& error) {
    if (error) return;
    late_ = true;
    sandbox_.kill();
  });
}

void ExecRun::end() {
  told_ = true;
  sandbox_.signal(SIGTERM);
  timer_.expires_after(workshop_.grace_time);
  timer_.async_wait([this, self = self_.lock()](const error_code& error) {
    if (!error) sandbox_.kill();
  });
}

void ExecRun::abandon() {
  timer_.cancel();
  error_code ignored;
  if (input_.is_open()) input_.close(ignored);
  sandbox_.abandon();
}

void ExecRun::on_line(std::string_view line) {
  log_.line(line);
  errors_.append(line).push_back('\n');
  if (errors_.size() > 4 * error_bytes_max) errors_.erase(0, errors_.size() - error_bytes_max);
}

void ExecRun::on_data(std::string_view bytes) {
  if (too_large_) return;
  if (answer_.size() + bytes.size() > answer_bytes_max) {
    too_large_ = true;
    answer_ = {};
    return sandbox_.kill();
  }
  answer_.append(bytes);
}

void ExecRun::on_start_failed(int error) { finish(not_executable(invoke_.request.request_id, executable_, error)); }

void ExecRun::on_exit(int status) { finish(outcome_of_end(status)); }

RunOutcome ExecRun::outcome_of_end(int status) const {
  const std::string& id = invoke_.request.request_id;
  if (sandbox_.killed_for_memory()) return exited(id, killed_text);
  if (too_large_) return response_too_large();
  if (late_) return timed_out(id, static_cast<double>(function_.timeout_seconds));
  // One that has been told to end may still come to its own end. Whatever else becomes of it is no failure of it.
  const bool is_done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (told_ && !is_done) return shutting_down();
  if (sandbox_.lost()) return process_lost();
  if (!is_done) {
    std::string_view why = tail_of(errors_, error_bytes_max);
    while (why.ends_with('\n')) why.remove_suffix(1);
    RunOutcome outcome = exited(id, exit_text(status));
    // What it has written stands in the log already.
    if (!why.empty()) outcome.payload = exited(id, exit_text(status) + ": " + std::string(why)).payload;
    return outcome;
  }
  return {};
}

void ExecRun::finish(RunOutcome outcome) {
  const std::string& id = invoke_.request.request_id;
  timer_.cancel();
  error_code ignored;
  if (input_.is_open()) input_.close(ignored);
  if (!late_ || sandbox_.killed_for_memory()) {
    log_.failure(id, outcome);
  } else {
    log_.line(timestamp() + " " + id + " Task timed out after " +
              two_decimals(static_cast<double>(function_.timeout_seconds)) + " seconds");
  }
  outcome.peak_bytes = sandbox_.peak_bytes();
  if (outcome.succeeded()) outcome.payload = std::move(answer_);
  log_.end(id, function_.memory_mib, milliseconds_since(started_at_), 0, outcome);
  end_invoke(workshop_.io, std::move(invoke_), std::move(outcome));
  over_(*this);
}

}  // namespace penstock::runner
