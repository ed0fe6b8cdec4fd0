// What the host of triggers does for its engine, with an engine and functions that only do as they are told, and real
// shards.
#include "server/trigger_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"
#include "protocol/digests.hpp"
#include "server/gated_store.hpp"
#include "server/routing.hpp"
#include "server/shard.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const FunctionName function_name{"000000000000", "us-east-1", "bill"};
const QueueName queue_name{"000000000000", "us-east-1", "orders"};
const std::string mapping_uuid = "0123abcd-4567-489a-bcde-f0123456789a";

/// What happens in the host's thread, as the test sees it.
class Seen {
 public:
  template <class Change>
  void change(const Change& make) {
    const std::lock_guard lock{mutex_};
    make();
    changed_.notify_all();
  }
  template <class Condition>
  void wait_for(const Condition& condition) {
    std::unique_lock lock{mutex_};
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), condition)) << "it did not happen";
  }
  template <class Condition>
  bool holds(const Condition& condition) {
    const std::lock_guard lock{mutex_};
    return condition();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// Notes what it was asked, and has the effects that it was given.
class ScriptedTriggers final : public TriggerEngine {
 public:
  explicit ScriptedTriggers(Seen& seen) : seen_(seen) {}

  void recover(RecoveredTriggers found, Instant /*now*/) override { recovered = std::move(found); }
  void apply(CallId call, TriggerCommand command, Instant /*now*/) override {
    seen_.change([&] {
      if (std::holds_alternative<GetLambdaAccount>(command)) {
        add(std::move(next.front()));
        next.pop_front();
      } else {
        if (auto result = script(command)) effects.replies.push_back(TriggerReply{call, std::move(*result)});
        if (auto* answer = std::get_if<Answered>(&command)) answers.push_back(std::move(*answer));
        if (auto* over = std::get_if<InvocationOver>(&command)) outcomes.push_back(std::move(*over));
        if (auto* create = std::get_if<CreateFunction>(&command)) creations.push_back(std::move(*create));
        if (auto* update = std::get_if<UpdateFunction>(&command)) updates.push_back(std::move(*update));
      }
    });
  }
  void advance(Instant now) override {
    seen_.change([&] {
      advanced.push_back(now);
      deadline.reset();
    });
  }
  std::optional<Instant> next_deadline() const override { return deadline; }
  void drain(Instant /*now*/) override {
    seen_.change([&] { drains = true; });
  }
  bool is_idle() const override { return true; }
  TriggerEffects take_effects() override { return std::exchange(effects, {}); }

  RecoveredTriggers recovered;
  std::deque<TriggerEffects> next;
  TriggerEffects effects;
  std::function<std::optional<TriggerResult>(const TriggerCommand&)> script =
      [](const TriggerCommand& command) -> std::optional<TriggerResult> {
    if (const auto* create = std::get_if<CreateFunction>(&command)) return FunctionDescription{create->function};
    if (std::holds_alternative<UpdateFunction>(command)) return Done{};
    return std::nullopt;
  };
  std::vector<Answered> answers;
  std::vector<InvocationOver> outcomes;
  std::vector<CreateFunction> creations;
  std::vector<UpdateFunction> updates;
  std::vector<Instant> advanced;
  std::optional<Instant> deadline;
  bool drains = false;

 private:
  /// Beside what the same turn has already.
  void add(TriggerEffects more) {
    const auto append = [](auto& all, auto& some) { std::move(some.begin(), some.end(), std::back_inserter(all)); };
    append(effects.mutations, more.mutations);
    append(effects.asks, more.asks);
    append(effects.cancels, more.cancels);
    append(effects.reports, more.reports);
    append(effects.retires, more.retires);
    append(effects.invocations, more.invocations);
    effects.sync |= more.sync;
  }

  Seen& seen_;
};

/// Runs nothing: the test says how each run ends.
class ScriptedProcesses final : public Processes, public Runner {
 public:
  ScriptedProcesses(Seen& seen, boost::asio::io_context& context) : seen_(seen), context_(context) {}

  Runner& runner() override { return *this; }
  void run(RunRequest request, Ended ended) override {
    seen_.change([&] {
      requests.push_back(std::move(request));
      ends.push_back(std::move(ended));
    });
  }
  void retire(const FunctionName& function, std::uint64_t generation) override {
    seen_.change([&] { retired.emplace_back(function.name, generation); });
  }
  std::string objection_to(const FunctionRecord& function) const override {
    return function.runtime == "cobol" ? "There is no cobol here." : "";
  }
  std::string remark_on(const FunctionRecord& function) const override {
    return function.runtime == "snobol" ? "Something else runs it." : "";
  }
  void read_log(const ReadFunctionLog& question, std::function<void(TriggerResult)> read) override {
    if (question.wait == Millis{0}) return read(FunctionLog{{{1, {}, "START"}}, 0});
    waiting.push_back(std::move(read));
  }
  void release_log_readers() override {
    for (const auto& read : std::exchange(waiting, {})) read(FunctionLog{});
  }
  void stop(std::function<void()> stopped) override {
    seen_.change([&] { stops = true; });
    for (const Ended& ended : std::exchange(ends, {})) {
      RunOutcome cut_off;
      cut_off.status = RunOutcome::Status::failed;
      ended(std::move(cut_off));
    }
    stopped();
  }

  /// From the test's thread.
  void end(std::size_t index, RunOutcome outcome) {
    boost::asio::post(context_, [this, index, outcome = std::move(outcome)]() mutable {
      ends.at(index)(std::move(outcome));
      ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(index));
    });
  }

  std::vector<RunRequest> requests;
  std::vector<Ended> ends;
  std::vector<std::pair<std::string, std::uint64_t>> retired;
  std::vector<std::function<void(TriggerResult)>> waiting;
  bool stops = false;

 private:
  Seen& seen_;
  boost::asio::io_context& context_;
};

class MemoryShelf final : public CodeShelf {
 public:
  explicit MemoryShelf(Seen& seen) : seen_(seen) {}
  std::variant<KeptCode, Error> put(const std::string& zip) override {
    if (zip == "broken") return Error{ErrorCode::LambdaInvalidParameterValue, "Could not unzip uploaded file."};
    seen_.change([&] {
      kept.insert(zip);
      ever_kept.insert(zip);
    });
    return KeptCode{zip, zip.size()};
  }
  std::optional<std::string> read(const std::string& sha256) override {
    return kept.contains(sha256) ? std::optional(sha256) : std::nullopt;
  }
  bool keep_only(const std::set<std::string>& sha256s) override {
    seen_.change([&] { std::erase_if(kept, [&](const std::string& one) { return !sha256s.contains(one); }); });
    return true;
  }

  std::set<std::string> kept;
  std::set<std::string> ever_kept;

 private:
  Seen& seen_;
};

FunctionRecord function_with(const std::string& code) {
  FunctionRecord function;
  function.name = function_name;
  function.code_sha256 = code;
  return function;
}

std::shared_ptr<const MappingRecord> mapping_of_queue(std::vector<std::string> filters = {}) {
  MappingRecord mapping;
  mapping.uuid = mapping_uuid;
  mapping.source = queue_name;
  mapping.source_arn = "arn:aws:sqs:us-east-1:000000000000:orders";
  mapping.function = function_name;
  mapping.config.filters = std::move(filters);
  mapping.config.report_batch_item_failures = true;
  return std::make_shared<const MappingRecord>(std::move(mapping));
}

OutgoingMessage outgoing(const std::string& body) {
  OutgoingMessage message;
  message.content.body = body;
  message.content.body_md5 = protocol::md5_of(body);
  message.bytes = body.size();
  return message;
}

class TriggerHostTest : public testing::Test {
 protected:
  TriggerHostTest()
      : committer_(std::in_place, store_, storage::Durability::fsync, storage::Committer::Callbacks{[this] {
                     shard_->wake();
                     host_->wake();
                   }}) {
    shard_ = std::make_unique<Shard>(shard_context_, store_, *committer_, clock_, Limits{},
                                     [this](const Command&) -> Shard& { return *shard_; });
    service_.shards = {shard_.get()};
    service_.store = &store_;
    service_.clock = &clock_;
    auto engine = std::make_unique<ScriptedTriggers>(seen_);
    engine_ = engine.get();
    auto shelf = std::make_unique<MemoryShelf>(seen_);
    shelf_ = shelf.get();
    host_ = std::make_unique<TriggerHost>(service_, store_, *committer_, clock_, std::move(engine), std::move(shelf),
                                          [this](boost::asio::io_context& context) {
                                            auto processes = std::make_unique<ScriptedProcesses>(seen_, context);
                                            processes_ = processes.get();
                                            return processes;
                                          });
  }
  ~TriggerHostTest() override {
    store_.set_open(true);
    host_->stop();
    shard_context_.stop();
    if (shard_thread_.joinable()) shard_thread_.join();
    committer_.reset();
  }

  void start() {
    shard_->start();
    shard_thread_ = std::thread([this] { shard_context_.run(); });
    host_->start();
  }
  /// Has the engine have these effects.
  void have(TriggerEffects effects) {
    seen_.change([&] { engine_->next.push_back(std::move(effects)); });
    host_->submit(GetLambdaAccount{}, [](const TriggerResult&) {});
  }
  void ask(std::uint64_t id, Command command, std::shared_ptr<const MappingRecord> mapping = nullptr) {
    TriggerEffects effects;
    effects.asks.push_back(Ask{AskId{id}, std::move(command), std::move(mapping)});
    have(std::move(effects));
  }
  const Answered& wait_for_answer(std::size_t index) {
    seen_.wait_for([&] { return engine_->answers.size() > index; });
    return engine_->answers.at(index);
  }
  TriggerResult call(TriggerCommand command) {
    std::optional<TriggerResult> answer;
    host_->submit(std::move(command), [&](TriggerResult result) { seen_.change([&] { answer = std::move(result); }); });
    seen_.wait_for([&] { return answer.has_value(); });
    return answer ? std::move(*answer) : TriggerResult{Error{}};
  }
  void create_queue(const QueueName& queue = queue_name) {
    CreateQueue create;
    create.queue = queue;
    if (is_fifo(queue.name)) create.attributes["FifoQueue"] = "true";
    ask(1, std::move(create));
    wait_for_answer(0);
  }
  std::vector<std::string> bodies_received(std::uint64_t id, const QueueName& queue = queue_name) {
    ReceiveMessages receive;
    receive.queue = queue;
    receive.max_messages = 10;
    receive.wait_seconds = 10;
    const std::size_t index = engine_->answers.size();
    ask(id, std::move(receive), mapping_of_queue());
    std::vector<std::string> events;
    for (const SourceItem& item : wait_for_answer(index).items) events.emplace_back(*item.event);
    return events;
  }
  static Invocation invocation_of(std::uint64_t id, InvocationEvent event) {
    Invocation invocation;
    invocation.id = InvocationId{id};
    invocation.request_id = "request";
    invocation.function = std::make_shared<const FunctionRecord>(function_with(""));
    invocation.event = std::move(event);
    return invocation;
  }
  void invoke(std::uint64_t id, InvocationEvent event) {
    TriggerEffects effects;
    effects.invocations.push_back(invocation_of(id, std::move(event)));
    have(std::move(effects));
    seen_.wait_for([&] { return processes_->requests.size() >= id; });
  }

  GatedStore store_;
  SystemClock clock_;
  Service service_;
  Seen seen_;
  boost::asio::io_context shard_context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{shard_context_.get_executor()};
  ScriptedTriggers* engine_ = nullptr;
  ScriptedProcesses* processes_ = nullptr;
  MemoryShelf* shelf_ = nullptr;
  std::optional<storage::Committer> committer_;
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<TriggerHost> host_;
  std::thread shard_thread_;
};

// ---- Questions.

TEST_F(TriggerHostTest, WhatIsAskedOfAQueueComesBackRenderedForItsMapping) {
  start();
  create_queue();
  SendMessages send;
  send.queue = queue_name;
  send.messages = {outgoing("one"), outgoing("{\"two\":2}")};
  ask(2, std::move(send));
  ASSERT_TRUE(std::holds_alternative<SendResults>(*wait_for_answer(1).result));

  ReceiveMessages receive;
  receive.queue = queue_name;
  receive.max_messages = 10;
  ask(3, std::move(receive), mapping_of_queue({R"({"body": {"two": [2]}})"}));
  const Answered& answer = wait_for_answer(2);
  EXPECT_EQ(answer.id, AskId{3});
  const auto& deliveries = std::get<Deliveries>(*answer.result).messages;
  ASSERT_EQ(deliveries.size(), 2U);
  ASSERT_EQ(answer.items.size(), 2U);
  EXPECT_FALSE(answer.items[0].matches());
  ASSERT_TRUE(answer.items[1].matches());
  EXPECT_THAT(*answer.items[1].event, HasSubstr(R"("body":"{\"two\":2}")"));
  EXPECT_EQ(answer.items[1].receipt_handle, deliveries[1].receipt_handle);
  EXPECT_EQ(deliveries[1].message, nullptr) << "rendered messages are not kept beside what was made of them";
}

TEST_F(TriggerHostTest, ARefusalComesBackAsOne) {
  start();
  ReceiveMessages receive;
  receive.queue = queue_name;
  ask(1, std::move(receive), mapping_of_queue());
  const auto& error = std::get<Error>(*wait_for_answer(0).result);
  EXPECT_EQ(error.code, ErrorCode::QueueDoesNotExist);
}

TEST_F(TriggerHostTest, AReceiveThatIsCancelledComesBackWithNothing) {
  start();
  create_queue();
  ReceiveMessages receive;
  receive.queue = queue_name;
  receive.wait_seconds = 20;
  ask(2, std::move(receive), mapping_of_queue());
  TriggerEffects effects;
  effects.cancels = {AskId{2}};
  have(std::move(effects));
  const Answered& answer = wait_for_answer(1);
  EXPECT_EQ(answer.id, AskId{2});
  EXPECT_FALSE(answer.result);
}

TEST_F(TriggerHostTest, WhatAShardDoesNotAnswerIsAnsweredAllTheSame) {
  start();
  create_queue();
  ask(2, ReturnUndelivered{queue_name, {"no handle"}});
  EXPECT_TRUE(std::holds_alternative<Done>(*wait_for_answer(1).result));
}

TEST_F(TriggerHostTest, EffectsWaitUntilWhatTheyRestOnIsWritten) {
  start();
  store_.set_open(false);
  TriggerEffects effects;
  effects.mutations.emplace_back(PutFunction{function_with("")});
  effects.sync = true;
  effects.invocations.push_back(invocation_of(1, std::make_shared<const std::string>("{}")));
  have(std::move(effects));
  TriggerEffects later;
  later.retires.push_back(Retire{function_name, 7});
  have(std::move(later));
  seen_.wait_for([&] { return engine_->next.empty(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(seen_.holds([&] { return processes_->requests.empty() && processes_->retired.empty(); }));
  store_.set_open(true);
  seen_.wait_for([&] { return !processes_->requests.empty() && !processes_->retired.empty(); });
  RecoveredTriggers found;
  ASSERT_FALSE(storage::recover_triggers(store_, found));
  EXPECT_THAT(found.functions, ElementsAre(function_with("")));
}

TEST_F(TriggerHostTest, ADeadlineIsKept) {
  seen_.change([&] { engine_->deadline = clock_.now() + Millis{20}; });
  const Instant deadline = *engine_->deadline;
  start();
  seen_.wait_for([&] { return !engine_->advanced.empty(); });
  EXPECT_GE(engine_->advanced.front(), deadline);
}

// ---- Invocations.

TEST_F(TriggerHostTest, ABatchIsInvokedWithItsEventAndComesBackWithWhatTheAnswerSays) {
  start();
  BatchEvent batch;
  batch.mapping = mapping_of_queue();
  batch.records = {std::make_shared<const std::string>(R"({"n":1})"),
                   std::make_shared<const std::string>(R"({"n":2})")};
  invoke(1, std::move(batch));
  EXPECT_EQ(*processes_->requests[0].payload, R"({"Records":[{"n":1},{"n":2}]})");
  EXPECT_EQ(processes_->requests[0].request_id, "request");
  RunOutcome outcome;
  outcome.payload = R"({"batchItemFailures":[{"itemIdentifier":"second"}]})";
  processes_->end(0, outcome);
  seen_.wait_for([&] { return !engine_->outcomes.empty(); });
  ASSERT_TRUE(engine_->outcomes[0].batch);
  EXPECT_TRUE(engine_->outcomes[0].batch->well_formed);
  EXPECT_THAT(engine_->outcomes[0].batch->failed, ElementsAre("second"));
}

TEST_F(TriggerHostTest, AWindowThatOutlivesItsMappingsSettingIsReadAsOne) {
  start();
  BatchEvent batch;
  batch.mapping = mapping_of_queue();
  batch.window = WindowEvent{};
  ASSERT_EQ(batch.mapping->config.tumbling_seconds, 0);
  invoke(1, std::move(batch));
  RunOutcome outcome;
  outcome.payload = R"({"state":{"sum":7}})";
  processes_->end(0, outcome);
  seen_.wait_for([&] { return !engine_->outcomes.empty(); });
  ASSERT_TRUE(engine_->outcomes[0].batch);
  EXPECT_EQ(engine_->outcomes[0].batch->state, R"({"sum":7})");
}

TEST_F(TriggerHostTest, ABatchThatFailedHasNoAnswerToRead) {
  start();
  BatchEvent batch;
  batch.mapping = mapping_of_queue();
  invoke(1, std::move(batch));
  RunOutcome outcome;
  outcome.function_error = "Unhandled";
  processes_->end(0, outcome);
  seen_.wait_for([&] { return !engine_->outcomes.empty(); });
  EXPECT_FALSE(engine_->outcomes[0].batch);
  EXPECT_EQ(engine_->outcomes[0].outcome.function_error, "Unhandled");
}

TEST_F(TriggerHostTest, AnAccountOfAFailureIsAMessageAsAClientSendsThem) {
  start();
  create_queue();
  TriggerEffects effects;
  AsyncEnd end;
  end.invocation.request_id = "4711";
  end.request_payload = R"({"order":7})";
  end.plain = true;
  effects.reports.push_back(Report{AskId{2}, queue_name, end});
  have(std::move(effects));
  ASSERT_TRUE(std::holds_alternative<SendResults>(*wait_for_answer(1).result));
  const std::vector<std::string> events = bodies_received(3);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_THAT(events[0], HasSubstr(R"("body":"{\"order\":7}")"));
  EXPECT_THAT(events[0], HasSubstr(protocol::to_hex(protocol::md5_of(R"({"order":7})"))));
  EXPECT_THAT(events[0], HasSubstr(R"("RequestID":{"stringValue":"4711")"));
}

TEST_F(TriggerHostTest, AccountsInAFifoQueueAreInOrderForEachFunction) {
  start();
  const QueueName queue{"000000000000", "us-east-1", "ends.fifo"};
  create_queue(queue);
  TriggerEffects effects;
  for (const std::string name : {"bill", "ship"}) {
    AsyncEnd end;
    end.invocation.request_id = name;
    end.invocation.function_arn = arn_of(FunctionName{"000000000000", "us-east-1", name}) + ":$LATEST";
    effects.reports.push_back(Report{AskId{effects.reports.size() + 2}, queue, end});
  }
  BatchFailure failure;
  failure.invocation.request_id = "batch";
  failure.invocation.function_arn = arn_of(FunctionName{"000000000000", "us-east-1", "bill"});
  effects.reports.push_back(Report{AskId{4}, queue, failure});
  have(std::move(effects));
  wait_for_answer(3);
  EXPECT_THAT(bodies_received(5, queue),
              UnorderedElementsAre(HasSubstr(R"("MessageGroupId":"bill")"), HasSubstr(R"("MessageGroupId":"ship")"),
                                   HasSubstr(R"("MessageGroupId":"bill")")));
}

// ---- Code.

TEST_F(TriggerHostTest, CodeIsKeptBeforeTheEngineIsAsked) {
  start();
  call(CreateFunction{function_with(""), "zip"});
  ASSERT_EQ(engine_->creations.size(), 1U);
  EXPECT_EQ(engine_->creations[0].function.code_sha256, "zip");
  EXPECT_EQ(engine_->creations[0].function.code_bytes, 3U);
  EXPECT_FALSE(engine_->creations[0].zip) << "the engine has no use for it";
  // The engine of this test makes no function of it, so that it may have been dropped again.
  EXPECT_TRUE(shelf_->ever_kept.contains("zip"));
}

TEST_F(TriggerHostTest, CodeThatCannotBeUnpackedIsRefused) {
  start();
  const TriggerResult result = call(CreateFunction{function_with(""), "broken"});
  EXPECT_THAT(std::get<Error>(result).message, HasSubstr("Could not unzip"));
  EXPECT_THAT(engine_->creations, IsEmpty());
}

TEST_F(TriggerHostTest, AFunctionThatCannotRunHereIsRefused) {
  start();
  FunctionRecord function = function_with("");
  function.runtime = "cobol";
  const TriggerResult result = call(CreateFunction{function, "zip"});
  EXPECT_EQ(std::get<Error>(result), (Error{ErrorCode::LambdaInvalidParameterValue, "There is no cobol here."}));
  EXPECT_THAT(shelf_->kept, IsEmpty());
}

TEST_F(TriggerHostTest, AChangeThatWouldMakeItOneIsRefusedToo) {
  RecoveredTriggers found;
  found.functions = {function_with("old")};
  host_->recover(std::move(found));
  start();
  UpdateFunction update;
  update.function = function_name;
  update.patch.runtime = "cobol";
  EXPECT_TRUE(std::holds_alternative<Error>(call(update)));
  update.patch.runtime = "python3.12";
  update.zip = "new";
  EXPECT_TRUE(std::holds_alternative<Done>(call(update)));
  ASSERT_EQ(engine_->updates.size(), 1U);
  EXPECT_EQ(engine_->updates[0].patch.code_sha256, "new");
}

TEST_F(TriggerHostTest, CodeThatNoFunctionHasAnyMoreIsDropped) {
  shelf_->kept = {"old", "stray"};
  RecoveredTriggers found;
  found.functions = {function_with("old")};
  host_->recover(std::move(found));
  start();
  seen_.wait_for([&] { return shelf_->kept == std::set<std::string>{"old"}; });
  TriggerEffects effects;
  effects.mutations.emplace_back(DropFunction{function_name});
  have(std::move(effects));
  seen_.wait_for([&] { return shelf_->kept.empty(); });
}

TEST_F(TriggerHostTest, CodeIsDroppedAlsoWhileSomethingRuns) {
  shelf_->kept = {"old"};
  RecoveredTriggers found;
  found.functions = {function_with("old")};
  host_->recover(std::move(found));
  start();
  invoke(1, std::make_shared<const std::string>("{}"));
  TriggerEffects effects;
  effects.mutations.emplace_back(DropFunction{function_name});
  have(std::move(effects));
  seen_.wait_for([&] { return shelf_->kept.empty(); });
  processes_->end(0, {});
}

TEST_F(TriggerHostTest, CodeThatWasOnlyTriedIsDropped) {
  shelf_->kept = {"old"};
  RecoveredTriggers found;
  found.functions = {function_with("old")};
  host_->recover(std::move(found));
  start();
  UpdateFunction update;
  update.function = function_name;
  update.zip = "new";
  update.dry_run = true;
  EXPECT_TRUE(std::holds_alternative<Done>(call(update)));
  seen_.wait_for([&] { return shelf_->kept == std::set<std::string>{"old"}; });
}

TEST_F(TriggerHostTest, WhatIsToBeKnownOfAFunctionGoesWithTheAnswer) {
  start();
  FunctionRecord function = function_with("");
  function.runtime = "snobol";
  EXPECT_EQ(std::get<FunctionDescription>(call(CreateFunction{function, "zip"})).remark, "Something else runs it.");
  function.runtime = "python3.12";
  EXPECT_EQ(std::get<FunctionDescription>(call(CreateFunction{function, "zip"})).remark, "");
}

TEST_F(TriggerHostTest, TheZipOfAFunctionIsToBeHad) {
  RecoveredTriggers found;
  found.functions = {function_with("old")};
  host_->recover(std::move(found));
  shelf_->kept = {"old"};
  start();
  std::optional<std::variant<std::string, Error>> code;
  const auto ask_for = [&](const FunctionName& name) {
    code.reset();
    host_->read_code(name,
                     [&](std::variant<std::string, Error> read) { seen_.change([&] { code = std::move(read); }); });
    seen_.wait_for([&] { return code.has_value(); });
  };
  ask_for(function_name);
  EXPECT_EQ(std::get<std::string>(*code), "old");
  ask_for({"000000000000", "us-east-1", "another"});
  EXPECT_EQ(std::get<Error>(*code).code, ErrorCode::LambdaResourceNotFound);
}

// ---- Logs.

TEST_F(TriggerHostTest, TheLogOfAFunctionIsReadAndThatOfNoneIsNot) {
  RecoveredTriggers found;
  found.functions = {function_with("")};
  host_->recover(std::move(found));
  start();
  const TriggerResult read = call(ReadFunctionLog{function_name, 0, 10, Millis{0}});
  EXPECT_EQ(std::get<FunctionLog>(read).lines.at(0).text, "START");
  const TriggerResult none = call(ReadFunctionLog{{"000000000000", "us-east-1", "another"}, 0, 10, Millis{0}});
  EXPECT_EQ(std::get<Error>(none),
            (Error{ErrorCode::LambdaResourceNotFound,
                   "Function not found: arn:aws:lambda:us-east-1:000000000000:function:another"}));
}

// ---- The end.

class TriggerDrain : public TriggerHostTest {
 protected:
  void drain(Millis time_max) {
    host_->drain(time_max, [this] { seen_.change([&] { drained_ = true; }); });
    seen_.wait_for([&] { return engine_->drains; });
  }
  void wait_until_drained() {
    seen_.wait_for([&] { return drained_; });
  }
  bool drained_ = false;
};

TEST_F(TriggerDrain, WhatRunsEndsFirst) {
  start();
  invoke(1, std::make_shared<const std::string>("{}"));
  drain(Millis{10'000});
  EXPECT_TRUE(seen_.holds([&] { return !processes_->stops; }));
  processes_->end(0, {});
  wait_until_drained();
  EXPECT_TRUE(processes_->stops);
  EXPECT_EQ(engine_->outcomes.size(), 1U);
}

TEST_F(TriggerDrain, WhatRunsForTooLongIsCutOffAndItsOutcomeTakenDown) {
  start();
  invoke(1, std::make_shared<const std::string>("{}"));
  drain(Millis{10});
  wait_until_drained();
  ASSERT_EQ(engine_->outcomes.size(), 1U);
  EXPECT_EQ(engine_->outcomes[0].outcome.status, RunOutcome::Status::failed);
}

TEST_F(TriggerDrain, WhatIsAskedComesBackFirst) {
  start();
  create_queue();
  ReceiveMessages receive;
  receive.queue = queue_name;
  receive.wait_seconds = 20;
  ask(2, std::move(receive), mapping_of_queue());
  drain(Millis{10'000});
  EXPECT_TRUE(seen_.holds([&] { return !processes_->stops && !drained_; }));
  boost::asio::post(shard_context_, [this] { shard_->release_parked(); });
  wait_until_drained();
  EXPECT_EQ(engine_->answers.size(), 2U);
}

TEST_F(TriggerDrain, NewCommandsAreRefusedAndReadersOfLogsReleased) {
  RecoveredTriggers found;
  found.functions = {function_with("")};
  host_->recover(std::move(found));
  start();
  std::optional<TriggerResult> read;
  host_->submit(ReadFunctionLog{function_name, 0, 10, Millis{20'000}},
                [&](TriggerResult result) { seen_.change([&] { read = std::move(result); }); });
  invoke(1, std::make_shared<const std::string>("{}"));
  drain(Millis{10'000});
  seen_.wait_for([&] { return read.has_value(); });
  EXPECT_EQ(std::get<Error>(call(GetFunction{function_name})).code, ErrorCode::LambdaServiceException);
  processes_->end(0, {});
  wait_until_drained();
}

}  // namespace
}  // namespace penstock::server
