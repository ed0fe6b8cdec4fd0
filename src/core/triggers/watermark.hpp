// How far the work on a shard's records has come when it is done out of order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>

#include "penstock/streams.hpp"

namespace penstock::core {

/// The records that are being worked on, in their order, from the first that is not done. Those behind it that are done
/// are kept too, so that its size says how much would be done again after a crash.
class Watermark {
 public:
  /// REQUIRES: `index` is greater than every one before.
  void add(RecordIndex index) { open_.push_back({index, false}); }

  /// REQUIRES: it was added, and is not done.
  void done(RecordIndex index) {
    const auto found = std::ranges::lower_bound(open_, index, {}, &Entry::index);
    found->done = true;
    while (!open_.empty() && open_.front().done) open_.pop_front();
  }

  /// Everything before it is done; nothing if all is.
  std::optional<RecordIndex> first_open() const {
    return open_.empty() ? std::nullopt : std::optional(open_.front().index);
  }
  std::size_t size() const { return open_.size(); }

 private:
  struct Entry {
    RecordIndex index;
    bool done = false;
  };
  std::deque<Entry> open_;
};

}  // namespace penstock::core
