// What the API of consumers answers, as a client reads it. Its own structures (src/protocol/native) refer to what the
// server has in memory, where there is much of it; these own what they have. A test holds them against those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/member_operations.hpp"
#include "protocol/shape.hpp"

namespace penstock::client::wire {

using protocol::Blob;
using protocol::optional;
using protocol::Shape;
using protocol::Timestamp;
using protocol::native::Lease;
using protocol::native::MemberState;
using protocol::native::RevokedLease;

struct Fault {
  std::optional<std::string> error;
  std::optional<std::string> message;
  std::optional<std::string> service_message;  ///< of the services' operations, whose code stands in a header or a type
  std::optional<std::string> type;

  static constexpr auto shape() {
    return Shape("Fault", optional("Error", &Fault::error), optional("Message", &Fault::message),
                 optional("message", &Fault::service_message), optional("__type", &Fault::type));
  }
};

struct Record {
  std::optional<std::string> sequence_number;
  std::optional<Timestamp> arrived;
  std::optional<Blob> data;
  std::optional<std::string> partition_key;
  std::optional<std::string> encryption_type;

  static constexpr auto shape() {
    using Self = Record;
    return Shape("Record", optional("SequenceNumber", &Self::sequence_number),
                 optional("ApproximateArrivalTimestamp", &Self::arrived), optional("Data", &Self::data),
                 optional("PartitionKey", &Self::partition_key), optional("EncryptionType", &Self::encryption_type));
  }
};

struct Batch {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::vector<Record>> records;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::int64_t> millis_behind;
  std::optional<std::int64_t> lost_records;
  std::optional<bool> shard_end;

  static constexpr auto shape() {
    using Self = Batch;
    return Shape("Batch", optional("ShardId", &Self::shard_id), optional("Epoch", &Self::epoch),
                 optional("Records", &Self::records), optional("SubSequenceNumber", &Self::sub_sequence_number),
                 optional("MillisBehindLatest", &Self::millis_behind), optional("LostRecords", &Self::lost_records),
                 optional("ShardEnd", &Self::shard_end));
  }
};

struct PollOutput {
  std::optional<std::string> token;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::vector<Lease>> leases;
  std::optional<std::vector<RevokedLease>> revoked;
  std::optional<std::vector<Batch>> batches;

  static constexpr auto shape() {
    using Self = PollOutput;
    return Shape("PollOutput", optional("Token", &Self::token), optional("LeaseMillis", &Self::lease_millis),
                 optional("Leases", &Self::leases), optional("Revoked", &Self::revoked),
                 optional("Batches", &Self::batches));
  }
};

/// How far a consumer has come in a shard.
struct ShardPosition {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;

  static constexpr auto shape() {
    using Self = ShardPosition;
    return Shape("ShardPosition", optional("ShardId", &Self::shard_id),
                 optional("SequenceNumber", &Self::sequence_number),
                 optional("SubSequenceNumber", &Self::sub_sequence_number));
  }
};

struct ShardLag {
  std::optional<std::string> shard_id;
  std::optional<std::string> state;
  std::optional<std::string> owner;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::int64_t> records_behind;
  std::optional<std::int64_t> millis_behind;
  std::optional<std::int64_t> lost_records;
  std::optional<std::string> metadata;
  std::optional<Timestamp> committed;

  static constexpr auto shape() {
    using Self = ShardLag;
    return Shape("ShardLag", optional("ShardId", &Self::shard_id), optional("State", &Self::state),
                 optional("Owner", &Self::owner), optional("Epoch", &Self::epoch),
                 optional("SequenceNumber", &Self::sequence_number),
                 optional("SubSequenceNumber", &Self::sub_sequence_number),
                 optional("RecordsBehind", &Self::records_behind), optional("MillisBehind", &Self::millis_behind),
                 optional("LostRecords", &Self::lost_records), optional("Metadata", &Self::metadata),
                 optional("CommittedTimestamp", &Self::committed));
  }
};

struct DescribeOutput {
  std::optional<std::string> consumer_name;
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<Timestamp> created;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::string> commit_mode;
  std::optional<bool> ephemeral;
  std::optional<std::string> start_type;
  std::optional<std::int64_t> lost_records;
  std::optional<std::vector<MemberState>> members;
  std::optional<std::vector<ShardPosition>> shards;
  std::optional<bool> has_more_shards;

  static constexpr auto shape() {
    using Self = DescribeOutput;
    return Shape("DescribeOutput", optional("ConsumerName", &Self::consumer_name),
                 optional("StreamName", &Self::stream_name), optional("StreamARN", &Self::stream_arn),
                 optional("CreationTimestamp", &Self::created), optional("LeaseMillis", &Self::lease_millis),
                 optional("CommitMode", &Self::commit_mode), optional("Ephemeral", &Self::ephemeral),
                 optional("StartType", &Self::start_type), optional("LostRecords", &Self::lost_records),
                 optional("Members", &Self::members), optional("Shards", &Self::shards),
                 optional("HasMoreShards", &Self::has_more_shards));
  }
};

struct LagOutput {
  std::optional<std::string> consumer_name;
  std::optional<std::int64_t> records_behind;
  std::optional<std::int64_t> millis_behind;
  std::optional<std::int64_t> lost_records;
  std::optional<std::vector<ShardLag>> shards;
  std::optional<bool> has_more_shards;

  static constexpr auto shape() {
    using Self = LagOutput;
    return Shape("LagOutput", optional("ConsumerName", &Self::consumer_name),
                 optional("RecordsBehind", &Self::records_behind), optional("MillisBehind", &Self::millis_behind),
                 optional("LostRecords", &Self::lost_records), optional("Shards", &Self::shards),
                 optional("HasMoreShards", &Self::has_more_shards));
  }
};

struct ListedConsumer {
  std::optional<std::string> consumer_name;

  static constexpr auto shape() {
    return Shape("ListedConsumer", optional("ConsumerName", &ListedConsumer::consumer_name));
  }
};

struct ListOutput {
  std::optional<std::vector<ListedConsumer>> consumers;
  std::optional<bool> has_more_consumers;

  static constexpr auto shape() {
    return Shape("ListOutput", optional("Consumers", &ListOutput::consumers),
                 optional("HasMoreConsumers", &ListOutput::has_more_consumers));
  }
};

}  // namespace penstock::client::wire
