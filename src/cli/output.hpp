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

/// Collects what is to be written. Throws OutputClosed, and std::system_error where it cannot be written.
class Output {
 public:
  static constexpr std::size_t buffered_max = 64U << 10U;

  void write(std::string_view text);
  void flush();

 private:
  std::string waiting_;
};

/// For people, columns that stand under each other; for programs, tabs between them. Numbers stand to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}

  /// As many cells as there are titles.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text(bool aligned) const;
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
