// What the commands about streams read and print: the members of Kinesis's answers, which own what they have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/kinesis/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::cli::wire {

using protocol::optional;
using protocol::Shape;

struct StreamNames {
  std::optional<std::vector<std::string>> names;
  std::optional<bool> more;
  std::optional<std::string> next_token;

  static constexpr auto shape() {
    using Self = StreamNames;
    return Shape("StreamNames", optional("StreamNames", &Self::names), optional("HasMoreStreams", &Self::more),
                 optional("NextToken", &Self::next_token));
  }
};

/// A stream as Kinesis summarizes it, the number of its consumers with positions, and its shards where it is shown
/// alone.
struct Stream {
  std::optional<std::string> name;
  std::optional<std::string> arn;
  std::optional<std::string> id;
  std::optional<std::string> status;
  std::optional<protocol::kinesis::StreamModeDetails> mode;
  std::optional<std::int32_t> retention_hours;
  std::optional<protocol::Timestamp> created;
  std::optional<std::string> encryption_type;
  std::optional<std::string> key_id;
  std::optional<std::int32_t> open_shards;
  std::optional<std::int32_t> registered_consumers;
  std::optional<std::int32_t> max_record_kib;
  std::optional<std::int64_t> positioned_consumers;
  std::optional<std::vector<protocol::kinesis::Shard>> shards;

  static constexpr auto shape() {
    using Self = Stream;
    return Shape("Stream", optional("StreamName", &Self::name), optional("StreamARN", &Self::arn),
                 optional("StreamId", &Self::id), optional("StreamStatus", &Self::status),
                 optional("StreamModeDetails", &Self::mode), optional("RetentionPeriodHours", &Self::retention_hours),
                 optional("StreamCreationTimestamp", &Self::created),
                 optional("EncryptionType", &Self::encryption_type), optional("KeyId", &Self::key_id),
                 optional("OpenShardCount", &Self::open_shards), optional("ConsumerCount", &Self::registered_consumers),
                 optional("MaxRecordSizeInKiB", &Self::max_record_kib),
                 optional("PositionedConsumerCount", &Self::positioned_consumers), optional("Shards", &Self::shards));
  }
};

struct StreamDescription {
  std::optional<Stream> stream;

  static constexpr auto shape() {
    return Shape("StreamDescription", optional("StreamDescriptionSummary", &StreamDescription::stream));
  }
};

struct Streams {
  std::optional<std::vector<Stream>> streams;

  static constexpr auto shape() { return Shape("Streams", optional("Streams", &Streams::streams)); }
};

/// What became of a record that was put.
struct PutRecord {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;
  std::optional<std::string> error_code;
  std::optional<std::string> error_message;

  static constexpr auto shape() {
    using Self = PutRecord;
    return Shape("PutRecord", optional("ShardId", &Self::shard_id), optional("SequenceNumber", &Self::sequence_number),
                 optional("ErrorCode", &Self::error_code), optional("ErrorMessage", &Self::error_message));
  }
};

struct PutRecords {
  std::optional<std::int32_t> failed;
  std::optional<std::vector<PutRecord>> records;

  static constexpr auto shape() {
    return Shape("PutRecords", optional("FailedRecordCount", &PutRecords::failed),
                 optional("Records", &PutRecords::records));
  }
};

}  // namespace penstock::cli::wire
