// The operations on registered consumers, which read by enhanced fan-out.
#pragma once

#include <array>
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

struct Consumer {
  std::optional<std::string> consumer_name;
  std::optional<std::string> consumer_arn;
  std::optional<std::string_view> consumer_status;
  std::optional<Timestamp> consumer_creation_timestamp;

  static constexpr auto shape() {
    using Self = Consumer;
    return Shape("Consumer", required("ConsumerName", &Self::consumer_name),
                 required("ConsumerARN", &Self::consumer_arn), required("ConsumerStatus", &Self::consumer_status),
                 required("ConsumerCreationTimestamp", &Self::consumer_creation_timestamp));
  }
};

// ---- RegisterStreamConsumer

struct RegisterStreamConsumerInput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> consumer_name;
  std::optional<std::string> stream_id;
  std::optional<Map<std::string>> tags;

  static constexpr auto shape() {
    using Self = RegisterStreamConsumerInput;
    return Shape("RegisterStreamConsumerInput", required("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 required("ConsumerName", &Self::consumer_name, kinesis::consumer_name),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id), optional("Tags", &Self::tags, tag_map));
  }
};

struct RegisterStreamConsumerOutput {
  std::optional<Consumer> consumer;

  static constexpr auto shape() {
    return Shape("RegisterStreamConsumerOutput", required("Consumer", &RegisterStreamConsumerOutput::consumer));
  }
};

struct RegisterStreamConsumerOperation {
  static constexpr std::string_view name = "RegisterStreamConsumer";
  static constexpr std::array errors{ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisResourceNotFound};
  using Input = RegisterStreamConsumerInput;
  using Output = RegisterStreamConsumerOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DeregisterStreamConsumer and DescribeStreamConsumer

struct DeregisterStreamConsumerInput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> consumer_name;
  std::optional<std::string> consumer_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = DeregisterStreamConsumerInput;
    return Shape("DeregisterStreamConsumerInput", optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("ConsumerName", &Self::consumer_name, kinesis::consumer_name),
                 optional("ConsumerARN", &Self::consumer_arn, kinesis::consumer_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct DeregisterStreamConsumerOperation {
  static constexpr std::string_view name = "DeregisterStreamConsumer";
  static constexpr std::array errors{ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisInvalidArgument};
  using Input = DeregisterStreamConsumerInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

struct DescribeStreamConsumerInput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> consumer_name;
  std::optional<std::string> consumer_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = DescribeStreamConsumerInput;
    return Shape("DescribeStreamConsumerInput", optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("ConsumerName", &Self::consumer_name, kinesis::consumer_name),
                 optional("ConsumerARN", &Self::consumer_arn, kinesis::consumer_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

/// What the model calls ConsumerDescription.
struct DescribedConsumer {
  std::optional<std::string> consumer_name;
  std::optional<std::string> consumer_arn;
  std::optional<std::string_view> consumer_status;
  std::optional<Timestamp> consumer_creation_timestamp;
  std::optional<std::string> stream_arn;

  static constexpr auto shape() {
    using Self = DescribedConsumer;
    return Shape("ConsumerDescription", required("ConsumerName", &Self::consumer_name),
                 required("ConsumerARN", &Self::consumer_arn), required("ConsumerStatus", &Self::consumer_status),
                 required("ConsumerCreationTimestamp", &Self::consumer_creation_timestamp),
                 required("StreamARN", &Self::stream_arn));
  }
};

struct DescribeStreamConsumerOutput {
  std::optional<DescribedConsumer> consumer_description;

  static constexpr auto shape() {
    return Shape("DescribeStreamConsumerOutput",
                 required("ConsumerDescription", &DescribeStreamConsumerOutput::consumer_description));
  }
};

struct DescribeStreamConsumerOperation {
  static constexpr std::string_view name = "DescribeStreamConsumer";
  static constexpr std::array errors{ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisInvalidArgument};
  using Input = DescribeStreamConsumerInput;
  using Output = DescribeStreamConsumerOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListStreamConsumers

struct ListStreamConsumersInput {
  std::optional<std::string> stream_arn;
  std::optional<std::string> next_token;
  std::optional<std::int32_t> max_results;
  std::optional<Timestamp> stream_creation_timestamp;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = ListStreamConsumersInput;
    return Shape("ListStreamConsumersInput", required("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("NextToken", &Self::next_token, kinesis::next_token),
                 optional("MaxResults", &Self::max_results, page_limit),
                 optional("StreamCreationTimestamp", &Self::stream_creation_timestamp),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct ListStreamConsumersOutput {
  std::optional<std::vector<Consumer>> consumers;
  std::optional<std::string> next_token;

  static constexpr auto shape() {
    using Self = ListStreamConsumersOutput;
    return Shape("ListStreamConsumersOutput", optional("Consumers", &Self::consumers),
                 optional("NextToken", &Self::next_token));
  }
};

struct ListStreamConsumersOperation {
  static constexpr std::string_view name = "ListStreamConsumers";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisExpiredNextToken,
                                     ErrorCode::KinesisResourceInUse};
  using Input = ListStreamConsumersInput;
  using Output = ListStreamConsumersOutput;
  using Kept = KeepsIssued;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
