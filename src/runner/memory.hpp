// What a function process and its descendants use of memory, as /proc says.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "runner/descriptor.hpp"

namespace penstock::runner {

class MemoryWatch {
 public:
  MemoryWatch() = default;
  /// `guard`: whose child the process is, and whose children orphans of its family become. It is not counted itself.
  MemoryWatch(pid_t process, pid_t guard);

  /// Of the process and all that descends from it, orphans included, and whether it is more than `bytes_max` without
  /// what the kernel could drop, such as pages of executables, and without counting shared pages twice. Called now and
  /// then.
  bool exceeds(std::uint64_t bytes_max);
  /// The most that was seen, and what the kernel says of the process itself.
  std::uint64_t peak_bytes();
  void note_peak(std::uint64_t bytes);

 private:
  pid_t process_ = -1;
  pid_t guard_ = -1;
  Descriptor status_;  ///< its /proc/<pid>/status
  std::uint64_t peak_ = 0;
};

}  // namespace penstock::runner
