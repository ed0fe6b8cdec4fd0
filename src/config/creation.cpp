#include "config/creation.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "config/shapes.hpp"
#include "penstock/functions.hpp"
#include "penstock/queue_names.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/percent.hpp"

namespace penstock::config {

namespace {

constexpr std::string_view queue_prefix = "queue:";
constexpr std::string_view stream_prefix = "stream:";
constexpr std::string_view arn_prefix = "arn:";
constexpr std::string_view fifo_suffix = ".fifo";

void put_arn(Value& map, std::string_view name, const Place& place) {
  if (const Value* named = map.find(name); named != nullptr && named->is_scalar()) {
    Value arn = text_value(place.queue_arn_of(named->text));
    arn.at = named->at;
    map.set(name, std::move(arn));
  }
}

/// A policy as a map, however it was written.
Value policy_of(const Value& given) {
  if (!given.is_scalar()) return given;
  return from_json(given.text).value_or(given);
}

Value with_arns(Value policy, const Place& place) {
  put_arn(policy, "deadLetterTargetArn", place);
  for (Member& member : policy.members) {
    if (member.name != "sourceQueueArns") continue;
    for (Value& item : member.value.items) item.text = place.queue_arn_of(item.text);
  }
  return policy;
}

}  // namespace

std::string Place::queue_arn(std::string_view queue) const {
  return arn_of(QueueName{account, region, std::string(queue)});
}
std::string Place::stream_arn(std::string_view stream) const {
  return arn_of(StreamName{account, region, std::string(stream)});
}
std::string Place::function_arn(std::string_view function) const {
  return arn_of(FunctionName{account, region, std::string(function)});
}
std::string Place::queue_url(std::string_view queue) const {
  return "http://localhost/" + account + "/" + std::string(queue);
}

std::string Place::queue_arn_of(std::string_view text) const {
  if (text.starts_with(arn_prefix)) return std::string(text);
  return queue_arn(text.starts_with(queue_prefix) ? text.substr(queue_prefix.size()) : text);
}

std::string Place::path(std::string_view given) const {
  std::filesystem::path whole = (std::filesystem::path(directory) / given).lexically_normal();
  if (!whole.has_filename() && whole != whole.root_path()) whole = whole.parent_path();
  return whole.string();
}

Value attributes_of(const Resource& queue, const Place& place) {
  Value attributes = map_value();
  for (const Member& member : queue.members.members) {
    if (member.name == "Tags") continue;
    Value value = member.value;
    if (member.name == "RedrivePolicy" || member.name == "RedriveAllowPolicy") {
      value = with_arns(policy_of(value), place);
    }
    value.at = member.value.at;
    attributes.set(member.name, to_wire(value, member.name, nullptr));
  }
  // A queue whose name ends so is one, and the service wants it to be said.
  if (queue.name.ends_with(fifo_suffix) && attributes.find("FifoQueue") == nullptr) {
    attributes.set("FifoQueue", text_value("true"));
  }
  return attributes;
}

Request create_queue(const Resource& queue, const Place& place) {
  Value input = map_value();
  input.set("QueueName", text_value(queue.name));
  input.set("Attributes", attributes_of(queue, place));
  if (const Value* tags = queue.members.find("Tags")) {
    input.set("tags", to_wire(*tags, "Tags", type_of(queue_members(), "Tags")));
  }
  return sqs_request("CreateQueue", input);
}

std::string dead_letter_target_of(const Resource& queue) {
  const Value* const policy = queue.members.find("RedrivePolicy");
  return policy == nullptr ? std::string() : policy_of(*policy).text_of("deadLetterTargetArn");
}

Request create_stream(const Resource& stream) {
  Value input = map_value();
  input.set("StreamName", text_value(stream.name));
  for (const Member& member : stream.members.members) {
    // An operation of its own sets each of these.
    constexpr std::array<std::string_view, 4> others{"Consumers", "RetentionPeriodHours", "ShardLevelMetrics",
                                                     "StreamEncryption"};
    if (std::ranges::find(others, member.name) != others.end()) continue;
    input.set(member.name, to_wire(member.value, member.name, type_of(stream_members(), member.name)));
  }
  // One shard, unless the file or the mode says how many there are.
  if (input.find("ShardCount") == nullptr && input.find("StreamModeDetails") == nullptr) {
    input.set("ShardCount", number_value(1));
  }
  return kinesis_request("CreateStream", input);
}

std::optional<Request> start_encryption(const Resource& stream) {
  const Value* const given = stream.members.find("StreamEncryption");
  if (given == nullptr || given->text_of("EncryptionType") == "NONE") return std::nullopt;
  Value input = to_wire(*given, "StreamEncryption", type_of(stream_members(), "StreamEncryption"));
  input.set("StreamName", text_value(stream.name));
  return kinesis_request("StartStreamEncryption", input);
}

Request change_metrics(std::string_view operation, const std::string& stream, const std::vector<std::string>& metrics) {
  Value list;
  list.kind = Value::Kind::list;
  for (const std::string& metric : metrics) list.items.push_back(text_value(metric));
  Value input = map_value();
  input.set("StreamName", text_value(stream));
  input.set("ShardLevelMetrics", std::move(list));
  return kinesis_request(operation, input);
}

std::optional<std::vector<std::string>> metrics_of(const Resource& stream) {
  const Value* const given = stream.members.find("ShardLevelMetrics");
  if (given == nullptr) return std::nullopt;
  constexpr std::string_view all = "ALL";
  std::vector<std::string> metrics;
  for (const Value& item : given->items) metrics.push_back(item.text);
  if (std::ranges::find(metrics, all) == metrics.end()) return metrics;
  metrics.clear();
  for (const std::string_view metric : protocol::kinesis::values::metrics_name) {
    if (metric != all) metrics.emplace_back(metric);
  }
  return metrics;
}

std::string path_of(const Consumer& consumer) {
  return "/_penstock/streams/" + protocol::percent_encode(consumer.stream) + "/consumers/" +
         protocol::percent_encode(consumer.name);
}

Request create_consumer(const Consumer& consumer) {
  Value input = map_value();
  for (const Member& member : consumer.members.members) {
    input.set(member.name, to_wire(member.value, member.name, type_of(consumer_members(), member.name)));
  }
  return rest_request("PUT", path_of(consumer), input);
}

std::string path_of_registration(std::string_view function) {
  return "/_penstock/functions/" + protocol::percent_encode(function);
}

std::string path_of_function(std::string_view function, std::string_view what) {
  return ("/2015-03-31/functions/" + protocol::percent_encode(function)).append(what);
}

std::string path_of_concurrency(std::string_view function) {
  return "/2017-10-31/functions/" + protocol::percent_encode(function) + "/concurrency";
}

std::string path_of_invoke_config(std::string_view function) {
  return "/2019-09-25/functions/" + protocol::percent_encode(function) + "/event-invoke-config";
}

Value with_destinations(Value config, const Place& place) {
  for (Member& member : config.members) {
    if (member.name != "DestinationConfig") continue;
    for (Member& destination : member.value.members) put_arn(destination.value, "Destination", place);
  }
  return config;
}

Source source_of(const Mapping& mapping, const Place& place) {
  Source source;
  std::string text = mapping.members.text_of("EventSource");
  if (text.empty()) text = mapping.members.text_of("EventSourceArn");
  if (text.starts_with(queue_prefix)) {
    source.queue = text.substr(queue_prefix.size());
    source.arn = place.queue_arn(source.queue);
  } else if (text.starts_with(stream_prefix)) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    source.stream = text.substr(stream_prefix.size(), slash - stream_prefix.size());
    if (slash < text.size()) source.consumer = text.substr(slash + 1);
    if (source.consumer.empty()) source.arn = place.stream_arn(source.stream);
  } else {
    source.arn = std::move(text);
  }
  return source;
}

std::string shown(const Mapping& mapping) {
  const std::string named = mapping.members.text_of("EventSource");
  return (named.empty() ? mapping.members.text_of("EventSourceArn") : named) + " " +
         mapping.members.text_of("FunctionName");
}

Value settings_of(const Mapping& mapping, const Place& place) {
  Value settings = map_value();
  for (const Member& member : mapping.members.members) {
    if (member.name == "EventSource" || member.name == "EventSourceArn") continue;
    settings.set(member.name, to_wire(member.value, member.name, type_of(mapping_members(), member.name)));
  }
  return with_destinations(std::move(settings), place);
}

Request create_mapping(const Value& settings, const std::string& source_arn) {
  Value input = settings;
  input.set("EventSourceArn", text_value(source_arn));
  return rest_request("POST", "/2015-03-31/event-source-mappings", input);
}

}  // namespace penstock::config
