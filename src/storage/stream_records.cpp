#include "storage/stream_records.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/decoding.hpp"
#include "storage/flat_records.hpp"
#include "storage/group_records.hpp"
#include "storage/keys.hpp"
#include "streams_generated.h"

namespace penstock::storage {
namespace {

constexpr const char* stream_identifier = "PSSI";
constexpr const char* shard_identifier = "PSSH";
constexpr const char* shard_cursor_identifier = "PSSC";
constexpr const char* segment_identifier = "PSSG";
constexpr const char* record_identifier = "PSSR";
constexpr const char* account_identifier = "PSSA";

/// What precedes a record's flatbuffer: how long that is.
constexpr std::size_t size_prefix_bytes = sizeof(flatbuffers::uoffset_t);
/// What a record in a batch takes besides its partition key and data: its key and the flatbuffer around them.
constexpr std::size_t record_overhead_bytes = 96;

using Instants = flatbuffers::Vector<std::int64_t>;

std::string describe(StreamId stream) { return "stream " + std::to_string(stream.value); }

std::string describe(const ShardKeyParts& shard) {
  return describe(shard.stream) + ", shard " + std::to_string(shard.shard.value);
}

// ---- Encoding.

/// Instants as the schema's optional fields have them.
flatbuffers::Optional<std::int64_t> optional_ms(const std::optional<Instant>& instant) {
  if (!instant) return flatbuffers::nullopt;
  return to_epoch_ms(*instant);
}

flatbuffers::Optional<std::uint32_t> optional_shard(const std::optional<ShardIndex>& shard) {
  if (!shard) return flatbuffers::nullopt;
  return shard->value;
}

Offset<Instants> build_instants(FlatBufferBuilder& builder, const std::vector<Instant>& instants) {
  if (instants.empty()) return {};
  std::vector<std::int64_t> built;
  built.reserve(instants.size());
  for (const Instant instant : instants) built.push_back(to_epoch_ms(instant));
  return builder.CreateVector(built);
}

Offset<FlatVector<fb::StreamConsumer>> build_consumers(FlatBufferBuilder& builder,
                                                       const std::vector<StreamConsumer>& consumers) {
  if (consumers.empty()) return {};
  std::vector<Offset<fb::StreamConsumer>> built;
  built.reserve(consumers.size());
  for (const StreamConsumer& consumer : consumers) {
    const auto name = build_string(builder, consumer.name);
    const auto tags = build_pairs(builder, consumer.tags);
    const auto policy = build_optional_string(builder, consumer.policy);
    built.push_back(fb::CreateStreamConsumer(builder, name, to_epoch_ms(consumer.created),
                                             static_cast<fb::StreamStatus>(consumer.status),
                                             to_epoch_ms(consumer.status_until), tags, policy));
  }
  return builder.CreateVector(built);
}

Offset<fb::Stream> build_stream(FlatBufferBuilder& builder, const StreamInfo& info) {
  const auto account = build_string(builder, info.name.account);
  const auto region = build_string(builder, info.name.region);
  const auto name = build_string(builder, info.name.name);
  Offset<FlatVector<String>> metrics;
  if (!info.metrics.empty()) metrics = builder.CreateVectorOfStrings(info.metrics);
  const auto tags = build_pairs(builder, info.tags);
  const auto policy = build_optional_string(builder, info.policy);
  const auto key_id = build_optional_string(builder, info.key_id);
  const auto consumers = build_consumers(builder, info.consumers);
  const auto mode_changes = build_instants(builder, info.mode_changes);
  const auto count_changes = build_instants(builder, info.count_changes);
  flatbuffers::Optional<std::uint32_t> warm_mibps = flatbuffers::nullopt;
  if (info.warm_mibps) warm_mibps = *info.warm_mibps;
  return fb::CreateStream(builder, info.id.value, account, region, name, static_cast<fb::StreamStatus>(info.status),
                          to_epoch_ms(info.status_until), to_epoch_ms(info.created), info.on_demand,
                          info.retention_hours, metrics, tags, policy, info.encrypted, key_id, info.record_kib_max,
                          warm_mibps, info.next_shard.value, consumers, mode_changes, count_changes,
                          to_epoch_ms(info.floor));
}

fb::HashKey hash_key_of(const HashKey& key) { return {key.high, key.low}; }

// The values on disk are those of the vocabulary, both ways.
static_assert(static_cast<int>(fb::StreamStatus::creating) == static_cast<int>(StreamStatus::creating));
static_assert(static_cast<int>(fb::StreamStatus::updating) == static_cast<int>(StreamStatus::updating));
static_assert(static_cast<int>(fb::StreamStatus::MAX) == static_cast<int>(fb::StreamStatus::updating));

// ---- Decoding.

std::vector<Instant> instants_of(const Instants* stored) {
  std::vector<Instant> instants;
  if (stored == nullptr) return instants;
  instants.reserve(stored->size());
  for (flatbuffers::uoffset_t i = 0; i < stored->size(); ++i) {
    // Copied out: of a vector's elements the verifier checks that they are there, not how they are aligned.
    std::int64_t ms = 0;
    std::memcpy(&ms, stored->Data() + i * sizeof(ms), sizeof(ms));
    instants.push_back(from_epoch_ms(flatbuffers::EndianScalar(ms)));
  }
  return instants;
}

std::optional<Instant> instant_of(const flatbuffers::Optional<std::int64_t>& ms) {
  if (!ms) return std::nullopt;
  return from_epoch_ms(*ms);
}

std::optional<ShardIndex> shard_of(const flatbuffers::Optional<std::uint32_t>& shard) {
  if (!shard) return std::nullopt;
  return ShardIndex{*shard};
}

bool decode_consumer(const fb::StreamConsumer& stored, StreamConsumer& consumer) {
  if (stored.status() > fb::StreamStatus::MAX) return false;
  consumer.name = text_of(stored.name());
  consumer.created = from_epoch_ms(stored.created_ms());
  consumer.status = static_cast<StreamStatus>(stored.status());
  consumer.status_until = from_epoch_ms(stored.status_until_ms());
  consumer.tags = map_of(stored.tags());
  consumer.policy = text_of(stored.policy());
  return true;
}

/// A record as it lies in the store.
struct RecordView {
  const fb::StreamRecord* stored = nullptr;  ///< valid until the next record of this thread is looked at
  std::string_view data;

  Instant arrived() const { return from_epoch_ms(stored->arrived_ms()); }
  std::size_t bytes() const { return data.size() + stored->partition_key()->size(); }
};

/// Nothing if the bytes are no whole record. Only what stands before the data is moved to where it can be read.
std::optional<RecordView> view_record(std::string_view bytes) {
  if (bytes.size() < size_prefix_bytes) return std::nullopt;
  const std::size_t size = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(bytes.data());
  if (size < flatbuffers::kFileIdentifierLength + size_prefix_bytes || size > bytes.size() - size_prefix_bytes) {
    return std::nullopt;
  }
  const std::string_view head = align_record(bytes.substr(0, size_prefix_bytes + size));
  const auto* start = reinterpret_cast<const std::uint8_t*>(head.data());
  flatbuffers::Verifier verifier{start, head.size()};
  if (!verifier.VerifySizePrefixedBuffer<fb::StreamRecord>(record_identifier)) return std::nullopt;
  const RecordView view{flatbuffers::GetSizePrefixedRoot<fb::StreamRecord>(start), bytes.substr(head.size())};
  if (view.stored->data_bytes() != view.data.size()) return std::nullopt;
  return view;
}

// ---- A start. Entries of one kind lie together, in the order of their streams and shards, and so each kind is read
// once, and its entries find their owners going forward.

/// Goes through the shards of all streams in order.
class ShardWalk {
 public:
  explicit ShardWalk(std::vector<RecoveredStream>& streams) : streams_(streams) {}

  /// Null if there is none. REQUIRES: asked for in order.
  RecoveredShard* find(const ShardKeyParts& wanted) {
    for (; stream_ < streams_.size(); ++stream_, shard_ = 0) {
      RecoveredStream& stream = streams_[stream_];
      if (stream.info.id > wanted.stream) return nullptr;
      if (stream.info.id < wanted.stream) continue;
      while (shard_ < stream.shards.size() && stream.shards[shard_].record.index < wanted.shard) ++shard_;
      const bool found = shard_ < stream.shards.size() && stream.shards[shard_].record.index == wanted.shard;
      return found ? &stream.shards[shard_] : nullptr;
    }
    return nullptr;
  }

 private:
  std::vector<RecoveredStream>& streams_;
  std::size_t stream_ = 0;
  std::size_t shard_ = 0;
};

StoreError read_streams(const Store& store, std::vector<RecoveredStream>& streams) {
  return read_entries(store, all_streams(), "a stream", [&](std::string_view key, std::string_view value) {
    const std::optional<StreamId> id = parse_stream_key(key);
    RecoveredStream& stream = streams.emplace_back();
    return id && decode_stream(value, stream.info) && stream.info.id == *id;
  });
}

StoreError read_shards(const Store& store, std::vector<RecoveredStream>& streams) {
  auto stream = streams.begin();
  return read_entries(store, all_shards(), "a shard", [&](std::string_view key, std::string_view value) {
    const std::optional<ShardKeyParts> parts = parse_shard_key(key);
    if (!parts) return false;
    while (stream != streams.end() && stream->info.id < parts->stream) ++stream;
    if (stream == streams.end() || stream->info.id != parts->stream) return false;
    return decode_shard(value, parts->shard, stream->shards.emplace_back().record);
  });
}

StoreError read_shard_cursors(const Store& store, std::vector<RecoveredStream>& streams) {
  ShardWalk walk{streams};
  return read_entries(store, all_shard_cursors(), "the cursor of a shard",
                      [&](std::string_view key, std::string_view value) {
                        const std::optional<ShardKeyParts> parts = parse_shard_cursor_key(key);
                        RecoveredShard* shard = parts ? walk.find(*parts) : nullptr;
                        return shard != nullptr && decode_shard_cursor(value, shard->cursor);
                      });
}

StoreError read_segments(const Store& store, std::vector<RecoveredStream>& streams) {
  ShardWalk walk{streams};
  return read_entries(store, all_segments(), "a segment", [&](std::string_view key, std::string_view value) {
    const std::optional<RecordKeyParts> parts = parse_segment_key(key);
    RecoveredShard* shard = parts ? walk.find(parts->shard) : nullptr;
    return shard != nullptr &&
           decode_segment(value, parts->index, shard->segments.emplace_back(), shard->segment_bytes.emplace_back());
  });
}

StoreError read_accounts(const Store& store, std::vector<StreamAccount>& accounts) {
  return read_entries(store, all_stream_accounts(), "the settings of an account",
                      [&](std::string_view key, std::string_view value) {
                        StreamAccount& account = accounts.emplace_back();
                        return decode_account(value, account) && key == stream_account_key(account.account).view();
                      });
}

// ---- Pages.

/// The first record of a range: its index and when it arrived.
struct Arrival {
  RecordIndex index;
  Instant arrived{};
};

/// Reads the records of one page's shard.
class PageReader {
 public:
  PageReader(const Store& store, RecordsPage& page) : store_(store), page_(page) {}

  StoreError read() {
    page_.records.clear();
    page_.bytes = 0;
    page_.next = page_.until;
    page_.behind = Millis{0};
    if (page_.from >= page_.until) return {};
    RecordIndex from = page_.from;
    std::optional<RecordIndex> early;
    if (StoreError error = fill(from, early)) return error;
    if (!early) return {};
    from = RecordIndex{early->value + 1};
    if (StoreError error = skip_early(from)) return error;
    return fill(from, early);
  }

 private:
  /// Gives the records of [from, until) to `visit`, until it answers false.
  StoreError scan(RecordIndex from, RecordIndex until,
                  const std::function<bool(RecordIndex, const RecordView&)>& visit) {
    const KeyRange range = records_between(page_.id, page_.shard, from, until);
    StoreError bad;
    const auto visit_bytes = [&](std::string_view key, std::string_view value) {
      const std::optional<RecordKeyParts> parts = parse_record_key(key);
      const std::optional<RecordView> view = parts ? view_record(value) : std::nullopt;
      if (view) return visit(parts->index, *view);
      bad = corrupt("a record of " + describe(ShardKeyParts{page_.id, page_.shard}) +
                    (parts ? ", index " + std::to_string(parts->index.value) : ": a key of no record"));
      return false;
    };
    if (StoreError error = store_.scan(Table::records, range.from.view(), range.until.view(), visit_bytes)) {
      return error;
    }
    return bad;
  }

  /// Takes what fits of the records from `from` on; or answers in `early` that the first of them arrived too early.
  StoreError fill(RecordIndex from, std::optional<RecordIndex>& early) {
    early.reset();
    return scan(from, page_.until, [&](RecordIndex index, const RecordView& view) {
      if (page_.records.empty() && view.arrived() < page_.not_before) {
        early = index;
        return false;
      }
      if (!fits(view)) {
        page_.next = index;
        // 0 says that there is no more, also where the next record arrived at this very moment.
        page_.behind = std::max(Millis{1}, std::chrono::duration_cast<Millis>(page_.now - view.arrived()));
        return false;
      }
      take(index, view);
      return true;
    });
  }

  bool fits(const RecordView& view) const {
    if (page_.records.size() >= page_.count_max) return false;
    return page_.records.empty() || page_.bytes + view.bytes() <= page_.bytes_max;
  }

  void take(RecordIndex index, const RecordView& view) {
    StreamRecord& record = page_.records.emplace_back(ReadRecord{index, {}}).record;
    record.partition_key = text_of(view.stored->partition_key());
    record.data.assign(view.data);
    record.arrived = view.arrived();
    record.encrypted = view.stored->encrypted();
    page_.bytes += view.bytes();
  }

  /// Moves `from` to the first record that did not arrive too early, or to the end. Arrivals never go back.
  StoreError skip_early(RecordIndex& from) {
    RecordIndex until = page_.until;
    while (from < until) {
      const RecordIndex middle{from.value + (until.value - from.value) / 2};
      std::optional<Arrival> found;
      const auto visit = [&](RecordIndex index, const RecordView& view) {
        found = Arrival{index, view.arrived()};
        return false;
      };
      if (StoreError error = scan(middle, until, visit)) return error;
      if (found && found->arrived < page_.not_before) {
        from = RecordIndex{found->index.value + 1};
      } else {
        until = middle;
      }
    }
    return {};
  }

  const Store& store_;
  RecordsPage& page_;
};

}  // namespace

// ---- Decoding.

bool decode_stream(std::string_view bytes, StreamInfo& info) {
  const auto* stored = verified<fb::Stream>(align_record(bytes), stream_identifier);
  if (stored == nullptr || stored->status() > fb::StreamStatus::MAX) return false;
  info.id = StreamId{stored->id()};
  info.name = {text_of(stored->account()), text_of(stored->region()), text_of(stored->name())};
  info.status = static_cast<StreamStatus>(stored->status());
  info.status_until = from_epoch_ms(stored->status_until_ms());
  info.created = from_epoch_ms(stored->created_ms());
  info.on_demand = stored->on_demand();
  info.retention_hours = stored->retention_hours();
  if (const auto* metrics = stored->metrics()) {
    for (const String* metric : *metrics) info.metrics.push_back(text_of(metric));
  }
  info.tags = map_of(stored->tags());
  info.policy = text_of(stored->policy());
  info.encrypted = stored->encrypted();
  info.key_id = text_of(stored->key_id());
  info.record_kib_max = stored->record_kib_max();
  if (const auto warm_mibps = stored->warm_mibps()) info.warm_mibps = *warm_mibps;
  info.next_shard = ShardIndex{stored->next_shard()};
  if (const auto* consumers = stored->consumers()) {
    for (const fb::StreamConsumer* consumer : *consumers) {
      if (!decode_consumer(*consumer, info.consumers.emplace_back())) return false;
    }
  }
  info.floor = from_epoch_ms(stored->floor_ms());
  info.mode_changes = instants_of(stored->mode_changes_ms());
  info.count_changes = instants_of(stored->count_changes_ms());
  return !info.name.name.empty();
}

bool decode_shard(std::string_view bytes, ShardIndex index, ShardRecord& shard) {
  const auto* stored = verified<fb::StreamShard>(align_record(bytes), shard_identifier);
  if (stored == nullptr) return false;
  shard.index = index;
  shard.first_hash = {stored->first_hash()->high(), stored->first_hash()->low()};
  shard.last_hash = {stored->last_hash()->high(), stored->last_hash()->low()};
  shard.parent = shard_of(stored->parent());
  shard.adjacent_parent = shard_of(stored->adjacent_parent());
  shard.created = from_epoch_ms(stored->created_ms());
  shard.created_s = stored->created_s();
  shard.closed = instant_of(stored->closed_ms());
  shard.closed_s = stored->closed_s();
  return shard.first_hash <= shard.last_hash;
}

bool decode_shard_cursor(std::string_view bytes, ShardCursor& cursor) {
  const auto* stored = verified<fb::StreamShardCursor>(align_record(bytes), shard_cursor_identifier);
  if (stored == nullptr) return false;
  cursor.head = RecordIndex{stored->head()};
  cursor.tail = RecordIndex{stored->tail()};
  cursor.segment_first = RecordIndex{stored->segment_first()};
  cursor.segment_bytes = stored->segment_bytes();
  cursor.segment_first_arrival = from_epoch_ms(stored->segment_first_arrival_ms());
  cursor.last_arrival = from_epoch_ms(stored->last_arrival_ms());
  return cursor.head <= cursor.tail && cursor.segment_first <= cursor.tail;
}

bool decode_segment(std::string_view bytes, RecordIndex first, Segment& segment, std::uint64_t& segment_bytes) {
  const auto* stored = verified<fb::StreamSegment>(align_record(bytes), segment_identifier);
  if (stored == nullptr) return false;
  segment = {first, RecordIndex{stored->end()}, from_epoch_ms(stored->first_arrival_ms()),
             from_epoch_ms(stored->last_arrival_ms())};
  segment_bytes = stored->bytes();
  return segment.first <= segment.end;
}

bool decode_account(std::string_view bytes, StreamAccount& account) {
  const auto* stored = verified<fb::StreamAccount>(align_record(bytes), account_identifier);
  if (stored == nullptr) return false;
  account.account = {text_of(stored->account()), text_of(stored->region()), {}};
  account.commitment_enabled = stored->commitment_enabled();
  account.started = from_epoch_ms(stored->started_ms());
  account.ended = instant_of(stored->ended_ms());
  account.earliest_end = from_epoch_ms(stored->earliest_end_ms());
  return true;
}

bool decode_record(std::string_view bytes, StreamRecord& record) {
  const std::optional<RecordView> view = view_record(bytes);
  if (!view) return false;
  record.partition_key = text_of(view->stored->partition_key());
  record.data.assign(view->data);
  record.arrived = view->arrived();
  record.encrypted = view->stored->encrypted();
  return true;
}

// ----

void encode_one(const PutStream& put, WriteBatch& batch) {
  FlatBufferBuilder& builder = empty_builder();
  builder.Finish(build_stream(builder, put.info), stream_identifier);
  put_finished(builder, Table::catalog, stream_key(put.info.id), batch);
}

void encode_one(const DropStream& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, stream_key(drop.stream).view());
  drop_range(batch, Table::catalog, shards_of(drop.stream));
  drop_range(batch, Table::catalog, shard_cursors_of(drop.stream));
  drop_range(batch, Table::catalog, segments_of(drop.stream));
  drop_groups_of(drop.stream, batch);
}

void encode_one(const PutShard& put, WriteBatch& batch) {
  const ShardRecord& shard = put.shard;
  FlatBufferBuilder& builder = empty_builder();
  const fb::HashKey first = hash_key_of(shard.first_hash);
  const fb::HashKey last = hash_key_of(shard.last_hash);
  builder.Finish(
      fb::CreateStreamShard(builder, &first, &last, optional_shard(shard.parent), optional_shard(shard.adjacent_parent),
                            to_epoch_ms(shard.created), shard.created_s, optional_ms(shard.closed), shard.closed_s),
      shard_identifier);
  put_finished(builder, Table::catalog, shard_key(put.stream, shard.index), batch);
}

void encode_one(const DropShard& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, shard_key(drop.stream, drop.shard).view());
  batch.drop(Table::catalog, shard_cursor_key(drop.stream, drop.shard).view());
}

void encode_one(const PutShardCursor& put, WriteBatch& batch) {
  const ShardCursor& cursor = put.cursor;
  FlatBufferBuilder& builder = empty_builder();
  builder.Finish(fb::CreateStreamShardCursor(builder, cursor.head.value, cursor.tail.value, cursor.segment_first.value,
                                             cursor.segment_bytes, to_epoch_ms(cursor.segment_first_arrival),
                                             to_epoch_ms(cursor.last_arrival)),
                 shard_cursor_identifier);
  put_finished(builder, Table::catalog, shard_cursor_key(put.stream, put.shard), batch);
}

void encode_one(const PutSegment& put, WriteBatch& batch) {
  const Segment& segment = put.segment;
  FlatBufferBuilder& builder = empty_builder();
  builder.Finish(fb::CreateStreamSegment(builder, segment.end.value, to_epoch_ms(segment.first_arrival),
                                         to_epoch_ms(segment.last_arrival), put.bytes),
                 segment_identifier);
  put_finished(builder, Table::catalog, segment_key(put.stream, put.shard, segment.first), batch);
}

void encode_one(const DropSegment& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, segment_key(drop.stream, drop.shard, drop.first).view());
  drop_range(batch, Table::records, records_between(drop.stream, drop.shard, RecordIndex{}, drop.end));
}

void encode_one(const PutStreamRecords& put, WriteBatch& batch) {
  std::size_t bytes = 0;
  for (const StreamRecord& record : put.records) {
    bytes += record.partition_key.size() + record.data.size() + record_overhead_bytes;
  }
  batch.reserve(put.records.size(), bytes);
  RecordIndex index = put.first;
  for (const StreamRecord& record : put.records) {
    FlatBufferBuilder& builder = empty_builder();
    const auto partition_key = build_string(builder, record.partition_key);
    builder.FinishSizePrefixed(fb::CreateStreamRecord(builder, to_epoch_ms(record.arrived), partition_key,
                                                      static_cast<std::uint32_t>(record.data.size()), record.encrypted),
                               record_identifier);
    batch.put(Table::records, record_key(put.stream, put.shard, index).view(), finished_bytes(builder), record.data);
    ++index.value;
  }
}

void encode_one(const DropStreamRecords& drop, WriteBatch& batch) {
  drop_range(batch, Table::records, records_of(drop.stream));
}

void encode_one(const PutStreamAccount& put, WriteBatch& batch) {
  const StreamAccount& account = put.account;
  FlatBufferBuilder& builder = empty_builder();
  const auto name = build_string(builder, account.account.account);
  const auto region = build_string(builder, account.account.region);
  builder.Finish(
      fb::CreateStreamAccount(builder, name, region, account.commitment_enabled, to_epoch_ms(account.started),
                              optional_ms(account.ended), to_epoch_ms(account.earliest_end)),
      account_identifier);
  put_finished(builder, Table::catalog, stream_account_key(account.account), batch);
}

StoreError recover_streams(Store& store, std::vector<RecoveredStream>& streams, std::vector<StreamAccount>& accounts) {
  streams.clear();
  accounts.clear();
  if (StoreError error = read_streams(store, streams)) return error;
  if (StoreError error = read_shards(store, streams)) return error;
  if (StoreError error = read_shard_cursors(store, streams)) return error;
  if (StoreError error = read_segments(store, streams)) return error;
  if (StoreError error = recover_groups(store, streams)) return error;
  return read_accounts(store, accounts);
}

StoreError read_page(const Store& store, RecordsPage& page) { return PageReader{store, page}.read(); }

}  // namespace penstock::storage
