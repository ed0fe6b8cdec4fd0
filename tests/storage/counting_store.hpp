// A store that counts how it is read.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "penstock/store.hpp"
#include "storage/memory_store.hpp"

namespace penstock::storage {

class CountingStore final : public Store {
 public:
  StoreError commit(const WriteBatch& batch, bool sync) override { return rows_.commit(batch, sync); }
  StoreError sync() override { return {}; }
  StoreError get(Table table, std::string_view key, std::string& value) const override {
    ++gets;
    ++entries[table];
    return rows_.get(table, key, value);
  }
  StoreError scan(Table table, std::string_view from, std::string_view until,
                  const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    ++scans;
    return rows_.scan(table, from, until, [&](std::string_view key, std::string_view value) {
      ++entries[table];
      // At an odd address, as blocks of a database have them.
      const std::string moved = "x" + std::string{value};
      return visit(key, std::string_view{moved}.substr(1));
    });
  }

  /// Entries of all tables that a reader has looked at.
  std::size_t entries_seen() const {
    std::size_t all = 0;
    for (const auto& [table, count] : entries) all += count;
    return all;
  }

  mutable std::size_t gets = 0;
  mutable std::size_t scans = 0;
  mutable std::map<Table, std::size_t> entries;

 private:
  MemoryStore rows_;
};

}  // namespace penstock::storage
