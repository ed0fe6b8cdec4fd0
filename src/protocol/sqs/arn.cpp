#include "protocol/sqs/arn.hpp"

#include <algorithm>

#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {
namespace {

bool is_region_label(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

}  // namespace

std::optional<QueueName> queue_of_arn(std::string_view arn) {
  std::optional<QueueName> queue = split_arn(arn);
  if (!queue || !is_region_label(queue->region) || !is_account(queue->account) || !is_queue_name(queue->name)) {
    return std::nullopt;
  }
  return queue;
}

bool is_queue_name(std::string_view name) {
  std::string_view stem = name;
  if (is_fifo(name)) stem.remove_suffix(fifo_suffix.size());
  return !stem.empty() && name.size() <= sqs_limits::queue_name_chars_max &&
         std::ranges::all_of(stem, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace penstock::protocol::sqs
