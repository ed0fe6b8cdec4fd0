// The Query protocol: form parameters whose names spell out lists and maps, as `Attribute.1.Name`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/decode.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol {

/// Parameters that a request may have. A full batch with ten attributes for each of ten messages has fewer than 500.
inline constexpr std::size_t form_parameters_max = 2'000;

struct FormParameter {
  std::string_view name;
  std::string_view value;
};

/// The parameters of a request's URL and body, decoded and in the order of their names.
class Form {
 public:
  /// Of parameters with the same name the first counts, those of the URL before those of the body.
  static std::variant<Form, Error> parse(std::string_view url_query, std::string_view body);

  std::optional<std::string_view> find(std::string_view name) const;
  std::span<const FormParameter> parameters() const { return parameters_; }

 private:
  Refusal add(std::string_view encoded);

  std::string scratch_;
  std::vector<char> text_;  // What the parameters refer to; never grows once they do.
  std::vector<FormParameter> parameters_;
};

/// A view of the parameters that share a prefix, which REQUIRES that the form stays.
class QuerySource {
 public:
  static constexpr bool empty_list_is_absent = true;

  explicit QuerySource(const Form& form) : branch_(form.parameters()) {}

  bool present() const { return value_.has_value() || !branch_.empty(); }
  QuerySource member(const Names& names) const { return child(names.query); }
  Refusal structure() const { return std::nullopt; }
  Refusal string(std::string& out) const;
  Refusal blob(std::string& out) const;
  Refusal boolean(bool& out) const;
  Refusal integer(const Names& names, std::int64_t& out, std::int64_t min, std::int64_t max) const;

  template <class OnElement>
  Refusal list(OnElement&& on_element) const {
    for (const QuerySource& element : elements()) {
      if (Refusal refusal = on_element(element)) return refusal;
    }
    return std::nullopt;
  }

  template <class OnEntry>
  Refusal map(const Names& names, OnEntry&& on_entry) const {
    for (const QuerySource& element : elements()) {
      std::string key(element.child(names.key).value_.value_or(std::string_view()));
      if (Refusal refusal = on_entry(std::move(key), element.child(names.value))) return refusal;
    }
    return std::nullopt;
  }

 private:
  QuerySource() = default;
  /// What stands under this prefix and `segment`.
  QuerySource child(std::string_view segment) const;
  /// The children that numbers name, in the order of these; there may be gaps.
  std::vector<QuerySource> elements() const;

  std::optional<std::string_view> value_;  // of the parameter whose name is the prefix without its dot
  std::span<const FormParameter> branch_;  // those whose names begin with the prefix
  std::size_t prefix_ = 0;                 // its length, dot included
};
static_assert(Source<QuerySource>);

}  // namespace penstock::protocol
