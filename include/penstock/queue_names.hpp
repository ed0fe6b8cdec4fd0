// The names of queues and of positions in them as the service writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "penstock/ids.hpp"

namespace penstock {

inline constexpr std::string_view sqs_arn_prefix = "arn:aws:sqs:";
inline constexpr std::string_view fifo_suffix = ".fifo";

/// Whether a queue of that name is a FIFO queue, which the service reads off the name too.
inline bool is_fifo(std::string_view queue_name) { return queue_name.ends_with(fifo_suffix); }

/// `arn:aws:sqs:<region>:<account>:<name>`
inline std::string arn_of(const QueueName& queue) {
  std::string arn(sqs_arn_prefix);
  return arn.append(queue.region).append(":").append(queue.account).append(":").append(queue.name);
}

/// The parts of an ARN of that form, none empty; nothing for what has another form. Which characters they are made of
/// is not looked at.
inline std::optional<QueueName> split_arn(std::string_view arn) {
  if (!arn.starts_with(sqs_arn_prefix)) return std::nullopt;
  arn.remove_prefix(sqs_arn_prefix.size());
  const std::size_t region_end = arn.find(':');
  if (region_end == std::string_view::npos) return std::nullopt;
  const std::size_t account_end = arn.find(':', region_end + 1);
  if (account_end == std::string_view::npos || arn.find(':', account_end + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  QueueName queue{std::string(arn.substr(region_end + 1, account_end - region_end - 1)),
                  std::string(arn.substr(0, region_end)), std::string(arn.substr(account_end + 1))};
  if (queue.account.empty() || queue.region.empty() || queue.name.empty()) return std::nullopt;
  return queue;
}

/// A sequence number as FIFO queues tell it: 20 digits.
inline std::string format_sequence_number(Sequence sequence) {
  constexpr std::size_t digits = 20;
  std::string number = std::to_string(sequence.value);
  return number.insert(0, digits - number.size(), '0');
}

}  // namespace penstock
