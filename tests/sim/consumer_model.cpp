#include "consumer_model.hpp"

#include <algorithm>

namespace penstock::sim {

namespace {

std::string text_of(const GroupPosition& position) {
  std::string text = std::to_string(position.next.value);
  return position.sub ? text + " behind part " + std::to_string(*position.sub) : text;
}

bool same_place(const GroupPosition& a, const GroupPosition& b) {
  return a.next == b.next && a.sub == b.sub && a.not_before == b.not_before;
}

std::int64_t seconds_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

}  // namespace

std::string ConsumerModel::describe() const {
  std::string text;
  for (const GroupShard& each : view_.shards) {
    text += std::to_string(each.shard.value) + " by " + each.lease.owner + " under " +
            std::to_string(each.lease.epoch) + " at " + text_of(each.lease.position) + ", ";
  }
  return text;
}

const GroupShard* ConsumerModel::seen(ShardIndex shard) const {
  const auto found = std::ranges::find(view_.shards, shard, &GroupShard::shard);
  return found == view_.shards.end() ? nullptr : &*found;
}

std::uint64_t ConsumerModel::epoch_of(ShardIndex shard) const {
  const GroupShard* there = seen(shard);
  return there == nullptr ? 0 : there->lease.epoch;
}

bool ConsumerModel::has_member(const std::string& name) const {
  return std::ranges::any_of(view_.members, [&](const GroupMember& each) { return !each.reader && each.name == name; });
}

const ConsumerShard& ConsumerModel::of(ShardIndex shard) const {
  static const ConsumerShard untouched;
  const auto found = shards_.find(shard);
  return found == shards_.end() ? untouched : found->second;
}

bool ConsumerModel::is_done(ShardIndex shard) const {
  const GroupShard* there = seen(shard);
  return there != nullptr && there->closed && of(shard).position.next >= ledger_.tail(shard);
}

bool ConsumerModel::is_blocked(ShardIndex shard) const {
  if (!ledger_.knows(shard)) return false;
  return std::ranges::any_of(ledger_.shard(shard).parents, [this](ShardIndex parent) {
    return seen(parent) != nullptr && (!is_done(parent) || is_blocked(parent));
  });
}

std::vector<RecordFate>& ConsumerModel::fates(ShardIndex shard) {
  std::vector<RecordFate>& fates = fates_[shard];
  const std::uint64_t count = ledger_.tail(shard).value - 1;
  if (fates.size() < count) fates.resize(count);
  return fates;
}

void ConsumerModel::cut() {
  std::erase_if(fates_, [this](const auto& each) { return !ledger_.knows(each.first); });
  std::erase_if(shards_, [this](const auto& each) { return !ledger_.knows(each.first); });
  for (auto& [shard, fates] : fates_) fates.resize(ledger_.tail(shard).value - 1);
}

// ---- How the engine describes it.

std::string ConsumerModel::created(const GroupDescription& found) {
  for (const GroupShard& each : found.shards) {
    pass_over(each.shard, each.lease.position);
    shards_[each.shard] = {each.lease.position, each.lease.position.next, each.lease.metadata};
  }
  info_ = found.info;
  return {};
}

std::string ConsumerModel::check_position(const GroupShard& found) const {
  const ConsumerShard& own = of(found.shard);
  const GroupLease& lease = found.lease;
  if (!same_place(own.position, lease.position)) {
    return text_of(found.shard) + " is at " + text_of(lease.position) + ", and by what was acknowledged at " +
           text_of(own.position);
  }
  if (lease.metadata != own.metadata) return text_of(found.shard) + " has other metadata";
  if (lease.lost_records != own.lost_records) {
    return text_of(found.shard) + " says that " + std::to_string(lease.lost_records) + " records were lost, and " +
           std::to_string(own.lost_records) + " were";
  }
  if (lease.position.at_s == 0) return {};
  const RecordIndex of_time{lease.position.next.value - (lease.position.sub ? 0 : 1)};
  const LedgerRecord* record = ledger_.knows(found.shard) ? ledger_.shard(found.shard).find(of_time) : nullptr;
  if (record == nullptr || seconds_of(record->arrived) != lease.position.at_s) {
    return text_of(found.shard) + " is at a position with another record's time";
  }
  return {};
}

std::string ConsumerModel::check_owner(const GroupShard& before, const GroupShard& found) const {
  const std::string name = text_of(found.shard);
  if (found.lease.epoch < before.lease.epoch) return "the epoch of " + name + " went back";
  if (found.lease.owner.empty()) return {};
  const bool is_anothers = found.lease.owner != before.lease.owner || found.lease.session != before.lease.session;
  if (is_anothers && found.lease.epoch == before.lease.epoch) return name + " has another owner under the same epoch";
  const bool is_new = found.lease.epoch != before.lease.epoch;
  if (is_new && found.lease.session != 0 && is_blocked(found.shard)) {
    return name + " was granted before its parents are done";
  }
  return {};
}

void ConsumerModel::forget_gone(const GroupDescription& found, Instant now) {
  for (const GroupShard& each : view_.shards) {
    const bool is_there = std::ranges::find(found.shards, each.shard, &GroupShard::shard) != found.shards.end();
    if (is_there) continue;
    const ConsumerShard own = of(each.shard);
    const RecordIndex tail = ledger_.tail(each.shard);
    info_.lost_records += own.lost_records;
    const RecordIndex counted = std::max(own.position.next, own.frontier);
    if (counted < tail) info_.lost_records += tail.value - counted.value;
    std::vector<RecordFate>& all = fates(each.shard);
    for (std::uint64_t i = own.position.next.value; i < tail.value; ++i) {
      all[i - 1].lost =
          all[i - 1].lost || ledger_.shard(each.shard).records[i - 1].arrived <= RecordLedger::expired_by(now);
    }
    shards_.erase(each.shard);
  }
}

std::string ConsumerModel::observe(GroupDescription found, Instant now) {
  forget_gone(found, now);
  std::swap(view_, found);
  const GroupDescription& before = found;
  for (const GroupShard& each : view_.shards) {
    if (std::string problem = check_position(each); !problem.empty()) return problem;
    const auto was = std::ranges::find(before.shards, each.shard, &GroupShard::shard);
    const GroupShard old = was == before.shards.end() ? GroupShard{.shard = each.shard} : *was;
    if (std::string problem = check_owner(old, each); !problem.empty()) return problem;
    if (each.lease.epoch == old.lease.epoch) continue;
    ConsumerShard& own = of(each.shard);
    own.read = own.position.next;
    own.frontier = std::max(own.frontier, own.position.next);
  }
  std::uint64_t lost = info_.lost_records;
  for (const auto& [shard, own] : shards_) lost += own.lost_records;
  if (view_.info.lost_records != lost) {
    return std::to_string(view_.info.lost_records) + " records are said to be lost in all, and " +
           std::to_string(lost) + " were";
  }
  return {};
}

std::string ConsumerModel::recovered(const GroupDescription& found, Instant now) {
  view_ = found;
  info_.lost_records = found.info.lost_records;
  for (const GroupShard& each : found.shards) {
    ConsumerShard& own = shards_[each.shard];
    std::vector<RecordFate>& all = fates(each.shard);
    info_.lost_records -= each.lease.lost_records;
    // What was said to be lost, and that was not promised to last, will be said again.
    for (std::uint64_t i = each.lease.lost_until.value; i <= all.size(); ++i) all[i - 1].counted = false;
    own = {each.lease.position, each.lease.position.next, each.lease.metadata, each.lease.lost_records,
           each.lease.lost_until};
  }
  std::erase_if(shards_, [&](const auto& each) { return seen(each.first) == nullptr; });
  return observe(found, now);
}

std::string ConsumerModel::told(ShardIndex shard, std::uint64_t epoch, const std::string& holder) {
  const auto [known, fresh] = holders_.try_emplace({shard, epoch}, holder);
  if (known->second == holder) return {};
  return text_of(shard) + " has two owners under epoch " + std::to_string(epoch) + ": " + known->second + " and " +
         holder;
}

// ---- What is acknowledged to it.

void ConsumerModel::count_lost(ShardIndex shard, RecordIndex first, bool all) {
  ConsumerShard& own = of(shard);
  std::vector<RecordFate>& fate_of = fates(shard);
  for (std::uint64_t i = own.frontier.value; i < first.value; ++i) {
    RecordFate& fate = fate_of[i - 1];
    if (!all && (fate.counted || !(fate.lost || fate.unsure))) continue;
    fate.counted = fate.lost = true;
    ++own.lost_records;
  }
  own.frontier = std::max(own.frontier, first);
}

void ConsumerModel::take(const GroupToken& token, bool commits) {
  for (const HandedOut& handed : token.handed) {
    if (epoch_of(handed.shard) != handed.epoch || seen(handed.shard) == nullptr) continue;
    ConsumerShard& own = of(handed.shard);
    own.frontier = std::max(own.frontier, handed.from);
    count_lost(handed.shard, handed.first, false);
    own.frontier = std::max(own.frontier, handed.next);
    own.read = std::max(handed.next, own.position.next);
    if (!commits || handed.next <= own.position.next) continue;
    own.position = GroupPosition{.next = handed.next, .at_s = handed.at_s};
  }
}

void ConsumerModel::move_to(const ModelStep& step) {
  ConsumerShard& own = of(step.shard);
  const bool backwards = is_behind(step.position, own.position);
  if (backwards) order_is_over();
  own.position = step.position;
  if (step.metadata) own.metadata = *step.metadata;
  if (backwards || is_on_poll() || own.position.next > own.read) own.read = own.position.next;
}

void ConsumerModel::pass_over(ShardIndex shard, const GroupPosition& to) {
  std::vector<RecordFate>& all = fates(shard);
  for (std::uint64_t i = of(shard).position.next.value; i <= all.size(); ++i) {
    const bool is_old = ledger_.shard(shard).records[i - 1].arrived < to.not_before;
    if (i < to.next.value || is_old) all[i - 1].passed = true;
  }
}

// ---- What its members get.

std::string ConsumerModel::missed(const GroupPosition& from, const RecordsPage& page, Instant now) {
  const RecordLedger::Shard& shard = ledger_.shard(page.shard);
  const RecordIndex first = page.records.empty() ? page.next : page.records.front().index;
  std::vector<RecordFate>& all = fates(page.shard);
  for (std::uint64_t i = from.next.value; i < first.value; ++i) {
    const LedgerRecord* record = shard.find(RecordIndex{i});
    if (record == nullptr) return "a batch begins behind its shard's end";
    all[i - 1].unsure = from.not_before != Instant{};
    if (record->arrived < from.not_before) {
      all[i - 1].passed = true;
    } else if (record->arrived <= RecordLedger::expired_by(now)) {
      all[i - 1].lost = true;
    } else {
      return name_of(record->data) + " at " + place_of(page.shard, RecordIndex{i}) + " is left out of a batch";
    }
  }
  return {};
}

std::string ConsumerModel::processed(ShardIndex shard, const ReadRecord& read, bool in_order) {
  if (std::string problem = ledger_.check_read(shard, read); !problem.empty()) return problem;
  std::vector<RecordFate>& all = fates(shard);
  RecordFate& fate = all[read.index.value - 1];
  if (fate.processed++ > 0) return {};
  const LedgerRecord& record = *ledger_.shard(shard).find(read.index);
  const std::string place = place_of(shard, read.index);
  auto& [newest, newest_place] = newest_[record.key];
  // What retention took does not wait for whoever was handed it before.
  if (in_order && ordered_ && !fate.lost && record.order < newest) {
    return name_of(record.data) + " at " + place + " is processed after a later record of its key at " + newest_place;
  }
  if (record.order > newest) std::tie(newest, newest_place) = std::pair{record.order, place};
  for (std::uint64_t i = 1; in_order && i < read.index.value; ++i) {
    const RecordFate& before = all[i - 1];
    if (before.processed > 0 || before.lost || before.passed) continue;
    return name_of(record.data) + " is processed, and what was before it at " + place_of(shard, RecordIndex{i}) +
           " was not";
  }
  return {};
}

std::string ConsumerModel::all_is_processed(bool once, Instant now) {
  for (const auto& [index, shard] : ledger_.shards()) {
    std::vector<RecordFate>& all = fates(index);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const LedgerRecord& record = shard.records[i];
      const std::string name = name_of(record.data) + " at " + place_of(index, RecordIndex{i + 1});
      if (all[i].processed > 1 && once) return name + " was processed " + std::to_string(all[i].processed) + " times";
      const bool is_excused = all[i].lost || all[i].passed || record.arrived <= RecordLedger::expired_by(now);
      if (all[i].processed == 0 && !is_excused) return name + " was never processed";
    }
  }
  return {};
}

}  // namespace penstock::sim
