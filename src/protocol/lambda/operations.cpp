#include "protocol/lambda/operations.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/lambda/concurrency_operations.hpp"
#include "protocol/lambda/function_operations.hpp"
#include "protocol/lambda/invoke_operation.hpp"
#include "protocol/lambda/mapping_operations.hpp"
#include "protocol/lambda/read.hpp"
#include "protocol/lambda/tag_operations.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::lambda {
namespace {

template <class Op>
constexpr Operation offered() {
  return {operation_of<Op, Call, ReadsInput>(), Op::method, Op::path, Op::status};
}

constexpr std::array table{
    offered<CreateEventSourceMappingOperation>(),
    offered<CreateFunctionOperation>(),
    offered<DeleteEventSourceMappingOperation>(),
    offered<DeleteFunctionOperation>(),
    offered<DeleteFunctionConcurrencyOperation>(),
    offered<DeleteFunctionEventInvokeConfigOperation>(),
    offered<GetAccountSettingsOperation>(),
    offered<GetEventSourceMappingOperation>(),
    offered<GetFunctionOperation>(),
    offered<GetFunctionConcurrencyOperation>(),
    offered<GetFunctionConfigurationOperation>(),
    offered<GetFunctionEventInvokeConfigOperation>(),
    offered<InvokeOperation>(),
    offered<ListEventSourceMappingsOperation>(),
    offered<ListFunctionEventInvokeConfigsOperation>(),
    offered<ListFunctionsOperation>(),
    offered<ListTagsOperation>(),
    offered<ListVersionsByFunctionOperation>(),
    offered<PutFunctionConcurrencyOperation>(),
    offered<PutFunctionEventInvokeConfigOperation>(),
    offered<TagResourceOperation>(),
    offered<UntagResourceOperation>(),
    offered<UpdateEventSourceMappingOperation>(),
    offered<UpdateFunctionCodeOperation>(),
    offered<UpdateFunctionConfigurationOperation>(),
    offered<UpdateFunctionEventInvokeConfigOperation>(),
};
static_assert(std::ranges::is_sorted(table, {}, &Operation::name), "as README lists them");

constexpr std::array<Unoffered, 58> unoffered{{
    {"AddLayerVersionPermission", "POST", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy"},
    {"AddPermission", "POST", "/2015-03-31/functions/{FunctionName}/policy"},
    {"CheckpointDurableExecution", "POST", "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint"},
    {"CreateAlias", "POST", "/2015-03-31/functions/{FunctionName}/aliases"},
    {"CreateCapacityProvider", "POST", "/2025-11-30/capacity-providers"},
    {"CreateCodeSigningConfig", "POST", "/2020-04-22/code-signing-configs"},
    {"CreateFunctionUrlConfig", "POST", "/2021-10-31/functions/{FunctionName}/url"},
    {"DeleteAlias", "DELETE", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"},
    {"DeleteCapacityProvider", "DELETE", "/2025-11-30/capacity-providers/{CapacityProviderName}"},
    {"DeleteCodeSigningConfig", "DELETE", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}"},
    {"DeleteFunctionCodeSigningConfig", "DELETE", "/2020-06-30/functions/{FunctionName}/code-signing-config"},
    {"DeleteFunctionUrlConfig", "DELETE", "/2021-10-31/functions/{FunctionName}/url"},
    {"DeleteLayerVersion", "DELETE", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}"},
    {"DeleteProvisionedConcurrencyConfig", "DELETE", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
    {"GetAlias", "GET", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"},
    {"GetCapacityProvider", "GET", "/2025-11-30/capacity-providers/{CapacityProviderName}"},
    {"GetCodeSigningConfig", "GET", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}"},
    {"GetDurableExecution", "GET", "/2025-12-01/durable-executions/{DurableExecutionArn}"},
    {"GetDurableExecutionHistory", "GET", "/2025-12-01/durable-executions/{DurableExecutionArn}/history"},
    {"GetDurableExecutionState", "GET", "/2025-12-01/durable-executions/{DurableExecutionArn}/state"},
    {"GetFunctionCodeSigningConfig", "GET", "/2020-06-30/functions/{FunctionName}/code-signing-config"},
    {"GetFunctionRecursionConfig", "GET", "/2024-08-31/functions/{FunctionName}/recursion-config"},
    {"GetFunctionScalingConfig", "GET", "/2025-11-30/functions/{FunctionName}/function-scaling-config"},
    {"GetFunctionUrlConfig", "GET", "/2021-10-31/functions/{FunctionName}/url"},
    {"GetLayerVersion", "GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}"},
    {"GetLayerVersionPolicy", "GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy"},
    {"GetPolicy", "GET", "/2015-03-31/functions/{FunctionName}/policy"},
    {"GetProvisionedConcurrencyConfig", "GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
    {"GetRuntimeManagementConfig", "GET", "/2021-07-20/functions/{FunctionName}/runtime-management-config"},
    {"InvokeAsync", "POST", "/2014-11-13/functions/{FunctionName}/invoke-async"},
    {"InvokeWithResponseStream", "POST", "/2021-11-15/functions/{FunctionName}/response-streaming-invocations"},
    {"ListAliases", "GET", "/2015-03-31/functions/{FunctionName}/aliases"},
    {"ListCapacityProviders", "GET", "/2025-11-30/capacity-providers"},
    {"ListCodeSigningConfigs", "GET", "/2020-04-22/code-signing-configs"},
    {"ListDurableExecutionsByFunction", "GET", "/2025-12-01/functions/{FunctionName}/durable-executions"},
    {"ListFunctionUrlConfigs", "GET", "/2021-10-31/functions/{FunctionName}/urls"},
    {"ListFunctionVersionsByCapacityProvider", "GET",
     "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions"},
    {"ListFunctionsByCodeSigningConfig", "GET", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions"},
    {"ListLayerVersions", "GET", "/2018-10-31/layers/{LayerName}/versions"},
    {"ListLayers", "GET", "/2018-10-31/layers"},
    {"ListProvisionedConcurrencyConfigs", "GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
    {"PublishLayerVersion", "POST", "/2018-10-31/layers/{LayerName}/versions"},
    {"PublishVersion", "POST", "/2015-03-31/functions/{FunctionName}/versions"},
    {"PutFunctionCodeSigningConfig", "PUT", "/2020-06-30/functions/{FunctionName}/code-signing-config"},
    {"PutFunctionRecursionConfig", "PUT", "/2024-08-31/functions/{FunctionName}/recursion-config"},
    {"PutFunctionScalingConfig", "PUT", "/2025-11-30/functions/{FunctionName}/function-scaling-config"},
    {"PutProvisionedConcurrencyConfig", "PUT", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
    {"PutRuntimeManagementConfig", "PUT", "/2021-07-20/functions/{FunctionName}/runtime-management-config"},
    {"RemoveLayerVersionPermission", "DELETE",
     "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}"},
    {"RemovePermission", "DELETE", "/2015-03-31/functions/{FunctionName}/policy/{StatementId}"},
    {"SendDurableExecutionCallbackFailure", "POST", "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail"},
    {"SendDurableExecutionCallbackHeartbeat", "POST", "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat"},
    {"SendDurableExecutionCallbackSuccess", "POST", "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed"},
    {"StopDurableExecution", "POST", "/2025-12-01/durable-executions/{DurableExecutionArn}/stop"},
    {"UpdateAlias", "PUT", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"},
    {"UpdateCapacityProvider", "PUT", "/2025-11-30/capacity-providers/{CapacityProviderName}"},
    {"UpdateCodeSigningConfig", "PUT", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}"},
    {"UpdateFunctionUrlConfig", "PUT", "/2021-10-31/functions/{FunctionName}/url"},
}};

/// A date: as /2015-03-31 begins the paths of one version of the API.
bool is_version(std::string_view segment) {
  constexpr std::string_view form = "dddd-dd-dd";
  if (segment.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == 'd' ? !is_digit(segment[i]) : segment[i] != form[i]) return false;
  }
  return true;
}

std::string_view without_slash(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

Error no_route(std::string_view method, std::string_view path) {
  std::vector<PathValue> values;
  for (const Unoffered& operation : unoffered) {
    if (operation.method != method || !match_path(operation.path, path, values)) continue;
    return {ErrorCode::UnknownOperation,
            "The operation " + std::string(operation.name) + " is not offered by this server."};
  }
  return {ErrorCode::UnknownOperation,
          std::string("There is no operation ").append(method).append(" ").append(path).append(".")};
}

}  // namespace

std::span<const Operation> operations() { return table; }

std::span<const Unoffered> unoffered_operations() { return unoffered; }

std::variant<Route, Error> find_route(std::string_view method, std::string_view path) {
  path = without_slash(path);
  Route route;
  for (const Operation& operation : operations()) {
    if (operation.method != method || !match_path(operation.path, path, route.values)) continue;
    route.operation = &operation;
    return route;
  }
  return no_route(method, path);
}

bool carries_code(std::string_view method, std::string_view path) {
  const auto found = find_route(method, path);
  const auto* route = std::get_if<Route>(&found);
  if (route == nullptr) return false;
  const std::string_view name = route->operation->name;
  return name == CreateFunctionOperation::name || name == UpdateFunctionCodeOperation::name;
}

bool is_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  const std::size_t end = path.find('/');
  return end != std::string_view::npos && is_version(path.substr(0, end));
}

Prepared prepare(const WireRequest& request, const ServiceContext& context, Reply reply) {
  const auto found = find_route(request.method, path_of(request.target));
  if (const Error* error = std::get_if<Error>(&found)) return respond_fault(reply, *error);
  const auto& route = std::get<Route>(found);
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const auto parsed = Form::parse(request.target.substr(std::min(mark + 1, request.target.size())), {});
  if (const Error* error = std::get_if<Error>(&parsed)) return respond_fault(reply, *error);
  const Form& query = std::get<Form>(parsed);
  const std::string_view credential = query.find("X-Amz-Credential").value_or(std::string_view());
  return route.operation->prepare(
      Call{route.values, query, request, caller_of(request, context, credential), std::move(reply)});
}

}  // namespace penstock::protocol::lambda
