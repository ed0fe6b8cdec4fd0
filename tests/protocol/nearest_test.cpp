#include "protocol/nearest.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace penstock::protocol {
namespace {

const std::vector<std::string> names{"queues", "receive", "redrive", "reset", "purge", "put", "json", "endpoint"};

std::string meant(std::string_view text) { return std::string(nearest_of(text, names).value_or("-")); }

TEST(NearestOf, KnowsSlips) {
  EXPECT_EQ(meant("qeues"), "queues");
  EXPECT_EQ(meant("recieve"), "receive");
  EXPECT_EQ(meant("QUEUES"), "queues");
  EXPECT_EQ(meant("jsno"), "json");
  EXPECT_EQ(meant("purgee"), "purge");
}

TEST(NearestOf, TakesTheNearest) { EXPECT_EQ(meant("reseit"), "reset"); }

TEST(NearestOf, KnowsBeginnings) {
  EXPECT_EQ(meant("end"), "endpoint");
  EXPECT_EQ(meant("re"), "-");
}

TEST(NearestOf, DoesNotGuess) {
  EXPECT_EQ(meant("x"), "-");
  EXPECT_EQ(meant(""), "-");
  EXPECT_EQ(meant("delete"), "-");
  EXPECT_EQ(meant(std::string(1'000'000, 'e')), "-");
}

}  // namespace
}  // namespace penstock::protocol
