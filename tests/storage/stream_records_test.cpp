#include "storage/stream_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "damage.hpp"
#include "records_support.hpp"
#include "storage/faulty_store.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/rocksdb_store.hpp"
#include "stream_support.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

namespace fs = std::filesystem;

constexpr StreamId last_stream{std::numeric_limits<std::uint64_t>::max()};
constexpr ShardIndex last_shard{std::numeric_limits<std::uint32_t>::max()};
const std::string beyond_everything(64, '\xff');

StreamInfo plain_stream(StreamId id) {
  StreamInfo info;
  info.id = id;
  info.name = {"000000000000", "eu-central-1", "clicks-" + std::to_string(id.value)};
  return info;
}

ShardRecord open_shard(ShardIndex index) {
  ShardRecord shard;
  shard.index = index;
  shard.last_hash = hash_key_max;
  return shard;
}

ShardCursor fixed_cursor() {
  return {RecordIndex{5}, RecordIndex{5'000}, RecordIndex{4'000}, 77, at_ms(11), at_ms(12)};
}

Segment fixed_segment() { return {RecordIndex{5}, RecordIndex{4'000}, at_ms(13), at_ms(14)}; }

StreamRecord fixed_record() { return {"customer-7", std::string("\x00\xff{\"n\":1}", 9), at_ms(15), true}; }

StreamAccount fixed_account() { return {{"000000000000", "eu-central-1", {}}, true, at_ms(16), at_ms(17), at_ms(18)}; }

StreamAccount plain_account() { return {{"000000000000", "us-east-1", {}}, false, {}, std::nullopt, {}}; }

std::size_t count_of(const Store& store, Table table) { return rows_of(store, table, "", beyond_everything).size(); }

// ---- Round trips, on each store.

struct Memory {
  MemoryStore store;
  Store& get() { return store; }
};
struct RocksDb {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  RocksDb() {
    const StoreError error = open_rocksdb({.directory = directory.path() / "data"}, store);
    EXPECT_FALSE(error) << error.message;
  }
  Store& get() { return *store; }
};

template <class Subject>
class StreamRecords : public testing::Test {
 protected:
  Store& store() { return subject_.get(); }

 private:
  Subject subject_;
};
using Subjects = testing::Types<Memory, RocksDb>;
TYPED_TEST_SUITE(StreamRecords, Subjects);

TYPED_TEST(StreamRecords, CatalogComesBackAsItWas) {
  Store& store = this->store();
  commit(store, {PutStream{fixed_stream()}, PutStream{plain_stream(last_stream)}, PutStream{plain_stream(StreamId{1})},
                 PutShard{stream_id, fixed_shard()}, PutShardCursor{stream_id, shard_3, fixed_cursor()},
                 PutSegment{stream_id, shard_3, fixed_segment()}, PutShard{stream_id, open_shard(ShardIndex{0})},
                 PutShard{last_stream, open_shard(last_shard)}, PutShardCursor{last_stream, last_shard, ShardCursor{}},
                 PutStreamAccount{fixed_account()}, PutStreamAccount{plain_account()}});
  const Start start = started(store);
  ASSERT_EQ(start.streams.size(), 3U);
  EXPECT_EQ(start.streams[0].info, plain_stream(StreamId{1}));
  EXPECT_TRUE(start.streams[0].shards.empty());
  EXPECT_EQ(start.streams[1].info, fixed_stream());
  ASSERT_EQ(start.streams[1].shards.size(), 2U);
  EXPECT_EQ(start.streams[1].shards[0].record, open_shard(ShardIndex{0}));
  EXPECT_EQ(start.streams[1].shards[0].cursor, ShardCursor{}) << "no cursor yet";
  EXPECT_TRUE(start.streams[1].shards[0].segments.empty());
  EXPECT_EQ(start.streams[1].shards[1].record, fixed_shard());
  EXPECT_EQ(start.streams[1].shards[1].cursor, fixed_cursor());
  EXPECT_THAT(start.streams[1].shards[1].segments, testing::ElementsAre(fixed_segment()));
  EXPECT_EQ(start.streams[2].info, plain_stream(last_stream));
  ASSERT_EQ(start.streams[2].shards.size(), 1U);
  EXPECT_EQ(start.streams[2].shards[0].record, open_shard(last_shard));
  EXPECT_THAT(start.accounts, testing::UnorderedElementsAre(fixed_account(), plain_account()));
}

TYPED_TEST(StreamRecords, SegmentsComeInOrderForEachShard) {
  Store& store = this->store();
  commit(store, {PutStream{fixed_stream()}});
  for (std::uint32_t shard = 0; shard < 4; ++shard) commit(store, {PutShard{stream_id, open_shard(ShardIndex{shard})}});
  // The second shard has none.
  for (const std::uint32_t shard : {3U, 0U, 2U}) {
    for (const std::uint64_t first : {300U, 1U, 20U}) {
      commit(store, {PutSegment{stream_id, ShardIndex{shard}, {RecordIndex{first}, RecordIndex{first + 5}, {}, {}}}});
    }
  }
  const Start start = started(store);
  for (const RecoveredShard& shard : start.streams.at(0).shards) {
    std::vector<std::uint64_t> firsts;
    for (const Segment& segment : shard.segments) firsts.push_back(segment.first.value);
    const bool none = shard.record.index == ShardIndex{1};
    EXPECT_EQ(firsts, none ? std::vector<std::uint64_t>{} : (std::vector<std::uint64_t>{1, 20, 300}));
  }
}

TYPED_TEST(StreamRecords, RecordsComeBackAsTheyWere) {
  Store& store = this->store();
  const StreamRecord empty{"k", "", at_ms(16), false};
  const StreamRecord large{std::string(256, 'p'), std::string(10U << 20U, 'x'), at_ms(17), false};
  commit(store, {put_records(stream_id, shard_3, 8, {fixed_record(), empty, large, fixed_record()})});
  RecordsPage asked = page_of(8, 12);
  asked.bytes_max = 100U << 20U;
  const RecordsPage page = read(store, asked);
  ASSERT_EQ(indexes_of(page), (std::vector<std::uint64_t>{8, 9, 10, 11}));
  EXPECT_EQ(page.records[0].record, fixed_record());
  EXPECT_EQ(page.records[1].record, empty);
  EXPECT_EQ(page.records[2].record, large);
  EXPECT_EQ(page.records[3].record, fixed_record());
  EXPECT_EQ(page.next, RecordIndex{12});
  EXPECT_EQ(page.behind, Millis{0});
}

TYPED_TEST(StreamRecords, DropsWhatIsNamed) {
  Store& store = this->store();
  const std::vector<StreamId> streams{StreamId{stream_id.value - 1}, stream_id, StreamId{stream_id.value + 1},
                                      last_stream};
  for (const StreamId stream : streams) {
    commit(store, {PutStream{plain_stream(stream)}});
    for (const ShardIndex shard : {ShardIndex{2}, shard_3, last_shard}) {
      commit(store, {PutShard{stream, open_shard(shard)}, PutShardCursor{stream, shard, {}},
                     PutSegment{stream, shard, {RecordIndex{1}, RecordIndex{4}, {}, {}}},
                     PutSegment{stream, shard, {RecordIndex{4}, RecordIndex{7}, {}, {}}},
                     put_records(stream, shard, 1, small_records(9))});
    }
  }
  ASSERT_EQ(count_of(store, Table::records), 4U * 3 * 9);
  ASSERT_EQ(count_of(store, Table::catalog), 4U * (1 + 3 * 4));
  commit(store, {DropSegment{stream_id, shard_3, RecordIndex{1}, RecordIndex{4}}});
  EXPECT_EQ(count_of(store, Table::records), 4U * 3 * 9 - 3);
  EXPECT_EQ(count_of(store, Table::catalog), 4U * (1 + 3 * 4) - 1);
  EXPECT_EQ(indexes_of(read(store, page_of(1, 10))), (std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9}));
  // The one that still grows, which has no entry, and what an older one left.
  commit(store, {DropSegment{stream_id, shard_3, RecordIndex{7}, RecordIndex{10}}});
  EXPECT_EQ(count_of(store, Table::records), 4U * 3 * 9 - 9);
  EXPECT_EQ(count_of(store, Table::catalog), 4U * (1 + 3 * 4) - 1);
  commit(store, {DropShard{stream_id, shard_3}});
  EXPECT_EQ(count_of(store, Table::catalog), 4U * (1 + 3 * 4) - 3);
  for (const StreamId stream : {stream_id, last_stream}) commit(store, {DropStream{stream}, DropStreamRecords{stream}});
  EXPECT_EQ(count_of(store, Table::records), 2U * 3 * 9) << "the neighbours keep theirs";
  EXPECT_EQ(count_of(store, Table::catalog), 2U * (1 + 3 * 4));
}

TYPED_TEST(StreamRecords, AShardIsReadUpToItsLastIndexAndNoFurther) {
  Store& store = this->store();
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  commit(store, {put_records(stream_id, shard_3, last - 2, small_records(3)),
                 put_records(stream_id, ShardIndex{4}, 0, small_records(1))});
  EXPECT_EQ(indexes_of(read(store, page_of(1, last))), (std::vector<std::uint64_t>{last - 2, last - 1}));
}

// ---- Golden bytes: a release must read what the one before has written.

struct Golden {
  std::string name;
  Table table{};
  Mutation mutation;
};

std::vector<Golden> golden_records() {
  return {{"stream", Table::catalog, PutStream{fixed_stream()}},
          {"stream_plain", Table::catalog, PutStream{plain_stream(StreamId{9})}},
          {"stream_shard", Table::catalog, PutShard{stream_id, fixed_shard()}},
          {"stream_shard_open", Table::catalog, PutShard{StreamId{9}, open_shard(ShardIndex{0})}},
          {"stream_cursor", Table::catalog, PutShardCursor{stream_id, shard_3, fixed_cursor()}},
          {"stream_segment", Table::catalog, PutSegment{stream_id, shard_3, fixed_segment()}},
          {"stream_record", Table::records, put_records(stream_id, shard_3, 42, {fixed_record()})},
          {"stream_account", Table::catalog, PutStreamAccount{fixed_account()}},
          {"stream_account_plain", Table::catalog, PutStreamAccount{plain_account()}}};
}

std::string key_for(const Golden& record) {
  WriteBatch batch;
  encode({record.mutation}, batch);
  std::string key;
  batch.for_each([&](WriteBatch::Op, Table table, std::string_view first, std::string_view) {
    EXPECT_EQ(table, record.table);
    key.assign(first);
  });
  return key;
}

TEST(StreamGolden, EncodesToTheReleasedBytes) {
  for (const Golden& record : golden_records()) {
    EXPECT_EQ(to_hex(encoded(record.mutation)), to_hex(read_golden(record.name))) << record.name;
  }
}

TEST(StreamGolden, DecodesTheReleasedBytes) {
  MemoryStore store;
  for (const Golden& record : golden_records()) {
    ASSERT_FALSE(store.commit(put_of(record.table, key_for(record), read_golden(record.name)), true));
  }
  const Start start = started(store);
  ASSERT_EQ(start.streams.size(), 2U);
  EXPECT_EQ(start.streams[0].info, plain_stream(StreamId{9}));
  EXPECT_EQ(start.streams[0].shards.at(0).record, open_shard(ShardIndex{0}));
  EXPECT_EQ(start.streams[1].info, fixed_stream());
  EXPECT_EQ(start.streams[1].shards.at(0).record, fixed_shard());
  EXPECT_EQ(start.streams[1].shards.at(0).cursor, fixed_cursor());
  EXPECT_THAT(start.streams[1].shards.at(0).segments, testing::ElementsAre(fixed_segment()));
  EXPECT_THAT(start.accounts, testing::UnorderedElementsAre(fixed_account(), plain_account()));
  const RecordsPage page = read(store, page_of(1, 100));
  ASSERT_EQ(indexes_of(page), from_to(42, 42));
  EXPECT_EQ(page.records[0].record, fixed_record());
}

TEST(StreamGolden, KeysAreBigEndian) {
  const std::string stream = "31 32 33 34 35 36 37 38 ";
  EXPECT_EQ(to_hex(stream_key(stream_id).view()), "73 " + stream);
  EXPECT_EQ(to_hex(shard_key(stream_id, shard_3).view()), "68 " + stream + "00 00 00 03 ");
  EXPECT_EQ(to_hex(shard_cursor_key(stream_id, shard_3).view()), "70 " + stream + "00 00 00 03 ");
  EXPECT_EQ(to_hex(segment_key(stream_id, shard_3, RecordIndex{258}).view()),
            "67 " + stream + "00 00 00 03 00 00 00 00 00 00 01 02 ");
  EXPECT_EQ(to_hex(record_key(stream_id, shard_3, RecordIndex{258}).view()),
            stream + "00 00 00 03 00 00 00 00 00 00 01 02 ");
  EXPECT_EQ(to_hex(stream_account_key(fixed_account().account).view()), "61 a8 23 ae 5a 03 7a af 1f ");
}

TEST(StreamKeys, AreInTheOrderOfWhatTheyName) {
  std::vector<std::string> keys;
  for (const StreamId stream : {StreamId{0}, StreamId{255}, StreamId{256}, last_stream}) {
    for (const ShardIndex shard : {ShardIndex{0}, ShardIndex{255}, ShardIndex{256}, last_shard}) {
      for (const std::uint64_t index :
           {std::uint64_t{1}, std::uint64_t{256}, std::numeric_limits<std::uint64_t>::max()}) {
        keys.emplace_back(record_key(stream, shard, RecordIndex{index}).view());
        const auto parts = parse_record_key(keys.back());
        ASSERT_TRUE(parts);
        EXPECT_EQ(parts->shard, (ShardKeyParts{stream, shard}));
        EXPECT_EQ(parts->index, RecordIndex{index});
        EXPECT_EQ(keys.back().substr(0, shard_prefix_bytes),
                  record_key(stream, shard, {}).view().substr(0, shard_prefix_bytes));
        EXPECT_FALSE(is_rewritten(Table::records, keys.back()));
      }
    }
    const KeyRange all = records_of(stream);
    EXPECT_LE(all.from.view(), keys[keys.size() - 12]);
    EXPECT_GT(all.until.view(), keys.back());
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

// ---- Damage: every status but ok and corrupt, and every crash, is a defect.

/// Reads the record as a start and a reader would.
StoreStatus read_back(const Golden& record, std::string_view bytes) {
  MemoryStore store;
  commit(store, {PutStream{fixed_stream()}, PutStream{plain_stream(StreamId{9})}, PutShard{stream_id, fixed_shard()}});
  EXPECT_FALSE(store.commit(put_of(record.table, key_for(record), bytes), true));
  if (record.table == Table::records) {
    RecordsPage page = page_of(1, 100);
    return read_page(store, page).status;
  }
  Start start;
  return recover_streams(store, start.streams, start.accounts).status;
}

TEST(StreamDamage, TruncatedRecordsAreCorrupt) {
  for (const Golden& record : golden_records()) {
    const std::string bytes = encoded(record.mutation);
    ASSERT_EQ(read_back(record, bytes), StoreStatus::ok) << record.name;
    // Whatever ends a record may be padding, but for records of streams, which end in their data.
    const std::size_t padding_max = record.table == Table::records ? 0 : 8;
    for (std::size_t size = 0; size + padding_max < bytes.size(); ++size) {
      ASSERT_EQ(read_back(record, std::string_view{bytes}.substr(0, size)), StoreStatus::corrupt)
          << record.name << " cut to " << size;
    }
  }
}

TEST(StreamDamage, ARecordOfAnotherKindIsCorrupt) {
  const std::vector<Golden> records = golden_records();
  const auto kind_of = [](const Golden& record) { return record.mutation.index(); };
  for (const Golden& place : records) {
    for (const Golden& other : records) {
      if (kind_of(place) == kind_of(other)) continue;
      EXPECT_EQ(read_back(place, encoded(other.mutation)), StoreStatus::corrupt) << other.name << " as " << place.name;
    }
  }
}

std::string bytes_of(const Golden& record) { return encoded(record.mutation); }

TEST(StreamDamage, FlippedBitsAreCorruptOrAnotherValue) { flip_every_bit(golden_records(), bytes_of, read_back); }

TEST(StreamDamage, RandomBytesAreCorruptOrAnotherValue) { scribble(golden_records(), bytes_of, read_back); }

TEST(StreamDamage, WhatBelongsNowhereIsCorrupt) {
  const std::vector<std::vector<Mutation>> strays{{PutShard{StreamId{77}, fixed_shard()}},
                                                  {PutShard{last_stream, fixed_shard()}},
                                                  {PutShardCursor{stream_id, ShardIndex{2}, {}}},
                                                  {PutShardCursor{stream_id, ShardIndex{4}, {}}},
                                                  {PutShardCursor{StreamId{77}, shard_3, {}}},
                                                  {PutSegment{stream_id, ShardIndex{2}, fixed_segment()}},
                                                  {PutSegment{last_stream, shard_3, fixed_segment()}}};
  for (const std::vector<Mutation>& stray : strays) {
    MemoryStore store;
    commit(store, {PutStream{fixed_stream()}, PutShard{stream_id, fixed_shard()}});
    EXPECT_EQ(started(store).streams.size(), 1U);
    commit(store, stray);
    Start start;
    EXPECT_EQ(recover_streams(store, start.streams, start.accounts).status, StoreStatus::corrupt);
  }
}

TEST(StreamDamage, WhatContradictsItselfIsCorrupt) {
  ShardCursor head_behind_tail;
  head_behind_tail.head = RecordIndex{3};
  ShardCursor segment_behind_tail;
  segment_behind_tail.segment_first = RecordIndex{3};
  ShardRecord inverted = fixed_shard();
  std::swap(inverted.first_hash, inverted.last_hash);
  for (const Mutation& bad : std::vector<Mutation>{
           PutShardCursor{stream_id, shard_3, head_behind_tail},
           PutShardCursor{stream_id, shard_3, segment_behind_tail},
           PutSegment{stream_id, shard_3, {RecordIndex{5}, RecordIndex{4}, {}, {}}}, PutShard{stream_id, inverted}}) {
    MemoryStore store;
    commit(store, {PutStream{fixed_stream()}, PutShard{stream_id, fixed_shard()}, bad});
    Start start;
    EXPECT_EQ(recover_streams(store, start.streams, start.accounts).status, StoreStatus::corrupt);
  }
}

TEST(StreamDamage, UnknownKeysAreCorrupt) {
  MemoryStore store;
  const std::string stray = std::string{record_key(stream_id, shard_3, RecordIndex{5}).view()} + "x";
  ASSERT_FALSE(
      store.commit(put_of(Table::records, stray, encoded(put_records(stream_id, shard_3, 5, {fixed_record()}))), true));
  RecordsPage page = page_of(1, 100);
  EXPECT_EQ(read_page(store, page).status, StoreStatus::corrupt);
}

TEST(StreamDamage, AFailureIsHandedOn) {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  commit(store, {put_records(stream_id, shard_3, 1, small_records(20))});
  RecordsPage page = page_of(1, 21);
  page.not_before = at_ms(100);
  for (std::uint64_t n = 1; n <= 4; ++n) {
    store.fail_at(n, StoreStatus::io_error);
    EXPECT_EQ(read_page(store, page).status, StoreStatus::io_error) << n;
  }
  for (std::uint64_t n = 1; n <= 8; ++n) {
    store.fail_at(n, StoreStatus::io_error);
    Start start;
    EXPECT_EQ(recover_streams(store, start.streams, start.accounts).status, StoreStatus::io_error) << n;
  }
}

// ---- The contract of keys.

TEST(StreamContract, RecordsAreWrittenOnceAndTheCatalogIsRewritten) {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  const std::vector<Mutation> catalog{PutStream{fixed_stream()}, PutShard{stream_id, fixed_shard()},
                                      PutShardCursor{stream_id, shard_3, fixed_cursor()},
                                      PutStreamAccount{fixed_account()}};
  for (int i = 0; i < 3; ++i) commit(store, catalog);
  commit(store, {PutSegment{stream_id, shard_3, fixed_segment()},
                 put_records(stream_id, last_shard, std::numeric_limits<std::uint64_t>::max(), small_records(1)),
                 put_records(stream_id, shard_3, 1, small_records(20))});
  commit(store, {DropSegment{stream_id, shard_3, RecordIndex{1}, RecordIndex{10}},
                 DropSegment{stream_id, shard_3, RecordIndex{10}, RecordIndex{21}}, DropShard{stream_id, shard_3},
                 DropStream{stream_id}, DropStreamRecords{stream_id}});
  EXPECT_TRUE(store.violations().empty()) << store.violations().front();
  commit(store, {put_records(stream_id, shard_3, 30, small_records(2))});
  commit(store, {put_records(stream_id, shard_3, 31, small_records(1))});
  ASSERT_EQ(store.violations().size(), 1U);
  EXPECT_NE(store.violations()[0].find("put of a key that was written before: records 31"), std::string::npos)
      << store.violations()[0];
}

// ---- On disk.

class StreamDirectory : public testing::Test {
 protected:
  void open() {
    store_.reset();
    const StoreError error = open_rocksdb({.directory = data_}, store_);
    ASSERT_FALSE(error) << error.message;
    ASSERT_FALSE(open_format(*store_));
  }
  std::uintmax_t table_bytes() const {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator{data_}) {
      // Files come and go meanwhile.
      std::error_code gone;
      const std::uintmax_t size = entry.path().extension() == ".sst" ? fs::file_size(entry.path(), gone) : 0;
      if (!gone) bytes += size;
    }
    return bytes;
  }
  /// Waits for background work; false if it does not come to that.
  bool shrinks_to(std::uintmax_t bytes) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (std::chrono::steady_clock::now() < until) {
      if (table_bytes() <= bytes) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return false;
  }
  void put_large(StreamId stream, ShardIndex shard, std::uint64_t first, std::size_t count) {
    const StreamRecord record{"k", std::string(record_bytes, 'x'), at_ms(0), false};
    commit(*store_, {put_records(stream, shard, first, std::vector<StreamRecord>(count, record))});
  }

  static constexpr std::size_t record_bytes = 64U << 10U;
  TemporaryDirectory directory_;
  fs::path data_ = directory_.path() / "data";
  std::unique_ptr<Store> store_;
};

TEST_F(StreamDirectory, OfTheVersionBeforeStreamsIsUpgraded) {
  QueueRecord queue;
  queue.id = QueueId{5};
  queue.name = {"000000000000", "eu-central-1", "jobs"};
  {
    // As version 2 has it: three families and no more.
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* name : {"default", "state", "messages"})
      families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, data_, families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> database{opened};
    const auto put = [&](std::string_view key, std::string_view value) {
      const rocksdb::Slice name{key.data(), key.size()};
      ASSERT_TRUE(database->Put({}, handles[0], name, rocksdb::Slice{value.data(), value.size()}).ok());
    };
    put(format_key().view(), Key{}.append_u32(2).view());
    put(queue_key(queue.id).view(), encoded(PutQueue{queue}));
    for (rocksdb::ColumnFamilyHandle* handle : handles) (void)database->DestroyColumnFamilyHandle(handle);
  }
  for (int i = 0; i < 2; ++i) {
    open();
    std::vector<RecoveredQueue> queues;
    ASSERT_FALSE(recover(*store_, Limits{}, queues));
    ASSERT_EQ(queues.size(), 1U);
    EXPECT_EQ(queues[0].record, queue);
    std::string version;
    ASSERT_FALSE(store_->get(Table::catalog, format_key().view(), version));
    EXPECT_EQ(version, Key{}.append_u32(format_version).view());
    EXPECT_EQ(started(*store_).streams.size(), i == 0 ? 0U : 1U);
    if (i == 0) commit(*store_, {PutStream{fixed_stream()}, put_records(stream_id, shard_3, 1, {fixed_record()})});
    EXPECT_EQ(read(*store_, page_of(1, 2)).records.at(0).record, fixed_record());
  }
}

TEST_F(StreamDirectory, TrimmingGivesTheDiskItsSpaceBack) {
  open();
  constexpr std::uint64_t count = 3'000;
  constexpr std::size_t batch = 30;
  for (std::uint64_t first = 1; first <= count; first += batch) put_large(stream_id, shard_3, first, batch);
  // The youngest files stay where range drops do not reach them, until they are merged.
  constexpr std::uintmax_t young_bytes_max = 96U << 20U;
  ASSERT_GT(table_bytes(), young_bytes_max + (32U << 20U));
  commit(*store_, {DropSegment{stream_id, shard_3, RecordIndex{1}, RecordIndex{count - 9}}});
  EXPECT_TRUE(shrinks_to(young_bytes_max)) << table_bytes();
  RecordsPage all = page_of(1, count + 1);
  EXPECT_EQ(indexes_of(read(*store_, all)), from_to(count - 9, count));
  open();
  EXPECT_EQ(indexes_of(read(*store_, all)), from_to(count - 9, count));
}

TEST_F(StreamDirectory, DeletingAStreamGivesTheDiskItsSpaceBack) {
  open();
  const StreamId neighbour{stream_id.value + 1};
  put_large(neighbour, ShardIndex{0}, 1, 10);
  constexpr std::uint64_t count = 750;
  constexpr std::size_t batch = 30;
  for (std::uint64_t first = 1; first <= count; first += batch) {
    for (std::uint32_t shard = 0; shard < 4; ++shard) put_large(stream_id, ShardIndex{shard}, first, batch);
  }
  constexpr std::uintmax_t young_bytes_max = 96U << 20U;
  ASSERT_GT(table_bytes(), young_bytes_max + (32U << 20U));
  commit(*store_, {DropStreamRecords{stream_id}, DropStream{stream_id}});
  EXPECT_TRUE(shrinks_to(young_bytes_max)) << table_bytes();
  EXPECT_EQ(count_of(*store_, Table::records), 10U);
  open();
  EXPECT_EQ(count_of(*store_, Table::records), 10U);
}

}  // namespace
}  // namespace penstock::storage
