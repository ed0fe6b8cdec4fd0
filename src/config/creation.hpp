// The requests that make what a setup has, as its clients would send them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"
#include "config/requests.hpp"
#include "config/setup.hpp"
#include "config/value.hpp"
#include "penstock/functions.hpp"
#include "penstock/time.hpp"

namespace penstock::config {

/// Where what is only named is.
struct Place {
  std::string account;
  std::string region;
  std::string directory;             ///< of the file, absolute: where its relative paths begin
  bool functions_elsewhere = false;  ///< another emulator runs the functions that are not registered
  Instant now{};                     ///< when it is checked, by which times in it are past or to come
  /// Why the server could not run a function, for a person; may be empty, where only the server knows that.
  std::function<std::optional<std::string>(const FunctionRecord&)> objection_to_function{};

  std::string queue_arn(std::string_view queue) const;
  std::string stream_arn(std::string_view stream) const;
  std::string function_arn(std::string_view function) const;
  std::string queue_url(std::string_view queue) const;
  /// Of a text that is a queue's ARN, `queue:NAME` or NAME.
  std::string queue_arn_of(std::string_view text) const;
  /// A path of the file's.
  std::string path(std::string_view given) const;
};

// ---- Queues

/// As texts, those that are policies with ARNs for names.
Value attributes_of(const Resource& queue, const Place& place);
Request create_queue(const Resource& queue, const Place& place);
/// The text of a policy's member, or nothing.
std::string dead_letter_target_of(const Resource& queue);

// ---- Streams

Request create_stream(const Resource& stream);
/// Of a stream that is to be encrypted: with what. Nothing for one of which the file says nothing, or NONE.
std::optional<Request> start_encryption(const Resource& stream);
/// Enables or disables enhanced metrics. REQUIRES: there are some.
Request change_metrics(std::string_view operation, const std::string& stream, const std::vector<std::string>& metrics);
/// Those that the file has for each shard, ALL as what it stands for; nothing if it says nothing of them.
std::optional<std::vector<std::string>> metrics_of(const Resource& stream);

// ---- Consumers

std::string path_of(const Consumer& consumer);
Request create_consumer(const Consumer& consumer);

// ---- Functions

// Where a function is, by its name as it is: of Penstock's own operations, of Lambda's (with what of it is meant, such
// as `/code`), and its reserved concurrency.
std::string path_of_registration(std::string_view function);
std::string path_of_function(std::string_view function, std::string_view what = {});
std::string path_of_concurrency(std::string_view function);
std::string path_of_invoke_config(std::string_view function);

/// What is known of a function before a server is asked.
struct FunctionParts {
  std::optional<std::string> zip;    ///< what it is made of, or nothing if the code is run where it lies, or elsewhere
  std::string sha256;                ///< of the zip, base64
  Value registration = map_value();  ///< as Penstock's own operation takes it; without its Kind, Lambda's settings too
  Value settings = map_value();      ///< that only Lambda's operations know
  Value tags = map_value();
  std::optional<Value> concurrency{};    ///< reserved
  std::optional<Value> architectures{};  ///< only of a zip
  std::optional<Value> invoke_config{};  ///< EventInvokeConfig
};

/// A problem for what cannot be, or is not where the file says.
FunctionParts parts_of(const Resource& function, const Place& place, Problems& problems);
/// Lambda's settings that both forms have, and those that only Lambda knows.
Value lambda_settings_of(const FunctionParts& parts);
/// The first request; what it does not say has to follow.
Request create_function(const std::string& name, const FunctionParts& parts, const Place& place);

// ---- Of functions and mappings

/// With ARNs where DestinationConfig has names of queues.
Value with_destinations(Value config, const Place& place);

// ---- Mappings

/// What a mapping reads from.
struct Source {
  std::string queue;     ///< its name, if it is one
  std::string stream;    ///< the same
  std::string consumer;  ///< of the stream, if it is named
  std::string arn;       ///< empty where only the server knows it: a consumer's
};
Source source_of(const Mapping& mapping, const Place& place);

/// As people are told of it: the source and the function.
std::string shown(const Mapping& mapping);

/// Without what stands for the source.
Value settings_of(const Mapping& mapping, const Place& place);
Request create_mapping(const Value& settings, const std::string& source_arn);

}  // namespace penstock::config
