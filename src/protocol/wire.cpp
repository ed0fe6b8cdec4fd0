// Which protocol and operation a request means. What follows from there is the operation's own business.
#include "protocol/wire.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "protocol/caller.hpp"
#include "protocol/cbor.hpp"
#include "protocol/endpoint.hpp"
#include "protocol/faults.hpp"
#include "protocol/json.hpp"
#include "protocol/kinesis/operations.hpp"
#include "protocol/lambda/operations.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/query.hpp"
#include "protocol/refusal.hpp"
#include "protocol/reply.hpp"
#include "protocol/sqs/operations.hpp"
#include "protocol/sqs/peek.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

constexpr std::string_view sqs_target_prefix = "AmazonSQS.";
constexpr std::string_view kinesis_target_prefix = "Kinesis_20131202.";

/// The target without its query, and the query.
std::pair<std::string_view, std::string_view> split_target(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  return {target.substr(0, mark), target.substr(std::min(mark + 1, target.size()))};
}

Error unknown_operation(std::string_view target) {
  std::string message = "The operation ";
  message.append(target).append(" is not known to this service.");
  return {ErrorCode::UnknownOperation, std::move(message)};
}

Error invalid_action(std::string_view action) {
  std::string message = "The action ";
  message.append(action).append(" is not valid for this endpoint.");
  return {ErrorCode::InvalidAction, std::move(message)};
}

Prepared prepare_sqs(const WireRequest& request, const ServiceContext& context, Reply reply) {
  const std::string_view target = request.header("X-Amz-Target");
  const bool for_sqs = target.starts_with(sqs_target_prefix);
  const sqs::Operation* operation = for_sqs ? sqs::find_operation(target.substr(sqs_target_prefix.size())) : nullptr;
  if (operation == nullptr) return respond_fault(reply, unknown_operation(target));
  auto parsed = parse_json(request.body);
  if (const Error* error = std::get_if<Error>(&parsed)) return respond_fault(reply, *error);
  const sqs::Call call{std::get<JsonSource>(parsed), std::nullopt, caller_of(request, context, {}), std::move(reply)};
  return operation->prepare(call);
}

Prepared prepare_kinesis(const WireRequest& request, const ServiceContext& context, Reply reply) {
  const std::string_view target = request.header("X-Amz-Target");
  const bool named = target.starts_with(kinesis_target_prefix);
  const kinesis::Operation* operation =
      named ? kinesis::find_operation(target.substr(kinesis_target_prefix.size())) : nullptr;
  if (operation == nullptr) return respond_fault(reply, unknown_operation(target));
  Caller caller = caller_of(request, context, {});
  if (request.consumer) {
    auto reader = reader_of(*request.consumer);
    if (const Error* error = std::get_if<Error>(&reader)) return respond_fault(reply, *error);
    caller.reader = std::get<GroupReader>(std::move(reader));
  }
  const auto prepare_from = [&](auto&& parsed) -> Prepared {
    if (const Error* error = std::get_if<Error>(&parsed)) return respond_fault(reply, *error);
    const kinesis::Call call{std::get<0>(parsed), caller, reply};
    return operation->prepare(call);
  };
  if (reply.wire == Wire::cbor) return prepare_from(parse_cbor(request.body));
  return prepare_from(parse_json(request.body));
}

Prepared prepare_query(const WireRequest& request, const ServiceContext& context, Reply reply) {
  const auto [path, url_query] = split_target(request.target);
  const bool posted = request.method == "POST";
  auto parsed = Form::parse(url_query, posted ? request.body : std::string_view());
  if (const Error* error = std::get_if<Error>(&parsed)) return respond_fault(reply, *error);
  const Form& form = std::get<Form>(parsed);
  const std::string_view action = form.find("Action").value_or(std::string_view());
  if (action.empty()) return respond_no_operation(reply);
  const sqs::Operation* operation = sqs::find_operation(action);
  if (operation == nullptr) return respond_fault(reply, invalid_action(action));

  const std::string_view credential = form.find("X-Amz-Credential").value_or(std::string_view());
  const Caller caller = caller_of(request, context, credential);
  std::string implied_url;
  if (is_queue_path(path)) {
    if (!operation->on_queue) return respond_fault(reply, invalid_action(action));
    implied_url = base_url_of(caller).append(path);
  }
  sqs::Call call{QuerySource(form), std::nullopt, caller, std::move(reply)};
  if (!implied_url.empty()) call.implied_queue_url = implied_url;
  return operation->prepare(call);
}

}  // namespace

Reply reply_to(const WireRequest& request) {
  if (native::is_path(split_target(request.target).first)) {
    return {Wire::json, std::string(request.request_id), Service::penstock};
  }
  if (lambda::is_path(split_target(request.target).first)) {
    return {Wire::json, std::string(request.request_id), Service::lambda};
  }
  const std::string_view target = request.header("X-Amz-Target");
  const std::string_view type = request.header("Content-Type");
  const bool cbor = starts_with_ignoring_case(type, "application/x-amz-cbor");
  const bool json =
      starts_with_ignoring_case(type, "application/x-amz-json") || starts_with_ignoring_case(type, "application/json");
  // SQS has no CBOR, and JSON only in the version before.
  const bool for_kinesis = target.starts_with(kinesis_target_prefix) ||
                           (!target.starts_with(sqs_target_prefix) &&
                            (cbor || starts_with_ignoring_case(type, "application/x-amz-json-1.1")));
  Reply reply{Wire::query, std::string(request.request_id)};
  if (for_kinesis) reply.service = Service::kinesis;
  if (json || !target.empty()) reply.wire = Wire::json;
  if (cbor && for_kinesis) reply.wire = Wire::cbor;
  return reply;
}

std::string_view WireRequest::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const Header& header) { return equal_ignoring_case(header.name, name); });
  return found == headers.end() ? std::string_view() : found->value;
}

Prepared prepare(const WireRequest& given, const ServiceContext& context) {
  const WireRequest request = at_plain_endpoint(given);
  Reply reply = reply_to(request);
  if (reply.service == Service::penstock) return native::prepare(request, context, std::move(reply));
  if (reply.service == Service::lambda) return lambda::prepare(request, context, std::move(reply));
  if (sqs::is_peek_path(split_target(request.target).first)) {
    return sqs::prepare_peek(request, context, reply.wire == Wire::json);
  }
  const bool has_target = !request.header("X-Amz-Target").empty();
  if (!has_target && request.method != "POST" && request.method != "GET") {
    reply.wire = Wire::query;
    return respond_no_operation(reply);
  }
  if (!has_target && reply.wire != Wire::query) {
    return respond_fault(reply, {ErrorCode::UnknownOperation, "The request must contain the header X-Amz-Target."});
  }
  if (reply.service == Service::kinesis) return prepare_kinesis(request, context, std::move(reply));
  if (has_target) return prepare_sqs(request, context, std::move(reply));
  return prepare_query(request, context, std::move(reply));
}

bool carries_code(const WireRequest& head) {
  const WireRequest request = at_plain_endpoint(head);
  return lambda::carries_code(request.method, split_target(request.target).first);
}

WireResponse respond_error(const WireRequest& request, const Error& error) {
  return respond_fault(reply_to(at_plain_endpoint(request)), error);
}

WireResponse respond_named_error(const WireRequest& request, int status, std::string_view code,
                                 std::string_view message) {
  return respond_named_fault(reply_to(at_plain_endpoint(request)), status, code, message);
}

}  // namespace penstock::protocol
