#include "protocol/lambda/content_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>

#include "protocol/text.hpp"

namespace penstock::protocol::lambda {
namespace {

constexpr std::string_view outermost_double = "1.7976931348623157e308";
/// Of a UTF-16 unit: backslash, u and four digits.
constexpr std::size_t escaped_unit_chars = 6;
constexpr std::string_view escaped_replacement = "\\ufffd";

bool is_digit_at(std::string_view text, std::size_t at) { return at < text.size() && is_digit(text[at]); }

std::size_t after_digits(std::string_view text, std::size_t at) {
  while (is_digit_at(text, at)) ++at;
  return at;
}

/// Where the parts of a number end.
struct Number {
  std::size_t begin = 0;  // behind the sign
  std::size_t whole = 0;
  std::size_t fraction = 0;
  std::size_t exponent = 0;
};

/// Nothing if it is no number of JSON.
std::optional<Number> split_number(std::string_view text) {
  Number number;
  number.begin = text.starts_with('-') ? 1 : 0;
  if (!is_digit_at(text, number.begin)) return std::nullopt;
  number.whole = text[number.begin] == '0' ? number.begin + 1 : after_digits(text, number.begin);
  number.fraction = number.whole;
  if (number.fraction < text.size() && text[number.fraction] == '.') {
    if (!is_digit_at(text, number.fraction + 1)) return std::nullopt;
    number.fraction = after_digits(text, number.fraction + 1);
  }
  number.exponent = number.fraction;
  if (number.exponent < text.size() && to_lower(text[number.exponent]) == 'e') {
    ++number.exponent;
    if (number.exponent < text.size() && (text[number.exponent] == '+' || text[number.exponent] == '-')) {
      ++number.exponent;
    }
    if (!is_digit_at(text, number.exponent)) return std::nullopt;
    number.exponent = after_digits(text, number.exponent);
  }
  if (number.exponent != text.size()) return std::nullopt;
  return number;
}

/// Of a number that is no double: whether that is for its size, and not for how close it is to zero.
bool is_huge(std::string_view text, const Number& number) {
  const std::string_view whole = text.substr(number.begin, number.whole - number.begin);
  auto digits = static_cast<std::int64_t>(whole.size());
  if (whole == "0") {
    const std::string_view fraction = text.substr(number.whole, number.fraction - number.whole);
    digits = 1 - static_cast<std::int64_t>(std::min(fraction.find_first_not_of('0', 1), fraction.size()));
  }
  std::string_view exponent = text.substr(std::min(number.fraction + 1, text.size()));
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::int64_t shift = 0;
  const auto read = std::from_chars(exponent.data(), exponent.data() + exponent.size(), shift);
  if (read.ec == std::errc::result_out_of_range) return !exponent.starts_with('-');
  // Both are far from the ends of the type, or the exponent decides alone.
  constexpr std::int64_t shift_max = std::int64_t{1} << 62;
  return digits + std::clamp(shift, -shift_max, shift_max) > 0;
}

template <class Integer>
bool fits(std::string_view text) {
  Integer value{};
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

void append_number(std::string& out, std::string_view text) {
  const auto number = split_number(text);
  const bool integer = number && number->whole == text.size();
  if (!number || (integer && (fits<std::int64_t>(text) || fits<std::uint64_t>(text)))) {
    out.append(text);
  } else if (fits<double>(text)) {
    out.append(text);
    if (integer) out.append(".0");
  } else if (is_huge(text, *number)) {
    out.append(text.substr(0, number->begin)).append(outermost_double);
  } else {
    out.append("0.0");
  }
}

/// The UTF-16 unit that is escaped at a place, if there is one.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (at + escaped_unit_chars > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  const char* const end = text.data() + at + escaped_unit_chars;
  unsigned unit = 0;
  const auto read = std::from_chars(text.data() + at + 2, end, unit, 16);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return unit;
}

bool is_leading(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_trailing(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

/// Appends what a backslash begins; answers how much of the text that was.
std::size_t append_escape(std::string& out, std::string_view text, std::size_t at) {
  const auto unit = escaped_unit(text, at);
  std::size_t size = unit ? escaped_unit_chars : std::min<std::size_t>(2, text.size() - at);
  if (unit && is_leading(*unit) && is_trailing(escaped_unit(text, at + escaped_unit_chars).value_or(0))) {
    size = 2 * escaped_unit_chars;
  } else if (unit && (is_leading(*unit) || is_trailing(*unit))) {
    out.append(escaped_replacement);
    return size;
  }
  out.append(text.substr(at, size));
  return size;
}

/// Appends a string with its quotes, as far as it goes; answers how much of the text that was.
std::size_t append_string(std::string& out, std::string_view text, std::size_t begin) {
  out.push_back('"');
  std::size_t at = begin + 1;
  while (at < text.size()) {
    const std::size_t plain = std::min(text.find_first_of("\"\\", at), text.size());
    out.append(text.substr(at, plain - at));
    at = plain;
    if (at == text.size()) break;
    if (text[at] == '"') {
      out.push_back('"');
      return at + 1 - begin;
    }
    at += append_escape(out, text, at);
  }
  return at - begin;
}

}  // namespace

std::string within_types(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at += append_string(out, text, at);
    } else if (c == '-' || is_digit(c)) {
      const std::size_t end = std::min(text.find_first_not_of("+-.0123456789eE", at), text.size());
      append_number(out, text.substr(at, end - at));
      at = end;
    } else {
      out.push_back(c);
      ++at;
    }
  }
  return out;
}

simdjson::simdjson_result<simdjson::dom::element> read_content(JsonReader& reader, std::string_view text) {
  auto read = reader.read(text);
  if (read.error() != simdjson::NUMBER_ERROR && read.error() != simdjson::STRING_ERROR) return read;
  return reader.read(within_types(text));
}

}  // namespace penstock::protocol::lambda
