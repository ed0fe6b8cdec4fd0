#include "storage/trigger_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "damage.hpp"
#include "records_support.hpp"
#include "storage/faulty_store.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocksdb_store.hpp"
#include "support.hpp"

namespace penstock::storage {
namespace {

constexpr StreamId stream_id{0x4142434445464748ULL};
constexpr StreamId last_stream{std::numeric_limits<std::uint64_t>::max()};
constexpr ShardIndex shard_3{3};
constexpr ShardIndex last_shard{std::numeric_limits<std::uint32_t>::max()};
const std::string first_uuid = "00000000-0000-4000-8000-000000000000";
const std::string some_uuid = "0123abcd-4567-489a-bcde-f0123456789a";
const std::string next_uuid = "0123abcd-4567-489a-bcde-f0123456789b";
const std::string last_uuid = "ffffffff-ffff-ffff-ffff-ffffffffffff";

Instant at_ms(std::int64_t ms) { return from_epoch_ms(1'700'000'000'000 + ms); }

FunctionName named(const std::string& name) { return {"000000000000", "eu-central-1", name}; }

FunctionRecord plain_function(const std::string& name) {
  FunctionRecord function;
  function.name = named(name);
  return function;
}

FunctionRecord fixed_function() {
  FunctionRecord function = plain_function("bill");
  function.kind = FunctionKind::exec;
  function.runtime = "python3.12";
  function.handler = "app.handler";
  function.command = {"./run", "", "--fast"};
  function.directory = "/srv/bill";
  function.url = "http://127.0.0.1:9000/2015-03-31/functions/function/invocations";
  function.code_sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  function.code_bytes = 4'711;
  function.role = "arn:aws:iam::000000000000:role/bill";
  function.description = "Sends bills.";
  function.timeout_seconds = 900;
  function.memory_mib = 10'240;
  function.storage_mib = 1'024;
  function.architectures = {"arm64"};
  function.environment = {{"EMPTY", ""}, {"STAGE", "test"}};
  function.tags = {{"team", "money"}};
  function.log_group = "/bills";
  function.tracing_mode = "Active";
  function.kms_key_arn = "arn:aws:kms:eu-central-1:000000000000:key/1";
  function.dead_letter_arn = "arn:aws:sqs:eu-central-1:000000000000:dead";
  function.reserved_concurrency = 0;
  function.async = AsyncConfig{1, 60, "arn:aws:sqs:eu-central-1:000000000000:good", "", at_ms(1)};
  function.revision_id = "b7a1ca7e-53b1-4cf1-a3d1-a6ea2ef0b7a5";
  function.generation = 3;
  function.modified = at_ms(2);
  return function;
}

MappingRecord plain_mapping(const std::string& uuid) {
  MappingRecord mapping;
  mapping.uuid = uuid;
  mapping.source = QueueName{"000000000000", "eu-central-1", "orders"};
  mapping.function = named("bill");
  return mapping;
}

MappingRecord fixed_mapping() {
  MappingRecord mapping = plain_mapping(some_uuid);
  mapping.source = StreamName{"111111111111", "us-east-1", "clicks"};
  mapping.consumer = ConsumerRef{"fan", 1'700'000'003};
  mapping.source_arn = "arn:aws:kinesis:us-east-1:111111111111:stream/clicks/consumer/fan:1700000003";
  mapping.function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:bill:$LATEST";
  mapping.config.batch_size = 10'000;
  mapping.config.window_seconds = 300;
  mapping.config.filters = {R"({"data": {"a": [1]}})", "{}"};
  mapping.config.report_batch_item_failures = true;
  mapping.config.concurrency_max = 2;
  mapping.config.start = IteratorType::at_timestamp;
  mapping.config.start_timestamp = at_ms(3);
  mapping.config.parallelization = 10;
  mapping.config.bisect = true;
  mapping.config.retries_max = 0;
  mapping.config.record_age_seconds_max = 60;
  mapping.config.on_failure = "arn:aws:sqs:eu-central-1:000000000000:dead";
  mapping.config.tumbling_seconds = 900;
  mapping.config.enabled = false;
  mapping.config.kms_key_arn = "arn:aws:kms:eu-central-1:000000000000:key/2";
  mapping.config.metrics = {"EventCount"};
  mapping.state = MappingState::deleting;
  mapping.state_reason = "User action";
  mapping.last_result = "OK";
  mapping.tags = {{"a", "b"}};
  mapping.modified = at_ms(4);
  return mapping;
}

ShardCheckpoint checkpoint_at(StreamId stream, ShardIndex shard, std::uint64_t next) {
  ShardCheckpoint checkpoint;
  checkpoint.stream = stream;
  checkpoint.shard = shard;
  checkpoint.next = RecordIndex{next};
  return checkpoint;
}

ShardCheckpoint fixed_checkpoint() {
  ShardCheckpoint checkpoint = checkpoint_at(stream_id, shard_3, 5'000);
  checkpoint.not_before = at_ms(5);
  checkpoint.finished = true;
  checkpoint.window = TumblingWindow{at_ms(6), R"({"sum": 9})", Millis{60'000}};
  return checkpoint;
}

/// As it was kept before the lengths of windows were: another shard's.
ShardCheckpoint unmeasured_checkpoint() {
  ShardCheckpoint checkpoint = fixed_checkpoint();
  checkpoint.shard = ShardIndex{checkpoint.shard.value + 1};
  checkpoint.window->length = Millis{0};
  return checkpoint;
}

AsyncEvent plain_event(const std::string& id) {
  AsyncEvent event;
  event.id = id;
  event.function = named("bill");
  return event;
}

AsyncEvent fixed_event() {
  AsyncEvent event = plain_event(some_uuid);
  event.payload = R"({"order": "é"})";
  event.client_context = "e30=";
  event.accepted = at_ms(7);
  event.due = at_ms(8);
  event.attempts = 2;
  return event;
}

void commit(Store& store, const std::vector<TriggerMutation>& mutations) {
  WriteBatch batch;
  encode(mutations, batch);
  ASSERT_FALSE(store.commit(batch, true));
}

std::string encoded(const TriggerMutation& mutation) {
  WriteBatch batch;
  encode(std::vector{mutation}, batch);
  std::string bytes;
  batch.for_each([&](WriteBatch::Op op, Table, std::string_view, std::string_view value) {
    EXPECT_EQ(op, WriteBatch::Op::put);
    bytes.assign(value);
  });
  return bytes;
}

RecoveredTriggers started(const Store& store) {
  RecoveredTriggers triggers;
  const StoreError error = recover_triggers(store, triggers);
  EXPECT_FALSE(error) << error.message;
  return triggers;
}

std::size_t catalog_size(const Store& store) {
  return rows_of(store, Table::catalog, "", std::string(64, '\xff')).size();
}

using Checkpoints = std::vector<ShardCheckpoint>;

// ---- Round trips, on each store.

struct Memory {
  MemoryStore store;
  Store& get() { return store; }
};
struct RocksDb {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  RocksDb() {
    const StoreError error = open_rocksdb({.directory = directory.path() / "data"}, store);
    EXPECT_FALSE(error) << error.message;
  }
  Store& get() { return *store; }
};

template <class Subject>
class TriggerRecords : public testing::Test {
 protected:
  Store& store() { return subject_.get(); }

 private:
  Subject subject_;
};
using Subjects = testing::Types<Memory, RocksDb>;
TYPED_TEST_SUITE(TriggerRecords, Subjects);

TYPED_TEST(TriggerRecords, ComeBackAsTheyWere) {
  Store& store = this->store();
  commit(store,
         {PutFunction{plain_function("zip")}, PutFunction{fixed_function()}, PutFunction{plain_function("a")},
          PutMapping{plain_mapping(last_uuid)}, PutMapping{fixed_mapping()}, PutMapping{plain_mapping(first_uuid)},
          PutCheckpoint{some_uuid, checkpoint_at(last_stream, last_shard, 7)},
          PutCheckpoint{some_uuid, fixed_checkpoint()},
          PutCheckpoint{last_uuid, checkpoint_at(StreamId{0}, ShardIndex{0}, 1)}, PutAsyncEvent{plain_event(last_uuid)},
          PutAsyncEvent{fixed_event()}});
  const RecoveredTriggers found = started(store);
  EXPECT_THAT(found.functions, testing::ElementsAre(plain_function("a"), fixed_function(), plain_function("zip")));
  ASSERT_EQ(found.mappings.size(), 3U);
  EXPECT_EQ(found.mappings[0].record, plain_mapping(first_uuid));
  EXPECT_TRUE(found.mappings[0].checkpoints.empty());
  EXPECT_EQ(found.mappings[1].record, fixed_mapping());
  EXPECT_EQ(found.mappings[1].checkpoints,
            (Checkpoints{fixed_checkpoint(), checkpoint_at(last_stream, last_shard, 7)}));
  EXPECT_EQ(found.mappings[2].record, plain_mapping(last_uuid));
  EXPECT_EQ(found.mappings[2].checkpoints, (Checkpoints{checkpoint_at(StreamId{0}, ShardIndex{0}, 1)}));
  EXPECT_THAT(found.events, testing::ElementsAre(fixed_event(), plain_event(last_uuid)));
}

TYPED_TEST(TriggerRecords, AreReplaced) {
  Store& store = this->store();
  FunctionRecord function = fixed_function();
  MappingRecord mapping = fixed_mapping();
  ShardCheckpoint checkpoint = fixed_checkpoint();
  AsyncEvent event = fixed_event();
  for (int i = 0; i < 3; ++i) {
    commit(store,
           {PutFunction{function}, PutMapping{mapping}, PutCheckpoint{some_uuid, checkpoint}, PutAsyncEvent{event}});
    const RecoveredTriggers found = started(store);
    EXPECT_THAT(found.functions, testing::ElementsAre(function));
    ASSERT_EQ(found.mappings.size(), 1U);
    EXPECT_EQ(found.mappings[0].record, mapping);
    EXPECT_EQ(found.mappings[0].checkpoints, (Checkpoints{checkpoint}));
    EXPECT_THAT(found.events, testing::ElementsAre(event));
    ++function.generation;
    function.reserved_concurrency.reset();
    function.async.reset();
    mapping.source = QueueName{"000000000000", "us-east-1", "orders.fifo"};
    mapping.consumer.reset();
    mapping.config.concurrency_max.reset();
    mapping.config.start_timestamp.reset();
    ++checkpoint.next.value;
    checkpoint.window.reset();
    ++event.attempts;
  }
}

TYPED_TEST(TriggerRecords, DropsWhatIsNamed) {
  Store& store = this->store();
  const std::vector<std::string> uuids{first_uuid, some_uuid, next_uuid, last_uuid};
  for (const std::string& uuid : uuids) {
    commit(store,
           {PutMapping{plain_mapping(uuid)}, PutCheckpoint{uuid, checkpoint_at(StreamId{0}, ShardIndex{0}, 1)},
            PutCheckpoint{uuid, fixed_checkpoint()}, PutCheckpoint{uuid, checkpoint_at(last_stream, last_shard, 3)},
            PutAsyncEvent{plain_event(uuid)}, PutFunction{plain_function(uuid)}});
  }
  commit(store, {DropCheckpoint{next_uuid, stream_id, shard_3}, DropMapping{some_uuid}, DropMapping{last_uuid},
                 DropAsyncEvent{some_uuid}, DropFunction{named(first_uuid)}});
  const RecoveredTriggers found = started(store);
  ASSERT_EQ(found.mappings.size(), 2U);
  EXPECT_EQ(found.mappings[0].record.uuid, first_uuid);
  EXPECT_EQ(found.mappings[0].checkpoints.size(), 3U) << "the neighbours keep theirs";
  EXPECT_EQ(found.mappings[1].record.uuid, next_uuid);
  EXPECT_EQ(found.mappings[1].checkpoints,
            (Checkpoints{checkpoint_at(StreamId{0}, ShardIndex{0}, 1), checkpoint_at(last_stream, last_shard, 3)}));
  EXPECT_THAT(found.events,
              testing::ElementsAre(plain_event(first_uuid), plain_event(next_uuid), plain_event(last_uuid)));
  EXPECT_EQ(found.functions.size(), 3U);
  EXPECT_EQ(catalog_size(store), 2U + 5U + 3U + 3U);
}

TYPED_TEST(TriggerRecords, FunctionsOfOneNameInDifferentAccountsAndRegionsAreApart) {
  Store& store = this->store();
  FunctionRecord elsewhere = plain_function("bill");
  elsewhere.name.region = "us-east-1";
  FunctionRecord anothers = plain_function("bill");
  anothers.name.account = "111111111111";
  commit(store, {PutFunction{plain_function("bill")}, PutFunction{elsewhere}, PutFunction{anothers}});
  commit(store, {DropFunction{elsewhere.name}});
  EXPECT_THAT(started(store).functions, testing::ElementsAre(plain_function("bill"), anothers));
}

TYPED_TEST(TriggerRecords, ACheckpointOfAMappingThatIsGoneCountsForNothing) {
  Store& store = this->store();
  commit(store, {PutMapping{plain_mapping(some_uuid)}, PutCheckpoint{first_uuid, fixed_checkpoint()},
                 PutCheckpoint{some_uuid, fixed_checkpoint()}, PutCheckpoint{next_uuid, fixed_checkpoint()}});
  const RecoveredTriggers found = started(store);
  ASSERT_EQ(found.mappings.size(), 1U);
  EXPECT_EQ(found.mappings[0].checkpoints, (Checkpoints{fixed_checkpoint()}));
}

// ---- Golden bytes: a release must read what the one before has written.

struct Golden {
  std::string name;
  TriggerMutation mutation;
};

std::vector<Golden> golden_records() {
  return {{"function", PutFunction{fixed_function()}},
          {"function_plain", PutFunction{plain_function("plain")}},
          {"mapping", PutMapping{fixed_mapping()}},
          {"mapping_plain", PutMapping{plain_mapping(next_uuid)}},
          {"checkpoint", PutCheckpoint{some_uuid, fixed_checkpoint()}},
          {"checkpoint_unmeasured", PutCheckpoint{some_uuid, unmeasured_checkpoint()}},
          {"checkpoint_plain", PutCheckpoint{next_uuid, checkpoint_at(stream_id, shard_3, 1)}},
          {"async_event", PutAsyncEvent{fixed_event()}},
          {"async_event_plain", PutAsyncEvent{plain_event(next_uuid)}}};
}

std::string key_for(const Golden& record) {
  WriteBatch batch;
  encode(std::vector{record.mutation}, batch);
  std::string key;
  batch.for_each([&](WriteBatch::Op, Table table, std::string_view first, std::string_view) {
    EXPECT_EQ(table, Table::catalog);
    key.assign(first);
  });
  return key;
}

TEST(TriggerGolden, EncodesToTheReleasedBytes) {
  for (const Golden& record : golden_records()) {
    EXPECT_EQ(to_hex(encoded(record.mutation)), to_hex(read_golden(record.name))) << record.name;
  }
}

TEST(TriggerGolden, DecodesTheReleasedBytes) {
  MemoryStore store;
  for (const Golden& record : golden_records()) {
    ASSERT_FALSE(store.commit(put_of(Table::catalog, key_for(record), read_golden(record.name)), true));
  }
  const RecoveredTriggers found = started(store);
  EXPECT_THAT(found.functions, testing::ElementsAre(fixed_function(), plain_function("plain")));
  ASSERT_EQ(found.mappings.size(), 2U);
  EXPECT_EQ(found.mappings[0].record, fixed_mapping());
  EXPECT_EQ(found.mappings[0].checkpoints, (Checkpoints{fixed_checkpoint(), unmeasured_checkpoint()}));
  EXPECT_EQ(found.mappings[1].record, plain_mapping(next_uuid));
  EXPECT_EQ(found.mappings[1].checkpoints, (Checkpoints{checkpoint_at(stream_id, shard_3, 1)}));
  EXPECT_THAT(found.events, testing::ElementsAre(fixed_event(), plain_event(next_uuid)));
}

TEST(TriggerGolden, KeysAreBigEndian) {
  const std::string uuid = "01 23 ab cd 45 67 48 9a bc de f0 12 34 56 78 9a ";
  EXPECT_EQ(to_hex(mapping_key(some_uuid).view()), "6d " + uuid);
  EXPECT_EQ(to_hex(async_event_key(some_uuid).view()), "65 " + uuid);
  EXPECT_EQ(to_hex(checkpoint_key(some_uuid, stream_id, ShardIndex{258}).view()),
            "69 " + uuid + "41 42 43 44 45 46 47 48 00 00 01 02 ");
  EXPECT_EQ(to_hex(function_key(named("bill")).view()), "66 89 99 3d a8 a7 bc 56 d9 ");
}

TEST(TriggerKeys, AreInTheOrderOfWhatTheyName) {
  std::vector<std::string> mappings;
  std::vector<std::string> checkpoints;
  for (const std::string& uuid : {first_uuid, some_uuid, next_uuid, last_uuid}) {
    mappings.emplace_back(mapping_key(uuid).view());
    EXPECT_EQ(parse_mapping_key(mappings.back()), uuid);
    EXPECT_EQ(parse_async_event_key(async_event_key(uuid).view()), uuid);
    const KeyRange of_mapping = checkpoints_of(uuid);
    for (const StreamId stream : {StreamId{0}, StreamId{256}, last_stream}) {
      for (const ShardIndex shard : {ShardIndex{0}, ShardIndex{255}, ShardIndex{256}, last_shard}) {
        checkpoints.emplace_back(checkpoint_key(uuid, stream, shard).view());
        const auto parts = parse_checkpoint_key(checkpoints.back());
        ASSERT_TRUE(parts);
        EXPECT_EQ(parts->mapping, uuid);
        EXPECT_EQ(parts->stream, stream);
        EXPECT_EQ(parts->shard, shard);
        EXPECT_LT(of_mapping.from.view(), checkpoints.back());
        EXPECT_GT(of_mapping.until.view(), checkpoints.back());
      }
    }
    for (const std::string& one : {mappings.back(), checkpoints.back()}) {
      EXPECT_TRUE(is_rewritten(Table::catalog, one));
      EXPECT_FALSE(parse_mapping_key(one + "x") || parse_checkpoint_key(one + "x") || parse_async_event_key(one + "x"));
    }
  }
  EXPECT_TRUE(std::is_sorted(mappings.begin(), mappings.end()));
  EXPECT_TRUE(std::is_sorted(checkpoints.begin(), checkpoints.end()));
}

// ---- Damage: every status but ok and corrupt, and every crash, is a defect.

/// Reads the record as a start would.
StoreStatus read_back(const Golden& record, std::string_view bytes) {
  MemoryStore store;
  commit(store, {PutMapping{fixed_mapping()}, PutMapping{plain_mapping(next_uuid)}});
  EXPECT_FALSE(store.commit(put_of(Table::catalog, key_for(record), bytes), true));
  RecoveredTriggers triggers;
  return recover_triggers(store, triggers).status;
}

std::string bytes_of(const Golden& record) { return encoded(record.mutation); }

TEST(TriggerDamage, TruncatedRecordsAreCorrupt) {
  for (const Golden& record : golden_records()) {
    const std::string bytes = encoded(record.mutation);
    ASSERT_EQ(read_back(record, bytes), StoreStatus::ok) << record.name;
    // Whatever ends a record may be padding.
    constexpr std::size_t padding_max = 8;
    for (std::size_t size = 0; size + padding_max < bytes.size(); ++size) {
      ASSERT_EQ(read_back(record, std::string_view{bytes}.substr(0, size)), StoreStatus::corrupt)
          << record.name << " cut to " << size;
    }
  }
}

TEST(TriggerDamage, ARecordOfAnotherKindIsCorrupt) {
  const std::vector<Golden> records = golden_records();
  for (const Golden& place : records) {
    for (const Golden& other : records) {
      if (place.mutation.index() == other.mutation.index()) continue;
      EXPECT_EQ(read_back(place, encoded(other.mutation)), StoreStatus::corrupt) << other.name << " as " << place.name;
    }
  }
}

TEST(TriggerDamage, FlippedBitsAreCorruptOrAnotherValue) { flip_every_bit(golden_records(), bytes_of, read_back); }

TEST(TriggerDamage, RandomBytesAreCorruptOrAnotherValue) { scribble(golden_records(), bytes_of, read_back); }

TEST(TriggerDamage, WhatContradictsItselfIsCorrupt) {
  FunctionRecord without_time = fixed_function();
  without_time.timeout_seconds = 0;
  MappingRecord without_size = fixed_mapping();
  without_size.config.batch_size = 0;
  AsyncEvent undone = fixed_event();
  undone.attempts = -1;
  for (const TriggerMutation& bad : std::vector<TriggerMutation>{
           PutFunction{without_time}, PutMapping{without_size},
           PutCheckpoint{some_uuid, checkpoint_at(stream_id, shard_3, 0)}, PutAsyncEvent{undone}}) {
    MemoryStore store;
    commit(store, {PutMapping{fixed_mapping()}, bad});
    RecoveredTriggers triggers;
    EXPECT_EQ(recover_triggers(store, triggers).status, StoreStatus::corrupt) << bad.index();
  }
}

TEST(TriggerDamage, UnknownKeysAreCorrupt) {
  for (const Golden& record : golden_records()) {
    const std::string key = key_for(record);
    const std::string bytes = encoded(record.mutation);
    for (const std::string& stray : {key + "x", key.substr(0, key.size() - 1), key.substr(0, 1)}) {
      MemoryStore store;
      commit(store, {PutMapping{fixed_mapping()}});
      ASSERT_FALSE(store.commit(put_of(Table::catalog, stray, bytes), true));
      RecoveredTriggers triggers;
      EXPECT_EQ(recover_triggers(store, triggers).status, StoreStatus::corrupt) << record.name;
    }
  }
}

TEST(TriggerDamage, AFailureIsHandedOn) {
  SeededEntropy entropy{1};
  FaultyStore store{entropy};
  for (std::uint64_t n = 1; n <= 4; ++n) {
    store.fail_at(n, StoreStatus::io_error);
    RecoveredTriggers triggers;
    EXPECT_EQ(recover_triggers(store, triggers).status, StoreStatus::io_error) << n;
  }
}

// ---- Format.

TEST(TriggerFormat, OfTheVersionBeforeTriggersIsUpgraded) {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  const auto open = [&] {
    store.reset();
    const StoreError error = open_rocksdb({.directory = directory.path() / "data"}, store);
    ASSERT_FALSE(error) << error.message;
  };
  open();
  ASSERT_FALSE(store->commit(put_of(Table::catalog, format_key().view(), Key{}.append_u32(4).view()), true));
  for (const std::size_t functions : {0U, 1U}) {
    open();
    ASSERT_FALSE(open_format(*store));
    std::string version;
    ASSERT_FALSE(store->get(Table::catalog, format_key().view(), version));
    EXPECT_EQ(version, Key{}.append_u32(format_version).view());
    EXPECT_EQ(started(*store).functions.size(), functions);
    commit(*store, {PutFunction{fixed_function()}});
  }
}

}  // namespace
}  // namespace penstock::storage
