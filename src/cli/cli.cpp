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
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "penstock/client.hpp"

namespace penstock::cli {

namespace {

constexpr const char* usage = R"(Usage: penstock <command> [flags]
       penstock --version

Durable queues and streams that unmodified AWS SDKs talk to, and functions that are run for what is on them.

  serve             serve them
  consumers STREAM  list the consumers of a stream whose positions the server keeps, and how far behind they are
  lag STREAM        tell how far behind they are in each shard
  tail STREAM       print records, and with --consumer go on where the last one of that name stopped
  reset STREAM      set a consumer's positions
  config            check a penstock.yaml or a template, tell what would be done for it (plan), and do it (apply);
                    print the schema of a penstock.yaml, make one of an ElasticMQ or goaws file (convert)
  function          register functions (add NAME), list, show and remove them
  mapping           have a function run for what is on a queue or a stream (add SOURCE FUNCTION), list, remove
  invoke NAME       run a function once and print its answer
  logs NAME         print what a function wrote, with -f as it is written

Run 'penstock <command> --help' for its flags.
Exit status: 0 done, 1 failed, 2 the command line is wrong, 3 there is no server at the endpoint.
)";

struct Command {
  std::string_view name;
  const char* what;
  int (*run)(const Arguments& arguments);
  void (*describe)(cxxopts::Options& flags);
  Words words = {"STREAM", 1, 1, "which stream?"};
};

constexpr std::array commands{
    Command{"config",
            "Checks a file that says what there is to be, a penstock.yaml or a CloudFormation or SAM template, tells "
            "what a "
            "server lacks of it, and adds that. Prints the schema of a penstock.yaml, and makes one of another's file.",
            run_config, describe_config,
            Words{"check [FILE] | plan [FILE] | apply [FILE] | schema | convert FILE", 1, 2,
                  "check, plan, apply, schema or convert?"}},
    Command{
        "function", "Registers functions, lists, shows and removes them.", run_function, describe_function,
        Words{"add NAME [-- COMMAND...] | list | show NAME | remove NAME", 1, 2, "add, list, show or remove?", true}},
    Command{"mapping", "Has a function run for what is on a queue or a stream.", run_mapping, describe_mapping,
            Words{"add SOURCE FUNCTION | list | remove UUID", 1, 3, "add, list or remove?"}},
    Command{"invoke", "Runs a function once and prints its answer.", run_invoke, describe_invoke,
            Words{"NAME", 1, 1, "which function?"}},
    Command{"logs", "Prints what a function wrote, and when its invocations began and ended.", run_logs, describe_logs,
            Words{"NAME", 1, 1, "which function?"}},
    Command{"consumers",
            "Lists the consumers of a stream: members, records and time behind, records lost to retention.",
            run_consumers, describe_consumers},
    Command{"lag", "Tells how far behind a stream's consumers are in each shard, and who reads it.", run_lag,
            describe_lag},
    Command{"reset", "Sets a consumer's positions, whatever they were.", run_reset, describe_reset},
    Command{"tail", "Prints the data of a stream's records, each as a line.", run_tail, describe_tail},
};

void complain(std::string_view what) {
  std::fprintf(stderr, "penstock: %.*s\n", static_cast<int>(what.size()), what.data());
}

int wrong(const std::string& command, std::string_view what) {
  complain(what);
  std::fprintf(stderr, "Run 'penstock %s --help' for its flags.\n", command.c_str());
  return usage_status;
}

int print_help(const std::string& text) {
  try {
    Output output;
    output.write(text);
    output.flush();
  } catch (const OutputClosed&) {
  }
  return success_status;
}

int run(const Command& command, int argc, const char* const* argv, const OfServer& of_server) {
  const std::string name(command.name);
  cxxopts::Options flags("penstock " + name, command.what);
  command.describe(flags);
  describe_common(flags, command.words);
  // What is behind -- is a command line of its own.
  const char* const* const end = argv + argc;
  const char* const* const dashes = std::find(argv, end, std::string_view("--"));
  try {
    const cxxopts::ParseResult given = flags.parse(static_cast<int>(dashes - argv), argv);
    if (given.count("help") > 0) return print_help(flags.help({"", "Common"}));
    Arguments arguments =
        read_common(given, command.words, std::vector<std::string>(dashes == end ? end : dashes + 1, end));
    arguments.of_server = of_server;
    return command.run(arguments);
  } catch (const cxxopts::exceptions::exception& error) {
    return wrong(name, error.what());
  } catch (const UsageError& error) {
    return wrong(name, error.what());
  } catch (const OutputClosed&) {
    return success_status;
  } catch (const client::Unreachable& error) {
    complain(error.what());
    return unreachable_status;
  } catch (const std::exception& error) {
    complain(error.what());
    return failure_status;
  }
}

}  // namespace

int run(int argc, const char* const* argv, const OfServer& of_server) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "help" || name == "--help") return print_help(usage);
  if (name.empty()) {
    std::fputs(usage, stderr);
    return usage_status;
  }
  for (const Command& command : commands) {
    if (command.name == name) return run(command, argc - 1, argv + 1, of_server);
  }
  complain("there is no command '" + std::string(name) + "'");
  std::fputs(usage, stderr);
  return usage_status;
}

}  // namespace penstock::cli
