#include "storage/data_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace penstock::storage {
namespace {

/// The file by which RocksDB keeps a directory to one process: with a lock of the kernel's on all of it.
constexpr const char* lock_file = "LOCK";

}  // namespace

StoreError objection_to_unfinished(const std::string& directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::path(directory) / unfinished_marker, ignored)) return {};
  return {StoreStatus::corrupt,
          "the data directory " + directory +
              " is not whole: a restore into it did not come to its end, and has to be done again"};
}

StoreError sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {StoreStatus::io_error, "cannot open " + path + ": " + std::strerror(errno)};
  const int failed = ::fsync(descriptor) == 0 ? 0 : errno;
  (void)::close(descriptor);
  if (failed == 0) return {};
  return {failed == ENOSPC ? StoreStatus::no_space : StoreStatus::io_error,
          "cannot sync " + path + ": " + std::strerror(failed)};
}

DirectoryHold::~DirectoryHold() {
  if (descriptor_ >= 0) (void)::close(descriptor_);
}

// A lock for reading goes with that of other readers, and not with a server's, which is for writing; and it can be had
// where nothing may be written.
StoreError DirectoryHold::take(const std::string& directory) {
  const std::string path = directory + "/" + lock_file;
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0 && errno == ENOENT) return {};
  if (descriptor_ < 0) return {StoreStatus::io_error, "cannot open " + path + ": " + std::strerror(errno)};
  struct flock lock = {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(descriptor_, F_SETLK, &lock) == 0) return {};
  if (errno == EACCES || errno == EAGAIN) {
    return {StoreStatus::in_use, "the data directory " + directory + " is in use by another process"};
  }
  // File systems without locks let a server in as well.
  return {};
}

}  // namespace penstock::storage
