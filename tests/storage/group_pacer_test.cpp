#include "storage/group_pacer.hpp"

#include <gtest/gtest.h>

namespace penstock::storage {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(GroupPacer, DoesNotPauseWithoutAGroupBefore) {
  GroupPacer pacer;
  EXPECT_FALSE(pacer.pause(5));
}

TEST(GroupPacer, DoesNotPauseWhereSyncsAreFast) {
  GroupPacer pacer;
  pacer.finished(30, microseconds{150});
  EXPECT_FALSE(pacer.pause(5));
}

TEST(GroupPacer, WaitsForThoseWhoWereJustAnsweredAPartOfASync) {
  GroupPacer pacer;
  pacer.finished(32, milliseconds{2});
  const auto pause = pacer.pause(32);
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->until_changes, 56U);
  EXPECT_EQ(pause->at_most, microseconds{500});
  EXPECT_FALSE(pacer.pause(40)) << "once a group";
}

TEST(GroupPacer, NeverWaitsLong) {
  GroupPacer pacer;
  pacer.finished(32, std::chrono::seconds{3});
  EXPECT_EQ(pacer.pause(1)->at_most, milliseconds{2});
}

TEST(GroupPacer, GivesUpWhereNobodyComesBackAndTriesAgainLater) {
  GroupPacer pacer;
  const auto pauses = [&pacer](int groups) {
    int count = 0;
    for (int i = 0; i < groups; ++i) {
      pacer.finished(8, milliseconds{2});
      if (pacer.pause(8)) {
        ++count;
        pacer.paused(false);
      }
    }
    return count;
  };
  EXPECT_EQ(pauses(8), 8);
  EXPECT_EQ(pauses(64), 0);
  EXPECT_EQ(pauses(8), 8);
}

}  // namespace
}  // namespace penstock::storage
