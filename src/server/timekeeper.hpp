// Who asks all parts of the server at once: changes its clock, knows when all that followed has come to rest, and what
// became of a message.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "penstock/server_commands.hpp"
#include "server/clock.hpp"
#include "server/pulse.hpp"

namespace penstock::server {

/// Lives in the thread of its context. Whether the server is at rest is found out by two rounds through all parts: if
/// each was quiet both times, and none has begun anything in between, then nothing is on its way between them either,
/// since what one posts to another before the first round is over is there before the second comes by.
class Timekeeper {
 public:
  using Completion = std::function<void(ServerResult)>;

  /// `parts` may be added until the first command. `virtual_clock` is nullptr where the clock is the real one, and else
  /// the same clock. `keep` has a moment stored that the virtual clock shows or is about to show. What is handed in
  /// outlives it.
  Timekeeper(boost::asio::io_context& context, const Clock& clock, VirtualClock* virtual_clock,
             std::function<void(Instant)> keep);
  Timekeeper(const Timekeeper&) = delete;
  Timekeeper& operator=(const Timekeeper&) = delete;

  void add(Timed& part) { parts_.push_back(&part); }

  /// Answers always, in this thread, and only from a later turn of it.
  void submit(const ReadClock& command, Completion completion);
  void submit(const ChangeClock& command, Completion completion);
  void submit(const AwaitIdle& command, Completion completion);
  void submit(const TraceMessage& command, Completion completion);

  /// Answers all that wait with what is known, and from now on without waiting.
  void stop();

 private:
  using Real = std::chrono::steady_clock;

  struct Round {
    bool quiet = true;
    std::uint64_t work = 0;
    std::optional<Instant> next;
    BusyList busy;
  };
  /// Somebody who waits for the server to be at rest.
  struct Watch {
    bool with_names = false;
    Real::time_point until{};
    std::function<void(bool settled, Round round)> done;
    std::optional<Round> before{};  ///< the round before, if that was quiet
    int rounds = 0;
    boost::asio::steady_timer pause;
  };
  struct Change {
    ChangeClock command;
    Completion completion;
  };

  void take_round(bool with_names, std::function<void(Round)> taken);
  void watch(bool with_names, Real::time_point until, std::function<void(bool, Round)> done);
  void look(const std::shared_ptr<Watch>& watch);
  void looked(const std::shared_ptr<Watch>& watch, Round round);
  void finish(const std::shared_ptr<Watch>& watch, bool settled, Round round);
  void await_idle(Real::time_point until, int tries, Completion completion);

  void begin_change();
  void settle_then_step();
  void step(bool settled, const Round& round);
  void show(Instant at);
  void tell_parts();
  void keep_on();
  void end_change(bool settled, const Round& round);
  ClockState state_of(const Round& round) const;

  boost::asio::io_context& context_;
  const Clock& clock_;
  VirtualClock* const virtual_clock_;
  const std::function<void(Instant)> keep_;
  std::vector<Timed*> parts_;
  std::list<std::shared_ptr<Watch>> watches_;
  std::size_t idle_waits_ = 0;
  boost::asio::steady_timer keep_timer_{context_};
  bool keeps_on_ = false;
  bool stopping_ = false;

  std::deque<Change> changes_;  ///< the first is being made
  std::optional<Instant> target_;
  bool to_next_ = false;
  bool was_frozen_ = false;
  std::uint64_t steps_ = 0;
  Real::time_point change_until_;
};

}  // namespace penstock::server
