// Whether what a store has fits together: every record of every table is read, and what tables say of each other is
// held against what they have. Nothing is changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "penstock/store.hpp"
#include "storage/findings.hpp"

namespace penstock::storage {

/// Entries of a queue's lanes whose messages are looked for, 8 bytes each in memory while that queue is checked.
inline constexpr std::size_t lane_entries_compared_max = 16U << 20U;

/// What was looked at.
struct CheckedCounts {
  std::uint32_t format = 0;  ///< 0 if the store is empty
  std::uint64_t queues = 0;
  std::uint64_t messages = 0;
  std::uint64_t streams = 0;
  std::uint64_t shards = 0;
  std::uint64_t records = 0;
  std::uint64_t consumers = 0;  ///< whose positions the server keeps
  std::uint64_t functions = 0;
  std::uint64_t mappings = 0;
  std::uint64_t invokes = 0;  ///< asynchronous, that are not over
};

struct CheckReport {
  Findings findings;
  CheckedCounts counts;
  /// CodeSha256 of what is kept of functions' code, with the subject of one that has it.
  std::map<std::string, std::string> code;
};

/// Told what is being read, and how many entries were, each time that so many more are.
inline constexpr std::uint64_t check_told_every = 10'000;
using CheckProgress = std::function<void(std::string_view what, std::uint64_t entries)>;

/// REQUIRES: nobody writes to the store meanwhile. What is in memory at a time are the queues, streams, shards and
/// segments, as at a start. `progress` may be empty.
void check(const Store& store, CheckReport& report, const CheckProgress& progress);

}  // namespace penstock::storage
