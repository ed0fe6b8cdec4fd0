// From a request to an operation's input: types and constraints are checked at once, a member that is not known is
// refused, and what is wrong is said in words that name the member.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "protocol/decode.hpp"
#include "protocol/json.hpp"
#include "protocol/native/call.hpp"
#include "protocol/shape.hpp"
#include "protocol/validate.hpp"

namespace penstock::protocol::native {

/// "Positions[0].Epoch"
std::string spelled(const Path& path);

/// "LeaseMillis has to be a whole number."
Error wrong_type(const Path& path, std::string_view wanted);
Error missing(const Path& path);
/// `known` are the names that there are in its place.
Error unknown(const Path& path, std::span<const std::string_view> known);

Refusal check_string(const Path& path, std::string_view value, const Constraints& constraints);
Refusal check_number(const Path& path, std::int64_t value, const Constraints& constraints);
/// Of a list's elements or a blob's bytes.
Refusal check_size(const Path& path, std::size_t size, std::string_view of_what, const Constraints& constraints);

/// The names of T's members that stand there.
template <Structure T>
constexpr auto names_in(Place place) {
  constexpr std::size_t count = std::tuple_size_v<decltype(shape_of<T>.members)>;
  struct {
    std::array<std::string_view, count> names{};
    std::size_t size = 0;
    constexpr std::span<const std::string_view> view() const { return std::span(names).first(size); }
  } found;
  for_each_member<T>([&](const auto& member) {
    if (member.place == place) found.names.at(found.size++) = member.names.json;
  });
  return found;
}

/// Whether a string is also taken as the number that it may stand for.
template <Structure T>
constexpr bool takes_number(std::string_view member) {
  if constexpr (requires { T::may_be_numbers; }) {
    return std::ranges::find(T::may_be_numbers, member) != T::may_be_numbers.end();
  } else {
    return false;
  }
}
/// Its digits; nothing if it is no number.
std::optional<std::string> number_text(const JsonSource& source);

template <Structure T>
Refusal read_object(const Path* parent, const JsonSource& source, T& out);

/// Reads a value of the body, which is there.
template <class T>
Refusal read_json(const Path& path, const JsonSource& source, const Constraints& constraints, T& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (source.string(out)) return wrong_type(path, "a string");
    return check_string(path, out, constraints);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (source.boolean(out)) return wrong_type(path, "true or false");
    return std::nullopt;
  } else if constexpr (std::is_integral_v<T>) {
    std::int64_t number = 0;
    constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();
    if (source.integer({}, number, -unbounded, unbounded)) return wrong_type(path, "a whole number");
    out = static_cast<T>(number);
    if (out != number) return wrong_type(path, "a smaller number");
    return check_number(path, number, constraints);
  } else if constexpr (std::is_same_v<T, double>) {
    if (source.element().get_double().get(out) != simdjson::SUCCESS) return wrong_type(path, "a number");
    return std::nullopt;
  } else if constexpr (is_blob<T>) {
    if (source.blob(out.bytes)) return wrong_type(path, "a string of base64");
    return check_size(path, out.bytes.size(), "bytes", constraints);
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    if (source.timestamp(out.ms)) return wrong_type(path, "a number of seconds since 1970");
    return std::nullopt;
  } else if constexpr (is_list<T>) {
    simdjson::dom::array elements;
    if (source.element().get_array().get(elements) != simdjson::SUCCESS) return wrong_type(path, "a list");
    const Length length = constraints.length.value_or(Length{0, elements_max});
    if (Refusal refusal = check_size(path, elements.size(), "elements", {.length = length})) return refusal;
    out.reserve(elements.size());
    for (const simdjson::dom::element element : elements) {
      const Path place{&path, {}, out.size() + 1};
      if (Refusal refusal = read_json(place, JsonSource(element), {}, out.emplace_back())) return refusal;
    }
    return std::nullopt;
  } else if constexpr (is_map<T>) {
    simdjson::dom::object entries;
    if (source.element().get_object().get(entries) != simdjson::SUCCESS) return wrong_type(path, "an object");
    const Length length = constraints.length.value_or(Length{0, elements_max});
    if (Refusal refusal = check_size(path, entries.size(), "members", {.length = length})) return refusal;
    for (const simdjson::dom::key_value_pair entry : entries) {
      const Path place{&path, entry.key};
      auto& [key, value] = out.entries.emplace_back();
      key = entry.key;
      if (Refusal refusal = read_json(place, JsonSource(entry.value), {}, value)) return refusal;
    }
    return std::nullopt;
  } else {
    return read_object(&path, source, out);
  }
}

/// Reads the members that stand in the body. `parent` is nullptr for that itself.
template <Structure T>
Refusal read_object(const Path* parent, const JsonSource& source, T& out) {
  simdjson::dom::object object;
  if (source.element().get_object().get(object) != simdjson::SUCCESS) return wrong_type(*parent, "an object");
  static constexpr auto known = names_in<T>(Place::body);
  for (const simdjson::dom::key_value_pair entry : object) {
    if (std::ranges::find(known.view(), entry.key) == known.view().end()) {
      return unknown({parent, entry.key}, known.view());
    }
  }
  Refusal refusal;
  for_each_member<T>([&](const auto& member) {
    if (refusal || member.place != Place::body) return;
    const Path path{parent, member.names.json};
    const JsonSource value = source.member(member.names);
    if (value.present()) {
      auto& field = (out.*member.field).emplace();
      if constexpr (std::is_same_v<std::remove_reference_t<decltype(field)>, std::string>) {
        if (takes_number<T>(path.name)) {
          if (auto number = number_text(value)) {
            field = *std::move(number);
            refusal = check_string(path, field, member.constraints);
            return;
          }
        }
      }
      refusal = read_json(path, value, member.constraints, field);
    } else if (member.required) {
      refusal = missing(path);
    }
  });
  return refusal;
}

/// Reads a value of the path or the query.
template <class T>
Refusal read_text(const Path& path, std::string_view text, const Constraints& constraints, T& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    out = text;
    return check_string(path, text, constraints);
  } else if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || stop != text.data() + text.size()) return wrong_type(path, "a whole number");
    return check_number(path, out, constraints);
  } else {
    // Every member is looked at, wherever it stands; only these types stand in a path or a query.
    return wrong_type(path, "a string");
  }
}

/// What stands in the path in place of that member.
std::optional<std::string_view> path_value(const Call& call, std::string_view name);
/// A parameter that no member is, and that no signature needs.
Refusal refuse_other_parameters(const Form& query, std::span<const std::string_view> known);
/// The body, or what is wrong with it as a whole.
std::variant<JsonSource, Error> read_body(std::string_view body);

/// How a request of Penstock's own becomes an input.
struct ReadsInput {
  template <class Input>
  static Refusal read(const Call& call, Input& input) {
    static constexpr auto parameters = names_in<Input>(Place::query);
    if (Refusal refusal = refuse_other_parameters(call.query, parameters.view())) return refusal;
    Refusal refusal;
    for_each_member<Input>([&](const auto& member) {
      if (refusal || member.place == Place::body) return;
      const Path path{nullptr, member.names.json};
      const auto text =
          member.place == Place::path ? path_value(call, member.names.json) : call.query.find(member.names.json);
      if (text) {
        refusal = read_text(path, *text, member.constraints, (input.*member.field).emplace());
      } else if (member.required) {
        refusal = missing(path);
      }
    });
    if (refusal) return refusal;
    if constexpr (requires { Input::wraps_list; }) {
      // A list alone stands for the member that is one.
      if (call.body.substr(0, call.body.find_first_not_of(" \t\r\n") + 1).ends_with('[')) {
        const std::string wrapped = "{\"" + std::string(Input::wraps_list) + "\":" + std::string(call.body) + "}";
        return read_from(wrapped, input);
      }
    }
    return read_from(call.body, input);
  }

 private:
  template <class Input>
  static Refusal read_from(std::string_view text, Input& input) {
    const auto body = read_body(text);
    if (const Error* error = std::get_if<Error>(&body)) return *error;
    return read_object(nullptr, std::get<JsonSource>(body), input);
  }
};

}  // namespace penstock::protocol::native
