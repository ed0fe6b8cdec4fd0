#include "config/problems.hpp"

#include <algorithm>
#include <tuple>

namespace penstock::config {

void Problems::add(Position at, const std::string& what) {
  ++count_;
  if (kept_.size() < kept_max) kept_.push_back({at, what});
}

std::vector<std::string> Problems::lines() const {
  std::vector<Problem> sorted = kept_;
  std::ranges::stable_sort(sorted, {}, [](const Problem& p) { return std::tuple(p.at.line, p.at.column); });
  std::vector<std::string> lines;
  for (const Problem& problem : sorted) {
    std::string line = file_;
    if (problem.at.line > 0) {
      line.append(":").append(std::to_string(problem.at.line)).append(":").append(std::to_string(problem.at.column));
    }
    lines.push_back(line.append(": ").append(problem.what));
  }
  if (count_ > kept_.size()) {
    lines.push_back(file_ + ": and " + std::to_string(count_ - kept_.size()) + " more problems");
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
