// What the API of consumers takes and gives, as a client writes and reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/shape.hpp"

namespace penstock::client::wire {

using protocol::Blob;
using protocol::optional;
using protocol::Shape;
using protocol::Timestamp;

struct Position {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = Position;
    return Shape("Position", optional("ShardId", &Self::shard_id), optional("Epoch", &Self::epoch),
                 optional("SequenceNumber", &Self::sequence_number),
                 optional("SubSequenceNumber", &Self::sub_sequence_number), optional("Metadata", &Self::metadata));
  }
};

struct Start {
  std::optional<std::string> type;
  std::optional<Timestamp> timestamp;
  std::optional<std::vector<Position>> positions;

  static constexpr auto shape() {
    using Self = Start;
    return Shape("Start", optional("Type", &Self::type), optional("Timestamp", &Self::timestamp),
                 optional("Positions", &Self::positions));
  }
};

struct CreateInput {
  std::optional<Start> start;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::string> commit_mode;
  std::optional<bool> ephemeral;

  static constexpr auto shape() {
    using Self = CreateInput;
    return Shape("CreateInput", optional("Start", &Self::start), optional("LeaseMillis", &Self::lease_millis),
                 optional("CommitMode", &Self::commit_mode), optional("Ephemeral", &Self::ephemeral));
  }
};

/// Of a poll, a heartbeat and a leave.
struct MemberInput {
  std::optional<std::string> member;
  std::optional<std::string> token;
  std::optional<std::int64_t> wait_millis;
  std::optional<std::int64_t> max_records;
  std::optional<std::int64_t> max_bytes;
  std::optional<bool> commit;

  static constexpr auto shape() {
    using Self = MemberInput;
    return Shape("MemberInput", optional("Member", &Self::member), optional("Token", &Self::token),
                 optional("WaitMillis", &Self::wait_millis), optional("MaxRecords", &Self::max_records),
                 optional("MaxBytes", &Self::max_bytes), optional("Commit", &Self::commit));
  }
};

struct NewRecord {
  std::optional<Blob> data;
  std::optional<std::string> partition_key;
  std::optional<std::string> explicit_hash_key;

  static constexpr auto shape() {
    using Self = NewRecord;
    return Shape("NewRecord", optional("Data", &Self::data), optional("PartitionKey", &Self::partition_key),
                 optional("ExplicitHashKey", &Self::explicit_hash_key));
  }
};

/// Of a commit and a transaction.
struct CommitInput {
  std::optional<std::vector<Position>> positions;
  std::optional<bool> force;
  std::optional<std::string> stream_name;
  std::optional<std::vector<NewRecord>> records;
  std::optional<std::string> idempotency_key;

  static constexpr auto shape() {
    using Self = CommitInput;
    return Shape("CommitInput", optional("Positions", &Self::positions), optional("Force", &Self::force),
                 optional("StreamName", &Self::stream_name), optional("Records", &Self::records),
                 optional("IdempotencyKey", &Self::idempotency_key));
  }
};

struct ResetInput {
  std::optional<std::string> type;
  std::optional<Timestamp> timestamp;
  std::optional<std::string> sequence_number;
  std::optional<std::string> shard_id;
  std::optional<bool> dry_run;

  static constexpr auto shape() {
    using Self = ResetInput;
    return Shape("ResetInput", optional("Type", &Self::type), optional("Timestamp", &Self::timestamp),
                 optional("SequenceNumber", &Self::sequence_number), optional("ShardId", &Self::shard_id),
                 optional("DryRun", &Self::dry_run));
  }
};

struct Fault {
  std::optional<std::string> error;
  std::optional<std::string> message;

  static constexpr auto shape() {
    return Shape("Fault", optional("Error", &Fault::error), optional("Message", &Fault::message));
  }
};

struct Lease {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<bool> revoking;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = Lease;
    return Shape("Lease", optional("ShardId", &Self::shard_id), optional("Epoch", &Self::epoch),
                 optional("Revoking", &Self::revoking), optional("Metadata", &Self::metadata));
  }
};

struct Revoked {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::int64_t> owner_epoch;
  std::optional<std::string> owner;

  static constexpr auto shape() {
    using Self = Revoked;
    return Shape("Revoked", optional("ShardId", &Self::shard_id), optional("Epoch", &Self::epoch),
                 optional("OwnerEpoch", &Self::owner_epoch), optional("Owner", &Self::owner));
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
  std::optional<std::vector<Revoked>> revoked;
  std::optional<std::vector<Batch>> batches;

  static constexpr auto shape() {
    using Self = PollOutput;
    return Shape("PollOutput", optional("Token", &Self::token), optional("LeaseMillis", &Self::lease_millis),
                 optional("Leases", &Self::leases), optional("Revoked", &Self::revoked),
                 optional("Batches", &Self::batches));
  }
};

struct Placed {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;

  static constexpr auto shape() {
    return Shape("Placed", optional("ShardId", &Placed::shard_id),
                 optional("SequenceNumber", &Placed::sequence_number));
  }
};

struct TransactOutput {
  std::optional<std::vector<Placed>> records;
  std::optional<bool> repeated;

  static constexpr auto shape() {
    return Shape("TransactOutput", optional("Records", &TransactOutput::records),
                 optional("Repeated", &TransactOutput::repeated));
  }
};

/// A shard as a description and a lag have it.
struct ConsumerShard {
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
    using Self = ConsumerShard;
    return Shape("ConsumerShard", optional("ShardId", &Self::shard_id), optional("State", &Self::state),
                 optional("Owner", &Self::owner), optional("Epoch", &Self::epoch),
                 optional("SequenceNumber", &Self::sequence_number),
                 optional("SubSequenceNumber", &Self::sub_sequence_number),
                 optional("RecordsBehind", &Self::records_behind), optional("MillisBehind", &Self::millis_behind),
                 optional("LostRecords", &Self::lost_records), optional("Metadata", &Self::metadata),
                 optional("CommittedTimestamp", &Self::committed));
  }
};

struct ConsumerMember {
  std::optional<std::string> member;
  std::optional<std::int64_t> shards;
  std::optional<Timestamp> expires;
  std::optional<bool> waiting;
  std::optional<bool> reader;

  static constexpr auto shape() {
    using Self = ConsumerMember;
    return Shape("ConsumerMember", optional("Member", &Self::member), optional("Shards", &Self::shards),
                 optional("ExpirationTimestamp", &Self::expires), optional("Waiting", &Self::waiting),
                 optional("Reader", &Self::reader));
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
  std::optional<std::vector<ConsumerMember>> members;
  std::optional<std::vector<ConsumerShard>> shards;
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
  std::optional<std::vector<ConsumerShard>> shards;
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

struct ResetPlace {
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;

  static constexpr auto shape() {
    return Shape("ResetPlace", optional("SequenceNumber", &ResetPlace::sequence_number),
                 optional("SubSequenceNumber", &ResetPlace::sub_sequence_number));
  }
};

struct ResetShard {
  std::optional<std::string> shard_id;
  std::optional<ResetPlace> before;
  std::optional<ResetPlace> after;
  std::optional<std::int64_t> records_repeated;
  std::optional<std::int64_t> records_skipped;

  static constexpr auto shape() {
    using Self = ResetShard;
    return Shape("ResetShard", optional("ShardId", &Self::shard_id), optional("Before", &Self::before),
                 optional("After", &Self::after), optional("RecordsRepeated", &Self::records_repeated),
                 optional("RecordsSkipped", &Self::records_skipped));
  }
};

struct ResetOutput {
  std::optional<bool> dry_run;
  std::optional<std::vector<ResetShard>> shards;

  static constexpr auto shape() {
    return Shape("ResetOutput", optional("DryRun", &ResetOutput::dry_run), optional("Shards", &ResetOutput::shards));
  }
};

}  // namespace penstock::client::wire
