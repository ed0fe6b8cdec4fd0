// An invocation on its way through a pool.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "penstock/runner.hpp"
#include "runner/log_book.hpp"
#include "runner/sandbox.hpp"

namespace penstock::runner {

/// The secret access key of an account's functions.
using SecretOfAccount = std::function<std::string(const std::string& account)>;

using Clock = std::chrono::steady_clock;

struct Invoke {
  RunRequest request;
  Runner::Ended ended;
};

/// What the pool's parts share.
struct Workshop {
  boost::asio::io_context& io;
  Sandbox::Context sandbox;
  LogBook& logs;
  std::string bootstrap_directory;
  std::string endpoint_url;
  SecretOfAccount secret_of;
  Millis init_time_max;
  Millis grace_time;  ///< between SIGTERM and SIGKILL
};

/// Calls back from the event loop, so that whoever is called may start the next invocation without being in the way of
/// who calls.
inline void end_invoke(boost::asio::io_context& io, Invoke invoke, RunOutcome outcome) {
  boost::asio::post(
      io, [ended = std::move(invoke.ended), outcome = std::move(outcome)]() mutable { ended(std::move(outcome)); });
}

inline double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The name of an environment's log stream: `2024/01/31/[$LATEST]<32 hex digits>`.
std::string new_log_stream();

/// `2024-01-31T12:00:00.000Z`, as the service's own lines begin.
std::string timestamp();

}  // namespace penstock::runner
