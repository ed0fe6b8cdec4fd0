// What a sender gives, and the rules it is held to: the same for a single message and for an entry of a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/limits.hpp"
#include "protocol/caller.hpp"
#include "protocol/decode.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::sqs {

/// Text is std::string in a request, std::string_view in an answer.
template <class Text>
struct BasicAttributeValue {
  std::optional<Text> string_value;
  std::optional<BasicBlob<Text>> binary_value;
  std::optional<std::vector<Text>> string_list_values;
  std::optional<std::vector<BasicBlob<Text>>> binary_list_values;
  std::optional<Text> data_type;

  static constexpr auto shape() { return shape_named("MessageAttributeValue"); }

 protected:
  static constexpr auto shape_named(std::string_view name) {
    using Self = BasicAttributeValue;
    return Shape(name, optional("StringValue", &Self::string_value), optional("BinaryValue", &Self::binary_value),
                 optional("StringListValues", &Self::string_list_values, {.query = "StringListValue"}),
                 optional("BinaryListValues", &Self::binary_list_values, {.query = "BinaryListValue"}),
                 required("DataType", &Self::data_type));
  }
};
using MessageAttributeValue = BasicAttributeValue<std::string>;

struct MessageSystemAttributeValue : MessageAttributeValue {
  static constexpr auto shape() { return shape_named("MessageSystemAttributeValue"); }
};

struct MessageFields {
  std::optional<std::string> message_body;
  std::optional<std::int32_t> delay_seconds;
  std::optional<Map<MessageAttributeValue>> message_attributes;
  std::optional<Map<MessageSystemAttributeValue>> message_system_attributes;
  std::optional<std::string> message_deduplication_id;
  std::optional<std::string> message_group_id;

 protected:
  /// The fields in the model's order, after those that come before them.
  template <class... Before>
  static constexpr auto shape_after(std::string_view name, Before... before) {
    using Self = MessageFields;
    constexpr Range delay{0, sqs_limits::delay_seconds_max};
    return Shape(
        name, before..., required("MessageBody", &Self::message_body),
        optional("DelaySeconds", &Self::delay_seconds, {.constraints = {.range = delay}}),
        optional("MessageAttributes", &Self::message_attributes, {.query = "MessageAttribute"}),
        optional("MessageSystemAttributes", &Self::message_system_attributes, {.query = "MessageSystemAttribute"}),
        optional("MessageDeduplicationId", &Self::message_deduplication_id),
        optional("MessageGroupId", &Self::message_group_id));
  }
};

/// The sums that the answer to a send carries.
struct MessageSums {
  Md5 body{};
  std::optional<Md5> attributes;
  std::optional<Md5> system_attributes;
};

/// What counts against the limits of a message and of a batch: bytes of the body, and of each attribute's name, type
/// and value.
std::size_t message_bytes(const MessageFields& fields);

/// Checks one message, which goes to a queue that is `fifo` or not, and moves it into `out`.
/// REQUIRES: the required fields are there and the constraints were checked.
Refusal take_message(MessageFields& fields, const Caller& caller, bool fifo, OutgoingMessage& out, MessageSums& sums);

/// A MessageGroupId, MessageDeduplicationId or ReceiveRequestAttemptId: 1 to 128 alphanumeric and punctuation
/// characters.
Refusal check_identifier(std::string_view parameter, std::string_view value);

}  // namespace penstock::protocol::sqs
