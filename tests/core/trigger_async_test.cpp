// Asynchronous invokes: durable, tried again, and reported when they are over.
#include <gmock/gmock.h>

#include "trigger_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TriggerAsyncTest : public TriggerFixture {
 protected:
  TriggerAsyncTest() {
    create();
    create_function();
  }
  CallId invoke(const std::string& payload = "1") {
    InvokeFunction command;
    command.function = function_record().name;
    command.type = InvocationType::event;
    command.payload = std::make_shared<const std::string>(payload);
    return trigger(std::move(command));
  }
  void configure(std::optional<int> retries, std::optional<std::string> on_success = {},
                 std::optional<std::string> on_failure = {}, std::optional<int> age = {}) {
    PutAsyncConfig command;
    command.function = function_record().name;
    command.retries_max = retries;
    command.age_seconds_max = age;
    command.on_success = std::move(on_success);
    command.on_failure = std::move(on_failure);
    ask_triggers<FunctionDescription>(command);
  }
};

TEST_F(TriggerAsyncTest, AnEventIsDurableBeforeItIsAccepted) {
  const CallId call = invoke();
  trigger_answer<EventAccepted>(call);
  EXPECT_THAT(trigger_store_.events, SizeIs(1));
  EXPECT_TRUE(last_trigger_sync_);
  EXPECT_THAT(running(), ElementsAre(ElementsAre("1")));
  restart_triggers();
  EXPECT_THAT(running(), ElementsAre(ElementsAre("1"))) << "it was not over, and is run again";
  succeed();
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, WhatWaitsGoesWithItsFunctionIfThatIsWanted) {
  invoke("1");
  fail();
  DeleteFunction command{function_record().name};
  ask_triggers<Done>(command);
  EXPECT_THAT(trigger_store_.events, SizeIs(1)) << "it waits for its next try";
  command.with_events = true;
  const CallId again = trigger(command);
  EXPECT_EQ(trigger_answer<Error>(again).code, ErrorCode::LambdaResourceNotFound);
  EXPECT_THAT(trigger_store_.events, IsEmpty());
  pass_time(Millis{60'000});
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(TriggerAsyncTest, AFailureIsTriedAgainAfterAMinuteAndThenAfterTwo) {
  invoke();
  const std::string id = running_.at(0).request_id;
  fail();
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{59'999});
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{1});
  ASSERT_THAT(running(), SizeIs(1));
  EXPECT_EQ(running_[0].request_id, id) << "the same event";
  fail();
  pass_time(Millis{119'999});
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{1});
  ASSERT_THAT(running(), SizeIs(1));
  fail();
  EXPECT_THAT(trigger_store_.events, IsEmpty()) << "two retries, and no more";
  EXPECT_EQ(triggers_->next_deadline(), std::nullopt);
}

TEST_F(TriggerAsyncTest, ARetryIsWaitedForAcrossARestart) {
  invoke();
  fail();
  pass_time(Millis{30'000});
  restart_triggers();
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{30'000});
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(TriggerAsyncTest, RetriesAreAsManyAsConfigured) {
  configure(0);
  invoke();
  fail();
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, SuccessAndFailureAreToldToTheirQueues) {
  configure(1, arn_of(queue_), arn_of(queue_));
  invoke("a");
  succeed();
  EXPECT_THAT(receive_bodies(1), ElementsAre("Success 1 a"));
  invoke("b");
  fail();
  pass_time(Millis{60'000});
  fail();
  // By now the first is visible again.
  std::vector<std::string> all = receive_bodies(10);
  EXPECT_THAT(all, ::testing::Contains("RetriesExhausted 2 b"));
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, ADeadLetterQueueGetsTheEventItself) {
  UpdateFunction command;
  command.function = function_record().name;
  command.patch.dead_letter_arn = arn_of(queue_);
  ask_triggers<FunctionDescription>(command);
  configure(0);
  invoke("{\"order\":7}");
  succeed();
  EXPECT_EQ(visible(), 0);
  invoke("{\"order\":8}");
  fail();
  EXPECT_THAT(receive_bodies(1), ElementsAre("{\"order\":8}"));
}

TEST_F(TriggerAsyncTest, AnotherFunctionIsInvokedWithTheEnd) {
  create_function("next");
  configure(0, arn_of(function_record("next").name));
  invoke("a");
  succeed();
  ASSERT_THAT(running(), ElementsAre(ElementsAre("Success 1 a")));
  EXPECT_EQ(running_[0].function->name.name, "next");
  EXPECT_THAT(trigger_store_.events, SizeIs(1)) << "and that is an event of its own";
  restart_triggers();
  EXPECT_THAT(running(), ElementsAre(ElementsAre("Success 1 a")));
  succeed();
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, AnEventThatHasNoSlotWaitsAndIsNotCounted) {
  ask_triggers<FunctionDescription>(PutFunctionConcurrency{function_record().name, 1});
  configure(0, {}, arn_of(queue_), 60);
  invoke("a");
  invoke("b");
  invoke("c");
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  succeed();
  EXPECT_THAT(running(), ElementsAre(ElementsAre("b")));
  pass_time(Millis{60'000});
  EXPECT_THAT(receive_bodies(10), ElementsAre("EventAgeExceeded 0 c"));
  succeed();
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, AnEmulatorsThrottleIsNoFailure) {
  configure(0);
  invoke();
  throttle();
  EXPECT_THAT(running(), IsEmpty());
  pass_time(Millis{1'000});
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(TriggerAsyncTest, WhereNobodyIsThereAnEventIsTriedAgainWithPatience) {
  configure(0);
  invoke();
  for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60}) {
    find_nobody("nobody is there");
    pass_time(std::chrono::seconds(seconds) - Millis{1});
    EXPECT_THAT(running(), IsEmpty()) << seconds;
    pass_time(Millis{1});
    ASSERT_THAT(running(), SizeIs(1)) << seconds;
  }
  succeed();
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, WhereNobodyIsThereAnEventEndsWhenItIsTooOld) {
  configure(0, {}, arn_of(queue_), 60);
  invoke("a");
  while (!running_.empty()) {
    find_nobody("nobody is there");
    pass_time(std::min(Millis{32'000}, *triggers_->next_deadline() - now_));
  }
  EXPECT_THAT(receive_bodies(10), ElementsAre("EventAgeExceeded 0 a"));
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, WhatAShutdownCutsOffIsRunByTheNextStart) {
  configure(0, {}, arn_of(queue_), 60);
  invoke("a");
  triggers_->drain(now_);
  settle();
  find_nobody("The server is being shut down.");
  pass_time(Millis{59'000});
  EXPECT_THAT(trigger_store_.events, SizeIs(1)) << "it may be tried once, and was not";
  restart_triggers();
  ASSERT_THAT(running(), ElementsAre(ElementsAre("a")));
  fail();
  EXPECT_THAT(receive_bodies(10), ElementsAre("RetriesExhausted 1 a"));
}

TEST_F(TriggerAsyncTest, AnEventOfAFunctionThatIsDeletedGoesWithIt) {
  invoke();
  fail();
  ask_triggers<Done>(DeleteFunction{function_record().name});
  pass_time(Millis{60'000});
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_THAT(trigger_store_.events, IsEmpty());
}

TEST_F(TriggerAsyncTest, ADestinationThatIsGoneHoldsNothingUp) {
  configure(0, {}, "arn:aws:sqs:us-east-1:000000000000:gone");
  invoke();
  fail();
  EXPECT_THAT(trigger_store_.events, IsEmpty());
  EXPECT_THAT(warnings_, SizeIs(1));
}

TEST_F(TriggerAsyncTest, AnAccountThatItsDestinationWillNotHaveIsGivenUpAndToldOf) {
  ask(SetQueueAttributes{queue_, {{"MaximumMessageSize", "1024"}}, {}, {}});
  configure(0, arn_of(queue_));
  invoke(std::string(1'025, 'x'));
  const std::string id = running_.at(0).request_id;
  succeed();
  EXPECT_EQ(visible(), 0);
  EXPECT_THAT(trigger_store_.events, IsEmpty());
  EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr("event " + id), HasSubstr(arn_of(queue_)),
                                           HasSubstr("shorter than 1024 bytes"), HasSubstr("Success"))));
}

TEST_F(TriggerAsyncTest, OneEventTooManyIsRefused) {
  trigger_limits_.async_events_max = 2;
  set_trigger_limits(trigger_limits_);
  invoke();
  invoke();
  EXPECT_EQ(trigger_answer<Error>(invoke()).code, ErrorCode::LambdaTooManyRequests);
  succeed();
  trigger_answer<EventAccepted>(invoke());
}

TEST_F(TriggerAsyncTest, AConfigurationIsPatchedOnlyWhereThereIsOne) {
  PutAsyncConfig patch;
  patch.function = function_record().name;
  patch.patch = true;
  patch.retries_max = 0;
  EXPECT_EQ(ask_triggers<Error>(patch).code, ErrorCode::LambdaResourceNotFound);
  configure(1, arn_of(queue_));
  const auto changed = ask_triggers<FunctionDescription>(patch).function;
  EXPECT_EQ(changed.async->retries_max, 0);
  EXPECT_EQ(changed.async->on_success, arn_of(queue_));
  patch.patch = false;
  patch.on_failure = "arn:aws:sns:us-east-1:000000000000:topic";
  EXPECT_EQ(ask_triggers<Error>(patch).code, ErrorCode::LambdaInvalidParameterValue);
  ask_triggers<Done>(DeleteAsyncConfig{function_record().name});
  EXPECT_EQ(ask_triggers<Error>(DeleteAsyncConfig{function_record().name}).code, ErrorCode::LambdaResourceNotFound);
}

}  // namespace
}  // namespace penstock::core
