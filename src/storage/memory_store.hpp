// A store that keeps nothing: what `--ephemeral` and most tests run on.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "penstock/store.hpp"

namespace penstock::storage {

/// The tables as ordered maps. Not thread-safe.
class OrderedTables {
 public:
  void apply(const WriteBatch& batch);

  /// Null if there is no such key; valid until the key is next changed.
  const std::string* find(Table table, std::string_view key) const;

  /// Visits [from, until) in order until `visit` answers false.
  void scan(Table table, std::string_view from, std::string_view until,
            const std::function<bool(std::string_view key, std::string_view value)>& visit) const;

  friend bool operator==(const OrderedTables&, const OrderedTables&) = default;

 private:
  using Map = std::map<std::string, std::string, std::less<>>;

  Map& of(Table table) { return tables_.at(static_cast<std::size_t>(table)); }
  const Map& of(Table table) const { return tables_.at(static_cast<std::size_t>(table)); }

  std::array<Map, table_count> tables_;
};

/// Never fails; "synced" means nothing. A scan's `visit` must not call the store: readers hold its lock.
class MemoryStore final : public Store {
 public:
  StoreError commit(const WriteBatch& batch, bool sync) override;
  StoreError sync() override;
  StoreError get(Table table, std::string_view key, std::string& value) const override;
  StoreError scan(Table table, std::string_view from, std::string_view until,
                  const std::function<bool(std::string_view key, std::string_view value)>& visit) const override;

 private:
  mutable std::shared_mutex mutex_;  // protects all below
  OrderedTables tables_;
};

}  // namespace penstock::storage
