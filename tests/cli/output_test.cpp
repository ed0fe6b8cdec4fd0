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
  EXPECT_EQ(example().text(Drawn::aligned),
            "NAME      BEHIND  LAG\n"
            "billing        7  0\n"
            "x        1234567  2h05m\n");
}

TEST(Table, HasTabsForPrograms) {
  EXPECT_EQ(example().text(Drawn::with_tabs), "NAME\tBEHIND\tLAG\nbilling\t7\t0\nx\t1234567\t2h05m\n");
}

TEST(Table, MayHaveNoRows) { EXPECT_EQ(Table({"A", "B"}).text(Drawn::aligned), "A  B\n"); }

TEST(Table, HasTitlesInBoldWhereThereAreColours) {
  const std::string text = example().text(Drawn::aligned_in_colours);
  EXPECT_TRUE(text.starts_with("\x1b[1mNAME      BEHIND  LAG\x1b[0m\n")) << text;
  EXPECT_EQ(text.find('\x1b', text.find('\n')), std::string::npos) << text;
}

TEST(Table, CountsCharactersAndNotBytes) {
  Table table({"A", "B"});
  table.add({"Grüße", "x"});
  table.add({"plain", "y"});
  EXPECT_EQ(table.text(Drawn::aligned), "A      B\nGrüße  x\nplain  y\n");
}

TEST(Table, KeepsACellOnItsLine) {
  Table table({"A", "B"});
  table.add({"one\ttwo\r\nthree", "\x1b[31m\x7f"});
  EXPECT_EQ(table.text(Drawn::with_tabs), "A\tB\none\\ttwo\\r\\nthree\t\\x1b[31m\\x7f\n");
}

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
