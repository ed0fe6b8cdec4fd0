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

constexpr Names invisible_name{"ShowInvisible", "ShowInvisible"};
constexpr Names delayed_name{"ShowDelayed", "ShowDelayed"};

struct PeekRequest {
  std::optional<std::string> queue_url;
  bool show_invisible = false;
  bool show_delayed = false;

  static constexpr auto shape() { return Shape("PeekRequest", optional("QueueUrl", &PeekRequest::queue_url)); }
};

/// Tools write it as their language does: True, true or 1. Whatever else it may be is no.
template <Source S>
bool flag_of(const S& value) {
  bool flag = false;
  std::string text;
  if (!value.present() || !value.boolean(flag)) return flag;
  return !value.string(text) && (equal_ignoring_case(text, "true") || text == "1");
}

template <Source S>
Refusal read_parameters(const S& source, PeekRequest& input) {
  if (Refusal refusal = read_members(source, input)) return refusal;
  input.show_invisible = input.show_invisible || flag_of(source.member(invisible_name));
  input.show_delayed = input.show_delayed || flag_of(source.member(delayed_name));
  return std::nullopt;
}

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
  if (Refusal refusal = read_parameters(QuerySource(std::get<Form>(form)), input)) return refusal;
  if (!json_body) return std::nullopt;
  const std::string_view target = request.header("X-Amz-Target");
  if (!target.empty() && target != json_target) {
    return Error{ErrorCode::UnknownOperation,
                 "The operation " + std::string(target) + " is not valid for this endpoint."};
  }
  const auto body = parse_json(request.body);
  if (const Error* error = std::get_if<Error>(&body)) return *error;
  return read_parameters(std::get<JsonSource>(body), input);
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
    if (!input.queue_url || input.queue_url->empty()) return Error{ErrorCode::QueueDoesNotExist, {}};
    return queue_of(*input.queue_url, caller);
  }
  if (auto queue = queue_of_path(path)) return std::move(*queue);
  return Error{ErrorCode::InvalidAddress, "The address " + std::string(path) + " is not valid for this endpoint."};
}

/// Which marks the client asked for, by what it wants to see.
struct PeekMarks {
  bool invisible = false;
  bool delayed = false;
};

std::variant<PeekMessages, Error> command_of(const WireRequest& request, const ServiceContext& context,
                                             bool json_body) {
  PeekRequest input;
  if (Refusal refusal = read(request, json_body, input)) return std::move(*refusal);
  PeekMessages command;
  command.invisible = input.show_invisible;
  command.delayed = input.show_delayed;
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  auto queue = queue_of_request(path, input, caller_of(request, context, {}));
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  command.queue = std::get<QueueName>(std::move(queue));
  return command;
}

/// An element of an XML answer as JSON: elements of one name are a list where there are several.
void write_element(JsonSink& sink, pugi::xml_node element) {
  if (element.first_child().type() == pugi::node_pcdata) return sink.value(element.text().get());
  sink.open();
  for (pugi::xml_node child = element.first_child(); child; child = child.next_sibling()) {
    if (pugi::xml_node(child.previous_sibling(child.name()))) continue;
    sink.key(child.name());
    const bool several = static_cast<bool>(child.next_sibling(child.name()));
    if (several) sink.open_array();
    for (pugi::xml_node same = child; same; same = same.next_sibling(child.name())) write_element(sink, same);
    if (several) sink.close_array();
  }
  sink.close();
}

/// Who asks for JSON by Accept gets the XML answer in that form, errors included, since that is what the tools expect
/// that look into queues at this address.
WireResponse in_form(WireResponse response, bool as_plain_json) {
  if (!as_plain_json) return response;
  pugi::xml_document document;
  if (!document.load_buffer(response.body.data(), response.body.size(), pugi::parse_default | pugi::parse_ws_pcdata)) {
    return response;
  }
  JsonSink sink;
  write_element(sink, document);
  response.body = sink.take();
  response.content_type = plain_json;
  return response;
}

/// Adds what only a look tells.
void mark(const Delivery& delivery, const PeekMarks& marks, ReceivedMessage& out) {
  auto& entries = out.attributes.emplace(std::move(out.attributes).value_or(ReceivedMessage::Attributes())).entries;
  const auto add = [&](std::string_view name, std::string value) { entries.emplace_back(name, std::move(value)); };
  if (delivery.receive_count == 0) add("ApproximateFirstReceiveTimestamp", "0");
  using Presence = Delivery::Presence;
  if (marks.invisible) add("IsVisible", delivery.presence == Presence::invisible ? "false" : "true");
  if (marks.delayed) add("IsDelayed", delivery.presence == Presence::delayed ? "true" : "false");
}

WireResponse tell(const Reply& reply, const ReceiveMessageOperation::Kept& kept, const PeekMarks& marks,
                  Result&& result) {
  if (const Error* error = std::get_if<Error>(&result)) return respond_fault(reply, *error);
  auto* peeked = std::get_if<PeekedMessages>(&result);
  if (peeked == nullptr) return respond_fault(reply, unexpected_result());
  std::vector<Delivery>& deliveries = peeked->messages;
  std::erase_if(deliveries, [](const Delivery& delivery) { return delivery.message == nullptr; });
  for (Delivery& delivery : deliveries) delivery.receipt_handle = peek_receipt_handle;
  ReceiveMessageResult told = tell_messages(deliveries, kept);
  for (std::size_t i = 0; i < deliveries.size(); ++i) mark(deliveries[i], marks, told.messages->at(i));
  return respond_with<SqsWires>(reply, answered_as, told);
}

}  // namespace

bool is_peek_path(std::string_view path) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

Prepared prepare_peek(const WireRequest& request, const ServiceContext& context, bool speaks_json) {
  const bool json_body = speaks_json && request.method == "POST";
  const bool as_plain_json = !json_body && accepts_json(request);
  Reply reply{json_body ? Wire::json : Wire::query, std::string(request.request_id)};
  if (request.method != "POST" && request.method != "GET") return respond_no_operation(reply);
  auto command = command_of(request, context, json_body);
  if (const Error* error = std::get_if<Error>(&command)) {
    return in_form(respond_fault(reply, *error), as_plain_json);
  }
  ReceiveMessageOperation::Kept kept;
  kept.system_attributes.fill(true);
  kept.prefixes.emplace_back();
  kept.fifo = is_fifo(std::get<PeekMessages>(command).queue.name);
  const PeekMarks marks{std::get<PeekMessages>(command).invisible, std::get<PeekMessages>(command).delayed};
  PreparedCall prepared;
  prepared.operation = "PeekMessages";
  prepared.command = std::get<PeekMessages>(std::move(command));
  prepared.respond = [reply = std::move(reply), kept = std::move(kept), marks, as_plain_json](Result&& result) {
    return in_form(tell(reply, kept, marks, std::move(result)), as_plain_json);
  };
  return prepared;
}

}  // namespace penstock::protocol::sqs
