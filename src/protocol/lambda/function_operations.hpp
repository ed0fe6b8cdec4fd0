// The operations that make, change, describe, list and delete functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/lambda/call.hpp"
#include "protocol/lambda/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

/// Where a function's code comes from.
struct FunctionCode {
  std::optional<Blob> zip_file;
  std::optional<Anything> s3_bucket;
  std::optional<Anything> s3_key;
  std::optional<Anything> s3_object_version;
  std::optional<Anything> image_uri;
  std::optional<std::string> source_kms_key_arn;

  static constexpr auto shape() {
    using Self = FunctionCode;
    return Shape("FunctionCode", optional("ZipFile", &Self::zip_file), optional("S3Bucket", &Self::s3_bucket),
                 optional("S3Key", &Self::s3_key), optional("S3ObjectVersion", &Self::s3_object_version),
                 optional("ImageUri", &Self::image_uri),
                 optional("SourceKMSKeyArn", &Self::source_kms_key_arn, rules::key_arn));
  }
};

/// What both a creation and a change of the configuration may say.
struct FunctionSettings {
  std::optional<std::string> runtime;
  std::optional<std::string> role;
  std::optional<std::string> handler;
  std::optional<std::string> description;
  std::optional<std::int32_t> timeout;
  std::optional<std::int32_t> memory_size;
  std::optional<DeadLetterConfig> dead_letter_config;
  std::optional<Environment> environment;
  std::optional<std::string> kms_key_arn;
  std::optional<TracingConfig> tracing_config;
  std::optional<EphemeralStorage> ephemeral_storage;
  std::optional<SnapStart> snap_start;
  std::optional<LoggingConfig> logging_config;
  // What has no effect here, and is refused rather than passed over.
  std::optional<Anything> vpc_config;
  std::optional<Anything> layers;
  std::optional<Anything> file_system_configs;
  std::optional<Anything> image_config;
  std::optional<Anything> capacity_provider_config;
  std::optional<Anything> durable_config;

 protected:
  /// After the members that stand before them. `role` differs in whether it is required.
  template <class Role, class... Others>
  static constexpr auto shape_with(std::string_view name, Role role_member, Others... others) {
    using Self = FunctionSettings;
    return Shape(name, role_member, others..., optional("Runtime", &Self::runtime),
                 optional("Handler", &Self::handler, rules::handler),
                 optional("Description", &Self::description, rules::description),
                 optional("Timeout", &Self::timeout, rules::timeout),
                 optional("MemorySize", &Self::memory_size, rules::memory_size),
                 optional("DeadLetterConfig", &Self::dead_letter_config), optional("Environment", &Self::environment),
                 optional("KMSKeyArn", &Self::kms_key_arn, rules::key_arn),
                 optional("TracingConfig", &Self::tracing_config),
                 optional("EphemeralStorage", &Self::ephemeral_storage), optional("SnapStart", &Self::snap_start),
                 optional("LoggingConfig", &Self::logging_config), optional("VpcConfig", &Self::vpc_config),
                 optional("Layers", &Self::layers), optional("FileSystemConfigs", &Self::file_system_configs),
                 optional("ImageConfig", &Self::image_config),
                 optional("CapacityProviderConfig", &Self::capacity_provider_config),
                 optional("DurableConfig", &Self::durable_config));
  }
};

// ---- CreateFunction

struct CreateFunctionRequest : FunctionSettings {
  std::optional<std::string> function_name;
  std::optional<FunctionCode> code;
  std::optional<bool> publish;
  std::optional<std::string> package_type;
  std::optional<Map<std::string>> tags;
  std::optional<std::vector<std::string>> architectures;
  std::optional<Anything> code_signing_config_arn;
  std::optional<Anything> publish_to;
  std::optional<Anything> tenancy_config;

  static constexpr auto shape() {
    using Self = CreateFunctionRequest;
    return shape_with("CreateFunctionRequest", required("Role", &FunctionSettings::role, rules::role),
                      required("FunctionName", &Self::function_name, rules::function_name),
                      required("Code", &Self::code), optional("Publish", &Self::publish),
                      optional("PackageType", &Self::package_type, rules::package_type), optional("Tags", &Self::tags),
                      optional("Architectures", &Self::architectures, rules::architectures),
                      optional("CodeSigningConfigArn", &Self::code_signing_config_arn),
                      optional("PublishTo", &Self::publish_to), optional("TenancyConfig", &Self::tenancy_config));
  }
};

struct CreateFunctionOperation {
  static constexpr std::string_view name = "CreateFunction";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/2015-03-31/functions";
  static constexpr int status = status_created;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound, ErrorCode::LambdaCodeStorageExceeded);
  using Input = CreateFunctionRequest;
  using Output = FunctionConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- GetFunction

struct GetFunctionRequest : OfVersion {
  static constexpr auto shape() { return shape_called("GetFunctionRequest"); }
};

struct FunctionCodeLocation {
  std::optional<std::string> repository_type;
  std::optional<std::string> location;

  static constexpr auto shape() {
    using Self = FunctionCodeLocation;
    return Shape("FunctionCodeLocation", optional("RepositoryType", &Self::repository_type),
                 optional("Location", &Self::location));
  }
};
struct Concurrency {
  std::optional<std::int32_t> reserved_concurrent_executions;

  static constexpr auto shape_called(std::string_view name) {
    return Shape(name, optional("ReservedConcurrentExecutions", &Concurrency::reserved_concurrent_executions));
  }
  static constexpr auto shape() { return shape_called("Concurrency"); }
};
struct GetFunctionResponse {
  std::optional<FunctionConfiguration> configuration;
  std::optional<FunctionCodeLocation> code;
  std::optional<Map<std::string>> tags;
  std::optional<Concurrency> concurrency;

  static constexpr auto shape() {
    using Self = GetFunctionResponse;
    return Shape("GetFunctionResponse", optional("Configuration", &Self::configuration), optional("Code", &Self::code),
                 optional("Tags", &Self::tags), optional("Concurrency", &Self::concurrency));
  }
};

struct GetFunctionOperation {
  static constexpr std::string_view name = "GetFunction";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2015-03-31/functions/{FunctionName}";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = GetFunctionRequest;
  using Output = GetFunctionResponse;
  /// The URL under which the client reaches this server, where the code is to be had.
  struct Kept {
    std::string base_url;
  };
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- GetFunctionConfiguration

struct GetFunctionConfigurationRequest : OfVersion {
  static constexpr auto shape() { return shape_called("GetFunctionConfigurationRequest"); }
};

struct GetFunctionConfigurationOperation {
  static constexpr std::string_view name = "GetFunctionConfiguration";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2015-03-31/functions/{FunctionName}/configuration";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = GetFunctionConfigurationRequest;
  using Output = FunctionConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- ListFunctions

struct ListFunctionsRequest {
  std::optional<Anything> master_region;
  std::optional<std::string> function_version;
  std::optional<std::string> marker;
  std::optional<std::int32_t> max_items;

  static constexpr auto shape() {
    using Self = ListFunctionsRequest;
    return Shape("ListFunctionsRequest", optional("MasterRegion", &Self::master_region, in_query()),
                 optional("FunctionVersion", &Self::function_version, in_query(rules::function_version)),
                 optional("Marker", &Self::marker, in_query()),
                 optional("MaxItems", &Self::max_items, in_query(rules::max_list_items)));
  }
};
struct ListFunctionsResponse {
  std::optional<std::string> next_marker;
  std::optional<std::vector<FunctionConfiguration>> functions;

  static constexpr auto shape() {
    using Self = ListFunctionsResponse;
    return Shape("ListFunctionsResponse", optional("NextMarker", &Self::next_marker),
                 optional("Functions", &Self::functions));
  }
};

struct ListFunctionsOperation {
  static constexpr std::string_view name = "ListFunctions";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2015-03-31/functions";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue);
  using Input = ListFunctionsRequest;
  using Output = ListFunctionsResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- ListVersionsByFunction

struct ListVersionsByFunctionRequest {
  std::optional<std::string> function_name;
  std::optional<std::string> marker;
  std::optional<std::int32_t> max_items;

  static constexpr auto shape() {
    using Self = ListVersionsByFunctionRequest;
    return Shape("ListVersionsByFunctionRequest",
                 required("FunctionName", &Self::function_name, in_path(rules::any_function_name)),
                 optional("Marker", &Self::marker, in_query()),
                 optional("MaxItems", &Self::max_items, in_query(rules::max_list_items)));
  }
};
struct ListVersionsByFunctionResponse {
  std::optional<std::string> next_marker;
  std::optional<std::vector<FunctionConfiguration>> versions;

  static constexpr auto shape() {
    using Self = ListVersionsByFunctionResponse;
    return Shape("ListVersionsByFunctionResponse", optional("NextMarker", &Self::next_marker),
                 optional("Versions", &Self::versions));
  }
};

struct ListVersionsByFunctionOperation {
  static constexpr std::string_view name = "ListVersionsByFunction";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2015-03-31/functions/{FunctionName}/versions";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = ListVersionsByFunctionRequest;
  using Output = ListVersionsByFunctionResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- UpdateFunctionCode

struct UpdateFunctionCodeRequest {
  std::optional<std::string> function_name;
  std::optional<Blob> zip_file;
  std::optional<Anything> s3_bucket;
  std::optional<Anything> s3_key;
  std::optional<Anything> s3_object_version;
  std::optional<Anything> image_uri;
  std::optional<bool> publish;
  std::optional<bool> dry_run;
  std::optional<std::string> revision_id;
  std::optional<std::vector<std::string>> architectures;
  std::optional<std::string> source_kms_key_arn;
  std::optional<Anything> publish_to;

  static constexpr auto shape() {
    using Self = UpdateFunctionCodeRequest;
    return Shape("UpdateFunctionCodeRequest",
                 required("FunctionName", &Self::function_name, in_path(rules::function_name)),
                 optional("ZipFile", &Self::zip_file), optional("S3Bucket", &Self::s3_bucket),
                 optional("S3Key", &Self::s3_key), optional("S3ObjectVersion", &Self::s3_object_version),
                 optional("ImageUri", &Self::image_uri), optional("Publish", &Self::publish),
                 optional("DryRun", &Self::dry_run), optional("RevisionId", &Self::revision_id),
                 optional("Architectures", &Self::architectures, rules::architectures),
                 optional("SourceKMSKeyArn", &Self::source_kms_key_arn, rules::key_arn),
                 optional("PublishTo", &Self::publish_to));
  }
};

struct UpdateFunctionCodeOperation {
  static constexpr std::string_view name = "UpdateFunctionCode";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = "/2015-03-31/functions/{FunctionName}/code";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound, ErrorCode::LambdaCodeStorageExceeded,
                                           ErrorCode::LambdaPreconditionFailed);
  using Input = UpdateFunctionCodeRequest;
  using Output = FunctionConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- UpdateFunctionConfiguration

struct UpdateFunctionConfigurationRequest : FunctionSettings {
  std::optional<std::string> function_name;
  std::optional<std::string> revision_id;

  static constexpr auto shape() {
    using Self = UpdateFunctionConfigurationRequest;
    return shape_with("UpdateFunctionConfigurationRequest", optional("Role", &FunctionSettings::role, rules::role),
                      required("FunctionName", &Self::function_name, in_path(rules::function_name)),
                      optional("RevisionId", &Self::revision_id));
  }
};

struct UpdateFunctionConfigurationOperation {
  static constexpr std::string_view name = "UpdateFunctionConfiguration";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = "/2015-03-31/functions/{FunctionName}/configuration";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound, ErrorCode::LambdaPreconditionFailed);
  using Input = UpdateFunctionConfigurationRequest;
  using Output = FunctionConfiguration;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- DeleteFunction

struct DeleteFunctionRequest : OfVersion {
  static constexpr auto shape() { return shape_called("DeleteFunctionRequest"); }
};
struct DeleteFunctionResponse {
  std::optional<std::int32_t> status_code;

  static constexpr auto shape() {
    return Shape("DeleteFunctionResponse", optional("StatusCode", &DeleteFunctionResponse::status_code, in_status));
  }
};

struct DeleteFunctionOperation {
  static constexpr std::string_view name = "DeleteFunction";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/2015-03-31/functions/{FunctionName}";
  static constexpr int status = status_no_content;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = DeleteFunctionRequest;
  using Output = DeleteFunctionResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- GetAccountSettings

struct GetAccountSettingsRequest {
  static constexpr auto shape() { return Shape("GetAccountSettingsRequest"); }
};
struct AccountLimit {
  std::optional<std::int64_t> total_code_size;
  std::optional<std::int64_t> code_size_unzipped;
  std::optional<std::int64_t> code_size_zipped;
  std::optional<std::int32_t> concurrent_executions;
  std::optional<std::int32_t> unreserved_concurrent_executions;

  static constexpr auto shape() {
    using Self = AccountLimit;
    return Shape("AccountLimit", optional("TotalCodeSize", &Self::total_code_size),
                 optional("CodeSizeUnzipped", &Self::code_size_unzipped),
                 optional("CodeSizeZipped", &Self::code_size_zipped),
                 optional("ConcurrentExecutions", &Self::concurrent_executions),
                 optional("UnreservedConcurrentExecutions", &Self::unreserved_concurrent_executions));
  }
};
struct AccountUsage {
  std::optional<std::int64_t> total_code_size;
  std::optional<std::int64_t> function_count;

  static constexpr auto shape() {
    using Self = AccountUsage;
    return Shape("AccountUsage", optional("TotalCodeSize", &Self::total_code_size),
                 optional("FunctionCount", &Self::function_count));
  }
};
struct GetAccountSettingsResponse {
  std::optional<AccountLimit> account_limit;
  std::optional<AccountUsage> account_usage;

  static constexpr auto shape() {
    using Self = GetAccountSettingsResponse;
    return Shape("GetAccountSettingsResponse", optional("AccountLimit", &Self::account_limit),
                 optional("AccountUsage", &Self::account_usage));
  }
};

struct GetAccountSettingsOperation {
  static constexpr std::string_view name = "GetAccountSettings";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2016-08-19/account-settings";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of();
  using Input = GetAccountSettingsRequest;
  using Output = GetAccountSettingsResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::lambda
