// Mappings whatever their source: who may make one, and the states that they go through.
#include <gmock/gmock.h>

#include "trigger_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TriggerMappingsTest : public TriggerFixture {
 protected:
  Error refused(TriggerCommand command) { return ask_triggers<Error>(std::move(command)); }
  MappingRecord update(const std::string& uuid, MappingPatch patch) {
    return ask_triggers<MappingDescription>(UpdateMapping{mapping_name(uuid), std::move(patch)}).mapping;
  }
  static MappingPatch enabled(bool value) {
    MappingPatch patch;
    patch.enabled = value;
    return patch;
  }
};

TEST_F(TriggerMappingsTest, ACreationSaysCreatingAndBecomesEnabled) {
  create();
  create_function();
  const MappingRecord created = create_mapping();
  EXPECT_EQ(created.state, MappingState::creating);
  EXPECT_EQ(created.state_reason, "USER_INITIATED");
  EXPECT_EQ(created.last_result, "No records processed");
  const MappingRecord now = get_mapping(created.uuid);
  EXPECT_EQ(now.state, MappingState::enabled);
  restart_triggers();
  EXPECT_EQ(get_mapping(created.uuid), now);
}

TEST_F(TriggerMappingsTest, ACreationThatIsNotEnabledReceivesNothing) {
  config_.enabled = false;
  const std::string uuid = create_all();
  EXPECT_EQ(get_mapping(uuid).state, MappingState::disabled);
  send("a");
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_EQ(update(uuid, enabled(true)).state, MappingState::enabling);
  EXPECT_EQ(get_mapping(uuid).state, MappingState::enabled);
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
}

TEST_F(TriggerMappingsTest, WhatACreationNeedsHasToBeThere) {
  EXPECT_EQ(refused(CreateMapping{mapping_record()}).code, ErrorCode::LambdaResourceNotFound);
  create_function();
  const Error error = refused(CreateMapping{mapping_record()});
  EXPECT_EQ(error.code, ErrorCode::LambdaInvalidParameterValue);
  EXPECT_THAT(error.message, HasSubstr("Error occurred while ReceiveMessage. SQS Error Code: "
                                       "AWS.SimpleQueueService.NonExistentQueue."));
  create();
  EXPECT_EQ(create_mapping().state, MappingState::creating) << "what was refused stands in nobody's way";
}

TEST_F(TriggerMappingsTest, AStreamOrItsConsumerThatIsNotThereIsRefused) {
  create_function();
  MappingRecord mapping = mapping_record();
  const StreamName stream{"000000000000", "us-east-1", "gone"};
  mapping.source = stream;
  mapping.source_arn = arn_of(stream);
  Error error = refused(CreateMapping{mapping});
  EXPECT_EQ(error.code, ErrorCode::LambdaInvalidParameterValue);
  EXPECT_EQ(error.message, "Stream not found: arn:aws:kinesis:us-east-1:000000000000:stream/gone");
  mapping.consumer = ConsumerRef{"reader", 1'700'000'000};
  mapping.source_arn += "/consumer/reader:1700000000";
  error = refused(CreateMapping{mapping});
  EXPECT_EQ(error.message, "Consumer not found: " + mapping.source_arn);
}

TEST_F(TriggerMappingsTest, AFunctionThatRunsLongerThanItsMessagesAreInvisibleIsRefused) {
  create();
  create_function("worker", 60);
  EXPECT_EQ(refused(CreateMapping{mapping_record()}).message,
            "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds");
}

TEST_F(TriggerMappingsTest, AChangeToALongerFunctionThanItsMessagesAreInvisibleIsRefused) {
  const std::string uuid = create_all({{"VisibilityTimeout", "30"}});
  const std::string expected = "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds";
  FunctionPatch longer;
  longer.timeout_seconds = 60;
  EXPECT_EQ(refused(UpdateFunction{function_record().name, longer, {}, {}, false}).message, expected);
  longer.timeout_seconds = 30;
  EXPECT_EQ(ask_triggers<FunctionDescription>(UpdateFunction{function_record().name, longer, {}, {}, false})
                .function.timeout_seconds,
            30);
  call<Done>(SetQueueAttributes{queue_, {{"VisibilityTimeout", "20"}}});
  MappingPatch patch;
  patch.batch_size = 5;
  EXPECT_EQ(refused(UpdateMapping{mapping_name(uuid), patch}).message,
            "Queue visibility timeout: 20 seconds is less than Function timeout: 30 seconds");
  EXPECT_EQ(get_mapping(uuid).config.batch_size, 10);
  EXPECT_EQ(update(uuid, enabled(false)).state, MappingState::disabling) << "whoever is through with it may be";
  EXPECT_EQ(refused(UpdateMapping{mapping_name(uuid), enabled(true)}).code, ErrorCode::LambdaInvalidParameterValue);
  call<Done>(SetQueueAttributes{queue_, {{"VisibilityTimeout", "30"}}});
  EXPECT_EQ(update(uuid, enabled(true)).state, MappingState::enabling);
}

TEST_F(TriggerMappingsTest, ARegistrationInAFunctionsPlaceIsCheckedAsAChangeOfItIs) {
  create_all({{"VisibilityTimeout", "30"}});
  EXPECT_EQ(refused(CreateFunction{function_record("worker", 60), {}, true}).message,
            "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds");
  const auto described = [&] { return ask_triggers<FunctionDescription>(GetFunction{function_record().name}); };
  EXPECT_EQ(described().function.timeout_seconds, 3);
  ask_triggers<FunctionDescription>(CreateFunction{function_record("worker", 30), {}, true});
  EXPECT_EQ(described().function.timeout_seconds, 30);
}

TEST_F(TriggerMappingsTest, AQueueThatIsGoneIsInNobodysWayOfAChange) {
  const std::string uuid = create_all();
  call<Done>(DeleteQueue{queue_});
  MappingPatch patch;
  patch.batch_size = 5;
  EXPECT_EQ(update(uuid, patch).config.batch_size, 5);
  FunctionPatch longer;
  longer.timeout_seconds = 60;
  ask_triggers<FunctionDescription>(UpdateFunction{function_record().name, longer, {}, {}, false});
}

TEST_F(TriggerMappingsTest, AChangeThatNeedsNoStopMakesNone) {
  const std::string uuid = create_all();
  send("a");
  MappingPatch same;
  same.batch_size = 10;
  EXPECT_EQ(update(uuid, same).state, MappingState::updating);
  EXPECT_EQ(get_mapping(uuid).state, MappingState::enabled) << "though a batch runs";
  MappingPatch harmless;
  harmless.kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/one";
  update(uuid, harmless);
  EXPECT_EQ(get_mapping(uuid).state, MappingState::enabled);
  EXPECT_EQ(get_mapping(uuid).config.kms_key_arn, *harmless.kms_key_arn);
  EXPECT_EQ(open_receives(), 1U);
  crash();
  EXPECT_EQ(get_mapping(uuid).config.kms_key_arn, *harmless.kms_key_arn);
}

TEST_F(TriggerMappingsTest, OneOfASourceAndAFunctionIsEnough) {
  const std::string uuid = create_all();
  const Error error = refused(CreateMapping{mapping_record()});
  EXPECT_EQ(error.code, ErrorCode::LambdaResourceConflict);
  EXPECT_EQ(error.message, "The event source arn (\" " + arn_of(queue_) +
                               " \") and function (\" worker \") provided mapping already exists. Please update or "
                               "delete the existing mapping with UUID " +
                               uuid);
}

TEST_F(TriggerMappingsTest, WhatDoesNotGoTogetherIsRefused) {
  create();
  create_function();
  config_.batch_size = 11;
  EXPECT_THAT(refused(CreateMapping{mapping_record()}).message, HasSubstr("batch window"));
  config_.window_seconds = 1;
  const std::string uuid = create_mapping().uuid;
  MappingPatch patch;
  patch.window_seconds = 0;
  EXPECT_THAT(refused(UpdateMapping{mapping_name(uuid), patch}).message, HasSubstr("batch window"));
  EXPECT_EQ(get_mapping(uuid).config.window_seconds, 1);
}

TEST_F(TriggerMappingsTest, AChangeLetsWhatRunsEndFirst) {
  const std::string uuid = create_all();
  send("a");
  MappingPatch patch;
  patch.batch_size = 5;
  const MappingRecord changed = update(uuid, patch);
  EXPECT_EQ(changed.state, MappingState::updating);
  EXPECT_EQ(changed.config.batch_size, 5);
  EXPECT_EQ(get_mapping(uuid).state, MappingState::updating);
  EXPECT_EQ(refused(UpdateMapping{mapping_name(uuid), patch}).code, ErrorCode::LambdaResourceInUse);
  EXPECT_EQ(refused(DeleteMapping{mapping_name(uuid)}).message,
            "Cannot delete the event source mapping because it is in use.");
  send("b");
  EXPECT_THAT(running(), ElementsAre(ElementsAre("a")));
  succeed();
  EXPECT_EQ(get_mapping(uuid).state, MappingState::enabled);
  EXPECT_THAT(running(), ElementsAre(ElementsAre("b")));
}

TEST_F(TriggerMappingsTest, AChangeThatACrashCutsOffIsNotLost) {
  const std::string uuid = create_all();
  send("a");
  MappingPatch patch;
  patch.batch_size = 5;
  update(uuid, patch);
  crash();
  EXPECT_EQ(get_mapping(uuid).config.batch_size, 5);
  EXPECT_EQ(get_mapping(uuid).state, MappingState::enabled);
}

TEST_F(TriggerMappingsTest, WhatWasSaidOfTheLastBatchDoesNotUndoAChange) {
  const std::string uuid = create_all();
  send_all({"a", "b"});
  MappingPatch patch;
  patch.batch_size = 5;
  update(uuid, patch);
  fail();  // of two that run: the mapping goes on stopping
  ASSERT_EQ(running_.size(), 1U);
  crash();
  EXPECT_EQ(get_mapping(uuid).config.batch_size, 5);
  EXPECT_THAT(get_mapping(uuid).last_result, HasSubstr("PROBLEM"));
}

TEST_F(TriggerMappingsTest, DisablingLetsWhatRunsEnd) {
  const std::string uuid = create_all();
  send("a");
  EXPECT_EQ(update(uuid, enabled(false)).state, MappingState::disabling);
  succeed();
  EXPECT_EQ(get_mapping(uuid).state, MappingState::disabled);
  EXPECT_EQ(store_.message_count(), 0U);
  send("b");
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_EQ(visible(), 1);
  EXPECT_EQ(open_receives(), 0U);
}

TEST_F(TriggerMappingsTest, ADeletedMappingIsGoneWhenWhatRanHasEnded) {
  const std::string uuid = create_all();
  send("a");
  EXPECT_EQ(ask_triggers<MappingDescription>(DeleteMapping{mapping_name(uuid)}).mapping.state, MappingState::deleting);
  EXPECT_EQ(get_mapping(uuid).state, MappingState::deleting);
  succeed();
  EXPECT_EQ(refused(GetMapping{mapping_name(uuid)}).message, "The resource you requested does not exist.");
  EXPECT_THAT(trigger_store_.mappings, IsEmpty());
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(create_mapping().state, MappingState::creating);
}

TEST_F(TriggerMappingsTest, ADeletionThatACrashCutsOffIsFinished) {
  const std::string uuid = create_all();
  send("a");
  ask_triggers<MappingDescription>(DeleteMapping{mapping_name(uuid)});
  crash();
  EXPECT_EQ(refused(GetMapping{mapping_name(uuid)}).code, ErrorCode::LambdaResourceNotFound);
  EXPECT_THAT(trigger_store_.mappings, IsEmpty());
}

TEST_F(TriggerMappingsTest, AnotherFunctionTakesOver) {
  const std::string uuid = create_all();
  create_function("other");
  MappingPatch patch;
  patch.function = function_record("other").name;
  patch.function_arn = arn_of(*patch.function);
  update(uuid, patch);
  send("a");
  ASSERT_THAT(running(), SizeIs(1));
  EXPECT_EQ(running_[0].function->name.name, "other");
  EXPECT_EQ(create_mapping().state, MappingState::creating) << "the first function is free for another mapping";
  patch.function = function_record("missing").name;
  EXPECT_EQ(refused(UpdateMapping{mapping_name(uuid), patch}).code, ErrorCode::LambdaResourceNotFound);
}

TEST_F(TriggerMappingsTest, AListIsFilteredAndInPages) {
  create();
  std::vector<std::string> uuids;
  for (const std::string function : {"a", "b", "c"}) {
    create_function(function);
    MappingRecord mapping = mapping_record();
    mapping.function = function_record(function).name;
    uuids.push_back(ask_triggers<MappingDescription>(CreateMapping{mapping}).mapping.uuid);
  }
  std::ranges::sort(uuids);
  ListMappings command;
  command.account = "000000000000";
  command.region = "us-east-1";
  command.limit = 2;
  auto page = ask_triggers<MappingList>(command);
  ASSERT_THAT(page.mappings, SizeIs(2));
  EXPECT_EQ(page.mappings[0].uuid, uuids[0]);
  EXPECT_TRUE(page.more);
  command.after = uuids[1];
  page = ask_triggers<MappingList>(command);
  ASSERT_THAT(page.mappings, SizeIs(1));
  EXPECT_FALSE(page.more);
  command.after.clear();
  command.function = function_record("b").name;
  EXPECT_THAT(ask_triggers<MappingList>(command).mappings, SizeIs(1));
  command.source_arn = "arn:aws:sqs:us-east-1:000000000000:other";
  EXPECT_THAT(ask_triggers<MappingList>(command).mappings, IsEmpty());
}

TEST_F(TriggerMappingsTest, ToOtherRegionsAndAccountsAMappingIsNotThere) {
  const std::string uuid = create_all();
  for (const auto& [account, region] :
       {std::pair{"000000000000", "eu-west-1"}, std::pair{"123456789012", "us-east-1"}}) {
    const MappingName other{account, region, uuid};
    for (const TriggerCommand& command :
         {TriggerCommand{GetMapping{other}}, TriggerCommand{UpdateMapping{other, enabled(false)}},
          TriggerCommand{DeleteMapping{other}}, TriggerCommand{TagLambda{other, {{"a", "1"}}}},
          TriggerCommand{UntagLambda{other, {"a"}}}, TriggerCommand{ListLambdaTags{other}}}) {
      const Error error = refused(command);
      EXPECT_EQ(error.code, ErrorCode::LambdaResourceNotFound);
      EXPECT_EQ(error.message, "The resource you requested does not exist.");
    }
  }
  EXPECT_EQ(get_mapping(uuid).state, MappingState::enabled);
  EXPECT_THAT(get_mapping(uuid).tags, IsEmpty());
}

TEST_F(TriggerMappingsTest, AFunctionOfAnotherRegionDoesNotTakeOver) {
  const std::string uuid = create_all();
  FunctionRecord elsewhere = function_record();
  elsewhere.name.region = "eu-west-1";
  ask_triggers<FunctionDescription>(CreateFunction{elsewhere, {}, false});
  MappingPatch patch;
  patch.function = elsewhere.name;
  patch.function_arn = arn_of(elsewhere.name);
  const Error error = refused(UpdateMapping{mapping_name(uuid), patch});
  EXPECT_EQ(error.code, ErrorCode::LambdaResourceNotFound);
  EXPECT_EQ(error.message, "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:worker");
}

TEST_F(TriggerMappingsTest, TagsOfAMappingAreKept) {
  const std::string uuid = create_all();
  ask_triggers<Done>(TagLambda{mapping_name(uuid), {{"a", "1"}, {"b", "2"}}});
  ask_triggers<Done>(UntagLambda{mapping_name(uuid), {"a"}});
  restart_triggers();
  EXPECT_THAT(ask_triggers<LambdaTags>(ListLambdaTags{mapping_name(uuid)}).tags,
              ElementsAre(::testing::Pair("b", "2")));
}

}  // namespace
}  // namespace penstock::core
