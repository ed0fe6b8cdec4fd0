// What one consumer with positions promises, as its clients may hold it to: how far it has come, by what was
// acknowledged to it; who may hold which shard; and what became of each record. It knows nothing of sessions'
// deadlines, grace or commits to a store. Each check answers with an empty text, or with the promise that was broken.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "penstock/group_commands.hpp"
#include "penstock/records.hpp"
#include "record_ledger.hpp"

namespace penstock::sim {

/// What a consumer has of one shard, by all that was acknowledged to it.
struct ConsumerShard {
  GroupPosition position;
  RecordIndex read{1};  ///< where its owner reads on
  std::string metadata;
  std::uint64_t lost_records = 0;
  RecordIndex frontier{1};  ///< what is before it was handed out, or is counted as lost
};

/// What became of a record.
struct RecordFate {
  std::uint32_t processed = 0;  ///< so many times
  bool lost = false;            ///< retention took it first
  bool unsure = false;          ///< or a start by time did not want it, and nobody knows which
  bool counted = false;         ///< as lost, as was said
  bool passed = false;          ///< a start, a reset or a reader's choice went over it
};

/// What a command does to positions, if it is carried out.
struct ModelStep {
  ShardIndex shard;
  GroupPosition position;
  std::optional<std::string> metadata{};
};

class ConsumerModel {
 public:
  ConsumerModel(const RecordLedger& ledger, GroupInfo info) : ledger_(ledger), info_(std::move(info)) {}

  const GroupInfo& info() const { return info_; }
  const RecordLedger& ledger() const { return ledger_; }
  bool is_on_poll() const { return info_.mode == CommitMode::on_poll; }

  // ---- How the engine describes it.

  /// The first description of it, which says where it begins.
  std::string created(const GroupDescription& found);
  /// A description that holds now.
  std::string observe(GroupDescription found, Instant now);
  /// What a start found becomes what it is.
  std::string recovered(const GroupDescription& found, Instant now);
  const GroupDescription& view() const { return view_; }
  /// Who has what, and how far everything is, in words.
  std::string describe() const;
  const GroupShard* seen(ShardIndex shard) const;
  std::uint64_t epoch_of(ShardIndex shard) const;
  bool has_member(const std::string& name) const;
  bool is_done(ShardIndex shard) const;
  /// An ancestor of it is there, and is not done.
  bool is_blocked(ShardIndex shard) const;
  /// What was let out: this session has the shard under this epoch.
  std::string told(ShardIndex shard, std::uint64_t epoch, const std::string& holder);

  // ---- What is acknowledged to it.

  ConsumerShard& of(ShardIndex shard) { return shards_[shard]; }
  const ConsumerShard& of(ShardIndex shard) const;
  /// A member's token, which it takes.
  void take(const GroupToken& token, bool commits);
  /// Retention took what is there before `first`, and was not counted yet.
  void count_lost(ShardIndex shard, RecordIndex first, bool all);
  void move_to(const ModelStep& step);
  /// A start, a reset or a reader's choice: what is before `to` and was not read is passed over.
  void pass_over(ShardIndex shard, const GroupPosition& to);
  /// Everything from there on is read again, or by a reader in its own order.
  void order_is_over() { ordered_ = false; }

  // ---- What its members get.

  /// The records of [from, first) were not there any more.
  std::string missed(const GroupPosition& from, const RecordsPage& page, Instant now);
  std::string processed(ShardIndex shard, const ReadRecord& read, bool in_order);
  std::vector<RecordFate>& fates(ShardIndex shard);
  /// At the end: each record was processed, or there is a reason why not.
  std::string all_is_processed(bool once, Instant now);
  void cut();

  // ---- Names that a commit went by.

  std::map<std::string, CommitKey> keys{};

 private:
  std::string check_shard(const GroupShard& before, const GroupShard& now) const;
  std::string check_position(const GroupShard& found) const;
  std::string check_owner(const GroupShard& before, const GroupShard& found) const;
  void forget_gone(const GroupDescription& found, Instant now);

  const RecordLedger& ledger_;
  GroupInfo info_;
  GroupDescription view_;
  std::map<ShardIndex, ConsumerShard> shards_;
  std::map<ShardIndex, std::vector<RecordFate>> fates_;
  std::map<std::string, std::pair<std::uint64_t, std::string>> newest_;  ///< of each key, what was processed, and where
  std::map<std::pair<ShardIndex, std::uint64_t>, std::string> holders_;  ///< of each epoch that somebody was told of
  bool ordered_ = true;
};

inline std::string text_of(ShardIndex shard) { return "shard " + std::to_string(shard.value); }

}  // namespace penstock::sim
