#include "config/schema.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "config/credentials.hpp"
#include "config/shapes.hpp"
#include "config/value.hpp"
#include "core/queue_settings.hpp"
#include "protocol/kinesis/stream_operations.hpp"
#include "protocol/shape.hpp"

namespace penstock::config {

namespace {

using protocol::Constraints;
using protocol::Kind;
using protocol::MemberInfo;
using protocol::TypeInfo;

/// Flags whose values are whole numbers, as their help calls them.
constexpr std::array<std::string_view, 4> numbers{"MS", "N", "PORT", "S"};
/// Where the API asks for an ARN and the file takes a name.
constexpr std::array<std::string_view, 3> named{"Destination", "EventSourceArn", "TargetArn"};

Value flag(bool truth) {
  Value value;
  value.kind = Value::Kind::boolean;
  value.text = truth ? "true" : "false";
  return value;
}

Value texts(const auto& words) {
  Value list;
  list.kind = Value::Kind::list;
  for (const auto& word : words) list.items.push_back(text_value(std::string(word)));
  return list;
}

Value typed(std::string_view type) {
  Value schema = map_value();
  schema.set("type", text_value(std::string(type)));
  return schema;
}
Value typed(std::initializer_list<std::string_view> types) {
  Value schema = map_value();
  schema.set("type", texts(types));
  return schema;
}

/// A map in which nothing else may stand; of a resource nothing at all stands for it too.
Value object(Value properties, bool may_be_empty) {
  Value schema = may_be_empty ? typed({"object", "null"}) : typed("object");
  schema.set("properties", std::move(properties));
  schema.set("additionalProperties", flag(false));
  return schema;
}

/// A map of a user's own names.
Value map_of(Value element, bool may_be_empty) {
  Value schema = may_be_empty ? typed({"object", "null"}) : typed("object");
  schema.set("additionalProperties", std::move(element));
  return schema;
}

void describe(Value& schema, std::string_view description) {
  if (!description.empty()) schema.set("description", text_value(std::string(description)));
}

void set_length(Value& schema, std::string_view min, std::string_view max, const Constraints& constraints) {
  if (!constraints.length) return;
  if (constraints.length->min != 0) schema.set(min, number_value(static_cast<std::int64_t>(constraints.length->min)));
  if (constraints.length->max != protocol::Length::unbounded) {
    schema.set(max, number_value(static_cast<std::int64_t>(constraints.length->max)));
  }
}

void set_range(Value& schema, const Constraints& constraints) {
  if (!constraints.range) return;
  schema.set("minimum", number_value(constraints.range->min));
  if (constraints.range->max != protocol::Range::unbounded) schema.set("maximum", number_value(constraints.range->max));
}

void set_text_constraints(Value& schema, const Constraints& constraints) {
  set_length(schema, "minLength", "maxLength", constraints);
  if (!constraints.allowed.empty()) schema.set("enum", texts(constraints.allowed));
  if (constraints.pattern == nullptr) return;
  // The models' dialect takes a range's sign for itself where others take it for a mistake.
  const std::string_view pattern = constraints.pattern->text();
  if (pattern.find("9-_") != std::string_view::npos) return;
  schema.set("pattern", text_value(std::string("^(?:").append(pattern).append(")$")));
}

Value schema_of(std::string_view name, const TypeInfo& type, const Constraints& constraints);

Value schema_of_structure(const protocol::StructureInfo& structure) {
  Value properties = map_value();
  std::vector<std::string_view> required;
  for (const MemberInfo& member : structure.members) {
    const bool is_named = std::ranges::find(named, member.names.json) != named.end();
    Value schema = schema_of(member.names.json, *member.type, is_named ? Constraints{} : member.constraints);
    describe(schema, member.description);
    properties.set(member.names.json, std::move(schema));
    if (member.required) required.push_back(member.names.json);
  }
  Value schema = object(std::move(properties), false);
  if (!required.empty()) schema.set("required", texts(required));
  return schema;
}

/// As check_members() takes it.
Value schema_of(std::string_view name, const TypeInfo& type, const Constraints& constraints) {
  Value schema;
  switch (type.kind) {
    case Kind::string:
    case Kind::blob:
      schema = is_json_text(name) ? typed({"string", "object"}) : typed({"string", "number", "boolean"});
      set_text_constraints(schema, constraints);
      return schema;
    case Kind::integer:
    case Kind::long_integer:
      schema = typed("integer");
      set_range(schema, constraints);
      return schema;
    case Kind::number:
      return typed("number");
    case Kind::boolean:
      return typed("boolean");
    case Kind::timestamp:
      return typed({"number", "string"});
    case Kind::list:
      schema = typed("array");
      schema.set("items",
                 schema_of(name, *type.element, constraints.element == nullptr ? Constraints{} : *constraints.element));
      set_length(schema, "minItems", "maxItems", constraints);
      return schema;
    case Kind::map:
      schema = map_of(schema_of({}, *type.element, {}), false);
      set_length(schema, "minProperties", "maxProperties", constraints);
      return schema;
    case Kind::structure:
      return schema_of_structure(*type.structure);
    case Kind::anything:
      return typed("object");
  }
  return schema;
}

Value schema_of(const Allowed& member) {
  const bool is_declared = member.declared != nullptr && std::ranges::find(named, member.name) == named.end();
  Value schema = schema_of(member.name, *member.type, is_declared ? member.declared->constraints : Constraints{});
  if (member.declared != nullptr) describe(schema, member.declared->description);
  return schema;
}

Value properties_of(const AllowedMembers& members) {
  Value properties = map_value();
  for (const Allowed& member : members) {
    if (member.type != nullptr) properties.set(member.name, schema_of(member));
  }
  return properties;
}

/// An attribute is a text for the API, and what it is for a person.
Value schema_of(const core::AttributeValues& values) {
  if (values.is_integer) {
    Value schema = typed({"integer", "string"});
    schema.set("minimum", number_value(values.min));
    schema.set("maximum", number_value(values.max));
    schema.set("pattern", text_value("^[0-9]+$"));
    return schema;
  }
  if (is_json_text(values.name)) return typed({"string", "object"});
  if (values.words.empty()) return typed({"string", "number", "boolean"});
  Value schema = map_value();
  Value allowed = texts(values.words);
  for (const bool truth : {true, false}) {
    if (values.words.front() == "true") allowed.items.push_back(flag(truth));
  }
  schema.set("enum", std::move(allowed));
  return schema;
}

Value schema_of_queue() {
  Value properties = properties_of(queue_members());
  for (const core::AttributeValues& values : core::settable_values()) properties.set(values.name, schema_of(values));
  return object(std::move(properties), true);
}

Value schema_of_streams() {
  Value schema = map_of(object(properties_of(stream_members()), true), true);
  for (const MemberInfo& member : protocol::describe<protocol::kinesis::CreateStreamInput>().members) {
    if (member.names.json == "StreamName") schema.set("propertyNames", schema_of({}, *member.type, member.constraints));
  }
  return schema;
}

Value schema_of_mappings() {
  Value mapping = object(properties_of(mapping_members()), false);
  mapping.set("required", texts(std::array{"FunctionName"}));
  Value one_of;
  one_of.kind = Value::Kind::list;
  for (const char* source : {"EventSource", "EventSourceArn"}) {
    Value has = map_value();
    has.set("required", texts(std::array{source}));
    one_of.items.push_back(std::move(has));
  }
  mapping.set("oneOf", std::move(one_of));
  Value schema = typed({"array", "null"});
  schema.set("items", std::move(mapping));
  return schema;
}

Value schema_of_credentials() {
  Value secret = typed("string");
  secret.set("minLength", number_value(1));
  secret.set("maxLength", number_value(static_cast<std::int64_t>(secret_chars_max)));
  secret.set("pattern", text_value("^[!-~]*$"));
  Value name = map_value();
  name.set("pattern", text_value("^[!-+.0-<>-~-]+$"));
  name.set("maxLength", number_value(static_cast<std::int64_t>(access_key_chars_max)));
  Value schema = map_of(std::move(secret), true);
  schema.set("propertyNames", std::move(name));
  describe(schema, "Secrets by their access keys, with which requests have to be signed where auth is strict.");
  return schema;
}

std::vector<std::string> choices_of(const std::string& argument) {
  std::vector<std::string> choices;
  for (std::size_t from = 0; from <= argument.size();) {
    const std::size_t end = std::min(argument.find('|', from), argument.size());
    choices.push_back(argument.substr(from, end - from));
    from = end + 1;
  }
  return choices;
}

Value schema_of(const SettingInfo& setting) {
  Value schema;
  if (setting.is_truth) {
    schema = typed("boolean");
  } else if (setting.argument.find('|') != std::string::npos && setting.argument.find('[') == std::string::npos) {
    schema = map_value();
    schema.set("enum", texts(choices_of(setting.argument)));
  } else if (std::ranges::find(numbers, setting.argument) != numbers.end()) {
    schema = typed({"integer", "string"});
    schema.set("minimum", number_value(0));
    schema.set("pattern", text_value("^[0-9]+$"));
  } else {
    schema = typed({"string", "number"});
  }
  if (setting.is_list) {
    Value one = std::move(schema);
    Value many = typed("array");
    many.set("items", one);
    Value any;
    any.kind = Value::Kind::list;
    any.items = {std::move(one), std::move(many)};
    schema = map_value();
    schema.set("anyOf", std::move(any));
  }
  describe(schema, setting.description);
  return schema;
}

}  // namespace

std::string schema_document(const std::vector<SettingInfo>& settings) {
  Value flags = map_value();
  for (const SettingInfo& setting : settings) flags.set(setting.name, schema_of(setting));
  Value sections = map_value();
  sections.set("settings", object(std::move(flags), true));
  sections.set("credentials", schema_of_credentials());
  sections.set("queues", map_of(schema_of_queue(), true));
  sections.set("streams", schema_of_streams());
  sections.set("consumers", map_of(map_of(object(properties_of(consumer_members()), true), true), true));
  sections.set("functions", map_of(object(properties_of(function_members()), true), true));
  sections.set("mappings", schema_of_mappings());

  Value schema = map_value();
  schema.set("$schema", text_value("https://json-schema.org/draft/2020-12/schema"));
  schema.set("title", text_value("penstock.yaml"));
  Value passed_over = map_value();
  passed_over.set("^x-", flag(true));
  schema.set("patternProperties", std::move(passed_over));
  for (Member& member : object(std::move(sections), true).members) schema.set(member.name, std::move(member.value));
  return to_json(schema);
}

}  // namespace penstock::config
