// Records going into a stream's shards, and where those who read them begin.
#include <algorithm>
#include <utility>

#include "core/stream.hpp"
#include "core/stream_errors.hpp"
#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {
namespace {

std::string_view name_of(IteratorType type) {
  switch (type) {
    case IteratorType::at_sequence_number:
      return "AT_SEQUENCE_NUMBER";
    case IteratorType::after_sequence_number:
      return "AFTER_SEQUENCE_NUMBER";
    case IteratorType::trim_horizon:
      return "TRIM_HORIZON";
    case IteratorType::latest:
      return "LATEST";
    case IteratorType::at_timestamp:
      break;
  }
  return "AT_TIMESTAMP";
}

bool wants_number(IteratorType type) {
  return type == IteratorType::at_sequence_number || type == IteratorType::after_sequence_number;
}

Error number_and_type_disagree(IteratorType type, bool has_number) {
  std::string text =
      "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
      "TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ";
  text.append(name_of(type))
      .append(has_number ? " and also a StartingSequenceNumber." : " and no StartingSequenceNumber.");
  return invalid_argument(std::move(text));
}

}  // namespace

// ---- Putting.

std::optional<Error> Stream::objection_to_ordering(const PutRecords& command) const {
  if (command.ordering.empty()) return std::nullopt;
  const auto number = parse_sequence_number(command.ordering);
  if (!number) return invalid_ordering(info_.name, command.ordering);
  // A number that this stream never gave away would be ahead of what comes next.
  const StreamShard* shard = shards_.find(number->shard);
  // Arrivals never go back, and so may be ahead of a clock that did.
  const Instant newest = shard == nullptr ? context_.now : std::max(context_.now, shard->cursor.last_arrival);
  const auto newest_s = std::chrono::ceil<std::chrono::seconds>(newest).time_since_epoch().count();
  const bool known = shard == nullptr ? number->shard < info_.next_shard
                                      : number->created_s == shard->record.created_s &&
                                            (number->index < shard->cursor.tail || !shard->is_open());
  if (!known || (number->at_s > newest_s && number->index.value > 0 && number->index != sequence_index_end)) {
    return invalid_ordering(info_.name, command.ordering);
  }
  return std::nullopt;
}

std::optional<Error> Stream::objection_to(const PutRecords& command) const {
  if (!is_ready()) return stream_not_found(info_.name);
  constexpr std::size_t kib = 1'024;
  const std::size_t bytes_max = info_.record_kib_max * kib;
  for (std::size_t i = 0; i < command.entries.size(); ++i) {
    const std::size_t bytes = command.entries[i].data.size();
    if (bytes <= bytes_max) continue;
    const std::string member = command.single ? "data" : "records." + std::to_string(i + 1) + ".member.data";
    return record_too_large(member, bytes, bytes_max);
  }
  return objection_to_ordering(command);
}

/// Whether the shard's limits let the record in.
bool Stream::take_in(StreamShard& shard, const PutEntry& entry, Instant now) {
  if (!context_.limits.strict) return true;
  const std::size_t bytes = entry.data.size() + entry.partition_key.size();
  if (!shard.bytes_in.has_room(bytes, now) || !shard.records_in.has_room(1, now)) return false;
  shard.bytes_in.add(bytes, now);
  shard.records_in.add(1, now);
  return true;
}

PutStreamRecords& Stream::records_for(StreamShard& shard) {
  std::vector<Mutation>& mutations = context_.effects.mutations;
  for (const auto& [known, at] : putting_) {
    if (known == &shard) return std::get<PutStreamRecords>(mutations[at]);
  }
  putting_.emplace_back(&shard, mutations.size());
  context_.promise(PutStreamRecords{info_.id, shard.record.index, shard.cursor.tail, {}});
  return std::get<PutStreamRecords>(mutations.back());
}

void Stream::close_segment(StreamShard& shard) {
  ShardCursor& cursor = shard.cursor;
  const Segment segment{cursor.segment_first, cursor.tail, cursor.segment_first_arrival, cursor.last_arrival};
  shard.segments.push_back(segment);
  shard.segment_bytes.push_back(cursor.segment_bytes);
  context_.note(PutSegment{info_.id, shard.record.index, segment, cursor.segment_bytes});
  cursor.segment_first = cursor.tail;
  cursor.segment_bytes = 0;
  cursor.segment_first_arrival = {};
}

RecordPut Stream::append(StreamShard& shard, PutEntry& entry, Instant now) {
  ShardCursor& cursor = shard.cursor;
  const Limits& limits = context_.limits;
  const Instant arrived = std::max(now, cursor.last_arrival);
  const std::uint64_t count = cursor.tail.value - cursor.segment_first.value;
  if (count > 0 && (cursor.segment_bytes >= limits.segment_bytes_max || count >= limits.segment_records_max ||
                    arrived - cursor.segment_first_arrival >= limits.segment_time_max)) {
    close_segment(shard);
  }
  const RecordIndex index = cursor.tail;
  PutStreamRecords& records = records_for(shard);
  const std::uint64_t bytes = entry.data.size() + entry.partition_key.size();
  cursor.segment_bytes += bytes;
  shard.bytes += bytes;
  count_put(1, bytes);
  if (cursor.segment_first == cursor.tail) cursor.segment_first_arrival = arrived;
  cursor.last_arrival = arrived;
  ++cursor.tail.value;
  records.records.push_back(
      StreamRecord{std::move(entry.partition_key), std::move(entry.data), arrived, info_.encrypted});
  touch(shard);
  if (shard.trim == DeadlineHeap::none) arm_trim(shard);
  return RecordPut{shard.record.index, record_number(shard.record.index, shard.record.created_s, index, arrived)};
}

void Stream::handle(CallId call, PutRecords& command, Instant now) {
  if (auto error = objection_to(command)) return context_.reply(call, std::move(*error));
  RecordsPut answer;
  answer.encrypted = info_.encrypted;
  answer.entries.reserve(command.entries.size());
  for (PutEntry& entry : command.entries) {
    StreamShard& shard = shards_.owner_of(entry.hash);
    if (take_in(shard, entry, now)) {
      answer.entries.emplace_back(append(shard, entry, now));
    } else {
      answer.entries.emplace_back(rate_exceeded(info_.name, shard.record.index));
    }
  }
  const auto put = std::exchange(putting_, {});
  if (auto* error = command.single ? std::get_if<Error>(&answer.entries.front()) : nullptr) {
    context_.reply(call, std::move(*error));
  } else {
    context_.reply(call, std::move(answer));
  }
  arrived(put, now);
}

/// Whoever waits for what was put has it.
void Stream::arrived(const std::vector<std::pair<StreamShard*, std::size_t>>& put, Instant now) {
  for (const auto& [shard, at] : put) {
    wake(*shard, now);
    groups_.woken(*shard);
  }
}

// All of the records or none, with the positions that they were made of in the same batch.
void Stream::handle(CallId call, AcceptTransaction& command, Instant now) {
  PutRecords records{info_.name, std::move(command.entries), {}, false};
  if (auto error = objection_to(records)) return context_.reply(call, std::move(*error));
  if (const StreamShard* shard = shard_without_room(records, now)) {
    return context_.reply(call, rate_exceeded(info_.name, shard->record.index));
  }
  RecordsPut answer;
  answer.encrypted = info_.encrypted;
  for (PutEntry& entry : records.entries) {
    StreamShard& shard = shards_.owner_of(entry.hash);
    take_in(shard, entry, now);
    RecordPut put = append(shard, entry, now);
    if (command.key) command.key->key.put.push_back(put);
    answer.entries.emplace_back(put);
  }
  const auto put = std::exchange(putting_, {});
  for (PutGroupLease& lease : command.leases) context_.promise(std::move(lease));
  if (command.key) context_.promise(std::move(*command.key));
  context_.reply(call, std::move(answer));
  arrived(put, now);
}

/// With strict limits: a shard that has no room for the first of its records.
const StreamShard* Stream::shard_without_room(const PutRecords& command, Instant now) {
  if (!context_.limits.strict) return nullptr;
  // What the entries before it would leave of each shard's room.
  std::map<const StreamShard*, std::pair<RateLimit, RateLimit>> left;
  for (const PutEntry& entry : command.entries) {
    const StreamShard& shard = shards_.owner_of(entry.hash);
    auto& [bytes_in, records_in] = left.try_emplace(&shard, shard.bytes_in, shard.records_in).first->second;
    const std::size_t bytes = entry.data.size() + entry.partition_key.size();
    if (!bytes_in.has_room(bytes, now) || !records_in.has_room(1, now)) return &shard;
    bytes_in.add(bytes, now);
    records_in.add(1, now);
  }
  return nullptr;
}

// ---- Reading.

Stream::Position Stream::position_at(StreamShard& shard, const StartingPosition& start, std::string_view operation) {
  const std::string& text = *start.sequence_number;
  const ShardIndex index = shard.record.index;
  const ShardCursor& cursor = shard.cursor;
  ShardPosition position{info_.id, index, cursor.head, {}};
  const auto number = parse_sequence_number(text);
  if (!number) return invalid_starting_number(info_.name, index, text, operation);
  if (number->shard != index) return number_of_other_shard(number->shard, index);
  if (number->created_s != shard.record.created_s) return foreign_starting_number(info_.name, index, text, operation);
  // Need not be a record's: the shard's start and end are valid, and so is what a subscription has told to go on from.
  std::uint64_t from = number->index.value;
  const bool passes_index = number->behind || start.type == IteratorType::after_sequence_number;
  if (passes_index && from < sequence_index_end.value) ++from;
  position.from = RecordIndex{std::clamp(from, cursor.head.value, cursor.tail.value)};
  return position;
}

Stream::Position Stream::position_of(StreamShard& shard, const StartingPosition& start, std::string_view operation,
                                     Instant now) {
  const ShardCursor& cursor = shard.cursor;
  if (wants_number(start.type) != start.sequence_number.has_value() && start.type != IteratorType::at_timestamp) {
    return number_and_type_disagree(start.type, start.sequence_number.has_value());
  }
  if (wants_number(start.type)) return position_at(shard, start, operation);
  ShardPosition position{info_.id, shard.record.index, cursor.head, {}};
  if (start.type == IteratorType::latest) position.from = cursor.tail;
  if (start.type != IteratorType::at_timestamp) return position;
  if (!start.timestamp) {
    return invalid_argument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp "
        "parameter.");
  }
  if (*start.timestamp > now) {
    return invalid_argument(
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
        "timestampInMillis: " +
        std::to_string(to_epoch_ms(*start.timestamp)) +
        ", currentTimestampInMillis: " + std::to_string(to_epoch_ms(now)));
  }
  const auto segment = std::find_if(shard.segments.begin(), shard.segments.end(),
                                    [&](const Segment& each) { return each.last_arrival >= *start.timestamp; });
  position.from = segment != shard.segments.end() ? std::max(segment->first, cursor.head) : cursor.segment_first;
  position.not_before = *start.timestamp;
  return position;
}

void Stream::handle(CallId call, const GetShardIterator& command, Instant now) {
  StreamShard* shard = find_shard(command.shard_id);
  if (shard == nullptr) return context_.reply(call, shard_does_not_exist(info_.name, command.shard_id));
  if (context_.limits.strict) {
    if (!shard->iterators.has_room(1, now)) {
      return context_.reply(call, rate_exceeded(info_.name, shard->record.index));
    }
    shard->iterators.add(1, now);
  }
  if (command.reader) return groups_.start_reading(call, command, *shard);
  Position position = position_of(*shard, command.start, "GetShardIterator", now);
  std::visit([&](auto& either) { context_.reply(call, std::move(either)); }, position);
}

RecordsPage Stream::page_of(const StreamShard& shard, RecordIndex from, Instant now) const {
  RecordsPage page;
  page.stream = info_.name;
  page.id = info_.id;
  page.shard = shard.record.index;
  page.created_s = shard.record.created_s;
  page.until = shard.cursor.tail;
  page.from = std::clamp(from, shard.cursor.head, page.until);
  page.next = page.from;
  page.not_before = horizon(now);
  page.bytes_max = kinesis_limits::get_bytes_max;
  page.count_max = kinesis_limits::get_records_max;
  page.now = now;
  page.closed = !shard.is_open();
  for (const ShardIndex index : shard.children) {
    if (const StreamShard* child = shards_.find(index)) page.children.push_back(child->record);
  }
  return page;
}

void Stream::handle(CallId call, const GetRecords& command, Instant now) {
  if (!is_ready() || command.id != info_.id) return context_.reply(call, stream_not_found(info_.name));
  StreamShard* shard = shards_.find(command.shard);
  if (shard == nullptr) {
    return context_.reply(call, shard_does_not_exist(info_.name, format_shard_id(command.shard)));
  }
  if (context_.limits.strict) {
    if (!shard->reads.has_room(1, now) || shard->bytes_out.is_overdrawn(now)) {
      return context_.reply(call, rate_exceeded(info_.name, command.shard));
    }
    shard->reads.add(1, now);
  }
  if (command.hold) {
    if (auto error = groups_.read_on(*command.hold, *shard, command.from)) {
      return context_.reply(call, std::move(*error));
    }
  }
  RecordsPage page = page_of(*shard, command.from, now);
  page.not_before = std::max(page.not_before, command.not_before);
  page.count_max = std::min(page.count_max, command.count_max);
  page.hold = command.hold;
  context_.reply(call, std::move(page));
}

void Stream::handle(CallId, const RecordsRead& command, Instant now) {
  if (command.id != info_.id || !context_.limits.strict) return;
  if (StreamShard* shard = shards_.find(command.shard)) shard->bytes_out.add(command.bytes, now);
}

}  // namespace penstock::core
