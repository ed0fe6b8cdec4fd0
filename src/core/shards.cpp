#include "core/shards.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/hash_ring.hpp"

namespace penstock::core {
namespace {

std::int64_t seconds_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

}  // namespace

void Shards::create(std::size_t count, ShardIndex& next, Instant now) {
  const std::vector<HashKey> starts = uniform_starts(count);
  for (std::size_t i = 0; i < count; ++i) {
    open(starts[i], i + 1 < count ? before(starts[i + 1]) : hash_key_max, {}, next, now);
  }
}

void Shards::add(RecoveredShard shard) {
  StreamShard added;
  added.record = shard.record;
  added.cursor = shard.cursor;
  added.segments.assign(shard.segments.begin(), shard.segments.end());
  shard.segment_bytes.resize(shard.segments.size());
  added.segment_bytes.assign(shard.segment_bytes.begin(), shard.segment_bytes.end());
  added.bytes = std::accumulate(shard.segment_bytes.begin(), shard.segment_bytes.end(), shard.cursor.segment_bytes);
  if (!shard.record.closed) ring_.emplace(shard.record.first_hash, shard.record.index);
  shards_.emplace(shard.record.index, std::move(added));
}

void Shards::link() {
  for (const auto& [index, shard] : shards_) {
    for (const auto& parent : {shard.record.parent, shard.record.adjacent_parent}) {
      if (!parent) continue;
      if (StreamShard* known = find(*parent)) known->children.push_back(index);
    }
  }
}

StreamShard* Shards::find(ShardIndex index) {
  const auto found = shards_.find(index);
  return found == shards_.end() ? nullptr : &found->second;
}

const StreamShard* Shards::find(ShardIndex index) const {
  const auto found = shards_.find(index);
  return found == shards_.end() ? nullptr : &found->second;
}

bool Shards::has_parent(const StreamShard& shard) const {
  const auto is_there = [this](const std::optional<ShardIndex>& parent) { return parent && find(*parent) != nullptr; };
  return is_there(shard.record.parent) || is_there(shard.record.adjacent_parent);
}

StreamShard& Shards::owner_of(HashKey key) { return at(std::prev(ring_.upper_bound(key))->second); }

StreamShard& Shards::open(HashKey first, HashKey last, std::vector<ShardIndex> parents, ShardIndex& next, Instant now) {
  ShardRecord record;
  record.index = next;
  record.first_hash = first;
  record.last_hash = last;
  record.created = now;
  record.created_s = seconds_of(now);
  for (const ShardIndex parent : parents) {
    StreamShard& closed = at(parent);
    // A child's numbers begin one second after its parents' end, so that they are greater than all of those.
    record.created_s = std::max(record.created_s, closed.record.closed_s + 1);
    closed.children.push_back(next);
  }
  if (!parents.empty()) record.parent = parents[0];
  if (parents.size() > 1) record.adjacent_parent = parents[1];
  ++next.value;
  ring_.emplace(first, record.index);
  StreamShard& opened = shards_[record.index];
  opened.record = record;
  changed(opened);
  return opened;
}

void Shards::close(StreamShard& shard, Instant now) {
  shard.record.closed = now;
  shard.record.closed_s = std::max(seconds_of(now), shard.record.created_s);
  ring_.erase(shard.record.first_hash);
  changed(shard);
}

void Shards::changed(StreamShard& shard) {
  if (std::exchange(shard.changed, true)) return;
  changed_.push_back(shard.record.index);
}

Instant Shards::end_of(const StreamShard& shard, Instant now) {
  return std::max({now, shard.record.created, shard.cursor.last_arrival});
}

std::array<ShardIndex, 2> Shards::split(ShardIndex index, HashKey middle, ShardIndex& next, Instant now) {
  StreamShard& shard = at(index);
  now = end_of(shard, now);
  close(shard, now);
  const HashKey first = shard.record.first_hash;
  const HashKey last = shard.record.last_hash;
  const ShardIndex low = open(first, before(middle), {index}, next, now).record.index;
  const ShardIndex high = open(middle, last, {index}, next, now).record.index;
  return {low, high};
}

ShardIndex Shards::merge(ShardIndex parent, ShardIndex adjacent, ShardIndex& next, Instant now) {
  now = end_of(at(adjacent), end_of(at(parent), now));
  close(at(parent), now);
  close(at(adjacent), now);
  const ShardRecord& one = at(parent).record;
  const ShardRecord& other = at(adjacent).record;
  return open(std::min(one.first_hash, other.first_hash), std::max(one.last_hash, other.last_hash), {parent, adjacent},
              next, now)
      .record.index;
}

// Halves the bounds, not the hash keys: a shard that gets a thousand bounds makes ten generations.
void Shards::split_at(ShardIndex shard, Range first, Range last, ShardIndex& next, Instant now,
                      std::vector<ShardIndex>& pieces) {
  if (first == last) {
    pieces.push_back(shard);
    return;
  }
  const Range middle = first + (last - first) / 2;
  const auto [low, high] = split(shard, *middle, next, now);
  split_at(low, first, middle, next, now, pieces);
  split_at(high, middle + 1, last, next, now, pieces);
}

ShardIndex Shards::merge_all(const std::vector<ShardIndex>& pieces, std::size_t first, std::size_t count,
                             ShardIndex& next, Instant now) {
  if (count == 1) return pieces[first];
  const std::size_t half = count / 2;
  const ShardIndex low = merge_all(pieces, first, half, next, now);
  const ShardIndex high = merge_all(pieces, first + half, count - half, next, now);
  return merge(low, high, next, now);
}

void Shards::reshape(std::size_t count, ShardIndex& next, Instant now) {
  const std::vector<HashKey> starts = uniform_starts(count);
  std::vector<ShardIndex> before_split;
  for (const auto& [first, index] : ring_) before_split.push_back(index);
  std::vector<ShardIndex> pieces;
  for (const ShardIndex index : before_split) {
    const ShardRecord& record = at(index).record;
    const auto from = std::upper_bound(starts.begin(), starts.end(), record.first_hash);
    const auto until = std::upper_bound(from, starts.end(), record.last_hash);
    split_at(index, from, until, next, now, pieces);
  }
  // Every start begins a piece now; those in between are joined to the one before.
  for (std::size_t first = 0; first < pieces.size();) {
    std::size_t end = first + 1;
    while (end < pieces.size() &&
           !std::binary_search(starts.begin(), starts.end(), at(pieces[end]).record.first_hash)) {
      ++end;
    }
    merge_all(pieces, first, end - first, next, now);
    first = end;
  }
}

void Shards::forget(ShardIndex shard) {
  // Children stay without it: their records name a parent that is no more, as the service's do.
  shards_.erase(shard);
}

std::vector<ShardIndex> Shards::take_changed() {
  std::vector<ShardIndex> taken = std::exchange(changed_, {});
  std::erase_if(taken, [this](ShardIndex index) { return find(index) == nullptr; });
  std::sort(taken.begin(), taken.end());
  for (const ShardIndex index : taken) at(index).changed = false;
  return taken;
}

}  // namespace penstock::core
