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
  /// What is no problem, but to be known: something that is passed over.
  void note(Position at, const std::string& what);

  bool empty() const { return problems_.count == 0; }
  std::size_t count() const { return problems_.count; }
  /// Each as `file:line:column: what`, in the order of their places, and a last one of how many were left out.
  std::vector<std::string> lines() const { return lines_of(problems_, " more problems"); }
  /// The same of the notes.
  std::vector<std::string> notes() const { return lines_of(notes_, " more notes"); }

 private:
  struct One {
    Position at;
    std::string what;
  };
  struct Many {
    std::vector<One> kept{};
    std::size_t count = 0;

    void add(Position at, const std::string& what);
  };
  std::vector<std::string> lines_of(const Many& many, std::string_view more) const;

  std::string file_;
  Many problems_;
  Many notes_;
};

/// 'name'
std::string in_quotes(std::string_view name);

/// "a, b or c"
std::string alternatives(const std::vector<std::string_view>& words);

}  // namespace penstock::config
