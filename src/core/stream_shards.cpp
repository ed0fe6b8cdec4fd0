// How the shards of a stream come and go, and with them the records that retention drops: whole segments, a bounded
// number at a time.
#include <algorithm>
#include <utility>

#include "core/hash_ring.hpp"
#include "core/stream.hpp"
#include "core/stream_errors.hpp"
#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {

Instant Stream::horizon(Instant now) const { return std::max(now - retention(), info_.floor); }

StreamShard* Stream::find_shard(std::string_view shard_id) {
  const auto index = parse_shard_id(shard_id);
  return index && is_ready() ? shards_.find(*index) : nullptr;
}

void Stream::touch(StreamShard& shard) {
  if (!std::exchange(shard.touched, true)) touched_.push_back(&shard);
}

/// Writes down which shards there are now.
void Stream::reshaped() {
  const std::vector<ShardIndex> changed = shards_.take_changed();
  for (const ShardIndex index : changed) {
    StreamShard& shard = *shards_.find(index);
    context_.promise(PutShard{info_.id, shard.record});
    touch(shard);
    arm_trim(shard);
    if (!shard.is_open()) wake(shard, context_.now);
  }
  groups_.reshaped(changed);
}

void Stream::flush() {
  for (StreamShard* shard : touched_) {
    shard->touched = false;
    context_.note(PutShardCursor{info_.id, shard->record.index, shard->cursor});
  }
  touched_.clear();
}

// ---- Changes of the shards.

void Stream::split(CallId call, const SplitShard& command, std::size_t others, Instant now) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (refuse_unless_active(call)) return;
  StreamShard* shard = find_shard(command.shard_id);
  if (shard == nullptr) return context_.reply(call, shard_not_found(info_.name, command.shard_id));
  const ShardIndex index = shard->record.index;
  if (!shard->is_open()) return context_.reply(call, shard_already_reshaped(info_.name, index));
  if (others + shards_.open_count() + 1 > kinesis_limits::account_shards_max) {
    return context_.reply(call, shard_limit_exceeded(info_.name, others + shards_.open_count(), 1));
  }
  const auto middle = parse_hash_key(command.new_starting_hash_key);
  const ShardRecord& record = shard->record;
  // Greater than one plus the start: neither child may be empty, and the service asks for one key more below.
  if (!middle || *middle >= record.last_hash || *middle <= record.first_hash || before(*middle) <= record.first_hash) {
    return context_.reply(call, hash_key_not_inside(info_.name, record, command.new_starting_hash_key));
  }
  shards_.split(index, *middle, info_.next_shard, now);
  reshaped();
  update(call, now);
}

void Stream::handle(CallId call, const MergeShards& command, Instant now) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (refuse_unless_active(call)) return;
  StreamShard* first = find_shard(command.shard_id);
  if (first == nullptr) return context_.reply(call, shard_not_found(info_.name, command.shard_id));
  StreamShard* second = find_shard(command.adjacent_shard_id);
  if (second == nullptr) return context_.reply(call, shard_not_found(info_.name, command.adjacent_shard_id));
  for (const StreamShard* shard : {first, second}) {
    if (!shard->is_open()) return context_.reply(call, shard_already_reshaped(info_.name, shard->record.index));
  }
  const auto meet = [](const StreamShard* low, const StreamShard* high) {
    return low->record.last_hash < high->record.first_hash && before(high->record.first_hash) == low->record.last_hash;
  };
  if (!meet(first, second) && !meet(second, first)) {
    return context_.reply(call, shards_not_adjacent(info_.name, command.shard_id, command.adjacent_shard_id));
  }
  shards_.merge(first->record.index, second->record.index, info_.next_shard, now);
  reshaped();
  update(call, now);
}

void Stream::update_count(CallId call, const UpdateShardCount& command, std::size_t others, Instant now) {
  const auto current = static_cast<std::int32_t>(shards_.open_count());
  const std::string counts = " Current open shard count: " + std::to_string(current) +
                             ". Target shard count: " + std::to_string(command.target) + ".";
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (refuse_unless_active(call)) return;
  if (info_.on_demand) {
    return context_.reply(call, Error{ErrorCode::KinesisValidation,
                                      "UpdateShardCount is not supported for streams in "
                                      "ON_DEMAND mode."});
  }
  if (command.target > current * 2) {
    return context_.reply(call, limit_exceeded("UpdateShardCount cannot scale up over double your current open shard "
                                               "count." +
                                               counts));
  }
  if (command.target * 2 < current) {
    return context_.reply(call, limit_exceeded("UpdateShardCount cannot scale down below half your current open shard "
                                               "count." +
                                               counts));
  }
  if (command.target > kinesis_limits::stream_shards_max) {
    return context_.reply(call,
                          limit_exceeded("UpdateShardCount cannot scale up over " +
                                         std::to_string(kinesis_limits::stream_shards_max) + " shards." + counts));
  }
  const auto more = static_cast<std::size_t>(std::max(command.target - current, 0));
  if (others + shards_.open_count() + more > kinesis_limits::account_shards_max) {
    return context_.reply(call, shard_limit_exceeded(info_.name, others + shards_.open_count(), more));
  }
  std::erase_if(info_.count_changes, [now](Instant at) { return at + kinesis_limits::day <= now; });
  if (context_.limits.strict && info_.count_changes.size() >= kinesis_limits::count_changes_max) {
    return context_.reply(
        call, limit_exceeded("UpdateShardCount can be called at most " +
                             std::to_string(kinesis_limits::count_changes_max) + " times in 24 hours for a stream."));
  }
  info_.count_changes.push_back(now);
  // Only as many are remembered as count.
  if (info_.count_changes.size() > kinesis_limits::count_changes_max)
    info_.count_changes.erase(info_.count_changes.begin());
  shards_.reshape(static_cast<std::size_t>(command.target), info_.next_shard, now);
  reshaped();
  update(call, now, ShardCountChanged{info_.name, current, command.target});
}

// ---- Lists.

bool Stream::passes(const ShardFilter& filter, const StreamShard& shard, Instant now) const {
  const ShardRecord& record = shard.record;
  using Type = ShardFilter::Type;
  // Half-open, so that at no instant a parent and its child are both there.
  const auto is_open_at = [&](Instant at) { return record.created <= at && (!record.closed || *record.closed > at); };
  const auto is_there_from = [&](Instant at) { return !record.closed || *record.closed > at; };
  const Instant oldest = std::max(horizon(now), info_.created);
  const Instant at = std::max(filter.timestamp.value_or(oldest), oldest);
  switch (filter.type) {
    case Type::after_shard_id: {
      const auto after = parse_shard_id(filter.shard_id);
      return after && record.index > *after;
    }
    case Type::at_trim_horizon:
      return is_open_at(oldest);
    case Type::from_trim_horizon:
      return is_there_from(oldest);
    case Type::at_latest:
      return shard.is_open();
    case Type::at_timestamp:
      return is_open_at(at);
    case Type::from_timestamp:
      return is_there_from(at);
  }
  return false;
}

void Stream::handle(CallId call, const ListShards& command, Instant now) {
  if (is_deleting() || !is_created_at(command.created)) return context_.reply(call, stream_not_found(info_.name));
  if (command.id && *command.id != info_.id) {
    return context_.reply(call, Error{ErrorCode::KinesisExpiredNextToken, "The NextToken is of another stream."});
  }
  if (!is_ready()) return context_.reply(call, stream_not_active(info_));
  if (command.filter && command.filter->timestamp && *command.filter->timestamp > now) {
    return context_.reply(call, invalid_argument("The timestamp of the shard filter cannot be in the future."));
  }
  if (command.filter && command.filter->type == ShardFilter::Type::after_shard_id &&
      !parse_shard_id(command.filter->shard_id)) {
    return context_.reply(call, shard_not_found(info_.name, command.filter->shard_id));
  }
  std::optional<ShardIndex> after;
  if (!command.after_shard_id.empty()) {
    after = parse_shard_id(command.after_shard_id);
    if (!after) return context_.reply(call, shard_not_found(info_.name, command.after_shard_id));
  }
  ShardList answer{info_.id, {}, false};
  const auto& all = shards_.all();
  for (auto it = after ? all.upper_bound(*after) : all.begin(); it != all.end(); ++it) {
    const ShardRecord& record = it->second.record;
    if (record.closed && *record.closed <= horizon(now)) continue;
    if (command.filter && !passes(*command.filter, it->second, now)) continue;
    if (answer.shards.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.shards.push_back(record);
  }
  context_.reply(call, std::move(answer));
}

// ---- Retention.

/// When the oldest segment of a shard has outlived its retention, or the shard itself, once it is closed and empty.
std::optional<Instant> Stream::expiry_of(const StreamShard& shard) const {
  if (!shard.segments.empty()) return shard.segments.front().last_arrival + retention();
  if (!shard.is_empty()) return shard.cursor.last_arrival + retention();
  if (shard.record.closed) return *shard.record.closed + retention();
  return std::nullopt;
}

/// The same, where its deadline is at `when`, since the segment that grows may have grown.
std::optional<Instant> Stream::expiry_seen(ShardIndex index, Instant when) const {
  const StreamShard* shard = shards_.find(index);
  const std::optional<Instant> expiry = shard != nullptr ? expiry_of(*shard) : std::nullopt;
  // It is only its parents that a shard waits for which has expired before.
  return expiry && *expiry >= when ? expiry : std::nullopt;
}

// The segment that grows expires later with each record; its deadline is moved when it comes, not with each record.
void Stream::arm_trim(StreamShard& shard) {
  const auto expiry = expiry_of(shard);
  if (!expiry) {
    if (shard.trim != DeadlineHeap::none) context_.deadlines.remove(std::exchange(shard.trim, DeadlineHeap::none));
  } else if (shard.trim == DeadlineHeap::none) {
    shard.trim = context_.deadlines.add(
        *expiry, Due{.kind = Due::Kind::stream_trim, .id = shard.record.index.value, .stream = this});
  } else {
    context_.deadlines.move(shard.trim, *expiry);
  }
}

void Stream::drop_first_segment(StreamShard& shard) {
  ShardCursor& cursor = shard.cursor;
  const RecordIndex first = cursor.head;
  if (shard.segments.empty()) {
    cursor.segment_first = cursor.tail;
    cursor.segment_bytes = shard.bytes = 0;
    cursor.segment_first_arrival = {};
    cursor.head = cursor.tail;
  } else {
    cursor.head = shard.segments.front().end;
    shard.segments.pop_front();
    shard.bytes -= shard.segment_bytes.front();
    shard.segment_bytes.pop_front();
  }
  context_.note(DropSegment{info_.id, shard.record.index, first, cursor.head});
  touch(shard);
}

void Stream::trim(ShardIndex index, Instant now) {
  StreamShard& shard = *shards_.find(index);
  shard.trim = DeadlineHeap::none;
  for (std::size_t dropped = 0; dropped < context_.limits.trim_batch_max; ++dropped) {
    const auto expiry = expiry_of(shard);
    if (!expiry || *expiry > now) break;
    if (shard.is_empty()) {
      // A closed shard names its children for as long as it is there, so they go after it.
      if (shards_.has_parent(shard)) {
        shard.trim = context_.deadlines.add(now + Millis{1},
                                            Due{.kind = Due::Kind::stream_trim, .id = index.value, .stream = this});
        return;
      }
      // Subscriptions to it have been told its end, or are about to ask.
      std::erase(touched_, &shard);
      context_.note(DropShard{info_.id, index});
      groups_.forgotten(shard);
      for (Subscription* subscription : std::exchange(shard.waiting, {})) end(*subscription, {});
      shards_.forget(index);
      groups_.reshaped({});
      return;
    }
    drop_first_segment(shard);
  }
  arm_trim(shard);
}

}  // namespace penstock::core
