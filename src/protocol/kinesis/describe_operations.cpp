#include "protocol/kinesis/describe_operations.hpp"

#include <algorithm>
#include <utility>

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::protocol::kinesis {
namespace {

/// What both descriptions of a stream say.
template <class Described>
void describe_stream(StreamInfo& info, Described& stream) {
  stream.stream_arn = arn_of(info.name);
  stream.stream_name = std::move(info.name.name);
  stream.stream_status = name_of(info.status);
  stream.stream_mode_details = mode_details_of(info.on_demand);
  stream.retention_period_hours = static_cast<std::int32_t>(info.retention_hours);
  stream.stream_creation_timestamp = to_creation_timestamp(info.created);
  stream.enhanced_monitoring.emplace().push_back({std::move(info.metrics)});
  stream.encryption_type = info.encrypted ? "KMS" : "NONE";
  if (info.encrypted) stream.key_id = std::move(info.key_id);
}

ShardFilter::Type filter_type_of(std::string_view name) {
  using Type = ShardFilter::Type;
  if (name == "AFTER_SHARD_ID") return Type::after_shard_id;
  if (name == "AT_TRIM_HORIZON") return Type::at_trim_horizon;
  if (name == "FROM_TRIM_HORIZON") return Type::from_trim_horizon;
  if (name == "AT_LATEST") return Type::at_latest;
  return name == "AT_TIMESTAMP" ? Type::at_timestamp : Type::from_timestamp;
}

Error lacks(const GivenShardFilter& filter, std::string_view member) {
  std::string message(member);
  return invalid_argument(message.append(" must be provided for a ShardFilter of type ").append(*filter.type) + ".");
}

std::variant<Error, ShardFilter> to_filter(GivenShardFilter& given) {
  ShardFilter filter;
  filter.type = filter_type_of(*given.type);
  if (filter.type == ShardFilter::Type::after_shard_id) {
    if (!given.shard_id) return lacks(given, "ShardId");
    filter.shard_id = std::move(*given.shard_id);
  }
  if (filter.type == ShardFilter::Type::at_timestamp || filter.type == ShardFilter::Type::from_timestamp) {
    filter.timestamp = to_instant(given.timestamp);
    if (!filter.timestamp) return lacks(given, "Timestamp");
  }
  return filter;
}

/// What a request may not have beside a NextToken, which says all of it.
std::optional<Error> check_alone(const ListShardsInput& input) {
  if (input.stream_name) return excluded_by_token("StreamName");
  if (input.exclusive_start_shard_id) return excluded_by_token("ExclusiveStartShardId");
  if (input.stream_creation_timestamp) return excluded_by_token("StreamCreationTimestamp");
  if (input.shard_filter) return excluded_by_token("ShardFilter");
  return std::nullopt;
}

Asked list_more_shards(const ListShardsInput& input, const Caller& caller, ListShards command, NextToken& kept) {
  if (auto error = check_alone(input)) return std::move(*error);
  auto read = read_next_token(*input.next_token, NextToken::List::shards, caller.now);
  if (Error* error = std::get_if<Error>(&read)) return std::move(*error);
  auto& token = std::get<NextToken>(read);
  if (auto error = check_agrees(token.stream, token.id, input.stream_arn, input.stream_id, caller)) {
    return std::move(*error);
  }
  command.id = token.id;
  command.filter = token.filter;
  command.after_shard_id = std::move(token.after);
  kept = {NextToken::List::shards, token.stream, token.id, {}, std::move(token.filter), caller.now};
  return ask_by_id(token.stream, token.id, std::move(command));
}

}  // namespace

Asked DescribeStreamOperation::to_command(Input& input, const Caller& caller, Kept&) {
  DescribeStream command;
  command.after_shard_id = std::move(input.exclusive_start_shard_id).value_or(std::string());
  command.limit = page_of(input.limit, kinesis_limits::describe_shards_max);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<DescribeStreamOutput> DescribeStreamOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<StreamDescription>(&result);
  if (found == nullptr) return unexpected_result();
  Output output;
  DescribedStream& stream = output.stream_description.emplace();
  describe_stream(found->info, stream);
  stream.shards = to_shards(found->shards);
  stream.has_more_shards = found->more;
  return output;
}

Asked DescribeStreamSummaryOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), DescribeStreamSummary{});
}

Told<DescribeStreamSummaryOutput> DescribeStreamSummaryOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<StreamSummary>(&result);
  if (found == nullptr) return unexpected_result();
  Output output;
  SummarizedStream& stream = output.stream_description_summary.emplace();
  describe_stream(found->info, stream);
  stream.stream_id = format_stream_id(found->info.id);
  stream.open_shard_count = static_cast<std::int32_t>(found->open_shards);
  stream.consumer_count = static_cast<std::int32_t>(found->info.consumers.size());
  if (const auto& mibps = found->info.warm_mibps) {
    const auto number = static_cast<std::int32_t>(*mibps);
    stream.warm_throughput = WarmThroughputObject{number, number};
  }
  stream.max_record_size_kib = static_cast<std::int32_t>(found->info.record_kib_max);
  return output;
}

Asked DescribeLimitsOperation::to_command(Input&, const Caller& caller, Kept&) {
  return StreamCommand(DescribeLimits{account_of(caller)});
}

Told<DescribeLimitsOutput> DescribeLimitsOperation::to_output(Result&& result, Kept&) {
  const auto* counts = std::get_if<StreamCounts>(&result);
  if (counts == nullptr) return unexpected_result();
  return Output{kinesis_limits::account_shards_max, static_cast<std::int32_t>(counts->open_shards),
                static_cast<std::int32_t>(counts->on_demand_streams), kinesis_limits::on_demand_streams_max};
}

Asked ListStreamsOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  kept.issued = caller.now;
  ListStreams command;
  command.stream = account_of(caller);
  command.limit = page_of(input.limit, kinesis_limits::list_streams_max);
  command.after = std::move(input.exclusive_start_stream_name).value_or(std::string());
  if (input.next_token) {
    if (!command.after.empty()) return excluded_by_token("ExclusiveStartStreamName");
    auto read = read_next_token(*input.next_token, NextToken::List::streams, caller.now);
    if (Error* error = std::get_if<Error>(&read)) return std::move(*error);
    command.after = std::move(std::get<NextToken>(read).after);
  }
  return StreamCommand(std::move(command));
}

Told<ListStreamsOutput> ListStreamsOperation::to_output(Result&& result, Kept& kept) {
  const auto* list = std::get_if<StreamList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  auto& names = output.stream_names.emplace();
  auto& summaries = output.stream_summaries.emplace();
  for (const ListedStream& listed : list->streams) {
    names.push_back(listed.name.name);
    summaries.push_back({listed.name.name, arn_of(listed.name), name_of(listed.status),
                         mode_details_of(listed.on_demand), to_creation_timestamp(listed.created)});
  }
  output.has_more_streams = list->more;
  if (list->more && !names.empty()) {
    output.next_token = to_string(NextToken{NextToken::List::streams, {}, {}, names.back(), {}, kept.issued});
  }
  return output;
}

Asked ListShardsOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  ListShards command;
  command.limit = page_of(input.max_results, kinesis_limits::list_shards_max);
  if (input.next_token) return list_more_shards(input, caller, std::move(command), kept);
  if (input.shard_filter) {
    auto filter = to_filter(*input.shard_filter);
    if (Error* error = std::get_if<Error>(&filter)) return std::move(*error);
    command.filter = std::get<ShardFilter>(std::move(filter));
  }
  command.after_shard_id = std::move(input.exclusive_start_shard_id).value_or(std::string());
  command.created = to_instant(input.stream_creation_timestamp);
  auto found = address_of(input.stream_name, input.stream_arn, input.stream_id, caller);
  if (const auto* address = std::get_if<Address>(&found)) {
    kept = {NextToken::List::shards, address->stream, {}, {}, command.filter, caller.now};
  }
  return ask(std::move(found), std::move(command));
}

Told<ListShardsOutput> ListShardsOperation::to_output(Result&& result, Kept& kept) {
  const auto* list = std::get_if<ShardList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  output.shards = to_shards(list->shards);
  if (list->more && !list->shards.empty()) {
    kept.id = list->id;
    kept.after = format_shard_id(list->shards.back().index);
    output.next_token = to_string(kept);
  }
  return output;
}

}  // namespace penstock::protocol::kinesis
