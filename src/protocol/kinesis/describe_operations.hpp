// The operations that list and describe streams and their shards.
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
#include "protocol/kinesis/call.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/kinesis/tokens.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

struct EnhancedMetrics {
  std::optional<std::vector<std::string>> shard_level_metrics;

  static constexpr auto shape() {
    return Shape("EnhancedMetrics", optional("ShardLevelMetrics", &EnhancedMetrics::shard_level_metrics));
  }
};

// ---- DescribeStream

struct DescribeStreamInput {
  std::optional<std::string> stream_name;
  std::optional<std::int32_t> limit;
  std::optional<std::string> exclusive_start_shard_id;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = DescribeStreamInput;
    return Shape("DescribeStreamInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("Limit", &Self::limit, page_limit),
                 optional("ExclusiveStartShardId", &Self::exclusive_start_shard_id, shard_id),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct DescribedStream {
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<std::string_view> stream_status;
  std::optional<StreamModeDetails> stream_mode_details;
  std::optional<std::vector<Shard>> shards;
  std::optional<bool> has_more_shards;
  std::optional<std::int32_t> retention_period_hours;
  std::optional<Timestamp> stream_creation_timestamp;
  std::optional<std::vector<EnhancedMetrics>> enhanced_monitoring;
  std::optional<std::string_view> encryption_type;
  std::optional<std::string> key_id;

  static constexpr auto shape() {
    using Self = DescribedStream;
    return Shape("StreamDescription", required("StreamName", &Self::stream_name),
                 required("StreamARN", &Self::stream_arn), required("StreamStatus", &Self::stream_status),
                 optional("StreamModeDetails", &Self::stream_mode_details), required("Shards", &Self::shards),
                 required("HasMoreShards", &Self::has_more_shards),
                 required("RetentionPeriodHours", &Self::retention_period_hours),
                 required("StreamCreationTimestamp", &Self::stream_creation_timestamp),
                 required("EnhancedMonitoring", &Self::enhanced_monitoring),
                 optional("EncryptionType", &Self::encryption_type), optional("KeyId", &Self::key_id));
  }
};

struct DescribeStreamOutput {
  std::optional<DescribedStream> stream_description;

  static constexpr auto shape() {
    return Shape("DescribeStreamOutput", required("StreamDescription", &DescribeStreamOutput::stream_description));
  }
};

struct DescribeStreamOperation {
  static constexpr std::string_view name = "DescribeStream";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisAccessDenied};
  using Input = DescribeStreamInput;
  using Output = DescribeStreamOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DescribeStreamSummary

struct DescribeStreamSummaryInput {
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = DescribeStreamSummaryInput;
    return Shape("DescribeStreamSummaryInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct SummarizedStream {
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;
  std::optional<std::string_view> stream_status;
  std::optional<StreamModeDetails> stream_mode_details;
  std::optional<std::int32_t> retention_period_hours;
  std::optional<Timestamp> stream_creation_timestamp;
  std::optional<std::vector<EnhancedMetrics>> enhanced_monitoring;
  std::optional<std::string_view> encryption_type;
  std::optional<std::string> key_id;
  std::optional<std::int32_t> open_shard_count;
  std::optional<std::int32_t> consumer_count;
  std::optional<WarmThroughputObject> warm_throughput;
  std::optional<std::int32_t> max_record_size_kib;

  static constexpr auto shape() {
    using Self = SummarizedStream;
    return Shape(
        "StreamDescriptionSummary", required("StreamName", &Self::stream_name),
        required("StreamARN", &Self::stream_arn), optional("StreamId", &Self::stream_id),
        required("StreamStatus", &Self::stream_status), optional("StreamModeDetails", &Self::stream_mode_details),
        required("RetentionPeriodHours", &Self::retention_period_hours),
        required("StreamCreationTimestamp", &Self::stream_creation_timestamp),
        required("EnhancedMonitoring", &Self::enhanced_monitoring), optional("EncryptionType", &Self::encryption_type),
        optional("KeyId", &Self::key_id), required("OpenShardCount", &Self::open_shard_count),
        optional("ConsumerCount", &Self::consumer_count), optional("WarmThroughput", &Self::warm_throughput),
        optional("MaxRecordSizeInKiB", &Self::max_record_size_kib));
  }
};

struct DescribeStreamSummaryOutput {
  std::optional<SummarizedStream> stream_description_summary;

  static constexpr auto shape() {
    return Shape("DescribeStreamSummaryOutput",
                 required("StreamDescriptionSummary", &DescribeStreamSummaryOutput::stream_description_summary));
  }
};

struct DescribeStreamSummaryOperation {
  static constexpr std::string_view name = "DescribeStreamSummary";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisAccessDenied};
  using Input = DescribeStreamSummaryInput;
  using Output = DescribeStreamSummaryOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DescribeLimits

struct DescribeLimitsInput {
  static constexpr auto shape() { return Shape("DescribeLimitsInput"); }
};

struct DescribeLimitsOutput {
  std::optional<std::int32_t> shard_limit;
  std::optional<std::int32_t> open_shard_count;
  std::optional<std::int32_t> on_demand_stream_count;
  std::optional<std::int32_t> on_demand_stream_count_limit;

  static constexpr auto shape() {
    using Self = DescribeLimitsOutput;
    return Shape("DescribeLimitsOutput", required("ShardLimit", &Self::shard_limit),
                 required("OpenShardCount", &Self::open_shard_count),
                 required("OnDemandStreamCount", &Self::on_demand_stream_count),
                 required("OnDemandStreamCountLimit", &Self::on_demand_stream_count_limit));
  }
};

struct DescribeLimitsOperation {
  static constexpr std::string_view name = "DescribeLimits";
  static constexpr std::array errors{ErrorCode::KinesisLimitExceeded};
  using Input = DescribeLimitsInput;
  using Output = DescribeLimitsOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListStreams

struct ListStreamsInput {
  std::optional<std::int32_t> limit;
  std::optional<std::string> exclusive_start_stream_name;
  std::optional<std::string> next_token;

  static constexpr auto shape() {
    using Self = ListStreamsInput;
    return Shape("ListStreamsInput", optional("Limit", &Self::limit, page_limit),
                 optional("ExclusiveStartStreamName", &Self::exclusive_start_stream_name, stream_name),
                 optional("NextToken", &Self::next_token, kinesis::next_token));
  }
};

struct SummaryOfStream {
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<std::string_view> stream_status;
  std::optional<StreamModeDetails> stream_mode_details;
  std::optional<Timestamp> stream_creation_timestamp;

  static constexpr auto shape() {
    using Self = SummaryOfStream;
    return Shape("StreamSummary", required("StreamName", &Self::stream_name), required("StreamARN", &Self::stream_arn),
                 required("StreamStatus", &Self::stream_status),
                 optional("StreamModeDetails", &Self::stream_mode_details),
                 optional("StreamCreationTimestamp", &Self::stream_creation_timestamp));
  }
};

struct ListStreamsOutput {
  std::optional<std::vector<std::string>> stream_names;
  std::optional<bool> has_more_streams;
  std::optional<std::string> next_token;
  std::optional<std::vector<SummaryOfStream>> stream_summaries;

  static constexpr auto shape() {
    using Self = ListStreamsOutput;
    return Shape("ListStreamsOutput", required("StreamNames", &Self::stream_names),
                 required("HasMoreStreams", &Self::has_more_streams), optional("NextToken", &Self::next_token),
                 optional("StreamSummaries", &Self::stream_summaries));
  }
};

struct ListStreamsOperation {
  static constexpr std::string_view name = "ListStreams";
  static constexpr std::array errors{ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisExpiredNextToken,
                                     ErrorCode::KinesisInvalidArgument};
  using Input = ListStreamsInput;
  using Output = ListStreamsOutput;
  using Kept = KeepsIssued;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListShards

/// What the model calls ShardFilter.
struct GivenShardFilter {
  std::optional<std::string> type;
  std::optional<std::string> shard_id;
  std::optional<Timestamp> timestamp;

  static constexpr auto shape() {
    using Self = GivenShardFilter;
    return Shape("ShardFilter", required("Type", &Self::type, shard_filter_type),
                 optional("ShardId", &Self::shard_id, kinesis::shard_id), optional("Timestamp", &Self::timestamp));
  }
};

struct ListShardsInput {
  std::optional<std::string> stream_name;
  std::optional<std::string> next_token;
  std::optional<std::string> exclusive_start_shard_id;
  std::optional<std::int32_t> max_results;
  std::optional<Timestamp> stream_creation_timestamp;
  std::optional<GivenShardFilter> shard_filter;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = ListShardsInput;
    return Shape("ListShardsInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("NextToken", &Self::next_token, kinesis::next_token),
                 optional("ExclusiveStartShardId", &Self::exclusive_start_shard_id, shard_id),
                 optional("MaxResults", &Self::max_results, page_limit),
                 optional("StreamCreationTimestamp", &Self::stream_creation_timestamp),
                 optional("ShardFilter", &Self::shard_filter),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct ListShardsOutput {
  std::optional<std::vector<Shard>> shards;
  std::optional<std::string> next_token;

  static constexpr auto shape() {
    using Self = ListShardsOutput;
    return Shape("ListShardsOutput", optional("Shards", &Self::shards), optional("NextToken", &Self::next_token));
  }
};

struct ListShardsOperation {
  static constexpr std::string_view name = "ListShards";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisLimitExceeded,    ErrorCode::KinesisExpiredNextToken,
                                     ErrorCode::KinesisResourceInUse,    ErrorCode::KinesisAccessDenied};
  using Input = ListShardsInput;
  using Output = ListShardsOutput;
  using Kept = NextToken;  ///< that of the next page, except for where it goes on
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
