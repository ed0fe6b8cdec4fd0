// A mapping of a queue. It receives as a client does, by long polls that wait in the queue's shard: one is parked while
// there is nothing to do, and as long as they come back full, as many as there may be batches at a time. What was
// received is filtered, gathered into batches, invoked with and, where that succeeded, deleted. While an invocation
// runs its messages are kept invisible, however long that takes; what has failed is visible again when the timeout that
// it was received with is over, and at once if it is. What was never invoked with is given back, and not counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/triggers/mapping.hpp"
#include "core/triggers/queue_settlements.hpp"

namespace penstock::core {

namespace queue_mapping_limits {
inline constexpr std::size_t receive_max = 100;  ///< messages of one receive, where a batch may have more than 10
inline constexpr std::size_t receive_unknown_max = 10;      ///< the same before it is known how large they are
inline constexpr std::size_t held_bytes_max = 256U << 20U;  ///< of rendered messages of one mapping
inline constexpr int wait_seconds = 43'200;                 ///< of the receive that is parked
inline constexpr Millis attributes_life{5'000};  ///< after which the queue's visibility timeout is asked for again
inline constexpr Millis throttle_delay{1'000};   ///< before a batch that an emulator had no room for is tried again
inline constexpr Millis unreached_delay{1'000};  ///< the same where nobody was there to run it; doubled each time
inline constexpr Millis unreached_delay_max{60'000};
inline constexpr Millis stop_time_max{5'000};  ///< for what the queue can not do now, once nothing runs any more
inline constexpr Millis renewed_visibility_min{1'000};  ///< what is hidden for less is not kept invisible
inline constexpr int window_margin_seconds = 30;        ///< the service's, of the visibility of what waits for a window
inline constexpr int empty_at_once_max = 3;        ///< empty answers of long polls that did not wait, before a pause
inline constexpr std::size_t handles_max = 1'000;  ///< of one command that gives messages back
inline constexpr Millis quick_run_max{20};         ///< of an invocation that is over before its next batch is here
inline constexpr std::size_t quick_runs_min = 32;  ///< of those in a row, before batches are received ahead
}  // namespace queue_mapping_limits

class QueueMapping final : public Mapping {
 public:
  QueueMapping(TriggerContext& context, MappingOwner& owner, MappingRecord record);

  void start() override;
  void stop() override;
  void function_changed() override;
  std::string busy() const override;

  void answered(Answered answer) override;
  void invocation_over(InvocationOver over) override;
  void due(std::uint64_t tag) override;
  void slot_freed() override { pump(); }

 private:
  enum class Phase : std::uint8_t { stopped, starting, running, stopping };
  enum class Question : std::uint8_t { attributes, watch, probe };
  struct Open {
    Question question{};
    std::size_t messages_max = 0;
    Instant asked{};
  };
  struct Message {
    SourceItem item;
    Instant received{};
  };
  struct Batch {
    std::vector<Message> items;
    std::size_t bytes = 0;
    Millis visibility{};   ///< what they were received with
    Instant visible_at{};  ///< the first of them
    Instant begun{};       ///< with an invocation
    bool renewed = false;  ///< they are invisible for longer than they were received with
    Instant renewal{};     ///< due, while it runs
  };
  enum Timer : std::uint64_t {
    window_over,
    hold_over,
    source_retry,
    throttle_over,
    renewal_due,
    stop_over,
    timer_count,
    settle_again,  ///< which the settlements keep
  };

  const QueueName& queue() const { return std::get<QueueName>(record().source); }
  bool is_of_fifo() const;
  Millis window() const { return std::chrono::seconds{config().window_seconds}; }
  std::size_t parallel_max() const;
  std::size_t parallel_start() const;
  int visibility_asked_for() const;
  Instant hold_end(const Batch& batch) const;

  // Asking.
  void ask_attributes();
  void attributes_known(const std::optional<Result>& result);
  void ask_for_more();
  bool has_room_for(std::size_t messages) const;
  std::size_t messages_wanted() const;
  std::size_t ahead_max() const;
  void receive(Question question);
  void received(const Open& asked, Answered& answer);
  void source_failed(const Error* error);
  void found_nothing(const Open& asked);

  // Batches.
  void pump();
  void gather(std::vector<Message> messages);
  bool is_batch_ready() const;
  void cut_batch();
  void cut_batches();
  void begin_batches();
  bool begin(Batch& batch);
  void function_missing();
  void give_back_held();
  void give_back(const std::vector<Message>& items);
  void give_back_all();

  // Outcomes.
  void try_later(Batch batch, const RunOutcome& outcome);
  void settle(Batch batch, const InvocationOver& over);
  void note(const std::string& message_id, std::string what);
  std::string failure_of(const InvocationOver& over, bool is_named) const;
  void grow();
  /// Which of its messages are not to come again; nothing if the answer is no use, and so all have failed.
  std::optional<std::vector<bool>> succeeded(const Batch& batch, const InvocationOver& over) const;
  void stop_if_over();

  // Renewals of the visibility of what runs.
  void plan_renewal(InvocationId id, Batch& batch);
  void renew_due();
  void renew(InvocationId id, Batch& batch);

  void arm(Timer timer, Instant at);
  void disarm(Timer timer);
  bool is_armed(Timer timer) const { return timers_[timer].has_value(); }

  Phase phase_ = Phase::stopped;
  std::map<AskId, Open> open_;
  std::size_t receives_ = 0;  ///< open ones
  bool watching_ = false;     ///< one of them is the long poll
  QueueSettlements settlements_;
  bool attributes_asked_ = false;
  bool attributes_refused_ = false;  ///< the latest time that they were asked for
  Instant attributes_known_{};
  int queue_visibility_seconds_ = 30;
  int source_failures_ = 0;  ///< in a row

  std::deque<Message> gathered_;
  std::size_t gathered_bytes_ = 0;
  std::deque<Batch> waiting_;  ///< cut, and not begun
  std::map<InvocationId, Batch> running_;
  std::set<std::pair<Instant, InvocationId>> renewals_;  ///< of what runs, as they are due
  std::size_t held_bytes_ = 0;                           ///< of all of these
  std::size_t message_bytes_ = 0;                        ///< a running mean; 0 if none came yet
  std::size_t parallel_ = 0;                             ///< batches at a time, for now
  std::size_t eagerness_ = 1;                            ///< receives at a time: one while none came back full
  std::size_t quick_runs_ = 0;                           ///< in a row
  bool function_missing_ = false;
  int unreached_ = 0;  ///< times in a row that nobody was there to run a batch
  int empty_at_once_ = 0;
  std::optional<TimerId> timers_[timer_count];
};

}  // namespace penstock::core
