#include "server/token_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "runner/descriptor.hpp"

namespace penstock::server {

namespace {

constexpr std::size_t chars_min = 16;
constexpr std::size_t chars_max = 512;
constexpr std::size_t words = 4;  // of 64 bits
constexpr mode_t owners_only = 0600;

std::string failure(const std::string& path, const std::string& what) { return "the token file " + path + " " + what; }

std::string failure_of_system(const std::string& path, const char* verb) {
  return failure(path, std::string("cannot be ") + verb + ": " + std::strerror(errno));
}

std::string new_text(Entropy& entropy) {
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(entropy.next()));
    text.append(digits.data(), digits.size() - 1);
  }
  return text;
}

/// Why the open file may not hold a secret; nothing if it may.
std::optional<std::string> objection_to(int file, const std::string& path) {
  struct stat found = {};
  if (::fstat(file, &found) != 0) return failure_of_system(path, "looked at");
  if (!S_ISREG(found.st_mode)) return failure(path, "is no regular file");
  if ((found.st_mode & 077U) != 0) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(found.st_mode & 07777U));
    return failure(
        path, std::string("has mode ") + mode.data() + ", so that others can read or change it: it has to be 0600");
  }
  if (found.st_uid != ::geteuid() && found.st_uid != 0) return failure(path, "belongs to another user");
  return std::nullopt;
}

std::variant<Token, std::string> read_token(int file, const std::string& path) {
  if (auto objection = objection_to(file, path)) return std::move(*objection);
  // One byte more than there may be, and a line's end, tell that there are too many.
  std::string text(chars_max + 2, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure_of_system(path, "read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  const bool sendable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
  if (!sendable || text.size() < chars_min || text.size() > chars_max) {
    return failure(path, "holds no token, which has " + std::to_string(chars_min) + " to " + std::to_string(chars_max) +
                             " characters and no spaces; remove it, and one is made");
  }
  return Token{std::move(text), path};
}

/// Under another name first, so that nobody ever reads half of one.
std::optional<std::string> write_token(const std::string& path, const std::string& text) {
  const std::string unfinished = path + ".tmp";
  // What a start before this one left that did not come to its end.
  ::unlink(unfinished.c_str());
  const runner::Descriptor file(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, owners_only));
  if (file.get() < 0) return failure_of_system(path, "made");
  const std::string line = text + "\n";
  // Whatever the umask is.
  const bool written = ::fchmod(file.get(), owners_only) == 0 &&
                       ::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (!written || ::fsync(file.get()) != 0 || ::rename(unfinished.c_str(), path.c_str()) != 0) {
    auto why = failure_of_system(path, "written");
    ::unlink(unfinished.c_str());
    return why;
  }
  return std::nullopt;
}

}  // namespace

std::variant<Token, std::string> open_token(const std::string& path, Entropy& entropy) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  const std::string place = error ? path : absolute.lexically_normal().string();
  const runner::Descriptor file(::open(place.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() >= 0) return read_token(file.get(), place);
  if (errno != ENOENT) return failure_of_system(place, "read");
  std::string text = new_text(entropy);
  if (auto why = write_token(place, text)) return std::move(*why);
  return Token{std::move(text), place};
}

}  // namespace penstock::server
