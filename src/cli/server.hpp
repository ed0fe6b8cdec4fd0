// The server that a command asks. Each question is asked once: a person who waits would rather know.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "client/api.hpp"
#include "client/json.hpp"
#include "client/shapes.hpp"
#include "penstock/client.hpp"

namespace penstock::cli {

class Server {
 public:
  /// Throws UsageError if the endpoint is none.
  explicit Server(const Arguments& arguments);

  // These throw client::Error and client::Unreachable.

  template <protocol::Structure Out>
  Out get(const std::string& target) {
    return client::from_json<Out>(ask("GET", target, {}));
  }
  template <protocol::Structure Out, protocol::Structure In>
  Out post(const std::string& target, const In& input) {
    return client::from_json<Out>(ask("POST", target, client::to_json(input)));
  }

  client::Place place(const std::string& consumer = {}) const;

  /// The names of the stream's consumers, sorted.
  std::vector<std::string> consumers();
  /// All shards of it. RecordsBehind and MillisBehind speak of all of them.
  client::wire::LagOutput lag(const std::string& consumer);

 private:
  client::Answer ask(const char* method, const std::string& target, std::string body);

  client::Place place_;
  std::shared_ptr<client::World> world_;
  std::unique_ptr<client::Line> line_;
};

}  // namespace penstock::cli
