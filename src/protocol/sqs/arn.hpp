// The names of queues as they stand in policies and in the parameters of move tasks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "penstock/ids.hpp"

namespace penstock::protocol::sqs {

/// `arn:aws:sqs:<region>:<account>:<name>`
std::string arn_of(const QueueName& queue);

/// The queue that an ARN of that form names; nothing for what has another form.
std::optional<QueueName> queue_of_arn(std::string_view arn);

/// Whether a queue of that name is a FIFO queue, which the service reads off the name too.
bool is_fifo(std::string_view queue_name);

/// Whether a queue may have that name: 1 to 80 alphanumeric characters, hyphens and underscores, a FIFO queue's ending
/// included.
bool is_queue_name(std::string_view name);

}  // namespace penstock::protocol::sqs
