// Paths with members in braces, as /streams/{Stream}/consumers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penstock::protocol {

/// What stands in a request's path in place of a member in braces.
struct PathValue {
  std::string_view name;
  std::string value;  ///< decoded
};

/// Whether a path is of that form; what stands in place of the members in braces is put into `values`. A member is one
/// segment of the path as it was sent, and never empty.
bool match_path(std::string_view form, std::string_view path, std::vector<PathValue>& values);

}  // namespace penstock::protocol
