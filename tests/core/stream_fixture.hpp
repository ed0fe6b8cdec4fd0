// An engine with a store of streams' records beside it, driven step by step, as EngineFixture does for queues.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine_steps.hpp"
#include "penstock/engine.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {

/// Applies mutations, and fails the test where one breaks its contract.
class TypedStreams {
 public:
  void apply(const std::vector<Mutation>& mutations) {
    for (const Mutation& mutation : mutations) std::visit([&](const auto& m) { on(m); }, mutation);
  }

  std::vector<RecoveredStream> recover() const {
    std::vector<RecoveredStream> streams;
    for (const auto& [id, info] : infos_) {
      RecoveredStream& stream = streams.emplace_back(RecoveredStream{info, {}});
      for (const auto& [key, shard] : shards_) {
        if (key.first != id) continue;
        RecoveredShard recovered{shard, {}, {}};
        if (const auto cursor = cursors_.find(key); cursor != cursors_.end()) recovered.cursor = cursor->second;
        for (const auto& [segment_key, put] : segments_) {
          if (std::get<0>(segment_key) == id && std::get<1>(segment_key) == key.second) {
            recovered.segments.push_back(put.segment);
            recovered.segment_bytes.push_back(put.bytes);
          }
        }
        stream.shards.push_back(std::move(recovered));
      }
      for (const auto& [key, group] : groups_) {
        if (key.first == id) stream.groups.push_back(recovered_group(id, group));
      }
    }
    return streams;
  }
  const std::map<StreamName, StreamAccount>& accounts() const { return accounts_; }

  /// As the shell reads a page: what stands in stream_commands.hpp.
  void read(RecordsPage& page) const {
    page.next = page.until;
    for (auto it = records_.lower_bound({page.id, page.shard, page.from});
         it != records_.end() && it->first < std::tuple(page.id, page.shard, page.until); ++it) {
      const StreamRecord& record = it->second;
      if (record.arrived < page.not_before) continue;
      const std::size_t bytes = record.data.size() + record.partition_key.size();
      const bool fits = page.records.empty() || page.bytes + bytes <= page.bytes_max;
      if (!fits || page.records.size() == page.count_max) {
        page.next = std::get<2>(it->first);
        page.behind = page.now - record.arrived;
        return;
      }
      page.bytes += bytes;
      page.records.push_back(ReadRecord{std::get<2>(it->first), record});
    }
  }

  std::size_t group_count() const { return groups_.size(); }
  std::size_t lease_count() const { return leases_.size(); }
  std::size_t key_count() const { return keys_.size(); }
  std::size_t record_count() const { return records_.size(); }
  std::size_t segment_count() const { return segments_.size(); }
  std::size_t shard_count() const { return shards_.size(); }
  std::size_t stream_count() const { return infos_.size(); }
  std::size_t cursor_count() const { return cursors_.size(); }

 private:
  using ShardKey = std::pair<StreamId, ShardIndex>;
  using RecordKey = std::tuple<StreamId, ShardIndex, RecordIndex>;
  using GroupKey = std::pair<StreamId, GroupId>;

  RecoveredGroup recovered_group(StreamId stream, const GroupInfo& info) const {
    RecoveredGroup group{info, {}, {}};
    for (const auto& [key, lease] : leases_) {
      if (std::get<0>(key) == stream && std::get<1>(key) == info.id) group.leases.emplace_back(std::get<2>(key), lease);
    }
    for (const auto& [key, value] : keys_) {
      if (std::get<0>(key) == stream && std::get<1>(key) == info.id) group.keys.push_back(value);
    }
    return group;
  }
  void drop_group(StreamId stream, GroupId group) {
    const auto is_its = [&](const auto& entry) {
      return std::get<0>(entry.first) == stream && std::get<1>(entry.first) == group;
    };
    groups_.erase({stream, group});
    std::erase_if(leases_, is_its);
    std::erase_if(keys_, is_its);
  }

  template <class Other>
  void on(const Other&) {
    ADD_FAILURE() << "a mutation of queues";
  }
  void on(const PutStream& m) { infos_[m.info.id] = m.info; }
  void on(const DropStream& m) {
    infos_.erase(m.stream);
    std::erase_if(shards_, [&](const auto& entry) { return entry.first.first == m.stream; });
    std::erase_if(cursors_, [&](const auto& entry) { return entry.first.first == m.stream; });
    std::erase_if(segments_, [&](const auto& entry) { return std::get<0>(entry.first) == m.stream; });
    std::erase_if(groups_, [&](const auto& entry) { return entry.first.first == m.stream; });
    std::erase_if(leases_, [&](const auto& entry) { return std::get<0>(entry.first) == m.stream; });
    std::erase_if(keys_, [&](const auto& entry) { return std::get<0>(entry.first) == m.stream; });
  }
  void on(const PutGroup& m) { groups_[{m.stream, m.info.id}] = m.info; }
  void on(const DropGroup& m) {
    EXPECT_TRUE(groups_.contains({m.stream, m.group})) << "no such group";
    drop_group(m.stream, m.group);
  }
  void on(const PutGroupLease& m) {
    EXPECT_TRUE(groups_.contains({m.stream, m.group})) << "a lease of no group";
    EXPECT_GE(m.lease.epoch, (leases_[{m.stream, m.group, m.shard}].epoch)) << "an epoch went back";
    leases_[{m.stream, m.group, m.shard}] = m.lease;
  }
  void on(const DropGroupLease& m) { leases_.erase({m.stream, m.group, m.shard}); }
  void on(const PutCommitKey& m) { keys_[{m.stream, m.group, m.key.key}] = m.key; }
  void on(const DropCommitKey& m) { keys_.erase({m.stream, m.group, m.key}); }
  void on(const PutShard& m) { shards_[{m.stream, m.shard.index}] = m.shard; }
  void on(const DropShard& m) {
    EXPECT_EQ(shards_.erase({m.stream, m.shard}), 1U) << "no such shard";
    cursors_.erase({m.stream, m.shard});
    for (const auto& [key, record] : records_) {
      EXPECT_FALSE(std::get<0>(key) == m.stream && std::get<1>(key) == m.shard) << "a shard goes before its records";
    }
  }
  void on(const PutShardCursor& m) {
    EXPECT_TRUE(shards_.contains({m.stream, m.shard})) << "a cursor of no shard";
    cursors_[{m.stream, m.shard}] = m.cursor;
  }
  void on(const PutSegment& m) {
    EXPECT_TRUE(segments_.emplace(RecordKey{m.stream, m.shard, m.segment.first}, m).second)
        << "a segment was closed twice";
  }
  void on(const DropSegment& m) {
    segments_.erase({m.stream, m.shard, m.first});
    std::erase_if(records_, [&](const auto& entry) {
      return entry.first >= RecordKey{m.stream, m.shard, {}} && entry.first < RecordKey{m.stream, m.shard, m.end};
    });
  }
  void on(const PutStreamRecords& m) {
    RecordIndex index = m.first;
    for (const StreamRecord& record : m.records) {
      EXPECT_TRUE(records_.emplace(RecordKey{m.stream, m.shard, index}, record).second) << "a record was written twice";
      ++index.value;
    }
  }
  void on(const DropStreamRecords& m) {
    std::erase_if(records_, [&](const auto& entry) { return std::get<0>(entry.first) == m.stream; });
  }
  void on(const PutStreamAccount& m) { accounts_[m.account.account] = m.account; }

  std::map<StreamId, StreamInfo> infos_;
  std::map<ShardKey, ShardRecord> shards_;
  std::map<ShardKey, ShardCursor> cursors_;
  std::map<RecordKey, PutSegment> segments_;
  std::map<RecordKey, StreamRecord> records_;
  std::map<StreamName, StreamAccount> accounts_;
  std::map<GroupKey, GroupInfo> groups_;
  std::map<std::tuple<StreamId, GroupId, ShardIndex>, GroupLease> leases_;
  std::map<std::tuple<StreamId, GroupId, std::string>, CommitKey> keys_;
};

class StreamFixture : public EngineSteps {
 protected:
  StreamFixture() {
    limits_.stream_transition = Millis{0};
    restart();
  }

  /// A fresh engine on what the store holds.
  void restart() {
    engine_ = make_engine(limits_, entropy_);
    for (RecoveredStream& stream : store_.recover()) engine_->recover(std::move(stream), now_);
    for (const auto& [name, account] : store_.accounts()) engine_->recover(account);
    settle();
  }

  void settle() override {
    for (;;) {
      Effects effects = engine_->take_effects();
      if (effects.empty()) return;
      store_.apply(effects.mutations);
      for (Reply& reply : effects.replies) replies_[reply.call] = std::move(reply.result);
      for (Transaction& transaction : effects.transactions) transactions_.push_back(std::move(transaction));
      while (hands_over_ && !transactions_.empty()) hand_over();
    }
  }

  /// As the shell sees to a transaction, the oldest first.
  void hand_over() {
    Transaction transaction = std::move(transactions_.front());
    transactions_.erase(transactions_.begin());
    const CallId asked{++calls_};
    engine_->apply(asked, StreamCommand(std::move(transaction.accept)), now_);
    settle();
    TransactionSettled settled{transaction.origin, transaction.call};
    if (const auto* error = std::get_if<Error>(&replies_.at(asked))) settled.failure = *error;
    if (const auto* put = std::get_if<RecordsPut>(&replies_.at(asked))) {
      for (const auto& entry : put->entries) settled.put.push_back(std::get<RecordPut>(entry));
    }
    engine_->apply(CallId{++calls_}, StreamCommand(std::move(settled)), now_);
    settle();
  }

  // Shorthands for one stream.

  void create(int shards = 1) {
    CreateStream command;
    command.stream = stream_;
    command.shard_count = shards;
    call<Done>(std::move(command));
  }
  PutRecords put_command(const std::vector<std::string>& data, HashKey hash = {}) const {
    PutRecords command;
    command.stream = stream_;
    for (const std::string& each : data) command.entries.push_back(PutEntry{"key", each, hash});
    return command;
  }
  std::vector<RecordPut> put(const std::vector<std::string>& data, HashKey hash = {}) {
    std::vector<RecordPut> all;
    const auto answer = call<RecordsPut>(put_command(data, hash));
    for (const auto& entry : answer.entries) {
      if (const auto* record = std::get_if<RecordPut>(&entry)) all.push_back(*record);
    }
    EXPECT_EQ(all.size(), data.size());
    return all;
  }
  GetShardIterator iterator_command(IteratorType type, const std::string& shard = "shardId-000000000000") const {
    return GetShardIterator{stream_, shard, StartingPosition{type, {}, {}}};
  }
  ShardPosition iterator(IteratorType type, const std::string& shard = "shardId-000000000000") {
    return call<ShardPosition>(iterator_command(type, shard));
  }
  ShardPosition iterator(IteratorType type, const SequenceNumber& number) {
    GetShardIterator command = iterator_command(type, format_shard_id(number.shard));
    command.start.sequence_number = format_sequence_number(number);
    return call<ShardPosition>(command);
  }
  ShardPosition iterator_at(Instant when) {
    GetShardIterator command = iterator_command(IteratorType::at_timestamp);
    command.start.timestamp = when;
    return call<ShardPosition>(command);
  }
  RecordsPage get(const ShardPosition& at, std::size_t count_max = 10'000) {
    RecordsPage page = call<RecordsPage>(GetRecords{stream_, at.id, at.shard, at.from, at.not_before, count_max});
    store_.read(page);
    return page;
  }
  std::vector<std::string> data_of(const RecordsPage& page) const {
    std::vector<std::string> all;
    for (const ReadRecord& each : page.records) all.push_back(each.record.data);
    return all;
  }
  std::vector<std::string> read(const ShardPosition& at) { return data_of(get(at)); }
  std::vector<std::string> read_all(const std::string& shard = "shardId-000000000000") {
    return read(iterator(IteratorType::trim_horizon, shard));
  }
  StreamDescription describe() {
    DescribeStream command;
    command.stream = stream_;
    return call<StreamDescription>(command);
  }
  std::vector<std::uint32_t> listed(std::optional<ShardFilter> filter = std::nullopt) {
    ListShards command;
    command.stream = stream_;
    command.filter = std::move(filter);
    std::vector<std::uint32_t> all;
    for (const ShardRecord& shard : call<ShardList>(command).shards) all.push_back(shard.index.value);
    return all;
  }
  void split(const std::string& shard, HashKey at) { call<Done>(SplitShard{stream_, shard, format_hash_key(at)}); }

  StreamName stream_{"000000000000", "us-east-1", "clicks"};
  HashKey middle_{std::uint64_t{1} << 63U, 0};
  TypedStreams store_;
  bool hands_over_ = true;  ///< otherwise transactions wait for `hand_over`
  std::vector<Transaction> transactions_;
};

}  // namespace penstock::core
