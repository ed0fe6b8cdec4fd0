#include "config/check.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/queue_settings.hpp"
#include "core/stream_rules.hpp"
#include "core/triggers/function_rules.hpp"
#include "core/triggers/mapping_rules.hpp"
#include "penstock/limits.hpp"
#include "protocol/text.hpp"
#include "protocol/wire.hpp"

namespace penstock::config {

namespace {

// What commands say that the protocol has understood, to those rules of the engine that are about nothing else.

std::optional<Error> objection_of_engine(const Command& command) {
  if (const auto* create = std::get_if<CreateQueue>(&command)) {
    QueueRecord record;
    record.name = create->queue;
    return core::merge_attributes(create->attributes, record);
  }
  if (const auto* of_stream = std::get_if<StreamCommand>(&command)) {
    if (const auto* create = std::get_if<CreateStream>(of_stream)) return core::objection_to(*create);
  }
  return std::nullopt;
}

std::optional<Error> objection_of_engine(const TriggerCommand& command, const Place& place) {
  if (const auto* create = std::get_if<CreateMapping>(&command)) return core::check_mapping(create->mapping);
  const auto* create = std::get_if<CreateFunction>(&command);
  if (create == nullptr) return std::nullopt;
  if (auto error = core::objection_to(create->function)) return error;
  if (!place.objection_to_function) return std::nullopt;
  auto objection = place.objection_to_function(create->function);
  if (!objection) return std::nullopt;
  return Error{ErrorCode::LambdaInvalidRuntime, std::move(*objection)};
}

/// What a request would be refused for.
std::optional<std::string> objection_to(const Request& request, const Place& place) {
  std::vector<protocol::Header> headers;
  protocol::WireRequest received = as_received(request, headers);
  received.now = place.now;
  const protocol::Prepared prepared = protocol::prepare(received, {place.account, place.region});
  if (const auto* response = std::get_if<protocol::WireResponse>(&prepared)) {
    return message_of({response->status, response->body});
  }
  std::optional<Error> error;
  if (const auto* call = std::get_if<protocol::PreparedCall>(&prepared)) error = objection_of_engine(call->command);
  if (const auto* call = std::get_if<protocol::PreparedTriggerCall>(&prepared)) {
    error = objection_of_engine(call->command, place);
  }
  if (!error) return std::nullopt;
  return error->message.empty() ? "it is refused" : error->message;
}

void check(const Request& request, const Place& place, const Value& members, Position at, Problems& problems) {
  const auto objection = objection_to(request, place);
  if (objection) problems.add(place_of_message(*objection, members, at), *objection);
}

void check_queue(const Resource& queue, const Place& place, Problems& problems) {
  // The name, and each attribute alone, so that each has its own problem; and then all of them together.
  if (const auto objection = objection_to(create_queue({queue.name, queue.at, map_value()}, place), place)) {
    return problems.add(queue.at, *objection);
  }
  const std::size_t before = problems.count();
  for (const Member& member : queue.members.members) {
    Resource alone = queue;
    std::erase_if(alone.members.members, [&](const Member& other) { return other.name != member.name; });
    const auto objection = objection_to(create_queue(alone, place), place);
    // What is wrong with one that goes only with others is told of all.
    const bool needs_others = member.name == "FifoThroughputLimit" || member.name == "KmsDataKeyReusePeriodSeconds";
    if (objection && !needs_others) problems.add(member.value.at, *objection);
  }
  if (problems.count() > before) return;
  check(create_queue(queue, place), place, queue.members, queue.at, problems);
}

void check_stream(const Resource& stream, const Place& place, Problems& problems) {
  check(create_stream(stream), place, stream.members, stream.at, problems);
  if (const Value* hours = stream.members.find("RetentionPeriodHours")) {
    constexpr auto min = static_cast<long>(kinesis_limits::retention_hours_min);
    constexpr auto max = static_cast<long>(kinesis_limits::retention_hours_max);
    const long given = hours->text.size() > 9 ? max + 1 : std::strtol(hours->text.c_str(), nullptr, 10);
    if (given < min || given > max) {
      problems.add(hours->at, "RetentionPeriodHours is from " + std::to_string(min) + " to " + std::to_string(max) +
                                  ", not " + hours->text);
    }
  }
  if (const auto encryption = start_encryption(stream)) {
    const Value& given = *stream.members.find("StreamEncryption");
    check(*encryption, place, given, given.at, problems);
  }
  if (const Value* given = stream.members.find("ShardLevelMetrics"); given != nullptr && !given->items.empty()) {
    std::vector<std::string> metrics;
    for (const Value& item : given->items) metrics.push_back(item.text);
    check(change_metrics("EnableEnhancedMonitoring", stream.name, metrics), place, stream.members, given->at, problems);
  }
  const Value* const consumers = stream.members.find("Consumers");
  if (consumers == nullptr) return;
  for (const Value& consumer : consumers->items) {
    Value input = map_value();
    input.set("StreamARN", text_value(place.stream_arn(stream.name)));
    input.set("ConsumerName", text_value(consumer.text));
    check(kinesis_request("RegisterStreamConsumer", input), place, *consumers, consumer.at, problems);
  }
}

void check_function(const Resource& function, const Place& place, Problems& problems) {
  const std::size_t before = problems.count();
  const FunctionParts parts = parts_of(function, place, problems);
  if (problems.count() > before) return;
  check(create_function(function.name, parts, place), place, function.members, function.at, problems);
  if (!parts.zip && !parts.settings.members.empty() && problems.count() == before) {
    check(rest_request("PUT", path_of_function(function.name, "/configuration"), parts.settings), place,
          function.members, function.at, problems);
  }
  if (parts.concurrency) {
    Value input = map_value();
    input.set("ReservedConcurrentExecutions", *parts.concurrency);
    check(rest_request("PUT", path_of_concurrency(function.name), input), place, function.members, function.at,
          problems);
  }
  if (parts.invoke_config) {
    const Value& given = *function.members.find("EventInvokeConfig");
    check(rest_request("PUT", path_of_invoke_config(function.name), *parts.invoke_config), place, given, given.at,
          problems);
  }
}

void check_mapping(const Mapping& mapping, const Place& place, Problems& problems) {
  const Source source = source_of(mapping, place);
  // The second in which a consumer is registered is part of its ARN, and not known yet.
  const std::string arn =
      source.arn.empty() ? place.stream_arn(source.stream) + "/consumer/" + source.consumer + ":1" : source.arn;
  check(create_mapping(settings_of(mapping, place), arn), place, mapping.members, mapping.at, problems);
}

}  // namespace

Position place_of_message(const std::string& message, const Value& members, Position fallback) {
  const auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(), protocol::to_lower);
    return text;
  };
  const std::string said = lower(message);
  const Member* best = nullptr;
  for (const Member& member : members.members) {
    if (said.find(lower(member.name)) == std::string::npos) continue;
    // The longest, since the names of some are within those of others.
    if (best == nullptr || member.name.size() > best->name.size()) best = &member;
  }
  return best == nullptr ? fallback : best->value.at;
}

// What has a problem already would only have it again in other words.
void check_setup(const Setup& setup, const Place& place, Problems& problems) {
  for (const Resource& queue : setup.queues) {
    if (queue.in_order) check_queue(queue, place, problems);
  }
  for (const Resource& stream : setup.streams) {
    if (stream.in_order) check_stream(stream, place, problems);
  }
  for (const Consumer& consumer : setup.consumers) {
    if (consumer.in_order) check(create_consumer(consumer), place, consumer.members, consumer.at, problems);
  }
  for (const Resource& function : setup.functions) {
    if (function.in_order) check_function(function, place, problems);
  }
  for (const Mapping& mapping : setup.mappings) {
    if (mapping.in_order) check_mapping(mapping, place, problems);
  }
}

}  // namespace penstock::config
