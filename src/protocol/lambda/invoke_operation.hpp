// Invoke, whose payloads are the bodies of its request and of its answer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/lambda/call.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

inline constexpr std::size_t payload_bytes_max = 6'291'456;
inline constexpr std::size_t async_payload_bytes_max = 1'048'576;
/// Of a ClientContext before it is base64.
inline constexpr std::size_t client_context_bytes_max = 3'583;

struct InvocationRequest {
  std::optional<std::string> function_name;
  std::optional<std::string> invocation_type;
  std::optional<std::string> log_type;
  std::optional<std::string> client_context;
  std::optional<Anything> durable_execution_name;
  std::optional<Blob> payload;
  std::optional<std::string> qualifier;
  std::optional<Anything> tenant_id;

  static constexpr auto shape() {
    using Self = InvocationRequest;
    return Shape(
        "InvocationRequest", required("FunctionName", &Self::function_name, in_path(rules::any_function_name)),
        optional("X-Amz-Invocation-Type", &Self::invocation_type, in_header("InvocationType", rules::invocation_type)),
        optional("X-Amz-Log-Type", &Self::log_type, in_header("LogType", rules::log_type)),
        optional("X-Amz-Client-Context", &Self::client_context, in_header("ClientContext")),
        optional("X-Amz-Durable-Execution-Name", &Self::durable_execution_name, in_header("DurableExecutionName")),
        optional("Payload", &Self::payload, in_payload),
        optional("Qualifier", &Self::qualifier, in_query(rules::qualifier)),
        optional("X-Amz-Tenant-Id", &Self::tenant_id, in_header("TenantId")));
  }
};

struct InvocationResponse {
  std::optional<std::int32_t> status_code;
  std::optional<std::string> function_error;
  std::optional<std::string> log_result;
  std::optional<Blob> payload;
  std::optional<std::string> executed_version;

  static constexpr auto shape() {
    using Self = InvocationResponse;
    return Shape("InvocationResponse", optional("StatusCode", &Self::status_code, in_status),
                 optional("X-Amz-Function-Error", &Self::function_error, in_header("FunctionError")),
                 optional("X-Amz-Log-Result", &Self::log_result, in_header("LogResult")),
                 optional("Payload", &Self::payload, in_payload),
                 optional("X-Amz-Executed-Version", &Self::executed_version, in_header("ExecutedVersion")));
  }
};

struct InvokeOperation {
  static constexpr std::string_view name = "Invoke";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/2015-03-31/functions/{FunctionName}/invocations";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(
      ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaInvalidRequestContent, ErrorCode::LambdaRequestTooLarge,
      ErrorCode::LambdaResourceConflict, ErrorCode::LambdaResourceNotFound, ErrorCode::LambdaUnsupportedMediaType,
      ErrorCode::LambdaInvalidRuntime, ErrorCode::LambdaInvalidZipFile, ErrorCode::LambdaResourceNotReady);
  using Input = InvocationRequest;
  using Output = InvocationResponse;
  struct Kept {
    bool with_log = false;
  };
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::lambda
