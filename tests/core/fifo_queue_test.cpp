// FIFO queues: order and exclusion within groups, deduplication, receive attempts, handles that expire; and all of it
// after a restart.
#include "core/fifo_queue.hpp"

#include <gmock/gmock.h>

#include "core/digest.hpp"
#include "engine_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Millis five_minutes{300'000};

class FifoQueueTest : public EngineFixture {
 protected:
  FifoQueueTest() { queue_ = {"000000000000", "us-east-1", "jobs.fifo"}; }

  void create_fifo(StringMap attributes = {}) {
    attributes["FifoQueue"] = "true";
    create(std::move(attributes));
  }

  SendMessages fifo_message(const std::string& group, const std::string& body, const std::string& dedup) const {
    SendMessages command = message(body);
    command.messages[0].content.group_id = group;
    command.messages[0].content.deduplication_id = dedup;
    return command;
  }
  Sent put(const std::string& group, const std::string& body, const std::string& dedup) {
    const auto results = call<SendResults>(fifo_message(group, body, dedup));
    return std::get<Sent>(results.entries.at(0));
  }
  Sent put(const std::string& group, const std::string& body) {
    return put(group, body, "unique-" + std::to_string(++unique_));
  }
  Error put_error(SendMessages command) {
    const auto results = call<SendResults>(std::move(command));
    return std::get<Error>(results.entries.at(0));
  }
  std::vector<Delivery> attempt(const std::string& id, int max, int visibility = 30) {
    ReceiveMessages command = receive_command(max, visibility);
    command.attempt_id = id;
    return call<Deliveries>(command).messages;
  }
  static std::vector<std::string> handles(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> all;
    for (const Delivery& delivery : deliveries) all.push_back(delivery.receipt_handle);
    return all;
  }

  int unique_ = 0;
};

TEST_F(FifoQueueTest, AGroupComesInOrderAndIsLockedWhileInFlight) {
  create_fifo();
  for (const char* body : {"a1", "a2", "a3"}) put("a", body);
  const auto first = receive(1);
  EXPECT_THAT(bodies(first), ElementsAre("a1"));
  EXPECT_THAT(receive_bodies(10), IsEmpty());
  put("a", "a4");
  EXPECT_THAT(receive_bodies(10), IsEmpty()) << "a send unlocked its group";
  EXPECT_EQ(remove(first[0].receipt_handle), std::nullopt);
  EXPECT_THAT(receive_bodies(10), ElementsAre("a2", "a3", "a4"));
}

TEST_F(FifoQueueTest, AReceiveFillsFromOneGroupAndThenFromOthers) {
  create_fifo();
  for (const char* body : {"a1", "b1", "a2", "c1", "b2"}) put(std::string(1, body[0]), body);
  EXPECT_THAT(receive_bodies(3), ElementsAre("a1", "a2", "b1"));
  EXPECT_THAT(receive_bodies(10), ElementsAre("c1"));
}

TEST_F(FifoQueueTest, OfMixedVisibilityOnlyWhatComesBeforeTheFirstInFlightReturns) {
  create_fifo();
  for (const char* body : {"1", "2", "3"}) put("a", body);
  const auto all = receive(3);
  EXPECT_EQ(change(all[0].receipt_handle, 0), std::nullopt);
  EXPECT_EQ(change(all[2].receipt_handle, 0), std::nullopt);
  EXPECT_THAT(receive_bodies(10), ElementsAre("1"));
  EXPECT_EQ(change(all[1].receipt_handle, 0), std::nullopt);
  EXPECT_THAT(receive_bodies(10), IsEmpty());
}

TEST_F(FifoQueueTest, AReceiveWithoutTimeoutDoesNotHandOutTheSameMessageTwice) {
  create_fifo();
  put("a", "1");
  put("b", "2");
  EXPECT_THAT(receive_bodies(10, 0), ElementsAre("1", "2"));
  EXPECT_THAT(receive_bodies(10, 0), ElementsAre("1", "2"));
}

TEST_F(FifoQueueTest, SequenceNumbersIncreaseAndHaveTwentyDigits) {
  create_fifo();
  const Sent first = put("a", "1");
  const Sent second = put("b", "2");
  EXPECT_EQ(first.sequence_number->size(), 20U);
  EXPECT_LT(*first.sequence_number, *second.sequence_number);
  call<Done>(PurgeQueue{queue_});
  restart();
  EXPECT_LT(*second.sequence_number, *put("a", "3").sequence_number);
}

TEST_F(FifoQueueTest, ADuplicateWithinFiveMinutesIsAnsweredWithTheFirst) {
  create_fifo();
  const Sent first = put("a", "1", "d");
  const auto received = receive(1);
  remove(received[0].receipt_handle);
  pass(five_minutes - Millis{1});
  restart();
  const Sent again = put("b", "other", "d");
  EXPECT_EQ(again.message_id, first.message_id);
  EXPECT_EQ(again.sequence_number, first.sequence_number);
  EXPECT_THAT(receive_bodies(10), IsEmpty());
  pass(Millis{1});
  const Sent anew = put("b", "other", "d");
  EXPECT_NE(anew.message_id, first.message_id);
  EXPECT_THAT(receive_bodies(10), ElementsAre("other"));
}

TEST_F(FifoQueueTest, ForgetsDeduplicationOnDisk) {
  create_fifo();
  put("a", "1");
  put("a", "2");
  pass(Millis{60'000});
  put("a", "3");
  EXPECT_EQ(store_.dedup_count(), 3U);
  pass(five_minutes - Millis{40'000});
  EXPECT_EQ(store_.dedup_count(), 1U);
  pass(five_minutes);
  EXPECT_EQ(store_.dedup_count(), 0U);
}

TEST_F(FifoQueueTest, DeduplicatesByContentOnlyWhereThatIsOn) {
  create_fifo();
  SendMessages command = fifo_message("a", "1", "");
  command.messages[0].body_sha256 = "of-the-body";
  EXPECT_THAT(put_error(command).message, HasSubstr("ContentBasedDeduplication"));
  call<Done>(SetQueueAttributes{queue_, {{"ContentBasedDeduplication", "true"}}});
  const auto first = std::get<Sent>(call<SendResults>(command).entries.at(0));
  const auto second = std::get<Sent>(call<SendResults>(command).entries.at(0));
  EXPECT_EQ(first.message_id, second.message_id);
  const auto delivered = receive(10);
  ASSERT_EQ(delivered.size(), 1U);
  EXPECT_EQ(store_.message(delivered[0].queue, delivered[0].sequence)->content.deduplication_id, "of-the-body");
}

TEST_F(FifoQueueTest, TheScopeOfDeduplicationIsThatOfTheCreation) {
  create_fifo({{"DeduplicationScope", "messageGroup"}});
  const Sent a = put("a", "1", "d");
  EXPECT_NE(put("b", "2", "d").message_id, a.message_id);
  EXPECT_EQ(put("a", "3", "d").message_id, a.message_id);
  call<Done>(SetQueueAttributes{queue_, {{"DeduplicationScope", "queue"}}});
  EXPECT_EQ(attribute("DeduplicationScope"), "queue");
  restart();
  EXPECT_NE(put("c", "4", "d").message_id, a.message_id);
}

TEST_F(FifoQueueTest, AHandleExpiresWithItsTimeout) {
  create_fifo();
  put("a", "1");
  const auto first = receive(1, 10);
  pass(Millis{10'000});
  const auto late = remove(first[0].receipt_handle);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->code, ErrorCode::InvalidParameterValue);
  EXPECT_EQ(late->message, "Value " + first[0].receipt_handle +
                               " for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.");
  EXPECT_TRUE(change(first[0].receipt_handle, 5));
  const auto second = receive(1);
  EXPECT_TRUE(remove(first[0].receipt_handle)) << "that of an earlier receive";
  EXPECT_EQ(second[0].receive_count, 2U);
  EXPECT_EQ(remove(second[0].receipt_handle), std::nullopt);
  EXPECT_EQ(remove(second[0].receipt_handle), std::nullopt) << "deleting again is no error";
}

TEST_F(FifoQueueTest, RefusesWhatIsNotForFifoQueues) {
  create_fifo();
  SendMessages no_group = fifo_message("", "1", "d");
  EXPECT_EQ(call_error(no_group),
            (Error{ErrorCode::MissingParameter, "The request must contain the parameter MessageGroupId."}));
  no_group.batch = true;
  EXPECT_EQ(call_error(no_group),
            (Error{ErrorCode::InvalidParameterValue, "The request must contain the parameter MessageGroupId."}));
  SendMessages delayed = fifo_message("a", "1", "d");
  delayed.messages[0].delay_seconds = 2;
  EXPECT_EQ(put_error(delayed).message,
            "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid "
            "for this queue type.");
  delayed.messages[0].delay_seconds = 0;
  call<SendResults>(delayed);
  EXPECT_THAT(receive_bodies(1), ElementsAre("1"));
}

TEST_F(FifoQueueTest, TheQueuesDelayHoldsBackAndAChangeOfItCountsForAll) {
  create_fifo({{"DelaySeconds", "10"}});
  put("a", "1");
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesDelayed"), "1");
  EXPECT_THAT(receive_bodies(1), IsEmpty());
  pass(Millis{5'000});
  put("a", "2");
  pass(Millis{5'000});
  const auto first = receive(10);
  EXPECT_THAT(bodies(first), ElementsAre("1"));
  remove(first[0].receipt_handle);
  EXPECT_THAT(receive_bodies(10), IsEmpty());
  call<Done>(SetQueueAttributes{queue_, {{"DelaySeconds", "0"}}});
  EXPECT_THAT(receive_bodies(10), ElementsAre("2"));
}

TEST_F(FifoQueueTest, AnAttemptIsRepeatedWithTheSameHandles) {
  create_fifo();
  for (const char* body : {"a1", "a2", "b1"}) put(std::string(1, body[0]), body);
  const auto first = attempt("try", 10, 30);
  ASSERT_EQ(first.size(), 3U);
  pass(Millis{20'000});
  restart();
  const auto again = attempt("try", 10, 30);
  EXPECT_EQ(handles(again), handles(first));
  EXPECT_EQ(again[0].receive_count, 1U);
  pass(Millis{20'000});
  EXPECT_THAT(receive_bodies(10), IsEmpty()) << "the retry did not start the timeout anew";
  EXPECT_THAT(attempt("other", 10), IsEmpty());
  EXPECT_EQ(remove(again[2].receipt_handle), std::nullopt);
}

TEST_F(FifoQueueTest, AnAttemptWhoseMessagesChangedIsAnew) {
  create_fifo();
  put("a", "1");
  put("b", "2");
  const auto first = attempt("try", 10, 60);
  remove(first[0].receipt_handle);
  EXPECT_THAT(attempt("try", 10), IsEmpty());
  EXPECT_EQ(store_.attempt_count(), 0U);
  pass(Millis{60'000});
  const auto second = attempt("try", 10, 60);
  EXPECT_THAT(bodies(second), ElementsAre("2"));
  change(second[0].receipt_handle, 100);
  EXPECT_THAT(attempt("try", 10), IsEmpty());
}

TEST_F(FifoQueueTest, AnAttemptIsForgottenAfterFiveMinutes) {
  create_fifo();
  put("a", "1");
  attempt("try", 1, 1'000);
  pass(five_minutes);
  EXPECT_THAT(attempt("try", 1), IsEmpty());
}

TEST_F(FifoQueueTest, ARestartFindsGroupsLockedAndCountsAsTheyWere) {
  create_fifo();
  for (const char* body : {"a1", "a2", "b1"}) put(std::string(1, body[0]), body);
  const auto first = receive(1, 30);
  restart();
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "2");
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesNotVisible"), "1");
  EXPECT_THAT(receive_bodies(10, 60), ElementsAre("b1"));
  EXPECT_EQ(change(first[0].receipt_handle, 40), std::nullopt);
  pass(Millis{40'000});
  const auto second = receive(10);
  EXPECT_THAT(bodies(second), ElementsAre("a1", "a2"));
  EXPECT_EQ(second[0].receive_count, 2U);
}

TEST_F(FifoQueueTest, RetentionTakesTheOldest) {
  create_fifo({{"MessageRetentionPeriod", "60"}});
  put("a", "1");
  pass(Millis{30'000});
  put("a", "2");
  receive(1, 1'000);
  pass(Millis{30'000});
  EXPECT_THAT(receive_bodies(10), ElementsAre("2"));
  EXPECT_EQ(store_.message_count(), 1U);
  EXPECT_EQ(store_.state_count(), 1U);
}

TEST_F(FifoQueueTest, WhatDoesNotFitTheWindowComesWhenThereIsRoom) {
  Limits limits;
  limits.fifo_window_max = 8;
  limits.state_load_count_max = 3;
  set_limits(limits);
  create_fifo();
  std::vector<std::string> sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back(std::to_string(i));
    put("g" + std::to_string(i % 5), sent.back());
    if (i == 20) restart();
  }
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "40");
  std::map<int, std::vector<int>> seen;
  for (int round = 0; round < 100; ++round) {
    for (const Delivery& delivery : receive(3)) {
      const int number = std::stoi(bodies({delivery})[0]);
      seen[number % 5].push_back(number);
      remove(delivery.receipt_handle);
    }
  }
  for (const auto& [group, numbers] : seen) {
    EXPECT_EQ(numbers.size(), 8U);
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  }
  EXPECT_EQ(store_.state_count(), 0U);
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(FifoQueueTest, AtTheLimitOfMessagesInFlightAReceiveIsEmptyAndNoError) {
  Limits limits;
  limits.in_flight_max = 2;
  set_limits(limits);
  create_fifo();
  for (const char* group : {"a", "b", "c"}) put(group, group);
  EXPECT_EQ(receive(10).size(), 2U);
  EXPECT_THAT(receive(10), IsEmpty());
}

TEST_F(FifoQueueTest, ALongPollIsServedWhenItsGroupIsFree) {
  create_fifo();
  put("a", "1");
  const auto first = receive(1);
  const CallId poll = ask(receive_command(10, std::nullopt, 20));
  put("a", "2");
  EXPECT_FALSE(answered(poll));
  remove(first[0].receipt_handle);
  ASSERT_TRUE(answered(poll));
  EXPECT_THAT(bodies(deliveries_of(poll).messages), ElementsAre("2"));
}

TEST_F(FifoQueueTest, WhatNeverReachedItsClientComesAgainUncounted) {
  create_fifo();
  put("a", "1");
  put("a", "2");
  const auto lost = receive(2);
  engine_->apply(CallId{}, ReturnUndelivered{queue_, handles(lost)}, now_);
  settle();
  const auto again = receive(2);
  EXPECT_THAT(bodies(again), ElementsAre("1", "2"));
  EXPECT_EQ(again[0].receive_count, 1U);
}

TEST_F(FifoQueueTest, StrictLimitsHoldTheThroughputOfTheQueueOrOfEachGroup) {
  Limits limits;
  limits.strict = true;
  set_limits(limits);
  create_fifo();
  for (int i = 0; i < 300; ++i) put("g" + std::to_string(i), "x");
  EXPECT_EQ(call_error(fifo_message("h", "x", "late")).code, ErrorCode::RequestThrottled);
  for (int i = 0; i < 300; ++i) receive(1, 0);
  EXPECT_EQ(call_error(receive_command(1, 0)).code, ErrorCode::RequestThrottled);
  pass(Millis{1'000});
  EXPECT_EQ(receive(1, 0).size(), 1U);
  call<Done>(SetQueueAttributes{
      queue_, {{"FifoThroughputLimit", "perMessageGroupId"}, {"DeduplicationScope", "messageGroup"}}});
  for (int i = 0; i < 600; ++i) put("g" + std::to_string(i % 2), "x");
  EXPECT_EQ(call_error(fifo_message("g1", "x", "late")).code, ErrorCode::RequestThrottled);
  put("g2", "x");
}

TEST_F(FifoQueueTest, AttributesOfFifoQueuesAreTheirsAlone) {
  EXPECT_EQ(call_error(CreateQueue{queue_, {}, {}}).code, ErrorCode::InvalidParameterValue);
  create_fifo();
  EXPECT_EQ(attribute("FifoQueue"), "true");
  EXPECT_EQ(attribute("ContentBasedDeduplication"), "false");
  EXPECT_EQ(attribute("DeduplicationScope"), "queue");
  EXPECT_EQ(attribute("FifoThroughputLimit"), "perQueue");
  EXPECT_EQ(call_error(SetQueueAttributes{queue_, {{"FifoThroughputLimit", "perMessageGroupId"}}}).code,
            ErrorCode::InvalidAttributeValue);
  call<Done>(SetQueueAttributes{
      queue_, {{"FifoThroughputLimit", "perMessageGroupId"}, {"DeduplicationScope", "messageGroup"}}});
  const QueueName standard{"000000000000", "us-east-1", "plain"};
  EXPECT_EQ(call_error(CreateQueue{standard, {{"FifoQueue", "true"}}, {}}).message, "Unknown Attribute FifoQueue.");
  EXPECT_EQ(call_error(CreateQueue{standard, {{"DeduplicationScope", "queue"}}, {}}).message,
            "You can specify the DeduplicationScope only when FifoQueue is set to true.");
}

// The values are those of an implementation written apart from this one, which meets the authors' vectors.
TEST(DigestTest, IsThatOfTheAlgorithmAndStays) {
  EXPECT_EQ(digest_of("group", "dedup"), (Digest{0x62e56926a0c4dad0ULL, 0x60879fa0a133ad1eULL}));
  EXPECT_NE(digest_of("a", "b"), digest_of("ab", ""));
  EXPECT_NE(digest_of("", "ab"), digest_of("ab", ""));
}

TEST_F(FifoQueueTest, TellsOfADuplicateWhoseItIsWhateverBecameOfTheFirst) {
  limits_.tells_events = true;
  restart();
  create_fifo();
  const Sent first = put("g", "a", "once");
  const auto duplicates_of = [this](const std::string& body, const std::string& dedup) {
    engine_->apply(CallId{++calls_}, fifo_message("g", body, dedup), now_);
    Effects effects = engine_->take_effects();
    store_.apply(effects.mutations);
    return effects.duplicates;
  };
  for (const bool deleted : {false, true}) {
    SCOPED_TRACE(deleted);
    if (deleted) remove(receive(1).at(0).receipt_handle);
    const auto told = duplicates_of("b", "once");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].message_id, first.message_id);
    EXPECT_EQ(told[0].deduplication_id, "once");
    EXPECT_EQ(format_sequence_number(told[0].sequence), first.sequence_number);
  }
  EXPECT_TRUE(duplicates_of("c", "another").empty());
  pass(five_minutes);
  EXPECT_TRUE(duplicates_of("d", "once").empty());
  EXPECT_EQ(duplicates_of("e", "once").size(), 1U);
}

}  // namespace
}  // namespace penstock::core
