// The consumers with positions of one stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/group.hpp"
#include "core/shard_context.hpp"
#include "core/shards.hpp"
#include "penstock/group_commands.hpp"
#include "penstock/records.hpp"

namespace penstock::core {

class Stream;

/// Answers the call that a transaction was asked by.
void reply_settled(ShardContext& context, const TransactionSettled& settled);

class Groups {
 public:
  /// What is handed in outlives it.
  Groups(ShardContext& context, Stream& stream, Shards& shards) : context_(context), stream_(stream), shards_(shards) {}

  void recover(std::vector<RecoveredGroup> groups);

  // What the stream tells.
  void woken(StreamShard& shard);
  void reshaped(const std::vector<ShardIndex>& changed);
  /// Called before the shard goes.
  void forgotten(const StreamShard& shard);
  void erase(const Error& why);
  void release_parked();
  void name_busy(BusyList& busy) const;
  /// Adds groups whose names come after that of `place`, and takes a step for each of their shards. False: there are
  /// more, but no steps left.
  bool survey(SurveyPlace& place, std::size_t& steps, Survey& survey) const;
  void due(const Due& due, Instant now);
  /// As Stream::observable_from has it.
  std::optional<Instant> observable_from(const Due& due, Instant when) const;
  // As Stream has them. REQUIRES: the deadline is a member's.
  bool is_poll_end(const Due& due) const;
  std::optional<Instant> awaited_since(const Due& due) const;

  void handle(CallId call, const CreateGroup& command);
  void handle(CallId call, const DescribeGroup& command);
  void handle(CallId call, const ListGroups& command);
  void handle(CallId call, const DeleteGroup& command);
  void handle(CallId call, const PollGroup& command);
  void handle(CallId call, const CancelPoll& command);
  void handle(CallId call, const HeartbeatGroup& command);
  void handle(CallId call, const LeaveGroup& command);
  void handle(CallId call, const CommitGroup& command);
  void handle(CallId call, TransactGroup& command);
  void handle(CallId call, const TransactionSettled& command);
  void handle(CallId call, const ResetGroup& command);
  void handle(CallId call, const DescribeLag& command);
  /// Of a reader.
  void start_reading(CallId call, const GetShardIterator& command, StreamShard& shard);
  std::optional<Error> read_on(const GroupHold& hold, StreamShard& shard, RecordIndex from);

  // For its groups.
  ShardContext& context() { return context_; }
  Stream& stream() { return stream_; }
  Shards& shards() { return shards_; }
  /// Who has the session, for its deadline.
  void add_session(std::uint64_t session, Group& group) { sessions_.emplace(session, &group); }
  void remove_session(std::uint64_t session) { sessions_.erase(session); }
  bool has_session(std::uint64_t session) const { return sessions_.contains(session); }
  /// A transaction is on its way to its target.
  void began(CallId call, const Group& group, std::vector<PutGroupLease> leases, CommitKey key);
  /// Whether one with that key is.
  bool is_pending(GroupId group, const std::string& key) const;

 private:
  /// A transaction that the target has not answered yet.
  struct Pending {
    GroupId group;
    std::vector<PutGroupLease> leases;
    CommitKey key;  ///< as it is stored, but for where the records are put
  };

  Group* find(const std::string& name);
  template <class Command, class Work>
  void with_group(CallId call, const Command& command, const Work& work);
  Group* create(const std::string& name, const GroupInfo& settings, const std::map<ShardIndex, GroupLease>& leases);
  std::optional<Error> starts_of(const GroupStart& start, std::map<ShardIndex, GroupLease>& leases);
  std::optional<Error> starts_of(const std::vector<GivenPosition>& positions, std::map<ShardIndex, GroupLease>& leases);
  void finish_ancestors(const StreamShard& shard, std::map<ShardIndex, GroupLease>& leases);
  void drop(Group& group);
  void drop_if_over(Group& group);

  ShardContext& context_;
  Stream& stream_;
  Shards& shards_;
  std::map<std::string, std::unique_ptr<Group>> groups_;
  std::unordered_map<GroupId, Group*> by_id_;
  std::unordered_map<std::uint64_t, Group*> sessions_;
  std::unordered_map<std::uint64_t, Pending> pending_;  ///< by the call of TransactGroup
};

}  // namespace penstock::core
