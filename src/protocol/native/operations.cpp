#include "protocol/native/operations.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/fault_operations.hpp"
#include "protocol/native/function_operations.hpp"
#include "protocol/native/member_operations.hpp"
#include "protocol/native/openapi.hpp"
#include "protocol/native/position_operations.hpp"
#include "protocol/native/read.hpp"
#include "protocol/native/server_operations.hpp"
#include "protocol/native/state_operations.hpp"
#include "protocol/path.hpp"

namespace penstock::protocol::native {
namespace {

/// Below which everything is Penstock's own, or what other tools' paths are of it.
constexpr std::array<std::string_view, 3> roots{"/_penstock", "/_localstack", "/metrics"};
constexpr int status_not_found = 404;
constexpr int status_not_allowed = 405;

template <class Op>
constexpr Operation offered() {
  return {operation_of<Op, Call, ReadsInput>(), Op::method, Op::path, Op::summary, Op::statuses};
}

Prepared prepare_document(const Call& call) {
  static const std::string document = openapi_document(operations());
  return respond(call.reply, status_ok, document);
}

constexpr std::array document_statuses{status_ok};
constexpr Operation document_operation{{{"DescribeApi", nullptr, nullptr, {}}, &prepare_document},
                                       "GET",
                                       document_path,
                                       "Answers this document.",
                                       document_statuses};

constexpr std::array table{
    offered<CreateConsumerOperation>(),
    offered<DescribeConsumerOperation>(),
    offered<ListConsumersOperation>(),
    offered<DeleteConsumerOperation>(),
    offered<PollOperation>(),
    offered<HeartbeatOperation>(),
    offered<LeaveOperation>(),
    offered<CommitOperation>(),
    offered<TransactOperation>(),
    offered<ResetOperation>(),
    offered<DescribeLagOperation>(),
    offered<RegisterFunctionOperation>(),
    offered<DescribeFunctionOperation>(),
    offered<ListFunctionsOperation>(),
    offered<DeregisterFunctionOperation>(),
    offered<ReadFunctionLogOperation>(),
    offered<ReadClockOperation>(),
    offered<ChangeClockOperation>(),
    offered<AwaitIdleOperation>(),
    offered<TraceMessageOperation>(),
    offered<ListFaultsOperation>(),
    offered<AddFaultsOperation>(),
    offered<ReplaceFaultsOperation>(),
    offered<RemoveFaultsOperation>(),
    offered<RemoveFaultOperation>(),
    offered<BackUpOperation>(),
    offered<DescribeBackupOperation>(),
    offered<ResetServerOperation>(),
    document_operation,
};

WireResponse respond_no_route(const Reply& reply, const WireRequest& request, std::string_view path,
                              const NoRoute& none) {
  const std::string place(path);
  if (none.allowed.empty()) {
    return respond_native_fault(reply, status_not_found, "NotFound", "There is nothing at " + place + ".");
  }
  const std::string method(request.method);
  WireResponse response =
      respond_native_fault(reply, status_not_allowed, "MethodNotAllowed",
                           method + " is not possible at " + place + "; there is " + none.allowed + ".");
  response.headers.emplace_back("Allow", none.allowed);
  return response;
}

}  // namespace

std::span<const Operation> operations() { return table; }

std::variant<Route, NoRoute> find_route(std::string_view method, std::string_view path) {
  Route route;
  NoRoute none;
  for (const Operation& operation : operations()) {
    if (!match_path(operation.path, path, route.values)) continue;
    route.operation = &operation;
    if (operation.method == method) return route;
    none.allowed.append(none.allowed.empty() ? "" : ", ").append(operation.method);
  }
  return none;
}

bool is_path(std::string_view path) {
  return std::ranges::any_of(roots, [path](std::string_view root) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  });
}

Prepared prepare(const WireRequest& request, const ServiceContext& context, Reply reply) {
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string_view path = request.target.substr(0, mark);
  const bool is_chaos = path == chaos_path;
  const auto found = find_route(request.method, path);
  const auto* none = std::get_if<NoRoute>(&found);
  if (none != nullptr && !is_chaos) return respond_no_route(reply, request, path, *none);
  const auto parsed = Form::parse(request.target.substr(std::min(mark + 1, request.target.size())), {});
  if (const Error* error = std::get_if<Error>(&parsed)) return respond_fault(reply, *error);
  const Form& query = std::get<Form>(parsed);
  const std::string_view credential = query.find("X-Amz-Credential").value_or(std::string_view());
  Call call{{}, query, request.body, caller_of(request, context, credential), std::move(reply)};
  if (is_chaos) {
    if (auto prepared = prepare_chaos(request.method, call)) return std::move(*prepared);
    return respond_no_route(call.reply, request, path, {std::string(chaos_methods)});
  }
  const auto& route = std::get<Route>(found);
  call.path = route.values;
  return route.operation->prepare(call);
}

}  // namespace penstock::protocol::native
