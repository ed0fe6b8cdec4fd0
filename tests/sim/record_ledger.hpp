// What a stream of the simulated consumers holds, record by record: where each was put, when it arrived, and whether
// its producer knows. The engine answers every put at once, so that the ledger is exact, and a crash cuts it where the
// store was cut. Each check answers with an empty text, or with the promise that was broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "penstock/records.hpp"
#include "penstock/stream_commands.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock::sim {

struct LedgerRecord {
  std::string data;
  std::string key;
  std::uint64_t order = 0;  ///< among those of its key, as its producer asked for them
  Instant arrived{};
  bool acknowledged = false;
};

class RecordLedger {
 public:
  struct Shard {
    std::vector<LedgerRecord> records;  ///< all that there ever were, the first at 0
    std::vector<ShardIndex> parents;
    std::int64_t created_s = 0;
    bool closed = false;
    Instant last_arrival{};
    RecordIndex tail() const { return RecordIndex{records.size() + 1}; }
    const LedgerRecord* find(RecordIndex index) const {
      return index.value == 0 || index.value > records.size() ? nullptr : &records[index.value - 1];
    }
  };

  /// A record was put, though its producer does not know yet.
  std::string put(LedgerRecord record, const RecordPut& put, Instant now);
  void acknowledged(const RecordPut& put);
  std::string listed(const std::vector<ShardRecord>& shards);
  /// What a start found: what nobody was told of may be missing.
  std::string recovered(const RecoveredStream& stream);

  const std::map<ShardIndex, Shard>& shards() const { return shards_; }
  const Shard& shard(ShardIndex index) const { return shards_.at(index); }
  bool knows(ShardIndex index) const { return shards_.contains(index); }
  RecordIndex tail(ShardIndex index) const { return knows(index) ? shard(index).tail() : RecordIndex{1}; }
  /// When what arrived by then has expired.
  static Instant expired_by(Instant now) { return now - std::chrono::hours{24}; }
  /// How often records with that data are there.
  std::size_t count(const std::string& data) const;
  std::string check_read(ShardIndex shard, const ReadRecord& read) const;

 private:
  void add(const ShardRecord& shard);

  std::map<ShardIndex, Shard> shards_;
};

/// Of a record's data, the part that names it.
inline std::string name_of(const std::string& data) { return "'" + data + "'"; }
inline std::string place_of(ShardIndex shard, RecordIndex index) {
  return std::to_string(index.value) + " of shard " + std::to_string(shard.value);
}

}  // namespace penstock::sim
