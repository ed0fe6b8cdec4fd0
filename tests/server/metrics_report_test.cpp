// How metrics are put together: families as text, and what is kept of objects.
#include "server/metrics_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "server/metric_families.hpp"

namespace penstock::server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array bounds{0.5, 1.0, 10.0};

TEST(MetricFamilies, AHistogramIsTextWithCountsThatAddUp) {
  Histogram<bounds> histogram;
  for (const double value : {0.5, 0.75, 1.0, 9.0, 11.0}) histogram.observe(value);
  MetricFamilies families;
  families.histogram("waits_seconds", "Waits").add(histogram, {{"kind", "long"}});
  EXPECT_EQ(families.take_text(),
            "# HELP waits_seconds Waits\n"
            "# TYPE waits_seconds histogram\n"
            "waits_seconds_count{kind=\"long\"} 5\n"
            "waits_seconds_sum{kind=\"long\"} 22.25\n"
            "waits_seconds_bucket{kind=\"long\",le=\"0.5\"} 1\n"
            "waits_seconds_bucket{kind=\"long\",le=\"1\"} 3\n"
            "waits_seconds_bucket{kind=\"long\",le=\"10\"} 4\n"
            "waits_seconds_bucket{kind=\"long\",le=\"+Inf\"} 5\n");
}

TEST(MetricFamilies, WhatALabelSaysMayBeAnything) {
  MetricFamilies families;
  families.gauge("depth", "Depth").add(1.5, {{"queue", "a\"b\\c\nd"}});
  EXPECT_THAT(families.take_text(), HasSubstr("depth{queue=\"a\\\"b\\\\c\\nd\"} 1.5\n"));
}

TEST(MetricFamilies, AFamilyWithoutAValueIsLeftOut) {
  MetricFamilies families;
  families.counter("nothing_total", "Nothing");
  families.counter("some_total", "Some").add(std::uint64_t{3});
  EXPECT_THAT(families.take_text(), Not(HasSubstr("nothing")));
}

TEST(Histograms, AddedToEachOtherTheyAreOne) {
  Histogram<bounds> one;
  Histogram<bounds> other;
  one.observe(0.1);
  other.observe(0.2);
  other.observe(100);
  one.add(other);
  EXPECT_EQ(one.counts(), (std::array<std::uint64_t, 4>{2, 0, 0, 1}));
  EXPECT_DOUBLE_EQ(one.sum(), 100.3);
}

Survey survey_of(std::size_t queues) {
  Survey survey;
  for (std::size_t i = 0; i < queues; ++i) {
    QueueView view{{"000000000000", "us-east-1", "q" + std::to_string(i)}};
    view.visible = 2;
    view.oldest = from_epoch_ms(static_cast<std::int64_t>(1'000 * (i + 1)));
    survey.queues.push_back(view);
  }
  return survey;
}

TEST(GatheredMetrics, BeyondSoManyObjectsAreCountedAndAddedUpOnly) {
  Gathered gathered(true);
  gathered.take(survey_of(metrics_limits::objects_max));
  gathered.take(survey_of(3));
  EXPECT_EQ(gathered.queues.size(), metrics_limits::objects_max);
  EXPECT_EQ(gathered.left_out.at(static_cast<std::size_t>(ObjectKind::queue)), 3U);
  EXPECT_EQ(gathered.left_out.at(static_cast<std::size_t>(ObjectKind::stream)), 0U);
  EXPECT_EQ(gathered.queue_sums.count, metrics_limits::objects_max + 3);
  EXPECT_EQ(gathered.queue_sums.visible, 2 * (metrics_limits::objects_max + 3));
  EXPECT_EQ(gathered.queue_sums.oldest, from_epoch_ms(1'000));
}

TEST(GatheredMetrics, OfAllTogetherNoneIsKept) {
  Gathered gathered(false);
  gathered.take(survey_of(3));
  EXPECT_TRUE(gathered.queues.empty());
  gathered.clock.now = from_epoch_ms(11'000);
  const std::string text = report(gathered);
  EXPECT_THAT(text, HasSubstr("\npenstock_queues 3\n"));
  EXPECT_THAT(text, HasSubstr("\npenstock_queue_messages_visible 6\n"));
  EXPECT_THAT(text, HasSubstr("\npenstock_queue_oldest_message_age_seconds 10\n"));
}

TEST(GatheredMetrics, ALagIsToldWhereItWasLookedUp) {
  Gathered gathered(true);
  gathered.clock.now = from_epoch_ms(60'000);
  Survey survey;
  for (const char* name : {"behind", "done", "unknown"}) {
    ConsumerView view{{"000000000000", "us-east-1", "clicks"}, StreamId{7}, name};
    if (std::string_view(name) != "done") {
      view.records_behind = 5;
      view.backlogs.push_back({ShardIndex{0}, RecordIndex{*name == 'b' ? 1U : 2U}, RecordIndex{6}, Instant{}});
    }
    survey.consumers.push_back(view);
  }
  gathered.take(survey);
  ASSERT_EQ(gathered.backlogs.size(), 2U);
  gathered.backlogs.begin()->second.arrived = from_epoch_ms(55'000);
  gathered.backlogs.erase(std::prev(gathered.backlogs.end()));
  const std::string text = report(gathered);
  const std::string labels = R"({account="000000000000",region="us-east-1",stream="clicks",consumer=")";
  EXPECT_THAT(text, HasSubstr("penstock_consumer_lag_seconds" + labels + "behind\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("penstock_consumer_lag_seconds" + labels + "done\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("penstock_consumer_lag_seconds" + labels + "unknown\"}")));
  EXPECT_THAT(text, HasSubstr("penstock_consumer_lag_records" + labels + "unknown\"} 5\n"));
}

TEST(RequestTallies, OfSeveralThreadsAreAddedUp) {
  RequestTally one;
  RequestTally other;
  one.observe({"sqs", "SendMessage"}, 200, 0.001);
  other.observe({"sqs", "SendMessage"}, 200, 0.002);
  other.observe({"sqs", "SendMessage"}, 400, 0.001);
  other.observe({"lambda", "TagResource"}, 200, 0.001);
  other.observe({"kinesis", "TagResource"}, 200, 0.001);
  other.observe_refused();
  one.add(other);
  EXPECT_EQ(one.operations().size(), 3U);
  EXPECT_EQ(one.refused(), 1U);
  Gathered gathered(false);
  gathered.requests = one;
  const std::string text = report(gathered);
  EXPECT_THAT(text,
              HasSubstr("penstock_http_requests_total{service=\"sqs\",operation=\"SendMessage\",code=\"200\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("penstock_http_requests_total{service=\"sqs\",operation=\"SendMessage\",code=\"400\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("penstock_http_request_duration_seconds_count{service=\"kinesis\","
                              "operation=\"TagResource\"} 1\n"));
}

TEST(ReadTallies, OfTooManyStreamsCountInTheTotal) {
  ReadTally tally;
  for (std::uint64_t i = 0; i <= ReadTally::streams_max; ++i) {
    RecordsPage page;
    page.id = StreamId{i + 1};
    page.bytes = 10;
    page.records.resize(2);
    tally.add(page);
  }
  EXPECT_EQ(tally.total().records, 2 * (ReadTally::streams_max + 1));
  EXPECT_EQ(tally.take().size(), ReadTally::streams_max);
  EXPECT_TRUE(tally.take().empty());
}

TEST(FunctionTallies, AnInvocationIsCountedByHowItEnded) {
  FunctionTally tally;
  RunOutcome outcome;
  outcome.init = Millis{3};
  tally.observe(outcome, 0.01);
  outcome.init = Millis{0};
  outcome.function_error = "Unhandled";
  tally.observe(outcome, 0.01);
  outcome.status = RunOutcome::Status::throttled;
  tally.observe(outcome, 0.01);
  outcome.status = RunOutcome::Status::failed;
  tally.observe(outcome, 0.01);
  outcome.status = RunOutcome::Status::unreached;
  tally.observe(outcome, 0.01);
  EXPECT_EQ(tally.succeeded, 1U);
  EXPECT_EQ(tally.function_errors, 1U);
  EXPECT_EQ(tally.throttled, 1U);
  EXPECT_EQ(tally.failed, 2U);
  EXPECT_EQ(tally.cold_starts, 1U);
  EXPECT_EQ(tally.seconds.count(), 2U);
}

}  // namespace
}  // namespace penstock::server
