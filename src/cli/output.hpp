// Standard output, and tables on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/json.hpp"
#include "protocol/shape.hpp"

namespace penstock::cli {

/// Whoever read the output does so no more.
class OutputClosed : public std::exception {};

/// Collects what is to be written, and writes only what is whole. Throws OutputClosed, and std::system_error where it
/// cannot be written.
class Output {
 public:
  static constexpr std::size_t buffered_max = 64U << 10U;

  /// Whole lines, or a whole document.
  void write(std::string_view text);
  /// The same, and a line's break.
  void line(std::string_view text);
  void flush();

 private:
  std::string waiting_;
};

/// What stands in a cell, or on a line of its own: breaks, tabs and whatever else moves a terminal are escaped.
std::string printable(std::string_view text);

/// How a table is drawn: for programs there are tabs between its columns.
enum class Drawn : std::uint8_t { with_tabs, aligned, aligned_in_colours };

/// For people, columns that stand under each other; for programs, tabs between them. Numbers stand to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}

  /// As many cells as there are titles.
  void add(std::vector<std::string> cells);
  std::string text(Drawn drawn) const;
  /// Aligned on a terminal.
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A position: a sequence number, with the number within an aggregate behind a colon; a dash at the beginning.
std::string place_text(const std::optional<std::string>& number, const std::optional<std::int64_t>& sub);
std::string or_dash(const std::optional<std::string>& text);
std::string number_text(const std::optional<std::int64_t>& number);

/// One document, on a line.
template <protocol::Structure T>
void print_json(const T& document) {
  Output output;
  output.write(client::to_json(document) + "\n");
  output.flush();
}

/// Such as 0, 350ms, 12.3s, 5m03s, 2h05m or 3d04h.
std::string duration_text(std::int64_t ms);

}  // namespace penstock::cli
