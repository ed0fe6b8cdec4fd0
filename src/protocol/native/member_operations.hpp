// What the members of a consumer with positions do: poll, give signs of life, leave.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/native/call.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/native/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

struct Lease {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<bool> revoking;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = Lease;
    return Shape("Lease", required("ShardId", &Self::shard_id, about("Which shard the member has.")),
                 required("Epoch", &Self::epoch, about("With which it commits.")),
                 required("Revoking", &Self::revoking,
                          about("Whether it is to go to another member once what was handed out is done.")),
                 optional("Metadata", &Self::metadata, about("The text that is kept with the position.")));
  }
};

struct RevokedLease {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::int64_t> owner_epoch;
  std::optional<std::string> owner;

  static constexpr auto shape() {
    using Self = RevokedLease;
    return Shape(
        "RevokedLease",
        required("ShardId", &Self::shard_id, about("Of which shard the member had something that was not committed.")),
        required("Epoch", &Self::epoch, about("The one of the member, which is over.")),
        required("OwnerEpoch", &Self::owner_epoch, about("The present one.")),
        optional("Owner", &Self::owner, about("Who has the shard now; none if nobody has.")));
  }
};

// ---- Poll

struct PollInput : OfConsumer {
  std::optional<std::string> member;
  std::optional<std::string> token;
  std::optional<std::int32_t> wait_millis;
  std::optional<std::int32_t> max_records;
  std::optional<std::int32_t> max_bytes;

  static constexpr auto shape() {
    using Self = PollInput;
    return consumer_shape(
        "PollInput", required("Member", &Self::member, about("The member's name.", rules::name)),
        optional(
            "Token", &Self::token,
            about("Of the answer before, whose records are done by this; without one the member joins.", rules::token)),
        optional("WaitMillis", &Self::wait_millis,
                 about("How long records are waited for, 0 if nothing is said; no longer than half the lease time.",
                       rules::wait_millis)),
        optional("MaxRecords", &Self::max_records,
                 about("How many are handed out, 1000 if nothing is said.", rules::max_records)),
        optional("MaxBytes", &Self::max_bytes,
                 about("Of their data and partition keys, 10485760 if nothing is said; one comes whatever its size.",
                       rules::max_bytes)));
  }
};

struct Batch {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::vector<kinesis::Record>> records;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::int64_t> millis_behind_latest;
  std::optional<std::int64_t> lost_records;
  std::optional<bool> shard_end;

  static constexpr auto shape() {
    using Self = Batch;
    return Shape("Batch", required("ShardId", &Self::shard_id, about("Of which shard.")),
                 required("Epoch", &Self::epoch, about("Of the lease under which it is handed out.")),
                 required("Records", &Self::records, about("In the order in which the shard has them.")),
                 optional("SubSequenceNumber", &Self::sub_sequence_number,
                          about("Up to where the first record, an aggregate, is done already.")),
                 required("MillisBehindLatest", &Self::millis_behind_latest,
                          about("How far in time the last record is behind the shard's latest.")),
                 required("LostRecords", &Self::lost_records, about("That retention took before these.")),
                 required("ShardEnd", &Self::shard_end,
                          about("Whether the shard is closed, and these, which may be none, are its last records: with "
                                "ON_COMMIT it is finished by committing SHARD_END.")));
  }
};

/// Its records refer to what was kept.
struct PollOutput {
  std::optional<std::string> member;
  std::optional<std::string> token;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::vector<Lease>> leases;
  std::optional<std::vector<RevokedLease>> revoked;
  std::optional<std::vector<Batch>> batches;

  std::size_t bytes_expected() const;

  static constexpr auto shape() {
    using Self = PollOutput;
    return Shape("PollOutput", required("Member", &Self::member, about("The member's name.")),
                 required("Token", &Self::token, about("For the next poll, which says by it that it has this.")),
                 required("LeaseMillis", &Self::lease_millis,
                          about("How long the member keeps its shards without a sign of life.")),
                 required("Leases", &Self::leases, about("All shards that the member has.")),
                 required("Revoked", &Self::revoked, about("Shards of which the Token said something too late.")),
                 required("Batches", &Self::batches, about("What is handed out, by shard.")));
  }
};

struct KeepsPolled {
  GroupPolled polled;  ///< to which the output refers
};

struct PollOperation {
  static constexpr std::string_view name = "Poll";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}/poll";
  static constexpr std::string_view summary =
      "Joins or gives a sign of life, takes what the poll before handed out as received, and waits for more.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = errors_of(ErrorCode::ConsumerNotFound, ErrorCode::MemberReplaced,
                                           ErrorCode::ConsumerBusy, ErrorCode::ConsumerLimitExceeded);
  using Input = PollInput;
  using Output = PollOutput;
  using Kept = KeepsPolled;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Heartbeat

struct HeartbeatInput : OfConsumer {
  std::optional<std::string> member;
  std::optional<std::string> token;

  static constexpr auto shape() {
    using Self = HeartbeatInput;
    return consumer_shape(
        "HeartbeatInput", required("Member", &Self::member, about("The member's name.", rules::name)),
        required("Token", &Self::token, about("Of the latest poll's answer.", rules::token_of_member)));
  }
};

struct HeartbeatOutput {
  std::optional<std::string> member;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::vector<Lease>> leases;
  std::optional<std::vector<RevokedLease>> revoked;

  static constexpr auto shape() {
    using Self = HeartbeatOutput;
    return Shape("HeartbeatOutput", required("Member", &Self::member, about("The member's name.")),
                 required("LeaseMillis", &Self::lease_millis,
                          about("How long the member keeps its shards without a sign of life.")),
                 required("Leases", &Self::leases, about("All shards that the member has.")),
                 required("Revoked", &Self::revoked, about("Shards of the Token that the member has no longer.")));
  }
};

struct HeartbeatOperation {
  static constexpr std::string_view name = "Heartbeat";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}/heartbeat";
  static constexpr std::string_view summary = "Gives a sign of life, and changes nothing else.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors =
      errors_of(ErrorCode::ConsumerNotFound, ErrorCode::MemberReplaced, ErrorCode::MemberUnknown);
  using Input = HeartbeatInput;
  using Output = HeartbeatOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Leave

struct LeaveInput : OfConsumer {
  std::optional<std::string> member;
  std::optional<std::string> token;
  std::optional<bool> commit;

  static constexpr auto shape() {
    using Self = LeaveInput;
    return consumer_shape(
        "LeaveInput", required("Member", &Self::member, about("The member's name.", rules::name)),
        required("Token", &Self::token, about("Of the latest poll's answer.", rules::token_of_member)),
        optional("Commit", &Self::commit,
                 about("Whether what the Token says is done, true if nothing is said; of a consumer "
                       "that commits ON_POLL.")));
  }
};

struct LeaveOutput {
  std::optional<std::string> member;
  std::optional<std::vector<RevokedLease>> revoked;

  static constexpr auto shape() {
    using Self = LeaveOutput;
    return Shape("LeaveOutput", required("Member", &Self::member, about("The member's name.")),
                 required("Revoked", &Self::revoked, about("Shards of which the Token said something too late.")));
  }
};

struct LeaveOperation {
  static constexpr std::string_view name = "Leave";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}/leave";
  static constexpr std::string_view summary = "Gives all of a member's shards back at once.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = errors_of(ErrorCode::ConsumerNotFound, ErrorCode::MemberReplaced,
                                           ErrorCode::MemberUnknown, ErrorCode::ConsumerBusy);
  using Input = LeaveInput;
  using Output = LeaveOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::native
