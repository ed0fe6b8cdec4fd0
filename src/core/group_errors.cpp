#include "core/group_errors.hpp"

#include <utility>

#include "penstock/stream_names.hpp"

namespace penstock::core {
namespace {

std::string quoted(std::string_view name) { return std::string("\"").append(name).append("\""); }

/// "it has epoch 5 and is held by "b""
std::string present(const GroupLease& lease) {
  std::string text = "it has epoch " + std::to_string(lease.epoch) + " and is held by ";
  return text.append(lease.owner.empty() ? std::string("nobody") : quoted(lease.owner));
}

}  // namespace

Error consumer_missing(const StreamName& stream, std::string_view group) {
  return {ErrorCode::ConsumerNotFound, "Stream " + stream.name + " has no consumer " + quoted(group) + "."};
}

Error consumer_exists(const StreamName& stream, std::string_view group) {
  return {ErrorCode::ConsumerExists,
          "Stream " + stream.name + " has a consumer " + quoted(group) + " with other settings."};
}

Error too_many_consumers(const StreamName& stream, std::size_t most) {
  return {ErrorCode::ConsumerLimitExceeded,
          "Stream " + stream.name + " has " + std::to_string(most) + " consumers, and can not have more."};
}

Error too_many_members(std::string_view group, std::size_t most) {
  return {ErrorCode::ConsumerLimitExceeded,
          "Consumer " + quoted(group) + " has " + std::to_string(most) + " members, and can not have more."};
}

Error consumer_busy(std::string_view group) {
  return {ErrorCode::ConsumerBusy,
          "A transaction of consumer " + quoted(group) + " is under way: try again in a moment."};
}

Error member_replaced(std::string_view group, std::string_view member) {
  return {ErrorCode::MemberReplaced, "Another member of consumer " + quoted(group) + " has joined as " +
                                         quoted(member) + ", or it has joined anew, and this one is over."};
}

Error member_unknown(std::string_view group, std::string_view member) {
  return {ErrorCode::MemberUnknown, "Consumer " + quoted(group) + " has no member " + quoted(member) +
                                        ": it has left, or was not heard of for the lease time. A poll joins anew."};
}

Error lease_lost(std::string_view group, ShardIndex shard, std::uint64_t epoch, const GroupLease& lease) {
  return {ErrorCode::LeaseLost, "The lease of consumer " + quoted(group) + " on " + format_shard_id(shard) +
                                    " with epoch " + std::to_string(epoch) + " is over: " + present(lease) + "."};
}

Error position_backwards(std::string_view group, ShardIndex shard, std::string_view number) {
  return {ErrorCode::PositionConflict, "Consumer " + quoted(group) + " is beyond " + std::string(number) + " on " +
                                           format_shard_id(shard) + ": it goes back only with Force."};
}

Error no_position_forward(std::string_view group) {
  return {ErrorCode::PositionConflict, "Consumer " + quoted(group) +
                                           " is at all of the positions already: a transaction has to go forward in "
                                           "one of its shards at least, so that none takes effect twice."};
}

Error key_of_another(std::string_view group, std::string_view key) {
  return {ErrorCode::PositionConflict, "The IdempotencyKey " + quoted(key) + " of consumer " + quoted(group) +
                                           " was used for something else: commits and transactions share no keys."};
}

Error invalid_position(std::string message) { return {ErrorCode::InvalidPosition, std::move(message)}; }

Error reading_taken_over(std::string_view group, ShardIndex shard, const GroupLease& lease) {
  return {ErrorCode::KinesisExpiredIterator, "Iterator expired. The lease of consumer " + quoted(group) + " on " +
                                                 format_shard_id(shard) +
                                                 " under which it reads is over: " + present(lease) + "."};
}

Error shard_is_held(std::string_view group, ShardIndex shard, const GroupLease& lease) {
  return {ErrorCode::KinesisThroughputExceeded, "Rate exceeded: " + format_shard_id(shard) + " of consumer " +
                                                    quoted(group) + " is not free: " + present(lease) + "."};
}

}  // namespace penstock::core
