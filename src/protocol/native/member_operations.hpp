// The operations of a consumer's members: polls and what goes with them, commits and transactions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/caller.hpp"
#include "protocol/kinesis/record_operations.hpp"
#include "protocol/native/shapes.hpp"
#include "protocol/operation.hpp"

namespace penstock::protocol::native {

// ---- Poll

struct PollInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<std::string> member;
  std::optional<std::string> token;
  std::optional<std::int64_t> wait_millis;
  std::optional<std::int64_t> max_records;
  std::optional<std::int64_t> max_bytes;

  static constexpr auto shape() {
    using Self = PollInput;
    return Shape(
        "PollInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
        must("consumer", &Self::consumer, "The consumer's name.", constraints::name),
        must("Member", &Self::member, "Who polls; nobody else may have the name.", constraints::name),
        may("Token", &Self::token,
            "Of the answer before, which says that it has arrived; absent or empty to join, which begins at what is "
            "committed.",
            constraints::token),
        may("WaitMillis", &Self::wait_millis,
            "How long to wait for records, and half of the lease at most; 0 if nothing is said.", constraints::wait),
        may("MaxRecords", &Self::max_records, "At most so many; 1,000 if nothing is said.", constraints::poll_records),
        may("MaxBytes", &Self::max_bytes,
            "At most so many, of data and partition keys, but at least one record; 10 MiB if nothing is said.",
            constraints::poll_bytes));
  }
};

struct PollOutput {
  std::optional<std::string> member;
  std::optional<std::string> token;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::vector<LeaseState>> leases;
  std::optional<std::vector<RevokedLease>> revoked;
  std::optional<std::vector<Batch>> batches;

  std::size_t bytes_expected() const;

  static constexpr auto shape() {
    using Self = PollOutput;
    return Shape("PollOutput", must("Member", &Self::member, "Who polled."),
                 must("Token", &Self::token, "To come back with once all of the batches are done."),
                 must("LeaseMillis", &Self::lease_millis, "Within which to poll again, or to send a heartbeat."),
                 must("Leases", &Self::leases, "The shards that the member has."),
                 must("Revoked", &Self::revoked, "Shards of which the token brought something after they were lost."),
                 must("Batches", &Self::batches, "Records by shard."));
  }
};

/// What the output refers to.
struct KeepsPolled {
  GroupPolled polled;
};

struct PollOperation {
  static constexpr std::string_view name = "Poll";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{stream}/consumers/{consumer}/poll";
  static constexpr std::string_view summary =
      "Joins or goes on as a member: renews its leases, commits the batch before, and waits for the next.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound,
                                     ErrorCode::MemberReplaced,          ErrorCode::ConsumerBusy,
                                     ErrorCode::ConsumerLimitExceeded,   ErrorCode::InvalidRequest};
  using Input = PollInput;
  using Output = PollOutput;
  using Kept = KeepsPolled;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Heartbeat

struct HeartbeatInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<std::string> member;
  std::optional<std::string> token;

  static constexpr auto shape() {
    using Self = HeartbeatInput;
    return Shape("HeartbeatInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
                 must("consumer", &Self::consumer, "The consumer's name.", constraints::name),
                 must("Member", &Self::member, "Who lives.", constraints::name),
                 must("Token", &Self::token, "Of its latest answer.", constraints::token));
  }
};

struct HeartbeatOutput {
  std::optional<std::string> member;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::vector<LeaseState>> leases;
  std::optional<std::vector<RevokedLease>> revoked;

  static constexpr auto shape() {
    using Self = HeartbeatOutput;
    return Shape("HeartbeatOutput", must("Member", &Self::member, "Who lives."),
                 must("LeaseMillis", &Self::lease_millis, "Within which to poll, or to send the next heartbeat."),
                 must("Leases", &Self::leases, "The shards that the member has."),
                 must("Revoked", &Self::revoked, "Shards of the token that it has no more."));
  }
};

struct HeartbeatOperation {
  static constexpr std::string_view name = "Heartbeat";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{stream}/consumers/{consumer}/heartbeat";
  static constexpr std::string_view summary = "Renews a member's leases while it works, and commits nothing.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound,
                                     ErrorCode::MemberReplaced, ErrorCode::MemberUnknown, ErrorCode::InvalidRequest};
  using Input = HeartbeatInput;
  using Output = HeartbeatOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Leave

struct LeaveInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<std::string> member;
  std::optional<std::string> token;
  std::optional<bool> commit;

  static constexpr auto shape() {
    using Self = LeaveInput;
    return Shape("LeaveInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
                 must("consumer", &Self::consumer, "The consumer's name.", constraints::name),
                 must("Member", &Self::member, "Who leaves.", constraints::name),
                 must("Token", &Self::token, "Of its latest answer.", constraints::token),
                 may("Commit", &Self::commit,
                     "False: what that answer had is not done. Of no meaning with the CommitMode ON_COMMIT."));
  }
};

struct LeaveOutput {
  std::optional<std::string> member;
  std::optional<std::vector<RevokedLease>> revoked;

  static constexpr auto shape() {
    using Self = LeaveOutput;
    return Shape("LeaveOutput", must("Member", &Self::member, "Who left."),
                 must("Revoked", &Self::revoked, "Shards of the token that it had lost before."));
  }
};

struct LeaveOperation {
  static constexpr std::string_view name = "Leave";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{stream}/consumers/{consumer}/leave";
  static constexpr std::string_view summary = "Gives a member's shards back at once.";
  static constexpr std::array errors{
      ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound, ErrorCode::MemberReplaced,
      ErrorCode::MemberUnknown,           ErrorCode::ConsumerBusy,     ErrorCode::InvalidRequest};
  using Input = LeaveInput;
  using Output = LeaveOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Commit

struct CommitInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<std::vector<Position>> positions;
  std::optional<bool> force;
  std::optional<std::string> idempotency_key;

  static constexpr auto shape() {
    using Self = CommitInput;
    return Shape(
        "CommitInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
        must("consumer", &Self::consumer, "The consumer's name.", constraints::name),
        must("Positions", &Self::positions, "Committed together or not at all.", constraints::positions),
        may("Force", &Self::force, "Also backwards."),
        may("IdempotencyKey", &Self::idempotency_key,
            "Of several calls with the same one within five minutes only the first does anything.", constraints::key));
  }
};

struct CommittedPosition {
  std::optional<std::string> shard_id;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::string> metadata;

  static constexpr auto shape() {
    using Self = CommittedPosition;
    return Shape(
        "CommittedPosition", must("ShardId", &Self::shard_id, "The shard."),
        must("Epoch", &Self::epoch, "Of its present lease."),
        may("SequenceNumber", &Self::sequence_number, "Of the last record that is done; absent where none is."),
        may("SubSequenceNumber", &Self::sub_sequence_number, "Of that record, the last user record that is done."),
        may("Metadata", &Self::metadata, "Of the latest commit that had any."));
  }
};

struct CommitOutput {
  std::optional<std::vector<CommittedPosition>> positions;
  std::optional<bool> repeated;

  static constexpr auto shape() {
    using Self = CommitOutput;
    return Shape("CommitOutput", must("Positions", &Self::positions, "Of those shards, as they are now."),
                 must("Repeated", &Self::repeated, "The IdempotencyKey was used before, and nothing was done."));
  }
};

struct CommitOperation {
  static constexpr std::string_view name = "Commit";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{stream}/consumers/{consumer}/commit";
  static constexpr std::string_view summary = "Commits positions under their leases' epochs, and renews these leases.";
  static constexpr std::array errors{
      ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound, ErrorCode::LeaseLost,
      ErrorCode::PositionConflict,        ErrorCode::InvalidPosition,  ErrorCode::ConsumerBusy,
      ErrorCode::InvalidRequest};
  using Input = CommitInput;
  using Output = CommitOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- Transact

struct TransactInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<std::vector<Position>> positions;
  std::optional<std::string> stream_name;
  std::optional<std::vector<NewRecord>> records;
  std::optional<std::string> idempotency_key;

  static constexpr auto shape() {
    using Self = TransactInput;
    return Shape("TransactInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
                 must("consumer", &Self::consumer, "The consumer's name.", constraints::name),
                 must("Positions", &Self::positions, "At least one has to go forward.", constraints::positions),
                 must("StreamName", &Self::stream_name, "Of the stream that the records go to.", constraints::name),
                 must("Records", &Self::records, "Put together with the commit, or not at all.", constraints::records),
                 may("IdempotencyKey", &Self::idempotency_key,
                     "Of several calls with the same one within five minutes only the first does anything, and all are "
                     "answered the same.",
                     constraints::key));
  }
};

struct PutPlace {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;

  static constexpr auto shape() {
    return Shape("PutPlace", must("ShardId", &PutPlace::shard_id, "Where it is."),
                 must("SequenceNumber", &PutPlace::sequence_number, "The record's."));
  }
};

struct TransactOutput {
  std::optional<std::vector<PutPlace>> records;
  std::optional<bool> repeated;

  static constexpr auto shape() {
    using Self = TransactOutput;
    return Shape("TransactOutput", must("Records", &Self::records, "Where each was put."),
                 must("Repeated", &Self::repeated, "The IdempotencyKey was used before: where they were put then."));
  }
};

struct TransactOperation {
  static constexpr std::string_view name = "Transact";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{stream}/consumers/{consumer}/transact";
  static constexpr std::string_view summary =
      "Commits positions and puts records into a stream, both or neither, so that a step from stream to stream takes "
      "effect once.";
  static constexpr std::array errors{
      ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound,          ErrorCode::LeaseLost,
      ErrorCode::PositionConflict,        ErrorCode::InvalidPosition,           ErrorCode::ConsumerBusy,
      ErrorCode::KinesisValidation,       ErrorCode::KinesisThroughputExceeded, ErrorCode::InvalidRequest};
  using Input = TransactInput;
  using Output = TransactOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::native
