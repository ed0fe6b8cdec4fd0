#include "config/template/resources.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/shapes.hpp"
#include "protocol/nearest.hpp"

namespace penstock::config {

namespace {

constexpr std::string_view consumer_prefix = "stream:";
constexpr std::string_view serverless_function = "AWS::Serverless::Function";

struct Type {
  std::string_view type;
  ResourceKind kind{};
  std::string_view name_property{};  ///< empty if it has none
};
constexpr std::array types{
    Type{"AWS::Kinesis::Stream", ResourceKind::stream, "Name"},
    Type{"AWS::Kinesis::StreamConsumer", ResourceKind::consumer, "ConsumerName"},
    Type{"AWS::Lambda::EventSourceMapping", ResourceKind::mapping},
    Type{"AWS::Lambda::Function", ResourceKind::function, "FunctionName"},
    Type{"AWS::SQS::Queue", ResourceKind::queue, "QueueName"},
    Type{"AWS::SQS::QueuePolicy", ResourceKind::queue_policy},
    Type{serverless_function, ResourceKind::serverless_function, "FunctionName"},
};

/// What others name often of types that there is nothing of here: it is told by their names, so that a function's
/// environment can have the table of another emulator. Of an ARN {r}, {a} and {n} are the region, the account and the
/// name.
struct Other {
  std::string_view type;
  std::string_view name_property;
  std::string_view arn{};
  bool ref_is_arn = false;
};
constexpr std::array others{
    Other{"AWS::DynamoDB::Table", "TableName", "arn:aws:dynamodb:{r}:{a}:table/{n}"},
    Other{"AWS::Events::EventBus", "Name", "arn:aws:events:{r}:{a}:event-bus/{n}"},
    Other{"AWS::IAM::Role", "RoleName", "arn:aws:iam::{a}:role/{n}"},
    Other{"AWS::KMS::Alias", "AliasName"},
    Other{"AWS::KMS::Key", "", "arn:aws:kms:{r}:{a}:key/{n}"},
    Other{"AWS::Logs::LogGroup", "LogGroupName", "arn:aws:logs:{r}:{a}:log-group:{n}:*"},
    Other{"AWS::S3::Bucket", "BucketName", "arn:aws:s3:::{n}"},
    Other{"AWS::SNS::Topic", "TopicName", "arn:aws:sns:{r}:{a}:{n}", true},
    Other{"AWS::SSM::Parameter", "Name"},
    Other{"AWS::SecretsManager::Secret", "Name", "arn:aws:secretsmanager:{r}:{a}:secret:{n}", true},
    Other{"AWS::Serverless::SimpleTable", "TableName", "arn:aws:dynamodb:{r}:{a}:table/{n}"},
    Other{"AWS::StepFunctions::StateMachine", "StateMachineName", "arn:aws:states:{r}:{a}:stateMachine:{n}", true},
};

constexpr std::array<std::string_view, 11> attributes{
    "Condition", "Connectors", "CreationPolicy", "DeletionPolicy", "DependsOn",          "IgnoreGlobals",
    "Metadata",  "Properties", "Type",           "UpdatePolicy",   "UpdateReplacePolicy"};

const Other* find_other(std::string_view type) {
  const auto* const found = std::ranges::find(others, type, &Other::type);
  return found == others.end() ? nullptr : found;
}

std::string_view name_property_of(const Declared& resource) {
  if (const Other* other = find_other(resource.type)) return other->name_property;
  const auto* const found = std::ranges::find(types, resource.type, &Type::type);
  return found == types.end() ? std::string_view() : found->name_property;
}

bool is_call(const Value& value) {
  return value.members.size() == 1 &&
         (value.members.front().name == "Ref" || value.members.front().name.starts_with("Fn::"));
}

/// What stands for all and what stands for one: maps and lists are added to, and all else is replaced.
Value merged(const Value& all, const Value& one) {
  if (all.kind != one.kind || is_call(all) || is_call(one)) return one;
  Value whole = all;
  whole.at = one.at;
  if (one.kind == Value::Kind::list) {
    whole.items.insert(whole.items.end(), one.items.begin(), one.items.end());
    return whole;
  }
  if (one.kind != Value::Kind::map) return one;
  for (const Member& member : one.members) {
    const auto found = std::ranges::find(whole.members, member.name, &Member::name);
    if (found == whole.members.end()) {
      whole.members.push_back(member);
    } else {
      *found = {member.name, member.at, merged(found->value, member.value)};
    }
  }
  return whole;
}

/// Without what a function says that it does not take from Globals.
Value globals_for(const Value& globals, const Value* ignored) {
  Value rest = globals;
  if (ignored == nullptr) return rest;
  if (ignored->text == "*") return map_value();
  std::erase_if(rest.members, [&](const Member& member) {
    return std::ranges::find(ignored->items, member.name, &Value::text) != ignored->items.end();
  });
  return rest;
}

}  // namespace

Value unknown_consumer(Position at, const std::string& stream, const std::string& consumer) {
  return unknown_value(at,
                       "the ARN of the consumer " + in_quotes(consumer) +
                           " is known only once it is registered, and can be nothing but the source of a mapping",
                       std::string(consumer_prefix).append(stream).append("/").append(consumer));
}

std::string consumer_of(const Value& unknown) {
  std::string subject = subject_of(unknown);
  return subject.starts_with(consumer_prefix) ? subject : std::string();
}

Resources::Resources(const Value& document, const TemplateInput& input, Problems& problems)
    : document_(document),
      input_(input),
      problems_(problems),
      place_{input.account, input.region, {}},
      evaluator_(
          document, input,
          [this](const std::string& id, const std::string& attribute, Position at) {
            return resolve(id, attribute, at);
          },
          problems) {
  const Value* const globals = document.find("Globals");
  const Value* const section = document.find("Resources");
  if (section == nullptr) return;
  for (const Member& member : section->members) {
    declare(member, globals == nullptr ? nullptr : globals->find("Function"));
  }
  for (const Member& member : section->members) {
    if (const Value* depends = member.value.find("DependsOn")) check_dependencies(*depends);
  }
}

void Resources::declare(const Member& member, const Value* globals) {
  const Value& body = member.value;
  if (member.name.starts_with("Fn::")) {
    return problems_.add(member.at, "which resources " + member.name.substr(0, member.name.find("::", 4)) +
                                        " makes cannot be known here");
  }
  if (body.kind != Value::Kind::map) {
    return problems_.add(body.at, "the resource " + in_quotes(member.name) + " has to be a map");
  }
  for (const Member& attribute : body.members) {
    const std::vector<std::string_view> known(attributes.begin(), attributes.end());
    if (std::ranges::find(known, attribute.name) == known.end()) {
      problems_.add(attribute.at, no_such(attribute.name, known));
    }
  }
  const std::string type = body.text_of("Type");
  if (type.empty()) {
    return problems_.add(member.at, "the resource " + in_quotes(member.name) + " has no Type");
  }
  Declared one{member.name, member.at, type, ResourceKind::other, map_value()};
  const auto* const known = std::ranges::find(types, type, &Type::type);
  if (known != types.end()) one.kind = known->kind;
  one.properties.at = member.at;
  if (const Value* properties = body.find("Properties");
      properties != nullptr && properties->kind != Value::Kind::null) {
    one.properties = *properties;
  }
  if (one.kind != ResourceKind::other && one.properties.kind != Value::Kind::map) {
    return problems_.add(one.properties.at, "the Properties of " + in_quotes(member.name) + " have to be a map");
  }
  if (type == serverless_function && globals != nullptr) {
    one.properties = merged(globals_for(*globals, body.find("IgnoreGlobals")), one.properties);
  }
  if (const Value* condition = body.find("Condition")) {
    if (!condition->is_scalar()) return problems_.add(condition->at, "'Condition' has to be the name of a condition");
    one.condition = condition->text;
    one.condition_at = condition->at;
  }
  by_id_.emplace(one.id, declared_.size());
  declared_.push_back(std::move(one));
}

void Resources::check_dependencies(const Value& depends) {
  std::vector<Value> all = depends.items;
  if (depends.kind != Value::Kind::list) all.push_back(depends);
  std::vector<std::string_view> ids;
  for (const Member& member : document_.find("Resources")->members) ids.push_back(member.name);
  for (const Value& one : all) {
    if (!one.is_scalar()) {
      problems_.add(one.at, "'DependsOn' has to be the name of a resource, or a list of them");
    } else if (std::ranges::find(ids, one.text) == ids.end()) {
      const auto meant = protocol::nearest_of(one.text, ids);
      problems_.add(one.at, "there is no resource " + in_quotes(one.text) +
                                (meant ? "; " + in_quotes(*meant) + " is meant, perhaps" : ""));
    }
  }
}

const Declared* Resources::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &declared_[found->second];
}

bool Resources::exists(const Declared& resource) {
  return resource.condition.empty() || evaluator_.holds(resource.condition, resource.condition_at);
}

// ---- Names

Value Resources::name_of(const Declared& resource) {
  if (const auto known = names_.find(resource.id); known != names_.end()) return known->second;
  if (depth_ == reference_depth_max) {
    problems_.add(resource.at, "more than " + std::to_string(reference_depth_max) + " names are made of each other");
    return wrong_value(resource.at);
  }
  // Whoever asks for it before it is found asks for what depends on itself.
  names_.insert_or_assign(resource.id,
                          unknown_value(resource.at, "the name of " + in_quotes(resource.id) + " depends on itself"));
  ++depth_;
  Value name = find_name(resource);
  --depth_;
  // Told once, however often it is asked for.
  if (!settle(name, problems_)) name = wrong_value(name.at);
  names_.insert_or_assign(resource.id, name);
  return name;
}

Value Resources::find_name(const Declared& resource) {
  const Value* const given = resource.properties.find(name_property_of(resource));
  if (given != nullptr) {
    auto name = evaluator_.evaluate(*given);
    if (name && !name->tag.empty()) return std::move(*name);
    if (name && !name->is_scalar()) {
      problems_.add(given->at, "the name of " + in_quotes(resource.id) + " has to be a text");
      return wrong_value(given->at);
    }
    if (name) {
      Value text = text_value(name->text);
      text.at = name->at;
      return text;
    }
  }
  std::string made = resource.id;
  if (const Value* fifo = resource.kind == ResourceKind::queue ? resource.properties.find("FifoQueue") : nullptr) {
    auto is_fifo = evaluator_.evaluate(*fifo);
    if (is_fifo && !is_fifo->tag.empty()) return std::move(*is_fifo);
    if (is_fifo && is_fifo->text == "true") made += ".fifo";
  }
  Value name = text_value(std::move(made));
  name.at = resource.at;
  return name;
}

// ---- What others are told

std::optional<Value> Resources::resolve(const std::string& id, const std::string& attribute, Position at) {
  const Declared* resource = find(id);
  constexpr std::string_view role = "Role";
  Declared made;
  if (resource == nullptr && id.ends_with(role)) {
    // SAM makes a role for each of its functions.
    const Declared* const function = find(std::string_view(id).substr(0, id.size() - role.size()));
    if (function == nullptr || function->kind != ResourceKind::serverless_function) return std::nullopt;
    made = {id, at, "AWS::IAM::Role", ResourceKind::other, map_value()};
    resource = &made;
  }
  if (resource == nullptr) return std::nullopt;
  const std::size_t before = problems_.count();
  const bool is_there = exists(*resource);
  if (problems_.count() > before) return wrong_value(at);
  if (!is_there) {
    return unknown_value(at, "there is no " + in_quotes(id) + ", since its condition " +
                                 in_quotes(resource->condition) + " does not hold");
  }
  Value value = attribute_of(*resource, attribute, at);
  value.at = at;
  return value;
}

Value Resources::attribute_of(const Declared& resource, const std::string& attribute, Position at) {
  const bool is_ref = attribute.empty();
  const auto not_known = [&] {
    const std::string asked = is_ref ? "Ref" : "Fn::GetAtt";
    return unknown_value(at,
                         "what " + asked + " of " + in_quotes(resource.id) + " gives (" +
                             (is_ref ? "" : attribute + " of ") + resource.type + ") cannot be known here",
                         resource.id);
  };
  if (resource.kind == ResourceKind::consumer) return attribute_of_consumer(resource, attribute, at);
  if (resource.kind == ResourceKind::mapping || resource.kind == ResourceKind::queue_policy) return not_known();
  Value named = name_of(resource);
  if (!named.tag.empty()) return named;
  const std::string& name = named.text;
  std::string text;
  switch (resource.kind) {
    case ResourceKind::queue:
      if (is_ref || attribute == "QueueUrl") text = input_.endpoint + "/" + place_.account + "/" + name;
      if (attribute == "Arn") text = place_.queue_arn(name);
      if (attribute == "QueueName") text = name;
      break;
    case ResourceKind::stream:
      if (is_ref) text = name;
      if (attribute == "Arn") text = place_.stream_arn(name);
      break;
    case ResourceKind::function:
    case ResourceKind::serverless_function:
      if (is_ref) text = name;
      if (attribute == "Arn") text = place_.function_arn(name);
      break;
    default:
      text = attribute_of_other(resource, attribute, name);
  }
  return text.empty() ? not_known() : text_value(std::move(text));
}

std::string Resources::attribute_of_other(const Declared& resource, const std::string& attribute,
                                          const std::string& name) const {
  const Other* const other = find_other(resource.type);
  const bool is_arn = attribute == "Arn" || attribute == "TopicArn";
  if (other == nullptr || (!attribute.empty() && !is_arn)) return {};
  if (attribute.empty() && !other->ref_is_arn) return name;
  std::string arn(other->arn);
  for (const auto& [mark, text] :
       {std::pair<std::string_view, std::string_view>{"{r}", place_.region}, {"{a}", place_.account}, {"{n}", name}}) {
    if (const std::size_t at = arn.find(mark); at != std::string::npos) arn.replace(at, mark.size(), text);
  }
  return arn;
}

Value Resources::attribute_of_consumer(const Declared& consumer, const std::string& attribute, Position at) {
  Value name = name_of(consumer);
  if (!name.tag.empty() || attribute == "ConsumerName") return name;
  const Value* const given = consumer.properties.find("StreamARN");
  // One that names its own stream as its stream would go on for ever.
  if (depth_ == reference_depth_max) {
    problems_.add(at, "the StreamARN of " + in_quotes(consumer.id) + " depends on itself");
    return wrong_value(at);
  }
  ++depth_;
  auto stream = given == nullptr ? std::nullopt : evaluator_.evaluate(*given);
  --depth_;
  if (!stream || (stream->tag.empty() && !stream->is_scalar())) return wrong_value(at);
  if (!stream->tag.empty() || attribute == "StreamARN") return std::move(*stream);
  if (!attribute.empty() && attribute != "ConsumerARN") {
    return unknown_value(at, "what Fn::GetAtt of " + in_quotes(consumer.id) + " gives (" + attribute + " of " +
                                 consumer.type + ") cannot be known here");
  }
  const std::string home = place_.stream_arn({});
  const std::string& arn = stream->text;
  return unknown_consumer(at, arn.starts_with(home) ? arn.substr(home.size()) : arn, name.text);
}

}  // namespace penstock::config
