// The simulation as a test, and the test of the simulation: every defect has to be noticed.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "settings.hpp"
#include "world.hpp"

namespace penstock::sim {
namespace {

TEST(Simulation, KeepsEveryPromise) {
  const auto [first, last] = seeds_to_run(1'000);
  std::uint64_t deliveries = 0;
  std::uint64_t crashes = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t duplicates = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    World world({.seed = seed});
    const std::string broken = world.run();
    ASSERT_TRUE(broken.empty()) << broken << "\nreplay with PENSTOCK_SIM_SEED=" << seed;
    deliveries += world.deliveries();
    crashes += world.crashes();
    dead_letters += world.dead_letters();
    duplicates += world.duplicates();
  }
  // A world in which nothing happens would keep every promise too.
  EXPECT_GT(deliveries, 20 * (last - first + 1));
  EXPECT_GT(crashes, last - first);
  if (last == first) return;
  EXPECT_GT(dead_letters, last - first);
  EXPECT_GT(duplicates, last - first);
}

TEST(Simulation, ASeedReplaysItsHistory) {
  for (const std::uint64_t seed : {7U, 8U}) {
    World first({.seed = seed});
    World second({.seed = seed});
    first.run();
    second.run();
    EXPECT_EQ(first.deliveries(), second.deliveries());
    EXPECT_EQ(first.crashes(), second.crashes());
  }
}

struct DefectCase {
  Defect defect;
  const char* name;
};

class SimulationNotices : public ::testing::TestWithParam<DefectCase> {};

TEST_P(SimulationNotices, TheDefect) {
  constexpr std::uint64_t seeds_max = 200;
  for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
    World world({.seed = seed, .defect = GetParam().defect});
    if (!world.run().empty()) return;
  }
  FAIL() << seeds_max << " histories with " << GetParam().name << ", and nothing was noticed";
}

INSTANTIATE_TEST_SUITE_P(Defects, SimulationNotices,
                         ::testing::Values(DefectCase{Defect::acknowledge_before_sync, "AcknowledgeBeforeSync"},
                                           DefectCase{Defect::lease_too_short, "LeaseTooShort"},
                                           DefectCase{Defect::delete_not_written, "DeleteNotWritten"},
                                           DefectCase{Defect::delay_ignored, "DelayIgnored"},
                                           DefectCase{Defect::head_not_advanced, "HeadNotAdvanced"},
                                           DefectCase{Defect::group_unlocked_by_send, "GroupUnlockedBySend"},
                                           DefectCase{Defect::dedup_forgotten, "DedupForgotten"},
                                           DefectCase{Defect::dead_letter_lost, "DeadLetterLost"},
                                           DefectCase{Defect::dedup_scope_forgotten, "DedupScopeForgotten"},
                                           DefectCase{Defect::redriven_stays, "RedrivenStays"},
                                           DefectCase{Defect::memory_trusted, "MemoryTrusted"}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace penstock::sim
