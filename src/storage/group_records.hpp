// Of consumers with positions, groups in the code, what stream_records.hpp is of streams: their typed records as a
// Store's bytes, and what a start needs of them.
#pragma once

#include <cstddef>
#include <vector>

#include "penstock/records.hpp"
#include "penstock/store.hpp"

namespace penstock::storage {

/// Groups that one start clears away; what is beyond them waits for the next.
inline constexpr std::size_t orphaned_groups_max = 4'096;

// The bytes of one mutation each, as encode() of records.hpp asks for them.
/// REQUIRES: the group is not ephemeral; none of its leases and keys are put either.
void encode_one(const PutGroup& put, WriteBatch& batch);
void encode_one(const DropGroup& drop, WriteBatch& batch);
void encode_one(const PutGroupLease& put, WriteBatch& batch);
void encode_one(const DropGroupLease& drop, WriteBatch& batch);
/// Of a record that was put its number's shard is the one that it was put into.
void encode_one(const PutCommitKey& put, WriteBatch& batch);
void encode_one(const DropCommitKey& drop, WriteBatch& batch);
/// Everything that a stream has of groups.
void drop_groups_of(StreamId stream, WriteBatch& batch);

/// Gives each stream its groups, and drops the leases and keys whose group or stream is gone: a transaction writes them
/// from another shard of the server, which may come after the group's end. Reads each kind once.
/// REQUIRES: the streams are in order of their ids, without groups; no engine is using the store.
StoreError recover_groups(Store& store, std::vector<RecoveredStream>& streams);

}  // namespace penstock::storage
