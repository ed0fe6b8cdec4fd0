// The operations that create and delete streams.
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

// ---- CreateStream

struct CreateStreamInput {
  std::optional<std::string> stream_name;
  std::optional<std::int32_t> shard_count;
  std::optional<StreamModeDetails> stream_mode_details;
  std::optional<Map<std::string>> tags;
  std::optional<std::int32_t> warm_throughput_mibps;
  std::optional<std::int32_t> max_record_size_kib;

  static constexpr auto shape() {
    using Self = CreateStreamInput;
    return Shape("CreateStreamInput", required("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("ShardCount", &Self::shard_count, kinesis::positive_integer),
                 optional("StreamModeDetails", &Self::stream_mode_details),
                 optional("Tags", &Self::tags, kinesis::tag_map),
                 optional("WarmThroughputMiBps", &Self::warm_throughput_mibps, kinesis::natural_integer),
                 optional("MaxRecordSizeInKiB", &Self::max_record_size_kib, kinesis::max_record_size_kib));
  }
};

struct CreateStreamOperation {
  static constexpr std::string_view name = "CreateStream";
  static constexpr std::array errors{ErrorCode::KinesisResourceInUse, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisValidation};
  using Input = CreateStreamInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DeleteStream

struct DeleteStreamInput {
  std::optional<std::string> stream_name;
  std::optional<bool> enforce_consumer_deletion;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = DeleteStreamInput;
    return Shape("DeleteStreamInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("EnforceConsumerDeletion", &Self::enforce_consumer_deletion),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct DeleteStreamOperation {
  static constexpr std::string_view name = "DeleteStream";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisAccessDenied};
  using Input = DeleteStreamInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
