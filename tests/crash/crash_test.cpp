// The real binary under load from several connections, killed with SIGKILL at a moment that a seed chooses, started
// again on the same directory, and again: every message that was acknowledged is accounted for.
//
// PENSTOCK_CRASH_ROUNDS says how often (30), PENSTOCK_CRASH_SEED which way (random, printed).
#include <gtest/gtest.h>
#include <simdjson.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "crash/http_client.hpp"
#include "crash/ledger.hpp"
#include "crash/server_process.hpp"

namespace penstock::crash {
namespace {

using std::chrono::seconds;

constexpr std::size_t queue_count = 3;
constexpr int client_count = 8;
constexpr seconds long_visibility{3600};
// No message is hidden for longer without its handle being held, so that after so long all can be drained.
constexpr int short_visibility_max = 2;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string text_of(const simdjson::dom::element& object, const char* name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

/// A new directory, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-crash-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A connection, and the operations as the ledger wants them told. Each answers false once there is no server any more.
class Client {
 public:
  Client(std::uint16_t port, Ledger& ledger)
      : http_(port), ledger_(ledger), queues_("http://127.0.0.1:" + std::to_string(port) + "/000000000000/crash-") {}

  bool create_queue(const std::string& name) {
    return call("CreateQueue", "{\"QueueName\":\"" + name + "\",\"Attributes\":{\"VisibilityTimeout\":\"1\"}}")
        .has_value();
  }

  bool exists(const std::string& name) { return call("GetQueueUrl", "{\"QueueName\":\"" + name + "\"}").has_value(); }

  bool send(std::size_t queue, seconds delay) {
    const std::uint64_t number = ledger_.sending(queue, delay);
    const auto answer =
        call("SendMessage", "{\"QueueUrl\":\"" + queue_url(queue) + "\"," + entry_of(number, delay) + "}");
    if (!answer) return false;
    ledger_.sent(number, text_of(*answer, "MessageId"));
    return true;
  }

  bool send_batch(std::size_t queue, std::size_t count) {
    std::vector<std::uint64_t> numbers;
    std::string json = "{\"QueueUrl\":\"" + queue_url(queue) + "\",\"Entries\":[";
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(ledger_.sending(queue, seconds(0)));
      json +=
          (i > 0 ? ",{\"Id\":\"" : "{\"Id\":\"") + std::to_string(i) + "\"," + entry_of(numbers[i], seconds(0)) + "}";
    }
    const auto answer = call("SendMessageBatch", json + "]}");
    if (!answer) return false;
    std::size_t successes = 0;
    simdjson::dom::array entries;
    if ((*answer)["Successful"].get(entries) == simdjson::SUCCESS) {
      for (const simdjson::dom::element entry : entries) {
        const std::size_t index = std::stoul(text_of(entry, "Id"));
        ledger_.sent(numbers.at(index), text_of(entry, "MessageId"));
        ++successes;
      }
    }
    if (successes != count) ledger_.report("a batch of good messages was not accepted whole");
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
    simdjson::dom::array messages;
    if ((*answer)["Messages"].get(messages) != simdjson::SUCCESS) return true;
    for (const simdjson::dom::element message : messages) {
      ReceivedMessage received{text_of(message, "MessageId"), text_of(message, "Body"),
                               text_of(message, "ReceiptHandle"), 0};
      std::string_view count;
      if (message["Attributes"]["ApproximateReceiveCount"].get(count) == simdjson::SUCCESS) {
        received.receive_count = std::strtoull(std::string(count).c_str(), nullptr, 10);
      }
      const auto number = ledger_.received(queue, received, span, seconds(visibility));
      if (number) got.push_back({queue, *number, received.receipt_handle});
    }
    return true;
  }

  bool remove(const std::vector<Held>& messages) {
    if (messages.empty()) return true;
    for (const Held& message : messages) ledger_.deleting(message.number);
    Span span{Clock::now(), {}};
    std::optional<simdjson::dom::element> answer;
    if (messages.size() == 1) {
      answer = call("DeleteMessage", "{\"QueueUrl\":\"" + queue_url(messages[0].queue) + "\",\"ReceiptHandle\":\"" +
                                         messages[0].receipt_handle + "\"}");
    } else {
      answer = call("DeleteMessageBatch", batch_of(messages));
    }
    if (!answer) return false;
    span.answered = Clock::now();
    simdjson::dom::array failed;
    const bool any_failed = (*answer)["Failed"].get(failed) == simdjson::SUCCESS && failed.size() > 0;
    if (any_failed) ledger_.report("a delete with a good handle failed");
    for (const Held& message : messages) ledger_.deleted(message.number, message.receipt_handle, span);
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

  /// Messages waiting, hidden and delayed, by the queue's own count.
  std::optional<std::uint64_t> count(std::size_t queue) {
    const auto answer =
        call("GetQueueAttributes", "{\"QueueUrl\":\"" + queue_url(queue) + "\",\"AttributeNames\":[\"All\"]}");
    if (!answer) return std::nullopt;
    std::uint64_t sum = 0;
    for (const char* name : {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                             "ApproximateNumberOfMessagesDelayed"}) {
      std::string_view text;
      if ((*answer)["Attributes"][name].get(text) == simdjson::SUCCESS) {
        sum += std::strtoull(std::string(text).c_str(), nullptr, 10);
      }
    }
    return sum;
  }

 private:
  static std::string entry_of(std::uint64_t number, seconds delay) {
    return "\"MessageBody\":\"" + Ledger::body_of(number) + "\",\"DelaySeconds\":" + std::to_string(delay.count());
  }

  std::string queue_url(std::size_t queue) const { return queues_ + std::to_string(queue); }

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

  /// The parsed answer, which lives until the next call; nothing if there is none. An error is reported and ends the
  /// client, since nothing that these clients ask for may fail.
  std::optional<simdjson::dom::element> call(std::string_view operation, const std::string& json) {
    const auto answer = http_.call(operation, json);
    if (!answer) return std::nullopt;
    if (answer->status != 200) {
      ledger_.report(std::string(operation) + " was answered with " + std::to_string(answer->status) + " " +
                     answer->body.substr(0, 200));
      return std::nullopt;
    }
    simdjson::dom::element parsed;
    const std::string_view text = answer->body.empty() ? std::string_view("{}") : std::string_view(answer->body);
    if (parser_.parse(text.data(), text.size()).get(parsed) != simdjson::SUCCESS) {
      ledger_.report(std::string(operation) + " was answered with what is not JSON");
      return std::nullopt;
    }
    return parsed;
  }

  HttpClient http_;
  Ledger& ledger_;
  std::string queues_;
  simdjson::dom::parser parser_;
};

/// One client thread's life in one round: random operations until the server is gone.
void run_client(Client client, Ledger& ledger, std::uint64_t seed, const std::function<void()>& completed) {
  std::mt19937_64 random(seed);
  for (bool alive = true; alive;) {
    const std::size_t queue = random() % queue_count;
    const std::uint64_t dice = random() % 100;
    if (dice < 30) {
      alive = client.send(queue, seconds(random() % 10 == 0 ? 1 : 0));
    } else if (dice < 40) {
      alive = client.send_batch(queue, 1 + random() % 10);
    } else if (dice < 50) {
      const std::optional<Held> held = ledger.take_held(random());
      if (held) alive = random() % 2 == 0 ? client.release(*held) : client.remove_held(*held);
    } else {
      std::vector<Held> got;
      alive =
          client.receive(queue, 1 + static_cast<int>(random() % short_visibility_max), random() % 8 == 0 ? 1 : 0, got);
      std::vector<Held> done;
      for (const Held& message : got) {
        const std::uint64_t fate = random() % 10;
        if (fate < 6) {
          done.push_back(message);
        } else if (fate == 6 && alive) {
          alive = client.release(message);
        } else if (fate == 7 && alive) {
          alive = client.hide(message);
        }
      }
      if (alive) alive = client.remove(done);
    }
    if (alive) completed();
  }
}

class Crash : public testing::Test {
 protected:
  void TearDown() override {
    if (!HasFailure()) return;
    for (const std::string& violation : ledger_.violations()) std::cout << "the ledger says: " << violation << "\n";
  }

  void start() { server_ = std::make_unique<ServerProcess>(PENSTOCK_BINARY, directory_.path()); }

  void create_queues() {
    Client client(server_->port(), ledger_);
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      ASSERT_TRUE(client.create_queue("crash-" + std::to_string(queue)));
    }
  }

  /// Load from all clients, until the one that completes the `operations`-th kills the server amid the others'.
  void run_until_killed(std::mt19937_64& random, std::uint64_t operations) {
    std::atomic<std::uint64_t> count = 0;
    const auto pause = std::chrono::microseconds(random() % 400);
    const std::function<void()> completed = [&] {
      if (count.fetch_add(1) + 1 != operations) return;
      // Within the operation of some other client, and not always at the moment one was answered.
      const Time until = Clock::now() + pause;
      while (Clock::now() < until) {
      }
      server_->kill();
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < client_count; ++i) {
      threads.emplace_back([this, &completed, seed = random()] {
        run_client(Client(server_->port(), ledger_), ledger_, seed, completed);
      });
    }
    for (std::thread& thread : threads) thread.join();
    // Should the clients all have given up on it.
    server_->kill();
    server_->reap();
    if (!server_->was_killed()) ledger_.report("the server ended by itself: " + server_->log());
    if (count.load() < operations) ledger_.report("a client lost its server before it was killed");
  }

  void check_counts() {
    Client client(server_->port(), ledger_);
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      const auto [least, most] = ledger_.bounds(queue);
      const std::optional<std::uint64_t> count = client.count(queue);
      ASSERT_TRUE(count) << "the queue is gone";
      EXPECT_GE(*count, least) << "queue " << queue;
      EXPECT_LE(*count, most) << "queue " << queue;
    }
  }

  bool drain_queue(std::size_t queue, int wait) {
    Client client(server_->port(), ledger_);
    for (std::vector<Held> got;; got.clear()) {
      if (!client.receive(queue, 30, wait, got)) return false;
      if (got.empty()) return true;
      if (!client.remove(got)) return false;
    }
  }

  /// Receives and deletes until nothing has come for `wait` seconds, and settles the ledger.
  /// REQUIRES: nothing is hidden for so long, other than by handles that the ledger holds.
  void drain(int wait) {
    Client client(server_->port(), ledger_);
    while (const std::optional<Held> held = ledger_.take_held(0)) ASSERT_TRUE(client.release(*held));
    // All at once, since each ends with a wait.
    std::vector<std::thread> threads;
    std::atomic<std::size_t> drained = 0;
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      threads.emplace_back([this, queue, wait, &drained] { drained += drain_queue(queue, wait) ? 1U : 0U; });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(drained, queue_count) << "a queue could not be drained";
    ledger_.account();
  }

  void expect_no_violations() const {
    for (const std::string& violation : ledger_.violations()) ADD_FAILURE() << violation;
  }

  TemporaryDirectory directory_;
  Ledger ledger_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(Crash, EveryAcknowledgedMessageIsAccountedFor) {
  const std::uint64_t rounds = setting("PENSTOCK_CRASH_ROUNDS", 30);
  const std::uint64_t seed = setting("PENSTOCK_CRASH_SEED", std::random_device{}());
  std::cout << "PENSTOCK_CRASH_SEED=" << seed << " PENSTOCK_CRASH_ROUNDS=" << rounds << "\n";
  std::mt19937_64 random(seed);
  start();
  create_queues();
  for (std::uint64_t round = 1; round <= rounds && !HasFailure(); ++round) {
    // A queue made in the last moment is there afterwards, too.
    const std::string witness = "made-in-round-" + std::to_string(round);
    ASSERT_TRUE(Client(server_->port(), ledger_).create_queue(witness));
    run_until_killed(random, 1 + random() % 1'200);
    start();
    ASSERT_TRUE(Client(server_->port(), ledger_).exists(witness)) << "the queue made in round " << round << " is gone";
    check_counts();
    if (round % 10 == 0 || round == rounds) drain(short_visibility_max + 1);
    expect_no_violations();
  }
  std::cout << ledger_.summary() << "\n";
  // A test that did nothing would have found nothing, too.
  if (rounds >= 10) {
    EXPECT_GT(ledger_.sends(), 100U);
    EXPECT_GT(ledger_.receives(), 100U);
    EXPECT_GT(ledger_.deletes(), 100U);
  }
}

// What follows holds the test itself to its word.

TEST_F(Crash, AMessageThatTheServerNeverGotIsReportedLost) {
  start();
  create_queues();
  Client client(server_->port(), ledger_);
  ASSERT_TRUE(client.send(0, seconds(0)));
  ledger_.sent(ledger_.sending(1, seconds(0)), "forged");
  EXPECT_EQ(ledger_.bounds(1).first, 1U);
  EXPECT_EQ(client.count(1), 0U) << "so the count after a restart would show it, too";
  drain(0);
  EXPECT_EQ(ledger_.violations(), std::vector<std::string>{"message 2 was acknowledged and is lost"});
}

TEST_F(Crash, AMessageThatComesAfterItsDeleteIsReported) {
  start();
  create_queues();
  Client client(server_->port(), ledger_);
  ASSERT_TRUE(client.send(0, seconds(0)));
  std::vector<Held> got;
  ASSERT_TRUE(client.receive(0, 2, 0, got));
  ASSERT_EQ(got.size(), 1U);
  // The ledger believes in a delete that the server was not asked for.
  ledger_.deleting(got[0].number);
  ledger_.deleted(got[0].number, got[0].receipt_handle, {Clock::now(), Clock::now()});
  std::vector<Held> again;
  ASSERT_TRUE(client.receive(0, 2, 5, again));
  EXPECT_EQ(ledger_.violations(),
            std::vector<std::string>{"message 1 was delivered after its delete was acknowledged"});
}

class LedgerTest : public testing::Test {
 protected:
  std::uint64_t sent() {
    const std::uint64_t number = ledger_.sending(0, seconds(0));
    ledger_.sent(number, "id-" + std::to_string(number));
    return number;
  }
  void receive(std::uint64_t number, std::uint64_t count, seconds visibility) {
    ledger_.received(0, {"id-" + std::to_string(number), Ledger::body_of(number), "handle", count}, now(), visibility);
  }
  static Span now() {
    // Later than everything before it, since what crosses is not compared.
    const Time last = Clock::now();
    while (Clock::now() == last) {
    }
    return {Clock::now(), Clock::now()};
  }
  Ledger ledger_;
};

TEST_F(LedgerTest, ReportsAMessageDeliveredWhileItIsHidden) {
  const std::uint64_t number = sent();
  receive(number, 1, seconds(3600));
  EXPECT_TRUE(ledger_.violations().empty());
  receive(number, 2, seconds(3600));
  EXPECT_EQ(ledger_.violations().size(), 1U);
}

TEST_F(LedgerTest, LetsAReleasedMessageComeAgain) {
  const std::uint64_t number = sent();
  receive(number, 1, seconds(3600));
  ledger_.releasing(number);
  receive(number, 2, seconds(3600));
  EXPECT_TRUE(ledger_.violations().empty());
}

TEST_F(LedgerTest, ReportsAReceiveCountThatWentBack) {
  const std::uint64_t number = sent();
  receive(number, 2, seconds(0));
  receive(number, 1, seconds(0));
  EXPECT_EQ(ledger_.violations().size(), 1U);
}

TEST_F(LedgerTest, ReportsADamagedBody) {
  const std::uint64_t number = sent();
  ledger_.received(0, {"id-1", Ledger::body_of(number) + "x", "handle", 1}, now(), seconds(0));
  EXPECT_EQ(ledger_.violations().size(), 1U);
}

TEST_F(LedgerTest, ReportsAMessageNobodySentToThatQueue) {
  const std::uint64_t number = sent();
  ledger_.received(1, {"id-1", Ledger::body_of(number), "handle", 1}, now(), seconds(0));
  ledger_.received(0, {"id-2", "77 ", "handle", 1}, now(), seconds(0));
  EXPECT_EQ(ledger_.violations().size(), 2U);
}

TEST_F(LedgerTest, ClaimsNothingOfWhatWasNotAnswered) {
  ledger_.sending(0, seconds(0));
  const std::uint64_t number = sent();
  receive(number, 1, seconds(3600));
  ledger_.deleting(number);
  EXPECT_EQ(ledger_.bounds(0), (std::pair<std::uint64_t, std::uint64_t>{0, 2}));
  ledger_.account();
  EXPECT_TRUE(ledger_.violations().empty());
}

}  // namespace
}  // namespace penstock::crash
