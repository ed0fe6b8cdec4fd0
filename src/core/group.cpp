// Members of a group and their polls.
#include "core/group.hpp"

#include <algorithm>
#include <utility>

#include "core/group_errors.hpp"
#include "core/groups.hpp"
#include "core/stream.hpp"
#include "penstock/limits.hpp"

namespace penstock::core {

Group::Group(Groups& home, GroupInfo info, const std::map<ShardIndex, GroupLease>& leases)
    : home_(home), context_(home.context()), info_(std::move(info)) {
  for (const auto& [shard, lease] : leases) {
    static_cast<GroupLease&>(leases_[shard]) = lease;
    keep(shard, leases_[shard], true);
  }
  if (info_.ephemeral) arm_sweep(info_.created + info_.lease);
}

Group::Group(Groups& home, RecoveredGroup recovered)
    : home_(home), context_(home.context()), info_(std::move(recovered.info)) {
  for (auto& [shard, record] : recovered.leases) {
    if (home_.shards().find(shard) == nullptr) continue;
    Lease& lease = leases_[shard];
    static_cast<GroupLease&>(lease) = std::move(record);
    lease.read = lease.position.next;
    if (lease.is_read()) {
      lease.reads_until = now() + info_.lease;
      arm_sweep(lease.reads_until);
    }
    if (!lease.is_polled()) continue;
    GroupPoller* poller = find_poller(lease.owner);
    if (poller == nullptr) poller = &join(lease.owner, lease.session);
    if (poller->session != lease.session) {
      // A transaction outlasted the session that began it, and another of that name is there.
      lease.owner.clear();
      lease.session = 0;
      continue;
    }
    // What it had may not be done.
    lease.outstanding = true;
    poller->held.insert(shard);
  }
  std::ranges::sort(recovered.keys, {}, &CommitKey::at);
  for (CommitKey& key : recovered.keys) remember(std::move(key));
}

Group::~Group() {
  for (auto& [name, poller] : pollers_) {
    unpark(poller);
    home_.remove_session(poller.session);
    disarm(poller);
  }
  if (sweep_ != DeadlineHeap::none) context_.deadlines.remove(sweep_);
}

bool Group::is_over(Instant at) const {
  if (!info_.ephemeral || !pollers_.empty() || busy_ > 0) return false;
  for (const auto& [shard, lease] : leases_) {
    if (lease.is_read() && lease.reads_until > at) return false;
  }
  return was_joined_ || info_.created + info_.lease <= at;
}

std::uint64_t Group::new_session() {
  std::uint64_t session = 0;
  do session = context_.entropy.next();
  while (session == 0 || home_.has_session(session));
  return session;
}

// ---- Who is there.

GroupPoller* Group::find_poller(const std::string& name) {
  const auto found = pollers_.find(name);
  return found == pollers_.end() ? nullptr : &found->second;
}

const GroupPoller* Group::find_session(std::uint64_t session) const {
  const auto found = std::ranges::find_if(pollers_, [&](const auto& each) { return each.second.session == session; });
  return found == pollers_.end() ? nullptr : &found->second;
}

GroupPoller& Group::join(const std::string& name, std::optional<std::uint64_t> session) {
  GroupPoller& poller = pollers_[name];
  poller.name = name;
  poller.session = session ? *session : new_session();
  poller.heard = now();
  home_.add_session(poller.session, *this);
  arm(poller);
  was_joined_ = unbalanced_ = true;
  return poller;
}

/// Another with its name takes its place, and its shards.
void Group::replace(GroupPoller& poller) {
  if (const auto call = poller.waits) {
    unpark(poller);
    context_.reply(*call, member_replaced(info_.name, poller.name));
  }
  home_.remove_session(poller.session);
  disarm(poller);
  poller.session = new_session();
  poller.heard = now();
  home_.add_session(poller.session, *this);
  for (const ShardIndex shard : poller.held) {
    Lease& lease = *find_lease(shard);
    begin_epoch(lease);
    lease.session = poller.session;
    lease.read = lease.position.next;
    lease.outstanding = false;
    keep(shard, lease, true);
  }
  arm(poller);
}

void Group::remove(GroupPoller& poller) {
  unpark(poller);
  for (const ShardIndex shard : std::vector<ShardIndex>(poller.held.begin(), poller.held.end())) {
    Lease& lease = *find_lease(shard);
    // One that a transaction is about to write is freed when that is settled.
    if (!lease.busy) free(shard, lease);
  }
  home_.remove_session(poller.session);
  disarm(poller);
  unbalanced_ = true;
  pollers_.erase(std::string(poller.name));
}

std::variant<GroupPoller*, Error> Group::member_of(const std::string& name, const GroupToken& token) {
  GroupPoller* poller = find_poller(name);
  if (poller == nullptr) return member_unknown(info_.name, name);
  if (poller->session != token.session || token.group != info_.id) return member_replaced(info_.name, name);
  return poller;
}

void Group::renew(const std::string& member) {
  GroupPoller* poller = find_poller(member);
  if (poller == nullptr) return;
  poller->heard = now();
  arm(*poller);
}

void Group::arm(GroupPoller& poller) {
  const Instant when = poller.waits ? poller.waits_until : poller.heard + info_.lease;
  if (poller.deadline == DeadlineHeap::none) {
    poller.deadline = context_.deadlines.add(
        when, Due{.kind = Due::Kind::group_member, .id = poller.session, .stream = &home_.stream()});
  } else {
    context_.deadlines.move(poller.deadline, when);
  }
}

void Group::disarm(GroupPoller& poller) {
  if (poller.deadline != DeadlineHeap::none)
    context_.deadlines.remove(std::exchange(poller.deadline, DeadlineHeap::none));
}

void Group::poller_due(std::uint64_t session, Instant at) {
  const auto found = std::ranges::find_if(pollers_, [&](const auto& each) { return each.second.session == session; });
  if (found == pollers_.end()) return;
  GroupPoller& poller = found->second;
  poller.deadline = DeadlineHeap::none;
  if (poller.waits && poller.waits_until <= at) {
    poller.awaited = true;
    return answer(poller);
  }
  if (poller.waits || poller.heard + info_.lease > at) return arm(poller);
  remove(poller);
  rebalance();
}

/// The end of a poll that brings nothing is seen by nobody else, and begins the lease anew.
std::optional<Instant> Group::member_end_seen(std::uint64_t session, Instant when) const {
  const GroupPoller* poller = find_session(session);
  if (poller == nullptr || poller->waits) return std::nullopt;
  return std::max(when, poller->heard + info_.lease);
}

bool Group::is_poll_end(std::uint64_t session) const {
  const GroupPoller* poller = find_session(session);
  return poller != nullptr && poller->waits;
}

std::optional<Instant> Group::awaited_since(std::uint64_t session) const {
  const GroupPoller* poller = find_session(session);
  return poller != nullptr && poller->awaited ? std::optional(poller->heard) : std::nullopt;
}

// ---- What a token brings.

bool Group::touches_busy(const GroupToken& token) const {
  return std::ranges::any_of(token.handed, [this](const HandedOut& handed) {
    const Lease* lease = find_lease(handed.shard);
    return lease != nullptr && lease->busy && lease->epoch == handed.epoch;
  });
}

LostLease Group::lost(const HandedOut& handed) const {
  const GroupLease present = record_of(handed.shard);
  return {handed.shard, handed.epoch, present.epoch, present.owner};
}

std::vector<LostLease> Group::lost_of(const GroupToken& token) const {
  std::vector<LostLease> all;
  for (const HandedOut& handed : token.handed) {
    if (record_of(handed.shard).epoch != handed.epoch) all.push_back(lost(handed));
  }
  return all;
}

/// The epoch alone tells: while it is the present one, nobody else has had the shard.
std::vector<LostLease> Group::take(const GroupToken& token) {
  std::vector<LostLease> all;
  for (const HandedOut& handed : token.handed) {
    StreamShard* shard = home_.shards().find(handed.shard);
    Lease* lease = find_lease(handed.shard);
    if (shard == nullptr || lease == nullptr || lease->epoch != handed.epoch) {
      all.push_back(lost(handed));
    } else if (handed.next <= shard->cursor.tail) {
      accept(handed, *shard, *lease);
    }
  }
  return all;
}

void Group::accept(const HandedOut& handed, StreamShard& shard, Lease& lease) {
  // What is before `from` was handed out, even where a start has forgotten that.
  const RecordIndex counted = std::max(lease.lost_until, handed.from);
  const bool has_lost = handed.first > counted;
  if (has_lost) lease.lost_records += handed.first.value - counted.value;
  lease.lost_until = std::max(lease.lost_until, handed.next);
  const bool commits = info_.mode == CommitMode::on_poll && handed.next > lease.position.next;
  if (commits) {
    lease.position = GroupPosition{.next = handed.next, .at_s = handed.at_s};
    lease.committed = now();
  }
  // An older token, whose successor never arrived, is further back; and a commit may be further on.
  if (commits || info_.mode == CommitMode::on_commit) lease.read = std::max(handed.next, lease.position.next);
  // No later token says again what was lost.
  if (commits || has_lost) keep(shard.record.index, lease, true);
  if (commits) finish_if_done(shard);
}

// ---- Polls.

void Group::poll(CallId call, const PollGroup& command) {
  GroupPoller* poller = find_poller(command.member);
  const std::optional<GroupToken>& token = command.token;
  if (token && poller != nullptr && (token->session != poller->session || token->group != info_.id)) {
    return context_.reply(call, member_replaced(info_.name, command.member));
  }
  const bool is_of_this = token && token->group == info_.id;
  const bool replaces = !token && poller != nullptr;
  const auto is_busy = [this](ShardIndex shard) { return find_lease(shard)->busy; };
  if ((is_of_this && touches_busy(*token)) || (replaces && std::ranges::any_of(poller->held, is_busy))) {
    return context_.reply(call, consumer_busy(info_.name));
  }
  if (poller == nullptr && pollers_.size() >= context_.limits.group_members_max) {
    return context_.reply(call, too_many_members(info_.name, context_.limits.group_members_max));
  }
  std::vector<LostLease> lost;
  if (is_of_this) lost = take(*token);
  if (replaces) replace(*poller);
  if (poller == nullptr) poller = &join(command.member);
  // Its connection may have gone without a word, and then nobody hears this.
  if (const auto before = poller->waits) {
    unpark(*poller);
    reply(*poller, *before, {}, false);
  }
  received(*poller);
  poller->heard = now();
  poller->awaited = false;
  poller->count_max = command.count_max;
  poller->bytes_max = command.bytes_max;
  release_drained(*poller);
  if (unbalanced_) rebalance();
  if (command.wait == Millis{} || !lost.empty() || has_news(*poller)) {
    return reply(*poller, call, std::move(lost), true);
  }
  park(*poller, call, command.wait);
}

/// The poller has what it was handed out, or else will be handed it again.
void Group::received(GroupPoller& poller) {
  for (const ShardIndex shard : poller.held) {
    Lease& lease = *find_lease(shard);
    lease.outstanding = info_.mode == CommitMode::on_commit && lease.read > lease.position.next;
  }
}

bool Group::has_news(ShardIndex shard, const Lease& lease) const {
  if (lease.busy) return false;
  if (lease.revoking) return !lease.told;
  return lease.read < home_.shards().find(shard)->cursor.tail;
}

bool Group::has_news(const GroupPoller& poller) const {
  return std::ranges::any_of(poller.held, [this](ShardIndex shard) { return has_news(shard, *find_lease(shard)); });
}

void Group::park(GroupPoller& poller, CallId call, Millis wait) {
  poller.waits = call;
  // Half of the lease, so that the next poll of whoever is alive comes in time.
  poller.waits_until = now() + std::min(wait, info_.lease / 2);
  for (const ShardIndex shard : poller.held) home_.shards().find(shard)->polls.push_back({this, &poller});
  arm(poller);
}

void Group::unpark(GroupPoller& poller) {
  if (!poller.waits) return;
  poller.waits.reset();
  for (const ShardIndex index : poller.held) {
    if (StreamShard* shard = home_.shards().find(index)) {
      std::erase_if(shard->polls, [&](const ParkedPoll& poll) { return poll.poller == &poller; });
    }
  }
}

/// One whose shard is to be given up, or is in a transaction, has nothing of them yet.
void Group::woken(GroupPoller& poller) {
  if (has_news(poller)) answer(poller);
}

void Group::answer(GroupPoller& poller) {
  const CallId call = *poller.waits;
  unpark(poller);
  reply(poller, call, {}, true);
}

void Group::cancel_poll(CallId poll) {
  const auto found = std::ranges::find_if(pollers_, [&](const auto& each) { return each.second.waits == poll; });
  if (found == pollers_.end()) return;
  unpark(found->second);
  arm(found->second);
}

void Group::end_polls(const std::optional<Error>& error) {
  for (auto& [name, poller] : pollers_) {
    const auto call = poller.waits;
    if (!call) continue;
    unpark(poller);
    if (error) {
      context_.reply(*call, *error);
    } else {
      reply(poller, *call, {}, false);
    }
  }
}

GroupPolled Group::about(const GroupPoller& poller) const {
  GroupPolled answer;
  answer.stream = home_.stream().info().name;
  answer.stream_id = home_.stream().id();
  answer.group = info_.id;
  answer.member = poller.name;
  answer.session = poller.session;
  answer.lease = info_.lease;
  answer.leases.reserve(poller.held.size());
  for (const ShardIndex shard : poller.held) {
    const Lease& lease = *find_lease(shard);
    answer.leases.push_back({shard, lease.epoch, lease.revoking, lease.metadata});
  }
  return answer;
}

void Group::reply(GroupPoller& poller, CallId call, std::vector<LostLease> lost, bool with_batches) {
  GroupPolled answer = about(poller);
  answer.lost = std::move(lost);
  if (with_batches) hand_out(poller, answer);
  for (const ShardIndex shard : poller.held) {
    Lease& lease = *find_lease(shard);
    lease.told = lease.revoking;
  }
  poller.heard = now();
  arm(poller);
  context_.reply(call, std::move(answer));
}

void Group::hand_out(GroupPoller& poller, GroupPolled& answer) {
  answer.count_max = poller.count_max;
  answer.bytes_max = poller.bytes_max;
  // Behind those that came first the last time, and once around.
  std::vector<ShardIndex> order(poller.held.upper_bound(poller.served), poller.held.end());
  order.insert(order.end(), poller.held.begin(), poller.held.upper_bound(poller.served));
  std::uint64_t records = 0;
  for (const ShardIndex index : order) {
    if (records >= answer.count_max || answer.batches.size() >= group_limits::poll_shards_max) break;
    const StreamShard& shard = *home_.shards().find(index);
    Lease& lease = *find_lease(index);
    if (lease.revoking || lease.busy || lease.read >= shard.cursor.tail) continue;
    GroupBatch& batch = answer.batches.emplace_back();
    batch.epoch = lease.epoch;
    batch.position = lease.read == lease.position.next ? lease.position : GroupPosition{.next = lease.read};
    batch.page = home_.stream().page_of(shard, lease.read, now());
    batch.page.not_before = std::max(batch.page.not_before, batch.position.not_before);
    batch.page.count_max = answer.count_max;
    batch.page.bytes_max = answer.bytes_max;
    lease.outstanding = true;
    records += batch.page.until.value - batch.page.from.value;
    if (answer.batches.size() == 1) poller.served = index;
  }
}

void Group::heartbeat(CallId call, const HeartbeatGroup& command) {
  const auto member = member_of(command.member, command.token);
  if (const Error* error = std::get_if<Error>(&member)) return context_.reply(call, *error);
  GroupPoller& poller = *std::get<GroupPoller*>(member);
  reply(poller, call, lost_of(command.token), false);
}

void Group::leave(CallId call, const LeaveGroup& command) {
  const auto member = member_of(command.member, command.token);
  if (const Error* error = std::get_if<Error>(&member)) return context_.reply(call, *error);
  GroupPoller& poller = *std::get<GroupPoller*>(member);
  if (std::ranges::any_of(poller.held, [this](ShardIndex shard) { return find_lease(shard)->busy; })) {
    return context_.reply(call, consumer_busy(info_.name));
  }
  if (const auto poll = poller.waits) {
    unpark(poller);
    reply(poller, *poll, {}, false);
  }
  GroupPolled answer = about(poller);
  answer.leases.clear();
  const bool commits = command.commit && info_.mode == CommitMode::on_poll;
  answer.lost = commits ? take(command.token) : lost_of(command.token);
  remove(poller);
  rebalance();
  context_.reply(call, std::move(answer));
}

}  // namespace penstock::core
