// What the records of streams need of RocksDB besides a table: files that do not reach from shard to shard, and the
// disk's space back soon after a range was dropped.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/sst_partitioner.h>

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace penstock::storage {

/// Ends a file that a compaction writes where a shard ends. Each shard appends at its own place among the keys, so that
/// a file with the newest records of two shards would overlap the whole history of the second, and be merged with it
/// again and again; one that has a single shard's is moved to the last level as it is.
std::shared_ptr<rocksdb::SstPartitionerFactory> make_shard_partitioner();

/// Owns one thread, which deletes the files that lie wholly in ranges that were dropped, whereas compactions would come
/// to them late or never. What remains at a range's edges is left to compactions.
class RecordsReclaimer {
 public:
  /// Both outlive it.
  RecordsReclaimer(rocksdb::DB& database, rocksdb::ColumnFamilyHandle& family);
  /// Ends the thread after the range that it is at.
  ~RecordsReclaimer();
  RecordsReclaimer(const RecordsReclaimer&) = delete;
  RecordsReclaimer& operator=(const RecordsReclaimer&) = delete;

  /// Takes a range [from, until) whose drop is committed, and never blocks. Any thread.
  void reclaim(std::string_view from, std::string_view until);

 private:
  /// Beyond it ranges are passed over. Those of one shard begin at the same key and count once, and the next one has
  /// what this one had.
  static constexpr std::size_t waiting_max = 4'096;

  void run();
  void delete_files(const std::string& from, const std::string& until);

  rocksdb::DB& database_;
  rocksdb::ColumnFamilyHandle& family_;

  std::mutex mutex_;  // protects all below
  std::condition_variable work_;
  std::map<std::string, std::string, std::less<>> waiting_;  ///< from, until
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace penstock::storage
