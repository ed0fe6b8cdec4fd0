#include "cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace penstock::cli {
namespace {

using namespace std::chrono_literals;

TEST(ParseStart, KnowsHorizonLatestAndTimes) {
  using At = client::Start::At;
  EXPECT_EQ(parse_start("horizon")->at, At::trim_horizon);
  EXPECT_EQ(parse_start("latest")->at, At::latest);
  EXPECT_EQ(parse_start("5")->at, At::timestamp);
  EXPECT_EQ(parse_start("5")->timestamp, client::Moment{5s});
  EXPECT_FALSE(parse_start("TRIM_HORIZON"));
}

}  // namespace
}  // namespace penstock::cli
