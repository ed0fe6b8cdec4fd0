// Tells a log that was cut off, by a kill or a loss of power, from one that was damaged. RocksDB either refuses both or
// takes both, and in any of its modes passes over some damage in silence: a length that reaches beyond the end, a kind
// of record that it takes for one of an older log, a header of zeros. A torn end has to be tolerated, and damage must
// not be.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace penstock::storage {

/// What the database's own books say of its logs.
struct LogBooks {
  std::uint64_t first_log = 0;      ///< the number of the first that is needed; 0 if all are
  std::uint64_t last_sequence = 0;  ///< of what is in tables
};

enum class LogCondition : std::uint8_t {
  whole,
  torn,     ///< the end is no whole record, which is as it may be: see log_tail.cpp
  damaged,  ///< what was written, and maybe synced, is not as it was
};

/// What there is of a log from where it is no whole record any more.
struct LogRemains {
  std::string log;           ///< the name of its file
  std::uint64_t begin = 0;   ///< in the file
  std::uint64_t end = 0;     ///< behind the last byte that is no zero
  bool has_records = false;  ///< whether whole ones lie behind a hole, which were not synced if the hole is of a loss
                             ///< of power, and may have been otherwise
};

struct LogReport {
  LogCondition condition = LogCondition::whole;
  std::string where;  ///< of what is torn or damaged, which file, from which byte on, and why; empty if it is whole
  /// Whether a later log goes on where the torn one ends: an earlier start has dropped the end.
  bool is_settled = false;
  std::vector<LogRemains> remains;  ///< of what is torn and not settled
  /// How many bytes of a log, by its number, are records that follow what is before them, where there is more in the
  /// file.
  std::map<std::uint64_t, std::uint64_t> ends;
};

/// Reads every RocksDB write-ahead log of `directory` that is needed, one at a time as a whole. A log that cannot be
/// read is `damaged`. REQUIRES: nobody writes to them meanwhile.
LogReport inspect_logs(const std::string& directory, const LogBooks& books);

/// What the first entry of a record says, as data that are in the log alone: that everything up to a number was on the
/// medium before the record was written. A bad place below it is damage.
std::string sync_mark(std::uint64_t sequence);

/// The number of a log by its file's name, such as "000012.log"; 0 if it is none.
std::uint64_t log_number_of(const std::string& name);
/// The other way round.
std::string log_name_of(std::uint64_t number);

}  // namespace penstock::storage
