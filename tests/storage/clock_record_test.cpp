#include "storage/clock_record.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "storage/keys.hpp"
#include "storage/memory_store.hpp"

namespace penstock::storage {
namespace {

class ClockRecordTest : public testing::Test {
 protected:
  void put(std::string_view value) {
    WriteBatch batch;
    batch.put(Table::catalog, clock_key().view(), value);
    ASSERT_FALSE(store_.commit(batch, false));
  }
  std::optional<ClockRecord> read() {
    std::optional<ClockRecord> clock;
    EXPECT_FALSE(read_clock(store_, clock));
    return clock;
  }
  bool is_corrupt() {
    std::optional<ClockRecord> clock;
    return read_clock(store_, clock).status == StoreStatus::corrupt;
  }

  MemoryStore store_;
};

TEST_F(ClockRecordTest, IsReadAsItWasWritten) {
  EXPECT_FALSE(read());
  WriteBatch batch;
  encode_clock({from_epoch_ms(1'767'225'600'123), true, 3'600}, batch);
  ASSERT_FALSE(store_.commit(batch, false));
  const auto clock = read();
  ASSERT_TRUE(clock);
  EXPECT_EQ(to_epoch_ms(clock->shown), 1'767'225'600'123);
  EXPECT_TRUE(clock->frozen);
  EXPECT_EQ(clock->speed, 3'600);
  WriteBatch drop;
  drop_clock(drop);
  ASSERT_FALSE(store_.commit(drop, false));
  EXPECT_FALSE(read());
}

TEST_F(ClockRecordTest, OfAMomentAloneRunsAsTimeDoes) {
  Key moment;
  moment.append_u64(1'000);
  put(moment.view());
  const auto clock = read();
  ASSERT_TRUE(clock);
  EXPECT_EQ(to_epoch_ms(clock->shown), 1'000);
  EXPECT_FALSE(clock->frozen);
  EXPECT_EQ(clock->speed, 1);
}

TEST_F(ClockRecordTest, ThatIsDamagedIsNoClock) {
  put("damaged");
  EXPECT_TRUE(is_corrupt());
  put(std::string(17, '\0'));
  EXPECT_TRUE(is_corrupt());
  put(std::string(17, '\xff'));
  EXPECT_TRUE(is_corrupt());
}

}  // namespace
}  // namespace penstock::storage
