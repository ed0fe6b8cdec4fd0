#include "protocol/native_support.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "penstock/stream_names.hpp"
#include "protocol/kinesis_support.hpp"

namespace penstock::protocol::testing {
namespace {

std::string to_text(const StreamName& stream) { return stream.account + "/" + stream.region + "/" + stream.name; }

std::string flag(bool set, std::string_view name) { return set ? " " + std::string(name) : ""; }

std::string word(std::string_view name, std::string_view value) {
  return value.empty() ? "" : " " + std::string(name) + "=" + std::string(value);
}

std::string to_text(const StartingPosition& start) {
  std::string text = " type=" + std::to_string(static_cast<int>(start.type));
  if (start.sequence_number) text += " number=" + *start.sequence_number;
  if (start.timestamp) text += " at=" + std::to_string(to_epoch_ms(*start.timestamp));
  return text;
}

std::string to_text(const std::vector<GivenPosition>& positions) {
  std::string text;
  for (const GivenPosition& position : positions) {
    text +=
        " (" + position.shard_id + " epoch=" + std::to_string(position.epoch) + word("at", position.sequence_number);
    if (position.sub_sequence_number) text += " sub=" + std::to_string(*position.sub_sequence_number);
    if (position.metadata) text += " metadata='" + *position.metadata + "'";
    text += ")";
  }
  return text;
}

std::string to_text(const GroupToken& token) {
  std::string text = " token=" + std::to_string(token.group.value) + ":" + std::to_string(token.session);
  for (const HandedOut& handed : token.handed) {
    text += " (" + std::to_string(handed.shard.value) + " epoch=" + std::to_string(handed.epoch) +
            " next=" + std::to_string(handed.next.value) + " at=" + std::to_string(handed.at_s) +
            " lost=" + std::to_string(handed.first.value - handed.from.value) + ")";
  }
  return text;
}

std::string limited(std::string_view after, std::size_t limit) {
  return word("after", after) + " limit=" + std::to_string(limit);
}

std::string of_member(std::string_view group, std::string_view member) {
  return std::string(group) + " member=" + std::string(member);
}

struct GroupCommandText {
  std::string operator()(const CreateGroup& c) const {
    return "CreateGroup " + c.group + to_text(c.start.from) + to_text(c.start.positions) +
           " lease=" + std::to_string(c.lease.count()) + flag(c.mode == CommitMode::on_commit, "on_commit") +
           flag(c.ephemeral, "ephemeral");
  }
  std::string operator()(const DescribeGroup& c) const {
    return "DescribeGroup " + c.group + limited(c.after_shard_id, c.limit);
  }
  std::string operator()(const ListGroups& c) const { return "ListGroups" + limited(c.after, c.limit); }
  std::string operator()(const DeleteGroup& c) const { return "DeleteGroup " + c.group; }
  std::string operator()(const PollGroup& c) const {
    return "PollGroup " + of_member(c.group, c.member) + (c.token ? to_text(*c.token) : "") +
           " wait=" + std::to_string(c.wait.count()) + " count=" + std::to_string(c.count_max) +
           " bytes=" + std::to_string(c.bytes_max);
  }
  std::string operator()(const HeartbeatGroup& c) const {
    return "HeartbeatGroup " + of_member(c.group, c.member) + to_text(c.token);
  }
  std::string operator()(const LeaveGroup& c) const {
    return "LeaveGroup " + of_member(c.group, c.member) + to_text(c.token) + flag(c.commit, "commit");
  }
  std::string operator()(const CommitGroup& c) const {
    return "CommitGroup " + c.group + to_text(c.positions) + flag(c.force, "force") + word("key", c.key);
  }
  std::string operator()(const TransactGroup& c) const {
    std::string text = "TransactGroup " + c.group + to_text(c.positions) + " into " + to_text(c.target);
    for (const PutEntry& entry : c.entries) {
      text += " (" + entry.partition_key + "=" + entry.data + " to " + format_hash_key(entry.hash) + ")";
    }
    return text + word("key", c.key);
  }
  std::string operator()(const ResetGroup& c) const {
    return "ResetGroup " + c.group + word("shard", c.shard_id) + to_text(c.to) + flag(c.dry_run, "dry");
  }
  std::string operator()(const DescribeLag& c) const {
    return "DescribeLag " + c.group + limited(c.after_shard_id, c.limit);
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "a command that no request should become";
  }
};

std::string checked(const WireResponse& response) {
  EXPECT_EQ(response.content_type, response.body.empty() ? "" : "application/json");
  EXPECT_EQ(header_of(response, "x-amzn-query-error"), "") << "which only SQS has";
  EXPECT_EQ(header_of(response, "x-amzn-RequestId"), request_id);
  return status_and_body(response);
}

}  // namespace

Request native_request(std::string_view method, std::string_view path, std::string body) {
  Request request;
  request.method = method;
  request.target = "/_penstock/streams/s/consumers" + std::string(path);
  request.body = std::move(body);
  return request;
}

std::string native_asked(const Request& request) {
  const Prepared prepared = prepare_at(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return "refused: " + checked(*response);
  const auto& call = std::get<PreparedCall>(prepared);
  const auto* command = std::get_if<StreamCommand>(&call.command);
  if (command == nullptr || !call.before.empty() || call.stream_id) return "no plain command of a stream";
  return to_text(stream_of(*command)) + " " + std::visit(GroupCommandText{}, *command);
}

std::string native_answer(const Request& request, Result result) {
  Prepared prepared = prepare_at(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return "refused: " + checked(*response);
  return checked(std::get<PreparedCall>(prepared).respond(std::move(result)));
}

std::string native_refusal(const Request& request) {
  const Prepared prepared = prepare_at(request);
  if (!std::holds_alternative<WireResponse>(prepared)) return "accepted: " + native_asked(request);
  return checked(std::get<WireResponse>(prepared));
}

std::string native_error(std::string_view name, std::string_view message, int status) {
  std::string text = std::to_string(status) + R"( {"Error":")";
  return text.append(name).append(R"(","Message":")").append(message).append("\"}");
}

std::string invalid_request_error(std::string_view message) { return native_error("InvalidRequest", message); }

GroupShard group_shard() {
  GroupShard shard;
  shard.shard = ShardIndex{1};
  shard.created_s = 1'421'889'651;
  shard.state = GroupShardState::leased;
  shard.lease.position.next = RecordIndex{3};
  shard.lease.position.at_s = 1'421'889'660;
  shard.lease.epoch = 7;
  shard.lease.owner = "m";
  shard.lease.session = 11;
  shard.lease.metadata = "noted";
  shard.lease.committed = from_epoch_ms(1'421'889'700'250);
  shard.lease.lost_records = 2;
  return shard;
}

GroupPolled group_polled() {
  GroupPolled polled;
  polled.stream = stream_name();
  polled.stream_id = stream_id;
  polled.group = GroupId{99};
  polled.member = "m";
  polled.session = 11;
  polled.lease = Millis{10'000};
  polled.leases = {{ShardIndex{0}, 5, false, "noted"}, {ShardIndex{1}, 1, true, ""}};
  polled.lost = {{ShardIndex{2}, 3, 4, "n"}, {ShardIndex{3}, 1, 2, ""}};
  GroupBatch full{5, {}, records_page()};
  full.page.behind = Millis{1'500};
  GroupBatch end{1, {}, records_page()};
  end.page.shard = ShardIndex{1};
  end.page.records.clear();
  end.page.closed = true;
  GroupBatch unread{2, {}, records_page()};
  unread.page.records.clear();
  unread.page.next = RecordIndex{};
  polled.batches = {std::move(full), std::move(end), std::move(unread)};
  return polled;
}

}  // namespace penstock::protocol::testing
