// A database in a directory of its own, which tests fill, copy as a crash would leave it, and damage.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "storage/keys.hpp"
#include "storage/rocksdb_store.hpp"
#include "support.hpp"

namespace penstock::storage {

namespace fs = std::filesystem;

inline constexpr QueueId queue_id{5};
/// Large enough that a record spans more than one block of the log.
inline constexpr std::size_t value_bytes = 40'000;

inline std::string key_of(std::uint64_t i) { return std::string{message_key(queue_id, Sequence{i}).view()}; }

class RocksDbStoreTest : public testing::Test {
 protected:
  StoreError open() { return open_rocksdb({.directory = data_}, store_); }
  void reopen() {
    store_.reset();
    const StoreError error = open();
    ASSERT_FALSE(error) << error.message;
  }
  void put(std::uint64_t from, std::uint64_t until, bool sync = false, std::size_t bytes = value_bytes) {
    for (std::uint64_t i = from; i < until; ++i) {
      const StoreError error = store_->commit(put_of(Table::messages, key_of(i), std::string(bytes, 'v')), sync);
      ASSERT_FALSE(error) << error.message;
    }
  }
  std::size_t count() { return rows_of(*store_, Table::messages).size(); }

  /// The newest log of a directory.
  static fs::path newest_log(const fs::path& directory) {
    std::vector<fs::path> logs;
    for (const auto& entry : fs::directory_iterator{directory}) {
      if (entry.path().extension() == ".log" && entry.file_size() > 0) logs.push_back(entry.path());
    }
    EXPECT_FALSE(logs.empty());
    return *std::max_element(logs.begin(), logs.end());
  }
  /// A copy of the data as it lies on disk now, which is what a crash at this moment leaves.
  fs::path copy() {
    const fs::path to = directory_.path() / ("copy" + std::to_string(++copies_));
    fs::copy(data_, to, fs::copy_options::recursive);
    return to;
  }
  static void overwrite(const fs::path& file, std::uint64_t at, const std::string& bytes) {
    std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
    stream.seekp(static_cast<std::streamoff>(at));
    stream << bytes;
    ASSERT_TRUE(stream.good());
  }
  /// How many of the first messages a directory has; fails if those it has are not the first.
  static std::size_t prefix_of(const fs::path& directory) {
    std::unique_ptr<Store> store;
    const StoreError error = open_rocksdb({.directory = directory}, store);
    EXPECT_FALSE(error) << error.message;
    return error ? 0 : prefix_in(*store);
  }
  static std::size_t prefix_in(const Store& store) {
    const Rows rows = rows_of(store, Table::messages);
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].first, key_of(i + 1));
    return rows.size();
  }

  /// What comes of opening a directory.
  struct Outcome {
    StoreError error;
    std::string warning;
    std::size_t messages = 0;
  };
  static Outcome outcome_of(const fs::path& directory) {
    Outcome outcome;
    std::unique_ptr<Store> store;
    const auto warn = [&](const std::string& text) { outcome.warning += text; };
    outcome.error = open_rocksdb({.directory = directory, .warn = warn}, store);
    if (!outcome.error) outcome.messages = prefix_in(*store);
    return outcome;
  }
  /// And what a look at it without a change finds.
  static Outcome look_of(const fs::path& directory) {
    Outcome outcome;
    std::unique_ptr<InspectedStore> store;
    outcome.error = open_rocksdb_for_reading(directory, store);
    if (outcome.error) return outcome;
    outcome.warning = store->torn_log().where;
    outcome.messages = prefix_in(*store);
    return outcome;
  }
  static std::string bytes_of(const fs::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }
  static std::size_t end_of(const std::string& log) { return log.find_last_not_of('\0') + 1; }

  TemporaryDirectory directory_;
  fs::path data_ = directory_.path() / "deep" / "data";
  std::unique_ptr<Store> store_;
  int copies_ = 0;
};

}  // namespace penstock::storage
