#include "server/importer.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <variant>

#include "config/requests.hpp"
#include "penstock/limits.hpp"
#include "penstock/queue_names.hpp"
#include "protocol/native/server_operations.hpp"
#include "server/import_contents.hpp"
#include "server/import_requests.hpp"
#include "server/portable.hpp"

namespace penstock::server {

namespace {

using config::Value;

using protocol::native::ReadClockOperation;
using Real = std::chrono::steady_clock;

/// While a stream is not ready, or its shard has no room for a record.
constexpr std::chrono::milliseconds look_interval{20};
/// How long that is waited for, really.
constexpr std::chrono::seconds look_time_max{60};

std::size_t bytes_of(const MessageContent& content) {
  std::size_t bytes = content.body.size();
  for (const MessageAttribute& attribute : content.attributes) {
    bytes += attribute.name.size() + attribute.data_type.size() + attribute.value.size();
  }
  return bytes;
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

/// Whether all that was put may be taken by and by.
bool has_no_room(const Result& result) {
  const auto* const put = std::get_if<RecordsPut>(&result);
  return put != nullptr && std::ranges::all_of(put->entries, [](const auto& entry) {
           const auto* const error = std::get_if<Error>(&entry);
           return error != nullptr && error->code == ErrorCode::KinesisThroughputExceeded;
         });
}

}  // namespace

Importer::Importer(OwnClients& clients, Insider& insider, bool strict)
    : clients_(clients), insider_(insider), records_max_(strict ? 1 : portable::batch_count_max) {}

void Importer::problem(const std::string& what) { problem(line_, what); }

void Importer::problem(std::size_t line, const std::string& what) {
  ++imported_.problem_count;
  if (imported_.problems.size() == portable::problems_max) return;
  imported_.problems.push_back("line " + std::to_string(line) + ": " + what);
}

std::variant<Imported, Error> Importer::run(std::string_view lines, std::size_t number) {
  if (std::string objection = objection_to_lines(lines, number); !objection.empty()) {
    return Error{ErrorCode::InvalidRequest, std::move(objection)};
  }
  imported_ = {};
  line_ = number - 1;
  while (!lines.empty()) {
    const std::string_view line = take_line(lines);
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
  if (line.find("penstock") != nullptr) return;
  const Home home{line.text_of("account"), line.text_of("region")};
  if (!is_home(home)) return problem("it has no account and region");
  const auto has_only = [&](const std::vector<std::string_view>& more) {
    std::vector<std::string_view> known{"account", "region"};
    known.insert(known.end(), more.begin(), more.end());
    const std::string objection = objection_to_members(line, known);
    if (!objection.empty()) problem(objection);
    return objection.empty();
  };
  if (line.find("create") != nullptr) {
    if (has_only({"create", "then"})) create(home, line);
  } else if (line.find("message") != nullptr) {
    if (has_only({"queue", "message"})) take_message(home, line);
  } else if (line.find("record") != nullptr) {
    if (has_only({"stream", "record"})) take_record(home, line);
  } else {
    problem("it is no line of an export");
  }
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
  const auto creations = creations_of(line);
  std::map<std::string, const Value*> made;
  for (const Value* request : creations) {
    if (!create_one(home, *request)) continue;
    if (auto one = made_by(home, *request)) made.emplace(*std::move(one), request);
  }
  const Value* const then = line.find("then");
  if (then == nullptr) return;
  for (const Value& setting : then->items) {
    // What was there already stays as it is.
    const auto creation = made.find(set_by(home, setting).value_or(std::string()));
    if (creation == made.end()) continue;
    const std::string name = name_in(*creation->second);
    config::Answer answer = ask(home, setting);
    if (is_busy(answer)) {
      wait_for_stream(home, name);
      answer = ask(home, setting);
    }
    if (!answer.is_success()) problem(name + ": " + config::message_of(answer));
  }
}

/// Whether it was not there before, and now is.
bool Importer::create_one(const Home& home, const Value& request) {
  if (!is_creation(request)) {
    problem(name_in(request) + ": it is no request that exports have");
    return false;
  }
  const bool is_stream = request.text_of("operation") == "CreateStream";
  bool kept = is_there(home, request);
  if (!kept) {
    const config::Answer answer = ask(home, request);
    kept = says_it_is_there(answer);
    if (!kept && !answer.is_success()) {
      problem(name_in(request) + ": " + config::message_of(answer));
      return false;
    }
  }
  ++(kept ? imported_.kept : imported_.created);
  if (is_stream) wait_for_stream(home, name_in(request));
  return !kept;
}

// One that is being created is neither written to nor changed, and one that is being changed not changed again. What
// brings it on under a clock that stands still is the next moment at which anything is due.
void Importer::wait_for_stream(const Home& home, const std::string& name) {
  Value input = config::map_value();
  input.set("StreamName", config::text_value(name));
  const config::Request question = config::kinesis_request("DescribeStreamSummary", input);
  Value next = config::map_value();
  next.set("advance", config::text_value("next"));
  const config::Request forward = config::rest_request("POST", std::string(ReadClockOperation::path), next);
  for (const auto until = Real::now() + look_time_max; Real::now() < until; insider_.pause(look_interval)) {
    const Value answer = config::content_of(clients_.ask(home, question));
    const Value* const summary = answer.find("StreamDescriptionSummary");
    if (summary == nullptr || summary->text_of("StreamStatus") == "ACTIVE") return;
    if (clock_stands_still(home)) (void)clients_.ask(home, forward);
  }
  problem(name + ": it is not ready after " + std::to_string(look_time_max.count()) + " s");
}

bool Importer::clock_stands_still(const Home& home) {
  const config::Request question = config::rest_request("GET", std::string(ReadClockOperation::path));
  const Value clock = config::content_of(clients_.ask(home, question));
  return clock.text_of("frozen") == "true";
}

// ---- What is in it

void Importer::take_message(const Home& home, const Value& line) {
  const QueueName queue{home.account, home.region, line.text_of("queue")};
  auto read = message_of_line(queue, *line.find("message"));
  if (const auto* error = std::get_if<Error>(&read)) {
    return problem("it has no message that queue " + queue.name + " may have: " + reason_of(*error));
  }
  auto& message = std::get<ImportedMessage>(read);
  const std::size_t bytes = bytes_of(message.message->content);
  const bool fits = messages_ && messages_->queue == queue && messages_->messages.size() < portable::batch_count_max &&
                    bytes_ + bytes <= portable::batch_bytes_max;
  if (!fits) {
    flush();
    messages_.emplace().queue = queue;
  }
  bytes_ += bytes;
  batch_lines_.push_back(line_);
  messages_->messages.push_back(std::move(message));
}

void Importer::take_record(const Home& home, const Value& line) {
  const StreamName stream{home.account, home.region, line.text_of("stream")};
  auto read = record_of_line(stream, *line.find("record"));
  if (const auto* error = std::get_if<Error>(&read)) {
    return problem("it has no record that stream " + stream.name + " may have: " + reason_of(*error));
  }
  auto& entry = std::get<PutEntry>(read);
  const std::size_t bytes = entry.data.size() + entry.partition_key.size();
  const bool fits = records_ && records_->stream == stream && records_->entries.size() < records_max_ &&
                    bytes_ + bytes <= portable::batch_bytes_max;
  if (!fits) {
    flush();
    records_.emplace().stream = stream;
  }
  bytes_ += bytes;
  batch_lines_.push_back(line_);
  records_->entries.push_back(std::move(entry));
}

void Importer::flush() {
  bytes_ = 0;
  if (messages_) put_messages(*std::exchange(messages_, std::nullopt), std::exchange(batch_lines_, {}));
  if (records_) put_records(*std::exchange(records_, std::nullopt), std::exchange(batch_lines_, {}));
}

Result Importer::ask_one(Command command) {
  std::vector<Command> commands;
  commands.push_back(std::move(command));
  return std::move(insider_.ask_each(std::move(commands)).front());
}

void Importer::put_messages(const ImportMessages& batch, const Lines& lines) {
  const Result result = ask_one(batch);
  const auto* const error = std::get_if<Error>(&result);
  if (error == nullptr) {
    imported_.messages += lines.size();
  } else if (error->code == ErrorCode::QueueDoesNotExist) {
    const std::string others = lines.size() == 1 ? "" : " and " + std::to_string(lines.size() - 1) + " behind it";
    problem(lines.front(), "there is no queue " + batch.queue.name + " for its message" + others);
  } else if (lines.size() == 1) {
    problem(lines.front(), "queue " + batch.queue.name + " does not take it: " + reason_of(*error));
  } else {
    // Of all together none was taken, and one by one those are that may be.
    for (std::size_t i = 0; i < lines.size(); ++i) put_messages({batch.queue, {batch.messages[i]}}, {lines[i]});
  }
}

void Importer::put_records(const PutRecords& batch, const Lines& lines) {
  Result result = ask_one(StreamCommand(batch));
  const auto until = Real::now() + look_time_max;
  while (has_no_room(result) && Real::now() < until &&
         !clock_stands_still({batch.stream.account, batch.stream.region})) {
    insider_.pause(look_interval);
    result = ask_one(StreamCommand(batch));
  }
  const auto* const put = std::get_if<RecordsPut>(&result);
  if (put == nullptr && lines.size() > 1) {
    for (std::size_t i = 0; i < lines.size(); ++i) put_records({batch.stream, {batch.entries[i]}, {}}, {lines[i]});
    return;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto* error = put == nullptr ? std::get_if<Error>(&result) : std::get_if<Error>(&put->entries[i]);
    if (put != nullptr && error == nullptr) {
      ++imported_.records;
    } else {
      const std::string reason = error == nullptr ? "" : ": " + reason_of(*error);
      problem(lines[i], "stream " + batch.stream.name + " does not take it" + reason);
    }
  }
}

}  // namespace penstock::server
