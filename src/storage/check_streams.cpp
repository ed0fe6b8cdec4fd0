// Of a check, what is said of streams, their consumers, functions and mappings.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "storage/check_parts.hpp"
#include "storage/decoding.hpp"

namespace penstock::storage {
namespace {

std::string subject_of(StreamId stream) { return "stream with the id " + std::to_string(stream.value); }

/// Null, and a finding, where there is no such stream.
CheckedStream* find_stream(Checking& checking, CheckedStreams& streams, StreamId id, std::string_view detail) {
  const auto found = streams.find(id);
  if (found != streams.end()) return &found->second;
  checking.add(Finding::stream_unknown, subject_of(id), detail);
  return nullptr;
}

/// The same of a shard.
CheckedShard* find_shard(Checking& checking, CheckedStreams& streams, const ShardKeyParts& at,
                         std::string_view detail) {
  CheckedStream* const stream = find_stream(checking, streams, at.stream, detail);
  if (stream == nullptr) return nullptr;
  const auto found = stream->shards.find(at.shard);
  if (found != stream->shards.end()) return &found->second;
  checking.add(Finding::shard_unknown, stream->subject, std::string(detail) + " of " + detail_of(at.shard));
  return nullptr;
}

void read_streams(Checking& checking, CheckedStreams& streams) {
  std::set<StreamName> names;
  checking.each(Table::catalog, all_streams(), "streams", [&](std::string_view key, std::string_view value) {
    const auto id = parse_stream_key(key);
    if (!id) return;
    CheckedStream stream;
    if (!decode_stream(value, stream.info)) {
      return checking.add(Finding::unreadable_record, subject_of(*id), "its record in the catalog");
    }
    stream.subject = storage::subject_of("stream", stream.info.name);
    if (stream.info.id != *id) checking.add(Finding::key_of_another, stream.subject, "its record in the catalog");
    if (!names.insert(stream.info.name).second) checking.add(Finding::name_twice, stream.subject);
    ++checking.report.counts.streams;
    streams.emplace(*id, std::move(stream));
  });
  checking.each(Table::catalog, all_shards(), "shards", [&](std::string_view key, std::string_view value) {
    const auto parts = parse_shard_key(key);
    CheckedStream* const stream = parts ? find_stream(checking, streams, parts->stream, "a shard") : nullptr;
    if (stream == nullptr) return;
    CheckedShard& shard = stream->shards[parts->shard];
    shard.record.index = parts->shard;
    ++checking.report.counts.shards;
    if (!decode_shard(value, parts->shard, shard.record)) {
      checking.add(Finding::unreadable_record, stream->subject, detail_of(parts->shard));
    }
    if (parts->shard >= stream->info.next_shard) {
      checking.add(Finding::shard_beyond_next, stream->subject, detail_of(parts->shard));
    }
  });
}

void read_shards(Checking& checking, CheckedStreams& streams) {
  checking.each(Table::catalog, all_shard_cursors(), "cursors of shards",
                [&](std::string_view key, std::string_view value) {
                  const auto parts = parse_shard_cursor_key(key);
                  CheckedShard* const shard = parts ? find_shard(checking, streams, *parts, "a cursor") : nullptr;
                  if (shard == nullptr || decode_shard_cursor(value, shard->cursor)) return;
                  checking.add(Finding::unreadable_record, streams.at(parts->stream).subject,
                               "the cursor of " + detail_of(parts->shard));
                });
  checking.each(Table::catalog, all_segments(), "segments", [&](std::string_view key, std::string_view value) {
    const auto parts = parse_segment_key(key);
    CheckedShard* const shard = parts ? find_shard(checking, streams, parts->shard, "a segment") : nullptr;
    std::uint64_t segment_bytes = 0;
    if (shard == nullptr || decode_segment(value, parts->index, shard->segments.emplace_back(), segment_bytes)) return;
    checking.add(Finding::unreadable_record, streams.at(parts->shard.stream).subject,
                 "a segment of " + detail_of(parts->shard.shard));
  });
}

/// From the head on each segment begins where the one before ends, and the last one that grows after them.
void check_segments(Checking& checking, const CheckedStream& stream) {
  for (const auto& [index, shard] : stream.shards) {
    RecordIndex expected = shard.cursor.head;
    bool joined = true;
    for (const Segment& segment : shard.segments) {
      joined = joined && segment.first == expected;
      expected = segment.end;
    }
    if (joined && expected == shard.cursor.segment_first) continue;
    checking.add(Finding::segments_apart, stream.subject, detail_of(index));
  }
}

/// The records of one stream, which lie shard by shard.
class RecordWalk {
 public:
  RecordWalk(Checking& checking, const CheckedStream& stream) : checking_(checking), stream_(stream) {}

  void take(std::string_view key, std::string_view value) {
    const auto parts = parse_record_key(key);
    if (!parts) return add(Finding::unknown_key, hex_of(key));
    ++checking_.report.counts.records;
    if (stream_.info.status == StreamStatus::deleting) return add(Finding::stream_deleting, detail_of(*parts));
    if (shard_ == nullptr || shard_->record.index != parts->shard.shard) begin(parts->shard.shard);
    if (shard_ == nullptr) return add(Finding::shard_unknown, "a record of " + detail_of(*parts));
    const ShardCursor& cursor = shard_->cursor;
    StreamRecord record;
    const bool whole = decode_record(value, record);
    if (!whole) add(Finding::unreadable_record, detail_of(*parts));
    if (parts->index < cursor.head || parts->index >= cursor.tail)
      return add(Finding::record_outside, detail_of(*parts));
    if (parts->index != next_) add(Finding::record_missing, "from " + detail_of(parts->shard.shard, next_));
    next_ = RecordIndex{parts->index.value + 1};
    if (!whole) return;
    if (record.arrived < arrived_ || record.arrived > cursor.last_arrival) {
      add(Finding::arrival_goes_back, detail_of(*parts));
    }
    arrived_ = record.arrived;
  }

  /// After the last record.
  void end() {
    end_shard();
    if (stream_.info.status == StreamStatus::deleting) return;
    for (const auto& [index, shard] : stream_.shards) {
      if (seen_.contains(index) || shard.cursor.head == shard.cursor.tail) continue;
      add(Finding::record_missing, "all of " + detail_of(index));
    }
  }

 private:
  static std::string detail_of(const RecordKeyParts& parts) {
    return storage::detail_of(parts.shard.shard, parts.index);
  }
  static std::string detail_of(ShardIndex shard, RecordIndex index) { return storage::detail_of(shard, index); }
  static std::string detail_of(ShardIndex shard) { return storage::detail_of(shard); }

  void add(Finding finding, std::string_view detail) { checking_.add(finding, stream_.subject, detail); }

  void begin(ShardIndex index) {
    end_shard();
    const auto found = stream_.shards.find(index);
    shard_ = found == stream_.shards.end() ? nullptr : &found->second;
    if (shard_ == nullptr) return;
    seen_.insert(index);
    next_ = shard_->cursor.head;
    arrived_ = Instant::min();
  }
  void end_shard() {
    if (shard_ == nullptr || next_ == shard_->cursor.tail) return;
    add(Finding::record_missing, "from " + detail_of(shard_->record.index, next_) + " to the end");
  }

  Checking& checking_;
  const CheckedStream& stream_;
  const CheckedShard* shard_ = nullptr;
  std::set<ShardIndex> seen_;
  RecordIndex next_;
  Instant arrived_{};
};

void check_strangers(Checking& checking, const CheckedStreams& streams) {
  std::string from;
  while (const auto number = first_number(checking, Table::records, from)) {
    const StreamId stream{*number};
    const KeyRange all = records_of(stream);
    from = all.until.view();
    if (streams.contains(stream)) continue;
    checking.each(Table::records, all, subject_of(stream), [&](std::string_view, std::string_view) {
      checking.add(Finding::stream_unknown, subject_of(stream), "a record");
    });
  }
}

void check_accounts(Checking& checking) {
  checking.each(Table::catalog, all_stream_accounts(), "settings of accounts",
                [&](std::string_view key, std::string_view value) {
                  StreamAccount account;
                  if (!decode_account(value, account)) {
                    checking.add(Finding::unreadable_record, "settings of accounts", hex_of(key));
                  } else if (key != stream_account_key(account.account).view()) {
                    checking.add(Finding::key_of_another, "settings of accounts", account.account.account);
                  }
                });
}

/// Whether somebody's next record is one that the shard has or will have; nothing if there is no such shard.
std::optional<bool> is_within(const CheckedStreams& streams, StreamId stream, ShardIndex shard, RecordIndex next) {
  const auto found = streams.find(stream);
  if (found == streams.end()) return std::nullopt;
  const auto at = found->second.shards.find(shard);
  if (at == found->second.shards.end()) return std::nullopt;
  return next <= at->second.cursor.tail;
}

}  // namespace

CheckedStreams check_streams(Checking& checking) {
  CheckedStreams streams;
  checking.begin("streams");
  read_streams(checking, streams);
  read_shards(checking, streams);
  check_accounts(checking);
  checking.begin("records");
  for (const auto& [id, stream] : streams) {
    check_segments(checking, stream);
    RecordWalk walk(checking, stream);
    // What cannot be read is not missing.
    const bool whole = checking.each(Table::records, records_of(id), stream.subject,
                                     [&](std::string_view key, std::string_view value) { walk.take(key, value); });
    if (whole) walk.end();
  }
  check_strangers(checking, streams);
  return streams;
}

void check_groups(Checking& checking, const CheckedStreams& streams) {
  checking.begin("consumers");
  std::map<GroupKeyParts, std::string> subjects;
  checking.each(Table::catalog, all_groups(), "consumers", [&](std::string_view key, std::string_view value) {
    const auto parts = parse_group_key(key);
    if (!parts) return;
    const auto stream = streams.find(parts->stream);
    if (stream == streams.end()) {
      return checking.add(Finding::stream_unknown, subject_of(parts->stream), "a consumer");
    }
    GroupInfo info;
    ++checking.report.counts.consumers;
    if (!decode_group(value, parts->group, info)) {
      return checking.add(Finding::unreadable_record, stream->second.subject, "a consumer");
    }
    subjects.emplace(*parts, "consumer " + info.name + " of " + stream->second.subject);
  });
  checking.each(Table::catalog, all_group_leases(), "positions", [&](std::string_view key, std::string_view value) {
    const auto parts = parse_group_lease_key(key);
    if (!parts) return;
    GroupLease lease;
    const auto subject = subjects.find(parts->group);
    const std::string detail = "the position in " + detail_of(parts->shard);
    if (!decode_lease(value, lease)) {
      return checking.add(Finding::unreadable_record,
                          subject == subjects.end() ? subject_of(parts->group.stream) : subject->second, detail);
    }
    if (subject == subjects.end()) {
      return checking.add(Finding::position_of_nothing, subject_of(parts->group.stream), detail);
    }
    const auto within = is_within(streams, parts->group.stream, parts->shard, lease.position.next);
    if (!within) return checking.add(Finding::position_of_nothing, subject->second, detail);
    if (!*within) checking.add(Finding::position_beyond_tail, subject->second, detail);
  });
  checking.each(Table::catalog, all_commit_keys(), "used keys", [&](std::string_view key, std::string_view value) {
    const auto parts = parse_commit_key(key);
    if (!parts) return;
    CommitKey used;
    const auto subject = subjects.find(*parts);
    const std::string of = subject == subjects.end() ? subject_of(parts->stream) : subject->second;
    if (!decode_commit_key(value, used)) return checking.add(Finding::unreadable_record, of, "an IdempotencyKey");
    if (key != commit_key(parts->stream, parts->group, used.key).view()) {
      checking.add(Finding::key_of_another, of, "IdempotencyKey " + used.key);
    }
    if (subject == subjects.end()) checking.add(Finding::position_of_nothing, of, "an IdempotencyKey");
  });
}

void check_triggers(Checking& checking, const CheckedStreams& streams) {
  checking.begin("functions and mappings");
  checking.each(Table::catalog, all_functions(), "functions", [&](std::string_view key, std::string_view value) {
    FunctionRecord function;
    ++checking.report.counts.functions;
    if (!decode_function(value, function)) {
      return checking.add(Finding::unreadable_record, "functions", hex_of(key));
    }
    const std::string subject = subject_of("function", function.name);
    if (key != function_key(function.name).view()) checking.add(Finding::key_of_another, subject);
    if (!function.code_sha256.empty()) checking.report.code.try_emplace(function.code_sha256, subject);
  });
  std::set<std::string> mappings;
  checking.each(Table::catalog, all_mappings(), "mappings", [&](std::string_view key, std::string_view value) {
    const auto uuid = parse_mapping_key(key);
    if (!uuid) return;
    MappingRecord mapping;
    ++checking.report.counts.mappings;
    mappings.insert(*uuid);
    if (!decode_mapping(value, mapping)) checking.add(Finding::unreadable_record, "mapping " + *uuid);
  });
  checking.each(Table::catalog, all_checkpoints(), "checkpoints", [&](std::string_view key, std::string_view value) {
    const auto parts = parse_checkpoint_key(key);
    if (!parts) return;
    const std::string subject = "mapping " + parts->mapping;
    const std::string detail = "the checkpoint in " + detail_of(parts->shard);
    ShardCheckpoint checkpoint;
    if (!decode_checkpoint(value, checkpoint)) return checking.add(Finding::unreadable_record, subject, detail);
    if (!mappings.contains(parts->mapping)) return checking.add(Finding::checkpoint_of_nothing, subject, detail);
    // Of another incarnation of the stream, or of a shard that has expired, it counts for nothing.
    const auto within = is_within(streams, parts->stream, parts->shard, checkpoint.next);
    if (within && !*within) checking.add(Finding::checkpoint_beyond_tail, subject, detail);
  });
  checking.each(Table::catalog, all_async_events(), "asynchronous invokes",
                [&](std::string_view key, std::string_view value) {
                  const auto id = parse_async_event_key(key);
                  AsyncEvent event;
                  ++checking.report.counts.invokes;
                  if (!id || !decode_async_event(value, event)) {
                    checking.add(Finding::unreadable_record, "asynchronous invokes", hex_of(key));
                  }
                });
}

}  // namespace penstock::storage
