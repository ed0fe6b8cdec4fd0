// Creating, finding, describing and deleting queues.
#include <gtest/gtest.h>

#include "core/engine_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::seconds;

class CatalogTest : public EngineFixture {
 protected:
  Error create_error(const StringMap& attributes) { return call_error(CreateQueue{queue_, attributes, {}}); }
};

TEST_F(CatalogTest, AQueueThatDoesNotExistIsAnErrorEverywhere) {
  const std::vector<Command> commands{LookupQueue{queue_},
                                      DeleteQueue{queue_},
                                      GetQueueAttributes{queue_, {"All"}},
                                      SetQueueAttributes{queue_, {}},
                                      PurgeQueue{queue_},
                                      message("a"),
                                      receive_command(1),
                                      DeleteMessages{queue_, {"x"}},
                                      ChangeVisibility{queue_, {{"x", 1}}}};
  for (const Command& command : commands) EXPECT_EQ(call_error(command).code, ErrorCode::QueueDoesNotExist);
}

TEST_F(CatalogTest, WhatIsReportedComparesEqual) {
  create({{"KmsMasterKeyId", "alias/key"}});
  EXPECT_EQ(attribute("KmsDataKeyReusePeriodSeconds"), "300");
  create({{"KmsMasterKeyId", "alias/key"}, {"KmsDataKeyReusePeriodSeconds", "300"}});
  EXPECT_EQ(call_error(CreateQueue{queue_, {{"KmsDataKeyReusePeriodSeconds", "301"}}, {}}).code,
            ErrorCode::QueueNameExists);
}

TEST_F(CatalogTest, TheReusePeriodIsKeptWithoutAKeyToo) {
  create({{"KmsDataKeyReusePeriodSeconds", "600"}});
  EXPECT_EQ(attribute("KmsDataKeyReusePeriodSeconds"), "600");
}

TEST_F(CatalogTest, AFifoNameAsksForFifoQueueAlsoWhereItExists) {
  queue_.name = "jobs.fifo";
  create({{"FifoQueue", "true"}});
  EXPECT_EQ(call_error(CreateQueue{queue_, {}, {}}).code, ErrorCode::InvalidParameterValue);
}

TEST_F(CatalogTest, TheScopeCannotBeTakenFromUnderThePerGroupLimit) {
  queue_.name = "jobs.fifo";
  create({{"FifoQueue", "true"}, {"DeduplicationScope", "messageGroup"}, {"FifoThroughputLimit", "perMessageGroupId"}});
  EXPECT_EQ(call_error(SetQueueAttributes{queue_, {{"DeduplicationScope", "queue"}}}).code,
            ErrorCode::InvalidAttributeValue);
  EXPECT_EQ(attribute("DeduplicationScope"), "messageGroup");
  call<Done>(SetQueueAttributes{queue_, {{"DeduplicationScope", "queue"}, {"FifoThroughputLimit", "perQueue"}}});
}

TEST_F(CatalogTest, AnUnknownAttributeIsNamedAlsoBesideAll) {
  create();
  const Error error = call_error(GetQueueAttributes{queue_, {"All", "Bogus"}});
  EXPECT_EQ(error.code, ErrorCode::InvalidAttributeName);
  EXPECT_EQ(error.message, "Unknown Attribute Bogus.");
}

TEST_F(CatalogTest, ReportsTheDefaults) {
  create();
  const auto all = call<QueueAttributes>(GetQueueAttributes{queue_, {"All"}}).attributes;
  const StringMap expected{{"VisibilityTimeout", "30"},
                           {"DelaySeconds", "0"},
                           {"ReceiveMessageWaitTimeSeconds", "0"},
                           {"MessageRetentionPeriod", "345600"},
                           {"MaximumMessageSize", "1048576"},
                           {"SqsManagedSseEnabled", "true"},
                           {"ApproximateNumberOfMessages", "0"},
                           {"ApproximateNumberOfMessagesNotVisible", "0"},
                           {"ApproximateNumberOfMessagesDelayed", "0"},
                           {"CreatedTimestamp", "1700000000"},
                           {"LastModifiedTimestamp", "1700000000"},
                           {"QueueArn", "arn:aws:sqs:us-east-1:000000000000:jobs"}};
  EXPECT_EQ(all, expected);
}

TEST_F(CatalogTest, NoNamesAskForNothingAndUnknownOnesAreAnError) {
  create();
  EXPECT_TRUE(call<QueueAttributes>(GetQueueAttributes{queue_, {}}).attributes.empty());
  EXPECT_TRUE(call<QueueAttributes>(GetQueueAttributes{queue_, {"FifoQueue"}}).attributes.empty());
  const Error error = call_error(GetQueueAttributes{queue_, {"Nonsense"}});
  EXPECT_EQ(error.code, ErrorCode::InvalidAttributeName);
  EXPECT_EQ(error.message, "Unknown Attribute Nonsense.");
}

TEST_F(CatalogTest, CreatingAgainComparesOnlyWhatIsSupplied) {
  create({{"DelaySeconds", "5"}});
  create();
  create({{"DelaySeconds", "05"}, {"VisibilityTimeout", "30"}});
  const Error error = create_error({{"DelaySeconds", "6"}});
  EXPECT_EQ(error.code, ErrorCode::QueueNameExists);
  EXPECT_EQ(error.message,
            "A queue already exists with the same name and a different value for attribute DelaySeconds");
}

struct AttributeCase {
  const char* name;
  const char* value;
  bool accepted;
};

class AttributeRange : public CatalogTest, public ::testing::WithParamInterface<AttributeCase> {};

TEST_P(AttributeRange, IsEnforced) {
  const auto& [name, value, accepted] = GetParam();
  create();
  const SetQueueAttributes set{queue_, {{name, value}}};
  if (accepted) {
    call<Done>(set);
    EXPECT_EQ(attribute(name), value);
    restart();
    EXPECT_EQ(attribute(name), value);
  } else {
    const std::string before = attribute(name);
    const Error error = call_error(set);
    EXPECT_EQ(error.code, ErrorCode::InvalidAttributeValue);
    EXPECT_EQ(error.message, std::string("Invalid value for the parameter ") + name + ".");
    EXPECT_EQ(attribute(name), before);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ranges, AttributeRange,
    ::testing::Values(
        AttributeCase{"VisibilityTimeout", "0", true}, AttributeCase{"VisibilityTimeout", "43200", true},
        AttributeCase{"VisibilityTimeout", "43201", false}, AttributeCase{"VisibilityTimeout", "-1", false},
        AttributeCase{"VisibilityTimeout", "abc", false}, AttributeCase{"DelaySeconds", "900", true},
        AttributeCase{"DelaySeconds", "901", false}, AttributeCase{"ReceiveMessageWaitTimeSeconds", "20", true},
        AttributeCase{"ReceiveMessageWaitTimeSeconds", "21", false},
        AttributeCase{"MessageRetentionPeriod", "60", true}, AttributeCase{"MessageRetentionPeriod", "1209600", true},
        AttributeCase{"MessageRetentionPeriod", "59", false}, AttributeCase{"MessageRetentionPeriod", "1209601", false},
        AttributeCase{"MaximumMessageSize", "1024", true}, AttributeCase{"MaximumMessageSize", "1048576", true},
        AttributeCase{"MaximumMessageSize", "1023", false}, AttributeCase{"MaximumMessageSize", "1048577", false},
        AttributeCase{"SqsManagedSseEnabled", "false", true}, AttributeCase{"SqsManagedSseEnabled", "maybe", false}));

TEST_F(CatalogTest, WhatDoesNotExistIsRefusedRatherThanKept) {
  EXPECT_EQ(create_error({{"FifoQueue", "false"}}).message, "Unknown Attribute FifoQueue.");
  EXPECT_EQ(create_error({{"DeduplicationScope", "queue"}}).message,
            "You can specify the DeduplicationScope only when FifoQueue is set to true.");
  EXPECT_EQ(create_error({{"QueueArn", "x"}}).code, ErrorCode::InvalidAttributeName);
  EXPECT_EQ(store_.queue_count(), 0U);
}

TEST_F(CatalogTest, EncryptionIsOfOneKind) {
  create();
  EXPECT_EQ(attribute("SqsManagedSseEnabled"), "true");
  call<Done>(SetQueueAttributes{queue_, {{"KmsMasterKeyId", "alias/k"}}});
  EXPECT_EQ(attribute("SqsManagedSseEnabled"), "false");
  EXPECT_EQ(attribute("KmsDataKeyReusePeriodSeconds"), "300");
  const Error error =
      call_error(SetQueueAttributes{queue_, {{"KmsMasterKeyId", "alias/k"}, {"SqsManagedSseEnabled", "true"}}});
  EXPECT_EQ(error.code, ErrorCode::InvalidAttributeName);
  EXPECT_EQ(
      error.message,
      "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.");
  call<Done>(SetQueueAttributes{queue_, {{"KmsMasterKeyId", ""}}});
  EXPECT_EQ(attribute("SqsManagedSseEnabled"), "true");
}

TEST_F(CatalogTest, ListsByPrefixAndPage) {
  for (const char* name : {"a1", "a2", "a3", "b1"}) {
    call<Done>(CreateQueue{{"000000000000", "us-east-1", name}, {}, {}});
  }
  call<Done>(CreateQueue{{"000000000000", "eu-west-1", "a9"}, {}, {}});
  call<Done>(CreateQueue{{"111111111111", "us-east-1", "a8"}, {}, {}});
  const auto list = [&](const std::string& prefix, const std::string& after, std::size_t limit) {
    std::string names;
    for (const QueueName& queue :
         call<QueueNames>(ListQueues{"000000000000", "us-east-1", prefix, after, limit}).queues) {
      names += queue.name + " ";
    }
    return names;
  };
  EXPECT_EQ(list("", "", 100), "a1 a2 a3 b1 ");
  EXPECT_EQ(list("a", "", 100), "a1 a2 a3 ");
  EXPECT_EQ(list("a", "a1", 1), "a2 ");
  EXPECT_EQ(list("c", "", 100), "");
}

TEST_F(CatalogTest, DeletingTakesEverythingAndTellsThoseWhoWait) {
  create();
  send("a");
  send("b", 10);
  receive(1);
  const CallId poll = ask(receive_command(1, 30, 20));
  call<Done>(DeleteQueue{queue_});
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(store_.state_count(), 0U);
  EXPECT_EQ(std::get<Error>(replies_.at(poll)).code, ErrorCode::QueueDoesNotExist);
  EXPECT_EQ(call_error(LookupQueue{queue_}).code, ErrorCode::QueueDoesNotExist);
  create();
  EXPECT_TRUE(receive(10).empty());
  pass(seconds{100});
  EXPECT_TRUE(receive(10).empty());
}

TEST_F(CatalogTest, StrictLimitsHoldANameBackForAMinuteAlsoAcrossARestart) {
  limits_.strict = true;
  set_limits(limits_);
  create();
  call<Done>(DeleteQueue{queue_});
  EXPECT_EQ(create_error({}).code, ErrorCode::QueueDeletedRecently);
  pass(seconds{30});
  restart();
  EXPECT_EQ(create_error({}).code, ErrorCode::QueueDeletedRecently);
  EXPECT_EQ(call_error(LookupQueue{queue_}).code, ErrorCode::QueueDoesNotExist);
  pass(seconds{30});
  EXPECT_EQ(store_.queue_count(), 0U) << "nothing is kept of it any longer";
  create();
}

TEST_F(CatalogTest, AQueueThatIsDeletedAtOnceLeavesNothingAlsoWithStrictLimits) {
  limits_.strict = true;
  set_limits(limits_);
  create();
  send("a");
  call<Done>(DeleteQueue{queue_, true});
  EXPECT_EQ(store_.queue_count() + store_.message_count(), 0U);
  create();
  call<Done>(DeleteQueue{queue_});
  EXPECT_EQ(store_.queue_count(), 1U) << "its name is kept";
  call<Done>(DeleteQueue{queue_, true});
  EXPECT_EQ(store_.queue_count(), 0U);
  EXPECT_TRUE(synced_);
  create();
  restart();
  EXPECT_TRUE(receive(10).empty());
}

TEST_F(CatalogTest, TimeThatGoesBackIsTakenAsStandingStill) {
  create();
  send("a");
  receive(1, 10);
  pass(seconds{9});
  now_ -= seconds{3600};
  EXPECT_TRUE(receive(1).empty());
  now_ += seconds{3601};
  EXPECT_EQ(receive(1).size(), 1U);
}

}  // namespace
}  // namespace penstock::core
