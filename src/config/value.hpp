// A document of named values, wherever it was written: in YAML, or as the JSON that a server answers. Each value knows
// where it stands, so that whatever is wrong with it can be said with the place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::config {

/// Lines and columns count from 1; 0 is the file as a whole, or no file at all.
struct Position {
  int line = 0;
  int column = 0;
  friend bool operator==(Position, Position) = default;
};

struct Member;

struct Value {
  enum class Kind : std::uint8_t { null, boolean, number, text, list, map };

  Kind kind = Kind::null;
  Position at{};
  std::string text{};           ///< of a scalar: `true`, a number as JSON has them, or a text
  std::string tag{};            ///< such as `!Ref`; empty if there is none
  std::vector<Value> items;     ///< of a list
  std::vector<Member> members;  ///< of a map, in their order

  bool is_scalar() const { return kind == Kind::boolean || kind == Kind::number || kind == Kind::text; }
  /// nullptr if there is none of that name, or this is no map.
  const Value* find(std::string_view name) const;
  /// The text of a scalar member; empty if there is none.
  std::string text_of(std::string_view name) const;
  /// Puts it in the place of the member of that name, or behind the others.
  void set(std::string_view name, Value value);
};

struct Member {
  std::string name;
  Position at{};
  Value value;
};

Value text_value(std::string text);
Value number_value(std::int64_t number);
Value map_value();

/// Whether a text is a number as JSON has them.
bool is_number(std::string_view text);

std::string to_json(const Value& value);
/// Nothing if it is no JSON.
std::optional<Value> from_json(std::string_view text);

/// Whether `actual` is what `wanted` asks for: members that are not asked for may be anything, one that is not there
/// agrees with what says nothing, and scalars agree by what they say, since a service may well answer "3" for 3.
bool agrees(const Value& wanted, const Value& actual);
/// The same, but there is nothing that is not asked for.
bool is_same(const Value& wanted, const Value& actual);

}  // namespace penstock::config
