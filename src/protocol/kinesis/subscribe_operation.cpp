#include "protocol/kinesis/subscribe_operation.hpp"

#include <algorithm>
#include <utility>

#include "penstock/stream_names.hpp"
#include "protocol/event_stream.hpp"
#include "protocol/faults.hpp"
#include "protocol/kinesis/record_operations.hpp"

namespace penstock::protocol::kinesis {
namespace {

/// A number from which AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER go on exactly behind this page. Its second is that
/// of the page, so that the number grows while there are no records.
SequenceNumber continuation_of(const RecordsPage& page) {
  const std::uint64_t last = page.next.value == 0 ? 0 : page.next.value - 1;
  SequenceNumber number = record_number(page.shard, page.created_s, RecordIndex{last}, page.now);
  number.behind = true;
  return number;
}

std::string to_event(const RecordsPage& page) {
  SubscribeToShardEvent event;
  event.records = to_records(page);
  event.millis_behind_latest = page.behind.count();
  if (page.ends_shard()) {
    event.child_shards = to_child_shards(page.children);
  } else {
    event.continuation_sequence_number = format_sequence_number(continuation_of(page));
  }
  return json_event_frame("SubscribeToShardEvent", written_by<JsonSink>(event));
}

/// The errors that are members of the model's stream. Any other is a failure of the server to its client.
constexpr std::array stream_errors{
    ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,   ErrorCode::KinesisKmsDisabled,
    ErrorCode::KinesisKmsInvalidState,  ErrorCode::KinesisKmsAccessDenied, ErrorCode::KinesisKmsNotFound,
    ErrorCode::KinesisKmsOptInRequired, ErrorCode::KinesisKmsThrottling,   ErrorCode::KinesisInternalFailure,
};

std::string to_exception(const Error& error) {
  const bool is_member = std::ranges::find(stream_errors, error.code) != stream_errors.end();
  const Fault& fault = fault_of(is_member ? error.code : ErrorCode::KinesisInternalFailure);
  const std::string_view message =
      is_member && !error.message.empty() ? std::string_view(error.message) : fault.message;
  return exception_frame(fault.short_type(), message);
}

}  // namespace

Asked SubscribeToShardOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto found = consumer_address_of({}, {}, input.consumer_arn, input.stream_id, caller);
  if (Error* error = std::get_if<Error>(&found)) return std::move(*error);
  auto& address = std::get<ConsumerAddress>(found);
  GivenStartingPosition& start = *input.starting_position;
  SubscribeToShard command;
  command.consumer = {std::move(address.name), address.created_s.value_or(0)};
  command.shard_id = std::move(*input.shard_id);
  command.start = {iterator_type_of(*start.type), std::move(start.sequence_number), to_instant(start.timestamp)};
  return ask(std::move(address.stream), std::move(command));
}

Told<SubscribeToShardOutput> SubscribeToShardOperation::to_output(Result&& result, Kept&) {
  if (!std::holds_alternative<Subscribed>(result)) return unexpected_result();
  return Output{};
}

WireResponse SubscribeToShardOperation::to_response(const Reply& reply) {
  WireResponse response = respond(reply, 200, initial_response_frame());
  response.content_type = event_stream_content_type;
  return response;
}

EventFeed SubscribeToShardOperation::to_feed() {
  return {[](RecordsPage&& page) { return to_event(page); }, to_exception};
}

}  // namespace penstock::protocol::kinesis
