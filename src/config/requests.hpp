// What is asked of a server, over the network or within it, and what it answers.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/value.hpp"
#include "protocol/wire.hpp"

namespace penstock::config {

struct Request {
  std::string method;
  std::string target;  ///< path and query
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

struct Answer {
  int status = 0;
  std::string body;

  bool is_success() const { return status >= 200 && status < 300; }
};

/// The request as a session would hand it in: views of it, and of `headers`, which is filled.
protocol::WireRequest as_received(const Request& request, std::vector<protocol::Header>& headers);

/// Asks and waits for the answer. Throws what its maker says where there is none.
using Ask = std::function<Answer(const Request& request)>;

// Of the services.

Request sqs_request(std::string_view operation, const Value& input);
Request kinesis_request(std::string_view operation, const Value& input);
/// Of Lambda's, or of Penstock's own.
Request rest_request(std::string method, std::string target, const Value& input);
Request rest_request(std::string method, std::string target);

/// What an answer says; a map without members where it is no JSON.
Value content_of(const Answer& answer);
/// What an answer says that is no success.
std::string message_of(const Answer& answer);

}  // namespace penstock::config
