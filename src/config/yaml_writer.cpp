#include "config/yaml_writer.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace penstock::config {

namespace {

constexpr std::size_t indentation = 2;

bool is_plain_character(char c) {
  constexpr std::string_view others = "_-./";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

/// Whether a text stands for itself without quotes, for every reader of YAML.
bool is_plain(std::string_view text) {
  constexpr std::array<std::string_view, 8> words{"true", "false", "null", "yes", "no", "on", "off", "y"};
  if (text.empty() || !std::ranges::all_of(text, is_plain_character)) return false;
  // What begins with a digit or a sign may be a number or a date, in one dialect or another.
  if (!((text.front() >= 'a' && text.front() <= 'z') || (text.front() >= 'A' && text.front() <= 'Z'))) return false;
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::ranges::find(words, lower) == words.end() && lower != "n";
}

/// JSON's form is YAML's, too.
std::string shown(const std::string& text) { return is_plain(text) ? text : to_json(text_value(text)); }

void write(const Value& value, std::size_t depth, std::string& out);

void write_members(const Value& map, std::size_t depth, std::string& out) {
  for (const Member& member : map.members) {
    out.append(depth * indentation, ' ').append(shown(member.name)).append(":");
    write(member.value, depth + 1, out);
  }
}

/// Behind what it is the value of.
void write(const Value& value, std::size_t depth, std::string& out) {
  switch (value.kind) {
    case Value::Kind::null:
      break;
    case Value::Kind::boolean:
    case Value::Kind::number:
      out.append(" ").append(value.text);
      break;
    case Value::Kind::text:
      out.append(" ").append(shown(value.text));
      break;
    case Value::Kind::list:
      if (value.items.empty()) out += " []";
      if (value.items.empty()) break;
      for (const Value& item : value.items) {
        out.append("\n").append(depth * indentation, ' ').append("-");
        // A map or a list in a list stands on a line of its own.
        std::string inner;
        write(item, depth + 1, inner);
        if (inner.ends_with('\n')) inner.pop_back();
        out += inner;
      }
      break;
    case Value::Kind::map:
      if (value.members.empty()) {
        out += " {}";
        break;
      }
      out += "\n";
      return write_members(value, depth, out);
  }
  out += "\n";
}

}  // namespace

std::string to_yaml(const Value& value) {
  std::string out;
  if (value.kind == Value::Kind::map && !value.members.empty()) {
    write_members(value, 0, out);
  } else {
    write(value, 0, out);
  }
  return out;
}

}  // namespace penstock::config
