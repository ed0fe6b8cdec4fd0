#include "config/setup.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/shapes.hpp"

namespace penstock::config {

namespace {

constexpr std::size_t resources_max = 10'000;
constexpr std::string_view extension_prefix = "x-";

/// A map, or nothing at all, which is an empty one.
bool is_map(const Value& value, const std::string& what, Problems& problems) {
  if (!value.tag.empty()) problems.add(value.at, "the tag " + value.tag + " is not known");
  if (value.kind == Value::Kind::map) return true;
  if (value.kind != Value::Kind::null) problems.add(value.at, what + " has to be a map");
  return false;
}

/// What stands below the name of a resource.
Value members_of(const Value& value, const std::string& what, const AllowedMembers& allowed, Problems& problems) {
  Value members = map_value();
  members.at = value.at;
  if (is_map(value, what, problems)) {
    check_members(value, allowed, problems);
    members.members = value.members;
  }
  return members;
}

std::vector<Resource> read_resources(const Value& section, const std::string& kind, const AllowedMembers& allowed,
                                     Problems& problems) {
  std::vector<Resource> resources;
  if (!is_map(section, in_quotes(kind + "s"), problems)) return resources;
  for (const Member& member : section.members) {
    if (resources.size() == resources_max) {
      problems.add(member.at, "there are more than " + std::to_string(resources_max) + " " + kind + "s");
      break;
    }
    const std::string what = "the " + kind + " " + in_quotes(member.name);
    const std::size_t before = problems.count();
    Value members = members_of(member.value, what, allowed, problems);
    resources.push_back({member.name, member.at, std::move(members), problems.count() == before});
  }
  return resources;
}

std::vector<Setting> read_settings(const Value& section, Problems& problems) {
  std::vector<Setting> settings;
  if (!is_map(section, "'settings'", problems)) return settings;
  for (const Member& member : section.members) {
    Setting setting{member.name, member.at, {}, member.value.at};
    std::vector<Value> values = member.value.items;
    if (member.value.kind != Value::Kind::list) values.push_back(member.value);
    for (const Value& value : values) {
      if (!value.is_scalar() || !value.tag.empty()) {
        problems.add(value.at, in_quotes(member.name) + " has to be a text, a number, true or false");
      } else {
        setting.values.push_back(value.text);
      }
    }
    settings.push_back(std::move(setting));
  }
  return settings;
}

std::vector<Consumer> read_consumers(const Value& section, Problems& problems) {
  std::vector<Consumer> consumers;
  if (!is_map(section, "'consumers'", problems)) return consumers;
  for (const Member& stream : section.members) {
    if (!is_map(stream.value, "the consumers of " + in_quotes(stream.name), problems)) continue;
    for (const Member& member : stream.value.members) {
      const std::size_t before = problems.count();
      const std::string what = "the consumer " + in_quotes(member.name);
      Value members = members_of(member.value, what, consumer_members(), problems);
      consumers.push_back({stream.name, member.name, member.at, std::move(members), problems.count() == before});
    }
  }
  return consumers;
}

std::string source_of(const Value& members) {
  const std::string named = members.text_of("EventSource");
  return named.empty() ? members.text_of("EventSourceArn") : named;
}

void check_mapping(const Value& members, Problems& problems) {
  const bool named = members.find("EventSource") != nullptr;
  const bool by_arn = members.find("EventSourceArn") != nullptr;
  if (named == by_arn) {
    problems.add(members.at, named ? "EventSource and EventSourceArn exclude each other"
                                   : "the mapping has no EventSource, such as queue:NAME or stream:NAME");
  }
  if (members.find("FunctionName") == nullptr) problems.add(members.at, "the mapping has no FunctionName");
  if (const Value* source = members.find("EventSource"); source != nullptr && source->is_scalar()) {
    const std::string& text = source->text;
    const bool known = std::ranges::any_of(std::array{"queue:", "stream:", "arn:"},
                                           [&](const char* prefix) { return text.starts_with(prefix); });
    if (!known) {
      problems.add(source->at,
                   "an EventSource is an ARN, queue:NAME, stream:NAME or stream:NAME/CONSUMER, not " + in_quotes(text));
    }
  }
}

std::vector<Mapping> read_mappings(const Value& section, Problems& problems) {
  std::vector<Mapping> mappings;
  if (section.kind == Value::Kind::null) return mappings;
  if (section.kind != Value::Kind::list) {
    problems.add(section.at, "'mappings' has to be a list");
    return mappings;
  }
  for (const Value& item : section.items) {
    if (!is_map(item, "a mapping", problems)) {
      if (item.kind == Value::Kind::null) problems.add(item.at, "a mapping has to be a map");
      continue;
    }
    const std::size_t before = problems.count();
    check_members(item, mapping_members(), problems);
    check_mapping(item, problems);
    Mapping mapping{item.at, item};
    check_is_new(mapping, mappings, problems);
    mapping.in_order = problems.count() == before;
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

}  // namespace

void check_is_new(const Mapping& mapping, const std::vector<Mapping>& others, Problems& problems) {
  const std::string source = source_of(mapping.members);
  const std::string function = mapping.members.text_of("FunctionName");
  const bool known = std::ranges::any_of(others, [&](const Mapping& other) {
    return source_of(other.members) == source && other.members.text_of("FunctionName") == function;
  });
  if (!known) return;
  problems.add(mapping.at, "there is a mapping of " + in_quotes(source) + " to " + in_quotes(function) + " before");
}

FunctionKind kind_of(std::string_view runtime, bool has_command, bool has_url) {
  if (has_url) return FunctionKind::url;
  if (has_command || runtime.empty() || runtime.starts_with("provided")) return FunctionKind::runtime;
  return FunctionKind::handler;
}

Setup read_setup(const Value& document, Problems& problems) {
  Setup setup;
  if (!is_map(document, "the file", problems)) return setup;
  for (const Member& section : document.members) {
    const Value& value = section.value;
    // What only has anchors for others.
    if (section.name.starts_with(extension_prefix)) continue;
    if (section.name == "settings") {
      setup.settings = read_settings(value, problems);
    } else if (section.name == "credentials") {
      setup.credentials = read_credentials(value, problems);
    } else if (section.name == "queues") {
      setup.queues = read_resources(value, "queue", queue_members(), problems);
    } else if (section.name == "streams") {
      setup.streams = read_resources(value, "stream", stream_members(), problems);
    } else if (section.name == "consumers") {
      setup.consumers = read_consumers(value, problems);
    } else if (section.name == "functions") {
      setup.functions = read_resources(value, "function", function_members(), problems);
    } else if (section.name == "mappings") {
      setup.mappings = read_mappings(value, problems);
    } else {
      problems.add(section.at,
                   "there is no " + in_quotes(section.name) +
                       "; a file has settings, credentials, queues, streams, consumers, functions and mappings");
    }
  }
  return setup;
}

}  // namespace penstock::config
