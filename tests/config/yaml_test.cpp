#include "config/yaml.hpp"

#include <gmock/gmock.h>

#include <random>
#include <string>

#include "config/problems.hpp"
#include "config/setup.hpp"
#include "config/value.hpp"

namespace penstock::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// As JSON, or what is wrong.
std::string read(const std::string& text) {
  Problems problems("f.yaml");
  const auto value = read_yaml(text, problems);
  if (value) return to_json(*value);
  std::string lines;
  for (const std::string& line : problems.lines()) lines += line + "\n";
  return lines;
}

TEST(Yaml, PlainWordsAreWhatTheyLookLike) {
  EXPECT_EQ(read("a: [1, -2.5e3, true, False, ~, null, word, 'true', \"1\"]"),
            R"({"a":[1,-2.5e3,true,false,null,null,"word","true","1"]})");
}

TEST(Yaml, OfVersion11MoreWordsAreTruthValues) {
  Problems problems("f.yaml");
  const auto value =
      read_yaml("a: [yes, No, ON, off, 'yes', \"no\", yES, y, n]\non: yes\nNo: no\n", problems, Words::yaml_1_1);
  ASSERT_TRUE(value);
  EXPECT_EQ(to_json(*value), R"({"a":[true,false,true,false,"yes","no","yES","y","n"],"on":true,"No":false})");
}

TEST(Yaml, WhatIsNoNumberOfJsonIsAText) {
  EXPECT_EQ(read("a: [000000000012, 0x10, +1, .5, 1., 1e, -, yes]"),
            R"({"a":["000000000012","0x10","+1",".5","1.","1e","-","yes"]})");
}

TEST(Yaml, NothingIsNull) {
  EXPECT_EQ(read(""), "null");
  EXPECT_EQ(read("# only a comment\n"), "null");
  EXPECT_EQ(read("queues:\n  jobs:\n"), R"({"queues":{"jobs":null}})");
}

TEST(Yaml, AliasesAndMergesAreResolved) {
  EXPECT_EQ(read("x: &x {a: 1, b: [2]}\ny: *x\nz: {<<: *x, a: 3}\n"),
            R"({"x":{"a":1,"b":[2]},"y":{"a":1,"b":[2]},"z":{"a":3,"b":[2]}})");
  EXPECT_EQ(read("p: &p {a: 1}\nq: &q {a: 2, b: 2}\nr: {<<: [*p, *q]}\n"),
            R"({"p":{"a":1},"q":{"a":2,"b":2},"r":{"a":1,"b":2}})");
}

TEST(Yaml, ATabThatIndentsIsToldByItsName) {
  const std::string told = " is indented by a tab, for which YAML has spaces alone";
  EXPECT_THAT(read("queues:\n\tjobs:\n\t\tDelaySeconds: 1\n"), HasSubstr("; line 2" + told));
  EXPECT_THAT(read("queues:\n  jobs:\n  \tDelaySeconds: 1\n"), HasSubstr("; line 3" + told));
  EXPECT_THAT(read("a: [1,\n\t2]\nb: c: d\n"), testing::Not(HasSubstr("tab")));
}

TEST(Yaml, EveryValueKnowsItsPlace) {
  Problems problems("f.yaml");
  const auto value = read_yaml("queues:\n  jobs:\n    VisibilityTimeout: 60\n", problems);
  ASSERT_TRUE(value);
  const Value& jobs = *value->find("queues")->find("jobs");
  EXPECT_EQ(value->find("queues")->members.front().at, (Position{2, 3}));
  EXPECT_EQ(jobs.members.front().at, (Position{3, 5}));
  EXPECT_EQ(jobs.find("VisibilityTimeout")->at, (Position{3, 24}));
}

TEST(Yaml, KeysThatAreThereTwiceAreToldOfWithTheirPlaces) {
  EXPECT_EQ(read("a: 1\nb: 2\na: 3\nb: 4\n"), "f.yaml:3:1: 'a' is there twice\nf.yaml:4:1: 'b' is there twice\n");
}

TEST(Yaml, WhatIsNoYamlIsToldOfWithItsPlace) {
  EXPECT_THAT(read("a: [1, 2\nb: 3\n"), HasSubstr("f.yaml:2:"));
  EXPECT_THAT(read("a: *unknown\n"), HasSubstr("f.yaml:1:4: "));
  EXPECT_EQ(read("a: 1\n---\nb: 2\n"), "f.yaml:2:1: there is more than one document\n");
  EXPECT_EQ(read("? [a]\n: 1\n"), "f.yaml:1:3: a key has to be a text\n");
  EXPECT_EQ(read("a: {<<: 1}\n"), "f.yaml:1:9: only maps can be merged\n");
  EXPECT_THAT(read("a: \xff\n"), HasSubstr("no text in UTF-8"));
  EXPECT_THAT(read(std::string("a: \0b\n", 6)), HasSubstr("no text in UTF-8"));
}

TEST(Yaml, AnAliasWithinItsAnchorHasNoEnd) { EXPECT_THAT(read("a: &x [1, *x]\n"), HasSubstr("f.yaml:1:11: ")); }

TEST(Yaml, BombsOfAliasesDoNotGoOff) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) text += ", " + before;
    text += "]\n";
  }
  EXPECT_THAT(read(text), HasSubstr("there are more than 50000 values"));
}

TEST(Yaml, DepthAndSizeAreBounded) {
  EXPECT_THAT(read(std::string(100'000, '[')), HasSubstr("f.yaml:1:"));
  EXPECT_THAT(read(std::string(100, '[') + std::string(100, ']')), HasSubstr("stand within each other"));
  std::string blocks;
  for (int i = 0; i < 100; ++i) blocks += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(read(blocks), HasSubstr("stand within each other"));
  EXPECT_THAT(read(std::string(yaml_bytes_max + 1, '#')), HasSubstr("is larger than"));
  EXPECT_THAT(read("[" + std::string(200'000, ',') + "]"), HasSubstr("f.yaml:1:"));
}

TEST(Yaml, ProblemsAreKeptToANumberAndCounted) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a: 1\n";
  Problems problems("f.yaml");
  EXPECT_FALSE(read_yaml(text, problems));
  EXPECT_EQ(problems.count(), 199);
  ASSERT_EQ(problems.lines().size(), Problems::kept_max + 1);
  EXPECT_EQ(problems.lines().back(), "f.yaml: and 149 more problems");
}

// Whatever a file is damaged to, it is read or refused with a place, and never more than that.
TEST(Yaml, DamageIsRefusedOrRead) {
  const std::string whole = R"(
settings: {port: 4566, host: [127.0.0.1, "::1"]}
queues:
  orders: &orders {VisibilityTimeout: 60, RedrivePolicy: {deadLetterTargetArn: dead, maxReceiveCount: 3}}
  more: {<<: *orders, Tags: {a: "b"}}
  dead:
streams: {sales: {ShardCount: 2, Consumers: [one, two]}}
functions:
  f: {Runtime: python3.11, Handler: a.b, Environment: {X1: 'y'}}
mappings:
  - {EventSource: queue:orders, FunctionName: f, BatchSize: 10}
)";
  std::mt19937 random(20'260'101);
  constexpr std::string_view alphabet = "{}[]:,&*!|>'\"%@`#-?\n\t <\\~0aZ\x80";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = whole;
    for (int damage = std::uniform_int_distribution<>(1, 6)(random); damage > 0; --damage) {
      const std::size_t at = std::uniform_int_distribution<std::size_t>(0, text.size() - 1)(random);
      switch (random() % 3) {
        case 0:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 5);
          break;
        default:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
      }
      if (text.empty()) text = "\n";
    }
    Problems problems("f.yaml");
    const auto value = read_yaml(text, problems);
    EXPECT_EQ(value.has_value(), problems.empty()) << text;
    if (value) {
      EXPECT_TRUE(from_json(to_json(*value))) << text;
      read_setup(*value, problems);
    }
    for (const std::string& line : problems.lines()) EXPECT_THAT(line, testing::StartsWith("f.yaml:"));
  }
}

TEST(Values, AgreeWhereWhatIsWantedIsThere) {
  const auto agree = [](const char* wanted, const char* actual) {
    return agrees(*from_json(wanted), *from_json(actual));
  };
  EXPECT_TRUE(agree(R"({"a":3})", R"({"a":"3","b":1})"));
  EXPECT_TRUE(agree(R"({"a":1.0})", R"({"a":1})"));
  EXPECT_TRUE(agree(R"({"a":{"Filters":[]},"b":false})", "{}"));
  EXPECT_FALSE(agree(R"({"a":3})", R"({"a":4})"));
  EXPECT_FALSE(agree(R"({"a":[1]})", R"({"a":[1,2]})"));
  EXPECT_FALSE(agree(R"({"a":"x"})", "{}"));
  EXPECT_TRUE(is_same(*from_json(R"({"a":1})"), *from_json(R"({"a":"1"})")));
  EXPECT_FALSE(is_same(*from_json(R"({"a":1})"), *from_json(R"({"a":1,"b":2})")));
}

}  // namespace
}  // namespace penstock::config
