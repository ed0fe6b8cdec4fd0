// What a command is to the command line: its name, its place in the list, what it takes, and what runs it. Usage, help,
// suggestions and completion are made of this and of nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <cxxopts.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/cli.hpp"

namespace penstock::cli {

/// In the order of the list.
enum class Group : std::uint8_t { serve, look, messages, streams, functions, operate };

struct Command {
  std::string_view name;
  Group group;
  const char* summary;  ///< in the list of commands
  const char* what;     ///< a sentence above its flags
  /// Nothing of `serve`, which is the server's own.
  int (*run)(const Arguments& arguments);
  void (*describe)(cxxopts::Options& flags);
  Words words;
};

/// All of them, in the order in which they are listed.
std::span<const Command> all_commands();

/// Nothing if there is none.
const Command* find_command(std::string_view name);

/// Its flags, with those that all commands have. REQUIRES: it is not `serve`.
cxxopts::Options options_of(const Command& command);

/// The flags that somebody may give.
std::vector<Flag> flags_of(const cxxopts::Options& options);
std::vector<Flag> flags_of(const Command& command, const OfServer& of_server);

/// The list of commands.
std::string usage_text();

}  // namespace penstock::cli
