// A trigger engine beside a real engine of queues: what the shell around them does, step by step. Events are made of
// the bodies as they are, and functions are played by the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/triggers/engine.hpp"
#include "engine_fixture.hpp"
#include "trigger_store.hpp"

namespace penstock::core {

class TriggerFixture : public EngineFixture {
 protected:
  TriggerFixture() { restart_triggers(); }

  /// A fresh trigger engine on what its store holds. What was running or asked is as if it never came back.
  void restart_triggers() {
    asked_.clear();
    open_reports_.clear();
    running_.clear();
    triggers_ = make_trigger_engine(trigger_limits_, entropy_, [](const AsyncEnd& end) { return text_of(end); });
    triggers_->recover(trigger_store_.recover(), now_);
    settle();
  }
  /// The same of everything, as after a crash.
  void crash() {
    restart();
    restart_triggers();
  }
  void set_trigger_limits(const TriggerLimits& limits) {
    trigger_limits_ = limits;
    restart_triggers();
  }

  void settle() override {
    EngineFixture::settle();
    if (triggers_ == nullptr) return;
    for (;;) {
      TriggerEffects effects = triggers_->take_effects();
      const bool moved = bring_back();
      if (effects.empty() && !moved) return;
      take(std::move(effects));
      EngineFixture::settle();
    }
  }

  // ---- Commands

  CallId trigger(TriggerCommand command) {
    const CallId call{++calls_};
    triggers_->apply(call, std::move(command), now_);
    settle();
    return call;
  }
  bool trigger_answered(CallId call) const { return trigger_replies_.contains(call); }
  template <class Expected>
  Expected trigger_answer(CallId call) {
    const auto found = trigger_replies_.find(call);
    if (found == trigger_replies_.end()) {
      ADD_FAILURE() << "no reply";
      return {};
    }
    if (const auto* expected = std::get_if<Expected>(&found->second)) return *expected;
    const auto* error = std::get_if<Error>(&found->second);
    ADD_FAILURE() << "unexpected reply: " << (error != nullptr ? error->message : "of another type");
    return {};
  }
  template <class Expected>
  Expected ask_triggers(TriggerCommand command) {
    return trigger_answer<Expected>(trigger(std::move(command)));
  }

  FunctionRecord function_record(const std::string& name = "worker", int timeout_seconds = 3) const {
    FunctionRecord function;
    function.name = {"000000000000", "us-east-1", name};
    function.kind = FunctionKind::exec;
    function.command = {"/bin/true"};
    function.timeout_seconds = timeout_seconds;
    return function;
  }
  FunctionRecord create_function(const std::string& name = "worker", int timeout_seconds = 3) {
    return ask_triggers<FunctionDescription>(CreateFunction{function_record(name, timeout_seconds), {}, false})
        .function;
  }
  MappingRecord mapping_record() const {
    MappingRecord mapping;
    mapping.source = queue_;
    mapping.source_arn = arn_of(queue_);
    mapping.function = function_record().name;
    mapping.function_arn = arn_of(mapping.function);
    mapping.config = config_;
    return mapping;
  }
  MappingRecord create_mapping() { return ask_triggers<MappingDescription>(CreateMapping{mapping_record()}).mapping; }
  static MappingName mapping_name(std::string uuid) { return {"000000000000", "us-east-1", std::move(uuid)}; }
  MappingRecord get_mapping(const std::string& uuid) {
    return ask_triggers<MappingDescription>(GetMapping{mapping_name(uuid)}).mapping;
  }
  /// A queue, a function and a mapping of the one to the other, as config_ has it.
  std::string create_all(StringMap queue_attributes = {}) {
    create(std::move(queue_attributes));
    create_function();
    return create_mapping().uuid;
  }
  void send_all(const std::vector<std::string>& bodies) {
    for (const std::string& body : bodies) send(body);
  }

  // ---- Functions, as the test plays them

  static std::vector<std::string> records_of(const Invocation& invocation) {
    std::vector<std::string> records;
    if (const auto* batch = std::get_if<BatchEvent>(&invocation.event)) {
      for (const auto& record : batch->records) records.emplace_back(*record);
    } else if (const auto* payload = std::get_if<std::shared_ptr<const std::string>>(&invocation.event)) {
      records.push_back(*payload == nullptr ? "" : **payload);
    }
    return records;
  }
  /// The records of each invocation that runs, in the order in which they began.
  std::vector<std::vector<std::string>> running() const {
    std::vector<std::vector<std::string>> all;
    for (const Invocation& invocation : running_) all.push_back(records_of(invocation));
    return all;
  }
  /// Ends the invocation that began first, of those that run, or the one at `index`.
  void end(RunOutcome outcome, std::optional<BatchAnswer> answer = std::nullopt, std::size_t index = 0) {
    ASSERT_LT(index, running_.size()) << "nothing runs";
    const Invocation invocation = std::move(running_[index]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
    if (outcome.succeeded() && std::holds_alternative<BatchEvent>(invocation.event) && !answer) answer = BatchAnswer{};
    triggers_->apply(CallId{}, InvocationOver{invocation.id, std::move(outcome), std::move(answer)}, now_);
    settle();
  }
  void succeed(std::size_t index = 0) { end(RunOutcome{}, std::nullopt, index); }
  /// Lets everything succeed until nothing runs; the records that were seen.
  std::vector<std::string> work_off() {
    std::vector<std::string> all;
    while (!running_.empty()) {
      std::ranges::move(records_of(running_.front()), std::back_inserter(all));
      succeed();
    }
    return all;
  }
  void fail(std::size_t index = 0) {
    RunOutcome outcome;
    outcome.function_error = "Unhandled";
    outcome.payload = "{\"errorMessage\":\"no\"}";
    end(std::move(outcome), std::nullopt, index);
  }
  void fail_items(std::vector<std::string> ids, std::size_t index = 0) {
    end(RunOutcome{}, BatchAnswer{true, std::move(ids), std::nullopt}, index);
  }
  void throttle(std::size_t index = 0) {
    RunOutcome outcome;
    outcome.status = RunOutcome::Status::throttled;
    end(std::move(outcome), std::nullopt, index);
  }
  void find_nobody(const std::string& message, std::size_t index = 0) {
    RunOutcome outcome;
    outcome.status = RunOutcome::Status::unreached;
    outcome.message = message;
    end(std::move(outcome), std::nullopt, index);
  }
  void fail_to_run(const std::string& message, std::size_t index = 0) {
    RunOutcome outcome;
    outcome.status = RunOutcome::Status::failed;
    outcome.message = message;
    end(std::move(outcome), std::nullopt, index);
  }

  // ---- Time, of both engines

  void pass_time(Millis time) {
    const Instant until = now_ + time;
    for (int round = 0; round < 100'000; ++round) {
      const auto of_queues = engine_->next_deadline();
      const auto of_triggers = triggers_->next_deadline();
      Instant next = until;
      if (of_queues) next = std::min(next, *of_queues);
      if (of_triggers) next = std::min(next, *of_triggers);
      now_ = std::max(now_, next);
      engine_->advance(now_);
      settle();
      triggers_->advance(now_);
      settle();
      const bool more = (engine_->next_deadline() && *engine_->next_deadline() <= now_) ||
                        (triggers_->next_deadline() && *triggers_->next_deadline() <= now_);
      if (now_ == until && !more) return;
    }
    ADD_FAILURE() << "the engines are never through";
  }

  // ---- The queue as a client sees it

  int visible() { return std::stoi(attribute("ApproximateNumberOfMessages")); }
  int in_flight() { return std::stoi(attribute("ApproximateNumberOfMessagesNotVisible")); }

  std::size_t open_receives() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        asked_, [](const auto& each) { return std::holds_alternative<ReceiveMessages>(each.second.command); }));
  }

  static std::string text_of(const AsyncEnd& end) {
    std::string text = end.invocation.condition;
    text.append(" ").append(std::to_string(end.invocation.invoke_count)).append(" ").append(end.request_payload);
    return end.plain ? end.request_payload : text;
  }

  TriggerLimits trigger_limits_;
  std::unique_ptr<TriggerEngine> triggers_;
  TriggerStore trigger_store_;
  MappingConfig config_;
  std::map<CallId, TriggerResult> trigger_replies_;
  std::map<CallId, Ask> asked_;           ///< by the call that the queues' engine knows it by
  std::map<CallId, AskId> open_reports_;  ///< the same of reports
  std::vector<Invocation> running_;
  std::vector<Retire> retired_;
  std::size_t asks_seen_ = 0;
  bool last_trigger_sync_ = false;
  bool answers_cancelled_ = true;  ///< otherwise the test does
  std::optional<ErrorCode> refuses_settlements_;
  std::vector<std::string> warnings_;

 private:
  void take(TriggerEffects effects) {
    trigger_store_.apply(effects.mutations);
    if (!effects.mutations.empty()) last_trigger_sync_ = effects.sync;
    std::ranges::move(effects.warnings, std::back_inserter(warnings_));
    for (TriggerReply& reply : effects.replies) trigger_replies_[reply.call] = std::move(reply.result);
    for (Ask& ask : effects.asks) submit(std::move(ask));
    for (const AskId cancelled : effects.cancels) cancel(cancelled);
    for (Report& report : effects.reports) {
      OutgoingMessage message;
      const auto* end = std::get_if<AsyncEnd>(&report.content);
      message.content.body = end == nullptr ? std::string("batch failure") : text_of(*end);
      message.bytes = message.content.body.size();
      const CallId call{++calls_};
      open_reports_.emplace(call, report.id);
      engine_->apply(call, SendMessages{report.queue, {std::move(message)}, false}, now_);
    }
    for (Retire& retire : effects.retires) retired_.push_back(std::move(retire));
    for (Invocation& invocation : effects.invocations) running_.push_back(std::move(invocation));
  }

  void submit(Ask ask) {
    ++asks_seen_;
    const CallId call{++calls_};
    Command command = ask.command;
    asked_.emplace(call, std::move(ask));
    const bool settles =
        std::holds_alternative<DeleteMessages>(command) || std::holds_alternative<ChangeVisibility>(command);
    if (settles && refuses_settlements_) {
      replies_.emplace(call, Error{*refuses_settlements_, "not now"});
      return;
    }
    engine_->apply(call, std::move(command), now_);
  }

  void cancel(AskId cancelled) {
    for (const auto& [call, ask] : asked_) {
      if (ask.id != cancelled) continue;
      if (const auto* receive = std::get_if<ReceiveMessages>(&ask.command)) {
        engine_->apply(CallId{}, CancelReceive{receive->queue, call}, now_);
      }
    }
    EngineFixture::settle();
    for (auto it = asked_.begin(); it != asked_.end(); ++it) {
      if (it->second.id != cancelled || replies_.contains(it->first)) continue;
      asked_.erase(it);
      if (!answers_cancelled_) return;
      triggers_->apply(CallId{}, Answered{cancelled, std::nullopt, {}}, now_);
      return;
    }
  }

  // What the queues' engine has answered, as the shell makes it.
  bool bring_back() {
    std::vector<Answered> answers;
    for (auto& [call, result] : replies_) {
      if (const auto report = open_reports_.extract(call); !report.empty()) {
        answers.push_back(Answered{report.mapped(), result, {}});
      } else if (auto ask = asked_.extract(call); !ask.empty()) {
        answers.push_back(Answered{ask.mapped().id, result, items_of(result, ask.mapped().mapping.get())});
      }
    }
    for (Answered& answer : answers) triggers_->apply(CallId{}, std::move(answer), now_);
    return !answers.empty();
  }

  std::vector<SourceItem> items_of(const Result& result, const MappingRecord* mapping) const {
    std::vector<SourceItem> items;
    const auto* deliveries = std::get_if<Deliveries>(&result);
    if (deliveries == nullptr) return items;
    for (const Delivery& delivery : deliveries->messages) {
      const auto message = store_.message(delivery.queue, delivery.sequence);
      if (message == nullptr) continue;
      SourceItem item{message->message_id, delivery.receipt_handle, message->content.group_id, {}, message->sent, {}};
      item.visible_at = delivery.visible_at;
      const bool matches = mapping == nullptr || mapping->config.filters.empty() ||
                           message->content.body.find(mapping->config.filters[0]) != std::string::npos;
      if (matches) item.event = std::make_shared<const std::string>(message->content.body);
      items.push_back(std::move(item));
    }
    return items;
  }
};

}  // namespace penstock::core
