#include "storage/group_records.hpp"

#include <cassert>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "groups_generated.h"
#include "storage/decoding.hpp"
#include "storage/flat_records.hpp"
#include "storage/keys.hpp"

namespace penstock::storage {
namespace {

constexpr const char* group_identifier = "PSGR";
constexpr const char* lease_identifier = "PSGL";
constexpr const char* commit_key_identifier = "PSGK";

using PutVector = flatbuffers::Vector<const fb::CommitKeyPut*>;

// The values on disk are those of the vocabulary, both ways.
static_assert(static_cast<int>(fb::CommitMode::on_poll) == static_cast<int>(CommitMode::on_poll));
static_assert(static_cast<int>(fb::CommitMode::MAX) == static_cast<int>(CommitMode::on_commit));
static_assert(static_cast<int>(fb::StartType::at_sequence_number) ==
              static_cast<int>(IteratorType::at_sequence_number));
static_assert(static_cast<int>(fb::StartType::after_sequence_number) ==
              static_cast<int>(IteratorType::after_sequence_number));
static_assert(static_cast<int>(fb::StartType::trim_horizon) == static_cast<int>(IteratorType::trim_horizon));
static_assert(static_cast<int>(fb::StartType::latest) == static_cast<int>(IteratorType::latest));
static_assert(static_cast<int>(fb::StartType::MAX) == static_cast<int>(IteratorType::at_timestamp));

// ---- Encoding.

Offset<PutVector> build_put(FlatBufferBuilder& builder, const std::vector<RecordPut>& put) {
  if (put.empty()) return {};
  fb::CommitKeyPut* built = nullptr;
  const auto offset = builder.CreateUninitializedVectorOfStructs(put.size(), &built);
  for (const RecordPut& one : put) {
    *built++ = {one.number.index.value, one.number.created_s, one.number.at_s, one.shard.value};
  }
  return offset;
}

// ---- A start.

/// Goes through the groups of all streams in order.
class GroupWalk {
 public:
  explicit GroupWalk(std::vector<RecoveredStream>& streams) : streams_(streams) {}

  /// Null if there is none. REQUIRES: asked for in order.
  RecoveredGroup* find(const GroupKeyParts& wanted) {
    for (; stream_ < streams_.size(); ++stream_, group_ = 0) {
      RecoveredStream& stream = streams_[stream_];
      if (stream.info.id > wanted.stream) return nullptr;
      if (stream.info.id < wanted.stream) continue;
      while (group_ < stream.groups.size() && stream.groups[group_].info.id < wanted.group) ++group_;
      const bool found = group_ < stream.groups.size() && stream.groups[group_].info.id == wanted.group;
      return found ? &stream.groups[group_] : nullptr;
    }
    return nullptr;
  }

 private:
  std::vector<RecoveredStream>& streams_;
  std::size_t stream_ = 0;
  std::size_t group_ = 0;
};

/// Groups of which there are leases or keys and nothing else.
class Orphans {
 public:
  /// What one has lies together in each range.
  void add(const GroupKeyParts& group) {
    if (groups_.size() < orphaned_groups_max && (groups_.empty() || groups_.back() != group)) groups_.push_back(group);
  }
  /// Need not be synced: what is lost of it is done again by the next start.
  StoreError drop(Store& store) const {
    if (groups_.empty()) return {};
    WriteBatch batch;
    for (const GroupKeyParts& group : groups_) encode_one(DropGroup{group.stream, group.group}, batch);
    return store.commit(batch, false);
  }

 private:
  std::vector<GroupKeyParts> groups_;
};

StoreError read_groups(const Store& store, std::vector<RecoveredStream>& streams) {
  auto stream = streams.begin();
  return read_entries(store, all_groups(), "a consumer", [&](std::string_view key, std::string_view value) {
    const std::optional<GroupKeyParts> parts = parse_group_key(key);
    if (!parts) return false;
    while (stream != streams.end() && stream->info.id < parts->stream) ++stream;
    if (stream == streams.end() || stream->info.id != parts->stream) return false;
    return decode_group(value, parts->group, stream->groups.emplace_back().info);
  });
}

StoreError read_leases(const Store& store, std::vector<RecoveredStream>& streams, Orphans& orphans) {
  GroupWalk walk{streams};
  return read_entries(store, all_group_leases(), "the position of a consumer",
                      [&](std::string_view key, std::string_view value) {
                        const std::optional<GroupLeaseKeyParts> parts = parse_group_lease_key(key);
                        if (!parts) return false;
                        RecoveredGroup* group = walk.find(parts->group);
                        if (group == nullptr) {
                          orphans.add(parts->group);
                          return true;
                        }
                        auto& [shard, lease] = group->leases.emplace_back();
                        shard = parts->shard;
                        return decode_lease(value, lease);
                      });
}

StoreError read_commit_keys(const Store& store, std::vector<RecoveredStream>& streams, Orphans& orphans) {
  GroupWalk walk{streams};
  return read_entries(
      store, all_commit_keys(), "an IdempotencyKey of a consumer", [&](std::string_view key, std::string_view value) {
        const std::optional<GroupKeyParts> parts = parse_commit_key(key);
        if (!parts) return false;
        RecoveredGroup* group = walk.find(*parts);
        if (group == nullptr) {
          orphans.add(*parts);
          return true;
        }
        CommitKey& found = group->keys.emplace_back();
        return decode_commit_key(value, found) && key == commit_key(parts->stream, parts->group, found.key).view();
      });
}

}  // namespace

// ---- Decoding.

bool decode_group(std::string_view bytes, GroupId id, GroupInfo& info) {
  const auto* stored = verified<fb::Group>(align_record(bytes), group_identifier);
  if (stored == nullptr || stored->start() > fb::StartType::MAX || stored->mode() > fb::CommitMode::MAX) return false;
  info.id = id;
  info.name = text_of(stored->name());
  info.created = from_epoch_ms(stored->created_ms());
  info.start = static_cast<IteratorType>(stored->start());
  info.lease = Millis{stored->lease_ms()};
  info.mode = static_cast<CommitMode>(stored->mode());
  info.lost_records = stored->lost_records();
  return !info.name.empty() && info.lease > Millis{0};
}

bool decode_lease(std::string_view bytes, GroupLease& lease) {
  const auto* stored = verified<fb::GroupLease>(align_record(bytes), lease_identifier);
  if (stored == nullptr) return false;
  GroupPosition& position = lease.position;
  position.next = RecordIndex{stored->next()};
  if (const auto sub = stored->sub()) position.sub = *sub;
  position.at_s = stored->at_s();
  position.not_before = from_epoch_ms(stored->not_before_ms());
  lease.epoch = stored->epoch();
  lease.owner = text_of(stored->owner());
  lease.session = stored->session();
  lease.metadata = text_of(stored->metadata());
  lease.committed = from_epoch_ms(stored->committed_ms());
  lease.lost_records = stored->lost_records();
  lease.lost_until = RecordIndex{stored->lost_until()};
  // Records count from 1, and a shard that is held has been granted.
  return position.next.value > 0 && (lease.owner.empty() || lease.epoch > 0);
}

bool decode_commit_key(std::string_view bytes, CommitKey& key) {
  const auto* stored = verified<fb::CommitKey>(align_record(bytes), commit_key_identifier);
  if (stored == nullptr) return false;
  key.key = text_of(stored->key());
  key.at = from_epoch_ms(stored->at_ms());
  const PutVector* put = stored->put();
  if (put == nullptr) return true;
  key.put.reserve(put->size());
  for (flatbuffers::uoffset_t i = 0; i < put->size(); ++i) {
    // Copied out: of a vector's elements the verifier checks that they are there, not how they are aligned.
    fb::CommitKeyPut one;
    std::memcpy(&one, put->Data() + i * sizeof(one), sizeof(one));
    const ShardIndex shard{one.shard()};
    key.put.push_back({shard, {one.created_s(), RecordIndex{one.index()}, one.at_s(), shard}});
  }
  return true;
}

// ----

void encode_one(const PutGroup& put, WriteBatch& batch) {
  const GroupInfo& info = put.info;
  assert(!info.ephemeral);
  FlatBufferBuilder& builder = empty_builder();
  const auto name = build_string(builder, info.name);
  builder.Finish(fb::CreateGroup(builder, name, to_epoch_ms(info.created), static_cast<fb::StartType>(info.start),
                                 info.lease.count(), static_cast<fb::CommitMode>(info.mode), info.lost_records),
                 group_identifier);
  put_finished(builder, Table::catalog, group_key(put.stream, info.id), batch);
}

void encode_one(const DropGroup& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, group_key(drop.stream, drop.group).view());
  drop_range(batch, Table::catalog, group_leases_of(drop.stream, drop.group));
  drop_range(batch, Table::catalog, commit_keys_of(drop.stream, drop.group));
}

void encode_one(const PutGroupLease& put, WriteBatch& batch) {
  const GroupLease& lease = put.lease;
  const GroupPosition& position = lease.position;
  FlatBufferBuilder& builder = empty_builder();
  const auto owner = build_optional_string(builder, lease.owner);
  const auto metadata = build_optional_string(builder, lease.metadata);
  flatbuffers::Optional<std::uint64_t> sub = flatbuffers::nullopt;
  if (position.sub) sub = *position.sub;
  builder.Finish(fb::CreateGroupLease(builder, position.next.value, sub, position.at_s,
                                      to_epoch_ms(position.not_before), lease.epoch, owner, lease.session, metadata,
                                      to_epoch_ms(lease.committed), lease.lost_records, lease.lost_until.value),
                 lease_identifier);
  put_finished(builder, Table::catalog, group_lease_key(put.stream, put.group, put.shard), batch);
}

void encode_one(const DropGroupLease& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, group_lease_key(drop.stream, drop.group, drop.shard).view());
}

void encode_one(const PutCommitKey& put, WriteBatch& batch) {
  FlatBufferBuilder& builder = empty_builder();
  const auto key = build_string(builder, put.key.key);
  const auto records = build_put(builder, put.key.put);
  builder.Finish(fb::CreateCommitKey(builder, key, to_epoch_ms(put.key.at), records), commit_key_identifier);
  put_finished(builder, Table::catalog, commit_key(put.stream, put.group, put.key.key), batch);
}

void encode_one(const DropCommitKey& drop, WriteBatch& batch) {
  batch.drop(Table::catalog, commit_key(drop.stream, drop.group, drop.key).view());
}

void drop_groups_of(StreamId stream, WriteBatch& batch) {
  drop_range(batch, Table::catalog, groups_of(stream));
  drop_range(batch, Table::catalog, group_leases_of(stream));
  drop_range(batch, Table::catalog, commit_keys_of(stream));
}

StoreError recover_groups(Store& store, std::vector<RecoveredStream>& streams) {
  Orphans orphans;
  if (StoreError error = read_groups(store, streams)) return error;
  if (StoreError error = read_leases(store, streams, orphans)) return error;
  if (StoreError error = read_commit_keys(store, streams, orphans)) return error;
  return orphans.drop(store);
}

}  // namespace penstock::storage
