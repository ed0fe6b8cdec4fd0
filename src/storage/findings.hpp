// What a look through a store has come upon: each kind of it once for whatever it is about, with how many there are and
// the first of them, so that a million of a kind are one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::storage {

/// What there may be to say of a store. The texts are in findings.cpp.
enum class Finding : std::uint8_t {
  // Of anything.
  unreadable_table,
  unknown_key,
  unreadable_record,
  key_of_another,
  no_format,
  newer_format,
  // Of a queue.
  name_twice,
  queue_unknown,
  queue_deleted,
  message_beyond_tail,
  message_unreachable,
  message_twice,
  state_without_message,
  state_twice,
  state_before_head,
  group_differs,
  lane_without_message,
  lanes_not_compared,
  fresh_count_differs,
  state_count_differs,
  lane_count_differs,
  dedup_beyond_tail,
  task_without_destination,
  arrivals,
  // Of a stream.
  stream_unknown,
  stream_deleting,
  shard_unknown,
  shard_beyond_next,
  record_missing,
  record_outside,
  arrival_goes_back,
  segments_apart,
  // Of consumers and mappings.
  position_beyond_tail,
  position_of_nothing,
  checkpoint_beyond_tail,
  checkpoint_of_nothing,
  // Of files.
  damaged_file,
  torn_log,
  log_with_hole,
  no_log,
  emptied_log,
  code_missing,
  code_damaged,
};

/// One line of a report.
struct FoundLine {
  bool problem = true;  ///< otherwise something that is as it may be, and is told
  std::string subject;  ///< such as "queue jobs (000000000000, us-east-1)"
  std::string what;     ///< "3 states without a message, the first: sequence 17"
  std::string meaning;
};

class Findings {
 public:
  /// Lines; what is beyond them is counted.
  static constexpr std::size_t lines_max = 10'000;

  /// One more of a kind. `detail` says which, and is kept of the first.
  void add(Finding finding, std::string_view subject, std::string_view detail);

  /// Problems first, and each in the order in which they were come upon.
  std::vector<FoundLine> lines() const;
  /// Whether nothing was found but what may be.
  bool is_sound() const { return problems_ == 0; }
  std::size_t problems() const { return problems_; }
  std::size_t left_out() const { return left_out_; }

 private:
  struct Line {
    Finding finding;
    std::string subject;
    std::string detail;
    std::uint64_t count = 0;
  };

  std::vector<Line> lines_;
  std::map<std::pair<Finding, std::string>, std::size_t> places_;
  std::size_t problems_ = 0;  ///< lines of them, also those that are left out
  std::size_t left_out_ = 0;
};

}  // namespace penstock::storage
