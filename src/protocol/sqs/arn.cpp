#include "protocol/sqs/arn.hpp"

#include <algorithm>

#include "penstock/limits.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

constexpr std::string_view arn_prefix = "arn:aws:sqs:";
constexpr std::string_view fifo_suffix = ".fifo";

bool is_region_label(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

}  // namespace

std::string arn_of(const QueueName& queue) {
  std::string arn(arn_prefix);
  return arn.append(queue.region).append(":").append(queue.account).append(":").append(queue.name);
}

std::optional<QueueName> queue_of_arn(std::string_view arn) {
  if (!arn.starts_with(arn_prefix)) return std::nullopt;
  arn.remove_prefix(arn_prefix.size());
  const std::size_t region_end = arn.find(':');
  if (region_end == std::string_view::npos) return std::nullopt;
  const std::size_t account_end = arn.find(':', region_end + 1);
  if (account_end == std::string_view::npos) return std::nullopt;
  const std::string_view region = arn.substr(0, region_end);
  const std::string_view account = arn.substr(region_end + 1, account_end - region_end - 1);
  const std::string_view name = arn.substr(account_end + 1);
  if (!is_region_label(region) || !is_account(account) || !is_queue_name(name)) return std::nullopt;
  return QueueName{std::string(account), std::string(region), std::string(name)};
}

bool is_fifo(std::string_view queue_name) { return queue_name.ends_with(fifo_suffix); }

bool is_queue_name(std::string_view name) {
  std::string_view stem = name;
  if (is_fifo(name)) stem.remove_suffix(fifo_suffix.size());
  return !stem.empty() && name.size() <= sqs_limits::queue_name_chars_max &&
         std::ranges::all_of(stem, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace penstock::protocol::sqs
