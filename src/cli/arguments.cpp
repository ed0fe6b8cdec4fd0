#include "cli/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "protocol/text.hpp"

namespace penstock::cli {

using std::chrono::milliseconds;

namespace {

constexpr std::string_view default_endpoint = "http://127.0.0.1:4566";
constexpr std::size_t count_digits_max = 12;
/// Enough for the next thirty thousand years; what has more digits is a sequence number.
constexpr std::size_t seconds_digits_max = 12;
constexpr std::size_t fraction_digits_max = 9;

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
    const auto end = std::find_if_not(left_.begin(), left_.end(), protocol::is_digit);
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

 private:
  std::string_view left_;
};

std::optional<client::Moment> parse_seconds(std::string_view text) {
  Reader reader(text);
  const auto seconds = reader.number(1, seconds_digits_max);
  if (!seconds) return std::nullopt;
  const auto fraction = reader.fraction();
  if (!fraction || !reader.done()) return std::nullopt;
  return client::Moment{std::chrono::seconds{*seconds} + *fraction};
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

std::optional<client::Moment> parse_date(std::string_view text) {
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
  const client::Moment midnight = std::chrono::sys_days{date};
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

std::string variable_or(const char* name, std::string_view fallback) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::string(value) : std::string(fallback);
}

}  // namespace

std::string Arguments::text(const std::string& flag) const {
  return given.count(flag) > 0 ? given[flag].as<std::string>() : std::string();
}

std::vector<std::string> Arguments::texts(const std::string& flag) const {
  return given.count(flag) > 0 ? given[flag].as<std::vector<std::string>>() : std::vector<std::string>();
}

void describe_common(cxxopts::Options& flags, const Words& words) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options("Common")
      ("endpoint", "where the server is (default: $PENSTOCK_ENDPOINT, or " + std::string(default_endpoint) + ")", text(),
       "URL")
      ("region", "region of what it is about (default: the server's)", text(), "REGION")
      ("account", "account of what it is about (default: the server's)", text(), "ID")
      ("json", "print JSON", cxxopts::value<bool>())
      ("help", "print this and exit", cxxopts::value<bool>());
  flags.add_options("Hidden")("words", "what is no flag", cxxopts::value<std::vector<std::string>>());
  // clang-format on
  flags.parse_positional({"words"});
  flags.positional_help(std::string(words.help));
}

Arguments read_common(const cxxopts::ParseResult& given, const Words& words, std::vector<std::string> rest) {
  Arguments arguments;
  arguments.given = given;
  arguments.endpoint =
      arguments.has("endpoint") ? arguments.text("endpoint") : variable_or("PENSTOCK_ENDPOINT", default_endpoint);
  arguments.region = arguments.text("region");
  if (arguments.has("region") && !protocol::is_region(arguments.region)) {
    throw UsageError("--region is a region's name, not '" + arguments.region + "'");
  }
  arguments.account = arguments.text("account");
  if (arguments.has("account") && !protocol::is_account(arguments.account)) {
    throw UsageError("--account is 12 digits, not '" + arguments.account + "'");
  }
  arguments.json = arguments.has("json");
  arguments.words = arguments.texts("words");
  arguments.rest = std::move(rest);
  if (arguments.words.size() < words.min || arguments.word(0).empty()) throw UsageError(words.missing);
  if (arguments.words.size() > words.max) {
    throw UsageError("'" + arguments.words[words.max] + "' is one argument too many");
  }
  if (!arguments.rest.empty() && !words.rest) {
    throw UsageError("'" + arguments.rest.front() + "' is one argument too many");
  }
  return arguments;
}

std::optional<std::size_t> read_count(const Arguments& arguments, const std::string& flag) {
  if (!arguments.has(flag)) return std::nullopt;
  const std::string text = arguments.text(flag);
  Reader reader(text);
  const auto count = reader.number(1, count_digits_max);
  if (!count || *count == 0 || !reader.done()) {
    throw UsageError("--" + flag + " is a whole number from 1, not '" + text + "'");
  }
  return static_cast<std::size_t>(*count);
}

std::optional<int> read_number(const Arguments& arguments, const std::string& flag, int min) {
  if (!arguments.has(flag)) return std::nullopt;
  const std::string text = arguments.text(flag);
  // Of these numbers none that means anything has more digits.
  constexpr std::size_t digits_max = 9;
  const bool negative = text.starts_with('-');
  Reader reader(std::string_view(text).substr(negative ? 1 : 0));
  const auto number = reader.number(1, digits_max);
  const int value = static_cast<int>(number.value_or(0)) * (negative ? -1 : 1);
  if (!number || !reader.done() || value < min) {
    throw UsageError("--" + flag + " is a whole number from " + std::to_string(min) + ", not '" + text + "'");
  }
  return value;
}

std::optional<client::Moment> parse_time(const std::string& text) {
  if (const auto moment = parse_seconds(text)) return moment;
  return parse_date(text);
}

std::optional<client::Start> parse_start(const std::string& text) {
  if (text == "horizon") return client::Start{client::Start::At::trim_horizon, {}};
  if (text == "latest") return client::Start{client::Start::At::latest, {}};
  if (const auto moment = parse_time(text)) return client::Start{client::Start::At::timestamp, *moment};
  return std::nullopt;
}

}  // namespace penstock::cli
