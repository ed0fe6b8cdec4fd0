// Who asks, and how the server is reached: what a request says apart from its operation.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/groups.hpp"
#include "penstock/ids.hpp"
#include "penstock/time.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {

/// The sender of messages whose request carries no credentials. Has the form of a user's id.
inline constexpr std::string_view anonymous_principal = "AIDAPENSTOCKLOCALUSER";

/// The account, region and principal come from the credentials, as far as there are any; signatures are not looked at
/// here. Views into the request.
struct Caller {
  std::string_view account;
  std::string_view region;
  std::string_view principal = anonymous_principal;
  std::string_view host;          ///< with its port, as the client called the server; never empty
  std::string_view trace_header;  ///< X-Amzn-Trace-Id; empty if there is none
  std::string_view request_id;    ///< what the answer carries as x-amzn-RequestId
  bool https = false;
  Instant now{};                        ///< when the request arrived
  std::optional<GroupReader> reader{};  ///< of Kinesis: whom the request's endpoint names
};

/// `form_credential` is the X-Amz-Credential of the URL or the form, empty if there is none.
Caller caller_of(const WireRequest& request, const ServiceContext& context, std::string_view form_credential);

/// `http://host:port`, under which the client reaches the server.
std::string base_url_of(const Caller& caller);

/// `http://host:port/account/name`
std::string queue_url_of(std::string_view base_url, const QueueName& queue);

/// The queue that a QueueUrl names: the path its account and name, the host perhaps a region; or a bare name.
std::variant<QueueName, Error> queue_of(std::string_view queue_url, const Caller& caller);

/// Whether a path is that of a queue: /<account>/<name>.
bool is_queue_path(std::string_view path);

}  // namespace penstock::protocol
