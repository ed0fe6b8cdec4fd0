// What registered consumers and their subscriptions do in the simulated world.
#include <algorithm>
#include <utility>

#include "stream_world.hpp"

namespace penstock::sim {

// ---- Consumers and their subscriptions.

void StreamWorld::toggle_consumer(Plan& plan) {
  const std::size_t index = random_.below(plan.stream->consumers.size());
  const Existence existence = plan.stream->consumers.at(index).existence;
  if (existence == Existence::absent) return register_consumer(plan, index);
  if (existence == Existence::present && random_.one_in(4)) deregister_consumer(plan, index);
}

void StreamWorld::register_consumer(Plan& plan, std::size_t index) {
  Consumer& consumer = plan.stream->consumers.at(index);
  OpenCall call = call_on(plan);
  call.may_fail = call.may_fail || advanced_to_ <= consumer.changing_until;
  consumer.existence = Existence::creating;
  consumer.changing_until = std::max(consumer.changing_until, now_ + limits_.stream_transition);
  call.check = [this, index](const OpenCall& asked, const Result& result) {
    Consumer& its = asked.stream->consumers.at(index);
    its.existence = Existence::absent;
    if (!was_accepted(asked, result)) return;
    const auto* described = answer<ConsumerDescription>(result);
    if (described == nullptr) return broken("a consumer was answered with something else");
    const auto created = std::chrono::floor<std::chrono::seconds>(described->consumer.created).time_since_epoch();
    its.ref = ConsumerRef{its.name, created.count()};
    its.existence = Existence::present;
  };
  issue(std::move(call), RegisterConsumer{plan.name, consumer.name, {}});
}

void StreamWorld::deregister_consumer(Plan& plan, std::size_t index) {
  take_effects();
  Consumer& consumer = plan.stream->consumers.at(index);
  OpenCall call = call_on(plan);
  call.may_fail = call.may_fail || advanced_to_ <= consumer.changing_until;
  consumer.existence = Existence::deleting;
  consumer.changing_until = std::max(consumer.changing_until, now_ + limits_.stream_transition);
  for (const SubscriptionPtr& each : subscriptions_) {
    each->ending = each->ending || (each->stream == plan.stream && each->consumer == index);
  }
  call.check = [this, index](const OpenCall& asked, const Result& result) {
    Consumer& its = asked.stream->consumers.at(index);
    its.existence = was_accepted(asked, result) ? Existence::absent : Existence::present;
  };
  issue(std::move(call), DeregisterConsumer{plan.name, consumer.name, consumer.ref.created_s});
}

void StreamWorld::subscribe(Plan& plan) {
  take_effects();
  const std::size_t consumer = random_.below(plan.stream->consumers.size());
  const Consumer& its = plan.stream->consumers.at(consumer);
  if (its.existence != Existence::present) return toggle_consumer(plan);
  std::optional<ShardIndex> shard = random_shard(*plan.stream);
  // Often one that is subscribed to, so that it is taken over.
  if (!subscriptions_.empty() && random_.one_in(3)) {
    const Subscription& other = *subscriptions_[random_.below(subscriptions_.size())];
    if (other.stream == plan.stream && other.consumer == consumer) shard = other.shard;
  }
  const auto start = shard ? random_start(plan, *shard) : std::nullopt;
  if (!start) return;
  const auto subscription = std::make_shared<Subscription>();
  subscription->plan = index_of(plan);
  subscription->stream = plan.stream;
  subscription->consumer = consumer;
  subscription->shard = *shard;
  if (start->timestamp) subscription->not_before = *start->timestamp;
  OpenCall call = call_on(plan);
  call.may_fail = call.may_fail || plan.stream->model.may_be_gone(*shard) || advanced_to_ <= its.changing_until;
  call.decide = [this, subscription](OpenCall& asked, const Result& result) {
    on_subscribe_decided(asked, subscription, result);
  };
  call.check = [this, subscription, start = *start](const OpenCall& asked, const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      if (!excused(asked, *error)) broken("a subscription was refused: " + error->message);
      return;
    }
    subscription->announced = true;
    ++counts_.starts[start.type];
    hold(asked.stream->model.started({subscription->shard, start, asked.asked, asked.known}, subscription->from,
                                     subscription->not_before));
  };
  issue(std::move(call), SubscribeToShard{plan.name, its.ref, format_shard_id(*shard), *start});
}

void StreamWorld::on_subscribe_decided(OpenCall& call, const SubscriptionPtr& subscription, const Result& result) {
  bool recent = false;
  for (const SubscriptionPtr& each : subscriptions_) {
    if (each->stream != subscription->stream || each->consumer != subscription->consumer ||
        each->shard != subscription->shard) {
      continue;
    }
    const Millis age = now_ - each->begun;
    recent = recent || age <= kinesis_limits::takeover_interval;
    const bool runs = !each->over && !each->ending && !each->superseded;
    if (answer<Subscribed>(result) == nullptr || !runs) continue;
    if (age < kinesis_limits::takeover_interval) return broken("a subscription was taken over too soon");
    each->superseded = true;
    ++counts_.takeovers;
  }
  if (const auto* error = answer<Error>(result)) {
    if (!recent || !is(*error, ErrorCode::KinesisResourceInUse)) return;
    ++counts_.refused_takeovers;
    call.may_fail = true;
    return;
  }
  const auto* got = answer<Subscribed>(result);
  if (got == nullptr) return broken("a subscription was answered with something else");
  subscription->id = got->id;
  subscription->subscription = got->subscription;
  subscription->from = got->from;
  subscription->begun = now_;
  subscriptions_.push_back(subscription);
}

void StreamWorld::end_subscription() {
  if (subscriptions_.empty()) return;
  Subscription& subscription = *subscriptions_[random_.below(subscriptions_.size())];
  if (!subscription.announced || subscription.over) return;
  hang_up(subscription);
}

void StreamWorld::hang_up(Subscription& subscription) {
  take_effects();
  subscription.ending = subscription.over = true;
  engine_->apply(
      CallId{},
      StreamCommand{EndSubscription{plans_[subscription.plan].name, subscription.id, subscription.subscription}}, now_);
}

void StreamWorld::follow_subscriptions() {
  std::erase_if(subscriptions_, [&](const SubscriptionPtr& each) {
    return each->over && !each->awaits && now_ - each->begun > 2 * kinesis_limits::takeover_interval;
  });
  // Of a copy, since a crash may end them all.
  for (const SubscriptionPtr& each : std::vector<SubscriptionPtr>(subscriptions_)) {
    if (each->announced && !each->over && !each->awaits && random_.one_in(2)) await(each);
  }
}

void StreamWorld::await(const SubscriptionPtr& subscription) {
  const Plan& plan = plans_[subscription->plan];
  OpenCall call = call_on(plan);
  call.stream = subscription->stream;
  call.awaiting = subscription;
  call.from = subscription->from;
  call.decide = [this, subscription](OpenCall&, const Result& result) { on_await_decided(subscription, result); };
  call.check = [this, subscription](const OpenCall& asked, const Result& result) {
    const auto* page = answer<RecordsPage>(result);
    if (page == nullptr) {
      subscription->over = true;
      subscription->awaits.reset();
      return;
    }
    readings_.push_back({asked, *page, [this, subscription](const OpenCall& read, const RecordsPage& filled) {
                           on_event(read, subscription, filled);
                         }});
  };
  // Its answer may be given before the id is known here.
  subscription->awaits = CallId{next_call_ + 1};
  issue(std::move(call), AwaitRecords{plan.name, subscription->id, subscription->subscription, subscription->from});
}

void StreamWorld::on_await_decided(const SubscriptionPtr& subscription, const Result& result) {
  const Instant end = subscription->begun + kinesis_limits::subscription_life;
  const bool gone = subscription->superseded || subscription->ending;
  if (const auto* page = answer<RecordsPage>(result)) {
    // A heartbeat that was due comes first.
    const bool is_heartbeat = page->from >= page->until;
    if (subscription->superseded || (subscription->ending && !is_heartbeat)) {
      broken("a subscription that is over goes on");
    }
    if (now_ > end) broken("a subscription lasts longer than five minutes");
    return;
  }
  if (!gone && now_ >= end) ++counts_.outlived;
  const bool shard_gone = subscription->stream->model.may_be_gone(subscription->shard);
  // The newcomer that takes it over is answered behind it.
  if (!gone && now_ < end && !shard_gone) subscription->ends_early = true;
}

void StreamWorld::on_event(const OpenCall& call, const SubscriptionPtr& subscription, const RecordsPage& page) {
  subscription->awaits.reset();
  if (page.id != subscription->id) return broken("an event of another stream");
  check_page(call,
             PageAsked{subscription->shard, subscription->from, subscription->not_before, 0, call.asked, call.known,
                       call.expired_before},
             page);
  counts_.pushed += page.records.size();
  if (page.records.empty()) ++counts_.heartbeats;
  subscription->from = page.next;
  if (!page.ends_shard() || subscription->over) return;
  ++counts_.ends;
  hang_up(*subscription);
}

}  // namespace penstock::sim
