#include "core/triggers/mappings.hpp"

#include <algorithm>
#include <utility>

#include "core/triggers/mapping_rules.hpp"
#include "core/triggers/trigger_errors.hpp"
#include "core/uuid.hpp"

namespace penstock::core {

namespace {

constexpr std::size_t mapping_tags_max = 50;

// StateTransitionReason of all that there is: nothing changes by itself.
std::string_view reason_of(const MappingRecord& record) {
  return record.of_stream() ? "User action" : "USER_INITIATED";
}

bool is_settled(const MappingRecord& record) {
  return record.state == MappingState::enabled || record.state == MappingState::disabled;
}

bool is_to(const MappingRecord& record, const FunctionName& function, std::string_view arn) {
  return record.function == function && qualifier_of(function, record.function_arn) == qualifier_of(function, arn);
}

Command question_about(const MappingRecord& record) {
  if (const auto* queue = std::get_if<QueueName>(&record.source)) return ask_visibility(*queue);
  const StreamName& stream = std::get<StreamName>(record.source);
  if (!record.consumer) return StreamCommand{DescribeStreamSummary{stream}};
  return StreamCommand{DescribeConsumer{stream, record.consumer->name, record.consumer->created_s}};
}

}  // namespace

Mappings::Entry* Mappings::find(const std::string& uuid) {
  const auto found = entries_.find(uuid);
  return found == entries_.end() ? nullptr : &found->second;
}

Mappings::Entry* Mappings::find(const MappingName& mapping) {
  Entry* entry = find(mapping.uuid);
  return entry != nullptr && entry->mapping->announced().name() == mapping ? entry : nullptr;
}

const Mappings::Entry* Mappings::find(const MappingName& mapping) const {
  const auto found = entries_.find(mapping.uuid);
  if (found == entries_.end() || found->second.mapping->announced().name() != mapping) return nullptr;
  return &found->second;
}

// It waits for nothing but its source, which may never be there again: whoever is through with it must not have to wait
// with it.
bool Mappings::is_starting(const Entry& entry) {
  if (!entry.active || entry.stopping) return false;
  const MappingState state = entry.mapping->announced().state;
  return state == MappingState::creating || state == MappingState::enabling || state == MappingState::updating;
}

bool Mappings::may_become(const Entry& entry, const MappingRecord& asked) {
  return is_settled(entry.mapping->announced()) || (is_starting(entry) && !asked.config.enabled);
}

// ---- Commands

std::optional<Error> Mappings::check_function(const MappingRecord& asked) const {
  if (context_.find_function(asked.function, asked.function_arn) != nullptr) return std::nullopt;
  return function_not_found(asked.function, asked.function_arn);
}

Mappings::Key Mappings::key_of(const MappingRecord& record) {
  return {record.source_arn, record.function, std::string(qualifier_of(record.function, record.function_arn))};
}

void Mappings::handle(CallId call, CreateMapping& command) {
  MappingRecord& asked = command.mapping;
  if (auto error = check_function(asked)) return context_.reply(call, std::move(*error));
  if (const auto existing = by_key_.find(key_of(asked)); existing != by_key_.end()) {
    return context_.reply(call, mapping_exists(asked, existing->second));
  }
  if (auto error = check_mapping(asked)) return context_.reply(call, std::move(*error));
  if (asked.tags.size() > mapping_tags_max) return context_.reply(call, too_many_lambda_tags());
  if (by_key_.size() >= context_.limits.mappings_max) {
    return context_.reply(call, too_many_mappings(context_.limits.mappings_max));
  }
  asked.uuid = make_uuid(context_.entropy);
  by_key_.emplace(key_of(asked), asked.uuid);
  ask_source(Pending{call, std::move(asked), std::nullopt});
}

void Mappings::handle(CallId call, const GetMapping& command) const {
  const Entry* entry = find(command.mapping);
  if (entry == nullptr) return context_.reply(call, mapping_not_found());
  context_.reply(call, MappingDescription{entry->mapping->announced()});
}

void Mappings::handle(CallId call, const ListMappings& command) const {
  MappingList answer;
  for (auto it = entries_.upper_bound(command.after); it != entries_.end(); ++it) {
    const MappingRecord& record = it->second.mapping->announced();
    if (record.function.account != command.account || record.function.region != command.region) continue;
    if (!command.source_arn.empty() && record.source_arn != command.source_arn) continue;
    if (command.function && !is_to(record, *command.function, command.function_arn)) continue;
    if (answer.mappings.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.mappings.push_back(record);
  }
  context_.reply(call, std::move(answer));
}

void Mappings::handle(CallId call, UpdateMapping& command) {
  Entry* entry = find(command.mapping);
  if (entry == nullptr) return context_.reply(call, mapping_not_found());
  // Whoever may change it could not see it any more.
  const auto& function = command.patch.function;
  if (function && (function->account != command.mapping.account || function->region != command.mapping.region)) {
    return context_.reply(call, function_not_found(*function));
  }
  const MappingRecord& before = entry->mapping->announced();
  MappingRecord asked = before;
  merge(asked, command.patch);
  if (!may_become(*entry, asked)) return context_.reply(call, mapping_in_use("update"));
  if (auto error = check_mapping(asked)) return context_.reply(call, std::move(*error));
  if (key_of(asked) == key_of(before)) {
    // Whoever is through with it need not have its queue.
    if (asked.of_stream() || !asked.config.enabled) return change(call, *entry, std::move(asked));
    return ask_source(Pending{call, std::move(asked), std::move(command.patch), false});
  }
  if (auto error = check_function(asked)) return context_.reply(call, std::move(*error));
  if (const auto existing = by_key_.find(key_of(asked)); existing != by_key_.end()) {
    return context_.reply(call, mapping_exists(asked, existing->second));
  }
  by_key_.emplace(key_of(asked), asked.uuid);
  ask_source(Pending{call, std::move(asked), std::move(command.patch)});
}

void Mappings::handle(CallId call, const DeleteMapping& command) {
  Entry* entry = find(command.mapping);
  if (entry == nullptr) return context_.reply(call, mapping_not_found());
  if (!is_settled(entry->mapping->announced()) && !is_starting(*entry)) {
    return context_.reply(call, mapping_in_use("delete"));
  }
  set_state(*entry, MappingState::deleting);
  context_.reply(call, MappingDescription{entry->mapping->announced()});
  stop(*entry);
}

void Mappings::tag(CallId call, const MappingName& mapping, const std::map<std::string, std::string>& tags) {
  Entry* entry = find(mapping);
  if (entry == nullptr) return context_.reply(call, mapping_not_found());
  MappingRecord changed = entry->mapping->announced();
  for (const auto& [key, value] : tags) changed.tags.insert_or_assign(key, value);
  if (changed.tags.size() > mapping_tags_max) return context_.reply(call, too_many_lambda_tags());
  put(*entry, std::move(changed));
  context_.reply(call, Done{});
}

void Mappings::untag(CallId call, const MappingName& mapping, const std::vector<std::string>& keys) {
  Entry* entry = find(mapping);
  if (entry == nullptr) return context_.reply(call, mapping_not_found());
  MappingRecord changed = entry->mapping->announced();
  for (const std::string& key : keys) changed.tags.erase(key);
  put(*entry, std::move(changed));
  context_.reply(call, Done{});
}

void Mappings::list_tags(CallId call, const MappingName& mapping) const {
  const Entry* entry = find(mapping);
  if (entry == nullptr) return context_.reply(call, mapping_not_found());
  context_.reply(call, LambdaTags{entry->mapping->announced().tags});
}

// ---- What a source says

void Mappings::ask_source(Pending pending) {
  const AskId id = context_.ask(*this, question_about(pending.asked));
  pending_.emplace(id, std::move(pending));
}

std::optional<Error> Mappings::check_source(const Pending& pending, const std::optional<Result>& result) const {
  const MappingRecord& asked = pending.asked;
  if (!result) return shutting_down();
  const auto* unusable = std::get_if<Error>(&*result);
  if (unusable != nullptr && pending.is_source_needed) return source_not_usable(asked, *unusable);
  if (!pending.is_source_needed && !context_.is_registered(asked.function)) return std::nullopt;
  // Meanwhile it may have gone.
  if (auto error = check_function(asked)) return error;
  // How long an emulator lets a function run is not known.
  if (!context_.is_registered(asked.function)) return std::nullopt;
  return objection_to_timeout(result, context_.find_function(asked.function)->timeout_seconds);
}

void Mappings::answered(Answered answer) {
  auto found = pending_.extract(answer.id);
  if (found.empty()) return;
  Pending pending = std::move(found.mapped());
  std::optional<Error> error = check_source(pending, answer.result);
  if (!pending.patch && !error) return create(pending.call, std::move(pending.asked));
  Entry* entry = find(pending.asked.uuid);
  if (!error && entry == nullptr) error = mapping_not_found();
  // What else was changed meanwhile stays.
  MappingRecord changed = error ? MappingRecord{} : entry->mapping->announced();
  if (!error) merge(changed, *pending.patch);
  if (!error && !may_become(*entry, changed)) error = mapping_in_use("update");
  if (!error) error = check_mapping(changed);
  // Where another function is to take over, the place of that is taken.
  const bool has_place = pending.is_source_needed;
  if (error) {
    if (has_place) by_key_.erase(key_of(pending.asked));
    return context_.reply(pending.call, std::move(*error));
  }
  if (has_place) by_key_.erase(key_of(entry->mapping->announced()));
  change(pending.call, *entry, std::move(changed));
}

// ---- States

void Mappings::create(CallId call, MappingRecord record) {
  record.state = MappingState::creating;
  record.state_reason = reason_of(record);
  record.last_result = nothing_processed;
  record.modified = context_.now;
  const std::string uuid = record.uuid;
  context_.promise(PutMapping{record});
  context_.reply(call, MappingDescription{record});
  add(std::move(record), {});
  resume(entries_.at(uuid));
}

void Mappings::add(MappingRecord record, std::vector<ShardCheckpoint> checkpoints) {
  by_key_.insert_or_assign(key_of(record), record.uuid);
  Entry& entry = entries_[record.uuid];
  entry.mapping = record.of_stream() ? make_stream_mapping(context_, *this, std::move(record), std::move(checkpoints))
                                     : make_queue_mapping(context_, *this, std::move(record));
}

void Mappings::change(CallId call, Entry& entry, MappingRecord changed) {
  const MappingState before = entry.mapping->announced().state;
  const bool was_enabled = entry.mapping->announced().config.enabled;
  const bool goes_on = is_settled(entry.mapping->announced()) && needs_no_stop(entry.mapping->announced(), changed);
  if (was_enabled == changed.config.enabled) {
    changed.state = MappingState::updating;
  } else {
    changed.state = was_enabled ? MappingState::disabling : MappingState::enabling;
  }
  changed.modified = context_.now;
  entry.mapping->announce(std::move(changed));
  context_.reply(call, MappingDescription{entry.mapping->announced()});
  if (!goes_on) return stop(entry);
  entry.mapping->adopt();
  set_state(entry, before);
}

// From wherever it is to where its configuration wants it. REQUIRES: it is not active.
void Mappings::resume(Entry& entry) {
  if (context_.draining) return;
  if (entry.mapping->record().config.enabled) return start(entry);
  set_state(entry, MappingState::disabled);
}

void Mappings::start(Entry& entry) {
  entry.active = true;
  entry.mapping->start();
}

void Mappings::stop(Entry& entry) {
  if (!entry.active) return mapping_stopped(*entry.mapping);
  if (entry.stopping) return;
  entry.stopping = true;
  ++stopping_;
  entry.mapping->stop();
}

void Mappings::work_off() {
  // Acting on what was told may bring more of it.
  while (!told_.empty()) {
    for (const auto& [uuid, was_started] : std::exchange(told_, {})) {
      Entry* entry = find(uuid);
      if (entry == nullptr) continue;
      if (was_started) {
        started(*entry);
      } else {
        stopped(*entry);
      }
    }
  }
}

void Mappings::started(Entry& entry) {
  // It may have been stopped since.
  if (!entry.active || entry.stopping) return;
  switch (entry.mapping->announced().state) {
    case MappingState::creating:
    case MappingState::enabling:
    case MappingState::updating:
      return set_state(entry, MappingState::enabled);
    default:
      return;
  }
}

void Mappings::stopped(Entry& entry) {
  if (entry.stopping) --stopping_;
  entry.active = entry.stopping = false;
  entry.mapping->adopt();
  switch (entry.mapping->record().state) {
    case MappingState::deleting:
      return drop(std::string(entry.mapping->record().uuid));
    case MappingState::disabling:
      return set_state(entry, MappingState::disabled);
    default:
      return resume(entry);
  }
}

void Mappings::set_state(Entry& entry, MappingState state) {
  MappingRecord changed = entry.mapping->announced();
  if (changed.state == state) return;
  changed.state = state;
  changed.modified = context_.now;
  put(entry, std::move(changed));
}

// REQUIRES: what it differs in does not matter to a mapping that runs.
void Mappings::put(Entry& entry, MappingRecord record) {
  const bool changes_later = entry.mapping->record().config != entry.mapping->announced().config ||
                             entry.mapping->record().function != entry.mapping->announced().function;
  entry.mapping->announce(std::move(record));
  if (!changes_later) entry.mapping->adopt();
}

void Mappings::drop(const std::string& uuid) {
  const auto found = entries_.find(uuid);
  by_key_.erase(key_of(found->second.mapping->record()));
  context_.promise(DropMapping{uuid});
  context_.forget(*found->second.mapping);
  entries_.erase(found);
}

// ---- Of the engine

void Mappings::recover(std::vector<RecoveredMapping> found) {
  for (RecoveredMapping& each : found) {
    const std::string uuid = each.record.uuid;
    if (each.record.state == MappingState::deleting) {
      context_.promise(DropMapping{uuid});
      continue;
    }
    add(std::move(each.record), std::move(each.checkpoints));
    resume(entries_.at(uuid));
  }
}

void Mappings::function_changed(const FunctionName& function) {
  for (auto& [uuid, entry] : entries_) {
    if (entry.active && entry.mapping->record().function == function) entry.mapping->function_changed();
  }
}

void Mappings::name_busy(BusyList& busy) const {
  for (const auto& [uuid, entry] : entries_) {
    if (busy.size() >= busy_named_max) return;
    if (!entry.active) continue;
    const MappingRecord& record = entry.mapping->record();
    if (std::string what = entry.mapping->busy(); !what.empty()) {
      busy.push_back({"mapping", record.source_arn + " to " + record.function.name, std::move(what)});
    }
  }
}

std::vector<MappingView> Mappings::survey(const std::string& after, std::size_t count_max) const {
  std::vector<MappingView> views;
  for (auto it = entries_.upper_bound(after); it != entries_.end() && views.size() < count_max; ++it) {
    views.push_back(it->second.mapping->view());
  }
  return views;
}

std::vector<QueueName> Mappings::queues_of(const FunctionName& function) const {
  std::vector<QueueName> queues;
  for (const auto& [uuid, entry] : entries_) {
    const MappingRecord& record = entry.mapping->announced();
    if (record.function != function || record.of_stream()) continue;
    queues.push_back(std::get<QueueName>(record.source));
  }
  std::ranges::sort(queues);
  const auto again = std::unique(queues.begin(), queues.end());
  queues.erase(again, queues.end());
  return queues;
}

void Mappings::drain() {
  for (auto& [uuid, entry] : entries_) {
    if (entry.active) stop(entry);
  }
}

}  // namespace penstock::core
