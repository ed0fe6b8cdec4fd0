// What becomes of a template's resources, type by type, and the bounds of what they may come to.
#include <gmock/gmock.h>

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

// ---- Resources

std::vector<std::string> problems_in(const std::string& type, const std::string& properties) {
  return problems_of("Resources:\n  X:\n    Type: " + type + "\n    Properties: {" + properties +
                     "}\n  S: {Type: AWS::Kinesis::Stream}\n  Q: {Type: AWS::SQS::Queue}\n");
}

TEST(Template, QueuesArePropertiesThatTheServiceHas) {
  EXPECT_THAT(problems_in("AWS::SQS::Queue", "VisibilityTimout: 1, Policy: {}"),
              ElementsAre("t.yaml:4:18: there is no 'VisibilityTimout'; 'VisibilityTimeout' is meant, perhaps",
                          StartsWith("t.yaml:4:39: there is no 'Policy' here, but ")));
  EXPECT_THAT(problems_in("AWS::SQS::Queue", "VisibilityTimeout: 99999"),
              ElementsAre(AllOf(StartsWith("t.yaml:4:37: "), HasSubstr("VisibilityTimeout"))));
  EXPECT_THAT(problems_in("AWS::SQS::Queue", "FifoQueue: maybe, Tags: [{Key: a}]"),
              ElementsAre("t.yaml:4:29: 'FifoQueue' has to be true or false",
                          "t.yaml:4:43: a tag is a Key and a Value, which are texts"));
  EXPECT_THAT(problems_in("AWS::SQS::Queue", "Tags: [{Key: a, Value: b}, {Key: a, Value: c}], DelaySeconds: {a: b}"),
              ElementsAre("t.yaml:4:51: the tag 'a' is there twice", "t.yaml:4:80: 'DelaySeconds' has to be a text"));
  EXPECT_THAT(problems_of("Resources: {X: {Type: AWS::SQS::Queue, Properties: [a]}}\n"),
              ElementsAre("t.yaml:1:52: the Properties of 'X' have to be a map"));
}

TEST(Template, PoliciesAreOfTheTemplatesQueues) {
  const std::string document = ", PolicyDocument: {Statement: []}";
  EXPECT_THAT(problems_in("AWS::SQS::QueuePolicy", "Queues: ['http://h/1/none']" + document),
              ElementsAre("t.yaml:4:27: 'http://h/1/none' is the URL of none of the template's queues"));
  EXPECT_THAT(problems_in("AWS::SQS::QueuePolicy", "Queues: [!Ref Q, !Ref Q]" + document),
              ElementsAre("t.yaml:4:35: the queue 'Q' has a policy before"));
  EXPECT_THAT(problems_in("AWS::SQS::QueuePolicy", "Queues: !Ref Q" + document),
              ElementsAre("t.yaml:4:26: 'Queues' has to be a list"));
  EXPECT_THAT(problems_in("AWS::SQS::QueuePolicy", "Queues: []"),
              ElementsAre("t.yaml:2:3: the policy 'X' needs PolicyDocument and Queues"));
}

TEST(Template, StreamsAndTheirConsumers) {
  EXPECT_THAT(problems_in("AWS::Kinesis::Stream", "ShardCount: two, Consumers: [a]"),
              ElementsAre("t.yaml:4:30: 'ShardCount' has to be a whole number",
                          StartsWith("t.yaml:4:35: there is no 'Consumers' here, but ")));
  EXPECT_THAT(problems_in("AWS::Kinesis::Stream", "RetentionPeriodHours: '12'"),
              ElementsAre("t.yaml:4:40: RetentionPeriodHours is from 24 to 8760, not 12"));
  EXPECT_THAT(problems_in("AWS::Kinesis::StreamConsumer",
                          "ConsumerName: a, StreamARN: 'arn:aws:kinesis:eu-west-1:123456789012:stream/x'"),
              ElementsAre("t.yaml:4:46: 'arn:aws:kinesis:eu-west-1:123456789012:stream/x' is the ARN of none of the "
                          "template's streams"));
  EXPECT_THAT(problems_in("AWS::Kinesis::StreamConsumer", "ConsumerName: a"),
              ElementsAre("t.yaml:2:3: the consumer 'X' has no StreamARN"));
  EXPECT_THAT(
      problems_of(
          "Resources:\n  S: {Type: AWS::Kinesis::Stream}\n"
          "  A: {Type: AWS::Kinesis::StreamConsumer, Properties: {ConsumerName: a, StreamARN: !GetAtt S.Arn}}\n"
          "  B: {Type: AWS::Kinesis::StreamConsumer, Properties: {ConsumerName: a, StreamARN: !GetAtt S.Arn}}\n"),
      ElementsAre("t.yaml:4:70: the stream 'S' has a consumer 'a' before"));
  EXPECT_EQ(evaluated("!Ref C", "  C: {}\n").substr(0, 7), "t.yaml:");
}

TEST(Template, AConsumersArnIsASourceAndNothingElse) {
  const std::string stream =
      "Resources:\n  S: {Type: AWS::Kinesis::Stream}\n  C: {Type: AWS::Kinesis::StreamConsumer, Properties: "
      "{ConsumerName: c, StreamARN: !GetAtt S.Arn}}\n";
  const Read all =
      read(stream +
           "  M: {Type: AWS::Lambda::EventSourceMapping, Properties: {EventSourceArn: !Ref C, FunctionName: f, "
           "StartingPosition: LATEST}}\n");
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_EQ(mappings_of(all.setup), "stream:S/c f");
  EXPECT_THAT(
      problems_of(stream + "  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt C.ConsumerARN}}\n"),
      ElementsAre("t.yaml:4:54: the ARN of the consumer 'c' is known only once it is registered, and can be nothing "
                  "but the source of a mapping"));
}

TEST(Template, MappingsOfOtherSourcesAreSkipped) {
  const auto notes_of = [](const std::string& properties) {
    const Read all = read(
        "Resources:\n  T: {Type: AWS::DynamoDB::Table}\n  M: {Type: AWS::Lambda::EventSourceMapping, Properties: {" +
        properties + "}}\n");
    EXPECT_THAT(all.problems, IsEmpty());
    EXPECT_TRUE(all.setup.mappings.empty());
    return all.notes.empty() ? "" : all.notes.back();
  };
  EXPECT_EQ(notes_of("EventSourceArn: !GetAtt T.StreamArn, FunctionName: f"),
            "t.yaml:3:75: the source of 'M', 'T', is no queue and no stream: it is skipped");
  EXPECT_EQ(
      notes_of("EventSourceArn: 'arn:aws:kafka:eu-west-1:1:cluster/c', Topics: [a]"),
      "t.yaml:3:75: the source of 'M', arn:aws:kafka:eu-west-1:1:cluster/c, is no queue and no stream: it is skipped");
  EXPECT_EQ(notes_of("SelfManagedEventSource: {}"),
            "t.yaml:3:3: the source of 'M' is no queue and no stream: it is skipped");
}

TEST(Template, MappingsSayWhatIsWrongWithThem) {
  EXPECT_THAT(problems_in("AWS::Lambda::EventSourceMapping", "EventSourceArn: !GetAtt Q.Arn, BatchSise: 1"),
              ElementsAre("t.yaml:2:3: 'X' has no FunctionName",
                          "t.yaml:4:49: there is no 'BatchSise'; 'BatchSize' is meant, perhaps"));
  EXPECT_THAT(
      problems_in("AWS::Lambda::EventSourceMapping", "EventSourceArn: !GetAtt Q.Arn, FunctionName: f, BatchSize: ten"),
      ElementsAre("t.yaml:4:77: 'BatchSize' has to be a whole number"));
  EXPECT_THAT(problems_in("AWS::Lambda::EventSourceMapping",
                          "EventSourceArn: !GetAtt Q.Arn, FunctionName: f, ParallelizationFactor: 2"),
              ElementsAre(AllOf(StartsWith("t.yaml:4:89: "), HasSubstr("is not supported for SQS event sources"))));
  EXPECT_THAT(problems_in("AWS::Lambda::EventSourceMapping", "EventSourceArn: !ImportValue x, FunctionName: f"),
              ElementsAre("t.yaml:4:34: what Fn::ImportValue gives cannot be known here"));
}

TEST(Template, FunctionsSayWhatIsWrongWithThem) {
  const std::string usual = "Runtime: python3.11, Handler: a.b, ";
  EXPECT_THAT(
      problems_in("AWS::Lambda::Function", usual + "Code: {S3Bucket: b, S3Key: k}"),
      ElementsAre(
          "t.yaml:4:60: code in S3 is not offered here: give the path of a directory or a .zip, or the code itself"));
  EXPECT_THAT(
      problems_in("AWS::Lambda::Function", usual + "Code: {ImageUri: b}"),
      ElementsAre(
          "t.yaml:4:60: images are not offered here: give the path of a directory or a .zip, or the code itself"));
  EXPECT_THAT(
      problems_in("AWS::Serverless::Function", usual + "CodeUri: s3://a/b"),
      ElementsAre(
          "t.yaml:4:62: code in S3 is not offered here: give the path of a directory or a .zip, or the code itself"));
  EXPECT_THAT(problems_in("AWS::Serverless::Function", usual + "CodeUri: {Bucket: a, Key: b}"),
              ElementsAre(StartsWith("t.yaml:4:63: code in S3 is not offered here")));
  EXPECT_THAT(problems_in("AWS::Serverless::Function", "PackageType: Image, ImageUri: x"),
              ElementsAre(StartsWith("t.yaml:4:31: images are not offered here")));
  EXPECT_THAT(problems_in("AWS::Serverless::Function", usual),
              ElementsAre("t.yaml:2:3: the function 'X' has no CodeUri and no InlineCode"));
  EXPECT_THAT(problems_in("AWS::Lambda::Function", usual), ElementsAre("t.yaml:2:3: the function 'X' has no Code"));
  EXPECT_THAT(problems_in("AWS::Lambda::Function", usual + "Code: {Zipfile: x}"),
              ElementsAre("t.yaml:4:60: there is no 'Zipfile'; 'ZipFile' is meant, perhaps"));
  EXPECT_THAT(problems_in("AWS::Lambda::Function", usual + "Code: ./missing, Timeout: 901"),
              ElementsAre("t.yaml:4:59: /nowhere/at/all/missing is neither a directory nor a .zip",
                          AllOf(StartsWith("t.yaml:4:79: "), HasSubstr("imeout"))));
  EXPECT_THAT(problems_in("AWS::Lambda::Function", usual + "Code: {ZipFile: x}, Timeout: 901"),
              ElementsAre(AllOf(StartsWith("t.yaml:4:82: "), HasSubstr("imeout"))));
  EXPECT_THAT(problems_in("AWS::Lambda::Function", "Runtime: java21, Handler: a.b, Code: {ZipFile: x}"),
              ElementsAre("t.yaml:4:65: 'InlineCode' goes only with a Runtime of Python or Node"));
  EXPECT_THAT(problems_in("AWS::Lambda::Function", usual + "Code: {ZipFile: x}, MemorySise: 1, CodeUri: x"),
              ElementsAre("t.yaml:4:73: there is no 'MemorySise'; 'MemorySize' is meant, perhaps",
                          StartsWith("t.yaml:4:88: there is no 'CodeUri' here, but ")));
  EXPECT_THAT(
      problems_in("AWS::Serverless::Function",
                  usual + "InlineCode: x, EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: SQS}}}"),
      ElementsAre("t.yaml:4:108: 'OnSuccess' of EventInvokeConfig needs a Destination: none is made for it here"));
  EXPECT_THAT(problems_in("AWS::Serverless::Function", usual + "InlineCode: x, DeadLetterQueue: {Type: SQS}"),
              ElementsAre("t.yaml:4:85: 'DeadLetterQueue' has no TargetArn"));
  EXPECT_THAT(
      problems_in("AWS::Lambda::Function", usual + "Code: {ZipFile: x}, Environment: {Variables: {A: !ImportValue b}}"),
      ElementsAre("t.yaml:4:102: what Fn::ImportValue gives cannot be known here"));
}

TEST(Template, EventsSayWhatIsWrongWithThem) {
  const auto of = [](const std::string& event) {
    return problems_in("AWS::Serverless::Function",
                       "Runtime: python3.11, Handler: a.b, InlineCode: x, Events: {E: " + event + "}");
  };
  EXPECT_THAT(of("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn, BatchSise: 2}}"),
              ElementsAre("t.yaml:4:127: there is no 'BatchSise'; 'BatchSize' is meant, perhaps"));
  EXPECT_THAT(of("{Type: SQS, Properties: {}}"), ElementsAre("t.yaml:4:77: the event 'E' of 'X' has no Queue"));
  EXPECT_THAT(of("{Type: Kinesis, Properties: {StartingPosition: LATEST}}"),
              ElementsAre("t.yaml:4:77: the event 'E' of 'X' has no Stream"));
  EXPECT_THAT(of("{Properties: {}}"), ElementsAre("t.yaml:4:77: the event 'E' of 'X' has no Type"));
  EXPECT_THAT(of("{Type: SQS, Property: {}}"),
              ElementsAre(StartsWith("t.yaml:4:92: there is no 'Property' here, but ")));
  EXPECT_THAT(of("{Type: Kinesis, Properties: {Stream: !GetAtt S.Arn}}"),
              ElementsAre(AllOf(StartsWith("t.yaml:4:77: "), HasSubstr("startingPosition"))));
  EXPECT_THAT(of("{Type: Kinesis, Properties: {Stream: !GetAtt S.Arn, StartingPosition: NOW}}"),
              ElementsAre(AllOf(StartsWith("t.yaml:4:150: "), HasSubstr("NOW"))));
  EXPECT_THAT(of("x"), ElementsAre("t.yaml:4:80: the event 'E' has to be a map"));
}

TEST(Template, GlobalsAreForEachFunctionThatDoesNotSayOtherwise) {
  const Read all = read(
      "Globals: {Function: {Runtime: python3.11, Handler: a.b, InlineCode: x, Timeout: 5, Tags: {a: b}, Environment: "
      "{Variables: {AA: all, BB: all}}}}\nResources:\n"
      "  F: {Type: AWS::Serverless::Function, Properties: {Timeout: 7, Environment: {Variables: {BB: own}}}}\n"
      "  G: {Type: AWS::Serverless::Function, IgnoreGlobals: [Timeout, Tags], Properties: {}}\n"
      "  H: {Type: AWS::Serverless::Function, IgnoreGlobals: '*', Properties: {Runtime: nodejs18.x, Handler: a.b, "
      "InlineCode: y}}\n");
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_EQ(
      to_json(all.setup.functions[0].members),
      R"({"Runtime":"python3.11","Handler":"a.b","Timeout":7,"Environment":{"Variables":{"AA":"all","BB":"own"}},)"
      R"("InlineCode":"x","Tags":{"a":"b"}})");
  EXPECT_EQ(
      to_json(all.setup.functions[1].members),
      R"({"Runtime":"python3.11","Handler":"a.b","Environment":{"Variables":{"AA":"all","BB":"all"}},"InlineCode":"x"})");
  EXPECT_EQ(to_json(all.setup.functions[2].members), R"({"Runtime":"nodejs18.x","Handler":"a.b","InlineCode":"y"})");
  // What is wrong with all of them is told once.
  EXPECT_THAT(
      problems_of("Globals: {Function: {Colour: red}}\nResources:\n  F: {Type: AWS::Serverless::Function, Properties: "
                  "{InlineCode: x}}\n  G: {Type: AWS::Serverless::Function, Properties: {InlineCode: x}}\n"),
      testing::Contains(StartsWith("t.yaml:1:22: there is no 'Colour' here, but ")).Times(1));
}

TEST(Template, LogsAreKeptAsTheyAreWritten) {
  const Read all = read(
      "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.11, Handler: a.b, InlineCode: "
      "x, "
      "LoggingConfig: {LogFormat: JSON, SystemLogLevel: INFO, LogGroup: /a}}}\n"
      "  G: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.11, Handler: a.b, Code: {ZipFile: x}, "
      "LoggingConfig: "
      "{LogFormat: JSON}}}\n");
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_THAT(all.notes, ElementsAre("t.yaml:2:119: 'LogFormat' is not offered here, and has no effect",
                                     "t.yaml:2:136: 'SystemLogLevel' is not offered here, and has no effect",
                                     "t.yaml:3:120: 'LogFormat' is not offered here, and has no effect"));
  EXPECT_EQ(to_json(*all.setup.functions[0].members.find("LoggingConfig")), R"({"LogGroup":"/a"})");
  EXPECT_EQ(all.setup.functions[1].members.find("LoggingConfig"), nullptr);
}

TEST(Template, AllThatIsWrongWithOneIsToldAtOnce) {
  EXPECT_THAT(
      problems_of(
          "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: ruby3.2, Handler: a.b, Timeout: "
          "901}}\n"
          "  Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: maybe, ContentBasedDeduplication: true, "
          "VisibilityTimeout: abc, DelaySeconds: 901}}\n"),
      ElementsAre("t.yaml:2:3: the function 'F' has no CodeUri and no InlineCode",
                  AllOf(StartsWith("t.yaml:2:62: "), HasSubstr("ruby3.2")),
                  AllOf(StartsWith("t.yaml:2:94: "), HasSubstr("901")),
                  "t.yaml:3:54: 'FifoQueue' has to be true or false",
                  AllOf(StartsWith("t.yaml:3:113: "), HasSubstr("VisibilityTimeout")),
                  AllOf(StartsWith("t.yaml:3:132: "), HasSubstr("DelaySeconds"))));
}

TEST(Template, TruthValuesAreThoseOfYaml11) {
  const Read all = read(
      "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: yes, ContentBasedDeduplication: On}}\n"
      "  P: {Type: AWS::SQS::Queue, Properties: {FifoQueue: no, SqsManagedSseEnabled: off}}\n"
      "  F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.11, Handler: a.b, InlineCode: x, "
      "Environment: {Variables: {FLAG: yes, TEXT: 'yes'}}, Events: {E: {Type: SQS, Properties: {Queue: !GetAtt P.Arn, "
      "Enabled: No}}}}}\n");
  EXPECT_THAT(all.problems, IsEmpty());
  ASSERT_EQ(all.setup.queues.size(), 2);
  EXPECT_EQ(all.setup.queues[0].name, "Q.fifo");
  EXPECT_EQ(all.setup.queues[0].members.text_of("ContentBasedDeduplication"), "true");
  EXPECT_EQ(all.setup.queues[1].name, "P");
  EXPECT_EQ(all.setup.queues[1].members.text_of("SqsManagedSseEnabled"), "false");
  EXPECT_EQ(to_json(*all.setup.functions[0].members.find("Environment")),
            R"({"Variables":{"FLAG":true,"TEXT":"yes"}})");
  EXPECT_EQ(all.setup.mappings[0].members.text_of("Enabled"), "false");
  EXPECT_THAT(problems_of("Resources: {Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: 'yes'}}}\n"),
              ElementsAre(HasSubstr("'FifoQueue' has to be true or false")));
}

TEST(Template, CodeThatLiesInADirectoryIsForThisMachine) {
  const Read all = read(
      "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.11, Handler: a.b, CodeUri: "
      "/, Architectures: [arm64]}}\n");
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_EQ(all.setup.functions[0].members.find("Architectures"), nullptr);
}

// ---- Bounds

TEST(Template, WhatItComesToIsBounded) {
  // Each level doubles the one within it.
  std::string value = "x";
  for (int i = 0; i < 20; ++i) value = "!Sub ['${a}${a}${a}${a}', {a: " + value + "}]";
  const auto problems =
      problems_of("Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: " + value + "}}}\n");
  ASSERT_EQ(problems.size(), 1);
  EXPECT_THAT(problems.front(), HasSubstr("the template comes to more than 200000 values or 8388608 bytes"));
  std::string deep = "x";
  for (int i = 0; i < 60; ++i) deep = "!If [C, " + deep + ", y]";
  EXPECT_THAT(problems_of("Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: " + deep + "}}}\n"),
              ElementsAre(HasSubstr("values stand within each other")));
}

}  // namespace
}  // namespace penstock::config
