// Each operation of Penstock's own API: the command that a request becomes and its exact answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "penstock/stream_names.hpp"
#include "protocol/kinesis_support.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/native/poll_token.hpp"
#include "protocol/native_support.hpp"

namespace penstock::protocol::testing {
namespace {

const std::string stream_text = "000000000000/us-east-1/s ";
const std::string record_1 = "49547204470429093520690608322257641614249078775630266370";
const std::string record_2 = "49547204470429093520690608322258850540068693473524449282";

std::string number(std::uint64_t index, std::int64_t at_s, bool behind = false) {
  return format_sequence_number({1'421'889'651, RecordIndex{index}, at_s, ShardIndex{1}, behind});
}

std::string token_text() { return native::to_string(native::token_of(group_polled())); }

const std::string shard_json = R"({"ShardId":"shardId-000000000001","State":"LEASED","Owner":"m","Epoch":7,)"
                               R"("SequenceNumber":")" +
                               number(2, 1'421'889'660) + "\"";
const std::string shard_rest_json = R"(,"Metadata":"noted","CommittedTimestamp":1421889700.250,"LostRecords":2})";

GroupInfo group_info() {
  GroupInfo info;
  info.id = GroupId{99};
  info.name = "c";
  info.created = from_epoch_ms(1'421'889'700'456);
  info.start = IteratorType::latest;
  info.lease = Millis{5'000};
  info.mode = CommitMode::on_commit;
  info.lost_records = 4;
  return info;
}

const std::string info_json = R"("LeaseMillis":5000,"CommitMode":"ON_COMMIT","Ephemeral":false,"StartType":"LATEST",)"
                              R"("LostRecords":4)";

Result described(bool created) {
  GroupDescription description;
  description.stream = stream_name();
  description.info = group_info();
  description.created = created;
  description.members = {{"m", 3, from_epoch_ms(1'421'889'730'000), true, false},
                         {"n", 0, from_epoch_ms(1'421'889'731'000), false, true}};
  GroupShard fresh;
  fresh.shard = ShardIndex{2};
  fresh.state = GroupShardState::blocked;
  description.shards = {group_shard(), fresh};
  description.more = true;
  return description;
}

const std::string description_json =
    R"("ConsumerName":"c","StreamName":"s","StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s",)"
    R"("CreationTimestamp":1421889700.456,)" +
    info_json +
    R"(,"Members":[{"Member":"m","Shards":3,"ExpirationTimestamp":1421889730,"Waiting":true,"Reader":false},)"
    R"({"Member":"n","Shards":0,"ExpirationTimestamp":1421889731,"Waiting":false,"Reader":true}],"Shards":[)" +
    shard_json + shard_rest_json +
    R"(,{"ShardId":"shardId-000000000002","State":"BLOCKED","Epoch":0,"LostRecords":0}],"HasMoreShards":true)";

std::vector<NativeCase> consumer_cases() {
  const auto list = [] {
    GroupList groups;
    groups.groups = {group_info()};
    groups.more = true;
    return groups;
  };
  const std::string not_created = "200 {" + description_json + R"(,"Created":false})";
  return {
      {"CreateConsumer", "PUT", "/c", "", stream_text + "CreateGroup c type=2 lease=10000",
       [] { return described(true); }, "201 {" + description_json + R"(,"Created":true})"},
      {"CreateConsumer/everything", "PUT", "/c",
       R"({"Start":{"Type":"TRIM_HORIZON","Positions":[{"ShardId":"shardId-000000000001","SequenceNumber":"17",
           "SubSequenceNumber":3,"Metadata":"noted"},{"ShardId":"a-2","SequenceNumber":"SHARD_END"},{"ShardId":"a-3"}]},
           "LeaseMillis":100,"CommitMode":"ON_COMMIT","Ephemeral":true})",
       stream_text + "CreateGroup c type=2 (shardId-000000000001 epoch=0 at=17 sub=3 metadata='noted') "
                     "(a-2 epoch=0 at=SHARD_END) (a-3 epoch=0) lease=100 on_commit ephemeral",
       [] { return described(false); }, not_created},
      {"CreateConsumer/at a moment", "PUT", "/c",
       R"({"Start":{"Type":"AT_TIMESTAMP","Timestamp":1.5},"LeaseMillis":3600000,"CommitMode":"ON_POLL"})",
       stream_text + "CreateGroup c type=4 at=1500 lease=3600000", [] { return described(false); }, not_created},
      {"DescribeConsumer", "GET", "/c", "", stream_text + "DescribeGroup c limit=1000", [] { return described(false); },
       "200 {" + description_json + "}"},
      {"DescribeConsumer/a page", "GET",
       "/c%2Ed?ExclusiveStartShardId=a-1&Limit=7&Region=eu-west-1&Account=111111111111", "{}",
       "111111111111/eu-west-1/s DescribeGroup c.d after=a-1 limit=7", [] { return described(false); },
       "200 {" + description_json + "}"},
      {"ListConsumers", "GET", "", "", stream_text + "ListGroups limit=1000", list,
       R"(200 {"Consumers":[{"ConsumerName":"c","CreationTimestamp":1421889700.456,)" + info_json +
           R"(}],"HasMoreConsumers":true})"},
      {"ListConsumers/a page", "GET", "?ExclusiveStartConsumer=c&Limit=1", "",
       stream_text + "ListGroups after=c limit=1", [] { return GroupList{}; },
       R"(200 {"Consumers":[],"HasMoreConsumers":false})"},
      {"DeleteConsumer", "DELETE", "/c", "", stream_text + "DeleteGroup c", [] { return Done{}; }, "204 "},
  };
}

std::vector<NativeCase> member_cases() {
  const std::string token_asked = " token=99:11 (0 epoch=5 next=3 at=1421889611 lost=0) (1 epoch=1 next=3 at=0 lost=2)";
  const std::string held =
      R"("Leases":[{"ShardId":"shardId-000000000000","Epoch":5,"Revoking":false,"Metadata":"noted"},)"
      R"({"ShardId":"shardId-000000000001","Epoch":1,"Revoking":true}])";
  const std::string revoked = R"("Revoked":[{"ShardId":"shardId-000000000002","Epoch":3,"OwnerEpoch":4,"Owner":"n"},)"
                              R"({"ShardId":"shardId-000000000003","Epoch":1,"OwnerEpoch":2}])";
  const std::string batches =
      R"("Batches":[{"ShardId":"shardId-000000000000","Epoch":5,"Records":[{"SequenceNumber":")" + record_1 +
      R"(","ApproximateArrivalTimestamp":1421889610.500,"Data":"b25l","PartitionKey":"k1"},{"SequenceNumber":")" +
      record_2 +
      R"(","ApproximateArrivalTimestamp":1421889611,"Data":"AP8=","PartitionKey":"k2","EncryptionType":"KMS"}],)"
      R"("MillisBehindLatest":1500,"LostRecords":0,"ShardEnd":false},{"ShardId":"shardId-000000000001","Epoch":1,)"
      R"("Records":[],"MillisBehindLatest":0,"LostRecords":2,"ShardEnd":true}])";
  const std::string polled = R"(200 {"Member":"m","Token":")" + token_text() + R"(","LeaseMillis":10000,)" + held +
                             "," + revoked + "," + batches + "}";
  const std::string with_token = R"({"Member":"m","Token":")" + token_text() + "\"";
  const auto within = [] {
    GroupPolled polled_within;
    polled_within.batches.push_back({1, {RecordIndex{1}, 4, 0, {}}, records_page()});
    polled_within.batches.back().page.records.resize(1);
    polled_within.batches.back().page.next = RecordIndex{2};
    return polled_within;
  };
  const std::string within_token = native::to_string(native::token_of(within()));
  return {
      {"Poll", "POST", "/c/poll", R"({"Member":"m"})",
       stream_text + "PollGroup c member=m wait=0 count=1000 bytes=10485760", group_polled, polled},
      {"Poll/joins", "POST", "/c/poll", R"({"Member":"m","Token":"","WaitMillis":20000})",
       stream_text + "PollGroup c member=m wait=20000 count=1000 bytes=10485760", within,
       R"(200 {"Member":"","Token":")" + within_token +
           R"(","LeaseMillis":0,"Leases":[],"Revoked":[],"Batches":[{"ShardId":"shardId-000000000000","Epoch":1,)"
           R"("Records":[{"SequenceNumber":")" +
           record_1 +
           R"(","ApproximateArrivalTimestamp":1421889610.500,"Data":"b25l","PartitionKey":"k1"}],"SubSequenceNumber":4,)"
           R"("MillisBehindLatest":0,"LostRecords":0,"ShardEnd":false}]})"},
      {"Poll/everything", "POST", "/c/poll", with_token + R"(,"WaitMillis":1,"MaxRecords":10000,"MaxBytes":1})",
       stream_text + "PollGroup c member=m" + token_asked + " wait=1 count=10000 bytes=1", group_polled, polled},
      {"Heartbeat", "POST", "/c/heartbeat", with_token + "}", stream_text + "HeartbeatGroup c member=m" + token_asked,
       group_polled, R"(200 {"Member":"m","LeaseMillis":10000,)" + held + "," + revoked + "}"},
      {"Leave", "POST", "/c/leave", with_token + "}", stream_text + "LeaveGroup c member=m" + token_asked + " commit",
       group_polled, R"(200 {"Member":"m",)" + revoked + "}"},
      {"Leave/without a commit", "POST", "/c/leave", with_token + R"(,"Commit":false})",
       stream_text + "LeaveGroup c member=m" + token_asked, group_polled, R"(200 {"Member":"m",)" + revoked + "}"},
  };
}

std::vector<NativeCase> commit_cases() {
  const auto committed = [] {
    GroupCommitted answer;
    answer.shards = {group_shard(), group_shard(), group_shard(), group_shard()};
    answer.shards[1].lease.position = {RecordIndex{3}, 4, 1'421'889'661, {}};
    answer.shards[2].lease.position = {RecordIndex{3}, {}, 0, {}};
    answer.shards[3].lease.position = {RecordIndex{1}, {}, 0, {}};
    answer.shards[3].lease.metadata.clear();
    return answer;
  };
  const auto repeated = [] {
    GroupCommitted answer;
    answer.repeated = true;
    return answer;
  };
  const auto transacted = [] {
    GroupTransacted answer;
    answer.put = {{ShardIndex{0}, {1'421'889'600, RecordIndex{1}, 1'421'889'610, ShardIndex{0}}}};
    return answer;
  };
  const auto transacted_before = [] { return GroupTransacted{{}, true}; };
  const std::string shard = R"({"ShardId":"shardId-000000000001","Epoch":7)";
  const std::string noted = R"(,"Metadata":"noted"})";
  return {
      {"Commit", "POST", "/c/commit", R"({"Positions":[{"ShardId":"a-1","Epoch":7,"SequenceNumber":"17"}]})",
       stream_text + "CommitGroup c (a-1 epoch=7 at=17)", committed,
       R"(200 {"Positions":[)" + shard + R"(,"SequenceNumber":")" + number(2, 1'421'889'660) + "\"" + noted + "," +
           shard + R"(,"SequenceNumber":")" + number(3, 1'421'889'661) + R"(","SubSequenceNumber":4)" + noted + "," +
           shard + R"(,"SequenceNumber":")" + number(2, 0, true) + "\"" + noted + "," + shard +
           R"(}],"Repeated":false})"},
      {"Commit/everything", "POST", "/c/commit",
       R"({"Positions":[{"ShardId":"a-1","Epoch":7,"SequenceNumber":"17","SubSequenceNumber":0,"Metadata":""},
           {"ShardId":"a-2","Epoch":9223372036854775807,"SequenceNumber":"SHARD_END"}],"Force":true,
           "IdempotencyKey":"a key"})",
       stream_text + "CommitGroup c (a-1 epoch=7 at=17 sub=0 metadata='') (a-2 epoch=9223372036854775807 at=SHARD_END) "
                     "force key=a key",
       repeated, R"(200 {"Positions":[],"Repeated":true})"},
      {"Transact", "POST", "/c/transact",
       R"({"Positions":[{"ShardId":"a-1","Epoch":7,"SequenceNumber":"17"}],"StreamName":"t",
           "Records":[{"Data":"b25l","PartitionKey":"k"}]})",
       stream_text + "TransactGroup c (a-1 epoch=7 at=17) into 000000000000/us-east-1/t "
                     "(k=one to 187279361568289349169310600456257773043)",
       transacted,
       R"(200 {"Records":[{"ShardId":"shardId-000000000000","SequenceNumber":")" + record_1 +
           R"("}],"Repeated":false})"},
      {"Transact/everything", "POST", "/c/transact?Region=eu-west-1&Account=111111111111",
       R"({"Positions":[{"ShardId":"a-1","Epoch":7,"SequenceNumber":"17"}],"StreamName":"t","IdempotencyKey":"k",
           "Records":[{"Data":"","PartitionKey":"k","ExplicitHashKey":"7"}]})",
       "111111111111/eu-west-1/s TransactGroup c (a-1 epoch=7 at=17) into 111111111111/eu-west-1/t (k= to 7) key=k",
       transacted_before, R"(200 {"Records":[],"Repeated":true})"},
  };
}

std::vector<NativeCase> lag_cases() {
  const auto reset_back = [] {
    ShardReset reset{group_shard(), {RecordIndex{1}, {}, 0, {}}, records_page()};
    reset.page.records.resize(1);
    reset.page.next = RecordIndex{2};
    return GroupReset{{reset}, false};
  };
  const auto reset_forward = [] {
    ShardReset reset{group_shard(), {RecordIndex{8}, {}, 1'421'889'670, {}}, records_page()};
    reset.shard.lease.position.sub = 4;
    reset.page.records.clear();
    reset.page.next = RecordIndex{10};
    return GroupReset{{reset}, true};
  };
  const auto lag = [] {
    GroupLag answer;
    answer.info = group_info();
    ShardLag behind{group_shard(), records_page()};
    behind.page.records.erase(behind.page.records.begin());
    behind.page.records.front().index = RecordIndex{5};
    behind.page.until = RecordIndex{12};
    ShardLag done{group_shard(), records_page()};
    done.shard.state = GroupShardState::finished;
    done.page.records.clear();
    answer.shards = {behind, done};
    answer.more = true;
    return answer;
  };
  const std::string before = R"("Before":{"SequenceNumber":")";
  std::string finished = shard_json;
  finished.replace(finished.find("LEASED"), 6, "FINISHED");
  return {
      {"Reset", "POST", "/c/reset", R"({"Type":"TRIM_HORIZON"})", stream_text + "ResetGroup c type=2", reset_back,
       R"(200 {"DryRun":false,"Shards":[{"ShardId":"shardId-000000000001",)" + before + number(2, 1'421'889'660) +
           R"("},"After":{},"RecordsRepeated":2,"RecordsSkipped":0}]})"},
      {"Reset/a number", "POST", "/c/reset",
       R"({"Type":"AFTER_SEQUENCE_NUMBER","SequenceNumber":"17","ShardId":"a-1","DryRun":true})",
       stream_text + "ResetGroup c shard=a-1 type=1 number=17 dry", reset_forward,
       R"(200 {"DryRun":true,"Shards":[{"ShardId":"shardId-000000000001",)" + before + number(3, 1'421'889'660) +
           R"(","SubSequenceNumber":4},"After":{"SequenceNumber":")" + number(9, 0, true) +
           R"("},"RecordsRepeated":0,"RecordsSkipped":7}]})"},
      {"Reset/a moment", "POST", "/c/reset", R"({"Type":"AT_TIMESTAMP","Timestamp":2})",
       stream_text + "ResetGroup c type=4 at=2000", [] { return GroupReset{}; }, R"(200 {"DryRun":false,"Shards":[]})"},
      {"Reset/latest", "POST", "/c/reset", R"({"Type":"LATEST","ShardId":"a-1"})",
       stream_text + "ResetGroup c shard=a-1 type=3", [] { return GroupReset{}; },
       R"(200 {"DryRun":false,"Shards":[]})"},
      {"DescribeLag", "GET", "/c/lag", "", stream_text + "DescribeLag c limit=1000", lag,
       R"(200 {"ConsumerName":"c","RecordsBehind":7,"MillisBehind":111345,"LostRecords":6,"Shards":[)" + shard_json +
           R"(,"RecordsBehind":7,"MillisBehind":111345,"Metadata":"noted","CommittedTimestamp":1421889700.250,)"
           R"("LostRecords":4},)" +
           finished + R"(,"RecordsBehind":0,"MillisBehind":0)" + shard_rest_json + R"(],"HasMoreShards":true})"},
      {"DescribeLag/a page", "GET", "/c/lag?ExclusiveStartShardId=a-1&Limit=1000", "",
       stream_text + "DescribeLag c after=a-1 limit=1000", [] { return GroupLag{}; },
       R"(200 {"ConsumerName":"","RecordsBehind":0,"MillisBehind":0,"LostRecords":0,"Shards":[],"HasMoreShards":false})"},
  };
}

class NativeGolden : public ::testing::TestWithParam<NativeCase> {};

TEST_P(NativeGolden, BecomesItsCommand) { EXPECT_EQ(native_asked(GetParam().request()), GetParam().asked); }

TEST_P(NativeGolden, IsAnswered) {
  EXPECT_EQ(native_answer(GetParam().request(), GetParam().result()), GetParam().answer);
}

TEST_P(NativeGolden, AnErrorIsTheAnswer) {
  EXPECT_EQ(native_answer(GetParam().request(), Error{ErrorCode::ConsumerBusy, "Later."}),
            native_error("ConsumerBusy", "Later.", 409));
  EXPECT_EQ(native_answer(GetParam().request(), QueueTags{}).substr(0, 4), "500 ") << "which it can not have";
}

std::string name_of_case(const ::testing::TestParamInfo<NativeCase>& info) {
  std::string name = info.param.name;
  std::erase_if(name, [](char c) { return c == '/' || c == ' '; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Operations, NativeGolden, ::testing::ValuesIn(native_cases()), name_of_case);

TEST(NativeOperations, EachHasACase) {
  std::set<std::string> cases{"DescribeApi"};
  for (const NativeCase& golden : native_cases()) cases.insert(golden.operation());
  std::size_t operations = 0;
  for (const native::Operation& operation : native::operations()) {
    // The others have tests of their own.
    if (!operation.path.starts_with("/_penstock/streams") && operation.name != "DescribeApi") continue;
    EXPECT_TRUE(cases.contains(std::string(operation.name))) << operation.name;
    ++operations;
  }
  EXPECT_EQ(cases.size(), operations);
}

TEST(NativeOperations, TheCredentialsSayWhose) {
  const auto signed_request = [](std::string path) {
    return native_request("DELETE", path)
        .with("Authorization", "AWS4-HMAC-SHA256 Credential=222222222222/20150122/eu-west-2/kinesis/aws4_request, X=y");
  };
  EXPECT_EQ(native_asked(signed_request("/c")), "222222222222/eu-west-2/s DeleteGroup c");
  EXPECT_EQ(native_asked(signed_request("/c?Region=eu-west-3")), "222222222222/eu-west-3/s DeleteGroup c");
  EXPECT_EQ(native_asked(native_request(
                "DELETE", "/c?X-Amz-Algorithm=A&X-Amz-Credential=333333333333%2F20150122%2Feu-west-1%2Fkinesis%2Fx")),
            "333333333333/eu-west-1/s DeleteGroup c");
}

}  // namespace

std::vector<NativeCase> native_cases() {
  std::vector<NativeCase> all = consumer_cases();
  for (auto&& more : {member_cases(), commit_cases(), lag_cases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace penstock::protocol::testing
