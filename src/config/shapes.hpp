// Which members each kind of resource has, and of what types: as the operations that make them declare it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"
#include "config/value.hpp"
#include "protocol/shape.hpp"

namespace penstock::config {

/// A member that may be given. Without a type it is any scalar, or a map or list that stands for its JSON text.
struct Allowed {
  std::string_view name;
  const protocol::TypeInfo* type = nullptr;
  const protocol::MemberInfo* declared = nullptr;  ///< where an operation has it
};
using AllowedMembers = std::vector<Allowed>;

const AllowedMembers& queue_members();
const AllowedMembers& stream_members();
const AllowedMembers& consumer_members();
const AllowedMembers& function_members();
const AllowedMembers& mapping_members();

/// Adds a problem for each member that is not known, or not of its type. A text may be given as a number or a truth
/// value too, whose text it then is; and what the API has as a text of JSON may be given as what that is.
void check_members(const Value& map, const AllowedMembers& allowed, Problems& problems);

/// That there is none of that name, and which there are, or which of them is meant where one is nearly the same.
std::string no_such(std::string_view name, std::vector<std::string_view> names);

/// A value of a document in which numbers and truth values may be texts, as what its type asks for.
Value coerced(Value value, const protocol::TypeInfo* type);
const protocol::TypeInfo* type_of(const AllowedMembers& allowed, std::string_view name);

/// Whether the API has it as a text of JSON.
bool is_json_text(std::string_view name);

/// The value with such members as texts, texts that were given as something else as what they are, and times as
/// seconds.
Value to_wire(const Value& value, std::string_view name, const protocol::TypeInfo* type);

}  // namespace penstock::config
