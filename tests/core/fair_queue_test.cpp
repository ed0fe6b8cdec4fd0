// Fair queues: tenants of a standard queue, by MessageGroupId.
#include <gmock/gmock.h>

#include "engine_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FairQueueTest : public EngineFixture {
 protected:
  FairQueueTest() { create(); }

  void put(const std::string& group, const std::string& body, std::optional<int> delay = {}) {
    SendMessages command = message(body, delay);
    command.messages[0].content.group_id = group;
    call<SendResults>(std::move(command));
  }
  void flood(const std::string& group, int count) {
    for (int i = 0; i < count; ++i) put(group, group);
  }
  /// Receives so many of whatever comes first and keeps them in flight.
  std::vector<std::string> hold(int count, int seconds = 600) {
    std::vector<std::string> all;
    while (count > 0) {
      const auto some = receive_bodies(std::min(count, 10), seconds);
      if (some.empty()) break;
      all.insert(all.end(), some.begin(), some.end());
      count -= static_cast<int>(some.size());
    }
    return all;
  }
};

TEST_F(FairQueueTest, WithoutANoisyTenantTheOldestComesFirst) {
  put("a", "a1");
  put("b", "b1");
  send("none");
  put("a", "a2");
  EXPECT_THAT(receive_bodies(10), ElementsAre("a1", "b1", "none", "a2"));
}

TEST_F(FairQueueTest, ATenantWithThirtyInFlightAndMoreThanATenthOfAllIsNoisy) {
  flood("noisy", 100);
  put("quiet", "quiet");
  send("alone");
  EXPECT_THAT(hold(29), Each(Eq("noisy")));
  EXPECT_THAT(receive_bodies(1, 600), ElementsAre("noisy")) << "not yet thirty";
  EXPECT_THAT(receive_bodies(3, 600), ElementsAre("quiet", "alone", "noisy"));
}

TEST_F(FairQueueTest, ATenthOfWhatIsInFlightIsNotNoisy) {
  for (int i = 0; i < 400; ++i) put("tenant" + std::to_string(i), "other");
  hold(400);
  flood("large", 40);
  put("quiet", "quiet");
  EXPECT_THAT(hold(35), Each(Eq("large")));
  EXPECT_THAT(receive_bodies(6, 600), ElementsAre("large", "large", "large", "large", "large", "quiet"));
}

TEST_F(FairQueueTest, OfSeveralNoisyTenantsTheOneWithFewestInFlightComesFirst) {
  flood("a", 60);
  EXPECT_EQ(hold(50).size(), 50U);
  flood("b", 60);
  EXPECT_EQ(hold(40), std::vector<std::string>(40, "b")) << "b became noisy at thirty, and has fewer than a";
  EXPECT_EQ(hold(10), std::vector<std::string>(10, "b"));
  EXPECT_THAT(receive_bodies(1, 600), ElementsAre("a")) << "the older of two with as many";
  EXPECT_THAT(receive_bodies(1, 600), ElementsAre("b"));
}

TEST_F(FairQueueTest, ATenantThatTakesMoreThanATenthOfTheTimeIsNoisy) {
  flood("slow", 5);
  put("quick", "quick");
  const auto first = receive(1, 600);
  EXPECT_THAT(bodies(first), ElementsAre("slow"));
  pass(Millis{20'000});
  remove(first[0].receipt_handle);
  EXPECT_THAT(receive_bodies(2), ElementsAre("quick", "slow"));
}

TEST_F(FairQueueTest, AChangeOfVisibilityIsNoProcessingTimeOfItsOwn) {
  for (int i = 0; i < 12; ++i) put("t" + std::to_string(i), "x");
  const auto first = receive(10, 600);
  const auto rest = receive(2, 600);
  put("t0", "second of t0");
  put("t5", "second of t5");
  for (int beat = 0; beat < 30; ++beat) {
    pass(Millis{100});
    change(first[0].receipt_handle, 600);
  }
  EXPECT_THAT(receive_bodies(1), ElementsAre("second of t0"));
}

TEST_F(FairQueueTest, ItIsQuietAgainWhenItsBacklogHasDrained) {
  flood("a", 40);
  std::vector<Delivery> held = receive(10, 600);
  const std::vector<Delivery> more = receive(10, 600);
  held.insert(held.end(), more.begin(), more.end());
  EXPECT_EQ(hold(20).size(), 20U);
  put("a", "a again");
  put("b", "b");
  EXPECT_THAT(receive_bodies(1), ElementsAre("b")) << "it has forty in flight, and something waits";
  EXPECT_THAT(receive_bodies(1), ElementsAre("a again"));
  for (const Delivery& done : held) remove(done.receipt_handle);
  put("a", "a once more");
  put("b", "b once more");
  EXPECT_THAT(receive_bodies(1), ElementsAre("a once more")) << "drained, and with less than thirty in flight";
}

TEST_F(FairQueueTest, ItIsQuietAgainAfterFiveMinutesWithoutSends) {
  flood("a", 60);
  EXPECT_EQ(hold(40, 3'600).size(), 40U);
  flood("b", 60);
  EXPECT_EQ(hold(40, 3'600), std::vector<std::string>(40, "b"));
  pass(Millis{300'000});
  put("c", "c");
  EXPECT_THAT(receive_bodies(1), ElementsAre("a")) << "the oldest, where all are quiet";
  flood("a", 1);
  EXPECT_THAT(receive_bodies(1), ElementsAre("b")) << "a sends again, and so is noisy again";
}

TEST_F(FairQueueTest, WhatWasReceivedOftenIsNotStarvedByWhatComesAfterIt) {
  put("a", "often");
  for (int i = 0; i < 3; ++i) receive(1, 0);
  for (int i = 0; i < 20; ++i) put("b", "b");
  int until_it_came = 0;
  for (; until_it_came < 40; ++until_it_came) {
    const auto next = receive(1, 600);
    if (bodies(next) == std::vector<std::string>{"often"}) break;
    remove(next[0].receipt_handle);
    put("b", "b");
  }
  EXPECT_LE(until_it_came, 21);
}

TEST_F(FairQueueTest, WhatANoisyTenantGetsBackWaitsBehindQuietOnes) {
  flood("noisy", 60);
  hold(40, 10);
  pass(Millis{10'000});
  hold(35);
  put("quiet", "quiet");
  EXPECT_THAT(receive_bodies(1), ElementsAre("quiet"));
}

// What fair queues are for: consumers work at a steady pace, one tenant floods, and another's few messages wait no
// longer than before.
TEST_F(FairQueueTest, AQuietTenantsWaitStaysFlatWhileAnotherFloods) {
  std::vector<Delivery> in_work;
  std::map<std::string, Instant> sent_at;
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> during;
  int number = 0;
  // Forty consumers take one message each tenth of a second, and finish those of the second before.
  const auto tick = [&](std::vector<std::int64_t>& waits) {
    std::vector<Delivery> taken;
    for (int i = 0; i < 4; ++i) {
      const auto some = receive(10, 600);
      taken.insert(taken.end(), some.begin(), some.end());
    }
    for (const std::string& body : bodies(taken)) {
      if (const auto at = sent_at.find(body); at != sent_at.end()) waits.push_back((now_ - at->second).count());
    }
    for (const Delivery& done : in_work) remove(done.receipt_handle);
    in_work = std::move(taken);
    pass(Millis{100});
  };
  const auto send_quiet = [&] {
    const std::string body = "quiet" + std::to_string(++number);
    put("quiet", body);
    sent_at[body] = now_;
  };
  for (int i = 0; i < 50; ++i) {
    flood("noisy", 10);
    send_quiet();
    tick(before);
  }
  flood("noisy", 3'000);
  for (int i = 0; i < 50; ++i) {
    flood("noisy", 60);
    send_quiet();
    tick(during);
  }
  ASSERT_EQ(before.size(), 50U);
  ASSERT_GE(during.size(), 49U);
  const auto worst = [](const std::vector<std::int64_t>& waits) {
    return *std::max_element(waits.begin(), waits.end());
  };
  EXPECT_LE(worst(during), worst(before) + 100);
  EXPECT_GT(std::stoi(attribute("ApproximateNumberOfMessages")), 3'000) << "there was no flood";
}

TEST_F(FairQueueTest, LanesSurviveARestartAndDoNotFillTheMemory) {
  Limits limits;
  limits.lane_window_max = 4;
  limits.lane_windows_total_max = 6;
  set_limits(limits);
  std::vector<std::string> sent;
  for (int i = 0; i < 60; ++i) {
    sent.push_back(std::to_string(i));
    put("g" + std::to_string(i % 3), sent.back());
    if (i == 30) restart();
  }
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "60");
  restart();
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "60");
  std::vector<std::string> received;
  for (int i = 0; i < 60; ++i) {
    for (const Delivery& delivery : receive(7)) {
      received.push_back(bodies({delivery})[0]);
      remove(delivery.receipt_handle);
    }
  }
  EXPECT_THAT(received, ::testing::UnorderedElementsAreArray(sent));
  EXPECT_EQ(store_.lane_entry_count(), 0U);
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(store_.state_count(), 0U);
}

TEST_F(FairQueueTest, TenantsBeyondTheLimitShareTheQueue) {
  Limits limits;
  limits.lanes_max = 2;
  set_limits(limits);
  for (const char* group : {"a", "b", "c", "d"}) put(group, group);
  EXPECT_EQ(store_.lane_entry_count(), 2U);
  EXPECT_THAT(receive_bodies(10), UnorderedElementsAre("a", "b", "c", "d"));
}

TEST_F(FairQueueTest, RetentionAndPurgeTakeLanesToo) {
  call<Done>(SetQueueAttributes{queue_, {{"MessageRetentionPeriod", "60"}}});
  put("a", "1");
  pass(Millis{60'000});
  EXPECT_EQ(store_.lane_entry_count(), 0U);
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "0");
  put("a", "2");
  put("b", "3", 100);
  call<Done>(PurgeQueue{queue_});
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "0");
  put("a", "4");
  EXPECT_THAT(receive_bodies(10), ElementsAre("4"));
}

TEST_F(FairQueueTest, ARestartKnowsWhoHasWhatInFlight) {
  flood("noisy", 60);
  hold(40);
  restart();
  put("quiet", "quiet");
  EXPECT_THAT(receive_bodies(2), ElementsAre("quiet", "noisy"));
}

TEST_F(FairQueueTest, ARestartTakesNobodyForNoisyWhoIsNot) {
  for (int i = 0; i < 40; ++i) put("a", "a");
  hold(31);
  // Other tenants have so much in flight that it is less than a tenth, but it comes first on disk.
  for (int i = 0; i < 400; ++i) put("tenant" + std::to_string(i), "other");
  hold(409);
  restart();
  put("a", "a2");
  put("b", "b");
  EXPECT_THAT(receive_bodies(2), ElementsAre("a2", "b"));
}

TEST_F(FairQueueTest, TheFirstReceiveAfterARestartFindsMoreThanOneOfATenant) {
  flood("a", 20);
  restart();
  EXPECT_EQ(receive(10).size(), 10U);
}

TEST_F(FairQueueTest, WhatANoisyTenantGotBackIsFreeWhenItIsQuietAgain) {
  flood("a", 60);
  hold(50, 10);
  pass(Millis{10'000});
  hold(40, 3'600);
  // Ten of it wait again, and are held for as long as it is noisy.
  put("b", "b");
  EXPECT_THAT(receive_bodies(1, 600), ElementsAre("b"));
  pass(Millis{300'000});
  put("b", "b2");
  EXPECT_THAT(receive_bodies(1, 0), ElementsAre("a"));
}

TEST_F(FairQueueTest, TimeSpentIsRememberedThoughTheBacklogWasEmptyMeanwhile) {
  put("slow", "slow");
  put("quick", "quick");
  const auto first = receive(2, 600);
  remove(first[1].receipt_handle);
  pass(Millis{20'000});
  remove(first[0].receipt_handle);
  put("slow", "slow again");
  put("quick", "quick again");
  EXPECT_THAT(receive_bodies(2), ElementsAre("quick again", "slow again"));
  pass(Millis{3'600'000});
}

TEST_F(FairQueueTest, DeadLettersAndRedrivesKeepTheirGroup) {
  const QueueName dead{"000000000000", "us-east-1", "dead"};
  call<Done>(CreateQueue{dead, {}, {}});
  call<Done>(SetQueueAttributes{queue_, {{"RedrivePolicy", "{}"}}, RedrivePolicy{arn_of(dead), 1}, {}});
  put("a", "1");
  receive(1, 0);
  EXPECT_THAT(receive(1), IsEmpty());
  call<MoveTaskStarted>(StartMessageMoveTask{dead, {}, 0});
  const auto back = receive(1);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(store_.message(back[0].queue, back[0].sequence)->content.group_id, "a");
}

}  // namespace
}  // namespace penstock::core
