// What a trigger engine asks to be kept, as values.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "penstock/triggers.hpp"

namespace penstock::core {

class TriggerStore {
 public:
  void apply(const std::vector<TriggerMutation>& mutations) {
    for (const TriggerMutation& mutation : mutations) std::visit([&](const auto& each) { on(each); }, mutation);
  }

  RecoveredTriggers recover() const {
    RecoveredTriggers found;
    for (const auto& [name, function] : functions) found.functions.push_back(function);
    for (const auto& [uuid, mapping] : mappings) {
      RecoveredMapping recovered{mapping, {}};
      for (const auto& [key, checkpoint] : checkpoints) {
        if (std::get<0>(key) == uuid) recovered.checkpoints.push_back(checkpoint);
      }
      found.mappings.push_back(std::move(recovered));
    }
    for (const auto& [id, event] : events) found.events.push_back(event);
    return found;
  }

  using CheckpointKey = std::tuple<std::string, StreamId, ShardIndex>;
  std::map<FunctionName, FunctionRecord> functions;
  std::map<std::string, MappingRecord> mappings;
  std::map<CheckpointKey, ShardCheckpoint> checkpoints;
  std::map<std::string, AsyncEvent> events;

 private:
  void on(const PutFunction& m) { functions[m.function.name] = m.function; }
  void on(const DropFunction& m) { functions.erase(m.function); }
  void on(const PutMapping& m) { mappings[m.mapping.uuid] = m.mapping; }
  void on(const DropMapping& m) {
    mappings.erase(m.uuid);
    std::erase_if(checkpoints, [&](const auto& each) { return std::get<0>(each.first) == m.uuid; });
  }
  void on(const PutCheckpoint& m) { checkpoints[{m.mapping, m.checkpoint.stream, m.checkpoint.shard}] = m.checkpoint; }
  void on(const DropCheckpoint& m) { checkpoints.erase({m.mapping, m.stream, m.shard}); }
  void on(const PutAsyncEvent& m) { events[m.event.id] = m.event; }
  void on(const DropAsyncEvent& m) { events.erase(m.id); }
};

}  // namespace penstock::core
