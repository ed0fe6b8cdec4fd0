#include "protocol/sqs/peek.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "protocol/caller.hpp"
#include "protocol/decode.hpp"
#include "protocol/json.hpp"
#include "protocol/query.hpp"
#include "protocol/sqs/arn.hpp"
#include "protocol/sqs/call.hpp"
#include "protocol/sqs/receive_operation.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

constexpr std::string_view root = "/_aws/sqs/messages";
constexpr std::string_view answered_as = ReceiveMessageOperation::name;
constexpr std::string_view json_target = "AmazonSQS.ReceiveMessage";
constexpr std::string_view plain_json = "application/json";

struct PeekRequest {
  std::optional<std::string> queue_url;
  std::optional<bool> show_invisible;
  std::optional<bool> show_delayed;

  static constexpr auto shape() {
    using Self = PeekRequest;
    return Shape("PeekRequest", optional("QueueUrl", &Self::queue_url),
                 optional("ShowInvisible", &Self::show_invisible), optional("ShowDelayed", &Self::show_delayed));
  }
};

bool accepts_json(const WireRequest& request) {
  std::string_view accepted = request.header("Accept");
  for (; !accepted.empty(); accepted.remove_prefix(1)) {
    if (starts_with_ignoring_case(accepted, plain_json)) return true;
  }
  return false;
}

/// The parameters of the URL and of a form, and the members of a JSON body.
Refusal read(const WireRequest& request, bool json_body, PeekRequest& input) {
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string_view query = request.target.substr(std::min(mark + 1, request.target.size()));
  const auto form = Form::parse(query, json_body || request.method != "POST" ? std::string_view() : request.body);
  if (const Error* error = std::get_if<Error>(&form)) return *error;
  const std::string_view action = std::get<Form>(form).find("Action").value_or(answered_as);
  if (action != answered_as) {
    return Error{ErrorCode::InvalidAction, "The action " + std::string(action) + " is not valid for this endpoint."};
  }
  if (Refusal refusal = read_members(QuerySource(std::get<Form>(form)), input)) return refusal;
  if (!json_body) return std::nullopt;
  const std::string_view target = request.header("X-Amz-Target");
  if (!target.empty() && target != json_target) {
    return Error{ErrorCode::UnknownOperation,
                 "The operation " + std::string(target) + " is not valid for this endpoint."};
  }
  const auto body = parse_json(request.body);
  if (const Error* error = std::get_if<Error>(&body)) return *error;
  return read_members(std::get<JsonSource>(body), input);
}

/// The queue of `<region>/<account>/<queue>`.
std::optional<QueueName> queue_of_path(std::string_view path) {
  std::array<std::string, 3> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const std::size_t end = last ? path.size() : path.find('/');
    if (end == std::string_view::npos || !percent_decode(path.substr(0, end), false, parts.at(i))) return std::nullopt;
    path.remove_prefix(last ? end : end + 1);
  }
  return queue_of_arn("arn:aws:sqs:" + parts[0] + ":" + parts[1] + ":" + parts[2]);
}

std::variant<QueueName, Error> queue_of_request(std::string_view path, const PeekRequest& input, const Caller& caller) {
  path.remove_prefix(root.size());
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty()) {
    if (!input.queue_url || input.queue_url->empty()) return missing_parameter("QueueUrl");
    return queue_of(*input.queue_url, caller);
  }
  if (auto queue = queue_of_path(path)) return std::move(*queue);
  return Error{ErrorCode::InvalidAddress, "The address " + std::string(path) + " is not valid for this endpoint."};
}

std::variant<PeekMessages, Error> command_of(const WireRequest& request, const ServiceContext& context,
                                             bool json_body) {
  PeekRequest input;
  if (Refusal refusal = read(request, json_body, input)) return std::move(*refusal);
  PeekMessages command;
  command.invisible = input.show_invisible.value_or(false);
  command.delayed = input.show_delayed.value_or(false);
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  auto queue = queue_of_request(path, input, caller_of(request, context, {}));
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  command.queue = std::get<QueueName>(std::move(queue));
  return command;
}

/// Who asked for JSON by Accept gets what was asked for.
WireResponse with_content_type(WireResponse response, bool as_plain_json) {
  if (as_plain_json) response.content_type = plain_json;
  return response;
}

WireResponse tell(const Reply& reply, const ReceiveMessageOperation::Kept& kept, Result&& result) {
  if (const Error* error = std::get_if<Error>(&result)) return respond_fault(reply, *error);
  auto* peeked = std::get_if<PeekedMessages>(&result);
  if (peeked == nullptr) return respond_fault(reply, unexpected_result());
  for (Delivery& delivery : peeked->messages) delivery.receipt_handle = peek_receipt_handle;
  return respond_with(reply, answered_as, tell_messages(peeked->messages, kept));
}

}  // namespace

bool is_peek_path(std::string_view path) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

Prepared prepare_peek(const WireRequest& request, const ServiceContext& context, bool speaks_json) {
  const bool json_body = speaks_json && request.method == "POST";
  const bool as_plain_json = !json_body && accepts_json(request);
  Reply reply{json_body || as_plain_json ? Wire::json : Wire::query, std::string(request.request_id)};
  if (request.method != "POST" && request.method != "GET") return respond_no_operation(reply);
  auto command = command_of(request, context, json_body);
  if (const Error* error = std::get_if<Error>(&command)) {
    return with_content_type(respond_fault(reply, *error), as_plain_json);
  }
  ReceiveMessageOperation::Kept kept;
  kept.system_attributes.fill(true);
  kept.prefixes.emplace_back();
  kept.fifo = is_fifo(std::get<PeekMessages>(command).queue.name);
  PreparedCall prepared;
  prepared.operation = "PeekMessages";
  prepared.command = std::get<PeekMessages>(std::move(command));
  prepared.respond = [reply = std::move(reply), kept = std::move(kept), as_plain_json](Result&& result) {
    return with_content_type(tell(reply, kept, std::move(result)), as_plain_json);
  };
  return prepared;
}

}  // namespace penstock::protocol::sqs
