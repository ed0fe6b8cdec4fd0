#include "cli/cli.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/complete.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "penstock/client.hpp"
#include "protocol/nearest.hpp"

namespace penstock::cli {

namespace {

int wrong(const std::string& command, std::string_view what) {
  complain(what);
  std::fprintf(stderr, "Run 'penstock help %s' for its flags.\n", command.c_str());
  return usage_status;
}

int print_text(const std::string& text) {
  try {
    Output output;
    output.write(text);
    output.flush();
  } catch (const OutputClosed&) {
  }
  return success_status;
}

/// What cxxopts says of a flag that there is not has its name in quotes of its own; it is put in words as others are.
std::string unknown_flag(const cxxopts::exceptions::no_such_option& error, const cxxopts::Options& options) {
  constexpr std::string_view before = "Option \xE2\x80\x98";
  constexpr std::string_view after = "\xE2\x80\x99 does not exist";
  const std::string_view said = error.what();
  if (!said.starts_with(before) || !said.ends_with(after)) return std::string(said);
  const std::string name(said.substr(before.size(), said.size() - before.size() - after.size()));
  std::vector<std::string> names;
  for (const Flag& flag : flags_of(options)) names.push_back(flag.name);
  std::string text = "there is no flag '" + std::string(name.size() == 1 ? "-" : "--") + name + "'";
  if (const auto meant = protocol::nearest_of(name, names)) {
    text.append("; '--").append(*meant).append("' is meant, perhaps");
  }
  return text;
}

/// Commands whose words the server judges, in operations of its own: where it says InvalidRequest, the command line is
/// wrong. Others have it said of what there is, such as a clock that is further, or of what is in a file.
constexpr std::array<std::string_view, 7> judged_by_server{"functions", "function", "logs", "lag",
                                                           "consumers", "reset",    "fault"};

bool is_of_words(const client::Error& error, std::string_view command) {
  return error.code() == "InvalidRequest" && std::ranges::find(judged_by_server, command) != judged_by_server.end();
}

/// The status of a command that ended by itself.
int carry_out(const Command& command, const Arguments& arguments) {
  const std::string name(command.name);
  try {
    return command.run(arguments);
  } catch (const UsageError& error) {
    return wrong(name, error.what());
  } catch (const OutputClosed&) {
    return success_status;
  } catch (const Interrupted&) {
    return success_status;
  } catch (const client::Unreachable& error) {
    complain(error.what());
    return unreachable_status;
  } catch (const client::Error& error) {
    if (is_of_words(error, name)) return wrong(name, error.what());
    complain(error.what());
    return failure_status;
  } catch (const std::exception& error) {
    complain(error.what());
    return failure_status;
  }
}

int run(const Command& command, int argc, const char* const* argv, const OfServer& of_server) {
  const std::string name(command.name);
  cxxopts::Options options = options_of(command);
  // What is behind -- is a command line of its own.
  const char* const* const end = argv + argc;
  const char* const* const dashes = std::find(argv, end, std::string_view("--"));
  Arguments arguments;
  try {
    const cxxopts::ParseResult given = options.parse(static_cast<int>(dashes - argv), argv);
    if (given.count("help") > 0) return print_text(options.help({"", common_group}));
    arguments = read_common(given, command.words, std::vector<std::string>(dashes == end ? end : dashes + 1, end));
    arguments.of_server = of_server;
    watch_signals();
  } catch (const cxxopts::exceptions::no_such_option& error) {
    return wrong(name, unknown_flag(error, options));
  } catch (const cxxopts::exceptions::exception& error) {
    return wrong(name, error.what());
  } catch (const UsageError& error) {
    return wrong(name, error.what());
  } catch (const std::exception& error) {
    complain(error.what());
    return failure_status;
  }
  const int status = carry_out(command, arguments);
  return interrupted() == 0 ? status : signal_status + interrupted();
}

int unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.emplace_back(command.name);
  std::string text = "there is no command '" + name + "'";
  if (const auto meant = protocol::nearest_of(name, names))
    text.append("; '").append(*meant).append("' is meant, perhaps");
  complain(text);
  std::fputs("Run 'penstock help' for the list of commands.\n", stderr);
  return usage_status;
}

}  // namespace

int run(int argc, const char* const* argv, const OfServer& of_server) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "help" || name == "--help" || name == "-h") return print_text(usage_text());
  if (name.empty()) {
    std::fputs(usage_text().c_str(), stderr);
    return usage_status;
  }
  // Not for people: what the scripts of shells ask.
  if (name == "complete") return run_complete(std::vector<std::string>(argv + 2, argv + argc), of_server);
  const Command* const command = find_command(name);
  if (command == nullptr || command->run == nullptr) return unknown_command(name);
  return run(*command, argc - 1, argv + 1, of_server);
}

}  // namespace penstock::cli
