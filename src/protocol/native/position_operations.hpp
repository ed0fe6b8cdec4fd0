// The operations about the positions of a consumer: commit, transact, reset, and how far they are behind.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/native/call.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

// ---- Commit

struct CommitInput : OfConsumer {
  std::optional<std::vector<NewPosition>> positions;
  std::optional<bool> force;
  std::optional<std::string> idempotency_key;

  static constexpr auto shape() {
    using Self = CommitInput;
    return consumer_shape(
        "CommitInput",
        required("Positions", &Self::positions, about("All of which are committed, or none.", rules::positions)),
        optional("Force", &Self::force, about("Whether positions may go backwards.")),
        optional("IdempotencyKey", &Self::idempotency_key,
                 about("By which a repetition within five minutes is known, and changes nothing.", rules::key)));
  }
};

struct CommitOutput {
  std::optional<std::vector<CommittedPosition>> positions;
  std::optional<bool> repeated;

  static constexpr auto shape() {
    using Self = CommitOutput;
    return Shape("CommitOutput", required("Positions", &Self::positions, about("As they are now.")),
                 required("Repeated", &Self::repeated,
                          about("Whether the IdempotencyKey was used before, and nothing was changed.")));
  }
};

struct CommitOperation {
  static constexpr std::string_view name = "Commit";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}/commit";
  static constexpr std::string_view summary = "Commits positions, and gives a sign of life of their shards' owners.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors =
      errors_of(ErrorCode::ConsumerNotFound, ErrorCode::LeaseLost, ErrorCode::PositionConflict,
                ErrorCode::InvalidPosition, ErrorCode::ConsumerBusy);
  using Input = CommitInput;
  using Output = CommitOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Transact

struct NewRecord {
  std::optional<Blob> data;
  std::optional<std::string> partition_key;
  std::optional<std::string> explicit_hash_key;

  static constexpr auto shape() {
    using Self = NewRecord;
    return Shape("NewRecord", required("Data", &Self::data, about("What is put.", kinesis::data)),
                 required("PartitionKey", &Self::partition_key,
                          about("Whose MD5 says to which shard the record goes.", kinesis::partition_key)),
                 optional("ExplicitHashKey", &Self::explicit_hash_key,
                          about("Says it in place of the PartitionKey.", kinesis::hash_key)));
  }
};

struct TransactInput : OfConsumer {
  std::optional<std::vector<NewPosition>> positions;
  std::optional<std::string> stream_name;
  std::optional<std::vector<NewRecord>> records;
  std::optional<std::string> idempotency_key;

  static constexpr auto shape() {
    using Self = TransactInput;
    return consumer_shape(
        "TransactInput",
        required("Positions", &Self::positions, about("At least one of which goes forward.", rules::positions)),
        required("StreamName", &Self::stream_name,
                 about("Into which stream of the same account and region the records are put.", rules::name)),
        required("Records", &Self::records, about("What is put.", rules::new_records)),
        optional("IdempotencyKey", &Self::idempotency_key,
                 about("By which a repetition within five minutes is known, and answered as before.", rules::key)));
  }
};

struct RecordPlace {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;

  static constexpr auto shape() {
    using Self = RecordPlace;
    return Shape("RecordPlace", required("ShardId", &Self::shard_id, about("Where the record was put.")),
                 required("SequenceNumber", &Self::sequence_number, about("The record's place in its shard.")));
  }
};

struct TransactOutput {
  std::optional<std::vector<RecordPlace>> records;
  std::optional<std::string_view> encryption_type;
  std::optional<bool> repeated;

  static constexpr auto shape() {
    using Self = TransactOutput;
    return Shape("TransactOutput", required("Records", &Self::records, about("In the order of the request.")),
                 optional("EncryptionType", &Self::encryption_type, about("KMS if they were encrypted.")),
                 required("Repeated", &Self::repeated,
                          about("Whether the IdempotencyKey was used before, and this is the answer of then.")));
  }
};

struct TransactOperation {
  static constexpr std::string_view name = "Transact";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}/transact";
  static constexpr std::string_view summary = "Commits positions and puts records into a stream: both or neither.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = errors_of(
      ErrorCode::ConsumerNotFound, ErrorCode::LeaseLost, ErrorCode::PositionConflict, ErrorCode::InvalidPosition,
      ErrorCode::ConsumerBusy, ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisThroughputExceeded);
  using Input = TransactInput;
  using Output = TransactOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Reset

struct ResetInput : OfConsumer {
  std::optional<std::string> type;
  std::optional<Timestamp> timestamp;
  std::optional<std::string> sequence_number;
  std::optional<std::string> shard_id;
  std::optional<bool> dry_run;

  static constexpr auto shape() {
    using Self = ResetInput;
    return consumer_shape(
        "ResetInput", required("Type", &Self::type, about("Where the consumer goes on.", rules::iterator_type)),
        optional("Timestamp", &Self::timestamp, about("Of AT_TIMESTAMP.")),
        optional("SequenceNumber", &Self::sequence_number,
                 about("Of AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER.", kinesis::sequence_number)),
        optional("ShardId", &Self::shard_id,
                 about("The only shard that it is about; a sequence number needs one.", kinesis::shard_id)),
        optional("DryRun", &Self::dry_run, about("Whether it is only told what would be done.")));
  }
};

struct PositionState {
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;

  static constexpr auto shape() {
    using Self = PositionState;
    return Shape(
        "PositionState",
        optional("SequenceNumber", &Self::sequence_number, about("Of the last record that is done; none if none is.")),
        optional("SubSequenceNumber", &Self::sub_sequence_number,
                 about("The last user record that is done of that record, an aggregate.")));
  }
};

struct ShardResetState {
  std::optional<std::string> shard_id;
  std::optional<PositionState> before;
  std::optional<PositionState> after;
  std::optional<std::int64_t> records_repeated;
  std::optional<std::int64_t> records_skipped;

  static constexpr auto shape() {
    using Self = ShardResetState;
    return Shape("ShardResetState", required("ShardId", &Self::shard_id, about("Which shard.")),
                 required("Before", &Self::before, about("The position as it was.")),
                 required("After", &Self::after, about("The position as it becomes.")),
                 required("RecordsRepeated", &Self::records_repeated,
                          about("How many records that are done are handed out again.")),
                 required("RecordsSkipped", &Self::records_skipped,
                          about("How many records that are not done are passed over.")));
  }
};

struct ResetOutput {
  std::optional<bool> dry_run;
  std::optional<std::vector<ShardResetState>> shards;

  static constexpr auto shape() {
    using Self = ResetOutput;
    return Shape("ResetOutput", required("DryRun", &Self::dry_run, about("Whether nothing was done.")),
                 required("Shards", &Self::shards, about("Those that it was about.")));
  }
};

struct ResetOperation {
  static constexpr std::string_view name = "Reset";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}/reset";
  static constexpr std::string_view summary =
      "Sets positions, whatever they were; members get the shards again with new epochs.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = errors_of(ErrorCode::ConsumerNotFound, ErrorCode::InvalidPosition,
                                           ErrorCode::ConsumerBusy, ErrorCode::KinesisInvalidArgument);
  using Input = ResetInput;
  using Output = ResetOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DescribeLag

struct ShardLagState : ShardState {
  std::optional<std::int64_t> records_behind;
  std::optional<std::int64_t> millis_behind;

  static constexpr auto shape() {
    using Self = ShardLagState;
    return shape_with(
        "ShardLagState", required("RecordsBehind", &Self::records_behind, about("How many records are not done.")),
        required("MillisBehind", &Self::millis_behind, about("How long ago the first of them arrived; 0 if none.")));
  }
};

struct DescribeLagOutput {
  std::optional<std::string> consumer_name;
  std::optional<std::int64_t> records_behind;
  std::optional<std::int64_t> millis_behind;
  std::optional<std::int64_t> lost_records;
  std::optional<std::vector<ShardLagState>> shards;
  std::optional<bool> has_more_shards;

  static constexpr auto shape() {
    using Self = DescribeLagOutput;
    return Shape("DescribeLagOutput", required("ConsumerName", &Self::consumer_name, about("The consumer's name.")),
                 required("RecordsBehind", &Self::records_behind, about("The sum over these shards.")),
                 required("MillisBehind", &Self::millis_behind, about("The most of these shards.")),
                 required("LostRecords", &Self::lost_records,
                          about("That retention took before they were read, of all shards that there were.")),
                 required("Shards", &Self::shards, about("How far each is.")),
                 required("HasMoreShards", &Self::has_more_shards,
                          about("Whether there are more, to be had by ExclusiveStartShardId.")));
  }
};

struct DescribeLagOperation {
  static constexpr std::string_view name = "DescribeLag";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}/lag";
  static constexpr std::string_view summary = "Tells how far a consumer is behind, by shard.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = errors_of(ErrorCode::ConsumerNotFound);
  using Input = ShardsPageInput;
  using Output = DescribeLagOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::native
