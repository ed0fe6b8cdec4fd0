// Whether an input is as its shape's constraints say, in the way of the services whose framework checks that before
// they see the request: all that is wrong is reported at once, in the framework's words. (SQS checks and words it
// itself: check_constraints in decode.hpp.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "protocol/decode.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol {

/// How many of the broken constraints are reported.
inline constexpr std::size_t violations_max = 10;

/// Where a value stands in the input. Lives on the stack of the walk, and is written out only for what is wrong.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;  ///< of a member, or an entry's key
  std::size_t index = 0;  ///< of an element, from 1; 0 for what has a name
};

/// 'records.1.member.partitionKey'
std::string to_string(const Path& path);

/// What was found wrong so far.
class Violations {
 public:
  /// True once no more will be reported.
  bool full() const { return texts_.size() == violations_max; }
  bool empty() const { return texts_.empty(); }

  /// `constraint` is what was to be satisfied. The value is as the service's language writes it.
  void add(const Path& path, std::string_view value, std::string_view constraint);
  void add_missing(const Path& path);

  /// REQUIRES: !empty().
  Error to_error(ErrorCode code) const;

 private:
  std::vector<std::string> texts_;
};

/// "Member must have ..." and the like: what of the constraints a value breaks, in the order of the service.
std::vector<std::string> broken_by_string(std::string_view value, const Constraints& constraints);
std::vector<std::string> broken_by_number(std::int64_t value, const Constraints& constraints);
std::vector<std::string> broken_by_size(std::size_t size, const Constraints& constraints);
bool satisfies(std::string_view value, const Constraints& constraints);
/// What the constraints of elements, keys or values are, as a list in brackets.
std::string all_of_scalar(const Constraints& constraints);

/// Values as the service's language writes them.
std::string rendered_blob(std::size_t size);
std::string rendered_structure(std::string_view name);

template <class T>
std::string rendered(const T& value) {
  if constexpr (is_string<T>) {
    return std::string(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, Anything>) {
    return {};
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return std::to_string(value.ms);
  } else if constexpr (is_blob<T>) {
    return rendered_blob(value.view().size());
  } else if constexpr (is_list<T>) {
    std::string text = "[";
    for (const auto& element : value) text.append(text.size() > 1 ? ", " : "").append(rendered(element));
    return text.append("]");
  } else if constexpr (is_map<T>) {
    std::string text = "{";
    for (const auto& [key, entry] : value.entries) {
      text.append(text.size() > 1 ? ", " : "").append(rendered(key)).append("=").append(rendered(entry));
    }
    return text.append("}");
  } else {
    return rendered_structure(shape_of<T>.name);
  }
}

template <Structure T>
void find_violations(const Path* parent, const T& in, Violations& found);

/// Of a value that is there.
template <class T>
void find_violations_of(const Path& path, const T& value, const Constraints& constraints, Violations& found) {
  const auto add_all = [&](const std::vector<std::string>& broken) {
    for (const std::string& constraint : broken) found.add(path, rendered(value), constraint);
  };
  if constexpr (is_string<T>) {
    if (!satisfies(value, constraints)) add_all(broken_by_string(value, constraints));
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (constraints.range) add_all(broken_by_number(value, constraints));
  } else if constexpr (is_blob<T>) {
    if (constraints.length) add_all(broken_by_size(value.view().size(), constraints));
  } else if constexpr (is_list<T>) {
    using Element = typename T::value_type;
    add_all(broken_by_size(value.size(), constraints));
    if constexpr (Structure<Element>) {
      for (std::size_t i = 0; i < value.size() && !found.full(); ++i) {
        const Path element{&path, {}, i + 1};
        find_violations(&element, value[i], found);
      }
    } else if constexpr (is_string<Element>) {
      if (constraints.element == nullptr) return;
      for (const Element& element : value) {
        if (satisfies(element, *constraints.element)) continue;
        return found.add(path, rendered(value),
                         "Member must satisfy constraint: " + all_of_scalar(*constraints.element));
      }
    }
  } else if constexpr (is_map<T>) {
    using Value = typename decltype(T::entries)::value_type::second_type;
    static_assert(is_string<Value>, "no service that is checked here has other maps");
    add_all(broken_by_size(value.entries.size(), constraints));
    const auto check = [&](const Constraints* inner, auto part, std::string_view what) {
      if (inner == nullptr) return;
      for (const auto& entry : value.entries) {
        if (satisfies(entry.*part, *inner)) continue;
        return found.add(path, rendered(value),
                         std::string(what) + " must satisfy constraint: " + all_of_scalar(*inner));
      }
    };
    using Entry = typename decltype(T::entries)::value_type;
    check(constraints.key, &Entry::first, "Map keys");
    check(constraints.element, &Entry::second, "Map value");
  } else if constexpr (Structure<T>) {
    find_violations(&path, value, found);
  }
}

template <Structure T>
void find_violations(const Path* parent, const T& in, Violations& found) {
  for_each_member<T>([&](const auto& member) {
    if (found.full()) return;
    // What a header is called has little to do with the member's name, which stands in the other protocol's place.
    const Path path{parent, member.place == Place::header ? member.names.query : member.names.json};
    const auto& field = in.*member.field;
    if (field) {
      find_violations_of(path, *field, member.constraints, found);
    } else if (member.required) {
      found.add_missing(path);
    }
  });
}

/// Nothing, or all that is wrong with the input as one ValidationException, which is each service's own.
template <Structure T>
Refusal validate(const T& in, ErrorCode code = ErrorCode::KinesisValidation) {
  Violations found;
  find_violations(nullptr, in, found);
  if (found.empty()) return std::nullopt;
  return found.to_error(code);
}

}  // namespace penstock::protocol
