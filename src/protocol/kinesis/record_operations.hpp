// The operations by which records are put into a stream and read from it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/kinesis/call.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/kinesis/tokens.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

/// Those of the operations that put and get records.
inline constexpr std::array record_errors{
    ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisInvalidArgument,  ErrorCode::KinesisThroughputExceeded,
    ErrorCode::KinesisKmsDisabled,      ErrorCode::KinesisKmsInvalidState,  ErrorCode::KinesisKmsAccessDenied,
    ErrorCode::KinesisKmsNotFound,      ErrorCode::KinesisKmsOptInRequired, ErrorCode::KinesisKmsThrottling,
    ErrorCode::KinesisAccessDenied,     ErrorCode::KinesisInternalFailure,
};

/// Where a record goes: to the ExplicitHashKey, if there is one, or else to the MD5 of its partition key, which is
/// `key`.
std::variant<Error, HashKey> place_of(std::string_view key, const std::optional<std::string>& explicit_key);

// ---- PutRecord

struct PutRecordInput {
  std::optional<std::string> stream_name;
  std::optional<Blob> data;
  std::optional<std::string> partition_key;
  std::optional<std::string> explicit_hash_key;
  std::optional<std::string> sequence_number_for_ordering;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = PutRecordInput;
    return Shape("PutRecordInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("Data", &Self::data, kinesis::data),
                 required("PartitionKey", &Self::partition_key, kinesis::partition_key),
                 optional("ExplicitHashKey", &Self::explicit_hash_key, hash_key),
                 optional("SequenceNumberForOrdering", &Self::sequence_number_for_ordering, sequence_number),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct PutRecordOutput {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;
  std::optional<std::string_view> encryption_type;

  static constexpr auto shape() {
    using Self = PutRecordOutput;
    return Shape("PutRecordOutput", required("ShardId", &Self::shard_id),
                 required("SequenceNumber", &Self::sequence_number),
                 optional("EncryptionType", &Self::encryption_type));
  }
};

struct PutRecordOperation {
  static constexpr std::string_view name = "PutRecord";
  static constexpr auto errors = record_errors;
  using Input = PutRecordInput;
  using Output = PutRecordOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- PutRecords

struct PutRecordsRequestEntry {
  std::optional<Blob> data;
  std::optional<std::string> explicit_hash_key;
  std::optional<std::string> partition_key;

  static constexpr auto shape() {
    using Self = PutRecordsRequestEntry;
    return Shape("PutRecordsRequestEntry", required("Data", &Self::data, kinesis::data),
                 optional("ExplicitHashKey", &Self::explicit_hash_key, hash_key),
                 required("PartitionKey", &Self::partition_key, kinesis::partition_key));
  }
};

struct PutRecordsInput {
  std::optional<std::vector<PutRecordsRequestEntry>> records;
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = PutRecordsInput;
    return Shape("PutRecordsInput", required("Records", &Self::records, put_records_entries),
                 optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct PutRecordsResultEntry {
  std::optional<std::string> sequence_number;
  std::optional<std::string> shard_id;
  std::optional<std::string_view> error_code;
  std::optional<std::string> error_message;

  static constexpr auto shape() {
    using Self = PutRecordsResultEntry;
    return Shape("PutRecordsResultEntry", optional("SequenceNumber", &Self::sequence_number),
                 optional("ShardId", &Self::shard_id), optional("ErrorCode", &Self::error_code),
                 optional("ErrorMessage", &Self::error_message));
  }
};

struct PutRecordsOutput {
  std::optional<std::int32_t> failed_record_count;
  std::optional<std::vector<PutRecordsResultEntry>> records;
  std::optional<std::string_view> encryption_type;

  static constexpr auto shape() {
    using Self = PutRecordsOutput;
    return Shape("PutRecordsOutput", optional("FailedRecordCount", &Self::failed_record_count),
                 required("Records", &Self::records), optional("EncryptionType", &Self::encryption_type));
  }
};

struct PutRecordsOperation {
  static constexpr std::string_view name = "PutRecords";
  static constexpr auto errors = record_errors;
  using Input = PutRecordsInput;
  using Output = PutRecordsOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- GetShardIterator

struct GetShardIteratorInput {
  std::optional<std::string> stream_name;
  std::optional<std::string> shard_id;
  std::optional<std::string> shard_iterator_type;
  std::optional<std::string> starting_sequence_number;
  std::optional<Timestamp> timestamp;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = GetShardIteratorInput;
    return Shape("GetShardIteratorInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("ShardId", &Self::shard_id, kinesis::shard_id),
                 required("ShardIteratorType", &Self::shard_iterator_type, kinesis::shard_iterator_type),
                 optional("StartingSequenceNumber", &Self::starting_sequence_number, sequence_number),
                 optional("Timestamp", &Self::timestamp), optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct GetShardIteratorOutput {
  std::optional<std::string> shard_iterator;

  static constexpr auto shape() {
    return Shape("GetShardIteratorOutput", optional("ShardIterator", &GetShardIteratorOutput::shard_iterator));
  }
};

/// What the iterator says besides its position.
struct KeepsIterator {
  StreamName stream;  ///< its name is empty where the request has only an id
  Instant issued{};
};

struct GetShardIteratorOperation {
  static constexpr std::string_view name = "GetShardIterator";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisThroughputExceeded, ErrorCode::KinesisAccessDenied,
                                     ErrorCode::KinesisInternalFailure};
  using Input = GetShardIteratorInput;
  using Output = GetShardIteratorOutput;
  using Kept = KeepsIterator;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

/// What a ShardIteratorType of the model means, which the type's constraint has let through.
IteratorType iterator_type_of(std::string_view name);

// ---- GetRecords

struct GetRecordsInput {
  std::optional<std::string> shard_iterator;
  std::optional<std::int32_t> limit;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = GetRecordsInput;
    return Shape("GetRecordsInput", required("ShardIterator", &Self::shard_iterator, kinesis::shard_iterator),
                 optional("Limit", &Self::limit, page_limit),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct GetRecordsOutput {
  std::optional<std::vector<Record>> records;
  /// Nothing if and only if there are child shards. A consumer with positions has them only with the empty page behind
  /// the last record, since it is the next iterator that commits what came before.
  std::optional<std::string> next_shard_iterator;
  std::optional<std::int64_t> millis_behind_latest;
  std::optional<std::vector<ChildShard>> child_shards;

  std::size_t bytes_expected() const { return kinesis::bytes_expected(*records); }

  static constexpr auto shape() {
    using Self = GetRecordsOutput;
    return Shape("GetRecordsOutput", required("Records", &Self::records),
                 optional("NextShardIterator", &Self::next_shard_iterator),
                 optional("MillisBehindLatest", &Self::millis_behind_latest),
                 optional("ChildShards", &Self::child_shards));
  }
};

struct KeepsPage {
  RecordIndex from;      ///< the iterator's
  Instant not_before{};  ///< the same
  RecordsPage page;      ///< to which the output refers
};

struct GetRecordsOperation {
  static constexpr std::string_view name = "GetRecords";
  static constexpr std::array errors{
      ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisThroughputExceeded,
      ErrorCode::KinesisExpiredIterator,  ErrorCode::KinesisKmsDisabled,     ErrorCode::KinesisKmsInvalidState,
      ErrorCode::KinesisKmsAccessDenied,  ErrorCode::KinesisKmsNotFound,     ErrorCode::KinesisKmsOptInRequired,
      ErrorCode::KinesisKmsThrottling,    ErrorCode::KinesisAccessDenied,    ErrorCode::KinesisInternalFailure,
  };
  using Input = GetRecordsInput;
  using Output = GetRecordsOutput;
  using Kept = KeepsPage;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
