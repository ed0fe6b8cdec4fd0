// What a request asks for, as logs and metrics name it.
#pragma once

#include <string_view>
#include <vector>

namespace penstock::protocol {

struct WireRequest;

/// Both are names that last as long as the program.
struct OperationName {
  std::string_view service;    ///< "sqs", "kinesis", "lambda" or "penstock"
  std::string_view operation;  ///< of the service's table; unknown_operation_name if there is none
  friend bool operator==(const OperationName&, const OperationName&) = default;
};
inline constexpr std::string_view unknown_operation_name = "Unknown";

/// Of any request, be it as it should or not: for those that were refused before they became a call. Reads the request
/// anew, which takes as long as it is large.
OperationName operation_asked_by(const WireRequest& request);

/// All operations of "sqs", "kinesis" or "lambda" that the server carries out, those of Penstock's own API among them
/// by which a stream's consumers or functions are asked for. Empty for any other name.
std::vector<std::string_view> operations_of(std::string_view service);

/// Whether a target is of Penstock's own API, at whatever endpoint.
bool is_native_target(std::string_view target);

}  // namespace penstock::protocol
