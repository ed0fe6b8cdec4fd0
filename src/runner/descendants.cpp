#include "runner/descendants.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runner {

namespace {

// How often to look again for children that there are and that the list does not show, or that may not be killed.
constexpr int patience_rounds_max = 100;
constexpr int patience_ms = 2;

bool read_file(const std::string& path, std::string& out) {
  out.clear();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = ::read(fd, buffer.data(), buffer.size())) > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(fd);
  return got == 0;
}

pid_t parent_of(pid_t pid) {
  std::string stat;
  if (!read_file("/proc/" + std::to_string(pid) + "/stat", stat)) return 0;
  // The name stands in parentheses, may hold anything, and is followed by the state and the parent.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > stat.size()) return 0;
  return static_cast<pid_t>(std::strtol(stat.c_str() + name_end + 4, nullptr, 10));
}

std::vector<pid_t> children_by_scan() {
  std::vector<pid_t> children;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return children;
  while (const dirent* entry = ::readdir(proc)) {
    const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid > 0 && parent_of(pid) == ::getpid()) children.push_back(pid);
  }
  ::closedir(proc);
  return children;
}

std::vector<pid_t> children() {
  const std::string self = std::to_string(::getpid());
  std::string text;
  // Not every kernel is built with it.
  if (!read_file("/proc/" + self + "/task/" + self + "/children", text)) return children_by_scan();
  std::vector<pid_t> found;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc()) found.push_back(pid);
    at = next == at ? at + 1 : next;
  }
  return found;
}

}  // namespace

void kill_children(const std::set<pid_t>& spared) {
  int rounds = 0;
  while (rounds < patience_rounds_max) {
    std::vector<pid_t> doomed;
    for (const pid_t child : children()) {
      // One that may not be killed, since it runs as somebody else, cannot be waited for either.
      if (!spared.contains(child) && ::kill(child, SIGKILL) == 0) doomed.push_back(child);
    }
    for (const pid_t child : doomed) {
      while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    if (!doomed.empty()) continue;
    if (spared.empty()) {
      const pid_t reaped = ::waitpid(-1, nullptr, WNOHANG);
      if (reaped < 0 && errno == ECHILD) return;
      if (reaped > 0) continue;
    } else if (rounds > 0) {
      return;
    }
    ++rounds;
    ::poll(nullptr, 0, patience_ms);
  }
}

}  // namespace penstock::runner
