#include "stream_world.hpp"

#include <algorithm>
#include <utility>

#include "core/shard_engine.hpp"
#include "storage/keys.hpp"
#include "storage/stream_records.hpp"

namespace penstock::sim {

namespace {

constexpr int pump_rounds_max = 400;
constexpr int advances_max = 10'000;
constexpr int pages_max = 2'000;
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
