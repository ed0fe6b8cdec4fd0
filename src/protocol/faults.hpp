// How each error looks on the wire: one table, from which all protocols take what they need.
#pragma once

#include <string_view>

#include "penstock/errors.hpp"

namespace penstock::protocol {

struct Fault {
  ErrorCode code{};
  std::string_view json_type;   ///< __type, with its namespace, which only SQS sends
  std::string_view query_code;  ///< Code of the Query protocol, and of x-amzn-query-error
  int status = 400;
  bool sender = true;              ///< false where the fault is the server's
  std::string_view message;        ///< where the error carries none
  std::string_view query_message;  ///< the same in the Query protocol, if it differs there
  std::string_view reason{};       ///< Reason, which says what of several an error of Lambda means; mostly empty

  /// The type without its namespace.
  std::string_view short_type() const { return json_type.substr(json_type.find('#') + 1); }

  /// As an entry of a batch carries it: without the prefix of the older service.
  std::string_view batch_code() const {
    constexpr std::string_view prefix = "AWS.SimpleQueueService.";
    return query_code.starts_with(prefix) ? query_code.substr(prefix.size()) : query_code;
  }
};

const Fault& fault_of(ErrorCode code);

/// How an error looks in Penstock's own API, which has statuses of HTTP where the services mostly say 400.
struct NativeFault {
  std::string_view name;
  int status = 400;
};
NativeFault native_fault_of(ErrorCode code);

}  // namespace penstock::protocol
