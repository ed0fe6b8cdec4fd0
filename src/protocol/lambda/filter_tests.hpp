// What a pattern asks of a single value: exact values and the operators.
#pragma once

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace penstock::protocol::lambda {

/// A number of JSON as filters compare it: wide enough for all integers of 64 bits, and for all doubles.
using FilterNumber = long double;

/// A value that is no container: a string, a number, true, false or null.
using Leaf = std::variant<std::nullptr_t, bool, FilterNumber, std::string_view>;
/// Nothing of a container.
std::optional<Leaf> leaf_of(simdjson::dom::element value);

/// The same characters in lower case, as far as Latin, Greek and Cyrillic have any.
std::string folded(std::string_view text);

/// A text with stars, each for any characters, which a backslash makes a plain one.
class Wildcard {
 public:
  /// Nothing if two stars stand beside each other, or a backslash before something else than a star or a backslash.
  static std::optional<Wildcard> compile(std::string_view text);
  /// Takes time in proportion to the text times the longest part between stars.
  bool matches(std::string_view text) const;

 private:
  std::vector<std::string> parts_;  // between the stars: one more than there are stars
};

/// A block of addresses of either version.
class AddressBlock {
 public:
  static std::optional<AddressBlock> compile(std::string_view text);
  bool contains(std::string_view address) const;

 private:
  struct Address {
    bool is_v6 = false;
    std::array<unsigned char, 16> bytes{};
  };
  static std::optional<Address> read_address(std::string_view text);

  Address first_;
  unsigned bits_ = 0;
};

/// Part of a text, in its case or in any.
struct TextPart {
  std::string text;  ///< folded if any case will do
  bool any_case = false;
  bool begins(std::string_view value) const;
  bool ends(std::string_view value) const;
  bool equals(std::string_view value) const;
};

struct NumberRange {
  std::optional<FilterNumber> low;
  std::optional<FilterNumber> high;
  bool low_included = false;
  bool high_included = false;
  bool contains(FilterNumber number) const;
};

/// What an `anything-but` excludes.
struct Excluded {
  std::vector<FilterNumber> numbers;
  std::vector<TextPart> texts;
  std::vector<TextPart> prefixes;
  std::vector<TextPart> suffixes;
  std::vector<Wildcard> wildcards;
  bool has(const Leaf& leaf) const;
};

struct Exact {
  std::variant<std::nullptr_t, bool, FilterNumber, std::string> value;
};
struct IgnoringCase {
  TextPart text;
};
struct Prefix {
  TextPart text;
};
struct Suffix {
  TextPart text;
};
struct Exists {
  bool wanted = true;
};

using LeafTest =
    std::variant<Exact, IgnoringCase, Prefix, Suffix, Wildcard, AddressBlock, NumberRange, Excluded, Exists>;

/// A member of a pattern's array: a value, or an object with one operator. Nothing if it is neither.
std::optional<LeafTest> compile_test(simdjson::dom::element given);

/// Whether a value that is there is as the test asks.
bool passes(const LeafTest& test, const Leaf& leaf);

}  // namespace penstock::protocol::lambda
