// What the keys and values of tags may be made of, beyond their lengths.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "penstock/errors.hpp"

namespace penstock::protocol::kinesis {

/// Letters, digits and white space of any script, and of the rest `_ . / = + - % @ :`; a key does not begin with
/// `aws:`, whatever the case.
std::optional<Error> check_tags(const std::map<std::string, std::string>& tags);

}  // namespace penstock::protocol::kinesis
