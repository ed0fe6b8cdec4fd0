#include "core/groups.hpp"

#include <algorithm>
#include <utility>

#include "core/group_errors.hpp"
#include "core/stream.hpp"
#include "core/stream_errors.hpp"
#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {

void Groups::recover(std::vector<RecoveredGroup> groups) {
  for (RecoveredGroup& recovered : groups) {
    const std::string name = recovered.info.name;
    auto group = std::make_unique<Group>(*this, std::move(recovered));
    by_id_.emplace(group->info().id, group.get());
    groups_.emplace(name, std::move(group));
  }
}

Group* Groups::find(const std::string& name) {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

template <class Command, class Work>
void Groups::with_group(CallId call, const Command& command, const Work& work) {
  Group* group = find(command.group);
  if (group == nullptr) return context_.reply(call, consumer_missing(stream_.info().name, command.group));
  work(*group);
  drop_if_over(*group);
}

// ---- What the stream tells.

void Groups::woken(StreamShard& shard) {
  // Answering takes the poll off the list.
  for (const ParkedPoll& poll : std::vector<ParkedPoll>(shard.polls)) poll.group->woken(*poll.poller);
}

void Groups::reshaped(const std::vector<ShardIndex>& changed) {
  for (const auto& [name, group] : groups_) {
    for (const ShardIndex index : changed) group->shard_closed(*shards_.find(index));
    group->shards_changed();
  }
}

void Groups::forgotten(const StreamShard& shard) {
  for (const auto& [name, group] : groups_) group->shard_forgotten(shard);
}

void Groups::erase(const Error& why) {
  for (const auto& [name, group] : groups_) group->end_polls(why);
  groups_.clear();
  by_id_.clear();
}

void Groups::name_busy(BusyList& busy) const {
  for (const auto& [name, group] : groups_) {
    if (busy.size() >= busy_named_max) return;
    if (group->lags()) {
      busy.push_back({"consumer", stream_.info().name.name + "/" + name, "it has not processed all records"});
    }
  }
}

void Groups::release_parked() {
  for (const auto& [name, group] : groups_) group->end_polls(std::nullopt);
}

void Groups::due(const Due& due, Instant now) {
  if (due.kind == Due::Kind::group_member) {
    const auto found = sessions_.find(due.id);
    if (found == sessions_.end()) return;
    Group& group = *found->second;
    group.poller_due(due.id, now);
    return drop_if_over(group);
  }
  const auto found = by_id_.find(GroupId{due.id});
  if (found == by_id_.end()) return;
  found->second->sweep_due(now);
  drop_if_over(*found->second);
}

std::optional<Instant> Groups::observable_from(const Due& due, Instant when) const {
  if (due.kind == Due::Kind::group_member) {
    const auto found = sessions_.find(due.id);
    return found == sessions_.end() ? std::nullopt : found->second->member_end_seen(due.id, when);
  }
  const auto found = by_id_.find(GroupId{due.id});
  return found == by_id_.end() ? std::nullopt : found->second->sweep_seen(when);
}

bool Groups::is_poll_end(const Due& due) const {
  const auto found = sessions_.find(due.id);
  return found != sessions_.end() && found->second->is_poll_end(due.id);
}

std::optional<Instant> Groups::awaited_since(const Due& due) const {
  const auto found = sessions_.find(due.id);
  return found == sessions_.end() ? std::nullopt : found->second->awaited_since(due.id);
}

// ---- Creating.

/// What comes before a shard has been gone through, since it itself has been begun with.
void Groups::finish_ancestors(const StreamShard& shard, std::map<ShardIndex, GroupLease>& leases) {
  std::vector<std::optional<ShardIndex>> parents{shard.record.parent, shard.record.adjacent_parent};
  while (!parents.empty()) {
    const auto index = parents.back();
    parents.pop_back();
    const StreamShard* parent = index ? shards_.find(*index) : nullptr;
    // One that was given itself, or was come to by another way.
    if (parent == nullptr || leases.contains(*index)) continue;
    leases[*index].position.next = parent->cursor.tail;
    parents.push_back(parent->record.parent);
    parents.push_back(parent->record.adjacent_parent);
  }
}

std::optional<Error> Groups::starts_of(const std::vector<GivenPosition>& positions,
                                       std::map<ShardIndex, GroupLease>& leases) {
  std::vector<const StreamShard*> given;
  for (const GivenPosition& each : positions) {
    const auto index = parse_shard_id(each.shard_id);
    const StreamShard* shard = index ? shards_.find(*index) : nullptr;
    if (shard == nullptr) return invalid_position("The stream has no shard \"" + each.shard_id + "\".");
    if (leases.contains(*index)) return invalid_position(format_shard_id(*index) + " is there twice.");
    GroupLease& lease = leases[*index];
    if (!each.sequence_number.empty()) {
      auto placed = place_in(*shard, each);
      if (Error* error = std::get_if<Error>(&placed)) return std::move(*error);
      lease.position = std::get<GroupPosition>(placed);
    } else {
      lease.position.next = shard->cursor.head;
    }
    if (each.metadata) lease.metadata = *each.metadata;
    given.push_back(shard);
  }
  for (const StreamShard* shard : given) finish_ancestors(*shard, leases);
  return std::nullopt;
}

/// Written down for every shard that is there, since what retention takes from now on is lost to the group. A shard
/// whose first record is where it begins needs no writing.
std::optional<Error> Groups::starts_of(const GroupStart& start, std::map<ShardIndex, GroupLease>& leases) {
  if (auto error = starts_of(start.positions, leases)) return error;
  for (auto& [index, shard] : shards_.all()) {
    if (leases.contains(index)) continue;
    auto found = stream_.position_of(shard, start.from, "CreateConsumer", context_.now);
    if (Error* error = std::get_if<Error>(&found)) return std::move(*error);
    const auto& place = std::get<ShardPosition>(found);
    const GroupPosition position{.next = place.from, .not_before = place.not_before};
    if (position != GroupPosition{}) leases[index].position = position;
  }
  return std::nullopt;
}

Group* Groups::create(const std::string& name, const GroupInfo& settings,
                      const std::map<ShardIndex, GroupLease>& leases) {
  GroupInfo info = settings;
  info.name = name;
  info.created = context_.now;
  do info.id = GroupId{context_.entropy.next()};
  while (info.id.value == 0 || by_id_.contains(info.id));
  if (!info.ephemeral) context_.promise(PutGroup{stream_.id(), info});
  auto group = std::make_unique<Group>(*this, std::move(info), leases);
  Group* created = group.get();
  by_id_.emplace(created->info().id, created);
  groups_.emplace(name, std::move(group));
  return created;
}

void Groups::handle(CallId call, const CreateGroup& command) {
  const IteratorType start = command.start.from.type;
  Group* group = find(command.group);
  const bool exists = group != nullptr;
  if (exists) {
    const GroupInfo& info = group->info();
    const bool is_same = info.start == start && info.lease == command.lease && info.mode == command.mode &&
                         info.ephemeral == command.ephemeral;
    if (!is_same) return context_.reply(call, consumer_exists(stream_.info().name, command.group));
  } else {
    if (groups_.size() >= context_.limits.groups_max) {
      return context_.reply(call, too_many_consumers(stream_.info().name, context_.limits.groups_max));
    }
    std::map<ShardIndex, GroupLease> leases;
    if (auto error = starts_of(command.start, leases)) return context_.reply(call, std::move(*error));
    GroupInfo settings;
    settings.start = start;
    settings.lease = command.lease;
    settings.mode = command.mode;
    settings.ephemeral = command.ephemeral;
    group = create(command.group, settings, leases);
  }
  group->describe(call, {command.stream, command.group, {}, group_limits::list_max}, !exists);
}

void Groups::handle(CallId call, const DescribeGroup& command) {
  with_group(call, command, [&](Group& group) { group.describe(call, command, false); });
}

void Groups::handle(CallId call, const ListGroups& command) {
  GroupList answer;
  for (auto it = groups_.upper_bound(command.after); it != groups_.end(); ++it) {
    if (answer.groups.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.groups.push_back(it->second->told());
  }
  context_.reply(call, std::move(answer));
}

void Groups::drop(Group& group) {
  const GroupInfo info = group.info();
  group.end_polls(consumer_missing(stream_.info().name, info.name));
  if (!info.ephemeral) context_.promise(DropGroup{stream_.id(), info.id});
  by_id_.erase(info.id);
  groups_.erase(info.name);
}

void Groups::drop_if_over(Group& group) {
  if (group.is_over(context_.now)) drop(group);
}

void Groups::handle(CallId call, const DeleteGroup& command) {
  Group* group = find(command.group);
  if (group == nullptr) return context_.reply(call, consumer_missing(stream_.info().name, command.group));
  if (group->is_busy()) return context_.reply(call, consumer_busy(command.group));
  drop(*group);
  context_.reply(call, Done{});
}

// ---- What one of them does.

void Groups::handle(CallId call, const PollGroup& command) {
  with_group(call, command, [&](Group& group) { group.poll(call, command); });
}

void Groups::handle(CallId, const CancelPoll& command) {
  if (Group* group = find(command.group)) group->cancel_poll(command.poll);
}

void Groups::handle(CallId call, const HeartbeatGroup& command) {
  with_group(call, command, [&](Group& group) { group.heartbeat(call, command); });
}

void Groups::handle(CallId call, const LeaveGroup& command) {
  with_group(call, command, [&](Group& group) { group.leave(call, command); });
}

void Groups::handle(CallId call, const CommitGroup& command) {
  with_group(call, command, [&](Group& group) { group.commit(call, command); });
}

void Groups::handle(CallId call, TransactGroup& command) {
  with_group(call, command, [&](Group& group) { group.transact(call, command); });
}

void Groups::handle(CallId call, const ResetGroup& command) {
  with_group(call, command, [&](Group& group) { group.reset(call, command); });
}

void Groups::handle(CallId call, const DescribeLag& command) {
  with_group(call, command, [&](Group& group) { group.lag(call, command); });
}

// ---- Transactions that the target has not answered yet.

void Groups::began(CallId call, const Group& group, std::vector<PutGroupLease> leases, CommitKey key) {
  pending_.emplace(call.value, Pending{group.info().id, std::move(leases), std::move(key)});
}

bool Groups::is_pending(GroupId group, const std::string& key) const {
  if (key.empty()) return false;
  return std::ranges::any_of(
      pending_, [&](const auto& each) { return each.second.group == group && each.second.key.key == key; });
}

void Groups::handle(CallId call, const TransactionSettled& command) {
  context_.reply(call, Done{});
  auto found = pending_.extract(command.call.value);
  const auto group = found ? by_id_.find(found.mapped().group) : by_id_.end();
  if (group == by_id_.end()) return reply_settled(context_, command);
  group->second->settle(command, found.mapped().leases, std::move(found.mapped().key));
  drop_if_over(*group->second);
}

void reply_settled(ShardContext& context, const TransactionSettled& settled) {
  if (settled.failure) {
    context.reply(settled.call, *settled.failure);
  } else {
    context.reply(settled.call, GroupTransacted{settled.put, false});
  }
}

// ---- Readers by Kinesis's own calls.

void Groups::start_reading(CallId call, const GetShardIterator& command, StreamShard& shard) {
  Group* group = find(command.reader->group);
  if (group == nullptr) {
    if (groups_.size() >= context_.limits.groups_max) {
      return context_.reply(
          call, limit_exceeded(too_many_consumers(stream_.info().name, context_.limits.groups_max).message));
    }
    GroupStart start;
    const IteratorType type = command.start.type;
    if (type == IteratorType::latest) start.from = command.start;
    std::map<ShardIndex, GroupLease> leases;
    if (auto error = starts_of(start, leases)) return context_.reply(call, std::move(*error));
    GroupInfo settings;
    settings.start = start.from.type;
    settings.lease = group_limits::lease_default;
    group = create(command.reader->group, settings, leases);
  }
  group->start_reading(call, command, shard);
}

std::optional<Error> Groups::read_on(const GroupHold& hold, StreamShard& shard, RecordIndex from) {
  Group* group = find(hold.group);
  if (group == nullptr) return reading_taken_over(hold.group, shard.record.index, {});
  return group->read_on(hold, shard, from);
}

}  // namespace penstock::core
