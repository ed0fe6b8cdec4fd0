#include "runner/code_store.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "penstock/private_directory.hpp"
#include "runner/descriptor.hpp"
#include "runner/text.hpp"
#include "runner/zip_reader.hpp"

namespace penstock::runner {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view malformed =
    "Could not unzip uploaded file. Please check your file, then try to upload again.";
constexpr std::string_view empty_archive = "Uploaded file must be a non-empty zip";
constexpr std::string_view aside = "new-";
constexpr std::string_view marker_file = "whole";
constexpr std::string_view synced_marker = "synced";
constexpr std::size_t sha256_bytes = 32;
constexpr std::size_t link_bytes_max = 4'096;
constexpr mode_t file_mode = 0644;
constexpr mode_t directory_mode = 0755;
constexpr mode_t permission_bits = 0777;
constexpr mode_t owner_may_read = 0400;

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

std::string sha256_of(std::string_view bytes) {
  std::array<unsigned char, sha256_bytes> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) std::abort();
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<std::uint8_t>(c) >> 4U];
    out += digits[static_cast<std::uint8_t>(c) & 15U];
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::array<unsigned char, 4 * sha256_bytes> out{};
  const int size =
      EVP_EncodeBlock(out.data(), reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  return {reinterpret_cast<const char*>(out.data()), static_cast<std::size_t>(size)};
}

// The name of the directory of a CodeSha256; empty if it is none.
std::string name_of(const std::string& sha256) {
  const auto bytes = decode_base64(sha256);
  return bytes && bytes->size() == sha256_bytes ? to_hex(*bytes) : std::string();
}

// A path below the directory, without its superfluous parts; nothing if it leads out of it.
std::optional<std::string> safe_path(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string_view::npos) return std::nullopt;
  std::string path;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, end);
    name.remove_prefix(std::min(end + 1, name.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

// What is written in one run of the machine, and not synced, is there for as long as that lasts. Empty if that is not
// known.
std::string boot_marker() { return read_file("/proc/sys/kernel/random/boot_id").value_or(std::string()); }

// Whether there is a file, directory or link as the archive has it, by its size: a file system that lost what was
// written to a file lost its length too.
bool is_like(const ZipEntry& entry, const std::string& path) {
  struct stat found = {};
  if (::lstat(path.c_str(), &found) != 0) return false;
  if (entry.is_directory()) return S_ISDIR(found.st_mode);
  if (entry.is_link()) return S_ISLNK(found.st_mode);
  return S_ISREG(found.st_mode) && static_cast<std::uint64_t>(found.st_size) == entry.bytes;
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno != EINTR) fail(path);
    if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void write_file(const std::string& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode));
  if (!file) fail(path);
  write_all(file.get(), bytes, path);
}

// Unpacks into a directory that nobody else uses. Links are made last, so that nothing is written through one.
class Unpacker {
 public:
  Unpacker(std::string_view zip, std::string root) : zip_(zip), root_(std::move(root)) {}

  /// False if the archive is malformed, or if something in it leads out of the directory.
  bool run(const std::vector<ZipEntry>& entries) {
    for (const ZipEntry& entry : entries) {
      const auto path = safe_path(entry.name);
      if (!path) return false;
      if (!path->empty() && !take(entry, *path)) return false;
    }
    return make_links();
  }

 private:
  bool take(const ZipEntry& entry, const std::string& path) {
    const fs::path target = fs::path(root_) / path;
    std::error_code error;
    fs::create_directories(entry.is_directory() ? target : target.parent_path(), error);
    // Where a file is to be a directory, or a name is none, it is the archive's fault; anything else is the disk's.
    for (const std::errc fault : {std::errc::file_exists, std::errc::not_a_directory, std::errc::filename_too_long,
                                  std::errc::illegal_byte_sequence, std::errc::invalid_argument}) {
      if (error == fault) return false;
    }
    if (error) throw std::system_error(error, target.string());
    if (entry.is_directory()) return true;
    if (entry.is_link()) return note_link(entry, path);
    return write(entry, target.string());
  }

  bool note_link(const ZipEntry& entry, const std::string& path) {
    std::string target;
    const bool read = entry.bytes <= link_bytes_max && unpack(zip_, entry, [&](std::string_view piece) {
                        target.append(piece);
                        return true;
                      });
    if (!read || target.empty() || target.front() == '/' || target.find('\0') != std::string::npos) return false;
    links_.emplace_back(path, std::move(target));
    return true;
  }

  bool write(const ZipEntry& entry, const std::string& path) {
    // Of two of one name the later one counts.
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return false;
    const mode_t mode = entry.mode == 0 ? file_mode : (entry.mode & permission_bits) | owner_may_read;
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file_mode));
    if (!file) fail(path);
    const bool whole = unpack(zip_, entry, [&](std::string_view piece) {
      write_all(file.get(), piece, path);
      return true;
    });
    if (whole && ::fchmod(file.get(), mode) != 0) fail(path);
    return whole;
  }

  bool make_links() {
    for (const auto& [path, target] : links_) {
      if (::symlink(target.c_str(), (root_ + "/" + path).c_str()) != 0) return false;
    }
    // Only the file system knows where links lead that lead over each other.
    const fs::path root = fs::canonical(root_);
    return std::all_of(links_.begin(), links_.end(), [&](const auto& link) {
      const fs::path path = root / link.first;
      // One whose end is not there counts as no link at all to the first of these.
      return is_within(root, path) && is_within(root, path.parent_path() / link.second);
    });
  }

  static bool is_within(const fs::path& root, const fs::path& path) {
    std::error_code error;
    const fs::path end = fs::weakly_canonical(path, error);
    return !error && std::mismatch(root.begin(), root.end(), end.begin(), end.end()).first == root.end();
  }

  const std::string_view zip_;
  const std::string root_;
  std::vector<std::pair<std::string, std::string>> links_;
};

// Removes what it names unless it was moved away.
struct Scaffold {
  explicit Scaffold(std::string at) : path(std::move(at)) {}
  Scaffold(const Scaffold&) = delete;
  Scaffold& operator=(const Scaffold&) = delete;
  ~Scaffold() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  const std::string path;
};

void sync_filesystem_of(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::syncfs(directory.get()) != 0) fail(path);
}

}  // namespace

// Outlives the store with those who hold.
struct CodeStore::Held {
  std::mutex mutex;
  std::map<std::string, std::size_t> names;
  std::set<std::string> whole;  ///< that have been found to be so
  std::size_t puts = 0;         ///< under way
  std::size_t holds_of_all = 0;
};

// While it is there, what is half-written is not left over.
struct CodeStore::PutUnderWay {
  explicit PutUnderWay(Held& its_held) : held(its_held) {
    const std::lock_guard lock(held.mutex);
    ++held.puts;
  }
  PutUnderWay(const PutUnderWay&) = delete;
  PutUnderWay& operator=(const PutUnderWay&) = delete;
  ~PutUnderWay() {
    const std::lock_guard lock(held.mutex);
    --held.puts;
  }
  Held& held;
};

CodeStore::CodeStore(std::string directory, bool durable, CodeLimits limits)
    : directory_(std::move(directory)), durable_(durable), limits_(limits), held_(std::make_shared<Held>()) {}

std::shared_ptr<void> CodeStore::hold(const std::string& name) const {
  const std::lock_guard lock(held_->mutex);
  ++held_->names[name];
  return {static_cast<void*>(held_.get()), [held = held_, name](void*) {
            const std::lock_guard release(held->mutex);
            if (--held->names[name] == 0) held->names.erase(name);
          }};
}

std::shared_ptr<void> CodeStore::hold_all() const {
  const std::lock_guard lock(held_->mutex);
  ++held_->holds_of_all;
  return {static_cast<void*>(held_.get()), [held = held_](void*) {
            const std::lock_guard release(held->mutex);
            --held->holds_of_all;
          }};
}

bool CodeStore::is_there(const std::string& name) const {
  std::error_code ignored;
  if (name.empty() || !fs::is_directory(directory_ + "/" + name + "/files", ignored)) return false;
  {
    const std::lock_guard lock(held_->mutex);
    if (held_->whole.contains(name)) return true;
  }
  if (!is_whole(name)) return false;
  const std::lock_guard lock(held_->mutex);
  held_->whole.insert(name);
  return true;
}

bool CodeStore::is_whole(const std::string& name) const {
  const std::string place = directory_ + "/" + name;
  const std::string marker = read_file(place + "/" + std::string(marker_file)).value_or(std::string());
  if (marker == synced_marker || (!marker.empty() && marker == boot_marker())) return true;
  const bool alike = is_as_put(name);
  // Once in each run of the machine is enough, and where that cannot be noted, once in each of the server.
  if (alike) std::ofstream(place + "/" + std::string(marker_file), std::ios::trunc) << boot_marker();
  return alike;
}

// Whether the archive is the one of this name, and all that it holds is there.
bool CodeStore::is_as_put(const std::string& name) const {
  const std::string place = directory_ + "/" + name;
  const auto zip = read_file(place + "/code.zip");
  if (!zip || to_hex(sha256_of(*zip)) != name) return false;
  const auto entries = read_entries(*zip, limits_.files_max);
  if (!entries) return false;
  std::map<std::string, const ZipEntry*> last;
  for (const ZipEntry& entry : *entries) last[safe_path(entry.name).value_or(std::string())] = &entry;
  return std::all_of(last.begin(), last.end(), [&](const auto& one) {
    return one.first.empty() || is_like(*one.second, place + "/files/" + one.first);
  });
}

CodeCondition CodeStore::look_at(const std::string& sha256) const {
  const std::string name = name_of(sha256);
  std::error_code ignored;
  if (name.empty() || !fs::is_directory(directory_ + "/" + name, ignored)) return CodeCondition::missing;
  return is_as_put(name) ? CodeCondition::whole : CodeCondition::damaged;
}

std::variant<StoredCode, CodeRefused> CodeStore::put(std::string_view zip) {
  if (zip.size() > limits_.zip_bytes_max) {
    return CodeRefused{"Zipped size must be smaller than " + std::to_string(limits_.zip_bytes_max) + " bytes"};
  }
  if (zip.empty()) return CodeRefused{std::string(empty_archive)};
  const auto entries = read_entries(zip, limits_.files_max);
  if (!entries) return CodeRefused{std::string(malformed)};
  if (entries->empty()) return CodeRefused{std::string(empty_archive)};
  std::uint64_t bytes = 0;
  for (const ZipEntry& entry : *entries) {
    bytes += std::min<std::uint64_t>(entry.bytes, limits_.files_bytes_max + 1);
    if (bytes <= limits_.files_bytes_max) continue;
    return CodeRefused{"Unzipped size must be smaller than " + std::to_string(limits_.files_bytes_max) + " bytes"};
  }

  const std::string digest = sha256_of(zip);
  const std::string name = to_hex(digest);
  StoredCode stored{to_base64(digest), zip.size(), hold(name)};
  const PutUnderWay under_way(*held_);
  if (is_there(name)) return stored;
  make_private_directories(directory_);
  std::string pattern = directory_ + "/" + std::string(aside) + "XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) fail(directory_);
  const Scaffold scaffold(pattern);
  const std::string files = scaffold.path + "/files";
  if (::chmod(scaffold.path.c_str(), directory_mode) != 0) fail(scaffold.path);
  if (::mkdir(files.c_str(), directory_mode) != 0) fail(files);
  if (!Unpacker(zip, files).run(*entries)) return CodeRefused{std::string(malformed)};
  write_file(scaffold.path + "/code.zip", zip);
  if (durable_) sync_filesystem_of(scaffold.path);
  write_file(scaffold.path + "/" + std::string(marker_file), durable_ ? std::string(synced_marker) : boot_marker());
  // Somebody else may have put the same meanwhile; what is there in part makes room.
  const std::string place = directory_ + "/" + name;
  if (::rename(scaffold.path.c_str(), place.c_str()) != 0 && !is_there(name)) {
    const Scaffold broken(directory_ + "/" + std::string(aside) + name);
    if (::rename(place.c_str(), broken.path.c_str()) != 0) fail(place);
    if (::rename(scaffold.path.c_str(), place.c_str()) != 0) fail(place);
  }
  if (durable_) sync_filesystem_of(directory_);
  return stored;
}

std::string CodeStore::directory_of(const std::string& sha256) const {
  const std::string name = name_of(sha256);
  return is_there(name) ? directory_ + "/" + name + "/files" : std::string();
}

CodePlace CodeStore::use(const std::string& sha256) const {
  const std::string name = name_of(sha256);
  if (name.empty()) return {};
  // First, so that it is not dropped in between.
  CodePlace place{directory_ + "/" + name + "/files", hold(name)};
  return is_there(name) ? std::move(place) : CodePlace{};
}

std::optional<std::string> CodeStore::zip_of(const std::string& sha256) const {
  const std::string name = name_of(sha256);
  return is_there(name) ? read_file(directory_ + "/" + name + "/code.zip") : std::nullopt;
}

bool CodeStore::keep_only(const std::set<std::string>& sha256s) {
  std::set<std::string> kept;
  for (const std::string& sha256 : sha256s) kept.insert(name_of(sha256));
  std::error_code error;
  std::vector<fs::path> doomed;
  bool all_dropped = true;
  {
    // Nobody begins to hold meanwhile what is being dropped. Taken out of the way it is at once; removing it takes as
    // long as it has files, and others need the lock.
    const std::lock_guard lock(held_->mutex);
    for (const auto& entry : fs::directory_iterator(directory_, error)) {
      const std::string name = entry.path().filename().string();
      const bool half_written = name.starts_with(aside) && held_->puts == 0;
      const bool unnamed = name.size() == 2 * sha256_bytes && !kept.contains(name);
      const bool held = unnamed && (held_->holds_of_all > 0 || held_->names.contains(name));
      all_dropped = all_dropped && !held;
      if (half_written || (unnamed && !held)) doomed.push_back(entry.path());
    }
    for (fs::path& path : doomed) {
      if (path.filename().string().starts_with(aside)) continue;
      held_->whole.erase(path.filename().string());
      const fs::path out = path.parent_path() / (std::string(aside) + path.filename().string());
      fs::remove_all(out, error);  // of a removal that was cut off
      fs::rename(path, out, error);
      if (!error) path = out;
    }
  }
  for (const fs::path& path : doomed) fs::remove_all(path, error);
  return all_dropped;
}

}  // namespace penstock::runner
