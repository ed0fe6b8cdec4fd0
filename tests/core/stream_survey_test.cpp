// What an operator is told of streams and of the consumers that have positions in them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "group_fixture.hpp"

namespace penstock::core {
namespace {

class StreamSurveyTest : public GroupFixture {
 protected:
  Survey survey() {
    Survey all;
    SurveyPlace place;
    while (!place.over) engine_->survey(place, 1'000, all);
    return all;
  }
};

TEST_F(StreamSurveyTest, RecordsAreCountedAsTheyArePutAndKept) {
  create(2);
  put({"1", "22"});
  put({"333"}, middle_);
  const StreamView view = survey().streams.at(0);
  EXPECT_EQ(view.name, stream_);
  EXPECT_EQ(view.tally.records_put, 3U);
  EXPECT_EQ(view.tally.bytes_put, 6U + 3U * std::string("key").size());
  EXPECT_EQ(view.records_stored, 3U);
  EXPECT_EQ(view.bytes_stored, view.tally.bytes_put);
  EXPECT_EQ(view.open_shards, 2U);
  EXPECT_EQ(engine_->tally().streams.bytes_put, view.tally.bytes_put);
}

TEST_F(StreamSurveyTest, WhatRetentionDropsIsStoredNoMoreAndWhatARestartFindsIs) {
  limits_.segment_records_max = 2;
  restart();
  create();
  put({"a", "b", "c"});
  pass(std::chrono::hours{2});
  put({"dd", "e"});
  const std::uint64_t before = survey().streams.at(0).bytes_stored;
  EXPECT_EQ(before, 6U + 5U * 3U);
  restart();
  EXPECT_EQ(survey().streams.at(0).bytes_stored, before) << "of closed segments as well";
  EXPECT_EQ(survey().streams.at(0).tally.bytes_put, 0U);
  pass(std::chrono::hours{23});
  EXPECT_EQ(survey().streams.at(0).records_stored, 2U) << "those that came two hours later have not expired";
  EXPECT_EQ(survey().streams.at(0).bytes_stored, 3U + 2U * 3U);
  pass(std::chrono::hours{24});
  EXPECT_EQ(survey().streams.at(0).records_stored, 0U);
  EXPECT_EQ(survey().streams.at(0).bytes_stored, 0U);
}

TEST_F(StreamSurveyTest, AConsumerIsBehindByWhatItHasNotCommitted) {
  create(2);
  create_group();
  put({"a", "b"});
  put({"c"}, middle_);
  ConsumerView view = survey().consumers.at(0);
  EXPECT_EQ(view.stream, stream_);
  EXPECT_EQ(view.name, group_);
  EXPECT_EQ(view.records_behind, 3U);
  ASSERT_EQ(view.backlogs.size(), 2U);
  EXPECT_EQ(view.backlogs[0].from, RecordIndex{1});
  EXPECT_EQ(view.backlogs[0].until, RecordIndex{3});
  TestMember member{"m"};
  poll(member);
  EXPECT_EQ(survey().consumers.at(0).records_behind, 3U) << "what was handed out is not known to be processed";
  begin_poll(member);
  view = survey().consumers.at(0);
  EXPECT_EQ(view.records_behind, 0U);
  EXPECT_TRUE(view.backlogs.empty());
  EXPECT_EQ(view.members, 1U);
  EXPECT_EQ(view.parked, 1U);
}

TEST_F(StreamSurveyTest, SurveysOfAnySizeSeeAllStreamsWithTheirConsumersOnce) {
  std::vector<std::string> expected;
  for (const std::string stream : {"a", "b", "c"}) {
    stream_.name = stream;
    create(2);
    expected.push_back(stream);
    for (int i = 0; stream != "b" && i < 5; ++i) {
      group_ = "g" + std::to_string(i);
      create_group();
      expected.push_back(stream + "/" + group_);
    }
  }
  for (const std::size_t steps : {1U, 2U, 3U, 8U, 9U, 100U}) {
    SurveyPlace place;
    std::vector<std::string> seen;
    int turns = 0;
    while (!place.over) {
      Survey part;
      engine_->survey(place, steps, part);
      for (const StreamView& each : part.streams) seen.push_back(each.name.name);
      for (const ConsumerView& each : part.consumers) seen.push_back(each.stream.name + "/" + each.name);
      ASSERT_LE(++turns, 40);
    }
    std::ranges::sort(seen);
    std::ranges::sort(expected);
    EXPECT_EQ(seen, expected) << steps;
  }
}

}  // namespace
}  // namespace penstock::core
