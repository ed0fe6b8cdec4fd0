#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "cli/terminal.hpp"
#include "protocol/text.hpp"

namespace penstock::cli {

namespace {

constexpr std::string_view gap = "  ";

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), protocol::is_digit);
}

/// Of UTF-8: how many characters there are.
std::size_t width_of(std::string_view text) {
  constexpr unsigned char kind_bits = 0xC0;
  constexpr unsigned char within = 0x80;
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & kind_bits) != within; }));
}

std::string two_digits(std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

}  // namespace

void Output::write(std::string_view text) {
  waiting_.append(text);
  if (waiting_.size() >= buffered_max) flush();
}

void Output::line(std::string_view text) {
  waiting_.append(text);
  write("\n");
}

void Output::flush() {
  std::string_view left = waiting_;
  while (!left.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, left.data(), left.size());
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      throw OutputClosed();
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "standard output");
    }
  }
  waiting_.clear();
}

std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr unsigned char first_printed = 0x20;
  constexpr unsigned char erase = 0x7F;
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < first_printed || byte == erase) {
      out.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 0xFU]);
    } else {
      out += c;
    }
  }
  return out;
}

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text(Drawn drawn) const {
  const bool aligned = drawn != Drawn::with_tabs;
  std::vector<std::size_t> widths(rows_.front().size());
  std::vector<bool> right(widths.size(), rows_.size() > 1);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (std::size_t column = 0; column < widths.size(); ++column) {
      const std::string& cell = rows_[row][column];
      widths[column] = std::max(widths[column], width_of(cell));
      if (row > 0 && !is_number(cell)) right[column] = false;
    }
  }
  std::string out;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    std::string line;
    for (std::size_t column = 0; column < widths.size(); ++column) {
      const std::string& cell = rows_[row][column];
      if (column > 0) line += aligned ? gap : std::string_view("\t");
      const std::string padding(aligned ? widths[column] - width_of(cell) : 0, ' ');
      line += right[column] ? padding + cell : cell + padding;
    }
    if (aligned) line.erase(line.find_last_not_of(' ') + 1);
    out += (row == 0 && drawn == Drawn::aligned_in_colours ? bold(line) : line) + "\n";
  }
  return out;
}

void Table::print() const {
  Output output;
  const bool coloured = takes_colours(STDOUT_FILENO);
  output.write(text(coloured                     ? Drawn::aligned_in_colours
                    : is_terminal(STDOUT_FILENO) ? Drawn::aligned
                                                 : Drawn::with_tabs));
  output.flush();
}

std::string or_dash(const std::optional<std::string>& text) { return text && !text->empty() ? *text : "-"; }

std::string place_text(const std::optional<std::string>& number, const std::optional<std::int64_t>& sub) {
  return or_dash(number) + (sub ? ":" + std::to_string(*sub) : "");
}

std::string number_text(const std::optional<std::int64_t>& number) { return std::to_string(number.value_or(0)); }

std::string duration_text(std::int64_t ms) {
  constexpr std::int64_t second = 1'000;
  constexpr std::int64_t minute = 60 * second;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  if (ms <= 0) return "0";
  if (ms < second) return std::to_string(ms) + "ms";
  if (ms < minute) return std::to_string(ms / second) + "." + std::to_string(ms % second / 100) + "s";
  if (ms < hour) return std::to_string(ms / minute) + "m" + two_digits(ms % minute / second) + "s";
  if (ms < day) return std::to_string(ms / hour) + "h" + two_digits(ms % hour / minute) + "m";
  return std::to_string(ms / day) + "d" + two_digits(ms % day / hour) + "h";
}

}  // namespace penstock::cli
