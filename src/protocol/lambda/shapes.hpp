// The structures that occur in more than one operation's input or output.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/functions.hpp"
#include "protocol/lambda/call.hpp"
#include "protocol/lambda/constraints.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

// The model's constraints are given where a structure is part of an input: what an answer holds is not checked.

constexpr Timestamp to_timestamp(Instant at) { return {to_epoch_ms(at)}; }

/// Of two entries with the same key the last one counts.
std::map<std::string, std::string> to_map(Map<std::string>&& given);
Map<std::string> to_entries(const std::map<std::string, std::string>& map);

struct Environment {
  std::optional<Map<std::string>> variables;

  static constexpr auto shape() {
    return Shape("Environment", optional("Variables", &Environment::variables, rules::variables));
  }
};
struct EnvironmentResponse {
  std::optional<Map<std::string>> variables;

  static constexpr auto shape() {
    return Shape("EnvironmentResponse", optional("Variables", &EnvironmentResponse::variables));
  }
};

struct DeadLetterConfig {
  std::optional<std::string> target_arn;

  static constexpr auto shape() {
    return Shape("DeadLetterConfig", optional("TargetArn", &DeadLetterConfig::target_arn, rules::resource_arn));
  }
};

struct TracingConfig {
  std::optional<std::string> mode;

  static constexpr auto shape() {
    return Shape("TracingConfig", optional("Mode", &TracingConfig::mode, rules::tracing_mode));
  }
};
struct TracingConfigResponse {
  std::optional<std::string> mode;

  static constexpr auto shape() {
    return Shape("TracingConfigResponse", optional("Mode", &TracingConfigResponse::mode));
  }
};

struct EphemeralStorage {
  std::optional<std::int32_t> size;

  static constexpr auto shape() {
    return Shape("EphemeralStorage", required("Size", &EphemeralStorage::size, rules::ephemeral_storage));
  }
};

struct SnapStart {
  std::optional<std::string> apply_on;

  static constexpr auto shape() {
    return Shape("SnapStart", optional("ApplyOn", &SnapStart::apply_on, rules::snap_start));
  }
};
struct SnapStartResponse {
  std::optional<std::string> apply_on;
  std::optional<std::string> optimization_status;

  static constexpr auto shape() {
    using Self = SnapStartResponse;
    return Shape("SnapStartResponse", optional("ApplyOn", &Self::apply_on),
                 optional("OptimizationStatus", &Self::optimization_status));
  }
};

struct LoggingConfig {
  std::optional<std::string> log_format;
  std::optional<Anything> application_log_level;
  std::optional<Anything> system_log_level;
  std::optional<std::string> log_group;

  static constexpr auto shape() {
    using Self = LoggingConfig;
    return Shape("LoggingConfig", optional("LogFormat", &Self::log_format, rules::log_format),
                 optional("ApplicationLogLevel", &Self::application_log_level),
                 optional("SystemLogLevel", &Self::system_log_level),
                 optional("LogGroup", &Self::log_group, rules::log_group));
  }
};
struct LoggingConfigResponse {
  std::optional<std::string> log_format;
  std::optional<std::string> log_group;

  static constexpr auto shape() {
    using Self = LoggingConfigResponse;
    return Shape("LoggingConfig", optional("LogFormat", &Self::log_format), optional("LogGroup", &Self::log_group));
  }
};

struct FunctionConfiguration {
  std::optional<std::string> function_name;
  std::optional<std::string> function_arn;
  std::optional<std::string> runtime;
  std::optional<std::string> role;
  std::optional<std::string> handler;
  std::optional<std::int64_t> code_size;
  std::optional<std::string> description;
  std::optional<std::int32_t> timeout;
  std::optional<std::int32_t> memory_size;
  std::optional<std::string> last_modified;
  std::optional<std::string> code_sha256;
  std::optional<std::string> version;
  std::optional<DeadLetterConfig> dead_letter_config;
  std::optional<EnvironmentResponse> environment;
  std::optional<std::string> kms_key_arn;
  std::optional<TracingConfigResponse> tracing_config;
  std::optional<std::string> revision_id;
  std::optional<std::string> state;
  std::optional<std::string> last_update_status;
  std::optional<std::string> package_type;
  std::optional<std::vector<std::string>> architectures;
  std::optional<EphemeralStorage> ephemeral_storage;
  std::optional<SnapStartResponse> snap_start;
  std::optional<LoggingConfigResponse> logging_config;

  static constexpr auto shape() {
    using Self = FunctionConfiguration;
    return Shape("FunctionConfiguration", optional("FunctionName", &Self::function_name),
                 optional("FunctionArn", &Self::function_arn), optional("Runtime", &Self::runtime),
                 optional("Role", &Self::role), optional("Handler", &Self::handler),
                 optional("CodeSize", &Self::code_size), optional("Description", &Self::description),
                 optional("Timeout", &Self::timeout), optional("MemorySize", &Self::memory_size),
                 optional("LastModified", &Self::last_modified), optional("CodeSha256", &Self::code_sha256),
                 optional("Version", &Self::version), optional("DeadLetterConfig", &Self::dead_letter_config),
                 optional("Environment", &Self::environment), optional("KMSKeyArn", &Self::kms_key_arn),
                 optional("TracingConfig", &Self::tracing_config), optional("RevisionId", &Self::revision_id),
                 optional("State", &Self::state), optional("LastUpdateStatus", &Self::last_update_status),
                 optional("PackageType", &Self::package_type), optional("Architectures", &Self::architectures),
                 optional("EphemeralStorage", &Self::ephemeral_storage), optional("SnapStart", &Self::snap_start),
                 optional("LoggingConfig", &Self::logging_config));
  }
};
FunctionConfiguration configuration_of(const FunctionRecord& function);

/// The answer of the operations that describe one function: FunctionConfiguration is its output.
Told<FunctionConfiguration> tell_configuration(TriggerResult&& result);

/// About a function, without a version.
struct OfFunction {
  std::optional<std::string> function_name;

  static constexpr auto shape_called(std::string_view name) {
    return Shape(name, required("FunctionName", &OfFunction::function_name, in_path(rules::function_name)));
  }
};
/// About a function and perhaps a version of it.
struct OfVersion {
  std::optional<std::string> function_name;
  std::optional<std::string> qualifier;

  static constexpr auto shape_called(std::string_view name) {
    using Self = OfVersion;
    return Shape(name, required("FunctionName", &Self::function_name, in_path(rules::any_function_name)),
                 optional("Qualifier", &Self::qualifier, in_query(rules::qualifier)));
  }
};

struct OnSuccess {
  std::optional<std::string> destination;

  static constexpr auto shape() {
    return Shape("OnSuccess", optional("Destination", &OnSuccess::destination, rules::destination));
  }
};
struct OnFailure {
  std::optional<std::string> destination;

  static constexpr auto shape() {
    return Shape("OnFailure", optional("Destination", &OnFailure::destination, rules::destination));
  }
};
struct DestinationConfig {
  std::optional<OnSuccess> on_success;
  std::optional<OnFailure> on_failure;

  static constexpr auto shape() {
    using Self = DestinationConfig;
    return Shape("DestinationConfig", optional("OnSuccess", &Self::on_success),
                 optional("OnFailure", &Self::on_failure));
  }
};

}  // namespace penstock::protocol::lambda
