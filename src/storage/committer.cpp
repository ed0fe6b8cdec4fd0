#include "storage/committer.hpp"

#include <chrono>
#include <utility>

namespace penstock::storage {

Committer::Committer(Store& store, Durability durability, Callbacks callbacks, std::chrono::milliseconds unsynced_max)
    : store_(store),
      durability_(durability),
      callbacks_(std::move(callbacks)),
      unsynced_max_(unsynced_max),
      thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

std::uint64_t Committer::submit(WriteBatch&& batch, bool sync) {
  std::uint64_t position = 0;
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    position = ++submitted_;
    if (failed_) return position;
    add_pending(std::move(batch), position, sync);
    wake = take_wake();
  }
  if (wake) work_.notify_one();
  return position;
}

std::optional<std::uint64_t> Committer::commit_if_idle(WriteBatch& batch, bool sync) {
  std::uint64_t position = 0;
  {
    const std::lock_guard lock{mutex_};
    // What is overdue is synced by the thread that is there for it, with this batch.
    if (busy_ || failed_ || stopping_ || !pending_.empty() || (!sync && is_overdue())) return std::nullopt;
    busy_ = true;
    position = ++submitted_;
  }
  const bool with_sync = wants_sync(sync);
  const auto began = std::chrono::steady_clock::now();
  StoreError error = store_.commit(batch, with_sync);
  const auto took = std::chrono::steady_clock::now() - began;
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    count(batch, with_sync, took);
    finish_group(position, with_sync, std::move(error));
    wake = take_wake();
  }
  if (wake) work_.notify_one();
  return position;
}

CommitProgress Committer::progress() const {
  const std::lock_guard lock{mutex_};
  return progress_;
}

CommitTally Committer::tally() const {
  const std::lock_guard lock{mutex_};
  return tally_;
}

bool Committer::flush() {
  std::unique_lock lock{mutex_};
  if (failed_) return false;
  const std::uint64_t target = submitted_;
  if (durability_ == Durability::fsync && on_medium_ < target) {
    // An empty batch at a position that was given before: a group with nothing to write, only to sync.
    add_pending({}, target, true);
    if (take_wake()) work_.notify_one();
  }
  ++waiting_;
  done_.wait(lock, [&] { return failed_ || is_flushed(target); });
  --waiting_;
  return is_flushed(target);
}

bool Committer::wants_sync(bool asked) const { return asked && durability_ == Durability::fsync; }

bool Committer::is_flushed(std::uint64_t target) const {
  return durability_ == Durability::fsync ? on_medium_ >= target : progress_.written >= target;
}

/// REQUIRES: the lock is held.
void Committer::add_pending(WriteBatch&& batch, std::uint64_t position, bool sync) {
  if (pending_.empty() || pending_.back().batch.size_bytes() >= group_bytes_max) {
    pending_.push_back({std::move(batch), position, sync});
    return;
  }
  Pending& group = pending_.back();
  group.batch.append(batch);
  group.last = position;
  group.sync = group.sync || sync;
}

/// Whether the committing thread is to be notified, which the caller then does; a thread at work looks by itself, and
/// one that another thread's commit keeps waiting is woken by that one. REQUIRES: the lock is held.
bool Committer::take_wake() {
  if (gather_until_ > 0) {
    if (pending_.front().batch.count() < gather_until_) return false;
    gather_until_ = 0;
    return true;
  }
  const bool something = !pending_.empty() || error_to_report_ || (sleeps_long_ && unsynced_since_);
  if (!sleeping_ || busy_ || !something) return false;
  sleeping_ = false;
  return true;
}

/// REQUIRES: the lock is held.
void Committer::count(const WriteBatch& batch, bool synced, std::chrono::steady_clock::duration took) {
  tally_.changes.observe(static_cast<double>(batch.count()));
  tally_.bytes.observe(static_cast<double>(batch.size_bytes()));
  (synced ? tally_.synced_seconds : tally_.unsynced_seconds).observe(std::chrono::duration<double>(took).count());
}

/// Takes over what came of a group. REQUIRES: the lock is held, and this thread has set busy_.
void Committer::finish_group(std::uint64_t last, bool synced, StoreError error) {
  busy_ = false;
  if (error) {
    failed_ = true;
    unsynced_since_.reset();
    pending_.clear();
    error_to_report_ = std::move(error);
  } else {
    // A group is synced as a whole if any of its batches asked for it, so that nothing that asked is left behind.
    progress_ = {last, last};
    if (synced) {
      on_medium_ = last;
      unsynced_since_.reset();
    } else if (durability_ == Durability::fsync && !unsynced_since_) {
      unsynced_since_ = std::chrono::steady_clock::now();
    }
  }
  if (waiting_ > 0) done_.notify_all();
}

/// Lets the oldest group grow if that is worth it. REQUIRES: the lock is held and there is one.
void Committer::gather(std::unique_lock<std::mutex>& lock) {
  if (!wants_sync(pending_.front().sync) || stopping_ || waiting_ > 0) return;
  const auto pause = pacer_.pause(pending_.front().batch.count());
  if (!pause) return;
  gather_until_ = pause->until_changes;
  work_.wait_for(lock, pause->at_most, [this] { return gather_until_ == 0 || stopping_ || waiting_ > 0; });
  pacer_.paused(gather_until_ == 0);
  gather_until_ = 0;
}

/// Commits the oldest group. REQUIRES: the lock is held and there is one; it is released meanwhile.
void Committer::commit_pending(std::unique_lock<std::mutex>& lock) {
  Pending group = std::move(pending_.front());
  pending_.pop_front();
  // Where groups follow each other without a pause, one that asked for no sync has to make it.
  const bool with_sync = wants_sync(group.sync || is_overdue());
  busy_ = true;
  lock.unlock();
  const auto began = std::chrono::steady_clock::now();
  StoreError error;
  if (!group.batch.empty()) {
    error = store_.commit(group.batch, with_sync);
  } else if (with_sync) {
    error = store_.sync();
  }
  const auto took = std::chrono::steady_clock::now() - began;
  const bool failed = static_cast<bool>(error);
  lock.lock();
  count(group.batch, with_sync, took);
  if (with_sync) pacer_.finished(group.batch.count(), took);
  finish_group(group.last, with_sync, std::move(error));
  if (failed || !callbacks_.on_progress) return;
  lock.unlock();
  callbacks_.on_progress();
  lock.lock();
}

void Committer::report_failure(std::unique_lock<std::mutex>& lock) {
  const StoreError error = std::move(*error_to_report_);
  error_to_report_.reset();
  if (!callbacks_.on_failure) return;
  lock.unlock();
  callbacks_.on_failure(error);
  lock.lock();
}

void Committer::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    if (error_to_report_) {
      report_failure(lock);
    } else if (!pending_.empty() && !busy_) {
      gather(lock);
      commit_pending(lock);
    } else if (stopping_ && !busy_) {
      return;
    } else if (is_overdue() && !busy_) {
      // An empty batch at a position that was given before: nothing to write, only to sync.
      add_pending({}, submitted_, true);
    } else {
      sleep(lock);
    }
  }
}

/// REQUIRES: the lock is held.
bool Committer::is_overdue() const {
  return unsynced_since_ && std::chrono::steady_clock::now() - *unsynced_since_ >= unsynced_max_;
}

/// Waits for something to do. REQUIRES: the lock is held; it is released meanwhile.
void Committer::sleep(std::unique_lock<std::mutex>& lock) {
  sleeping_ = true;
  // Another thread's commit wakes this one when it is over.
  sleeps_long_ = !unsynced_since_ || busy_;
  // Whoever takes the wake clears `sleeping_`, so that of many who submit only one pays for the notification.
  const auto is_woken = [this] { return !sleeping_ || (stopping_ && !busy_); };
  if (sleeps_long_) {
    work_.wait(lock, is_woken);
  } else {
    work_.wait_until(lock, *unsynced_since_ + unsynced_max_, is_woken);
  }
  sleeping_ = sleeps_long_ = false;
}

}  // namespace penstock::storage
