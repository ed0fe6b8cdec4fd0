#include "protocol/cbor.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

/// What an item of the last kind is.
enum Simple : std::uint8_t {
  simple_false = 20,
  simple_true = 21,
  simple_null = 22,
  simple_undefined = 23,
  simple_next_byte = 24,
  half_float = 25,
  single_float = 26,
  double_float = 27,
  indefinite = 31,
};

constexpr char break_byte = '\xFF';
constexpr std::uint64_t timestamp_tag = 1;
/// Within 2^53 a double says exactly which whole number is meant.
constexpr double exact_max = 9007199254740992.0;

/// Takes a head off. False if it is cut short, or none.
bool take_head(std::string_view& rest, CborHead& head) {
  if (rest.empty()) return false;
  const auto first = static_cast<unsigned char>(rest.front());
  rest.remove_prefix(1);
  head.major = first >> 5U;
  head.info = first & 0x1FU;
  head.number = head.info;
  if (head.info < 24) return true;
  if (head.info == indefinite) {
    head.number = 0;
    return true;
  }
  if (head.info > double_float) return false;
  const std::size_t size = std::size_t{1} << (head.info - 24U);
  if (rest.size() < size) return false;
  head.number = 0;
  for (const char byte : rest.substr(0, size)) head.number = (head.number << 8U) | static_cast<unsigned char>(byte);
  rest.remove_prefix(size);
  return true;
}

/// Looks at every item of a body before anybody else does.
class Checker {
 public:
  explicit Checker(std::string_view body) : rest_(body) {}

  /// One item with all that is in it.
  bool item(std::size_t depth) {
    CborHead head;
    do {
      if (!take(head)) return false;
      if (head.major == major_tag && head.indefinite()) return fail("a tag has no number");
    } while (head.major == major_tag);
    switch (head.major) {
      case major_bytes:
      case major_text:
        return string(head);
      case major_array:
      case major_map:
        return container(head, depth);
      case major_simple:
        if (head.indefinite()) return fail("an item ends that did not begin");
        if (head.info == simple_next_byte && head.number < 32) return fail("a simple value is not well formed");
        return true;
      default:
        return !head.indefinite() || fail("a number has no value");
    }
  }

  bool at_end() const { return rest_.empty(); }
  std::string_view fault() const { return fault_; }

 private:
  bool fail(std::string_view why) {
    fault_ = why;
    return false;
  }

  bool take(CborHead& head) { return take_head(rest_, head) || fail("the body is cut short, or not well formed"); }

  bool take_break() {
    if (rest_.empty() || rest_.front() != break_byte) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool chunk(const CborHead& head) {
    if (head.number > rest_.size()) return fail("a string is longer than the body");
    if (head.major == major_text && !is_utf8(rest_.substr(0, head.number))) return fail("a string is not valid UTF-8");
    rest_.remove_prefix(head.number);
    return true;
  }

  bool string(const CborHead& head) {
    if (!head.indefinite()) return chunk(head);
    while (!take_break()) {
      CborHead part;
      if (!take(part)) return false;
      if (part.major != head.major || part.indefinite()) return fail("a string has parts that are not of its kind");
      if (!chunk(part)) return false;
    }
    return true;
  }

  bool key() {
    CborHead head;
    if (!take(head)) return false;
    return head.major == major_text ? string(head) : fail("a map has a key that is not a string");
  }

  bool container(const CborHead& head, std::size_t depth) {
    if (depth == cbor_depth_max) return fail("it is nested too deeply");
    // Every item has a byte at least, so that a count of more than there are needs no counting.
    if (head.number > rest_.size()) return fail("a list or a map is longer than the body");
    for (std::uint64_t left = head.number; head.indefinite() ? !take_break() : left > 0; --left) {
      if (head.major == major_map && !key()) return false;
      if (!item(depth + 1)) return false;
    }
    return true;
  }

  std::string_view rest_;
  std::string_view fault_;
};

Error unreadable(std::string_view why) {
  std::string message = "The request body could not be parsed as CBOR: ";
  message.append(why).append(".");
  return {ErrorCode::Serialization, std::move(message)};
}

double from_half(std::uint64_t bits) {
  constexpr int fraction_bits = 10;
  constexpr int bias = 15;
  const auto exponent = static_cast<int>((bits >> 10U) & 0x1FU);
  const auto fraction = static_cast<int>(bits & 0x3FFU);
  double value = 0;
  if (exponent == 0x1F) {
    value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, 1 - bias - fraction_bits);
  } else {
    value = std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  }
  return (bits & 0x8000U) != 0 ? -value : value;
}

}  // namespace

std::variant<CborSource, Error> parse_cbor(std::string_view body) {
  constexpr std::string_view empty_map = "\xA0";
  if (body.empty()) body = empty_map;
  Checker checker(body);
  if (!checker.item(0)) return unreadable(checker.fault());
  if (!checker.at_end()) return unreadable("something stands behind its end");
  const CborSource source(body);
  if (!source.present() || source.structure()) return unreadable("the top level is not a map");
  return source;
}

CborSource::CborSource(std::string_view bytes) : content_(bytes) {
  do {
    take_head(content_, head_);
  } while (head_.major == major_tag);
  present_ = head_.major != major_simple || (head_.info != simple_null && head_.info != simple_undefined);
}

bool CborSource::has_next(std::string_view rest, std::uint64_t& left) const {
  if (head_.indefinite()) return rest.front() != break_byte;
  if (left == 0) return false;
  --left;
  return true;
}

// Its depth is that of what was parsed, at most cbor_depth_max.
void CborSource::skip(std::string_view& rest) {
  CborHead head;
  do {
    take_head(rest, head);
  } while (head.major == major_tag);
  if (head.major < major_bytes || head.major == major_simple) return;
  const bool is_string = head.major == major_bytes || head.major == major_text;
  if (is_string && !head.indefinite()) return rest.remove_prefix(head.number);
  const std::uint64_t each = head.major == major_map ? 2 : 1;
  for (std::uint64_t left = head.number; head.indefinite() ? rest.front() != break_byte : left > 0; --left) {
    for (std::uint64_t i = 0; i < each; ++i) skip(rest);
  }
  if (head.indefinite()) rest.remove_prefix(1);
}

void CborSource::append_string(std::string_view& rest, std::string& out) {
  CborHead head;
  take_head(rest, head);
  if (!head.indefinite()) {
    out.append(rest.substr(0, head.number));
    return rest.remove_prefix(head.number);
  }
  while (rest.front() != break_byte) append_string(rest, out);
  rest.remove_prefix(1);
}

CborSource CborSource::member(const Names& names) const {
  if (head_.major != major_map) return {};
  std::string_view rest = content_;
  std::string pieces;
  for (std::uint64_t left = head_.number; has_next(rest, left); skip(rest)) {
    std::string_view after = rest;
    CborHead key;
    take_head(after, key);
    std::string_view name = after.substr(0, key.number);
    if (key.indefinite()) {
      pieces.clear();
      append_string(rest, pieces);
      name = pieces;
    } else {
      rest = after.substr(key.number);
    }
    if (name == names.json) return CborSource(rest);
  }
  return {};
}

Refusal CborSource::structure() const {
  if (head_.major == major_map) return std::nullopt;
  return wrong_kind(head_.major == major_array ? "Start of list found where not expected" : "Expected null");
}

Refusal CborSource::string(std::string& out) const {
  if (head_.major != major_text) return not_convertible("a String");
  out.clear();
  std::string_view rest = content_;
  if (!head_.indefinite()) {
    out = rest.substr(0, head_.number);
    return std::nullopt;
  }
  while (rest.front() != break_byte) append_string(rest, out);
  return std::nullopt;
}

Refusal CborSource::blob(std::string& out) const {
  if (head_.major != major_bytes) return not_convertible("a Blob");
  out.clear();
  std::string_view rest = content_;
  if (!head_.indefinite()) {
    out = rest.substr(0, head_.number);
    return std::nullopt;
  }
  while (rest.front() != break_byte) append_string(rest, out);
  return std::nullopt;
}

Refusal CborSource::boolean(bool& out) const {
  if (head_.major != major_simple || (head_.info != simple_true && head_.info != simple_false)) {
    return not_convertible("a Boolean");
  }
  out = head_.info == simple_true;
  return std::nullopt;
}

bool CborSource::read_float(double& out) const {
  if (head_.major != major_simple) return false;
  switch (head_.info) {
    case half_float:
      out = from_half(head_.number);
      return true;
    case single_float:
      out = std::bit_cast<float>(static_cast<std::uint32_t>(head_.number));
      return true;
    case double_float:
      out = std::bit_cast<double>(head_.number);
      return true;
    default:
      return false;
  }
}

Refusal CborSource::integer(const Names&, std::int64_t& out, std::int64_t min, std::int64_t max) const {
  const std::string_view type = max > std::numeric_limits<std::int32_t>::max() ? "a Long" : "an Integer";
  double number = 0;
  if (head_.major == major_unsigned || head_.major == major_negative) {
    if (head_.number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return not_convertible(type);
    }
    const auto magnitude = static_cast<std::int64_t>(head_.number);
    out = head_.major == major_unsigned ? magnitude : -1 - magnitude;
  } else if (read_float(number) && std::trunc(number) == number && std::abs(number) <= exact_max) {
    out = static_cast<std::int64_t>(number);
  } else {
    return not_convertible(type);
  }
  if (out < min || out > max) return not_convertible(type);
  return std::nullopt;
}

Refusal CborSource::timestamp(std::int64_t& ms) const {
  double number = 0;
  if (read_float(number) && std::abs(number) <= exact_max) {
    ms = std::llround(number);
    return std::nullopt;
  }
  constexpr std::int64_t ms_max = std::int64_t{1} << 53U;
  return integer({}, ms, -ms_max, ms_max) ? Refusal(not_convertible("a Timestamp")) : std::nullopt;
}

Error CborSource::wrong_kind(std::string_view message) { return {ErrorCode::Serialization, std::string(message)}; }

Error CborSource::not_convertible(std::string_view type) const {
  switch (head_.major) {
    case major_array:
      return wrong_kind("Start of list found where not expected");
    case major_map:
      return wrong_kind("Start of structure or map found where not expected");
    case major_text:
      return protocol::not_convertible("STRING_VALUE", type);
    case major_bytes:
      return protocol::not_convertible("BLOB_VALUE", type);
    case major_simple:
      if (head_.info == simple_true) return protocol::not_convertible("TRUE_VALUE", type);
      if (head_.info == simple_false) return protocol::not_convertible("FALSE_VALUE", type);
      return protocol::not_convertible("NUMBER_VALUE", type);
    default:
      return protocol::not_convertible("NUMBER_VALUE", type);
  }
}

void CborSink::head(std::uint8_t major, std::uint64_t number) {
  std::array<char, 9> written{};
  std::size_t size = 0;
  std::uint8_t info = 0;
  if (number < 24) {
    info = static_cast<std::uint8_t>(number);
  } else {
    const unsigned power = number <= 0xFFU ? 0 : number <= 0xFFFFU ? 1 : number <= 0xFFFFFFFFU ? 2 : 3;
    info = static_cast<std::uint8_t>(24 + power);
    size = std::size_t{1} << power;
    for (std::size_t i = 0; i < size; ++i) written[size - i] = static_cast<char>(number >> (8 * i));
  }
  written[0] = static_cast<char>((major << 5U) | info);
  out_.append(written.data(), size + 1);
}

void CborSink::string(const Names&, std::string_view given) {
  head(major_text, given.size());
  out_.append(given);
}

void CborSink::integer(const Names&, std::int64_t number) {
  if (number >= 0) {
    head(major_unsigned, static_cast<std::uint64_t>(number));
  } else {
    head(major_negative, static_cast<std::uint64_t>(-1 - number));
  }
}

void CborSink::boolean(const Names&, bool flag) { head(major_simple, flag ? simple_true : simple_false); }

void CborSink::blob(const Names&, std::string_view given) {
  head(major_bytes, given.size());
  out_.append(given);
}

void CborSink::timestamp(const Names& names, std::int64_t ms) {
  head(major_tag, timestamp_tag);
  integer(names, ms);
}

void CborSink::open_list(std::size_t elements) { head(major_array, elements); }

void CborSink::open_map(std::size_t entries) { head(major_map, entries); }

}  // namespace penstock::protocol
