#include "runner/memory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runner {

namespace {

/// A process that has more threads or descendants is measured in part.
constexpr std::size_t processes_max = 256;
constexpr std::size_t threads_max = 256;
constexpr std::size_t file_bytes_max = 4'096;

using Page = std::array<char, file_bytes_max>;

std::string_view read_at_start(int fd, Page& page) {
  const ssize_t got = ::pread(fd, page.data(), page.size(), 0);
  return {page.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

std::string_view read_file(const std::string& path, Page& page) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? read_at_start(file.get(), page) : std::string_view();
}

// Of a line such as `VmHWM:     1234 kB`, in bytes.
std::optional<std::uint64_t> kibibytes_of(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + name.size());
  text.remove_prefix(std::min(text.size(), text.find_first_of("0123456789")));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value << 10U) : std::nullopt;
}

std::string directory_of(pid_t process) { return "/proc/" + std::to_string(process); }

std::uint64_t resident(pid_t process) {
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  Page page;
  std::string_view text = read_file(directory_of(process) + "/statm", page);
  text.remove_prefix(std::min(text.size(), text.find(' ') + 1));
  std::uint64_t pages = 0;
  std::from_chars(text.data(), text.data() + text.size(), pages);
  return pages * page_bytes;
}

// What nobody but the process itself can give back: its share of anonymous and shared memory, and what is swapped out.
std::uint64_t unreclaimable(pid_t process) {
  Page page;
  const std::string_view text = read_file(directory_of(process) + "/smaps_rollup", page);
  const auto anonymous = kibibytes_of(text, "Pss_Anon:");
  if (anonymous)
    return *anonymous + kibibytes_of(text, "Pss_Shmem:").value_or(0) + kibibytes_of(text, "SwapPss:").value_or(0);
  return kibibytes_of(text, "Pss:").value_or(resident(process));
}

void add_children(pid_t process, std::vector<pid_t>& found) {
  const std::string tasks = directory_of(process) + "/task";
  DIR* directory = ::opendir(tasks.c_str());
  if (directory == nullptr) return;
  std::size_t threads = 0;
  Page page;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    if (++threads > threads_max) break;
    const std::string_view text = read_file(tasks + "/" + entry->d_name + "/children", page);
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end && found.size() < processes_max) {
      pid_t child = 0;
      const auto [next, error] = std::from_chars(at, end, child);
      if (error == std::errc()) found.push_back(child);
      at = next == at ? at + 1 : next;
    }
  }
  ::closedir(directory);
}

// Not every kernel lists children, and the process itself counts where none are.
std::vector<pid_t> family_of(pid_t process, pid_t guard) {
  std::vector<pid_t> family{process};
  add_children(guard, family);
  family.erase(std::remove(family.begin() + 1, family.end(), process), family.end());
  for (std::size_t i = 0; i < family.size(); ++i) add_children(family[i], family);
  return family;
}

}  // namespace

MemoryWatch::MemoryWatch(pid_t process, pid_t guard)
    : process_(process),
      guard_(guard),
      status_(::open((directory_of(process) + "/status").c_str(), O_RDONLY | O_CLOEXEC)) {}

bool MemoryWatch::exceeds(std::uint64_t bytes_max) {
  if (process_ < 0) return false;
  const std::vector<pid_t> family = family_of(process_, guard_);
  std::uint64_t total = 0;
  for (const pid_t member : family) total += resident(member);
  if (total <= bytes_max) {
    note_peak(total);
    return false;
  }
  std::uint64_t held = 0;
  for (const pid_t member : family) held += unreclaimable(member);
  if (family.size() == 1) note_peak(total);
  note_peak(held);
  return held > bytes_max;
}

std::uint64_t MemoryWatch::peak_bytes() {
  if (status_) {
    Page page;
    note_peak(kibibytes_of(read_at_start(status_.get(), page), "VmHWM:").value_or(0));
  }
  return peak_;
}

void MemoryWatch::note_peak(std::uint64_t bytes) { peak_ = std::max(peak_, bytes); }

}  // namespace penstock::runner
