#include "stream_world.hpp"

#include <algorithm>
#include <utility>

#include "core/shard_engine.hpp"
#include "storage/keys.hpp"
#include "storage/stream_records.hpp"

namespace penstock::sim {

namespace {

constexpr std::size_t positions_max = 40;
constexpr std::size_t open_shards_max = 6;
constexpr int pump_rounds_max = 400;
constexpr int advances_max = 10'000;
constexpr int pages_max = 2'000;
constexpr std::array<std::uint32_t, 4> retentions{24, 30, 48, 72};
constexpr Millis promised_heartbeat{5'000};

// Small enough that every edge is met within a few hundred steps.
Limits small_limits(Random& random) {
  Limits limits;
  limits.strict = random.one_in(8);
  limits.stream_transition = Millis{random.one_in(3) ? 0 : 100};
  limits.segment_bytes_max = 50 + random.below(500);
  limits.segment_records_max = 1 + random.below(8);
  limits.segment_time_max = std::chrono::minutes{1 + random.below(120)};
  limits.trim_batch_max = 1 + random.below(3);
  return limits;
}

/// The middle of a shard, about; nothing if it is too narrow.
std::optional<HashKey> middle_of(const ShardRecord& shard, Random& random) {
  const std::uint64_t width = shard.last_hash.high - shard.first_hash.high;
  if (width < 8) return std::nullopt;
  return HashKey{shard.first_hash.high + 2 + random.below(width - 4), random.next()};
}

bool is(const Error& error, ErrorCode code) { return error.code == code; }

/// The result, if it is one of that kind.
template <class Result_>
const Result_* answer(const Result& result) {
  return std::get_if<Result_>(&result);
}

}  // namespace

void StreamHistory::add(const StreamHistory& other) {
  const auto fields = [](auto& counts) {
    return std::array{&counts.puts,         &counts.reads,     &counts.unacknowledged,
                      &counts.passed_over,  &counts.crashes,   &counts.resumed,
                      &counts.power_losses, &counts.splits,    &counts.merges,
                      &counts.recounts,     &counts.ends,      &counts.expired_shards,
                      &counts.lengthened,   &counts.shortened, &counts.pushed,
                      &counts.heartbeats,   &counts.takeovers, &counts.refused_takeovers,
                      &counts.outlived,     &counts.deleted,   &counts.recreated,
                      &counts.throttled};
  };
  const auto mine = fields(*this);
  const auto theirs = fields(other);
  for (std::size_t i = 0; i < mine.size(); ++i) *mine.at(i) += *theirs.at(i);
  for (const auto& [type, count] : other.starts) starts[type] += count;
}

StreamWorld::StreamWorld(const StreamWorldOptions& options)
    : options_(options),
      random_(options.seed),
      engine_entropy_(options.seed ^ 0x5eedULL),
      limits_(small_limits(random_)),
      long_jumps_(random_.one_in(2)),
      store_(random_) {
  for (const char* name : {"one", "two", "three"}) {
    plans_.push_back(Plan{.name = StreamName{"000000000000", "us-east-1", name}});
  }
  if (storage::open_format(store_)) broken("the format could not be written");
  boot();
}

StreamWorld::~StreamWorld() = default;

void StreamWorld::broken(const std::string& what) {
  if (broken_.empty()) {
    broken_ = "seed " + std::to_string(options_.seed) + ", step " + std::to_string(step_) + ": " + what;
  }
}

std::string StreamWorld::run() {
  for (int i = 0; i < options_.steps && broken_.empty(); ++i) step();
  if (broken_.empty()) drain();
  for (const std::string& violation : store_.violations()) {
    if (options_.defect == StreamDefect::none) broken("the store's contract: " + violation);
  }
  return broken_;
}

void StreamWorld::step() {
  ++step_;
  if (random_.one_in(60)) {
    // The store fails at one of the next operations, in the middle of whatever that is.
    store_.fail_at(1 + random_.below(6), random_.one_in(2) ? StoreStatus::io_error : StoreStatus::no_space);
  }
  if (random_.one_in(60)) return crash(random_.one_in(2));
  const std::uint64_t choice = random_.below(20);
  if (choice < 10) {
    act();
  } else if (choice < 12) {
    let_time_pass();
  } else if (choice < 14) {
    read_pages();
  } else if (choice < 18) {
    commit_some();
  } else {
    pump();
  }
  follow_subscriptions();
  // Several commands may share a turn.
  if (!random_.one_in(3)) take_effects();
  release_some();
}

void StreamWorld::act() {
  Plan& plan = plans_[random_.below(plans_.size())];
  const bool busy = plan.existence == Existence::creating || plan.existence == Existence::deleting;
  if (busy) return;
  if (plan.existence == Existence::absent) return create_stream(plan);
  if (random_.one_in(120)) return delete_stream(plan);
  act_on(plan);
}

void StreamWorld::act_on(Plan& plan) {
  if (plan.stream->listing.empty()) return list(plan);
  const std::uint64_t choice = random_.below(100);
  if (choice < 32) return put_some(plan);
  if (choice < 44) return start_reading(plan);
  if (choice < 64) return read_some(plan);
  if (choice < 70) return list(plan);
  if (choice < 73) return list_some(plan);
  if (choice < 80) return reshard(plan);
  if (choice < 83) return change_retention(plan);
  if (choice < 85) return change_encryption(plan);
  if (choice < 89) return toggle_consumer(plan);
  if (choice < 98) return subscribe(plan);
  end_subscription();
}

// ---- Calls.

CallId StreamWorld::issue(OpenCall call, StreamCommand command) {
  const CallId id{++next_call_};
  call.asked = ++moment_;
  call.asked_at = now_;
  if (call.stream) call.known = call.stream->model.known();
  calls_.emplace(id, std::move(call));
  engine_->apply(id, std::move(command), now_);
  return id;
}

StreamWorld::OpenCall StreamWorld::call_on(const Plan& plan) const {
  OpenCall call;
  call.plan = index_of(plan);
  call.stream = plan.stream;
  call.may_fail = plan.stream && advanced_to_ <= plan.stream->changing_until;
  return call;
}

/// A call that makes its stream UPDATING, if it is accepted.
StreamWorld::OpenCall StreamWorld::change_of(const Plan& plan) {
  OpenCall call = call_on(plan);
  Instant& until = plan.stream->changing_until;
  until = std::max(until, now_ + limits_.stream_transition);
  return call;
}

bool StreamWorld::excused(const OpenCall& call, const Error& error) {
  if (limits_.strict &&
      (is(error, ErrorCode::KinesisThroughputExceeded) || is(error, ErrorCode::KinesisLimitExceeded))) {
    ++counts_.throttled;
    return true;
  }
  return call.may_fail && (is(error, ErrorCode::KinesisResourceInUse) || is(error, ErrorCode::KinesisResourceNotFound));
}

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

// ---- Consumers and their subscriptions.

void StreamWorld::toggle_consumer(Plan& plan) {
  const std::size_t index = random_.below(plan.stream->consumers.size());
  const Existence existence = plan.stream->consumers.at(index).existence;
  if (existence == Existence::absent) return register_consumer(plan, index);
  if (existence == Existence::present && random_.one_in(4)) deregister_consumer(plan, index);
}

void StreamWorld::register_consumer(Plan& plan, std::size_t index) {
  Consumer& consumer = plan.stream->consumers.at(index);
  OpenCall call = call_on(plan);
  call.may_fail = call.may_fail || advanced_to_ <= consumer.changing_until;
  consumer.existence = Existence::creating;
  consumer.changing_until = std::max(consumer.changing_until, now_ + limits_.stream_transition);
  call.check = [this, index](const OpenCall& asked, const Result& result) {
    Consumer& its = asked.stream->consumers.at(index);
    its.existence = Existence::absent;
    if (!was_accepted(asked, result)) return;
    const auto* described = answer<ConsumerDescription>(result);
    if (described == nullptr) return broken("a consumer was answered with something else");
    const auto created = std::chrono::floor<std::chrono::seconds>(described->consumer.created).time_since_epoch();
    its.ref = ConsumerRef{its.name, created.count()};
    its.existence = Existence::present;
  };
  issue(std::move(call), RegisterConsumer{plan.name, consumer.name, {}});
}

void StreamWorld::deregister_consumer(Plan& plan, std::size_t index) {
  take_effects();
  Consumer& consumer = plan.stream->consumers.at(index);
  OpenCall call = call_on(plan);
  call.may_fail = call.may_fail || advanced_to_ <= consumer.changing_until;
  consumer.existence = Existence::deleting;
  consumer.changing_until = std::max(consumer.changing_until, now_ + limits_.stream_transition);
  for (const SubscriptionPtr& each : subscriptions_) {
    each->ending = each->ending || (each->stream == plan.stream && each->consumer == index);
  }
  call.check = [this, index](const OpenCall& asked, const Result& result) {
    Consumer& its = asked.stream->consumers.at(index);
    its.existence = was_accepted(asked, result) ? Existence::absent : Existence::present;
  };
  issue(std::move(call), DeregisterConsumer{plan.name, consumer.name, consumer.ref.created_s});
}

void StreamWorld::subscribe(Plan& plan) {
  take_effects();
  const std::size_t consumer = random_.below(plan.stream->consumers.size());
  const Consumer& its = plan.stream->consumers.at(consumer);
  if (its.existence != Existence::present) return toggle_consumer(plan);
  std::optional<ShardIndex> shard = random_shard(*plan.stream);
  // Often one that is subscribed to, so that it is taken over.
  if (!subscriptions_.empty() && random_.one_in(3)) {
    const Subscription& other = *subscriptions_[random_.below(subscriptions_.size())];
    if (other.stream == plan.stream && other.consumer == consumer) shard = other.shard;
  }
  const auto start = shard ? random_start(plan, *shard) : std::nullopt;
  if (!start) return;
  const auto subscription = std::make_shared<Subscription>();
  subscription->plan = index_of(plan);
  subscription->stream = plan.stream;
  subscription->consumer = consumer;
  subscription->shard = *shard;
  if (start->timestamp) subscription->not_before = *start->timestamp;
  OpenCall call = call_on(plan);
  call.may_fail = call.may_fail || plan.stream->model.may_be_gone(*shard) || advanced_to_ <= its.changing_until;
  call.decide = [this, subscription](OpenCall& asked, const Result& result) {
    on_subscribe_decided(asked, subscription, result);
  };
  call.check = [this, subscription, start = *start](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("a subscription was refused: " + error->message);
      return;
    }
    subscription->announced = true;
    ++counts_.starts[start.type];
    hold(asked.stream->model.started({subscription->shard, start, asked.asked, asked.known}, subscription->from,
                                     subscription->not_before));
  };
  issue(std::move(call), SubscribeToShard{plan.name, its.ref, format_shard_id(*shard), *start});
}

void StreamWorld::on_subscribe_decided(OpenCall& call, const SubscriptionPtr& subscription, const Result& result) {
  bool recent = false;
  for (const SubscriptionPtr& each : subscriptions_) {
    if (each->stream != subscription->stream || each->consumer != subscription->consumer ||
        each->shard != subscription->shard) {
      continue;
    }
    const Millis age = now_ - each->begun;
    recent = recent || age <= kinesis_limits::takeover_interval;
    const bool runs = !each->over && !each->ending && !each->superseded;
    if (answer<Subscribed>(result) == nullptr || !runs) continue;
    if (age < kinesis_limits::takeover_interval) return broken("a subscription was taken over too soon");
    each->superseded = true;
    ++counts_.takeovers;
  }
  if (const auto* error = answer<Error>(result)) {
    if (!recent || !is(*error, ErrorCode::KinesisResourceInUse)) return;
    ++counts_.refused_takeovers;
    call.may_fail = true;
    return;
  }
  const auto* got = answer<Subscribed>(result);
  if (got == nullptr) return broken("a subscription was answered with something else");
  subscription->id = got->id;
  subscription->subscription = got->subscription;
  subscription->from = got->from;
  subscription->begun = now_;
  subscriptions_.push_back(subscription);
}

void StreamWorld::end_subscription() {
  if (subscriptions_.empty()) return;
  Subscription& subscription = *subscriptions_[random_.below(subscriptions_.size())];
  if (!subscription.announced || subscription.over) return;
  hang_up(subscription);
}

void StreamWorld::hang_up(Subscription& subscription) {
  take_effects();
  subscription.ending = subscription.over = true;
  engine_->apply(
      CallId{},
      StreamCommand{EndSubscription{plans_[subscription.plan].name, subscription.id, subscription.subscription}}, now_);
}

void StreamWorld::follow_subscriptions() {
  std::erase_if(subscriptions_, [&](const SubscriptionPtr& each) {
    return each->over && !each->awaits && now_ - each->begun > 2 * kinesis_limits::takeover_interval;
  });
  // Of a copy, since a crash may end them all.
  for (const SubscriptionPtr& each : std::vector<SubscriptionPtr>(subscriptions_)) {
    if (each->announced && !each->over && !each->awaits && random_.one_in(2)) await(each);
  }
}

void StreamWorld::await(const SubscriptionPtr& subscription) {
  const Plan& plan = plans_[subscription->plan];
  OpenCall call = call_on(plan);
  call.stream = subscription->stream;
  call.awaiting = subscription;
  call.from = subscription->from;
  call.decide = [this, subscription](OpenCall&, const Result& result) { on_await_decided(subscription, result); };
  call.check = [this, subscription](const OpenCall& asked, const Result& result) {
    const auto* page = answer<RecordsPage>(result);
    if (page == nullptr) {
      subscription->over = true;
      subscription->awaits.reset();
      return;
    }
    readings_.push_back({asked, *page, [this, subscription](const OpenCall& read, const RecordsPage& filled) {
                           on_event(read, subscription, filled);
                         }});
  };
  // Its answer may be given before the id is known here.
  subscription->awaits = CallId{next_call_ + 1};
  issue(std::move(call), AwaitRecords{plan.name, subscription->id, subscription->subscription, subscription->from});
}

void StreamWorld::on_await_decided(const SubscriptionPtr& subscription, const Result& result) {
  const Instant end = subscription->begun + kinesis_limits::subscription_life;
  const bool gone = subscription->superseded || subscription->ending;
  if (const auto* page = answer<RecordsPage>(result)) {
    // A heartbeat that was due comes first.
    const bool is_heartbeat = page->from >= page->until;
    if (subscription->superseded || (subscription->ending && !is_heartbeat)) {
      broken("a subscription that is over goes on");
    }
    if (now_ > end) broken("a subscription lasts longer than five minutes");
    return;
  }
  if (!gone && now_ >= end) ++counts_.outlived;
  const bool shard_gone = subscription->stream->model.may_be_gone(subscription->shard);
  // The newcomer that takes it over is answered behind it.
  if (!gone && now_ < end && !shard_gone) subscription->ends_early = true;
}

void StreamWorld::on_event(const OpenCall& call, const SubscriptionPtr& subscription, const RecordsPage& page) {
  subscription->awaits.reset();
  if (page.id != subscription->id) return broken("an event of another stream");
  check_page(call,
             PageAsked{subscription->shard, subscription->from, subscription->not_before, 0, call.asked, call.known,
                       call.expired_before},
             page);
  counts_.pushed += page.records.size();
  if (page.records.empty()) ++counts_.heartbeats;
  subscription->from = page.next;
  if (!page.ends_shard() || subscription->over) return;
  ++counts_.ends;
  hang_up(*subscription);
}

// ---- Time.

void StreamWorld::let_time_pass() {
  // What was decided was decided now: a turn does not outlast its instant.
  take_effects();
  const auto next = engine_->next_deadline();
  if (long_jumps_ && random_.one_in(8)) {
    time_passed(Millis{static_cast<std::int64_t>(random_.below(30 * 3'600'000ULL))});
  } else if (next && random_.one_in(2) && *next < now_ + std::chrono::hours{1}) {
    // To the very moment, or to just before it.
    time_passed(std::max(Millis{0}, *next - now_ - Millis{static_cast<std::int64_t>(random_.below(2))}));
  } else {
    time_passed(Millis{static_cast<std::int64_t>(random_.below(12'000))});
  }
  if (random_.one_in(4)) return;
  if (random_.one_in(4)) {
    engine_->advance(now_);
  } else {
    advance_fully();
  }
}

void StreamWorld::time_passed(Millis by) {
  now_ += by;
  latest_now_ = std::max(latest_now_, now_);
  for (const Plan& plan : plans_) {
    if (plan.stream) plan.stream->model.time_passed(now_);
  }
  for (const Position& position : positions_) position.stream->model.time_passed(now_);
}

void StreamWorld::advance_fully() {
  for (int round = 0; round < advances_max; ++round) {
    engine_->advance(now_);
    const auto next = engine_->next_deadline();
    if (next && *next <= now_) continue;
    advanced_to_ = now_;
    take_effects();
    for (const auto& [id, call] : calls_) {
      if (!call.awaiting || call.decided) continue;
      if (now_ - call.asked_at >= promised_heartbeat) return broken("a subscription gets no heartbeat");
      if (now_ > call.awaiting->begun + kinesis_limits::subscription_life) {
        return broken("a subscription outlives its five minutes");
      }
    }
    return;
  }
  broken("something is always due");
}

// ---- What a shard of the server does.

void StreamWorld::take_effects() {
  Effects effects = engine_->take_effects();
  if (!effects.empty()) {
    for (const Reply& reply : effects.replies) decide(reply);
    for (const SubscriptionPtr& each : subscriptions_) {
      if (each->ends_early && !each->superseded && !each->ending) broken("a subscription is over too soon");
    }
    pipeline_.submit(std::move(effects), now_, step_, options_.defect == StreamDefect::acknowledge_before_commit);
  }
  check_waiting();
}

void StreamWorld::decide(const Reply& reply) {
  const auto found = calls_.find(reply.call);
  if (found == calls_.end()) return;
  OpenCall& call = found->second;
  if (std::exchange(call.decided, true)) return broken("a call was answered twice");
  if (call.stream) call.expired_before = call.stream->model.expired_before(now_);
  if (call.decide) call.decide(call, reply.result);
}

void StreamWorld::check_waiting() {
  for (const auto& [id, call] : calls_) {
    if (!call.awaiting || call.decided) continue;
    const Subscription& subscription = *call.awaiting;
    if (subscription.superseded || subscription.ending) return broken("a subscription does not hear that it is over");
    if (call.stream->model.has_news(subscription.shard, call.from, subscription.not_before)) {
      return broken("a subscription sleeps while there are records");
    }
  }
}

void StreamWorld::commit_some() {
  if (!pipeline_.commit_some(store_, random_)) crash(false);
}

void StreamWorld::release_some() {
  while (std::optional<Release> ready = pipeline_.next_release()) {
    for (const Reply& reply : ready->replies) {
      auto found = calls_.extract(reply.call);
      if (found.empty()) continue;
      found.mapped().check(found.mapped(), reply.result);
    }
  }
}

// Everything that does not need time happens.
void StreamWorld::pump() {
  const std::uint64_t crashes = counts_.crashes;
  for (int round = 0; round < pump_rounds_max && crashes == counts_.crashes; ++round) {
    take_effects();
    if (pipeline_.empty() && readings_.empty()) return;
    commit_some();
    release_some();
    read_pages();
  }
}

void StreamWorld::crash(bool power) {
  ++counts_.crashes;
  engine_.reset();
  pipeline_.clear();
  calls_.clear();
  readings_.clear();
  subscriptions_.clear();
  if (power) {
    ++counts_.power_losses;
    store_.crash_power_loss(random_);
  } else {
    store_.crash_process();
  }
  // The clock of a machine that starts may be behind.
  if (random_.one_in(4)) now_ -= Millis{static_cast<std::int64_t>(random_.below(5'000))};
  boot();
}

void StreamWorld::boot() {
  advanced_to_ = {};
  engine_ = core::make_engine(limits_, engine_entropy_);
  if (options_.defect != StreamDefect::none) engine_ = make_defective(std::move(engine_), options_.defect);
  std::vector<RecoveredStream> streams;
  std::vector<StreamAccount> accounts;
  if (const StoreError error = storage::recover_streams(store_, streams, accounts)) {
    return broken("recovery: " + error.message);
  }
  for (Plan& plan : plans_) {
    const auto found = std::find_if(streams.begin(), streams.end(),
                                    [&](const RecoveredStream& stream) { return stream.info.name == plan.name; });
    settle(plan, found == streams.end() ? nullptr : &*found);
  }
  for (StreamAccount& account : accounts) engine_->recover(std::move(account));
  for (RecoveredStream& stream : streams) engine_->recover(std::move(stream), now_);
}

// A creation or deletion that was cut off may have either outcome, and the one that is found holds.
void StreamWorld::settle(Plan& plan, const RecoveredStream* found) {
  const bool there = found != nullptr && found->info.status != StreamStatus::deleting;
  if (plan.existence == Existence::present && !there) return broken("stream " + plan.name.name + " is gone");
  if (plan.existence == Existence::absent && there) return broken("stream " + plan.name.name + " is back");
  if (found != nullptr && !there) plan.deleted_until = std::max(plan.deleted_until, now_ + limits_.stream_transition);
  plan.existence = there ? Existence::present : Existence::absent;
  if (!there) return plan.stream.reset();
  plan.existed = true;
  if (plan.stream->id && *plan.stream->id != found->info.id) return broken("stream " + plan.name.name + " is another");
  hold(plan.stream->model.recovered_retention(found->info.retention_hours, now_));
  hold(plan.stream->model.recovered_encryption(found->info.encrypted));
  settle_consumers(*plan.stream, found->info);
}

void StreamWorld::settle_consumers(Stream& stream, const StreamInfo& info) {
  for (Consumer& consumer : stream.consumers) {
    const auto found = std::find_if(info.consumers.begin(), info.consumers.end(),
                                    [&](const StreamConsumer& each) { return each.name == consumer.name; });
    const bool there = found != info.consumers.end() && found->status != StreamStatus::deleting;
    if (consumer.existence == Existence::present && !there) return broken("a consumer is gone");
    if (consumer.existence == Existence::absent && there) return broken("a consumer is back");
    consumer.existence = there ? Existence::present : Existence::absent;
    if (!there) continue;
    const auto created = std::chrono::floor<std::chrono::seconds>(found->created).time_since_epoch();
    consumer.ref = ConsumerRef{consumer.name, created.count()};
  }
}

// ---- The end.

// No more faults: everything is read, then expires, and is deleted.
void StreamWorld::drain() {
  // Also clears a failure that is still to come.
  crash(false);
  if (!broken_.empty()) return;
  pump();
  advance_fully();
  pump();
  const std::vector<Position> held = std::exchange(positions_, {});
  for (Plan& plan : plans_) {
    if (plan.existence == Existence::present && broken_.empty()) read_everything(plan);
  }
  for (const Position& position : held) {
    const Plan& plan = plans_[position.plan];
    if (plan.existence == Existence::present && plan.stream == position.stream && broken_.empty()) {
      read_to_the_end(position);
    }
  }
  if (broken_.empty()) let_everything_expire();
  if (broken_.empty()) delete_everything();
}

void StreamWorld::read_everything(Plan& plan) {
  list(plan);
  pump();
  hold(plan.stream->model.check_all_listed(plan.stream->listing));
  for (const ShardRecord& shard : std::vector<ShardRecord>(plan.stream->listing)) {
    if (!broken_.empty()) return;
    positions_.clear();
    start_at(plan, shard.index, {IteratorType::trim_horizon, {}, {}});
    pump();
    if (!positions_.empty()) read_to_the_end(Position(positions_.back()));
  }
}

void StreamWorld::read_to_the_end(Position position) {
  for (int page = 0; page < pages_max && broken_.empty(); ++page) {
    // Where reads are limited, later ones are let through.
    if (limits_.strict) time_passed(Millis{1'000});
    positions_.clear();
    read_on(position);
    pump();
    if (positions_.empty() || positions_.back().from == position.from) return;
    position = positions_.back();
  }
}

std::size_t StreamWorld::count_keys(Table table, const storage::KeyRange& range) const {
  std::size_t count = 0;
  const auto visit = [&](std::string_view, std::string_view) {
    ++count;
    return true;
  };
  if (store_.scan(table, range.from.view(), range.until.view(), visit)) return SIZE_MAX;
  return count;
}

void StreamWorld::let_everything_expire() {
  positions_.clear();
  time_passed(std::chrono::hours{retentions.back()} + limits_.segment_time_max + Millis{1'000});
  advance_fully();
  pump();
  for (Plan& plan : plans_) {
    if (plan.existence != Existence::present || !broken_.empty()) continue;
    list(plan);
    pump();
    for (const ShardRecord& shard : plan.stream->listing) {
      if (shard.closed) broken("a closed shard does not expire");
    }
    if (!plan.stream->id) continue;
    if (count_keys(Table::records, storage::records_of(*plan.stream->id)) != 0)
      broken("records stay when they expired");
    if (count_keys(Table::catalog, storage::segments_of(*plan.stream->id)) != 0)
      broken("segments stay without records");
  }
}

void StreamWorld::delete_everything() {
  for (Plan& plan : plans_) {
    if (plan.existence == Existence::present) delete_stream(plan);
  }
  pump();
  time_passed(limits_.stream_transition + Millis{1'000});
  advance_fully();
  pump();
  if (!broken_.empty()) return;
  for (const storage::KeyRange& range :
       {storage::all_streams(), storage::all_shards(), storage::all_shard_cursors(), storage::all_segments()}) {
    if (count_keys(Table::catalog, range) != 0) broken("a deleted stream stays in the catalog");
  }
  const std::string end(64, '\xff');
  std::size_t records = 0;
  (void)store_.scan(Table::records, "", end, [&](std::string_view, std::string_view) { return ++records == 0; });
  if (records != 0) broken("records of a deleted stream stay");
}

}  // namespace penstock::sim
