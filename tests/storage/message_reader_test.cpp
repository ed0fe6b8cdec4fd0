#include "storage/message_reader.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "counting_store.hpp"
#include "records_support.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

namespace limits = message_reader_limits;

std::string body_of(std::uint64_t queue, std::uint64_t sequence) {
  return "message " + std::to_string(sequence) + " of " + std::to_string(queue);
}

class MessageReaderTest : public testing::Test {
 protected:
  void put(std::uint64_t queue, std::uint64_t first, std::uint64_t count, std::size_t padding = 0) {
    for (std::uint64_t sequence = first; sequence < first + count; ++sequence) {
      auto message = std::make_shared<StoredMessage>();
      message->message_id = "11111111-2222-3333-4444-555555555555";
      message->content.body = body_of(queue, sequence) + std::string(padding, '.');
      commit(store_, {PutMessage{QueueId{queue}, Sequence{sequence}, std::move(message)}});
    }
  }
  StoreStatus read(std::uint64_t queue, std::uint64_t sequence) {
    message_.reset();
    return reader_.read(QueueId{queue}, Sequence{sequence}, message_).status;
  }
  void expect(std::uint64_t queue, std::uint64_t sequence) {
    ASSERT_EQ(read(queue, sequence), StoreStatus::ok) << queue << ", " << sequence;
    ASSERT_TRUE(message_->content.body.starts_with(body_of(queue, sequence))) << message_->content.body;
  }

  CountingStore store_;
  MessageReader reader_{store_};
  std::shared_ptr<const StoredMessage> message_;
};

TEST_F(MessageReaderTest, ABacklogIsReadInRuns) {
  put(7, 1, 1'000);
  for (std::uint64_t sequence = 1; sequence <= 1'000; ++sequence) expect(7, sequence);
  EXPECT_LE(store_.gets, limits::in_order_min);
  EXPECT_LE(store_.scans, 1'000 / limits::ahead_max + 1);
}

TEST_F(MessageReaderTest, SeveralQueuesAreEachReadInRuns) {
  for (std::uint64_t queue = 1; queue <= limits::queues_max; ++queue) put(queue, 1, 100);
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) {
    for (std::uint64_t queue = 1; queue <= limits::queues_max; ++queue) expect(queue, sequence);
  }
  EXPECT_LE(store_.gets, limits::queues_max * limits::in_order_min);
  EXPECT_LE(store_.scans, limits::queues_max * (100 / limits::ahead_max + 1));
}

TEST_F(MessageReaderTest, WhereLittleLiesAheadEachIsLookedUp) {
  for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) {
    put(7, sequence, 1);
    expect(7, sequence);
  }
  EXPECT_LE(store_.scans, 200 / limits::pause_reads + 1);
}

TEST_F(MessageReaderTest, WhatIsAskedForInNoOrderIsLookedUp) {
  put(7, 1, 200);
  for (std::uint64_t sequence = 200; sequence >= 1; --sequence) expect(7, sequence);
  EXPECT_EQ(store_.scans, 0U);
}

TEST_F(MessageReaderTest, AnyOrderOfAnyQueuesGivesWhatWasAskedFor) {
  constexpr std::uint64_t queues = 2 * limits::queues_max;
  for (std::uint64_t queue = 1; queue <= queues; ++queue) put(queue, 1, 150);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    SeededEntropy entropy{seed};
    std::uint64_t queue = 1;
    std::uint64_t sequence = 1;
    for (int step = 0; step < 500; ++step) {
      if (entropy.below(10) == 0) queue = 1 + entropy.below(queues);
      sequence = entropy.below(10) == 0 ? 1 + entropy.below(150) : sequence % 150 + 1 + entropy.below(3);
      if (sequence > 150) {
        ASSERT_EQ(read(queue, sequence), StoreStatus::not_found);
      } else {
        ASSERT_NO_FATAL_FAILURE(expect(queue, sequence));
      }
    }
  }
}

TEST_F(MessageReaderTest, WhatIsGoneIsNotFound) {
  put(7, 1, 20);
  put(7, 22, 20);
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) expect(7, sequence);
  EXPECT_EQ(read(7, 21), StoreStatus::not_found);
  expect(7, 22);
  EXPECT_EQ(read(8, 1), StoreStatus::not_found);
}

TEST_F(MessageReaderTest, ADamagedMessageHidesNoOther) {
  put(7, 1, 40);
  WriteBatch damage;
  damage.put(Table::messages, message_key(QueueId{7}, Sequence{20}).view(), "no message");
  ASSERT_FALSE(store_.commit(damage, true));
  for (std::uint64_t sequence = 1; sequence <= 40; ++sequence) {
    if (sequence == 20) {
      EXPECT_EQ(read(7, sequence), StoreStatus::corrupt);
    } else {
      expect(7, sequence);
    }
  }
}

TEST_F(MessageReaderTest, LargeMessagesAreNotReadFarAhead) {
  put(7, 1, 20, limits::ahead_bytes_max / 2);
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) expect(7, sequence);
  // One of them at most lies ahead, which is not worth it.
  EXPECT_GE(store_.gets, 16U);
}

class KeptMessagesTest : public MessageReaderTest {
 protected:
  /// Loads as a queue does that has to know what it has.
  void load(std::uint64_t queue, std::uint64_t from, std::uint64_t until) {
    Command answer;
    const LoadFresh wanted{QueueId{queue}, 0, Sequence{from}, Sequence{until}, 10'000, 64U << 20U};
    ASSERT_FALSE(run_load(store_, wanted, answer, &reader_));
    ASSERT_EQ(std::get<FreshLoaded>(answer).entries.size(), until - from);
    store_.gets = store_.scans = 0;
  }
};

TEST_F(KeptMessagesTest, WhatALoadHasReadIsNotReadAgain) {
  put(7, 1, 500);
  load(7, 1, 301);
  load(7, 301, 501);
  for (std::uint64_t sequence = 1; sequence <= 500; ++sequence) expect(7, sequence);
  EXPECT_EQ(store_.gets + store_.scans, 0U);
}

TEST_F(KeptMessagesTest, WhatHasNoRoomIsReadInRunsAndLeavesTheRestBe) {
  constexpr std::size_t padding = 10'000;
  constexpr std::uint64_t kept = limits::kept_bytes_max / (2 * padding);
  put(7, 1, 300, padding);
  load(7, 1, 101);
  for (std::uint64_t sequence = 1; sequence <= kept; ++sequence) expect(7, sequence);
  EXPECT_EQ(store_.gets + store_.scans, 0U);
  // There is room again, behind messages for which there was none.
  load(7, 101, 131);
  for (std::uint64_t sequence = kept + 1; sequence <= 131; ++sequence) expect(7, sequence);
  EXPECT_LE(store_.gets + store_.scans, limits::in_order_min + 2 * 60 / (limits::ahead_bytes_max / padding) + 1);
  for (std::uint64_t sequence = 132; sequence <= 300; ++sequence) expect(7, sequence);
}

TEST_F(KeptMessagesTest, AQueueThatNobodyReadsMakesWay) {
  constexpr std::size_t padding = 10'000;
  put(7, 1, 200, padding);
  put(8, 1, 50, padding);
  load(7, 1, 201);
  load(8, 1, 51);
  for (std::uint64_t sequence = 1; sequence <= 50; ++sequence) expect(8, sequence);
  EXPECT_EQ(store_.gets + store_.scans, 0U);
  for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) expect(7, sequence);
}

TEST_F(KeptMessagesTest, LoadsAndReadsInAnyOrderGiveWhatWasAskedFor) {
  constexpr std::uint64_t queues = 2 * limits::queues_max;
  for (std::uint64_t queue = 1; queue <= queues; ++queue) put(queue, 1, 150, queue * 100);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    SeededEntropy entropy{seed};
    for (int step = 0; step < 500; ++step) {
      const std::uint64_t queue = 1 + entropy.below(queues);
      const std::uint64_t from = 1 + entropy.below(149);
      const std::uint64_t until = from + 1 + entropy.below(151 - from);
      if (entropy.below(4) == 0) {
        ASSERT_NO_FATAL_FAILURE(load(queue, from, until));
      } else {
        for (std::uint64_t at = from; at < until; ++at) ASSERT_NO_FATAL_FAILURE(expect(queue, at));
      }
    }
  }
}

}  // namespace
}  // namespace penstock::storage
