// The simulation of mappings of streams as a test, and the test of that simulation: every defect has to be noticed.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>

#include "settings.hpp"
#include "trigger_stream_world.hpp"

namespace penstock::sim {
namespace {

std::string describe(const TriggerStreamHistory& history) {
  std::string text;
  const auto add = [&](const char* name, std::uint64_t count) {
    text += std::string(name) + " " + std::to_string(count) + ", ";
  };
  add("puts", history.puts);
  add("invocations", history.invocations);
  add("done", history.done);
  add("failures", history.failures);
  add("partial", history.partial);
  add("garbage", history.garbage);
  add("throttles", history.throttles);
  add("reports", history.reports);
  add("given up", history.given_up);
  add("splits", history.splits);
  add("merges", history.merges);
  add("crashes", history.crashes);
  add("of power", history.power_losses);
  add("changes", history.changes);
  add("final windows", history.final_windows);
  add("unreached", history.unreached);
  add("recreations", history.recreations);
  add("expiries", history.expiries);
  add("consumers", history.consumers);
  add("timestamps", history.timestamps);
  return text;
}

void expect_that_all_happened(const TriggerStreamHistory& history, std::uint64_t seeds) {
  EXPECT_GT(history.puts, 40 * seeds);
  EXPECT_GT(history.done, 20 * seeds);
  EXPECT_GT(history.invocations, 20 * seeds);
  EXPECT_GT(history.failures, seeds);
  EXPECT_GT(history.partial, seeds / 4);
  EXPECT_GT(history.garbage, seeds / 4);
  EXPECT_GT(history.throttles, seeds / 2);
  EXPECT_GT(history.reports, seeds / 8);
  EXPECT_GT(history.given_up, seeds / 8);
  EXPECT_GT(history.splits, seeds);
  EXPECT_GT(history.merges, seeds / 4);
  EXPECT_GT(history.crashes, seeds);
  EXPECT_GT(history.power_losses, seeds / 2);
  EXPECT_GT(history.changes, seeds / 2);
  EXPECT_GT(history.final_windows, seeds / 4);
  EXPECT_GT(history.unreached, seeds / 2);
  EXPECT_GT(history.recreations, seeds / 8);
  EXPECT_GT(history.expiries, seeds / 8);
  EXPECT_GT(history.consumers, seeds / 8);
  EXPECT_GT(history.timestamps, seeds / 8);
}

TEST(TriggerStreamSimulation, KeepsEveryPromise) {
  const Seeds seeds = seeds_to_run(500);
  TriggerStreamHistory all;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    TriggerStreamWorld world({.seed = seed});
    const std::string broken = world.run();
    ASSERT_TRUE(broken.empty()) << broken << "\nreplay with PENSTOCK_SIM_SEED=" << seed;
    all.add(world.counts());
  }
  std::cout << describe(all) << "\n";
  if (seeds.count() > 1) expect_that_all_happened(all, seeds.count());
}

TEST(TriggerStreamSimulation, ASeedReplaysItsHistory) {
  for (const std::uint64_t seed : {7U, 8U}) {
    TriggerStreamWorld first({.seed = seed});
    TriggerStreamWorld second({.seed = seed});
    first.run();
    second.run();
    EXPECT_EQ(describe(first.counts()), describe(second.counts()));
  }
}

struct TriggerStreamDefectCase {
  TriggerStreamDefect defect;
  const char* name;
};

class TriggerStreamSimulationNotices : public ::testing::TestWithParam<TriggerStreamDefectCase> {};

TEST_P(TriggerStreamSimulationNotices, TheDefect) {
  constexpr std::uint64_t seeds_max = 200;
  for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
    TriggerStreamWorld world({.seed = seed, .defect = GetParam().defect});
    const std::string broken = world.run();
    if (broken.empty()) continue;
    RecordProperty("noticed", broken);
    return;
  }
  FAIL() << seeds_max << " histories with " << GetParam().name << ", and nothing was noticed";
}

INSTANTIATE_TEST_SUITE_P(
    Defects, TriggerStreamSimulationNotices,
    ::testing::Values(TriggerStreamDefectCase{TriggerStreamDefect::checkpoint_ahead, "CheckpointAhead"},
                      TriggerStreamDefectCase{TriggerStreamDefect::checkpoint_not_kept, "CheckpointNotKept"},
                      TriggerStreamDefectCase{TriggerStreamDefect::start_not_kept, "StartNotKept"},
                      TriggerStreamDefectCase{TriggerStreamDefect::record_left_out, "RecordLeftOut"},
                      TriggerStreamDefectCase{TriggerStreamDefect::records_swapped, "RecordsSwapped"},
                      TriggerStreamDefectCase{TriggerStreamDefect::failure_taken_as_done, "FailureTakenAsDone"},
                      TriggerStreamDefectCase{TriggerStreamDefect::partial_taken_as_done, "PartialTakenAsDone"},
                      TriggerStreamDefectCase{TriggerStreamDefect::garbage_taken_as_done, "GarbageTakenAsDone"},
                      TriggerStreamDefectCase{TriggerStreamDefect::unknown_id_passed_over, "UnknownIdPassedOver"},
                      TriggerStreamDefectCase{TriggerStreamDefect::throttle_counted, "ThrottleCounted"},
                      TriggerStreamDefectCase{TriggerStreamDefect::given_up_early, "GivenUpEarly"},
                      TriggerStreamDefectCase{TriggerStreamDefect::report_not_awaited, "ReportNotAwaited"},
                      TriggerStreamDefectCase{TriggerStreamDefect::keys_in_any_lane, "KeysInAnyLane"},
                      TriggerStreamDefectCase{TriggerStreamDefect::lineage_ignored, "LineageIgnored"},
                      TriggerStreamDefectCase{TriggerStreamDefect::too_many_at_a_time, "TooManyAtATime"},
                      TriggerStreamDefectCase{TriggerStreamDefect::wake_lost, "WakeLost"},
                      TriggerStreamDefectCase{TriggerStreamDefect::state_not_handed_on, "StateNotHandedOn"},
                      TriggerStreamDefectCase{TriggerStreamDefect::state_not_kept, "StateNotKept"},
                      TriggerStreamDefectCase{TriggerStreamDefect::away_counted, "AwayCounted"},
                      TriggerStreamDefectCase{TriggerStreamDefect::start_ignored, "StartIgnored"},
                      TriggerStreamDefectCase{TriggerStreamDefect::consumer_ignored, "ConsumerIgnored"},
                      TriggerStreamDefectCase{TriggerStreamDefect::missing_stream_given_up, "MissingStreamGivenUp"},
                      TriggerStreamDefectCase{TriggerStreamDefect::expired_waited_for, "ExpiredWaitedFor"},
                      TriggerStreamDefectCase{TriggerStreamDefect::shard_starved, "ShardStarved"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace penstock::sim
