#include "config/convert.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "config/hocon.hpp"
#include "config/setup.hpp"
#include "config/yaml.hpp"
#include "config/yaml_writer.hpp"

namespace penstock::config {

namespace {

constexpr std::array<std::string_view, 2> origins{"elasticmq", "goaws"};

bool is_elasticmq(const Value& document) {
  constexpr std::array<std::string_view, 4> sections{"node-address", "queues", "rest-sqs", "queues-storage"};
  return std::ranges::any_of(document.members, [&](const Member& member) {
    return std::ranges::find(sections, member.name) != sections.end();
  });
}

bool is_goaws(const Value& document) {
  return std::ranges::any_of(document.members, [](const Member& member) {
    return std::ranges::any_of(std::array{"Queues", "Topics", "QueueAttributeDefaults"},
                               [&](const char* name) { return member.value.find(name) != nullptr; });
  });
}

std::optional<Value> read(std::string_view text, Origin origin, Problems& problems) {
  return origin == Origin::elasticmq ? read_hocon(text, problems) : read_yaml(text, problems);
}

std::optional<Origin> origin_of(std::string_view text) {
  for (const Origin origin : {Origin::goaws, Origin::elasticmq}) {
    Problems ignored("");
    const auto document = read(text, origin, ignored);
    if (document && (origin == Origin::goaws ? is_goaws(*document) : is_elasticmq(*document))) return origin;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Origin> origin_called(std::string_view name) {
  const auto* const found = std::ranges::find(origins, name);
  if (found == origins.end()) return std::nullopt;
  return static_cast<Origin>(found - origins.begin());
}

std::optional<Converted> convert(std::string_view text, std::optional<Origin> origin, Problems& problems) {
  if (!origin) origin = origin_of(text);
  if (!origin) {
    problems.add({},
                 "it is not to be seen whether this is a file of ElasticMQ or of goaws; --from elasticmq or --from "
                 "goaws says so");
    return std::nullopt;
  }
  const std::size_t before = problems.count();
  const auto document = read(text, *origin, problems);
  if (!document) return std::nullopt;
  Value converted =
      *origin == Origin::elasticmq ? from_elasticmq(*document, problems) : from_goaws(*document, problems);
  if (problems.count() > before) return std::nullopt;
  return Converted{std::move(converted), *origin};
}

std::string to_yaml(const Converted& converted) {
  return "# Made of a file of " + std::string(converted.origin == Origin::elasticmq ? "ElasticMQ" : "goaws") +
         " by penstock config convert.\n" + to_yaml(converted.document);
}

Value redrive_policy(const std::string& queue, const Value& max_receive_count) {
  Value policy = map_value();
  policy.set("deadLetterTargetArn", text_value(queue));
  policy.set("maxReceiveCount", max_receive_count);
  return policy;
}

void put_queue(Value& queues, const std::string& name, Position at, Value members) {
  const auto found = std::ranges::find(queues.members, name, &Member::name);
  // A queue without members is one with the defaults.
  if (found == queues.members.end()) {
    if (members.members.empty()) members = Value{};
    queues.members.push_back({name, at, std::move(members)});
  } else if (found->value.kind == Value::Kind::null && !members.members.empty()) {
    found->value = std::move(members);
  }
}

}  // namespace penstock::config
