// The Runner port: function processes, whoever runs them. The simulation's are scripted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "penstock/functions.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// One invocation that is to be run now: that there is room for it has been seen to.
struct RunRequest {
  std::string request_id;                          ///< UUID
  std::shared_ptr<const FunctionRecord> function;  ///< an environment of this generation runs it
  std::string invoked_arn;                         ///< InvokedFunctionArn
  std::shared_ptr<const std::string> payload;      ///< JSON
  std::string client_context;                      ///< base64 as it was sent; empty if there is none
  std::string trace_id;                            ///< of X-Ray; empty if there is none
};

/// How an invocation ended.
struct RunOutcome {
  /// Whether there is an answer, whatever the function makes of it.
  enum class Status : std::uint8_t {
    answered,   ///< with a payload, which may be an error of the function
    throttled,  ///< the emulator behind a URL had no room: to be tried again, and counted for nothing
    failed,     ///< it could not be run: no such program, an emulator that will not. `message` says why
    unreached,  ///< nobody was there to run it, as where nothing listens at a URL: to be tried again, and counted for
                ///< nothing. `message` says why
  };
  Status status = Status::answered;
  std::string function_error;  ///< "Unhandled" or what an emulator said; empty if it succeeded
  std::string payload;
  std::string message;   ///< of failed and unreached, and of what the function has not told itself: for a person
  std::string log_tail;  ///< the last 4 KiB of its log, START, END and REPORT lines included
  Millis duration{0};
  Millis init{0};                ///< of a cold start; 0 if it found a warm environment
  std::uint64_t peak_bytes = 0;  ///< of memory

  bool succeeded() const { return status == Status::answered && function_error.empty(); }
};

/// Environments are started when there is no idle one of the function's generation, kept warm and ended when they have
/// been idle for long. Not thread-safe: lives in one thread, in which it also calls back.
class Runner {
 public:
  using Ended = std::function<void(RunOutcome)>;

  Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  virtual ~Runner() = default;

  /// `ended` is called once, and never before this returns.
  virtual void run(RunRequest request, Ended ended) = 0;

  /// Environments of the function that are older than `generation` end as soon as they are idle.
  virtual void retire(const FunctionName& function, std::uint64_t generation) = 0;
};

}  // namespace penstock
