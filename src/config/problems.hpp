// What is wrong with a file, each with the place: all of it is found before anything is said.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/value.hpp"

namespace penstock::config {

class Problems {
 public:
  /// What more there is beyond so many is counted, and not kept.
  static constexpr std::size_t kept_max = 50;

  /// `file` as whoever reads the problems knows it.
  explicit Problems(std::string file) : file_(std::move(file)) {}

  /// `what` is a sentence without its full stop.
  void add(Position at, const std::string& what);

  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  /// Each as `file:line:column: what`, in the order of their places, and a last one of how many were left out.
  std::vector<std::string> lines() const;

 private:
  struct Problem {
    Position at;
    std::string what;
  };

  std::string file_;
  std::vector<Problem> kept_;
  std::size_t count_ = 0;
};

/// 'name'
std::string in_quotes(std::string_view name);

/// "a, b or c"
std::string alternatives(const std::vector<std::string_view>& words);

}  // namespace penstock::config
