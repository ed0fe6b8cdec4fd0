#include "protocol/support.hpp"

#include <gtest/gtest.h>

#include "protocol/digests.hpp"

namespace penstock::protocol::testing {
namespace {

std::string to_text(const QueueName& queue) { return queue.account + "/" + queue.region + "/" + queue.name; }

std::string to_text(const StringMap& map) {
  std::string text = "{";
  for (const auto& [key, value] : map) text += (text.size() > 1 ? ", " : "") + key + "=" + value;
  return text + "}";
}

std::string to_text(const std::vector<std::string>& list) {
  std::string text = "[";
  for (const std::string& item : list) text += (text.size() > 1 ? ", " : "") + item;
  return text + "]";
}

std::string to_text(const OutgoingMessage& message) {
  const MessageContent& content = message.content;
  std::string text = "(" + content.body + " md5=" + to_hex(content.body_md5).substr(0, 8);
  for (const MessageAttribute& attribute : content.attributes) {
    text += " " + attribute.name + ":" + attribute.data_type + "=";
    text += attribute.is_binary() ? std::to_string(attribute.value.size()) + " bytes" : attribute.value;
  }
  if (!content.trace_header.empty()) text += " trace=" + content.trace_header;
  if (!content.group_id.empty()) text += " group=" + content.group_id;
  if (!content.deduplication_id.empty()) text += " dedup=" + content.deduplication_id;
  if (!message.body_sha256.empty()) text += " sha256=" + message.body_sha256.substr(0, 8);
  if (message.delay_seconds) text += " delay=" + std::to_string(*message.delay_seconds);
  return text + " sender=" + content.sender_id + " bytes=" + std::to_string(message.bytes) + ")";
}

/// What a command says of dead letters beside the text of its attributes.
template <class C>
std::string policies_of(const C& command) {
  std::string text;
  if (command.redrive) {
    text += " redrive=" + command.redrive->target_arn + "*" + std::to_string(command.redrive->max_receive_count);
  }
  if (command.redrive_allow) {
    text += " allow=" + std::to_string(static_cast<int>(command.redrive_allow->permission)) +
            to_text(command.redrive_allow->source_arns);
  }
  return text;
}

struct CommandText {
  std::string operator()(const CreateQueue& c) const {
    return "CreateQueue " + to_text(c.queue) + " " + to_text(c.attributes) + " tags=" + to_text(c.tags) +
           policies_of(c);
  }
  std::string operator()(const LookupQueue& c) const { return "LookupQueue " + to_text(c.queue); }
  std::string operator()(const ListQueues& c) const {
    return "ListQueues " + c.account + "/" + c.region + " prefix=" + c.prefix + " after=" + c.after +
           " limit=" + std::to_string(c.limit) +
           (c.dead_letter_target_arn.empty() ? "" : " target=" + c.dead_letter_target_arn);
  }
  std::string operator()(const DeleteQueue& c) const { return "DeleteQueue " + to_text(c.queue); }
  std::string operator()(const GetQueueAttributes& c) const {
    return "GetQueueAttributes " + to_text(c.queue) + " " + to_text(c.names);
  }
  std::string operator()(const SetQueueAttributes& c) const {
    return "SetQueueAttributes " + to_text(c.queue) + " " + to_text(c.attributes) + policies_of(c);
  }
  std::string operator()(const CheckRedriveTarget& c) const {
    return "CheckRedriveTarget " + to_text(c.queue) + " of " + to_text(c.source) + " " + c.policy;
  }
  std::string operator()(const TagQueue& c) const { return "TagQueue " + to_text(c.queue) + " " + to_text(c.tags); }
  std::string operator()(const UntagQueue& c) const { return "UntagQueue " + to_text(c.queue) + " " + to_text(c.keys); }
  std::string operator()(const ListQueueTags& c) const { return "ListQueueTags " + to_text(c.queue); }
  /// With what becomes of a queue that has no policy.
  std::string operator()(const EditPolicy& c) const {
    const auto edited = c.edit({}, "arn:q");
    const auto* error = std::get_if<Error>(&edited);
    return "EditPolicy " + to_text(c.queue) + " " + (error != nullptr ? error->message : std::get<std::string>(edited));
  }
  std::string operator()(const StartMessageMoveTask& c) const {
    return "StartMessageMoveTask " + to_text(c.queue) + " to " + (c.destination ? to_text(*c.destination) : "sources") +
           " rate=" + std::to_string(c.per_second);
  }
  std::string operator()(const ListMessageMoveTasks& c) const {
    return "ListMessageMoveTasks " + to_text(c.queue) + " limit=" + std::to_string(c.limit);
  }
  std::string operator()(const CancelMessageMoveTask& c) const {
    return "CancelMessageMoveTask " + to_text(c.queue) + " " + c.task_id;
  }
  std::string operator()(const PeekMessages& c) const {
    return "PeekMessages " + to_text(c.queue) + (c.invisible ? " invisible" : "") + (c.delayed ? " delayed" : "");
  }
  std::string operator()(const PurgeQueue& c) const { return "PurgeQueue " + to_text(c.queue); }
  std::string operator()(const SendMessages& c) const {
    std::string text = "SendMessages " + to_text(c.queue) + (c.batch ? " batch" : "");
    for (const OutgoingMessage& message : c.messages) text += " " + to_text(message);
    return text;
  }
  std::string operator()(const ReceiveMessages& c) const {
    std::string text = "ReceiveMessages " + to_text(c.queue) + " max=" + std::to_string(c.max_messages);
    if (c.visibility_seconds) text += " visibility=" + std::to_string(*c.visibility_seconds);
    if (c.wait_seconds) text += " wait=" + std::to_string(*c.wait_seconds);
    if (!c.attempt_id.empty()) text += " attempt=" + c.attempt_id;
    return text;
  }
  std::string operator()(const DeleteMessages& c) const {
    return "DeleteMessages " + to_text(c.queue) + " " + to_text(c.receipt_handles);
  }
  std::string operator()(const ChangeVisibility& c) const {
    std::string text = "ChangeVisibility " + to_text(c.queue);
    for (const VisibilityChange& change : c.changes) {
      text += " " + change.receipt_handle + "=" + std::to_string(change.timeout_seconds);
    }
    return text;
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "a command that no request should become";
  }
};

}  // namespace

std::string to_text(const Command& command) { return std::visit(CommandText{}, command); }

std::string spelled_out(std::string_view text) {
  constexpr std::string_view begin = "@{";
  std::string out;
  for (std::size_t at = text.find(begin); at != std::string_view::npos; at = text.find(begin)) {
    const std::size_t end = text.find('}', at);
    out.append(text.substr(0, at));
    out.append(std::stoul(std::string(text.substr(at + begin.size(), end - at - begin.size()))), 'x');
    text.remove_prefix(end + 1);
  }
  return out.append(text);
}

Request json_request(std::string_view operation, std::string body) {
  Request request;
  request.body = std::move(body);
  return request.with("Content-Type", "application/x-amz-json-1.0")
      .with("X-Amz-Target", "AmazonSQS." + std::string(operation));
}

Request query_request(std::string body, std::string target) {
  Request request;
  request.target = std::move(target);
  request.body = std::move(body);
  return request.with("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
}

Prepared prepare_request(const Request& request, const ServiceContext& context) {
  // A copy that dies here: under the sanitizer, whoever keeps a view of it is found out.
  const auto copy = std::make_unique<Request>(request);
  std::vector<Header> headers;
  headers.reserve(copy->headers.size());
  for (const auto& [name, value] : copy->headers) headers.push_back({name, value});
  const std::string id(request_id);
  return prepare({copy->method, copy->target, headers, copy->body, id}, context);
}

Command command_of(const Request& request) {
  Prepared prepared = prepare_request(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) {
    ADD_FAILURE() << "refused: " << response->body;
    return {};
  }
  return std::get<PreparedCall>(std::move(prepared)).command;
}

std::string asked_of(const Request& request) {
  const Prepared prepared = prepare_request(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return "refused: " + response->body;
  const auto& call = std::get<PreparedCall>(prepared);
  std::string text;
  for (const Precondition& precondition : call.before) text += to_text(precondition.command) + "; ";
  return text + to_text(call.command);
}

std::optional<Error> objection_of(const Request& request, std::vector<Result> answers) {
  const Prepared prepared = prepare_request(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) {
    ADD_FAILURE() << "refused: " << response->body;
    return std::nullopt;
  }
  const auto& call = std::get<PreparedCall>(prepared);
  answers.resize(call.before.size(), Done{});
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& objection = call.before[i].objection;
    if (objection) {
      if (auto error = objection(answers[i])) return error;
    } else if (const auto* error = std::get_if<Error>(&answers[i])) {
      return *error;
    }
    if (call.before[i].settles_rest && call.before[i].settles_rest(answers[i])) break;
  }
  return std::nullopt;
}

WireResponse refusal_of(const Request& request) {
  Prepared prepared = prepare_request(request);
  if (const auto* call = std::get_if<PreparedCall>(&prepared)) {
    ADD_FAILURE() << "accepted: " << to_text(call->command);
    return {};
  }
  return std::get<WireResponse>(std::move(prepared));
}

WireResponse answer_of(const Request& request, Result result) {
  Prepared prepared = prepare_request(request);
  if (auto* response = std::get_if<WireResponse>(&prepared)) {
    ADD_FAILURE() << "refused: " << response->body;
    return std::move(*response);
  }
  return std::get<PreparedCall>(prepared).respond(std::move(result));
}

std::string status_and_body(const WireResponse& response) {
  return std::to_string(response.status) + " " + response.body;
}

std::string header_of(const WireResponse& response, std::string_view name) {
  for (const auto& [header, value] : response.headers) {
    if (header == name) return value;
  }
  return {};
}

std::string json_error(int status, std::string_view type, std::string_view message) {
  std::string text = std::to_string(status) + R"( {"__type":")";
  return text.append(type).append(R"(","message":")").append(message).append("\"}");
}

std::string query_error(int status, std::string_view code, std::string_view message, std::string_view fault) {
  std::string text = std::to_string(status) + R"( <?xml version="1.0"?><ErrorResponse )";
  text.append(R"(xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>)").append(fault);
  text.append("</Type><Code>").append(code).append("</Code><Message>").append(message);
  return text.append("</Message><Detail/></Error><RequestId>")
      .append(request_id)
      .append("</RequestId></ErrorResponse>");
}

StoredMessage stored_message(std::string body) {
  StoredMessage message;
  message.message_id = "0b8b3f1e-5a0a-4b7e-9b39-0d1a3c1f2e4d";
  message.sent = from_epoch_ms(1'700'000'000'123);
  message.content.body_md5 = md5_of(body);
  message.content.body = std::move(body);
  message.content.sender_id = "AKID";
  return message;
}

Delivery delivery_of(StoredMessage message, std::string handle) {
  Delivery delivery;
  delivery.sequence = {7};
  delivery.receipt_handle = std::move(handle);
  delivery.receive_count = 2;
  delivery.first_received = from_epoch_ms(1'700'000'001'000);
  delivery.message = std::make_shared<const StoredMessage>(std::move(message));
  return delivery;
}

}  // namespace penstock::protocol::testing
