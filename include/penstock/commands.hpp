// What the engine can be asked, and what it answers: plain values, the same from the wire, a test or the simulation.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/errors.hpp"
#include "penstock/group_commands.hpp"
#include "penstock/ids.hpp"
#include "penstock/message.hpp"
#include "penstock/stream_commands.hpp"
#include "penstock/time.hpp"

namespace penstock {

using StringMap = std::map<std::string, std::string>;

/// RedrivePolicy, parsed. `target_arn` has the form of a queue's ARN.
struct RedrivePolicy {
  std::string target_arn;
  int max_receive_count = 0;  ///< 1 to 1,000
  friend bool operator==(const RedrivePolicy&, const RedrivePolicy&) = default;
};

/// RedriveAllowPolicy, parsed: which queues may name this one as their dead-letter queue.
struct RedriveAllowPolicy {
  enum class Permission : std::uint8_t { allow_all, deny_all, by_queue };
  Permission permission = Permission::allow_all;
  std::vector<std::string> source_arns;  ///< by_queue only, at most 10
  friend bool operator==(const RedriveAllowPolicy&, const RedriveAllowPolicy&) = default;
};

enum class MoveTaskStatus : std::uint8_t { running, completed, cancelling, cancelled, failed };

/// Why a message goes from one queue to another.
enum class TransferKind : std::uint8_t {
  dead_letter,  ///< received too often: it keeps its id and counts
  redrive,      ///< by a move task: it is sent anew
};

// ---- Requests. Each names the result it is answered with; every one may be answered with Error instead.

/// Answer: Done, also when it exists with the same attributes. Errors: QueueNameExists, QueueDeletedRecently,
/// InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue, UnsupportedOperation.
struct CreateQueue {
  QueueName queue;
  StringMap attributes;
  StringMap tags;
  std::optional<RedrivePolicy> redrive;             ///< where `attributes` has a RedrivePolicy that is not empty
  std::optional<RedriveAllowPolicy> redrive_allow;  ///< where `attributes` has a RedriveAllowPolicy that is not empty
};

/// Answer: Done if it exists. Errors: QueueDoesNotExist.
struct LookupQueue {
  QueueName queue;
};

/// Asked of every shard; the router merges. Answer: QueueNames, sorted by name, at most `limit`.
struct ListQueues {
  std::string account;
  std::string region;
  std::string prefix;
  std::string after;  ///< only names greater than this one
  std::size_t limit = 1'000;
  std::string dead_letter_target_arn;  ///< only queues whose RedrivePolicy names this one; empty: all
};

/// Answer: Done. Errors: QueueDoesNotExist.
struct DeleteQueue {
  QueueName queue;
  bool at_once = false;  ///< its name may be used again at once, also with strict limits
};

/// `names` as the client gave them ("All" included; none means none).
/// Answer: QueueAttributes. Errors: QueueDoesNotExist, InvalidAttributeName.
struct GetQueueAttributes {
  QueueName queue;
  std::vector<std::string> names;
};

/// Answer: Done. Errors: QueueDoesNotExist, InvalidAttributeName, InvalidAttributeValue, UnsupportedOperation.
struct SetQueueAttributes {
  QueueName queue;
  StringMap attributes;
  std::optional<RedrivePolicy> redrive;             ///< where `attributes` has a RedrivePolicy that is not empty
  std::optional<RedriveAllowPolicy> redrive_allow;  ///< where `attributes` has a RedriveAllowPolicy that is not empty
};

/// Whether `source` may name this queue as its dead-letter queue. Asked of this queue's shard before `source` is
/// configured. Answer: Done. Errors: InvalidParameterValue, worded for `policy`, the text of the source's
/// RedrivePolicy.
struct CheckRedriveTarget {
  QueueName queue;
  QueueName source;
  std::string policy;
};

/// Answer: Done. Errors: QueueDoesNotExist, InvalidParameterValue (more than 50 tags).
struct TagQueue {
  QueueName queue;
  StringMap tags;
};

/// Answer: Done, also where a key is not there. Errors: QueueDoesNotExist.
struct UntagQueue {
  QueueName queue;
  std::vector<std::string> keys;
};

/// Answer: QueueTags. Errors: QueueDoesNotExist.
struct ListQueueTags {
  QueueName queue;
};

/// Changes the attribute Policy in one step. `edit` takes the present document (empty if there is none) and the queue's
/// ARN, and gives the new one (empty to remove it) or an error; it is called at most once and keeps nothing.
/// Answer: Done. Errors: QueueDoesNotExist, and those of `edit`.
struct EditPolicy {
  QueueName queue;
  std::function<std::variant<std::string, Error>(const std::string& policy, const std::string& queue_arn)> edit;
};

/// Moves what waits in this queue, a dead-letter queue, in the background. Answer: MoveTaskStarted. Errors:
/// QueueDoesNotExist, InvalidParameterValue (a task is running).
struct StartMessageMoveTask {
  QueueName queue;
  std::optional<QueueName> destination;  ///< nothing: each message goes back where it came from
  int per_second = 0;                    ///< 1 to 500; 0: as fast as possible
};

/// Answer: MoveTasks, the newest first. Errors: QueueDoesNotExist.
struct ListMessageMoveTasks {
  QueueName queue;
  std::size_t limit = 1;
};

/// Answer: MoveTaskCancelled. Errors: QueueDoesNotExist, ResourceNotFound (no such task that is running).
struct CancelMessageMoveTask {
  QueueName queue;
  std::string task_id;
};

/// Looks at messages without receiving them. Answer: PeekedMessages. Errors: QueueDoesNotExist.
struct PeekMessages {
  QueueName queue;
  bool invisible = false;  ///< those in flight too
  bool delayed = false;    ///< those whose delay is not over too
};

/// Answer: Done. Errors: QueueDoesNotExist, PurgeQueueInProgress (strict only).
struct PurgeQueue {
  QueueName queue;
};

/// One entry of a send. `bytes` is what counts against MaximumMessageSize: body, and name, type and value of each
/// attribute, in bytes of UTF-8.
struct OutgoingMessage {
  MessageContent content;
  std::size_t bytes = 0;
  std::optional<int> delay_seconds;
  std::string body_sha256;  ///< 64 hex digits, for the queue's ContentBasedDeduplication; FIFO queues only
};

/// A single send is a batch of one. Answer: SendResults, one per entry in order. Errors (whole request):
/// QueueDoesNotExist. Errors of an entry: InvalidParameterValue (size, delay, parameters of another queue type).
struct SendMessages {
  QueueName queue;
  std::vector<OutgoingMessage> messages;
  bool batch = false;        ///< true for SendMessageBatch, whose per-entry wording differs
  bool lacks_group = false;  ///< an entry has no MessageGroupId, maybe one that is not among `messages`
};

/// Ranges were checked by the protocol. Answer: Deliveries, at once or when one arrives or the wait ends.
/// Errors: QueueDoesNotExist, OverLimit (short poll at the in-flight limit), RequestThrottled (too many parked).
struct ReceiveMessages {
  QueueName queue;
  int max_messages = 1;
  std::optional<int> visibility_seconds;  ///< the queue's VisibilityTimeout if absent
  std::optional<int> wait_seconds;        ///< the queue's ReceiveMessageWaitTimeSeconds if absent
  std::string attempt_id;                 ///< ReceiveRequestAttemptId, FIFO queues only
  /// Who receives ends with the server, as its mappings do: a standard queue writes such a lease only when it has
  /// lasted for Limits::lease_unwritten_max. If the server is killed before, the message was never received.
  bool lease_ends_with_server = false;
};

/// Answer: EntryResults, one per handle in order. Errors (whole request): QueueDoesNotExist. Errors of an entry:
/// ReceiptHandleIsInvalid.
struct DeleteMessages {
  QueueName queue;
  std::vector<std::string> receipt_handles;
  /// Whether the answer says that they will not come again. Otherwise a loss of power may bring them back, as that of a
  /// receive may: what is deleted on nobody's behalf need not have anything wait for a sync.
  bool promised = true;
};

struct VisibilityChange {
  std::string receipt_handle;
  int timeout_seconds = 0;
};

/// Answer: EntryResults, one per change in order. Errors (whole request): QueueDoesNotExist. Errors of an entry:
/// ReceiptHandleIsInvalid, InvalidParameterValue (gone, or beyond the 12 h cap).
struct ChangeVisibility {
  QueueName queue;
  std::vector<VisibilityChange> changes;
};

/// The client of a parked receive has gone: it is unparked without an answer. Harmless if it was answered already.
struct CancelReceive {
  QueueName queue;
  CallId receive;
};

/// What a receive handed out never reached its client: it is made ready again, and the receive not counted. Handles
/// that are no longer the latest are passed over. No answer.
struct ReturnUndelivered {
  QueueName queue;
  std::vector<std::string> receipt_handles;
};

/// A message as a queue of another server, or of this one before, had it.
struct ImportedMessage {
  std::shared_ptr<StoredMessage> message;
  Instant visible_at{};      ///< delayed until then
  Instant first_received{};  ///< epoch if it never was
  std::uint32_t receive_count = 0;
  std::uint32_t arrival_count = 0;  ///< as MessageState has it
};

/// Puts messages into a queue with their ids, ages and counts, in their order, whatever the queue remembers of earlier
/// sends. Answer: Done. Errors: QueueDoesNotExist.
struct ImportMessages {
  QueueName queue;
  std::vector<ImportedMessage> messages;
};

// ---- Moves between queues: one shard's engine asks for one (Transfer, among its effects), the other's accepts it.

/// Takes over a message. The answer is released once it is durable here; the origin drops its own only then.
/// Answer: Accepted. Errors: QueueDoesNotExist.
struct AcceptTransfer {
  QueueName queue;
  TransferKind kind{};
  QueueId origin_queue;
  Sequence origin_sequence;
  std::string origin_arn;                        ///< dead_letter: becomes DeadLetterQueueSourceArn
  std::shared_ptr<const StoredMessage> message;  ///< as the origin had it
  std::uint32_t receive_count = 0;               ///< dead_letter: goes on from here
  Instant first_received{};                      ///< dead_letter
};

/// The outcome of a Transfer, coming back to its origin. Answer: Done, when the message is durably gone.
struct TransferSettled {
  QueueId queue;
  Sequence sequence;
  std::optional<ErrorCode> failure;  ///< QueueDoesNotExist, or the message was not readable: it stays
};

/// The origin has durably dropped what this queue accepted from it. No answer.
struct ForgetArrival {
  QueueId queue;
  QueueId origin_queue;
  Sequence origin_sequence;
};

// ---- Loads: what the engine asked of the store, coming back.

struct FreshEntry {
  Sequence sequence;
  Instant sent{};
};

/// Answers LoadFresh: the undelayed messages of [from, next), in order; next = until once the range is exhausted.
struct FreshLoaded {
  QueueId queue;
  std::uint64_t epoch = 0;
  Sequence next;
  std::vector<FreshEntry> entries;
};

struct StateEntry {
  Sequence sequence;
  MessageState state;
};

/// Answers LoadStates: the records of [from, next), in order; no `next` once the end was reached.
struct StatesLoaded {
  QueueId queue;
  std::uint64_t epoch = 0;
  std::optional<Sequence> next;
  std::vector<StateEntry> entries;
};

/// Answers LoadStatesOf: those of the sequences asked for that have a record.
struct StatesOfLoaded {
  QueueId queue;
  std::uint64_t epoch = 0;
  std::vector<StateEntry> entries;
};

/// Answers LoadLane: the lane's entries from `from` on, in order; `next` = where to go on, nothing once the end was
/// reached.
struct LaneLoaded {
  QueueId queue;
  std::uint64_t epoch = 0;
  LaneId lane;
  std::optional<Sequence> next;
  std::vector<FreshEntry> entries;
};

/// Every command about a stream, which it names in `stream`.
using StreamCommand =
    std::variant<CreateStream, DeleteStream, DescribeStream, DescribeStreamSummary, ListStreams, FindStream,
                 DescribeLimits, DescribeAccount, UpdateAccount, TagStream, UntagStream, ListStreamTags,
                 PutStreamPolicy, GetStreamPolicy, DeleteStreamPolicy, UpdateRetention, UpdateEncryption,
                 UpdateMonitoring, UpdateStreamMode, UpdateWarmThroughput, UpdateMaxRecordSize, SplitShard, MergeShards,
                 UpdateShardCount, ListShards, PutRecords, GetShardIterator, GetRecords, RecordsRead, ReadShard,
                 CancelRead, RegisterConsumer, DeregisterConsumer, DescribeConsumer, ListConsumers, SubscribeToShard,
                 AwaitRecords, EndSubscription, CreateGroup, DescribeGroup, ListGroups, DeleteGroup, PollGroup,
                 CancelPoll, HeartbeatGroup, LeaveGroup, CommitGroup, TransactGroup, AcceptTransaction,
                 TransactionSettled, ResetGroup, DescribeLag>;

/// The stream that a command is about.
inline const StreamName& stream_of(const StreamCommand& command) {
  return std::visit([](const auto& asked) -> const StreamName& { return asked.stream; }, command);
}

using Command =
    std::variant<CreateQueue, LookupQueue, ListQueues, DeleteQueue, GetQueueAttributes, SetQueueAttributes,
                 CheckRedriveTarget, TagQueue, UntagQueue, ListQueueTags, EditPolicy, StartMessageMoveTask,
                 ListMessageMoveTasks, CancelMessageMoveTask, PeekMessages, PurgeQueue, SendMessages, ReceiveMessages,
                 DeleteMessages, ChangeVisibility, CancelReceive, ReturnUndelivered, AcceptTransfer, TransferSettled,
                 ForgetArrival, ImportMessages, FreshLoaded, StatesLoaded, StatesOfLoaded, LaneLoaded, StreamCommand>;

// ---- Results.

struct Done {};

struct QueueNames {
  std::vector<QueueName> queues;
};

struct QueueAttributes {
  StringMap attributes;
};

struct QueueTags {
  StringMap tags;
};

struct MoveTaskStarted {
  std::string task_id;  ///< UUID
};

struct MoveTaskCancelled {
  std::uint64_t moved = 0;
};

struct MoveTaskReport {
  std::string task_id;
  MoveTaskStatus status{};
  std::optional<QueueName> destination;
  int per_second = 0;  ///< 0 if none was asked for
  std::uint64_t moved = 0;
  std::uint64_t to_move = 0;
  std::string failure_reason;  ///< empty unless it failed
  Instant started{};
};

struct MoveTasks {
  std::vector<MoveTaskReport> tasks;
};

/// The destination of a transfer has it.
struct Accepted {
  QueueId queue;
};

struct Sent {
  std::string message_id;
  std::optional<std::string> sequence_number;  ///< FIFO queues only
};

struct SendResults {
  std::vector<std::variant<Sent, Error>> entries;
};

/// One message handed out. `message` is empty as the engine leaves it: the shell reads it from the store before the
/// reply is released, and leaves out a delivery whose message is gone by then (purged, say).
struct Delivery {
  /// What a look saw; what is received is visible until then.
  enum class Presence : std::uint8_t { visible, invisible, delayed };

  QueueId queue;
  Sequence sequence;
  std::string receipt_handle;
  std::uint32_t receive_count = 0;
  Instant first_received{};
  std::shared_ptr<const StoredMessage> message;
  bool repeated = false;  ///< by a ReceiveRequestAttemptId: its first answer may have arrived, so it is never put back
  Presence presence = Presence::visible;
  Instant visible_at{};  ///< what was received: when it may be received again
};

struct Deliveries {
  std::vector<Delivery> messages;
};

/// The same for a look: the receipt handles name nothing. At most Limits::peek_messages_max.
struct PeekedMessages {
  std::vector<Delivery> messages;
};

struct EntryResults {
  std::vector<std::optional<Error>> entries;  ///< nothing where the entry succeeded
};

using Result =
    std::variant<Error, Done, QueueNames, QueueAttributes, QueueTags, SendResults, Deliveries, PeekedMessages,
                 EntryResults, MoveTaskStarted, MoveTaskCancelled, MoveTasks, Accepted, StreamDescription,
                 StreamSummary, StreamList, StreamFound, StreamCounts, AccountDescription, StreamTags, StreamPolicy,
                 MonitoringChanged, WarmThroughput, ShardCountChanged, ShardList, RecordsPut, ShardPosition,
                 RecordsPage, ConsumerDescription, ConsumerList, Subscribed, SubscriptionOver, GroupDescription,
                 GroupList, GroupPolled, GroupCommitted, GroupTransacted, GroupReset, GroupLag>;

}  // namespace penstock
