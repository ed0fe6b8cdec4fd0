#include "state/files.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "runner/descriptor.hpp"
#include "storage/data_directory.hpp"

namespace penstock::state {

namespace {

namespace fs = std::filesystem;
using runner::Descriptor;

constexpr mode_t owners_only = 0600;
constexpr std::size_t sha256_bytes = 32;

class Sha256 {
 public:
  Sha256() {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) std::abort();
  }
  void add(std::string_view bytes) {
    if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) std::abort();
  }
  /// In hex. To be called once.
  std::string take() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, sha256_bytes> digest{};
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1) std::abort();
    std::string text;
    for (const unsigned char byte : digest) {
      text += digits[byte >> 4U];
      text += digits[byte & 15U];
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

Descriptor open_to_read(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail("cannot open " + path, errno);
  return file;
}

/// Nothing is left of a file that could not be written.
class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owners_only)) {
    if (!file_) fail("cannot create " + path_, errno);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!finished_) (void)::unlink(path_.c_str());
  }

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::write(file_.get(), bytes.data(), bytes.size());
      if (put < 0 && errno != EINTR) fail("cannot write " + path_, errno);
      if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  void finish() {
    if (::fsync(file_.get()) != 0) fail("cannot sync " + path_, errno);
    if (::close(file_.release()) != 0) fail("cannot close " + path_, errno);
    finished_ = true;
  }

 private:
  const std::string path_;
  Descriptor file_;
  bool finished_ = false;
};

/// Gives the file's pieces to `take`.
FileSum read_through(const std::string& path, const BytesDone& done,
                     const std::function<void(std::string_view)>& take) {
  const Descriptor file = open_to_read(path);
  std::vector<char> piece(copied_at_once_max);
  Sha256 sha256;
  FileSum sum;
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read " + path, errno);
    if (got == 0) break;
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
    sha256.add(bytes);
    sum.bytes += bytes.size();
    if (take) take(bytes);
    if (done) done(bytes.size());
  }
  sum.sha256 = sha256.take();
  return sum;
}

}  // namespace

void fail(const std::string& what, int reason) {
  throw Fault(reason == ENOSPC || reason == EDQUOT ? Fault::Kind::no_room : Fault::Kind::failed,
              what + ": " + std::strerror(reason));
}

void fail(const StoreError& error) {
  switch (error.status) {
    case StoreStatus::no_space:
      throw Fault(Fault::Kind::no_room, error.message);
    case StoreStatus::corrupt:
      throw Fault(Fault::Kind::damaged, error.message);
    case StoreStatus::in_use:
    case StoreStatus::unsupported:
    case StoreStatus::not_found:
    case StoreStatus::not_writable:
      throw Fault(Fault::Kind::refused, error.message);
    case StoreStatus::ok:
    case StoreStatus::io_error:
      break;
  }
  throw Fault(Fault::Kind::failed, error.message);
}

FileSum sum_of_file(const std::string& path, const BytesDone& done) { return read_through(path, done, {}); }

FileSum copy_file(const std::string& from, const std::string& to, const BytesDone& done) {
  NewFile copy(to);
  FileSum sum = read_through(from, done, [&](std::string_view bytes) { copy.append(bytes); });
  copy.finish();
  return sum;
}

bool link_file(const std::string& from, const std::string& to) { return ::link(from.c_str(), to.c_str()) == 0; }

std::string read_whole(const std::string& path, std::uint64_t bytes_max) {
  std::string text;
  read_through(path, {}, [&](std::string_view bytes) {
    if (text.size() + bytes.size() > bytes_max) throw Fault(Fault::Kind::damaged, path + " is too large");
    text.append(bytes);
  });
  return text;
}

void write_whole(const std::string& path, std::string_view text) {
  const std::string unfinished = path + ".tmp";
  NewFile file(unfinished);
  file.append(text);
  file.finish();
  if (::rename(unfinished.c_str(), path.c_str()) != 0) fail("cannot write " + path, errno);
  sync(fs::path(path).parent_path());
}

void sync(const std::string& path) {
  if (const StoreError error = storage::sync_path(path)) fail(error);
}

std::string sha256_of(std::string_view bytes) {
  Sha256 sha256;
  sha256.add(bytes);
  return sha256.take();
}

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs stats = {};
  if (::statvfs(path.c_str(), &stats) != 0) fail("cannot look at the disk of " + path, errno);
  return static_cast<std::uint64_t>(stats.f_bavail) * stats.f_frsize;
}

bool is_same_disk(const std::string& one, const std::string& other) {
  struct stat first = {};
  struct stat second = {};
  if (::stat(one.c_str(), &first) != 0) fail("cannot look at " + one, errno);
  if (::stat(other.c_str(), &second) != 0) fail("cannot look at " + other, errno);
  return first.st_dev == second.st_dev;
}

bool is_empty_directory(const std::string& path) {
  std::error_code error;
  const bool empty = fs::is_directory(path, error) && fs::is_empty(path, error);
  return empty && !error;
}

bool is_within(const std::string& path, const std::string& directory) {
  std::error_code error;
  fs::path place = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) fail("cannot look at " + path, error.value());
  for (;; place = place.parent_path()) {
    std::error_code ignored;
    if (fs::equivalent(place, directory, ignored)) return true;
    if (place == place.parent_path()) return false;
  }
}

}  // namespace penstock::state
