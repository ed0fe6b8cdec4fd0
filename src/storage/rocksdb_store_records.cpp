#include "storage/rocksdb_store_records.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <cstdint>

#include "storage/keys.hpp"

namespace penstock::storage {
namespace {

/// Below it a file goes on with the next shard, so that thousands of shards are not as many files each time.
constexpr std::uint64_t file_bytes_min = 64U << 10U;

bool in_one_shard(const rocksdb::Slice& first, const rocksdb::Slice& second) {
  return std::string_view{first.data(), std::min(first.size(), shard_prefix_bytes)} ==
         std::string_view{second.data(), std::min(second.size(), shard_prefix_bytes)};
}

class ShardPartitioner final : public rocksdb::SstPartitioner {
 public:
  const char* Name() const override { return "penstock::ShardPartitioner"; }

  rocksdb::PartitionerResult ShouldPartition(const rocksdb::PartitionerRequest& request) override {
    const bool ends = request.current_output_file_size >= file_bytes_min &&
                      !in_one_shard(*request.prev_user_key, *request.current_user_key);
    return ends ? rocksdb::kRequired : rocksdb::kNotRequired;
  }
  /// What was flushed has not been through this yet.
  bool CanDoTrivialMove(const rocksdb::Slice& smallest, const rocksdb::Slice& largest) override {
    return in_one_shard(smallest, largest);
  }
};

class ShardPartitionerFactory final : public rocksdb::SstPartitionerFactory {
 public:
  const char* Name() const override { return "penstock::ShardPartitionerFactory"; }
  std::unique_ptr<rocksdb::SstPartitioner> CreatePartitioner(const rocksdb::SstPartitioner::Context&) const override {
    return std::make_unique<ShardPartitioner>();
  }
};

}  // namespace

std::shared_ptr<rocksdb::SstPartitionerFactory> make_shard_partitioner() {
  return std::make_shared<ShardPartitionerFactory>();
}

RecordsReclaimer::RecordsReclaimer(rocksdb::DB& database, rocksdb::ColumnFamilyHandle& family)
    : database_(database), family_(family), thread_([this] { run(); }) {}

RecordsReclaimer::~RecordsReclaimer() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void RecordsReclaimer::reclaim(std::string_view from, std::string_view until) {
  {
    const std::lock_guard lock{mutex_};
    const auto at = waiting_.find(from);
    if (at != waiting_.end()) {
      if (at->second < until) at->second.assign(until);
    } else if (waiting_.size() < waiting_max) {
      waiting_.emplace(from, until);
    }
  }
  work_.notify_one();
}

void RecordsReclaimer::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const auto range = waiting_.extract(waiting_.begin());
    lock.unlock();
    delete_files(range.key(), range.mapped());
    lock.lock();
  }
}

void RecordsReclaimer::delete_files(const std::string& from, const std::string& until) {
  const rocksdb::Slice begin{from};
  const rocksdb::Slice end{until};
  // The range's end belongs to what is kept. A failure costs space only: what is in those files has been dropped.
  (void)rocksdb::DeleteFilesInRange(&database_, &family_, &begin, &end, false);
}

}  // namespace penstock::storage
