#include "protocol/operation_names.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "protocol/endpoint.hpp"
#include "protocol/kinesis/operations.hpp"
#include "protocol/lambda/operations.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/query.hpp"
#include "protocol/sqs/operations.hpp"
#include "protocol/sqs/peek.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {
namespace {

constexpr std::string_view sqs_name = "sqs";
constexpr std::string_view kinesis_name = "kinesis";
constexpr std::string_view lambda_name = "lambda";
constexpr std::string_view native_name = "penstock";
constexpr std::string_view peek_name = "PeekMessages";

template <class Operation>
OperationName named(std::string_view service, const Operation* operation) {
  return {service, operation == nullptr ? unknown_operation_name : operation->name};
}

/// The operation of a table whose requests are told apart by their paths.
template <class Found>
OperationName routed(std::string_view service, const Found& found) {
  const auto* route = std::get_if<0>(&found);
  return {service, route == nullptr ? unknown_operation_name : route->operation->name};
}

OperationName of_query(const WireRequest& request, std::string_view url_query) {
  const auto parsed = Form::parse(url_query, request.method == "POST" ? request.body : std::string_view());
  const auto* form = std::get_if<Form>(&parsed);
  const auto action = form == nullptr ? std::nullopt : form->find("Action");
  return named(sqs_name, sqs::find_operation(action.value_or(std::string_view())));
}

template <class Table>
void add_names(const Table& table, std::vector<std::string_view>& names) {
  for (const auto& operation : table) names.push_back(operation.name);
}

/// Those of Penstock's own API at or below a path.
void add_native_names(std::string_view path, std::vector<std::string_view>& names) {
  for (const native::Operation& operation : native::operations()) {
    if (operation.path.starts_with(path)) names.push_back(operation.name);
  }
}

}  // namespace

std::vector<std::string_view> operations_of(std::string_view service) {
  std::vector<std::string_view> names;
  if (service == sqs_name) {
    add_names(sqs::operations(), names);
    names.push_back(peek_name);
  } else if (service == kinesis_name) {
    add_names(kinesis::operations(), names);
    add_native_names("/_penstock/streams", names);
  } else if (service == lambda_name) {
    add_names(lambda::operations(), names);
    add_native_names("/_penstock/functions", names);
  }
  return names;
}

OperationName operation_asked_by(const WireRequest& given) {
  const WireRequest request = at_plain_endpoint(given);
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string_view path = request.target.substr(0, mark);
  if (native::is_path(path)) return routed(native_name, native::find_route(request.method, path));
  if (lambda::is_path(path)) return routed(lambda_name, lambda::find_route(request.method, path));
  if (sqs::is_peek_path(path)) return {sqs_name, peek_name};
  const std::string_view target = request.header("X-Amz-Target");
  if (target.empty()) return of_query(request, request.target.substr(std::min(mark + 1, request.target.size())));
  const std::size_t dot = target.find('.');
  const std::string_view version = target.substr(0, dot);
  const std::string_view name = target.substr(dot == std::string_view::npos ? target.size() : dot + 1);
  if (version.starts_with("Kinesis")) return named(kinesis_name, kinesis::find_operation(name));
  return named(sqs_name, sqs::find_operation(name));
}

bool is_native_target(std::string_view target) {
  WireRequest request;
  request.target = target;
  return native::is_path(at_plain_endpoint(request).target);
}

}  // namespace penstock::protocol
