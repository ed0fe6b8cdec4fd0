#include "core/triggers/stream_lineage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace penstock::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StreamLineageTest : public testing::Test {
 protected:
  void shard(std::uint32_t index, std::optional<std::uint32_t> parent = {},
             std::optional<std::uint32_t> adjacent_parent = {}) {
    ShardRecord& record = shards_[ShardIndex{index}];
    record.index = ShardIndex{index};
    if (parent) record.parent = ShardIndex{*parent};
    if (adjacent_parent) record.adjacent_parent = ShardIndex{*adjacent_parent};
  }
  void checkpoint(std::uint32_t index, bool finished = false) {
    ShardCheckpoint& known = checkpoints_[ShardIndex{index}];
    known.shard = ShardIndex{index};
    known.finished = finished;
  }
  std::vector<std::uint32_t> heirs(std::uint32_t gone) const {
    std::vector<std::uint32_t> indexes;
    for (const ShardRecord& heir : heirs_of(ShardIndex{gone}, shards_, checkpoints_)) {
      indexes.push_back(static_cast<std::uint32_t>(heir.index.value));
    }
    return indexes;
  }
  bool blocked(std::uint32_t index) const { return is_blocked(shards_.at(ShardIndex{index}), shards_, checkpoints_); }

  ShardRecords shards_;
  ShardCheckpoints checkpoints_;
};

TEST_F(StreamLineageTest, AShardIsFollowedByItsChildren) {
  shard(0);
  shard(1);
  shard(2, 0);
  shard(3, 0);
  shard(4, 1);
  checkpoint(0);
  checkpoint(1);
  EXPECT_THAT(heirs(0), ElementsAre(2, 3));
  EXPECT_TRUE(blocked(2)) << "until its parent is finished";
  checkpoint(0, true);
  EXPECT_FALSE(blocked(2));
  EXPECT_TRUE(blocked(4));
}

TEST_F(StreamLineageTest, WhatAChildThatWasTrimmedAwayTooHasLeftGoesOn) {
  // Of 0 there were 1 and 2, and of 1 there was 3; 0 and 1 have been trimmed away.
  shard(2, 0);
  shard(3, 1);
  checkpoint(0);
  EXPECT_THAT(heirs(0), ElementsAre(2, 3));
}

TEST_F(StreamLineageTest, WhatMayDescendFromAShardThatWasTrimmedAwayWaitsForIt) {
  shard(5, 4);
  shard(6);
  checkpoint(2);
  checkpoint(5);
  checkpoint(6);
  EXPECT_TRUE(blocked(5)) << "2 may be what 4 came from, and runs still";
  EXPECT_FALSE(blocked(6));
  checkpoint(2, true);
  EXPECT_FALSE(blocked(5));
}

TEST_F(StreamLineageTest, WhatIsFinishedIsNotReadAgainBecauseAnotherShardWasTrimmedAway) {
  // 0 became 2 and 3, 1 became 6 and 7, and 2 became 4 and 5. 2 is finished; in 1 the mapping was not as far.
  shard(2, 0);
  shard(3, 0);
  shard(4, 2);
  shard(5, 2);
  shard(6, 1);
  shard(7, 1);
  checkpoint(1);
  checkpoint(3);
  checkpoint(4);
  checkpoint(5);
  EXPECT_THAT(heirs(1), ElementsAre(6, 7));
  // 4 and 5 are finished as well, and only what they became says so.
  shard(8, 4, 5);
  checkpoints_.erase(ShardIndex{4});
  checkpoints_.erase(ShardIndex{5});
  checkpoint(8);
  EXPECT_THAT(heirs(1), ElementsAre(6, 7));
}

TEST_F(StreamLineageTest, OfTwoParentsEachIsFinishedOnceTheChildIsRead) {
  // 2 and 3, whose parents have been trimmed away, became 4.
  shard(2, 0);
  shard(3, 0);
  shard(4, 2, 3);
  checkpoint(1);
  checkpoint(3);
  checkpoint(4);
  EXPECT_THAT(heirs(1), IsEmpty()) << "4 has begun, and not because of 3";
  checkpoints_.erase(ShardIndex{3});
  EXPECT_THAT(heirs(1), ElementsAre(2, 3)) << "because of either of them";
  checkpoints_.at(ShardIndex{4}).next = RecordIndex{2};
  EXPECT_THAT(heirs(1), IsEmpty()) << "it is read, for which it had to wait for both";
}

TEST_F(StreamLineageTest, WhoeverHasBegunNeedNotBeTold) {
  shard(3, 1);
  checkpoint(0);
  checkpoint(3);
  EXPECT_THAT(heirs(0), IsEmpty());
}

}  // namespace
}  // namespace penstock::core
