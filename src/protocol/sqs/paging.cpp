#include "protocol/sqs/paging.hpp"

#include <algorithm>
#include <string_view>

#include "penstock/limits.hpp"
#include "protocol/base64.hpp"

namespace penstock::protocol::sqs {
namespace {

/// What a NextToken says once decoded, before the name of the last queue listed.
constexpr std::string_view token_prefix = "queues-after:";

}  // namespace

Refusal ask_for_page(const std::optional<std::int32_t>& max_results, const std::optional<std::string>& next_token,
                     const Caller& caller, ListQueues& command, KeepsPage& kept) {
  kept.base_url = base_url_of(caller);
  kept.in_pages = max_results.has_value();
  kept.page = static_cast<std::size_t>(max_results.value_or(sqs_limits::list_results_max));
  command.limit = kept.in_pages ? kept.page + 1 : kept.page;
  if (!next_token || next_token->empty()) return std::nullopt;
  const std::optional<std::string> token = base64_decode(*next_token);
  if (!token || !token->starts_with(token_prefix)) {
    return invalid_parameter("NextToken", *next_token, "Must be a token of an earlier answer.");
  }
  command.after = token->substr(token_prefix.size());
  return std::nullopt;
}

Told<Page> page_of(const Result& result, const KeepsPage& kept) {
  const auto* names = std::get_if<QueueNames>(&result);
  if (names == nullptr) return unexpected_result();
  const std::size_t count = std::min(names->queues.size(), kept.page);
  Page page;
  page.urls.reserve(count);
  for (std::size_t i = 0; i < count; ++i) page.urls.push_back(queue_url_of(kept.base_url, names->queues[i]));
  if (kept.in_pages && count > 0 && names->queues.size() > count) {
    page.next_token = base64_encode(std::string(token_prefix) + names->queues[count - 1].name);
  }
  return page;
}

}  // namespace penstock::protocol::sqs
