#include "protocol/lambda/invoke_operation.hpp"

#include <memory>
#include <utility>

#include "protocol/base64.hpp"
#include "protocol/json.hpp"

namespace penstock::protocol::lambda {
namespace {

InvocationType type_of(const std::optional<std::string>& given) {
  if (given == "Event") return InvocationType::event;
  return given == "DryRun" ? InvocationType::dry_run : InvocationType::request_response;
}

Error invalid_content(std::string message) { return {ErrorCode::LambdaInvalidRequestContent, std::move(message)}; }

Refusal check_payload(const std::string& payload, InvocationType type) {
  const std::size_t max = type == InvocationType::event ? async_payload_bytes_max : payload_bytes_max;
  if (payload.size() > max) {
    return Error{ErrorCode::LambdaRequestTooLarge,
                 "Request must be smaller than " + std::to_string(max) + " bytes for the InvokeFunction operation"};
  }
  if (is_json(payload)) return std::nullopt;
  return invalid_content("Could not parse request body into json: Could not parse payload into json");
}

Refusal check_client_context(const std::optional<std::string>& given) {
  if (!given) return std::nullopt;
  const auto decoded = base64_decode(*given);
  if (!decoded || decoded->size() > client_context_bytes_max || !is_json(*decoded)) {
    return invalid_content("Client context must be a valid Base64-encoded JSON object of at most " +
                           std::to_string(client_context_bytes_max) + " bytes.");
  }
  return std::nullopt;
}

InvocationResponse response_to(RunOutcome&& outcome, bool with_log) {
  InvocationResponse response;
  response.status_code = status_ok;
  response.executed_version = latest_version;
  if (!outcome.function_error.empty()) response.function_error = std::move(outcome.function_error);
  if (with_log) response.log_result = base64_encode(outcome.log_tail);
  response.payload.emplace().bytes = std::move(outcome.payload);
  return response;
}

}  // namespace

AskedTriggers InvokeOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  for (Refusal refusal :
       {refuse(input.durable_execution_name, "DurableExecutionName", "there are no durable executions."),
        refuse(input.tenant_id, "TenantId", "environments are not kept apart by tenants.")}) {
    if (refusal) return std::move(*refusal);
  }
  InvokeFunction command;
  command.type = type_of(input.invocation_type);
  std::string payload = input.payload ? std::move(input.payload->bytes) : std::string();
  // Whoever sends nothing means an event without anything in it.
  if (payload.empty()) payload = "{}";
  if (auto refusal = check_payload(payload, command.type)) return std::move(*refusal);
  if (auto refusal = check_client_context(input.client_context)) return std::move(*refusal);
  auto named = invoked_function_of(*input.function_name, input.qualifier, caller);
  if (Error* error = std::get_if<Error>(&named)) return std::move(*error);
  auto& function = std::get<FunctionReference>(named);
  command.invoked_arn = function.arn();
  command.function = std::move(function.function);
  command.payload = std::make_shared<const std::string>(std::move(payload));
  command.client_context = std::move(input.client_context).value_or(std::string());
  command.trace_id = caller.trace_header;
  command.request_id = caller.request_id;
  kept.with_log = command.type == InvocationType::request_response && input.log_type == "Tail";
  return TriggerCommand(std::move(command));
}

Told<InvocationResponse> InvokeOperation::to_output(TriggerResult&& result, Kept& kept) {
  if (auto* invoked = std::get_if<Invoked>(&result)) return response_to(std::move(invoked->outcome), kept.with_log);
  Output output;
  if (std::holds_alternative<EventAccepted>(result)) {
    output.status_code = status_accepted;
  } else if (std::holds_alternative<Done>(result)) {
    output.status_code = status_no_content;
    output.executed_version = latest_version;
  } else {
    return unexpected_result();
  }
  return output;
}

}  // namespace penstock::protocol::lambda
