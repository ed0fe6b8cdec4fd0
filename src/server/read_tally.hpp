// How many records were read, by the threads that read them for clients and for mappings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "penstock/commands.hpp"
#include "penstock/streams.hpp"

namespace penstock::server {

struct ReadCount {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< of data and partition keys

  void add(const ReadCount& other) {
    records += other.records;
    bytes += other.bytes;
  }
};

using ReadCounts = std::unordered_map<StreamId, ReadCount>;

/// Of one thread.
class ReadTally {
 public:
  /// What is read of more streams than this, before somebody takes the counts, counts in the total only.
  static constexpr std::size_t streams_max = 4'096;

  void add(const RecordsPage& page);
  /// Whatever records there are in the result.
  void add(const Result& result);

  const ReadCount& total() const { return total_; }
  /// What was read of each stream since it was last asked.
  ReadCounts take() { return std::exchange(by_stream_, {}); }

 private:
  ReadCount total_;
  ReadCounts by_stream_;
};

}  // namespace penstock::server
