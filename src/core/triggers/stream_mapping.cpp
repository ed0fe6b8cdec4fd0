#include "core/triggers/stream_mapping.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "penstock/stream_names.hpp"

namespace penstock::core {
namespace {

/// Of one question; streams may have more.
constexpr std::size_t shards_listed_max = 1'000;

/// Whether that says that there is a consumer, which stays.
bool is_consumer(const std::optional<Result>& result) {
  const auto* described = result ? std::get_if<ConsumerDescription>(&*result) : nullptr;
  return described != nullptr && described->consumer.status != StreamStatus::deleting;
}

const Error* error_in(const std::optional<Result>& result) { return result ? std::get_if<Error>(&*result) : nullptr; }

}  // namespace

std::unique_ptr<Mapping> make_stream_mapping(TriggerContext& context, MappingOwner& owner, MappingRecord record,
                                             std::vector<ShardCheckpoint> checkpoints) {
  return std::make_unique<StreamMapping>(context, owner, std::move(record), std::move(checkpoints));
}

StreamMapping::StreamMapping(TriggerContext& context, MappingOwner& owner, MappingRecord record,
                             std::vector<ShardCheckpoint> checkpoints)
    : Mapping(context, owner, std::move(record)) {
  for (ShardCheckpoint& checkpoint : checkpoints) {
    // They are all of one incarnation: those of the one before go in the commit that brings the first of the next.
    id_ = checkpoint.stream;
    checkpoints_.emplace(checkpoint.shard, std::move(checkpoint));
  }
}

StreamMapping::~StreamMapping() { ask_no_more(); }

// ---- Starting and stopping.

void StreamMapping::start() {
  workers_.clear();
  leaving_.clear();
  over_.clear();
  stopping_ = told_started_ = list_again_ = false;
  is_running_ = true;
  // Whoever enables it again has not waited in vain.
  list_failures_ = 0;
  // Where it goes on is durable already, whether the stream answers or not.
  if (!checkpoints_.empty()) started();
  list();
}

void StreamMapping::started() {
  if (!std::exchange(told_started_, true)) owner_.mapping_started(*this);
}

void StreamMapping::stop() {
  stopping_ = true;
  ask_no_more();
  for (const auto& [shard, worker] : workers_) worker->stop();
  tell_if_quiet();
}

void StreamMapping::ask_no_more() {
  lists_ = false;
  for (std::optional<AskId>* asked : {&asks_consumer_, &checks_consumer_, &asks_list_, &asks_summary_}) {
    if (*asked) context_.cancel(*std::exchange(*asked, {}));
  }
  for (const auto& [asked, shard] : std::exchange(asks_positions_, {})) context_.cancel(asked);
  positions_.clear();
  if (timer_) context_.drop_timer(*std::exchange(timer_, {}));
}

// What a worker does then may end it, and changes which there are.
void StreamMapping::function_changed() {
  std::vector<ShardWorker*> workers;
  for (const auto& [shard, worker] : workers_) workers.push_back(worker.get());
  for (ShardWorker* worker : workers) worker->function_changed();
}

/// Their invocations cannot be called back, and no others begin beside them: of a key's records one is processed at a
/// time, also where its stream or consumer has gone and come again.
void StreamMapping::let_workers_go() {
  for (auto& [shard, worker] : workers_) {
    worker->stop();
    if (!worker->is_quiet()) leaving_.push_back(std::move(worker));
  }
  workers_.clear();
}

void StreamMapping::shard_quiet() {
  if (!leaving_.empty() && std::ranges::all_of(leaving_, [](const auto& worker) { return worker->is_quiet(); })) {
    std::ranges::move(leaving_, std::back_inserter(over_));
    leaving_.clear();
    // Where it is not known which shards there are, they begin when it is.
    if (!stopping_ && !lists_ && !timer_) begin_shards();
  }
  tell_if_quiet();
}

std::string StreamMapping::busy() const {
  if (!told_started_) return "it is being started";
  // Of a stream that is gone there is nothing to process.
  if (lists_ || list_again_ || asks_consumer_) return list_failures_ > 0 ? "" : "it looks which shards there are";
  const auto lags = [](const auto& entry) { return !entry.second->is_caught_up(); };
  if (!leaving_.empty() || std::ranges::any_of(workers_, lags)) return "it has records to process";
  return {};
}

void StreamMapping::tell_if_quiet() {
  if (!stopping_ || !leaving_.empty()) return;
  const bool is_quiet = std::ranges::all_of(workers_, [](const auto& entry) { return entry.second->is_quiet(); });
  if (is_quiet && std::exchange(is_running_, false)) owner_.mapping_stopped(*this);
}

// ---- Which shards there are.

void StreamMapping::answered(Answered answer) {
  over_.clear();
  if (asks_consumer_ == answer.id) {
    asks_consumer_.reset();
    consumer_described(answer.result);
  } else if (checks_consumer_ == answer.id) {
    checks_consumer_.reset();
    if (is_consumer(answer.result)) {
      consumer_seen_ = context_.now;
    } else {
      list();
    }
  } else if (asks_list_ == answer.id) {
    asks_list_.reset();
    page_listed(answer.result);
  } else if (asks_summary_ == answer.id) {
    asks_summary_.reset();
    const auto* summary = answer.result ? std::get_if<StreamSummary>(&*answer.result) : nullptr;
    if (summary != nullptr) retention_ = std::chrono::hours(summary->info.retention_hours);
  } else if (const auto asked = asks_positions_.find(answer.id); asked != asks_positions_.end()) {
    const ShardIndex shard = asked->second;
    asks_positions_.erase(asked);
    position_found(shard, answer.result);
  }
}

void StreamMapping::due(std::uint64_t) {
  timer_.reset();
  list();
}

void StreamMapping::list() {
  if (stopping_ || context_.draining || timer_) return;
  if (std::exchange(lists_, true)) {
    list_again_ = true;
    return;
  }
  list_again_ = false;
  listing_.clear();
  const std::optional<ConsumerRef>& consumer = record().consumer;
  if (!consumer) return list_page({});
  asks_consumer_ = context_.ask(*this, StreamCommand(DescribeConsumer{stream(), consumer->name, consumer->created_s}));
}

/// A consumer reads what its stream has, at no rate of its own here; only whether there is one is asked.
void StreamMapping::consumer_described(const std::optional<Result>& result) {
  if (!is_consumer(result)) {
    const bool is_leaving = result && std::holds_alternative<ConsumerDescription>(*result);
    if (!is_leaving) return list_failed(result);
    return list_failed(Error{ErrorCode::KinesisResourceNotFound, "The consumer is being deregistered."});
  }
  consumer_seen_ = context_.now;
  list_page({});
}

void StreamMapping::list_page(const std::string& after) {
  ListShards command;
  command.stream = stream();
  if (!after.empty()) command.id = listing_id_;
  command.after_shard_id = after;
  command.limit = shards_listed_max;
  asks_list_ = context_.ask(*this, StreamCommand(std::move(command)));
}

void StreamMapping::page_listed(const std::optional<Result>& result) {
  const auto* page = result ? std::get_if<ShardList>(&*result) : nullptr;
  if (page == nullptr) return list_failed(result);
  listing_id_ = page->id;
  for (const ShardRecord& shard : page->shards) listing_.emplace(shard.index, shard);
  if (page->more && !page->shards.empty()) return list_page(format_shard_id(page->shards.back().index));
  listed();
}

/// The stream may be created again, or become ACTIVE: it is asked for as long as the mapping is enabled.
void StreamMapping::list_failed(const std::optional<Result>& result) {
  lists_ = false;
  asks_positions_.clear();
  positions_.clear();
  const Error* error = error_in(result);
  if (error != nullptr && !error->message.empty()) set_last_result(problem(error->message));
  // What they have read of it is gone with it.
  if (error != nullptr && error->code == ErrorCode::KinesisResourceNotFound) let_workers_go();
  const TriggerLimits& limits = context_.limits;
  const Millis delay = backed_off(limits.source_retry_delay, list_failures_++, limits.source_retry_delay_max);
  timer_ = context_.set_timer(*this, context_.now + delay, 0);
}

void StreamMapping::listed() {
  list_failures_ = 0;
  shards_ = std::exchange(listing_, {});
  const bool is_new = checkpoints_.empty();
  abandon_other_incarnation();
  if (is_new) return begin_new();
  if (checkpoints_.empty()) {
    // The stream was deleted and created again. What is in it now has all come after what the mapping was to begin
    // with.
    for (const ShardRecord& shard : roots_of(shards_)) begin_at(shard.index, first_record, {});
  }
  see_to_missing();
  started();
  begin_shards();
}

/// Checkpoints of another incarnation of the stream count for nothing.
void StreamMapping::abandon_other_incarnation() {
  if (id_ == listing_id_) return;
  for (const auto& [shard, checkpoint] : checkpoints_) {
    context_.promise(DropCheckpoint{record().uuid, checkpoint.stream, shard});
  }
  checkpoints_.clear();
  let_workers_go();
  retention_.reset();
  id_ = listing_id_;
}

// ---- Where to begin.

/// For the first time. LATEST is where the open shards end now; the others begin with the oldest shards, and come to
/// their children.
void StreamMapping::begin_new() {
  if (config().start != IteratorType::trim_horizon) return ask_positions(config().start);
  for (const ShardRecord& shard : roots_of(shards_)) begin_at(shard.index, first_record, {});
  started();
  begin_shards();
}

void StreamMapping::ask_positions(IteratorType type) {
  const auto ask = [&](const ShardRecord& shard) {
    GetShardIterator where;
    where.stream = stream();
    where.shard_id = format_shard_id(shard.index);
    where.start = StartingPosition{type, {}, config().start_timestamp};
    asks_positions_.emplace(context_.ask(*this, StreamCommand(std::move(where))), shard.index);
  };
  if (type == IteratorType::latest) {
    for (const auto& [index, shard] : shards_) {
      if (!shard.closed) ask(shard);
    }
  } else {
    for (const ShardRecord& shard : roots_of(shards_)) ask(shard);
  }
}

/// Nothing is put down before all positions are known, so that no start knows some of the shards only.
void StreamMapping::position_found(ShardIndex shard, const std::optional<Result>& result) {
  const auto* position = result ? std::get_if<ShardPosition>(&*result) : nullptr;
  if (position == nullptr || position->id != id_) {
    for (const auto& [asked, other] : std::exchange(asks_positions_, {})) context_.cancel(asked);
    return list_failed(position == nullptr ? result : std::nullopt);
  }
  positions_.emplace(shard, *position);
  if (!asks_positions_.empty()) return;
  for (const auto& [index, found] : std::exchange(positions_, {})) begin_at(index, found.from, found.not_before);
  started();
  begin_shards();
}

void StreamMapping::begin_at(ShardIndex shard, RecordIndex next, Instant not_before) {
  ShardCheckpoint checkpoint;
  checkpoint.stream = *id_;
  checkpoint.shard = shard;
  checkpoint.next = next;
  checkpoint.not_before = not_before;
  context_.promise(PutCheckpoint{record().uuid, checkpoint});
  checkpoints_.insert_or_assign(shard, std::move(checkpoint));
}

// ---- Which are read.

/// Shards that have been trimmed away are finished: what they had has expired.
void StreamMapping::see_to_missing() {
  const ShardCheckpoints before = checkpoints_;
  for (const auto& [index, checkpoint] : before) {
    if (shards_.contains(index) && !checkpoint.finished) continue;
    std::vector<ShardRecord> heirs = heirs_of(index, shards_, checkpoints_);
    if (const auto worker = workers_.find(index); worker != workers_.end()) {
      worker->second->shard_gone(std::move(heirs));
    } else if (!checkpoint.finished || !heirs.empty()) {
      pass_on(checkpoint, heirs);
    }
  }
}

/// A shard is finished. Its checkpoint goes when its children have theirs; where none is known yet, it stays until one
/// is, as the only thing that says that they are to be read.
void StreamMapping::pass_on(const ShardCheckpoint& finished, const std::vector<ShardRecord>& children) {
  for (const ShardRecord& child : children) {
    shards_.emplace(child.index, child);
    // An answer that is on its way may be older than the child, which has not gone for that.
    if (lists_) listing_.emplace(child.index, child);
    if (!checkpoints_.contains(child.index)) begin_at(child.index, first_record, finished.not_before);
  }
  if (!children.empty()) {
    context_.note(DropCheckpoint{record().uuid, finished.stream, finished.shard});
    checkpoints_.erase(finished.shard);
    return;
  }
  ShardCheckpoint& kept = checkpoints_.at(finished.shard);
  if (kept.finished) return;
  kept.finished = true;
  kept.window.reset();
  context_.note(PutCheckpoint{record().uuid, kept});
}

/// Of a lineage that has grown since it was asked for, a part may be missing that a shard has to wait for: it is asked
/// for again first.
void StreamMapping::begin_shards() {
  lists_ = false;
  if (list_again_) return list();
  if (!leaving_.empty() || context_.draining) return;
  std::vector<ShardWorker*> begun;
  for (const auto& [index, checkpoint] : checkpoints_) {
    const auto shard = shards_.find(index);
    if (checkpoint.finished || workers_.contains(index) || shard == shards_.end()) continue;
    if (is_blocked(shard->second, shards_, checkpoints_)) continue;
    auto worker = std::make_unique<ShardWorker>(context_, *this, checkpoint);
    begun.push_back(worker.get());
    workers_.emplace(index, std::move(worker));
  }
  for (ShardWorker* worker : begun) worker->start();
}

// ---- What workers tell.

/// One that leaves may be of another incarnation, or of a shard that has been passed over since.
void StreamMapping::moved(const ShardCheckpoint& checkpoint) {
  const auto known = checkpoints_.find(checkpoint.shard);
  if (known == checkpoints_.end() || known->second.stream != checkpoint.stream || known->second.finished) return;
  known->second = checkpoint;
  context_.note(PutCheckpoint{record().uuid, checkpoint});
}

void StreamMapping::trying_again() {
  if (stopping_ || asks_summary_) return;
  asks_summary_ = context_.ask(*this, StreamCommand(DescribeStreamSummary{stream()}));
}

/// A read that waits ends when its consumer is deregistered; one that finds records each time does not wait.
void StreamMapping::read_some(bool has_more) {
  if (!record().consumer || stopping_ || checks_consumer_ || lists_ || timer_) return;
  if (has_more && context_.now - consumer_seen_ < consumer_life) return;
  const ConsumerRef& consumer = *record().consumer;
  checks_consumer_ = context_.ask(*this, StreamCommand(DescribeConsumer{stream(), consumer.name, consumer.created_s}));
}

void StreamMapping::shard_missing() { list(); }

void StreamMapping::shard_finished(ShardWorker& worker, std::vector<ShardRecord> children) {
  const ShardIndex shard = worker.checkpoint().shard;
  const auto found = workers_.find(shard);
  over_.push_back(std::move(found->second));
  workers_.erase(found);
  pass_on(checkpoints_.at(shard), children);
  // Whether a child has to wait for its other parent is known when the lineage is.
  list();
}

}  // namespace penstock::core
