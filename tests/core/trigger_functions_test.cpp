// The registry of functions, and invokes whose caller waits.
#include <gmock/gmock.h>

#include "trigger_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class TriggerFunctionsTest : public TriggerFixture {
 protected:
  FunctionName name(const std::string& function = "worker") const { return function_record(function).name; }
  FunctionRecord get(const std::string& function = "worker") {
    return ask_triggers<FunctionDescription>(GetFunction{name(function)}).function;
  }
  Error refused(TriggerCommand command) { return ask_triggers<Error>(std::move(command)); }
  CallId invoke(const std::string& function = "worker") {
    InvokeFunction command;
    command.function = name(function);
    command.payload = std::make_shared<const std::string>("{}");
    return trigger(std::move(command));
  }
  UpdateFunction update_timeout(int seconds, std::string revision = {}) const {
    UpdateFunction command;
    command.function = name();
    command.patch.timeout_seconds = seconds;
    command.revision_id = std::move(revision);
    return command;
  }
};

TEST_F(TriggerFunctionsTest, AFunctionIsDurableWhenItsCreationIsAnswered) {
  const FunctionRecord created = create_function();
  EXPECT_TRUE(last_trigger_sync_);
  EXPECT_EQ(created.modified, now_);
  EXPECT_THAT(created.revision_id, SizeIs(36));
  restart_triggers();
  EXPECT_EQ(get(), created);
}

TEST_F(TriggerFunctionsTest, ANameIsTakenOnce) {
  create_function();
  const Error error = refused(CreateFunction{function_record(), {}, false});
  EXPECT_EQ(error.code, ErrorCode::LambdaResourceConflict);
  EXPECT_EQ(error.message, "Function already exist: worker");
  FunctionRecord elsewhere = function_record();
  elsewhere.name.region = "eu-west-1";
  ask_triggers<FunctionDescription>(CreateFunction{elsewhere, {}, false});
}

TEST_F(TriggerFunctionsTest, AFunctionThatIsNotThereIsNamedByItsArn) {
  const Error error = refused(GetFunction{name("gone")});
  EXPECT_EQ(error.code, ErrorCode::LambdaResourceNotFound);
  EXPECT_EQ(error.message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:gone");
  EXPECT_EQ(refused(DeleteFunction{name("gone")}), error);
  InvokeFunction command;
  command.function = name("gone");
  for (const InvocationType type : {InvocationType::request_response, InvocationType::event, InvocationType::dry_run}) {
    command.type = type;
    EXPECT_EQ(refused(command), error);
  }
}

TEST_F(TriggerFunctionsTest, AChangeMakesANewRevisionAndEndsEnvironmentsOfBefore) {
  const FunctionRecord before = create_function();
  const FunctionRecord after = ask_triggers<FunctionDescription>(update_timeout(60)).function;
  EXPECT_EQ(after.timeout_seconds, 60);
  EXPECT_NE(after.revision_id, before.revision_id);
  EXPECT_GT(after.generation, before.generation);
  ASSERT_EQ(retired_.size(), 1U);
  EXPECT_EQ(retired_[0].generation, after.generation);
  invoke();
  EXPECT_EQ(running_.at(0).function->generation, after.generation);
}

TEST_F(TriggerFunctionsTest, AChangeOfAnotherRevisionIsRefused) {
  const FunctionRecord before = create_function();
  ask_triggers<FunctionDescription>(update_timeout(60, before.revision_id));
  EXPECT_EQ(refused(update_timeout(70, before.revision_id)).code, ErrorCode::LambdaPreconditionFailed);
  EXPECT_EQ(get().timeout_seconds, 60);
}

TEST_F(TriggerFunctionsTest, ADryRunOfAChangeChangesNothing) {
  const FunctionRecord before = create_function();
  UpdateFunction command = update_timeout(60);
  command.dry_run = true;
  EXPECT_EQ(ask_triggers<FunctionDescription>(command).function.timeout_seconds, 60);
  EXPECT_EQ(get(), before);
}

TEST_F(TriggerFunctionsTest, AFunctionOfADeletedOnesNameIsNewerThanIt) {
  const FunctionRecord before = create_function();
  ask_triggers<Done>(DeleteFunction{name()});
  ASSERT_EQ(retired_.size(), 1U);
  EXPECT_GT(retired_[0].generation, before.generation);
  EXPECT_GE(create_function().generation, retired_[0].generation);
}

TEST_F(TriggerFunctionsTest, ARegistrationThatReplacesKeepsWhatItDoesNotKnowOf) {
  create_function();
  ask_triggers<Done>(TagLambda{name(), {{"team", "a"}}});
  PutAsyncConfig config;
  config.function = name();
  config.retries_max = 1;
  ask_triggers<FunctionDescription>(config);
  const FunctionRecord before = get();
  CreateFunction same{function_record(), {}, true};
  EXPECT_EQ(ask_triggers<FunctionDescription>(same).function, before) << "the same again is no change";
  EXPECT_THAT(retired_, IsEmpty());
  CreateFunction other{function_record("worker", 9), {}, true};
  const FunctionRecord after = ask_triggers<FunctionDescription>(other).function;
  EXPECT_EQ(after.timeout_seconds, 9);
  EXPECT_EQ(after.tags, before.tags);
  EXPECT_EQ(after.async, before.async);
  EXPECT_THAT(retired_, SizeIs(1));
}

TEST_F(TriggerFunctionsTest, AListIsInPagesAndOfOneRegion) {
  for (const std::string each : {"c", "a", "b"}) create_function(each);
  FunctionRecord elsewhere = function_record("d");
  elsewhere.name.region = "us-east-2";
  ask_triggers<FunctionDescription>(CreateFunction{elsewhere, {}, false});
  ListFunctions command{"000000000000", "us-east-1", {}, 2};
  auto page = ask_triggers<FunctionList>(command);
  ASSERT_THAT(page.functions, SizeIs(2));
  EXPECT_EQ(page.functions[1].name.name, "b");
  EXPECT_TRUE(page.more);
  command.after = "b";
  page = ask_triggers<FunctionList>(command);
  ASSERT_THAT(page.functions, SizeIs(1));
  EXPECT_FALSE(page.more);
}

TEST_F(TriggerFunctionsTest, TagsAreMergedAndBounded) {
  create_function();
  ask_triggers<Done>(TagLambda{name(), {{"a", "1"}, {"b", "2"}}});
  ask_triggers<Done>(TagLambda{name(), {{"b", "3"}}});
  ask_triggers<Done>(UntagLambda{name(), {"a", "none"}});
  EXPECT_THAT(ask_triggers<LambdaTags>(ListLambdaTags{name()}).tags, ElementsAre(Pair("b", "3")));
  std::map<std::string, std::string> many;
  for (int i = 0; i < 50; ++i) many["k" + std::to_string(i)] = "v";
  EXPECT_EQ(refused(TagLambda{name(), many}).code, ErrorCode::LambdaInvalidParameterValue);
}

TEST_F(TriggerFunctionsTest, AReservationLeavesTheOthersATenthOfAll) {
  create_function();
  create_function("other");
  const Error error = refused(PutFunctionConcurrency{name(), 91});
  EXPECT_EQ(error.code, ErrorCode::LambdaInvalidParameterValue);
  EXPECT_EQ(error.message,
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [10].");
  ask_triggers<FunctionDescription>(PutFunctionConcurrency{name(), 90});
  EXPECT_EQ(refused(PutFunctionConcurrency{name("other"), 1}).code, ErrorCode::LambdaInvalidParameterValue);
  EXPECT_EQ(ask_triggers<LambdaAccount>(GetLambdaAccount{"000000000000", "us-east-1"}).unreserved, 10);
  ask_triggers<FunctionDescription>(PutFunctionConcurrency{name(), std::nullopt});
  EXPECT_EQ(ask_triggers<LambdaAccount>(GetLambdaAccount{"000000000000", "us-east-1"}).unreserved, 100);
}

TEST_F(TriggerFunctionsTest, AnInvokeRunsUnderTheRequestIdOfItsCaller) {
  create_function();
  for (const InvocationType type : {InvocationType::request_response, InvocationType::event}) {
    InvokeFunction command;
    command.function = name();
    command.type = type;
    command.payload = std::make_shared<const std::string>("{}");
    command.request_id = "c2a4f1de-0000-4000-8000-000000000001";
    trigger(std::move(command));
    EXPECT_EQ(running_.at(0).request_id, "c2a4f1de-0000-4000-8000-000000000001");
    end({});
  }
}

TEST_F(TriggerFunctionsTest, AnInvokeIsAnsweredWhenItIsOver) {
  create_function();
  const CallId call = invoke();
  EXPECT_FALSE(trigger_answered(call));
  RunOutcome outcome;
  outcome.payload = "42";
  end(outcome);
  EXPECT_EQ(trigger_answer<Invoked>(call).outcome.payload, "42");
}

TEST_F(TriggerFunctionsTest, AnErrorOfTheFunctionIsAnAnswer) {
  create_function();
  const CallId call = invoke();
  fail();
  EXPECT_EQ(trigger_answer<Invoked>(call).outcome.function_error, "Unhandled");
}

TEST_F(TriggerFunctionsTest, WhatCouldNotBeRunIsAnErrorOfTheService) {
  create_function();
  const CallId call = invoke();
  fail_to_run("no such program");
  const Error error = trigger_answer<Error>(call);
  EXPECT_EQ(error.code, ErrorCode::LambdaServiceException);
  EXPECT_EQ(error.message, "no such program");
}

TEST_F(TriggerFunctionsTest, ACallerIsRefusedWhereNoSlotIsFree) {
  trigger_limits_.concurrency_max = 10;
  set_trigger_limits(trigger_limits_);
  create_function();
  create_function("reserved");
  ask_triggers<FunctionDescription>(PutFunctionConcurrency{name("reserved"), 2});
  for (int i = 0; i < 8; ++i) invoke();
  EXPECT_EQ(running_.size(), 8U);
  const Error error = trigger_answer<Error>(invoke());
  EXPECT_EQ(error.code, ErrorCode::LambdaConcurrencyExceeded);
  EXPECT_EQ(error.message, "Rate Exceeded.");
  // What is reserved is free for whom it is reserved, and no more than that.
  invoke("reserved");
  invoke("reserved");
  EXPECT_EQ(running_.size(), 10U);
  EXPECT_EQ(trigger_answer<Error>(invoke("reserved")).code, ErrorCode::LambdaReservedConcurrencyExceeded);
  succeed(0);
  EXPECT_FALSE(trigger_answered(invoke()));
}

TEST_F(TriggerFunctionsTest, FunctionsTakeTurnsWithTheOnlySlot) {
  trigger_limits_.concurrency_max = 1;
  set_trigger_limits(trigger_limits_);
  create_function();
  create_function("other");
  for (const char* function : {"worker", "worker", "worker", "other", "other"}) {
    InvokeFunction command;
    command.function = name(function);
    command.type = InvocationType::event;
    command.payload = std::make_shared<const std::string>(function);
    trigger(std::move(command));
  }
  EXPECT_EQ(trigger_answer<Error>(invoke()).code, ErrorCode::LambdaConcurrencyExceeded);
  EXPECT_THAT(work_off(), ElementsAre("worker", "other", "worker", "other", "worker"));
  EXPECT_FALSE(trigger_answered(invoke())) << "it runs, as nobody waits any more";
}

TEST_F(TriggerFunctionsTest, AReservationOfNoneStopsAFunction) {
  create_function();
  ask_triggers<FunctionDescription>(PutFunctionConcurrency{name(), 0});
  EXPECT_EQ(trigger_answer<Error>(invoke()).code, ErrorCode::LambdaReservedConcurrencyExceeded);
}

TEST_F(TriggerFunctionsTest, ABootstrapForAnotherMachineIsRefused) {
  const std::string machine = machine_architecture;
  const std::string other = machine == "arm64" ? "x86_64" : "arm64";
  const std::string expected = "Architectures " + other + " is not supported here: this machine is " + machine +
                               ", and a bootstrap is a program for its own architecture.";
  FunctionRecord zipped = function_record();
  zipped.kind = FunctionKind::runtime;
  zipped.runtime = "provided.al2023";
  zipped.command.clear();
  zipped.architectures = {other};
  EXPECT_EQ(refused(CreateFunction{zipped, "zip", false}).message, expected);
  zipped.architectures = {machine};
  ask_triggers<FunctionDescription>(CreateFunction{zipped, "zip", false});
  FunctionPatch patch;
  patch.architectures = {other};
  EXPECT_EQ(refused(UpdateFunction{name(), patch, "zip", {}, false}).message, expected);
}

TEST_F(TriggerFunctionsTest, AHandlerIsOfWhateverArchitecture) {
  FunctionRecord zipped = function_record();
  zipped.kind = FunctionKind::handler;
  zipped.runtime = "python3.12";
  zipped.command.clear();
  zipped.architectures = {"arm64"};
  EXPECT_THAT(ask_triggers<FunctionDescription>(CreateFunction{zipped, "zip", false}).function.architectures,
              ElementsAre("arm64"));
  zipped.architectures = {"x86_64"};
  EXPECT_THAT(ask_triggers<FunctionDescription>(CreateFunction{zipped, "zip", true}).function.architectures,
              ElementsAre("x86_64"));
}

TEST_F(TriggerFunctionsTest, ADryRunStartsNothing) {
  create_function();
  InvokeFunction command;
  command.function = name();
  command.type = InvocationType::dry_run;
  ask_triggers<Done>(command);
  EXPECT_THAT(running_, IsEmpty());
}

}  // namespace
}  // namespace penstock::core
