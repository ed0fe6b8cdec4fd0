#include "protocol/authentication.hpp"

#include <array>
#include <cstddef>
#include <string_view>

#include "penstock/errors.hpp"
#include "protocol/endpoint.hpp"
#include "protocol/faults.hpp"
#include "protocol/refusal.hpp"
#include "protocol/reply.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

constexpr int status_bad_request = 400;
constexpr int status_unauthorized = 401;
constexpr int status_forbidden = 403;

// In the order of SignatureFault. The types are those of the framework below the services, the codes those of the Query
// protocol; the statuses are SQS's, as "Common Errors" in its API reference has them.
constexpr std::array faults{
    Fault{ErrorCode::AccessDenied, "com.amazon.coral.service#MissingAuthenticationTokenException",
          "MissingAuthenticationToken", status_forbidden, true, "Missing Authentication Token",
          "Request is missing Authentication Token"},
    Fault{ErrorCode::AccessDenied,
          "com.amazon.coral.service#IncompleteSignatureException",
          "IncompleteSignature",
          status_bad_request,
          true,
          "The request signature does not conform to AWS standards.",
          {}},
    Fault{ErrorCode::AccessDenied,
          "com.amazon.coral.service#UnrecognizedClientException",
          "InvalidClientTokenId",
          status_forbidden,
          true,
          "The security token included in the request is invalid.",
          {}},
    Fault{ErrorCode::AccessDenied,
          "com.amazon.coral.service#InvalidSignatureException",
          "SignatureDoesNotMatch",
          status_forbidden,
          true,
          "The request signature we calculated does not match the signature you provided.",
          {}},
};

std::string_view scope_name(Service service) {
  switch (service) {
    case Service::sqs:
      return "sqs";
    case Service::kinesis:
      return "kinesis";
    case Service::lambda:
      return "lambda";
    case Service::penstock:
      break;
  }
  return {};
}

/// Of the JSON services Kinesis answers each client's fault with 400, and Lambda those of signatures with 403.
int status_of(const Fault& fault, Service service) {
  if (service == Service::kinesis) return status_bad_request;
  if (service == Service::lambda) return status_forbidden;
  return fault.status;
}

/// What a client sent may be quoted in it.
std::string sendable(const std::string& message) {
  return is_utf8(message) ? with_message_characters(message) : std::string();
}

WireResponse challenge(WireResponse response) {
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"penstock\"");
  return response;
}

WireResponse respond_native(const Reply& reply, SignatureFault fault, const std::string& message,
                            const std::string& also) {
  const std::string_view name = faults.at(static_cast<std::size_t>(fault)).query_code;
  if (fault != SignatureFault::missing) {
    return respond_native_fault(reply, fault == SignatureFault::incomplete ? status_bad_request : status_forbidden,
                                name, message);
  }
  std::string wanted = "The request has to be signed with one of this server's keys";
  if (!also.empty()) wanted.append(", or ").append(also);
  return challenge(respond_native_fault(reply, status_unauthorized, name, wanted.append(".")));
}

}  // namespace

std::optional<WireResponse> authenticate(const WireRequest& request, const SecretOf& secret_of, SigningKeys& keys,
                                         std::chrono::sys_seconds now, const std::string& also) {
  const Reply reply = reply_to(at_plain_endpoint(request));
  const auto refusal = check_signature(request, scope_name(reply.service), secret_of, keys, now);
  if (!refusal) return std::nullopt;
  const std::string message = sendable(refusal->message);
  if (reply.service == Service::penstock) return respond_native(reply, refusal->fault, message, also);
  Fault fault = faults.at(static_cast<std::size_t>(refusal->fault));
  fault.status = status_of(fault, reply.service);
  // A missing one is worded as each protocol words it.
  return respond_fault(reply, fault, refusal->fault == SignatureFault::missing ? std::string() : message);
}

WireResponse respond_unauthorized(const WireRequest& request, const std::string& message) {
  return challenge(respond_error(request, {ErrorCode::Unauthorized, message}));
}

}  // namespace penstock::protocol
