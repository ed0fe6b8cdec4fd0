// The operations on what an account has set.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/kinesis/call.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

struct MinimumThroughputBillingCommitmentInput {
  std::optional<std::string> status;

  static constexpr auto shape() {
    using Self = MinimumThroughputBillingCommitmentInput;
    return Shape("MinimumThroughputBillingCommitmentInput",
                 required("Status", &Self::status, kinesis::commitment_status));
  }
};

struct MinimumThroughputBillingCommitmentOutput {
  std::optional<std::string> status;
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> ended_at;
  std::optional<Timestamp> earliest_allowed_end_at;

  static constexpr auto shape() {
    using Self = MinimumThroughputBillingCommitmentOutput;
    return Shape("MinimumThroughputBillingCommitmentOutput", required("Status", &Self::status),
                 optional("StartedAt", &Self::started_at), optional("EndedAt", &Self::ended_at),
                 optional("EarliestAllowedEndAt", &Self::earliest_allowed_end_at));
  }
};

/// What both operations answer.
struct AccountSettings {
  std::optional<MinimumThroughputBillingCommitmentOutput> minimum_throughput_billing_commitment;

  static constexpr auto shape_called(std::string_view name) {
    using Self = AccountSettings;
    return Shape(name, optional("MinimumThroughputBillingCommitment", &Self::minimum_throughput_billing_commitment));
  }
};

// ---- DescribeAccountSettings

struct DescribeAccountSettingsInput {
  static constexpr auto shape() { return Shape("DescribeAccountSettingsInput"); }
};

struct DescribeAccountSettingsOutput : AccountSettings {
  static constexpr auto shape() { return shape_called("DescribeAccountSettingsOutput"); }
};

struct DescribeAccountSettingsOperation {
  static constexpr std::string_view name = "DescribeAccountSettings";
  static constexpr std::array errors{ErrorCode::KinesisLimitExceeded};
  using Input = DescribeAccountSettingsInput;
  using Output = DescribeAccountSettingsOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- UpdateAccountSettings

struct UpdateAccountSettingsInput {
  std::optional<MinimumThroughputBillingCommitmentInput> minimum_throughput_billing_commitment;

  static constexpr auto shape() {
    using Self = UpdateAccountSettingsInput;
    return Shape("UpdateAccountSettingsInput",
                 required("MinimumThroughputBillingCommitment", &Self::minimum_throughput_billing_commitment));
  }
};

struct UpdateAccountSettingsOutput : AccountSettings {
  static constexpr auto shape() { return shape_called("UpdateAccountSettingsOutput"); }
};

struct UpdateAccountSettingsOperation {
  static constexpr std::string_view name = "UpdateAccountSettings";
  static constexpr std::array errors{ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisValidation,
                                     ErrorCode::KinesisLimitExceeded};
  using Input = UpdateAccountSettingsInput;
  using Output = UpdateAccountSettingsOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
