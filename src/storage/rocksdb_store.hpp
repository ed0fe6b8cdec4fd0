// The Store on RocksDB. This, its source and what rocksdb_store_records has of it are the only files that name it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/store.hpp"

namespace penstock::storage {

struct RocksDbOptions {
  std::string directory;  ///< created if it is not there, with the directories above it
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

}  // namespace penstock::storage
