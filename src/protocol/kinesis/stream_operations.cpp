#include "protocol/kinesis/stream_operations.hpp"

#include <utility>

#include "protocol/kinesis/tag_rules.hpp"

namespace penstock::protocol::kinesis {

Asked CreateStreamOperation::to_command(Input& input, const Caller& caller, Kept&) {
  CreateStream command;
  command.shard_count = input.shard_count;
  command.on_demand = input.stream_mode_details && input.stream_mode_details->stream_mode == "ON_DEMAND";
  command.tags = to_map(std::move(input.tags));
  if (auto error = check_tags(command.tags)) return std::move(*error);
  if (input.warm_throughput_mibps) command.warm_mibps = static_cast<std::uint32_t>(*input.warm_throughput_mibps);
  if (input.max_record_size_kib) command.record_kib_max = static_cast<std::uint32_t>(*input.max_record_size_kib);
  return ask(address_of(input.stream_name, {}, {}, caller), std::move(command));
}

Told<Nothing> CreateStreamOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked DeleteStreamOperation::to_command(Input& input, const Caller& caller, Kept&) {
  DeleteStream command;
  command.with_consumers = input.enforce_consumer_deletion.value_or(false);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<Nothing> DeleteStreamOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

}  // namespace penstock::protocol::kinesis
