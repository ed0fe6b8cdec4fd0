// What streams answer when something is not as it has to be, in the service's own words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "penstock/errors.hpp"
#include "penstock/stream_names.hpp"
#include "penstock/streams.hpp"

namespace penstock::core {

Error stream_not_found(const StreamName& stream);
Error stream_exists(const StreamName& stream);
/// It is in use: not ACTIVE.
Error stream_not_active(const StreamInfo& stream);
/// That the name of a shard is none, or none of this stream.
Error shard_not_found(const StreamName& stream, std::string_view shard_id);
/// The same as GetShardIterator words it.
Error shard_does_not_exist(const StreamName& stream, std::string_view shard_id);
Error shard_already_reshaped(const StreamName& stream, ShardIndex shard);
Error shards_not_adjacent(const StreamName& stream, std::string_view first, std::string_view second);
Error hash_key_not_inside(const StreamName& stream, const ShardRecord& shard, std::string_view key);
Error shard_limit_exceeded(const StreamName& stream, std::size_t now, std::size_t more);
Error rate_exceeded(const StreamName& stream, ShardIndex shard);
Error record_too_large(std::string_view member, std::size_t bytes, std::size_t bytes_max);
Error invalid_ordering(const StreamName& stream, std::string_view number);
Error invalid_starting_number(const StreamName& stream, ShardIndex shard, std::string_view number,
                              std::string_view operation);
Error foreign_starting_number(const StreamName& stream, ShardIndex shard, std::string_view number,
                              std::string_view operation);
Error number_of_other_shard(ShardIndex encoded, ShardIndex shard);
Error consumer_not_found(const StreamName& stream, std::string_view consumer);
Error invalid_argument(std::string message);
Error in_use(std::string message);
Error limit_exceeded(std::string message);

}  // namespace penstock::core
