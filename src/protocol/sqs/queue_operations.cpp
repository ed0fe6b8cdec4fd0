#include "protocol/sqs/queue_operations.hpp"

#include <algorithm>
#include <utility>

#include "protocol/decode.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

/// What a NextToken says once decoded, before the name of the last queue listed: tokens of other lists are refused.
constexpr std::string_view token_prefix = "queues-after:";

/// Of two entries with the same key the last one counts.
StringMap to_string_map(std::optional<Map<std::string>>& map) {
  StringMap out;
  if (!map) return out;
  for (auto& [key, value] : map->entries) out.insert_or_assign(std::move(key), std::move(value));
  return out;
}

Refusal check_queue_name(std::string_view name) {
  constexpr std::string_view fifo_suffix = ".fifo";
  std::string_view stem = name;
  if (stem.ends_with(fifo_suffix)) stem.remove_suffix(fifo_suffix.size());
  const bool valid = !stem.empty() && name.size() <= sqs_limits::queue_name_chars_max &&
                     std::ranges::all_of(stem, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
  if (valid) return std::nullopt;
  return Error{ErrorCode::InvalidParameterValue,
               "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"};
}

Told<Nothing> nothing_if_done(const Result& result) {
  if (!std::holds_alternative<Done>(result)) return unexpected_result();
  return Nothing{};
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
  return CreateQueue{kept.queue, to_string_map(input.attributes), to_string_map(input.tags)};
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
  kept.base_url = base_url_of(caller);
  kept.in_pages = input.max_results.has_value();
  kept.page = static_cast<std::size_t>(input.max_results.value_or(sqs_limits::list_results_max));
  ListQueues command;
  command.account = caller.account;
  command.region = caller.region;
  command.prefix = std::move(input.queue_name_prefix).value_or(std::string());
  // One more than the page holds tells whether there is another page.
  command.limit = kept.in_pages ? kept.page + 1 : kept.page;
  if (input.next_token && !input.next_token->empty()) {
    const std::optional<std::string> token = base64_decode(*input.next_token);
    if (!token || !token->starts_with(token_prefix)) {
      return invalid_parameter("NextToken", *input.next_token, "Must be a token of an earlier answer.");
    }
    command.after = token->substr(token_prefix.size());
  }
  return command;
}

Told<ListQueuesResult> ListQueuesOperation::to_output(Result&& result, Kept& kept) {
  const auto* names = std::get_if<QueueNames>(&result);
  if (names == nullptr) return unexpected_result();
  const std::size_t count = std::min(names->queues.size(), kept.page);
  ListQueuesResult output;
  if (count == 0) return output;
  output.queue_urls.emplace().reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    output.queue_urls->push_back(queue_url_of(kept.base_url, names->queues[i]));
  }
  if (kept.in_pages && names->queues.size() > count) {
    output.next_token = base64_encode(std::string(token_prefix) + names->queues[count - 1].name);
  }
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
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) {
    return SetQueueAttributes{std::move(queue), to_string_map(input.attributes)};
  });
}

Told<Nothing> SetQueueAttributesOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

}  // namespace penstock::protocol::sqs
