// The operations of Kinesis that create, set, tag and reshape streams: what each becomes in both codecs and its exact
// answer (kinesis_golden_test.cpp runs these cases), and how a request is refused that no stream has to be asked about.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/limits.hpp"
#include "protocol/kinesis_support.hpp"

namespace penstock::protocol::testing {
namespace {

const std::string stream_text = "000000000000/us-east-1/s ";
const std::string account_text = "000000000000/us-east-1/ ";
const std::string id_text = " of 000000000mf9g063v08f-nzb";
const std::string found_text = account_text + "FindStream 000000000mf9g063v08f-nzb; ";
const std::string names = R"({"StreamName":"s",)";
const std::string by_name = R"({"StreamName":"s"})";
const std::string by_arn = R"({"StreamARN":"$ARN"})";
const std::string by_id = R"({"StreamId":"$ID"})";
const std::string resource = R"({"ResourceARN":"$ARN"})";
const std::string consumer_resource = R"({"ResourceARN":"$CONSUMER"})";

/// The object with more members.
std::string with(std::string object, std::string_view members) {
  object.pop_back();
  return object.append(",").append(members).append("}");
}

Result done() { return Done{}; }

std::vector<KinesisCase> stream_cases() {
  return {
      {"CreateStream", R"({"StreamName":"s","ShardCount":2})", stream_text + "CreateStream shards=2 {}", done, ""},
      {"CreateStream/on demand", R"({"StreamName":"s","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})",
       stream_text + "CreateStream on demand {}", done, ""},
      {"CreateStream/everything",
       R"({"StreamName":"s","ShardCount":2147483647,"StreamModeDetails":{"StreamMode":"PROVISIONED"},
           "Tags":{"b":"","a":"1"},"WarmThroughputMiBps":0,"MaxRecordSizeInKiB":10240})",
       stream_text + "CreateStream shards=2147483647 {a=1, b=} warm=0 kib=10240", done, ""},
      {"DeleteStream", by_name, stream_text + "DeleteStream", done, ""},
      {"DeleteStream/with consumers", with(by_arn, R"("EnforceConsumerDeletion":true)"),
       stream_text + "DeleteStream with consumers", done, ""},
      {"DeleteStream/without", with(by_id, R"("EnforceConsumerDeletion":false)"),
       account_text + "DeleteStream" + id_text, done, ""},
      {"DeleteStream/by id and name", with(by_id, R"("StreamName":"s")"), found_text + stream_text + "DeleteStream",
       done, ""},
  };
}

std::vector<KinesisCase> tag_cases() {
  const auto tags = [](bool more) { return [more] { return StreamTags{{{"a", "1"}, {"ключ", ""}}, more}; }; };
  const std::string listed = R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"ключ","Value":""}])";
  const std::string consumer = " consumer=c:1421889700";
  return {
      {"AddTagsToStream", with(by_name, R"("Tags":{"b":"2","a":"1"})"), stream_text + "TagStream {a=1, b=2}", done, ""},
      {"AddTagsToStream/twice", with(by_arn, R"("Tags":{"a":"1","a":"2"})"), stream_text + "TagStream {a=2}", done, ""},
      {"AddTagsToStream/signs", with(by_id, R"("Tags":{"Ключ 1_./=+-@:%":"\t\r\naws:漢"})"),
       account_text + "TagStream {Ключ 1_./=+-@:%=\t\r\naws:漢}" + id_text, done, ""},
      {"RemoveTagsFromStream", with(by_name, R"("TagKeys":["b","a"])"), stream_text + "UntagStream [b, a]", done, ""},
      {"RemoveTagsFromStream/by id", with(by_id, R"("TagKeys":["a"])"), account_text + "UntagStream [a]" + id_text,
       done, ""},
      {"ListTagsForStream", by_name, stream_text + "ListStreamTags limit=200", tags(false),
       listed + R"(,"HasMoreTags":false})"},
      {"ListTagsForStream/page", with(by_arn, R"("ExclusiveStartTagKey":"A","Limit":50)"),
       stream_text + "ListStreamTags after=A limit=50", tags(true), listed + R"(,"HasMoreTags":true})"},
      {"ListTagsForStream/none", with(by_id, R"("Limit":1)"), account_text + "ListStreamTags limit=1" + id_text,
       [] { return StreamTags{}; }, R"({"Tags":[],"HasMoreTags":false})"},
      {"TagResource", with(resource, R"("Tags":{"a":""})"), stream_text + "TagStream {a=}", done, ""},
      {"TagResource/consumer", with(consumer_resource, R"("Tags":{"a":"1"})"),
       stream_text + "TagStream" + consumer + " {a=1}", done, ""},
      {"UntagResource", with(resource, R"("TagKeys":["a","b"])"), stream_text + "UntagStream [a, b]", done, ""},
      {"UntagResource/consumer", with(consumer_resource, R"("TagKeys":["a"])"),
       stream_text + "UntagStream" + consumer + " [a]", done, ""},
      {"ListTagsForResource", resource, stream_text + "ListStreamTags limit=200", tags(false), listed + "}"},
      {"ListTagsForResource/consumer with id", with(consumer_resource, R"("StreamId":"$ID")"),
       found_text + stream_text + "ListStreamTags" + consumer + " limit=200", [] { return StreamTags{}; },
       R"({"Tags":[]})"},
  };
}

std::vector<KinesisCase> policy_cases() {
  const std::string policy = R"({\"Version\":\"2012-10-17\",\"Statement\":[]})";
  const std::string unquoted = R"({"Version":"2012-10-17","Statement":[]})";
  const std::string put = R"("Policy":")" + policy + "\"";
  const std::string consumer = " consumer=c:1421889700";
  return {
      {"PutResourcePolicy", with(resource, put), stream_text + "PutStreamPolicy " + unquoted, done, ""},
      {"PutResourcePolicy/consumer", with(consumer_resource, put),
       stream_text + "PutStreamPolicy" + consumer + " " + unquoted, done, ""},
      {"PutResourcePolicy/with id", with(resource, R"("StreamId":"$ID","Policy":" {}")"),
       found_text + stream_text + "PutStreamPolicy  {}", done, ""},
      {"GetResourcePolicy", resource, stream_text + "GetStreamPolicy", [unquoted] { return StreamPolicy{unquoted}; },
       R"({"Policy":")" + policy + "\"}"},
      {"GetResourcePolicy/none", consumer_resource, stream_text + "GetStreamPolicy" + consumer,
       [] { return StreamPolicy{}; }, R"({"Policy":"{}"})"},
      {"DeleteResourcePolicy", resource, stream_text + "DeleteStreamPolicy", done, ""},
      {"DeleteResourcePolicy/consumer", consumer_resource, stream_text + "DeleteStreamPolicy" + consumer, done, ""},
  };
}

std::vector<KinesisCase> setting_cases() {
  const auto monitoring = [] { return MonitoringChanged{stream_name(), {"IncomingBytes"}, {}}; };
  const std::string monitored =
      names + R"("CurrentShardLevelMetrics":["IncomingBytes"],"DesiredShardLevelMetrics":[],"StreamARN":"$ARN"})";
  const std::string key = R"("EncryptionType":"KMS","KeyId":"alias/k")";
  const auto mode = [](std::string_view name) {
    return R"("StreamModeDetails":{"StreamMode":")" + std::string(name) + "\"}";
  };
  return {
      {"IncreaseStreamRetentionPeriod", with(by_name, R"("RetentionPeriodHours":48)"),
       stream_text + "IncreaseRetention 48", done, ""},
      {"IncreaseStreamRetentionPeriod/out of bounds", with(by_arn, R"("RetentionPeriodHours":-2147483648)"),
       stream_text + "IncreaseRetention -2147483648", done, ""},
      {"DecreaseStreamRetentionPeriod", with(by_id, R"("RetentionPeriodHours":24)"),
       account_text + "DecreaseRetention 24" + id_text, done, ""},
      {"StartStreamEncryption", with(by_name, key), stream_text + "StartEncryption alias/k", done, ""},
      {"StopStreamEncryption", with(by_arn, key), stream_text + "StopEncryption alias/k", done, ""},
      {"EnableEnhancedMonitoring", with(by_name, R"("ShardLevelMetrics":["ALL"])"),
       stream_text + "EnableMonitoring [ALL]",
       [] {
         return MonitoringChanged{stream_name(), {}, {"IncomingBytes", "OutgoingBytes"}};
       },
       names + R"("CurrentShardLevelMetrics":[],)" +
           R"("DesiredShardLevelMetrics":["IncomingBytes","OutgoingBytes"],"StreamARN":"$ARN"})"},
      {"DisableEnhancedMonitoring", with(by_id, R"("ShardLevelMetrics":["OutgoingBytes","IncomingBytes"])"),
       account_text + "DisableMonitoring [OutgoingBytes, IncomingBytes]" + id_text, monitoring, monitored},
      {"UpdateStreamMode", with(by_arn, mode("ON_DEMAND")), stream_text + "UpdateStreamMode on demand", done, ""},
      {"UpdateStreamMode/provisioned", with(by_arn, mode("PROVISIONED")), stream_text + "UpdateStreamMode provisioned",
       done, ""},
      {"UpdateStreamMode/warm",
       with(by_arn, mode("ON_DEMAND") + R"(,"WarmThroughputMiBps":2147483647,"StreamId":"$ID")"),
       found_text + stream_text + "UpdateStreamMode on demand warm=2147483647", done, ""},
      {"UpdateStreamWarmThroughput", with(by_name, R"("WarmThroughputMiBps":200)"),
       stream_text + "UpdateWarmThroughput 200",
       [] {
         return WarmThroughput{stream_name(), 200, 100};
       },
       R"({"StreamARN":"$ARN","StreamName":"s","WarmThroughput":{"TargetMiBps":200,"CurrentMiBps":100}})"},
      {"UpdateMaxRecordSize", with(by_arn, R"("MaxRecordSizeInKiB":1024)"), stream_text + "UpdateMaxRecordSize 1024",
       done, ""},
      {"UpdateMaxRecordSize/by id", with(by_id, R"("MaxRecordSizeInKiB":10240)"),
       account_text + "UpdateMaxRecordSize 10240" + id_text, done, ""},
  };
}

std::vector<KinesisCase> shard_cases() {
  return {
      {"SplitShard", with(by_name, R"("ShardToSplit":"shard-0","NewStartingHashKey":"0")"),
       stream_text + "SplitShard shard-0 at 0", done, ""},
      {"SplitShard/last",
       with(by_id, R"("ShardToSplit":"a","NewStartingHashKey":"999999999999999999999999999999999999999")"),
       account_text + "SplitShard a at 999999999999999999999999999999999999999" + id_text, done, ""},
      {"MergeShards", with(by_arn, R"("ShardToMerge":"shard-0","AdjacentShardToMerge":"shardId-000000000001")"),
       stream_text + "MergeShards shard-0 and shardId-000000000001", done, ""},
      {"UpdateShardCount", with(by_name, R"("TargetShardCount":4,"ScalingType":"UNIFORM_SCALING")"),
       stream_text + "UpdateShardCount 4",
       [] {
         return ShardCountChanged{stream_name(), 3, 4};
       },
       names + R"("CurrentShardCount":3,"TargetShardCount":4,"StreamARN":"$ARN"})"},
  };
}

// ---- Accounts.

AccountDescription account_description() { return {{{"000000000000", "us-east-1", {}}}, kinesis_now}; }

/// Its commitment began at 1421880000.5 s and may end a day later.
AccountDescription committed_account(bool enabled, std::optional<Instant> ended) {
  AccountDescription described = account_description();
  described.account.commitment_enabled = enabled;
  described.account.started = from_epoch_ms(1'421'880'000'500);
  described.account.earliest_end = from_epoch_ms(1'421'966'400'500);
  described.account.ended = ended;
  return described;
}

std::vector<KinesisCase> account_cases() {
  const auto commitment = [](std::string_view members) {
    return R"({"MinimumThroughputBillingCommitment":{"Status":)" + std::string(members) + "}}";
  };
  const auto given = [](bool enabled, std::optional<Instant> ended) {
    return [enabled, ended] { return committed_account(enabled, ended); };
  };
  const std::string started = R"(,"StartedAt":1421880000.500)";
  const std::string earliest = started + R"(,"EarliestAllowedEndAt":1421966400.500)";
  return {
      {"DescribeAccountSettings", "{}", account_text + "DescribeAccount", [] { return account_description(); },
       commitment(R"("DISABLED")")},
      {"DescribeAccountSettings/enabled", "{}", account_text + "DescribeAccount", given(true, {}),
       commitment(R"("ENABLED")" + earliest)},
      {"DescribeAccountSettings/ends later", "{}", account_text + "DescribeAccount",
       given(false, from_epoch_ms(1'421'966'400'500)),
       commitment(R"("ENABLED_UNTIL_EARLIEST_ALLOWED_END")" + earliest)},
      {"DescribeAccountSettings/ended", "{}", account_text + "DescribeAccount", given(false, kinesis_now),
       commitment(R"("DISABLED")" + started + R"(,"EndedAt":1421889722.345)")},
      {"UpdateAccountSettings", commitment(R"("ENABLED")"), account_text + "UpdateAccount enabled", given(true, {}),
       commitment(R"("ENABLED")" + earliest)},
      {"UpdateAccountSettings/disabled", commitment(R"("DISABLED")"), account_text + "UpdateAccount disabled",
       [] { return account_description(); }, commitment(R"("DISABLED")")},
  };
}

// ---- Refusals.

/// The answer in both codecs, which have to agree.
std::string refused(std::string_view operation, std::string_view json) {
  std::string in_json = kinesis_refusal(kinesis_request(operation, json));
  EXPECT_EQ(kinesis_refusal(kinesis_request(operation, json, Codec::cbor)), in_json);
  return in_json;
}

/// What the framework says of values that break constraints: each as "Value ... at ...", and the constraint.
using Violation = std::pair<std::string, std::string>;
std::string validation_error(const std::vector<Violation>& violations) {
  std::string message =
      std::to_string(violations.size()) + " validation error" + (violations.size() == 1 ? "" : "s") + " detected: ";
  for (std::size_t i = 0; i < violations.size(); ++i) {
    const auto& [value, constraint] = violations[i];
    message.append(i == 0 ? "" : "; ").append("Value ").append(value);
    message.append(" failed to satisfy constraint: Member must ").append(constraint);
  }
  return kinesis_error("ValidationException", message);
}

Violation missing(std::string_view path) { return {"null at '" + std::string(path) + "'", "not be null"}; }
const std::string from_1 = "have value greater than or equal to 1";
const std::string long_from_1 = "have length greater than or equal to 1";
const std::string key_lengths =
    "satisfy constraint: [Member must have length less than or equal to 128, "
    "Member must have length greater than or equal to 1]";

TEST(KinesisSettings, WhatIsRequiredIsMissed) {
  const std::pair<std::string_view, std::vector<Violation>> cases[] = {
      {"CreateStream", {missing("streamName")}},
      {"AddTagsToStream", {missing("tags")}},
      {"RemoveTagsFromStream", {missing("tagKeys")}},
      {"TagResource", {missing("tags"), missing("resourceARN")}},
      {"UntagResource", {missing("tagKeys"), missing("resourceARN")}},
      {"ListTagsForResource", {missing("resourceARN")}},
      {"IncreaseStreamRetentionPeriod", {missing("retentionPeriodHours")}},
      {"DecreaseStreamRetentionPeriod", {missing("retentionPeriodHours")}},
      {"StartStreamEncryption", {missing("encryptionType"), missing("keyId")}},
      {"StopStreamEncryption", {missing("encryptionType"), missing("keyId")}},
      {"EnableEnhancedMonitoring", {missing("shardLevelMetrics")}},
      {"DisableEnhancedMonitoring", {missing("shardLevelMetrics")}},
      {"SplitShard", {missing("shardToSplit"), missing("newStartingHashKey")}},
      {"MergeShards", {missing("shardToMerge"), missing("adjacentShardToMerge")}},
      {"UpdateShardCount", {missing("targetShardCount"), missing("scalingType")}},
      {"UpdateStreamMode", {missing("streamARN"), missing("streamModeDetails")}},
      {"UpdateStreamWarmThroughput", {missing("warmThroughputMiBps")}},
      {"UpdateMaxRecordSize", {missing("maxRecordSizeInKiB")}},
      {"PutResourcePolicy", {missing("resourceARN"), missing("policy")}},
      {"GetResourcePolicy", {missing("resourceARN")}},
      {"DeleteResourcePolicy", {missing("resourceARN")}},
      {"UpdateAccountSettings", {missing("minimumThroughputBillingCommitment")}},
  };
  for (const auto& [operation, violations] : cases) EXPECT_EQ(refused(operation, "{}"), validation_error(violations));
  EXPECT_EQ(refused("UpdateAccountSettings", R"({"MinimumThroughputBillingCommitment":{}})"),
            validation_error({missing("minimumThroughputBillingCommitment.status")}));
}

TEST(KinesisSettings, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_EQ(
      refused("CreateStream", R"({"StreamName":"a b","ShardCount":0,"StreamModeDetails":{"StreamMode":"x"},
                                        "Tags":{},"WarmThroughputMiBps":-1,"MaxRecordSizeInKiB":10241})"),
      validation_error({{"'a b' at 'streamName'", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
                        {"'0' at 'shardCount'", from_1},
                        {"'x' at 'streamModeDetails.streamMode'", "satisfy enum value set: [PROVISIONED, ON_DEMAND]"},
                        {"'{}' at 'tags'", long_from_1},
                        {"'-1' at 'warmThroughputMiBps'", "have value greater than or equal to 0"},
                        {"'10241' at 'maxRecordSizeInKiB'", "have value less than or equal to 10240"}}));
  EXPECT_EQ(refused("UpdateShardCount", with(by_name, R"("TargetShardCount":0,"ScalingType":"")")),
            validation_error({{"'0' at 'targetShardCount'", from_1},
                              {"'' at 'scalingType'", "satisfy enum value set: [UNIFORM_SCALING]"}}));
  EXPECT_EQ(
      refused("MergeShards", with(by_name, R"("ShardToMerge":"","AdjacentShardToMerge":"a b")")),
      validation_error({{"'' at 'shardToMerge'", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
                        {"'' at 'shardToMerge'", long_from_1},
                        {"'a b' at 'adjacentShardToMerge'", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"}}));
  EXPECT_EQ(refused("StartStreamEncryption", with(by_name, R"("EncryptionType":"AES","KeyId":"")")),
            validation_error({{"'AES' at 'encryptionType'", "satisfy enum value set: [NONE, KMS]"},
                              {"'' at 'keyId'", long_from_1}}));
}

TEST(KinesisSettings, OneThingIsWrong) {
  const std::string hash_pattern = R"(satisfy regular expression pattern: 0|([1-9]\\d{0,38}))";
  EXPECT_EQ(refused("SplitShard", with(by_name, R"("ShardToSplit":"a","NewStartingHashKey":"01")")),
            validation_error({{"'01' at 'newStartingHashKey'", hash_pattern}}));
  EXPECT_EQ(refused("ListTagsForStream", with(by_name, R"("Limit":51)")),
            validation_error({{"'51' at 'limit'", "have value less than or equal to 50"}}));
  EXPECT_EQ(refused("ListTagsForStream", with(by_name, R"("ExclusiveStartTagKey":"")")),
            validation_error({{"'' at 'exclusiveStartTagKey'", long_from_1}}));
  EXPECT_EQ(refused("RemoveTagsFromStream", with(by_name, R"("TagKeys":[])")),
            validation_error({{"'[]' at 'tagKeys'", long_from_1}}));
  EXPECT_EQ(refused("UntagResource", with(resource, R"("TagKeys":["a",""])")),
            validation_error({{"'[a, ]' at 'tagKeys'", key_lengths}}));
  EXPECT_EQ(refused("EnableEnhancedMonitoring", with(by_name, R"("ShardLevelMetrics":["ALL","Some"])")),
            validation_error({{"'[ALL, Some]' at 'shardLevelMetrics'",
                               "satisfy constraint: [Member must satisfy enum value set: [IncomingBytes, "
                               "IncomingRecords, OutgoingBytes, OutgoingRecords, WriteProvisionedThroughputExceeded, "
                               "ReadProvisionedThroughputExceeded, IteratorAgeMilliseconds, ALL]]"}}));
  EXPECT_EQ(refused("UpdateMaxRecordSize", with(by_arn, R"("MaxRecordSizeInKiB":1023)")),
            validation_error({{"'1023' at 'maxRecordSizeInKiB'", "have value greater than or equal to 1024"}}));
  EXPECT_EQ(refused("UpdateAccountSettings",
                    R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED_UNTIL_EARLIEST_ALLOWED_END"}})"),
            validation_error({{"'ENABLED_UNTIL_EARLIEST_ALLOWED_END' at 'minimumThroughputBillingCommitment.status'",
                               "satisfy enum value set: [ENABLED, DISABLED]"}}));
  EXPECT_EQ(refused("DeleteStream", R"({"StreamId":"x"})"),
            validation_error({{"'x' at 'streamId'", "satisfy regular expression pattern: [a-z0-9]{20}-[a-z0-9]{3}"}}));
}

TEST(KinesisSettings, TagsAreAsLongAsTheModelSays) {
  const auto tagging = [](std::size_t key_chars, std::size_t value_chars) {
    return with(by_name,
                R"("Tags":{")" + std::string(key_chars, 'k') + R"(":")" + std::string(value_chars, 'v') + "\"}");
  };
  EXPECT_EQ(kinesis_asked(kinesis_request("AddTagsToStream", tagging(128, 256))),
            stream_text + "TagStream {" + std::string(128, 'k') + "=" + std::string(256, 'v') + "}");
  const std::string too_long = refused("AddTagsToStream", tagging(129, 257));
  EXPECT_EQ(too_long,
            kinesis_error("ValidationException",
                          "2 validation errors detected: Value '{" + std::string(129, 'k') + "=" +
                              std::string(257, 'v') + "}' at 'tags' failed to satisfy constraint: Map keys must " +
                              key_lengths + "; Value '{" + std::string(129, 'k') + "=" + std::string(257, 'v') +
                              "}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: "
                              "[Member must have length less than or equal to 256, "
                              "Member must have length greater than or equal to 0]"));
}

TEST(KinesisSettings, TagsHaveAllowedCharacters) {
  const std::string reserved = invalid_argument_error("Tag keys starting with 'aws:' are reserved for system use.");
  const std::string invalid = invalid_argument_error(
      "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @ "
      ":.");
  const std::pair<std::string_view, std::string> taggers[] = {
      {"CreateStream", with(by_name, R"("ShardCount":1)")},
      {"AddTagsToStream", by_name},
      {"TagResource", resource},
      {"RegisterStreamConsumer", with(by_arn, R"("ConsumerName":"c")")},
  };
  for (const auto& [operation, body] : taggers) {
    EXPECT_EQ(refused(operation, with(body, R"("Tags":{"a":"1","aws:b":"2"})")), reserved);
    EXPECT_EQ(refused(operation, with(body, R"("Tags":{"AWS:":""})")), reserved);
    EXPECT_EQ(refused(operation, with(body, R"("Tags":{"a*":"1"})")), invalid);
    EXPECT_EQ(refused(operation, with(body, R"("Tags":{"a":"1","b":"<"})")), invalid);
    EXPECT_EQ(refused(operation, with(body, R"("Tags":{"a":"\u0001"})")), invalid);
    EXPECT_TRUE(refused(operation, with(body, R"("Tags":{"aws":"aws:","a:aws:":"1"})")).starts_with("accepted: "));
  }
}

TEST(KinesisSettings, APolicyIsAJsonObject) {
  const auto put = [](const std::string& policy) {
    return refused("PutResourcePolicy", with(resource, R"("Policy":")" + policy + "\""));
  };
  const std::string invalid = invalid_argument_error("The resource policy is not valid JSON.");
  for (const char* policy : {"", " ", "{", "{}}", "[]", "null", "3", "Allow", R"({\"a\":})", R"({'a':1})"}) {
    EXPECT_EQ(put(policy), invalid) << policy;
  }
  const auto sized = [](std::size_t bytes) { return "{" + std::string(bytes - 2, ' ') + "}"; };
  EXPECT_TRUE(put(sized(kinesis_limits::policy_bytes_max)).starts_with("accepted: "));
  EXPECT_EQ(put(sized(kinesis_limits::policy_bytes_max + 1)),
            invalid_argument_error("The resource policy is larger than 20480 bytes."));
}

TEST(KinesisSettings, EncryptionIsByKms) {
  for (const std::string_view operation : {"StartStreamEncryption", "StopStreamEncryption"}) {
    EXPECT_EQ(refused(operation, with(by_name, R"("EncryptionType":"NONE","KeyId":"k")")),
              invalid_argument_error("EncryptionType NONE is not valid for this operation."));
  }
}

TEST(KinesisSettings, AStreamIsNamed) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"DeleteStream", R"("EnforceConsumerDeletion":true)"},
      {"AddTagsToStream", R"("Tags":{"a":"1"})"},
      {"RemoveTagsFromStream", R"("TagKeys":["a"])"},
      {"ListTagsForStream", R"("Limit":1)"},
      {"IncreaseStreamRetentionPeriod", R"("RetentionPeriodHours":48)"},
      {"DecreaseStreamRetentionPeriod", R"("RetentionPeriodHours":48)"},
      {"StartStreamEncryption", R"("EncryptionType":"KMS","KeyId":"k")"},
      {"StopStreamEncryption", R"("EncryptionType":"KMS","KeyId":"k")"},
      {"EnableEnhancedMonitoring", R"("ShardLevelMetrics":["ALL"])"},
      {"DisableEnhancedMonitoring", R"("ShardLevelMetrics":["ALL"])"},
      {"SplitShard", R"("ShardToSplit":"a","NewStartingHashKey":"1")"},
      {"MergeShards", R"("ShardToMerge":"a","AdjacentShardToMerge":"b")"},
      {"UpdateShardCount", R"("TargetShardCount":1,"ScalingType":"UNIFORM_SCALING")"},
      {"UpdateStreamWarmThroughput", R"("WarmThroughputMiBps":1)"},
      {"UpdateMaxRecordSize", R"("MaxRecordSizeInKiB":2048)"},
  };
  for (const auto& [operation, members] : cases) {
    EXPECT_EQ(refused(operation, "{" + std::string(members) + "}"),
              invalid_argument_error("Either StreamName or StreamARN must be provided."))
        << operation;
    EXPECT_EQ(refused(operation, with(R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/a/b"})", members)),
              invalid_argument_error("StreamARN arn:aws:kinesis:us-east-1:000000000000:stream/a/b is not valid."))
        << operation;
    if (operation == "UpdateMaxRecordSize") continue;
    EXPECT_EQ(refused(operation, with(R"({"StreamARN":"$ARN","StreamName":"t"})", members)),
              invalid_argument_error(with_names("StreamARN $ARN and StreamName t do not name the same stream.")))
        << operation;
  }
}

TEST(KinesisSettings, AResourceIsAStreamOrAConsumer) {
  const std::string invalid = "arn:aws:kinesis:us-east-1:000000000000:stream/a/b";
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"TagResource", R"("Tags":{"a":"1"})"},
      {"UntagResource", R"("TagKeys":["a"])"},
      {"ListTagsForResource", ""},
      {"PutResourcePolicy", R"("Policy":"{}")"},
      {"GetResourcePolicy", ""},
      {"DeleteResourcePolicy", ""},
  };
  for (const auto& [operation, members] : cases) {
    const std::string body = R"({"ResourceARN":")" + invalid + "\"}";
    EXPECT_EQ(refused(operation, members.empty() ? body : with(body, members)),
              invalid_argument_error("ResourceARN " + invalid + " is not valid."))
        << operation;
  }
}

TEST(KinesisSettings, ErrorsOfTheEngineKeepTheirTypes) {
  const Request request =
      kinesis_request("StartStreamEncryption", with(by_name, R"("EncryptionType":"KMS","KeyId":"k")"));
  const std::pair<ErrorCode, std::string_view> errors[] = {
      {ErrorCode::KinesisResourceInUse, "ResourceInUseException"},
      {ErrorCode::KinesisLimitExceeded, "LimitExceededException"},
      {ErrorCode::KinesisInvalidArgument, "InvalidArgumentException"},
      {ErrorCode::KinesisValidation, "ValidationException"},
      {ErrorCode::KinesisAccessDenied, "AccessDeniedException"},
      {ErrorCode::KinesisKmsDisabled, "KMSDisabledException"},
      {ErrorCode::KinesisKmsInvalidState, "KMSInvalidStateException"},
      {ErrorCode::KinesisKmsAccessDenied, "KMSAccessDeniedException"},
      {ErrorCode::KinesisKmsNotFound, "KMSNotFoundException"},
      {ErrorCode::KinesisKmsOptInRequired, "KMSOptInRequired"},
      {ErrorCode::KinesisKmsThrottling, "KMSThrottlingException"},
  };
  for (const auto& [code, type] : errors) {
    EXPECT_EQ(kinesis_answer(request, Error{code, "Why."}), kinesis_error(type, "Why."));
  }
}

TEST(KinesisSettings, WrongTypesAreOfNoOperation) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"CreateStream", R"({"StreamName":"s","ShardCount":"two"})"},
      {"AddTagsToStream", R"({"StreamName":"s","Tags":["a"]})"},
      {"RemoveTagsFromStream", R"({"StreamName":"s","TagKeys":{"a":"1"}})"},
      {"UpdateStreamMode", R"({"StreamARN":"$ARN","StreamModeDetails":"ON_DEMAND"})"},
      {"DeleteStream", R"({"StreamName":"s","EnforceConsumerDeletion":1})"},
  };
  for (const auto& [operation, body] : cases) {
    for (const Codec codec : {Codec::json, Codec::cbor}) {
      EXPECT_TRUE(kinesis_refusal(kinesis_request(operation, body, codec))
                      .starts_with(R"(400 {"__type":"SerializationException")"))
          << operation;
    }
  }
}

}  // namespace

std::vector<KinesisCase> kinesis_settings_cases() {
  std::vector<KinesisCase> all;
  for (const auto& cases :
       {stream_cases(), tag_cases(), policy_cases(), setting_cases(), shard_cases(), account_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

}  // namespace penstock::protocol::testing
