// What the trigger engine can be asked, and what it answers.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/errors.hpp"
#include "penstock/functions.hpp"
#include "penstock/mappings.hpp"
#include "penstock/runner.hpp"
#include "penstock/shared_text.hpp"

namespace penstock {

/// Names a command that the engine has asked for.
struct AskId {
  std::uint64_t value = 0;
  friend auto operator<=>(const AskId&, const AskId&) = default;
};

/// Names an invocation that the engine has begun.
struct InvocationId {
  std::uint64_t value = 0;
  friend auto operator<=>(const InvocationId&, const InvocationId&) = default;
};

// ---- Functions. Each names the result it is answered with; every one may be answered with Error instead. A qualifier
// other than $LATEST was refused before, but of what another emulator may run: there are no versions.

/// `zip` is seen to by the shell, which keeps what it holds and puts `code_sha256` and `code_bytes` into the record
/// before the engine is asked. The record's revision, generation and moment are the engine's to set.
/// Answer: FunctionDescription. Errors: LambdaResourceConflict, LambdaCodeStorageExceeded.
struct CreateFunction {
  FunctionRecord function;
  std::optional<std::string> zip;
  bool replace = false;  ///< an existing one is changed to this: for registration by the command line or a file
};
/// Answer: FunctionDescription. Errors: LambdaResourceNotFound.
struct GetFunction {
  FunctionName function;
};
/// Answer: FunctionList, sorted by name, of those after `after`, at most `limit`.
struct ListFunctions {
  std::string account;
  std::string region;
  std::string after;
  std::size_t limit = 50;
};
/// Code or configuration. Answer: FunctionDescription. Errors: LambdaResourceNotFound, LambdaPreconditionFailed.
struct UpdateFunction {
  FunctionName function;
  FunctionPatch patch;
  std::optional<std::string> zip;  ///< as in CreateFunction
  std::string revision_id;         ///< only if it has this one; empty: in any case
  bool dry_run = false;
};
/// Mappings to it stay, and fail. Answer: Done. Errors: LambdaResourceNotFound.
struct DeleteFunction {
  FunctionName function;
  bool with_events = false;  ///< its asynchronous invokes that wait go with it, also those of one that is gone already
};
/// Nothing takes the reservation off. Answer: FunctionDescription. Errors: LambdaResourceNotFound,
/// LambdaInvalidParameterValue.
struct PutFunctionConcurrency {
  FunctionName function;
  std::optional<int> reserved;
};
/// Answer: FunctionDescription, with `async`. Errors: LambdaResourceNotFound; of a patch also if there is none.
struct PutAsyncConfig {
  FunctionName function;
  bool patch = false;  ///< what is left out stays, rather than having its default
  std::optional<int> retries_max;
  std::optional<int> age_seconds_max;
  std::optional<std::string> on_success;
  std::optional<std::string> on_failure;
};
/// Answer: Done. Errors: LambdaResourceNotFound, also where there is none.
struct DeleteAsyncConfig {
  FunctionName function;
};
/// What has tags.
using TaggedResource = std::variant<FunctionName, MappingName>;

/// Answer: Done. Errors: LambdaResourceNotFound, LambdaInvalidParameterValue beyond 50.
struct TagLambda {
  TaggedResource resource;
  std::map<std::string, std::string> tags;
};
/// Answer: Done.
struct UntagLambda {
  TaggedResource resource;
  std::vector<std::string> keys;
};
/// Answer: LambdaTags.
struct ListLambdaTags {
  TaggedResource resource;
};
/// Answer: LambdaAccount.
struct GetLambdaAccount {
  std::string account;
  std::string region;
};

enum class InvocationType : std::uint8_t { request_response, event, dry_run };

/// Answer: of request_response, Invoked when it is over; of event, EventAccepted when it is durable; of dry_run, Done.
/// Errors: LambdaResourceNotFound, LambdaConcurrencyExceeded, LambdaReservedConcurrencyExceeded, LambdaTooManyRequests
/// where too many events wait already, LambdaRequestTooLarge, LambdaServiceException where it could not be run.
struct InvokeFunction {
  FunctionName function;
  std::string invoked_arn;  ///< as it was called: with a version or an alias, if that was given
  InvocationType type = InvocationType::request_response;
  std::shared_ptr<const std::string> payload;
  std::string client_context;
  std::string trace_id;
  std::string request_id;  ///< the caller's, under which the function is invoked; empty: one of its own
};

/// Of a function's log, lines that came after `after`; waits for some if there are none. Answered by the shell, not by
/// the engine: FunctionLog. Errors: LambdaResourceNotFound, LambdaTooManyRequests where too many wait already.
struct ReadFunctionLog {
  FunctionName function;
  std::uint64_t after = 0;
  std::size_t lines_max = 1'000;
  Millis wait{0};  ///< at most 20 s
};

// ---- Mappings.

/// Answer: MappingDescription. Errors: LambdaResourceConflict if there is one of this source and function,
/// LambdaResourceNotFound (the function), LambdaInvalidParameterValue (the source, or what does not go with it).
struct CreateMapping {
  MappingRecord mapping;  ///< its uuid, state and moment are the engine's to set
};
/// Answer: MappingDescription. Errors: LambdaResourceNotFound.
struct GetMapping {
  MappingName mapping;
};
/// Answer: MappingList, in the order of their UUIDs, of those after `after`, at most `limit`.
struct ListMappings {
  std::string account;
  std::string region;
  std::string source_arn;                ///< only of this one; empty: of all
  std::optional<FunctionName> function;  ///< the same
  std::string function_arn;              ///< goes with `function`: with a version or an alias, those to that one alone
  std::string after;
  std::size_t limit = 100;
};
/// Answer: MappingDescription. Errors: LambdaResourceNotFound, also of a function of another account or region;
/// LambdaInvalidParameterValue, LambdaResourceInUse while it is being changed or deleted.
struct UpdateMapping {
  MappingName mapping;
  MappingPatch patch;
};
/// Batches that are under way end first. Answer: MappingDescription, Deleting. Errors: LambdaResourceNotFound,
/// LambdaResourceInUse.
struct DeleteMapping {
  MappingName mapping;
};

// ---- What comes back.

/// A message or a record as an item of its mapping's events.
struct SourceItem {
  std::string id;              ///< messageId or sequenceNumber, by which an answer names it
  std::string receipt_handle;  ///< of a message
  std::string key;             ///< MessageGroupId of a message, if it has one; partition key of a record
  RecordIndex index;           ///< of a record
  Instant arrived{};           ///< SentTimestamp or ApproximateArrivalTimestamp
  SharedText event;            ///< its JSON in an event's Records; null if it does not match
  Instant visible_at{};        ///< of a message: when it may be received again
  std::size_t bytes() const { return event == nullptr ? 0 : event->size(); }
  bool matches() const { return event != nullptr; }
};

/// What came of an Ask or a Report. `items` are those of Deliveries or of a RecordsPage, whose own records need not be
/// there then.
struct Answered {
  AskId id;
  std::optional<Result> result;  ///< nothing if it was cancelled
  std::vector<SourceItem> items;
};

/// What a function's answer to a batch says, in the terms of its mapping.
struct BatchAnswer {
  bool well_formed = true;           ///< otherwise all of the batch has failed
  std::vector<std::string> failed;   ///< itemIdentifiers, as they were given
  std::optional<std::string> state;  ///< of a tumbling window: JSON, as it was given
};

/// An invocation is over. `batch` is there if it was of a batch and succeeded.
struct InvocationOver {
  InvocationId id;
  RunOutcome outcome;
  std::optional<BatchAnswer> batch;
};

using TriggerCommand = std::variant<CreateFunction, GetFunction, ListFunctions, UpdateFunction, DeleteFunction,
                                    PutFunctionConcurrency, PutAsyncConfig, DeleteAsyncConfig, TagLambda, UntagLambda,
                                    ListLambdaTags, GetLambdaAccount, InvokeFunction, ReadFunctionLog, CreateMapping,
                                    GetMapping, ListMappings, UpdateMapping, DeleteMapping, Answered, InvocationOver>;

// ---- Results.

struct FunctionDescription {
  FunctionRecord function;
  std::string remark{};  ///< of a registration: what a person should know of how it is run here; mostly empty
};
struct FunctionList {
  std::vector<FunctionRecord> functions;
  bool more = false;
};
struct LambdaTags {
  std::map<std::string, std::string> tags;
};
struct LambdaAccount {
  std::size_t functions = 0;
  std::uint64_t code_bytes = 0;
  int concurrency_max = 0;
  int unreserved = 0;
};
struct Invoked {
  RunOutcome outcome;
};
struct EventAccepted {};
struct LogLine {
  std::uint64_t number = 0;  ///< grows by 1 from line to line, and is larger than any that a server before has given
  Instant at{};
  std::string text;
};
struct FunctionLog {
  std::vector<LogLine> lines;
  std::uint64_t dropped = 0;  ///< lines after `after` that are no longer kept, as far as this server has had them
};
struct MappingDescription {
  MappingRecord mapping;
};
struct MappingList {
  std::vector<MappingRecord> mappings;
  bool more = false;
};

using TriggerResult = std::variant<Error, Done, FunctionDescription, FunctionList, LambdaTags, LambdaAccount, Invoked,
                                   EventAccepted, FunctionLog, MappingDescription, MappingList>;

// ---- What is reported to destinations.

/// The requestContext and responseContext of an account of failure.
struct FailedInvocation {
  std::string request_id;
  std::string function_arn;
  std::string condition;       ///< RetryAttemptsExhausted, RecordAgeExceeded, EventAgeExceeded, Success
  int invoke_count = 0;        ///< approximateInvokeCount
  bool responded = false;      ///< whether there is a responseContext
  std::string function_error;  ///< empty: null
};

/// A batch of a stream that is given up. Its records are not in it.
struct BatchFailure {
  FailedInvocation invocation;
  StreamName stream;
  std::string shard_id;
  std::string first_sequence_number;
  std::string last_sequence_number;
  Instant first_arrived{};
  Instant last_arrived{};
  std::size_t batch_size = 0;
  Instant at{};
};

/// An asynchronous invoke that is over, for its destination. Payloads are JSON.
struct AsyncEnd {
  FailedInvocation invocation;
  std::string request_payload;
  std::string response_payload;  ///< empty: null
  Instant at{};
  bool plain = false;  ///< for a DeadLetterConfig: the request's payload is the message, and the rest its attributes
};

/// What a tumbling window adds to an event.
struct WindowEvent {
  Instant start{};
  Instant end{};
  std::string state;  ///< JSON
  std::string shard_id;
  bool is_final = false;
  bool terminated_early = false;
};

}  // namespace penstock
