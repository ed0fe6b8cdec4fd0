// The server that a command asks. Each question is asked once: a person who waits would rather know.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "client/api.hpp"
#include "client/json.hpp"
#include "client/shapes.hpp"
#include "penstock/client.hpp"
#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/position_operations.hpp"

namespace penstock::cli {

/// A region and an account, each empty for the server's default.
struct Home {
  std::string region;
  std::string account;
};

/// The account and the region are those of the credentials, which nobody looks at otherwise.
void add_credentials(client::Request& request, const Home& home, std::string_view service);

/// Throws UsageError if the endpoint is none.
std::unique_ptr<client::Line> open_line(client::World& world, const std::string& endpoint);

/// How a question is waited for.
struct Patience {
  std::chrono::milliseconds answer_max{30'000};
  /// Whether a signal ends the wait. Not where it would leave open what was done.
  bool interruptible = true;
};
inline constexpr Patience until_answered{.interruptible = false};

class Server {
 public:
  /// Throws UsageError if the endpoint is none.
  explicit Server(const Arguments& arguments);

  // These throw client::Error, client::Unreachable and Interrupted.

  /// An operation on a consumer, or, if that is empty, on all of the stream.
  template <class Op, protocol::Structure Output = typename Op::Output>
  Output ask(const std::string& consumer, typename Op::Input input) {
    return client::from_json<Output>(answer(client::request_of<Op>(address(consumer), std::move(input))));
  }

  /// An operation of SQS or of Kinesis.
  template <class Op, protocol::Structure Output = typename Op::Output>
  Output sqs(const typename Op::Input& input, const Patience& patience = {}) {
    const std::string target = "AmazonSQS." + std::string(Op::name);
    return client::from_json<Output>(call(target, client::to_json(input), home(), patience));
  }
  template <class Op, protocol::Structure Output = typename Op::Output>
  Output kinesis(const typename Op::Input& input, const Patience& patience = {}) {
    const std::string target = "Kinesis_20131202." + std::string(Op::name);
    return client::from_json<Output>(call(target, client::to_json(input), home(), patience));
  }

  /// An operation of Lambda's, or of the server's own on functions, or of none of the services.
  client::Answer lambda(client::Request request, const Patience& patience = {});
  /// Where requests go that say nothing else; the server's default where the flags say nothing.
  Home home() const { return {address_.region, address_.account}; }
  /// An operation of SQS or Kinesis, such as AmazonSQS.GetQueueUrl.
  client::Answer call(std::string_view target, std::string body, const Home& home, const Patience& patience = {});
  /// The same, at a path of its own.
  client::Answer call(std::string path, std::string_view target, std::string body, const Home& home,
                      const Patience& patience);

  /// Whether the server's clock is a virtual one that nobody lets run.
  bool clock_stands_still();

  /// Of a queue that is named by its name or its URL.
  std::string queue_url(const std::string& name);
  std::string queue_arn(const std::string& url);
  /// One of its attributes; empty if it has none of that name.
  std::string queue_attribute(const std::string& url, std::string_view name);

  /// Throws if there is no such stream, or no server.
  void check_stream();
  /// The names of the stream's consumers, sorted.
  std::vector<std::string> consumers() { return consumers_of(address_.stream); }
  /// Of another stream.
  std::vector<std::string> consumers_of(const std::string& stream);
  /// All shards of it. RecordsBehind and MillisBehind speak of all of them.
  client::wire::LagOutput lag(const std::string& consumer);

 private:
  client::Address address(const std::string& consumer) const;
  client::Answer answer(client::Request request, const Patience& patience = {});

  client::Address address_;
  std::shared_ptr<client::World> world_;
  std::unique_ptr<client::Line> line_;
  OnInterrupt on_interrupt_;
};

/// What a queue's URL or its ARN ends with.
std::string queue_name_of(const std::string& url_or_arn);

}  // namespace penstock::cli
