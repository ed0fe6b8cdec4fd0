// ListDeadLetterSourceQueues, and the message move tasks that bring dead letters back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/limits.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/call.hpp"
#include "protocol/sqs/paging.hpp"

namespace penstock::protocol::sqs {

// ---- ListDeadLetterSourceQueues

struct ListDeadLetterSourceQueuesRequest {
  std::optional<std::string> queue_url;
  std::optional<std::string> next_token;
  std::optional<std::int32_t> max_results;

  static constexpr auto shape() {
    using Self = ListDeadLetterSourceQueuesRequest;
    constexpr Range results{1, sqs_limits::list_results_max, Range::Wording::between};
    return Shape("ListDeadLetterSourceQueuesRequest", required("QueueUrl", &Self::queue_url),
                 optional("NextToken", &Self::next_token),
                 optional("MaxResults", &Self::max_results, {.constraints = {.range = results}}));
  }
};

struct ListDeadLetterSourceQueuesResult {
  std::optional<std::vector<std::string>> queue_urls;
  std::optional<std::string> next_token;

  static constexpr auto shape() {
    using Self = ListDeadLetterSourceQueuesResult;
    return Shape("ListDeadLetterSourceQueuesResult", required("queueUrls", &Self::queue_urls, {.query = "QueueUrl"}),
                 optional("NextToken", &Self::next_token));
  }
};

struct ListDeadLetterSourceQueuesOperation {
  static constexpr std::string_view name = "ListDeadLetterSourceQueues";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist);
  using Input = ListDeadLetterSourceQueuesRequest;
  using Output = ListDeadLetterSourceQueuesResult;
  using Kept = KeepsPage;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

/// What an answer that names the task's source needs to know of its request.
struct KeepsSource {
  std::string source_arn;
};

// ---- StartMessageMoveTask

struct StartMessageMoveTaskRequest {
  std::optional<std::string> source_arn;
  std::optional<std::string> destination_arn;
  std::optional<std::int32_t> per_second;

  static constexpr auto shape() {
    using Self = StartMessageMoveTaskRequest;
    constexpr Range rate{1, sqs_limits::move_rate_max, Range::Wording::between};
    return Shape("StartMessageMoveTaskRequest", required("SourceArn", &Self::source_arn),
                 optional("DestinationArn", &Self::destination_arn),
                 optional("MaxNumberOfMessagesPerSecond", &Self::per_second, {.constraints = {.range = rate}}));
  }
};

struct StartMessageMoveTaskResult {
  std::optional<std::string> task_handle;

  static constexpr auto shape() {
    return Shape("StartMessageMoveTaskResult", optional("TaskHandle", &StartMessageMoveTaskResult::task_handle));
  }
};

struct StartMessageMoveTaskOperation {
  static constexpr std::string_view name = "StartMessageMoveTask";
  static constexpr auto errors = errors_of(ErrorCode::ResourceNotFound);
  using Input = StartMessageMoveTaskRequest;
  using Output = StartMessageMoveTaskResult;
  using Kept = KeepsSource;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListMessageMoveTasks

struct ListMessageMoveTasksRequest {
  std::optional<std::string> source_arn;
  std::optional<std::int32_t> max_results;

  static constexpr auto shape() {
    using Self = ListMessageMoveTasksRequest;
    constexpr Range results{1, sqs_limits::move_tasks_listed_max, Range::Wording::between};
    return Shape("ListMessageMoveTasksRequest", required("SourceArn", &Self::source_arn),
                 optional("MaxResults", &Self::max_results, {.constraints = {.range = results}}));
  }
};

struct ListMessageMoveTasksResultEntry {
  std::optional<std::string> task_handle;
  std::optional<std::string> status;
  std::optional<std::string> source_arn;
  std::optional<std::string> destination_arn;
  std::optional<std::int32_t> per_second;
  std::optional<std::int64_t> moved;
  std::optional<std::int64_t> to_move;
  std::optional<std::string> failure_reason;
  std::optional<std::int64_t> started_timestamp;  ///< milliseconds since the epoch

  static constexpr auto shape() {
    using Self = ListMessageMoveTasksResultEntry;
    return Shape(
        "ListMessageMoveTasksResultEntry", optional("TaskHandle", &Self::task_handle),
        optional("Status", &Self::status), optional("SourceArn", &Self::source_arn),
        optional("DestinationArn", &Self::destination_arn), optional("MaxNumberOfMessagesPerSecond", &Self::per_second),
        optional("ApproximateNumberOfMessagesMoved", &Self::moved),
        optional("ApproximateNumberOfMessagesToMove", &Self::to_move), optional("FailureReason", &Self::failure_reason),
        optional("StartedTimestamp", &Self::started_timestamp));
  }
};

struct ListMessageMoveTasksResult {
  std::optional<std::vector<ListMessageMoveTasksResultEntry>> results;

  static constexpr auto shape() {
    return Shape("ListMessageMoveTasksResult", optional("Results", &ListMessageMoveTasksResult::results,
                                                        {.query = "ListMessageMoveTasksResultEntry"}));
  }
};

struct ListMessageMoveTasksOperation {
  static constexpr std::string_view name = "ListMessageMoveTasks";
  static constexpr auto errors = errors_of(ErrorCode::ResourceNotFound);
  using Input = ListMessageMoveTasksRequest;
  using Output = ListMessageMoveTasksResult;
  using Kept = KeepsSource;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- CancelMessageMoveTask

struct CancelMessageMoveTaskRequest {
  std::optional<std::string> task_handle;

  static constexpr auto shape() {
    return Shape("CancelMessageMoveTaskRequest", required("TaskHandle", &CancelMessageMoveTaskRequest::task_handle));
  }
};

struct CancelMessageMoveTaskResult {
  std::optional<std::int64_t> moved;

  static constexpr auto shape() {
    return Shape("CancelMessageMoveTaskResult",
                 optional("ApproximateNumberOfMessagesMoved", &CancelMessageMoveTaskResult::moved));
  }
};

struct CancelMessageMoveTaskOperation {
  static constexpr std::string_view name = "CancelMessageMoveTask";
  static constexpr auto errors = errors_of(ErrorCode::ResourceNotFound);
  using Input = CancelMessageMoveTaskRequest;
  using Output = CancelMessageMoveTaskResult;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::sqs
