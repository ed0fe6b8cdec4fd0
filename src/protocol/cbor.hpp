// AWS CBOR: a Source that walks over the bytes as they were received, and a Sink. Nothing is built in memory:
// parse_cbor looks at every item once, and from then on a value is the place where it begins. So what a length claims
// is never more than a number to compare with what is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "protocol/decode.hpp"
#include "protocol/encode.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol {

/// Containers within containers that a request may have, as in JSON.
inline constexpr std::size_t cbor_depth_max = 64;

/// The kinds of items.
enum CborMajor : std::uint8_t {
  major_unsigned,
  major_negative,
  major_bytes,
  major_text,
  major_array,
  major_map,
  major_tag,
  major_simple,
};

/// An item's first bytes.
struct CborHead {
  std::uint8_t major = 0;    ///< a CborMajor
  std::uint8_t info = 0;     ///< 31 where the length is not known before the end
  std::uint64_t number = 0;  ///< a value, a length in bytes or items, or a float's bits

  bool indefinite() const { return info == 31; }
};

/// A view of one value, or of none. REQUIRES: the body stays, and parse_cbor has seen that it is well formed.
class CborSource {
 public:
  static constexpr bool empty_list_is_absent = false;

  CborSource() = default;  ///< nothing
  /// The value with which `bytes` begins.
  explicit CborSource(std::string_view bytes);

  /// False for null and undefined too.
  bool present() const { return present_; }
  CborSource member(const Names& names) const;
  Refusal structure() const;
  Refusal string(std::string& out) const;
  Refusal blob(std::string& out) const;
  Refusal boolean(bool& out) const;
  Refusal integer(const Names& names, std::int64_t& out, std::int64_t min, std::int64_t max) const;
  /// In this protocol a moment is its milliseconds, whatever number says them.
  Refusal timestamp(std::int64_t& ms) const;

  /// Elements that are null are passed over.
  template <class OnElement>
  Refusal list(OnElement&& on_element) const {
    if (head_.major != major_array) return wrong_kind("Expected list or null");
    std::string_view rest = content_;
    for (std::uint64_t left = head_.number; has_next(rest, left);) {
      const CborSource element(rest);
      skip(rest);
      if (!element.present()) continue;
      if (Refusal refusal = on_element(element)) return refusal;
    }
    return std::nullopt;
  }

  /// Entries whose value is null are passed over.
  template <class OnEntry>
  Refusal map(const Names&, OnEntry&& on_entry) const {
    if (head_.major != major_map) return wrong_kind("Expected map or null");
    std::string_view rest = content_;
    for (std::uint64_t left = head_.number; has_next(rest, left);) {
      std::string key;
      append_string(rest, key);
      const CborSource value(rest);
      skip(rest);
      if (!value.present()) continue;
      if (Refusal refusal = on_entry(std::move(key), value)) return refusal;
    }
    return std::nullopt;
  }

 private:
  /// Whether a container of which that many items are left goes on; counts one off.
  bool has_next(std::string_view rest, std::uint64_t& left) const;
  /// Takes the item with which `rest` begins off.
  static void skip(std::string_view& rest);
  /// The same of a string, whose bytes are appended.
  static void append_string(std::string_view& rest, std::string& out);
  static Error wrong_kind(std::string_view message);
  Error not_convertible(std::string_view type) const;
  /// False if the value is no float.
  bool read_float(double& out) const;

  CborHead head_;             // without tags, which say nothing that the shape does not
  std::string_view content_;  // from behind the head to the body's end
  bool present_ = false;
};
static_assert(TimestampSource<CborSource>);

/// The map that a request's body is; an empty body counts as an empty map. The source refers to `body`.
std::variant<CborSource, Error> parse_cbor(std::string_view body);

/// All lengths are definite.
class CborSink {
 public:
  /// Makes room for a long answer.
  void reserve(std::size_t bytes) { out_.reserve(bytes); }

  void member(const Names& names) { string(names, names.json); }
  void string(const Names&, std::string_view text);
  void integer(const Names&, std::int64_t number);
  void boolean(const Names&, bool flag);
  void blob(const Names&, std::string_view bytes);
  void timestamp(const Names& names, std::int64_t ms);
  void open_structure(const Names&, std::size_t members) { open_map(members); }
  void close_structure() {}
  void open_list(std::size_t elements);
  void close_list() {}
  void open_map(std::size_t entries);
  void open_entry(const Names& names, std::string_view key) { string(names, key); }
  void close_entry() {}
  void close_map() {}

  std::string take() { return std::move(out_); }

 private:
  void head(std::uint8_t major, std::uint64_t number);

  std::string out_;
};
static_assert(Sink<CborSink>);

}  // namespace penstock::protocol
