// Tells a log that was torn by a loss of power from one that was damaged. RocksDB either refuses both or takes both,
// and silently ends the history at the bad place; a torn tail has to be tolerated, and damage must not be.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::storage {

enum class LogTail : std::uint8_t {
  torn,     ///< nothing intact comes after a bad record: what is missing never was acknowledged as synced
  damaged,  ///< intact records come after a bad one, or follow a gap: what is missing was written before them
};

/// Reads every RocksDB write-ahead log of `directory`; up to some hundred milliseconds. A log that cannot be read is
/// `damaged`.
LogTail inspect_logs(const std::string& directory);

}  // namespace penstock::storage
