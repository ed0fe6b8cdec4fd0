#include "client/api.hpp"

#include <algorithm>
#include <utility>

#include "client/json.hpp"
#include "client/shapes.hpp"
#include "penstock/limits.hpp"
#include "protocol/text.hpp"

namespace penstock::client {

using std::chrono::milliseconds;

namespace {

wire::Position to_wire(const Position& position) {
  std::optional<std::int64_t> sub;
  if (position.sub_sequence_number) sub = static_cast<std::int64_t>(*position.sub_sequence_number);
  return {position.shard_id, static_cast<std::int64_t>(position.epoch), position.sequence_number, sub,
          position.metadata};
}

std::vector<wire::Position> to_wire(const std::vector<Position>& positions) {
  std::vector<wire::Position> out;
  out.reserve(positions.size());
  for (const Position& position : positions) out.push_back(to_wire(position));
  return out;
}

protocol::Timestamp to_wire(Moment moment) { return {moment.time_since_epoch().count()}; }

Request request(std::string method, std::string target, std::string body = {}) {
  return {std::move(method), std::move(target), std::move(body), {}, false};
}

std::uint64_t to_unsigned(const std::optional<std::int64_t>& given) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(given.value_or(0), 0));
}

std::optional<std::uint64_t> to_optional(const std::optional<std::int64_t>& given) {
  return given ? std::optional(to_unsigned(given)) : std::nullopt;
}

template <class T>
std::vector<T> elements(std::optional<std::vector<T>>& given) {
  return given ? std::move(*given) : std::vector<T>();
}

std::string text(std::optional<std::string>& given) { return given ? std::move(*given) : std::string(); }

Record to_record(wire::Record& given) {
  return {text(given.sequence_number), text(given.partition_key), given.data ? std::move(given.data->bytes) : "",
          Moment{milliseconds{given.arrived.value_or(protocol::Timestamp{}).ms}}, text(given.encryption_type)};
}

Batch to_batch(wire::Batch& given) {
  Batch batch;
  batch.shard_id = text(given.shard_id);
  batch.epoch = to_unsigned(given.epoch);
  for (wire::Record& record : elements(given.records)) batch.records.push_back(to_record(record));
  batch.sub_sequence_number = to_optional(given.sub_sequence_number);
  batch.behind = milliseconds{given.millis_behind.value_or(0)};
  batch.lost_records = to_unsigned(given.lost_records);
  batch.shard_end = given.shard_end.value_or(false);
  return batch;
}

}  // namespace

std::string percent_encode(std::string_view plain) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : plain) {
    if (protocol::is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4U], digits[byte & 0xfU]};
    }
  }
  return out;
}

std::string target_of(const Place& place, std::string_view operation, const std::vector<std::string>& more) {
  std::string target = "/_penstock/streams/" + percent_encode(place.stream) + "/consumers";
  if (!place.consumer.empty()) target += "/" + percent_encode(place.consumer);
  if (!operation.empty()) target.append("/").append(operation);
  std::vector<std::string> query;
  if (!place.region.empty()) query.push_back("Region=" + percent_encode(place.region));
  if (!place.account.empty()) query.push_back("Account=" + percent_encode(place.account));
  query.insert(query.end(), more.begin(), more.end());
  for (std::size_t i = 0; i < query.size(); ++i) target.append(i == 0 ? "?" : "&").append(query[i]);
  return target;
}

Request create_request(const Place& place, const Options& options, const std::vector<Position>& positions) {
  wire::Start start;
  switch (options.start.at) {
    case Start::At::trim_horizon:
      start.type = "TRIM_HORIZON";
      break;
    case Start::At::latest:
      start.type = "LATEST";
      break;
    case Start::At::timestamp:
      start.type = "AT_TIMESTAMP";
      start.timestamp = to_wire(options.start.timestamp);
      break;
  }
  if (!positions.empty()) {
    start = {"TRIM_HORIZON", {}, to_wire(positions)};
    for (wire::Position& position : *start.positions) position.epoch.reset();
  }
  const char* const mode = options.commit_mode == CommitMode::on_poll ? "ON_POLL" : "ON_COMMIT";
  return request("PUT", target_of(place),
                 to_json(wire::CreateInput{std::move(start), options.lease.count(), mode, options.ephemeral}));
}

Request describe_request(const Place& place, const std::string& after_shard_id) {
  if (after_shard_id.empty()) return request("GET", target_of(place));
  return request("GET", target_of(place, {}, {"ExclusiveStartShardId=" + percent_encode(after_shard_id)}));
}

Request poll_request(const Place& place, const Member& member, const Bounds& bounds, std::size_t bytes_max) {
  wire::MemberInput input;
  input.member = member.name;
  if (!member.token.empty()) input.token = member.token;
  input.wait_millis = std::clamp(bounds.wait, milliseconds(0), group_limits::wait_max).count();
  input.max_records = static_cast<std::int64_t>(bounds.max_records);
  input.max_bytes = static_cast<std::int64_t>(bytes_max);
  return request("POST", target_of(place, "poll"), to_json(input));
}

Request heartbeat_request(const Place& place, const Member& member) {
  wire::MemberInput input;
  input.member = member.name;
  input.token = member.token;
  return request("POST", target_of(place, "heartbeat"), to_json(input));
}

Request leave_request(const Place& place, const Member& member, bool commit) {
  wire::MemberInput input;
  input.member = member.name;
  input.token = member.token;
  input.commit = commit;
  return request("POST", target_of(place, "leave"), to_json(input));
}

Request commit_request(const Place& place, const std::vector<Position>& positions, bool force, const std::string& key) {
  wire::CommitInput input;
  input.positions = to_wire(positions);
  if (force) input.force = true;
  input.idempotency_key = key;
  return request("POST", target_of(place, "commit"), to_json(input));
}

Request transact_request(const Place& place, const std::vector<Position>& positions, const std::string& stream,
                         const std::vector<NewRecord>& records, const std::string& key) {
  wire::CommitInput input;
  input.positions = to_wire(positions);
  input.stream_name = stream;
  for (const NewRecord& record : records) {
    wire::NewRecord& out = input.records ? input.records->emplace_back() : input.records.emplace().emplace_back();
    out.data = {record.data};
    out.partition_key = record.partition_key;
    if (!record.explicit_hash_key.empty()) out.explicit_hash_key = record.explicit_hash_key;
  }
  input.idempotency_key = key;
  return request("POST", target_of(place, "transact"), to_json(input));
}

Fault read_fault(const Answer& answer) {
  try {
    auto fault = from_json<wire::Fault>(answer);
    if (fault.error) return {text(fault.error), text(fault.message)};
  } catch (const Error&) {
    // What stands between may answer in its own way.
  }
  return {"Http" + std::to_string(answer.status), {}};
}

PollAnswer read_polled(const Answer& answer) {
  auto given = from_json<wire::PollOutput>(answer);
  PollAnswer out;
  out.token = text(given.token);
  out.lease = milliseconds{given.lease_millis.value_or(0)};
  for (wire::Lease& lease : elements(given.leases)) {
    out.polled.leases.push_back(
        {text(lease.shard_id), to_unsigned(lease.epoch), lease.revoking.value_or(false), text(lease.metadata)});
  }
  for (wire::Revoked& lost : elements(given.revoked)) {
    out.lost.push_back({text(lost.shard_id), to_unsigned(lost.epoch), to_unsigned(lost.owner_epoch), text(lost.owner)});
  }
  for (wire::Batch& batch : elements(given.batches)) out.polled.batches.push_back(to_batch(batch));
  return out;
}

Description read_description(const Answer& answer) {
  auto given = from_json<wire::DescribeOutput>(answer);
  Description out;
  out.mode = given.commit_mode == "ON_COMMIT" ? CommitMode::on_commit : CommitMode::on_poll;
  out.more = given.has_more_shards.value_or(false);
  for (wire::ConsumerShard& shard : elements(given.shards)) {
    out.last_shard_id = text(shard.shard_id);
    if (!shard.sequence_number) continue;
    out.positions.push_back(
        {out.last_shard_id, 0, text(shard.sequence_number), to_optional(shard.sub_sequence_number), {}});
  }
  return out;
}

Transacted read_transacted(const Answer& answer) {
  auto given = from_json<wire::TransactOutput>(answer);
  Transacted out;
  for (wire::Placed& placed : elements(given.records)) {
    out.records.push_back({text(placed.shard_id), text(placed.sequence_number)});
  }
  out.repeated = given.repeated.value_or(false);
  return out;
}

}  // namespace penstock::client
