// What the parts of a trigger engine share: questions to queues and streams, invocations and the room for them, timers.
// Each part is told of what comes back by its id, and of nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "penstock/entropy.hpp"
#include "penstock/triggers.hpp"

namespace penstock::core {

/// A part of the engine: a mapping, or what sees to invokes. Its calls into the context from within these are fine.
class Participant {
 public:
  Participant() = default;
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;
  virtual ~Participant() = default;

  virtual void answered(Answered answer) = 0;
  virtual void invocation_over(InvocationOver over) = 0;
  virtual void due(std::uint64_t tag) = 0;
  /// It was refused a slot, and now there may be one: called once for each time that begin() was refused in a row.
  virtual void slot_freed() = 0;
};

/// How long to wait after something was in vain so many times before.
constexpr Millis backed_off(Millis least, int times, Millis most) {
  Millis delay = least;
  for (int doubled = 0; doubled < times && delay < most; ++doubled) delay *= 2;
  return std::min(delay, most);
}

/// Names a timer until it rings or is dropped.
using TimerId = std::pair<Instant, std::uint64_t>;

/// Whether a client could see what comes of a timer.
enum class Sight : std::uint8_t { observable, internal };

/// The version or alias that a function's ARN ends with; empty if that is $LATEST, or if there is none.
std::string_view qualifier_of(const FunctionName& function, std::string_view arn);

/// What to begin an invocation with.
struct InvocationStart {
  FunctionName function;
  std::string invoked_arn;
  InvocationEvent event;
  std::string request_id{};  ///< empty: a new one
  std::string client_context{};
  std::string trace_id{};
};

/// Why there was no invocation.
enum class NoInvocation : std::uint8_t {
  no_slot,      ///< the participant is told when one is free
  no_function,  ///< none of that name is registered, and no emulator stands in
};

class TriggerContext {
 public:
  TriggerContext(const TriggerLimits& limits_in, Entropy& entropy_in) : limits(limits_in), entropy(entropy_in) {}

  const TriggerLimits& limits;
  Entropy& entropy;
  TriggerEffects effects{};
  Instant now{};          ///< of the command or deadline that is being worked on
  bool draining = false;  ///< then nothing more is begun
  MappingTally mapped{};  ///< of all mappings, those that are gone too

  void promise(TriggerMutation mutation) {
    effects.mutations.push_back(std::move(mutation));
    effects.sync = true;
  }
  /// Mutations whose loss with the power at-least-once delivery allows.
  void note(TriggerMutation mutation) { effects.mutations.push_back(std::move(mutation)); }
  void reply(CallId call, TriggerResult result) { effects.replies.push_back(TriggerReply{call, std::move(result)}); }

  // ---- Questions.

  AskId ask(Participant& asker, Command command, std::shared_ptr<const MappingRecord> mapping = {});
  /// For commands that have no answer, or one that nobody needs.
  void send(Command command) { effects.asks.push_back(Ask{AskId{++asks_}, std::move(command), {}}); }
  AskId report(Participant& asker, QueueName queue, std::variant<BatchFailure, AsyncEnd> content);
  /// The asker is told of it no more: whoever cancels a receive has to see to it that messages which were on the way
  /// are not lost for the length of their visibility. See `orphaned`.
  void cancel(AskId ask);

  // ---- Timers.

  TimerId set_timer(Participant& owner, Instant at, std::uint64_t tag, Sight sight = Sight::observable);
  void drop_timer(const TimerId& timer) { timers_.erase(timer); }
  std::optional<Instant> next_timer() const {
    return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first.first);
  }
  std::optional<Instant> next_observable_timer() const {
    const auto found =
        std::ranges::find(timers_, Sight::observable, [](const auto& each) { return each.second.sight; });
    return found == timers_.end() ? std::nullopt : std::optional(found->first.first);
  }

  // ---- Functions and the room for them.

  /// The registered one, or a stand-in for the emulator at TriggerLimits::lambda_endpoint; null if there is neither.
  /// `arn` is what it was called, and may say a version or an alias: registered functions have none of those, and
  /// whether the emulator has it only that knows.
  std::shared_ptr<const FunctionRecord> find_function(const FunctionName& name, std::string_view arn = {}) const;
  bool is_registered(const FunctionName& name) const { return functions_.contains(name); }
  const std::map<FunctionName, std::shared_ptr<const FunctionRecord>>& functions() const { return functions_; }
  void put_function(FunctionRecord function);
  void drop_function(const FunctionName& name);
  /// How many invocations may run at a time of all functions without a reservation.
  int unreserved() const { return limits.concurrency_max - reserved_; }
  int reserved() const { return reserved_; }
  /// Whether begin() would find a slot.
  bool has_slot(const FunctionName& function) const { return free_slots(function) > 0; }
  /// Whether begin() would find a slot that nobody has waited for longer.
  bool can_begin(const FunctionName& function) const {
    return has_slot(function) && (offering_ || !is_awaited(function));
  }
  /// Whether as many run as are reserved for it, so that room for others would be none for it.
  bool is_reservation_used_up(const FunctionName& function) const;
  /// How many invocations of it could begin now.
  int free_slots(const FunctionName& function) const;
  /// Has the participant told when a slot of the function is free, as begin() does where it refuses.
  void await_slot(Participant& participant, const FunctionName& function);
  int running() const { return running_; }
  int running_of(const FunctionName& function) const;

  /// A slot that has become free goes to those who wait for one, in their turn: whoever has just given it back stands
  /// behind them, so that one with much to do does not keep it.
  std::variant<InvocationId, NoInvocation> begin(Participant& participant, InvocationStart start);

  // ---- Of the engine.

  /// A participant is about to go: nothing more is told to it. Its invocations keep their slots until they are over.
  void forget(Participant& participant);
  /// Each hands over to whom it is for, if it is still there. False: it is nobody's. What comes to nobody may hold
  /// messages, which the engine gives back to their queue.
  bool tell(Answered& answer);
  void tell(InvocationOver over);
  /// Rings what is due, at most `count_max` timers.
  void ring(std::size_t count_max);
  /// Offers free slots to those who were refused one, in their order, function by function.
  void offer_slots();
  bool is_idle() const { return running_ == 0; }
  /// Whose question it was, of messages that nobody waits for any more.
  std::optional<QueueName> queue_of_orphan(AskId ask);

 private:
  struct Running {
    Participant* participant = nullptr;
    FunctionName function;
    bool reserved = false;  ///< counted against its function's reservation
  };
  struct Room {
    int running = 0;
    std::deque<Participant*> waiting;
  };
  struct Ring {
    Participant* owner = nullptr;
    std::uint64_t tag = 0;
    Sight sight{};
  };

  std::optional<int> reservation_of(const FunctionName& function) const;
  /// Whether somebody waits for a slot that the function's invocations could take.
  bool is_awaited(const FunctionName& function) const;

  std::uint64_t asks_ = 0;
  std::uint64_t invocations_ = 0;
  std::uint64_t timers_set_ = 0;
  std::unordered_map<std::uint64_t, Participant*> askers_;
  std::unordered_map<std::uint64_t, QueueName> receives_;  ///< open questions whose answer has messages
  std::unordered_map<std::uint64_t, Running> open_;
  std::map<TimerId, Ring> timers_;
  std::map<FunctionName, std::shared_ptr<const FunctionRecord>> functions_;
  std::map<FunctionName, Room> rooms_;
  FunctionName offered_last_;  ///< of those that share what is not reserved
  bool offering_ = false;      ///< what is begun now is begun by those whose turn it is
  int reserved_ = 0;
  int running_ = 0;
  int running_unreserved_ = 0;
};

}  // namespace penstock::core
