#include "protocol/native/function_operations.hpp"

#include <chrono>
#include <utility>

#include "protocol/kinesis/shapes.hpp"
#include "protocol/lambda/constraints.hpp"
#include "protocol/lambda/function_settings.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::native {
namespace {

FunctionKind kind_of(std::string_view name) {
  if (name == name_of(FunctionKind::handler)) return FunctionKind::handler;
  if (name == name_of(FunctionKind::exec)) return FunctionKind::exec;
  return name == name_of(FunctionKind::url) ? FunctionKind::url : FunctionKind::runtime;
}

FunctionName name_in(const OfFunctions& input, const Caller& caller, std::string name) {
  return {input.account.value_or(std::string(caller.account)), input.region.value_or(std::string(caller.region)),
          std::move(name)};
}

template <class C>
AskedTriggers ask_about(const OfFunction& input, const Caller& caller, C command = {}) {
  command.function = name_in(input, caller, *input.function);
  return TriggerCommand(std::move(command));
}

/// Which members a kind needs, and which it knows.
struct KindMembers {
  std::string_view needed;
  std::string_view known;
};
KindMembers members_of(FunctionKind kind) {
  switch (kind) {
    case FunctionKind::handler:
      return {" Directory Handler Runtime ", " Directory Handler Runtime "};
    case FunctionKind::exec:
      return {" Command ", " Command Directory Handler "};
    case FunctionKind::url:
      return {" Url ", " Url "};
    case FunctionKind::runtime:
      break;
  }
  return {"", " Command Directory Handler Runtime "};
}

std::optional<Error> check_members(const RegisterFunctionInput& input, FunctionKind kind) {
  const KindMembers members = members_of(kind);
  const std::string of_kind = " a function of kind " + std::string(name_of(kind)) + ".";
  std::optional<Error> objection;
  const auto check = [&](std::string_view name, bool given) {
    const std::string word = " " + std::string(name) + " ";
    if (objection) return;
    if (given && members.known.find(word) == std::string_view::npos) {
      objection = invalid_request(std::string(name) + " says nothing of" + of_kind);
    } else if (!given && members.needed.find(word) != std::string_view::npos) {
      objection = invalid_request(std::string(name) + " is missing, which is needed for" + of_kind);
    }
  };
  check("Command", input.command.has_value());
  check("Directory", input.directory.has_value());
  check("Handler", input.handler.has_value());
  check("Runtime", input.runtime.has_value());
  check("Url", input.url.has_value());
  if (!objection && kind == FunctionKind::runtime && !input.command && !input.directory) {
    return invalid_request("Command or Directory is missing, of which one is needed for" + of_kind);
  }
  return objection;
}

/// What each member has to be like, beyond what its constraints say.
std::optional<Error> check_values(const RegisterFunctionInput& input, FunctionKind kind) {
  if (input.directory && !input.directory->starts_with('/')) {
    return invalid_request(
        "Directory has to be an absolute path, since the server may run elsewhere than its clients.");
  }
  if (input.url && !input.url->starts_with("http://")) {
    return invalid_request("Url has to begin with http://.");
  }
  if (input.command && input.command->front().empty()) return invalid_request("Command[0] is empty.");
  for (const std::string* text :
       {input.directory ? &*input.directory : nullptr, input.handler ? &*input.handler : nullptr}) {
    if (text != nullptr && text->find('\0') != std::string::npos) return invalid_request("A NUL can not be in a path.");
  }
  if (input.command) {
    for (const std::string& argument : *input.command) {
      if (argument.find('\0') != std::string::npos) return invalid_request("A NUL can not be in a Command.");
    }
  }
  if (input.environment) {
    // As Lambda's operations have it, which could not change a function with other names.
    const Pattern& pattern = lambda::patterns::variable_name;
    for (const auto& [variable, text] : input.environment->entries) {
      if (pattern.matches(variable)) continue;
      return invalid_request("The names in Environment have to match " + std::string(pattern.text()) +
                             ", and one is '" + variable + "'.");
    }
  }
  if (kind != FunctionKind::handler) return std::nullopt;
  const auto runs = lambda::kind_of_runtime(*input.runtime);
  if (const Error* error = std::get_if<Error>(&runs)) return invalid_request(error->message);
  if (std::get<FunctionKind>(runs) == FunctionKind::handler) return std::nullopt;
  return invalid_request("The Runtime " + *input.runtime + " has no handlers; its Kind is runtime.");
}

FunctionState state_of(const FunctionRecord& function) {
  FunctionState out;
  const auto put = [](std::optional<std::string>& member, const std::string& value) {
    if (!value.empty()) member = value;
  };
  out.function_name = function.name.name;
  out.function_arn = arn_of(function.name);
  out.kind = name_of(function.kind);
  if (!function.command.empty()) out.command = function.command;
  put(out.directory, function.directory);
  put(out.handler, function.handler);
  put(out.runtime, function.runtime);
  put(out.url, function.url);
  out.timeout = function.timeout_seconds;
  out.memory_size = function.memory_mib;
  if (!function.environment.empty()) {
    auto& entries = out.environment.emplace().entries;
    entries.assign(function.environment.begin(), function.environment.end());
  }
  out.reserved_concurrency = function.reserved_concurrency;
  put(out.code_sha256, function.code_sha256);
  out.modified_timestamp = kinesis::to_timestamp(function.modified);
  return out;
}

Told<FunctionState> tell_function(const TriggerResult& result) {
  const auto* description = std::get_if<FunctionDescription>(&result);
  if (description == nullptr) return unexpected_result();
  FunctionState state = state_of(description->function);
  if (!description->remark.empty()) state.remark = description->remark;
  return state;
}

}  // namespace

AskedTriggers RegisterFunctionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  const FunctionKind kind = kind_of(*input.kind);
  if (auto error = check_members(input, kind)) return std::move(*error);
  if (auto error = check_values(input, kind)) return std::move(*error);
  CreateFunction command;
  command.replace = true;
  FunctionRecord& function = command.function;
  function.name = name_in(input, caller, std::move(*input.function));
  function.kind = kind;
  function.role = "arn:aws:iam::" + function.name.account + ":role/penstock";
  const auto put = [](auto& field, auto& given) {
    if (given) field = std::move(*given);
  };
  put(function.command, input.command);
  put(function.directory, input.directory);
  put(function.handler, input.handler);
  put(function.runtime, input.runtime);
  put(function.url, input.url);
  put(function.timeout_seconds, input.timeout);
  put(function.memory_mib, input.memory_size);
  function.reserved_concurrency = input.reserved_concurrency;
  if (input.environment) {
    function.environment = lambda::to_map(std::move(*input.environment));
    if (auto refusal = lambda::check_environment(function.environment)) return invalid_request(refusal->message);
  }
  return TriggerCommand(std::move(command));
}

Told<FunctionState> RegisterFunctionOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_function(result);
}

AskedTriggers DescribeFunctionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about<GetFunction>(input, caller);
}

Told<FunctionState> DescribeFunctionOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_function(result);
}

AskedTriggers ListFunctionsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  FunctionName where = name_in(input, caller, {});
  ListFunctions command;
  command.account = std::move(where.account);
  command.region = std::move(where.region);
  command.after = std::move(input.exclusive_start_function).value_or(std::string());
  command.limit = page_of(input.limit);
  return TriggerCommand(std::move(command));
}

Told<ListFunctionsOutput> ListFunctionsOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* list = std::get_if<FunctionList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  auto& functions = output.functions.emplace();
  functions.reserve(list->functions.size());
  for (const FunctionRecord& function : list->functions) functions.push_back(state_of(function));
  output.has_more_functions = list->more;
  return output;
}

AskedTriggers DeregisterFunctionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about<DeleteFunction>(input, caller);
}

Told<Nothing> DeregisterFunctionOperation::to_output(TriggerResult&& result, Kept&) { return nothing_if_done(result); }

AskedTriggers ReadFunctionLogOperation::to_command(Input& input, const Caller& caller, Kept&) {
  ReadFunctionLog command;
  command.after = static_cast<std::uint64_t>(input.after.value_or(0));
  if (input.limit) command.lines_max = static_cast<std::size_t>(*input.limit);
  command.wait = std::chrono::seconds(input.wait_seconds.value_or(0));
  return ask_about(input, caller, std::move(command));
}

Told<ReadFunctionLogOutput> ReadFunctionLogOperation::to_output(TriggerResult&& result, Kept&) {
  auto* log = std::get_if<FunctionLog>(&result);
  if (log == nullptr) return unexpected_result();
  Output output;
  auto& lines = output.lines.emplace();
  lines.reserve(log->lines.size());
  for (LogLine& line : log->lines) {
    lines.push_back({static_cast<std::int64_t>(line.number), kinesis::to_timestamp(line.at), std::move(line.text)});
  }
  output.dropped_lines = static_cast<std::int64_t>(log->dropped);
  return output;
}

}  // namespace penstock::protocol::native
