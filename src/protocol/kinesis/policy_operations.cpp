#include "protocol/kinesis/policy_operations.hpp"

#include <utility>

#include "penstock/limits.hpp"
#include "protocol/json.hpp"

namespace penstock::protocol::kinesis {

Asked PutResourcePolicyOperation::to_command(Input& input, const Caller&, Kept&) {
  PutStreamPolicy command;
  command.policy = std::move(*input.policy);
  if (command.policy.size() > kinesis_limits::policy_bytes_max) {
    return invalid_argument("The resource policy is larger than " + std::to_string(kinesis_limits::policy_bytes_max) +
                            " bytes.");
  }
  // An empty text is read as an empty object, as the body of a request; as a policy it would stand for there being
  // none.
  if (command.policy.empty() || std::holds_alternative<Error>(parse_json(command.policy))) {
    return invalid_argument("The resource policy is not valid JSON.");
  }
  return ask_of_resource(input, std::move(command));
}

Told<Nothing> PutResourcePolicyOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked GetResourcePolicyOperation::to_command(Input& input, const Caller&, Kept&) {
  return ask_of_resource(input, GetStreamPolicy{});
}

// Where none was set the service gives an empty document, and no error.
Told<GetResourcePolicyOutput> GetResourcePolicyOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<StreamPolicy>(&result);
  if (found == nullptr) return unexpected_result();
  return Output{found->policy.empty() ? "{}" : std::move(found->policy)};
}

Asked DeleteResourcePolicyOperation::to_command(Input& input, const Caller&, Kept&) {
  return ask_of_resource(input, DeleteStreamPolicy{});
}

Told<Nothing> DeleteResourcePolicyOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

}  // namespace penstock::protocol::kinesis
