// A naive account of what the clients of one stream may see: it knows nothing of segments, cursors or commits, only of
// promises. Each check answers with an empty text, or with the promise that was broken.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "penstock/stream_commands.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock::sim {

/// A moment in the order of all that clients ask for and hear: what was asked at one moment was carried out then.
using Moment = std::uint64_t;

/// One record as its clients know it. Its data are its name, and no other record's.
struct ModelRecord {
  std::string key;
  HashKey hash;
  Instant asked_at{};  ///< no later than its arrival
  Moment asked = 0;
  bool acknowledged = false;
  std::optional<std::pair<ShardIndex, RecordIndex>> place;  ///< acknowledged or seen
  std::optional<SequenceNumber> number;
  std::optional<bool> encrypted;
};

/// What was known of a stream when something was asked of it.
struct ModelKnown {
  std::map<ShardIndex, RecordIndex> newest;    ///< of each shard
  std::map<HashKey, SequenceNumber> by_hash;   ///< the newest of each
  std::map<ShardIndex, RecordIndex> ended_at;  ///< shards known to be closed; index 0 if it is not known where
};

/// A read as it was asked for.
struct PageAsked {
  ShardIndex shard;
  RecordIndex from;
  Instant not_before{};
  std::size_t count_max = 0;
  Moment asked = 0;
  ModelKnown known{};
  Instant expired_before{};  ///< what arrived before that must not be returned
};

/// The start of a read as it was asked for.
struct StartAsked {
  ShardIndex shard;
  StartingPosition start;
  Moment asked = 0;
  ModelKnown known{};
};

class StreamModel {
 public:
  StreamModel(std::int32_t shards, Instant now) : created_(now), shard_count_(shards) {}

  // ---- Time and settings.

  /// What arrived before the horizon may be gone, whichever settings hold by now.
  void time_passed(Instant now);
  void asked_for_retention(std::uint32_t hours, Instant now);
  /// The answer: it has been so since it was asked for, or is as it was.
  void retention_changed(std::uint32_t hours, Instant asked_at, Moment asked);
  void retention_refused();
  std::string recovered_retention(std::uint32_t hours, Instant now);
  std::uint32_t retention_hours() const { return hours_; }
  bool retention_is_certain() const { return !pending_hours_; }
  Instant expired_before(Instant now) const;
  Instant horizon() const { return horizon_; }

  void asked_for_encryption(bool on) { encryption_.insert(on); }
  void encryption_is(bool on) { encryption_ = {on}; }
  bool encryption_is_certain() const { return encryption_.size() == 1; }
  bool encrypted() const { return *encryption_.begin(); }
  std::string recovered_encryption(bool on);

  // ---- Records.

  void asked_to_put(const PutEntry& entry, Instant now, Moment asked);
  /// The engine refused it: it must never appear.
  void refused(const std::string& data) { records_.erase(data); }
  std::string put(const std::string& data, const RecordPut& put, bool encrypted, const ModelKnown& known);
  ModelKnown known() const;

  // ---- Reading.

  std::string started(const StartAsked& asked, RecordIndex from, Instant not_before);
  std::string read(const PageAsked& asked, const RecordsPage& page);
  /// Whether a reader that waits from there on has something to be woken by.
  bool has_news(ShardIndex shard, RecordIndex from, Instant not_before) const;

  // ---- Shards.

  std::string listed(const std::vector<ShardRecord>& shards, Moment asked, Instant now);
  /// A filter has let only some shards through; `open` are those that take records.
  std::string listed_some(const std::vector<ShardRecord>& shards, bool only_open) const;
  /// Answers which change of shards it is.
  std::uint64_t asked_to_reshard() {
    open_count_.reset();
    return ++reshards_;
  }
  void split(ShardIndex shard, HashKey at, Moment asked);
  void merged(ShardIndex one, ShardIndex other, Moment asked);
  /// UpdateShardCount was answered. It holds if no other change was asked for since.
  void count_changed(std::size_t open, Moment asked, std::uint64_t reshard) {
    if (reshard == reshards_) open_count_ = {asked, open};
  }
  /// Those that were listed, and may still be.
  std::vector<ShardRecord> shards() const;
  bool may_be_gone(ShardIndex shard) const;
  /// Those that a listing must show because of what they hold.
  std::string check_all_listed(const std::vector<ShardRecord>& shards) const;

  // ---- What happened, for the counts.

  std::uint64_t reads() const { return reads_; }
  std::uint64_t unacknowledged_reads() const { return unacknowledged_reads_; }
  std::uint64_t passed_over() const { return passed_over_; }
  const std::map<std::string, ModelRecord>& records() const { return records_; }
  Instant created() const { return created_; }

 private:
  struct Latest {
    Moment asked = 0;
    RecordIndex from;
  };
  struct Shard {
    std::optional<ShardRecord> record;
    std::optional<Instant> seen_open;
    std::optional<Moment> closed;  ///< known since then
    std::optional<RecordIndex> end;
    std::optional<HashKey> split_at;
    std::optional<ShardIndex> merged_with;
    std::map<RecordIndex, std::string> placed;  ///< data of what is known to be there
    std::vector<Latest> latest;
  };

  std::string place(const std::string& data, ModelRecord& record, ShardIndex shard, RecordIndex index);
  std::string number(const std::string& data, ModelRecord& record, const SequenceNumber& number);
  std::string check_latest(const Shard& shard, const ModelRecord& record, RecordIndex index) const;
  /// The first record of [from, until) that must still be there, if there is one.
  const std::string* missing(const Shard& shard, RecordIndex from, RecordIndex until, Instant not_before) const;
  std::string read_one(const PageAsked& asked, const RecordsPage& page, const ReadRecord& read);
  std::string check_bounds(const PageAsked& asked, const RecordsPage& page) const;
  std::string check_behind(const RecordsPage& page) const;
  std::string check_end(const PageAsked& asked, const RecordsPage& page);
  std::string check_record(const ShardRecord& shard, Moment asked);
  std::string check_lineage(const std::map<ShardIndex, ShardRecord>& listed) const;
  std::string check_parent(const ShardRecord& child, ShardIndex parent,
                           const std::map<ShardIndex, ShardRecord>& listed) const;
  std::string check_children(const ShardRecord& parent, const std::map<ShardIndex, ShardRecord>& listed) const;

  Instant created_{};
  std::int32_t shard_count_ = 0;
  std::uint32_t hours_ = 24;
  std::optional<std::uint32_t> pending_hours_;
  Instant horizon_{};
  Instant floor_{};  ///< what had expired before the retention was lengthened stays expired
  Moment floor_since_ = 0;
  std::set<bool> encryption_{false};

  std::map<std::string, ModelRecord> records_;
  std::map<ShardIndex, Shard> shards_;
  std::map<HashKey, SequenceNumber> by_hash_;
  std::optional<std::pair<Moment, std::size_t>> open_count_;  ///< since that moment
  std::uint64_t reshards_ = 0;

  std::uint64_t reads_ = 0;
  std::uint64_t unacknowledged_reads_ = 0;
  std::uint64_t passed_over_ = 0;
};

}  // namespace penstock::sim
