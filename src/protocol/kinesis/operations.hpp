// The table of Kinesis operations, from which dispatch, metric labels and checks against the API model come.
#pragma once

#include <span>
#include <string_view>
#include <variant>

#include "protocol/caller.hpp"
#include "protocol/cbor.hpp"
#include "protocol/json.hpp"
#include "protocol/operation.hpp"
#include "protocol/reply.hpp"

namespace penstock::protocol::kinesis {

/// An operation's request before its input was read.
struct Call {
  using Wires = KinesisWires;
  std::variant<JsonSource, CborSource> source;
  Caller caller;
  Reply reply;
};

using Operation = OperationOf<Call>;

/// All operations of the service, by name.
std::span<const Operation> operations();

/// nullptr if the service has no such operation.
const Operation* find_operation(std::string_view name);

}  // namespace penstock::protocol::kinesis
