// What the clients of the simulated world do with streams, and what each answer is held against.
#include <algorithm>
#include <utility>

#include "storage/stream_records.hpp"
#include "stream_world.hpp"

namespace penstock::sim {

namespace {

constexpr std::size_t positions_max = 40;
constexpr std::size_t open_shards_max = 6;

/// The middle of a shard, about; nothing if it is too narrow.
std::optional<HashKey> middle_of(const ShardRecord& shard, Random& random) {
  const std::uint64_t width = shard.last_hash.high - shard.first_hash.high;
  if (width < 8) return std::nullopt;
  return HashKey{shard.first_hash.high + 2 + random.below(width - 4), random.next()};
}

}  // namespace

// ---- Streams come and go.

void StreamWorld::create_stream(Plan& plan) {
  const auto shards = static_cast<std::int32_t>(1 + random_.below(3));
  plan.stream = std::make_shared<Stream>(StreamModel(shards, now_));
  plan.stream->consumers[0].name = "first";
  plan.stream->consumers[1].name = "second";
  plan.stream->changing_until = now_ + limits_.stream_transition;
  plan.existence = Existence::creating;
  OpenCall call = call_on(plan);
  call.may_fail = advanced_to_ <= plan.deleted_until;
  call.check = [this, &plan](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("a stream could not be created: " + error->message);
      plan.existence = Existence::absent;
      plan.stream.reset();
      return;
    }
    plan.existence = Existence::present;
    if (std::exchange(plan.existed, true)) ++counts_.recreated;
  };
  CreateStream command;
  command.stream = plan.name;
  command.shard_count = shards;
  issue(std::move(call), std::move(command));
}

void StreamWorld::delete_stream(Plan& plan) {
  // What subscriptions got until now they got before they were over.
  take_effects();
  OpenCall call = call_on(plan);
  for (const SubscriptionPtr& each : subscriptions_) each->ending = each->ending || each->stream == plan.stream;
  plan.existence = Existence::deleting;
  plan.deleted_until = std::max(plan.deleted_until, now_ + limits_.stream_transition);
  call.check = [this, &plan](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("a stream could not be deleted: " + error->message);
      plan.existence = Existence::present;
      return;
    }
    ++counts_.deleted;
    plan.existence = Existence::absent;
    plan.stream.reset();
  };
  issue(std::move(call), DeleteStream{plan.name, true});
}

// ---- Producers.

PutEntry StreamWorld::random_entry(const Stream& stream) {
  const std::uint64_t key = random_.below(10);
  PutEntry entry{"k" + std::to_string(key), "r" + std::to_string(++next_record_) + " ", {}};
  Random of_key(key);
  entry.hash = HashKey{of_key.next(), of_key.next()};
  if (random_.one_in(4)) {
    const ShardRecord& shard = stream.listing[random_.below(stream.listing.size())];
    entry.hash = random_.one_in(2) ? shard.first_hash : shard.last_hash;
  }
  for (std::uint64_t left = random_.below(random_.one_in(10) ? 400 : 40); left > 0; --left) {
    entry.data.push_back(static_cast<char>(random_.below(256)));
  }
  return entry;
}

void StreamWorld::put_some(Plan& plan) {
  OpenCall call = call_on(plan);
  PutRecords command;
  command.stream = plan.name;
  std::vector<std::string> data;
  for (std::uint64_t left = 1 + random_.below(5); left > 0; --left) {
    command.entries.push_back(random_entry(*plan.stream));
    data.push_back(command.entries.back().data);
    plan.stream->model.asked_to_put(command.entries.back(), now_, moment_ + 1);
  }
  command.single = command.entries.size() == 1 && random_.one_in(2);
  if (command.single && random_.one_in(2)) {
    const ModelKnown known = plan.stream->model.known();
    const auto newest = known.by_hash.find(command.entries[0].hash);
    if (newest != known.by_hash.end()) command.ordering = format_sequence_number(newest->second);
  }
  call.check = [this, data](const OpenCall& asked, const Result& result) { on_put(asked, data, result); };
  issue(std::move(call), std::move(command));
}

void StreamWorld::on_put(const OpenCall& call, const std::vector<std::string>& data, const Result& result) {
  StreamModel& model = call.stream->model;
  if (const auto* error = answer<Error>(result)) {
    if (!excused(call, *error)) broken("a put failed: " + error->message);
    for (const std::string& each : data) model.refused(each);
    return;
  }
  const auto* put = answer<RecordsPut>(result);
  if (put == nullptr || put->entries.size() != data.size()) return broken("a put was answered with something else");
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (const auto* error = std::get_if<Error>(&put->entries[i])) {
      if (!excused(call, *error)) return broken("a record was refused: " + error->message);
      model.refused(data[i]);
      continue;
    }
    hold(model.put(data[i], std::get<RecordPut>(put->entries[i]), put->encrypted, call.known));
    ++counts_.puts;
  }
}

// ---- Readers.

std::optional<ShardIndex> StreamWorld::random_shard(const Stream& stream) {
  const std::vector<ShardRecord> shards = stream.model.shards();
  if (shards.empty()) return std::nullopt;
  return shards[random_.below(shards.size())].index;
}

std::optional<StartingPosition> StreamWorld::random_start(const Plan& plan, ShardIndex shard) {
  const auto type = static_cast<IteratorType>(random_.below(5));
  StartingPosition start{type, {}, {}};
  if (type == IteratorType::trim_horizon || type == IteratorType::latest) return start;
  std::vector<const ModelRecord*> records;
  for (const auto& [data, record] : plan.stream->model.records()) {
    if (record.number && record.place->first == shard) records.push_back(&record);
  }
  if (type == IteratorType::at_timestamp) {
    start.timestamp = now_ - Millis{static_cast<std::int64_t>(random_.below(30'000))};
    if (!records.empty()) start.timestamp = records[random_.below(records.size())]->asked_at;
    start.timestamp = std::min(*start.timestamp, now_);
    return start;
  }
  if (!records.empty()) {
    start.sequence_number = format_sequence_number(*records[random_.below(records.size())]->number);
    return start;
  }
  for (const ShardRecord& known : plan.stream->model.shards()) {
    if (known.index == shard) start.sequence_number = format_sequence_number(starting_number(known));
  }
  if (!start.sequence_number) return std::nullopt;
  return start;
}

void StreamWorld::start_reading(Plan& plan) {
  const std::optional<ShardIndex> shard = random_shard(*plan.stream);
  const auto start = shard ? random_start(plan, *shard) : std::nullopt;
  if (start) start_at(plan, *shard, *start);
}

void StreamWorld::start_at(Plan& plan, ShardIndex shard, const StartingPosition& start) {
  OpenCall call = call_on(plan);
  call.may_fail = call.may_fail || plan.stream->model.may_be_gone(shard);
  call.check = [this, shard, start](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("an iterator was refused: " + error->message);
      return;
    }
    const auto* got = answer<ShardPosition>(result);
    if (got == nullptr) return broken("an iterator was answered with something else");
    if (got->shard != shard) return broken("an iterator of another shard");
    ++counts_.starts[start.type];
    hold(asked.stream->model.started({shard, start, asked.asked, asked.known}, got->from, got->not_before));
    keep(Position{asked.plan, asked.stream, got->id, shard, got->from, got->not_before, counts_.crashes});
  };
  issue(std::move(call), GetShardIterator{plan.name, format_shard_id(shard), start});
}

void StreamWorld::keep(Position position) {
  if (positions_.size() >= positions_max) {
    positions_.erase(positions_.begin() + static_cast<std::ptrdiff_t>(random_.below(positions_.size())));
  }
  positions_.push_back(std::move(position));
}

void StreamWorld::read_some(Plan& plan) {
  if (positions_.empty()) return start_reading(plan);
  const std::size_t index = random_.one_in(2) ? positions_.size() - 1 : random_.below(positions_.size());
  const Plan& its = plans_[positions_[index].plan];
  // A position is good for ever, also when another client has read on from it.
  if (its.existence == Existence::present) return read_on(positions_[index]);
  if (its.existence == Existence::absent) positions_.erase(positions_.begin() + static_cast<std::ptrdiff_t>(index));
}

void StreamWorld::read_on(Position position) {
  const Plan& plan = plans_[position.plan];
  GetRecords command{plan.name, position.id, position.shard, position.from, position.not_before, 1 + random_.below(5)};
  OpenCall call = call_on(plan);
  call.stream = position.stream;
  const bool is_of_another = plan.stream != position.stream;
  call.may_fail = call.may_fail || is_of_another || position.stream->model.may_be_gone(position.shard);
  call.check = [this, position, is_of_another, count = command.count_max](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("a read failed: " + error->message);
      return;
    }
    const auto* page = answer<RecordsPage>(result);
    if (page == nullptr) return broken("a read was answered with something else");
    if (is_of_another) return broken("an iterator of a deleted stream reads another");
    readings_.push_back({asked, *page, [this, position, count](const OpenCall& read, const RecordsPage& filled) {
                           on_page(read, position, count, filled);
                         }});
  };
  issue(std::move(call), command);
}

void StreamWorld::check_page(const OpenCall& call, const PageAsked& asked, const RecordsPage& page) {
  StreamModel& model = call.stream->model;
  const auto unacknowledged = model.unacknowledged_reads();
  const auto passed_over = model.passed_over();
  hold(model.read(asked, page));
  counts_.reads += page.records.size();
  counts_.unacknowledged += model.unacknowledged_reads() - unacknowledged;
  counts_.passed_over += model.passed_over() - passed_over;
  engine_->apply(CallId{}, StreamCommand{RecordsRead{page.stream, page.id, page.shard, page.bytes}}, now_);
}

void StreamWorld::on_page(const OpenCall& call, const Position& position, std::size_t count, const RecordsPage& page) {
  if (page.id != position.id) return broken("a page of another stream");
  check_page(
      call,
      PageAsked{position.shard, position.from, position.not_before, count, call.asked, call.known, call.expired_before},
      page);
  if (position.crashes != counts_.crashes && !page.records.empty()) ++counts_.resumed;
  if (page.ends_shard()) {
    ++counts_.ends;
    return;
  }
  Position next = position;
  next.from = page.next;
  next.crashes = counts_.crashes;
  keep(std::move(next));
}

void StreamWorld::read_pages() {
  if (readings_.empty()) return;
  Reading reading = std::move(readings_.front());
  readings_.pop_front();
  if (const StoreError error = storage::read_page(store_, reading.page)) {
    if (error.status == StoreStatus::corrupt) broken("a page is corrupt: " + error.message);
    return crash(false);
  }
  // Of a stream that was deleted meanwhile nothing is promised.
  const Plan& plan = plans_[reading.call.plan];
  if (plan.existence == Existence::present && plan.stream == reading.call.stream)
    reading.done(reading.call, reading.page);
}

// ---- Shards.

void StreamWorld::list(Plan& plan) {
  OpenCall call = call_on(plan);
  call.check = [this](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("the shards could not be listed: " + error->message);
      return;
    }
    const auto* shards = answer<ShardList>(result);
    if (shards == nullptr || shards->more) return broken("the shards are not all listed");
    Stream& stream = *asked.stream;
    if (stream.id && *stream.id != shards->id) return broken("the stream is another than it was");
    stream.id = shards->id;
    stream.listed = std::max(stream.listed, asked.asked);
    stream.listing = shards->shards;
    hold(stream.model.listed(shards->shards, asked.asked, asked.asked_at));
    if (stream.model.shards().size() > shards->shards.size()) ++counts_.expired_shards;
  };
  ListShards command;
  command.stream = plan.name;
  issue(std::move(call), command);
}

void StreamWorld::list_some(Plan& plan) {
  using Type = ShardFilter::Type;
  constexpr std::array types{Type::at_latest, Type::at_trim_horizon, Type::at_timestamp};
  ListShards command;
  command.stream = plan.name;
  command.filter = ShardFilter{types.at(random_.below(types.size())), {}, {}};
  if (command.filter->type == Type::at_timestamp) {
    const Millis age = now_ - plan.stream->model.created() + Millis{1};
    const auto ago =
        static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(std::max(age, Millis{1}).count())));
    command.filter->timestamp = std::max(now_ - Millis{ago}, plan.stream->model.horizon() + Millis{1});
  }
  // By a clock that was set back, what is gone already would be there still.
  if (command.filter->type == Type::at_trim_horizon && now_ < latest_now_) return;
  OpenCall call = call_on(plan);
  call.check = [this, latest = command.filter->type == Type::at_latest](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("some shards could not be listed: " + error->message);
      return;
    }
    const auto* shards = answer<ShardList>(result);
    if (shards == nullptr) return broken("a list of shards was answered with something else");
    hold(asked.stream->model.listed_some(shards->shards, latest));
  };
  issue(std::move(call), command);
}

void StreamWorld::reshard(Plan& plan) {
  std::vector<ShardRecord> open;
  for (const ShardRecord& shard : plan.stream->listing) {
    if (!shard.closed) open.push_back(shard);
  }
  if (open.empty()) return;
  if (random_.one_in(4)) return recount(plan, open.size());
  const ShardRecord& shard = open[random_.below(open.size())];
  const bool grows = open.size() < open_shards_max && random_.one_in(2);
  if (grows) return split(plan, shard);
  const auto next = std::find_if(open.begin(), open.end(), [&](const ShardRecord& other) {
    return shard.last_hash < other.first_hash && other.first_hash.low == shard.last_hash.low + 1 &&
           other.first_hash.high - shard.last_hash.high <= 1;
  });
  if (next != open.end()) merge(plan, shard.index, next->index);
}

/// A call that closes shards, which may fail where it is not certain which are open.
StreamWorld::OpenCall StreamWorld::reshard_of(Plan& plan) {
  const bool certain = plan.stream->shards_are_certain();
  OpenCall call = change_of(plan);
  call.is_blind = !certain;
  plan.stream->resharded = moment_ + 1;
  call.reshard = plan.stream->model.asked_to_reshard();
  return call;
}

bool StreamWorld::was_accepted(const OpenCall& call, const Result& result) {
  const auto* error = answer<Error>(result);
  if (error == nullptr) return true;
  const bool blind =
      call.is_blind && (is(*error, ErrorCode::KinesisInvalidArgument) ||
                        is(*error, ErrorCode::KinesisResourceNotFound) || is(*error, ErrorCode::KinesisLimitExceeded));
  if (!blind && !excused(call, *error)) broken("a change was refused: " + error->message);
  return false;
}

void StreamWorld::split(Plan& plan, const ShardRecord& shard) {
  const std::optional<HashKey> at = middle_of(shard, random_);
  if (!at) return;
  OpenCall call = reshard_of(plan);
  call.check = [this, index = shard.index, at = *at](const OpenCall& asked, const Result& result) {
    if (!was_accepted(asked, result)) return;
    ++counts_.splits;
    asked.stream->model.split(index, at, asked.asked);
  };
  issue(std::move(call), SplitShard{plan.name, format_shard_id(shard.index), format_hash_key(*at)});
}

void StreamWorld::merge(Plan& plan, ShardIndex one, ShardIndex other) {
  if (random_.one_in(2)) std::swap(one, other);
  OpenCall call = reshard_of(plan);
  call.check = [this, one, other](const OpenCall& asked, const Result& result) {
    if (!was_accepted(asked, result)) return;
    ++counts_.merges;
    asked.stream->model.merged(one, other, asked.asked);
  };
  issue(std::move(call), MergeShards{plan.name, format_shard_id(one), format_shard_id(other)});
}

void StreamWorld::recount(Plan& plan, std::size_t open) {
  const std::size_t least = (open + 1) / 2;
  const std::size_t most = std::min(2 * open, open_shards_max + 2);
  if (most < least) return;
  const std::size_t target = least + random_.below(most - least + 1);
  if (target == open) return;
  OpenCall call = reshard_of(plan);
  call.check = [this, target](const OpenCall& asked, const Result& result) {
    if (!was_accepted(asked, result)) return;
    const auto* changed = answer<ShardCountChanged>(result);
    if (changed == nullptr || changed->target != static_cast<std::int32_t>(target)) {
      return broken("UpdateShardCount was answered with another target");
    }
    ++counts_.recounts;
    asked.stream->model.count_changed(target, asked.asked, asked.reshard);
  };
  issue(std::move(call), UpdateShardCount{plan.name, static_cast<std::int32_t>(target)});
}

// ---- Settings.

void StreamWorld::change_retention(Plan& plan) {
  StreamModel& model = plan.stream->model;
  const std::uint32_t hours = retentions.at(random_.below(retentions.size()));
  if (!model.retention_is_certain() || hours == model.retention_hours()) return;
  const bool increase = hours > model.retention_hours();
  OpenCall call = change_of(plan);
  model.asked_for_retention(hours, now_);
  call.check = [this, hours, increase](const OpenCall& asked, const Result& result) {
    if (!was_accepted(asked, result)) return asked.stream->model.retention_refused();
    asked.stream->model.retention_changed(hours, asked.asked_at, asked.asked);
    ++(increase ? counts_.lengthened : counts_.shortened);
  };
  issue(std::move(call), UpdateRetention{plan.name, static_cast<std::int32_t>(hours), increase});
}

void StreamWorld::change_encryption(Plan& plan) {
  StreamModel& model = plan.stream->model;
  if (!model.encryption_is_certain()) return;
  const bool start = !model.encrypted();
  OpenCall call = change_of(plan);
  model.asked_for_encryption(start);
  call.check = [this, start](const OpenCall& asked, const Result& result) {
    asked.stream->model.encryption_is(was_accepted(asked, result) == start);
  };
  issue(std::move(call), UpdateEncryption{plan.name, start, "alias/key"});
}

}  // namespace penstock::sim
