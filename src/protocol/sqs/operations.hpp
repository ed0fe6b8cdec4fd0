// The table of SQS operations, from which dispatch, metric labels and checks against the API model come.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "protocol/caller.hpp"
#include "protocol/json.hpp"
#include "protocol/operation.hpp"
#include "protocol/query.hpp"
#include "protocol/reply.hpp"

namespace penstock::protocol::sqs {

/// An operation's request before its input was read.
struct Call {
  using Wires = SqsWires;
  std::variant<JsonSource, QuerySource> source;
  std::optional<std::string_view> implied_queue_url;  ///< of the request's path, where the input names none
  Caller caller;
  Reply reply;
};

struct Operation : OperationOf<Call> {
  bool on_queue = false;  ///< its input has a QueueUrl, so that it may be sent to a queue's path
};

/// All operations of the service, by name.
std::span<const Operation> operations();

/// nullptr if the service has no such operation.
const Operation* find_operation(std::string_view name);

}  // namespace penstock::protocol::sqs
