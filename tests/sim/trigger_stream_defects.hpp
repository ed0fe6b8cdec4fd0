// Ways in which mappings of streams could be wrong. The simulation has to notice each.
#pragma once

#include <cstdint>
#include <memory>

#include "penstock/triggers.hpp"

namespace penstock::sim {

enum class TriggerStreamDefect : std::uint8_t {
  none,
  checkpoint_ahead,         ///< it is one record further than what is done
  checkpoint_not_kept,      ///< a restart knows of none that was written after the first
  start_not_kept,           ///< LATEST is where the stream ends when the mapping is started again
  record_left_out,          ///< the last record of a batch is not in its event
  records_swapped,          ///< a batch has its records backwards
  failure_taken_as_done,    ///< an error of the function counts as success
  partial_taken_as_done,    ///< the records that an answer names count as done
  garbage_taken_as_done,    ///< so does an answer that cannot be read
  unknown_id_passed_over,   ///< so does one that names records that were not in the batch
  throttle_counted,         ///< a throttle counts as a failure
  given_up_early,           ///< one retry too few
  report_not_awaited,       ///< a report that was refused counts as taken
  keys_in_any_lane,         ///< a key's records are not kept in one lane
  lineage_ignored,          ///< children begin with their parents
  too_many_at_a_time,       ///< more invocations than may run
  wake_lost,                ///< an answer to a read is lost
  state_not_handed_on,      ///< each invocation of a window has an empty state
  state_not_kept,           ///< a window's state is not durable
  away_counted,             ///< that nobody was there counts as a failure
  start_ignored,            ///< a start at a moment is one at the beginning
  consumer_ignored,         ///< a consumer that has gone is taken for one that is there
  missing_stream_given_up,  ///< a stream that is not there is not asked for again
  expired_waited_for,       ///< a read that only passes over what has expired is not taken for an answer
  shard_starved,            ///< some shards wait until nothing of the others runs
};

std::unique_ptr<TriggerEngine> make_defective(std::unique_ptr<TriggerEngine> engine, TriggerStreamDefect defect);

}  // namespace penstock::sim
