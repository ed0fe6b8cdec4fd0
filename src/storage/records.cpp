#include "storage/records.hpp"

#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "records_generated.h"
#include "storage/decoding.hpp"
#include "storage/flat_records.hpp"
#include "storage/group_records.hpp"
#include "storage/keys.hpp"
#include "storage/message_reader.hpp"
#include "storage/stream_records.hpp"
#include "storage/transfers.hpp"

namespace penstock::storage {
namespace {

constexpr const char* queue_identifier = "PSQU";
constexpr const char* cursor_identifier = "PSCU";
constexpr const char* message_identifier = "PSME";
constexpr const char* state_identifier = "PSST";
constexpr const char* dedup_identifier = "PSDD";
constexpr const char* attempt_identifier = "PSRA";
constexpr const char* lane_identifier = "PSLE";
constexpr const char* arrival_identifier = "PSAR";
constexpr const char* move_task_identifier = "PSMT";

constexpr std::string_view fifo_suffix = ".fifo";

/// The format's version is kept as one big-endian u32.
constexpr std::size_t version_bytes = 4;

std::string describe(QueueId queue, Sequence sequence) {
  return "queue " + std::to_string(queue.value) + ", sequence " + std::to_string(sequence.value);
}

// ---- Encoding.

Offset<FlatVector<fb::Attribute>> build_attributes(FlatBufferBuilder& builder,
                                                   const std::vector<MessageAttribute>& attributes) {
  if (attributes.empty()) return {};
  std::vector<Offset<fb::Attribute>> built;
  built.reserve(attributes.size());
  for (const MessageAttribute& attribute : attributes) {
    const auto name = build_string(builder, attribute.name);
    const auto data_type = build_string(builder, attribute.data_type);
    const auto value =
        builder.CreateVector(reinterpret_cast<const std::uint8_t*>(attribute.value.data()), attribute.value.size());
    built.push_back(fb::CreateAttribute(builder, name, data_type, value));
  }
  return builder.CreateVector(built);
}

Offset<fb::RedrivePolicy> build_redrive(FlatBufferBuilder& builder, const std::optional<RedrivePolicy>& policy) {
  if (!policy) return {};
  const auto target_arn = build_string(builder, policy->target_arn);
  return fb::CreateRedrivePolicy(builder, target_arn, policy->max_receive_count);
}

Offset<fb::RedriveAllowPolicy> build_redrive_allow(FlatBufferBuilder& builder,
                                                   const std::optional<RedriveAllowPolicy>& policy) {
  if (!policy) return {};
  const auto permission = static_cast<fb::RedrivePermission>(policy->permission);
  if (policy->source_arns.empty()) return fb::CreateRedriveAllowPolicy(builder, permission);
  return fb::CreateRedriveAllowPolicy(builder, permission, builder.CreateVectorOfStrings(policy->source_arns));
}

Offset<fb::Name> build_name(FlatBufferBuilder& builder, const std::optional<QueueName>& queue) {
  if (!queue) return {};
  const auto account = build_string(builder, queue->account);
  const auto region = build_string(builder, queue->region);
  return fb::CreateName(builder, account, region, build_string(builder, queue->name));
}

void encode_one(const PutQueue& put, WriteBatch& batch) {
  const QueueRecord& record = put.record;
  FlatBufferBuilder& builder = empty_builder();
  const auto account = build_string(builder, record.name.account);
  const auto region = build_string(builder, record.name.region);
  const auto name = build_string(builder, record.name.name);
  const auto attributes = build_pairs(builder, record.attributes);
  const auto tags = build_pairs(builder, record.tags);
  const auto redrive = build_redrive(builder, record.redrive);
  const auto redrive_allow = build_redrive_allow(builder, record.redrive_allow);
  flatbuffers::Optional<std::int64_t> deleted_ms = flatbuffers::nullopt;
  if (record.deleted) deleted_ms = to_epoch_ms(*record.deleted);
  builder.Finish(
      fb::CreateQueue(builder, record.id.value, account, region, name, attributes, tags, to_epoch_ms(record.created),
                      to_epoch_ms(record.modified), deleted_ms, redrive, redrive_allow, record.dedup_by_group),
      queue_identifier);
  put_finished(builder, Table::catalog, queue_key(record.id), batch);
}

void encode_one(const DropQueue& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, queue_key(drop.queue).view());
  batch.drop(Table::catalog, cursor_key(drop.queue).view());
}

void encode_one(const DropQueueContents& drop, WriteBatch& batch) {
  const KeyRange all = queue_contents(drop.queue);
  drop_range(batch, Table::messages, all);
  if (drop.everything) {
    drop_range(batch, Table::state, all);
    drop_range(batch, Table::catalog, move_tasks_of(drop.queue));
    return;
  }
  drop_range(batch, Table::state, states_from(drop.queue, Sequence{}));
  drop_range(batch, Table::state, attempts_of(drop.queue));
  drop_range(batch, Table::state, lanes_of(drop.queue));
}

void encode_one(const PutCursor& put, WriteBatch& batch) {
  const QueueCursor& cursor = put.cursor;
  FlatBufferBuilder& builder = empty_builder();
  builder.Finish(fb::CreateCursor(builder, cursor.head.value, cursor.tail.value, cursor.fresh_count, cursor.state_count,
                                  to_epoch_ms(cursor.purged), cursor.lane_count),
                 cursor_identifier);
  put_finished(builder, Table::catalog, cursor_key(put.queue), batch);
}

void encode_one(const PutMessage& put, WriteBatch& batch) {
  const StoredMessage& message = *put.message;
  const MessageContent& content = message.content;
  FlatBufferBuilder& builder = empty_builder();
  const auto message_id = build_string(builder, message.message_id);
  const auto body = build_string(builder, content.body);
  const auto body_md5 = builder.CreateVector(content.body_md5.data(), content.body_md5.size());
  const auto attributes = build_attributes(builder, content.attributes);
  const auto trace_header = build_optional_string(builder, content.trace_header);
  const auto sender_id = build_optional_string(builder, content.sender_id);
  const auto group_id = build_optional_string(builder, content.group_id);
  const auto deduplication_id = build_optional_string(builder, content.deduplication_id);
  const auto dead_letter_source = build_optional_string(builder, message.dead_letter_source);
  builder.Finish(fb::CreateMessage(builder, message_id, to_epoch_ms(message.sent), message.delayed, body, body_md5,
                                   attributes, trace_header, sender_id, group_id, deduplication_id, dead_letter_source),
                 message_identifier);
  put_finished(builder, Table::messages, message_key(put.queue, put.sequence), batch);
}

void encode_one(const DropMessage& drop, WriteBatch& batch) {
  batch.drop_once(Table::messages, message_key(drop.queue, drop.sequence).view());
}

void encode_one(const PutState& put, WriteBatch& batch) {
  const MessageState& state = put.state;
  FlatBufferBuilder& builder = empty_builder();
  const auto group_id = build_optional_string(builder, state.group_id);
  builder.Finish(fb::CreateState(builder, to_epoch_ms(state.sent), to_epoch_ms(state.visible_at),
                                 to_epoch_ms(state.received_at), to_epoch_ms(state.first_received_at),
                                 state.receive_count, state.receipt_nonce, group_id, state.arrival_count),
                 state_identifier);
  put_finished(builder, Table::state, state_key(put.queue, put.sequence, state.revision), batch);
}

void encode_one(const DropState& drop, WriteBatch& batch) {
  batch.drop_once(Table::state, state_key(drop.queue, drop.sequence, drop.revision).view());
}

void encode_one(const PutDedup& put, WriteBatch& batch) {
  FlatBufferBuilder& builder = empty_builder();
  builder.Finish(fb::CreateDedup(builder, to_epoch_ms(put.entry.sent), put.entry.id[0], put.entry.id[1]),
                 dedup_identifier);
  put_finished(builder, Table::state, dedup_key(put.queue, put.entry.sequence), batch);
}

void encode_one(const DropDedups& drop, WriteBatch& batch) {
  drop_range(batch, Table::state, dedups_before(drop.queue, drop.until));
}

void encode_one(const PutAttempt& put, WriteBatch& batch) {
  FlatBufferBuilder& builder = empty_builder();
  std::vector<fb::AttemptEntry> entries;
  entries.reserve(put.attempt.entries.size());
  for (const ReceiveAttempt::Entry& entry : put.attempt.entries) {
    entries.emplace_back(entry.sequence.value, entry.receipt_nonce);
  }
  const auto id = build_string(builder, put.attempt.id);
  builder.Finish(
      fb::CreateAttempt(builder, id, to_epoch_ms(put.attempt.decided), builder.CreateVectorOfStructs(entries)),
      attempt_identifier);
  put_finished(builder, Table::state, attempt_key(put.queue, put.attempt.id), batch);
}

void encode_one(const DropAttempt& drop, WriteBatch& batch) {
  batch.drop(Table::state, attempt_key(drop.queue, drop.id).view());
}

void encode_one(const PutLaneEntry& put, WriteBatch& batch) {
  FlatBufferBuilder& builder = empty_builder();
  builder.Finish(fb::CreateLane(builder, to_epoch_ms(put.entry.sent)), lane_identifier);
  put_finished(builder, Table::state, lane_key(put.queue, put.lane, put.entry.sequence), batch);
}

void encode_one(const DropLaneEntry& drop, WriteBatch& batch) {
  batch.drop_once(Table::state, lane_key(drop.queue, drop.lane, drop.sequence).view());
}

void encode_one(const PutArrival& put, WriteBatch& batch) {
  FlatBufferBuilder& builder = empty_builder();
  builder.Finish(fb::CreateArrival(builder, put.kind == TransferKind::redrive), arrival_identifier);
  put_finished(builder, Table::state, arrival_key(put.queue, put.origin), batch);
}

void encode_one(const DropArrival& drop, WriteBatch& batch) {
  batch.drop(Table::state, arrival_key(drop.queue, drop.origin).view());
}

void encode_one(const PutMoveTask& put, WriteBatch& batch) {
  const MoveTask& task = put.task;
  FlatBufferBuilder& builder = empty_builder();
  const auto id = build_string(builder, task.id);
  const auto destination = build_name(builder, task.destination);
  const auto failure_reason = build_optional_string(builder, task.failure_reason);
  builder.Finish(
      fb::CreateMoveTask(builder, id, destination, task.per_second, static_cast<fb::MoveTaskStatus>(task.status),
                         to_epoch_ms(task.started), task.until.value, task.to_move, task.moved, failure_reason),
      move_task_identifier);
  put_finished(builder, Table::catalog, move_task_key(put.queue, task.id), batch);
}

void encode_one(const DropMoveTask& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, move_task_key(drop.queue, drop.id).view());
}

// The values on disk are those of the vocabulary, both ways.
static_assert(static_cast<int>(fb::RedrivePermission::by_queue) ==
              static_cast<int>(RedriveAllowPolicy::Permission::by_queue));
static_assert(static_cast<int>(fb::RedrivePermission::MAX) == static_cast<int>(fb::RedrivePermission::by_queue));
static_assert(static_cast<int>(fb::MoveTaskStatus::failed) == static_cast<int>(MoveTaskStatus::failed));
static_assert(static_cast<int>(fb::MoveTaskStatus::MAX) == static_cast<int>(fb::MoveTaskStatus::failed));

// ---- Decoding.

bool decode_redrive_allow(const fb::RedriveAllowPolicy& stored, RedriveAllowPolicy& policy) {
  if (stored.permission() > fb::RedrivePermission::MAX) return false;
  policy.permission = static_cast<RedriveAllowPolicy::Permission>(stored.permission());
  if (const auto* arns = stored.source_arns()) {
    for (const String* arn : *arns) policy.source_arns.push_back(text_of(arn));
  }
  return true;
}

const fb::Message* verified_message(std::string_view bytes) {
  const auto* stored = verified<fb::Message>(align_record(bytes), message_identifier);
  if (stored == nullptr || stored->body_md5()->size() != std::tuple_size_v<Md5>) return nullptr;
  return stored;
}

void fill(StoredMessage& message, const fb::Message& stored) {
  message.message_id = text_of(stored.message_id());
  message.sent = from_epoch_ms(stored.sent_ms());
  message.delayed = stored.delayed();
  MessageContent& content = message.content;
  content.body = text_of(stored.body());
  std::memcpy(content.body_md5.data(), stored.body_md5()->data(), content.body_md5.size());
  if (const auto* attributes = stored.attributes()) {
    content.attributes.reserve(attributes->size());
    for (const fb::Attribute* attribute : *attributes) {
      MessageAttribute& one = content.attributes.emplace_back();
      one.name = text_of(attribute->name());
      one.data_type = text_of(attribute->data_type());
      if (const auto* value = attribute->value()) {
        one.value.assign(reinterpret_cast<const char*>(value->data()), value->size());
      }
    }
  }
  content.trace_header = text_of(stored.trace_header());
  content.sender_id = text_of(stored.sender_id());
  content.group_id = text_of(stored.group_id());
  content.deduplication_id = text_of(stored.deduplication_id());
  message.dead_letter_source = text_of(stored.dead_letter_source());
}

std::shared_ptr<const StoredMessage> decoded(const fb::Message& stored) {
  auto message = std::make_shared<StoredMessage>();
  fill(*message, stored);
  return message;
}

// ---- Reading.

/// Appends the states of `range`, at most `count_max`, and says in `next` where those begin that were not read. One
/// message's revisions are one entry, of the latest: a newer one takes the older one's place in the same commit, so
/// that more than one is not expected, but must not come out as two messages.
StoreError read_states(const Store& store, const KeyRange& range, std::size_t count_max,
                       std::vector<StateEntry>& entries, std::optional<Sequence>& next) {
  next.reset();
  const std::size_t first = entries.size();
  StoreError bad;
  const auto visit = [&](std::string_view key, std::string_view value) {
    const std::optional<StateKeyParts> parts = parse_state_key(key);
    if (!parts) {
      bad = corrupt("state table: a key of " + std::to_string(key.size()) + " bytes");
      return false;
    }
    const bool same = entries.size() > first && entries.back().sequence == parts->sequence;
    if (!same && entries.size() - first == count_max) {
      next = parts->sequence;
      return false;
    }
    if (!same) entries.push_back({parts->sequence, {}});
    if (!decode_state(value, parts->revision, entries.back().state)) {
      bad = corrupt("state record of " + describe(parts->queue, parts->sequence));
      return false;
    }
    return true;
  };
  if (StoreError error = store.scan(Table::state, range.from.view(), range.until.view(), visit)) return error;
  return bad;
}

StoreError read_catalog(const Store& store, std::vector<RecoveredQueue>& queues) {
  const KeyRange range = all_queues();
  StoreError bad;
  const auto visit = [&](std::string_view key, std::string_view value) {
    const std::optional<QueueId> queue = parse_queue_key(key);
    RecoveredQueue recovered;
    if (!queue || !decode_queue(value, recovered.record) || recovered.record.id != *queue) {
      bad = corrupt("catalog record of queue " + (queue ? std::to_string(queue->value) : "with a key of no queue"));
      return false;
    }
    queues.push_back(std::move(recovered));
    return true;
  };
  if (StoreError error = store.scan(Table::catalog, range.from.view(), range.until.view(), visit)) return error;
  return bad;
}

/// Gives each record of `range` to `decode`, which answers whether it is whole.
StoreError read_each(const Store& store, Table table, const KeyRange& range, const char* what, QueueId queue,
                     const std::function<bool(std::string_view key, std::string_view value)>& decode) {
  bool intact = true;
  const auto visit = [&](std::string_view key, std::string_view value) { return intact = decode(key, value); };
  if (StoreError error = store.scan(table, range.from.view(), range.until.view(), visit)) return error;
  if (!intact) return corrupt(std::string{what} + " of queue " + std::to_string(queue.value));
  return {};
}

StoreError read_dedups(const Store& store, QueueId queue, std::vector<DedupEntry>& dedups) {
  return read_each(store, Table::state, dedups_of(queue), "a deduplication record", queue,
                   [&](std::string_view key, std::string_view value) {
                     const std::optional<DedupKeyParts> parts = parse_dedup_key(key);
                     return parts && decode_dedup(value, parts->sequence, dedups.emplace_back());
                   });
}

StoreError read_attempts(const Store& store, QueueId queue, std::vector<ReceiveAttempt>& attempts) {
  return read_each(store, Table::state, attempts_of(queue), "a receive attempt", queue,
                   [&](std::string_view key, std::string_view value) {
                     return decode_attempt(value, attempts.emplace_back()) &&
                            key == attempt_key(queue, attempts.back().id).view();
                   });
}

/// The first entries of each lane. What lies between them and the next lane is jumped over, not read.
StoreError read_lanes(const Store& store, QueueId queue, const Limits& limits, std::vector<RecoveredLane>& lanes) {
  KeyRange rest = lanes_of(queue);
  while (lanes.size() < limits.lanes_max) {
    const std::size_t before = lanes.size();
    bool intact = true;
    const auto visit = [&](std::string_view key, std::string_view value) {
      const std::optional<LaneKeyParts> parts = parse_lane_key(key);
      if (!parts) return intact = false;
      if (lanes.size() == before) lanes.push_back({parts->lane, {}});
      RecoveredLane& lane = lanes.back();
      if (parts->lane != lane.lane) return false;
      intact = decode_lane_entry(value, parts->sequence, lane.first.emplace_back());
      return intact && lane.first.size() < limits.lane_recovered_max;
    };
    if (StoreError error = store.scan(Table::state, rest.from.view(), rest.until.view(), visit)) return error;
    if (!intact) return corrupt("a lane entry of queue " + std::to_string(queue.value));
    if (lanes.size() == before) return {};
    rest.from = lane_from(queue, lanes.back().lane, Sequence{}).until;
  }
  return {};
}

StoreError read_standard_contents(const Store& store, const Limits& limits, RecoveredQueue& queue) {
  const QueueId id = queue.record.id;
  const std::size_t states_max = limits.in_flight_max + limits.resident_idle_max;
  const KeyRange states = states_from(id, Sequence{});
  if (StoreError error = read_states(store, states, states_max, queue.states, queue.states_next)) return error;
  return read_lanes(store, id, limits, queue.lanes);
}

StoreError read_fifo_contents(const Store& store, const Limits& limits, RecoveredQueue& queue) {
  const QueueId id = queue.record.id;
  const KeyRange states = states_from(id, queue.cursor.head);
  if (StoreError error = read_states(store, states, limits.fifo_window_max, queue.states, queue.states_next)) {
    return error;
  }
  if (StoreError error = read_dedups(store, id, queue.dedups)) return error;
  return read_attempts(store, id, queue.attempts);
}

StoreError load(const Store& store, const LoadFresh& load, Command& answer, MessageReader* reader) {
  FreshLoaded loaded{load.queue, load.epoch, load.until, {}};
  StoreError bad;
  std::size_t bytes_seen = 0;
  const auto visit = [&](std::string_view key, std::string_view value) {
    const std::optional<MessageKeyParts> parts = parse_message_key(key);
    const fb::Message* stored = parts ? verified_message(value) : nullptr;
    if (stored == nullptr) {
      bad = corrupt(parts ? "message of " + describe(parts->queue, parts->sequence)
                          : "messages table: a key of " + std::to_string(key.size()) + " bytes");
      return false;
    }
    if (!stored->delayed()) {
      loaded.entries.push_back({parts->sequence, from_epoch_ms(stored->sent_ms())});
      if (reader != nullptr && reader->make_room(parts->queue, value.size())) {
        reader->keep(parts->queue, parts->sequence, decoded(*stored), value.size());
      }
    }
    bytes_seen += value.size();
    if (loaded.entries.size() < load.count_max && bytes_seen < load.bytes_max) return true;
    loaded.next = Sequence{parts->sequence.value + 1};
    return false;
  };
  if (load.from < load.until) {
    const KeyRange range = messages_between(load.queue, load.from, load.until);
    if (StoreError error = store.scan(Table::messages, range.from.view(), range.until.view(), visit)) return error;
    if (bad) return bad;
  }
  answer = std::move(loaded);
  return {};
}

StoreError load(const Store& store, const LoadStates& load, Command& answer, MessageReader*) {
  StatesLoaded loaded{load.queue, load.epoch, {}, {}};
  if (StoreError error =
          read_states(store, states_from(load.queue, load.from), load.count_max, loaded.entries, loaded.next)) {
    return error;
  }
  answer = std::move(loaded);
  return {};
}

StoreError load(const Store& store, const LoadStatesOf& load, Command& answer, MessageReader*) {
  StatesOfLoaded loaded{load.queue, load.epoch, {}};
  loaded.entries.reserve(load.sequences.size());
  for (const Sequence sequence : load.sequences) {
    std::optional<Sequence> next;
    if (StoreError error = read_states(store, states_of(load.queue, sequence), 1, loaded.entries, next)) return error;
  }
  answer = std::move(loaded);
  return {};
}

StoreError load(const Store& store, const LoadLane& load, Command& answer, MessageReader*) {
  LaneLoaded loaded{load.queue, load.epoch, load.lane, {}, {}};
  const KeyRange range = lane_from(load.queue, load.lane, load.from);
  bool intact = true;
  const auto visit = [&](std::string_view key, std::string_view value) {
    const std::optional<LaneKeyParts> parts = parse_lane_key(key);
    LaneEntry entry;
    intact = parts && decode_lane_entry(value, parts->sequence, entry);
    if (!intact) return false;
    if (loaded.entries.size() == load.count_max) {
      loaded.next = entry.sequence;
      return false;
    }
    loaded.entries.push_back({entry.sequence, entry.sent});
    return true;
  };
  if (StoreError error = store.scan(Table::state, range.from.view(), range.until.view(), visit)) return error;
  if (!intact) return corrupt("a lane entry of queue " + std::to_string(load.queue.value));
  answer = std::move(loaded);
  return {};
}

StoreError put_format(Store& store) {
  WriteBatch batch;
  batch.put(Table::catalog, format_key().view(), Key{}.append_u32(format_version).view());
  return store.commit(batch, true);
}

StoreError write_format(Store& store) {
  bool empty = true;
  const auto visit = [&](std::string_view, std::string_view) { return empty = false; };
  // One byte of 0xff is beyond every key of the catalog.
  if (StoreError error = store.scan(Table::catalog, "", "\xff", visit)) return error;
  if (!empty) return corrupt("the catalog has records but no format version");
  return put_format(store);
}

}  // namespace

// ---- Decoding.

bool decode_queue(std::string_view bytes, QueueRecord& record) {
  const auto* stored = verified<fb::Queue>(align_record(bytes), queue_identifier);
  if (stored == nullptr) return false;
  record.id = QueueId{stored->id()};
  record.name = {text_of(stored->account()), text_of(stored->region()), text_of(stored->name())};
  record.attributes = map_of(stored->attributes());
  record.tags = map_of(stored->tags());
  record.created = from_epoch_ms(stored->created_ms());
  record.modified = from_epoch_ms(stored->modified_ms());
  record.deleted.reset();
  if (const auto deleted_ms = stored->deleted_ms()) record.deleted = from_epoch_ms(*deleted_ms);
  if (const auto* redrive = stored->redrive()) {
    record.redrive = RedrivePolicy{text_of(redrive->target_arn()), redrive->max_receive_count()};
  }
  if (const auto* allow = stored->redrive_allow()) {
    if (!decode_redrive_allow(*allow, record.redrive_allow.emplace())) return false;
  }
  record.dedup_by_group = stored->dedup_by_group();
  return !record.name.name.empty();
}

bool decode_cursor(std::string_view bytes, QueueCursor& cursor) {
  const auto* stored = verified<fb::Cursor>(align_record(bytes), cursor_identifier);
  if (stored == nullptr) return false;
  cursor.head = Sequence{stored->head()};
  cursor.tail = Sequence{stored->tail()};
  cursor.fresh_count = stored->fresh_count();
  cursor.state_count = stored->state_count();
  cursor.purged = from_epoch_ms(stored->purged_ms());
  cursor.lane_count = stored->lane_count();
  return cursor.head <= cursor.tail && cursor.fresh_count <= cursor.tail.value - cursor.head.value;
}

bool decode_move_task(std::string_view bytes, MoveTask& task) {
  const auto* stored = verified<fb::MoveTask>(align_record(bytes), move_task_identifier);
  if (stored == nullptr || stored->status() > fb::MoveTaskStatus::MAX) return false;
  task.id = text_of(stored->id());
  if (const auto* name = stored->destination()) {
    task.destination = QueueName{text_of(name->account()), text_of(name->region()), text_of(name->name())};
  }
  task.per_second = stored->per_second();
  task.status = static_cast<MoveTaskStatus>(stored->status());
  task.started = from_epoch_ms(stored->started_ms());
  task.until = Sequence{stored->until()};
  task.to_move = stored->to_move();
  task.moved = stored->moved();
  task.failure_reason = text_of(stored->failure_reason());
  return true;
}

bool decode_message(std::string_view bytes, StoredMessage& message) {
  const fb::Message* stored = verified_message(bytes);
  if (stored == nullptr) return false;
  fill(message, *stored);
  return true;
}

bool decode_state(std::string_view bytes, std::uint32_t revision, MessageState& state) {
  const auto* stored = verified<fb::State>(align_record(bytes), state_identifier);
  if (stored == nullptr) return false;
  state.sent = from_epoch_ms(stored->sent_ms());
  state.visible_at = from_epoch_ms(stored->visible_at_ms());
  state.received_at = from_epoch_ms(stored->received_at_ms());
  state.first_received_at = from_epoch_ms(stored->first_received_at_ms());
  state.receive_count = stored->receive_count();
  state.receipt_nonce = stored->receipt_nonce();
  state.revision = revision;
  state.group_id = text_of(stored->group_id());
  state.arrival_count = stored->arrival_count();
  return true;
}

bool decode_dedup(std::string_view bytes, Sequence sequence, DedupEntry& entry) {
  const auto* stored = verified<fb::Dedup>(align_record(bytes), dedup_identifier);
  if (stored == nullptr) return false;
  entry = {sequence, from_epoch_ms(stored->sent_ms()), {stored->id_high(), stored->id_low()}};
  return true;
}

bool decode_attempt(std::string_view bytes, ReceiveAttempt& attempt) {
  const auto* stored = verified<fb::Attempt>(align_record(bytes), attempt_identifier);
  if (stored == nullptr) return false;
  attempt.id = text_of(stored->id());
  attempt.decided = from_epoch_ms(stored->decided_ms());
  if (const auto* entries = stored->entries()) {
    for (const fb::AttemptEntry* entry : *entries) {
      attempt.entries.push_back({Sequence{entry->sequence()}, entry->receipt_nonce()});
    }
  }
  return true;
}

bool decode_lane_entry(std::string_view bytes, Sequence sequence, LaneEntry& entry) {
  const auto* stored = verified<fb::Lane>(align_record(bytes), lane_identifier);
  if (stored == nullptr) return false;
  entry = {sequence, from_epoch_ms(stored->sent_ms())};
  return true;
}

// ----

void encode(const std::vector<Mutation>& mutations, WriteBatch& batch) {
  for (const Mutation& mutation : mutations) {
    std::visit([&](const auto& one) { encode_one(one, batch); }, mutation);
  }
}

StoreError read_format(const Store& store, std::uint32_t& version) {
  version = 0;
  std::string value;
  if (StoreError error = store.get(Table::catalog, format_key().view(), value)) return error;
  if (value.size() != version_bytes) return corrupt("the format version is not one");
  for (const char byte : value) version = (version << 8U) | static_cast<unsigned char>(byte);
  return version == 0 ? corrupt("the format version is not one") : StoreError{};
}

StoreError open_format(Store& store) {
  std::uint32_t version = 0;
  StoreError error = read_format(store, version);
  if (error.status == StoreStatus::not_found) return write_format(store);
  if (error) return error;
  if (version > format_version) {
    return {StoreStatus::unsupported, "the data is of format " + std::to_string(version) +
                                          ", and this version reads formats up to " + std::to_string(format_version)};
  }
  // Records of an older format are read as they are. The version is rewritten first of all, since the build that wrote
  // the older one would not understand what is added from now on.
  if (version < format_version) return put_format(store);
  return {};
}

StoreError read_move_tasks(const Store& store, QueueId queue, std::vector<MoveTask>& tasks) {
  return read_each(store, Table::catalog, move_tasks_of(queue), "a message move task", queue,
                   [&](std::string_view key, std::string_view value) {
                     return decode_move_task(value, tasks.emplace_back()) &&
                            key == move_task_key(queue, tasks.back().id).view();
                   });
}

StoreError decode_arrival(std::string_view value, TransferKind& kind) {
  const auto* stored = verified<fb::Arrival>(align_record(value), arrival_identifier);
  if (stored == nullptr) return corrupt("an arrival");
  kind = stored->redrive() ? TransferKind::redrive : TransferKind::dead_letter;
  return {};
}

StoreError read_cursor(const Store& store, QueueId queue, QueueCursor& cursor) {
  std::string value;
  if (StoreError error = store.get(Table::catalog, cursor_key(queue).view(), value)) return error;
  if (!decode_cursor(value, cursor)) return corrupt("cursor of queue " + std::to_string(queue.value));
  return {};
}

StoreError recover(Store& store, const Limits& limits, std::vector<RecoveredQueue>& queues) {
  queues.clear();
  if (StoreError error = complete_transfers(store)) return error;
  if (StoreError error = read_catalog(store, queues)) return error;
  for (RecoveredQueue& queue : queues) {
    // One that was just created has no cursor yet.
    StoreError error = read_cursor(store, queue.record.id, queue.cursor);
    if (error && error.status != StoreStatus::not_found) return error;
    const bool fifo = queue.record.name.name.ends_with(fifo_suffix);
    error = fifo ? read_fifo_contents(store, limits, queue) : read_standard_contents(store, limits, queue);
    if (error) return error;
    if (error = read_move_tasks(store, queue.record.id, queue.move_tasks); error) return error;
  }
  return {};
}

StoreError read_message(const Store& store, QueueId queue, Sequence sequence,
                        std::shared_ptr<const StoredMessage>& message) {
  // Kept between calls for its capacity, unless a large message has grown it.
  thread_local std::string value;
  if (StoreError error = store.get(Table::messages, message_key(queue, sequence).view(), value)) return error;
  StoreError error = decode_message(queue, sequence, value, message);
  if (value.capacity() > builder_bytes_kept_max) std::string{}.swap(value);
  return error;
}

StoreError decode_message(QueueId queue, Sequence sequence, std::string_view value,
                          std::shared_ptr<const StoredMessage>& message) {
  const fb::Message* stored = verified_message(value);
  if (stored == nullptr) return corrupt("message of " + describe(queue, sequence));
  message = decoded(*stored);
  return {};
}

StoreError run_load(const Store& store, const Load& load_wanted, Command& answer, MessageReader* reader) {
  return std::visit([&](const auto& wanted) { return load(store, wanted, answer, reader); }, load_wanted);
}

}  // namespace penstock::storage
