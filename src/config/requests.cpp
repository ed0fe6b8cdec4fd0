#include "config/requests.hpp"

namespace penstock::config {

namespace {

Request targeted(std::string_view prefix, std::string_view operation, std::string_view version, const Value& input) {
  return {"POST",
          "/",
          {{"X-Amz-Target", std::string(prefix).append(operation)},
           {"Content-Type", "application/x-amz-json-" + std::string(version)}},
          to_json(input)};
}

}  // namespace

protocol::WireRequest as_received(const Request& request, std::vector<protocol::Header>& headers) {
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  protocol::WireRequest wire;
  wire.method = request.method;
  wire.target = request.target;
  wire.headers = headers;
  wire.body = request.body;
  return wire;
}

Request sqs_request(std::string_view operation, const Value& input) {
  return targeted("AmazonSQS.", operation, "1.0", input);
}

Request kinesis_request(std::string_view operation, const Value& input) {
  return targeted("Kinesis_20131202.", operation, "1.1", input);
}

Request rest_request(std::string method, std::string target, const Value& input) {
  return {std::move(method), std::move(target), {{"Content-Type", "application/json"}}, to_json(input)};
}

Request rest_request(std::string method, std::string target) { return {std::move(method), std::move(target)}; }

Value content_of(const Answer& answer) { return from_json(answer.body).value_or(map_value()); }

std::string message_of(const Answer& answer) {
  const Value content = content_of(answer);
  for (const char* name : {"message", "Message"}) {
    if (std::string text = content.text_of(name); !text.empty()) return text;
  }
  for (const char* name : {"__type", "Error"}) {
    if (std::string text = content.text_of(name); !text.empty()) return text;
  }
  return answer.body.empty() ? "the server answered " + std::to_string(answer.status) : answer.body;
}

}  // namespace penstock::config
