// The files of the database, as RocksDB is to see and to make them.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "penstock/store.hpp"

namespace penstock::storage {

/// Makes files for their owner alone, and logs with room. While the database is opened, what a log has behind its
/// records is hidden, and what a directory has is looked at as soon as it is locked.
class DatabaseFiles final : public rocksdb::FileSystemWrapper {
 public:
  /// Told that nobody else uses the directory; an error ends the opening.
  using OnLocked = std::function<StoreError()>;

  DatabaseFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "penstock::DatabaseFiles"; }

  void on_locked(OnLocked on_locked) { on_locked_ = std::move(on_locked); }
  /// What on_locked has ended the opening with.
  const StoreError& objection() const { return objection_; }
  /// Logs end there, by their numbers, until finish_opening().
  void cut_logs(std::map<std::uint64_t, std::uint64_t> ends) { ends_ = std::move(ends); }
  /// From now on every file is what it is.
  void finish_opening() { opening_ = false; }

  rocksdb::IOStatus LockFile(const std::string& name, const rocksdb::IOOptions& options, rocksdb::FileLock** lock,
                             rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewLogger(const std::string& name, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* logger, rocksdb::IODebugContext* context) override;

 private:
  OnLocked on_locked_;
  StoreError objection_;
  std::map<std::uint64_t, std::uint64_t> ends_;
  std::atomic<bool> opening_{true};
};

/// A directory as if nothing were in its logs.
class FilesWithEmptyLogs final : public rocksdb::FileSystemWrapper {
 public:
  FilesWithEmptyLogs() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "penstock::FilesWithEmptyLogs"; }
  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* context) override;
};

}  // namespace penstock::storage
