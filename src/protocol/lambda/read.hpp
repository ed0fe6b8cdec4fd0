// From a request to an operation's input: members stand in the path, the query, headers and the body, which is JSON or,
// of a payload, anything. Types first, then all constraints at once, as the service does.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "protocol/decode.hpp"
#include "protocol/json.hpp"
#include "protocol/lambda/call.hpp"
#include "protocol/shape.hpp"
#include "protocol/validate.hpp"

namespace penstock::protocol::lambda {

/// What stands in the path in place of that member.
std::optional<std::string_view> path_value(const Call& call, std::string_view name);
/// A header that is there and not empty.
std::optional<std::string_view> header_value(const Call& call, std::string_view name);
/// All parameters of a name, in their order.
std::vector<std::string> query_values(const Call& call, std::string_view name);
/// The body as the service reads it, or what is wrong with it as a whole.
std::variant<JsonSource, Error> read_body(std::string_view body);
Error not_a_number();

/// Whether any of T's members stands there.
template <Structure T>
constexpr bool has_members_in(Place place) {
  bool any = false;
  for_each_member<T>([&](const auto& member) { any = any || member.place == place; });
  return any;
}

template <class T>
Refusal read_text(std::string_view text, T& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    out = text;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || stop != text.data() + text.size()) return not_a_number();
  } else if constexpr (std::is_same_v<T, Anything>) {
    out.given = !text.empty();
  }
  return std::nullopt;
}

struct ReadsInput {
  template <class Input>
  static Refusal read(const Call& call, Input& input) {
    Refusal refusal;
    for_each_member<Input>([&](const auto& member) {
      if (!refusal) refusal = read_outside_body(call, member, input.*member.field);
    });
    if (refusal) return refusal;
    if constexpr (has_members_in<Input>(Place::body)) {
      const auto body = read_body(call.request.body);
      if (const Error* error = std::get_if<Error>(&body)) return *error;
      refusal = read_members(std::get<JsonSource>(body), input);
    }
    return refusal ? refusal : validate(input, ErrorCode::LambdaValidation);
  }

 private:
  template <class Member, class Field>
  static Refusal read_outside_body(const Call& call, const Member& member, std::optional<Field>& field) {
    if constexpr (std::is_same_v<Field, std::vector<std::string>>) {
      if (member.place != Place::query) return std::nullopt;
      std::vector<std::string> values = query_values(call, member.names.json);
      if (!values.empty()) field = std::move(values);
      return std::nullopt;
    } else if constexpr (is_blob<Field>) {
      if (member.place == Place::payload) field.emplace().bytes = call.request.body;
      return std::nullopt;
    } else {
      std::optional<std::string_view> text;
      if (member.place == Place::path) text = path_value(call, member.names.json);
      if (member.place == Place::query) text = call.query.find(member.names.json);
      if (member.place == Place::header) text = header_value(call, member.names.json);
      return text ? read_text(*text, field.emplace()) : std::nullopt;
    }
  }
};

}  // namespace penstock::protocol::lambda
