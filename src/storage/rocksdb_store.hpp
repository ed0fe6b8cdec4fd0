// The Store on RocksDB. This, its source and what rocksdb_store_records has of it are the only files that name it.
#pragma once

#include <memory>
#include <string>

#include "penstock/store.hpp"

namespace penstock::storage {

struct RocksDbOptions {
  std::string directory;  ///< created if it is not there, with the directories above it
};

/// Opens or creates the database of a data directory. Errors, each with one line for the operator: in_use,
/// not_writable, corrupt, no_space, io_error, unsupported.
StoreError open_rocksdb(const RocksDbOptions& options, std::unique_ptr<Store>& store);

}  // namespace penstock::storage
