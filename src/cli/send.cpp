#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "penstock/limits.hpp"
#include "protocol/base64.hpp"
#include "protocol/sqs/message_content.hpp"
#include "protocol/sqs/send_operations.hpp"

namespace penstock::cli {

namespace sqs = protocol::sqs;

namespace {

constexpr std::string_view binary_type = "Binary";

/// NAME=VALUE, or NAME:TYPE=VALUE, where the value of a Binary is base64.
std::pair<std::string, sqs::MessageAttributeValue> attribute_of(const std::string& text) {
  const auto refuse = [&](const char* why) {
    throw UsageError("--attribute " + std::string(why) + ", not '" + text + "'");
  };
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) refuse("is like NAME=VALUE or NAME:TYPE=VALUE");
  const std::size_t colon = std::min(text.find(':'), equals);
  sqs::MessageAttributeValue value;
  value.data_type = colon < equals ? text.substr(colon + 1, equals - colon - 1) : "String";
  std::string given = text.substr(equals + 1);
  if (colon == 0 || value.data_type->empty()) refuse("has a name, and a type behind a colon");
  if (!value.data_type->starts_with(binary_type)) {
    value.string_value = std::move(given);
  } else if (auto bytes = protocol::base64_decode(given)) {
    value.binary_value = protocol::Blob{std::move(*bytes)};
  } else {
    refuse("of type Binary has its value in base64");
  }
  return {text.substr(0, colon), std::move(value)};
}

/// All but the body.
sqs::MessageFields fields_of(const Arguments& arguments) {
  sqs::MessageFields fields;
  fields.delay_seconds = read_number(arguments, "delay", 0);
  if (arguments.has("group")) fields.message_group_id = arguments.text("group");
  if (arguments.has("dedup-id")) fields.message_deduplication_id = arguments.text("dedup-id");
  if (arguments.has("attribute")) {
    auto& attributes = fields.message_attributes.emplace();
    for (const std::string& one : arguments.texts("attribute")) attributes.entries.push_back(attribute_of(one));
  }
  return fields;
}

void print_sent(Output& output, const sqs::SendMessageResult& sent, bool json) {
  output.line(json ? client::to_json(sent) : sent.message_id.value_or(""));
}

/// Lines of standard input on their way, as many to a request as it takes.
class Lines {
 public:
  Lines(Server& server, std::string url, sqs::MessageFields fields, bool json)
      : server_(server),
        url_(std::move(url)),
        fields_(std::move(fields)),
        json_(json),
        progress_(!is_terminal(STDOUT_FILENO) && !is_terminal(STDIN_FILENO)) {
    sqs::MessageFields empty = fields_;
    empty.message_body = "";
    bytes_besides_body_ = sqs::message_bytes(empty);
  }

  int send_all() {
    LineReader lines(STDIN_FILENO);
    try {
      while (true) {
        // What waits for the next line does not keep those before it waiting.
        if (!lines.is_ready()) send_batch();
        const auto line = lines.next();
        if (!line) break;
        add(*line, lines.number());
      }
    } catch (const Interrupted&) {
      // What was read is sent, so that whoever sees the ids knows where to go on.
      send_batch();
      throw;
    } catch (const std::runtime_error&) {
      send_batch();
      throw;
    }
    send_batch();
    progress_.clear();
    if (empty_ > 0) remark(std::to_string(empty_) + " empty lines were left out: a message has at least one character");
    return failed_ == 0 ? success_status : failure_status;
  }

 private:
  void add(std::string_view line, std::size_t number) {
    if (line.empty()) {
      ++empty_;
      return;
    }
    const std::size_t bytes = line.size() + bytes_besides_body_;
    if (entries_.size() == sqs_limits::batch_entries_max || bytes_ + bytes > sqs_limits::message_bytes_max)
      send_batch();
    sqs::SendMessageBatchRequestEntry entry;
    static_cast<sqs::MessageFields&>(entry) = fields_;
    entry.message_body = std::string(line);
    entry.id = std::to_string(number);
    entries_.push_back(std::move(entry));
    bytes_ += bytes;
  }

  void send_batch() {
    if (entries_.empty()) return;
    sqs::SendMessageBatchRequest request{url_, std::exchange(entries_, {})};
    bytes_ = 0;
    const auto done = server_.sqs<sqs::SendMessageBatchOperation>(request, until_answered);
    for (const auto& sent : *done.successful) {
      print_sent(output_,
                 {sent.md5_of_message_body, sent.md5_of_message_attributes, {}, sent.message_id, sent.sequence_number},
                 json_);
    }
    sent_ += done.successful->size();
    for (const auto& refused : *done.failed) {
      progress_.clear();
      complain("line " + refused.id.value_or("") + ": " + refused.code.value_or("") + ": " +
               refused.message.value_or(""));
    }
    failed_ += done.failed->size();
    output_.flush();
    progress_.show(grouped(sent_) + " sent");
  }

  Server& server_;
  const std::string url_;
  const sqs::MessageFields fields_;
  const bool json_;
  Progress progress_;
  Output output_;
  std::size_t bytes_besides_body_ = 0;
  std::vector<sqs::SendMessageBatchRequestEntry> entries_;
  std::size_t bytes_ = 0;
  std::size_t sent_ = 0;
  std::size_t failed_ = 0;
  std::size_t empty_ = 0;
};

std::string body_of(const Arguments& arguments) {
  if (arguments.words.size() > 1) return arguments.word(1);
  if (!arguments.rest.empty()) return arguments.rest.front();
  std::string text = read_all(STDIN_FILENO, sqs_limits::message_bytes_max, "standard input");
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

void describe_send(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("lines", "send each line of standard input, up to 1 MiB, as a message", cxxopts::value<bool>())
      ("delay", "seconds before it can be received (default: the queue's)", text(), "S")
      ("group", "its MessageGroupId", text(), "ID")
      ("dedup-id", "its MessageDeduplicationId", text(), "ID")
      ("attribute", "a message attribute, as NAME=VALUE or NAME:TYPE=VALUE (default of the type: String; the value of a "
       "Binary is base64); may be given more than once", cxxopts::value<std::vector<std::string>>(), "NAME=VALUE");
  // clang-format on
}

int run_send(const Arguments& arguments) {
  const std::size_t bodies = arguments.words.size() - 1 + arguments.rest.size();
  if (bodies > 1) throw UsageError("a message has one body");
  sqs::MessageFields fields = fields_of(arguments);
  const bool lines = arguments.has("lines");
  if (lines && bodies > 0) throw UsageError("--lines sends standard input, and does not go with a body");
  if (lines && fields.message_deduplication_id)
    throw UsageError("--dedup-id is one message's, and does not go with --lines");
  Server server(arguments);
  const std::string url = server.queue_url(arguments.word(0));
  if (lines) return Lines(server, url, std::move(fields), arguments.json).send_all();
  sqs::SendMessageRequest request;
  static_cast<sqs::MessageFields&>(request) = std::move(fields);
  request.queue_url = url;
  request.message_body = body_of(arguments);
  const auto sent = server.sqs<sqs::SendMessageOperation>(request, until_answered);
  Output output;
  print_sent(output, sent, arguments.json);
  output.flush();
  return success_status;
}

}  // namespace penstock::cli
