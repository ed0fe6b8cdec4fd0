// From any wire to a shape's struct. A codec offers a Source, a view of one value of what was received; the walk over
// the members, the checks and their wording are the same for all.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "penstock/errors.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol {

/// Elements of a list and entries of a map that are read. No service takes more than 500, and each may be a structure
/// of some hundred bytes for three of the body.
inline constexpr std::size_t elements_max = 10'000;

/// Nothing, or what is wrong with the request.
using Refusal = std::optional<Error>;

/// A view of one received value. Reading it as a type that it does not have is refused.
template <class S>
concept Source = requires(const S& source, const Names& names, std::string& text, std::int64_t& number, bool& flag,
                          Refusal (*on_element)(const S&), Refusal (*on_entry)(std::string&&, const S&)) {
  { source.present() } -> std::same_as<bool>;  ///< false where there is no value, and where it is null
  { source.member(names) } -> std::same_as<S>;
  { source.structure() } -> std::same_as<Refusal>;
  { source.string(text) } -> std::same_as<Refusal>;
  { source.blob(text) } -> std::same_as<Refusal>;
  { source.boolean(flag) } -> std::same_as<Refusal>;
  /// `names` are the member's, for the wording.
  { source.integer(names, number, std::int64_t{}, std::int64_t{}) } -> std::same_as<Refusal>;
  { source.list(on_element) } -> std::same_as<Refusal>;
  { source.map(names, on_entry) } -> std::same_as<Refusal>;
  /// True where the wire cannot tell an empty list from none.
  { S::empty_list_is_absent } -> std::convertible_to<bool>;
};

/// What a wire offers beside it, where the shapes that it carries have moments.
template <class S>
concept TimestampSource = Source<S> && requires(const S& source, std::int64_t& ms) {
  { source.timestamp(ms) } -> std::same_as<Refusal>;
};

Error too_many_elements();

template <Source S, Structure T>
Refusal read_members(const S& source, T& out);

/// Reads a value of any type that a field may have.
template <Source S, class T>
Refusal read_value(const S& source, const Names& names, T& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    return source.string(out);
  } else if constexpr (std::is_same_v<T, bool>) {
    return source.boolean(out);
  } else if constexpr (std::is_integral_v<T>) {
    std::int64_t number = 0;
    Refusal refusal = source.integer(names, number, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    out = static_cast<T>(number);
    return refusal;
  } else if constexpr (std::is_same_v<T, Anything>) {
    out.given = !source.says_nothing();
    return std::nullopt;
  } else if constexpr (is_blob<T>) {
    return source.blob(out.bytes);
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    static_assert(TimestampSource<S>);
    return source.timestamp(out.ms);
  } else if constexpr (is_list<T>) {
    return source.list([&](const S& element) -> Refusal {
      if (out.size() == elements_max) return too_many_elements();
      return read_value(element, names, out.emplace_back());
    });
  } else if constexpr (is_map<T>) {
    return source.map(names, [&](std::string&& key, const S& value) -> Refusal {
      if (out.entries.size() == elements_max) return too_many_elements();
      auto& entry = out.entries.emplace_back(std::move(key), typename decltype(out.entries)::value_type::second_type{});
      return value.present() ? read_value(value, names, entry.second) : std::nullopt;
    });
  } else {
    return read_members(source, out);
  }
}

/// Reads the members of a body that T knows; others are passed over.
template <Source S, Structure T>
Refusal read_members(const S& source, T& out) {
  Refusal refusal = source.structure();
  for_each_member<T>([&](const auto& member) {
    if (refusal || member.place != Place::body) return;
    auto& field = out.*member.field;
    using Field = typename std::remove_cvref_t<decltype(field)>::value_type;
    const S value = source.member(member.names);
    if (value.present()) {
      refusal = read_value(value, member.names, field.emplace());
    } else if constexpr (is_list<Field> && S::empty_list_is_absent) {
      if (member.required) field.emplace();
    }
  });
  return refusal;
}

/// How both JSON and CBOR word that a value, called `token` (such as NUMBER_VALUE), is not of the type (such as "a
/// String").
Error not_convertible(std::string_view token, std::string_view type);

/// The first required member that is absent, or an empty string, which the service takes for absent.
template <Structure T>
std::optional<std::string_view> missing_member(const T& in) {
  std::optional<std::string_view> missing;
  for_each_member<T>([&](const auto& member) {
    if (missing || !member.required) return;
    const auto& field = in.*member.field;
    bool empty = !field.has_value();
    if constexpr (is_string<typename std::remove_cvref_t<decltype(field)>::value_type>) {
      empty = empty || field->empty();
    }
    if (empty) missing = member.names.json;
  });
  return missing;
}

Error missing_parameter(std::string_view name);
Error out_of_range(std::string_view name, std::int64_t value, const Range& range);
/// "Value X for parameter N is invalid. Reason: R"
Error invalid_parameter(std::string_view name, std::string_view value, std::string_view reason);
Error unknown_attribute(std::string_view name);

/// Whether the members are as their constraints say.
template <Structure T>
Refusal check_constraints(const T& in) {
  Refusal refusal;
  for_each_member<T>([&](const auto& member) {
    const auto& field = in.*member.field;
    using Field = typename std::remove_cvref_t<decltype(field)>::value_type;
    if (refusal || !field) return;
    if constexpr (std::is_same_v<Field, std::int32_t> || std::is_same_v<Field, std::int64_t>) {
      const std::optional<Range>& range = member.constraints.range;
      if (range && (*field < range->min || *field > range->max)) {
        refusal = out_of_range(member.names.json, *field, *range);
      }
    } else if constexpr (std::is_same_v<Field, std::vector<std::string>>) {
      const auto allowed = member.constraints.allowed;
      if (allowed.empty()) return;
      for (const std::string& name : *field) {
        if (std::ranges::find(allowed, name) == allowed.end()) {
          refusal = unknown_attribute(name);
          return;
        }
      }
    }
  });
  return refusal;
}

}  // namespace penstock::protocol
