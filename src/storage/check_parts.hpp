// What the parts of a check share.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/records.hpp"
#include "storage/check.hpp"
#include "storage/keys.hpp"

namespace penstock::storage {

/// A shard as far as others point into it.
struct CheckedShard {
  ShardRecord record;
  ShardCursor cursor;
  std::vector<Segment> segments;
};
struct CheckedStream {
  StreamInfo info;
  std::string subject;
  std::map<ShardIndex, CheckedShard> shards;
};
using CheckedStreams = std::map<StreamId, CheckedStream>;

/// Where the parts put what they find, and tell how far they are.
class Checking {
 public:
  Checking(const Store& its_store, CheckReport& its_report, const CheckProgress& progress)
      : store(its_store), report(its_report), progress_(progress) {}

  void begin(std::string_view what) {
    what_ = what;
    entries_ = 0;
    if (progress_) progress_(what_, entries_);
  }
  void count_entry() {
    if (++entries_ % check_told_every == 0 && progress_) progress_(what_, entries_);
  }
  void add(Finding finding, std::string_view subject, std::string_view detail = {}) {
    report.findings.add(finding, subject, detail);
  }
  /// Gives each entry to `take`. A table that cannot be read on is a finding, of `subject`, and the answer false.
  bool each(Table table, std::string_view from, std::string_view until, std::string_view subject,
            const std::function<void(std::string_view key, std::string_view value)>& take) {
    const StoreError error = store.scan(table, from, until, [&](std::string_view key, std::string_view value) {
      count_entry();
      take(key, value);
      return true;
    });
    if (error) add(Finding::unreadable_table, subject, error.message);
    return !error;
  }
  bool each(Table table, const KeyRange& range, std::string_view subject,
            const std::function<void(std::string_view key, std::string_view value)>& take) {
    return each(table, range.from.view(), range.until.view(), subject, take);
  }

  const Store& store;
  CheckReport& report;

 private:
  const CheckProgress& progress_;
  std::string what_;
  std::uint64_t entries_ = 0;
};

/// Behind every key of every table.
inline const std::string& after_all_keys() {
  static const std::string key(Key::bytes_max + 1, '\xff');
  return key;
}

/// The number that the first key of [from, end) begins with; nothing if there is none.
std::optional<std::uint64_t> first_number(Checking& checking, Table table, std::string_view from);

/// Such as "queue jobs (000000000000, us-east-1)".
template <class Name>
std::string subject_of(std::string_view kind, const Name& name) {
  return std::string(kind) + " " + name.name + " (" + name.account + ", " + name.region + ")";
}
inline std::string detail_of(Sequence sequence) { return "sequence " + std::to_string(sequence.value); }
inline std::string detail_of(ShardIndex shard) { return "shard " + std::to_string(shard.value); }
inline std::string detail_of(ShardIndex shard, RecordIndex index) {
  return detail_of(shard) + ", index " + std::to_string(index.value);
}
std::string hex_of(std::string_view key);

void check_queues(Checking& checking);
CheckedStreams check_streams(Checking& checking);
void check_groups(Checking& checking, const CheckedStreams& streams);
void check_triggers(Checking& checking, const CheckedStreams& streams);

}  // namespace penstock::storage
