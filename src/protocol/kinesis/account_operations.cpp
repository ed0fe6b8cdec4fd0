#include "protocol/kinesis/account_operations.hpp"

#include <utility>

namespace penstock::protocol::kinesis {
namespace {

MinimumThroughputBillingCommitmentOutput describe_commitment(const AccountDescription& described) {
  const StreamAccount& account = described.account;
  MinimumThroughputBillingCommitmentOutput output;
  const bool ends_later = account.ended && *account.ended > described.now;
  output.status = account.commitment_enabled ? "ENABLED"
                  : ends_later               ? "ENABLED_UNTIL_EARLIEST_ALLOWED_END"
                                             : "DISABLED";
  if (account.started == Instant{}) return output;
  output.started_at = to_timestamp(account.started);
  if (account.commitment_enabled || ends_later) {
    output.earliest_allowed_end_at = to_timestamp(account.earliest_end);
  } else if (account.ended) {
    output.ended_at = to_timestamp(*account.ended);
  }
  return output;
}

template <class Output>
Told<Output> tell_account(const Result& result) {
  const auto* described = std::get_if<AccountDescription>(&result);
  if (described == nullptr) return unexpected_result();
  Output output;
  output.minimum_throughput_billing_commitment = describe_commitment(*described);
  return output;
}

}  // namespace

Asked DescribeAccountSettingsOperation::to_command(Input&, const Caller& caller, Kept&) {
  return StreamCommand(DescribeAccount{account_of(caller)});
}

Told<DescribeAccountSettingsOutput> DescribeAccountSettingsOperation::to_output(Result&& result, Kept&) {
  return tell_account<Output>(result);
}

Asked UpdateAccountSettingsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  const bool enabled = input.minimum_throughput_billing_commitment->status == "ENABLED";
  return StreamCommand(UpdateAccount{account_of(caller), enabled});
}

Told<UpdateAccountSettingsOutput> UpdateAccountSettingsOperation::to_output(Result&& result, Kept&) {
  return tell_account<Output>(result);
}

}  // namespace penstock::protocol::kinesis
