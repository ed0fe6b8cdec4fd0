// The trigger engine: functions, event source mappings and invocations, as a synchronous state machine beside those of
// the shards. It reaches queues and streams as a client does, by commands whose results come back to it; it starts
// invocations, whose outcomes come back the same way. Time, entropy, storage and processes are handed in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/busy.hpp"
#include "penstock/commands.hpp"
#include "penstock/functions.hpp"
#include "penstock/mappings.hpp"
#include "penstock/runner.hpp"
#include "penstock/shared_text.hpp"
#include "penstock/survey.hpp"
#include "penstock/trigger_commands.hpp"

namespace penstock {

// ---- Mutations, of which a commit applies all that belong together or none.

struct PutFunction {
  FunctionRecord function;
};
struct DropFunction {
  FunctionName function;
};
struct PutMapping {
  MappingRecord mapping;
};
/// Forgets a mapping with its checkpoints.
struct DropMapping {
  std::string uuid;
};
struct PutCheckpoint {
  std::string mapping;
  ShardCheckpoint checkpoint;
};
struct DropCheckpoint {
  std::string mapping;
  StreamId stream;
  ShardIndex shard;
};
struct PutAsyncEvent {
  AsyncEvent event;
};
struct DropAsyncEvent {
  std::string id;
};
using TriggerMutation = std::variant<PutFunction, DropFunction, PutMapping, DropMapping, PutCheckpoint, DropCheckpoint,
                                     PutAsyncEvent, DropAsyncEvent>;

/// A mapping as a start finds it.
struct RecoveredMapping {
  MappingRecord record;
  std::vector<ShardCheckpoint> checkpoints;
};

/// All that a start finds.
struct RecoveredTriggers {
  std::vector<FunctionRecord> functions;
  std::vector<RecoveredMapping> mappings;
  std::vector<AsyncEvent> events;
};

// ---- What the engine asks of the shell.

/// A command for a queue or a stream. The shell submits it, and brings back what came of it as Answered.
struct Ask {
  AskId id;
  Command command;
  /// Of a mapping whose batch the result is for, if it is one: the shell renders each message or record that the result
  /// has as an item of the mapping's events, and says which of them its filters let through.
  std::shared_ptr<const MappingRecord> mapping;
};

/// Sends an account of what failed, or of an asynchronous invoke's end, to a queue. Brought back as Answered, with the
/// result of SendMessages.
struct Report {
  AskId id;
  QueueName queue;
  std::variant<BatchFailure, AsyncEnd> content;
};

/// What is invoked with: a batch, whose event the shell puts together, or a payload as it was given.
struct BatchEvent {
  std::shared_ptr<const MappingRecord> mapping;
  std::vector<SharedText> records;    ///< SourceItem::event of each
  std::optional<WindowEvent> window;  ///< of a mapping with tumbling windows
};
using InvocationEvent = std::variant<BatchEvent, std::shared_ptr<const std::string>>;

/// Starts an invocation. Its outcome is brought back as InvocationOver, with the same id.
struct Invocation {
  InvocationId id;
  std::string request_id;
  std::shared_ptr<const FunctionRecord> function;
  std::string invoked_arn;
  InvocationEvent event;
  std::string client_context;
  std::string trace_id;
};

/// Environments of the function that are older are of no use any more; of a function that was deleted, all.
struct Retire {
  FunctionName function;
  std::uint64_t generation = UINT64_MAX;
};

struct TriggerReply {
  CallId call;
  TriggerResult result;
};

/// What a mapping has made of a message that it received, for people who ask why.
struct MessageNote {
  std::string message_id;
  std::string mapping;  ///< its UUID
  std::string what;     ///< such as that a function has failed with it, or that it was filtered out
};

/// What came of the commands since the last take_effects. The shell must
///  1. commit `mutations`, all or none, with a sync if `sync`;
///  2. when they are written, and durable if `sync`, see to all the rest, in this order.
struct TriggerEffects {
  std::vector<TriggerMutation> mutations;
  bool sync = false;
  std::vector<TriggerReply> replies;
  std::vector<Ask> asks;
  std::vector<AskId> cancels;  ///< asks that wait and need wait no more; they may be answered all the same, or not
  std::vector<Report> reports;
  std::vector<Retire> retires;
  std::vector<Invocation> invocations;
  std::vector<std::string> warnings;    ///< for the log of the server
  std::vector<MessageNote> notes;       ///< of messages; nobody waits for them
  std::vector<FunctionName> refused{};  ///< whose invokes had no room, as many times as they had none; for counting

  bool empty() const {
    return mutations.empty() && replies.empty() && asks.empty() && cancels.empty() && reports.empty() &&
           retires.empty() && invocations.empty() && warnings.empty();
  }
};

/// What an operator or a test may set.
struct TriggerLimits {
  int concurrency_max = 100;    ///< invocations at a time, of all functions
  std::string lambda_endpoint;  ///< base URL of the emulator that runs what is not registered here; empty: none
  std::size_t functions_max = 10'000;
  std::size_t mappings_max = 100'000;
  std::size_t async_events_max = 100'000;  ///< accepted and not over; one more is throttled
  std::size_t async_bytes_max = 256U << 20U;
  std::size_t batch_bytes_max = 6U << 20U;      ///< of an event's records as they are rendered
  std::size_t read_ahead_records_max = 10'000;  ///< of one shard of one mapping, read and not processed
  std::size_t read_ahead_bytes_max = 16U << 20U;
  int receivers_start = 5;        ///< batches of a queue at a time, until its backlog asks for more
  Millis retry_delay_min{1'000};  ///< before a failed batch of a stream is tried again; doubled each time
  Millis retry_delay_max{60'000};
  Millis source_retry_delay{1'000};  ///< before a queue or stream that answered with an error is asked again; doubled
  Millis source_retry_delay_max{60'000};
  Millis async_retry_delay{60'000};  ///< before the first retry of an asynchronous invoke; twice before the second
};

/// Not thread-safe; every method is bounded in time and does no I/O. `now` never goes back: an earlier instant than one
/// seen before is taken as that one.
class TriggerEngine {
 public:
  TriggerEngine() = default;
  TriggerEngine(const TriggerEngine&) = delete;
  TriggerEngine& operator=(const TriggerEngine&) = delete;
  virtual ~TriggerEngine() = default;

  /// REQUIRES: called at most once, before the first command.
  virtual void recover(RecoveredTriggers found, Instant now) = 0;

  virtual void apply(CallId call, TriggerCommand command, Instant now) = 0;

  /// Lets everything happen that is due: batching and tumbling windows, retries. A bounded amount of work is done;
  /// while more is due, next_deadline is not after `now`.
  virtual void advance(Instant now) = 0;

  virtual std::optional<Instant> next_deadline() const = 0;
  /// The same of what a client could see: windows, retries and ages, but no renewals of a visibility.
  virtual std::optional<Instant> next_observable() const { return next_deadline(); }

  /// Asks for no more batches and begins no more invocations, as a shutdown does. Messages that were received and not
  /// begun with are given back.
  virtual void drain(Instant now) = 0;
  /// Adds mappings that have something to do, or can not do it, and functions with asynchronous invokes that are not
  /// over. Looks at all of them.
  virtual void name_busy(BusyList& /*busy*/) const {}
  virtual TriggerTally tally() const { return {}; }
  /// At most `count_max` mappings whose UUIDs come after that one, in their order.
  virtual std::vector<MappingView> survey_mappings(const std::string& /*after*/, std::size_t /*count_max*/) const {
    return {};
  }
  /// Whether any invocation is under way.
  virtual bool is_idle() const = 0;

  virtual TriggerEffects take_effects() = 0;
};

}  // namespace penstock
