#include "protocol/path.hpp"

#include <algorithm>

#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

/// Takes the first segment off a path that begins with a slash.
std::string_view take_segment(std::string_view& path) {
  const std::size_t end = std::min(path.find('/', 1), path.size());
  const std::string_view segment = path.substr(1, end - 1);
  path.remove_prefix(end);
  return segment;
}

}  // namespace

bool match_path(std::string_view form, std::string_view path, std::vector<PathValue>& values) {
  values.clear();
  while (form.starts_with('/') && path.starts_with('/')) {
    const std::string_view wanted = take_segment(form);
    const std::string_view given = take_segment(path);
    if (!wanted.starts_with('{')) {
      if (given != wanted) return false;
      continue;
    }
    PathValue& value = values.emplace_back(PathValue{wanted.substr(1, wanted.size() - 2), {}});
    if (given.empty() || !percent_decode(given, false, value.value)) return false;
  }
  return form.empty() && path.empty();
}

}  // namespace penstock::protocol
