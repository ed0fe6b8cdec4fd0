// What a stream is called and how it is set: its statuses, its settings, its tags and policies, its consumers.
#include "core/stream.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/stream_errors.hpp"
#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {
namespace {

/// What ALL stands for, sorted.
constexpr std::array<std::string_view, 7> all_metrics{"IncomingBytes",
                                                      "IncomingRecords",
                                                      "IteratorAgeMilliseconds",
                                                      "OutgoingBytes",
                                                      "OutgoingRecords",
                                                      "ReadProvisionedThroughputExceeded",
                                                      "WriteProvisionedThroughputExceeded"};

/// Forgets what is a day old, and notes one more.
void note_change(std::vector<Instant>& changes, Instant now) {
  std::erase_if(changes, [now](Instant at) { return at + kinesis_limits::day <= now; });
  changes.push_back(now);
}

bool is_exhausted(const std::vector<Instant>& changes, std::size_t most, Instant now) {
  const auto recent =
      std::count_if(changes.begin(), changes.end(), [now](Instant at) { return at + kinesis_limits::day > now; });
  return static_cast<std::size_t>(recent) >= most;
}

StreamTags page_of_tags(const std::map<std::string, std::string>& tags, const std::string& after, std::size_t limit) {
  StreamTags page;
  for (auto it = after.empty() ? tags.begin() : tags.upper_bound(after); it != tags.end(); ++it) {
    if (page.tags.size() == limit) {
      page.more = true;
      break;
    }
    page.tags.insert(*it);
  }
  return page;
}

}  // namespace

Stream::Stream(ShardContext& context, StreamInfo info, std::size_t shard_count)
    : context_(context), info_(std::move(info)), groups_(context, *this, shards_) {
  shards_.create(shard_count, info_.next_shard, context_.now);
  reshaped();
  begin(StreamStatus::creating, context_.now);
  save();
}

Stream::Stream(ShardContext& context, RecoveredStream recovered)
    : context_(context), info_(std::move(recovered.info)), groups_(context, *this, shards_) {
  for (RecoveredShard& shard : recovered.shards) shards_.add(std::move(shard));
  shards_.link();
  for (auto& [index, shard] : shards_.all()) arm_trim(shard);
  if (info_.status != StreamStatus::active) {
    status_deadline_ =
        context_.deadlines.add(info_.status_until, Due{.kind = Due::Kind::stream_status, .stream = this});
  }
  arm_consumers();
  // One that is being deleted has them no more.
  if (!is_deleting()) groups_.recover(std::move(recovered.groups));
}

Stream::~Stream() {
  for (const auto& [id, subscription] : subscriptions_) stop_waiting(*subscription);
  for (auto& [index, shard] : shards_.all()) {
    if (shard.trim != DeadlineHeap::none) context_.deadlines.remove(shard.trim);
  }
  for (const DeadlineHeap::Handle deadline : {status_deadline_, consumer_deadline_}) {
    if (deadline != DeadlineHeap::none) context_.deadlines.remove(deadline);
  }
}

void Stream::save() { context_.promise(PutStream{info_}); }

void Stream::begin(StreamStatus status, Instant now) {
  if (status_deadline_ != DeadlineHeap::none)
    context_.deadlines.remove(std::exchange(status_deadline_, DeadlineHeap::none));
  info_.status = status;
  info_.status_until = now + context_.limits.stream_transition;
  if (info_.status_until <= now) {
    info_.status = StreamStatus::active;
    gone_ = status == StreamStatus::deleting;
    return;
  }
  status_deadline_ = context_.deadlines.add(info_.status_until, Due{.kind = Due::Kind::stream_status, .stream = this});
}

void Stream::status_due(Instant now) {
  status_deadline_ = DeadlineHeap::none;
  if (info_.status == StreamStatus::deleting) {
    gone_ = true;
    return;
  }
  info_.status = StreamStatus::active;
  info_.status_until = now;
  context_.note(PutStream{info_});
}

std::optional<Instant> Stream::observable_from(const Due& due, Instant when) const {
  switch (due.kind) {
    case Due::Kind::stream_status:
    case Due::Kind::stream_consumers:
      return when;
    case Due::Kind::stream_trim:
      return expiry_seen(ShardIndex{static_cast<std::uint32_t>(due.id)}, when);
    case Due::Kind::group_member:
    case Due::Kind::group_sweep:
      return groups_.observable_from(due, when);
    default:
      return std::nullopt;
  }
}

void Stream::due(const Due& due, Instant now) {
  switch (due.kind) {
    case Due::Kind::stream_status:
      return status_due(now);
    case Due::Kind::stream_consumers:
      return consumers_due(now);
    case Due::Kind::stream_trim:
      return trim(ShardIndex{static_cast<std::uint32_t>(due.id)}, now);
    case Due::Kind::subscription:
      return subscription_due(SubscriptionId{due.id}, now);
    case Due::Kind::group_member:
    case Due::Kind::group_sweep:
      return groups_.due(due, now);
    default:
      return;
  }
}

void Stream::erase(Instant now) {
  end_all(stream_not_found(info_.name));
  end_reads(stream_not_found(info_.name));
  groups_.erase(stream_not_found(info_.name));
  context_.promise(DropStreamRecords{info_.id});
  begin(StreamStatus::deleting, now);
  if (gone_) return;
  save();
}

void Stream::end_deletion() {
  if (status_deadline_ != DeadlineHeap::none) {
    context_.deadlines.remove(std::exchange(status_deadline_, DeadlineHeap::none));
  }
  gone_ = true;
}

void Stream::release_parked() {
  end_all(std::nullopt);
  end_reads(std::nullopt);
  groups_.release_parked();
}

void Stream::refuse_deleted(CallId call) { context_.reply(call, stream_not_found(info_.name)); }

bool Stream::refuse_unless_active(CallId call) {
  if (info_.status == StreamStatus::active) return false;
  context_.reply(call, stream_not_active(info_));
  return true;
}

bool Stream::refuse_unless_ready(CallId call) {
  if (is_ready()) return false;
  context_.reply(call, stream_not_found(info_.name));
  return true;
}

void Stream::update(CallId call, Instant now, Result result) {
  begin(StreamStatus::updating, now);
  save();
  context_.reply(call, std::move(result));
}

// ---- Descriptions.

void Stream::handle(CallId call, const DescribeStream& command, Instant now) {
  StreamDescription answer;
  std::optional<ShardIndex> after;
  if (!command.after_shard_id.empty()) {
    after = parse_shard_id(command.after_shard_id);
    if (!after) return context_.reply(call, shard_not_found(info_.name, command.after_shard_id));
  }
  answer.info = info_;
  if (!is_ready()) return context_.reply(call, std::move(answer));
  const auto& all = shards_.all();
  for (auto it = after ? all.upper_bound(*after) : all.begin(); it != all.end(); ++it) {
    if (it->second.record.closed && *it->second.record.closed <= horizon(now)) continue;
    if (answer.shards.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.shards.push_back(it->second.record);
  }
  context_.reply(call, std::move(answer));
}

void Stream::handle(CallId call, const DescribeStreamSummary&, Instant) {
  context_.reply(call, StreamSummary{info_, is_ready() ? shards_.open_count() : 0});
}

// ---- Tags and policies.

template <class Work>
void Stream::with_consumer(CallId call, const std::optional<ConsumerRef>& consumer, const Work& work) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (!consumer) return work(info_.tags, info_.policy);
  StreamConsumer* found = find_consumer(consumer->name, consumer->created_s);
  if (found == nullptr) return context_.reply(call, consumer_not_found(info_.name, consumer->name));
  work(found->tags, found->policy);
}

std::string Stream::arn_of_resource(const std::optional<ConsumerRef>& consumer) {
  return consumer ? arn_of(info_.name, *find_consumer(consumer->name)) : arn_of(info_.name);
}

void Stream::handle(CallId call, const TagStream& command, Instant) {
  with_consumer(call, command.consumer, [&](auto& tags, auto&) {
    auto merged = command.tags;
    merged.insert(tags.begin(), tags.end());  // what was given wins
    if (merged.size() > kinesis_limits::tags_max) {
      return context_.reply(call,
                            invalid_argument("Failed to add tags to stream " + info_.name.name + " under account " +
                                             info_.name.account + " because a given stream cannot have more than " +
                                             std::to_string(kinesis_limits::tags_max) + " tags associated with it."));
    }
    tags = std::move(merged);
    save();
    context_.reply(call, Done{});
  });
}

void Stream::handle(CallId call, const UntagStream& command, Instant) {
  with_consumer(call, command.consumer, [&](auto& tags, auto&) {
    for (const std::string& key : command.keys) tags.erase(key);
    save();
    context_.reply(call, Done{});
  });
}

void Stream::handle(CallId call, const ListStreamTags& command, Instant) {
  with_consumer(call, command.consumer,
                [&](auto& tags, auto&) { context_.reply(call, page_of_tags(tags, command.after, command.limit)); });
}

void Stream::handle(CallId call, const PutStreamPolicy& command, Instant) {
  with_consumer(call, command.consumer, [&](auto&, auto& policy) {
    policy = command.policy;
    save();
    context_.reply(call, Done{});
  });
}

void Stream::handle(CallId call, const GetStreamPolicy& command, Instant) {
  with_consumer(call, command.consumer, [&](auto&, auto& policy) { context_.reply(call, StreamPolicy{policy}); });
}

void Stream::handle(CallId call, const DeleteStreamPolicy& command, Instant) {
  with_consumer(call, command.consumer, [&](auto&, auto& policy) {
    if (policy.empty()) {
      return context_.reply(call,
                            Error{ErrorCode::KinesisResourceNotFound,
                                  "No resource policy found for resource ARN " + arn_of_resource(command.consumer)});
    }
    policy.clear();
    save();
    context_.reply(call, Done{});
  });
}

// ---- Settings.

void Stream::handle(CallId call, const UpdateRetention& command, Instant now) {
  const std::string of_stream = "Requested retention period (" + std::to_string(command.hours) + " hours) for stream " +
                                info_.name.name + " can not be ";
  const auto old = static_cast<std::int32_t>(info_.retention_hours);
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (command.hours < static_cast<std::int32_t>(kinesis_limits::retention_hours_min)) {
    return context_.reply(call, invalid_argument("Minimum allowed retention period is " +
                                                 std::to_string(kinesis_limits::retention_hours_min) +
                                                 " hours. Requested retention period (" +
                                                 std::to_string(command.hours) + " hours) is too short."));
  }
  if (command.hours > static_cast<std::int32_t>(kinesis_limits::retention_hours_max)) {
    return context_.reply(call, invalid_argument("Maximum allowed retention period is " +
                                                 std::to_string(kinesis_limits::retention_hours_max) +
                                                 " hours. Requested retention period (" +
                                                 std::to_string(command.hours) + " hours) is too long."));
  }
  if (command.increase && command.hours < old) {
    return context_.reply(call, invalid_argument(of_stream + "shorter than existing retention period (" +
                                                 std::to_string(old) + " hours). Use DecreaseRetentionPeriod API."));
  }
  if (!command.increase && command.hours > old) {
    return context_.reply(call, invalid_argument(of_stream + "longer than existing retention period (" +
                                                 std::to_string(old) + " hours). Use IncreaseRetentionPeriod API."));
  }
  if (refuse_unless_active(call)) return;
  if (command.hours == old) return context_.reply(call, Done{});
  // What has expired stays gone, whether it was dropped already or not.
  info_.floor = horizon(now);
  info_.retention_hours = static_cast<std::uint32_t>(command.hours);
  for (auto& [index, shard] : shards_.all()) arm_trim(shard);
  update(call, now);
}

void Stream::handle(CallId call, const UpdateEncryption& command, Instant now) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (refuse_unless_active(call)) return;
  if (command.start == info_.encrypted && (!command.start || command.key_id == info_.key_id)) {
    return context_.reply(call, Done{});
  }
  info_.encrypted = command.start;
  info_.key_id = command.start ? command.key_id : std::string();
  update(call, now);
}

void Stream::handle(CallId call, const UpdateMonitoring& command, Instant) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (refuse_unless_active(call)) return;
  MonitoringChanged answer{info_.name, info_.metrics, info_.metrics};
  std::vector<std::string> wanted = command.metrics;
  if (std::find(wanted.begin(), wanted.end(), "ALL") != wanted.end())
    wanted.assign(all_metrics.begin(), all_metrics.end());
  for (const std::string& metric : wanted) {
    std::erase(answer.after, metric);
    if (command.enable) answer.after.push_back(metric);
  }
  std::sort(answer.after.begin(), answer.after.end());
  info_.metrics = answer.after;
  save();
  context_.reply(call, std::move(answer));
}

void Stream::handle(CallId call, const UpdateStreamMode& command, Instant now) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (refuse_unless_active(call)) return;
  if (command.warm_mibps && !command.on_demand) {
    return context_.reply(call, Error{ErrorCode::KinesisValidation,
                                      "WarmThroughputMiBps is only supported for streams in ON_DEMAND mode."});
  }
  if (command.warm_mibps && *command.warm_mibps > kinesis_limits::warm_mibps_max) {
    return context_.reply(call, limit_exceeded("WarmThroughputMiBps can not be greater than " +
                                               std::to_string(kinesis_limits::warm_mibps_max) + "."));
  }
  if (command.on_demand != info_.on_demand) {
    if (context_.limits.strict && is_exhausted(info_.mode_changes, kinesis_limits::mode_changes_max, now)) {
      return context_.reply(
          call, limit_exceeded("The stream mode of stream " + info_.name.name + " under account " + info_.name.account +
                               " can not be changed more than twice in 24 hours."));
    }
    note_change(info_.mode_changes, now);
    info_.on_demand = command.on_demand;
    if (!info_.on_demand) info_.warm_mibps.reset();
  }
  if (command.warm_mibps) info_.warm_mibps = command.warm_mibps;
  update(call, now);
}

void Stream::handle(CallId call, const UpdateWarmThroughput& command, Instant now) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (!info_.on_demand) {
    return context_.reply(call, Error{ErrorCode::KinesisValidation,
                                      "WarmThroughputMiBps is only supported for streams in ON_DEMAND mode."});
  }
  if (command.mibps > kinesis_limits::warm_mibps_max) {
    return context_.reply(call, limit_exceeded("WarmThroughputMiBps can not be greater than " +
                                               std::to_string(kinesis_limits::warm_mibps_max) + "."));
  }
  if (refuse_unless_active(call)) return;
  const std::uint32_t current = info_.warm_mibps.value_or(0);
  info_.warm_mibps = command.mibps;
  update(call, now, WarmThroughput{info_.name, command.mibps, current});
}

void Stream::handle(CallId call, const UpdateMaxRecordSize& command, Instant now) {
  if (is_deleting()) return context_.reply(call, stream_not_found(info_.name));
  if (refuse_unless_active(call)) return;
  info_.record_kib_max = command.record_kib_max;
  update(call, now);
}

// ---- Consumers.

StreamConsumer* Stream::find_consumer(std::string_view name, std::optional<std::int64_t> created_s) {
  const auto found =
      std::lower_bound(info_.consumers.begin(), info_.consumers.end(), name,
                       [](const StreamConsumer& consumer, std::string_view wanted) { return consumer.name < wanted; });
  if (found == info_.consumers.end() || found->name != name) return nullptr;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(found->created).time_since_epoch().count();
  return created_s && *created_s != seconds ? nullptr : &*found;
}

void Stream::handle(CallId call, const RegisterConsumer& command, Instant now) {
  if (is_deleting() || info_.status == StreamStatus::creating) {
    return context_.reply(call, is_deleting() ? stream_not_found(info_.name) : stream_not_active(info_));
  }
  if (find_consumer(command.name) != nullptr) {
    return context_.reply(call, in_use("Consumer " + command.name + " of stream " + info_.name.name +
                                       " under account " + info_.name.account + " already exists."));
  }
  const auto creating =
      std::count_if(info_.consumers.begin(), info_.consumers.end(),
                    [](const StreamConsumer& consumer) { return consumer.status == StreamStatus::creating; });
  if (info_.consumers.size() >= kinesis_limits::consumers_max ||
      (context_.limits.strict && static_cast<std::size_t>(creating) >= kinesis_limits::consumers_creating_max)) {
    return context_.reply(call, limit_exceeded("Stream " + info_.name.name + " under account " + info_.name.account +
                                               " can not have more consumers: " +
                                               std::to_string(info_.consumers.size()) + " are registered."));
  }
  if (command.tags.size() > kinesis_limits::tags_max) {
    return context_.reply(call, invalid_argument("A consumer can not have more than " +
                                                 std::to_string(kinesis_limits::tags_max) + " tags."));
  }
  StreamConsumer consumer;
  consumer.name = command.name;
  consumer.created = now;
  consumer.tags = command.tags;
  consumer.status_until = now + context_.limits.stream_transition;
  ConsumerDescription answer{info_.name, consumer};
  if (consumer.status_until <= now) consumer.status = StreamStatus::active;
  const auto place =
      std::lower_bound(info_.consumers.begin(), info_.consumers.end(), consumer.name,
                       [](const StreamConsumer& each, const std::string& name) { return each.name < name; });
  info_.consumers.insert(place, std::move(consumer));
  arm_consumers();
  save();
  context_.reply(call, std::move(answer));
}

void Stream::handle(CallId call, const DeregisterConsumer& command, Instant now) {
  StreamConsumer* consumer = is_deleting() ? nullptr : find_consumer(command.name, command.created_s);
  if (consumer == nullptr) return context_.reply(call, consumer_not_found(info_.name, command.name));
  end_of_consumer(command.name);
  if (consumer->status != StreamStatus::deleting) {
    consumer->status = StreamStatus::deleting;
    consumer->status_until = now + context_.limits.stream_transition;
    if (consumer->status_until <= now)
      info_.consumers.erase(info_.consumers.begin() + (consumer - info_.consumers.data()));
    arm_consumers();
    save();
  }
  context_.reply(call, Done{});
}

void Stream::handle(CallId call, const DescribeConsumer& command, Instant) {
  const StreamConsumer* consumer = is_deleting() ? nullptr : find_consumer(command.name, command.created_s);
  if (consumer == nullptr) return context_.reply(call, consumer_not_found(info_.name, command.name));
  context_.reply(call, ConsumerDescription{info_.name, *consumer});
}

void Stream::handle(CallId call, const ListConsumers& command, Instant) {
  if (is_deleting() || !is_created_at(command.created)) {
    return context_.reply(call, stream_not_found(info_.name));
  }
  if (command.id && *command.id != info_.id) {
    return context_.reply(call, Error{ErrorCode::KinesisExpiredNextToken, "The NextToken is of another stream."});
  }
  ConsumerList answer{info_.id, info_.name, {}, false};
  for (const StreamConsumer& consumer : info_.consumers) {
    if (consumer.name <= command.after) continue;
    if (answer.consumers.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.consumers.push_back(consumer);
  }
  context_.reply(call, std::move(answer));
}

// Clients give the time back in whole seconds.
bool Stream::is_created_at(std::optional<Instant> at) const {
  using std::chrono::seconds;
  return !at || std::chrono::floor<seconds>(*at) == std::chrono::floor<seconds>(info_.created);
}

void Stream::arm_consumers() {
  if (consumer_deadline_ != DeadlineHeap::none) {
    context_.deadlines.remove(std::exchange(consumer_deadline_, DeadlineHeap::none));
  }
  std::optional<Instant> first;
  for (const StreamConsumer& consumer : info_.consumers) {
    if (consumer.status != StreamStatus::active)
      first = std::min(first.value_or(consumer.status_until), consumer.status_until);
  }
  if (first)
    consumer_deadline_ = context_.deadlines.add(*first, Due{.kind = Due::Kind::stream_consumers, .stream = this});
}

void Stream::consumers_due(Instant now) {
  consumer_deadline_ = DeadlineHeap::none;
  std::erase_if(info_.consumers, [now](const StreamConsumer& consumer) {
    return consumer.status == StreamStatus::deleting && consumer.status_until <= now;
  });
  for (StreamConsumer& consumer : info_.consumers) {
    if (consumer.status_until <= now && consumer.status == StreamStatus::creating)
      consumer.status = StreamStatus::active;
  }
  arm_consumers();
  context_.note(PutStream{info_});
}

}  // namespace penstock::core
