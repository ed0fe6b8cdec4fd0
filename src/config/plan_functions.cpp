// Of a plan: the functions.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "config/planner.hpp"
#include "protocol/base64.hpp"
#include "protocol/percent.hpp"

namespace penstock::config {

namespace {

/// What says which program runs: a change of it is a registration anew.
constexpr std::array<std::string_view, 4> program{"Kind", "Command", "Directory", "Url"};

/// Which of what Lambda knows of a function a registration anew would put back to their defaults.
constexpr std::array<std::string_view, 7> lambda_only{
    "Role", "Description", "DeadLetterConfig", "KMSKeyArn", "TracingConfig", "EphemeralStorage", "LoggingConfig"};

bool is_program(std::string_view name) { return std::ranges::find(program, name) != program.end(); }

Request configuration_request(const std::string& name, const Value& settings) {
  return rest_request("PUT", path_of_function(name, "/configuration"), settings);
}

Value member_of(const Value& value, std::string_view name) {
  const Value* const found = value.find(name);
  return found == nullptr ? map_value() : *found;
}

/// Both descriptions of a function as one: what Penstock's own has beside all that Lambda's has.
Value described(const Value& own, const Value& lambda) {
  Value whole = member_of(lambda, "Configuration");
  for (const std::string_view name : program) {
    if (const Value* found = own.find(name)) whole.set(name, *found);
  }
  for (const char* name : {"Runtime", "Handler", "Environment", "CodeSha256"}) {
    std::erase_if(whole.members, [name](const Member& member) { return member.name == name; });
    if (const Value* found = own.find(name)) whole.set(name, *found);
  }
  // Without variables there is no member for them.
  if (whole.find("Environment") == nullptr) whole.set("Environment", map_value());
  whole.set("Tags", member_of(lambda, "Tags"));
  whole.set("Concurrency", member_of(lambda, "Concurrency"));
  return whole;
}

/// As Lambda's operation takes what is registered by Penstock's.
Value to_lambda(const Value& registration) {
  Value settings = registration;
  for (Member& member : settings.members) {
    if (member.name != "Environment") continue;
    Value environment = map_value();
    environment.set("Variables", member.value);
    member.value = std::move(environment);
  }
  return settings;
}

}  // namespace

void Planner::plan_functions() {
  for (const Resource& function : setup_.functions) {
    const FunctionParts parts = parts_of(function, place_, problems_);
    if (const Value* dead = function.members.find("DeadLetterConfig")) {
      if (dead->find("TargetArn") != nullptr) need_queue(dead->text_of("TargetArn"), dead->at);
    }
    if (const Value* config = function.members.find("EventInvokeConfig")) need_destinations(*config);
    Step& step = add_step("function", function.name, function.at, function.members);
    const auto own = look(rest_request("GET", path_of_registration(function.name)), function.at);
    const auto lambda = own ? look(rest_request("GET", path_of_function(function.name)), function.at) : std::nullopt;
    if (own && lambda) {
      change_function(function, parts, described(*own, *lambda), step);
    } else {
      step.action = Action::create;
      step.calls.push_back({create_function(function.name, parts, place_)});
      follow_creation(parts, step);
    }
  }
}

/// What the request that makes a function cannot say.
void Planner::follow_creation(const FunctionParts& parts, Step& step) {
  if (!parts.zip) {
    put_settings(parts.settings, step);
    put_tags(parts.tags, step);
  }
  put_concurrency(parts.concurrency, step);
  if (parts.invoke_config) {
    step.calls.push_back({rest_request("PUT", path_of_invoke_config(step.name), *parts.invoke_config)});
  }
}

/// What the file does not name of a configuration stays as it is, where there is one.
void Planner::change_invoke_config(const FunctionParts& parts, Step& step) {
  if (!parts.invoke_config) return;
  const std::string path = path_of_invoke_config(step.name);
  const auto actual = look(rest_request("GET", path), step.at);
  if (actual && agrees(*parts.invoke_config, *actual)) return;
  step.changes.emplace_back("EventInvokeConfig");
  step.calls.push_back({rest_request(actual ? "POST" : "PUT", path, *parts.invoke_config)});
}

void Planner::put_settings(const Value& settings, Step& step) {
  if (settings.members.empty()) return;
  step.calls.push_back({configuration_request(step.name, settings)});
}

void Planner::put_tags(const Value& tags, Step& step) const {
  if (tags.members.empty()) return;
  Value input = map_value();
  input.set("Tags", tags);
  step.calls.push_back(
      {rest_request("POST", "/2017-03-31/tags/" + protocol::percent_encode(place_.function_arn(step.name)), input)});
}

void Planner::put_concurrency(const std::optional<Value>& reserved, Step& step) {
  if (!reserved) return;
  Value input = map_value();
  input.set("ReservedConcurrentExecutions", *reserved);
  step.calls.push_back({rest_request("PUT", path_of_concurrency(step.name), input)});
}

void Planner::change_function(const Resource& function, const FunctionParts& parts, const Value& actual, Step& step) {
  if (parts.zip) {
    change_code(function, parts, actual, step);
  } else {
    change_registration(function, parts, actual, step);
  }
  if (!agrees(parts.tags, *actual.find("Tags"))) {
    step.changes.emplace_back("Tags");
    put_tags(parts.tags, step);
  }
  if (parts.concurrency &&
      actual.find("Concurrency")->text_of("ReservedConcurrentExecutions") != parts.concurrency->text) {
    step.changes.emplace_back("ReservedConcurrentExecutions");
    put_concurrency(parts.concurrency, step);
  }
  change_invoke_config(parts, step);
  if (!step.calls.empty()) step.action = Action::update;
}

/// Of a function that is a zip, and stays one.
void Planner::change_code(const Resource& function, const FunctionParts& parts, const Value& actual, Step& step) {
  if (actual.find("CodeSha256") == nullptr) {
    const Value* const code = function.members.find("Code");
    return problems_.add(code == nullptr ? function.at : code->at,
                         "the function '" + function.name +
                             "' is registered without a zip, and cannot be changed to one; remove it before");
  }
  const bool is_other_code = actual.text_of("CodeSha256") != parts.sha256;
  const bool is_for_other = parts.architectures && !is_same(*parts.architectures, member_of(actual, "Architectures"));
  if (is_other_code) step.changes.emplace_back("Code");
  if (is_for_other) step.changes.emplace_back("Architectures");
  if (is_other_code || is_for_other) {
    Value input = map_value();
    if (parts.architectures) input.set("Architectures", *parts.architectures);
    input.set("ZipFile", text_value(protocol::base64_encode(*parts.zip)));
    step.calls.push_back({rest_request("PUT", path_of_function(function.name, "/code"), input)});
  }
  Value wanted = parts.registration;
  for (const Member& member : parts.settings.members) wanted.set(member.name, member.value);
  const Value differences = differing(wanted, actual, step);
  if (!differences.members.empty())
    step.calls.push_back({configuration_request(function.name, to_lambda(differences))});
}

/// Of one whose code lies where it is run, or that runs elsewhere.
void Planner::change_registration(const Resource& function, const FunctionParts& parts, const Value& actual,
                                  Step& step) {
  Value wanted = parts.registration;
  for (const Member& member : parts.settings.members) wanted.set(member.name, member.value);
  const Value differences = differing(wanted, actual, step);
  const bool was_zip = actual.find("CodeSha256") != nullptr;
  const bool anew =
      was_zip || std::ranges::any_of(differences.members, [](const Member& member) { return is_program(member.name); });
  if (!anew) {
    if (!differences.members.empty()) {
      step.calls.push_back({configuration_request(function.name, to_lambda(differences))});
    }
    return;
  }
  if (was_zip) step.changes.emplace_back("Code");
  // What the file does not name stays as it is, though a registration would put it back.
  Value registration = parts.registration;
  const bool same_kind = actual.text_of("Kind") == registration.text_of("Kind");
  for (const char* name : {"Timeout", "MemorySize", "Environment", "Runtime", "Handler"}) {
    const bool of_kind = std::string_view(name) == "Runtime" || std::string_view(name) == "Handler";
    const Value* const there = actual.find(name);
    if (there == nullptr || registration.find(name) != nullptr || (of_kind && !same_kind)) continue;
    registration.set(name, *there);
  }
  const Value reserved = member_of(member_of(actual, "Concurrency"), "ReservedConcurrentExecutions");
  if (reserved.is_scalar()) registration.set("ReservedConcurrency", reserved);
  step.calls.push_back({rest_request("PUT", path_of_registration(function.name), registration)});
  Value settings = map_value();
  for (const std::string_view name : lambda_only) {
    const Value* const there = actual.find(name);
    if (there != nullptr && (!there->is_scalar() || !there->text.empty())) settings.set(name, *there);
  }
  for (const Member& member : parts.settings.members) settings.set(member.name, member.value);
  step.calls.push_back({configuration_request(function.name, settings)});
}

}  // namespace penstock::config
