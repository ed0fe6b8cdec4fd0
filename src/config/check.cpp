#include "config/check.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/shapes.hpp"
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

using Names = std::initializer_list<std::string_view>;

bool is_in(std::string_view name, Names names) { return std::ranges::find(names, name) != names.end(); }

/// Those that are of the API's names and types.
Value in_order(const Value& members, const AllowedMembers& allowed) {
  Value rest = members;
  std::erase_if(rest.members, [&](const Member& member) {
    Value alone = map_value();
    alone.members = {member};
    Problems found{""};
    check_members(alone, allowed, found);
    return !found.empty();
  });
  return rest;
}

void erase(Value& members, std::string_view name) {
  std::erase_if(members.members, [&](const Member& member) { return member.name == name; });
}

/// Adds what is wrong with each of the members alone, as a request has it that `make` makes of a map with that one
/// alone. Those of `needs_others` are not looked at. Answers with the names of those that have a problem now.
template <class Make>
std::vector<std::string> check_each(const Value& members, Names needs_others, const Place& place, Problems& problems,
                                    const Make& make) {
  std::vector<std::string> wrong;
  for (const Member& member : members.members) {
    if (is_in(member.name, needs_others)) continue;
    Value alone = map_value();
    alone.members = {member};
    const auto objection = objection_to(make(alone), place);
    if (!objection) continue;
    problems.add(member.value.at, *objection);
    wrong.push_back(member.name);
  }
  return wrong;
}

/// What a resource is refused for: what is wrong with each member by itself, and then with what is left of them
/// together. `whole` is the request for all of it, or nothing where there are other members, which have their problems
/// already: then it is not told what may only follow from their absence.
template <class Make>
void check_all(const Value& members, const std::optional<Request>& whole, Names needs_others, Position at,
               const Place& place, Problems& problems, const Make& make) {
  const auto objection = whole ? objection_to(*whole, place) : std::nullopt;
  if (whole && !objection) return;
  const std::vector<std::string> wrong = check_each(members, needs_others, place, problems, make);
  if (!whole) return;
  if (wrong.empty()) return problems.add(place_of_message(*objection, members, at), *objection);
  Value rest = members;
  for (const std::string& name : wrong) erase(rest, name);
  for (const std::string_view name : needs_others) erase(rest, name);
  check(make(rest), place, rest, at, problems);
}

/// The name, or one that could be where it could not, so that all else can be judged all the same. `make` makes a
/// request that could be refused for nothing else.
template <class Make>
std::string check_name(const std::string& name, const std::string& other, Position at, const Place& place,
                       Problems& problems, const Make& make) {
  const auto objection = objection_to(make(name), place);
  if (!objection) return name;
  problems.add(at, *objection);
  return other;
}

/// As it is asked for where all of it is in order.
std::optional<Request> if_whole(bool is_whole, Request request) {
  return is_whole ? std::optional(std::move(request)) : std::nullopt;
}

void check_queue(const Resource& queue, const Place& place, Problems& problems) {
  const bool is_fifo = queue.name.ends_with(".fifo");
  const std::string name =
      check_name(queue.name, is_fifo ? "q.fifo" : "q", queue.at, place, problems, [&](const std::string& called) {
        return create_queue({called, queue.at, map_value()}, place);
      });
  const Value members = in_order(queue.members, queue_members());
  // Where it is not known whether it is a FIFO queue, it may be one.
  const bool may_be_fifo = !queue.in_order && members.find("FifoQueue") == nullptr;
  const auto make = [&](const Value& some) {
    const bool is_of_fifo =
        some.find("ContentBasedDeduplication") != nullptr || some.find("DeduplicationScope") != nullptr;
    return create_queue({may_be_fifo && is_of_fifo ? "q.fifo" : name, queue.at, some}, place);
  };
  check_all(members, if_whole(queue.in_order, make(members)), {"FifoThroughputLimit", "KmsDataKeyReusePeriodSeconds"},
            queue.at, place, problems, make);
}

void check_stream(const Resource& stream, const Place& place, Problems& problems) {
  const Value members = in_order(stream.members, stream_members());
  Value of_creation = members;
  // An operation of its own sets each of these.
  for (const char* name : {"Consumers", "RetentionPeriodHours", "ShardLevelMetrics", "StreamEncryption"}) {
    erase(of_creation, name);
  }
  const std::string name = check_name(stream.name, "s", stream.at, place, problems, [&](const std::string& called) {
    return create_stream({called, stream.at, map_value()});
  });
  const auto make = [&](const Value& some) { return create_stream({name, stream.at, some}); };
  check_all(of_creation, if_whole(stream.in_order, make(of_creation)), {"WarmThroughputMiBps"}, stream.at, place,
            problems, make);
  if (const Value* hours = members.find("RetentionPeriodHours")) {
    constexpr auto min = static_cast<long>(kinesis_limits::retention_hours_min);
    constexpr auto max = static_cast<long>(kinesis_limits::retention_hours_max);
    const long given = hours->text.size() > 9 ? max + 1 : std::strtol(hours->text.c_str(), nullptr, 10);
    if (given < min || given > max) {
      problems.add(hours->at, "RetentionPeriodHours is from " + std::to_string(min) + " to " + std::to_string(max) +
                                  ", not " + hours->text);
    }
  }
  if (const auto encryption = start_encryption({name, stream.at, members})) {
    const Value& given = *members.find("StreamEncryption");
    check(*encryption, place, given, given.at, problems);
  }
  if (const Value* given = members.find("ShardLevelMetrics"); given != nullptr && !given->items.empty()) {
    std::vector<std::string> metrics;
    for (const Value& item : given->items) metrics.push_back(item.text);
    check(change_metrics("EnableEnhancedMonitoring", name, metrics), place, members, given->at, problems);
  }
  const Value* const consumers = members.find("Consumers");
  if (consumers == nullptr) return;
  for (const Value& consumer : consumers->items) {
    Value input = map_value();
    input.set("StreamARN", text_value(place.stream_arn(name)));
    input.set("ConsumerName", text_value(consumer.text));
    check(kinesis_request("RegisterStreamConsumer", input), place, *consumers, consumer.at, problems);
  }
}

void check_consumer(const Consumer& consumer, const Place& place, Problems& problems) {
  const auto make = [&](const Value& some) {
    return create_consumer({consumer.stream, consumer.name, consumer.at, some});
  };
  if (const auto objection = objection_to(make(map_value()), place)) return problems.add(consumer.at, *objection);
  const Value members = in_order(consumer.members, consumer_members());
  check_all(members, if_whole(consumer.in_order, make(members)), {}, consumer.at, place, problems, make);
}

// ---- Functions

/// What could stand in the place of what could not, where a function needs it; a null where it does not.
Value good_value(std::string_view name) {
  if (name == "Runtime") return text_value("python3.11");
  if (name == "Handler") return text_value("index.handler");
  if (name == "Url") return text_value("http://localhost/");
  Value value;
  if (name == "Command") {
    value.kind = Value::Kind::list;
    value.items.push_back(text_value("true"));
  }
  return value;
}

/// A registration in which nothing but `some` could be wrong.
Value registration_with(const Value& some) {
  const bool is_handler = some.find("Runtime") != nullptr || some.find("Handler") != nullptr;
  Value whole = map_value();
  if (is_handler) {
    whole.set("Kind", text_value("handler"));
    whole.set("Directory", text_value("/"));
    for (const char* name : {"Runtime", "Handler"}) whole.set(name, good_value(name));
  } else {
    const bool is_url = some.find("Url") != nullptr;
    whole.set("Kind", text_value(is_url ? "url" : "exec"));
    if (!is_url) whole.set("Command", good_value("Command"));
  }
  for (const Member& member : some.members) whole.set(member.name, member.value);
  return whole;
}

Request configuration_request(const std::string& name, const Value& settings) {
  return rest_request("PUT", path_of_function(name, "/configuration"), settings);
}

/// Where any function can be run.
Place without_interpreters(Place place) {
  place.objection_to_function = nullptr;
  return place;
}

/// What is wrong with each member of a function that cannot be made, which is then left out, or is as it could be.
/// Answers whether the Runtime was wrong.
bool check_function_members(const std::string& name, FunctionParts& parts, bool has_runtime, const Place& place,
                            Problems& problems) {
  Value& registration = parts.registration;
  const Place anywhere = without_interpreters(place);
  // Of a zip only the interpreter matters, which a registration is asked for; but that of a bootstrap is its own.
  const bool is_interpreted = !registration.text_of("Runtime").starts_with("provided");
  const auto make = [&](const Value& some) {
    if (!parts.zip || (is_interpreted && some.find("Runtime") != nullptr))
      return rest_request("PUT", path_of_registration(name), registration_with(some));
    FunctionParts one;
    one.registration = some;
    return configuration_request(name, lambda_settings_of(one));
  };
  if (const Value* variables = registration.find("Environment")) {
    Value rest = *variables;
    const auto make_with = [&](const Value& some) {
      Value alone = map_value();
      alone.set("Environment", some);
      return make(alone);
    };
    for (const std::string& wrong : check_each(*variables, {}, anywhere, problems, make_with)) erase(rest, wrong);
    registration.set("Environment", std::move(rest));
  }
  // Of the others only some kinds may have them, and not by themselves.
  const bool is_handler = parts.zip || registration.text_of("Kind") == "handler";
  Value alone = registration;
  for (const char* other : {"Kind", "Directory", "Runtime"}) erase(alone, other);
  if (!is_handler) erase(alone, "Handler");
  std::vector<std::string> all_wrong = check_each(alone, {}, anywhere, problems, make);
  bool is_runtime_wrong = false;
  if (const Value* runtime = registration.find("Runtime"); runtime != nullptr && is_handler && has_runtime) {
    Value of_runtime = map_value();
    of_runtime.set("Runtime", *runtime);
    is_runtime_wrong = !check_each(of_runtime, {}, place, problems, make).empty();
    if (is_runtime_wrong) all_wrong.emplace_back("Runtime");
  }
  for (const std::string& wrong : all_wrong) {
    Value good = good_value(wrong);
    erase(registration, wrong);
    if (good.kind != Value::Kind::null) registration.set(wrong, std::move(good));
  }
  if (!parts.zip) return is_runtime_wrong;
  const auto make_settings = [&](const Value& some) { return configuration_request(name, some); };
  for (const std::string& wrong : check_each(parts.settings, {}, place, problems, make_settings)) {
    erase(parts.settings, wrong);
  }
  return is_runtime_wrong;
}

/// Whether what is said of a function's form and code could not be said only for want of members that are not in order.
bool knows_form(const Value& members, const Resource& function) {
  if (function.in_order) return true;
  if (members.find("InlineCode") != nullptr) return false;
  if (members.find("Code") != nullptr || members.find("Directory") != nullptr) return true;
  const bool are_others_wrong = std::ranges::any_of(
      function.members.members, [&](const Member& member) { return members.find(member.name) == nullptr; });
  const bool is_form_wrong = std::ranges::any_of(
      std::array{"Code", "Command", "Directory", "InlineCode", "Runtime", "Url"},
      [&](const char* name) { return function.members.find(name) != nullptr && members.find(name) == nullptr; });
  return are_others_wrong && !is_form_wrong;
}

void check_creation(const std::string& name, const Resource& function, const FunctionParts& parts, bool is_whole,
                    const Place& place, Problems& problems) {
  const auto objection = is_whole ? objection_to(create_function(name, parts, place), place) : std::nullopt;
  if (is_whole && !objection) return;
  const std::size_t before = problems.count();
  FunctionParts rest = parts;
  // Of code in the file that is in another language it was told already.
  const bool has_runtime = parts.zip || function.members.find("InlineCode") == nullptr;
  const bool is_runtime_wrong = check_function_members(name, rest, has_runtime, place, problems);
  if (!is_whole) return;
  // Whether there is an interpreter for one that could be in its place nobody asked.
  const Place other = is_runtime_wrong ? without_interpreters(place) : place;
  if (problems.count() == before) {
    return problems.add(place_of_message(*objection, function.members, function.at), *objection);
  }
  check(create_function(name, rest, other), other, function.members, function.at, problems);
}

void check_function(const Resource& function, const Place& place, Problems& problems) {
  const std::string name =
      check_name(function.name, "f", function.at, without_interpreters(place), problems, [](const std::string& called) {
        return rest_request("PUT", path_of_registration(called), registration_with(map_value()));
      });
  const Resource part{function.name, function.at, in_order(function.members, function_members())};
  const std::size_t before = problems.count();
  Problems of_absence{""};
  const FunctionParts parts = parts_of(part, place, knows_form(part.members, function) ? problems : of_absence);
  const bool is_whole = function.in_order && problems.count() == before;
  check_creation(name, function, parts, is_whole, place, problems);
  if (!parts.zip && !parts.settings.members.empty()) {
    const auto make = [&](const Value& some) { return configuration_request(name, some); };
    check_all(parts.settings, make(parts.settings), {}, function.at, place, problems, make);
  }
  if (parts.concurrency) {
    Value input = map_value();
    input.set("ReservedConcurrentExecutions", *parts.concurrency);
    check(rest_request("PUT", path_of_concurrency(name), input), place, function.members, function.at, problems);
  }
  if (parts.invoke_config) {
    const Value& given = *function.members.find("EventInvokeConfig");
    check(rest_request("PUT", path_of_invoke_config(name), *parts.invoke_config), place, given, given.at, problems);
  }
}

// ---- Mappings

void check_mapping(const Mapping& mapping, const Place& place, Problems& problems) {
  const Mapping part{mapping.at, in_order(mapping.members, mapping_members())};
  const Source source = source_of(part, place);
  // What a mapping may have goes by its source.
  if (source.arn.empty() && source.stream.empty()) return;
  // The second in which a consumer is registered is part of its ARN, and not known yet.
  const std::string arn =
      source.arn.empty() ? place.stream_arn(source.stream) + "/consumer/" + source.consumer + ":1" : source.arn;
  const bool is_of_stream = arn.find(":kinesis:") != std::string::npos;
  // With what some of them need of others.
  const auto make = [&](const Value& some) {
    Value settings = settings_of({mapping.at, some}, place);
    const auto add = [&](const char* name, Value value) {
      if (settings.find(name) == nullptr) settings.set(name, std::move(value));
    };
    add("FunctionName", text_value("f"));
    if (is_of_stream) add("StartingPosition", text_value("LATEST"));
    const bool may_wait = !is_of_stream && !arn.ends_with(".fifo");
    if (may_wait && settings.find("BatchSize") != nullptr) add("MaximumBatchingWindowInSeconds", number_value(1));
    return create_mapping(settings, arn);
  };
  const Request whole = create_mapping(settings_of(part, place), arn);
  if (const auto objection = objection_to(make(map_value()), place)) {
    return problems.add(place_of_message(*objection, mapping.members, mapping.at), *objection);
  }
  check_all(part.members, if_whole(mapping.in_order, whole), {"StartingPosition", "StartingPositionTimestamp"},
            mapping.at, place, problems, make);
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

void check_setup(const Setup& setup, const Place& place, Problems& problems) {
  for (const Resource& queue : setup.queues) check_queue(queue, place, problems);
  for (const Resource& stream : setup.streams) check_stream(stream, place, problems);
  for (const Consumer& consumer : setup.consumers) check_consumer(consumer, place, problems);
  for (const Resource& function : setup.functions) check_function(function, place, problems);
  for (const Mapping& mapping : setup.mappings) check_mapping(mapping, place, problems);
}

}  // namespace penstock::config
