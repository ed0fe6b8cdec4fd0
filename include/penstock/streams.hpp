// Streams: what they are made of, as the engine, the store and the protocols name it.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "penstock/ids.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// What a client calls a stream. Streams of different accounts and regions never meet.
struct StreamName {
  std::string account;  ///< 12 digits
  std::string region;   ///< such as us-east-1
  std::string name;     ///< 1 to 128 of [a-zA-Z0-9_.-]; empty where the account in its region is meant
  friend auto operator<=>(const StreamName&, const StreamName&) = default;
};

/// Identifies one incarnation of a stream on disk: random, never reused, so that a stream deleted and created again
/// under its old name cannot see what the first one left.
struct StreamId {
  std::uint64_t value = 0;
  friend auto operator<=>(const StreamId&, const StreamId&) = default;
};

/// Which of a stream's shards: counts from 0 in the order in which they came to be, never reused.
struct ShardIndex {
  std::uint32_t value = 0;
  friend auto operator<=>(const ShardIndex&, const ShardIndex&) = default;
};

/// Position of a record in the order in which its shard accepted it: 1, 2, 3 and so on, without gaps.
struct RecordIndex {
  std::uint64_t value = 0;
  friend auto operator<=>(const RecordIndex&, const RecordIndex&) = default;
};

/// A point of the ring that shards divide: an unsigned number of 128 bits, such as the MD5 of a partition key.
struct HashKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const HashKey&, const HashKey&) = default;
};
inline constexpr HashKey hash_key_max{UINT64_MAX, UINT64_MAX};

/// What a SequenceNumber is made of, in the order in which the numbers compare. Its digits are the business of
/// stream_names.hpp.
struct SequenceNumber {
  std::int64_t created_s = 0;  ///< when its shard was opened, in seconds since the Unix epoch
  RecordIndex index;           ///< 0: the shard's start; sequence_index_end: the end of a closed shard
  std::int64_t at_s = 0;       ///< when the record arrived
  ShardIndex shard;
  bool behind = false;  ///< not of the record with that index: greater than it, and less than the next one's
  friend bool operator==(const SequenceNumber&, const SequenceNumber&) = default;
  friend auto operator<=>(const SequenceNumber& a, const SequenceNumber& b) {
    return std::tie(a.created_s, a.index, a.behind, a.at_s, a.shard) <=>
           std::tie(b.created_s, b.index, b.behind, b.at_s, b.shard);
  }
};
/// The index in the EndingSequenceNumber of a closed shard, above that of every record.
inline constexpr RecordIndex sequence_index_end{0x7fff'ffff'ffff'ffffULL};

/// Where reading may begin, in the service's words.
enum class IteratorType : std::uint8_t {
  at_sequence_number,
  after_sequence_number,
  trim_horizon,
  latest,
  at_timestamp
};
/// A record as it lies in the store under <stream, shard, index>: written once, never changed.
struct StreamRecord {
  std::string partition_key;
  std::string data;  ///< raw bytes
  Instant arrived{};
  bool encrypted = false;  ///< the stream's EncryptionType was KMS when it arrived
  friend bool operator==(const StreamRecord&, const StreamRecord&) = default;
};

/// A shard as the catalog keeps it: rewritten when it is closed.
struct ShardRecord {
  ShardIndex index;
  HashKey first_hash;
  HashKey last_hash;                 ///< inclusive
  std::optional<ShardIndex> parent;  ///< ParentShardId
  std::optional<ShardIndex> adjacent_parent;
  Instant created{};
  std::int64_t created_s = 0;  ///< in its sequence numbers: later than its parents' closed_s, whatever the clock says
  std::optional<Instant> closed;  ///< by a split or a merge
  std::int64_t closed_s = 0;      ///< in its EndingSequenceNumber
  friend bool operator==(const ShardRecord&, const ShardRecord&) = default;
};

/// Records of one shard that retention drops together, and none of them before the last has expired.
struct Segment {
  RecordIndex first;
  RecordIndex end;  ///< the first one behind it
  Instant first_arrival{};
  Instant last_arrival{};
  friend bool operator==(const Segment&, const Segment&) = default;
};

/// Where a shard begins and ends, rewritten with every commit that touches the shard. Its last segment, which still
/// grows, is [segment_first, tail).
struct ShardCursor {
  RecordIndex head{1};  ///< the oldest record that is kept
  RecordIndex tail{1};  ///< the next record gets this index
  RecordIndex segment_first{1};
  std::uint64_t segment_bytes = 0;
  Instant segment_first_arrival{};  ///< epoch while the segment is empty
  Instant last_arrival{};           ///< of the newest record; epoch if there never was one. Arrivals never go back.
  friend bool operator==(const ShardCursor&, const ShardCursor&) = default;
};

enum class StreamStatus : std::uint8_t { creating, deleting, active, updating };

/// A registered consumer, which reads by enhanced fan-out.
struct StreamConsumer {
  std::string name;
  Instant created{};                             ///< its seconds end the ConsumerARN
  StreamStatus status = StreamStatus::creating;  ///< never updating
  Instant status_until{};                        ///< when creating or deleting passes
  std::map<std::string, std::string> tags;
  std::string policy;  ///< of PutResourcePolicy; empty if there is none
  friend bool operator==(const StreamConsumer&, const StreamConsumer&) = default;
};

/// A stream as the catalog keeps it, without its shards.
struct StreamInfo {
  StreamId id;
  StreamName name;
  StreamStatus status = StreamStatus::creating;
  Instant status_until{};  ///< when a status other than active passes
  Instant created{};
  bool on_demand = false;
  std::uint32_t retention_hours = 24;
  Instant floor{};  ///< what arrived before it had expired when the retention was last lengthened, and stays gone
  std::vector<std::string> metrics;  ///< ShardLevelMetrics that are on, sorted, ALL spelt out
  std::map<std::string, std::string> tags;
  std::string policy;  ///< of PutResourcePolicy; empty if there is none
  bool encrypted = false;
  std::string key_id;                       ///< of StartStreamEncryption; empty if not encrypted
  std::uint32_t record_kib_max = 1'024;     ///< MaxRecordSizeInKiB
  std::optional<std::uint32_t> warm_mibps;  ///< WarmThroughputMiBps, if it was ever asked for
  ShardIndex next_shard;                    ///< the next shard gets this index
  std::vector<StreamConsumer> consumers;    ///< sorted by name
  std::vector<Instant> mode_changes{};      ///< of UpdateStreamMode in the last 24 hours
  std::vector<Instant> count_changes{};     ///< of UpdateShardCount in the last 24 hours
  friend bool operator==(const StreamInfo&, const StreamInfo&) = default;
};

/// What UpdateAccountSettings keeps for an account in a region.
struct StreamAccount {
  StreamName account;               ///< its name is empty
  bool commitment_enabled = false;  ///< MinimumThroughputBillingCommitment: ENABLED or DISABLED
  Instant started{};                ///< of the commitment; epoch if it never was enabled
  std::optional<Instant> ended;
  Instant earliest_end{};  ///< EarliestAllowedEndAt
  friend bool operator==(const StreamAccount&, const StreamAccount&) = default;
};

}  // namespace penstock

template <>
struct std::hash<penstock::StreamName> {
  std::size_t operator()(const penstock::StreamName& s) const noexcept {
    const std::hash<std::string> h;
    return penstock::hash_combine(penstock::hash_combine(h(s.name), h(s.region)), h(s.account));
  }
};

template <>
struct std::hash<penstock::StreamId> {
  std::size_t operator()(penstock::StreamId id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};

template <>
struct std::hash<penstock::ShardIndex> {
  std::size_t operator()(penstock::ShardIndex s) const noexcept { return std::hash<std::uint32_t>{}(s.value); }
};
