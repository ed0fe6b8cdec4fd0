// What the declarations of SQS operations have in common.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <variant>

#include "penstock/errors.hpp"
#include "protocol/caller.hpp"
#include "protocol/operation.hpp"

namespace penstock::protocol::sqs {

/// Wraps a command about the queue that `queue_url` names: make(QueueName) builds it, or an Asked.
template <class Make>
Asked ask_about_queue(const std::string& queue_url, const Caller& caller, Make&& make) {
  auto queue = queue_of(queue_url, caller);
  if (Error* error = std::get_if<Error>(&queue)) return std::move(*error);
  return make(std::get<QueueName>(std::move(queue)));
}

/// The modelled errors of an operation: its own and those of every operation of the service.
template <class... Codes>
constexpr auto errors_of(Codes... codes) {
  return std::array{codes..., ErrorCode::RequestThrottled, ErrorCode::InvalidAddress, ErrorCode::InvalidSecurity,
                    ErrorCode::UnsupportedOperation};
}

}  // namespace penstock::protocol::sqs
