// A store that a test can hold back.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "penstock/store.hpp"
#include "storage/memory_store.hpp"

namespace penstock::server {

/// A store whose commits wait while its gate is shut.
class GatedStore final : public Store {
 public:
  StoreError commit(const WriteBatch& batch, bool sync) override {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
    return store_.commit(batch, sync);
  }
  StoreError sync() override { return store_.sync(); }
  StoreError get(Table table, std::string_view key, std::string& value) const override {
    return store_.get(table, key, value);
  }
  StoreError scan(Table table, std::string_view from, std::string_view until,
                  const std::function<bool(std::string_view key, std::string_view value)>& visit) const override {
    return store_.scan(table, from, until, visit);
  }

  void set_open(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    opened_.notify_all();
  }

 private:
  storage::MemoryStore store_;
  std::mutex mutex_;  // protects open_
  std::condition_variable opened_;
  bool open_ = true;
};

}  // namespace penstock::server
