// Of functions, event source mappings and asynchronous invokes, what stream_records.hpp is of streams: their typed
// records as a Store's bytes, and what a start needs of them.
#pragma once

#include <span>

#include "penstock/store.hpp"
#include "penstock/triggers.hpp"

namespace penstock::storage {

/// Appends the bytes of the mutations to `batch`, in order. REQUIRES: mappings and asynchronous invokes are named by
/// UUIDs in lower case.
void encode(std::span<const TriggerMutation> mutations, WriteBatch& batch);

/// Everything that a start needs: functions in the order of their names, mappings and events in the order of their
/// UUIDs, the checkpoints of a mapping in the order of streams and shards. A checkpoint of a mapping that is gone is
/// passed over. Reads each kind once.
StoreError recover_triggers(const Store& store, RecoveredTriggers& triggers);

}  // namespace penstock::storage
