#include "consumer_defects.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::sim {

namespace {

template <class Kind>
void drop_all(std::vector<Mutation>& mutations) {
  std::erase_if(mutations, [](const Mutation& mutation) { return std::holds_alternative<Kind>(mutation); });
}

template <class Kind>
bool has_any(const std::vector<Mutation>& mutations) {
  return std::ranges::any_of(mutations, [](const Mutation& each) { return std::holds_alternative<Kind>(each); });
}

/// An engine with one thing wrong.
class DefectiveConsumerEngine final : public Engine {
 public:
  DefectiveConsumerEngine(std::unique_ptr<Engine> engine, ConsumerDefect defect)
      : engine_(std::move(engine)), defect_(defect) {}

  void recover(RecoveredQueue queue, Instant now) override { engine_->recover(std::move(queue), now); }
  void recover(StreamAccount account) override { engine_->recover(std::move(account)); }
  void recover(RecoveredStream stream, Instant now) override {
    for (RecoveredShard& shard : stream.shards) {
      if (!is(ConsumerDefect::children_granted_early)) continue;
      shard.record.parent.reset();
      shard.record.adjacent_parent.reset();
    }
    for (RecoveredGroup& group : stream.groups) {
      names_[group.info.id] = group.info.name;
      for (auto& [shard, lease] : group.leases) {
        if (is(ConsumerDefect::epoch_forgotten) && lease.epoch > 0) --lease.epoch;
        epochs_[{group.info.name, shard}] = lease.epoch;
      }
    }
    engine_->recover(std::move(stream), now);
  }

  void apply(CallId call, Command command, Instant now) override {
    if (auto* asked = std::get_if<StreamCommand>(&command)) {
      std::visit([&](auto& each) { alter(call, each, now); }, *asked);
    }
    engine_->apply(call, std::move(command), now);
  }

  void advance(Instant now) override {
    keep_alive(now);
    engine_->advance(now);
  }
  std::optional<Instant> next_deadline() const override { return engine_->next_deadline(); }
  void release_parked() override { engine_->release_parked(); }

  Effects take_effects() override {
    Effects effects = engine_->take_effects();
    for (const Mutation& mutation : effects.mutations) note(mutation);
    alter(effects);
    std::erase_if(effects.replies, [&](const Reply& reply) { return is_left_out(reply); });
    for (Reply& reply : effects.replies) alter(reply);
    return effects;
  }

 private:
  bool is(ConsumerDefect defect) const { return defect_ == defect; }

  void note(const Mutation& mutation) {
    if (const auto* put = std::get_if<PutGroup>(&mutation)) names_[put->info.id] = put->info.name;
    const auto* put = std::get_if<PutGroupLease>(&mutation);
    if (put == nullptr || !names_.contains(put->group)) return;
    const std::pair place{names_.at(put->group), put->shard};
    if (put->lease.epoch > epochs_[place]) reset_.erase(place);
    epochs_[place] = put->lease.epoch;
  }

  // ---- What is asked.

  template <class Asked>
  void alter(CallId, Asked&, Instant) {}

  void make_current(const std::string& group, ShardIndex shard, std::uint64_t& epoch) const {
    const std::pair place{group, shard};
    const auto known = epochs_.find(place);
    if (known == epochs_.end()) return;
    const bool is_any = is(ConsumerDefect::stale_epoch_accepted) || is(ConsumerDefect::epoch_not_grown);
    if (is_any || (is(ConsumerDefect::reset_not_fenced) && reset_.contains(place))) epoch = known->second;
  }
  void make_current(const std::string& group, std::vector<GivenPosition>& positions) const {
    for (GivenPosition& each : positions) make_current(group, *parse_shard_id(each.shard_id), each.epoch);
  }
  void alter_token(const std::string& group, const std::string& member, GroupToken& token) const {
    for (HandedOut& handed : token.handed) {
      make_current(group, handed.shard, handed.epoch);
      if (is(ConsumerDefect::token_skips)) ++handed.next.value;
      if (is(ConsumerDefect::lost_records_hidden)) handed.first = RecordIndex{1};
    }
    if (is(ConsumerDefect::token_ignored)) token.handed.clear();
    const auto session = sessions_.find({group, member});
    if (is(ConsumerDefect::session_not_checked) && session != sessions_.end()) token.session = session->second;
  }

  void alter(CallId call, PollGroup& asked, Instant) {
    polls_[call] = {asked.stream, asked.group, asked.member};
    if (asked.token) alter_token(asked.group, asked.member, *asked.token);
    if (asked.wait > Millis{}) waits_.insert(call);
    if (is(ConsumerDefect::shards_left_lying)) asked.member = "everybody";
  }
  void alter(CallId, LeaveGroup& asked, Instant) { alter_token(asked.group, asked.member, asked.token); }
  void alter(CallId, HeartbeatGroup& asked, Instant) { alter_token(asked.group, asked.member, asked.token); }
  void alter(CallId, CommitGroup& asked, Instant) {
    make_current(asked.group, asked.positions);
    if (is(ConsumerDefect::commit_of_the_first) && asked.positions.size() > 1) asked.positions.resize(1);
    if (is(ConsumerDefect::backwards_allowed)) asked.force = true;
    if (is(ConsumerDefect::key_ignored)) asked.key.clear();
  }
  void alter(CallId, TransactGroup& asked, Instant) {
    make_current(asked.group, asked.positions);
    if (is(ConsumerDefect::key_ignored)) asked.key.clear();
  }
  void alter(CallId, AcceptTransaction& asked, Instant now) {
    if (!is(ConsumerDefect::transaction_put_twice)) return;
    engine_->apply(swallowed, StreamCommand{PutRecords{asked.stream, asked.entries, {}, false}}, now);
  }
  void alter(CallId, TransactionSettled& asked, Instant) {
    if (is(ConsumerDefect::transaction_not_settled)) asked.failure = Error{ErrorCode::InternalFailure, "not heard of"};
  }
  void alter(CallId, ResetGroup& asked, Instant) {
    if (asked.dry_run) return;
    for (const auto& [place, epoch] : epochs_) {
      const bool is_all = asked.shard_id.empty() || parse_shard_id(asked.shard_id) == place.second;
      if (place.first == asked.group && is_all) reset_.insert(place);
    }
  }

  // ---- What comes of it.

  void alter(Effects& effects) {
    std::vector<Mutation>& mutations = effects.mutations;
    const bool is_transaction = has_any<PutStreamRecords>(mutations) && has_any<PutGroupLease>(mutations);
    if (is(ConsumerDefect::lease_not_written)) drop_all<PutGroupLease>(mutations);
    if (is(ConsumerDefect::lease_not_synced) && !has_any<PutStreamRecords>(mutations)) effects.sync = false;
    if (is(ConsumerDefect::transaction_without_records) && is_transaction) drop_all<PutStreamRecords>(mutations);
    if (is(ConsumerDefect::transaction_without_leases) && is_transaction) drop_all<PutGroupLease>(mutations);
    if (is(ConsumerDefect::key_not_written)) drop_all<PutCommitKey>(mutations);
    if (is(ConsumerDefect::group_left)) drop_all<DropGroup>(mutations);
  }

  bool is_left_out(const Reply& reply) {
    if (reply.call == swallowed) return true;
    const auto* polled = std::get_if<GroupPolled>(&reply.result);
    if (polled == nullptr) return false;
    if (const auto asked = polls_.find(reply.call); asked != polls_.end()) {
      const auto& [stream, group, member] = asked->second;
      sessions_[{group, member}] = polled->session;
      alive_[{group, member}] = HeartbeatGroup{stream, group, member, {polled->group, polled->session, {}}};
    }
    return is(ConsumerDefect::poll_sleeps) && waits_.contains(reply.call) && ++count_ % 3 == 0;
  }

  void alter(Reply& reply) {
    auto* polled = std::get_if<GroupPolled>(&reply.result);
    if (polled == nullptr) return;
    if (is(ConsumerDefect::epoch_not_grown)) {
      for (HeldLease& lease : polled->leases) lease.epoch = 1;
      for (GroupBatch& batch : polled->batches) batch.epoch = 1;
    }
    if (is(ConsumerDefect::shards_left_lying)) polled->member = std::get<2>(polls_.at(reply.call));
  }

  void keep_alive(Instant now) {
    if (!is(ConsumerDefect::member_never_dies)) return;
    for (const auto& [name, heartbeat] : alive_) engine_->apply(swallowed, StreamCommand{heartbeat}, now);
  }

  static constexpr CallId swallowed{UINT64_MAX};

  std::unique_ptr<Engine> engine_;
  const ConsumerDefect defect_;
  std::map<GroupId, std::string> names_;
  std::map<std::pair<std::string, ShardIndex>, std::uint64_t> epochs_;
  std::set<std::pair<std::string, ShardIndex>> reset_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> sessions_;
  std::map<std::pair<std::string, std::string>, HeartbeatGroup> alive_;
  std::map<CallId, std::tuple<StreamName, std::string, std::string>> polls_;
  std::set<CallId> waits_;
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Engine> make_defective(std::unique_ptr<Engine> engine, ConsumerDefect defect) {
  return std::make_unique<DefectiveConsumerEngine>(std::move(engine), defect);
}

}  // namespace penstock::sim
