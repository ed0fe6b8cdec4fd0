// The asynchronous invokes of one function.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/triggers/async_invokes.hpp"

namespace penstock::core {

class AsyncLine final : public Participant {
 public:
  AsyncLine(TriggerContext& context, AsyncInvokes& owner, FunctionName function)
      : context_(context), owner_(owner), function_(std::move(function)) {}

  void add(AsyncEvent event);
  /// Begins what is due and has a slot.
  void run();
  /// Drops what waits to be run; what runs goes on.
  void give_up();
  bool is_empty() const { return ready_.empty() && delayed_.empty() && running_.empty() && open_ends_ == 0; }

  void answered(Answered answer) override;
  void invocation_over(InvocationOver over) override;
  void due(std::uint64_t tag) override;
  void slot_freed() override { run(); }

 private:
  /// An event that is to be run.
  struct Pending {
    AsyncEvent event;
    int unreached = 0;  ///< times in a row that nobody was there to run it
  };
  /// An event that is over, and of which its destinations are told.
  struct Ending {
    AsyncEvent event;
    std::size_t reports = 0;  ///< that are not answered
  };
  /// One of those.
  struct Letter {
    std::shared_ptr<Ending> ending;
    QueueName queue;
    AsyncEnd content;
  };

  AsyncConfig config() const;
  Instant age_end(const AsyncEvent& event) const;
  void delay(Pending pending, Instant until);
  void try_later(Pending pending, RunOutcome::Status status);
  void end(AsyncEvent event, std::string_view condition, const RunOutcome* outcome);
  void tell_destination(const std::shared_ptr<Ending>& ending, const std::string& arn, const AsyncEnd& content);
  void send(Letter letter);
  void warn_of_lost(const Letter& letter, const Error* error);
  void settled(Ending& ending);
  void drop(const AsyncEvent& event);
  void arm_age(Instant at);
  std::uint64_t next_tag() { return ++tags_; }

  TriggerContext& context_;
  AsyncInvokes& owner_;
  FunctionName function_;
  std::deque<Pending> ready_;
  std::map<std::uint64_t, Pending> delayed_;  ///< by the tag of the timer that ends the delay
  std::map<InvocationId, Pending> running_;
  std::map<AskId, Letter> letters_;            ///< on the way
  std::map<std::uint64_t, Letter> to_resend_;  ///< by the tag of their timer
  std::size_t open_ends_ = 0;
  std::optional<TimerId> age_timer_;
  std::uint64_t tags_ = 0;  ///< of timers; 0 is that of ages
};

}  // namespace penstock::core
