#include "storage/group_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "counting_store.hpp"
#include "damage.hpp"
#include "records_support.hpp"
#include "storage/faulty_store.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/stream_records.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();
constexpr StreamId stream_id{0x4142434445464748ULL};
constexpr StreamId other_stream{stream_id.value + 1};
constexpr StreamId last_stream{u64_max};
constexpr GroupId group_id{0x5152535455565758ULL};
constexpr GroupId other_group{group_id.value + 1};
constexpr GroupId last_group{u64_max};
constexpr ShardIndex shard_3{3};
constexpr ShardIndex last_shard{std::numeric_limits<std::uint32_t>::max()};
const std::string beyond_everything(64, '\xff');

Instant at_ms(std::int64_t ms) { return from_epoch_ms(1'700'000'000'000 + ms); }

PutStream put_stream(StreamId id) {
  StreamInfo info;
  info.id = id;
  info.name = {"000000000000", "eu-central-1", "clicks-" + std::to_string(id.value)};
  return {info};
}

GroupInfo fixed_group() {
  GroupInfo info;
  info.id = group_id;
  info.name = "billing";
  info.created = at_ms(1);
  info.start = IteratorType::at_timestamp;
  info.lease = Millis{30'000};
  info.mode = CommitMode::on_commit;
  info.lost_records = 17;
  return info;
}

GroupInfo plain_group(GroupId id) {
  GroupInfo info;
  info.id = id;
  info.name = "group-" + std::to_string(id.value);
  info.lease = Millis{10'000};
  return info;
}

GroupLease fixed_lease() {
  GroupLease lease;
  lease.position = {RecordIndex{5'000}, 7, 1'700'000'003, at_ms(4)};
  lease.epoch = 12;
  lease.owner = "worker-1";
  lease.session = 0x6162636465666768ULL;
  lease.metadata = R"({"offset": 9})";
  lease.committed = at_ms(5);
  lease.lost_records = 3;
  lease.lost_until = RecordIndex{5'008};
  return lease;
}

GroupLease lease_at(std::uint64_t next) {
  GroupLease lease;
  lease.position.next = RecordIndex{next};
  return lease;
}

RecordPut put_at(std::uint32_t shard, std::uint64_t index) {
  return {ShardIndex{shard}, {1'700'000'001, RecordIndex{index}, 1'700'000'002, ShardIndex{shard}}};
}

CommitKey fixed_key() { return {"payment-4711", at_ms(6), {put_at(3, 42), put_at(4, 1)}}; }

CommitKey plain_key(const std::string& key) { return {key, {}, {}}; }

StoreError start(Store& store, std::vector<RecoveredStream>& streams) {
  std::vector<StreamAccount> accounts;
  return recover_streams(store, streams, accounts);
}

std::vector<RecoveredStream> started(Store& store) {
  std::vector<RecoveredStream> streams;
  const StoreError error = start(store, streams);
  EXPECT_FALSE(error) << error.message;
  return streams;
}

Rows catalog_of(const Store& store) { return rows_of(store, Table::catalog, "", beyond_everything); }

using Leases = std::vector<std::pair<ShardIndex, GroupLease>>;

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
class GroupRecords : public testing::Test {
 protected:
  Store& store() { return subject_.get(); }

 private:
  Subject subject_;
};
using Subjects = testing::Types<Memory, RocksDb>;
TYPED_TEST_SUITE(GroupRecords, Subjects);

TYPED_TEST(GroupRecords, ComeBackAsTheyWere) {
  Store& store = this->store();
  commit(store, {put_stream(stream_id), put_stream(other_stream), put_stream(last_stream)});
  commit(store, {PutGroup{stream_id, plain_group(last_group)}, PutGroup{stream_id, fixed_group()},
                 PutGroup{last_stream, plain_group(GroupId{0})}, PutGroup{last_stream, plain_group(last_group)},
                 PutGroupLease{stream_id, group_id, last_shard, lease_at(9)},
                 PutGroupLease{stream_id, group_id, ShardIndex{0}, lease_at(8)},
                 PutGroupLease{stream_id, group_id, shard_3, fixed_lease()},
                 PutGroupLease{last_stream, last_group, last_shard, fixed_lease()},
                 PutCommitKey{stream_id, group_id, fixed_key()}, PutCommitKey{stream_id, group_id, plain_key("k")},
                 PutCommitKey{last_stream, last_group, fixed_key()}});
  const std::vector<RecoveredStream> streams = started(store);
  ASSERT_EQ(streams.size(), 3U);
  ASSERT_EQ(streams[0].groups.size(), 2U);
  EXPECT_EQ(streams[0].groups[0].info, fixed_group());
  EXPECT_EQ(streams[0].groups[0].leases,
            (Leases{{ShardIndex{0}, lease_at(8)}, {shard_3, fixed_lease()}, {last_shard, lease_at(9)}}));
  EXPECT_THAT(streams[0].groups[0].keys, testing::UnorderedElementsAre(fixed_key(), plain_key("k")));
  EXPECT_EQ(streams[0].groups[1].info, plain_group(last_group));
  EXPECT_TRUE(streams[0].groups[1].leases.empty());
  EXPECT_TRUE(streams[0].groups[1].keys.empty());
  EXPECT_TRUE(streams[1].groups.empty());
  ASSERT_EQ(streams[2].groups.size(), 2U);
  EXPECT_EQ(streams[2].groups[0].info, plain_group(GroupId{0}));
  EXPECT_TRUE(streams[2].groups[0].leases.empty());
  EXPECT_EQ(streams[2].groups[1].leases, (Leases{{last_shard, fixed_lease()}}));
  EXPECT_THAT(streams[2].groups[1].keys, testing::ElementsAre(fixed_key()));
}

TYPED_TEST(GroupRecords, AreReplaced) {
  Store& store = this->store();
  GroupInfo info = fixed_group();
  GroupLease lease = fixed_lease();
  CommitKey key = fixed_key();
  for (int i = 0; i < 3; ++i) {
    commit(store, {put_stream(stream_id), PutGroup{stream_id, info}, PutGroupLease{stream_id, group_id, shard_3, lease},
                   PutCommitKey{stream_id, group_id, key}});
    const std::vector<RecoveredStream> streams = started(store);
    ASSERT_EQ(streams.at(0).groups.size(), 1U);
    EXPECT_EQ(streams[0].groups[0].info, info);
    EXPECT_EQ(streams[0].groups[0].leases, (Leases{{shard_3, lease}}));
    EXPECT_THAT(streams[0].groups[0].keys, testing::ElementsAre(key));
    ++info.lost_records;
    ++lease.position.next.value;
    lease.position.sub.reset();
    lease.owner.clear();
    key.put.push_back(put_at(9, 1));
  }
}

/// Each of the streams with each of the groups, with three leases and two keys each.
void fill(Store& store, const std::vector<StreamId>& streams, const std::vector<GroupId>& groups) {
  for (const StreamId stream : streams) {
    commit(store, {put_stream(stream)});
    for (const GroupId group : groups) {
      commit(store, {PutGroup{stream, plain_group(group)}, PutGroupLease{stream, group, ShardIndex{0}, lease_at(1)},
                     PutGroupLease{stream, group, shard_3, fixed_lease()},
                     PutGroupLease{stream, group, last_shard, lease_at(3)}, PutCommitKey{stream, group, fixed_key()},
                     PutCommitKey{stream, group, plain_key("another")}});
    }
  }
}
constexpr std::size_t rows_of_group = 6;

TYPED_TEST(GroupRecords, DropsWhatIsNamed) {
  Store& store = this->store();
  const std::vector<StreamId> streams{StreamId{stream_id.value - 1}, stream_id, other_stream, last_stream};
  const std::vector<GroupId> groups{GroupId{group_id.value - 1}, group_id, other_group, last_group};
  fill(store, streams, groups);
  const std::size_t all = catalog_of(store).size();
  ASSERT_EQ(all, streams.size() * (1 + groups.size() * rows_of_group));

  commit(store, {DropGroupLease{stream_id, group_id, shard_3}, DropCommitKey{stream_id, group_id, "another"}});
  std::vector<RecoveredStream> found = started(store);
  EXPECT_EQ(found.at(1).groups.at(1).leases, (Leases{{ShardIndex{0}, lease_at(1)}, {last_shard, lease_at(3)}}));
  EXPECT_THAT(found.at(1).groups.at(1).keys, testing::ElementsAre(fixed_key()));
  EXPECT_EQ(catalog_of(store).size(), all - 2);

  commit(store, {DropGroup{stream_id, group_id}, DropGroup{stream_id, last_group}, DropGroup{last_stream, last_group}});
  found = started(store);
  EXPECT_EQ(catalog_of(store).size(), all - 3 * rows_of_group) << "the neighbours keep theirs";
  ASSERT_EQ(found.at(1).groups.size(), 2U);
  EXPECT_EQ(found.at(1).groups[0].info, plain_group(groups[0]));
  EXPECT_EQ(found.at(1).groups[1].info, plain_group(other_group));
  EXPECT_EQ(found.at(3).groups.size(), 3U);

  commit(store, {DropStream{stream_id}, DropStream{last_stream}});
  EXPECT_EQ(catalog_of(store).size(), 2 * (1 + groups.size() * rows_of_group));
  found = started(store);
  ASSERT_EQ(found.size(), 2U);
  for (const RecoveredStream& stream : found) EXPECT_EQ(stream.groups.size(), groups.size());
}

// ---- What a transaction wrote of a group that was deleted meanwhile.

TYPED_TEST(GroupRecords, WhatIsLeftOfAGroupThatIsGoneIsDropped) {
  Store& store = this->store();
  fill(store, {stream_id, other_stream}, {group_id, other_group});
  const Rows before = catalog_of(store);
  const StreamId gone{stream_id.value - 1};
  commit(store, {PutGroupLease{stream_id, GroupId{1}, shard_3, fixed_lease()},
                 PutGroupLease{stream_id, GroupId{1}, last_shard, fixed_lease()},
                 PutGroupLease{stream_id, last_group, last_shard, fixed_lease()},
                 PutGroupLease{last_stream, last_group, last_shard, fixed_lease()},
                 PutGroupLease{gone, group_id, shard_3, fixed_lease()},
                 PutCommitKey{stream_id, GroupId{1}, fixed_key()}, PutCommitKey{other_stream, last_group, fixed_key()},
                 PutCommitKey{last_stream, group_id, fixed_key()}, PutCommitKey{gone, last_group, fixed_key()}});
  const std::vector<RecoveredStream> streams = started(store);
  ASSERT_EQ(streams.size(), 2U);
  for (const RecoveredStream& stream : streams) {
    ASSERT_EQ(stream.groups.size(), 2U);
    for (const RecoveredGroup& group : stream.groups) {
      EXPECT_EQ(group.leases.size(), 3U);
      EXPECT_EQ(group.keys.size(), 2U);
    }
  }
  EXPECT_EQ(catalog_of(store), before);
}

TEST(GroupOrphans, AreDroppedByTheNextStartIfPowerIsLost) {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  fill(store, {stream_id}, {group_id});
  const std::size_t before = catalog_of(store).size();
  commit(store, {PutGroupLease{stream_id, last_group, shard_3, fixed_lease()}});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(started(store).at(0).groups.size(), 1U);
    EXPECT_EQ(catalog_of(store).size(), before);
    store.crash_power_loss(entropy);
  }
  EXPECT_TRUE(store.violations().empty()) << store.violations().front();
}

TEST(GroupOrphans, AStartWithoutThemWritesNothing) {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  fill(store, {stream_id}, {group_id});
  std::size_t commits = 0;
  store.set_on_operation(
      [&](FaultyStore::OperationKind kind) { commits += kind == FaultyStore::OperationKind::commit ? 1U : 0U; });
  EXPECT_EQ(started(store).size(), 1U);
  EXPECT_EQ(commits, 0U);
}

TEST(GroupOrphans, OfMoreGroupsThanOneStartClearsAreClearedByTheNext) {
  MemoryStore store;
  commit(store, {put_stream(stream_id)});
  constexpr std::size_t left = 10;
  std::vector<Mutation> strays;
  for (std::uint64_t i = 0; i < orphaned_groups_max + left; ++i) {
    strays.emplace_back(PutGroupLease{stream_id, GroupId{i}, shard_3, fixed_lease()});
    strays.emplace_back(PutGroupLease{stream_id, GroupId{i}, last_shard, fixed_lease()});
  }
  commit(store, strays);
  EXPECT_TRUE(started(store).at(0).groups.empty());
  EXPECT_EQ(catalog_of(store).size(), 1U + 2 * left);
  EXPECT_TRUE(started(store).at(0).groups.empty());
  EXPECT_EQ(catalog_of(store).size(), 1U);
}

// ---- The work of a start.

TEST(GroupWork, EachEntryIsReadOnce) {
  CountingStore store;
  std::vector<GroupId> groups;
  for (std::uint64_t i = 0; i < 50; ++i) groups.push_back(GroupId{i});
  fill(store, {stream_id, other_stream, last_stream}, groups);
  EXPECT_EQ(started(store).at(2).groups.at(49).leases.at(1), (std::pair{shard_3, fixed_lease()}));
  EXPECT_EQ(store.entries_seen(), 3U * (1 + 50 * rows_of_group));
  EXPECT_EQ(store.scans, 8U) << "one for each kind of entry";
}

// ---- Golden bytes: a release must read what the one before has written.

struct Golden {
  std::string name;
  Mutation mutation;
};

std::vector<Golden> golden_records() {
  return {{"group", PutGroup{stream_id, fixed_group()}},
          {"group_plain", PutGroup{stream_id, plain_group(other_group)}},
          {"group_lease", PutGroupLease{stream_id, group_id, shard_3, fixed_lease()}},
          {"group_lease_plain", PutGroupLease{stream_id, other_group, shard_3, lease_at(1)}},
          {"commit_key", PutCommitKey{stream_id, group_id, fixed_key()}},
          {"commit_key_plain", PutCommitKey{stream_id, other_group, plain_key("k")}}};
}

std::string key_for(const Golden& record) {
  WriteBatch batch;
  encode({record.mutation}, batch);
  std::string key;
  batch.for_each([&](WriteBatch::Op, Table table, std::string_view first, std::string_view) {
    EXPECT_EQ(table, Table::catalog);
    key.assign(first);
  });
  return key;
}

TEST(GroupGolden, EncodesToTheReleasedBytes) {
  for (const Golden& record : golden_records()) {
    EXPECT_EQ(to_hex(encoded(record.mutation)), to_hex(read_golden(record.name))) << record.name;
  }
}

TEST(GroupGolden, DecodesTheReleasedBytes) {
  MemoryStore store;
  commit(store, {put_stream(stream_id)});
  for (const Golden& record : golden_records()) {
    ASSERT_FALSE(store.commit(put_of(Table::catalog, key_for(record), read_golden(record.name)), true));
  }
  const std::vector<RecoveredStream> streams = started(store);
  ASSERT_EQ(streams.at(0).groups.size(), 2U);
  const RecoveredGroup& fixed = streams[0].groups[0];
  EXPECT_EQ(fixed.info, fixed_group());
  EXPECT_EQ(fixed.leases, (Leases{{shard_3, fixed_lease()}}));
  EXPECT_THAT(fixed.keys, testing::ElementsAre(fixed_key()));
  const RecoveredGroup& plain = streams[0].groups[1];
  EXPECT_EQ(plain.info, plain_group(other_group));
  EXPECT_EQ(plain.leases, (Leases{{shard_3, GroupLease{}}}));
  EXPECT_THAT(plain.keys, testing::ElementsAre(plain_key("k")));
}

TEST(GroupGolden, KeysAreBigEndian) {
  const std::string group = "41 42 43 44 45 46 47 48 51 52 53 54 55 56 57 58 ";
  EXPECT_EQ(to_hex(group_key(stream_id, group_id).view()), "75 " + group);
  EXPECT_EQ(to_hex(group_lease_key(stream_id, group_id, ShardIndex{258}).view()), "6c " + group + "00 00 01 02 ");
  EXPECT_EQ(to_hex(commit_key(stream_id, group_id, "payment-4711").view()), "6b " + group + "0b 7c 40 32 6c bb 34 c0 ");
}

TEST(GroupKeys, AreInTheOrderOfWhatTheyName) {
  std::vector<std::string> groups;
  std::vector<std::string> leases;
  for (const StreamId stream : {StreamId{0}, StreamId{255}, StreamId{256}, last_stream}) {
    for (const GroupId group : {GroupId{0}, GroupId{255}, GroupId{256}, last_group}) {
      const GroupKeyParts named{stream, group};
      groups.emplace_back(group_key(stream, group).view());
      EXPECT_EQ(parse_group_key(groups.back()), named);
      const KeyRange of_group = group_leases_of(stream, group);
      for (const ShardIndex shard : {ShardIndex{0}, ShardIndex{255}, ShardIndex{256}, last_shard}) {
        leases.emplace_back(group_lease_key(stream, group, shard).view());
        const auto parts = parse_group_lease_key(leases.back());
        ASSERT_TRUE(parts);
        EXPECT_EQ(parts->group, named);
        EXPECT_EQ(parts->shard, shard);
        EXPECT_LT(of_group.from.view(), leases.back());
        EXPECT_GT(of_group.until.view(), leases.back());
      }
      const std::string key{commit_key(stream, group, "key").view()};
      EXPECT_EQ(parse_commit_key(key), named);
      EXPECT_LT(commit_keys_of(stream, group).from.view(), key);
      EXPECT_GT(commit_keys_of(stream, group).until.view(), key);
      for (const std::string& one : {groups.back(), leases.back(), key}) {
        EXPECT_TRUE(is_rewritten(Table::catalog, one));
        EXPECT_FALSE(parse_group_key(one + "x") || parse_group_lease_key(one + "x") || parse_commit_key(one + "x"));
      }
    }
    EXPECT_GE(groups[groups.size() - 4], groups_of(stream).from.view());
    EXPECT_LT(groups.back(), groups_of(stream).until.view());
    EXPECT_LT(leases.back(), group_leases_of(stream).until.view());
  }
  EXPECT_TRUE(std::is_sorted(groups.begin(), groups.end()));
  EXPECT_TRUE(std::is_sorted(leases.begin(), leases.end()));
  EXPECT_LE(all_groups().until.view(), format_key().view());
}

// ---- Damage: every status but ok and corrupt, and every crash, is a defect.

/// Reads the record as a start would.
StoreStatus read_back(const Golden& record, std::string_view bytes) {
  MemoryStore store;
  commit(store,
         {put_stream(stream_id), PutGroup{stream_id, fixed_group()}, PutGroup{stream_id, plain_group(other_group)}});
  EXPECT_FALSE(store.commit(put_of(Table::catalog, key_for(record), bytes), true));
  std::vector<RecoveredStream> streams;
  return start(store, streams).status;
}

TEST(GroupDamage, TruncatedRecordsAreCorrupt) {
  for (const Golden& record : golden_records()) {
    const std::string bytes = encoded(record.mutation);
    ASSERT_EQ(read_back(record, bytes), StoreStatus::ok) << record.name;
    // Whatever ends a record may be padding.
    constexpr std::size_t padding_max = 8;
    for (std::size_t size = 0; size + padding_max < bytes.size(); ++size) {
      ASSERT_EQ(read_back(record, std::string_view{bytes}.substr(0, size)), StoreStatus::corrupt)
          << record.name << " cut to " << size;
    }
  }
}

TEST(GroupDamage, ARecordOfAnotherKindIsCorrupt) {
  const std::vector<Golden> records = golden_records();
  for (const Golden& place : records) {
    for (const Golden& other : records) {
      if (place.mutation.index() == other.mutation.index()) continue;
      EXPECT_EQ(read_back(place, encoded(other.mutation)), StoreStatus::corrupt) << other.name << " as " << place.name;
    }
  }
}

std::string bytes_of(const Golden& record) { return encoded(record.mutation); }

TEST(GroupDamage, FlippedBitsAreCorruptOrAnotherValue) { flip_every_bit(golden_records(), bytes_of, read_back); }

TEST(GroupDamage, RandomBytesAreCorruptOrAnotherValue) { scribble(golden_records(), bytes_of, read_back); }

/// The status of a start that finds one entry more than a stream and a group.
StoreStatus status_with(const WriteBatch& entry) {
  MemoryStore store;
  commit(store, {put_stream(stream_id), PutGroup{stream_id, fixed_group()}});
  EXPECT_FALSE(store.commit(entry, true));
  std::vector<RecoveredStream> streams;
  return start(store, streams).status;
}

TEST(GroupDamage, WhatContradictsItselfIsCorrupt) {
  GroupInfo nameless = fixed_group();
  nameless.name.clear();
  GroupInfo without_time = fixed_group();
  without_time.lease = Millis{0};
  GroupLease before_the_first = fixed_lease();
  before_the_first.position.next = RecordIndex{0};
  GroupLease never_granted = fixed_lease();
  never_granted.epoch = 0;
  for (const Mutation& bad : std::vector<Mutation>{PutGroup{stream_id, nameless}, PutGroup{stream_id, without_time},
                                                   PutGroup{other_stream, fixed_group()},
                                                   PutGroupLease{stream_id, group_id, shard_3, before_the_first},
                                                   PutGroupLease{stream_id, group_id, shard_3, never_granted}}) {
    WriteBatch batch;
    encode({bad}, batch);
    EXPECT_EQ(status_with(batch), StoreStatus::corrupt);
  }
}

TEST(GroupDamage, AKeyThatIsNotItsRecordsIsCorrupt) {
  const std::string bytes = encoded(PutCommitKey{stream_id, group_id, fixed_key()});
  EXPECT_EQ(status_with(put_of(Table::catalog, commit_key(stream_id, group_id, "other").view(), bytes)),
            StoreStatus::corrupt);
  EXPECT_EQ(status_with(put_of(Table::catalog, commit_key(stream_id, group_id, fixed_key().key).view(), bytes)),
            StoreStatus::ok);
}

TEST(GroupDamage, UnknownKeysAreCorrupt) {
  for (const Golden& record : golden_records()) {
    const std::string key = key_for(record);
    const std::string bytes = encoded(record.mutation);
    for (const std::string& stray : {key + "x", key.substr(0, key.size() - 1), key.substr(0, 1)}) {
      EXPECT_EQ(status_with(put_of(Table::catalog, stray, bytes)), StoreStatus::corrupt) << record.name;
    }
  }
}

TEST(GroupDamage, AFailureIsHandedOn) {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  fill(store, {stream_id}, {group_id});
  commit(store, {PutGroupLease{stream_id, last_group, shard_3, fixed_lease()}});
  // Eight reads, and the commit that drops the lease which belongs nowhere.
  for (std::uint64_t n = 1; n <= 9; ++n) {
    store.fail_at(n, StoreStatus::io_error);
    std::vector<RecoveredStream> streams;
    EXPECT_EQ(start(store, streams).status, StoreStatus::io_error) << n;
  }
}

// ---- Format.

TEST(GroupFormat, OfTheVersionBeforeGroupsIsUpgraded) {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  const auto open = [&] {
    store.reset();
    const StoreError error = open_rocksdb({.directory = directory.path() / "data"}, store);
    ASSERT_FALSE(error) << error.message;
  };
  open();
  ASSERT_FALSE(store->commit(put_of(Table::catalog, format_key().view(), Key{}.append_u32(3).view()), true));
  commit(*store, {put_stream(stream_id)});
  for (const std::size_t groups : {0U, 1U}) {
    open();
    ASSERT_FALSE(open_format(*store));
    std::string version;
    ASSERT_FALSE(store->get(Table::catalog, format_key().view(), version));
    EXPECT_EQ(version, Key{}.append_u32(format_version).view());
    const std::vector<RecoveredStream> streams = started(*store);
    ASSERT_EQ(streams.size(), 1U);
    EXPECT_EQ(streams[0].info, put_stream(stream_id).info);
    EXPECT_EQ(streams[0].groups.size(), groups);
    commit(*store, {PutGroup{stream_id, fixed_group()}});
  }
}

}  // namespace
}  // namespace penstock::storage
