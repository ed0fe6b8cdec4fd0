#include "cli/output.hpp"

#include <gtest/gtest.h>

namespace penstock::cli {
namespace {

Table example() {
  Table table({"NAME", "BEHIND", "LAG"});
  table.add({"billing", "7", "0"});
  table.add({"x", "1234567", "2h05m"});
  return table;
}

TEST(Table, StandsInColumnsForPeople) {
  EXPECT_EQ(example().text(true),
            "NAME      BEHIND  LAG\n"
            "billing        7  0\n"
            "x        1234567  2h05m\n");
}

TEST(Table, HasTabsForPrograms) {
  EXPECT_EQ(example().text(false), "NAME\tBEHIND\tLAG\nbilling\t7\t0\nx\t1234567\t2h05m\n");
}

TEST(Table, MayHaveNoRows) { EXPECT_EQ(Table({"A", "B"}).text(true), "A  B\n"); }

TEST(DurationText, HasTheTwoLargestUnits) {
  constexpr std::int64_t hour = 3'600'000;
  EXPECT_EQ(duration_text(0), "0");
  EXPECT_EQ(duration_text(350), "350ms");
  EXPECT_EQ(duration_text(12'345), "12.3s");
  EXPECT_EQ(duration_text(303'000), "5m03s");
  EXPECT_EQ(duration_text(2 * hour + 300'000), "2h05m");
  EXPECT_EQ(duration_text(76 * hour), "3d04h");
}

TEST(PlaceText, IsADashAtTheBeginning) {
  EXPECT_EQ(place_text(std::nullopt, std::nullopt), "-");
  EXPECT_EQ(place_text("495", std::nullopt), "495");
  EXPECT_EQ(place_text("495", 3), "495:3");
}

}  // namespace
}  // namespace penstock::cli
