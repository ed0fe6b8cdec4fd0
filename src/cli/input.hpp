// Standard input, or a file in its place: as a whole, or line by line as it comes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::cli {

/// Of one line.
inline constexpr std::size_t line_bytes_max = 1U << 20U;

/// All that there is until its end. Throws std::runtime_error if that is more than `bytes_max` or cannot be read, and
/// Interrupted. `name` is what it is called then.
std::string read_all(int fd, std::size_t bytes_max, const std::string& name);

class LineReader {
 public:
  static constexpr std::size_t piece_bytes = 64U << 10U;

  /// `name` is what it is called where it cannot be read.
  explicit LineReader(int fd, std::size_t bytes_max = line_bytes_max, std::string name = "standard input")
      : fd_(fd), bytes_max_(bytes_max), name_(std::move(name)) {}

  /// The next line without its break, until the one after is asked for; nothing at the end. The last line need not have
  /// a break. Throws std::runtime_error if it is longer than it may be, and what read_all() throws.
  std::optional<std::string_view> next();

  /// Whether next() will not wait. Takes what there is to be read.
  bool is_ready();

  /// Of the line that next() has given, from 1.
  std::size_t number() const { return number_; }

 private:
  bool has_line();
  void fill();

  int fd_;
  std::size_t bytes_max_;
  std::string name_;
  std::string buffer_;
  std::size_t begin_ = 0;     ///< of the next line
  std::size_t searched_ = 0;  ///< before which there is no break
  bool ended_ = false;
  std::size_t number_ = 0;
};

}  // namespace penstock::cli
