// The Store on RocksDB. This, its source and what rocksdb_store_records and rocksdb_store_files have of it are the only
// files that name it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/store.hpp"

namespace penstock::storage {

struct RocksDbOptions {
  std::string directory;  ///< created if it is not there, with the directories above it, for its owner alone
  /// Told what an operator should know of what was found, in one line; may be empty.
  std::function<void(const std::string&)> warn;
};

/// Opens or creates the database of a data directory. Errors, each with one line for the operator: in_use,
/// not_writable, corrupt, no_space, io_error, unsupported.
StoreError open_rocksdb(const RocksDbOptions& options, std::unique_ptr<Store>& store);

/// How the database is, by its own books. Numbers of keys are estimates.
struct RocksDbFacts {
  struct Table {
    std::string_view name;
    std::uint64_t keys = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t buffer_bytes = 0;  ///< of what is in memory and not in files yet
    std::uint64_t slowdowns = 0;     ///< times that writes were made slower since it was opened
    std::uint64_t stops = 0;         ///< times that writes had to wait
  };
  std::array<Table, table_count> tables;
  std::uint64_t compactions_running = 0;
  std::uint64_t flushes_running = 0;
  std::uint64_t delayed_write_rate = 0;  ///< bytes a second that writes are slowed down to; 0: they are not
  bool is_write_stopped = false;
  std::uint64_t cache_bytes = 0;
};

/// Nothing if the store is another one. Any thread.
std::optional<RocksDbFacts> facts_of(const Store& store);

/// Makes a copy of what is committed, as a crash at this moment would leave it, in `directory`, an absolute path at
/// which there is nothing: links to the files that never change, so that it has to be on the same file system, and
/// copies of the others. Commits wait meanwhile, for as long as it takes to copy the log, which has 48 MiB at most.
/// REQUIRES: the store is from open_rocksdb. Errors: no_space, io_error, which leave the store as it was;
/// unsupported of another store.
StoreError copy_rocksdb(Store& store, const std::string& directory);

/// A database that is only looked at.
class InspectedStore : public Store {
 public:
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
  };

  struct TornLog {
    std::string where;         ///< empty if it does not
    bool has_records = false;  ///< whether whole ones lie behind
  };

  /// Those that have tables' contents.
  virtual std::vector<File> files() const = 0;
  /// Whether all of a file's blocks are as they were written. Any number at a time.
  virtual StoreError verify(const File& file) const = 0;
  /// How the log ends in what is no whole record, unless a start has dropped that already.
  virtual TornLog torn_log() const = 0;
  /// Every database that was ever open has one.
  virtual bool has_log() const = 0;
};

/// Opens the database of a data directory for reading alone; what is in its log is in memory. Nothing in the directory
/// changes, and a commit fails. REQUIRES: no server uses it meanwhile. Errors: not_found if there is none, and those of
/// open_rocksdb.
StoreError open_rocksdb_for_reading(const std::string& directory, std::unique_ptr<InspectedStore>& store);

}  // namespace penstock::storage
