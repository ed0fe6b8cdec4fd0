// Streams from the frontend to the store and back, with the real engines of two shards.
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

#include "server/frontend.hpp"
#include "storage/committer.hpp"
#include "storage/memory_store.hpp"
#include "storage/stream_records.hpp"

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

StreamName named(const std::string& name) { return {"000000000000", "us-east-1", name}; }

/// What runs between two starts.
class Running {
 public:
  explicit Running(storage::MemoryStore& store, const Limits& limits)
      : committer_(std::in_place, store, storage::Durability::fsync, storage::Committer::Callbacks{[this] {
                     for (const auto& shard : shards_) shard->wake();
                   }}) {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      shards_.at(i) = std::make_unique<Shard>(contexts_.at(i), store, *committer_, clock_, limits,
                                              [this](const Command&) -> Shard& { return *shards_[0]; });
      service_.shards.push_back(shards_.at(i).get());
    }
    service_.store = &store;
    service_.clock = &clock_;
    std::vector<RecoveredStream> streams;
    std::vector<StreamAccount> accounts;
    EXPECT_FALSE(storage::recover_streams(store, streams, accounts));
    for (RecoveredStream& stream : streams) shard_of(stream.info.name).recover(std::move(stream));
    for (const auto& shard : shards_) shard->start();
  }
  ~Running() { committer_.reset(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Shard& shard_of(const StreamName& stream) { return *shards_.at(service_.owner_of(stream)); }
  net::Exchange exchange() { return net::Exchange(contexts_[0].get_executor()); }
  void release_parked() {
    for (const auto& shard : shards_) shard->release_parked();
  }

  Result call(StreamCommand command, std::optional<StreamId> stream_id = std::nullopt) {
    std::optional<Result> answer;
    protocol::PreparedCall call;
    call.command = std::move(command);
    call.stream_id = stream_id;
    call.respond = [&](Result&& result) {
      answer = std::move(result);
      return protocol::WireResponse{};
    };
    net::Exchange exchange(contexts_[0].get_executor());
    frontend_.carry_out(std::move(call), exchange);
    run_until([&] { return exchange.completed(); });
    return std::move(*answer);
  }
  void subscribe(SubscribeToShard command, net::Exchange& exchange) {
    protocol::PreparedCall call;
    call.command = StreamCommand{std::move(command)};
    call.respond = [](Result&& result) {
      return protocol::WireResponse{std::holds_alternative<Subscribed>(result) ? 200 : 400};
    };
    call.feed.emplace();
    call.feed->event = [](RecordsPage&& page) {
      std::string text = page.ends_shard() ? "end" : "event";
      for (const ReadRecord& read : page.records) text += " " + read.record.data;
      return text;
    };
    call.feed->exception = [](const Error&) { return std::string("exception"); };
    frontend_.carry_out(std::move(call), exchange);
    run_until([&] { return exchange.has_news(); });
    exchange.take_head();
  }
  std::string next_piece(net::Exchange& exchange) {
    run_until([&] { return exchange.piece() != nullptr || exchange.completed(); });
    if (exchange.piece() == nullptr) return "over";
    std::string piece = *exchange.piece();
    exchange.piece_taken();
    return piece;
  }
  void run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) FAIL() << "it did not happen";
      std::size_t ran = 0;
      for (boost::asio::io_context& context : contexts_) {
        context.restart();
        ran += context.poll();
      }
      if (ran == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

 private:
  SystemClock clock_;
  std::array<boost::asio::io_context, 2> contexts_;
  std::optional<storage::Committer> committer_;  // calls the shards back, but not before they have submitted something
  std::array<std::unique_ptr<Shard>, 2> shards_;
  Service service_;
  Frontend frontend_{service_, 0};
};

class StreamServiceTest : public testing::Test {
 protected:
  StreamServiceTest() {
    limits_.stream_transition = Millis{0};
    start();
  }

  void start() {
    running_.reset();
    running_.emplace(store_, limits_);
  }
  void create(const StreamName& stream) {
    CreateStream create;
    create.stream = stream;
    create.shard_count = 1;
    EXPECT_TRUE(std::holds_alternative<Done>(running_->call(std::move(create))));
  }
  void put(const StreamName& stream, std::vector<std::string> data) {
    PutRecords put;
    put.stream = stream;
    for (std::string& each : data) put.entries.push_back({"key", std::move(each), {}});
    const Result result = running_->call(std::move(put));
    ASSERT_TRUE(std::holds_alternative<RecordsPut>(result));
    for (const auto& entry : std::get<RecordsPut>(result).entries) {
      EXPECT_TRUE(std::holds_alternative<RecordPut>(entry));
    }
  }
  StreamId id_of(const StreamName& stream) {
    return std::get<StreamSummary>(running_->call(DescribeStreamSummary{stream})).info.id;
  }
  std::vector<std::string> read(const StreamName& stream) {
    GetRecords get;
    get.stream = stream;
    get.id = id_of(stream);
    get.from = RecordIndex{1};
    get.count_max = 10'000;
    std::vector<std::string> data;
    const Result result = running_->call(std::move(get));
    for (const ReadRecord& each : std::get<RecordsPage>(result).records) data.push_back(each.record.data);
    return data;
  }
  SubscribeToShard subscription(const StreamName& stream) {
    RegisterConsumer consumer;
    consumer.stream = stream;
    consumer.name = "reader";
    const Result result = running_->call(std::move(consumer));
    const auto created =
        std::chrono::floor<std::chrono::seconds>(std::get<ConsumerDescription>(result).consumer.created);
    SubscribeToShard subscribe;
    subscribe.stream = stream;
    subscribe.consumer = {"reader", created.time_since_epoch().count()};
    subscribe.shard_id = "shardId-000000000000";
    subscribe.start.type = IteratorType::trim_horizon;
    return subscribe;
  }

  Limits limits_;
  storage::MemoryStore store_;
  std::optional<Running> running_;
};

TEST_F(StreamServiceTest, RecordsAreReadAsTheyWerePutAlsoAfterAStart) {
  for (const char* name : {"a", "b", "c", "d"}) {
    create(named(name));
    put(named(name), {name, "1", "2"});
  }
  start();
  for (const char* name : {"a", "b", "c", "d"}) {
    put(named(name), {"3"});
    EXPECT_THAT(read(named(name)), ElementsAre(name, "1", "2", "3"));
  }
  ListStreams list;
  list.stream = named("");
  list.limit = 3;
  const Result listed = running_->call(std::move(list));
  EXPECT_EQ(std::get<StreamList>(listed).streams.size(), 3U);
  EXPECT_EQ(std::get<StreamList>(listed).streams[2].name, named("c"));
  EXPECT_TRUE(std::get<StreamList>(listed).more);
  EXPECT_EQ(std::get<StreamCounts>(running_->call(DescribeLimits{named("")})).open_shards, 4U);
}

TEST_F(StreamServiceTest, StreamsAreFoundByTheirIds) {
  for (const char* name : {"a", "b", "c", "d"}) create(named(name));
  for (const char* name : {"a", "b", "c", "d"}) {
    const Result result = running_->call(DescribeStreamSummary{named("")}, id_of(named(name)));
    EXPECT_EQ(std::get<StreamSummary>(result).info.name, named(name));
  }
}

TEST_F(StreamServiceTest, ASubscriberGetsWhatWasThereAndWhatIsPut) {
  create(named("a"));
  put(named("a"), {"1", "2"});
  net::Exchange exchange = running_->exchange();
  running_->subscribe(subscription(named("a")), exchange);
  EXPECT_EQ(exchange.response().status, 200);
  EXPECT_EQ(running_->next_piece(exchange), "event 1 2");
  put(named("a"), {"3"});
  EXPECT_EQ(running_->next_piece(exchange), "event 3");
  put(named("a"), {"4"});
  put(named("a"), {"5"});
  std::string rest = running_->next_piece(exchange);
  if (rest == "event 4") rest += running_->next_piece(exchange).substr(5);
  EXPECT_EQ(rest, "event 4 5");
  exchange.cancel();
  EXPECT_TRUE(exchange.abandoned());
}

TEST_F(StreamServiceTest, ASecondSubscriberIsRefusedAtFirst) {
  create(named("a"));
  const SubscribeToShard subscribe = subscription(named("a"));
  net::Exchange first = running_->exchange();
  running_->subscribe(subscribe, first);
  net::Exchange second = running_->exchange();
  running_->subscribe(subscribe, second);
  EXPECT_EQ(second.response().status, 400);
  EXPECT_TRUE(second.completed());
  EXPECT_FALSE(first.completed());
  first.cancel();
}

TEST_F(StreamServiceTest, ASplitEndsTheSubscriptionBehindTheLastRecord) {
  create(named("a"));
  put(named("a"), {"1"});
  net::Exchange exchange = running_->exchange();
  running_->subscribe(subscription(named("a")), exchange);
  EXPECT_EQ(running_->next_piece(exchange), "event 1");
  SplitShard split;
  split.stream = named("a");
  split.shard_id = "shardId-000000000000";
  split.new_starting_hash_key = "170141183460469231731687303715884105728";
  EXPECT_TRUE(std::holds_alternative<Done>(running_->call(std::move(split))));
  EXPECT_EQ(running_->next_piece(exchange), "end");
  EXPECT_TRUE(exchange.completed());
  EXPECT_FALSE(exchange.abandoned());
}

TEST_F(StreamServiceTest, ADeletedStreamTellsItsSubscribers) {
  create(named("a"));
  net::Exchange exchange = running_->exchange();
  running_->subscribe(subscription(named("a")), exchange);
  running_->call(DeleteStream{named("a"), true});
  EXPECT_EQ(running_->next_piece(exchange), "exception");
  EXPECT_TRUE(exchange.completed());
}

TEST_F(StreamServiceTest, AStopEndsSubscriptionsQuietly) {
  create(named("a"));
  net::Exchange exchange = running_->exchange();
  running_->subscribe(subscription(named("a")), exchange);
  running_->release_parked();
  EXPECT_EQ(running_->next_piece(exchange), "over");
  EXPECT_FALSE(exchange.abandoned());
}

}  // namespace
}  // namespace penstock::server
