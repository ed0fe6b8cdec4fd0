#include "protocol/kinesis/operations.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include "protocol/decode.hpp"
#include "protocol/kinesis/account_operations.hpp"
#include "protocol/kinesis/consumer_operations.hpp"
#include "protocol/kinesis/describe_operations.hpp"
#include "protocol/kinesis/policy_operations.hpp"
#include "protocol/kinesis/record_operations.hpp"
#include "protocol/kinesis/settings_operations.hpp"
#include "protocol/kinesis/shard_operations.hpp"
#include "protocol/kinesis/stream_operations.hpp"
#include "protocol/kinesis/subscribe_operation.hpp"
#include "protocol/kinesis/tag_operations.hpp"
#include "protocol/validate.hpp"

namespace penstock::protocol::kinesis {
namespace {

/// How a request of Kinesis becomes an input: types first, then all constraints at once.
struct ReadsInput {
  template <class Input>
  static Refusal read(const Call& call, Input& input) {
    Refusal refusal = std::visit([&](const auto& source) { return read_members(source, input); }, call.source);
    return refusal ? refusal : validate(input);
  }
};

template <class Op>
constexpr Operation offered() {
  return operation_of<Op, Call, ReadsInput>();
}

constexpr std::array table{
    offered<AddTagsToStreamOperation>(),
    offered<CreateStreamOperation>(),
    offered<DecreaseStreamRetentionPeriodOperation>(),
    offered<DeleteResourcePolicyOperation>(),
    offered<DeleteStreamOperation>(),
    offered<DeregisterStreamConsumerOperation>(),
    offered<DescribeAccountSettingsOperation>(),
    offered<DescribeLimitsOperation>(),
    offered<DescribeStreamOperation>(),
    offered<DescribeStreamConsumerOperation>(),
    offered<DescribeStreamSummaryOperation>(),
    offered<DisableEnhancedMonitoringOperation>(),
    offered<EnableEnhancedMonitoringOperation>(),
    offered<GetRecordsOperation>(),
    offered<GetResourcePolicyOperation>(),
    offered<GetShardIteratorOperation>(),
    offered<IncreaseStreamRetentionPeriodOperation>(),
    offered<ListShardsOperation>(),
    offered<ListStreamConsumersOperation>(),
    offered<ListStreamsOperation>(),
    offered<ListTagsForResourceOperation>(),
    offered<ListTagsForStreamOperation>(),
    offered<MergeShardsOperation>(),
    offered<PutRecordOperation>(),
    offered<PutRecordsOperation>(),
    offered<PutResourcePolicyOperation>(),
    offered<RegisterStreamConsumerOperation>(),
    offered<RemoveTagsFromStreamOperation>(),
    offered<SplitShardOperation>(),
    offered<StartStreamEncryptionOperation>(),
    offered<StopStreamEncryptionOperation>(),
    offered<SubscribeToShardOperation>(),
    offered<TagResourceOperation>(),
    offered<UntagResourceOperation>(),
    offered<UpdateAccountSettingsOperation>(),
    offered<UpdateMaxRecordSizeOperation>(),
    offered<UpdateShardCountOperation>(),
    offered<UpdateStreamModeOperation>(),
    offered<UpdateStreamWarmThroughputOperation>(),
};
static_assert(std::ranges::is_sorted(table, {}, &Operation::name), "find_by_name searches by halves");

}  // namespace

std::span<const Operation> operations() { return table; }

const Operation* find_operation(std::string_view name) { return find_by_name(operations(), name); }

}  // namespace penstock::protocol::kinesis
