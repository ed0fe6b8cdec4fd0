#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/queue_shapes.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "client/backoff.hpp"
#include "penstock/limits.hpp"
#include "protocol/sqs/receipt_operations.hpp"
#include "protocol/sqs/receive_operation.hpp"

namespace penstock::cli {

namespace sqs = protocol::sqs;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

// How often a server that went away is looked for.
constexpr milliseconds backoff_min{50};
constexpr milliseconds backoff_max{2'000};

/// How much later than its wait is over the answer of a server may come that has much to do, or is far away. Whoever
/// gives up before does not know of the messages that are hidden on its behalf.
constexpr milliseconds late_answer_max{30'000};
/// The same where the server's clock stands still: then it never answers that nothing came, so that this is what ends
/// the wait. What there is it answers at once.
constexpr milliseconds late_answer_of_standing_clock_max{3'000};

class Receiving {
 public:
  explicit Receiving(const Arguments& arguments)
      : json_(arguments.json),
        deletes_(arguments.has("delete")),
        follows_(arguments.has("follow")),
        wait_(read_number(arguments, "wait", 0)),
        visibility_(read_number(arguments, "visibility", 0)),
        left_(read_count(arguments, "max").value_or(follows_ ? std::numeric_limits<std::size_t>::max() : 1)),
        server_(arguments),
        url_(server_.queue_url(arguments.word(0))) {}

  int run() {
    if (follows_) {
      while (left_ > 0) follow();
    } else {
      receive_first();
      // Those behind them are there or not.
      while (left_ > 0 && printed_ > 0 && receive(0) > 0) continue;
    }
    if (printed_ == 0) return empty_status;
    return failed_ == 0 ? success_status : failure_status;
  }

 private:
  /// Until one came, or the time is over. Under a server's clock that stands still a receive has no end, and what waits
  /// here goes by the real time.
  void receive_first() {
    const std::optional<int> wait = wait_ || !server_.clock_stands_still() ? wait_ : queue_wait();
    if (!wait) {
      receive(std::nullopt);
      return;
    }
    const auto until = steady_clock::now() + seconds(*wait);
    do {
      const auto left = std::chrono::ceil<seconds>(until - steady_clock::now());
      const auto part = std::clamp<seconds::rep>(left.count(), 0, sqs_limits::wait_seconds_max);
      const milliseconds late = server_.clock_stands_still() ? late_answer_of_standing_clock_max : late_answer_max;
      const Patience patience{.answer_max = seconds(part) + late};
      const auto unanswered_at = steady_clock::now() + patience.answer_max;
      try {
        receive(static_cast<int>(part), patience);
      } catch (const client::Unreachable&) {
        if (steady_clock::now() < unanswered_at || !server_.clock_stands_still()) throw;
      }
    } while (printed_ == 0 && steady_clock::now() < until);
  }

  /// How long it has those wait who do not say.
  int queue_wait() {
    const std::string given = server_.queue_attribute(url_, "ReceiveMessageWaitTimeSeconds");
    int wait = 0;
    std::from_chars(given.data(), given.data() + given.size(), wait);
    return wait;
  }

  /// Goes on when a server comes back that was there once.
  void follow() {
    try {
      receive(sqs_limits::wait_seconds_max);
      away_ = false;
      backoff_ = client::Backoff(backoff_min, backoff_max);
    } catch (const client::Unreachable& unreachable) {
      if (!std::exchange(away_, true)) remark(std::string(unreachable.what()) + "; trying again");
      wait_for(backoff_.next(0));
    }
  }

  /// How many came.
  std::size_t receive(std::optional<int> wait, const Patience& patience = {}) {
    sqs::ReceiveMessageRequest request;
    request.queue_url = url_;
    request.message_system_attribute_names = {"All"};
    request.message_attribute_names = {"All"};
    request.max_number_of_messages =
        static_cast<std::int32_t>(std::min<std::size_t>(left_, sqs_limits::receive_messages_max));
    request.visibility_timeout = visibility_;
    request.wait_time_seconds = wait;
    const auto received = server_.sqs<sqs::ReceiveMessageOperation, wire::Messages>(request, patience);
    if (!received.messages || received.messages->empty()) return 0;
    for (const wire::Message& message : *received.messages) {
      output_.line(json_ ? client::to_json(message) : message.body.value_or(""));
    }
    // What is deleted has been printed. What was not is there again when its timeout is over.
    output_.flush();
    printed_ += received.messages->size();
    left_ -= received.messages->size();
    if (deletes_) remove(*received.messages);
    return received.messages->size();
  }

  void remove(const std::vector<wire::Message>& messages) {
    sqs::DeleteMessageBatchRequest request;
    request.queue_url = url_;
    request.entries.emplace();
    for (const wire::Message& message : messages) {
      request.entries->push_back({std::to_string(request.entries->size()), message.receipt_handle});
    }
    const auto done = server_.sqs<sqs::DeleteMessageBatchOperation>(request, until_answered);
    for (const auto& refused : *done.failed) {
      complain(messages.at(std::stoul(refused.id.value_or("0"))).message_id.value_or("") +
               " is not deleted: " + refused.code.value_or("") + ": " + refused.message.value_or(""));
    }
    failed_ += done.failed->size();
  }

  const bool json_;
  const bool deletes_;
  const bool follows_;
  const std::optional<int> wait_;
  const std::optional<int> visibility_;
  std::size_t left_;
  Server server_;
  const std::string url_;
  Output output_;
  std::size_t printed_ = 0;
  std::size_t failed_ = 0;
  bool away_ = false;  ///< and that was said
  client::Backoff backoff_{backoff_min, backoff_max};
};

}  // namespace

void describe_receive(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("max", "end after so many messages (default: 1, and with --follow never)", text(), "N")
      ("wait", "seconds to wait for a first message (default: the queue's)", text(), "S")
      ("visibility", "seconds for which they are hidden from others (default: the queue's)", text(), "S")
      ("delete", "delete them once they are printed", cxxopts::value<bool>())
      ("f,follow", "go on with what comes", cxxopts::value<bool>());
  // clang-format on
}

int run_receive(const Arguments& arguments) {
  if (arguments.has("follow") && arguments.has("wait")) throw UsageError("--follow waits, and does not go with --wait");
  return Receiving(arguments).run();
}

}  // namespace penstock::cli
