#include "storage/data_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "storage/keys.hpp"

namespace penstock::storage {
namespace {

/// The file by which RocksDB keeps a directory to one process: with a lock of the kernel's on all of it.
constexpr const char* lock_file = "LOCK";

/// Whether a database has such a file from its first moment on.
bool is_of_new_database(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const std::string extension = path.extension().string();
  return name == "CURRENT" || name == "IDENTITY" || name.starts_with("LOG") || name == lock_file ||
         extension == ".log" || extension == ".dbtmp" || name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-");
}

}  // namespace

StoreError objection_to_unfinished(const std::string& directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::path(directory) / unfinished_marker, ignored)) return {};
  return {StoreStatus::corrupt,
          "the data directory " + directory +
              " is not whole: a restore into it did not come to its end, and has to be done again"};
}

bool has_lost_all(const std::string& directory, const Store& store) {
  bool blank = true;
  for (std::size_t i = 0; i < table_count && blank; ++i) {
    const StoreError unread = store.scan(static_cast<Table>(i), "", std::string(Key::bytes_max, '\xff'),
                                         [&](std::string_view, std::string_view) { return blank = false; });
    if (unread) return false;
  }
  std::error_code ignored;
  const std::filesystem::directory_iterator entries(directory, ignored);
  return blank &&
         !std::all_of(begin(entries), end(entries), [](const auto& entry) { return is_of_new_database(entry.path()); });
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
