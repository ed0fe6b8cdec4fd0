// Every limit has a name and stands here. The service's own numbers are constants; what an operator or a test may
// tighten is a value of type Limits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/time.hpp"

namespace penstock {

namespace sqs_limits {
inline constexpr std::size_t message_bytes_max = 1'048'576;  ///< also the cap of a batch's total
inline constexpr std::size_t message_bytes_min = 1'024;      ///< smallest MaximumMessageSize
inline constexpr std::size_t batch_entries_max = 10;
inline constexpr std::size_t batch_id_chars_max = 80;
inline constexpr std::size_t queue_name_chars_max = 80;
inline constexpr std::size_t message_attributes_max = 10;
inline constexpr std::size_t attribute_name_chars_max = 256;
inline constexpr int receive_messages_max = 10;
inline constexpr int wait_seconds_max = 20;
inline constexpr int delay_seconds_max = 900;
inline constexpr int visibility_seconds_max = 43'200;
inline constexpr int retention_seconds_min = 60;
inline constexpr int retention_seconds_max = 1'209'600;
inline constexpr int retention_seconds_default = 345'600;
inline constexpr int visibility_seconds_default = 30;
inline constexpr int list_results_max = 1'000;
inline constexpr std::size_t tags_max = 50;
inline constexpr std::size_t tag_key_chars_max = 128;
inline constexpr std::size_t tag_value_chars_max = 256;
inline constexpr std::size_t permission_actions_max = 7;
inline constexpr std::size_t permission_label_chars_max = 80;
inline constexpr std::size_t identifier_chars_max = 128;  ///< of MessageGroupId, MessageDeduplicationId, attempt ids
inline constexpr std::size_t data_type_chars_max = 256;   ///< of a message attribute, its custom label included
inline constexpr std::size_t number_digits_max = 38;      ///< significant ones of a Number attribute
inline constexpr int number_exponent_min = -128;          ///< of the power of ten of its first digit, unless it is 0
inline constexpr int number_exponent_max = 126;
inline constexpr int kms_reuse_seconds_min = 60;  ///< of KmsDataKeyReusePeriodSeconds
inline constexpr int kms_reuse_seconds_max = 86'400;
inline constexpr int receive_count_min = 1;  ///< of RedrivePolicy's maxReceiveCount
inline constexpr int receive_count_max = 1'000;
inline constexpr std::size_t redrive_source_queues_max = 10;  ///< of RedriveAllowPolicy's sourceQueueArns
inline constexpr int move_tasks_listed_max = 10;
inline constexpr int move_rate_max = 500;
inline constexpr std::size_t fifo_calls_per_second_max = 300;  ///< of each action, by FifoThroughputLimit (strict only)
inline constexpr Millis dedup_interval{300'000};               ///< of MessageDeduplicationId, from the first send
inline constexpr Millis attempt_interval{300'000};             ///< of ReceiveRequestAttemptId, from the receive
inline constexpr Millis purge_interval{60'000};
inline constexpr Millis recreate_interval{60'000};
}  // namespace sqs_limits

namespace kinesis_limits {
inline constexpr std::size_t put_records_max = 500;
inline constexpr std::size_t put_bytes_max = 10U << 20U;  ///< of one PutRecords, data and partition keys
inline constexpr std::size_t get_records_max = 10'000;    ///< of one GetRecords
inline constexpr std::size_t get_bytes_max = 10U << 20U;  ///< the same
/// Of one event of SubscribeToShard: even where every byte of the partition keys is escaped, it is less than the 16 MiB
/// that clients take. A record that is larger comes alone, as its data grows by a third only.
inline constexpr std::size_t event_bytes_max = 2U << 20U;
inline constexpr std::size_t list_shards_max = 1'000;  ///< of one page, and so on
inline constexpr std::size_t describe_shards_max = 100;
inline constexpr std::size_t list_streams_max = 100;
inline constexpr std::size_t list_consumers_max = 100;
inline constexpr std::uint32_t record_kib_min = 1'024;  ///< of MaxRecordSizeInKiB
inline constexpr std::uint32_t record_kib_max = 10'240;
inline constexpr std::uint32_t retention_hours_min = 24;
inline constexpr std::uint32_t retention_hours_max = 8'760;
inline constexpr std::size_t tags_max = 50;
inline constexpr std::size_t consumers_max = 20;          ///< registered with one stream
inline constexpr std::size_t consumers_creating_max = 5;  ///< of those, at a time (strict only)
inline constexpr std::size_t policy_bytes_max = 20'480;
inline constexpr std::int32_t stream_shards_max = 10'000;
inline constexpr std::int32_t account_shards_max = 20'000;  ///< the service's default quota of the large regions
inline constexpr std::int32_t on_demand_streams_max = 50;
inline constexpr std::int32_t on_demand_shards = 4;  ///< of a new stream on demand
inline constexpr std::uint32_t warm_mibps_max = 10'240;
inline constexpr std::size_t mode_changes_max = 2;    ///< in 24 hours (strict only)
inline constexpr std::size_t count_changes_max = 10;  ///< in 24 hours (strict only)
inline constexpr std::uint64_t shard_in_bytes_per_s = 1U << 20U;
inline constexpr std::uint64_t shard_in_records_per_s = 1'000;
inline constexpr std::uint64_t shard_out_bytes_per_s = 2U << 20U;
inline constexpr std::uint64_t shard_reads_per_s = 5;
inline constexpr Millis day{86'400'000};
inline constexpr Millis iterator_life{300'000};
inline constexpr Millis token_life{300'000};  ///< of a NextToken
inline constexpr Millis subscription_life{300'000};
inline constexpr Millis heartbeat_interval{4'500};  ///< of a subscription: the service promises 5 s
inline constexpr Millis takeover_interval{5'000};   ///< before it, a second SubscribeToShard is refused
}  // namespace kinesis_limits

/// Of consumers with positions, which the service does not have: these are ours.
namespace group_limits {
inline constexpr std::size_t name_chars_max = 128;  ///< of a consumer, a member and an IdempotencyKey
inline constexpr Millis lease_min{100};
inline constexpr Millis lease_max{3'600'000};
inline constexpr Millis lease_default{10'000};
inline constexpr Millis wait_max{20'000};
inline constexpr std::size_t poll_records_default = 1'000;
inline constexpr std::size_t poll_records_max = 10'000;
inline constexpr std::size_t poll_bytes_max = 10U << 20U;
inline constexpr std::size_t poll_shards_max = 100;  ///< that one poll's answer has records of
inline constexpr std::size_t positions_max = 1'000;  ///< of one commit or transaction
inline constexpr std::size_t transact_records_max = 500;
inline constexpr std::size_t metadata_bytes_max = 1'024;
inline constexpr std::size_t list_max = 1'000;  ///< consumers or shards of one page
inline constexpr Millis key_life{300'000};      ///< of an IdempotencyKey
inline constexpr std::size_t keys_max = 1'000;  ///< of one consumer, the oldest are forgotten
}  // namespace group_limits

/// What the engine enforces and how much it keeps in memory, per queue unless stated. The defaults are the
/// service's; the simulation shrinks them so that every edge is met.
struct Limits {
  /// The 60 s rules of PurgeQueue and DeleteQueue, FifoThroughputLimit; what a shard takes in and gives out, and the
  /// quotas of shards and streams.
  bool strict = false;
  bool tells_events = false;                 ///< what becomes of messages, in Effects::events
  std::size_t in_flight_max = 120'000;       ///< beyond it a short poll answers OverLimit, a long one waits
  std::size_t fresh_window_max = 4'096;      ///< never-received messages known in memory; the rest stay on disk
  std::size_t fresh_load_count_max = 1'024;  ///< entries of one load of the window
  std::size_t fresh_load_bytes_max = 4U << 20U;
  std::size_t resident_idle_max = 65'536;     ///< delayed and returned messages in memory; the rest stay on disk
  std::size_t state_load_count_max = 1'024;   ///< state records looked at by one load
  std::size_t expire_batch_max = 1'000;       ///< messages that retention drops in one step
  Millis lease_unwritten_max{100};            ///< after which a lease that ends with the server is written
  std::size_t leases_unwritten_max = 65'536;  ///< of those, in memory only
  std::size_t lease_write_batch_max = 1'000;  ///< of those, written in one step
  std::size_t parked_receives_max = 10'000;   ///< long polls waiting at one queue; one more is throttled
  std::size_t fifo_window_max = 120'000;      ///< messages of a FIFO queue in memory, and looked at for a receive
  std::size_t dedup_entries_max = 8'000'000;  ///< sends remembered by one FIFO queue; one more is throttled
  std::size_t lanes_max = 65'536;             ///< groups of a standard queue told apart; those beyond share the queue
  std::size_t lane_window_max = 128;          ///< never-received messages of one lane known in memory
  std::size_t lane_recovered_max = 10;        ///< of those that a start finds: what one receive may take
  std::size_t lane_windows_total_max = 262'144;  ///< and of all lanes of a queue together
  std::size_t transfers_max = 256;               ///< messages of one queue on their way to another at a time
  std::size_t move_tasks_kept_max = 10;          ///< of one queue, the oldest are forgotten
  std::size_t peek_messages_max = 1'000;

  // Of streams.
  Millis stream_transition{100};                 ///< how long CREATING, UPDATING and DELETING last; 0 is not at all
  std::uint64_t segment_bytes_max = 64U << 20U;  ///< records that retention drops together
  std::uint64_t segment_records_max = 1U << 20U;
  Millis segment_time_max{3'600'000};      ///< by which what is dropped together may have arrived apart
  std::size_t trim_batch_max = 64;         ///< segments that one step drops
  std::size_t subscriptions_max = 10'000;  ///< of one stream; one more is throttled
  std::size_t groups_max = 100'000;        ///< consumers with positions of one stream
  std::size_t group_members_max = 1'000;   ///< of one of them
};

}  // namespace penstock
