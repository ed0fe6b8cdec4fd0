#include "protocol/lambda/events.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/queue_names.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/base64.hpp"
#include "protocol/digests.hpp"
#include "protocol/json.hpp"
#include "protocol/lambda/json_text.hpp"

namespace penstock::protocol::lambda {
namespace {

// What an item has beside the sender's own: names, ids and numbers. A little too much is better than to move it all.
constexpr std::size_t around_message = 768;
constexpr std::size_t around_attribute = 96;
constexpr std::size_t around_record = 512;
constexpr std::size_t around_event = 512;

// ---- Messages.

std::string& append_number(std::string& out, std::int64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return out.append(digits.data(), end);
}

void append_text_attribute(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(",\"").append(name).append("\":");
  append_quoted(out, value);
}

void append_system_attributes(std::string& out, const Delivery& delivery, bool fifo) {
  const StoredMessage& message = *delivery.message;
  const MessageContent& content = message.content;
  append_number(out.append(R"("attributes":{"ApproximateReceiveCount":")"), delivery.receive_count).append("\"");
  append_text_attribute(out, "AWSTraceHeader", content.trace_header);
  append_number(out.append(R"(,"SentTimestamp":")"), to_epoch_ms(message.sent)).append("\"");
  if (fifo) append_text_attribute(out, "SequenceNumber", format_sequence_number(delivery.sequence));
  append_text_attribute(out, "MessageGroupId", content.group_id);
  out.append(R"(,"SenderId":)");
  append_quoted(out, content.sender_id);
  append_text_attribute(out, "MessageDeduplicationId", content.deduplication_id);
  append_number(out.append(R"(,"ApproximateFirstReceiveTimestamp":")"), to_epoch_ms(delivery.first_received))
      .append("\"");
  append_text_attribute(out, "DeadLetterQueueSourceArn", message.dead_letter_source);
  out.append("}");
}

void append_message_attributes(std::string& out, const std::vector<MessageAttribute>& attributes) {
  out.append(R"("messageAttributes":{)");
  for (const MessageAttribute& attribute : attributes) {
    if (out.back() != '{') out.push_back(',');
    append_quoted(out, attribute.name);
    if (attribute.is_binary()) {
      out.append(R"(:{"binaryValue":)");
      append_base64(out, attribute.value);
    } else {
      out.append(R"(:{"stringValue":)");
      append_quoted(out, attribute.value);
    }
    out.append(R"(,"stringListValues":[],"binaryListValues":[],"dataType":)");
    append_quoted(out, attribute.data_type);
    out.push_back('}');
  }
  out.push_back('}');
}

std::size_t bytes_expected(const MessageContent& content) {
  std::size_t bytes = around_message + content.body.size();
  for (const MessageAttribute& attribute : content.attributes) {
    bytes += around_attribute + attribute.name.size() + base64_size(attribute.value.size());
  }
  return bytes;
}

/// What all messages of a queue end with.
std::string ending_of(const MappingRecord& mapping, const QueueName& queue) {
  std::string ending = R"(","eventSource":"aws:sqs","eventSourceARN":)";
  append_quoted(ending, mapping.source_arn);
  return ending.append(R"(,"awsRegion":")").append(queue.region).append("\"}");
}

void append_event(std::string& out, const Delivery& delivery, const MappingRecord& mapping, const QueueName& queue,
                  std::string_view ending) {
  const StoredMessage& message = *delivery.message;
  const MessageContent& content = message.content;
  out.append(R"({"messageId":")").append(message.message_id).append(R"(","receiptHandle":)");
  append_quoted(out, delivery.receipt_handle);
  out.append(R"(,"body":)");
  append_quoted(out, content.body);
  out.push_back(',');
  append_system_attributes(out, delivery, is_fifo(queue.name));
  out.push_back(',');
  append_message_attributes(out, content.attributes);
  if (!content.attributes.empty()) {
    out.append(R"(,"md5OfMessageAttributes":")").append(to_hex(md5_of_attributes(content.attributes))).append("\"");
  } else if (mapping.config.window_seconds != 0) {
    // As the service has it, which gathers such batches elsewhere.
    out.append(R"(,"md5OfMessageAttributes":null)");
  }
  out.append(R"(,"md5OfBody":")").append(to_hex(content.body_md5)).append(ending);
}

// ---- Records.

/// What all records of a page have in common.
struct RecordFrame {
  std::string shard_id;
  std::string ending;  ///< from invokeIdentityArn on
};

RecordFrame frame_of(const RecordsPage& page, const MappingRecord& mapping, std::string_view role) {
  const FunctionName& function = mapping.function;
  const std::string usual = "arn:aws:iam::" + function.account + ":role/" + function.name;
  RecordFrame frame{format_shard_id(page.shard), R"(,"eventName":"aws:kinesis:record","invokeIdentityArn":)"};
  append_quoted(frame.ending, role.empty() ? usual : role);
  frame.ending.append(R"(,"awsRegion":")").append(page.stream.region).append(R"(","eventSourceARN":)");
  append_quoted(frame.ending, mapping.source_arn);
  frame.ending.push_back('}');
  return frame;
}

/// Seconds with three digits of a fraction.
void append_seconds(std::string& out, Instant at) {
  constexpr std::size_t fraction_digits = 3;
  std::string text = std::to_string(to_epoch_ms(at));
  if (text.size() <= fraction_digits) text.insert(0, fraction_digits + 1 - text.size(), '0');
  out.append(text, 0, text.size() - fraction_digits).append(".").append(text, text.size() - fraction_digits);
}

std::string event_of(const StreamRecord& record, std::string_view sequence_number, const RecordFrame& frame) {
  std::string out;
  out.reserve(around_record + frame.ending.size() + record.partition_key.size() + base64_size(record.data.size()));
  out.append(R"({"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":)");
  append_quoted(out, record.partition_key);
  out.append(R"(,"sequenceNumber":")").append(sequence_number).append(R"(","data":)");
  append_base64(out, record.data);
  out.append(R"(,"approximateArrivalTimestamp":)");
  append_seconds(out, record.arrived);
  out.append(R"(},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":")");
  return out.append(frame.shard_id).append(":").append(sequence_number).append("\"").append(frame.ending);
}

// ---- Windows.

void append_window(std::string& out, const WindowEvent& window, std::string_view source_arn) {
  const auto flag = [](bool set) { return set ? "true" : "false"; };
  out.append(R"(,"window":{"start":")").append(iso_seconds(window.start)).append(R"(","end":")");
  out.append(iso_seconds(window.end)).append(R"("},"state":)").append(window.state.empty() ? "{}" : window.state);
  out.append(R"(,"shardId":")").append(window.shard_id).append(R"(","eventSourceARN":)");
  append_quoted(out, source_arn);
  out.append(R"(,"isFinalInvokeForWindow":)").append(flag(window.is_final));
  out.append(R"(,"isWindowTerminatedEarly":)").append(flag(window.terminated_early));
}

}  // namespace

// What was received together is worked on together for the most part, and is made as one text: that takes two
// allocations in all, which another thread has to give back, where each message took two of its own.
std::vector<SourceItem> items_of(const Deliveries& deliveries, const MappingRecord& mapping, const Filters& filters) {
  const auto* const queue = std::get_if<QueueName>(&mapping.source);
  std::vector<SourceItem> items;
  if (queue == nullptr) return items;
  items.reserve(deliveries.messages.size());
  std::vector<std::size_t> ends;  // of each item's event in the text; where the one before it ends if it has none
  ends.reserve(deliveries.messages.size());
  std::size_t bytes = 0;
  for (const Delivery& delivery : deliveries.messages) {
    if (delivery.message != nullptr) bytes += bytes_expected(delivery.message->content);
  }
  std::string text;
  text.reserve(bytes);
  const std::string ending = ending_of(mapping, *queue);
  for (const Delivery& delivery : deliveries.messages) {
    if (delivery.message == nullptr) continue;
    const StoredMessage& message = *delivery.message;
    const std::size_t begin = text.size();
    const auto render = [&]() -> std::string_view {
      if (text.size() == begin) append_event(text, delivery, mapping, *queue, ending);
      return std::string_view(text).substr(begin);
    };
    if (filters.match_message(message.content.body, render)) {
      render();
    } else {
      text.resize(begin);
    }
    ends.push_back(text.size());
    SourceItem& item = items.emplace_back();
    item.id = message.message_id;
    item.receipt_handle = delivery.receipt_handle;
    item.key = message.content.group_id;
    item.arrived = message.sent;
    item.visible_at = delivery.visible_at;
  }
  // Where most do not match, the others are not to keep the room of all.
  if (text.size() < text.capacity() / 2) text.shrink_to_fit();
  const auto whole = std::make_shared<const std::string>(std::move(text));
  std::size_t begin = 0;
  for (std::size_t i = 0; i < items.size(); begin = ends[i++]) {
    if (ends[i] > begin) items[i].event = SharedText(whole, std::string_view(*whole).substr(begin, ends[i] - begin));
  }
  return items;
}

std::vector<SourceItem> items_of(const RecordsPage& page, const MappingRecord& mapping, const Filters& filters,
                                 std::string_view role) {
  const RecordFrame frame = frame_of(page, mapping, role);
  std::vector<SourceItem> items;
  items.reserve(page.records.size());
  for (const ReadRecord& read : page.records) {
    const StreamRecord& record = read.record;
    SourceItem& item = items.emplace_back();
    item.id = format_sequence_number(record_number(page.shard, page.created_s, read.index, record.arrived));
    item.key = record.partition_key;
    item.index = read.index;
    item.arrived = record.arrived;
    std::string event;
    const auto render = [&]() -> std::string_view {
      if (event.empty()) event = event_of(record, item.id, frame);
      return event;
    };
    if (!filters.match_record(record.data, render)) continue;
    render();
    item.event = std::make_shared<const std::string>(std::move(event));
  }
  return items;
}

std::string event_of(const BatchEvent& event) {
  std::size_t bytes = around_event + (event.window ? event.window->state.size() : 0);
  for (const auto& record : event.records) bytes += record->size() + 1;
  std::string out;
  out.reserve(bytes);
  out.append(R"({"Records":[)");
  for (const auto& record : event.records) {
    if (&record != &event.records.front()) out.push_back(',');
    out.append(*record);
  }
  out.push_back(']');
  if (event.window) append_window(out, *event.window, event.mapping->source_arn);
  out.push_back('}');
  return out;
}

}  // namespace penstock::protocol::lambda
