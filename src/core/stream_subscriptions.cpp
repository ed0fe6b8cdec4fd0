// Enhanced fan-out: those who wait at the tails of a stream's shards are answered by the put that brings a record.
#include <algorithm>
#include <utility>

#include "core/stream.hpp"
#include "core/stream_errors.hpp"
#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {

void Stream::handle(CallId call, const SubscribeToShard& command, Instant now) {
  if (!is_ready()) return context_.reply(call, stream_not_found(info_.name));
  const StreamConsumer* consumer = find_consumer(command.consumer.name, command.consumer.created_s);
  if (consumer == nullptr) return context_.reply(call, consumer_not_found(info_.name, command.consumer.name));
  if (consumer->status != StreamStatus::active) {
    return context_.reply(call, in_use("Consumer " + arn_of(info_.name, *consumer) + " not ACTIVE, instead in state " +
                                       std::string(name_of(consumer->status))));
  }
  StreamShard* shard = find_shard(command.shard_id);
  if (shard == nullptr) return context_.reply(call, shard_does_not_exist(info_.name, command.shard_id));
  Position position = position_of(*shard, command.start, "SubscribeToShard", now);
  if (auto* error = std::get_if<Error>(&position)) return context_.reply(call, std::move(*error));
  const std::pair key{consumer->name, shard->record.index};
  const auto latest = latest_.find(key);
  if (latest != latest_.end() && holds_off(latest->second)) {
    return context_.reply(
        call, in_use("Another active subscription exists for this consumer: " + arn_of(info_.name, *consumer) +
                     " and shard: " + format_shard_id(shard->record.index)));
  }
  if (subscriptions_.size() >= context_.limits.subscriptions_max) {
    return context_.reply(call, limit_exceeded("There are too many subscriptions to the stream."));
  }
  if (latest != latest_.end()) {
    if (const auto old = subscriptions_.find(latest->second.id.value); old != subscriptions_.end()) {
      end(*old->second, SubscriptionOver{in_use("Another consumer has taken over the subscription to shard " +
                                                format_shard_id(shard->record.index) + " of consumer " +
                                                arn_of(info_.name, *consumer) + ".")});
    }
  }
  auto subscription = std::make_unique<Subscription>();
  subscription->id = SubscriptionId{next_subscription_++};
  subscription->consumer = consumer->name;
  subscription->shard = shard->record.index;
  subscription->started = subscription->answered = now;
  const auto& place = std::get<ShardPosition>(position);
  const Subscribed answer{info_.id, subscription->id, place.from};
  subscription->not_before = place.not_before;
  latest_[key] = Latest{subscription->id, now};
  prune_latest();
  subscriptions_.emplace(subscription->id.value, std::move(subscription));
  context_.reply(call, answer);
}

void Stream::handle(CallId call, const AwaitRecords& command, Instant now) {
  const auto found = subscriptions_.find(command.subscription.value);
  if (command.id != info_.id || found == subscriptions_.end()) return context_.reply(call, SubscriptionOver{});
  Subscription& subscription = *found->second;
  StreamShard* shard = shards_.find(subscription.shard);
  if (!subscription.over && (shard == nullptr || subscription.started + kinesis_limits::subscription_life <= now)) {
    subscription.over = SubscriptionOver{};
  }
  if (subscription.over) {
    context_.reply(call, std::move(*subscription.over));
    return forget(subscription);
  }
  subscription.from = command.from;
  subscription.waits = call;
  if (command.from < shard->cursor.tail || !shard->is_open()) return answer(subscription, *shard, now);
  shard->waiting.push_back(&subscription);
  const Instant due = std::min(subscription.answered + kinesis_limits::heartbeat_interval,
                               subscription.started + kinesis_limits::subscription_life);
  subscription.deadline = context_.deadlines.add(
      std::max(due, now), Due{.kind = Due::Kind::subscription, .id = subscription.id.value, .stream = this});
}

void Stream::handle(CallId, const EndSubscription& command, Instant) {
  const auto found = subscriptions_.find(command.subscription.value);
  if (command.id != info_.id || found == subscriptions_.end()) return;
  Subscription& subscription = *found->second;
  stop_waiting(subscription);
  if (const auto call = std::exchange(subscription.waits, {})) context_.reply(*call, SubscriptionOver{});
  forget(subscription);
}

void Stream::handle(CallId call, const ReadShard& command, Instant now) {
  StreamShard* shard = command.id == info_.id && !is_deleting() ? shards_.find(command.shard) : nullptr;
  if (shard == nullptr) return refuse_deleted(call);
  const ParkedRead read{call, command.from, command.not_before, command.count_max, command.bytes_max, command.consumer};
  if (command.from < shard->cursor.tail || !shard->is_open()) {
    return context_.reply(call, page_for(*shard, read, now));
  }
  if (shard->parked_reads.size() >= context_.limits.subscriptions_max) {
    return context_.reply(call, Error{ErrorCode::KinesisThroughputExceeded, {}});
  }
  shard->parked_reads.push_back(read);
}

void Stream::handle(CallId, const CancelRead& command, Instant) {
  if (StreamShard* shard = shards_.find(command.shard)) {
    std::erase_if(shard->parked_reads, [&command](const ParkedRead& read) { return read.call == command.read; });
  }
}

RecordsPage Stream::page_for(const StreamShard& shard, const ParkedRead& read, Instant now) const {
  RecordsPage page = page_of(shard, read.from, now);
  page.not_before = std::max(page.not_before, read.not_before);
  page.count_max = read.count_max;
  page.bytes_max = read.bytes_max;
  return page;
}

/// Answers every ReadShard that waits: with an error, or with what there is, which is nothing.
void Stream::end_reads(const std::optional<Error>& error) {
  for (auto& [index, shard] : shards_.all()) {
    for (const ParkedRead& read : std::exchange(shard.parked_reads, {})) {
      if (error) {
        context_.reply(read.call, *error);
      } else {
        context_.reply(read.call, page_for(shard, read, context_.now));
      }
    }
  }
}

void Stream::wake(StreamShard& shard, Instant now) {
  for (const ParkedRead& read : std::exchange(shard.parked_reads, {})) {
    context_.reply(read.call, page_for(shard, read, now));
  }
  for (Subscription* subscription : std::vector<Subscription*>(shard.waiting)) answer(*subscription, shard, now);
}

void Stream::answer(Subscription& subscription, const StreamShard& shard, Instant now) {
  stop_waiting(subscription);
  RecordsPage page = page_of(shard, subscription.from, now);
  page.not_before = std::max(page.not_before, subscription.not_before);
  page.bytes_max = kinesis_limits::event_bytes_max;
  subscription.answered = now;
  context_.reply(*std::exchange(subscription.waits, {}), std::move(page));
}

void Stream::stop_waiting(Subscription& subscription) {
  if (subscription.deadline != DeadlineHeap::none) {
    context_.deadlines.remove(std::exchange(subscription.deadline, DeadlineHeap::none));
  }
  if (StreamShard* shard = shards_.find(subscription.shard)) std::erase(shard->waiting, &subscription);
}

/// Tells whoever waits for the subscription, or asks next, that it is over.
void Stream::end(Subscription& subscription, SubscriptionOver over) {
  stop_waiting(subscription);
  if (const auto call = std::exchange(subscription.waits, {})) {
    context_.reply(*call, std::move(over));
    return forget(subscription);
  }
  subscription.over = std::move(over);
}

void Stream::end_all(const std::optional<Error>& error) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, subscription] : subscriptions_) ids.push_back(id);
  // In the order in which they began, so that a replay gives the same.
  std::sort(ids.begin(), ids.end());
  for (const std::uint64_t id : ids) end(*subscriptions_.at(id), SubscriptionOver{error});
}

void Stream::end_of_consumer(const std::string& consumer) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription->consumer == consumer) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const std::uint64_t id : ids) {
    end(*subscriptions_.at(id), SubscriptionOver{consumer_not_found(info_.name, consumer)});
  }
  std::erase_if(latest_, [&consumer](const auto& entry) { return entry.first.first == consumer; });
  for (auto& [index, shard] : shards_.all()) {
    std::vector<ParkedRead>& reads = shard.parked_reads;
    const auto ended = std::stable_partition(reads.begin(), reads.end(),
                                             [&](const ParkedRead& read) { return read.consumer != consumer; });
    for (auto read = ended; read != reads.end(); ++read) {
      context_.reply(read->call, page_for(shard, *read, context_.now));
    }
    reads.erase(ended, reads.end());
  }
}

void Stream::forget(Subscription& subscription) {
  const auto latest = latest_.find({subscription.consumer, subscription.shard});
  if (latest != latest_.end() && latest->second.id == subscription.id && !holds_off(latest->second)) {
    latest_.erase(latest);
  }
  subscriptions_.erase(subscription.id.value);
}

/// Whether a newcomer is refused, also if the subscription itself is over.
bool Stream::holds_off(const Latest& latest) const {
  return latest.started + kinesis_limits::takeover_interval > context_.now;
}

/// Forgets those that were kept only for holding off newcomers, and do so no more.
void Stream::prune_latest() {
  if (latest_.size() <= latest_kept_) return;
  std::erase_if(latest_, [this](const auto& entry) {
    return !subscriptions_.contains(entry.second.id.value) && !holds_off(entry.second);
  });
  // Doubled, so that each look at all of them has been paid for by as many subscriptions.
  latest_kept_ = std::max(latest_kept_min, latest_.size() * 2);
}

void Stream::subscription_due(SubscriptionId id, Instant now) {
  Subscription& subscription = *subscriptions_.at(id.value);
  subscription.deadline = DeadlineHeap::none;
  if (subscription.started + kinesis_limits::subscription_life <= now) return end(subscription, SubscriptionOver{});
  answer(subscription, *shards_.find(subscription.shard), now);
}

}  // namespace penstock::core
