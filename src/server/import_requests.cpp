#include "server/import_requests.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/creation.hpp"
#include "penstock/queue_names.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/caller.hpp"
#include "protocol/text.hpp"
#include "server/import_contents.hpp"
#include "server/portable.hpp"

namespace penstock::server {

namespace {

using config::Value;

constexpr std::string_view functions_path = "/2015-03-31/functions";
constexpr std::string_view mappings_path = "/2015-03-31/event-source-mappings";
constexpr std::string_view registrations_path = "/_penstock/functions/";
constexpr std::string_view streams_path = "/_penstock/streams/";
constexpr std::array<std::string_view, 5> settings_of_streams{"IncreaseStreamRetentionPeriod", "StartStreamEncryption",
                                                              "EnableEnhancedMonitoring", "PutResourcePolicy",
                                                              "RegisterStreamConsumer"};
/// By which requests say what stream they are about, all of which they may have.
constexpr std::array<std::string_view, 4> names_of_streams{"StreamName", "StreamARN", "ResourceARN", "StreamId"};

/// What a member says that is there once, and is a text; nothing otherwise.
std::optional<std::string> only_text(const Value& input, std::string_view name) {
  const Value* const found = input.find(name);
  if (found == nullptr || found->kind != Value::Kind::text) return std::nullopt;
  if (std::ranges::count(input.members, name, &config::Member::name) != 1) return std::nullopt;
  return found->text;
}

const Value& input_of(const Value& request) {
  static const Value nothing = config::map_value();
  const Value* const found = request.find("input");
  return found == nullptr ? nothing : *found;
}

std::string function_at(const Home& home, std::string_view name) {
  return "function " + std::string(name) + " of " + home.account + " in " + home.region;
}

std::optional<std::string> queue_set(const Home& home, const Value& input) {
  const auto url = only_text(input, "QueueUrl");
  if (!url) return std::nullopt;
  protocol::Caller caller;
  caller.account = home.account;
  caller.region = home.region;
  const auto queue = protocol::queue_of(*url, caller);
  const auto* const named = std::get_if<QueueName>(&queue);
  if (named == nullptr) return std::nullopt;
  return arn_of(*named);
}

std::optional<std::string> stream_set(const Home& home, const Value& input) {
  std::optional<std::string> arn;
  for (const std::string_view name : names_of_streams) {
    if (input.find(name) == nullptr) continue;
    auto text = only_text(input, name);
    if (!text) return std::nullopt;
    if (name == "StreamName") text = arn_of(StreamName{home.account, home.region, *text});
    // A stream has its id from where it is, so that no export has one.
    if (name == "StreamId" || (arn && arn != text)) return std::nullopt;
    arn = std::move(text);
  }
  return arn;
}

/// The paths of a function's settings have its name in between.
std::optional<std::string> function_set(const Home& home, const std::string& path) {
  for (const auto path_of : {&config::path_of_concurrency, &config::path_of_invoke_config}) {
    const std::string around = path_of("");
    const std::size_t before = around.find("//") + 1;
    const std::string_view end = std::string_view(around).substr(before);
    if (path.size() <= around.size() || !path.starts_with(around.substr(0, before)) || !path.ends_with(end)) continue;
    const std::string encoded = path.substr(before, path.size() - around.size());
    std::string name;
    if (!protocol::percent_decode(encoded, false, name) || path_of(name) != path) return std::nullopt;
    return function_at(home, name);
  }
  return std::nullopt;
}

std::string objection_to_format(const Value& line) {
  const Value* const format = line.find("format");
  if (format == nullptr) return {};
  const std::string read = std::to_string(portable::format);
  if (format->kind == Value::Kind::number && format->text == read) return {};
  return "it is of format " + config::to_json(*format) + ", and this version reads format " + read;
}

std::string objection_to_settings(const Home& home, const Value& line) {
  const Value* const then = line.find("then");
  if (then == nullptr) return {};
  if (then->kind != Value::Kind::list) return "its 'then' is no list";
  std::vector<std::string> made;
  for (const Value* creation : creations_of(line)) {
    if (auto one = is_creation(*creation) ? made_by(home, *creation) : std::nullopt) made.push_back(*std::move(one));
  }
  for (const Value& setting : then->items) {
    const auto about = set_by(home, setting);
    if (!about) return "its 'then' has a request that exports do not have";
    if (std::ranges::find(made, *about) == made.end()) {
      return "its 'then' is about " + *about + ", which its 'create' does not make";
    }
  }
  return {};
}

std::string objection_to_line(const Value& line) {
  std::string objection = objection_to_format(line);
  if (!objection.empty() || line.find("penstock") != nullptr) return objection;
  return objection_to_settings({line.text_of("account"), line.text_of("region")}, line);
}

}  // namespace

std::vector<const Value*> creations_of(const Value& line) {
  std::vector<const Value*> creations;
  const Value* const create = line.find("create");
  if (create == nullptr) return creations;
  if (create->kind != Value::Kind::list) return {create};
  for (const Value& one : create->items) creations.push_back(&one);
  return creations;
}

bool is_creation(const Value& request) {
  const std::string service = request.text_of("service");
  const std::string operation = request.text_of("operation");
  if (service == "sqs") return operation == "CreateQueue";
  if (service == "kinesis") return operation == "CreateStream";
  const std::string method = request.text_of("method");
  const std::string path = request.text_of("path");
  if (!service.empty()) return false;
  if (method == "POST") return path == functions_path || path == mappings_path;
  return method == "PUT" && (path.starts_with(streams_path) || path.starts_with(registrations_path));
}

std::optional<std::string> made_by(const Home& home, const Value& creation) {
  const Value& input = input_of(creation);
  const std::string service = creation.text_of("service");
  if (service == "sqs") {
    const auto name = only_text(input, "QueueName");
    return name ? std::optional(arn_of(QueueName{home.account, home.region, *name})) : std::nullopt;
  }
  if (service == "kinesis") {
    const auto name = only_text(input, "StreamName");
    return name ? std::optional(arn_of(StreamName{home.account, home.region, *name})) : std::nullopt;
  }
  const std::string path = creation.text_of("path");
  if (path == functions_path) {
    const auto name = only_text(input, "FunctionName");
    return name ? std::optional(function_at(home, *name)) : std::nullopt;
  }
  std::string name;
  if (!path.starts_with(registrations_path) ||
      !protocol::percent_decode(std::string_view(path).substr(registrations_path.size()), false, name) ||
      config::path_of_registration(name) != path) {
    return std::nullopt;
  }
  return function_at(home, name);
}

std::optional<std::string> set_by(const Home& home, const Value& setting) {
  const std::string service = setting.text_of("service");
  const std::string operation = setting.text_of("operation");
  if (service == "sqs") {
    return operation == "SetQueueAttributes" ? queue_set(home, input_of(setting)) : std::nullopt;
  }
  if (service == "kinesis") {
    const bool known = std::ranges::find(settings_of_streams, operation) != settings_of_streams.end();
    return known ? stream_set(home, input_of(setting)) : std::nullopt;
  }
  if (!service.empty() || setting.text_of("method") != "PUT") return std::nullopt;
  return function_set(home, setting.text_of("path"));
}

std::string objection_to_lines(std::string_view lines, std::size_t number) {
  for (; !lines.empty(); ++number) {
    const auto line = config::from_json(take_line(lines));
    if (!line) continue;
    if (const std::string objection = objection_to_line(*line); !objection.empty()) {
      return "line " + std::to_string(number) + ": " + objection +
             ". Nothing of what was handed in with it is imported.";
    }
  }
  return {};
}

std::string_view take_line(std::string_view& lines) {
  const std::size_t end = std::min(lines.find('\n'), lines.size());
  const std::string_view line = lines.substr(0, end);
  lines.remove_prefix(std::min(end + 1, lines.size()));
  return line;
}

}  // namespace penstock::server
