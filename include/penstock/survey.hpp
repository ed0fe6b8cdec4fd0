// What an operator is told of what a server has: how much was asked of it, which the engines count as they go, and what
// there is at the moment, which they are asked for object by object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/functions.hpp"
#include "penstock/ids.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock {

// ---- Counts. They begin at 0 with the process and only grow.

struct QueueTally {
  std::uint64_t sends = 0;           ///< messages that clients sent and that were no duplicates
  std::uint64_t receives = 0;        ///< messages that were handed out, each time one was
  std::uint64_t empty_receives = 0;  ///< calls that were answered without a message
  std::uint64_t deletes = 0;         ///< messages that clients deleted
  std::uint64_t dead_letters = 0;    ///< messages that another queue has taken as its dead letters
};

struct StreamTally {
  std::uint64_t records_put = 0;
  std::uint64_t bytes_put = 0;  ///< of data and partition keys
};

/// Of batches that a mapping invoked its function with, each try counted.
struct MappingTally {
  std::uint64_t succeeded = 0;
  std::uint64_t partial = 0;  ///< some of its messages or records have failed
  std::uint64_t failed = 0;   ///< all of them have, or the answer was none that is understood
  std::uint64_t not_run =
      0;  ///< there was no room for it, or nobody to run it: it is tried again, and counts for nothing
};

// ---- What there is.

struct QueueView {
  QueueName name;
  QueueTally tally;
  std::uint64_t visible = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t delayed = 0;
  std::optional<Instant> oldest;  ///< when the oldest message was sent, of those that memory has; to the second
  std::size_t parked = 0;         ///< receives that wait for a message
};

struct StreamView {
  StreamName name;
  StreamId id;
  StreamTally tally;
  std::uint64_t records_stored = 0;
  std::uint64_t bytes_stored = 0;  ///< of data and partition keys
  std::size_t open_shards = 0;
  std::size_t subscriptions = 0;
  std::size_t parked = 0;  ///< reads that wait for a record
};

/// Records that a consumer has not processed: of a shard from `from` on, those before `not_before` passed over.
struct Backlog {
  ShardIndex shard;
  RecordIndex from;
  RecordIndex until;
  Instant not_before{};
};

/// A consumer with positions.
struct ConsumerView {
  StreamName stream;
  StreamId id;  ///< the stream's
  std::string name;
  std::uint64_t records_behind = 0;
  std::vector<Backlog> backlogs;  ///< of the shards where there is any
  std::size_t members = 0;
  std::size_t parked = 0;  ///< polls that wait for a record
};

struct MappingView {
  std::string uuid;
  FunctionName function;
  std::string source_arn;
  MappingTally tally;
  bool enabled = false;
};

// ---- Surveys: a bounded number of objects at a time, so that nobody waits long for them.

/// Where a survey goes on: behind what was seen. What comes to be, or goes, meanwhile may be seen or not.
struct SurveyPlace {
  bool queues_over = false;
  bool over = false;
  std::optional<QueueName> queue;    ///< the last one that was seen
  std::optional<StreamName> stream;  ///< the same
  std::string consumer;              ///< of that stream, the same; empty: none yet
};

struct Survey {
  std::vector<QueueView> queues;
  std::vector<StreamView> streams;
  std::vector<ConsumerView> consumers;
};

/// What all queues and streams were asked that an engine has or had.
struct EngineTally {
  QueueTally queues;
  StreamTally streams;
};

struct TriggerTally {
  MappingTally mappings;         ///< of all that there are or were
  std::size_t async_events = 0;  ///< asynchronous invokes that are not over, now
  std::size_t running = 0;       ///< invocations, now
};

}  // namespace penstock
