// Which members each kind of resource has, and of what types: as the operations that make them declare it.
#pragma once

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

/// Whether the API has it as a text of JSON.
bool is_json_text(std::string_view name);

/// The value with such members as texts, texts that were given as something else as what they are, and times as
/// seconds.
Value to_wire(const Value& value, std::string_view name, const protocol::TypeInfo* type);

}  // namespace penstock::config
