#include "client/api.hpp"

#include <algorithm>
#include <utility>

#include "client/shapes.hpp"
#include "penstock/limits.hpp"
#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/member_operations.hpp"
#include "protocol/native/position_operations.hpp"

namespace penstock::client {

using std::chrono::milliseconds;

namespace {

namespace native = protocol::native;

std::optional<std::int64_t> to_signed(const std::optional<std::uint64_t>& given) {
  return given ? std::optional(static_cast<std::int64_t>(*given)) : std::nullopt;
}

std::vector<native::NewPosition> to_native(const std::vector<Position>& positions) {
  std::vector<native::NewPosition> out;
  out.reserve(positions.size());
  for (const Position& position : positions) {
    out.push_back({position.shard_id, static_cast<std::int64_t>(position.epoch), position.sequence_number,
                   to_signed(position.sub_sequence_number), position.metadata});
  }
  return out;
}

std::int32_t to_int(milliseconds time) { return static_cast<std::int32_t>(time.count()); }

std::vector<native::StartPosition> to_start(const std::vector<Position>& positions) {
  std::vector<native::StartPosition> out;
  out.reserve(positions.size());
  for (const Position& position : positions) {
    out.push_back({position.shard_id, position.sequence_number, to_signed(position.sub_sequence_number), {}});
  }
  return out;
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

void detail::fill_in(std::string& path, std::string_view name, const std::string& value) {
  const std::string hole = "{" + std::string(name) + "}";
  if (const std::size_t at = path.find(hole); at != std::string::npos) path.replace(at, hole.size(), value);
}

Request create_request(const Address& address, const Options& options, const std::vector<Position>& positions) {
  native::CreateConsumerInput input;
  native::GivenStart& start = input.start.emplace();
  switch (options.start.at) {
    case Start::At::trim_horizon:
      start.type = "TRIM_HORIZON";
      break;
    case Start::At::latest:
      start.type = "LATEST";
      break;
    case Start::At::timestamp:
      start.type = "AT_TIMESTAMP";
      start.timestamp = protocol::Timestamp{options.start.timestamp.time_since_epoch().count()};
      break;
  }
  if (!positions.empty()) start = {"TRIM_HORIZON", {}, to_start(positions)};
  input.lease_millis = to_int(options.lease);
  input.commit_mode = options.commit_mode == CommitMode::on_poll ? "ON_POLL" : "ON_COMMIT";
  input.ephemeral = options.ephemeral;
  return request_of<native::CreateConsumerOperation>(address, std::move(input));
}

Request describe_request(const Address& address, const std::string& after_shard_id) {
  native::ShardsPageInput input;
  if (!after_shard_id.empty()) input.exclusive_start_shard_id = after_shard_id;
  return request_of<native::DescribeConsumerOperation>(address, std::move(input));
}

Request poll_request(const Address& address, const Member& member, const Bounds& bounds, std::size_t bytes_max) {
  native::PollInput input;
  input.member = member.name;
  if (!member.token.empty()) input.token = member.token;
  input.wait_millis = to_int(std::clamp(bounds.wait, milliseconds(0), group_limits::wait_max));
  input.max_records = static_cast<std::int32_t>(bounds.max_records);
  input.max_bytes = static_cast<std::int32_t>(bytes_max);
  return request_of<native::PollOperation>(address, std::move(input));
}

Request heartbeat_request(const Address& address, const Member& member) {
  native::HeartbeatInput input;
  input.member = member.name;
  input.token = member.token;
  return request_of<native::HeartbeatOperation>(address, std::move(input));
}

Request leave_request(const Address& address, const Member& member, bool commit) {
  native::LeaveInput input;
  input.member = member.name;
  input.token = member.token;
  input.commit = commit;
  return request_of<native::LeaveOperation>(address, std::move(input));
}

Request commit_request(const Address& address, const std::vector<Position>& positions, bool force,
                       const std::string& key) {
  native::CommitInput input;
  input.positions = to_native(positions);
  if (force) input.force = true;
  input.idempotency_key = key;
  return request_of<native::CommitOperation>(address, std::move(input));
}

Request transact_request(const Address& address, const std::vector<Position>& positions, const std::string& stream,
                         const std::vector<NewRecord>& records, const std::string& key) {
  native::TransactInput input;
  input.positions = to_native(positions);
  input.stream_name = stream;
  std::vector<native::NewRecord>& out = input.records.emplace();
  out.reserve(records.size());
  for (const NewRecord& record : records) {
    out.push_back({protocol::Blob{record.data}, record.partition_key, {}});
    if (!record.explicit_hash_key.empty()) out.back().explicit_hash_key = record.explicit_hash_key;
  }
  input.idempotency_key = key;
  return request_of<native::TransactOperation>(address, std::move(input));
}

Fault read_fault(const Answer& answer) {
  try {
    auto fault = from_json<wire::Fault>(answer);
    if (fault.error) return {text(fault.error), text(fault.message)};
    for (const auto& [name, value] : answer.headers) {
      if (name == "x-amzn-errortype")
        return {value, text(fault.service_message ? fault.service_message : fault.message)};
    }
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
  for (native::Lease& lease : elements(given.leases)) {
    out.polled.leases.push_back(
        {text(lease.shard_id), to_unsigned(lease.epoch), lease.revoking.value_or(false), text(lease.metadata)});
  }
  for (native::RevokedLease& lost : elements(given.revoked)) {
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
  for (wire::ShardPosition& shard : elements(given.shards)) {
    out.last_shard_id = text(shard.shard_id);
    if (!shard.sequence_number) continue;
    out.positions.push_back(
        {out.last_shard_id, 0, text(shard.sequence_number), to_optional(shard.sub_sequence_number), {}});
  }
  return out;
}

Transacted read_transacted(const Answer& answer) {
  auto given = from_json<native::TransactOutput>(answer);
  Transacted out;
  for (native::RecordPlace& placed : elements(given.records)) {
    out.records.push_back({text(placed.shard_id), text(placed.sequence_number)});
  }
  out.repeated = given.repeated.value_or(false);
  return out;
}

}  // namespace penstock::client
