// One HTTP exchange as the protocols see it, whatever carried it (HTTP/1.1 or HTTP/2, over TCP or TLS).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/time.hpp"
#include "penstock/trigger_commands.hpp"

namespace penstock {
struct ServerCommand;
struct ServerResult;
}  // namespace penstock

namespace penstock::protocol {

struct Header {
  std::string_view name;
  std::string_view value;
};

/// Views into the session's buffers: valid while the request is being prepared, not after.
struct WireRequest {
  std::string_view method;  ///< upper case
  std::string_view target;  ///< path and query as they were sent
  std::span<const Header> headers;
  std::string_view body;
  std::string_view request_id;  ///< UUID that the answer carries as x-amzn-RequestId
  bool secure = false;          ///< came over TLS
  Instant now{};                ///< when it arrived, from which tokens and iterators expire
  /// What its endpoint names, as it was sent: `name` or `name/member`. at_plain_endpoint() finds it.
  std::optional<std::string_view> consumer{};

  /// The first header of that name, whatever its case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

struct WireResponse {
  int status = 200;
  std::string content_type;  ///< not sent if empty
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

/// Something that has to hold before a call's command is asked, and that another queue's shard, or all of them, know.
struct Precondition {
  Command command;  ///< ListQueues is asked of every shard, others of the shard of their queue
  /// The error with which the call ends, if `result` is not as it has to be. Sees the command's errors too. May be
  /// empty: then only an error ends the call, and is its answer.
  std::function<std::optional<Error>(const Result& result)> objection;
  /// If it holds, what comes after this need not be asked. May be empty.
  std::function<bool(const Result& result)> settles_rest{};
};

/// How an answer goes on that is a stream of events: what each of them is on the wire.
struct EventFeed {
  std::function<std::string(RecordsPage&& page)> event;      ///< the page's records have been read
  std::function<std::string(const Error& error)> exception;  ///< the last one
};

/// A request that was understood: what to ask the engine and how to word its answer.
struct PreparedCall {
  std::string_view operation;        ///< a name from the operation table, such as "SendMessage", for logs and metrics
  std::vector<Precondition> before;  ///< asked one after the other
  Command command;
  /// REQUIRES: called once; the result's deliveries have their messages. Refers to nothing of the request.
  std::function<WireResponse(Result&&)> respond;
  /// The stream is named by its id: the server looks up what it is called and sets the command's `stream`.
  std::optional<StreamId> stream_id{};
  /// Of SubscribeToShard: where the result is Subscribed, the answer of `respond` is the head of a stream of events.
  std::optional<EventFeed> feed{};
};

/// The same of a request about functions and mappings, which the trigger engine answers.
struct PreparedTriggerCall {
  std::string_view operation;  ///< a name from the operation table, such as "CreateFunction", for logs and metrics
  TriggerCommand command;
  /// REQUIRES: called once. Refers to nothing of the request.
  std::function<WireResponse(TriggerResult&&)> respond;
};

/// The same of a request about the server as a whole.
struct PreparedServerCall {
  std::string_view operation;  ///< a name from the operation table, such as "ChangeClock", for logs and metrics
  std::shared_ptr<const ServerCommand> command;
  /// REQUIRES: called once. Refers to nothing of the request.
  std::function<WireResponse(ServerResult&&)> respond;
};

/// Either the whole answer (an error, mostly) or a call.
using Prepared = std::variant<WireResponse, PreparedCall, PreparedTriggerCall, PreparedServerCall>;

/// What the protocols need to know of the server.
struct ServiceContext {
  std::string account = "000000000000";  ///< where the request's credentials name none
  std::string region = "us-east-1";      ///< where the request's credential scope names none
};

/// Understands a request of any of the services or of Penstock's own API, at an endpoint that names a consumer or at
/// the plain one. Never throws on account of its input; bounded in time and memory by the size of the body, which the
/// session has bounded before.
Prepared prepare(const WireRequest& request, const ServiceContext& context);

/// Whether a request with this head carries the code of a function, and so may be larger than others.
bool carries_code(const WireRequest& head);

/// The answer to a request for which the server itself has no place (503) or which it could not read (4xx), worded in
/// the protocol the request seems to speak.
WireResponse respond_error(const WireRequest& request, const Error& error);

/// The same of an error that is in no table, such as one that somebody has the server answer with.
WireResponse respond_named_error(const WireRequest& request, int status, std::string_view code,
                                 std::string_view message);

}  // namespace penstock::protocol
