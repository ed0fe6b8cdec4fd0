// Of a template: the functions, as CloudFormation and as SAM have them.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "config/template/translator.hpp"

namespace penstock::config {

namespace {

constexpr std::array function_properties{
    Property{"Architectures"},
    Property{"CapacityProviderConfig", Use::passed_over},
    Property{"Code", Use::special},
    Property{"CodeSigningConfigArn", Use::harmless},
    Property{"DeadLetterConfig"},
    Property{"Description"},
    Property{"DurableConfig", Use::passed_over},
    Property{"Environment"},
    Property{"EphemeralStorage"},
    Property{"FileSystemConfigs", Use::passed_over},
    Property{"FunctionName", Use::harmless},
    Property{"FunctionScalingConfig", Use::passed_over},
    Property{"Handler"},
    Property{"ImageConfig", Use::passed_over},
    Property{"KmsKeyArn", Use::member, "KMSKeyArn"},
    Property{"Layers", Use::passed_over},
    Property{"LoggingConfig", Use::special},
    Property{"MemorySize"},
    Property{"PackageType", Use::special},
    Property{"PublishToLatestPublished", Use::passed_over},
    Property{"RecursiveLoop", Use::passed_over},
    Property{"ReservedConcurrentExecutions"},
    Property{"Role"},
    Property{"Runtime"},
    Property{"RuntimeManagementConfig", Use::passed_over},
    Property{"SnapStart", Use::passed_over},
    Property{"Tags", Use::special},
    Property{"TenancyConfig", Use::passed_over},
    Property{"Timeout"},
    Property{"TracingConfig"},
    Property{"VpcConfig", Use::passed_over},
};

constexpr std::array serverless_properties{
    Property{"Architectures"},
    Property{"AssumeRolePolicyDocument", Use::harmless},
    Property{"AutoPublishAlias", Use::passed_over},
    Property{"AutoPublishAliasAllProperties", Use::passed_over},
    Property{"AutoPublishCodeSha256", Use::passed_over},
    Property{"CapacityProviderConfig", Use::passed_over},
    Property{"CodeSigningConfigArn", Use::harmless},
    Property{"CodeUri", Use::special},
    Property{"DeadLetterQueue", Use::special},
    Property{"DeploymentPreference", Use::harmless},
    Property{"Description"},
    Property{"DurableConfig", Use::passed_over},
    Property{"Environment"},
    Property{"EphemeralStorage"},
    Property{"EventInvokeConfig", Use::special},
    Property{"Events", Use::harmless},
    Property{"FileSystemConfigs", Use::passed_over},
    Property{"FunctionName", Use::harmless},
    Property{"FunctionScalingConfig", Use::passed_over},
    Property{"FunctionUrlConfig", Use::passed_over},
    Property{"Handler"},
    Property{"ImageConfig", Use::passed_over},
    Property{"ImageUri", Use::special},
    Property{"InlineCode", Use::special},
    Property{"KmsKeyArn", Use::member, "KMSKeyArn"},
    Property{"Layers", Use::passed_over},
    Property{"LoggingConfig", Use::special},
    Property{"MemorySize"},
    Property{"PackageType", Use::special},
    Property{"PermissionsBoundary", Use::harmless},
    Property{"Policies", Use::harmless},
    Property{"PropagateTags", Use::harmless},
    Property{"ProvisionedConcurrencyConfig", Use::passed_over},
    Property{"PublishToLatestPublished", Use::passed_over},
    Property{"RecursiveLoop", Use::passed_over},
    Property{"ReservedConcurrentExecutions"},
    Property{"Role"},
    Property{"RolePath", Use::harmless},
    Property{"Runtime"},
    Property{"RuntimeManagementConfig", Use::passed_over},
    Property{"SnapStart", Use::passed_over},
    Property{"SourceKMSKeyArn", Use::harmless},
    Property{"Tags", Use::special},
    Property{"TenancyConfig", Use::passed_over},
    Property{"Timeout"},
    Property{"Tracing", Use::special},
    Property{"VersionDeletionPolicy", Use::harmless},
    Property{"VersionDescription", Use::harmless},
    Property{"VpcConfig", Use::passed_over},
};

constexpr std::array<std::string_view, 6> code_members{"ImageUri",        "S3Bucket",        "S3Key",
                                                       "S3ObjectVersion", "SourceKMSKeyArn", "ZipFile"};
constexpr std::array<std::string_view, 3> uri_members{"Bucket", "Key", "Version"};

constexpr std::string_view stored_code =
    "code in S3 is not offered here: give the path of a directory or a .zip, or the code itself";
constexpr std::string_view image_code =
    "images are not offered here: give the path of a directory or a .zip, or the code itself";

}  // namespace

void Translator::set_packaged_code(const Value& code, Value& members) {
  if (code.is_scalar()) {
    if (code.text.starts_with("s3://")) return problems_.add(code.at, std::string(stored_code));
    return members.set("Code", code);
  }
  if (code.kind != Value::Kind::map || code.members.empty()) {
    return problems_.add(code.at, "the code has to be a path, or a map");
  }
  for (const Member& member : code.members) {
    if (member.name == "ZipFile") {
      members.set("InlineCode", member.value);
    } else if (member.name == "ImageUri") {
      return problems_.add(member.at, std::string(image_code));
    } else if (std::ranges::find(uri_members, member.name) != uri_members.end() || member.name.starts_with("S3")) {
      return problems_.add(member.at, std::string(stored_code));
    } else if (member.name != "SourceKMSKeyArn") {
      return problems_.add(member.at, no_such(member.name, {code_members.begin(), code_members.end()}));
    }
  }
}

void Translator::set_code(const Declared& function, const Properties& sorted, Value& members) {
  const std::size_t before = problems_.count();
  if (const Value* package = sorted.special.find("PackageType"); package != nullptr && package->text != "Zip") {
    return problems_.add(package->at, std::string(image_code));
  }
  if (const Value* image = sorted.special.find("ImageUri")) return problems_.add(image->at, std::string(image_code));
  for (const char* name : {"Code", "CodeUri"}) {
    if (const Value* code = sorted.special.find(name)) set_packaged_code(*code, members);
  }
  if (const Value* inlined = sorted.special.find("InlineCode")) members.set("InlineCode", *inlined);
  const bool has_code = members.find("Code") != nullptr || members.find("InlineCode") != nullptr;
  const bool is_said = std::ranges::any_of(std::array{"Code", "CodeUri", "InlineCode"},
                                           [&](const char* name) { return function.properties.find(name) != nullptr; });
  if (!has_code && !is_said && problems_.count() == before) {
    problems_.add(function.at, "the function " + in_quotes(function.id) + " has no " +
                                   (function.kind == ResourceKind::function ? "Code" : "CodeUri and no InlineCode"));
  }
  // Of code that is run as it lies it is known for which processor it is.
  const Value* const code = members.find("Code");
  if (code != nullptr && !code->text.ends_with(".zip")) {
    std::erase_if(members.members, [](const Member& member) { return member.name == "Architectures"; });
  }
}

/// Lines of a log are kept as they are written, whatever the template would have them look like.
Value Translator::logging_of(const Value& given) {
  Value config = given;
  std::erase_if(config.members, [this](const Member& member) {
    const bool is_offered = member.name != "ApplicationLogLevel" && member.name != "SystemLogLevel" &&
                            (member.name != "LogFormat" || member.value.text != "JSON");
    if (!is_offered) problems_.note(member.at, in_quotes(member.name) + " is not offered here, and has no effect");
    return !is_offered;
  });
  return config;
}

Value Translator::invoke_config_of(const Value& given) {
  Value config = coerced(given, type_of(function_members(), "EventInvokeConfig"));
  for (Member& member : config.members) {
    if (member.name == "DestinationConfig") member.value = with_bare_destinations(member.value, "EventInvokeConfig");
  }
  return config;
}

void Translator::add_function(const Declared& function, Properties sorted, const Value* invokes,
                              std::size_t problems_before) {
  Value& members = sorted.members;
  set_code(function, sorted, members);
  if (const Value* tags = sorted.special.find("Tags")) members.set("Tags", tags_of(*tags, problems_));
  if (const Value* logging = sorted.special.find("LoggingConfig")) {
    Value config = logging_of(*logging);
    if (!config.members.empty()) members.set("LoggingConfig", std::move(config));
  }
  if (invokes != nullptr) members.set("EventInvokeConfig", invoke_config_of(*invokes));
  check_members(members, function_members(), problems_);
  const std::string name = name_of(function);
  add(setup_.functions, "function", {name, function.at, std::move(members), problems_.count() == problems_before});
}

void Translator::translate_function(const Declared& function) {
  const std::size_t before = problems_.count();
  add_function(function, sort(function, function_properties, function_members()), nullptr, before);
}

void Translator::translate_serverless(const Declared& function) {
  const std::size_t before = problems_.count();
  Properties sorted = sort(function, serverless_properties, function_members());
  if (const Value* tracing = sorted.special.find("Tracing")) {
    Value config = map_value();
    config.at = tracing->at;
    config.set("Mode", *tracing);
    sorted.members.set("TracingConfig", std::move(config));
  }
  if (const Value* dead = sorted.special.find("DeadLetterQueue")) {
    const Value* const target = dead->find("TargetArn");
    if (target == nullptr) {
      problems_.add(dead->at, "'DeadLetterQueue' has no TargetArn");
    } else {
      Value config = map_value();
      config.at = dead->at;
      config.set("TargetArn", *target);
      sorted.members.set("DeadLetterConfig", std::move(config));
    }
  }
  const Value* const given = sorted.special.find("EventInvokeConfig");
  const std::optional<Value> invokes = given == nullptr ? std::nullopt : std::optional<Value>(*given);
  add_function(function, std::move(sorted), invokes ? &*invokes : nullptr, before);

  const Value* const events = function.properties.find("Events");
  if (events == nullptr) return;
  const std::string name = name_of(function);
  if (events->kind != Value::Kind::map) return problems_.add(events->at, "'Events' has to be a map");
  for (const Member& event : events->members) {
    if (event.value.kind != Value::Kind::map) {
      problems_.add(event.value.at, "the event " + in_quotes(event.name) + " has to be a map");
    } else if (!name.empty()) {
      translate_event(function.id, name, event);
    }
  }
}

}  // namespace penstock::config
