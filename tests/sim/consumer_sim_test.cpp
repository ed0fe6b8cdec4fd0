// The simulation of consumers with positions as a test, and the test of that simulation: every defect has to be
// noticed.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

#include "consumer_world.hpp"
#include "settings.hpp"

namespace penstock::sim {
namespace {

std::string describe(const ConsumerHistory& history) {
  std::string text;
  for (const auto& [what, count] : history) text += std::string(what) + " " + std::to_string(count) + ", ";
  return text;
}

void expect_that_all_happened(const ConsumerHistory& history, std::uint64_t seeds) {
  const auto count = [&](std::string_view what) { return history.contains(what) ? history.at(what) : 0; };
  for (const std::string_view often :
       {"records", "processed", "polls", "crashes", "power losses", "joins", "created"}) {
    EXPECT_GT(count(often), seeds) << often;
  }
  // What is rarer, with as many seeds as a run has unless it is told otherwise.
  if (seeds < 1'000) return;
  for (const std::string_view rare : {"polls that waited",
                                      "heartbeats",
                                      "leaves",
                                      "rests",
                                      "given up",
                                      "lost answers",
                                      "replaced members",
                                      "fenced members",
                                      "commits",
                                      "refused commits",
                                      "forced back",
                                      "transactions",
                                      "transactions tried again",
                                      "resets",
                                      "dry runs",
                                      "lags",
                                      "reshards",
                                      "lost records",
                                      "deleted",
                                      "ephemeral ones over",
                                      "readers",
                                      "held against readers",
                                      "fenced readers",
                                      "read by iterators",
                                      "commits by iterators"}) {
    EXPECT_GT(count(rare), 100U) << rare;
  }
}

TEST(ConsumerSimulation, KeepsEveryPromise) {
  const Seeds seeds = seeds_to_run(4'000);
  ConsumerHistory all;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    ConsumerWorld world({.seed = seed});
    const std::string broken = world.run();
    ASSERT_TRUE(broken.empty()) << broken << "\nreplay with PENSTOCK_SIM_SEED=" << seed;
    for (const auto& [what, count] : world.counts()) all[what] += count;
  }
  std::cout << describe(all) << "\n";
  // A world in which nothing happens would keep every promise too.
  if (seeds.count() > 1) expect_that_all_happened(all, seeds.count());
}

TEST(ConsumerSimulation, ASeedReplaysItsHistory) {
  for (const std::uint64_t seed : {7U, 8U}) {
    ConsumerWorld first({.seed = seed});
    ConsumerWorld second({.seed = seed});
    first.run();
    second.run();
    EXPECT_EQ(first.counts(), second.counts());
  }
}

struct DefectCase {
  ConsumerDefect defect;
  const char* name;
};

class ConsumerSimulationNotices : public ::testing::TestWithParam<DefectCase> {};

TEST_P(ConsumerSimulationNotices, TheDefect) {
  constexpr std::uint64_t seeds_max = 200;
  for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
    ConsumerWorld world({.seed = seed, .defect = GetParam().defect});
    const std::string broken = world.run();
    if (broken.empty()) continue;
    RecordProperty("noticed", broken);
    return;
  }
  FAIL() << seeds_max << " histories with " << GetParam().name << ", and nothing was noticed";
}

INSTANTIATE_TEST_SUITE_P(
    Defects, ConsumerSimulationNotices,
    ::testing::Values(DefectCase{ConsumerDefect::acknowledge_before_commit, "AcknowledgeBeforeCommit"},
                      DefectCase{ConsumerDefect::lease_not_written, "LeaseNotWritten"},
                      DefectCase{ConsumerDefect::lease_not_synced, "LeaseNotSynced"},
                      DefectCase{ConsumerDefect::epoch_forgotten, "EpochForgotten"},
                      DefectCase{ConsumerDefect::epoch_not_grown, "EpochNotGrown"},
                      DefectCase{ConsumerDefect::stale_epoch_accepted, "StaleEpochAccepted"},
                      DefectCase{ConsumerDefect::token_skips, "TokenSkips"},
                      DefectCase{ConsumerDefect::token_ignored, "TokenIgnored"},
                      DefectCase{ConsumerDefect::children_granted_early, "ChildrenGrantedEarly"},
                      DefectCase{ConsumerDefect::transaction_without_records, "TransactionWithoutRecords"},
                      DefectCase{ConsumerDefect::transaction_without_leases, "TransactionWithoutLeases"},
                      DefectCase{ConsumerDefect::transaction_put_twice, "TransactionPutTwice"},
                      DefectCase{ConsumerDefect::transaction_not_settled, "TransactionNotSettled"},
                      DefectCase{ConsumerDefect::key_not_written, "KeyNotWritten"},
                      DefectCase{ConsumerDefect::key_ignored, "KeyIgnored"},
                      DefectCase{ConsumerDefect::reset_not_fenced, "ResetNotFenced"},
                      DefectCase{ConsumerDefect::lost_records_hidden, "LostRecordsHidden"},
                      DefectCase{ConsumerDefect::commit_of_the_first, "CommitOfTheFirst"},
                      DefectCase{ConsumerDefect::backwards_allowed, "BackwardsAllowed"},
                      DefectCase{ConsumerDefect::session_not_checked, "SessionNotChecked"},
                      DefectCase{ConsumerDefect::member_never_dies, "MemberNeverDies"},
                      DefectCase{ConsumerDefect::poll_sleeps, "PollSleeps"},
                      DefectCase{ConsumerDefect::group_left, "GroupLeft"},
                      DefectCase{ConsumerDefect::shards_left_lying, "ShardsLeftLying"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace penstock::sim
