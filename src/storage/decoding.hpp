// What records' bytes say, one record at a time: for those who look through a store rather than start from it. Each
// answers whether the bytes are a whole record of its kind, and leaves the value in any state where they are not. What
// is part of a record's key is handed in.
#pragma once

#include <cstdint>
#include <string_view>

#include "penstock/functions.hpp"
#include "penstock/groups.hpp"
#include "penstock/mappings.hpp"
#include "penstock/message.hpp"
#include "penstock/records.hpp"
#include "penstock/streams.hpp"

namespace penstock::storage {

bool decode_queue(std::string_view bytes, QueueRecord& record);
bool decode_cursor(std::string_view bytes, QueueCursor& cursor);
bool decode_move_task(std::string_view bytes, MoveTask& task);
bool decode_message(std::string_view bytes, StoredMessage& message);
bool decode_state(std::string_view bytes, std::uint32_t revision, MessageState& state);
bool decode_dedup(std::string_view bytes, Sequence sequence, DedupEntry& entry);
bool decode_attempt(std::string_view bytes, ReceiveAttempt& attempt);
bool decode_lane_entry(std::string_view bytes, Sequence sequence, LaneEntry& entry);

bool decode_stream(std::string_view bytes, StreamInfo& info);
bool decode_shard(std::string_view bytes, ShardIndex index, ShardRecord& shard);
bool decode_shard_cursor(std::string_view bytes, ShardCursor& cursor);
bool decode_segment(std::string_view bytes, RecordIndex first, Segment& segment, std::uint64_t& segment_bytes);
bool decode_account(std::string_view bytes, StreamAccount& account);
bool decode_record(std::string_view bytes, StreamRecord& record);

bool decode_group(std::string_view bytes, GroupId id, GroupInfo& info);
bool decode_lease(std::string_view bytes, GroupLease& lease);
bool decode_commit_key(std::string_view bytes, CommitKey& key);

bool decode_function(std::string_view bytes, FunctionRecord& function);
/// All but its UUID.
bool decode_mapping(std::string_view bytes, MappingRecord& mapping);
/// All but its stream and shard.
bool decode_checkpoint(std::string_view bytes, ShardCheckpoint& checkpoint);
/// All but its id.
bool decode_async_event(std::string_view bytes, AsyncEvent& event);

}  // namespace penstock::storage
