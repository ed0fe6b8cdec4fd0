#include "runner/claim.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace penstock::runner {

namespace fs = std::filesystem;

namespace {

/// Looked at in one go; the next start comes to the others.
constexpr std::size_t directories_max = 1'000;

std::vector<fs::path> directories_in(const fs::path& parent, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->path().filename().string().starts_with(prefix) || !at->is_directory(ignored)) continue;
    found.push_back(at->path());
    if (found.size() == directories_max) break;
  }
  return found;
}

bool remove_directory(const fs::path& path) { return ::rmdir(path.c_str()) == 0 || errno == ENOENT; }

}  // namespace

Descriptor claim_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory || ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) return {};
  // It may have been removed, and made anew, between the two.
  struct stat mine = {};
  struct stat there = {};
  const bool same = ::fstat(directory.get(), &mine) == 0 && ::lstat(path.c_str(), &there) == 0 &&
                    mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
  return same ? std::move(directory) : Descriptor();
}

void remove_unclaimed(const std::string& parent, const std::string& prefix, bool of_cgroups) {
  for (const fs::path& path : directories_in(parent, prefix)) {
    struct stat found = {};
    if (::lstat(path.c_str(), &found) != 0 || found.st_uid != ::geteuid()) continue;
    const Descriptor claim = claim_directory(path);
    if (!claim) continue;
    std::error_code ignored;
    if (of_cgroups) {
      remove_cgroup(path);
    } else {
      fs::remove_all(path, ignored);
    }
  }
}

bool remove_cgroup(const std::string& path) {
  if (remove_directory(path)) return true;
  // Functions may make others in theirs. Every directory is found before those that are in it.
  std::vector<fs::path> inner;
  std::error_code error;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_directory(ignored)) inner.push_back(at->path());
    if (inner.size() == directories_max) break;
  }
  while (!inner.empty()) {
    remove_directory(inner.back());
    inner.pop_back();
  }
  return remove_directory(path);
}

}  // namespace penstock::runner
