#include "trigger_stream_ledger.hpp"

#include <algorithm>
#include <sstream>

#include "penstock/stream_names.hpp"

namespace penstock::sim {
namespace {

/// As many refusals as let the shard go on.
constexpr int refusals_enough = 5;

}  // namespace

std::vector<std::string> records_in_state(const std::string& state) {
  std::vector<std::string> all;
  std::istringstream words(state == "{}" ? "" : state);
  for (std::string word; words >> word;) all.push_back(word);
  return all;
}

std::string state_with(const std::string& state, const std::vector<std::string>& data, std::size_t count) {
  std::string text = state == "{}" ? "" : state;
  for (std::size_t i = 0; i < count; ++i) text.append(" ").append(data[i]);
  return text;
}

void TriggerLedger::put(const std::string& data, const std::string& key, bool matches, bool owed, Instant now) {
  Record record;
  record.key = key;
  record.matches = matches;
  record.owed = owed;
  record.order = ++orders_;
  record.arrived = now;
  records_.emplace(data, std::move(record));
}

void TriggerLedger::acknowledged(const std::string& data, ShardIndex shard, RecordIndex index) {
  records_.at(data).place = {shard, index};
}

void TriggerLedger::read(const std::string& data, const std::string& id, ShardIndex shard, RecordIndex index,
                         Instant arrived) {
  Record& record = records_.at(data);
  record.place = {shard, index};
  record.id = id;
  record.arrived = arrived;
}

void TriggerLedger::stream_deleted() {
  shards_.clear();
  deleted_ = streams_;
  for (auto& [data, record] : records_) record.gone = true;
}

void TriggerLedger::time_passed(Instant now, Millis retention) {
  for (auto& [data, record] : records_) record.was_expired = record.was_expired || now - record.arrived >= retention;
  if (config_.record_age_seconds_max < 0) return;
  for (auto& [data, record] : records_) {
    if (now - record.arrived > std::chrono::seconds(config_.record_age_seconds_max)) record.was_too_old = true;
  }
}

/// By the rules: tried often enough, or too old; and reported, where there is a destination that takes it.
bool TriggerLedger::may_be_given_up(const Record& record) const {
  const bool exhausted = config_.retries_max >= 0 && record.failures > config_.retries_max;
  if (!exhausted && !record.was_too_old) return false;
  return config_.on_failure.empty() || record.reported || record.refused >= refusals_enough;
}

std::set<ShardIndex> TriggerLedger::ancestors_of(ShardIndex shard) const {
  std::set<ShardIndex> all;
  std::vector<ShardIndex> left{shard};
  while (!left.empty()) {
    const auto found = shards_.find(left.back());
    left.pop_back();
    if (found == shards_.end()) continue;
    for (const auto& parent : {found->second.parent, found->second.adjacent_parent}) {
      if (parent && all.insert(*parent).second) left.push_back(*parent);
    }
  }
  return all;
}

// ---- Invocations.

std::string TriggerLedger::begun(const TriggerRun& run) {
  std::optional<ShardIndex> shard;
  if (run.window) shard = parse_shard_id(run.window->shard_id);
  const Record* last = nullptr;
  for (const std::string& data : run.data) {
    const auto found = records_.find(data);
    if (found == records_.end() || !found->second.place) return "a record that nobody put: " + data;
    const Record& record = found->second;
    if (!record.matches) return "a record that no filter lets through: " + data;
    if (start_ && record.arrived < *start_) return "a record from before the start: " + data;
    if (shard && *shard != record.place->first) return "a batch has records of two shards";
    shard = record.place->first;
    if (last != nullptr && last->place->second >= record.place->second) return "a batch is out of order";
    last = &record;
    if (std::string problem = objection_to_order(run, record); !problem.empty()) return problem;
  }
  if (run.data.empty() && !(run.window && run.window->is_final)) return "an invocation without records";
  if (run.data.size() > static_cast<std::size_t>(config_.batch_size)) return "a batch is too large";
  int same_shard = 1;
  for (const auto& [id, other] : running_) {
    if (!other.data.empty() && records_.at(other.data.front()).place->first == *shard) ++same_shard;
  }
  if (same_shard > run.parallelization) return "a shard has too many batches at a time";
  if (run.window) {
    if (std::string problem = objection_to_window(run); !problem.empty()) return problem;
  }
  by_request_.insert_or_assign(run.request_id, run);
  running_.insert_or_assign(run.id, run);
  return {};
}

/// Everything that comes before a record, of its key or in the shards that its shard comes from, has been seen to.
std::string TriggerLedger::objection_to_order(const TriggerRun& run, const Record& first) const {
  const std::set<ShardIndex> ancestors = ancestors_of(first.place->first);
  for (const auto& [data, other] : records_) {
    // What was read of a stream before it was deleted has no order with what is put into another of its name.
    if (first.gone || !counts(other) || is_settled(other)) continue;
    if (std::ranges::find(run.data, data) != run.data.end()) continue;
    if (other.key == first.key && other.order < first.order) return "a key is out of order at " + data;
    if (ancestors.contains(other.place->first)) return "a shard begins before its parent is finished: " + data;
  }
  for (const auto& [id, other] : running_) {
    for (const std::string& data : other.data) {
      if (records_.at(data).gone != first.gone) continue;
      if (records_.at(data).key == first.key) return "a key is in two batches at a time";
    }
  }
  return {};
}

/// Its state has exactly what was processed of the window before.
std::string TriggerLedger::objection_to_window(const TriggerRun& run) const {
  const WindowEvent& window = *run.window;
  const auto shard = parse_shard_id(window.shard_id);
  const std::vector<std::string> before = records_in_state(window.state);
  const std::set<std::string> had(before.begin(), before.end());
  if (had.size() != before.size()) return "a window's state counts a record twice";
  for (const std::string& data : run.data) {
    if (had.contains(data)) return "a window gets a record again that is in its state: " + data;
    const Instant arrived = records_.at(data).arrived;
    if (arrived < window.start || arrived >= window.end) return "a record is in the wrong window: " + data;
  }
  const RecordIndex end = run.data.empty() ? RecordIndex{UINT64_MAX} : records_.at(run.data.front()).place->second;
  for (const auto& [data, record] : records_) {
    if (!counts(record) || record.place->first != *shard || record.place->second >= end || record.id.empty()) continue;
    if (record.arrived < window.start || record.arrived >= window.end || had.contains(data)) continue;
    if (!record.was_expired && !may_be_given_up(record)) return "a window's state has lost a record: " + data;
  }
  return {};
}

void TriggerLedger::over(const TriggerRun& run, std::size_t done, bool reached) {
  running_.erase(run.id);
  for (std::size_t i = 0; i < run.data.size(); ++i) {
    Record& record = records_.at(run.data[i]);
    if (i < done) {
      record.done = true;
    } else if (reached) {
      ++record.failures;
    }
  }
}

// ---- What is given up.

std::string TriggerLedger::reported(const BatchFailure& failure, bool accepted) {
  // What was too old before its first try was in no invocation.
  const bool is_age = failure.invocation.condition == "RecordAgeExceeded";
  const auto run = by_request_.find(failure.invocation.request_id);
  if (run == by_request_.end() && !is_age) return "a report of an invocation that never was";
  std::size_t count = 0;
  for (auto& [data, record] : records_) {
    const bool in_run =
        is_age ? record.was_too_old || record.was_expired : std::ranges::count(run->second.data, data) > 0;
    if (!in_run || record.id < failure.first_sequence_number || record.id > failure.last_sequence_number) continue;
    if (!is_age && record.failures <= config_.retries_max) return "a report of a record that has retries left: " + data;
    ++count;
    record.reported = record.reported || accepted;
    if (!accepted) ++record.refused;
  }
  const bool is_complete = is_age ? count >= failure.batch_size : count == failure.batch_size;
  return is_complete ? "" : "a report is of another number of records";
}

// ---- Checkpoints.

std::string TriggerLedger::moved(const ShardCheckpoint& checkpoint) {
  // What runs when its stream is deleted may still end.
  streams_.insert(checkpoint.stream);
  if (deleted_.contains(checkpoint.stream)) return {};
  for (const auto& [data, record] : records_) {
    if (!counts(record) || record.place->first != checkpoint.shard || record.place->second >= checkpoint.next) continue;
    if (!is_settled(record)) return "a checkpoint is ahead of " + data;
  }
  return {};
}

std::string TriggerLedger::owes() const {
  for (const auto& [data, record] : records_) {
    if (counts(record) && !is_settled(record)) return "a record is lost: " + data;
  }
  return {};
}

std::string TriggerLedger::id_of(const std::string& data) const {
  const auto found = records_.find(data);
  return found == records_.end() ? data : found->second.id;
}

std::size_t TriggerLedger::done() const {
  return static_cast<std::size_t>(std::ranges::count_if(records_, [](const auto& each) { return each.second.done; }));
}

std::size_t TriggerLedger::given_up() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(records_, [](const auto& each) { return each.second.reported; }));
}

}  // namespace penstock::sim
