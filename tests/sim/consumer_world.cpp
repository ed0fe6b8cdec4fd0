#include "consumer_world.hpp"

#include <algorithm>

#include "core/shard_engine.hpp"
#include "storage/keys.hpp"
#include "storage/stream_records.hpp"

namespace penstock::sim {

namespace {

constexpr int pump_rounds_max = 400;
constexpr int advances_max = 10'000;
constexpr std::size_t clients_max = 9;

// Small enough that every edge is met within a few hundred steps.
Limits small_limits(Random& random) {
  Limits limits;
  limits.stream_transition = Millis{random.one_in(3) ? 0 : 100};
  limits.segment_bytes_max = 50 + random.below(300);
  limits.segment_records_max = 1 + random.below(8);
  limits.segment_time_max = std::chrono::minutes{1 + random.below(120)};
  limits.trim_batch_max = 1 + random.below(3);
  return limits;
}

}  // namespace

ConsumerWorld::ConsumerWorld(const ConsumerWorldOptions& options)
    : options_(options),
      random_(options.seed),
      engine_entropy_(options.seed ^ 0x5eedULL),
      limits_(small_limits(random_)),
      is_calm_(random_.one_in(6)),
      long_jumps_(!is_calm_ && random_.one_in(3)),
      has_readers_(!is_calm_ && random_.one_in(3)),
      store_(random_) {
  if (storage::open_format(store_)) broken("the format could not be written");
  boot();
  create_streams();
  const std::size_t sources = streams_.size() - 1;
  for (std::size_t left = 1 + random_.below(2); left > 0; --left) {
    consumers_.push_back({random_.below(sources), "consumer" + std::to_string(left)});
  }
}

ConsumerWorld::~ConsumerWorld() = default;

void ConsumerWorld::broken(const std::string& what) {
  if (broken_.empty()) {
    broken_ = "seed " + std::to_string(options_.seed) + ", step " + std::to_string(step_) + ": " + what;
  }
}

std::string ConsumerWorld::run() {
  for (int i = 0; i < options_.steps && broken_.empty(); ++i) step();
  if (broken_.empty()) drain();
  for (const std::string& violation : store_.violations()) {
    if (options_.defect == ConsumerDefect::none) broken("the store's contract: " + violation);
  }
  return broken_;
}

void ConsumerWorld::step() {
  ++step_;
  if (!is_calm_ && random_.one_in(80)) {
    // The store fails at one of the next operations, in the middle of whatever that is.
    store_.fail_at(1 + random_.below(6), random_.one_in(2) ? StoreStatus::io_error : StoreStatus::no_space);
  }
  if (!is_calm_ && random_.one_in(80)) return crash(random_.one_in(2));
  const std::uint64_t choice = random_.below(24);
  if (choice < 13) {
    act();
  } else if (choice < 15) {
    let_time_pass();
  } else if (choice < 17) {
    read_some();
  } else if (choice < 19) {
    carry_on_transaction();
  } else if (choice < 22) {
    commit_some();
  } else {
    pump();
  }
  // Several commands may share a turn.
  if (!random_.one_in(3)) end_turn();
  release_some();
}

void ConsumerWorld::act() {
  const std::uint64_t choice = random_.below(100);
  if (choice < 18) return put_some();
  if (choice < 21) return reshard();
  if (has_readers_ && choice < 32) return act_as_reader();
  Consumer& consumer = consumers_[random_.below(consumers_.size())];
  if (!consumer.now) return create_consumer(consumer);
  if (choice >= 97) return ask_for_lag(consumer);
  if (!is_calm_ && choice >= 94) return random_.one_in(8) ? delete_consumer(consumer) : reset(consumer);
  std::erase_if(clients_, [](const ClientPtr& each) { return each->gone; });
  const bool spawns = clients_.empty() || (clients_.size() < clients_max && random_.one_in(25));
  if (spawns) return spawn(random_.below(consumers_.size()));
  act_as(ClientPtr(clients_[random_.below(clients_.size())]));
}

// ---- Calls, and how the engine sees its consumers.

CallId ConsumerWorld::issue(StreamCommand command, OpenCall call) {
  const CallId id{++next_call_};
  calls_.emplace(id, std::move(call));
  clock_ = std::max(clock_, now_);
  engine_->apply(id, std::move(command), now_);
  return id;
}

/// What changes nothing, and is answered at once to nobody.
void ConsumerWorld::ask(StreamCommand command, std::function<void(const Result&)> decide) {
  probes_.insert(CallId{next_call_ + 1});
  issue(std::move(command), {std::move(decide)});
}

/// All that is due by now has happened, and was seen.
void ConsumerWorld::ready() {
  for (int round = 0; round < advances_max; ++round) {
    clock_ = std::max(clock_, now_);
    engine_->advance(now_);
    const auto next = engine_->next_deadline();
    if (!next || *next > clock_) return observe();
  }
  broken("something is always due");
}

void ConsumerWorld::observe() {
  take();
  probe();
  take();
  for (const auto& check : std::exchange(after_probe_, {})) check();
  check_waiting();
}

void ConsumerWorld::take() {
  Effects effects = engine_->take_effects();
  for (const Reply& reply : effects.replies) decide(reply);
  std::erase_if(effects.replies, [this](const Reply& reply) { return probes_.erase(reply.call) > 0; });
  const auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  append(turn_.mutations, effects.mutations);
  append(turn_.replies, effects.replies);
  append(turn_.transactions, effects.transactions);
  turn_.sync = turn_.sync || effects.sync;
}

void ConsumerWorld::decide(const Reply& reply) {
  const auto found = calls_.find(reply.call);
  if (found == calls_.end()) return;
  OpenCall& call = found->second;
  if (std::exchange(call.decided, true)) return broken("a call was answered twice");
  if (const auto decide = std::exchange(call.decide, {})) decide(reply.result);
  if (probes_.contains(reply.call)) calls_.erase(reply.call);
}

void ConsumerWorld::probe() {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    ListShards list;
    list.stream = streams_[i].name;
    ask(list, [this, i](const Result& result) {
      const auto* shards = answer<ShardList>(result);
      if (shards == nullptr) return;
      streams_[i].id = shards->id;
      hold(streams_[i].ledger.listed(shards->shards));
    });
  }
  for (std::size_t i = 0; i < consumers_.size(); ++i) {
    ask(DescribeGroup{stream_of(consumers_[i]).name, consumers_[i].name, {}, group_limits::list_max},
        [this, i](const Result& result) { on_described(consumers_[i], result); });
  }
}

void ConsumerWorld::on_described(Consumer& consumer, const Result& result) {
  const auto* found = answer<GroupDescription>(result);
  if (found == nullptr) {
    if (!consumer.now) return;
    Incarnation& last = *consumer.now;
    const bool is_over = last.model.info().ephemeral && std::ranges::none_of(last.heard, [&](const auto& each) {
                           return last.polls[each.first] > 0 || each.second + last.model.info().lease > clock_;
                         });
    if (!is_over) return broken("consumer " + consumer.name + " is gone");
    count("ephemeral ones over");
    last.deleted = last.deleted_told = true;
    return consumer.now.reset();
  }
  if (!consumer.now) return broken("consumer " + consumer.name + " is there, and should not be");
  if (found->info.id != consumer.now->model.info().id) return broken("consumer " + consumer.name + " is another");
  hold(consumer.now->model.observe(*found, latest_clock_));
  check_members(consumer);
}

void ConsumerWorld::check_members(const Consumer& consumer) {
  Incarnation& incarnation = *consumer.now;
  std::set<std::string> names;
  for (const GroupMember& member : incarnation.model.view().members) {
    if (member.expires <= clock_) return broken("member " + member.name + " lives on though its time is over");
    if (member.reader) continue;
    names.insert(member.name);
    const bool waits = incarnation.polls[member.name] > 0;
    const bool was_heard = incarnation.heard[member.name] + incarnation.model.info().lease > clock_;
    if (!waits && !was_heard) return broken("member " + member.name + " was not heard of, and is still there");
  }
  for (const GroupShard& shard : incarnation.model.view().shards) {
    const bool is_polled = shard.lease.session != 0;
    if (!is_polled || names.contains(shard.lease.owner) || is_busy(consumer, shard.shard)) continue;
    return broken(text_of(shard.shard) + " is held by " + shard.lease.owner + ", which is no member");
  }
}

void ConsumerWorld::check_waiting() {
  for (const auto& [id, call] : calls_) {
    if (!call.decided && call.answered_by != Instant{} && call.answered_by <= clock_) {
      return broken("a poll waits longer than it was to");
    }
  }
  for (const Consumer& consumer : consumers_) {
    if (!consumer.now) continue;
    const ConsumerModel& model = consumer.now->model;
    for (const GroupMember& member : model.view().members) {
      if (!member.waiting) continue;
      for (const GroupShard& shard : model.view().shards) {
        const bool is_its = shard.lease.owner == member.name && shard.lease.session != 0;
        if (!is_its || shard.state != GroupShardState::leased || is_busy(consumer, shard.shard)) continue;
        const RecordIndex read = model.of(shard.shard).read;
        if (read < stream_of(consumer).ledger.tail(shard.shard)) return broken("a poll sleeps while there are records");
      }
    }
  }
}

// ---- What a shard of the server does.

void ConsumerWorld::end_turn() {
  ready();
  if (turn_.empty()) return;
  const bool eager = options_.defect == ConsumerDefect::acknowledge_before_commit;
  last_turn_ = pipeline_.submit(std::exchange(turn_, {}), now_, step_, eager);
  for (const Consumer& consumer : consumers_) {
    for (const IncarnationPtr& each : consumer.candidates) {
      if (each->deleted) continue;
      Snapshot& snapshot = each->history.emplace_back(Snapshot{last_turn_, each->model.view(), {}});
      for (const auto& [key, used] : each->model.keys) snapshot.keys[key] = used.at;
      while (each->history.size() > 1 && each->history[1].turn <= floor_turn_) each->history.pop_front();
    }
  }
}

void ConsumerWorld::commit_some() {
  if (!pipeline_.commit_some(store_, random_)) crash(false);
}

void ConsumerWorld::release_some() {
  while (std::optional<Release> ready = pipeline_.next_release()) {
    if (!ready->replies.empty()) floor_turn_ = std::max(floor_turn_, ready->turn);
    for (Transaction& transaction : ready->transactions) {
      errands_.emplace_back([this, transaction] { accept_transaction(transaction); });
    }
    for (const Reply& reply : ready->replies) {
      auto found = calls_.extract(reply.call);
      if (!found.empty() && found.mapped().check) found.mapped().check(reply.result);
    }
  }
}

void ConsumerWorld::read_some() {
  if (readings_.empty()) return;
  const Reading reading = std::move(readings_.front());
  readings_.pop_front();
  if (!reading.read()) crash(false);
}

/// False if the store failed.
bool ConsumerWorld::read_page(RecordsPage& page) {
  const StoreError error = storage::read_page(store_, page);
  if (!error) return true;
  if (error.status == StoreStatus::corrupt) broken("a page is corrupt: " + error.message);
  return false;
}

void ConsumerWorld::carry_on_transaction() {
  if (errands_.empty()) return;
  const auto errand = std::move(errands_.front());
  errands_.pop_front();
  errand();
}

// Everything that does not need time happens.
void ConsumerWorld::pump() {
  const std::uint64_t crashes = counts_["crashes"];
  for (int round = 0; round < pump_rounds_max && crashes == counts_["crashes"]; ++round) {
    end_turn();
    if (pipeline_.empty() && readings_.empty() && errands_.empty()) return;
    commit_some();
    release_some();
    read_some();
    carry_on_transaction();
  }
}

// ---- Time.

void ConsumerWorld::let_time_pass() {
  // What was decided was decided now: a turn does not outlast its instant.
  end_turn();
  const auto next = engine_->next_deadline();
  if (is_calm_) {
    const Millis by{static_cast<std::int64_t>(random_.below(100))};
    if (is_patient(by)) time_passed(by);
  } else if (long_jumps_ && random_.one_in(10)) {
    time_passed(Millis{static_cast<std::int64_t>(random_.below(30 * 3'600'000ULL))});
  } else if (next && random_.one_in(3) && *next < now_ + std::chrono::hours{1}) {
    // To the very moment, or to just before it.
    time_passed(std::max(Millis{0}, *next - now_ - Millis{static_cast<std::int64_t>(random_.below(2))}));
  } else {
    time_passed(Millis{static_cast<std::int64_t>(random_.below(random_.one_in(5) ? 8'000 : 600))});
  }
  if (!random_.one_in(4)) ready();
}

void ConsumerWorld::time_passed(Millis by) {
  now_ += by;
  latest_clock_ = std::max(latest_clock_, now_);
}

/// Whether every member that is there polls again in time.
bool ConsumerWorld::is_patient(Millis by) const {
  return std::ranges::all_of(clients_, [&](const ClientPtr& client) {
    const Consumer& consumer = consumers_[client->consumer];
    if (client->gone || !consumer.now) return true;
    Incarnation& incarnation = *consumer.now;
    if (!incarnation.model.has_member(client->name) || incarnation.polls[client->name] > 0) return true;
    return incarnation.answered[client->name] + incarnation.model.info().lease / 2 > now_ + by;
  });
}

// ---- Crashes.

void ConsumerWorld::crash(bool power) {
  count("crashes");
  engine_.reset();
  pipeline_.clear();
  calls_.clear();
  probes_.clear();
  after_probe_.clear();
  readings_.clear();
  errands_.clear();
  turn_ = {};
  for (const ClientPtr& client : clients_) client->open.reset();
  for (const ReaderPtr& reader : readers_) reader->open.reset();
  if (power) {
    count("power losses");
    store_.crash_power_loss(random_);
  } else {
    store_.crash_process();
  }
  // The clock of a machine that starts may be behind.
  if (random_.one_in(4)) now_ -= Millis{static_cast<std::int64_t>(random_.below(5'000))};
  boot();
}

void ConsumerWorld::boot() {
  engine_ = core::make_engine(limits_, engine_entropy_);
  if (options_.defect != ConsumerDefect::none) engine_ = make_defective(std::move(engine_), options_.defect);
  std::vector<RecoveredStream> streams;
  std::vector<StreamAccount> accounts;
  if (const StoreError error = storage::recover_streams(store_, streams, accounts)) {
    return broken("recovery: " + error.message);
  }
  clock_ = now_;
  settle(streams);
  for (RecoveredStream& stream : streams) engine_->recover(std::move(stream), now_);
  if (broken_.empty()) observe();
}

}  // namespace penstock::sim
