// What the storage tests share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "penstock/entropy.hpp"
#include "penstock/store.hpp"
#include "support/random.hpp"

namespace penstock::storage {

using SeededEntropy = test::Random;

/// A directory of this test alone, gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = testing::TempDir() + "penstock-storage-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary directory: " << name;
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using Rows = std::vector<std::pair<std::string, std::string>>;

/// What a scan of [from, until) sees.
inline Rows rows_of(const Store& store, Table table, std::string_view from = "", std::string_view until = "\xff") {
  Rows rows;
  const StoreError error = store.scan(table, from, until, [&](std::string_view key, std::string_view value) {
    rows.emplace_back(key, value);
    return true;
  });
  EXPECT_FALSE(error) << error.message;
  return rows;
}

inline WriteBatch put_of(Table table, std::string_view key, std::string_view value) {
  WriteBatch batch;
  batch.put(table, key, value);
  return batch;
}

}  // namespace penstock::storage
