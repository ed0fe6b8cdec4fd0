// The structures that occur in more than one operation's input or output.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/stream_commands.hpp"
#include "penstock/stream_names.hpp"
#include "penstock/streams.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

// The model's constraints are given where a structure is part of an input: what an answer holds is not checked.

constexpr Timestamp to_timestamp(Instant at) { return {to_epoch_ms(at)}; }
/// Nothing of nothing.
std::optional<Instant> to_instant(const std::optional<Timestamp>& at);
/// When a stream or a consumer came to be. Whole seconds, as in the service: clients send it back in as many digits.
Timestamp to_creation_timestamp(Instant at);

/// Of two entries with the same key the last one counts.
std::map<std::string, std::string> to_map(std::optional<Map<std::string>>&& given);

struct StreamModeDetails {
  std::optional<std::string> stream_mode;

  static constexpr auto shape() {
    return Shape("StreamModeDetails", required("StreamMode", &StreamModeDetails::stream_mode, kinesis::stream_mode));
  }
};
StreamModeDetails mode_details_of(bool on_demand);

struct WarmThroughputObject {
  std::optional<std::int32_t> target_mibps;
  std::optional<std::int32_t> current_mibps;

  static constexpr auto shape() {
    using Self = WarmThroughputObject;
    return Shape("WarmThroughputObject", optional("TargetMiBps", &Self::target_mibps),
                 optional("CurrentMiBps", &Self::current_mibps));
  }
};

struct HashKeyRange {
  std::optional<std::string> starting_hash_key;
  std::optional<std::string> ending_hash_key;

  static constexpr auto shape() {
    using Self = HashKeyRange;
    return Shape("HashKeyRange", required("StartingHashKey", &Self::starting_hash_key),
                 required("EndingHashKey", &Self::ending_hash_key));
  }
};

struct SequenceNumberRange {
  std::optional<std::string> starting_sequence_number;
  std::optional<std::string> ending_sequence_number;

  static constexpr auto shape() {
    using Self = SequenceNumberRange;
    return Shape("SequenceNumberRange", required("StartingSequenceNumber", &Self::starting_sequence_number),
                 optional("EndingSequenceNumber", &Self::ending_sequence_number));
  }
};

struct Shard {
  std::optional<std::string> shard_id;
  std::optional<std::string> parent_shard_id;
  std::optional<std::string> adjacent_parent_shard_id;
  std::optional<HashKeyRange> hash_key_range;
  std::optional<SequenceNumberRange> sequence_number_range;

  static constexpr auto shape() {
    using Self = Shard;
    return Shape("Shard", required("ShardId", &Self::shard_id), optional("ParentShardId", &Self::parent_shard_id),
                 optional("AdjacentParentShardId", &Self::adjacent_parent_shard_id),
                 required("HashKeyRange", &Self::hash_key_range),
                 required("SequenceNumberRange", &Self::sequence_number_range));
  }
};
Shard to_shard(const ShardRecord& record);
std::vector<Shard> to_shards(const std::vector<ShardRecord>& records);

struct ChildShard {
  std::optional<std::string> shard_id;
  std::optional<std::vector<std::string>> parent_shards;
  std::optional<HashKeyRange> hash_key_range;

  static constexpr auto shape() {
    using Self = ChildShard;
    return Shape("ChildShard", required("ShardId", &Self::shard_id), required("ParentShards", &Self::parent_shards),
                 required("HashKeyRange", &Self::hash_key_range));
  }
};
std::vector<ChildShard> to_child_shards(const std::vector<ShardRecord>& children);

/// Refers to the page that it was read in.
struct Record {
  std::optional<std::string> sequence_number;
  std::optional<Timestamp> approximate_arrival;
  std::optional<BlobView> data;
  std::optional<std::string_view> partition_key;
  std::optional<std::string_view> encryption_type;  ///< nothing where it was not encrypted

  static constexpr auto shape() {
    using Self = Record;
    return Shape(
        "Record",
        required("SequenceNumber", &Self::sequence_number, {.description = "The record's place in its shard."}),
        optional("ApproximateArrivalTimestamp", &Self::approximate_arrival, {.description = "When it arrived."}),
        required("Data", &Self::data, {.description = "What was put."}),
        required("PartitionKey", &Self::partition_key, {.description = "By which its shard was found."}),
        optional("EncryptionType", &Self::encryption_type, {.description = "KMS if it was encrypted."}));
  }
};
std::vector<Record> to_records(const RecordsPage& page);
/// About how long an answer with these records is, in the codec in which it is longest.
std::size_t bytes_expected(const std::vector<Record>& records);

}  // namespace penstock::protocol::kinesis
