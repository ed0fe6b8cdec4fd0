// What a shard does between its engine and its store: mutations are written in the order in which they came, several
// turns' at a time, and what was decided is let out once all that it could have seen is written.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "penstock/engine.hpp"
#include "penstock/store.hpp"
#include "storage/records.hpp"
#include "support/random.hpp"

namespace penstock::sim {

/// What one turn of the engine decided, but for the mutations.
struct Release {
  std::uint64_t turn = 0;     ///< counts from 1, also over crashes
  std::uint64_t written = 0;  ///< the position of the log that has to be reached
  std::vector<Reply> replies;
  Instant decided_at{};
  std::uint64_t decided_at_step = 0;
  std::vector<Load> loads;
  std::vector<Transfer> transfers;
  std::vector<Transaction> transactions;
};

class Pipeline {
 public:
  /// Answers which turn it was. `eager` is the defect of letting out what is not written yet.
  std::uint64_t submit(Effects effects, Instant now, std::uint64_t step, bool eager) {
    if (!effects.mutations.empty()) {
      Batch batch;
      storage::encode(effects.mutations, batch.bytes);
      batch.sync = effects.sync;
      batches_.push_back(std::move(batch));
      ++submitted_;
    }
    releases_.push_back(Release{++turn_, eager ? 0 : submitted_, std::move(effects.replies), now, step,
                                std::move(effects.loads), std::move(effects.transfers),
                                std::move(effects.transactions)});
    return turn_;
  }

  /// Commits some of what is submitted as one group. False if the store failed: the outcome is unknown.
  bool commit_some(Store& store, test::Random& random) {
    if (batches_.empty()) return true;
    WriteBatch group;
    bool sync = false;
    std::uint64_t count = 1 + random.below(batches_.size());
    const std::uint64_t reached = written_ + count;
    for (; count > 0; --count) {
      group.append(batches_.front().bytes);
      sync = sync || batches_.front().sync;
      batches_.pop_front();
    }
    if (store.commit(group, sync)) return false;
    // A group is synced if any of its batches asked for it, so what is written is as durable as it was promised to be.
    written_ = reached;
    return true;
  }

  /// The next one that may be let out.
  std::optional<Release> next_release() {
    if (releases_.empty() || written_ < releases_.front().written) return std::nullopt;
    Release ready = std::move(releases_.front());
    releases_.pop_front();
    return ready;
  }

  bool empty() const { return batches_.empty() && releases_.empty(); }

  /// What a crash does.
  void clear() {
    batches_.clear();
    releases_.clear();
    submitted_ = written_ = 0;
  }

 private:
  struct Batch {
    WriteBatch bytes;
    bool sync = false;
  };

  std::deque<Batch> batches_;
  std::deque<Release> releases_;
  std::uint64_t submitted_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t turn_ = 0;
};

}  // namespace penstock::sim
