#include "protocol/times.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace penstock::protocol {
namespace {

using namespace std::chrono_literals;
using Moment = std::chrono::sys_time<std::chrono::milliseconds>;

Moment at(std::chrono::sys_days day, std::chrono::milliseconds time) { return day + time; }

TEST(ParseTime, TakesSecondsSince1970) {
  EXPECT_EQ(parse_time("0"), Moment{0ms});
  EXPECT_EQ(parse_time("1900000000"), Moment{1'900'000'000s});
  EXPECT_EQ(parse_time("1900000000.25"), Moment{1'900'000'000'250ms});
  EXPECT_EQ(parse_time("1900000000.123456"), Moment{1'900'000'000'123ms});
}

TEST(ParseTime, TakesDatesAndTimesOfDay) {
  using namespace std::chrono;
  constexpr sys_days day = 2030y / January / 31;
  EXPECT_EQ(parse_time("2030-01-31"), at(day, 0ms));
  EXPECT_EQ(parse_time("2030-01-31T12:34"), at(day, 12h + 34min));
  EXPECT_EQ(parse_time("2030-01-31 12:34:56"), at(day, 12h + 34min + 56s));
  EXPECT_EQ(parse_time("2030-01-31T12:34:56Z"), at(day, 12h + 34min + 56s));
  EXPECT_EQ(parse_time("2030-01-31t12:34:56.5z"), at(day, 12h + 34min + 56s + 500ms));
  EXPECT_EQ(parse_time("2030-01-31T12:34:56,789+02:00"), at(day, 10h + 34min + 56s + 789ms));
  EXPECT_EQ(parse_time("2030-01-31T12:34-0530"), at(day, 18h + 4min));
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  for (const char* text : {"", "yesterday", "-1", "1e9", "1900000000.", "1234567890123", "2030-13-01", "2030-02-30",
                           "2030-1-1", "2030-01-31T", "2030-01-31T24:00", "2030-01-31T12:60", "2030-01-31T12:34:56.",
                           "2030-01-31T12:34:56Y", "2030-01-31T12:34+", "2030-01-31T12:34Z "}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(Durations, AreNumbersWithUnits) {
  EXPECT_EQ(parse_duration("90"), 90s);
  EXPECT_EQ(parse_duration("1.5"), 1500ms);
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("12h30m"), 12h + 30min);
  EXPECT_EQ(parse_duration("1d2h3m4s5ms"), 26h + 3min + 4s + 5ms);
  EXPECT_EQ(parse_duration("1.5h"), 90min);
  EXPECT_EQ(parse_duration("10000d"), std::chrono::days{10'000});
  for (const char* wrong : {"", "s", "1x", "-1s", "1h2", "1 h", "10001d", "999999999999d", "1h next"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(Times, AreWrittenAsTheyAreRead) {
  const auto moment = parse_time("2030-01-31T12:34:56.789Z");
  ASSERT_TRUE(moment);
  EXPECT_EQ(format_time(*moment), "2030-01-31T12:34:56.789Z");
}

}  // namespace
}  // namespace penstock::protocol
