// The simulation of streams as a test, and the test of that simulation: every defect has to be noticed.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>

#include "settings.hpp"
#include "stream_world.hpp"

namespace penstock::sim {
namespace {

std::string describe(const StreamHistory& history) {
  std::string text;
  const auto add = [&](const char* name, std::uint64_t count) {
    text += std::string(name) + " " + std::to_string(count) + ", ";
  };
  add("puts", history.puts);
  add("reads", history.reads);
  add("unacknowledged", history.unacknowledged);
  add("passed over", history.passed_over);
  add("crashes", history.crashes);
  add("of power", history.power_losses);
  add("resumed", history.resumed);
  add("splits", history.splits);
  add("merges", history.merges);
  add("recounts", history.recounts);
  add("ends", history.ends);
  add("expired shards", history.expired_shards);
  add("lengthened", history.lengthened);
  add("shortened", history.shortened);
  add("pushed", history.pushed);
  add("heartbeats", history.heartbeats);
  add("takeovers", history.takeovers);
  add("refused takeovers", history.refused_takeovers);
  add("outlived", history.outlived);
  add("deleted", history.deleted);
  add("recreated", history.recreated);
  add("throttled", history.throttled);
  for (const auto& [type, count] : history.starts) add("started", count);
  return text;
}

void expect_that_all_happened(const StreamHistory& history, std::uint64_t seeds) {
  EXPECT_GT(history.puts, 40 * seeds);
  EXPECT_GT(history.reads, 40 * seeds);
  EXPECT_GT(history.pushed, seeds);
  EXPECT_GT(history.crashes, seeds);
  EXPECT_GT(history.power_losses, seeds / 2);
  EXPECT_GT(history.resumed, seeds / 4);
  EXPECT_GT(history.splits, seeds / 4);
  EXPECT_GT(history.merges, seeds / 8);
  EXPECT_GT(history.recounts, seeds / 8);
  EXPECT_GT(history.ends, seeds / 4);
  for (const IteratorType type : {IteratorType::at_sequence_number, IteratorType::after_sequence_number,
                                  IteratorType::trim_horizon, IteratorType::latest, IteratorType::at_timestamp}) {
    EXPECT_GT(history.starts.contains(type) ? history.starts.at(type) : 0, seeds);
  }
  // What is rare, with as many seeds as a run has unless it is told otherwise.
  if (seeds < 1'000) return;
  EXPECT_GT(history.unacknowledged, 10U);
  EXPECT_GT(history.passed_over, 10U);
  EXPECT_GT(history.expired_shards, 10U);
  EXPECT_GT(history.lengthened, 10U);
  EXPECT_GT(history.shortened, 10U);
  EXPECT_GT(history.heartbeats, 10U);
  EXPECT_GT(history.takeovers, 10U);
  EXPECT_GT(history.refused_takeovers, 10U);
  EXPECT_GT(history.outlived, 10U);
  EXPECT_GT(history.deleted, 10U);
  EXPECT_GT(history.recreated, 10U);
  EXPECT_GT(history.throttled, 10U);
}

TEST(StreamSimulation, KeepsEveryPromise) {
  const Seeds seeds = seeds_to_run(2'000);
  StreamHistory all;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    StreamWorld world({.seed = seed});
    const std::string broken = world.run();
    ASSERT_TRUE(broken.empty()) << broken << "\nreplay with PENSTOCK_SIM_SEED=" << seed;
    all.add(world.counts());
  }
  std::cout << describe(all) << "\n";
  // A world in which nothing happens would keep every promise too.
  if (seeds.count() > 1) expect_that_all_happened(all, seeds.count());
}

TEST(StreamSimulation, ASeedReplaysItsHistory) {
  for (const std::uint64_t seed : {7U, 8U}) {
    StreamWorld first({.seed = seed});
    StreamWorld second({.seed = seed});
    first.run();
    second.run();
    EXPECT_EQ(first.counts().puts, second.counts().puts);
    EXPECT_EQ(first.counts().reads, second.counts().reads);
    EXPECT_EQ(first.counts().crashes, second.counts().crashes);
  }
}

struct DefectCase {
  StreamDefect defect;
  const char* name;
};

class StreamSimulationNotices : public ::testing::TestWithParam<DefectCase> {};

TEST_P(StreamSimulationNotices, TheDefect) {
  constexpr std::uint64_t seeds_max = 200;
  for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
    StreamWorld world({.seed = seed, .defect = GetParam().defect});
    const std::string broken = world.run();
    if (broken.empty()) continue;
    RecordProperty("noticed", broken);
    return;
  }
  FAIL() << seeds_max << " histories with " << GetParam().name << ", and nothing was noticed";
}

INSTANTIATE_TEST_SUITE_P(Defects, StreamSimulationNotices,
                         ::testing::Values(DefectCase{StreamDefect::acknowledge_before_commit,
                                                      "AcknowledgeBeforeCommit"},
                                           DefectCase{StreamDefect::data_altered, "DataAltered"},
                                           DefectCase{StreamDefect::record_dropped, "RecordDropped"},
                                           DefectCase{StreamDefect::records_swapped, "RecordsSwapped"},
                                           DefectCase{StreamDefect::index_reused, "IndexReused"},
                                           DefectCase{StreamDefect::cursor_not_written, "CursorNotWritten"},
                                           DefectCase{StreamDefect::split_leaves_hole, "SplitLeavesHole"},
                                           DefectCase{StreamDefect::parent_left_open, "ParentLeftOpen"},
                                           DefectCase{StreamDefect::trimmed_too_early, "TrimmedTooEarly"},
                                           DefectCase{StreamDefect::expired_returned, "ExpiredReturned"},
                                           DefectCase{StreamDefect::retention_forgotten, "RetentionForgotten"},
                                           DefectCase{StreamDefect::floor_forgotten, "FloorForgotten"},
                                           DefectCase{StreamDefect::latest_not_fixed, "LatestNotFixed"},
                                           DefectCase{StreamDefect::shard_ends_early, "ShardEndsEarly"},
                                           DefectCase{StreamDefect::subscription_skips, "SubscriptionSkips"},
                                           DefectCase{StreamDefect::subscription_repeats, "SubscriptionRepeats"},
                                           DefectCase{StreamDefect::subscription_sleeps, "SubscriptionSleeps"},
                                           DefectCase{StreamDefect::heartbeat_missed, "HeartbeatMissed"},
                                           DefectCase{StreamDefect::subscription_lives_on, "SubscriptionLivesOn"},
                                           DefectCase{StreamDefect::contents_left, "ContentsLeft"}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace penstock::sim
