#include "core/shard_engine.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/fifo_queue.hpp"
#include "core/leap.hpp"
#include "core/queue.hpp"
#include "core/queue_settings.hpp"
#include "core/shard_context.hpp"
#include "core/standard_queue.hpp"
#include "core/streams.hpp"
#include "penstock/queue_names.hpp"

namespace penstock::core {

namespace {

// How many deadlines one advance takes off the heap: bounds the time before the shard looks at its connections again.
constexpr std::size_t due_batch_max = 1'000;

// Room for a turn's mutations that is kept ready for the next.
constexpr std::size_t mutations_reserved_max = 256;

Error queue_does_not_exist() { return {ErrorCode::QueueDoesNotExist, {}}; }

class ShardEngine final : public Engine {
 public:
  ShardEngine(const Limits& limits, Entropy& entropy) : limits_(limits), shard_{limits_, entropy}, streams_(shard_) {}

  void recover(RecoveredQueue queue, Instant now) override;
  void recover(RecoveredStream stream, Instant now) override;
  void recover(StreamAccount account) override { streams_.recover(std::move(account)); }
  void apply(CallId call, Command command, Instant now) override;
  void advance(Instant now) override;
  std::optional<Instant> next_deadline() const override { return shard_.deadlines.next(); }
  std::optional<Instant> next_observable() const override {
    return shard_.deadlines.first_moment([](const Due& due, Instant when) -> std::optional<Instant> {
      if (due.stream != nullptr) return due.stream->observable_from(due, when);
      return due.queue != nullptr ? due.queue->observable_from(due, when) : std::nullopt;
    });
  }
  std::optional<Instant> next_stop() const {
    return shard_.deadlines.first_moment([](const Due& due, Instant when) {
      return due.stream != nullptr && due.stream->is_poll_end(due) ? std::nullopt : std::optional(when);
    });
  }
  std::optional<AwaitedMembers> awaited_members() const;
  void name_busy(BusyList& busy) const override { streams_.name_busy(busy); }
  EngineTally tally() const override { return shard_.tally; }
  void survey(SurveyPlace& place, std::size_t steps_max, Survey& survey) const override;
  void release_parked() override;
  Effects take_effects() override;

 private:
  // A name whose queue was deleted, until it may be used again.
  struct Grave {
    QueueRecord record;
    DeadlineHeap::Handle deadline = DeadlineHeap::none;
  };

  Queue* find(const QueueName& name) {
    const auto found = queues_.find(name);
    return found == queues_.end() ? nullptr : found->second.get();
  }
  Queue* find(QueueId id) {
    const auto found = queues_by_id_.find(id);
    return found == queues_by_id_.end() ? nullptr : found->second;
  }
  template <class Work>
  void with_queue(CallId call, const QueueName& name, const Work& work) {
    if (Queue* queue = find(name)) {
      work(*queue);
    } else {
      shard_.reply(call, queue_does_not_exist());
    }
  }
  template <class Loaded, class Work>
  void with_loaded(const Loaded& loaded, const Work& work) {
    // A queue may be deleted while a load for it is on its way.
    if (Queue* queue = find(loaded.queue)) work(*queue);
  }

  Queue& add(QueueRecord record);
  void bury(QueueRecord record);
  void forget(const QueueName& name);

  void handle(CallId call, CreateQueue& command);
  void handle(CallId call, LookupQueue& command);
  void handle(CallId call, ListQueues& command);
  void handle(CallId call, DeleteQueue& command);
  void handle(CallId call, GetQueueAttributes& command);
  void handle(CallId call, SetQueueAttributes& command);
  void handle(CallId call, CheckRedriveTarget& command);
  void handle(CallId call, TagQueue& command);
  void handle(CallId call, UntagQueue& command);
  void handle(CallId call, ListQueueTags& command);
  void handle(CallId call, EditPolicy& command);
  void handle(CallId call, StartMessageMoveTask& command);
  void handle(CallId call, ListMessageMoveTasks& command);
  void handle(CallId call, CancelMessageMoveTask& command);
  void handle(CallId call, PeekMessages& command);
  void handle(CallId call, PurgeQueue& command);
  void handle(CallId call, SendMessages& command);
  void handle(CallId call, ReceiveMessages& command);
  void handle(CallId call, DeleteMessages& command);
  void handle(CallId call, ChangeVisibility& command);
  void handle(CallId call, CancelReceive& command);
  void handle(CallId call, ReturnUndelivered& command);
  void handle(CallId call, AcceptTransfer& command);
  void handle(CallId call, TransferSettled& command);
  void handle(CallId call, ForgetArrival& command);
  void handle(CallId call, ImportMessages& command);
  void handle(CallId call, FreshLoaded& command);
  void handle(CallId call, StatesLoaded& command);
  void handle(CallId call, StatesOfLoaded& command);
  void handle(CallId call, LaneLoaded& command);
  void handle(CallId call, StreamCommand& command) { streams_.apply(call, command, now_); }
  void handle_due(const Due& due);

  const Limits limits_;
  ShardContext shard_;
  Instant now_{};
  std::map<QueueName, std::unique_ptr<Queue>> queues_;
  std::unordered_map<QueueId, Queue*> queues_by_id_;
  std::map<QueueName, Grave> graves_;
  std::unordered_map<std::uint64_t, QueueName> graves_by_id_;
  Streams streams_;
};

Queue& ShardEngine::add(QueueRecord record) {
  const QueueName name = record.name;
  std::unique_ptr<Queue> queue;
  if (is_fifo(name.name)) {
    queue = std::make_unique<FifoQueue>(shard_, std::move(record));
  } else {
    queue = std::make_unique<StandardQueue>(shard_, std::move(record));
  }
  Queue& added = *queue;
  queues_by_id_.emplace(added.id(), &added);
  queues_.emplace(name, std::move(queue));
  return added;
}

void ShardEngine::recover(RecoveredQueue queue, Instant now) {
  now_ = std::max(now_, now);
  shard_.now = now_;
  if (queue.record.deleted) {
    bury(std::move(queue.record));
    return;
  }
  Queue& added = add(queue.record);
  added.recover(std::move(queue), now_);
}

void ShardEngine::recover(RecoveredStream stream, Instant now) {
  now_ = std::max(now_, now);
  shard_.now = now_;
  streams_.recover(std::move(stream));
}

void ShardEngine::bury(QueueRecord record) {
  const Instant until = *record.deleted + sqs_limits::recreate_interval;
  const std::uint64_t id = record.id.value;
  graves_by_id_.emplace(id, record.name);
  const auto deadline = shard_.deadlines.add(until, Due{Due::Kind::forget_queue, nullptr, id});
  QueueName name = record.name;
  graves_.emplace(std::move(name), Grave{std::move(record), deadline});
}

void ShardEngine::forget(const QueueName& name) {
  const auto grave = graves_.find(name);
  if (grave == graves_.end()) return;
  const QueueId id = grave->second.record.id;
  if (grave->second.deadline != DeadlineHeap::none) shard_.deadlines.remove(grave->second.deadline);
  graves_by_id_.erase(id.value);
  graves_.erase(grave);
  shard_.note(DropQueue{id});
}

void ShardEngine::apply(CallId call, Command command, Instant now) {
  // What is due by now comes first, so that no command sees a lease that is over.
  advance(now);
  std::visit([&](auto& request) { handle(call, request); }, command);
}

void ShardEngine::advance(Instant now) {
  now_ = std::max(now_, now);
  shard_.now = now_;
  for (std::size_t taken = 0; taken < due_batch_max; ++taken) {
    const auto next = shard_.deadlines.next();
    if (!next || *next > now_) break;
    handle_due(shard_.deadlines.pop());
  }
  for (Queue* queue : std::exchange(shard_.to_serve, {})) queue->serve(now_);
}

void ShardEngine::handle_due(const Due& due) {
  if (due.stream != nullptr) return streams_.due(due, now_);
  if (due.kind != Due::Kind::forget_queue) return due.queue->due(due, now_);
  const auto found = graves_by_id_.find(due.id);
  if (found == graves_by_id_.end()) return;
  graves_.at(found->second).deadline = DeadlineHeap::none;
  forget(QueueName{found->second});
}

void ShardEngine::release_parked() {
  for (const auto& [name, queue] : queues_) {
    queue->release_parked();
    queue->store_leases();
  }
  streams_.release_parked();
}

void ShardEngine::survey(SurveyPlace& place, std::size_t steps_max, Survey& survey) const {
  std::size_t steps = steps_max;
  if (!place.queues_over) {
    for (auto it = place.queue ? queues_.upper_bound(*place.queue) : queues_.begin(); it != queues_.end(); ++it) {
      if (steps == 0) return;
      survey.queues.push_back(it->second->view(now_));
      place.queue = it->first;
      --steps;
    }
    place.queues_over = true;
  }
  streams_.survey(place, steps, survey);
}

Effects ShardEngine::take_effects() {
  for (Queue* queue : shard_.touched) {
    if (queue->take_touched()) shard_.effects.mutations.emplace_back(PutCursor{queue->id(), queue->stored_cursor()});
  }
  shard_.touched.clear();
  streams_.flush();
  // The next turn is likely to change as much as this one: what it notes then need not move as the list grows.
  const std::size_t likely = std::min(shard_.effects.mutations.size(), mutations_reserved_max);
  Effects effects = std::exchange(shard_.effects, {});
  shard_.effects.mutations.reserve(likely);
  return effects;
}

void ShardEngine::handle(CallId call, CreateQueue& command) {
  if (is_fifo(command.queue.name) && !command.attributes.contains("FifoQueue")) {
    return shard_.reply(call,
                        Error{ErrorCode::InvalidParameterValue,
                              "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"});
  }
  if (const Queue* existing = find(command.queue)) {
    if (auto error = compare_attributes(command.attributes, existing->record())) {
      shard_.reply(call, std::move(*error));
    } else {
      shard_.reply(call, Done{});
    }
    return;
  }
  QueueRecord record;
  record.name = command.queue;
  if (auto error = merge_attributes(command.attributes, record)) return shard_.reply(call, std::move(*error));
  if (command.tags.size() > sqs_limits::tags_max) return shard_.reply(call, too_many_tags());
  if (graves_.contains(command.queue)) {
    if (limits_.strict) {
      shard_.reply(call, Error{ErrorCode::QueueDeletedRecently, {}});
      return;
    }
    forget(command.queue);
  }
  do record.id = QueueId{shard_.entropy.next()};
  while (record.id.value == 0 || queues_by_id_.contains(record.id) || graves_by_id_.contains(record.id.value));
  merge_policies(command.attributes, command.redrive, command.redrive_allow, record);
  record.dedup_by_group = command.attributes.contains("DeduplicationScope") &&
                          command.attributes.at("DeduplicationScope") == "messageGroup";
  record.tags = std::move(command.tags);
  record.created = record.modified = now_;
  const Queue& added = add(std::move(record));
  shard_.promise(PutQueue{added.record()});
  shard_.promise(PutCursor{added.id(), added.stored_cursor()});
  shard_.reply(call, Done{});
}

void ShardEngine::handle(CallId call, LookupQueue& command) {
  with_queue(call, command.queue, [&](Queue&) { shard_.reply(call, Done{}); });
}

void ShardEngine::handle(CallId call, ListQueues& command) {
  QueueNames answer;
  const QueueName first{command.account, command.region, std::max(command.prefix, command.after)};
  for (auto it = queues_.lower_bound(first); it != queues_.end() && answer.queues.size() < command.limit; ++it) {
    const QueueName& name = it->first;
    if (name.account != command.account || name.region != command.region) break;
    if (!name.name.starts_with(command.prefix)) break;
    if (name.name <= command.after) continue;
    const std::string& target = command.dead_letter_target_arn;
    const std::optional<RedrivePolicy>& redrive = it->second->record().redrive;
    if (target.empty() || (redrive && redrive->target_arn == target)) answer.queues.push_back(name);
  }
  shard_.reply(call, std::move(answer));
}

void ShardEngine::handle(CallId call, DeleteQueue& command) {
  // One that was deleted before is forgotten now.
  if (command.at_once && graves_.contains(command.queue)) {
    forget(command.queue);
    shard_.effects.sync = true;
    return shard_.reply(call, Done{});
  }
  with_queue(call, command.queue, [&](Queue& queue) {
    queue.erase(now_);
    QueueRecord record = queue.record();
    queues_by_id_.erase(record.id);
    queues_.erase(record.name);
    if (command.at_once) {
      shard_.promise(DropQueue{record.id});
    } else {
      shard_.promise(PutQueue{record});
      bury(std::move(record));
    }
    shard_.reply(call, Done{});
  });
}

void ShardEngine::handle(CallId call, GetQueueAttributes& command) {
  with_queue(call, command.queue, [&](Queue& queue) {
    auto answer = describe(queue.record(), queue.counts(now_), command.names);
    std::visit([&](auto& either) { shard_.reply(call, std::move(either)); }, answer);
  });
}

void ShardEngine::handle(CallId call, SetQueueAttributes& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.set_attributes(call, command, now_); });
}

void ShardEngine::handle(CallId call, CheckRedriveTarget& command) {
  const Queue* target = find(command.queue);
  if (auto error =
          check_redrive_target(target == nullptr ? nullptr : &target->record(), command.source, command.policy)) {
    return shard_.reply(call, std::move(*error));
  }
  shard_.reply(call, Done{});
}

void ShardEngine::handle(CallId call, TagQueue& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.tag(call, command.tags); });
}

void ShardEngine::handle(CallId call, UntagQueue& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.untag(call, command.keys); });
}

void ShardEngine::handle(CallId call, ListQueueTags& command) {
  with_queue(call, command.queue, [&](const Queue& queue) { shard_.reply(call, QueueTags{queue.record().tags}); });
}

void ShardEngine::handle(CallId call, EditPolicy& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.edit_policy(call, command, now_); });
}

void ShardEngine::handle(CallId call, StartMessageMoveTask& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.start_move_task(call, command, now_); });
}

void ShardEngine::handle(CallId call, ListMessageMoveTasks& command) {
  with_queue(call, command.queue, [&](const Queue& queue) { queue.list_move_tasks(call, command); });
}

void ShardEngine::handle(CallId call, CancelMessageMoveTask& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.cancel_move_task(call, command); });
}

void ShardEngine::handle(CallId call, PeekMessages& command) {
  with_queue(call, command.queue, [&](const Queue& queue) { shard_.reply(call, queue.peek(command, now_)); });
}

void ShardEngine::handle(CallId call, AcceptTransfer& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.accept(call, command, now_); });
}

void ShardEngine::handle(CallId call, TransferSettled& command) {
  if (Queue* queue = find(command.queue)) return queue->transfer_settled(call, command, now_);
  // The origin was deleted while its message was on the way, and everything in it.
  shard_.reply(call, Done{});
}

void ShardEngine::handle(CallId, ForgetArrival& command) {
  if (Queue* queue = find(command.queue)) queue->forget_arrival(command);
}

void ShardEngine::handle(CallId call, ImportMessages& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.import(call, command, now_); });
}

void ShardEngine::handle(CallId, LaneLoaded& command) {
  with_loaded(command, [&](Queue& queue) { queue.lane_loaded(command, now_); });
}

void ShardEngine::handle(CallId call, PurgeQueue& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.purge(call, now_); });
}

void ShardEngine::handle(CallId call, SendMessages& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.send(call, command, now_); });
}

void ShardEngine::handle(CallId call, ReceiveMessages& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.receive(call, command, now_); });
}

void ShardEngine::handle(CallId call, DeleteMessages& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.remove(call, command, now_); });
}

void ShardEngine::handle(CallId call, ChangeVisibility& command) {
  with_queue(call, command.queue, [&](Queue& queue) { queue.change_visibility(call, command, now_); });
}

void ShardEngine::handle(CallId, CancelReceive& command) {
  if (Queue* queue = find(command.queue)) queue->cancel_receive(command.receive);
}

void ShardEngine::handle(CallId, ReturnUndelivered& command) {
  if (Queue* queue = find(command.queue)) queue->return_undelivered(command, now_);
}

void ShardEngine::handle(CallId, FreshLoaded& command) {
  with_loaded(command, [&](Queue& queue) { queue.fresh_loaded(command, now_); });
}

void ShardEngine::handle(CallId, StatesLoaded& command) {
  with_loaded(command, [&](Queue& queue) { queue.states_loaded(command, now_); });
}

void ShardEngine::handle(CallId, StatesOfLoaded& command) {
  with_loaded(command, [&](Queue& queue) { queue.states_of_loaded(command, now_); });
}

// Deadlines behind the first observable moment, whatever they are of, end the search.
std::optional<AwaitedMembers> ShardEngine::awaited_members() const {
  const std::optional<Instant> last = next_observable();
  if (!last) return std::nullopt;
  std::optional<AwaitedMembers> awaited;
  shard_.deadlines.first_moment([&](const Due& due, Instant when) -> std::optional<Instant> {
    if (when > *last) return when;
    const auto since = due.stream != nullptr ? due.stream->awaited_since(due) : std::nullopt;
    if (!since) return std::nullopt;
    if (!awaited) awaited = AwaitedMembers{when, *since};
    awaited->leases_end = std::min(awaited->leases_end, when);
    awaited->since = std::max(awaited->since, *since);
    return std::nullopt;
  });
  return awaited;
}

}  // namespace

std::optional<Instant> next_stop(const Engine& engine) {
  const auto* known = dynamic_cast<const ShardEngine*>(&engine);
  return known != nullptr ? known->next_stop() : engine.next_deadline();
}

std::optional<AwaitedMembers> awaited_members(const Engine& engine) {
  const auto* known = dynamic_cast<const ShardEngine*>(&engine);
  return known != nullptr ? known->awaited_members() : std::nullopt;
}

std::unique_ptr<Engine> make_engine(const Limits& limits, Entropy& entropy) {
  return std::make_unique<ShardEngine>(limits, entropy);
}

}  // namespace penstock::core
