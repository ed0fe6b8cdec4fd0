#include "cli/arguments.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "protocol/text.hpp"
#include "protocol/times.hpp"

namespace penstock::cli {

namespace {

constexpr std::string_view usual_endpoint = "http://127.0.0.1:4566";
constexpr std::size_t count_digits_max = 12;
/// Of numbers that may be negative none that means anything has more digits.
constexpr std::size_t number_digits_max = 9;

/// A whole number of so many digits at most.
template <class Number>
std::optional<Number> whole_number(std::string_view text, std::size_t digits_max) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::size_t digits = text.size() - (text.starts_with('-') ? 1 : 0);
  if (error != std::errc() || stop != end || digits > digits_max) return std::nullopt;
  return value;
}

std::string variable_or(const char* name, std::string_view fallback) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::string(value) : std::string(fallback);
}

}  // namespace

std::string default_endpoint() { return variable_or("PENSTOCK_ENDPOINT", usual_endpoint); }

std::string default_region() { return variable_or("PENSTOCK_REGION", ""); }

std::string default_account() { return variable_or("PENSTOCK_ACCOUNT", ""); }

std::string Arguments::text(const std::string& flag) const {
  return given.count(flag) > 0 ? given[flag].as<std::string>() : std::string();
}

std::vector<std::string> Arguments::texts(const std::string& flag) const {
  return given.count(flag) > 0 ? given[flag].as<std::vector<std::string>>() : std::vector<std::string>();
}

void describe_common(cxxopts::Options& flags, const Words& words) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options(common_group)
      ("endpoint", "where the server is (default: $PENSTOCK_ENDPOINT, or " + std::string(usual_endpoint) + ")", text(),
       "URL")
      ("region", "region of what it is about (default: $PENSTOCK_REGION, or the server's)", text(), "REGION")
      ("account", "account of what it is about (default: $PENSTOCK_ACCOUNT, or the server's)", text(), "ID")
      ("token-file", "file with the server's token, which is sent along: one that listens beyond its machine asks for it "
       "before it registers functions, makes backups or imports data, and one with --auth strict takes it for a signature "
       "(default: $PENSTOCK_TOKEN, or the token of a server on this machine)", text(), "FILE")
      ("json", "print JSON", cxxopts::value<bool>())
      ("h,help", "print this and exit", cxxopts::value<bool>());
  flags.add_options(hidden_group)("words", "what is no flag", cxxopts::value<std::vector<std::string>>());
  // clang-format on
  flags.parse_positional({"words"});
  flags.positional_help(std::string(words.help));
}

Arguments read_common(const cxxopts::ParseResult& given, const Words& words, std::vector<std::string> rest) {
  Arguments arguments;
  arguments.given = given;
  arguments.endpoint = arguments.has("endpoint") ? arguments.text("endpoint") : default_endpoint();
  const bool region_given = arguments.has("region");
  arguments.region = region_given ? arguments.text("region") : default_region();
  if ((region_given || !arguments.region.empty()) && !protocol::is_region(arguments.region)) {
    throw UsageError((region_given ? "--region" : "PENSTOCK_REGION") +
                     (" is a region's name, not '" + arguments.region + "'"));
  }
  const bool account_given = arguments.has("account");
  arguments.account = account_given ? arguments.text("account") : default_account();
  if ((account_given || !arguments.account.empty()) && !protocol::is_account(arguments.account)) {
    throw UsageError((account_given ? "--account" : "PENSTOCK_ACCOUNT") +
                     (" is 12 digits, not '" + arguments.account + "'"));
  }
  arguments.json = arguments.has("json");
  arguments.words = arguments.texts("words");
  arguments.rest = std::move(rest);
  const bool first_is_empty = !arguments.words.empty() && arguments.words.front().empty();
  if (arguments.words.size() < words.min || (words.max > 0 && first_is_empty)) throw UsageError(words.missing);
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
  const auto count = whole_number<std::size_t>(text, count_digits_max);
  if (!count || *count == 0) throw UsageError("--" + flag + " is a whole number from 1, not '" + text + "'");
  return count;
}

std::optional<int> read_number(const Arguments& arguments, const std::string& flag, int min) {
  if (!arguments.has(flag)) return std::nullopt;
  const std::string text = arguments.text(flag);
  const auto number = whole_number<int>(text, number_digits_max);
  if (!number || *number < min) {
    throw UsageError("--" + flag + " is a whole number from " + std::to_string(min) + ", not '" + text + "'");
  }
  return number;
}

std::string duration_text(std::string_view what, const std::string& given, std::chrono::milliseconds max) {
  const auto length = protocol::parse_duration(given);
  if (!length) {
    throw UsageError(std::string(what) + " is a length of time such as 12h30m, 90s or 500ms, not '" + given + "'");
  }
  if (*length > max) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(max);
    throw UsageError(std::string(what) + " is at most " + std::to_string(seconds.count()) + "s, not '" + given + "'");
  }
  return given;
}

std::optional<std::string> read_duration(const Arguments& arguments, const std::string& flag,
                                         std::chrono::milliseconds max) {
  if (!arguments.has(flag)) return std::nullopt;
  return duration_text("--" + flag, arguments.text(flag), max);
}

std::optional<client::Start> parse_start(const std::string& text) {
  if (text == "horizon") return client::Start{client::Start::At::trim_horizon, {}};
  if (text == "latest") return client::Start{client::Start::At::latest, {}};
  if (const auto moment = protocol::parse_time(text)) return client::Start{client::Start::At::timestamp, *moment};
  return std::nullopt;
}

}  // namespace penstock::cli
