#include "server/process_facts.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace penstock::server {
namespace {

// Fields of /proc/self/stat (proc(5)), counted from the first behind the program's name, which may have spaces.
constexpr std::size_t user_ticks = 11;
constexpr std::size_t system_ticks = 12;
constexpr std::size_t thread_count = 17;
constexpr std::size_t start_ticks = 19;
constexpr std::size_t virtual_bytes = 20;
constexpr std::size_t resident_pages = 21;

std::vector<double> fields_behind_name() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  std::string state;
  rest >> state;
  std::vector<double> fields{0};
  double value = 0;
  while (rest >> value) fields.push_back(value);
  return fields;
}

/// When the machine was started, in seconds since the Unix epoch.
double boot_seconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  while (file >> name) {
    double seconds = 0;
    if (name == "btime" && file >> seconds) return seconds;
    std::getline(file, name);
  }
  return 0;
}

std::uint64_t open_files() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end; it.increment(error)) {
    ++count;
  }
  // One of them is the directory's.
  return count > 0 ? count - 1 : 0;
}

}  // namespace

std::optional<ProcessFacts> read_process_facts() {
  const std::vector<double> fields = fields_behind_name();
  if (fields.size() <= resident_pages) return std::nullopt;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  ProcessFacts facts;
  facts.cpu_seconds = (fields[user_ticks] + fields[system_ticks]) / ticks;
  facts.resident_bytes =
      static_cast<std::uint64_t>(fields[resident_pages]) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.virtual_bytes = static_cast<std::uint64_t>(fields[virtual_bytes]);
  facts.threads = static_cast<std::uint64_t>(fields[thread_count]);
  facts.open_files = open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.open_files_max = limit.rlim_cur;
  facts.started_seconds = boot_seconds() + fields[start_ticks] / ticks;
  return facts;
}

}  // namespace penstock::server
