// A mapping of a stream over the real engine of streams, driven step by step: what it asks is answered, what it invokes
// is ended by the test. A record's event is its data; data that begins with # matches no filter.
#pragma once

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/triggers/mapping.hpp"
#include "stream_fixture.hpp"

namespace penstock::core {

class TriggerStreamFixture : public StreamFixture, protected MappingOwner {
 protected:
  /// An invocation that runs.
  struct Run {
    InvocationId id;
    std::vector<std::string> data;
    std::vector<std::string> ids;
    std::optional<WindowEvent> window;
  };

  TriggerStreamFixture() {
    trigger_limits_.retry_delay_min = Millis{1'000};
    record_.uuid = "mapping";
    record_.source = stream_;
    record_.function = {"000000000000", "us-east-1", "handler"};
    record_.function_arn = arn_of(record_.function);
    record_.config.batch_size = 100;
    record_.config.start = IteratorType::trim_horizon;
    boot();
  }

  /// A trigger engine that has just started, without a mapping.
  void boot() {
    mapping_.reset();
    open_asks_.clear();
    running_.clear();
    context_ = std::make_unique<TriggerContext>(trigger_limits_, entropy_);
    context_->now = now_;
    if (has_function_) register_function();
  }
  void register_function() {
    FunctionRecord function;
    function.name = record_.function;
    context_->put_function(std::move(function));
  }
  /// With what is stored.
  void start() {
    std::vector<ShardCheckpoint> found;
    for (const auto& [shard, checkpoint] : stored_) found.push_back(checkpoint);
    mapping_ = make_stream_mapping(*context_, *this, record_, std::move(found));
    started_ = stopped_ = false;
    mapping_->start();
    pump();
  }
  void stop() {
    mapping_->stop();
    pump();
  }
  /// As an UpdateMapping, once what ran has ended.
  void change(const MappingConfig& config) {
    record_.config = config;
    mapping_->announce(record_);
    mapping_->adopt();
    started_ = stopped_ = false;
    mapping_->start();
    pump();
  }
  /// The process goes and comes back with what is stored; invocations that ran are forgotten.
  void crash() {
    boot();
    start();
  }

  void mapping_started(Mapping&) override { started_ = true; }
  void mapping_stopped(Mapping&) override { stopped_ = true; }

  // ---- The shell.

  void pump() {
    for (int round = 0; round < 1'000; ++round) {
      context_->now = now_;
      context_->offer_slots();
      const bool took = take_trigger_effects();
      if (!tell_answers() && !took) return;
    }
    ADD_FAILURE() << "it does not come to rest";
  }

  void pass_all(Millis time) {
    const Instant until = now_ + time;
    for (int round = 0; round < 100'000; ++round) {
      const auto next = next_deadline();
      if (!next || *next > until) break;
      now_ = std::max(now_, *next);
      pass(Millis{0});
      context_->now = now_;
      context_->ring(100);
      pump();
    }
    now_ = until;
    pump();
  }
  std::optional<Instant> next_deadline() const {
    const auto streams = engine_->next_deadline();
    const auto triggers = context_->next_timer();
    return streams && triggers ? std::min(streams, triggers) : streams ? streams : triggers;
  }

  void end(const Run& run, RunOutcome outcome, std::optional<BatchAnswer> answer) {
    const InvocationId id = run.id;
    std::erase_if(running_, [&](const Run& each) { return each.id == id; });
    context_->now = now_;
    context_->tell(InvocationOver{id, std::move(outcome), std::move(answer)});
    pump();
  }
  void succeed(const Run& run, std::optional<std::string> state = std::nullopt) {
    end(run, {}, BatchAnswer{true, {}, std::move(state)});
  }
  void succeed() { succeed(front()); }
  void fail(const Run& run) {
    RunOutcome outcome;
    outcome.function_error = "Unhandled";
    end(run, std::move(outcome), std::nullopt);
  }
  void fail() { fail(front()); }
  void end_with(RunOutcome::Status status) {
    RunOutcome outcome;
    outcome.status = status;
    end(front(), std::move(outcome), std::nullopt);
  }
  /// Names the records whose data those are as failed.
  void fail_items(const std::vector<std::string>& data) {
    const Run run = front();
    BatchAnswer answer;
    for (std::size_t i = 0; i < run.data.size(); ++i) {
      if (std::ranges::find(data, run.data[i]) != data.end()) answer.failed.push_back(run.ids[i]);
    }
    EXPECT_EQ(answer.failed.size(), data.size());
    end(run, {}, std::move(answer));
  }
  void answer_badly(std::vector<std::string> ids, bool well_formed = true) {
    end(front(), {}, BatchAnswer{well_formed, std::move(ids), {}});
  }

  Run front() {
    if (!running_.empty()) return running_.front();
    ADD_FAILURE() << "nothing runs";
    return {};
  }
  std::vector<std::string> batch() { return front().data; }
  /// What runs, in its order.
  std::vector<std::vector<std::string>> batches() const {
    std::vector<std::vector<std::string>> all;
    for (const Run& run : running_) all.push_back(run.data);
    return all;
  }
  bool is_quiet() const { return running_.empty(); }

  // ---- The stream.

  std::vector<RecordPut> put_records(const std::vector<std::string>& data, HashKey hash = {}) {
    auto all = put(data, hash);
    pump();
    return all;
  }
  void put_keyed(const std::vector<std::pair<std::string, std::string>>& records, HashKey hash = {}) {
    PutRecords command;
    command.stream = stream_;
    for (const auto& [key, data] : records) command.entries.push_back(PutEntry{key, data, hash});
    call<RecordsPut>(std::move(command));
    pump();
  }
  void split_shard(std::uint32_t shard = 0) {
    split(format_shard_id(ShardIndex{shard}), middle_);
    pump();
  }
  void merge_shards(std::uint32_t one, std::uint32_t other) {
    call<Done>(MergeShards{stream_, format_shard_id(ShardIndex{one}), format_shard_id(ShardIndex{other})});
    pump();
  }
  std::uint64_t stored_next(std::uint32_t shard = 0) const {
    const auto found = stored_.find(ShardIndex{shard});
    return found == stored_.end() ? 0 : found->second.next.value;
  }
  std::size_t parked_reads() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(open_asks_, [](const auto& entry) { return entry.second.is_read; }));
  }

  struct Reported {
    QueueName queue;
    BatchFailure failure;
  };

  bool has_function_ = true;
  bool takes_reports_ = true;
  std::optional<ErrorCode> refuses_reports_;
  TriggerLimits trigger_limits_;
  MappingRecord record_;
  std::map<ShardIndex, ShardCheckpoint> stored_;
  std::string stored_result_;
  std::vector<Reported> reports_;
  std::vector<std::string> warnings_;
  std::deque<Run> running_;
  std::size_t invocations_ = 0;
  std::size_t reads_ = 0;
  std::size_t asks_ = 0;
  std::size_t checkpoints_written_ = 0;
  bool started_ = false;
  bool stopped_ = false;
  std::unique_ptr<TriggerContext> context_;
  std::unique_ptr<Mapping> mapping_;

 private:
  struct OpenAsk {
    AskId id;
    bool is_read = false;
    ShardIndex shard{};
  };

  bool take_trigger_effects() {
    TriggerEffects effects = std::exchange(context_->effects, {});
    if (effects.empty()) return false;
    for (const TriggerMutation& mutation : effects.mutations) store(mutation);
    std::ranges::move(effects.warnings, std::back_inserter(warnings_));
    for (Ask& ask_ : effects.asks) submit(ask_);
    for (const AskId id : effects.cancels) cancel(id);
    for (Report& report : effects.reports) accept(report);
    for (Invocation& invocation : effects.invocations) run(invocation);
    return true;
  }
  void store(const TriggerMutation& mutation) {
    if (const auto* put = std::get_if<PutCheckpoint>(&mutation)) {
      const auto before = stored_.find(put->checkpoint.shard);
      if (before != stored_.end() && before->second.stream == put->checkpoint.stream) {
        EXPECT_GE(put->checkpoint.next, before->second.next) << "a checkpoint went back";
      }
      stored_.insert_or_assign(put->checkpoint.shard, put->checkpoint);
      ++checkpoints_written_;
    } else if (const auto* drop = std::get_if<DropCheckpoint>(&mutation)) {
      const auto found = stored_.find(drop->shard);
      if (found != stored_.end() && found->second.stream == drop->stream) stored_.erase(found);
    } else if (const auto* mapping = std::get_if<PutMapping>(&mutation)) {
      stored_result_ = mapping->mapping.last_result;
    }
  }
  void submit(Ask& asked) {
    OpenAsk open{asked.id};
    ++asks_;
    if (const auto* read = std::get_if<ReadShard>(&std::get<StreamCommand>(asked.command))) {
      open.is_read = true;
      open.shard = read->shard;
      ++reads_;
    }
    const CallId call{++calls_};
    open_asks_.emplace(call, open);
    engine_->apply(call, std::move(asked.command), now_);
    settle();
  }
  void cancel(AskId id) {
    for (auto it = open_asks_.begin(); it != open_asks_.end(); ++it) {
      if (it->second.id != id) continue;
      if (it->second.is_read) {
        engine_->apply(CallId{++calls_}, StreamCommand(CancelRead{stream_, it->second.shard, it->first}), now_);
      }
      open_asks_.erase(it);
      return;
    }
  }
  bool tell_answers() {
    std::vector<std::pair<CallId, OpenAsk>> ready;
    for (const auto& [call, open] : open_asks_) {
      if (replies_.contains(call)) ready.emplace_back(call, open);
    }
    for (const auto& [call, open] : ready) {
      open_asks_.erase(call);
      Answered answer{open.id, std::move(replies_.at(call)), {}};
      if (auto* page = std::get_if<RecordsPage>(&*answer.result)) {
        store_.read(*page);
        answer.items = items_of(*page);
      }
      context_->tell(answer);
    }
    return !ready.empty();
  }
  std::vector<SourceItem> items_of(const RecordsPage& page) {
    std::vector<SourceItem> items;
    for (const ReadRecord& each : page.records) {
      SourceItem item;
      item.id = format_sequence_number(record_number(page.shard, page.created_s, each.index, each.record.arrived));
      item.key = each.record.partition_key;
      item.index = each.index;
      item.arrived = each.record.arrived;
      ids_[each.record.data] = item.id;
      if (!each.record.data.starts_with('#')) item.event = std::make_shared<const std::string>(each.record.data);
      items.push_back(std::move(item));
    }
    return items;
  }
  void accept(Report& report) {
    reports_.push_back({report.queue, std::get<BatchFailure>(report.content)});
    if (!takes_reports_) return;
    Answered answer{report.id, SendResults{{Sent{}}}, {}};
    if (refuses_reports_) answer.result = Error{*refuses_reports_, "no"};
    context_->tell(answer);
  }
  void run(Invocation& invocation) {
    ++invocations_;
    auto& event = std::get<BatchEvent>(invocation.event);
    Run run_{invocation.id, {}, {}, event.window};
    for (const auto& each : event.records) {
      run_.data.emplace_back(*each);
      run_.ids.push_back(ids_.at(run_.data.back()));
    }
    running_.push_back(std::move(run_));
  }
  std::map<CallId, OpenAsk> open_asks_;
  std::map<std::string, std::string> ids_;  ///< of data, which is different in every record of a test
};

}  // namespace penstock::core
