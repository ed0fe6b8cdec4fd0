// Which of a stream's shards a mapping reads, and which have to wait: a shard begins when all that it descends from has
// been processed. A mapping has a checkpoint of each shard that it reads or is about to read; when one is finished, its
// children get theirs in the same commit in which its own goes. So what has a checkpoint is not finished, what descends
// from such a shard is to be read later, and everything else is not the mapping's.
#pragma once

#include <map>
#include <vector>

#include "penstock/mappings.hpp"
#include "penstock/streams.hpp"

namespace penstock::core {

using ShardRecords = std::map<ShardIndex, ShardRecord>;
using ShardCheckpoints = std::map<ShardIndex, ShardCheckpoint>;

/// Whether an ancestor of it is not finished.
bool is_blocked(const ShardRecord& shard, const ShardRecords& shards, const ShardCheckpoints& checkpoints);

/// Those whose parents are not kept any more.
std::vector<ShardRecord> roots_of(const ShardRecords& shards);

/// What goes on where a shard is finished: its children. Where it has been trimmed away, some of these may have gone as
/// well: the oldest of those that came later and that nobody has begun go on, too.
std::vector<ShardRecord> heirs_of(ShardIndex gone, const ShardRecords& shards, const ShardCheckpoints& checkpoints);

}  // namespace penstock::core
