#include "trigger_stream_defects.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::sim {
namespace {

/// A trigger engine with one thing wrong.
class DefectiveTriggers final : public TriggerEngine {
 public:
  DefectiveTriggers(std::unique_ptr<TriggerEngine> engine, TriggerStreamDefect defect)
      : engine_(std::move(engine)), defect_(defect) {}

  void recover(RecoveredTriggers found, Instant now) override {
    for (RecoveredMapping& mapping : found.mappings) {
      if (defect_ == TriggerStreamDefect::start_not_kept) mapping.checkpoints.clear();
      for (ShardCheckpoint& checkpoint : mapping.checkpoints) {
        if (defect_ == TriggerStreamDefect::state_not_kept) checkpoint.window.reset();
      }
    }
    engine_->recover(std::move(found), now);
  }

  void apply(CallId call, TriggerCommand command, Instant now) override {
    if (auto* create = std::get_if<CreateMapping>(&command);
        create != nullptr && defect_ == TriggerStreamDefect::given_up_early) {
      int& retries = create->mapping.config.retries_max;
      retries = std::max(retries - 1, std::min(retries, 0));
    }
    if (auto* answer = std::get_if<Answered>(&command)) {
      if (defect_ == TriggerStreamDefect::wake_lost && answer->result &&
          std::holds_alternative<RecordsPage>(*answer->result) && ++count_ % 8 == 0) {
        return;
      }
      alter(*answer);
    }
    if (auto* over = std::get_if<InvocationOver>(&command)) alter(*over);
    engine_->apply(call, std::move(command), now);
  }

  void advance(Instant now) override { engine_->advance(now); }
  std::optional<Instant> next_deadline() const override { return engine_->next_deadline(); }
  void drain(Instant now) override { engine_->drain(now); }
  bool is_idle() const override { return engine_->is_idle(); }

  TriggerEffects take_effects() override {
    TriggerEffects effects = engine_->take_effects();
    for (TriggerMutation& mutation : effects.mutations) alter(mutation);
    std::erase_if(effects.mutations, [this](const TriggerMutation& mutation) {
      const auto* put = std::get_if<PutCheckpoint>(&mutation);
      return put != nullptr && defect_ == TriggerStreamDefect::checkpoint_not_kept &&
             put->checkpoint.next > RecordIndex{1};
    });
    for (Invocation& invocation : effects.invocations) alter(std::get<BatchEvent>(invocation.event));
    return effects;
  }

 private:
  void alter(Answered& answer) {
    if (!answer.result) return;
    if (auto* list = std::get_if<ShardList>(&*answer.result);
        list != nullptr && defect_ == TriggerStreamDefect::lineage_ignored) {
      for (ShardRecord& shard : list->shards) shard.parent = shard.adjacent_parent = std::nullopt;
    }
    if (defect_ == TriggerStreamDefect::keys_in_any_lane) {
      for (SourceItem& item : answer.items) item.key += std::to_string(item.index.value);
    }
    if (defect_ == TriggerStreamDefect::report_not_awaited && std::holds_alternative<Error>(*answer.result) &&
        std::get<Error>(*answer.result).code == ErrorCode::QueueDoesNotExist) {
      answer.result = SendResults{{Sent{}}};
    }
  }

  void alter(InvocationOver& over) const {
    RunOutcome& outcome = over.outcome;
    if (defect_ == TriggerStreamDefect::failure_taken_as_done && !outcome.function_error.empty()) {
      outcome.function_error.clear();
      over.batch = BatchAnswer{true, {}, "{}"};
    }
    if (defect_ == TriggerStreamDefect::partial_taken_as_done && over.batch) over.batch->failed.clear();
    if (defect_ == TriggerStreamDefect::throttle_counted && outcome.status == RunOutcome::Status::throttled) {
      outcome.status = RunOutcome::Status::answered;
      outcome.function_error = "Unhandled";
    }
  }

  void alter(TriggerMutation& mutation) const {
    if (auto* put = std::get_if<PutCheckpoint>(&mutation);
        put != nullptr && defect_ == TriggerStreamDefect::checkpoint_ahead) {
      ++put->checkpoint.next.value;
    }
  }

  void alter(BatchEvent& event) const {
    if (defect_ == TriggerStreamDefect::record_left_out && event.records.size() > 1) event.records.pop_back();
    if (defect_ == TriggerStreamDefect::records_swapped) std::ranges::reverse(event.records);
    if (defect_ == TriggerStreamDefect::state_not_handed_on && event.window) event.window->state = "{}";
  }

  std::unique_ptr<TriggerEngine> engine_;
  const TriggerStreamDefect defect_;
  int count_ = 0;
};

}  // namespace

std::unique_ptr<TriggerEngine> make_defective(std::unique_ptr<TriggerEngine> engine, TriggerStreamDefect defect) {
  return std::make_unique<DefectiveTriggers>(std::move(engine), defect);
}

}  // namespace penstock::sim
