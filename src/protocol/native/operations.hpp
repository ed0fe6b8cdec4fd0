// The table of Penstock's own operations: consumers with positions, which no service has, and functions that are no
// zips. From it come the routes, metric labels, the API's document and README's list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/native/call.hpp"
#include "protocol/operation.hpp"
#include "protocol/reply.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::native {

struct Operation : OperationOf<Call> {
  std::string_view method;
  std::string_view path;  ///< with members of the input in braces
  std::string_view summary;
  std::span<const int> statuses;
};

/// Where the API's document is.
inline constexpr std::string_view document_path = "/_penstock/openapi.json";

/// All operations, in the order in which somebody reads of them. The last one answers the document, and has no input
/// or output.
std::span<const Operation> operations();

/// The operation that a request means, and what its path says.
struct Route {
  const Operation* operation = nullptr;
  std::vector<PathValue> values;
};
/// No operation has that path; or others have it, and `allowed` are their methods, as a header lists them.
struct NoRoute {
  std::string allowed;
};
std::variant<Route, NoRoute> find_route(std::string_view method, std::string_view path);

/// Whether a path is none of a service's: below /_penstock, where Penstock's own API is, /metrics, or /_localstack,
/// where other tools look for some of it.
bool is_path(std::string_view path);

/// REQUIRES: is_path of the target's path.
Prepared prepare(const WireRequest& request, const ServiceContext& context, Reply reply);

}  // namespace penstock::protocol::native
