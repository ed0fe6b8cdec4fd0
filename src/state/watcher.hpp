// Keeps count of what is done, for whoever watches.
#pragma once

#include <cstdint>
#include <string_view>

#include "state/fault.hpp"
#include "state/files.hpp"

namespace penstock::state {

class Watcher {
 public:
  /// `watch` outlives it.
  Watcher(const Watch& watch, std::string_view what, std::uint64_t files, std::uint64_t bytes)
      : watch_(watch), progress_{what, files, 0, bytes, 0, 0} {
    tell();
  }

  void file_done() {
    ++progress_.files_done;
    tell();
  }
  void entries_done(std::string_view what, std::uint64_t entries) {
    progress_.what = what;
    progress_.entries_done = entries;
    tell();
  }
  void bytes_done(std::uint64_t bytes) {
    progress_.bytes_done += bytes;
    tell();
  }
  BytesDone bytes() {
    return [this](std::uint64_t count) { bytes_done(count); };
  }

 private:
  void tell() const {
    if (watch_ && !watch_(progress_)) throw Fault(Fault::Kind::cancelled, "it was cut off");
  }

  const Watch& watch_;
  Progress progress_;
};

}  // namespace penstock::state
