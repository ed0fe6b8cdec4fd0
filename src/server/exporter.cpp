#include "server/exporter.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "config/creation.hpp"
#include "config/requests.hpp"
#include "penstock/queue_names.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/base64.hpp"
#include "protocol/kinesis/record_operations.hpp"
#include "protocol/percent.hpp"
#include "server/portable.hpp"
#include "server/version.hpp"
#include "storage/decoding.hpp"
#include "storage/keys.hpp"
#include "storage/table_cursor.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::server {

namespace {

using config::map_value;
using config::number_value;
using config::Request;
using config::text_value;
using config::Value;
using storage::TableCursor;

/// What a list is asked for at a time.
constexpr std::int64_t tags_page = 50;
constexpr std::int64_t consumers_page = 10'000;

[[noreturn]] void fail(const StoreError& error) { throw std::runtime_error(error.message); }

Value list_value(std::vector<Value> items) {
  Value list;
  list.kind = Value::Kind::list;
  list.items = std::move(items);
  return list;
}

/// Those members of a map that are there and say something.
Value pick(const Value& from, std::initializer_list<std::string_view> names) {
  Value picked = map_value();
  for (const std::string_view name : names) {
    const Value* const found = from.find(name);
    const bool says_something = found != nullptr && found->kind != Value::Kind::null &&
                                !(found->kind == Value::Kind::text && found->text.empty()) &&
                                !(found->kind == Value::Kind::list && found->items.empty()) &&
                                !(found->kind == Value::Kind::map && found->members.empty());
    if (says_something) picked.set(name, *found);
  }
  return picked;
}

Value of_service(std::string_view service, std::string_view operation, Value input) {
  Value request = map_value();
  request.set("service", text_value(std::string(service)));
  request.set("operation", text_value(std::string(operation)));
  request.set("input", std::move(input));
  return request;
}

Value at_path(std::string_view method, std::string path, Value input) {
  Value request = map_value();
  request.set("method", text_value(std::string(method)));
  request.set("path", text_value(std::move(path)));
  request.set("input", std::move(input));
  return request;
}

Value line_of(const Home& home) {
  Value line = map_value();
  line.set("account", text_value(home.account));
  line.set("region", text_value(home.region));
  return line;
}

void append(std::string& lines, const Value& line) { lines.append(config::to_json(line)).append("\n"); }

void append(std::string& lines, const Home& home, Value create, std::vector<Value> then = {}) {
  Value line = line_of(home);
  line.set("create", std::move(create));
  if (!then.empty()) line.set("then", list_value(std::move(then)));
  append(lines, line);
}

Value one(std::string_view name, std::string text) {
  Value input = map_value();
  input.set(name, text_value(std::move(text)));
  return input;
}

/// What is asked for, or nothing where it has gone meanwhile.
std::optional<Value> answer_of(OwnClients& clients, const Home& home, const Request& request) {
  const config::Answer answer = clients.ask(home, request);
  if (!answer.is_success()) return std::nullopt;
  return config::content_of(answer);
}

// ---- Queues

std::string url_of(const QueueName& queue) { return "http://localhost/" + queue.account + "/" + queue.name; }

/// The request that makes it; nothing where it has gone meanwhile.
std::optional<Value> creation_of(OwnClients& clients, const QueueName& queue) {
  const Home home{queue.account, queue.region};
  Value question = one("QueueUrl", url_of(queue));
  Value names;
  names.kind = Value::Kind::list;
  names.items.push_back(text_value("All"));
  Value tags_question = question;
  question.set("AttributeNames", std::move(names));
  const auto described = answer_of(clients, home, config::sqs_request("GetQueueAttributes", question));
  if (!described) return std::nullopt;
  Value attributes = map_value();
  if (const Value* all = described->find("Attributes")) {
    for (const config::Member& member : all->members) {
      const bool is_told_or_later = member.name.starts_with("Approximate") || member.name.ends_with("Timestamp") ||
                                    member.name == "QueueArn" || member.name == "RedrivePolicy";
      if (!is_told_or_later) attributes.set(member.name, member.value);
    }
  }
  Value input = one("QueueName", queue.name);
  input.set("Attributes", std::move(attributes));
  const auto tags = answer_of(clients, home, config::sqs_request("ListQueueTags", tags_question));
  if (const Value* found = tags ? tags->find("Tags") : nullptr; found != nullptr && !found->members.empty()) {
    input.set("tags", *found);
  }
  return of_service("sqs", "CreateQueue", std::move(input));
}

/// The request that says where its dead letters go.
Value redrive_request(const QueueRecord& queue) {
  Value policy = one("deadLetterTargetArn", queue.redrive->target_arn);
  policy.set("maxReceiveCount", number_value(queue.redrive->max_receive_count));
  Value input = one("QueueUrl", url_of(queue.name));
  input.set("Attributes", one("RedrivePolicy", config::to_json(policy)));
  return of_service("sqs", "SetQueueAttributes", std::move(input));
}

/// Queues that are made together, and only then told where their dead letters go.
void append_queues(OwnClients& clients, const std::vector<QueueRecord>& queues, std::string& lines) {
  std::vector<Value> creations;
  std::vector<Value> then;
  for (const QueueRecord& queue : queues) {
    auto creation = creation_of(clients, queue.name);
    if (!creation) continue;
    creations.push_back(*std::move(creation));
    if (queue.redrive) then.push_back(redrive_request(queue));
  }
  if (creations.empty()) return;
  Value create = creations.size() == 1 ? std::move(creations.front()) : list_value(std::move(creations));
  append(lines, {queues.front().name.account, queues.front().name.region}, std::move(create), std::move(then));
}

Value message_value(const StoredMessage& message, const std::optional<MessageState>& state) {
  const MessageContent& content = message.content;
  Value value = map_value();
  value.set("id", text_value(message.message_id));
  value.set("sent", number_value(to_epoch_ms(message.sent)));
  value.set("body", text_value(content.body));
  std::vector<Value> attributes;
  for (const MessageAttribute& attribute : content.attributes) {
    Value one_attribute = one("name", attribute.name);
    one_attribute.set("type", text_value(attribute.data_type));
    if (attribute.is_binary()) {
      one_attribute.set("base64", text_value(protocol::base64_encode(attribute.value)));
    } else {
      one_attribute.set("value", text_value(attribute.value));
    }
    attributes.push_back(std::move(one_attribute));
  }
  if (!attributes.empty()) value.set("attributes", list_value(std::move(attributes)));
  const std::array<std::pair<std::string_view, const std::string*>, 5> texts{
      {{"sender", &content.sender_id},
       {"trace", &content.trace_header},
       {"group", &content.group_id},
       {"deduplication", &content.deduplication_id},
       {"source", &message.dead_letter_source}}};
  for (const auto& [name, text] : texts) {
    if (!text->empty()) value.set(name, text_value(*text));
  }
  if (!state) return value;
  if (state->receive_count > 0) {
    value.set("receives", number_value(state->receive_count));
    value.set("first_received", number_value(to_epoch_ms(state->first_received_at)));
    if (state->arrival_count > 0) value.set("arrivals", number_value(state->arrival_count));
  } else if (state->visible_at > message.sent) {
    // Who has it in flight cannot have it elsewhere, so that only what was never received waits.
    value.set("visible", number_value(to_epoch_ms(state->visible_at)));
  }
  return value;
}

/// The messages of one queue, with their states beside them.
class QueueWalk {
 public:
  QueueWalk(const Store& store, QueueName queue, QueueId id)
      : queue_(std::move(queue)),
        messages_(store, Table::messages, storage::queue_contents(id).from.view(),
                  storage::queue_contents(id).until.view()),
        states_(store, Table::state, storage::states_from(id, Sequence{}).from.view(),
                storage::states_from(id, Sequence{}).until.view()) {}

  bool append_some(std::string& lines) {
    for (; messages_.valid() && lines.size() < portable::piece_bytes; messages_.next()) append_one(lines);
    if (messages_.error()) fail(messages_.error());
    return messages_.valid();
  }

 private:
  void append_one(std::string& lines) {
    const auto at = storage::parse_message_key(messages_.key());
    StoredMessage message;
    if (!at || !storage::decode_message(messages_.value(), message)) {
      throw std::runtime_error("a message of queue " + queue_.name + " cannot be read");
    }
    Value line = line_of({queue_.account, queue_.region});
    line.set("queue", text_value(queue_.name));
    line.set("message", message_value(message, state_of(at->sequence)));
    append(lines, line);
  }

  std::optional<MessageState> state_of(Sequence sequence) {
    std::optional<MessageState> found;
    for (; states_.valid(); states_.next()) {
      const auto at = storage::parse_state_key(states_.key());
      if (at && at->sequence > sequence) break;
      if (!at || at->sequence < sequence) continue;
      if (!storage::decode_state(states_.value(), at->revision, found.emplace())) found.reset();
    }
    return found;
  }

  const QueueName queue_;
  TableCursor messages_;
  TableCursor states_;
};

/// Queues in the order of their names, but that those to which dead letters go come before those they come from.
std::vector<const QueueRecord*> in_order(const std::map<QueueName, QueueRecord>& queues) {
  std::vector<const QueueRecord*> order;
  std::set<QueueName> taken;
  for (const auto& [name, record] : queues) {
    // From one to the next, as far as the way is new.
    std::vector<const QueueRecord*> way;
    for (const QueueRecord* next = &record; next != nullptr && taken.insert(next->name).second;) {
      way.push_back(next);
      const auto target = next->redrive ? split_arn(next->redrive->target_arn) : std::nullopt;
      const auto found = target ? queues.find(*target) : queues.end();
      next = found == queues.end() ? nullptr : &found->second;
    }
    order.insert(order.end(), way.rbegin(), way.rend());
  }
  return order;
}

/// The same, those together that are each other's dead-letter queues.
std::vector<std::vector<QueueRecord>> in_groups(const std::map<QueueName, QueueRecord>& queues) {
  std::vector<std::vector<QueueRecord>> groups;
  std::set<QueueName> later;
  const std::vector<const QueueRecord*> order = in_order(queues);
  for (const QueueRecord* record : order) later.insert(record->name);
  // To which queue the group goes on that is being made: a ring of them comes without others in between.
  std::optional<QueueName> last;
  for (const QueueRecord* record : order) {
    later.erase(record->name);
    if (!last) groups.emplace_back();
    groups.back().push_back(*record);
    const auto target = record->redrive ? split_arn(record->redrive->target_arn) : std::nullopt;
    if (target && later.contains(*target)) last = target;
    if (last == record->name) last.reset();
  }
  return groups;
}

// ---- Streams

Value stream_input(const std::string& stream) { return one("StreamName", stream); }

/// Those that are registered for fan-out. One page has all that there may be.
std::vector<Value> stream_consumers(OwnClients& clients, const Home& home, const std::string& arn) {
  std::vector<Value> consumers;
  Value question = one("StreamARN", arn);
  question.set("MaxResults", number_value(consumers_page));
  const auto listed = answer_of(clients, home, config::kinesis_request("ListStreamConsumers", question));
  const Value* const found = listed ? listed->find("Consumers") : nullptr;
  if (found == nullptr) return consumers;
  for (const Value& consumer : found->items) {
    if (consumer.text_of("ConsumerStatus") == "DELETING") continue;
    Value input = one("StreamARN", arn);
    input.set("ConsumerName", text_value(consumer.text_of("ConsumerName")));
    consumers.push_back(of_service("kinesis", "RegisterStreamConsumer", std::move(input)));
  }
  return consumers;
}

/// What is known of a stream without asking the server.
struct ExportedStream {
  StreamName name;
  StreamId id;
  std::map<ShardIndex, ShardRecord> shards;
  std::set<std::string> consumers;  ///< whose positions the server keeps

  std::int64_t open_shards() const {
    return std::ranges::count_if(shards, [](const auto& shard) { return !shard.second.closed; });
  }
};

/// A policy without statements is none, and no request puts it.
bool says_something(const std::string& policy) {
  const auto document = config::from_json(policy);
  return document && !document->members.empty();
}

void append_stream(OwnClients& clients, const ExportedStream& exported, std::string& lines) {
  const StreamName& stream = exported.name;
  const Home home{stream.account, stream.region};
  const auto described =
      answer_of(clients, home, config::kinesis_request("DescribeStreamSummary", stream_input(stream.name)));
  const Value* const summary = described ? described->find("StreamDescriptionSummary") : nullptr;
  if (summary == nullptr || summary->text_of("StreamStatus") == "DELETING") return;
  const std::string arn = summary->text_of("StreamARN");
  Value input = stream_input(stream.name);
  const Value* const mode = summary->find("StreamModeDetails");
  if (mode != nullptr && mode->text_of("StreamMode") == "ON_DEMAND") {
    input.set("StreamModeDetails", *mode);
    const Value* const warm = summary->find("WarmThroughput");
    const Value* const target = warm == nullptr ? nullptr : warm->find("TargetMiBps");
    if (target != nullptr) input.set("WarmThroughputMiBps", *target);
  } else {
    // While it is CREATING it is told to have none.
    input.set("ShardCount", number_value(exported.open_shards()));
  }
  if (const Value* kib = summary->find("MaxRecordSizeInKiB")) input.set("MaxRecordSizeInKiB", *kib);
  Value tags_question = stream_input(stream.name);
  tags_question.set("Limit", number_value(tags_page));
  const auto tagged = answer_of(clients, home, config::kinesis_request("ListTagsForStream", tags_question));
  Value tags = map_value();
  if (const Value* found = tagged ? tagged->find("Tags") : nullptr) {
    for (const Value& tag : found->items) tags.set(tag.text_of("Key"), text_value(tag.text_of("Value")));
  }
  if (!tags.members.empty()) input.set("Tags", std::move(tags));

  std::vector<Value> then;
  if (const Value* hours = summary->find("RetentionPeriodHours"); hours != nullptr && hours->text != "24") {
    Value retention = stream_input(stream.name);
    retention.set("RetentionPeriodHours", *hours);
    then.push_back(of_service("kinesis", "IncreaseStreamRetentionPeriod", std::move(retention)));
  }
  if (summary->text_of("EncryptionType") == "KMS") {
    Value encryption = stream_input(stream.name);
    encryption.set("EncryptionType", text_value("KMS"));
    encryption.set("KeyId", text_value(summary->text_of("KeyId")));
    then.push_back(of_service("kinesis", "StartStreamEncryption", std::move(encryption)));
  }
  const Value* const monitoring = summary->find("EnhancedMonitoring");
  const Value* const metrics = monitoring == nullptr || monitoring->items.empty()
                                   ? nullptr
                                   : monitoring->items.front().find("ShardLevelMetrics");
  if (metrics != nullptr && !metrics->items.empty()) {
    Value monitored = stream_input(stream.name);
    monitored.set("ShardLevelMetrics", *metrics);
    then.push_back(of_service("kinesis", "EnableEnhancedMonitoring", std::move(monitored)));
  }
  const auto policy = answer_of(clients, home, config::kinesis_request("GetResourcePolicy", one("ResourceARN", arn)));
  if (policy && says_something(policy->text_of("Policy"))) {
    Value put = one("ResourceARN", arn);
    put.set("Policy", text_value(policy->text_of("Policy")));
    then.push_back(of_service("kinesis", "PutResourcePolicy", std::move(put)));
  }
  for (Value& consumer : stream_consumers(clients, home, arn)) then.push_back(std::move(consumer));
  append(lines, home, of_service("kinesis", "CreateStream", std::move(input)), std::move(then));
}

std::string path_of_consumer(const std::string& stream, const std::string& consumer) {
  return "/_penstock/streams/" + protocol::percent_encode(stream) + "/consumers/" + protocol::percent_encode(consumer);
}

// What was put since a moment is not told from the rest elsewhere, where all arrive anew.
void append_consumer(OwnClients& clients, const StreamName& stream, const std::string& consumer, std::string& lines) {
  const Home home{stream.account, stream.region};
  const std::string path = path_of_consumer(stream.name, consumer);
  const auto described = answer_of(clients, home, config::rest_request("GET", path));
  if (!described) return;
  Value input = pick(*described, {"LeaseMillis", "CommitMode"});
  const std::string start = described->text_of("StartType");
  input.set("Start", one("Type", start == "LATEST" ? start : std::string("TRIM_HORIZON")));
  append(lines, home, at_path("PUT", path, std::move(input)));
}

/// Streams that come or go meanwhile are found as far as they are there.
std::map<StreamName, std::shared_ptr<const ExportedStream>> find_streams(const Store& store) {
  std::map<StreamId, std::shared_ptr<ExportedStream>> found;
  const auto scan = [&store](const storage::KeyRange& range, const auto& take) {
    const StoreError error = store.scan(Table::catalog, range.from.view(), range.until.view(),
                                        [&](std::string_view key, std::string_view value) {
                                          take(key, value);
                                          return true;
                                        });
    if (error) fail(error);
  };
  scan(storage::all_streams(), [&](std::string_view, std::string_view value) {
    StreamInfo info;
    if (!storage::decode_stream(value, info) || info.status == StreamStatus::deleting) return;
    found.emplace(info.id, std::make_shared<ExportedStream>(ExportedStream{info.name, info.id, {}, {}}));
  });
  scan(storage::all_shards(), [&](std::string_view key, std::string_view value) {
    const auto at = storage::parse_shard_key(key);
    ShardRecord shard;
    if (!at || !found.contains(at->stream) || !storage::decode_shard(value, at->shard, shard)) return;
    found.at(at->stream)->shards.emplace(at->shard, shard);
  });
  scan(storage::all_groups(), [&](std::string_view key, std::string_view value) {
    const auto at = storage::parse_group_key(key);
    GroupInfo group;
    if (!at || !found.contains(at->stream) || !storage::decode_group(value, at->group, group)) return;
    found.at(at->stream)->consumers.insert(std::move(group.name));
  });
  std::map<StreamName, std::shared_ptr<const ExportedStream>> streams;
  for (auto& [id, stream] : found) streams.emplace(stream->name, std::move(stream));
  return streams;
}

/// The records of one stream, shard by shard; parents come before their children.
class StreamWalk {
 public:
  StreamWalk(const Store& store, const ExportedStream& stream)
      : stream_(stream),
        records_(store, Table::records, storage::records_of(stream.id).from.view(),
                 storage::records_of(stream.id).until.view()) {}

  bool append_some(std::string& lines) {
    for (; records_.valid() && lines.size() < portable::piece_bytes; records_.next()) append_one(lines);
    if (records_.error()) fail(records_.error());
    return records_.valid();
  }

 private:
  void append_one(std::string& lines) {
    const auto at = storage::parse_record_key(records_.key());
    StreamRecord record;
    if (!at || !storage::decode_record(records_.value(), record)) {
      throw std::runtime_error("a record of stream " + stream_.name.name + " cannot be read");
    }
    Value value = one("key", record.partition_key);
    if (auto hash = explicit_hash(record.partition_key, at->shard.shard))
      value.set("hash", text_value(*std::move(hash)));
    value.set("data", text_value(protocol::base64_encode(record.data)));
    Value line = line_of({stream_.name.account, stream_.name.region});
    line.set("stream", text_value(stream_.name.name));
    line.set("record", std::move(value));
    append(lines, line);
  }

  /// Of a record that is not where its key would have it: an ExplicitHashKey with which it comes into that shard.
  std::optional<std::string> explicit_hash(const std::string& key, ShardIndex index) const {
    const auto shard = stream_.shards.find(index);
    const auto place = protocol::kinesis::place_of(key, std::nullopt);
    const auto* hash = std::get_if<HashKey>(&place);
    if (shard == stream_.shards.end() || hash == nullptr) return std::nullopt;
    const ShardRecord& record = shard->second;
    if (record.first_hash <= *hash && *hash <= record.last_hash) return std::nullopt;
    return format_hash_key(record.first_hash);
  }

  const ExportedStream& stream_;
  TableCursor records_;
};

// ---- Functions and mappings

void append_settings(OwnClients& clients, const Home& home, const std::string& name, const Value* concurrency,
                     std::vector<Value>& then) {
  const Value* const reserved = concurrency == nullptr ? nullptr : concurrency->find("ReservedConcurrentExecutions");
  if (reserved != nullptr) {
    then.push_back(
        at_path("PUT", config::path_of_concurrency(name), pick(*concurrency, {"ReservedConcurrentExecutions"})));
  }
  const std::string path = config::path_of_invoke_config(name);
  if (const auto invokes = answer_of(clients, home, config::rest_request("GET", path))) {
    then.push_back(at_path("PUT", path,
                           pick(*invokes, {"MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"})));
  }
}

Value settings_of(const Value& configuration) {
  Value settings =
      pick(configuration, {"Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "DeadLetterConfig",
                           "KMSKeyArn", "TracingConfig", "EphemeralStorage", "LoggingConfig", "Architectures"});
  if (const Value* environment = configuration.find("Environment")) {
    settings.set("Environment", pick(*environment, {"Variables"}));
  }
  return settings;
}

void append_function(OwnClients& clients, const FunctionRecord& function, const std::string& zip, std::string& lines) {
  const Home home{function.name.account, function.name.region};
  const std::string& name = function.name.name;
  const auto described = answer_of(clients, home, config::rest_request("GET", config::path_of_function(name)));
  const Value* const configuration = described ? described->find("Configuration") : nullptr;
  if (configuration == nullptr) return;
  std::vector<Value> then;
  append_settings(clients, home, name, described->find("Concurrency"), then);
  if (!function.code_sha256.empty()) {
    Value input = one("FunctionName", name);
    for (const config::Member& member : settings_of(*configuration).members) input.set(member.name, member.value);
    if (const Value* tags = described->find("Tags"); tags != nullptr && !tags->members.empty())
      input.set("Tags", *tags);
    input.set("Code", one("ZipFile", protocol::base64_encode(zip)));
    return append(lines, home, at_path("POST", "/2015-03-31/functions", std::move(input)), std::move(then));
  }
  const std::string path = config::path_of_registration(name);
  const auto registered = answer_of(clients, home, config::rest_request("GET", path));
  if (!registered) return;
  Value input = pick(*registered, {"Kind", "Command", "Directory", "Handler", "Runtime", "Url", "Timeout", "MemorySize",
                                   "Environment"});
  append(lines, home, at_path("PUT", path, std::move(input)), std::move(then));
}

void append_mapping(OwnClients& clients, const MappingName& mapping, bool enabled, std::string& lines) {
  const Home home{mapping.account, mapping.region};
  const std::string path = "/2015-03-31/event-source-mappings/";
  const auto described = answer_of(clients, home, config::rest_request("GET", path + mapping.uuid));
  if (!described) return;
  Value input = pick(*described, {"EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "BatchSize",
                                  "MaximumBatchingWindowInSeconds", "FilterCriteria", "FunctionResponseTypes",
                                  "ScalingConfig", "ParallelizationFactor", "BisectBatchOnFunctionError",
                                  "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "TumblingWindowInSeconds",
                                  "DestinationConfig", "KMSKeyArn", "MetricsConfig"});
  input.set("FunctionName", text_value(described->text_of("FunctionArn")));
  if (!enabled) {
    Value off = text_value("false");
    off.kind = Value::Kind::boolean;
    input.set("Enabled", std::move(off));
  }
  append(lines, home, at_path("POST", "/2015-03-31/event-source-mappings", std::move(input)));
}

}  // namespace

Exporter::Exporter(const Store& store, const runner::CodeStore* code, OwnClients& clients, bool data)
    : store_(store), code_(code), clients_(clients), data_(data) {}

std::string Exporter::next() {
  std::string lines;
  if (!std::exchange(planned_, true)) {
    Value head = one("penstock", "export");
    head.set("format", number_value(portable::format));
    head.set("version", text_value(std::string(version)));
    append(lines, head);
    plan();
  }
  while (!parts_.empty() && lines.size() < portable::piece_bytes) {
    if (!parts_.front()(lines)) parts_.pop_front();
  }
  // By which what was cut off is told from what is whole.
  if (parts_.empty() && !std::exchange(ended_, true)) append(lines, one("penstock", "end"));
  return lines;
}

// Mappings come last: what is made of them elsewhere finds everything there.
void Exporter::plan() {
  plan_queues();
  plan_streams();
  plan_functions();
  for (Part& part : std::exchange(data_parts_, {})) parts_.push_back(std::move(part));
  plan_mappings();
}

void Exporter::plan_queues() {
  std::map<QueueName, QueueRecord> queues;
  const storage::KeyRange range = storage::all_queues();
  const StoreError error =
      store_.scan(Table::catalog, range.from.view(), range.until.view(), [&](std::string_view, std::string_view value) {
        QueueRecord record;
        if (!storage::decode_queue(value, record)) return false;
        QueueName name = record.name;
        if (!record.deleted) queues.emplace(std::move(name), std::move(record));
        return true;
      });
  if (error) fail(error);
  for (std::vector<QueueRecord>& group : in_groups(queues)) {
    for (const QueueRecord& record : group) {
      if (!data_) continue;
      data_parts_.emplace_back(
          [this, queue = record.name, id = record.id, walk = std::shared_ptr<QueueWalk>()](std::string& lines) mutable {
            if (walk == nullptr) walk = std::make_shared<QueueWalk>(store_, queue, id);
            return walk->append_some(lines);
          });
    }
    parts_.emplace_back([this, group = std::move(group)](std::string& lines) {
      append_queues(clients_, group, lines);
      return false;
    });
  }
}

void Exporter::plan_streams() {
  for (const auto& [name, stream] : find_streams(store_)) {
    parts_.emplace_back([this, stream = stream](std::string& lines) {
      append_stream(clients_, *stream, lines);
      for (const std::string& consumer : stream->consumers) append_consumer(clients_, stream->name, consumer, lines);
      return false;
    });
    if (!data_) continue;
    data_parts_.emplace_back([this, stream = stream, walk = std::shared_ptr<StreamWalk>()](std::string& lines) mutable {
      if (walk == nullptr) walk = std::make_shared<StreamWalk>(store_, *stream);
      return walk->append_some(lines);
    });
  }
}

void Exporter::plan_functions() {
  RecoveredTriggers triggers;
  if (const StoreError error = storage::recover_triggers(store_, triggers)) fail(error);
  for (FunctionRecord& function : triggers.functions) {
    parts_.emplace_back([this, function = std::move(function)](std::string& lines) {
      append_function(clients_, function, code_of(function.code_sha256), lines);
      return false;
    });
  }
}

// By what they are from and to, since their UUIDs are others elsewhere.
void Exporter::plan_mappings() {
  RecoveredTriggers triggers;
  if (const StoreError error = storage::recover_triggers(store_, triggers)) fail(error);
  std::map<std::tuple<FunctionName, std::string, std::string>, std::pair<MappingName, bool>> mappings;
  for (const RecoveredMapping& mapping : triggers.mappings) {
    const MappingRecord& record = mapping.record;
    if (record.state == MappingState::deleting) continue;
    mappings.emplace(std::tuple(record.function, record.source_arn, record.uuid),
                     std::pair(record.name(), record.config.enabled));
  }
  for (auto& [place, mapping] : mappings) {
    parts_.emplace_back([this, mapping = std::move(mapping)](std::string& lines) {
      append_mapping(clients_, mapping.first, mapping.second, lines);
      return false;
    });
  }
}

std::string Exporter::code_of(const std::string& sha256) const {
  if (sha256.empty() || code_ == nullptr) return {};
  return code_->zip_of(sha256).value_or(std::string());
}

}  // namespace penstock::server
