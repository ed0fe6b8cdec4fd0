// Which shard is asked what, and how the answers of all of them become one.
#include "server/routing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const QueueName queue{"000000000000", "us-east-1", "jobs"};
const StreamName stream{"000000000000", "us-east-1", "events"};
const StreamName account{"000000000000", "us-east-1", ""};

StreamList list_of(const std::vector<std::string>& names, bool more) {
  StreamList list;
  for (const std::string& name : names) list.streams.push_back({{"000000000000", "us-east-1", name}});
  list.more = more;
  return list;
}
std::vector<std::string> names_of(const Result& result) {
  std::vector<std::string> names;
  for (const ListedStream& each : std::get<StreamList>(result).streams) names.push_back(each.name.name);
  return names;
}
Result merged(const Command& command, std::vector<Result> answers) {
  Merge merge(command);
  for (Result& answer : answers) merge.add(std::move(answer));
  return merge.take();
}
Result streams_merged(std::size_t limit, std::vector<Result> answers) {
  return merged(StreamCommand{ListStreams{account, "", limit}}, std::move(answers));
}

TEST(Routing, EverythingAboutOneStreamHasOneOwner) {
  for (const std::size_t shards : {1U, 2U, 3U, 8U}) {
    const std::size_t owner = owner_of(stream, shards);
    EXPECT_LT(owner, shards);
    EXPECT_EQ(owner_of(StreamCommand{CreateStream{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{PutRecords{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{GetRecords{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{AwaitRecords{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{PollGroup{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{CancelPoll{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{AcceptTransaction{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{TransactionSettled{stream}}, shards), owner);
    EXPECT_EQ(owner_of(StreamCommand{DescribeAccount{account}}, shards), owner_of(account, shards));
    EXPECT_EQ(owner_of(SendMessages{queue}, shards), owner_of(queue, shards));
  }
}

TEST(Routing, StreamsAreSpreadOverTheShards) {
  constexpr std::size_t shards = 4;
  std::set<std::size_t> owners;
  for (int i = 0; i < 64; ++i) owners.insert(owner_of(StreamName{"1", "us-east-1", std::to_string(i)}, shards));
  EXPECT_EQ(owners.size(), shards);
}

TEST(Routing, EveryShardIsAskedWhatNoneKnowsAlone) {
  EXPECT_TRUE(is_asked_of_all(ListQueues{}));
  EXPECT_TRUE(is_asked_of_all(StreamCommand{ListStreams{account}}));
  EXPECT_TRUE(is_asked_of_all(StreamCommand{FindStream{account}}));
  EXPECT_TRUE(is_asked_of_all(StreamCommand{DescribeLimits{account}}));
  EXPECT_FALSE(is_asked_of_all(StreamCommand{DescribeAccount{account}}));
  EXPECT_FALSE(is_asked_of_all(StreamCommand{ListShards{stream}}));
  EXPECT_FALSE(is_asked_of_all(StreamCommand{ListGroups{stream}}));
  EXPECT_FALSE(is_asked_of_all(LookupQueue{queue}));
}

TEST(Routing, ATransactionIsItsOriginsWhateverItsTarget) {
  constexpr std::size_t shards = 8;
  TransactGroup transact{stream};
  for (int i = 0; i < 16; ++i) {
    transact.target = {"000000000000", "us-east-1", std::to_string(i)};
    EXPECT_EQ(owner_of(StreamCommand{transact}, shards), owner_of(stream, shards));
  }
}

TEST(Routing, WhatWaitsCanBeTakenBack) {
  const auto of_receive = cancellation_of(ReceiveMessages{queue}, CallId{5});
  ASSERT_TRUE(of_receive);
  EXPECT_EQ(std::get<CancelReceive>(*of_receive).queue, queue);
  EXPECT_EQ(std::get<CancelReceive>(*of_receive).receive, CallId{5});
  const auto of_poll = cancellation_of(StreamCommand{PollGroup{stream, "billing"}}, CallId{6});
  ASSERT_TRUE(of_poll);
  const auto& cancel = std::get<CancelPoll>(std::get<StreamCommand>(*of_poll));
  EXPECT_EQ(cancel.stream, stream);
  EXPECT_EQ(cancel.group, "billing");
  EXPECT_EQ(cancel.poll, CallId{6});
  EXPECT_FALSE(cancellation_of(SendMessages{queue}, CallId{7}));
  EXPECT_FALSE(cancellation_of(StreamCommand{HeartbeatGroup{stream}}, CallId{7}));
  EXPECT_FALSE(cancellation_of(StreamCommand{TransactGroup{stream}}, CallId{7})) << "its outcome is always told";
}

TEST(Routing, AStreamIsNamedInWhateverIsAskedOfIt) {
  Command command = StreamCommand{PutRecords{account}};
  ASSERT_NE(stream_of(command), nullptr);
  EXPECT_EQ(*stream_of(command), account);
  set_stream(command, stream);
  EXPECT_EQ(*stream_of(command), stream);
  EXPECT_EQ(stream_of(LookupQueue{queue}), nullptr);
}

TEST(Routing, AFullDiskRefusesWhatAddsAndNothingElse) {
  EXPECT_TRUE(adds_data(SendMessages{queue}));
  EXPECT_TRUE(adds_data(CreateQueue{queue}));
  EXPECT_FALSE(adds_data(ReceiveMessages{queue}));
  EXPECT_FALSE(adds_data(DeleteMessages{queue}));
  const std::vector<StreamCommand> adding{
      PutRecords{stream},       CreateStream{stream},        RegisterConsumer{stream},
      TagStream{stream},        PutStreamPolicy{stream},     UpdateEncryption{stream},
      UpdateMonitoring{stream}, UpdateStreamMode{stream},    UpdateWarmThroughput{stream},
      SplitShard{stream},       UpdateMaxRecordSize{stream}, MergeShards{stream},
      UpdateShardCount{stream}, UpdateAccount{account},      UpdateRetention{stream, 48, true},
      CreateGroup{stream},      TransactGroup{stream},       AcceptTransaction{stream}};
  for (const StreamCommand& command : adding) EXPECT_TRUE(adds_data(command)) << command.index();
  const std::vector<StreamCommand> harmless{
      GetRecords{stream},    GetShardIterator{stream},   DescribeStream{stream},     DeleteStream{stream},
      UntagStream{stream},   DeleteStreamPolicy{stream}, DeregisterConsumer{stream}, SubscribeToShard{stream},
      AwaitRecords{stream},  EndSubscription{stream},    ListStreams{account},       UpdateRetention{stream, 24, false},
      RecordsRead{stream},   PollGroup{stream},          CancelPoll{stream},         HeartbeatGroup{stream},
      LeaveGroup{stream},    CommitGroup{stream},        ResetGroup{stream},         DeleteGroup{stream},
      DescribeGroup{stream}, ListGroups{stream},         DescribeLag{stream},        TransactionSettled{stream}};
  for (const StreamCommand& command : harmless) EXPECT_FALSE(adds_data(command)) << command.index();
}

TEST(Routing, OfFunctionsAFullDiskRefusesWhatIsKept) {
  InvokeFunction event;
  event.type = InvocationType::event;
  const std::vector<TriggerCommand> adding{CreateFunction{}, UpdateFunction{}, CreateMapping{},
                                           PutAsyncConfig{}, TagLambda{},      event};
  for (const TriggerCommand& command : adding) EXPECT_TRUE(adds_data(command)) << command.index();
  const std::vector<TriggerCommand> harmless{InvokeFunction{}, DeleteFunction{},  GetFunction{},
                                             DeleteMapping{},  ListFunctions{},   UntagLambda{},
                                             ListMappings{},   ReadFunctionLog{}, DeleteAsyncConfig{}};
  for (const TriggerCommand& command : harmless) EXPECT_FALSE(adds_data(command)) << command.index();
}

TEST(Routing, WhatSaysWhatIsRunIsRegistering) {
  EXPECT_TRUE(runs_programs(CreateFunction{}));
  EXPECT_TRUE(runs_programs(UpdateFunction{}));
  EXPECT_FALSE(runs_programs(InvokeFunction{}));
  EXPECT_FALSE(runs_programs(CreateMapping{}));
  EXPECT_FALSE(runs_programs(DeleteFunction{}));
}

TEST(Merge, StreamsOfAllShardsAreInOrder) {
  const Result all = streams_merged(10, {list_of({"b", "d"}, false), list_of({}, false), list_of({"a", "c"}, false)});
  EXPECT_THAT(names_of(all), ElementsAre("a", "b", "c", "d"));
  EXPECT_FALSE(std::get<StreamList>(all).more);
}

TEST(Merge, WhatIsCutOffIsMore) {
  const Result all = streams_merged(3, {list_of({"b", "d"}, false), list_of({"a", "c"}, false)});
  EXPECT_THAT(names_of(all), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(std::get<StreamList>(all).more);
}

TEST(Merge, WhatOneShardCutOffIsMoreToo) {
  const Result all = streams_merged(2, {list_of({"a", "b"}, true), list_of({}, false)});
  EXPECT_THAT(names_of(all), ElementsAre("a", "b"));
  EXPECT_TRUE(std::get<StreamList>(all).more);
}

TEST(Merge, ExactlyAsManyAsTheLimitAreAll) {
  const Result all = streams_merged(2, {list_of({"b"}, false), list_of({"a"}, false)});
  EXPECT_THAT(names_of(all), ElementsAre("a", "b"));
  EXPECT_FALSE(std::get<StreamList>(all).more);
}

TEST(Merge, NoStreamsAreAnEmptyList) { EXPECT_THAT(names_of(streams_merged(2, {list_of({}, false)})), IsEmpty()); }

TEST(Merge, QueuesAreInOrderAndNoMoreThanTheLimit) {
  const auto named = [](const std::string& name) { return QueueName{"000000000000", "us-east-1", name}; };
  ListQueues list;
  list.limit = 3;
  const Result all = merged(list, {QueueNames{{named("b"), named("d")}}, QueueNames{{named("a"), named("c")}}});
  EXPECT_THAT(std::get<QueueNames>(all).queues, ElementsAre(named("a"), named("b"), named("c")));
}

TEST(Merge, AStreamIsFoundIfAnyShardHasIt) {
  const Command find = StreamCommand{FindStream{account, StreamId{7}}};
  for (const bool first : {true, false}) {
    std::vector<Result> answers{StreamFound{}, StreamFound{stream}, StreamFound{}};
    if (first) std::swap(answers[0], answers[1]);
    EXPECT_EQ(std::get<StreamFound>(merged(find, std::move(answers))).name, stream);
  }
  EXPECT_EQ(std::get<StreamFound>(merged(find, {StreamFound{}, StreamFound{}})).name, std::nullopt);
}

TEST(Merge, CountsAreAddedUp) {
  const Result all =
      merged(StreamCommand{DescribeLimits{account}}, {StreamCounts{3, 1}, StreamCounts{}, StreamCounts{4, 2}});
  EXPECT_EQ(std::get<StreamCounts>(all).open_shards, 7U);
  EXPECT_EQ(std::get<StreamCounts>(all).on_demand_streams, 3U);
}

TEST(Merge, AnErrorIsTheAnswer) {
  const Error error{ErrorCode::KinesisInternalFailure, "no"};
  const Result all = streams_merged(2, {list_of({"a"}, false), error, list_of({"b"}, false)});
  EXPECT_EQ(std::get<Error>(all), error);
}

}  // namespace
}  // namespace penstock::server
