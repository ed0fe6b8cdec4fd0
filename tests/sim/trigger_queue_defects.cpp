#include "trigger_queue_defects.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace penstock::sim {
namespace {

// Beyond the ids that the engine gives.
constexpr std::uint64_t own_ids = 1ULL << 40U;

/// A trigger engine with one thing wrong.
class DefectiveTriggers final : public TriggerEngine {
 public:
  DefectiveTriggers(std::unique_ptr<TriggerEngine> engine, TriggerQueueDefect defect)
      : engine_(std::move(engine)), defect_(defect) {}

  void recover(RecoveredTriggers found, Instant now) override { engine_->recover(std::move(found), now); }

  void apply(CallId call, TriggerCommand command, Instant now) override {
    let_go(now);
    if (auto* create = std::get_if<CreateMapping>(&command)) alter(create->mapping.config);
    if (auto* config = std::get_if<PutAsyncConfig>(&command);
        config != nullptr && defect_ == TriggerQueueDefect::event_given_up_early) {
      config->retries_max = std::max(0, config->retries_max.value_or(2) - 1);
    }
    if (auto* put = std::get_if<PutFunctionConcurrency>(&command);
        put != nullptr && put->reserved && defect_ == TriggerQueueDefect::reservation_exceeded) {
      ++*put->reserved;
    }
    if (auto* answer = std::get_if<Answered>(&command)) {
      const bool received = !answer->items.empty();
      if (received && defect_ == TriggerQueueDefect::wake_lost && ++count_ % 8 == 0) return;
      const auto* error = answer->result ? std::get_if<Error>(&*answer->result) : nullptr;
      if (defect_ == TriggerQueueDefect::missing_queue_given_up && error != nullptr &&
          error->code == ErrorCode::QueueDoesNotExist) {
        return;
      }
      if (defect_ == TriggerQueueDefect::mapping_starved && running_ > 0 && starved_.contains(answer->id)) {
        return held_.push_back(std::move(*answer));
      }
      alter(*answer);
    }
    if (auto* over = std::get_if<InvocationOver>(&command)) {
      if (over->id.value >= own_ids) return;
      --running_;
      alter(*over);
    }
    engine_->apply(call, std::move(command), now);
  }

  void advance(Instant now) override {
    let_go(now);
    engine_->advance(now);
  }
  std::optional<Instant> next_deadline() const override { return engine_->next_deadline(); }
  void drain(Instant now) override { engine_->drain(now); }
  bool is_idle() const override { return engine_->is_idle(); }

  TriggerEffects take_effects() override {
    TriggerEffects effects = engine_->take_effects();
    for (Ask& ask : std::exchange(asks_, {})) effects.asks.push_back(std::move(ask));
    std::erase_if(effects.mutations, [this](const TriggerMutation& mutation) {
      return (defect_ == TriggerQueueDefect::mapping_not_kept && std::holds_alternative<PutMapping>(mutation)) ||
             (defect_ == TriggerQueueDefect::event_not_kept && std::holds_alternative<PutAsyncEvent>(mutation));
    });
    for (const Ask& ask : effects.asks) note(ask);
    std::erase_if(effects.asks, [this](const Ask& ask) {
      return (defect_ == TriggerQueueDefect::renewal_forgotten &&
              std::holds_alternative<ChangeVisibility>(ask.command)) ||
             (defect_ == TriggerQueueDefect::not_run_is_counted &&
              std::holds_alternative<ReturnUndelivered>(ask.command));
    });
    const std::size_t begun = effects.invocations.size();
    running_ += begun;
    for (std::size_t i = 0; i < begun; ++i) {
      alter(effects.invocations[i]);
      auto* event = std::get_if<BatchEvent>(&effects.invocations[i].event);
      if (event == nullptr) continue;
      if (defect_ == TriggerQueueDefect::message_left_out && event->records.size() > 1) event->records.pop_back();
      if (defect_ == TriggerQueueDefect::messages_swapped) std::ranges::reverse(event->records);
      if (defect_ == TriggerQueueDefect::invoked_twice && ++count_ % 5 == 0) {
        Invocation again = effects.invocations[i];
        again.id.value += own_ids;
        effects.invocations.push_back(std::move(again));
      }
    }
    return effects;
  }

 private:
  void note(const Ask& ask) {
    if (std::holds_alternative<DeleteMessages>(ask.command)) deletes_.insert(ask.id);
    const auto* receive = std::get_if<ReceiveMessages>(&ask.command);
    if (receive != nullptr && receive->queue.name == "others") starved_.insert(ask.id);
  }

  void let_go(Instant now) {
    if (running_ > 0) return;
    for (Answered& held : std::exchange(held_, {})) engine_->apply(CallId{}, std::move(held), now);
  }

  void alter(MappingConfig& config) const {
    if (defect_ == TriggerQueueDefect::batch_too_large) ++config.batch_size;
    if (defect_ == TriggerQueueDefect::concurrency_ignored) config.concurrency_max.reset();
  }

  void alter(Answered& answer) {
    for (SourceItem& item : answer.items) {
      if (defect_ == TriggerQueueDefect::match_dropped && ++count_ % 16 == 0) item.event.reset();
      if (defect_ == TriggerQueueDefect::filter_ignored && item.event == nullptr) {
        item.event = std::make_shared<const std::string>("#");
      }
    }
    if (defect_ == TriggerQueueDefect::deleted_when_received) delete_at_once(answer);
    const auto* error = answer.result ? std::get_if<Error>(&*answer.result) : nullptr;
    if (defect_ == TriggerQueueDefect::report_not_awaited && error != nullptr &&
        error->code == ErrorCode::ServiceUnavailable) {
      answer.result = SendResults{{Sent{}}};
    }
    if (defect_ == TriggerQueueDefect::settlement_forgotten && error != nullptr && deletes_.contains(answer.id)) {
      answer.result = EntryResults{};
    }
  }

  /// It has its function as it was asked to be.
  void alter(Invocation& invocation) const {
    if (defect_ != TriggerQueueDefect::reservation_exceeded || !invocation.function->reserved_concurrency) return;
    auto asked = std::make_shared<FunctionRecord>(*invocation.function);
    --*asked->reserved_concurrency;
    invocation.function = std::move(asked);
  }

  void delete_at_once(const Answered& answer) {
    if (answer.items.empty() || ++count_ % 8 != 0) return;
    // Any queue's name will do where the handle is its own.
    DeleteMessages command;
    for (const SourceItem& item : answer.items) command.receipt_handles.push_back(item.receipt_handle);
    asks_.push_back(Ask{AskId{own_ids + static_cast<std::uint64_t>(count_)}, std::move(command), {}});
  }

  void alter(InvocationOver& over) const {
    RunOutcome& outcome = over.outcome;
    if (defect_ == TriggerQueueDefect::failure_taken_as_done && !outcome.function_error.empty()) {
      outcome.function_error.clear();
      over.batch = BatchAnswer{};
    }
    if (!over.batch) return;
    if (defect_ == TriggerQueueDefect::partial_taken_as_done) over.batch->failed.clear();
    if (defect_ == TriggerQueueDefect::garbage_taken_as_done) over.batch->well_formed = true;
    if (defect_ == TriggerQueueDefect::unknown_id_passed_over) {
      std::erase(over.batch->failed, "");
      std::erase(over.batch->failed, "no such message");
    }
  }

  std::unique_ptr<TriggerEngine> engine_;
  const TriggerQueueDefect defect_;
  std::vector<Ask> asks_;
  std::vector<Answered> held_;
  std::set<AskId> deletes_;
  std::set<AskId> starved_;  ///< receives of one mapping
  std::size_t running_ = 0;
  int count_ = 0;
};

}  // namespace

std::unique_ptr<TriggerEngine> make_defective(std::unique_ptr<TriggerEngine> engine, TriggerQueueDefect defect) {
  return std::make_unique<DefectiveTriggers>(std::move(engine), defect);
}

}  // namespace penstock::sim
