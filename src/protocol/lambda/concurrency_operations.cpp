#include "protocol/lambda/concurrency_operations.hpp"

#include <utility>

#include "protocol/sqs/arn.hpp"

namespace penstock::protocol::lambda {
namespace {

Refusal check_destination(const std::optional<std::string>& arn, std::string_view member) {
  if (!arn || arn->empty() || sqs::queue_of_arn(*arn)) return std::nullopt;
  const auto function = split_function(*arn);
  if (arn->starts_with("arn:") && function && (function->qualifier.empty() || function->qualifier == latest_version)) {
    return std::nullopt;
  }
  return invalid_parameter("The destination ARN " + *arn + " of " + std::string(member) +
                           " is not supported here: it has to be that of an SQS queue or of a Lambda function.");
}

AskedTriggers put_config(EventInvokeConfigInput& input, const Caller& caller, bool patch) {
  if (!input.maximum_retry_attempts && !input.maximum_event_age_in_seconds && !input.destination_config) {
    return invalid_parameter("You must specify at least one of error handling or destination setting.");
  }
  PutAsyncConfig command;
  command.patch = patch;
  command.retries_max = input.maximum_retry_attempts;
  command.age_seconds_max = input.maximum_event_age_in_seconds;
  if (auto& given = input.destination_config) {
    // One that is there and names nothing takes off what there was.
    if (given->on_success) command.on_success = std::move(given->on_success->destination).value_or(std::string());
    if (given->on_failure) command.on_failure = std::move(given->on_failure->destination).value_or(std::string());
  }
  if (auto refusal = check_destination(command.on_success, "OnSuccess")) return std::move(*refusal);
  if (auto refusal = check_destination(command.on_failure, "OnFailure")) return std::move(*refusal);
  return ask_about(input, caller, std::move(command));
}

FunctionEventInvokeConfig config_of(const FunctionRecord& function, const AsyncConfig& config) {
  FunctionEventInvokeConfig out;
  out.last_modified = to_timestamp(config.modified);
  out.function_arn = arn_of(function.name).append(":").append(latest_version);
  out.maximum_retry_attempts = config.retries_max;
  out.maximum_event_age_in_seconds = config.age_seconds_max;
  DestinationConfig& destinations = out.destination_config.emplace();
  destinations.on_success.emplace();
  destinations.on_failure.emplace();
  if (!config.on_success.empty()) destinations.on_success->destination = config.on_success;
  if (!config.on_failure.empty()) destinations.on_failure->destination = config.on_failure;
  return out;
}

Told<FunctionEventInvokeConfig> tell_config(TriggerResult&& result) {
  const auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  const FunctionRecord& function = description->function;
  if (function.async) return config_of(function, *function.async);
  return Error{ErrorCode::LambdaResourceNotFound, "The function " + arn_of(function.name) + ":" +
                                                      std::string(latest_version) +
                                                      " doesn't have an EventInvokeConfig"};
}

}  // namespace

AskedTriggers PutFunctionConcurrencyOperation::to_command(Input& input, const Caller& caller, Kept&) {
  PutFunctionConcurrency command;
  command.reserved = input.reserved_concurrent_executions;
  return ask_about(input, caller, std::move(command));
}

Told<Concurrency> PutFunctionConcurrencyOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  return Concurrency{description->function.reserved_concurrency};
}

AskedTriggers GetFunctionConcurrencyOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about<GetFunction>(input, caller);
}

Told<GetFunctionConcurrencyResponse> GetFunctionConcurrencyOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  Output output;
  output.reserved_concurrent_executions = description->function.reserved_concurrency;
  return output;
}

AskedTriggers DeleteFunctionConcurrencyOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about<PutFunctionConcurrency>(input, caller);
}

Told<Nothing> DeleteFunctionConcurrencyOperation::to_output(TriggerResult&& result, Kept&) {
  if (!std::holds_alternative<FunctionDescription>(result)) return unexpected_result();
  return Nothing{};
}

AskedTriggers PutFunctionEventInvokeConfigOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return put_config(input, caller, false);
}

Told<FunctionEventInvokeConfig> PutFunctionEventInvokeConfigOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_config(std::move(result));
}

AskedTriggers UpdateFunctionEventInvokeConfigOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return put_config(input, caller, true);
}

Told<FunctionEventInvokeConfig> UpdateFunctionEventInvokeConfigOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_config(std::move(result));
}

AskedTriggers GetFunctionEventInvokeConfigOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about<GetFunction>(input, caller);
}

Told<FunctionEventInvokeConfig> GetFunctionEventInvokeConfigOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_config(std::move(result));
}

AskedTriggers DeleteFunctionEventInvokeConfigOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about<DeleteAsyncConfig>(input, caller);
}

Told<Nothing> DeleteFunctionEventInvokeConfigOperation::to_output(TriggerResult&& result, Kept&) {
  return nothing_if_done(result);
}

AskedTriggers ListFunctionEventInvokeConfigsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto after = read_marker(input.marker);
  if (Error* error = std::get_if<Error>(&after)) return std::move(*error);
  return ask_about<GetFunction>(input, caller);
}

Told<ListFunctionEventInvokeConfigsResponse> ListFunctionEventInvokeConfigsOperation::to_output(TriggerResult&& result,
                                                                                                Kept&) {
  const auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  Output output;
  auto& configs = output.configs.emplace();
  if (const auto& config = description->function.async) configs.push_back(config_of(description->function, *config));
  return output;
}

}  // namespace penstock::protocol::lambda
