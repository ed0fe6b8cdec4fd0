// What becomes of the properties of a resource: a table for each type, by which they are evaluated and sorted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/shapes.hpp"
#include "config/template/resources.hpp"

namespace penstock::config {

enum class Use : std::uint8_t {
  member,       ///< as the API has it, perhaps by another name
  special,      ///< the type's translation knows what it means
  lazy,         ///< the same, and it looks at what is not known by itself
  harmless,     ///< says nothing of what runs: permissions, deployment
  passed_over,  ///< says something of it, and is not offered
};

struct Property {
  std::string_view name;
  Use use = Use::member;
  std::string_view member{};  ///< where it is not called as the property
};

struct Properties {
  Value members = map_value();
  Value special = map_value();
};

/// Evaluates what has a use, whose types then are those of `allowed`. `what` is the resource, as notes call it.
Properties sort_properties(const Value& given, std::span<const Property> table, const AllowedMembers& allowed,
                           const std::string& what, Evaluator& evaluator, Problems& problems);

/// Tags as a map, however they were given.
Value tags_of(const Value& given, Problems& problems);

}  // namespace penstock::config
