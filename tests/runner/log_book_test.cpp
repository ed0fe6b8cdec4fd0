#include "runner/log_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "runner/outcomes.hpp"
#include "runner/sandbox.hpp"
#include "runner/text.hpp"

namespace penstock::runner {
namespace {

const FunctionName name{"000000000000", "us-east-1", "f"};
const FunctionName other{"000000000000", "us-east-1", "g"};

TEST(LogBooks, NumberTheirLines) {
  LogBook book;
  for (int i = 1; i <= 5; ++i) book.append(name, "line " + std::to_string(i));
  const FunctionLog log = book.read(name, 2, 2);
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_EQ(log.lines[0].number, 3U);
  EXPECT_EQ(log.lines[0].text, "line 3");
  EXPECT_EQ(log.dropped, 0U);
  EXPECT_TRUE(book.read(name, 5, 2).lines.empty());
  EXPECT_TRUE(book.read(other, 0, 2).lines.empty());
}

TEST(LogBooks, GiveNumbersThatOnlyGrow) {
  LogBook book({.functions_max = 1}, 1'000);
  book.append(name, "a");
  book.append(name, "b");
  EXPECT_EQ(book.read(name, 0, 10).lines.front().number, 1'001U);
  EXPECT_EQ(book.read(name, 0, 10).dropped, 0U) << "there never were any before";
  EXPECT_EQ(book.read(name, 400, 10).lines.size(), 2U) << "who followed a server before goes on with all of this one's";
  EXPECT_EQ(book.read(name, 400, 10).dropped, 0U);
  EXPECT_EQ(book.read(name, 1'001, 10).lines.front().text, "b");
  EXPECT_EQ(book.read(name, 9'000, 10).lines.size(), 2U) << "a number that was never given is none to go on behind";
  book.append(other, "makes room");
  book.append(name, "c");
  EXPECT_EQ(book.read(name, 1'002, 10).lines.front().text, "c") << "a log that was dropped begins behind what it had";
}

TEST(LogBooks, DropTheOldestLinesAndSaySo) {
  LogBook book({.lines_per_function_max = 3});
  for (int i = 1; i <= 5; ++i) book.append(name, std::to_string(i));
  const FunctionLog log = book.read(name, 1, 10);
  ASSERT_EQ(log.lines.size(), 3U);
  EXPECT_EQ(log.lines[0].number, 3U);
  EXPECT_EQ(log.dropped, 1U);
}

TEST(LogBooks, ShareTheirRoomAtTheCostOfTheSilent) {
  LogBook book({.bytes_max = 3'000});
  book.append(other, std::string(1'000, 'x'));
  for (int i = 0; i < 4; ++i) book.append(name, std::string(800, 'x'));
  EXPECT_TRUE(book.read(other, 0, 10).lines.empty());
  EXPECT_EQ(book.read(other, 0, 10).dropped, 1U);
  EXPECT_EQ(book.read(name, 0, 10).lines.size(), 3U);
}

TEST(LogBooks, KeepSoManyFunctions) {
  LogBook book({.functions_max = 1});
  bool heard = false;
  LogBook::Reader reader;
  ASSERT_TRUE(book.wait(
      name, [&] { heard = true; }, reader));
  book.append(other, "x");
  EXPECT_TRUE(heard) << "who waits for a log that is dropped is not forgotten";
}

TEST(LogBooks, CallWhoWaits) {
  LogBook book({.readers_max = 2});
  int heard = 0;
  LogBook::Reader first;
  LogBook::Reader second;
  LogBook::Reader third;
  ASSERT_TRUE(book.wait(
      name, [&] { ++heard; }, first));
  ASSERT_TRUE(book.wait(
      name, [&] { ++heard; }, second));
  EXPECT_FALSE(book.wait(
      name, [&] { ++heard; }, third))
      << "there are too many";
  book.cancel(name, second);
  book.append(name, "x");
  book.append(name, "y");
  EXPECT_EQ(heard, 1);
}

TEST(LogBooks, KeepTheLast4KiBOfAnInvocation) {
  LogBook book;
  InvocationLog log(book, name);
  log.start("id");
  for (int i = 0; i < 10'000; ++i) log.line("a line of no interest");
  RunOutcome outcome;
  log.end("id", 128, 1.234, 0, outcome);
  EXPECT_LE(outcome.log_tail.size(), 4'096U);
  EXPECT_GT(outcome.log_tail.size(), 4'000U);
  EXPECT_TRUE(outcome.log_tail.starts_with("a line of no interest\n"));
  EXPECT_TRUE(outcome.log_tail.ends_with(
      "\nEND RequestId: id\n"
      "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 0 MB\n"));
}

TEST(Lines, AreBrokenWhereTheyAreTooLong) {
  LineBreaker breaker(4);
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  breaker.add("ab\ncdefgh", take);
  breaker.add("i\r\n\n", take);
  breaker.add("tail", take);
  breaker.add("s", take);
  breaker.flush(take);
  EXPECT_THAT(lines, testing::ElementsAre("ab", "cdef", "ghi", "", "tail", "s"));
}

TEST(Texts, BecomeJsonWhateverTheyHold) {
  EXPECT_EQ(json_string("a\"\\\n\t\x01 ä€😀"), "\"a\\\"\\\\\\n\\t\\u0001 ä€😀\"");
  EXPECT_EQ(json_string("\xff\xc0\x80 \xed\xa0\x80 \xe2\x82"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(Texts, ComeFromBase64) {
  EXPECT_EQ(decode_base64("bGluZQo="), "line\n");
  EXPECT_EQ(decode_base64("bGluZQo"), "line\n");
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("bGl\n"), std::nullopt);
  EXPECT_EQ(decode_base64("A"), std::nullopt);
}

TEST(Ends, AreInTheServicesWords) {
  EXPECT_EQ(exit_text(0), "Runtime exited without providing a reason");
  EXPECT_EQ(exit_text(127 << 8), "Runtime exited with error: exit status 127");
  EXPECT_EQ(exit_text(9), "Runtime exited with error: signal: killed");
  EXPECT_EQ(exit_text(11 | 128), "Runtime exited with error: signal: segmentation fault (core dumped)");
}

}  // namespace
}  // namespace penstock::runner
