// The batches of a shard: how they are put together, invoked with, tried again, split, and given up.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/triggers/destinations.hpp"
#include "core/triggers/event_size.hpp"
#include "core/triggers/mapping.hpp"
#include "core/triggers/shard_worker.hpp"
#include "core/uuid.hpp"
#include "penstock/queue_names.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::core {
namespace {

/// Tries of an account of failure that its destination will not have. The service drops such a one, rather than let a
/// queue that was deleted hold up the shard; a few tries are for a queue that is being created.
constexpr int reports_max = 5;

std::uint64_t MappingTally::*tallied(const Judgement& judgement) {
  if (judgement.verdict == Verdict::unreached) return &MappingTally::not_run;
  if (judgement.verdict == Verdict::done) return &MappingTally::succeeded;
  return judgement.succeeded > 0 ? &MappingTally::partial : &MappingTally::failed;
}

}  // namespace

// ---- Putting together.

/// Lets a lane go on until it has to wait for something.
void ShardWorker::drive(Lane& lane) {
  while (!stopping_ && !finished_ && lane.phase == Phase::idle) {
    if (lane.batches.empty() && !form(lane)) return;
    if (has_windows()) see_to_window(lane);
    if (lane.batches.front().condition.empty()) set_aside_old(lane);
    if (lane.batches.front().condition.empty()) {
      begin(lane);
    } else {
      dispose(lane);
    }
  }
}

/// Makes the next batch out of what waits. False: it is not time.
bool ShardWorker::form(Lane& lane) {
  if (lane.timer) context_.drop_timer(*std::exchange(lane.timer, {}));
  widen_if_windowless();
  if (is_narrow_ && lane.number != 0) return false;
  if (has_windows()) return form_in_window(lane);
  if (lane.waiting.empty()) return false;
  const Cut cut = cut_of(lane, context_.limits.batch_bytes_max, std::nullopt);
  // Where no more is read ahead, waiting brings it no more either.
  if (!cut.is_full && !ended_ && !is_read_ahead_full() && window_is_open(lane)) return false;
  take_out(lane, cut.count, false);
  return true;
}

/// Whether the batching window of what waits is not over; then a timer is set for its end.
bool ShardWorker::window_is_open(Lane& lane) {
  const Instant end = lane.waiting.front().read + std::chrono::seconds(config().window_seconds);
  if (end <= context_.now) return false;
  lane.timer = context_.set_timer(*this, end, lane.number);
  return true;
}

/// The records at the front that one batch may take, of those that arrived before `until`. One that is too large by
/// itself goes alone.
ShardWorker::Cut ShardWorker::cut_of(const Lane& lane, std::size_t bytes_max, std::optional<Instant> until) const {
  Cut cut;
  std::size_t bytes = 0;
  const auto count_max = static_cast<std::size_t>(config().batch_size);
  for (const Waiting& waiting : lane.waiting) {
    if (until && waiting.item.arrived >= *until) break;
    const std::size_t with_it = event_bytes(cut.count + 1, bytes + waiting.item.bytes());
    cut.is_full = cut.count == count_max || (cut.count > 0 && with_it > bytes_max);
    if (cut.is_full) break;
    bytes += waiting.item.bytes();
    ++cut.count;
  }
  cut.is_full = cut.is_full || cut.count == count_max || event_bytes(cut.count, bytes) >= bytes_max;
  return cut;
}

void ShardWorker::take_out(Lane& lane, std::size_t count, bool is_final) {
  StreamBatch batch;
  batch.is_final = is_final;
  batch.items.reserve(count);
  for (; count > 0; --count) {
    lane.waiting_bytes -= lane.waiting.front().item.bytes();
    batch.items.push_back(std::move(lane.waiting.front().item));
    lane.waiting.pop_front();
  }
  lane.batches.push_back(std::move(batch));
}

// ---- Invoking.

void ShardWorker::begin(Lane& lane) {
  StreamBatch& batch = lane.batches.front();
  const std::shared_ptr<const MappingRecord>& mapping = owner_.mapping();
  BatchEvent event{mapping, {}, {}};
  event.records.reserve(batch.items.size());
  for (const SourceItem& item : batch.items) event.records.push_back(item.event);
  batch.in_window = window_.has_value();
  if (batch.in_window) event.window = window_event(batch);
  std::string request_id = make_uuid(context_.entropy);
  const auto begun =
      context_.begin(*this, InvocationStart{mapping->function, mapping->function_arn, std::move(event), request_id});
  if (const auto* id = std::get_if<InvocationId>(&begun)) {
    batch.request_id = std::move(request_id);
    lane.invocation = *id;
    lane.phase = Phase::running;
    first_lane_ = (lane.number + 1) % lanes_.size();
  } else if (std::get<NoInvocation>(begun) == NoInvocation::no_slot) {
    lane.phase = Phase::refused;
    awaits_slot_ = true;
  } else {
    // It may be registered again, and until then nothing is lost.
    owner_.processed(call_failed);
    wait_to_try_again(lane, retry_delay(context_.limits, batch.in_vain++));
    lane.misses_function = true;
  }
}

void ShardWorker::pause(Lane& lane, Millis delay) {
  lane.phase = Phase::pausing;
  lane.timer = context_.set_timer(*this, context_.now + delay, lane.number);
}

void ShardWorker::wait_to_try_again(Lane& lane, Millis delay) {
  if (stopping_) return;
  owner_.trying_again();
  pause(lane, delay);
}

void ShardWorker::invocation_over(InvocationOver over) {
  const auto found = std::ranges::find_if(
      lanes_, [&over](const Lane& lane) { return lane.phase == Phase::running && lane.invocation == over.id; });
  if (found == lanes_.end()) return;
  Lane& lane = *found;
  lane.phase = Phase::idle;
  StreamBatch& batch = lane.batches.front();
  const Judgement judgement = judge(config(), batch, over);
  batch.function_error = over.outcome.function_error;
  const bool has_answer = over.outcome.status == RunOutcome::Status::answered;
  if (over.outcome.status == RunOutcome::Status::failed) batch.function_error = "Unhandled";
  if (!has_answer && !over.outcome.message.empty()) {
    owner_.processed(problem(over.outcome.message));
  } else if (judgement.malformed) {
    owner_.processed(answer_malformed);
  } else {
    owner_.processed(over.outcome.succeeded() ? processed_ok : call_failed);
  }
  // The state goes with the records that are done: what they were for is in it, and in nothing else.
  owner_.ended(tallied(judgement));
  const bool progress = judgement.verdict == Verdict::done || judgement.succeeded > 0;
  if (progress && window_ && over.batch && over.batch->state) window_->state = std::move(*over.batch->state);
  if (progress) batch.in_vain = 0;
  ended_with(lane, judgement);
  went_on(lane);
}

void ShardWorker::ended_with(Lane& lane, const Judgement& judgement) {
  StreamBatch& batch = lane.batches.front();
  settle(lane, judgement.succeeded);
  switch (judgement.verdict) {
    case Verdict::done:
      done_with(lane);
      break;
    case Verdict::split:
      if (judgement.split_at > 0) split(lane, judgement.split_at);
      break;
    case Verdict::again:
      ++batch.failures;
      [[fallthrough]];
    case Verdict::unreached:
      wait_to_try_again(lane, retry_delay(context_.limits, batch.in_vain++));
      break;
    case Verdict::given_up:
      ++batch.failures;
      batch.condition = retries_exhausted;
      break;
  }
}

/// The first `count` records of the batch that is seen to are done.
void ShardWorker::settle(Lane& lane, std::size_t count) {
  std::vector<SourceItem>& items = lane.batches.front().items;
  const auto end = items.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto it = items.begin(); it != end; ++it) {
    watermark_.done(it->index);
    bytes_ -= it->bytes();
  }
  items.erase(items.begin(), end);
}

/// With all of it, in whatever way.
void ShardWorker::done_with(Lane& lane) {
  StreamBatch& batch = lane.batches.front();
  settle(lane, batch.items.size());
  if (batch.is_final) close_window();
  lane.batches.pop_front();
}

void ShardWorker::split(Lane& lane, std::size_t at) {
  StreamBatch& front = lane.batches.front();
  StreamBatch rest;
  const auto middle = front.items.begin() + static_cast<std::ptrdiff_t>(at);
  rest.items.assign(std::make_move_iterator(middle), std::make_move_iterator(front.items.end()));
  front.items.erase(middle, front.items.end());
  rest.is_final = std::exchange(front.is_final, false);
  rest.failures = front.failures;
  lane.batches.insert(lane.batches.begin() + 1, std::move(rest));
}

/// Something of the lane is over: whatever that makes possible is done.
void ShardWorker::went_on(Lane& lane) {
  save();
  if (stopping_) {
    if (is_quiet()) owner_.shard_quiet();
    return;
  }
  const bool was_narrow = is_narrow_;
  drive(lane);
  if (was_narrow && !is_narrow_) drive_all();
  // Disposing of what is given up may have moved it again.
  save();
  read_on();
  finish_if_done();
}

// ---- Giving up.

/// How old a record may be at a try of it: what the mapping says, and what its stream keeps.
std::optional<Millis> ShardWorker::age_max() const {
  const int seconds = config().record_age_seconds_max;
  const std::optional<Millis> retention = owner_.retention();
  if (seconds < 0) return retention;
  const Millis age = std::chrono::seconds(seconds);
  return retention ? std::min(age, *retention) : age;
}

/// Records that are too old are discarded before a try, and the others of their batch go on.
void ShardWorker::set_aside_old(Lane& lane) {
  const auto age = age_max();
  if (!age) return;
  StreamBatch& batch = lane.batches.front();
  const auto is_old = [&](Instant arrived) { return context_.now - arrived > *age; };
  const auto young = std::ranges::find_if_not(batch.items, is_old, &SourceItem::arrived);
  const auto old = static_cast<std::size_t>(young - batch.items.begin());
  if (old > 0 && (old < batch.items.size() || batch.is_final)) split(lane, old);
  // A window's end without records is none: it is always tried, and as old as the window where that was in vain.
  const bool is_end = batch.items.empty() && batch.is_final;
  const bool is_stale_end = is_end && batch.failures > 0 && is_old(window_end());
  if (old > 0 || is_stale_end) lane.batches.front().condition = record_age_exceeded;
}

/// Gets rid of the batch at the front, which is given up. Its checkpoint moves only when its destination, if there is
/// one, has the account of it.
void ShardWorker::dispose(Lane& lane) {
  const StreamBatch& batch = lane.batches.front();
  const std::string& arn = config().on_failure;
  const auto queue = arn.empty() ? std::nullopt : split_arn(arn);
  if (!queue) return done_with(lane);
  lane.report = context_.report(*this, *queue, failure_of(batch));
  lane.phase = Phase::reporting;
}

BatchFailure ShardWorker::failure_of(const StreamBatch& batch) const {
  BatchFailure failure;
  FailedInvocation& invocation = failure.invocation;
  invocation.request_id = batch.request_id.empty() ? make_uuid(context_.entropy) : batch.request_id;
  invocation.function_arn = owner_.mapping()->function_arn;
  invocation.condition = batch.condition;
  invocation.invoke_count = batch.failures;
  invocation.responded = batch.condition == retries_exhausted;
  if (invocation.responded) invocation.function_error = batch.function_error;
  failure.stream = owner_.stream();
  failure.shard_id = format_shard_id(saved_.shard);
  failure.batch_size = batch.items.size();
  failure.at = context_.now;
  if (!batch.items.empty()) {
    failure.first_sequence_number = batch.items.front().id;
    failure.last_sequence_number = batch.items.back().id;
    failure.first_arrived = batch.items.front().arrived;
    failure.last_arrived = batch.items.back().arrived;
  } else if (window_) {
    // The end of a window that had no more records: what is lost is its state.
    failure.first_arrived = window_->start;
    failure.last_arrived = window_end();
  }
  return failure;
}

void ShardWorker::reported(Lane& lane, const std::optional<Result>& result) {
  lane.phase = Phase::idle;
  const Taken how = taken(result);
  if (how == Taken::refused) ++lane.refusals;
  if (lane.refusals == reports_max) warn_of_lost_report(lane.batches.front(), result);
  if (how == Taken::accepted || lane.refusals == reports_max) {
    lane.reports = lane.refusals = 0;
    done_with(lane);
  } else if (!stopping_) {
    pause(lane, retry_delay(context_.limits, lane.reports++));
  }
  went_on(lane);
}

// Nobody else will ever say what was in it.
void ShardWorker::warn_of_lost_report(const StreamBatch& batch, const std::optional<Result>& result) {
  const BatchFailure lost = failure_of(batch);
  const Error* error = refusal_in(result);
  std::string warning = "The on-failure destination " + config().on_failure + " does not take the account of a batch";
  if (error != nullptr && !error->message.empty()) warning += " (" + error->message + ")";
  owner_.processed(problem(warning));
  warning.append(": ").append(lost.invocation.condition).append(", ").append(std::to_string(lost.batch_size));
  warning.append(" records of ").append(arn_of(lost.stream)).append(" ").append(lost.shard_id).append(" from ");
  warning.append(lost.first_sequence_number).append(" to ").append(lost.last_sequence_number);
  context_.effects.warnings.push_back("event source mapping " + owner_.mapping()->uuid + ": " + warning);
}

}  // namespace penstock::core
