// Small questions about text that several files ask.
#pragma once

#include <string>
#include <string_view>

namespace penstock::protocol {

bool is_utf8(std::string_view text);

/// Whether all characters are among those that a message may have: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD
/// | #x10000 to #x10FFFF. The same are XML's. REQUIRES: is_utf8(text).
bool has_only_message_characters(std::string_view text);

/// Replaces what is no message character by U+FFFD.
/// REQUIRES: is_utf8(text).
std::string with_message_characters(std::string_view text);

/// Decodes a part of a form or of a path: %XX, and + as a space where `plus_is_space`. Appends to `out`; false if an
/// escape is malformed.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) { return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z'); }

bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Whether `text` begins with `prefix` in whatever case.
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

/// Exactly twelve digits.
bool is_account(std::string_view text);

/// A name such as eu-west-1 or us-gov-east-1.
bool is_region(std::string_view text);

}  // namespace penstock::protocol
