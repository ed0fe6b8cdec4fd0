// What a setup says, made true of the server before it takes requests.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "config/plan.hpp"
#include "config/setup.hpp"
#include "server/own_client.hpp"

namespace penstock::server {

/// Makes true of the server what a setup says, and logs what that took. The problems that there were, as lines; nothing
/// was done if they were known before. Throws OwnClient::Closed.
std::vector<std::string> settle(const config::Setup& setup, const config::Place& place, const std::string& file,
                                OwnClient& client);

class Settler {
 public:
  /// All of it outlives this. `file` is what problems and the log call the setup.
  Settler(const config::Setup& setup, config::Place place, std::string file, const Service& service,
          boost::asio::io_context& context)
      : setup_(setup), place_(std::move(place)), file_(std::move(file)), context_(context), client_(service, context) {}
  Settler(const Settler&) = delete;
  Settler& operator=(const Settler&) = delete;
  /// REQUIRES: the context runs no more.
  ~Settler() { stop(); }

  /// Plans and carries out in a thread of its own; then `settled` runs in the context, and is told whether it all went
  /// well. What did not is printed on standard error. REQUIRES: the shards and the triggers will run.
  void start(std::function<void(bool)> settled);
  /// Any thread but its own; the plan ends where it is, and `settled` may still be called.
  void stop();

 private:
  bool settle();

  const config::Setup& setup_;
  const config::Place place_;
  const std::string file_;
  boost::asio::io_context& context_;
  OwnClient client_;
  std::thread thread_;
};

}  // namespace penstock::server
