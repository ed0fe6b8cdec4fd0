// The operations that make, describe, list and delete consumers with positions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/native/call.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/native/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

// ---- What is said of a consumer.

struct MemberState {
  std::optional<std::string> member;
  std::optional<std::int64_t> shards;
  std::optional<Timestamp> expiration_timestamp;
  std::optional<bool> waiting;
  std::optional<bool> reader;

  static constexpr auto shape() {
    using Self = MemberState;
    return Shape("MemberState", required("Member", &Self::member, about("The member's name.")),
                 required("Shards", &Self::shards, about("How many shards it has.")),
                 required("ExpirationTimestamp", &Self::expiration_timestamp,
                          about("When its shards go to others, unless it is heard of.")),
                 required("Waiting", &Self::waiting, about("Whether a poll of it waits.")),
                 required("Reader", &Self::reader, about("Whether it reads by plain calls of Kinesis.")));
  }
};

struct ConsumerDescriptionOutput {
  std::optional<std::string> consumer_name;
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<Timestamp> creation_timestamp;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::string_view> commit_mode;
  std::optional<bool> ephemeral;
  std::optional<std::string_view> start_type;
  std::optional<std::int64_t> lost_records;
  std::optional<std::vector<MemberState>> members;
  std::optional<std::vector<ShardState>> shards;
  std::optional<bool> has_more_shards;

  template <class... Members>
  static constexpr auto shape_with(std::string_view name, Members... members) {
    using Self = ConsumerDescriptionOutput;
    return Shape(
        name, required("ConsumerName", &Self::consumer_name, about("The consumer's name.")),
        required("StreamName", &Self::stream_name, about("The stream's name.")),
        required("StreamARN", &Self::stream_arn, about("The stream's ARN.")),
        required("CreationTimestamp", &Self::creation_timestamp, about("When the consumer was created.")),
        required("LeaseMillis", &Self::lease_millis, about("How long a member that is not heard of keeps its shards.")),
        required("CommitMode", &Self::commit_mode,
                 about("ON_POLL: the next poll commits what the one before handed out; ON_COMMIT: only a commit does.",
                       rules::commit_mode)),
        required("Ephemeral", &Self::ephemeral, about("Whether it is not stored, and gone with its last member.")),
        required("StartType", &Self::start_type, about("Where it began.", rules::start_type)),
        required("LostRecords", &Self::lost_records,
                 about("That retention took before they were read, of all shards that there were.")),
        required("Members", &Self::members, about("Those that are there.")),
        required("Shards", &Self::shards, about("What it has of each shard.")),
        required("HasMoreShards", &Self::has_more_shards,
                 about("Whether there are more, to be had by ExclusiveStartShardId.")),
        members...);
  }
  static constexpr auto shape() { return shape_with("ConsumerDescription"); }
};

// ---- CreateConsumer

struct GivenStart {
  std::optional<std::string> type;
  std::optional<Timestamp> timestamp;
  std::optional<std::vector<StartPosition>> positions;

  static constexpr auto shape() {
    using Self = GivenStart;
    return Shape("Start",
                 optional("Type", &Self::type,
                          about("Where the consumer begins, TRIM_HORIZON if nothing is said.", rules::start_type)),
                 optional("Timestamp", &Self::timestamp, about("Of AT_TIMESTAMP.")),
                 optional("Positions", &Self::positions,
                          about("Of shards that it does not begin at the horizon; their ancestors are finished.",
                                rules::positions)));
  }
};

struct CreateConsumerInput : OfConsumer {
  std::optional<GivenStart> start;
  std::optional<std::int32_t> lease_millis;
  std::optional<std::string> commit_mode;
  std::optional<bool> ephemeral;

  static constexpr auto shape() {
    using Self = CreateConsumerInput;
    return consumer_shape(
        "CreateConsumerInput", optional("Start", &Self::start, about("Where the consumer begins.")),
        optional("LeaseMillis", &Self::lease_millis,
                 about("How long a member that is not heard of keeps its shards, 10000 if nothing is said.",
                       rules::lease_millis)),
        optional("CommitMode", &Self::commit_mode,
                 about("ON_POLL (if nothing is said): the next poll commits what the one before handed out; ON_COMMIT: "
                       "only a commit does.",
                       rules::commit_mode)),
        optional("Ephemeral", &Self::ephemeral, about("Whether it is not stored, and gone with its last member.")));
  }
};

struct CreateConsumerOutput : ConsumerDescriptionOutput {
  std::optional<bool> created;

  static constexpr auto shape() {
    return shape_with("CreateConsumerOutput", required("Created", &CreateConsumerOutput::created,
                                                       about("Whether it was created by this very request.")));
  }
};

struct CreateConsumerOperation {
  static constexpr std::string_view name = "CreateConsumer";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}";
  static constexpr std::string_view summary =
      "Creates a consumer; where there is one with the same settings, that is the answer.";
  static constexpr std::array statuses{status_ok, status_created};
  static constexpr auto errors = errors_of(ErrorCode::ConsumerExists, ErrorCode::InvalidPosition,
                                           ErrorCode::ConsumerLimitExceeded, ErrorCode::KinesisInvalidArgument);
  using Input = CreateConsumerInput;
  using Output = CreateConsumerOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
  static int to_status(const Output& output) { return *output.created ? status_created : status_ok; }
};

// ---- DescribeConsumer

/// Also of DescribeLag.
struct ShardsPageInput : OfConsumer {
  std::optional<std::string> exclusive_start_shard_id;
  std::optional<std::int32_t> limit;

  static constexpr auto shape() {
    using Self = ShardsPageInput;
    return consumer_shape(
        "ShardsPageInput",
        optional("ExclusiveStartShardId", &Self::exclusive_start_shard_id,
                 in_query("Only shards after this one are told of.", kinesis::shard_id)),
        optional("Limit", &Self::limit, in_query("How many shards are told of, at most.", rules::list_limit)));
  }
};

struct DescribeConsumerOperation {
  static constexpr std::string_view name = "DescribeConsumer";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}";
  static constexpr std::string_view summary = "Describes a consumer, its members and what it has of each shard.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = errors_of(ErrorCode::ConsumerNotFound);
  using Input = ShardsPageInput;
  using Output = ConsumerDescriptionOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListConsumers

struct ListConsumersInput : OfStream {
  std::optional<std::string> exclusive_start_consumer;
  std::optional<std::int32_t> limit;

  static constexpr auto shape() {
    using Self = ListConsumersInput;
    return stream_shape(
        "ListConsumersInput",
        optional("ExclusiveStartConsumer", &Self::exclusive_start_consumer,
                 in_query("Only consumers whose names come after this one are listed.", rules::name)),
        optional("Limit", &Self::limit, in_query("How many consumers are listed, at most.", rules::list_limit)));
  }
};

struct ConsumerSummary {
  std::optional<std::string> consumer_name;
  std::optional<Timestamp> creation_timestamp;
  std::optional<std::int64_t> lease_millis;
  std::optional<std::string_view> commit_mode;
  std::optional<bool> ephemeral;
  std::optional<std::string_view> start_type;
  std::optional<std::int64_t> lost_records;

  static constexpr auto shape() {
    using Self = ConsumerSummary;
    return Shape(
        "ConsumerSummary", required("ConsumerName", &Self::consumer_name, about("The consumer's name.")),
        required("CreationTimestamp", &Self::creation_timestamp, about("When it was created.")),
        required("LeaseMillis", &Self::lease_millis, about("How long a member that is not heard of keeps its shards.")),
        required("CommitMode", &Self::commit_mode, about("What commits.", rules::commit_mode)),
        required("Ephemeral", &Self::ephemeral, about("Whether it is not stored, and gone with its last member.")),
        required("StartType", &Self::start_type, about("Where it began.", rules::start_type)),
        required("LostRecords", &Self::lost_records,
                 about("That retention took before they were read, of all shards that there were.")));
  }
};

struct ListConsumersOutput {
  std::optional<std::vector<ConsumerSummary>> consumers;
  std::optional<bool> has_more_consumers;

  static constexpr auto shape() {
    using Self = ListConsumersOutput;
    return Shape("ListConsumersOutput", required("Consumers", &Self::consumers, about("Sorted by name.")),
                 required("HasMoreConsumers", &Self::has_more_consumers,
                          about("Whether there are more, to be had by ExclusiveStartConsumer.")));
  }
};

struct ListConsumersOperation {
  static constexpr std::string_view name = "ListConsumers";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers";
  static constexpr std::string_view summary = "Lists the consumers of a stream.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = errors_of();
  using Input = ListConsumersInput;
  using Output = ListConsumersOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DeleteConsumer

struct DeleteConsumerInput : OfConsumer {
  static constexpr auto shape() { return consumer_shape("DeleteConsumerInput"); }
};

struct DeleteConsumerOperation {
  static constexpr std::string_view name = "DeleteConsumer";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/_penstock/streams/{Stream}/consumers/{Consumer}";
  static constexpr std::string_view summary = "Deletes a consumer with its positions; polls that wait are ended.";
  static constexpr std::array statuses{status_no_content};
  static constexpr auto errors = errors_of(ErrorCode::ConsumerNotFound, ErrorCode::ConsumerBusy);
  using Input = DeleteConsumerInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
  static int to_status(const Output&) { return status_no_content; }
};

}  // namespace penstock::protocol::native
