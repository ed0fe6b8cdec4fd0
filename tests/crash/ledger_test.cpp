// Holds the ledger to its word: each promise is broken once, and the ledger says so, and it says nothing where none is.
#include "crash/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace penstock::crash {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t standard_queue = 0;
constexpr std::size_t dead_letters = *queues[work_queue].dead_letters;
constexpr std::size_t fifo_dead_letters = *queues[fifo_work_queue].dead_letters;

class LedgerTest : public testing::Test {
 protected:
  static std::string id_of(std::uint64_t number) { return "id-" + std::to_string(number); }

  /// Sent and acknowledged. In a FIFO queue its sequence number is ten times its number.
  std::uint64_t sent(std::size_t queue = standard_queue) {
    const std::uint64_t number = ledger_.sending(queue, seconds(0));
    ledger_.sent({number}, {{id_of(number), queues[queue].fifo ? 10 * number : 0}});
    return number;
  }
  /// Two of one group, the earlier first.
  std::pair<std::uint64_t, std::uint64_t> sent_two(std::size_t queue) {
    const std::uint64_t first = sent(queue);
    std::uint64_t next = sent(queue);
    while (group_of(next) != group_of(first)) next = sent(queue);
    return {first, next};
  }
  static ReceivedMessage message(std::uint64_t number, std::uint64_t count) {
    return {id_of(number), Ledger::body_of(number), "handle-" + std::to_string(count),
            count,         group_of(number),        deduplication_id_of(number),
            10 * number};
  }
  void receive(std::size_t queue, const std::vector<ReceivedMessage>& messages, seconds visibility = seconds(3600)) {
    ledger_.received(queue, messages, now(), visibility);
  }
  void receive(std::uint64_t number, std::uint64_t count, seconds visibility) {
    receive(standard_queue, {message(number, count)}, visibility);
  }
  static Span now() {
    // Later than everything before it, since what crosses is not compared.
    const Time last = Clock::now();
    while (Clock::now() == last) {
    }
    return {Clock::now(), Clock::now()};
  }
  Ledger ledger_;
};

TEST_F(LedgerTest, ReportsAMessageDeliveredWhileItIsHidden) {
  const std::uint64_t number = sent();
  receive(number, 1, seconds(3600));
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  receive(number, 2, seconds(3600));
  EXPECT_THAT(ledger_.violations(),
              ElementsAre("message 1 was delivered before its delay or visibility timeout was over"));
}

TEST_F(LedgerTest, LetsAReleasedMessageComeAgain) {
  const std::uint64_t number = sent();
  receive(number, 1, seconds(3600));
  ledger_.releasing(number);
  receive(number, 2, seconds(3600));
  EXPECT_THAT(ledger_.violations(), IsEmpty());
}

TEST_F(LedgerTest, ReportsAReceiveCountThatWentBack) {
  const std::uint64_t number = sent();
  receive(number, 2, seconds(0));
  receive(number, 1, seconds(0));
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 1 was received for time 1 after time 2"));
}

TEST_F(LedgerTest, ReportsADamagedBody) {
  ReceivedMessage damaged = message(sent(), 1);
  damaged.body += "x";
  receive(standard_queue, {damaged});
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 1 came with another body"));
}

TEST_F(LedgerTest, ReportsAMessageNobodySentToThatQueue) {
  const std::uint64_t number = sent();
  receive(1, {message(number, 1)});
  ReceivedMessage unknown = message(number, 1);
  unknown.body = "77 ";
  receive(standard_queue, {unknown});
  EXPECT_EQ(ledger_.violations().size(), 2U);
}

TEST_F(LedgerTest, ClaimsNothingOfWhatWasNotAnswered) {
  ledger_.sending(standard_queue, seconds(0));
  const std::uint64_t number = sent();
  receive(number, 1, seconds(3600));
  ledger_.deleting(number);
  EXPECT_EQ(ledger_.bounds(standard_queue), (std::pair<std::uint64_t, std::uint64_t>{0, 2}));
  ledger_.account();
  EXPECT_THAT(ledger_.violations(), IsEmpty());
}

// ---- FIFO queues

TEST_F(LedgerTest, ReportsARepeatThatIsTakenForANewMessage) {
  const std::uint64_t number = sent(fifo_queue);
  ledger_.sent({number}, {{id_of(number), 10 * number}});
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  ledger_.sent({number}, {{"another", 10 * number}});
  ledger_.sent({number}, {{id_of(number), 10 * number + 1}});
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 1 was answered with another message id",
                                                "message 1 was answered with another sequence number"));
}

TEST_F(LedgerTest, ReportsASequenceNumberThatIsNotHigher) {
  sent(fifo_queue);
  const std::uint64_t second = ledger_.sending(fifo_queue, seconds(0));
  ledger_.sent({second}, {{id_of(second), 9}});
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 2 has no higher sequence number than those before it"));
  const std::uint64_t third = ledger_.sending(standard_queue, seconds(0));
  const std::uint64_t fourth = ledger_.sending(fifo_queue, seconds(0));
  ledger_.sent({third}, {{id_of(third)}});
  ledger_.sent({fourth}, {{id_of(fourth), 10}});
  EXPECT_EQ(ledger_.violations().size(), 3U) << "it is another message's, and no higher";
}

TEST_F(LedgerTest, ReportsABatchOutOfOrder) {
  const std::vector<std::uint64_t> batch{ledger_.sending(fifo_queue, seconds(0)),
                                         ledger_.sending(fifo_queue, seconds(0))};
  ledger_.sent(batch, {{"a", 2}, {"b", 1}});
  EXPECT_THAT(ledger_.violations(),
              ElementsAre("message 2 has no higher sequence number than the one before it in its batch"));
}

TEST_F(LedgerTest, ReportsAGroupThatIsNotLocked) {
  const auto [first, second] = sent_two(fifo_queue);
  receive(fifo_queue, {message(first, 1)});
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  receive(fifo_queue, {message(second, 1)});
  EXPECT_THAT(ledger_.violations(),
              ElementsAre(name_of(second) + " was delivered while " + name_of(first) + " of its group was in flight"));
}

TEST_F(LedgerTest, ReportsAMessageThatIsPassedOver) {
  const auto [first, second] = sent_two(fifo_queue);
  receive(fifo_queue, {message(second, 1)});
  EXPECT_THAT(ledger_.violations(),
              ElementsAre(name_of(first) + " was passed over by " + name_of(second) + " of its group"));
}

TEST_F(LedgerTest, ReportsAnAnswerOutOfOrder) {
  const auto [first, second] = sent_two(fifo_queue);
  receive(fifo_queue, {message(second, 1), message(first, 1)});
  EXPECT_THAT(ledger_.violations(), ElementsAre(name_of(first) + " was delivered behind a later one of its group"));
}

TEST_F(LedgerTest, LetsTheNextOfAGroupComeAfterADelete) {
  const auto [first, second] = sent_two(fifo_queue);
  receive(fifo_queue, {message(first, 1)});
  ledger_.deleting(first);
  ledger_.deleted(first, "handle-1", now());
  receive(fifo_queue, {message(second, 1)});
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  receive(fifo_queue, {message(first, 2)});
  EXPECT_FALSE(ledger_.violations().empty()) << "it was deleted, and comes after a later one";
}

TEST_F(LedgerTest, ReportsAnotherSequenceNumberThanThatOfTheSend) {
  ReceivedMessage other = message(sent(fifo_queue), 1);
  other.sequence = 11;
  receive(fifo_queue, {other});
  ASSERT_FALSE(ledger_.violations().empty());
  EXPECT_EQ(ledger_.violations()[0], "message 1 came with another sequence number");
}

// ---- Dead letters

TEST_F(LedgerTest, ReportsADeadLetterThatIsTooEarlyOrTooLate) {
  receive(dead_letters, {message(sent(work_queue), 2)});
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 1 came to the dead-letter queue too early"));
  receive(work_queue, {message(sent(work_queue), 3)});
  EXPECT_EQ(ledger_.violations().size(), 2U) << "received too often to be no dead letter";
}

TEST_F(LedgerTest, ReportsADeadLetterThatIsInBothQueues) {
  const std::uint64_t number = sent(work_queue);
  receive(dead_letters, {message(number, 3)}, seconds(0));
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  receive(work_queue, {message(number, 2)}, seconds(0));
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 1 came back from the dead-letter queue by itself",
                                                "message 1 was received for time 2 after time 3"));
}

TEST_F(LedgerTest, ReportsADeadLetterThatComesTwice) {
  const std::uint64_t number = sent(work_queue);
  receive(dead_letters, {message(number, 3)});
  ledger_.deleting(number);
  ledger_.deleted(number, "handle-3", now());
  receive(dead_letters, {message(number, 4)});
  EXPECT_FALSE(ledger_.violations().empty());
}

TEST_F(LedgerTest, ReportsADeadLetterWithAnotherId) {
  ReceivedMessage other = message(sent(work_queue), 3);
  other.message_id = "another";
  receive(dead_letters, {other});
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 1 came with another message id"));
}

TEST_F(LedgerTest, LetsADeadLetterOutOfItsGroupsWay) {
  const auto [first, second] = sent_two(fifo_work_queue);
  receive(fifo_work_queue, {message(second, 1)});
  EXPECT_THAT(ledger_.violations(), IsEmpty()) << "the first may be a dead letter";
  receive(fifo_dead_letters, {message(first, 3)});
  EXPECT_THAT(ledger_.violations(), IsEmpty());
}

TEST_F(LedgerTest, ReportsAMessageThatWasPassedOverAndIsNoDeadLetter) {
  const auto [first, second] = sent_two(fifo_work_queue);
  receive(fifo_work_queue, {message(second, 1)});
  receive(fifo_work_queue, {message(first, 1)});
  EXPECT_FALSE(ledger_.violations().empty());
}

// ---- Message move tasks

TEST_F(LedgerTest, LetsATaskGiveAMessageOneNewIdAndNoMore) {
  const std::uint64_t number = sent(work_queue);
  receive(dead_letters, {message(number, 3)}, seconds(0));
  ledger_.redriving(work_queue);
  ReceivedMessage back = message(number, 1);
  back.message_id = "new";
  receive(work_queue, {back}, seconds(0));
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  EXPECT_EQ(ledger_.returned(), 1U);
  back.message_id = "newer";
  back.receive_count = 2;
  receive(work_queue, {back}, seconds(0));
  EXPECT_THAT(ledger_.violations(), ElementsAre("message 1 came with another message id"));
}

TEST_F(LedgerTest, ReportsATaskThatDidNotDoItsWork) {
  ledger_.redriven(3, {"COMPLETED", 3, 0});
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  ledger_.redriven(3, {"FAILED", 3, 0});
  ledger_.redriven(3, {"COMPLETED", 4, 0});
  ledger_.redriven(3, {"COMPLETED", 3, 1});
  EXPECT_THAT(ledger_.violations(),
              ElementsAre("a message move task ended as FAILED", "a message move task moved 4 messages of 3",
                          "a message move task left 1 messages behind"));
}

TEST_F(LedgerTest, ReportsAMessageThatATaskHasLost) {
  const std::uint64_t number = sent(work_queue);
  receive(dead_letters, {message(number, 3)}, seconds(0));
  ledger_.redriving(work_queue);
  ledger_.account();
  EXPECT_THAT(ledger_.violations(), ElementsAre(name_of(number) + " was acknowledged and is lost"));
}

}  // namespace
}  // namespace penstock::crash
