#include "protocol/sqs/receipt_operations.hpp"

#include <utility>

namespace penstock::protocol::sqs {
namespace {

/// The answer to a command about a single handle.
Told<Nothing> nothing_if_entry_done(Result& result) {
  auto* results = std::get_if<EntryResults>(&result);
  if (results == nullptr || results->entries.size() != 1) return unexpected_result();
  if (auto& error = results->entries.front()) return std::move(*error);
  return Nothing{};
}

/// The answer to a batch whose successful entries carry nothing but their ids.
template <class Output>
Told<Output> tell_entries(Result& result, KeepsEntries& kept) {
  std::vector<std::optional<Error>> answered;
  if (auto* results = std::get_if<EntryResults>(&result)) answered = std::move(results->entries);
  if (answered.size() != count_asked(kept.entries)) return unexpected_result();
  Output output;
  merge_batch(kept.entries, answered, output, [&](BatchEntry& entry, std::optional<Error>& error) -> Refusal {
    if (!error) output.successful->emplace_back().id = std::move(entry.id);
    return std::move(error);
  });
  return output;
}

}  // namespace

Asked DeleteMessageOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) {
    return DeleteMessages{std::move(queue), {std::move(*input.receipt_handle)}};
  });
}

Told<Nothing> DeleteMessageOperation::to_output(Result&& result, Kept&) { return nothing_if_entry_done(result); }

Asked DeleteMessageBatchOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  auto queue = queue_of(*input.queue_url, caller);
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  if (Refusal refusal = check_batch(*input.entries)) return std::move(*refusal);
  DeleteMessages command{std::get<QueueName>(std::move(queue)), {}};
  for (DeleteMessageBatchRequestEntry& entry : *input.entries) {
    kept.entries.push_back({std::move(*entry.id), std::nullopt});
    command.receipt_handles.push_back(std::move(*entry.receipt_handle));
  }
  return command;
}

Told<DeleteMessageBatchResult> DeleteMessageBatchOperation::to_output(Result&& result, Kept& kept) {
  return tell_entries<Output>(result, kept);
}

Asked ChangeMessageVisibilityOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) {
    return ChangeVisibility{std::move(queue), {{std::move(*input.receipt_handle), *input.visibility_timeout}}};
  });
}

Told<Nothing> ChangeMessageVisibilityOperation::to_output(Result&& result, Kept&) {
  return nothing_if_entry_done(result);
}

Asked ChangeMessageVisibilityBatchOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  auto queue = queue_of(*input.queue_url, caller);
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  std::vector<ChangeMessageVisibilityBatchRequestEntry>& entries = *input.entries;
  if (Refusal refusal = check_batch(entries)) return std::move(*refusal);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // The model does not require it of an entry, yet an entry without it asks for nothing.
    if (!entries[i].visibility_timeout) {
      return missing_in_entry(shape_of<ChangeMessageVisibilityBatchRequestEntry>.name, i, "VisibilityTimeout");
    }
  }
  ChangeVisibility command{std::get<QueueName>(std::move(queue)), {}};
  for (ChangeMessageVisibilityBatchRequestEntry& entry : entries) {
    Refusal refused = check_constraints(entry);
    if (!refused) command.changes.push_back({std::move(*entry.receipt_handle), *entry.visibility_timeout});
    kept.entries.push_back({std::move(*entry.id), std::move(refused)});
  }
  if (command.changes.empty()) return LookupQueue{std::move(command.queue)};
  return command;
}

Told<ChangeMessageVisibilityBatchResult> ChangeMessageVisibilityBatchOperation::to_output(Result&& result, Kept& kept) {
  return tell_entries<Output>(result, kept);
}

}  // namespace penstock::protocol::sqs
