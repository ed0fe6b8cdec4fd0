// A store whose commits take longer, as on a disk that is not well.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "penstock/store.hpp"
#include "server/faults.hpp"

namespace penstock::server {

class SlowStore final : public Store {
 public:
  SlowStore(std::unique_ptr<Store> store, const Faults& faults) : store_(std::move(store)), faults_(faults) {}

  StoreError commit(const WriteBatch& batch, bool sync) override {
    wait();
    return store_->commit(batch, sync);
  }
  StoreError sync() override {
    wait();
    return store_->sync();
  }
  StoreError get(Table table, std::string_view key, std::string& value) const override {
    return store_->get(table, key, value);
  }
  StoreError scan(Table table, std::string_view from, std::string_view until,
                  const std::function<bool(std::string_view key, std::string_view value)>& visit) const override {
    return store_->scan(table, from, until, visit);
  }

 private:
  // Whoever commits waits, as for a disk.
  void wait() const {
    if (const Millis latency = faults_.commit_latency(); latency > Millis{0}) std::this_thread::sleep_for(latency);
  }

  std::unique_ptr<Store> store_;
  const Faults& faults_;
};

}  // namespace penstock::server
