// What the tests of streams' records share: a stream and its records, and how they are read back.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "records_support.hpp"
#include "storage/records.hpp"
#include "storage/stream_records.hpp"

namespace penstock::storage {

inline constexpr StreamId stream_id{0x3132333435363738ULL};
inline constexpr ShardIndex shard_3{3};

inline Instant at_ms(std::int64_t ms) { return from_epoch_ms(1'700'000'000'000 + ms); }

inline StreamInfo fixed_stream() {
  StreamInfo info;
  info.id = stream_id;
  info.name = {"000000000000", "eu-central-1", "clicks"};
  info.status = StreamStatus::updating;
  info.status_until = at_ms(1);
  info.created = at_ms(2);
  info.on_demand = true;
  info.retention_hours = 48;
  info.metrics = {"IncomingBytes", "OutgoingRecords"};
  info.tags = {{"empty", ""}, {"team", "billing"}};
  info.policy = R"({"Version":"2012-10-17"})";
  info.encrypted = true;
  info.key_id = "alias/aws/kinesis";
  info.record_kib_max = 10'240;
  info.warm_mibps = 0;
  info.next_shard = ShardIndex{7};
  info.consumers = {{"one", at_ms(3), StreamStatus::deleting, at_ms(4), {{"a", "b"}}, "{}"},
                    {"two", at_ms(5), StreamStatus::active, {}, {}, {}}};
  info.mode_changes = {at_ms(6)};
  info.count_changes = {at_ms(7), at_ms(8)};
  return info;
}

inline ShardRecord fixed_shard() {
  ShardRecord shard;
  shard.index = shard_3;
  shard.first_hash = {1, 2};
  shard.last_hash = hash_key_max;
  shard.parent = ShardIndex{0};
  shard.adjacent_parent = ShardIndex{2};
  shard.created = at_ms(9);
  shard.created_s = 1'700'000'001;
  shard.closed = at_ms(10);
  shard.closed_s = 1'700'000'002;
  return shard;
}

inline Mutation put_records(StreamId stream, ShardIndex shard, std::uint64_t first, std::vector<StreamRecord> records) {
  return PutStreamRecords{stream, shard, RecordIndex{first}, std::move(records)};
}

/// Records of one byte of data each, that arrive `step` ms apart from at_ms(0) on.
inline std::vector<StreamRecord> small_records(std::size_t count, std::int64_t step = 10) {
  std::vector<StreamRecord> records;
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back({"k", "d", at_ms(static_cast<std::int64_t>(i) * step), false});
  }
  return records;
}

struct Start {
  std::vector<RecoveredStream> streams;
  std::vector<StreamAccount> accounts;
};

inline Start started(Store& store) {
  Start start;
  const StoreError error = recover_streams(store, start.streams, start.accounts);
  EXPECT_FALSE(error) << error.message;
  return start;
}

inline RecordsPage page_of(std::uint64_t from, std::uint64_t until) {
  RecordsPage page;
  page.id = stream_id;
  page.shard = shard_3;
  page.from = RecordIndex{from};
  page.until = RecordIndex{until};
  page.count_max = 10'000;
  page.bytes_max = 10U << 20U;
  page.now = at_ms(10'000);
  return page;
}

inline RecordsPage read(const Store& store, RecordsPage page) {
  const StoreError error = read_page(store, page);
  EXPECT_FALSE(error) << error.message;
  return page;
}

inline std::vector<std::uint64_t> indexes_of(const RecordsPage& page) {
  std::vector<std::uint64_t> indexes;
  for (const ReadRecord& record : page.records) indexes.push_back(record.index.value);
  return indexes;
}

inline std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> indexes;
  for (std::uint64_t i = first; i <= last; ++i) indexes.push_back(i);
  return indexes;
}

}  // namespace penstock::storage
