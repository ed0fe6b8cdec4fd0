#include "stream_defects.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::sim {

namespace {

using Place = std::pair<StreamId, ShardIndex>;

template <class Kind>
void drop_all(std::vector<Mutation>& mutations) {
  std::erase_if(mutations, [](const Mutation& mutation) { return std::holds_alternative<Kind>(mutation); });
}

/// An engine with one thing wrong.
class DefectiveStreamEngine final : public Engine {
 public:
  DefectiveStreamEngine(std::unique_ptr<Engine> engine, StreamDefect defect)
      : engine_(std::move(engine)), defect_(defect) {}

  void recover(RecoveredQueue queue, Instant now) override { engine_->recover(std::move(queue), now); }
  void recover(StreamAccount account) override { engine_->recover(std::move(account)); }
  void recover(RecoveredStream stream, Instant now) override {
    if (defect_ == StreamDefect::retention_forgotten) stream.info.retention_hours = 24;
    if (defect_ == StreamDefect::floor_forgotten) stream.info.floor = {};
    for (RecoveredShard& shard : stream.shards) {
      ShardCursor& cursor = shard.cursor;
      tails_[{stream.info.id, shard.record.index}] = cursor.tail;
      if (defect_ != StreamDefect::index_reused || shard.record.closed) continue;
      if (cursor.tail > std::max(cursor.head, cursor.segment_first)) --cursor.tail.value;
    }
    engine_->recover(std::move(stream), now);
  }

  void apply(CallId call, Command command, Instant now) override {
    if (auto* asked = std::get_if<StreamCommand>(&command)) alter(call, *asked);
    engine_->apply(call, std::move(command), now);
  }

  void advance(Instant now) override { engine_->advance(now); }
  std::optional<Instant> next_deadline() const override { return engine_->next_deadline(); }
  void release_parked() override { engine_->release_parked(); }

  Effects take_effects() override {
    Effects effects = engine_->take_effects();
    for (Mutation& mutation : effects.mutations) alter(mutation);
    if (defect_ == StreamDefect::cursor_not_written) drop_all<PutShardCursor>(effects.mutations);
    if (defect_ == StreamDefect::contents_left) drop_all<DropStreamRecords>(effects.mutations);
    std::erase_if(effects.mutations, [&](const Mutation& mutation) { return is_left_out(mutation); });
    std::erase_if(effects.replies, [&](const Reply& reply) { return is_left_out(reply); });
    for (Reply& reply : effects.replies) alter(reply);
    return effects;
  }

 private:
  void alter(CallId call, StreamCommand& command) {
    if (const auto* asked = std::get_if<GetShardIterator>(&command);
        asked != nullptr && asked->start.type == IteratorType::latest) {
      asked_for_latest_.insert(call);
    }
    if (const auto* asked = std::get_if<GetRecords>(&command)) not_before_[call] = asked->not_before;
    if (auto* asked = std::get_if<GetRecords>(&command);
        asked != nullptr && latest_.contains({asked->id, asked->shard, asked->from})) {
      asked->from = std::max(asked->from, tails_[{asked->id, asked->shard}]);
    }
    if (auto* asked = std::get_if<AwaitRecords>(&command)) {
      awaits_.insert(call);
      if (defect_ == StreamDefect::subscription_repeats && asked->from.value > 1 && ++count_ % 4 == 0) {
        --asked->from.value;
      }
    }
  }

  void alter(Mutation& mutation) {
    if (auto* put = std::get_if<PutStreamRecords>(&mutation)) {
      if (defect_ == StreamDefect::data_altered) ++put->records.back().data.back();
      if (defect_ == StreamDefect::record_dropped && ++count_ % 4 == 0) put->records.pop_back();
      if (defect_ == StreamDefect::records_swapped) std::reverse(put->records.begin(), put->records.end());
    }
    if (auto* put = std::get_if<PutShard>(&mutation); put != nullptr && defect_ == StreamDefect::split_leaves_hole) {
      ShardRecord& shard = put->shard;
      if (shard.parent && !shard.adjacent_parent && !shard.closed && shard.first_hash.low != 0) ++shard.first_hash.low;
    }
    if (auto* drop = std::get_if<DropSegment>(&mutation);
        drop != nullptr && defect_ == StreamDefect::trimmed_too_early) {
      ++drop->end.value;
    }
    if (auto* put = std::get_if<PutStream>(&mutation); put != nullptr && defect_ == StreamDefect::floor_forgotten) {
      put->info.floor = {};
    }
    if (const auto* put = std::get_if<PutShardCursor>(&mutation)) tails_[{put->stream, put->shard}] = put->cursor.tail;
  }

  bool is_left_out(const Mutation& mutation) const {
    if (const auto* put = std::get_if<PutStreamRecords>(&mutation)) return put->records.empty();
    const auto* put = std::get_if<PutShard>(&mutation);
    return defect_ == StreamDefect::parent_left_open && put != nullptr && put->shard.closed;
  }

  bool is_left_out(const Reply& reply) const {
    if (!awaits_.contains(reply.call)) return false;
    const auto* page = std::get_if<RecordsPage>(&reply.result);
    if (page != nullptr && !page->closed) {
      const bool is_heartbeat = page->from >= page->until;
      return defect_ == (is_heartbeat ? StreamDefect::heartbeat_missed : StreamDefect::subscription_sleeps);
    }
    return defect_ == StreamDefect::subscription_lives_on && std::holds_alternative<SubscriptionOver>(reply.result);
  }

  void alter(Reply& reply) {
    if (const auto* start = std::get_if<ShardPosition>(&reply.result);
        start != nullptr && defect_ == StreamDefect::latest_not_fixed && asked_for_latest_.contains(reply.call)) {
      latest_.insert({start->id, start->shard, start->from});
    }
    auto* page = std::get_if<RecordsPage>(&reply.result);
    if (page == nullptr) return;
    if (defect_ == StreamDefect::expired_returned && not_before_.contains(reply.call)) {
      page->not_before = not_before_.at(reply.call);
    }
    if (defect_ == StreamDefect::shard_ends_early && page->closed && page->from < page->until) --page->until.value;
    const bool skips = defect_ == StreamDefect::subscription_skips && awaits_.contains(reply.call);
    if (skips && RecordIndex{page->from.value + 1} < page->until) ++page->from.value;
  }

  std::unique_ptr<Engine> engine_;
  const StreamDefect defect_;
  std::map<Place, RecordIndex> tails_;
  std::set<CallId> asked_for_latest_;
  std::set<std::tuple<StreamId, ShardIndex, RecordIndex>> latest_;
  std::set<CallId> awaits_;
  std::map<CallId, Instant> not_before_;
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Engine> make_defective(std::unique_ptr<Engine> engine, StreamDefect defect) {
  return std::make_unique<DefectiveStreamEngine>(std::move(engine), defect);
}

}  // namespace penstock::sim
