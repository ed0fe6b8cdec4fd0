// The server that a command asks. Each question is asked once: a person who waits would rather know.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/arguments.hpp"
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

class Server {
 public:
  /// Throws UsageError if the endpoint is none.
  explicit Server(const Arguments& arguments);

  // These throw client::Error and client::Unreachable.

  /// An operation on a consumer, or, if that is empty, on all of the stream.
  template <class Op, protocol::Structure Output = typename Op::Output>
  Output ask(const std::string& consumer, typename Op::Input input) {
    return client::from_json<Output>(answer(client::request_of<Op>(address(consumer), std::move(input))));
  }

  /// An operation of Lambda's, or of the server's own on functions.
  client::Answer lambda(client::Request request);
  /// Where requests go that say nothing else; the server's default where the flags say nothing.
  Home home() const { return {address_.region, address_.account}; }
  /// An operation of SQS or Kinesis, such as AmazonSQS.GetQueueUrl.
  client::Answer call(std::string_view target, std::string body, const Home& home);

  /// Throws if there is no such stream, or no server.
  void check_stream();
  /// The names of the stream's consumers, sorted.
  std::vector<std::string> consumers();
  /// All shards of it. RecordsBehind and MillisBehind speak of all of them.
  client::wire::LagOutput lag(const std::string& consumer);

 private:
  client::Address address(const std::string& consumer) const;
  client::Answer answer(client::Request request);

  client::Address address_;
  std::shared_ptr<client::World> world_;
  std::unique_ptr<client::Line> line_;
};

}  // namespace penstock::cli
