#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/function_names.hpp"
#include "cli/function_shapes.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "client/api.hpp"
#include "config/setup.hpp"
#include "protocol/native/constraints.hpp"

namespace penstock::cli {

namespace {

std::string path_of(const std::string& name) {
  return std::string(wire::functions_path) + "/" + client::percent_encode(name);
}

/// The command's own directories are not the server's.
std::string absolute_directory(const std::string& given) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(given.empty() ? "." : given, error);
  if (error || !std::filesystem::is_directory(path, error)) throw UsageError("'" + given + "' is no directory");
  return path.string();
}

protocol::Map<std::string> variables_of(const Arguments& arguments) {
  protocol::Map<std::string> variables;
  for (const std::string& one : arguments.texts("env")) {
    const std::size_t end = one.find('=');
    if (end == std::string::npos || end == 0) throw UsageError("--env is like NAME=VALUE, not '" + one + "'");
    variables.entries.emplace_back(one.substr(0, end), one.substr(end + 1));
  }
  return variables;
}

/// The kinds exclude each other: a URL, a command behind `--`, or a runtime.
wire::Function described(const Arguments& arguments) {
  wire::Function function;
  const bool runs_command = !arguments.rest.empty();
  if (arguments.has("exec") && !runs_command) throw UsageError("--exec goes with a command behind --");
  const int kinds = (arguments.has("url") ? 1 : 0) + (runs_command ? 1 : 0) + (arguments.has("runtime") ? 1 : 0);
  if (kinds != 1) {
    throw UsageError(kinds == 0 ? "what is to be run: --runtime, --url, or a command behind --?"
                                : "--runtime, --url and a command behind -- exclude each other");
  }
  if (arguments.has("runtime")) function.runtime = arguments.text("runtime");
  const std::string runtime = function.runtime.value_or("");
  function.kind = protocol::native::name_of(
      arguments.has("exec") ? FunctionKind::exec : config::kind_of(runtime, runs_command, arguments.has("url")));
  if (arguments.has("url")) {
    function.url = arguments.text("url");
  } else {
    function.directory = absolute_directory(arguments.text("directory"));
  }
  if (runs_command) function.command = arguments.rest;
  if (arguments.has("handler")) function.handler = arguments.text("handler");
  function.timeout = read_number(arguments, "timeout", 1);
  function.memory = read_number(arguments, "memory", 1);
  function.concurrency = read_number(arguments, "concurrency", 0);
  if (arguments.has("env")) function.environment = variables_of(arguments);
  return function;
}

/// What runs, in one line.
std::string what_runs(const wire::Function& function) {
  if (function.url) return *function.url;
  std::string text;
  if (function.command) {
    for (const std::string& word : *function.command) text.append(text.empty() ? "" : " ").append(word);
  }
  if (!text.empty()) return text;
  text = or_dash(function.runtime);
  return function.handler ? text + " " + *function.handler : text;
}

std::string setting(const std::optional<std::int32_t>& value) { return value ? std::to_string(*value) : "-"; }

int add(Server& server, const Arguments& arguments, const std::string& name) {
  client::Request request{"PUT", path_of(name), client::to_json(described(arguments))};
  const auto function = client::from_json<wire::Function>(server.lambda(std::move(request), until_answered));
  if (arguments.json) {
    print_json(function);
  } else {
    remark(name + ": " + what_runs(function));
  }
  if (function.remark) remark(*function.remark);
  return success_status;
}

int list(Server& server, const Arguments& arguments) {
  wire::FunctionList all;
  all.functions = all_functions(server);
  if (arguments.json) {
    print_json(all);
    return success_status;
  }
  Table table({"FUNCTION", "KIND", "RUNS", "TIMEOUT", "MEMORY", "CONCURRENCY"});
  for (const wire::Function& function : *all.functions) {
    table.add({or_dash(function.name), or_dash(function.kind), what_runs(function), setting(function.timeout),
               setting(function.memory), setting(function.concurrency)});
  }
  table.print();
  return success_status;
}

int show(Server& server, const Arguments& arguments, const std::string& name) {
  const auto function = client::from_json<wire::Function>(server.lambda({"GET", path_of(name), {}}));
  if (arguments.json) {
    print_json(function);
    return success_status;
  }
  Table table({"SETTING", "VALUE"});
  table.add({"name", or_dash(function.name)});
  table.add({"arn", or_dash(function.arn)});
  table.add({"kind", or_dash(function.kind)});
  table.add({"runs", what_runs(function)});
  table.add({"directory", or_dash(function.directory)});
  table.add({"timeout", setting(function.timeout)});
  table.add({"memory", setting(function.memory)});
  table.add({"concurrency", setting(function.concurrency)});
  if (function.environment) {
    for (const auto& [variable, value] : function.environment->entries) table.add({"$" + variable, value});
  }
  table.print();
  return success_status;
}

int remove(Server& server, const Arguments& arguments, const std::string& name) {
  server.lambda({"DELETE", path_of(name), {}}, until_answered);
  if (!arguments.json) return success_status;
  wire::Function removed;
  removed.name = name;
  print_json(removed);
  return success_status;
}

}  // namespace

void describe_function(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("runtime", "python3.* or nodejs*, which load --handler, or provided.*, which runs the directory's bootstrap", text(),
       "RUNTIME")
      ("handler", "what is called for each event, such as app.handler", text(), "HANDLER")
      ("directory", "where the code is: it is run where it lies (default: the working directory)", text(), "DIR")
      ("exec", "the command behind -- is run once for each event, which stands on its standard input, and answers on its "
       "standard output; without this flag it is a process that speaks the Runtime API", cxxopts::value<bool>())
      ("url", "another Lambda emulator's Invoke endpoint for the function", text(), "URL")
      ("timeout", "seconds that one invocation may take (default: 3)", text(), "S")
      ("memory", "mebibytes that one process may use (default: 128)", text(), "MIB")
      ("env", "a variable of its environment; may be given more than once",
       cxxopts::value<std::vector<std::string>>(), "NAME=VALUE")
      ("concurrency", "invocations at a time, which are reserved for it (default: what there is)", text(), "N");
  // clang-format on
}

int run_function(const Arguments& arguments) {
  const std::string action = arguments.word(0);
  const std::string name = arguments.word(1);
  if (action == "list" && !name.empty()) throw UsageError("'" + name + "' is one argument too many");
  if (action != "list" && action != "add" && action != "show" && action != "remove") {
    throw UsageError("add, list, show or remove, not '" + action + "'");
  }
  if (action != "list" && name.empty()) throw UsageError("which function?");
  if (action != "add" && !arguments.rest.empty()) throw UsageError("only what is added has a command");
  Server server(arguments);
  if (action == "add") return add(server, arguments, name);
  if (action == "show") return show(server, arguments, name);
  if (action == "remove") return remove(server, arguments, name);
  return list(server, arguments);
}

int run_functions(const Arguments& arguments) {
  Server server(arguments);
  return arguments.words.empty() ? list(server, arguments) : show(server, arguments, arguments.word(0));
}

}  // namespace penstock::cli
