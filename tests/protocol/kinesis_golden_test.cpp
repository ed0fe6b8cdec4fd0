// Each operation of Kinesis in both codecs: the command that a request becomes and its exact answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "protocol/kinesis/operations.hpp"
#include "protocol/kinesis/tokens.hpp"
#include "protocol/kinesis_support.hpp"

namespace penstock::protocol::testing {
namespace {

const std::string stream_text = "000000000000/us-east-1/s ";
const std::string account_text = "000000000000/us-east-1/ ";
const std::string start_0 = "49547204470429093520690608322256432688429463459260792834";
const std::string end_0 = "49547204470440243893289873633825991621746176446812913666";
const std::string start_1 = "49547204488648802347890127428891114517183178314340106258";
const std::string number_1 = "49547204470429093520690608322257641614249078775630266370";
const std::string number_2 = "49547204470429093520690608322258850540068693473524449282";
const std::string all_hashes = R"({"StartingHashKey":"0","EndingHashKey":"340282366920938463463374607431768211455"})";
const std::string half_hashes = R"({"StartingHashKey":"0","EndingHashKey":"170141183460469231731687303715884105727"})";

const std::string shards_json =
    R"([{"ShardId":"shardId-000000000000","HashKeyRange":)" + all_hashes +
    R"(,"SequenceNumberRange":{"StartingSequenceNumber":")" + start_0 + R"(","EndingSequenceNumber":")" + end_0 +
    R"("}},{"ShardId":"shardId-000000000001","ParentShardId":"shardId-000000000000",)" + R"("HashKeyRange":)" +
    half_hashes + R"(,"SequenceNumberRange":{"StartingSequenceNumber":")" + start_1 + R"("}}])";
const std::string records_json =
    R"([{"SequenceNumber":")" + number_1 + R"(","ApproximateArrivalTimestamp":1421889610.500,"Data":"b25l",)" +
    R"("PartitionKey":"k1"},{"SequenceNumber":")" + number_2 +
    R"(","ApproximateArrivalTimestamp":1421889611,"Data":"AP8=",)" + R"("PartitionKey":"k2","EncryptionType":"KMS"}])";
const std::string children_json = R"([{"ShardId":"shardId-000000000001","ParentShards":["shardId-000000000000"],)"
                                  R"("HashKeyRange":)" +
                                  half_hashes + "}]";
const std::string consumer_json = R"({"ConsumerName":"c","ConsumerARN":"$CONSUMER","ConsumerStatus":"CREATING",)"
                                  R"("ConsumerCreationTimestamp":1421889700})";

std::string iterator_at(std::uint64_t from, Instant not_before = {}) {
  return kinesis::to_string(
      kinesis::ShardIterator{stream_name(), {stream_id, ShardIndex{0}, RecordIndex{from}, not_before}, kinesis_now});
}

std::string token_of(kinesis::NextToken::List list, std::string after, std::optional<ShardFilter> filter = {}) {
  const bool of_stream = list != kinesis::NextToken::List::streams;
  return kinesis::to_string(kinesis::NextToken{list, of_stream ? stream_name() : StreamName{},
                                               of_stream ? stream_id : StreamId{}, std::move(after), std::move(filter),
                                               kinesis_now});
}

RecordsPage drained_page() {
  RecordsPage page = records_page();
  page.closed = true;
  page.children = {shard_records().at(1)};
  return page;
}

std::vector<KinesisCase> record_cases() {
  const auto one_put = [] {
    return RecordsPut{{RecordPut{ShardIndex{0}, {1'421'889'600, RecordIndex{1}, 1'421'889'610, ShardIndex{0}}}}, false};
  };
  const auto one_encrypted = [one_put] {
    RecordsPut put = one_put();
    put.encrypted = true;
    return put;
  };
  const std::string put_json = R"({"ShardId":"shardId-000000000000","SequenceNumber":")" + number_1 + "\"";
  const std::string rate = "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.";
  return {
      {"PutRecord", R"({"StreamName":"s","Data":"b25l","PartitionKey":"k"})",
       stream_text + "PutRecord (k=one to 187279361568289349169310600456257773043)", one_put, put_json + "}"},
      {"PutRecord/everything",
       R"({"StreamARN":"$ARN","StreamName":"s","Data":"","PartitionKey":"k","ExplicitHashKey":
           "340282366920938463463374607431768211455","SequenceNumberForOrdering":")" +
           number_1 + "\"}",
       stream_text + "PutRecord (k= to 340282366920938463463374607431768211455) ordering=" + number_1, one_encrypted,
       put_json + R"(,"EncryptionType":"KMS"})"},
      {"PutRecord/by id", R"({"StreamId":"$ID","Data":"b25l","PartitionKey":"ключ"})",
       account_text + "PutRecord (ключ=one to 259726384039714788407059515981389908711) of 000000000mf9g063v08f-nzb",
       one_put, put_json + "}"},
      {"PutRecord/by id and name", R"({"StreamId":"$ID","StreamName":"s","Data":"b25l","PartitionKey":"k"})",
       account_text + "FindStream 000000000mf9g063v08f-nzb; " + stream_text +
           "PutRecord (k=one to 187279361568289349169310600456257773043)",
       one_put, put_json + "}"},
      {"PutRecords", R"({"StreamName":"s","Records":[{"Data":"b25l","PartitionKey":"k1"},
                         {"Data":"dHdv","PartitionKey":"k2","ExplicitHashKey":"7"},{"Data":"","PartitionKey":"k"}]})",
       stream_text + "PutRecords (k1=one to 242208671286853988395785178707875403226) (k2=two to 7) "
                     "(k= to 187279361568289349169310600456257773043)",
       [one_put, rate] {
         RecordsPut put = one_put();
         put.entries.emplace_back(Error{ErrorCode::KinesisThroughputExceeded, rate});
         put.entries.emplace_back(Error{ErrorCode::KinesisResourceNotFound, "What a client should not see."});
         return put;
       },
       R"({"FailedRecordCount":2,"Records":[{"SequenceNumber":")" + number_1 +
           R"(","ShardId":"shardId-000000000000"},{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":")" +
           rate + R"("},{"ErrorCode":"InternalFailure","ErrorMessage":"Internal Service Failure"}]})"},
      {"PutRecords/encrypted", R"({"StreamARN":"$ARN","Records":[{"Data":"b25l","PartitionKey":"k2"}]})",
       stream_text + "PutRecords (k2=one to 129444150167719404002017707097629467898)", one_encrypted,
       R"({"FailedRecordCount":0,"Records":[{"SequenceNumber":")" + number_1 +
           R"(","ShardId":"shardId-000000000000"}],"EncryptionType":"KMS"})"},
  };
}

std::vector<KinesisCase> read_cases() {
  const auto position = [] { return ShardPosition{stream_id, ShardIndex{0}, RecordIndex{1}, {}}; };
  const std::string issued = R"({"ShardIterator":")" + iterator_at(1) + "\"}";
  const std::string get = stream_text + "GetRecords id=000000000mf9g063v08f-nzb shard=0 from=1 not_before=";
  return {
      {"GetShardIterator", R"({"StreamName":"s","ShardId":"shard-0","ShardIteratorType":"TRIM_HORIZON"})",
       stream_text + "GetShardIterator shard-0 type=2", position, issued},
      {"GetShardIterator/number",
       R"({"StreamARN":"$ARN","ShardId":"shardId-000000000000","ShardIteratorType":"AFTER_SEQUENCE_NUMBER",
           "StartingSequenceNumber":"17"})",
       stream_text + "GetShardIterator shardId-000000000000 type=1 number=17", position, issued},
      {"GetShardIterator/at number",
       R"({"StreamName":"s","ShardId":"a-1","ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":"0"})",
       stream_text + "GetShardIterator a-1 type=0 number=0", position, issued},
      {"GetShardIterator/latest", R"({"StreamName":"s","ShardId":"a-1","ShardIteratorType":"LATEST"})",
       stream_text + "GetShardIterator a-1 type=3", position, issued},
      {"GetShardIterator/time",
       R"({"StreamName":"s","ShardId":"a-1","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1421889610.25})",
       stream_text + "GetShardIterator a-1 type=4 at=1421889610250",
       [] {
         return ShardPosition{stream_id, ShardIndex{0}, RecordIndex{1}, from_epoch_ms(77)};
       },
       R"({"ShardIterator":")" + iterator_at(1, from_epoch_ms(77)) + "\"}"},
      {"GetRecords", R"({"ShardIterator":")" + iterator_at(1, from_epoch_ms(77)) + "\"}", get + "77 max=10000",
       [] {
         RecordsPage page = records_page();
         page.behind = Millis{1'234};
         return page;
       },
       R"({"Records":)" + records_json + R"(,"NextShardIterator":")" + iterator_at(3, from_epoch_ms(77)) +
           R"(","MillisBehindLatest":1234})"},
      {"GetRecords/quoted and limited",
       R"({"ShardIterator":"\")" + iterator_at(1) + R"(\"","Limit":2,"StreamARN":"$ARN","StreamId":"$ID"})",
       get + "0 max=2",
       [] {
         RecordsPage page = records_page();
         page.records.clear();
         page.next = RecordIndex{1};
         return page;
       },
       R"({"Records":[],"NextShardIterator":")" + iterator_at(1) + R"(","MillisBehindLatest":0})"},
      {"GetRecords/end", R"({"ShardIterator":")" + iterator_at(1) + "\"}", get + "0 max=10000", drained_page,
       R"({"Records":)" + records_json + R"(,"MillisBehindLatest":0,"ChildShards":)" + children_json + "}"},
      {"GetRecords/before the end", R"({"ShardIterator":")" + iterator_at(1) + "\"}", get + "0 max=10000",
       [] {
         RecordsPage page = drained_page();
         page.next = RecordIndex{2};
         page.records.pop_back();
         return page;
       },
       R"({"Records":)" + records_json.substr(0, records_json.find("},{") + 1) + R"(],"NextShardIterator":")" +
           iterator_at(2) + R"(","MillisBehindLatest":0})"},
  };
}

std::vector<KinesisCase> describe_cases() {
  const std::string names = R"({"StreamName":"s","StreamARN":"$ARN",)";
  const std::string settings = R"("StreamModeDetails":{"StreamMode":"PROVISIONED"},)";
  const std::string shard_1 = R"({"StreamName":"s","ExclusiveStartShardId":"shardId-000000000001","Limit":101})";
  return {
      {"DescribeStream", R"({"StreamName":"s"})", stream_text + "DescribeStream limit=100",
       [] {
         return StreamDescription{stream_info(), shard_records(), true};
       },
       R"({"StreamDescription":)" + names + R"("StreamStatus":"ACTIVE",)" + settings + R"("Shards":)" + shards_json +
           R"(,"HasMoreShards":true,"RetentionPeriodHours":48,"StreamCreationTimestamp":1421889600,)" +
           R"("EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE"}})"},
      {"DescribeStream/encrypted", shard_1, stream_text + "DescribeStream after=shardId-000000000001 limit=100",
       [] {
         StreamDescription found{stream_info(), {}, false};
         found.info.status = StreamStatus::updating;
         found.info.on_demand = true;
         found.info.encrypted = true;
         found.info.key_id = "alias/k";
         found.info.metrics = {"IncomingBytes", "OutgoingBytes"};
         return found;
       },
       R"({"StreamDescription":)" + names +
           R"("StreamStatus":"UPDATING","StreamModeDetails":{"StreamMode":"ON_DEMAND"},"Shards":[],)"
           R"("HasMoreShards":false,"RetentionPeriodHours":48,"StreamCreationTimestamp":1421889600,)"
           R"("EnhancedMonitoring":[{"ShardLevelMetrics":["IncomingBytes","OutgoingBytes"]}],)"
           R"("EncryptionType":"KMS","KeyId":"alias/k"}})"},
      {"DescribeStreamSummary", R"({"StreamARN":"$ARN"})", stream_text + "DescribeStreamSummary",
       [] {
         StreamSummary found{stream_info(), 3};
         found.info.consumers = {stream_consumer()};
         found.info.warm_mibps = 100;
         return found;
       },
       R"({"StreamDescriptionSummary":)" + names + R"("StreamId":"$ID","StreamStatus":"ACTIVE",)" + settings +
           R"("RetentionPeriodHours":48,"StreamCreationTimestamp":1421889600,)" +
           R"("EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE","OpenShardCount":3,)" +
           R"("ConsumerCount":1,"WarmThroughput":{"TargetMiBps":100,"CurrentMiBps":100},"MaxRecordSizeInKiB":1024}})"},
      {"DescribeStreamSummary/creating", R"({"StreamId":"$ID"})",
       account_text + "DescribeStreamSummary of 000000000mf9g063v08f-nzb",
       [] {
         StreamSummary found{stream_info(), 1};
         found.info.status = StreamStatus::creating;
         return found;
       },
       R"({"StreamDescriptionSummary":)" + names + R"("StreamId":"$ID","StreamStatus":"CREATING",)" + settings +
           R"("RetentionPeriodHours":48,"StreamCreationTimestamp":1421889600,)" +
           R"("EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE","OpenShardCount":1,)" +
           R"("ConsumerCount":0,"MaxRecordSizeInKiB":1024}})"},
      {"DescribeLimits", "{}", account_text + "DescribeLimits",
       [] {
         return StreamCounts{5, 2};
       },
       R"({"ShardLimit":20000,"OpenShardCount":5,"OnDemandStreamCount":2,"OnDemandStreamCountLimit":50})"},
  };
}

std::vector<KinesisCase> list_cases() {
  using List = kinesis::NextToken::List;
  const auto streams = [](bool more) {
    return [more] {
      const ListedStream listed{stream_name(), StreamStatus::deleting, from_epoch_ms(1'421'889'600'999), true};
      return StreamList{{listed}, more};
    };
  };
  const std::string summary =
      R"([{"StreamName":"s","StreamARN":"$ARN","StreamStatus":"DELETING",)"
      R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"},"StreamCreationTimestamp":1421889600}])";
  const auto shards = [](bool more) { return [more] { return ShardList{stream_id, shard_records(), more}; }; };
  const ShardFilter at{ShardFilter::Type::at_timestamp, {}, from_epoch_ms(1'421'889'610'000)};
  const auto filtered = [&](std::string_view filter, std::string_view text) {
    return KinesisCase{"ListShards/" + std::string(filter),
                       R"({"StreamName":"s","ShardFilter":{"Type":)" + std::string(filter) + "}}",
                       stream_text + "ListShards filter=" + std::string(text) + " limit=1000", shards(false),
                       R"({"Shards":)" + shards_json + "}"};
  };
  return {
      {"ListStreams", "{}", account_text + "ListStreams limit=100", streams(false),
       R"({"StreamNames":["s"],"HasMoreStreams":false,"StreamSummaries":)" + summary + "}"},
      {"ListStreams/first page", R"({"Limit":1,"ExclusiveStartStreamName":"r"})",
       account_text + "ListStreams after=r limit=1", streams(true),
       R"({"StreamNames":["s"],"HasMoreStreams":true,"NextToken":")" + token_of(List::streams, "s") +
           R"(","StreamSummaries":)" + summary + "}"},
      {"ListStreams/next page", R"({"Limit":10000,"NextToken":")" + token_of(List::streams, "s") + "\"}",
       account_text + "ListStreams after=s limit=100", [] { return StreamList{}; },
       R"({"StreamNames":[],"HasMoreStreams":false,"StreamSummaries":[]})"},
      {"ListShards", R"({"StreamName":"s"})", stream_text + "ListShards limit=1000", shards(false),
       R"({"Shards":)" + shards_json + "}"},
      {"ListShards/first page",
       R"({"StreamARN":"$ARN","MaxResults":2,"StreamCreationTimestamp":1421889600,
           "ExclusiveStartShardId":"shardId-000000000007",
           "ShardFilter":{"Type":"AT_TIMESTAMP","Timestamp":1421889610}})",
       stream_text + "ListShards filter=4  at=1421889610000 after=shardId-000000000007 limit=2 created=1421889600000",
       shards(true),
       R"({"Shards":)" + shards_json + R"(,"NextToken":")" + token_of(List::shards, "shardId-000000000001", at) +
           "\"}"},
      {"ListShards/next page",
       R"({"MaxResults":9999,"NextToken":")" + token_of(List::shards, "shardId-000000000001", at) + "\"}",
       stream_text + "ListShards id=000000000mf9g063v08f-nzb filter=4  at=1421889610000 after=shardId-000000000001 "
                     "limit=1000",
       shards(true),
       R"({"Shards":)" + shards_json + R"(,"NextToken":")" + token_of(List::shards, "shardId-000000000001", at) +
           "\"}"},
      filtered(R"("AFTER_SHARD_ID","ShardId":"shardId-000000000000")", "0 shardId-000000000000"),
      filtered(R"("AT_TRIM_HORIZON")", "1 "),
      filtered(R"("FROM_TRIM_HORIZON")", "2 "),
      filtered(R"("AT_LATEST")", "3 "),
      filtered(R"("FROM_TIMESTAMP","Timestamp":1421889610.001)", "5  at=1421889610001"),
  };
}

std::vector<KinesisCase> consumer_cases() {
  using List = kinesis::NextToken::List;
  const auto described = [] { return ConsumerDescription{stream_name(), stream_consumer()}; };
  const auto listed = [](bool more) {
    return [more] { return ConsumerList{stream_id, stream_name(), {stream_consumer()}, more}; };
  };
  const std::string description =
      R"({"ConsumerDescription":)" + consumer_json.substr(0, consumer_json.size() - 1) + R"(,"StreamARN":"$ARN"}})";
  const std::string token = token_of(List::consumers, "c");
  const std::string by_name = R"({"StreamARN":"$ARN","ConsumerName":"c"})";
  return {
      {"RegisterStreamConsumer", R"({"StreamARN":"$ARN","ConsumerName":"c"})", stream_text + "RegisterConsumer c {}",
       described, R"({"Consumer":)" + consumer_json + "}"},
      {"RegisterStreamConsumer/tags", R"({"StreamARN":"$ARN","ConsumerName":"c","Tags":{"a":"1","b":""}})",
       stream_text + "RegisterConsumer c {a=1, b=}", described, R"({"Consumer":)" + consumer_json + "}"},
      {"DeregisterStreamConsumer", by_name, stream_text + "DeregisterConsumer c", [] { return Done{}; }, ""},
      {"DeregisterStreamConsumer/arn", R"({"ConsumerARN":"$CONSUMER"})",
       stream_text + "DeregisterConsumer c created=1421889700", [] { return Done{}; }, ""},
      {"DescribeStreamConsumer", by_name, stream_text + "DescribeConsumer c", described, description},
      {"DescribeStreamConsumer/all three", R"({"StreamARN":"$ARN","ConsumerName":"c","ConsumerARN":"$CONSUMER"})",
       stream_text + "DescribeConsumer c created=1421889700", described, description},
      {"DescribeStreamConsumer/by id", R"({"StreamId":"$ID","ConsumerName":"c"})",
       account_text + "DescribeConsumer c of 000000000mf9g063v08f-nzb", described, description},
      {"ListStreamConsumers", R"({"StreamARN":"$ARN","StreamCreationTimestamp":1421889600})",
       stream_text + "ListConsumers limit=100 created=1421889600000", listed(false),
       R"({"Consumers":[)" + consumer_json + "]}"},
      {"ListStreamConsumers/first page", R"({"StreamARN":"$ARN","MaxResults":1})",
       stream_text + "ListConsumers limit=1", listed(true),
       R"({"Consumers":[)" + consumer_json + R"(],"NextToken":")" + token + "\"}"},
      {"ListStreamConsumers/next page", R"({"StreamARN":"$ARN","NextToken":")" + token + "\"}",
       stream_text + "ListConsumers id=000000000mf9g063v08f-nzb after=c limit=100",
       [] {
         return ConsumerList{stream_id, stream_name(), {}, false};
       },
       R"({"Consumers":[]})"},
  };
}

/// SubscribeToShard, whose answers are events, has its own in kinesis_subscribe_test.cpp.
std::vector<KinesisCase> all_cases() {
  std::vector<KinesisCase> all;
  for (const auto& cases :
       {record_cases(), read_cases(), describe_cases(), list_cases(), consumer_cases(), kinesis_settings_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

class KinesisGolden : public ::testing::TestWithParam<KinesisCase> {};

TEST_P(KinesisGolden, BecomesACommandAndItsResultAnAnswer) {
  const KinesisCase& golden = GetParam();
  const std::string answer = with_names("200 " + golden.answer);
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    const Request request = kinesis_request(golden.operation(), golden.json, codec);
    EXPECT_EQ(kinesis_asked(request), golden.asked);
    EXPECT_EQ(kinesis_answer(request, golden.result()), answer);
  }
}

TEST_P(KinesisGolden, AnErrorIsTheAnswer) {
  const KinesisCase& golden = GetParam();
  for (const Codec codec : {Codec::json, Codec::cbor}) {
    const Request request = kinesis_request(golden.operation(), golden.json, codec);
    EXPECT_EQ(kinesis_answer(request, Error{ErrorCode::KinesisResourceNotFound, "No \"s\"."}),
              kinesis_error("ResourceNotFoundException", R"(No \"s\".)"));
    EXPECT_TRUE(kinesis_answer(request, QueueNames{}).starts_with("500 ")) << "no result of this command";
  }
}

std::string test_name(const ::testing::TestParamInfo<KinesisCase>& info) {
  std::string name;
  for (const char c : info.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name.push_back(c);
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Operations, KinesisGolden, ::testing::ValuesIn(all_cases()), test_name);

TEST(KinesisGoldenCases, EveryOperationHasOne) {
  std::set<std::string, std::less<>> covered{"SubscribeToShard"};
  for (const KinesisCase& golden : all_cases()) covered.insert(golden.operation());
  for (const kinesis::Operation& operation : kinesis::operations()) {
    EXPECT_TRUE(covered.contains(operation.name)) << operation.name;
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
