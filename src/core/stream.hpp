// One stream: its record, its shards, and those who read at their tails. Changes hold at once; what the service does in
// the background afterwards is a status that passes by the clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/deadline_heap.hpp"
#include "core/groups.hpp"
#include "core/shard_context.hpp"
#include "core/shards.hpp"
#include "penstock/records.hpp"
#include "penstock/stream_commands.hpp"

namespace penstock::core {

/// One SubscribeToShard.
struct Subscription {
  SubscriptionId id;
  std::string consumer;
  ShardIndex shard;
  Instant started{};
  Instant not_before{};                    ///< of AT_TIMESTAMP
  Instant answered{};                      ///< when it last got a page, from which the next heartbeat counts
  std::optional<CallId> waits;             ///< the AwaitRecords that is open
  RecordIndex from;                        ///< of that one
  std::optional<SubscriptionOver> over{};  ///< it has ended; whoever asks next is told
  DeadlineHeap::Handle deadline = DeadlineHeap::none;
};

class Stream {
 public:
  /// A new one. `open_limit` is how many shards more the account may have.
  Stream(ShardContext& context, StreamInfo info, std::size_t shard_count);
  /// As a start finds it.
  Stream(ShardContext& context, RecoveredStream recovered);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  const StreamInfo& info() const { return info_; }
  StreamId id() const { return info_.id; }
  std::size_t open_shards() const { return shards_.open_count(); }
  /// A stream that is being deleted has no records any more, and passes when its status does.
  bool is_deleting() const { return info_.status == StreamStatus::deleting; }
  /// Whether `due` has found that it is to be forgotten.
  bool is_gone() const { return gone_; }

  /// Drops everything but the name, which stays DELETING for a moment. Subscriptions end.
  void erase(Instant now);
  /// Is gone at once rather than when DELETING has passed. REQUIRES: erased.
  void end_deletion();
  /// Ends every subscription, without an error.
  void release_parked();
  void name_busy(BusyList& busy) const { groups_.name_busy(busy); }
  /// As an operator sees it.
  StreamView view() const;
  /// How many shards it has, also closed ones.
  std::size_t shard_count() const { return shards_.all().size(); }
  const Groups& groups() const { return groups_; }
  /// Adds what has to be written about the shards that commands have touched.
  void flush();
  void due(const Due& due, Instant now);
  /// The moment, no earlier than `when`, at which a client could see what comes of a deadline of then; or nothing.
  std::optional<Instant> observable_from(const Due& due, Instant when) const;
  /// Whether the deadline is the end of a poll by a consumer's member.
  bool is_poll_end(const Due& due) const { return due.kind == Due::Kind::group_member && groups_.is_poll_end(due); }
  /// Of a deadline that is the end of such a member's lease: when its poll ended, if time has ended that and it has not
  /// polled since.
  std::optional<Instant> awaited_since(const Due& due) const {
    return due.kind == Due::Kind::group_member ? groups_.awaited_since(due) : std::nullopt;
  }

  // Each answers its call. `others` is how many open shards the account has in other streams.
  void handle(CallId call, const DescribeStream& command, Instant now);
  void handle(CallId call, const DescribeStreamSummary& command, Instant now);
  void handle(CallId call, const TagStream& command, Instant now);
  void handle(CallId call, const UntagStream& command, Instant now);
  void handle(CallId call, const ListStreamTags& command, Instant now);
  void handle(CallId call, const PutStreamPolicy& command, Instant now);
  void handle(CallId call, const GetStreamPolicy& command, Instant now);
  void handle(CallId call, const DeleteStreamPolicy& command, Instant now);
  void handle(CallId call, const UpdateRetention& command, Instant now);
  void handle(CallId call, const UpdateEncryption& command, Instant now);
  void handle(CallId call, const UpdateMonitoring& command, Instant now);
  void handle(CallId call, const UpdateStreamMode& command, Instant now);
  void handle(CallId call, const UpdateWarmThroughput& command, Instant now);
  void handle(CallId call, const UpdateMaxRecordSize& command, Instant now);
  void split(CallId call, const SplitShard& command, std::size_t others, Instant now);
  void handle(CallId call, const MergeShards& command, Instant now);
  void update_count(CallId call, const UpdateShardCount& command, std::size_t others, Instant now);
  void handle(CallId call, const ListShards& command, Instant now);
  void handle(CallId call, PutRecords& command, Instant now);
  void handle(CallId call, const GetShardIterator& command, Instant now);
  void handle(CallId call, const GetRecords& command, Instant now);
  void handle(CallId call, const RecordsRead& command, Instant now);
  void handle(CallId call, const ReadShard& command, Instant now);
  void handle(CallId call, const CancelRead& command, Instant now);
  void handle(CallId call, const RegisterConsumer& command, Instant now);
  void handle(CallId call, const DeregisterConsumer& command, Instant now);
  void handle(CallId call, const DescribeConsumer& command, Instant now);
  void handle(CallId call, const ListConsumers& command, Instant now);
  void handle(CallId call, const SubscribeToShard& command, Instant now);
  void handle(CallId call, const AwaitRecords& command, Instant now);
  void handle(CallId call, const EndSubscription& command, Instant now);
  void handle(CallId call, AcceptTransaction& command, Instant now);
  /// What is asked of its consumers with positions.
  template <class Command>
  requires requires(Groups& groups, CallId call, Command& command) { groups.handle(call, command); }
  void handle(CallId call, Command& command, Instant) {
    if (is_deleting() && !std::is_same_v<Command, TransactionSettled>) return refuse_deleted(call);
    groups_.handle(call, command);
  }

  // For its groups.
  using Position = std::variant<ShardPosition, Error>;
  /// Where to begin reading a shard, or why not: worded for `operation`.
  Position position_of(StreamShard& shard, const StartingPosition& start, std::string_view operation, Instant now);
  /// The records of a shard from `from` on, to be read by the shell.
  RecordsPage page_of(const StreamShard& shard, RecordIndex from, Instant now) const;

 private:
  // The latest subscription of each consumer to each shard, and when it began; older ones than the takeover interval
  // are forgotten when they have ended.
  struct Latest {
    SubscriptionId id;
    Instant started{};
  };
  static constexpr std::size_t latest_kept_min = 64;

  // Statuses and consumers (stream.cpp).
  bool is_ready() const { return info_.status == StreamStatus::active || info_.status == StreamStatus::updating; }
  bool refuse_unless_active(CallId call);
  bool refuse_unless_ready(CallId call);
  void refuse_deleted(CallId call);
  void begin(StreamStatus status, Instant now);
  void save();
  void update(CallId call, Instant now, Result result = Done{});
  void status_due(Instant now);
  void consumers_due(Instant now);
  bool is_created_at(std::optional<Instant> at) const;
  void arm_consumers();
  StreamConsumer* find_consumer(std::string_view name, std::optional<std::int64_t> created_s = std::nullopt);
  /// REQUIRES: the consumer is registered.
  std::string arn_of_resource(const std::optional<ConsumerRef>& consumer);
  template <class Work>
  void with_consumer(CallId call, const std::optional<ConsumerRef>& consumer, const Work& work);

  // Shards and retention (stream_shards.cpp).
  Instant horizon(Instant now) const;
  Millis retention() const { return std::chrono::hours{info_.retention_hours}; }
  StreamShard* find_shard(std::string_view shard_id);
  void reshaped();
  bool passes(const ShardFilter& filter, const StreamShard& shard, Instant now) const;
  void touch(StreamShard& shard);
  std::optional<Instant> expiry_of(const StreamShard& shard) const;
  std::optional<Instant> expiry_seen(ShardIndex index, Instant when) const;
  void arm_trim(StreamShard& shard);
  void trim(ShardIndex index, Instant now);
  void drop_first_segment(StreamShard& shard);

  // Records and their readers (stream_records.cpp).
  std::optional<Error> objection_to(const PutRecords& command) const;
  std::optional<Error> objection_to_ordering(const PutRecords& command) const;
  bool take_in(StreamShard& shard, const PutEntry& entry, Instant now);
  const StreamShard* shard_without_room(const PutRecords& command, Instant now);
  RecordPut append(StreamShard& shard, PutEntry& entry, Instant now);
  void arrived(const std::vector<std::pair<StreamShard*, std::size_t>>& put, Instant now);
  void count_put(std::uint64_t records, std::uint64_t bytes);
  PutStreamRecords& records_for(StreamShard& shard);
  void close_segment(StreamShard& shard);
  Position position_at(StreamShard& shard, const StartingPosition& start, std::string_view operation);

  // Subscriptions (stream_subscriptions.cpp).
  void wake(StreamShard& shard, Instant now);
  RecordsPage page_for(const StreamShard& shard, const ParkedRead& read, Instant now) const;
  void end_reads(const std::optional<Error>& error);
  void answer(Subscription& subscription, const StreamShard& shard, Instant now);
  void end(Subscription& subscription, SubscriptionOver over);
  void end_all(const std::optional<Error>& error);
  void end_of_consumer(const std::string& consumer);
  void forget(Subscription& subscription);
  void stop_waiting(Subscription& subscription);
  bool holds_off(const Latest& latest) const;
  void prune_latest();
  void subscription_due(SubscriptionId id, Instant now);

  ShardContext& context_;
  StreamTally tally_;
  StreamInfo info_;
  Shards shards_;
  std::vector<StreamShard*> touched_;
  std::vector<std::pair<StreamShard*, std::size_t>>
      putting_;  // where in the effects a command's records of a shard are
  DeadlineHeap::Handle status_deadline_ = DeadlineHeap::none;
  DeadlineHeap::Handle consumer_deadline_ = DeadlineHeap::none;
  std::unordered_map<std::uint64_t, std::unique_ptr<Subscription>> subscriptions_;
  std::map<std::pair<std::string, ShardIndex>, Latest> latest_;
  std::size_t latest_kept_ = latest_kept_min;
  std::uint64_t next_subscription_ = 1;
  Groups groups_;  ///< which refer to the shards
  bool gone_ = false;
};

}  // namespace penstock::core
