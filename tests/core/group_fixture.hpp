// Consumers with positions and their members, over StreamFixture.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream_fixture.hpp"

namespace penstock::core {

/// A member as its process has it: what it was told last, and what it has gone through.
struct TestMember {
  std::string name;
  std::optional<GroupToken> token;
  std::vector<std::string> got;  ///< data of the records that came, in order
  GroupPolled last{};

  std::vector<std::uint32_t> shards() const {
    std::vector<std::uint32_t> all;
    for (const HeldLease& lease : last.leases) all.push_back(lease.shard.value);
    return all;
  }
  std::uint64_t epoch(std::uint32_t shard = 0) const {
    const auto found = std::ranges::find(last.leases, ShardIndex{shard}, &HeldLease::shard);
    return found == last.leases.end() ? 0 : found->epoch;
  }
};

class GroupFixture : public StreamFixture {
 protected:
  CreateGroup create_command(CommitMode mode = CommitMode::on_poll) const {
    CreateGroup command;
    command.stream = stream_;
    command.group = group_;
    command.start.from.type = IteratorType::trim_horizon;
    command.lease = lease_;
    command.mode = mode;
    return command;
  }
  GroupDescription create_group(CommitMode mode = CommitMode::on_poll) {
    return call<GroupDescription>(create_command(mode));
  }
  GroupDescription describe_group() { return call<GroupDescription>(DescribeGroup{stream_, group_, {}, 1'000}); }
  GroupShard shard_of_group(std::uint32_t shard = 0) {
    for (const GroupShard& each : describe_group().shards) {
      if (each.shard.value == shard) return each;
    }
    ADD_FAILURE() << "no such shard";
    return {};
  }
  ShardLag lag_of(std::uint32_t shard = 0) {
    GroupLag answer = call<GroupLag>(DescribeLag{stream_, group_, {}, 1'000});
    for (ShardLag& each : answer.shards) {
      if (each.shard.shard.value != shard) continue;
      store_.read(each.page);
      return each;
    }
    ADD_FAILURE() << "no such shard";
    return {};
  }

  PollGroup poll_command(const TestMember& member, Millis wait = {}) const {
    return {stream_, group_, member.name, member.token, wait, count_max_, 10U << 20U};
  }
  CallId begin_poll(const TestMember& member, Millis wait = Millis{20'000}) { return ask(poll_command(member, wait)); }
  /// What a poll was answered, as the member takes it in; its token is that of this answer.
  void take(TestMember& member, CallId id) {
    member.last = read(answer_of<GroupPolled>(id));
    member.token = token_of(member.last);
    for (const GroupBatch& batch : member.last.batches) {
      for (const ReadRecord& each : batch.page.records) member.got.push_back(each.record.data);
    }
  }
  void poll(TestMember& member) { take(member, ask(poll_command(member))); }
  Error poll_error(const TestMember& member) { return call_error(poll_command(member)); }

  /// As the shell reads the batches of an answer.
  GroupPolled read(GroupPolled answer) const {
    std::size_t left = answer.count_max;
    std::vector<GroupBatch> batches;
    for (GroupBatch& batch : answer.batches) {
      if (left == 0) break;
      batch.page.count_max = left;
      store_.read(batch.page);
      left -= batch.page.records.size();
      batches.push_back(std::move(batch));
    }
    answer.batches = std::move(batches);
    return answer;
  }
  /// As the protocol makes one.
  static GroupToken token_of(const GroupPolled& answer) {
    GroupToken token{answer.group, answer.session, {}};
    for (const GroupBatch& batch : answer.batches) {
      token.handed.push_back({batch.page.shard, batch.epoch, batch.page.next, 0, first_kept(batch.position, batch.page),
                              batch.position.next});
    }
    return token;
  }

  GivenPosition given(const RecordPut& put, std::uint64_t epoch) const {
    return {format_shard_id(put.shard), epoch, format_sequence_number(put.number), {}, {}};
  }
  CommitGroup commit_command(const RecordPut& put, std::uint64_t epoch) const {
    return {stream_, group_, {given(put, epoch)}, false, {}};
  }

  std::string group_ = "billing";
  Millis lease_{10'000};
  std::size_t count_max_ = 1'000;
};

}  // namespace penstock::core
