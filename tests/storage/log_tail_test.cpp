#include "storage/log_tail.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rocksdb_support.hpp"

namespace penstock::storage {
namespace {

/// Records that begin and end at all places of a block, some of which are of several blocks; and room behind them.
constexpr std::size_t sample_messages = 120;
std::size_t sample_bytes(std::uint64_t i) { return i % 11 == 0 ? 3 * value_bytes : 200 + 131 * (i % 7); }

class LogDamageTest : public RocksDbStoreTest {
 protected:
  void SetUp() override {
    ASSERT_FALSE(open());
    for (std::uint64_t i = 1; i <= sample_messages; ++i) {
      if (i == sample_messages) last_begin_ = end_of(bytes_of(newest_log(data_)));
      put(i, i + 1, true, sample_bytes(i));
    }
    sample_ = copy();
    log_ = newest_log(sample_);
    bytes_ = bytes_of(log_);
    end_ = end_of(bytes_);
    ASSERT_GT(bytes_.size(), end_) << "there is no room";
  }
  void rewrite(const std::string& bytes) const {
    std::ofstream stream{log_, std::ios::binary | std::ios::trunc};
    stream << bytes;
    ASSERT_TRUE(stream.good());
  }
  /// The log with another byte at `at`.
  std::string with_other(std::size_t at, std::uint64_t change) const {
    std::string bytes = bytes_;
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1 + change % 255));
    return bytes;
  }

  static std::size_t length_at(const std::string& log, std::size_t begin) {
    return static_cast<unsigned char>(log[begin + 4]) + 256U * static_cast<unsigned char>(log[begin + 5]);
  }
  /// Where the records of a whole log begin.
  static std::vector<std::size_t> begins_in(const std::string& log) {
    std::vector<std::size_t> begins;
    const std::size_t end = end_of(log);
    for (std::size_t at = 0; at < end;) {
      const std::size_t left = 32'768 - at % 32'768;
      if (left < 7) {
        at += left;
        continue;
      }
      // Full ones, and the first of several.
      if (log[at + 6] <= 2) begins.push_back(at);
      at += 7 + length_at(log, at);
    }
    return begins;
  }
  /// The log as if no more than so much had been synced whenever one of its records was written. REQUIRES: a record of
  /// more than a fragment says nothing of that.
  static std::string with_marks(std::string log, std::uint8_t synced) {
    constexpr std::size_t mark_at = 7 + 12 + 3;
    for (const std::size_t begin : begins_in(log)) {
      const std::size_t length = length_at(log, begin);
      if (length < 12 + 11) continue;
      log.replace(begin + mark_at, 8, std::string(1, static_cast<char>(synced)) + std::string(7, '\0'));
      std::uint32_t crc = 0xffffffffU;
      for (std::size_t i = begin + 6; i < begin + 7 + length; ++i) {
        crc ^= static_cast<unsigned char>(log[i]);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
      }
      crc = ~crc;
      crc = ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
      for (std::size_t i = 0; i < 4; ++i) log[begin + i] = static_cast<char>((crc >> (8 * i)) & 0xffU);
    }
    return log;
  }
  fs::path copy_of_store() {
    fs::path to = directory_.path() / ("copy-of-store" + std::to_string(++copies_of_store_));
    EXPECT_FALSE(copy_rocksdb(*store_, to));
    return to;
  }

  fs::path sample_;
  fs::path log_;
  std::string bytes_;
  int copies_of_store_ = 0;
  std::size_t end_ = 0;
  std::size_t last_begin_ = 0;
};

TEST_F(LogDamageTest, NothingIsSaidOfAWholeLog) {
  const Outcome look = look_of(sample_);
  EXPECT_FALSE(look.error) << look.error.message;
  EXPECT_EQ(look.warning, "");
  EXPECT_EQ(look.messages, sample_messages);
  const Outcome opened = outcome_of(sample_);
  EXPECT_EQ(opened.warning, "");
  EXPECT_EQ(opened.messages, sample_messages);
}

TEST_F(LogDamageTest, EachByteThatIsAnotherIsReported) {
  SeededEntropy entropy{7};
  std::vector<std::size_t> places;
  for (int i = 0; i < 300; ++i) places.push_back(entropy.below(end_));
  // The last block, and the last record, all of it.
  const std::size_t last_block = (end_ - 1) / 32'768 * 32'768;
  for (int i = 0; i < 200; ++i) places.push_back(last_block + entropy.below(end_ - last_block));
  for (std::size_t at = last_begin_; at < end_; ++at) places.push_back(at);
  std::size_t harmless = 0;
  for (const std::size_t at : places) {
    SCOPED_TRACE("byte " + std::to_string(at) + " of " + std::to_string(end_));
    rewrite(with_other(at, entropy.next()));
    const Outcome look = look_of(sample_);
    if (look.error) {
      ASSERT_EQ(look.error.status, StoreStatus::corrupt) << look.error.message;
      continue;
    }
    // Between the last record of a block and its end are up to six bytes that nobody reads.
    ++harmless;
    ASSERT_EQ(look.messages, sample_messages);
    ASSERT_GE(at % 32'768, 32'762U);
  }
  EXPECT_LT(harmless, 3U);
}

TEST_F(LogDamageTest, AServerRefusesItAndSaysWhere) {
  for (const std::size_t at : {end_ / 2, last_begin_ - 20, last_begin_ + 1, last_begin_ + 5, last_begin_ + 100}) {
    SCOPED_TRACE("byte " + std::to_string(at));
    rewrite(with_other(at, 3));
    const Outcome outcome = outcome_of(sample_);
    EXPECT_EQ(outcome.error.status, StoreStatus::corrupt);
    EXPECT_NE(outcome.error.message.find(log_.filename().string() + ", byte "), std::string::npos)
        << outcome.error.message;
  }
  rewrite(bytes_);
  EXPECT_EQ(outcome_of(sample_).messages, sample_messages) << "nothing was changed meanwhile";
}

// RocksDB reads over these in silence: lengths beyond the end, kinds of an older log's records, and headers of zeros.
TEST_F(LogDamageTest, WhatRocksDbPassesOverIsReported) {
  constexpr std::size_t small_record = 9;  // not the last by far
  std::size_t at = 0;
  for (std::size_t i = 0; i < small_record; ++i) {
    at += 7 + static_cast<unsigned char>(bytes_[at + 4]) + 256U * static_cast<unsigned char>(bytes_[at + 5]);
  }
  for (const auto& [place, bytes] : std::vector<std::pair<std::size_t, std::string>>{{at + 5, "\x7f"},
                                                                                     {at + 6, "\x05"},
                                                                                     {at, std::string(7, '\0')},
                                                                                     {last_begin_ + 6, "\x05"},
                                                                                     {last_begin_ + 5, "\x7f"}}) {
    SCOPED_TRACE("at " + std::to_string(place));
    std::string changed = bytes_;
    changed.replace(place, bytes.size(), bytes);
    rewrite(changed);
    EXPECT_EQ(look_of(sample_).error.status, StoreStatus::corrupt);
  }
}

TEST_F(LogDamageTest, MuchThatIsAnotherIsReportedWhereSomethingFollows) {
  SeededEntropy entropy{8};
  for (int i = 0; i < 60; ++i) {
    const std::size_t count = 2 + entropy.below(3'000);
    const std::size_t at = entropy.below(last_begin_ - count);
    SCOPED_TRACE(std::to_string(count) + " bytes at " + std::to_string(at));
    std::string changed = bytes_;
    for (std::size_t j = 0; j < count; ++j) changed[at + j] = static_cast<char>(entropy.next());
    rewrite(changed);
    EXPECT_EQ(look_of(sample_).error.status, StoreStatus::corrupt);
  }
}

TEST_F(LogDamageTest, ADamagedLastRecordIsToldOfWhereItMayHaveBeenCutOff) {
  std::string changed = bytes_;
  changed.replace(last_begin_ + 50, 20, std::string(20, 'x'));
  rewrite(changed);
  EXPECT_EQ(look_of(sample_).warning, std::to_string(end_ - last_begin_) + " bytes of " + log_.filename().string() +
                                          " from byte " + std::to_string(last_begin_) + " on");
  const Outcome outcome = outcome_of(sample_);
  EXPECT_EQ(outcome.messages, sample_messages - 1);
  EXPECT_NE(outcome.warning.find(std::to_string(end_ - last_begin_) + " bytes of"), std::string::npos)
      << outcome.warning;
}

/// A kill leaves a prefix, also of a record of many fragments; behind it is the end of the file, or room.
TEST_F(LogDamageTest, APrefixIsATornEnd) {
  put(sample_messages + 1, sample_messages + 2, false, 3 * value_bytes);
  const std::string longer = bytes_of(newest_log(data_)).substr(0, end_ + 3 * value_bytes + 100);
  const std::size_t longer_end = end_of(longer);
  ASSERT_GT(longer_end, end_ + 3 * value_bytes);
  SeededEntropy entropy{9};
  std::vector<std::size_t> cuts{end_ + 1, end_ + 6, end_ + 7, end_ + 8, longer_end - 1, longer_end - 2};
  for (std::size_t block = end_ / 32'768 + 1; block * 32'768 < longer_end; ++block) {
    for (const std::size_t more : {0, 1, 6, 7, 8}) cuts.push_back(block * 32'768 + more);
  }
  for (int i = 0; i < 60; ++i) cuts.push_back(end_ + 1 + entropy.below(longer_end - end_ - 1));
  for (const std::size_t cut : cuts) {
    for (const std::size_t room : {0, 100, 200'000}) {
      SCOPED_TRACE("cut at " + std::to_string(cut) + " with room of " + std::to_string(room));
      rewrite(longer.substr(0, cut) + std::string(room, '\0'));
      const Outcome look = look_of(sample_);
      ASSERT_FALSE(look.error) << look.error.message;
      ASSERT_EQ(look.messages, sample_messages);
      ASSERT_NE(look.warning, "");
    }
  }
  EXPECT_EQ(outcome_of(sample_).messages, sample_messages);
  EXPECT_EQ(outcome_of(sample_).warning.find("damaged"), std::string::npos);
}

/// A loss of power leaves any pages of what was not synced.
TEST_F(LogDamageTest, PagesThatWereNotWrittenAreATornEnd) {
  constexpr std::uint64_t unsynced = 100;
  const std::uint64_t until = sample_messages + 1 + unsynced;
  for (std::uint64_t i = sample_messages + 1; i < until; ++i) put(i, i + 1, false, sample_bytes(i));
  const std::string longer = bytes_of(newest_log(data_));
  SeededEntropy entropy{10};
  for (const std::size_t page_bytes : {512U, 4'096U}) {
    const std::size_t first = end_ / page_bytes;
    const std::size_t pages = end_of(longer) / page_bytes - first + 1;
    for (int i = 0; i < 60; ++i) {
      std::string torn = longer;
      std::size_t lost_first = SIZE_MAX;
      for (std::uint64_t lost = 1 + entropy.below(20); lost > 0; --lost) {
        const std::size_t from = std::max(end_, (first + entropy.below(pages)) * page_bytes);
        const std::size_t to = std::min(torn.size(), (from / page_bytes + 1) * page_bytes);
        std::fill(torn.begin() + static_cast<std::ptrdiff_t>(from), torn.begin() + static_cast<std::ptrdiff_t>(to),
                  '\0');
        lost_first = std::min(lost_first, from);
      }
      SCOPED_TRACE("sectors of " + std::to_string(page_bytes) + ", the first at " + std::to_string(lost_first));
      rewrite(torn);
      const Outcome look = look_of(sample_);
      ASSERT_FALSE(look.error) << look.error.message;
      ASSERT_GE(look.messages, sample_messages);
      ASSERT_LT(look.messages, until - 1);
      ASSERT_NE(look.warning, "");
    }
  }
  // A start goes on from there, and the next one, too.
  const std::size_t left = outcome_of(sample_).messages;
  store_.reset();
  data_ = sample_;
  ASSERT_FALSE(open());
  put(left + 1, left + 11, true, 300);
  store_.reset();
  const Outcome again = outcome_of(sample_);
  EXPECT_EQ(again.messages, left + 10);
  EXPECT_EQ(again.warning, "") << "it was told of when it was dropped";
}

/// Wherever a hole begins in a record, and whatever the record has there: none is taken for a changed byte.
TEST_F(LogDamageTest, NoSingleSectorThatWasNotWrittenIsDamage) {
  SeededEntropy entropy{13};
  for (std::uint64_t i = 1; i <= 1'500; ++i) {
    std::string value(entropy.below(700), '\0');
    for (std::size_t j = entropy.below(400); j + entropy.below(12) < value.size(); ++j) {
      value[j] = static_cast<char>(entropy.next());
    }
    ASSERT_FALSE(store_->commit(put_of(Table::messages, key_of(sample_messages + i), value), false));
  }
  const std::string longer = bytes_of(newest_log(data_));
  std::size_t torn = 0;
  for (std::size_t begin = end_; begin < end_of(longer); begin = (begin / 512 + 1) * 512) {
    const std::size_t lost = std::min((begin / 512 + 1) * 512, longer.size()) - begin;
    rewrite(longer.substr(0, begin) + std::string(lost, '\0') + longer.substr(begin + lost));
    const LogReport report = inspect_logs(sample_, {});
    ASSERT_NE(report.condition, LogCondition::damaged) << report.where << ", sector at " << begin;
    torn += report.condition == LogCondition::torn ? 1U : 0U;
  }
  EXPECT_GT(torn, 1'000U);
}

/// A record may begin with the last byte of a sector that was on the medium before, and is not written again.
TEST_F(LogDamageTest, TheEndOfASectorThatWasNotWrittenIsNoDamage) {
  for (std::uint64_t i = 1; i <= 6'000; ++i) put(sample_messages + i, sample_messages + i + 1, false, i % 97);
  const std::string longer = bytes_of(newest_log(data_));
  std::size_t tried = 0;
  for (const std::size_t begin : begins_in(longer)) {
    const std::size_t left = 512 - begin % 512;
    if (begin < end_ || left > 6) continue;
    ++tried;
    std::string torn = longer;
    torn.replace(begin, left, left, '\0');
    for (const std::size_t end : {longer.size(), std::min(longer.size(), begin + 300), begin + left + 1}) {
      rewrite(torn.substr(0, end));
      const LogReport report = inspect_logs(sample_, {});
      ASSERT_NE(report.condition, LogCondition::damaged) << report.where << ", record at " << begin;
    }
  }
  EXPECT_GT(tried, 20U);
}

/// When a log is full and the next one is begun, neither is synced before somebody asks for that: a loss of power may
/// leave more of the second than of the first.
TEST_F(LogDamageTest, TheEndOfALogMayBeMissingBeforeTheNext) {
  put(sample_messages + 1, sample_messages + 21, false);
  const fs::path first = newest_log(data_).filename();
  store_.reset();
  ASSERT_FALSE(open());
  put(sample_messages + 21, sample_messages + 31, false);
  const fs::path second = newest_log(data_).filename();
  ASSERT_NE(first, second);
  store_.reset();
  const std::string whole = bytes_of(data_ / first);
  const std::vector<std::size_t> begins = begins_in(whole);
  const std::string shorter = whole.substr(0, begins[begins.size() - 3]);
  const std::string later = bytes_of(data_ / second);
  const fs::path original = data_;
  const auto copy_with = [&](const std::string& log, const std::string& next) {
    data_ = original;
    fs::path made = copy();
    std::ofstream{made / first, std::ios::binary | std::ios::trunc} << log;
    std::ofstream{made / second, std::ios::binary | std::ios::trunc} << next;
    return made;
  };
  // The start synced the first log, and the second says so.
  EXPECT_EQ(outcome_of(copy_with(shorter, later)).error.status, StoreStatus::corrupt);

  const std::string unsynced = with_marks(later, 1);
  for (const std::string& end : {std::string(), std::string(700, '\0'), whole.substr(shorter.size(), 40)}) {
    const fs::path torn = copy_with(shorter + end, unsynced);
    EXPECT_EQ(look_of(torn).messages, sample_messages + 17);
    const Outcome outcome = outcome_of(torn);
    ASSERT_FALSE(outcome.error) << outcome.error.message;
    EXPECT_EQ(outcome.messages, sample_messages + 17);
    EXPECT_NE(outcome.warning.find(second.string() + " from byte 0 on were dropped"), std::string::npos)
        << outcome.warning;
    EXPECT_EQ(bytes_of(torn / (second.string() + ".dropped-0")), unsynced.substr(0, end_of(unsynced)));
    // And it goes on from there.
    data_ = torn;
    ASSERT_FALSE(open());
    put(sample_messages + 18, sample_messages + 20, true);
    const fs::path copied = copy_of_store();
    store_.reset();
    EXPECT_EQ(prefix_of(copied), sample_messages + 19);
    const Outcome again = outcome_of(torn);
    EXPECT_EQ(again.messages, sample_messages + 19) << again.error.message;
    EXPECT_EQ(again.warning, "");
  }
  // A later one that tells of a sync of what is missing is not passed over.
  const std::size_t last = begins_in(later).back();
  EXPECT_EQ(outcome_of(copy_with(shorter, with_marks(later.substr(0, last), 1) + later.substr(last))).error.status,
            StoreStatus::corrupt);
}

/// A copy looks at the first record of each log.
TEST_F(LogDamageTest, ACopyIsMadeWhereTheBeginningOfALogWasDropped) {
  const std::string unsynced = with_marks(bytes_, 1);
  rewrite(std::string(512, '\0') + unsynced.substr(512));
  const Outcome outcome = outcome_of(sample_);
  ASSERT_FALSE(outcome.error) << outcome.error.message;
  EXPECT_EQ(outcome.messages, 0U);
  store_.reset();
  data_ = sample_;
  ASSERT_FALSE(open());
  put(1, 5, true);
  EXPECT_EQ(prefix_of(copy_of_store()), 4U);
}

/// What lies behind says that it was synced, even where what is bad looks like what a loss of power has not written.
TEST_F(LogDamageTest, ZerosOverWhatWasSyncedAreReported) {
  SeededEntropy entropy{11};
  for (int i = 0; i < 60; ++i) {
    const std::size_t sector = entropy.below(last_begin_ / 512 - 1);
    const std::size_t count = std::min<std::size_t>(1 + entropy.below(16), last_begin_ / 512 - 1 - sector);
    SCOPED_TRACE(std::to_string(count) + " sectors from the one at " + std::to_string(sector * 512));
    std::string changed = bytes_;
    changed.replace(sector * 512, count * 512, std::string(count * 512, '\0'));
    rewrite(changed);
    EXPECT_EQ(look_of(sample_).error.status, StoreStatus::corrupt);
  }
}

/// Zeros that a client has sent are no hole; also where nothing behind says what was synced.
TEST_F(LogDamageTest, AChangedByteIsReportedWhereARecordHasZeros) {
  constexpr std::size_t zeros = 4'096;
  SeededEntropy entropy{12};
  for (const bool sync : {true, false}) {
    const std::size_t begin = end_of(bytes_of(newest_log(data_)));
    const std::uint64_t next = count() + 1;
    ASSERT_FALSE(store_->commit(put_of(Table::messages, key_of(next), "key" + std::string(zeros, '\0') + "end"), sync));
    const std::size_t end = end_of(bytes_of(newest_log(data_)));
    put(next + 1, next + 40, sync, 150);
    const std::string longer = bytes_of(newest_log(data_));
    for (int i = 0; i < 100; ++i) {
      const std::size_t at = begin + (i < 50 ? entropy.below(60) : entropy.below(end - begin));
      SCOPED_TRACE("byte " + std::to_string(at - begin) + " of " + std::to_string(end - begin));
      std::string changed = longer;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << entropy.below(8)));
      rewrite(changed);
      ASSERT_EQ(look_of(sample_).error.status, StoreStatus::corrupt);
      // With nothing behind it, too; what is now no zero was none in a hole.
      rewrite(changed.substr(0, end));
      ASSERT_EQ(look_of(sample_).error.status, StoreStatus::corrupt);
    }
  }
}

TEST_F(LogDamageTest, WholeRecordsThatAreDroppedAreKeptAside) {
  for (std::uint64_t i = 1; i <= 30; ++i) put(sample_messages + i, sample_messages + i + 1, false, 1'000);
  std::string torn = bytes_of(newest_log(data_));
  const std::size_t hole = end_ / 512 * 512 + 4 * 512;
  torn.replace(hole, 512, std::string(512, '\0'));
  rewrite(torn);
  std::unique_ptr<InspectedStore> look;
  ASSERT_FALSE(open_rocksdb_for_reading(sample_, look));
  EXPECT_TRUE(look->torn_log().has_records);
  const std::size_t kept_from = prefix_in(*look);
  look.reset();
  for (std::size_t i = 0; i < 20; ++i)
    std::ofstream{sample_ / ("0000" + std::to_string(10 + i) + ".log.dropped-1")} << i;
  const Outcome outcome = outcome_of(sample_);
  EXPECT_EQ(outcome.messages, kept_from);
  const std::size_t at = outcome.warning.find("they are kept in ");
  ASSERT_NE(at, std::string::npos) << outcome.warning;
  const std::string name = outcome.warning.substr(at + std::string("they are kept in ").size());
  const std::size_t begin_of_kept = std::stoul(name.substr(name.rfind('-') + 1));
  EXPECT_EQ(bytes_of(sample_ / name), torn.substr(begin_of_kept, end_of(torn) - begin_of_kept));
  EXPECT_EQ(fs::status(sample_ / name).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(outcome_of(sample_).warning, "") << "it is told of once";
  EXPECT_TRUE(fs::exists(sample_ / name));
  const auto files = fs::directory_iterator{sample_};
  EXPECT_EQ(std::count_if(begin(files), end(files),
                          [](const auto& file) { return file.path().string().find(".dropped-") != std::string::npos; }),
            8);
  // What is written behind it follows what was kept.
  store_.reset();
  data_ = sample_;
  ASSERT_FALSE(open());
  put(kept_from + 1, kept_from + 2, true);
  store_.reset();
  ASSERT_FALSE(open_rocksdb_for_reading(sample_, look));
  EXPECT_EQ(look->torn_log().where, "");
}

TEST_F(LogDamageTest, ABodyOfWhatLooksLikeALogIsNone) {
  const std::string body = bytes_.substr(0, 2'000);
  ASSERT_FALSE(store_->commit(put_of(Table::messages, key_of(sample_messages + 1), body + body), false));
  const std::string longer = bytes_of(newest_log(data_)).substr(0, end_ + 4'100);
  rewrite(longer.substr(0, end_ + 3'900));
  const Outcome look = look_of(sample_);
  EXPECT_FALSE(look.error) << look.error.message;
  EXPECT_EQ(look.messages, sample_messages);
}

}  // namespace
}  // namespace penstock::storage
