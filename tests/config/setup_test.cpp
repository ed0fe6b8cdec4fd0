#include "config/setup.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/check.hpp"
#include "config/creation.hpp"
#include "config/yaml.hpp"

namespace penstock::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Place here{"000000000000", "us-east-1", "/nowhere/at/all", false, from_epoch_ms(1'900'000'000'000)};

/// All that is wrong with a file.
std::vector<std::string> problems_of(const std::string& text, const Place& place = here) {
  Problems problems("f.yaml");
  const auto document = read_yaml(text, problems);
  if (!document) return problems.lines();
  const Setup setup = read_setup(*document, problems);
  check_setup(setup, place, problems);
  return problems.lines();
}

TEST(Setup, AFileOfEveryKindIsInOrder) {
  EXPECT_THAT(problems_of(R"(
settings: {port: 4566, host: ["127.0.0.1", "::1"]}
queues:
  orders:
    VisibilityTimeout: 60
    RedrivePolicy: {deadLetterTargetArn: orders-dead, maxReceiveCount: 3}
    Tags: {team: 7}
  orders-dead:
  line.fifo: {ContentBasedDeduplication: true}
streams:
  sales: {ShardCount: 2, RetentionPeriodHours: 48, Consumers: [fan-out], ShardLevelMetrics: [ALL]}
  secret: {StreamEncryption: {EncryptionType: KMS, KeyId: alias/one}, ShardLevelMetrics: []}
  clicks: {StreamModeDetails: {StreamMode: ON_DEMAND}}
  plain:
consumers:
  sales:
    billing: {LeaseMillis: 5000, Start: {Type: LATEST}}
functions:
  elsewhere: {Url: "http://127.0.0.1:3001/2015-03-31/functions/f/invocations", Timeout: 10}
  worker: {Command: [./worker, --fast], Environment: {DEPTH: 3}, ReservedConcurrentExecutions: 5}
  once: {Kind: exec, Command: [cat], Environment: {Variables: {A1: b}}, Description: Echoes., Tags: {a: b}}
  again:
    Command: [cat]
    EventInvokeConfig: {MaximumRetryAttempts: 0, DestinationConfig: {OnFailure: {Destination: orders-dead}}}
mappings:
  - EventSource: queue:orders
    FunctionName: worker
    BatchSize: 10
    FilterCriteria: {Filters: [{Pattern: {body: {kind: [order]}}}, {Pattern: '{"body":{"a":[1]}}'}]}
    FunctionResponseTypes: [ReportBatchItemFailures]
    ScalingConfig: {MaximumConcurrency: 4}
  - EventSource: stream:sales
    FunctionName: elsewhere
    StartingPosition: TRIM_HORIZON
    DestinationConfig: {OnFailure: {Destination: "queue:orders-dead"}}
  - {EventSource: stream:sales/fan-out, FunctionName: once, StartingPosition: LATEST}
  - EventSource: stream:clicks
    FunctionName: once
    StartingPosition: AT_TIMESTAMP
    StartingPositionTimestamp: 2020-01-31T12:00:00.5+01:00
)"),
              IsEmpty());
}

TEST(Setup, AnEmptyFileAsksForNothing) {
  EXPECT_THAT(problems_of(""), IsEmpty());
  EXPECT_THAT(problems_of("queues:\nstreams:\nmappings:\n"), IsEmpty());
}

TEST(Setup, WhatHoldsAnchorsIsPassedOver) {
  EXPECT_THAT(problems_of("x-queues: &usual {VisibilityTimeout: 60}\nx-: [1]\nqueues: {a: *usual, b: {<<: *usual}}\n"),
              IsEmpty());
  EXPECT_THAT(problems_of("x: {}\nX-a: {}\nqueues: {x-a: {x-b: 1}}\n"),
              ElementsAre(StartsWith("f.yaml:1:1: there is no 'x'"), StartsWith("f.yaml:2:1: there is no 'X-a'"),
                          StartsWith("f.yaml:3:16: there is no 'x-b'")));
}

TEST(Setup, VariablesAreNamedAsLambdaHasThem) {
  EXPECT_THAT(problems_of("functions:\n  e: {Kind: exec, Command: [cat], Environment: {B: x}}\n"
                          "  f: {Runtime: python3.11, Handler: a.b, InlineCode: x, Environment: {B: x}}\n"),
              ElementsAre(AllOf(StartsWith("f.yaml:2:"), HasSubstr("[a-zA-Z]([a-zA-Z0-9_])+")),
                          AllOf(StartsWith("f.yaml:3:"), HasSubstr("[a-zA-Z]([a-zA-Z0-9_])+"))));
}

TEST(Setup, UnknownNamesAreToldOfAllAtOnce) {
  EXPECT_THAT(problems_of("queue: {}\nqueues:\n  a: {VisibilityTimout: 1}\n  b: {Colour: red}\nfunctions:\n  f: {Url: "
                          "'http://h/', timeout: 3}\n"),
              ElementsAre(StartsWith("f.yaml:1:1: there is no 'queue'; a file has settings, credentials, queues"),
                          "f.yaml:3:7: there is no 'VisibilityTimout'; 'VisibilityTimeout' is meant, perhaps",
                          StartsWith("f.yaml:4:7: there is no 'Colour' here, but ContentBasedDeduplication, "),
                          "f.yaml:6:25: there is no 'timeout'; 'Timeout' is meant, perhaps"));
}

TEST(Setup, AllThatIsWrongWithOneIsToldAtOnce) {
  EXPECT_THAT(problems_of("queues:\n  q: {FifoQueue: maybe, VisibilityTimeout: abc, DelaySeconds: 901, Colour: red}\n"
                          "  'no/name': {DelaySeconds: 902}\n"),
              ElementsAre(AllOf(StartsWith("f.yaml:2:18: "), HasSubstr("FifoQueue")),
                          AllOf(StartsWith("f.yaml:2:44: "), HasSubstr("VisibilityTimeout")),
                          AllOf(StartsWith("f.yaml:2:63: "), HasSubstr("DelaySeconds")),
                          StartsWith("f.yaml:2:68: there is no 'Colour' here"),
                          AllOf(StartsWith("f.yaml:3:3: "), HasSubstr("alphanumeric")),
                          AllOf(StartsWith("f.yaml:3:29: "), HasSubstr("DelaySeconds"))));
  EXPECT_THAT(
      problems_of("streams:\n  s: {ShardCount: x, StreamModeDetails: {StreamMode: SOME}, RetentionPeriodHours: 1, "
                  "ShardLevelMetrics: [Colour]}\n"),
      ElementsAre(StartsWith("f.yaml:2:19: 'ShardCount' has to be a whole number"),
                  AllOf(StartsWith("f.yaml:2:41: "), HasSubstr("SOME")), StartsWith("f.yaml:2:83: "),
                  AllOf(StartsWith("f.yaml:2:105: "), HasSubstr("Colour"))));
  EXPECT_THAT(problems_of("consumers:\n  s: {c: {LeaseMillis: x, CommitMode: NEVER}}\n"),
              ElementsAre(StartsWith("f.yaml:2:24: 'LeaseMillis' has to be a whole number"),
                          AllOf(StartsWith("f.yaml:2:39: "), HasSubstr("NEVER"))));
  EXPECT_THAT(problems_of("functions:\n"
                          "  f: {Runtime: ruby3.2, Handler: a.b, Code: ./missing, Timeout: 901, MemorySize: x, "
                          "Environment: {A: x, B1: y, C: z}, EventInvokeConfig: {MaximumRetryAttempts: 3}}\n"
                          "  g: {Kind: handler, Runtime: ruby3.2, Code: /, Timeout: 901}\n"
                          "  h: {Runtime: java21, Handler: a.b, InlineCode: x, Timeout: 901, Role: me}\n"
                          "  i: {Command: [''], Runtime: provided.al2023, MemorySize: 1}\n"),
              ElementsAre(AllOf(StartsWith("f.yaml:2:16: "), HasSubstr("ruby3.2")),
                          StartsWith("f.yaml:2:45: /nowhere/at/all/missing is neither a directory nor a .zip"),
                          AllOf(StartsWith("f.yaml:2:65: "), HasSubstr("Timeout has to be 1 to 900")),
                          StartsWith("f.yaml:2:82: 'MemorySize' has to be a whole number"),
                          AllOf(StartsWith("f.yaml:2:102: "), HasSubstr("one is 'A'")),
                          AllOf(StartsWith("f.yaml:2:115: "), HasSubstr("one is 'C'")),
                          AllOf(StartsWith("f.yaml:2:161: "), HasSubstr("aximumRetryAttempts")),
                          AllOf(StartsWith("f.yaml:3:13: "), HasSubstr("Handler is missing")),
                          AllOf(StartsWith("f.yaml:3:31: "), HasSubstr("ruby3.2")),
                          AllOf(StartsWith("f.yaml:3:58: "), HasSubstr("901")),
                          StartsWith("f.yaml:4:50: 'InlineCode' goes only with a Runtime of Python or Node"),
                          AllOf(StartsWith("f.yaml:4:62: "), HasSubstr("901")),
                          AllOf(StartsWith("f.yaml:4:73: "), HasSubstr("me")),
                          AllOf(StartsWith("f.yaml:5:"), HasSubstr("empty")),
                          AllOf(StartsWith("f.yaml:5:"), HasSubstr("MemorySize"))));
  EXPECT_THAT(problems_of("mappings:\n  - {EventSource: 'queue:q', FunctionName: f, BatchSize: 0, Enabled: 1, "
                          "MaximumBatchingWindowInSeconds: 301, ScalingConfig: {MaximumConcurrency: 1}}\n"
                          "  - {EventSource: 'stream:q', BatchSize: 100, ParallelizationFactor: 11}\n"),
              ElementsAre(StartsWith("f.yaml:2:58: "), StartsWith("f.yaml:2:70: 'Enabled' has to be true or false"),
                          StartsWith("f.yaml:2:105: "), StartsWith("f.yaml:2:125: "),
                          StartsWith("f.yaml:3:5: the mapping has no FunctionName"),
                          AllOf(StartsWith("f.yaml:3:70: "), HasSubstr("11"))));
}

TEST(Setup, WhatFollowsFromAnotherProblemIsNotTold) {
  EXPECT_THAT(problems_of("functions:\n  f: {Runtime: [x], Handler: a.b, InlineCode: x, Timeout: 5}\n"
                          "  g: {Command: cat, Timeout: 5}\n"),
              ElementsAre(StartsWith("f.yaml:2:16: "), StartsWith("f.yaml:3:16: ")));
  EXPECT_THAT(problems_of("queues:\n  q.fifo: {DeduplicationScope: [x], FifoThroughputLimit: perMessageGroupId}\n"),
              ElementsAre(StartsWith("f.yaml:2:32: ")));
  EXPECT_THAT(problems_of("mappings:\n  - {EventSource: 'queue:q', FunctionName: f, BatchSize: 100, "
                          "MaximumBatchingWindowInSeconds: x}\n"
                          "  - {EventSource: 'stream:s', FunctionName: f, StartingPosition: [x], "
                          "StartingPositionTimestamp: 2020-01-01}\n"),
              ElementsAre(StartsWith("f.yaml:2:95: "), StartsWith("f.yaml:3:66: ")));
}

TEST(Setup, TypesAreThoseOfTheApi) {
  EXPECT_THAT(
      problems_of(
          "streams:\n  s: {ShardCount: two, Consumers: one, Tags: {a: [b]}}\nmappings:\n"
          "  - {EventSource: 'queue:q', FunctionName: f, BatchSize: '10', Enabled: 1, FilterCriteria: {Filter: []}}\n"),
      ElementsAre("f.yaml:2:19: 'ShardCount' has to be a whole number", "f.yaml:2:35: 'Consumers' has to be a list",
                  "f.yaml:2:50: 'a' has to be a text", "f.yaml:4:58: 'BatchSize' has to be a whole number",
                  "f.yaml:4:73: 'Enabled' has to be true or false",
                  "f.yaml:4:93: there is no 'Filter'; 'Filters' is meant, perhaps"));
}

TEST(Setup, WhatAServiceWouldRefuseIsSaidInItsWords) {
  EXPECT_THAT(problems_of("queues:\n  q:\n    VisibilityTimeout: 99999\n    DelaySeconds: 1000\n  'no/name':\n"),
              ElementsAre(AllOf(StartsWith("f.yaml:3:24: "), HasSubstr("VisibilityTimeout")),
                          AllOf(StartsWith("f.yaml:4:19: "), HasSubstr("DelaySeconds")),
                          AllOf(StartsWith("f.yaml:5:3: "), HasSubstr("alphanumeric"))));
  EXPECT_THAT(problems_of("streams:\n  s: {ShardCount: 1, StreamModeDetails: {StreamMode: ON_DEMAND}}\n"),
              ElementsAre(HasSubstr("ShardCount can not be specified for streams in ON_DEMAND mode.")));
  EXPECT_THAT(problems_of("streams:\n  s: {RetentionPeriodHours: 12}\n"),
              ElementsAre("f.yaml:2:29: RetentionPeriodHours is from 24 to 8760, not 12"));
  EXPECT_THAT(
      problems_of("mappings:\n  - EventSource: queue:q\n    FunctionName: f\n    BisectBatchOnFunctionError: true\n"),
      ElementsAre(AllOf(StartsWith("f.yaml:4:33: "), HasSubstr("is not supported for SQS event sources"))));
  EXPECT_THAT(
      problems_of(
          "mappings:\n  - {EventSource: 'queue:q', FunctionName: f, FilterCriteria: {Filters: [{Pattern: 'x'}]}}\n"),
      ElementsAre(StartsWith("f.yaml:2:")));
}

TEST(Setup, MappingsNeedASourceAndAFunctionAndAreThereOnce) {
  EXPECT_THAT(
      problems_of("mappings:\n  - {FunctionName: f}\n  - {EventSource: q, FunctionName: f}\n"
                  "  - {EventSource: 'queue:q', FunctionName: f}\n  - {EventSource: 'queue:q', FunctionName: f}\n"),
      testing::IsSupersetOf({"f.yaml:2:5: the mapping has no EventSource, such as queue:NAME or stream:NAME",
                             "f.yaml:3:19: an EventSource is an ARN, queue:NAME, stream:NAME or "
                             "stream:NAME/CONSUMER, not 'q'",
                             "f.yaml:5:5: there is a mapping of 'queue:q' to 'f' before"}));
}

TEST(Setup, AFunctionSaysWhatRuns) {
  EXPECT_THAT(problems_of("functions:\n  f: {Timeout: 3}\n  g: {Runtime: python3.11, Handler: a.b, Code: ./missing}\n"
                          "  h: {Runtime: python3.11, Code: /}\n"),
              ElementsAre("f.yaml:2:3: the function 'f' has no Runtime, Command or Url",
                          "f.yaml:3:48: /nowhere/at/all/missing is neither a directory nor a .zip",
                          AllOf(StartsWith("f.yaml:4:"), HasSubstr("Handler is missing"))));
}

TEST(Setup, CodeMayStandInTheFileItself) {
  EXPECT_THAT(problems_of("functions:\n  f: {Runtime: python3.11, Handler: index.handler, InlineCode: 'def "
                          "handler(event, context): pass'}\n"),
              IsEmpty());
  EXPECT_THAT(
      problems_of("functions:\n  f: {Runtime: python3.11, Handler: a.b, InlineCode: x, Code: .}\n"
                  "  g: {Runtime: java21, Handler: a.b, InlineCode: x}\n  h: {Command: [cat], InlineCode: x}\n"),
      ElementsAre("f.yaml:2:54: InlineCode excludes Code and Directory",
                  "f.yaml:3:50: 'InlineCode' goes only with a Runtime of Python or Node",
                  "f.yaml:4:35: 'InlineCode' goes only with a Runtime of Python or Node"));
}

TEST(Setup, WhatIsMeantIsFoundByALetter) {
  for (const char* name : {"DelaySecond", "DelaySecondss", "DelaySecomds", "DelaySecodns", "delayseconds"}) {
    EXPECT_THAT(problems_of("queues: {q: {" + std::string(name) + ": 1}}\n"),
                ElementsAre("f.yaml:1:14: there is no '" + std::string(name) + "'; 'DelaySeconds' is meant, perhaps"));
  }
  EXPECT_THAT(problems_of("queues: {q: {DelayHours: 1}}\n"),
              ElementsAre(HasSubstr("there is no 'DelayHours' here, but ")));
}

TEST(Setup, WhatOperationsOfTheirOwnTakeIsLookedAtToo) {
  EXPECT_THAT(
      problems_of("streams:\n  a: {StreamEncryption: {EncryptionType: AES, KeyId: k}}\n"
                  "  b: {ShardLevelMetrics: [Colour]}\n  c: {StreamEncryption: {Key: k}}\n"
                  "  d: {StreamEncryption: {EncryptionType: KMS}}\n  e: {StreamEncryption: {EncryptionType: NONE}}\n"),
      testing::UnorderedElementsAre(AllOf(StartsWith("f.yaml:2:42: "), HasSubstr("AES")),
                                    AllOf(StartsWith("f.yaml:3:26: "), HasSubstr("Colour")),
                                    StartsWith("f.yaml:4:26: there is no 'Key'; 'KeyId' is meant, perhaps"),
                                    AllOf(StartsWith("f.yaml:5:25: "), HasSubstr("keyId"))));
  EXPECT_THAT(
      problems_of("functions:\n  f: {Command: [cat], EventInvokeConfig: {MaximumRetryAttempts: 3}}\n"
                  "  g: {Command: [cat], EventInvokeConfig: {DestinationConfig: {OnSuccess: {Destination: "
                  "'arn:aws:sns:us-east-1:000000000000:t'}}}}\n  h: {Command: [cat], Architectures: [arm64]}\n"),
      testing::UnorderedElementsAre(
          AllOf(StartsWith("f.yaml:2:65: "), HasSubstr("aximumRetryAttempts")),
          AllOf(StartsWith("f.yaml:3:"), HasSubstr("has to be that of an SQS queue or of a Lambda function")),
          "f.yaml:4:38: 'Architectures' goes only with code that is a zip"));
  EXPECT_THAT(
      problems_of("mappings:\n  - {EventSource: 'stream:s', FunctionName: f, StartingPosition: AT_TIMESTAMP, "
                  "StartingPositionTimestamp: tomorrow}\n"),
      ElementsAre(HasSubstr("'StartingPositionTimestamp' has to be a number of seconds since 1970, or a time such "
                            "as 2030-01-31T12:00:00Z")));
}

TEST(Setup, AStartThatIsStillToComeIsRefused) {
  const std::string mapping =
      "mappings:\n  - {EventSource: 'stream:s', FunctionName: f, StartingPosition: AT_TIMESTAMP, "
      "StartingPositionTimestamp: ";
  for (const std::string past : {"1899999999", "2030-01-01", "'1899999999.5'"}) {
    EXPECT_THAT(problems_of(mapping + past + "}\n"), IsEmpty()) << past;
  }
  for (const std::string to_come : {"1900000001", "2031-01-01"}) {
    EXPECT_THAT(problems_of(mapping + to_come + "}\n"),
                ElementsAre(AllOf(StartsWith("f.yaml:2:107: "), HasSubstr("cannot be in the future"))))
        << to_come;
  }
}

TEST(Setup, AFunctionThatTheServerCouldNotRunIsRefused) {
  Place place = here;
  place.objection_to_function = [](const FunctionRecord& function) -> std::optional<std::string> {
    if (function.runtime == "python3.12") return std::nullopt;
    return "The runtime " + function.runtime + " is not there.";
  };
  EXPECT_THAT(problems_of("functions:\n  f: {Runtime: nodejs20.x, Handler: a.b, Code: /}\n"
                          "  g: {Runtime: python3.12, Handler: a.b, Code: /}\n",
                          place),
              ElementsAre("f.yaml:2:16: The runtime nodejs20.x is not there."));
}

TEST(Setup, TagsOfYamlAreNotKnown) {
  EXPECT_THAT(problems_of("queues:\n  a: {VisibilityTimeout: !Ref x}\n"),
              testing::Contains("f.yaml:2:26: the tag !Ref is not known"));
}

TEST(Creation, NamesOfTheFileBecomeArns) {
  Resource queue{"q", {}, *from_json(R"({"RedrivePolicy":{"deadLetterTargetArn":"dead","maxReceiveCount":3}})")};
  EXPECT_EQ(attributes_of(queue, here).text_of("RedrivePolicy"),
            R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":3})");
  queue.members =
      *from_json(R"({"RedriveAllowPolicy":{"redrivePermission":"byQueue","sourceQueueArns":["a","queue:b"]}})");
  EXPECT_EQ(attributes_of(queue, here).text_of("RedriveAllowPolicy"),
            R"({"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:a",)"
            R"("arn:aws:sqs:us-east-1:000000000000:b"]})");
}

TEST(Creation, TimesBecomeSeconds) {
  Mapping mapping;
  mapping.members = *from_json(R"({"StartingPositionTimestamp":"2020-01-31T12:00:00.05+01:00"})");
  EXPECT_EQ(to_json(settings_of(mapping, here)), R"({"StartingPositionTimestamp":1580468400.050})");
  mapping.members = *from_json(R"({"StartingPositionTimestamp":1580468400})");
  EXPECT_EQ(to_json(settings_of(mapping, here)), R"({"StartingPositionTimestamp":1580468400})");
}

TEST(Creation, NamesOfFunctionsAreEncodedInPaths) {
  EXPECT_EQ(path_of_function("a/b", "/code"), "/2015-03-31/functions/a%2Fb/code");
  EXPECT_EQ(path_of_registration("a/b"), "/_penstock/functions/a%2Fb");
  EXPECT_EQ(path_of_concurrency("a/b"), "/2017-10-31/functions/a%2Fb/concurrency");
}

TEST(Creation, AllMetricsAreEachByItsName) {
  Resource stream{"s", {}, *from_json(R"({"ShardLevelMetrics":["ALL"]})")};
  EXPECT_THAT(*metrics_of(stream), testing::SizeIs(7));
  stream.members = *from_json(R"({"ShardLevelMetrics":["IncomingBytes"]})");
  EXPECT_THAT(*metrics_of(stream), ElementsAre("IncomingBytes"));
  stream.members = map_value();
  EXPECT_FALSE(metrics_of(stream));
}

TEST(Creation, APathIsRelativeToTheFile) {
  EXPECT_EQ(here.path("./code/"), "/nowhere/at/all/code");
  EXPECT_EQ(here.path("../x"), "/nowhere/at/x");
  EXPECT_EQ(here.path("/abs"), "/abs");
  EXPECT_EQ(here.path("."), "/nowhere/at/all");
}

TEST(Creation, FunctionsAreOfTheKindThatTheirMembersSay) {
  EXPECT_EQ(kind_of("python3.12", false, false), FunctionKind::handler);
  EXPECT_EQ(kind_of("provided.al2023", false, false), FunctionKind::runtime);
  EXPECT_EQ(kind_of("", true, false), FunctionKind::runtime);
  EXPECT_EQ(kind_of("", false, true), FunctionKind::url);
}

}  // namespace
}  // namespace penstock::config
