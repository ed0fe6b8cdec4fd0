#include "config/rehearsal.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "config/yaml.hpp"

namespace penstock::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Place here{"000000000000", "us-east-1", "/nowhere/at/all", false, from_epoch_ms(1'900'000'000'000)};

std::vector<std::string> problems_of(const std::string& text, int concurrency_max = 100) {
  Problems problems("f.yaml");
  const auto document = read_yaml(text, problems);
  if (!document) return problems.lines();
  rehearse_on_new_server(read_setup(*document, problems), here, concurrency_max, problems);
  return problems.lines();
}

const std::string function = "functions: {e: {Kind: exec, Command: [cat]}}\n";
const std::string mapping = "mappings: [{EventSource: 'queue:a', FunctionName: e}]\n";

TEST(Rehearsal, AQueueHidesItsMessagesForAsLongAsTheFunctionMayRun) {
  EXPECT_THAT(problems_of("queues: {a: {VisibilityTimeout: 1}}\n" + function + mapping),
              ElementsAre("f.yaml:3:12: Queue visibility timeout: 1 seconds is less than Function timeout: 3 seconds"));
  EXPECT_THAT(problems_of("queues: {a: {VisibilityTimeout: 3}}\n" + function + mapping), IsEmpty());
  EXPECT_THAT(
      problems_of("queues: {a: }\nfunctions: {e: {Kind: exec, Command: [cat], Timeout: 31}}\n" + mapping),
      ElementsAre("f.yaml:3:12: Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds"));
  EXPECT_THAT(problems_of("queues: {a: }\nfunctions: {e: {Kind: exec, Command: [cat], Timeout: 30}}\n" + mapping),
              IsEmpty());
  // One that is made switched off, too; and one whose members are named in full.
  EXPECT_THAT(problems_of("queues: {a: {VisibilityTimeout: 1}}\n" + function +
                          "mappings: [{EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:a', FunctionName: "
                          "'arn:aws:lambda:us-east-1:000000000000:function:e', Enabled: false}]\n"),
              ElementsAre(HasSubstr("1 seconds is less than Function timeout: 3 seconds")));
}

TEST(Rehearsal, WhatTheFileDoesNotHaveIsNotJudged) {
  EXPECT_THAT(problems_of(function + mapping), IsEmpty());
  EXPECT_THAT(problems_of("queues: {a: {VisibilityTimeout: 1}}\n" + mapping), IsEmpty());
  EXPECT_THAT(problems_of("queues: {q: {RedrivePolicy: {deadLetterTargetArn: qd, maxReceiveCount: 3}}}\n"), IsEmpty());
  // Nor what is of other types, which is told elsewhere.
  EXPECT_THAT(problems_of("queues: {a: {VisibilityTimeout: [1]}}\n" + function + mapping),
              ElementsAre("f.yaml:1:33: 'VisibilityTimeout' has to be a text"));
}

TEST(Rehearsal, WhatIsWrongWithOneHidesNothingAndMakesNothingUp) {
  const std::string both =
      "  f: {Kind: exec, Command: [cat], Timeout: 45, ReservedConcurrentExecutions: 95, MemorySize: 1}\n"
      "mappings: [{EventSource: 'queue:a', FunctionName: f}]\n";
  EXPECT_THAT(problems_of("queues: {a: {VisibilityTimeout: 60, DelaySeconds: 901}}\nfunctions:\n" + both),
              ElementsAre(AllOf(StartsWith("f.yaml:3:78: "), HasSubstr("ReservedConcurrentExecutions"))));
  EXPECT_THAT(problems_of("queues: {a: {VisibilityTimeout: soon}}\nfunctions:\n" + both), testing::SizeIs(1));
  EXPECT_THAT(problems_of("queues: {a: }\nfunctions:\n" + both),
              ElementsAre(HasSubstr("ReservedConcurrentExecutions"),
                          HasSubstr("Queue visibility timeout: 30 seconds is less than Function timeout: 45 seconds")));
  EXPECT_THAT(problems_of("queues: {a: }\nfunctions: {f: {Kind: exec, Command: [cat], Timeout: 901}}\n"
                          "mappings: [{EventSource: 'queue:a', FunctionName: f}]\n"),
              IsEmpty());
}

TEST(Rehearsal, ADeadLetterQueueHasToAllowItsSources) {
  const std::string source = "queues:\n  q: {RedrivePolicy: {deadLetterTargetArn: qd, maxReceiveCount: 3}}\n";
  const auto refused = AllOf(StartsWith("f.yaml:2:22: Value "), HasSubstr("does not allow this source queue."));
  EXPECT_THAT(problems_of(source + "  qd: {RedriveAllowPolicy: {redrivePermission: denyAll}}\n"), ElementsAre(refused));
  EXPECT_THAT(
      problems_of(source + "  qd: {RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: [other]}}\n"),
      ElementsAre(refused));
  EXPECT_THAT(
      problems_of(source + "  qd: {RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: [other, q]}}\n"),
      IsEmpty());
  EXPECT_THAT(problems_of(source + "  qd: {RedriveAllowPolicy: '{\"redrivePermission\":\"allowAll\"}'}\n"), IsEmpty());
  // Of two that are each other's, each is asked once it is there.
  EXPECT_THAT(problems_of(source + "  qd: {RedrivePolicy: {deadLetterTargetArn: q, maxReceiveCount: 3}, "
                                   "RedriveAllowPolicy: {redrivePermission: denyAll}}\n"),
              ElementsAre(refused));
}

TEST(Rehearsal, ATenthOfTheConcurrencyIsNotReserved) {
  const auto reserving = [](int one, int other) {
    return "functions:\n  e: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: " + std::to_string(one) +
           "}\n  f: {Runtime: python3.11, Handler: a.b, InlineCode: x, ReservedConcurrentExecutions: " +
           std::to_string(other) + "}\n";
  };
  const std::string refused = "below its minimum value of [10].";
  EXPECT_THAT(problems_of(reserving(500, 1)), ElementsAre(AllOf(StartsWith("f.yaml:2:65: "), HasSubstr(refused))));
  EXPECT_THAT(problems_of(reserving(45, 45)), IsEmpty());
  EXPECT_THAT(problems_of(reserving(45, 46)), ElementsAre(AllOf(StartsWith("f.yaml:3:87: "), HasSubstr(refused))));
  EXPECT_THAT(problems_of(reserving(500, 1), 1'000), IsEmpty());
  EXPECT_THAT(problems_of(reserving(2'147'483'647, 1)), ElementsAre(HasSubstr(refused)));
}

}  // namespace
}  // namespace penstock::config
