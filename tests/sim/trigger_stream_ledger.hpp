// What a mapping of a stream owes: every record that was put once it had started, what became of it, and the order in
// which that may happen. Told of everything that goes in and comes out, it says what breaks a promise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "penstock/mappings.hpp"
#include "penstock/streams.hpp"
#include "penstock/triggers.hpp"

namespace penstock::sim {

/// An invocation as the function has it. Events are the records' data.
struct TriggerRun {
  InvocationId id;
  std::string request_id;
  std::vector<std::string> data;
  std::optional<WindowEvent> window;
  int parallelization = 1;
};

class TriggerLedger {
 public:
  explicit TriggerLedger(const MappingConfig& config) : config_(config) {}

  /// AT_TIMESTAMP: what arrived before is nobody's business.
  void starts_at(Instant start) { start_ = start; }

  // ---- What goes in.

  /// `owed`: the mapping had started.
  void put(const std::string& data, const std::string& key, bool matches, bool owed, Instant now);
  void acknowledged(const std::string& data, ShardIndex shard, RecordIndex index);
  void read(const std::string& data, const std::string& id, ShardIndex shard, RecordIndex index, Instant arrived);
  void shard(const ShardRecord& shard) { shards_.insert_or_assign(shard.index, shard); }
  /// What is older than `retention` by now may be gone.
  void time_passed(Instant now, Millis retention);
  /// The stream is deleted, with all that was put into it so far.
  void stream_deleted();
  /// Nothing runs any more.
  void crashed() { running_.clear(); }

  // ---- What comes out. Each answers with what is wrong; empty if nothing is.

  std::string begun(const TriggerRun& run);
  /// `done` of its records, from the first, were processed; the others have failed if `reached` the function.
  void over(const TriggerRun& run, std::size_t done, bool reached);
  std::string reported(const BatchFailure& failure, bool accepted);
  std::string moved(const ShardCheckpoint& checkpoint);
  /// All that is owed and has not been seen to.
  std::string owes() const;

  /// Its sequence number; of what is no record, the text itself.
  std::string id_of(const std::string& data) const;
  std::size_t running() const { return running_.size(); }
  bool is_done(const std::string& data) const { return records_.at(data).done; }
  std::size_t done() const;
  std::size_t given_up() const;

 private:
  struct Record {
    std::string key;
    bool matches = true;
    bool owed = false;        ///< if it is ever acknowledged
    std::uint64_t order = 0;  ///< among all that were put
    std::string id;
    std::optional<std::pair<ShardIndex, RecordIndex>> place;  ///< once it is known to be durable
    Instant arrived{};
    bool done = false;
    bool reported = false;
    bool was_too_old = false;
    bool was_expired = false;
    bool gone = false;  ///< with its stream
    int failures = 0;
    int refused = 0;  ///< reports of it
  };

  bool may_be_given_up(const Record& record) const;
  bool is_settled(const Record& record) const { return record.done || record.was_expired || may_be_given_up(record); }
  bool counts(const Record& record) const {
    return record.matches && record.owed && !record.gone && record.place.has_value();
  }
  std::set<ShardIndex> ancestors_of(ShardIndex shard) const;
  std::string objection_to_order(const TriggerRun& run, const Record& first) const;
  std::string objection_to_window(const TriggerRun& run) const;

  const MappingConfig config_;
  std::optional<Instant> start_;
  std::set<StreamId> streams_;  ///< incarnations that checkpoints are of
  std::set<StreamId> deleted_;
  std::map<std::string, Record> records_;
  std::map<ShardIndex, ShardRecord> shards_;
  std::map<std::string, TriggerRun> by_request_;
  std::map<InvocationId, TriggerRun> running_;
  std::uint64_t orders_ = 0;
};

/// The state of a window as the functions of this world make it: the data of all records that were in it.
std::vector<std::string> records_in_state(const std::string& state);
std::string state_with(const std::string& state, const std::vector<std::string>& data, std::size_t count);

}  // namespace penstock::sim
