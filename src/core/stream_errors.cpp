#include "core/stream_errors.hpp"

#include <utility>

#include "penstock/limits.hpp"

namespace penstock::core {
namespace {

/// "stream X under account A"
std::string in_account(const StreamName& stream) {
  return "stream " + stream.name + " under account " + stream.account;
}

/// "Stream X under account A"
std::string capitalized(const StreamName& stream) {
  return "Stream " + stream.name + " under account " + stream.account;
}

/// A shard's id as the service has it, where what was given is any.
std::string canonical(std::string_view shard_id) {
  const auto shard = parse_shard_id(shard_id);
  return shard ? format_shard_id(*shard) : std::string(shard_id);
}

std::string starting_number_used(const StreamName& stream, ShardIndex shard, std::string_view number,
                                 std::string_view operation) {
  std::string text = "StartingSequenceNumber ";
  return text.append(number)
      .append(" used in ")
      .append(operation)
      .append(" on shard ")
      .append(format_shard_id(shard))
      .append(" in ")
      .append(in_account(stream));
}

}  // namespace

Error stream_not_found(const StreamName& stream) {
  return {ErrorCode::KinesisResourceNotFound, capitalized(stream) + " not found."};
}

Error stream_exists(const StreamName& stream) {
  return {ErrorCode::KinesisResourceInUse, capitalized(stream) + " already exists."};
}

Error stream_not_active(const StreamInfo& stream) {
  return {ErrorCode::KinesisResourceInUse,
          capitalized(stream.name) + " not ACTIVE, instead in state " + std::string(name_of(stream.status))};
}

Error shard_not_found(const StreamName& stream, std::string_view shard_id) {
  return {ErrorCode::KinesisResourceNotFound,
          "Could not find shard " + canonical(shard_id) + " in " + in_account(stream) + "."};
}

Error shard_does_not_exist(const StreamName& stream, std::string_view shard_id) {
  return {ErrorCode::KinesisResourceNotFound,
          "Shard " + canonical(shard_id) + " in " + in_account(stream) + " does not exist"};
}

Error shard_already_reshaped(const StreamName& stream, ShardIndex shard) {
  return invalid_argument("Shard " + format_shard_id(shard) + " in " + in_account(stream) +
                          " has already been merged or split, and thus is not eligible for merging or splitting.");
}

Error shards_not_adjacent(const StreamName& stream, std::string_view first, std::string_view second) {
  return invalid_argument("Shards " + canonical(first) + " and " + canonical(second) + " in " + in_account(stream) +
                          " are not an adjacent pair of shards eligible for merging");
}

Error hash_key_not_inside(const StreamName& stream, const ShardRecord& shard, std::string_view key) {
  std::string text = "NewStartingHashKey ";
  text.append(key).append(" used in SplitShard() on shard ").append(format_shard_id(shard.index)).append(" in ");
  text.append(in_account(stream)).append(" is not both greater than one plus the shard's StartingHashKey ");
  text.append(format_hash_key(shard.first_hash)).append(" and less than the shard's EndingHashKey ");
  return invalid_argument(text.append(format_hash_key(shard.last_hash)).append("."));
}

Error shard_limit_exceeded(const StreamName& stream, std::size_t now, std::size_t more) {
  std::string text = "This request would exceed the shard limit for the account ";
  text.append(stream.account).append(" in ").append(stream.region);
  text.append(". Current shard count for the account: ").append(std::to_string(now));
  text.append(". Limit: ").append(std::to_string(kinesis_limits::account_shards_max));
  text.append(". Number of additional shards that would have resulted from this request: ")
      .append(std::to_string(more));
  text.append(
      ". Refer to the AWS Service Limits page (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) "
      "for current limits and how to request higher limits.");
  return limit_exceeded(std::move(text));
}

Error rate_exceeded(const StreamName& stream, ShardIndex shard) {
  return {ErrorCode::KinesisThroughputExceeded,
          "Rate exceeded for shard " + format_shard_id(shard) + " in " + in_account(stream) + "."};
}

Error record_too_large(std::string_view member, std::size_t bytes, std::size_t bytes_max) {
  const std::string size = std::to_string(bytes);
  std::string text = "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=";
  text.append(size).append(" cap=").append(size).append("]' at '").append(member);
  text.append("' failed to satisfy constraint: Member must have length less than or equal to ");
  return {ErrorCode::KinesisValidation, text.append(std::to_string(bytes_max))};
}

Error invalid_ordering(const StreamName& stream, std::string_view number) {
  std::string text = "ExclusiveMinimumSequenceNumber ";
  text.append(number).append(" used in PutRecord on ").append(in_account(stream));
  return invalid_argument(text.append(" is invalid."));
}

Error invalid_starting_number(const StreamName& stream, ShardIndex shard, std::string_view number,
                              std::string_view operation) {
  return invalid_argument(starting_number_used(stream, shard, number, operation) + " is invalid.");
}

Error foreign_starting_number(const StreamName& stream, ShardIndex shard, std::string_view number,
                              std::string_view operation) {
  return invalid_argument(starting_number_used(stream, shard, number, operation) +
                          " is invalid because it did not come from this stream.");
}

Error number_of_other_shard(ShardIndex encoded, ShardIndex shard) {
  return invalid_argument("Invalid StartingSequenceNumber. It encodes " + format_shard_id(encoded) +
                          ", while it was used in a call to a shard with " + format_shard_id(shard));
}

Error consumer_not_found(const StreamName& stream, std::string_view consumer) {
  std::string text = "Consumer ";
  text.append(consumer).append(" in ").append(in_account(stream));
  return {ErrorCode::KinesisResourceNotFound, text.append(" not found.")};
}

Error invalid_argument(std::string message) { return {ErrorCode::KinesisInvalidArgument, std::move(message)}; }
Error in_use(std::string message) { return {ErrorCode::KinesisResourceInUse, std::move(message)}; }
Error limit_exceeded(std::string message) { return {ErrorCode::KinesisLimitExceeded, std::move(message)}; }

}  // namespace penstock::core
