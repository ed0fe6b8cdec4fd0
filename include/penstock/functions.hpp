// Functions: what runs for an event, as the registry keeps it.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/ids.hpp"
#include "penstock/time.hpp"

namespace penstock {

/// What a client calls a function. Functions of different accounts and regions never meet.
struct FunctionName {
  std::string account;  ///< 12 digits
  std::string region;   ///< such as us-east-1
  std::string name;     ///< 1 to 64 of [a-zA-Z0-9-_]
  friend auto operator<=>(const FunctionName&, const FunctionName&) = default;
};

inline constexpr std::string_view lambda_arn_prefix = "arn:aws:lambda:";

/// `arn:aws:lambda:<region>:<account>:function:<name>`
inline std::string arn_of(const FunctionName& function) {
  std::string arn(lambda_arn_prefix);
  return arn.append(function.region).append(":").append(function.account).append(":function:").append(function.name);
}

/// Of this machine, whose processes functions are, as Architectures spells it.
#if defined(__aarch64__)
inline constexpr const char* machine_architecture = "arm64";
#else
inline constexpr const char* machine_architecture = "x86_64";
#endif

/// How a function is run.
enum class FunctionKind : std::uint8_t {
  runtime,  ///< a process that speaks the Runtime API
  handler,  ///< a handler that a built-in bootstrap for Python or Node loads, and that speaks it for the handler
  exec,     ///< a process for each event, which stands on its stdin; its answer is what it writes to stdout
  url,      ///< another emulator's Invoke endpoint
};

/// How asynchronous invokes of a function are tried again, and where their outcome is sent.
struct AsyncConfig {
  int retries_max = 2;           ///< MaximumRetryAttempts, 0 to 2
  int age_seconds_max = 21'600;  ///< MaximumEventAgeInSeconds, 60 to 21,600
  std::string on_success;        ///< ARN of a queue or function; empty if there is none
  std::string on_failure;        ///< the same
  Instant modified{};
  friend bool operator==(const AsyncConfig&, const AsyncConfig&) = default;
};

/// A function as the catalog keeps it.
struct FunctionRecord {
  FunctionName name;
  FunctionKind kind = FunctionKind::runtime;

  std::string runtime;  ///< Runtime as it was given, such as python3.12; empty where `command` or `url` says what runs
  std::string handler;  ///< Handler
  std::vector<std::string> command;  ///< argv of a runtime or an exec; empty: `bootstrap` in the code's directory
  std::string directory;         ///< where the code lies that was registered in its place; empty if it came as a zip
  std::string url;               ///< of kind url: what is posted to, whole
  std::string code_sha256;       ///< of the zip, base64 as CodeSha256 reports it; empty if there is none
  std::uint64_t code_bytes = 0;  ///< of the zip

  std::string role;
  std::string description;
  int timeout_seconds = 3;  ///< 1 to 900
  int memory_mib = 128;     ///< 128 to 10,240: a hard limit
  int storage_mib = 512;    ///< EphemeralStorage, 512 to 10,240; reported, and not enforced
  std::vector<std::string> architectures{machine_architecture};
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> tags;
  std::string log_group;                     ///< of LoggingConfig; empty: /aws/lambda/<name>
  std::string tracing_mode = "PassThrough";  ///< TracingConfig
  std::string kms_key_arn;
  std::string dead_letter_arn;  ///< DeadLetterConfig's TargetArn: of a queue; empty if there is none

  std::optional<int> reserved_concurrency;  ///< of PutFunctionConcurrency
  std::optional<AsyncConfig> async;

  std::string revision_id;  ///< UUID, new with every change
  std::uint64_t generation =
      0;  ///< grows with every change of code or configuration, so that environments of before end
  Instant modified{};
  friend bool operator==(const FunctionRecord&, const FunctionRecord&) = default;
};

/// What a change leaves out stays as it is.
struct FunctionPatch {
  std::optional<FunctionKind> kind;
  std::optional<std::string> runtime;
  std::optional<std::string> handler;
  std::optional<std::vector<std::string>> command;
  std::optional<std::string> directory;
  std::optional<std::string> url;
  std::optional<std::string> code_sha256;
  std::optional<std::uint64_t> code_bytes;
  std::optional<std::string> role;
  std::optional<std::string> description;
  std::optional<int> timeout_seconds;
  std::optional<int> memory_mib;
  std::optional<int> storage_mib;
  std::optional<std::vector<std::string>> architectures;
  std::optional<std::map<std::string, std::string>> environment;
  std::optional<std::string> log_group;
  std::optional<std::string> tracing_mode;
  std::optional<std::string> kms_key_arn;
  std::optional<std::string> dead_letter_arn;
};

/// An invoke of type Event that was accepted and is not over.
struct AsyncEvent {
  std::string id;  ///< its request id, a UUID, the same in every attempt
  FunctionName function;
  std::string payload;
  std::string client_context;
  Instant accepted{};
  Instant due{};     ///< not tried before
  int attempts = 0;  ///< invocations that have failed
  friend bool operator==(const AsyncEvent&, const AsyncEvent&) = default;
};

}  // namespace penstock

template <>
struct std::hash<penstock::FunctionName> {
  std::size_t operator()(const penstock::FunctionName& f) const noexcept {
    const std::hash<std::string> h;
    return penstock::hash_combine(penstock::hash_combine(h(f.name), h(f.region)), h(f.account));
  }
};
