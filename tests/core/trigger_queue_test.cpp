// Mappings of queues: what is received, batched, invoked with and deleted.
#include <gmock/gmock.h>

#include "core/triggers/queue_mapping.hpp"
#include "trigger_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TriggerQueueTest : public TriggerFixture {
 protected:
  std::vector<std::string> numbered(int count) const {
    std::vector<std::string> bodies;
    for (int i = 0; i < count; ++i) bodies.push_back("m" + std::to_string(i));
    return bodies;
  }
  void use_fifo() { queue_.name = "jobs.fifo"; }
  void send_fifo(const std::string& group, const std::string& body) {
    SendMessages command = message(body);
    command.messages[0].content.group_id = group;
    command.messages[0].content.deduplication_id = body;
    call<SendResults>(std::move(command));
  }
};

TEST_F(TriggerQueueTest, AMessageIsInvokedWithAndThenDeleted) {
  const std::string uuid = create_all();
  EXPECT_EQ(get_mapping(uuid).last_result, "No records processed");
  send("hello");
  EXPECT_THAT(running(), ElementsAre(ElementsAre("hello")));
  EXPECT_EQ(in_flight(), 1);
  succeed();
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(get_mapping(uuid).last_result, "OK");
}

TEST_F(TriggerQueueTest, WhatHasFailedIsNotDeletedAndComesBackAfterItsVisibilityTimeout) {
  const std::string uuid = create_all({{"VisibilityTimeout", "20"}});
  send("poison");
  fail();
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_EQ(in_flight(), 1);
  EXPECT_EQ(get_mapping(uuid).last_result, "PROBLEM: Function call failed");
  pass_time(Millis{19'999});
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{1});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("poison")));
  succeed();
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(get_mapping(uuid).last_result, "OK");
}

TEST_F(TriggerQueueTest, WhatCouldNotBeRunHasFailed) {
  const std::string uuid = create_all();
  send("a");
  fail_to_run("no such program: /bin/worker");
  EXPECT_EQ(in_flight(), 1);
  EXPECT_EQ(get_mapping(uuid).last_result, "PROBLEM: no such program: /bin/worker");
}

TEST_F(TriggerQueueTest, OfWhatAnEmulatorHasToSayOnlyTheBeginningIsKept) {
  const std::string uuid = create_all();
  send("a");
  fail_to_run("status 500: " + std::string(10'000, 'x'));
  const std::string result = get_mapping(uuid).last_result;
  EXPECT_THAT(result, ::testing::StartsWith("PROBLEM: status 500: x"));
  EXPECT_EQ(result.size(), 512U);
}

TEST_F(TriggerQueueTest, WhereNobodyIsThereMessagesWaitUncountedAndAreTriedLaterEachTime) {
  const std::string uuid = create_all({{"VisibilityTimeout", "30"}});
  send("a");
  int tries = 0;
  const Instant until = now_ + Millis{300'000};
  while (now_ < until) {
    if (running_.empty()) {
      pass_time(Millis{500});
    } else {
      ++tries;
      find_nobody("nothing listens");
    }
  }
  EXPECT_GE(tries, 7);
  EXPECT_LE(tries, 12) << "1 s, 2 s, 4 s and so on, up to a minute";
  EXPECT_EQ(get_mapping(uuid).last_result, "PROBLEM: nothing listens");
  pass_time(Millis{60'000});
  ASSERT_THAT(running(), ElementsAre(ElementsAre("a")));
  const auto seen = call<PeekedMessages>(PeekMessages{queue_, true, false});
  ASSERT_EQ(seen.messages.size(), 1U);
  EXPECT_EQ(seen.messages[0].receive_count, 1U) << "what was not run is not counted";
  succeed();
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, WhatSucceededIsDeletedWhenItsQueueCanDoThat) {
  create_all({{"VisibilityTimeout", "30"}});
  for (const ErrorCode code : {ErrorCode::RequestThrottled, ErrorCode::InternalFailure}) {
    send("a");
    refuses_settlements_ = code;
    succeed();
    pass_time(Millis{20'000});
    EXPECT_EQ(in_flight(), 1);
    EXPECT_THAT(running(), IsEmpty());
    refuses_settlements_.reset();
    pass_time(Millis{9'000});
    EXPECT_EQ(store_.message_count(), 0U);
  }
}

TEST_F(TriggerQueueTest, ADeleteIsTriedUntilItsMessageIsVisibleAgain) {
  create_all({{"VisibilityTimeout", "30"}});
  send("a");
  refuses_settlements_ = ErrorCode::InternalFailure;
  succeed();
  const std::size_t asked = asks_seen_;
  pass_time(Millis{29'999});
  EXPECT_GE(asks_seen_ - asked, 5U);
  EXPECT_LE(asks_seen_ - asked, 20U) << "the delay grows, and there is time for another try";
  pass_time(Millis{1});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  refuses_settlements_.reset();
  succeed();
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, StoppingWaitsForWhatIsToBeDeletedButNotForEver) {
  const std::string uuid = create_all();
  MappingPatch patch;
  patch.enabled = false;
  refuses_settlements_ = ErrorCode::InternalFailure;
  send("a");
  succeed();
  trigger(UpdateMapping{mapping_name(uuid), patch});
  EXPECT_EQ(get_mapping(uuid).state, MappingState::disabling);
  refuses_settlements_.reset();
  pass_time(Millis{1'000});
  EXPECT_EQ(get_mapping(uuid).state, MappingState::disabled);
  EXPECT_EQ(store_.message_count(), 0U);
  patch.enabled = true;
  trigger(UpdateMapping{mapping_name(uuid), patch});
  refuses_settlements_ = ErrorCode::InternalFailure;
  send("b");
  succeed();
  triggers_->drain(now_);
  settle();
  EXPECT_FALSE(triggers_->is_idle());
  pass_time(Millis{5'000});
  EXPECT_TRUE(triggers_->is_idle());
}

TEST_F(TriggerQueueTest, WhatRunsForLongerThanItsVisibilityIsNotReceivedAgainMeanwhile) {
  trigger_limits_.lambda_endpoint = "http://127.0.0.1:3001";
  set_trigger_limits(trigger_limits_);
  use_fifo();
  create({{"FifoQueue", "true"}, {"VisibilityTimeout", "10"}});
  create_mapping();
  send_fifo("g", "g1");
  send_fifo("g", "g2");
  ASSERT_THAT(running(), ElementsAre(ElementsAre("g1")));
  pass_time(Millis{125'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("g1"))) << "neither it nor what comes behind it";
  fail();
  EXPECT_THAT(running(), ElementsAre(ElementsAre("g1", "g2"))) << "its timeout is over long since";
  pass_time(Millis{25'000});
  succeed();
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, EachOfSeveralThatRunIsRenewedInItsTime) {
  config_.batch_size = 1;
  create_all({{"VisibilityTimeout", "20"}});
  send("a");
  pass_time(Millis{9'000});
  send("b");
  pass_time(Millis{200'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a"), ElementsAre("b"))) << "neither was received again";
}

TEST_F(TriggerQueueTest, ARenewalThatFailsIsTriedAgain) {
  create_all({{"VisibilityTimeout", "10"}});
  send("a");
  refuses_settlements_ = ErrorCode::InternalFailure;
  pass_time(Millis{6'000});
  refuses_settlements_.reset();
  pass_time(Millis{60'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  refuses_settlements_ = ErrorCode::InternalFailure;
  pass_time(Millis{10'000});
  EXPECT_THAT(running(), SizeIs(2)) << "where nothing can be done for so long it is received again";
}

TEST_F(TriggerQueueTest, WhatFailsAfterARenewalComesBackWhenItsFirstVisibilityIsOver) {
  create_all({{"VisibilityTimeout", "20"}});
  send("a");
  pass_time(Millis{15'000});
  fail();
  pass_time(Millis{4'999});
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{1});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  const auto seen = call<PeekedMessages>(PeekMessages{queue_, true, false});
  EXPECT_EQ(seen.messages.at(0).receive_count, 2U);
}

TEST_F(TriggerQueueTest, WhatAnEmulatorFailsWithComesBackAfterTheWindowAndHalfAMinute) {
  trigger_limits_.lambda_endpoint = "http://127.0.0.1:3001";
  set_trigger_limits(trigger_limits_);
  config_.window_seconds = 1;
  create({{"VisibilityTimeout", "20"}});
  create_mapping();
  send("a");
  pass_time(Millis{1'000});
  ASSERT_THAT(running(), ElementsAre(ElementsAre("a")));
  fail();
  pass_time(Millis{29'999});
  EXPECT_EQ(in_flight(), 1);
  pass_time(Millis{1'001});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a"))) << "it gathers for a window again";
}

TEST_F(TriggerQueueTest, AQueueThatHidesItsMessagesForLessThanBeforeIsFollowed) {
  create_all({{"VisibilityTimeout", "600"}});
  call<Done>(SetQueueAttributes{queue_, {{"VisibilityTimeout", "8"}}});
  pass_time(Millis{5'000});
  send("a");
  send("b");
  pass_time(Millis{100'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a"), ElementsAre("b")));
}

TEST_F(TriggerQueueTest, OnlyTheItemsThatAreNamedFail) {
  config_.report_batch_item_failures = true;
  create_all();
  send("first");  // so that those behind it wait and come as one batch
  for (int i = 0; i < 4; ++i) send("busy");
  send("a");
  const std::string b = send("b");
  send("c");
  while (running().size() > 1 || running()[0].size() < 3) succeed();
  ASSERT_THAT(running(), ElementsAre(ElementsAre("a", "b", "c")));
  fail_items({b});
  EXPECT_EQ(store_.message_count(), 1U);
  EXPECT_EQ(in_flight(), 1);
  pass_time(Millis{30'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("b")));
}

TEST_F(TriggerQueueTest, AnAnswerThatNamesWhatIsNotThereFailsTheWholeBatch) {
  config_.report_batch_item_failures = true;
  const std::string uuid = create_all();
  for (const std::string bad : {"", "no-such-id"}) {
    send("a");
    fail_items({bad});
    EXPECT_EQ(in_flight(), 1) << "\"" << bad << "\"";
    EXPECT_EQ(get_mapping(uuid).last_result, "PROBLEM: Function response is malformed");
    pass_time(Millis{30'000});
    succeed();
  }
  send("a");
  end(RunOutcome{}, BatchAnswer{false, {}, std::nullopt});
  EXPECT_EQ(in_flight(), 1) << "an answer that can not be read";
}

TEST_F(TriggerQueueTest, WithoutReportsAnAnswersContentDoesNotMatter) {
  create_all();
  send("a");
  end(RunOutcome{}, BatchAnswer{false, {"x"}, std::nullopt});
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, WhatDoesNotMatchIsDeletedAndDoesNotCount) {
  config_.filters = {"keep"};
  create_all();
  send("drop 1");
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_THAT(running(), IsEmpty());
  send("keep 1");
  EXPECT_THAT(running(), ElementsAre(ElementsAre("keep 1")));
}

TEST_F(TriggerQueueTest, WhileItIsIdleOneReceiveIsParkedAndNothingIsTimed) {
  create_all();
  send("a");
  succeed();
  EXPECT_EQ(open_receives(), 1U);
  EXPECT_EQ(triggers_->next_deadline(), std::nullopt);
  const std::size_t before = asks_seen_;
  pass_time(Millis{11 * 3'600'000});
  EXPECT_EQ(asks_seen_, before) << "nothing is asked while nothing happens";
  send("b");
  EXPECT_THAT(running(), ElementsAre(ElementsAre("b")));
}

TEST_F(TriggerQueueTest, AnIdleMappingIsStillThereAfterTheLongestWait) {
  create_all();
  pass_time(Millis{13 * 3'600'000});
  EXPECT_EQ(open_receives(), 1U);
  send("a");
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(TriggerQueueTest, ABacklogGrowsTheBatchesAtATime) {
  create();
  create_function();
  send_all(numbered(1'000));
  create_mapping();
  EXPECT_THAT(running(), SizeIs(5));
  for (int i = 0; i < 5; ++i) succeed();
  EXPECT_THAT(running(), SizeIs(10));
  for (int i = 0; i < 10; ++i) succeed();
  EXPECT_THAT(running(), SizeIs(20));
  while (!running_.empty()) succeed();
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(open_receives(), 1U);
}

TEST_F(TriggerQueueTest, MaximumConcurrencyIsNeverExceeded) {
  config_.concurrency_max = 7;
  create();
  create_function();
  send_all(numbered(500));
  create_mapping();
  std::size_t most = 0;
  while (!running_.empty()) {
    most = std::max(most, running_.size());
    succeed();
  }
  EXPECT_EQ(most, 7U);
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, AReservationBoundsTheBatchesAtATime) {
  create();
  create_function();
  ask_triggers<FunctionDescription>(PutFunctionConcurrency{function_record().name, 2});
  send_all(numbered(100));
  create_mapping();
  EXPECT_THAT(running(), SizeIs(2));
  EXPECT_EQ(in_flight(), 20) << "what could not be begun with is not received";
  while (!running_.empty()) {
    ASSERT_LE(running_.size(), 2U);
    succeed();
  }
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, BatchesAreReceivedAheadOnlyWhileInvocationsAreShort) {
  config_.concurrency_max = 4;
  create();
  create_function();
  send_all(numbered(900));
  create_mapping();
  EXPECT_EQ(in_flight(), 40);
  for (std::size_t i = 0; i < queue_mapping_limits::quick_runs_min; ++i) succeed();
  EXPECT_THAT(running(), SizeIs(4));
  EXPECT_EQ(in_flight(), 60) << "so that the next begins as soon as one is over";
  for (int i = 0; i < 4; ++i) {
    pass_time(queue_mapping_limits::quick_run_max + Millis{1});
    succeed();
  }
  EXPECT_THAT(running(), SizeIs(4));
  EXPECT_EQ(in_flight(), 40) << "others may have what one that takes long cannot begin with";
}

TEST_F(TriggerQueueTest, WhatWasReceivedAheadIsGivenBackByAShutdown) {
  config_.concurrency_max = 4;
  create();
  create_function();
  send_all(numbered(900));
  create_mapping();
  for (std::size_t i = 0; i < queue_mapping_limits::quick_runs_min; ++i) succeed();
  const int waiting = visible();
  triggers_->drain(now_);
  settle();
  EXPECT_EQ(visible(), waiting + 20);
}

TEST_F(TriggerQueueTest, ABatchWaitsForTheWindowOrForItsSize) {
  config_.batch_size = 3;
  config_.window_seconds = 5;
  create_all();
  send("a");
  pass_time(Millis{4'999});
  EXPECT_THAT(running(), IsEmpty());
  send("b");
  pass_time(Millis{1});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a", "b"))) << "from the first message on";
  succeed();
  send_all({"c", "d"});
  EXPECT_THAT(running(), IsEmpty());
  send("e");
  EXPECT_THAT(running(), ElementsAre(ElementsAre("c", "d", "e")));
}

TEST_F(TriggerQueueTest, AWindowGathersMoreThanOneReceiveBrings) {
  config_.batch_size = 250;
  config_.window_seconds = 10;
  create_all();
  send_all(numbered(600));
  ASSERT_THAT(running(), SizeIs(2));
  EXPECT_THAT(running()[0], SizeIs(250));
  EXPECT_THAT(running()[1], SizeIs(250));
  pass_time(Millis{10'000});
  ASSERT_THAT(running(), SizeIs(3));
  EXPECT_THAT(running()[2], SizeIs(100));
}

TEST_F(TriggerQueueTest, WhatWaitsForAWindowStaysInvisibleForItAndTheFunctionAndHalfAMinute) {
  config_.batch_size = 10;
  config_.window_seconds = 100;
  create({{"VisibilityTimeout", "30"}});
  create_function("worker", 20);
  create_mapping();
  send("a");
  pass_time(Millis{100'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  fail();
  pass_time(Millis{49'999});
  EXPECT_EQ(in_flight(), 1);
  pass_time(Millis{1});
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesNotVisible"), "1") << "received again at 150 s";
  pass_time(Millis{100'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
}

TEST_F(TriggerQueueTest, AnEventHoldsNoMoreBytesThanItMay) {
  trigger_limits_.batch_bytes_max = 1'000;
  set_trigger_limits(trigger_limits_);
  config_.batch_size = 10;
  config_.window_seconds = 5;
  create_all();
  send_all({std::string(400, 'a'), std::string(400, 'b'), std::string(400, 'c')});
  ASSERT_THAT(running(), SizeIs(1)) << "it is full, and waits for its window no more";
  EXPECT_THAT(running()[0], SizeIs(2));
  pass_time(Millis{5'000});
  ASSERT_THAT(running(), SizeIs(2));
  EXPECT_THAT(running()[1], SizeIs(1));
  succeed();
  succeed();
  send_all({std::string(10, 'a'), std::string(5'000, 'b'), std::string(10, 'c')});
  pass_time(Millis{5'000});
  ASSERT_THAT(running(), SizeIs(3));
  EXPECT_THAT(running()[1][0], SizeIs(5'000)) << "what is too large for any event goes alone";
}

TEST_F(TriggerQueueTest, WhatIsAroundTheRecordsOfAnEventCountsToo) {
  trigger_limits_.batch_bytes_max = 100;
  set_trigger_limits(trigger_limits_);
  config_.batch_size = 10;
  config_.window_seconds = 5;
  create_all();
  send_all({std::string(42, 'a'), std::string(43, 'b')});
  pass_time(Millis{5'000});
  ASSERT_THAT(running(), ElementsAre(SizeIs(2))) << "with 14 bytes around them and a comma between";
  succeed();
  send_all({std::string(43, 'a'), std::string(43, 'b')});
  pass_time(Millis{5'000});
  EXPECT_THAT(running(), ElementsAre(SizeIs(1), SizeIs(1)));
}

TEST_F(TriggerQueueTest, AGroupOfAFifoQueueIsOneBatchAtATimeAndBlocksNoOther) {
  use_fifo();
  create({{"FifoQueue", "true"}});
  create_function();
  create_mapping();
  send_fifo("g", "g1");
  send_fifo("g", "g2");
  send_fifo("h", "h1");
  EXPECT_THAT(running(), ElementsAre(ElementsAre("g1"), ElementsAre("h1")));
  fail(0);
  send_fifo("h", "h2");
  succeed(0);
  EXPECT_THAT(running(), ElementsAre(ElementsAre("h2"))) << "only the group that failed waits";
  succeed();
  pass_time(Millis{30'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("g1", "g2")));
  succeed();
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, WhatDoesNotFitBesideItsGroupIsGivenBackAndComesBehindIt) {
  trigger_limits_.batch_bytes_max = 100;
  set_trigger_limits(trigger_limits_);
  use_fifo();
  create({{"FifoQueue", "true"}});
  create_function();
  const std::string a(60, 'a');
  const std::string b(60, 'b');
  send_fifo("g", a);
  send_fifo("g", b);
  create_mapping();
  EXPECT_THAT(running(), ElementsAre(ElementsAre(a)));
  succeed();
  EXPECT_THAT(running(), ElementsAre(ElementsAre(b)));
}

TEST_F(TriggerQueueTest, ABatchThatFindsNoSlotIsGivenBackBeforeItsVisibilityIsHalfOverAndNotCounted) {
  trigger_limits_.concurrency_max = 1;
  set_trigger_limits(trigger_limits_);
  create_all({{"VisibilityTimeout", "30"}});
  create_function("other");
  trigger(InvokeFunction{function_record("other").name, {}, InvocationType::request_response, {}, {}, {}});
  ASSERT_EQ(running_.size(), 1U);
  send("a");
  EXPECT_EQ(in_flight(), 1) << "the receive was parked before";
  pass_time(Millis{14'999});
  EXPECT_EQ(in_flight(), 1);
  pass_time(Millis{1});
  EXPECT_EQ(in_flight(), 0);
  EXPECT_EQ(visible(), 1);
  succeed();
  ASSERT_THAT(running(), ElementsAre(ElementsAre("a"))) << "the slot that is free is for it";
  const auto seen = call<PeekedMessages>(PeekMessages{queue_, true, false});
  ASSERT_EQ(seen.messages.size(), 1U);
  EXPECT_EQ(seen.messages[0].receive_count, 1U);
}

TEST_F(TriggerQueueTest, WhatAnEmulatorHasNoRoomForIsTriedAgainAndCountsForNothing) {
  create_all();
  send("a");
  throttle();
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{1'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  succeed();
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, MessagesWaitInTheirQueueForAFunctionThatWasDeleted) {
  const std::string uuid = create_all();
  ask_triggers<Done>(DeleteFunction{function_record().name});
  send_all({"a", "b"});
  EXPECT_EQ(visible(), 2);
  EXPECT_THAT(get_mapping(uuid).last_result, HasSubstr("PROBLEM"));
  EXPECT_EQ(triggers_->next_deadline(), std::nullopt) << "nothing is asked again and again";
  create_function();
  EXPECT_THAT(work_off(), ElementsAre("a", "b"));
}

TEST_F(TriggerQueueTest, AnEmulatorStandsInForAFunctionThatIsNotRegistered) {
  trigger_limits_.lambda_endpoint = "http://127.0.0.1:3001";
  set_trigger_limits(trigger_limits_);
  create();
  create_mapping();
  send("a");
  ASSERT_EQ(running_.size(), 1U);
  EXPECT_EQ(running_[0].function->url, "http://127.0.0.1:3001/2015-03-31/functions/worker/invocations");
}

TEST_F(TriggerQueueTest, AnEmulatorIsAskedForTheAliasThatTheMappingNames) {
  trigger_limits_.lambda_endpoint = "http://127.0.0.1:3001";
  set_trigger_limits(trigger_limits_);
  create();
  MappingRecord mapping = mapping_record();
  for (const std::string qualifier : {"live", "next", "$LATEST"}) {
    mapping.function_arn = arn_of(mapping.function) + ":" + qualifier;
    ask_triggers<MappingDescription>(CreateMapping{mapping});
  }
  EXPECT_EQ(ask_triggers<Error>(CreateMapping{mapping}).code, ErrorCode::LambdaResourceConflict);
  mapping.function_arn = arn_of(mapping.function);
  EXPECT_EQ(ask_triggers<Error>(CreateMapping{mapping}).code, ErrorCode::LambdaResourceConflict) << "it is the latest";
  ListMappings list{"000000000000", "us-east-1", {}, mapping.function, arn_of(mapping.function) + ":live", {}};
  const auto listed = ask_triggers<MappingList>(list);
  ASSERT_THAT(listed.mappings, SizeIs(1));
  for (const char* body : {"a", "b", "c"}) send(body);
  std::vector<std::string> urls;
  for (const Invocation& invocation : running_) urls.push_back(invocation.function->url);
  const std::string url = "http://127.0.0.1:3001/2015-03-31/functions/worker/invocations";
  EXPECT_THAT(urls, ::testing::UnorderedElementsAre(url + "?Qualifier=live", url + "?Qualifier=next", url));
}

TEST_F(TriggerQueueTest, ARegisteredFunctionHasNoAlias) {
  trigger_limits_.lambda_endpoint = "http://127.0.0.1:3001";
  set_trigger_limits(trigger_limits_);
  create();
  create_function();
  MappingRecord mapping = mapping_record();
  mapping.function_arn += ":live";
  EXPECT_EQ(ask_triggers<Error>(CreateMapping{mapping}).message, "Function not found: " + mapping.function_arn);
  InvokeFunction invoke;
  invoke.function = mapping.function;
  invoke.invoked_arn = mapping.function_arn;
  for (const InvocationType type : {InvocationType::request_response, InvocationType::event, InvocationType::dry_run}) {
    invoke.type = type;
    EXPECT_EQ(ask_triggers<Error>(invoke).message, "Function not found: " + mapping.function_arn);
  }
}

TEST_F(TriggerQueueTest, AMappingOutlivesItsQueueAndGoesOnWhenItIsCreatedAgain) {
  const std::string uuid = create_all();
  call<Done>(DeleteQueue{queue_});
  const std::size_t asked = asks_seen_;
  pass_time(Millis{600'000});
  EXPECT_LE(asks_seen_ - asked, 40U) << "after a second, then twice as long each time, up to a minute";
  EXPECT_EQ(get_mapping(uuid).last_result, "PROBLEM: The queue does not exist");
  create();
  send("a");
  pass_time(Millis{60'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  succeed();
  call<Done>(DeleteQueue{queue_});
  pass_time(Millis{70'000});
  create();
  send("b");
  pass_time(Millis{64'000});
  EXPECT_THAT(running(), ElementsAre(ElementsAre("b")));
}

TEST_F(TriggerQueueTest, AfterACrashWhatWasJustBegunIsProcessedAgainAtOnce) {
  create_all();
  send_all({"a", "b"});
  crash();
  EXPECT_THAT(work_off(), ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, AfterACrashWhatWasUnderWayForLongerIsProcessedAgainWhenItsVisibilityEnds) {
  create_all();
  send_all({"a", "b"});
  pass_time(Limits{}.lease_unwritten_max);
  crash();
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{30'000});
  EXPECT_THAT(work_off(), ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(TriggerQueueTest, AShutdownGivesBackWhatWasNotBegunAndLetsTheRestEnd) {
  config_.batch_size = 10;
  config_.window_seconds = 60;
  create_all();
  send_all(numbered(10));
  send("later");
  ASSERT_THAT(running(), SizeIs(1));
  triggers_->drain(now_);
  settle();
  EXPECT_EQ(visible(), 1) << "what waited for its window";
  EXPECT_FALSE(triggers_->is_idle());
  succeed();
  EXPECT_TRUE(triggers_->is_idle());
  EXPECT_EQ(store_.message_count(), 1U) << "what succeeded was deleted all the same";
  EXPECT_EQ(open_receives(), 0U);
}

TEST_F(TriggerQueueTest, WhatACancelledReceiveBringsIsGivenBack) {
  create_all();
  ASSERT_EQ(asked_.size(), 1U);
  const AskId parked = asked_.begin()->second.id;
  answers_cancelled_ = false;
  triggers_->drain(now_);
  settle();
  send("a");
  const auto deliveries = receive(1);
  ASSERT_EQ(deliveries.size(), 1U);
  // As if it had been on the way to the mapping when the receive was cancelled.
  SourceItem item{"id", deliveries[0].receipt_handle, {}, {}, now_, std::make_shared<const std::string>("a")};
  item.visible_at = deliveries[0].visible_at;
  triggers_->apply(CallId{}, Answered{parked, Deliveries{}, {item}}, now_);
  settle();
  EXPECT_EQ(visible(), 1);
  EXPECT_EQ(receive(1).at(0).receive_count, 1U) << "a receive that reached nobody does not count";
}

}  // namespace
}  // namespace penstock::core
