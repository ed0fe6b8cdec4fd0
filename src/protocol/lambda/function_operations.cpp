#include "protocol/lambda/function_operations.hpp"

#include <algorithm>
#include <utility>

#include "protocol/lambda/function_settings.hpp"

namespace penstock::protocol::lambda {
namespace {

/// However many are asked for, as in the service.
constexpr std::int32_t functions_in_page_max = 50;

/// What the service's accounts are given, for clients that look.
constexpr std::int64_t total_code_bytes_max = 80'530'636'800;
constexpr std::int64_t unzipped_code_bytes_max = 262'144'000;
constexpr std::int64_t zipped_code_bytes_max = 52'428'800;

Refusal refuse_versions(const std::optional<bool>& publish, const std::optional<Anything>& publish_to) {
  if (publish.value_or(false)) return invalid_parameter("Publish is not supported here: there are no versions.");
  return refuse(publish_to, "PublishTo", "there are no versions.");
}

Refusal check_creation(const CreateFunctionRequest& input) {
  if (input.package_type == "Image") {
    return invalid_parameter("PackageType Image is not supported here: there are no container images.");
  }
  if (auto refusal = refuse_versions(input.publish, input.publish_to)) return refusal;
  for (Refusal refusal :
       {refuse(input.code_signing_config_arn, "CodeSigningConfigArn", "code is not signed."),
        refuse(input.tenancy_config, "TenancyConfig", "environments are not kept apart by tenants.")}) {
    if (refusal) return refusal;
  }
  if (!input.runtime || !input.handler) {
    return invalid_parameter(
        "Runtime and Handler are mandatory parameters for functions created with deployment packages.");
  }
  return std::nullopt;
}

/// A record with what the patch says in place of defaults.
FunctionRecord record_of(FunctionPatch&& patch) {
  FunctionRecord record;
  const auto put = [](auto& field, auto& given) {
    if (given) field = std::move(*given);
  };
  put(record.kind, patch.kind);
  put(record.runtime, patch.runtime);
  put(record.handler, patch.handler);
  put(record.role, patch.role);
  put(record.description, patch.description);
  put(record.timeout_seconds, patch.timeout_seconds);
  put(record.memory_mib, patch.memory_mib);
  put(record.storage_mib, patch.storage_mib);
  put(record.architectures, patch.architectures);
  put(record.environment, patch.environment);
  put(record.log_group, patch.log_group);
  put(record.tracing_mode, patch.tracing_mode);
  put(record.kms_key_arn, patch.kms_key_arn);
  put(record.dead_letter_arn, patch.dead_letter_arn);
  return record;
}

Error name_too_long(const std::string& name) {
  return {ErrorCode::LambdaValidation, "1 validation error detected: Value '" + name +
                                           "' at 'functionName' failed to satisfy constraint: Member must have length "
                                           "less than or equal to " +
                                           std::to_string(function_name_chars_max)};
}

}  // namespace

AskedTriggers CreateFunctionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  if (auto refusal = check_creation(input)) return std::move(*refusal);
  auto named = function_of(*input.function_name, std::nullopt, caller);
  if (Error* error = std::get_if<Error>(&named)) return std::move(*error);
  FunctionName function = std::move(std::get<FunctionReference>(named).function);
  if (function.name.size() > function_name_chars_max) return name_too_long(function.name);
  auto zip = take_zip(std::move(*input.code));
  if (Error* error = std::get_if<Error>(&zip)) return std::move(*error);
  auto patch = take_settings(input);
  if (Error* error = std::get_if<Error>(&patch)) return std::move(*error);
  std::get<FunctionPatch>(patch).architectures = std::move(input.architectures);

  CreateFunction command;
  command.function = record_of(std::get<FunctionPatch>(std::move(patch)));
  command.function.name = std::move(function);
  if (input.tags) command.function.tags = to_map(std::move(*input.tags));
  command.zip = std::get<std::string>(std::move(zip));
  return TriggerCommand(std::move(command));
}

Told<FunctionConfiguration> CreateFunctionOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_configuration(std::move(result));
}

AskedTriggers GetFunctionOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  kept.base_url = base_url_of(caller);
  return ask_about<GetFunction>(input, caller);
}

Told<GetFunctionResponse> GetFunctionOperation::to_output(TriggerResult&& result, Kept& kept) {
  auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  const FunctionRecord& function = description->function;
  Output output;
  output.configuration = configuration_of(function);
  FunctionCodeLocation& code = output.code.emplace();
  if (!function.code_sha256.empty()) {
    code.repository_type = "S3";
    code.location = kept.base_url + "/_penstock/functions/" + function.name.name +
                    "/code?Region=" + function.name.region + "&Account=" + function.name.account;
  }
  if (!function.tags.empty()) output.tags = to_entries(function.tags);
  if (function.reserved_concurrency) output.concurrency = Concurrency{function.reserved_concurrency};
  return output;
}

AskedTriggers GetFunctionConfigurationOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about<GetFunction>(input, caller);
}

Told<FunctionConfiguration> GetFunctionConfigurationOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_configuration(std::move(result));
}

AskedTriggers ListFunctionsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  if (auto refusal = refuse(input.master_region, "MasterRegion", "no function is a copy from another region.")) {
    return std::move(*refusal);
  }
  auto after = read_marker(input.marker);
  if (Error* error = std::get_if<Error>(&after)) return std::move(*error);
  ListFunctions command;
  command.account = caller.account;
  command.region = caller.region;
  command.after = std::get<std::string>(std::move(after));
  command.limit =
      static_cast<std::size_t>(std::min(input.max_items.value_or(functions_in_page_max), functions_in_page_max));
  return TriggerCommand(std::move(command));
}

Told<ListFunctionsResponse> ListFunctionsOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* list = std::get_if<FunctionList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  auto& functions = output.functions.emplace();
  functions.reserve(list->functions.size());
  for (const FunctionRecord& function : list->functions) functions.push_back(configuration_of(function));
  if (list->more && !list->functions.empty()) output.next_marker = marker_after(list->functions.back().name.name);
  return output;
}

AskedTriggers ListVersionsByFunctionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto after = read_marker(input.marker);
  if (Error* error = std::get_if<Error>(&after)) return std::move(*error);
  return ask_about<GetFunction>(input, caller);
}

Told<ListVersionsByFunctionResponse> ListVersionsByFunctionOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  FunctionConfiguration latest = configuration_of(description->function);
  // Among versions, each is named by its ARN.
  latest.function_arn->append(":").append(latest_version);
  Output output;
  output.versions.emplace().push_back(std::move(latest));
  return output;
}

AskedTriggers UpdateFunctionCodeOperation::to_command(Input& input, const Caller& caller, Kept&) {
  if (auto refusal = refuse_versions(input.publish, input.publish_to)) return std::move(*refusal);
  auto zip = take_zip({std::move(input.zip_file), input.s3_bucket, input.s3_key, input.s3_object_version,
                       input.image_uri, std::move(input.source_kms_key_arn)});
  if (Error* error = std::get_if<Error>(&zip)) return std::move(*error);
  UpdateFunction command;
  command.patch.architectures = std::move(input.architectures);
  command.zip = std::get<std::string>(std::move(zip));
  command.revision_id = std::move(input.revision_id).value_or(std::string());
  command.dry_run = input.dry_run.value_or(false);
  return ask_about(input, caller, std::move(command));
}

Told<FunctionConfiguration> UpdateFunctionCodeOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_configuration(std::move(result));
}

AskedTriggers UpdateFunctionConfigurationOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto patch = take_settings(input);
  if (Error* error = std::get_if<Error>(&patch)) return std::move(*error);
  UpdateFunction command;
  command.patch = std::get<FunctionPatch>(std::move(patch));
  command.revision_id = std::move(input.revision_id).value_or(std::string());
  return ask_about(input, caller, std::move(command));
}

Told<FunctionConfiguration> UpdateFunctionConfigurationOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_configuration(std::move(result));
}

AskedTriggers DeleteFunctionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  if (input.qualifier == latest_version) {
    return invalid_parameter("$LATEST version cannot be deleted without deleting the function.");
  }
  return ask_about<DeleteFunction>(input, caller);
}

Told<DeleteFunctionResponse> DeleteFunctionOperation::to_output(TriggerResult&& result, Kept&) {
  if (!std::holds_alternative<Done>(result)) return unexpected_result();
  return Output{};
}

AskedTriggers GetAccountSettingsOperation::to_command(Input&, const Caller& caller, Kept&) {
  return TriggerCommand(GetLambdaAccount{std::string(caller.account), std::string(caller.region)});
}

Told<GetAccountSettingsResponse> GetAccountSettingsOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* account = std::get_if<LambdaAccount>(&result);
  if (account == nullptr) return unexpected_result();
  Output output;
  output.account_limit = AccountLimit{total_code_bytes_max, unzipped_code_bytes_max, zipped_code_bytes_max,
                                      account->concurrency_max, account->unreserved};
  output.account_usage =
      AccountUsage{static_cast<std::int64_t>(account->code_bytes), static_cast<std::int64_t>(account->functions)};
  return output;
}

}  // namespace penstock::protocol::lambda
