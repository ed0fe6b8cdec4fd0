#include "protocol/lambda/filter_tests.hpp"

#include <algorithm>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <charconv>
#include <utility>

#include "protocol/text.hpp"

namespace penstock::protocol::lambda {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// ---- Case.

char32_t fold(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (within('A', 'Z') || (within(0xC0, 0xDE) && c != 0xD7)) return c + 0x20;
  // Pairs of a capital and its small letter: the capitals are even in some blocks and odd in others.
  if (within(0x100, 0x137) || within(0x14A, 0x177) || within(0x460, 0x481) || within(0x48A, 0x4BF) ||
      within(0x1E00, 0x1E95) || within(0x1EA0, 0x1EFF)) {
    return c | 1U;
  }
  if (within(0x139, 0x148) || within(0x179, 0x17E)) return c + (c & 1U);
  if (within(0x391, 0x3AB)) return c + 0x20;
  if (within(0x410, 0x42F)) return c + 0x20;
  if (within(0x400, 0x40F)) return c + 0x50;
  return c;
}

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](unsigned shift) { out.push_back(static_cast<char>(0x80U | ((c >> shift) & 0x3FU))); };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0U | (c >> 6U)));
    tail(0);
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | (c >> 12U)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0U | (c >> 18U)));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// The character at `at`, which moves behind it. REQUIRES: UTF-8.
char32_t take_utf8(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at++]);
  if (byte < 0x80) return byte;
  const unsigned more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
  char32_t c = byte & (0x3FU >> more);
  for (unsigned i = 0; i < more && at < text.size(); ++i)
    c = (c << 6U) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  return c;
}

// ---- How operators are given.

std::optional<std::string_view> text_of(element given) {
  std::string_view text;
  if (given.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<FilterNumber> number_of(element given) {
  const auto leaf = leaf_of(given);
  if (!leaf || !std::holds_alternative<FilterNumber>(*leaf)) return std::nullopt;
  return std::get<FilterNumber>(*leaf);
}

/// The name and the value of an object's only member.
std::optional<std::pair<std::string_view, element>> only_member(element given) {
  object members;
  if (given.get_object().get(members) != simdjson::SUCCESS || members.size() != 1) return std::nullopt;
  const simdjson::dom::key_value_pair entry = *members.begin();
  return std::pair{entry.key, entry.value};
}

TextPart in_its_case(std::string_view text) { return {std::string(text), false}; }
TextPart in_any_case(std::string_view text) { return {folded(text), true}; }

/// A string, or one within equals-ignore-case.
std::optional<TextPart> part_of(element given) {
  if (const auto text = text_of(given)) return in_its_case(*text);
  const auto operation = only_member(given);
  if (!operation || operation->first != "equals-ignore-case") return std::nullopt;
  const auto text = text_of(operation->second);
  if (!text) return std::nullopt;
  return in_any_case(*text);
}

/// Applies `add` to a value, or to each of a list that is not empty. False if it refuses one.
template <class Add>
bool each_of(element given, Add&& add) {
  array list;
  if (given.get_array().get(list) != simdjson::SUCCESS) return add(given);
  if (list.size() == 0) return false;
  for (const element each : list) {
    if (!add(each)) return false;
  }
  return true;
}

/// The operator within an `anything-but`.
bool exclude_by(std::string_view operation, element given, Excluded& excluded) {
  if (operation == "prefix" || operation == "suffix") {
    auto& parts = operation == "prefix" ? excluded.prefixes : excluded.suffixes;
    return each_of(given, [&](element each) {
      auto part = part_of(each);
      // That would exclude everything.
      if (!part || part->text.empty()) return false;
      parts.push_back(std::move(*part));
      return true;
    });
  }
  if (operation == "equals-ignore-case") {
    return each_of(given, [&](element each) {
      const auto text = text_of(each);
      if (text) excluded.texts.push_back(in_any_case(*text));
      return text.has_value();
    });
  }
  if (operation != "wildcard") return false;
  return each_of(given, [&](element each) {
    const auto text = text_of(each);
    auto wildcard = text ? Wildcard::compile(*text) : std::nullopt;
    if (wildcard) excluded.wildcards.push_back(std::move(*wildcard));
    return wildcard.has_value();
  });
}

std::optional<LeafTest> compile_anything_but(element given) {
  Excluded excluded;
  if (const auto operation = only_member(given)) {
    if (!exclude_by(operation->first, operation->second, excluded)) return std::nullopt;
    return excluded;
  }
  const bool known = each_of(given, [&](element each) {
    if (const auto text = text_of(each)) {
      excluded.texts.push_back(in_its_case(*text));
    } else if (const auto number = number_of(each)) {
      excluded.numbers.push_back(*number);
    } else {
      return false;
    }
    return true;
  });
  // A list of both is refused by the service.
  if (!known || (!excluded.texts.empty() && !excluded.numbers.empty())) return std::nullopt;
  return excluded;
}

/// Adds one comparison. False if it is none, or has no place beside what is there.
bool add_bound(std::string_view comparison, FilterNumber number, NumberRange& range) {
  const bool empty = !range.low && !range.high;
  const bool included = comparison.size() == 2;
  if (comparison == "=") {
    if (!empty) return false;
    range = {number, number, true, true};
  } else if (comparison == ">" || comparison == ">=") {
    if (!empty) return false;
    range.low = number;
    range.low_included = included;
  } else if (comparison == "<" || comparison == "<=") {
    if (range.high || (range.low && *range.low >= number)) return false;
    range.high = number;
    range.high_included = included;
  } else {
    return false;
  }
  return true;
}

/// ["=", 1], ["<", 2] or [">", 0, "<=", 5]: what is below comes first.
std::optional<LeafTest> compile_numeric(element given) {
  array terms;
  if (given.get_array().get(terms) != simdjson::SUCCESS || terms.size() == 0 || terms.size() % 2 != 0) {
    return std::nullopt;
  }
  NumberRange range;
  std::optional<std::string_view> comparison;
  for (const element term : terms) {
    if (!comparison) {
      comparison = text_of(term);
      if (!comparison) return std::nullopt;
      continue;
    }
    const auto number = number_of(term);
    if (!number || !add_bound(*comparison, *number, range)) return std::nullopt;
    comparison.reset();
  }
  return range;
}

std::optional<LeafTest> compile_exists(element given) {
  bool wanted = false;
  if (given.get_bool().get(wanted) != simdjson::SUCCESS) return std::nullopt;
  return Exists{wanted};
}

std::optional<LeafTest> compile_operator(std::string_view operation, element given) {
  if (operation == "anything-but") return compile_anything_but(given);
  if (operation == "numeric") return compile_numeric(given);
  if (operation == "exists") return compile_exists(given);
  if (operation == "prefix" || operation == "suffix") {
    auto part = part_of(given);
    if (!part) return std::nullopt;
    if (operation == "prefix") return Prefix{std::move(*part)};
    return Suffix{std::move(*part)};
  }
  const auto text = text_of(given);
  if (!text) return std::nullopt;
  if (operation == "equals-ignore-case") return IgnoringCase{in_any_case(*text)};
  if (operation == "wildcard") return Wildcard::compile(*text);
  if (operation == "cidr") return AddressBlock::compile(*text);
  return std::nullopt;
}

// ---- What passes.

template <class Part>
bool any_part(const std::vector<TextPart>& parts, std::string_view text, Part part) {
  return std::ranges::any_of(parts, [&](const TextPart& each) { return (each.*part)(text); });
}

struct Passes {
  const Leaf& leaf;

  const std::string_view* text() const { return std::get_if<std::string_view>(&leaf); }

  bool operator()(const Exact& exact) const {
    return std::visit(
        [&]<class Value>(const Value& value) {
          using Given = std::conditional_t<std::is_same_v<Value, std::string>, std::string_view, Value>;
          const auto* given = std::get_if<Given>(&leaf);
          return given != nullptr && *given == value;
        },
        exact.value);
  }
  bool operator()(const IgnoringCase& test) const { return text() != nullptr && test.text.equals(*text()); }
  bool operator()(const Prefix& test) const { return text() != nullptr && test.text.begins(*text()); }
  bool operator()(const Suffix& test) const { return text() != nullptr && test.text.ends(*text()); }
  bool operator()(const Wildcard& test) const { return text() != nullptr && test.matches(*text()); }
  bool operator()(const AddressBlock& test) const { return text() != nullptr && test.contains(*text()); }
  bool operator()(const NumberRange& test) const {
    const auto* number = std::get_if<FilterNumber>(&leaf);
    return number != nullptr && test.contains(*number);
  }
  bool operator()(const Excluded& test) const { return !test.has(leaf); }
  bool operator()(const Exists& test) const { return test.wanted; }
};

}  // namespace

std::optional<Leaf> leaf_of(element value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::STRING:
      return Leaf(std::string_view(value));
    case element_type::INT64:
      return Leaf(static_cast<FilterNumber>(std::int64_t(value)));
    case element_type::UINT64:
      return Leaf(static_cast<FilterNumber>(std::uint64_t(value)));
    case element_type::DOUBLE:
      return Leaf(static_cast<FilterNumber>(double(value)));
    case element_type::BOOL:
      return Leaf(bool(value));
    case element_type::NULL_VALUE:
      return Leaf(nullptr);
    case element_type::ARRAY:
    case element_type::OBJECT:
      break;
  }
  return std::nullopt;
}

std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      out.push_back(to_lower(text[at++]));
    } else {
      append_utf8(out, fold(take_utf8(text, at)));
    }
  }
  return out;
}

std::optional<Wildcard> Wildcard::compile(std::string_view text) {
  Wildcard wildcard;
  wildcard.parts_.emplace_back();
  bool after_star = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool star = text[at] == '*';
    if (star && after_star) return std::nullopt;
    after_star = star;
    if (star) {
      wildcard.parts_.emplace_back();
      continue;
    }
    if (text[at] == '\\') {
      ++at;
      if (at == text.size() || (text[at] != '*' && text[at] != '\\')) return std::nullopt;
    }
    wildcard.parts_.back().push_back(text[at]);
  }
  return wildcard;
}

// Each part is taken where it is found first: what a later place could make possible, an earlier one does too.
bool Wildcard::matches(std::string_view text) const {
  if (parts_.size() == 1) return text == parts_.front();
  const std::string& first = parts_.front();
  const std::string& last = parts_.back();
  if (text.size() < first.size() + last.size() || !text.starts_with(first) || !text.ends_with(last)) return false;
  text = text.substr(first.size(), text.size() - first.size() - last.size());
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    const std::size_t at = text.find(parts_[i]);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + parts_[i].size());
  }
  return true;
}

std::optional<AddressBlock::Address> AddressBlock::read_address(std::string_view text) {
  Address address;
  if (const auto v4 = boost::urls::parse_ipv4_address(text)) {
    std::ranges::copy(v4->to_bytes(), address.bytes.begin());
    return address;
  }
  if (const auto v6 = boost::urls::parse_ipv6_address(text)) {
    address.is_v6 = true;
    std::ranges::copy(v6->to_bytes(), address.bytes.begin());
    return address;
  }
  return std::nullopt;
}

std::optional<AddressBlock> AddressBlock::compile(std::string_view text) {
  constexpr unsigned bits_of_v4 = 32;
  constexpr unsigned bits_of_v6 = 128;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = read_address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  AddressBlock block;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), block.bits_);
  if (!address || error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  if (block.bits_ > (address->is_v6 ? bits_of_v6 : bits_of_v4)) return std::nullopt;
  block.first_ = *address;
  return block;
}

bool AddressBlock::contains(std::string_view address) const {
  const auto given = read_address(address);
  if (!given || given->is_v6 != first_.is_v6) return false;
  for (unsigned bit = 0; bit < bits_; bit += 8) {
    const unsigned rest = std::min(bits_ - bit, 8U);
    const unsigned mask = 0xFFU & (0xFF00U >> rest);
    if (((given->bytes.at(bit / 8) ^ first_.bytes.at(bit / 8)) & mask) != 0) return false;
  }
  return true;
}

bool TextPart::begins(std::string_view value) const {
  return any_case ? folded(value).starts_with(text) : value.starts_with(text);
}

bool TextPart::ends(std::string_view value) const {
  return any_case ? folded(value).ends_with(text) : value.ends_with(text);
}

bool TextPart::equals(std::string_view value) const { return any_case ? folded(value) == text : value == text; }

bool NumberRange::contains(FilterNumber number) const {
  if (low && (number < *low || (number == *low && !low_included))) return false;
  return !high || number < *high || (number == *high && high_included);
}

bool Excluded::has(const Leaf& leaf) const {
  if (const auto* number = std::get_if<FilterNumber>(&leaf))
    return std::ranges::find(numbers, *number) != numbers.end();
  const auto* text = std::get_if<std::string_view>(&leaf);
  if (text == nullptr) return false;
  return any_part(texts, *text, &TextPart::equals) || any_part(prefixes, *text, &TextPart::begins) ||
         any_part(suffixes, *text, &TextPart::ends) ||
         std::ranges::any_of(wildcards, [&](const Wildcard& each) { return each.matches(*text); });
}

std::optional<LeafTest> compile_test(element given) {
  if (const auto leaf = leaf_of(given)) {
    return std::visit(
        []<class Value>(const Value& value) -> LeafTest {
          if constexpr (std::is_same_v<Value, std::string_view>)
            return Exact{std::string(value)};
          else
            return Exact{value};
        },
        *leaf);
  }
  const auto operation = only_member(given);
  if (!operation) return std::nullopt;
  return compile_operator(operation->first, operation->second);
}

bool passes(const LeafTest& test, const Leaf& leaf) { return std::visit(Passes{leaf}, test); }

}  // namespace penstock::protocol::lambda
