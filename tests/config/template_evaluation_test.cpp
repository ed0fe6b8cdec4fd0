// What a template says as a whole, and what its functions, parameters and names come to.
#include <gmock/gmock.h>

#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/template_support.hpp"

namespace penstock::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// ---- The whole

constexpr const char* whole = R"(AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Description: Orders.
Metadata: {AWS::CloudFormation::Interface: {}}
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, live]}
  Shards: {Type: Number, Default: 2, MinValue: 1, MaxValue: 8}
Mappings:
  ByStage: {dev: {Timeout: 5}, live: {Timeout: 30}}
Conditions:
  IsLive: !Equals [!Ref Stage, live]
  IsDev: !Not [!Condition IsLive]
Globals:
  Function:
    Runtime: python3.11
    Timeout: !FindInMap [ByStage, !Ref Stage, Timeout]
    Environment: {Variables: {STAGE: !Ref Stage, WHO: all}}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Metadata: {a: b}
    Properties:
      QueueName: !Sub orders-${Stage}
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: "3"}
      Tags: [{Key: team, Value: shop}]
  Dead: {Type: AWS::SQS::Queue}
  Line: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: "true"}}
  Plain: {Type: AWS::SQS::Queue, Properties: {FifoQueue: false}}
  LiveOnly: {Type: AWS::SQS::Queue, Condition: IsLive}
  DevOnly: {Type: AWS::SQS::Queue, Condition: IsDev, DependsOn: Orders}
  Policy:
    Type: AWS::SQS::QueuePolicy
    DependsOn: [Orders, Dead]
    Properties:
      Queues: [!Ref Orders, !GetAtt Dead.QueueUrl]
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: "*", Action: sqs:SendMessage, Resource: !GetAtt Orders.Arn}]
  Sales:
    Type: AWS::Kinesis::Stream
    Properties:
      Name: sales
      ShardCount: !Ref Shards
      RetentionPeriodHours: 48
      DesiredShardLevelMetrics: [IncomingBytes]
      StreamEncryption: {EncryptionType: KMS, KeyId: alias/one}
      Tags: [{Key: team, Value: shop}]
  Clicks: {Type: AWS::Kinesis::Stream, Properties: {StreamModeDetails: {StreamMode: ON_DEMAND}}}
  FanOut:
    Type: AWS::Kinesis::StreamConsumer
    Properties: {ConsumerName: fan-out, StreamARN: !GetAtt Sales.Arn}
  Take:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: take
      Handler: index.handler
      InlineCode: "def handler(event, context): pass"
      MemorySize: 256
      Architectures: [arm64]
      Role: !GetAtt TakeRole.Arn
      Policies: [SQSPollerPolicy: {QueueName: !ImportValue x}]
      ReservedConcurrentExecutions: 5
      Tracing: Active
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
      Environment: {Variables: {QUEUE: !Ref Orders, WHO: take}}
      Tags: {team: shop}
      Events:
        Orders:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            BatchSize: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"body":{"kind":["order"]}}'}]}
            ScalingConfig: {MaximumConcurrency: 4}
        Sales:
          Type: Kinesis
          Properties:
            Stream: !GetAtt FanOut.ConsumerARN
            StartingPosition: TRIM_HORIZON
            MaximumRetryAttempts: 3
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
        Web: {Type: Api, Properties: {Path: /, Method: get}}
  Add:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs18.x
      Handler: index.handler
      Code: {ZipFile: !Sub "exports.handler = async () => '${Stage}'"}
      Role: !Sub arn:aws:iam::${AWS::AccountId}:role/any
      DeadLetterConfig: {TargetArn: !GetAtt Dead.Arn}
      EphemeralStorage: {Size: 1024}
      Tags: [{Key: team, Value: mill}]
      VpcConfig: {SubnetIds: [!Ref Nowhere]}
  AddSales:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Sales.Arn
      FunctionName: !GetAtt Add.Arn
      StartingPosition: LATEST
      BatchSize: "100"
      Enabled: "false"
      Tags: [{Key: a, Value: b}]
  Bucket: {Type: AWS::S3::Bucket}
Outputs:
  Url: {Value: !GetAtt Unknown.Url}
)";

TEST(Template, IsReadAsTheSetupThatAPenstockYamlWouldBe) {
  const Read all = read(whole);
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_THAT(all.notes,
              ElementsAre("t.yaml:89:9: events of the type Api are not offered here: the event 'Web' of 'Take' "
                          "is skipped",
                          "t.yaml:100:7: 'VpcConfig' of 'Add' is not offered here, and has no effect",
                          "t.yaml:110:3: AWS::S3::Bucket is not offered here: 'Bucket' is skipped"));
  const auto& setup = all.setup;
  EXPECT_TRUE(setup.settings.empty());
  EXPECT_TRUE(setup.consumers.empty());

  EXPECT_EQ(names_of(setup.queues), "orders-dev Dead Line.fifo Plain DevOnly");
  EXPECT_EQ(
      to_json(setup.queues[0].members),
      R"({"VisibilityTimeout":60,"RedrivePolicy":{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:Dead",)"
      R"("maxReceiveCount":"3"},"Tags":{"team":"shop"},"Policy":{"Version":"2012-10-17","Statement":[{"Effect":)"
      R"("Allow","Principal":"*","Action":"sqs:SendMessage","Resource":)"
      R"("arn:aws:sqs:eu-west-1:123456789012:orders-dev"}]}})");
  EXPECT_EQ(setup.queues[0].at, (Position{19, 3}));
  EXPECT_EQ(to_json(setup.queues[2].members), R"({"ContentBasedDeduplication":"true","FifoQueue":true})");
  EXPECT_EQ(to_json(setup.queues[3].members), "{}");

  EXPECT_EQ(names_of(setup.streams), "sales Clicks");
  EXPECT_EQ(to_json(setup.streams[0].members),
            R"({"ShardCount":2,"RetentionPeriodHours":48,"ShardLevelMetrics":["IncomingBytes"],"StreamEncryption":)"
            R"({"EncryptionType":"KMS","KeyId":"alias/one"},"Tags":{"team":"shop"},"Consumers":["fan-out"]})");

  EXPECT_EQ(names_of(setup.functions), "take Add");
  EXPECT_EQ(to_json(setup.functions[0].members),
            R"({"Runtime":"python3.11","Timeout":5,"Environment":{"Variables":{"STAGE":"dev","WHO":"take","QUEUE":)"
            R"("http://127.0.0.1:4566/123456789012/orders-dev"}},"Handler":"index.handler","MemorySize":256,)"
            R"("Architectures":["arm64"],"Role":"arn:aws:iam::123456789012:role/TakeRole",)"
            R"("ReservedConcurrentExecutions":5,"TracingConfig":{"Mode":"Active"},"DeadLetterConfig":{"TargetArn":)"
            R"("arn:aws:sqs:eu-west-1:123456789012:Dead"},"InlineCode":"def handler(event, context): pass",)"
            R"("Tags":{"team":"shop"},"EventInvokeConfig":{"MaximumRetryAttempts":1,"DestinationConfig":{"OnFailure":)"
            R"({"Destination":"arn:aws:sqs:eu-west-1:123456789012:Dead"}}}})");
  EXPECT_EQ(to_json(setup.functions[1].members),
            R"({"Runtime":"nodejs18.x","Handler":"index.handler","Role":"arn:aws:iam::123456789012:role/any",)"
            R"("DeadLetterConfig":{"TargetArn":"arn:aws:sqs:eu-west-1:123456789012:Dead"},"EphemeralStorage":)"
            R"({"Size":1024},"InlineCode":"exports.handler = async () => 'dev'","Tags":{"team":"mill"}})");

  EXPECT_EQ(mappings_of(setup), "queue:orders-dev take; stream:sales/fan-out take; stream:sales Add");
  EXPECT_EQ(to_json(setup.mappings[0].members),
            R"({"EventSource":"queue:orders-dev","BatchSize":5,"FunctionResponseTypes":["ReportBatchItemFailures"],)"
            R"("FilterCriteria":{"Filters":[{"Pattern":"{\"body\":{\"kind\":[\"order\"]}}"}]},"ScalingConfig":)"
            R"({"MaximumConcurrency":4},"FunctionName":"take"})");
  EXPECT_EQ(to_json(setup.mappings[1].members),
            R"({"EventSource":"stream:sales/fan-out","StartingPosition":"TRIM_HORIZON","MaximumRetryAttempts":3,)"
            R"("FunctionName":"take","DestinationConfig":{"OnFailure":{"Destination":)"
            R"("arn:aws:sqs:eu-west-1:123456789012:Dead"}}})");
  EXPECT_EQ(to_json(setup.mappings[2].members),
            R"({"EventSource":"stream:sales","StartingPosition":"LATEST","BatchSize":100,"Enabled":false,)"
            R"("FunctionName":"Add","Tags":{"a":"b"}})");
}

TEST(Template, ParametersChangeIt) {
  const Read all = read(whole, {{"Stage", "live"}, {"Shards", "4"}});
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_EQ(names_of(all.setup.queues), "orders-live Dead Line.fifo Plain LiveOnly");
  EXPECT_EQ(all.setup.streams[0].members.text_of("ShardCount"), "4");
  EXPECT_EQ(all.setup.functions[0].members.text_of("Timeout"), "30");
}

TEST(Template, JsonIsUnderstoodWithTheLongForms) {
  const Read all = read(
      "{\n\t\"AWSTemplateFormatVersion\": \"2010-09-09\",\n\t\"Resources\": {\n\t\t\"Q\": {\n"
      "\t\t\t\"Type\": \"AWS::SQS::Queue\",\n\t\t\t\"Properties\": {\n"
      "\t\t\t\t\"QueueName\": {\"Fn::Join\": [\"-\", [{\"Ref\": \"AWS::StackName\"}, \"a\"]]},\n"
      "\t\t\t\t\"DelaySeconds\": 901,\n\t\t\t\t\"Tags\": [{\"Key\": \"a\\/b\", \"Value\": "
      "\"\\ud83d\\ude00 \\\\ud83d\"}]\n\t\t\t}\n\t\t}\n\t}\n}\n");
  EXPECT_EQ(names_of(all.setup.queues), "penstock-a");
  EXPECT_EQ(to_json(*all.setup.queues[0].members.find("Tags")), "{\"a/b\":\"\xf0\x9f\x98\x80 \\\\ud83d\"}");
  EXPECT_THAT(all.problems, ElementsAre(AllOf(StartsWith("t.yaml:8:21: "), HasSubstr("DelaySeconds")),
                                        AllOf(StartsWith("t.yaml:9:13: "), HasSubstr("Tag values"))));
}

TEST(Template, IsToldFromAPenstockYamlByItsSections) {
  const auto is_one = [](const char* text) {
    Problems problems("f");
    return is_template(*read_yaml(text, problems));
  };
  EXPECT_TRUE(is_one("Resources: {}"));
  EXPECT_TRUE(is_one("AWSTemplateFormatVersion: 2010-09-09"));
  EXPECT_TRUE(is_one("Transform: AWS::Serverless-2016-10-31"));
  EXPECT_FALSE(is_one("queues: {}"));
  EXPECT_FALSE(is_one("- a"));
  EXPECT_FALSE(is_one(""));
}

TEST(Template, SectionsAndAttributesThatThereAreNotAreTold) {
  EXPECT_THAT(problems_of("Resources: {}\nParameter: {}\n"),
              ElementsAre("t.yaml:2:1: there is no 'Parameter'; 'Parameters' is meant, perhaps"));
  EXPECT_THAT(problems_of("AWSTemplateFormatVersion: 2010-09-09\n"),
              ElementsAre("t.yaml:1:1: the template has no Resources"));
  EXPECT_THAT(problems_of("Resources: []\nGlobals: {Functions: {}}\n"),
              ElementsAre("t.yaml:1:12: 'Resources' has to be a map",
                          "t.yaml:2:11: there is no 'Functions'; 'Function' is meant, perhaps"));
  EXPECT_THAT(problems_of("Resources:\n  A: {Propertys: {}}\n  Jobs: x\n  C: {Type: AWS::SQS::Queue, Property: {}}\n"
                          "  D: {Type: AWS::SQS::Queue, DependsOn: [A, Job, E]}\n  Fn::ForEach::X: []\n"),
              ElementsAre(StartsWith("t.yaml:2:3: the resource 'A' has no Type"),
                          "t.yaml:2:7: there is no 'Propertys'; 'Properties' is meant, perhaps",
                          "t.yaml:3:9: the resource 'Jobs' has to be a map",
                          StartsWith("t.yaml:4:30: there is no 'Property' here, but "),
                          "t.yaml:5:45: there is no resource 'Job'; 'Jobs' is meant, perhaps",
                          "t.yaml:5:50: there is no resource 'E'",
                          "t.yaml:6:3: which resources Fn::ForEach makes cannot be known here"));
  EXPECT_THAT(read("Resources: {}\nTransform: [AWS::Serverless-2016-10-31, {Name: Mine}]\n").notes,
              ElementsAre("t.yaml:2:41: the macro 'Mine' is not run here"));
}

// Whatever a template is damaged to, it is read or refused with a place, and never more than that.
TEST(Template, DamageIsRefusedOrRead) {
  std::mt19937 random(20'260'102);
  const std::string text = whole;
  constexpr std::string_view alphabet = "{}[]:,&*!|>'\"%@`#-?\n\t $.<\\~0aZ\x80";
  for (int round = 0; round < 3'000; ++round) {
    std::string damaged = text;
    for (int damage = std::uniform_int_distribution<>(1, 6)(random); damage > 0; --damage) {
      const std::size_t at = std::uniform_int_distribution<std::size_t>(0, damaged.size() - 1)(random);
      switch (random() % 4) {
        case 0:
          damaged[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          damaged.erase(at, 1 + random() % 5);
          break;
        case 2: {
          // A line that stands elsewhere too.
          const std::size_t begin = damaged.rfind('\n', at) + 1;
          const std::size_t end = damaged.find('\n', at);
          damaged.insert(begin, damaged.substr(begin, end - begin) + "\n");
          break;
        }
        default:
          damaged.insert(at, 1, alphabet[random() % alphabet.size()]);
      }
    }
    Problems problems("t.yaml");
    const auto document = read_yaml(damaged, problems);
    if (document) {
      const auto setup = read_template(*document, {here.account, here.region, "http://h", {}}, problems);
      check_setup(setup, here, problems);
    }
    for (const std::string& line : problems.lines()) EXPECT_THAT(line, StartsWith("t.yaml:")) << damaged;
  }
}

// ---- Functions

TEST(Template, RefNamesParametersAndResources) {
  EXPECT_EQ(evaluated("!Ref Q"), R"("http://127.0.0.1:4566/123456789012/Q")");
  EXPECT_EQ(evaluated("{Ref: S}"), R"("S")");
  EXPECT_EQ(evaluated("!Ref P", "Parameters: {P: {Type: String, Default: x}}"), R"("x")");
  EXPECT_EQ(evaluated("!Ref AWS::Region"), R"("eu-west-1")");
  EXPECT_EQ(evaluated("!Ref AWS::AccountId"), R"("123456789012")");
  EXPECT_EQ(evaluated("!Ref AWS::Partition"), R"("aws")");
  EXPECT_EQ(evaluated("!Ref AWS::StackName"), R"("penstock")");
  EXPECT_EQ(evaluated("!Ref AWS::StackName", "", {{"AWS::StackName", "shop"}}), R"("shop")");
  EXPECT_EQ(evaluated("!Ref AWS::URLSuffix"), R"("amazonaws.com")");
  EXPECT_EQ(evaluated("!Ref AWS::NoValue"), "nothing");
  EXPECT_EQ(evaluated("!Ref Stag", "Parameters: {Stage: {Type: String, Default: x}}"),
            "+0: there is no parameter or resource 'Stag'; 'Stage' is meant, perhaps");
  EXPECT_EQ(evaluated("!Ref Elsewhere"), "+0: there is no parameter or resource 'Elsewhere'");
  EXPECT_EQ(evaluated("!Ref [Q]"), "+0: Ref takes the name of a parameter or a resource");
}

TEST(Template, GetAttKnowsWhatTheServiceKnows) {
  EXPECT_EQ(evaluated("!GetAtt Q.Arn"), R"("arn:aws:sqs:eu-west-1:123456789012:Q")");
  EXPECT_EQ(evaluated("!GetAtt Q.QueueName"), R"("Q")");
  EXPECT_EQ(evaluated("!GetAtt [Q, QueueUrl]"), R"("http://127.0.0.1:4566/123456789012/Q")");
  EXPECT_EQ(evaluated("{Fn::GetAtt: [S, !Ref P]}", "Parameters: {P: {Type: String, Default: Arn}}"),
            R"("arn:aws:kinesis:eu-west-1:123456789012:stream/S")");
  EXPECT_EQ(evaluated("!GetAtt F.Arn"), R"("arn:aws:lambda:eu-west-1:123456789012:function:F")");
  EXPECT_EQ(evaluated("!GetAtt Q.Colour"),
            "+0: what Fn::GetAtt of 'Q' gives (Colour of AWS::SQS::Queue) cannot be known here");
  EXPECT_EQ(evaluated("!GetAtt Q"), "+0: Fn::GetAtt takes a resource and an attribute");
  EXPECT_EQ(evaluated("!GetAtt X.Arn"), "+0: there is no parameter or resource 'X'");
}

TEST(Template, WhatIsNotHereIsToldByItsName) {
  const std::string others =
      "Conditions: {Never: !Equals [a, b]}\n"
      "Mappings: {}\n";
  const auto of = [&](const std::string& type, const std::string& value) {
    const Read all = read("Resources:\n  T: " + type +
                          "\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: python3.11\n      "
                          "Handler: a.b\n      Code: {ZipFile: x}\n      Environment: {Variables: {VALUE: " +
                          value + "}}\n" + others);
    if (!all.problems.empty()) return all.problems.front();
    return all.setup.functions.front().members.find("Environment")->find("Variables")->text_of("VALUE");
  };
  EXPECT_EQ(of("{Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub 't-${AWS::Region}'}}", "!Ref T"),
            "t-eu-west-1");
  EXPECT_EQ(of("{Type: AWS::DynamoDB::Table}", "!GetAtt T.Arn"), "arn:aws:dynamodb:eu-west-1:123456789012:table/T");
  EXPECT_EQ(of("{Type: AWS::SNS::Topic}", "!Ref T"), "arn:aws:sns:eu-west-1:123456789012:T");
  EXPECT_EQ(of("{Type: AWS::S3::Bucket}", "!Sub 's3://${T}/x'"), "s3://T/x");
  EXPECT_EQ(of("{Type: AWS::IAM::Role}", "!GetAtt T.Arn"), "arn:aws:iam::123456789012:role/T");
  EXPECT_EQ(of("{Type: AWS::DynamoDB::Table}", "!GetAtt T.StreamArn"),
            "t.yaml:9:40: what Fn::GetAtt of 'T' gives (StreamArn of AWS::DynamoDB::Table) cannot be known here");
  EXPECT_EQ(of("{Type: AWS::EC2::Subnet}", "!Ref T"),
            "t.yaml:9:40: what Ref of 'T' gives (AWS::EC2::Subnet) cannot be known here");
  EXPECT_EQ(of("{Type: AWS::SQS::Queue, Condition: Never}", "!Ref T"),
            "t.yaml:9:40: there is no 'T', since its condition 'Never' does not hold");
}

TEST(Template, SubPutsValuesInATextInBothForms) {
  EXPECT_EQ(evaluated("!Sub '${AWS::Region}/${Q.QueueName}/${S}/${!Literal}/${'"), R"("eu-west-1/Q/S/${Literal}/${")");
  EXPECT_EQ(evaluated("!Sub ['${a}-${S}', {a: !Join ['', [x, y]]}]"), R"("xy-S")");
  EXPECT_EQ(evaluated("!Sub '${Nobody}'"), "+0: there is no parameter or resource 'Nobody'");
  EXPECT_EQ(evaluated("!Sub '${Q.Colour}'"),
            "+0: what Fn::GetAtt of 'Q' gives (Colour of AWS::SQS::Queue) cannot be known here");
  EXPECT_EQ(evaluated("!Sub ['${a}', {a: [1]}]"), "+0: 'a' is no text, as Fn::Sub needs it");
  EXPECT_EQ(evaluated("!Sub [x]"), "+0: Fn::Sub takes a list of 2");
  EXPECT_EQ(evaluated("!Sub {a: b}"), "+0: Fn::Sub takes a text");
  EXPECT_EQ(evaluated("!Sub [x, y]"), "+9: Fn::Sub takes a map of its variables");
}

TEST(Template, ListsAreJoinedSplitAndSelectedFrom) {
  EXPECT_EQ(evaluated("!Join [':', [a, !Ref S, !Ref AWS::NoValue, 3]]"), R"("a:S:3")");
  EXPECT_EQ(evaluated("!Join [',', !Ref L]", "Parameters: {L: {Type: CommaDelimitedList, Default: 'a, b'}}"),
            R"("a,b")");
  EXPECT_EQ(evaluated("!Join [',', !Ref L]", "Parameters: {L: {Type: List<Number>, Default: '1,2'}}"), R"("1,2")");
  EXPECT_EQ(evaluated("!Select [1, !Split ['/', !Ref Q]]"), R"("")");
  EXPECT_EQ(evaluated("!Select ['4', !Split ['/', !Ref Q]]"), R"("Q")");
  EXPECT_EQ(evaluated("!Select [2, [a, b]]"),
            "+9: Fn::Select takes a number from 0 to below 2, which the list has, not '2'");
  EXPECT_EQ(evaluated("!Select [x, [a, b]]"),
            "+9: Fn::Select takes a number from 0 to below 2, which the list has, not 'x'");
  EXPECT_EQ(evaluated("!Select [0, a]"), "+12: Fn::Select takes a list here");
  EXPECT_EQ(evaluated("!Join [',', a]"), "+12: Fn::Join takes a list here");
  EXPECT_EQ(evaluated("!Join [',', [[a]]]"), "+13: Fn::Join takes a list of texts");
  EXPECT_EQ(evaluated("!Join [[], [a]]"), "+7: Fn::Join takes a text here");
  EXPECT_EQ(evaluated("!Join [a]"), "+0: Fn::Join takes a list of 2");
  EXPECT_EQ(evaluated("!Split ['', a]"), "+8: Fn::Split takes what stands between the parts");
  EXPECT_EQ(evaluated("!Join ['', [!Ref AWS::NoValue]]"), R"("")");
  EXPECT_EQ(evaluated("!Join [!Ref AWS::NoValue, [a]]"), "+7: AWS::NoValue cannot stand here");
}

TEST(Template, ConditionsDecide) {
  const std::string conditions =
      "Parameters: {P: {Type: String, Default: live}}\n"
      "Conditions:\n  Live: !Equals [!Ref P, live]\n  Dev: !Not [!Condition Live]\n"
      "  Both: !And [!Condition Live, Condition: Dev]\n  Any: !Or [!Condition Dev, !Equals [1, '1']]\n";
  const auto of = [&](const char* condition) {
    return evaluated("!If [" + std::string(condition) + ", 'yes', !Ref AWS::NoValue]", conditions);
  };
  EXPECT_EQ(of("Live"), R"("yes")");
  EXPECT_EQ(of("Dev"), "nothing");
  EXPECT_EQ(of("Both"), "nothing");
  EXPECT_EQ(of("Any"), R"("yes")");
  EXPECT_EQ(of("Nobody"), "+5: there is no condition 'Nobody'");
  // Only what is chosen is looked at.
  EXPECT_EQ(evaluated("!If [Live, a, !ImportValue b]", conditions), R"("a")");
  EXPECT_EQ(evaluated("!If [Live, a]", conditions), "+0: Fn::If takes a list of 3");
  EXPECT_EQ(evaluated("!If [[], a, b]", conditions), "+5: Fn::If takes the name of a condition");
  EXPECT_EQ(evaluated("!Equals [a, b]"), "+0: Fn::Equals can stand only in Conditions");
}

TEST(Template, WhatIsWrongWithAConditionIsToldWhetherItIsNeededOrNot) {
  const auto of = [](const std::string& conditions) {
    return problems_of("Resources: {Q: {Type: AWS::SQS::Queue}}\nConditions:\n" + conditions);
  };
  EXPECT_THAT(of("  A: !Equals [a]\n"), ElementsAre("t.yaml:3:6: Fn::Equals takes a list of 2"));
  EXPECT_THAT(of("  A: true\n"),
              ElementsAre("t.yaml:3:6: a condition is Fn::And, Fn::Equals, Fn::Not, Fn::Or or Condition"));
  EXPECT_THAT(of("  A: !Not [!Condition B]\n  B: !Not [!Condition A]\n"),
              ElementsAre("t.yaml:4:12: the condition 'A' depends on itself"));
  EXPECT_THAT(of("  A: !Equals [!Ref Q, b]\n"),
              ElementsAre("t.yaml:3:15: there is no parameter 'Q', and conditions know of nothing else"));
  EXPECT_THAT(of("  A: !And [!Equals [a, b]]\n"), ElementsAre("t.yaml:3:6: Fn::And takes a list of 2 to 10"));
  EXPECT_THAT(of("  A: !Condition B\n"), ElementsAre("t.yaml:3:6: there is no condition 'B'"));
  EXPECT_THAT(of("  A: !Equals [!ImportValue x, b]\n"),
              ElementsAre("t.yaml:3:15: what Fn::ImportValue gives cannot be known here"));
  std::string many = "  C0: !Equals [a, a]\n";
  for (int i = 1; i < 200; ++i)
    many.insert(0, "  C" + std::to_string(i) + ": !Condition C" + std::to_string(i - 1) + "\n");
  EXPECT_THAT(of(many).front(), HasSubstr("more than 64 conditions stand for each other"));
}

TEST(Template, MappingsAreLookedUp) {
  const std::string sections = "Mappings: {M: {eu-west-1: {a: 1, l: [x, y]}}}\n";
  EXPECT_EQ(evaluated("!FindInMap [M, !Ref AWS::Region, a]", sections), "1");
  EXPECT_EQ(evaluated("!Select [1, !FindInMap [M, !Ref AWS::Region, l]]", sections), R"("y")");
  EXPECT_EQ(evaluated("!FindInMap [M, us-east-1, a]", sections),
            "+15: Mappings have no 'M.us-east-1', which Fn::FindInMap asks for");
  EXPECT_EQ(evaluated("!FindInMap [N, a, a]"), "+12: Mappings have no 'N', which Fn::FindInMap asks for");
  EXPECT_EQ(evaluated("!FindInMap [M, a]", sections), "+0: Fn::FindInMap takes a list of 3");
}

TEST(Template, Base64IsMade) {
  EXPECT_EQ(evaluated("!Base64 hello"), R"("aGVsbG8=")");
  EXPECT_EQ(evaluated("{Fn::Base64: !Sub '${S}'}"), R"("Uw==")");
}

TEST(Template, WhatOnlyTheServiceKnowsIsAnErrorThatNamesTheFunction) {
  for (const char* name : {"ImportValue", "GetAZs", "Cidr", "Transform", "Length", "ToJsonString"}) {
    EXPECT_EQ(evaluated("!" + std::string(name) + " x"),
              "+0: what Fn::" + std::string(name) + " gives cannot be known here");
  }
  EXPECT_EQ(evaluated("!Join ['', [a, !ImportValue x]]"), "+15: what Fn::ImportValue gives cannot be known here");
  EXPECT_EQ(evaluated("!Sub ['${a}', {a: !ImportValue x}]"), "+18: what Fn::ImportValue gives cannot be known here");
  EXPECT_EQ(evaluated("'{{resolve:ssm:a}}'"), "+0: what {{resolve:ssm:a}} refers to cannot be known here");
  EXPECT_EQ(evaluated("!Subs x"), "+0: there is no 'Fn::Subs'; 'Fn::Sub' is meant, perhaps");
  EXPECT_EQ(evaluated("{Fn::Sub: x, b: c}"), "+1: Fn::Sub stands beside other members");
}

// ---- Parameters

TEST(Template, ParametersNeedValuesThatTheyAllow) {
  const auto of = [](const std::string& parameter, std::vector<GivenParameter> given = {}) {
    const auto problems = problems_of("Resources: {}\nParameters:\n  P: " + parameter + "\n", std::move(given));
    return problems.empty() ? "" : problems.front();
  };
  EXPECT_EQ(of("{Type: String}"),
            "t.yaml:3:3: the parameter 'P' has no value and no Default; give it one with --parameter P=VALUE");
  EXPECT_EQ(of("{Type: String}", {{"P", "x"}}), "");
  EXPECT_EQ(of("{Default: x}"), "t.yaml:3:3: the parameter 'P' has no Type");
  EXPECT_EQ(of("{Type: String, Default: []}"), "t.yaml:3:30: the Default of a parameter has to be a text");
  EXPECT_EQ(of("{Type: String, Defaults: x}"),
            "t.yaml:3:3: the parameter 'P' has no value and no Default; give it one with "
            "--parameter P=VALUE");
  EXPECT_EQ(of("{Type: String, Default: x, Defaults: x}"),
            "t.yaml:3:33: there is no 'Defaults'; 'Default' is meant, perhaps");
  EXPECT_EQ(of("x"), "t.yaml:3:6: the parameter 'P' has to be a map");
  EXPECT_EQ(of("{Type: Number, Default: x}"), "t.yaml:3:30: the parameter 'P' is a number, not 'x'");
  EXPECT_EQ(of("{Type: String, Default: c, AllowedValues: [a, b]}"),
            "t.yaml:3:30: the parameter 'P' is a or b, not 'c'");
  EXPECT_EQ(of("{Type: String, Default: a, AllowedValues: [a, b]}", {{"P", "c"}}),
            "t.yaml:3:3: the parameter 'P' is a or b, not 'c'");
  EXPECT_EQ(of("{Type: String, Default: abc, MaxLength: 2, ConstraintDescription: short}"),
            "t.yaml:3:30: the parameter 'P' has at most 2 characters, not 'abc' (short)");
  EXPECT_EQ(of("{Type: String, Default: a, MinLength: '2'}"),
            "t.yaml:3:30: the parameter 'P' has at least 2 characters, not 'a'");
  EXPECT_EQ(of("{Type: Number, Default: 9, MaxValue: 8}"), "t.yaml:3:30: the parameter 'P' is at most 8, not '9'");
  EXPECT_EQ(of("{Type: Number, Default: 0, MinValue: 1}"), "t.yaml:3:30: the parameter 'P' is at least 1, not '0'");
  EXPECT_EQ(of("{Type: String, Default: aB, AllowedPattern: '[a-z]+'}"),
            "t.yaml:3:30: the parameter 'P' has to match [a-z]+, not 'aB'");
  EXPECT_EQ(of("{Type: String, Default: '" + std::string(5'000, 'a') + "'}"),
            "t.yaml:3:30: the parameter 'P' has more than 4096 bytes");
  EXPECT_EQ(of("{Type: String, Default: x, NoEcho: true}", {{"Q", "x"}}),
            "t.yaml: of the template's parameters there is no 'Q' here, but P");
  EXPECT_EQ(of("{Type: String, Default: x}", {{"AWS::Region", "x"}}),
            "t.yaml: of the parameters of the service only AWS::StackName can be given, not 'AWS::Region'");
  EXPECT_THAT(problems_of("Resources: {}\n", {{"P", "x"}}),
              ElementsAre("t.yaml: the template has no parameter 'P', nor any other"));
  EXPECT_THAT(read("Resources: {}\nParameters: {P: {Type: String, Default: x, AllowedPattern: '(?<a>x)'}}\n").notes,
              ElementsAre("t.yaml:2:60: this AllowedPattern is not understood here, and not looked at"));
}

TEST(Template, WhatIsStoredElsewhereHasToBeGiven) {
  const std::string sections = "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}}\n";
  EXPECT_EQ(evaluated("!Ref P", sections),
            "+0: what is stored as '/a/b' cannot be known here; give it with "
            "--parameter P=VALUE");
  EXPECT_EQ(evaluated("!Ref P", sections, {{"P", "x"}}), R"("x")");
}

TEST(Template, ParametersAreReadFromAFlagAsTheyStand) {
  ParameterWords given;
  for (const char* word : {"A=b,c", "D= e=f"}) {
    std::istringstream in(word);
    in >> given;
    EXPECT_TRUE(in);
  }
  const auto parameters = read_parameters(given);
  ASSERT_EQ(parameters.size(), 2);
  EXPECT_EQ(parameters[0].value, "b,c");
  EXPECT_EQ(parameters[1].value, " e=f");
  EXPECT_THROW(read_parameters({{"A"}}), std::invalid_argument);
  EXPECT_THROW(read_parameters({{"=A"}}), std::invalid_argument);
  EXPECT_THROW(read_parameters({{"A=1", "A=2"}}), std::invalid_argument);
}

// ---- Names

TEST(Template, NamesMayBeMadeOfEachOtherButNotOfThemselves) {
  const std::string queue = ": {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub ";
  EXPECT_EQ(names_of(read("Resources:\n  A" + queue + "'${B.QueueName}-a'}}\n  B" + queue +
                          "'${C.QueueName}-b'}}\n  C" + queue + "'c'}}\n")
                         .setup.queues),
            "c-b-a c-b c");
  EXPECT_THAT(problems_of("Resources:\n  A" + queue + "'${B.QueueName}'}}\n  B" + queue + "'${A.QueueName}'}}\n"),
              ElementsAre("t.yaml:3:54: the name of 'A' depends on itself"));
  std::string many = "Resources:\n";
  for (int i = 0; i < 200; ++i)
    many += "  Q" + std::to_string(i) + queue + "'${Q" + std::to_string(i + 1) + ".QueueName}'}}\n";
  EXPECT_THAT(problems_of(many + "  Q200: {Type: AWS::SQS::Queue}\n").front(),
              HasSubstr("more than 64 names are made of each other"));
  EXPECT_THAT(problems_of("Resources:\n  A" + queue + "x}}\n  B" + queue + "x}}\n"),
              ElementsAre("t.yaml:3:3: there is a queue 'x' before"));
  EXPECT_THAT(problems_of("Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: [a]}}\n"),
              ElementsAre("t.yaml:2:54: the name of 'A' has to be a text"));
  EXPECT_THAT(
      problems_of("Resources:\n  C: {Type: AWS::Kinesis::StreamConsumer, Properties: {ConsumerName: c, StreamARN: "
                  "!GetAtt C.StreamARN}}\n"),
      ElementsAre(HasSubstr("the StreamARN of 'C' depends on itself")));
}

}  // namespace
}  // namespace penstock::config
