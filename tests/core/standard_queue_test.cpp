// What a user of a standard queue relies on, one promise a test.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/engine_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::seconds;
using Bodies = std::vector<std::string>;

class StandardQueueTest : public EngineFixture {
 protected:
  StandardQueueTest() { create(); }
};

TEST_F(StandardQueueTest, DeliversWhatWasSentInOrder) {
  for (const char* body : {"a", "b", "c"}) send(body);
  EXPECT_EQ(receive_bodies(2), (Bodies{"a", "b"}));
  EXPECT_EQ(receive_bodies(10), (Bodies{"c"}));
  EXPECT_TRUE(receive(10).empty());
}

TEST_F(StandardQueueTest, HidesAMessageForItsVisibilityTimeoutAndNotLonger) {
  send("a");
  const auto first = receive(1, 5);
  pass(Millis{4'999});
  EXPECT_TRUE(receive(1).empty());
  pass(Millis{1});
  const auto second = receive(1, 5);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].receive_count, 2U);
  EXPECT_EQ(second[0].first_received, first[0].first_received);
  EXPECT_NE(second[0].receipt_handle, first[0].receipt_handle);
}

TEST_F(StandardQueueTest, UsesTheQueuesVisibilityTimeoutWhereNoneIsGiven) {
  call<Done>(SetQueueAttributes{queue_, {{"VisibilityTimeout", "7"}}});
  send("a");
  receive(1);
  pass(Millis{6'999});
  EXPECT_TRUE(receive(1).empty());
  pass(Millis{1});
  EXPECT_EQ(receive(1).size(), 1U);
}

TEST_F(StandardQueueTest, ATimeoutOfZeroLeavesTheMessageVisibleButHandsItOutOnceAReceive) {
  send("a");
  send("b");
  EXPECT_EQ(receive_bodies(10, 0), (Bodies{"a", "b"}));
  EXPECT_EQ(receive(10, 0).size(), 2U);
}

TEST_F(StandardQueueTest, DeletesByTheLatestHandleAlsoAfterItsTimeout) {
  send("a");
  const auto delivery = receive(1, 1).at(0);
  pass(seconds{2});
  EXPECT_FALSE(remove(delivery.receipt_handle));
  EXPECT_TRUE(synced_);
  EXPECT_TRUE(receive(1).empty());
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(store_.state_count(), 0U);
  EXPECT_FALSE(remove(delivery.receipt_handle)) << "already deleted is no error";
}

TEST_F(StandardQueueTest, AStaleHandleDeletesNothingAndIsNoError) {
  send("a");
  const auto stale = receive(1, 1).at(0);
  pass(seconds{2});
  const auto latest = receive(1, 1).at(0);
  EXPECT_FALSE(remove(stale.receipt_handle));
  pass(seconds{2});
  EXPECT_EQ(receive_bodies(1), (Bodies{"a"}));
}

TEST_F(StandardQueueTest, RefusesWhatIsNoHandle) {
  send("a");
  auto handle = receive(1).at(0).receipt_handle;
  const auto error = remove("garbage");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::ReceiptHandleIsInvalid);
  EXPECT_EQ(error->message, "The input receipt handle \"garbage\" is not a valid receipt handle.");
  handle[20] = handle[20] == '0' ? '1' : '0';
  EXPECT_EQ(remove(handle).value().code, ErrorCode::ReceiptHandleIsInvalid);
}

TEST_F(StandardQueueTest, RefusesTheHandleOfAnotherQueue) {
  send("a");
  const auto handle = receive(1).at(0).receipt_handle;
  const QueueName other{"000000000000", "us-east-1", "other"};
  call<Done>(CreateQueue{other, {}, {}});
  const auto results = call<EntryResults>(DeleteMessages{other, {handle}});
  EXPECT_EQ(results.entries.at(0).value().code, ErrorCode::ReceiptHandleIsInvalid);
}

TEST_F(StandardQueueTest, ChangesVisibilityBothWays) {
  send("a");
  const auto delivery = receive(1, 10).at(0);
  EXPECT_FALSE(change(delivery.receipt_handle, 100));
  pass(seconds{99});
  EXPECT_TRUE(receive(1).empty());
  EXPECT_FALSE(change(delivery.receipt_handle, 0));
  const auto again = receive(1, 1);
  EXPECT_EQ(bodies(again), (Bodies{"a"}));
  pass(seconds{5});
  // The latest handle hides again what is visible by now.
  EXPECT_FALSE(change(again.at(0).receipt_handle, 10));
  EXPECT_TRUE(receive(1).empty());
}

TEST_F(StandardQueueTest, AChangedVisibilityDoesNotCarryOverToTheNextReceive) {
  send("a");
  const auto delivery = receive(1, 10).at(0);
  EXPECT_FALSE(change(delivery.receipt_handle, 1'000));
  EXPECT_FALSE(change(delivery.receipt_handle, 0));
  receive(1, 10);
  pass(seconds{10});
  EXPECT_EQ(receive(1).size(), 1U);
}

TEST_F(StandardQueueTest, RefusesToChangeWhatIsGone) {
  send("a");
  const auto delivery = receive(1).at(0);
  remove(delivery.receipt_handle);
  const auto error = change(delivery.receipt_handle, 5);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::InvalidParameterValue);
  EXPECT_EQ(error->message, "Value " + delivery.receipt_handle +
                                " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
                                "available for visibility timeout change.");
}

TEST_F(StandardQueueTest, CapsTheTotalVisibilityAtTwelveHoursFromTheReceive) {
  send("a");
  const auto delivery = receive(1, 30).at(0);
  pass(seconds{10});
  EXPECT_FALSE(change(delivery.receipt_handle, 43'190));
  const auto error = change(delivery.receipt_handle, 43'200);
  ASSERT_TRUE(error);
  EXPECT_EQ(
      error->message,
      "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is "
      "beyond the limit [43200 seconds]");
}

TEST_F(StandardQueueTest, HoldsADelayedMessageBack) {
  send("late", 3);
  send("now");
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesDelayed"), "1");
  EXPECT_EQ(receive_bodies(10), (Bodies{"now"}));
  pass(Millis{2'999});
  EXPECT_TRUE(receive(10).empty());
  pass(Millis{1});
  EXPECT_EQ(receive_bodies(10), (Bodies{"late"}));
}

TEST_F(StandardQueueTest, AMessagesDelayOverridesTheQueues) {
  call<Done>(SetQueueAttributes{queue_, {{"DelaySeconds", "60"}}});
  send("now", 0);
  send("later");
  EXPECT_EQ(receive_bodies(10, 600), (Bodies{"now"}));
  pass(seconds{60});
  EXPECT_EQ(receive_bodies(10), (Bodies{"later"}));
}

TEST_F(StandardQueueTest, ForgetsMessagesAtTheEndOfTheirRetention) {
  call<Done>(SetQueueAttributes{queue_, {{"MessageRetentionPeriod", "60"}}});
  send("leased");
  send("waiting");
  send("delayed", 59);
  pass(seconds{1});
  send("younger");
  EXPECT_EQ(receive_bodies(1, 1'000), (Bodies{"leased"}));
  pass(Millis{58'999});
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "3");
  pass(Millis{1});
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "1");
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesNotVisible"), "0");
  EXPECT_EQ(receive_bodies(10), (Bodies{"younger"}));
  EXPECT_EQ(store_.message_count(), 1U);
}

TEST_F(StandardQueueTest, AShorterRetentionAppliesToWhatIsThereAlready) {
  send("a");
  send("b");
  receive(1, 600);
  pass(seconds{100});
  call<Done>(SetQueueAttributes{queue_, {{"MessageRetentionPeriod", "60"}}});
  pass(Millis{0});
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "0");
}

TEST_F(StandardQueueTest, ALongPollIsAnsweredByTheSendThatItWaitsFor) {
  const CallId poll = ask(receive_command(10, 30, 20));
  EXPECT_FALSE(answered(poll));
  pass(seconds{10});
  send("a");
  ASSERT_TRUE(answered(poll));
  EXPECT_EQ(bodies(deliveries_of(poll).messages), (Bodies{"a"}));
}

TEST_F(StandardQueueTest, ALongPollEndsEmptyWhenItsTimeIsOver) {
  const CallId poll = ask(receive_command(10, 30, 20));
  pass(Millis{19'999});
  EXPECT_FALSE(answered(poll));
  pass(Millis{1});
  ASSERT_TRUE(answered(poll));
  EXPECT_TRUE(deliveries_of(poll).messages.empty());
}

TEST_F(StandardQueueTest, ALongPollIsWokenByEndsOfVisibilityAndOfDelays) {
  send("leased");
  receive(1, 5);
  send("delayed", 8);
  const CallId first = ask(receive_command(1, 30, 20));
  const CallId second = ask(receive_command(1, 30, 20));
  pass(seconds{5});
  ASSERT_TRUE(answered(first));
  EXPECT_EQ(bodies(deliveries_of(first).messages), (Bodies{"leased"}));
  EXPECT_FALSE(answered(second));
  pass(seconds{3});
  ASSERT_TRUE(answered(second));
  EXPECT_EQ(bodies(deliveries_of(second).messages), (Bodies{"delayed"}));
}

TEST_F(StandardQueueTest, ALongPollGetsAllThatBecomesVisibleAtOnce) {
  create();
  for (const char* body : {"a", "b", "c"}) send(body);
  ASSERT_EQ(receive(10, 5).size(), 3U);
  send("d", 5);
  const CallId poll = ask(ReceiveMessages{queue_, 10, {}, 20, {}});
  pass(Millis{5'000});
  ASSERT_TRUE(answered(poll));
  EXPECT_EQ(deliveries_of(poll).messages.size(), 4U);
}

TEST_F(StandardQueueTest, ALongPollGetsWhatBecomesVisibleInItsLastMoment) {
  create();
  send("a", 20);
  const CallId poll = ask(ReceiveMessages{queue_, 10, {}, 20, {}});
  pass(Millis{20'000});
  ASSERT_TRUE(answered(poll));
  EXPECT_EQ(deliveries_of(poll).messages.size(), 1U);
}

TEST_F(StandardQueueTest, LongPollsAreServedInTheOrderInWhichTheyCame) {
  const CallId first = ask(receive_command(1, 30, 20));
  const CallId second = ask(receive_command(1, 30, 20));
  send("a");
  EXPECT_TRUE(answered(first));
  EXPECT_FALSE(answered(second));
}

TEST_F(StandardQueueTest, TheQueuesWaitTimeIsUsedWhereNoneIsGiven) {
  call<Done>(SetQueueAttributes{queue_, {{"ReceiveMessageWaitTimeSeconds", "4"}}});
  const CallId poll = ask(ReceiveMessages{queue_, 1, std::nullopt, std::nullopt, {}});
  EXPECT_FALSE(answered(poll));
  pass(seconds{4});
  EXPECT_TRUE(answered(poll));
}

TEST_F(StandardQueueTest, ACancelledLongPollTakesNothing) {
  const CallId poll = ask(receive_command(1, 30, 20));
  ask(CancelReceive{queue_, poll});
  send("a");
  EXPECT_FALSE(answered(poll));
  EXPECT_EQ(receive_bodies(1), (Bodies{"a"}));
}

TEST_F(StandardQueueTest, WhatNeverReachedItsClientComesAgainAtOnceAsIfNotReceived) {
  for (const char* body : {"a", "b", "c"}) send(body);
  std::vector<std::string> handles;
  for (const Delivery& delivery : receive(2)) handles.push_back(delivery.receipt_handle);
  ask(ReturnUndelivered{queue_, handles});
  const auto again = receive(3);
  EXPECT_EQ(bodies(again), (Bodies{"a", "b", "c"}));
  EXPECT_EQ(again.at(0).receive_count, 1U);
}

TEST_F(StandardQueueTest, MessagesReceivedThreeTimesGoBehindTheOthers) {
  send("poison");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(receive_bodies(1, 1), (Bodies{"poison"}));
    pass(seconds{1});
    if (i == 1) send("good");
  }
  EXPECT_EQ(receive_bodies(1), (Bodies{"good"}));
  EXPECT_EQ(receive_bodies(1), (Bodies{"poison"}));
}

TEST_F(StandardQueueTest, AtTheInFlightLimitShortPollsFailAndLongOnesWait) {
  Limits limits;
  limits.in_flight_max = 2;
  set_limits(limits);
  for (const char* body : {"a", "b", "c"}) send(body);
  const auto leased = receive(10, 30);
  EXPECT_EQ(leased.size(), 2U);
  EXPECT_EQ(call_error(receive_command(1)).code, ErrorCode::OverLimit);
  const CallId poll = ask(receive_command(1, 30, 20));
  EXPECT_FALSE(answered(poll));
  remove(leased[0].receipt_handle);
  ASSERT_TRUE(answered(poll));
  EXPECT_EQ(bodies(deliveries_of(poll).messages), (Bodies{"c"}));
}

TEST_F(StandardQueueTest, ReportsCounts) {
  for (int i = 0; i < 5; ++i) send("m");
  send("d", 10);
  receive(2);
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "3");
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesNotVisible"), "2");
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesDelayed"), "1");
}

TEST_F(StandardQueueTest, PurgeDropsEverythingAndLetsTheQueueGoOn) {
  for (int i = 0; i < 5; ++i) send("m");
  send("d", 10);
  const auto leased = receive(2);
  call<Done>(PurgeQueue{queue_});
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(store_.state_count(), 0U);
  EXPECT_TRUE(receive(10).empty());
  EXPECT_FALSE(remove(leased[0].receipt_handle));
  send("after");
  pass(seconds{60});
  EXPECT_EQ(receive_bodies(10), (Bodies{"after"}));
}

TEST_F(StandardQueueTest, StrictLimitsAllowOnePurgeAMinute) {
  call<Done>(PurgeQueue{queue_});
  call<Done>(PurgeQueue{queue_});
  Limits limits;
  limits.strict = true;
  set_limits(limits);
  const Error error = call_error(PurgeQueue{queue_});
  EXPECT_EQ(error.code, ErrorCode::PurgeQueueInProgress);
  EXPECT_EQ(error.message, "Only one PurgeQueue operation on jobs is allowed every 60 seconds.");
  pass(seconds{60});
  call<Done>(PurgeQueue{queue_});
}

TEST_F(StandardQueueTest, RefusesWhatIsLargerThanTheQueueTakes) {
  call<Done>(SetQueueAttributes{queue_, {{"MaximumMessageSize", "1024"}}});
  auto single = message(std::string(1'025, 'x'));
  const auto error = std::get<Error>(call<SendResults>(single).entries.at(0));
  EXPECT_EQ(error.message, "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.");
  single.batch = true;
  const auto entry = std::get<Error>(call<SendResults>(single).entries.at(0));
  EXPECT_EQ(entry.message,
            "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.");
  EXPECT_EQ(call<SendResults>(message(std::string(1'024, 'x'))).entries.size(), 1U);
  EXPECT_EQ(store_.message_count(), 1U);
}

TEST_F(StandardQueueTest, ARestartKeepsLeasesHandlesCountsAndDelays) {
  send("leased");
  send("waiting");
  send("delayed", 20);
  const auto first = receive(1, 5).at(0);
  pass(seconds{5});
  const auto second = receive(1, 60).at(0);
  restart();
  EXPECT_EQ(receive_bodies(10, 600), (Bodies{"waiting"}));
  pass(seconds{20});
  EXPECT_EQ(receive_bodies(10, 600), (Bodies{"delayed"}));
  pass(seconds{40});
  const auto third = receive(1, 60).at(0);
  EXPECT_EQ(third.receive_count, 3U);
  EXPECT_EQ(third.first_received, first.first_received);
  restart();
  EXPECT_FALSE(remove(third.receipt_handle));
  EXPECT_EQ(store_.message_count(), 2U);
  EXPECT_FALSE(remove(second.receipt_handle));
}

TEST_F(StandardQueueTest, ReceivesNeedNoSyncButSendsDo) {
  send("a");
  EXPECT_TRUE(synced_);
  receive(1);
  EXPECT_FALSE(synced_);
}

TEST_F(StandardQueueTest, ABacklogBeyondTheWindowIsDeliveredWholeAndInOrder) {
  Limits limits;
  limits.fresh_window_max = 4;
  limits.fresh_load_count_max = 3;
  set_limits(limits);
  Bodies sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(std::to_string(i));
    send(sent.back());
    if (i % 7 == 0) send("delayed", 900);
  }
  Bodies received;
  for (int i = 0; i < 25; ++i) {
    if (i == 5) restart();
    for (std::string& body : receive_bodies(3)) received.push_back(std::move(body));
    // A send in between goes behind what waits on disk.
    if (i == 3) send("last");
  }
  sent.emplace_back("last");
  EXPECT_EQ(received, sent);
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "0");
  EXPECT_GT(loads_, 10);
}

TEST_F(StandardQueueTest, ReturnedAndDelayedMessagesBeyondWhatMemoryHoldsAreAllDelivered) {
  Limits limits;
  limits.resident_idle_max = 4;
  limits.state_load_count_max = 3;
  set_limits(limits);
  for (int i = 0; i < 40; ++i) send(std::to_string(i), i % 2 == 0 ? std::optional<int>{10} : std::nullopt);
  EXPECT_EQ(receive(10, 1).size(), 10U);
  EXPECT_EQ(receive(10, 1).size(), 10U);
  pass(seconds{20});
  std::set<std::string> seen;
  for (int i = 0; i < 30; ++i) {
    for (const Delivery& delivery : receive(10, 600)) {
      EXPECT_TRUE(seen.insert(bodies({delivery}).at(0)).second) << "delivered twice";
      if (i % 2 == 0) remove(delivery.receipt_handle);
    }
  }
  EXPECT_EQ(seen.size(), 40U);
}

TEST_F(StandardQueueTest, AHandleWorksThoughItsMessageIsNotInMemory) {
  Limits limits;
  limits.resident_idle_max = 2;
  limits.state_load_count_max = 2;
  set_limits(limits);
  for (int i = 0; i < 12; ++i) send(std::to_string(i));
  std::vector<std::string> handles;
  for (int i = 0; i < 2; ++i) {
    for (const Delivery& delivery : receive(10, 1)) handles.push_back(delivery.receipt_handle);
  }
  ASSERT_EQ(handles.size(), 12U);
  pass(seconds{2});
  EXPECT_FALSE(change(handles[11], 100));
  for (std::size_t i = 0; i < 11; ++i) EXPECT_FALSE(remove(handles[i]));
  EXPECT_EQ(store_.message_count(), 1U);
  EXPECT_TRUE(receive(10).empty());
  pass(seconds{100});
  EXPECT_EQ(receive_bodies(10), (Bodies{"11"}));
}

TEST_F(StandardQueueTest, AHandleNamedTwiceInOneRequestIsOneMessage) {
  Limits limits;
  limits.resident_idle_max = 2;
  set_limits(limits);
  for (int i = 0; i < 8; ++i) send(std::to_string(i));
  const auto handle = receive(10, 0).at(7).receipt_handle;
  const auto changed = call<EntryResults>(ChangeVisibility{queue_, {{handle, 2}, {handle, 2}}});
  EXPECT_EQ(changed.entries.size(), 2U);
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesNotVisible"), "1");
  pass(seconds{2});
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesNotVisible"), "0");
  const auto removed = call<EntryResults>(DeleteMessages{queue_, {handle, handle}});
  EXPECT_FALSE(removed.entries.at(0) || removed.entries.at(1));
  EXPECT_EQ(store_.message_count(), 7U);
}

TEST_F(StandardQueueTest, ManyDelayedMessagesHideNoneThatIsReady) {
  Limits limits;
  limits.resident_idle_max = 4;
  limits.state_load_count_max = 3;
  set_limits(limits);
  for (int i = 0; i < 20; ++i) send("delayed", 900);
  send("soon", 1);
  send("job");
  EXPECT_EQ(receive_bodies(1, 1), (Bodies{"job"}));
  pass(seconds{1});
  Bodies both = receive_bodies(10, 40'000);
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, (Bodies{"job", "soon"}));
  pass(seconds{899});
  std::size_t delivered = 0;
  for (int i = 0; i < 10; ++i) delivered += receive(10, 10'000).size();
  EXPECT_EQ(delivered, 20U);
}

TEST_F(StandardQueueTest, ALongPollIsNotForgottenBehindABacklogThatHasExpired) {
  Limits limits;
  limits.expire_batch_max = 2;
  set_limits(limits);
  call<Done>(SetQueueAttributes{queue_, {{"MessageRetentionPeriod", "60"}}});
  for (int i = 0; i < 9; ++i) send("old");
  pass(seconds{59});
  send("young");
  now_ += seconds{2};
  const CallId poll = ask(receive_command(10, 30, 20));
  pass(Millis{0});
  ASSERT_TRUE(answered(poll));
  EXPECT_EQ(bodies(deliveries_of(poll).messages), (Bodies{"young"}));
}

TEST_F(StandardQueueTest, ShutdownAnswersLongPollsEmpty) {
  const CallId poll = ask(receive_command(1, 30, 20));
  engine_->release_parked();
  settle();
  ASSERT_TRUE(answered(poll));
  EXPECT_TRUE(deliveries_of(poll).messages.empty());
}

}  // namespace
}  // namespace penstock::core
