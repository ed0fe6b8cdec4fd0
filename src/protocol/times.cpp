#include "protocol/times.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "protocol/text.hpp"

namespace penstock::protocol {

namespace {

using Moment = std::chrono::sys_time<std::chrono::milliseconds>;
using std::chrono::milliseconds;

/// Enough for the next thirty thousand years; what has more digits is a sequence number.
constexpr std::size_t seconds_digits_max = 12;
constexpr std::size_t fraction_digits_max = 9;
constexpr std::size_t duration_digits_max = 12;
constexpr milliseconds duration_max = std::chrono::days{10'000};

/// Takes texts from the front of what is left.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  bool done() const { return left_.empty(); }
  bool take(std::string_view any_of) {
    if (left_.empty() || any_of.find(left_.front()) == std::string_view::npos) return false;
    left_.remove_prefix(1);
    return true;
  }
  /// A number of so many digits; what follows may be another one.
  std::optional<std::int64_t> number(std::size_t digits_min, std::size_t digits_max) {
    const auto end = std::find_if_not(left_.begin(), left_.end(), is_digit);
    const std::size_t digits = std::min(static_cast<std::size_t>(end - left_.begin()), digits_max);
    if (digits < digits_min) return std::nullopt;
    std::int64_t value = 0;
    std::from_chars(left_.data(), left_.data() + digits, value);
    left_.remove_prefix(digits);
    return value;
  }
  /// What may follow seconds.
  std::optional<milliseconds> fraction() {
    if (!take(".,")) return milliseconds(0);
    const std::string_view before = left_;
    if (!number(1, fraction_digits_max)) return std::nullopt;
    std::string digits(before.substr(0, before.size() - left_.size()));
    digits.resize(3, '0');
    return milliseconds(std::stoi(digits));
  }

  /// How long what follows a number is; 0 if nothing does, and nothing if it is no unit.
  std::optional<milliseconds> unit() {
    if (done()) return milliseconds{0};
    if (left_.starts_with("ms")) {
      left_.remove_prefix(2);
      return milliseconds{1};
    }
    if (take("s")) return std::chrono::seconds{1};
    if (take("m")) return std::chrono::minutes{1};
    if (take("h")) return std::chrono::hours{1};
    if (take("d")) return std::chrono::days{1};
    return std::nullopt;
  }

 private:
  std::string_view left_;
};

std::optional<Moment> parse_seconds(std::string_view text) {
  Reader reader(text);
  const auto seconds = reader.number(1, seconds_digits_max);
  if (!seconds) return std::nullopt;
  const auto fraction = reader.fraction();
  if (!fraction || !reader.done()) return std::nullopt;
  return Moment{std::chrono::seconds{*seconds} + *fraction};
}

// Hours and minutes, of a time of day or of how far a clock is ahead.
std::optional<std::chrono::minutes> parse_hours(Reader& reader) {
  const auto hour = reader.number(2, 2);
  reader.take(":");
  const auto minute = reader.number(2, 2);
  if (!hour || !minute || *hour >= 24 || *minute >= 60) return std::nullopt;
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute};
}

std::optional<std::chrono::minutes> parse_offset(Reader& reader) {
  if (reader.done() || reader.take("Zz")) return std::chrono::minutes{0};
  const bool east = reader.take("+");
  if (!east && !reader.take("-")) return std::nullopt;
  const auto offset = parse_hours(reader);
  if (!offset) return std::nullopt;
  return east ? *offset : -*offset;
}

std::optional<Moment> parse_date(std::string_view text) {
  Reader reader(text);
  const auto year = reader.number(4, 4);
  if (!year || !reader.take("-")) return std::nullopt;
  const auto month = reader.number(2, 2);
  if (!month || !reader.take("-")) return std::nullopt;
  const auto day = reader.number(2, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const Moment midnight = std::chrono::sys_days{date};
  if (reader.done()) return midnight;
  if (!reader.take("Tt ")) return std::nullopt;
  const auto time = parse_hours(reader);
  if (!time) return std::nullopt;
  milliseconds rest{0};
  if (reader.take(":")) {
    const auto second = reader.number(2, 2);
    const auto fraction = second ? reader.fraction() : std::nullopt;
    if (!fraction || *second > 60) return std::nullopt;
    rest = std::chrono::seconds{*second} + *fraction;
  }
  const auto offset = parse_offset(reader);
  if (!offset || !reader.done()) return std::nullopt;
  return midnight + *time + rest - *offset;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  Reader reader(text);
  milliseconds sum{0};
  for (bool first = true; first || !reader.done(); first = false) {
    const auto whole = reader.number(1, duration_digits_max);
    const auto fraction = whole ? reader.fraction() : std::nullopt;
    auto unit = fraction ? reader.unit() : std::nullopt;
    if (!unit) return std::nullopt;
    if (*unit == milliseconds{0}) {
      // A number alone is of seconds.
      if (!first) return std::nullopt;
      unit = std::chrono::seconds{1};
    }
    if (*whole > duration_max / *unit) return std::nullopt;
    sum += *unit * *whole + milliseconds{fraction->count() * unit->count() / 1'000};
    if (sum > duration_max) return std::nullopt;
  }
  return sum;
}

std::string format_time(Moment at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss<milliseconds> time{at - day};
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<Moment> parse_time(std::string_view text) {
  if (const auto moment = parse_seconds(text)) return moment;
  return parse_date(text);
}

}  // namespace penstock::protocol
