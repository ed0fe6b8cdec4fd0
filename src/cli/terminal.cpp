#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace penstock::cli {

namespace {

constexpr std::size_t width_default = 80;
constexpr std::size_t group_digits = 3;

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

/// One that only prints, as an editor's may be.
bool is_dumb() {
  const char* const kind = std::getenv("TERM");
  return kind == nullptr || std::string_view(kind).empty() || std::string_view(kind) == "dumb";
}

void say(std::string_view name, std::string_view what) {
  std::string line(name);
  line.append(" ").append(what).append("\n");
  // In one piece, since others may write there too.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

bool takes_colours(int fd) { return is_terminal(fd) && !is_dumb() && !is_set("NO_COLOR"); }

std::size_t terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : width_default;
}

std::string bold(std::string_view text) { return "\x1b[1m" + std::string(text) + "\x1b[0m"; }

std::string red(std::string_view text) { return "\x1b[1;31m" + std::string(text) + "\x1b[0m"; }

void complain(std::string_view what) {
  constexpr std::string_view name = "penstock:";
  say(takes_colours(STDERR_FILENO) ? red(name) : std::string(name), what);
}

void remark(std::string_view what) { say("penstock:", what); }

Progress::Progress(bool wanted) : active_(wanted && is_terminal(STDERR_FILENO) && !is_dumb()) {}

void Progress::show(std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (!active_ || (drawn_ && now - drawn_at_ < interval_min)) return;
  // The last column stays free: some terminals go to the next line when it is written.
  const std::size_t room = std::max<std::size_t>(terminal_width(), 2) - 1;
  std::string line = "\r" + std::string(text.substr(0, room)) + "\x1b[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
  drawn_ = true;
  drawn_at_ = now;
}

void Progress::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

std::string grouped(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > group_digits;) text.insert(at -= group_digits, ",");
  return text;
}

}  // namespace penstock::cli
