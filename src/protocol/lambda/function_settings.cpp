#include "protocol/lambda/function_settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/sqs/arn.hpp"

namespace penstock::protocol::lambda {
namespace {

/// Those that the service takes for new functions, and some that it did until lately.
constexpr std::array<std::string_view, 16> handler_runtimes{
    "nodejs24.x", "nodejs22.x", "nodejs20.x", "nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x",
    "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9",  "python3.8",  "python3.7"};
constexpr std::array<std::string_view, 3> custom_runtimes{"provided.al2023", "provided.al2", "provided"};
constexpr std::array<std::string_view, 4> other_runtimes{"java", "dotnet", "ruby", "go1.x"};

/// Of all names and values together.
constexpr std::size_t environment_bytes_max = 4'096;

/// What the service sets itself.
constexpr std::array<std::string_view, 22> reserved_variables{"_HANDLER",
                                                              "_X_AMZN_TRACE_ID",
                                                              "AWS_DEFAULT_REGION",
                                                              "AWS_REGION",
                                                              "AWS_EXECUTION_ENV",
                                                              "AWS_LAMBDA_FUNCTION_NAME",
                                                              "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                                              "AWS_LAMBDA_FUNCTION_VERSION",
                                                              "AWS_LAMBDA_INITIALIZATION_TYPE",
                                                              "AWS_LAMBDA_LOG_GROUP_NAME",
                                                              "AWS_LAMBDA_LOG_STREAM_NAME",
                                                              "AWS_ACCESS_KEY",
                                                              "AWS_ACCESS_KEY_ID",
                                                              "AWS_SECRET_ACCESS_KEY",
                                                              "AWS_SECRET_KEY",
                                                              "AWS_SESSION_TOKEN",
                                                              "AWS_SECURITY_TOKEN",
                                                              "AWS_LAMBDA_RUNTIME_API",
                                                              "AWS_LAMBDA_MAX_CONCURRENCY",
                                                              "_LAMBDA_SERVER_PORT",
                                                              "LAMBDA_TASK_ROOT",
                                                              "LAMBDA_RUNTIME_DIR"};

Error unknown_runtime(std::string_view runtime) {
  std::string message = "Value ";
  message.append(runtime).append(" at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [");
  for (const std::string_view each : handler_runtimes) message.append(each).append(", ");
  for (const std::string_view each : custom_runtimes) message.append(each).append(", ");
  message.resize(message.size() - 2);
  return invalid_parameter(message.append("] or be a valid ARN"));
}

Refusal refuse_what_has_no_effect(const FunctionSettings& settings) {
  constexpr std::string_view no_network = "functions are processes of this machine, in its network.";
  constexpr std::string_view no_layers = "put what they hold into the function's own code.";
  constexpr std::string_view no_files = "functions see this machine's files.";
  constexpr std::string_view no_images = "there are no container images; give the code as a zip.";
  constexpr std::string_view no_providers = "functions run on this machine.";
  constexpr std::string_view no_durable = "there are no durable executions.";
  for (Refusal refusal :
       {refuse(settings.vpc_config, "VpcConfig", no_network), refuse(settings.layers, "Layers", no_layers),
        refuse(settings.file_system_configs, "FileSystemConfigs", no_files),
        refuse(settings.image_config, "ImageConfig", no_images),
        refuse(settings.capacity_provider_config, "CapacityProviderConfig", no_providers),
        refuse(settings.durable_config, "DurableConfig", no_durable)}) {
    if (refusal) return refusal;
  }
  if (settings.snap_start && settings.snap_start->apply_on == "PublishedVersions") {
    return invalid_parameter("SnapStart is not supported here: there are no published versions.");
  }
  return std::nullopt;
}

Refusal check_logging(const LoggingConfig& logging) {
  if (logging.log_format == "JSON") {
    return invalid_parameter("LogFormat JSON is not supported here: logs are kept as the function writes them.");
  }
  constexpr std::string_view needs_json = "it goes only with LogFormat JSON.";
  if (auto refusal = refuse(logging.application_log_level, "ApplicationLogLevel", needs_json)) return refusal;
  return refuse(logging.system_log_level, "SystemLogLevel", needs_json);
}

/// The members that are structures.
Refusal take_structures(FunctionSettings& settings, FunctionPatch& patch) {
  if (settings.dead_letter_config) {
    patch.dead_letter_arn = std::move(settings.dead_letter_config->target_arn).value_or(std::string());
    if (auto refusal = check_queue_arn(*patch.dead_letter_arn, "DeadLetterConfig.TargetArn")) return refusal;
  }
  if (settings.environment) {
    patch.environment = to_map(std::move(settings.environment->variables).value_or(Map<std::string>()));
    if (auto refusal = check_environment(*patch.environment)) return refusal;
  }
  if (settings.tracing_config) patch.tracing_mode = std::move(settings.tracing_config->mode);
  if (settings.ephemeral_storage) patch.storage_mib = settings.ephemeral_storage->size;
  if (settings.logging_config) {
    if (auto refusal = check_logging(*settings.logging_config)) return refusal;
    patch.log_group = std::move(settings.logging_config->log_group);
  }
  return std::nullopt;
}

}  // namespace

std::variant<FunctionKind, Error> kind_of_runtime(std::string_view runtime) {
  const auto is_one_of = [&](const auto& runtimes) { return std::ranges::find(runtimes, runtime) != runtimes.end(); };
  if (is_one_of(handler_runtimes)) return FunctionKind::handler;
  if (is_one_of(custom_runtimes)) return FunctionKind::runtime;
  if (std::ranges::any_of(other_runtimes, [&](std::string_view each) { return runtime.starts_with(each); })) {
    return invalid_parameter("The runtime " + std::string(runtime) +
                             " is not supported here: it has no bootstrap. Use provided.al2023, with the bootstrap in "
                             "the code.");
  }
  return unknown_runtime(runtime);
}

std::variant<std::string, Error> take_zip(FunctionCode&& code) {
  constexpr std::string_view no_buckets = "there are no buckets; give the code as ZipFile.";
  constexpr std::string_view no_images = "there are no container images; give the code as ZipFile.";
  for (Refusal refusal :
       {refuse(code.s3_bucket, "S3Bucket", no_buckets), refuse(code.s3_key, "S3Key", no_buckets),
        refuse(code.s3_object_version, "S3ObjectVersion", no_buckets), refuse(code.image_uri, "ImageUri", no_images)}) {
    if (refusal) return std::move(*refusal);
  }
  if (code.source_kms_key_arn && !code.source_kms_key_arn->empty()) {
    return invalid_parameter("SourceKMSKeyArn is not supported here: code is not encrypted.");
  }
  if (!code.zip_file) return invalid_parameter("Please provide a source for function code.");
  if (code.zip_file->bytes.empty()) return invalid_parameter("Uploaded file must be a non-empty zip");
  return std::move(code.zip_file->bytes);
}

std::variant<FunctionPatch, Error> take_settings(FunctionSettings& settings) {
  if (auto refusal = refuse_what_has_no_effect(settings)) return std::move(*refusal);
  FunctionPatch patch;
  if (settings.runtime) {
    const auto kind = kind_of_runtime(*settings.runtime);
    if (const Error* error = std::get_if<Error>(&kind)) return *error;
    patch.kind = std::get<FunctionKind>(kind);
  }
  patch.runtime = std::move(settings.runtime);
  patch.handler = std::move(settings.handler);
  patch.role = std::move(settings.role);
  patch.description = std::move(settings.description);
  patch.timeout_seconds = settings.timeout;
  patch.memory_mib = settings.memory_size;
  patch.kms_key_arn = std::move(settings.kms_key_arn);
  if (auto refusal = take_structures(settings, patch)) return std::move(*refusal);
  return patch;
}

Refusal check_environment(const std::map<std::string, std::string>& variables) {
  constexpr std::string_view unable =
      "Lambda was unable to configure your environment variables because the environment variables you have provided ";
  std::string reserved;
  std::size_t bytes = 0;
  for (const auto& [name, value] : variables) {
    bytes += name.size() + value.size();
    if (value.find('\0') != std::string::npos) {
      return invalid_parameter("The value of the environment variable " + name + " can not have a NUL character.");
    }
    if (std::ranges::find(reserved_variables, name) == reserved_variables.end()) continue;
    reserved.append(reserved.empty() ? "" : ", ").append(name);
  }
  if (!reserved.empty()) {
    return invalid_parameter(std::string(unable) +
                             "contains reserved keys that are currently not supported for modification. Reserved keys "
                             "used in this request: " +
                             reserved);
  }
  if (bytes > environment_bytes_max) {
    return invalid_parameter(std::string(unable) + "exceeded the 4KB limit. Bytes measured: " + std::to_string(bytes));
  }
  return std::nullopt;
}

Refusal check_queue_arn(std::string_view arn, std::string_view member) {
  if (arn.empty() || sqs::queue_of_arn(arn)) return std::nullopt;
  return invalid_parameter(std::string(member).append(" ").append(arn).append(
      " is not supported here: it has to be the ARN of an SQS queue."));
}

}  // namespace penstock::protocol::lambda
