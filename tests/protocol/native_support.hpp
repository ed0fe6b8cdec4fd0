// What the tests of Penstock's own API share: requests, and commands about consumers with positions as text.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {

/// `path` is what follows /_penstock/streams/s/consumers.
Request native_request(std::string_view method, std::string_view path, std::string body = {});

/// The command that a request becomes, or "refused: " and status and body.
std::string native_asked(const Request& request);
/// Status and body of the answer.
std::string native_answer(const Request& request, Result result);
/// The same where the request is refused.
std::string native_refusal(const Request& request);
/// "400 {"Error":"InvalidRequest","Message":"..."}"
std::string native_error(std::string_view name, std::string_view message, int status = 400);
std::string invalid_request_error(std::string_view message);

/// One request and what becomes of it.
struct NativeCase {
  std::string name;  ///< the operation's, with what is special about the case behind a slash
  std::string method;
  std::string path;
  std::string body;
  std::string asked;
  std::function<Result()> result;
  std::string answer;

  std::string operation() const { return name.substr(0, name.find('/')); }
  Request request() const { return native_request(method, path, body); }
  friend void PrintTo(const NativeCase& golden, std::ostream* out) { *out << golden.name; }
};

/// At least one of each operation.
std::vector<NativeCase> native_cases();

/// Of shard 1, at its third record, held by m.
GroupShard group_shard();
/// A poll's answer: a batch of two records, one without any that ends its shard, and one that was not read.
GroupPolled group_polled();

}  // namespace penstock::protocol::testing
