#include "server/timekeeper.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <type_traits>
#include <utility>

#include "protocol/times.hpp"

namespace penstock::server {

namespace asio = boost::asio;

namespace {

/// Rounds that follow each other at once; what takes longer is looked at with pauses that grow.
constexpr int hasty_rounds = 64;
constexpr std::chrono::microseconds pause_min{200};
constexpr std::chrono::microseconds pause_max{20'000};

/// A clock that runs is stored so often, as time really passes, and so far ahead: with room for a thread that is late.
constexpr Millis keep_interval{500};
constexpr Millis keep_ahead{1'000};

/// To look takes more than a moment, also for who does not want to wait.
constexpr Millis look_time{100};

/// How long, really, a leap waits for members whose polls it has ended to poll again before it ends their leases.
/// Whoever is alive does so at once, and has this for a machine that is busy.
constexpr std::chrono::milliseconds members_return_max{500};

/// How long it may take, for who waits so long.
Millis time_for(Millis wait) { return std::clamp(wait, look_time, server_limits::settle_time_max); }

std::chrono::microseconds pause_after(int rounds) {
  std::chrono::microseconds pause = pause_min;
  for (int i = hasty_rounds; i < rounds && pause < pause_max; ++i) pause *= 2;
  return std::min(pause, pause_max);
}

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

Error not_virtual() {
  return {ErrorCode::NotEnabled,
          "The server's clock is the real one. Start it with --clock virtual to be in charge of it."};
}

Error too_many() { return {ErrorCode::ServerBusy, {}}; }

Error in_the_past(Instant now) {
  return {ErrorCode::InvalidRequest, "The clock shows " + protocol::format_time(now) + " and only goes forward."};
}

Error too_far() {
  return {ErrorCode::InvalidRequest,
          "The clock goes up to " + protocol::format_time(server_limits::clock_max) + " and no further."};
}

}  // namespace

Timekeeper::Timekeeper(asio::io_context& context, const Clock& clock, VirtualClock* virtual_clock, Keeping keeping)
    : context_(context), clock_(clock), virtual_clock_(virtual_clock), keeping_(std::move(keeping)) {}

// ---- Rounds

void Timekeeper::take_round(bool with_names, std::function<void(Round)> taken) {
  struct Gathering {
    std::size_t missing;
    Round round;
    std::function<void(Round)> taken;
  };
  auto gathering = std::make_shared<Gathering>(Gathering{parts_.size(), {}, std::move(taken)});
  for (Timed* const part : parts_) {
    asio::post(part->context(), [this, part, with_names, gathering] {
      Pulse pulse = part->pulse(with_names);
      asio::post(context_, [gathering, pulse = std::move(pulse)]() mutable {
        Round& round = gathering->round;
        round.quiet = round.quiet && pulse.quiet;
        round.work += pulse.work;
        round.next = earlier(round.next, pulse.next);
        round.next_observable = earlier(round.next_observable, pulse.next_observable);
        if (pulse.awaited && !round.awaited) round.awaited = pulse.awaited;
        if (pulse.awaited) {
          round.awaited->leases_end = std::min(round.awaited->leases_end, pulse.awaited->leases_end);
          round.awaited->since = std::max(round.awaited->since, pulse.awaited->since);
        }
        const std::size_t room = busy_named_max - std::min(busy_named_max, round.busy.size());
        const auto count = static_cast<std::ptrdiff_t>(std::min(room, pulse.busy.size()));
        std::move(pulse.busy.begin(), pulse.busy.begin() + count, std::back_inserter(round.busy));
        if (--gathering->missing == 0) gathering->taken(std::move(round));
      });
    });
  }
}

void Timekeeper::watch(bool with_names, Real::time_point until, std::function<void(bool, Round)> done) {
  auto watch = std::make_shared<Watch>(Watch{with_names, until, std::move(done), {}, 0, asio::steady_timer(context_)});
  watches_.push_back(watch);
  look(watch);
}

void Timekeeper::look(const std::shared_ptr<Watch>& watch) {
  ++watch->rounds;
  take_round(watch->with_names, [this, watch](Round round) { looked(watch, std::move(round)); });
}

void Timekeeper::looked(const std::shared_ptr<Watch>& watch, Round round) {
  // What is due by now is about to happen.
  if (round.next && *round.next <= clock_.now()) round.quiet = false;
  const bool settled = round.quiet && watch->before && watch->before->work == round.work;
  if (settled || stopping_ || Real::now() >= watch->until) return finish(watch, settled, std::move(round));
  const bool again_at_once = round.quiet || watch->rounds < hasty_rounds;
  watch->before.reset();
  if (round.quiet) watch->before = std::move(round);
  if (again_at_once) return look(watch);
  watch->pause.expires_after(pause_after(watch->rounds));
  watch->pause.async_wait([this, watch](const boost::system::error_code&) { look(watch); });
}

void Timekeeper::finish(const std::shared_ptr<Watch>& watch, bool settled, Round round) {
  watches_.remove(watch);
  watch->done(settled, std::move(round));
}

void Timekeeper::stop() {
  stopping_ = true;
  for (const auto& watch : watches_) watch->pause.cancel();
}

// ---- Rest

void Timekeeper::submit(const AwaitIdle& command, Completion completion) {
  if (idle_waits_ >= server_limits::idle_waits_max) return completion(too_many());
  ++idle_waits_;
  await_idle(Real::now() + time_for(command.wait), 0, std::move(completion));
}

void Timekeeper::await_idle(Real::time_point until, int tries, Completion completion) {
  watch(true, until, [this, until, tries, completion = std::move(completion)](bool settled, Round round) mutable {
    const bool idle = settled && round.busy.empty();
    if (idle || stopping_ || Real::now() >= until) {
      --idle_waits_;
      return completion(Idleness{idle, std::move(round.busy)});
    }
    // It is at rest, but waits for time or for a client.
    auto pause = std::make_shared<asio::steady_timer>(context_, pause_after(hasty_rounds + tries));
    pause->async_wait(
        [this, pause, until, tries, completion = std::move(completion)](const boost::system::error_code&) mutable {
          await_idle(until, tries + 1, std::move(completion));
        });
  });
}

// ---- Messages

void Timekeeper::submit(const TraceMessage& command, Completion completion) {
  struct Gathering {
    std::size_t missing;
    std::vector<std::vector<MessageStep>> of_parts;
    Completion completion;
  };
  auto gathering = std::make_shared<Gathering>(
      Gathering{parts_.size(), std::vector<std::vector<MessageStep>>(parts_.size()), std::move(completion)});
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    asio::post(parts_[i]->context(), [this, i, id = command.message_id, gathering] {
      asio::post(context_, [gathering, i, id, steps = parts_[i]->trace(id)]() mutable {
        gathering->of_parts[i] = std::move(steps);
        if (--gathering->missing > 0) return;
        // At one moment, what queues did comes before what mappings made of it.
        std::vector<MessageStep> all;
        for (auto& each : gathering->of_parts) std::move(each.begin(), each.end(), std::back_inserter(all));
        if (all.empty()) {
          return gathering->completion(Error{
              ErrorCode::NotFound, "Nothing is known of a message '" + id + "': there was none, or it was long ago."});
        }
        std::ranges::stable_sort(all, {}, &MessageStep::at);
        gathering->completion(MessageTrace{std::move(all)});
      });
    });
  }
}

// ---- Time

ClockState Timekeeper::state_of(const Round& round) const {
  ClockState state;
  state.now = clock_.now();
  state.next = round.next_observable;
  if (virtual_clock_ == nullptr) return state;
  state.is_virtual = true;
  state.frozen = is_frozen();
  state.speed = virtual_clock_->speed();
  return state;
}

void Timekeeper::submit(const ReadClock& /*command*/, Completion completion) {
  take_round(false, [this, completion = std::move(completion)](const Round& round) { completion(state_of(round)); });
}

void Timekeeper::submit(const ChangeClock& command, Completion completion) {
  if (virtual_clock_ == nullptr) return completion(not_virtual());
  if (changes_.size() >= server_limits::clock_changes_waiting_max) return completion(too_many());
  changes_.push_back(Change{command, std::move(completion)});
  if (changes_.size() == 1) begin_change();
}

std::optional<Error> Timekeeper::objection_to(const ChangeClock& command) const {
  const Instant now = clock_.now();
  if (const auto* set = std::get_if<SetClock>(&command.change)) {
    if (set->to < now) return in_the_past(now);
    if (set->to > server_limits::clock_max) return too_far();
  }
  const auto* advance = std::get_if<AdvanceClock>(&command.change);
  if (advance != nullptr && advance->by > server_limits::clock_max - now) return too_far();
  return std::nullopt;
}

// Of an advance the clock stands still between its steps, so that what happens at each does not depend on how fast the
// machine is.
void Timekeeper::begin_change() {
  const ChangeClock& command = changes_.front().command;
  was_frozen_ = virtual_clock_->is_frozen();
  if (auto objection = objection_to(command)) return answer_change(std::move(*objection));
  change_until_ = Real::now() + time_for(command.wait_max);
  target_.reset();
  to_next_ = at_next_ = false;
  steps_ = 0;
  std::int64_t speed = virtual_clock_->speed();
  std::visit(
      [this, &speed](const auto& change) {
        using Kind = std::remove_cvref_t<decltype(change)>;
        if constexpr (std::is_same_v<Kind, FreezeClock>) {
          was_frozen_ = change.frozen;
        } else if constexpr (std::is_same_v<Kind, SpeedClock>) {
          speed = change.factor;
        } else {
          virtual_clock_->freeze(true);
          if constexpr (std::is_same_v<Kind, AdvanceClock>) target_ = clock_.now() + change.by;
          if constexpr (std::is_same_v<Kind, SetClock>) target_ = change.to;
          to_next_ = std::is_same_v<Kind, AdvanceClockToNext>;
        }
      },
      command.change);
  if (target_ || to_next_) return settle_then_step();
  run_as(was_frozen_, speed);
  take_round(false, [this](const Round& round) { end_change(true, round); });
}

void Timekeeper::settle_then_step() {
  watch(false, change_until_, [this](bool settled, const Round& round) { step(settled, round); });
}

void Timekeeper::step(bool settled, const Round& round) {
  if (!settled || steps_ >= server_limits::clock_steps_max) return end_change(false, round);
  if (to_next_) {
    // What happens on the way, unseen, may bring it nearer or put it off.
    const Instant next = at_next_ ? clock_.now() : round.next_observable.value_or(clock_.now());
    target_ = std::min(next, server_limits::clock_max);
  }
  const Instant stop = round.next ? std::min(*round.next, *target_) : *target_;
  if (stop > clock_.now() && waits_for_members(round, stop)) {
    auto pause = std::make_shared<asio::steady_timer>(context_, pause_after(awaited_looks_++));
    return pause->async_wait([this, pause](const boost::system::error_code&) { settle_then_step(); });
  }
  if (round.next && *round.next <= *target_) {
    ++steps_;
    at_next_ = round.next_observable && *round.next_observable <= *round.next;
    show(*round.next);
  } else if (clock_.now() < *target_) {
    show(*target_);
  } else {
    return end_change(true, round);
  }
  settle_then_step();
}

// One time for all whose polls ended by the same moment, so that it does not matter how many are really gone.
bool Timekeeper::waits_for_members(const Round& round, Instant stop) {
  if (!round.awaited || round.awaited->leases_end > stop) return false;
  if (awaited_since_ != round.awaited->since) {
    awaited_since_ = round.awaited->since;
    awaited_until_ = Real::now() + members_return_max;
    awaited_looks_ = 0;
  }
  return !stopping_ && Real::now() < std::min(awaited_until_, change_until_);
}

// It is stored first, and all that comes of it is stored behind that.
void Timekeeper::show(Instant at) {
  keep(at);
  virtual_clock_->set(at);
  tell_parts();
}

void Timekeeper::run_as(bool frozen, std::int64_t speed) {
  if (!frozen) keep(clock_.now() + keep_ahead * speed);
  virtual_clock_->set_speed(speed);
  virtual_clock_->freeze(frozen);
  tell_parts();
  keep_on();
}

// ---- What is stored of it

void Timekeeper::start(std::optional<storage::ClockRecord> later) {
  if (virtual_clock_ == nullptr) return;
  later_ = later;
  keep_on();
}

void Timekeeper::go_on() {
  if (const auto later = std::exchange(later_, std::nullopt)) run_as(later->frozen, later->speed);
}

void Timekeeper::keep_last() {
  if (virtual_clock_ != nullptr) keep(clock_.now());
}

void Timekeeper::keep(Instant at) {
  storage::ClockRecord record{std::min(at, server_limits::clock_max), is_frozen(), virtual_clock_->speed()};
  if (later_) {
    record.frozen = later_->frozen;
    record.speed = later_->speed;
  }
  keeping_.keep(record);
}

void Timekeeper::keep_on() {
  if (virtual_clock_->is_frozen()) {
    keep_timer_.cancel();
    return keep(clock_.now());
  }
  keep(clock_.now() + keep_ahead * virtual_clock_->speed());
  keep_timer_.expires_after(keep_interval);
  keep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) keep_on();
  });
}

void Timekeeper::tell_parts() {
  for (Timed* const part : parts_) {
    asio::post(part->context(), [part] { part->clock_changed(); });
  }
}

void Timekeeper::end_change(bool settled, const Round& round) {
  if (virtual_clock_->is_frozen() != was_frozen_) {
    run_as(was_frozen_, virtual_clock_->speed());
  } else {
    keep_on();
  }
  ClockState state = state_of(round);
  state.settled = settled;
  if (!settled) state.target = target_;
  state.steps = steps_;
  answer_when_kept(state);
}

// A client that was told of a moment finds the clock there, or later, whatever becomes of the process.
void Timekeeper::answer_when_kept(ServerResult result) {
  if (stopping_ || keeping_.is_kept()) return answer_change(std::move(result));
  auto pause = std::make_shared<asio::steady_timer>(context_, pause_min);
  pause->async_wait([this, pause, result = std::move(result)](const boost::system::error_code&) mutable {
    answer_when_kept(std::move(result));
  });
}

void Timekeeper::answer_change(ServerResult result) {
  const Completion completion = std::move(changes_.front().completion);
  changes_.pop_front();
  completion(std::move(result));
  if (!changes_.empty()) begin_change();
}

}  // namespace penstock::server
