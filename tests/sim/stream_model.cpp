#include "stream_model.hpp"

#include <algorithm>

namespace penstock::sim {

namespace {

/// By how much a clock may be behind when a machine starts.
constexpr Millis clock_slack{5'000};

HashKey after(HashKey key) { return {key.low == UINT64_MAX ? key.high + 1 : key.high, key.low + 1}; }

/// Of a record's data, the part that people can read.
std::string name_of(const std::string& data) { return "'" + data.substr(0, data.find(' ')) + "'"; }

std::string at(ShardIndex shard, RecordIndex index) {
  return " at " + std::to_string(index.value) + " of shard " + std::to_string(shard.value);
}

std::chrono::hours hours_of(std::uint32_t hours) { return std::chrono::hours{hours}; }

/// Empty if the shards cover the whole ring, and where `exact` no part of it twice.
std::string check_ring(std::vector<ShardRecord> shards, bool exact) {
  std::sort(shards.begin(), shards.end(), [](const ShardRecord& one, const ShardRecord& other) {
    return std::pair{one.first_hash, one.last_hash} < std::pair{other.first_hash, other.last_hash};
  });
  HashKey next;
  bool whole = false;
  for (const ShardRecord& shard : shards) {
    if (shard.last_hash < shard.first_hash) return "a shard ends before it begins";
    if (!whole && shard.first_hash > next) return "no shard has the hash key " + format_hash_key(next);
    if (exact && (whole || shard.first_hash < next)) {
      return "two shards have the hash key " + format_hash_key(shard.first_hash);
    }
    if (shard.last_hash == hash_key_max) {
      whole = true;
    } else if (!whole) {
      next = std::max(next, after(shard.last_hash));
    }
  }
  return whole ? "" : "no shard has the greatest hash key";
}

}  // namespace

// ---- Time and settings.

void StreamModel::time_passed(Instant now) {
  const std::uint32_t shortest = std::min(hours_, pending_hours_.value_or(hours_));
  horizon_ = std::max(horizon_, now - hours_of(shortest));
}

void StreamModel::asked_for_retention(std::uint32_t hours, Instant now) {
  pending_hours_ = hours;
  time_passed(now);
}

void StreamModel::retention_changed(std::uint32_t hours, Instant asked_at, Moment asked) {
  if (hours > hours_) {
    floor_ = std::max(floor_, asked_at - hours_of(hours_));
    floor_since_ = asked;
  }
  hours_ = hours;
  pending_hours_.reset();
}

void StreamModel::retention_refused() { pending_hours_.reset(); }

std::string StreamModel::recovered_retention(std::uint32_t hours, Instant now) {
  if (hours != hours_ && hours != pending_hours_) return "a retention that nobody asked for";
  hours_ = hours;
  pending_hours_.reset();
  time_passed(now);
  return {};
}

Instant StreamModel::expired_before(Instant now) const {
  return now - hours_of(std::max(hours_, pending_hours_.value_or(hours_)));
}

std::string StreamModel::recovered_encryption(bool on) {
  if (!encryption_.contains(on)) return "an encryption that nobody asked for";
  encryption_is(on);
  return {};
}

// ---- Records.

void StreamModel::asked_to_put(const PutEntry& entry, Instant now, Moment asked) {
  records_[entry.data] = ModelRecord{.key = entry.partition_key, .hash = entry.hash, .asked_at = now, .asked = asked};
}

std::string StreamModel::put(const std::string& data, const RecordPut& put, bool encrypted, const ModelKnown& known) {
  ModelRecord& record = records_.at(data);
  record.acknowledged = true;
  record.encrypted = encrypted;
  Shard& shard = shards_[put.shard];
  if (known.ended_at.contains(put.shard)) {
    return name_of(data) + " was put into the closed shard " + std::to_string(put.shard.value);
  }
  if (shard.record && (record.hash < shard.record->first_hash || record.hash > shard.record->last_hash)) {
    return name_of(data) + " was put into a shard that does not have its hash key";
  }
  if (put.number.shard != put.shard || put.number.index == RecordIndex{0}) return "a number of another shard";
  if (parse_sequence_number(format_sequence_number(put.number)) != put.number) return "a number that cannot be written";
  const auto newest = known.newest.find(put.shard);
  if (newest != known.newest.end() && put.number.index <= newest->second) {
    return name_of(data) + " was put before what was there already," + at(put.shard, put.number.index);
  }
  const auto newest_of_hash = known.by_hash.find(record.hash);
  if (newest_of_hash != known.by_hash.end() && put.number <= newest_of_hash->second) {
    return name_of(data) + " has a lower sequence number than what was put under its key before";
  }
  if (std::string problem = place(data, record, put.shard, put.number.index); !problem.empty()) return problem;
  return number(data, record, put.number);
}

ModelKnown StreamModel::known() const {
  ModelKnown known;
  known.by_hash = by_hash_;
  for (const auto& [index, shard] : shards_) {
    if (!shard.placed.empty()) known.newest[index] = shard.placed.rbegin()->first;
    if (shard.closed) known.ended_at[index] = shard.end.value_or(RecordIndex{0});
  }
  return known;
}

std::string StreamModel::place(const std::string& data, ModelRecord& record, ShardIndex shard_index,
                               RecordIndex index) {
  Shard& shard = shards_[shard_index];
  const auto [found, fresh] = shard.placed.try_emplace(index, data);
  if (found->second != data) {
    return name_of(data) + " and " + name_of(found->second) + " are both" + at(shard_index, index);
  }
  if (record.place && *record.place != std::pair{shard_index, index}) return name_of(data) + " is there twice";
  if (!fresh) return {};
  record.place = {shard_index, index};
  if (shard.end && index >= *shard.end) return name_of(data) + " is behind the end of a closed shard";
  return check_latest(shard, record, index);
}

std::string StreamModel::check_latest(const Shard& shard, const ModelRecord& record, RecordIndex index) const {
  for (const Latest& latest : shard.latest) {
    if ((record.asked > latest.asked) != (index >= latest.from)) return "LATEST was not where the shard ended";
  }
  return {};
}

std::string StreamModel::number(const std::string& data, ModelRecord& record, const SequenceNumber& number) {
  if (record.number && *record.number != number) return name_of(data) + " has two sequence numbers";
  if (record.number) return {};
  record.number = number;
  const auto& placed = shards_.at(record.place->first).placed;
  const auto self = placed.find(record.place->second);
  const std::string digits = format_sequence_number(number);
  const auto wrong = [&](const std::string& other, bool before) {
    const auto& known = records_.at(other).number;
    if (!known) return false;
    const std::string others = format_sequence_number(*known);
    return others.size() != digits.size() || (before ? others >= digits : others <= digits);
  };
  if (self != placed.begin() && wrong(std::prev(self)->second, true)) return name_of(data) + " has too low a number";
  if (std::next(self) != placed.end() && wrong(std::next(self)->second, false)) {
    return name_of(data) + " has too high a number";
  }
  const auto [newest, fresh] = by_hash_.try_emplace(record.hash, number);
  if (!fresh) newest->second = std::max(newest->second, number);
  return {};
}

// ---- Reading.

const std::string* StreamModel::missing(const Shard& shard, RecordIndex from, RecordIndex until,
                                        Instant not_before) const {
  for (auto each = shard.placed.lower_bound(from); each != shard.placed.end() && each->first < until; ++each) {
    const ModelRecord& record = records_.at(each->second);
    if (record.asked_at > horizon_ && record.asked_at >= not_before) return &each->second;
  }
  return nullptr;
}

std::string StreamModel::started(const StartAsked& asked, RecordIndex from, Instant not_before) {
  Shard& shard = shards_[asked.shard];
  RecordIndex least{1};
  Instant since{};
  switch (asked.start.type) {
    case IteratorType::latest:
      shard.latest.push_back({asked.asked, from});
      for (const auto& [index, data] : shard.placed) {
        if (std::string problem = check_latest(shard, records_.at(data), index); !problem.empty()) return problem;
      }
      return {};
    case IteratorType::at_timestamp:
      since = *asked.start.timestamp;
      if (not_before < since) return "AT_TIMESTAMP is forgotten";
      break;
    case IteratorType::trim_horizon:
      break;
    case IteratorType::at_sequence_number:
    case IteratorType::after_sequence_number:
      least = parse_sequence_number(*asked.start.sequence_number)->index;
      if (asked.start.type == IteratorType::after_sequence_number) ++least.value;
      break;
  }
  if (from < least) return "a read starts before where it was asked to";
  if (const std::string* lost = missing(shard, least, from, since); lost != nullptr) {
    return "a read starts behind " + name_of(*lost);
  }
  return {};
}

std::string StreamModel::read(const PageAsked& asked, const RecordsPage& page) {
  if (page.shard != asked.shard) return "a page of another shard";
  if (std::string problem = check_bounds(asked, page); !problem.empty()) return problem;
  RecordIndex next = page.from;
  for (const ReadRecord& each : page.records) {
    // Arrivals never go back, so that what has expired or is too old can only be at the front.
    if (each.index != next && (each.index < next || &each != page.records.data())) return "a page has a gap";
    if (std::string problem = read_one(asked, page, each); !problem.empty()) return problem;
    next = RecordIndex{each.index.value + 1};
  }
  if (!page.records.empty() && next != page.next) return "a page goes on elsewhere than behind its last record";
  const RecordIndex first = page.records.empty() ? page.next : page.records.front().index;
  const Shard& shard = shards_[asked.shard];
  if (const std::string* lost = missing(shard, asked.from, first, asked.not_before); lost != nullptr) {
    return name_of(*lost) + " is passed over, or lost";
  }
  if (first > page.from) ++passed_over_;
  if (std::string problem = check_behind(page); !problem.empty()) return problem;
  return check_end(asked, page);
}

std::string StreamModel::check_bounds(const PageAsked& asked, const RecordsPage& page) const {
  if (page.from < asked.from) return "a page starts before where it was asked to";
  if (page.next < page.from) return "a page goes back";
  if (page.from < page.until && page.next == page.from) return "a page does not get on";
  if (page.next > std::max(page.until, page.from)) return "a page goes on behind what was there";
  if (asked.count_max != 0 && page.records.size() > asked.count_max) return "a page has more than was asked for";
  const auto newest = asked.known.newest.find(asked.shard);
  if (newest != asked.known.newest.end() && page.until <= newest->second) return "a page does not know the newest";
  return {};
}

std::string StreamModel::read_one(const PageAsked& asked, const RecordsPage& page, const ReadRecord& read) {
  const StreamRecord& record = read.record;
  const auto found = records_.find(record.data);
  if (found == records_.end())
    return "read " + name_of(record.data) + ", which nobody put" + at(page.shard, read.index);
  ModelRecord& known = found->second;
  ++reads_;
  if (!known.acknowledged) ++unacknowledged_reads_;
  if (record.partition_key != known.key) return name_of(record.data) + " has another partition key";
  if (known.encrypted && *known.encrypted != record.encrypted) return name_of(record.data) + " has another encryption";
  if (record.arrived < known.asked_at) return name_of(record.data) + " arrived before it was put";
  if (record.arrived < asked.not_before) return name_of(record.data) + " is older than what was asked for";
  if (record.arrived < asked.expired_before) return "read " + name_of(record.data) + ", which has expired";
  if (asked.asked > floor_since_ && record.arrived < floor_) {
    return "read " + name_of(record.data) + ", which had expired before the retention was lengthened";
  }
  const Shard& shard = shards_[page.shard];
  if (shard.record && shard.record->created_s != page.created_s) return "a page of a shard opened at another time";
  if (std::string problem = place(record.data, known, page.shard, read.index); !problem.empty()) return problem;
  return number(record.data, known, record_number(page.shard, page.created_s, read.index, record.arrived));
}

std::string StreamModel::check_behind(const RecordsPage& page) const {
  const bool caught_up = page.next >= page.until;
  if (page.behind < Millis{0}) return "MillisBehindLatest is negative";
  if (caught_up != (page.behind == Millis{0})) {
    return caught_up ? "a reader that is not behind is told that it is" : "a reader that is behind is told it is not";
  }
  return {};
}

std::string StreamModel::check_end(const PageAsked& asked, const RecordsPage& page) {
  Shard& shard = shards_[asked.shard];
  if (asked.known.ended_at.contains(asked.shard) && !page.closed) return "a closed shard is open again";
  if (!page.closed) return page.children.empty() ? "" : "an open shard has children";
  if (page.children.empty()) return "a closed shard has no children";
  for (const ShardRecord& child : page.children) {
    if (child.parent != page.shard && child.adjacent_parent != page.shard) return "a child of another shard";
  }
  if (shard.end && *shard.end != page.until) return "a closed shard ends elsewhere";
  if (!shard.placed.empty() && shard.placed.rbegin()->first >= page.until) return "a closed shard ends too early";
  shard.end = page.until;
  return {};
}

bool StreamModel::has_news(ShardIndex index, RecordIndex from, Instant not_before) const {
  const auto found = shards_.find(index);
  if (found == shards_.end()) return false;
  const Shard& shard = found->second;
  return shard.closed || missing(shard, from, RecordIndex{UINT64_MAX}, not_before) != nullptr;
}

// ---- Shards.

void StreamModel::split(ShardIndex index, HashKey at, Moment asked) {
  Shard& shard = shards_[index];
  if (!shard.closed) shard.closed = asked;
  shard.split_at = at;
}

void StreamModel::merged(ShardIndex one, ShardIndex other, Moment asked) {
  for (const auto& [index, adjacent] : {std::pair{one, other}, std::pair{other, one}}) {
    Shard& shard = shards_[index];
    if (!shard.closed) shard.closed = asked;
    shard.merged_with = adjacent;
  }
}

std::vector<ShardRecord> StreamModel::shards() const {
  std::vector<ShardRecord> all;
  for (const auto& [index, shard] : shards_) {
    if (shard.record) all.push_back(*shard.record);
  }
  return all;
}

bool StreamModel::may_be_gone(ShardIndex index) const {
  const auto found = shards_.find(index);
  if (found == shards_.end()) return true;
  const Shard& shard = found->second;
  if (shard.record && shard.record->closed) return *shard.record->closed <= horizon_;
  // It may have been closed since, by a clock that had been set back.
  return !shard.seen_open || *shard.seen_open - clock_slack <= horizon_;
}

std::string StreamModel::listed(const std::vector<ShardRecord>& shards, Moment asked, Instant now) {
  std::map<ShardIndex, ShardRecord> listed;
  std::vector<ShardRecord> open;
  for (const ShardRecord& shard : shards) {
    if (!listed.emplace(shard.index, shard).second) return "a shard is listed twice";
    if (std::string problem = check_record(shard, asked); !problem.empty()) return problem;
    Shard& known = shards_[shard.index];
    if (!known.record || !known.record->closed) known.record = shard;
    if (shard.closed && !known.closed) known.closed = asked;
    if (!shard.closed) known.seen_open = std::max(known.seen_open.value_or(now), now);
    if (!shard.closed) open.push_back(shard);
  }
  for (const auto& [index, shard] : shards_) {
    if (shard.record && !listed.contains(index) && !may_be_gone(index)) {
      return "shard " + std::to_string(index.value) + " is gone";
    }
  }
  if (std::string problem = check_ring(open, true); !problem.empty()) return problem;
  if (open_count_ && open_count_->first < asked && open_count_->second != open.size())
    return "there are not as many shards as were asked for";
  return check_lineage(listed);
}

std::string StreamModel::listed_some(const std::vector<ShardRecord>& shards, bool only_open) const {
  for (const ShardRecord& shard : shards) {
    if (only_open && shard.closed) return "a closed shard is listed AT_LATEST";
  }
  return check_ring(shards, only_open);
}

std::string StreamModel::check_record(const ShardRecord& shard, Moment asked) {
  const std::string name = "shard " + std::to_string(shard.index.value);
  const Shard& known = shards_[shard.index];
  if (known.closed && *known.closed < asked && !shard.closed) return name + " is open again";
  if (shard.closed && ending_number(shard) <= starting_number(shard)) return name + " ends before it starts";
  if (!known.record) return {};
  ShardRecord same = shard;
  // An answer may come late, and another client have heard of the end before.
  if (!same.closed || !known.record->closed) {
    same.closed = known.record->closed;
    same.closed_s = known.record->closed_s;
  }
  return same == *known.record ? "" : name + " is another than it was";
}

std::string StreamModel::check_lineage(const std::map<ShardIndex, ShardRecord>& listed) const {
  for (const auto& [index, shard] : listed) {
    if (!shard.parent) {
      if (shard.adjacent_parent) return "a shard has only an adjacent parent";
      if (index.value >= static_cast<std::uint32_t>(shard_count_)) return "a shard has no parents";
      continue;
    }
    if (std::string problem = check_parent(shard, *shard.parent, listed); !problem.empty()) return problem;
    if (shard.adjacent_parent) {
      if (std::string problem = check_parent(shard, *shard.adjacent_parent, listed); !problem.empty()) return problem;
    }
  }
  for (const auto& [index, shard] : listed) {
    if (!shard.closed) continue;
    if (std::string problem = check_children(shard, listed); !problem.empty()) return problem;
  }
  return {};
}

std::string StreamModel::check_parent(const ShardRecord& child, ShardIndex index,
                                      const std::map<ShardIndex, ShardRecord>& listed) const {
  const std::string name = "shard " + std::to_string(child.index.value);
  if (index >= child.index) return name + " is older than its parent";
  const auto found = listed.find(index);
  if (found == listed.end()) return may_be_gone(index) ? "" : name + " has no parent any more";
  const ShardRecord& parent = found->second;
  if (!parent.closed) return name + " was opened before its parent was closed";
  if (child.created < *parent.closed) return name + " was opened before its parent's end";
  if (starting_number(child) <= ending_number(parent)) return name + " starts below its parent's ending number";
  return {};
}

std::string StreamModel::check_children(const ShardRecord& parent,
                                        const std::map<ShardIndex, ShardRecord>& listed) const {
  const std::string name = "shard " + std::to_string(parent.index.value);
  std::vector<ShardRecord> children;
  for (const auto& [index, shard] : listed) {
    if (shard.parent == parent.index || shard.adjacent_parent == parent.index) children.push_back(shard);
  }
  // A child that lived for a moment only may be gone as soon as its parent.
  if (may_be_gone(parent.index)) return {};
  if (children.size() == 1 && children[0].adjacent_parent) {
    const ShardRecord& child = children[0];
    const bool inside = child.first_hash <= parent.first_hash && parent.last_hash <= child.last_hash;
    return inside ? "" : name + " was merged into a shard that does not have its hash keys";
  }
  if (children.size() != 2) return name + " has " + std::to_string(children.size()) + " children";
  if (children[0].first_hash > children[1].first_hash) std::swap(children[0], children[1]);
  const bool divided = children[0].first_hash == parent.first_hash && children[1].last_hash == parent.last_hash &&
                       after(children[0].last_hash) == children[1].first_hash;
  if (!divided) return name + " was not divided among its children";
  const auto known = shards_.find(parent.index);
  const bool elsewhere = known->second.split_at && *known->second.split_at != children[1].first_hash;
  return elsewhere ? name + " was split elsewhere than asked for" : "";
}

std::string StreamModel::check_all_listed(const std::vector<ShardRecord>& shards) const {
  std::set<ShardIndex> listed;
  for (const ShardRecord& shard : shards) listed.insert(shard.index);
  for (const auto& [index, shard] : shards_) {
    if (listed.contains(index)) continue;
    const std::string* lost = missing(shard, RecordIndex{1}, RecordIndex{UINT64_MAX}, {});
    if (lost != nullptr) return name_of(*lost) + " is in a shard that is gone";
  }
  return {};
}

}  // namespace penstock::sim
