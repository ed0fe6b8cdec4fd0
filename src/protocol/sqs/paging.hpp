// What the operations that list queues share: pages, tokens, URLs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/decode.hpp"
#include "protocol/sqs/call.hpp"

namespace penstock::protocol::sqs {

struct KeepsPage {
  std::string base_url;
  std::size_t page = 0;   ///< queues that the answer has at most
  bool in_pages = false;  ///< the client gave MaxResults
};

/// Sets what `command` asks for so that it answers one page, and one queue more, which tells whether there is another.
/// REQUIRES: MaxResults is within its range.
Refusal ask_for_page(const std::optional<std::int32_t>& max_results, const std::optional<std::string>& next_token,
                     const Caller& caller, ListQueues& command, KeepsPage& kept);

struct Page {
  std::vector<std::string> urls;
  std::optional<std::string> next_token;  ///< if there is another page, and the client asked for pages
};

/// An internal failure where the result is not one of ListQueues.
Told<Page> page_of(const Result& result, const KeepsPage& kept);

}  // namespace penstock::protocol::sqs
