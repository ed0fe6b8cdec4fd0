#include "trigger_stream_defects.hpp"

#include <algorithm>
#include <map>
#include <set>
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
    let_go(now);
    if (auto* create = std::get_if<CreateMapping>(&command);
        create != nullptr && defect_ == TriggerStreamDefect::start_ignored &&
        create->mapping.config.start == IteratorType::at_timestamp) {
      create->mapping.config.start = IteratorType::trim_horizon;
    }
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
      if (is_swallowed(*answer)) return;
      const auto* page = answer->result ? std::get_if<RecordsPage>(&*answer->result) : nullptr;
      if (defect_ == TriggerStreamDefect::shard_starved && page != nullptr && page->shard.value % 2 == 1 &&
          running_ > 0) {
        return held_.push_back(std::move(*answer));
      }
      alter(*answer);
    }
    if (auto* over = std::get_if<InvocationOver>(&command)) {
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
    for (TriggerMutation& mutation : effects.mutations) alter(mutation);
    std::erase_if(effects.mutations, [this](const TriggerMutation& mutation) {
      const auto* put = std::get_if<PutCheckpoint>(&mutation);
      return put != nullptr && defect_ == TriggerStreamDefect::checkpoint_not_kept &&
             put->checkpoint.next > RecordIndex{1};
    });
    for (Invocation& invocation : effects.invocations) alter(std::get<BatchEvent>(invocation.event));
    running_ += effects.invocations.size();
    for (const Ask& ask : effects.asks) note(ask);
    return effects;
  }

 private:
  void note(const Ask& ask) {
    const auto& command = std::get<StreamCommand>(ask.command);
    if (const auto* read = std::get_if<ReadShard>(&command)) reads_.insert_or_assign(ask.id, read->from);
    if (std::holds_alternative<DescribeConsumer>(command)) consumers_.insert(ask.id);
  }

  void let_go(Instant now) {
    if (running_ > 0) return;
    for (Answered& held : std::exchange(held_, {})) engine_->apply(CallId{}, std::move(held), now);
  }

  bool is_swallowed(const Answered& answer) const {
    if (!answer.result) return false;
    const auto* error = std::get_if<Error>(&*answer.result);
    if (defect_ == TriggerStreamDefect::missing_stream_given_up && error != nullptr) {
      return error->code == ErrorCode::KinesisResourceNotFound;
    }
    const auto* page = std::get_if<RecordsPage>(&*answer.result);
    const auto read = reads_.find(answer.id);
    return defect_ == TriggerStreamDefect::expired_waited_for && page != nullptr && read != reads_.end() &&
           answer.items.empty() && page->next > read->second;
  }

  void alter(Answered& answer) {
    if (!answer.result) return;
    if (defect_ == TriggerStreamDefect::consumer_ignored && consumers_.contains(answer.id)) {
      ConsumerDescription described;
      described.consumer.status = StreamStatus::active;
      answer.result = described;
    }
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
    if (defect_ == TriggerStreamDefect::garbage_taken_as_done && over.batch && !over.batch->well_formed) {
      over.batch = BatchAnswer{true, {}, over.batch->state};
    }
    if (defect_ == TriggerStreamDefect::unknown_id_passed_over && over.batch) {
      std::erase(over.batch->failed, "no such record");
    }
    if (defect_ == TriggerStreamDefect::away_counted && outcome.status == RunOutcome::Status::unreached) {
      outcome.status = RunOutcome::Status::failed;
    }
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
  std::map<AskId, RecordIndex> reads_;  ///< and where they begin
  std::set<AskId> consumers_;           ///< questions about one
  std::vector<Answered> held_;
  std::size_t running_ = 0;
  int count_ = 0;
};

}  // namespace

std::unique_ptr<TriggerEngine> make_defective(std::unique_ptr<TriggerEngine> engine, TriggerStreamDefect defect) {
  return std::make_unique<DefectiveTriggers>(std::move(engine), defect);
}

}  // namespace penstock::sim
