// Which protocol and operation a request means. What follows from there is the operation's own business.
#include "protocol/wire.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "protocol/caller.hpp"
#include "protocol/faults.hpp"
#include "protocol/json.hpp"
#include "protocol/query.hpp"
#include "protocol/reply.hpp"
#include "protocol/sqs/operations.hpp"
#include "protocol/sqs/peek.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

constexpr std::string_view sqs_target_prefix = "AmazonSQS.";

bool speaks_json(const WireRequest& request) {
  return !request.header("X-Amz-Target").empty() ||
         starts_with_ignoring_case(request.header("Content-Type"), "application/x-amz-json") ||
         starts_with_ignoring_case(request.header("Content-Type"), "application/json");
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

/// The target without its query, and the query.
std::pair<std::string_view, std::string_view> split_target(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  return {target.substr(0, mark), target.substr(std::min(mark + 1, target.size()))};
}

Prepared prepare_json(const WireRequest& request, const ServiceContext& context, Reply reply) {
  const std::string_view target = request.header("X-Amz-Target");
  const bool for_sqs = target.starts_with(sqs_target_prefix);
  const sqs::Operation* operation = for_sqs ? sqs::find_operation(target.substr(sqs_target_prefix.size())) : nullptr;
  if (operation == nullptr) return respond_fault(reply, unknown_operation(target));
  auto parsed = parse_json(request.body);
  if (const Error* error = std::get_if<Error>(&parsed)) return respond_fault(reply, *error);
  const sqs::Call call{std::get<JsonSource>(parsed), std::nullopt, caller_of(request, context, {}), std::move(reply)};
  return operation->prepare(call);
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

std::string_view WireRequest::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const Header& header) { return equal_ignoring_case(header.name, name); });
  return found == headers.end() ? std::string_view() : found->value;
}

Prepared prepare(const WireRequest& request, const ServiceContext& context) {
  if (sqs::is_peek_path(split_target(request.target).first)) {
    return sqs::prepare_peek(request, context, speaks_json(request));
  }
  Reply reply{Wire::query, std::string(request.request_id)};
  if (!request.header("X-Amz-Target").empty()) {
    reply.wire = Wire::json;
    return prepare_json(request, context, std::move(reply));
  }
  if (request.method != "POST" && request.method != "GET") return respond_no_operation(reply);
  if (speaks_json(request)) {
    reply.wire = Wire::json;
    return respond_fault(reply, {ErrorCode::UnknownOperation, "The request must contain the header X-Amz-Target."});
  }
  return prepare_query(request, context, std::move(reply));
}

WireResponse respond_error(const WireRequest& request, const Error& error) {
  const Reply reply{speaks_json(request) ? Wire::json : Wire::query, std::string(request.request_id)};
  return respond_fault(reply, error);
}

}  // namespace penstock::protocol
