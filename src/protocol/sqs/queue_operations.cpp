#include "protocol/sqs/queue_operations.hpp"

#include <utility>

#include "protocol/decode.hpp"
#include "protocol/sqs/arn.hpp"
#include "protocol/sqs/queue_policies.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

/// Of two entries with the same key the last one counts.
StringMap to_string_map(std::optional<Map<std::string>>& map) {
  StringMap out;
  if (!map) return out;
  for (auto& [key, value] : map->entries) out.insert_or_assign(std::move(key), std::move(value));
  return out;
}

Refusal check_queue_name(std::string_view name) {
  if (is_queue_name(name)) return std::nullopt;
  return Error{ErrorCode::InvalidParameterValue,
               "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"};
}

/// Asks it as it is, or after what its policies have to wait for.
template <class C>
Asked with_policies(C command, PoliciesTaken&& policies) {
  command.redrive = std::move(policies.redrive);
  command.redrive_allow = std::move(policies.redrive_allow);
  if (policies.before.empty()) return command;
  return Question(std::move(policies.before), std::move(command));
}

template <class Output>
Told<Output> url_if_done(const Result& result, const KeepsUrl& kept) {
  if (!std::holds_alternative<Done>(result)) return unexpected_result();
  return Output{queue_url_of(kept.base_url, kept.queue)};
}

}  // namespace

Asked CreateQueueOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  if (Refusal refusal = check_queue_name(*input.queue_name)) return std::move(*refusal);
  kept = {base_url_of(caller), {std::string(caller.account), std::string(caller.region), std::move(*input.queue_name)}};
  CreateQueue command{kept.queue, to_string_map(input.attributes)};
  if (input.tags) {
    if (Refusal refusal = take_tags(*input.tags, command.tags)) return std::move(*refusal);
  }
  PoliciesTaken policies;
  if (Refusal refusal = take_policies(command.queue, command.attributes, policies)) return std::move(*refusal);
  if (!policies.before.empty()) {
    // A queue that exists is compared, whatever its dead-letter queue says by now.
    const auto exists = [](const Result& result) { return std::holds_alternative<Done>(result); };
    Precondition look{LookupQueue{command.queue}, [](const Result&) { return std::nullopt; }, exists};
    policies.before.insert(policies.before.begin(), std::move(look));
  }
  return with_policies(std::move(command), std::move(policies));
}

Told<CreateQueueResult> CreateQueueOperation::to_output(Result&& result, Kept& kept) {
  return url_if_done<Output>(result, kept);
}

Asked GetQueueUrlOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  if (Refusal refusal = check_queue_name(*input.queue_name)) return std::move(*refusal);
  kept = {base_url_of(caller), {std::string(caller.account), std::string(caller.region), std::move(*input.queue_name)}};
  if (input.queue_owner) {
    if (!is_account(*input.queue_owner)) {
      return invalid_parameter("QueueOwnerAWSAccountId", *input.queue_owner, "Must be an account number of 12 digits.");
    }
    kept.queue.account = std::move(*input.queue_owner);
  }
  return LookupQueue{kept.queue};
}

Told<GetQueueUrlResult> GetQueueUrlOperation::to_output(Result&& result, Kept& kept) {
  return url_if_done<Output>(result, kept);
}

Asked ListQueuesOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  ListQueues command;
  command.account = caller.account;
  command.region = caller.region;
  command.prefix = std::move(input.queue_name_prefix).value_or(std::string());
  if (Refusal refusal = ask_for_page(input.max_results, input.next_token, caller, command, kept)) {
    return std::move(*refusal);
  }
  return command;
}

Told<ListQueuesResult> ListQueuesOperation::to_output(Result&& result, Kept& kept) {
  auto told = page_of(result, kept);
  if (Error* error = std::get_if<Error>(&told)) return std::move(*error);
  auto& page = std::get<Page>(told);
  ListQueuesResult output;
  if (!page.urls.empty()) output.queue_urls = std::move(page.urls);
  output.next_token = std::move(page.next_token);
  return output;
}

Asked DeleteQueueOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [](QueueName queue) { return DeleteQueue{std::move(queue)}; });
}

Told<Nothing> DeleteQueueOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked PurgeQueueOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [](QueueName queue) { return PurgeQueue{std::move(queue)}; });
}

Told<Nothing> PurgeQueueOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked GetQueueAttributesOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) {
    return GetQueueAttributes{std::move(queue), std::move(input.attribute_names).value_or(std::vector<std::string>())};
  });
}

Told<GetQueueAttributesResult> GetQueueAttributesOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<QueueAttributes>(&result);
  if (found == nullptr) return unexpected_result();
  GetQueueAttributesResult output;
  if (found->attributes.empty()) return output;
  auto& entries = output.attributes.emplace().entries;
  entries.reserve(found->attributes.size());
  for (auto& [name, value] : found->attributes) entries.emplace_back(name, std::move(value));
  return output;
}

Asked SetQueueAttributesOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) -> Asked {
    SetQueueAttributes command{std::move(queue), to_string_map(input.attributes)};
    PoliciesTaken policies;
    if (Refusal refusal = take_policies(command.queue, command.attributes, policies)) return std::move(*refusal);
    return with_policies(std::move(command), std::move(policies));
  });
}

Told<Nothing> SetQueueAttributesOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

}  // namespace penstock::protocol::sqs
