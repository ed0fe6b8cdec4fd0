#include "protocol/kinesis/shard_operations.hpp"

#include <utility>

#include "penstock/stream_names.hpp"

namespace penstock::protocol::kinesis {

Asked SplitShardOperation::to_command(Input& input, const Caller& caller, Kept&) {
  SplitShard command;
  command.shard_id = std::move(*input.shard_to_split);
  command.new_starting_hash_key = std::move(*input.new_starting_hash_key);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<Nothing> SplitShardOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked MergeShardsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  MergeShards command;
  command.shard_id = std::move(*input.shard_to_merge);
  command.adjacent_shard_id = std::move(*input.adjacent_shard_to_merge);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<Nothing> MergeShardsOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked UpdateShardCountOperation::to_command(Input& input, const Caller& caller, Kept&) {
  UpdateShardCount command;
  command.target = *input.target_shard_count;
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<UpdateShardCountOutput> UpdateShardCountOperation::to_output(Result&& result, Kept&) {
  auto* changed = std::get_if<ShardCountChanged>(&result);
  if (changed == nullptr) return unexpected_result();
  Output output;
  output.stream_arn = arn_of(changed->stream);
  output.stream_name = std::move(changed->stream.name);
  output.current_shard_count = changed->current;
  output.target_shard_count = changed->target;
  return output;
}

}  // namespace penstock::protocol::kinesis
