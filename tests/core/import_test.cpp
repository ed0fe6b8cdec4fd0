// Messages that come from an export: with their ids, ages and counts.
#include <gmock/gmock.h>

#include <algorithm>

#include "engine_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ImportTest : public EngineFixture {
 protected:
  ImportedMessage exported(const std::string& body, Millis age, std::uint32_t receives = 0) {
    ImportedMessage imported;
    imported.message = std::make_shared<StoredMessage>();
    imported.message->message_id = "id of " + body;
    imported.message->sent = now_ - age;
    imported.message->content.body = body;
    imported.receive_count = receives;
    if (receives > 0) imported.first_received = now_ - age;
    return imported;
  }
  void import(std::vector<ImportedMessage> messages) { call<Done>(ImportMessages{queue_, std::move(messages)}); }

  std::string id_of(const Delivery& delivery) { return store_.message(delivery.queue, delivery.sequence)->message_id; }
};

TEST_F(ImportTest, KeepsIdsAgesAndCounts) {
  create();
  import({exported("a", hours{2}), exported("b", hours{1}, 3), exported("c", seconds{5})});
  EXPECT_TRUE(synced_);
  for (const bool again : {false, true}) {
    if (again) restart();
    std::vector<Delivery> received = receive(10, 0);
    ASSERT_EQ(received.size(), 3U);
    std::sort(received.begin(), received.end(), [&](const auto& x, const auto& y) { return id_of(x) < id_of(y); });
    EXPECT_EQ(id_of(received[1]), "id of b");
    EXPECT_EQ(received[1].receive_count, again ? 5U : 4U);
    EXPECT_EQ(received[0].receive_count, again ? 2U : 1U);
    EXPECT_LT(received[1].first_received, now_ - Millis{seconds{3'599}});
  }
}

TEST_F(ImportTest, WhatIsTooOldIsGoneAtOnce) {
  create({{"MessageRetentionPeriod", "3600"}});
  import({exported("old", hours{2}), exported("received", hours{2}, 1), exported("young", Millis{0})});
  EXPECT_THAT(receive_bodies(10, 0), ElementsAre("young"));
  pass(seconds{1});
  EXPECT_EQ(store_.message_count(), 1U);
}

TEST_F(ImportTest, WhatIsDelayedWaitsAndNoLongerThanADelayMay) {
  create();
  ImportedMessage delayed = exported("a", Millis{0});
  delayed.visible_at = now_ + seconds{60};
  ImportedMessage for_ever = exported("b", Millis{0});
  for_ever.visible_at = now_ + hours{1'000};
  import({delayed, for_ever});
  EXPECT_THAT(receive_bodies(10, 0), IsEmpty());
  pass(seconds{60});
  EXPECT_THAT(receive_bodies(10, 0), ElementsAre("a"));
  pass(seconds{840});
  EXPECT_EQ(receive_bodies(10, 0).size(), 2U);
}

TEST_F(ImportTest, WhatWasSentInTheFutureWasSentNow) {
  create({{"MessageRetentionPeriod", "3600"}});
  import({exported("a", hours{-48})});
  EXPECT_THAT(receive_bodies(10, 0), ElementsAre("a"));
  pass(seconds{3'600});
  EXPECT_EQ(store_.message_count(), 0U);
}

TEST_F(ImportTest, WhatWasReceivedTooOftenIsADeadLetter) {
  const QueueName dead{"000000000000", "us-east-1", "dead"};
  call<Done>(CreateQueue{dead, {}, {}});
  CreateQueue command{queue_, {{"RedrivePolicy", "{}"}}, {}};
  command.redrive = RedrivePolicy{arn_of(dead), 2};
  call<Done>(command);
  import({exported("a", Millis{0}, 2)});
  EXPECT_THAT(receive_bodies(10, 0), IsEmpty());
  queue_ = dead;
  EXPECT_THAT(receive_bodies(10, 0), ElementsAre("a"));
}

TEST_F(ImportTest, AFifoQueueKeepsTheOrderWhateverItHasSeen) {
  queue_.name = "line.fifo";
  create({{"FifoQueue", "true"}, {"ContentBasedDeduplication", "true"}});
  const auto in_group = [&](const std::string& body, const std::string& group) {
    ImportedMessage imported = exported(body, seconds{10});
    imported.message->content.group_id = group;
    imported.message->content.deduplication_id = "the same";
    return imported;
  };
  import({in_group("a1", "a"), in_group("b1", "b"), in_group("a2", "a")});
  restart();
  EXPECT_THAT(receive_bodies(10, 30), ElementsAre("a1", "a2", "b1"));
}

TEST_F(ImportTest, WhatWasReceivedInTheFutureWasReceivedNow) {
  create();
  ImportedMessage imported = exported("a", Millis{0}, 1);
  imported.first_received = now_ + hours{1};
  import({imported});
  const std::vector<Delivery> received = receive(10, 0);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].first_received, now_);
}

TEST_F(ImportTest, WhatTheKindOfQueueCannotHaveIsRefusedWithAllThatComesWithIt) {
  create();
  ImportedMessage deduplicated = exported("b", Millis{0});
  deduplicated.message->content.deduplication_id = "d";
  EXPECT_EQ(call_error(ImportMessages{queue_, {exported("a", Millis{0}), deduplicated}}).code,
            ErrorCode::InvalidParameterValue);
  EXPECT_THAT(receive_bodies(10, 0), IsEmpty());
  queue_.name = "line.fifo";
  create({{"FifoQueue", "true"}});
  ImportedMessage no_group = deduplicated;
  ImportedMessage not_deduplicated = exported("c", Millis{0});
  not_deduplicated.message->content.group_id = "g";
  for (const ImportedMessage& lacking : {no_group, not_deduplicated}) {
    EXPECT_EQ(call_error(ImportMessages{queue_, {lacking}}).code, ErrorCode::MissingParameter);
  }
  EXPECT_THAT(receive_bodies(10, 0), IsEmpty());
}

TEST_F(ImportTest, ALongPollGetsThem) {
  create();
  const CallId poll = ask(receive_command(10, 30, 20));
  import({exported("a", Millis{0})});
  EXPECT_THAT(bodies(deliveries_of(poll).messages), ElementsAre("a"));
}

TEST_F(ImportTest, NeedsAQueue) {
  EXPECT_EQ(call_error(ImportMessages{queue_, {}}).code, ErrorCode::QueueDoesNotExist);
}

}  // namespace
}  // namespace penstock::core
