#include "storage/rocksdb_store_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>
#include <vector>

#include "storage/log_tail.hpp"

namespace penstock::storage {
namespace {

constexpr mode_t owners_only = 0600;

rocksdb::IOStatus io_failure(const std::string& what) {
  const int reason = errno;
  const std::string text = what + ": " + std::strerror(reason);
  return reason == ENOSPC ? rocksdb::IOStatus::NoSpace(text) : rocksdb::IOStatus::IOError(text);
}

/// A log whose next stretch is there before it is written. A sync of an appended record has to put the file's new size
/// and blocks into the file system's journal as well as the record on the medium; with room of zeros made beforehand it
/// has the record only, which is about a quarter faster. Room is made where small records are synced one by one, since
/// for much at a time the zeros would cost more than they save. A log that a crash leaves ends in zeros, which RocksDB
/// takes for the end as it does with logs that were mapped into memory.
class RoomyLogFile final : public rocksdb::FSWritableFile {
 public:
  RoomyLogFile(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}
  RoomyLogFile(const RoomyLogFile&) = delete;
  RoomyLogFile& operator=(const RoomyLogFile&) = delete;
  ~RoomyLogFile() override {
    if (descriptor_ >= 0) (void)::close(descriptor_);
  }

  using rocksdb::FSWritableFile::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    if (!write_at(size_, data.data(), data.size())) return io_failure("cannot write " + name_);
    size_ += data.size();
    unsynced_ += data.size();
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    const std::uint64_t synced = unsynced_.exchange(0);
    if (::fdatasync(descriptor_) != 0) return io_failure("cannot sync " + name_);
    if (synced > 0 && synced <= small_sync_bytes_max && size_ + synced > room_until_) make_room();
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Truncate(std::uint64_t size, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return io_failure("cannot truncate " + name_);
    size_ = size;
    room_until_ = std::min(room_until_, size);
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    if (descriptor_ < 0) return rocksdb::IOStatus::OK();
    rocksdb::IOStatus status = room_until_ > size_ ? Truncate(size_, options, context) : rocksdb::IOStatus::OK();
    if (::close(std::exchange(descriptor_, -1)) != 0 && status.ok()) status = io_failure("cannot close " + name_);
    return status;
  }
  // A sync by one thread beside an append by another is what the kernel allows on one descriptor; RocksDB asks for it.
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return size_; }
  void PrepareWrite(std::size_t, std::size_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {}

 private:
  static constexpr std::uint64_t small_sync_bytes_max = 8U << 10U;
  static constexpr std::size_t room_bytes = 256U << 10U;

  bool write_at(std::uint64_t offset, const char* bytes, std::size_t count) const {
    while (count > 0) {
      const ssize_t written = ::pwrite(descriptor_, bytes, count, static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      offset += static_cast<std::uint64_t>(written);
      bytes += written;
      count -= static_cast<std::size_t>(written);
    }
    return true;
  }

  // Without room the log works as ever, so a failure here is none.
  void make_room() {
    static const std::vector<char> zeros(room_bytes, 0);
    if (write_at(size_, zeros.data(), zeros.size())) room_until_ = size_ + zeros.size();
  }

  const std::string name_;
  int descriptor_;
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::uint64_t> unsynced_{0};
  std::uint64_t room_until_ = 0;
};

/// What RocksDB notes of its work. What cannot be written is left out: its own logger ends the process where the disk
/// is full.
class NoteFile final : public rocksdb::Logger {
 public:
  explicit NoteFile(int descriptor) : descriptor_(descriptor) {}
  NoteFile(const NoteFile&) = delete;
  NoteFile& operator=(const NoteFile&) = delete;
  ~NoteFile() override { (void)::close(descriptor_); }

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, line_bytes_max> text{};
    const std::time_t now = std::time(nullptr);
    std::tm when{};
    (void)::gmtime_r(&now, &when);
    std::size_t size = std::strftime(text.data(), text.size(), "%Y/%m/%d-%H:%M:%S ", &when);
    // One byte is for the end of the line, in the place of the zero.
    const int wanted = std::vsnprintf(text.data() + size, text.size() - size, format, arguments);
    if (wanted > 0) size += std::min(static_cast<std::size_t>(wanted), text.size() - size - 1);
    if (text[size - 1] != '\n') text[size++] = '\n';
    (void)!::write(descriptor_, text.data(), size);
  }

 private:
  static constexpr std::size_t line_bytes_max = 8U << 10U;

  const int descriptor_;
};

/// The first bytes of a log.
class CutFile final : public rocksdb::FSSequentialFile {
 public:
  CutFile(std::unique_ptr<rocksdb::FSSequentialFile> file, std::uint64_t bytes)
      : file_(std::move(file)), left_(bytes) {}

  rocksdb::IOStatus Read(std::size_t count, const rocksdb::IOOptions& options, rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* context) override {
    rocksdb::IOStatus status =
        file_->Read(static_cast<std::size_t>(std::min<std::uint64_t>(count, left_)), options, result, scratch, context);
    if (status.ok()) left_ -= result->size();
    return status;
  }
  rocksdb::IOStatus Skip(std::uint64_t count) override {
    const std::uint64_t skipped = std::min(count, left_);
    left_ -= skipped;
    return file_->Skip(skipped);
  }

 private:
  const std::unique_ptr<rocksdb::FSSequentialFile> file_;
  std::uint64_t left_;
};

std::string base_of(const std::string& name) { return std::filesystem::path(name).filename().string(); }

}  // namespace

rocksdb::IOStatus DatabaseFiles::LockFile(const std::string& name, const rocksdb::IOOptions& options,
                                          rocksdb::FileLock** lock, rocksdb::IODebugContext* context) {
  rocksdb::IOStatus status = FileSystemWrapper::LockFile(name, options, lock, context);
  if (status.ok()) (void)::chmod(name.c_str(), owners_only);
  if (!status.ok() || !opening_ || !on_locked_) return status;
  objection_ = on_locked_();
  if (!objection_) return status;
  (void)FileSystemWrapper::UnlockFile(*lock, options, context);
  *lock = nullptr;
  return rocksdb::IOStatus::Corruption(objection_.message);
}

rocksdb::IOStatus DatabaseFiles::NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                                   std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                                   rocksdb::IODebugContext* context) {
  rocksdb::IOStatus status = FileSystemWrapper::NewSequentialFile(name, options, file, context);
  if (!status.ok() || !opening_) return status;
  const std::uint64_t number = log_number_of(base_of(name));
  const auto end = ends_.find(number);
  if (number > 0 && end != ends_.end()) *file = std::make_unique<CutFile>(std::move(*file), end->second);
  return status;
}

rocksdb::IOStatus DatabaseFiles::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                                 std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                 rocksdb::IODebugContext* context) {
  if (log_number_of(base_of(name)) == 0) {
    rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, context);
    if (status.ok() && ::chmod(name.c_str(), owners_only) != 0) return io_failure("cannot change the mode of " + name);
    return status;
  }
  const int descriptor = ::open(name.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, owners_only);
  if (descriptor < 0) return io_failure("cannot create " + name);
  *file = std::make_unique<RoomyLogFile>(name, descriptor);
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus DatabaseFiles::NewLogger(const std::string& name, const rocksdb::IOOptions&,
                                           std::shared_ptr<rocksdb::Logger>* logger, rocksdb::IODebugContext*) {
  const int descriptor = ::open(name.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, owners_only);
  if (descriptor < 0) return io_failure("cannot create " + name);
  *logger = std::make_shared<NoteFile>(descriptor);
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus FilesWithEmptyLogs::NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                                        std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                                        rocksdb::IODebugContext* context) {
  rocksdb::IOStatus status = FileSystemWrapper::NewSequentialFile(name, options, file, context);
  if (status.ok() && log_number_of(base_of(name)) > 0) *file = std::make_unique<CutFile>(std::move(*file), 0);
  return status;
}

}  // namespace penstock::storage
