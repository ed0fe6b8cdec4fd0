#include "storage/log_remains.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/data_directory.hpp"

namespace penstock::storage {
namespace {

namespace fs = std::filesystem;

/// Behind the name of the log, such as "000012.log.dropped-4096": it is none of RocksDB's names.
constexpr std::string_view infix = ".dropped-";
constexpr std::size_t copied_at_once = 64U << 10U;

StoreError failure(const std::string& what) {
  const int reason = errno;
  return {reason == ENOSPC ? StoreStatus::no_space : StoreStatus::io_error, what + ": " + std::strerror(reason)};
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) (void)::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

StoreError copy_range(const std::string& from, const std::string& to, std::uint64_t begin, std::uint64_t end) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.get() < 0) return failure("cannot open " + from);
  const Descriptor target(::open(to.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
  if (target.get() < 0) return failure("cannot create " + to);
  std::string bytes(copied_at_once, '\0');
  while (begin < end) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end - begin));
    const ssize_t got = ::pread(source.get(), bytes.data(), count, static_cast<off_t>(begin));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("cannot read " + from);
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = ::write(target.get(), bytes.data() + done, static_cast<std::size_t>(got - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failure("cannot write " + to);
      done += written;
    }
    begin += static_cast<std::uint64_t>(got);
  }
  return ::fsync(target.get()) == 0 ? StoreError{} : failure("cannot sync " + to);
}

/// Leaves one fewer than there may be, but for `name`.
void make_place(const std::string& directory, const std::string& name) {
  std::vector<std::pair<std::uint64_t, fs::path>> kept;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const std::string file = entry.path().filename().string();
    const std::size_t at = file.find(infix);
    if (at != std::string::npos && file != name) kept.emplace_back(log_number_of(file.substr(0, at)), entry.path());
  }
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i + remains_files_max <= kept.size(); ++i) fs::remove(kept[i].second, ignored);
}

}  // namespace

StoreError keep_remains(const std::string& directory, const LogRemains& remains, std::string& name) {
  name = remains.log + std::string(infix) + std::to_string(remains.begin);
  make_place(directory, name);
  const std::string path = directory + "/" + name;
  const std::uint64_t end = std::min(remains.end, remains.begin + remains_bytes_max);
  if (StoreError error = copy_range(directory + "/" + remains.log, path, remains.begin, end)) {
    std::error_code ignored;
    fs::remove(path, ignored);
    return error;
  }
  return sync_path(directory);
}

}  // namespace penstock::storage
