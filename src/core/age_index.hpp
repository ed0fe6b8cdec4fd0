// When the oldest of many messages was sent, as they come and go in any order.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>

#include "penstock/time.hpp"

namespace penstock::core {

/// Counts by the second, so that it stays small: what is in memory of a queue was mostly sent within a few of them.
class AgeIndex {
 public:
  void add(Instant sent) { ++counts_.try_emplace(counts_.end(), second_of(sent), 0)->second; }
  /// REQUIRES: it was added.
  void remove(Instant sent) {
    const auto found = counts_.find(second_of(sent));
    if (--found->second == 0) counts_.erase(found);
  }
  void clear() { counts_.clear(); }
  /// Down to the second.
  std::optional<Instant> oldest() const {
    return counts_.empty() ? std::nullopt : std::optional<Instant>(counts_.begin()->first);
  }

 private:
  static std::chrono::sys_seconds second_of(Instant sent) { return std::chrono::floor<std::chrono::seconds>(sent); }

  std::map<std::chrono::sys_seconds, std::size_t> counts_;
};

}  // namespace penstock::core
