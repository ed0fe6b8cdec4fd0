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
#include "storage/clock_record.hpp"

namespace penstock::server {

/// Lives in the thread of its context. Whether the server is at rest is found out by two rounds through all parts: if
/// each was quiet both times, and none has begun anything in between, then nothing is on its way between them either,
/// since what one posts to another before the first round is over is there before the second comes by.
class Timekeeper {
 public:
  using Completion = std::function<void(ServerResult)>;

  /// Where the virtual clock is stored.
  struct Keeping {
    std::function<void(const storage::ClockRecord&)> keep;  ///< behind what it was given before, ahead of what follows
    std::function<bool()> is_kept;                          ///< whether all that it was given survives the process
  };

  /// `parts` may be added until the first command. `virtual_clock` is nullptr where the clock is the real one, and else
  /// the same clock. What is handed in outlives it.
  Timekeeper(boost::asio::io_context& context, const Clock& clock, VirtualClock* virtual_clock, Keeping keeping);
  Timekeeper(const Timekeeper&) = delete;
  Timekeeper& operator=(const Timekeeper&) = delete;

  void add(Timed& part) { parts_.push_back(&part); }

  /// From now on what is stored is no less than what the virtual clock shows, and more only while that runs. If there
  /// is `later`, the clock is stored as running like that already.
  void start(std::optional<storage::ClockRecord> later);
  /// Has the virtual clock run as was said to be later.
  void go_on();
  /// Stores what the virtual clock shows, which nobody sees go on from there.
  void keep_last();

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
    std::optional<Instant> next_observable;
    std::optional<core::AwaitedMembers> awaited;
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

  std::optional<Error> objection_to(const ChangeClock& command) const;
  void begin_change();
  void settle_then_step();
  void step(bool settled, const Round& round);
  bool waits_for_members(const Round& round, Instant stop);
  void show(Instant at);
  void run_as(bool frozen, std::int64_t speed);
  void tell_parts();
  void keep(Instant at);
  void keep_on();
  void end_change(bool settled, const Round& round);
  void answer_when_kept(ServerResult result);
  void answer_change(ServerResult result);
  bool is_frozen() const { return changes_.empty() ? virtual_clock_->is_frozen() : was_frozen_; }
  ClockState state_of(const Round& round) const;

  boost::asio::io_context& context_;
  const Clock& clock_;
  VirtualClock* const virtual_clock_;
  const Keeping keeping_;
  std::vector<Timed*> parts_;
  std::list<std::shared_ptr<Watch>> watches_;
  std::size_t idle_waits_ = 0;
  boost::asio::steady_timer keep_timer_{context_};
  std::optional<storage::ClockRecord> later_;
  bool stopping_ = false;

  std::deque<Change> changes_;  ///< the first is being made
  std::optional<Instant> target_;
  bool to_next_ = false;  ///< the target is the next moment at which a client could see something, once that is known
  bool at_next_ = false;  ///< and the clock was brought there
  bool was_frozen_ = false;  ///< and is to be again, of a change that is being made
  std::uint64_t steps_ = 0;
  std::optional<Instant> awaited_since_;  ///< the latest end of a poll whose member was waited for
  Real::time_point awaited_until_;
  int awaited_looks_ = 0;
  Real::time_point change_until_;
};

}  // namespace penstock::server
