// The attributes of queues that are JSON documents: RedrivePolicy, RedriveAllowPolicy and Policy.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/decode.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::sqs {

/// Checks the policies among a queue's attributes. Those of dead letters are read and their text is brought into one
/// form, by which two spellings of one policy compare equal; what another queue has to agree to goes to `before`. An
/// empty text, which removes a policy, is left as it is.
struct PoliciesTaken {
  std::optional<RedrivePolicy> redrive;
  std::optional<RedriveAllowPolicy> redrive_allow;
  std::vector<Precondition> before;
};
Refusal take_policies(const QueueName& queue, StringMap& attributes, PoliciesTaken& out);

/// One statement of the kind that AddPermission adds to a queue's Policy.
struct Permission {
  std::string label;
  std::vector<std::string> accounts;  ///< at least one, of 12 digits
  std::vector<std::string> actions;   ///< at least one, such as SendMessage, or *
};

/// The document with one statement more; what else it has stays, in its order. `policy` is empty if there is none.
/// Errors: InvalidParameterValue (the label exists), InvalidAttributeValue (it is no policy).
std::variant<std::string, Error> add_permission(const std::string& policy, const std::string& queue_arn,
                                                const Permission& permission);

/// The document without the statement of that label; empty if it was the last one.
/// Errors: InvalidParameterValue (there is no such label).
std::variant<std::string, Error> remove_permission(const std::string& policy, std::string_view label);

}  // namespace penstock::protocol::sqs
