// What a start drops of a log with whole records in it, kept beside the log: should it not have been a loss of power
// that damaged it, something can still be had from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "penstock/store.hpp"
#include "storage/log_tail.hpp"

namespace penstock::storage {

/// Files of remains in a data directory; the one of the oldest log goes for another.
inline constexpr std::size_t remains_files_max = 8;
/// Of one of them: a log has 48 MiB and what its last record is longer. The first bytes are kept.
inline constexpr std::uint64_t remains_bytes_max = 64ULL << 20U;

/// Copies them into a file of the directory, for its owner alone, which is on the medium when this returns, and gives
/// its name. Once more is the same. Errors: io_error, no_space.
StoreError keep_remains(const std::string& directory, const LogRemains& remains, std::string& name);

}  // namespace penstock::storage
