#include "state/restore.hpp"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <variant>

#include "penstock/private_directory.hpp"
#include "runner/code_store.hpp"
#include "state/code.hpp"
#include "state/files.hpp"
#include "state/watcher.hpp"
#include "storage/data_directory.hpp"
#include "storage/records.hpp"
#include "storage/rocksdb_store.hpp"

namespace penstock::state {

namespace {

namespace fs = std::filesystem;

constexpr int names_tried_max = 1'000;

[[noreturn]] void refuse(const std::string& why) { throw Fault(Fault::Kind::refused, why); }

/// A name beside the directory that nothing has yet.
fs::path name_aside(const fs::path& directory) {
  for (int i = 1; i <= names_tried_max; ++i) {
    fs::path name = directory;
    name += ".before-restore" + (i == 1 ? std::string() : "-" + std::to_string(i));
    std::error_code ignored;
    if (!fs::exists(name, ignored)) return name;
  }
  refuse("too many directories are named " + directory.string() + ".before-restore");
}

/// Where what was in the way has gone; empty if nothing was.
std::string clear_way(const RestoreOptions& options, const fs::path& target) {
  std::error_code error;
  if (!fs::exists(target, error)) return {};
  if (is_empty_directory(target)) return {};
  if (!options.move_aside) {
    refuse(target.string() + " is not empty; with --force what is there is moved aside");
  }
  storage::DirectoryHold hold;
  if (const StoreError in_use = hold.take(target)) fail(in_use);
  const fs::path aside = name_aside(target);
  fs::rename(target, aside, error);
  if (error) refuse("cannot move " + target.string() + " aside: " + error.message());
  return aside;
}

void copy_checked(const fs::path& from, const fs::path& to, const ManifestFile& file, Watcher& watcher) {
  const FileSum sum = copy_file(from, to, watcher.bytes());
  if (sum.bytes == file.bytes && sum.sha256 == file.sha256) return;
  throw Fault(Fault::Kind::damaged, from.string() + " changed while it was copied");
}

void put_code(runner::CodeStore& code, const fs::path& from, const ManifestFile& file) {
  const std::string zip = read_whole(from, runner::CodeLimits{}.zip_bytes_max);
  if (sha256_of(zip) != file.sha256) throw Fault(Fault::Kind::damaged, from.string() + " changed while it was copied");
  const auto put = code.put(zip);
  const auto* refused = std::get_if<runner::CodeRefused>(&put);
  if (refused != nullptr) throw Fault(Fault::Kind::damaged, from.string() + ": " + refused->message);
}

/// A table that is missing the database knows of; the only log it does not.
void open_once(const fs::path& target) {
  std::unique_ptr<storage::InspectedStore> store;
  if (const StoreError error = storage::open_rocksdb_for_reading(target, store)) fail(error);
  if (!store->has_log()) throw Fault(Fault::Kind::damaged, "the backup is damaged: no log of its data is in it");
}

void fill(const RestoreOptions& options, const fs::path& target, const Manifest& manifest, const Watch& watch) {
  const fs::path marker = target / storage::unfinished_marker;
  write_whole(marker, "A restore into this directory did not come to its end.\n");
  sync(fs::absolute(target).parent_path());
  Watcher watcher(watch, "copying", manifest.files.size(), manifest.bytes());
  runner::CodeStore code(code_directory_of(target), true);
  const std::string data = std::string(data_folder) + "/";
  for (const ManifestFile& file : manifest.files) {
    const fs::path from = fs::path(options.backup) / file.path;
    if (file.path.starts_with(data)) {
      copy_checked(from, target / file.path.substr(data.size()), file, watcher);
    } else {
      put_code(code, from, file);
    }
    watcher.file_done();
  }
  sync(target);
  open_once(target);
  fs::remove(marker);
  sync(target);
}

/// Takes back what was done to the target, unless it has come to its end.
class Attempt {
 public:
  Attempt(fs::path target, std::string moved_to)
      : target_(std::move(target)), moved_to_(std::move(moved_to)), was_there_(fs::exists(target_)) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() {
    if (succeeded_) return;
    std::error_code error;
    // Its contents and not itself, which may be a place that is mounted; and the marker last, so that what is cut off
    // even now is not taken for whole.
    for (const auto& entry : fs::directory_iterator(target_, error)) {
      std::error_code ignored;
      if (entry.path().filename() != storage::unfinished_marker) fs::remove_all(entry.path(), ignored);
    }
    fs::remove(target_ / storage::unfinished_marker, error);
    if (was_there_) return;
    fs::remove(target_, error);
    if (!moved_to_.empty()) fs::rename(moved_to_, target_, error);
  }
  void succeed() { succeeded_ = true; }

 private:
  const fs::path target_;
  const std::string moved_to_;
  const bool was_there_;
  bool succeeded_ = false;
};

}  // namespace

Restored restore(const RestoreOptions& options, const Watch& watch) {
  try {
    Restored restored{read_manifest(options.backup), {}};
    if (restored.manifest.data_format > storage::format_version) {
      refuse("the data of the backup " + options.backup + " are of format " +
             std::to_string(restored.manifest.data_format) + ", and this version reads formats up to " +
             std::to_string(storage::format_version));
    }
    // What is in the way would be moved aside, or filled, with the backup in it.
    if (is_within(options.target, options.backup) || is_within(options.backup, options.target)) {
      refuse("the data directory " + options.target + " and the backup " + options.backup +
             " are one, or one of them lies in the other");
    }
    verify_files(options.backup, restored.manifest, watch);
    fs::path target = fs::absolute(options.target).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    restored.moved_to = clear_way(options, target);
    Attempt attempt(target, restored.moved_to);
    make_private_directories(target);
    fill(options, target, restored.manifest, watch);
    attempt.succeed();
    return restored;
  } catch (const std::system_error& error) {
    fail(error.what(), error.code().value());
  }
}

}  // namespace penstock::state
