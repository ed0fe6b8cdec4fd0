// The simulation of mappings of queues and of asynchronous invokes as a test, and the test of that simulation: every
// defect has to be noticed.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>

#include "settings.hpp"
#include "trigger_queue_world.hpp"

namespace penstock::sim {
namespace {

std::string describe(const TriggerQueueHistory& history) {
  std::string text;
  const auto add = [&](const char* name, std::uint64_t count) {
    text += std::string(name) + " " + std::to_string(count) + ", ";
  };
  add("sends", history.sends);
  add("invocations", history.invocations);
  add("done", history.done);
  add("failures", history.failures);
  add("partial", history.partial);
  add("garbage", history.garbage);
  add("of reserved functions", history.reserved);
  add("throttles", history.throttles);
  add("timeouts", history.timeouts);
  add("given back", history.given_back);
  add("filtered", history.filtered);
  add("events", history.events);
  add("events over", history.events_over);
  add("reports", history.reports);
  add("crashes", history.crashes);
  add("of power", history.power_losses);
  add("shutdowns", history.shutdowns);
  add("changes", history.changes);
  add("refusals", history.refusals);
  add("renewals", history.renewals);
  add("dead letters", history.dead_letters);
  add("recreations", history.recreations);
  add("unreached", history.unreached);
  return text;
}

void expect_that_all_happened(const TriggerQueueHistory& history, std::uint64_t seeds) {
  EXPECT_GT(history.sends, 100 * seeds);
  EXPECT_GT(history.done, 80 * seeds);
  EXPECT_GT(history.invocations, 40 * seeds);
  EXPECT_GT(history.failures, seeds);
  EXPECT_GT(history.partial, seeds / 2);
  EXPECT_GT(history.garbage, seeds / 4);
  EXPECT_GT(history.reserved, seeds / 4);
  EXPECT_GT(history.throttles, seeds);
  EXPECT_GT(history.timeouts, seeds / 2);
  EXPECT_GT(history.given_back, seeds);
  EXPECT_GT(history.filtered, seeds);
  EXPECT_GT(history.events, 5 * seeds);
  EXPECT_GT(history.reports, seeds / 4);
  EXPECT_GT(history.crashes, seeds);
  EXPECT_GT(history.power_losses, seeds / 2);
  EXPECT_GT(history.shutdowns, seeds);
  EXPECT_GT(history.changes, seeds);
  EXPECT_GT(history.refusals, seeds);
  EXPECT_GT(history.renewals, seeds / 2);
  EXPECT_GT(history.dead_letters, seeds / 2);
  EXPECT_GT(history.recreations, seeds / 4);
  EXPECT_GT(history.unreached, seeds);
}

TEST(TriggerQueueSimulation, KeepsEveryPromise) {
  const Seeds seeds = seeds_to_run(1'000);
  TriggerQueueHistory all;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    TriggerQueueWorld world({.seed = seed});
    const std::string broken = world.run();
    ASSERT_TRUE(broken.empty()) << broken << "\nreplay with PENSTOCK_SIM_SEED=" << seed;
    all.add(world.counts());
  }
  std::cout << describe(all) << "\n";
  if (seeds.count() > 1) expect_that_all_happened(all, seeds.count());
}

TEST(TriggerQueueSimulation, ASeedReplaysItsHistory) {
  for (const std::uint64_t seed : {7U, 8U}) {
    TriggerQueueWorld first({.seed = seed});
    TriggerQueueWorld second({.seed = seed});
    first.run();
    second.run();
    EXPECT_EQ(describe(first.counts()), describe(second.counts()));
  }
}

struct TriggerQueueDefectCase {
  TriggerQueueDefect defect;
  const char* name;
};

class TriggerQueueSimulationNotices : public ::testing::TestWithParam<TriggerQueueDefectCase> {};

TEST_P(TriggerQueueSimulationNotices, TheDefect) {
  constexpr std::uint64_t seeds_max = 200;
  for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
    TriggerQueueWorld world({.seed = seed, .defect = GetParam().defect});
    const std::string broken = world.run();
    if (broken.empty()) continue;
    RecordProperty("noticed", broken);
    return;
  }
  FAIL() << seeds_max << " histories with " << GetParam().name << ", and nothing was noticed";
}

INSTANTIATE_TEST_SUITE_P(
    Defects, TriggerQueueSimulationNotices,
    ::testing::Values(TriggerQueueDefectCase{TriggerQueueDefect::failure_taken_as_done, "FailureTakenAsDone"},
                      TriggerQueueDefectCase{TriggerQueueDefect::partial_taken_as_done, "PartialTakenAsDone"},
                      TriggerQueueDefectCase{TriggerQueueDefect::garbage_taken_as_done, "GarbageTakenAsDone"},
                      TriggerQueueDefectCase{TriggerQueueDefect::unknown_id_passed_over, "UnknownIdPassedOver"},
                      TriggerQueueDefectCase{TriggerQueueDefect::deleted_when_received, "DeletedWhenReceived"},
                      TriggerQueueDefectCase{TriggerQueueDefect::message_left_out, "MessageLeftOut"},
                      TriggerQueueDefectCase{TriggerQueueDefect::match_dropped, "MatchDropped"},
                      TriggerQueueDefectCase{TriggerQueueDefect::filter_ignored, "FilterIgnored"},
                      TriggerQueueDefectCase{TriggerQueueDefect::messages_swapped, "MessagesSwapped"},
                      TriggerQueueDefectCase{TriggerQueueDefect::too_many_at_a_time, "TooManyAtATime"},
                      TriggerQueueDefectCase{TriggerQueueDefect::concurrency_ignored, "ConcurrencyIgnored"},
                      TriggerQueueDefectCase{TriggerQueueDefect::reservation_exceeded, "ReservationExceeded"},
                      TriggerQueueDefectCase{TriggerQueueDefect::batch_too_large, "BatchTooLarge"},
                      TriggerQueueDefectCase{TriggerQueueDefect::wake_lost, "WakeLost"},
                      TriggerQueueDefectCase{TriggerQueueDefect::invoked_twice, "InvokedTwice"},
                      TriggerQueueDefectCase{TriggerQueueDefect::mapping_not_kept, "MappingNotKept"},
                      TriggerQueueDefectCase{TriggerQueueDefect::event_not_kept, "EventNotKept"},
                      TriggerQueueDefectCase{TriggerQueueDefect::event_given_up_early, "EventGivenUpEarly"},
                      TriggerQueueDefectCase{TriggerQueueDefect::report_not_awaited, "ReportNotAwaited"},
                      TriggerQueueDefectCase{TriggerQueueDefect::settlement_forgotten, "SettlementForgotten"},
                      TriggerQueueDefectCase{TriggerQueueDefect::renewal_forgotten, "RenewalForgotten"},
                      TriggerQueueDefectCase{TriggerQueueDefect::not_run_is_counted, "NotRunIsCounted"},
                      TriggerQueueDefectCase{TriggerQueueDefect::missing_queue_given_up, "MissingQueueGivenUp"},
                      TriggerQueueDefectCase{TriggerQueueDefect::mapping_starved, "MappingStarved"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace penstock::sim
