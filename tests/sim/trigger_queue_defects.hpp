// Ways in which mappings of queues and asynchronous invokes could be wrong. The simulation has to notice each.
#pragma once

#include <cstdint>
#include <memory>

#include "penstock/triggers.hpp"

namespace penstock::sim {

enum class TriggerQueueDefect : std::uint8_t {
  none,
  failure_taken_as_done,   ///< an error of the function counts as success
  partial_taken_as_done,   ///< the messages that an answer names count as done
  garbage_taken_as_done,   ///< so does an answer that can not be read
  unknown_id_passed_over,  ///< an id that is none of the batch's is not looked at
  deleted_when_received,   ///< a message is deleted before it was invoked with
  message_left_out,        ///< the last message of a batch is not in its event
  match_dropped,           ///< some messages that match are taken for others
  filter_ignored,          ///< what does not match is invoked with
  messages_swapped,        ///< a batch has its messages backwards
  too_many_at_a_time,      ///< more invocations than may run
  concurrency_ignored,     ///< more batches of a mapping than its MaximumConcurrency
  reservation_exceeded,    ///< one more invocation of a function than is reserved for it
  batch_too_large,         ///< one message too many
  wake_lost,               ///< an answer to a receive is lost
  invoked_twice,           ///< a batch is given to two invocations
  mapping_not_kept,        ///< a mapping is answered and not durable
  event_not_kept,          ///< so is an asynchronous invoke
  event_given_up_early,    ///< one retry too few
  report_not_awaited,      ///< an end that could not be told counts as told
  settlement_forgotten,    ///< a delete that the queue could not do is not tried again
  renewal_forgotten,       ///< what runs does not stay invisible
  not_run_is_counted,      ///< what nobody was there for is not given back
  missing_queue_given_up,  ///< a queue that is not there is not asked again
  mapping_starved,         ///< one mapping waits until nothing of the others runs
};

std::unique_ptr<TriggerEngine> make_defective(std::unique_ptr<TriggerEngine> engine, TriggerQueueDefect defect);

}  // namespace penstock::sim
