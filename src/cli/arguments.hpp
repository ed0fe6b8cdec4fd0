// What stands on the command line.
#pragma once

#include <chrono>
#include <cstddef>
#include <cxxopts.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.hpp"
#include "penstock/client.hpp"

namespace penstock::cli {

/// The command line is wrong; what() says how.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The flags that all commands have are read already.
struct Arguments {
  std::string endpoint;
  std::string region;              ///< empty: the server's
  std::string account;             ///< empty: the server's
  std::vector<std::string> words;  ///< that are no flags, as many as the command takes at most
  std::vector<std::string> rest;   ///< behind `--`
  bool json = false;
  cxxopts::ParseResult given;
  OfServer of_server;

  /// Empty if there are fewer.
  std::string word(std::size_t index) const { return index < words.size() ? words[index] : std::string(); }
  /// The stream that the command is about.
  const std::string& stream() const { return words.front(); }

  /// Empty if the flag is not given.
  std::string text(const std::string& flag) const;
  bool has(const std::string& flag) const { return given.count(flag) > 0; }
  /// Of a flag that may be given more than once.
  std::vector<std::string> texts(const std::string& flag) const;
};

/// What a command takes besides its flags.
struct Words {
  std::string_view help;  ///< such as "STREAM"
  std::size_t min = 1;
  std::size_t max = 1;
  const char* missing = "";  ///< the question where there are too few
  bool rest = false;         ///< whether anything may stand behind `--`
};

/// Of the flags that all commands have, and of what cxxopts has to be told though it is no flag.
inline constexpr const char* common_group = "Common";
inline constexpr const char* hidden_group = "Hidden";

/// Where the server is unless a flag says it.
std::string default_endpoint();
/// Empty where the server's are meant.
std::string default_region();
std::string default_account();

void describe_common(cxxopts::Options& flags, const Words& words);
/// Throws UsageError.
Arguments read_common(const cxxopts::ParseResult& given, const Words& words, std::vector<std::string> rest);

/// A flag whose value is a whole number of 1 and more. Throws UsageError.
std::optional<std::size_t> read_count(const Arguments& arguments, const std::string& flag);

/// The same of a number from `min` on, within the digits that such a flag may have.
std::optional<int> read_number(const Arguments& arguments, const std::string& flag, int min);

/// A length of time that the server is told, as it was given. Throws UsageError if it is none, or longer than `max`.
std::string duration_text(std::string_view what, const std::string& given, std::chrono::milliseconds max);

/// The same of a flag. Nothing if it is not given.
std::optional<std::string> read_duration(const Arguments& arguments, const std::string& flag,
                                         std::chrono::milliseconds max);

/// A place in a stream: horizon, latest or a time. Nothing if it is none of them.
std::optional<client::Start> parse_start(const std::string& text);

}  // namespace penstock::cli
