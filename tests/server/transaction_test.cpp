// How a transaction goes from the shard of its positions to that of its records, and its outcome back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/two_shards.hpp"
#include "storage/stream_records.hpp"

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr StreamId source_id{6};
constexpr StreamId target_id{7};
const StreamName source{"000000000000", "us-east-1", "orders"};
const StreamName target{"000000000000", "us-east-1", "bills"};

/// What its origin's engine does with a call, and both engines with the steps that follow.
class TransactionTest : public TwoShards {
 protected:
  TransactionTest() {
    destination_engine_->script = [this](const Command& command) { return obey(std::get<StreamCommand>(command)); };
    origin_engine_->script = destination_engine_->script;
  }

  std::optional<Result> obey(const StreamCommand& command) {
    if (const auto* transact = std::get_if<TransactGroup>(&command)) begin(CallId{std::stoull(transact->key)});
    if (std::holds_alternative<AcceptTransaction>(command)) {
      most_open_ = std::max(most_open_, ++accepted_ - settled_.size());
      return accepts_ ? std::optional(answer_) : std::nullopt;
    }
    const auto* settled = std::get_if<TransactionSettled>(&command);
    if (settled == nullptr) return std::nullopt;
    settled_.push_back(*settled);
    // The call itself is answered by this, as an engine does it.
    Result outcome = GroupTransacted{settled->put};
    if (settled->failure) outcome = *settled->failure;
    origin_engine_->effects.replies.push_back({settled->call, std::move(outcome)});
    return Done{};
  }
  void begin(CallId call) {
    AcceptTransaction accept{target, {{"key", "data", {}}}};
    origin_engine_->effects.transactions.push_back({source, call, std::move(accept)});
  }
  /// A client asks.
  void transact(std::uint64_t call) {
    TransactGroup asked{source, "billing"};
    asked.key = std::to_string(call);
    origin_->submit(CallId{call}, StreamCommand{asked},
                    [this](std::optional<Result> result) { answers_.push_back(std::move(result)); });
  }
  void run_until_answered(std::size_t count) {
    run_until([&] { return answers_.size() == count; });
  }
  /// Only a batch with one answer may be written in the shard's own thread, where the gate would hold the test.
  static void leave_to_committer(Effects& effects) {
    for (const std::uint64_t unknown : {98, 99}) effects.replies.push_back({CallId{unknown}, Done{}});
  }
  static Mutation record_of(StreamId stream) {
    return PutStreamRecords{stream, {}, RecordIndex{1}, {{"key", "data", Instant{}}}};
  }
  bool has_record(StreamId stream) const {
    RecordsPage page;
    page.id = stream;
    page.from = RecordIndex{1};
    page.until = RecordIndex{2};
    page.count_max = page.bytes_max = 10;
    EXPECT_FALSE(storage::read_page(store_, page));
    return !page.records.empty();
  }

  bool accepts_ = true;
  Result answer_ = RecordsPut{{RecordPut{ShardIndex{1}, {}}}, false};
  std::vector<TransactionSettled> settled_;
  std::vector<std::optional<Result>> answers_;
  std::size_t accepted_ = 0;
  std::size_t most_open_ = 0;
};

TEST_F(TransactionTest, ItsTargetIsAskedAndItsOriginToldWhatCameOfIt) {
  transact(17);
  run_until_answered(1);
  EXPECT_THAT(routed_, ElementsAre("bills"));
  ASSERT_THAT(destination_engine_->asked_of_streams, SizeIs(1));
  const auto& accept = std::get<AcceptTransaction>(destination_engine_->asked_of_streams[0]);
  EXPECT_EQ(accept.stream, target);
  ASSERT_THAT(accept.entries, SizeIs(1));
  EXPECT_EQ(accept.entries[0].data, "data");
  EXPECT_EQ(settled_.at(0).stream, source);
  EXPECT_EQ(settled_.at(0).call, CallId{17});
  EXPECT_EQ(settled_.at(0).failure, std::nullopt);
  EXPECT_THAT(settled_.at(0).put, ElementsAre(RecordPut{ShardIndex{1}, {}}));
  EXPECT_THAT(std::get<GroupTransacted>(answers_.at(0).value()).put, SizeIs(1));
  run_all();
  EXPECT_THAT(settled_, SizeIs(1)) << "it is told once";
  EXPECT_THAT(answers_, SizeIs(1));
}

TEST_F(TransactionTest, WithinOneShardItIsTheSame) {
  to_itself_ = true;
  transact(17);
  run_until_answered(1);
  run_all();
  EXPECT_THAT(origin_engine_->asked_of_streams, SizeIs(3)) << "the call, its records, its outcome";
  EXPECT_THAT(destination_engine_->asked_of_streams, IsEmpty());
  EXPECT_THAT(settled_, SizeIs(1));
  EXPECT_THAT(std::get<GroupTransacted>(answers_.at(0).value()).put, SizeIs(1));
}

TEST_F(TransactionTest, WhatTheTargetRefusesIsTold) {
  for (const bool to_itself : {false, true}) {
    to_itself_ = to_itself;
    settled_.clear();
    answers_.clear();
    answer_ = Error{ErrorCode::KinesisThroughputExceeded, "too fast"};
    transact(17);
    run_until_answered(1);
    run_all();
    ASSERT_THAT(settled_, SizeIs(1));
    ASSERT_TRUE(settled_.at(0).failure);
    EXPECT_EQ(settled_.at(0).failure->message, "too fast");
    EXPECT_THAT(settled_.at(0).put, IsEmpty());
    EXPECT_EQ(std::get<Error>(answers_.at(0).value()).code, ErrorCode::KinesisThroughputExceeded);
  }
}

TEST_F(TransactionTest, OneThatIsCutOffIsToldAsWell) {
  accepts_ = false;
  transact(17);
  run_until([&] { return accepted_ == 1; });
  run_for_a_while();
  EXPECT_THAT(settled_, IsEmpty());
  EXPECT_THAT(answers_, IsEmpty()) << "its call waits";
  destination_->cancel(destination_engine_->calls.at(0), StreamCommand{CancelPoll{target}});
  run_until_answered(1);
  EXPECT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(std::get<Error>(answers_.at(0).value()).code, ErrorCode::KinesisInternalFailure);
}

TEST_F(TransactionTest, TheTargetIsAskedWhenWhatTheOriginKnewIsWritten) {
  Effects& effects = origin_engine_->effects;
  effects.mutations.push_back(record_of(source_id));
  effects.sync = true;
  leave_to_committer(effects);
  store_.set_open(false);
  transact(17);
  run_for_a_while();
  EXPECT_EQ(accepted_, 0U);
  store_.set_open(true);
  run_until([&] { return accepted_ == 1; });
  EXPECT_TRUE(has_record(source_id));
  run_until_answered(1);
}

TEST_F(TransactionTest, TheOriginIsToldWhenTheTargetHasItDurably) {
  destination_engine_->script = [this](const Command& command) {
    Effects& effects = destination_engine_->effects;
    effects.mutations.push_back(record_of(target_id));
    effects.sync = true;
    leave_to_committer(effects);
    return obey(std::get<StreamCommand>(command));
  };
  store_.set_open(false);
  transact(17);
  run_until([&] { return accepted_ == 1; });
  run_for_a_while();
  EXPECT_THAT(settled_, IsEmpty());
  store_.set_open(true);
  run_until([&] { return !settled_.empty(); });
  EXPECT_TRUE(has_record(target_id));
  run_until_answered(1);
}

TEST_F(TransactionTest, ABoundedNumberIsUnderWayAndAllAreSettledInOrder) {
  constexpr std::uint64_t count = 200;
  for (std::uint64_t call = 1; call <= count; ++call) transact(call);
  run_until_answered(count);
  EXPECT_LE(most_open_, 64U);
  ASSERT_THAT(settled_, SizeIs(count));
  for (std::uint64_t call = 1; call <= count; ++call) EXPECT_EQ(settled_[call - 1].call, CallId{call});
}

TEST_F(TransactionTest, AStopAtAnyPointLeavesNothingBehindThatRuns) {
  for (std::uint64_t call = 1; call <= 100; ++call) transact(call);
  // Each handler that is left is destroyed with its context, after the shards that it names.
  for (int i = 0; i < 40; ++i) {
    origin_context_.restart();
    origin_context_.poll_one();
    if (i % 3 == 0) {
      destination_context_.restart();
      destination_context_.poll_one();
    }
  }
  EXPECT_GT(accepted_, 0U);
  EXPECT_LT(settled_.size(), 100U);
  committer_.reset();
  destination_.reset();
  origin_.reset();
}

}  // namespace
}  // namespace penstock::server
