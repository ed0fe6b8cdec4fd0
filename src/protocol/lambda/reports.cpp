// What destinations are told: of batches of streams that are given up, and of asynchronous invokes that are over.
#include <optional>
#include <string>
#include <string_view>

#include "penstock/stream_names.hpp"
#include "protocol/json.hpp"
#include "protocol/lambda/events.hpp"
#include "protocol/lambda/json_text.hpp"

namespace penstock::protocol::lambda {
namespace {

/// Of ErrorMessage, as the service cuts it.
constexpr std::size_t error_message_bytes_max = 1'024;
constexpr std::string_view status_of_answers = "200";

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out.push_back(',');
  append_quoted(out, name);
  out.push_back(':');
  append_quoted(out, value);
}

void append_request_context(std::string& out, const FailedInvocation& invocation) {
  out.append(R"("requestContext":{)");
  append_member(out, "requestId", invocation.request_id);
  append_member(out, "functionArn", invocation.function_arn);
  append_member(out, "condition", invocation.condition);
  out.append(R"(,"approximateInvokeCount":)").append(std::to_string(invocation.invoke_count)).append("}");
}

void append_function_error(std::string& out, std::string_view function_error) {
  out.append(R"(,"functionError":)");
  if (function_error.empty()) {
    out.append("null");
  } else {
    append_quoted(out, function_error);
  }
}

constexpr std::string_view response_context = R"("responseContext":{"statusCode":200,"executedVersion":"$LATEST")";

/// JSON as it was given; what is none, as a string.
void append_payload(std::string& out, std::string_view payload) {
  if (payload.empty()) {
    out.append("null");
  } else if (is_json(payload)) {
    out.append(payload);
  } else {
    append_quoted(out, payload);
  }
}

void append_batch_info(std::string& out, const BatchFailure& failure) {
  out.append(R"("KinesisBatchInfo":{)");
  append_member(out, "shardId", failure.shard_id);
  append_member(out, "startSequenceNumber", failure.first_sequence_number);
  append_member(out, "endSequenceNumber", failure.last_sequence_number);
  append_member(out, "approximateArrivalOfFirstRecord", iso_millis(failure.first_arrived));
  append_member(out, "approximateArrivalOfLastRecord", iso_millis(failure.last_arrived));
  out.append(R"(,"batchSize":)").append(std::to_string(failure.batch_size));
  append_member(out, "streamArn", arn_of(failure.stream));
  out.push_back('}');
}

/// errorMessage of what a function that failed has answered.
std::string error_message_in(std::string_view payload) {
  thread_local JsonReader reader(json_content_depth_max);
  simdjson::dom::element answer;
  std::string_view message;
  if (payload.empty() || reader.read(payload).get(answer) != simdjson::SUCCESS) return std::string(payload);
  if (answer["errorMessage"].get_string().get(message) != simdjson::SUCCESS) return std::string(payload);
  return std::string(message);
}

/// Not within a character.
void cut(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
}

}  // namespace

std::string report_of(const BatchFailure& failure) {
  std::string out = "{";
  append_request_context(out, failure.invocation);
  if (failure.invocation.responded) {
    out.append(",").append(response_context);
    append_function_error(out, failure.invocation.function_error);
    out.append("}");
  }
  append_member(out, "version", "1.0");
  append_member(out, "timestamp", iso_millis(failure.at));
  out.push_back(',');
  append_batch_info(out, failure);
  out.push_back('}');
  return out;
}

std::string report_of(const AsyncEnd& end) {
  if (end.plain) return end.request_payload;
  std::string out = "{";
  append_member(out, "version", "1.0");
  append_member(out, "timestamp", iso_millis(end.at));
  out.push_back(',');
  append_request_context(out, end.invocation);
  out.append(R"(,"requestPayload":)");
  append_payload(out, end.request_payload);
  if (end.invocation.responded) {
    out.append(",").append(response_context);
    // A function that succeeded has none, unlike a batch whose items failed.
    if (!end.invocation.function_error.empty()) append_function_error(out, end.invocation.function_error);
    out.append(R"(},"responsePayload":)");
    append_payload(out, end.response_payload);
  }
  out.push_back('}');
  return out;
}

std::vector<MessageAttribute> attributes_of(const AsyncEnd& end) {
  std::string message = error_message_in(end.response_payload);
  if (message.empty()) message = end.invocation.condition;
  cut(message, error_message_bytes_max);
  std::vector<MessageAttribute> attributes;
  attributes.push_back({"ErrorCode", "Number", std::string(status_of_answers)});
  if (!message.empty()) attributes.push_back({"ErrorMessage", "String", std::move(message)});
  attributes.push_back({"RequestID", "String", end.invocation.request_id});
  return attributes;
}

}  // namespace penstock::protocol::lambda
