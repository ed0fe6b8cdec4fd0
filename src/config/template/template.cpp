#include "config/template/template.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "config/shapes.hpp"
#include "config/template/resources.hpp"
#include "config/template/translator.hpp"

namespace penstock::config {

namespace {

constexpr std::array<std::string_view, 3> marks{"AWSTemplateFormatVersion", "Resources", "Transform"};

struct Section {
  std::string_view name;
  Value::Kind kind{};
};
constexpr std::array sections{
    Section{"AWSTemplateFormatVersion", Value::Kind::text},
    Section{"Conditions", Value::Kind::map},
    Section{"Description", Value::Kind::text},
    Section{"Globals", Value::Kind::map},
    Section{"Hooks", Value::Kind::map},
    Section{"Mappings", Value::Kind::map},
    Section{"Metadata", Value::Kind::map},
    Section{"Outputs", Value::Kind::map},
    Section{"Parameters", Value::Kind::map},
    Section{"Resources", Value::Kind::map},
    Section{"Rules", Value::Kind::map},
    Section{"Transform", Value::Kind::null},
};
/// What Globals may speak of; only functions are something here.
constexpr std::array<std::string_view, 8> of_globals{
    "Api", "CapacityProvider", "Function", "HttpApi", "LayerVersion", "SimpleTable", "StateMachine", "WebSocketApi"};

std::vector<std::string_view> names_of_sections() {
  std::vector<std::string_view> names;
  names.reserve(sections.size());
  for (const Section& section : sections) names.push_back(section.name);
  return names;
}

/// Macros change a template in ways that only they know.
void check_transform(const Value& transform, Problems& problems) {
  std::vector<Value> all = transform.items;
  if (transform.kind != Value::Kind::list) all.push_back(transform);
  for (const Value& one : all) {
    const std::string name = one.is_scalar() ? one.text : one.text_of("Name");
    if (name.starts_with("AWS::Serverless-")) continue;
    problems.note(one.at, "the macro " + in_quotes(name) + " is not run here");
  }
}

bool check_sections(const Value& document, Problems& problems) {
  const std::size_t before = problems.count();
  for (const Member& member : document.members) {
    const auto* const known = std::ranges::find(sections, member.name, &Section::name);
    if (known == sections.end()) {
      problems.add(member.at, no_such(member.name, names_of_sections()));
    } else if (known->kind == Value::Kind::map && member.value.kind != Value::Kind::map &&
               member.value.kind != Value::Kind::null) {
      problems.add(member.value.at, in_quotes(member.name) + " has to be a map");
    }
  }
  if (const Value* transform = document.find("Transform")) check_transform(*transform, problems);
  if (const Value* globals = document.find("Globals")) {
    for (const Member& member : globals->members) {
      if (std::ranges::find(of_globals, member.name) != of_globals.end()) continue;
      problems.add(member.at, no_such(member.name, {of_globals.begin(), of_globals.end()}));
    }
  }
  const Value* const resources = document.find("Resources");
  if (resources == nullptr || resources->kind == Value::Kind::null) {
    problems.add(document.at, "the template has no Resources");
  }
  return problems.count() == before;
}

}  // namespace

bool is_template(const Value& document) {
  return std::ranges::any_of(document.members,
                             [](const Member& member) { return std::ranges::find(marks, member.name) != marks.end(); });
}

Setup read_template(const Value& document, const TemplateInput& input, Problems& problems) {
  const Value whole = whole_form(document);
  if (!check_sections(whole, problems)) return {};
  Resources resources(whole, input, problems);
  resources.evaluator().check_conditions();
  return Translator(resources, problems).translate();
}

}  // namespace penstock::config
