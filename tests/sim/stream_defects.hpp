// Ways in which an implementation of streams could be wrong. The simulation has to notice each.
#pragma once

#include <cstdint>
#include <memory>

#include "penstock/engine.hpp"

namespace penstock::sim {

enum class StreamDefect : std::uint8_t {
  none,
  acknowledge_before_commit,  ///< answers do not wait for the disk
  data_altered,               ///< the last byte of a record is another
  record_dropped,             ///< one record of a put is not written
  records_swapped,            ///< those of one put are written in another order
  index_reused,               ///< a restart gives a record the index of the last one
  cursor_not_written,         ///< a restart does not know where shards end
  split_leaves_hole,          ///< one hash key belongs to neither child
  parent_left_open,           ///< children are granted before their parent is closed
  trimmed_too_early,          ///< retention takes one record too many
  expired_returned,           ///< what has expired is returned while it still lies there
  retention_forgotten,        ///< a restart takes the retention for 24 hours
  floor_forgotten,            ///< what had expired comes back when the retention is lengthened
  latest_not_fixed,           ///< LATEST is where the shard ends when it is read first
  shard_ends_early,           ///< a closed shard ends before its last record
  subscription_skips,         ///< a subscription leaves out a record
  subscription_repeats,       ///< a subscription gets a record again
  subscription_sleeps,        ///< a put wakes nobody
  heartbeat_missed,           ///< a subscription without records hears nothing
  subscription_lives_on,      ///< a subscription does not hear that it is over
  contents_left,              ///< the records of a deleted stream stay
};

std::unique_ptr<Engine> make_defective(std::unique_ptr<Engine> engine, StreamDefect defect);

}  // namespace penstock::sim
