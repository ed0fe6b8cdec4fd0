// The loop of a consumer: what it asks the server, when, and what it does with each answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "client/scripted_world.hpp"
#include "penstock/client.hpp"

namespace penstock::client::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string consumers = "/_penstock/streams/clicks/consumers/billing";
constexpr const char* created = R"({"CommitMode":"ON_POLL","Shards":[],"Created":true})";
constexpr const char* created_on_commit = R"({"CommitMode":"ON_COMMIT","Shards":[],"Created":true})";

std::string record(const std::string& number, const std::string& base64 = "Zmlyc3Q=") {
  return R"({"SequenceNumber":")" + number + R"(","ApproximateArrivalTimestamp":1900000000.25,"Data":")" + base64 +
         R"(","PartitionKey":"k"})";
}
std::string batch(const std::string& shard, int epoch, const std::string& records, const std::string& more = "") {
  return R"({"ShardId":")" + shard + R"(","Epoch":)" + std::to_string(epoch) + R"(,"Records":[)" + records +
         R"(],"MillisBehindLatest":7,"LostRecords":0,"ShardEnd":false)" + more + "}";
}
Reaction polled(const std::string& token, const std::string& batches = "", const std::string& revoked = "") {
  return answers(200, R"({"Member":"m","Token":")" + token + R"(","LeaseMillis":9000,"Leases":[],"Revoked":[)" +
                          revoked + R"(],"Batches":[)" + batches + "]}");
}
Reaction refuses(int status, const std::string& code) {
  return answers(status, R"({"Error":")" + code + R"(","Message":"so it is"})");
}

/// A request as "METHOD /path body", without what all of them have.
std::string line_of(const Request& request) {
  std::string target = request.target;
  if (target.starts_with(consumers)) target.erase(0, consumers.size());
  return request.method + " " + target + " " + request.body;
}

class ConsumerTest : public testing::Test {
 protected:
  ConsumerTest() {
    options_.stream = "clicks";
    options_.consumer = "billing";
    options_.member = "m";
    options_.heartbeat = false;
    options_.on_lost = [this](const LostLease& lost) { lost_.push_back(lost.shard_id + " " + lost.owner); };
    options_.on_retry = [this](const std::string& why, milliseconds) { whys_.push_back(why); };
  }

  Consumer& make() {
    consumer_ = std::make_unique<Consumer>(options_, world_);
    world_->at_end = [this] { consumer_->stop(); };
    return *consumer_;
  }
  /// Runs it until the script is over; what was handed over is in seen_.
  void run() {
    make().run([this](const Batch& given) { see(given); });
  }
  void see(const Batch& given) {
    std::string text = given.shard_id + "@" + std::to_string(given.epoch);
    for (const Record& one : given.records) text += " " + one.sequence_number;
    seen_.push_back(text);
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> lines;
    for (const Request& request : world_->requests()) lines.push_back(line_of(request));
    return lines;
  }

  const std::shared_ptr<ScriptedWorld> world_ = std::make_shared<ScriptedWorld>();
  Options options_;
  std::unique_ptr<Consumer> consumer_;
  std::vector<std::string> seen_;
  std::vector<std::string> lost_;
  std::vector<std::string> whys_;
};

TEST_F(ConsumerTest, CreatesJoinsPollsAndCommitsEachBatchByTheNextPoll) {
  options_.start = {Start::At::timestamp, Moment{milliseconds{1'900'000'000'500}}};
  options_.max_records = 10;
  options_.wait = milliseconds(3'000);
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 3, record("1") + "," + record("2"))));
  world_->then(polled("t2", batch("s0", 3, record("3")) + "," + batch("s1", 1, record("9"))));
  run();
  EXPECT_THAT(seen_, ElementsAre("s0@3 1 2", "s0@3 3", "s1@1 9"));
  const std::string rest = R"("WaitMillis":3000,"MaxRecords":10,"MaxBytes":1048576})";
  EXPECT_THAT(asked(), ElementsAre(R"(PUT  {"Start":{"Type":"AT_TIMESTAMP","Timestamp":1900000000.500},)"
                                   R"("LeaseMillis":10000,"CommitMode":"ON_POLL","Ephemeral":false})",
                                   R"(POST /poll {"Member":"m","WaitMillis":0,"MaxRecords":10,"MaxBytes":1048576})",
                                   R"(POST /poll {"Member":"m","Token":"t1",)" + rest,
                                   R"(POST /poll {"Member":"m","Token":"t2",)" + rest,
                                   R"(POST /leave {"Member":"m","Token":"t2","Commit":true})"));
  EXPECT_THAT(world_->waits(), IsEmpty());
}

TEST_F(ConsumerTest, HandsOverAllThatTheServerSaysOfABatch) {
  world_->then(answers(200, created));
  world_->then(polled("t1", batch("s0", 3, record("1", "AP8="), R"(,"SubSequenceNumber":4,"LostRecords":5)")));
  world_->then(polled("t2", R"({"ShardId":"s1","Epoch":1,"Records":[],"ShardEnd":true})"));
  std::vector<Batch> batches;
  make().run([&](const Batch& given) { batches.push_back(given); });
  ASSERT_THAT(batches, SizeIs(2));
  ASSERT_THAT(batches[0].records, SizeIs(1));
  EXPECT_EQ(batches[0].records[0].data, std::string("\0\xff", 2));
  EXPECT_EQ(batches[0].records[0].partition_key, "k");
  EXPECT_EQ(batches[0].records[0].arrived.time_since_epoch().count(), 1'900'000'000'250);
  EXPECT_EQ(batches[0].sub_sequence_number, 4U);
  EXPECT_EQ(batches[0].behind, milliseconds(7));
  EXPECT_FALSE(batches[0].shard_end);
  EXPECT_EQ(batches[0].end().sequence_number, "1");
  EXPECT_TRUE(batches[1].shard_end);
  EXPECT_EQ(batches[1].end().sequence_number, "SHARD_END");
}

TEST_F(ConsumerTest, GoesOnWithOneThatExistsWithOtherSettings) {
  world_->then(refuses(409, "ConsumerExists")).then(answers(200, created)).then(polled("t1"));
  run();
  EXPECT_THAT(asked()[1], "GET  ");
  EXPECT_THAT(asked()[2], HasSubstr("POST /poll"));
}

TEST_F(ConsumerTest, RefusesOneThatCommitsInAnotherWay) {
  world_->then(refuses(409, "ConsumerExists")).then(answers(200, created_on_commit));
  EXPECT_THROW(run(), Error);
  EXPECT_THAT(asked(), SizeIs(2));
}

TEST_F(ConsumerTest, NamesRegionAndAccountIfTheyAreGiven) {
  options_.region = "eu-west-1";
  options_.account = "111122223333";
  world_->then(answers(201, created));
  run();
  for (const Request& request : world_->requests()) {
    EXPECT_THAT(request.target, testing::EndsWith("?Region=eu-west-1&Account=111122223333"));
  }
}

TEST_F(ConsumerTest, RepeatsTheTokenUntilThereIsAnAnswer) {
  options_.backoff_min = milliseconds(100);
  options_.backoff_max = milliseconds(1'000);
  world_->then(is_away()).then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  for (int i = 0; i < 6; ++i) world_->then(is_away());
  world_->then(polled("t2"));
  run();
  EXPECT_THAT(seen_, ElementsAre("s0@1 1"));
  const auto wait = [](int ms) { return milliseconds(ms); };
  EXPECT_THAT(world_->waits(),
              ElementsAre(wait(100), wait(100), wait(200), wait(400), wait(800), wait(1'000), wait(1'000)));
  const std::vector<std::string> lines = asked();
  for (std::size_t i = 3; i < 10; ++i) EXPECT_THAT(lines[i], HasSubstr(R"("Token":"t1")")) << i;
  EXPECT_THAT(whys_, testing::Each("nobody is there"));
}

TEST_F(ConsumerTest, LeavesOutARandomPartOfEachPause) {
  world_->chance = 0.5;
  options_.backoff_min = milliseconds(100);
  world_->then(is_away()).then(is_away()).then(answers(201, created));
  run();
  EXPECT_THAT(world_->waits(), ElementsAre(milliseconds(75), milliseconds(150)));
}

TEST_F(ConsumerTest, TriesAgainWhatMends) {
  world_->then(answers(201, created)).then(refuses(503, "ServiceUnavailable")).then(refuses(500, "InternalFailure"));
  world_->then(refuses(429, "ConsumerLimitExceeded")).then(refuses(409, "ConsumerBusy"));
  world_->then(answers(502, "<html>Bad gateway</html>")).then(polled("t1"));
  run();
  EXPECT_THAT(world_->waits(), SizeIs(5));
  EXPECT_THAT(whys_, ElementsAre("ServiceUnavailable: so it is", "InternalFailure: so it is",
                                 "ConsumerLimitExceeded: so it is", "ConsumerBusy: so it is", "Http502"));
}

TEST_F(ConsumerTest, EndsWithWhatDoesNot) {
  world_->then(answers(201, created)).then(polled("t1")).then(refuses(404, "StreamNotFound"));
  try {
    run();
    FAIL() << "it goes on";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), 404);
    EXPECT_EQ(error.code(), "StreamNotFound");
    EXPECT_STREQ(error.what(), "StreamNotFound: so it is");
  }
  EXPECT_THAT(asked(), SizeIs(3)) << "it leaves what it is no member of";
}

TEST_F(ConsumerTest, EndsIfAnotherHasItsName) {
  world_->then(answers(201, created)).then(polled("t1")).then(refuses(409, "MemberReplaced"));
  EXPECT_THROW(run(), MemberReplaced);
  EXPECT_THAT(asked(), SizeIs(3));
}

TEST_F(ConsumerTest, EndsWithAnAnswerThatIsNotToBeUnderstood) {
  world_->then(answers(201, created)).then(answers(200, R"({"Token":1})"));
  EXPECT_THROW(run(), Error);
}

TEST_F(ConsumerTest, TellsWhatItHasLost) {
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  world_->then(polled("t2", "", R"({"ShardId":"s0","Epoch":1,"OwnerEpoch":2,"Owner":"other"})"));
  run();
  EXPECT_THAT(lost_, ElementsAre("s0 other"));
}

TEST_F(ConsumerTest, HandsABatchOverAgainIfItsHandlerHasFailed) {
  options_.backoff_min = milliseconds(10);
  world_->then(answers(201, created));
  world_->then(polled("t1", batch("s0", 1, record("1")) + "," + batch("s1", 1, record("2"))));
  int failures = 2;
  make().run([&](const Batch& given) {
    see(given);
    if (given.shard_id == "s1" && failures-- > 0) throw std::runtime_error("no disk");
  });
  EXPECT_THAT(seen_, ElementsAre("s0@1 1", "s1@1 2", "s1@1 2", "s1@1 2"));
  EXPECT_THAT(world_->waits(), ElementsAre(milliseconds(10), milliseconds(20)));
  EXPECT_THAT(whys_, testing::Each("the handler has failed: no disk"));
  // Nothing was asked of the server between the first failure and the success.
  EXPECT_THAT(asked(), ElementsAre(HasSubstr("PUT"), HasSubstr("/poll"), HasSubstr(R"("Token":"t1")"),
                                   HasSubstr(R"("Commit":true)")));
}

TEST_F(ConsumerTest, TakesAnythingThatAHandlerThrowsForAFailure) {
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  bool failed = false;
  make().run([&](const Batch& given) {
    see(given);
    if (!std::exchange(failed, true)) throw 1;
  });
  EXPECT_THAT(seen_, SizeIs(2));
}

TEST_F(ConsumerTest, StoppedInAHandlerItFinishesWhatThePollHasBroughtAndCommitsIt) {
  world_->then(answers(201, created));
  world_->then(polled("t1", batch("s0", 1, record("1")) + "," + batch("s1", 1, record("2"))));
  make().run([&](const Batch& given) {
    see(given);
    consumer_->stop();
  });
  EXPECT_THAT(seen_, ElementsAre("s0@1 1", "s1@1 2"));
  EXPECT_EQ(asked().back(), R"(POST /leave {"Member":"m","Token":"t1","Commit":true})");
  EXPECT_THAT(asked(), SizeIs(3));
}

TEST_F(ConsumerTest, StoppedWhileAHandlerFailsItCommitsOnlyWhatIsDone) {
  world_->then(answers(201, created));
  world_->then(polled("t1", batch("s0", 4, record("1")) + "," + batch("s1", 1, record("2"))));
  make().run([&](const Batch& given) {
    see(given);
    if (given.shard_id == "s0") return;
    consumer_->stop();
    throw std::runtime_error("no disk");
  });
  EXPECT_THAT(seen_, ElementsAre("s0@4 1", "s1@1 2")) << "called again although it is to stop";
  ASSERT_THAT(asked(), SizeIs(4));
  EXPECT_THAT(asked()[2], HasSubstr(R"(POST /commit {"Positions":[{"ShardId":"s0","Epoch":4,"SequenceNumber":"1"}],)"));
  EXPECT_EQ(asked()[3], R"(POST /leave {"Member":"m","Token":"t1","Commit":false})");
}

TEST_F(ConsumerTest, StoppedWhileItsServerIsAwayItTriesToCommitForTheLeaseTime) {
  options_.backoff_min = milliseconds(1'000);
  options_.backoff_max = milliseconds(1'000);
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  for (int i = 0; i < 20; ++i) world_->then(is_away());
  EXPECT_THROW(make().run([&](const Batch&) { consumer_->stop(); }), Unreachable);
  EXPECT_THAT(world_->waits(), SizeIs(9)) << "the lease lasts for nine seconds";
}

TEST_F(ConsumerTest, StoppedWithNothingToCommitItDoesNotWaitForAServerThatIsAway) {
  world_->then(answers(201, created)).then(polled("t1"));
  world_->then([this](const Request&) -> std::optional<Answer> {
    consumer_->stop();
    return std::nullopt;
  });
  for (int i = 0; i < 20; ++i) world_->then(is_away());
  run();
  milliseconds waited{0};
  for (const milliseconds wait : world_->waits()) waited += wait;
  EXPECT_LE(waited, milliseconds(1'000));
}

TEST_F(ConsumerTest, CommitsByJoiningAgainIfItsLeaseTimeIsOverWhenItLeaves) {
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  world_->then(refuses(409, "MemberUnknown"));
  world_->then(polled("u1", "", R"({"ShardId":"s0","Epoch":1,"OwnerEpoch":2,"Owner":"other"})"));
  make().run([&](const Batch&) { consumer_->stop(); });
  ASSERT_THAT(asked(), SizeIs(5));
  EXPECT_THAT(asked()[3], AllOf(HasSubstr("/poll"), HasSubstr(R"("Token":"t1","WaitMillis":0)")));
  EXPECT_EQ(asked()[4], R"(POST /leave {"Member":"m","Token":"u1","Commit":false})");
  EXPECT_THAT(lost_, ElementsAre("s0 other"));
}

TEST_F(ConsumerTest, DoesNothingOnceItIsStopped) {
  make().stop();
  consumer_->run([](const Batch&) {});
  EXPECT_TRUE(consumer_->stopping());
  EXPECT_THAT(consumer_->poll().batches, IsEmpty());
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(ConsumerTest, WithoutWhatTheHandlerHasCommittedItself) {
  options_.commit_mode = CommitMode::on_commit;
  world_->then(answers(201, created_on_commit));
  world_->then(polled("t1", batch("s0", 5, record("1") + "," + record("2") + "," + record("3"))));
  world_->then(answers(200, "{}"));
  bool failed = false;
  make().run([&](const Batch& given) {
    see(given);
    if (std::exchange(failed, true)) return;
    consumer_->commit({given.after(given.records[1])});
    throw std::runtime_error("no disk");
  });
  EXPECT_THAT(seen_, ElementsAre("s0@5 1 2 3", "s0@5 3"));
}

TEST_F(ConsumerTest, WithoutTheUserRecordsThatTheHandlerHasCommittedOfAnAggregate) {
  options_.commit_mode = CommitMode::on_commit;
  world_->then(answers(201, created_on_commit));
  world_->then(polled("t1", batch("s0", 5, record("1") + "," + record("2"))));
  world_->then(answers(200, "{}"));
  std::vector<std::optional<std::uint64_t>> subs;
  make().run([&](const Batch& given) {
    see(given);
    subs.push_back(given.sub_sequence_number);
    if (subs.size() > 1) return;
    Position position = given.after(given.records[1]);
    position.sub_sequence_number = 7;
    consumer_->commit({position});
    throw std::runtime_error("no disk");
  });
  EXPECT_THAT(seen_, ElementsAre("s0@5 1 2", "s0@5 2"));
  EXPECT_THAT(subs, ElementsAre(std::nullopt, std::optional(7U)));
}

TEST_F(ConsumerTest, ABatchThatItsHandlerHasCommittedWholeDoesNotComeAgain) {
  options_.commit_mode = CommitMode::on_commit;
  world_->then(answers(201, created_on_commit)).then(polled("t1", batch("s0", 5, record("1"))));
  world_->then(answers(200, "{}"));
  make().run([&](const Batch& given) {
    see(given);
    consumer_->commit({given.end()});
    throw std::runtime_error("no disk");
  });
  EXPECT_THAT(seen_, SizeIs(1));
}

std::string key_of(const std::string& line) {
  const std::string name = R"("IdempotencyKey":")";
  const std::size_t at = line.find(name) + name.size();
  return line.substr(at, line.find('"', at) - at);
}

TEST_F(ConsumerTest, ATransactionThatIsRepeatedHasTheSameKeyAndAnotherOneAnother) {
  options_.commit_mode = CommitMode::on_commit;
  double next = 0;
  Consumer& consumer = make();
  const auto transact = [&] {
    world_->chance = next += 0.1;
    return consumer.transact({{"s0", 2, "1", {}, "note"}}, "totals",
                             {{std::string("\0x", 2), "k", ""}, {"y", "l", "5"}});
  };
  world_->then(is_away()).then(answers(200, R"({"Records":[{"ShardId":"s7","SequenceNumber":"12"}],"Repeated":true})"));
  const Transacted done = transact();
  world_->then(answers(200, R"({"Records":[]})"));
  transact();
  ASSERT_THAT(done.records, SizeIs(1));
  EXPECT_EQ(done.records[0].shard_id, "s7");
  EXPECT_EQ(done.records[0].sequence_number, "12");
  EXPECT_TRUE(done.repeated);
  ASSERT_THAT(asked(), SizeIs(3));
  EXPECT_THAT(asked()[0],
              HasSubstr(R"(POST /transact {"Positions":[{"ShardId":"s0","Epoch":2,"SequenceNumber":"1",)"
                        R"("Metadata":"note"}],"StreamName":"totals","Records":[{"Data":"AHg=","PartitionKey":"k"},)"
                        R"({"Data":"eQ==","PartitionKey":"l","ExplicitHashKey":"5"}],"IdempotencyKey":")"));
  EXPECT_EQ(asked()[0], asked()[1]);
  EXPECT_NE(key_of(asked()[1]), key_of(asked()[2]));
}

TEST_F(ConsumerTest, ACommitThatIsRefusedThrows) {
  Consumer& consumer = make();
  world_->then(refuses(409, "LeaseLost"));
  try {
    consumer.commit({{"s0", 2, "1", 3, {}}}, {true, "mine"});
    FAIL() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LeaseLost");
  }
  EXPECT_EQ(asked().front(), R"(POST /commit {"Positions":[{"ShardId":"s0","Epoch":2,"SequenceNumber":"1",)"
                             R"("SubSequenceNumber":3}],"Force":true,"IdempotencyKey":"mine"})");
}

TEST_F(ConsumerTest, DrivenByHandItSaysWhatItHasByTheNextPollAndCanLeaveWithoutCommitting) {
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1")))).then(answers(200, "{}"));
  world_->then(polled("u1"));
  Consumer& consumer = make();
  EXPECT_THAT(consumer.poll({5, milliseconds(0)}).batches, SizeIs(1));
  consumer.leave(false);
  consumer.poll();
  EXPECT_THAT(asked(), ElementsAre(HasSubstr("PUT"), HasSubstr(R"({"Member":"m","WaitMillis":0,"MaxRecords":5,)"),
                                   HasSubstr(R"("Token":"t1","Commit":false)"), Not(HasSubstr("Token"))));
}

TEST_F(ConsumerTest, AnEphemeralOneIsMadeAgainWhereItWas) {
  options_.ephemeral = true;
  options_.start.at = Start::At::latest;
  // Where the latest is, the server says when it is made; of s1 there is nothing yet.
  world_->then(answers(201, R"({"CommitMode":"ON_POLL","Shards":[{"ShardId":"s0","SequenceNumber":"40"},)"
                            R"({"ShardId":"s1"}],"HasMoreShards":true})"));
  world_->then(answers(200, R"({"CommitMode":"ON_POLL","Shards":[{"ShardId":"s2","SequenceNumber":"60"}]})"));
  world_->then(polled("t1", batch("s0", 1, record("41") + "," + record("42"))));
  world_->then(is_away()).then(refuses(404, "ConsumerNotFound"));
  world_->then(answers(201, created)).then(polled("u1"));
  run();
  ASSERT_THAT(asked(), SizeIs(9));
  EXPECT_THAT(asked()[1], HasSubstr("GET ?ExclusiveStartShardId=s1"));
  EXPECT_THAT(asked()[5],
              HasSubstr(R"({"Start":{"Type":"TRIM_HORIZON","Positions":[)"
                        R"({"ShardId":"s0","SequenceNumber":"42"},{"ShardId":"s2","SequenceNumber":"60"}]})"));
  EXPECT_THAT(asked()[6], Not(HasSubstr("Token")));
}

TEST_F(ConsumerTest, ADurableOneThatWasDeletedIsNot) {
  world_->then(answers(201, created)).then(polled("t1")).then(refuses(404, "ConsumerNotFound"));
  EXPECT_THROW(run(), Error);
}

TEST_F(ConsumerTest, RefusesOptionsThatAreNone) {
  const auto refused = [&](auto change) {
    Options wrong = options_;
    change(wrong);
    EXPECT_THROW(Consumer(wrong, world_), std::invalid_argument);
  };
  refused([](Options& o) { o.stream = ""; });
  refused([](Options& o) { o.consumer = "a/b"; });
  refused([](Options& o) { o.member = std::string(129, 'x'); });
  refused([](Options& o) { o.backoff_min = milliseconds(0); });
  refused([](Options& o) { o.backoff_max = milliseconds(1); });
}

TEST_F(ConsumerTest, NamesItselfIfNobodyElseDoes) {
  options_.member = "";
  EXPECT_THAT(make().member(), testing::MatchesRegex("[a-zA-Z0-9_.-]+-[0-9]+-[0-9a-f]{8}"));
}

// ---- The heartbeat, in its own thread.

class HeartbeatTest : public ConsumerTest {
 protected:
  HeartbeatTest() { options_.heartbeat = true; }
};

TEST_F(HeartbeatTest, RenewsTheLeasesWheneverAThirdOfTheirTimeHasPassed) {
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  make().run([&](const Batch&) {
    for (std::size_t beats = 1; beats <= 3; ++beats) {
      world_->await_sleeping_heartbeat();
      world_->pass(milliseconds(2'999));
      EXPECT_THAT(world_->heartbeats(), SizeIs(beats - 1));
      world_->pass(milliseconds(1));
      world_->await_heartbeats(beats);
    }
  });
  EXPECT_EQ(line_of(world_->heartbeats().front()), R"(POST /heartbeat {"Member":"m","Token":"t1"})");
}

TEST_F(HeartbeatTest, IsNotNeededWhereEachPollComesInTime) {
  world_->then(answers(201, created));
  for (int i = 0; i < 10; ++i) world_->then(polled("t" + std::to_string(i), batch("s0", 1, record("1"))));
  make().run([&](const Batch&) {
    world_->await_sleeping_heartbeat();
    world_->pass(milliseconds(2'000));
  });
  EXPECT_THAT(world_->heartbeats(), IsEmpty());
}

TEST_F(HeartbeatTest, IsSentAgainSoonWhileTheServerIsAway) {
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  world_->react_to_heartbeats(is_away());
  make().run([&](const Batch&) {
    world_->await_sleeping_heartbeat();
    world_->pass(milliseconds(3'000));
    world_->await_heartbeats(1);
    world_->await_sleeping_heartbeat();
    world_->pass(milliseconds(750));
    world_->await_heartbeats(2);
  });
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(HeartbeatTest, TellsOnceOfALostLeaseWhoseBatchIsNotHandedOverAgain) {
  const std::string revoked = R"({"ShardId":"s0","Epoch":1,"OwnerEpoch":2,"Owner":"other"})";
  world_->then(answers(201, created));
  world_->then(polled("t1", batch("s0", 1, record("1")) + "," + batch("s1", 1, record("2"))));
  world_->then(polled("t2", "", revoked));
  world_->react_to_heartbeats(polled("t1", "", revoked));
  make().run([&](const Batch& given) {
    see(given);
    if (given.shard_id != "s0") return;
    world_->await_sleeping_heartbeat();
    world_->pass(milliseconds(3'000));
    world_->await_heartbeats(1);
    world_->await_sleeping_heartbeat();
    EXPECT_THAT(lost_, ElementsAre("s0 other")) << "not told while the handler could still care";
    throw std::runtime_error("no disk");
  });
  EXPECT_THAT(seen_, ElementsAre("s0@1 1", "s1@1 2"));
  EXPECT_THAT(lost_, ElementsAre("s0 other"));
}

TEST_F(HeartbeatTest, OfAMemberThatIsUnknownLetsItJoinAgainWithoutCommitting) {
  world_->then(answers(201, created)).then(polled("t1", batch("s0", 1, record("1"))));
  world_->then(polled("t2", batch("s0", 1, record("2")) + "," + batch("s1", 1, record("5"))));
  world_->then(polled("u1", batch("s0", 3, record("2"))));
  world_->react_to_heartbeats(refuses(409, "MemberUnknown"));
  make().run([&](const Batch& given) {
    see(given);
    if (given.records[0].sequence_number != "2" || given.epoch != 1) return;
    world_->await_sleeping_heartbeat();
    world_->pass(milliseconds(3'000));
    world_->await_heartbeats(1);
    world_->await_sleeping_heartbeat();
    throw std::runtime_error("no disk");
  });
  EXPECT_THAT(seen_, ElementsAre("s0@1 1", "s0@1 2", "s0@3 2"));
  ASSERT_THAT(asked(), SizeIs(6));
  EXPECT_THAT(asked()[3], HasSubstr(R"("Token":"t1")")) << "it says that it has done what it has not";
}

TEST_F(HeartbeatTest, EndsWithTheConsumer) {
  world_->then(answers(201, created)).then(polled("t1"));
  make().poll();
  world_->await_sleeping_heartbeat();
  consumer_.reset();
}

}  // namespace
}  // namespace penstock::client::test
