#include "config/value.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "protocol/json.hpp"

namespace penstock::config {

namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

rapidjson::SizeType size_of(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

void write(const Value& value, Writer& writer) {
  switch (value.kind) {
    case Value::Kind::null:
      writer.Null();
      break;
    case Value::Kind::boolean:
      writer.Bool(value.text == "true");
      break;
    case Value::Kind::number:
      writer.RawValue(value.text.data(), value.text.size(), rapidjson::kNumberType);
      break;
    case Value::Kind::text:
      writer.String(value.text.data(), size_of(value.text));
      break;
    case Value::Kind::list:
      writer.StartArray();
      for (const Value& item : value.items) write(item, writer);
      writer.EndArray();
      break;
    case Value::Kind::map:
      writer.StartObject();
      for (const Member& member : value.members) {
        writer.Key(member.name.data(), size_of(member.name));
        write(member.value, writer);
      }
      writer.EndObject();
      break;
  }
}

Value read(simdjson::dom::element element) {
  Value value;
  if (std::string_view text; element.get_string().get(text) == simdjson::SUCCESS) return text_value(std::string(text));
  if (bool flag = false; element.get_bool().get(flag) == simdjson::SUCCESS) {
    value.kind = Value::Kind::boolean;
    value.text = flag ? "true" : "false";
  } else if (simdjson::dom::array items; element.get_array().get(items) == simdjson::SUCCESS) {
    value.kind = Value::Kind::list;
    for (const simdjson::dom::element item : items) value.items.push_back(read(item));
  } else if (simdjson::dom::object members; element.get_object().get(members) == simdjson::SUCCESS) {
    value.kind = Value::Kind::map;
    for (const simdjson::dom::key_value_pair member : members) {
      value.members.push_back({std::string(member.key), {}, read(member.value)});
    }
  } else if (!element.is_null()) {
    value.kind = Value::Kind::number;
    value.text = simdjson::minify(element);
  }
  return value;
}

std::optional<double> number_in(const Value& value) {
  double number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, number);
  if (!is_number(value.text) || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

bool scalars_agree(const Value& wanted, const Value& actual) {
  if (wanted.text == actual.text) return true;
  const auto number = number_in(wanted);
  return number && number == number_in(actual);
}

bool says_nothing(const Value& value) {
  if (value.kind == Value::Kind::boolean) return value.text == "false";
  return value.text.empty() && value.items.empty() &&
         std::ranges::all_of(value.members, [](const Member& member) { return says_nothing(member.value); });
}

bool compare(const Value& wanted, const Value& actual, bool exactly);

bool members_agree(const Value& wanted, const Value& actual, bool exactly) {
  if (exactly && wanted.members.size() != actual.members.size()) return false;
  return std::ranges::all_of(wanted.members, [&](const Member& member) {
    const Value* const found = actual.find(member.name);
    if (found == nullptr) return !exactly && says_nothing(member.value);
    return compare(member.value, *found, exactly);
  });
}

bool compare(const Value& wanted, const Value& actual, bool exactly) {
  if (wanted.kind == Value::Kind::null) return !exactly || actual.kind == Value::Kind::null;
  if (wanted.is_scalar()) return actual.is_scalar() && scalars_agree(wanted, actual);
  if (wanted.kind != actual.kind) return false;
  if (wanted.kind == Value::Kind::map) return members_agree(wanted, actual, exactly);
  return std::ranges::equal(wanted.items, actual.items,
                            [exactly](const Value& a, const Value& b) { return compare(a, b, exactly); });
}

std::size_t skip_digits(std::string_view text, std::size_t from) {
  while (from < text.size() && std::isdigit(static_cast<unsigned char>(text[from])) != 0) ++from;
  return from;
}

}  // namespace

const Value* Value::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &found->value;
}

std::string Value::text_of(std::string_view name) const {
  const Value* const found = find(name);
  return found != nullptr && found->is_scalar() ? found->text : std::string();
}

void Value::set(std::string_view name, Value value) {
  const auto found = std::ranges::find(members, name, &Member::name);
  if (found != members.end()) {
    found->value = std::move(value);
  } else {
    const Position place = value.at;
    members.push_back({std::string(name), place, std::move(value)});
  }
}

Value text_value(std::string text) {
  Value value;
  value.kind = Value::Kind::text;
  value.text = std::move(text);
  return value;
}

Value number_value(std::int64_t number) {
  Value value;
  value.kind = Value::Kind::number;
  value.text = std::to_string(number);
  return value;
}

Value map_value() {
  Value value;
  value.kind = Value::Kind::map;
  return value;
}

bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = skip_digits(text, at);
  if (whole == at || (text[at] == '0' && whole > at + 1)) return false;
  at = whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = skip_digits(text, at + 1);
    if (fraction == at + 1) return false;
    at = fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = skip_digits(text, at);
    if (exponent == at) return false;
    at = exponent;
  }
  return at == text.size();
}

std::string to_json(const Value& value) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  write(value, writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::optional<Value> from_json(std::string_view text) {
  protocol::JsonReader reader(protocol::json_depth_max);
  simdjson::dom::element element;
  if (reader.read(text).get(element) != simdjson::SUCCESS) return std::nullopt;
  return read(element);
}

bool agrees(const Value& wanted, const Value& actual) { return compare(wanted, actual, false); }
bool is_same(const Value& wanted, const Value& actual) { return compare(wanted, actual, true); }

}  // namespace penstock::config
