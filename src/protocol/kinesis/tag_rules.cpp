#include "protocol/kinesis/tag_rules.hpp"

#include <algorithm>
#include <string_view>

#include "protocol/kinesis/call.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::kinesis {
namespace {

constexpr std::string_view allowed_signs = " _./=+-%@:\t\r\n\v\f";

/// Of what is beyond ASCII nothing is refused: it is letters, nearly always.
bool is_allowed(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         allowed_signs.find(c) != std::string_view::npos;
}

bool is_allowed(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_allowed(c); });
}

}  // namespace

std::optional<Error> check_tags(const std::map<std::string, std::string>& tags) {
  for (const auto& [key, value] : tags) {
    if (starts_with_ignoring_case(key, "aws:")) {
      return invalid_argument("Tag keys starting with 'aws:' are reserved for system use.");
    }
    if (!is_allowed(key) || !is_allowed(value)) {
      return invalid_argument(
          "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % "
          "@ :.");
    }
  }
  return std::nullopt;
}

}  // namespace penstock::protocol::kinesis
