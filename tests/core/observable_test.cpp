// The next moment at which a client could see something happen, as against one that is due for the engine alone.
#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "core/leap.hpp"
#include "group_fixture.hpp"
#include "trigger_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// From now on.
std::optional<Millis> ahead(const std::optional<Instant>& moment, Instant now) {
  return moment ? std::optional(*moment - now) : std::nullopt;
}

// ---- Queues

class ObservableOfQueues : public EngineFixture {
 protected:
  std::optional<Millis> due() const { return ahead(engine_->next_deadline(), now_); }
  std::optional<Millis> observable() const { return ahead(engine_->next_observable(), now_); }
};

TEST_F(ObservableOfQueues, IsADelaysEndAndAVisibilitysAndAMessagesExpiry) {
  create({{"MessageRetentionPeriod", "3600"}});
  EXPECT_EQ(observable(), std::nullopt);
  send("a", 600);
  EXPECT_EQ(observable(), seconds{600});
  pass(seconds{600});
  EXPECT_EQ(observable(), seconds{3'000}) << "it expires";
  receive(1, 30);
  EXPECT_EQ(observable(), seconds{30});
  pass(seconds{30});
  EXPECT_EQ(observable(), seconds{2'970});
  pass(seconds{2'970});
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(observable(), std::nullopt);
}

TEST_F(ObservableOfQueues, IsNotThatALeaseIsWritten) {
  create();
  send("a");
  ReceiveMessages command = receive_command(1, 30);
  command.lease_ends_with_server = true;
  call<Deliveries>(std::move(command));
  EXPECT_EQ(due(), limits_.lease_unwritten_max);
  EXPECT_EQ(observable(), seconds{30});
}

TEST_F(ObservableOfQueues, IsNotThatALongPollEndsEmpty) {
  create();
  ask(receive_command(1, std::nullopt, 20));
  EXPECT_EQ(due(), seconds{20});
  EXPECT_EQ(observable(), std::nullopt);
  send("a", 15);
  EXPECT_EQ(observable(), seconds{15});
}

TEST_F(ObservableOfQueues, IsTheExpiryOfTheMessageThatStandsFirstNow) {
  create({{"MessageRetentionPeriod", "3600"}});
  send("a");
  pass(seconds{10});
  send("b");
  remove(receive(1)[0].receipt_handle);
  EXPECT_EQ(due(), seconds{3'590}) << "the deadline is left as it was";
  EXPECT_EQ(observable(), seconds{3'600});
  remove(receive(1)[0].receipt_handle);
  EXPECT_EQ(observable(), std::nullopt);
}

TEST_F(ObservableOfQueues, IsTheSameOfTenants) {
  create({{"MessageRetentionPeriod", "3600"}});
  for (int i = 0; i < 2; ++i) {
    SendMessages command = message("a");
    command.messages[0].content.group_id = "tenant";
    call<SendResults>(std::move(command));
    pass(seconds{10});
  }
  EXPECT_EQ(observable(), seconds{3'580});
  remove(receive(1)[0].receipt_handle);
  EXPECT_EQ(observable(), seconds{3'590});
}

TEST_F(ObservableOfQueues, IsNotThatADeduplicationWindowIsOver) {
  queue_.name = "jobs.fifo";
  create({{"FifoQueue", "true"}, {"MessageRetentionPeriod", "3600"}});
  SendMessages command = message("a");
  command.messages[0].content.group_id = "g";
  command.messages[0].content.deduplication_id = "d";
  call<SendResults>(command);
  EXPECT_EQ(observable(), seconds{3'600});
  const auto delivery = receive(1, 40).at(0);
  EXPECT_EQ(observable(), seconds{40});
  remove(delivery.receipt_handle);
  EXPECT_LT(due(), seconds{3'600});
  EXPECT_EQ(observable(), std::nullopt);
}

TEST_F(ObservableOfQueues, IsADelaysEndInAFifoQueue) {
  queue_.name = "jobs.fifo";
  create({{"FifoQueue", "true"}, {"DelaySeconds", "30"}});
  SendMessages command = message("a");
  command.messages[0].content.group_id = "g";
  command.messages[0].content.deduplication_id = "d";
  call<SendResults>(command);
  EXPECT_EQ(observable(), seconds{30});
}

TEST_F(ObservableOfQueues, IsNotThatANameMayBeUsedAgain) {
  create();
  call<Done>(DeleteQueue{queue_});
  EXPECT_EQ(due(), seconds{60});
  EXPECT_EQ(observable(), std::nullopt);
}

// ---- Streams and their consumers

class ObservableOfStreams : public GroupFixture {
 protected:
  std::optional<Millis> due() const { return ahead(engine_->next_deadline(), now_); }
  std::optional<Millis> observable() const { return ahead(engine_->next_observable(), now_); }
};

TEST_F(ObservableOfStreams, IsThatAStreamBecomesActive) {
  limits_.stream_transition = Millis{100};
  restart();
  create();
  EXPECT_EQ(observable(), Millis{100});
  pass(Millis{100});
  EXPECT_EQ(observable(), std::nullopt);
  call<ConsumerDescription>(RegisterConsumer{stream_, "c", {}});
  EXPECT_EQ(observable(), Millis{100});
}

TEST_F(ObservableOfStreams, IsThatRecordsExpire) {
  create();
  put({"a"});
  EXPECT_EQ(observable(), hours{24});
  pass(seconds{60});
  put({"b"});
  EXPECT_EQ(due(), hours{24} - seconds{60}) << "the deadline is left as it was";
  EXPECT_EQ(observable(), hours{24});
  pass(hours{24});
  EXPECT_EQ(observable(), std::nullopt);
}

TEST_F(ObservableOfStreams, IsNotTheHeartbeatOfASubscriptionNorItsEnd) {
  create();
  const auto consumer = call<ConsumerDescription>(RegisterConsumer{stream_, "c", {}}).consumer;
  const ConsumerRef name{"c", std::chrono::floor<seconds>(consumer.created).time_since_epoch().count()};
  const auto at =
      call<Subscribed>(SubscribeToShard{stream_, name, "shard-0", StartingPosition{IteratorType::latest, {}, {}}});
  ask(AwaitRecords{stream_, at.id, at.subscription, at.from});
  EXPECT_EQ(due(), kinesis_limits::heartbeat_interval);
  EXPECT_EQ(observable(), std::nullopt);
}

TEST_F(ObservableOfStreams, IsThatAMemberIsTakenForGoneButNotThatItsPollEnds) {
  create();
  create_group();
  TestMember member{"m"};
  poll(member);
  EXPECT_EQ(observable(), lease_);
  pass(seconds{4});
  EXPECT_EQ(observable(), lease_ - seconds{4});
  begin_poll(member);
  EXPECT_EQ(due(), lease_ / 2) << "so long it waits at most";
  EXPECT_EQ(observable(), std::nullopt);
}

TEST_F(ObservableOfStreams, ALeapPassesOverTheEndOfAMembersPollAndAwaitsTheNext) {
  create();
  create_group();
  TestMember member{"m"};
  poll(member);
  const std::uint64_t epoch = member.epoch();
  const auto stop = [this] { return ahead(next_stop(*engine_), now_); };
  EXPECT_EQ(stop(), lease_);
  EXPECT_FALSE(awaited_members(*engine_)) << "what it was answered was not that its time is over";
  const CallId id = begin_poll(member);
  EXPECT_EQ(due(), lease_ / 2);
  EXPECT_EQ(stop(), std::nullopt);
  pass(hours{12});
  take(member, id);
  EXPECT_EQ(member.epoch(), epoch);
  EXPECT_EQ(stop(), lease_) << "it has lasted until there, and begins anew";
  const auto awaited = awaited_members(*engine_);
  ASSERT_TRUE(awaited);
  EXPECT_EQ(awaited->leases_end, now_ + lease_);
  EXPECT_EQ(awaited->since, now_);
  begin_poll(member);
  EXPECT_FALSE(awaited_members(*engine_));
  pass(lease_ / 2);
  EXPECT_TRUE(awaited_members(*engine_));
  pass(lease_);
  EXPECT_FALSE(awaited_members(*engine_)) << "it is gone";
}

TEST_F(ObservableOfStreams, IsThatAShardIsTakenFromAMemberThatDoesNotGiveItUp) {
  create(2);
  create_group();
  put({"a"});
  put({"b"}, middle_);
  TestMember first{"first"};
  poll(first);
  TestMember second{"second"};
  pass(seconds{2});
  poll(second);
  // The first has what it was handed for as long as its lease goes on, which it is given up within.
  const auto moment = observable();
  ASSERT_TRUE(moment);
  EXPECT_LE(*moment, lease_);
  pass(*moment);
  poll(second);
  EXPECT_FALSE(second.shards().empty());
}

TEST_F(ObservableOfStreams, IsNotThatAKeyOfACommitIsForgotten) {
  create();
  create_group(CommitMode::on_commit);
  const RecordPut record = put({"a"}).at(0);
  TestMember member{"m"};
  poll(member);
  CommitGroup command = commit_command(record, member.epoch());
  command.key = "once";
  call<GroupCommitted>(command);
  // Also when the member is gone.
  pass(lease_);
  EXPECT_EQ(due(), group_limits::key_life - lease_);
  EXPECT_EQ(observable(), hours{24} - lease_);
}

// ---- Mappings

class ObservableOfMappings : public TriggerFixture {
 protected:
  std::optional<Millis> due() const { return ahead(triggers_->next_deadline(), now_); }
  std::optional<Millis> observable() const { return ahead(triggers_->next_observable(), now_); }
};

TEST_F(ObservableOfMappings, IsThatABatchingWindowIsOver) {
  config_.window_seconds = 10;
  create_all();
  EXPECT_EQ(observable(), std::nullopt);
  send("a");
  EXPECT_EQ(observable(), seconds{10});
}

TEST_F(ObservableOfMappings, IsNotThatWhatRunsIsKeptHidden) {
  create_all();
  send("a");
  ASSERT_EQ(running().size(), 1U);
  EXPECT_TRUE(due());
  EXPECT_EQ(observable(), std::nullopt);
}

TEST_F(ObservableOfMappings, IsThatItTriesAgain) {
  create_all();
  send("a");
  find_nobody("nobody is there");
  EXPECT_TRUE(due());
  EXPECT_EQ(observable(), due());
}

}  // namespace
}  // namespace penstock::core
