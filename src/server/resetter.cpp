#include "server/resetter.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "server/trigger_host.hpp"
#include "storage/inventory.hpp"

namespace penstock::server {

namespace {

using Scope = ResetServer::Scope;

/// Between two looks at what is left: what was under way ends by itself.
constexpr std::chrono::milliseconds pause_min{1};
constexpr std::chrono::milliseconds pause_max{100};
/// In all: what then is still there is kept alive by somebody who makes it as fast as it is deleted.
constexpr std::chrono::seconds time_max{60};

template <class Answer>
std::uint64_t count_done(const std::vector<Answer>& answers) {
  return static_cast<std::uint64_t>(std::count_if(
      answers.begin(), answers.end(), [](const Answer& answer) { return !std::holds_alternative<Error>(answer); }));
}

bool includes(Scope scope, Scope part) { return scope == Scope::all || scope == part; }

}  // namespace

/// What there is now, and what was deleted of it.
struct Resetter::Round {
  storage::Inventory found;
  ServerReset& deleted;

  bool empty() const {
    return found.queues.empty() && found.graves.empty() && found.streams.empty() && found.functions.empty() &&
           found.mappings.empty() && found.awaited.empty();
  }
};

// Mappings first, so that nothing is delivered to what goes; functions before what they are invoked for.
std::variant<ServerReset, Error> Resetter::run(Scope scope) {
  ServerReset deleted;
  const auto until = std::chrono::steady_clock::now() + time_max;
  for (auto pause = pause_min;; pause = std::min(2 * pause, pause_max)) {
    Round round{{}, deleted};
    if (const StoreError error = storage::take_inventory(store_, round.found)) {
      spdlog::error("a reset cannot read what there is: {}", error.message);
      return Error{ErrorCode::InternalFailure, {}};
    }
    if (!includes(scope, Scope::sqs)) round.found.queues = round.found.graves = {};
    if (!includes(scope, Scope::kinesis)) round.found.streams = {};
    if (!includes(scope, Scope::lambda)) {
      round.found.functions = {};
      round.found.mappings = {};
      round.found.awaited = {};
    }
    if (round.empty()) return deleted;
    if (std::chrono::steady_clock::now() >= until) {
      return Error{ErrorCode::ServerConflict, "What was deleted was made again at once, or does not end."};
    }
    delete_mappings(round);
    delete_functions(round);
    delete_streams(round);
    delete_queues(round);
    if (includes(scope, Scope::lambda)) service_.triggers->end_runs_of_deleted();
    insider_.pause(pause);
  }
}

void Resetter::delete_mappings(Round& round) {
  std::vector<TriggerCommand> commands;
  for (MappingName& mapping : round.found.mappings) commands.emplace_back(DeleteMapping{std::move(mapping)});
  // One that is being deleted already refuses to be deleted again.
  round.deleted.mappings += count_done(insider_.ask_each(std::move(commands)));
}

void Resetter::delete_functions(Round& round) {
  std::vector<TriggerCommand> commands;
  for (const FunctionName& function : round.found.functions) commands.emplace_back(DeleteFunction{function, true});
  // What was invoked of those that are gone already.
  for (const FunctionName& function : round.found.awaited) commands.emplace_back(DeleteFunction{function, true});
  round.deleted.functions += count_done(insider_.ask_each(std::move(commands)));
}

void Resetter::delete_streams(Round& round) {
  std::vector<Command> commands;
  for (StreamName& stream : round.found.streams) {
    commands.emplace_back(StreamCommand(DeleteStream{std::move(stream), true, true}));
  }
  round.deleted.streams += count_done(insider_.ask_each(std::move(commands)));
}

void Resetter::delete_queues(Round& round) {
  std::vector<Command> commands;
  for (QueueName& queue : round.found.queues) commands.emplace_back(DeleteQueue{std::move(queue), true});
  round.deleted.queues += count_done(insider_.ask_each(std::move(commands)));
  commands = {};
  for (QueueName& queue : round.found.graves) commands.emplace_back(DeleteQueue{std::move(queue), true});
  (void)insider_.ask_each(std::move(commands));
}

}  // namespace penstock::server
