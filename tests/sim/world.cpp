#include "world.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/queue_settings.hpp"
#include "core/receipt_handle.hpp"
#include "core/shard_engine.hpp"
#include "penstock/queue_names.hpp"
#include "storage/records.hpp"

namespace penstock::sim {

namespace {

constexpr std::size_t leases_max = 200;
constexpr std::uint32_t receives_before_dead = 2;
// Longer than any lease or delay that a client asks for.
constexpr int drain_seconds = 45;

// Small enough that every edge is met within a few hundred steps.
Limits small_limits(Random& random) {
  Limits limits;
  limits.in_flight_max = 6 + random.below(10);
  limits.fresh_window_max = 2 + random.below(6);
  limits.fresh_load_count_max = 1 + random.below(4);
  limits.resident_idle_max = 2 + random.below(6);
  limits.state_load_count_max = 1 + random.below(4);
  limits.expire_batch_max = 1 + random.below(4);
  limits.parked_receives_max = 8;
  limits.fifo_window_max = 4 + random.below(16);
  limits.lanes_max = 1 + random.below(4);
  limits.lane_window_max = 2 + random.below(4);
  limits.lane_windows_total_max = 2 + random.below(8);
  limits.transfers_max = 1 + random.below(3);
  return limits;
}

/// An engine with one thing wrong.
class DefectiveEngine final : public Engine {
 public:
  DefectiveEngine(std::unique_ptr<Engine> engine, Defect defect) : engine_(std::move(engine)), defect_(defect) {}

  void recover(RecoveredQueue queue, Instant now) override {
    if (defect_ == Defect::head_not_advanced) {
      // As though the cursor had never been written after the first message.
      const std::uint64_t back = std::min<std::uint64_t>(queue.cursor.head.value - 1, 2);
      queue.cursor.head.value -= back;
      queue.cursor.fresh_count += back;
    }
    if (defect_ == Defect::dedup_forgotten) queue.dedups.clear();
    if (defect_ == Defect::dedup_scope_forgotten) queue.record.dedup_by_group = false;
    engine_->recover(std::move(queue), now);
  }
  void recover(RecoveredStream stream, Instant now) override { engine_->recover(std::move(stream), now); }
  void recover(StreamAccount account) override { engine_->recover(std::move(account)); }
  void apply(CallId call, Command command, Instant now) override {
    if (auto* receive = std::get_if<ReceiveMessages>(&command);
        receive != nullptr && defect_ == Defect::lease_too_short) {
      if (receive->visibility_seconds.value_or(0) > 0) --*receive->visibility_seconds;
    }
    if (auto* send = std::get_if<SendMessages>(&command); send != nullptr && defect_ == Defect::delay_ignored) {
      for (OutgoingMessage& message : send->messages) message.delay_seconds = 0;
    }
    if (auto* settled = std::get_if<TransferSettled>(&command);
        settled != nullptr && redrives_.contains({settled->queue, settled->sequence})) {
      settled->failure = ErrorCode::InternalFailure;
    }
    std::optional<QueueName> sent_to;
    if (auto* send = std::get_if<SendMessages>(&command)) sent_to = send->queue;
    engine_->apply(call, std::move(command), now);
    if (defect_ != Defect::group_unlocked_by_send || !sent_to) return;
    for (const auto& [id, handles] : handed_out_) {
      for (const std::string& handle : handles)
        engine_->apply(CallId{}, ChangeVisibility{*sent_to, {{handle, 0}}}, now);
    }
  }
  void advance(Instant now) override { engine_->advance(now); }
  std::optional<Instant> next_deadline() const override { return engine_->next_deadline(); }
  void release_parked() override { engine_->release_parked(); }
  Effects take_effects() override {
    Effects effects = engine_->take_effects();
    for (const Reply& reply : effects.replies) {
      const auto* deliveries = std::get_if<Deliveries>(&reply.result);
      if (deliveries == nullptr || defect_ != Defect::group_unlocked_by_send) continue;
      for (const Delivery& delivery : deliveries->messages)
        handed_out_[delivery.queue].push_back(delivery.receipt_handle);
    }
    for (const Transfer& transfer : effects.transfers) {
      if (defect_ != Defect::redriven_stays || transfer.kind != TransferKind::redrive) continue;
      redrives_.emplace(transfer.queue, transfer.sequence);
    }
    if (defect_ == Defect::memory_trusted) trust_memory(effects);
    if (defect_ == Defect::delete_not_written && effects.sync) {
      std::erase_if(effects.mutations, [](const Mutation& mutation) {
        return std::holds_alternative<DropMessage>(mutation) || std::holds_alternative<DropState>(mutation);
      });
    }
    return effects;
  }

 private:
  void trust_memory(Effects& effects) {
    for (const Reply& reply : effects.replies) {
      const auto* deliveries = std::get_if<Deliveries>(&reply.result);
      if (deliveries == nullptr) continue;
      for (const Delivery& delivery : deliveries->messages) {
        Sequence& latest = delivered_[delivery.queue];
        latest = std::max(latest, delivery.sequence);
      }
    }
    for (Mutation& mutation : effects.mutations) {
      auto* put = std::get_if<PutCursor>(&mutation);
      if (put == nullptr || !delivered_.contains(put->queue)) continue;
      QueueCursor& cursor = put->cursor;
      cursor.head = std::min(cursor.tail, std::max(cursor.head, Sequence{delivered_.at(put->queue).value + 1}));
      cursor.fresh_count = std::min(cursor.fresh_count, cursor.tail.value - cursor.head.value);
    }
  }

  std::unique_ptr<Engine> engine_;
  const Defect defect_;
  std::unordered_map<QueueId, Sequence> delivered_;
  std::unordered_map<QueueId, std::vector<std::string>> handed_out_;
  std::set<std::pair<QueueId, Sequence>> redrives_;
};

}  // namespace

World::World(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      engine_entropy_(options.seed ^ 0x5eedULL),
      limits_(small_limits(random_)),
      // Short enough that messages expire in the middle of things, or long enough that none does.
      retention_(random_.one_in(3) ? 60'000 : 1'209'600'000),
      store_(random_) {
  for (const char* name : {"one", "two", "three", "order.fifo", "work", "dead", "work.fifo", "dead.fifo"}) {
    QueuePlan plan{.name = QueueName{"000000000000", "us-east-1", name}};
    plan.fifo = plan.name.name.ends_with(".fifo");
    plan.dedup_by_group = plan.fifo && random_.one_in(2);
    if (plan.name.name.starts_with("work")) plan.dead_letter_queue = queues_.size() + 1;
    if (plan.name.name.starts_with("dead")) plan.dead_letters_of = queues_.size() - 1;
    queues_.push_back(std::move(plan));
  }
  if (storage::open_format(store_)) broken("the format could not be written");
  boot();
  make_lasting_queues();
}

void World::make_lasting_queues() {
  for (QueuePlan& plan : queues_) {
    if (!plan.lasts()) continue;
    plan.model =
        plan.dead_letters_of ? queues_[*plan.dead_letters_of].model : std::make_shared<ModelQueue>(rules_of(plan));
    issue(OpenCall{.kind = OpenCall::Kind::create, .queue = index_of(plan)}, creation_of(plan));
  }
  pump();
}

ModelRules World::rules_of(const QueuePlan& plan) const {
  ModelRules rules{.retention = retention_, .fifo = plan.fifo};
  if (plan.dead_letter_queue) {
    // Long enough that nobody need know when a dead letter's time began.
    rules.retention = std::chrono::seconds{sqs_limits::retention_seconds_max};
    rules.max_receive_count = receives_before_dead;
  }
  return rules;
}

CreateQueue World::creation_of(const QueuePlan& plan) const {
  const ModelRules rules = rules_of(plan.dead_letters_of ? queues_[*plan.dead_letters_of] : plan);
  CreateQueue command{plan.name, {}, {}, {}, {}};
  command.attributes["MessageRetentionPeriod"] = std::to_string(rules.retention.count() / 1'000);
  if (plan.fifo) command.attributes["FifoQueue"] = "true";
  if (plan.dedup_by_group) command.attributes["DeduplicationScope"] = "messageGroup";
  if (plan.dead_letter_queue) {
    command.attributes["RedrivePolicy"] = "{}";
    command.redrive = RedrivePolicy{arn_of(queues_[*plan.dead_letter_queue].name), receives_before_dead};
  }
  return command;
}

World::~World() = default;

void World::broken(const std::string& what) {
  if (broken_.empty()) {
    broken_ = "seed " + std::to_string(options_.seed) + ", step " + std::to_string(step_) + ": " + what;
  }
}

std::string World::run() {
  for (int i = 0; i < options_.steps && broken_.empty(); ++i) step();
  if (broken_.empty()) drain();
  for (const std::string& violation : store_.violations()) {
    if (options_.defect == Defect::none) broken("the store's contract: " + violation);
  }
  return broken_;
}

void World::boot() {
  engine_ = core::make_engine(limits_, engine_entropy_);
  if (options_.defect != Defect::none) {
    engine_ = std::make_unique<DefectiveEngine>(std::move(engine_), options_.defect);
  }
  std::vector<RecoveredQueue> recovered;
  if (const StoreError error = storage::recover(store_, limits_, recovered))
    return broken("recovery: " + error.message);
  for (QueuePlan& plan : queues_) plan.exists = false;
  for (RecoveredQueue& queue : recovered) {
    for (QueuePlan& plan : queues_) {
      if (plan.name == queue.record.name && !queue.record.deleted) plan.exists = true;
    }
    engine_->recover(std::move(queue), now_);
  }
  for (QueuePlan& plan : queues_) {
    if (!plan.exists && !plan.busy && plan.model) broken("queue " + plan.name.name + " is gone");
    // Its creation or deletion was cut off: both outcomes are allowed, and this one holds.
    if (plan.busy && !plan.exists) {
      plan.model.reset();
      std::erase_if(leases_, [&](const Lease& lease) { return lease.queue == index_of(plan); });
    }
    plan.busy = false;
    if (plan.exists && !plan.model) plan.model = std::make_shared<ModelQueue>(rules_of(plan));
  }
}

void World::step() {
  ++step_;
  if (random_.one_in(60)) {
    // The store fails at one of the next operations, in the middle of whatever that is.
    store_.fail_at(1 + random_.below(6), random_.one_in(2) ? StoreStatus::io_error : StoreStatus::no_space);
  }
  if (random_.one_in(50)) return crash(random_.one_in(2));
  const std::uint64_t choice = random_.below(10);
  if (choice < 5) {
    act();
  } else if (choice < 6) {
    let_time_pass();
  } else if (choice < 7) {
    run_loads();
    run_moves();
  } else if (choice < 9) {
    commit_some();
  } else {
    pump();
  }
  // Several commands may share a turn.
  if (!random_.one_in(3)) take_effects();
  release_some();
}

void World::act() {
  QueuePlan& plan = queues_[random_.below(queues_.size())];
  if (!plan.lasts() && (!plan.exists || random_.one_in(80))) return toggle_queue(plan);
  const std::uint64_t choice = random_.below(100);
  if (choice < 35) return send_some(plan);
  if (choice < 65) return receive_some(plan);
  if (choice < 82) return remove_some();
  if (choice < 94) return change_some();
  if (choice < 98) return hang_up();
  if (plan.dead_letter_queue || plan.dead_letters_of) return start_move(plan);
  purge(plan);
}

CallId World::issue(OpenCall call, Command command) {
  const CallId id{++next_call_};
  calls_.emplace(id, std::move(call));
  engine_->apply(id, std::move(command), now_);
  return id;
}

void World::toggle_queue(QueuePlan& plan) {
  if (plan.busy) return;
  plan.busy = true;
  if (plan.exists) {
    OpenCall call{.kind = OpenCall::Kind::drop_queue, .queue = index_of(plan), .bodies = plan.model->bodies()};
    for (const std::string& body : call.bodies) plan.model->asked_to_erase(body);
    plan.exists = false;
    issue(std::move(call), DeleteQueue{plan.name});
  } else {
    plan.model = std::make_shared<ModelQueue>(rules_of(plan));
    plan.acknowledged.clear();
    plan.dedup_ids.clear();
    issue(OpenCall{.kind = OpenCall::Kind::create, .queue = index_of(plan)}, creation_of(plan));
  }
}

void World::start_move(QueuePlan& plan) {
  QueuePlan& source = plan.dead_letters_of ? queues_[*plan.dead_letters_of] : plan;
  const QueuePlan& dead = queues_[*source.dead_letter_queue];
  if (!queues_[*source.dead_letter_queue].move_task.empty() && random_.one_in(3)) {
    return cancel_move(queues_[*source.dead_letter_queue]);
  }
  source.model->asked_to_redrive();
  StartMessageMoveTask command{dead.name, {}, random_.one_in(2) ? 3 : 0};
  if (random_.one_in(2)) command.destination = source.name;
  issue(OpenCall{.kind = OpenCall::Kind::move, .queue = index_of(source)}, std::move(command));
}

void World::cancel_move(QueuePlan& dead) {
  issue(OpenCall{.kind = OpenCall::Kind::move, .queue = index_of(dead)},
        CancelMessageMoveTask{dead.name, dead.move_task});
}

// Mostly a new message; sometimes one under the id of another that was acknowledged, which must be answered with that
// one and never appear.
void World::add_fifo_parts(QueuePlan& plan, OutgoingMessage& message, OpenCall& call) {
  message.delay_seconds.reset();
  message.content.group_id = std::string(1, static_cast<char>('a' + random_.below(3)));
  message.content.deduplication_id = message.content.body;
  std::string duplicate_of;
  if (!plan.acknowledged.empty() && random_.one_in(4)) {
    const Acknowledged& earlier = plan.acknowledged[random_.below(plan.acknowledged.size())];
    const std::string& group = message.content.group_id;
    if (now_ < earlier.sent_at + sqs_limits::dedup_interval) {
      // In another group it is another message, if the group is the scope.
      const bool is_duplicate = !plan.dedup_by_group || group == earlier.group;
      if (is_duplicate) duplicate_of = earlier.message_id;
      if (is_duplicate || !plan.dedup_ids.contains({earlier.dedup_id, group})) {
        message.content.deduplication_id = earlier.dedup_id;
      }
    }
  }
  plan.dedup_ids.emplace(message.content.deduplication_id, message.content.group_id);
  call.groups.push_back(message.content.group_id);
  call.duplicates_of.push_back(duplicate_of);
  call.dedup_ids.push_back(message.content.deduplication_id);
}

void World::send_some(QueuePlan& plan) {
  // A dead-letter queue has what others could not handle, and nothing else.
  if (plan.dead_letters_of) return receive_some(plan);
  OpenCall call{.kind = OpenCall::Kind::send, .queue = index_of(plan), .until = now_};
  SendMessages command{plan.name, {}, true};
  for (std::uint64_t left = 1 + random_.below(5); left > 0; --left) {
    OutgoingMessage message;
    message.content.body = "m" + std::to_string(++next_body_);
    message.bytes = message.content.body.size();
    const int delay = random_.one_in(4) ? static_cast<int>(random_.below(20)) : 0;
    message.delay_seconds = delay;
    if (plan.fifo) add_fifo_parts(plan, message, call);
    if (!plan.fifo && random_.one_in(2)) {
      message.content.group_id = std::string(1, static_cast<char>('a' + random_.below(4)));
    }
    if (!plan.fifo) plan.model->asked_to_send(message.content.body, now_, std::chrono::seconds{delay});
    if (plan.fifo && call.duplicates_of.back().empty()) {
      plan.model->asked_to_send(message.content.body, now_, Millis{0}, message.content.group_id);
    }
    call.bodies.push_back(message.content.body);
    command.messages.push_back(std::move(message));
  }
  issue(std::move(call), std::move(command));
}

void World::receive_some(QueuePlan& plan) {
  const int max = 1 + static_cast<int>(random_.below(6));
  int visibility = random_.one_in(6) ? 0 : static_cast<int>(random_.below(25));
  const int wait = random_.one_in(3) ? 1 + static_cast<int>(random_.below(10)) : 0;
  std::string attempt;
  if (plan.fifo && random_.one_in(3)) {
    attempt = "try" + std::to_string(random_.below(3));
    // Always the same, so that a repetition whose answer is lost has not ended a lease early.
    visibility = 15;
  }
  const bool ends_with_server = random_.one_in(2);
  issue(OpenCall{.kind = OpenCall::Kind::receive,
                 .queue = index_of(plan),
                 .visibility = std::chrono::seconds{visibility},
                 .ends_with_server = ends_with_server},
        ReceiveMessages{plan.name, max, visibility, wait, attempt, ends_with_server});
}

void World::remove_some() {
  if (leases_.empty()) return;
  const Lease lease = leases_[random_.below(leases_.size())];
  QueuePlan& plan = queues_[lease.queue];
  if (!plan.exists) return;
  // A handle that a client holds while its lease runs is the latest beyond doubt. Later, a receive whose answer was
  // lost may have made another one, and a stale handle is answered with success and deletes nothing.
  const bool effective = lease.certain && is_latest(lease) && plan.model->is_leased(lease.body, now_);
  plan.model->asked_to_erase(lease.body);
  issue(OpenCall{.kind = OpenCall::Kind::remove, .queue = lease.queue, .bodies = {lease.body}, .effective = effective},
        DeleteMessages{plan.name, std::vector<std::string>(1 + random_.below(3), lease.handle)});
}

void World::change_some() {
  if (leases_.empty()) return;
  const Lease lease = leases_[random_.below(leases_.size())];
  QueuePlan& plan = queues_[lease.queue];
  if (!plan.exists) return;
  const int timeout = random_.one_in(3) ? 0 : static_cast<int>(random_.below(40));
  const Instant until = now_ + std::chrono::seconds{timeout};
  const std::uint64_t change = plan.model->asked_to_change(lease.body, until);
  issue(OpenCall{.kind = OpenCall::Kind::change,
                 .queue = lease.queue,
                 .bodies = {lease.body},
                 .until = until,
                 .change = change},
        ChangeVisibility{plan.name, std::vector<VisibilityChange>(1 + random_.below(3), {lease.handle, timeout})});
}

void World::hang_up() {
  for (auto& [id, call] : calls_) {
    if (call.kind != OpenCall::Kind::receive || call.gone) continue;
    call.gone = true;
    engine_->apply(CallId{}, CancelReceive{queues_[call.queue].name, id}, now_);
    return;
  }
}

void World::purge(QueuePlan& plan) {
  OpenCall call{.kind = OpenCall::Kind::purge, .queue = index_of(plan), .bodies = plan.model->bodies()};
  for (const std::string& body : call.bodies) plan.model->asked_to_erase(body);
  issue(std::move(call), PurgeQueue{plan.name});
}

bool World::is_latest(const Lease& lease) const {
  const auto latest = std::find_if(leases_.rbegin(), leases_.rend(), [&](const Lease& other) {
    return queues_[other.queue].model == queues_[lease.queue].model && other.body == lease.body;
  });
  return latest != leases_.rend() && latest->handle == lease.handle;
}

void World::let_time_pass() {
  // What was decided was decided now: a turn does not outlast its instant.
  take_effects();
  const auto next = engine_->next_deadline();
  if (next && random_.one_in(2)) {
    // To the very moment, or to just before it.
    now_ = std::max(now_, *next - Millis{static_cast<std::int64_t>(random_.below(2))});
  } else {
    now_ += Millis{static_cast<std::int64_t>(random_.below(12'000))};
  }
  if (!random_.one_in(4)) engine_->advance(now_);
}

void World::take_effects() {
  Effects effects = engine_->take_effects();
  if (effects.empty()) return;
  const bool eager = options_.defect == Defect::acknowledge_before_sync;
  pipeline_.submit(std::move(effects), now_, step_, eager);
}

void World::commit_some() {
  if (!pipeline_.commit_some(store_, random_)) crash(false);
}

void World::release_some() {
  while (std::optional<Release> ready = pipeline_.next_release()) {
    const std::uint64_t crashes = crashes_;
    for (const Reply& reply : ready->replies) {
      on_reply(reply, *ready);
      if (crashes != crashes_) return;
    }
    for (Load& load : ready->loads) loads_.push_back(std::move(load));
    moves_.add(std::move(ready->transfers));
  }
}

CallId World::submit_move(Command command) {
  const CallId call{++next_call_};
  if (const auto* accept = std::get_if<AcceptTransfer>(&command);
      accept != nullptr && options_.defect == Defect::dead_letter_lost) {
    engine_->apply(CallId{}, TransferSettled{accept->origin_queue, accept->origin_sequence, {}}, now_);
    take_effects();
    if (random_.one_in(3)) {
      crash(false);
      return call;
    }
  }
  engine_->apply(call, std::move(command), now_);
  return call;
}

void World::run_moves() {
  if (moves_.empty()) return;
  if (!moves_.begin_next(store_, [this](Command command) { return submit_move(std::move(command)); })) crash(false);
}

void World::run_loads() {
  if (loads_.empty()) return;
  const Load load = std::move(loads_.front());
  loads_.pop_front();
  Command answer;
  if (storage::run_load(store_, load, answer)) return crash(false);
  engine_->apply(CallId{}, std::move(answer), now_);
}

// Everything that does not need time happens.
void World::pump() {
  const std::uint64_t crashes = crashes_;
  for (int round = 0; round < 200 && crashes == crashes_; ++round) {
    take_effects();
    if (pipeline_.empty() && loads_.empty() && moves_.empty()) return;
    commit_some();
    release_some();
    run_loads();
    run_moves();
  }
}

void World::crash(bool power) {
  ++crashes_;
  engine_.reset();
  pipeline_.clear();
  loads_.clear();
  moves_.clear();
  calls_.clear();
  if (power) {
    store_.crash_power_loss(random_);
    for (QueuePlan& plan : queues_) {
      if (plan.model) plan.model->lost_power();
    }
    // A receive may be undone, and then the handle before it is the latest again.
    for (Lease& lease : leases_) lease.certain = false;
  } else {
    store_.crash_process();
    for (QueuePlan& plan : queues_) {
      if (plan.model) plan.model->ended();
    }
    for (Lease& lease : leases_) lease.certain = lease.certain && !lease.ends_with_server;
  }
  boot();
}

void World::on_reply(const Reply& reply, const Release& release) {
  if (moves_.on_reply(reply, [this](Command command) { return submit_move(std::move(command)); })) return;
  const auto found = calls_.find(reply.call);
  if (found == calls_.end()) return;
  const OpenCall call = std::move(found->second);
  calls_.erase(found);
  check_call(call, reply.result, release);
}

void World::check_call(const OpenCall& call, const Result& result, const Release& release) {
  QueuePlan& plan = queues_[call.queue];
  const auto* error = std::get_if<Error>(&result);
  switch (call.kind) {
    case OpenCall::Kind::create:
      if (error != nullptr) return broken("a queue could not be created: " + error->message);
      plan.exists = true;
      plan.busy = false;
      return;
    case OpenCall::Kind::drop_queue:
      if (error != nullptr) return broken("a queue could not be deleted: " + error->message);
      plan.model.reset();
      plan.busy = false;
      std::erase_if(leases_, [&](const Lease& lease) { return lease.queue == call.queue; });
      return;
    default:
      break;
  }
  // The queue may have been deleted, and made anew, between a call and its answer.
  if (!plan.model || !plan.exists) return;
  if (error != nullptr) {
    // One runs already, or it has ended.
    const bool too_late = error->code == ErrorCode::InvalidParameterValue || error->code == ErrorCode::ResourceNotFound;
    if (call.kind == OpenCall::Kind::move && too_late) return;
    if (error->code == ErrorCode::OverLimit || error->code == ErrorCode::RequestThrottled) return;
    if (error->code == ErrorCode::QueueDoesNotExist) return broken("an existing queue was not found");
    return broken("unexpected error: " + error->message);
  }
  switch (call.kind) {
    case OpenCall::Kind::move:
      if (const auto* started = std::get_if<MoveTaskStarted>(&result)) {
        queues_[*plan.dead_letter_queue].move_task = started->task_id;
      }
      return;
    case OpenCall::Kind::send:
      return on_sent(call, std::get<SendResults>(result));
    case OpenCall::Kind::receive:
      return on_deliveries(call, std::get<Deliveries>(result), release);
    case OpenCall::Kind::purge:
      for (const std::string& body : call.bodies) plan.model->erased(body, step_);
      return;
    case OpenCall::Kind::remove:
      if (call.effective && !std::get<EntryResults>(result).entries.at(0)) {
        plan.model->erased(call.bodies[0], step_);
      }
      return;
    case OpenCall::Kind::change:
      if (!std::get<EntryResults>(result).entries.at(0)) {
        plan.model->changed(call.bodies[0], call.until, call.change);
      }
      return;
    default:
      return;
  }
}

void World::on_sent(const OpenCall& call, const SendResults& results) {
  QueuePlan& plan = queues_[call.queue];
  for (std::size_t i = 0; i < call.bodies.size(); ++i) {
    const auto* sent = std::get_if<Sent>(&results.entries.at(i));
    if (sent == nullptr) return broken("a send was refused");
    if (!plan.fifo) {
      plan.model->sent(call.bodies[i]);
    } else if (!call.duplicates_of[i].empty()) {
      ++duplicates_;
      if (sent->message_id != call.duplicates_of[i]) return broken("a duplicate was taken for a new message");
    } else {
      plan.model->sent(call.bodies[i], std::stoull(sent->sequence_number.value_or("")));
      plan.acknowledged.push_back(Acknowledged{call.dedup_ids[i], call.groups[i], sent->message_id, call.until});
    }
  }
}

// Whether a client has the handle already: of a repeated attempt whose first answer was lost nobody has.
bool World::is_known(const std::string& handle) const {
  return std::any_of(leases_.begin(), leases_.end(), [&](const Lease& lease) { return lease.handle == handle; });
}

void World::on_deliveries(const OpenCall& call, const Deliveries& deliveries, const Release& release) {
  QueuePlan& plan = queues_[call.queue];
  if (call.gone && !deliveries.messages.empty()) {
    ReturnUndelivered lost{plan.name, {}};
    for (const Delivery& delivery : deliveries.messages) {
      if (!delivery.repeated) lost.receipt_handles.push_back(delivery.receipt_handle);
    }
    engine_->apply(CallId{}, std::move(lost), now_);
    return;
  }
  std::vector<Observation> together;
  std::vector<std::string> handles;
  std::vector<std::uint64_t> handed_out;
  for (const Delivery& delivery : deliveries.messages) {
    handed_out.push_back(delivery.sequence.value);
    std::shared_ptr<const StoredMessage> message;
    const StoreError error = storage::read_message(store_, delivery.queue, delivery.sequence, message);
    if (error.status == StoreStatus::not_found) continue;
    if (error) return crash(false);
    ++delivered_;
    const Instant until = release.decided_at + call.visibility;
    if (delivery.repeated && is_known(delivery.receipt_handle)) {
      plan.model->repeated(message->content.body, until);
      continue;
    }
    together.push_back(Observation{message->content.body, delivery.receive_count, release.decided_at, until,
                                   release.decided_at_step, delivery.sequence.value, plan.dead_letters_of.has_value(),
                                   call.ends_with_server});
    handles.push_back(delivery.receipt_handle);
  }
  if (plan.fifo && !plan.dead_letters_of) {
    if (const std::string problem = plan.model->check_groups(together, handed_out); !problem.empty())
      return broken(problem);
  }
  for (std::size_t i = 0; i < together.size(); ++i) {
    if (const std::string problem = plan.model->deliver(together[i]); !problem.empty()) return broken(problem);
    if (plan.dead_letters_of) ++dead_letters_;
    if (leases_.size() >= leases_max) leases_.erase(leases_.begin());
    leases_.push_back(Lease{call.queue, together[i].body, handles[i], true, call.ends_with_server});
  }
}

// No more faults: time passes until every lease and delay is over, and each queue is emptied.
void World::drain() {
  // Also clears a failure that is still to come.
  crash(false);
  for (int round = 0; round < drain_seconds && broken_.empty(); ++round) {
    pump();
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      if (queues_[i].exists) drain_queue(i);
    }
    now_ += Millis{1'000};
    engine_->advance(now_);
  }
  check_move_tasks();
  for (const QueuePlan& plan : queues_) {
    if (!plan.exists || !plan.model || !broken_.empty()) continue;
    const std::vector<std::string> owed = plan.model->owed(now_);
    if (!owed.empty()) broken("'" + owed.front() + "' was acknowledged and is lost");
  }
  check_counts();
}

// Everything was deleted, and every count of an operation has been undone by another's.
void World::check_counts() {
  for (const QueuePlan& plan : queues_) {
    if (!plan.exists || !broken_.empty()) continue;
    const CallId call{++next_call_};
    engine_->apply(call, GetQueueAttributes{plan.name, {"All"}}, now_);
    for (const Reply& reply : engine_->take_effects().replies) {
      const auto* answer = reply.call == call ? std::get_if<QueueAttributes>(&reply.result) : nullptr;
      if (answer == nullptr) continue;
      for (const char* count : {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                                "ApproximateNumberOfMessagesDelayed"}) {
        const std::string& value = answer->attributes.at(count);
        if (value != "0") broken(std::string(count) + " of a queue that was emptied is " + value);
      }
    }
  }
}

// By now every message has been received, so that no task has anything left to move.
void World::check_move_tasks() {
  for (const QueuePlan& plan : queues_) {
    if (!plan.dead_letters_of || !broken_.empty()) continue;
    const CallId call{++next_call_};
    engine_->apply(call, ListMessageMoveTasks{plan.name, 100}, now_);
    for (const Reply& reply : engine_->take_effects().replies) {
      const auto* listed = reply.call == call ? std::get_if<MoveTasks>(&reply.result) : nullptr;
      if (listed == nullptr) continue;
      for (const MoveTaskReport& task : listed->tasks) {
        if (task.status == MoveTaskStatus::running) broken("a move task without anything to move still runs");
        if (task.moved > task.to_move) broken("a move task has moved more than there was");
      }
    }
  }
}

void World::drain_queue(std::size_t index) {
  QueuePlan& plan = queues_[index];
  issue(OpenCall{.kind = OpenCall::Kind::receive, .queue = index, .visibility = Millis{60'000}},
        ReceiveMessages{plan.name, 10, 60, 0, {}});
  leases_.clear();
  pump();
  for (const Lease& lease : std::exchange(leases_, {})) {
    if (!broken_.empty()) return;
    plan.model->asked_to_erase(lease.body);
    issue(OpenCall{.kind = OpenCall::Kind::remove, .queue = index, .bodies = {lease.body}, .effective = true},
          DeleteMessages{plan.name, {lease.handle}});
  }
  pump();
}

}  // namespace penstock::sim
