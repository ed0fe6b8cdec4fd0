// AddPermission and RemovePermission, which edit the attribute Policy.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/call.hpp"

namespace penstock::protocol::sqs {

// ---- AddPermission

struct AddPermissionRequest {
  std::optional<std::string> queue_url;
  std::optional<std::string> label;
  std::optional<std::vector<std::string>> account_ids;
  std::optional<std::vector<std::string>> actions;

  static constexpr auto shape() {
    using Self = AddPermissionRequest;
    return Shape("AddPermissionRequest", required("QueueUrl", &Self::queue_url), required("Label", &Self::label),
                 required("AWSAccountIds", &Self::account_ids, {.query = "AWSAccountId"}),
                 required("Actions", &Self::actions, {.query = "ActionName"}));
  }
};

struct AddPermissionOperation {
  static constexpr std::string_view name = "AddPermission";
  static constexpr auto errors = errors_of(ErrorCode::OverLimit, ErrorCode::QueueDoesNotExist);
  using Input = AddPermissionRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- RemovePermission

struct RemovePermissionRequest {
  std::optional<std::string> queue_url;
  std::optional<std::string> label;

  static constexpr auto shape() {
    using Self = RemovePermissionRequest;
    return Shape("RemovePermissionRequest", required("QueueUrl", &Self::queue_url), required("Label", &Self::label));
  }
};

struct RemovePermissionOperation {
  static constexpr std::string_view name = "RemovePermission";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist);
  using Input = RemovePermissionRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::sqs
