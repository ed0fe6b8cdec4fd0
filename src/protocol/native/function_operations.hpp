// The operations that register functions in ways that Lambda's API has no words for: by a command, a directory or a
// URL, rather than as a zip. And what functions have written to their logs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/trigger_commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/native/call.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

/// The modelled errors of an operation about functions: its own and those of every operation.
template <class... Codes>
constexpr auto function_errors_of(Codes... codes) {
  return std::array{codes..., ErrorCode::InvalidRequest, ErrorCode::RequestTooLarge, ErrorCode::ServiceUnavailable,
                    ErrorCode::LambdaServiceException};
}

/// The input of an operation about functions.
struct OfFunctions {
  std::optional<std::string> region;
  std::optional<std::string> account;
};
/// About one of them.
struct OfFunction : OfFunctions {
  std::optional<std::string> function;
};

template <class... Members>
constexpr auto functions_shape(std::string_view name, Members... members) {
  return Shape(name, members...,
               optional("Region", &OfFunctions::region,
                        in_query("The functions' region, if it is not that of the credentials.", rules::region)),
               optional("Account", &OfFunctions::account,
                        in_query("The functions' account, if it is not that of the credentials.", rules::account)));
}
template <class... Members>
constexpr auto function_shape(std::string_view name, Members... members) {
  return functions_shape(
      name, required("Function", &OfFunction::function, in_path("The function's name.", rules::function_name)),
      members...);
}

/// What an answer says of a function.
struct FunctionState {
  std::optional<std::string> function_name;
  std::optional<std::string> function_arn;
  std::optional<std::string_view> kind;
  std::optional<std::vector<std::string>> command;
  std::optional<std::string> directory;
  std::optional<std::string> handler;
  std::optional<std::string> runtime;
  std::optional<std::string> url;
  std::optional<std::int32_t> timeout;
  std::optional<std::int32_t> memory_size;
  std::optional<Map<std::string>> environment;
  std::optional<std::int32_t> reserved_concurrency;
  std::optional<std::string> code_sha256;
  std::optional<Timestamp> modified_timestamp;
  std::optional<std::string> remark;

  static constexpr auto shape() {
    using Self = FunctionState;
    return Shape(
        "FunctionState", required("FunctionName", &Self::function_name, about("The function's name.")),
        required("FunctionArn", &Self::function_arn, about("The function's ARN.")),
        required("Kind", &Self::kind, about("How it is run.", rules::function_kind)),
        optional("Command", &Self::command, about("What is started, with its arguments.")),
        optional("Directory", &Self::directory, about("Where its code lies.")),
        optional("Handler", &Self::handler, about("What of the code is called.")),
        optional("Runtime", &Self::runtime, about("The runtime, such as python3.12.")),
        optional("Url", &Self::url, about("To which events are posted.")),
        required("Timeout", &Self::timeout, about("Seconds that an invocation may take.")),
        required("MemorySize", &Self::memory_size, about("MiB of memory that an environment may take.")),
        optional("Environment", &Self::environment, about("Variables of its environment.")),
        optional("ReservedConcurrency", &Self::reserved_concurrency, about("Invocations at a time that are its own.")),
        optional("CodeSha256", &Self::code_sha256, about("Of the zip that it was made of, as base64.")),
        required("ModifiedTimestamp", &Self::modified_timestamp, about("When it was changed last.")),
        optional("Remark", &Self::remark,
                 about("Of a registration: what a person should know of how it is run on this machine.")));
  }
};

// ---- RegisterFunction

struct RegisterFunctionInput : OfFunction {
  std::optional<std::string> kind;
  std::optional<std::vector<std::string>> command;
  std::optional<std::string> directory;
  std::optional<std::string> handler;
  std::optional<std::string> runtime;
  std::optional<std::string> url;
  std::optional<std::int32_t> timeout;
  std::optional<std::int32_t> memory_size;
  std::optional<Map<std::string>> environment;
  std::optional<std::int32_t> reserved_concurrency;

  static constexpr auto shape() {
    using Self = RegisterFunctionInput;
    return function_shape(
        "RegisterFunctionInput",
        required(
            "Kind", &Self::kind,
            about("runtime: a process that speaks the Runtime API; handler: code for a built-in bootstrap; exec: a "
                  "process for each event; url: another emulator's Invoke endpoint.",
                  rules::function_kind)),
        optional("Command", &Self::command,
                 about("What a runtime or an exec starts, with its arguments; of a runtime, `bootstrap` in its "
                       "Directory if nothing is said.",
                       rules::command)),
        optional("Directory", &Self::directory, about("Where the code lies, as an absolute path.", rules::directory)),
        optional("Handler", &Self::handler, about("What of a handler's code is called.", rules::handler)),
        optional("Runtime", &Self::runtime, about("Of a handler: the runtime, such as python3.12.", rules::runtime)),
        optional("Url", &Self::url, about("Of a url: to which events are posted.", rules::url)),
        optional("Timeout", &Self::timeout,
                 about("Seconds that an invocation may take, 3 if nothing is said.", rules::timeout)),
        optional("MemorySize", &Self::memory_size,
                 about("MiB of memory that an environment may take, 128 if nothing is said.", rules::memory_size)),
        optional("Environment", &Self::environment, about("Variables of its environment.", rules::environment)),
        optional("ReservedConcurrency", &Self::reserved_concurrency,
                 about("Invocations at a time that are its own.", rules::natural)));
  }
};

struct RegisterFunctionOperation {
  static constexpr std::string_view name = "RegisterFunction";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view path = "/_penstock/functions/{Function}";
  static constexpr std::string_view summary =
      "Registers a function; one of that name that is there becomes what the request says.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors =
      function_errors_of(ErrorCode::LambdaCodeStorageExceeded, ErrorCode::LambdaInvalidRuntime);
  using Input = RegisterFunctionInput;
  using Output = FunctionState;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- DescribeFunction

struct DescribeFunctionInput : OfFunction {
  static constexpr auto shape() { return function_shape("DescribeFunctionInput"); }
};

struct DescribeFunctionOperation {
  static constexpr std::string_view name = "DescribeFunction";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/functions/{Function}";
  static constexpr std::string_view summary = "Describes a function, however it was registered.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = function_errors_of(ErrorCode::LambdaResourceNotFound);
  using Input = DescribeFunctionInput;
  using Output = FunctionState;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- ListFunctions

struct ListFunctionsInput : OfFunctions {
  std::optional<std::string> exclusive_start_function;
  std::optional<std::int32_t> limit;

  static constexpr auto shape() {
    using Self = ListFunctionsInput;
    return functions_shape("ListFunctionsInput",
                           optional("ExclusiveStartFunction", &Self::exclusive_start_function,
                                    in_query("The last one of the page before.", rules::function_name)),
                           optional("Limit", &Self::limit, in_query("How many at most.", rules::list_limit)));
  }
};
struct ListFunctionsOutput {
  std::optional<std::vector<FunctionState>> functions;
  std::optional<bool> has_more_functions;

  static constexpr auto shape() {
    using Self = ListFunctionsOutput;
    return Shape("ListFunctionsOutput", required("Functions", &Self::functions, about("In the order of their names.")),
                 required("HasMoreFunctions", &Self::has_more_functions,
                          about("Whether there are more, to be had by ExclusiveStartFunction.")));
  }
};

struct ListFunctionsOperation {
  static constexpr std::string_view name = "ListFunctions";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/functions";
  static constexpr std::string_view summary = "Lists functions, however they were registered.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = function_errors_of();
  using Input = ListFunctionsInput;
  using Output = ListFunctionsOutput;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- DeregisterFunction

struct DeregisterFunctionInput : OfFunction {
  static constexpr auto shape() { return function_shape("DeregisterFunctionInput"); }
};

struct DeregisterFunctionOperation {
  static constexpr std::string_view name = "DeregisterFunction";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/_penstock/functions/{Function}";
  static constexpr std::string_view summary = "Forgets a function, however it was registered.";
  static constexpr std::array statuses{status_no_content};
  static constexpr auto errors = function_errors_of(ErrorCode::LambdaResourceNotFound);
  using Input = DeregisterFunctionInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
  static int to_status(const Nothing&) { return status_no_content; }
};

// ---- ReadFunctionLog

struct ReadFunctionLogInput : OfFunction {
  std::optional<std::int64_t> after;
  std::optional<std::int32_t> limit;
  std::optional<std::int32_t> wait_seconds;

  static constexpr auto shape() {
    using Self = ReadFunctionLogInput;
    return function_shape(
        "ReadFunctionLogInput",
        optional("After", &Self::after, in_query("The number of the last line that is known.", rules::natural)),
        optional("Limit", &Self::limit, in_query("How many lines at most.", rules::log_limit)),
        optional("WaitSeconds", &Self::wait_seconds,
                 in_query("How long to wait for a line if there is none.", rules::log_wait)));
  }
};
struct FunctionLogLine {
  std::optional<std::int64_t> number;
  std::optional<Timestamp> timestamp;
  std::optional<std::string> text;

  static constexpr auto shape() {
    using Self = FunctionLogLine;
    return Shape("FunctionLogLine",
                 required("Number", &Self::number, about("Grows from line to line, also over restarts.")),
                 required("Timestamp", &Self::timestamp, about("When it was written.")),
                 required("Text", &Self::text, about("The line, without its end.")));
  }
};
struct ReadFunctionLogOutput {
  std::optional<std::vector<FunctionLogLine>> lines;
  std::optional<std::int64_t> dropped_lines;

  static constexpr auto shape() {
    using Self = ReadFunctionLogOutput;
    return Shape("ReadFunctionLogOutput", required("Lines", &Self::lines, about("In their order.")),
                 required("DroppedLines", &Self::dropped_lines,
                          about("How many there were after the last known one that are no longer kept.")));
  }
};

struct ReadFunctionLogOperation {
  static constexpr std::string_view name = "ReadFunctionLog";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/functions/{Function}/logs";
  static constexpr std::string_view summary = "Reads what a function has written to its log, or waits for more.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors =
      function_errors_of(ErrorCode::LambdaResourceNotFound, ErrorCode::LambdaTooManyRequests);
  using Input = ReadFunctionLogInput;
  using Output = ReadFunctionLogOutput;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::native
