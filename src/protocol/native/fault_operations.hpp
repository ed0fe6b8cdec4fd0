// The operations by which clients have requests fail: rules in the shape of LocalStack's chaos API, which a list alone
// may stand for, and what goes beyond it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/native/server_operations.hpp"

namespace penstock::protocol::native {

namespace values {
inline constexpr std::array<std::string_view, 3> fault_service{"sqs", "kinesis", "lambda"};
}  // namespace values

namespace rules {
inline constexpr MemberOptions fault_service = detail::one_of(values::fault_service);
inline constexpr MemberOptions fault_text = detail::sized(1, fault_limits::text_chars_max);
inline constexpr MemberOptions fault_status = detail::from_to(std::int64_t{400}, std::int64_t{599});
inline constexpr MemberOptions fault_count = detail::from_to(std::int64_t{1}, fault_limits::hits_max);
inline constexpr MemberOptions fault_rules = detail::sized(0, fault_limits::rules_max);
}  // namespace rules

struct FaultErrorShape {
  std::optional<std::int32_t> status_code;
  std::optional<std::string> code;
  std::optional<std::string> message;

  static constexpr auto shape() {
    using Self = FaultErrorShape;
    return Shape(
        "FaultError",
        optional("statusCode", &Self::status_code, about("503 where nothing is said.", rules::fault_status)),
        optional("code", &Self::code,
                 about("Its name, in printable ASCII; ServiceUnavailable where nothing is said.", rules::fault_text)),
        optional("message", &Self::message, about("For a person.", rules::fault_text)));
  }
};

struct FaultRuleShape {
  std::optional<std::string> id;
  std::optional<std::string> service;
  std::optional<std::string> operation;
  std::optional<std::string> region;
  std::optional<std::string> resource;
  std::optional<double> probability;
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> count;
  std::optional<FaultErrorShape> error;
  std::optional<bool> throttle;
  std::optional<std::string> latency;
  std::optional<bool> duplicate;
  std::optional<bool> reorder;
  std::optional<std::string> commit_latency;
  std::optional<std::int64_t> hits;

  /// Lengths of time, in which a number alone is of seconds.
  static constexpr std::array<std::string_view, 2> may_be_numbers{"latency", "commit_latency"};
  static constexpr auto shape() {
    using Self = FaultRuleShape;
    return Shape(
        "FaultRule",
        optional("id", &Self::id, about("By which it is removed; the server's choice if absent.", rules::fault_text)),
        optional("service", &Self::service,
                 about("Whose requests it is about: of all if absent.", rules::fault_service)),
        optional("operation", &Self::operation,
                 about("Such as SendMessage; of the service, or of any if that is absent.", rules::fault_text)),
        optional("region", &Self::region, about("Of what the request is about.", rules::fault_text)),
        optional("resource", &Self::resource,
                 about("A queue's, a stream's or a function's name, or how it begins, with a star behind it.",
                       rules::fault_text)),
        optional("probability", &Self::probability, about("From 0 to 1, which is where nothing is said.")),
        optional("seed", &Self::seed, about("Of its chances, so that they come again.", rules::natural)),
        optional("count", &Self::count, about("How many requests it meets at most.", rules::fault_count)),
        optional("error", &Self::error,
                 about("What a request is answered with instead of being carried out. A rule that says nothing of what "
                       "becomes of a request has one, with what is said where nothing is.")),
        optional("throttle", &Self::throttle, about("The same with the error by which the service throttles.")),
        optional(
            "latency", &Self::latency,
            about("How long a request waits before, such as 200ms; a number alone, which may also be one of JSON, is "
                  "of seconds.",
                  duration_text)),
        optional(
            "duplicate", &Self::duplicate,
            about("What a ReceiveMessage delivers is visible again at once, and so is delivered twice; from a FIFO "
                  "queue only every other time, since a message that was visible again is deleted by its last handle "
                  "alone.")),
        optional("reorder", &Self::reorder, about("What a ReceiveMessage from a standard queue delivers is shuffled.")),
        optional(
            "commit_latency", &Self::commit_latency,
            about(
                "How much longer each commit takes, in the same ways. Goes with no member that says which requests are "
                "meant.",
                duration_text)),
        optional("hits", &Self::hits, about("Of an answer: how many requests it has met.", rules::natural)));
  }
};

struct FaultListOutput {
  std::optional<std::vector<FaultRuleShape>> rules;

  static constexpr auto shape() {
    return Shape("FaultListOutput",
                 required("rules", &FaultListOutput::rules, about("In the order in which they are looked at.")));
  }
};

// ---- ListFaults

struct ListFaultsInput {
  static constexpr auto shape() { return Shape("ListFaultsInput"); }
};

struct ListFaultsOperation {
  static constexpr std::string_view name = "ListFaults";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/faults";
  static constexpr std::string_view summary = "Lists the faults that requests have, and how often each was met.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::NotEnabled);
  using Input = ListFaultsInput;
  using Output = FaultListOutput;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

// ---- AddFaults and ReplaceFaults

struct AddFaultsInput {
  std::optional<std::vector<FaultRuleShape>> rules;

  static constexpr std::string_view wraps_list = "rules";
  static constexpr auto shape() {
    return Shape("AddFaultsInput",
                 required("rules", &AddFaultsInput::rules,
                          about("Those that are to be added; a list of them may stand alone.", rules::fault_rules)));
  }
};

struct AddFaultsOperation {
  static constexpr std::string_view name = "AddFaults";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/faults";
  static constexpr std::string_view summary = "Adds faults to those that requests have, and lists all.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::NotEnabled);
  using Input = AddFaultsInput;
  using Output = FaultListOutput;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

struct ReplaceFaultsOperation : AddFaultsOperation {
  static constexpr std::string_view name = "ReplaceFaults";
  static constexpr std::string_view method = "PUT";
  static constexpr std::string_view summary = "Puts these faults in the place of those that there are, and lists them.";
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
};

// ---- RemoveFaults and RemoveFault

struct RemoveFaultsInput {
  static constexpr auto shape() { return Shape("RemoveFaultsInput"); }
};

struct RemoveFaultsOperation {
  static constexpr std::string_view name = "RemoveFaults";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/_penstock/faults";
  static constexpr std::string_view summary = "Removes all faults.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::NotEnabled);
  using Input = RemoveFaultsInput;
  using Output = FaultListOutput;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

struct RemoveFaultInput {
  std::optional<std::string> id;

  static constexpr auto shape() {
    return Shape("RemoveFaultInput", required("Id", &RemoveFaultInput::id, in_path("Which.", rules::fault_text)));
  }
};

struct RemoveFaultOperation {
  static constexpr std::string_view name = "RemoveFault";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/_penstock/faults/{Id}";
  static constexpr std::string_view summary = "Removes a fault, and lists those that are left.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::NotEnabled, ErrorCode::NotFound);
  using Input = RemoveFaultInput;
  using Output = FaultListOutput;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

// ---- LocalStack's own path of these rules

/// Where LocalStack has them.
inline constexpr std::string_view chaos_path = "/_localstack/chaos/faults";

/// A request there: GET lists them, POST puts its list in the place of those that there are, PATCH adds it to them, and
/// DELETE removes those that its list names, or all if it has no body. Each answers the list that there is then.
/// Nothing, for another method.
std::optional<Prepared> prepare_chaos(std::string_view method, const Call& call);
inline constexpr std::string_view chaos_methods = "GET, POST, PATCH, DELETE";

}  // namespace penstock::protocol::native
