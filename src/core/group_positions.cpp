// How far a group has come: commits, transactions, resets, and what is left to do.
#include <algorithm>
#include <utility>

#include "core/group.hpp"
#include "core/group_errors.hpp"
#include "core/groups.hpp"
#include "core/stream.hpp"
#include "core/stream_errors.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {
namespace {

constexpr std::string_view shard_end = "SHARD_END";

/// Behind all that a closed shard has.
GroupPosition end_of(const StreamShard& shard) {
  const ShardCursor& cursor = shard.cursor;
  return {.next = cursor.tail, .at_s = cursor.tail > RecordIndex{1} ? arrival_second(cursor.last_arrival) : 0};
}

Error foreign_number(ShardIndex shard, const std::string& number) {
  return invalid_position("SequenceNumber " + number + " is none of " + format_shard_id(shard) + ".");
}

Error not_closed(ShardIndex shard) { return invalid_position(format_shard_id(shard) + " is open, and so has no end."); }

}  // namespace

std::variant<GroupPosition, Error> place_in(const StreamShard& shard, const GivenPosition& given) {
  const ShardIndex index = shard.record.index;
  const std::string& text = given.sequence_number;
  if (text == shard_end) {
    if (given.sub_sequence_number) return invalid_position("SHARD_END has no SubSequenceNumber.");
    if (shard.is_open()) return not_closed(index);
    return end_of(shard);
  }
  const auto number = parse_sequence_number(text);
  if (!number) return invalid_position("\"" + text + "\" is no SequenceNumber.");
  if (number->shard != index || number->created_s != shard.record.created_s) return foreign_number(index, text);
  if (number->index == sequence_index_end && !given.sub_sequence_number) {
    if (shard.is_open()) return not_closed(index);
    return end_of(shard);
  }
  if (number->index >= shard.cursor.tail) {
    return invalid_position("SequenceNumber " + text + " is beyond what " + format_shard_id(index) + " has.");
  }
  if (given.sub_sequence_number) {
    if (number->behind || number->index == RecordIndex{}) {
      return invalid_position("SequenceNumber " + text + " is no record's, and so has no SubSequenceNumber.");
    }
    return GroupPosition{.next = number->index, .sub = given.sub_sequence_number, .at_s = number->at_s};
  }
  const bool is_record = !number->behind && number->index != RecordIndex{};
  return GroupPosition{.next = RecordIndex{number->index.value + 1}, .at_s = is_record ? number->at_s : 0};
}

// ---- Commits.

std::optional<Error> Group::objection_to(const StreamShard& shard, const GivenPosition& given) const {
  const ShardIndex index = shard.record.index;
  const Lease* lease = find_lease(index);
  if (lease == nullptr || lease->epoch == 0 || lease->epoch != given.epoch) {
    return lease_lost(info_.name, index, given.epoch, record_of(index));
  }
  if (lease->busy) return consumer_busy(info_.name);
  return std::nullopt;
}

Group::Steps Group::steps_of(const std::vector<GivenPosition>& given, bool force) {
  std::vector<Step> steps;
  steps.reserve(given.size());
  for (const GivenPosition& each : given) {
    const auto index = parse_shard_id(each.shard_id);
    StreamShard* shard = index ? home_.shards().find(*index) : nullptr;
    if (shard == nullptr) return invalid_position("The stream has no shard \"" + each.shard_id + "\".");
    const bool twice = std::ranges::any_of(steps, [&](const Step& step) { return step.shard == shard; });
    if (twice) return invalid_position(format_shard_id(*index) + " is there twice.");
    if (auto error = objection_to(*shard, each)) return std::move(*error);
    auto placed = place_in(*shard, each);
    if (Error* error = std::get_if<Error>(&placed)) return std::move(*error);
    const auto& position = std::get<GroupPosition>(placed);
    if (!force && is_behind(position, find_lease(*index)->position)) {
      return position_backwards(info_.name, *index, each.sequence_number);
    }
    steps.push_back({shard, position, &each});
  }
  return steps;
}

GroupLease Group::after(const Step& step) const {
  GroupLease record = record_of(step.shard->record.index);
  record.position = step.position;
  record.committed = now();
  if (step.given->metadata) record.metadata = *step.given->metadata;
  return record;
}

void Group::move_on(StreamShard& shard, GroupLease record) {
  Lease& lease = *find_lease(shard.record.index);
  const bool backwards = is_behind(record.position, lease.position);
  static_cast<GroupLease&>(lease) = std::move(record);
  const RecordIndex next = lease.position.next;
  if (backwards || info_.mode == CommitMode::on_poll || next > lease.read) lease.read = next;
  if (backwards) {
    // A token of before must not go forward again. And its owner's poll, which may wait, has something to answer again.
    begin_epoch(lease);
    unbalanced_ = true;
  }
  finish_if_done(shard);
}

/// Shards whose ancestors are to be gone through again come after them.
void Group::take_back_blocked() {
  for (auto& [index, lease] : leases_) {
    if (lease.is_polled() && !lease.busy && is_blocked(*home_.shards().find(index))) take_away(index, lease);
  }
}

void Group::commit(CallId call, const CommitGroup& command) {
  GroupCommitted answer;
  const CommitKey* used = find_key(command.key);
  if (used != nullptr && !used->put.empty()) {
    return context_.reply(call, key_of_another(info_.name, command.key));
  }
  answer.repeated = used != nullptr;
  if (!answer.repeated) {
    auto found = steps_of(command.positions, command.force);
    if (Error* error = std::get_if<Error>(&found)) return context_.reply(call, std::move(*error));
    bool reopens = false;
    for (const Step& step : std::get<std::vector<Step>>(found)) {
      const ShardIndex index = step.shard->record.index;
      const std::string owner = find_lease(index)->owner;
      reopens = reopens || (is_done(*step.shard) && is_behind(step.position, find_lease(index)->position));
      move_on(*step.shard, after(step));
      keep(index, *find_lease(index), true);
      renew(owner);
    }
    if (reopens) take_back_blocked();
    if (!command.key.empty()) {
      CommitKey key{command.key, now(), {}};
      if (!info_.ephemeral) context_.promise(PutCommitKey{home_.stream().id(), info_.id, key});
      remember(std::move(key));
    }
  }
  for (const GivenPosition& each : command.positions) {
    const auto index = parse_shard_id(each.shard_id);
    const StreamShard* shard = index ? home_.shards().find(*index) : nullptr;
    if (shard != nullptr) answer.shards.push_back(seen(*shard));
  }
  context_.reply(call, std::move(answer));
  if (unbalanced_) rebalance();
}

// ---- Transactions.

void Group::transact(CallId call, TransactGroup& command) {
  if (const CommitKey* key = find_key(command.key)) {
    if (key->put.empty()) return context_.reply(call, key_of_another(info_.name, command.key));
    return context_.reply(call, GroupTransacted{key->put, true});
  }
  if (home_.is_pending(info_.id, command.key)) return context_.reply(call, consumer_busy(info_.name));
  auto found = steps_of(command.positions, false);
  if (Error* error = std::get_if<Error>(&found)) return context_.reply(call, std::move(*error));
  const auto& steps = std::get<std::vector<Step>>(found);
  const auto goes_forward = [this](const Step& step) {
    return is_behind(find_lease(step.shard->record.index)->position, step.position);
  };
  if (!std::ranges::any_of(steps, goes_forward)) return context_.reply(call, no_position_forward(info_.name));
  Transaction transaction{home_.stream().info().name, call, {command.target, std::move(command.entries), {}, {}}};
  std::vector<PutGroupLease> leases;
  for (const Step& step : steps) {
    const ShardIndex index = step.shard->record.index;
    leases.push_back({home_.stream().id(), info_.id, index, after(step)});
    find_lease(index)->busy = true;
  }
  ++busy_;
  CommitKey key{command.key, now(), {}};
  if (!info_.ephemeral) {
    transaction.accept.leases = leases;
    if (!key.key.empty()) transaction.accept.key = PutCommitKey{home_.stream().id(), info_.id, key};
  }
  context_.effects.transactions.push_back(std::move(transaction));
  home_.began(call, *this, std::move(leases), std::move(key));
}

void Group::settle(const TransactionSettled& settled, const std::vector<PutGroupLease>& leases, CommitKey key) {
  --busy_;
  for (const PutGroupLease& put : leases) {
    StreamShard* shard = home_.shards().find(put.shard);
    Lease* lease = find_lease(put.shard);
    // Retention may have taken the shard meanwhile.
    if (shard == nullptr || lease == nullptr) continue;
    lease->busy = false;
    if (!settled.failure) move_on(*shard, put.lease);
    if (!lease->is_polled()) continue;
    // Its owner may have gone meanwhile, or have come back as another.
    if (is_held(*lease)) {
      renew(lease->owner);
    } else {
      free(put.shard, *lease);
    }
  }
  key.put = settled.put;
  if (!settled.failure && !key.key.empty()) remember(std::move(key));
  reply_settled(context_, settled);
  // What waited for the leases goes on, whether they moved or not.
  rebalance();
}

// ---- Keys.

const CommitKey* Group::find_key(const std::string& key) const {
  const auto found = key.empty() ? keys_.end() : keys_.find(key);
  if (found == keys_.end() || found->second.at + group_limits::key_life <= now()) return nullptr;
  return &found->second;
}

void Group::remember(CommitKey key) {
  std::erase(key_order_, key.key);
  key_order_.push_back(key.key);
  arm_sweep(key.at + group_limits::key_life);
  keys_.insert_or_assign(key.key, std::move(key));
  forget_old_keys();
}

void Group::forget_old_keys() {
  const auto is_old = [this](const std::string& key) {
    return key_order_.size() > group_limits::keys_max || keys_.at(key).at + group_limits::key_life <= now();
  };
  while (!key_order_.empty() && is_old(key_order_.front())) {
    if (!info_.ephemeral) context_.note(DropCommitKey{home_.stream().id(), info_.id, key_order_.front()});
    keys_.erase(key_order_.front());
    key_order_.erase(key_order_.begin());
  }
}

// ---- Resets.

std::vector<ShardReset> Group::plan(const ResetGroup& command, std::optional<Error>& error) {
  std::vector<ShardReset> steps;
  const auto index = parse_shard_id(command.shard_id);
  if (!command.shard_id.empty() && (!index || home_.shards().find(*index) == nullptr)) {
    error = invalid_position("The stream has no shard \"" + command.shard_id + "\".");
    return steps;
  }
  if (command.to.sequence_number && !index) {
    error = invalid_position("A SequenceNumber is one shard's: name it by ShardId.");
    return steps;
  }
  for (auto& [each, shard] : home_.shards().all()) {
    if (index && each != *index) continue;
    auto found = home_.stream().position_of(shard, command.to, "Reset", now());
    if (Error* wrong = std::get_if<Error>(&found)) {
      error = std::move(*wrong);
      return {};
    }
    const auto& place = std::get<ShardPosition>(found);
    ShardReset& step =
        steps.emplace_back(ShardReset{seen(shard), GroupPosition{.next = place.from, .not_before = place.not_before}});
    step.page = glimpse(shard, step.to);
  }
  return steps;
}

void Group::reset(CallId call, const ResetGroup& command) {
  if (busy_ > 0) return context_.reply(call, consumer_busy(info_.name));
  std::optional<Error> error;
  GroupReset answer{plan(command, error), command.dry_run};
  if (error) return context_.reply(call, std::move(*error));
  if (command.dry_run) return context_.reply(call, std::move(answer));
  for (const ShardReset& step : answer.shards) {
    Lease& lease = leases_[step.shard.shard];
    lease.position = step.to;
    lease.lost_until = step.to.next;
    lease.committed = now();
    take_away(step.shard.shard, lease);
  }
  take_back_blocked();
  context_.reply(call, std::move(answer));
  rebalance();
}

// ---- What is left.

/// The first record from a position on.
RecordsPage Group::glimpse(const StreamShard& shard, const GroupPosition& position) const {
  RecordsPage page = home_.stream().page_of(shard, position.next, now());
  page.not_before = std::max(page.not_before, position.not_before);
  page.count_max = 1;
  page.bytes_max = 1;
  return page;
}

GroupShard Group::seen(const StreamShard& shard) const {
  const ShardIndex index = shard.record.index;
  const Lease* lease = find_lease(index);
  GroupShard answer{index, shard.record.created_s, !shard.is_open(), GroupShardState::free, record_of(index)};
  if (is_done(shard)) {
    answer.state = GroupShardState::finished;
  } else if (lease != nullptr && (lease->is_polled() || is_read_now(*lease))) {
    answer.state = lease->revoking ? GroupShardState::revoking : GroupShardState::leased;
  } else if (is_blocked(shard)) {
    answer.state = GroupShardState::blocked;
  }
  return answer;
}

GroupInfo Group::told() const {
  GroupInfo info = info_;
  for (const auto& [shard, lease] : leases_) info.lost_records += lease.lost_records;
  return info;
}

void Group::lag(CallId call, const DescribeLag& command) {
  GroupLag answer;
  answer.info = told();
  const auto after = parse_shard_id(command.after_shard_id);
  const auto& all = home_.shards().all();
  for (auto it = after ? all.upper_bound(*after) : all.begin(); it != all.end(); ++it) {
    if (answer.shards.size() == command.limit) {
      answer.more = true;
      break;
    }
    ShardLag& each = answer.shards.emplace_back(ShardLag{seen(it->second)});
    each.page = glimpse(it->second, each.shard.lease.position);
  }
  context_.reply(call, std::move(answer));
}

bool Group::lags() const {
  return std::ranges::any_of(home_.shards().all(), [this](const auto& entry) {
    const StreamShard& shard = entry.second;
    if (is_done(shard)) return false;
    const RecordsPage next = glimpse(shard, record_of(entry.first).position);
    return next.from < next.until;
  });
}

void Group::describe(CallId call, const DescribeGroup& command, bool created) {
  GroupDescription answer{home_.stream().info().name, home_.stream().id(), told(), created, {}, {}, false};
  for (const auto& [name, poller] : pollers_) {
    answer.members.push_back({name, poller.held.size(),
                              (poller.waits ? poller.waits_until : poller.heard) + info_.lease,
                              poller.waits.has_value(), false});
  }
  for (const auto& [index, lease] : leases_) {
    if (!is_read_now(lease)) continue;
    const std::string& owner = lease.owner;
    const auto same = [&owner](const GroupMember& member) { return member.reader && member.name == owner; };
    auto found = std::ranges::find_if(answer.members, same);
    if (found == answer.members.end()) {
      found = answer.members.insert(found, GroupMember{lease.owner, 0, lease.reads_until, false, true});
    }
    ++found->shards;
    found->expires = std::max(found->expires, lease.reads_until);
  }
  const auto after = parse_shard_id(command.after_shard_id);
  const auto& all = home_.shards().all();
  for (auto it = after ? all.upper_bound(*after) : all.begin(); it != all.end(); ++it) {
    if (answer.shards.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.shards.push_back(seen(it->second));
  }
  context_.reply(call, std::move(answer));
}

// ---- Readers by Kinesis's own calls.

void Group::start_reading(CallId call, const GetShardIterator& command, StreamShard& shard) {
  const ShardIndex index = shard.record.index;
  const IteratorType type = command.start.type;
  const std::string member = command.reader->member.empty() ? std::string(unnamed_reader) : command.reader->member;
  const Lease* present = find_lease(index);
  const bool is_anothers =
      present != nullptr && (present->is_polled() || (is_read_now(*present) && present->owner != member));
  if (is_anothers || (present != nullptr && present->busy)) {
    return context_.reply(call, shard_is_held(info_.name, index, *present));
  }
  const bool resumes = type == IteratorType::trim_horizon || type == IteratorType::latest;
  auto found = home_.stream().position_of(shard, command.start, "GetShardIterator", now());
  if (Error* error = std::get_if<Error>(&found)) return context_.reply(call, std::move(*error));
  auto& answer = std::get<ShardPosition>(found);
  Lease& lease = leases_[index];
  // What the type says has been seen to, if it was this call that made the group; from then on it is its position.
  if (resumes) {
    pass_lost(lease, shard.cursor.head);
    answer.from = lease.position.next;
    answer.not_before = lease.position.not_before;
  }
  begin_epoch(lease);
  lease.owner = member;
  lease.session = 0;
  lease.reads_until = now() + info_.lease;
  arm_sweep(lease.reads_until);
  keep(index, lease, true);
  answer.hold = GroupHold{info_.name, lease.epoch, false, 0};
  unbalanced_ = true;
  context_.reply(call, answer);
  rebalance();
}

/// What retention took of what is next is told at once, since a reader's calls have no place for it.
bool Group::pass_lost(Lease& lease, RecordIndex head) {
  GroupPosition& position = lease.position;
  if (position.next >= head) return false;
  const RecordIndex counted = std::max(position.next, lease.lost_until);
  if (counted < head) lease.lost_records += head.value - counted.value;
  lease.lost_until = std::max(lease.lost_until, head);
  position = GroupPosition{.next = head, .not_before = position.not_before};
  return true;
}

std::optional<Error> Group::read_on(const GroupHold& hold, StreamShard& shard, RecordIndex from) {
  const ShardIndex index = shard.record.index;
  Lease* lease = find_lease(index);
  if (lease == nullptr || !lease->is_read() || lease->epoch != hold.epoch) {
    return reading_taken_over(info_.name, index, record_of(index));
  }
  if (lease->busy) return shard_is_held(info_.name, index, *lease);
  lease->reads_until = now() + info_.lease;
  arm_sweep(lease->reads_until);
  GroupPosition& position = lease->position;
  bool moved = hold.commits && from > position.next;
  if (moved) position = GroupPosition{.next = from, .at_s = hold.at_s};
  moved = (from == position.next && pass_lost(*lease, shard.cursor.head)) || moved;
  if (!moved) return std::nullopt;
  lease->committed = now();
  lease->read = position.next;
  keep(index, *lease, true);
  finish_if_done(shard);
  if (unbalanced_) rebalance();
  return std::nullopt;
}

}  // namespace penstock::core
