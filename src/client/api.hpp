// The API of consumers as a client sees it: requests from what a member wants, and what their answers say. No I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "client/json.hpp"
#include "penstock/client.hpp"
#include "protocol/shape.hpp"

namespace penstock::client {

/// Which consumer is spoken of.
struct Place {
  std::string stream;
  std::string consumer;  ///< empty where all of the stream are meant
  std::string region;    ///< empty: the server's
  std::string account;   ///< empty: the server's
};

/// Escapes what may not stand in a path or a query as it is.
std::string percent_encode(std::string_view text);

/// `path` is the template of an operation, such as /_penstock/streams/{stream}; `query` follows it as it is.
std::string target_of(std::string_view path, const Place& place, const std::vector<std::string>& query);

/// The request of an operation of src/protocol/native. What the path says is left out of the input.
template <class Op>
Request request_of(const Place& place, const typename Op::Input& input) {
  Request request;
  request.method = Op::method;
  std::vector<std::string> query;
  if constexpr (Op::method == "PUT" || Op::method == "POST") {
    request.body = to_json(input);
  } else {
    protocol::for_each_member<typename Op::Input>([&](const auto& member) {
      const auto& field = input.*member.field;
      if (!field) return;
      std::string value;
      if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(*field)>>) {
        value = std::to_string(*field);
      } else {
        value = percent_encode(*field);
      }
      query.push_back(std::string(member.names.json) + "=" + value);
    });
  }
  request.target = target_of(Op::path, place, query);
  return request;
}

struct Member {
  std::string name;
  std::string token;  ///< of the answer before; empty to join
};

// Their timeouts are left to the caller.
Request create_request(const Place& place, const Options& options, const std::vector<Position>& positions);
Request describe_request(const Place& place, const std::string& after_shard_id);
Request poll_request(const Place& place, const Member& member, const Bounds& bounds, std::size_t bytes_max);
Request heartbeat_request(const Place& place, const Member& member);
Request leave_request(const Place& place, const Member& member, bool commit);
Request commit_request(const Place& place, const std::vector<Position>& positions, bool force, const std::string& key);
Request transact_request(const Place& place, const std::vector<Position>& positions, const std::string& stream,
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
