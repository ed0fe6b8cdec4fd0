#include "core/lanes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/digest.hpp"
#include "core/queue.hpp"

namespace penstock::core {

namespace {

// The documented rule's numbers.
constexpr std::size_t noisy_in_flight_min = 30;
constexpr std::size_t noisy_share = 10;  // one in so many
constexpr Millis noisy_without_sends{300'000};

// "Recent" processing time is given no figure: what lies a minute back counts half. A tenant that has kept consumers
// busy for less than this is not told from chance.
constexpr double processing_half_life_ms = 60'000;
constexpr double processing_ms_min = 1'000;

double decayed(double amount, Instant since, Instant now) {
  const auto elapsed = static_cast<double>((now - since).count());
  return elapsed <= 0 ? amount : amount * std::exp2(-elapsed / processing_half_life_ms);
}

}  // namespace

Lanes::~Lanes() { clear(); }

LaneId Lanes::lane_of(std::string_view group_id) { return LaneId{digest_of("lane", group_id)[0]}; }

std::string Lanes::text_of(LaneId lane) { return std::to_string(lane.value); }

std::optional<LaneId> Lanes::parse(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return LaneId{std::strtoull(text.c_str(), nullptr, 10)};
}

void Lanes::recover(const std::vector<RecoveredLane>& lanes, Sequence tail, Instant now) {
  tail_ = tail;
  for (const RecoveredLane& recovered : lanes) {
    Lane& lane = lanes_[recovered.lane];
    lane.id = recovered.lane;
    for (const LaneEntry& entry : recovered.first) lane.window.push_back({entry.sequence, entry.sent});
    window_total_ += recovered.first.size();
    const bool is_all = recovered.first.size() < shard_.limits.lane_recovered_max;
    lane.unread = is_all ? tail : Sequence{recovered.first.back().sequence.value + 1};
    lane.last = Sequence{tail.value - 1};
    // When its last message was sent is not known; a tenant is not silent for having been found at a start.
    lane.last_sent = now;
    count_backlog(lane);
    arm_expiry(lane);
    place(lane);
  }
}

void Lanes::set_retention(Millis retention) {
  retention_ = retention;
  for (auto& [id, lane] : lanes_) arm_expiry(lane);
}

bool Lanes::takes(LaneId id) const {
  if (backlog_count_ < shard_.limits.lanes_max) return true;
  const auto found = lanes_.find(id);
  return found != lanes_.end() && found->second.counted;
}

void Lanes::count_backlog(Lane& lane) {
  const bool has = lane.has_unreceived();
  if (has && !lane.counted) ++backlog_count_;
  if (!has && lane.counted) --backlog_count_;
  lane.counted = has;
}

void Lanes::push(LaneId id, FreshEntry entry) {
  Lane& lane = lanes_[id];
  lane.id = id;
  lane.last_sent = entry.sent;
  const bool window_reaches_end = !lane.has_more() && !lane.loading;
  lane.last = entry.sequence;
  tail_ = Sequence{entry.sequence.value + 1};
  const bool has_room = lane.window.empty() || (lane.window.size() < shard_.limits.lane_window_max &&
                                                window_total_ < shard_.limits.lane_windows_total_max);
  if (!window_reaches_end) return;
  if (!has_room) {
    lane.unread = entry.sequence;
    return;
  }
  lane.window.push_back(entry);
  ++window_total_;
  lane.unread = Sequence{entry.sequence.value + 1};
  count_backlog(lane);
  if (lane.window.size() > 1) return;
  arm_expiry(lane);
  place(lane);
}

void Lanes::load_if_low(Lane& lane) {
  if (lane.loading || !lane.has_more()) return;
  if (lane.window.size() > shard_.limits.lane_window_max / 2) return;
  const std::size_t room =
      shard_.limits.lane_windows_total_max - std::min(shard_.limits.lane_windows_total_max, window_total_);
  // A lane whose front is not known would wait for the others to be emptied, so it gets one entry in any case.
  const std::size_t wanted = std::min(room, shard_.limits.lane_window_max - lane.window.size());
  if (wanted == 0 && !lane.window.empty()) return;
  lane.loading = true;
  ++loading_count_;
  lane.load_until = tail_;
  shard_.effects.loads.emplace_back(
      LoadLane{owner_.id(), epoch_, lane.id, lane.unread, std::max<std::size_t>(wanted, 1)});
}

void Lanes::loaded(const LaneLoaded& loaded) {
  const auto found = lanes_.find(loaded.lane);
  if (loaded.epoch != epoch_ || found == lanes_.end() || !found->second.loading) return;
  Lane& lane = found->second;
  lane.loading = false;
  --loading_count_;
  // What was sent since the load was asked for may be in its answer or not: it is left to the next.
  lane.unread = loaded.next && *loaded.next < lane.load_until ? *loaded.next : lane.load_until;
  const bool was_empty = lane.window.empty();
  for (const FreshEntry& entry : loaded.entries) {
    if (entry.sequence >= lane.unread) break;
    lane.window.push_back(entry);
    ++window_total_;
  }
  if (was_empty) {
    arm_expiry(lane);
    place(lane);
  }
  load_if_low(lane);
  forget_if_idle(lane);
}

void Lanes::clear() {
  for (auto& [id, lane] : lanes_) {
    if (lane.expiry != DeadlineHeap::none) shard_.deadlines.remove(lane.expiry);
  }
  lanes_.clear();
  quiet_.clear();
  noisy_.clear();
  resting_.clear();
  window_total_ = 0;
  backlog_count_ = 0;
  loading_count_ = 0;
}

// ---- Order

void Lanes::unplace(Lane& lane) {
  if (lane.quiet_as) quiet_.erase(*std::exchange(lane.quiet_as, std::nullopt));
  if (lane.noisy_as) noisy_.erase(*std::exchange(lane.noisy_as, std::nullopt));
}

void Lanes::place(Lane& lane) {
  unplace(lane);
  if (lane.noisy && lane.has_backlog()) {
    lane.noisy_as = {lane.in_flight, lane.window.empty() ? tail_ : lane.window.front().sequence, lane.id};
    noisy_.emplace(*lane.noisy_as, &lane);
  } else if (!lane.noisy && !lane.window.empty()) {
    lane.quiet_as = lane.window.front().sequence;
    quiet_.emplace(*lane.quiet_as, &lane);
  }
}

std::optional<Lanes::Head> Lanes::first_quiet() const {
  if (quiet_.empty()) return std::nullopt;
  const Lane& lane = *quiet_.begin()->second;
  return Head{lane.id, lane.window.front()};
}

std::optional<Lanes::Head> Lanes::oldest() const {
  std::optional<Head> oldest = first_quiet();
  for (const auto& [order, lane] : noisy_) {
    if (lane->window.empty()) continue;
    const FreshEntry& first = lane->window.front();
    if (!oldest || first.sequence < oldest->entry.sequence) oldest = Head{lane->id, first};
  }
  return oldest;
}

// Those that have sent nothing for long enough are quiet again. Sends only put that off, so that it need not be looked
// at each time.
std::vector<LaneId> Lanes::turned_quiet(Instant now) {
  std::vector<LaneId> silent;
  if (noisy_.empty() || now < silent_from_) return silent;
  silent_from_ = now + noisy_without_sends;
  for (const auto& [order, lane] : noisy_) {
    const Instant until = lane->last_sent + noisy_without_sends;
    if (until <= now) silent.push_back(lane->id);
    if (until > now) silent_from_ = std::min(silent_from_, until);
  }
  for (const LaneId id : silent) {
    Lane& lane = lanes_.at(id);
    lane.noisy = false;
    place(lane);
  }
  return silent;
}

void Lanes::pop(LaneId id) {
  Lane& lane = lanes_.at(id);
  lane.window.pop_front();
  --window_total_;
  load_if_low(lane);
  backlog_shrank(lane);
}

// A tenant whose backlog has drained is quiet again.
void Lanes::backlog_shrank(Lane& lane) {
  if (lane.noisy && !lane.has_backlog()) lane.noisy = false;
  place(lane);
  forget_if_idle(lane);
}

void Lanes::judge(Lane& lane, std::size_t in_flight, Instant now) {
  if (lane.noisy || !lane.has_backlog() || lane.last_sent + noisy_without_sends <= now) return;
  const bool holds_many = lane.in_flight >= noisy_in_flight_min && lane.in_flight * noisy_share > in_flight;
  const double processing = decayed(lane.processing_ms, lane.processed, now);
  const bool takes_much = processing >= processing_ms_min &&
                          processing * static_cast<double>(noisy_share) > decayed(processing_ms_, processed_, now);
  if (!holds_many && !takes_much) return;
  lane.noisy = true;
  silent_from_ = std::min(silent_from_, lane.last_sent + noisy_without_sends);
  place(lane);
}

void Lanes::judge(LaneId id, std::size_t in_flight, Instant now) {
  if (const auto found = lanes_.find(id); found != lanes_.end()) judge(found->second, in_flight, now);
}

void Lanes::judge_all(std::size_t in_flight, Instant now) {
  for (auto& [id, lane] : lanes_) judge(lane, in_flight, now);
}

bool Lanes::is_noisy(LaneId id) const {
  const auto found = lanes_.find(id);
  return found != lanes_.end() && found->second.noisy;
}

// ---- What was received

// What is in flight or waits again may be all there is of a lane.
Lanes::Lane& Lanes::lane_of_received(LaneId id, Instant sent) {
  Lane& lane = lanes_[id];
  lane.id = id;
  lane.last_sent = std::max(lane.last_sent, sent);
  return lane;
}

void Lanes::entered_flight(LaneId id, Instant sent) {
  Lane& lane = lane_of_received(id, sent);
  ++lane.in_flight;
  if (lane.noisy) place(lane);
}

void Lanes::left_flight(LaneId id, Instant received, Instant now) {
  const auto spent = static_cast<double>(std::max<std::int64_t>((now - received).count(), 0));
  processing_ms_ = decayed(processing_ms_, processed_, now) + spent;
  processed_ = now;
  forget_rested();
  const auto found = lanes_.find(id);
  if (found == lanes_.end()) return;
  Lane& lane = found->second;
  if (lane.in_flight > 0) --lane.in_flight;
  lane.processing_ms = decayed(lane.processing_ms, lane.processed, now) + spent;
  lane.processed = now;
  if (lane.noisy) place(lane);
  forget_if_idle(lane);
}

void Lanes::waits_again(LaneId id, Instant sent) {
  Lane& lane = lane_of_received(id, sent);
  ++lane.returned;
  if (lane.noisy && !lane.noisy_as) place(lane);
}

void Lanes::waits_no_longer(LaneId id) {
  Lane& lane = lanes_.at(id);
  --lane.returned;
  if (!lane.has_backlog()) backlog_shrank(lane);
}

// A lane with nothing in it is kept for as long as the time that its messages took to process still tells something.
void Lanes::forget_if_idle(Lane& lane) {
  count_backlog(lane);
  if (lane.has_backlog() || lane.loading || lane.in_flight > 0 || lane.resting) return;
  unplace(lane);
  if (lane.expiry != DeadlineHeap::none) shard_.deadlines.remove(std::exchange(lane.expiry, DeadlineHeap::none));
  const double processing = decayed(lane.processing_ms, lane.processed, shard_.now);
  if (processing < processing_ms_min || resting_.size() >= shard_.limits.lanes_max) {
    lanes_.erase(LaneId{lane.id});
    return;
  }
  const double half_lives = std::log2(processing / processing_ms_min);
  const Millis rest{static_cast<std::int64_t>(processing_half_life_ms * half_lives) + 1};
  lane.resting = true;
  resting_.emplace(std::pair(shard_.now + rest, lane.id), &lane);
}

void Lanes::forget_rested() {
  while (!resting_.empty() && resting_.begin()->first.first <= shard_.now) {
    Lane& lane = *resting_.begin()->second;
    resting_.erase(resting_.begin());
    lane.resting = false;
    forget_if_idle(lane);
  }
}

// ---- Retention and looks

void Lanes::arm_expiry(Lane& lane) {
  if (lane.window.empty()) return;
  const Instant when = lane.window.front().sent + retention_;
  if (lane.expiry == DeadlineHeap::none) {
    lane.expiry = shard_.deadlines.add(when, Due{Due::Kind::lane, &owner_, lane.id.value});
  } else {
    shard_.deadlines.move(lane.expiry, when);
  }
}

std::optional<Instant> Lanes::first_expiry(LaneId id) const {
  const auto found = lanes_.find(id);
  if (found == lanes_.end() || found->second.window.empty()) return std::nullopt;
  return found->second.window.front().sent + retention_;
}

void Lanes::expiry_due(LaneId id) {
  if (const auto found = lanes_.find(id); found != lanes_.end()) found->second.expiry = DeadlineHeap::none;
}

std::vector<FreshEntry> Lanes::take_expired(LaneId id, std::size_t count_max, Instant now) {
  std::vector<FreshEntry> expired;
  const auto found = lanes_.find(id);
  if (found == lanes_.end()) return expired;
  Lane& lane = found->second;
  while (!lane.window.empty() && expired.size() < count_max && lane.window.front().sent + retention_ <= now) {
    expired.push_back(lane.window.front());
    lane.window.pop_front();
    --window_total_;
  }
  load_if_low(lane);
  arm_expiry(lane);
  backlog_shrank(lane);
  return expired;
}

std::vector<FreshEntry> Lanes::known(std::size_t count_max) const {
  std::vector<FreshEntry> all;
  for (const auto& [id, lane] : lanes_) {
    for (const FreshEntry& entry : lane.window) {
      if (all.size() == count_max) return all;
      all.push_back(entry);
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  return all;
}

}  // namespace penstock::core
