// SubscribeToShard, whose answer is a stream of events: records as they are put, and now and then none, so that both
// sides know that the other is there.
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
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

/// What the model calls StartingPosition.
struct GivenStartingPosition {
  std::optional<std::string> type;
  std::optional<std::string> sequence_number;
  std::optional<Timestamp> timestamp;

  static constexpr auto shape() {
    using Self = GivenStartingPosition;
    return Shape("StartingPosition", required("Type", &Self::type, shard_iterator_type),
                 optional("SequenceNumber", &Self::sequence_number, kinesis::sequence_number),
                 optional("Timestamp", &Self::timestamp));
  }
};

struct SubscribeToShardInput {
  std::optional<std::string> consumer_arn;
  std::optional<std::string> stream_id;
  std::optional<std::string> shard_id;
  std::optional<GivenStartingPosition> starting_position;

  static constexpr auto shape() {
    using Self = SubscribeToShardInput;
    return Shape("SubscribeToShardInput", required("ConsumerARN", &Self::consumer_arn, kinesis::consumer_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id),
                 required("ShardId", &Self::shard_id, kinesis::shard_id),
                 required("StartingPosition", &Self::starting_position));
  }
};

struct SubscribeToShardEvent {
  std::optional<std::vector<Record>> records;
  std::optional<std::string> continuation_sequence_number;  ///< nothing if and only if there are child shards
  std::optional<std::int64_t> millis_behind_latest;
  std::optional<std::vector<ChildShard>> child_shards;

  std::size_t bytes_expected() const { return kinesis::bytes_expected(*records); }

  static constexpr auto shape() {
    using Self = SubscribeToShardEvent;
    return Shape("SubscribeToShardEvent", required("Records", &Self::records),
                 required("ContinuationSequenceNumber", &Self::continuation_sequence_number),
                 required("MillisBehindLatest", &Self::millis_behind_latest),
                 optional("ChildShards", &Self::child_shards));
  }
};

/// Its other members are exceptions, each of which ends the stream in a frame of its own.
struct SubscribeToShardEventStream {
  std::optional<SubscribeToShardEvent> subscribe_to_shard_event;

  static constexpr auto shape() {
    return Shape("SubscribeToShardEventStream",
                 required("SubscribeToShardEvent", &SubscribeToShardEventStream::subscribe_to_shard_event));
  }
};

struct SubscribeToShardOutput {
  std::optional<SubscribeToShardEventStream> event_stream;

  static constexpr auto shape() {
    return Shape("SubscribeToShardOutput", required("EventStream", &SubscribeToShardOutput::event_stream));
  }
};

struct SubscribeToShardOperation {
  static constexpr std::string_view name = "SubscribeToShard";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisResourceInUse, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisAccessDenied};
  using Input = SubscribeToShardInput;
  using Output = SubscribeToShardOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
  static WireResponse to_response(const Reply& reply);
  static EventFeed to_feed();
};

}  // namespace penstock::protocol::kinesis
