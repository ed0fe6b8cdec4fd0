// Tumbling windows: stretches of a shard's time, aligned to multiples of their length, whose invocations hand a state
// on from one to the next. The state is durable with the checkpoint, so that it is always that of exactly the records
// before it. There is one lane then.
#include <algorithm>
#include <utility>

#include "core/triggers/event_size.hpp"
#include "core/triggers/shard_worker.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {
namespace {

constexpr std::uint64_t window_tag = 1'001;

/// What the function may hand on; more ends the window early.
constexpr std::size_t state_bytes_max = 1U << 20U;

constexpr std::string_view empty_state = "{}";

/// FNV-1a: the same everywhere, so that a replay gives the same.
std::uint64_t hash_of(std::string_view key) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325ULL;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3ULL;
  return hash ^ (hash >> 32U);
}

}  // namespace

/// As form(), of the records in one window. The window's last batch is final, whether it has records or not.
bool ShardWorker::form_in_window(Lane& lane) {
  if (!window_) {
    if (lane.waiting.empty()) return false;
    open_window_of(lane.waiting.front().item);
  }
  if (state_is_too_large()) {
    take_out(lane, 0, true);
    return true;
  }
  // The state and what tells of the window travel in the same event.
  const std::size_t around = window_->state.size() + owner_.mapping()->source_arn.size() + window_frame_bytes;
  const std::size_t bytes_max = std::max(context_.limits.batch_bytes_max, around) - around;
  const Cut cut = cut_of(lane, bytes_max, window_end());
  const bool is_all = cut.count == lane.waiting.size();
  const bool is_last = is_all ? window_is_complete() : lane.waiting[cut.count].item.arrived >= window_end();
  if (!is_last && cut.count == 0) return false;
  if (!is_last && !cut.is_full && window_is_open(lane)) return false;
  take_out(lane, cut.count, is_last);
  return true;
}

/// Before a try of the batch at the front. Where the state has become too large in the middle of a batch that was
/// split, the window ends before what is left of it, which begins another.
void ShardWorker::see_to_window(Lane& lane) {
  if (!window_) {
    if (config().tumbling_seconds == 0) return;
    open_window_of(lane.batches.front().items.front());
  }
  const StreamBatch& front = lane.batches.front();
  if (!state_is_too_large() || (front.is_final && front.items.empty())) return;
  StreamBatch end;
  end.is_final = true;
  lane.batches.push_front(std::move(end));
}

void ShardWorker::open_window_of(const SourceItem& item) {
  const Millis length = std::chrono::seconds(config().tumbling_seconds);
  const Millis arrived = item.arrived.time_since_epoch();
  open_window(TumblingWindow{Instant{arrived - arrived % length}, std::string(empty_state), length});
}

void ShardWorker::open_window(TumblingWindow window) {
  window_ = std::move(window);
  window_timer_ = context_.set_timer(*this, std::max(window_end(), context_.now), window_tag);
}

void ShardWorker::close_window() {
  window_.reset();
  sealed_.reset();
  if (window_timer_) context_.drop_timer(*std::exchange(window_timer_, {}));
  if (sealing_) context_.cancel(*std::exchange(sealing_, {}));
}

/// REQUIRES: one is open. It has the length that it was opened with, also where that has changed since: what its state
/// is made of is not lost, and the next one, if there is to be one, is aligned anew.
Instant ShardWorker::window_end() const {
  const bool is_known = window_->length > Millis{0};
  return window_->start + (is_known ? window_->length : std::chrono::seconds(config().tumbling_seconds));
}

ShardWorker::Lane& ShardWorker::lane_of(std::string_view key) {
  return lanes_[is_narrow_ ? 0 : hash_of(key) % lanes_.size()];
}

/// The window that all of the shard's records went through one after the other is over, and nothing of it is left: what
/// waits goes into the lanes of its keys.
void ShardWorker::widen_if_windowless() {
  Lane& only = lanes_.front();
  if (!is_narrow_ || window_ || !only.batches.empty()) return;
  is_narrow_ = false;
  only.waiting_bytes = 0;
  for (Waiting& waiting : std::exchange(only.waiting, {})) {
    Lane& lane = lane_of(waiting.item.key);
    lane.waiting_bytes += waiting.item.bytes();
    lane.waiting.push_back(std::move(waiting));
  }
}

/// Whether all of its records have been read.
bool ShardWorker::window_is_complete() const { return ended_ || (sealed_ && next_ >= *sealed_); }

bool ShardWorker::state_is_too_large() const { return window_->state.size() > state_bytes_max; }

WindowEvent ShardWorker::window_event(const StreamBatch& batch) const {
  return {window_->start, window_end(),        window_->state, format_shard_id(saved_.shard),
          batch.is_final, state_is_too_large()};
}

// The clock is past the window's end, and records of it may still be on their way here. Arrivals never go back within a
// shard, so that where its tail is now, everything of the window lies before it.
void ShardWorker::seal() {
  if (stopping_ || !window_ || ended_) return;
  GetShardIterator where;
  where.stream = owner_.stream();
  where.shard_id = format_shard_id(saved_.shard);
  where.start.type = IteratorType::latest;
  sealing_ = context_.ask(*this, StreamCommand(std::move(where)));
}

void ShardWorker::sealed(const std::optional<Result>& result) {
  const auto* position = result ? std::get_if<ShardPosition>(&*result) : nullptr;
  if (position == nullptr || position->id != saved_.stream) {
    const Instant again = context_.now + context_.limits.source_retry_delay;
    window_timer_ = context_.set_timer(*this, again, window_tag);
    return;
  }
  sealed_ = position->from;
  went_on(lanes_.front());
}

}  // namespace penstock::core
