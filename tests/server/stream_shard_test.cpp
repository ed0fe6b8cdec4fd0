// When a shard lets go of what its engine answers about streams: not before what was observed is durable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

#include "server/gated_store.hpp"
#include "server/scripted_engine.hpp"
#include "server/shard.hpp"
#include "storage/committer.hpp"
#include "storage/stream_records.hpp"

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const StreamName stream{"000000000000", "us-east-1", "events"};
constexpr StreamId stream_id{7};

/// A shard whose engine takes every put as one record, and parks every AwaitRecords and PollGroup until the next put.
class StreamShardTest : public testing::Test {
 protected:
  StreamShardTest() {
    auto engine = std::make_unique<ScriptedEngine>("", log_);
    engine_ = engine.get();
    committer_.emplace(store_, storage::Durability::fsync, storage::Committer::Callbacks{[this] { shard_->wake(); }});
    shard_.emplace(
        context_, store_, *committer_, clock_, [this](const Command&) -> Shard& { return *shard_; }, std::move(engine));
    engine_->script = [this](const Command& command) { return obey(std::get<StreamCommand>(command)); };
  }
  ~StreamShardTest() override {
    store_.set_open(true);
    committer_.reset();
  }

  std::optional<Result> obey(const StreamCommand& command) {
    if (std::holds_alternative<CancelPoll>(command)) parked_.reset();
    if (std::holds_alternative<AwaitRecords>(command) || std::holds_alternative<PollGroup>(command)) {
      parked_ = CallId{calls_};
      return std::nullopt;
    }
    if (std::holds_alternative<GetRecords>(command)) return page();
    if (!std::holds_alternative<PutRecords>(command)) return std::nullopt;
    Effects& effects = engine_->effects;
    effects.mutations.emplace_back(PutStreamRecords{stream_id, {}, RecordIndex{tail_++}, {{"key", "data", Instant{}}}});
    effects.sync = true;
    if (parked_) effects.replies.push_back({*std::exchange(parked_, std::nullopt), page()});
    return RecordsPut{};
  }
  RecordsPage page() const {
    RecordsPage page;
    page.stream = stream;
    page.id = stream_id;
    page.from = RecordIndex{1};
    page.until = RecordIndex{tail_};
    page.count_max = page.bytes_max = 1'000;
    return page;
  }

  void submit(StreamCommand command, const std::string& label) {
    shard_->submit(CallId{++calls_}, std::move(command), [this, label](std::optional<Result> result) {
      answered_.push_back(label);
      // What an answer lets its client see is there to be read.
      const auto* got = result ? std::get_if<RecordsPage>(&*result) : nullptr;
      RecordsPage seen = got != nullptr ? *got : page();
      EXPECT_FALSE(storage::read_page(store_, seen));
      read_.push_back(seen.records.size());
    });
  }
  CallId poll_group() {
    const CallId call{++calls_};
    shard_->submit(call, StreamCommand{PollGroup{stream, "billing"}},
                   [this](const std::optional<Result>& result) { outcomes_.emplace_back(result ? "answer" : "none"); });
    return call;
  }
  void cancel(CallId poll) { shard_->cancel(poll, StreamCommand{CancelPoll{stream, "billing", poll}}); }
  void run_until_answered(std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (answered_.size() < count) {
      if (std::chrono::steady_clock::now() > end) FAIL() << "it did not happen";
      poll();
    }
  }
  void run_for_a_while() {
    for (int i = 0; i < 50; ++i) poll();
  }
  void poll() {
    context_.restart();
    if (context_.poll() == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

  GatedStore store_;
  SystemClock clock_;
  std::vector<std::string> log_;
  boost::asio::io_context context_{1};
  ScriptedEngine* engine_ = nullptr;
  std::optional<storage::Committer> committer_;  // calls the shard back, but not before it has submitted something
  std::optional<Shard> shard_;

  std::uint64_t tail_ = 1;
  std::uint64_t calls_ = 0;
  std::optional<CallId> parked_;
  std::vector<std::string> answered_;
  std::vector<std::string> outcomes_;  // of polls
  std::vector<std::size_t> read_;      // the records that were there at each answer
};

TEST_F(StreamShardTest, APutIsAnsweredOnceItsRecordsCanBeRead) {
  submit(PutRecords{stream}, "put");
  run_until_answered(1);
  EXPECT_THAT(read_, ElementsAre(1));
}

TEST_F(StreamShardTest, APutWakesReadersOnceItIsDurable) {
  submit(AwaitRecords{stream}, "reader");
  run_for_a_while();
  store_.set_open(false);
  submit(PutRecords{stream}, "put");
  run_for_a_while();
  EXPECT_THAT(answered_, IsEmpty());
  store_.set_open(true);
  run_until_answered(2);
  EXPECT_THAT(answered_, testing::UnorderedElementsAre("put", "reader"));
  EXPECT_THAT(read_, ElementsAre(1, 1));
}

TEST_F(StreamShardTest, AReadWaitsForTheDurabilityOfWhatItSaw) {
  submit(AwaitRecords{stream}, "reader");
  run_for_a_while();
  store_.set_open(false);
  submit(PutRecords{stream}, "put");
  run_for_a_while();
  submit(GetRecords{stream}, "get");
  run_for_a_while();
  EXPECT_THAT(answered_, IsEmpty());
  store_.set_open(true);
  run_until_answered(3);
  EXPECT_EQ(answered_.back(), "get") << "answers come in the order of what they saw";
  EXPECT_THAT(read_, ElementsAre(1, 1, 1));
}

TEST_F(StreamShardTest, AnswersOfPutsKeepTheirOrder) {
  submit(AwaitRecords{stream}, "reader");
  run_for_a_while();
  store_.set_open(false);
  submit(PutRecords{stream}, "0");
  run_for_a_while();
  for (const char* label : {"1", "2", "3"}) submit(PutRecords{stream}, label);
  run_for_a_while();
  store_.set_open(true);
  run_until_answered(5);
  std::erase(answered_, "reader");
  EXPECT_THAT(answered_, ElementsAre("0", "1", "2", "3"));
}

TEST_F(StreamShardTest, APollWhoseClientGoesIsGivenUp) {
  const CallId poll = poll_group();
  run_for_a_while();
  EXPECT_THAT(outcomes_, IsEmpty());
  cancel(poll);
  run_for_a_while();
  EXPECT_THAT(outcomes_, ElementsAre("none"));
  ASSERT_EQ(engine_->asked_of_streams.size(), 2U);
  EXPECT_EQ(std::get<CancelPoll>(engine_->asked_of_streams[1]).poll, poll);
  submit(PutRecords{stream}, "put");
  run_until_answered(1);
  EXPECT_THAT(outcomes_, ElementsAre("none"));
}

TEST_F(StreamShardTest, APollThatIsGivenUpTooLateIsAnswered) {
  const CallId poll = poll_group();
  run_for_a_while();
  store_.set_open(false);
  submit(PutRecords{stream}, "put");
  run_for_a_while();
  cancel(poll);
  run_for_a_while();
  EXPECT_THAT(outcomes_, IsEmpty()) << "its answer waits for the store";
  store_.set_open(true);
  run_until_answered(1);
  run_for_a_while();
  EXPECT_THAT(outcomes_, ElementsAre("answer"));
}

TEST_F(StreamShardTest, APollThatIsGivenUpInTheTurnOfItsAnswerEndsOnce) {
  const CallId poll = poll_group();
  submit(PutRecords{stream}, "put");
  cancel(poll);
  run_until_answered(1);
  run_for_a_while();
  EXPECT_THAT(outcomes_, ElementsAre("answer"));
  cancel(poll);
  run_for_a_while();
  EXPECT_THAT(outcomes_, ElementsAre("answer"));
}

TEST_F(StreamShardTest, WhatIsToldIsNotAnswered) {
  shard_->tell(StreamCommand{RecordsRead{stream}});
  run_for_a_while();
  EXPECT_THAT(engine_->calls, ElementsAre(CallId{}));
  ASSERT_EQ(engine_->asked_of_streams.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<RecordsRead>(engine_->asked_of_streams[0]));
}

TEST_F(StreamShardTest, AStopEndsWhatIsParkedAndWhatComesLater) {
  engine_->on_release = [this] {
    if (parked_) engine_->effects.replies.push_back({*std::exchange(parked_, std::nullopt), SubscriptionOver{}});
  };
  submit(AwaitRecords{stream}, "parked");
  run_for_a_while();
  EXPECT_THAT(answered_, IsEmpty());
  shard_->release_parked();
  run_until_answered(1);
  submit(AwaitRecords{stream}, "late");
  run_until_answered(2);
  EXPECT_THAT(answered_, ElementsAre("parked", "late"));
  poll_group();
  run_for_a_while();
  EXPECT_THAT(outcomes_, ElementsAre("answer"));
}

TEST_F(StreamShardTest, WhatAStartFindsIsTheEnginesToKnow) {
  RecoveredStream found;
  found.info.name = stream;
  found.shards.resize(2);
  found.groups.resize(1);
  found.groups[0].info.name = "billing";
  shard_->recover(found);
  StreamAccount account;
  account.account = {"000000000000", "us-east-1", ""};
  account.commitment_enabled = true;
  shard_->recover(account);
  ASSERT_EQ(engine_->streams.size(), 1U);
  EXPECT_EQ(engine_->streams[0].info.name, stream);
  EXPECT_EQ(engine_->streams[0].shards.size(), 2U);
  ASSERT_EQ(engine_->streams[0].groups.size(), 1U);
  EXPECT_EQ(engine_->streams[0].groups[0].info.name, "billing");
  EXPECT_THAT(engine_->accounts, ElementsAre(account));
}

}  // namespace
}  // namespace penstock::server
