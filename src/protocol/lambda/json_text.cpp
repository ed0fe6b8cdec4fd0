#include "protocol/lambda/json_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "protocol/base64.hpp"

namespace penstock::protocol::lambda {
namespace {

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20U && c != '"' && c != '\\'; }

/// The high bit of each byte that is not plain, and of some that follow one.
std::uint64_t not_plain(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high = 0x80U * ones;
  const auto zeros = [](std::uint64_t x) { return (x - ones) & ~x; };
  // Below 0x20 a subtraction borrows from the high bit, unless that is set.
  return ((bytes - 0x20U * ones) & ~bytes & high) | (zeros(bytes ^ ('"' * ones)) & high) |
         (zeros(bytes ^ ('\\' * ones)) & high);
}

bool is_plain(std::string_view text) {
  std::uint64_t found = 0;
  // Eight bytes at a time, and the last eight once more for what is left. Most texts are short.
  constexpr std::size_t word = sizeof(std::uint64_t);
  const auto word_at = [&](std::size_t at) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, word);
    return bytes;
  };
  if (text.size() < word) {
    return std::ranges::all_of(text, [](char c) { return is_plain(c); });
  }
  for (std::size_t at = 0; at + word <= text.size(); at += word) found |= not_plain(word_at(at));
  return (found | not_plain(word_at(text.size() - word))) == 0;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default: {
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\u00").push_back(hex[byte >> 4U]);
      out.push_back(hex[byte & 0xFU]);
    }
  }
}

/// `form` is what strftime takes.
std::string formatted(Instant at, const char* form) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const std::time_t moment = seconds.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&moment, &parts);
  std::array<char, 48> text{};
  return {text.data(), std::strftime(text.data(), text.size(), form, &parts)};
}

std::string with_millis(Instant at, std::string_view ending) {
  constexpr int second = 1'000;
  const auto millis = (at - std::chrono::floor<std::chrono::seconds>(at)).count();
  std::string text = formatted(at, "%Y-%m-%dT%H:%M:%S.");
  return text.append(std::to_string(second + millis).substr(1)).append(ending);
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  if (is_plain(text)) {
    out.append(text);
  } else {
    std::size_t from = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (is_plain(text[at])) continue;
      out.append(text, from, at - from);
      append_escape(out, text[at]);
      from = at + 1;
    }
    out.append(text, from);
  }
  out.push_back('"');
}

void append_base64(std::string& out, std::string_view bytes) {
  out.push_back('"');
  const std::size_t at = out.size();
  out.resize(at + base64_size(bytes.size()));
  base64_encode_to(bytes, out.data() + at);
  out.push_back('"');
}

std::string iso_millis(Instant at) { return with_millis(at, "Z"); }

std::string iso_seconds(Instant at) { return formatted(at, "%Y-%m-%dT%H:%M:%SZ"); }

std::string iso_millis_offset(Instant at) { return with_millis(at, "+0000"); }

}  // namespace penstock::protocol::lambda
