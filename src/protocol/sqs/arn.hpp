// What clients may call a queue, as it stands in policies and in the parameters of move tasks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "penstock/queue_names.hpp"

namespace penstock::protocol::sqs {

/// The queue that `arn:aws:sqs:<region>:<account>:<name>` names; nothing for what has another form.
std::optional<QueueName> queue_of_arn(std::string_view arn);

/// Whether a queue may have that name: 1 to 80 alphanumeric characters, hyphens and underscores, a FIFO queue's ending
/// included.
bool is_queue_name(std::string_view name);

}  // namespace penstock::protocol::sqs
