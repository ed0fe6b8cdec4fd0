#include "protocol/text.hpp"

#include <simdjson.h>

#include <algorithm>

namespace penstock::protocol {
namespace {

constexpr std::size_t account_digits = 12;

/// How many bytes at `at` make up a character that a message may not have; 0 if it may.
std::size_t forbidden_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20) return c == '\t' || c == '\n' || c == '\r' ? 0 : 1;
  // Surrogates are no UTF-8, which leaves U+FFFE and U+FFFF.
  const std::string_view here = text.substr(at, 3);
  return here == "\xEF\xBF\xBE" || here == "\xEF\xBF\xBF" ? 3 : 0;
}

/// Whether any byte may begin a forbidden character. No early exit, so that the loop becomes vector instructions.
bool looks_suspicious(std::string_view text) {
  unsigned suspicious = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    suspicious |= static_cast<unsigned>(byte < 0x20) | static_cast<unsigned>(byte == 0xEF);
  }
  return suspicious != 0;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool has_only_message_characters(std::string_view text) {
  if (!looks_suspicious(text)) return true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (forbidden_at(text, at) != 0) return false;
  }
  return true;
}

std::string with_message_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t forbidden = forbidden_at(text, at);
    if (forbidden == 0) {
      out.push_back(text[at++]);
    } else {
      out.append("\xEF\xBF\xBD");
      at += forbidden;
    }
  }
  return out;
}

bool percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (c != '%') {
      out.push_back(c);
    } else {
      if (text.size() - at < 3) return false;
      const int high = hex_value(text[at + 1]);
      const int low = hex_value(text[at + 2]);
      if (high < 0 || low < 0) return false;
      out.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    }
  }
  return true;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_with_ignoring_case(a, b);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(),
                                                    [](char a, char b) { return to_lower(a) == to_lower(b); });
}

bool is_account(std::string_view text) { return text.size() == account_digits && std::ranges::all_of(text, is_digit); }

bool is_region(std::string_view text) {
  // Two or more words of letters, such as "eu" and "west", then a number of one or two digits.
  constexpr std::size_t region_chars_max = 24;
  if (text.size() > region_chars_max) return false;
  std::size_t words = 0;
  while (true) {
    const std::size_t dash = text.find('-');
    const std::string_view word = text.substr(0, dash);
    if (dash == std::string_view::npos) {
      return words >= 2 && !word.empty() && word.size() <= 2 && std::ranges::all_of(word, is_digit);
    }
    if (word.size() < 2 || !std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; })) return false;
    ++words;
    text.remove_prefix(dash + 1);
  }
}

}  // namespace penstock::protocol
