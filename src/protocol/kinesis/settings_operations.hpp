// The operations that set how a stream keeps, encrypts, measures and scales.
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

/// What both changes of the retention take.
struct RetentionInput {
  std::optional<std::string> stream_name;
  std::optional<std::int32_t> retention_period_hours;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape_called(std::string_view name) {
    using Self = RetentionInput;
    return Shape(name, optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("RetentionPeriodHours", &Self::retention_period_hours),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

/// What both changes of the encryption take.
struct EncryptionInput {
  std::optional<std::string> stream_name;
  std::optional<std::string> encryption_type;
  std::optional<std::string> key_id;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape_called(std::string_view name) {
    using Self = EncryptionInput;
    return Shape(name, optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("EncryptionType", &Self::encryption_type, kinesis::encryption_type),
                 required("KeyId", &Self::key_id, kinesis::key_id),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

/// What both changes of the monitoring take.
struct MonitoringInput {
  std::optional<std::string> stream_name;
  std::optional<std::vector<std::string>> shard_level_metrics;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape_called(std::string_view name) {
    using Self = MonitoringInput;
    return Shape(name, optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("ShardLevelMetrics", &Self::shard_level_metrics, kinesis::metrics_names),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

// ---- IncreaseStreamRetentionPeriod

struct IncreaseStreamRetentionPeriodInput : RetentionInput {
  static constexpr auto shape() { return shape_called("IncreaseStreamRetentionPeriodInput"); }
};

struct IncreaseStreamRetentionPeriodOperation {
  static constexpr std::string_view name = "IncreaseStreamRetentionPeriod";
  static constexpr std::array errors{ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisAccessDenied};
  using Input = IncreaseStreamRetentionPeriodInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DecreaseStreamRetentionPeriod

struct DecreaseStreamRetentionPeriodInput : RetentionInput {
  static constexpr auto shape() { return shape_called("DecreaseStreamRetentionPeriodInput"); }
};

struct DecreaseStreamRetentionPeriodOperation {
  static constexpr std::string_view name = "DecreaseStreamRetentionPeriod";
  static constexpr std::array errors{ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisAccessDenied};
  using Input = DecreaseStreamRetentionPeriodInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- StartStreamEncryption

struct StartStreamEncryptionInput : EncryptionInput {
  static constexpr auto shape() { return shape_called("StartStreamEncryptionInput"); }
};

struct StartStreamEncryptionOperation {
  static constexpr std::string_view name = "StartStreamEncryption";
  static constexpr std::array errors{
      ErrorCode::KinesisInvalidArgument,  ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisResourceInUse,
      ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisKmsDisabled,   ErrorCode::KinesisKmsInvalidState,
      ErrorCode::KinesisKmsAccessDenied,  ErrorCode::KinesisKmsNotFound,   ErrorCode::KinesisKmsOptInRequired,
      ErrorCode::KinesisKmsThrottling,    ErrorCode::KinesisAccessDenied};
  using Input = StartStreamEncryptionInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- StopStreamEncryption

struct StopStreamEncryptionInput : EncryptionInput {
  static constexpr auto shape() { return shape_called("StopStreamEncryptionInput"); }
};

struct StopStreamEncryptionOperation {
  static constexpr std::string_view name = "StopStreamEncryption";
  static constexpr std::array errors{ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisAccessDenied};
  using Input = StopStreamEncryptionInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- EnableEnhancedMonitoring

struct EnableEnhancedMonitoringInput : MonitoringInput {
  static constexpr auto shape() { return shape_called("EnableEnhancedMonitoringInput"); }
};

struct EnhancedMonitoringOutput {
  std::optional<std::string> stream_name;
  std::optional<std::vector<std::string>> current_shard_level_metrics;
  std::optional<std::vector<std::string>> desired_shard_level_metrics;
  std::optional<std::string> stream_arn;

  static constexpr auto shape() {
    using Self = EnhancedMonitoringOutput;
    return Shape("EnhancedMonitoringOutput", optional("StreamName", &Self::stream_name),
                 optional("CurrentShardLevelMetrics", &Self::current_shard_level_metrics),
                 optional("DesiredShardLevelMetrics", &Self::desired_shard_level_metrics),
                 optional("StreamARN", &Self::stream_arn));
  }
};

struct EnableEnhancedMonitoringOperation {
  static constexpr std::string_view name = "EnableEnhancedMonitoring";
  static constexpr std::array errors{ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisAccessDenied};
  using Input = EnableEnhancedMonitoringInput;
  using Output = EnhancedMonitoringOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DisableEnhancedMonitoring

struct DisableEnhancedMonitoringInput : MonitoringInput {
  static constexpr auto shape() { return shape_called("DisableEnhancedMonitoringInput"); }
};

struct DisableEnhancedMonitoringOperation {
  static constexpr std::string_view name = "DisableEnhancedMonitoring";
  static constexpr std::array errors{ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisAccessDenied};
  using Input = DisableEnhancedMonitoringInput;
  using Output = EnhancedMonitoringOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- UpdateStreamMode

struct UpdateStreamModeInput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;
  std::optional<StreamModeDetails> stream_mode_details;
  std::optional<std::int32_t> warm_throughput_mibps;

  static constexpr auto shape() {
    using Self = UpdateStreamModeInput;
    return Shape("UpdateStreamModeInput", required("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id),
                 required("StreamModeDetails", &Self::stream_mode_details),
                 optional("WarmThroughputMiBps", &Self::warm_throughput_mibps, kinesis::natural_integer));
  }
};

struct UpdateStreamModeOperation {
  static constexpr std::string_view name = "UpdateStreamMode";
  static constexpr std::array errors{ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisValidation};
  using Input = UpdateStreamModeInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- UpdateStreamWarmThroughput

struct UpdateStreamWarmThroughputInput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_id;
  std::optional<std::int32_t> warm_throughput_mibps;

  static constexpr auto shape() {
    using Self = UpdateStreamWarmThroughputInput;
    return Shape("UpdateStreamWarmThroughputInput", optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id),
                 required("WarmThroughputMiBps", &Self::warm_throughput_mibps, kinesis::natural_integer));
  }
};

struct UpdateStreamWarmThroughputOutput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_name;
  std::optional<WarmThroughputObject> warm_throughput;

  static constexpr auto shape() {
    using Self = UpdateStreamWarmThroughputOutput;
    return Shape("UpdateStreamWarmThroughputOutput", optional("StreamARN", &Self::stream_arn),
                 optional("StreamName", &Self::stream_name), optional("WarmThroughput", &Self::warm_throughput));
  }
};

struct UpdateStreamWarmThroughputOperation {
  static constexpr std::string_view name = "UpdateStreamWarmThroughput";
  static constexpr std::array errors{ErrorCode::KinesisAccessDenied,  ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisValidation};
  using Input = UpdateStreamWarmThroughputInput;
  using Output = UpdateStreamWarmThroughputOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- UpdateMaxRecordSize

struct UpdateMaxRecordSizeInput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;
  std::optional<std::int32_t> max_record_size_kib;

  static constexpr auto shape() {
    using Self = UpdateMaxRecordSizeInput;
    return Shape("UpdateMaxRecordSizeInput", optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id),
                 required("MaxRecordSizeInKiB", &Self::max_record_size_kib, kinesis::max_record_size_kib));
  }
};

struct UpdateMaxRecordSizeOperation {
  static constexpr std::string_view name = "UpdateMaxRecordSize";
  static constexpr std::array errors{ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisAccessDenied,  ErrorCode::KinesisValidation};
  using Input = UpdateMaxRecordSizeInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
