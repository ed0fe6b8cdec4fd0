#include "server/trigger_host.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <set>
#include <span>
#include <type_traits>
#include <utility>

#include "core/triggers/destinations.hpp"
#include "core/triggers/engine.hpp"
#include "penstock/queue_names.hpp"
#include "protocol/caller.hpp"
#include "protocol/digests.hpp"
#include "protocol/lambda/events.hpp"
#include "protocol/text.hpp"
#include "server/pages.hpp"
#include "server/routing.hpp"
#include "server/shard.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::server {

namespace asio = boost::asio;
namespace lambda = protocol::lambda;

namespace {

// A call to a shard has the index of who makes it in the bits above these. Frontends have those of their threads, and
// the host has the one behind them.
constexpr std::uint64_t call_bits = 48;

// The longest that a timer is set for; the engine is asked again then.
constexpr std::chrono::nanoseconds timer_max = std::chrono::hours{1};

// After which code that something still runs is looked at again: twice as long each time.
constexpr Millis sweep_again_min{500};
constexpr Millis sweep_again_max{60'000};

// What a client that asks to wait for a log is made to wait at most.
constexpr Millis log_wait_max{20'000};

Error not_found(const FunctionName& function) {
  return {ErrorCode::LambdaResourceNotFound, "Function not found: " + arn_of(function)};
}

Error stopping() { return {ErrorCode::LambdaServiceException, "The server is stopping."}; }

/// What a change makes of what decides how a function is run.
FunctionRecord changed(FunctionRecord function, const FunctionPatch& patch) {
  const auto put = [](auto& member, const auto& change) {
    if (change) member = *change;
  };
  put(function.kind, patch.kind);
  put(function.runtime, patch.runtime);
  put(function.handler, patch.handler);
  put(function.command, patch.command);
  put(function.directory, patch.directory);
  put(function.url, patch.url);
  return function;
}

/// A command that is not answered by the shard that carries it out.
bool is_told(const Command& command) { return std::holds_alternative<ReturnUndelivered>(command); }

/// Renders what the result has for a batch, and lets go of what was rendered.
std::vector<SourceItem> take_items(Result& result, const MappingRecord& mapping, const lambda::Filters& filters,
                                   const std::string& role) {
  std::vector<SourceItem> items;
  if (auto* deliveries = std::get_if<Deliveries>(&result)) {
    items = lambda::items_of(*deliveries, mapping, filters);
    for (Delivery& delivery : deliveries->messages) delivery.message.reset();
  } else if (auto* page = std::get_if<RecordsPage>(&result)) {
    items = lambda::items_of(*page, mapping, filters, role);
    page->records = {};
  }
  return items;
}

/// The function's name, whichever version of it the ARN says.
std::string name_in(const std::string& function_arn) {
  const auto named = core::parse_destination(function_arn);
  const auto* function = named ? std::get_if<FunctionName>(&*named) : nullptr;
  return function == nullptr ? function_arn : function->name;
}

/// Without what no message may have: functions say anything.
std::string message_text(std::string text) {
  if (!protocol::is_utf8(text)) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  }
  return protocol::has_only_message_characters(text) ? text : protocol::with_message_characters(text);
}

/// A message as a client would send it.
OutgoingMessage message_of(const Report& report) {
  OutgoingMessage message;
  MessageContent& content = message.content;
  content.body = message_text(std::visit([](const auto& told) { return lambda::report_of(told); }, report.content));
  content.body_md5 = protocol::md5_of(content.body);
  content.sender_id = protocol::anonymous_principal;
  if (const auto* end = std::get_if<AsyncEnd>(&report.content); end != nullptr && end->plain) {
    content.attributes = lambda::attributes_of(*end);
    for (MessageAttribute& attribute : content.attributes) attribute.value = message_text(std::move(attribute.value));
    std::ranges::sort(content.attributes, {}, &MessageAttribute::name);
  }
  message.bytes = content.body.size();
  for (const MessageAttribute& attribute : content.attributes) {
    message.bytes += attribute.name.size() + attribute.data_type.size() + attribute.value.size();
  }
  if (is_fifo(report.queue.name)) {
    // One after the other for each function. Each is told once: the engine repeats one only if it was refused.
    const auto& invocation =
        std::visit([](const auto& told) -> const FailedInvocation& { return told.invocation; }, report.content);
    content.group_id = name_in(invocation.function_arn);
    content.deduplication_id = invocation.request_id;
    message.body_sha256 = protocol::sha256_hex_of(content.body);
  }
  return message;
}

}  // namespace

TriggerHost::TriggerHost(const Service& service, const Store& store, storage::Committer& committer, const Clock& clock,
                         const TriggerLimits& limits, std::unique_ptr<CodeShelf> shelf,
                         const MakeProcesses& make_processes)
    : TriggerHost(service, store, committer, clock, std::unique_ptr<TriggerEngine>(), std::move(shelf), make_processes,
                  !limits.lambda_endpoint.empty()) {
  engine_ = core::make_trigger_engine(limits, entropy_, [](const AsyncEnd& end) { return lambda::report_of(end); });
}

TriggerHost::TriggerHost(const Service& service, const Store& store, storage::Committer& committer, const Clock& clock,
                         std::unique_ptr<TriggerEngine> engine, std::unique_ptr<CodeShelf> shelf,
                         const MakeProcesses& make_processes, bool runs_unregistered)
    : service_(service),
      store_(store),
      committer_(committer),
      clock_(clock),
      engine_(std::move(engine)),
      code_(context_, std::move(shelf)),
      processes_(make_processes(context_)),
      releases_(context_, committer, [this](TriggerEffects effects) { release(std::move(effects)); }),
      runs_unregistered_(runs_unregistered) {}

TriggerHost::~TriggerHost() = default;

void TriggerHost::recover(RecoveredTriggers found) {
  for (const FunctionRecord& function : found.functions) functions_.emplace(function.name, function);
  engine_->recover(std::move(found), clock_.now());
}

void TriggerHost::start() {
  want_turn();
  asio::post(context_, [this] { sweep_code(); });
  thread_ = std::thread([this] { context_.run(); });
}

void TriggerHost::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

// ---- Commands.

void TriggerHost::submit(TriggerCommand command, Completion completion) {
  asio::post(context_, [this, asked = std::move(command), done = std::move(completion)]() mutable {
    take(std::move(asked), std::move(done));
  });
}

void TriggerHost::take(TriggerCommand command, Completion completion) {
  if (draining_) return completion(stopping());
  if (auto* create = std::get_if<CreateFunction>(&command)) return take_new(std::move(*create), std::move(completion));
  if (auto* update = std::get_if<UpdateFunction>(&command)) {
    return take_change(std::move(*update), std::move(completion));
  }
  if (const auto* read = std::get_if<ReadFunctionLog>(&command)) return take_log_read(*read, completion);
  apply(std::move(command), std::move(completion));
}

std::optional<Error> TriggerHost::objection_to(const FunctionRecord& function) const {
  std::string objection = processes_->objection_to(function);
  if (objection.empty()) return std::nullopt;
  return Error{ErrorCode::LambdaInvalidParameterValue, std::move(objection)};
}

// What is to be known of a function that is being registered goes with the answer, and into the server's log.
TriggerHost::Completion TriggerHost::with_remark(const FunctionRecord& function, Completion completion) const {
  std::string remark = processes_->remark_on(function);
  if (remark.empty()) return completion;
  return [name = function.name.name, remark = std::move(remark), done = std::move(completion)](TriggerResult result) {
    if (auto* described = std::get_if<FunctionDescription>(&result)) {
      spdlog::warn("function {}: {}", name, remark);
      described->remark = remark;
    }
    done(std::move(result));
  };
}

void TriggerHost::take_new(CreateFunction create, Completion completion) {
  if (auto objection = objection_to(create.function)) return completion(std::move(*objection));
  completion = with_remark(create.function, std::move(completion));
  // A name that is taken is found out before anything is unpacked; the engine looks again.
  if (!create.zip || (!create.replace && functions_.contains(create.function.name))) {
    return apply(std::move(create), std::move(completion));
  }
  keep_code<CreateFunction>(
      std::move(create),
      [](CreateFunction& command, const KeptCode& kept) {
        command.function.code_sha256 = kept.sha256;
        command.function.code_bytes = kept.bytes;
      },
      std::move(completion));
}

void TriggerHost::take_change(UpdateFunction update, Completion completion) {
  const auto found = functions_.find(update.function);
  if (found == functions_.end()) return apply(std::move(update), std::move(completion));
  const FunctionRecord function = changed(found->second, update.patch);
  if (auto objection = objection_to(function)) return completion(std::move(*objection));
  if (update.patch.runtime) completion = with_remark(function, std::move(completion));
  if (!update.zip) return apply(std::move(update), std::move(completion));
  keep_code<UpdateFunction>(
      std::move(update),
      [](UpdateFunction& command, const KeptCode& kept) {
        command.patch.code_sha256 = kept.sha256;
        command.patch.code_bytes = kept.bytes;
      },
      std::move(completion));
}

template <class WithCode>
void TriggerHost::keep_code(WithCode command, std::function<void(WithCode&, const KeptCode&)> put,
                            Completion completion) {
  if (!code_.has_room()) {
    return completion(Error{ErrorCode::LambdaTooManyRequests, "Too much code is being unpacked. Try again."});
  }
  std::string zip = std::move(*command.zip);
  command.zip.reset();
  code_.put(std::move(zip), [this, command = std::move(command), put = std::move(put),
                             done = std::move(completion)](std::variant<KeptCode, Error> outcome) mutable {
    if (auto* error = std::get_if<Error>(&outcome)) return done(std::move(*error));
    const auto& kept = std::get<KeptCode>(outcome);
    put(command, kept);
    // Until the engine has answered, nothing but this knows that the code is wanted.
    apply(std::move(command), [this, hold = kept.hold, done = std::move(done)](TriggerResult result) {
      // It may have been refused, or tried only.
      sweep_wanted_ = true;
      done(std::move(result));
    });
  });
}

void TriggerHost::take_log_read(const ReadFunctionLog& read, const Completion& completion) {
  // What another emulator runs has a log here, of what is known of it, and nobody knows what that emulator has.
  if (!functions_.contains(read.function) && !runs_unregistered_) return completion(not_found(read.function));
  ReadFunctionLog question = read;
  question.wait = std::clamp(question.wait, Millis{0}, log_wait_max);
  processes_->read_log(question, completion);
}

void TriggerHost::read_code(FunctionName function, std::function<void(std::variant<std::string, Error>)> completion) {
  asio::post(context_, [this, name = std::move(function), done = std::move(completion)]() mutable {
    const auto found = functions_.find(name);
    if (found == functions_.end() || found->second.code_sha256.empty()) return done(not_found(name));
    code_.read(found->second.code_sha256, [name, done = std::move(done)](std::optional<std::string> zip) {
      if (!zip) return done(not_found(name));
      done(std::move(*zip));
    });
  });
}

void TriggerHost::apply(TriggerCommand command, Completion completion) {
  const CallId call{++call_count_};
  ++given_;
  calls_.emplace(call, std::move(completion));
  engine_->apply(call, std::move(command), clock_.now());
  want_turn();
}

void TriggerHost::tell(TriggerCommand command) {
  ++given_;
  engine_->apply(CallId{}, std::move(command), clock_.now());
  want_turn();
}

// ---- Turns.

// The turn ends behind whatever is ready to run now, so that its batch carries all of it.
void TriggerHost::want_turn() {
  if (std::exchange(turn_wanted_, true)) return;
  asio::post(context_, [this] { end_turn(); });
}

void TriggerHost::end_turn() {
  turn_wanted_ = false;
  TriggerEffects effects = engine_->take_effects();
  for (MessageNote& note : std::exchange(effects.notes, {})) {
    if (notes_.size() >= server_limits::trace_notes_max) notes_.pop_front();
    notes_.emplace_back(clock_.now(), std::move(note));
  }
  if (!effects.mutations.empty()) {
    note(effects.mutations);
    commit(effects);
    effects.mutations.clear();
  }
  const bool fades = !fading_.empty() && fading_.back().first > effects_held_;
  if (!effects.empty() || fades) {
    ++effects_held_;
    releases_.hold(std::move(effects));
  }
  sweep_code();
  arm_timer();
  look_whether_drained();
}

void TriggerHost::commit(const TriggerEffects& effects) {
  WriteBatch batch;
  storage::encode(effects.mutations, batch);
  // What asks for no sync costs less here than two changes of thread; a sync would keep everything else waiting.
  std::optional<std::uint64_t> position;
  if (!effects.sync && releases_.empty()) position = committer_.commit_if_idle(batch, false);
  releases_.submitted(position ? *position : committer_.submit(std::move(batch), effects.sync), effects.sync);
}

void TriggerHost::note(const std::vector<TriggerMutation>& mutations) {
  for (const TriggerMutation& mutation : mutations) note(mutation);
}

void TriggerHost::note(const TriggerMutation& mutation) {
  if (const auto* put = std::get_if<PutFunction>(&mutation)) {
    FunctionRecord& function = functions_[put->function.name];
    if (function.code_sha256 != put->function.code_sha256) fade(function.code_sha256);
    if (function.role != put->function.role) {
      std::erase_if(renderings_,
                    [&](const auto& entry) { return entry.second->mapping->function == put->function.name; });
    }
    function = put->function;
  } else if (const auto* drop = std::get_if<DropFunction>(&mutation)) {
    tallies_.erase(drop->function);
    const auto dropped = functions_.extract(drop->function);
    if (!dropped.empty()) fade(dropped.mapped().code_sha256);
  } else if (const auto* gone = std::get_if<DropMapping>(&mutation)) {
    renderings_.erase(gone->uuid);
  }
}

void TriggerHost::fade(const std::string& code_sha256) {
  if (!code_sha256.empty()) fading_.emplace_back(effects_held_ + 1, code_sha256);
}

void TriggerHost::release(TriggerEffects effects) {
  for (const std::string& warning : effects.warnings) spdlog::warn("{}", warning);
  for (const FunctionName& function : effects.refused) {
    ++tally_.throttled;
    if (FunctionTally* tally = tally_of(function)) ++tally->throttled;
  }
  for (TriggerReply& reply : effects.replies) complete(std::move(reply));
  for (Ask& ask : effects.asks) send(std::move(ask));
  for (const AskId ask : effects.cancels) cancel(ask);
  for (Report& report : effects.reports) send(std::move(report));
  for (const Retire& retire : effects.retires) processes_->runner().retire(retire.function, retire.generation);
  for (Invocation& invocation : effects.invocations) invoke(std::move(invocation));
  ++effects_released_;
  for (; !fading_.empty() && fading_.front().first <= effects_released_; fading_.pop_front()) {
    sweep_wanted_ = true;
    sweep_delay_ = Millis{0};
  }
  sweep_code();
  look_whether_drained();
}

void TriggerHost::complete(TriggerReply reply) {
  const auto found = calls_.find(reply.call);
  if (found == calls_.end()) return;
  const Completion completion = std::move(found->second);
  calls_.erase(found);
  completion(std::move(reply.result));
}

void TriggerHost::end_runs_of_deleted() {
  asio::post(context_, [this] {
    processes_->end_runs([this](const FunctionName& function) { return !functions_.contains(function); });
  });
}

// ---- Questions to shards.

void TriggerHost::send(Ask ask) {
  auto rendering = ask.mapping != nullptr ? rendering_of(ask.mapping) : nullptr;
  send(ask.id, std::move(ask.command), std::move(rendering));
}

void TriggerHost::send(Report report) {
  SendMessages message;
  message.messages.push_back(message_of(report));
  message.queue = std::move(report.queue);
  send(report.id, std::move(message), nullptr);
}

// What it is answered is read and rendered in the shard's thread: there are several of those, and there the messages
// are at hand.
void TriggerHost::send(AskId id, Command command, std::shared_ptr<const Rendering> rendering) {
  const CallId call{(static_cast<std::uint64_t>(service_.shards.size()) << call_bits) | ++call_count_};
  Shard& shard = *service_.shards[service_.owner_of(command)];
  if (auto cancellation = cancellation_of(command, call)) {
    cancellable_.emplace(id.value, Cancellable{&shard, call, std::move(*cancellation)});
  }
  ++asks_open_;
  auto come_back = [this, id, &shard, rendering = std::move(rendering)](std::optional<Result> result) {
    Answered answer{id, std::nullopt, {}};
    if (result) {
      read_records(store_, *result);
      shard.reads().add(*result);
      if (rendering) shard.note_received(*result, *rendering->mapping);
      if (rendering) answer.items = take_items(*result, *rendering->mapping, rendering->filters, rendering->role);
      answer.result = std::move(result);
    }
    asio::post(context_, [this, answer = std::move(answer)]() mutable { answered(std::move(answer)); });
  };
  asio::post(shard.context(), [&shard, call, asked = std::move(command), done = std::move(come_back)]() mutable {
    if (!is_told(asked)) return shard.submit(call, std::move(asked), std::move(done));
    shard.tell(std::move(asked));
    done(Done{});
  });
}

void TriggerHost::cancel(AskId ask) {
  const auto found = cancellable_.find(ask.value);
  if (found == cancellable_.end()) return;
  Cancellable open = std::move(found->second);
  cancellable_.erase(found);
  asio::post(open.shard->context(), [open] { open.shard->cancel(open.call, open.cancellation); });
}

void TriggerHost::answered(Answered answer) {
  --asks_open_;
  cancellable_.erase(answer.id.value);
  tell(std::move(answer));
}

std::shared_ptr<const TriggerHost::Rendering> TriggerHost::rendering_of(
    const std::shared_ptr<const MappingRecord>& mapping) {
  std::shared_ptr<const Rendering>& kept = renderings_[mapping->uuid];
  if (kept != nullptr && kept->mapping == mapping) return kept;
  Rendering made{mapping, {}, {}};
  if (kept != nullptr && kept->mapping->config.filters == mapping->config.filters) {
    made.filters = kept->filters;
  } else {
    auto compiled = lambda::Filters::compile(mapping->config.filters);
    if (auto* filters = std::get_if<lambda::Filters>(&compiled)) {
      made.filters = std::move(*filters);
    } else {
      // They were compiled before they were taken, so that only another version can have taken these. Too much is what
      // no message is lost by.
      spdlog::error("event source mapping {}: its filters are passed over: {}", mapping->uuid,
                    std::get<Error>(compiled).message);
    }
  }
  if (const auto function = functions_.find(mapping->function); function != functions_.end()) {
    made.role = function->second.role;
  }
  kept = std::make_shared<const Rendering>(std::move(made));
  return kept;
}

// ---- Invocations.

void TriggerHost::invoke(Invocation invocation) {
  RunRequest request;
  request.request_id = std::move(invocation.request_id);
  request.function = std::move(invocation.function);
  request.invoked_arn = std::move(invocation.invoked_arn);
  request.client_context = std::move(invocation.client_context);
  request.trace_id = std::move(invocation.trace_id);
  std::shared_ptr<const MappingRecord> mapping;
  bool has_window = false;
  std::visit(
      [&](auto& event) {
        using Event = std::remove_cvref_t<decltype(event)>;
        if constexpr (std::is_same_v<Event, BatchEvent>) {
          request.payload = std::make_shared<const std::string>(lambda::event_of(event));
          has_window = event.window.has_value();
          mapping = std::move(event.mapping);
        } else {
          request.payload = std::move(event);
        }
      },
      invocation.event);
  ++invocations_open_;
  const FunctionName function = request.function->name;
  const auto began = std::chrono::steady_clock::now();
  processes_->runner().run(
      std::move(request), [this, id = invocation.id, mapping, has_window, function, began](RunOutcome outcome) {
        observe(function, outcome, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
        InvocationOver ended{id, std::move(outcome), std::nullopt};
        if (mapping != nullptr && ended.outcome.succeeded()) {
          ended.batch = lambda::read_answer(ended.outcome.payload, *mapping, has_window);
        }
        over(std::move(ended));
      });
}

/// Null of one that is not registered here: there is no end to what may be asked for.
FunctionTally* TriggerHost::tally_of(const FunctionName& function) {
  return functions_.contains(function) ? &tallies_[function] : nullptr;
}

void TriggerHost::observe(const FunctionName& function, const RunOutcome& outcome, double seconds) {
  tally_.observe(outcome, seconds);
  if (FunctionTally* tally = tally_of(function)) tally->observe(outcome, seconds);
}

void TriggerHost::survey(TriggerPlace& place, std::size_t count_max, TriggerSurvey& survey) const {
  if (!place.functions_over) {
    auto it = place.function ? functions_.upper_bound(*place.function) : functions_.begin();
    for (; it != functions_.end() && survey.functions.size() < count_max; ++it) {
      const auto tally = tallies_.find(it->first);
      survey.functions.push_back({it->first, tally == tallies_.end() ? FunctionTally{} : tally->second});
      place.function = it->first;
    }
    place.functions_over = it == functions_.end();
    return;
  }
  survey.mappings = engine_->survey_mappings(place.mapping, count_max);
  place.over = survey.mappings.size() < count_max;
  if (!survey.mappings.empty()) place.mapping = survey.mappings.back().uuid;
}

void TriggerHost::over(InvocationOver outcome) {
  --invocations_open_;
  tell(std::move(outcome));
}

// ---- Housekeeping.

// What runs holds its code. While code is being put it is not known yet who refers to it.
void TriggerHost::sweep_code() {
  if (!sweep_wanted_ || !code_.is_quiet()) return;
  sweep_wanted_ = false;
  std::set<std::string> kept;
  for (const auto& [name, function] : functions_) {
    if (!function.code_sha256.empty()) kept.insert(function.code_sha256);
  }
  for (const auto& [effects, code] : fading_) kept.insert(code);
  code_.keep_only(std::move(kept), [this](bool all_dropped) {
    if (all_dropped || draining_) return;
    sweep_delay_ = std::clamp(2 * sweep_delay_, sweep_again_min, sweep_again_max);
    sweep_timer_.expires_after(sweep_delay_);
    sweep_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      sweep_wanted_ = true;
      sweep_code();
    });
  });
}

void TriggerHost::arm_timer() {
  const std::optional<Instant> next = engine_->next_deadline();
  // A timer that rings too early costs a look at the engine; setting it anew for each message costs more.
  if (!next || (armed_ && *armed_ <= *next)) return;
  const auto wait = clock_.time_until(*next);
  if (!wait) return;
  armed_ = next;
  timer_.expires_after(std::min(*wait, timer_max));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) ring();
  });
}

void TriggerHost::ring() {
  ++given_;
  armed_.reset();
  engine_->advance(clock_.now());
  want_turn();
}

void TriggerHost::clock_changed() {
  timer_.cancel();
  ring();
}

std::vector<MessageStep> TriggerHost::trace(const std::string& message_id) const {
  std::vector<MessageStep> steps;
  for (const auto& [at, note] : notes_) {
    if (note.message_id != message_id) continue;
    steps.push_back({at, "mapping " + note.mapping, "not processed", note.what, {}});
  }
  return steps;
}

// Its questions that are open may be parked in their shards, and say nothing.
Pulse TriggerHost::pulse(bool with_names) const {
  Pulse pulse;
  pulse.quiet = !turn_wanted_ && releases_.empty() && invocations_open_ == 0 && code_.is_quiet();
  pulse.work = given_;
  pulse.next = engine_->next_deadline();
  pulse.next_observable = engine_->next_observable();
  if (with_names) engine_->name_busy(pulse.busy);
  return pulse;
}

// ---- The end.

void TriggerHost::drain(Millis time_max, std::function<void()> drained) {
  asio::post(context_, [this, time_max, done = std::move(drained)]() mutable {
    draining_ = true;
    drained_ = std::move(done);
    engine_->drain(clock_.now());
    processes_->release_log_readers();
    drain_timer_.expires_after(time_max);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || ending_) return;
      spdlog::warn("ending the functions that are still running");
      end_processes();
    });
    want_turn();
  });
}

void TriggerHost::look_whether_drained() {
  if (!draining_ || turn_wanted_ || !releases_.empty() || asks_open_ > 0 || invocations_open_ > 0) return;
  // Deletes that a queue could not take yet are tried again for a while, which the timer of the drain cuts off.
  if (!ending_ && !engine_->is_idle()) return;
  if (!ending_) return end_processes();
  if (!ended_) return;
  if (const auto once = std::exchange(drained_, {})) once();
}

// What is cut off comes back as not run, which costs no event and no batch a try, and of which callers are told.
void TriggerHost::end_processes() {
  ending_ = true;
  drain_timer_.cancel();
  processes_->stop([this] {
    ended_ = true;
    want_turn();
  });
}

}  // namespace penstock::server
