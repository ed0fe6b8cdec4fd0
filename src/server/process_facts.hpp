// What the kernel says of this process.
#pragma once

#include <cstdint>
#include <optional>

namespace penstock::server {

struct ProcessFacts {
  double cpu_seconds = 0;  ///< of all its threads, in user and kernel mode
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;  ///< by the soft limit
  double started_seconds = 0;        ///< since the Unix epoch
};

/// Nothing where /proc is not there.
std::optional<ProcessFacts> read_process_facts();

}  // namespace penstock::server
