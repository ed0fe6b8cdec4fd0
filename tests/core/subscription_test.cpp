// Enhanced fan-out: consumers, their subscriptions, and how these end.
#include <gmock/gmock.h>

#include <chrono>

#include "stream_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SubscriptionTest : public StreamFixture {
 protected:
  SubscriptionTest() {
    create();
    consumer_ = register_consumer("c");
  }

  ConsumerRef register_consumer(const std::string& name) {
    const auto consumer = call<ConsumerDescription>(RegisterConsumer{stream_, name, {}}).consumer;
    return {name, std::chrono::floor<seconds>(consumer.created).time_since_epoch().count()};
  }
  SubscribeToShard subscribe_command(IteratorType type = IteratorType::latest) const {
    return SubscribeToShard{stream_, consumer_, "shard-0", StartingPosition{type, {}, {}}};
  }
  Subscribed subscribe(IteratorType type = IteratorType::latest) { return call<Subscribed>(subscribe_command(type)); }
  CallId await(const Subscribed& at) { return ask(AwaitRecords{stream_, at.id, at.subscription, at.from}); }
  RecordsPage page(CallId id) {
    RecordsPage answer = answer_of<RecordsPage>(id);
    store_.read(answer);
    return answer;
  }

  ConsumerRef consumer_;
};

TEST_F(SubscriptionTest, RecordsArePushedWhenTheyCome) {
  Subscribed at = subscribe();
  const CallId waiting = await(at);
  EXPECT_FALSE(answered(waiting));
  put({"a"});
  ASSERT_TRUE(answered(waiting));
  const RecordsPage first = page(waiting);
  EXPECT_THAT(data_of(first), ElementsAre("a"));
  at.from = first.next;
  put({"b"});
  const CallId again = await(at);
  ASSERT_TRUE(answered(again)) << "what came in between is not waited for";
  EXPECT_THAT(data_of(page(again)), ElementsAre("b"));
}

TEST_F(SubscriptionTest, AnEventIsSmallerThanClientsTake) {
  const Subscribed at = subscribe();
  const std::string mebibyte(1U << 20U, 'x');
  for (int i = 0; i < 3; ++i) put({mebibyte});
  // Where keys are escaped in JSON, a page as large as that of GetRecords would be more than the 16 MiB of an event.
  const RecordsPage first = page(await(at));
  EXPECT_EQ(first.records.size(), 1U);
  EXPECT_LT(first.next, first.until);
}

TEST_F(SubscriptionTest, AnIdleShardIsHeardOf) {
  const Subscribed at = subscribe();
  const CallId waiting = await(at);
  pass(seconds{5});
  ASSERT_TRUE(answered(waiting));
  EXPECT_THAT(page(waiting).records, IsEmpty());
}

TEST_F(SubscriptionTest, ItEndsAfterFiveMinutes) {
  const Subscribed at = subscribe();
  const Instant end = now_ + seconds{300};
  while (now_ < end) {
    const CallId waiting = await(at);
    pass(Millis{4'500});
    ASSERT_TRUE(answered(waiting));
    if (std::holds_alternative<SubscriptionOver>(replies_.at(waiting))) break;
  }
  EXPECT_GE(now_, end);
  EXPECT_FALSE(call<SubscriptionOver>(AwaitRecords{stream_, at.id, at.subscription, at.from}).error);
}

TEST_F(SubscriptionTest, ANewcomerIsRefusedForFiveSecondsAndThenTakesOver) {
  const Subscribed first = subscribe();
  EXPECT_EQ(call_error(subscribe_command()).code, ErrorCode::KinesisResourceInUse);
  pass(seconds{4});
  const CallId waiting = await(first);
  pass(seconds{1});
  const CallId parked = answered(waiting) ? await(first) : waiting;
  const Subscribed second = subscribe();
  ASSERT_TRUE(answered(parked));
  const auto over = answer_of<SubscriptionOver>(parked);
  ASSERT_TRUE(over.error);
  EXPECT_EQ(over.error->code, ErrorCode::KinesisResourceInUse);
  const CallId next = await(second);
  put({"a"});
  EXPECT_TRUE(answered(next));
}

TEST_F(SubscriptionTest, WhoIsTakenOverWhileBusyIsToldNext) {
  const Subscribed first = subscribe();
  pass(seconds{6});
  subscribe();
  const auto over = call<SubscriptionOver>(AwaitRecords{stream_, first.id, first.subscription, first.from});
  ASSERT_TRUE(over.error);
  EXPECT_EQ(over.error->code, ErrorCode::KinesisResourceInUse);
}

TEST_F(SubscriptionTest, AShardThatIsSplitEndsIt) {
  const Subscribed at = subscribe();
  const CallId waiting = await(at);
  split("shard-0", middle_);
  ASSERT_TRUE(answered(waiting));
  const RecordsPage last = page(waiting);
  EXPECT_TRUE(last.ends_shard());
  EXPECT_EQ(last.children.size(), 2U);
}

TEST_F(SubscriptionTest, AClientThatGoesLeavesNothingWaiting) {
  const Subscribed at = subscribe();
  const CallId waiting = await(at);
  ask(EndSubscription{stream_, at.id, at.subscription});
  EXPECT_TRUE(answered(waiting));
  EXPECT_FALSE(engine_->next_deadline());
  EXPECT_EQ(call_error(subscribe_command()).code, ErrorCode::KinesisResourceInUse) << "five seconds are five seconds";
}

TEST_F(SubscriptionTest, OthersReadBesideIt) {
  const Subscribed at = subscribe();
  consumer_ = register_consumer("d");
  const Subscribed other = subscribe();
  const CallId first = await(at);
  const CallId second = await(other);
  put({"a"});
  EXPECT_TRUE(answered(first));
  EXPECT_TRUE(answered(second));
}

TEST_F(SubscriptionTest, ItEndsWithItsConsumerItsStreamAndTheServer) {
  const Subscribed at = subscribe();
  CallId waiting = await(at);
  call<Done>(DeregisterConsumer{stream_, "c", {}});
  EXPECT_EQ(answer_of<SubscriptionOver>(waiting).error->code, ErrorCode::KinesisResourceNotFound);
  consumer_ = register_consumer("c");
  waiting = await(subscribe());
  call<Done>(DeleteStream{stream_, true});
  EXPECT_EQ(answer_of<SubscriptionOver>(waiting).error->code, ErrorCode::KinesisResourceNotFound);
  create();
  consumer_ = register_consumer("c");
  waiting = await(subscribe());
  engine_->release_parked();
  settle();
  EXPECT_FALSE(answer_of<SubscriptionOver>(waiting).error);
}

TEST_F(SubscriptionTest, OfReadsInsideTheServerThoseEndWithAConsumerThatAreByIt) {
  const Subscribed at = subscribe();
  register_consumer("d");
  const auto read_by = [&](const std::string& consumer) {
    ReadShard read{stream_, at.id, ShardIndex{0}, at.from};
    read.count_max = 10;
    read.bytes_max = 1'000;
    read.consumer = consumer;
    return ask(std::move(read));
  };
  const CallId its = read_by("c");
  const CallId by_another = read_by("d");
  const CallId by_none = read_by("");
  call<Done>(DeregisterConsumer{stream_, "c", {}});
  ASSERT_TRUE(answered(its));
  EXPECT_THAT(page(its).records, IsEmpty());
  EXPECT_FALSE(answered(by_another));
  EXPECT_FALSE(answered(by_none));
  put({"a"});
  EXPECT_THAT(data_of(page(by_another)), ElementsAre("a"));
  EXPECT_THAT(data_of(page(by_none)), ElementsAre("a"));
}

TEST_F(SubscriptionTest, ConsumersAreRegisteredOnceAndNoMoreThanTwenty) {
  EXPECT_EQ(call_error(RegisterConsumer{stream_, "c", {}}).code, ErrorCode::KinesisResourceInUse);
  for (int i = 1; i < 20; ++i) register_consumer("c" + std::to_string(i));
  EXPECT_EQ(call_error(RegisterConsumer{stream_, "x", {}}).code, ErrorCode::KinesisLimitExceeded);
  EXPECT_EQ(call_error(DeleteStream{stream_, false}).code, ErrorCode::KinesisResourceInUse);
  ListConsumers list;
  list.stream = stream_;
  list.limit = 15;
  const auto first = call<ConsumerList>(list);
  EXPECT_TRUE(first.more);
  list.after = first.consumers.back().name;
  EXPECT_EQ(call<ConsumerList>(list).consumers.size(), 5U);
}

}  // namespace
}  // namespace penstock::core
