// Of a template: its parameters, and those that the service has for all of them.
#include <algorithm>
#include <array>
#include <charconv>
#include <regex>
#include <string>
#include <utility>

#include "config/shapes.hpp"
#include "config/template/evaluator.hpp"

namespace penstock::config {

namespace {

constexpr std::string_view stack_name = "AWS::StackName";
constexpr std::string_view default_stack = "penstock";
constexpr std::string_view pseudo_prefix = "AWS::";
constexpr std::string_view stored_prefix = "AWS::SSM::Parameter::Value<";

std::vector<std::string_view> parameter_members() {
  return {"AllowedPattern", "AllowedValues", "ConstraintDescription",
          "Default",        "Description",   "MaxLength",
          "MaxValue",       "MinLength",     "MinValue",
          "NoEcho",         "Type"};
}

bool is_list(std::string_view type) {
  return type == "CommaDelimitedList" || type.starts_with("List<") ||
         type.find("Value<List<") != std::string_view::npos || type.ends_with("Value<CommaDelimitedList>");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Value list_value(std::string_view text, Position at) {
  Value list;
  list.kind = Value::Kind::list;
  list.at = at;
  for (std::size_t from = 0; !text.empty() && from <= text.size();) {
    const std::size_t end = std::min(text.find(',', from), text.size());
    Value item = text_value(std::string(trimmed(text.substr(from, end - from))));
    item.at = at;
    list.items.push_back(std::move(item));
    from = end + 1;
  }
  return list;
}

std::optional<double> number_of(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (!is_number(text) || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace

void Evaluator::set_pseudo_parameters() {
  const auto given = std::ranges::find(input_.parameters, stack_name, &GivenParameter::name);
  const std::string stack = given == input_.parameters.end() ? std::string(default_stack) : given->value;
  const auto set = [&](std::string_view name, std::string text) {
    parameters_.emplace(std::string(pseudo_prefix).append(name), text_value(std::move(text)));
  };
  set("AccountId", input_.account);
  set("Partition", "aws");
  set("Region", input_.region);
  set("StackId", "arn:aws:cloudformation:" + input_.region + ":" + input_.account + ":stack/" + stack +
                     "/00000000-0000-0000-0000-000000000000");
  set("StackName", stack);
  set("URLSuffix", "amazonaws.com");
  Value nobody;
  nobody.kind = Value::Kind::list;
  parameters_.emplace("AWS::NotificationARNs", nobody);
}

/// What is given has to be asked for.
void Evaluator::check_given(const Value* section) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; section != nullptr && i < section->members.size(); ++i) {
    names.push_back(section->members[i].name);
  }
  for (const GivenParameter& given : input_.parameters) {
    if (given.name == stack_name || std::ranges::find(names, given.name) != names.end()) continue;
    if (given.name.starts_with(pseudo_prefix)) {
      problems_.add({},
                    "of the parameters of the service only AWS::StackName can be given, not " + in_quotes(given.name));
    } else if (names.empty()) {
      problems_.add({}, "the template has no parameter " + in_quotes(given.name) + ", nor any other");
    } else {
      problems_.add({}, "of the template's parameters " + no_such(given.name, names));
    }
  }
}

void Evaluator::read_parameters(const Value& section) {
  for (const Member& member : section.members) {
    // Whatever is wrong with it is told once, and not wherever it is named.
    parameters_.insert_or_assign(member.name, wrong_value(member.at));
    if (member.value.kind != Value::Kind::map) {
      problems_.add(member.value.at, "the parameter " + in_quotes(member.name) + " has to be a map");
    } else {
      read_parameter(member);
    }
  }
}

void Evaluator::read_parameter(const Member& declared) {
  const Value& body = declared.value;
  for (const Member& member : body.members) {
    const auto known = parameter_members();
    if (std::ranges::find(known, member.name) == known.end()) problems_.add(member.at, no_such(member.name, known));
  }
  const std::string type = body.text_of("Type");
  if (type.empty()) return problems_.add(declared.at, "the parameter " + in_quotes(declared.name) + " has no Type");
  const auto given = std::ranges::find(input_.parameters, declared.name, &GivenParameter::name);
  const Value* const fallback = body.find("Default");
  const bool is_given = given != input_.parameters.end();
  if (!is_given && fallback == nullptr) {
    return problems_.add(declared.at, "the parameter " + in_quotes(declared.name) +
                                          " has no value and no Default; give it one with --parameter " +
                                          declared.name + "=VALUE");
  }
  if (!is_given && !fallback->is_scalar() && fallback->kind != Value::Kind::null) {
    return problems_.add(fallback->at, "the Default of a parameter has to be a text");
  }
  const std::string text = is_given ? given->value : fallback->text;
  const Position at = is_given ? declared.at : fallback->at;
  const std::size_t before = problems_.count();
  check_parameter(declared, text, at);
  if (problems_.count() > before) return;
  if (!is_given && type.starts_with(stored_prefix)) {
    parameters_.insert_or_assign(
        declared.name,
        unknown_value(at, "what is stored as " + in_quotes(text) + " cannot be known here; give it with --parameter " +
                              declared.name + "=VALUE"));
    return;
  }
  parameters_.insert_or_assign(declared.name, is_list(type) ? list_value(text, at) : text_at(text, at));
}

void Evaluator::check_parameter(const Member& declared, const std::string& text, Position at) {
  const Value& body = declared.value;
  const auto refuse = [&](const std::string& why) {
    const std::string said = body.text_of("ConstraintDescription");
    problems_.add(at, "the parameter " + in_quotes(declared.name) + " " + why + ", not " + in_quotes(text) +
                          (said.empty() ? "" : " (" + said + ")"));
  };
  if (text.size() > parameter_bytes_max) {
    return problems_.add(at, "the parameter " + in_quotes(declared.name) + " has more than " +
                                 std::to_string(parameter_bytes_max) + " bytes");
  }
  const bool is_numeric = body.text_of("Type") == "Number";
  const auto number = number_of(text);
  if (is_numeric && !number) return refuse("is a number");
  if (const Value* allowed = body.find("AllowedValues"); allowed != nullptr && !allowed->items.empty()) {
    std::vector<std::string_view> names;
    for (const Value& item : allowed->items) names.push_back(item.text);
    if (std::ranges::find(names, text) == names.end()) refuse("is " + alternatives(names));
  }
  const auto beyond = [&](const char* name, double value, bool below) {
    const auto limit = number_of(body.text_of(name));
    return limit && (below ? value < *limit : value > *limit);
  };
  const auto length = static_cast<double>(text.size());
  if (beyond("MinLength", length, true)) refuse("has at least " + body.text_of("MinLength") + " characters");
  if (beyond("MaxLength", length, false)) refuse("has at most " + body.text_of("MaxLength") + " characters");
  if (is_numeric && beyond("MinValue", *number, true)) refuse("is at least " + body.text_of("MinValue"));
  if (is_numeric && beyond("MaxValue", *number, false)) refuse("is at most " + body.text_of("MaxValue"));
  const std::string pattern = body.text_of("AllowedPattern");
  if (pattern.empty()) return;
  try {
    if (!std::regex_match(text, std::regex(pattern))) refuse("has to match " + pattern);
  } catch (const std::regex_error&) {
    problems_.note(body.find("AllowedPattern")->at, "this AllowedPattern is not understood here, and not looked at");
  }
}

}  // namespace penstock::config
