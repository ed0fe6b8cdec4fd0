#include "server/import_contents.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "config/shapes.hpp"
#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"
#include "penstock/server_commands.hpp"
#include "protocol/base64.hpp"
#include "protocol/caller.hpp"
#include "protocol/decode.hpp"
#include "protocol/faults.hpp"
#include "protocol/kinesis/record_operations.hpp"
#include "protocol/lambda/names.hpp"
#include "protocol/sqs/arn.hpp"
#include "protocol/sqs/send_operations.hpp"
#include "protocol/text.hpp"
#include "protocol/validate.hpp"
#include "server/options.hpp"

namespace penstock::server {

namespace {

using config::Value;
using protocol::Caller;

constexpr std::string_view trace_header_name = "AWSTraceHeader";

/// No time is before or behind what a server's clock shows; what is delayed waits a little longer.
constexpr std::int64_t time_max = to_epoch_ms(server_limits::clock_max);
constexpr std::int64_t visible_max = time_max + Millis{std::chrono::seconds{sqs_limits::delay_seconds_max}}.count();
constexpr std::int64_t count_max = INT32_MAX;

/// What a line is refused for. Thrown and caught here.
struct Refused {
  Error error;
};

[[noreturn]] void refuse(std::string reason) { throw Refused{{ErrorCode::InvalidRequest, std::move(reason)}}; }

void check(protocol::Refusal refusal) {
  if (refusal) throw Refused{*std::move(refusal)};
}

/// What a request asks for that is understood.
Command command_in(protocol::Asked asked) {
  if (auto* error = std::get_if<Error>(&asked)) throw Refused{std::move(*error)};
  if (auto* command = std::get_if<Command>(&asked)) return std::move(*command);
  return std::move(std::get<protocol::Question>(asked).command);
}

void check_members(const Value& map, std::string_view what, const std::vector<std::string_view>& known) {
  if (map.kind != Value::Kind::map) refuse(std::string(what) + " is no object");
  if (std::string objection = objection_to_members(map, known); !objection.empty()) refuse(std::move(objection));
}

/// Nothing if there is none.
std::optional<std::string> text_in(const Value& map, std::string_view name) {
  const Value* const found = map.find(name);
  if (found == nullptr) return std::nullopt;
  if (found->kind != Value::Kind::text) refuse("its " + std::string(name) + " is no string");
  return found->text;
}

std::optional<std::string> bytes_in(const Value& map, std::string_view name) {
  const auto text = text_in(map, name);
  if (!text) return std::nullopt;
  auto bytes = protocol::base64_decode(*text);
  if (!bytes) refuse("its " + std::string(name) + " is no base64");
  return bytes;
}

/// Nothing if there is none.
std::optional<std::int64_t> number_in(const Value& map, std::string_view name, std::int64_t min, std::int64_t max) {
  const Value* const found = map.find(name);
  if (found == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = found->text.data() + found->text.size();
  const auto [stop, error] = std::from_chars(found->text.data(), end, number);
  if (found->kind != Value::Kind::number || error != std::errc() || stop != end || number < min || number > max) {
    refuse("its " + std::string(name) + " is no whole number from " + std::to_string(min) + " to " +
           std::to_string(max));
  }
  return number;
}

// ---- Messages

using protocol::Map;
using protocol::sqs::MessageAttributeValue;
using protocol::sqs::MessageSystemAttributeValue;

std::optional<Map<MessageAttributeValue>> attributes_in(const Value& message) {
  const Value* const given = message.find("attributes");
  if (given == nullptr) return std::nullopt;
  if (given->kind != Value::Kind::list) refuse("its attributes are no list");
  Map<MessageAttributeValue> attributes;
  for (const Value& one : given->items) {
    if (attributes.entries.size() == protocol::elements_max) check(protocol::too_many_elements());
    check_members(one, "an attribute", {"name", "type", "value", "base64"});
    MessageAttributeValue attribute;
    attribute.data_type = text_in(one, "type");
    attribute.string_value = text_in(one, "value");
    if (auto bytes = bytes_in(one, "base64")) attribute.binary_value = protocol::Blob{*std::move(bytes)};
    attributes.entries.emplace_back(text_in(one, "name").value_or(std::string()), std::move(attribute));
  }
  return attributes;
}

std::optional<Map<MessageSystemAttributeValue>> trace_in(const Value& message) {
  auto trace = text_in(message, "trace");
  if (!trace) return std::nullopt;
  MessageSystemAttributeValue value;
  value.data_type = "String";
  value.string_value = std::move(trace);
  Map<MessageSystemAttributeValue> attributes;
  attributes.entries.emplace_back(std::string(trace_header_name), std::move(value));
  return attributes;
}

/// Who sent it: as the key of a request's signature says.
std::string sender_in(const Value& message) {
  auto sender = text_in(message, "sender");
  if (!sender) return std::string(protocol::anonymous_principal);
  if (protocol::caller_of({}, {}, *sender).principal != *sender) refuse("its sender is no access key");
  return *std::move(sender);
}

/// The queue that it was moved from as a dead letter.
std::string source_in(const QueueName& queue, const Value& message) {
  auto source = text_in(message, "source");
  if (!source) return {};
  const auto from = protocol::sqs::queue_of_arn(*source);
  if (!from) refuse("its source is no queue's ARN");
  if (from->account != queue.account || from->region != queue.region || is_fifo(from->name) != is_fifo(queue.name) ||
      from->name == queue.name) {
    refuse("its source is no queue whose dead letters come here");
  }
  return *std::move(source);
}

/// Where it was since it was sent. One that does not say when that was is sent now: a queue takes no time that is to
/// come.
void take_course(const Value& message, ImportedMessage& imported, StoredMessage& stored) {
  stored.sent = from_epoch_ms(number_in(message, "sent", 0, time_max).value_or(time_max));
  const std::int64_t receives = number_in(message, "receives", 0, count_max).value_or(0);
  const auto arrivals = number_in(message, "arrivals", 0, receives);
  const auto first_received = number_in(message, "first_received", 0, time_max);
  const auto visible = number_in(message, "visible", 0, visible_max);
  if (receives > 0 && !first_received) refuse("it was received, and does not say when at first");
  if (receives > 0 && visible) refuse("it was received, and so is not delayed");
  if (receives == 0 && first_received) refuse("it was never received, and says when");
  imported.receive_count = static_cast<std::uint32_t>(receives);
  imported.arrival_count = static_cast<std::uint32_t>(arrivals.value_or(0));
  if (first_received) imported.first_received = from_epoch_ms(*first_received);
  if (visible) imported.visible_at = from_epoch_ms(*visible);
}

/// What it says, as the queue would take it from a client.
MessageContent content_in(const QueueName& queue, const Value& message) {
  using protocol::sqs::SendMessageOperation;
  SendMessageOperation::Input input;
  input.queue_url = queue.name;
  input.message_body = text_in(message, "body");
  input.message_attributes = attributes_in(message);
  input.message_system_attributes = trace_in(message);
  input.message_group_id = text_in(message, "group");
  input.message_deduplication_id = text_in(message, "deduplication");
  const std::string sender = sender_in(message);
  Caller caller;
  caller.account = queue.account;
  caller.region = queue.region;
  caller.principal = sender;
  if (const auto missing = protocol::missing_member(input)) check(protocol::missing_parameter(*missing));
  check(protocol::check_constraints(input));
  SendMessageOperation::Kept sums;
  auto send = std::get<SendMessages>(command_in(SendMessageOperation::to_command(input, caller, sums)));
  if (send.queue != queue || !protocol::sqs::is_queue_name(queue.name)) refuse("it names no queue");
  OutgoingMessage& outgoing = send.messages.front();
  // As a queue does that deduplicates by contents.
  if (outgoing.content.deduplication_id.empty()) outgoing.content.deduplication_id = outgoing.body_sha256;
  return std::move(outgoing.content);
}

ImportedMessage read_message(const QueueName& queue, const Value& message) {
  check_members(message, "the message",
                {"id", "sent", "body", "attributes", "sender", "trace", "group", "deduplication", "source", "receives",
                 "first_received", "arrivals", "visible"});
  auto stored = std::make_shared<StoredMessage>();
  stored->message_id = text_in(message, "id").value_or(std::string());
  if (!protocol::lambda::is_uuid(stored->message_id)) refuse("its id is no UUID");
  ImportedMessage imported;
  take_course(message, imported, *stored);
  stored->dead_letter_source = source_in(queue, message);
  stored->content = content_in(queue, message);
  imported.message = std::move(stored);
  return imported;
}

// ---- Records

PutEntry read_record(const StreamName& stream, const Value& record) {
  using protocol::kinesis::PutRecordOperation;
  check_members(record, "the record", {"key", "hash", "data"});
  PutRecordOperation::Input input;
  input.stream_name = stream.name;
  input.partition_key = text_in(record, "key");
  input.explicit_hash_key = text_in(record, "hash");
  if (auto data = bytes_in(record, "data")) input.data = protocol::Blob{*std::move(data)};
  check(protocol::validate(input));
  Caller caller;
  caller.account = stream.account;
  caller.region = stream.region;
  PutRecordOperation::Kept kept;
  auto command = std::get<StreamCommand>(command_in(PutRecordOperation::to_command(input, caller, kept)));
  return std::move(std::get<PutRecords>(command).entries.front());
}

/// What is read, or what it is refused for.
template <class Read>
auto read_or_refuse(const Read& read) -> std::variant<decltype(read()), Error> {
  try {
    return read();
  } catch (Refused& refused) {
    return std::move(refused.error);
  }
}

}  // namespace

bool is_home(const Home& home) { return protocol::is_account(home.account) && is_region_label(home.region); }

std::variant<ImportedMessage, Error> message_of_line(const QueueName& queue, const Value& message) {
  return read_or_refuse([&] { return read_message(queue, message); });
}

std::variant<PutEntry, Error> record_of_line(const StreamName& stream, const Value& record) {
  return read_or_refuse([&] { return read_record(stream, record); });
}

std::string objection_to_members(const Value& map, const std::vector<std::string_view>& known) {
  for (const config::Member& member : map.members) {
    if (std::ranges::find(known, member.name) == known.end()) return config::no_such(member.name, known);
    if (std::ranges::count(map.members, member.name, &config::Member::name) > 1) {
      return "it has '" + member.name + "' more than once";
    }
  }
  return {};
}

std::string reason_of(const Error& error) {
  return error.message.empty() ? std::string(protocol::fault_of(error.code).message) : error.message;
}

}  // namespace penstock::server
