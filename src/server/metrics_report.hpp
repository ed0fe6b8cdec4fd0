// What a scrape has gathered, and how it is told: the names, the labels and the words of all metrics.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "penstock/survey.hpp"
#include "server/process_facts.hpp"
#include "server/read_tally.hpp"
#include "server/request_tally.hpp"
#include "server/trigger_survey.hpp"
#include "storage/committer.hpp"
#include "storage/rocksdb_store.hpp"

namespace penstock::server {

namespace metrics_limits {
inline constexpr std::size_t steps_per_turn = 256;  ///< objects that a thread looks at before it sees to others again
inline constexpr std::size_t objects_max = 2'000;   ///< of each kind, that are told one by one
inline constexpr std::size_t lags_max = 10'000;     ///< records that are read to see how old they are
inline constexpr std::size_t scrapes_max = 8;       ///< at a time, those that wait included
inline constexpr std::chrono::seconds scrape_time_max{5};
}  // namespace metrics_limits

/// Kinds of objects, in the order of their names below.
enum class ObjectKind : std::uint8_t { queue, stream, consumer, function, mapping };
inline constexpr std::array<std::string_view, 5> object_kind_names{"queue", "stream", "consumer", "function",
                                                                   "mapping"};

/// Of all queues together; and so on.
struct QueueSums {
  std::uint64_t count = 0;
  std::uint64_t visible = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t delayed = 0;
  std::uint64_t parked = 0;
  std::optional<Instant> oldest;
};
struct StreamSums {
  std::uint64_t count = 0;
  std::uint64_t open_shards = 0;
  std::uint64_t records_stored = 0;
  std::uint64_t bytes_stored = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t parked = 0;
};
struct ConsumerSums {
  std::uint64_t count = 0;
  std::uint64_t records_behind = 0;
  std::uint64_t members = 0;
  std::uint64_t parked = 0;
};

/// Where records begin that somebody has not processed.
using BacklogKey = std::tuple<StreamId, ShardIndex, RecordIndex, Instant>;
inline BacklogKey key_of(StreamId stream, const Backlog& backlog) {
  return {stream, backlog.shard, backlog.from, backlog.not_before};
}
struct BacklogStart {
  RecordIndex until;
  std::optional<Instant> arrived;  ///< when the first of them came, once that has been looked up
};

struct ClockFacts {
  Instant now{};
  bool is_virtual = false;
  bool frozen = false;
  std::int64_t speed = 1;
};

/// One scrape's.
class Gathered {
 public:
  explicit Gathered(bool per_object) : per_object_(per_object) {}

  bool per_object() const { return per_object_; }

  void take(Survey survey);
  void take(TriggerSurvey survey);

  // What is only ever read of all together.
  EngineTally engines;
  ReadCount reads;
  RequestTally requests;
  std::uint64_t connections = 0;
  std::uint64_t functions_registered = 0;
  FunctionTally functions_all;
  TriggerTally triggers;

  QueueSums queue_sums;
  StreamSums stream_sums;
  ConsumerSums consumer_sums;
  std::uint64_t mappings = 0;
  std::map<BacklogKey, BacklogStart> backlogs;
  std::uint64_t backlogs_left_out = 0;

  // One by one, if they are told so; sorted by nothing.
  std::vector<QueueView> queues;
  std::vector<StreamView> streams;
  std::vector<ConsumerView> consumers;
  std::vector<FunctionView> functions;
  std::vector<MappingView> mapping_views;
  std::array<std::uint64_t, object_kind_names.size()> left_out{};

  // Looked up last.
  ClockFacts clock;
  ReadCounts reads_by_stream;
  storage::CommitTally commits;
  std::optional<storage::RocksDbFacts> rocksdb;
  std::optional<ProcessFacts> process;
  std::chrono::duration<double> took{};

 private:
  template <class View>
  void keep(ObjectKind kind, std::vector<View>& kept, View view);

  const bool per_object_;
};

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// The text of all families.
std::string report(const Gathered& gathered);

}  // namespace penstock::server
