#include "cli/commands.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/command.hpp"

namespace penstock::cli {

namespace {

constexpr Words no_words{"", 0, 0, ""};
constexpr Words a_queue{"QUEUE", 1, 1, "which queue?"};
constexpr Words a_stream{"STREAM", 1, 1, "which stream?"};
constexpr Words a_function{"FUNCTION", 1, 1, "which function?"};

// clang-format off
constexpr std::array commands{
    Command{"serve", Group::serve, "serve queues, streams and functions", "", nullptr, nullptr, no_words},
    Command{"config", Group::serve, "check a file of what there is to be, tell what would be done for it (plan), do it (apply)",
            "Checks a file that says what there is to be, tells what a server lacks of it, and adds that.",
            run_config, describe_config, {"check [FILE] | plan [FILE] | apply [FILE] | schema | convert FILE", 1, 2,
             "check, plan, apply, schema or convert?"}},

    Command{"queues", Group::look, "list the queues and what is in them, or all about one",
            "Lists the queues with what is in them, or tells all about one.",
            run_queues, describe_queues, {"[QUEUE]", 0, 1, "which queue?"}},
    Command{"streams", Group::look, "list the streams, or the shards of one",
            "Lists the streams, or tells all about one and its shards.",
            run_streams, describe_nothing, {"[STREAM]", 0, 1, "which stream?"}},
    Command{"functions", Group::look, "list the functions, or tell all about one",
            "Lists the functions, or shows one, as 'function list' and 'function show' do.",
            run_functions, describe_nothing, {"[FUNCTION]", 0, 1, "which function?"}},

    Command{"send", Group::messages, "send a message, or each line of standard input as one",
            "Sends a message and prints its id. The body is the argument, or else standard input without the line break "
            "at its end.",
            run_send, describe_send, {"QUEUE [BODY]", 1, 2, "which queue?", true}},
    Command{"receive", Group::messages, "receive messages and print their bodies",
            "Receives messages and prints their bodies, each as a line. Unless they are deleted they come again when "
            "their visibility timeout is over.",
            run_receive, describe_receive, a_queue},
    Command{"peek", Group::messages, "print messages without receiving them",
            "Prints the bodies of waiting messages, each as a line, and leaves them as they are. Up to 1,000 are seen.",
            run_peek, describe_peek, a_queue},
    Command{"purge", Group::messages, "delete all messages of a queue", "Deletes all messages of a queue.",
            run_purge, describe_nothing, a_queue},
    Command{"redrive", Group::messages, "send the messages of a dead-letter queue back where they came from",
            "Moves the messages of a dead-letter queue back to where they came from, or to another queue, and waits until "
            "that is done. The server goes on by itself if this command ends before.",
            run_redrive, describe_redrive, {"QUEUE", 1, 1, "which dead-letter queue?"}},

    Command{"put", Group::streams, "put a record, or each line of standard input as one",
            "Puts a record and prints its shard and its sequence number. The data are the argument, or else standard "
            "input as it is.",
            run_put, describe_put, {"STREAM [DATA]", 1, 2, "which stream?", true}},
    Command{"tail", Group::streams, "print records, and with --consumer go on where the last one of that name stopped",
            "Prints the data of a stream's records, each as a line.", run_tail, describe_tail, a_stream},
    Command{"consumers", Group::streams,
            "list the consumers whose positions the server keeps, and how far behind they are",
            "Lists the consumers of a stream: members, records and time behind, records lost to retention.",
            run_consumers, describe_nothing, a_stream},
    Command{"lag", Group::streams, "tell how far behind they are in each shard",
            "Tells how far behind a stream's consumers are in each shard, and who reads it.",
            run_lag, describe_lag, a_stream},
    Command{"reset", Group::streams, "set a consumer's positions", "Sets a consumer's positions, whatever they were.",
            run_reset, describe_reset, a_stream},

    Command{"function", Group::functions, "register a function, list, show and remove them",
            "Registers functions, lists, shows and removes them.", run_function, describe_function,
            {"add NAME [-- COMMAND...] | list | show FUNCTION | remove FUNCTION", 1, 2, "add, list, show or remove?", true}},
    Command{"mapping", Group::functions, "have a function run for what is on a queue or a stream, list, remove",
            "Has a function run for what is on a queue or a stream.", run_mapping, describe_mapping,
            {"add SOURCE FUNCTION | list | remove UUID", 1, 3, "add, list or remove?"}},
    Command{"invoke", Group::functions, "run a function once and print its answer",
            "Runs a function once and prints its answer.", run_invoke, describe_invoke, a_function},
    Command{"logs", Group::functions, "print what a function wrote, with -f as it is written",
            "Prints what a function wrote, and when its invocations began and ended.",
            run_logs, describe_logs, a_function},

    Command{"clock", Group::operate, "tell what the server's clock shows, and change a virtual one",
            "Tells what the server's clock shows and when something happens next, and changes a virtual one.",
            run_clock, describe_clock,
            {"[advance DURATION|next | set TIME | freeze | thaw | speed N]", 0, 2, "advance, set, freeze, thaw or speed?"}},
    Command{"idle", Group::operate, "tell whether all is done that there is to do, and wait for it",
            "Tells whether no message is visible to a mapping, nothing is in flight and no consumer lags, and what is.",
            run_idle, describe_idle, no_words},
    Command{"why", Group::operate, "tell what became of a message",
            "Tells what became of a message of a queue lately.", run_why, describe_nothing,
            {"MESSAGE-ID", 1, 1, "which message?"}},
    Command{"fault", Group::operate, "have requests fail, where the server allows it",
            "Has requests fail, as rules in JSON say; for a server that was started with --allow-faults.",
            run_fault, describe_nothing, {"add RULE | list | remove ID | clear", 1, 2, "add, list, remove or clear?"}},
    Command{"env", Group::operate, "print what points the AWS SDKs and CLIs of a shell at the server",
            "Prints what points the AWS SDKs and CLIs of a shell at the server: eval \"$(penstock env)\".",
            run_env, describe_env, no_words},
    Command{"backup", Group::operate, "copy the server's data into a directory, while it goes on",
            "Has the server copy its data, while it goes on, into an empty directory of its machine, and waits until "
            "that is done.",
            run_backup, describe_nothing, {"DIR", 1, 1, "into which directory?"}},
    Command{"restore", Group::operate, "make a backup a data directory again",
            "Makes a backup a data directory again, with no server at it. Every file is held against its hash before.",
            run_restore, describe_restore, {"DIR", 1, 1, "which backup?"}},
    Command{"check", Group::operate, "verify a data directory",
            "Reads all of a data directory, with no server at it, and tells what does not fit together. Nothing is "
            "changed.",
            run_check, describe_check, no_words},
    Command{"state", Group::operate, "delete all that there is (reset), export and import it",
            "Deletes all that a server has, in every account and region, or writes it to standard output as lines of "
            "JSON, or makes what such lines say, of a file or of standard input.",
            run_state, describe_state, {"reset | export | import [FILE]", 1, 2, "reset, export or import?"}},
    Command{"completion", Group::operate, "print a shell's script by which it completes these commands",
            "Prints the script by which a shell completes commands, flags and names: eval \"$(penstock completion bash)\".",
            run_completion, describe_nothing, {"bash|zsh|fish", 1, 1, "of which shell: bash, zsh or fish?"}},
};
// clang-format on

constexpr std::array<std::string_view, 6> group_titles{"Serve",   "Look",      "Send and receive",
                                                       "Streams", "Functions", "Operate"};

constexpr std::string_view usage_begin = R"(Usage: penstock <command> [flags]
       penstock --version
)";
constexpr std::string_view usage_end = R"(
Run 'penstock help <command>' for its flags.
Exit status: 0 done, 1 failed, 2 the command line is wrong, 3 no server was reached at the endpoint, or it was and gave
no answer, which the message tells apart, 4 there was nothing, or nothing came in time, 130 interrupted.
)";

/// What stands in the list; the flags and words of a command that is several are told by its help.
std::string listed(const Command& command) {
  std::string text(command.name);
  const bool several = command.words.help.find(" | ") != std::string_view::npos;
  if (!several && !command.words.help.empty()) text.append(" ").append(command.words.help);
  return text;
}

}  // namespace

std::span<const Command> all_commands() { return commands; }

const Command* find_command(std::string_view name) {
  const auto* const found =
      std::find_if(commands.begin(), commands.end(), [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : found;
}

cxxopts::Options options_of(const Command& command) {
  cxxopts::Options options("penstock " + std::string(command.name), command.what);
  command.describe(options);
  describe_common(options, command.words);
  return options;
}

std::vector<Flag> flags_of(const cxxopts::Options& options) {
  std::vector<Flag> flags;
  for (const std::string& group : options.groups()) {
    if (group == hidden_group) continue;
    for (const cxxopts::HelpOptionDetails& one : options.group_help(group).options) {
      flags.push_back({one.l.empty() ? std::string() : one.l.front(), one.s, one.is_boolean ? "" : one.arg_help,
                       one.desc, one.is_container});
    }
  }
  return flags;
}

std::vector<Flag> flags_of(const Command& command, const OfServer& of_server) {
  if (command.run != nullptr) return flags_of(options_of(command));
  return of_server.serve_flags ? of_server.serve_flags() : std::vector<Flag>();
}

std::string usage_text() {
  std::size_t width = 0;
  for (const Command& command : commands) width = std::max(width, listed(command).size());
  std::string text(usage_begin);
  for (std::size_t group = 0; group < group_titles.size(); ++group) {
    text.append("\n").append(group_titles.at(group)).append(":\n");
    for (const Command& command : commands) {
      if (command.group != static_cast<Group>(group)) continue;
      const std::string name = listed(command);
      text.append("  ").append(name).append(width - name.size() + 2, ' ').append(command.summary).append("\n");
    }
  }
  return text.append(usage_end);
}

}  // namespace penstock::cli
