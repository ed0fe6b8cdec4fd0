// The operations on what functions are allowed beside their configuration: reserved concurrency, and how asynchronous
// invokes are tried again and reported.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/lambda/call.hpp"
#include "protocol/lambda/function_operations.hpp"
#include "protocol/lambda/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

// ---- PutFunctionConcurrency

struct PutFunctionConcurrencyRequest {
  std::optional<std::string> function_name;
  std::optional<std::int32_t> reserved_concurrent_executions;

  static constexpr auto shape() {
    using Self = PutFunctionConcurrencyRequest;
    return Shape(
        "PutFunctionConcurrencyRequest", required("FunctionName", &Self::function_name, in_path(rules::function_name)),
        required("ReservedConcurrentExecutions", &Self::reserved_concurrent_executions, rules::reserved_concurrency));
  }
};

struct PutFunctionConcurrencyOperation {
  static constexpr std::string_view name = "PutFunctionConcurrency";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = "/2017-10-31/functions/{FunctionName}/concurrency";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = PutFunctionConcurrencyRequest;
  using Output = Concurrency;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- GetFunctionConcurrency

struct GetFunctionConcurrencyRequest : OfFunction {
  static constexpr auto shape() { return shape_called("GetFunctionConcurrencyRequest"); }
};
struct GetFunctionConcurrencyResponse : Concurrency {
  static constexpr auto shape() { return shape_called("GetFunctionConcurrencyResponse"); }
};

struct GetFunctionConcurrencyOperation {
  static constexpr std::string_view name = "GetFunctionConcurrency";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2019-09-30/functions/{FunctionName}/concurrency";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = GetFunctionConcurrencyRequest;
  using Output = GetFunctionConcurrencyResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- DeleteFunctionConcurrency

struct DeleteFunctionConcurrencyRequest : OfFunction {
  static constexpr auto shape() { return shape_called("DeleteFunctionConcurrencyRequest"); }
};

struct DeleteFunctionConcurrencyOperation {
  static constexpr std::string_view name = "DeleteFunctionConcurrency";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/2017-10-31/functions/{FunctionName}/concurrency";
  static constexpr int status = status_no_content;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = DeleteFunctionConcurrencyRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- What the operations about asynchronous invokes share.

struct EventInvokeConfigInput {
  std::optional<std::string> function_name;
  std::optional<std::string> qualifier;
  std::optional<std::int32_t> maximum_retry_attempts;
  std::optional<std::int32_t> maximum_event_age_in_seconds;
  std::optional<DestinationConfig> destination_config;

  static constexpr auto shape_called(std::string_view name) {
    using Self = EventInvokeConfigInput;
    return Shape(name, required("FunctionName", &Self::function_name, in_path(rules::any_function_name)),
                 optional("Qualifier", &Self::qualifier, in_query(rules::qualifier)),
                 optional("MaximumRetryAttempts", &Self::maximum_retry_attempts, rules::async_retries),
                 optional("MaximumEventAgeInSeconds", &Self::maximum_event_age_in_seconds, rules::async_age),
                 optional("DestinationConfig", &Self::destination_config));
  }
};

struct FunctionEventInvokeConfig {
  std::optional<Timestamp> last_modified;
  std::optional<std::string> function_arn;
  std::optional<std::int32_t> maximum_retry_attempts;
  std::optional<std::int32_t> maximum_event_age_in_seconds;
  std::optional<DestinationConfig> destination_config;

  static constexpr auto shape() {
    using Self = FunctionEventInvokeConfig;
    return Shape("FunctionEventInvokeConfig", optional("LastModified", &Self::last_modified),
                 optional("FunctionArn", &Self::function_arn),
                 optional("MaximumRetryAttempts", &Self::maximum_retry_attempts),
                 optional("MaximumEventAgeInSeconds", &Self::maximum_event_age_in_seconds),
                 optional("DestinationConfig", &Self::destination_config));
  }
};

// ---- PutFunctionEventInvokeConfig

struct PutFunctionEventInvokeConfigRequest : EventInvokeConfigInput {
  static constexpr auto shape() { return shape_called("PutFunctionEventInvokeConfigRequest"); }
};

struct PutFunctionEventInvokeConfigOperation {
  static constexpr std::string_view name = "PutFunctionEventInvokeConfig";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = PutFunctionEventInvokeConfigRequest;
  using Output = FunctionEventInvokeConfig;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- UpdateFunctionEventInvokeConfig

struct UpdateFunctionEventInvokeConfigRequest : EventInvokeConfigInput {
  static constexpr auto shape() { return shape_called("UpdateFunctionEventInvokeConfigRequest"); }
};

struct UpdateFunctionEventInvokeConfigOperation {
  static constexpr std::string_view name = "UpdateFunctionEventInvokeConfig";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = UpdateFunctionEventInvokeConfigRequest;
  using Output = FunctionEventInvokeConfig;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- GetFunctionEventInvokeConfig

struct GetFunctionEventInvokeConfigRequest : OfVersion {
  static constexpr auto shape() { return shape_called("GetFunctionEventInvokeConfigRequest"); }
};

struct GetFunctionEventInvokeConfigOperation {
  static constexpr std::string_view name = "GetFunctionEventInvokeConfig";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = GetFunctionEventInvokeConfigRequest;
  using Output = FunctionEventInvokeConfig;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- DeleteFunctionEventInvokeConfig

struct DeleteFunctionEventInvokeConfigRequest : OfVersion {
  static constexpr auto shape() { return shape_called("DeleteFunctionEventInvokeConfigRequest"); }
};

struct DeleteFunctionEventInvokeConfigOperation {
  static constexpr std::string_view name = "DeleteFunctionEventInvokeConfig";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
  static constexpr int status = status_no_content;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = DeleteFunctionEventInvokeConfigRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- ListFunctionEventInvokeConfigs

struct ListFunctionEventInvokeConfigsRequest {
  std::optional<std::string> function_name;
  std::optional<std::string> marker;
  std::optional<std::int32_t> max_items;

  static constexpr auto shape() {
    using Self = ListFunctionEventInvokeConfigsRequest;
    return Shape("ListFunctionEventInvokeConfigsRequest",
                 required("FunctionName", &Self::function_name, in_path(rules::any_function_name)),
                 optional("Marker", &Self::marker, in_query()),
                 optional("MaxItems", &Self::max_items, in_query(rules::max_config_items)));
  }
};
struct ListFunctionEventInvokeConfigsResponse {
  std::optional<std::vector<FunctionEventInvokeConfig>> configs;
  std::optional<std::string> next_marker;

  static constexpr auto shape() {
    using Self = ListFunctionEventInvokeConfigsResponse;
    return Shape("ListFunctionEventInvokeConfigsResponse", optional("FunctionEventInvokeConfigs", &Self::configs),
                 optional("NextMarker", &Self::next_marker));
  }
};

struct ListFunctionEventInvokeConfigsOperation {
  static constexpr std::string_view name = "ListFunctionEventInvokeConfigs";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2019-09-25/functions/{FunctionName}/event-invoke-config/list";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = ListFunctionEventInvokeConfigsRequest;
  using Output = ListFunctionEventInvokeConfigsResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::lambda
