// The operations that split and merge shards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/kinesis/call.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

// ---- SplitShard

struct SplitShardInput {
  std::optional<std::string> stream_name;
  std::optional<std::string> shard_to_split;
  std::optional<std::string> new_starting_hash_key;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = SplitShardInput;
    return Shape("SplitShardInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("ShardToSplit", &Self::shard_to_split, kinesis::shard_id),
                 required("NewStartingHashKey", &Self::new_starting_hash_key, kinesis::hash_key),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct SplitShardOperation {
  static constexpr std::string_view name = "SplitShard";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,
                                     ErrorCode::KinesisInvalidArgument,  ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisValidation,       ErrorCode::KinesisAccessDenied};
  using Input = SplitShardInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- MergeShards

struct MergeShardsInput {
  std::optional<std::string> stream_name;
  std::optional<std::string> shard_to_merge;
  std::optional<std::string> adjacent_shard_to_merge;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = MergeShardsInput;
    return Shape("MergeShardsInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("ShardToMerge", &Self::shard_to_merge, kinesis::shard_id),
                 required("AdjacentShardToMerge", &Self::adjacent_shard_to_merge, kinesis::shard_id),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct MergeShardsOperation {
  static constexpr std::string_view name = "MergeShards";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,
                                     ErrorCode::KinesisInvalidArgument,  ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisValidation,       ErrorCode::KinesisAccessDenied};
  using Input = MergeShardsInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- UpdateShardCount

struct UpdateShardCountInput {
  std::optional<std::string> stream_name;
  std::optional<std::int32_t> target_shard_count;
  std::optional<std::string> scaling_type;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = UpdateShardCountInput;
    return Shape("UpdateShardCountInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("TargetShardCount", &Self::target_shard_count, kinesis::positive_integer),
                 required("ScalingType", &Self::scaling_type, kinesis::scaling_type),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct UpdateShardCountOutput {
  std::optional<std::string> stream_name;
  std::optional<std::int32_t> current_shard_count;
  std::optional<std::int32_t> target_shard_count;
  std::optional<std::string> stream_arn;

  static constexpr auto shape() {
    using Self = UpdateShardCountOutput;
    return Shape("UpdateShardCountOutput", optional("StreamName", &Self::stream_name),
                 optional("CurrentShardCount", &Self::current_shard_count),
                 optional("TargetShardCount", &Self::target_shard_count), optional("StreamARN", &Self::stream_arn));
  }
};

struct UpdateShardCountOperation {
  static constexpr std::string_view name = "UpdateShardCount";
  static constexpr std::array errors{ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisResourceInUse,   ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisValidation,      ErrorCode::KinesisAccessDenied};
  using Input = UpdateShardCountInput;
  using Output = UpdateShardCountOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
