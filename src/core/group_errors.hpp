// What consumers with positions answer when something is not as it has to be. The service has no words for these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "penstock/errors.hpp"
#include "penstock/groups.hpp"
#include "penstock/streams.hpp"

namespace penstock::core {

Error consumer_missing(const StreamName& stream, std::string_view group);
Error consumer_exists(const StreamName& stream, std::string_view group);
Error too_many_consumers(const StreamName& stream, std::size_t most);
Error too_many_members(std::string_view group, std::size_t most);
Error consumer_busy(std::string_view group);
Error member_replaced(std::string_view group, std::string_view member);
Error member_unknown(std::string_view group, std::string_view member);
/// That `epoch` is not the lease's.
Error lease_lost(std::string_view group, ShardIndex shard, std::uint64_t epoch, const GroupLease& lease);
Error position_backwards(std::string_view group, ShardIndex shard, std::string_view number);
Error no_position_forward(std::string_view group);
/// A commit's key was used by a transaction, or the other way around.
Error key_of_another(std::string_view group, std::string_view key);
Error invalid_position(std::string message);

// The same for a reader by Kinesis's own calls, in its errors.

/// The iterator's lease is over.
Error reading_taken_over(std::string_view group, ShardIndex shard, const GroupLease& lease);
Error shard_is_held(std::string_view group, ShardIndex shard, const GroupLease& lease);

}  // namespace penstock::core
