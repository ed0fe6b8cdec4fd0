// A subscription between a client and a shard that do as the test says: what each is told, and in which order it ends.
#include "server/subscription.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const StreamName stream{"000000000000", "us-east-1", "events"};
constexpr StreamId stream_id{3};
constexpr SubscriptionId subscription_id{8};

/// Destroys the exchange as soon as it has ended, as a session may.
class Session final : public net::Exchange::Listener {
 public:
  explicit Session(const boost::asio::any_io_executor& executor)
      : exchange(std::make_unique<net::Exchange>(executor, this)) {}

  void on_news(net::Exchange& told) override {
    EXPECT_EQ(&told, exchange.get());
    if (cancels_on_piece && told.piece() != nullptr && !told.completed()) {
      cancels_on_piece = false;
      return told.cancel();
    }
    if (!told.completed()) return;
    ended = told.abandoned() ? "abandoned" : "ended";
    if (!told.abandoned() && told.piece() != nullptr) pieces.push_back(*told.piece());
    if (keeps_exchange) return;
    exchange.reset();
  }

  /// Sends the piece that waits.
  void send() {
    ASSERT_NE(exchange->piece(), nullptr);
    pieces.push_back(*exchange->piece());
    exchange->piece_taken();
  }

  std::unique_ptr<net::Exchange> exchange;
  std::vector<std::string> pieces;
  std::string ended;
  bool cancels_on_piece = false;
  bool keeps_exchange = false;
};

class SubscriptionTest : public testing::Test {
 protected:
  SubscriptionTest() : session_(context_.get_executor()) {
    protocol::EventFeed feed;
    feed.event = [alive = alive_](RecordsPage&& page) { return "event " + std::to_string(page.next.value); };
    feed.exception = [alive = alive_](const Error& error) { return "exception " + error.message; };
    subscription_.emplace(*session_.exchange, std::move(feed));
  }

  /// Only the exchange, and what was asked, refer to the subscription from here on.
  void begin() {
    Subscription::Source source;
    source.stream = stream;
    source.subscribed = {stream_id, subscription_id, RecordIndex{5}};
    source.ask = [this](Command command, Subscription::Answered answered) {
      asked_.push_back(std::get<AwaitRecords>(std::get<StreamCommand>(command)));
      answer_ = std::move(answered);
    };
    source.tell = [this](Command command) {
      told_.push_back(std::get<EndSubscription>(std::get<StreamCommand>(command)));
    };
    source.read = [this](RecordsPage& page) -> std::optional<Error> {
      page.next = reads_until_.value_or(page.until);
      return unreadable_;
    };
    protocol::WireResponse head;
    head.body = "initial";
    std::exchange(subscription_, std::nullopt)->begin(std::move(head), std::move(source));
  }
  void answer(Result result) { std::exchange(answer_, {})(std::move(result)); }
  static RecordsPage page(RecordIndex from, RecordIndex until) {
    RecordsPage page;
    page.stream = stream;
    page.from = from;
    page.until = until;
    return page;
  }
  std::vector<std::uint64_t> asked_from() const {
    std::vector<std::uint64_t> positions;
    for (const AwaitRecords& await : asked_) positions.push_back(await.from.value);
    return positions;
  }
  /// Nothing holds the subscription any more.
  bool released() {
    answer_ = {};
    return alive_.use_count() == 1;
  }

  boost::asio::io_context context_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  Session session_;
  std::optional<Subscription> subscription_;
  std::vector<AwaitRecords> asked_;
  Subscription::Answered answer_;
  std::vector<EndSubscription> told_;
  std::optional<RecordIndex> reads_until_;
  std::optional<Error> unreadable_;
};

TEST_F(SubscriptionTest, AnswersItsHeadAndAwaitsRecordsFromWhereItStarts) {
  begin();
  EXPECT_TRUE(session_.exchange->streams());
  EXPECT_EQ(session_.exchange->response().body, "initial");
  EXPECT_EQ(session_.exchange->piece(), nullptr);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].stream, stream);
  EXPECT_EQ(asked_[0].id, stream_id);
  EXPECT_EQ(asked_[0].subscription, subscription_id);
  EXPECT_EQ(asked_[0].from, RecordIndex{5});
}

TEST_F(SubscriptionTest, AsksForMoreOnceItsClientHasTakenAnEvent) {
  begin();
  answer(page(RecordIndex{5}, RecordIndex{9}));
  EXPECT_THAT(asked_from(), ElementsAre(5));
  session_.send();
  EXPECT_THAT(asked_from(), ElementsAre(5, 9));
  answer(page(RecordIndex{9}, RecordIndex{9}));
  session_.send();
  EXPECT_THAT(asked_from(), ElementsAre(5, 9, 9)) << "a heartbeat moves nothing";
  EXPECT_THAT(session_.pieces, ElementsAre("event 9", "event 9"));
  EXPECT_EQ(session_.ended, "");
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(SubscriptionTest, GoesOnWhereAPageWasCut) {
  begin();
  reads_until_ = RecordIndex{7};
  answer(page(RecordIndex{5}, RecordIndex{9}));
  session_.send();
  EXPECT_THAT(asked_from(), ElementsAre(5, 7));
}

TEST_F(SubscriptionTest, AClientThatGoesBeforeItBeginsIsFoundGoneThen) {
  session_.exchange->cancel();
  EXPECT_EQ(session_.ended, "") << "the exchange is not the subscription's yet";
  begin();
  EXPECT_EQ(session_.ended, "abandoned");
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].stream, stream);
  EXPECT_EQ(told_[0].id, stream_id);
  EXPECT_EQ(told_[0].subscription, subscription_id);
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, ItsExchangeMayEndOtherwiseBeforeItBegins) {
  subscription_.reset();
  session_.exchange->complete({});
  EXPECT_EQ(session_.ended, "ended");
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, AClientThatGoesWhileRecordsAreAwaitedEndsIt) {
  begin();
  session_.exchange->cancel();
  EXPECT_EQ(session_.ended, "abandoned");
  EXPECT_EQ(told_.size(), 1U);
  // The exchange is gone when the answer comes.
  answer(SubscriptionOver{});
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, RecordsThatCrossItsEndAreDropped) {
  begin();
  session_.exchange->cancel();
  answer(page(RecordIndex{5}, RecordIndex{9}));
  EXPECT_THAT(session_.pieces, IsEmpty());
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, AClientThatGoesBeforeItTookAnEventEndsIt) {
  begin();
  answer(page(RecordIndex{5}, RecordIndex{9}));
  session_.exchange->cancel();
  EXPECT_EQ(session_.ended, "abandoned");
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_THAT(asked_from(), ElementsAre(5));
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, ASessionMayFindItsClientGoneWhileItIsGivenAnEvent) {
  begin();
  session_.cancels_on_piece = true;
  answer(page(RecordIndex{5}, RecordIndex{9}));
  EXPECT_EQ(session_.ended, "abandoned");
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, ASessionMayFindItsClientGoneWhileItIsGivenTheLastEvent) {
  begin();
  session_.cancels_on_piece = true;
  answer(SubscriptionOver{Error{ErrorCode::KinesisResourceInUse, "taken over"}});
  EXPECT_EQ(session_.ended, "abandoned");
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, ATakeoverIsTheLastThingItsClientHears) {
  begin();
  answer(SubscriptionOver{Error{ErrorCode::KinesisResourceInUse, "taken over"}});
  EXPECT_EQ(session_.ended, "ended");
  EXPECT_THAT(session_.pieces, ElementsAre("exception taken over"));
  EXPECT_THAT(told_, IsEmpty()) << "the shard knows";
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, AnErrorOfTheShardIsTheLastThingItsClientHears) {
  begin();
  answer(Error{ErrorCode::KinesisResourceNotFound, "deleted"});
  EXPECT_EQ(session_.ended, "ended");
  EXPECT_THAT(session_.pieces, ElementsAre("exception deleted"));
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, ItsTimeIsOverQuietly) {
  begin();
  answer(SubscriptionOver{});
  EXPECT_EQ(session_.ended, "ended");
  EXPECT_THAT(session_.pieces, IsEmpty());
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, TheEndOfItsShardIsItsEnd) {
  begin();
  RecordsPage last = page(RecordIndex{5}, RecordIndex{9});
  last.closed = true;
  answer(std::move(last));
  EXPECT_EQ(session_.ended, "ended");
  EXPECT_THAT(session_.pieces, ElementsAre("event 9"));
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, AClosedShardIsReadToItsEnd) {
  begin();
  RecordsPage some = page(RecordIndex{5}, RecordIndex{9});
  some.closed = true;
  reads_until_ = RecordIndex{7};
  answer(std::move(some));
  session_.send();
  EXPECT_EQ(session_.ended, "");
  EXPECT_THAT(asked_from(), ElementsAre(5, 7));
}

TEST_F(SubscriptionTest, RecordsThatCannotBeReadEndIt) {
  begin();
  unreadable_ = Error{ErrorCode::KinesisInternalFailure, "damaged"};
  answer(page(RecordIndex{5}, RecordIndex{9}));
  EXPECT_EQ(session_.ended, "ended");
  EXPECT_THAT(session_.pieces, ElementsAre("exception damaged"));
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_TRUE(released());
}

TEST_F(SubscriptionTest, ACancelAfterItsEndIsNothingToIt) {
  session_.keeps_exchange = true;
  begin();
  answer(SubscriptionOver{});
  session_.exchange->cancel();
  EXPECT_EQ(session_.ended, "ended");
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace penstock::server
