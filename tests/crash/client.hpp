// A client of the server under test, which tells the ledger of all that it does.
#pragma once

#include <simdjson.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash/http_client.hpp"
#include "crash/json_call.hpp"
#include "crash/ledger.hpp"
#include "crash/queues.hpp"

namespace penstock::crash {

using std::chrono::seconds;

/// That of a message whose handle is left in the ledger.
inline constexpr seconds long_visibility{3600};

inline std::string text_of(const simdjson::dom::element& object, const char* name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

/// Of a number that is written as a string.
inline std::uint64_t number_of(const simdjson::dom::element& object, const char* name) {
  return std::strtoull(text_of(object, name).c_str(), nullptr, 10);
}

/// The messages of a queue, by the queue's own count.
struct Counts {
  std::uint64_t visible = 0;
  std::uint64_t not_visible = 0;
  std::uint64_t delayed = 0;
  std::uint64_t sum() const { return visible + not_visible + delayed; }
};

/// The newest message move task of a dead-letter queue.
struct MoveTask {
  std::int64_t started = 0;
  std::string status;
  std::uint64_t moved = 0;
};

/// A connection, and the operations as the ledger wants them told. Each answers false once there is no server any more.
class Client {
 public:
  Client(std::uint16_t port, Ledger& ledger)
      : http_(port), ledger_(ledger), urls_("http://127.0.0.1:" + std::to_string(port) + "/000000000000/") {}

  bool create_queue(std::string_view name, bool fifo = false, const std::string& dead_letters = {}) {
    std::string attributes = "\"VisibilityTimeout\":\"1\"";
    if (fifo) attributes += ",\"FifoQueue\":\"true\"";
    if (!dead_letters.empty()) {
      attributes += ",\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"" + arn_of(dead_letters) +
                    "\\\",\\\"maxReceiveCount\\\":" + std::to_string(max_receive_count) + "}\"";
    }
    return call("CreateQueue", "{\"QueueName\":\"" + std::string(name) + "\",\"Attributes\":{" + attributes + "}}")
        .has_value();
  }

  bool exists(const std::string& name) { return call("GetQueueUrl", "{\"QueueName\":\"" + name + "\"}").has_value(); }

  bool send(std::size_t queue, seconds delay) {
    const std::uint64_t number = ledger_.sending(queue, delay);
    return send_one(queue, number, delay);
  }

  /// Sends a message of a FIFO queue again, with or without an answer to the first time.
  bool send_again(std::uint64_t number) { return send_one(ledger_.queue_of(number), number, seconds(0)); }

  bool send_batch(std::size_t queue, std::size_t count) {
    std::vector<std::uint64_t> numbers;
    std::string json = "{\"QueueUrl\":\"" + queue_url(queue) + "\",\"Entries\":[";
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(ledger_.sending(queue, seconds(0)));
      json += (i > 0 ? ",{\"Id\":\"" : "{\"Id\":\"") + std::to_string(i) + "\"," +
              entry_of(queue, numbers[i], seconds(0)) + "}";
    }
    const auto answer = call("SendMessageBatch", json + "]}");
    if (!answer) return false;
    std::vector<SentMessage> sent(count);
    std::set<std::size_t> successes;
    simdjson::dom::array entries;
    if ((*answer)["Successful"].get(entries) == simdjson::SUCCESS) {
      for (const simdjson::dom::element entry : entries) {
        const std::size_t index = number_of(entry, "Id");
        sent.at(index) = sent_message(entry);
        successes.insert(index);
      }
    }
    if (successes.size() != count) {
      ledger_.report("a batch of good messages was not accepted whole");
    } else {
      ledger_.sent(numbers, sent);
    }
    return true;
  }

  /// What was received goes to `got`; those that the ledger does not know stay out.
  bool receive(std::size_t queue, int visibility, int wait, std::vector<Held>& got) {
    Span span{Clock::now(), {}};
    const auto answer =
        call("ReceiveMessage", "{\"QueueUrl\":\"" + queue_url(queue) +
                                   "\",\"MaxNumberOfMessages\":10,\"AttributeNames\":[\"All\"],\"VisibilityTimeout\":" +
                                   std::to_string(visibility) + ",\"WaitTimeSeconds\":" + std::to_string(wait) + "}");
    if (!answer) return false;
    span.answered = Clock::now();
    std::vector<ReceivedMessage> received;
    simdjson::dom::array messages;
    if ((*answer)["Messages"].get(messages) == simdjson::SUCCESS) {
      for (const simdjson::dom::element message : messages) received.push_back(received_message(message));
    }
    got = ledger_.received(queue, received, span, seconds(visibility));
    return true;
  }

  /// The messages are all of the queue that the first is of.
  bool remove(const std::vector<Held>& messages) {
    if (messages.empty()) return true;
    std::vector<Time> leases;
    for (const Held& message : messages) {
      leases.push_back(ledger_.lease(message.number, message.receipt_handle));
      ledger_.deleting(message.number);
    }
    Span span{Clock::now(), {}};
    const std::optional<std::set<std::size_t>> failed = messages.size() == 1 ? remove_one(messages[0])  //
                                                                             : remove_batch(messages);
    if (!failed) return false;
    span.answered = Clock::now();
    // Of a standard queue any handle is good for ever, of a FIFO queue until the visibility timeout is over.
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (!failed->contains(i)) {
        ledger_.deleted(messages[i].number, messages[i].receipt_handle, span);
      } else if (!queues[messages[i].queue].fifo || span.answered < leases[i]) {
        ledger_.report("a delete with a good handle failed");
      }
    }
    return true;
  }

  /// Hides the message for an hour and leaves its handle in the ledger, with or without an answer.
  bool hide(const Held& message) {
    const bool answered = change(message, long_visibility, ledger_.lease(message.number, message.receipt_handle));
    ledger_.hold(message);
    return answered;
  }

  /// Ends the message's visibility timeout. Without an answer its handle is kept.
  bool release(const Held& message) {
    const Time lease = ledger_.lease(message.number, message.receipt_handle);
    ledger_.releasing(message.number);
    const bool answered = change(message, seconds(0), lease);
    if (!answered) ledger_.hold(message);
    return answered;
  }

  /// Deletes a message that is hidden for an hour, maybe since before a crash. Without an answer its handle is kept.
  bool remove_held(const Held& message) {
    const bool answered = remove({message});
    if (!answered) ledger_.hold(message);
    return answered;
  }

  std::optional<Counts> count(std::size_t queue) {
    const auto answer =
        call("GetQueueAttributes", "{\"QueueUrl\":\"" + queue_url(queue) + "\",\"AttributeNames\":[\"All\"]}");
    simdjson::dom::element attributes;
    if (!answer || (*answer)["Attributes"].get(attributes) != simdjson::SUCCESS) return std::nullopt;
    return Counts{number_of(attributes, "ApproximateNumberOfMessages"),
                  number_of(attributes, "ApproximateNumberOfMessagesNotVisible"),
                  number_of(attributes, "ApproximateNumberOfMessagesDelayed")};
  }

  /// Has what is in a dead-letter queue moved to where it came from; `per_second` of 0 is as fast as it goes.
  bool start_move(std::size_t dead_letters, std::uint64_t per_second) {
    std::string json = "{\"SourceArn\":\"" + arn_of(queues[dead_letters].name) + "\"";
    if (per_second > 0) json += ",\"MaxNumberOfMessagesPerSecond\":" + std::to_string(per_second);
    return call("StartMessageMoveTask", json + "}").has_value();
  }

  std::optional<MoveTask> newest_move(std::size_t dead_letters) {
    const auto answer =
        call("ListMessageMoveTasks", "{\"SourceArn\":\"" + arn_of(queues[dead_letters].name) + "\",\"MaxResults\":1}");
    simdjson::dom::element task;
    if (!answer || (*answer)["Results"].at(0).get(task) != simdjson::SUCCESS) return std::nullopt;
    MoveTask newest{0, text_of(task, "Status"), 0};
    if (task["StartedTimestamp"].get(newest.started) != simdjson::SUCCESS ||
        task["ApproximateNumberOfMessagesMoved"].get(newest.moved) != simdjson::SUCCESS) {
      ledger_.report("a message move task is listed without a part");
    }
    return newest;
  }

 private:
  static std::string arn_of(std::string_view name) { return "arn:aws:sqs:us-east-1:000000000000:" + std::string(name); }

  static std::string entry_of(std::size_t queue, std::uint64_t number, seconds delay) {
    const std::string body = "\"MessageBody\":\"" + Ledger::body_of(number) + "\",";
    if (!queues[queue].fifo) return body + "\"DelaySeconds\":" + std::to_string(delay.count());
    return body + "\"MessageGroupId\":\"" + group_of(number) + "\",\"MessageDeduplicationId\":\"" +
           deduplication_id_of(number) + "\"";
  }

  static SentMessage sent_message(const simdjson::dom::element& entry) {
    return {text_of(entry, "MessageId"), number_of(entry, "SequenceNumber")};
  }

  static ReceivedMessage received_message(const simdjson::dom::element& message) {
    ReceivedMessage received{text_of(message, "MessageId"), text_of(message, "Body"),
                             text_of(message, "ReceiptHandle")};
    simdjson::dom::element attributes;
    if (message["Attributes"].get(attributes) != simdjson::SUCCESS) return received;
    received.receive_count = number_of(attributes, "ApproximateReceiveCount");
    received.group = text_of(attributes, "MessageGroupId");
    received.deduplication_id = text_of(attributes, "MessageDeduplicationId");
    received.sequence = number_of(attributes, "SequenceNumber");
    return received;
  }

  std::string queue_url(std::size_t queue) const { return urls_ + std::string(queues[queue].name); }

  bool send_one(std::size_t queue, std::uint64_t number, seconds delay) {
    const auto answer =
        call("SendMessage", "{\"QueueUrl\":\"" + queue_url(queue) + "\"," + entry_of(queue, number, delay) + "}");
    if (!answer) return false;
    ledger_.sent({number}, {sent_message(*answer)});
    return true;
  }

  /// Which of them failed; nothing without an answer.
  std::optional<std::set<std::size_t>> remove_one(const Held& message) {
    const auto answer = http_.call("DeleteMessage", "{\"QueueUrl\":\"" + queue_url(message.queue) +
                                                        "\",\"ReceiptHandle\":\"" + message.receipt_handle + "\"}");
    if (!answer) return std::nullopt;
    return answer->status == 200 ? std::set<std::size_t>{} : std::set<std::size_t>{0};
  }

  std::optional<std::set<std::size_t>> remove_batch(const std::vector<Held>& messages) {
    const auto answer = call("DeleteMessageBatch", batch_of(messages));
    if (!answer) return std::nullopt;
    std::set<std::size_t> indices;
    simdjson::dom::array failed;
    if ((*answer)["Failed"].get(failed) == simdjson::SUCCESS) {
      for (const simdjson::dom::element entry : failed) indices.insert(number_of(entry, "Id"));
    }
    return indices;
  }

  std::string batch_of(const std::vector<Held>& messages) const {
    std::string json = "{\"QueueUrl\":\"" + queue_url(messages[0].queue) + "\",\"Entries\":[";
    for (std::size_t i = 0; i < messages.size(); ++i) {
      json += (i > 0 ? ",{\"Id\":\"" : "{\"Id\":\"") + std::to_string(i) + "\",\"ReceiptHandle\":\"" +
              messages[i].receipt_handle + "\"}";
    }
    return json + "]}";
  }

  /// False without an answer. An error is one of the server's only within the lease: after it the message may have
  /// been handed to somebody else.
  bool change(const Held& message, seconds visibility, Time lease) {
    Span span{Clock::now(), {}};
    const auto answer =
        http_.call("ChangeMessageVisibility",
                   "{\"QueueUrl\":\"" + queue_url(message.queue) + "\",\"ReceiptHandle\":\"" + message.receipt_handle +
                       "\",\"VisibilityTimeout\":" + std::to_string(visibility.count()) + "}");
    if (!answer) return false;
    span.answered = Clock::now();
    if (answer->status == 200 && visibility > seconds(0)) {
      ledger_.hidden(message.number, message.receipt_handle, span, visibility);
    } else if (answer->status != 200 && span.answered < lease) {
      ledger_.report("a good handle's visibility could not be changed: " + answer->body.substr(0, 200));
    }
    return true;
  }

  std::optional<simdjson::dom::element> call(std::string_view operation, const std::string& json) {
    return call_json(http_, parser_, ledger_, operation, json);
  }

  HttpClient http_;
  Ledger& ledger_;
  std::string urls_;
  simdjson::dom::parser parser_;
};

}  // namespace penstock::crash
