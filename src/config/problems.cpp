#include "config/problems.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace penstock::config {

void Problems::Many::add(Position at, const std::string& what) {
  ++count;
  if (kept.size() < kept_max) kept.push_back({at, what});
}

void Problems::add(Position at, const std::string& what) { problems_.add(at, what); }
void Problems::note(Position at, const std::string& what) { notes_.add(at, what); }

std::vector<std::string> Problems::lines_of(const Many& many, std::string_view more) const {
  std::vector<One> sorted = many.kept;
  std::ranges::stable_sort(sorted, {}, [](const One& one) { return std::tuple(one.at.line, one.at.column); });
  std::vector<std::string> lines;
  for (const One& problem : sorted) {
    std::string line = file_;
    if (problem.at.line > 0) {
      line.append(":").append(std::to_string(problem.at.line)).append(":").append(std::to_string(problem.at.column));
    }
    line.append(": ").append(problem.what);
    // What several share is told once.
    if (lines.empty() || lines.back() != line) lines.push_back(std::move(line));
  }
  if (many.count > many.kept.size()) {
    lines.push_back(file_ + ": and " + std::to_string(many.count - many.kept.size()).append(more));
  }
  return lines;
}

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string alternatives(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace penstock::config
