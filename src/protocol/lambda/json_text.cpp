#include "protocol/lambda/json_text.hpp"

#include <array>
#include <ctime>

#include "protocol/base64.hpp"

namespace penstock::protocol::lambda {
namespace {

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20U && c != '"' && c != '\\'; }

bool is_plain(std::string_view text) {
  bool plain = true;
  // In pieces of one length and without a way out, so that the compiler looks at a whole piece at once.
  constexpr std::size_t piece = 16;
  for (; text.size() >= piece; text.remove_prefix(piece)) {
    for (std::size_t i = 0; i < piece; ++i) plain &= is_plain(text[i]);
  }
  for (const char c : text) plain &= is_plain(c);
  return plain;
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
