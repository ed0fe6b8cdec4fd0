// The operations on consumers with positions: what they are, how far they have come, and where they are set to.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/caller.hpp"
#include "protocol/native/shapes.hpp"
#include "protocol/operation.hpp"

namespace penstock::protocol::native {

inline constexpr std::string_view consumers_path = "/_penstock/streams/{stream}/consumers";
inline constexpr std::string_view consumer_path = "/_penstock/streams/{stream}/consumers/{consumer}";

// ---- CreateConsumer

struct CreateConsumerInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<Start> start;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::string> commit_mode;
  std::optional<bool> ephemeral;

  static constexpr auto shape() {
    using Self = CreateConsumerInput;
    return Shape(
        "CreateConsumerInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
        must("consumer", &Self::consumer, "What it is to be called.", constraints::name),
        may("Start", &Self::start, "Where it begins: at the trim horizon, if nothing is said."),
        may("LeaseMillis", &Self::lease_millis,
            "How long a member that is not heard of keeps its shards; 10,000 if nothing is said.", constraints::lease),
        may("CommitMode", &Self::commit_mode,
            "ON_POLL (as if nothing is said): a member's next poll commits the batch before. ON_COMMIT: only "
            "a commit or a transaction does.",
            constraints::commit_mode),
        may("Ephemeral", &Self::ephemeral, "It is not stored, and gone with its last member."));
  }
};

/// Of CreateConsumer and DescribeConsumer.
struct DescribeConsumerOutput {
  std::optional<std::string> consumer_name;
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<Timestamp> creation_timestamp;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::string_view> commit_mode;
  std::optional<bool> ephemeral;
  std::optional<std::string_view> start_type;
  std::optional<std::int64_t> lost_records;
  std::optional<bool> created;
  std::optional<std::vector<MemberState>> members;
  std::optional<std::vector<ShardState>> shards;
  std::optional<bool> has_more_shards;

  static constexpr auto shape() {
    using Self = DescribeConsumerOutput;
    return Shape("DescribeConsumerOutput", must("ConsumerName", &Self::consumer_name, "Its name."),
                 must("StreamName", &Self::stream_name, "Its stream's."),
                 must("StreamARN", &Self::stream_arn, "The same."),
                 must("CreationTimestamp", &Self::creation_timestamp, "In seconds since the epoch."),
                 must("LeaseMillis", &Self::lease_millis, "How long a member that is not heard of keeps its shards."),
                 must("CommitMode", &Self::commit_mode, "ON_POLL or ON_COMMIT."),
                 must("Ephemeral", &Self::ephemeral, "It is not stored, and gone with its last member."),
                 must("StartType", &Self::start_type, "Where it began."),
                 must("LostRecords", &Self::lost_records, "That retention took with whole shards."),
                 may("Created", &Self::created, "By this very call; absent from a description."),
                 must("Members", &Self::members, "Who is heard of."),
                 must("Shards", &Self::shards, "How far it has come in each, and who holds it."),
                 must("HasMoreShards", &Self::has_more_shards, "Go on with ExclusiveStartShardId."));
  }
};

struct CreateConsumerOperation {
  static constexpr std::string_view name = "CreateConsumer";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = consumer_path;
  static constexpr std::string_view summary =
      "Makes a consumer of a stream; does nothing if it is there with the same settings.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerExists,
                                     ErrorCode::ConsumerLimitExceeded, ErrorCode::InvalidPosition,
                                     ErrorCode::InvalidRequest};
  using Input = CreateConsumerInput;
  using Output = DescribeConsumerOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
  static int status_of(const Output& output) { return *output.created ? 201 : 200; }
};

// ---- DescribeConsumer

struct DescribeConsumerInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<std::string> exclusive_start_shard_id;
  std::optional<std::int64_t> limit;

  static constexpr auto shape() {
    using Self = DescribeConsumerInput;
    return Shape("DescribeConsumerInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
                 must("consumer", &Self::consumer, "The consumer's name.", constraints::name),
                 may("ExclusiveStartShardId", &Self::exclusive_start_shard_id, "Only shards after this one.",
                     constraints::shard_id),
                 may("Limit", &Self::limit, "At most so many shards; 1,000 if nothing is said.", constraints::page));
  }
};

struct DescribeConsumerOperation {
  static constexpr std::string_view name = "DescribeConsumer";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = consumer_path;
  static constexpr std::string_view summary = "Tells a consumer's settings, members and positions.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound,
                                     ErrorCode::InvalidRequest};
  using Input = DescribeConsumerInput;
  using Output = DescribeConsumerOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListConsumers

struct ListConsumersInput {
  std::optional<std::string> stream;
  std::optional<std::string> exclusive_start_consumer;
  std::optional<std::int64_t> limit;

  static constexpr auto shape() {
    using Self = ListConsumersInput;
    return Shape("ListConsumersInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
                 may("ExclusiveStartConsumer", &Self::exclusive_start_consumer, "Only consumers after this one.",
                     constraints::name),
                 may("Limit", &Self::limit, "At most so many; 1,000 if nothing is said.", constraints::page));
  }
};

struct ListConsumersOutput {
  std::optional<std::vector<ConsumerSummary>> consumers;
  std::optional<bool> has_more_consumers;

  static constexpr auto shape() {
    using Self = ListConsumersOutput;
    return Shape("ListConsumersOutput", must("Consumers", &Self::consumers, "By name."),
                 must("HasMoreConsumers", &Self::has_more_consumers, "Go on with ExclusiveStartConsumer."));
  }
};

struct ListConsumersOperation {
  static constexpr std::string_view name = "ListConsumers";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = consumers_path;
  static constexpr std::string_view summary = "Lists the consumers of a stream.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::InvalidRequest};
  using Input = ListConsumersInput;
  using Output = ListConsumersOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DeleteConsumer

struct DeleteConsumerInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;

  static constexpr auto shape() {
    using Self = DeleteConsumerInput;
    return Shape("DeleteConsumerInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
                 must("consumer", &Self::consumer, "The consumer's name.", constraints::name));
  }
};

struct DeleteConsumerOperation {
  static constexpr std::string_view name = "DeleteConsumer";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = consumer_path;
  static constexpr std::string_view summary = "Forgets a consumer with its positions; polls that wait are answered.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound,
                                     ErrorCode::ConsumerBusy, ErrorCode::InvalidRequest};
  using Input = DeleteConsumerInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept&) { return nothing_if_done(result); }
  static int status_of(const Output&) { return 204; }
};

// ---- ResetConsumer

struct ResetConsumerInput {
  std::optional<std::string> stream;
  std::optional<std::string> consumer;
  std::optional<std::string> type;
  std::optional<Timestamp> timestamp;
  std::optional<std::string> sequence_number;
  std::optional<std::string> shard_id;
  std::optional<bool> dry_run;

  static constexpr auto shape() {
    using Self = ResetConsumerInput;
    return Shape(
        "ResetConsumerInput", must("stream", &Self::stream, "The stream's name.", constraints::name),
        must("consumer", &Self::consumer, "The consumer's name.", constraints::name),
        must("Type", &Self::type, "Where to; a sequence number's only with ShardId.", constraints::iterator_type),
        may("Timestamp", &Self::timestamp, "Of AT_TIMESTAMP, in seconds since the epoch."),
        may("SequenceNumber", &Self::sequence_number, "Of AT_ and AFTER_SEQUENCE_NUMBER.",
            constraints::sequence_number),
        may("ShardId", &Self::shard_id, "Only this shard; all of them if nothing is said.", constraints::shard_id),
        may("DryRun", &Self::dry_run, "Only tell what would be done."));
  }
};

struct ResetPosition {
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;

  static constexpr auto shape() {
    using Self = ResetPosition;
    return Shape("ResetPosition",
                 may("SequenceNumber", &Self::sequence_number, "Of the last record before it; absent where none is."),
                 may("SubSequenceNumber", &Self::sub_sequence_number, "Of that record, the last user record."));
  }
};

struct ResetShard {
  std::optional<std::string> shard_id;
  std::optional<ResetPosition> before;
  std::optional<ResetPosition> after;
  std::optional<std::int64_t> records_repeated;
  std::optional<std::int64_t> records_skipped;

  static constexpr auto shape() {
    using Self = ResetShard;
    return Shape("ResetShard", must("ShardId", &Self::shard_id, "The shard."),
                 must("Before", &Self::before, "Where it was."), must("After", &Self::after, "Where it is now."),
                 must("RecordsRepeated", &Self::records_repeated, "Records that are done, and will come again."),
                 must("RecordsSkipped", &Self::records_skipped, "Records that are not done, and will not come."));
  }
};

struct ResetConsumerOutput {
  std::optional<bool> dry_run;
  std::optional<std::vector<ResetShard>> shards;

  static constexpr auto shape() {
    using Self = ResetConsumerOutput;
    return Shape("ResetConsumerOutput", must("DryRun", &Self::dry_run, "Nothing was done."),
                 must("Shards", &Self::shards, "What became, or would become, of each."));
  }
};

struct ResetConsumerOperation {
  static constexpr std::string_view name = "ResetConsumer";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/streams/{stream}/consumers/{consumer}/reset";
  static constexpr std::string_view summary =
      "Sets positions; whoever holds the shards gets them again with new epochs.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound,
                                     ErrorCode::InvalidPosition, ErrorCode::ConsumerBusy, ErrorCode::InvalidRequest};
  using Input = ResetConsumerInput;
  using Output = ResetConsumerOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DescribeLag

struct ShardLagState {
  std::optional<std::string> shard_id;
  std::optional<std::string_view> state;
  std::optional<std::string> owner;
  std::optional<std::int64_t> epoch;
  std::optional<std::string> sequence_number;
  std::optional<std::int64_t> sub_sequence_number;
  std::optional<std::int64_t> records_behind;
  std::optional<std::int64_t> millis_behind;
  std::optional<std::int64_t> lost_records;
  std::optional<std::string> metadata;
  std::optional<Timestamp> committed;

  static constexpr auto shape() {
    using Self = ShardLagState;
    return Shape(
        "ShardLag", must("ShardId", &Self::shard_id, "The shard."),
        must("State", &Self::state, "BLOCKED by its parents, FREE, LEASED, REVOKING or FINISHED."),
        may("Owner", &Self::owner, "The member that holds it."),
        must("Epoch", &Self::epoch, "Of the latest lease; 0 if it never was held."),
        may("SequenceNumber", &Self::sequence_number, "Of the last record that is done; absent where none is."),
        may("SubSequenceNumber", &Self::sub_sequence_number, "Of that record, the last user record that is done."),
        must("RecordsBehind", &Self::records_behind, "That are not done."),
        must("MillisBehind", &Self::millis_behind, "How old the first of them is; 0 if there is none."),
        must("LostRecords", &Self::lost_records, "That retention took before they were handed out."),
        may("Metadata", &Self::metadata, "Of the latest commit that had any."),
        may("CommittedTimestamp", &Self::committed, "When the position was last committed or reset."));
  }
};

struct DescribeLagOutput {
  std::optional<std::string> consumer_name;
  std::optional<std::int64_t> records_behind;
  std::optional<std::int64_t> millis_behind;
  std::optional<std::int64_t> lost_records;
  std::optional<std::vector<ShardLagState>> shards;
  std::optional<bool> has_more_shards;

  static constexpr auto shape() {
    using Self = DescribeLagOutput;
    return Shape("DescribeLagOutput", must("ConsumerName", &Self::consumer_name, "Its name."),
                 must("RecordsBehind", &Self::records_behind, "In all of these shards."),
                 must("MillisBehind", &Self::millis_behind, "In the shard that is furthest behind."),
                 must("LostRecords", &Self::lost_records, "In all of these shards and in those that are gone."),
                 must("Shards", &Self::shards, "Each of them."),
                 must("HasMoreShards", &Self::has_more_shards, "Go on with ExclusiveStartShardId."));
  }
};

struct DescribeLagOperation {
  static constexpr std::string_view name = "DescribeLag";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/streams/{stream}/consumers/{consumer}/lag";
  static constexpr std::string_view summary = "Tells how far a consumer is behind, and what it has lost.";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::ConsumerNotFound,
                                     ErrorCode::InvalidRequest};
  using Input = DescribeConsumerInput;
  using Output = DescribeLagOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

/// `stream` in the caller's account and region.
StreamName stream_named(const std::string& stream, const Caller& caller);

}  // namespace penstock::protocol::native
