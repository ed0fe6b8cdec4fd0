#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/queue_shapes.hpp"
#include "cli/server.hpp"
#include "protocol/native/server_operations.hpp"

namespace penstock::cli {

namespace {

/// Of a body in a table.
constexpr std::size_t body_bytes_shown = 60;

std::string attribute(const wire::Message& message, std::string_view name) {
  if (!message.attributes) return {};
  for (const auto& [key, value] : message.attributes->entries) {
    if (key == name) return value;
  }
  return {};
}

/// By the server's clock, which need not be the real one. In milliseconds.
std::int64_t now_of(Server& server) {
  using Clock = protocol::native::ReadClockOperation;
  const client::Answer answer = server.lambda({std::string(Clock::method), std::string(Clock::path), {}});
  return client::from_json<Clock::Output>(answer).now_ms.value_or(0);
}

std::string age_of(const wire::Message& message, std::int64_t now) {
  const std::string sent = attribute(message, "SentTimestamp");
  return sent.empty() ? "-" : duration_text(now - std::stoll(sent));
}

std::string state_of(const wire::Message& message) {
  if (attribute(message, "IsVisible") == "false") return "IN FLIGHT";
  return attribute(message, "IsDelayed") == "true" ? "DELAYED" : "VISIBLE";
}

/// The beginning of it, in whole characters of UTF-8.
std::string shortened(const std::string& body) {
  if (body.size() <= body_bytes_shown) return body;
  constexpr unsigned char kind_bits = 0xC0;
  constexpr unsigned char within = 0x80;
  std::size_t end = body_bytes_shown;
  while (end > 0 && (static_cast<unsigned char>(body[end]) & kind_bits) == within) --end;
  return body.substr(0, end) + "...";
}

Table table_of(const std::vector<wire::Message>& messages, std::int64_t now) {
  Table table({"MESSAGE", "STATE", "AGE", "RECEIVES", "GROUP", "BODY"});
  for (const wire::Message& message : messages) {
    table.add({or_dash(message.message_id), state_of(message), age_of(message, now),
               attribute(message, "ApproximateReceiveCount"), or_dash(attribute(message, "MessageGroupId")),
               shortened(message.body.value_or(""))});
  }
  return table;
}

std::vector<wire::Message> look(Server& server, const Arguments& arguments) {
  wire::PeekQuestion question{server.queue_url(arguments.word(0)), arguments.has("invisible"),
                              arguments.has("delayed")};
  auto seen = client::from_json<wire::Messages>(server.call("/_aws/sqs/messages", "AmazonSQS.ReceiveMessage",
                                                            client::to_json(question), server.home(), Patience{}));
  auto messages = std::move(seen.messages).value_or(std::vector<wire::Message>());
  // What is not received has no handle that would be good for anything.
  for (wire::Message& message : messages) message.receipt_handle.reset();
  return messages;
}

}  // namespace

void describe_peek(cxxopts::Options& flags) {
  // clang-format off
  flags.add_options()
      ("invisible", "also those in flight", cxxopts::value<bool>())
      ("delayed", "also those that are delayed", cxxopts::value<bool>())
      ("max", "end after so many messages", cxxopts::value<std::string>(), "N")
      ("l,long", "a table of them, with the beginning of each body", cxxopts::value<bool>());
  // clang-format on
}

int run_peek(const Arguments& arguments) {
  const auto max = read_count(arguments, "max");
  Server server(arguments);
  std::vector<wire::Message> messages = look(server, arguments);
  if (max && messages.size() > *max) messages.resize(*max);
  if (messages.empty()) return empty_status;
  if (arguments.has("long") && !arguments.json) {
    table_of(messages, now_of(server)).print();
    return success_status;
  }
  Output output;
  for (const wire::Message& message : messages) {
    output.line(arguments.json ? client::to_json(message) : message.body.value_or(""));
  }
  output.flush();
  return success_status;
}

}  // namespace penstock::cli
