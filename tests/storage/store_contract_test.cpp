// What every Store promises, held against each of them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/faulty_store.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocksdb_store.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

struct MemorySubject {
  MemoryStore store;
  Store& get() { return store; }
};

struct FaultySubject {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  ~FaultySubject() { EXPECT_TRUE(store.violations().empty()) << store.violations().front(); }
  Store& get() { return store; }
};

struct RocksDbSubject {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  RocksDbSubject() {
    const StoreError error = open_rocksdb({.directory = directory.path() / "data"}, store);
    EXPECT_FALSE(error) << error.message;
  }
  Store& get() { return *store; }
};

template <class Subject>
class StoreContract : public testing::Test {
 protected:
  Store& store() { return subject_.get(); }
  void commit(const WriteBatch& batch, bool sync = false) {
    const StoreError error = store().commit(batch, sync);
    ASSERT_FALSE(error) << error.message;
  }

 private:
  Subject subject_;
};

using Subjects = testing::Types<MemorySubject, FaultySubject, RocksDbSubject>;
TYPED_TEST_SUITE(StoreContract, Subjects);

TYPED_TEST(StoreContract, AnswersNotFoundForWhatWasNeverPut) {
  std::string value;
  EXPECT_EQ(this->store().get(Table::catalog, "key", value).status, StoreStatus::not_found);
}

TYPED_TEST(StoreContract, ReadsWhatWasCommitted) {
  this->commit(put_of(Table::messages, "key", "value"));
  std::string value = "before";
  EXPECT_FALSE(this->store().get(Table::messages, "key", value));
  EXPECT_EQ(value, "value");
  EXPECT_EQ(this->store().get(Table::state, "key", value).status, StoreStatus::not_found) << "tables are apart";
}

TYPED_TEST(StoreContract, KeepsEveryTableApart) {
  const std::vector<Table> tables{Table::catalog, Table::state, Table::messages, Table::records};
  ASSERT_EQ(tables.size(), table_count);
  for (const Table table : tables) {
    this->commit(put_of(table, "key", std::to_string(static_cast<int>(table))));
  }
  for (const Table table : tables) {
    EXPECT_EQ(rows_of(this->store(), table), (Rows{{"key", std::to_string(static_cast<int>(table))}}));
  }
  WriteBatch drop;
  drop.drop_range(Table::records, "a", "z");
  this->commit(drop);
  for (const Table table : tables) EXPECT_EQ(rows_of(this->store(), table).empty(), table == Table::records);
}

TYPED_TEST(StoreContract, PutsAValueInTwoParts) {
  WriteBatch batch;
  batch.reserve(3, 100);
  batch.put(Table::records, "a", "head", "rest");
  batch.put(Table::records, "b", "", "rest");
  batch.put(Table::records, "c", "head", "");
  EXPECT_EQ(batch.count(), 3U);
  this->commit(batch);
  EXPECT_EQ(rows_of(this->store(), Table::records), (Rows{{"a", "headrest"}, {"b", "rest"}, {"c", "head"}}));
}

TYPED_TEST(StoreContract, KeepsBytesAsTheyAre) {
  const std::string key{"\x00\xff\x7f", 3};
  const std::string value("\x00\x01\xfe\xff", 4);
  this->commit(put_of(Table::state, key, value));
  this->commit(put_of(Table::state, "empty", ""));
  std::string read;
  EXPECT_FALSE(this->store().get(Table::state, key, read));
  EXPECT_EQ(read, value);
  EXPECT_FALSE(this->store().get(Table::state, "empty", read));
  EXPECT_EQ(read, "");
}

TYPED_TEST(StoreContract, OverwritesInTheCatalog) {
  this->commit(put_of(Table::catalog, "key", "first"));
  this->commit(put_of(Table::catalog, "key", "second"));
  WriteBatch batch;
  batch.put(Table::catalog, "other", "third");
  batch.put(Table::catalog, "other", "fourth");
  this->commit(batch);
  EXPECT_EQ(rows_of(this->store(), Table::catalog), (Rows{{"key", "second"}, {"other", "fourth"}}));
  WriteBatch drop;
  drop.drop(Table::catalog, "key");
  drop.drop(Table::catalog, "never put");
  this->commit(drop);
  EXPECT_EQ(rows_of(this->store(), Table::catalog), (Rows{{"other", "fourth"}}));
}

TYPED_TEST(StoreContract, ScansInOrderWithinBounds) {
  WriteBatch batch;
  for (const char* key : {"d", "a", "c", "b"}) batch.put(Table::messages, key, key);
  this->commit(batch);
  EXPECT_EQ(rows_of(this->store(), Table::messages, "b", "d"), (Rows{{"b", "b"}, {"c", "c"}}));
  EXPECT_EQ(rows_of(this->store(), Table::messages, "aa", "bb"), (Rows{{"b", "b"}}));
  EXPECT_TRUE(rows_of(this->store(), Table::messages, "e", "f").empty());
  EXPECT_TRUE(rows_of(this->store(), Table::messages, "b", "b").empty());
  EXPECT_TRUE(rows_of(this->store(), Table::messages, "c", "b").empty());
}

TYPED_TEST(StoreContract, StopsAScanWhereTheVisitorSaysSo) {
  WriteBatch batch;
  for (const char* key : {"a", "b", "c"}) batch.put(Table::messages, key, key);
  this->commit(batch);
  std::string seen;
  const StoreError error = this->store().scan(Table::messages, "a", "z", [&](std::string_view key, std::string_view) {
    seen += key;
    return key != "b";
  });
  EXPECT_FALSE(error);
  EXPECT_EQ(seen, "ab");
}

TYPED_TEST(StoreContract, DropsOnce) {
  this->commit(put_of(Table::messages, "a", "1"));
  this->commit(put_of(Table::messages, "b", "2"));
  WriteBatch batch;
  batch.drop_once(Table::messages, "a");
  this->commit(batch);
  EXPECT_EQ(rows_of(this->store(), Table::messages), (Rows{{"b", "2"}}));
}

TYPED_TEST(StoreContract, PutsAndDropsOnceInOneBatch) {
  WriteBatch batch;
  batch.put(Table::messages, "a", "1");
  batch.drop_once(Table::messages, "a");
  batch.put(Table::messages, "b", "2");
  this->commit(batch);
  EXPECT_EQ(rows_of(this->store(), Table::messages), (Rows{{"b", "2"}}));
}

TYPED_TEST(StoreContract, DropsARangeAndNothingBeside) {
  WriteBatch batch;
  for (std::uint64_t queue = 1; queue <= 3; ++queue) {
    for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
      batch.put(Table::messages, message_key(QueueId{queue}, Sequence{sequence}).view(), "m");
    }
  }
  this->commit(batch);
  const KeyRange range = queue_contents(QueueId{2});
  WriteBatch drop;
  drop.drop_range(Table::messages, range.from.view(), range.until.view());
  this->commit(drop);
  EXPECT_EQ(rows_of(this->store(), Table::messages).size(), 10U);
  EXPECT_TRUE(rows_of(this->store(), Table::messages, range.from.view(), range.until.view()).empty());
}

TYPED_TEST(StoreContract, AllowsDropOnceOfWhatARangeDropped) {
  this->commit(put_of(Table::messages, "a", "1"));
  WriteBatch range;
  range.drop_range(Table::messages, "a", "b");
  this->commit(range);
  WriteBatch drop;
  drop.drop_once(Table::messages, "a");
  this->commit(drop);
  EXPECT_TRUE(rows_of(this->store(), Table::messages).empty());
}

TYPED_TEST(StoreContract, AppliesChangesOfABatchInOrder) {
  WriteBatch batch;
  batch.put(Table::state, "a", "1");
  batch.drop_range(Table::state, "a", "b");
  batch.put(Table::state, "aa", "2");
  this->commit(batch);
  EXPECT_EQ(rows_of(this->store(), Table::state), (Rows{{"aa", "2"}}));
}

TYPED_TEST(StoreContract, TakesEmptyBatchesAndSyncs) {
  this->commit(WriteBatch{}, false);
  this->commit(WriteBatch{}, true);
  this->commit(put_of(Table::catalog, "key", "value"), true);
  EXPECT_FALSE(this->store().sync());
  EXPECT_EQ(rows_of(this->store(), Table::catalog).size(), 1U);
}

TYPED_TEST(StoreContract, TakesValuesOfAMegabyte) {
  const std::string large(1U << 20U, 'x');
  this->commit(put_of(Table::messages, "large", large), true);
  std::string value;
  EXPECT_FALSE(this->store().get(Table::messages, "large", value));
  EXPECT_EQ(value, large);
}

}  // namespace
}  // namespace penstock::storage
