// A worker's life, and how it reads. It never polls: one read waits in the shard until there are records, and there is
// none while enough is read ahead.
#include "core/triggers/shard_worker.hpp"

#include <algorithm>
#include <utility>

namespace penstock::core {
namespace {

/// What a read asks for at least, so that small batches and filters that drop most of a backlog do not cost a question
/// for each record.
constexpr std::size_t read_count_min = 1'000;

/// Timers of the worker; those of lanes have the lane's number.
constexpr std::uint64_t read_tag = 1'000;
constexpr std::uint64_t window_tag = 1'001;

}  // namespace

ShardWorker::ShardWorker(TriggerContext& context, ShardOwner& owner, ShardCheckpoint from)
    : context_(context), owner_(owner), saved_(std::move(from)), next_(saved_.next) {
  lanes_.resize(static_cast<std::size_t>(std::max(config().parallelization, 1)));
  for (std::size_t i = 0; i < lanes_.size(); ++i) lanes_[i].number = i;
}

ShardWorker::~ShardWorker() {
  stop();
  // That looks through everything, which is too much for each of many that only wait to read.
  if (!is_quiet() || awaits_slot_) context_.forget(*this);
}

void ShardWorker::start() {
  const bool has_end = saved_.window && (saved_.window->length > Millis{0} || config().tumbling_seconds > 0);
  if (has_end) {
    open_window(*saved_.window);
    is_narrow_ = lanes_.size() > 1;
  }
  go_on();
}

void ShardWorker::stop() {
  stopping_ = true;
  if (reading_) context_.cancel(*std::exchange(reading_, {}));
  if (sealing_) context_.cancel(*std::exchange(sealing_, {}));
  for (std::optional<TimerId>* timer : {&read_timer_, &window_timer_}) {
    if (*timer) context_.drop_timer(*std::exchange(*timer, {}));
  }
  for (Lane& lane : lanes_) {
    if (lane.timer) context_.drop_timer(*std::exchange(lane.timer, {}));
    if (lane.phase == Phase::pausing || lane.phase == Phase::refused) lane.phase = Phase::idle;
  }
}

bool ShardWorker::is_caught_up() const {
  const auto has_nothing = [](const Lane& lane) {
    return lane.phase == Phase::idle && lane.waiting.empty() && lane.batches.empty();
  };
  // A read that is open has found nothing yet.
  return reading_ && !read_timer_ && !sealing_ && std::ranges::all_of(lanes_, has_nothing);
}

bool ShardWorker::is_quiet() const {
  return std::ranges::none_of(
      lanes_, [](const Lane& lane) { return lane.phase == Phase::running || lane.phase == Phase::reporting; });
}

void ShardWorker::shard_gone(std::vector<ShardRecord> children) {
  if (stopping_ || ended_) return;
  if (reading_) context_.cancel(*std::exchange(reading_, {}));
  if (read_timer_) context_.drop_timer(*std::exchange(read_timer_, {}));
  ended_ = true;
  children_ = std::move(children);
  go_on();
}

void ShardWorker::function_changed() {
  if (stopping_) return;
  for (Lane& lane : lanes_) {
    if (!std::exchange(lane.misses_function, false)) continue;
    context_.drop_timer(*std::exchange(lane.timer, {}));
    lane.phase = Phase::idle;
  }
  go_on();
}

// ---- What comes back.

void ShardWorker::answered(Answered answer) {
  if (reading_ == answer.id) {
    reading_.reset();
    auto* page = answer.result ? std::get_if<RecordsPage>(&*answer.result) : nullptr;
    if (page == nullptr) return read_failed(answer.result);
    return take(std::move(*page), std::move(answer.items));
  }
  if (sealing_ == answer.id) {
    sealing_.reset();
    return sealed(answer.result);
  }
  for (Lane& lane : lanes_) {
    if (lane.phase == Phase::reporting && lane.report == answer.id) return reported(lane, answer.result);
  }
}

void ShardWorker::due(std::uint64_t tag) {
  if (tag == read_tag) {
    read_timer_.reset();
    return read_on();
  }
  if (tag == window_tag) {
    window_timer_.reset();
    return seal();
  }
  Lane& lane = lanes_.at(tag);
  lane.timer.reset();
  if (lane.phase == Phase::pausing) lane.phase = Phase::idle;
  lane.misses_function = false;
  went_on(lane);
}

void ShardWorker::slot_freed() {
  awaits_slot_ = false;
  for (Lane& lane : lanes_) {
    if (lane.phase != Phase::refused) continue;
    lane.phase = Phase::idle;
  }
  go_on();
}

/// Whatever is possible in any lane is done, which may be nothing. What filters drop, and what is discarded, moves the
/// checkpoint without an invocation.
void ShardWorker::go_on() {
  drive_all();
  save();
  read_on();
  finish_if_done();
}

void ShardWorker::drive_all() {
  const bool was_narrow = is_narrow_;
  const std::size_t first = first_lane_;
  for (std::size_t i = 0; i < lanes_.size(); ++i) drive(lanes_[(first + i) % lanes_.size()]);
  // Those that were looked at before they had anything.
  if (was_narrow && !is_narrow_) drive_all();
}

// ---- Reading.

bool ShardWorker::is_read_ahead_full() const {
  const TriggerLimits& limits = context_.limits;
  return watermark_.size() >= limits.read_ahead_records_max || bytes_ >= limits.read_ahead_bytes_max;
}

/// Some lane has less than another batch, and the limits of what is read ahead are not reached. A lane that is stuck
/// reaches them in the end, until when the others go on.
bool ShardWorker::wants_more() const {
  if (is_read_ahead_full()) return false;
  const auto batch_size = static_cast<std::size_t>(config().batch_size);
  return std::ranges::any_of(lanes_, [&](const Lane& lane) {
    return lane.waiting.size() < batch_size && lane.waiting_bytes < context_.limits.batch_bytes_max;
  });
}

void ShardWorker::read_on() {
  if (stopping_ || ended_ || reading_ || read_timer_ || context_.draining || !wants_more()) return;
  const TriggerLimits& limits = context_.limits;
  ReadShard read;
  read.stream = owner_.stream();
  read.id = saved_.stream;
  read.shard = saved_.shard;
  read.from = next_;
  read.not_before = saved_.not_before;
  if (const auto& consumer = owner_.mapping()->consumer) read.consumer = consumer->name;
  const std::size_t wanted = std::max(static_cast<std::size_t>(config().batch_size) * lanes_.size(), read_count_min);
  read.count_max = std::min(wanted, limits.read_ahead_records_max - watermark_.size());
  // Rendered they are somewhat larger; what that amounts to is let pass once.
  read.bytes_max = std::min(limits.batch_bytes_max, limits.read_ahead_bytes_max - bytes_);
  reading_ = context_.ask(*this, StreamCommand(std::move(read)), owner_.mapping());
}

void ShardWorker::take(RecordsPage page, std::vector<SourceItem> items) {
  const RecordIndex before = next_;
  next_ = std::max(next_, page.next);
  for (SourceItem& item : items) {
    if (!item.matches() || item.index < before) continue;
    watermark_.add(item.index);
    bytes_ += item.bytes();
    Lane& lane = lane_of(item.key);
    lane.waiting_bytes += item.bytes();
    lane.waiting.push_back({std::move(item), context_.now});
  }
  ended_ = page.ends_shard();
  if (ended_) children_ = std::move(page.children);
  // That there was nothing means that the server stops, or that the consumer was deregistered by which it reads.
  if (next_ == before && !ended_) read_later();
  owner_.read_some(next_ != before);
  go_on();
}

void ShardWorker::read_failed(const std::optional<Result>& result) {
  read_later();
  const auto* error = result ? std::get_if<Error>(&*result) : nullptr;
  if (error != nullptr && error->code == ErrorCode::KinesisResourceNotFound) owner_.shard_missing();
}

void ShardWorker::read_later() {
  read_timer_ = context_.set_timer(*this, context_.now + context_.limits.source_retry_delay, read_tag);
}

// ---- The checkpoint.

void ShardWorker::save() {
  ShardCheckpoint now = saved_;
  now.next = watermark_.first_open().value_or(next_);
  now.window = window_;
  if (now == saved_) return;
  saved_ = std::move(now);
  owner_.moved(saved_);
}

void ShardWorker::finish_if_done() {
  if (stopping_ || finished_ || !ended_ || window_) return;
  const bool is_done =
      std::ranges::all_of(lanes_, [](const Lane& lane) { return lane.batches.empty() && lane.waiting.empty(); });
  if (!is_done) return;
  finished_ = true;
  owner_.shard_finished(*this, std::move(children_));
}

}  // namespace penstock::core
