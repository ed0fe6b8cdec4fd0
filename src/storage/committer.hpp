// Group commit: every batch that waits when the disk is free becomes one write with one sync.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "penstock/histogram.hpp"
#include "penstock/store.hpp"
#include "storage/group_pacer.hpp"

namespace penstock::storage {

/// What a promise of durability means.
enum class Durability : std::uint8_t {
  fsync,  ///< batches marked `sync` are on the medium before they count as synced
  os,     ///< written to the kernel is enough: survives the process, not the machine
};

/// Where the log has got to. Positions count submitted batches from 1; 0 is "nothing".
struct CommitProgress {
  std::uint64_t written = 0;  ///< all batches up to this one are visible to reads and survive the process
  std::uint64_t synced = 0;   ///< all batches up to this one that asked for a sync have had it
};

/// What became of groups since the beginning, in ranges of their size and of how long they took.
inline constexpr std::array group_changes_bounds{1.0,   2.0,   5.0, 10.0, 20.0, 50.0, 100.0,
                                                 200.0, 500.0, 1e3, 2e3,  5e3,  1e4};
inline constexpr std::array group_bytes_bounds{256.0,    1024.0,    4096.0,    16384.0,   65536.0,
                                               262144.0, 1048576.0, 4194304.0, 16777216.0};
inline constexpr std::array commit_seconds_bounds{5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3,
                                                  5e-3, 1e-2, 2e-2, 5e-2, 0.1,  0.2,  0.5,  1.0,  5.0};
struct CommitTally {
  Histogram<group_changes_bounds> changes;
  Histogram<group_bytes_bounds> bytes;
  Histogram<commit_seconds_bounds> synced_seconds;    ///< of those that were written and synced
  Histogram<commit_seconds_bounds> unsynced_seconds;  ///< of those that were written only
};

/// A group that has grown to this is committed as it is; what comes after it forms the next.
inline constexpr std::size_t group_bytes_max = 16U << 20U;

/// What nobody asked to be synced is synced after this time at the latest, so that a loss of power costs no more of it.
inline constexpr std::chrono::milliseconds unsynced_time_max{1'000};

/// Owns one thread. A group is what came while the one before was synced; where syncs are slow, and some more is about
/// to come, it waits for that a moment (see GroupPacer).
class Committer {
 public:
  struct Callbacks {
    std::function<void()> on_progress;  ///< after each group, from the committing thread; must not block
    std::function<void(const StoreError&)>
        on_failure;  ///< once, from the committing thread; nothing is committed after
  };

  Committer(Store& store, Durability durability, Callbacks callbacks,
            std::chrono::milliseconds unsynced_max = unsynced_time_max);
  /// Commits what was submitted, then ends the thread.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Takes a batch for the next group and answers its position. Any thread. After a failure the batch is dropped: its
  /// position is never reached.
  std::uint64_t submit(WriteBatch&& batch, bool sync);

  /// If nothing is being committed or waits, commits the batch in the calling thread, without the two changes of thread
  /// that a group costs, and answers its position; otherwise leaves the batch alone and answers nothing. A lone client
  /// waits for the disk and nothing else in this way. progress() then includes it, without a callback; if the commit
  /// failed its position is never reached, and on_failure is called as ever.
  std::optional<std::uint64_t> commit_if_idle(WriteBatch& batch, bool sync);

  /// Any thread.
  CommitProgress progress() const;
  /// Any thread.
  CommitTally tally() const;

  /// Waits until everything submitted before is written and synced, whatever it asked for; false after a failure.
  bool flush();

 private:
  /// Batches that are committed together.
  struct Pending {
    WriteBatch batch;
    std::uint64_t last = 0;  ///< position of the newest batch inside
    bool sync = false;
  };

  bool wants_sync(bool asked) const;
  bool is_flushed(std::uint64_t target) const;
  void add_pending(WriteBatch&& batch, std::uint64_t position, bool sync);
  bool take_wake();
  void count(const WriteBatch& batch, bool synced, std::chrono::steady_clock::duration took);
  void finish_group(std::uint64_t last, bool synced, StoreError error);
  void gather(std::unique_lock<std::mutex>& lock);
  void sleep(std::unique_lock<std::mutex>& lock);
  bool is_overdue() const;
  void commit_pending(std::unique_lock<std::mutex>& lock);
  void report_failure(std::unique_lock<std::mutex>& lock);
  void run();

  Store& store_;
  const Durability durability_;
  const Callbacks callbacks_;
  const std::chrono::milliseconds unsynced_max_;

  mutable std::mutex mutex_;  // protects all below
  std::condition_variable work_;
  std::condition_variable done_;  // for callers of flush
  std::deque<Pending> pending_;
  CommitProgress progress_;
  CommitTally tally_;
  std::uint64_t submitted_ = 0;
  std::uint64_t on_medium_ = 0;  ///< all batches up to this one were synced, whether they asked for it or not
  std::size_t waiting_ = 0;      ///< callers of flush
  GroupPacer pacer_;
  std::size_t gather_until_ = 0;  ///< changes for which the committing thread pauses; 0 if it does not
  bool busy_ = false;             ///< a commit is under way, in either thread
  bool sleeping_ = false;         ///< the committing thread waits to be notified
  bool sleeps_long_ = false;      ///< and does so without regard to the time
  std::optional<std::chrono::steady_clock::time_point> unsynced_since_;  ///< when the oldest write without one was made
  bool failed_ = false;
  bool stopping_ = false;
  std::optional<StoreError> error_to_report_;  ///< for the committing thread to hand to on_failure

  std::thread thread_;
};

}  // namespace penstock::storage
