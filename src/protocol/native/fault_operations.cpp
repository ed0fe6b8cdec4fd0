#include "protocol/native/fault_operations.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/encode.hpp"
#include "protocol/json.hpp"
#include "protocol/native/read.hpp"
#include "protocol/nearest.hpp"
#include "protocol/operation_names.hpp"
#include "protocol/times.hpp"

namespace penstock::protocol::native {

namespace {

template <class C>
AskedServer ask_server(C command) {
  return std::make_shared<const ServerCommand>(ServerCommand{std::move(command)});
}

std::optional<Error> read_latency(std::string_view member, const std::optional<std::string>& given, Millis max,
                                  Millis& out) {
  if (!given) return std::nullopt;
  const auto length = parse_duration(*given);
  if (!length) {
    return invalid_request(std::string(member) + " is a length of time such as 200ms, not '" + *given + "'.");
  }
  if (*length > max) {
    return invalid_request(std::string(member) + " is at most " + std::to_string(max.count()) + "ms.");
  }
  out = *length;
  return std::nullopt;
}

constexpr int usual_status = 503;
constexpr std::string_view usual_code = "ServiceUnavailable";
constexpr std::string_view usual_message = "A fault that was asked for.";
constexpr std::string_view receiving_service = "sqs";
constexpr std::string_view receiving_operation = "ReceiveMessage";

/// Of a rule that names an operation which no request is of.
std::optional<Error> objection_to_operation(const FaultRule& rule) {
  if (rule.operation.empty()) return std::nullopt;
  std::vector<std::string_view> meant;
  for (const std::string_view service : values::fault_service) {
    const std::vector<std::string_view> names = operations_of(service);
    const bool is_there = std::ranges::find(names, rule.operation) != names.end();
    if (rule.service.empty() || rule.service == service) {
      if (is_there) return std::nullopt;
      meant.insert(meant.end(), names.begin(), names.end());
    }
  }
  for (const std::string_view service : values::fault_service) {
    const std::vector<std::string_view> names = operations_of(service);
    if (std::ranges::find(names, rule.operation) == names.end()) continue;
    return invalid_request("operation '" + rule.operation + "' is none of " + rule.service + ": it is one of " +
                           std::string(service) + ".");
  }
  std::string text = "operation '" + rule.operation + "' is none of " +
                     (rule.service.empty() ? std::string("sqs, kinesis or lambda") : rule.service) + '.';
  const auto nearest = nearest_of(rule.operation, std::span<const std::string_view>(meant));
  if (nearest) text += " Is " + std::string(*nearest) + " meant?";
  return invalid_request(std::move(text));
}

/// A rule that is of no receive, though what it does is done to receives alone.
std::optional<Error> objection_to_disorder(const FaultRule& rule) {
  if (!rule.duplicate && !rule.reorder) return std::nullopt;
  const bool may_be = (rule.service.empty() || rule.service == receiving_service) &&
                      (rule.operation.empty() || rule.operation == receiving_operation);
  if (may_be) return std::nullopt;
  return invalid_request(std::string(rule.duplicate ? "duplicate" : "reorder") +
                         " is of what a ReceiveMessage of sqs delivers, and of no other operation or service.");
}

/// It goes into headers, and into documents of several kinds.
bool is_code(std::string_view code) {
  return std::ranges::all_of(code, [](char c) { return c > ' ' && c <= '~'; });
}

/// A rule that would do nothing, or two things of which only one can be done, or is of no request, is a mistake.
std::optional<Error> objection_to(const FaultRule& rule) {
  const bool has_effect = rule.error || rule.throttle || rule.latency > Millis{0} || rule.duplicate || rule.reorder ||
                          rule.commit_latency > Millis{0};
  if (!has_effect) {
    return invalid_request(
        "What the rule says of error, throttle, latency, duplicate, reorder and commit_latency comes to nothing.");
  }
  if (rule.error && !is_code(rule.error->code)) {
    return invalid_request("code is of printable ASCII characters without spaces.");
  }
  if (auto error = objection_to_operation(rule)) return error;
  if (auto error = objection_to_disorder(rule)) return error;
  if (rule.error && rule.throttle) return invalid_request("A rule has either error or throttle.");
  const bool is_answered = rule.error || rule.throttle;
  if (is_answered && (rule.duplicate || rule.reorder)) {
    return invalid_request(
        "What is answered with an error delivers nothing: neither duplicate nor reorder goes with it.");
  }
  const bool has_choice = !rule.service.empty() || !rule.operation.empty() || !rule.region.empty() ||
                          !rule.resource.empty() || rule.count || rule.probability < 1;
  const bool is_of_requests = is_answered || rule.latency > Millis{0} || rule.duplicate || rule.reorder;
  if (rule.commit_latency > Millis{0} && (has_choice || is_of_requests)) {
    return invalid_request("commit_latency is of every commit, and goes with no other member but id.");
  }
  return std::nullopt;
}

std::variant<FaultRule, Error> rule_of(FaultRuleShape& given) {
  FaultRule rule;
  rule.id = std::move(given.id).value_or("");
  rule.service = std::move(given.service).value_or("");
  rule.operation = std::move(given.operation).value_or("");
  rule.region = std::move(given.region).value_or("");
  rule.resource = std::move(given.resource).value_or("");
  rule.probability = given.probability.value_or(1);
  if (!(rule.probability >= 0 && rule.probability <= 1)) return invalid_request("probability is from 0 to 1.");
  if (given.seed) rule.seed = static_cast<std::uint64_t>(*given.seed);
  rule.count = given.count;
  if (given.error) {
    rule.error = FaultError{given.error->status_code.value_or(usual_status),
                            std::move(given.error->code).value_or(std::string(usual_code)),
                            std::move(given.error->message).value_or(std::string(usual_message))};
  }
  rule.throttle = given.throttle.value_or(false);
  rule.duplicate = given.duplicate.value_or(false);
  rule.reorder = given.reorder.value_or(false);
  if (auto error = read_latency("latency", given.latency, fault_limits::latency_max, rule.latency)) return *error;
  if (auto error =
          read_latency("commit_latency", given.commit_latency, fault_limits::commit_latency_max, rule.commit_latency)) {
    return *error;
  }
  const bool says_nothing =
      !given.error && !given.throttle && !given.latency && !given.duplicate && !given.reorder && !given.commit_latency;
  // So LocalStack has it.
  if (says_nothing) rule.error = FaultError{usual_status, std::string(usual_code), std::string(usual_message)};
  if (auto error = objection_to(rule)) return *error;
  // What is for receives alone looks at nothing else, so that its count and its chances are of these.
  if ((rule.duplicate || rule.reorder) && rule.latency == Millis{0}) {
    rule.service = receiving_service;
    rule.operation = receiving_operation;
  }
  return rule;
}

std::variant<std::vector<FaultRule>, Error> rules_of(AddFaultsInput& input) {
  std::vector<FaultRule> rules;
  for (FaultRuleShape& given : *input.rules) {
    auto rule = rule_of(given);
    if (auto* error = std::get_if<Error>(&rule)) return std::move(*error);
    rules.push_back(std::get<FaultRule>(std::move(rule)));
  }
  return rules;
}

AskedServer add(AddFaultsInput& input, bool replace) {
  auto rules = rules_of(input);
  if (auto* error = std::get_if<Error>(&rules)) return std::move(*error);
  return ask_server(AddFaults{std::get<std::vector<FaultRule>>(std::move(rules)), replace});
}

AskedServer remove_like(AddFaultsInput& input) {
  auto rules = rules_of(input);
  if (auto* error = std::get_if<Error>(&rules)) return std::move(*error);
  return ask_server(RemoveFaults{{}, std::get<std::vector<FaultRule>>(std::move(rules))});
}

std::optional<std::string> given_text(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}
std::optional<bool> given_flag(bool flag) { return flag ? std::optional(true) : std::nullopt; }
std::optional<std::string> given_time(Millis length) {
  return length > Millis{0} ? std::optional(std::to_string(length.count()) + "ms") : std::nullopt;
}

Told<FaultListOutput> listed(const ServerResult& result) {
  const auto* list = std::get_if<FaultList>(&result);
  if (list == nullptr) return unexpected_result();
  FaultListOutput output;
  auto& rules = output.rules.emplace();
  for (const auto& [rule, hits] : list->rules) {
    FaultRuleShape& each = rules.emplace_back();
    each.id = rule.id;
    each.service = given_text(rule.service);
    each.operation = given_text(rule.operation);
    each.region = given_text(rule.region);
    each.resource = given_text(rule.resource);
    if (rule.probability < 1) each.probability = rule.probability;
    if (rule.seed) each.seed = static_cast<std::int64_t>(*rule.seed);
    each.count = rule.count;
    if (rule.error) each.error = FaultErrorShape{rule.error->status, rule.error->code, rule.error->message};
    each.throttle = given_flag(rule.throttle);
    each.latency = given_time(rule.latency);
    each.duplicate = given_flag(rule.duplicate);
    each.reorder = given_flag(rule.reorder);
    each.commit_latency = given_time(rule.commit_latency);
    each.hits = hits;
  }
  return output;
}

}  // namespace

AskedServer ListFaultsOperation::to_command(Input& /*input*/, const Caller& /*caller*/, Kept& /*kept*/) {
  return ask_server(ListFaults{});
}
Told<FaultListOutput> ListFaultsOperation::to_output(ServerResult&& result, Kept& /*kept*/) { return listed(result); }

AskedServer AddFaultsOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  return add(input, false);
}
AskedServer ReplaceFaultsOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  return add(input, true);
}
Told<FaultListOutput> AddFaultsOperation::to_output(ServerResult&& result, Kept& /*kept*/) { return listed(result); }

AskedServer RemoveFaultsOperation::to_command(Input& /*input*/, const Caller& /*caller*/, Kept& /*kept*/) {
  return ask_server(RemoveFaults{});
}
Told<FaultListOutput> RemoveFaultsOperation::to_output(ServerResult&& result, Kept& /*kept*/) { return listed(result); }

AskedServer RemoveFaultOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  return ask_server(RemoveFaults{std::move(input.id)});
}
Told<FaultListOutput> RemoveFaultOperation::to_output(ServerResult&& result, Kept& /*kept*/) { return listed(result); }

namespace {

/// The list alone, as LocalStack has it.
WireResponse respond_chaos(const Reply& reply, const ServerResult& result) {
  if (const auto* error = std::get_if<Error>(&result)) return respond_fault(reply, *error);
  const auto told = listed(result);
  if (const auto* error = std::get_if<Error>(&told)) return respond_fault(reply, *error);
  JsonSink sink;
  write_value(sink, Names{}, *std::get<FaultListOutput>(told).rules);
  return respond(reply, status_ok, sink.take());
}

Prepared prepare_with_list(std::string_view operation, AskedServer asked, const Call& call) {
  if (const auto* error = std::get_if<Error>(&asked)) return respond_fault(call.reply, *error);
  PreparedServerCall prepared{operation, std::get<std::shared_ptr<const ServerCommand>>(std::move(asked)), {}};
  prepared.respond = [reply = call.reply](ServerResult&& result) { return respond_chaos(reply, result); };
  return prepared;
}

}  // namespace

std::optional<Prepared> prepare_chaos(std::string_view method, const Call& call) {
  if (method == "GET") return prepare_with_list(ListFaultsOperation::name, ask_server(ListFaults{}), call);
  const bool removes = method == "DELETE";
  if (removes && call.body.empty()) {
    return prepare_with_list(RemoveFaultsOperation::name, ask_server(RemoveFaults{}), call);
  }
  if (!removes && method != "POST" && method != "PATCH") return std::nullopt;
  AddFaultsInput input;
  if (const Refusal refusal = ReadsInput::read(call, input)) return respond_fault(call.reply, *refusal);
  if (removes) return prepare_with_list(RemoveFaultsOperation::name, remove_like(input), call);
  const bool replaces = method == "POST";
  return prepare_with_list(replaces ? ReplaceFaultsOperation::name : AddFaultsOperation::name, add(input, replaces),
                           call);
}

}  // namespace penstock::protocol::native
