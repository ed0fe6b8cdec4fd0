// The API of consumers as a client sees it: requests from what a member wants, and what their answers say. No I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/json.hpp"
#include "penstock/client.hpp"
#include "protocol/percent.hpp"
#include "protocol/shape.hpp"

namespace penstock::client {

/// Which consumer is spoken of.
struct Address {
  std::string stream;
  std::string consumer;  ///< empty where all of the stream are meant
  std::string region;    ///< empty: the server's
  std::string account;   ///< empty: the server's
};

using protocol::percent_encode;

namespace detail {

/// As a path or a query has it.
inline std::string parameter_text(const std::string& value) { return percent_encode(value); }
inline std::string parameter_text(std::int64_t value) { return std::to_string(value); }

/// Puts it where the path has that name in braces.
void fill_in(std::string& path, std::string_view name, const std::string& value);

}  // namespace detail

/// The request of an operation of src/protocol/native, on what the address says.
template <class Op>
Request request_of(const Address& address, typename Op::Input input) {
  const auto unless_empty = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
  input.stream = address.stream;
  input.region = unless_empty(address.region);
  input.account = unless_empty(address.account);
  if constexpr (requires { input.consumer; }) input.consumer = address.consumer;
  Request request;
  request.method = Op::method;
  request.target = Op::path;
  char separator = '?';
  protocol::JsonSink body;
  body.open();
  protocol::for_each_member<typename Op::Input>([&](const auto& member) {
    const auto& field = input.*member.field;
    if (!field) return;
    if (member.place == protocol::Place::body) {
      body.member(member.names);
      write_value(body, member.names, *field);
    } else if constexpr (requires { detail::parameter_text(*field); }) {
      const std::string value = detail::parameter_text(*field);
      if (member.place == protocol::Place::path) return detail::fill_in(request.target, member.names.json, value);
      request.target.append(1, std::exchange(separator, '&')).append(member.names.json).append("=").append(value);
    }
  });
  body.close();
  if (Op::method == "PUT" || Op::method == "POST") request.body = body.take();
  return request;
}

struct Member {
  std::string name;
  std::string token;  ///< of the answer before; empty to join
};

// Their timeouts are left to the caller.
Request create_request(const Address& address, const Options& options, const std::vector<Position>& positions);
Request describe_request(const Address& address, const std::string& after_shard_id);
Request poll_request(const Address& address, const Member& member, const Bounds& bounds, std::size_t bytes_max);
Request heartbeat_request(const Address& address, const Member& member);
Request leave_request(const Address& address, const Member& member, bool commit);
Request commit_request(const Address& address, const std::vector<Position>& positions, bool force,
                       const std::string& key);
Request transact_request(const Address& address, const std::vector<Position>& positions, const std::string& stream,
                         const std::vector<NewRecord>& records, const std::string& key);

/// What a refusal says. An answer that is none of the API's has its status for a code.
struct Fault {
  std::string code;
  std::string message;
};
Fault read_fault(const Answer& answer);

// These throw Error if the answer, a success, is not to be understood.

struct PollAnswer {
  Polled polled;
  std::string token;
  std::chrono::milliseconds lease{0};
  std::vector<LostLease> lost;
};
/// Of a poll, a heartbeat or a leave.
PollAnswer read_polled(const Answer& answer);

struct Description {
  CommitMode mode{};
  std::vector<Position> positions;  ///< of the shards of which anything is done
  std::string last_shard_id;
  bool more = false;  ///< shards after that
};
Description read_description(const Answer& answer);

Transacted read_transacted(const Answer& answer);

}  // namespace penstock::client
