// An engine with a store of typed records beside it, driven step by step: what a shard does, without threads or bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/queue_settings.hpp"
#include "engine_steps.hpp"
#include "penstock/engine.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

/// Applies mutations, and fails the test where one breaks its contract.
class TypedStore {
 public:
  void apply(const std::vector<Mutation>& mutations) {
    for (const Mutation& mutation : mutations) std::visit([&](const auto& m) { on(m); }, mutation);
  }

  Command load(const Load& load) const {
    return std::visit([&](const auto& l) { return on_load(l); }, load);
  }

  std::vector<RecoveredQueue> recover(std::size_t states_max) const {
    std::vector<RecoveredQueue> queues;
    for (const auto& [id, record] : records_) {
      RecoveredQueue queue{record, {}, {}, std::nullopt};
      if (const auto cursor = cursors_.find(id); cursor != cursors_.end()) queue.cursor = cursor->second;
      for (const auto& [key, state] : states_) {
        if (key.first != id) continue;
        if (queue.states.size() == states_max) {
          queue.states_next = key.second;
          break;
        }
        queue.states.push_back({key.second, state});
      }
      for (const auto& [key, entry] : dedups_) {
        if (key.first == id) queue.dedups.push_back(entry);
      }
      for (const auto& [key, attempt] : attempts_) {
        if (key.first == id) queue.attempts.push_back(attempt);
      }
      for (const auto& [key, entry] : lanes_) {
        const auto& [of, lane, sequence] = key;
        if (of != id) continue;
        if (queue.lanes.empty() || queue.lanes.back().lane != lane) queue.lanes.push_back({lane, {}});
        std::vector<LaneEntry>& first = queue.lanes.back().first;
        if (first.size() < Limits{}.lane_recovered_max) first.push_back(entry);
      }
      for (const auto& [key, task] : tasks_) {
        if (key.first == id) queue.move_tasks.push_back(task);
      }
      queues.push_back(std::move(queue));
    }
    return queues;
  }

  std::shared_ptr<const StoredMessage> message(QueueId queue, Sequence sequence) const {
    const auto found = messages_.find({queue, sequence});
    return found == messages_.end() ? nullptr : found->second;
  }
  std::size_t message_count() const { return messages_.size(); }
  std::size_t state_count() const { return states_.size(); }
  std::size_t queue_count() const { return records_.size(); }
  std::size_t dedup_count() const { return dedups_.size(); }
  std::size_t attempt_count() const { return attempts_.size(); }
  std::size_t arrival_count() const { return arrivals_.size(); }
  std::size_t lane_entry_count() const { return lanes_.size(); }

 private:
  using Key = std::pair<QueueId, Sequence>;

  void on(const PutQueue& m) { records_[m.record.id] = m.record; }
  void on(const DropQueue& m) {
    records_.erase(m.queue);
    cursors_.erase(m.queue);
  }
  void on(const DropQueueContents& m) {
    std::erase_if(messages_, [&](const auto& entry) { return entry.first.first == m.queue; });
    std::erase_if(states_, [&](const auto& entry) { return entry.first.first == m.queue; });
    std::erase_if(lanes_, [&](const auto& entry) { return std::get<0>(entry.first) == m.queue; });
    std::erase_if(attempts_, [&](const auto& entry) { return entry.first.first == m.queue; });
    if (!m.everything) return;
    std::erase_if(dedups_, [&](const auto& entry) { return entry.first.first == m.queue; });
    std::erase_if(arrivals_, [&](const auto& entry) { return entry.first == m.queue; });
    std::erase_if(tasks_, [&](const auto& entry) { return entry.first.first == m.queue; });
  }
  void on(const PutDedup& m) {
    EXPECT_TRUE(dedups_.emplace(Key{m.queue, m.entry.sequence}, m.entry).second) << "remembered twice";
  }
  void on(const DropDedups& m) {
    std::erase_if(dedups_, [&](const auto& e) { return e.first.first == m.queue && e.first.second < m.until; });
  }
  void on(const PutAttempt& m) { attempts_[{m.queue, m.attempt.id}] = m.attempt; }
  void on(const DropAttempt& m) { attempts_.erase({m.queue, m.id}); }
  void on(const PutLaneEntry& m) {
    EXPECT_TRUE(lanes_.emplace(LaneKey{m.queue, m.lane, m.entry.sequence}, m.entry).second) << "in a lane twice";
  }
  void on(const DropLaneEntry& m) {
    EXPECT_EQ(lanes_.erase({m.queue, m.lane, m.sequence}), 1U) << "no such lane entry";
  }
  void on(const PutArrival& m) {
    EXPECT_TRUE(arrivals_.emplace(m.queue, m.origin).second) << "a message arrived twice";
  }
  void on(const DropArrival& m) { EXPECT_EQ(arrivals_.erase({m.queue, m.origin}), 1U) << "no such arrival"; }
  void on(const PutMoveTask& m) { tasks_[{m.queue, m.task.id}] = m.task; }
  void on(const DropMoveTask& m) { tasks_.erase({m.queue, m.id}); }
  void on(const PutCursor& m) { cursors_[m.queue] = m.cursor; }
  // Of streams: what queues do never asks for.
  template <class Other>
  void on(const Other&) {
    ADD_FAILURE() << "a mutation of streams";
  }
  void on(const PutMessage& m) {
    EXPECT_TRUE(messages_.emplace(Key{m.queue, m.sequence}, m.message).second) << "a message was written twice";
  }
  void on(const DropMessage& m) { EXPECT_EQ(messages_.erase({m.queue, m.sequence}), 1U) << "no such message"; }
  void on(const PutState& m) {
    EXPECT_TRUE(states_.emplace(Key{m.queue, m.sequence}, m.state).second) << "two states of one message";
  }
  void on(const DropState& m) {
    const auto found = states_.find({m.queue, m.sequence});
    ASSERT_NE(found, states_.end()) << "no such state";
    EXPECT_EQ(found->second.revision, m.revision);
    states_.erase(found);
  }

  Command on_load(const LoadFresh& load) const {
    FreshLoaded answer{load.queue, load.epoch, load.until, {}};
    for (auto it = messages_.lower_bound({load.queue, load.from}); it != messages_.end(); ++it) {
      if (it->first.first != load.queue || it->first.second >= load.until) break;
      if (answer.entries.size() == load.count_max) {
        answer.next = it->first.second;
        break;
      }
      if (!it->second->delayed) answer.entries.push_back({it->first.second, it->second->sent});
    }
    return answer;
  }
  Command on_load(const LoadStates& load) const {
    StatesLoaded answer{load.queue, load.epoch, std::nullopt, {}};
    for (auto it = states_.lower_bound({load.queue, load.from}); it != states_.end(); ++it) {
      if (it->first.first != load.queue) break;
      if (answer.entries.size() == load.count_max) {
        answer.next = it->first.second;
        break;
      }
      answer.entries.push_back({it->first.second, it->second});
    }
    return answer;
  }
  Command on_load(const LoadStatesOf& load) const {
    StatesOfLoaded answer{load.queue, load.epoch, {}};
    for (const Sequence sequence : load.sequences) {
      const auto found = states_.find({load.queue, sequence});
      if (found != states_.end()) answer.entries.push_back({sequence, found->second});
    }
    return answer;
  }

  Command on_load(const LoadLane& load) const {
    LaneLoaded answer{load.queue, load.epoch, load.lane, std::nullopt, {}};
    for (auto it = lanes_.lower_bound({load.queue, load.lane, load.from}); it != lanes_.end(); ++it) {
      const auto& [queue, lane, sequence] = it->first;
      if (queue != load.queue || lane != load.lane) break;
      if (answer.entries.size() == load.count_max) {
        answer.next = sequence;
        break;
      }
      answer.entries.push_back({sequence, it->second.sent});
    }
    return answer;
  }

  using LaneKey = std::tuple<QueueId, LaneId, Sequence>;

  std::map<QueueId, QueueRecord> records_;
  std::map<Key, DedupEntry> dedups_;
  std::map<std::pair<QueueId, std::string>, ReceiveAttempt> attempts_;
  std::map<LaneKey, LaneEntry> lanes_;
  std::set<std::pair<QueueId, TransferOrigin>> arrivals_;
  std::map<std::pair<QueueId, std::string>, MoveTask> tasks_;
  std::map<QueueId, QueueCursor> cursors_;
  std::map<Key, std::shared_ptr<const StoredMessage>> messages_;
  std::map<Key, MessageState> states_;
};

class EngineFixture : public EngineSteps {
 protected:
  EngineFixture() { restart(); }

  /// A fresh engine on what the store holds.
  void restart() {
    engine_ = make_engine(limits_, entropy_);
    for (RecoveredQueue& queue : store_.recover(limits_.in_flight_max + limits_.resident_idle_max)) {
      engine_->recover(std::move(queue), now_);
    }
    settle();
  }

  void set_limits(const Limits& limits) {
    limits_ = limits;
    restart();
  }

  void settle() override {
    for (;;) {
      Effects effects = engine_->take_effects();
      if (effects.empty()) return;
      store_.apply(effects.mutations);
      synced_ = effects.sync;
      for (Reply& reply : effects.replies) take_reply(std::move(reply));
      for (const Load& load : effects.loads) {
        ++loads_;
        engine_->apply(CallId{}, store_.load(load), now_);
      }
      for (const Transfer& transfer : effects.transfers) hand_over(transfer);
    }
  }

  // Does what the shell does for a message that goes to another queue.
  void hand_over(const Transfer& transfer) {
    ++transfers_;
    const auto message = store_.message(transfer.queue, transfer.sequence);
    ASSERT_TRUE(message) << "a message on its way is not in the store";
    const auto destination = transfer.destination ? transfer.destination : split_arn(message->dead_letter_source);
    const CallId call{++calls_};
    on_the_way_.emplace(call, transfer);
    if (!destination) return take_reply({call, Error{ErrorCode::ResourceNotFound, {}}});
    engine_->apply(call,
                   AcceptTransfer{*destination, transfer.kind, transfer.queue, transfer.sequence,
                                  arn_of(transfer.origin), message, transfer.receive_count, transfer.first_received},
                   now_);
  }

  void take_reply(Reply reply) {
    const auto moving = on_the_way_.extract(reply.call);
    if (moving.empty()) {
      replies_[reply.call] = std::move(reply.result);
      return;
    }
    const Transfer& transfer = moving.mapped();
    const auto* accepted = std::get_if<Accepted>(&reply.result);
    std::optional<ErrorCode> failure;
    if (accepted == nullptr) failure = std::get<Error>(reply.result).code;
    engine_->apply(CallId{++calls_}, TransferSettled{transfer.queue, transfer.sequence, failure}, now_);
    if (accepted != nullptr) {
      engine_->apply(CallId{}, ForgetArrival{accepted->queue, transfer.queue, transfer.sequence}, now_);
    }
  }

  // Shorthands for one queue.

  void create(StringMap attributes = {}) { call<Done>(CreateQueue{queue_, std::move(attributes), {}}); }

  std::string send(const std::string& body, std::optional<int> delay = std::nullopt) {
    const auto results = call<SendResults>(message(body, delay));
    return results.entries.size() == 1 ? std::get<Sent>(results.entries[0]).message_id : "";
  }

  SendMessages message(const std::string& body, std::optional<int> delay = std::nullopt) const {
    OutgoingMessage outgoing;
    outgoing.content.body = body;
    outgoing.bytes = body.size();
    outgoing.delay_seconds = delay;
    return SendMessages{queue_, {std::move(outgoing)}, false};
  }

  ReceiveMessages receive_command(int max, std::optional<int> visibility = std::nullopt, int wait = 0) const {
    return ReceiveMessages{queue_, max, visibility, wait, {}};
  }

  std::vector<Delivery> receive(int max, std::optional<int> visibility = std::nullopt) {
    return call<Deliveries>(receive_command(max, visibility)).messages;
  }

  std::vector<std::string> bodies(const std::vector<Delivery>& deliveries) const {
    std::vector<std::string> all;
    for (const Delivery& delivery : deliveries) {
      const auto stored = store_.message(delivery.queue, delivery.sequence);
      all.push_back(stored ? stored->content.body : "<gone>");
    }
    return all;
  }

  std::vector<std::string> receive_bodies(int max, std::optional<int> visibility = std::nullopt) {
    return bodies(receive(max, visibility));
  }

  std::optional<Error> remove(const std::string& handle) {
    const auto results = call<EntryResults>(DeleteMessages{queue_, {handle}});
    return results.entries.empty() ? std::nullopt : results.entries[0];
  }

  std::optional<Error> change(const std::string& handle, int seconds) {
    const auto results = call<EntryResults>(ChangeVisibility{queue_, {{handle, seconds}}});
    return results.entries.empty() ? std::nullopt : results.entries[0];
  }

  std::string attribute(const std::string& name) {
    return call<QueueAttributes>(GetQueueAttributes{queue_, {name}}).attributes[name];
  }

  Deliveries deliveries_of(CallId call) { return std::get<Deliveries>(replies_.at(call)); }

  QueueName queue_{"000000000000", "us-east-1", "jobs"};
  TypedStore store_;
  std::map<CallId, Transfer> on_the_way_;
  int transfers_ = 0;
  int loads_ = 0;
  bool synced_ = false;
};

}  // namespace penstock::core
