// Of streams, what records.hpp is of queues: their typed records as a Store's bytes, what a start needs of them, and
// the pages that readers of a shard get.
#pragma once

#include <vector>

#include "penstock/records.hpp"
#include "penstock/store.hpp"
#include "penstock/stream_commands.hpp"

namespace penstock::storage {

// The bytes of one mutation each, as encode() of records.hpp asks for them.
void encode_one(const PutStream& put, WriteBatch& batch);
void encode_one(const DropStream& drop, WriteBatch& batch);
void encode_one(const PutShard& put, WriteBatch& batch);
void encode_one(const DropShard& drop, WriteBatch& batch);
void encode_one(const PutShardCursor& put, WriteBatch& batch);
void encode_one(const PutSegment& put, WriteBatch& batch);
void encode_one(const DropSegment& drop, WriteBatch& batch);
void encode_one(const PutStreamRecords& put, WriteBatch& batch);
void encode_one(const DropStreamRecords& drop, WriteBatch& batch);
void encode_one(const PutStreamAccount& put, WriteBatch& batch);

/// Every stream in order of its id, with its groups as recover_groups finds them, and what accounts have set. Reads
/// none of the records, so that its time depends on how many shards, segments and groups there are, and not on what
/// they hold. A shard without a cursor never had a record. REQUIRES: no engine is using the store.
StoreError recover_streams(Store& store, std::vector<RecoveredStream>& streams, std::vector<StreamAccount>& accounts);

/// Fills in what a page leaves to the shell. Never reads `until` or what is behind it; of records that arrived too
/// early it looks at as many as a binary search does. What was trimmed from the head of the range meanwhile is passed
/// over.
StoreError read_page(const Store& store, RecordsPage& page);

}  // namespace penstock::storage
