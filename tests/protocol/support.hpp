// What the tests of the protocols share: requests as a client would send them, and commands written out as text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view request_id = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
inline constexpr std::string_view queue_url = "http://localhost:4566/000000000000/q";

struct Request {
  std::string method = "POST";
  std::string target = "/";
  Headers headers{{"Host", "localhost:4566"}};
  std::string body;

  Request& with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

/// With each `@{n}` replaced by n times `x`. What is large stands so in the lists of cases, of which every test's
/// process makes several copies before it begins.
std::string spelled_out(std::string_view text);

Request json_request(std::string_view operation, std::string body);
Request query_request(std::string body, std::string target = "/");

/// Runs prepare(); the request's memory is gone once it returns, as a session's would be.
Prepared prepare_request(const Request& request, const ServiceContext& context = {});

/// The command that a request becomes, or nothing (and a failure of the test) if it is refused.
Command command_of(const Request& request);

/// All that is asked of the engine before the request can be answered, as text: the preconditions, then the command.
std::string asked_of(const Request& request);

/// How the call ends if its preconditions are answered so, one after the other: with an error, or with nothing where
/// the command would be asked. Preconditions without an answer of their own get `Done`.
std::optional<Error> objection_of(const Request& request, std::vector<Result> answers);

/// The answer to a request that is refused without asking the engine.
WireResponse refusal_of(const Request& request);

/// The answer to a request, once the engine's result is `result`.
WireResponse answer_of(const Request& request, Result result);

/// Status and body: "404 {...}".
std::string status_and_body(const WireResponse& response);

/// The first header of that name; empty if there is none.
std::string header_of(const WireResponse& response, std::string_view name);

/// All that a command says, in one line.
std::string to_text(const Command& command);

/// A JSON error's answer.
std::string json_error(int status, std::string_view type, std::string_view message);
/// A Query error's answer.
std::string query_error(int status, std::string_view code, std::string_view message, std::string_view fault = "Sender");

/// A message with that body and its sum, sent by AKID at 1'700'000'000'123.
StoredMessage stored_message(std::string body);
Delivery delivery_of(StoredMessage message, std::string handle);

}  // namespace penstock::protocol::testing
