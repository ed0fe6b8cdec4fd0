#include "state/backup.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "penstock/private_directory.hpp"
#include "protocol/times.hpp"
#include "state/files.hpp"
#include "state/watcher.hpp"
#include "storage/records.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::state {

namespace {

namespace fs = std::filesystem;

/// In the data directory, so that the files in it can be links.
constexpr std::string_view staging_folder = "snapshot";

/// What a backup leaves free on a disk that the server itself writes to: more than below which it takes no more sends.
constexpr std::uint64_t room_left_min = 256ULL << 20U;

/// Removes a directory, or what is in it, unless it has come to be what it was to be.
class Scaffold {
 public:
  Scaffold(fs::path path, bool and_itself) : path_(std::move(path)), and_itself_(and_itself) {}
  Scaffold(const Scaffold&) = delete;
  Scaffold& operator=(const Scaffold&) = delete;
  ~Scaffold() {
    if (kept_) return;
    std::error_code error;
    if (and_itself_) {
      fs::remove_all(path_, error);
      return;
    }
    for (const auto& entry : fs::directory_iterator(path_, error)) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  }
  void keep() { kept_ = true; }

 private:
  const fs::path path_;
  const bool and_itself_;
  bool kept_ = false;
};

[[noreturn]] void refuse(const std::string& why) { throw Fault(Fault::Kind::refused, why); }

/// Whether it was made here.
bool prepare(const std::string& directory, const std::string& data_dir) {
  if (!fs::path(directory).is_absolute()) refuse("the directory of a backup is an absolute path");
  std::error_code error;
  const bool there = fs::exists(directory, error);
  if (there && !is_empty_directory(directory)) refuse(directory + " is not an empty directory");
  if (is_within(directory, data_dir) || is_within(data_dir, directory)) {
    refuse("a backup is not made within the data directory");
  }
  if (there) return false;
  make_private_directories(directory, error);
  if (error == std::errc::no_space_on_device) fail("cannot create " + directory, error.value());
  if (error) refuse("cannot create " + directory + ": " + error.message());
  return true;
}

struct Found {
  fs::path path;
  std::uint64_t bytes = 0;
};

std::vector<Found> files_in(const fs::path& directory) {
  std::vector<Found> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file()) files.push_back({entry.path(), entry.file_size()});
  }
  std::sort(files.begin(), files.end(), [](const Found& a, const Found& b) { return a.path < b.path; });
  return files;
}

class Backup {
 public:
  Backup(const BackupSource& source, fs::path directory, const Watch& watch)
      : source_(source),
        directory_(std::move(directory)),
        staging_(fs::path(source.data_dir) / staging_folder),
        watch_(watch) {}

  BackupMade make() {
    // Code that a function of that moment has is there until it is copied.
    const std::shared_ptr<void> held = source_.code.hold_all();
    const Scaffold staged(staging_, true);
    fs::remove_all(staging_);
    Watcher(watch_, "preparing", 0, 0).file_done();
    if (free_bytes(source_.data_dir) < room_left_min) fail_without_room(source_.data_dir);
    if (const StoreError error = storage::copy_rocksdb(source_.store, staging_)) fail(error);
    take_files();
    take_code();
    std::sort(made_.manifest.files.begin(), made_.manifest.files.end(),
              [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; });
    made_.manifest.version = source_.version;
    made_.manifest.created = protocol::format_time(source_.now);
    sync(fs::absolute(directory_).parent_path());
    write_manifest(directory_, made_.manifest);
    return std::move(made_);
  }

 private:
  void take_files() {
    const std::vector<Found> files = files_in(staging_);
    std::uint64_t bytes = 0;
    for (const Found& file : files) bytes += file.bytes;
    Watcher watcher(watch_, "copying", files.size(), bytes);
    const fs::path to = directory_ / data_folder;
    make_private_directories(to);
    for (const Found& file : files) {
      const fs::path copy = to / file.path.filename();
      FileSum sum;
      if (link_file(file.path, copy)) {
        sum = sum_of_file(copy, watcher.bytes());
      } else {
        check_room(file.bytes);
        sum = copy_file(file.path, copy, watcher.bytes());
      }
      made_.manifest.files.push_back(
          {std::string(data_folder) + "/" + file.path.filename().string(), sum.bytes, std::move(sum.sha256)});
      watcher.file_done();
    }
    sync(to);
  }

  [[noreturn]] static void fail_without_room(const fs::path& where) {
    throw Fault(Fault::Kind::no_room, "there is not enough room on the disk of " + where.string());
  }
  void check_room(std::uint64_t bytes) const {
    const std::uint64_t left = is_same_disk(directory_, source_.data_dir) ? room_left_min : 0;
    if (free_bytes(directory_) < bytes + left) fail_without_room(directory_);
  }

  /// Looks into what was copied: it can be opened, and says whose code it needs.
  void take_code() {
    std::unique_ptr<storage::InspectedStore> copied;
    if (const StoreError error = storage::open_rocksdb_for_reading(directory_ / data_folder, copied)) fail(error);
    if (const StoreError error = storage::read_format(*copied, made_.manifest.data_format)) fail(error);
    RecoveredTriggers triggers;
    if (const StoreError error = storage::recover_triggers(*copied, triggers)) fail(error);
    std::set<std::string> taken;
    const fs::path to = directory_ / code_folder;
    make_private_directories(to);
    Watcher watcher(watch_, "copying code", triggers.functions.size(), 0);
    for (const FunctionRecord& function : triggers.functions) {
      if (!function.code_sha256.empty() && taken.insert(function.code_sha256).second) take_zip(function, to);
      watcher.file_done();
    }
    sync(to);
    sync(directory_);
  }

  void take_zip(const FunctionRecord& function, const fs::path& to) {
    const auto zip = source_.code.zip_of(function.code_sha256);
    if (!zip) {
      made_.warnings.push_back("the code of function " + function.name.name + " is not there, and not in the backup");
      return;
    }
    check_room(zip->size());
    std::string sha256 = sha256_of(*zip);
    const std::string name = sha256 + ".zip";
    write_whole(to / name, *zip);
    made_.manifest.files.push_back({std::string(code_folder) + "/" + name, zip->size(), std::move(sha256)});
  }

  const BackupSource& source_;
  const fs::path directory_;
  const fs::path staging_;
  const Watch& watch_;
  BackupMade made_;
};

}  // namespace

BackupMade back_up(const BackupSource& source, const std::string& directory, const Watch& watch) {
  try {
    const bool made_here = prepare(directory, source.data_dir);
    Scaffold unfinished(directory, made_here);
    BackupMade made = Backup(source, directory, watch).make();
    unfinished.keep();
    return made;
  } catch (const std::system_error& error) {
    fail(error.what(), error.code().value());
  }
}

void remove_leftovers(const std::string& data_dir) {
  std::error_code ignored;
  fs::remove_all(fs::path(data_dir) / staging_folder, ignored);
  // Where the copy is made before it gets its name.
  fs::remove_all(fs::path(data_dir) / (std::string(staging_folder) + ".tmp"), ignored);
}

}  // namespace penstock::state
