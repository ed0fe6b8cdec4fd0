// Whether a group commit had better wait a moment before it begins.
//
// While a group is synced, those who wait for it cannot ask for more. If the next group begins the instant that the
// sync ends, it carries only those who came meanwhile: clients fall into two halves that take turns, and each sync
// serves one. Where a sync takes much longer than a client takes to come back, waiting for the other half a small part
// of a sync's time serves both with one. Where it does not, waiting only costs, and is given up after a few attempts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

namespace penstock::storage {

/// Pure: it is told what happened and how long it took. Not thread-safe.
class GroupPacer {
 public:
  using Duration = std::chrono::nanoseconds;

  struct Pause {
    std::size_t until_changes = 0;  ///< the group may begin as soon as it has so many
    Duration at_most{0};
  };

  /// A group with a sync has ended.
  void finished(std::size_t changes, Duration took) {
    last_changes_ = changes;
    last_took_ = took;
  }

  /// Asked when a group could begin that has `waiting` changes; nothing if it should.
  std::optional<Pause> pause(std::size_t waiting) {
    if (holdoff_ > 0) {
      --holdoff_;
      return std::nullopt;
    }
    if (last_changes_ == 0 || last_took_ < worth_a_pause) return std::nullopt;
    // Those who wait now, and those who were just answered, if they all come back.
    const std::size_t expected = waiting + last_changes_;
    const std::size_t target = expected - expected / 8;
    last_changes_ = 0;
    return Pause{target, std::min(last_took_ / share_of_sync, pause_max)};
  }

  /// What came of a pause.
  void paused(bool reached) {
    failures_ = reached ? 0 : failures_ + 1;
    if (failures_ < failures_max) return;
    failures_ = 0;
    holdoff_ = holdoff_groups;
  }

 private:
  // Below this, waking up costs as much as there is to gain.
  static constexpr Duration worth_a_pause = std::chrono::microseconds{400};
  static constexpr Duration pause_max = std::chrono::milliseconds{2};
  static constexpr int share_of_sync = 4;
  static constexpr int failures_max = 8;
  static constexpr int holdoff_groups = 64;

  std::size_t last_changes_ = 0;
  Duration last_took_{0};
  int failures_ = 0;
  int holdoff_ = 0;
};

}  // namespace penstock::storage
