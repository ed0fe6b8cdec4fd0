#include "trigger_queue_world.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "core/shard_engine.hpp"
#include "core/triggers/engine.hpp"
#include "penstock/queue_names.hpp"
#include "storage/records.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::sim {
namespace {

constexpr int pump_rounds_max = 2'000;
constexpr std::uint64_t groups = 3;
constexpr int timeout_seconds = 6;
/// Of the function that an emulator has: several times as long as its messages are invisible.
constexpr std::uint64_t long_run_ms_max = 60'000;
/// For which deletes are refused at a time; messages are invisible for longer, and stopping waits for longer.
constexpr std::uint64_t refusal_ms_max = 2'000;
constexpr std::uint64_t away_ms_max = 20'000;

const std::string long_function = "long";

MappingConfig random_config(test::Random& random, bool fifo) {
  MappingConfig config;
  config.batch_size = static_cast<int>(1 + random.below(fifo ? 5 : 14));
  if (config.batch_size > 10 || (!fifo && random.one_in(3))) {
    config.window_seconds = static_cast<int>(1 + random.below(20));
  }
  config.report_batch_item_failures = random.one_in(2);
  if (random.one_in(2)) config.concurrency_max = static_cast<int>(2 + random.below(3));
  config.filters = {"not #"};
  return config;
}

// Small enough that every edge is met within a few hundred steps.
TriggerLimits small_limits(test::Random& random) {
  TriggerLimits limits;
  limits.concurrency_max = static_cast<int>(2 + random.below(8));
  limits.batch_bytes_max = 34 + random.below(100);
  limits.receivers_start = static_cast<int>(1 + random.below(4));
  limits.source_retry_delay = Millis{500};
  limits.source_retry_delay_max = Millis{5'000};
  limits.lambda_endpoint = "http://127.0.0.1:3001";
  limits.async_retry_delay = Millis{2'000};
  return limits;
}

}  // namespace

void TriggerQueueHistory::add(const TriggerQueueHistory& other) {
  const auto fields = [](auto& counts) {
    return std::array{&counts.sends,       &counts.invocations, &counts.done,         &counts.failures,
                      &counts.partial,     &counts.garbage,     &counts.throttles,    &counts.timeouts,
                      &counts.given_back,  &counts.filtered,    &counts.events,       &counts.events_over,
                      &counts.reports,     &counts.crashes,     &counts.power_losses, &counts.shutdowns,
                      &counts.changes,     &counts.refusals,    &counts.renewals,     &counts.dead_letters,
                      &counts.recreations, &counts.unreached,   &counts.reserved};
  };
  const auto mine = fields(*this);
  const auto theirs = fields(other);
  for (std::size_t i = 0; i < mine.size(); ++i) *mine.at(i) += *theirs.at(i);
}

TriggerQueueWorld::TriggerQueueWorld(const TriggerQueueWorldOptions& options)
    : options_(options),
      random_(options.seed),
      entropy_(options.seed ^ 0x5eedULL),
      trigger_limits_(small_limits(random_)),
      store_(random_),
      is_prompt_(random_.one_in(2)) {
  limits_.fresh_window_max = 8 + random_.below(30);
  limits_.fresh_load_count_max = 8;
  if (storage::open_format(store_)) broken("the format could not be written");
  plan_all();
  boot();
  create_all();
}

TriggerQueueWorld::~TriggerQueueWorld() = default;

void TriggerQueueWorld::broken(const std::string& what) {
  if (broken_.empty()) {
    broken_ = "seed " + std::to_string(options_.seed) + ", step " + std::to_string(step_) + ": " + what;
  }
}

std::string TriggerQueueWorld::run() {
  for (int i = 0; i < options_.steps && broken_.empty(); ++i) step();
  if (broken_.empty()) drain();
  for (const std::string& violation : store_.violations()) {
    if (options_.defect == TriggerQueueDefect::none) broken("the store's contract: " + violation);
  }
  counts_.done = ledger_.done();
  return broken_;
}

void TriggerQueueWorld::step() {
  ++step_;
  if (random_.one_in(250)) {
    store_.fail_at(1 + random_.below(6), random_.one_in(2) ? StoreStatus::io_error : StoreStatus::no_space);
  }
  if (random_.one_in(150)) return crash(random_.one_in(2));
  if (random_.one_in(300)) return shut_down();
  const std::uint64_t choice = random_.below(40);
  if (choice < 6) {
    send_some();
  } else if (choice < 8) {
    invoke();
  } else if (choice < 11) {
    let_time_pass();
  } else if (choice < 19) {
    end_some();
  } else if (choice < 20) {
    answer_report();
  } else if (choice < 21) {
    if (random_.one_in(3)) change_mapping();
  } else if (choice < 22) {
    if (random_.one_in(3)) reserve();
    if (random_.one_in(6)) recreate_queue();
    // One time is over long before the next, so that whatever waits for it is done.
    const bool may_refuse = now_ >= refusing_until_ + Millis{20'000};
    if (may_refuse && random_.one_in(3))
      refusing_until_ = now_ + Millis{static_cast<std::int64_t>(random_.below(refusal_ms_max))};
    if (random_.one_in(8)) away_until_ = now_ + Millis{static_cast<std::int64_t>(random_.below(away_ms_max))};
  } else if (choice < 30) {
    deliver_some();
  } else {
    commit_some();
  }
  if (!random_.one_in(4)) take_effects();
  if (is_prompt_) pump();
}

// ---- Starting.

void TriggerQueueWorld::plan_all() {
  for (const std::string name : {"jobs", "others", "orders.fifo"}) {
    Plan plan;
    plan.queue = {"000000000000", "us-east-1", name};
    // The one of FIFO's is not registered, so that an emulator runs it, for as long as it likes.
    plan.function = function_named(name == "jobs" ? "one" : name == "others" ? "two" : long_function);
    plan.config = random_config(random_, plan.is_fifo());
    plan.visibility_seconds = static_cast<int>(2 * timeout_seconds + random_.below(20));
    plans_.push_back(std::move(plan));
  }
  event_retries_ = static_cast<int>(random_.below(3));
}

/// Queues, functions and mappings, all of them durable before anything goes wrong.
void TriggerQueueWorld::create_all() {
  for (const std::string name : {"one", "two", "events"}) {
    FunctionRecord function;
    function.name = function_named(name);
    function.timeout_seconds = timeout_seconds;
    apply(CreateFunction{std::move(function), {}, false});
  }
  PutAsyncConfig events;
  events.function = function_named("events");
  events.retries_max = event_retries_;
  events.on_failure = "arn:aws:sqs:us-east-1:000000000000:ends";
  apply(std::move(events));
  CreateQueue dead;
  dead.queue = dead_letters;
  dead.attributes["MessageRetentionPeriod"] = std::to_string(sqs_limits::retention_seconds_max);
  submit({}, std::move(dead));
  for (const Plan& plan : plans_) create_queue(plan);
  pump();
  for (Plan& plan : plans_) {
    MappingRecord mapping;
    mapping.source = plan.queue;
    mapping.source_arn = arn_of(plan.queue);
    mapping.function = plan.function;
    mapping.function_arn = arn_of(plan.function);
    mapping.config = plan.config;
    apply(CreateMapping{std::move(mapping)});
    pump();
    if (!plan.exists) broken("a mapping does not start");
  }
}

void TriggerQueueWorld::create_queue(const Plan& plan) {
  CreateQueue queue;
  queue.queue = plan.queue;
  queue.attributes["MessageRetentionPeriod"] = std::to_string(sqs_limits::retention_seconds_max);
  queue.attributes["VisibilityTimeout"] = std::to_string(plan.visibility_seconds);
  if (plan.is_fifo()) queue.attributes["FifoQueue"] = "true";
  if (plan.has_dead_letters()) {
    queue.attributes["RedrivePolicy"] = "{}";
    queue.redrive = RedrivePolicy{arn_of(dead_letters), receives_max};
  }
  submit({}, std::move(queue));
}

/// The mapping outlives its queue, and goes on when there is one of that name again.
void TriggerQueueWorld::recreate_queue() {
  const Plan& plan = plans_.at(1);
  if (std::exchange(is_queue_missing_, !is_queue_missing_)) return create_queue(plan);
  ++counts_.recreations;
  ledger_.deleted(plan.queue.name);
  submit({}, DeleteQueue{plan.queue});
}

void TriggerQueueWorld::boot() {
  queues_ = core::make_engine(limits_, entropy_);
  std::vector<RecoveredQueue> queues;
  if (const StoreError error = storage::recover(store_, limits_, queues)) {
    return broken("recovery: " + error.message);
  }
  for (RecoveredQueue& queue : queues) queues_->recover(std::move(queue), now_);
  TriggerLimits limits = trigger_limits_;
  if (options_.defect == TriggerQueueDefect::too_many_at_a_time) ++limits.concurrency_max;
  triggers_ = core::make_trigger_engine(limits, entropy_, [](const AsyncEnd& end) { return end.request_payload; });
  if (options_.defect != TriggerQueueDefect::none) triggers_ = make_defective(std::move(triggers_), options_.defect);
  RecoveredTriggers found;
  if (const StoreError error = storage::recover_triggers(store_, found)) return broken("recovery: " + error.message);
  for (Plan& plan : plans_) {
    const auto mapping = std::ranges::find_if(
        found.mappings, [&](const RecoveredMapping& each) { return each.record.uuid == plan.uuid; });
    if (mapping != found.mappings.end()) {
      plan.enabled = mapping->record.config.enabled;
    } else if (plan.exists) {
      return broken("a mapping is lost");
    }
  }
  triggers_->recover(std::move(found), now_);
}

void TriggerQueueWorld::crash(bool power) {
  ++counts_.crashes;
  queues_.reset();
  triggers_.reset();
  pipeline_.clear();
  loads_.clear();
  moves_.clear();
  turns_.clear();
  calls_.clear();
  invokes_.clear();
  answers_.clear();
  reports_.clear();
  events_.clear();
  ledger_.crashed();
  if (power) {
    ++counts_.power_losses;
    store_.crash_power_loss(random_);
  } else {
    store_.crash_process();
  }
  boot();
}

/// As one that is asked to: what runs ends, and is settled.
void TriggerQueueWorld::shut_down() {
  ++counts_.shutdowns;
  is_ending_ = true;
  const std::uint64_t crashes = counts_.crashes;
  triggers_->drain(now_);
  const std::uint64_t invocations = counts_.invocations;
  pump();
  for (int round = 0; round < drain_rounds_max && crashes == counts_.crashes && broken_.empty(); ++round) {
    if (triggers_->is_idle()) break;
    end_some();
    pump();
    // What can not be deleted now is tried again for a while.
    const auto next = triggers_->next_deadline();
    if (next && ledger_.running().empty() && events_.empty() && crashes == counts_.crashes) pass_to(*next);
    pump();
  }
  is_ending_ = false;
  if (crashes != counts_.crashes) return;
  if (!triggers_->is_idle()) return broken("a shutdown never ends");
  // What was on its way to begin when the shutdown came does begin, and nothing else.
  if (counts_.invocations > invocations + static_cast<std::uint64_t>(trigger_limits_.concurrency_max)) {
    return broken("invocations begin during a shutdown");
  }
  crash(false);
}

// ---- Time.

void TriggerQueueWorld::let_time_pass() {
  take_effects();
  const auto next = triggers_->next_deadline();
  const Millis step{static_cast<std::int64_t>(random_.below(random_.one_in(3) ? 15'000 : 2'000))};
  // The ages of events end after hours, and messages outlive only some of those.
  const bool soon = next && *next < now_ + Millis{600'000};
  pass_to(next && random_.one_in(soon ? 2 : 20) ? std::max(now_, *next) : now_ + step);
}

/// No function runs for longer than its timeout.
void TriggerQueueWorld::pass_to(Instant target) {
  while (broken_.empty()) {
    Instant next = target;
    if (is_prompt_) {
      if (const auto of_queues = queues_->next_deadline()) next = std::min(next, *of_queues);
      if (const auto of_triggers = triggers_->next_deadline()) next = std::min(next, *of_triggers);
    }
    for (const auto& [id, run] : ledger_.running()) next = std::min(next, run.until);
    for (const EventRun& run : events_) next = std::min(next, run.until);
    now_ = std::max(now_, next);
    queues_->advance(now_);
    triggers_->advance(now_);
    time_out();
    if (is_prompt_) pump();
    if (now_ >= target) return;
  }
}

void TriggerQueueWorld::time_out() {
  std::vector<QueueRun> late;
  for (const auto& [id, run] : ledger_.running()) {
    if (run.until <= now_) late.push_back(run);
  }
  constexpr std::uint64_t failure = 7;
  for (const QueueRun& run : late) {
    ++counts_.timeouts;
    end(run, run.stubborn && !is_calm_ ? random_.below(14) : failure);
  }
  const auto still = std::ranges::partition(events_, [this](const EventRun& run) { return run.until > now_; });
  const std::vector<EventRun> events(still.begin(), still.end());
  events_.erase(still.begin(), still.end());
  for (const EventRun& run : events) end_event(run, failure);
}

// ---- Clients.

void TriggerQueueWorld::send_some() { send_to(plans_[random_.below(plans_.size())], 1 + random_.below(5)); }

/// The body of the last one.
std::string TriggerQueueWorld::send_to(const Plan& plan, std::uint64_t count) {
  SendMessages command;
  command.queue = plan.queue;
  command.batch = true;
  OpenCall call;
  for (; count > 0; --count) {
    OutgoingMessage message;
    // What begins with # matches no filter, and what begins with ! fails for as long as things go wrong.
    const std::uint64_t kind = is_calm_ ? 2 : random_.below(10);
    message.content.body = (kind == 0 ? "#m" : kind == 1 ? "!m" : "m") + std::to_string(++next_body_);
    if (random_.one_in(6)) message.content.body.append(random_.below(80), '.');
    message.bytes = message.content.body.size();
    if (plan.is_fifo()) {
      message.content.group_id = "g" + std::to_string(random_.below(groups));
      message.content.deduplication_id = message.content.body;
    }
    ledger_.asked_to_send(message.content.body, plan.queue.name, message.content.group_id);
    call.sent.push_back(message.content.body);
    command.messages.push_back(std::move(message));
  }
  counts_.sends += call.sent.size();
  std::string last = call.sent.back();
  submit(std::move(call), std::move(command));
  return last;
}

void TriggerQueueWorld::invoke() {
  InvokeFunction command;
  command.function = function_named("events");
  command.type = InvocationType::event;
  const std::string payload = "event" + std::to_string(++next_body_);
  command.payload = std::make_shared<const std::string>(payload);
  invokes_.emplace(CallId{next_call_ + 1}, payload);
  ledger_.asked_to_invoke(payload, now_);
  apply(std::move(command));
}

/// What it may be refused, while an earlier change is under way.
void TriggerQueueWorld::change_mapping() {
  Plan& plan = plans_[random_.below(plans_.size())];
  if (!plan.exists) return;
  MappingPatch patch;
  if (random_.one_in(2)) {
    patch.enabled = !plan.enabled;
    plan.enabled = *patch.enabled;
  } else {
    patch.batch_size = static_cast<int>(1 + random_.below(static_cast<std::uint64_t>(plan.config.batch_size)));
  }
  ++counts_.changes;
  apply(UpdateMapping{plan.mapping_name(), std::move(patch)});
}

void TriggerQueueWorld::reserve() {
  std::optional<int> reserved;
  if (random_.one_in(2)) reserved = static_cast<int>(random_.below(3));
  apply(PutFunctionConcurrency{function_named(random_.one_in(2) ? "one" : "events"), reserved});
}

// ---- The shell.

void TriggerQueueWorld::apply(TriggerCommand command) {
  triggers_->apply(CallId{++next_call_}, std::move(command), now_);
}

CallId TriggerQueueWorld::submit(OpenCall call, Command command) {
  const CallId id{++next_call_};
  calls_.emplace(id, std::move(call));
  queues_->apply(id, std::move(command), now_);
  return id;
}

void TriggerQueueWorld::take_effects() {
  Effects effects = queues_->take_effects();
  if (!effects.empty()) pipeline_.submit(std::move(effects), now_, step_, false);
  TriggerEffects triggered = triggers_->take_effects();
  if (triggered.empty()) return;
  Turn turn;
  storage::encode(triggered.mutations, turn.bytes);
  turn.effects = std::move(triggered);
  turns_.push_back(std::move(turn));
}

void TriggerQueueWorld::commit_some() {
  const std::uint64_t which = random_.below(3);
  const std::uint64_t crashes = counts_.crashes;
  if (which != 0) {
    if (!pipeline_.commit_some(store_, random_)) return crash(false);
    release_queues();
  }
  if (which != 1 && crashes == counts_.crashes) commit_triggers();
  run_loads();
  if (random_.one_in(2)) run_moves();
}

void TriggerQueueWorld::commit_triggers() {
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

void TriggerQueueWorld::release_queues() {
  const std::uint64_t crashes = counts_.crashes;
  while (std::optional<Release> ready = pipeline_.next_release()) {
    for (Reply& reply : ready->replies) {
      if (moves_.on_reply(reply, [this](Command command) { return submit({}, std::move(command)); })) continue;
      const auto found = calls_.extract(reply.call);
      if (!found.empty()) on_reply(found.mapped(), std::move(reply.result), ready->decided_at);
      if (crashes != counts_.crashes) return;
    }
    for (Load& load : ready->loads) loads_.push_back(std::move(load));
    moves_.add(std::move(ready->transfers));
  }
}

void TriggerQueueWorld::run_moves() {
  while (!moves_.empty()) {
    if (!moves_.begin_next(store_, [this](Command command) { return submit({}, std::move(command)); })) {
      return crash(false);
    }
  }
}

void TriggerQueueWorld::run_loads() {
  while (!loads_.empty()) {
    const Load load = std::move(loads_.front());
    loads_.pop_front();
    Command answer;
    if (storage::run_load(store_, load, answer)) return crash(false);
    queues_->apply(CallId{}, std::move(answer), now_);
  }
}

void TriggerQueueWorld::release(TriggerEffects& effects) {
  for (const TriggerMutation& mutation : effects.mutations) {
    const auto* put = std::get_if<PutMapping>(&mutation);
    if (put == nullptr) continue;
    for (Plan& plan : plans_) {
      if (plan.queue != std::get<QueueName>(put->mapping.source)) continue;
      plan.uuid = put->mapping.uuid;
      plan.exists = true;
    }
  }
  for (const TriggerReply& reply : effects.replies) on_trigger_reply(reply);
  for (Ask& ask : effects.asks) release_ask(std::move(ask));
  for (const AskId ask : effects.cancels) cancel(ask);
  for (Report& report : effects.reports) reports_.push_back(std::move(report));
  for (const Invocation& invocation : effects.invocations) begin(invocation);
}

void TriggerQueueWorld::on_trigger_reply(const TriggerReply& reply) {
  if (const auto* described = std::get_if<MappingDescription>(&reply.result)) {
    for (Plan& plan : plans_) {
      if (plan.queue != std::get<QueueName>(described->mapping.source)) continue;
      plan.uuid = described->mapping.uuid;
      plan.exists = true;
    }
  }
  const auto invoked = invokes_.extract(reply.call);
  if (invoked.empty() || !std::holds_alternative<EventAccepted>(reply.result)) return;
  ++counts_.events;
  ledger_.accepted(invoked.mapped());
}

/// As a disk that is full or a FIFO queue that has taken enough calls for now.
bool TriggerQueueWorld::refuses(const Ask& ask) {
  if (is_calm_ || now_ >= refusing_until_) return false;
  const bool settles =
      std::holds_alternative<DeleteMessages>(ask.command) || std::holds_alternative<ChangeVisibility>(ask.command);
  if (!settles) return false;
  ++counts_.refusals;
  const auto code = random_.one_in(2) ? ErrorCode::RequestThrottled : ErrorCode::InternalFailure;
  answers_.push_back(Answered{ask.id, Error{code, "not now"}, {}});
  return true;
}

void TriggerQueueWorld::release_ask(Ask ask) {
  if (refuses(ask)) return;
  Command command = ask.command;
  if (auto* remove = std::get_if<DeleteMessages>(&command)) {
    for (const std::string& handle : remove->receipt_handles) hold(ledger_.deleting(handle));
  } else if (const auto* change = std::get_if<ChangeVisibility>(&command)) {
    counts_.renewals += change->changes.size();
    for (const VisibilityChange& each : change->changes) {
      ledger_.visibility_changed(each.receipt_handle, now_, now_ + std::chrono::seconds{each.timeout_seconds});
    }
  } else if (const auto* back = std::get_if<ReturnUndelivered>(&command)) {
    counts_.given_back += back->receipt_handles.size();
    for (const std::string& handle : back->receipt_handles) ledger_.given_back(handle);
    // It has no answer.
    queues_->apply(CallId{++next_call_}, std::move(command), now_);
    return;
  }
  submit(OpenCall{std::move(ask)}, std::move(command));
}

/// What comes of it all the same is brought back.
void TriggerQueueWorld::cancel(AskId ask) {
  for (auto& [id, call] : calls_) {
    if (!call.ask || call.ask->id != ask) continue;
    call.cancelled = true;
    if (const auto* receive = std::get_if<ReceiveMessages>(&call.ask->command)) {
      queues_->apply(CallId{++next_call_}, CancelReceive{receive->queue, id}, now_);
    }
    return;
  }
}

void TriggerQueueWorld::on_reply(const OpenCall& call, Result result, Instant decided_at) {
  if (const auto* sent = std::get_if<SendResults>(&result)) {
    for (std::size_t i = 0; i < sent->entries.size() && i < call.sent.size(); ++i) {
      if (std::holds_alternative<Sent>(sent->entries[i])) ledger_.sent(call.sent[i]);
    }
  }
  if (const auto* dead = std::get_if<Deliveries>(&result); dead != nullptr && call.takes_dead) {
    for (const Delivery& delivery : dead->messages) {
      std::shared_ptr<const StoredMessage> message;
      if (storage::read_message(store_, delivery.queue, delivery.sequence, message) || message == nullptr) continue;
      ledger_.found_dead(message->content.body);
      ++counts_.dead_letters;
    }
  }
  if (!call.ask) return;
  Answered answer{call.ask->id, std::move(result), {}};
  if (const auto* deliveries = std::get_if<Deliveries>(&*answer.result)) {
    const std::uint64_t crashes = counts_.crashes;
    read(std::get<ReceiveMessages>(call.ask->command), *deliveries, decided_at, answer);
    if (crashes != counts_.crashes) return;
  }
  answers_.push_back(std::move(answer));
}

void TriggerQueueWorld::read(const ReceiveMessages& asked, const Deliveries& deliveries, Instant decided_at,
                             Answered& answer) {
  int visibility = 0;
  for (const Plan& plan : plans_) {
    if (plan.queue == asked.queue) visibility = asked.visibility_seconds.value_or(plan.visibility_seconds);
  }
  for (const Delivery& delivery : deliveries.messages) {
    std::shared_ptr<const StoredMessage> message;
    const StoreError error = storage::read_message(store_, delivery.queue, delivery.sequence, message);
    if (error && error.status != StoreStatus::not_found) return crash(false);
    if (message == nullptr) continue;
    const std::string& body = message->content.body;
    SourceItem item{message->message_id, delivery.receipt_handle, message->content.group_id, {}, message->sent, {}};
    item.visible_at = delivery.visible_at;
    if (!body.starts_with('#')) {
      item.event = std::make_shared<const std::string>(body);
      items_[item.event.get()] = {item.event, QueueRun::Item{body, item.id, item.receipt_handle}};
    } else {
      ++counts_.filtered;
    }
    ledger_.received(body, item.receipt_handle, decided_at + std::chrono::seconds{visibility});
    answer.items.push_back(std::move(item));
  }
}

/// In any order: questions are answered by several shards of the server.
void TriggerQueueWorld::deliver_some() {
  for (std::uint64_t count = 1 + random_.below(4); count > 0 && !answers_.empty(); --count) {
    const auto at = answers_.begin() + static_cast<std::ptrdiff_t>(random_.below(answers_.size()));
    Answered answer = std::move(*at);
    answers_.erase(at);
    apply(std::move(answer));
  }
}

void TriggerQueueWorld::answer_report() {
  if (reports_.empty()) return;
  const Report report = std::move(reports_.front());
  reports_.erase(reports_.begin());
  const bool taken = is_calm_ || !random_.one_in(3);
  ++counts_.reports;
  hold(ledger_.event_reported(std::get<AsyncEnd>(report.content), event_retries_, taken, now_));
  Answered answer{report.id, SendResults{{Sent{}}}, {}};
  if (!taken) answer.result = Error{ErrorCode::ServiceUnavailable, {}};
  apply(std::move(answer));
}

// ---- Functions.

void TriggerQueueWorld::begin(const Invocation& invocation) {
  ++counts_.invocations;
  const Instant until = now_ + std::chrono::seconds{timeout_seconds};
  const auto* event = std::get_if<BatchEvent>(&invocation.event);
  if (event == nullptr) {
    const auto& payload = std::get<std::shared_ptr<const std::string>>(invocation.event);
    events_.push_back(EventRun{invocation.id, invocation.function->name.name, *payload, until});
  } else {
    QueueRun run;
    run.id = invocation.id;
    run.mapping = event->mapping->uuid;
    run.function = invocation.function->name.name;
    run.until = until;
    if (invocation.function->name.name == long_function) {
      // Where nothing goes wrong any more, it has all of its time.
      const std::uint64_t ms = is_calm_ ? long_run_ms_max : 1 + random_.below(long_run_ms_max);
      run.until = now_ + Millis{static_cast<std::int64_t>(ms)};
      run.stubborn = !is_calm_ && random_.one_in(3);
    }
    for (const auto& record : event->records) {
      const auto found = items_.find(record.get());
      if (found == items_.end()) return broken("an invocation has a message that was never received");
      run.items.push_back(found->second.second);
    }
    const Plan* plan = plan_of(run.mapping);
    if (plan == nullptr) return broken("an invocation of no mapping");
    const QueuePromise promise{static_cast<std::size_t>(plan->config.batch_size),
                               static_cast<std::size_t>(plan->config.concurrency_max.value_or(1'000)),
                               trigger_limits_.batch_bytes_max, is_prompt_};
    hold(ledger_.begun(run, promise, now_));
  }
  if (ledger_.running().size() + events_.size() > static_cast<std::size_t>(trigger_limits_.concurrency_max)) {
    broken("too many invocations at a time");
  }
  // An invocation has its function as it was when it was begun with.
  if (const auto& reserved = invocation.function->reserved_concurrency) {
    const auto is_of_it = [&](const auto& run) { return run.function == invocation.function->name.name; };
    const auto batches = std::ranges::count_if(ledger_.running() | std::views::values, is_of_it);
    const auto count = batches + std::ranges::count_if(events_, is_of_it);
    if (count > *reserved) broken("more invocations of a function at a time than are reserved for it");
    if (*reserved > 0) ++counts_.reserved;
  }
}

void TriggerQueueWorld::end_some() {
  const std::size_t batches = ledger_.running().size();
  if (batches + events_.size() == 0) return;
  const std::uint64_t choice = is_calm_ ? 0 : random_.below(14);
  const std::size_t which = random_.below(batches + events_.size());
  if (which < batches) {
    const QueueRun run = std::next(ledger_.running().begin(), static_cast<std::ptrdiff_t>(which))->second;
    if (run.stubborn && !is_ending_ && !is_calm_) return;
    return end(run, choice);
  }
  const auto at = events_.begin() + static_cast<std::ptrdiff_t>(which - batches);
  const EventRun run = *at;
  events_.erase(at);
  end_event(run, choice);
}

void TriggerQueueWorld::end(const QueueRun& run, std::uint64_t choice) {
  InvocationOver over;
  over.id = run.id;
  const bool reports = plan_of(run.mapping)->config.report_batch_item_failures;
  const bool has_poison = std::ranges::any_of(run.items, [](const auto& item) { return item.body.front() == '!'; });
  const bool poisoned = has_poison && (!is_calm_ || plan_of(run.mapping)->has_dead_letters());
  const bool is_away = !is_calm_ && now_ < away_until_;
  std::set<std::string> done;
  for (const QueueRun::Item& item : run.items) done.insert(item.body);
  bool was_run = true;
  if (is_away || choice == 13 || choice == 12) {
    const auto not_run = is_away || random_.one_in(3) ? RunOutcome::Status::unreached : RunOutcome::Status::throttled;
    was_run = !is_away && choice == 13;
    over.outcome.status = was_run ? RunOutcome::Status::failed : not_run;
    over.outcome.message = was_run ? "no such program" : "nobody is there";
    done.clear();
    ++(over.outcome.status == RunOutcome::Status::unreached ? counts_.unreached : counts_.throttles);
  } else if (choice >= 10 && reports) {
    over.batch = BatchAnswer{};
    for (const QueueRun::Item& item : run.items) {
      if (!random_.one_in(2)) continue;
      over.batch->failed.push_back(item.id);
      done.erase(item.body);
    }
    ++counts_.partial;
  } else if (choice >= 8 && reports) {
    over.batch = BatchAnswer{!random_.one_in(3), {random_.one_in(2) ? "" : "no such message"}, std::nullopt};
    if (!over.batch->well_formed) over.batch->failed.clear();
    done.clear();
    ++counts_.garbage;
  } else if (choice >= 6 || poisoned) {
    over.outcome.function_error = "Unhandled";
    done.clear();
    ++counts_.failures;
  } else {
    over.batch = BatchAnswer{};
  }
  ledger_.over(run, done, was_run);
  apply(std::move(over));
}

void TriggerQueueWorld::end_event(const EventRun& run, std::uint64_t choice) {
  InvocationOver over;
  over.id = run.id;
  ++counts_.events_over;
  const bool is_away = !is_calm_ && now_ < away_until_;
  if (is_away || choice == 13 || choice == 12) {
    const bool has_no_room = !is_away && choice == 12;
    over.outcome.status = has_no_room ? RunOutcome::Status::throttled : RunOutcome::Status::unreached;
    ++(has_no_room ? counts_.throttles : counts_.unreached);
  } else if (choice >= 6) {
    over.outcome.function_error = "Unhandled";
    ledger_.event_over(run.payload, false);
  } else {
    ledger_.event_over(run.payload, true);
  }
  apply(std::move(over));
}

TriggerQueueWorld::Plan* TriggerQueueWorld::plan_of(const std::string& uuid) {
  for (Plan& plan : plans_) {
    if (plan.uuid == uuid) return &plan;
  }
  return nullptr;
}

/// Everything happens that needs neither time nor the end of an invocation.
void TriggerQueueWorld::pump() {
  for (int round = 0; round < pump_rounds_max && broken_.empty(); ++round) {
    take_effects();
    if (pipeline_.empty() && loads_.empty() && turns_.empty() && answers_.empty() && moves_.empty()) return;
    if (!pipeline_.commit_some(store_, random_)) {
      crash(false);
    } else {
      release_queues();
    }
    commit_triggers();
    run_loads();
    run_moves();
    deliver_some();
  }
  broken("it does not come to rest");
}

}  // namespace penstock::sim
