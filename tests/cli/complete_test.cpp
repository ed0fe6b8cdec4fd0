#include "cli/complete.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace penstock::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using Words = std::vector<std::string>;

/// A server that has these, and remembers what it was asked for.
struct Names {
  std::string kind;
  Arguments arguments;
  std::string begin;

  NamesOf source() {
    return [this](std::string_view asked, const Arguments& given, const std::string& typed) {
      kind = asked;
      arguments = given;
      begin = typed;
      return std::vector<std::string>{"alpha", "beta", "queue:jobs"};
    };
  }
};

Words words_for(const Words& line, Names& names, const OfServer& of_server = {}) {
  Words out;
  for (const Candidate& one : candidates_for(line, of_server, names.source()).words) out.push_back(one.word);
  return out;
}

Words words_for(const Words& line) {
  Names names;
  return words_for(line, names);
}

TEST(CandidatesFor, KnowsEveryCommand) {
  const Words offered = words_for({""});
  EXPECT_EQ(offered.size(), all_commands().size() + 1);
  for (const Command& command : all_commands()) EXPECT_THAT(offered, Contains(std::string(command.name)));
}

TEST(CandidatesFor, KnowsEveryFlagOfEveryCommand) {
  for (const Command& command : all_commands()) {
    if (command.run == nullptr) continue;
    const Words offered = words_for({std::string(command.name), "--"});
    for (const Flag& flag : flags_of(command, {})) EXPECT_THAT(offered, Contains("--" + flag.name)) << command.name;
    EXPECT_THAT(offered, Contains("--json")) << command.name;
    EXPECT_THAT(offered, Not(Contains("--words"))) << command.name;
  }
}

TEST(CandidatesFor, KnowsTheFlagsOfTheServer) {
  Names names;
  const OfServer of_server{{}, {}, {}, [] { return std::vector<Flag>{{"durability", "", "fsync|os", "how safe"}}; }};
  EXPECT_THAT(words_for({"serve", "--d"}, names, of_server), ElementsAre("--durability"));
  EXPECT_THAT(words_for({"serve", "--durability", ""}, names, of_server), ElementsAre("fsync", "os"));
}

TEST(CandidatesFor, AsksForNamesWhereTheyStand) {
  Names names;
  EXPECT_THAT(words_for({"send", "a"}, names), ElementsAre("alpha"));
  EXPECT_EQ(names.kind, "QUEUE");
  EXPECT_EQ(names.begin, "a");
  EXPECT_THAT(words_for({"tail", "s", "--consumer", ""}, names), ElementsAre("alpha", "beta", "queue:jobs"));
  EXPECT_EQ(names.kind, "CONSUMER");
  EXPECT_EQ(names.arguments.stream(), "s");
  EXPECT_THAT(words_for({"redrive", "--to=b"}, names), ElementsAre("--to=beta"));
  EXPECT_THAT(words_for({"mapping", "add", "queue:"}, names), ElementsAre("queue:jobs"));
  EXPECT_EQ(names.kind, "SOURCE");
  words_for({"mapping", "add", "queue:jobs", ""}, names);
  EXPECT_EQ(names.kind, "FUNCTION");
}

TEST(CandidatesFor, KnowsWhichServerTheLineMeans) {
  Names names;
  words_for({"peek", "--endpoint", "http://there", "--region=eu-west-1", "--account", "111111111111", ""}, names);
  EXPECT_EQ(names.arguments.endpoint, "http://there");
  EXPECT_EQ(names.arguments.region, "eu-west-1");
  EXPECT_EQ(names.arguments.account, "111111111111");
}

TEST(CandidatesFor, GoesByTheFormOfACommand) {
  EXPECT_THAT(words_for({"function", ""}), ElementsAre("add", "list", "show", "remove"));
  EXPECT_THAT(words_for({"function", "list", ""}), IsEmpty());
  EXPECT_THAT(words_for({"state", ""}), ElementsAre("reset", "export", "import"));
  EXPECT_THAT(words_for({"function", "show", "a"}), ElementsAre("alpha"));
  // A new name is nobody's.
  EXPECT_THAT(words_for({"function", "add", ""}), IsEmpty());
  EXPECT_THAT(words_for({"send", "alpha", ""}), IsEmpty());
}

TEST(CandidatesFor, LeavesFilesToTheShell) {
  Names names;
  EXPECT_TRUE(candidates_for({"config", "check", ""}, {}, names.source()).files);
  EXPECT_TRUE(candidates_for({"function", "add", "f", "--directory", ""}, {}, names.source()).files);
  EXPECT_TRUE(candidates_for({"function", "add", "f", "--", ""}, {}, names.source()).files);
  EXPECT_TRUE(candidates_for({"state", "import", ""}, {}, names.source()).files);
  EXPECT_FALSE(candidates_for({"state", "export", ""}, {}, names.source()).files);
  EXPECT_FALSE(candidates_for({"send", ""}, {}, names.source()).files);
}

TEST(CandidatesFor, HasNoNamesOfAServerThatIsNotThere) {
  const NamesOf none = [](std::string_view, const Arguments&, const std::string&) -> std::vector<std::string> {
    throw std::runtime_error("there is none");
  };
  EXPECT_THAT(candidates_for({"send", ""}, {}, none).words, IsEmpty());
}

TEST(CandidatesFor, HasNothingForWhatThereIsNot) {
  EXPECT_THAT(words_for({}), IsEmpty());
  EXPECT_THAT(words_for({"no-such-command", ""}), IsEmpty());
  EXPECT_THAT(words_for({"send", "--no-such-flag="}), IsEmpty());
}

TEST(SplitLine, ReadsAsAShellDoes) {
  EXPECT_THAT(split_line(""), ElementsAre(""));
  EXPECT_THAT(split_line("penstock"), ElementsAre("penstock"));
  EXPECT_THAT(split_line("penstock  send "), ElementsAre("penstock", "send", ""));
  EXPECT_THAT(split_line("a 'b c' \"d'e\" f\\ g"), ElementsAre("a", "b c", "d'e", "f g"));
  EXPECT_THAT(split_line("a '' b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(split_line("a 'b c"), ElementsAre("a", "b c"));
}

TEST(Usage, ListsEveryCommandWithinAnOrdinaryTerminal) {
  constexpr std::size_t width = 120;
  const std::string text = usage_text();
  for (const Command& command : all_commands()) {
    EXPECT_NE(text.find("\n  " + std::string(command.name)), std::string::npos) << command.name;
  }
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find('\n', begin);
    EXPECT_LE(std::min(end, text.size()) - begin, width) << text.substr(begin, width);
  }
}

}  // namespace
}  // namespace penstock::cli
