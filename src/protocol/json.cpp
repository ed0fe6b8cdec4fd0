#include "protocol/json.hpp"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "protocol/base64.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

/// Smaller than this it is not worth growing by.
constexpr std::size_t json_capacity_min = 4U << 10U;

/// Some thousands of years, and few enough for milliseconds to be exact in a double.
constexpr double timestamp_seconds_max = 1e12;

Error unreadable(std::string_view why) {
  std::string message = "The request body could not be parsed as JSON: ";
  message.append(why);
  return {ErrorCode::Serialization, std::move(message)};
}

}  // namespace

/// Whether what is there is to be given back, where a text needs no more than `wanted`.
bool JsonReader::is_too_large(std::size_t wanted) {
  small_texts_ = wanted > json_kept_capacity_max ? 0 : small_texts_ + 1;
  const std::size_t kept =
      small_texts_ > json_small_bodies_max ? json_kept_capacity_max : std::max(wanted, json_busy_capacity_max);
  return capacity_ > kept;
}

bool JsonReader::reserve(std::size_t wanted) {
  capacity_ = 0;
  if (document_.allocate(wanted) != simdjson::SUCCESS) return false;
  if (parser_.allocate(wanted, depth_max_) != simdjson::SUCCESS) return false;
  padded_ = std::make_unique<char[]>(wanted + simdjson::SIMDJSON_PADDING);
  capacity_ = wanted;
  return true;
}

simdjson::simdjson_result<simdjson::dom::element> JsonReader::read(std::string_view text) {
  const std::size_t wanted = std::max(std::bit_ceil(text.size()), json_capacity_min);
  const bool too_small = capacity_ < wanted;
  const bool too_large = is_too_large(wanted);
  if ((too_small || too_large) && !reserve(wanted)) return simdjson::MEMALLOC;
  if (!text.empty()) std::memcpy(padded_.get(), text.data(), text.size());
  return parser_.parse_into_document(document_, padded_.get(), text.size(), false);
}

bool is_json(std::string_view text) {
  thread_local JsonReader reader(json_content_depth_max);
  const auto error = reader.read(text).error();
  if (error != simdjson::NUMBER_ERROR) return error == simdjson::SUCCESS;
  // Perhaps one that only does not fit into any type.
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader strict;
  rapidjson::BaseReaderHandler<> nobody;
  constexpr unsigned flags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  return !strict.Parse<flags>(stream, nobody).IsError() && stream.Tell() == text.size();
}

std::variant<JsonSource, Error> parse_json(std::string_view body) {
  thread_local JsonReader reader(json_depth_max);
  simdjson::dom::element root;
  const auto error = reader.read(body.empty() ? "{}" : body).get(root);
  if (error == simdjson::MEMALLOC) return Error{ErrorCode::RequestTooLarge, {}};
  if (error != simdjson::SUCCESS) return unreadable(simdjson::error_message(error));
  if (!root.is_object()) return unreadable("the top level is not an object.");
  return JsonSource(root);
}

JsonSource JsonSource::member(const Names& names) const {
  simdjson::dom::element found;
  if (value_.at_key(names.json).get(found) != simdjson::SUCCESS) return {};
  return JsonSource(found);
}

bool JsonSource::says_nothing() const {
  using simdjson::dom::element_type;
  const auto is_vain = [](simdjson::dom::element part) { return JsonSource(part).says_nothing(); };
  switch (value_.type()) {
    case element_type::NULL_VALUE:
      return true;
    case element_type::BOOL:
      return !bool(value_);
    case element_type::STRING:
      return std::string_view(value_).empty();
    case element_type::ARRAY:
      for (const simdjson::dom::element part : simdjson::dom::array(value_)) {
        if (!is_vain(part)) return false;
      }
      return true;
    case element_type::OBJECT:
      for (const simdjson::dom::key_value_pair part : simdjson::dom::object(value_)) {
        if (!is_vain(part.value)) return false;
      }
      return true;
    default:
      return false;
  }
}

Refusal JsonSource::structure() const {
  if (value_.is_object()) return std::nullopt;
  return wrong_type(value_.is_array() ? "Start of list found where not expected" : "Expected null");
}

Refusal JsonSource::string(std::string& out) const {
  std::string_view text;
  if (value_.get_string().get(text) != simdjson::SUCCESS) return not_convertible("a String");
  out = text;
  return std::nullopt;
}

Refusal JsonSource::blob(std::string& out) const {
  std::string_view text;
  if (value_.get_string().get(text) != simdjson::SUCCESS) return not_convertible("a Blob");
  std::optional<std::string> bytes = base64_decode(text);
  if (!bytes) return wrong_type("Blobs must be base64 encoded");
  out = std::move(*bytes);
  return std::nullopt;
}

Refusal JsonSource::boolean(bool& out) const {
  if (value_.get_bool().get(out) != simdjson::SUCCESS) return not_convertible("a Boolean");
  return std::nullopt;
}

Refusal JsonSource::integer(const Names&, std::int64_t& out, std::int64_t min, std::int64_t max) const {
  const std::string_view type = max > std::numeric_limits<std::int32_t>::max() ? "a Long" : "an Integer";
  if (value_.get_int64().get(out) != simdjson::SUCCESS) {
    // Some languages write whole numbers as 1.0. Within 2^53 that says exactly which one is meant.
    constexpr double exact_max = 9007199254740992.0;
    double number = 0;
    if (!value_.is_double() || value_.get_double().get(number) != simdjson::SUCCESS) return not_convertible(type);
    if (std::trunc(number) != number || std::abs(number) > exact_max) return not_convertible(type);
    out = static_cast<std::int64_t>(number);
  }
  if (out < min || out > max) return not_convertible(type);
  return std::nullopt;
}

Refusal JsonSource::timestamp(std::int64_t& ms) const {
  double seconds = 0;
  if (!value_.is_number() || value_.get_double().get(seconds) != simdjson::SUCCESS ||
      !(std::abs(seconds) <= timestamp_seconds_max)) {
    return not_convertible("a Timestamp");
  }
  ms = std::llround(seconds * 1000);
  return std::nullopt;
}

Error JsonSource::wrong_type(std::string_view message) { return {ErrorCode::Serialization, std::string(message)}; }

Error JsonSource::not_convertible(std::string_view type) const {
  using simdjson::dom::element_type;
  std::string_view token;
  switch (value_.type()) {
    case element_type::ARRAY:
      return wrong_type("Start of list found where not expected");
    case element_type::OBJECT:
      return wrong_type("Start of structure or map found where not expected");
    case element_type::STRING:
      token = "STRING_VALUE";
      break;
    case element_type::BOOL:
      token = value_.get_bool().value_unsafe() ? "TRUE_VALUE" : "FALSE_VALUE";
      break;
    default:
      token = "NUMBER_VALUE";
      break;
  }
  return protocol::not_convertible(token, type);
}

namespace {

rapidjson::StringBuffer& thread_buffer() {
  thread_local rapidjson::StringBuffer buffer;
  // Clear keeps the memory, which one large answer should not claim for good.
  if (buffer.GetSize() > json_kept_capacity_max) buffer = rapidjson::StringBuffer();
  buffer.Clear();
  return buffer;
}

}  // namespace

JsonSink::JsonSink() : buffer_(thread_buffer()), writer_(buffer_) {}

void JsonSink::drain() {
  written_.append(buffer_.GetString(), buffer_.GetSize());
  if (buffer_.GetSize() > json_kept_capacity_max) buffer_ = rapidjson::StringBuffer();
  buffer_.Clear();
}

std::string JsonSink::take() {
  if (written_.empty()) return {buffer_.GetString(), buffer_.GetSize()};
  drain();
  return std::move(written_);
}

// Its depth is that of what was parsed, at most json_depth_max.
void JsonSink::copy(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::OBJECT:
      open();
      for (const auto [name, member] : simdjson::dom::object(element)) {
        key(name);
        copy(member);
      }
      return close();
    case element_type::ARRAY:
      open_array();
      for (const simdjson::dom::element item : simdjson::dom::array(element)) copy(item);
      return close_array();
    case element_type::STRING:
      return value(std::string_view(element));
    case element_type::INT64:
      writer_.Int64(std::int64_t(element));
      return;
    case element_type::UINT64:
      writer_.Uint64(std::uint64_t(element));
      return;
    case element_type::DOUBLE:
      writer_.Double(double(element));
      return;
    case element_type::BOOL:
      writer_.Bool(bool(element));
      return;
    case element_type::NULL_VALUE:
      writer_.Null();
      return;
  }
}

void JsonSink::blob(const Names&, std::string_view bytes) { writer_.base64(bytes); }

// Text, since a double would be written with as many digits as tell it from its neighbours, or in powers of ten.
void JsonSink::timestamp(const Names&, std::int64_t ms) {
  constexpr std::int64_t second = 1000;
  std::string text = ms < 0 ? "-" : "";
  text.append(std::to_string(std::abs(ms / second)));
  if (const std::int64_t rest = std::abs(ms % second); rest != 0) {
    text.append(".").append(std::to_string(second + rest).substr(1));
  }
  writer_.RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

}  // namespace penstock::protocol
