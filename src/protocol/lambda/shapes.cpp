#include "protocol/lambda/shapes.hpp"

#include <utility>

#include "protocol/lambda/json_text.hpp"

namespace penstock::protocol::lambda {

std::map<std::string, std::string> to_map(Map<std::string>&& given) {
  std::map<std::string, std::string> map;
  for (auto& [key, value] : given.entries) map.insert_or_assign(std::move(key), std::move(value));
  return map;
}

Map<std::string> to_entries(const std::map<std::string, std::string>& map) {
  Map<std::string> entries;
  entries.entries.assign(map.begin(), map.end());
  return entries;
}

FunctionConfiguration configuration_of(const FunctionRecord& function) {
  FunctionConfiguration out;
  out.function_name = function.name.name;
  out.function_arn = arn_of(function.name);
  if (!function.runtime.empty()) out.runtime = function.runtime;
  out.role = function.role;
  if (!function.handler.empty()) out.handler = function.handler;
  out.code_size = static_cast<std::int64_t>(function.code_bytes);
  out.description = function.description;
  out.timeout = function.timeout_seconds;
  out.memory_size = function.memory_mib;
  out.last_modified = iso_millis_offset(function.modified);
  out.code_sha256 = function.code_sha256;
  out.version = latest_version;
  if (!function.dead_letter_arn.empty()) out.dead_letter_config = DeadLetterConfig{function.dead_letter_arn};
  if (!function.environment.empty()) out.environment = EnvironmentResponse{to_entries(function.environment)};
  if (!function.kms_key_arn.empty()) out.kms_key_arn = function.kms_key_arn;
  out.tracing_config = TracingConfigResponse{function.tracing_mode};
  out.revision_id = function.revision_id;
  // Whatever is registered is ready to be run.
  out.state = "Active";
  out.last_update_status = "Successful";
  out.package_type = values::package_type.front();
  out.architectures = function.architectures;
  out.ephemeral_storage = EphemeralStorage{function.storage_mib};
  out.snap_start = SnapStartResponse{"None", "Off"};
  out.logging_config = LoggingConfigResponse{
      "Text", function.log_group.empty() ? "/aws/lambda/" + function.name.name : function.log_group};
  return out;
}

Told<FunctionConfiguration> tell_configuration(TriggerResult&& result) {
  const auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  return configuration_of(description->function);
}

}  // namespace penstock::protocol::lambda
