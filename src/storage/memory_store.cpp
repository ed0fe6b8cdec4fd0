#include "storage/memory_store.hpp"

#include <mutex>

namespace penstock::storage {

void OrderedTables::apply(const WriteBatch& batch) {
  batch.for_each([this](WriteBatch::Op op, Table table, std::string_view key, std::string_view second) {
    Map& map = of(table);
    switch (op) {
      case WriteBatch::Op::put: {
        // Keys mostly arrive in order, so that the place is next to the end or to the key that was there.
        const auto at = map.lower_bound(key);
        if (at != map.end() && at->first == key) {
          at->second.assign(second);
        } else {
          map.emplace_hint(at, key, second);
        }
        break;
      }
      case WriteBatch::Op::drop:
      case WriteBatch::Op::drop_once:
        if (const auto at = map.find(key); at != map.end()) map.erase(at);
        break;
      case WriteBatch::Op::drop_range:
        if (key < second) map.erase(map.lower_bound(key), map.lower_bound(second));
        break;
    }
  });
}

const std::string* OrderedTables::find(Table table, std::string_view key) const {
  const Map& map = of(table);
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

void OrderedTables::scan(Table table, std::string_view from, std::string_view until,
                         const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  const Map& map = of(table);
  for (auto at = map.lower_bound(from); at != map.end() && at->first < until; ++at) {
    if (!visit(at->first, at->second)) return;
  }
}

StoreError MemoryStore::commit(const WriteBatch& batch, bool) {
  const std::unique_lock lock{mutex_};
  tables_.apply(batch);
  return {};
}

StoreError MemoryStore::sync() { return {}; }

StoreError MemoryStore::get(Table table, std::string_view key, std::string& value) const {
  const std::shared_lock lock{mutex_};
  const std::string* found = tables_.find(table, key);
  if (found == nullptr) return {StoreStatus::not_found, {}};
  value.assign(*found);
  return {};
}

StoreError MemoryStore::scan(Table table, std::string_view from, std::string_view until,
                             const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  const std::shared_lock lock{mutex_};
  tables_.scan(table, from, until, visit);
  return {};
}

}  // namespace penstock::storage
