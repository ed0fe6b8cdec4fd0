#include "core/triggers/engine.hpp"

#include <algorithm>
#include <utility>

#include "core/triggers/async_invokes.hpp"
#include "core/triggers/functions.hpp"
#include "core/triggers/invokes.hpp"
#include "core/triggers/mappings.hpp"
#include "core/triggers/timeout_checks.hpp"
#include "core/triggers/trigger_errors.hpp"

namespace penstock::core {

namespace {

// How many timers one advance rings: bounds the time before the host looks at what comes back to it.
constexpr std::size_t due_batch_max = 1'000;

class Engine final : public TriggerEngine {
 public:
  Engine(const TriggerLimits& limits, Entropy& entropy, RenderAsyncEnd render)
      : limits_(limits),
        context_(limits_, entropy),
        functions_(context_, [this](const FunctionName& name) { mappings_.function_changed(name); }),
        invokes_(context_),
        async_(context_, std::move(render)),
        mappings_(context_),
        timeout_checks_(context_, [this](CallId call, FunctionChange& change) {
          std::visit([&](auto& command) { functions_.handle(call, command); }, change);
        }) {}

  void recover(RecoveredTriggers found, Instant now) override;
  void apply(CallId call, TriggerCommand command, Instant now) override;
  void advance(Instant now) override;
  std::optional<Instant> next_deadline() const override { return context_.next_timer(); }
  std::optional<Instant> next_observable() const override { return context_.next_observable_timer(); }
  void drain(Instant now) override;
  void name_busy(BusyList& busy) const override {
    mappings_.name_busy(busy);
    async_.name_busy(busy);
  }
  TriggerTally tally() const override { return {context_.mapped, async_.count(), running()}; }
  std::vector<MappingView> survey_mappings(const std::string& after, std::size_t count_max) const override {
    return mappings_.survey(after, count_max);
  }
  bool is_idle() const override { return context_.is_idle() && mappings_.is_idle(); }
  TriggerEffects take_effects() override { return std::exchange(context_.effects, {}); }

 private:
  // Commands that are one part's own.
  void handle(CallId call, GetFunction& command) { functions_.handle(call, command); }
  void handle(CallId call, ListFunctions& command) { functions_.handle(call, command); }
  void handle(CallId call, DeleteFunction& command) {
    if (command.with_events) async_.give_up(command.function);
    functions_.handle(call, command);
  }
  void handle(CallId call, PutFunctionConcurrency& command) { functions_.handle(call, command); }
  void handle(CallId call, PutAsyncConfig& command) { functions_.handle(call, command); }
  void handle(CallId call, DeleteAsyncConfig& command) { functions_.handle(call, command); }
  void handle(CallId call, GetLambdaAccount& command) { functions_.handle(call, command); }
  void handle(CallId call, CreateMapping& command) { mappings_.handle(call, command); }
  void handle(CallId call, GetMapping& command) { mappings_.handle(call, command); }
  void handle(CallId call, ListMappings& command) { mappings_.handle(call, command); }
  void handle(CallId call, UpdateMapping& command) { mappings_.handle(call, command); }
  void handle(CallId call, DeleteMapping& command) { mappings_.handle(call, command); }

  void handle(CallId call, CreateFunction& command);
  void handle(CallId call, UpdateFunction& command);
  void handle(CallId call, TagLambda& command);
  void handle(CallId call, UntagLambda& command);
  void handle(CallId call, ListLambdaTags& command);
  void handle(CallId call, InvokeFunction& command);
  void handle(CallId call, ReadFunctionLog& command);
  void handle(CallId call, Answered& answer);
  void handle(CallId call, InvocationOver& over);

  std::size_t running() const { return static_cast<std::size_t>(context_.running()); }
  void settle();
  bool would_run_longer(const FunctionName& name, std::optional<int> timeout_seconds) const;

  const TriggerLimits limits_;
  TriggerContext context_;
  Functions functions_;
  Invokes invokes_;
  AsyncInvokes async_;
  Mappings mappings_;
  TimeoutChecks timeout_checks_;
};

void Engine::recover(RecoveredTriggers found, Instant now) {
  context_.now = now;
  functions_.recover(std::move(found.functions));
  async_.recover(std::move(found.events));
  mappings_.recover(std::move(found.mappings));
  settle();
}

void Engine::apply(CallId call, TriggerCommand command, Instant now) {
  // What is due by now comes first, so that no command sees a window or a delay that is over.
  advance(now);
  std::visit([&](auto& each) { handle(call, each); }, command);
  settle();
}

void Engine::advance(Instant now) {
  context_.now = std::max(context_.now, now);
  context_.ring(due_batch_max);
  settle();
}

void Engine::drain(Instant now) {
  context_.now = std::max(context_.now, now);
  context_.draining = true;
  mappings_.drain();
  settle();
}

// Free slots are offered, and whoever has told that it is through is seen to, now that nobody is being told anything.
void Engine::settle() {
  context_.offer_slots();
  mappings_.work_off();
  async_.sweep();
}

bool Engine::would_run_longer(const FunctionName& name, std::optional<int> timeout_seconds) const {
  const auto function = context_.functions().find(name);
  return timeout_seconds && function != context_.functions().end() &&
         *timeout_seconds > function->second->timeout_seconds;
}

void Engine::handle(CallId call, CreateFunction& command) {
  const FunctionName name = command.function.name;
  const int timeout = command.function.timeout_seconds;
  if (!command.replace || !would_run_longer(name, timeout)) return functions_.handle(call, command);
  timeout_checks_.check(call, std::move(command), timeout, mappings_.queues_of(name));
}

void Engine::handle(CallId call, UpdateFunction& command) {
  const FunctionName name = command.function;
  const std::optional<int> timeout = command.patch.timeout_seconds;
  if (!would_run_longer(name, timeout)) return functions_.handle(call, command);
  timeout_checks_.check(call, std::move(command), *timeout, mappings_.queues_of(name));
}

void Engine::handle(CallId call, TagLambda& command) {
  if (const auto* function = std::get_if<FunctionName>(&command.resource)) {
    return functions_.tag(call, *function, command.tags);
  }
  mappings_.tag(call, std::get<MappingName>(command.resource), command.tags);
}

void Engine::handle(CallId call, UntagLambda& command) {
  if (const auto* function = std::get_if<FunctionName>(&command.resource)) {
    return functions_.untag(call, *function, command.keys);
  }
  mappings_.untag(call, std::get<MappingName>(command.resource), command.keys);
}

void Engine::handle(CallId call, ListLambdaTags& command) {
  if (const auto* function = std::get_if<FunctionName>(&command.resource)) {
    return functions_.list_tags(call, *function);
  }
  mappings_.list_tags(call, std::get<MappingName>(command.resource));
}

void Engine::handle(CallId call, InvokeFunction& command) {
  if (command.type == InvocationType::event) return async_.handle(call, command);
  invokes_.handle(call, command);
}

void Engine::handle(CallId call, ReadFunctionLog& /*command*/) {
  // The shell has the logs, and answers itself.
  context_.reply(call, Error{ErrorCode::LambdaServiceException, "Logs are not the engine's."});
}

void Engine::handle(CallId /*call*/, Answered& answer) {
  if (context_.tell(answer)) return;
  const std::optional<QueueName> queue = context_.queue_of_orphan(answer.id);
  if (!queue || answer.items.empty()) return;
  // It was received for somebody who waits for it no more.
  ReturnUndelivered command{*queue, {}};
  for (SourceItem& item : answer.items) command.receipt_handles.push_back(std::move(item.receipt_handle));
  context_.send(std::move(command));
}

void Engine::handle(CallId /*call*/, InvocationOver& over) { context_.tell(std::move(over)); }

}  // namespace

std::unique_ptr<TriggerEngine> make_trigger_engine(const TriggerLimits& limits, Entropy& entropy,
                                                   RenderAsyncEnd render) {
  return std::make_unique<Engine>(limits, entropy, std::move(render));
}

}  // namespace penstock::core
