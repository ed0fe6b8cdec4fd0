// A document as YAML, for a person to go on with.
#pragma once

#include <string>

#include "config/value.hpp"

namespace penstock::config {

/// In blocks, of which an empty map or list is `{}` or `[]`, and a null nothing at all. read_yaml() gives the same
/// again.
std::string to_yaml(const Value& value);

}  // namespace penstock::config
