#include "cli/input.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "cli/interrupt.hpp"

namespace penstock::cli {

namespace {

constexpr short readable = POLLIN | POLLHUP | POLLERR;

/// Appends what there is now, and waits if there is nothing; false at the end.
bool read_piece(int fd, const std::string& name, std::string& out) {
  std::array<char, LineReader::piece_bytes> piece{};
  while (true) {
    check_interrupted();
    std::array<pollfd, 2> either{pollfd{fd, POLLIN, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
    if (::poll(either.data(), either.size(), -1) < 0 && errno == EINTR) continue;
    if ((either[0].revents & (readable | POLLNVAL)) == 0) continue;
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got >= 0) {
      out.append(piece.data(), static_cast<std::size_t>(got));
      return got > 0;
    }
    if (errno != EINTR && errno != EAGAIN) throw std::system_error(errno, std::generic_category(), name);
  }
}

}  // namespace

std::string read_all(int fd, std::size_t bytes_max, const std::string& name) {
  std::string text;
  while (read_piece(fd, name, text)) {
    if (text.size() > bytes_max)
      throw std::runtime_error(name + " has more than " + std::to_string(bytes_max) + " bytes");
  }
  return text;
}

bool LineReader::has_line() {
  searched_ = buffer_.find('\n', searched_);
  if (searched_ != std::string::npos) return true;
  searched_ = buffer_.size();
  return false;
}

void LineReader::fill() {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  if (buffer_.size() > bytes_max_) {
    throw std::runtime_error("line " + std::to_string(number_ + 1) + " has more than " + std::to_string(bytes_max_) +
                             " bytes");
  }
  ended_ = !read_piece(fd_, name_, buffer_);
}

bool LineReader::is_ready() {
  while (!has_line() && !ended_) {
    pollfd input{fd_, POLLIN, 0};
    if (::poll(&input, 1, 0) <= 0 || (input.revents & readable) == 0) return false;
    fill();
  }
  return true;
}

std::optional<std::string_view> LineReader::next() {
  while (!has_line() && !ended_) fill();
  check_interrupted();
  if (begin_ == buffer_.size()) return std::nullopt;
  const std::size_t end = searched_;
  if (end - begin_ > bytes_max_) {
    throw std::runtime_error("line " + std::to_string(number_ + 1) + " has more than " + std::to_string(bytes_max_) +
                             " bytes");
  }
  const std::string_view line = std::string_view(buffer_).substr(begin_, end - begin_);
  begin_ = searched_ = std::min(end + 1, buffer_.size());
  ++number_;
  return line;
}

}  // namespace penstock::cli
