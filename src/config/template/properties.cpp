#include "config/template/properties.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace penstock::config {

namespace {

std::vector<std::string_view> names_of(std::span<const Property> table) {
  std::vector<std::string_view> names;
  for (const Property& property : table) names.push_back(property.name);
  return names;
}

}  // namespace

Properties sort_properties(const Value& given, std::span<const Property> table, const AllowedMembers& allowed,
                           const std::string& what, Evaluator& evaluator, Problems& problems) {
  Properties sorted;
  sorted.members.at = given.at;
  if (given.kind != Value::Kind::map) {
    problems.add(given.at, "the Properties of " + what + " have to be a map");
    return sorted;
  }
  for (const Member& member : given.members) {
    const auto known = std::ranges::find(table, member.name, &Property::name);
    if (known == table.end()) {
      problems.add(member.at, no_such(member.name, names_of(table)));
      continue;
    }
    if (known->use == Use::passed_over) {
      problems.note(member.at, in_quotes(member.name) + " of " + what + " is not offered here, and has no effect");
    }
    if (known->use == Use::passed_over || known->use == Use::harmless) continue;
    auto value = evaluator.evaluate(member.value);
    if (!value || (known->use != Use::lazy && !settle(*value, problems))) continue;
    const std::string_view name = known->member.empty() ? known->name : known->member;
    Value& target = known->use == Use::member ? sorted.members : sorted.special;
    if (known->use == Use::member) value = coerced(std::move(*value), type_of(allowed, name));
    target.members.push_back({std::string(name), member.at, std::move(*value)});
  }
  check_members(sorted.members, allowed, problems);
  return sorted;
}

Value tags_of(const Value& given, Problems& problems) {
  Value tags = map_value();
  tags.at = given.at;
  if (given.kind == Value::Kind::map) return given;
  if (given.kind != Value::Kind::list) {
    problems.add(given.at, "'Tags' has to be a list of Key and Value, or a map");
    return tags;
  }
  for (const Value& item : given.items) {
    const Value* const key = item.find("Key");
    const Value* const value = item.find("Value");
    if (key == nullptr || value == nullptr || !key->is_scalar() || !value->is_scalar()) {
      problems.add(item.at, "a tag is a Key and a Value, which are texts");
    } else if (tags.find(key->text) != nullptr) {
      problems.add(key->at, "the tag " + in_quotes(key->text) + " is there twice");
    } else {
      tags.set(key->text, *value);
    }
  }
  return tags;
}

}  // namespace penstock::config
