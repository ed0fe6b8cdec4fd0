#include "runner/invoke.hpp"

#include <sys/random.h>
#include <time.h>

#include <array>
#include <cstdint>
#include <cstdio>

namespace penstock::runner {

namespace {

struct Now {
  std::tm parts{};
  int milliseconds = 0;
};

Now now_in_parts() {
  timespec time = {};
  ::clock_gettime(CLOCK_REALTIME, &time);
  Now now;
  ::gmtime_r(&time.tv_sec, &now.parts);
  now.milliseconds = static_cast<int>(time.tv_nsec / 1'000'000);
  return now;
}

}  // namespace

std::string new_log_stream() {
  std::array<std::uint64_t, 2> random{};
  [[maybe_unused]] const ssize_t got = ::getrandom(random.data(), sizeof random, 0);
  const Now now = now_in_parts();
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d/%02d/%02d/[$LATEST]%016llx%016llx", now.parts.tm_year + 1900,
                now.parts.tm_mon + 1, now.parts.tm_mday, static_cast<unsigned long long>(random[0]),
                static_cast<unsigned long long>(random[1]));
  return text.data();
}

std::string timestamp() {
  const Now now = now_in_parts();
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", now.parts.tm_year + 1900,
                now.parts.tm_mon + 1, now.parts.tm_mday, now.parts.tm_hour, now.parts.tm_min, now.parts.tm_sec,
                now.milliseconds);
  return text.data();
}

}  // namespace penstock::runner
