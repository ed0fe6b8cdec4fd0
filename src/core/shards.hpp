// The shards of one stream: who descends from whom, and which of them a hash key belongs to.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/deadline_heap.hpp"
#include "core/rate_limit.hpp"
#include "penstock/limits.hpp"
#include "penstock/records.hpp"
#include "penstock/stream_commands.hpp"
#include "penstock/streams.hpp"

namespace penstock::core {

struct Subscription;
class Group;
struct GroupPoller;

/// A poll of a group's member that holds the shard, and waits.
struct ParkedPoll {
  Group* group;
  GroupPoller* poller;
};

/// A ReadShard that waits.
struct ParkedRead {
  CallId call;
  RecordIndex from;
  Instant not_before{};
  std::size_t count_max = 0;
  std::size_t bytes_max = 0;
  std::string consumer;
};

/// A shard as the engine has it.
struct StreamShard {
  ShardRecord record;
  ShardCursor cursor;
  std::deque<Segment> segments;               ///< those that grow no more, in order
  std::deque<std::uint64_t> segment_bytes{};  ///< of each of them
  std::uint64_t bytes = 0;                    ///< of all that is kept
  std::vector<ShardIndex> children;           ///< of a closed shard
  std::vector<Subscription*> waiting;         ///< subscriptions that wait for a record
  std::vector<ParkedPoll> polls;              ///< the same
  std::vector<ParkedRead> parked_reads;       ///< the same
  DeadlineHeap::Handle trim = DeadlineHeap::none;
  bool touched = false;  ///< the cursor has to be written with the effects
  bool changed = false;  ///< the same for the record
  // With strict limits.
  RateLimit bytes_in{kinesis_limits::shard_in_bytes_per_s};
  RateLimit records_in{kinesis_limits::shard_in_records_per_s};
  RateLimit bytes_out{kinesis_limits::shard_out_bytes_per_s};
  RateLimit reads{kinesis_limits::shard_reads_per_s};
  RateLimit iterators{kinesis_limits::shard_reads_per_s};

  bool is_open() const { return !record.closed; }
  bool is_empty() const { return cursor.head >= cursor.tail; }
};

/// Open shards divide the ring of hash keys among them, without holes or overlaps, from the first `create` on.
class Shards {
 public:
  /// Opens the first shards of a stream, of equal width. REQUIRES: there are none.
  void create(std::size_t count, ShardIndex& next, Instant now);
  void add(RecoveredShard shard);
  /// REQUIRES: all shards were added.
  void link();

  StreamShard* find(ShardIndex index);
  const StreamShard* find(ShardIndex index) const;
  /// REQUIRES: there are open shards.
  StreamShard& owner_of(HashKey key);
  /// Whether a parent of the shard is still there.
  bool has_parent(const StreamShard& shard) const;
  std::size_t open_count() const { return ring_.size(); }
  const std::map<ShardIndex, StreamShard>& all() const { return shards_; }
  std::map<ShardIndex, StreamShard>& all() { return shards_; }

  /// Closes a shard and opens two: [first_hash, before(at)] and [at, last_hash]. REQUIRES: it is open and `at` lies
  /// inside.
  std::array<ShardIndex, 2> split(ShardIndex shard, HashKey at, ShardIndex& next, Instant now);
  /// Closes two shards and opens one. REQUIRES: both are open, and one ends where the other begins.
  ShardIndex merge(ShardIndex parent, ShardIndex adjacent, ShardIndex& next, Instant now);
  /// Splits and merges until there are `count` open shards of equal width. How deep a descent it makes grows with the
  /// logarithm of the count only.
  void reshape(std::size_t count, ShardIndex& next, Instant now);

  void forget(ShardIndex shard);
  /// Shards that were opened or closed since the last call, in order of their indexes.
  std::vector<ShardIndex> take_changed();

 private:
  using Range = std::vector<HashKey>::const_iterator;

  StreamShard& at(ShardIndex index) { return shards_.at(index); }
  StreamShard& open(HashKey first, HashKey last, std::vector<ShardIndex> parents, ShardIndex& next, Instant now);
  /// When it may be closed: after all that it has, whatever the clock says, so that it lasts as long as its records.
  static Instant end_of(const StreamShard& shard, Instant now);
  void close(StreamShard& shard, Instant now);
  void changed(StreamShard& shard);
  void split_at(ShardIndex shard, Range first, Range last, ShardIndex& next, Instant now,
                std::vector<ShardIndex>& pieces);
  ShardIndex merge_all(const std::vector<ShardIndex>& pieces, std::size_t first, std::size_t count, ShardIndex& next,
                       Instant now);

  std::map<ShardIndex, StreamShard> shards_;
  std::map<HashKey, ShardIndex> ring_;  // open ones by their first hash key
  std::vector<ShardIndex> changed_;
};

}  // namespace penstock::core
