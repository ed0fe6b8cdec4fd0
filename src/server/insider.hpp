// Commands from within the server, for a thread that may wait for what comes of them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/trigger_commands.hpp"
#include "server/service.hpp"

namespace penstock::server {

/// Asks the shards and the triggers. Any thread but theirs.
class Insider {
 public:
  /// The server is stopping, and there is no answer.
  class Closed : public std::runtime_error {
   public:
    Closed() : std::runtime_error("the server is stopping") {}
  };

  explicit Insider(const Service& service) : service_(service) {}
  Insider(const Insider&) = delete;
  Insider& operator=(const Insider&) = delete;

  /// Commands that are open at a time, so that their commits are shared.
  static constexpr std::size_t open_max = 64;

  /// Waits for the answers, which come in the order of the commands. Throws Closed. REQUIRES: none of the commands is
  /// asked of all shards.
  std::vector<Result> ask_each(std::vector<Command> commands);
  std::vector<TriggerResult> ask_each(std::vector<TriggerCommand> commands);
  /// Waits. Throws Closed.
  void pause(std::chrono::milliseconds time);
  /// Lets go of whoever waits. Any thread.
  void close();

 private:
  /// Outlives whoever waits for it, since an answer may come after that.
  /// Lives on while an answer may still come.
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    bool closed = false;
  };

  template <class Answer, class Commands, class Submit>
  std::vector<Answer> ask_all(Commands commands, const Submit& submit);

  const Service& service_;
  const std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace penstock::server
