#include "protocol/sqs/dead_letter_operations.hpp"

#include <array>
#include <utility>

#include "protocol/decode.hpp"
#include "protocol/json.hpp"
#include "protocol/sqs/arn.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

constexpr std::string_view source_parameter = "SourceArn";
constexpr std::string_view destination_parameter = "DestinationArn";

/// In the order of MoveTaskStatus.
constexpr std::array<std::string_view, 5> status_names{"RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED"};

Error no_such_resource(std::string_view parameter) {
  std::string message("The resource that you specified for the ");
  message.append(parameter).append(" parameter doesn't exist.");
  return {ErrorCode::ResourceNotFound, std::move(message)};
}

/// That the queue of that parameter exists. These operations call its absence otherwise than the rest of the service.
Precondition exists(QueueName queue, std::string_view parameter) {
  return {LookupQueue{std::move(queue)}, [parameter](const Result& result) -> std::optional<Error> {
            const Error* error = std::get_if<Error>(&result);
            if (error == nullptr) return std::nullopt;
            return error->code == ErrorCode::QueueDoesNotExist ? no_such_resource(parameter) : *error;
          }};
}

/// That some queue of its account and region has this one as its dead-letter queue.
Precondition is_dead_letter_queue(const QueueName& queue) {
  ListQueues sources;
  sources.account = queue.account;
  sources.region = queue.region;
  sources.limit = 1;
  sources.dead_letter_target_arn = arn_of(queue);
  return {std::move(sources), [](const Result& result) -> std::optional<Error> {
            if (const Error* error = std::get_if<Error>(&result)) return *error;
            const auto* names = std::get_if<QueueNames>(&result);
            if (names != nullptr && !names->queues.empty()) return std::nullopt;
            return Error{ErrorCode::InvalidParameterValue, "Source queue must be configured as a Dead Letter Queue."};
          }};
}

std::variant<QueueName, Error> queue_of_parameter(std::string_view parameter, std::string_view arn) {
  if (auto queue = queue_of_arn(arn)) return std::move(*queue);
  return invalid_parameter(parameter, arn, "Must be the ARN of a queue.");
}

/// Queues of another region or account are out of sight, as though they were not there.
Refusal check_reach(const QueueName& queue, const Caller& caller, std::string_view parameter) {
  if (queue.region == caller.region && queue.account == caller.account) return std::nullopt;
  return no_such_resource(parameter);
}

Refusal check_destination(const QueueName& source, const QueueName& destination, std::string_view arn) {
  if (destination == source) {
    return invalid_parameter(destination_parameter, arn, "Must be another queue than the source.");
  }
  if (is_fifo(destination.name) != is_fifo(source.name)) {
    return invalid_parameter(destination_parameter, arn, "Must be same type of queue as the source.");
  }
  return std::nullopt;
}

// ---- Task handles: what it takes to find the task again, which clients need not understand.

constexpr std::string_view task_id_member = "taskId";
constexpr std::string_view source_arn_member = "sourceArn";

struct TaskHandle {
  std::string task_id;
  std::string source_arn;
};

std::string to_text(const TaskHandle& handle) {
  JsonSink sink;
  sink.open();
  sink.key(task_id_member);
  sink.value(handle.task_id);
  sink.key(source_arn_member);
  sink.value(handle.source_arn);
  sink.close();
  return base64_encode(sink.take());
}

std::optional<TaskHandle> parse_task_handle(std::string_view text) {
  const std::optional<std::string> decoded = base64_decode(text);
  if (!decoded) return std::nullopt;
  const auto parsed = parse_json(*decoded);
  const auto* object = std::get_if<JsonSource>(&parsed);
  if (object == nullptr) return std::nullopt;
  const JsonSource id = object->member({task_id_member, task_id_member});
  const JsonSource arn = object->member({source_arn_member, source_arn_member});
  TaskHandle handle;
  if (!id.present() || id.string(handle.task_id) || !arn.present() || arn.string(handle.source_arn)) {
    return std::nullopt;
  }
  return handle;
}

ListMessageMoveTasksResultEntry tell_task(MoveTaskReport&& task, const std::string& source_arn) {
  ListMessageMoveTasksResultEntry entry;
  if (task.status == MoveTaskStatus::running) entry.task_handle = to_text({std::move(task.task_id), source_arn});
  entry.status = status_names.at(static_cast<std::size_t>(task.status));
  entry.source_arn = source_arn;
  if (task.destination) entry.destination_arn = arn_of(*task.destination);
  if (task.per_second > 0) entry.per_second = task.per_second;
  entry.moved = static_cast<std::int64_t>(task.moved);
  entry.to_move = static_cast<std::int64_t>(task.to_move);
  if (!task.failure_reason.empty()) entry.failure_reason = std::move(task.failure_reason);
  entry.started_timestamp = to_epoch_ms(task.started);
  return entry;
}

}  // namespace

Asked ListDeadLetterSourceQueuesOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) -> Asked {
    ListQueues command;
    command.account = queue.account;
    command.region = queue.region;
    command.dead_letter_target_arn = arn_of(queue);
    if (Refusal refusal = ask_for_page(input.max_results, input.next_token, caller, command, kept)) {
      return std::move(*refusal);
    }
    std::vector<Precondition> before;
    before.push_back({LookupQueue{std::move(queue)}, nullptr});
    return Question(std::move(before), std::move(command));
  });
}

Told<ListDeadLetterSourceQueuesResult> ListDeadLetterSourceQueuesOperation::to_output(Result&& result, Kept& kept) {
  auto told = page_of(result, kept);
  if (Error* error = std::get_if<Error>(&told)) return std::move(*error);
  auto& page = std::get<Page>(told);
  return Output{std::move(page.urls), std::move(page.next_token)};
}

Asked StartMessageMoveTaskOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  auto source = queue_of_parameter(source_parameter, *input.source_arn);
  if (Error* error = std::get_if<Error>(&source)) return std::move(*error);
  if (Refusal refusal = check_reach(std::get<QueueName>(source), caller, source_parameter)) return std::move(*refusal);
  StartMessageMoveTask command{std::get<QueueName>(std::move(source)), std::nullopt, input.per_second.value_or(0)};
  std::vector<Precondition> before;
  before.push_back(exists(command.queue, source_parameter));
  if (input.destination_arn && !input.destination_arn->empty()) {
    auto destination = queue_of_parameter(destination_parameter, *input.destination_arn);
    if (Error* error = std::get_if<Error>(&destination)) return std::move(*error);
    command.destination = std::get<QueueName>(std::move(destination));
    Refusal refusal = check_reach(*command.destination, caller, destination_parameter);
    if (!refusal) refusal = check_destination(command.queue, *command.destination, *input.destination_arn);
    if (refusal) return std::move(*refusal);
    before.push_back(exists(*command.destination, destination_parameter));
  }
  before.push_back(is_dead_letter_queue(command.queue));
  kept.source_arn = std::move(*input.source_arn);
  return Question(std::move(before), std::move(command));
}

Told<StartMessageMoveTaskResult> StartMessageMoveTaskOperation::to_output(Result&& result, Kept& kept) {
  auto* started = std::get_if<MoveTaskStarted>(&result);
  if (started == nullptr) return unexpected_result();
  return Output{to_text({std::move(started->task_id), std::move(kept.source_arn)})};
}

Asked ListMessageMoveTasksOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  auto source = queue_of_parameter(source_parameter, *input.source_arn);
  if (Error* error = std::get_if<Error>(&source)) return std::move(*error);
  if (Refusal refusal = check_reach(std::get<QueueName>(source), caller, source_parameter)) return std::move(*refusal);
  ListMessageMoveTasks command{std::get<QueueName>(std::move(source))};
  if (input.max_results) command.limit = static_cast<std::size_t>(*input.max_results);
  kept.source_arn = std::move(*input.source_arn);
  std::vector<Precondition> before;
  before.push_back(exists(command.queue, source_parameter));
  return Question(std::move(before), std::move(command));
}

Told<ListMessageMoveTasksResult> ListMessageMoveTasksOperation::to_output(Result&& result, Kept& kept) {
  auto* found = std::get_if<MoveTasks>(&result);
  if (found == nullptr) return unexpected_result();
  ListMessageMoveTasksResult output;
  output.results.emplace().reserve(found->tasks.size());
  for (MoveTaskReport& task : found->tasks) output.results->push_back(tell_task(std::move(task), kept.source_arn));
  return output;
}

Asked CancelMessageMoveTaskOperation::to_command(Input& input, const Caller& caller, Kept&) {
  std::optional<TaskHandle> handle = parse_task_handle(*input.task_handle);
  if (!handle) return Error{ErrorCode::InvalidParameterValue, "Value for parameter TaskHandle is invalid."};
  std::optional<QueueName> source = queue_of_arn(handle->source_arn);
  if (!source) return no_such_resource(source_parameter);
  if (Refusal refusal = check_reach(*source, caller, source_parameter)) return std::move(*refusal);
  CancelMessageMoveTask command{std::move(*source), std::move(handle->task_id)};
  std::vector<Precondition> before;
  before.push_back(exists(command.queue, source_parameter));
  return Question(std::move(before), std::move(command));
}

Told<CancelMessageMoveTaskResult> CancelMessageMoveTaskOperation::to_output(Result&& result, Kept&) {
  const auto* cancelled = std::get_if<MoveTaskCancelled>(&result);
  if (cancelled == nullptr) return unexpected_result();
  return Output{static_cast<std::int64_t>(cancelled->moved)};
}

}  // namespace penstock::protocol::sqs
