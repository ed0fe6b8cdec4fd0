// What an operation takes and gives, declared once: plain structs, and for each a constexpr list of its members. The
// codecs (decode.hpp, encode.hpp) and the checks walk these lists; so does the test that compares them with the
// service's API model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/pattern.hpp"

namespace penstock::protocol {

/// Raw bytes, which JSON and XML carry as base64. `Bytes` is std::string, or std::string_view in an answer that
/// outlives nothing.
template <class Bytes>
struct BasicBlob {
  std::string_view view() const { return bytes; }
  Bytes bytes;
};
using Blob = BasicBlob<std::string>;
using BlobView = BasicBlob<std::string_view>;

/// Something that an operation has no use for, whatever its type: all that is known of it is whether it was given, and
/// says anything. An operation that takes none refuses it, rather than let it pass unseen.
struct Anything {
  bool given = false;
};

/// A moment in milliseconds since the epoch. JSON carries it as a number of seconds with a fraction, CBOR as tag 1 with
/// the milliseconds.
struct Timestamp {
  std::int64_t ms = 0;
  friend bool operator==(Timestamp, Timestamp) = default;
};

/// A map of the model, in the order in which it was given; the same key may come twice.
template <class Key, class Value>
struct BasicMap {
  std::vector<std::pair<Key, Value>> entries;
};
template <class Value>
using Map = BasicMap<std::string, Value>;

/// What a member is called on each wire. The names after `json` are of the Query protocol, whose lists and maps are
/// flattened: they stand for one element, as in `Attribute.1.Name`.
struct Names {
  std::string_view json;
  std::string_view query;
  std::string_view key = "Name";
  std::string_view value = "Value";
};

/// The values that an integer may have. SQS words some ranges in one way and some in another; Kinesis has a wording of
/// its own (validate.hpp).
struct Range {
  enum class Wording : std::uint8_t { between, at_least_and_at_most };
  static constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();
  std::int64_t min = 0;
  std::int64_t max = unbounded;
  Wording wording = Wording::at_least_and_at_most;
};

/// How many characters (UTF-16 code units, as the services count) a string may have, bytes a blob, elements a list or
/// entries a map.
struct Length {
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();
  std::size_t min = 0;
  std::size_t max = unbounded;
};

/// What a value has to be like. Those of elements, keys and values are pointers to objects that never end, so that a
/// constraint of the model is written down once, under its name there.
struct Constraints {
  std::optional<Range> range{};
  /// What a string may be, or each element of a list of strings; anything if empty.
  std::span<const std::string_view> allowed{};
  std::optional<Length> length{};
  const Pattern* pattern = nullptr;
  const Constraints* element = nullptr;  ///< of a list's elements, or of a map's values
  const Constraints* key = nullptr;      ///< of a map's keys
};

/// Where in a request or an answer a member stands. Only Lambda and Penstock's own API have other places than the body.
/// A payload is the whole body, as it is; a status is the answer's.
enum class Place : std::uint8_t { body, path, query, header, payload, status };

/// One member: `field` points at a std::optional, which is empty where the member is absent.
template <class Struct, class Field>
struct Member {
  Names names;
  std::optional<Field> Struct::*field;
  bool required = false;
  Constraints constraints;
  Place place = Place::body;
  std::string_view description{};
};

/// What a member has besides its name and field.
struct MemberOptions {
  std::string_view query{};  ///< where it differs from the JSON name
  std::string_view key = "Name";
  std::string_view value = "Value";
  Constraints constraints{};
  Place place = Place::body;
  std::string_view description{};  ///< one sentence, for the API's document
};

template <class Struct, class Field>
constexpr Member<Struct, Field> optional(std::string_view name, std::optional<Field> Struct::*field,
                                         MemberOptions options = {}) {
  return {{name, options.query.empty() ? name : options.query, options.key, options.value},
          field,
          false,
          options.constraints,
          options.place,
          options.description};
}

template <class Struct, class Field>
constexpr Member<Struct, Field> required(std::string_view name, std::optional<Field> Struct::*field,
                                         MemberOptions options = {}) {
  Member<Struct, Field> member = optional(name, field, options);
  member.required = true;
  return member;
}

/// The list of a struct's members. A struct offers it as `static constexpr auto shape()`.
template <class... Members>
struct Shape {
  constexpr explicit Shape(std::string_view shape_name, Members... list) : name(shape_name), members(list...) {}
  std::string_view name;  ///< as in the API model
  std::tuple<Members...> members;
};

template <class T>
concept Structure = requires {
  T::shape();
};

template <Structure T>
inline constexpr auto shape_of = T::shape();

/// Calls visit(member) for each member of T in order.
template <Structure T, class Visit>
constexpr void for_each_member(Visit&& visit) {
  std::apply([&](const auto&... member) { (visit(member), ...); }, shape_of<T>.members);
}

/// The input or output of an operation that has none.
struct Nothing {
  static constexpr auto shape() { return Shape("Nothing"); }
};

// ---- Which kind of type a field has.

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class Key, class Value>
inline constexpr bool is_map<BasicMap<Key, Value>> = true;
template <class T>
inline constexpr bool is_blob = false;
template <class Bytes>
inline constexpr bool is_blob<BasicBlob<Bytes>> = true;
template <class T>
inline constexpr bool is_string = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;

// ---- The same at run time.

enum class Kind : std::uint8_t {
  string,
  integer,
  long_integer,
  number,  ///< with a fraction; only Penstock's own API has any
  boolean,
  blob,
  timestamp,
  list,
  map,
  structure,
  anything
};

struct StructureInfo;

struct TypeInfo {
  Kind kind{};
  const TypeInfo* element = nullptr;         ///< of a list, or of a map's values
  const StructureInfo* structure = nullptr;  ///< of a structure
};

struct MemberInfo {
  Names names;
  bool required = false;
  const TypeInfo* type = nullptr;
  Constraints constraints{};
  Place place = Place::body;
  std::string_view description{};
};

struct StructureInfo {
  std::string_view name;
  std::span<const MemberInfo> members;
};

namespace detail {

template <class T>
struct Described;

template <class T>
constexpr TypeInfo describe_type() {
  if constexpr (is_string<T>) {
    return {Kind::string};
  } else if constexpr (std::is_same_v<T, bool>) {
    return {Kind::boolean};
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return {Kind::integer};
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return {Kind::long_integer};
  } else if constexpr (std::is_same_v<T, double>) {
    return {Kind::number};
  } else if constexpr (std::is_same_v<T, Anything>) {
    return {Kind::anything};
  } else if constexpr (is_blob<T>) {
    return {Kind::blob};
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return {Kind::timestamp};
  } else if constexpr (is_list<T>) {
    return {Kind::list, &Described<typename T::value_type>::type};
  } else if constexpr (is_map<T>) {
    return {Kind::map, &Described<typename decltype(T::entries)::value_type::second_type>::type};
  } else {
    return {Kind::structure, nullptr, &Described<T>::structure};
  }
}

template <class T>
struct Described {
  static constexpr TypeInfo type = describe_type<T>();
};

template <Structure T>
struct Described<T> {
  template <class Struct, class Field>
  static constexpr MemberInfo describe(const Member<Struct, Field>& member) {
    return {member.names,       member.required, &Described<Field>::type,
            member.constraints, member.place,    member.description};
  }
  static constexpr auto list_members() {
    return std::apply(
        [](const auto&... member) { return std::array<MemberInfo, sizeof...(member)>{describe(member)...}; },
        shape_of<T>.members);
  }
  static constexpr auto members = list_members();
  static constexpr StructureInfo structure{shape_of<T>.name, members};
  static constexpr TypeInfo type{Kind::structure, nullptr, &structure};
};

}  // namespace detail

/// The description of T for walks at run time.
template <Structure T>
constexpr const StructureInfo& describe() {
  return detail::Described<T>::structure;
}

}  // namespace penstock::protocol
