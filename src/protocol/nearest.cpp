#include "protocol/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "protocol/text.hpp"

namespace penstock::protocol {

namespace {

/// Longer ones are nobody's slip, and would cost their square.
constexpr std::size_t compared_chars_max = 64;
/// So many letters of a name make up for one that is wrong.
constexpr std::size_t chars_per_slip = 3;
constexpr std::size_t slips_max = 2;
/// A beginning of fewer letters says nothing.
constexpr std::size_t beginning_chars_min = 3;

/// How many slips lie between the two, by three rows of the usual table.
std::size_t slips_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char of_a = to_lower(a[i - 1]);
      const char of_b = to_lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (of_a == of_b ? 0U : 1U)});
      if (i > 1 && j > 1 && of_a == to_lower(b[j - 2]) && to_lower(a[i - 2]) == of_b) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest_of(std::string_view text, std::span<const std::string_view> names) {
  std::optional<std::string_view> nearest;
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  if (text.empty() || text.size() > compared_chars_max) return nearest;
  for (const std::string_view name : names) {
    if (name.size() > compared_chars_max) continue;
    std::size_t slips = slips_between(text, name);
    const bool begins = text.size() >= beginning_chars_min && starts_with_ignoring_case(name, text);
    const std::size_t allowed = std::min(slips_max, std::max(text.size(), name.size()) / chars_per_slip);
    if (slips > allowed && !begins) continue;
    // What it begins comes after what it nearly is.
    if (slips > allowed) slips += slips_max;
    if (slips >= fewest) continue;
    fewest = slips;
    nearest = name;
  }
  return nearest;
}

std::optional<std::string_view> nearest_of(std::string_view text, std::span<const std::string> names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  return nearest_of(text, std::span<const std::string_view>(views));
}

}  // namespace penstock::protocol
