// Of a plan: the mappings.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "config/planner.hpp"
#include "protocol/percent.hpp"

namespace penstock::config {

namespace {

constexpr const char* mappings_path = "/2015-03-31/event-source-mappings";

/// With which a mapping is made for good.
constexpr std::array<std::string_view, 2> for_good{"StartingPosition", "StartingPositionTimestamp"};

Position place_of_source(const Mapping& mapping) {
  for (const char* name : {"EventSource", "EventSourceArn"}) {
    if (const Value* source = mapping.members.find(name)) return source->at;
  }
  return mapping.at;
}

bool is_on(const std::string& state) { return state != "Disabled" && state != "Disabling"; }

}  // namespace

void Planner::plan_mappings() {
  for (const Mapping& mapping : setup_.mappings) plan_mapping(mapping);
}

void Planner::check_mapping_names(const Mapping& mapping, const Source& source) {
  const Value& members = mapping.members;
  const Position place = place_of_source(mapping);
  if (source.arn.find(":sqs:") != std::string::npos) need_queue(source.arn, place);
  need_stream(source.stream, place);
  if (const Value* function = members.find("FunctionName")) need_function(function->text, function->at);
  need_destinations(members);
}

/// A consumer is one that the setup registers, or that is there.
bool Planner::has_source(const Mapping& mapping, const Source& source) {
  if (source.consumer.empty()) return true;
  const auto stream = std::ranges::find(setup_.streams, source.stream, &Resource::name);
  const Value* const consumers = stream == setup_.streams.end() ? nullptr : stream->members.find("Consumers");
  if (consumers != nullptr &&
      std::ranges::find(consumers->items, source.consumer, &Value::text) != consumers->items.end()) {
    return true;
  }
  if (registered_arn(source.stream, source.consumer)) return true;
  problems_.add(place_of_source(mapping), "the stream '" + source.stream + "' has no consumer '" + source.consumer +
                                              "', neither in the file nor on the server");
  return false;
}

void Planner::plan_mapping(const Mapping& mapping) {
  Source source = source_of(mapping, place_);
  const std::string function = mapping.members.text_of("FunctionName");
  const std::size_t before = problems_.count();
  check_mapping_names(mapping, source);
  if (problems_.count() > before || !has_source(mapping, source)) return;

  Step& step = add_step("mapping", shown(mapping), mapping.at, mapping.members);
  if (!source.consumer.empty()) source.arn = registered_arn(source.stream, source.consumer).value_or("");
  std::optional<Value> found;
  if (!source.arn.empty()) {
    found = look(
        rest_request("GET", std::string(mappings_path) + "?EventSourceArn=" + protocol::percent_encode(source.arn) +
                                "&FunctionName=" + protocol::percent_encode(function)),
        mapping.at);
  }
  const Value* const list = found ? found->find("EventSourceMappings") : nullptr;
  if (list != nullptr && !list->items.empty()) return change_mapping(mapping, list->items.front(), step);

  step.action = Action::create;
  Call call{create_mapping(settings_of(mapping, place_), source.arn)};
  if (source.arn.empty()) {
    call.stream = source.stream;
    call.consumer = source.consumer;
  }
  step.calls.push_back(std::move(call));
}

void Planner::change_mapping(const Mapping& mapping, const Value& actual, Step& step) {
  Value wanted = settings_of(mapping, place_);
  std::erase_if(wanted.members,
                [](const Member& member) { return member.name == "FunctionName" || member.name == "Tags"; });
  Value there = actual;
  Value enabled;
  enabled.kind = Value::Kind::boolean;
  enabled.text = is_on(actual.text_of("State")) ? "true" : "false";
  there.set("Enabled", enabled);
  Value differences = differing(wanted, there, step);
  for (const std::string_view name : for_good) {
    if (const Value* position = differences.find(name)) {
      problems_.add(position->at, "the mapping is there, and its " + std::string(name) +
                                      " cannot be changed; it would have to be removed before (" +
                                      actual.text_of("UUID") + ")");
    }
  }
  if (!differences.members.empty()) {
    step.calls.push_back({rest_request(
        "PUT", std::string(mappings_path) + "/" + protocol::percent_encode(actual.text_of("UUID")), differences)});
  }
  if (const Value* tags = mapping.members.find("Tags")) {
    const std::string path = "/2017-03-31/tags/" + protocol::percent_encode(actual.text_of("EventSourceMappingArn"));
    const auto known = look(rest_request("GET", path), mapping.at);
    const Value* const tags_there = known ? known->find("Tags") : nullptr;
    if (!agrees(*tags, tags_there == nullptr ? map_value() : *tags_there)) {
      step.changes.emplace_back("Tags");
      Value input = map_value();
      input.set("Tags", *settings_of(mapping, place_).find("Tags"));
      step.calls.push_back({rest_request("POST", path, input)});
    }
  }
  if (!step.calls.empty()) step.action = Action::update;
}

}  // namespace penstock::config
