// What the commands about queues read and print: the members of SQS's answers, which own what they have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/shape.hpp"
#include "protocol/sqs/message_content.hpp"

namespace penstock::cli::wire {

using protocol::optional;
using protocol::Shape;

struct Message {
  std::optional<std::string> message_id;
  std::optional<std::string> receipt_handle;
  std::optional<std::string> md5_of_body;
  std::optional<std::string> body;
  std::optional<protocol::Map<std::string>> attributes;
  std::optional<std::string> md5_of_message_attributes;
  std::optional<protocol::Map<protocol::sqs::MessageAttributeValue>> message_attributes;

  static constexpr auto shape() {
    using Self = Message;
    return Shape("Message", optional("MessageId", &Self::message_id), optional("ReceiptHandle", &Self::receipt_handle),
                 optional("MD5OfBody", &Self::md5_of_body), optional("Body", &Self::body),
                 optional("Attributes", &Self::attributes),
                 optional("MD5OfMessageAttributes", &Self::md5_of_message_attributes),
                 optional("MessageAttributes", &Self::message_attributes));
  }
};

struct Messages {
  std::optional<std::vector<Message>> messages;

  static constexpr auto shape() { return Shape("Messages", optional("Messages", &Messages::messages)); }
};

struct PeekQuestion {
  std::optional<std::string> queue_url;
  std::optional<bool> show_invisible;
  std::optional<bool> show_delayed;

  static constexpr auto shape() {
    using Self = PeekQuestion;
    return Shape("PeekQuestion", optional("QueueUrl", &Self::queue_url),
                 optional("ShowInvisible", &Self::show_invisible), optional("ShowDelayed", &Self::show_delayed));
  }
};

struct Queue {
  std::optional<std::string> name;
  std::optional<std::string> url;
  std::optional<protocol::Map<std::string>> attributes;
  std::optional<protocol::Map<std::string>> tags;

  static constexpr auto shape() {
    using Self = Queue;
    return Shape("Queue", optional("QueueName", &Self::name), optional("QueueUrl", &Self::url),
                 optional("Attributes", &Self::attributes), optional("Tags", &Self::tags));
  }
};

struct Queues {
  std::optional<std::vector<Queue>> queues;

  static constexpr auto shape() { return Shape("Queues", optional("Queues", &Queues::queues)); }
};

/// Of a RedrivePolicy, which is a text of JSON.
struct RedrivePolicy {
  std::optional<std::string> target_arn;

  static constexpr auto shape() {
    return Shape("RedrivePolicy", optional("deadLetterTargetArn", &RedrivePolicy::target_arn));
  }
};

/// Which queue has nothing now.
struct Purged {
  std::optional<std::string> url;

  static constexpr auto shape() { return Shape("Purged", optional("QueueUrl", &Purged::url)); }
};

}  // namespace penstock::cli::wire
