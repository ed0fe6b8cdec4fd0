// The table of Lambda's operations: from it come routes, metric labels and README's list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/lambda/call.hpp"
#include "protocol/operation.hpp"
#include "protocol/reply.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::lambda {

struct Operation : OperationOf<Call> {
  std::string_view method;
  std::string_view path;  ///< with members of the input in braces
  int status = 0;         ///< of its answer
};

/// Those that are offered.
std::span<const Operation> operations();

/// One of the service's that is not.
struct Unoffered {
  std::string_view name;
  std::string_view method;
  std::string_view path;
};
std::span<const Unoffered> unoffered_operations();

/// The operation that a request means, and what its path says.
struct Route {
  const Operation* operation = nullptr;
  std::vector<PathValue> values;
};
/// Why there is none. A slash at the path's end says nothing.
std::variant<Route, Error> find_route(std::string_view method, std::string_view path);

/// Whether a request for this is one whose body has a zip.
bool carries_code(std::string_view method, std::string_view path);

/// Whether a path is one of Lambda's: its first segment is a date, as no queue's or page's is.
bool is_path(std::string_view path);

/// REQUIRES: is_path of the target's path.
Prepared prepare(const WireRequest& request, const ServiceContext& context, Reply reply);

}  // namespace penstock::protocol::lambda
