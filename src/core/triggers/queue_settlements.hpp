// What is to become of messages that a mapping has received: they are deleted, or stay invisible for longer or shorter
// than they were to. A queue that can not do that now, as where the disk is full or a FIFO queue takes no more calls in
// this second, is told again until it has, or until the message is visible again and somebody else's.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/triggers/context.hpp"
#include "penstock/ids.hpp"

namespace penstock::core {

namespace queue_settlement_limits {
inline constexpr std::size_t handles_max = 1'000;   ///< of one command
inline constexpr std::size_t waiting_max = 10'000;  ///< handles that wait to be told again, before no more is received
inline constexpr Millis delay_min{250};             ///< before the first time that they are told again; doubled
inline constexpr Millis delay_max{10'000};
}  // namespace queue_settlement_limits

/// One message and what it is to be.
struct Settlement {
  std::string receipt_handle;
  std::optional<Instant> visible_at;  ///< from which it is to be visible; nothing: it is to be deleted
  Instant useful_until{};             ///< it is visible by then, and may have been received by somebody else
  InvocationId run{};                 ///< of a renewal, for as long as this runs
};

class QueueSettlements {
 public:
  /// The answers to its questions and the timer of `tag` come to `asker`, who hands them on. `is_running` tells whether
  /// a renewal is still of use.
  QueueSettlements(TriggerContext& context, Participant& asker, std::uint64_t tag,
                   std::function<bool(InvocationId)> is_running)
      : context_(context), asker_(asker), tag_(tag), is_running_(std::move(is_running)) {}

  void tell(const QueueName& queue, std::vector<Settlement> settlements);
  /// False: it was none of its questions.
  bool answered(const Answered& answer);
  void due(const QueueName& queue);
  /// Gives up what waits to be told again, and hears no more of what was told.
  void give_up();

  /// Whether anything is not settled.
  bool is_open() const { return !told_.empty() || !waiting_.empty(); }
  bool is_congested() const { return waiting_.size() >= queue_settlement_limits::waiting_max; }

 private:
  void send(const QueueName& queue, std::vector<Settlement> settlements);
  void wait(std::vector<Settlement> settlements);
  bool is_useful(const Settlement& settlement) const;

  TriggerContext& context_;
  Participant& asker_;
  const std::uint64_t tag_;
  const std::function<bool(InvocationId)> is_running_;
  std::map<AskId, std::vector<Settlement>> told_;
  std::vector<Settlement> waiting_;
  int in_vain_ = 0;  ///< times that the queue could not, since it last could
  std::optional<TimerId> timer_;
};

}  // namespace penstock::core
