#include "protocol/kinesis/settings_operations.hpp"

#include <utility>

#include "penstock/stream_names.hpp"

namespace penstock::protocol::kinesis {
namespace {

Asked change_retention(const RetentionInput& input, const Caller& caller, bool increase) {
  UpdateRetention command;
  command.hours = *input.retention_period_hours;
  command.increase = increase;
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

/// Encryption is by KMS or it is not there: NONE neither begins nor ends.
Asked change_encryption(EncryptionInput& input, const Caller& caller, bool start) {
  if (*input.encryption_type != "KMS") return invalid_argument("EncryptionType NONE is not valid for this operation.");
  UpdateEncryption command;
  command.start = start;
  command.key_id = std::move(*input.key_id);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Asked change_monitoring(MonitoringInput& input, const Caller& caller, bool enable) {
  UpdateMonitoring command;
  command.metrics = std::move(*input.shard_level_metrics);
  command.enable = enable;
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<EnhancedMonitoringOutput> tell_monitoring(Result&& result) {
  auto* changed = std::get_if<MonitoringChanged>(&result);
  if (changed == nullptr) return unexpected_result();
  EnhancedMonitoringOutput output;
  output.stream_arn = arn_of(changed->stream);
  output.stream_name = std::move(changed->stream.name);
  output.current_shard_level_metrics = std::move(changed->before);
  output.desired_shard_level_metrics = std::move(changed->after);
  return output;
}

}  // namespace

Asked IncreaseStreamRetentionPeriodOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return change_retention(input, caller, true);
}

Told<Nothing> IncreaseStreamRetentionPeriodOperation::to_output(Result&& result, Kept&) {
  return nothing_if_done(result);
}

Asked DecreaseStreamRetentionPeriodOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return change_retention(input, caller, false);
}

Told<Nothing> DecreaseStreamRetentionPeriodOperation::to_output(Result&& result, Kept&) {
  return nothing_if_done(result);
}

Asked StartStreamEncryptionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return change_encryption(input, caller, true);
}

Told<Nothing> StartStreamEncryptionOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked StopStreamEncryptionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return change_encryption(input, caller, false);
}

Told<Nothing> StopStreamEncryptionOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked EnableEnhancedMonitoringOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return change_monitoring(input, caller, true);
}

Told<EnhancedMonitoringOutput> EnableEnhancedMonitoringOperation::to_output(Result&& result, Kept&) {
  return tell_monitoring(std::move(result));
}

Asked DisableEnhancedMonitoringOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return change_monitoring(input, caller, false);
}

Told<EnhancedMonitoringOutput> DisableEnhancedMonitoringOperation::to_output(Result&& result, Kept&) {
  return tell_monitoring(std::move(result));
}

Asked UpdateStreamModeOperation::to_command(Input& input, const Caller& caller, Kept&) {
  UpdateStreamMode command;
  command.on_demand = input.stream_mode_details->stream_mode == "ON_DEMAND";
  if (input.warm_throughput_mibps) command.warm_mibps = static_cast<std::uint32_t>(*input.warm_throughput_mibps);
  return ask(address_of({}, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<Nothing> UpdateStreamModeOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked UpdateStreamWarmThroughputOperation::to_command(Input& input, const Caller& caller, Kept&) {
  UpdateWarmThroughput command;
  command.mibps = static_cast<std::uint32_t>(*input.warm_throughput_mibps);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<UpdateStreamWarmThroughputOutput> UpdateStreamWarmThroughputOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<WarmThroughput>(&result);
  if (found == nullptr) return unexpected_result();
  Output output;
  output.stream_arn = arn_of(found->stream);
  output.stream_name = std::move(found->stream.name);
  output.warm_throughput = WarmThroughputObject{static_cast<std::int32_t>(found->target_mibps),
                                                static_cast<std::int32_t>(found->current_mibps)};
  return output;
}

Asked UpdateMaxRecordSizeOperation::to_command(Input& input, const Caller& caller, Kept&) {
  UpdateMaxRecordSize command;
  command.record_kib_max = static_cast<std::uint32_t>(*input.max_record_size_kib);
  return ask(address_of({}, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<Nothing> UpdateMaxRecordSizeOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

}  // namespace penstock::protocol::kinesis
