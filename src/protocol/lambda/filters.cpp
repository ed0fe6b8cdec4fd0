#include "protocol/lambda/filters.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/json.hpp"
#include "protocol/lambda/content_json.hpp"
#include "protocol/lambda/filter_tests.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::lambda {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

struct Field;

/// An object of a pattern: all its fields have to match, and one alternative of each `$or`.
struct Node {
  std::vector<Field> fields;
  std::vector<std::vector<Node>> alternatives;
};

struct Field {
  std::string name;
  std::optional<Node> node;     ///< what is asked of an object; if there is none, `tests` are asked of a value
  std::vector<LeafTest> tests;  ///< of which one has to pass
};

// ---- Compiling. The depth is bounded by the pattern's length.

bool compile_node(element given, Node& node);

bool compile_alternatives(element given, Node& node) {
  array list;
  if (given.get_array().get(list) != simdjson::SUCCESS || list.size() < 2) return false;
  auto& alternatives = node.alternatives.emplace_back();
  for (const element each : list) {
    if (!compile_node(each, alternatives.emplace_back())) return false;
  }
  return true;
}

bool compile_field(std::string_view name, element given, Field& field) {
  field.name = name;
  if (given.is_object()) return compile_node(given, field.node.emplace());
  array list;
  if (given.get_array().get(list) != simdjson::SUCCESS || list.size() == 0) return false;
  for (const element each : list) {
    auto test = compile_test(each);
    if (!test) return false;
    field.tests.push_back(std::move(*test));
  }
  return true;
}

bool compile_node(element given, Node& node) {
  object members;
  if (given.get_object().get(members) != simdjson::SUCCESS || members.size() == 0) return false;
  for (const simdjson::dom::key_value_pair member : members) {
    const bool known = member.key == "$or" ? compile_alternatives(member.value, node)
                                           : compile_field(member.key, member.value, node.fields.emplace_back());
    if (!known) return false;
  }
  return true;
}

Error invalid_pattern() { return {ErrorCode::LambdaInvalidParameterValue, "Invalid filter pattern definition."}; }

// ---- Matching.

/// Visits the values that stand at a place: that itself, or those of an array, in however many arrays they are. True
/// once `visit` is.
template <class Visit>
bool any_value(element value, Visit&& visit) {
  array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return visit(value);
  for (const element each : list) {
    if (any_value(each, visit)) return true;
  }
  return false;
}

bool is_absence(const LeafTest& test) {
  const auto* exists = std::get_if<Exists>(&test);
  return exists != nullptr && !exists->wanted;
}

bool any_passes(const std::vector<LeafTest>& tests, const Leaf& leaf) {
  return std::ranges::any_of(tests, [&](const LeafTest& test) { return passes(test, leaf); });
}

/// Of the values at a place, if there is such a place.
bool match_tests(const std::vector<LeafTest>& tests, const std::optional<element>& value) {
  bool present = false;
  const bool passed = value && any_value(*value, [&](element each) {
                        const auto leaf = leaf_of(each);
                        present = present || leaf.has_value();
                        return leaf && any_passes(tests, *leaf);
                      });
  return passed || (!present && std::ranges::any_of(tests, is_absence));
}

/// `match` says whether what stands under a field's name is as the field asks.
template <class Match>
bool match_all(const Node& node, Match&& match) {
  if (!std::ranges::all_of(node.fields, match)) return false;
  return std::ranges::all_of(node.alternatives, [&](const std::vector<Node>& alternatives) {
    return std::ranges::any_of(alternatives, [&](const Node& each) { return match_all(each, match); });
  });
}

bool match_node(const Node& node, const std::optional<element>& value);

bool match_field(const Field& field, const std::optional<element>& value) {
  return field.node ? match_node(*field.node, value) : match_tests(field.tests, value);
}

std::optional<element> member_of(element value, std::string_view name) {
  element found;
  if (value.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

/// Of an array, one of its objects has to match. Where there is no object, all that is asked for is absent.
bool match_node(const Node& node, const std::optional<element>& value) {
  bool has_object = false;
  const bool matched =
      value && any_value(*value, [&](element each) {
        if (!each.is_object()) return false;
        has_object = true;
        return match_all(node, [&](const Field& field) { return match_field(field, member_of(each, field.name)); });
      });
  if (matched || has_object) return matched;
  return match_all(node, [&](const Field& field) { return match_field(field, std::nullopt); });
}

/// What a sender gave, as filters see it: a text or, if it is that, JSON. It is read when first asked for.
class Content {
 public:
  explicit Content(std::string_view bytes) : bytes_(bytes) {}

  bool matches(const Field& field) {
    read();
    if (field.node) return is_beyond_reading_ || (json_ && match_node(*field.node, json_));
    return !json_ && is_text_ && any_passes(field.tests, bytes_);
  }

 private:
  /// Only objects and arrays count as JSON: what else is JSON is as much a text.
  void read() {
    if (std::exchange(was_read_, true)) return;
    thread_local JsonReader reader(json_content_depth_max);
    const std::size_t begin = bytes_.find_first_not_of(" \t\r\n");
    element root;
    const bool container = begin != std::string_view::npos && (bytes_[begin] == '{' || bytes_[begin] == '[');
    const auto error = container ? read_content(reader, bytes_).get(root) : simdjson::INCORRECT_TYPE;
    if (error == simdjson::SUCCESS) json_ = root;
    // What a filter drops is gone for good, so that nothing is dropped which might be what the filter asks for.
    is_beyond_reading_ = error == simdjson::DEPTH_ERROR || error == simdjson::MEMALLOC;
    is_text_ = json_.has_value() || is_utf8(bytes_);
  }

  std::string_view bytes_;
  bool was_read_ = false;
  bool is_text_ = false;
  bool is_beyond_reading_ = false;  ///< too deep, or too large for the memory that there is, to say what it is
  std::optional<element> json_;
};

/// What the rest of an event says, read when first asked for.
class Metadata {
 public:
  explicit Metadata(const std::function<std::string_view()>& record) : record_(record) {}

  const std::optional<element>& root() {
    if (!std::exchange(was_read_, true)) {
      thread_local JsonReader reader(json_content_depth_max);
      element root;
      if (reader.read(record_()).get(root) == simdjson::SUCCESS) root_ = root;
    }
    return root_;
  }

 private:
  const std::function<std::string_view()>& record_;
  bool was_read_ = false;
  std::optional<element> root_;
};

}  // namespace

struct Filters::Patterns {
  std::vector<Node> roots;
};

std::variant<Filters, Error> Filters::compile(std::span<const std::string> patterns) {
  if (patterns.empty()) return Filters();
  if (patterns.size() > filters_max) return invalid_pattern();
  JsonReader reader(json_content_depth_max);
  auto compiled = std::make_shared<Patterns>();
  for (const std::string& pattern : patterns) {
    element root;
    if (pattern.size() > 4 * pattern_chars_max || read_content(reader, pattern).get(root) != simdjson::SUCCESS ||
        !compile_node(root, compiled->roots.emplace_back())) {
      return invalid_pattern();
    }
  }
  Filters filters;
  filters.patterns_ = std::move(compiled);
  return filters;
}

bool Filters::match_message(std::string_view body, const std::function<std::string_view()>& record) const {
  if (empty()) return true;
  Content content(body);
  Metadata metadata(record);
  const auto match = [&](const Field& field) {
    if (field.name == "body") return content.matches(field);
    const auto& root = metadata.root();
    return match_field(field, root ? member_of(*root, field.name) : std::nullopt);
  };
  return std::ranges::any_of(patterns_->roots, [&](const Node& root) { return match_all(root, match); });
}

bool Filters::match_record(std::string_view data, const std::function<std::string_view()>& record) const {
  if (empty()) return true;
  Content content(data);
  Metadata metadata(record);
  const auto match = [&](const Field& field) {
    if (field.name == "data") return content.matches(field);
    const auto& root = metadata.root();
    if (!root) return match_field(field, std::nullopt);
    // What is the record's own stands beside `data`, and the rest around it.
    const auto own = member_of(*root, "kinesis");
    if (auto value = own ? member_of(*own, field.name) : std::nullopt) return match_field(field, value);
    return match_field(field, member_of(*root, field.name));
  };
  return std::ranges::any_of(patterns_->roots, [&](const Node& root) { return match_all(root, match); });
}

}  // namespace penstock::protocol::lambda
