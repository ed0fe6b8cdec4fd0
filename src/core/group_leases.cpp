// Who holds which shard of a group: granting, revoking, and dividing the shards evenly with as few moves as that takes.
#include <algorithm>
#include <utility>

#include "core/group.hpp"
#include "core/groups.hpp"
#include "core/stream.hpp"

namespace penstock::core {

Group::Lease* Group::find_lease(ShardIndex shard) {
  const auto found = leases_.find(shard);
  return found == leases_.end() ? nullptr : &found->second;
}

const Group::Lease* Group::find_lease(ShardIndex shard) const {
  const auto found = leases_.find(shard);
  return found == leases_.end() ? nullptr : &found->second;
}

GroupLease Group::record_of(ShardIndex shard) const {
  const GroupLease* lease = find_lease(shard);
  return lease == nullptr ? GroupLease{} : *lease;
}

void Group::keep(ShardIndex shard, const Lease& lease, bool promised) {
  if (info_.ephemeral) return;
  PutGroupLease put{home_.stream().id(), info_.id, shard, lease};
  promised ? context_.promise(std::move(put)) : context_.note(std::move(put));
}

bool Group::is_done(const StreamShard& shard) const {
  if (shard.is_open()) return false;
  const Lease* lease = find_lease(shard.record.index);
  return (lease == nullptr ? RecordIndex{1} : lease->position.next) >= shard.cursor.tail;
}

/// An ancestor of it is not done. One that is empty is done as soon as it is closed, and says nothing of its own.
bool Group::is_blocked(const StreamShard& shard) const {
  std::vector<const StreamShard*> left{&shard};
  std::set<ShardIndex> met;
  while (!left.empty()) {
    const ShardRecord& record = left.back()->record;
    left.pop_back();
    for (const std::optional<ShardIndex>& parent : {record.parent, record.adjacent_parent}) {
      const StreamShard* there = parent ? home_.shards().find(*parent) : nullptr;
      if (there == nullptr || !met.insert(*parent).second) continue;
      if (!is_done(*there)) return true;
      left.push_back(there);
    }
  }
  return false;
}

/// The first ones of a group begin where its clock was, so that what was handed out by one that had its name before,
/// and was deleted, is good for nothing here.
void Group::begin_epoch(Lease& lease) const {
  const auto first = static_cast<std::uint64_t>(std::max<std::int64_t>(to_epoch_ms(info_.created), 0));
  lease.epoch = std::max(lease.epoch, first) + 1;
}

void Group::grant(ShardIndex index, GroupPoller& poller) {
  Lease& lease = leases_[index];
  begin_epoch(lease);
  lease.owner = poller.name;
  lease.session = poller.session;
  lease.read = lease.position.next;
  lease.lost_until = std::max(lease.lost_until, lease.position.next);
  lease.outstanding = lease.revoking = false;
  poller.held.insert(index);
  if (poller.waits) home_.shards().find(index)->polls.push_back({this, &poller});
  // Synced before anybody hears of it: an epoch that was lost with the power would be given away twice.
  keep(index, lease, true);
}

bool Group::is_held(const Lease& lease) const {
  const auto found = pollers_.find(lease.owner);
  return lease.is_polled() && found != pollers_.end() && found->second.session == lease.session;
}

/// The present epoch is still good for what was handed out under it, until somebody else gets the shard.
void Group::free(ShardIndex index, Lease& lease) {
  if (GroupPoller* poller = lease.is_polled() ? find_poller(lease.owner) : nullptr) {
    poller->held.erase(index);
    if (StreamShard* shard = home_.shards().find(index)) {
      std::erase_if(shard->polls, [&](const ParkedPoll& poll) { return poll.poller == poller; });
    }
  }
  lease.owner.clear();
  lease.session = 0;
  lease.read = lease.position.next;
  lease.outstanding = lease.revoking = false;
  unbalanced_ = true;
  keep(index, lease, false);
}

/// What was handed out under the present epoch is good for nothing any more.
void Group::take_away(ShardIndex index, Lease& lease) {
  begin_epoch(lease);
  free(index, lease);
  keep(index, lease, true);
}

/// Makes way for the shard's children.
void Group::finish_if_done(StreamShard& shard) {
  if (!is_done(shard)) return;
  unbalanced_ = true;
  Lease* lease = find_lease(shard.record.index);
  if (lease != nullptr && lease->is_polled() && !lease->busy) free(shard.record.index, *lease);
}

void Group::shards_changed() {
  unbalanced_ = true;
  rebalance();
}

void Group::shard_forgotten(const StreamShard& shard) {
  const ShardIndex index = shard.record.index;
  const GroupLease record = record_of(index);
  std::uint64_t lost = record.lost_records;
  const RecordIndex counted = std::max(record.position.next, record.lost_until);
  if (counted < shard.cursor.tail) lost += shard.cursor.tail.value - counted.value;
  info_.lost_records += lost;
  if (lost > 0 && !info_.ephemeral) context_.note(PutGroup{home_.stream().id(), info_});
  Lease* lease = find_lease(index);
  unbalanced_ = true;
  if (lease == nullptr) return;
  if (GroupPoller* poller = lease->is_polled() ? find_poller(lease->owner) : nullptr) poller->held.erase(index);
  if (!info_.ephemeral) context_.note(DropGroupLease{home_.stream().id(), info_.id, index});
  leases_.erase(index);
}

// ---- Dividing.

// Of each shard that there is something to do in, whoever has it counts, or else it is to be given to somebody. A
// reader by Kinesis's own calls has chosen its shards, and is left out with them.
void Group::rebalance() {
  if (!pollers_.empty()) {
    std::size_t total = 0;
    std::vector<ShardIndex> unowned;
    for (const auto& [index, shard] : home_.shards().all()) {
      const Lease* lease = find_lease(index);
      const bool held = lease != nullptr && is_held(*lease);
      if (held) ++total;
      if (held || is_done(shard) || is_blocked(shard)) continue;
      if (lease != nullptr && (lease->busy || is_read_now(*lease))) continue;
      ++total;
      unowned.push_back(index);
    }
    balance(total, std::move(unowned));
  }
  unbalanced_ = false;
  std::vector<GroupPoller*> waiting;
  for (auto& [name, poller] : pollers_) {
    if (poller.waits && has_news(poller)) waiting.push_back(&poller);
  }
  for (GroupPoller* poller : waiting) answer(*poller);
}

void Group::balance(std::size_t total, std::vector<ShardIndex> unowned) {
  struct Share {
    GroupPoller* poller;
    std::size_t keeps;  ///< that are not to be given up
    std::size_t quota = 0;
  };
  std::vector<Share> shares;
  shares.reserve(pollers_.size());
  for (auto& [name, poller] : pollers_) {
    const auto kept =
        std::ranges::count_if(poller.held, [this](ShardIndex shard) { return !find_lease(shard)->revoking; });
    shares.push_back({&poller, static_cast<std::size_t>(kept)});
  }
  // Those that have more get the odd ones, so that nothing moves that need not.
  std::ranges::stable_sort(shares, std::greater<>{}, &Share::keeps);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    Share& share = shares[i];
    share.quota = total / shares.size() + (i < total % shares.size() ? 1 : 0);
    if (share.keeps > share.quota) {
      revoke_surplus(*share.poller, share.keeps - share.quota, unowned);
      share.keeps = share.quota;
    } else {
      share.keeps += keep_revoking(*share.poller, share.quota - share.keeps);
    }
  }
  auto next = unowned.begin();
  for (Share& share : shares) {
    for (; share.keeps < share.quota && next != unowned.end(); ++share.keeps, ++next) grant(*next, *share.poller);
  }
}

/// Those with the highest indexes. What is drained is free at once.
void Group::revoke_surplus(GroupPoller& poller, std::size_t surplus, std::vector<ShardIndex>& unowned) {
  std::vector<ShardIndex> chosen;
  for (auto it = poller.held.rbegin(); it != poller.held.rend() && chosen.size() < surplus; ++it) {
    if (!find_lease(*it)->revoking) chosen.push_back(*it);
  }
  for (const ShardIndex index : chosen) {
    Lease& lease = *find_lease(index);
    if (is_drained(lease)) {
      free(index, lease);
      unowned.push_back(index);
      continue;
    }
    lease.revoking = true;
    lease.told = false;
    lease.revoke_until = now() + info_.lease;
    arm_sweep(lease.revoke_until);
  }
}

/// Shards that were to be given up, and need not be.
std::size_t Group::keep_revoking(GroupPoller& poller, std::size_t most) {
  std::size_t kept = 0;
  for (const ShardIndex index : poller.held) {
    if (kept == most) break;
    Lease& lease = *find_lease(index);
    if (!std::exchange(lease.revoking, false)) continue;
    ++kept;
  }
  return kept;
}

void Group::release_drained(GroupPoller& poller) {
  for (const ShardIndex index : std::vector<ShardIndex>(poller.held.begin(), poller.held.end())) {
    Lease& lease = *find_lease(index);
    if (lease.revoking && is_drained(lease)) free(index, lease);
  }
}

// ---- What is due apart from members.

void Group::arm_sweep(Instant when) {
  if (sweep_ == DeadlineHeap::none) {
    sweep_ = context_.deadlines.add(
        when, Due{.kind = Due::Kind::group_sweep, .id = info_.id.value, .stream = &home_.stream()});
  } else if (when < sweep_at_) {
    context_.deadlines.move(sweep_, when);
  } else {
    return;
  }
  sweep_at_ = when;
}

std::optional<Instant> Group::sweep_seen(Instant when) const {
  std::optional<Instant> first;
  const auto seen = [&](Instant at) { first = first ? std::min(*first, at) : at; };
  for (const auto& [index, lease] : leases_) {
    if (lease.revoking) seen(std::max(lease.revoke_until, when));
    if (lease.is_read() && lease.reads_until >= when) seen(lease.reads_until);
  }
  // One that nobody has joined goes.
  const Instant end = info_.created + info_.lease;
  if (info_.ephemeral && !was_joined_ && end >= when) seen(end);
  return first;
}

void Group::sweep_due(Instant at) {
  sweep_ = DeadlineHeap::none;
  std::optional<Instant> next;
  const auto later = [&](Instant when) { next = next ? std::min(*next, when) : when; };
  for (auto& [index, lease] : leases_) {
    if (lease.revoking && lease.revoke_until <= at && !lease.busy) free(index, lease);
    if (lease.revoking) later(std::max(lease.revoke_until, at + Millis{1}));
    if (!lease.is_read()) continue;
    if (lease.reads_until > at) {
      later(lease.reads_until);
    } else {
      unbalanced_ = true;
    }
  }
  forget_old_keys();
  if (!key_order_.empty()) later(keys_.at(key_order_.front()).at + group_limits::key_life);
  if (next) arm_sweep(*next);
  if (unbalanced_) rebalance();
}

}  // namespace penstock::core
