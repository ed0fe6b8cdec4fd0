// What an engine's effects wait for: that what they observed is written, and durable where it has to be. The rule is
// the same for a shard's engine and for the triggers'.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "storage/committer.hpp"

namespace penstock::server {

/// Effects in the order in which they came about, each of which is released once the log is where it was then. Lives in
/// one thread, but for wake().
template <class Held>
class CommitQueue {
 public:
  /// What is handed in must outlive it, but for what is posted to a context that runs no more. `release` may hold more.
  CommitQueue(boost::asio::io_context& context, storage::Committer& committer, std::function<void(Held)> release)
      : context_(context), committer_(committer), release_(std::move(release)) {}

  /// A batch has this position in the log. What is held from now on waits for it.
  void submitted(std::uint64_t position, bool sync) {
    written_ = position;
    if (sync) synced_ = position;
  }

  /// Releases at once what has nothing to wait for.
  void hold(Held held) {
    waiting_.store(true, std::memory_order_relaxed);
    entries_.push_back(Entry{written_, synced_, std::move(held)});
    release();
  }

  bool empty() const { return entries_.empty(); }
  /// Whether it is being called from within `release`.
  bool is_releasing() const { return releasing_; }
  template <class Predicate>
  bool any_of(const Predicate& predicate) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return predicate(entry.held); });
  }

  /// The committer has got further. Any thread.
  void wake() {
    if (!waiting_.load(std::memory_order_relaxed)) return;
    if (woken_.exchange(true)) return;
    boost::asio::post(context_, [this] {
      woken_ = false;
      release();
    });
  }

 private:
  struct Entry {
    std::uint64_t written = 0;  // positions of the log that have to be reached
    std::uint64_t synced = 0;
    Held held;
  };

  void release() {
    // What is released may hold the next and get here again.
    if (std::exchange(releasing_, true)) return;
    while (!entries_.empty()) {
      const storage::CommitProgress progress = committer_.progress();
      const Entry& first = entries_.front();
      if (progress.written < first.written || progress.synced < first.synced) break;
      Held ready = std::move(entries_.front().held);
      entries_.pop_front();
      if (entries_.empty()) waiting_.store(false, std::memory_order_relaxed);
      release_(std::move(ready));
    }
    releasing_ = false;
  }

  boost::asio::io_context& context_;
  storage::Committer& committer_;
  const std::function<void(Held)> release_;
  std::deque<Entry> entries_;
  std::uint64_t written_ = 0;  // position of the latest batch
  std::uint64_t synced_ = 0;   // and of the latest that asked for a sync
  bool releasing_ = false;
  std::atomic<bool> woken_{false};
  std::atomic<bool> waiting_{false};
};

}  // namespace penstock::server
