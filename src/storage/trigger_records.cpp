#include "storage/trigger_records.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "storage/decoding.hpp"
#include "storage/flat_records.hpp"
#include "storage/keys.hpp"
#include "triggers_generated.h"

namespace penstock::storage {
namespace {

constexpr const char* function_identifier = "PSFN";
constexpr const char* mapping_identifier = "PSMP";
constexpr const char* checkpoint_identifier = "PSCK";
constexpr const char* async_event_identifier = "PSAE";

using Strings = FlatVector<String>;

// The values on disk are those of the vocabulary, both ways.
static_assert(static_cast<int>(fb::FunctionKind::runtime) == static_cast<int>(FunctionKind::runtime));
static_assert(static_cast<int>(fb::FunctionKind::handler) == static_cast<int>(FunctionKind::handler));
static_assert(static_cast<int>(fb::FunctionKind::exec) == static_cast<int>(FunctionKind::exec));
static_assert(static_cast<int>(fb::FunctionKind::MAX) == static_cast<int>(FunctionKind::url));
static_assert(static_cast<int>(fb::MappingState::creating) == static_cast<int>(MappingState::creating));
static_assert(static_cast<int>(fb::MappingState::enabled) == static_cast<int>(MappingState::enabled));
static_assert(static_cast<int>(fb::MappingState::disabled) == static_cast<int>(MappingState::disabled));
static_assert(static_cast<int>(fb::MappingState::updating) == static_cast<int>(MappingState::updating));
static_assert(static_cast<int>(fb::MappingState::MAX) == static_cast<int>(MappingState::deleting));
static_assert(static_cast<int>(fb::StartingPosition::at_sequence_number) ==
              static_cast<int>(IteratorType::at_sequence_number));
static_assert(static_cast<int>(fb::StartingPosition::trim_horizon) == static_cast<int>(IteratorType::trim_horizon));
static_assert(static_cast<int>(fb::StartingPosition::latest) == static_cast<int>(IteratorType::latest));
static_assert(static_cast<int>(fb::StartingPosition::MAX) == static_cast<int>(IteratorType::at_timestamp));

// ---- Encoding.

Offset<Strings> build_strings(FlatBufferBuilder& builder, const std::vector<std::string>& strings) {
  return strings.empty() ? Offset<Strings>{} : builder.CreateVectorOfStrings(strings);
}

Offset<fb::AsyncConfig> build_async(FlatBufferBuilder& builder, const std::optional<AsyncConfig>& async) {
  if (!async) return {};
  const auto on_success = build_optional_string(builder, async->on_success);
  const auto on_failure = build_optional_string(builder, async->on_failure);
  return fb::CreateAsyncConfig(builder, async->retries_max, async->age_seconds_max, on_success, on_failure,
                               to_epoch_ms(async->modified));
}

void encode_one(const PutFunction& put, WriteBatch& batch) {
  const FunctionRecord& function = put.function;
  FlatBufferBuilder& builder = empty_builder();
  const auto text = [&builder](const std::string& value) { return build_optional_string(builder, value); };
  const auto account = build_string(builder, function.name.account);
  const auto region = build_string(builder, function.name.region);
  const auto name = build_string(builder, function.name.name);
  const auto runtime = text(function.runtime);
  const auto handler = text(function.handler);
  const auto command = build_strings(builder, function.command);
  const auto directory = text(function.directory);
  const auto url = text(function.url);
  const auto code_sha256 = text(function.code_sha256);
  const auto role = text(function.role);
  const auto description = text(function.description);
  const auto architectures = build_strings(builder, function.architectures);
  const auto environment = build_pairs(builder, function.environment);
  const auto tags = build_pairs(builder, function.tags);
  const auto log_group = text(function.log_group);
  const auto tracing_mode = text(function.tracing_mode);
  const auto kms_key_arn = text(function.kms_key_arn);
  const auto dead_letter_arn = text(function.dead_letter_arn);
  const auto async = build_async(builder, function.async);
  const auto revision_id = text(function.revision_id);
  builder.Finish(fb::CreateFunction(builder, account, region, name, static_cast<fb::FunctionKind>(function.kind),
                                    runtime, handler, command, directory, url, code_sha256, function.code_bytes, role,
                                    description, function.timeout_seconds, function.memory_mib, function.storage_mib,
                                    architectures, environment, tags, log_group, tracing_mode, kms_key_arn,
                                    dead_letter_arn, function.reserved_concurrency, async, revision_id,
                                    function.generation, to_epoch_ms(function.modified)),
                 function_identifier);
  put_finished(builder, Table::catalog, function_key(function.name), batch);
}

void encode_one(const DropFunction& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, function_key(drop.function).view());
}

Offset<fb::MappingConfig> build_config(FlatBufferBuilder& builder, const MappingConfig& config) {
  const auto filters = build_strings(builder, config.filters);
  const auto on_failure = build_optional_string(builder, config.on_failure);
  const auto kms_key_arn = build_optional_string(builder, config.kms_key_arn);
  const auto metrics = build_strings(builder, config.metrics);
  flatbuffers::Optional<std::int64_t> start_ms = flatbuffers::nullopt;
  if (config.start_timestamp) start_ms = to_epoch_ms(*config.start_timestamp);
  return fb::CreateMappingConfig(builder, config.batch_size, config.window_seconds, filters,
                                 config.report_batch_item_failures, config.concurrency_max,
                                 static_cast<fb::StartingPosition>(config.start), start_ms, config.parallelization,
                                 config.bisect, config.retries_max, config.record_age_seconds_max, on_failure,
                                 config.tumbling_seconds, config.enabled, kms_key_arn, metrics);
}

Offset<fb::MappingConsumer> build_consumer(FlatBufferBuilder& builder, const std::optional<ConsumerRef>& consumer) {
  if (!consumer) return {};
  const auto name = build_string(builder, consumer->name);
  return fb::CreateMappingConsumer(builder, name, consumer->created_s);
}

void encode_one(const PutMapping& put, WriteBatch& batch) {
  const MappingRecord& mapping = put.mapping;
  FlatBufferBuilder& builder = empty_builder();
  // A queue and a stream have the same three names.
  const auto [source_account, source_region, source_name] = std::visit(
      [&builder](const auto& source) {
        const auto account = build_string(builder, source.account);
        const auto region = build_string(builder, source.region);
        return std::tuple{account, region, build_string(builder, source.name)};
      },
      mapping.source);
  const auto consumer = build_consumer(builder, mapping.consumer);
  const auto source_arn = build_optional_string(builder, mapping.source_arn);
  const auto function_account = build_string(builder, mapping.function.account);
  const auto function_region = build_string(builder, mapping.function.region);
  const auto function_name = build_string(builder, mapping.function.name);
  const auto function_arn = build_optional_string(builder, mapping.function_arn);
  const auto config = build_config(builder, mapping.config);
  const auto state_reason = build_optional_string(builder, mapping.state_reason);
  const auto last_result = build_optional_string(builder, mapping.last_result);
  const auto tags = build_pairs(builder, mapping.tags);
  builder.Finish(fb::CreateMapping(builder, mapping.of_stream(), source_account, source_region, source_name, consumer,
                                   source_arn, function_account, function_region, function_name, function_arn, config,
                                   static_cast<fb::MappingState>(mapping.state), state_reason, last_result, tags,
                                   to_epoch_ms(mapping.modified)),
                 mapping_identifier);
  put_finished(builder, Table::catalog, mapping_key(mapping.uuid), batch);
}

void encode_one(const DropMapping& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, mapping_key(drop.uuid).view());
  drop_range(batch, Table::catalog, checkpoints_of(drop.uuid));
}

void encode_one(const PutCheckpoint& put, WriteBatch& batch) {
  const ShardCheckpoint& checkpoint = put.checkpoint;
  FlatBufferBuilder& builder = empty_builder();
  Offset<fb::TumblingWindow> window;
  if (checkpoint.window) {
    const auto state = build_optional_string(builder, checkpoint.window->state);
    window = fb::CreateTumblingWindow(builder, to_epoch_ms(checkpoint.window->start), state,
                                      checkpoint.window->length.count());
  }
  builder.Finish(fb::CreateCheckpoint(builder, checkpoint.next.value, to_epoch_ms(checkpoint.not_before),
                                      checkpoint.finished, window),
                 checkpoint_identifier);
  put_finished(builder, Table::catalog, checkpoint_key(put.mapping, checkpoint.stream, checkpoint.shard), batch);
}

void encode_one(const DropCheckpoint& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, checkpoint_key(drop.mapping, drop.stream, drop.shard).view());
}

void encode_one(const PutAsyncEvent& put, WriteBatch& batch) {
  const AsyncEvent& event = put.event;
  FlatBufferBuilder& builder = empty_builder();
  const auto account = build_string(builder, event.function.account);
  const auto region = build_string(builder, event.function.region);
  const auto name = build_string(builder, event.function.name);
  const auto payload = build_optional_string(builder, event.payload);
  const auto client_context = build_optional_string(builder, event.client_context);
  builder.Finish(fb::CreateAsyncEvent(builder, account, region, name, payload, client_context,
                                      to_epoch_ms(event.accepted), to_epoch_ms(event.due), event.attempts),
                 async_event_identifier);
  put_finished(builder, Table::catalog, async_event_key(event.id), batch);
}

void encode_one(const DropAsyncEvent& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, async_event_key(drop.id).view());
}

// ---- Decoding.

std::vector<std::string> strings_of(const Strings* strings) {
  std::vector<std::string> texts;
  if (strings == nullptr) return texts;
  texts.reserve(strings->size());
  for (const String* string : *strings) texts.push_back(text_of(string));
  return texts;
}

std::optional<AsyncConfig> async_of(const fb::AsyncConfig* stored) {
  if (stored == nullptr) return std::nullopt;
  return AsyncConfig{stored->retries_max(), stored->age_seconds_max(), text_of(stored->on_success()),
                     text_of(stored->on_failure()), from_epoch_ms(stored->modified_ms())};
}

bool decode_config(const fb::MappingConfig* stored, MappingConfig& config) {
  if (stored->start() > fb::StartingPosition::MAX) return false;
  config.batch_size = stored->batch_size();
  config.window_seconds = stored->window_seconds();
  config.filters = strings_of(stored->filters());
  config.report_batch_item_failures = stored->report_batch_item_failures();
  config.concurrency_max = stored->concurrency_max();
  config.start = static_cast<IteratorType>(stored->start());
  if (const auto start_ms = stored->start_timestamp_ms()) config.start_timestamp = from_epoch_ms(*start_ms);
  config.parallelization = stored->parallelization();
  config.bisect = stored->bisect();
  config.retries_max = stored->retries_max();
  config.record_age_seconds_max = stored->record_age_seconds_max();
  config.on_failure = text_of(stored->on_failure());
  config.tumbling_seconds = stored->tumbling_seconds();
  config.enabled = stored->enabled();
  config.kms_key_arn = text_of(stored->kms_key_arn());
  config.metrics = strings_of(stored->metrics());
  // What the engine divides by or counts down from.
  return config.batch_size > 0 && config.parallelization > 0 && config.window_seconds >= 0 &&
         config.tumbling_seconds >= 0;
}

// ---- A start.

StoreError read_functions(const Store& store, std::vector<FunctionRecord>& functions) {
  StoreError error =
      read_entries(store, all_functions(), "a function", [&](std::string_view key, std::string_view value) {
        FunctionRecord& function = functions.emplace_back();
        return decode_function(value, function) && key == function_key(function.name).view();
      });
  // In the store they are in the order of their hashes.
  std::ranges::sort(functions, {}, &FunctionRecord::name);
  return error;
}

StoreError read_mappings(const Store& store, std::vector<RecoveredMapping>& mappings) {
  return read_entries(store, all_mappings(), "an event source mapping",
                      [&](std::string_view key, std::string_view value) {
                        auto uuid = parse_mapping_key(key);
                        if (!uuid) return false;
                        MappingRecord& mapping = mappings.emplace_back().record;
                        mapping.uuid = *std::move(uuid);
                        return decode_mapping(value, mapping);
                      });
}

StoreError read_checkpoints(const Store& store, std::vector<RecoveredMapping>& mappings) {
  auto mapping = mappings.begin();
  return read_entries(store, all_checkpoints(), "how far an event source mapping has got",
                      [&](std::string_view key, std::string_view value) {
                        const auto parts = parse_checkpoint_key(key);
                        if (!parts) return false;
                        while (mapping != mappings.end() && mapping->record.uuid < parts->mapping) ++mapping;
                        if (mapping == mappings.end() || mapping->record.uuid != parts->mapping) return true;
                        ShardCheckpoint& checkpoint = mapping->checkpoints.emplace_back();
                        checkpoint.stream = parts->stream;
                        checkpoint.shard = parts->shard;
                        return decode_checkpoint(value, checkpoint);
                      });
}

StoreError read_async_events(const Store& store, std::vector<AsyncEvent>& events) {
  return read_entries(store, all_async_events(), "an asynchronous invoke",
                      [&](std::string_view key, std::string_view value) {
                        auto id = parse_async_event_key(key);
                        if (!id) return false;
                        AsyncEvent& event = events.emplace_back();
                        event.id = *std::move(id);
                        return decode_async_event(value, event);
                      });
}

}  // namespace

// ---- Decoding.

bool decode_function(std::string_view bytes, FunctionRecord& function) {
  const auto* stored = verified<fb::Function>(align_record(bytes), function_identifier);
  if (stored == nullptr || stored->kind() > fb::FunctionKind::MAX) return false;
  function.name = {text_of(stored->account()), text_of(stored->region()), text_of(stored->name())};
  function.kind = static_cast<FunctionKind>(stored->kind());
  function.runtime = text_of(stored->runtime());
  function.handler = text_of(stored->handler());
  function.command = strings_of(stored->command());
  function.directory = text_of(stored->directory());
  function.url = text_of(stored->url());
  function.code_sha256 = text_of(stored->code_sha256());
  function.code_bytes = stored->code_bytes();
  function.role = text_of(stored->role());
  function.description = text_of(stored->description());
  function.timeout_seconds = stored->timeout_seconds();
  function.memory_mib = stored->memory_mib();
  function.storage_mib = stored->storage_mib();
  function.architectures = strings_of(stored->architectures());
  function.environment = map_of(stored->environment());
  function.tags = map_of(stored->tags());
  function.log_group = text_of(stored->log_group());
  function.tracing_mode = text_of(stored->tracing_mode());
  function.kms_key_arn = text_of(stored->kms_key_arn());
  function.dead_letter_arn = text_of(stored->dead_letter_arn());
  function.reserved_concurrency = stored->reserved_concurrency();
  function.async = async_of(stored->async());
  function.revision_id = text_of(stored->revision_id());
  function.generation = stored->generation();
  function.modified = from_epoch_ms(stored->modified_ms());
  return function.timeout_seconds > 0 && function.memory_mib > 0;
}

bool decode_mapping(std::string_view bytes, MappingRecord& mapping) {
  const auto* stored = verified<fb::Mapping>(align_record(bytes), mapping_identifier);
  if (stored == nullptr || stored->state() > fb::MappingState::MAX) return false;
  const auto name_source = [stored](auto name) {
    name.account = text_of(stored->source_account());
    name.region = text_of(stored->source_region());
    name.name = text_of(stored->source_name());
    return name;
  };
  if (stored->of_stream()) {
    mapping.source = name_source(StreamName{});
  } else {
    mapping.source = name_source(QueueName{});
  }
  if (const auto* consumer = stored->consumer()) {
    mapping.consumer = ConsumerRef{text_of(consumer->name()), consumer->created_s()};
  }
  mapping.source_arn = text_of(stored->source_arn());
  mapping.function = {text_of(stored->function_account()), text_of(stored->function_region()),
                      text_of(stored->function_name())};
  mapping.function_arn = text_of(stored->function_arn());
  mapping.state = static_cast<MappingState>(stored->state());
  mapping.state_reason = text_of(stored->state_reason());
  mapping.last_result = text_of(stored->last_result());
  mapping.tags = map_of(stored->tags());
  mapping.modified = from_epoch_ms(stored->modified_ms());
  return decode_config(stored->config(), mapping.config);
}

bool decode_checkpoint(std::string_view bytes, ShardCheckpoint& checkpoint) {
  const auto* stored = verified<fb::Checkpoint>(align_record(bytes), checkpoint_identifier);
  if (stored == nullptr) return false;
  checkpoint.next = RecordIndex{stored->next()};
  checkpoint.not_before = from_epoch_ms(stored->not_before_ms());
  checkpoint.finished = stored->finished();
  if (const auto* window = stored->window()) {
    checkpoint.window =
        TumblingWindow{from_epoch_ms(window->start_ms()), text_of(window->state()), Millis{window->length_ms()}};
  }
  // Records count from 1.
  return checkpoint.next.value > 0 && (!checkpoint.window || checkpoint.window->length >= Millis{0});
}

bool decode_async_event(std::string_view bytes, AsyncEvent& event) {
  const auto* stored = verified<fb::AsyncEvent>(align_record(bytes), async_event_identifier);
  if (stored == nullptr) return false;
  event.function = {text_of(stored->account()), text_of(stored->region()), text_of(stored->name())};
  event.payload = text_of(stored->payload());
  event.client_context = text_of(stored->client_context());
  event.accepted = from_epoch_ms(stored->accepted_ms());
  event.due = from_epoch_ms(stored->due_ms());
  event.attempts = stored->attempts();
  return event.attempts >= 0;
}

// ----

void encode(std::span<const TriggerMutation> mutations, WriteBatch& batch) {
  for (const TriggerMutation& mutation : mutations) {
    std::visit([&](const auto& one) { encode_one(one, batch); }, mutation);
  }
}

StoreError recover_triggers(const Store& store, RecoveredTriggers& triggers) {
  triggers = {};
  if (StoreError error = read_functions(store, triggers.functions)) return error;
  if (StoreError error = read_mappings(store, triggers.mappings)) return error;
  if (StoreError error = read_checkpoints(store, triggers.mappings)) return error;
  return read_async_events(store, triggers.events);
}

}  // namespace penstock::storage
