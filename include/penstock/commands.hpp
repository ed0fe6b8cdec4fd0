// What the engine can be asked, and what it answers: plain values, the same from the wire, a test or the simulation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/errors.hpp"
#include "penstock/ids.hpp"
#include "penstock/message.hpp"
#include "penstock/time.hpp"

namespace penstock {

using StringMap = std::map<std::string, std::string>;

// ---- Requests. Each names the result it is answered with; every one may be answered with Error instead.

/// Answer: Done, also when it exists with the same attributes. Errors: QueueNameExists, QueueDeletedRecently,
/// InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue, UnsupportedOperation.
struct CreateQueue {
  QueueName queue;
  StringMap attributes;
  StringMap tags;
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
};

/// Answer: Done. Errors: QueueDoesNotExist.
struct DeleteQueue {
  QueueName queue;
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
};

/// A single send is a batch of one. Answer: SendResults, one per entry in order. Errors (whole request):
/// QueueDoesNotExist. Errors of an entry: InvalidParameterValue (size, delay, parameters of another queue type).
struct SendMessages {
  QueueName queue;
  std::vector<OutgoingMessage> messages;
  bool batch = false;  ///< true for SendMessageBatch, whose per-entry wording differs
};

/// Ranges were checked by the protocol. Answer: Deliveries, at once or when one arrives or the wait ends.
/// Errors: QueueDoesNotExist, OverLimit (short poll at the in-flight limit), RequestThrottled (too many parked).
struct ReceiveMessages {
  QueueName queue;
  int max_messages = 1;
  std::optional<int> visibility_seconds;  ///< the queue's VisibilityTimeout if absent
  std::optional<int> wait_seconds;        ///< the queue's ReceiveMessageWaitTimeSeconds if absent
  std::string attempt_id;                 ///< ReceiveRequestAttemptId, FIFO queues only
};

/// Answer: EntryResults, one per handle in order. Errors (whole request): QueueDoesNotExist. Errors of an entry:
/// ReceiptHandleIsInvalid.
struct DeleteMessages {
  QueueName queue;
  std::vector<std::string> receipt_handles;
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

using Command = std::variant<CreateQueue, LookupQueue, ListQueues, DeleteQueue, GetQueueAttributes, SetQueueAttributes,
                             PurgeQueue, SendMessages, ReceiveMessages, DeleteMessages, ChangeVisibility, CancelReceive,
                             ReturnUndelivered, FreshLoaded, StatesLoaded, StatesOfLoaded>;

// ---- Results.

struct Done {};

struct QueueNames {
  std::vector<QueueName> queues;
};

struct QueueAttributes {
  StringMap attributes;
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
  QueueId queue;
  Sequence sequence;
  std::string receipt_handle;
  std::uint32_t receive_count = 0;
  Instant first_received{};
  std::shared_ptr<const StoredMessage> message;
};

struct Deliveries {
  std::vector<Delivery> messages;
};

struct EntryResults {
  std::vector<std::optional<Error>> entries;  ///< nothing where the entry succeeded
};

using Result = std::variant<Error, Done, QueueNames, QueueAttributes, SendResults, Deliveries, EntryResults>;

}  // namespace penstock
