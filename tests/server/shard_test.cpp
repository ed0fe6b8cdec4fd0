// What a shard does for its engine, with an engine that only says what it was asked: moves between queues above all.
#include "server/shard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/two_shards.hpp"
#include "storage/records.hpp"

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr QueueId origin_id{1};
constexpr QueueId destination_id = ScriptedEngine::accepting_queue;
const QueueName origin_name{"000000000000", "us-east-1", "origin"};
const QueueName destination_name{"000000000000", "us-east-1", "destination"};

class ShardTest : public TwoShards {
 protected:
  void put_message(Sequence sequence, const std::string& source = "") {
    auto message = std::make_shared<StoredMessage>();
    message->message_id = std::to_string(sequence.value);
    message->dead_letter_source = source;
    origin_engine_->effects.mutations.emplace_back(PutMessage{origin_id, sequence, std::move(message)});
  }
  static Transfer transfer_of(Sequence sequence) {
    return {TransferKind::dead_letter, origin_id, sequence, origin_name, destination_name, 4, from_epoch_ms(77)};
  }
  static Transfer without_destination(Sequence sequence) {
    Transfer transfer = transfer_of(sequence);
    transfer.kind = TransferKind::redrive;
    transfer.destination.reset();
    return transfer;
  }
  void transfer(Transfer transfer) { origin_engine_->effects.transfers.push_back(std::move(transfer)); }
};

TEST_F(ShardTest, AMoveIsAcceptedSettledAndForgottenInThisOrder) {
  put_message(Sequence{5});
  transfer(transfer_of(Sequence{5}));
  origin_->start();
  run_until([&] { return !destination_engine_->forgotten.empty(); });
  EXPECT_THAT(log_, ElementsAre("destination accepts", "origin settles", "destination forgets"));
  const AcceptTransfer& accept = destination_engine_->accepted.at(0);
  EXPECT_EQ(accept.queue, destination_name);
  EXPECT_EQ(accept.kind, TransferKind::dead_letter);
  EXPECT_EQ(accept.origin_queue, origin_id);
  EXPECT_EQ(accept.origin_sequence, Sequence{5});
  EXPECT_EQ(accept.origin_arn, "arn:aws:sqs:us-east-1:000000000000:origin");
  EXPECT_EQ(accept.receive_count, 4U);
  EXPECT_EQ(accept.first_received, from_epoch_ms(77));
  ASSERT_NE(accept.message, nullptr);
  EXPECT_EQ(accept.message->message_id, "5") << "it was written by the same effects";
  const TransferSettled& outcome = origin_engine_->outcomes.at(0);
  EXPECT_EQ(outcome.queue, origin_id);
  EXPECT_EQ(outcome.sequence, Sequence{5});
  EXPECT_EQ(outcome.failure, std::nullopt);
  const ForgetArrival& forgotten = destination_engine_->forgotten.at(0);
  EXPECT_EQ(forgotten.queue, destination_id);
  EXPECT_EQ(forgotten.origin_queue, origin_id);
  EXPECT_EQ(forgotten.origin_sequence, Sequence{5});
}

TEST_F(ShardTest, AMoveWithinOneShardIsTheSame) {
  to_itself_ = true;
  put_message(Sequence{5});
  transfer(transfer_of(Sequence{5}));
  origin_->start();
  run_until([&] { return !origin_engine_->forgotten.empty(); });
  EXPECT_THAT(log_, ElementsAre("origin accepts", "origin settles", "origin forgets"));
}

TEST_F(ShardTest, CallsOfTheShardsOwnAreToldApartFromClients) {
  put_message(Sequence{5});
  transfer(transfer_of(Sequence{5}));
  origin_->start();
  run_until([&] { return !destination_engine_->forgotten.empty(); });
  EXPECT_NE(destination_engine_->calls.at(0).value >> 63U, 0U);
  EXPECT_NE(origin_engine_->calls.at(0).value >> 63U, 0U);
  EXPECT_EQ(destination_engine_->calls.at(1), CallId{}) << "nobody awaits that an arrival is forgotten";
}

TEST_F(ShardTest, WithoutADestinationAMessageGoesWhereItCameFrom) {
  put_message(Sequence{5}, "arn:aws:sqs:eu-west-1:123456789012:home");
  transfer(without_destination(Sequence{5}));
  origin_->start();
  run_until([&] { return !destination_engine_->forgotten.empty(); });
  EXPECT_EQ(destination_engine_->accepted.at(0).queue, (QueueName{"123456789012", "eu-west-1", "home"}));
  EXPECT_THAT(routed_, ElementsAre("home"));
}

TEST_F(ShardTest, AMessageThatCameFromNowhereStays) {
  const std::vector<std::string> sources{"",
                                         "home",
                                         "arn:aws:sqs:eu-west-1:123456789012",
                                         "arn:aws:sqs:eu-west-1:123456789012:",
                                         "arn:aws:sqs::123456789012:home",
                                         "arn:aws:sqs:eu-west-1:123456789012:home:more",
                                         "arn:aws:sns:eu-west-1:123456789012:home"};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    put_message(Sequence{i + 1}, sources[i]);
    transfer(without_destination(Sequence{i + 1}));
  }
  origin_->start();
  run_until([&] { return origin_engine_->outcomes.size() == sources.size(); });
  for (const TransferSettled& outcome : origin_engine_->outcomes) {
    EXPECT_EQ(outcome.failure, ErrorCode::ResourceNotFound) << sources[outcome.sequence.value - 1];
  }
  run_all();
  EXPECT_THAT(destination_engine_->accepted, IsEmpty());
  EXPECT_THAT(destination_engine_->forgotten, IsEmpty());
}

TEST_F(ShardTest, AMessageThatCannotBeReadStays) {
  transfer(transfer_of(Sequence{5}));
  origin_->start();
  run_until([&] { return !origin_engine_->outcomes.empty(); });
  EXPECT_EQ(origin_engine_->outcomes[0].failure, ErrorCode::InternalFailure);
  run_all();
  EXPECT_THAT(log_, ElementsAre("origin settles"));
}

TEST_F(ShardTest, ARefusalComesBackWithItsCodeAndNothingIsForgotten) {
  destination_engine_->script = [](const Command&) { return Error{ErrorCode::QueueDoesNotExist, ""}; };
  put_message(Sequence{5});
  transfer(transfer_of(Sequence{5}));
  origin_->start();
  run_until([&] { return !origin_engine_->outcomes.empty(); });
  EXPECT_EQ(origin_engine_->outcomes[0].failure, ErrorCode::QueueDoesNotExist);
  run_all();
  EXPECT_THAT(log_, ElementsAre("destination accepts", "origin settles"));
}

TEST_F(ShardTest, AnArrivalIsKeptUntilTheOriginHasAnswered) {
  origin_engine_->script = [](const Command&) { return std::nullopt; };
  put_message(Sequence{5});
  transfer(transfer_of(Sequence{5}));
  origin_->start();
  run_until([&] { return !origin_engine_->outcomes.empty(); });
  run_all();
  EXPECT_THAT(destination_engine_->forgotten, IsEmpty());
  origin_engine_->effects.replies.push_back(Reply{origin_engine_->calls.at(0), Done{}});
  origin_->start();
  run_until([&] { return !destination_engine_->forgotten.empty(); });
}

TEST_F(ShardTest, OnlySoManyMovesAreOpenAtATimeAndNoneIsForgotten) {
  constexpr std::size_t moves = 500;
  std::size_t open_max = 0;
  destination_engine_->script = [&](const Command& command) -> std::optional<Result> {
    open_max = std::max(open_max, destination_engine_->accepted.size() - origin_engine_->outcomes.size());
    if (std::holds_alternative<AcceptTransfer>(command)) return Accepted{destination_id};
    return std::nullopt;
  };
  for (std::uint64_t i = 1; i <= moves; ++i) {
    put_message(Sequence{i});
    transfer(transfer_of(Sequence{i}));
  }
  origin_->start();
  run_until([&] { return destination_engine_->forgotten.size() == moves; });
  EXPECT_LE(open_max, 64U);
  EXPECT_EQ(origin_engine_->outcomes.size(), moves);
  for (std::size_t i = 0; i < moves; ++i) EXPECT_EQ(origin_engine_->outcomes[i].sequence, Sequence{i + 1});
}

TEST_F(ShardTest, AStopAtAnyPointLeavesNothingBehindThatRuns) {
  for (std::uint64_t i = 1; i <= 100; ++i) {
    put_message(Sequence{i});
    transfer(transfer_of(Sequence{i}));
  }
  origin_->start();
  // Each handler that is left is destroyed with its context, after the shards that it names.
  for (int i = 0; i < 40; ++i) {
    origin_context_.restart();
    origin_context_.poll_one();
    if (i % 3 == 0) {
      destination_context_.restart();
      destination_context_.poll_one();
    }
  }
  committer_.reset();
  destination_.reset();
  origin_.reset();
}

TEST_F(ShardTest, WhatIsPeekedAtIsReadAndWhatIsGoneLeftOut) {
  put_message(Sequence{1});
  put_message(Sequence{3});
  origin_engine_->script = [](const Command&) {
    PeekedMessages peeked;
    for (const std::uint64_t sequence : {1, 2, 3}) {
      Delivery delivery;
      delivery.queue = origin_id;
      delivery.sequence = Sequence{sequence};
      peeked.messages.push_back(delivery);
    }
    return peeked;
  };
  std::optional<Result> answer;
  origin_->submit(CallId{1}, PeekMessages{origin_name}, [&](std::optional<Result> result) { answer = result; });
  run_until([&] { return answer.has_value(); });
  const auto& peeked = std::get<PeekedMessages>(*answer);
  ASSERT_EQ(peeked.messages.size(), 2U);
  EXPECT_EQ(peeked.messages[0].message->message_id, "1");
  EXPECT_EQ(peeked.messages[1].message->message_id, "3");
}

TEST_F(ShardTest, ALookReadsNoMoreThanItsLimitOfBytes) {
  constexpr std::uint64_t count = 40;
  auto message = std::make_shared<StoredMessage>();
  message->content.attributes.push_back({"a", "String", std::string(1U << 20U, 'x')});
  for (std::uint64_t i = 1; i <= count; ++i) {
    origin_engine_->effects.mutations.emplace_back(PutMessage{origin_id, Sequence{i}, message});
  }
  origin_engine_->script = [](const Command&) {
    PeekedMessages peeked;
    for (std::uint64_t i = 1; i <= count; ++i) {
      Delivery& delivery = peeked.messages.emplace_back();
      delivery.queue = origin_id;
      delivery.sequence = Sequence{i};
    }
    return peeked;
  };
  std::optional<Result> answer;
  origin_->submit(CallId{1}, PeekMessages{origin_name}, [&](std::optional<Result> result) { answer = result; });
  run_until([&] { return answer.has_value(); });
  EXPECT_EQ(std::get<PeekedMessages>(*answer).messages.size(), 16U);
}

}  // namespace
}  // namespace penstock::server
