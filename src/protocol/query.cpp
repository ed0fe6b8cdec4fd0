#include "protocol/query.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "protocol/base64.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

Error malformed(std::string_view message) { return {ErrorCode::Serialization, std::string(message)}; }

/// How `name` stands to the names that begin with `segment` and a dot: before them, among them or after.
int compare_with_branch(std::string_view name, std::string_view segment) {
  const int order = name.compare(0, segment.size(), segment);
  if (order != 0) return order;
  if (name.size() == segment.size()) return -1;
  return static_cast<unsigned char>(name[segment.size()]) - static_cast<unsigned char>('.');
}

}  // namespace

std::variant<Form, Error> Form::parse(std::string_view url_query, std::string_view body) {
  Form form;
  form.text_.reserve(url_query.size() + body.size());
  for (std::string_view part : {url_query, body}) {
    while (!part.empty()) {
      const std::size_t end = std::min(part.find('&'), part.size());
      if (end > 0) {
        if (Refusal refusal = form.add(part.substr(0, end))) return std::move(*refusal);
      }
      part.remove_prefix(std::min(end + 1, part.size()));
    }
  }
  std::ranges::stable_sort(form.parameters_, {}, &FormParameter::name);
  return form;
}

Refusal Form::add(std::string_view encoded) {
  if (parameters_.size() == form_parameters_max) {
    return malformed("The request has more than " + std::to_string(form_parameters_max) + " parameters.");
  }
  const std::size_t equals = std::min(encoded.find('='), encoded.size());
  scratch_.clear();
  bool well_formed = percent_decode(encoded.substr(0, equals), true, scratch_);
  const std::size_t name_size = scratch_.size();
  const std::string_view encoded_value = encoded.substr(std::min(equals + 1, encoded.size()));
  well_formed = well_formed && percent_decode(encoded_value, true, scratch_);
  if (!well_formed) return malformed("The request has a malformed percent-encoding.");
  if (!is_utf8(scratch_)) return malformed("The request is not valid UTF-8.");
  const char* const start = text_.data() + text_.size();
  text_.insert(text_.end(), scratch_.begin(), scratch_.end());
  const std::string_view text(start, scratch_.size());
  parameters_.push_back({text.substr(0, name_size), text.substr(name_size)});
  return std::nullopt;
}

std::optional<std::string_view> Form::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(parameters_, name, {}, &FormParameter::name);
  if (found == parameters_.end() || found->name != name) return std::nullopt;
  return found->value;
}

QuerySource QuerySource::child(std::string_view segment) const {
  const auto rest = [this](const FormParameter& parameter) { return parameter.name.substr(prefix_); };
  QuerySource found;
  found.prefix_ = prefix_ + segment.size() + 1;
  const auto exact = std::ranges::lower_bound(branch_, segment, {}, rest);
  if (exact != branch_.end() && rest(*exact) == segment) found.value_ = exact->value;
  const auto first = std::partition_point(branch_.begin(), branch_.end(), [&](const FormParameter& parameter) {
    return compare_with_branch(rest(parameter), segment) < 0;
  });
  const auto last = std::partition_point(first, branch_.end(), [&](const FormParameter& parameter) {
    return compare_with_branch(rest(parameter), segment) == 0;
  });
  found.branch_ = {first, last};
  return found;
}

std::vector<QuerySource> QuerySource::elements() const {
  struct Element {
    std::uint64_t index = 0;
    std::string_view segment;
  };
  std::vector<Element> found;
  for (const FormParameter& parameter : branch_) {
    const std::string_view rest = parameter.name.substr(prefix_);
    const std::string_view segment = rest.substr(0, rest.find('.'));
    if (segment.empty() || !std::ranges::all_of(segment, is_digit)) continue;
    if (!found.empty() && found.back().segment == segment) continue;
    // A number says where the element comes, not how much room there must be: any will do, however large.
    std::uint64_t index = std::numeric_limits<std::uint64_t>::max();
    std::from_chars(segment.data(), segment.data() + segment.size(), index);
    found.push_back({index, segment});
  }
  std::ranges::stable_sort(found, {}, &Element::index);
  std::vector<QuerySource> elements;
  elements.reserve(found.size());
  for (const Element& element : found) elements.push_back(child(element.segment));
  return elements;
}

Refusal QuerySource::string(std::string& out) const {
  if (!value_) return malformed("Start of list found where not expected");
  out = *value_;
  return std::nullopt;
}

Refusal QuerySource::blob(std::string& out) const {
  if (!value_) return malformed("Start of list found where not expected");
  std::optional<std::string> bytes = base64_decode(*value_);
  if (!bytes) return malformed("Blobs must be base64 encoded");
  out = std::move(*bytes);
  return std::nullopt;
}

Refusal QuerySource::boolean(bool& out) const {
  if (!value_) return malformed("Start of list found where not expected");
  if (*value_ != "true" && *value_ != "false") return malformed("Booleans must be true or false");
  out = *value_ == "true";
  return std::nullopt;
}

Refusal QuerySource::integer(const Names& names, std::int64_t& out, std::int64_t min, std::int64_t max) const {
  if (!value_) return malformed("Start of list found where not expected");
  const char* const end = value_->data() + value_->size();
  const auto [stop, error] = std::from_chars(value_->data(), end, out);
  if (error != std::errc() || stop != end || out < min || out > max) {
    return invalid_parameter(names.json, *value_, "Must be an integer.");
  }
  return std::nullopt;
}

}  // namespace penstock::protocol
