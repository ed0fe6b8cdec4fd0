#include "protocol/sqs/queue_policies.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "penstock/limits.hpp"
#include "protocol/json.hpp"
#include "protocol/sqs/arn.hpp"

namespace penstock::protocol::sqs {
namespace {

constexpr std::string_view policy_name = "Policy";
constexpr std::string_view redrive_name = "RedrivePolicy";
constexpr std::string_view redrive_allow_name = "RedriveAllowPolicy";
constexpr std::string_view target_member = "deadLetterTargetArn";
constexpr std::string_view count_member = "maxReceiveCount";
constexpr std::string_view permission_member = "redrivePermission";
constexpr std::string_view sources_member = "sourceQueueArns";
/// In the order of RedriveAllowPolicy::Permission.
constexpr std::array<std::string_view, 3> permission_names{"allowAll", "denyAll", "byQueue"};

Names named(std::string_view member) { return {member, member}; }

Error invalid_value(std::string_view parameter, std::string_view reason) {
  std::string message("Invalid value for the parameter ");
  message.append(parameter).append(".");
  if (!reason.empty()) message.append(" Reason: ").append(reason);
  return {ErrorCode::InvalidAttributeValue, std::move(message)};
}

bool has_others_than(std::string_view one, std::string_view other, const JsonSource& object) {
  for (const auto [name, value] : simdjson::dom::object(object.element())) {
    if (name != one && name != other) return true;
  }
  return false;
}

// ---- RedrivePolicy

/// A count may be given as a number or as a string.
std::optional<int> count_of(const JsonSource& value) {
  std::int64_t count = 0;
  std::string text;
  if (!value.string(text)) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || stop != end) return std::nullopt;
  } else if (value.integer(named(count_member), count, sqs_limits::receive_count_min, sqs_limits::receive_count_max)) {
    return std::nullopt;
  }
  if (count < sqs_limits::receive_count_min || count > sqs_limits::receive_count_max) return std::nullopt;
  return static_cast<int>(count);
}

/// A string's text, or the JSON of anything else.
std::string text_of(const JsonSource& value) {
  std::string text;
  if (!value.string(text)) return text;
  JsonSink sink;
  sink.copy(value.element());
  return sink.take();
}

/// What is wrong with a policy, apart from what its target knows; empty if nothing is.
std::string read_redrive(const JsonSource& policy, const QueueName& source, RedrivePolicy& out, QueueName& target) {
  const auto missing = [](std::string_view member) {
    return "Redrive policy does not contain mandatory attribute: " + std::string(member) + ".";
  };
  const JsonSource count = policy.member(named(count_member));
  const JsonSource arn = policy.member(named(target_member));
  if (!count.present()) return missing(count_member);
  if (!arn.present()) return missing(target_member);
  if (has_others_than(target_member, count_member, policy)) {
    return "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].";
  }
  const std::optional<int> receives = count_of(count);
  if (!receives) {
    return "Invalid value for maxReceiveCount: " + text_of(count) + ", valid values are from " +
           std::to_string(sqs_limits::receive_count_min) + " to " + std::to_string(sqs_limits::receive_count_max) +
           " both inclusive.";
  }
  out.max_receive_count = *receives;
  if (arn.string(out.target_arn)) return "Invalid value for deadLetterTargetArn.";
  std::optional<QueueName> queue = queue_of_arn(out.target_arn);
  if (!queue) return "Invalid value for deadLetterTargetArn.";
  if (queue->account != source.account || queue->region != source.region) {
    return "Dead letter target does not exist.";
  }
  if (is_fifo(queue->name) != is_fifo(source.name)) {
    return "Dead-letter queue must be same type of queue as the source.";
  }
  target = std::move(*queue);
  return {};
}

std::string to_text(const RedrivePolicy& policy) {
  JsonSink sink;
  sink.open();
  sink.key(target_member);
  sink.value(policy.target_arn);
  sink.key(count_member);
  sink.integer({}, policy.max_receive_count);
  sink.close();
  return sink.take();
}

Refusal take_redrive(const QueueName& queue, std::string& text, PoliciesTaken& out) {
  const auto parsed = parse_json(text);
  const auto* policy = std::get_if<JsonSource>(&parsed);
  if (policy == nullptr) return invalid_value(redrive_name, "Redrive policy is not a valid JSON map.");
  RedrivePolicy read;
  QueueName target;
  const std::string reason = read_redrive(*policy, queue, read, target);
  if (!reason.empty()) return invalid_parameter(redrive_name, text, reason);
  out.before.push_back({CheckRedriveTarget{std::move(target), queue, std::exchange(text, to_text(read))}, nullptr});
  out.redrive = std::move(read);
  return std::nullopt;
}

// ---- RedriveAllowPolicy

bool read_sources(const JsonSource& list, std::vector<std::string>& out) {
  const Refusal refusal = list.list([&](const JsonSource& arn) { return arn.string(out.emplace_back()); });
  return !refusal && std::ranges::all_of(out, [](const std::string& arn) { return queue_of_arn(arn).has_value(); });
}

/// False where it has not the form of a policy.
bool read_redrive_allow(const JsonSource& policy, RedriveAllowPolicy& out) {
  if (has_others_than(permission_member, sources_member, policy)) return false;
  const JsonSource permission = policy.member(named(permission_member));
  std::string name;
  if (!permission.present() || permission.string(name)) return false;
  const auto* const found = std::ranges::find(permission_names, name);
  if (found == permission_names.end()) return false;
  out.permission = static_cast<RedriveAllowPolicy::Permission>(found - permission_names.begin());
  const JsonSource sources = policy.member(named(sources_member));
  return !sources.present() || read_sources(sources, out.source_arns);
}

std::string to_text(const RedriveAllowPolicy& policy) {
  JsonSink sink;
  sink.open();
  sink.key(permission_member);
  sink.value(permission_names.at(static_cast<std::size_t>(policy.permission)));
  if (!policy.source_arns.empty()) {
    sink.key(sources_member);
    sink.open_array();
    for (const std::string& arn : policy.source_arns) sink.value(arn);
    sink.close_array();
  }
  sink.close();
  return sink.take();
}

Refusal take_redrive_allow(std::string& text, PoliciesTaken& out) {
  constexpr std::string_view refused = "Amazon SQS can't create the redrive allow policy";
  const auto parsed = parse_json(text);
  const auto* policy = std::get_if<JsonSource>(&parsed);
  RedriveAllowPolicy read;
  if (policy == nullptr || !read_redrive_allow(*policy, read)) {
    return invalid_value(redrive_allow_name, std::string(refused) + ", as it's in an unsupported format.");
  }
  const std::size_t count = read.source_arns.size();
  const bool by_queue = read.permission == RedriveAllowPolicy::Permission::by_queue;
  if (by_queue && (count == 0 || count > sqs_limits::redrive_source_queues_max)) {
    return invalid_parameter(
        redrive_allow_name, text,
        std::string(refused) + ". When you specify the byQueue permission type, you must also specify between 1 and " +
            std::to_string(sqs_limits::redrive_source_queues_max) + " source queue ARNs.");
  }
  if (!by_queue && count > 0) {
    return invalid_parameter(
        redrive_allow_name, text,
        std::string(refused) + ". You can specify source queue ARNs only when the permission type is byQueue.");
  }
  text = to_text(read);
  out.redrive_allow = std::move(read);
  return std::nullopt;
}

/// The value of that name; nullptr if it is absent or empty.
std::string* given(StringMap& attributes, std::string_view name) {
  const auto found = attributes.find(std::string(name));
  return found == attributes.end() || found->second.empty() ? nullptr : &found->second;
}

// ---- Policy

constexpr std::string_view statement_member = "Statement";

bool is_labelled(simdjson::dom::element statement, std::string_view label) {
  std::string_view sid;
  return statement["Sid"].get(sid) == simdjson::SUCCESS && sid == label;
}

/// A document may have a single statement in place of a list of them.
std::vector<simdjson::dom::element> statements_of(simdjson::dom::element policy) {
  std::vector<simdjson::dom::element> statements;
  simdjson::dom::element found;
  if (policy[statement_member].get(found) != simdjson::SUCCESS) return statements;
  if (!found.is_array()) return {found};
  for (const simdjson::dom::element statement : simdjson::dom::array(found)) statements.push_back(statement);
  return statements;
}

/// One value stands alone, several in a list.
void write_values(JsonSink& sink, const std::vector<std::string>& values, std::string_view before,
                  std::string_view after) {
  const auto write = [&](std::string_view text) {
    std::string whole(before);
    sink.value(whole.append(text).append(after));
  };
  if (values.size() == 1) return write(values.front());
  sink.open_array();
  for (const std::string& text : values) write(text);
  sink.close_array();
}

void write_statement(JsonSink& sink, const std::string& queue_arn, const Permission& permission) {
  sink.open();
  sink.key("Sid");
  sink.value(permission.label);
  sink.key("Effect");
  sink.value("Allow");
  sink.key("Principal");
  sink.open();
  sink.key("AWS");
  write_values(sink, permission.accounts, "arn:aws:iam::", ":root");
  sink.close();
  sink.key("Action");
  write_values(sink, permission.actions, "SQS:", {});
  sink.key("Resource");
  sink.value(queue_arn);
  sink.close();
}

std::string new_policy(const std::string& queue_arn, const Permission& permission) {
  JsonSink sink;
  sink.open();
  sink.key("Version");
  sink.value("2008-10-17");
  sink.key("Id");
  sink.value(queue_arn + "/SQSDefaultPolicy");
  sink.key(statement_member);
  sink.open_array();
  write_statement(sink, queue_arn, permission);
  sink.close_array();
  sink.close();
  return sink.take();
}

/// The document with other statements, which `write_statements` writes where they stood, or at the end.
template <class WriteStatements>
std::string rewrite(simdjson::dom::element policy, WriteStatements&& write_statements) {
  JsonSink sink;
  sink.open();
  bool written = false;
  const auto write = [&] {
    if (std::exchange(written, true)) return;  // The reader takes the first of two members with the same name.
    sink.key(statement_member);
    sink.open_array();
    write_statements(sink);
    sink.close_array();
  };
  for (const auto [name, value] : simdjson::dom::object(policy)) {
    if (name == statement_member) {
      write();
    } else {
      sink.key(name);
      sink.copy(value);
    }
  }
  write();
  sink.close();
  return sink.take();
}

Error invalid_label(std::string_view label, std::string_view reason) {
  return invalid_parameter("Label", label, reason);
}

}  // namespace

Refusal take_policies(const QueueName& queue, StringMap& attributes, PoliciesTaken& out) {
  if (const std::string* text = given(attributes, policy_name)) {
    if (std::holds_alternative<Error>(parse_json(*text))) return invalid_value(policy_name, {});
  }
  if (std::string* text = given(attributes, redrive_name)) {
    if (Refusal refusal = take_redrive(queue, *text, out)) return refusal;
  }
  if (std::string* text = given(attributes, redrive_allow_name)) return take_redrive_allow(*text, out);
  return std::nullopt;
}

std::variant<std::string, Error> add_permission(const std::string& policy, const std::string& queue_arn,
                                                const Permission& permission) {
  if (policy.empty()) return new_policy(queue_arn, permission);
  const auto parsed = parse_json(policy);
  const auto* document = std::get_if<JsonSource>(&parsed);
  if (document == nullptr) return invalid_value(policy_name, {});
  const auto statements = statements_of(document->element());
  const auto same = [&](simdjson::dom::element statement) { return is_labelled(statement, permission.label); };
  if (std::ranges::any_of(statements, same)) return invalid_label(permission.label, "Already exists.");
  return rewrite(document->element(), [&](JsonSink& sink) {
    for (const simdjson::dom::element statement : statements) sink.copy(statement);
    write_statement(sink, queue_arn, permission);
  });
}

std::variant<std::string, Error> remove_permission(const std::string& policy, std::string_view label) {
  const auto parsed = parse_json(policy);
  const auto* document = std::get_if<JsonSource>(&parsed);
  if (document == nullptr) return invalid_label(label, "can't find label.");
  auto statements = statements_of(document->element());
  const auto labelled = [&](simdjson::dom::element statement) { return is_labelled(statement, label); };
  if (std::erase_if(statements, labelled) == 0) return invalid_label(label, "can't find label.");
  if (statements.empty()) return std::string();
  return rewrite(document->element(), [&](JsonSink& sink) {
    for (const simdjson::dom::element statement : statements) sink.copy(statement);
  });
}

}  // namespace penstock::protocol::sqs
