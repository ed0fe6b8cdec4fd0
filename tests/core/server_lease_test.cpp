// Leases of the server's own mappings, which end with it: in memory only at first, and what that must not change.
#include <gtest/gtest.h>

#include "core/engine_fixture.hpp"

namespace penstock::core {
namespace {

using std::chrono::seconds;
using Bodies = std::vector<std::string>;

class ServerLeaseTest : public EngineFixture {
 protected:
  ServerLeaseTest() {
    create();
    for (const char* body : {"a", "b", "c", "d"}) send(body);
  }

  std::vector<Delivery> receive_for_mapping(int max, std::optional<int> visibility = std::nullopt) {
    ReceiveMessages command = receive_command(max, visibility);
    command.lease_ends_with_server = true;
    return call<Deliveries>(std::move(command)).messages;
  }
};

TEST_F(ServerLeaseTest, IsNotWrittenWhereTheMessageIsDeletedSoon) {
  const auto leased = receive_for_mapping(3);
  EXPECT_EQ(store_.state_count(), 0U);
  EXPECT_EQ(attribute("ApproximateNumberOfMessagesNotVisible"), "3");
  EXPECT_EQ(attribute("ApproximateNumberOfMessages"), "1");
  for (const Delivery& delivery : leased) EXPECT_FALSE(remove(delivery.receipt_handle));
  EXPECT_EQ(store_.message_count(), 1U);
  pass(limits_.lease_unwritten_max);
  EXPECT_EQ(store_.state_count(), 0U);
  restart();
  EXPECT_EQ(receive_bodies(10), (Bodies{"d"}));
}

TEST_F(ServerLeaseTest, HidesTheMessageAsAnyOtherDoes) {
  receive_for_mapping(4, 5);
  EXPECT_TRUE(receive(10).empty());
  pass(Millis{4'999});
  EXPECT_TRUE(receive(10).empty());
  pass(Millis{1});
  const auto again = receive(10);
  ASSERT_EQ(again.size(), 4U);
  for (const Delivery& delivery : again) EXPECT_EQ(delivery.receive_count, 2U);
}

TEST_F(ServerLeaseTest, IsUndoneByAnEndOfTheServerThatComesBeforeItIsWritten) {
  const auto leased = receive_for_mapping(3);
  EXPECT_FALSE(remove(leased[1].receipt_handle));
  restart();
  const auto again = receive(10);
  EXPECT_EQ(bodies(again), (Bodies{"a", "c", "d"}));
  for (const Delivery& delivery : again) EXPECT_EQ(delivery.receive_count, 1U);
}

TEST_F(ServerLeaseTest, IsKeptOnceItHasLasted) {
  receive_for_mapping(2, 30);
  pass(limits_.lease_unwritten_max - Millis{1});
  EXPECT_EQ(store_.state_count(), 0U);
  receive_for_mapping(1, 30);
  pass(Millis{1});
  EXPECT_EQ(store_.state_count(), 2U);
  restart();
  EXPECT_EQ(receive_bodies(10, 600), (Bodies{"c", "d"}));
  pass(seconds{30});
  const auto again = receive(10);
  EXPECT_EQ(bodies(again), (Bodies{"a", "b"}));
  for (const Delivery& delivery : again) EXPECT_EQ(delivery.receive_count, 2U);
}

TEST_F(ServerLeaseTest, IsWrittenBeforeWhateverIsWrittenBehindIt) {
  receive_for_mapping(2, 30);
  EXPECT_EQ(receive_bodies(1, 30), (Bodies{"c"}));
  EXPECT_EQ(store_.state_count(), 3U);
  restart();
  EXPECT_EQ(receive_bodies(10, 30), (Bodies{"d"}));
  pass(seconds{30});
  EXPECT_EQ(receive(10).size(), 4U);
}

TEST_F(ServerLeaseTest, AChangeOfItIsKept) {
  const auto leased = receive_for_mapping(3, 30);
  EXPECT_FALSE(change(leased[1].receipt_handle, 60));
  restart();
  EXPECT_EQ(receive_bodies(10, 600), (Bodies{"c", "d"}));
  pass(seconds{30});
  EXPECT_EQ(receive_bodies(10, 600), (Bodies{"a"}));
  pass(seconds{30});
  EXPECT_EQ(receive_bodies(10), (Bodies{"b"}));
}

TEST_F(ServerLeaseTest, OneThatRunsOutAtOnceIsWrittenWithTheNext) {
  receive_for_mapping(1, 0);
  EXPECT_EQ(receive_for_mapping(1, 30).at(0).receive_count, 2U);
  EXPECT_EQ(store_.state_count(), 1U);
  restart();
  EXPECT_EQ(receive_bodies(10), (Bodies{"b", "c", "d"}));
}

TEST_F(ServerLeaseTest, ADeadLetterThatWasOnlyLeasedSoMovesOnce) {
  const QueueName dead{"000000000000", "us-east-1", "dead"};
  call<Done>(CreateQueue{dead, {}, {}});
  SetQueueAttributes set{queue_, {{"RedrivePolicy", "{}"}}};
  set.redrive = RedrivePolicy{arn_of(dead), 1};
  call<Done>(std::move(set));
  receive_for_mapping(1, 0);
  EXPECT_EQ(receive_bodies(10), (Bodies{"b", "c", "d"}));
  EXPECT_EQ(transfers_, 1);
  restart();
  const auto moved = call<Deliveries>(ReceiveMessages{dead, 10, 30, 0, {}}).messages;
  EXPECT_EQ(bodies(moved), (Bodies{"a"}));
}

TEST_F(ServerLeaseTest, AShutdownWritesIt) {
  receive_for_mapping(3, 30);
  engine_->release_parked();
  settle();
  EXPECT_EQ(store_.state_count(), 3U);
  restart();
  EXPECT_EQ(receive_bodies(10), (Bodies{"d"}));
}

TEST_F(ServerLeaseTest, APurgeAndADeletedQueueForgetIt) {
  receive_for_mapping(3);
  call<Done>(PurgeQueue{queue_});
  pass(limits_.lease_unwritten_max);
  EXPECT_EQ(store_.state_count(), 0U);
  send("e");
  receive_for_mapping(1);
  call<Done>(DeleteQueue{queue_});
  pass(limits_.lease_unwritten_max);
  EXPECT_EQ(store_.message_count(), 0U);
  EXPECT_EQ(store_.state_count(), 0U);
}

TEST_F(ServerLeaseTest, ThoseInMemoryOnlyAreBounded) {
  Limits few;
  few.leases_unwritten_max = 2;
  set_limits(few);
  receive_for_mapping(3, 30);
  EXPECT_EQ(store_.state_count(), 2U);
  restart();
  EXPECT_EQ(receive_bodies(10, 20), (Bodies{"c", "d"}));
}

TEST_F(ServerLeaseTest, WhatIsLeftToDiskIsWritten) {
  Limits few;
  few.resident_idle_max = 1;
  set_limits(few);
  receive_for_mapping(3, 0);
  pass(Millis{0});
  restart();
  std::set<std::string> all;
  for (int i = 0; i < 8; ++i) {
    for (const std::string& body : receive_bodies(10, 60)) all.insert(body);
  }
  EXPECT_EQ(all, (std::set<std::string>{"a", "b", "c", "d"}));
}

}  // namespace
}  // namespace penstock::core
