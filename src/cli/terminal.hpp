// What differs where a person looks on: colours, and a line that tells how far something is.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::cli {

bool is_terminal(int fd);

/// Whether what is written there may be coloured: it is a terminal, one that can do more than print, and nobody has set
/// NO_COLOR (https://no-color.org: to anything but nothing).
bool takes_colours(int fd);

/// Of the columns of standard error.
std::size_t terminal_width();

std::string bold(std::string_view text);
std::string red(std::string_view text);

/// An error, and something else to be said, on standard error: a line that begins with the program's name.
void complain(std::string_view what);
void remark(std::string_view what);

/// One line on standard error, written over and over and gone in the end. Nothing where standard error is no terminal.
class Progress {
 public:
  /// No one reads faster.
  static constexpr std::chrono::milliseconds interval_min{50};

  /// `wanted`: whether nothing else that is printed would come between.
  explicit Progress(bool wanted = true);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// What comes too soon after the one before is passed over.
  void show(std::string_view text);
  void clear();

 private:
  bool active_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point drawn_at_;
};

/// Such as 1,234,567.
std::string grouped(std::size_t number);

}  // namespace penstock::cli
