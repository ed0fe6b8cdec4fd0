#include "trigger_stream_world.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/shard_engine.hpp"
#include "core/triggers/engine.hpp"
#include "penstock/stream_names.hpp"
#include "storage/records.hpp"
#include "storage/stream_records.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::sim {
namespace {

constexpr int pump_rounds_max = 2'000;
constexpr int drain_rounds_max = 4'000;
constexpr std::size_t shards_max = 6;
constexpr std::uint64_t keys = 8;
constexpr std::uint64_t away_ms_max = 20'000;
/// The shortest that there is.
constexpr Millis retention = std::chrono::hours{24};

const StreamName stream_name{"000000000000", "us-east-1", "events"};
const FunctionName function_name{"000000000000", "us-east-1", "worker"};

MappingConfig random_config(test::Random& random) {
  MappingConfig config;
  config.batch_size = static_cast<int>(1 + random.below(5));
  config.tumbling_seconds = random.one_in(3) ? 10 : 0;
  config.parallelization = config.tumbling_seconds > 0 ? 1 : static_cast<int>(1 + random.below(4));
  config.window_seconds = random.one_in(4) ? static_cast<int>(1 + random.below(3)) : 0;
  config.bisect = random.one_in(2);
  config.report_batch_item_failures = random.one_in(2);
  config.retries_max = random.one_in(2) ? -1 : static_cast<int>(random.below(3));
  config.record_age_seconds_max = random.one_in(6) ? 60 : -1;
  if (random.one_in(2)) config.on_failure = "arn:aws:sqs:us-east-1:000000000000:failures";
  constexpr std::array starts{IteratorType::latest, IteratorType::trim_horizon, IteratorType::at_timestamp};
  config.start = starts.at(random.below(starts.size()));
  return config;
}

// Small enough that every edge is met within a few hundred steps.
TriggerLimits small_limits(test::Random& random, const MappingConfig& config) {
  TriggerLimits limits;
  limits.concurrency_max = static_cast<int>(1 + random.below(6));
  limits.read_ahead_records_max = 8 + random.below(30);
  limits.read_ahead_bytes_max = 60 + random.below(400);
  // With room for what tells of a window.
  limits.batch_bytes_max = (config.tumbling_seconds > 0 ? 340 : 34) + random.below(100);
  limits.retry_delay_min = Millis{100 + static_cast<std::int64_t>(random.below(900))};
  limits.retry_delay_max = Millis{5'000};
  limits.source_retry_delay = Millis{500};
  limits.source_retry_delay_max = Millis{5'000};
  return limits;
}

std::string key_of(std::uint64_t key) { return "key" + std::to_string(key); }

/// Where a key is on the ring: all its records go to the same shard.
HashKey hash_of(std::uint64_t key) { return {key * (UINT64_MAX / keys), 77}; }

bool is_next(const ShardRecord& low, const ShardRecord& high) {
  const bool carries = low.last_hash.low == UINT64_MAX;
  return high.first_hash == HashKey{low.last_hash.high + (carries ? 1 : 0), low.last_hash.low + 1} &&
         low.last_hash < high.first_hash;
}

HashKey middle_of(const ShardRecord& shard) {
  return {shard.first_hash.high + (shard.last_hash.high - shard.first_hash.high) / 2, 0};
}

}  // namespace

void TriggerStreamHistory::add(const TriggerStreamHistory& other) {
  const auto fields = [](auto& counts) {
    return std::array{&counts.puts,     &counts.invocations,   &counts.done,       &counts.failures,
                      &counts.partial,  &counts.throttles,     &counts.reports,    &counts.given_up,
                      &counts.splits,   &counts.merges,        &counts.crashes,    &counts.power_losses,
                      &counts.changes,  &counts.final_windows, &counts.unreached,  &counts.recreations,
                      &counts.expiries, &counts.consumers,     &counts.timestamps, &counts.garbage};
  };
  const auto mine = fields(*this);
  const auto theirs = fields(other);
  for (std::size_t i = 0; i < mine.size(); ++i) *mine.at(i) += *theirs.at(i);
}

TriggerStreamWorld::TriggerStreamWorld(const TriggerStreamWorldOptions& options)
    : options_(options),
      random_(options.seed),
      entropy_(options.seed ^ 0x5eedULL),
      config_(random_config(random_)),
      trigger_limits_(small_limits(random_, config_)),
      ledger_(config_),
      store_(random_) {
  limits_.stream_transition = Millis{0};
  if (storage::open_format(store_)) broken("the format could not be written");
  boot();
  create();
}

TriggerStreamWorld::~TriggerStreamWorld() = default;

void TriggerStreamWorld::broken(const std::string& what) {
  if (broken_.empty()) {
    broken_ = "seed " + std::to_string(options_.seed) + ", step " + std::to_string(step_) + ": " + what;
  }
}

std::string TriggerStreamWorld::run() {
  for (int i = 0; i < options_.steps && broken_.empty(); ++i) step();
  if (broken_.empty()) drain();
  for (const std::string& violation : store_.violations()) {
    if (options_.defect == TriggerStreamDefect::none) broken("the store's contract: " + violation);
  }
  counts_.done = ledger_.done();
  counts_.given_up = ledger_.given_up();
  return broken_;
}

void TriggerStreamWorld::step() {
  ++step_;
  if (random_.one_in(250)) {
    store_.fail_at(1 + random_.below(6), random_.one_in(2) ? StoreStatus::io_error : StoreStatus::no_space);
  }
  if (random_.one_in(250)) return crash(random_.one_in(2));
  // The ways of a question through the server are long: most of what happens is that something comes further.
  if (random_.one_in(2)) commit_some();
  if (random_.one_in(2)) deliver_some();
  const std::uint64_t choice = random_.below(44);
  if (choice < 5) {
    put_some();
  } else if (choice < 6) {
    reshard();
  } else if (choice < 15) {
    let_time_pass();
  } else if (choice < 20) {
    deliver_some();
  } else if (choice < 29) {
    end_some();
  } else if (choice < 31) {
    answer_report();
  } else if (choice < 32) {
    if (!enabled_ || random_.one_in(4)) change_mapping();
    if (random_.one_in(8)) away_until_ = now_ + Millis{static_cast<std::int64_t>(random_.below(away_ms_max))};
    if (is_stream_missing_ ? random_.one_in(2) : random_.one_in(40)) recreate_stream();
    if (random_.one_in(60)) let_records_expire();
  } else {
    commit_some();
  }
  if (!random_.one_in(4)) take_effects();
}

// ---- Starting.

/// The stream, the function and the mapping, all of them durable before anything goes wrong.
void TriggerStreamWorld::create() {
  create_stream();
  pump();
  if (random_.one_in(3)) {
    RegisterConsumer command;
    command.stream = stream_name;
    command.name = "fan";
    submit({}, StreamCommand(std::move(command)));
    consumer_ = ConsumerRef{"fan", std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count()};
  }
  FunctionRecord function;
  function.name = function_name;
  apply(CreateFunction{std::move(function), {}, false});
  // Of what is put before, only TRIM_HORIZON tells, and AT_TIMESTAMP of some.
  for (std::uint64_t i = random_.below(3); i > 0; --i) put_some();
  pump();
  if (config_.start == IteratorType::at_timestamp) {
    ++counts_.timestamps;
    now_ += Millis{1 + static_cast<std::int64_t>(random_.below(1'500))};
    config_.start_timestamp = now_;
    ledger_.starts_at(now_);
    for (std::uint64_t i = random_.below(3); i > 0; --i) put_some();
    pump();
  }
  MappingRecord mapping;
  mapping.source = stream_name;
  mapping.consumer = consumer_;
  mapping.source_arn = arn_of(stream_name);
  mapping.function = function_name;
  mapping.function_arn = arn_of(function_name);
  mapping.config = config_;
  apply(CreateMapping{std::move(mapping)});
  pump();
  if (!started_) broken("the mapping does not start");
}

void TriggerStreamWorld::create_stream() {
  CreateStream stream;
  stream.stream = stream_name;
  stream.shard_count = static_cast<std::int32_t>(1 + random_.below(3));
  submit({}, StreamCommand(std::move(stream)));
}

/// The mapping outlives its stream, and reads the next one of that name from its beginning. One of a consumer does not:
/// the next consumer of its name is another.
void TriggerStreamWorld::recreate_stream() {
  if (consumer_ || !started_) return;
  // What became of what was asked of the one has to be known before there is the other.
  pump();
  now_ += Millis{1'000};
  if (std::exchange(is_stream_missing_, !is_stream_missing_)) return create_stream();
  ++counts_.recreations;
  was_recreated_ = true;
  submit({}, StreamCommand(DeleteStream{stream_name, true}));
  ledger_.stream_deleted();
  shards_.clear();
  pump();
}

/// For longer than the stream keeps its records the mapping reads nothing, or does not come to an end with it.
void TriggerStreamWorld::let_records_expire() {
  ++counts_.expiries;
  now_ += retention + std::chrono::hours{2};
  ledger_.time_passed(now_, retention);
  streams_->advance(now_);
  triggers_->advance(now_);
}

void TriggerStreamWorld::boot() {
  streams_ = core::make_engine(limits_, entropy_);
  std::vector<RecoveredStream> streams;
  std::vector<StreamAccount> accounts;
  if (const StoreError error = storage::recover_streams(store_, streams, accounts)) {
    return broken("recovery: " + error.message);
  }
  shards_.clear();
  for (RecoveredStream& stream : streams) {
    for (const RecoveredShard& shard : stream.shards) shards_.insert_or_assign(shard.record.index, shard.record);
    streams_->recover(std::move(stream), now_);
  }
  TriggerLimits limits = trigger_limits_;
  if (options_.defect == TriggerStreamDefect::too_many_at_a_time) ++limits.concurrency_max;
  triggers_ = core::make_trigger_engine(limits, entropy_, [](const AsyncEnd&) { return std::string(); });
  if (options_.defect != TriggerStreamDefect::none) triggers_ = make_defective(std::move(triggers_), options_.defect);
  RecoveredTriggers found;
  if (const StoreError error = storage::recover_triggers(store_, found)) return broken("recovery: " + error.message);
  if (found.mappings.size() > 1 || (has_mapping_ && found.mappings.empty())) return broken("the mapping is lost");
  for (const RecoveredMapping& mapping : found.mappings) enabled_ = mapping.record.config.enabled;
  triggers_->recover(std::move(found), now_);
}

void TriggerStreamWorld::crash(bool power) {
  ++counts_.crashes;
  streams_.reset();
  triggers_.reset();
  pipeline_.clear();
  turns_.clear();
  calls_.clear();
  answers_.clear();
  reports_.clear();
  running_.clear();
  ledger_.crashed();
  if (power) {
    ++counts_.power_losses;
    store_.crash_power_loss(random_);
  } else {
    store_.crash_process();
  }
  boot();
}

void TriggerStreamWorld::let_time_pass() {
  take_effects();
  const auto next = triggers_->next_deadline();
  const Millis step{static_cast<std::int64_t>(random_.below(random_.one_in(4) ? 12'000 : 1'500))};
  now_ = next && random_.one_in(2) ? std::max(now_, *next) : now_ + step;
  ledger_.time_passed(now_, retention);
  streams_->advance(now_);
  triggers_->advance(now_);
}

// ---- Clients.

void TriggerStreamWorld::put_some() { put(keys, 1 + random_.below(4)); }

/// With one key, or each with any. The data of the last.
std::string TriggerStreamWorld::put(std::uint64_t one_key, std::uint64_t count) {
  PutRecords command;
  command.stream = stream_name;
  OpenCall call;
  for (; count > 0; --count) {
    const std::uint64_t key = one_key < keys ? one_key : random_.below(keys);
    // What begins with # is not let through, and what begins with ! fails most of the time while things go wrong.
    const std::uint64_t kind = is_calm_ ? 2 : random_.below(12);
    std::string data = (kind == 0 ? "#r" : kind == 1 ? "!r" : "r") + std::to_string(++next_record_);
    const bool from_start = config_.start_timestamp && now_ >= *config_.start_timestamp;
    const bool owed = started_ || from_start || config_.start == IteratorType::trim_horizon;
    ledger_.put(data, key_of(key), kind != 0, owed, now_);
    call.put.push_back(data);
    command.entries.push_back(PutEntry{key_of(key), std::move(data), hash_of(key)});
  }
  counts_.puts += call.put.size();
  std::string last = call.put.back();
  submit(std::move(call), StreamCommand(std::move(command)));
  return last;
}

void TriggerStreamWorld::reshard() {
  std::vector<ShardRecord> open;
  for (const auto& [index, shard] : shards_) {
    if (!shard.closed) open.push_back(shard);
  }
  if (open.empty()) return;
  const ShardRecord& one = open[random_.below(open.size())];
  if (open.size() < shards_max && random_.one_in(2)) {
    ++counts_.splits;
    submit({}, StreamCommand(SplitShard{stream_name, format_shard_id(one.index), format_hash_key(middle_of(one))}));
    return;
  }
  for (const ShardRecord& other : open) {
    if (!is_next(one, other)) continue;
    ++counts_.merges;
    submit({}, StreamCommand(MergeShards{stream_name, format_shard_id(one.index), format_shard_id(other.index)}));
    return;
  }
}

/// What it may be refused, while an earlier change is under way.
void TriggerStreamWorld::change_mapping() {
  if (mapping_.empty()) return;
  MappingPatch patch;
  if (!enabled_ || random_.one_in(4)) {
    patch.enabled = !enabled_;
  } else {
    patch.batch_size = static_cast<int>(1 + random_.below(static_cast<std::uint64_t>(config_.batch_size)));
    if (config_.tumbling_seconds == 0) patch.parallelization = static_cast<int>(1 + random_.below(4));
  }
  ++counts_.changes;
  apply(UpdateMapping{MappingName{function_name.account, function_name.region, mapping_}, std::move(patch)});
}

// ---- The shell.

void TriggerStreamWorld::apply(TriggerCommand command) {
  triggers_->apply(CallId{++next_call_}, std::move(command), now_);
}

CallId TriggerStreamWorld::submit(OpenCall call, Command command) {
  const CallId id{++next_call_};
  calls_.emplace(id, std::move(call));
  streams_->apply(id, std::move(command), now_);
  return id;
}

void TriggerStreamWorld::take_effects() {
  Effects effects = streams_->take_effects();
  for (const Mutation& mutation : effects.mutations) {
    const auto* put = std::get_if<PutShard>(&mutation);
    if (put == nullptr) continue;
    shards_.insert_or_assign(put->shard.index, put->shard);
    ledger_.shard(put->shard);
  }
  if (!effects.empty()) pipeline_.submit(std::move(effects), now_, step_, false);

  TriggerEffects triggered = triggers_->take_effects();
  if (triggered.empty()) return;
  Turn turn;
  for (const TriggerMutation& mutation : triggered.mutations) {
    if (const auto* put = std::get_if<PutCheckpoint>(&mutation)) hold(ledger_.moved(put->checkpoint));
  }
  storage::encode(triggered.mutations, turn.bytes);
  turn.effects = std::move(triggered);
  turns_.push_back(std::move(turn));
}

void TriggerStreamWorld::commit_some() {
  if (random_.one_in(2)) {
    if (!pipeline_.commit_some(store_, random_)) return crash(false);
    release_streams();
  } else {
    commit_triggers();
  }
}

void TriggerStreamWorld::commit_triggers() {
  if (turns_.empty()) return;
  WriteBatch group;
  bool sync = false;
  const std::size_t count = 1 + random_.below(turns_.size());
  for (std::size_t i = 0; i < count; ++i) {
    group.append(turns_[i].bytes);
    sync = sync || turns_[i].effects.sync;
  }
  if (!group.empty() && store_.commit(group, sync)) return crash(false);
  for (std::size_t i = 0; i < count; ++i) {
    Turn turn = std::move(turns_.front());
    turns_.pop_front();
    release(turn.effects);
  }
}

void TriggerStreamWorld::release_streams() {
  while (std::optional<Release> ready = pipeline_.next_release()) {
    for (Reply& reply : ready->replies) {
      const auto found = calls_.extract(reply.call);
      if (!found.empty()) on_reply(found.mapped(), std::move(reply.result));
    }
  }
}

void TriggerStreamWorld::release(TriggerEffects& effects) {
  for (const TriggerMutation& mutation : effects.mutations) {
    const auto* put = std::get_if<PutMapping>(&mutation);
    if (put == nullptr) continue;
    has_mapping_ = true;
    mapping_ = put->mapping.uuid;
    enabled_ = put->mapping.config.enabled;
    started_ = started_ || put->mapping.state == MappingState::enabled;
  }
  for (Ask& ask : effects.asks) {
    Command command = ask.command;
    submit(OpenCall{std::move(ask)}, std::move(command));
  }
  for (const AskId ask : effects.cancels) cancel(ask);
  for (Report& report : effects.reports) reports_.push_back(std::move(report));
  for (const Invocation& invocation : effects.invocations) begin(invocation);
}

void TriggerStreamWorld::cancel(AskId ask) {
  for (auto it = calls_.begin(); it != calls_.end(); ++it) {
    if (!it->second.ask || it->second.ask->id != ask) continue;
    if (const auto* read = std::get_if<ReadShard>(&std::get<StreamCommand>(it->second.ask->command))) {
      streams_->apply(CallId{++next_call_}, StreamCommand(CancelRead{stream_name, read->shard, it->first}), now_);
    }
    calls_.erase(it);
    return;
  }
}

void TriggerStreamWorld::on_reply(const OpenCall& call, Result result) {
  if (const auto* put = std::get_if<RecordsPut>(&result); put != nullptr && !call.put.empty()) {
    for (std::size_t i = 0; i < put->entries.size(); ++i) {
      const auto& record = std::get<RecordPut>(put->entries[i]);
      ledger_.acknowledged(call.put[i], record.shard, record.number.index);
    }
  }
  if (!call.ask) return;
  Answered answer{call.ask->id, std::move(result), {}};
  if (auto* page = std::get_if<RecordsPage>(&*answer.result)) {
    if (storage::read_page(store_, *page)) return crash(false);
    for (const ReadRecord& each : page->records) {
      SourceItem item;
      const StreamRecord& record = each.record;
      item.id = format_sequence_number(record_number(page->shard, page->created_s, each.index, record.arrived));
      item.key = record.partition_key;
      item.index = each.index;
      item.arrived = record.arrived;
      if (!record.data.starts_with('#')) item.event = std::make_shared<const std::string>(record.data);
      ledger_.read(record.data, item.id, page->shard, each.index, record.arrived);
      answer.items.push_back(std::move(item));
    }
    page->records.clear();
  }
  answers_.push_back(std::move(answer));
}

/// In any order: questions are answered by several shards of the server.
void TriggerStreamWorld::deliver_some() {
  for (std::uint64_t count = 1 + random_.below(4); count > 0 && !answers_.empty(); --count) {
    const auto at = answers_.begin() + static_cast<std::ptrdiff_t>(random_.below(answers_.size()));
    Answered answer = std::move(*at);
    answers_.erase(at);
    apply(std::move(answer));
  }
}

// ---- Functions.

void TriggerStreamWorld::begin(const Invocation& invocation) {
  const auto& event = std::get<BatchEvent>(invocation.event);
  TriggerRun run;
  run.id = invocation.id;
  run.request_id = invocation.request_id;
  run.window = event.window;
  run.parallelization = event.mapping->config.parallelization;
  for (const auto& record : event.records) run.data.emplace_back(*record);
  ++counts_.invocations;
  if (run.window && run.window->is_final) ++counts_.final_windows;
  hold(ledger_.begun(run));
  running_.push_back(std::move(run));
  if (ledger_.running() > static_cast<std::size_t>(trigger_limits_.concurrency_max)) {
    broken("too many invocations at a time");
  }
}

void TriggerStreamWorld::end_some() {
  if (running_.empty()) return;
  const auto at = running_.begin() + static_cast<std::ptrdiff_t>(random_.below(running_.size()));
  TriggerRun run = std::move(*at);
  running_.erase(at);
  end(std::move(run), is_calm_ ? 0 : random_.below(12));
}

void TriggerStreamWorld::end(TriggerRun run, std::uint64_t choice) {
  InvocationOver over;
  over.id = run.id;
  const bool is_poisoned = !is_calm_ && !random_.one_in(6) &&
                           std::ranges::any_of(run.data, [](const std::string& data) { return data.front() == '!'; });
  std::size_t done = 0;
  bool reached = true;
  const bool is_away = !is_calm_ && now_ < away_until_;
  if (choice == 11 || is_away) {
    const std::uint64_t how = is_away ? 1 : random_.below(3);
    over.outcome.status = how == 0   ? RunOutcome::Status::throttled
                          : how == 1 ? RunOutcome::Status::unreached
                                     : RunOutcome::Status::failed;
    reached = over.outcome.status == RunOutcome::Status::failed;
    ++(reached ? counts_.failures : how == 1 ? counts_.unreached : counts_.throttles);
  } else if (choice >= 9 && config_.report_batch_item_failures && !run.data.empty()) {
    done = random_.below(run.data.size());
    std::vector<std::string> failed;
    for (std::size_t i = done; i < run.data.size(); ++i) {
      if (i == done || random_.one_in(2)) failed.push_back(run.data[i]);
    }
    over.batch = BatchAnswer{true, std::move(failed), state_with(run.window ? run.window->state : "", run.data, done)};
    ++counts_.partial;
  } else if (choice == 8 && config_.report_batch_item_failures) {
    over.batch = BatchAnswer{random_.one_in(2), {"no such record"}, "{}"};
    ++counts_.garbage;
  } else if (choice >= 7 || is_poisoned) {
    over.outcome.function_error = "Unhandled";
    ++counts_.failures;
  } else {
    done = run.data.size();
    over.batch = BatchAnswer{true, {}, state_with(run.window ? run.window->state : "", run.data, done)};
  }
  // Answers name records by their sequence numbers.
  if (over.batch) {
    for (std::string& failed : over.batch->failed) failed = ledger_.id_of(failed);
  }
  ledger_.over(run, done, reached);
  apply(std::move(over));
}

void TriggerStreamWorld::answer_report() {
  if (reports_.empty()) return;
  const Report report = std::move(reports_.front());
  reports_.erase(reports_.begin());
  const bool accepted = is_calm_ || !random_.one_in(3);
  ++counts_.reports;
  hold(ledger_.reported(std::get<BatchFailure>(report.content), accepted));
  Answered answer{report.id, SendResults{{Sent{}}}, {}};
  if (!accepted) answer.result = Error{ErrorCode::QueueDoesNotExist, {}};
  apply(std::move(answer));
}

// ---- The end.

/// Everything happens that needs neither time nor the end of an invocation.
void TriggerStreamWorld::pump() {
  for (int round = 0; round < pump_rounds_max && broken_.empty(); ++round) {
    take_effects();
    if (pipeline_.empty() && turns_.empty() && answers_.empty()) return;
    if (!pipeline_.commit_some(store_, random_)) crash(false);
    release_streams();
    commit_triggers();
    deliver_some();
  }
  broken("it does not come to rest");
}

bool TriggerStreamWorld::is_at_rest() const {
  return running_.empty() && reports_.empty() && !triggers_->next_deadline();
}

/// Nothing goes wrong any more: everything that is owed is processed, and then there is nothing but one read for each
/// open shard that waits.
void TriggerStreamWorld::drain() {
  is_calm_ = true;
  crash(false);
  pump();
  // The crash may have taken its creation.
  is_stream_missing_ = false;
  if (shards_.empty()) {
    now_ += Millis{1'000};
    create_stream();
  }
  pump();
  if (!enabled_) change_to_enabled();
  work_off();
  if (!broken_.empty()) return;
  hold(ledger_.owes());
  check_idle();
  // What is done is known to be done.
  const std::uint64_t invocations = counts_.invocations;
  crash(false);
  pump();
  if (counts_.invocations != invocations) return broken("what was done is done again after a start");
  if (options_.seed % 4 == 0) check_fairness();
  if (consumer_) check_deregistration();
}

void TriggerStreamWorld::work_off() {
  for (int round = 0; round < drain_rounds_max && broken_.empty() && !is_at_rest(); ++round) {
    while (!running_.empty()) end_some();
    while (!reports_.empty()) answer_report();
    pump();
    if (!running_.empty() || !reports_.empty()) continue;
    if (const auto next = triggers_->next_deadline()) now_ = std::max(now_, *next);
    ledger_.time_passed(now_, retention);
    streams_->advance(now_);
    triggers_->advance(now_);
    pump();
  }
  if (broken_.empty() && !is_at_rest()) broken("something is always to be done");
}

/// While one shard has more to do than it can, what comes for another is done in time all the same.
void TriggerStreamWorld::check_fairness() {
  const auto shard_of = [this](std::uint64_t key) {
    const auto holds = [hash = hash_of(key)](const auto& entry) {
      const ShardRecord& shard = entry.second;
      return !shard.closed && shard.first_hash <= hash && hash <= shard.last_hash;
    };
    return std::ranges::find_if(shards_, holds);
  };
  std::uint64_t other = keys;
  for (std::uint64_t key = 1; key < keys; ++key) {
    if (shard_of(key) != shard_of(0)) other = key;
  }
  if (other == keys) return;
  constexpr int rounds = 60;
  std::string watched;
  for (int round = 0; round < rounds && broken_.empty(); ++round) {
    put(0, 5);
    if (round == 3) watched = put(other, 1);
    pump();
    if (!running_.empty()) {
      TriggerRun oldest = std::move(running_.front());
      running_.erase(running_.begin());
      end(std::move(oldest), 0);
    }
    pump();
    now_ += Millis{500};
    ledger_.time_passed(now_, retention);
    streams_->advance(now_);
    triggers_->advance(now_);
    pump();
  }
  if (broken_.empty() && !ledger_.is_done(watched)) broken("a record of another shard starves: " + watched);
  work_off();
  hold(ledger_.owes());
}

/// Whoever reads by a consumer reads no more when that has gone.
void TriggerStreamWorld::check_deregistration() {
  ++counts_.consumers;
  submit({}, StreamCommand(DeregisterConsumer{stream_name, consumer_->name, consumer_->created_s}));
  pump();
  const std::uint64_t invocations = counts_.invocations;
  for (int i = 0; i < 5; ++i) {
    put(keys, 3);
    now_ += Millis{3'000};
    streams_->advance(now_);
    triggers_->advance(now_);
    pump();
  }
  if (counts_.invocations != invocations) broken("a consumer that was deregistered is read by");
}

void TriggerStreamWorld::change_to_enabled() {
  MappingPatch patch;
  patch.enabled = true;
  apply(UpdateMapping{MappingName{function_name.account, function_name.region, mapping_}, std::move(patch)});
  pump();
}

void TriggerStreamWorld::check_idle() {
  std::size_t open = 0;
  for (const auto& [index, shard] : shards_) open += shard.closed ? 0 : 1;
  std::size_t reads = 0;
  for (const auto& [id, call] : calls_) {
    if (call.ask && std::holds_alternative<ReadShard>(std::get<StreamCommand>(call.ask->command))) ++reads;
  }
  if (reads == open && reads == calls_.size()) return;
  broken("an idle mapping has " + std::to_string(reads) + " reads and " + std::to_string(calls_.size() - reads) +
         " other questions for " + std::to_string(open) + " shards");
}

}  // namespace penstock::sim
