// Where commands about the server as a whole go.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "penstock/server_commands.hpp"
#include "server/timekeeper.hpp"

namespace penstock::server {

class Control {
 public:
  using Completion = std::function<void(ServerResult)>;

  /// The context is the timekeeper's. What is handed in outlives it, but for what is posted to a context that runs no
  /// more.
  Control(boost::asio::io_context& context, Timekeeper& timekeeper) : context_(context), timekeeper_(timekeeper) {}

  /// Answers in the context, once. Any thread.
  void submit(std::shared_ptr<const ServerCommand> command, Completion completion);

 private:
  boost::asio::io_context& context_;
  Timekeeper& timekeeper_;
};

}  // namespace penstock::server
