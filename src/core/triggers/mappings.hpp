// All mappings: who may make and change them, and the states that they go through.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/triggers/mapping.hpp"

namespace penstock::core {

class Mappings final : public Participant, public MappingOwner {
 public:
  explicit Mappings(TriggerContext& context) : context_(context) {}

  void recover(std::vector<RecoveredMapping> found);

  void handle(CallId call, CreateMapping& command);
  void handle(CallId call, const GetMapping& command) const;
  void handle(CallId call, const ListMappings& command) const;
  void handle(CallId call, UpdateMapping& command);
  void handle(CallId call, const DeleteMapping& command);
  void tag(CallId call, const MappingName& mapping, const std::map<std::string, std::string>& tags);
  void untag(CallId call, const MappingName& mapping, const std::vector<std::string>& keys);
  void list_tags(CallId call, const MappingName& mapping) const;

  void function_changed(const FunctionName& function);
  /// Lets all of them end.
  void drain();
  /// Acts on what mappings have told: states change, those that were deleted go. To be called when no participant is
  /// being told anything.
  void work_off();
  /// Of the mappings to a function, each once.
  std::vector<QueueName> queues_of(const FunctionName& function) const;
  void name_busy(BusyList& busy) const;
  /// As TriggerEngine::survey_mappings.
  std::vector<MappingView> survey(const std::string& after, std::size_t count_max) const;
  /// None of them has anything left to end.
  bool is_idle() const { return stopping_ == 0; }

  // Participant: what it asks of sources before there is a mapping.
  void answered(Answered answer) override;
  void invocation_over(InvocationOver /*over*/) override {}
  void due(std::uint64_t /*tag*/) override {}
  void slot_freed() override {}

  // MappingOwner.
  void mapping_started(Mapping& mapping) override { told_.emplace_back(mapping.record().uuid, true); }
  void mapping_stopped(Mapping& mapping) override { told_.emplace_back(mapping.record().uuid, false); }

 private:
  struct Entry {
    std::unique_ptr<Mapping> mapping;
    bool active = false;  ///< started, and not stopped since
    bool stopping = false;
  };
  /// A creation or a change that waits for its source to say what it is.
  struct Pending {
    CallId call;
    MappingRecord asked;
    std::optional<MappingPatch> patch;  ///< of a change
    bool is_source_needed = true;       ///< otherwise it is changed all the same where that is not there
  };
  /// A source, a function, and which version or alias of it.
  using Key = std::tuple<std::string, FunctionName, std::string>;

  static Key key_of(const MappingRecord& record);
  Entry* find(const std::string& uuid);
  /// Null also for one of another account or region.
  Entry* find(const MappingName& mapping);
  const Entry* find(const MappingName& mapping) const;
  static bool is_starting(const Entry& entry);
  /// Whether a change to that is taken now.
  static bool may_become(const Entry& entry, const MappingRecord& asked);
  void ask_source(Pending pending);
  std::optional<Error> check_source(const Pending& pending, const std::optional<Result>& result) const;
  std::optional<Error> check_function(const MappingRecord& asked) const;
  void create(CallId call, MappingRecord record);
  void change(CallId call, Entry& entry, MappingRecord changed);
  void add(MappingRecord record, std::vector<ShardCheckpoint> checkpoints);
  void resume(Entry& entry);
  void start(Entry& entry);
  void stop(Entry& entry);
  void started(Entry& entry);
  void stopped(Entry& entry);
  void set_state(Entry& entry, MappingState state);
  void put(Entry& entry, MappingRecord record);
  void drop(const std::string& uuid);

  TriggerContext& context_;
  std::map<std::string, Entry> entries_;  ///< by UUID
  std::map<Key, std::string> by_key_;     ///< UUIDs, also of those that are being made
  std::map<AskId, Pending> pending_;
  std::vector<std::pair<std::string, bool>> told_;  ///< UUIDs of those that were started (true) or stopped
  std::size_t stopping_ = 0;
};

}  // namespace penstock::core
