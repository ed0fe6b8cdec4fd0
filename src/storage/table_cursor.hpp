// Goes through a range of a table entry by entry, where two ranges are to be held against each other and a scan's
// visitor would have to be in charge of both.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/store.hpp"

namespace penstock::storage {

/// Reads ahead within bounds. What is written meanwhile may be seen or not.
class TableCursor {
 public:
  /// One entry more may go beyond the bytes.
  static constexpr std::size_t entries_ahead_max = 1'024;
  static constexpr std::size_t bytes_ahead_max = 4U << 20U;

  /// [from, until). The store outlives it.
  TableCursor(const Store& store, Table table, std::string_view from, std::string_view until)
      : store_(store), table_(table), from_(from), until_(until) {
    fill();
  }

  /// False at the end, and where the store could not be read.
  bool valid() const { return at_ < ahead_.size(); }
  /// Both live until next(). REQUIRES: valid().
  std::string_view key() const { return ahead_[at_].first; }
  std::string_view value() const { return ahead_[at_].second; }
  void next() {
    if (++at_ == ahead_.size() && !at_end_) fill();
  }
  const StoreError& error() const { return error_; }

 private:
  void fill() {
    ahead_.clear();
    at_ = 0;
    std::size_t bytes = 0;
    at_end_ = true;
    error_ = store_.scan(table_, from_, until_, [&](std::string_view key, std::string_view value) {
      if (ahead_.size() == entries_ahead_max || bytes >= bytes_ahead_max) {
        at_end_ = false;
        return false;
      }
      ahead_.emplace_back(key, value);
      bytes += key.size() + value.size();
      return true;
    });
    // What was read before the damage is whole.
    if (error_) at_end_ = true;
    if (!ahead_.empty()) from_ = ahead_.back().first + '\0';
  }

  const Store& store_;
  const Table table_;
  std::string from_;
  const std::string until_;
  std::vector<std::pair<std::string, std::string>> ahead_;
  std::size_t at_ = 0;
  bool at_end_ = false;
  StoreError error_;
};

}  // namespace penstock::storage
