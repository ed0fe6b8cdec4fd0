// How calls about streams find their shards, and what is done around the engines: with engines that only say what they
// were asked, one in the thread of the session and one in another.
#include "server/frontend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/stream_names.hpp"
#include "server/scripted_engine.hpp"
#include "storage/committer.hpp"
#include "storage/memory_store.hpp"
#include "storage/stream_records.hpp"

namespace penstock::server {
namespace {

using net::Exchange;
using protocol::PreparedCall;
using protocol::WireResponse;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t here = 0;   // the shard in the session's thread
constexpr std::size_t there = 1;  // and the other
constexpr StreamId stream_id{7};
constexpr SubscriptionId subscription_id{9};
const StreamName account{"000000000000", "us-east-1", ""};

/// A stream that one of the two shards owns.
StreamName stream_of_shard(std::size_t owner) {
  StreamName stream = account;
  for (int i = 0;; ++i) {
    stream.name = "events" + std::to_string(i);
    if (owner_of(stream, 2) == owner) return stream;
  }
}

class FrontendTest : public testing::TestWithParam<std::size_t> {
 protected:
  FrontendTest() {
    committer_.emplace(store_, storage::Durability::fsync, storage::Committer::Callbacks{[this] {
                         for (const auto& shard : shards_) shard->wake();
                       }});
    for (const std::size_t i : {here, there}) {
      auto engine = std::make_unique<ScriptedEngine>("", log_);
      engines_.at(i) = engine.get();
      engine->script = [this, i](const Command& command) { return obey(i, std::get<StreamCommand>(command)); };
      shards_.at(i) = std::make_unique<Shard>(
          contexts_.at(i), store_, *committer_, clock_, [this](const Command&) -> Shard& { return *shards_[here]; },
          std::move(engine));
      service_.shards.push_back(shards_.at(i).get());
    }
    service_.store = &store_;
    service_.clock = &clock_;
    // Nothing is left of what others put together.
    exchange_ = std::make_unique<Exchange>(contexts_[here].get_executor());
  }
  ~FrontendTest() override { committer_.reset(); }

  std::size_t owner() const { return GetParam(); }
  StreamName stream() const { return stream_of_shard(owner()); }
  ScriptedEngine& engine() { return *engines_.at(owner()); }

  /// What an engine of one stream says, in the shard that owns it.
  std::optional<Result> obey(std::size_t shard, const StreamCommand& command) {
    const StreamName known = stream();
    if (const auto* find = std::get_if<FindStream>(&command)) {
      StreamFound found;
      if (shard == owner() && find->id == stream_id) found.name = known;
      return found;
    }
    EXPECT_EQ(shard, owner());
    if (std::holds_alternative<GetRecords>(command)) return page();
    if (std::holds_alternative<SubscribeToShard>(command)) return subscribed_;
    if (const auto* await = std::get_if<AwaitRecords>(&command)) {
      if (await->from < RecordIndex{tail_}) return page();
      awaiting_ = engine().calls.size();
    }
    if (std::holds_alternative<EndSubscription>(command) && awaiting_) reply_to_await(SubscriptionOver{});
    if (std::holds_alternative<DescribeStreamSummary>(command)) return StreamSummary{};
    return std::nullopt;
  }
  void reply_to_await(Result result) {
    const std::size_t index = *std::exchange(awaiting_, std::nullopt);
    ASSERT_LT(index, engine().calls.size());
    engine().effects.replies.push_back({engine().calls[index], std::move(result)});
  }
  RecordsPage page() const {
    RecordsPage page;
    page.stream = stream();
    page.id = stream_id;
    page.from = RecordIndex{1};
    page.until = RecordIndex{tail_};
    page.count_max = 1'000;
    page.bytes_max = 1'000;
    return page;
  }

  void put_record() {
    WriteBatch batch;
    storage::encode_one(PutStreamRecords{stream_id, {}, RecordIndex{tail_++}, {{"key", "data", Instant{}}}}, batch);
    EXPECT_FALSE(store_.commit(batch, false));
  }
  void damage_records() {
    WriteBatch good;
    storage::encode_one(PutStreamRecords{stream_id, {}, RecordIndex{tail_++}, {{"key", "data", Instant{}}}}, good);
    WriteBatch bad;
    good.for_each(
        [&](WriteBatch::Op, Table table, std::string_view key, std::string_view) { bad.put(table, key, "?"); });
    EXPECT_FALSE(store_.commit(bad, false));
  }

  /// A call whose answer is what `result_` was.
  PreparedCall call(StreamCommand command) {
    PreparedCall call;
    call.command = std::move(command);
    call.respond = [this](Result&& result) {
      result_ = std::move(result);
      return WireResponse{200, "text/plain", {}, "answer"};
    };
    return call;
  }
  PreparedCall subscribing() {
    PreparedCall prepared = call(SubscribeToShard{stream()});
    prepared.feed.emplace();
    prepared.feed->event = [](RecordsPage&& page) { return std::to_string(page.records.size()) + " records"; };
    prepared.feed->exception = [](const Error& error) { return "exception " + error.message; };
    return prepared;
  }
  void begin(PreparedCall prepared) { frontend_.carry_out(std::move(prepared), *exchange_); }

  void run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) FAIL() << "it did not happen";
      if (poll() == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  void run_all() {
    while (poll() > 0) {
    }
  }
  std::size_t poll() {
    std::size_t ran = 0;
    for (boost::asio::io_context& context : contexts_) {
      context.restart();
      ran += context.poll();
    }
    return ran;
  }
  template <class T>
  std::vector<T> asked() {
    std::vector<T> found;
    for (const StreamCommand& command : engine().asked_of_streams) {
      if (const T* each = std::get_if<T>(&command)) found.push_back(*each);
    }
    return found;
  }
  bool has_date() {
    for (const auto& [name, value] : exchange_->response().headers) {
      if (name == "Date") return true;
    }
    return false;
  }

  storage::MemoryStore store_;
  SystemClock clock_;
  std::vector<std::string> log_;
  std::array<boost::asio::io_context, 2> contexts_;
  std::array<ScriptedEngine*, 2> engines_{};
  std::optional<storage::Committer> committer_;  // calls the shards back, but not before they have submitted something
  std::array<std::unique_ptr<Shard>, 2> shards_;
  Service service_;
  Frontend frontend_{service_, here};
  std::unique_ptr<Exchange> exchange_;

  std::uint64_t tail_ = 1;
  Result subscribed_ = Subscribed{stream_id, subscription_id, RecordIndex{1}};
  std::optional<std::size_t> awaiting_;  // which of the engine's calls
  std::optional<Result> result_;
};

INSTANTIATE_TEST_SUITE_P(Owner, FrontendTest, testing::Values(here, there));

TEST_P(FrontendTest, AStreamIsFoundByItsIdWhicheverShardHasIt) {
  PreparedCall prepared = call(DescribeStreamSummary{account});
  prepared.stream_id = stream_id;
  begin(std::move(prepared));
  run_until([&] { return exchange_->completed(); });
  EXPECT_TRUE(std::holds_alternative<StreamSummary>(*result_));
  ASSERT_EQ(asked<DescribeStreamSummary>().size(), 1U);
  EXPECT_EQ(asked<DescribeStreamSummary>()[0].stream, stream());
  EXPECT_EQ(asked<FindStream>().at(0).stream, account);
}

TEST_P(FrontendTest, AnIdThatNoShardKnowsIsNotFound) {
  PreparedCall prepared = call(DescribeStreamSummary{account});
  prepared.stream_id = StreamId{8};
  begin(std::move(prepared));
  run_until([&] { return exchange_->completed(); });
  const auto& error = std::get<Error>(*result_);
  EXPECT_EQ(error.code, ErrorCode::KinesisResourceNotFound);
  EXPECT_EQ(error.message, "Stream " + format_stream_id(StreamId{8}) + " under account 000000000000 not found.");
  EXPECT_THAT(asked<DescribeStreamSummary>(), IsEmpty());
}

TEST_P(FrontendTest, RecordsAreReadBeforeTheirAnswerIsWorded) {
  put_record();
  put_record();
  begin(call(GetRecords{stream()}));
  run_until([&] { return exchange_->completed(); });
  const auto& page = std::get<RecordsPage>(*result_);
  ASSERT_EQ(page.records.size(), 2U);
  EXPECT_EQ(page.records[1].record.data, "data");
  EXPECT_EQ(page.next, RecordIndex{3});
  run_all();
  EXPECT_THAT(asked<RecordsRead>(), IsEmpty()) << "nobody counts";
}

TEST_P(FrontendTest, StrictLimitsAreToldWhatWasRead) {
  service_.strict_limits = true;
  put_record();
  begin(call(GetRecords{stream()}));
  run_until([&] { return !asked<RecordsRead>().empty(); });
  EXPECT_EQ(asked<RecordsRead>()[0].stream, stream());
  EXPECT_EQ(asked<RecordsRead>()[0].id, stream_id);
  EXPECT_EQ(asked<RecordsRead>()[0].bytes, 7U);
}

TEST_P(FrontendTest, AnEmptyPageIsAnAnswer) {
  service_.strict_limits = true;
  begin(call(GetRecords{stream()}));
  run_until([&] { return exchange_->completed(); });
  EXPECT_THAT(std::get<RecordsPage>(*result_).records, IsEmpty());
  EXPECT_EQ(std::get<RecordsPage>(*result_).next, RecordIndex{1});
  run_all();
  EXPECT_THAT(asked<RecordsRead>(), IsEmpty());
}

TEST_P(FrontendTest, RecordsThatCannotBeReadAreAnInternalFailure) {
  damage_records();
  begin(call(GetRecords{stream()}));
  run_until([&] { return exchange_->completed(); });
  EXPECT_EQ(std::get<Error>(*result_).code, ErrorCode::KinesisInternalFailure);
}

TEST_P(FrontendTest, ASubscriberGetsItsHeadAndThenWhatIsPut) {
  begin(subscribing());
  EXPECT_TRUE(exchange_->parks());
  run_until([&] { return exchange_->streams() && awaiting_; });
  EXPECT_EQ(exchange_->response().body, "answer");
  EXPECT_TRUE(has_date());
  EXPECT_EQ(exchange_->piece(), nullptr);
  put_record();
  reply_to_await(page());
  shards_.at(owner())->start();
  run_until([&] { return exchange_->piece() != nullptr; });
  EXPECT_EQ(*exchange_->piece(), "1 records");
  exchange_->piece_taken();
  run_until([&] { return awaiting_.has_value(); });
  ASSERT_EQ(asked<AwaitRecords>().size(), 2U);
  EXPECT_EQ(asked<AwaitRecords>()[1].from, RecordIndex{2});
  EXPECT_EQ(asked<AwaitRecords>()[1].subscription, subscription_id);
  exchange_->cancel();
}

TEST_P(FrontendTest, ARefusedSubscriberGetsAnOrdinaryAnswer) {
  subscribed_ = Error{ErrorCode::KinesisResourceInUse, "busy"};
  begin(subscribing());
  run_until([&] { return exchange_->completed(); });
  EXPECT_FALSE(exchange_->streams());
  EXPECT_EQ(std::get<Error>(*result_).message, "busy");
  EXPECT_TRUE(has_date());
  EXPECT_THAT(asked<EndSubscription>(), IsEmpty());
}

TEST_P(FrontendTest, ASubscriberMayNameItsStreamByItsId) {
  PreparedCall prepared = subscribing();
  prepared.command = StreamCommand{SubscribeToShard{account}};
  prepared.stream_id = stream_id;
  begin(std::move(prepared));
  EXPECT_TRUE(exchange_->parks()) << "its client is watched from the start";
  run_until([&] { return exchange_->streams(); });
  EXPECT_EQ(asked<SubscribeToShard>().at(0).stream, stream());
  exchange_->cancel();
}

TEST_P(FrontendTest, ASubscriberThatGoesEarlyOrLateLeavesNothingBehind) {
  // It goes after so many handlers ran. In the end everything has been told, and the exchange was used no more.
  for (int steps = 0; steps < 16; ++steps) {
    SCOPED_TRACE(steps);
    put_record();
    awaiting_.reset();
    engine().asked_of_streams.clear();
    exchange_ = std::make_unique<Exchange>(contexts_[here].get_executor());
    PreparedCall prepared = subscribing();
    prepared.stream_id = stream_id;
    begin(std::move(prepared));
    for (int i = 0; i < steps; ++i) {
      boost::asio::io_context& context = contexts_.at(static_cast<std::size_t>(i % 2));
      context.restart();
      context.poll_one();
      if (exchange_->piece() != nullptr) exchange_->piece_taken();
    }
    exchange_->cancel();
    if (exchange_->completed()) exchange_.reset();
    run_until([&] { return asked<EndSubscription>().size() == 1; });
    if (exchange_ != nullptr) {
      run_until([&] { return exchange_->completed(); });
      EXPECT_TRUE(exchange_->abandoned());
      exchange_.reset();
    }
    run_all();
    EXPECT_EQ(asked<EndSubscription>().size(), 1U);
    EXPECT_EQ(asked<EndSubscription>()[0].subscription, subscription_id);
  }
}

TEST_P(FrontendTest, ThePollOfAConsumerWhoseClientGoesIsTakenBack) {
  PollGroup poll;
  poll.stream = stream();
  poll.group = "billing";
  begin(call(poll));
  EXPECT_TRUE(exchange_->parks());
  run_until([&] { return asked<PollGroup>().size() == 1; });
  exchange_->cancel();
  run_until([&] { return exchange_->completed(); });
  EXPECT_TRUE(exchange_->abandoned());
  ASSERT_EQ(asked<CancelPoll>().size(), 1U);
  EXPECT_EQ(asked<CancelPoll>()[0].group, "billing");
  EXPECT_EQ(asked<CancelPoll>()[0].poll, engine().calls.at(0));
}

TEST_P(FrontendTest, APollWhoseClientGoesEarlyOrLateEndsOnce) {
  // It goes after so many handlers ran, while the poll waits or while its answer is on the way.
  for (const bool waits : {false, true}) {
    for (int steps = 0; steps < 10; ++steps) {
      SCOPED_TRACE(testing::Message() << (waits ? "waits" : "is answered") << ", " << steps);
      engine().asked_of_streams.clear();
      engine().script = [waits](const Command& command) -> std::optional<Result> {
        const bool polls = std::holds_alternative<PollGroup>(std::get<StreamCommand>(command));
        return polls && !waits ? std::optional<Result>(GroupPolled{}) : std::nullopt;
      };
      exchange_ = std::make_unique<Exchange>(contexts_[here].get_executor());
      begin(call(PollGroup{stream(), "billing"}));
      for (int i = 0; i < steps; ++i) {
        boost::asio::io_context& context = contexts_.at(static_cast<std::size_t>(i % 2));
        context.restart();
        context.poll_one();
      }
      const bool was_answered = exchange_->completed();
      exchange_->cancel();
      run_until([&] { return exchange_->completed(); });
      EXPECT_TRUE(!waits || exchange_->abandoned());
      exchange_.reset();
      run_all();
      EXPECT_EQ(asked<PollGroup>().size(), 1U);
      EXPECT_EQ(asked<CancelPoll>().size(), was_answered ? 0U : 1U);
    }
  }
}

TEST_P(FrontendTest, WhatAPollIsHandedIsReadBeforeItsAnswerIsWorded) {
  put_record();
  put_record();
  engine().script = [this](const Command&) {
    GroupPolled polled;
    polled.count_max = 1;
    polled.bytes_max = 1'000;
    polled.batches = {{1, {}, page()}, {1, {}, page()}};
    return polled;
  };
  begin(call(PollGroup{stream(), "billing"}));
  run_until([&] { return exchange_->completed(); });
  const auto& polled = std::get<GroupPolled>(*result_);
  ASSERT_EQ(polled.batches.size(), 1U);
  ASSERT_EQ(polled.batches[0].page.records.size(), 1U);
  EXPECT_EQ(polled.batches[0].page.records[0].record.data, "data");
}

TEST_P(FrontendTest, EveryShardsStreamsAreListed) {
  engines_[here]->script = [](const Command&) { return StreamList{{{{"1", "r", "b"}}}, false}; };
  engines_[there]->script = [](const Command&) { return StreamList{{{{"1", "r", "a"}}}, true}; };
  begin(call(ListStreams{account, "", 10}));
  run_until([&] { return exchange_->completed(); });
  const auto& list = std::get<StreamList>(*result_);
  ASSERT_EQ(list.streams.size(), 2U);
  EXPECT_EQ(list.streams[0].name.name, "a");
  EXPECT_TRUE(list.more);
}

}  // namespace
}  // namespace penstock::server
