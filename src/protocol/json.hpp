// AWS JSON: a Source over what simdjson has parsed and a Sink over rapidjson's writer.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/base64.hpp"
#include "protocol/decode.hpp"
#include "protocol/encode.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol {

/// Containers within containers that a request may have; the service's own shapes need six.
inline constexpr std::size_t json_depth_max = 64;
/// The same of what people send to each other through the service, of which it takes what others take.
inline constexpr std::size_t json_content_depth_max = 1'024;
/// How large a body this thread's parser stays ready for. It takes fourteen bytes for each.
inline constexpr std::size_t json_kept_capacity_max = 256U << 10U;
/// How much of a text is written before that is put with what was written before: little enough for the processor's
/// cache, so that a page of megabytes goes through memory once.
inline constexpr std::size_t json_buffered_max = 64U << 10U;
/// The same for as long as bodies of that size come again and again, as full batches of records do.
inline constexpr std::size_t json_busy_capacity_max = 1U << 20U;
/// After so many smaller bodies in a row they are seen as over.
inline constexpr std::size_t json_small_bodies_max = 64;

class JsonSource {
 public:
  static constexpr bool empty_list_is_absent = false;

  JsonSource() = default;  ///< nothing
  explicit JsonSource(simdjson::dom::element value) : value_(value), present_(!value.is_null()) {}

  /// REQUIRES: not a default one.
  simdjson::dom::element element() const { return value_; }
  bool present() const { return present_; }
  /// Whether it is null, false, empty, or holds only what is.
  bool says_nothing() const;
  JsonSource member(const Names& names) const;
  Refusal structure() const;
  Refusal string(std::string& out) const;
  Refusal blob(std::string& out) const;
  Refusal boolean(bool& out) const;
  Refusal timestamp(std::int64_t& ms) const;
  Refusal integer(const Names& names, std::int64_t& out, std::int64_t min, std::int64_t max) const;

  /// Elements that are null are passed over.
  template <class OnElement>
  Refusal list(OnElement&& on_element) const {
    simdjson::dom::array elements;
    if (value_.get_array().get(elements) != simdjson::SUCCESS) return wrong_type("Expected list or null");
    for (const simdjson::dom::element element : elements) {
      if (element.is_null()) continue;
      if (Refusal refusal = on_element(JsonSource(element))) return refusal;
    }
    return std::nullopt;
  }

  /// Entries whose value is null are passed over.
  template <class OnEntry>
  Refusal map(const Names&, OnEntry&& on_entry) const {
    simdjson::dom::object entries;
    if (value_.get_object().get(entries) != simdjson::SUCCESS) return wrong_type("Expected map or null");
    for (const simdjson::dom::key_value_pair entry : entries) {
      if (entry.value.is_null()) continue;
      if (Refusal refusal = on_entry(std::string(entry.key), JsonSource(entry.value))) return refusal;
    }
    return std::nullopt;
  }

 private:
  static Error wrong_type(std::string_view message);
  Error not_convertible(std::string_view type) const;

  simdjson::dom::element value_;
  bool present_ = false;
};
static_assert(TimestampSource<JsonSource>);

/// A parser, its document and the padded copy of the text that simdjson reads, kept from text to text.
class JsonReader {
 public:
  /// `depth_max` is how many containers may stand within containers.
  explicit JsonReader(std::size_t depth_max) : depth_max_(depth_max) {}

  /// What a text is, which need not be an object. Lives until the next one is read. MEMALLOC is for what is too large.
  simdjson::simdjson_result<simdjson::dom::element> read(std::string_view text);

 private:
  bool is_too_large(std::size_t wanted);
  bool reserve(std::size_t wanted);

  std::size_t depth_max_;
  std::size_t capacity_ = 0;
  std::size_t small_texts_ = 0;  // in a row, since one that needed more than what is always kept
  simdjson::dom::parser parser_;
  simdjson::dom::document document_;
  std::unique_ptr<char[]> padded_;
};

/// Whether a text is one value of JSON in UTF-8, whose numbers may be as long as they like.
bool is_json(std::string_view text);

/// The object that a request's body is; an empty body counts as an empty object. It lives until this thread parses
/// again.
std::variant<JsonSource, Error> parse_json(std::string_view body);

/// RapidJSON's writer, which puts base64 where it has to go without making a string of it first, and copies texts that
/// need no escapes, as nearly all do, instead of looking at what each character becomes.
class JsonWriter : public rapidjson::Writer<rapidjson::StringBuffer> {
 public:
  using Writer::Writer;

  void base64(std::string_view bytes) {
    const std::size_t size = base64_size(bytes.size());
    base64_encode_to(bytes, begin_quoted(size));
  }
  void text(std::string_view text) {
    if (!is_plain(text)) {
      String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    } else if (char* const out = begin_quoted(text.size()); !text.empty()) {
      std::memcpy(out, text.data(), text.size());
    }
  }

 private:
  static bool is_plain(std::string_view text) {
    bool plain = true;
    // Without a way out, so that the compiler looks at many characters at once.
    for (const char c : text) plain &= static_cast<unsigned char>(c) >= 0x20U && c != '"' && c != '\\';
    return plain;
  }
  /// Where the `size` characters between the quotes go.
  char* begin_quoted(std::size_t size) {
    Prefix(rapidjson::kStringType);
    char* const out = os_->Push(size + 2);
    out[0] = '"';
    out[size + 1] = '"';
    return out + 1;
  }
};

class JsonSink {
 public:
  /// Writes into this thread's buffer: one at a time.
  JsonSink();

  /// Makes room for a long text.
  void reserve(std::size_t bytes) { written_.reserve(bytes); }

  void member(const Names& names) {
    if (buffer_.GetSize() >= json_buffered_max) drain();
    key(names.json);
  }
  void string(const Names&, std::string_view text) { value(text); }
  void integer(const Names&, std::int64_t number) { writer_.Int64(number); }
  void number(const Names&, double number) { writer_.Double(number); }
  void boolean(const Names&, bool flag) { writer_.Bool(flag); }
  void blob(const Names& names, std::string_view bytes);
  void timestamp(const Names& names, std::int64_t ms);
  void open_structure(const Names&, std::size_t) { open(); }
  void close_structure() { close(); }
  void open_list(std::size_t) { open_array(); }
  void close_list() { close_array(); }
  void open_map(std::size_t) { open(); }
  void open_entry(const Names&, std::string_view entry_key) { key(entry_key); }
  void close_entry() {}
  void close_map() { close(); }

  void open() { writer_.StartObject(); }
  void close() { writer_.EndObject(); }
  void key(std::string_view name) { writer_.text(name); }
  void value(std::string_view text) { writer_.text(text); }

  void open_array() { writer_.StartArray(); }
  void close_array() { writer_.EndArray(); }
  /// A value as it was read, with all that is in it.
  void copy(simdjson::dom::element element);

  std::string take();

 private:
  void drain();

  std::string written_;  ///< what the buffer was emptied of
  rapidjson::StringBuffer& buffer_;
  JsonWriter writer_;
};
static_assert(Sink<JsonSink>);

}  // namespace penstock::protocol
