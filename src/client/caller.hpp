// Asks the server until it has answered, since it may be away, busy or on its way up.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "penstock/client.hpp"

namespace penstock::client {

/// Throws Error, or MemberReplaced, unless the answer is a success.
void check(const Answer& answer);

/// Whether the same request may be answered otherwise later.
bool may_mend(const Error& error);

class Caller {
 public:
  /// All of it outlives this.
  Caller(const Options& options, World& world, Line& line, const std::atomic<bool>& stopping)
      : options_(options), world_(world), line_(line), stopping_(stopping) {}

  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  /// The answer, a success. An interruptible request gets nothing once it is to stop; another is tried until `until`,
  /// or for `patience` after it is to stop, and then throws Unreachable. Throws Error for what does not mend.
  std::optional<Answer> ask(const Request& request, std::chrono::milliseconds patience, Deadline until = {});

  /// Until then, or until it is to stop.
  void pause(const std::string& why, std::chrono::milliseconds length);

 private:
  /// The answer to one attempt; nothing, and why, if another one is worth it.
  std::optional<Answer> attempt(const Request& request, std::string& why);

  const Options& options_;
  World& world_;
  Line& line_;
  const std::atomic<bool>& stopping_;
};

}  // namespace penstock::client
