// What an operator is told of queues: counts that only grow, and what there is now.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "core/age_index.hpp"
#include "core/shard_engine.hpp"
#include "engine_fixture.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {
namespace {

class QueueSurveyTest : public EngineFixture {
 protected:
  Survey survey() {
    Survey all;
    SurveyPlace place;
    while (!place.over) engine_->survey(place, 1'000, all);
    return all;
  }
  QueueView view() { return survey().queues.at(0); }
};

TEST_F(QueueSurveyTest, AMessageIsCountedAtEachStepOfItsWay) {
  create();
  send("a");
  send("b");
  send("later", 60);
  const auto taken = receive(1);
  EXPECT_EQ(view().visible, 1U);
  EXPECT_EQ(view().in_flight, 1U);
  EXPECT_EQ(view().delayed, 1U);
  remove(taken[0].receipt_handle);
  remove(taken[0].receipt_handle);
  receive(10);
  receive(10);
  const QueueTally tally = view().tally;
  EXPECT_EQ(tally.sends, 3U);
  EXPECT_EQ(tally.receives, 2U);
  EXPECT_EQ(tally.empty_receives, 1U);
  EXPECT_EQ(tally.deletes, 1U) << "the second of the same deletes nothing";
}

TEST_F(QueueSurveyTest, WhatIsRefusedIsNotCounted) {
  create({{"MaximumMessageSize", "1024"}});
  SendMessages command = message(std::string(2'000, 'x'));
  call<SendResults>(command);
  EXPECT_EQ(view().tally.sends, 0U);
}

TEST_F(QueueSurveyTest, AReceiveThatWaitsIsParkedAndCountsWhenItIsOver) {
  create();
  ask(receive_command(1, std::nullopt, 5));
  EXPECT_EQ(view().parked, 1U);
  EXPECT_EQ(view().tally.empty_receives, 0U);
  pass(std::chrono::seconds{5});
  EXPECT_EQ(view().parked, 0U);
  EXPECT_EQ(view().tally.empty_receives, 1U);
  ask(receive_command(1, std::nullopt, 5));
  send("a");
  EXPECT_EQ(view().tally.receives, 1U);
}

TEST_F(QueueSurveyTest, TheOldestIsTheOldestWhereverItIs) {
  create();
  EXPECT_FALSE(view().oldest);
  const auto sent = [this](int seconds) { return now_ - std::chrono::seconds{seconds}; };
  send("first");
  pass(std::chrono::seconds{10});
  send("second");
  pass(std::chrono::seconds{10});
  EXPECT_EQ(view().oldest, sent(20)) << "fresh";
  const auto first = receive(1, 600);
  EXPECT_EQ(view().oldest, sent(20)) << "in flight";
  remove(first[0].receipt_handle);
  EXPECT_EQ(view().oldest, sent(10));
  const auto second = receive(1, 0);
  EXPECT_EQ(view().oldest, sent(10)) << "returned";
  call<Done>(PurgeQueue{queue_});
  EXPECT_FALSE(view().oldest);
}

TEST_F(QueueSurveyTest, TheOldestOfAFifoQueueIsItsFirst) {
  queue_.name = "jobs.fifo";
  create({{"FifoQueue", "true"}, {"ContentBasedDeduplication", "true"}});
  for (const std::string body : {"a", "b", "b"}) {
    SendMessages command = message(body);
    command.messages[0].content.group_id = "g";
    command.messages[0].body_sha256 = body;
    call<SendResults>(command);
    pass(std::chrono::seconds{10});
  }
  EXPECT_EQ(view().tally.sends, 2U) << "one was a duplicate";
  EXPECT_EQ(view().oldest, now_ - std::chrono::seconds{30});
  const auto taken = receive(1, 600);
  remove(taken[0].receipt_handle);
  EXPECT_EQ(view().tally.deletes, 1U);
  EXPECT_EQ(view().oldest, now_ - std::chrono::seconds{20});
}

TEST_F(QueueSurveyTest, ADeadLetterCountsAtItsOriginOnceItHasArrived) {
  const QueueName jobs = queue_;
  const QueueName dead{jobs.account, jobs.region, "dead"};
  queue_ = dead;
  create();
  queue_ = jobs;
  CreateQueue command{queue_, {{"RedrivePolicy", "{}"}}, {}};
  command.redrive = RedrivePolicy{arn_of(dead), 1};
  call<Done>(command);
  send("bad");
  receive(1, 0);
  receive(1, 0);
  const Survey all = survey();
  ASSERT_EQ(all.queues.size(), 2U);
  for (const QueueView& each : all.queues) {
    EXPECT_EQ(each.tally.dead_letters, each.name == jobs ? 1U : 0U);
    EXPECT_EQ(each.tally.sends, each.name == jobs ? 1U : 0U);
    EXPECT_EQ(each.visible, each.name == dead ? 1U : 0U);
  }
}

TEST_F(QueueSurveyTest, TheSumsKeepWhatQueuesWereAskedThatAreGone) {
  create();
  send("a");
  receive(1);
  call<Done>(DeleteQueue{queue_});
  EXPECT_TRUE(survey().queues.empty());
  EXPECT_EQ(engine_->tally().queues.sends, 1U);
  EXPECT_EQ(engine_->tally().queues.receives, 1U);
}

TEST_F(QueueSurveyTest, SurveysOfAnySizeSeeAllQueuesOnce) {
  std::set<std::string> names;
  for (int i = 0; i < 25; ++i) {
    queue_.name = "q" + std::to_string(i);
    names.insert(queue_.name);
    create();
  }
  for (const std::size_t steps : {1U, 2U, 7U, 25U, 26U, 100U}) {
    SurveyPlace place;
    std::vector<std::string> seen;
    int turns = 0;
    while (!place.over) {
      Survey part;
      engine_->survey(place, steps, part);
      EXPECT_LE(part.queues.size(), steps);
      for (const QueueView& each : part.queues) seen.push_back(each.name.name);
      ASSERT_LE(++turns, 30);
    }
    EXPECT_EQ(seen.size(), names.size()) << steps;
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), names) << steps;
  }
}

TEST_F(QueueSurveyTest, WhatGoesDuringASurveyDoesNotDisturbIt) {
  for (const std::string name : {"a", "b", "c"}) {
    queue_.name = name;
    create();
  }
  SurveyPlace place;
  Survey all;
  engine_->survey(place, 1, all);
  queue_.name = "a";
  call<Done>(DeleteQueue{queue_});
  queue_.name = "b";
  call<Done>(DeleteQueue{queue_});
  while (!place.over) engine_->survey(place, 1, all);
  ASSERT_EQ(all.queues.size(), 2U);
  EXPECT_EQ(all.queues[1].name.name, "c");
}

TEST(AgeIndexTest, TheOldestIsKnownInWhateverOrderTheyGo) {
  AgeIndex ages;
  EXPECT_FALSE(ages.oldest());
  const Instant first = from_epoch_ms(5'400);
  const Instant second = from_epoch_ms(5'900);
  const Instant third = from_epoch_ms(9'000);
  for (const Instant each : {third, first, second}) ages.add(each);
  EXPECT_EQ(ages.oldest(), from_epoch_ms(5'000));
  ages.remove(first);
  EXPECT_EQ(ages.oldest(), from_epoch_ms(5'000));
  ages.remove(second);
  EXPECT_EQ(ages.oldest(), third);
  ages.remove(third);
  EXPECT_FALSE(ages.oldest());
}

}  // namespace
}  // namespace penstock::core
