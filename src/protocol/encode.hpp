// From a shape's struct to any wire. A codec offers a Sink; the walk over what is present is the same for all.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "protocol/shape.hpp"

namespace penstock::protocol {

/// Takes a struct as a series of events. Every value comes with its member's names: some wires (JSON, CBOR) name
/// members, another (XML) names values, and thereby each element of a flattened list. What is opened comes with the
/// number of its members, elements or entries, which CBOR has to know before them.
template <class S>
concept Sink = requires(S& sink, const Names& names, std::string_view text, std::int64_t number, bool flag,
                        std::size_t count) {
  sink.member(names);  ///< a member's value follows
  sink.string(names, text);
  sink.integer(names, number);
  sink.boolean(names, flag);
  sink.blob(names, text);
  sink.open_structure(names, count);
  sink.close_structure();
  sink.open_list(count);
  sink.close_list();
  sink.open_map(count);
  sink.open_entry(names, text);  ///< the value of that key follows
  sink.close_entry();
  sink.close_map();
};

template <Sink S, Structure T>
void write_members(S& sink, const T& in);

/// How many members of a struct are there, of those that stand in a body.
template <Structure T>
std::size_t count_members(const T& in) {
  std::size_t count = 0;
  for_each_member<T>(
      [&](const auto& member) { count += member.place == Place::body && (in.*member.field).has_value() ? 1U : 0U; });
  return count;
}

template <Sink S, class T>
void write_value(S& sink, const Names& names, const T& in) {
  if constexpr (is_string<T>) {
    sink.string(names, in);
  } else if constexpr (std::is_same_v<T, bool>) {
    sink.boolean(names, in);
  } else if constexpr (std::is_integral_v<T>) {
    sink.integer(names, in);
  } else if constexpr (std::is_same_v<T, double>) {
    sink.number(names, in);
  } else if constexpr (is_blob<T>) {
    sink.blob(names, in.view());
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    sink.timestamp(names, in.ms);
  } else if constexpr (is_list<T>) {
    sink.open_list(in.size());
    for (const auto& element : in) write_value(sink, names, element);
    sink.close_list();
  } else if constexpr (is_map<T>) {
    sink.open_map(in.entries.size());
    for (const auto& [key, value] : in.entries) {
      sink.open_entry(names, key);
      write_value(sink, Names{names.value, names.value}, value);
      sink.close_entry();
    }
    sink.close_map();
  } else {
    sink.open_structure(names, count_members(in));
    write_members(sink, in);
    sink.close_structure();
  }
}

template <Sink S, Structure T>
void write_members(S& sink, const T& in) {
  for_each_member<T>([&](const auto& member) {
    const auto& field = in.*member.field;
    if (!field || member.place != Place::body) return;
    sink.member(member.names);
    write_value(sink, member.names, *field);
  });
}

}  // namespace penstock::protocol
