#include "server/importer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "config/requests.hpp"
#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"
#include "protocol/base64.hpp"
#include "protocol/digests.hpp"
#include "protocol/kinesis/record_operations.hpp"
#include "protocol/text.hpp"
#include "server/portable.hpp"

namespace penstock::server {

namespace {

using config::Value;

/// While a stream that was just made is not ready, or is being changed.
constexpr std::chrono::milliseconds stream_look_interval{20};
constexpr int stream_looks_max = 500;

constexpr const char* no_such_request = "it is no request that exports have";

constexpr std::size_t uuid_chars = 36;
constexpr std::size_t attributes_max = 10;

/// Nothing if it is there and no whole number.
std::optional<std::int64_t> number_of(const Value& value, std::string_view name, std::int64_t if_missing = 0) {
  const Value* const found = value.find(name);
  if (found == nullptr) return if_missing;
  std::int64_t number = 0;
  const char* const end = found->text.data() + found->text.size();
  const auto [stop, error] = std::from_chars(found->text.data(), end, number);
  if (found->kind != Value::Kind::number || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// What a message's line says of where its message was.
struct Course {
  std::optional<std::int64_t> sent;
  std::optional<std::int64_t> visible;
  std::optional<std::int64_t> first_received;
  std::optional<std::int64_t> receives;
  std::optional<std::int64_t> arrivals;

  bool is_whole() const {
    const auto is_count = [](const auto& count) { return count && *count >= 0 && *count <= INT32_MAX; };
    return sent && visible && first_received && is_count(receives) && is_count(arrivals) && *arrivals <= *receives;
  }
};

// One that does not say when it was sent is sent now: a queue takes no time that is to come.
Course course_of(const Value& message) {
  return {number_of(message, "sent", to_epoch_ms(Instant::max())), number_of(message, "visible"),
          number_of(message, "first_received"), number_of(message, "receives"), number_of(message, "arrivals")};
}

std::optional<std::vector<MessageAttribute>> attributes_of(const Value& message) {
  std::vector<MessageAttribute> attributes;
  const Value* const given = message.find("attributes");
  if (given == nullptr) return attributes;
  if (given->kind != Value::Kind::list || given->items.size() > attributes_max) return std::nullopt;
  for (const Value& one : given->items) {
    MessageAttribute attribute{one.text_of("name"), one.text_of("type"), one.text_of("value")};
    if (attribute.name.empty() || attribute.data_type.empty()) return std::nullopt;
    if (const Value* binary = one.find("base64")) {
      auto bytes = protocol::base64_decode(binary->text);
      if (!bytes) return std::nullopt;
      attribute.value = *std::move(bytes);
    }
    attributes.push_back(std::move(attribute));
  }
  std::ranges::sort(attributes, {}, &MessageAttribute::name);
  return attributes;
}

std::size_t bytes_of(const MessageContent& content) {
  std::size_t bytes = content.body.size();
  for (const MessageAttribute& attribute : content.attributes) {
    bytes += attribute.name.size() + attribute.data_type.size() + attribute.value.size();
  }
  return bytes;
}

/// Nothing if the line has no message that a queue of that name may have.
std::optional<ImportedMessage> message_of(const Value& value, bool fifo) {
  const Value* const body = value.find("body");
  auto attributes = attributes_of(value);
  const Course course = course_of(value);
  if (body == nullptr || body->kind != Value::Kind::text || !attributes || !course.is_whole()) return std::nullopt;
  auto message = std::make_shared<StoredMessage>();
  message->message_id = value.text_of("id");
  message->sent = from_epoch_ms(*course.sent);
  message->dead_letter_source = value.text_of("source");
  MessageContent& content = message->content;
  content.body = body->text;
  content.body_md5 = protocol::md5_of(content.body);
  content.attributes = *std::move(attributes);
  content.sender_id = value.text_of("sender");
  content.trace_header = value.text_of("trace");
  content.group_id = value.text_of("group");
  content.deduplication_id = value.text_of("deduplication");
  const bool whole = message->message_id.size() == uuid_chars && !content.body.empty() &&
                     bytes_of(content) <= sqs_limits::message_bytes_max && (!fifo || !content.group_id.empty());
  if (!whole) return std::nullopt;
  ImportedMessage imported;
  imported.message = std::move(message);
  imported.receive_count = static_cast<std::uint32_t>(*course.receives);
  imported.arrival_count = static_cast<std::uint32_t>(*course.arrivals);
  if (imported.receive_count > 0) imported.first_received = from_epoch_ms(*course.first_received);
  if (imported.receive_count == 0) imported.visible_at = from_epoch_ms(*course.visible);
  return imported;
}

template <std::size_t Count>
bool is_one_of(const std::array<std::string_view, Count>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The requests that make what there is. No others are done for whoever imports: an import only adds.
bool is_creation(const Value& request) {
  constexpr std::array<std::string_view, 2> posts{"/2015-03-31/functions", "/2015-03-31/event-source-mappings"};
  const std::string service = request.text_of("service");
  const std::string operation = request.text_of("operation");
  if (service == "sqs") return operation == "CreateQueue";
  if (service == "kinesis") return operation == "CreateStream";
  const std::string method = request.text_of("method");
  const std::string path = request.text_of("path");
  if (!service.empty()) return false;
  if (method == "POST") return is_one_of(posts, path);
  return method == "PUT" && (path.starts_with("/_penstock/streams/") || path.starts_with("/_penstock/functions/"));
}

/// Those that then make it whole.
bool is_setting(const Value& request) {
  constexpr std::array<std::string_view, 5> of_streams{"IncreaseStreamRetentionPeriod", "StartStreamEncryption",
                                                       "EnableEnhancedMonitoring", "PutResourcePolicy",
                                                       "RegisterStreamConsumer"};
  const std::string service = request.text_of("service");
  const std::string operation = request.text_of("operation");
  if (service == "sqs") return operation == "SetQueueAttributes";
  if (service == "kinesis") return is_one_of(of_streams, operation);
  const std::string path = request.text_of("path");
  return service.empty() && request.text_of("method") == "PUT" &&
         (path.starts_with("/2017-10-31/functions/") || path.starts_with("/2019-09-25/functions/"));
}

bool is_busy(const config::Answer& answer) {
  const std::string type = config::content_of(answer).text_of("__type");
  return !answer.is_success() && type.ends_with("ResourceInUseException");
}

/// What an answer says where there is one of that name already.
bool says_it_is_there(const config::Answer& answer) { return answer.status == 409 || is_busy(answer); }

std::string name_in(const Value& request) {
  if (const Value* input = request.find("input")) {
    for (const std::string_view member : {"QueueName", "StreamName", "FunctionName", "EventSourceArn"}) {
      if (std::string name = input->text_of(member); !name.empty()) return name;
    }
  }
  return request.text_of("path");
}

}  // namespace

void Importer::problem(const std::string& what) {
  ++imported_.problem_count;
  if (imported_.problems.size() == portable::problems_max) return;
  imported_.problems.push_back("line " + std::to_string(line_) + ": " + what);
}

Imported Importer::run(std::string_view lines, std::size_t number) {
  imported_ = {};
  line_ = number - 1;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    ++line_;
    if (line.empty()) continue;
    if (const auto value = config::from_json(line)) {
      take(*value);
    } else {
      problem("it is no JSON");
    }
  }
  flush();
  return std::move(imported_);
}

void Importer::take(const Value& line) {
  if (line.find("penstock") != nullptr) {
    if (number_of(line, "format") > portable::format) problem("it is of a newer format than this version reads");
    return;
  }
  const Home home{line.text_of("account"), line.text_of("region")};
  if (!protocol::is_account(home.account) || !protocol::is_region(home.region)) {
    return problem("it has no account and region");
  }
  if (line.find("create") != nullptr) return create(home, line);
  if (line.find("message") != nullptr) return take_message(home, line);
  if (line.find("record") != nullptr) return take_record(home, line);
  problem("it is no line of an export");
}

// ---- What there is to be

config::Answer Importer::ask(const Home& home, const Value& request) {
  const Value empty = config::map_value();
  const Value* const given = request.find("input");
  const Value& input = given == nullptr ? empty : *given;
  const std::string service = request.text_of("service");
  if (service == "sqs") return clients_.ask(home, config::sqs_request(request.text_of("operation"), input));
  if (service == "kinesis") return clients_.ask(home, config::kinesis_request(request.text_of("operation"), input));
  return clients_.ask(home, config::rest_request(request.text_of("method"), request.text_of("path"), input));
}

// A registration by PUT would take the place of one that is there, and CreateQueue succeeds where nothing is other.
bool Importer::is_there(const Home& home, const Value& request) {
  if (request.text_of("service") == "sqs") {
    Value question = config::map_value();
    question.set("QueueName", config::text_value(name_in(request)));
    return clients_.ask(home, config::sqs_request("GetQueueUrl", question)).is_success();
  }
  if (request.text_of("method") != "PUT") return false;
  return clients_.ask(home, config::rest_request("GET", request.text_of("path"))).is_success();
}

void Importer::create(const Home& home, const Value& line) {
  flush();
  const Value& request = *line.find("create");
  if (!is_creation(request)) return problem(name_in(request) + ": " + no_such_request);
  if (is_there(home, request)) {
    ++imported_.kept;
    return;
  }
  auto answer = ask(home, request);
  if (says_it_is_there(answer)) {
    ++imported_.kept;
    return;
  }
  if (!answer.is_success()) return problem(name_in(request) + ": " + config::message_of(answer));
  ++imported_.created;
  if (request.text_of("operation") == "CreateStream") wait_for_stream(home, name_in(request));
  const Value* const then = line.find("then");
  if (then == nullptr) return;
  for (const Value& next : then->items) {
    if (!is_setting(next)) {
      problem(name_in(request) + ": " + no_such_request);
      continue;
    }
    answer = ask(home, next);
    for (int i = 0; is_busy(answer) && i < stream_looks_max; ++i) {
      insider_.pause(stream_look_interval);
      answer = ask(home, next);
    }
    if (!answer.is_success()) problem(name_in(request) + ": " + config::message_of(answer));
  }
}

// One that is being created is neither written to nor changed.
void Importer::wait_for_stream(const Home& home, const std::string& name) {
  Value input = config::map_value();
  input.set("StreamName", config::text_value(name));
  for (int i = 0; i < stream_looks_max; ++i) {
    const Value answer =
        config::content_of(clients_.ask(home, config::kinesis_request("DescribeStreamSummary", input)));
    const Value* const summary = answer.find("StreamDescriptionSummary");
    if (summary == nullptr || summary->text_of("StreamStatus") != "CREATING") return;
    insider_.pause(stream_look_interval);
  }
}

// ---- What is in it

void Importer::take_message(const Home& home, const Value& line) {
  const QueueName queue{home.account, home.region, line.text_of("queue")};
  auto message = message_of(*line.find("message"), is_fifo(queue.name));
  if (!message) return problem("it has no message that queue " + queue.name + " may have");
  const std::size_t bytes = bytes_of(message->message->content);
  const bool fits = messages_ && messages_->queue == queue && messages_->messages.size() < portable::batch_count_max &&
                    bytes_ + bytes <= portable::batch_bytes_max;
  if (!fits) {
    flush();
    messages_.emplace().queue = queue;
  }
  bytes_ += bytes;
  messages_->messages.push_back(*std::move(message));
}

void Importer::take_record(const Home& home, const Value& line) {
  const StreamName stream{home.account, home.region, line.text_of("stream")};
  const Value& record = *line.find("record");
  PutEntry entry;
  entry.partition_key = record.text_of("key");
  auto data = protocol::base64_decode(record.text_of("data"));
  const Value* const hash = record.find("hash");
  const auto place = protocol::kinesis::place_of(
      entry.partition_key, hash == nullptr ? std::nullopt : std::optional<std::string>(hash->text));
  const auto* const at = std::get_if<HashKey>(&place);
  if (!data || at == nullptr || entry.partition_key.empty()) {
    return problem("it has no record that stream " + stream.name + " may have");
  }
  entry.data = *std::move(data);
  entry.hash = *at;
  const std::size_t bytes = entry.data.size() + entry.partition_key.size();
  const bool fits = records_ && records_->stream == stream && records_->entries.size() < portable::batch_count_max &&
                    bytes_ + bytes <= portable::batch_bytes_max;
  if (!fits) {
    flush();
    records_.emplace().stream = stream;
  }
  bytes_ += bytes;
  records_->entries.push_back(std::move(entry));
}

void Importer::flush() {
  flush_messages();
  flush_records();
  bytes_ = 0;
}

void Importer::flush_messages() {
  if (!messages_) return;
  ImportMessages command = *std::exchange(messages_, std::nullopt);
  const std::string queue = command.queue.name;
  const std::size_t count = command.messages.size();
  std::vector<Command> commands;
  commands.emplace_back(std::move(command));
  const auto results = insider_.ask_each(std::move(commands));
  if (std::holds_alternative<Done>(results.front())) {
    imported_.messages += count;
  } else {
    problem("there is no queue " + queue + " for its messages");
  }
}

void Importer::flush_records() {
  if (!records_) return;
  const PutRecords command = *std::exchange(records_, std::nullopt);
  std::vector<Command> commands;
  commands.emplace_back(StreamCommand(command));
  const auto results = insider_.ask_each(std::move(commands));
  const auto* put = std::get_if<RecordsPut>(&results.front());
  if (put == nullptr) return problem("the records of stream " + command.stream.name + " are not taken");
  for (const auto& entry : put->entries) {
    if (std::holds_alternative<RecordPut>(entry)) {
      ++imported_.records;
    } else {
      problem("a record of stream " + command.stream.name + " is not taken: " + std::get<Error>(entry).message);
    }
  }
}

}  // namespace penstock::server
