// Of a template: the mappings, both those that are resources and the events of functions.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "config/template/translator.hpp"

namespace penstock::config {

namespace {

constexpr std::array mapping_properties{
    Property{"AmazonManagedKafkaEventSourceConfig", Use::passed_over},
    Property{"BatchSize"},
    Property{"BisectBatchOnFunctionError"},
    Property{"DestinationConfig", Use::special},
    Property{"DocumentDBEventSourceConfig", Use::passed_over},
    Property{"Enabled"},
    Property{"EventSourceArn", Use::lazy},
    Property{"FilterCriteria"},
    Property{"FunctionName", Use::special},
    Property{"FunctionResponseTypes"},
    Property{"KmsKeyArn", Use::member, "KMSKeyArn"},
    Property{"LoggingConfig", Use::passed_over},
    Property{"MaximumBatchingWindowInSeconds"},
    Property{"MaximumRecordAgeInSeconds"},
    Property{"MaximumRetryAttempts"},
    Property{"MetricsConfig"},
    Property{"ParallelizationFactor"},
    Property{"ProvisionedPollerConfig", Use::passed_over},
    Property{"Queues", Use::passed_over},
    Property{"ScalingConfig"},
    Property{"SelfManagedEventSource", Use::passed_over},
    Property{"SelfManagedKafkaEventSourceConfig", Use::passed_over},
    Property{"SourceAccessConfigurations", Use::passed_over},
    Property{"StartingPosition"},
    Property{"StartingPositionTimestamp"},
    Property{"Tags", Use::special},
    Property{"Topics", Use::passed_over},
    Property{"TumblingWindowInSeconds"},
};

constexpr std::array queue_event_properties{
    Property{"BatchSize"},
    Property{"Enabled"},
    Property{"FilterCriteria"},
    Property{"FunctionResponseTypes"},
    Property{"KmsKeyArn", Use::member, "KMSKeyArn"},
    Property{"LoggingConfig", Use::passed_over},
    Property{"MaximumBatchingWindowInSeconds"},
    Property{"MetricsConfig"},
    Property{"ProvisionedPollerConfig", Use::passed_over},
    Property{"Queue", Use::lazy},
    Property{"ScalingConfig"},
};

constexpr std::array stream_event_properties{
    Property{"BatchSize"},
    Property{"BisectBatchOnFunctionError"},
    Property{"DestinationConfig", Use::special},
    Property{"Enabled"},
    Property{"FilterCriteria"},
    Property{"FunctionResponseTypes"},
    Property{"KmsKeyArn", Use::member, "KMSKeyArn"},
    Property{"MaximumBatchingWindowInSeconds"},
    Property{"MaximumRecordAgeInSeconds"},
    Property{"MaximumRetryAttempts"},
    Property{"MetricsConfig"},
    Property{"ParallelizationFactor"},
    Property{"StartingPosition"},
    Property{"StartingPositionTimestamp"},
    Property{"Stream", Use::lazy},
    Property{"TumblingWindowInSeconds"},
};

struct EventType {
  std::string_view type;
  std::string_view source;
  std::span<const Property> properties;
};
constexpr std::array event_types{
    EventType{"SQS", "Queue", queue_event_properties},
    EventType{"Kinesis", "Stream", stream_event_properties},
};

/// Whether an ARN is of a service that is not offered.
bool is_of_another_service(std::string_view text) {
  return text.starts_with("arn:") && text.find(":sqs:") == std::string_view::npos &&
         text.find(":kinesis:") == std::string_view::npos;
}

}  // namespace

std::string Translator::function_named(const std::string& text) const {
  const std::string home = resources_.place().function_arn({});
  return text.starts_with(home) ? text.substr(home.size()) : text;
}

bool Translator::set_source(const std::string& what, const Value* given, Mapping& mapping) {
  if (given == nullptr) {
    problems_.note(mapping.at, "the source of " + what + " is no queue and no stream: it is skipped");
    return false;
  }
  Value source = *given;
  std::string name = "EventSource";
  if (const std::string consumer = consumer_of(source); !consumer.empty()) {
    source = text_value(consumer);
    source.at = given->at;
  } else if (is_unknown(source) && !subject_of(source).empty()) {
    problems_.note(source.at, "the source of " + what + ", " + in_quotes(subject_of(source)) +
                                  ", is no queue and no stream: it is skipped");
    return false;
  } else if (!settle(source, problems_)) {
    return false;
  } else if (source.is_scalar() && is_of_another_service(source.text)) {
    problems_.note(source.at,
                   "the source of " + what + ", " + source.text + ", is no queue and no stream: it is skipped");
    return false;
  } else {
    const std::string queues = resources_.place().queue_arn({});
    const std::string streams = resources_.place().stream_arn({});
    if (source.text.starts_with(queues)) {
      source.text = "queue:" + source.text.substr(queues.size());
    } else if (source.text.starts_with(streams) && source.text.find("/consumer/") == std::string::npos) {
      source.text = "stream:" + source.text.substr(streams.size());
    } else {
      name += "Arn";
    }
  }
  mapping.members.members.insert(mapping.members.members.begin(), {name, source.at, source});
  return true;
}

void Translator::add_mapping(Mapping mapping, std::size_t problems_before) {
  check_members(mapping.members, mapping_members(), problems_);
  check_is_new(mapping, setup_.mappings, problems_);
  mapping.in_order = problems_.count() == problems_before;
  setup_.mappings.push_back(std::move(mapping));
}

/// Destinations as the API has them: SAM says of what type they are, too.
Value Translator::with_bare_destinations(const Value& config, std::string_view what) {
  Value bare = config;
  for (Member& member : bare.members) {
    const bool has_type = std::erase_if(member.value.members, [](const Member& one) { return one.name == "Type"; }) > 0;
    if (has_type && member.value.find("Destination") == nullptr) {
      problems_.add(member.at, in_quotes(member.name) + " of " + std::string(what) +
                                   " needs a Destination: none is made for it here");
    }
  }
  return bare;
}

void Translator::translate_mapping(const Declared& declared) {
  const std::size_t before = problems_.count();
  const std::string what = in_quotes(declared.id);
  Mapping mapping{declared.at, map_value()};
  mapping.members.at = declared.at;
  // What else such a mapping has belongs to its source.
  const Value* const given = declared.properties.find("EventSourceArn");
  const auto source = given == nullptr ? std::nullopt : resources_.evaluator().evaluate(*given);
  if (!set_source(what, source ? &*source : nullptr, mapping)) return;

  Properties sorted = sort(declared, mapping_properties, mapping_members());
  for (Member& member : sorted.members.members) mapping.members.members.push_back(std::move(member));
  const Value* const function = sorted.special.find("FunctionName");
  if (declared.properties.find("FunctionName") == nullptr) problems_.add(declared.at, what + " has no FunctionName");
  if (function != nullptr) {
    Value name = *function;
    name.text = function_named(name.text);
    mapping.members.set("FunctionName", std::move(name));
  }
  if (const Value* tags = sorted.special.find("Tags")) mapping.members.set("Tags", tags_of(*tags, problems_));
  if (const Value* config = sorted.special.find("DestinationConfig")) {
    mapping.members.set("DestinationConfig", with_bare_destinations(*config, what));
  }
  add_mapping(std::move(mapping), before);
}

void Translator::translate_event(const std::string& id, const std::string& function, const Member& event) {
  const std::string what = "the event " + in_quotes(event.name) + " of " + in_quotes(id);
  for (const Member& member : event.value.members) {
    if (member.name != "Type" && member.name != "Properties") {
      return problems_.add(member.at, no_such(member.name, {"Properties", "Type"}));
    }
  }
  const std::string type = event.value.text_of("Type");
  if (type.empty()) return problems_.add(event.at, what + " has no Type");
  const auto* const known = std::ranges::find(event_types, type, &EventType::type);
  if (known == event_types.end()) {
    return problems_.note(event.at, "events of the type " + type + " are not offered here: " + what + " is skipped");
  }
  const std::size_t before = problems_.count();
  const Value* const properties = event.value.find("Properties");
  const Value given = properties == nullptr ? map_value() : *properties;
  Properties sorted =
      sort_properties(given, known->properties, mapping_members(), what, resources_.evaluator(), problems_);
  if (given.find(known->source) == nullptr) {
    return problems_.add(event.at, what + " has no " + std::string(known->source));
  }
  Mapping mapping{event.at, map_value()};
  mapping.members.at = event.at;
  if (!set_source(what, sorted.special.find(known->source), mapping)) return;
  for (Member& member : sorted.members.members) mapping.members.members.push_back(std::move(member));
  Value name = text_value(function);
  name.at = event.at;
  mapping.members.set("FunctionName", std::move(name));
  if (const Value* config = sorted.special.find("DestinationConfig")) {
    mapping.members.set("DestinationConfig", with_bare_destinations(*config, what));
  }
  add_mapping(std::move(mapping), before);
}

}  // namespace penstock::config
