// What the server has beside the services, under /_penstock/: the table of its operations and the way to each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/caller.hpp"
#include "protocol/json.hpp"
#include "protocol/operation.hpp"
#include "protocol/reply.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::native {

/// A request before its input was read.
struct Call {
  using Wires = NativeWires;
  JsonSource body;
  std::vector<std::pair<std::string, std::string>> parameters;  ///< of the path and of the query, decoded
  Caller caller;
  Reply reply;
};

struct Operation : OperationOf<Call> {
  std::string_view method;
  std::string_view path;     ///< a template, such as /_penstock/streams/{stream}
  std::string_view summary;  ///< one sentence
  int status = 200;          ///< of success
};

std::span<const Operation> operations();

/// Whether it is one of this API's, offered or not.
bool is_native_path(std::string_view target);

/// REQUIRES: is_native_path of the request's target.
Prepared prepare(const WireRequest& request, const ServiceContext& context, Reply reply);

}  // namespace penstock::protocol::native
