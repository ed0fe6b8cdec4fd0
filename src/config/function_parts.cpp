// What a function of the file is made of.
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "config/creation.hpp"
#include "config/shapes.hpp"
#include "config/zip.hpp"
#include "protocol/base64.hpp"
#include "protocol/digests.hpp"
#include "protocol/native/constraints.hpp"

namespace penstock::config {

namespace {

constexpr std::uintmax_t zip_bytes_max = 50U << 20U;

/// That both ways of registering a function know by the same name.
constexpr std::array<std::string_view, 4> common{"Handler", "MemorySize", "Runtime", "Timeout"};
/// That only Penstock's own operation has.
constexpr std::array<std::string_view, 4> own{"Command", "Directory", "Kind", "Url"};

bool is_in(std::string_view name, const auto& names) { return std::ranges::find(names, name) != names.end(); }

/// Variables as a map, however they were given.
Value variables_of(const Value& given, Problems& problems) {
  const Value* variables = &given;
  if (given.members.size() == 1 && given.members.front().name == "Variables" &&
      given.members.front().value.kind == Value::Kind::map) {
    variables = &given.members.front().value;
  }
  Value out = map_value();
  out.at = given.at;
  if (variables->kind != Value::Kind::map) problems.add(given.at, "'Environment' has to be a map");
  for (const Member& member : variables->members) {
    if (!member.value.is_scalar()) {
      problems.add(member.at, "'" + member.name + "' has to be a text");
    } else {
      Value value = text_value(member.value.text);
      value.at = member.value.at;
      out.set(member.name, std::move(value));
    }
  }
  return out;
}

void read_zip(const std::string& path, Position at, FunctionParts& parts, Problems& problems) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > zip_bytes_max) {
    return problems.add(at, path + " is larger than " + std::to_string(zip_bytes_max) + " bytes");
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file) return problems.add(at, "cannot read " + path);
  parts.sha256 = protocol::sha256_base64_of(bytes);
  parts.zip = std::move(bytes);
}

void set_directory(const std::string& path, Position at, FunctionParts& parts) {
  Value directory = text_value(path);
  directory.at = at;
  parts.registration.set("Directory", std::move(directory));
}

/// Code that stands in the file itself is all that there is of a zip, under the name that Lambda gives it there.
void pack_inline(const Value& code, FunctionParts& parts, Problems& problems) {
  const std::string runtime = parts.registration.text_of("Runtime");
  const bool is_python = runtime.starts_with("python");
  if (!is_python && !runtime.starts_with("nodejs")) {
    return problems.add(code.at, "'InlineCode' goes only with a Runtime of Python or Node");
  }
  std::string zip = zip_of(is_python ? "index.py" : "index.js", code.text);
  parts.sha256 = protocol::sha256_base64_of(zip);
  parts.zip = std::move(zip);
}

/// The code is a zip, or a directory in which it is run as it lies.
void find_code(const Resource& function, const Place& place, FunctionParts& parts, Problems& problems) {
  const Value* const code = function.members.find("Code");
  const Value* const directory = function.members.find("Directory");
  if (const Value* inlined = function.members.find("InlineCode")) {
    if (code == nullptr && directory == nullptr) return pack_inline(*inlined, parts, problems);
    return problems.add(inlined->at, "InlineCode excludes Code and Directory");
  }
  if (code != nullptr && directory != nullptr) {
    return problems.add(code->at, "Code and Directory exclude each other");
  }
  const Value* const given = code != nullptr ? code : directory;
  if (given == nullptr) {
    // A command may be relative, as all paths of the file are.
    if (parts.registration.find("Command") != nullptr) set_directory(place.directory, {}, parts);
    return;
  }
  if (!given->is_scalar()) return;
  const std::string path = place.path(given->text);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return set_directory(path, given->at, parts);
  if (code != nullptr && path.ends_with(".zip") && std::filesystem::is_regular_file(path, error)) {
    return read_zip(path, given->at, parts, problems);
  }
  problems.add(given->at, path + (code != nullptr ? " is neither a directory nor a .zip" : " is no directory"));
}

void check_form(const Resource& function, const FunctionParts& parts, Problems& problems) {
  const Value& members = function.members;
  const bool says_what = std::ranges::any_of(std::array{"Runtime", "Command", "Url", "Code", "Directory", "InlineCode"},
                                             [&](const char* name) { return members.find(name) != nullptr; });
  if (!says_what) problems.add(function.at, "the function '" + function.name + "' has no Runtime, Command or Url");
  if (!parts.zip) {
    if (parts.architectures) {
      problems.add(members.find("Architectures")->at, "'Architectures' goes only with code that is a zip");
    }
    return;
  }
  for (const std::string_view name : own) {
    const Value* const given = members.find(name);
    if (given != nullptr) {
      problems.add(given->at, "'" + std::string(name) + "' does not go with code that is a zip, as Lambda runs it");
    }
  }
}

/// Which Kind it is, where the file does not say.
void set_kind(FunctionParts& parts) {
  Value& registration = parts.registration;
  if (registration.find("Kind") != nullptr) return;
  const FunctionKind kind = kind_of(registration.text_of("Runtime"), registration.find("Command") != nullptr,
                                    registration.find("Url") != nullptr);
  registration.set("Kind", text_value(std::string(protocol::native::name_of(kind))));
}

}  // namespace

FunctionParts parts_of(const Resource& function, const Place& place, Problems& problems) {
  FunctionParts parts;
  for (const Member& member : function.members.members) {
    const auto found = std::ranges::find(function_members(), member.name, &Allowed::name);
    const protocol::TypeInfo* const type = found == function_members().end() ? nullptr : found->type;
    if (member.name == "Code" || member.name == "Directory" || member.name == "InlineCode") continue;
    if (member.name == "Environment") {
      parts.registration.set("Environment", variables_of(member.value, problems));
    } else if (member.name == "ReservedConcurrentExecutions") {
      parts.concurrency = member.value;
    } else if (member.name == "Architectures") {
      parts.architectures = to_wire(member.value, member.name, type);
    } else if (member.name == "EventInvokeConfig") {
      parts.invoke_config = with_destinations(to_wire(member.value, member.name, type), place);
    } else if (member.name == "Tags") {
      parts.tags = to_wire(member.value, member.name, type);
    } else if (is_in(member.name, common) || is_in(member.name, own)) {
      parts.registration.set(member.name, to_wire(member.value, member.name, type));
    } else {
      parts.settings.set(member.name, to_wire(member.value, member.name, type));
    }
  }
  if (const Value* dead = parts.settings.find("DeadLetterConfig");
      dead != nullptr && dead->find("TargetArn") != nullptr) {
    Value config = *dead;
    config.set("TargetArn", text_value(place.queue_arn_of(dead->text_of("TargetArn"))));
    parts.settings.set("DeadLetterConfig", std::move(config));
  }
  find_code(function, place, parts, problems);
  check_form(function, parts, problems);
  if (!parts.zip) set_kind(parts);
  return parts;
}

Value lambda_settings_of(const FunctionParts& parts) {
  Value settings = map_value();
  for (const Member& member : parts.registration.members) {
    if (is_in(member.name, common)) settings.set(member.name, member.value);
  }
  if (const Value* variables = parts.registration.find("Environment")) {
    Value environment = map_value();
    environment.at = variables->at;
    environment.set("Variables", *variables);
    settings.set("Environment", std::move(environment));
  }
  for (const Member& member : parts.settings.members) settings.set(member.name, member.value);
  return settings;
}

Request create_function(const std::string& name, const FunctionParts& parts, const Place& place) {
  if (!parts.zip) return rest_request("PUT", path_of_registration(name), parts.registration);
  Value input = lambda_settings_of(parts);
  input.set("FunctionName", text_value(name));
  if (input.find("Role") == nullptr) {
    input.set("Role", text_value("arn:aws:iam::" + place.account + ":role/penstock"));
  }
  Value code = map_value();
  code.set("ZipFile", text_value(protocol::base64_encode(*parts.zip)));
  input.set("Code", std::move(code));
  if (parts.architectures) input.set("Architectures", *parts.architectures);
  if (!parts.tags.members.empty()) input.set("Tags", parts.tags);
  return rest_request("POST", "/2015-03-31/functions", input);
}

}  // namespace penstock::config
