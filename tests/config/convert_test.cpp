#include "config/convert.hpp"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "config/hocon.hpp"
#include "config/setup.hpp"
#include "config/yaml.hpp"
#include "config/yaml_writer.hpp"

namespace penstock::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Outcome {
  std::string yaml;
  std::vector<std::string> problems;
  std::vector<std::string> notes;
};

/// Without the line that says whose file it was. What is made is a penstock.yaml in order.
Outcome converted(const std::string& text, std::optional<Origin> origin = std::nullopt) {
  Problems problems("f");
  const auto made = convert(text, origin, problems);
  const auto yaml = made ? std::optional(to_yaml(*made)) : std::nullopt;
  Outcome all{yaml.value_or(""), problems.lines(), problems.notes()};
  EXPECT_EQ(yaml.has_value(), problems.empty());
  if (!yaml) return all;
  Problems of_result("result");
  const auto document = read_yaml(*yaml, of_result);
  if (document) read_setup(*document, of_result);
  EXPECT_THAT(of_result.lines(), IsEmpty()) << *yaml;
  all.yaml = yaml->substr(yaml->find('\n') + 1);
  return all;
}

std::string hocon(const std::string& text) {
  Problems problems("f");
  const auto value = read_hocon(text, problems);
  return value ? to_json(*value) : problems.lines().front();
}

TEST(Hocon, IsReadInItsManyForms) {
  EXPECT_EQ(hocon(""), "{}");
  EXPECT_EQ(hocon("a = 1, b : \"x\" // so\n# and so\nc { d = true }\n"), R"({"a":1,"b":"x","c":{"d":true}})");
  EXPECT_EQ(hocon("{\"a\": [1, 2\n3,], \"b\" : {}}"), R"({"a":[1,2,3],"b":{}})");
  EXPECT_EQ(hocon("a.b.c = 1\na.b.d = 2\na { e = 3 }\n"), R"({"a":{"b":{"c":1,"d":2},"e":3}})");
  EXPECT_EQ(hocon("a = 10 seconds\nb = 0.5 s # half\nc = in-memory\nd = /a/b"),
            R"({"a":"10 seconds","b":"0.5 s","c":"in-memory","d":"/a/b"})");
  EXPECT_EQ(hocon("a = 1\na = 2\n"), R"({"a":2})");
  EXPECT_EQ(hocon("a = \"x\\u00e9\\n\" tail \nb = \"\"\"raw \"q\" \\n\"\"\"\nc = \"blank \"\nd = null"),
            "{\"a\":\"x\xc3\xa9\\n tail\",\"b\":\"raw \\\"q\\\" \\\\n\",\"c\":\"blank \",\"d\":null}");
  EXPECT_EQ(hocon("queue one { x = 1 }\n\"with.dot\" { y = 2 }"), R"({"queue one":{"x":1},"with.dot":{"y":2}})");
  EXPECT_EQ(hocon("include = 1\nincluded = 2"), R"({"include":1,"included":2})");
}

TEST(Hocon, WhatIsNotUnderstoodIsToldWithItsPlace) {
  EXPECT_EQ(hocon("a = 1\ninclude \"other.conf\"\n"), "f:2:1: 'include' is not understood: only this file is read");
  EXPECT_EQ(hocon("a = ${?PORT}\n"), "f:1:5: what ${...} stands for is not known here");
  EXPECT_EQ(hocon("a += 1\n"), "f:1:3: '+=' is not understood here");
  EXPECT_EQ(hocon("a 1\n"), "f:1:4: a '=' is missing");
  EXPECT_EQ(hocon("a = \n"), "f:2:1: a value is missing");
  EXPECT_EQ(hocon("a { b = 1\n"), "f:2:1: a '}' is missing");
  EXPECT_EQ(hocon("a = 1 }\n"), "f:1:7: a comma or a new line is missing");
  EXPECT_EQ(hocon("a = {b = 1} {c = 2}\n"), "f:1:13: a comma or a new line is missing");
  EXPECT_EQ(hocon("a = \"x\n"), "f:1:7: the text has no end");
  EXPECT_EQ(hocon("a = \"\\x\"\n"), "f:1:7: this escape is not known");
  EXPECT_EQ(hocon("= 1\n"), "f:1:1: the name of a member is missing");
  EXPECT_EQ(hocon("{a = 1} b"), "f:1:9: nothing can follow here");
  EXPECT_EQ(hocon("a = [1 {}]"), "f:1:8: a '{' cannot stand here");
  EXPECT_THAT(hocon(std::string(100, '{')), HasSubstr("the name of a member is missing"));
  std::string deep = "a = ";
  EXPECT_THAT(hocon(deep + std::string(1'000, '[')), HasSubstr("more than 32 values stand within each other"));
  EXPECT_THAT(hocon("a = [" + std::string(60'000, '1').replace(0, 0, "")), HasSubstr("f:1:"));
  std::string many = "a = [";
  for (int i = 0; i < 60'000; ++i) many += "1,";
  EXPECT_THAT(hocon(many), HasSubstr("there are more than 50000 values"));
  EXPECT_THAT(hocon(std::string(hocon_bytes_max + 1, '#')), HasSubstr("is larger than"));
  EXPECT_THAT(hocon("a = \xff"), HasSubstr("it is no text in UTF-8"));
  std::string path = "a";
  for (int i = 0; i < 100; ++i) path += ".a";
  EXPECT_THAT(hocon(path + " = 1"), HasSubstr("the path is too long"));
}

TEST(Hocon, DamageIsRefusedOrRead) {
  const std::string whole =
      "include classpath(\"application.conf\")\nrest-sqs { bind-port = 9324, sqs-limits = strict }\nqueues {\n  a { "
      "defaultVisibilityTimeout = 10 seconds // so\n    deadLettersQueue { name = \"b\", maxReceiveCount = 3 }\n  tags "
      "{ x : "
      "\"y\\u00e9\" } }\n  b.c = [1, 2, {d: \"\"\"e\"\"\"}]\n}\n";
  std::mt19937 random(20'260'103);
  constexpr std::string_view alphabet = "{}[]:,=+\"\\\n #/$.a1 \x80";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = whole;
    for (int damage = 0; damage < 4; ++damage) {
      const std::size_t at = std::uniform_int_distribution<std::size_t>(0, text.size() - 1)(random);
      if (random() % 2 == 0) {
        text[at] = alphabet[random() % alphabet.size()];
      } else {
        text.erase(at, 1 + random() % 4);
      }
      if (text.empty()) text = "\n";
    }
    Problems problems("f");
    const auto yaml = convert(text, Origin::elasticmq, problems);
    EXPECT_EQ(yaml.has_value(), problems.empty()) << text;
    for (const std::string& line : problems.lines()) EXPECT_THAT(line, testing::StartsWith("f:")) << text;
  }
}

TEST(YamlWriter, IsReadAsTheSame) {
  const std::string text =
      R"({"a":{"b":[1,"2",true,"true",null,"no","x: y","- z","#","","é\n",{"c":[],"d":{}},[["e"],{"f":1.5}]]},"g h":"-1"})";
  Problems problems("f");
  const auto value = read_yaml(to_yaml(*from_json(text)), problems);
  ASSERT_TRUE(value) << problems.lines().front() << to_yaml(*from_json(text));
  EXPECT_EQ(to_json(*value), text);
}

TEST(Convert, AFileOfElasticmq) {
  const Outcome all = converted(R"(include classpath("application.conf")
// What clients call it.
node-address { protocol = http, host = localhost, port = 9324, context-path = "" }
rest-sqs { enabled = true, bind-port = 9324, bind-hostname = "0.0.0.0", sqs-limits = strict }
rest-stats { enabled = true }
generate-node-address = false
aws { region = us-west-2, accountId = 000000000000 }
queues {
  orders {
    defaultVisibilityTimeout = 10 seconds
    delay = 5 s
    receiveMessageWait = 500 millis
    deadLettersQueue { name = "orders-dead", maxReceiveCount = 3 }
    copyTo = audit
    tags { team = shop, size = 7 }
  }
  orders-dead {}
  audit { contentBasedDeduplication = false }
  line { fifo = true, contentBasedDeduplication = true, deadLettersQueue { name = line-dead, maxReceiveCount = 2 } }
  line-dead { fifo = true }
  slow { defaultVisibilityTimeout = 2 minutes, delay = 1000 }
}
)");
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_THAT(all.notes, ElementsAre("f:1:1: ElasticMQ's own application.conf is left out",
                                     "f:5:1: 'rest-stats' has no counterpart, and is left out",
                                     "f:12:26: 'receiveMessageWait' is rounded up to whole seconds",
                                     "f:14:5: 'queues.orders.copyTo' has no counterpart, and is left out"));
  EXPECT_EQ(all.yaml, R"(settings:
  port: 9324
  host: "0.0.0.0"
  region: us-west-2
  account: "000000000000"
queues:
  orders:
    VisibilityTimeout: 10
    DelaySeconds: 5
    ReceiveMessageWaitTimeSeconds: 1
    RedrivePolicy:
      deadLetterTargetArn: orders-dead
      maxReceiveCount: 3
    Tags:
      team: shop
      size: "7"
  orders-dead:
  audit:
  line.fifo:
    ContentBasedDeduplication: true
    RedrivePolicy:
      deadLetterTargetArn: line-dead.fifo
      maxReceiveCount: 2
  line-dead.fifo:
  slow:
    VisibilityTimeout: 120
    DelaySeconds: 1
)");
}

TEST(Convert, WhatIsWrongWithAFileOfElasticmq) {
  const auto of = [](const std::string& queue) { return converted("queues {\n  a " + queue + "\n}\n").problems; };
  EXPECT_THAT(of("{ delay = soon }"), ElementsAre("f:2:15: 'delay' has to be a time such as 10 seconds"));
  EXPECT_THAT(of("{ delay = 3 fortnights }"), ElementsAre("f:2:15: 'delay' has to be a time such as 10 seconds"));
  EXPECT_THAT(of("{ delay = {} }"), ElementsAre("f:2:15: 'delay' has to be a time such as 10 seconds"));
  EXPECT_THAT(of("{ deadLettersQueue { name = b } }"),
              ElementsAre("f:2:24: 'deadLettersQueue' has to have a name and a maxReceiveCount"));
  EXPECT_THAT(of("= x"), ElementsAre("f:2:7: the queue 'a' has to be an object"));
  EXPECT_THAT(of("{ tags { x = [] } }"), ElementsAre("f:2:18: a tag has to be a text"));
}

TEST(Convert, AFileOfGoaws) {
  const Outcome all = converted(R"(Local:
  Host: localhost
  Port: 4100
  Region: us-east-1
  AccountId: "100010001000"
  LogToFile: false
  QueueAttributeDefaults: {VisibilityTimeout: 10, ReceiveMessageWaitTimeSeconds: 10, MaximumMessageSize: 1024}
  Queues:
    - Name: one
    - Name: two
      VisibilityTimeout: 150
      RedrivePolicy: '{"maxReceiveCount": 100, "deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:three"}'
    - {Name: three, Colour: red}
  Topics:
    - Name: topic
      Subscriptions:
        - {QueueName: four, Raw: true}
        - {QueueName: one, Raw: true}
        - {Protocol: http, EndPoint: "http://h"}
  RandomLatency: {Min: 1, Max: 2}
Dev:
  Queues: [{Name: dev}]
)");
  EXPECT_THAT(all.problems, IsEmpty());
  EXPECT_THAT(all.notes,
              ElementsAre("f:6:3: 'LogToFile' has no counterpart, and is left out",
                          "f:13:21: 'three.Colour' has no counterpart, and is left out",
                          "f:15:7: the topic 'topic' has no counterpart, and is left out",
                          "f:17:11: the subscription of the topic 'topic' is left out; its queue 'four' is kept",
                          "f:18:11: the subscription of the topic 'topic' is left out; its queue 'one' is kept",
                          "f:19:11: the subscription of the topic 'topic' is left out",
                          "f:20:3: 'RandomLatency' has no counterpart, and is left out",
                          "f:21:1: the environment 'Dev' is left out: 'Local' is taken"));
  const std::string defaults =
      "VisibilityTimeout: 10\n    ReceiveMessageWaitTimeSeconds: 10\n    MaximumMessageSize: 1024\n";
  EXPECT_EQ(
      all.yaml,
      "settings:\n  port: 4100\n  region: us-east-1\n  account: \"100010001000\"\nqueues:\n  one:\n    " + defaults +
          "  two:\n    VisibilityTimeout: 150\n    ReceiveMessageWaitTimeSeconds: 10\n    MaximumMessageSize: "
          "1024\n    RedrivePolicy:\n      deadLetterTargetArn: three\n      maxReceiveCount: 100\n  three:\n    " +
          defaults + "  four:\n    " + defaults);
}

TEST(Convert, WhatIsWrongWithAFileOfGoaws) {
  EXPECT_THAT(converted("Local:\n  Queues:\n    - {}\n").problems, ElementsAre("f:3:7: the queue has no Name"));
  EXPECT_THAT(converted("Local:\n  Queues:\n    - {Name: a, RedrivePolicy: x}\n").problems,
              ElementsAre("f:3:32: 'RedrivePolicy' has to have a deadLetterTargetArn and a maxReceiveCount"));
  EXPECT_THAT(converted("Local: x\n", Origin::goaws).problems,
              ElementsAre("f:1:8: the environment 'Local' has to be a map"));
  EXPECT_THAT(converted("[]\n", Origin::goaws).problems,
              ElementsAre("f:1:1: the file has no environment, such as Local"));
  EXPECT_THAT(converted("Local: [\n", Origin::goaws).problems.front(), testing::StartsWith("f:"));
}

TEST(Convert, WhoseFileItIsIsSeenOrSaid) {
  EXPECT_THAT(converted("a = 1\n").problems,
              ElementsAre("f: it is not to be seen whether this is a file of ElasticMQ or of "
                          "goaws; --from elasticmq or --from goaws says so"));
  EXPECT_EQ(converted("a = 1\n", Origin::elasticmq).notes,
            std::vector<std::string>{"f:1:1: 'a' has no counterpart, and is left out"});
  EXPECT_EQ(origin_called("elasticmq"), Origin::elasticmq);
  EXPECT_EQ(origin_called("goaws"), Origin::goaws);
  EXPECT_EQ(origin_called("sqs"), std::nullopt);
}

}  // namespace
}  // namespace penstock::config
