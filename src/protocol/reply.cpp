#include "protocol/reply.hpp"

#include <utility>

#include "protocol/faults.hpp"
#include "protocol/refusal.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

constexpr const char* query_namespace = "http://queue.amazonaws.com/doc/2012-11-05/";

/// Errors may quote what was no UTF-8 in a header or in the URL; an answer is UTF-8 all the same.
std::string as_utf8(std::string_view text) {
  std::string safe(text);
  if (!is_utf8(safe)) {
    for (char& c : safe) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return safe;
}

/// What the members of an error are called, and its Reason, if it has one.
struct FaultNames {
  std::string_view type = "__type";
  std::string_view message = "message";
  std::string_view reason{};
};

template <Sink S>
std::string fault_body(std::string_view type, std::string_view message, FaultNames names = {}) {
  S sink;
  sink.open_structure({}, names.reason.empty() ? 2 : 3);
  if (!names.reason.empty()) {
    sink.member({.json = "Reason"});
    sink.string({}, names.reason);
  }
  sink.member({.json = names.type});
  sink.string({}, type);
  sink.member({.json = names.message});
  sink.string({}, message);
  sink.close_structure();
  return sink.take();
}

std::string query_fault(const Reply& reply, bool sender, std::string_view code, std::string_view message) {
  pugi::xml_document document;
  pugi::xml_node root = XmlSink::append(document, "ErrorResponse");
  root.append_attribute("xmlns").set_value(query_namespace);
  const pugi::xml_node error = XmlSink::append(root, "Error");
  XmlSink::append_text(error, "Type", sender ? "Sender" : "Receiver");
  XmlSink::append_text(error, "Code", code);
  XmlSink::append_text(error, "Message", message);
  XmlSink::append(error, "Detail");
  XmlSink::append_text(root, "RequestId", reply.request_id);
  return to_string(document);
}

std::string_view content_type_of(const Reply& reply) {
  switch (reply.wire) {
    case Wire::query:
      return "text/xml";
    case Wire::cbor:
      return "application/x-amz-cbor-1.1";
    case Wire::json:
      break;
  }
  switch (reply.service) {
    case Service::lambda:
    case Service::penstock:
      return "application/json";
    case Service::kinesis:
      return "application/x-amz-json-1.1";
    case Service::sqs:
      break;
  }
  return "application/x-amz-json-1.0";
}

}  // namespace

WireResponse respond(const Reply& reply, int status, std::string body) {
  WireResponse response;
  response.status = status;
  const bool needs_body = reply.service == Service::penstock || reply.service == Service::lambda;
  if (!body.empty() || !needs_body) response.content_type = content_type_of(reply);
  response.headers.emplace_back("x-amzn-RequestId", reply.request_id);
  response.body = std::move(body);
  return response;
}

namespace {

/// Some of the errors of Lambda's model have a Message and some a message, and clients read what their model says.
std::string_view message_member_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::LambdaResourceNotFound:
    case ErrorCode::LambdaResourceInUse:
    case ErrorCode::LambdaInvalidRuntime:
    case ErrorCode::LambdaInvalidZipFile:
    case ErrorCode::LambdaServiceException:
    case ErrorCode::LambdaAccessDenied:
      return "Message";
    default:
      return "message";
  }
}

WireResponse respond_lambda_fault(const Reply& reply, const Fault& fault, const std::string& message) {
  const FaultNames names{"Type", message_member_of(fault.code), fault.reason};
  constexpr int status_not_found = 404;
  // Where operations are paths, one that there is not is a path that there is not.
  const int status = fault.code == ErrorCode::UnknownOperation ? status_not_found : fault.status;
  WireResponse response =
      respond(reply, status, fault_body<JsonSink>(fault.sender ? "User" : "Service", message, names));
  response.headers.emplace_back("x-amzn-ErrorType", fault.short_type());
  return response;
}

}  // namespace

WireResponse respond_fault(const Reply& reply, const Error& error) {
  return respond_fault(reply, fault_of(error.code), error.message);
}

WireResponse respond_fault(const Reply& reply, const Fault& fault, std::string_view given) {
  if (reply.wire == Wire::query) {
    const std::string_view usual = fault.query_message.empty() ? fault.message : fault.query_message;
    const std::string message = as_utf8(given.empty() ? usual : given);
    return respond(reply, fault.status, query_fault(reply, fault.sender, fault.query_code, message));
  }
  const std::string message = as_utf8(given.empty() ? fault.message : given);
  if (reply.service == Service::penstock) {
    const NativeFault native = native_fault_of(fault.code);
    return respond_native_fault(reply, native.status, native.name, message);
  }
  if (reply.service == Service::lambda) return respond_lambda_fault(reply, fault, message);
  if (reply.service == Service::kinesis) {
    const std::string_view type = fault.short_type();
    return respond(
        reply, fault.status,
        reply.wire == Wire::cbor ? fault_body<CborSink>(type, message) : fault_body<JsonSink>(type, message));
  }
  WireResponse response = respond(reply, fault.status, fault_body<JsonSink>(fault.json_type, message));
  std::string query_error(fault.query_code);
  query_error.append(fault.sender ? ";Sender" : ";Receiver");
  response.headers.emplace_back("x-amzn-query-error", std::move(query_error));
  return response;
}

WireResponse respond_named_fault(const Reply& reply, int status, std::string_view code, std::string_view message) {
  constexpr int first_of_receiver = 500;
  const bool sender = status < first_of_receiver;
  if (reply.wire == Wire::query) return respond(reply, status, query_fault(reply, sender, code, message));
  if (reply.service == Service::penstock) return respond_native_fault(reply, status, code, message);
  if (reply.service == Service::lambda) {
    const FaultNames names{"Type", "Message", {}};
    WireResponse response = respond(reply, status, fault_body<JsonSink>(sender ? "User" : "Service", message, names));
    response.headers.emplace_back("x-amzn-ErrorType", code);
    return response;
  }
  WireResponse response =
      respond(reply, status,
              reply.wire == Wire::cbor ? fault_body<CborSink>(code, message) : fault_body<JsonSink>(code, message));
  if (reply.service == Service::sqs) {
    response.headers.emplace_back("x-amzn-query-error", std::string(code) + (sender ? ";Sender" : ";Receiver"));
  }
  return response;
}

WireResponse respond_native_fault(const Reply& reply, int status, std::string_view name, std::string_view message) {
  return respond(reply, status, fault_body<JsonSink>(name, as_utf8(message), {"Error", "Message"}));
}

WireResponse respond_no_operation(const Reply& reply) {
  constexpr int not_found = 404;
  return respond(reply, not_found, "<UnknownOperationException/>");
}

void begin_query_answer(QueryAnswer& answer, std::string_view operation, bool has_output) {
  const std::string name(operation);
  answer.root = XmlSink::append(answer.document, name + "Response");
  answer.root.append_attribute("xmlns").set_value(query_namespace);
  if (has_output) answer.result = XmlSink::append(answer.root, name + "Result");
}

std::string end_query_answer(QueryAnswer& answer, const Reply& reply) {
  const pugi::xml_node metadata = XmlSink::append(answer.root, "ResponseMetadata");
  XmlSink::append_text(metadata, "RequestId", reply.request_id);
  return to_string(answer.document);
}

}  // namespace penstock::protocol
