// A mapping of a stream: which shards it reads, in the order of their lineage, and how far it is in each.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/triggers/mapping.hpp"
#include "core/triggers/shard_worker.hpp"
#include "core/triggers/stream_lineage.hpp"

namespace penstock::core {

// Shards are listed at the start, and whenever one is finished or not found: between those, the shards that come to be
// are descendants of ones that are being read.
class StreamMapping final : public Mapping, public ShardOwner {
 public:
  StreamMapping(TriggerContext& context, MappingOwner& owner, MappingRecord record,
                std::vector<ShardCheckpoint> checkpoints);
  ~StreamMapping() override;

  // Mapping.
  void start() override;
  void stop() override;
  void function_changed() override;
  std::string busy() const override;
  void answered(Answered answer) override;
  void invocation_over(InvocationOver) override {}
  void due(std::uint64_t tag) override;
  void slot_freed() override {}

  // ShardOwner.
  const std::shared_ptr<const MappingRecord>& mapping() const override { return shared_record(); }
  const StreamName& stream() const override { return std::get<StreamName>(record().source); }
  std::optional<Millis> retention() const override { return retention_; }
  void moved(const ShardCheckpoint& checkpoint) override;
  void processed(std::string_view result) override { set_last_result(result); }
  void ended(Count how) override { count(how); }
  void trying_again() override;
  void read_some(bool has_more) override;
  void shard_missing() override;
  void shard_finished(ShardWorker& worker, std::vector<ShardRecord> children) override;
  void shard_quiet() override;

 private:
  void ask_no_more();

  // Which shards there are.
  void list();
  void list_page(const std::string& after);
  void consumer_described(const std::optional<Result>& result);
  void page_listed(const std::optional<Result>& result);
  void list_failed(const std::optional<Result>& result);
  void listed();

  // Where to begin.
  void begin_new();
  void ask_positions(IteratorType type);
  void position_found(ShardIndex shard, const std::optional<Result>& result);
  void begin_at(ShardIndex shard, RecordIndex next, Instant not_before);
  void started();

  // Which are read.
  void abandon_other_incarnation();
  void see_to_missing();
  void pass_on(const ShardCheckpoint& finished, const std::vector<ShardRecord>& children);
  void begin_shards();
  void let_workers_go();
  void tell_if_quiet();

  static constexpr RecordIndex first_record{1};
  /// A consumer that is read by is asked for again after that, when there was something to read.
  static constexpr Millis consumer_life{1'000};

  bool stopping_ = false;
  bool is_running_ = false;
  bool told_started_ = false;
  bool lists_ = false;       ///< from the first question to the last answer
  bool list_again_ = false;  ///< something has changed since it began
  int list_failures_ = 0;    ///< in a row
  std::optional<AskId> asks_consumer_;
  std::optional<AskId> checks_consumer_;  ///< whether it is still there, while its stream is being read
  Instant consumer_seen_{};
  std::optional<AskId> asks_list_;
  std::optional<AskId> asks_summary_;
  std::optional<TimerId> timer_;  ///< until it lists again
  std::map<AskId, ShardIndex> asks_positions_;
  std::map<ShardIndex, ShardPosition> positions_;  ///< answered, and kept until all are

  std::optional<StreamId> id_;  ///< of the incarnation that the checkpoints are of
  ShardCheckpoints checkpoints_;
  StreamId listing_id_;
  ShardRecords listing_;  ///< as far as it has come
  ShardRecords shards_;   ///< of the latest complete one
  std::optional<Millis> retention_;
  std::map<ShardIndex, std::unique_ptr<ShardWorker>> workers_;
  std::vector<std::unique_ptr<ShardWorker>> leaving_;  ///< whose invocations have to end before others begin
  std::vector<std::unique_ptr<ShardWorker>> over_;     ///< which may still be on the stack
};

}  // namespace penstock::core
