#include "protocol/sqs/permission_operations.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "penstock/limits.hpp"
#include "protocol/decode.hpp"
#include "protocol/sqs/queue_policies.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

/// What others than the owner may be allowed: all that the model does not say "cross-account permissions don't apply"
/// of, apart from move tasks, which act for the owner of both queues.
constexpr std::array<std::string_view, 12> grantable_actions{"*",
                                                             "ChangeMessageVisibility",
                                                             "ChangeMessageVisibilityBatch",
                                                             "DeleteMessage",
                                                             "DeleteMessageBatch",
                                                             "GetQueueAttributes",
                                                             "GetQueueUrl",
                                                             "ListDeadLetterSourceQueues",
                                                             "PurgeQueue",
                                                             "ReceiveMessage",
                                                             "SendMessage",
                                                             "SendMessageBatch"};

constexpr std::array<std::string_view, 12> owners_actions{
    "AddPermission",        "CancelMessageMoveTask", "CreateQueue", "DeleteQueue",
    "ListMessageMoveTasks", "ListQueueTags",         "ListQueues",  "RemovePermission",
    "SetQueueAttributes",   "StartMessageMoveTask",  "TagQueue",    "UntagQueue"};

Refusal check_label(std::string_view label) {
  const bool valid = label.size() <= sqs_limits::permission_label_chars_max &&
                     std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
  if (valid) return std::nullopt;
  return invalid_parameter("Label", label,
                           "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

Refusal check_accounts(const std::vector<std::string>& accounts) {
  const auto unknown = std::ranges::find_if_not(accounts, [](const std::string& id) { return is_account(id); });
  if (unknown == accounts.end()) return std::nullopt;
  return invalid_parameter("PrincipalId", "[" + *unknown + "]", "Unable to verify.");
}

Refusal check_actions(const std::vector<std::string>& actions) {
  if (actions.size() > sqs_limits::permission_actions_max) {
    return Error{ErrorCode::OverLimit, std::to_string(actions.size()) + " Actions were found, maximum allowed is " +
                                           std::to_string(sqs_limits::permission_actions_max) + "."};
  }
  for (const std::string& action : actions) {
    if (std::ranges::find(grantable_actions, action) != grantable_actions.end()) continue;
    const bool known = std::ranges::find(owners_actions, action) != owners_actions.end();
    return invalid_parameter("ActionName", "SQS:" + action,
                             known ? "Only the queue owner is allowed to invoke this action."
                                   : "Please refer to the appropriate WSDL for a list of valid actions.");
  }
  return std::nullopt;
}

}  // namespace

Asked AddPermissionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  if (input.account_ids->empty()) return missing_parameter("AWSAccountIds");
  if (input.actions->empty()) return missing_parameter("Actions");
  if (Refusal refusal = check_label(*input.label)) return std::move(*refusal);
  if (Refusal refusal = check_accounts(*input.account_ids)) return std::move(*refusal);
  if (Refusal refusal = check_actions(*input.actions)) return std::move(*refusal);
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) {
    Permission permission{std::move(*input.label), std::move(*input.account_ids), std::move(*input.actions)};
    return EditPolicy{std::move(queue),
                      [added = std::move(permission)](const std::string& policy, const std::string& queue_arn) {
                        return add_permission(policy, queue_arn, added);
                      }};
  });
}

Told<Nothing> AddPermissionOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

// A policy that was set as a whole may have labels that AddPermission would not take: these can be removed too.
Asked RemovePermissionOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_about_queue(*input.queue_url, caller, [&](QueueName queue) {
    return EditPolicy{std::move(queue),
                      [label = std::move(*input.label)](const std::string& policy, const std::string&) {
                        return remove_permission(policy, label);
                      }};
  });
}

Told<Nothing> RemovePermissionOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

}  // namespace penstock::protocol::sqs
