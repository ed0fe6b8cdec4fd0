// The engine: a synchronous state machine. Time, entropy and storage are handed in; what is to happen comes out.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "penstock/busy.hpp"
#include "penstock/commands.hpp"
#include "penstock/message_events.hpp"
#include "penstock/records.hpp"
#include "penstock/survey.hpp"
#include "penstock/time.hpp"

namespace penstock {

struct Reply {
  CallId call;
  Result result;
};

/// Read the fresh lane: undelayed messages of [from, until), at most so many entries or bytes of records.
struct LoadFresh {
  QueueId queue;
  std::uint64_t epoch = 0;
  Sequence from;
  Sequence until;
  std::size_t count_max = 0;
  std::size_t bytes_max = 0;
};
/// Read state records from `from` on, at most `count_max`.
struct LoadStates {
  QueueId queue;
  std::uint64_t epoch = 0;
  Sequence from;
  std::size_t count_max = 0;
};
/// Read the state records of these messages.
struct LoadStatesOf {
  QueueId queue;
  std::uint64_t epoch = 0;
  std::vector<Sequence> sequences;
};
/// Read a lane of a standard queue from `from` on, at most `count_max` entries.
struct LoadLane {
  QueueId queue;
  std::uint64_t epoch = 0;
  LaneId lane;
  Sequence from;
  std::size_t count_max = 0;
};
using Load = std::variant<LoadFresh, LoadStates, LoadStatesOf, LoadLane>;

/// Hand a message to another queue, in whichever shard that is. The shell reads it, has it accepted (AcceptTransfer),
/// reports the outcome (TransferSettled), and once that is answered has the arrival forgotten (ForgetArrival). Until
/// the outcome is known the message is with neither queue's clients; at every moment the store has it at least once,
/// and an arrival beside it while it has it twice, by which the next start completes what was cut off.
struct Transfer {
  TransferKind kind{};
  QueueId queue;
  Sequence sequence;
  QueueName origin;
  std::optional<QueueName> destination;  ///< nothing: the queue that the message's dead_letter_source names
  std::uint32_t receive_count = 0;
  Instant first_received{};
};

/// Have the stream of `accept` take what it holds, and tell the outcome to the stream that it came from
/// (TransactionSettled). Positions and records of two streams are one batch of the store, because the target's shard
/// writes both; until the outcome is told, the positions' shard leaves them alone.
struct Transaction {
  StreamName origin;
  CallId call;
  AcceptTransaction accept;
};

/// What came of the commands since the last take_effects. The shell must
///  1. commit `mutations`, all or none, with a sync if `sync`;
///  2. only when they are written, run `loads` and apply what they answer, and see to `transfers` and `transactions`;
///  3. release `replies` when the mutations are written and everything that was to be synced up to here is.
struct Effects {
  std::vector<Mutation> mutations;
  bool sync = false;  ///< a promise depends on these mutations: a send, a delete, a configuration
  std::vector<Reply> replies;
  std::vector<Load> loads;
  std::vector<Transfer> transfers;
  std::vector<Transaction> transactions;
  // If Limits::tells_events; nobody waits for them.
  std::vector<MessageEvent> events;
  std::vector<DuplicateSend> duplicates;

  bool empty() const {
    return mutations.empty() && replies.empty() && loads.empty() && transfers.empty() && transactions.empty();
  }
};

/// One shard's engine. Not thread-safe; every method is bounded in time and does no I/O. `now` never goes back: an
/// earlier instant than one seen before is taken as that one.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// REQUIRES: called once per queue, before the first command.
  virtual void recover(RecoveredQueue queue, Instant now) = 0;
  /// The same for each stream, and for each account that has settings.
  virtual void recover(RecoveredStream stream, Instant now) = 0;
  virtual void recover(StreamAccount account) = 0;

  virtual void apply(CallId call, Command command, Instant now) = 0;

  /// Lets everything happen that is due: visibility, delays, retention, ends of long polls. A bounded amount of work
  /// is done; while more is due, next_deadline is not after `now`.
  virtual void advance(Instant now) = 0;

  virtual std::optional<Instant> next_deadline() const = 0;
  /// The first moment, as far as it is known by now, at which something changes that a client could see by looking: a
  /// message becomes visible or expires, a stream turns ACTIVE, a member's lease ends. Never before next_deadline,
  /// and later where that is of what only the engine or a call that waits takes notice of: leases that are to be
  /// written, deduplication windows that are over, the empty answer of a long poll, the heartbeat of a subscription.
  virtual std::optional<Instant> next_observable() const { return next_deadline(); }

  /// Adds consumers that have not processed all that there is. Looks at all of them.
  virtual void name_busy(BusyList& /*busy*/) const {}

  virtual EngineTally tally() const { return {}; }
  /// Adds the objects that come next behind `place`, which is moved behind them, and is over when there are no more.
  /// Ends with the first that makes it `steps_max` queues, shards of streams and positions of consumers.
  virtual void survey(SurveyPlace& place, std::size_t /*steps_max*/, Survey& /*survey*/) const { place.over = true; }

  /// Answers every parked receive empty and ends every subscription, as a shutdown does.
  virtual void release_parked() = 0;

  virtual Effects take_effects() = 0;
};

}  // namespace penstock
