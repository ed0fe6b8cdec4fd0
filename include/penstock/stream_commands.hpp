// What can be asked of streams, and what is answered. Each command names its stream in `stream`; where the stream's
// name is empty, the account in its region is meant. Errors are the service's own: every command on a stream may answer
// KinesisResourceNotFound, and every one that changes it KinesisResourceInUse while it is not ACTIVE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/errors.hpp"
#include "penstock/groups.hpp"
#include "penstock/stream_names.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock {

// ---- The catalog.

/// Answer: Done. Errors: KinesisResourceInUse if it exists, KinesisInvalidArgument, KinesisLimitExceeded.
struct CreateStream {
  StreamName stream;
  std::optional<std::int32_t> shard_count;  ///< required of a provisioned stream, refused of one on demand
  bool on_demand = false;
  std::map<std::string, std::string> tags;
  std::optional<std::uint32_t> warm_mibps;
  std::optional<std::uint32_t> record_kib_max;
};

/// Answer: Done. Errors: KinesisResourceInUse if it has consumers and they are not to be deleted with it.
struct DeleteStream {
  StreamName stream;
  bool with_consumers = false;  ///< EnforceConsumerDeletion
  bool at_once = false;         ///< it is gone with the answer, rather than DELETING for a while
};

/// Answer: StreamDescription, with the shards after `after_shard_id`, at most `limit`.
struct DescribeStream {
  StreamName stream;
  std::string after_shard_id;  ///< ExclusiveStartShardId; empty for the first
  std::size_t limit = 100;
};

/// Answer: StreamSummary.
struct DescribeStreamSummary {
  StreamName stream;
};

/// Asked of every shard of the server. Answer: StreamList, sorted by name, of those after `after`; at most `limit`.
struct ListStreams {
  StreamName stream;  ///< account and region
  std::string after;
  std::size_t limit = 100;
};

/// Asked of every shard of the server: which stream has that id. Answer: StreamFound.
struct FindStream {
  StreamName stream;  ///< account and region
  StreamId id;
};

/// Asked of every shard of the server. Answer: StreamCounts, added up.
struct DescribeLimits {
  StreamName stream;  ///< account and region
};

/// Answer: AccountDescription.
struct DescribeAccount {
  StreamName stream;  ///< account and region
};
/// Answer: AccountDescription.
struct UpdateAccount {
  StreamName stream;  ///< account and region
  bool commitment_enabled = false;
};

// ---- Tags and policies, of the stream or of one of its consumers.

/// Answer: Done. Errors: KinesisInvalidArgument or KinesisLimitExceeded beyond 50 tags.
struct TagStream {
  StreamName stream;
  std::optional<ConsumerRef> consumer;
  std::map<std::string, std::string> tags;
};
/// Answer: Done.
struct UntagStream {
  StreamName stream;
  std::optional<ConsumerRef> consumer;
  std::vector<std::string> keys;
};
/// Answer: StreamTags: those after `after`, at most `limit`.
struct ListStreamTags {
  StreamName stream;
  std::optional<ConsumerRef> consumer;
  std::string after;
  std::size_t limit = 200;
};
/// Answer: Done. The policy was found to be JSON before.
struct PutStreamPolicy {
  StreamName stream;
  std::optional<ConsumerRef> consumer;
  std::string policy;
};
/// Answer: StreamPolicy, empty if there is none.
struct GetStreamPolicy {
  StreamName stream;
  std::optional<ConsumerRef> consumer;
};
/// Answer: Done. Errors: KinesisResourceNotFound if there is none.
struct DeleteStreamPolicy {
  StreamName stream;
  std::optional<ConsumerRef> consumer;
};

// ---- Settings. Each makes the stream UPDATING for a moment, unless it says otherwise; what it changes holds at once.

/// Answer: Done. Errors: KinesisInvalidArgument out of 24 to 8760, or in the wrong direction.
struct UpdateRetention {
  StreamName stream;
  std::int32_t hours = 0;
  bool increase = true;  ///< IncreaseStreamRetentionPeriod or DecreaseStreamRetentionPeriod
};
/// Answer: Done.
struct UpdateEncryption {
  StreamName stream;
  bool start = true;  ///< StartStreamEncryption or StopStreamEncryption
  std::string key_id;
};
/// Does not make it UPDATING. Answer: MonitoringChanged.
struct UpdateMonitoring {
  StreamName stream;
  std::vector<std::string> metrics;  ///< as they were given; ALL stands for every one
  bool enable = true;
};
/// Answer: Done. Errors: KinesisLimitExceeded more than twice in 24 hours (strict).
struct UpdateStreamMode {
  StreamName stream;
  bool on_demand = false;
  std::optional<std::uint32_t> warm_mibps;
};
/// Answer: WarmThroughput. Errors: KinesisValidation of a provisioned stream.
struct UpdateWarmThroughput {
  StreamName stream;
  std::uint32_t mibps = 0;
};
/// Answer: Done.
struct UpdateMaxRecordSize {
  StreamName stream;
  std::uint32_t record_kib_max = 0;
};

// ---- Shards.

/// Answer: Done. Errors: KinesisInvalidArgument, KinesisLimitExceeded.
struct SplitShard {
  StreamName stream;
  std::string shard_id;
  std::string new_starting_hash_key;  ///< as it was given
};
/// Answer: Done. Errors: KinesisInvalidArgument.
struct MergeShards {
  StreamName stream;
  std::string shard_id;
  std::string adjacent_shard_id;
};
/// By splits, then merges. Answer: ShardCountChanged. Errors: KinesisInvalidArgument, KinesisLimitExceeded beyond
/// double or below half, KinesisValidation of a stream on demand.
struct UpdateShardCount {
  StreamName stream;
  std::int32_t target = 0;
};

struct ShardFilter {
  enum class Type : std::uint8_t {
    after_shard_id,
    at_trim_horizon,
    from_trim_horizon,
    at_latest,
    at_timestamp,
    from_timestamp
  };
  Type type{};
  std::string shard_id;              ///< after_shard_id
  std::optional<Instant> timestamp;  ///< at_timestamp, from_timestamp
};

/// Answer: ShardList: those after `after_shard_id` that the filter lets through, at most `limit`.
struct ListShards {
  StreamName stream;
  std::optional<StreamId> id;  ///< a next token's: of another incarnation it is expired
  std::optional<ShardFilter> filter;
  std::string after_shard_id;  ///< ExclusiveStartShardId, or where a next token goes on; empty for the first
  std::size_t limit = 1'000;
  std::optional<Instant> created;  ///< StreamCreationTimestamp: another incarnation is not found
};

// ---- Records.

struct PutEntry {
  std::string partition_key;
  std::string data;
  HashKey hash;  ///< MD5 of the partition key, or the ExplicitHashKey
};

/// Answer: RecordsPut. Errors of the whole: KinesisInvalidArgument, KinesisValidation (a record too large).
struct PutRecords {
  StreamName stream;
  std::vector<PutEntry> entries;
  std::string ordering;  ///< SequenceNumberForOrdering: what is put comes after it; empty if there is none
  bool single = false;   ///< PutRecord: what goes wrong with its only entry is the call's error
};

struct StartingPosition {
  IteratorType type{};
  std::optional<std::string> sequence_number;  ///< as it was given
  std::optional<Instant> timestamp;
};

/// Answer: ShardPosition. Errors: KinesisInvalidArgument; of a reader also KinesisThroughputExceeded while another
/// member holds the shard.
struct GetShardIterator {
  StreamName stream;
  std::string shard_id;
  StartingPosition start;
  std::optional<GroupReader> reader{};  ///< then TRIM_HORIZON and LATEST mean where its group was, if it was
};

/// Answer: RecordsPage, whose records the shell reads. Errors: KinesisThroughputExceeded (strict);
/// KinesisExpiredIterator where the lease under which it reads has been taken over.
struct GetRecords {
  StreamName stream;
  StreamId id;
  ShardIndex shard;
  RecordIndex from;
  Instant not_before{};  ///< records that arrived earlier are passed over
  std::size_t count_max = 0;
  std::optional<GroupHold> hold{};  ///< of a reader: commits what is before `from`, if `hold` says so
};

/// How much a GetRecords took out of its shard, for the limits. No answer.
struct RecordsRead {
  StreamName stream;
  StreamId id;
  ShardIndex shard;
  std::size_t bytes = 0;
};

/// Reads on in a shard, for readers inside the server, to which no limits of throughput apply. Waits until the shard
/// has records from `from` on or is closed. Answer: RecordsPage, without records if the server stops, or the consumer
/// is deregistered by which it is read. Errors: KinesisResourceNotFound (the stream, this incarnation of it, or the
/// shard is gone), KinesisThroughputExceeded (too many wait).
struct ReadShard {
  StreamName stream;
  StreamId id;
  ShardIndex shard;
  RecordIndex from;
  Instant not_before{};  ///< records that arrived earlier are passed over
  std::size_t count_max = 0;
  std::size_t bytes_max = 0;
  std::string consumer{};  ///< the name of the registered one by which it is read; empty if there is none
};
/// Whoever asked to read wants to wait no more: there is no answer. Harmless if there was one already.
struct CancelRead {
  StreamName stream;
  ShardIndex shard;
  CallId read;
};

// ---- Enhanced fan-out.

/// Does not make the stream UPDATING. Answer: ConsumerDescription.
struct RegisterConsumer {
  StreamName stream;
  std::string name;
  std::map<std::string, std::string> tags;
};
/// By ARN or by name. Answer: Done.
struct DeregisterConsumer {
  StreamName stream;
  std::string name;
  std::optional<std::int64_t> created_s;
};
/// By ARN or by name. Answer: ConsumerDescription.
struct DescribeConsumer {
  StreamName stream;
  std::string name;
  std::optional<std::int64_t> created_s;
};
/// Answer: ConsumerList: those after `after`, at most `limit`.
struct ListConsumers {
  StreamName stream;
  std::optional<StreamId> id;  ///< a next token's: of another incarnation it is expired
  std::string after;
  std::size_t limit = 100;
  std::optional<Instant> created;  ///< StreamCreationTimestamp: another incarnation is not found
};

/// Names one subscription within its stream; never used again.
struct SubscriptionId {
  std::uint64_t value = 0;
  friend auto operator<=>(const SubscriptionId&, const SubscriptionId&) = default;
};

/// Begins a subscription, which ends another of the same consumer and shard. Answer: Subscribed. Errors:
/// KinesisResourceInUse within 5 s of the one before.
struct SubscribeToShard {
  StreamName stream;
  ConsumerRef consumer;
  std::string shard_id;
  StartingPosition start;
};

/// Waits until the shard of a subscription has records from `from` on, until the next heartbeat, or until it is over.
/// One at a time for each subscription. Answer: RecordsPage or SubscriptionOver.
struct AwaitRecords {
  StreamName stream;
  StreamId id;
  SubscriptionId subscription;
  RecordIndex from;
};
/// The subscription's client has gone: its AwaitRecords, if one is open, is answered with SubscriptionOver.
struct EndSubscription {
  StreamName stream;
  StreamId id;
  SubscriptionId subscription;
};

// ---- Results.

struct StreamDescription {
  StreamInfo info;
  std::vector<ShardRecord> shards;
  bool more = false;
};

struct StreamSummary {
  StreamInfo info;
  std::size_t open_shards = 0;
};

struct ListedStream {
  StreamName name;
  StreamStatus status{};
  Instant created{};
  bool on_demand = false;
};
struct StreamList {
  std::vector<ListedStream> streams;
  bool more = false;
};

struct StreamFound {
  std::optional<StreamName> name;
};

struct StreamCounts {
  std::size_t open_shards = 0;
  std::size_t on_demand_streams = 0;
};

struct AccountDescription {
  StreamAccount account;
  Instant now{};  ///< by which a commitment that ends on its own has ended or not
};

struct StreamTags {
  std::map<std::string, std::string> tags;
  bool more = false;
};

struct StreamPolicy {
  std::string policy;
};

struct MonitoringChanged {
  StreamName stream;
  std::vector<std::string> before;
  std::vector<std::string> after;
};

struct WarmThroughput {
  StreamName stream;
  std::uint32_t target_mibps = 0;
  std::uint32_t current_mibps = 0;
};

struct ShardCountChanged {
  StreamName stream;
  std::int32_t current = 0;
  std::int32_t target = 0;
};

struct ShardList {
  StreamId id;
  std::vector<ShardRecord> shards;
  bool more = false;
};

struct RecordsPut {
  std::vector<std::variant<RecordPut, Error>> entries;
  bool encrypted = false;
};

/// Where a ShardIterator points.
struct ShardPosition {
  StreamId id;
  ShardIndex shard;
  RecordIndex from;
  Instant not_before{};
  std::optional<GroupHold> hold{};  ///< of a reader
};

/// One record as it is read; the views of a page's records lie in its buffer.
struct ReadRecord {
  RecordIndex index;
  StreamRecord record;
};

/// A range of a shard's records. The engine says which; the shell reads them from the store, at most `count_max` and
/// about `bytes_max`, before the answer is worded.
struct RecordsPage {
  StreamName stream;
  StreamId id;
  ShardIndex shard;
  std::int64_t created_s = 0;  ///< of the shard, for sequence numbers
  RecordIndex from;            ///< no older than what is kept
  RecordIndex until;           ///< the shard's tail, when it was asked for
  Instant not_before{};        ///< records that arrived earlier have expired or are not wanted, and are passed over
  std::size_t count_max = 0;
  std::size_t bytes_max = 0;  ///< of data and partition keys; the first record comes whatever its size
  Instant now{};
  bool closed = false;
  std::vector<ShardRecord> children;  ///< of a closed shard: never empty
  std::optional<GroupHold> hold{};    ///< of a reader

  // Filled in by the shell.
  std::vector<ReadRecord> records;
  RecordIndex next;  ///< where to go on: `until` if there is no more
  std::size_t bytes = 0;
  Millis behind{0};  ///< MillisBehindLatest

  /// Whether it ends a shard that gets no more records.
  bool ends_shard() const { return closed && next >= until; }
};

struct ConsumerDescription {
  StreamName stream;
  StreamConsumer consumer;
};

struct ConsumerList {
  StreamId id;
  StreamName stream;
  std::vector<StreamConsumer> consumers;
  bool more = false;
};

struct Subscribed {
  StreamId id;
  SubscriptionId subscription;
  RecordIndex from;
};

/// A subscription ends: with an error, which the client is told; without one after five minutes, or when the server
/// stops.
struct SubscriptionOver {
  std::optional<Error> error;
};

}  // namespace penstock
