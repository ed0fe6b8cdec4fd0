#include "config/shapes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/queue_settings.hpp"
#include "protocol/kinesis/stream_operations.hpp"
#include "protocol/lambda/function_operations.hpp"
#include "protocol/lambda/mapping_operations.hpp"
#include "protocol/lambda/shapes.hpp"
#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/function_operations.hpp"
#include "protocol/nearest.hpp"
#include "protocol/times.hpp"

namespace penstock::config {

namespace {

using protocol::Kind;
using protocol::MemberInfo;
using protocol::StructureInfo;
using protocol::TypeInfo;

constexpr std::array<std::string_view, 4> json_texts{"Pattern", "Policy", "RedriveAllowPolicy", "RedrivePolicy"};

/// What of a stream and of a function an operation of its own takes, beside the name of what it is about.
struct StreamEncryption {
  std::optional<std::string> encryption_type;
  std::optional<std::string> key_id;

  static constexpr auto shape() {
    using Self = StreamEncryption;
    return protocol::Shape("StreamEncryption", protocol::optional("EncryptionType", &Self::encryption_type),
                           protocol::optional("KeyId", &Self::key_id));
  }
};
struct EventInvokeConfig {
  std::optional<std::int32_t> maximum_retry_attempts;
  std::optional<std::int32_t> maximum_event_age_in_seconds;
  std::optional<protocol::lambda::DestinationConfig> destination_config;

  static constexpr auto shape() {
    using Self = EventInvokeConfig;
    return protocol::Shape("EventInvokeConfig",
                           protocol::optional("MaximumRetryAttempts", &Self::maximum_retry_attempts),
                           protocol::optional("MaximumEventAgeInSeconds", &Self::maximum_event_age_in_seconds),
                           protocol::optional("DestinationConfig", &Self::destination_config));
  }
};

constexpr TypeInfo encryption_type{Kind::structure, nullptr, &protocol::describe<StreamEncryption>()};
constexpr TypeInfo invoke_config_type{Kind::structure, nullptr, &protocol::describe<EventInvokeConfig>()};
constexpr TypeInfo string_type{Kind::string};
constexpr TypeInfo integer_type{Kind::integer};
constexpr TypeInfo strings_type{Kind::list, &string_type};
constexpr TypeInfo string_map_type{Kind::map, &string_type};
constexpr TypeInfo anything_type{Kind::anything};

/// What of a shape stands in a body and has a use here.
void add_members(const StructureInfo& shape, std::initializer_list<std::string_view> without, AllowedMembers& out) {
  for (const MemberInfo& member : shape.members) {
    const bool of_body = member.place == protocol::Place::body;
    const bool excepted = std::ranges::find(without, member.names.json) != without.end();
    if (!of_body || excepted || member.type->kind == Kind::anything) continue;
    if (std::ranges::find(out, member.names.json, &Allowed::name) != out.end()) continue;
    out.push_back({member.names.json, member.type, &member});
  }
}

AllowedMembers make_queue_members() {
  AllowedMembers members;
  for (const std::string_view name : core::settable_attributes()) members.push_back({name, nullptr});
  members.push_back({"Tags", &string_map_type});
  return members;
}

AllowedMembers make_stream_members() {
  AllowedMembers members;
  add_members(protocol::describe<protocol::kinesis::CreateStreamInput>(), {"StreamName"}, members);
  members.push_back({"Consumers", &strings_type});
  members.push_back({"RetentionPeriodHours", &integer_type});
  members.push_back({"ShardLevelMetrics", &strings_type});
  members.push_back({"StreamEncryption", &encryption_type});
  return members;
}

AllowedMembers make_consumer_members() {
  AllowedMembers members;
  add_members(protocol::describe<protocol::native::CreateConsumerInput>(), {}, members);
  return members;
}

AllowedMembers make_function_members() {
  AllowedMembers members;
  // Where it lies; and variables as a map, or as Lambda has them, in a member of that.
  members.push_back({"Code", &string_type});
  members.push_back({"Environment", &anything_type});
  members.push_back({"EventInvokeConfig", &invoke_config_type});
  members.push_back({"InlineCode", &string_type});
  members.push_back({"ReservedConcurrentExecutions", &integer_type});
  add_members(protocol::describe<protocol::native::RegisterFunctionInput>(), {"ReservedConcurrency"}, members);
  add_members(protocol::describe<protocol::lambda::CreateFunctionRequest>(),
              {"FunctionName", "Publish", "PackageType", "SnapStart"}, members);
  return members;
}

AllowedMembers make_mapping_members() {
  AllowedMembers members;
  members.push_back({"EventSource", &string_type});
  add_members(protocol::describe<protocol::lambda::CreateEventSourceMappingRequest>(), {}, members);
  return members;
}

void check(const Value& value, std::string_view name, const TypeInfo* type, Problems& problems);

void check_structure(const Value& value, const StructureInfo& shape, Problems& problems) {
  AllowedMembers allowed;
  for (const MemberInfo& member : shape.members) allowed.push_back({member.names.json, member.type});
  check_members(value, allowed, problems);
}

void check_integer(const Value& value, std::string_view name, std::int64_t max, Problems& problems) {
  std::int64_t number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, number);
  if (value.kind != Value::Kind::number || error == std::errc::invalid_argument || stop != end) {
    problems.add(value.at, in_quotes(name) + " has to be a whole number");
  } else if (error != std::errc() || number > max || number < -max) {
    problems.add(value.at, in_quotes(name) + " is too large a number");
  }
}

void check_container(const Value& value, std::string_view name, const TypeInfo& type, Problems& problems) {
  const bool is_list = type.kind == Kind::list;
  if (value.kind != (is_list ? Value::Kind::list : Value::Kind::map)) {
    return problems.add(value.at, in_quotes(name) + (is_list ? " has to be a list" : " has to be a map"));
  }
  if (type.kind == Kind::structure) return check_structure(value, *type.structure, problems);
  for (const Value& item : value.items) check(item, name, type.element, problems);
  for (const Member& member : value.members) check(member.value, member.name, type.element, problems);
}

void check(const Value& value, std::string_view name, const TypeInfo* type, Problems& problems) {
  if (!value.tag.empty()) return problems.add(value.at, "the tag " + value.tag + " is not known");
  if (value.kind == Value::Kind::null) return problems.add(value.at, in_quotes(name) + " says nothing");
  const bool may_be_json = is_json_text(name);
  if (type == nullptr || type->kind == Kind::string || type->kind == Kind::blob) {
    if (value.is_scalar() || may_be_json) return;
    return problems.add(value.at, in_quotes(name) + " has to be a text");
  }
  switch (type->kind) {
    case Kind::integer:
      return check_integer(value, name, std::numeric_limits<std::int32_t>::max(), problems);
    case Kind::long_integer:
      return check_integer(value, name, std::numeric_limits<std::int64_t>::max(), problems);
    case Kind::boolean:
      if (value.kind != Value::Kind::boolean) problems.add(value.at, in_quotes(name) + " has to be true or false");
      return;
    case Kind::timestamp:
      if (value.kind == Value::Kind::number) return;
      if (value.kind == Value::Kind::text && protocol::parse_time(value.text)) return;
      return problems.add(value.at, in_quotes(name) +
                                        " has to be a number of seconds since 1970, or a time such as "
                                        "2030-01-31T12:00:00Z");
    case Kind::anything:
      return;
    default:
      return check_container(value, name, *type, problems);
  }
}

/// As the API has it, seconds since 1970, however it was given.
Value timestamp_of(const Value& given) {
  const auto moment = given.kind == Value::Kind::text ? protocol::parse_time(given.text) : std::nullopt;
  if (!moment) return given;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*moment);
  std::string millis = std::to_string((*moment - seconds).count());
  Value value = number_value(seconds.time_since_epoch().count());
  value.text.append(".").append(3 - millis.size(), '0').append(millis);
  value.at = given.at;
  return value;
}

}  // namespace

const AllowedMembers& queue_members() {
  static const AllowedMembers members = make_queue_members();
  return members;
}
const AllowedMembers& stream_members() {
  static const AllowedMembers members = make_stream_members();
  return members;
}
const AllowedMembers& consumer_members() {
  static const AllowedMembers members = make_consumer_members();
  return members;
}
const AllowedMembers& function_members() {
  static const AllowedMembers members = make_function_members();
  return members;
}
const AllowedMembers& mapping_members() {
  static const AllowedMembers members = make_mapping_members();
  return members;
}

std::string no_such(std::string_view name, std::vector<std::string_view> names) {
  const std::string text = "there is no " + in_quotes(name);
  if (const auto meant = protocol::nearest_of(name, names)) {
    return text + "; " + in_quotes(*meant) + " is meant, perhaps";
  }
  std::ranges::sort(names);
  return text + " here, but " + alternatives(names);
}

const TypeInfo* type_of(const AllowedMembers& allowed, std::string_view name) {
  const auto found = std::ranges::find(allowed, name, &Allowed::name);
  return found == allowed.end() ? nullptr : found->type;
}

Value coerced(Value value, const TypeInfo* type) {
  if (type == nullptr || value.kind == Value::Kind::null) return value;
  const bool is_text = value.kind == Value::Kind::text;
  if ((type->kind == Kind::integer || type->kind == Kind::long_integer) && is_text && is_number(value.text)) {
    value.kind = Value::Kind::number;
  } else if (type->kind == Kind::boolean && is_text && (value.text == "true" || value.text == "false")) {
    value.kind = Value::Kind::boolean;
  } else if (type->kind == Kind::list || type->kind == Kind::map) {
    for (Value& item : value.items) item = coerced(std::move(item), type->element);
    for (Member& member : value.members) member.value = coerced(std::move(member.value), type->element);
  } else if (type->kind == Kind::structure) {
    for (Member& member : value.members) {
      const auto found = std::ranges::find_if(type->structure->members,
                                              [&](const MemberInfo& info) { return info.names.json == member.name; });
      if (found != type->structure->members.end()) member.value = coerced(std::move(member.value), found->type);
    }
  }
  return value;
}

void check_members(const Value& map, const AllowedMembers& allowed, Problems& problems) {
  std::vector<std::string_view> names;
  for (const Allowed& one : allowed) names.push_back(one.name);
  for (const Member& member : map.members) {
    const auto found = std::ranges::find(allowed, member.name, &Allowed::name);
    if (found != allowed.end()) {
      check(member.value, member.name, found->type, problems);
    } else {
      problems.add(member.at, no_such(member.name, names));
    }
  }
}

bool is_json_text(std::string_view name) { return std::ranges::find(json_texts, name) != json_texts.end(); }

Value to_wire(const Value& value, std::string_view name, const TypeInfo* type) {
  Value wire = value;
  if (type == nullptr || type->kind == Kind::string || type->kind == Kind::blob) {
    if (!value.is_scalar()) wire = text_value(to_json(value));
    wire.at = value.at;
    wire.kind = Value::Kind::text;
  } else if (type->kind == Kind::timestamp) {
    wire = timestamp_of(value);
  } else if (type->kind == Kind::list || type->kind == Kind::map) {
    for (Value& item : wire.items) item = to_wire(item, name, type->element);
    for (Member& member : wire.members) member.value = to_wire(member.value, member.name, type->element);
  } else if (type->kind == Kind::structure) {
    for (Member& member : wire.members) {
      for (const MemberInfo& info : type->structure->members) {
        if (info.names.json == member.name) member.value = to_wire(member.value, member.name, info.type);
      }
    }
  }
  return wire;
}

}  // namespace penstock::config
