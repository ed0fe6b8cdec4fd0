#include "protocol/sqs/operations.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include "protocol/decode.hpp"
#include "protocol/sqs/dead_letter_operations.hpp"
#include "protocol/sqs/permission_operations.hpp"
#include "protocol/sqs/queue_operations.hpp"
#include "protocol/sqs/receipt_operations.hpp"
#include "protocol/sqs/receive_operation.hpp"
#include "protocol/sqs/send_operations.hpp"
#include "protocol/sqs/tag_operations.hpp"

namespace penstock::protocol::sqs {
namespace {

template <class Input>
concept NamesQueue = requires(Input& input) {
  input.queue_url;
};

/// How a request of SQS becomes an input.
struct ReadsInput {
  template <class Input>
  static Refusal read(const Call& call, Input& input) {
    return std::visit(
        [&](const auto& source) -> Refusal {
          if (Refusal refusal = read_members(source, input)) return refusal;
          if constexpr (NamesQueue<Input>) {
            if (!input.queue_url && call.implied_queue_url) input.queue_url = *call.implied_queue_url;
          }
          if (const auto missing = missing_member(input)) return missing_parameter(*missing);
          return check_constraints(input);
        },
        call.source);
  }
};

template <class Op>
constexpr Operation offered() {
  return {operation_of<Op, Call, ReadsInput>(), NamesQueue<typename Op::Input>};
}

constexpr std::array table{
    offered<AddPermissionOperation>(),
    offered<CancelMessageMoveTaskOperation>(),
    offered<ChangeMessageVisibilityOperation>(),
    offered<ChangeMessageVisibilityBatchOperation>(),
    offered<CreateQueueOperation>(),
    offered<DeleteMessageOperation>(),
    offered<DeleteMessageBatchOperation>(),
    offered<DeleteQueueOperation>(),
    offered<GetQueueAttributesOperation>(),
    offered<GetQueueUrlOperation>(),
    offered<ListDeadLetterSourceQueuesOperation>(),
    offered<ListMessageMoveTasksOperation>(),
    offered<ListQueueTagsOperation>(),
    offered<ListQueuesOperation>(),
    offered<PurgeQueueOperation>(),
    offered<ReceiveMessageOperation>(),
    offered<RemovePermissionOperation>(),
    offered<SendMessageOperation>(),
    offered<SendMessageBatchOperation>(),
    offered<SetQueueAttributesOperation>(),
    offered<StartMessageMoveTaskOperation>(),
    offered<TagQueueOperation>(),
    offered<UntagQueueOperation>(),
};
static_assert(std::ranges::is_sorted(table, {}, &Operation::name), "find_by_name searches by halves");

}  // namespace

std::span<const Operation> operations() { return table; }

const Operation* find_operation(std::string_view name) { return find_by_name(operations(), name); }

}  // namespace penstock::protocol::sqs
