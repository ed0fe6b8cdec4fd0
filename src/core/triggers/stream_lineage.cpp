#include "core/triggers/stream_lineage.hpp"

#include <optional>
#include <set>

namespace penstock::core {
namespace {

bool is_parent(ShardIndex parent, const ShardRecord& shard) {
  return shard.parent == parent || shard.adjacent_parent == parent;
}

bool has_parent(const ShardRecord& shard, const ShardRecords& shards) {
  return (shard.parent && shards.contains(*shard.parent)) ||
         (shard.adjacent_parent && shards.contains(*shard.adjacent_parent));
}

/// Whether a shard that was trimmed away and is not finished may be an ancestor of another that was, of which nobody
/// knows the parents any more: a parent is older than its children.
bool has_unfinished_before(ShardIndex gone, const ShardRecords& shards, const ShardCheckpoints& checkpoints) {
  for (const auto& [index, checkpoint] : checkpoints) {
    if (index >= gone) return false;
    if (!checkpoint.finished && !shards.contains(index)) return true;
  }
  return false;
}

/// Whether a shard without a checkpoint is known to have been processed. Were it not, nothing that comes of it could be
/// finished or have been read, since that waits for all its parents; nor could it have a checkpoint where it has no
/// other parent that may be finished, with which it would have got it.
bool is_known_finished(const ShardRecord& shard, const ShardRecords& shards, const ShardCheckpoints& checkpoints) {
  constexpr RecordIndex first_record{1};
  std::set<ShardIndex> unfinished{shard.index};
  const auto is_unfinished = [&](const std::optional<ShardIndex>& parent) {
    if (!parent || unfinished.contains(*parent)) return true;
    const auto checkpoint = checkpoints.find(*parent);
    return checkpoint != checkpoints.end() && !checkpoint->second.finished;
  };
  // Children are younger than their parents.
  for (auto each = shards.upper_bound(shard.index); each != shards.end(); ++each) {
    const auto& [index, later] = *each;
    const bool descends = (later.parent && unfinished.contains(*later.parent)) ||
                          (later.adjacent_parent && unfinished.contains(*later.adjacent_parent));
    if (!descends) continue;
    const auto checkpoint = checkpoints.find(index);
    if (checkpoint != checkpoints.end()) {
      const bool was_read = checkpoint->second.finished || checkpoint->second.next > first_record;
      if (was_read || (is_unfinished(later.parent) && is_unfinished(later.adjacent_parent))) return true;
    }
    unfinished.insert(index);
  }
  return false;
}

}  // namespace

bool is_blocked(const ShardRecord& shard, const ShardRecords& shards, const ShardCheckpoints& checkpoints) {
  std::vector<const ShardRecord*> left{&shard};
  std::set<ShardIndex> met;
  while (!left.empty()) {
    const ShardRecord& each = *left.back();
    left.pop_back();
    for (const std::optional<ShardIndex>& parent : {each.parent, each.adjacent_parent}) {
      if (!parent || !met.insert(*parent).second) continue;
      const auto checkpoint = checkpoints.find(*parent);
      if (checkpoint != checkpoints.end() && !checkpoint->second.finished) return true;
      if (const auto there = shards.find(*parent); there != shards.end()) {
        left.push_back(&there->second);
      } else if (has_unfinished_before(*parent, shards, checkpoints)) {
        return true;
      }
    }
  }
  return false;
}

std::vector<ShardRecord> roots_of(const ShardRecords& shards) {
  std::vector<ShardRecord> roots;
  for (const auto& [index, shard] : shards) {
    if (!has_parent(shard, shards)) roots.push_back(shard);
  }
  return roots;
}

std::vector<ShardRecord> heirs_of(ShardIndex gone, const ShardRecords& shards, const ShardCheckpoints& checkpoints) {
  std::vector<ShardRecord> heirs;
  for (const auto& [index, shard] : shards) {
    if (is_parent(gone, shard)) heirs.push_back(shard);
  }
  // Of a shard that was trimmed away, a child may have gone with it, and left its own children.
  if (!heirs.empty() && shards.contains(gone)) return heirs;
  // Shards that were closed when the mapping began are not among these: what they hold had arrived before all that is
  // in a shard which was open then, and so it has gone before it.
  for (const ShardRecord& root : roots_of(shards)) {
    if (root.index <= gone || is_parent(gone, root) || checkpoints.contains(root.index)) continue;
    // One that is finished is kept for a while, and its parent may have gone by now.
    if (!is_known_finished(root, shards, checkpoints)) heirs.push_back(root);
  }
  return heirs;
}

}  // namespace penstock::core
