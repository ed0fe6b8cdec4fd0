#include "protocol/sqs/operations.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

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

template <class Input>
Refusal read(const Call& call, Input& input) {
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

/// Words an engine's result in the request's protocol.
template <class Op>
WireResponse tell(const Reply& reply, typename Op::Kept& kept, Result&& result) {
  if (const Error* error = std::get_if<Error>(&result)) return respond_fault(reply, *error);
  auto told = Op::to_output(std::move(result), kept);
  if (const Error* error = std::get_if<Error>(&told)) return respond_fault(reply, *error);
  return respond_with(reply, Op::name, std::get<typename Op::Output>(told));
}

template <class Op>
Prepared prepare_as(const Call& call) {
  typename Op::Input input;
  if (const Refusal refusal = read(call, input)) return respond_fault(call.reply, *refusal);
  typename Op::Kept kept;
  Asked asked = Op::to_command(input, call.caller, kept);
  if (const Error* error = std::get_if<Error>(&asked)) return respond_fault(call.reply, *error);
  PreparedCall prepared;
  prepared.operation = Op::name;
  if (auto* question = std::get_if<Question>(&asked)) {
    prepared.before = std::move(question->before);
    prepared.command = std::move(question->command);
  } else {
    prepared.command = std::get<Command>(std::move(asked));
  }
  prepared.respond = [reply = call.reply, kept = std::move(kept)](Result&& result) mutable {
    return tell<Op>(reply, kept, std::move(result));
  };
  return prepared;
}

template <class Op>
constexpr Operation offered() {
  return {Op::name,   &describe<typename Op::Input>(), &describe<typename Op::Output>(),
          Op::errors, NamesQueue<typename Op::Input>,  &prepare_as<Op>};
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
static_assert(std::ranges::is_sorted(table, {}, &Operation::name), "find_operation searches by halves");

}  // namespace

std::span<const Operation> operations() { return table; }

const Operation* find_operation(std::string_view name) {
  const auto found = std::ranges::lower_bound(table, name, {}, &Operation::name);
  return found != table.end() && found->name == name ? &*found : nullptr;
}

}  // namespace penstock::protocol::sqs
