#include "config/template/evaluator.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "config/shapes.hpp"
#include "protocol/base64.hpp"
#include "protocol/nearest.hpp"

namespace penstock::config {

namespace {

constexpr std::string_view unknown_tag = "!unknown";
constexpr std::string_view wrong_tag = "!wrong";
constexpr std::string_view function_prefix = "Fn::";
constexpr std::string_view no_value = "AWS::NoValue";
constexpr std::string_view dynamic_reference = "{{resolve:";

/// Functions that ask the service for something.
constexpr std::array<std::string_view, 8> of_the_service{"Fn::Cidr",           "Fn::ForEach",     "Fn::GetAZs",
                                                         "Fn::GetStackOutput", "Fn::ImportValue", "Fn::Length",
                                                         "Fn::ToJsonString",   "Fn::Transform"};
/// Those that only conditions are made of.
constexpr std::array<std::string_view, 4> of_conditions{"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"};

bool is_in(std::string_view name, const auto& names) { return std::ranges::find(names, name) != names.end(); }

bool is_function(std::string_view name) {
  return name == "Ref" || name == "Condition" || name.starts_with(function_prefix);
}

std::size_t size_of(const std::vector<Value>* items) { return items == nullptr ? 0 : items->size(); }

}  // namespace

Value whole_form(const Value& document) {
  Value whole = document;
  whole.tag.clear();
  for (Value& item : whole.items) item = whole_form(item);
  for (Member& member : whole.members) member.value = whole_form(member.value);
  if (document.tag.empty()) return whole;
  const std::string_view name = std::string_view(document.tag).substr(1);
  std::string function =
      name == "Ref" || name == "Condition" ? std::string(name) : std::string(function_prefix).append(name);
  Value call = map_value();
  call.at = document.at;
  call.members.push_back({std::move(function), document.at, std::move(whole)});
  return call;
}

Value unknown_value(Position at, const std::string& why, const std::string& about) {
  Value value = text_value(why);
  value.tag = unknown_tag;
  value.at = at;
  if (!about.empty()) value.items.push_back(text_value(about));
  return value;
}

bool is_unknown(const Value& value) { return value.tag == unknown_tag; }

std::string subject_of(const Value& unknown) {
  return is_unknown(unknown) && !unknown.items.empty() ? unknown.items.front().text : std::string();
}

Value wrong_value(Position at) {
  Value value;
  value.tag = wrong_tag;
  value.at = at;
  return value;
}

bool settle(const Value& value, Problems& problems) {
  if (is_unknown(value)) {
    problems.add(value.at, value.text);
    return false;
  }
  bool known = value.tag.empty();
  for (const Value& item : value.items) known = settle(item, problems) && known;
  for (const Member& member : value.members) known = settle(member.value, problems) && known;
  return known;
}

Evaluator::Evaluator(const Value& document, const TemplateInput& input, Resolve resolve, Problems& problems)
    : document_(document), input_(input), resolve_(std::move(resolve)), problems_(problems) {
  set_pseudo_parameters();
  const Value* const section = document.find("Parameters");
  check_given(section);
  if (section != nullptr) read_parameters(*section);
}

// ---- Values

std::optional<Value> Evaluator::evaluate(const Value& value) {
  if (!count(value.text.size(), value.at)) return wrong_value(value.at);
  if (value.kind == Value::Kind::map) {
    if (value.members.size() == 1 && is_function(value.members.front().name)) return call(value.members.front());
    Value whole = map_value();
    whole.at = value.at;
    for (const Member& member : value.members) {
      if (member.name.starts_with(function_prefix)) {
        whole.members.push_back(
            {member.name, member.at, *wrong(member.at, member.name + " stands beside other members")});
        continue;
      }
      auto inner = evaluate(member.value);
      if (inner) whole.members.push_back({member.name, member.at, std::move(*inner)});
    }
    return whole;
  }
  if (value.kind == Value::Kind::list) {
    Value whole;
    whole.kind = Value::Kind::list;
    whole.at = value.at;
    for (const Value& item : value.items) {
      if (auto inner = evaluate(item)) whole.items.push_back(std::move(*inner));
    }
    return whole;
  }
  if (value.text.find(dynamic_reference) != std::string::npos) {
    return unknown_value(value.at, "what " + value.text + " refers to cannot be known here");
  }
  return value;
}

Value Evaluator::value_or_wrong(const Value& value) {
  auto evaluated = evaluate(value);
  if (evaluated) return std::move(*evaluated);
  return *wrong(value.at, "AWS::NoValue cannot stand here");
}

std::optional<Value> Evaluator::wrong(Position at, const std::string& what) {
  problems_.add(at, what);
  return wrong_value(at);
}

bool Evaluator::count(std::size_t bytes, Position at) {
  ++values_;
  bytes_ += bytes;
  if (values_ <= evaluated_values_max && bytes_ <= evaluated_bytes_max) return true;
  if (!std::exchange(exhausted_, true)) {
    problems_.add(at, "the template comes to more than " + std::to_string(evaluated_values_max) + " values or " +
                          std::to_string(evaluated_bytes_max) + " bytes");
  }
  return false;
}

Value Evaluator::text_at(std::string text, Position at) {
  if (!count(text.size(), at)) return wrong_value(at);
  Value value = text_value(std::move(text));
  value.at = at;
  return value;
}

// ---- Functions

Evaluator::Function Evaluator::find(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Function>, 9> functions{{
      {"Ref", &Evaluator::ref},
      {"Fn::Base64", &Evaluator::base64},
      {"Fn::FindInMap", &Evaluator::find_in_map},
      {"Fn::GetAtt", &Evaluator::get_att},
      {"Fn::If", &Evaluator::choose},
      {"Fn::Join", &Evaluator::join},
      {"Fn::Select", &Evaluator::select},
      {"Fn::Split", &Evaluator::split},
      {"Fn::Sub", &Evaluator::sub},
  }};
  for (const auto& [known, function] : functions) {
    if (known == name) return function;
  }
  return nullptr;
}

std::optional<Value> Evaluator::call(const Member& function) {
  // A map of a user's own may well have a member of that name.
  if (function.name == "Condition") {
    Value whole = map_value();
    whole.at = function.at;
    if (auto inner = evaluate(function.value)) whole.members.push_back({function.name, function.at, std::move(*inner)});
    return whole;
  }
  if (const Function known = find(function.name)) return (this->*known)(function.value, function.at);
  const std::string_view name =
      std::string_view(function.name).substr(0, function.name.find("::", function_prefix.size()));
  if (is_in(name, of_the_service)) {
    return unknown_value(function.at, "what " + std::string(name) + " gives cannot be known here");
  }
  if (is_in(name, of_conditions)) return wrong(function.at, function.name + " can stand only in Conditions");
  return wrong(function.at,
               no_such(function.name, {"Fn::And", "Fn::Base64", "Fn::Equals", "Fn::FindInMap", "Fn::GetAtt", "Fn::If",
                                       "Fn::Join", "Fn::Not", "Fn::Or", "Fn::Select", "Fn::Split", "Fn::Sub", "Ref"}));
}

const std::vector<Value>* Evaluator::arguments(std::string_view function, const Value& argument, std::size_t min,
                                               std::size_t max) {
  const std::size_t given = argument.items.size();
  if (argument.kind == Value::Kind::list && given >= min && given <= max) return &argument.items;
  const std::string range = std::to_string(min) + (min == max ? "" : " to " + std::to_string(max));
  problems_.add(argument.at, std::string(function) + " takes a list of " + range);
  return nullptr;
}

Evaluator::Text Evaluator::text_of(std::string_view function, const Value& argument) {
  Value value = value_or_wrong(argument);
  if (!value.tag.empty()) return {{}, std::move(value)};
  if (value.is_scalar()) return {std::move(value.text)};
  return {{}, wrong(argument.at, std::string(function) + " takes a text here")};
}

std::optional<Value> Evaluator::list_of(std::string_view function, const Value& argument) {
  Value value = value_or_wrong(argument);
  if (!value.tag.empty()) return value;
  if (value.kind != Value::Kind::list) return wrong(argument.at, std::string(function) + " takes a list here");
  return value;
}

Value Evaluator::reference(const std::string& id, const std::string& attribute, Position at) {
  if (attribute.empty()) {
    if (const auto parameter = parameters_.find(id); parameter != parameters_.end()) {
      Value value = parameter->second;
      if (!count(value.text.size(), at)) return wrong_value(at);
      value.at = at;
      return value;
    }
  }
  if (in_conditions_) {
    return *wrong(at, "there is no parameter " + in_quotes(id) + ", and conditions know of nothing else");
  }
  if (auto value = resolve_(id, attribute, at)) {
    if (!count(value->text.size(), at)) return wrong_value(at);
    return std::move(*value);
  }
  std::vector<std::string_view> names;
  for (const auto& [name, parameter] : parameters_) names.push_back(name);
  if (const Value* resources = document_.find("Resources")) {
    for (const Member& member : resources->members) names.push_back(member.name);
  }
  const auto meant = protocol::nearest_of(id, names);
  return *wrong(at, "there is no parameter or resource " + in_quotes(id) +
                        (meant ? "; " + in_quotes(*meant) + " is meant, perhaps" : ""));
}

std::optional<Value> Evaluator::ref(const Value& argument, Position at) {
  if (!argument.is_scalar()) return wrong(argument.at, "Ref takes the name of a parameter or a resource");
  if (argument.text == no_value) return std::nullopt;
  return reference(argument.text, {}, at);
}

std::optional<Value> Evaluator::get_att(const Value& argument, Position at) {
  std::string id;
  std::string attribute;
  if (argument.kind == Value::Kind::list && argument.items.size() == 2 && argument.items.front().is_scalar()) {
    Text named = text_of("Fn::GetAtt", argument.items.back());
    if (named.instead) return named.instead;
    id = argument.items.front().text;
    attribute = std::move(named.text);
  } else if (argument.is_scalar() && argument.text.find('.') != std::string::npos) {
    id = argument.text.substr(0, argument.text.find('.'));
    attribute = argument.text.substr(id.size() + 1);
  }
  if (id.empty() || attribute.empty()) return wrong(argument.at, "Fn::GetAtt takes a resource and an attribute");
  return reference(id, attribute, at);
}

std::optional<Value> Evaluator::sub(const Value& argument, Position at) {
  const Value* pattern = &argument;
  std::map<std::string, Value, std::less<>> variables;
  if (argument.kind == Value::Kind::list) {
    const auto* items = arguments("Fn::Sub", argument, 2, 2);
    if (items == nullptr) return wrong_value(at);
    pattern = items->data();
    const Value& named = items->back();
    if (named.kind != Value::Kind::map) return wrong(named.at, "Fn::Sub takes a map of its variables");
    for (const Member& member : named.members) variables.emplace(member.name, value_or_wrong(member.value));
  }
  if (!pattern->is_scalar()) return wrong(pattern->at, "Fn::Sub takes a text");
  const std::string_view text = pattern->text;
  std::string whole;
  std::optional<Value> instead;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t begin = text.find("${", from);
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) {
      whole += text.substr(from);
      break;
    }
    whole += text.substr(from, begin - from);
    from = end + 1;
    const std::string name(text.substr(begin + 2, end - begin - 2));
    if (name.starts_with('!')) {
      whole.append("${").append(name, 1).append("}");
      continue;
    }
    const auto variable = variables.find(name);
    const std::size_t dot = std::min(name.find('.'), name.size());
    Value value = variable != variables.end()
                      ? variable->second
                      : reference(name.substr(0, dot), name.substr(std::min(dot + 1, name.size())), at);
    if (value.tag.empty() && !value.is_scalar())
      value = *wrong(at, in_quotes(name) + " is no text, as Fn::Sub needs it");
    if (!value.tag.empty()) {
      instead = std::move(value);
    } else if (!count(value.text.size(), at)) {
      return wrong_value(at);
    } else {
      whole += value.text;
    }
  }
  if (instead) return instead;
  return text_at(std::move(whole), at);
}

std::optional<Value> Evaluator::join(const Value& argument, Position at) {
  const auto* items = arguments("Fn::Join", argument, 2, 2);
  if (items == nullptr) return wrong_value(at);
  const Text between = text_of("Fn::Join", items->front());
  if (between.instead) return between.instead;
  auto list = list_of("Fn::Join", items->back());
  if (!list->tag.empty()) return list;
  std::string whole;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Value& item = list->items[i];
    if (!item.tag.empty()) return item;
    if (!item.is_scalar()) return wrong(item.at, "Fn::Join takes a list of texts");
    if (!count(item.text.size() + between.text.size(), at)) return wrong_value(at);
    whole.append(i > 0 ? between.text : "").append(item.text);
  }
  return text_at(std::move(whole), at);
}

std::optional<Value> Evaluator::select(const Value& argument, Position at) {
  const auto* items = arguments("Fn::Select", argument, 2, 2);
  if (items == nullptr) return wrong_value(at);
  const Text index = text_of("Fn::Select", items->front());
  if (index.instead) return index.instead;
  auto list = list_of("Fn::Select", items->back());
  if (!list->tag.empty()) return list;
  std::size_t number = 0;
  const char* const end = index.text.data() + index.text.size();
  const auto [stop, error] = std::from_chars(index.text.data(), end, number);
  if (error != std::errc() || stop != end || number >= list->items.size()) {
    return wrong(items->front().at, "Fn::Select takes a number from 0 to below " + std::to_string(list->items.size()) +
                                        ", which the list has, not " + in_quotes(index.text));
  }
  Value chosen = list->items[number];
  if (chosen.tag.empty()) chosen.at = at;
  return chosen;
}

std::optional<Value> Evaluator::split(const Value& argument, Position at) {
  const auto* items = arguments("Fn::Split", argument, 2, 2);
  if (items == nullptr) return wrong_value(at);
  const Text between = text_of("Fn::Split", items->front());
  if (between.instead) return between.instead;
  if (between.text.empty()) return wrong(items->front().at, "Fn::Split takes what stands between the parts");
  const Text whole = text_of("Fn::Split", items->back());
  if (whole.instead) return whole.instead;
  Value list;
  list.kind = Value::Kind::list;
  list.at = at;
  for (std::size_t from = 0;;) {
    const std::size_t end = whole.text.find(between.text, from);
    list.items.push_back(text_at(whole.text.substr(from, end - from), at));
    if (end == std::string::npos || exhausted_) return list;
    from = end + between.text.size();
  }
}

std::optional<Value> Evaluator::choose(const Value& argument, Position at) {
  const auto* items = arguments("Fn::If", argument, 3, 3);
  if (items == nullptr) return wrong_value(at);
  const Value& condition = items->front();
  if (!condition.is_scalar()) return wrong(condition.at, "Fn::If takes the name of a condition");
  const std::size_t before = problems_.count();
  const bool chosen = holds(condition.text, condition.at);
  if (problems_.count() > before) return wrong_value(at);
  return evaluate((*items)[chosen ? 1 : 2]);
}

std::optional<Value> Evaluator::find_in_map(const Value& argument, Position at) {
  const auto* items = arguments("Fn::FindInMap", argument, 3, 3);
  if (items == nullptr) return wrong_value(at);
  const Value* found = document_.find("Mappings");
  std::string path;
  for (const Value& item : *items) {
    const Text key = text_of("Fn::FindInMap", item);
    if (key.instead) return key.instead;
    if (found != nullptr) found = found->find(key.text);
    path.append(path.empty() ? "" : ".").append(key.text);
    if (found == nullptr)
      return wrong(item.at, "Mappings have no " + in_quotes(path) + ", which Fn::FindInMap asks for");
  }
  auto value = evaluate(*found);
  if (value && value->tag.empty()) value->at = at;
  return value;
}

std::optional<Value> Evaluator::base64(const Value& argument, Position at) {
  const Text given = text_of("Fn::Base64", argument);
  if (given.instead) return given.instead;
  return text_at(protocol::base64_encode(given.text), at);
}

// ---- Conditions

void Evaluator::check_conditions() {
  const Value* const section = document_.find("Conditions");
  if (section == nullptr) return;
  for (const Member& member : section->members) holds(member.name, member.at);
}

bool Evaluator::holds(const std::string& condition, Position at) {
  if (const auto known = conditions_.find(condition); known != conditions_.end()) return known->second;
  const Value* const section = document_.find("Conditions");
  const Value* const declared = section == nullptr ? nullptr : section->find(condition);
  if (declared == nullptr) {
    problems_.add(at, "there is no condition " + in_quotes(condition));
    return false;
  }
  if (under_way_.size() == reference_depth_max) {
    problems_.add(at, "more than " + std::to_string(reference_depth_max) + " conditions stand for each other");
    return false;
  }
  if (!under_way_.insert(condition).second) {
    problems_.add(at, "the condition " + in_quotes(condition) + " depends on itself");
    return false;
  }
  const bool outside = std::exchange(in_conditions_, true);
  const bool value = truth(*declared);
  in_conditions_ = outside;
  under_way_.erase(condition);
  conditions_.emplace(condition, value);
  return value;
}

bool Evaluator::truth(const Value& value) {
  const std::string_view name = value.members.size() == 1 ? std::string_view(value.members.front().name) : "";
  const Value& argument = name.empty() ? value : value.members.front().value;
  if (name == "Fn::Equals") return equals(argument);
  if (name == "Fn::And") return all_or_any(name, argument, true);
  if (name == "Fn::Or") return all_or_any(name, argument, false);
  if (name == "Fn::Not") {
    const auto* items = arguments(name, argument, 1, 1);
    return items != nullptr && !truth(items->front());
  }
  if (name == "Condition" && argument.is_scalar()) return holds(argument.text, argument.at);
  problems_.add(value.at, "a condition is Fn::And, Fn::Equals, Fn::Not, Fn::Or or Condition");
  return false;
}

bool Evaluator::equals(const Value& argument) {
  const auto* items = arguments("Fn::Equals", argument, 2, 2);
  if (items == nullptr) return false;
  const Value left = value_or_wrong(items->front());
  const Value right = value_or_wrong(items->back());
  const bool known = settle(left, problems_) && settle(right, problems_);
  if (!known) return false;
  return left.is_scalar() && right.is_scalar() ? left.text == right.text : is_same(left, right);
}

bool Evaluator::all_or_any(std::string_view function, const Value& argument, bool all) {
  constexpr std::size_t terms_max = 10;
  const auto* items = arguments(function, argument, 2, terms_max);
  for (std::size_t i = 0; i < size_of(items); ++i) {
    if (truth((*items)[i]) != all) return !all;
  }
  return items != nullptr && all;
}

}  // namespace penstock::config
