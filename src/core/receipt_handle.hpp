// Receipt handles: opaque to clients, checked when they come back, valid across restarts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/ids.hpp"

namespace penstock::core {

/// What a receipt handle names: one receive of one message of one queue.
struct ReceiptHandle {
  QueueId queue;
  Sequence sequence;
  std::uint64_t nonce = 0;  ///< drawn anew at each receive, never 0
  friend bool operator==(const ReceiptHandle&, const ReceiptHandle&) = default;
};

/// Letters and digits only, so that it survives forms and shells unescaped.
std::string format(const ReceiptHandle& handle);

/// Nothing if the text is not one that format made.
std::optional<ReceiptHandle> parse_receipt_handle(std::string_view text);

}  // namespace penstock::core
