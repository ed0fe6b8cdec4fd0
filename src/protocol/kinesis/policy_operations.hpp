// The operations on the policies of streams and consumers.
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

// ---- PutResourcePolicy

struct PutResourcePolicyInput {
  std::optional<std::string> resource_arn;
  std::optional<std::string> stream_id;
  std::optional<std::string> policy;

  static constexpr auto shape() {
    using Self = PutResourcePolicyInput;
    return Shape("PutResourcePolicyInput", required("ResourceARN", &Self::resource_arn, kinesis::resource_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id), required("Policy", &Self::policy));
  }
};

struct PutResourcePolicyOperation {
  static constexpr std::string_view name = "PutResourcePolicy";
  static constexpr std::array errors{ErrorCode::KinesisAccessDenied, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisResourceInUse};
  using Input = PutResourcePolicyInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- GetResourcePolicy

struct GetResourcePolicyInput {
  std::optional<std::string> resource_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = GetResourcePolicyInput;
    return Shape("GetResourcePolicyInput", required("ResourceARN", &Self::resource_arn, kinesis::resource_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct GetResourcePolicyOutput {
  std::optional<std::string> policy;

  static constexpr auto shape() {
    using Self = GetResourcePolicyOutput;
    return Shape("GetResourcePolicyOutput", required("Policy", &Self::policy));
  }
};

struct GetResourcePolicyOperation {
  static constexpr std::string_view name = "GetResourcePolicy";
  static constexpr std::array errors{ErrorCode::KinesisAccessDenied, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisResourceInUse};
  using Input = GetResourcePolicyInput;
  using Output = GetResourcePolicyOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DeleteResourcePolicy

struct DeleteResourcePolicyInput {
  std::optional<std::string> resource_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = DeleteResourcePolicyInput;
    return Shape("DeleteResourcePolicyInput", required("ResourceARN", &Self::resource_arn, kinesis::resource_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct DeleteResourcePolicyOperation {
  static constexpr std::string_view name = "DeleteResourcePolicy";
  static constexpr std::array errors{ErrorCode::KinesisAccessDenied, ErrorCode::KinesisResourceNotFound,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisResourceInUse};
  using Input = DeleteResourcePolicyInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
